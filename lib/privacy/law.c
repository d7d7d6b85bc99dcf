/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/law.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/require.h"

double privacy_law_mean(const struct privacy_law *law)
{
	return law->r * law->p / (1 - law->p);
}

double privacy_law_deviation(const struct privacy_law *law)
{
	return sqrt(law->r * law->p) / (1 - law->p);
}

/* f(k) / f(k - 1): falls with k, as r >= 1. */
static long double ratio(const struct privacy_law *law, uint32_t k)
{
	return ((long double)law->r + (k - 1)) / k * law->p;
}

/* The terms beyond k sum to at most f(k) q / (1 - q), q = f(k + 1) / f(k), for the ratios only fall. */
static long double tail_beyond(const struct privacy_law *law, long double term, uint32_t k)
{
	long double q = ratio(law, k + 1);

	return q < 1 ? term * q / (1 - q) * (1 + 0x1p-40L) : 1;
}

/* Grows by halves: the number of terms is not known before. */
static long double *grow(long double *weight, uint32_t *room)
{
	uint32_t more = *room + *room / 2 + 1024;
	long double *bigger = realloc(weight, more * sizeof *weight);

	if (bigger)
		*room = more;
	return bigger;
}

enum veil_status privacy_table_init(
	struct privacy_table *table, const struct privacy_law *law, double tail, struct veil_error *err)
{
	struct privacy_table t = {.law = *law};
	uint32_t room = 0;

	*table = (struct privacy_table){0};
	REQUIRE(law->r >= 1 && law->r <= PRIVACY_MAX_R && law->p > 0 && law->p < 1 && tail > 0);
	/* The exponent is below 2^14, wrong by a few units in its last place; rounded up. */
	t.first = expl(law->r * log1pl(-(long double)law->p)) * (1 + 0x1p18L * LDBL_EPSILON);
	if (t.first < LDBL_MIN)
		return error_set(err, VEIL_E_INVALID, "noise of r = %.6g, p = %.6g has no term that is kept",
			law->r, law->p);
	for (uint32_t k = 0;; k++) {
		if (k == room) {
			long double *bigger = k < PRIVACY_MAX_COUNT ? grow(t.weight, &room) : NULL;

			if (!bigger) {
				free(t.weight);
				return k < PRIVACY_MAX_COUNT
					       ? error_set(err, VEIL_E_NOMEM, "no memory for noise")
					       : error_set(err, VEIL_E_INVALID,
							 "noise of r = %.6g, p = %.6g: more than %u terms",
							 law->r, law->p, PRIVACY_MAX_COUNT);
			}
			t.weight = bigger;
		}
		t.weight[k] = k ? t.weight[k - 1] * ratio(law, k) : 1;
		t.count = k + 1;
		t.tail = tail_beyond(law, t.first * t.weight[k], k);
		if (t.tail <= tail)
			break;
	}
	t.error = (long double)t.count * 4 * LDBL_EPSILON; /* roundings of a term */
	*table = t;
	return VEIL_OK;
}

void privacy_table_clear(struct privacy_table *table)
{
	if (!table)
		return;
	free(table->weight);
	*table = (struct privacy_table){0};
}

static long double weight(const struct privacy_table *t, uint32_t x, uint32_t shift)
{
	return x >= shift && x - shift < t->count ? t->weight[x - shift] : 0;
}

/* A term is positive where f(x1 - s) / f(x1) times f(x2) / f(x2 - s) is above e^eps. The first grows with x1,
 * the second falls with x2: for each x1 that are the x2 below an edge that only moves up.
 *
 * Rounding: each of the two sums is right within the factor 1 +- slack. Where the edge is a place off, the
 * terms left out or taken in too much are within slack of zero, relative to their mass under the first world:
 * all of them together are below 2 slack. Terms beyond the table add at most its tail, once for each count.
 */
double privacy_table_delta(const struct privacy_table *t, double eps, uint32_t moved)
{
	long double sum1 = 0, sum2 = 0, below1 = 0, below2 = 0, delta, slack, e;
	uint32_t edge = 0, end = t->count + moved;

	REQUIRE(eps >= 0 && moved >= 1);
	slack = 4 * t->error + 8 * (long double)end * LDBL_EPSILON;
	e = expl(nextafter(eps, 0)) * (1 - 4 * LDBL_EPSILON);
	for (uint32_t x = moved; x < end; x++) {
		long double here = weight(t, x, moved), there = e * weight(t, x, 0);

		while (edge < t->count && here * weight(t, edge, 0) > there * weight(t, edge, moved)) {
			below1 += weight(t, edge, 0);
			below2 += weight(t, edge, moved);
			edge++;
		}
		sum1 += here * below1;
		sum2 += there * below2;
	}
	delta = t->first * t->first * (sum1 * (1 + slack) - sum2 * (1 - slack)) + 2 * slack + 2 * t->tail;
	return delta < 1 ? nextafter((double)delta, 1) : 1;
}
