/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/bfv.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/u128.h"
#include "ring/prime.h"
#include "secret/decrypt.h"
#include "support/bfv.h"
#include "support/test.h"

/* --- schoolbook numbers, least word first: up to 512 bits */

struct big {
	uint64_t word[8];
};

static struct big big_mul_add(struct big x, uint64_t factor, uint64_t add)
{
	for (int i = 0; i < 8; i++) {
		uint128 y = (uint128)x.word[i] * factor + add;

		x.word[i] = (uint64_t)y;
		add = u128_hi(y);
	}
	cr_assert_eq(add, 0);
	return x;
}

/* x / divisor, the remainder in *rest */
static struct big big_div(struct big x, uint64_t divisor, uint64_t *rest)
{
	*rest = 0;
	for (int i = 8; i-- > 0;) {
		uint128 y = (uint128)*rest << 64 | x.word[i];

		x.word[i] = (uint64_t)(y / divisor);
		*rest = (uint64_t)(y % divisor);
	}
	return x;
}

static struct big modulus(const struct bfv_context *ctx, unsigned level)
{
	struct big q = {{1}};

	for (unsigned i = 0; i < level; i++)
		q = big_mul_add(q, ctx->ring->primes[i].p.q, 0);
	return q;
}

/* floor((q m + add) / t) */
static struct big scaled(const struct bfv_context *ctx, unsigned level, uint64_t m, struct big add)
{
	struct big x = big_mul_add(modulus(ctx, level), m, 0);
	uint64_t carry = 0, rest;

	for (int i = 0; i < 8; i++) {
		uint128 sum = (uint128)x.word[i] + add.word[i] + carry;

		x.word[i] = (uint64_t)sum;
		carry = u128_hi(sum);
	}
	return big_div(x, ctx->t.q, &rest);
}

static void set_coefficient(struct ring_poly *poly, size_t at, struct big x)
{
	for (unsigned i = 0; i < poly->level; i++) {
		uint64_t rest;

		big_div(x, poly->ring->primes[i].p.q, &rest);
		ring_set(&poly->ring->primes[i], ring_poly_row(poly, i), at, rest);
	}
}

static const struct rlwe_params *bfv_set(size_t *at)
{
	const struct rlwe_params *p;

	while ((p = rlwe_params_at((*at)++)) && p->use != RLWE_USE_BFV)
		;
	return p;
}

static void random_values(struct test_bfv *b, uint64_t *values, const struct rng *rng)
{
	for (size_t i = 0; i < b->ctx->ring->n; i++)
		values[i] = test_residue(rng, b->ctx->t.q);
}

static uint64_t values[32768], got[32768];

Test(bfv, what_was_encrypted_is_decrypted_by_every_set_at_every_level_in_both_formats)
{
	const struct rlwe_params *params;
	struct rng rng = test_rng();
	size_t sets = 0;

	for (size_t at = 0; (params = bfv_set(&at)); sets++) {
		struct test_bfv b;
		void *plaintext;

		test_bfv_init(&b, params, 3, test_below(&rng, UINT64_MAX), cpu_features());
		plaintext = test_bfv_plaintext(&b);
		for (unsigned level = 1; level <= b.ctx->level; level++) {
			for (enum ring_format f = RING_COEFFICIENT; f <= RING_EVALUATION; f++) {
				const size_t mark = arena_mark(&b.memory);
				struct rlwe_ciphertext ct = test_bfv_ciphertext(&b, 2, level, f);

				random_values(&b, values, &rng);
				cr_assert_eq(bfv_encode(b.ctx, plaintext, values, b.ctx->ring->n,
						     BFV_COEFFICIENT, NULL),
					VEIL_OK);
				secret_bfv_encrypt(
					b.ctx, &b.key, &ct, plaintext, &b.rng, b.drbg, &b.stream, &b.arena);
				cr_assert(ct.seeded && rlwe_ciphertext_format(&ct) == f);
				cr_assert_eq(rlwe_ciphertext_level(&ct), level);
				test_bfv_decrypt(&b, got, &ct, BFV_COEFFICIENT);
				for (size_t i = 0; i < b.ctx->ring->n; i++)
					cr_assert_eq(got[i], values[i], "%s, level %u", params->name, level);
				arena_release(&b.memory, mark);
			}
		}
		test_bfv_clear(&b);
	}
	cr_assert_geq(sets, 15);
}

