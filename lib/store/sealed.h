/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SEALED_H
#define STORE_SEALED_H

#include "base/exec.h"
#include "silent/sealed.h"
#include "store/index.h"

/* What a server needs to answer sealed searches of an index. All of it follows from the index, and a core
 * makes it in about 0.6 s for each pack of 2048 rows a shard, so nothing of it is stored: the manifest names
 * the parameter set alone. */
struct store_sealed {
	struct silent_sealed *sealed;
	struct silent_pack *pack; /* [packs] */
	uint8_t *constants; /* packs * static_bytes: the static halves, in memory of their own */
	size_t constants_bytes;
	uint8_t constants_hash[HASH_BYTES];
	uint8_t *labels; /* of all shards, shards * rows * label_bytes; NULL where there are none */
	size_t labels_bytes;
	uint8_t labels_hash[HASH_BYTES]; /* zeros where there are none */
	struct store_sealed_memory *memory; /* tables and material, private */
};

/** What the index fixes, with the seed that its id gives: SHA-256("veil/sealed/1" || id). */
void store_sealed_spec(struct silent_sealed_spec *spec, const struct store_index *index);

/** The memory that store_sealed_create takes and keeps. */
uint64_t store_sealed_bytes(const struct silent_sealed *sealed);

/** `index` has sealed search and is not looked at later. Functions are called from the threads of `exec`.
 * VEIL_E_INVALID, VEIL_E_NOMEM; VEIL_E_TIMEOUT once go_on(state) says no. */
enum veil_status store_sealed_create(struct store_sealed **out, const struct store_index *index,
	unsigned features, const struct exec *exec, bool (*go_on)(void *state), void *state,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void store_sealed_destroy(struct store_sealed *s);

#endif
