/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/ct.h"
#include "base/require.h"
#include "leak.h"
#include "secret/lookup.h"
#include "secret/retrieve.h"
#include "secret/sealed.h"
#include "support/silent.h"

/* For valgrind: a retrieval's life with its rows and everything sampled marked as uninitialised, and its
 * slot; a lookup's with its keys; and a sealed search's, with its vector and its cluster. With the argument
 * `leak` the program makes a branch on a secret itself: the check must see it. */

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

/* Any bytes are a reply: what they decode to is as secret as what a server would have said. */
static void lookup_life(enum silent_access access)
{
	struct silent_collection c = {.name = "any",
		.params = rlwe_params_find("insecure_retrieval_n64_q40"),
		.access = access,
		.keys = 3,
		.records = 200,
		.base_epoch = 1,
		.epoch = 1,
		.classes = 2};
	struct rng rng = rng_system();
	struct silent_context *ctx[SILENT_MAX_TABLES];
	uint8_t *constants[SILENT_MAX_TABLES], *queries, *replies;
	char key[] = "a secret key";
	struct secret_lookup_key keys[2] = {{.data = key, .size = sizeof key, .number = 77}, {.data = key}};
	struct secret_lookup *l;
	struct veil_error err;
	size_t up = 0, down = 0;

	for (unsigned i = 0; i < c.classes; i++) {
		c.class[i].chunks = 1 + i;
		c.class[i].base = c.class[i].delta =
			(struct silent_table){.rows = 128, .packs = 1, .slots = 2, .record_bytes = 32};
		if (access == SILENT_BY_NUMBER)
			c.class[i].base.record_bytes -= SILENT_KEYWORD_HEAD - SILENT_NUMBER_HEAD;
	}
	c.records = access == SILENT_BY_NUMBER ? 128 : 200;
	REQUIRE(silent_collection_check(&c, &err) == VEIL_OK);
	for (unsigned t = 0; t < silent_collection_tables(&c); t++) {
		REQUIRE(silent_collection_context(&ctx[t], &c, t, cpu_features(), true, &err) == VEIL_OK);
		constants[t] = calloc(ctx[t]->spec.packs, ctx[t]->static_bytes);
		REQUIRE(constants[t]);
		up += silent_collection_table(&c, t).lookups * ctx[t]->query_bytes;
		down += silent_collection_table(&c, t).lookups * ctx[t]->reply_bytes;
	}
	queries = malloc(up);
	replies = malloc(down);
	REQUIRE(queries && replies);
	rng_fill(&rng, replies, down);
	ct_poison(key, sizeof key);
	ct_poison(&keys[0].number, sizeof keys[0].number);
	ct_poison(&keys[1].number, sizeof keys[1].number);
	REQUIRE(secret_lookup_create(&l, &c, ctx, keys, 2, &rng, NULL) == VEIL_OK);
	secret_lookup_write(l, queries);
	if (secret_lookup_decode(l, (const uint8_t *const *)constants, replies, &err) == VEIL_OK) {
		struct bytes value;

		REQUIRE(!secret_lookup_value(l, 0, &value) || value.size <= silent_collection_room(&c, 1));
	}
	secret_lookup_destroy(l);
	for (unsigned t = 0; t < silent_collection_tables(&c); t++) {
		free(constants[t]);
		silent_context_destroy(ctx[t]);
	}
	free(queries), free(replies);
}

int main(int argc, char **argv)
{
	if (leak_planted(argc, argv))
		return 0;
	for (unsigned count = 0; count <= SECRET_RETRIEVE_ROWS; count += count ? 2 : 1)
		life(count);
	lookup_life(SILENT_BY_KEY);
	lookup_life(SILENT_BY_NUMBER);
	sealed_life();
	return 0;
}
