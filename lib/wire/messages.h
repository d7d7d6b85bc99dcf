/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_MESSAGES_H
#define WIRE_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "nn/answer.h"
#include "nn/context.h"
#include "veil/status.h"

/* HTTP bodies (wire/veil.proto, docs/wire.md). Every message of one index has one size, whatever its values: scalar
 * fields are `optional fixed32/fixed64` and always present, byte fields have the size the context fixes. Readers take
 * untrusted bytes, check everything once, and name what is wrong. */

#define WIRE_VERSION 1
#define WIRE_MAX_CONFIG_BYTES 65536

/** GET /v1/config: all that a client needs to make queries; no field is per client. */
struct wire_config {
	uint8_t index_id[HASH_BYTES];
	char name[128];            /* of the index, UTF-8, NUL-terminated */
	struct nn_spec spec;       /* params resolved by name from the embedded sets */
	uint32_t shards;
	uint32_t label_bytes;
	uint64_t records;
	uint8_t codebook_hash[HASH_BYTES];
	uint32_t codebook_bytes;
	uint32_t query_bytes;      /* of the whole request and reply body: the client checks that they are what its own */
	uint32_t reply_bytes;      /* context gives, and refuses the configuration otherwise */
};

/** Appends to a malloc'd buffer: *out is owned by the caller, free(). */
enum veil_status wire_config_write(uint8_t **out, size_t *size, const struct wire_config *config) VEIL_MUST_CHECK;
enum veil_status wire_config_read(struct wire_config *config, const void *data, size_t size, struct veil_error *err)
	VEIL_MUST_CHECK;

/** POST /v1/query request. */
struct wire_query {
	uint8_t index_id[HASH_BYTES];
	uint32_t shard;
	struct nn_query query; /* read: `query.ciphertexts` points into `storage` */
	void *storage;         /* owned: wire_query_clear */
};
size_t wire_query_bytes(const struct nn_context *ctx);
/** Writes exactly wire_query_bytes(ctx). */
void wire_query_write(const struct nn_context *ctx, uint8_t *out, const struct wire_query *query);
/** VEIL_E_MALFORMED (not protobuf, a field missing or of the wrong size, unknown fields, size not wire_query_bytes) or
 * VEIL_E_VERSION (protocol version). Index id and shard are for the caller to judge; residues for nn_answer. */
enum veil_status wire_query_read(const struct nn_context *ctx, struct wire_query *query, const void *data, size_t size,
	struct veil_error *err) VEIL_MUST_CHECK;
void wire_query_clear(struct wire_query *query);

/** POST /v1/query reply. */
struct wire_reply {
	uint8_t index_id[HASH_BYTES];
	struct bytes ciphertexts; /* ctx->reply_bytes */
	struct bytes labels;      /* rows * label_bytes, row order of the shard */
	void *storage;            /* owned by a reply that was read: wire_reply_clear */
};
size_t wire_reply_bytes(const struct nn_context *ctx, uint32_t label_bytes);
/** Writes exactly wire_reply_bytes. */
void wire_reply_write(const struct nn_context *ctx, uint32_t label_bytes, uint8_t *out, const struct wire_reply *reply);
enum veil_status wire_reply_read(const struct nn_context *ctx, uint32_t label_bytes, struct wire_reply *reply,
	const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;
void wire_reply_clear(struct wire_reply *reply);

#endif
