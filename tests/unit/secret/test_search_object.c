/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "one_shard.h"

/* The query object: what it refuses, what its bytes show, that it is used once. The scores: test_search.c. */

static struct server *small_server(void)
{
	static struct server s;
	struct nn_spec spec = {.params = rlwe_params_find("insecure_search_n64_q28"),
		.dim = 16,
		.terms = 4,
		.rows = 40,
		.scale = 300};
	struct rng rng = test_rng();

	serve(&s, spec, random_rows(40, 16, 300, &rng));
	return &s;
}

Test(query, vectors_without_a_direction_are_refused_by_coordinate)
{
	static const struct {
		float value;
		const char *word;
	} bad[] = {{NAN, "coordinate 5 of the query is not a number"},
		{-NAN, "coordinate 5 of the query is not a number"},
		{INFINITY, "coordinate 5 of the query is infinite"},
		{-INFINITY, "coordinate 5 of the query is infinite"}, {0, "zero vector"}};
	struct server *s = small_server();
	struct rng rng = test_rng();

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct secret_search *search = (void *)1;
		struct veil_error err = {""};
		int8_t xq[16];
		float x[16];

		for (int j = 0; j < 16; j++)
			x[j] = bad[i].value == 0 ? (j % 2 ? 0.0f : -0.0f) : 1;
		x[5] = bad[i].value;
		cr_assert_eq(secret_search_create(&search, s->ctx, x, &rng, &err), VEIL_E_INVALID);
		cr_assert_null(search);
		cr_assert(strstr(err.text, bad[i].word), "%s", err.text);
		cr_assert_eq(secret_search_quantise(s->ctx, xq, x, &err), VEIL_E_INVALID);
	}
	leave(s);
}

Test(query, the_length_of_the_vector_does_not_matter)
{
	struct nn_spec spec = {.params = rlwe_params_find("insecure_search_n64_q38_exact"),
		.dim = 16,
		.terms = 4,
		.rows = 40,
		.scale = 300};
	static const float lengths[] = {1e-44f, 1e-38f, 1e-20f, 1, 1e20f, 2e37f};
	struct rng rng = test_rng();
	struct server s;

	serve(&s, spec, random_rows(40, 16, 300, &rng));
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		float x[16];

		for (int j = 0; j < 16; j++)
			x[j] = lengths[i] * (float)(j - 7);
		check_exact(&s, x);
	}
	leave(&s);
}

Test(query, the_largest_scale_clamps_on_both_sides)
{
	struct nn_spec spec = {.params = rlwe_params_find("insecure_search_n64_q38_exact"),
		.dim = 2,
		.terms = 1,
		.rows = 3,
		.row_norm = 180,
		.scale = NN_MAX_SCALE,
		.allow_insecure = true};
	struct nn_context *ctx;
	int8_t quantised[2];

	cr_assert_eq(nn_context_create(&ctx, &spec, cpu_features(), NULL), VEIL_OK);
	for (int sign = -1; sign <= 1; sign += 2) {
		const float x[2] = {(float)sign, 0};

		cr_assert_eq(secret_search_quantise(ctx, quantised, x, NULL), VEIL_OK);
		cr_assert(quantised[0] == 127 * sign && quantised[1] == 0, "%d", quantised[0]);
	}
	nn_context_destroy(ctx);
}

Test(query, two_queries_for_the_same_vector_share_nothing_but_their_size)
{
	struct server *s = small_server();
	size_t size = s->ctx->query_bytes, each = size / s->ctx->terms;
	uint8_t seed[3][RING_SEED_BYTES], *bytes[3];
	struct rng rng = query_rng();
	float x[16] = {1, 2, 3};

	for (int i = 0; i < 3; i++) {
		struct secret_search *search;

		bytes[i] = malloc(size + 1);
		bytes[i][size] = 0xa5;
		if (i < 2)
			search = query(s, x);
		else
			cr_assert_eq(secret_search_create_fake(&search, s->ctx, &rng, NULL), VEIL_OK);
		secret_search_write(search, seed[i], bytes[i]);
		secret_search_destroy(search);
		cr_assert_eq(bytes[i][size], 0xa5);
	}
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < i; j++) {
			cr_assert(memcmp(seed[i], seed[j], RING_SEED_BYTES));
			for (uint32_t k = 0; k < s->ctx->terms; k++)
				for (uint32_t l = 0; l < s->ctx->terms; l++)
					cr_assert(memcmp(bytes[i] + k * each, bytes[j] + l * each, each));
		}
	}
	for (int i = 0; i < 3; i++)
		free(bytes[i]);
	leave(s);
}

