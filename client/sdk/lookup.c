/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/lookup.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/require.h"
#include "sdk/client.h"
#include "sdk/search.h"
#include "secret/lookup.h"
#include "wire/collection.h"

/* A server cannot make us hold or send more than this, whatever its configuration says. */
#define LIMIT_STATIC_BYTES ((size_t)256 << 20)
#define LIMIT_BODY_BYTES ((size_t)64 << 20)
#define LIMIT_CONFIG_BYTES 4096

struct veil_collection {
	const struct veil_client *client;
	struct wire_collection wire;
	char id[HASH_HEX_SIZE];
	unsigned tables;
	struct silent_context *ctx[SILENT_MAX_TABLES];
	uint8_t *constants[SILENT_MAX_TABLES];
	struct wire_retrieval retrieval;
	struct veil_collection_info info;
};

struct veil_values {
	const struct veil_collection *collection;
	struct secret_lookup *lookup; /* holds the values */
	struct rng rng;
	const struct secret_lookup_key *keys;
	uint8_t *body;
	uint32_t count;
	struct veil_value *value; /* [count] */
	struct veil_lookup_cost cost;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* --- what the server has */

static size_t constants_bytes(const struct veil_collection *c, unsigned t)
{
	return c->ctx[t]->spec.packs * c->ctx[t]->static_bytes;
}

static enum veil_status make_contexts(struct veil_collection *c, struct veil_error *err)
{
	const struct silent_collection *description = &c->wire.collection;
	size_t constants = 0;

	c->tables = c->retrieval.tables = silent_collection_tables(description);
	for (unsigned t = 0; t < c->tables; t++) {
		struct veil_error why = {""};
		enum veil_status st =
			silent_collection_context(&c->ctx[t], description, t, cpu_features(), false, &why);

		if (st != VEIL_OK)
			return error_set(err, st == VEIL_E_NOMEM ? st : VEIL_E_MALFORMED,
				"the server's collection cannot be used: %.400s", why.text);
		c->retrieval.table[t].ctx = c->ctx[t];
		c->retrieval.table[t].lookups = silent_collection_table(description, t).lookups;
		constants += constants_bytes(c, t);
	}
	if (constants > LIMIT_STATIC_BYTES || wire_retrieve_bytes(&c->retrieval) > LIMIT_BODY_BYTES ||
		wire_retrieved_bytes(&c->retrieval) > LIMIT_BODY_BYTES)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"the server's collection is larger than this client takes: static halves %zu bytes, "
			"a "
			"request %zu, a reply %zu",
			constants, wire_retrieve_bytes(&c->retrieval), wire_retrieved_bytes(&c->retrieval));
	c->info.static_bytes = constants;
	return VEIL_OK;
}

static void fill_info(struct veil_collection *c)
{
	const struct silent_collection *d = &c->wire.collection;

	hash_hex(c->id, c->wire.id);
	c->info.name = d->name;
	c->info.id = c->id;
	c->info.params = d->params->name;
	c->info.by_number = d->access == SILENT_BY_NUMBER;
	c->info.keys = d->keys;
	c->info.records = d->records;
	c->info.epoch = d->epoch;
	c->info.query_bytes = wire_retrieve_bytes(&c->retrieval);
	c->info.reply_bytes = wire_retrieved_bytes(&c->retrieval);
	c->info.longest_value = silent_collection_room(d, d->classes - 1);
}

static enum veil_status fetch_description(
	struct veil_collection *c, const struct wire_signed *vouched, struct veil_error *err)
{
	const struct transport_request request = {.path = "/v1/collection",
		.limit_bytes = LIMIT_CONFIG_BYTES,
		.timeout_ms = c->client->timeout_ms};
	struct transport_reply reply = {0};
	uint8_t hash[HASH_BYTES];
	enum veil_status st =
		transport_call(&c->client->transport, &reply, &request, WIRE_CONTENT_TYPE, 0, err);

	if (st == VEIL_OK) {
		hash_sha256(hash, reply.body, reply.size);
		if (vouched && !wire_signed_has(vouched, WIRE_SIGNED_COLLECTION, hash))
			st = error_set(err, VEIL_E_MALFORMED,
				"the collection that the server shows is not one that its operator has "
				"signed; "
				"it is not used");
	}
	if (st == VEIL_OK)
		st = wire_collection_read(&c->wire, reply.body, reply.size, err);
	transport_reply_clear(&reply);
	return st;
}

/* Is what was signed still in force? */
static enum veil_status check_signed(const struct veil_client *client, struct veil_error *err)
{
	return client->trusting ? question_check_session(client, err) : VEIL_OK;
}

enum veil_status veil_collection_fetch(
	struct veil_collection **out, const struct veil_client *client, struct veil_error *err)
{
	struct veil_collection *c = calloc(1, sizeof *c);
	enum veil_status st = check_signed(client, err);

	*out = NULL;
	if (!c)
		return error_set(err, VEIL_E_NOMEM, "no memory for a collection");
	c->client = client;
	if (st == VEIL_OK)
		st = fetch_description(c, client->trusting ? &client->vouched : NULL, err);
	if (st == VEIL_OK)
		st = make_contexts(c, err);
	for (unsigned t = 0; st == VEIL_OK && t < c->tables; t++)
		st = session_fetch_object(&c->constants[t], &client->transport,
			silent_collection_table(&c->wire.collection, t).table->static_hash,
			constants_bytes(c, t), "the static halves of replies", client->timeout_ms, err);
	if (st != VEIL_OK) {
		veil_collection_destroy(c);
		return st;
	}
	fill_info(c);
	*out = c;
	return VEIL_OK;
}

