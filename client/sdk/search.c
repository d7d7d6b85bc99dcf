/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/search.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/error.h"
#include "sdk/hits.h"
#include "sdk/printable.h"
#include "sdk/rank.h"
#include "sdk/sealed.h"
#include "secret/pnns_search.h"
#include "secret/search.h"

/* Of the cosines of the first two records, from which on mode auto looks no further: docs/privacy.md. */
#define AUTO_MARGIN 0.2

_Static_assert(
	VEIL_NO_RECORD == INDEX_NO_RECORD && RANK_NO_RECORD == INDEX_NO_RECORD, "one mark for no record");

/* What one request cost and gave; threads have one each. */
struct request {
	double encrypt_us, decrypt_us, network_us, server_us;
	size_t bytes_up, bytes_down;
	size_t kept; /* rows, of those of its answers */
	bool fake; /* nothing was looked for: what was kept is noise */
};

struct search {
	const struct veil_client *client;
	const struct session *session;
	bool fake;
	bool all;
	bool sealed;
	bool adaptive;
	atomic_bool enough; /* what the first answer said, if adaptive: the others are fakes */
	uint32_t requests;
	uint32_t answers; /* shards that a request is answered by: 1, or all of them */
	uint32_t top;
	size_t limit; /* rows kept of each shard: at most all of them */
	double start_us; /* what making this took */
	struct arena secrets; /* holds unit and rows */
	float *unit; /* [dim] the vector with norm 1; unused by a fake */
	struct rank_row *rows; /* [requests][answers * limit], what is kept */
	uint8_t *labels; /* [requests][answers][spec.rows * label_bytes]: they name the hits */
	struct request *request; /* [requests] */
	struct veil_hits *hits;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
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

static size_t label_bytes_of(const struct search *x)
{
	return (size_t)x->session->config.spec.rows * x->session->config.label_bytes;
}

/* Room for all, and which shards they are. */
static enum veil_status create(
	struct search **out, const struct search *what, const float *vector, struct veil_error *err)
{
	const struct session *s = what->session;
	const struct nn_spec *spec = &s->config.spec;
	struct search *x = malloc(sizeof *x);
	size_t shards = (size_t)what->requests * what->answers, unit, rows;
	double start = now_us();

