/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/ring.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/arena.h"
#include "ring/prime.h"
#include "support/test.h"

static const uint64_t moduli[] = {12289, 268369921, 274877820929, 1152921504606830593};
#define MODULI (sizeof moduli / sizeof *moduli)

static struct ring *make(unsigned log_n, uint64_t q)
{
	struct ring *ring;
	struct veil_error err;

	cr_assert_eq(ring_create(&ring, log_n, &q, 1, cpu_features(), &err), VEIL_OK, "%s", err.text);
	return ring;
}

static void *poly(struct arena *arena, const struct ring_prime *r)
{
	return memset(arena_take(arena, ring_prime_bytes(r)), 0, ring_prime_bytes(r));
}

static void *random_poly(struct arena *arena, const struct ring_prime *r, const struct rng *rng)
{
	void *p = poly(arena, r);

	for (size_t i = 0; i < r->n; i++)
		ring_set(r, p, i, test_residue(rng, r->p.q));
	return p;
}

static struct arena make_arena(void)
{
	struct arena arena;

	cr_assert_eq(arena_init(&arena, 1 << 20), VEIL_OK);
	return arena;
}

static size_t reverse(size_t i, unsigned bits)
{
	size_t r = 0;

	for (unsigned b = 0; b < bits; b++)
		r |= (i >> b & 1) << (bits - 1 - b);
	return r;
}

/* f(x) by Horner's rule */
static uint64_t evaluate(const struct ring_prime *r, const void *f, uint64_t x)
{
	uint64_t y = 0;

	for (size_t i = r->n; i--;)
		y = (prime_mul(y, x, r->p.q) + ring_get(r, f, i)) % r->p.q;
	return y;
}

Test(ring, the_transform_evaluates_at_odd_powers_of_the_root_in_bit_reversed_order)
{
	struct arena arena = make_arena();
	struct rng rng = test_rng();

	for (size_t m = 0; m < MODULI; m++) {
		for (unsigned log_n = 1; log_n <= 11; log_n++) {
			struct ring *ring = make(log_n, moduli[m]);
			const struct ring_prime *r = ring->primes;
			void *f = random_poly(&arena, r, &rng), *values = poly(&arena, r);

			memcpy(values, f, ring_prime_bytes(r));
			r->k.ntt_forward(values, r->table);
			for (size_t j = 0; j < 64; j++) {
				size_t i = j < r->n ? j : test_below(&rng, r->n);
				uint64_t x = prime_pow(r->root, 2 * reverse(i, log_n) + 1, r->p.q);

				cr_assert_eq(ring_get(r, values, i), evaluate(r, f, x));
			}
			ring_destroy(ring);
			arena_reset(&arena);
		}
	}
	arena_clear(&arena);
}

/* NttTests of apple/swift-homomorphic-encryption: values of the minimum root, in bit-reversed order. */
static const struct {
	unsigned log_n;
	uint64_t q, coefficients[32], values[32];
} apple[] = {
	{1, 97, {1, 2}, {45, 54}},
	{1, 113, {3, 4}, {63, 56}},
	{2, 97, {1, 2, 3, 4}, {30, 7, 64, 0}},
	{2, 113, {5, 6, 7, 8}, {108, 31, 103, 4}},
	{3, 4194353, {1, 2, 3, 4, 5, 6, 7, 8},
		{3372683, 765982, 387853, 2657954, 2013665, 1280882, 2457874, 3840527}},
	{4, 536870849,
		{477051601, 421524611, 456257859, 247136825, 128775020, 76785070, 49764016, 525812772,
			325605371, 88935943, 255470762, 39507048, 404978219, 379383003, 244420585, 346826612},
		{230846094, 480599401, 157364576, 360442736, 531052463, 294311347, 432899854, 219721533,
			286807067, 260650843, 362842688, 315862017, 493042020, 520739674, 167758416,
			370401491}},
	{5, 769,
		{401, 203, 221, 352, 487, 151, 405, 356, 343, 424, 635, 757, 457, 280, 624, 353, 496, 353,
			624, 280, 457, 757, 635, 424, 343, 356, 405, 151, 487, 352, 221, 203},
		{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
			26, 27, 28, 29, 30, 31, 32}},
};

Test(ring, transforms_are_the_published_ones)
{
	struct arena arena = make_arena();

	for (size_t t = 0; t < sizeof apple / sizeof *apple; t++) {
		struct ring *ring = make(apple[t].log_n, apple[t].q);
		const struct ring_prime *r = ring->primes;
		void *a = poly(&arena, r);

		for (size_t i = 0; i < r->n; i++)
			ring_set(r, a, i, apple[t].coefficients[i]);
		r->k.ntt_forward(a, r->table);
		for (size_t i = 0; i < r->n; i++)
			cr_assert_eq(ring_get(r, a, i), apple[t].values[i], "q = %lu", apple[t].q);
		r->k.ntt_inverse(a, r->table, KERNELS_PLAIN);
		for (size_t i = 0; i < r->n; i++)
			cr_assert_eq(ring_get(r, a, i), apple[t].coefficients[i], "q = %lu", apple[t].q);
		ring_destroy(ring);
	}
	arena_clear(&arena);
}

/* c = a b mod X^N + 1 */
static void multiply(const struct ring_prime *r, void *c, const void *a, const void *b)
{
	uint64_t q = r->p.q;

	for (size_t i = 0; i < r->n; i++) {
		for (size_t j = 0; j < r->n; j++) {
			uint64_t x = prime_mul(ring_get(r, a, i), ring_get(r, b, j), q);
			size_t k = (i + j) % r->n;

			ring_set(r, c, k, (ring_get(r, c, k) + (i + j < r->n ? x : q - x)) % q);
		}
	}
}

