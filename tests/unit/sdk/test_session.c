/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/session.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "support/test.h"

/* What an honest server of a small index would say. */
struct server {
	struct wire_config config;
	struct nn_context *nn;
	uint8_t *codebook;
};

static void serve(struct server *s)
{
	struct index_codebook cb = {.shards = 3, .dim = 32};
	struct veil_error err = {""};

	*s = (struct server){.config = {.name = "small",
				     .shards = 3,
				     .label_bytes = 16,
				     .records = 200,
				     .spec = {.params = rlwe_params_find("search_n2048_q28"),
					     .dim = 32,
					     .rows = 128,
					     .terms = 4,
					     .row_norm = 120,
					     .scale = 118.5f}}};
	cr_assert_eq(
		nn_context_create(&s->nn, &s->config.spec, cpu_features(), &err), VEIL_OK, "%s", err.text);
	cb.centroids = calloc(3 * 32, sizeof *cb.centroids);
	for (int i = 0; i < 3; i++)
		cb.centroids[33 * i] = 1;
	s->config.codebook_bytes = (uint32_t)index_codebook_bytes(3, 32);
	s->codebook = malloc(s->config.codebook_bytes);
	index_codebook_write(&cb, s->codebook);
	index_codebook_clear(&cb);
	hash_sha256(s->config.codebook_hash, s->codebook, s->config.codebook_bytes);
	s->config.query_bytes = (uint32_t)wire_query_bytes(s->nn);
	s->config.reply_bytes = (uint32_t)wire_reply_bytes(s->nn, 16);
}

static void stop(struct server *s)
{
	nn_context_destroy(s->nn);
	free(s->codebook);
}

static enum veil_status visit(const struct server *s, struct session **session, struct veil_error *err)
{
	uint8_t *bytes;
	size_t size;
	enum veil_status st;

	*session = calloc(1, sizeof **session);
	cr_assert_eq(wire_config_write(&bytes, &size, &s->config), VEIL_OK);
	st = session_read_config(*session, (struct bytes){bytes, size}, err);
	free(bytes);
	if (st == VEIL_OK)
		st = session_read_codebook(
			*session, (struct bytes){s->codebook, s->config.codebook_bytes}, err);
	return st;
}

Test(session, an_honest_configuration_is_taken_as_it_is)
{
	struct server server;
	struct session *session;
	struct veil_error err = {""};

	serve(&server);
	cr_assert_eq(visit(&server, &session, &err), VEIL_OK, "%s", err.text);
	cr_assert_str_eq(session->info.name, "small");
	cr_assert_str_eq(session->info.params, "search_n2048_q28");
	cr_assert_eq(strlen(session->info.id), 64);
	cr_assert_eq(session->info.exact, 0);
	cr_assert(session->info.error > 1e-5 && session->info.error < 1e-2, "%g", session->info.error);
	cr_assert_eq(session->info.shards, 3);
	cr_assert_eq(session->info.rows, 128);
	cr_assert_eq(session->info.query_bytes, wire_query_bytes(server.nn));
	session_destroy(session);
	stop(&server);
}

/* Of the int8 rows and of the noise of nn_noise_std, which tests of lib/secret measure. */
Test(session, the_error_it_tells_is_that_of_rows_and_noise)
{
	enum { DIM = 64, ROUNDS = 4000 };
	struct rng rng = test_rng();
	struct server server;
	struct session *session;
	double measured = 0, noise;

	serve(&server);
	cr_assert_eq(visit(&server, &session, NULL), VEIL_OK);
	for (int round = 0; round < ROUNDS; round++) {
		double norm = 0, query[DIM], row[DIM], row_norm = 0, error = 0, scale = session->info.scale;

		for (int i = 0; i < DIM; i++) {
			query[i] = test_normal(&rng);
			row[i] = test_normal(&rng);
			norm += query[i] * query[i];
			row_norm += row[i] * row[i];
		}
		for (int i = 0; i < DIM; i++) {
			double x = row[i] / sqrt(row_norm);

			error += query[i] / sqrt(norm) * (nearbyint(x * scale) / scale - x);
		}
		measured += error * error / ROUNDS;
	}
	noise = nn_noise_std(session->nn, session->config.spec.row_norm);
	cr_assert_float_eq(session->info.error / sqrt(noise * noise + measured), 1, 0.05);
	session_destroy(session);
	stop(&server);
}

#define FIELD(name) offsetof(struct wire_config, name)

static const struct {
	size_t field;
	uint32_t value;
	const char *word; /* that the error must hold */
} lies[] = {
	{FIELD(query_bytes), 0, "query"}, {FIELD(query_bytes), 100, "query"},
	{FIELD(reply_bytes), 0, "reply"}, {FIELD(reply_bytes), UINT32_MAX, "reply"},
	{FIELD(label_bytes), 3, "label"}, {FIELD(label_bytes), 12, "reply"},
	{FIELD(label_bytes), 24, "reply"}, {FIELD(shards), 2, "codebook"}, {FIELD(shards), 4, "codebook"},
	{FIELD(shards), INDEX_MAX_SHARDS + 1, "shards"}, {FIELD(codebook_bytes), 396, "codebook"},
	{FIELD(codebook_bytes), UINT32_MAX, "codebook"}, {FIELD(codebook_hash), 0, "hash"},
	{FIELD(spec.dim), 0, "dimension"}, {FIELD(spec.dim), 64, "codebook"},
	{FIELD(spec.dim), NN_MAX_DIM + 1, "dimension"}, {FIELD(spec.rows), 0, "rows"},
	{FIELD(spec.rows), 256, "reply"}, {FIELD(spec.rows), NN_MAX_ROWS + 1, "rows"},
	{FIELD(spec.terms), 0, "terms"}, {FIELD(spec.terms), 8, "query"}, {FIELD(spec.terms), 33, "terms"},
	{FIELD(spec.row_norm), 0, "norm"}, {FIELD(spec.row_norm), UINT32_MAX, "norm"},
	{FIELD(spec.scale), 0, "scale"}, {FIELD(spec.scale), 0xbf800000, "scale"}, /* -1 */
	{FIELD(spec.scale), 0x7fc00000, "scale"}, /* NaN */
	{FIELD(spec.scale), 0x7f800000, "scale"}, /* infinity */
};

