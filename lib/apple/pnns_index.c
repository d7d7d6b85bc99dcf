/* SPDX-License-Identifier: Apache-2.0 */
#include "apple/pnns_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apple/pnns_answer.h"
#include "apple/pnns_pack.h"
#include "base/drbg.h"
#include "base/error.h"
#include "base/require.h"
#include "ring/packed.h"

/* The query's norm is at most scale, and half a unit more in each coordinate; or 127 in each. */
static enum veil_status check_scores(const struct pnns_index *index, struct veil_error *err)
{
	const struct nn_spec *s = &index->shape.spec;
	const double root = sqrt(s->dim), query = fmin(s->scale + root / 2, 127 * root),
		     largest = s->row_norm * query;

	if (largest <= (double)pnns_score_limit(index->pnns))
		return VEIL_OK;
	return error_set(err, VEIL_E_INVALID,
		"%s: rows of norm %u at scale %g have scores up to %.0f, and t carries them up to %lld",
		s->params->name, (unsigned)s->row_norm, (double)s->scale, largest,
		(long long)pnns_score_limit(index->pnns));
}

/* Everything that a wire message or a server's memory is sized by. */
static enum veil_status measure(struct pnns_index *index, struct veil_error *err)
{
	const struct pnns_context *ctx = index->pnns;
	const struct ring *ring = ctx->ring;
	struct nn_context *shape = &index->shape;
	const size_t ct = rlwe_ciphertext_bytes(ring, 2, ctx->level);

	index->chunks = (uint32_t)pnns_chunks(ctx, shape->spec.rows);
	index->key_bytes = ring_packed_bytes(ring, ring->count, 0);
	index->ciphertext_bytes = ring_packed_bytes(ring, ctx->level, 0);
	rlwe_params_skip_lsbs(shape->spec.params, index->skip);
	for (unsigned k = 0; k < 2; k++)
		index->reply_bytes[k] = ring_packed_bytes(ring, 1, index->skip[k]);
	shape->plain_modulus = ctx->t;
	shape->terms = ctx->baby;
	shape->query_bytes =
		ctx->key_count * ctx->level * index->key_bytes + ctx->query_count * index->ciphertext_bytes;
	shape->c0_bytes = index->chunks * index->reply_bytes[0];
	shape->c1_bytes = index->chunks * index->reply_bytes[1];
	shape->reply_bytes = shape->c0_bytes + shape->c1_bytes;
	shape->shard_bytes = index->chunks * ctx->chunk_bytes;
	shape->shard_scratch =
		pnns_pack_scratch(ctx) + arena_room(ring->n * shape->spec.dim * sizeof(int32_t));
	shape->answer_scratch = pnns_index_key_room(index) + arena_room(pnns_prepared_bytes(ctx)) +
				pnns_answer_scratch(ctx) + 2 * ct;
	if (shape->query_bytes > NN_MAX_MESSAGE || shape->reply_bytes > NN_MAX_MESSAGE)
		return error_set(err, VEIL_E_INVALID, "%s: a message would be of more than %zu bytes",
			shape->spec.params->name, NN_MAX_MESSAGE);
	return VEIL_OK;
}

enum veil_status pnns_index_create(
	struct pnns_index **out, const struct nn_spec *spec, unsigned features, struct veil_error *err)
{
	const struct pnns_spec inner = {.params = spec->params,
		.moduli = 1,
		.dim = spec->dim,
		.baby = spec->terms,
		.form = PNNS_SENT,
		.allow_insecure = spec->allow_insecure};
	struct pnns_index *index = NULL;
	enum veil_status st;

	*out = NULL;
	if (spec->rows < 1 || spec->rows > NN_MAX_ROWS || spec->row_norm < 1 || !isfinite(spec->scale) ||
		spec->scale <= 0 || spec->scale > NN_MAX_SCALE || spec->terms < 1)
		return error_set(err, VEIL_E_INVALID,
			"%s: rows, terms, row_norm or scale of the index make no sense", spec->params->name);
	index = calloc(1, sizeof *index);
	if (!index)
		return error_set(err, VEIL_E_NOMEM, "no memory for the context of an index");
	index->shape.spec = *spec;
	st = pnns_context_create(&index->pnns, &inner, features, err);
	if (st == VEIL_OK)
		st = check_scores(index, err);
	if (st == VEIL_OK)
		st = measure(index, err);
	if (st != VEIL_OK)
		goto out;
	*out = index;
	index = NULL;
out:
	pnns_index_destroy(index);
	return st;
}

void pnns_index_destroy(struct pnns_index *index)
{
	if (!index)
		return;
	pnns_context_destroy(index->pnns);
	free(index);
}

size_t pnns_index_key_room(const struct pnns_index *index)
{
	return rlwe_evalkey_room(index->pnns->ring, index->pnns->key_count, false);
}

