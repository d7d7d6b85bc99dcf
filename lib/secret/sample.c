/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/sample.h"

#include <string.h>

#include "base/ct.h"
#include "base/require.h"

enum veil_status secret_stream_init(struct secret_stream *stream, const struct rng *rng)
{
	uint8_t key[32];

	rng_fill(rng, key, sizeof key);
	stream->ks = keystream_create_secret(key);
	wipe(key, sizeof key);
	return stream->ks ? VEIL_OK : VEIL_E_NOMEM;
}

void secret_stream_clear(struct secret_stream *stream)
{
	if (!stream)
		return;
	keystream_destroy(stream->ks);
	stream->ks = NULL;
}

static void *draw(struct secret_stream *stream, size_t size, struct arena *scratch)
{
	void *bytes;

	REQUIRE(scratch->secret);
	bytes = arena_take(scratch, size);
	keystream_read(stream->ks, bytes, size);
	ct_poison(bytes, size);
	return bytes;
}

#define PIECE 512 /* coefficients sampled at once: locked memory is dear */
#define BLOCK 32 /* coefficients of cbd21_block */
#define BLOCK_WORDS 21 /* of 64 random bits: 42 a coefficient */
#define PIECE_BYTES (PIECE / BLOCK * BLOCK_WORDS * 8)

size_t secret_sample_scratch(void)
{
	return arena_room(PIECE_BYTES);
}

/* Keeps the bytes below 255, mod 3 less 1, in order. Returns how many. */
static size_t keep_ternary(int8_t *out, const uint8_t *bytes, uint8_t *kept, size_t n)
{
	size_t filled = 0;

	for (size_t i = 0; i < n; i++)
		kept[i] = (uint8_t)((bytes[i] + 1u) >> 8 ^ 1);
	ct_unpoison(kept, n);
	for (size_t i = 0; i < n; i++) {
		unsigned third = bytes[i] * 171u >> 9; /* floor(x / 3) below 256 */

		out[filled] = (int8_t)(bytes[i] - 3 * third - 1);
		filled += kept[i];
	}
	return filled;
}

void secret_sample_ternary(int8_t *out, size_t n, struct secret_stream *stream, struct arena *scratch)
{
	for (size_t filled = 0; filled < n;) {
		size_t mark = arena_mark(scratch), want = n - filled < PIECE ? n - filled : PIECE;
		const uint8_t *bytes = draw(stream, want, scratch);

		filled += keep_ternary(out + filled, bytes, arena_take(scratch, want), want);
		arena_release(scratch, mark);
	}
}

/* 32 byte lanes, on whatever vectors the machine has. */
typedef uint64_t lanes __attribute__((vector_size(BLOCK)));

#define EVERY_BYTE(x) ((uint64_t)(x)*0x0101010101010101u)

/* x becomes the number of ones of each of its nibbles. */
static inline void count_nibbles(lanes *x)
{
	lanes pairs = *x - (*x >> 1 & EVERY_BYTE(0x55));

	*x = (pairs & EVERY_BYTE(0x33)) + (pairs >> 2 & EVERY_BYTE(0x33));
}

/* A coefficient is a byte lane: the ones in five bytes and in two bits of a sixth. The number of ones in 42
 * fair bits, less 21, has the distribution of the ones in 21 less the ones in 21 others. */
static inline void cbd21_block(int8_t out[BLOCK], const uint64_t random[BLOCK_WORDS])
{
	const uint64_t last = random[20], pairs = last - (last >> 1 & EVERY_BYTE(0x55));
	lanes x[5], low, high, sum = {pairs, pairs >> 2, pairs >> 4, pairs >> 6};

	memcpy(x, random, sizeof x);
	for (int i = 0; i < 5; i++)
		count_nibbles(&x[i]);
	low = x[0] + x[1] + x[2]; /* at most 12 in a nibble */
	high = x[3] + x[4];
	sum = (sum & EVERY_BYTE(0x03)) + (low & EVERY_BYTE(0x0f)) + (low >> 4 & EVERY_BYTE(0x0f)) +
	      (high & EVERY_BYTE(0x0f)) + (high >> 4 & EVERY_BYTE(0x0f));
	/* less 21 in each lane, without a borrow between lanes: sum <= 42 */
	sum = (sum + EVERY_BYTE(128 - 21)) ^ EVERY_BYTE(128);
	memcpy(out, &sum, sizeof sum);
}

void secret_sample_cbd21(int8_t *out, size_t n, struct secret_stream *stream, struct arena *scratch)
{
	REQUIRE(n % BLOCK == 0);
	for (size_t end = 0, at = 0; at < n;) {
		size_t mark = arena_mark(scratch);
		const uint64_t *random;

		end += n - at < PIECE ? n - at : PIECE;
		random = draw(stream, (end - at) / BLOCK * BLOCK_WORDS * sizeof *random, scratch);
		for (; at < end; at += BLOCK, random += BLOCK_WORDS)
			cbd21_block(out + at, random);
		arena_release(scratch, mark);
	}
}
