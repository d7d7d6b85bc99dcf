/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/uniform.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

/* The third rejects half of its candidates. */
static const uint64_t moduli[] = {268369921, 274877820929, 134219009, 12289};
#define MODULI (sizeof moduli / sizeof *moduli)

static const uint8_t domain0[HASH_BYTES], seed0[RING_SEED_BYTES];

static struct ring *make(uint64_t q)
{
	struct ring *ring;
	struct veil_error err;

	cr_assert_eq(ring_create(&ring, 6, &q, 1, cpu_features(), &err), VEIL_OK, "%s", err.text);
	return ring;
}

/* The definition of uniform.h, one residue at a time. */
static void straightforward(uint64_t *out, size_t n, uint64_t q, struct keystream *ks, const uint8_t *domain,
	const uint8_t *seed, uint32_t k)
{
	unsigned bits = 64 - (unsigned)__builtin_clzll(q);
	uint8_t input[14 + 32 + 32 + 4], key[HASH_BYTES], word[8];

	memcpy(input, "veil/uniform/1", 14);
	memcpy(input + 14, domain, 32);
	memcpy(input + 46, seed, 32);
	for (int i = 0; i < 4; i++)
		input[78 + i] = (uint8_t)(k >> 8 * i);
	hash_sha256(key, input, sizeof input);
	keystream_key(ks, key);
	for (size_t filled = 0; filled < n;) {
		uint64_t x = 0;

		keystream_read(ks, word, q >> 31 ? 8 : 4);
		for (int i = q >> 31 ? 8 : 4; i--;)
			x = x << 8 | word[i];
		x &= ((uint64_t)1 << bits) - 1;
		if (x < q)
			out[filled++] = x;
	}
}

Test(uniform, is_its_definition)
{
	struct keystream *ks = keystream_create();
	struct rng rng = test_rng();

	for (size_t m = 0; m < MODULI; m++) {
		struct ring *ring = make(moduli[m]);
		const struct ring_prime *r = ring->primes;

		for (int round = 0; round < 12; round++) {
			size_t n = round ? 1 + test_below(&rng, 5000) : 0;
			uint64_t *want = calloc(n + 1, sizeof *want);
			void *got = aligned_alloc(64, 65536);
			uint8_t domain[HASH_BYTES], seed[RING_SEED_BYTES];
			uint32_t k = (uint32_t)test_below(&rng, 1000);

			rng_fill(&rng, domain, sizeof domain);
			rng_fill(&rng, seed, sizeof seed);
			ring_uniform(r, got, n, ks, domain, seed, k);
			straightforward(want, n, moduli[m], ks, domain, seed, k);
			for (size_t i = 0; i < n; i++)
				cr_assert_eq(ring_get(r, got, i), want[i], "residue %zu of %zu", i, n);
			free(want);
			free(got);
		}
		ring_destroy(ring);
	}
	keystream_destroy(ks);
}

/* Zero domain, zero seed, k = 0, 4096 residues: the first four, and SHA-256 of all as little-endian words of
 * 8 bytes. They pin the wire format, and were computed apart from this program with Python's hashlib and the
 * openssl command. */
static const struct {
	uint64_t q, first[4];
	const char *hash;
} known[] = {
	{268369921, {121326874, 111911256, 43926850, 111780191},
		"d413279253e607fb06fa58ac05fb17930f881a079c1a610c1ea4eca31245eb62"},
	{274877820929, {106421767450, 135335396674, 119648351077, 186052232346},
		"5f7f0e96b33179d8220d58fb49f0bb53e8283b4f2a1362cd00fba541b048ee05"},
};

Test(uniform, known_answers)
{
	static _Alignas(64) uint8_t a[4096 * 8], words[4096 * 8];
	struct keystream *ks = keystream_create();

	for (size_t t = 0; t < sizeof known / sizeof *known; t++) {
		struct ring *ring = make(known[t].q);
		uint8_t hash[HASH_BYTES];
		char hex[HASH_HEX_SIZE];

		ring_uniform(ring->primes, a, 4096, ks, domain0, seed0, 0);
		for (size_t i = 0; i < 4096; i++)
			for (size_t j = 0; j < 8; j++)
				words[8 * i + j] = (uint8_t)(ring_get(ring->primes, a, i) >> 8 * j);
		for (size_t i = 0; i < 4; i++)
			cr_assert_eq(ring_get(ring->primes, a, i), known[t].first[i]);
		hash_sha256(hash, words, sizeof words);
		hash_hex(hex, hash);
		cr_assert_str_eq(hex, known[t].hash);
		ring_destroy(ring);
	}
	keystream_destroy(ks);
}