void pnns_index_key_init(const struct pnns_index *index, struct rlwe_evalkey *key, struct arena *arena)
{
	rlwe_evalkey_init(key, index->pnns->ring, index->pnns->keys, index->pnns->key_count, false, arena);
}

void pnns_index_pack(
	const struct pnns_index *index, void *shard, const int8_t *rows, uint32_t used, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), n = index->pnns->ring->n, dim = index->shape.spec.dim;
	int32_t *wide = arena_take(scratch, n * dim * sizeof *wide);

	for (uint32_t c = 0; c < index->chunks; c++) {
		const size_t from = c * n, left = used > from ? used - from : 0, count = left < n ? left : n;

		for (size_t i = 0; i < count * dim; i++)
			wide[i] = rows[from * dim + i];
		pnns_pack_chunk(
			index->pnns, (uint8_t *)shard + c * index->pnns->chunk_bytes, wide, count, scratch);
	}
	arena_release(scratch, mark);
}

/* --- answers: ciphertexts come one after another, and their seeds */

struct reading {
	const uint8_t *at;
	struct rng seeds;
	struct drbg *drbg;
	bool bad;
};

/* A ciphertext in evaluation format, of its level. */
static void read_ciphertext(struct reading *r, struct rlwe_ciphertext *ct)
{
	uint8_t seed[RING_SEED_BYTES];
	unsigned prime;

	rng_fill(&r->seeds, seed, sizeof seed);
	r->bad = !ring_unpack(&ct->poly[0], r->at, 0, &prime) || r->bad;
	r->at += ring_packed_bytes(ct->poly[0].ring, ct->poly[0].level, 0);
	rlwe_ciphertext_expand(ct, seed, r->drbg);
}

static void read_keys(struct reading *r, struct rlwe_evalkey *keys)
{
	for (unsigned g = 0; g < keys->galois_count; g++)
		for (unsigned i = 0; i < keys->galois[g].key.count; i++)
			read_ciphertext(r, &keys->galois[g].key.ct[i]);
}

static struct rlwe_ciphertext take_ciphertext(
	const struct pnns_context *ctx, unsigned level, enum ring_format format, struct arena *scratch)
{
	struct rlwe_ciphertext ct;

	rlwe_ciphertext_init(&ct, ctx->ring, 2, level, format,
		arena_take(scratch, rlwe_ciphertext_bytes(ctx->ring, 2, level)));
	return ct;
}

/* VEIL_E_MALFORMED before anything is computed with residues that are none. */
static enum veil_status read_query(const struct pnns_index *index, struct rlwe_evalkey *keys, void *prepared,
	struct reading *r, struct arena *scratch)
{
	const struct pnns_context *ctx = index->pnns;
	struct rlwe_ciphertext ct = take_ciphertext(ctx, ctx->level, RING_EVALUATION, scratch);

	read_keys(r, keys);
	for (unsigned j = 0; j < ctx->query_count && !r->bad; j++) {
		read_ciphertext(r, &ct);
		if (!r->bad)
			pnns_prepare(ctx, prepared, 0, j, &ct, keys, scratch);
	}
	return r->bad ? VEIL_E_MALFORMED : VEIL_OK;
}

enum veil_status pnns_index_answer(const struct pnns_index *index, uint8_t *reply,
	const struct nn_query *query, const void *shard, struct drbg *drbg, struct arena *scratch,
	struct veil_error *err)
{
	const struct pnns_context *ctx = index->pnns;
	const size_t mark = arena_mark(scratch);
	struct rng_seeded seeds;
	struct reading r = {.at = query->ciphertexts, .drbg = drbg};
	struct rlwe_evalkey keys;
	struct rlwe_ciphertext ct;
	void *prepared;
	enum veil_status st;

	r.seeds = rng_seeded_init(&seeds, query->seed);
	pnns_index_key_init(index, &keys, scratch);
	prepared = arena_take(scratch, pnns_prepared_bytes(ctx));
	st = read_query(index, &keys, prepared, &r, scratch);
	if (st != VEIL_OK) {
		memset(reply, 0, index->shape.reply_bytes);
		error_set(err, st, "Query: a residue is not below its prime (parameter set %s)",
			index->shape.spec.params->name);
		goto out;
	}
	ct = take_ciphertext(ctx, 1, RING_COEFFICIENT, scratch);
	for (uint32_t c = 0; c < index->chunks; c++) {
		pnns_answer(
			ctx, &ct, prepared, (const uint8_t *)shard + c * ctx->chunk_bytes, &keys, scratch);
		for (unsigned k = 0; k < 2; k++)
			reply = ring_pack(reply, &ct.poly[k], index->skip[k]);
	}
out:
	arena_release(scratch, mark);
	return st;
}
