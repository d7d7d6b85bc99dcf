/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PNNS_H
#define SUPPORT_PNNS_H

#include "apple/pnns_answer.h"
#include "apple/pnns_pack.h"
#include "secret/pnns.h"
#include "support/bfv.h"

/** A client and a server of private nearest neighbours on BFV; bugs, full memory and a spec that cannot be
 * abort. */
struct test_pnns {
	struct test_bfv b; /* its key is of ctx->ring */
	struct pnns_context *ctx;
	struct rlwe_evalkey keys;
	struct arena arena, secret; /* scratch for every operation of the server and of the client */
	size_t rows, chunks;
	uint8_t *packed, *prepared;
	struct rlwe_ciphertext *query; /* [moduli][query_count] */
	struct rlwe_ciphertext reply[PNNS_MAX_MODULI];
};

/** Room for so many rows; `seed` repeats key and seeds, `features` are cpu_features() or fewer. */
void test_pnns_init(
	struct test_pnns *p, const struct pnns_spec *spec, size_t rows, uint64_t seed, unsigned features);
void test_pnns_clear(struct test_pnns *p);

/** The rows of a chunk. */
static inline size_t test_pnns_count(const struct test_pnns *p, size_t chunk)
{
	const size_t n = p->ctx->ring->n, left = p->rows - chunk * n;

	return left < n ? left : n;
}
/** Packs values[test_pnns_count][dim] as a chunk. */
void test_pnns_pack(struct test_pnns *p, size_t chunk, const int32_t *values);
void test_pnns_encrypt(struct test_pnns *p, const int32_t *vector);
/** The query, ready for pnns_answer. */
void test_pnns_prepare(struct test_pnns *p);
/** Replies of a chunk to p->reply. */
void test_pnns_answer(struct test_pnns *p, size_t chunk);

#endif
