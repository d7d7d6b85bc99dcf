/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <time.h>

#include "inside.h"
#include "secret/search.h"
#include "support/test.h"
#include "veil/lookup.h"

static struct veil_client *connect_to(struct inside *server)
{
	struct veil_client *client = inside_client(server);
	struct veil_error err = {""};

	cr_assert_eq(veil_client_refresh(client, &err), VEIL_OK, "%s", err.text);
	return client;
}

static void draw(const struct rng *rng, float vector[INSIDE_DIM])
{
	for (int j = 0; j < INSIDE_DIM; j++)
		vector[j] = (float)test_normal(rng);
}

/* The integer score of a row, plainly. */
static double score(const struct inside *s, const float *vector, uint32_t shard, uint32_t row)
{
	int8_t query[INSIDE_DIM];
	int sum = 0;

	cr_assert_eq(secret_search_quantise(s->nn, query, vector, NULL), VEIL_OK);
	for (int j = 0; j < INSIDE_DIM; j++)
		sum += query[j] * s->rows[shard][row][j];
	return sum;
}

Test(search, probing_all_shards_gives_every_record_once_in_order_with_its_integer_score)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = connect_to(server);

	for (int round = 0; round < 10; round++) {
		struct veil_hits *hits;
		struct veil_error err = {""};
		float vector[INSIDE_DIM];
		bool seen[INSIDE_RECORDS] = {false};

		draw(&rng, vector);
		cr_assert_eq(veil_client_search(
				     client, &hits, vector, INSIDE_DIM, INSIDE_SHARDS, VEIL_TOP_ALL, &err),
			VEIL_OK, "%s", err.text);
		cr_assert_eq(veil_hits_count(hits), INSIDE_RECORDS);
		for (size_t i = 0; i < INSIDE_RECORDS; i++) {
			const struct veil_hit *hit = veil_hits_at(hits, i),
					      *before = i ? veil_hits_at(hits, i - 1) : NULL;
			char name[32];

			cr_assert_eq(hit->rank, i + 1);
			cr_assert_lt(hit->record, INSIDE_RECORDS);
			cr_assert(!seen[hit->record], "record %u twice", hit->record);
			seen[hit->record] = true;
			cr_assert_eq(hit->score, score(server, vector, hit->shard, hit->row));
			cr_assert_float_eq(hit->cosine, hit->score / 2500, 1e-12);
			cr_assert_eq(hit->record, inside_record(hit->shard, hit->row));
			cr_assert(!before || before->score > hit->score ||
				  (before->score == hit->score && before->record < hit->record));
			snprintf(name, sizeof name, "n%u", hit->record);
			cr_assert_str_eq(hit->name, name);
		}
		veil_hits_destroy(hits);
	}
	veil_client_destroy(client);
	inside_destroy(server);
}

Test(search, the_nearest_shards_are_asked_and_the_best_few_are_the_start_of_all)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = connect_to(server);
	float vector[INSIDE_DIM] = {0.5f, 0.1f, 0.9f, 0.2f};
	struct veil_hits *all, *few;
	const struct veil_cost *cost;

	cr_assert_eq(veil_client_search(client, &all, vector, INSIDE_DIM, 2, VEIL_TOP_ALL, NULL), VEIL_OK);
	cr_assert_eq(veil_client_search(client, &few, vector, INSIDE_DIM, 2, 5, NULL), VEIL_OK);
	cost = veil_hits_cost(few);
	cr_assert_eq(cost->shards_asked, 2);
	cr_assert(cost->shards[0] == 2 && cost->shards[1] == 0);
	cr_assert_eq(cost->bytes_up, 2 * wire_query_bytes(server->nn));
	cr_assert_eq(cost->bytes_down, 2 * wire_reply_bytes(server->nn, 16));
	cr_assert_eq(cost->server_us, 20);
	cr_assert_eq(cost->network_us, 40);
	cr_assert(cost->encrypt_us > 0 && cost->decrypt_us > 0);
	cr_assert_eq(veil_hits_count(few), 5);
	for (size_t i = 0; i < 5; i++)
		cr_assert_eq(veil_hits_at(few, i)->record, veil_hits_at(all, i)->record, "rank %zu", i + 1);
	veil_hits_destroy(all);
	veil_client_destroy(client);
	cr_assert_eq(veil_hits_at(few, 0)->name[0], 'n', "hits outlive their client");
	veil_hits_destroy(few);
	inside_destroy(server);
}

