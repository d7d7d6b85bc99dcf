/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "index/label.h"
#include "sdk/sealed.h"

#define TYPE_OBJECT "application/octet-stream"
/* A server cannot make us hold more than this, whatever its configuration says. */
#define LIMIT_CODEBOOK_BYTES ((size_t)256 << 20)
#define LIMIT_REPLY_BYTES ((size_t)256 << 20)

static enum veil_status refuse(struct veil_error *err, const char *what, uint64_t said, uint64_t ours)
{
	return error_set(err, VEIL_E_MALFORMED,
		"the server's configuration says %s is %llu where %llu is right; it is not used", what,
		(unsigned long long)said, (unsigned long long)ours);
}

static enum veil_status check_config(const struct session *s, struct veil_error *err)
{
	const struct wire_config *c = &s->config;

	if (c->shards < 1 || c->shards > INDEX_MAX_SHARDS)
		return error_set(err, VEIL_E_MALFORMED,
			"the server's configuration has %u shards, not 1 to %u", c->shards, INDEX_MAX_SHARDS);
	if (!index_label_bytes_ok(c->label_bytes))
		return error_set(err, VEIL_E_MALFORMED,
			"the server's configuration has labels of %u bytes, not 0 or 4 to %d", c->label_bytes,
			INDEX_MAX_LABEL_BYTES);
	if (c->codebook_bytes != index_codebook_bytes(c->shards, c->spec.dim))
		return refuse(err, "the size of the codebook", c->codebook_bytes,
			index_codebook_bytes(c->shards, c->spec.dim));
	if (c->query_bytes != wire_query_bytes(s->nn))
		return refuse(err, "the size of a query", c->query_bytes, wire_query_bytes(s->nn));
	if (c->reply_bytes != wire_reply_bytes(s->nn, c->label_bytes))
		return refuse(
			err, "the size of a reply", c->reply_bytes, wire_reply_bytes(s->nn, c->label_bytes));
	if (c->codebook_bytes > LIMIT_CODEBOOK_BYTES || c->reply_bytes > LIMIT_REPLY_BYTES)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"the server's index is larger than this client takes: codebook %u bytes (limit %zu), "
			"reply %u bytes (limit %zu)",
			c->codebook_bytes, LIMIT_CODEBOOK_BYTES, c->reply_bytes, LIMIT_REPLY_BYTES);
	return VEIL_OK;
}

/* Each number of a row was rounded to an integer, uniformly off by a half at most; the query has norm 1. */
static double rounding(const struct nn_spec *spec)
{
	return 1 / (sqrt(12) * (double)spec->scale);
}

static void fill_info(struct session *s)
{
	const struct wire_config *c = &s->config;

	hash_hex(s->id, c->index_id);
	s->info = (struct veil_index_info){
		.name = c->name,
		.id = s->id,
		.params = c->spec.params->name,
		.exact = engine_exact(c->spec.params),
		.engine = engine_name(c->spec.params),
		.dim = c->spec.dim,
		.scale = c->spec.scale,
		.records = c->records,
		.shards = c->shards,
		.rows = c->spec.rows,
		.label_bytes = c->label_bytes,
		.query_bytes = c->query_bytes,
		.reply_bytes = c->reply_bytes,
	};
	if (s->sealed) {
		s->info.sealed = 1;
		s->info.sealed_query_bytes = wire_retrieve_bytes(&s->retrieval);
		s->info.sealed_reply_bytes = wire_retrieved_bytes(&s->retrieval);
		s->info.sealed_static_bytes = sealed_constants_bytes(s);
		s->info.sealed_error =
			hypot(silent_sealed_error(s->sealed, c->spec.row_norm / sqrt(c->spec.dim)),
				rounding(&c->spec));
	}
	s->info.error = s->info.exact ? 0 : hypot(nn_noise_std(s->nn, c->spec.row_norm), rounding(&c->spec));
}

