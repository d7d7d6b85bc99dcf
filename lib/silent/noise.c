/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/noise.h"

#include <math.h>

/* What one switch of a gadget adds to a coefficient: the errors of its keys and their rounding to key_bits,
 * times the digits, and what the gadget dropped, times a ternary secret. */
static double switch_variance(const struct rlwe_gadget *g, double n, double q)
{
	double unit = q / ldexp(1, (int)g->key_bits);
	double key = RLWE_CBD21_VARIANCE + unit * unit / 12;

	return n * (g->digits * ldexp(key, 2 * (int)g->bits) + ldexp(2.0 / 3, 2 * (int)g->drop)) / 12;
}

void silent_noise(struct silent_noise *noise, const struct silent_context *ctx, double rms)
{
	const struct rlwe_params *p = ctx->spec.params;
	double n = ctx->n, q = (double)ctx->prime->p.q;
	double unit = q / ldexp(1, (int)p->upload_bits);
	double scan = ctx->spec.rows * rms * rms * (RLWE_CBD21_VARIANCE + unit * unit / 12);
	double pack = (n - 2) * switch_variance(&p->g, n, q) + switch_variance(&p->h, n, q);
	double reply = n / 18 * ldexp(1, -2 * (int)p->reply_c1_bits);

	noise->scan = sqrt(scan);
	noise->pack = sqrt(pack);
	noise->reply = sqrt(reply);
	noise->step = ldexp(1, -(int)p->reply_c0_bits);
	noise->total = sqrt((scan + pack) / (q * q) + reply);
}

double silent_failure_log2(const struct silent_context *ctx)
{
	struct silent_noise noise;
	double room, sigmas;

	silent_noise(&noise, ctx, 128);
	room = ldexp(1, -SILENT_PLAIN_BITS - 1) - noise.step / 2;
	if (room <= 0)
		return 0;
	sigmas = room / noise.total;
	/* 2 exp(-s^2 / 2) a coefficient */
	return 1 - sigmas * sigmas / 2 / log(2) + log2((double)ctx->spec.packs * ctx->n);
}
