/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "index/codebook.h"

/* What is taken is written back as it was, and can be searched. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct veil_error err = {{0}};
	struct index_codebook cb;
	enum veil_status st = index_codebook_read(&cb, data, size, &err);
	uint32_t nearest[2] = {0};
	uint8_t *back;

	if (st != VEIL_OK) {
		REQUIRE(!cb.centroids && err.text[0]);
		return 0;
	}
	REQUIRE(index_codebook_bytes(cb.shards, cb.dim) == size);
	back = malloc(size);
	REQUIRE(back);
	index_codebook_write(&cb, back);
	REQUIRE(memcmp(back, data, size) == 0);
	free(back);
	index_codebook_nearest(&cb, cb.centroids, nearest, cb.shards > 1 ? 2 : 1);
	REQUIRE(nearest[0] < cb.shards && nearest[1] < cb.shards);
	index_codebook_clear(&cb);
	return 0;
}