enum veil_status session_read_config(struct session *session, struct bytes config, struct veil_error *err)
{
	enum veil_status st = wire_config_read(&session->config, config.data, config.size, err);
	struct veil_error why = {""};

	if (st != VEIL_OK)
		return st;
	session->config.spec.allow_insecure = false;
	st = engine_open(&session->engine, &session->config.spec, cpu_features(), &why);
	session->nn = session->engine.shape;
	if (st != VEIL_OK)
		return error_set(err, st == VEIL_E_NOMEM ? st : VEIL_E_MALFORMED,
			"the server's configuration cannot be used: %.400s", why.text);
	st = check_config(session, err);
	if (st == VEIL_OK) {
		st = sealed_make(session, &why);
		if (st != VEIL_OK)
			error_set(err, st == VEIL_E_INVALID ? VEIL_E_MALFORMED : st,
				"the server's configuration cannot be used: %.400s", why.text);
		st = st == VEIL_E_INVALID ? VEIL_E_MALFORMED : st;
	}
	if (st == VEIL_OK)
		fill_info(session);
	return st;
}

enum veil_status session_read_codebook(struct session *session, struct bytes codebook, struct veil_error *err)
{
	const struct wire_config *c = &session->config;
	uint8_t hash[HASH_BYTES];
	enum veil_status st;

	hash_sha256(hash, codebook.data, codebook.size);
	if (memcmp(hash, c->codebook_hash, sizeof hash) != 0)
		return error_set(err, VEIL_E_MALFORMED,
			"the codebook that the server sent does not have the hash that its configuration "
			"names; it is not used");
	st = index_codebook_read(&session->codebook, codebook.data, codebook.size, err);
	if (st == VEIL_OK && (session->codebook.shards != c->shards || session->codebook.dim != c->spec.dim))
		st = error_set(err, VEIL_E_MALFORMED,
			"the server's codebook is %u x %u where its configuration says %u x %u; it is not "
			"used",
			session->codebook.shards, session->codebook.dim, c->shards, c->spec.dim);
	return st;
}

enum veil_status session_check_signed(const struct session *session, struct bytes body,
	const struct wire_signed *vouched, struct veil_error *err)
{
	const struct wire_config *c = &session->config;
	uint8_t hash[HASH_BYTES];
	const char *what = NULL;

	hash_sha256(hash, body.data, body.size);
	if (!wire_signed_has(vouched, WIRE_SIGNED_CONFIG, hash))
		what = "the configuration";
	else if (!wire_signed_has(vouched, WIRE_SIGNED_INDEX, c->index_id))
		what = "the version of the index";
	else if (!wire_signed_has(vouched, WIRE_SIGNED_CODEBOOK, c->codebook_hash))
		what = "the codebook";
	if (!what)
		return VEIL_OK;
	return error_set(err, VEIL_E_MALFORMED,
		"%s that the server shows is not one that its operator has signed; it is not used", what);
}

static void object_path(char path[32 + HASH_HEX_SIZE], const uint8_t hash[HASH_BYTES])
{
	char hex[HASH_HEX_SIZE];

	hash_hex(hex, hash);
	snprintf(path, 32 + HASH_HEX_SIZE, "/v1/object/%s", hex);
}

static enum veil_status fetch_config(struct session *s, const struct transport *transport,
	const struct wire_signed *vouched, uint32_t timeout_ms, struct veil_error *err)
{
	char path[32 + HASH_HEX_SIZE] = "/v1/config";
	const struct transport_request request = {
		.path = path, .limit_bytes = WIRE_MAX_CONFIG_BYTES, .timeout_ms = timeout_ms};
	const uint8_t *hash = vouched ? wire_signed_first(vouched, WIRE_SIGNED_CONFIG) : NULL;
	struct transport_reply reply = {0};
	enum veil_status st;

	if (vouched && !hash)
		return error_set(err, VEIL_E_MALFORMED, "the signed configuration names no index");
	if (hash)
		object_path(path, hash);
	st = transport_call(transport, &reply, &request, hash ? TYPE_OBJECT : WIRE_CONTENT_TYPE, 0, err);
	if (st == VEIL_OK)
		st = session_read_config(s, (struct bytes){reply.body, reply.size}, err);
	if (st == VEIL_OK && vouched)
		st = session_check_signed(s, (struct bytes){reply.body, reply.size}, vouched, err);
	transport_reply_clear(&reply);
	return st;
}

