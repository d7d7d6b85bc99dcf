/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/sealed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "silent/noise.h"

static enum veil_status check_spec(const struct silent_sealed_spec *s, struct veil_error *err)
{
	if (s->params->use != RLWE_USE_SEALED)
		return error_set(
			err, VEIL_E_INVALID, "parameter set %s is not for sealed search", s->params->name);
	if (s->clusters < 1 || s->dim < 1 || (uint64_t)s->clusters * s->dim > SILENT_MAX_ROWS)
		return error_set(err, VEIL_E_INVALID,
			"%u clusters of dimension %u: their product is not in 1..%u; take fewer clusters",
			s->clusters, s->dim, SILENT_MAX_ROWS);
	if (s->rows < 1 || s->rows > (uint32_t)SILENT_MAX_PACKS << s->params->log_n)
		return error_set(err, VEIL_E_INVALID, "clusters of %u documents: not in 1..%u", s->rows,
			(uint32_t)SILENT_MAX_PACKS << s->params->log_n);
	if (!isfinite(s->scale) || s->scale <= 0 || s->row_norm < 1)
		return error_set(err, VEIL_E_INVALID, "a scale of %g and norms up to %u: not both positive",
			(double)s->scale, s->row_norm);
	/* a longer one would come back as its opposite */
	if (s->row_norm > SILENT_SEALED_GUARD * (double)s->scale)
		return error_set(err, VEIL_E_INVALID,
			"a document of norm %u is longer than %.2f times the scale of %.3f: its score could "
			"wrap around; normalise the vectors, or take those out that int8 cannot hold",
			s->row_norm, SILENT_SEALED_GUARD, (double)s->scale);
	return VEIL_OK;
}

enum veil_status silent_sealed_create(struct silent_sealed **out, const struct silent_sealed_spec *spec,
	unsigned features, struct veil_error *err)
{
	enum veil_status st = check_spec(spec, err);
	struct silent_spec table = {.params = spec->params, .allow_insecure = spec->allow_insecure};
	const uint32_t log_n = spec->params->log_n, below = (1u << log_n) - 1;
	struct silent_sealed *s;

	*out = NULL;
	if (st != VEIL_OK)
		return st;
	s = calloc(1, sizeof *s);
	if (!s)
		return error_set(err, VEIL_E_NOMEM, "no memory for a context of sealed search");
	s->spec = *spec;
	table.rows = (spec->clusters * spec->dim + below) & ~below;
	table.packs = (spec->rows + below) >> log_n;
	memcpy(table.seed, spec->seed, sizeof table.seed);
	st = silent_context_create(&s->ctx, &table, features, err);
	if (st != VEIL_OK) {
		silent_sealed_destroy(s);
		return st;
	}
	s->unit = 2 * SILENT_SEALED_HEAD;
	s->amplitude = (double)s->ctx->prime->p.q / (s->unit * (double)spec->scale);
	*out = s;
	return VEIL_OK;
}

void silent_sealed_destroy(struct silent_sealed *s)
{
	if (!s)
		return;
	silent_context_destroy(s->ctx);
	free(s);
}

_Static_assert(RING_SEED_BYTES == HASH_BYTES, "a seed is a hash");

void silent_sealed_seed(uint8_t seed[RING_SEED_BYTES], const uint8_t id[HASH_BYTES])
{
	uint8_t text[13 + HASH_BYTES] = "veil/sealed/1";

	memcpy(text + 13, id, HASH_BYTES);
	hash_sha256(seed, text, sizeof text);
}

void silent_sealed_fill(const struct silent_sealed *s, int8_t *table, uint32_t pack, uint32_t cluster,
	const int8_t *rows, uint32_t used)
{
	const uint32_t n = s->ctx->n, dim = s->spec.dim;

	for (uint32_t v = pack * n; v < used && v < (pack + 1) * n; v++)
		for (uint32_t j = 0; j < dim; j++)
			table[silent_offset(s->ctx, cluster * dim + j, v)] = rows[(size_t)v * dim + j];
}

double silent_sealed_error(const struct silent_sealed *s, double rms)
{
	struct silent_noise noise;

	silent_noise(&noise, s->ctx, rms);
	return s->unit * hypot(noise.total, noise.step / sqrt(12));
}
