/* SPDX-License-Identifier: Apache-2.0 */
#include "search/describe.h"

#include <string.h>

#include "base/error.h"
#include "wire/collection.h"

enum veil_status describe_index(uint8_t **body, size_t *size, struct wire_config *config,
	const struct store_index *index, const struct nn_context *ctx, const struct store_sealed *sealed,
	struct veil_error *err)
{
	size_t query = wire_query_bytes(ctx), reply = wire_reply_bytes(ctx, index->label_bytes);
	struct wire_config c = {.spec = index->spec,
		.shards = index->shards,
		.label_bytes = index->label_bytes,
		.records = index->records};
	enum veil_status st;

	*body = NULL;
	if (query > UINT32_MAX || reply > UINT32_MAX || index->codebook_size > UINT32_MAX)
		return error_set(
			err, VEIL_E_UNSUPPORTED, "a message of this index would be larger than 4 GiB");
	c.query_bytes = (uint32_t)query;
	c.reply_bytes = (uint32_t)reply;
	c.codebook_bytes = (uint32_t)index->codebook_size;
	memcpy(c.index_id, index->id, HASH_BYTES);
	if (sealed) {
		c.sealed = index->sealed;
		memcpy(c.static_hash, sealed->constants_hash, HASH_BYTES);
		memcpy(c.labels_hash, sealed->labels_hash, HASH_BYTES);
	}
	memcpy(c.codebook_hash, index->codebook_hash, HASH_BYTES);
	if (!wire_config_set_name(&c, index->name))
		return error_set(err, VEIL_E_CORRUPT,
			"the index's name is not at most %d bytes of printable UTF-8", WIRE_MAX_NAME_BYTES);
	st = wire_config_write(body, size, &c);
	*config = c;
	return st == VEIL_OK ? st : error_set(err, st, "no memory for the configuration");
}

struct wire_retrieval describe_retrieval(const struct store_sealed *sealed)
{
	struct wire_retrieval r = {.tables = 1};

	r.table[0].ctx = sealed->sealed->ctx;
	r.table[0].lookups = 1;
	return r;
}

enum veil_status describe_collection(uint8_t **body, size_t *size, struct wire_retrieval *retrieval,
	const struct store_kv *kv, struct veil_error *err)
{
	struct wire_collection w = {.collection = kv->collection};

	memcpy(w.id, kv->id, HASH_BYTES);
	retrieval->tables = kv->tables;
	for (unsigned t = 0; t < kv->tables; t++) {
		retrieval->table[t].ctx = kv->table[t].ctx;
		retrieval->table[t].lookups = silent_collection_table(&kv->collection, t).lookups;
	}
	*body = NULL;
	if (wire_collection_write(body, size, &w) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory to describe a collection");
	return VEIL_OK;
}
