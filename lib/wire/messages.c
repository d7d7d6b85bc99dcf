/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/messages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "veil.pb-c.h"
#include "wire/unpack.h"

enum { CONFIG_SEALED = 17 }; /* the first of the fields of Config that are not always there */

#define SET(m, field, value) ((m)->has_##field = 1, (m)->field = (value))

bool wire_config_set_name(struct wire_config *config, const char *name)
{
	size_t size = strlen(name);

	if (size > WIRE_MAX_NAME_BYTES || !wire_is_text((const uint8_t *)name, size))
		return false;
	memset(config->name, 0, sizeof config->name);
	memcpy(config->name, name, size);
	return true;
}

enum veil_status wire_config_write(uint8_t **out, size_t *size, const struct wire_config *c)
{
	Wire__Config m = WIRE__CONFIG__INIT;
	uint8_t *body;

	REQUIRE(wire_is_text((const uint8_t *)c->name, strnlen(c->name, sizeof c->name)));
	SET(&m, version, WIRE_VERSION);
	SET(&m, index_id, wire_view(c->index_id, HASH_BYTES));
	SET(&m, name, wire_view(c->name, strnlen(c->name, WIRE_MAX_NAME_BYTES)));
	SET(&m, params, wire_view(c->spec.params->name, strlen(c->spec.params->name)));
	SET(&m, dim, c->spec.dim);
	SET(&m, rows, c->spec.rows);
	SET(&m, terms, c->spec.terms);
	SET(&m, row_norm, c->spec.row_norm);
	SET(&m, scale, c->spec.scale);
	SET(&m, shards, c->shards);
	SET(&m, label_bytes, c->label_bytes);
	SET(&m, records, c->records);
	SET(&m, codebook_hash, wire_view(c->codebook_hash, HASH_BYTES));
	SET(&m, codebook_bytes, c->codebook_bytes);
	SET(&m, query_bytes, c->query_bytes);
	SET(&m, reply_bytes, c->reply_bytes);
	if (c->sealed) {
		SET(&m, sealed, wire_view(c->sealed->name, strlen(c->sealed->name)));
		SET(&m, static_hash, wire_view(c->static_hash, HASH_BYTES));
		SET(&m, labels_hash, wire_view(c->labels_hash, HASH_BYTES));
	}
	*size = wire__config__get_packed_size(&m);
	body = malloc(*size);
	if (!body)
		return VEIL_E_NOMEM;
	REQUIRE(wire__config__pack(&m, body) == *size);
	*out = body;
	return VEIL_OK;
}

/* All three fields or none. */
static enum veil_status take_sealed(struct wire_config *c, const Wire__Config *m, struct veil_error *err)
{
	enum veil_status st;

	if (!m->has_sealed && !m->has_static_hash && !m->has_labels_hash)
		return VEIL_OK;
	if (!m->has_sealed || !m->has_static_hash || !m->has_labels_hash)
		return error_set(err, VEIL_E_MALFORMED, "Config: a field of sealed search is missing");
	st = wire_want_size("Config", "static_hash", m->static_hash.len, HASH_BYTES, err);
	if (st == VEIL_OK)
		st = wire_want_size("Config", "labels_hash", m->labels_hash.len, HASH_BYTES, err);
	if (st == VEIL_OK)
		st = wire_find_params(&c->sealed, &m->sealed, "Config", "sealed", err);
	if (st != VEIL_OK)
		return st;
	memcpy(c->static_hash, m->static_hash.data, HASH_BYTES);
	memcpy(c->labels_hash, m->labels_hash.data, HASH_BYTES);
	return VEIL_OK;
}

static enum veil_status take_config(struct wire_config *out, const Wire__Config *m, struct veil_error *err)
{
	struct wire_config c = {.spec = {.dim = m->dim,
					.rows = m->rows,
					.terms = m->terms,
					.row_norm = m->row_norm,
					.scale = m->scale},
		.shards = m->shards,
		.label_bytes = m->label_bytes,
		.records = m->records,
		.codebook_bytes = m->codebook_bytes,
		.query_bytes = m->query_bytes,
		.reply_bytes = m->reply_bytes};
	enum veil_status st = wire_want_size("Config", "index_id", m->index_id.len, HASH_BYTES, err);

	if (st == VEIL_OK)
		st = wire_want_size("Config", "codebook_hash", m->codebook_hash.len, HASH_BYTES, err);
	if (st != VEIL_OK)
		return st;
	if (m->name.len > WIRE_MAX_NAME_BYTES || !wire_is_text(m->name.data, m->name.len))
		return error_set(err, VEIL_E_MALFORMED,
			"Config: name is not at most %d bytes of printable UTF-8", WIRE_MAX_NAME_BYTES);
	if (m->shards == 0)
		return error_set(err, VEIL_E_MALFORMED, "Config: shards is 0");
	if (m->label_bytes > WIRE_MAX_LABEL_BYTES)
		return error_set(err, VEIL_E_MALFORMED, "Config: label_bytes is %u, more than %d",
			(unsigned)m->label_bytes, WIRE_MAX_LABEL_BYTES);
	if (!isfinite(m->scale) || m->scale <= 0)
		return error_set(err, VEIL_E_MALFORMED, "Config: scale is not a positive number");
	st = wire_find_params(&c.spec.params, &m->params, "Config", "params", err);
	if (st == VEIL_OK)
		st = take_sealed(&c, m, err);
	if (st != VEIL_OK)
		return st;
	memcpy(c.index_id, m->index_id.data, HASH_BYTES);
	memcpy(c.codebook_hash, m->codebook_hash.data, HASH_BYTES);
	memcpy(c.name, m->name.data, m->name.len);
	*out = c;
	return VEIL_OK;
}

