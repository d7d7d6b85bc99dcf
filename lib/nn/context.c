/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/context.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "nn/answer.h"
#include "ring/prime.h"

/* The loudest score of an approximate set may reach q / 2.12: six hundredths are left for noise. */
#define HEADROOM 1.06
/* Noise decodes when the room for it is this many standard deviations: fails once in 5e8 scores. */
#define SIGMAS 6

static bool exact(const struct nn_spec *spec)
{
	return spec->params->use == RLWE_USE_SEARCH_EXACT;
}

/** The largest L2 norm of a query that was quantised with spec->scale. */
static double query_norm(const struct nn_spec *spec)
{
	double root = sqrt(spec->dim);

	return fmin(spec->scale + root / 2, 127 * root);
}

static enum veil_status check_spec(const struct nn_spec *s, struct veil_error *err)
{
	if (s->dim < 1 || s->dim > NN_MAX_DIM)
		return error_set(err, VEIL_E_INVALID, "dimension %u is not in 1..%u", s->dim, NN_MAX_DIM);
	if (s->rows < 1 || s->rows > NN_MAX_ROWS)
		return error_set(
			err, VEIL_E_INVALID, "%u rows in a shard: not in 1..%u", s->rows, NN_MAX_ROWS);
	if (s->terms < 1 || s->terms > s->dim)
		return error_set(
			err, VEIL_E_INVALID, "%u terms: not in 1..%u, the dimension", s->terms, s->dim);
	if (s->row_norm < 1)
		return error_set(
			err, VEIL_E_INVALID, "the norm bound of the rows is 0: it must be at least 1");
	if (!isfinite(s->scale) || s->scale <= 0)
		return error_set(err, VEIL_E_INVALID, "the scale of the rows is not a positive number");
	if (s->scale > NN_MAX_SCALE)
		return error_set(err, VEIL_E_INVALID, "the scale of the rows is %g: not at most %g",
			(double)s->scale, (double)NN_MAX_SCALE);
	return VEIL_OK;
}

static enum veil_status check_params(const struct nn_spec *spec, struct veil_error *err)
{
	const struct rlwe_params *p = spec->params;
	enum veil_status st;

	if (p->use != RLWE_USE_SEARCH_APPROXIMATE && p->use != RLWE_USE_SEARCH_EXACT)
		return error_set(err, VEIL_E_INVALID, "parameter set %s is not for search", p->name);
	st = rlwe_params_check(p, spec->allow_insecure, err);
	if (st != VEIL_OK)
		return st;
	if (p->log_n < 5 || p->q[0] >> 50)
		return error_set(
			err, VEIL_E_INVALID, "parameter set %s: search takes N >= 32 and q < 2^50", p->name);
	return VEIL_OK;
}

/** The bit widths of messages against the prime. */
static enum veil_status check_bits(struct nn_context *ctx, struct veil_error *err)
{
	const struct rlwe_params *p = ctx->spec.params;
	const struct kernels_prime *prime = &ctx->prime->p;
	/* Decoding multiplies c1, in [0, 2^b_1), by s mod q and needs the integer. Hoeffding: for a c1 that
	 * was made without s it leaves (-q/2, q/2) with probability 2 exp(-(q / 2^b_1)^2 / 8N) at most. */
	double reach = (double)prime->q / ldexp(1, (int)p->reply_c1_bits);

	if (p->upload_bits < 1 || p->upload_bits > prime->bits || prime->bits - p->upload_bits > p->log_n + 1)
		return error_set(err, VEIL_E_INVALID, "parameter set %s: upload_bits must be in %u..%u",
			p->name, prime->bits - p->log_n - 1, prime->bits);
	if (p->reply_c0_bits < 1 || p->reply_c0_bits > p->reply_c1_bits || p->reply_c1_bits > prime->bits)
		return error_set(err, VEIL_E_INVALID,
			"parameter set %s: 1 <= reply_c0_bits <= reply_c1_bits <= %u does not hold", p->name,
			prime->bits);
	if (reach * reach / (8 * (double)ctx->prime->n) < 128)
		return error_set(err, VEIL_E_INVALID,
			"parameter set %s: reply_c1_bits %u are too many for q to decode", p->name,
			p->reply_c1_bits);
	return VEIL_OK;
}