Test(ring, products_of_transforms_are_transforms_of_negacyclic_products)
{
	struct arena arena = make_arena();
	struct rng rng = test_rng();

	for (size_t m = 0; m < MODULI; m++) {
		for (unsigned log_n = 1; log_n <= 9; log_n++) {
			struct ring *ring = make(log_n, moduli[m]);
			const struct ring_prime *r = ring->primes;
			void *a = random_poly(&arena, r, &rng), *b = random_poly(&arena, r, &rng);
			void *want = poly(&arena, r);

			multiply(r, want, a, b);
			r->k.ntt_forward(a, r->table);
			r->k.ntt_forward(b, r->table);
			r->k.mul(a, a, b, r->n, &r->p);
			r->k.ntt_inverse(a, r->table, KERNELS_PLAIN);
			cr_assert_arr_eq(a, want, ring_prime_bytes(r));
			ring_destroy(ring);
			arena_reset(&arena);
		}
	}
	arena_clear(&arena);
}

Test(ring, folded_transforms_are_transforms_of_the_subring)
{
	struct arena arena = make_arena();
	struct rng rng = test_rng();
	struct veil_error err;

	for (size_t m = 0; m < MODULI; m++) {
		struct ring *ring = make(11, moduli[m]), *sub;
		const struct ring_prime *r = ring->primes;

		for (size_t fold = 1; fold <= r->n / 2; fold *= 2) {
			void *f = random_poly(&arena, r, &rng), *g = poly(&arena, r);
			const struct ring_prime *s;

			cr_assert_eq(ring_create_subring(&sub, ring, fold, cpu_features(), &err), VEIL_OK,
				"%s", err.text);
			s = sub->primes;
			cr_assert_eq(s->n * fold, r->n);
			for (size_t i = 0; i < s->n; i++)
				ring_set(s, g, i, prime_mul(fold, ring_get(r, f, i * fold), r->p.q));
			r->k.ntt_forward(f, r->table);
			r->k.fold(f, f, r->n, fold, &r->p);
			s->k.ntt_forward(g, s->table);
			cr_assert_arr_eq(f, g, ring_prime_bytes(s));
			ring_destroy(sub);
			arena_reset(&arena);
		}
		ring_destroy(ring);
	}
	arena_clear(&arena);
}

Test(ring, shifting_multiplies_by_a_power_of_x)
{
	struct arena arena = make_arena();
	struct rng rng = test_rng();

	for (size_t m = 0; m < MODULI; m++) {
		struct ring *ring = make(4, moduli[m]);
		const struct ring_prime *r = ring->primes;
		int n = (int)r->n;

		for (int shift = -2 * n + 1; shift < 2 * n; shift++) {
			void *src = random_poly(&arena, r, &rng), *dst = poly(&arena, r),
			     *want = poly(&arena, r);

			for (int i = 0; i < n; i++) {
				int to = ((i + shift) % (2 * n) + 2 * n) % (2 * n);
				uint64_t v = ring_get(r, src, (size_t)i);

				ring_set(r, want, (size_t)(to % n), to < n ? v : (r->p.q - v) % r->p.q);
			}
			ring_shift(r, dst, src, shift);
			cr_assert_arr_eq(dst, want, ring_prime_bytes(r), "shift %d", shift);
			arena_reset(&arena);
		}
		ring_destroy(ring);
	}
	arena_clear(&arena);
}

Test(ring, several_primes_keep_their_order)
{
	struct veil_error err;
	struct ring *ring;

	cr_assert_eq(ring_create(&ring, 11, moduli, MODULI, cpu_features(), &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(ring->count, MODULI);
	for (unsigned i = 0; i < MODULI; i++) {
		const struct ring_prime *r = &ring->primes[i];

		cr_assert_eq(r->p.q, moduli[i]);
		cr_assert_eq(r->root, prime_min_root(moduli[i], 11));
		cr_assert_eq(r->n, 2048);
	}
	ring_destroy(ring);
	ring_destroy(NULL);
}

Test(ring, what_is_no_ring_is_refused_by_name)
{
	static const struct {
		unsigned log_n, count;
		uint64_t q[2];
		const char *says;
	} bad[] = {
		{0, 1, {268369921}, "log2 N = 0"},
		{16, 1, {268369921}, "log2 N = 16"},
		{11, 0, {268369921}, "0 primes"},
		{11, RING_MAX_PRIMES + 1, {268369921}, "33 primes"},
		{11, 1, {0}, "q[0] = 0 is not prime"},
		{11, 1, {2}, "q[0] = 2 is not 1 mod"},
		{11, 2, {268369921, 268369923}, "q[1] = 268369923 is not prime"},
		{11, 2, {268369921, 268369921}, "q[1] = 268369921 repeats q[0]"},
		{15, 1, {274877820929}, "is not 1 mod 2N = 65536"},
		{11, 1, {4611686018427387905u}, "is not below 2^62"},
	};
	struct veil_error err;
	struct ring *ring;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_assert_eq(ring_create(&ring, bad[i].log_n, bad[i].q, bad[i].count, cpu_features(), &err),
			VEIL_E_INVALID);
		cr_assert_null(ring);
		cr_assert_not_null(strstr(err.text, bad[i].says), "%s: %s", bad[i].says, err.text);
	}
	ring = make(4, 268369921);
	for (size_t fold = 0; fold < 40; fold++) {
		struct ring *sub;
		enum veil_status st = ring_create_subring(&sub, ring, fold, cpu_features(), &err);

		cr_assert_eq(st, fold == 1 || fold == 2 || fold == 4 || fold == 8 ? VEIL_OK : VEIL_E_INVALID,
			"%zu", fold);
		ring_destroy(sub);
	}
	ring_destroy(ring);
}
