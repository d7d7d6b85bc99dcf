/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/sealed.h"

#include <string.h>

#include "base/cpu.h"
#include "base/error.h"

/* A server cannot make us hold more than this, whatever its configuration says. */
#define LIMIT_BYTES ((size_t)256 << 20)

size_t sealed_constants_bytes(const struct session *s)
{
	return s->sealed->ctx->spec.packs * s->sealed->ctx->static_bytes;
}

size_t sealed_labels_bytes(const struct session *s)
{
	return (size_t)s->config.shards * s->config.spec.rows * s->config.label_bytes;
}

enum veil_status sealed_make(struct session *s, struct veil_error *err)
{
	const struct wire_config *c = &s->config;
	struct silent_sealed_spec spec = {.params = c->sealed,
		.clusters = c->shards,
		.rows = c->spec.rows,
		.dim = c->spec.dim,
		.row_norm = c->spec.row_norm,
		.scale = c->spec.scale};
	enum veil_status st;

	if (!c->sealed)
		return VEIL_OK;
	silent_sealed_seed(spec.seed, c->index_id);
	st = silent_sealed_create(&s->sealed, &spec, cpu_features(), err);
	if (st != VEIL_OK)
		return st;
	s->retrieval.tables = 1;
	s->retrieval.table[0].ctx = s->sealed->ctx;
	s->retrieval.table[0].lookups = 1;
	if (sealed_constants_bytes(s) > LIMIT_BYTES || sealed_labels_bytes(s) > LIMIT_BYTES)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"sealed search of this index takes more memory than this client gives: %zu and %zu "
			"bytes",
			sealed_constants_bytes(s), sealed_labels_bytes(s));
	return VEIL_OK;
}

enum veil_status sealed_write(struct secret_sealed **query, uint8_t *body, const struct session *s,
	const float *vector, uint32_t cluster, struct veil_error *err)
{
	struct rng rng = rng_system();
	enum veil_status st = vector ? secret_sealed_create(query, s->sealed, vector, cluster, &rng, err)
				     : secret_sealed_create_fake(query, s->sealed, &rng, err);

	if (st == VEIL_OK)
		secret_sealed_write(*query, wire_retrieve_frame(&s->retrieval, body, s->config.index_id));
	return st;
}

enum veil_status sealed_read(struct secret_sealed *query, double *scores, const struct session *s,
	const uint8_t *body, struct veil_error *err)
{
	uint8_t id[HASH_BYTES];
	struct bytes halves;
	enum veil_status st = wire_retrieved_read(
		&s->retrieval, id, &halves, body, wire_retrieved_bytes(&s->retrieval), err);

	if (st == VEIL_OK && memcmp(id, s->config.index_id, sizeof id) != 0)
		st = error_set(err, VEIL_E_VERSION,
			"the server answered from another version of the index; fetch its configuration "
			"again");
	if (st == VEIL_OK)
		secret_sealed_decode(query, scores, s->constants, halves.data);
	return st;
}
