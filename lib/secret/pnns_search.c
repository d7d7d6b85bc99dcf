/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/pnns_search.h"

#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/drbg.h"
#include "base/error.h"
#include "base/require.h"
#include "ring/packed.h"
#include "secret/evalkey.h"
#include "secret/pnns.h"
#include "secret/search.h"

enum state { CREATED, WRITTEN, DECODED };

struct secret_pnns_search {
	struct arena arena; /* holds this very struct; what lies above `mark` is wiped by decoding */
	size_t mark;
	const struct pnns_index *index;
	enum state state;
	struct secret_key key;
	uint8_t seed[RING_SEED_BYTES];
	uint8_t *ciphertexts; /* public, on the heap */
};

/* What is public of a query while it is made: the key and its ciphertexts, and where their seeds come from.
 */
struct making {
	struct arena arena;
	struct rlwe_evalkey keys;
	struct rlwe_ciphertext *ct;
	struct drbg *drbg;
	struct rng_seeded state;
	struct rng seeds;
};

static enum veil_status start(struct making *m, const struct pnns_index *index)
{
	const struct pnns_context *ctx = index->pnns;
	const size_t bytes = rlwe_ciphertext_bytes(ctx->ring, 2, ctx->level);

	m->drbg = drbg_create();
	m->ct = calloc(ctx->query_count, sizeof *m->ct);
	if (!m->drbg || !m->ct ||
		arena_init(&m->arena, pnns_index_key_room(index) + ctx->query_count * bytes) != VEIL_OK)
		return VEIL_E_NOMEM;
	pnns_index_key_init(index, &m->keys, &m->arena);
	for (unsigned j = 0; j < ctx->query_count; j++)
		rlwe_ciphertext_init(
			&m->ct[j], ctx->ring, 2, ctx->level, RING_EVALUATION, arena_take(&m->arena, bytes));
	return VEIL_OK;
}

static void end(struct making *m)
{
	drbg_destroy(m->drbg);
	free(m->ct);
	arena_clear(&m->arena);
}

static void pack(const struct secret_pnns_search *s, const struct making *m)
{
	const struct pnns_context *ctx = s->index->pnns;
	uint8_t *at = s->ciphertexts;

	for (unsigned g = 0; g < m->keys.galois_count; g++)
		for (unsigned i = 0; i < m->keys.galois[g].key.count; i++)
			at = ring_pack(at, &m->keys.galois[g].key.ct[i].poly[0], 0);
	for (unsigned j = 0; j < ctx->query_count; j++)
		at = ring_pack(at, &m->ct[j].poly[0], 0);
	REQUIRE((size_t)(at - s->ciphertexts) == s->index->shape.query_bytes);
}

static enum veil_status fill(
	struct secret_pnns_search *s, const float *vector, const struct rng *rng, struct veil_error *err)
{
	const struct pnns_context *ctx = s->index->pnns;
	struct secret_stream stream = {0};
	struct making m = {0};
	int8_t *rounded;
	int32_t *wide;
	enum veil_status st = start(&m, s->index);
	size_t mark;

	s->ciphertexts = malloc(s->index->shape.query_bytes);
	if (!s->ciphertexts)
		st = VEIL_E_NOMEM;
	if (st == VEIL_OK)
		st = secret_stream_init(&stream, rng);
	if (st != VEIL_OK)
		goto out;
	secret_key_generate(&s->key, ctx->ring, &stream, &s->arena);
	rng_fill(rng, s->seed, sizeof s->seed);
	m.seeds = rng_seeded_init(&m.state, s->seed);
	mark = arena_mark(&s->arena);
	rounded = arena_take(&s->arena, ctx->spec.dim);
	wide = arena_take(&s->arena, ctx->spec.dim * sizeof *wide);
	memset(rounded, 0, ctx->spec.dim);
	st = vector ? secret_search_quantise(&s->index->shape, rounded, vector, err) : VEIL_OK;
	if (st != VEIL_OK)
		goto out;
	for (uint32_t j = 0; j < ctx->spec.dim; j++)
		wide[j] = rounded[j];
	secret_evalkey_generate(&m.keys, &s->key, &m.seeds, m.drbg, &stream, &s->arena);
	secret_pnns_encrypt(ctx, &s->key, m.ct, wide, &m.seeds, m.drbg, &stream, &s->arena);
	arena_release(&s->arena, mark);
	pack(s, &m);
out:
	secret_stream_clear(&stream);
	end(&m);
	return st;
}

