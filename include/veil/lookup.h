/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_LOOKUP_H
#define VEIL_LOOKUP_H

/** Values by key, or by number, from a collection that a Veil server holds; it never learns which keys, nor
 * whether it has them. Every request has the same size and asks for the same number of keys. */

#include "veil/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A collection as its server describes it. */
struct veil_collection;
/** What came back of one request. */
struct veil_values;

struct veil_collection_info {
	const char *name; /* printable UTF-8 */
	const char *id; /* 64 hex digits: the version */
	const char *params;
	int by_number; /* 1: records are asked by number, 0: by key */
	uint32_t keys; /* of every request; fewer are filled up with fakes */
	uint64_t records;
	uint64_t epoch;
	uint64_t query_bytes, reply_bytes; /* of every request and reply, HTTP bodies */
	uint64_t static_bytes; /* fetched once by veil_collection_fetch */
	uint64_t longest_value; /* bytes */
};

/** What is asked: a key of at most 1024 bytes, or a number. */
struct veil_key {
	const void *data;
	size_t size;
	uint64_t number;
};

struct veil_value {
	int found;
	const uint8_t *data; /* lives as long as the values */
	size_t size;
};

/** What a request took and weighed. */
struct veil_lookup_cost {
	size_t bytes_up, bytes_down; /* HTTP bodies */
	double encrypt_us, decrypt_us, network_us;
	double server_us; /* as the server says; negative where it does not */
};

/** Fetches what the client's server says of its collection, and the static halves of its replies by their
 * hashes, unconditionally. The client must outlive it. VEIL_E_NOT_FOUND: the server has none;
 * VEIL_E_MALFORMED, VEIL_E_VERSION, VEIL_E_UNSUPPORTED: what it says cannot be used; and what the way there
 * says. A client that trusts only what an operator signs: VEIL_E_MALFORMED unless it has signed this,
 * VEIL_E_INVALID before veil_client_refresh, VEIL_E_VERSION once that is out of date. */
VEIL_EXPORT enum veil_status veil_collection_fetch(struct veil_collection **out,
	const struct veil_client *client, struct veil_error *err) VEIL_MUST_CHECK;
VEIL_EXPORT const struct veil_collection_info *veil_collection_info(const struct veil_collection *collection);
/** Accepts NULL. */
VEIL_EXPORT void veil_collection_destroy(struct veil_collection *collection);

/** One request for keys[count], 1 <= count <= info->keys. VEIL_E_INVALID: more, or a key is too long;
 * VEIL_E_VERSION: the server has another version by now, fetch it again, or what was signed is out of date;
 * VEIL_E_CORRUPT: a value came back in part. */
VEIL_EXPORT enum veil_status veil_lookup(const struct veil_collection *collection, struct veil_values **out,
	const struct veil_key *keys, uint32_t count, struct veil_error *err) VEIL_MUST_CHECK;
/** i below count. */
VEIL_EXPORT const struct veil_value *veil_values_at(const struct veil_values *values, uint32_t i);
VEIL_EXPORT const struct veil_lookup_cost *veil_values_cost(const struct veil_values *values);
/** Wipes. Accepts NULL. */
VEIL_EXPORT void veil_values_destroy(struct veil_values *values);

#ifdef __cplusplus
}
#endif

#endif
