/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "kit/admit.h"
#include "ohttp/bhttp.h"
#include "ohttp/date.h"
#include "search/gateway_inside.h"

#define PATH_SIZE 256
#define PROBLEM_TYPE "application/problem+json"
#define PROBLEM_REGISTRY "https://iana.org/assignments/http-problem-types"

/* At the begin of the buffer that the reply is made in, from the opening of a request to its answer. */
struct exchange {
	struct gateway *gateway;
	struct buffers *replies;
	size_t content; /* that fits into this buffer */
	struct message_exchange secrets;
};

/* --- sizes */

size_t gateway_request_bytes(size_t content)
{
	return MESSAGE_HEADER_BYTES + KEM_MAX_ENC_BYTES + message_padded_bytes(content) + CRYPTO_TAG_BYTES;
}

size_t gateway_reply_bytes(size_t content)
{
	return CRYPTO_MAX_KEY_BYTES + message_padded_bytes(content) + CRYPTO_TAG_BYTES;
}

size_t gateway_buffer_bytes(size_t content)
{
	return arena_room(sizeof(struct exchange)) + gateway_reply_bytes(content);
}

/* --- replies */

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

/* Seals into the buffer, all of it, and answers with that. */
static void send_sealed(struct exchange *x, void *buffer, size_t content, struct http_request *req,
	const struct bhttp_message *m)
{
	uint8_t *out = (uint8_t *)buffer + arena_room(sizeof *x);
	const struct rng rng = rng_system();
	struct http_reply outer = {.status = 200,
		.content_type = MESSAGE_RESPONSE_TYPE,
		.body = out,
		.size = gateway_reply_bytes(content),
		.done = buffers_give,
		.arg = buffer};
	size_t nonce_bytes = message_nonce_bytes(&x->secrets.suite);
	struct bytes plain = {out + nonce_bytes, outer.size - nonce_bytes - CRYPTO_TAG_BYTES};
	struct crypto *c = gateway_crypto_take(x->gateway);

	bhttp_write(out + nonce_bytes, plain.size, m, BHTTP_KNOWN_RESPONSE);
	message_response_seal(&x->secrets, c, out, plain, &rng);
	gateway_crypto_give(x->gateway, c);
	if (buffer != x)
		buffers_give(x);
	http_answer(req, &outer);
}

/* The answer of a route: becomes a message and leaves sealed, in an outer 200. */
static void seal(void *arg, struct http_request *req, const struct http_reply *reply)
{
	struct exchange *x = arg;
	struct bhttp_message m = {.status = reply->status,
		.header_count = 1,
		.fields = {{text("content-type"), text(reply->content_type)}},
		.content = {reply->body, reply->size}};
	char name[sizeof reply->header_value];
	void *buffer = x;
	size_t content = x->content;

	if (reply->header) {
		size_t n = strlen(reply->header);

		for (size_t i = 0; i <= n && i < sizeof name; i++)
			name[i] = (char)tolower((unsigned char)reply->header[i]);
		m.fields[m.header_count++] =
			(struct bhttp_field){{(uint8_t *)name, n}, text(reply->header_value)};
	}
	if (reply->size > content) {
		content = reply->size;
		buffer = buffers_take(x->replies, gateway_buffer_bytes(content));
	}
	if (!buffer) {
		buffer = x;
		content = x->content;
		m.status = 503;
		m.header_count = 1;
		m.fields[0].value = text("text/plain; charset=utf-8");
		m.content = text("busy; try again later with a new query\n");
	}
	send_sealed(x, buffer, content, req, &m);
	if (reply->done)
		reply->done(reply->arg);
}

static void answer_problem(struct http_request *req, unsigned status, const char *json)
{
	struct http_reply reply = {
		.status = status, .content_type = PROBLEM_TYPE, .body = json, .size = strlen(json)};

	http_answer(req, &reply);
}

/* --- what is inside */

static void refuse(struct admission *a, unsigned status, const char *reason)
{
	a->route = NULL;
	a->status = status;
	snprintf(a->reason, sizeof a->reason, "%.*s", (int)sizeof a->reason - 1, reason);
}

