/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_SIGNED_H
#define WIRE_SIGNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/sign.h"
#include "veil/status.h"

/* The signed configuration (docs/wire.md): what an operator vouches for, the same bytes for every client. It
 * names by hash all that is fetched after it, so that a server cannot show one client another index or
 * another key. */

#define WIRE_SIGNED_MAX_BYTES 8192
#define WIRE_SIGNED_MAX_KEYS 4
#define WIRE_SIGNED_MAX_OBJECTS 64
#define WIRE_SIGNED_MAX_AUTHORITY 127
#define WIRE_SIGNED_TYPE "application/octet-stream"
#define WIRE_SIGNED_PATH "/v1/signed"

/** What a hash is of. Others are passed over: later programs will know them. */
enum wire_signed_kind {
	WIRE_SIGNED_CONFIG = 1, /* a body of GET /v1/config; the first one is in force */
	WIRE_SIGNED_INDEX = 2, /* the manifest.json of a version, its id */
	WIRE_SIGNED_CODEBOOK = 3,
	WIRE_SIGNED_GATEWAY_KEY = 4, /* one key configuration with its length, as in application/ohttp-keys */
	WIRE_SIGNED_COLLECTION = 5, /* a body of GET /v1/collection */
	/* Like 4, of a post-quantum KEM: whoever passes the keys on cannot leave all of these out unseen. */
	WIRE_SIGNED_GATEWAY_KEY_PQ = 6,
};

struct wire_signed_object {
	uint8_t kind;
	uint8_t hash[HASH_BYTES];
};

struct wire_signed {
	uint64_t sequence; /* >= 1; a later one is larger */
	int64_t not_before, not_after; /* seconds since 1970 */
	uint32_t request_bytes, reply_bytes; /* contents that everything inside of OHTTP is padded for */
	char authority[WIRE_SIGNED_MAX_AUTHORITY + 1]; /* of every request inside: host[:port] */
	size_t key_count; /* whom clients trust from now on: 1..WIRE_SIGNED_MAX_KEYS */
	uint8_t keys[WIRE_SIGNED_MAX_KEYS][SIGN_PUBLIC_BYTES];
	size_t object_count;
	struct wire_signed_object objects[WIRE_SIGNED_MAX_OBJECTS];
};

/** A malloc'd object, signed with each of the seeds (1..WIRE_SIGNED_MAX_KEYS). VEIL_E_INVALID: a field is out
 * of range; VEIL_E_NOMEM. */
enum veil_status wire_signed_write(uint8_t **out, size_t *size, const struct wire_signed *s,
	const uint8_t (*seeds)[SIGN_SEED_BYTES], size_t seed_count, struct veil_error *err) VEIL_MUST_CHECK;

/** Reads untrusted bytes; `s` is set only if all is well formed, every signature that they hold is right and
 * one of them is by one of the keys. VEIL_E_MALFORMED; VEIL_E_INVALID: signed, but by none of the keys. */
enum veil_status wire_signed_read(struct wire_signed *s, struct bytes data,
	const uint8_t (*keys)[SIGN_PUBLIC_BYTES], size_t key_count, struct veil_error *err) VEIL_MUST_CHECK;
/** The same, whoever signed. */
enum veil_status wire_signed_read_any(
	struct wire_signed *s, struct bytes data, struct veil_error *err) VEIL_MUST_CHECK;

/** VEIL_E_VERSION: not valid yet, or not any more, at `now`. */
enum veil_status wire_signed_check_time(
	const struct wire_signed *s, int64_t now, struct veil_error *err) VEIL_MUST_CHECK;

bool wire_signed_has(const struct wire_signed *s, enum wire_signed_kind kind, const uint8_t hash[HASH_BYTES]);
/** The first hash of that kind; NULL where there is none. */
const uint8_t *wire_signed_first(const struct wire_signed *s, enum wire_signed_kind kind);

#endif
