/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_MESSAGES_H
#define WIRE_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "nn/answer.h"
#include "nn/context.h"
#include "veil/status.h"

/* HTTP bodies (wire/veil.proto, docs/wire.md). Every message of one index has one size, whatever its values:
 * scalars are fixed-width and always present, byte fields have the size the context fixes. Readers take
 * untrusted bytes, check everything once, and name what is wrong; they accept exactly what the writers make,
 * up to the order of fields. */

#define WIRE_VERSION 1
#define WIRE_CONTENT_TYPE "application/x-protobuf"
#define WIRE_MAX_CONFIG_BYTES 65536
#define WIRE_MAX_NAME_BYTES 127
#define WIRE_MAX_LABEL_BYTES 24

/** GET /v1/config: all that a client needs to make queries; no field is per client. */
struct wire_config {
	uint8_t index_id[HASH_BYTES];
	char name[WIRE_MAX_NAME_BYTES + 1]; /* of the index, printable UTF-8, NUL-terminated */
	struct nn_spec
		spec; /* params resolved by name from the embedded sets; allow_insecure does not travel */
	uint32_t shards; /* >= 1 */
	uint32_t label_bytes; /* of a row, at most WIRE_MAX_LABEL_BYTES */
	uint64_t records;
	uint8_t codebook_hash[HASH_BYTES];
	const struct rlwe_params *sealed; /* of sealed search; NULL: it has none */
	uint8_t static_hash[HASH_BYTES]; /* of its static halves */
	uint8_t labels_hash[HASH_BYTES]; /* of the labels of all shards, one after the other */
	uint32_t codebook_bytes;
	uint32_t query_bytes; /* of the whole request and reply body: the client checks that they are what its
			       */
	uint32_t reply_bytes; /* own context gives, and refuses the configuration otherwise */
};

/** Copies a name; false, and nothing is changed, if it is not printable UTF-8 of at most WIRE_MAX_NAME_BYTES.
 */
bool wire_config_set_name(struct wire_config *config, const char *name) VEIL_MUST_CHECK;
/** A malloc'd body: *out is the caller's, free(). config->name must be as described above. VEIL_E_NOMEM. */
enum veil_status wire_config_write(
	uint8_t **out, size_t *size, const struct wire_config *config) VEIL_MUST_CHECK;
/** VEIL_E_MALFORMED; VEIL_E_VERSION (protocol version); VEIL_E_UNSUPPORTED (a parameter set this build
 * lacks). The spec is judged by nn_context_create. `config` is untouched on failure. */
enum veil_status wire_config_read(
	struct wire_config *config, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

/** POST /v1/query request. */
#define WIRE_ALL_SHARDS UINT32_MAX /* one query evaluated on every shard: the replies one after the other */
struct wire_query {
	uint8_t index_id[HASH_BYTES];
	uint32_t shard; /* or WIRE_ALL_SHARDS */
	struct nn_query query; /* read: `query.ciphertexts` lies in the arena */
};
size_t wire_query_bytes(const struct nn_context *ctx);
/** Writes exactly wire_query_bytes(ctx). */
void wire_query_write(const struct nn_context *ctx, uint8_t *out, const struct wire_query *query);
/** VEIL_E_MALFORMED (not protobuf, a field missing or of the wrong size, unknown fields, size not
 * wire_query_bytes) or VEIL_E_VERSION (protocol version). Index id and shard are for the caller to judge;
 * residues for nn_answer. No malloc: what is kept lies in `arena`, which has wire_query_room(ctx) left;
 * nothing is kept on failure. */
enum veil_status wire_query_read(const struct nn_context *ctx, struct wire_query *query, const void *data,
	size_t size, struct arena *arena, struct veil_error *err) VEIL_MUST_CHECK;
size_t wire_query_room(const struct nn_context *ctx);
/** Which index and shard the bytes of a query are for, without reading the rest, so that the context to read
 * it with can be found and queries of one shard put together. False, and nothing is set, if they do not say
 * so in the way a writer says it: wire_query_read then tells what is wrong. Of a query that wire_query_read
 * accepts it tells what that does. */
bool wire_query_target(
	uint8_t index_id[HASH_BYTES], uint32_t *shard, const void *data, size_t size) VEIL_MUST_CHECK;

/** POST /v1/query reply. */
struct wire_reply {
	uint8_t index_id[HASH_BYTES];
	struct bytes ciphertexts; /* ctx->reply_bytes */
	struct bytes labels; /* rows * label_bytes, row order of the shard */
	struct arena storage; /* owned by a reply that was read: wire_reply_clear */
};
size_t wire_reply_bytes(const struct nn_context *ctx, uint32_t label_bytes);
/** Writes exactly wire_reply_bytes. */
void wire_reply_write(
	const struct nn_context *ctx, uint32_t label_bytes, uint8_t *out, const struct wire_reply *reply);
/** Writes all but the ciphertexts, and returns where in `out` those ctx->reply_bytes go: they need not be
 * copied.
 */
uint8_t *wire_reply_frame(
	const struct nn_context *ctx, uint32_t label_bytes, uint8_t *out, const struct wire_reply *reply);
/** VEIL_E_MALFORMED, VEIL_E_VERSION or VEIL_E_NOMEM; `reply` is then zeroed. */
enum veil_status wire_reply_read(const struct nn_context *ctx, uint32_t label_bytes, struct wire_reply *reply,
	const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL and zeroed objects. */
void wire_reply_clear(struct wire_reply *reply);

#endif
