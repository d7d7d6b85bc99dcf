/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/require.h"
#include "fuzz.h"
#include "support/silent.h"

/* Any bytes are a query: the portable kernels and this machine's give the same reply to it, alone or in
 * company.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct silent_shop shops[2];
	static uint8_t *query, *replies[2][3];
	const uint8_t *queries[3];

	if (!query) {
		for (int i = 0; i < 2; i++) {
			silent_shop_init(&shops[i], rlwe_params_find("insecure_retrieval_n64_q40"), 128, 1,
				i ? cpu_features() : 0, NULL, -77);
			silent_shop_prepare(&shops[i]);
			for (int v = 0; v < 3; v++)
				REQUIRE((replies[i][v] = malloc(shops[i].ctx->reply_bytes)));
		}
		REQUIRE((query = malloc(shops[0].ctx->query_bytes)));
	}
	for (size_t i = 0; i < shops[0].ctx->query_bytes; i++)
		query[i] = size ? data[i % size] : 0;
	queries[0] = queries[1] = queries[2] = query;
	silent_shop_answer(&shops[0], replies[0], queries, 1);
	silent_shop_answer(&shops[1], replies[1], queries, 3);
	for (int v = 0; v < 3; v++)
		REQUIRE(!memcmp(replies[0][0], replies[1][v], shops[0].ctx->reply_bytes));
	return 0;
}