/* Its Date lies in the window; it is the first of its kind. */
static bool is_fresh(struct gateway *g, struct admission *a, struct crypto *c, const struct bhttp_message *m,
	const struct bytes *enc, struct replay *replay, bool *wrong_date)
{
	const struct bytes key = {replay_key(replay), REPLAY_KEY_BYTES};
	enum replay_verdict verdict = REPLAY_DATE;
	uint8_t tag[CRYPTO_MAX_HASH_BYTES];
	int64_t date;
	size_t count;
	const struct bhttp_field *f = bhttp_header(m, "date", &count);

	if (f && date_read(&date, f->value)) {
		crypto_hmac(c, CRYPTO_SHA256, tag, key, enc, 1);
		verdict = replay_check(replay, load_le64(tag), date, gateway_now(g));
	}
	switch (verdict) {
	case REPLAY_NEW:
		return true;
	case REPLAY_DATE:
		*wrong_date = true;
		metrics_add(g->metrics, METRICS_gateway_date, 1);
		return false;
	case REPLAY_SEEN:
		metrics_add(g->metrics, METRICS_gateway_replayed, 1);
		refuse(a, 409, "this request has been answered before; a new try is sealed anew");
		return false;
	case REPLAY_FULL:
		break;
	}
	metrics_add(g->metrics, METRICS_gateway_full, 1);
	refuse(a, 503, "busy; try again later with a new query");
	return false;
}

static bool equals(struct bytes b, const char *s)
{
	return b.size == strlen(s) && strncasecmp((const char *)b.data, s, b.size) == 0;
}

bool gateway_serves(const struct gateway *g, struct bytes authority)
{
	const char *own = g->config->gateway_authority;

	return !own[0] || equals(authority, own);
}

/* As C strings: what is too long is none of ours and stays so when it is cut. */
static void copy(char *out, size_t size, struct bytes b)
{
	size_t n = b.size < size ? b.size : size - 1;

	if (n > 0)
		memcpy(out, b.data, n);
	out[n] = 0;
}

/* By the rules for requests that come by themselves. */
static void choose_route(struct gateway *g, struct admission *a, const struct bhttp_message *m,
	const struct gateway_target *target, char path[PATH_SIZE])
{
	char method[16], type[128];
	struct veil_error err;
	struct guard guard;
	struct bytes authority;
	const struct bhttp_field *f;
	size_t count;

	copy(path, PATH_SIZE, m->path);
	copy(method, sizeof method, m->method);
	if (bhttp_check_request(m, &authority, &err) != VEIL_OK) {
		refuse(a, 400, err.text);
		return;
	}
	(void)bhttp_header(m, "expect", &count);
	if (count) {
		refuse(a, 417, "nothing is expected to be met here (Expect)");
		return;
	}
	if (!gateway_serves(g, authority)) {
		refuse(a, 403, "the gateway serves itself only, not that host");
		return;
	}
	guard_init(&guard, path);
	guard.hosts = 1;
	for (size_t i = 0; i < m->header_count; i++) {
		f = m->fields + i;
		if (!equals(f->name, "host") && !equals(f->name, "content-length"))
			guard_header(&guard, (const char *)f->name.data, f->name.size,
				(const char *)f->value.data, f->value.size);
	}
	guard.content_lengths = m->content.size > 0 || strcmp(method, "POST") == 0;
	guard.content_length = m->content.size;
	f = bhttp_header(m, "content-type", &count);
	copy(type, sizeof type, f ? f->value : (struct bytes){0});
	admit(a, target->routes, target->route_count, target->request_bytes, &guard, path, method, "HTTP/1.1",
		f ? type : NULL);
	if (a->status == 404)
		a->status = 403; /* the list of targets, not of things */
}

/* --- opening */

/* The keys that are accepted now, and where they stand. */
static size_t accepted(
	const struct keys *k, int64_t now, struct message_key out[KEYS_MAX], const struct keys_entry **entry)
{
	size_t n = 0;

	for (size_t i = 0; i < k->count; i++) {
		if (keys_state(k, k->entry + i, now) == KEYS_OVER)
			continue;
		entry[n] = k->entry + i;
		out[n++] = k->entry[i].message;
	}
	return n;
}

/* A request that was opened. */
struct inside {
	struct bhttp_message message;
	struct admission verdict;
	char path[PATH_SIZE];
	bool wrong_date;
};