Test(search, without_labels_rows_are_known_by_their_place)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 0);
	struct veil_client *client = connect_to(server);
	struct veil_hits *hits;
	float vector[INSIDE_DIM];

	draw(&rng, vector);
	cr_assert_eq(veil_client_search(client, &hits, vector, INSIDE_DIM, 2, VEIL_TOP_ALL, NULL), VEIL_OK);
	cr_assert_eq(veil_hits_count(hits), 2 * INSIDE_ROWS);
	for (size_t i = 0; i < veil_hits_count(hits); i++) {
		const struct veil_hit *hit = veil_hits_at(hits, i);

		cr_assert_eq(hit->record, VEIL_NO_RECORD);
		cr_assert_str_empty(hit->name);
		cr_assert_eq(hit->score, score(server, vector, hit->shard, hit->row));
	}
	veil_hits_destroy(hits);
	veil_client_destroy(client);
	inside_destroy(server);
}

Test(search, arguments_that_make_no_sense_are_refused_before_anything_is_sent)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *fresh = inside_client(server), *client = connect_to(server);
	const struct {
		struct veil_client *client;
		uint32_t dim, probes, top;
		float first;
		const char *word;
	} cases[] = {
		{fresh, INSIDE_DIM, 1, 1, 1, "veil_client_refresh"},
		{client, INSIDE_DIM - 1, 1, 1, 1, "31 numbers"},
		{client, INSIDE_DIM, 0, 1, 1, "1 to 4"},
		{client, INSIDE_DIM, INSIDE_SHARDS + 1, 1, 1, "1 to 4"},
		{client, INSIDE_DIM, 1, 0, 1, "at least one"},
		{client, INSIDE_DIM, 1, 1, 0, "all zeros"},
		{client, INSIDE_DIM, 1, 1, NAN, "number 0"},
		{client, INSIDE_DIM, 1, 1, -INFINITY, "number 0"},
	};

	server->broken = true; /* and counts */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct veil_hits *hits = (struct veil_hits *)&rng;
		struct veil_error err = {""};
		float vector[INSIDE_DIM] = {cases[i].first};

		cr_assert_eq(veil_client_search(cases[i].client, &hits, vector, cases[i].dim, cases[i].probes,
				     cases[i].top, &err),
			VEIL_E_INVALID, "case %zu", i);
		cr_assert_null(hits);
		cr_assert(strstr(err.text, cases[i].word), "case %zu: %s", i, err.text);
	}
	cr_assert_eq(server->queries, 0);
	cr_assert_null(veil_client_info(fresh));
	veil_client_destroy(fresh);
	veil_client_destroy(client);
	inside_destroy(server);
}

Test(search, after_a_failure_nothing_more_is_sent)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = connect_to(server);
	struct veil_hits *hits;
	struct veil_error err = {""};
	float vector[INSIDE_DIM] = {1};

	server->broken = true;
	cr_assert_eq(
		veil_client_search(client, &hits, vector, INSIDE_DIM, INSIDE_SHARDS, 1, &err), VEIL_E_BUSY);
	cr_assert_null(hits);
	cr_assert_eq(server->queries, 1, "not the same shard again, nor the next");
	veil_client_destroy(client);
	inside_destroy(server);
}

Test(search, extreme_but_finite_vectors_are_searched_like_their_unit_vectors)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = connect_to(server);
	static const float sizes[] = {1e-45f, 1e-30f, 3e38f};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct veil_hits *hits, *unit;
		struct veil_error err = {""};
		float vector[INSIDE_DIM] = {0}, one[INSIDE_DIM] = {0};

		vector[1] = vector[3] = sizes[i];
		one[1] = one[3] = 1;
		cr_assert_eq(veil_client_search(client, &hits, vector, INSIDE_DIM, 2, 9, &err), VEIL_OK,
			"%g: %s", (double)sizes[i], err.text);
		cr_assert_eq(veil_client_search(client, &unit, one, INSIDE_DIM, 2, 9, &err), VEIL_OK);
		for (size_t k = 0; k < 9; k++)
			cr_assert_eq(veil_hits_at(hits, k)->score, veil_hits_at(unit, k)->score);
		veil_hits_destroy(hits);
		veil_hits_destroy(unit);
	}
	veil_client_destroy(client);
	inside_destroy(server);
}

Test(search, a_refresh_that_fails_leaves_the_client_as_it_was)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = connect_to(server);
	const struct veil_index_info *info = veil_client_info(client);
	struct veil_hits *hits;
	float vector[INSIDE_DIM] = {1};

	server->config.query_bytes++;
	cr_assert_eq(veil_client_refresh(client, NULL), VEIL_E_MALFORMED);
	cr_assert_eq(veil_client_info(client), info);
	cr_assert_eq(veil_client_search(client, &hits, vector, INSIDE_DIM, 1, 1, NULL), VEIL_OK);
	veil_hits_destroy(hits);
	server->config.query_bytes--;
	server->config.index_id[0] ^= 1;
	cr_assert_eq(veil_client_refresh(client, NULL), VEIL_OK);
	cr_assert_eq(veil_client_search(client, &hits, vector, INSIDE_DIM, 1, 1, NULL), VEIL_E_VERSION,
		"the replies still name the old index");
	veil_client_destroy(client);
	inside_destroy(server);
}