static enum veil_status set_shape(struct nn_context *ctx, struct veil_error *err)
{
	const struct nn_spec *s = &ctx->spec;
	uint64_t limit = kernels_mac_limit(&ctx->prime->p);
	size_t n = ctx->prime->n;

	ctx->chunk = 1;
	while ((s->dim + ctx->chunk - 1) / ctx->chunk > s->terms)
		ctx->chunk *= 2;
	if (ctx->chunk > n)
		return error_set(err, VEIL_E_INVALID, "%u terms are too few: dimension %u needs at least %zu",
			s->terms, s->dim, (s->dim + n - 1) / n);
	ctx->terms = (s->dim + ctx->chunk - 1) / ctx->chunk;
	if (ctx->terms > limit)
		return error_set(err, VEIL_E_INVALID,
			"%u terms: more than the %llu that the accumulator holds", ctx->terms,
			(unsigned long long)limit);
	ctx->rows_per_poly = (uint32_t)(n / ctx->chunk);
	ctx->replies = (s->rows + ctx->rows_per_poly - 1) / ctx->rows_per_poly;
	return VEIL_OK;
}

static enum veil_status set_sizes(struct nn_context *ctx, struct veil_error *err)
{
	const struct rlwe_params *p = ctx->spec.params;
	size_t n = ctx->prime->n, poly = ring_prime_bytes(ctx->prime);

	ctx->drop = ctx->prime->p.bits - p->upload_bits;
	ctx->query_bytes = ctx->terms * ((n * p->upload_bits + 7) / 8);
	ctx->c1_bytes = ctx->replies * ((n * p->reply_c1_bits + 7) / 8);
	ctx->c0_bytes = ctx->replies * ((size_t)(ctx->rows_per_poly * (uint64_t)p->reply_c0_bits + 7) / 8);
	ctx->reply_bytes = ctx->c1_bytes + ctx->c0_bytes;
	ctx->shard_bytes = (size_t)ctx->replies * ctx->terms * poly;
	ctx->shard_scratch = arena_room(poly);
	ctx->answer_scratch = nn_answer_scratch(ctx, 1);
	if (ctx->query_bytes > NN_MAX_MESSAGE || ctx->reply_bytes > NN_MAX_MESSAGE)
		return error_set(err, VEIL_E_INVALID,
			"a query would take %zu bytes and a reply %zu, more than %zu: take smaller shards or "
			"other terms",
			ctx->query_bytes, ctx->reply_bytes, NN_MAX_MESSAGE);
	return VEIL_OK;
}

/** How the query is scaled into Z_q, and whether the scores survive the noise. */
static enum veil_status set_scale(struct nn_context *ctx, struct veil_error *err)
{
	const struct nn_spec *s = &ctx->spec;
	double q = (double)ctx->prime->p.q, largest, room, noise;

	if (exact(s)) {
		largest = floor(s->row_norm * query_norm(s)) + 1; /* 1 for the rounding of this line */
		ctx->plain_modulus = 2 * (uint64_t)largest + 1;
		ctx->amplitude = (double)(ctx->prime->p.q / ctx->plain_modulus);
		ctx->score_unit = q / ctx->amplitude;
		room = 0.5; /* to the next integer */
	} else {
		ctx->amplitude = q / (2 * HEADROOM * s->row_norm);
		ctx->score_unit = 2 * HEADROOM * s->row_norm / s->scale;
		room = (HEADROOM - 1) * s->row_norm / s->scale;
	}
	if (ctx->amplitude < 1)
		return error_set(err, VEIL_E_INVALID, "rows of norm %u: q of parameter set %s is too small",
			s->row_norm, s->params->name);
	noise = nn_noise_std(ctx, s->row_norm);
	if (SIGMAS * noise > room)
		return error_set(err, VEIL_E_INVALID,
			"scores would not decode: noise %.3g leaves %.1f sigma, needed are %d: take fewer "
			"terms, "
			"rows of a smaller norm or another parameter set than %s",
			noise, room / noise, SIGMAS, s->params->name);
	return VEIL_OK;
}

/** Folding sums L transform values and a mac leaves R^-1: the factors that take that back (layout.h). */
static enum veil_status set_unfold(struct nn_context *ctx)
{
	const struct ring_prime *r = ctx->prime;
	uint64_t factor = prime_inverse(ctx->chunk, r->p.q);

