/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_SEALED_H
#define SILENT_SEALED_H

#include "silent/context.h"

/* Sealed search: the scan of silent PIR as inner products. Row cluster * dim + j of the table holds
 * coordinate j of all documents of a cluster, column v its document v. A query whose message is a vector in
 * the rows of one cluster, zero in all others, is answered with the inner products of that vector and every
 * document of that cluster; the server reads the whole table and learns neither. docs/protocol.md, Sealed
 * search; the idea is Tiptoe's (eprint 2023/1438). */

/** Head room: a phase of a half of q is a cosine of this and a document as long as the scale. */
#define SILENT_SEALED_HEAD 1.06
/** No document is longer than this many times the scale: cosines of +1 and -1 stay apart. */
#define SILENT_SEALED_GUARD 1.05

/** What a sealed index fixes. Plain data: silent_sealed_create checks it. */
struct silent_sealed_spec {
	const struct rlwe_params *params; /* of use RLWE_USE_SEALED */
	uint32_t clusters; /* >= 1 */
	uint32_t rows; /* documents of a cluster, padding included, >= 1 */
	uint32_t dim; /* clusters * dim <= SILENT_MAX_ROWS */
	uint32_t row_norm; /* no document has an L2 norm above this, <= SILENT_SEALED_GUARD * scale */
	float scale; /* document = round(scale * unit vector) */
	uint8_t seed[RING_SEED_BYTES]; /* as of struct silent_spec */
	bool allow_insecure;
};

/** The checked, immutable form. */
struct silent_sealed {
	struct silent_sealed_spec spec;
	struct silent_context *ctx; /* of the table: clusters * dim rows, `rows` columns, both rounded up */
	double amplitude; /* what 1 becomes in a query */
	double unit; /* the cosine of a phase of q, for a document as long as the scale */
};

/** VEIL_E_INVALID names what does not fit. `features` as cpu_features() gives them. */
enum veil_status silent_sealed_create(struct silent_sealed **out, const struct silent_sealed_spec *spec,
	unsigned features, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void silent_sealed_destroy(struct silent_sealed *sealed);

/** The seed of the index with this id, which every client derives by itself: SHA-256("veil/sealed/1" || id).
 */
void silent_sealed_seed(uint8_t seed[RING_SEED_BYTES], const uint8_t id[HASH_BYTES]);

/** Puts documents 0..used-1 of a cluster, rows[used][dim], into pack `pack` of a table of zeros: those that
 * it holds. */
void silent_sealed_fill(const struct silent_sealed *sealed, int8_t *table, uint32_t pack, uint32_t cluster,
	const int8_t *rows, uint32_t used);

/** Standard deviation of a score's error, in cosines, for a table whose bytes have this root mean square. */
double silent_sealed_error(const struct silent_sealed *sealed, double rms);

#endif