static enum veil_status fetch_codebook(
	struct session *s, const struct transport *transport, uint32_t timeout_ms, struct veil_error *err)
{
	char path[32 + HASH_HEX_SIZE];
	const struct transport_request request = {
		.path = path, .limit_bytes = s->config.codebook_bytes, .timeout_ms = timeout_ms};
	struct transport_reply reply = {0};
	enum veil_status st;

	object_path(path, s->config.codebook_hash);
	st = transport_call(transport, &reply, &request, TYPE_OBJECT, s->config.codebook_bytes, err);
	if (st == VEIL_OK)
		st = session_read_codebook(s, (struct bytes){reply.body, reply.size}, err);
	transport_reply_clear(&reply);
	return st;
}

enum veil_status session_fetch_object(uint8_t **out, const struct transport *transport,
	const uint8_t want[HASH_BYTES], size_t size, const char *what, uint32_t timeout_ms,
	struct veil_error *err)
{
	char path[32 + HASH_HEX_SIZE];
	const struct transport_request request = {
		.path = path, .limit_bytes = size, .timeout_ms = timeout_ms};
	struct transport_reply reply = {0};
	uint8_t hash[HASH_BYTES];
	enum veil_status st;

	object_path(path, want);
	st = transport_call(transport, &reply, &request, TYPE_OBJECT, size, err);
	if (st == VEIL_OK) {
		hash_sha256(hash, reply.body, reply.size);
		if (memcmp(hash, want, sizeof hash) != 0)
			st = error_set(err, VEIL_E_MALFORMED,
				"%s that the server sent do not have the hash that its configuration names; "
				"they are not used",
				what);
	}
	if (st == VEIL_OK) {
		*out = malloc(size);
		if (!*out)
			st = error_set(err, VEIL_E_NOMEM, "no memory for %s", what);
		else
			memcpy(*out, reply.body, size);
	}
	transport_reply_clear(&reply);
	return st;
}

static enum veil_status fetch_sealed(
	struct session *s, const struct transport *transport, uint32_t timeout_ms, struct veil_error *err)
{
	const struct wire_config *c = &s->config;
	enum veil_status st;

	if (!s->sealed)
		return VEIL_OK;
	st = session_fetch_object(&s->constants, transport, c->static_hash, sealed_constants_bytes(s),
		"the static halves of replies", timeout_ms, err);
	if (st == VEIL_OK && c->label_bytes)
		st = session_fetch_object(&s->labels, transport, c->labels_hash, sealed_labels_bytes(s),
			"the labels", timeout_ms, err);
	return st;
}

enum veil_status session_fetch(struct session **out, const struct transport *transport,
	const struct wire_signed *vouched, uint32_t timeout_ms, struct veil_error *err)
{
	struct session *s = calloc(1, sizeof *s);
	enum veil_status st;

	*out = NULL;
	if (!s)
		return error_set(err, VEIL_E_NOMEM, "no memory for the server's configuration");
	st = fetch_config(s, transport, vouched, timeout_ms, err);
	if (st == VEIL_OK)
		st = fetch_codebook(s, transport, timeout_ms, err);
	if (st == VEIL_OK)
		st = fetch_sealed(s, transport, timeout_ms, err);
	if (st != VEIL_OK) {
		session_destroy(s);
		return st;
	}
	*out = s;
	return VEIL_OK;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	engine_close(&session->engine);
	silent_sealed_destroy(session->sealed);
	free(session->constants);
	free(session->labels);
	index_codebook_clear(&session->codebook);
	free(session);
}
