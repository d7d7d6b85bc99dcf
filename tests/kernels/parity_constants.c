/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "parity.h"
#include "support/test.h"

/* affine, mul_add, sub_mul: from residues of smaller and larger moduli of both widths. */

#define MAX_N 100
#define AROUND 256 /* poisoned bytes before and after */

static const uint64_t sources[] = {3, 65537, 268369921, ((uint64_t)1 << 30) - 1, ((uint64_t)1 << 30) + 1,
	2147483647, 2147483649, 274876334081, 36028797018652673, ((uint64_t)1 << 62) - 1};

struct operands {
	const struct kernels_prime *p, *from;
	_Alignas(64) uint8_t a[MAX_N * 8 + AROUND], b[MAX_N * 8 + AROUND];
	size_t n, offset; /* in words */
	uint64_t w, k, half;
};

static void fill(void *at, size_t n, const struct kernels_prime *p, const struct rng *rng)
{
	for (size_t i = 0; i < n; i++) {
		const uint64_t value = test_residue(rng, p->q);

		if (p->width == 4)
			((uint32_t *)at)[i] = (uint32_t)value;
		else
			((uint64_t *)at)[i] = value;
	}
}

enum in_place { APART, OVER_A, OVER_B, IN_PLACES };

/* One kernel of one table, into poisoned memory. */
static void apply(
	const struct kernels *k, unsigned which, enum in_place place, uint8_t *out, const struct operands *o)
{
	const size_t width = o->p->width;
	const uint8_t *a = o->a + o->offset * width, *b = o->b + o->offset * o->from->width;
	uint8_t *dst = out + AROUND / 2 + o->offset * width;

	memset(out, 0xa5, MAX_N * 8 + 2 * AROUND);
	if (place == OVER_A)
		a = memcpy(dst, a, o->n * width);
	if (place == OVER_B)
		b = memcpy(dst, b, o->n * width);
	if (which == 0)
		k->affine(dst, b, o->n, o->w, o->k, o->p, o->from);
	else if (which == 1)
		k->mul_add(dst, a, b, o->n, o->w, o->k, o->p, o->from);
	else
		k->sub_mul(dst, a, b, o->n, o->w, o->half, o->p, o->from);
}

static unsigned compare(
	const struct kernels *reference, const struct kernels *candidate, const struct operands *o)
{
	static const char *const names[] = {"affine", "mul_add", "sub_mul"};
	static _Alignas(64) uint8_t want[MAX_N * 8 + 2 * AROUND], got[sizeof want];
	unsigned differences = 0;

	for (unsigned which = 0; which < 3; which++) {
		for (enum in_place place = APART; place < IN_PLACES; place++) {
			if ((place == OVER_A && which == 0) ||
				(place == OVER_B && o->from->width != o->p->width))
				continue;
			apply(reference, which, APART, want, o);
			apply(candidate, which, place, got, o);
			if (memcmp(want, got, sizeof want) == 0)
				continue;
			fprintf(stderr, "# %s is not %s, q=%llu from %llu: %s, n=%zu, in place %d\n",
				candidate->name, reference->name, (unsigned long long)o->p->q,
				(unsigned long long)o->from->q, names[which], o->n, (int)place);
			differences++;
		}
	}
	return differences;
}

unsigned parity_check_constants(const struct kernels *reference, const struct kernels *candidate,
	const struct kernels_prime *p, const struct rng *rng)
{
	unsigned differences = 0;

	for (size_t s = 0; s <= sizeof sources / sizeof *sources; s++) {
		for (size_t n = 1; n <= MAX_N; n += n < 20 ? 1 : 16) {
			struct operands o = {.p = p, .n = n, .offset = test_below(rng, 17)};
			struct kernels_prime from = *p;

			if (s < sizeof sources / sizeof *sources)
				kernels_prime_init(&from, sources[s]);
			o.from = &from;
			o.w = test_residue(rng, p->q);
			o.k = test_residue(rng, p->q);
			o.half = test_below(rng, 3) ? from.q / 2 : from.q;
			fill(o.a + o.offset * p->width, n, p, rng);
			fill(o.b + o.offset * from.width, n, &from, rng);
			if (test_below(rng, 4) == 0) /* right at the bound of sub_mul */
				for (size_t i = 0; i < n; i++)
					memcpy(o.b + (o.offset + i) * from.width,
						&(uint64_t){from.q / 2 + i % 2}, from.width);
			differences += compare(reference, candidate, &o);
		}
	}
	return differences;
}
