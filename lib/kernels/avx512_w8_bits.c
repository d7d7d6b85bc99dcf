/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>

#include "base/u128.h"
#include "kernels/avx512_w8.h"

/* Eight values of b bits are b bytes: a group never shares a byte with the next. As the stream is big-endian,
 * its words (of 16 bits to unpack, of 64 to pack) are turned round. */

/* A mask of the bytes of n <= 8 values. */
INLINE __mmask64 value_bytes(size_t n, unsigned bits)
{
	return ((__mmask64)1 << (n * bits + 7) / 8) - 1; /* 62 bytes at most */
}

/* A value begins in a word of 16 bits and may end in the fourth after it: four words are turned into 64 bits,
 * and what the value lacks comes from the fifth. */
static bool unpack(
	void *dst, const uint8_t *src, size_t n, unsigned bits, unsigned shift, const struct kernels_prime *p)
{
	const __m512i turn = _mm512_set4_epi32(0x0e0f0c0d, 0x0a0b0809, 0x06070405, 0x02030001);
	const __m512i at = _mm512_mullo_epi64(
		_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64((long long)bits));
	const __m512i word =
		_mm512_mullo_epi64(_mm512_srli_epi64(at, 4), _mm512_set1_epi64(0x0001000100010001));
	const __m512i four = _mm512_add_epi64(word, _mm512_set1_epi64(0x0000000100020003));
	const __m512i fifth = _mm512_add_epi64(word, _mm512_set1_epi64(4));
	const __m512i left = _mm512_and_si512(at, _mm512_set1_epi64(15));
	const __m512i right = _mm512_sub_epi64(_mm512_set1_epi64(16), left);
	const __m512i one_word = _mm512_set1_epi64(UINT16_MAX);
	const __m128i drop = _mm_cvtsi32_si128(64 - (int)bits), up = _mm_cvtsi32_si128((int)shift);
	__m512i largest = _mm512_setzero_si512();
	uint64_t *z = dst;

	for (size_t i = 0; i < n; i += WORDS, src += bits) {
		const size_t count = n - i < WORDS ? n - i : WORDS;
		const __m512i words =
			_mm512_shuffle_epi8(_mm512_maskz_loadu_epi8(value_bytes(count, bits), src), turn);
		__m512i high = _mm512_sllv_epi64(_mm512_permutexvar_epi16(four, words), left);
		__m512i low = _mm512_and_si512(_mm512_permutexvar_epi16(fifth, words), one_word);
		__m512i x = _mm512_or_si512(high, _mm512_srlv_epi64(low, right));

		x = _mm512_sll_epi64(_mm512_srl_epi64(x, drop), up);
		x = _mm512_maskz_mov_epi64(first_words(count), x);
		largest = _mm512_max_epu64(largest, x);
		store_words(z + i, count, x);
	}
	return _mm512_cmpge_epu64_mask(largest, _mm512_set1_epi64((long long)p->q)) == 0;
}

/* Where the words of a packed group come from: word j has parts of the values index[c][j], moved left or
 * right; a part that is not there is moved by 64, which leaves nothing. */
struct parts {
	alignas(64) uint64_t index[WORDS][WORDS], left[WORDS][WORDS], right[WORDS][WORDS];
	unsigned count;
};

static void find_parts(struct parts *parts, unsigned bits)
{
	parts->count = (bits + 62) / bits + 1; /* a word begins inside a value: bits - 1 of it before */
	if (parts->count > WORDS)
		parts->count = WORDS;
	for (unsigned j = 0; j < WORDS; j++) {
		const unsigned first = 64 * j / bits;

		for (unsigned c = 0; c < parts->count; c++) {
			const unsigned value = first + c;
			/* how far the value's last bit is from the word's */
			const int distance = (int)(64 * (j + 1)) - (int)((value + 1) * bits);
			const bool here = value < WORDS && distance > -64 && distance < 64;

			parts->index[c][j] = value % WORDS;
			parts->left[c][j] = here && distance >= 0 ? (uint64_t)distance : 64;
			parts->right[c][j] = here && distance < 0 ? (uint64_t)-distance : 64;
		}
	}
}