/* Bits of the ciphertexts of a constant vector and of fakes: both as uniform as their count allows. */
Test(query, real_and_fake_ciphertexts_have_uniform_residues)
{
	struct nn_spec spec = {.params = rlwe_params_find(COMPACT),
		.dim = 128,
		.terms = 16,
		.rows = 40,
		.scale = 320,
		.row_norm = 330};
	struct rng rng = test_rng();
	struct nn_context *ctx;
	float x[128];

	cr_assert_eq(nn_context_create(&ctx, &spec, cpu_features(), NULL), VEIL_OK);
	for (int j = 0; j < 128; j++)
		x[j] = 1;
	for (int fake = 0; fake < 2; fake++) {
		uint8_t *bytes = malloc(ctx->query_bytes), seed[RING_SEED_BYTES];
		struct secret_search *search;
		double count[256] = {0}, expected = (double)ctx->query_bytes / 256, chi = 0;

		if (fake)
			cr_assert_eq(secret_search_create_fake(&search, ctx, &rng, NULL), VEIL_OK);
		else
			cr_assert_eq(secret_search_create(&search, ctx, x, &rng, NULL), VEIL_OK);
		secret_search_write(search, seed, bytes);
		secret_search_destroy(search);
		for (size_t i = 0; i < ctx->query_bytes; i++)
			count[bytes[i]]++;
		for (int i = 0; i < 256; i++)
			chi += (count[i] - expected) * (count[i] - expected) / expected;
		cr_assert_lt(chi, 255 + 7 * sqrt(2 * 255.0)); /* seven sigma */
		free(bytes);
	}
	nn_context_destroy(ctx);
}

Test(query, a_fake_query_decodes_to_nothing)
{
	struct nn_spec spec = {
		.params = rlwe_params_find(EXACT), .dim = 128, .terms = 16, .rows = 300, .scale = 320};
	struct rng rng = test_rng();
	struct secret_search *search;
	double scores[300];
	struct server s;

	serve(&s, spec, random_rows(300, 128, 320, &rng));
	cr_assert_eq(secret_search_create_fake(&search, s.ctx, &rng, NULL), VEIL_OK);
	ask(&s, search, scores);
	for (int v = 0; v < 300; v++)
		cr_assert_eq(scores[v], 0);
	secret_search_destroy(search);
	leave(&s);
}

Test(query, every_reply_of_the_right_size_decodes_to_finite_scores)
{
	static const char *const sets[] = {COMPACT, EXACT};
	struct rng rng = test_rng();

	for (int i = 0; i < 2; i++) {
		struct nn_spec spec = {.params = rlwe_params_find(sets[i]),
			.dim = 128,
			.terms = 16,
			.rows = 300,
			.scale = 320};
		float x[128] = {1};
		struct server s;

		serve(&s, spec, random_rows(300, 128, 320, &rng));
		for (int round = 0; round < 4; round++) {
			struct secret_search *search = query(&s, x);
			uint8_t *out = malloc(s.ctx->query_bytes), *reply = malloc(s.ctx->reply_bytes);
			uint8_t seed[RING_SEED_BYTES];
			double scores[300];

			secret_search_write(search, seed, out);
			memset(reply, round == 0 ? 0 : 0xff, s.ctx->reply_bytes);
			if (round > 1)
				rng_fill(&rng, reply, s.ctx->reply_bytes);
			secret_search_decode(search, scores, reply);
			for (int v = 0; v < 300; v++)
				cr_assert(isfinite(scores[v]));
			secret_search_destroy(search);
			free(out), free(reply);
		}
		leave(&s);
	}
}

/* --- a query is used once */

static void write_once(struct secret_search *search, struct server *s)
{
	uint8_t seed[RING_SEED_BYTES], bytes[4096];

	cr_assert_leq(s->ctx->query_bytes, sizeof bytes);
	secret_search_write(search, seed, bytes);
}

static void decode_once(struct secret_search *search, struct server *s)
{
	uint8_t reply[4096] = {0};
	double scores[40];

	cr_assert_leq(s->ctx->reply_bytes, sizeof reply);
	secret_search_decode(search, scores, reply);
}

static struct secret_search *small_query(struct server **s)
{
	float x[16] = {1};

	*s = small_server();
	return query(*s, x);
}

Test(query, writing_twice_aborts, .signal = SIGABRT)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	write_once(search, s);
	write_once(search, s);
}

Test(query, decoding_what_was_never_written_aborts, .signal = SIGABRT)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	decode_once(search, s);
}

Test(query, decoding_twice_aborts, .signal = SIGABRT)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	write_once(search, s);
	decode_once(search, s);
	decode_once(search, s);
}

Test(query, writing_after_decoding_aborts, .signal = SIGABRT)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	write_once(search, s);
	decode_once(search, s);
	write_once(search, s);
}

Test(query, decoding_wipes_the_secret)
{
	struct server *s;
	struct secret_search *search = small_query(&s);
	const struct arena *arena = (const struct arena *)search; /* its first member, which holds it too */
	size_t before = arena->used;

	cr_assert_eq((const uint8_t *)search, arena->base);
	write_once(search, s);
	cr_assert_eq(arena->used, before);
	decode_once(search, s);
	cr_assert_lt(arena->used, before);
	for (size_t i = arena->used; i < arena->peak; i++)
		cr_assert_eq(arena->base[i], 0, "byte %zu", i);
	secret_search_destroy(search);
	leave(s);
}

Test(query, destroy_takes_every_state_and_null)
{
	struct server *s;
	struct secret_search *search = small_query(&s);

	secret_search_destroy(search);
	leave(s);
	search = small_query(&s);
	write_once(search, s);
	secret_search_destroy(search);
	leave(s);
	search = small_query(&s);
	write_once(search, s);
	decode_once(search, s);
	secret_search_destroy(search);
	leave(s);
	secret_search_destroy(NULL);
}
