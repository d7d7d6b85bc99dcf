/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/interval.h"

#include <math.h>

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), by the method of Lentz. Converges
 * fast for x < (a + 1) / (a + b + 2). */
static double fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double c = 1, d = 1 / fmax(1 - (a + b) * x / (a + 1), tiny), value = d;

	for (int m = 1; m < 100000; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));

		d = 1 / (1 + even * d);
		c = 1 + even / c;
		value *= c * d;
		d = 1 / (1 + odd * d);
		c = 1 + odd / c;
		value *= c * d;
		if (fabs(c * d - 1) < 1e-15)
			break;
	}
	return value;
}

static double incomplete_beta(double a, double b, double x)
{
	double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));

	return x < (a + 1) / (a + b + 2) ? front * fraction(a, b, x) / a
					 : 1 - front * fraction(b, a, 1 - x) / b;
}

double interval_binomial_tail(uint64_t hits, uint64_t trials, double p)
{
	return p <= 0 ? 0 : p >= 1 ? 1 : incomplete_beta((double)hits, (double)(trials - hits) + 1, p);
}

/* The p at which `hits` or more come up with probability alpha. */
static double solve(uint64_t hits, uint64_t trials, double alpha)
{
	double low = 0, high = 1;

	for (int i = 0; i < 100; i++) {
		double middle = (low + high) / 2;

		if (interval_binomial_tail(hits, trials, middle) < alpha)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void interval_clopper_pearson(double *low, double *high, uint64_t hits, uint64_t trials, double alpha)
{
	*low = hits == 0 ? 0 : solve(hits, trials, alpha);
	*high = hits == trials ? 1 : solve(hits + 1, trials, 1 - alpha);
}