/* c1 is the seed's polynomial, and c0 + c1 s - round(q m / t), by schoolbook numbers, an error of CBD(21). */
Test(bfv, fresh_ciphertexts_are_those_of_the_convention)
{
	static const char *const sets[] = {"insecure_n_8_logq_5x18_logt_5",
		"insecure_n_512_logq_4x60_logt_20", "n_4096_logq_27_28_28_logt_5", "n_8192_logq_3x55_logt_42",
		"n_8192_logq_28_60_60_logt_20"};
	struct rng rng = test_rng();

	for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
		struct rlwe_ciphertext ct, again;
		struct ring_poly phase, message;
		struct test_bfv b;

		test_bfv_init(&b, rlwe_params_find(sets[s]), 5, test_below(&rng, UINT64_MAX), cpu_features());
		random_values(&b, values, &rng);
		ct = test_bfv_encrypt(&b, values, BFV_COEFFICIENT, RING_COEFFICIENT);
		again = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_COEFFICIENT);
		rlwe_ciphertext_expand(&again, ct.seed, b.drbg);
		cr_assert_arr_eq(
			ct.poly[1].data, again.poly[1].data, ring_poly_bytes(b.ctx->ring, b.ctx->level));
		phase = test_bfv_poly(&b, b.ctx->level, RING_COEFFICIENT);
		message = test_bfv_poly(&b, b.ctx->level, RING_COEFFICIENT);
		secret_phase(&b.key, &phase, &ct, &b.arena);
		for (size_t i = 0; i < b.ctx->ring->n; i++)
			set_coefficient(&message, i,
				scaled(b.ctx, b.ctx->level, values[i], (struct big){{(b.ctx->t.q + 1) / 2}}));
		ring_poly_sub(&phase, &phase, &message);
		for (unsigned i = 0; i < b.ctx->level; i++) {
			const struct ring_prime *r = &b.ctx->ring->primes[i];

			for (size_t j = 0; j < r->n; j++) {
				uint64_t e = ring_get(r, ring_poly_row(&phase, i), j),
					 first = ring_get(b.ctx->ring->primes, phase.data, j);

				cr_assert(e <= 21 || e >= r->p.q - 21, "%s", sets[s]);
				cr_assert_eq(e <= 21 ? e : e + 42 - r->p.q,
					first <= 21 ? first : first + 42 - b.ctx->ring->primes->p.q);
			}
		}
		test_bfv_clear(&b);
	}
}

/* A ciphertext whose phase is x, whatever its c1. */
static void give_phase(struct test_bfv *b, struct rlwe_ciphertext *ct, struct ring_poly *x)
{
	const size_t mark = arena_mark(&b->memory);
	struct ring_poly product = test_bfv_poly(b, x->level, RING_COEFFICIENT);

	memset(ct->poly[0].data, 0, ring_poly_bytes(b->ctx->ring, x->level));
	secret_phase(&b->key, &product, ct, &b->arena);
	ring_poly_sub(&ct->poly[0], x, &product);
	arena_release(&b->memory, mark);
}

/* The largest and the least phase that mean m, and their neighbours, which mean m + 1 and m - 1. */
Test(bfv, decryption_is_right_up_to_its_bound_and_wrong_past_it)
{
	const struct rlwe_params *params;
	struct rng rng = test_rng();

	for (size_t at = 0; (params = bfv_set(&at));) {
		struct test_bfv b;

		test_bfv_init(&b, params, 4, test_below(&rng, UINT64_MAX), cpu_features());
		for (unsigned level = 1; level <= b.ctx->level; level++) {
			const size_t mark = arena_mark(&b.memory), n = b.ctx->ring->n;
			const uint64_t t = b.ctx->t.q;
			struct rlwe_ciphertext ct = test_bfv_ciphertext(&b, 2, level, RING_COEFFICIENT);
			struct ring_poly x = test_bfv_poly(&b, level, RING_COEFFICIENT);
			struct secret_bfv_noise noise;
			struct big half;
			uint64_t rest;

			half = big_div(modulus(b.ctx, level), 2, &rest);
			for (size_t i = 0; i < n; i++) {
				values[i] = test_residue(&rng, t);
				if (values[i] == t - 1) /* its upper bound is q: 0 */
					values[i] = 0;
				/* t x <= q m + (q-1)/2; an odd coefficient has one more */
				set_coefficient(&x, i,
					i % 2 ? big_mul_add(scaled(b.ctx, level, values[i], half), 1, 1)
					      : scaled(b.ctx, level, values[i], half));
			}
			rlwe_ciphertext_expand(
				&ct, (const uint8_t *)"a seed of thirty-two bytes in all", b.drbg);
			give_phase(&b, &ct, &x);
			test_bfv_decrypt(&b, got, &ct, BFV_COEFFICIENT);
			for (size_t i = 0; i < n; i++)
				cr_assert_eq(
					got[i], (values[i] + i % 2) % t, "%s, level %u", params->name, level);
			/* as far from an integer as can be, within t / q */
			noise = test_bfv_noise(&b, &ct);
			cr_assert(
				noise.budget >= 0 &&
					noise.budget < 1.5 * (double)t * 2 / (double)b.ctx->ring->primes->p.q,
				"%s: %g", params->name, noise.budget);
			cr_assert(fabs(noise.rms + 1) < 3 * (double)t / (double)b.ctx->ring->primes->p.q);
			arena_release(&b.memory, mark);
		}
		test_bfv_clear(&b);
	}
}