/* Opens and judges; the lock is held, so that key and replay set stay. */
static enum veil_status open_locked(struct gateway *g, struct crypto *c, struct exchange *x,
	struct inside *in, struct http_request *req, const struct gateway_target *target)
{
	struct message_key keys[KEYS_MAX];
	const struct keys_entry *entry[KEYS_MAX];
	size_t count = accepted(g->keys, gateway_now(g), keys, entry);
	struct bytes body = http_body(req);
	uint8_t *plain = http_body_in_place(req);
	struct message_head head;
	struct veil_error err = {{0}};
	struct replay *replay;
	enum veil_status st = message_head_read(&head, keys, count, body.data, body.size, NULL);

	if (st != VEIL_OK)
		return st;
	replay = entry[head.key - keys]->replay;
	plain += head.body.data - body.data;
	st = message_request_open(&x->secrets, c, plain, &head, NULL);
	if (st != VEIL_OK)
		return st;
	metrics_add(g->metrics, METRICS_gateway_requests, 1);
	if (bhttp_read(&in->message, BHTTP_REQUEST, plain, head.body.size - CRYPTO_TAG_BYTES, &err) !=
		VEIL_OK)
		refuse(&in->verdict, 400, err.text);
	else if (is_fresh(g, &in->verdict, c, &in->message, &head.enc, replay, &in->wrong_date))
		choose_route(g, &in->verdict, &in->message, target, in->path);
	return VEIL_OK;
}

/* In the open: nothing was opened. Each is the same for all its causes. */
static void answer_unopened(struct gateway *g, struct http_request *req, enum veil_status st)
{
	switch (st) {
	case VEIL_E_NOT_FOUND:
		metrics_add(g->metrics, METRICS_gateway_other_key, 1);
		answer_problem(req, 400,
			"{\"type\":\"" PROBLEM_REGISTRY
			"#ohttp-key\",\"title\":\"key identifier unknown\"}\n");
		return;
	case VEIL_E_NOMEM:
		http_answer_busy(req);
		return;
	default:
		metrics_add(g->metrics, METRICS_gateway_unreadable, 1);
		http_answer_text(req, 422, "the request cannot be opened");
	}
}

static void answer_date(struct gateway *g, struct http_request *req)
{
	static const char json[] =
		"{\"type\":\"" PROBLEM_REGISTRY
		"#date\",\"title\":\"the Date is missing or too far from the one here\"}\n";
	struct http_reply reply = {.status = 400,
		.content_type = PROBLEM_TYPE,
		.body = json,
		.size = sizeof json - 1,
		.header = "Date"};

	date_write(reply.header_value, gateway_now(g));
	http_answer(req, &reply);
}

static void answer_refused(struct http_request *req, const struct admission *a)
{
	char sentence[sizeof a->reason + 1];
	struct http_reply reply = {.status = a->status,
		.content_type = "text/plain; charset=utf-8",
		.body = sentence,
		.header = a->allow ? "Allow" : NULL};

	reply.size = (size_t)snprintf(sentence, sizeof sentence, "%s\n", a->reason);
	if (a->allow)
		snprintf(reply.header_value, sizeof reply.header_value, "%s", a->allow);
	if (a->status == 503) {
		reply.header = "Retry-After";
		snprintf(reply.header_value, sizeof reply.header_value, "1");
	}
	http_answer(req, &reply);
}

const struct http_route *gateway_open(
	struct gateway *g, struct http_request *req, const struct gateway_target *target)
{
	struct exchange *x = buffers_take(target->replies, gateway_buffer_bytes(target->reply_bytes));
	struct inside in = {.wrong_date = false};
	const struct http_route *route;
	struct crypto *c;
	enum veil_status st;

	if (!x) {
		metrics_add(g->metrics, METRICS_queue_full, 1);
		http_answer_busy(req);
		return NULL;
	}
	*x = (struct exchange){.gateway = g, .replies = target->replies, .content = target->reply_bytes};
	c = gateway_crypto_take(g);
	pthread_rwlock_rdlock(&g->lock);
	st = open_locked(g, c, x, &in, req, target);
	pthread_rwlock_unlock(&g->lock);
	gateway_crypto_give(g, c);
	if (st != VEIL_OK) {
		buffers_give(x);
		answer_unopened(g, req, st);
		return NULL;
	}
	route = in.verdict.route;
	http_unwrap(req, in.message.content, route ? in.path + strlen(route->path) : "", seal, x);
	if (in.wrong_date)
		answer_date(g, req);
	else if (!route)
		answer_refused(req, &in.verdict);
	return route;
}
