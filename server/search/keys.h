/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_KEYS_H
#define SEARCH_KEYS_H

#include <stdint.h>

#include "ohttp/message.h"
#include "search/replay.h"
#include "veil/status.h"

/* The keys of the gateway: a directory with a file NAME.key each, readable for its owner only
 * (docs/operating.md). A key is `next` before its not-before, `active` until its not-after, `retiring` for a
 * grace: still accepted, no longer published; then it is over. All follows from the files and the time. */

#define KEYS_MAX 64 /* files that are not over */

enum keys_state { KEYS_NEXT, KEYS_ACTIVE, KEYS_RETIRING, KEYS_OVER };

struct keys_entry {
	struct message_key message;
	struct kem_key *key;
	int64_t not_before, not_after; /* seconds since 1970 */
	char name[256]; /* of its file, without the ending */
	struct replay *replay; /* its requests; NULL until the gateway gives it one */
};

/** Immutable but for the replay sets. */
struct keys {
	int64_t grace; /* seconds */
	size_t count;
	struct keys_entry entry[KEYS_MAX];
};

/** Reads the keys that are not over at `now`. VEIL_E_IO, VEIL_E_INVALID: a file that others may read, that is
 * no key, an identifier that occurs twice, a KEM that this build lacks; named. No key at all is fine. */
enum veil_status keys_load(struct keys **out, struct crypto *c, const char *dir, int64_t grace, int64_t now,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Wipes the private keys and closes the replay sets; destroy accepts NULL. */
void keys_clear(struct keys *k);
void keys_destroy(struct keys *k);

enum keys_state keys_state(const struct keys *k, const struct keys_entry *e, int64_t now);

/** The indexes of what is published at `now`, and how many: active ones, the newest first, then of each KEM
 * the next one. */
size_t keys_published(const struct keys *k, int64_t now, size_t out[KEYCONFIG_MAX]);

/** Makes a key of `days` in the directory, which is made if it is not there: it begins when the last one of
 * its KEM ends, or now. `path` gets its name. VEIL_E_UNSUPPORTED: no such
 * KEM; VEIL_E_IO. */
enum veil_status keys_make(struct crypto *c, const char *dir, const char *kem, unsigned days, int64_t grace,
	int64_t now, char *path, size_t path_size, struct veil_error *err) VEIL_MUST_CHECK;

#endif
