/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/pld.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

#define CUT 1e-22 /* mass that trimming may move at either end, each time */

static enum veil_status reserve(struct privacy_pld *pld, double step, long low, size_t count)
{
	double *mass = calloc(count, sizeof *mass);

	*pld = (struct privacy_pld){0};
	if (!mass)
		return VEIL_E_NOMEM;
	*pld = (struct privacy_pld){.step = step, .low = low, .count = count, .mass = mass};
	return VEIL_OK;
}

void privacy_pld_clear(struct privacy_pld *pld)
{
	if (!pld)
		return;
	free(pld->mass);
	*pld = (struct privacy_pld){0};
}

enum veil_status privacy_pld_init_nothing(struct privacy_pld *pld, double step)
{
	enum veil_status st = reserve(pld, step, 0, 1);

	if (st == VEIL_OK)
		pld->mass[0] = 1;
	return st;
}

/* Both ends carry next to nothing: what is below goes up, what is above is taken as infinite. */
static void trim(struct privacy_pld *pld)
{
	double below = 0, above = 0;
	size_t first = 0, last = pld->count;

	while (first + 1 < last && below + pld->mass[first] <= CUT)
		below += pld->mass[first++];
	while (last > first + 1 && above + pld->mass[last - 1] <= CUT)
		above += pld->mass[--last];
	memmove(pld->mass, pld->mass + first, (last - first) * sizeof *pld->mass);
	pld->count = last - first;
	pld->low += (long)first;
	pld->mass[0] += below;
	pld->infinite += above;
}

/* Mass `mass` of loss `loss`, split over the two points of the grid around it: the part w of the upper one
 * has w e^-step + (1 - w) = e^-(loss - lower point), so that the second world's mass is kept. */
static void add(struct privacy_pld *pld, double loss, double mass)
{
	double at = floor(loss / pld->step), over = loss - at * pld->step;
	double w = expm1(-over) / expm1(-pld->step);
	long i = (long)at - pld->low;

	REQUIRE(i >= 0 && (size_t)i + 1 < pld->count);
	w = w < 0 ? 0 : w > 1 ? 1 : w;
	pld->mass[i + 1] += mass * w;
	pld->mass[i] += mass * (1 - w);
}

/* ln(f(x - s) / f(x)), for x >= s: grows with x, as r >= 1, towards -s ln p. */
static double loss_of(const struct privacy_law *law, uint32_t x, uint32_t s)
{
	long double loss = -(long double)s * logl(law->p);

	for (uint32_t i = 0; i < s; i++)
		loss += logl((x - i) / ((long double)(x - i - 1) + law->r));
	return (double)loss;
}

/* The mass of one count and its loss. PRIVACY_LEAVE: the first world has x = z + s. PRIVACY_COME: x = z,
 * which the second world cannot have below s. */
static void add_all(
	struct privacy_pld *pld, const struct privacy_table *t, enum privacy_side side, uint32_t moved)
{
	double up = 1 + (double)t->error + 0x1p-50;

	for (uint32_t z = 0; z < t->count; z++) {
		double mass = (double)(t->first * t->weight[z]) * up;

		/* what an error of 2^-40 in a loss does is less than what 2^-40 more of the loss does */
		if (side == PRIVACY_LEAVE)
			add(pld, loss_of(&t->law, z + moved, moved) + 0x1p-40, mass);
		else if (z < moved)
			pld->infinite += mass;
		else
			add(pld, -loss_of(&t->law, z, moved) + 0x1p-40, mass);
	}
	pld->infinite += (double)t->tail * (1 + 0x1p-50);
}

enum veil_status privacy_pld_init(struct privacy_pld *pld, const struct privacy_table *table,
	enum privacy_side side, uint32_t moved, double step)
{
	double least = loss_of(&table->law, moved, moved), most = -(double)moved * log(table->law.p), swap;
	enum veil_status st;
	long low;

	*pld = (struct privacy_pld){0};
	if (side == PRIVACY_COME) {
		swap = least;
		least = -most;
		most = -swap;
	}
	low = (long)floor(least / step) - 1;
	st = reserve(pld, step, low, (size_t)((long)ceil(most / step) + 3 - low));
	if (st != VEIL_OK)
		return st;
	add_all(pld, table, side, moved);
	trim(pld);
	return VEIL_OK;
}

