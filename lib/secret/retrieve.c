/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/retrieve.h"

#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "secret/silent.h"

struct secret_retrieve {
	const struct silent_context *ctx;
	struct secret_silent *query;
	struct arena arena; /* of the phases */
};

struct selection {
	const struct silent_context *ctx;
	const uint32_t *rows;
	unsigned count;
};

/* Delta = round(q / 256) in the rows that are selected. */
static void fill(const void *state, uint32_t block, uint64_t *message)
{
	const struct selection *s = state;
	const uint32_t n = s->ctx->n, half = 1 << (SILENT_PLAIN_BITS - 1);
	const uint64_t delta = (s->ctx->prime->p.q + half) >> SILENT_PLAIN_BITS;

	for (unsigned k = 0; k < s->count; k++)
		for (uint32_t i = 0; i < n; i++)
			message[i] += delta & ~ct_mask_nonzero(s->rows[k] ^ (block * n + i));
}

enum veil_status secret_retrieve_create(struct secret_retrieve **out, const struct silent_context *ctx,
	const uint32_t *rows, unsigned count, const struct rng *rng, struct veil_error *err)
{
	struct selection selection = {.ctx = ctx, .rows = rows, .count = count};
	struct secret_silent_message message = {.fill = fill, .state = &selection};
	struct secret_retrieve *r;
	enum veil_status st;

	*out = NULL;
	REQUIRE(count <= SECRET_RETRIEVE_ROWS && ctx->spec.params->use == RLWE_USE_RETRIEVAL);
	r = calloc(1, sizeof *r);
	if (!r)
		return error_set(err, VEIL_E_NOMEM, "no memory for a retrieval");
	r->ctx = ctx;
	st = arena_init_secret(&r->arena, arena_room((size_t)ctx->spec.packs * ctx->n * sizeof(uint32_t)));
	if (st != VEIL_OK)
		error_set(err, st, "no memory for the reply of a retrieval");
	else
		st = secret_silent_create(&r->query, ctx, &message, rng, err);
	if (st != VEIL_OK) {
		secret_retrieve_destroy(r);
		r = NULL;
	}
	*out = r;
	return st;
}

void secret_retrieve_write(struct secret_retrieve *r, uint8_t *query)
{
	secret_silent_write(r->query, query);
}

void secret_retrieve_decode(struct secret_retrieve *r, uint8_t *bytes, size_t size, uint32_t slot,
	const uint8_t *constants, const uint8_t *reply)
{
	const size_t columns = (size_t)r->ctx->spec.packs * r->ctx->n;
	const unsigned down = r->ctx->spec.params->reply_c1_bits - SILENT_PLAIN_BITS;
	uint32_t *phases = arena_take(&r->arena, columns * sizeof *phases);

	REQUIRE(size >= 1 && size <= columns);
	secret_silent_decrypt(r->query, phases, constants, reply);
	memset(bytes, 0, size);
	for (size_t k = 0, at = 0; at + size <= columns; k++, at += size) {
		const uint8_t keep = (uint8_t)~ct_mask_nonzero(k ^ slot);

		for (size_t i = 0; i < size; i++)
			bytes[i] |= keep & (uint8_t)((phases[at + i] + (1u << (down - 1))) >> down);
	}
	ct_unpoison(bytes, size);
	arena_reset(&r->arena);
}

void secret_retrieve_destroy(struct secret_retrieve *r)
{
	if (!r)
		return;
	secret_silent_destroy(r->query);
	arena_clear(&r->arena);
	free(r);
}
