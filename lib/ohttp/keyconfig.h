/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_KEYCONFIG_H
#define OHTTP_KEYCONFIG_H

#include "ohttp/hpke.h"

/* Key configurations, RFC 9458 section 3: what a gateway publishes (application/ohttp-keys) and what a client
 * chooses from it. */

#define KEYCONFIG_MAX 8 /* offered to us in one list; a gateway needs two or three */
#define KEYCONFIG_MAX_ALGORITHMS 9 /* three KDFs with three AEADs */
#define KEYCONFIG_MEDIA_TYPE "application/ohttp-keys"

struct keyconfig_algorithm {
	uint16_t kdf, aead;
};

/** One configuration. Algorithms that this build lacks are left out, and so are repetitions: none may be
 * left. */
struct keyconfig {
	uint8_t id;
	const struct kem *kem;
	const uint8_t *public_key; /* kem->public_bytes */
	size_t algorithm_count;
	struct keyconfig_algorithm algorithms[KEYCONFIG_MAX_ALGORITHMS];
};

struct keyconfig_list {
	size_t count;
	size_t skipped; /* of KEMs that this build lacks */
	struct keyconfig configs[KEYCONFIG_MAX];
};

/** Reads an application/ohttp-keys body; `list` points into `data`. VEIL_E_MALFORMED: any one of the
 * configurations is not encoded rightly, or there is none, or there are more than KEYCONFIG_MAX. A list of
 * KEMs that are all unknown is fine, and empty. */
enum veil_status keyconfig_read(
	struct keyconfig_list *list, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

/** Takes the next configuration off a body, as it stands there with its length before it, known or not: what
 * a signed configuration names by its hash. False at the end, or where what is left is cut off. */
bool keyconfig_next(struct bytes *body, struct bytes *one);
/** The identifier of its KEM, known here or not; 0 if it is too short to have one. */
uint16_t keyconfig_kem(struct bytes one);

/** The bytes of such a body, which depend on the list alone: the same for every client. */
size_t keyconfig_bytes(const struct keyconfig *configs, size_t count);
void keyconfig_write(uint8_t *out, const struct keyconfig *configs, size_t count);

/** What a client insists on. All clients of a release use one policy: mixing splits the crowd they hide in.
 */
enum keyconfig_policy {
	KEYCONFIG_REQUIRE_PQ, /* a post-quantum KEM or nothing */
	KEYCONFIG_PREFER_PQ, /* the first post-quantum one, else the first classic one, and say so */
	KEYCONFIG_CLASSIC, /* the first classic one */
};
/** `require-pq`, `prefer-pq` or `classic`; false for another name. */
bool keyconfig_policy_from_name(enum keyconfig_policy *policy, const char *name);

/** A configuration with one of its algorithms: the one that the gateway lists first. */
struct keyconfig_choice {
	const struct keyconfig *config;
	struct hpke_suite suite;
	const char *note; /* why it is not post-quantum although that was preferred; NULL otherwise */
};
/** VEIL_E_UNSUPPORTED, with the reason: nothing in the list satisfies the policy. */
enum veil_status keyconfig_choose(struct keyconfig_choice *choice, const struct keyconfig_list *list,
	enum keyconfig_policy policy, struct veil_error *err) VEIL_MUST_CHECK;

#endif
