/* SPDX-License-Identifier: Apache-2.0 */
#include "parity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/require.h"
#include "base/u128.h"
#include "support/test.h"

#define MAX_BYTES ((size_t)1 << 19)
#define POISON 0xa5

struct parity {
	const struct kernels *reference, *candidate;
	const struct kernels_prime *p;
	const struct rng *rng;
	unsigned log_n;
	unsigned differences;
	/* MAX_BYTES each, page-aligned, followed by a page that nobody may touch */
	uint8_t *a, *b, *want, *got;
};

static uint8_t *guarded_alloc(void)
{
	uint8_t *at =
		mmap(NULL, MAX_BYTES + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(at != MAP_FAILED);
	REQUIRE(mprotect(at + MAX_BYTES, 4096, PROT_NONE) == 0);
	return at;
}

static void start(struct parity *c)
{
	uint8_t **areas[] = {&c->a, &c->b, &c->want, &c->got};

	for (size_t i = 0; i < 4; i++)
		*areas[i] = guarded_alloc();
}

static unsigned finish(struct parity *c)
{
	uint8_t *areas[] = {c->a, c->b, c->want, c->got};

	for (size_t i = 0; i < 4; i++)
		munmap(areas[i], MAX_BYTES + 4096);
	return c->differences;
}

__attribute__((format(printf, 2, 3))) static void differ(struct parity *c, const char *format, ...)
{
	va_list args;

	if (c->differences++ >= 5)
		return;
	fprintf(stderr, "# %s is not %s, q=%llu, log_n=%u: ", c->candidate->name, c->reference->name,
		(unsigned long long)c->p->q, c->log_n);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void poison(struct parity *c, size_t bytes)
{
	memset(c->want, POISON, bytes);
	memset(c->got, POISON, bytes);
}

enum pattern { ZEROS, LARGEST, ALTERNATING, ONE_LARGEST, EDGES, RANDOM, PATTERNS };

static uint64_t pattern_value(struct parity *c, enum pattern pattern, size_t i)
{
	const uint64_t q = c->p->q;

	switch (pattern) {
	case ZEROS:
		return 0;
	case LARGEST:
		return q - 1;
	case ALTERNATING:
		return i & 1 ? q - 1 : 0;
	case ONE_LARGEST:
		return i == 0 ? q - 1 : 0;
	case EDGES:
		return test_residue(c->rng, q);
	default:
		return test_below(c->rng, q);
	}
}

static void set(struct parity *c, void *a, size_t i, uint64_t value)
{
	if (c->p->width == 4)
		((uint32_t *)a)[i] = (uint32_t)value;
	else
		((uint64_t *)a)[i] = value;
}

static void fill(struct parity *c, void *a, size_t n, enum pattern pattern)
{
	for (size_t i = 0; i < n; i++)
		set(c, a, i, pattern_value(c, pattern, i));
}

static const size_t lengths[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 257};
#define LENGTHS (sizeof lengths / sizeof lengths[0])

/* --- pointwise */

static void check_pointwise_at(struct parity *c, size_t n, size_t offset, enum pattern pattern)
{
	const struct kernels *r = c->reference, *k = c->candidate;
	const struct {
		const char *name;
		void (*want)(void *, const void *, const void *, size_t, const struct kernels_prime *);
		void (*got)(void *, const void *, const void *, size_t, const struct kernels_prime *);
	} binary[] = {{"add", r->add, k->add}, {"sub", r->sub, k->sub}, {"mul", r->mul, k->mul}};
	const size_t bytes = n * c->p->width, size = bytes + 256;
	uint8_t *a = c->a + offset, *b = c->b + 2 * offset, *want = c->want + 64 + offset,
		*got = c->got + 64 + offset;

	fill(c, a, n, pattern);
	fill(c, b, n, pattern == EDGES || pattern == LARGEST ? pattern : RANDOM);
	for (size_t f = 0; f < 3; f++) {
		poison(c, size);
		binary[f].want(want, a, b, n, c->p);
		binary[f].got(got, a, b, n, c->p);
		if (memcmp(c->want, c->got, size) != 0)
			differ(c, "%s, n=%zu, offset=%zu", binary[f].name, n, offset);
		memcpy(got, a, bytes);
		binary[f].got(got, got, b, n, c->p);
		if (memcmp(c->want, c->got, size) != 0)
			differ(c, "%s where dst is a, n=%zu, offset=%zu", binary[f].name, n, offset);
		memcpy(got, b, bytes);
		binary[f].got(got, a, got, n, c->p);
		if (memcmp(c->want, c->got, size) != 0)
			differ(c, "%s where dst is b, n=%zu, offset=%zu", binary[f].name, n, offset);
	}
	poison(c, size);
	r->neg(want, a, n, c->p);
	k->neg(got, a, n, c->p);
	if (memcmp(c->want, c->got, size) != 0)
		differ(c, "neg, n=%zu, offset=%zu", n, offset);
	memcpy(got, a, bytes);
	k->neg(got, got, n, c->p);
	if (memcmp(c->want, c->got, size) != 0)
		differ(c, "neg in place, n=%zu, offset=%zu", n, offset);
}

static void check_pointwise(struct parity *c)
{
	for (size_t l = 0; l < LENGTHS; l++)
		for (enum pattern pattern = 0; pattern < PATTERNS; pattern++)
			check_pointwise_at(c, lengths[l], test_below(c->rng, 17) * c->p->width, pattern);
}

/* --- multiply-accumulate */

static void check_mac_at(
	struct parity *c, unsigned vectors, size_t n, size_t outputs, size_t terms, enum pattern pattern)
{
	const size_t x_words = n * terms, out_bytes = n * outputs * c->p->width;
	const size_t stride = out_bytes + 64; /* n is a multiple of 16: everything is aligned */
	const void *x[KERNELS_MAC_VECTORS];
	void *want[KERNELS_MAC_VECTORS], *got[KERNELS_MAC_VECTORS];

	REQUIRE(x_words * c->p->width * KERNELS_MAC_VECTORS <= MAX_BYTES && stride * vectors <= MAX_BYTES);
	REQUIRE(outputs * x_words * c->p->width <= MAX_BYTES);
	/* all inputs end where the memory ends */
	fill(c, c->a + MAX_BYTES - outputs * x_words * c->p->width, outputs * x_words, pattern);
	for (unsigned v = 0; v < vectors; v++) {
		uint8_t *at = c->b + MAX_BYTES - (v + 1) * x_words * c->p->width;

		fill(c, at, x_words, pattern);
		x[v] = at;
		want[v] = c->want + v * stride;
		got[v] = c->got + v * stride;
	}
	poison(c, stride * vectors);
	c->reference->mac(want, c->a + MAX_BYTES - outputs * x_words * c->p->width, x, vectors, n, outputs,
		terms, c->p);
	c->candidate->mac(
		got, c->a + MAX_BYTES - outputs * x_words * c->p->width, x, vectors, n, outputs, terms, c->p);
	if (memcmp(c->want, c->got, stride * vectors) != 0)
		differ(c, "mac, vectors=%u, n=%zu, outputs=%zu, terms=%zu, pattern %u", vectors, n, outputs,
			terms, (unsigned)pattern);
}

static void check_mac(struct parity *c)
{
	static const size_t all_terms[] = {
		1, 2, 3, 4, 5, 8, 15, 16, 17, 32, 33, 63, 64, 65, 96, 128, 129, 200};
	const uint64_t limit = kernels_mac_limit(c->p);

	for (size_t i = 0; i < sizeof all_terms / sizeof all_terms[0]; i++) {
		size_t terms = all_terms[i];

		if (terms > limit)
			break;
		for (unsigned vectors = 1; vectors <= KERNELS_MAC_VECTORS; vectors++) {
			size_t n = 16 * (1 + test_below(c->rng, 2)), outputs = 1 + test_below(c->rng, 5);

			check_mac_at(c, vectors, n, outputs, terms, RANDOM);
			check_mac_at(c, vectors, n, outputs, terms, EDGES);
		}
	}
	check_mac_at(c, 2, 16, 2, limit > 500 ? 500 : limit, LARGEST);
	check_mac_at(c, 3, 16, 3, limit > 500 ? 500 : limit, LARGEST);
	check_mac_at(c, 1, 16, 3, limit > 500 ? 499 : limit, LARGEST);
}

static void check_interleave(struct parity *c)
{
	for (size_t n = 16; n <= 256; n *= 2) {
		for (size_t terms = 1; terms <= 5; terms++) {
			const size_t size = n * terms * c->p->width + 64;

			poison(c, size);
			for (size_t t = 0; t < terms; t += 1 + t % 2) {
				fill(c, c->a, n, RANDOM);
				c->reference->interleave(c->want, c->a, n, terms, t);
				c->candidate->interleave(c->got, c->a, n, terms, t);
			}
			if (memcmp(c->want, c->got, size) != 0)
				differ(c, "interleave, n=%zu, terms=%zu", n, terms);
		}
	}
}

static void check_fold(struct parity *c)
{
	for (size_t n = 1; n <= 4096; n *= 2) {
		for (size_t fold = 1; fold <= n; fold *= 2) {
			for (enum pattern pattern = 0; pattern < PATTERNS; pattern++) {
				const size_t size = n * c->p->width + 64;

				fill(c, c->a, n, pattern);
				poison(c, size);
				c->reference->fold(c->want, c->a, n, fold, c->p);
				c->candidate->fold(c->got, c->a, n, fold, c->p);
				if (memcmp(c->want, c->got, size) != 0)
					differ(c, "fold, n=%zu, fold=%zu", n, fold);
				memcpy(c->got, c->a, n * c->p->width);
				c->candidate->fold(c->got, c->got, n, fold, c->p);
				if (memcmp(c->want, c->got, n / fold * c->p->width) != 0)
					differ(c, "fold in place, n=%zu, fold=%zu", n, fold);
			}
		}
	}
}

/* --- bytes */

static void check_round(struct parity *c, unsigned bits)
{
	const size_t n = 333, size = n * c->p->width + 64;
	const uint64_t q = c->p->q;

	for (enum pattern pattern = 0; pattern < PATTERNS; pattern++) {
		fill(c, c->a, n, pattern);
		if (pattern == EDGES) {
			/* the least values that round to k, and their neighbours */
			for (size_t i = 0; i < n; i++) {
				uint64_t k = test_below(c->rng, (uint64_t)1 << bits);
				uint128 edge = ((uint128)(2 * k + 1) * q >> (bits + 1)) + i % 3 + q - 1;

				set(c, c->a, i, (uint64_t)(edge % q));
			}
		}
		poison(c, size);
		c->reference->round(c->want, c->a, n, bits, c->p);
		c->candidate->round(c->got, c->a, n, bits, c->p);
		if (memcmp(c->want, c->got, size) != 0)
			differ(c, "round to %u bits, pattern %u", bits, (unsigned)pattern);
		memcpy(c->got, c->a, n * c->p->width);
		c->candidate->round(c->got, c->got, n, bits, c->p);
		if (memcmp(c->want, c->got, size) != 0)
			differ(c, "round in place to %u bits, pattern %u", bits, (unsigned)pattern);
	}
}

static void check_pack(struct parity *c, unsigned bits, size_t n, size_t offset)
{
	const size_t bytes = (n * bits + 7) / 8, start = MAX_BYTES - bytes;
	uint8_t *words = c->a + offset;

	for (size_t i = 0; i < n; i++) {
		uint64_t value = test_below(c->rng, 4) ? test_below(c->rng, (uint64_t)1 << bits)
						       : ((uint64_t)1 << bits) - 1;

		set(c, words, i, value);
	}
	/* once with the stream at the end of the memory, once a little before */
	for (size_t gap = 0; gap <= 64; gap += 64) {
		memset(c->want + start - 128, POISON, bytes + 128);
		memset(c->got + start - 128, POISON, bytes + 128);
		c->reference->pack(c->want + start - gap, words, n, bits);
		c->candidate->pack(c->got + start - gap, words, n, bits);
		if (memcmp(c->want + start - 128, c->got + start - 128, bytes + 128) != 0)
			differ(c, "pack of %zu x %u bits, offset=%zu", n, bits, offset);
	}
}

static void check_unpack(struct parity *c, unsigned bits, unsigned shift, size_t n, size_t offset)
{
	const uint64_t top = (c->p->q - 1) >> shift, bound = (uint64_t)1 << bits;
	const uint64_t largest = top < bound ? top : bound - 1;
	const size_t bytes = (n * bits + 7) / 8, size = n * c->p->width + 256;
	uint8_t *src = c->b + MAX_BYTES - bytes;
	bool want, got;

	for (size_t i = 0; i < n; i++)
		set(c, c->a, i, test_below(c->rng, 4) ? test_below(c->rng, largest + 1) : largest);
	c->reference->pack(src, c->a, n, bits);
	if (n * bits % 8) /* what pads the last byte is no value */
		src[bytes - 1] |= (uint8_t)(0xff >> n * bits % 8);
	poison(c, size);
	want = c->reference->unpack(c->want + 64 + offset, src, n, bits, shift, c->p);
	got = c->candidate->unpack(c->got + 64 + offset, src, n, bits, shift, c->p);
	if (!want || !got || memcmp(c->want, c->got, size) != 0)
		differ(c, "unpack of %zu x %u bits << %u, offset=%zu, accepted %d %d", n, bits, shift, offset,
			want, got);
	if (largest == bound - 1)
		return;
	/* one value too large, anywhere */
	set(c, c->a, test_below(c->rng, n),
		largest + 1 + test_below(c->rng, bound - largest - 1) / (1 + n % 2 * 1000));
	c->reference->pack(src, c->a, n, bits);
	want = c->reference->unpack(c->want + 64 + offset, src, n, bits, shift, c->p);
	got = c->candidate->unpack(c->got + 64 + offset, src, n, bits, shift, c->p);
	if (want || got)
		differ(c, "unpack of %zu x %u bits << %u accepts a value >= q: %d %d", n, bits, shift, want,
			got);
}

static void check_bytes(struct parity *c)
{
	for (unsigned bits = 1; bits <= c->p->bits; bits++) {
		check_round(c, bits);
		for (size_t l = 0; l < LENGTHS; l++) {
			size_t offset = test_below(c->rng, 17) * c->p->width;

			check_pack(c, bits, lengths[l], offset);
			check_unpack(c, bits, 0, lengths[l], offset);
			check_unpack(c, bits, c->p->bits - bits, lengths[l], offset);
			check_unpack(c, bits, (unsigned)test_below(c->rng, c->p->bits - bits + 1), lengths[l],
				offset);
		}
	}
}

static void check_uniform(struct parity *c)
{
	for (int round = 0; round < 100; round++) {
		const size_t n = 1 + test_below(c->rng, 200), words = test_below(c->rng, 250);
		const size_t before = test_below(c->rng, n + 1), size = n * c->p->width + 64;
		uint8_t *bytes = c->a + MAX_BYTES - words * c->p->width - test_below(c->rng, 9);
		size_t want = before, got = before;

		rng_fill(c->rng, bytes, words * c->p->width);
		if (round % 10 == 0)
			memset(bytes, round % 20 ? 0 : 0xff, words * c->p->width);
		poison(c, size);
		c->reference->uniform(c->want, n, &want, bytes, words, c->p);
		c->candidate->uniform(c->got, n, &got, bytes, words, c->p);
		if (want != got || memcmp(c->want, c->got, want * c->p->width) != 0 ||
			memcmp(c->want + n * c->p->width, c->got + n * c->p->width, 64) != 0)
			differ(c, "uniform, n=%zu, %zu words after %zu: filled %zu, not %zu", n, words,
				before, got, want);
	}
}

unsigned parity_check_arrays(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, const struct rng *rng)
{
	struct parity c = {.reference = reference, .candidate = candidate, .p = p, .rng = rng};

	start(&c);
	check_pointwise(&c);
	check_mac(&c);
	check_interleave(&c);
	check_fold(&c);
	check_bytes(&c);
	check_uniform(&c);
	c.differences += parity_check_remainder(reference, candidate, p, rng);
	c.differences += parity_check_constants(reference, candidate, p, rng);
	c.differences += parity_check_rows(reference, candidate, p, rng);
	return finish(&c);
}

/* --- the transform */

static uint64_t power(uint64_t base, uint64_t exponent, uint64_t q)
{
	uint128 result = 1, square = base;

	for (; exponent; exponent >>= 1, square = square * square % q)
		if (exponent & 1)
			result = result * square % q;
	return (uint64_t)result;
}

uint64_t parity_root(uint64_t q, unsigned log_n)
{
	const uint64_t order = (uint64_t)2 << log_n;

	if ((q - 1) % order)
		return 0;
	for (uint64_t g = 2;; g++) {
		uint64_t root = power(g, (q - 1) / order, q);

		if (power(root, order / 2, q) == q - 1)
			return root;
	}
}

/* Inputs whose every product on the way to one output is near q: what a transform that puts reductions off
 * must survive. Way 0: the first output, whose products are all added; 1: the last, where they are
 * subtracted; 2: the first of an inverse by decimation in time. */
static void fill_chain(struct parity *c, uint64_t root, int way)
{
	const uint64_t q = c->p->q;
	const size_t n = (size_t)1 << c->log_n;

	fill(c, c->a, n, ZEROS);
	set(c, c->a, 0, way == 1 ? 0 : q - 1);
	for (size_t half = n / 2; half; half /= 2) {
		size_t exponent = way == 0 ? half : way == 1 ? n - half : 0; /* of this stage's twiddle */
		uint128 inverse = power(root, 2 * n - exponent, q);

		set(c, c->a, half, (uint64_t)(inverse * (q - 1 - q / 16) % q));
	}
}

static void check_one_transform(
	struct parity *c, const void *want_table, const void *got_table, unsigned pattern)
{
	const size_t bytes = ((size_t)1 << c->log_n) * c->p->width, size = bytes + 128;
	uint8_t *want = c->want + 64, *got = c->got + 64;

	poison(c, size);
	memcpy(want, c->a, bytes);
	memcpy(got, c->a, bytes);
	c->reference->ntt_forward(want, want_table);
	c->candidate->ntt_forward(got, got_table);
	if (memcmp(c->want, c->got, size) != 0)
		differ(c, "ntt_forward, pattern %u", pattern);
	c->candidate->ntt_inverse(got, got_table, KERNELS_PLAIN);
	if (memcmp(c->a, got, bytes) != 0)
		differ(c, "ntt_inverse does not undo ntt_forward, pattern %u", pattern);
	for (enum kernels_scale scale = KERNELS_PLAIN; scale <= KERNELS_MONTGOMERY; scale++) {
		memcpy(want, c->a, bytes);
		memcpy(got, c->a, bytes);
		c->reference->ntt_inverse(want, want_table, scale);
		c->candidate->ntt_inverse(got, got_table, scale);
		if (memcmp(c->want, c->got, size) != 0)
			differ(c, "ntt_inverse, scale %u, pattern %u", (unsigned)scale, pattern);
	}
}

unsigned parity_check_transform(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, unsigned log_n, const struct rng *rng)
{
	struct parity c = {
		.reference = reference, .candidate = candidate, .p = p, .rng = rng, .log_n = log_n};
	const uint64_t root = parity_root(p->q, log_n), fifth = power(root, 5, p->q);
	const size_t want_bytes = reference->ntt_table_bytes(log_n),
		     got_bytes = candidate->ntt_table_bytes(log_n);
	uint8_t *want_table = aligned_alloc(64, want_bytes), *got_table = aligned_alloc(64, got_bytes + 64);

	REQUIRE(root && want_table && got_table && got_bytes % 64 == 0);
	start(&c);
	/* any primitive root will do, so two of them where it takes no time */
	for (int other = 0; other < (log_n > 11 ? 1 : 2); other++) {
		memset(got_table, POISON, got_bytes + 64);
		reference->ntt_init(want_table, p, log_n, other ? fifth : root);
		candidate->ntt_init(got_table, p, log_n, other ? fifth : root);
		for (size_t i = 0; i < 64; i++)
			if (got_table[got_bytes + i] != POISON)
				differ(&c, "ntt_init writes beyond its table");
		for (enum pattern pattern = 0; pattern < PATTERNS; pattern++) {
			fill(&c, c.a, (size_t)1 << log_n, pattern);
			check_one_transform(&c, want_table, got_table, pattern);
		}
		for (int way = 0; way < 3; way++) {
			fill_chain(&c, other ? fifth : root, way);
			check_one_transform(&c, want_table, got_table, PATTERNS + (unsigned)way);
		}
	}
	free(want_table);
	free(got_table);
	return finish(&c);
}
