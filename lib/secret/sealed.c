/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/sealed.h"

#include <math.h>
#include <stdlib.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "secret/silent.h"
#include "secret/unit.h"
#include "silent/digits.h"

struct secret_sealed {
	const struct silent_sealed *sealed;
	struct secret_silent *query;
	struct arena arena; /* of the vector, then of the phases */
};

/* The vector as residues, and whose rows it is for. */
struct selection {
	const struct silent_sealed *sealed;
	const uint64_t *residues; /* [dim] */
	uint32_t cluster;
};

static void fill(const void *state, uint32_t block, uint64_t *message)
{
	const struct selection *s = state;
	const uint32_t n = s->sealed->ctx->n, dim = s->sealed->spec.dim;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t row = block * n + i;

		message[i] = s->residues[row % dim] & ~ct_mask_nonzero(row / dim ^ s->cluster);
	}
}

static size_t room(const struct silent_sealed *s)
{
	const size_t vector =
		arena_room(s->spec.dim * sizeof(double)) + arena_room(s->spec.dim * sizeof(uint64_t));
	const size_t phases = arena_room((size_t)s->ctx->spec.packs * s->ctx->n * sizeof(uint32_t));

	return vector > phases ? vector : phases;
}

static enum veil_status encrypt(struct secret_sealed *q, const float *vector, uint32_t cluster,
	const struct rng *rng, struct veil_error *err)
{
	const struct silent_sealed *s = q->sealed;
	const uint32_t dim = s->spec.dim;
	double *x = arena_take(&q->arena, dim * sizeof *x);
	uint64_t *residues = arena_take(&q->arena, dim * sizeof *residues);
	const struct selection selection = {s, residues, cluster};
	const struct secret_silent_message message = {.fill = fill, .state = &selection};
	enum veil_status st;

	memset(x, 0, dim * sizeof *x);
	st = vector ? secret_unit(x, vector, dim, err) : VEIL_OK;
	for (uint32_t j = 0; j < dim; j++)
		residues[j] = silent_residue(secret_nearest(x[j] * s->amplitude), s->ctx->prime->p.q);
	if (st == VEIL_OK)
		st = secret_silent_create(&q->query, s->ctx, &message, rng, err);
	arena_reset(&q->arena);
	return st;
}

static enum veil_status create(struct secret_sealed **out, const struct silent_sealed *sealed,
	const float *vector, uint32_t cluster, const struct rng *rng, struct veil_error *err)
{
	struct secret_sealed *q = calloc(1, sizeof *q);
	enum veil_status st;

	*out = NULL;
	if (!q)
		return error_set(err, VEIL_E_NOMEM, "no memory for a sealed search");
	q->sealed = sealed;
	st = arena_init_secret(&q->arena, room(sealed));
	if (st != VEIL_OK)
		error_set(err, st, "no memory for the secrets of a sealed search");
	else
		st = encrypt(q, vector, cluster, rng, err);
	if (st != VEIL_OK) {
		secret_sealed_destroy(q);
		q = NULL;
	}
	*out = q;
	return st;
}

enum veil_status secret_sealed_create(struct secret_sealed **out, const struct silent_sealed *sealed,
	const float *vector, uint32_t cluster, const struct rng *rng, struct veil_error *err)
{
	REQUIRE(vector);
	return create(out, sealed, vector, cluster, rng, err);
}

enum veil_status secret_sealed_create_fake(struct secret_sealed **out, const struct silent_sealed *sealed,
	const struct rng *rng, struct veil_error *err)
{
	return create(out, sealed, NULL, 0, rng, err);
}

void secret_sealed_write(struct secret_sealed *q, uint8_t *out)
{
	secret_silent_write(q->query, out);
}

void secret_sealed_decode(
	struct secret_sealed *q, double *scores, const uint8_t *constants, const uint8_t *reply)
{
	const struct silent_sealed *s = q->sealed;
	const unsigned bits = s->spec.params->reply_c1_bits;
	const double unit = ldexp(s->unit, -32);
	uint32_t *phases = arena_take(&q->arena, (size_t)s->ctx->spec.packs * s->ctx->n * sizeof *phases);

	secret_silent_decrypt(q->query, phases, constants, reply);
	for (uint32_t v = 0; v < s->spec.rows; v++)
		scores[v] = (double)(int32_t)(phases[v] << (32 - bits)) * unit;
	ct_unpoison(scores, s->spec.rows * sizeof *scores);
	arena_clear(&q->arena);
}

void secret_sealed_destroy(struct secret_sealed *q)
{
	if (!q)
		return;
	secret_silent_destroy(q->query);
	arena_clear(&q->arena);
	free(q);
}
