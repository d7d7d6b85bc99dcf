/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MANIFEST_KV_H
#define STORE_MANIFEST_KV_H

#include <stddef.h>

#include "silent/collection.h"
#include "veil/status.h"

struct store_kv_pack {
	uint8_t table_hash[HASH_BYTES]; /* of table-TT-PPPPP.bin */
	uint8_t material_hash[HASH_BYTES]; /* of material-TT-PPPPP.bin */
};

/** What manifest.json of a collection says (docs/index-format.md). Sizes follow from the numbers; the file
 * states them too, and they are compared. */
struct store_kv_manifest {
	struct silent_collection collection;
	struct store_kv_pack *pack[SILENT_MAX_TABLES]; /* [packs of the table], owned */
};

/** Deterministic JSON; *out is malloc'd. */
enum veil_status store_kv_manifest_write(
	char **out, size_t *size, const struct store_kv_manifest *m) VEIL_MUST_CHECK;
/** As store_manifest_read. */
enum veil_status store_kv_manifest_read(struct store_kv_manifest *m, const void *data, size_t size,
	const char *label, struct veil_error *err) VEIL_MUST_CHECK;
/** Room for the packs of all tables of m->collection, zeroed. */
enum veil_status store_kv_manifest_packs(struct store_kv_manifest *m) VEIL_MUST_CHECK;
void store_kv_manifest_clear(struct store_kv_manifest *m);

/** Does it begin as a manifest of a collection does, whether or not the rest is right? */
bool store_kv_manifest_is(const void *data, size_t size);

/** The files of a table. */
enum store_kv_file {
	STORE_KV_TABLE, /* table-TT-PPPPP.bin */
	STORE_KV_MATERIAL, /* material-TT-PPPPP.bin */
	STORE_KV_STATIC, /* static-TT.bin; `pack` does not matter */
};
#define STORE_KV_NAME_SIZE 40
void store_kv_name(char out[STORE_KV_NAME_SIZE], enum store_kv_file file, unsigned table, uint32_t pack);
/** Sizes of such a file. */
uint64_t store_kv_bytes(const struct silent_collection *c, enum store_kv_file file, unsigned table);

#endif
