/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "parity.h"
#include "support/test.h"

/* The scan and apply against their sums, written down element by element with the offsets of scan.h. */

static void *block(size_t size)
{
	void *p = aligned_alloc(64, (size + 63) / 64 * 64);

	REQUIRE(p);
	return p;
}

/* Words at which a split into parts carries, often. */
static uint64_t word(const struct rng *rng, unsigned bits)
{
	static const uint64_t edges[] = {0, 1, 127, 128, 255, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffff7fff, 0xffff8000, 0xffffffff, 0xff80000000, 0xffffffff7f, 0xffffffffff};
	uint64_t x;

	rng_fill(rng, &x, sizeof x);
	if (test_below(rng, 4) == 0)
		x = edges[test_below(rng, sizeof edges / sizeof *edges)];
	return x & (((uint64_t)1 << bits) - 1);
}

static unsigned scan_case(const struct kernels_scan *k, size_t outputs, size_t rows, unsigned queries,
	bool extreme, const struct rng *rng)
{
	int8_t *table = block(outputs * rows);
	void *prepared = block(queries * rows * 4);
	uint32_t *words[KERNELS_SCAN_QUERIES], *sums[KERNELS_SCAN_QUERIES];
	unsigned differences = 0;

	rng_fill(rng, table, outputs * rows);
	if (extreme)
		memset(table, -128, outputs * rows);
	for (unsigned v = 0; v < queries; v++) {
		words[v] = block(rows * 4);
		sums[v] = block(outputs * 4);
		for (size_t i = 0; i < rows; i++)
			words[v][i] = (uint32_t)word(rng, 32);
	}
	k->scan_prepare(prepared, (const uint32_t *const *)words, queries, rows);
	k->scan(sums, table, outputs, rows, prepared, queries);
	for (unsigned v = 0; v < queries; v++) {
		for (size_t o = 0; o < outputs; o++) {
			uint32_t sum = 0;

			for (size_t i = 0; i < rows; i++)
				sum += (uint32_t)table[kernels_scan_offset(rows, outputs, i, o)] *
				       words[v][i];
			differences += sum != sums[v][o];
		}
		free(words[v]);
		free(sums[v]);
	}
	free(table);
	free(prepared);
	return differences;
}

static unsigned apply_case(const struct kernels_scan *k, size_t outputs, size_t terms, unsigned queries,
	bool extreme, const struct rng *rng)
{
	int32_t *matrix = block(outputs * terms * sizeof *matrix);
	uint64_t *words = block(terms * 8), *sums[KERNELS_SCAN_QUERIES];
	void *prepared[KERNELS_SCAN_QUERIES];
	unsigned differences = 0;

	for (size_t i = 0; i < outputs * terms; i++)
		matrix[i] = extreme ? 1 - KERNELS_APPLY_LIMIT
				    : (int32_t)test_below(rng, 2 * KERNELS_APPLY_LIMIT - 1) -
					      (KERNELS_APPLY_LIMIT - 1);
	for (unsigned v = 0; v < queries; v++) {
		for (size_t t = 0; t < terms; t++)
			words[t] = extreme ? 128 : word(rng, KERNELS_APPLY_BITS);
		prepared[v] = block(terms * 8);
		sums[v] = block(outputs * 8);
		k->apply_prepare(prepared[v], words, terms);
	}
	k->apply(sums, matrix, outputs, terms, (const void *const *)prepared, queries);
	for (size_t o = 0; o < outputs; o++) { /* the last query: each has its own words */
		uint64_t sum = 0;

		for (size_t t = 0; t < terms; t++)
			sum += (uint64_t)(int64_t)matrix[kernels_apply_offset(terms, o, t)] * words[t];
		differences += sums[queries - 1][o] != (sum & (((uint64_t)1 << KERNELS_APPLY_BITS) - 1));
	}
	for (unsigned v = 0; v < queries; v++) { /* and a pass of several is as many passes of one */
		uint64_t *alone = block(outputs * 8);

		k->apply(&alone, matrix, outputs, terms, (const void *const *)&prepared[v], 1);
		differences += memcmp(alone, sums[v], outputs * 8) != 0;
		free(alone);
	}
	for (unsigned v = 0; v < queries; v++)
		free(prepared[v]), free(sums[v]);
	free(matrix);
	free(words);
	return differences;
}

unsigned parity_check_scan(const struct kernels_scan *candidate, const struct rng *rng)
{
	static const size_t rows[] = {64, 192, 1024, 1088, 2112}, outputs[] = {4, 20, 64};
	unsigned differences = 0;

	for (unsigned queries = 1; queries <= KERNELS_SCAN_QUERIES; queries *= 2)
		for (size_t o = 0; o < 3; o++) {
			for (size_t r = 0; r < 5; r++)
				for (int extreme = 0; extreme < 2; extreme++)
					differences += scan_case(
						candidate, outputs[o], rows[r], queries, extreme, rng);
			for (size_t terms = 16; terms <= 1024; terms *= 4)
				for (int extreme = 0; extreme < 2; extreme++)
					differences += apply_case(
						candidate, 16 * (o + 1), terms, queries, extreme, rng);
		}
	return differences;
}
