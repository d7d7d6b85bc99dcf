/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_RETRIEVE_H
#define WIRE_RETRIEVE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "silent/context.h"

/* POST /v1/retrieve (wire/veil.proto, docs/wire.md): several retrievals of one client in one request, as many
 * for each table of a collection as its configuration says, so that every request and every reply of a
 * collection has one size. */

#define WIRE_MAX_TABLES 8
#define WIRE_MAX_LOOKUPS 256 /* of one table in one request */

/** What a request of a collection asks: tables in the order of its configuration. */
struct wire_retrieval {
	unsigned tables; /* 1..WIRE_MAX_TABLES */
	struct {
		const struct silent_context *ctx;
		unsigned lookups; /* 1..WIRE_MAX_LOOKUPS */
	} table[WIRE_MAX_TABLES];
};

/** The queries of all tables, one after the other, and the short halves that answer them. */
size_t wire_retrieval_up(const struct wire_retrieval *r);
size_t wire_retrieval_down(const struct wire_retrieval *r);
/** Where query `lookup` of a table begins among them, and its reply. */
size_t wire_retrieval_query_at(const struct wire_retrieval *r, unsigned table, unsigned lookup);
size_t wire_retrieval_reply_at(const struct wire_retrieval *r, unsigned table, unsigned lookup);

/** Size of a whole request, and of a whole reply. */
size_t wire_retrieve_bytes(const struct wire_retrieval *r);
size_t wire_retrieved_bytes(const struct wire_retrieval *r);

/** Writes all but the payload and returns where in `out` it goes: wire_retrieval_up (down) bytes. `id` says
 * which collection and epoch it is for. */
uint8_t *wire_retrieve_frame(const struct wire_retrieval *r, uint8_t *out, const uint8_t id[HASH_BYTES]);
uint8_t *wire_retrieved_frame(const struct wire_retrieval *r, uint8_t *out, const uint8_t id[HASH_BYTES]);

/** Reads what the writers make and nothing else, in place: *payload is a view of `data`. VEIL_E_MALFORMED,
 * VEIL_E_VERSION; outputs are untouched on failure. `id` is for the caller to judge. */
enum veil_status wire_retrieve_read(const struct wire_retrieval *r, uint8_t id[HASH_BYTES],
	struct bytes *payload, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status wire_retrieved_read(const struct wire_retrieval *r, uint8_t id[HASH_BYTES],
	struct bytes *payload, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

/** Which collection and epoch the bytes of a request are for, without reading the rest, so that what to read
 * it with can be found. False if they do not say so in the way a writer says it. */
bool wire_retrieve_target(uint8_t id[HASH_BYTES], const void *data, size_t size) VEIL_MUST_CHECK;

#endif
