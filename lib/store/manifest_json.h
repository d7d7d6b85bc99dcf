/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MANIFEST_JSON_H
#define STORE_MANIFEST_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/hash.h"
#include "veil/status.h"

/* What the manifests of all kinds have in common. Private to manifest*.c. */

/** {"bytes", "sha256"}. NULL from jansson is passed on: running out of memory shows at the end. */
json_t *manifest_file_json(uint64_t bytes, const uint8_t hash[HASH_BYTES]);

/** Reading: every key is taken by name, what is not known is refused. The first failure sticks. */
struct manifest_reading {
	const char *label; /* for errors */
	struct veil_error *err;
	enum veil_status st;
};

/** The whole object; the caller decrefs it. NULL: not JSON, or a key twice, which *err says where. */
json_t *manifest_load(const void *data, size_t size, const char *label, struct veil_error *err);

void manifest_refuse(struct manifest_reading *r, const char *where, const char *key, const char *what);
/** Borrowed from the object, which the caller keeps; NULL after a failure. */
json_t *manifest_take(
	struct manifest_reading *r, json_t *object, const char *where, const char *key, json_type type);
uint64_t manifest_take_integer(struct manifest_reading *r, json_t *object, const char *where, const char *key,
	uint64_t min, uint64_t max);
/** An object of manifest_file_json that says `bytes`. */
void manifest_take_file(struct manifest_reading *r, json_t *object, const char *where, const char *key,
	uint64_t bytes, uint8_t hash[HASH_BYTES]);
/** `known` ends with NULL. */
void manifest_refuse_unknown(
	struct manifest_reading *r, json_t *object, const char *where, const char *const *known);
/** "format" is `want`, "version" is ours. */
void manifest_check_format(struct manifest_reading *r, json_t *top, const char *want);

#endif
