/* SPDX-License-Identifier: Apache-2.0 */
#include "search/vouched.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/keyfile.h"
#include "kit/log.h"
#include "ohttp/keyconfig.h"

#define SOON_SECONDS 86400

void vouched_init(struct vouched *v)
{
	v->size = 0;
	v->sequence = 0;
	pthread_mutex_init(&v->lock, NULL);
}

void vouched_clear(struct vouched *v)
{
	pthread_mutex_destroy(&v->lock);
}

/* A key that is published but not signed is one that clients pass over: right while it is made known. */
static enum veil_status check_keys(
	const struct wire_signed *s, struct gateway *gateway, const char *path, struct veil_error *err)
{
	struct bytes rest = {0}, one;
	uint8_t hash[HASH_BYTES], *body = gateway_keys_body(gateway, &rest.size);
	unsigned named = 0, other = 0;

	rest.data = body;
	while (body && keyconfig_next(&rest, &one)) {
		hash_sha256(hash, one.data, one.size);
		if (wire_signed_has(s, WIRE_SIGNED_GATEWAY_KEY, hash) ||
			wire_signed_has(s, WIRE_SIGNED_GATEWAY_KEY_PQ, hash))
			named++;
		else
			other++;
	}
	free(body);
	if (named == 0)
		return error_set(err, VEIL_E_INVALID,
			"%s names no key that the gateway publishes; sign it again with "
			"/.well-known/ohttp-gateway of this server",
			path);
	if (other > 0)
		log_warn("%s does not name %u of the %u keys that are published: clients do not use them",
			path, other, named + other);
	return VEIL_OK;
}

static enum veil_status check(const struct wire_signed *s, const char *path, const struct snapshot *now,
	struct gateway *gateway, struct veil_error *err)
{
	const uint8_t *config = wire_signed_first(s, WIRE_SIGNED_CONFIG);
	struct veil_error why = {{0}};

	if (wire_signed_check_time(s, time(NULL), &why) != VEIL_OK)
		return error_set(err, VEIL_E_VERSION, "%s: %.400s", path, why.text);
	if (!config || memcmp(config, now->config_hash, HASH_BYTES) != 0 ||
		!wire_signed_has(s, WIRE_SIGNED_INDEX, now->index->id) ||
		!wire_signed_has(s, WIRE_SIGNED_CODEBOOK, now->index->codebook_hash))
		return error_set(err, VEIL_E_INVALID,
			"%s is not of the index that is served; sign that one (veil-index sign)", path);
	if (s->request_bytes < now->query_bytes || s->reply_bytes < now->reply_bytes ||
		s->request_bytes < now->sealed_query_bytes || s->reply_bytes < now->sealed_reply_bytes ||
		s->request_bytes < now->lookup_query_bytes || s->reply_bytes < now->lookup_reply_bytes)
		return error_set(err, VEIL_E_INVALID,
			"%s has room for smaller messages than those of the index", path);
	if (now->tables) {
		uint8_t hash[HASH_BYTES];

		hash_sha256(hash, now->collection, now->collection_size);
		if (!wire_signed_has(s, WIRE_SIGNED_COLLECTION, hash))
			return error_set(err, VEIL_E_INVALID,
				"%s is not of the collection that is served; sign that one too (veil-index "
				"sign "
				"--collection)",
				path);
	}
	if (gateway &&
		!gateway_serves(gateway, (struct bytes){(const uint8_t *)s->authority, strlen(s->authority)}))
		return error_set(err, VEIL_E_INVALID,
			"%s has clients ask for the host %s, which is not --gateway-authority; sign it with "
			"that one",
			path, s->authority);
	return gateway ? check_keys(s, gateway, path, err) : VEIL_OK;
}

/* Clients that saw the one before would refuse it (client/sdk/trust.c). Only starts and reloads come here,
 * one at a time: no lock. */
static enum veil_status compare(const struct vouched *v, const struct wire_signed *s, struct bytes body,
	const char *path, struct veil_error *err)
{
	if (s->sequence > v->sequence || (s->sequence == v->sequence && body.size == v->size &&
						 memcmp(body.data, v->body, v->size) == 0))
		return VEIL_OK;
	return error_set(err, VEIL_E_VERSION,
		"%s has the number %llu, and %llu has been shown: clients would refuse it; sign "
		"it again with a larger one",
		path, (unsigned long long)s->sequence, (unsigned long long)v->sequence);
}

enum veil_status vouched_load(struct vouched *v, const char *path, const struct snapshot *now,
	struct gateway *gateway, struct veil_error *err)
{
	uint8_t body[WIRE_SIGNED_MAX_BYTES + 1];
	struct veil_error why = {{0}};
	struct wire_signed s;
	size_t size = 0;
	enum veil_status st = keyfile_read_public(body, sizeof body, &size, path, err);

	if (st != VEIL_OK)
		return st;
	st = wire_signed_read_any(&s, (struct bytes){body, size}, &why);
	if (st != VEIL_OK)
		return error_set(err, st, "%s: %.400s", path, why.text);
	st = check(&s, path, now, gateway, err);
	if (st == VEIL_OK)
		st = compare(v, &s, (struct bytes){body, size}, path, err);
	if (st != VEIL_OK)
		return st;
	log_info("signed configuration %llu", (unsigned long long)s.sequence);
	if (s.not_after - time(NULL) < SOON_SECONDS)
		log_warn("%s is out of date within a day; sign again", path);
	pthread_mutex_lock(&v->lock);
	memcpy(v->body, body, size);
	v->size = size;
	v->sequence = s.sequence;
	pthread_mutex_unlock(&v->lock);
	return VEIL_OK;
}

uint8_t *vouched_body(struct vouched *v, size_t *size)
{
	uint8_t *body = NULL;

	pthread_mutex_lock(&v->lock);
	*size = v->size;
	if (v->size)
		body = malloc(v->size);
	if (body)
		memcpy(body, v->body, v->size);
	pthread_mutex_unlock(&v->lock);
	return body;
}