	*out = NULL;
	if (!x)
		return error_set(err, VEIL_E_NOMEM, "no memory for a search");
	*x = *what;
	atomic_init(&x->enough, false);
	x->limit = x->top < RANK_MARGIN_ROWS ? RANK_MARGIN_ROWS : x->top;
	x->limit = x->limit < spec->rows ? x->limit : spec->rows;
	unit = spec->dim * sizeof *x->unit;
	rows = shards * x->limit * sizeof *x->rows;
	x->labels = malloc(shards * label_bytes_of(x) + 1);
	x->request = calloc(x->requests, sizeof *x->request);
	x->hits = hits_create((uint32_t)shards, s->id);
	if (!x->labels || !x->request || !x->hits ||
		arena_init_secret(&x->secrets, arena_room(unit) + arena_room(rows)) != VEIL_OK) {
		search_destroy(x);
		return error_set(err, VEIL_E_NOMEM, "no memory for a search of %zu shards", shards);
	}
	x->unit = arena_take(&x->secrets, unit);
	x->rows = arena_take(&x->secrets, rows);
	if (vector)
		normalise(x->unit, vector, spec->dim);
	if (x->all)
		for (uint32_t i = 0; i < x->answers; i++)
			x->hits->shards[i] = i;
	else if (vector)
		index_codebook_nearest(&s->codebook, x->unit, x->hits->shards, x->requests);
	x->start_us = now_us() - start;
	*out = x;
	return VEIL_OK;
}

bool search_can_ask_all(const struct session *s)
{
	return (uint64_t)s->config.shards * s->config.reply_bytes <= SEARCH_LIMIT_ALL;
}

enum veil_status search_create(struct search **out, const struct veil_client *client,
	const struct search_question *question, bool all, struct veil_error *err)
{
	struct search x = {.client = client,
		.session = client->session,
		.all = all,
		.sealed = question->sealed,
		.adaptive = question->adaptive,
		.top = question->top};
	enum veil_status st = question_check_session(client, err);

	*out = NULL;
	if (st == VEIL_OK)
		st = question_check(client->session, question, err);
	if (st == VEIL_OK && x.sealed && !x.session->sealed)
		st = error_set(err, VEIL_E_UNSUPPORTED,
			"the index has no sealed search; build it with veil-index build --kind sealed");
	if (st != VEIL_OK)
		return st;
	x.requests = all ? 1 : question->probes;
	x.answers = all ? x.session->config.shards : 1;
	return create(out, &x, question->vector, err);
}

enum veil_status search_create_fake(struct search **out, const struct veil_client *client, uint32_t shard,
	bool sealed, struct veil_error *err)
{
	struct search x = {.client = client,
		.session = client->session,
		.fake = true,
		.sealed = sealed,
		.all = shard == WIRE_ALL_SHARDS,
		.requests = 1,
		.top = 1};
	enum veil_status st = question_check_session(client, err);

	*out = NULL;
	if (st != VEIL_OK)
		return st;
	x.answers = x.all ? x.session->config.shards : 1;
	st = create(out, &x, NULL, err);
	if (st == VEIL_OK && !x.all)
		(*out)->hits->shards[0] = shard;
	return st;
}

uint32_t search_requests(const struct search *x)
{
	return x->requests;
}

uint32_t search_shard(const struct search *x, uint32_t i)
{
	return x->all ? WIRE_ALL_SHARDS : x->hits->shards[i];
}

void search_destroy(struct search *x)
{
	if (!x)
		return;
	arena_clear(&x->secrets);
	free(x->labels);
	free(x->request);
	veil_hits_destroy(x->hits);
	free(x);
}

/* --- one request */

/* One request, while it is under way. */
struct asking {
	struct search *x;
	uint32_t i;
	struct request *cost;
	struct secret_search *secret; /* one of the three */
	struct secret_pnns_search *bfv;
	struct secret_sealed *sealed;
	uint8_t *ciphertexts; /* [nn->query_bytes] */
	uint8_t *body;
	size_t body_bytes, reply_bytes; /* of the request and of its reply */
	struct arena scores; /* of each row of each answer */
};

static enum veil_status asking_init(struct asking *a, struct search *x, uint32_t i, struct veil_error *err)
{
	const struct session *s = x->session;
	size_t scores = (size_t)x->answers * s->config.spec.rows * sizeof(double);

	*a = (struct asking){.x = x, .i = i, .cost = &x->request[i]};
	a->body_bytes = x->sealed ? wire_retrieve_bytes(&s->retrieval) : s->config.query_bytes;
	a->reply_bytes =
		x->sealed ? wire_retrieved_bytes(&s->retrieval) : (size_t)x->answers * s->config.reply_bytes;
	a->ciphertexts = malloc(s->nn->query_bytes);
	a->body = malloc(a->body_bytes);
	if (!a->ciphertexts || !a->body || arena_init_secret(&a->scores, arena_room(scores)) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory for a request of %u shards", x->answers);
	return VEIL_OK;
}

static void forget(struct asking *a)
{
	secret_search_destroy(a->secret);
	secret_pnns_search_destroy(a->bfv);
	secret_sealed_destroy(a->sealed);
	a->secret = NULL;
	a->bfv = NULL;
	a->sealed = NULL;
}

static void asking_clear(struct asking *a)
{
	forget(a);
	arena_clear(&a->scores);
	free(a->ciphertexts);
	free(a->body);
}

static enum veil_status write_sealed(void *arg, struct veil_error *err)
{
	struct asking *a = arg;
	const struct search *x = a->x;

	forget(a);
	return sealed_write(
		&a->sealed, a->body, x->session, a->cost->fake ? NULL : x->unit, x->hits->shards[a->i], err);
}

/* A fresh query object for each request: its ciphertexts exist in `body` alone, and are sent once. */
static enum veil_status write_query(void *arg, struct veil_error *err)
{
	struct asking *a = arg;
	const struct search *x = a->x;
	const struct session *s = x->session;
	struct rng rng = rng_system();
	struct wire_query query = {.shard = search_shard(x, a->i), .query.ciphertexts = a->ciphertexts};
	enum veil_status st;

