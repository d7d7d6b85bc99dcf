/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/error.h"
#include "sdk/client.h"
#include "sdk/hits.h"
#include "sdk/printable.h"
#include "sdk/rank.h"
#include "secret/search.h"

_Static_assert(
	VEIL_NO_RECORD == INDEX_NO_RECORD && RANK_NO_RECORD == INDEX_NO_RECORD, "one mark for no record");

/* One search while it runs: buffers for one shard at a time, and what is kept of each. */
struct search {
	const struct veil_client *client;
	const struct session *session;
	struct arena secrets; /* holds unit, scores and rows */
	float *unit; /* [dim] the vector with norm 1 */
	uint32_t probes;
	size_t top; /* rows kept of each shard: at most all of them */
	uint8_t *ciphertexts; /* [nn->query_bytes] */
	uint8_t *body; /* [config.query_bytes] */
	double *scores; /* [spec.rows] */
	uint8_t *labels; /* [probes][spec.rows * label_bytes]: they name the hits */
	struct rank_row *rows; /* [probes * top], what is kept of each shard */
	size_t kept;
	struct veil_hits *hits;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static enum veil_status check_arguments(const struct veil_client *client, const float *vector, uint32_t dim,
	uint32_t probes, uint32_t top, struct veil_error *err)
{
	const struct session *s = client->session;
	int zero = 1;

	if (!s)
		return error_set(err, VEIL_E_INVALID,
			"no configuration yet: call veil_client_refresh before searching");
	if (client->trusting && time(NULL) >= client->valid_until)
		return error_set(err, VEIL_E_VERSION,
			"what the operator has signed is out of date by now; call veil_client_refresh");
	if (dim != s->config.spec.dim)
		return error_set(err, VEIL_E_INVALID,
			"the vector has %u numbers and the index has %u; was it made by the same embedding?",
			dim, s->config.spec.dim);
	if (probes < 1 || probes > s->config.shards)
		return error_set(err, VEIL_E_INVALID, "%u shards to ask is not within 1 to %u", probes,
			s->config.shards);
	if (top < 1)
		return error_set(err, VEIL_E_INVALID, "ask for at least one result");
	for (uint32_t i = 0; i < dim; i++) {
		if (!isfinite(vector[i]))
			return error_set(err, VEIL_E_INVALID, "number %u of the vector is not finite", i);
		if (vector[i] != 0)
			zero = 0;
	}
	if (zero)
		return error_set(err, VEIL_E_INVALID, "the vector is all zeros: nothing is near to it");
	return VEIL_OK;
}

/* On this machine and before anything is sent: no peer sees how long the divisions take, which in any case
 * tells little more than which numbers are zero or tiny. lib/secret, which makes what is sent, normalises
 * again without a branch on a value. */
static void normalise(float *unit, const float *vector, uint32_t dim)
{
	double sum = 0;

	for (uint32_t i = 0; i < dim; i++)
		sum += (double)vector[i] * vector[i];
	for (uint32_t i = 0; i < dim; i++)
		unit[i] = (float)(vector[i] / sqrt(sum));
}

static enum veil_status search_init(struct search *x, const struct veil_client *client, const float *vector,
	uint32_t probes, uint32_t top, struct veil_error *err)
{
	const struct session *s = client->session;
	const struct nn_spec *spec = &s->config.spec;

	size_t unit = spec->dim * sizeof *x->unit, scores = spec->rows * sizeof *x->scores, rows;

	*x = (struct search){.client = client, .session = s, .probes = probes};
	x->top = top < spec->rows ? top : spec->rows;
	rows = probes * x->top * sizeof *x->rows;
	x->ciphertexts = malloc(s->nn->query_bytes);
	x->body = malloc(s->config.query_bytes);
	x->labels = malloc((size_t)probes * spec->rows * s->config.label_bytes + 1);
	x->hits = hits_create(probes);
	if (!x->ciphertexts || !x->body || !x->labels || !x->hits ||
		arena_init_secret(&x->secrets, arena_room(unit) + arena_room(scores) + arena_room(rows)) !=
			VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory for a search of %u shards", probes);
	x->unit = arena_take(&x->secrets, unit);
	x->scores = arena_take(&x->secrets, scores);
	x->rows = arena_take(&x->secrets, rows);
	normalise(x->unit, vector, spec->dim);
	index_codebook_nearest(&s->codebook, x->unit, x->hits->shards, probes);
	return VEIL_OK;
}

static void search_clear(struct search *x)
{
	arena_clear(&x->secrets);
	free(x->ciphertexts);
	free(x->body);
	free(x->labels);
	veil_hits_destroy(x->hits);
}

/* A fresh query object for each request: its ciphertexts exist in `body` alone, and are sent once. */
static enum veil_status write_query(
	struct search *x, struct secret_search **secret, uint32_t probe, struct veil_error *err)
{
	const struct session *s = x->session;
	struct rng rng = rng_system();
	struct wire_query query = {.shard = x->hits->shards[probe], .query.ciphertexts = x->ciphertexts};
	enum veil_status st = secret_search_create(secret, s->nn, x->unit, &rng, err);

	if (st != VEIL_OK)
		return st;
	memcpy(query.index_id, s->config.index_id, sizeof query.index_id);
	secret_search_write(*secret, query.query.seed, x->ciphertexts);
	wire_query_write(s->nn, x->body, &query);
	return VEIL_OK;
}

/* The query of one probe, while it is under way. */
struct asking {
	struct search *x;
	struct secret_search *secret;
	uint32_t probe;
};

/* A second try is another query: new secrets, a new body. */
static enum veil_status renew(void *arg, struct veil_error *err)
{
	struct asking *a = arg;

	secret_search_destroy(a->secret);
	a->secret = NULL;
	return write_query(a->x, &a->secret, a->probe, err);
}

static enum veil_status exchange(struct asking *a, struct wire_reply *reply, struct veil_error *err)
{
	struct search *x = a->x;
	const struct session *s = x->session;
	const struct transport_request request = {.path = "/v1/query",
		.body = {x->body, s->config.query_bytes},
		.limit_bytes = s->config.reply_bytes,
		.timeout_ms = x->client->timeout_ms,
		.renew = renew,
		.renew_arg = a};
	struct veil_cost *cost = &x->hits->cost;
	struct transport_reply raw = {0};
	enum veil_status st = transport_call(
		&x->client->transport, &raw, &request, WIRE_CONTENT_TYPE, s->config.reply_bytes, err);

	if (st == VEIL_OK)
		st = wire_reply_read(s->nn, s->config.label_bytes, reply, raw.body, raw.size, err);
	if (st == VEIL_OK && memcmp(reply->index_id, s->config.index_id, sizeof reply->index_id) != 0)
		st = error_set(err, VEIL_E_VERSION,
			"the server answered from another version of the index; fetch its configuration "
			"again");
	cost->bytes_up += raw.bytes_up;
	cost->bytes_down += raw.bytes_down;
	cost->network_us += raw.elapsed_us;
	if (raw.server_us < 0 || cost->server_us < 0)
		cost->server_us = -1;
	else
		cost->server_us += raw.server_us;
	transport_reply_clear(&raw);
	return st;
}

static uint8_t *labels_of(const struct search *x, uint32_t probe)
{
	const struct wire_config *c = &x->session->config;

	return x->labels + (size_t)probe * c->spec.rows * c->label_bytes;
}

static void keep_best(struct search *x, uint32_t probe)
{
	const struct wire_config *c = &x->session->config;
	const uint8_t *labels = labels_of(x, probe);
	struct rank_best best = {.rows = x->rows + x->kept, .limit = x->top};

	for (uint32_t i = 0; i < c->spec.rows; i++) {
		struct rank_row row = {x->scores[i], INDEX_NO_RECORD, x->hits->shards[probe], i, probe};

		if (c->label_bytes > 0) {
			row.record = index_label_record(labels + (size_t)i * c->label_bytes);
			if (row.record == INDEX_NO_RECORD)
				continue; /* padding */
		}
		rank_best_offer(&best, &row);
	}
	x->kept += best.count;
}

static enum veil_status ask(struct search *x, uint32_t probe, struct veil_error *err)
{
	struct veil_cost *cost = &x->hits->cost;
	struct asking a = {.x = x, .probe = probe};
	struct wire_reply reply = {0};
	double start = now_us();
	enum veil_status st = write_query(x, &a.secret, probe, err);

	cost->encrypt_us += now_us() - start;
	if (st == VEIL_OK) {
		cost->shards_asked++;
		st = exchange(&a, &reply, err);
	}
	if (st == VEIL_OK) {
		start = now_us();
		secret_search_decode(a.secret, x->scores, reply.ciphertexts.data);
		if (reply.labels.size) /* the bytes are NULL where there are none */
			memcpy(labels_of(x, probe), reply.labels.data, reply.labels.size);
		keep_best(x, probe);
		cost->decrypt_us += now_us() - start;
	}
	secret_search_destroy(a.secret);
	wire_reply_clear(&reply);
	return st;
}

static enum veil_status give(struct search *x, uint32_t top, struct veil_error *err)
{
	const struct wire_config *c = &x->session->config;
	size_t count = rank_merge(x->rows, x->kept, top);
	double unit = x->session->info.exact ? (double)c->spec.scale * c->spec.scale : 1;

	if (hits_reserve(x->hits, count) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory for %zu results", count);
	for (size_t i = 0; i < count; i++) {
		const struct rank_row *row = &x->rows[i];
		struct veil_hit *hit = &x->hits->hits[i];

		hit->rank = (uint32_t)i + 1;
		hit->record = row->record;
		hit->score = row->score;
		hit->cosine = row->score / unit;
		hit->shard = row->shard;
		hit->row = row->row;
		if (c->label_bytes > 0) {
			index_label_name(labels_of(x, row->probe) + (size_t)row->row * c->label_bytes,
				c->label_bytes, x->hits->names[i]);
			printable_make(x->hits->names[i]);
		}
	}
	return VEIL_OK;
}

enum veil_status veil_client_search(const struct veil_client *client, struct veil_hits **out,
	const float *vector, uint32_t dim, uint32_t probes, uint32_t top, struct veil_error *err)
{
	struct search x = {0};
	double start = now_us();
	enum veil_status st = check_arguments(client, vector, dim, probes, top, err);

	*out = NULL;
	if (st != VEIL_OK)
		return st;
	st = search_init(&x, client, vector, probes, top, err);
	if (st == VEIL_OK)
		x.hits->cost.encrypt_us = now_us() - start;
	for (uint32_t i = 0; st == VEIL_OK && i < probes; i++)
		st = ask(&x, i, err);
	start = now_us();
	if (st == VEIL_OK)
		st = give(&x, top, err);
	if (st == VEIL_OK) {
		x.hits->cost.decrypt_us += now_us() - start;
		*out = x.hits;
		x.hits = NULL;
	}
	search_clear(&x);
	return st;
}