enum veil_status privacy_pld_init_epoch(
	struct privacy_pld *pld, const struct privacy_table *table, uint32_t moved, double step)
{
	struct privacy_pld leave = {0}, come = {0};
	enum veil_status st = privacy_pld_init(&leave, table, PRIVACY_LEAVE, moved, step);

	*pld = (struct privacy_pld){0};
	if (st == VEIL_OK)
		st = privacy_pld_init(&come, table, PRIVACY_COME, moved, step);
	if (st == VEIL_OK)
		st = privacy_pld_compose(pld, &leave, &come);
	privacy_pld_clear(&leave);
	privacy_pld_clear(&come);
	return st;
}

/* Twice the step: a point in the middle of two is split over them. */
static enum veil_status coarsen(struct privacy_pld *out, const struct privacy_pld *a)
{
	long low = a->low >= 0 ? a->low / 2 : -((1 - a->low) / 2);
	double w = expm1(-a->step) / expm1(-2 * a->step) * (1 + 0x1p-50);
	enum veil_status st = reserve(out, 2 * a->step, low, a->count / 2 + 3);

	if (st != VEIL_OK)
		return st;
	for (size_t i = 0; i < a->count; i++) {
		long at = a->low + (long)i - 2 * low;

		if (at % 2) {
			out->mass[at / 2 + 1] += a->mass[i] * w;
			out->mass[at / 2] += a->mass[i] * (1 - w) * (1 + 0x1p-50);
		} else {
			out->mass[at / 2] += a->mass[i];
		}
	}
	out->infinite = a->infinite;
	trim(out);
	return VEIL_OK;
}

/* *a made coarse until its step is `step` and it has at most `cells`; whoever calls owns what comes out. */
static enum veil_status coarsen_to(
	struct privacy_pld *out, const struct privacy_pld *a, double step, size_t cells)
{
	struct privacy_pld next;
	enum veil_status st = reserve(out, a->step, a->low, a->count);

	if (st != VEIL_OK)
		return st;
	memcpy(out->mass, a->mass, a->count * sizeof *a->mass);
	out->infinite = a->infinite;
	while (out->step < step * 0.75 || out->count > cells) {
		st = coarsen(&next, out);
		privacy_pld_clear(out);
		if (st != VEIL_OK)
			return st;
		*out = next;
	}
	return VEIL_OK;
}

static enum veil_status convolve(
	struct privacy_pld *out, const struct privacy_pld *a, const struct privacy_pld *b)
{
	size_t shorter = a->count < b->count ? a->count : b->count;
	double up = 1 + (double)(shorter + 8) * DBL_EPSILON;
	enum veil_status st = reserve(out, a->step, a->low + b->low, a->count + b->count - 1);

	if (st != VEIL_OK)
		return st;
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			out->mass[i + j] += a->mass[i] * b->mass[j];
	for (size_t i = 0; i < out->count; i++)
		out->mass[i] *= up;
	out->infinite = (a->infinite + b->infinite * (1 - a->infinite)) * up;
	trim(out);
	return VEIL_OK;
}

enum veil_status privacy_pld_compose(
	struct privacy_pld *out, const struct privacy_pld *a, const struct privacy_pld *b)
{
	struct privacy_pld x = {0}, y = {0};
	double step = a->step > b->step ? a->step : b->step;
	enum veil_status st;

	*out = (struct privacy_pld){0};
	st = coarsen_to(&x, a, step, PRIVACY_PLD_CELLS / 2);
	if (st == VEIL_OK)
		st = coarsen_to(&y, b, x.step, PRIVACY_PLD_CELLS / 2);
	if (st == VEIL_OK && x.step < y.step * 0.75) {
		privacy_pld_clear(&x);
		st = coarsen_to(&x, a, y.step, PRIVACY_PLD_CELLS / 2);
	}
	REQUIRE(st != VEIL_OK || x.step == y.step);
	if (st == VEIL_OK)
		st = convolve(out, &x, &y);
	privacy_pld_clear(&x);
	privacy_pld_clear(&y);
	return st;
}

/* *to = what *to and `by` show. */
static enum veil_status compose_into(struct privacy_pld *to, const struct privacy_pld *by)
{
	struct privacy_pld both;
	enum veil_status st = privacy_pld_compose(&both, to, by);