Test(session, every_lie_in_a_configuration_is_refused_by_name)
{
	struct server honest;

	serve(&honest);
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct server s = honest;
		struct session *session;
		struct veil_error err = {""};

		memcpy((char *)&s.config + lies[i].field, &lies[i].value, 4);
		cr_assert_neq(visit(&s, &session, &err), VEIL_OK, "lie %zu was believed", i);
		cr_assert(strstr(err.text, lies[i].word), "lie %zu: \"%s\" lacks \"%s\"", i, err.text,
			lies[i].word);
		session_destroy(session);
	}
	stop(&honest);
}

Test(session, a_parameter_set_that_is_insecure_or_of_other_sizes_is_refused)
{
	static const char *const cases[][2] = {
		{"insecure_search_n64_q28", "insecure"}, {"search_n2048_q38_exact", "query"}};

	for (size_t i = 0; i < 2; i++) {
		struct server s;
		struct session *session;
		struct veil_error err = {""};

		serve(&s);
		s.config.spec.params = rlwe_params_find(cases[i][0]);
		cr_assert_neq(visit(&s, &session, &err), VEIL_OK, "%s was believed", cases[i][0]);
		cr_assert(strstr(err.text, cases[i][1]), "%s", err.text);
		session_destroy(session);
		stop(&s);
	}
}

Test(session, a_codebook_beyond_the_limit_is_refused_before_it_is_fetched)
{
	struct session *session = calloc(1, sizeof *session);
	struct veil_error err = {""};
	struct server s;
	uint8_t *bytes;
	size_t size;

	serve(&s);
	s.config.shards = INDEX_MAX_SHARDS;
	s.config.spec.dim = 64;
	s.config.spec.terms = 2;
	cr_assert_eq(engine_open(&session->engine, &s.config.spec, 0, NULL), VEIL_OK);
	session->nn = session->engine.shape;
	s.config.query_bytes = (uint32_t)wire_query_bytes(session->nn);
	s.config.reply_bytes = (uint32_t)wire_reply_bytes(session->nn, s.config.label_bytes);
	s.config.codebook_bytes = (uint32_t)index_codebook_bytes(s.config.shards, s.config.spec.dim);
	engine_close(&session->engine);
	session->nn = NULL;
	cr_assert_eq(wire_config_write(&bytes, &size, &s.config), VEIL_OK);
	cr_assert_eq(session_read_config(session, (struct bytes){bytes, size}, &err), VEIL_E_UNSUPPORTED,
		"%s", err.text);
	cr_assert(strstr(err.text, "limit"), "%s", err.text);
	free(bytes);
	session_destroy(session);
	stop(&s);
}

Test(session, a_codebook_of_another_shape_is_refused_even_with_the_right_hash_and_size)
{
	float centroids[32 * 3] = {0};
	struct index_codebook turned = {.shards = 32, .dim = 3, .centroids = centroids};
	struct server s;
	struct session *session;
	struct veil_error err = {""};

	serve(&s);
	for (int i = 0; i < 32; i++)
		turned.centroids[3 * i] = 1;
	cr_assert_eq(index_codebook_bytes(32, 3), s.config.codebook_bytes);
	index_codebook_write(&turned, s.codebook);
	hash_sha256(s.config.codebook_hash, s.codebook, s.config.codebook_bytes);
	cr_assert_eq(visit(&s, &session, &err), VEIL_E_MALFORMED);
	cr_assert(strstr(err.text, "32 x 3"), "%s", err.text);
	session_destroy(session);
	stop(&s);
}

Test(session, a_configuration_cut_or_flipped_anywhere_never_crashes_and_a_cut_one_is_refused)
{
	struct server s;
	uint8_t *bytes;
	size_t size;

	serve(&s);
	cr_assert_eq(wire_config_write(&bytes, &size, &s.config), VEIL_OK);
	for (size_t cut = 0; cut < size; cut++) {
		struct session session = {0}, *flipped = calloc(1, sizeof *flipped);
		struct veil_error err = {""};

		cr_assert_neq(session_read_config(&session, (struct bytes){bytes, cut}, &err), VEIL_OK,
			"cut at %zu", cut);
		cr_assert_null(session.nn);
		bytes[cut] ^= 0x40;
		if (session_read_config(flipped, (struct bytes){bytes, size}, NULL) == VEIL_OK)
			cr_assert_eq(flipped->config.reply_bytes,
				wire_reply_bytes(flipped->nn, flipped->config.label_bytes), "byte %zu", cut);
		bytes[cut] ^= 0x40;
		session_destroy(flipped);
	}
	free(bytes);
	stop(&s);
}