	for (int scale = KERNELS_PLAIN; scale <= KERNELS_MONTGOMERY; scale++) {
		void *a = aligned_alloc(64, arena_room(ctx->rows_per_poly * (size_t)r->p.width));

		if (!a)
			return VEIL_E_NOMEM;
		for (uint32_t i = 0; i < ctx->rows_per_poly; i++)
			ring_set(r, a, i, factor);
		ctx->unfold[scale] = a;
		factor = prime_mul(factor, r->p.mont_one, r->p.q);
	}
	return VEIL_OK;
}

static void set_domain(struct nn_context *ctx)
{
	const struct nn_spec *s = &ctx->spec;
	uint8_t text[128];
	struct writer w;

	writer_init(&w, text, sizeof text);
	writer_bytes(&w, "veil/search/1", 13);
	writer_u64(&w, ctx->prime->p.q);
	for (size_t i = 0; i < 11; i++) {
		const uint32_t field[11] = {s->params->log_n, s->params->use, s->params->error,
			s->params->upload_bits, s->params->reply_c1_bits, s->params->reply_c0_bits, s->dim,
			s->rows, ctx->chunk, ctx->terms, s->row_norm};
		writer_u32(&w, field[i]);
	}
	writer_f32(&w, s->scale);
	hash_sha256(ctx->domain, text, w.at);
}

static enum veil_status build(struct nn_context *ctx, unsigned features, struct veil_error *err)
{
	const struct rlwe_params *p = ctx->spec.params;
	enum veil_status st = ring_create(&ctx->ring, p->log_n, p->q, 1, features, err);

	if (st != VEIL_OK)
		return st;
	ctx->prime = ctx->ring->primes;
	st = check_bits(ctx, err);
	if (st == VEIL_OK)
		st = set_shape(ctx, err);
	if (st == VEIL_OK)
		st = set_sizes(ctx, err);
	if (st == VEIL_OK)
		st = set_scale(ctx, err);
	if (st == VEIL_OK)
		st = set_unfold(ctx);
	if (st == VEIL_OK && ctx->rows_per_poly > 1) {
		st = ring_create_subring(&ctx->subring, ctx->ring, ctx->chunk, features, err);
		ctx->subprime = ctx->subring ? ctx->subring->primes : NULL;
	}
	if (st == VEIL_OK)
		set_domain(ctx);
	return st;
}

enum veil_status nn_context_create(
	struct nn_context **out, const struct nn_spec *spec, unsigned features, struct veil_error *err)
{
	struct nn_context *ctx = NULL;
	enum veil_status st;

	*out = NULL;
	st = check_spec(spec, err);
	if (st == VEIL_OK)
		st = check_params(spec, err);
	if (st != VEIL_OK)
		return st;
	ctx = calloc(1, sizeof *ctx);
	if (!ctx)
		return error_set(err, VEIL_E_NOMEM, "no memory for a search context");
	ctx->spec = *spec;
	st = build(ctx, features, err);
	if (st != VEIL_OK) {
		nn_context_destroy(ctx);
		ctx = NULL;
	}
	*out = ctx;
	return st;
}

void nn_context_destroy(struct nn_context *ctx)
{
	if (!ctx)
		return;
	free(ctx->unfold[KERNELS_PLAIN]);
	free(ctx->unfold[KERNELS_MONTGOMERY]);
	ring_destroy(ctx->subring);
	ring_destroy(ctx->ring);
	free(ctx);
}

/** What rounding to multiples of 2^drop, ties to even, adds: exact for a uniform residue. */
static double rounding_variance(unsigned drop)
{
	return drop ? (ldexp(1, 2 * (int)drop) + 2) / 12 : 0;
}

double nn_noise_std(const struct nn_context *ctx, double row_norm)
{
	const struct rlwe_params *p = ctx->spec.params;
	double n = (double)ctx->prime->n, q = (double)ctx->prime->p.q;
	double fresh = RLWE_CBD21_VARIANCE + rounding_variance(ctx->drop);
	/* variances of the phase as a fraction of q: docs/protocol.md, Noise */
	double up = row_norm * row_norm * ctx->rows_per_poly * fresh / (q * q);
	double message = exact(&ctx->spec) ? 0 : row_norm * row_norm / 12 / (q * q);
	double c1 = n / 18 * ldexp(1, -2 * (int)p->reply_c1_bits);
	double c0 = ldexp(1, -2 * (int)p->reply_c0_bits) / 12;

	return ctx->score_unit * sqrt(up + message + c1 + c0);
}
