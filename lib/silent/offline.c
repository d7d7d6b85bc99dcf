/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/offline.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "ring/galois.h"
#include "silent/digits.h"
#include "silent/spread.h"

/* InspiRING (eprint 2025/1352) with an approximate gadget, collapsed into a matrix.
 *
 * With the hint h_k of output k let t_k = tau_-1(h_k) / n. The polynomial under tau_g(s) is the sum over k of
 * X^k tau_g(t_k), for each odd g = 5^j or -5^j: silent_spread makes all of them. A switch by the key of 5
 * takes the one at j to j - 1: what is under tau_(5 g)(s) is rounded, cut into digits z, and z tau_g(w) is
 * added to what is under tau_g(s). The digits do not depend on the query. On the other side z tau_g(y) is
 * added to the short half, in all sum over g of z_g tau_g(y): linear in y, with entry (m, u) = coefficient m
 * of the sum over g of z_g X^(u g), which silent_gather makes. The last switch, by the key of -1, joins the
 * two halves. */

struct work {
	const struct silent_context *ctx;
	int64_t *spread; /* [n][n] */
	int32_t *digits[RLWE_MAX_DIGITS]; /* [n][n] each */
	int64_t *scratch; /* [n] */
	uint32_t *map;
	uint64_t *above, *key, *digit, *ends[2]; /* [n] */
};

/* above = sum of z_l tau_g(w_l), and the digits z_l of `a` go where z_g stands. */
static void switch_down(struct work *w, const uint64_t *a, uint32_t g)
{
	const struct silent_context *ctx = w->ctx;
	const struct ring_prime *r = ctx->prime;
	const struct rlwe_gadget *gadget = &ctx->spec.params->g;
	const size_t n = ctx->n, at = silent_spread_index(r->log_n, g) * n;

	for (size_t i = 0; i < n; i++) {
		int32_t z[RLWE_MAX_DIGITS];

		silent_digits(z, a[i], r->p.q, gadget);
		for (unsigned l = 0; l < gadget->digits; l++)
			w->digits[l][at + i] = z[l];
	}
	ring_galois_map(w->map, r->log_n, g, RING_EVALUATION);
	for (unsigned l = 0; l < gadget->digits; l++) {
		for (size_t i = 0; i < n; i++) {
			w->digit[i] = silent_residue(w->digits[l][at + i], r->p.q);
			w->key[i] = ctx->w[l * n + (w->map[i] >> 1)];
		}
		r->k.ntt_forward(w->digit, r->table);
		r->k.mul(w->digit, w->digit, w->key, n, &r->p);
		if (l == 0)
			memcpy(w->above, w->digit, n * sizeof *w->above);
		else
			r->k.add(w->above, w->above, w->digit, n, &r->p);
	}
	r->k.ntt_inverse(w->above, r->table, KERNELS_PLAIN);
}

/* From the top of one half to what is under s, or under tau_-1(s). */
static void collapse(struct work *w, bool minus)
{
	const struct silent_context *ctx = w->ctx;
	const uint64_t q = ctx->prime->p.q;
	const uint32_t n = ctx->n;
	uint32_t *powers = w->map + n;

	powers[0] = 1;
	for (uint32_t j = 1; j < n / 2; j++)
		powers[j] = powers[j - 1] * 5 % (2 * n);
	memset(w->above, 0, n * sizeof *w->above);
	for (uint32_t j = n / 2; j-- > 0;) {
		uint32_t g = minus ? 2 * n - powers[j] : powers[j];
		const int64_t *sum = w->spread + silent_spread_index(ctx->prime->log_n, g) * n;
		uint64_t *end = w->ends[minus];

		for (uint32_t i = 0; i < n; i++)
			end[i] = (silent_residue(sum[i] % (int64_t)q, q) + w->above[i]) % q;
		if (j > 0)
			switch_down(w, end, minus ? 2 * n - powers[j - 1] : powers[j - 1]);
	}
}

/* The switch by -1: `fold` gets its digits as transform values, ends[0] what is then under s. */
static void join(struct work *w, uint64_t *fold)
{
	const struct silent_context *ctx = w->ctx;
	const struct ring_prime *r = ctx->prime;
	const struct rlwe_params *p = ctx->spec.params;
	const size_t n = ctx->n;

	for (size_t i = 0; i < n; i++) {
		int32_t z[RLWE_MAX_DIGITS];

		silent_digits(z, w->ends[1][i], r->p.q, &p->h);
		for (unsigned l = 0; l < p->h.digits; l++)
			fold[l * n + i] = silent_residue(z[l], r->p.q);
	}
	memset(w->above, 0, n * sizeof *w->above);
	for (unsigned l = 0; l < p->h.digits; l++) {
		r->k.ntt_forward(fold + l * n, r->table);
		r->k.mul(w->digit, fold + l * n, ctx->w + (p->g.digits + l) * n, n, &r->p);
		r->k.add(w->above, w->above, w->digit, n, &r->p);
	}
	r->k.ntt_inverse(w->above, r->table, KERNELS_PLAIN);
	r->k.add(w->ends[0], w->ends[0], w->above, n, &r->p);
}