const struct veil_collection_info *veil_collection_info(const struct veil_collection *collection)
{
	return &collection->info;
}

void veil_collection_destroy(struct veil_collection *c)
{
	if (!c)
		return;
	for (unsigned t = 0; t < c->tables; t++) {
		silent_context_destroy(c->ctx[t]);
		free(c->constants[t]);
	}
	free(c);
}

/* --- one request */

/* A second try is another lookup: new secrets, a new body. */
static enum veil_status write_request(void *arg, struct veil_error *err)
{
	struct veil_values *v = arg;
	const struct veil_collection *c = v->collection;
	enum veil_status st;

	secret_lookup_destroy(v->lookup);
	st = secret_lookup_create(&v->lookup, &c->wire.collection, c->ctx, v->keys, v->count, &v->rng, err);
	if (st == VEIL_OK)
		secret_lookup_write(v->lookup, wire_retrieve_frame(&c->retrieval, v->body, c->wire.id));
	return st;
}

static enum veil_status read_reply(
	struct veil_values *v, const struct transport_reply *reply, struct veil_error *err)
{
	const struct veil_collection *c = v->collection;
	uint8_t id[HASH_BYTES];
	struct bytes halves;
	enum veil_status st = wire_retrieved_read(&c->retrieval, id, &halves, reply->body, reply->size, err);

	if (st == VEIL_OK && memcmp(id, c->wire.id, sizeof id) != 0)
		st = error_set(err, VEIL_E_VERSION,
			"the server answered from another version of the collection; fetch it again");
	if (st == VEIL_OK)
		st = secret_lookup_decode(v->lookup, (const uint8_t *const *)c->constants, halves.data, err);
	for (uint32_t i = 0; st == VEIL_OK && i < v->count; i++) {
		struct bytes value = {0};

		v->value[i].found = secret_lookup_value(v->lookup, i, &value);
		v->value[i].data = value.data;
		v->value[i].size = value.size;
	}
	return st;
}

static enum veil_status ask(struct veil_values *v, struct veil_error *err)
{
	const struct veil_collection *c = v->collection;
	const struct transport_request request = {.path = "/v1/retrieve",
		.body = {v->body, c->info.query_bytes},
		.limit_bytes = c->info.reply_bytes,
		.timeout_ms = c->client->timeout_ms,
		.renew = write_request,
		.renew_arg = v};
	struct transport_reply reply = {0};
	double start = now_us();
	enum veil_status st = write_request(v, err);

	v->cost.encrypt_us = now_us() - start;
	if (st == VEIL_OK)
		st = transport_call(
			&c->client->transport, &reply, &request, WIRE_CONTENT_TYPE, c->info.reply_bytes, err);
	v->cost.bytes_up = reply.bytes_up;
	v->cost.bytes_down = reply.bytes_down;
	v->cost.server_us = reply.server_us;
	v->cost.network_us = reply.elapsed_us - (reply.server_us > 0 ? reply.server_us : 0);
	start = now_us();
	if (st == VEIL_OK)
		st = read_reply(v, &reply, err);
	v->cost.decrypt_us = now_us() - start;
	transport_reply_clear(&reply);
	return st;
}

enum veil_status veil_lookup(const struct veil_collection *c, struct veil_values **out,
	const struct veil_key *keys, uint32_t count, struct veil_error *err)
{
	struct secret_lookup_key asked[SILENT_MAX_KEYS] = {{0}};
	struct veil_values *v;
	enum veil_status st;

	*out = NULL;
	st = check_signed(c->client, err);
	if (st != VEIL_OK)
		return st;
	if (count < 1 || count > c->info.keys)
		return error_set(err, VEIL_E_INVALID, "%u keys; a request to this collection has 1 to %u",
			(unsigned)count, (unsigned)c->info.keys);
	for (uint32_t i = 0; i < count; i++)
		asked[i] = (struct secret_lookup_key){keys[i].data, keys[i].size, keys[i].number};
	v = calloc(1, sizeof *v);
	if (!v)
		return error_set(err, VEIL_E_NOMEM, "no memory for a lookup");
	*v = (struct veil_values){.collection = c, .rng = rng_system(), .keys = asked, .count = count};
	v->value = calloc(count, sizeof *v->value);
	v->body = malloc(c->info.query_bytes);
	st = v->value && v->body ? ask(v, err) : error_set(err, VEIL_E_NOMEM, "no memory for a lookup");
	v->keys = NULL;
	free(v->body);
	v->body = NULL;
	if (st != VEIL_OK) {
		veil_values_destroy(v);
		v = NULL;
	}
	*out = v;
	return st;
}

const struct veil_value *veil_values_at(const struct veil_values *values, uint32_t i)
{
	REQUIRE(i < values->count);
	return &values->value[i];
}

const struct veil_lookup_cost *veil_values_cost(const struct veil_values *values)
{
	return &values->cost;
}

void veil_values_destroy(struct veil_values *values)
{
	if (!values)
		return;
	secret_lookup_destroy(values->lookup);
	free(values->value);
	free(values);
}
