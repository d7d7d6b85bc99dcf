/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "parity.h"
#include "support/test.h"

/* dot and permute. */

#define MAX_N 64
#define MAX_TERMS 70
#define AROUND 64 /* poisoned bytes before and after */

struct rows {
	_Alignas(64) uint8_t a[MAX_TERMS][MAX_N * 8 + AROUND], b[MAX_TERMS][MAX_N * 8 + AROUND];
};

static struct rows rows;
static _Alignas(64) uint8_t want[MAX_N * 8 + 2 * AROUND], got[sizeof want];

static void put(void *at, size_t i, uint64_t value, unsigned width)
{
	if (width == 4)
		((uint32_t *)at)[i] = (uint32_t)value;
	else
		((uint64_t *)at)[i] = value;
}

static unsigned report(const struct kernels *reference, const struct kernels *candidate, uint64_t q,
	const char *what, size_t n)
{
	if (memcmp(want, got, sizeof want) == 0)
		return 0;
	fprintf(stderr, "# %s is not %s, q=%llu: %s, n=%zu\n", candidate->name, reference->name,
		(unsigned long long)q, what, n);
	return 1;
}

static unsigned check_dot(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, size_t terms, size_t n, const struct rng *rng)
{
	const unsigned width = p->width;
	const size_t offset = test_below(rng, AROUND / width);
	const bool largest = test_below(rng, 4) == 0;
	const void *a[MAX_TERMS], *b[MAX_TERMS];

	for (size_t t = 0; t < terms; t++) {
		uint8_t *x = rows.a[t] + offset * width, *y = rows.b[t] + test_below(rng, 2) * width;

		for (size_t i = 0; i < n; i++) {
			put(x, i, largest ? p->q - 1 : test_residue(rng, p->q), width);
			put(y, i, largest ? p->q - 1 : test_residue(rng, p->q), width);
		}
		a[t] = x;
		b[t] = y;
	}
	memset(want, 0xa5, sizeof want);
	memset(got, 0xa5, sizeof got);
	reference->dot(want + AROUND, a, b, terms, n, p);
	if (offset % 2) { /* over one of the rows */
		a[terms - 1] = memcpy(got + AROUND, a[terms - 1], n * width);
	}
	candidate->dot(got + AROUND, a, b, terms, n, p);
	return report(reference, candidate, p->q, "dot", n);
}

/* Groups of eight in any order, and any of its residues for each place of one. */
static unsigned check_permute(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, size_t n, const struct rng *rng)
{
	uint32_t map[MAX_N];
	uint8_t *src = rows.a[0];

	for (size_t i = 0; i < n; i++) {
		const size_t group = n < 8 ? 0 : i % 8 ? map[i - 1] / 16 : test_below(rng, n / 8);

		map[i] = (uint32_t)(2 * (8 * group + test_below(rng, n < 8 ? n : 8)) + test_below(rng, 2));
		put(src, i, test_residue(rng, p->q), p->width);
	}
	memset(want, 0xa5, sizeof want);
	memset(got, 0xa5, sizeof got);
	reference->permute(want + AROUND, src, map, n);
	candidate->permute(got + AROUND, src, map, n);
	return report(reference, candidate, p->q, "permute", n);
}

unsigned parity_check_rows(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, const struct rng *rng)
{
	const uint64_t limit = kernels_mac_limit(p);
	unsigned differences = 0;

	for (size_t n = 1; n <= MAX_N; n += n < 20 ? 1 : 11)
		for (size_t terms = 1; terms <= MAX_TERMS && terms <= limit; terms += terms < 5 ? 1 : 13)
			differences += check_dot(reference, candidate, p, terms, n, rng);
	for (size_t n = 1; n <= MAX_N; n *= 2)
		for (int round = 0; round < 4; round++)
			differences += check_permute(reference, candidate, p, n, rng);
	return differences;
}
