/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_CONTEXT_H
#define SILENT_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/scan.h"
#include "ring/uniform.h"
#include "rlwe/params.h"

/* Silent PIR: a table of bytes with secretly selected rows, a scan at memory speed, and a packing whose query
 * dependent part is one product with a matrix of small integers that is made beforehand. No hint, no
 * registered key, no state of a client. docs/protocol.md, Silent PIR; builds on SimplePIR (eprint 2022/949),
 * YPIR (2024/270), InsPIRe (2025/1352) and CDKS (2020/015).
 *
 * A table has `rows` rows and packs * N columns of signed bytes. A query selects rows, the answer is the sum
 * of the selected rows modulo 256, all columns of it. */

#define SILENT_MAX_ROWS 65536
#define SILENT_MAX_PACKS 4096
#define SILENT_MAX_QUERIES KERNELS_SCAN_QUERIES /* of one pass */
#define SILENT_WORD_BITS 32 /* of the scan's arithmetic */
#define SILENT_PLAIN_BITS 8

struct silent_spec {
	const struct rlwe_params *params; /* of use RLWE_USE_RETRIEVAL or RLWE_USE_SEALED */
	uint32_t rows; /* a multiple of N, 1..SILENT_MAX_ROWS */
	uint32_t packs; /* 1..SILENT_MAX_PACKS */
	/** Of the public polynomials, the same for all clients: a hash of what names table and epoch, which
	 * every client derives by itself. Another epoch of a table must have another seed. */
	uint8_t seed[RING_SEED_BYTES];
	bool allow_insecure;
};

/** Sizes, public polynomials and kernels of one table. Immutable, shared by threads. */
struct silent_context {
	struct silent_spec spec;
	struct ring *ring;
	const struct ring_prime *prime;
	struct kernels_scan scan;
	uint8_t domain[HASH_BYTES];
	uint32_t n, blocks; /* rows = blocks * n */
	uint32_t terms; /* of the matrix of a pack: g.digits * n */
	uint64_t *a; /* [blocks][n], transform values: of the words */
	uint64_t *w; /* [g.digits + h.digits][n], transform values: of the keys of g, then of h */

	/* bytes */
	size_t words_bytes; /* rows words of upload_bits */
	size_t key_g_bytes, key_h_bytes; /* of one digit: n coefficients */
	size_t query_bytes; /* words, keys of g, keys of h */
	size_t static_bytes; /* of one pack: n coefficients of reply_c1_bits, the same for all queries */
	size_t short_bytes; /* of one pack: n coefficients of reply_c0_bits */
	size_t reply_bytes; /* packs * short_bytes */
	size_t table_bytes; /* of one pack: rows * n, as kernels/scan.h lays them out */
	size_t material_bytes; /* of one pack: what silent_offline_pack makes, a multiple of 64 */
};

/** Of one pack, as in the context, for whoever has no context yet. */
size_t silent_material_bytes(const struct rlwe_params *params);
size_t silent_static_bytes(const struct rlwe_params *params);

/** VEIL_E_INVALID, by name, for a spec that makes no sense or that would decode wrongly more often than once
 * in 2^40 whatever the table holds. */
enum veil_status silent_context_create(struct silent_context **out, const struct silent_spec *spec,
	unsigned features, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void silent_context_destroy(struct silent_context *ctx);

/** Where row i, column k of the whole table lies in the bytes of pack k / n. */
static inline size_t silent_offset(const struct silent_context *ctx, uint32_t row, uint32_t column)
{
	return kernels_scan_offset(ctx->spec.rows, ctx->n, row, column % ctx->n);
}

/** What a pack is made of: views of somebody's memory, 64-byte aligned. */
struct silent_pack {
	const int8_t *table; /* table_bytes */
	const int32_t *matrix; /* [n/16][terms][16] */
	const uint64_t *fold; /* [h.digits][n], transform values: digits of the half of -1 */
	const uint8_t *constant; /* static_bytes: the static half of the reply */
};
/** The parts of a pack's material. */
struct silent_pack silent_pack_view(
	const struct silent_context *ctx, const int8_t *table, const void *material);

#endif
