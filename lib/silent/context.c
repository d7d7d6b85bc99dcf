/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/context.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "silent/noise.h"

#define FAILURE_LOG2 -40

static enum veil_status check_spec(const struct silent_spec *s, struct veil_error *err)
{
	const struct rlwe_params *p = s->params;
	enum veil_status st;

	if (p->use != RLWE_USE_RETRIEVAL && p->use != RLWE_USE_SEALED)
		return error_set(err, VEIL_E_INVALID, "parameter set %s is not for silent PIR", p->name);
	st = rlwe_params_check(p, s->allow_insecure, err);
	if (st != VEIL_OK)
		return st;
	if (p->log_n < 6 || p->log_n > 11)
		return error_set(
			err, VEIL_E_INVALID, "parameter set %s: silent PIR takes N of 64 to 2048", p->name);
	if (s->rows < 1 || s->rows > SILENT_MAX_ROWS || s->rows % (1u << p->log_n))
		return error_set(err, VEIL_E_INVALID, "a table of %u rows: not a multiple of %u in 1..%u",
			s->rows, 1u << p->log_n, SILENT_MAX_ROWS);
	if (s->packs < 1 || s->packs > SILENT_MAX_PACKS)
		return error_set(
			err, VEIL_E_INVALID, "a table of %u packs: not in 1..%u", s->packs, SILENT_MAX_PACKS);
	return VEIL_OK;
}

size_t silent_static_bytes(const struct rlwe_params *p)
{
	return ((size_t)p->reply_c1_bits << p->log_n) / 8;
}

size_t silent_material_bytes(const struct rlwe_params *p)
{
	const size_t n = (size_t)1 << p->log_n;

	return arena_room(n * n * p->g.digits * sizeof(int32_t)) +
	       arena_room(p->h.digits * n * sizeof(uint64_t)) + arena_room(silent_static_bytes(p));
}

static void set_sizes(struct silent_context *ctx)
{
	const struct rlwe_params *p = ctx->spec.params;
	const size_t n = ctx->n;

	ctx->blocks = (uint32_t)(ctx->spec.rows / n);
	ctx->terms = (uint32_t)(p->g.digits * n);
	ctx->words_bytes = (size_t)ctx->spec.rows * p->upload_bits / 8;
	ctx->key_g_bytes = n * p->g.key_bits / 8;
	ctx->key_h_bytes = n * p->h.key_bits / 8;
	ctx->query_bytes = ctx->words_bytes + p->g.digits * ctx->key_g_bytes + p->h.digits * ctx->key_h_bytes;
	ctx->static_bytes = silent_static_bytes(p);
	ctx->short_bytes = n * p->reply_c0_bits / 8;
	ctx->reply_bytes = ctx->spec.packs * ctx->short_bytes;
	ctx->table_bytes = ctx->spec.rows * n;
	ctx->material_bytes = silent_material_bytes(p);
}

/** Which table the public polynomials are for: the seed of one must not serve another shape. */
static void set_domain(struct silent_context *ctx)
{
	const struct rlwe_params *p = ctx->spec.params;
	const uint32_t fields[] = {p->log_n, p->use, p->error, p->upload_bits, p->g.digits, p->g.bits,
		p->g.drop, p->g.key_bits, p->h.digits, p->h.bits, p->h.drop, p->h.key_bits, ctx->spec.rows};
	uint8_t text[128];
	struct writer w;

	writer_init(&w, text, sizeof text);
	writer_bytes(&w, "veil/silent/1", 13);
	writer_u64(&w, ctx->prime->p.q);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		writer_u32(&w, fields[i]);
	hash_sha256(ctx->domain, text, w.at);
}

/** The public polynomials: stream 0 of the seed for the words, stream 1 for the keys. */
static enum veil_status draw(struct silent_context *ctx)
{
	const struct rlwe_params *p = ctx->spec.params;
	const size_t keys = (p->g.digits + p->h.digits) * (size_t)ctx->n;
	struct keystream *ks = keystream_create();

	ctx->a = aligned_alloc(64, arena_room(ctx->spec.rows * sizeof *ctx->a));
	ctx->w = aligned_alloc(64, arena_room(keys * sizeof *ctx->w));
	if (ks && ctx->a && ctx->w) {
		ring_uniform(ctx->prime, ctx->a, ctx->spec.rows, ks, ctx->domain, ctx->spec.seed, 0);
		ring_uniform(ctx->prime, ctx->w, keys, ks, ctx->domain, ctx->spec.seed, 1);
	}
	keystream_destroy(ks);
	return ks && ctx->a && ctx->w ? VEIL_OK : VEIL_E_NOMEM;
}

static enum veil_status build(struct silent_context *ctx, unsigned features, struct veil_error *err)
{
	const struct rlwe_params *p = ctx->spec.params;
	enum veil_status st = ring_create(&ctx->ring, p->log_n, p->q, 1, features, err);

	if (st != VEIL_OK)
		return st;
	ctx->prime = ctx->ring->primes;
	ctx->n = 1u << p->log_n;
	kernels_scan_select(&ctx->scan, features);
	set_sizes(ctx);
	set_domain(ctx);
	if (p->use == RLWE_USE_RETRIEVAL && silent_failure_log2(ctx) > FAILURE_LOG2)
		return error_set(err, VEIL_E_INVALID,
			"a table of %u rows would decode wrongly once in 2^%.0f with parameter set %s: take "
			"fewer rows",
			ctx->spec.rows, -silent_failure_log2(ctx), p->name);
	st = draw(ctx);
	return st == VEIL_OK ? st : error_set(err, st, "no memory for a context of %u rows", ctx->spec.rows);
}

enum veil_status silent_context_create(struct silent_context **out, const struct silent_spec *spec,
	unsigned features, struct veil_error *err)
{
	struct silent_context *ctx;
	enum veil_status st;

	*out = NULL;
	st = check_spec(spec, err);
	if (st != VEIL_OK)
		return st;
	ctx = calloc(1, sizeof *ctx);
	if (!ctx)
		return error_set(err, VEIL_E_NOMEM, "no memory for a context of silent PIR");
	ctx->spec = *spec;
	st = build(ctx, features, err);
	if (st != VEIL_OK) {
		silent_context_destroy(ctx);
		ctx = NULL;
	}
	*out = ctx;
	return st;
}

void silent_context_destroy(struct silent_context *ctx)
{
	if (!ctx)
		return;
	free(ctx->a);
	free(ctx->w);
	ring_destroy(ctx->ring);
	free(ctx);
}

struct silent_pack silent_pack_view(
	const struct silent_context *ctx, const int8_t *table, const void *material)
{
	const uint8_t *at = material;
	struct silent_pack pack = {.table = table, .matrix = material};

	at += arena_room((size_t)ctx->n * ctx->terms * sizeof(int32_t));
	pack.fold = (const void *)at;
	pack.constant = at + arena_room(ctx->spec.params->h.digits * (size_t)ctx->n * sizeof(uint64_t));
	return pack;
}