static size_t room(const struct pnns_index *index)
{
	const struct pnns_context *ctx = index->pnns;
	const size_t keys = secret_evalkey_scratch(ctx->ring), encrypt = secret_pnns_scratch(ctx);

	return arena_room(sizeof(struct secret_pnns_search)) + secret_key_room(ctx->ring) +
	       2 * arena_room(ctx->spec.dim * sizeof(int32_t)) + arena_room(ctx->ring->n * sizeof(int64_t)) +
	       (keys > encrypt ? keys : encrypt);
}

enum veil_status secret_pnns_search_create(struct secret_pnns_search **out, const struct pnns_index *index,
	const float *vector, const struct rng *rng, struct veil_error *err)
{
	struct arena arena = {0};
	struct secret_pnns_search *s;
	enum veil_status st = arena_init_secret(&arena, room(index));

	*out = NULL;
	if (st != VEIL_OK)
		return error_set(err, st, "no memory for the secret of a query");
	s = arena_take(&arena, sizeof *s);
	*s = (struct secret_pnns_search){.arena = arena, .mark = arena_mark(&arena), .index = index};
	st = fill(s, vector, rng, err);
	if (st == VEIL_E_NOMEM)
		error_set(err, st, "no memory for a query");
	if (st != VEIL_OK) {
		secret_pnns_search_destroy(s);
		s = NULL;
	}
	*out = s;
	return st;
}

void secret_pnns_search_write(
	struct secret_pnns_search *s, uint8_t seed[RING_SEED_BYTES], uint8_t *ciphertexts)
{
	REQUIRE(s->state == CREATED);
	s->state = WRITTEN;
	memcpy(seed, s->seed, RING_SEED_BYTES);
	memcpy(ciphertexts, s->ciphertexts, s->index->shape.query_bytes);
}

/* One reply. False if a residue is none. */
static bool decode(struct secret_pnns_search *s, double *scores, const uint8_t *reply,
	struct rlwe_ciphertext *ct, int64_t *part)
{
	const struct pnns_context *ctx = s->index->pnns;
	const size_t n = ctx->ring->n, rows = s->index->shape.spec.rows;
	unsigned bad;

	for (size_t from = 0; from < rows; from += n) {
		const size_t count = rows - from < n ? rows - from : n;

		for (unsigned k = 0; k < 2; k++) {
			if (!ring_unpack(&ct->poly[k], reply, s->index->skip[k], &bad))
				return false;
			reply += s->index->reply_bytes[k];
		}
		secret_pnns_decrypt(ctx, &s->key, part, count, ct, &s->arena);
		for (size_t i = 0; i < count; i++)
			scores[from + i] = (double)part[i];
	}
	return true;
}

enum veil_status secret_pnns_search_decode(struct secret_pnns_search *s, double *scores,
	const uint8_t *const *replies, size_t count, struct veil_error *err)
{
	const struct ring *ring = s->index->pnns->ring;
	const size_t rows = s->index->shape.spec.rows, bytes = rlwe_ciphertext_bytes(ring, 2, 1);
	struct rlwe_ciphertext ct;
	struct arena public = {0};
	enum veil_status st = arena_init(&public, bytes);
	int64_t *part;

	REQUIRE(s->state == WRITTEN);
	s->state = DECODED;
	memset(scores, 0, count * rows * sizeof *scores);
	if (st != VEIL_OK) {
		error_set(err, st, "no memory to decrypt a reply");
		goto out;
	}
	rlwe_ciphertext_init(&ct, ring, 2, 1, RING_COEFFICIENT, arena_take(&public, bytes));
	part = arena_take(&s->arena, ring->n * sizeof *part);
	for (size_t r = 0; r < count && st == VEIL_OK; r++)
		if (!decode(s, scores + r * rows, replies[r], &ct, part))
			st = error_set(err, VEIL_E_MALFORMED,
				"Reply: a residue is not below its prime (parameter set %s)",
				s->index->shape.spec.params->name);
	if (st != VEIL_OK)
		memset(scores, 0, count * rows * sizeof *scores);
	ct_unpoison(scores, count * rows * sizeof *scores);
out:
	arena_clear(&public);
	arena_release(&s->arena, s->mark);
	return st;
}

void secret_pnns_search_destroy(struct secret_pnns_search *s)
{
	struct arena arena;

	if (!s)
		return;
	free(s->ciphertexts);
	arena = s->arena;
	arena_clear(&arena);
}
