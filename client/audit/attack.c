/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/attack.h"

#include <math.h>

#include "audit/interval.h"

/* ln(f(x - s) / f(x)). */
static double loss_of(const struct privacy_law *law, uint32_t x, uint32_t s)
{
	double loss = -(double)s * log(law->p);

	if (x < s)
		return -INFINITY;
	for (uint32_t i = 0; i < s; i++)
		loss += log((x - i) / ((double)(x - i) - 1 + law->r));
	return loss;
}

double attack_loss(const struct attack *a, uint32_t first, uint32_t second)
{
	double of_first = loss_of(&a->law, first, a->moved), of_second = loss_of(&a->law, second, a->moved);

	if (of_first == -INFINITY) /* the first world cannot have it; both impossible does not come up */
		return -INFINITY;
	return of_first - of_second;
}

/* The probability of a loss above `threshold` in each world. */
static void expect(double out[2], const struct attack *a, const struct privacy_table *t, double threshold)
{
	uint32_t end = t->count + a->moved;

	out[0] = out[1] = 0;
	for (uint32_t x = 0; x < end; x++) {
		double first = x >= a->moved ? (double)(t->first * t->weight[x - a->moved]) : 0;
		double second = x < t->count ? (double)(t->first * t->weight[x]) : 0;

		for (uint32_t y = 0; y < end; y++) {
			if (!(attack_loss(a, x, y) > threshold))
				break; /* falls with y */
			out[0] += y < t->count ? first * (double)(t->first * t->weight[y]) : 0;
			out[1] += y >= a->moved ? second * (double)(t->first * t->weight[y - a->moved]) : 0;
		}
	}
}

static double bound(const struct attack *a, const uint64_t hits[2])
{
	double low, high, other;

	interval_clopper_pearson(&low, &other, hits[0], 2 * a->epochs, a->alpha);
	interval_clopper_pearson(&other, &high, hits[1], 2 * a->epochs, a->alpha);
	return low > a->delta ? fmax(log((low - a->delta) / high), 0) : 0;
}

enum veil_status attack_init(struct attack *a, const struct privacy_law *law, uint32_t moved, double eps,
	double delta, uint64_t epochs, double confidence, struct veil_error *err)
{
	struct privacy_table table;
	double best = -1;
	enum veil_status st = privacy_table_init(&table, law, 1e-12, err);

	*a = (struct attack){.law = *law, .moved = moved, .epochs = epochs, .claim = eps, .delta = delta};
	a->alpha = (1 - confidence) / 2;
	for (double threshold = 0.05; st == VEIL_OK && threshold < 4; threshold += 0.05) {
		double p[2], here;

		expect(p, a, &table, threshold);
		here = bound(a, (uint64_t[]){(uint64_t)(p[0] * 2 * (double)epochs),
					(uint64_t)(p[1] * 2 * (double)epochs)});
		if (here > best) {
			best = here;
			a->test = threshold;
		}
	}
	privacy_table_clear(&table);
	return st;
}

void attack_look(const struct attack *a, struct attack_hits *hits, int world, uint32_t first, uint32_t second)
{
	double loss = attack_loss(a, first, second);

	hits->test[world] += loss > a->test;
	hits->test[!world] += -loss > a->test;
	hits->claim[world] += loss > a->claim;
	hits->claim[!world] += -loss > a->claim;
}

void attack_judge(struct attack_result *r, const struct attack *a, const struct attack_hits *h)
{
	double n = 2 * (double)a->epochs, low[2], high[2];

	r->eps = bound(a, h->test);
	r->eps_point =
		h->test[1] ? log(fmax((double)h->test[0] - a->delta * n, 0) / (double)h->test[1]) : INFINITY;
	interval_clopper_pearson(&low[0], &high[0], h->test[0], 2 * a->epochs, a->alpha);
	interval_clopper_pearson(&low[1], &high[1], h->test[1], 2 * a->epochs, a->alpha);
	r->eps_high = low[1] > 0 ? log(high[0] / low[1]) : INFINITY;
	interval_clopper_pearson(&low[0], &high[0], h->claim[0], 2 * a->epochs, a->alpha);
	interval_clopper_pearson(&low[1], &high[1], h->claim[1], 2 * a->epochs, a->alpha);
	r->delta = fmax(low[0] - exp(a->claim) * high[1], 0);
	r->delta_point = fmax(((double)h->claim[0] - exp(a->claim) * (double)h->claim[1]) / n, 0);
}
