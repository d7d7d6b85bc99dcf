/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/ct.h"
#include "base/require.h"
#include "leak.h"
#include "secret/retrieve.h"
#include "secret/sealed.h"
#include "support/silent.h"

/* For valgrind: a retrieval's life with its rows and everything sampled marked as uninitialised, and its
 * slot; and a sealed search's, with its vector and its cluster. With the argument `leak` the program makes a
 * branch on a secret itself: the check must see it. */

static void life(unsigned count)
{
	struct rng rng = rng_system();
	struct silent_shop s;
	struct secret_retrieve *r;
	uint32_t rows[SECRET_RETRIEVE_ROWS] = {3, 70, 127}, slot = 1;
	uint8_t *query, *reply, bytes[32], sum = 0;

	silent_shop_init(&s, rlwe_params_find("insecure_retrieval_n64_q40"), 128, 1, cpu_features(), &rng, 0);
	silent_shop_prepare(&s);
	query = malloc(s.ctx->query_bytes);
	reply = malloc(s.ctx->reply_bytes);
	REQUIRE(query && reply);
	ct_poison(rows, sizeof rows);
	ct_poison(&slot, sizeof slot);
	REQUIRE(secret_retrieve_create(&r, s.ctx, rows, count, &rng, NULL) == VEIL_OK);
	secret_retrieve_write(r, query);
	silent_shop_answer(&s, &reply, (const uint8_t *const *)&query, 1);
	secret_retrieve_decode(r, bytes, sizeof bytes, slot, s.constants, reply);
	secret_retrieve_destroy(r);
	for (unsigned k = 0; k < count; k++)
		sum += (uint8_t)silent_shop_get(&s, (uint32_t[]){3, 70, 127}[k], 32);
	REQUIRE(bytes[0] == sum);
	free(query), free(reply);
	silent_shop_clear(&s);
}

static void sealed_life(void)
{
	const struct silent_sealed_spec spec = {.params = rlwe_params_find("insecure_sealed_n64_q40"),
		.clusters = 7,
		.rows = 64,
		.dim = 9,
		.row_norm = 100,
		.scale = 100,
		.seed = "a table",
		.allow_insecure = true};
	float vector[9] = {1, -2, 3};
	double scores[64];
	uint32_t cluster = 5;
	struct rng rng = rng_system();
	struct silent_sealed *sealed;
	struct secret_sealed *q;
	struct silent_shop s;
	uint8_t *query, *reply;

	REQUIRE(silent_sealed_create(&sealed, &spec, cpu_features(), NULL) == VEIL_OK);
	silent_shop_init(&s, spec.params, sealed->ctx->spec.rows, 1, cpu_features(), &rng, 0);
	silent_shop_prepare(&s);
	query = malloc(s.ctx->query_bytes);
	reply = malloc(s.ctx->reply_bytes);
	REQUIRE(query && reply);
	ct_poison(vector, sizeof vector);
	ct_poison(&cluster, sizeof cluster);
	REQUIRE(secret_sealed_create(&q, sealed, vector, cluster, &rng, NULL) == VEIL_OK);
	secret_sealed_write(q, query);
	silent_shop_answer(&s, &reply, (const uint8_t *const *)&query, 1);
	secret_sealed_decode(q, scores, s.constants, reply);
	REQUIRE(scores[0] > -1.06 && scores[0] <= 1.06);
	secret_sealed_destroy(q);
	free(query), free(reply);
	silent_shop_clear(&s);
	silent_sealed_destroy(sealed);
}

int main(int argc, char **argv)
{
	if (leak_planted(argc, argv))
		return 0;
	for (unsigned count = 0; count <= SECRET_RETRIEVE_ROWS; count += count ? 2 : 1)
		life(count);
	sealed_life();
	return 0;
}