/* A phase q m / t + d has a distance of about t d / q. */
Test(bfv, the_noise_budget_is_that_of_a_known_noise)
{
	static const char *const sets[] = {"n_4096_logq_27_28_28_logt_5", "n_8192_logq_3x55_logt_24",
		"insecure_n_512_logq_4x60_logt_20"};
	struct rng rng = test_rng();

	for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
		struct test_bfv b;
		struct rlwe_ciphertext ct;
		struct ring_poly x;
		double log_q = 0;

		test_bfv_init(&b, rlwe_params_find(sets[s]), 3, test_below(&rng, UINT64_MAX), cpu_features());
		for (unsigned i = 0; i < b.ctx->level; i++)
			log_q += log2((double)b.ctx->ring->primes[i].p.q);
		ct = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_EVALUATION);
		x = test_bfv_poly(&b, b.ctx->level, RING_COEFFICIENT);
		for (uint64_t d = 1 << 5; d < 1 << 20; d *= 3) {
			struct secret_bfv_noise noise;
			double want = log_q - log2((double)d) - log2((double)b.ctx->t.q);

			for (size_t i = 0; i < b.ctx->ring->n; i++) {
				values[i] = test_below(&rng, b.ctx->t.q);
				set_coefficient(&x, i,
					big_mul_add(scaled(b.ctx, b.ctx->level, values[i], (struct big){{0}}),
						1, d));
			}
			rlwe_ciphertext_expand(
				&ct, (const uint8_t *)"a seed of thirty-two bytes in all", b.drbg);
			rlwe_ciphertext_transform(&ct, RING_COEFFICIENT);
			give_phase(&b, &ct, &x);
			rlwe_ciphertext_transform(&ct, RING_EVALUATION);
			noise = test_bfv_noise(&b, &ct);
			cr_assert_float_eq(noise.budget, want - 1, 0.1);
			cr_assert_float_eq(noise.rms, -want, 0.1);
		}
		test_bfv_clear(&b);
	}
}

/* As large as a ring may be: words of both widths, then primes just below 2^62. */
Test(bfv, thirty_two_primes_of_degree_32768)
{
	uint64_t q[RING_MAX_PRIMES] = {786433, 268369921}, below = ((uint64_t)1 << 62) + 1;
	const struct rlwe_params params = {.name = "largest",
		.log_n = RING_MAX_LOG_N,
		.q_count = RING_MAX_PRIMES,
		.q = q,
		.special = true,
		.t = 65537,
		.error = RLWE_CBD21,
		.use = RLWE_USE_BFV,
		.insecure = true};
	struct secret_bfv_noise noise;
	struct rng rng = test_rng();
	struct rlwe_ciphertext ct;
	struct test_bfv b;
	double log_q = 0;

	for (unsigned i = 2; i < RING_MAX_PRIMES; i++) {
		do
			below -= 1 << 16;
		while (!prime_is_prime(below));
		q[i] = below;
	}
	test_bfv_init(&b, &params, 2, test_below(&rng, UINT64_MAX), cpu_features());
	random_values(&b, values, &rng);
	ct = test_bfv_encrypt(&b, values, BFV_SIMD, RING_COEFFICIENT);
	cr_assert_eq(rlwe_ciphertext_level(&ct), 31);
	for (unsigned i = 0; i < 31; i++)
		log_q += log2((double)q[i]);
	noise = test_bfv_noise(&b, &ct);
	cr_assert_float_eq(noise.rms, log2(65537) + log2(RLWE_CBD21_VARIANCE) / 2 - log_q, 0.2);
	/* an error is at most 21; the largest of 32768 is above 10 */
	cr_assert(
		noise.budget > log_q - log2(65537 * 21.5) - 1 && noise.budget < log_q - log2(65537 * 10) - 1);
	test_bfv_decrypt(&b, got, &ct, BFV_SIMD);
	cr_assert_arr_eq(got, values, sizeof got);
	rlwe_modswitch_to(&ct, 2, &b.arena);
	test_bfv_decrypt(&b, got, &ct, BFV_SIMD);
	cr_assert_arr_eq(got, values, sizeof got);
	test_bfv_clear(&b);
}