Test(uniform, residues_are_spread_evenly)
{
	enum { COUNT = 1 << 18, BINS = 256 };
	static _Alignas(64) uint8_t a[COUNT * 8];
	struct keystream *ks = keystream_create();

	for (size_t m = 0; m < MODULI; m++) {
		struct ring *ring = make(moduli[m]);
		double mean = 0, chi = 0, q = (double)moduli[m];
		size_t bins[BINS] = {0};

		ring_uniform(ring->primes, a, COUNT, ks, domain0, seed0, (uint32_t)m + 1);
		for (size_t i = 0; i < COUNT; i++) {
			uint64_t x = ring_get(ring->primes, a, i);

			cr_assert_lt(x, moduli[m]);
			mean += (double)x / q / COUNT;
			bins[(size_t)((double)x / q * BINS)]++;
		}
		for (size_t b = 0; b < BINS; b++) {
			double low = ceil((double)b * q / BINS), high = ceil((double)(b + 1) * q / BINS);
			double expected = COUNT * (high - low) / q, d = (double)bins[b] - expected;

			chi += d * d / expected;
		}
		/* sigma of the mean: 1 / sqrt(12 COUNT); of chi-square with 255 degrees: sqrt(510). A fixed
		 * stream: no chance. */
		cr_assert_lt(fabs(mean - 0.5), 4 / sqrt(12.0 * COUNT));
		cr_assert_lt(fabs(chi - 255), 5 * sqrt(510.0), "q = %lu: %f", moduli[m], chi);
		ring_destroy(ring);
	}
	keystream_destroy(ks);
}

Test(uniform, every_input_separates_streams)
{
	struct keystream *ks = keystream_create();
	struct ring *ring = make(268369921);
	_Alignas(64) uint32_t a[64], b[64];

	ring_uniform(ring->primes, a, 64, ks, domain0, seed0, 0);
	for (int bit = 0; bit < 256 + 256 + 32; bit++) {
		uint8_t domain[HASH_BYTES] = {0}, seed[RING_SEED_BYTES] = {0};
		uint32_t k = bit >= 512 ? (uint32_t)1 << (bit - 512) : 0;

		if (bit < 256)
			domain[bit / 8] = (uint8_t)(1 << bit % 8);
		else if (bit < 512)
			seed[(bit - 256) / 8] = (uint8_t)(1 << bit % 8);
		ring_uniform(ring->primes, b, 64, ks, domain, seed, k);
		cr_assert_arr_neq(a, b, sizeof a, "bit %d", bit);
	}
	ring_destroy(ring);
	keystream_destroy(ks);
}

static const char zero_seed[] = "0000000000000000000000000000000000000000000000000000000000000000";
static const char fixed_seed[] = "0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff";

static void seed_from_hex(struct drbg *d, const char *hex)
{
	uint8_t seed[DRBG_SEED_BYTES];

	for (size_t i = 0; i < sizeof seed; i++)
		cr_assert_eq(sscanf(hex + 2 * i, "%2hhx", seed + i), 1);
	drbg_seed(d, seed);
}

/* Of a polynomial as it is serialised: rows of bit_length(q) bits a coefficient, MSB first. */
static size_t serialise(uint8_t *out, const struct ring *ring, void *const *rows)
{
	size_t size = 0;

	for (unsigned i = 0; i < ring->count; i++) {
		const struct ring_prime *r = &ring->primes[i];

		r->k.pack(out + size, rows[i], ring->n, r->p.bits);
		size += (ring->n * r->p.bits + 7) / 8;
	}
	return size;
}

static void expect_hash(const uint8_t *data, size_t size, const char *prefix)
{
	uint8_t hash[HASH_BYTES];
	char hex[HASH_HEX_SIZE];

	hash_sha256(hash, data, size);
	hash_hex(hex, hash);
	cr_assert_eq(strncmp(hex, prefix, 32), 0, "%s, not %s", hex, prefix);
}

/* Computed from the sources of apple/swift-homomorphic-encryption (main 6867588) by another program: the
 * first 16 bytes of SHA-256 of the serialised polynomial, as transform values and as coefficients, and the
 * first four residues of row 0. */