enum veil_status wire_config_read(
	struct wire_config *config, const void *data, size_t size, struct veil_error *err)
{
	struct arena arena = {0};
	Wire__Config m;
	enum veil_status st;

	if (size > WIRE_MAX_CONFIG_BYTES)
		return error_set(err, VEIL_E_MALFORMED, "Config: %zu bytes, more than %d", size,
			WIRE_MAX_CONFIG_BYTES);
	st = arena_init(&arena, sizeof m + size + WIRE_SLACK_BYTES);
	if (st != VEIL_OK)
		return error_set(err, st, "no memory for a Config of %zu bytes", size);
	st = wire_unpack_whole(&wire__config__descriptor, CONFIG_SEALED, &m, &arena, data, size, err);
	if (st == VEIL_OK)
		st = take_config(config, &m, err);
	arena_clear(&arena);
	return st;
}

static void fill_query(Wire__Query *m, const struct nn_context *ctx, const struct wire_query *q)
{
	SET(m, version, WIRE_VERSION);
	SET(m, index_id, wire_view(q->index_id, HASH_BYTES));
	SET(m, shard, q->shard);
	SET(m, seed, wire_view(q->query.seed, RING_SEED_BYTES));
	SET(m, ciphertexts, wire_view(q->query.ciphertexts, ctx->query_bytes));
}

size_t wire_query_bytes(const struct nn_context *ctx)
{
	Wire__Query m = WIRE__QUERY__INIT;

	fill_query(&m, ctx, &(struct wire_query){0});
	return wire__query__get_packed_size(&m);
}

void wire_query_write(const struct nn_context *ctx, uint8_t *out, const struct wire_query *query)
{
	Wire__Query m = WIRE__QUERY__INIT;

	fill_query(&m, ctx, query);
	REQUIRE(wire__query__pack(&m, out) == wire_query_bytes(ctx));
}

size_t wire_query_room(const struct nn_context *ctx)
{
	return arena_room(sizeof(Wire__Query)) + arena_room(HASH_BYTES) + arena_room(RING_SEED_BYTES) +
	       arena_room(ctx->query_bytes) + WIRE_SLACK_BYTES;
}

static enum veil_status take_query(
	const struct nn_context *ctx, struct wire_query *query, const Wire__Query *m, struct veil_error *err)
{
	enum veil_status st = wire_want_size("Query", "index_id", m->index_id.len, HASH_BYTES, err);

	if (st == VEIL_OK)
		st = wire_want_size("Query", "seed", m->seed.len, RING_SEED_BYTES, err);
	if (st == VEIL_OK)
		st = wire_want_size("Query", "ciphertexts", m->ciphertexts.len, ctx->query_bytes, err);
	if (st != VEIL_OK)
		return st;
	memcpy(query->index_id, m->index_id.data, HASH_BYTES);
	memcpy(query->query.seed, m->seed.data, RING_SEED_BYTES);
	query->query.ciphertexts = m->ciphertexts.data;
	query->shard = m->shard;
	return VEIL_OK;
}

enum veil_status wire_query_read(const struct nn_context *ctx, struct wire_query *query, const void *data,
	size_t size, struct arena *arena, struct veil_error *err)
{
	size_t mark = arena_mark(arena);
	Wire__Query m;
	enum veil_status st;

	*query = (struct wire_query){0};
	if (size > wire_query_bytes(ctx))
		return wire_want_size("Query", "the body", size, wire_query_bytes(ctx), err);
	st = wire_unpack_whole(&wire__query__descriptor, WIRE_ALL_FIELDS, &m, arena, data, size, err);
	if (st == VEIL_OK)
		st = take_query(ctx, query, &m, err);
	if (st != VEIL_OK)
		arena_release(arena, mark);
	return st;
}

/* Tags, one byte each: index_id and shard of Query, ciphertexts of Reply. */
enum { TAG_INDEX_ID = 2 << 3 | 2, TAG_SHARD = 3 << 3 | 5, TAG_CIPHERTEXTS = 3 << 3 | 2 };

