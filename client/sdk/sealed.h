/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_SEALED_H
#define SDK_SEALED_H

#include "sdk/session.h"
#include "secret/sealed.h"

/** One request of a sealed search: a new query object, and the body that it leaves in, of
 * wire_retrieve_bytes(&s->retrieval); a fake where `vector` is NULL. Errors as secret_sealed_create. */
enum veil_status sealed_write(struct secret_sealed **query, uint8_t *body, const struct session *s,
	const float *vector, uint32_t cluster, struct veil_error *err) VEIL_MUST_CHECK;

/** Its reply, of wire_retrieved_bytes: scores[rows of a shard]. VEIL_E_MALFORMED; VEIL_E_VERSION: it is of
 * another index. */
enum veil_status sealed_read(struct secret_sealed *query, double *scores, const struct session *s,
	const uint8_t *body, struct veil_error *err) VEIL_MUST_CHECK;

/** What a session holds for it; nothing for an index that has it not. session_destroy gives it back. */
enum veil_status sealed_make(struct session *s, struct veil_error *err) VEIL_MUST_CHECK;
size_t sealed_constants_bytes(const struct session *s);
size_t sealed_labels_bytes(const struct session *s);

#endif