	forget(a); /* a second try is another query: new secrets, a new body */
	if (s->engine.bfv)
		st = secret_pnns_search_create(
			&a->bfv, s->engine.bfv, a->cost->fake ? NULL : x->unit, &rng, err);
	else
		st = a->cost->fake ? secret_search_create_fake(&a->secret, s->nn, &rng, err)
				   : secret_search_create(&a->secret, s->nn, x->unit, &rng, err);
	if (st != VEIL_OK)
		return st;
	memcpy(query.index_id, s->config.index_id, sizeof query.index_id);
	if (a->bfv)
		secret_pnns_search_write(a->bfv, query.query.seed, a->ciphertexts);
	else
		secret_search_write(a->secret, query.query.seed, a->ciphertexts);
	wire_query_write(s->nn, a->body, &query);
	return VEIL_OK;
}

static enum veil_status exchange(struct asking *a, struct transport_reply *raw, struct veil_error *err)
{
	const struct search *x = a->x;
	const struct transport_request request = {.path = x->sealed ? "/v1/sealed" : "/v1/query",
		.body = {a->body, a->body_bytes},
		.limit_bytes = a->reply_bytes,
		.timeout_ms = x->client->timeout_ms,
		.renew = x->sealed ? write_sealed : write_query,
		.renew_arg = a};
	enum veil_status st =
		transport_call(&x->client->transport, raw, &request, WIRE_CONTENT_TYPE, a->reply_bytes, err);

	a->cost->bytes_up = raw->bytes_up;
	a->cost->bytes_down = raw->bytes_down;
	a->cost->network_us = raw->elapsed_us;
	a->cost->server_us = raw->server_us;
	return st;
}

/* Reads the answer of every shard of the reply. */
static enum veil_status read_answers(
	const struct asking *a, struct wire_reply *answer, const uint8_t *body, struct veil_error *err)
{
	const struct session *s = a->x->session;
	const struct wire_config *c = &s->config;

	for (uint32_t k = 0; k < a->x->answers; k++) {
		enum veil_status st = wire_reply_read(s->nn, c->label_bytes, &answer[k],
			body + (size_t)k * c->reply_bytes, c->reply_bytes, err);

		if (st == VEIL_OK && memcmp(answer[k].index_id, c->index_id, sizeof c->index_id) != 0)
			st = error_set(err, VEIL_E_VERSION,
				"the server answered from another version of the index; fetch its "
				"configuration again");
		if (st != VEIL_OK)
			return st;
	}
	return VEIL_OK;
}

/* Of answer k of request i. */
static uint8_t *labels_of(const struct search *x, uint32_t i, uint32_t k)
{
	return x->labels + ((size_t)i * x->answers + k) * label_bytes_of(x);
}

static void keep_best(struct asking *a, uint32_t k, const double *scores)
{
	struct search *x = a->x;
	const struct wire_config *c = &x->session->config;
	const uint8_t *labels = labels_of(x, a->i, k);
	struct rank_best best = {
		.rows = x->rows + (size_t)a->i * x->answers * x->limit + a->cost->kept, .limit = x->limit};

	for (uint32_t row = 0; row < c->spec.rows; row++) {
		struct rank_row r = {
			scores[row], INDEX_NO_RECORD, x->hits->shards[a->i + k], row, a->i * x->answers + k};

		if (c->label_bytes > 0) {
			r.record = index_label_record(labels + (size_t)row * c->label_bytes);
			if (r.record == INDEX_NO_RECORD)
				continue; /* padding */
		}
		rank_best_offer(&best, &r);
	}
	a->cost->kept += best.count;
}

static enum veil_status decode(struct asking *a, const uint8_t *body, struct veil_error *err)
{
	struct search *x = a->x;
	const uint32_t rows = x->session->config.spec.rows;
	struct wire_reply *answer = calloc(x->answers, sizeof *answer);
	const uint8_t **ciphertexts = calloc(x->answers, sizeof *ciphertexts);
	double *scores = arena_take(&a->scores, (size_t)x->answers * rows * sizeof *scores);
	enum veil_status st = VEIL_E_NOMEM;