static const struct {
	unsigned log_n, count;
	uint64_t q[3];
	const char *seed;
	size_t size;
	const char *values_hash, *coefficients_hash;
	uint64_t values[4], coefficients[4];
} apple[] = {
	{12, 2, {134176769, 268369921}, zero_seed, 28160, "1c257e459ca92593fc089ed3a3a6abf7",
		"ae5a6a999966080382759061b53e712b", {95646569, 20521059, 81814805, 110205814},
		{16560760, 85572720, 48569985, 130883275}},
	{12, 3, {134176769, 268369921, 268361729}, zero_seed, 42496, "9410f6120d0db689b86fdd7c3d784d40", NULL,
		{95646569, 20521059, 81814805, 110205814}, {16560760, 85572720, 48569985, 130883275}},
	{12, 2, {134176769, 268369921}, fixed_seed, 28160, "063d1cf9f048ba04afb2188e37fa7058",
		"a5e84d9a73becd16f65e89a7ef367cd2", {0}, {0}},
	{13, 2, {36028797018652673, 36028797017571329}, zero_seed, 112640, "07849edae87edc3b0c0dd7ea9b98e075",
		"ff3636ca9544a860812bda96740c0b8b", {0}, {0}},
};

static void check_first(const struct ring *ring, void *const *rows, const uint64_t want[4])
{
	for (size_t i = 0; want[0] && i < 4; i++)
		cr_assert_eq(ring_get(ring->primes, rows[0], i), want[i]);
}

Test(uniform, seeds_expand_to_the_polynomials_of_apple)
{
	static _Alignas(64) uint8_t words[3][8192 * 8], bytes[112640];
	void *rows[] = {words[0], words[1], words[2]};
	static const unsigned features[] = {0, CPU_AVX2, ~0u};
	struct drbg *d = drbg_create();

	for (size_t t = 0; t < sizeof apple / sizeof *apple; t++) {
		for (size_t f = 0; f < 3; f++) {
			struct veil_error err;
			struct ring *ring;

			cr_assert_eq(ring_create(&ring, apple[t].log_n, apple[t].q, apple[t].count,
					     features[f] & cpu_features(), &err),
				VEIL_OK, "%s", err.text);
			seed_from_hex(d, apple[t].seed);
			ring_uniform_drbg(ring, apple[t].count, rows, d);
			check_first(ring, rows, apple[t].values);
			cr_assert_eq(serialise(bytes, ring, rows), apple[t].size);
			expect_hash(bytes, apple[t].size, apple[t].values_hash);
			for (unsigned i = 0; i < ring->count; i++)
				ring->primes[i].k.ntt_inverse(rows[i], ring->primes[i].table, KERNELS_PLAIN);
			check_first(ring, rows, apple[t].coefficients);
			serialise(bytes, ring, rows);
			if (apple[t].coefficients_hash)
				expect_hash(bytes, apple[t].size, apple[t].coefficients_hash);
			ring_destroy(ring);
		}
	}
	drbg_destroy(d);
}

Test(uniform, a_stream_of_polynomials_is_that_of_apple)
{
	/* The 1st, 1002nd and 2003rd polynomial of a stream, N = 4, moduli 11 and 13:
	 * testRandomizeInteropUniform of apple/swift-homomorphic-encryption. Those moduli have no transform
	 * of N = 4, but the remainders need none. */
	static const struct {
		const char *seed;
		uint64_t polys[3][8];
	} streams[] = {
		{zero_seed,
			{{4, 0, 2, 8, 10, 9, 3, 2}, {5, 6, 0, 5, 1, 3, 6, 11}, {0, 3, 4, 4, 8, 9, 0, 10}}},
		{fixed_seed,
			{{9, 6, 9, 0, 10, 8, 7, 3}, {2, 9, 9, 1, 12, 0, 0, 12}, {5, 1, 0, 10, 8, 2, 8, 1}}},
	};
	struct ring_prime primes[2] = {0};
	struct ring ring = {.log_n = 2, .n = 4, .count = 2, .primes = primes};
	struct drbg *d = drbg_create();

	for (size_t i = 0; i < 2; i++) {
		kernels_prime_init(&primes[i].p, i ? 13 : 11);
		kernels_select(&primes[i].k, cpu_features(), primes[i].p.bits, 2);
	}
	for (size_t s = 0; s < 2; s++) {
		seed_from_hex(d, streams[s].seed);
		for (size_t poly = 0; poly <= 2002; poly++) {
			_Alignas(64) uint32_t words[2][4];
			void *rows[] = {words[0], words[1]};

			ring_uniform_drbg(&ring, 2, rows, d);
			for (size_t i = 0; poly % 1001 == 0 && i < 8; i++)
				cr_assert_eq(words[i / 4][i % 4], streams[s].polys[poly / 1001][i]);
		}
	}
	drbg_destroy(d);
}
