/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_KV_PACKS_H
#define STORE_KV_PACKS_H

#include "store/building.h"
#include "store/manifest_kv.h"

/* Which packs of a collection have reached the disk: `building`/packs. Private to kv_writer.c. */

struct kv_packs {
	bool *done[SILENT_MAX_TABLES]; /* [packs]: said to be on the disk */
};

/** Opens what is left of a build of `shape`, or an empty `building`, and reads the hashes into m->pack. */
enum veil_status kv_packs_open(struct kv_packs *p, struct store_building *at, struct store_kv_manifest *m,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Are both files whole, and is the table's hash this one? */
bool kv_packs_whole(const struct kv_packs *p, const struct store_building *at,
	const struct store_kv_manifest *m, unsigned t, uint32_t pack, const uint8_t table_hash[HASH_BYTES]);
/** A pack is on the disk. May be called by several threads. */
enum veil_status kv_packs_add(const struct store_building *at, unsigned t, uint32_t pack,
	const struct store_kv_pack *hashes, struct veil_error *err) VEIL_MUST_CHECK;
/** The version is complete. */
enum veil_status kv_packs_end(const struct store_building *at, struct veil_error *err) VEIL_MUST_CHECK;
void kv_packs_clear(struct kv_packs *p);

#endif