Test(search, what_was_signed_is_not_used_after_its_time)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = connect_to(server);
	struct veil_collection *collection = NULL;
	struct veil_hits *hits = NULL;
	float vector[INSIDE_DIM];
	struct veil_error err = {""};

	draw(&rng, vector);
	client->trusting = true; /* as if the refresh had been of something signed */
	client->valid_until = time(NULL) + 60;
	cr_assert_eq(
		veil_client_search(client, &hits, vector, INSIDE_DIM, 1, 1, &err), VEIL_OK, "%s", err.text);
	veil_hits_destroy(hits);
	cr_assert_neq(veil_collection_fetch(&collection, client, &err), VEIL_E_VERSION); /* it has none */
	client->valid_until = time(NULL);
	cr_assert_eq(veil_collection_fetch(&collection, client, &err), VEIL_E_VERSION);
	cr_assert(strstr(err.text, "out of date"), "%s", err.text);
	server->queries = 0;
	cr_assert_eq(veil_client_search(client, &hits, vector, INSIDE_DIM, 1, 1, &err), VEIL_E_VERSION);
	cr_assert_eq(server->queries, 0);
	cr_assert(strstr(err.text, "veil_client_refresh"), "%s", err.text);
	veil_client_destroy(client);
	inside_destroy(server);
}

/* What leaves: the size of each request, and the shard that it names. */
static struct {
	size_t bytes[2 * INSIDE_SHARDS];
	uint32_t shard[2 * INSIDE_SHARDS];
	int count;
} seen;

static enum veil_status watch(void *state, struct transport_reply *reply,
	const struct transport_request *request, struct veil_error *err)
{
	const struct inside *s = state;
	struct wire_query query;
	struct arena arena;

	if (strcmp(request->path, "/v1/query") == 0) {
		cr_assert_eq(arena_init(&arena, wire_query_room(s->nn)), VEIL_OK);
		cr_assert_eq(
			wire_query_read(s->nn, &query, request->body.data, request->body.size, &arena, NULL),
			VEIL_OK);
		seen.bytes[seen.count] = request->body.size;
		seen.shard[seen.count++] = query.shard;
		arena_clear(&arena);
	}
	return inside_exchange(state, reply, request, err);
}

/* In the first shard the best row is ahead of all others, or there are two of it. */
static void set_best(struct inside *s, bool clear)
{
	struct arena scratch;

	memset(s->rows[0], 0, sizeof s->rows[0]);
	s->rows[0][0][0] = 50;
	s->rows[0][1][0] = clear ? 0 : 50;
	cr_assert_eq(arena_init(&scratch, s->nn->shard_scratch), VEIL_OK);
	nn_shard_transform(s->nn, s->shard[0], &s->rows[0][0][0], INSIDE_ROWS, &scratch);
	arena_clear(&scratch);
}

Test(search, auto_sends_the_requests_of_slow_whatever_the_margin_and_takes_the_clear_answer)
{
	const float vector[INSIDE_DIM] = {0.9f, 0.1f, 0.3f, 0.2f};
	const uint32_t order[] = {0, 2, 3, 1};
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = connect_to(server);

	client->transport.exchange = watch;
	for (int round = 0; round < 4; round++) {
		const bool clear = round & 1, slow = round & 2;
		struct veil_hits *hits;
		bool elsewhere = false;

		seen.count = 0;
		set_best(server, clear);
		cr_assert_eq(veil_client_set_mode(client, slow ? "slow" : "auto", NULL), VEIL_OK);
		cr_assert_eq(veil_client_search(client, &hits, vector, INSIDE_DIM, 1, VEIL_TOP_ALL, NULL),
			VEIL_OK);
		cr_assert_eq(seen.count, INSIDE_SHARDS);
		for (int i = 0; i < INSIDE_SHARDS; i++) {
			cr_assert_eq(seen.bytes[i], server->config.query_bytes);
			cr_assert_eq(seen.shard[i], order[i]);
		}
		for (size_t i = 0; i < veil_hits_count(hits); i++)
			elsewhere = elsewhere || veil_hits_at(hits, i)->shard != 0;
		cr_assert_eq(elsewhere, slow || !clear);
		cr_assert_eq(veil_hits_cost(hits)->requests_needed, slow || !clear ? INSIDE_SHARDS : 1);
		cr_assert_eq(veil_hits_cost(hits)->shards_asked, INSIDE_SHARDS);
		veil_hits_destroy(hits);
	}
	cr_assert_eq(veil_client_set_mode(client, "quick", NULL), VEIL_E_INVALID);
	veil_client_destroy(client);
	inside_destroy(server);
}
