/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_COLLECTION_H
#define WIRE_COLLECTION_H

#include "base/hash.h"
#include "silent/collection.h"

/* GET /v1/collection (wire/veil.proto, docs/wire.md): all that a client needs to make retrievals from a
 * collection; no field is per client. */
struct wire_collection {
	uint8_t id[HASH_BYTES]; /* of requests and replies (wire/retrieve.h) */
	struct silent_collection collection;
};

/** A malloc'd body: *out is the caller's, free(). The collection has passed silent_collection_check.
 * VEIL_E_NOMEM. */
enum veil_status wire_collection_write(
	uint8_t **out, size_t *size, const struct wire_collection *collection) VEIL_MUST_CHECK;

/** Reads what the writer makes and nothing else; what comes out has passed silent_collection_check.
 * VEIL_E_MALFORMED names the field, VEIL_E_VERSION, VEIL_E_UNSUPPORTED (a parameter set this build lacks),
 * VEIL_E_NOMEM. `out` is untouched on failure. */
enum veil_status wire_collection_read(
	struct wire_collection *out, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

#endif
