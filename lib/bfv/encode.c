/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/encode.h"

#include <inttypes.h>
#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"

static void put(const struct bfv_context *ctx, void *plaintext, size_t i, uint64_t value)
{
	if (ctx->t.width == 4)
		((uint32_t *)plaintext)[i] = (uint32_t)value;
	else
		((uint64_t *)plaintext)[i] = value;
}

static uint64_t get(const struct bfv_context *ctx, const void *plaintext, size_t i)
{
	return ctx->t.width == 4 ? ((const uint32_t *)plaintext)[i] : ((const uint64_t *)plaintext)[i];
}

/* Where value i goes. */
static size_t place(const struct bfv_context *ctx, enum bfv_encoding encoding, size_t i)
{
	return encoding == BFV_SIMD ? ctx->slots[i] : i;
}

/* The values, whose least is -offset, as residues in their places. Returns `count`, or the first that is not
 * in [-offset, t - offset). */
static size_t encode(const struct bfv_context *ctx, void *plaintext, const uint64_t *values, size_t count,
	uint64_t offset, enum bfv_encoding encoding)
{
	const uint64_t t = ctx->t.q;
	uint64_t refused = 0;
	size_t i = 0;

	REQUIRE(count <= ctx->ring->n && (encoding == BFV_COEFFICIENT || ctx->slots));
	memset(plaintext, 0, bfv_plaintext_bytes(ctx));
	for (; i < count; i++) {
		const uint64_t from_least = values[i] + offset;

		refused |= from_least >> 62 | ~ct_mask_less(from_least & ~((uint64_t)3 << 62), t);
		put(ctx, plaintext, place(ctx, encoding, i), values[i] + (t & (0 - (values[i] >> 63))));
	}
	ct_unpoison(&refused, sizeof refused);
	if (refused) {
		memset(plaintext, 0, bfv_plaintext_bytes(ctx));
		for (i = 0; values[i] + offset < t;)
			i++;
		return i;
	}
	if (encoding == BFV_SIMD)
		ctx->plain_ring->primes->k.ntt_inverse(
			plaintext, ctx->plain_ring->primes->table, KERNELS_PLAIN);
	return count;
}

enum veil_status bfv_encode(const struct bfv_context *ctx, void *plaintext, const uint64_t *values,
	size_t count, enum bfv_encoding encoding, struct veil_error *err)
{
	const size_t done = encode(ctx, plaintext, values, count, 0, encoding);

	if (done < count)
		return error_set(err, VEIL_E_INVALID, "value %zu, %" PRIu64 ", is not below t = %" PRIu64,
			done, values[done], ctx->t.q);
	return VEIL_OK;
}

enum veil_status bfv_encode_signed(const struct bfv_context *ctx, void *plaintext, const int64_t *values,
	size_t count, enum bfv_encoding encoding, struct veil_error *err)
{
	const uint64_t half = ctx->t.q / 2;
	const size_t done = encode(ctx, plaintext, (const uint64_t *)values, count, half, encoding);

	if (done < count)
		return error_set(err, VEIL_E_INVALID,
			"value %zu, %" PRId64 ", is not in -%" PRIu64 "..%" PRIu64, done, values[done], half,
			half);
	return VEIL_OK;
}

/* The coefficients or slots, in the order of places. */
static const void *open(const struct bfv_context *ctx, const void *plaintext, enum bfv_encoding encoding,
	struct arena *scratch)
{
	void *values;

	if (encoding == BFV_COEFFICIENT)
		return plaintext;
	REQUIRE(ctx->slots);
	values = arena_take(scratch, bfv_plaintext_bytes(ctx));
	memcpy(values, plaintext, bfv_plaintext_bytes(ctx));
	ctx->plain_ring->primes->k.ntt_forward(values, ctx->plain_ring->primes->table);
	return values;
}

void bfv_decode(const struct bfv_context *ctx, uint64_t *values, size_t count, const void *plaintext,
	enum bfv_encoding encoding, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const void *opened = open(ctx, plaintext, encoding, scratch);

	REQUIRE(count <= ctx->ring->n);
	for (size_t i = 0; i < count; i++)
		values[i] = get(ctx, opened, place(ctx, encoding, i));
	arena_release(scratch, mark);
}

void bfv_decode_signed(const struct bfv_context *ctx, int64_t *values, size_t count, const void *plaintext,
	enum bfv_encoding encoding, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const void *opened = open(ctx, plaintext, encoding, scratch);
	const uint64_t t = ctx->t.q;

	REQUIRE(count <= ctx->ring->n);
	for (size_t i = 0; i < count; i++) {
		const uint64_t value = get(ctx, opened, place(ctx, encoding, i));

		values[i] = (int64_t)(value - (t & ~ct_mask_less(value, (t + 1) / 2)));
	}
	arena_release(scratch, mark);
}

/* value + (t-1)/2 mod t, less (t-1)/2 */
void bfv_lift(
	const struct bfv_context *ctx, struct ring_poly *out, const void *plaintext, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	void *moved = arena_take(scratch, bfv_plaintext_bytes(ctx));

	REQUIRE(out->ring == ctx->ring);
	ctx->t_kernels.affine(moved, plaintext, ctx->ring->n, 1, ctx->t.q / 2, &ctx->t, &ctx->t);
	for (unsigned i = 0; i < out->level; i++) {
		const struct ring_prime *r = &ctx->ring->primes[i];

		r->k.affine(ring_poly_row(out, i), moved, r->n, 1, r->p.q - ctx->t.q / 2, &r->p, &ctx->t);
	}
	out->format = RING_COEFFICIENT;
	ring_poly_transform(out, RING_EVALUATION);
	arena_release(scratch, mark);
}
