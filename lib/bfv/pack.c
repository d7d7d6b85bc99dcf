/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/pack.h"

#include <string.h>

#include "base/require.h"
#include "bfv/eval.h"
#include "ring/prime.h"

size_t bfv_pack_scratch(const struct bfv_context *ctx, unsigned level)
{
	return bfv_rotate_scratch(ctx, level) + 2 * rlwe_ciphertext_bytes(ctx->ring, 2, level);
}

static struct rlwe_ciphertext take(const struct rlwe_ciphertext *like, struct arena *scratch)
{
	const struct ring *ring = like->poly[0].ring;
	const unsigned level = rlwe_ciphertext_level(like);
	struct rlwe_ciphertext ct;

	REQUIRE(like->count == 2 && rlwe_ciphertext_format(like) == RING_COEFFICIENT);
	rlwe_ciphertext_init(&ct, ring, 2, level, RING_COEFFICIENT,
		arena_take(scratch, rlwe_ciphertext_bytes(ring, 2, level)));
	return ct;
}

static const struct rlwe_galois_key *key_of(const struct rlwe_evalkey *keys, uint32_t element)
{
	const struct rlwe_galois_key *key = rlwe_evalkey_find(keys, element);

	REQUIRE(key);
	return key;
}

/* --- expansion */

void bfv_expand_elements(uint32_t *elements, const struct bfv_context *ctx, unsigned log_count)
{
	for (unsigned j = 0; j < log_count; j++)
		elements[j] = (uint32_t)(ctx->ring->n >> j) + 1;
}

/* X -> X^(N / 2^j + 1) takes X^(2^j m) to itself times (-1)^m: the sum with the image keeps even m, the
 * difference odd ones. */
void bfv_expand(const struct bfv_context *ctx, struct rlwe_ciphertext *out, const struct rlwe_ciphertext *ct,
	unsigned log_count, const struct rlwe_evalkey *keys, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	struct rlwe_ciphertext image = take(ct, scratch), rest = take(ct, scratch);

	REQUIRE(log_count <= ctx->ring->log_n);
	rlwe_ciphertext_copy(&out[0], ct);
	for (unsigned j = 0; j < log_count; j++) {
		const size_t half = (size_t)1 << j;
		const struct rlwe_galois_key *key = key_of(keys, (uint32_t)(ctx->ring->n >> j) + 1);

		for (size_t i = 0; i < half; i++) {
			bfv_apply_galois(ctx, &image, &out[i], key, scratch);
			bfv_sub(&rest, &out[i], &image);
			bfv_shift(&out[i + half], &rest, -(int)half);
			bfv_add(&out[i], &out[i], &image);
		}
	}
	arena_release(scratch, mark);
}

/* --- packing */

void bfv_extract(struct rlwe_ciphertext *dst, const struct rlwe_ciphertext *a, size_t k)
{
	REQUIRE(a->count == 2 && k < a->poly[0].ring->n);
	bfv_shift(dst, a, -(int)k);
	for (unsigned i = 0; i < rlwe_ciphertext_level(dst); i++) {
		const struct ring_prime *r = &dst->poly[0].ring->primes[i];

		memset((uint8_t *)ring_poly_row(&dst->poly[0], i) + r->p.width, 0,
			ring_prime_bytes(r) - r->p.width);
	}
}

void bfv_pack_elements(uint32_t *elements, const struct bfv_context *ctx)
{
	for (unsigned j = 1; j <= ctx->ring->log_n; j++)
		elements[j - 1] = ((uint32_t)1 << j) + 1;
}

/* ct = ct / N modulo each prime. */
static void divide_by_degree(struct rlwe_ciphertext *ct)
{
	for (unsigned k = 0; k < ct->count; k++) {
		for (unsigned i = 0; i < rlwe_ciphertext_level(ct); i++) {
			const struct ring_prime *r = &ct->poly[k].ring->primes[i];
			void *row = ring_poly_row(&ct->poly[k], i);

			r->k.affine(row, row, r->n, prime_inverse(r->n % r->p.q, r->p.q), 0, &r->p, &r->p);
		}
	}
}

/* With x = X^(N / 2^j): X -> X^(2^j + 1) leaves powers of x^2 as they are and negates odd powers of x. So
 * (even + x odd) + image of (even - x odd) has twice the powers of x^2 of `even` and x times those of `odd`;
 * with nothing odd, it forgets what even has beside powers of x. */
static void merge(const struct bfv_context *ctx, struct rlwe_ciphertext *even,
	const struct rlwe_ciphertext *odd, unsigned j, const struct rlwe_evalkey *keys, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const struct rlwe_galois_key *key = key_of(keys, ((uint32_t)1 << j) + 1);
	struct rlwe_ciphertext moved = take(even, scratch), image = take(even, scratch);

	if (odd) {
		bfv_shift(&moved, odd, (int)(ctx->ring->n >> j));
		bfv_sub(&image, even, &moved);
		bfv_add(even, even, &moved);
		bfv_apply_galois(ctx, &image, &image, key, scratch);
	} else {
		bfv_apply_galois(ctx, &image, even, key, scratch);
	}
	bfv_add(even, even, &image);
	arena_release(scratch, mark);
}

void bfv_pack(const struct bfv_context *ctx, struct rlwe_ciphertext *ct, unsigned log_count,
	const struct rlwe_evalkey *keys, struct arena *scratch)
{
	REQUIRE(log_count <= ctx->ring->log_n);
	for (size_t i = 0; i < (size_t)1 << log_count; i++)
		divide_by_degree(&ct[i]);
	for (unsigned j = 1; j <= ctx->ring->log_n; j++) {
		const size_t half = j <= log_count ? (size_t)1 << (log_count - j) : 1;

		for (size_t i = 0; i < half; i++)
			merge(ctx, &ct[i], j <= log_count ? &ct[i + half] : NULL, j, keys, scratch);
	}
}