	if (st != VEIL_OK)
		return st;
	privacy_pld_clear(to);
	*to = both;
	return VEIL_OK;
}

enum veil_status privacy_pld_repeat(struct privacy_pld *out, const struct privacy_pld *a, uint64_t times)
{
	struct privacy_pld power = {0};
	enum veil_status st = privacy_pld_init_nothing(out, a->step);

	if (st == VEIL_OK)
		st = coarsen_to(&power, a, a->step, PRIVACY_PLD_CELLS);
	while (st == VEIL_OK && times) {
		if (times & 1)
			st = compose_into(out, &power);
		times >>= 1;
		if (st == VEIL_OK && times) {
			struct privacy_pld once;

			st = coarsen_to(&once, &power, power.step, PRIVACY_PLD_CELLS);
			if (st == VEIL_OK)
				st = compose_into(&power, &once);
			privacy_pld_clear(&once);
		}
	}
	privacy_pld_clear(&power);
	if (st != VEIL_OK)
		privacy_pld_clear(out);
	return st;
}

double privacy_pld_delta(const struct privacy_pld *pld, double eps)
{
	double sum = 0;

	for (size_t i = pld->count; i-- > 0;) {
		double loss = (double)(pld->low + (long)i) * pld->step;

		if (loss <= eps)
			break;
		sum += pld->mass[i] * -expm1(eps - loss);
	}
	sum = (sum + pld->infinite) * (1 + (double)(pld->count + 8) * DBL_EPSILON);
	return sum < 1 ? sum : 1;
}

/* With h the step and S(g) the mass of b above point g: delta_b(g) = (1 - e^-h) S(g) + e^-h delta_b(g + 1).
 */
double privacy_pld_delta_of_two(const struct privacy_pld *a, const struct privacy_pld *b, double eps)
{
	long k = (long)floor(eps / a->step * (1 + 0x1p-50)), top = b->low + (long)b->count - 1;
	long first = k - a->low > top ? k - a->low : top, last = k - a->low - (long)a->count + 1;
	double decay = exp(-a->step), rise = -expm1(-a->step), above = b->infinite, curve = b->infinite;
	double sum = a->infinite;

	REQUIRE(a->step == b->step);
	for (long g = first; g >= last; g--) {
		if (g < top && g + 1 >= b->low)
			above += b->mass[g + 1 - b->low];
		if (g < first)
			curve = rise * above + decay * curve;
		if (k - g >= a->low && k - g < a->low + (long)a->count)
			sum += a->mass[k - g - a->low] * curve;
	}
	sum *= 1 + (double)(a->count + b->count + 8) * 4 * DBL_EPSILON;
	return sum < 1 ? sum : 1;
}

static double mass_at(const struct privacy_pld *pld, long at)
{
	return at >= pld->low && at < pld->low + (long)pld->count ? pld->mass[at - pld->low] : 0;
}

/* Between two points of the grid both curves are straight in e^eps: the points are enough. */
double privacy_pld_excess(const struct privacy_pld *a, const struct privacy_pld *b)
{
	long end_a = a->low + (long)a->count, end_b = b->low + (long)b->count;
	long low = a->low < b->low ? a->low : b->low;
	double above_a = a->infinite, above_b = b->infinite, curve_a = a->infinite, curve_b = b->infinite;
	double decay = exp(-a->step), rise = -expm1(-a->step), most = curve_a - curve_b;

	REQUIRE(a->step == b->step);
	for (long g = (end_a > end_b ? end_a : end_b) - 1; g >= low - 1; g--) {
		above_a += mass_at(a, g + 1);
		above_b += mass_at(b, g + 1);
		curve_a = rise * above_a + decay * curve_a;
		curve_b = rise * above_b + decay * curve_b;
		most = fmax(most, curve_a - curve_b);
	}
	most = fmax(most, above_a - above_b); /* straight from there to e^eps = 0 */
	return most > 0 ? most + 0x1p-50 : 0;
}

double privacy_pld_eps(const struct privacy_pld *pld, double delta)
{
	double low = 0, high = (double)(pld->low + (long)pld->count) * pld->step;

	if (privacy_pld_delta(pld, 0) <= delta)
		return 0;
	if (privacy_pld_delta(pld, high) > delta)
		return INFINITY;
	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (privacy_pld_delta(pld, middle) <= delta)
			high = middle;
		else
			low = middle;
	}
	return high;
}