bool wire_query_target(uint8_t index_id[HASH_BYTES], uint32_t *shard, const void *data, size_t size)
{
	const uint8_t *id = NULL, *number = NULL, *value;
	struct reader r;

	reader_init(&r, data, size);
	while ((!id || !number) && reader_left(&r) > 0) {
		uint8_t tag = reader_u8(&r);
		uint32_t length = 4, shift = 0;

		if ((tag & 7) == 2) {
			uint8_t byte;

			length = 0;
			do {
				byte = reader_u8(&r);
				length |= (uint32_t)(byte & 0x7f) << shift;
				shift += 7;
			} while (byte & 0x80 && shift < 28);
		} else if ((tag & 7) != 5) {
			return false;
		}
		value = reader_view(&r, length);
		if (!value || tag & 0x80)
			return false;
		if (tag == TAG_INDEX_ID && length == HASH_BYTES)
			id = value;
		if (tag == TAG_SHARD)
			number = value;
	}
	if (!id || !number)
		return false;
	memcpy(index_id, id, HASH_BYTES);
	*shard = load_le32(number);
	return true;
}

static void fill_reply(
	Wire__Reply *m, const struct nn_context *ctx, uint32_t label_bytes, const struct wire_reply *r)
{
	SET(m, version, WIRE_VERSION);
	SET(m, index_id, wire_view(r->index_id, HASH_BYTES));
	SET(m, ciphertexts, wire_view(r->ciphertexts.data, ctx->reply_bytes));
	SET(m, labels, wire_view(r->labels.data, (size_t)ctx->spec.rows * label_bytes));
}

size_t wire_reply_bytes(const struct nn_context *ctx, uint32_t label_bytes)
{
	Wire__Reply m = WIRE__REPLY__INIT;

	fill_reply(&m, ctx, label_bytes, &(struct wire_reply){0});
	return wire__reply__get_packed_size(&m);
}

uint8_t *wire_reply_frame(
	const struct nn_context *ctx, uint32_t label_bytes, uint8_t *out, const struct wire_reply *reply)
{
	/* Messages that follow each other are one message with the fields of all. */
	Wire__Reply head = WIRE__REPLY__INIT, tail = WIRE__REPLY__INIT;
	uint8_t *hole;
	size_t n;

	REQUIRE(reply->labels.size == (size_t)ctx->spec.rows * label_bytes);
	SET(&head, version, WIRE_VERSION);
	SET(&head, index_id, wire_view(reply->index_id, HASH_BYTES));
	SET(&tail, labels, wire_view(reply->labels.data, reply->labels.size));
	hole = out + wire__reply__pack(&head, out);
	*hole++ = TAG_CIPHERTEXTS;
	for (n = ctx->reply_bytes; n > 127; n >>= 7)
		*hole++ = (uint8_t)(n | 128);
	*hole++ = (uint8_t)n;
	n = (size_t)(hole - out) + ctx->reply_bytes;
	n += wire__reply__pack(&tail, out + n);
	REQUIRE(n == wire_reply_bytes(ctx, label_bytes));
	return hole;
}

void wire_reply_write(
	const struct nn_context *ctx, uint32_t label_bytes, uint8_t *out, const struct wire_reply *reply)
{
	REQUIRE(reply->ciphertexts.size == ctx->reply_bytes);
	memcpy(wire_reply_frame(ctx, label_bytes, out, reply), reply->ciphertexts.data, ctx->reply_bytes);
}

static enum veil_status take_reply(const struct nn_context *ctx, uint32_t label_bytes,
	struct wire_reply *reply, const Wire__Reply *m, struct veil_error *err)
{
	size_t labels = (size_t)ctx->spec.rows * label_bytes;
	enum veil_status st = wire_want_size("Reply", "index_id", m->index_id.len, HASH_BYTES, err);

	if (st == VEIL_OK)
		st = wire_want_size("Reply", "ciphertexts", m->ciphertexts.len, ctx->reply_bytes, err);
	if (st == VEIL_OK)
		st = wire_want_size("Reply", "labels", m->labels.len, labels, err);
	if (st != VEIL_OK)
		return st;
	memcpy(reply->index_id, m->index_id.data, HASH_BYTES);
	reply->ciphertexts = (struct bytes){m->ciphertexts.data, m->ciphertexts.len};
	reply->labels = (struct bytes){m->labels.data, m->labels.len};
	return VEIL_OK;
}

enum veil_status wire_reply_read(const struct nn_context *ctx, uint32_t label_bytes, struct wire_reply *reply,
	const void *data, size_t size, struct veil_error *err)
{
	size_t want = wire_reply_bytes(ctx, label_bytes);
	Wire__Reply m;
	enum veil_status st;

	*reply = (struct wire_reply){0};
	if (size > want)
		return wire_want_size("Reply", "the body", size, want, err);
	st = arena_init(&reply->storage, sizeof m + want + WIRE_SLACK_BYTES);
	if (st != VEIL_OK)
		return error_set(err, st, "no memory for a Reply of %zu bytes", want);
	st = wire_unpack_whole(
		&wire__reply__descriptor, WIRE_ALL_FIELDS, &m, &reply->storage, data, size, err);
	if (st == VEIL_OK)
		st = take_reply(ctx, label_bytes, reply, &m, err);
	if (st != VEIL_OK)
		wire_reply_clear(reply);
	return st;
}

void wire_reply_clear(struct wire_reply *reply)
{
	if (!reply)
		return;
	arena_clear(&reply->storage);
	*reply = (struct wire_reply){0};
}
