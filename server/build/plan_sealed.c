/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/error.h"
#include "build/plan.h"
#include "silent/sealed.h"

/* Bytes of a search, the static half included: words, keys, and packs of both halves. */
static size_t traffic(const struct rlwe_params *p, uint32_t shards, uint32_t room, uint32_t dim)
{
	const size_t n = (size_t)1 << p->log_n, rows = ((size_t)shards * dim + n - 1) / n * n,
		     packs = room / n;

	return (rows * p->upload_bits + n * (p->g.digits * p->g.key_bits + p->h.digits * p->h.key_bits +
						    packs * (p->reply_c1_bits + p->reply_c0_bits))) /
	       8;
}

/* Shards of that number, none of which must hold rows that are nearer to another: a fiftieth to spare. */
static struct plan_sealed shape(const struct rlwe_params *p, uint32_t shards, uint32_t rows, uint32_t dim)
{
	const double n = ldexp(1, (int)p->log_n), spare = shards > 1 ? 1.02 : 1;
	struct plan_sealed s = {.shards = shards};

	s.room = (uint32_t)(ceil(spare * rows / shards / n) * n);
	s.bytes = traffic(p, shards, s.room, dim);
	return s;
}

enum veil_status plan_sealed(struct plan_sealed *plan, const struct rlwe_params *p, uint32_t asked,
	uint32_t rows, uint32_t dim, struct veil_error *err)
{
	const uint32_t most = SILENT_MAX_ROWS / dim;

	if (asked > most || most == 0)
		return error_set(err, VEIL_E_INVALID,
			"--shards %u: of kind sealed at most %u of dimension %u", asked, most, dim);
	*plan = shape(p, asked ? asked : 1, rows, dim);
	for (uint32_t shards = 2; !asked && shards <= most && shards <= rows; shards *= 2) {
		const struct plan_sealed s = shape(p, shards, rows, dim);

		if (s.bytes < plan->bytes)
			*plan = s;
	}
	return VEIL_OK;
}
