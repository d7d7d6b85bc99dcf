/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEMO_PLAIN_H
#define DEMO_PLAIN_H

#include <stdint.h>

#include "veil/client.h"
#include "veil/vectors.h"

/* Search without encryption, to compare with: the same rows, plain arithmetic. */

#define PLAIN_NOWHERE UINT32_MAX

struct plain {
	uint32_t count, dim;
	float *unit; /* [count][dim], norm 1 */
	int8_t *row; /* [count][dim], round(scale * unit): what the index holds */
	uint32_t *twin; /* [count]: the first record with the same vector */
	double scale;
	int exact; /* the index quantises queries too */
	double *score; /* [count], scratch */
};

/** VEIL_E_NOMEM, or VEIL_E_INVALID where the vectors do not have the dimension of the index. */
enum veil_status plain_create(struct plain **out, const struct veil_vectors *database,
	const struct veil_index_info *info, struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void plain_destroy(struct plain *plain);

/** Rank, from 1, of the best record that has the vector of record `truth`; PLAIN_NOWHERE where none of them
 * is among the records searched. Ties go to the lower record. plain_rank_hits: in the encrypted answer.
 * plain_rank_int8: by int8 rows, among the same records, with the query as the index's parameter set takes it
 * (full precision, or int8 where it is exact). plain_rank_float: among all. */
uint32_t plain_rank_hits(const struct plain *plain, const struct veil_hits *hits, uint32_t truth);
uint32_t plain_rank_int8(
	const struct plain *plain, const struct veil_hits *hits, const float *query, uint32_t truth);
uint32_t plain_rank_float(const struct plain *plain, const float *query, uint32_t truth);

#endif
