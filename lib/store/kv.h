/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_KV_H
#define STORE_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "silent/collection.h"
#include "veil/status.h"

/* A collection for private retrieval on disk (docs/index-format.md, index kind kv): a versioned directory as
 * store/index.h has it, with these files in a version:
 *   manifest.json            struct silent_collection, and size and SHA-256 of every other file
 *   table-TT-PPPPP.bin       the bytes of pack P of table T as the scan reads them, no header
 *   material-TT-PPPPP.bin    what silent_offline_pack made of it
 *   static-TT.bin            the static halves of all its packs, packs * static_bytes
 * An update shares the files of the bases with the version before it (hard links). */

struct store_kv_table {
	struct silent_context *ctx;
	struct silent_pack *packs; /* [ctx->spec.packs]: mapped, for silent_answer_pack */
	struct bytes constants; /* static-TT.bin; its SHA-256 is in collection.class[].static_hash */
};

/** An opened version: mapped read-only, verified, immutable, shared by threads. */
struct store_kv {
	uint8_t id[HASH_BYTES]; /* SHA-256 of manifest.json: the id of requests and replies */
	struct silent_collection collection;
	unsigned tables; /* silent_collection_tables */
	struct store_kv_table table[SILENT_MAX_TABLES];
	uint64_t bytes; /* of all files: what is mapped */
	struct store_kv_files *files; /* private */
};

struct store_kv_options {
	unsigned features; /* of kernels: cpu_features() */
	bool allow_insecure; /* tests */
	bool huge; /* copy what a query reads to memory in huge pages, where there are any; else it is mapped
		    */
	bool (*go_on)(void *state); /* asked before each file; NULL: always. No: VEIL_E_TIMEOUT */
	void *state;
};

/** Opens the version in force below `dir`, or a version directory itself. Everything is checked: schema,
 * sizes, hashes (all bytes are read once). VEIL_E_CORRUPT, VEIL_E_IO, VEIL_E_VERSION, VEIL_E_NOT_FOUND name
 * the file and the reason. */
enum veil_status store_kv_open(struct store_kv **out, const char *dir, const struct store_kv_options *options,
	struct veil_error *err) VEIL_MUST_CHECK;
/** The version before, kept for clients in flight: VEIL_E_NOT_FOUND if there is none. */
enum veil_status store_kv_open_previous(struct store_kv **out, const char *dir,
	const struct store_kv_options *options, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void store_kv_close(struct store_kv *kv);

/** Is what `dir` names, or its version in force, of this kind, by the first keys of its manifest? False where
 * it cannot be told. */
bool store_kv_is(const char *dir);

#endif
