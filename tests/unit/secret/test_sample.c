/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/sample.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "support/test.h"

#define N 2048

struct fixture {
	struct arena arena;
	struct secret_stream stream;
	size_t mark;
	int8_t *out;
};

static struct fixture make(const struct rng *rng)
{
	struct fixture f;

	cr_assert_eq(arena_init_secret(&f.arena, N + secret_sample_scratch()), VEIL_OK);
	cr_assert_eq(secret_stream_init(&f.stream, rng), VEIL_OK);
	f.out = arena_take(&f.arena, N);
	f.mark = arena_mark(&f.arena);
	return f;
}

static void end(struct fixture *f)
{
	secret_stream_clear(&f->stream);
	arena_clear(&f->arena);
}

/* Counts of the values in [-21, 21] over `rounds` polynomials. The seed is fixed: the bounds below are five
 * standard deviations of what a random one would give, and the answer never changes. */
static void tally(size_t counts[43], size_t rounds,
	void (*sample)(int8_t *out, size_t n, struct secret_stream *stream, struct arena *scratch))
{
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, 20);
	struct fixture f = make(&rng);

	memset(counts, 0, 43 * sizeof *counts);
	for (size_t r = 0; r < rounds; r++) {
		sample(f.out, N, &f.stream, &f.arena);
		for (size_t i = 0; i < N; i++) {
			cr_assert(f.out[i] >= -21 && f.out[i] <= 21);
			counts[f.out[i] + 21]++;
		}
	}
	end(&f);
}

Test(sample, ternary_values_are_a_third_each)
{
	size_t counts[43], rounds = 200;
	double total = (double)(rounds * N), sigma = sqrt(total * 2 / 9);

	tally(counts, rounds, secret_sample_ternary);
	cr_assert_eq(counts[20] + counts[21] + counts[22], rounds * N);
	for (int v = 20; v <= 22; v++)
		cr_assert_lt(fabs((double)counts[v] - total / 3), 5 * sigma, "%d: %zu", v - 21, counts[v]);
}

Test(sample, errors_are_centred_binomial)
{
	size_t counts[43], rounds = 500;
	double total = (double)(rounds * N), mean = 0, variance = 0, skew = 0, chi = 0,
	       binomial = ldexp(1, -42);
	int bins = 0;

	tally(counts, rounds, secret_sample_cbd21);
	for (int v = -21; v <= 21; v++) {
		double p = (double)counts[v + 21] / total, expected = binomial * total;

		mean += p * v;
		variance += p * v * v;
		skew += p * v * v * v;
		if (expected > 20) {
			chi += ((double)counts[v + 21] - expected) * ((double)counts[v + 21] - expected) /
			       expected;
			bins++;
		}
		/* from C(42, v + 21) / 2^42 to the next */
		binomial = binomial * (42 - (v + 21)) / (v + 21 + 1);
	}
	/* the variances of the square and of the cube are below those of a normal distribution */
	cr_assert_lt(fabs(mean), 5 * sqrt(10.5 / total), "mean %f", mean);
	cr_assert_lt(fabs(variance - 10.5), 5 * sqrt(2 * 10.5 * 10.5 / total), "variance %f", variance);
	cr_assert_lt(fabs(skew), 5 * sqrt(15 * 10.5 * 10.5 * 10.5 / total), "skew %f", skew);
	cr_assert_lt(chi, bins + 5 * sqrt(2.0 * bins), "chi-square %f of %d", chi, bins);
	cr_assert_gt(bins, 25);
}

/* 32 errors take 168 bytes: error i the ones of bytes i, 32 + i, ..., 128 + i and of two bits of byte 160 + i
 * % 8, those of place i / 8, less 21. */
static int error_of(const uint8_t bytes[168], size_t i)
{
	int ones = __builtin_popcount(bytes[160 + i % 8] >> 2 * (i / 8) & 3);

	for (size_t k = 0; k < 5; k++)
		ones += __builtin_popcount(bytes[32 * k + i]);
	return ones - 21;
}

Test(sample, errors_are_the_ones_of_42_bits_of_their_own_less_21)
{
	static const uint8_t seed[32] = {7};
	struct rng_seeded state;
	struct rng rng = rng_seeded_init(&state, seed);
	struct fixture f = make(&rng);
	struct keystream *ks;
	uint8_t key[32], bytes[N * 42 / 8];

	rng = rng_seeded_init(&state, seed);
	rng_fill(&rng, key, sizeof key);
	ks = keystream_create_secret(key);
	keystream_read(ks, bytes, sizeof bytes);
	keystream_destroy(ks);
	secret_sample_cbd21(f.out, N, &f.stream, &f.arena);
	for (size_t i = 0; i < N; i++)
		cr_assert_eq(f.out[i], error_of(bytes + i / 32 * 168, i % 32), "%zu", i);
	end(&f);
}

Test(sample, bytes_of_255_are_skipped_and_the_others_taken_mod_3)
{
	static const uint8_t seed[32] = {8};
	struct rng_seeded state;
	struct rng rng = rng_seeded_init(&state, seed);
	struct fixture f = make(&rng);
	struct keystream *ks;
	uint8_t key[32], bytes[N + 64];
	size_t at = 0, skipped = 0;

	rng = rng_seeded_init(&state, seed);
	rng_fill(&rng, key, sizeof key);
	ks = keystream_create_secret(key);
	keystream_read(ks, bytes, sizeof bytes);
	keystream_destroy(ks);
	secret_sample_ternary(f.out, N, &f.stream, &f.arena);
	for (size_t i = 0; i < N; i++, at++) {
		for (; bytes[at] == 255; skipped++)
			at++;
		cr_assert_eq(f.out[i], bytes[at] % 3 - 1, "%zu", i);
	}
	cr_assert(skipped > 0 && at <= sizeof bytes);
	end(&f);
}

Test(sample, scratch_is_given_back_and_wiped)
{
	struct rng rng = test_rng();
	struct fixture f = make(&rng);

	secret_sample_cbd21(f.out, N, &f.stream, &f.arena);
	secret_sample_ternary(f.out, N, &f.stream, &f.arena);
	cr_assert_eq(f.arena.used, f.mark);
	cr_assert_gt(f.arena.peak, f.mark);
	for (size_t i = f.mark; i < f.arena.peak; i++)
		cr_assert_eq(f.arena.base[i], 0);
	end(&f);
}

Test(sample, streams_differ_and_do_not_repeat)
{
	struct rng rng = rng_system();
	struct fixture f = make(&rng), g = make(&rng);
	int8_t first[N];

	secret_sample_cbd21(f.out, N, &f.stream, &f.arena);
	secret_sample_cbd21(g.out, N, &g.stream, &g.arena);
	cr_assert_arr_neq(f.out, g.out, N);
	memcpy(first, f.out, N);
	secret_sample_cbd21(f.out, N, &f.stream, &f.arena);
	cr_assert_arr_neq(f.out, first, N);
	end(&f);
	end(&g);
}

Test(sample, secrets_in_open_memory_abort, .signal = SIGABRT)
{
	struct rng rng = test_rng();
	struct fixture f = make(&rng);
	struct arena open;

	cr_assert_eq(arena_init(&open, secret_sample_scratch()), VEIL_OK);
	secret_sample_cbd21(f.out, N, &f.stream, &open);
}