Test(bfv, another_key_decrypts_to_nothing)
{
	struct test_bfv b, other;
	struct rlwe_ciphertext ct;
	size_t same = 0;

	test_bfv_init(&b, rlwe_params_find("n_4096_logq_27_28_28_logt_17"), 3, 1, cpu_features());
	test_bfv_init(&other, b.ctx->params, 3, 2, cpu_features());
	random_values(&b, values, &b.rng);
	ct = test_bfv_encrypt(&b, values, BFV_COEFFICIENT, RING_COEFFICIENT);
	other.key.ring = b.ctx->ring; /* an equal one */
	b.key = other.key;
	test_bfv_decrypt(&b, got, &ct, BFV_COEFFICIENT);
	for (size_t i = 0; i < 4096; i++)
		same += got[i] == values[i];
	cr_assert_lt(same, 10);
	test_bfv_clear(&b);
	test_bfv_clear(&other);
}

Test(bfv, scratch_is_given_back_wiped_and_no_larger_than_said)
{
	struct test_bfv b;
	struct rlwe_ciphertext ct;
	size_t used;

	test_bfv_init(&b, rlwe_params_find("n_8192_logq_28_60_60_logt_20"), 3, 1, cpu_features());
	used = b.arena.used;
	b.arena.peak = used;
	memset(values, 0, sizeof values);
	ct = test_bfv_encrypt(&b, values, BFV_SIMD, RING_COEFFICIENT);
	test_bfv_decrypt(&b, got, &ct, BFV_SIMD);
	test_bfv_noise(&b, &ct);
	cr_assert_eq(b.arena.used, used);
	cr_assert(b.arena.peak > used && b.arena.peak <= used + secret_bfv_scratch(b.ctx));
	for (size_t i = used; i < b.arena.peak; i++)
		cr_assert_eq(b.arena.base[i], 0);
	test_bfv_clear(&b);
}

/* --- after destroy, no memory of this process has a word of the secret */

/* How often the `size` bytes at `what`, turned over, stand anywhere in readable and writable memory. */
static size_t count_in_memory(const uint8_t *turned, size_t size)
{
	FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "rb");
	char line[512], access[8];
	unsigned long from, to;
	size_t found = 0;

	cr_assert(maps && memory);
	while (fgets(line, sizeof line, maps)) {
		static uint8_t page[4096 + 64];
		size_t kept = 0;

		if (sscanf(line, "%lx-%lx %4s", &from, &to, access) != 3 || strncmp(access, "rw", 2) != 0 ||
			to - from > (unsigned long)1 << 30)
			continue; /* the largest are a sanitizer's shadows */
		setvbuf(memory, NULL, _IONBF, 0);
		cr_assert_eq(fseek(memory, (long)from, SEEK_SET), 0);
		for (; from < to; from += 4096) {
			const size_t got_bytes = fread(page + kept, 1, 4096, memory);

			if (got_bytes != 4096)
				break; /* a guard, or a page of the kernel's */
			/* most pages are of one byte throughout, in which no part of the key can lie */
			const bool flat = memcmp(page + kept, page + kept + 1, 4095) == 0;
			const size_t end = kept + (flat ? size - 1 : 4096);

			for (size_t i = 0; i + size <= end; i++) {
				size_t same = 0;

				while (same < size && (turned[same] ^ page[i + same]) == 0xff)
					same++;
				found += same == size;
			}
			memmove(page, page + kept + 4096 - (size - 1), size - 1);
			kept = size - 1;
		}
		memset(page, 0, sizeof page);
	}
	fclose(maps);
	fclose(memory);
	return found;
}

Test(bfv, no_memory_has_a_part_of_the_key_after_it_is_cleared)
{
	enum { SIZE = 16 };
	uint8_t turned[4][SIZE]; /* of four places of the key, so that this test is not what it finds */
	struct test_bfv b;

	test_bfv_init(&b, rlwe_params_find("n_4096_logq_27_28_28_logt_17"), 3, test_seed(), cpu_features());
	memset(values, 0, sizeof values);
	{
		struct rlwe_ciphertext ct = test_bfv_encrypt(&b, values, BFV_SIMD, RING_EVALUATION);

		test_bfv_decrypt(&b, got, &ct, BFV_SIMD);
	}
	for (size_t place = 0; place < 4; place++) {
		const uint8_t *row = b.key.s[place % 3];

		for (size_t i = 0; i < SIZE; i++)
			turned[place][i] = (uint8_t)~row[place * 4096 + i];
		cr_assert_neq(memcmp(turned[place], turned[place] + 1, SIZE - 1), 0);
		cr_assert_geq(
			count_in_memory(turned[place], SIZE), 1); /* the search sees it while it lives */
	}
	test_bfv_clear(&b);
	for (size_t place = 0; place < 4; place++)
		cr_assert_eq(count_in_memory(turned[place], SIZE), 0, "place %zu", place);
}