	if (answer && ciphertexts)
		st = read_answers(a, answer, body, err);
	for (uint32_t k = 0; st == VEIL_OK && k < x->answers; k++)
		ciphertexts[k] = answer[k].ciphertexts.data;
	if (st == VEIL_OK && a->bfv)
		st = secret_pnns_search_decode(a->bfv, scores, ciphertexts, x->answers, err);
	else if (st == VEIL_OK)
		secret_search_decode_several(a->secret, scores, ciphertexts, x->answers);
	for (uint32_t k = 0; st == VEIL_OK && k < x->answers; k++) {
		if (answer[k].labels.size) /* the bytes are NULL where there are none */
			memcpy(labels_of(x, a->i, k), answer[k].labels.data, answer[k].labels.size);
		keep_best(a, k, scores + (size_t)k * rows);
	}
	for (uint32_t k = 0; answer && k < x->answers; k++)
		wire_reply_clear(&answer[k]);
	free(answer);
	free(ciphertexts);
	return st;
}

static enum veil_status decode_sealed(struct asking *a, const uint8_t *body, struct veil_error *err)
{
	struct search *x = a->x;
	const struct session *s = x->session;
	double *scores = arena_take(&a->scores, s->config.spec.rows * sizeof *scores);
	enum veil_status st = sealed_read(a->sealed, scores, s, body, err);

	if (st != VEIL_OK)
		return st;
	if (s->labels)
		memcpy(labels_of(x, a->i, 0), s->labels + x->hits->shards[a->i] * label_bytes_of(x),
			label_bytes_of(x));
	keep_best(a, 0, scores);
	return VEIL_OK;
}

/* The score of a cosine of 1. */
static double unit_of(const struct search *x)
{
	const double scale = x->session->config.spec.scale;

	return x->session->info.exact ? scale * scale : 1;
}

enum veil_status search_ask(struct search *x, uint32_t i, struct veil_error *err)
{
	struct asking a;
	struct transport_reply raw = {0};
	double start = now_us();
	enum veil_status st = asking_init(&a, x, i, err);

	a.cost->fake = x->fake || (i > 0 && atomic_load(&x->enough));
	if (st == VEIL_OK)
		st = x->sealed ? write_sealed(&a, err) : write_query(&a, err);
	a.cost->encrypt_us = now_us() - start;
	if (st == VEIL_OK)
		st = exchange(&a, &raw, err);
	start = now_us();
	if (st == VEIL_OK)
		st = x->sealed ? decode_sealed(&a, raw.body, err) : decode(&a, raw.body, err);
	if (st == VEIL_OK && x->adaptive && i == 0)
		atomic_store(&x->enough, rank_margin(x->rows, a.cost->kept) >= AUTO_MARGIN * unit_of(x));
	a.cost->decrypt_us = now_us() - start;
	transport_reply_clear(&raw);
	asking_clear(&a);
	return st;
}

/* --- the answer */

/* What all requests cost; their rows, one after the other. */
static size_t sum_up(struct search *x)
{
	struct veil_cost *cost = &x->hits->cost;
	size_t kept = 0;

	cost->shards_asked = x->sealed ? 0 : x->requests * x->answers;
	cost->encrypt_us = x->start_us;
	for (uint32_t i = 0; i < x->requests; i++) {
		const struct request *r = &x->request[i];

		cost->requests_needed += !r->fake;
		cost->bytes_up += r->bytes_up;
		cost->bytes_down += r->bytes_down;
		cost->encrypt_us += r->encrypt_us;
		cost->decrypt_us += r->decrypt_us;
		cost->network_us += r->network_us;
		cost->server_us =
			r->server_us < 0 || cost->server_us < 0 ? -1 : cost->server_us + r->server_us;
		if (r->fake)
			continue;
		memmove(x->rows + kept, x->rows + (size_t)i * x->answers * x->limit,
			r->kept * sizeof *x->rows);
		kept += r->kept;
	}
	return kept;
}

enum veil_status search_finish(struct search *x, struct veil_hits **out, struct veil_error *err)
{
	const struct wire_config *c = &x->session->config;
	double start = now_us(), unit = unit_of(x);
	size_t count = rank_merge(x->rows, sum_up(x), x->top);

	*out = NULL;
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
			index_label_name(labels_of(x, 0, row->probe) + (size_t)row->row * c->label_bytes,
				c->label_bytes, x->hits->names[i]);
			printable_make(x->hits->names[i]);
		}
	}
	x->hits->cost.decrypt_us += now_us() - start;
	*out = x->hits;
	x->hits = NULL;
	return VEIL_OK;
}
