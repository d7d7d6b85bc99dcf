/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/packed.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

/* CoefficientPackingTests of apple/swift-homomorphic-encryption: 14, 10 or 256 values of `bits` bits whose
 * low `skip` bits are left out. */
static const uint8_t fourteen[] = {0, 3, 1, 8, 5, 15, 8, 13, 11, 3, 2, 2, 7, 1},
		     ten[] = {19, 16, 21, 4, 0, 1, 15, 3, 10, 3};
static const struct {
	const uint8_t *values; /* NULL: 0 to 255 */
	size_t count;
	unsigned bits, skip;
	uint8_t bytes[10];
	size_t size;
} known[] = {
	{fourteen, 14, 4, 0, {3, 24, 95, 141, 179, 34, 113}, 7},
	{fourteen, 14, 4, 1, {4, 69, 230, 164, 150, 0}, 6},
	{fourteen, 14, 4, 2, {2, 123, 128, 64}, 4},
	{fourteen, 14, 4, 3, {23, 128}, 2},
	{fourteen, 14, 5, 0, {0, 194, 130, 189, 13, 88, 196, 35, 132}, 9},
	{ten, 10, 5, 1, {152, 162, 0, 113, 81}, 5},
	{ten, 10, 5, 2, {146, 144, 24, 64}, 4},
	{NULL, 256, 8, 0, {0}, 256},
};

static void check_known(size_t t, uint64_t q, unsigned features)
{
	struct ring_prime r = {.n = known[t].count};
	_Alignas(64) uint64_t words[256], back[256];
	uint8_t bytes[256 + 32];
	const unsigned width = known[t].bits - known[t].skip;

	kernels_prime_init(&r.p, q);
	kernels_select(&r.k, features, r.p.bits, 3);
	for (size_t i = 0; i < known[t].count; i++)
		ring_set(&r, words, i, (known[t].values ? known[t].values[i] : i) >> known[t].skip);
	memset(bytes, 0xa5, sizeof bytes);
	r.k.pack(bytes, words, known[t].count, width);
	for (size_t i = 0; i < known[t].size; i++)
		cr_assert_eq(bytes[i], known[t].values ? known[t].bytes[i] : i, "case %zu, byte %zu", t, i);
	cr_assert_eq(bytes[known[t].size], 0xa5);
	cr_assert(r.k.unpack(back, bytes, known[t].count, width, known[t].skip, &r.p));
	for (size_t i = 0; i < known[t].count; i++)
		cr_assert_eq(ring_get(&r, back, i), ring_get(&r, words, i) << known[t].skip);
}

Test(packed, odd_widths_and_skipped_bits_are_those_of_apple)
{
	static const unsigned features[] = {0, CPU_AVX2, ~0u};
	static const uint64_t moduli[] = {268369921, 1152921504606830593};

	for (size_t t = 0; t < sizeof known / sizeof *known; t++)
		for (size_t f = 0; f < 3; f++)
			for (size_t m = 0; m < 2; m++)
				check_known(t, moduli[m], features[f] & cpu_features());
}

/* The definition in packed.h, bit by bit. */
static size_t straightforward(uint8_t *out, const struct ring_poly *a, unsigned skip)
{
	size_t at = 0;

	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];
		unsigned bits = 64 - (unsigned)__builtin_clzll(r->p.q);

		for (size_t j = 0; j < r->n; j++)
			for (unsigned b = bits; b-- > skip; at++)
				out[at / 8] |= (ring_get(r, ring_poly_row(a, i), j) >> b & 1) << (7 - at % 8);
		cr_assert_eq(at % 8, 0);
	}
	return at / 8;
}

Test(packed, polynomials_come_back_and_residues_not_below_their_prime_do_not)
{
	static const uint64_t moduli[] = {131249, 134176769, 274877820929, 1152921504606830593};
	struct rng rng = test_rng();
	struct arena arena;

	cr_assert_eq(arena_init(&arena, 1 << 20), VEIL_OK);
	for (unsigned log_n = 3; log_n <= 11; log_n += 4) {
		struct ring *ring;
		struct veil_error err;

		/* 131249 has no transform of more than 16 */
		cr_assert_eq(ring_create(&ring, log_n, moduli + (log_n > 3), log_n > 3 ? 3 : 4,
				     cpu_features(), &err),
			VEIL_OK, "%s", err.text);
		for (unsigned skip = 0; skip < 18; skip++) {
			const unsigned level = 1 + (unsigned)test_below(&rng, ring->count);
			const size_t size = ring_packed_bytes(ring, level, skip);
			uint8_t *bytes = malloc(size), *want = calloc(1, size);
			struct ring_poly a, b;
			unsigned bad = 99;

			ring_poly_init(&a, ring, level, RING_COEFFICIENT,
				arena_take(&arena, ring_poly_bytes(ring, level)));
			ring_poly_init(&b, ring, level, RING_COEFFICIENT,
				arena_take(&arena, ring_poly_bytes(ring, level)));
			for (unsigned i = 0; i < level; i++)
				for (size_t j = 0; j < ring->n; j++)
					ring_set(&ring->primes[i], ring_poly_row(&a, i), j,
						test_residue(&rng, ring->primes[i].p.q));
			cr_assert_eq(ring_pack(bytes, &a, skip), bytes + size);
			cr_assert_eq(straightforward(want, &a, skip), size);
			cr_assert(memcmp(bytes, want, size) == 0, "skip %u", skip);
			cr_assert(ring_unpack(&b, bytes, skip, &bad));
			for (unsigned i = 0; i < level; i++)
				for (size_t j = 0; j < ring->n; j++)
					cr_assert_eq(ring_get(&ring->primes[i], ring_poly_row(&b, i), j),
						ring_get(&ring->primes[i], ring_poly_row(&a, i), j) >>
							skip << skip);
			/* the last residue of the last row becomes ones */
			for (size_t i = size - (ring->primes[level - 1].p.bits - skip + 7) / 8; i < size; i++)
				bytes[i] = 0xff;
			if (skip < 4) {
				cr_assert(!ring_unpack(&b, bytes, skip, &bad));
				cr_assert_eq(bad, level - 1);
			}
			free(bytes);
			free(want);
			arena_reset(&arena);
		}
		ring_destroy(ring);
	}
	arena_clear(&arena);
}
