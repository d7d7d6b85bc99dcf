/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/pnns.h"

#include <string.h>

#include "base/ct.h"
#include "base/require.h"
#include "bfv/encode.h"
#include "ring/prime.h"
#include "secret/bfv.h"

size_t secret_pnns_scratch(const struct pnns_context *ctx)
{
	size_t room = 0;

	for (unsigned m = 0; m < ctx->spec.moduli; m++) {
		const size_t one = secret_bfv_scratch(ctx->bfv[m]) +
				   (PNNS_MAX_MODULI + 2) * arena_room(ctx->ring->n * sizeof(uint64_t));

		room = one > room ? one : room;
	}
	return room;
}

/* x mod t, in constant time: x < 2^31 in size, and k t with k = floor(x / t) by a product with 2^32 / t is
 * off by at most one t. */
static uint64_t residue(int32_t x, uint64_t t)
{
	const uint64_t negative = 0 - (uint64_t)(x < 0);
	const uint64_t size = ((uint64_t)(int64_t)x ^ negative) - negative;
	uint64_t rest = size - (size * (((uint64_t)1 << 32) / t) >> 32) * t;

	rest -= t & ~ct_mask_less(rest, t);
	/* t - rest where negative, but 0 of 0 */
	return (rest ^ (negative & (rest ^ (t - rest)))) & ~ct_mask_less(rest, 1);
}

void secret_pnns_encrypt(const struct pnns_context *ctx, const struct secret_key *key,
	struct rlwe_ciphertext *query, const int32_t *vector, const struct rng *rng, struct drbg *drbg,
	struct secret_stream *stream, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), n = ctx->ring->n;
	uint64_t *padded = arena_take(scratch, n * sizeof *padded);
	uint64_t *values = arena_take(scratch, n * sizeof *values);

	REQUIRE(scratch->secret);
	for (unsigned m = 0; m < ctx->spec.moduli; m++) {
		const struct bfv_context *bfv = ctx->bfv[m];
		const size_t inner = arena_mark(scratch);
		void *plaintext = arena_take(scratch, bfv_plaintext_bytes(bfv));

		for (size_t i = 0; i < ctx->period; i++)
			padded[i] = i < ctx->spec.dim ? residue(vector[i], bfv->t.q) : 0;
		for (unsigned j = 0; j < ctx->query_count; j++) {
			for (size_t i = 0; i < n; i++)
				values[i] = padded[(i + j) & (ctx->period - 1)];
			REQUIRE(bfv_encode(bfv, plaintext, values, n, BFV_SIMD, NULL) == VEIL_OK);
			secret_bfv_encrypt(bfv, key, &query[m * ctx->query_count + j], plaintext, rng, drbg,
				stream, scratch);
		}
		arena_release(scratch, inner);
	}
	arena_release(scratch, mark);
}

/* Slots as the transform has them, of modulus m: digit m of the scores for the mixed radix of the moduli
 * (Garner), from those of the moduli before it. */
static void open_digit(const struct pnns_context *ctx, unsigned m, void *const *digits)
{
	const struct ring_prime *t = ctx->bfv[m]->plain_ring->primes;

	t->k.ntt_forward(digits[m], t->table);
	for (unsigned i = 0; i < m; i++) {
		const struct kernels_prime *from = &ctx->bfv[i]->t;

		t->k.sub_mul(digits[m], digits[m], digits[i], t->n, prime_inverse(from->q % t->p.q, t->p.q),
			from->q, &t->p, from);
	}
}

void secret_pnns_decrypt(const struct pnns_context *ctx, const struct secret_key *key, int64_t *scores,
	size_t count, const struct rlwe_ciphertext *replies, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	void *digits[PNNS_MAX_MODULI];

	REQUIRE(scratch->secret && count <= ctx->ring->n);
	for (unsigned m = 0; m < ctx->spec.moduli; m++) {
		digits[m] = arena_take(scratch, bfv_plaintext_bytes(ctx->bfv[m]));
		secret_bfv_decrypt(ctx->bfv[m], key, digits[m], &replies[m], scratch);
		open_digit(ctx, m, digits);
	}
	for (size_t c = 0; c < count; c++) {
		uint64_t score = 0, radix = 1;

		for (unsigned m = 0; m < ctx->spec.moduli; m++) {
			const struct bfv_context *bfv = ctx->bfv[m];

			score += radix * ring_get(bfv->plain_ring->primes, digits[m], bfv->slots[c]);
			radix *= bfv->t.q;
		}
		score -= ctx->t & ct_mask_less(ctx->t / 2, score);
		scores[c] = (int64_t)score;
	}
	arena_release(scratch, mark);
}
