/* SPDX-License-Identifier: Apache-2.0 */
#include "index/codebook.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "index/quantize.h"
#include "support/test.h"

enum { SHARDS = 5, DIM = 7, SIZE = 16 + SHARDS * DIM * 4 };

static void make(uint8_t out[SIZE], float centroids[SHARDS * DIM])
{
	struct index_codebook cb = {SHARDS, DIM, centroids};
	struct rng rng = test_rng();

	for (int i = 0; i < SHARDS * DIM; i++)
		centroids[i] = (float)test_normal(&rng);
	for (int s = 0; s < SHARDS; s++)
		index_normalise(centroids + (size_t)s * DIM, DIM);
	cr_assert_eq(index_codebook_bytes(SHARDS, DIM), SIZE);
	index_codebook_write(&cb, out);
}

static void refused(const void *data, size_t size, const char *why)
{
	struct veil_error err = {{0}};
	struct index_codebook cb;

	cr_assert_eq(index_codebook_read(&cb, data, size, &err), VEIL_E_MALFORMED, "%s", why);
	cr_assert(strstr(err.text, why), "want \"%s\" in: %s", why, err.text);
	cr_assert_null(cb.centroids);
}

Test(codebook, what_was_written_is_read)
{
	struct veil_error err = {{0}};
	float centroids[SHARDS * DIM];
	struct index_codebook cb;
	uint8_t data[SIZE];

	make(data, centroids);
	cr_assert_eq(memcmp(data, "VEILCBK1\5\0\0\0\7\0\0\0", 16), 0);
	cr_assert_eq(index_codebook_read(&cb, data, SIZE, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(cb.shards, SHARDS);
	cr_assert_eq(cb.dim, DIM);
	cr_assert_arr_eq(cb.centroids, centroids, sizeof centroids);
	index_codebook_clear(&cb);
	index_codebook_clear(&cb);
	index_codebook_clear(NULL);
}

Test(codebook, malformed_bytes_are_refused_with_the_reason)
{
	float centroids[SHARDS * DIM];
	uint8_t data[SIZE + 1], bad[SIZE + 1];

	make(data, centroids);
	data[SIZE] = 0;
	for (size_t size = 0; size < SIZE; size++)
		refused(data, size, size < 16 ? "shorter than its header" : "bytes where");
	refused(data, SIZE + 1, "bytes where");
	for (int i = 0; i < 8; i++) {
		memcpy(bad, data, sizeof bad);
		bad[i] ^= 1;
		refused(bad, SIZE, "VEILCBK1");
	}
	memcpy(bad, data, sizeof bad);
	store_le32(bad + 8, 0);
	refused(bad, SIZE, "0 shards");
	store_le32(bad + 8, INDEX_MAX_SHARDS + 1);
	refused(bad, SIZE, "shards, not in");
	memcpy(bad, data, sizeof bad);
	store_le32(bad + 12, 0);
	refused(bad, SIZE, "dimension 0");
	store_le32(bad + 12, 4097);
	refused(bad, SIZE, "dimension 4097");
	memcpy(bad, data, sizeof bad);
	store_le32(bad + 16 + 4 * (2 * DIM + 3), 0x7fc00000);
	refused(bad, SIZE, "coordinate 3 of centroid 2");
	store_le32(bad + 16 + 4 * (2 * DIM + 3), 0x7f800000);
	refused(bad, SIZE, "coordinate 3 of centroid 2");
	store_le32(bad + 16 + 4 * (2 * DIM + 3), 0x40000000); /* 2.0 */
	refused(bad, SIZE, "centroid 2 is not a unit vector");
}

Test(codebook, the_nearest_shards_come_in_order_and_ties_go_to_the_lower)
{
	struct rng rng = test_rng();

	for (int round = 0; round < 200; round++) {
		float centroids[12 * 2], x[2];
		struct index_codebook cb = {12, 2, centroids};
		uint32_t got[12], few[12];
		double last = INFINITY;

		for (int s = 0; s < 12; s++) { /* of few directions, so that there are ties */
			double turn = (double)test_below(&rng, 5) * 1.25;

			centroids[2 * s] = (float)cos(turn);
			centroids[2 * s + 1] = (float)sin(turn);
		}
		x[0] = (float)test_normal(&rng);
		x[1] = (float)test_normal(&rng);
		index_codebook_nearest(&cb, x, got, 12);
		for (int i = 0; i < 12; i++) {
			const float *c = centroids + 2 * (size_t)got[i];
			double score = (double)c[0] * x[0] + (double)c[1] * x[1];

			cr_assert(score <= last);
			cr_assert(score < last || got[i] > got[i - 1]);
			last = score;
		}
		for (uint32_t probes = 1; probes < 12; probes++) {
			index_codebook_nearest(&cb, x, few, probes);
			cr_assert_arr_eq(few, got, probes * sizeof *few);
		}
	}
}