static void pack(uint8_t *dst, const void *src, size_t n, unsigned bits)
{
	const __m512i turn = _mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607);
	const size_t size = (n * bits + 7) / 8;
	const uint64_t *from = src;
	struct parts parts;

	find_parts(&parts, bits);
	for (size_t i = 0, at = 0; i < n; i += WORDS, at += bits) {
		const __m512i x = load_words(from + i, n - i);
		__m512i word = _mm512_setzero_si512();

		for (unsigned c = 0; c < parts.count; c++) {
			const __m512i value = _mm512_permutexvar_epi64(_mm512_load_si512(parts.index[c]), x);

			word = _mm512_or_si512(
				word, _mm512_sllv_epi64(value, _mm512_load_si512(parts.left[c])));
			word = _mm512_or_si512(
				word, _mm512_srlv_epi64(value, _mm512_load_si512(parts.right[c])));
		}
		word = _mm512_shuffle_epi8(word, turn);
		/* what a whole vector writes too much, the next groups overwrite */
		if (size - at >= 64)
			_mm512_storeu_si512(dst + at, word);
		else
			_mm512_mask_storeu_epi8(
				dst + at, value_bytes(n - i < WORDS ? n - i : WORDS, bits), word);
	}
}

/* floor((a 2^bits + half) / q) with half = (q-1)/2: a scale / 2^63, with scale rounded down, is a / 2^63 <
 * 1/2 below a 2^bits / q at most, its floor 3/2; with half, what is left is below 2q. */
static void round_to_bits(void *dst, const void *a, size_t n, unsigned bits, const struct kernels_prime *p)
{
	const __m512i scale = _mm512_set1_epi64((long long)(uint64_t)(((uint128)1 << (bits + 63)) / p->q));
	const __m512i q = _mm512_set1_epi64((long long)p->q);
	const __m512i half = _mm512_srli_epi64(q, 1), one = _mm512_set1_epi64(1);
	const __m512i below = _mm512_set1_epi64((long long)(((uint64_t)1 << bits) - 1));
	const __m128i up = _mm_cvtsi32_si128((int)bits);
	const uint64_t *from = a;
	uint64_t *z = dst;

	for (size_t i = 0; i < n; i += WORDS) {
		const __m512i x = load_words(from + i, n - i);
		__m512i quotient = mul_high(_mm512_add_epi64(x, x), scale);
		__m512i rest = _mm512_add_epi64(_mm512_sll_epi64(x, up), half);

		rest = _mm512_sub_epi64(rest, _mm512_mullo_epi64(quotient, q));
		quotient = _mm512_mask_add_epi64(quotient, _mm512_cmpge_epu64_mask(rest, q), quotient, one);
		store_words(z + i, n - i, _mm512_and_si512(quotient, below));
	}
}

static void uniform(void *dst, size_t n, size_t *filled, const uint8_t *bytes, size_t words,
	const struct kernels_prime *p)
{
	const __m512i q = _mm512_set1_epi64((long long)p->q);
	const __m512i below = _mm512_set1_epi64((long long)(((uint64_t)1 << p->bits) - 1));
	size_t count = *filled;
	uint64_t *z = dst;

	for (size_t i = 0; i < words && count < n; i += WORDS, bytes += 8 * WORDS) {
		const __mmask8 mask = first_words(words - i);
		const __m512i x = _mm512_and_si512(_mm512_maskz_loadu_epi64(mask, bytes), below);
		const __mmask8 good = mask & (__mmask8)~_mm512_cmpge_epu64_mask(x, q);
		const size_t more = (size_t)__builtin_popcount(good), room = n - count;
		const __m512i kept = _mm512_maskz_compress_epi64(good, x);

		/* a whole vector where there is room: what is too much of it comes next */
		store_words(z + count, room >= WORDS || more > room ? room : more, kept);
		count += more < room ? more : room;
	}
	*filled = count;
}

void avx512_w8_bits_select(struct kernels *k)
{
	k->unpack = unpack;
	k->pack = pack;
	k->round = round_to_bits;
	k->uniform = uniform;
}