static bool write_matrix(struct work *w, int32_t *matrix)
{
	const struct silent_context *ctx = w->ctx;
	const size_t n = ctx->n;
	int32_t largest = 0;

	for (unsigned l = 0; l < ctx->spec.params->g.digits; l++) {
		silent_gather(w->digits[l], ctx->prime->log_n, (int32_t *)w->scratch);
		for (size_t u = 0; u < n; u++)
			for (size_t m = 0; m < n; m += KERNELS_APPLY_LANES) {
				const int32_t *from = w->digits[l] + u * n + m;

				memcpy(matrix + kernels_apply_offset(ctx->terms, m, l * n + u), from,
					KERNELS_APPLY_LANES * sizeof *from);
				for (size_t i = 0; i < KERNELS_APPLY_LANES; i++)
					largest = abs(from[i]) > largest ? abs(from[i]) : largest;
			}
	}
	return largest < KERNELS_APPLY_LIMIT;
}

static size_t square(const struct silent_context *ctx, size_t size)
{
	return arena_room((size_t)ctx->n * ctx->n * size);
}

static enum veil_status prepare(struct work *w, struct arena *arena)
{
	const struct silent_context *ctx = w->ctx;
	const unsigned digits = ctx->spec.params->g.digits;
	const size_t poly = arena_room(ctx->n * sizeof(uint64_t));
	enum veil_status st = arena_init(
		arena, square(ctx, sizeof *w->spread) + digits * square(ctx, sizeof(int32_t)) + 7 * poly);

	if (st != VEIL_OK)
		return st;
	w->spread = arena_take(arena, square(ctx, sizeof *w->spread));
	for (unsigned l = 0; l < digits; l++) {
		w->digits[l] = arena_take(arena, square(ctx, sizeof(int32_t)));
		memset(w->digits[l], 0, square(ctx, sizeof(int32_t)));
	}
	w->scratch = arena_take(arena, poly);
	w->map = arena_take(arena, poly);
	w->above = arena_take(arena, poly);
	w->key = arena_take(arena, poly);
	w->digit = arena_take(arena, poly);
	w->ends[0] = arena_take(arena, poly);
	w->ends[1] = arena_take(arena, poly);
	return VEIL_OK;
}

enum veil_status silent_offline_pack(
	const struct silent_context *ctx, void *material, const int8_t *table, struct veil_error *err)
{
	const struct ring_prime *r = ctx->prime;
	const unsigned bits = ctx->spec.params->reply_c1_bits;
	struct silent_pack pack = silent_pack_view(ctx, table, material);
	uint8_t *out = material;
	struct arena arena = {0};
	struct work w = {.ctx = ctx};
	enum veil_status st = prepare(&w, &arena);

	if (st == VEIL_OK)
		st = silent_hint(ctx, w.spread, table);
	if (st != VEIL_OK) {
		error_set(err, st, "no memory to prepare a pack of %u rows", ctx->spec.rows);
		goto out;
	}
	memset(material, 0, ctx->material_bytes);
	silent_spread(w.spread, r->log_n, w.scratch);
	collapse(&w, false);
	collapse(&w, true);
	join(&w, (uint64_t *)(out + ((const uint8_t *)pack.fold - out)));
	r->k.round(w.ends[0], w.ends[0], ctx->n, bits, &r->p);
	r->k.pack(out + (pack.constant - out), w.ends[0], ctx->n, bits);
	if (!write_matrix(&w, material))
		st = error_set(err, VEIL_E_UNSUPPORTED,
			"an entry of the matrix is not below 2^20: build the table with another seed");
out:
	arena_clear(&arena);
	return st;
}

/* --- all of a table */

struct run {
	const struct silent_context *ctx;
	const struct silent_offline_job *job;
	struct {
		enum veil_status status;
		struct veil_error err;
	} * results;
};

static void run_one(void *arg, size_t i)
{
	struct run *run = arg;
	const struct silent_offline_job *job = run->job;
	uint32_t pack = (uint32_t)i;
	void *material = job->material(job->state, pack);
	enum veil_status st;

	if (!material)
		return;
	st = silent_offline_pack(run->ctx, material, job->table(job->state, pack), &run->results[i].err);
	if (st == VEIL_OK)
		st = job->done(job->state, pack, &run->results[i].err);
	run->results[i].status = st;
}

enum veil_status silent_offline_run(const struct silent_context *ctx, const struct silent_offline_job *job,
	const struct exec *exec, struct veil_error *err)
{
	struct run run = {.ctx = ctx, .job = job};
	enum veil_status st = VEIL_OK;

	run.results = calloc(ctx->spec.packs, sizeof *run.results);
	if (!run.results)
		return error_set(err, VEIL_E_NOMEM, "no memory to prepare %u packs", ctx->spec.packs);
	exec_for(exec, ctx->spec.packs, run_one, &run);
	for (uint32_t i = 0; i < ctx->spec.packs && st == VEIL_OK; i++)
		if (run.results[i].status != VEIL_OK)
			st = error_set(
				err, run.results[i].status, "pack %u: %.400s", i, run.results[i].err.text);
	free(run.results);
	return st;
}
