/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/transport_ohttp.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/error.h"
#include "base/require.h"
#include "ohttp/bhttp.h"
#include "ohttp/date.h"
#include "ohttp/message.h"
#include "sdk/sealing.h"
#include "wire/messages.h"

#define LIMIT_KEYS_BYTES 16384
#define MAX_JITTER_MS 250
#define PROBLEM_TYPE "application/problem+json"

struct ohttp {
	struct transport http; /* to the relay, and nowhere else */
	char *path; /* of the relay */
	const struct trust *trust;
	enum keyconfig_policy policy;
	_Atomic unsigned outer; /* status of the relay's last answer to a sealed request */
	pthread_mutex_t
		lock; /* guards sealing, and is held while it is fetched: the old cannot follow the new */
	struct sealing sealing;
};

/* Why a try did not count, if it did not. */
enum verdict { FINAL, OTHER_KEY, OTHER_DATE };

/* --- fetching */

static enum veil_status fetch(const struct ohttp *o, const char *path, const char *type, size_t limit,
	uint32_t timeout_ms, struct transport_reply *reply, struct veil_error *err)
{
	char whole[1024];
	const struct transport_request request = {
		.path = whole, .limit_bytes = limit, .timeout_ms = timeout_ms};

	snprintf(whole, sizeof whole, "%s%s", o->path, path);
	return transport_call(&o->http, reply, &request, type, 0, err);
}

double refresh_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

enum veil_status refresh_tell(const struct refresh_watch *watch, enum refresh_step step, double from_us,
	const struct transport_reply *reply, enum veil_status st, const struct veil_error *err)
{
	if (watch)
		watch->done(watch->arg, step, refresh_now_us() - from_us, reply, st, err);
	return st;
}

static enum veil_status refresh_signed(const struct ohttp *o, struct wire_signed *out, uint32_t timeout_ms,
	const struct refresh_watch *watch, struct veil_error *err)
{
	struct transport_reply reply = {0};
	double from = refresh_now_us();
	enum veil_status st =
		fetch(o, WIRE_SIGNED_PATH, WIRE_SIGNED_TYPE, WIRE_SIGNED_MAX_BYTES, timeout_ms, &reply, err);

	st = refresh_tell(watch, REFRESH_SIGNED, from, &reply, st, err);
	from = refresh_now_us();
	if (st == VEIL_OK)
		st = refresh_tell(watch, REFRESH_SIGNATURE, from, NULL,
			trust_accept(o->trust, out, (struct bytes){reply.body, reply.size}, time(NULL), err),
			err);
	transport_reply_clear(&reply);
	return st;
}

/* The lock is held. */
static enum veil_status refresh(
	struct ohttp *o, uint32_t timeout_ms, const struct refresh_watch *watch, struct veil_error *err)
{
	struct sealing next = {.generation = o->sealing.generation + 1};
	struct transport_reply keys = {0};
	enum veil_status st = refresh_signed(o, &next.signed_config, timeout_ms, watch, err);
	double from = refresh_now_us();

	if (st != VEIL_OK)
		return st;
	st = fetch(
		o, TRANSPORT_OHTTP_KEYS_PATH, KEYCONFIG_MEDIA_TYPE, LIMIT_KEYS_BYTES, timeout_ms, &keys, err);
	st = refresh_tell(watch, REFRESH_KEYS, from, &keys, st, err);
	from = refresh_now_us();
	if (st == VEIL_OK)
		st = refresh_tell(watch, REFRESH_KEY, from, NULL,
			sealing_choose(
				&next, &o->sealing, (struct bytes){keys.body, keys.size}, o->policy, err),
			err);
	if (st == VEIL_OK)
		sealing_copy(&o->sealing, &next);
	transport_reply_clear(&keys);
	return st;
}

enum veil_status transport_ohttp_refresh(struct transport *t, struct wire_signed *out, uint32_t timeout_ms,
	const struct refresh_watch *watch, struct veil_error *err)
{
	struct ohttp *o = t->state;
	enum veil_status st;

	pthread_mutex_lock(&o->lock);
	st = refresh(o, timeout_ms, watch, err);
	*out = o->sealing.signed_config;
	pthread_mutex_unlock(&o->lock);
	return st;
}

/* The key was refused: unless another thread has been here since, after a moment, which is another one for
 * every client. */
static enum veil_status refresh_after(
	struct ohttp *o, unsigned generation, uint32_t timeout_ms, struct veil_error *err)
{
	const struct rng rng = rng_system();
	enum veil_status st = VEIL_OK;
	uint8_t random;

	pthread_mutex_lock(&o->lock);
	if (o->sealing.generation == generation) {
		struct timespec wait = {0};

		rng_fill(&rng, &random, 1);
		wait.tv_nsec = random * (MAX_JITTER_MS * 1000000L / 256);
		while (nanosleep(&wait, &wait) != 0 && errno == EINTR)
			;
		st = refresh(o, timeout_ms, NULL, err);
	}
	pthread_mutex_unlock(&o->lock);
	return st;
}

/* --- one try */

static struct bytes text(const char *s)
{
	return (struct bytes){(const uint8_t *)s, strlen(s)};
}

/* The request inside, with zeros behind it: one size whatever is asked and whatever the KEM. */
static enum veil_status write_inside(uint8_t **out, size_t *size, const struct sealing *s,
	const struct transport_request *request, int64_t date, struct veil_error *err)
{
	char written[DATE_SIZE];
	struct bhttp_message m = {.method = text(request->body.data ? "POST" : "GET"),
		.scheme = text("https"),
		.authority = text(s->signed_config.authority),
		.path = text(request->path),
		.header_count = request->body.data ? 2 : 1,
		.fields = {{text("date"), {0}},
			{text("content-type"), text(request->type ? request->type : WIRE_CONTENT_TYPE)}},
		.content = request->body};
	size_t content = s->signed_config.request_bytes;

	date_write(written, date);
	m.fields[0].value = text(written);
	if (content < request->body.size)
		content = request->body.size;
	*size = message_padded_bytes(content) + KEM_MAX_ENC_BYTES - s->config.kem->enc_bytes;
	REQUIRE(bhttp_bytes(&m, BHTTP_KNOWN_REQUEST) <= *size);
	*out = malloc(*size);
	if (!*out)
		return error_set(err, VEIL_E_NOMEM, "no memory for a request of %zu bytes", *size);
	bhttp_write(*out, *size, &m, BHTTP_KNOWN_REQUEST);
	return VEIL_OK;
}

static bool equals(struct bytes b, const char *s)
{
	return b.size == strlen(s) && (b.size == 0 || strncasecmp((const char *)b.data, s, b.size) == 0);
}

/* The part before parameters. */
static struct bytes media_type(struct bytes value)
{
	const uint8_t *end = value.size ? memchr(value.data, ';', value.size) : NULL;

	return end ? (struct bytes){value.data, (size_t)(end - value.data)} : value;
}

static double read_microseconds(const struct bhttp_field *f)
{
	double us = 0;

	if (!f || f->value.size == 0 || f->value.size > 10)
		return -1;
	for (size_t i = 0; i < f->value.size; i++) {
		if (f->value.data[i] < '0' || f->value.data[i] > '9')
			return -1;
		us = us * 10 + (f->value.data[i] - '0');
	}
	return us;
}

/* The message in reply->body becomes the reply. */
static enum veil_status read_inside(struct transport_reply *reply, size_t size, enum verdict *verdict,
	int64_t *date, size_t limit_bytes, struct veil_error *err)
{
	struct bhttp_message m;
	const struct bhttp_field *f;
	struct bytes type;
	size_t count;
	enum veil_status st = bhttp_read(&m, BHTTP_RESPONSE, reply->body, size, err);

	if (st != VEIL_OK)
		return st;
	f = bhttp_header(&m, "content-type", &count);
	type = media_type(f ? f->value : (struct bytes){0});
	reply->code = m.status;
	reply->type[0] = 0;
	if (type.size > 0 && type.size < sizeof reply->type) {
		memcpy(reply->type, type.data, type.size);
		reply->type[type.size] = 0;
		for (char *c = reply->type; *c; c++)
			*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	}
	reply->server_us = read_microseconds(bhttp_header(&m, "veil-server-us", &count));
	if (m.status == 400 && equals(type, PROBLEM_TYPE) &&
		memmem(m.content.data, m.content.size, "#date", 5)) {
		f = bhttp_header(&m, "date", &count);
		*verdict = f && date_read(date, f->value) ? OTHER_DATE : FINAL;
		return error_set(err, VEIL_E_INVALID,
			"the gateway refuses the Date of this request%s%.*s; is this clock right?",
			*verdict == OTHER_DATE ? ": its own is " : "",
			*verdict == OTHER_DATE ? (int)f->value.size : 0,
			*verdict == OTHER_DATE ? (const char *)f->value.data : "");
	}
	if (m.content.size > limit_bytes)
		return error_set(err, VEIL_E_MALFORMED,
			"the reply inside has %zu bytes, more than the %zu it may have", m.content.size,
			limit_bytes);
	reply->size = m.content.size;
	if (m.content.size)
		memmove(reply->body, m.content.data, m.content.size);
	return VEIL_OK;
}

/* What came outside; nothing of it but a sealed response is an answer, the rest is advice. */
static enum veil_status judge_outside(const struct ohttp *o, const struct transport_reply *reply,
	enum verdict *verdict, struct veil_error *err)
{
	const char *path = o->path[0] ? o->path : "/";

	if (reply->code == 200 && strcmp(reply->type, MESSAGE_RESPONSE_TYPE) == 0)
		return VEIL_OK;
	if (reply->code == 401 ||
		(reply->code == 400 && strcmp(reply->type, PROBLEM_TYPE) == 0 && reply->size &&
			memmem(reply->body, reply->size, "#ohttp-key", 10))) {
		*verdict = OTHER_KEY;
		return error_set(err, VEIL_E_VERSION,
			"the gateway does not know the key that the request was sealed for");
	}
	if (reply->code == 200)
		return error_set(err, VEIL_E_MALFORMED,
			"the relay answered %s with what is no sealed response; is it a relay of Oblivious "
			"HTTP?",
			path);
	return transport_refuse("the relay", path, reply, err);
}

static enum veil_status try_once(struct ohttp *o, const struct sealing *s, struct crypto *c,
	struct transport_reply *reply, const struct transport_request *request, int64_t *date,
	enum verdict *verdict, struct veil_error *err)
{
	const struct rng rng = rng_system();
	struct message_exchange x = {0};
	size_t size = 0, content = s->signed_config.reply_bytes;
	uint8_t *inside = NULL, *sealed = NULL;
	struct transport_request outer = {.path = o->path[0] ? o->path : "/",
		.timeout_ms = request->timeout_ms,
		.type = MESSAGE_REQUEST_TYPE};
	enum veil_status st = write_inside(&inside, &size, s, request, *date, err);

	*verdict = FINAL;
	if (content < request->limit_bytes)
		content = request->limit_bytes;
	outer.limit_bytes = CRYPTO_MAX_KEY_BYTES + message_padded_bytes(content) + CRYPTO_TAG_BYTES;
	outer.body.size = message_request_bytes(&s->choice, size);
	sealed = st == VEIL_OK ? malloc(outer.body.size) : NULL;
	if (st == VEIL_OK && !sealed)
		st = error_set(err, VEIL_E_NOMEM, "no memory for a request of %zu bytes", outer.body.size);
	if (st == VEIL_OK)
		st = message_request_seal(&x, c, sealed, &s->choice, (struct bytes){inside, size}, &rng, err);
	free(inside);
	outer.body.data = sealed;
	if (st == VEIL_OK)
		st = o->http.exchange(o->http.state, reply, &outer, err);
	atomic_store(&o->outer, reply->code);
	free(sealed);
	if (st == VEIL_OK)
		st = judge_outside(o, reply, verdict, err);
	if (st == VEIL_OK)
		st = message_response_open(
			&x, c, reply->body, &size, (struct bytes){reply->body, reply->size}, err);
	if (st == VEIL_OK)
		st = read_inside(reply, size, verdict, date, request->limit_bytes, err);
	message_exchange_clear(&x);
	return st;
}

/* --- an exchange: a try, and one more where the first was not read */

static enum veil_status prepare_again(struct ohttp *o, unsigned generation,
	const struct transport_request *request, enum verdict verdict, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	if (verdict == OTHER_KEY)
		st = refresh_after(o, generation, request->timeout_ms, err);
	if (st == VEIL_OK && request->renew)
		st = request->renew(request->renew_arg, err);
	return st;
}

static int64_t next_minute(void)
{
	return (time(NULL) / 60 + 1) * 60;
}

static enum veil_status ohttp_exchange(void *state, struct transport_reply *reply,
	const struct transport_request *request, struct veil_error *err)
{
	struct ohttp *o = state;
	struct transport_reply all = {0};
	struct sealing s;
	struct crypto *c = NULL;
	int64_t date = next_minute();
	enum verdict verdict = FINAL;
	enum veil_status st = crypto_create(&c, err);

	*reply = (struct transport_reply){0};
	for (int tries = 0; st == VEIL_OK; tries++) {
		pthread_mutex_lock(&o->lock);
		sealing_copy(&s, &o->sealing);
		pthread_mutex_unlock(&o->lock);
		REQUIRE(s.generation > 0);
		st = try_once(o, &s, c, reply, request, &date, &verdict, err);
		all.bytes_up += reply->bytes_up;
		all.bytes_down += reply->bytes_down;
		all.elapsed_us += reply->elapsed_us;
		if (st == VEIL_OK || tries == 1 || verdict == FINAL ||
			(request->body.data && !request->renew))
			break;
		transport_reply_clear(reply);
		st = prepare_again(o, s.generation, request, verdict, err);
	}
	crypto_destroy(c);
	reply->bytes_up = all.bytes_up;
	reply->bytes_down = all.bytes_down;
	reply->elapsed_us = all.elapsed_us;
	if (st != VEIL_OK)
		transport_reply_clear(reply);
	return st;
}

/* --- the whole */

static void ohttp_destroy(void *state)
{
	struct ohttp *o = state;

	if (!o)
		return;
	if (o->http.destroy)
		o->http.destroy(o->http.state);
	pthread_mutex_destroy(&o->lock);
	free(o->path);
	free(o);
}

unsigned transport_ohttp_outer(const struct transport *t)
{
	const struct ohttp *o = t->state;

	return atomic_load(&o->outer);
}

void transport_ohttp_set_policy(struct transport *t, enum keyconfig_policy policy)
{
	struct ohttp *o = t->state;

	o->policy = policy;
}

enum veil_status transport_ohttp_attestation(const struct transport *t, struct attest *out,
	uint64_t max_age_s, uint32_t timeout_ms, struct veil_error *err)
{
	const struct ohttp *o = t->state;
	struct transport_reply reply = {0};
	enum veil_status st = VEIL_OK;

	*out = (struct attest){0};
	if (o->trust->relay_count == 0)
		return error_set(err, VEIL_E_INVALID,
			"the trust file has no line \"relay\": nobody is believed how many take part");
	st = fetch(o, "/attestation", ATTEST_MEDIA_TYPE, ATTEST_BYTES, timeout_ms, &reply, err);
	if (st != VEIL_OK)
		return st;
	st = VEIL_E_INVALID;
	for (size_t i = 0; st != VEIL_OK && i < o->trust->relay_count; i++)
		st = attest_read(out, reply.body, reply.size, o->trust->relays[i], o->path,
			(uint64_t)time(NULL), max_age_s, err);
	transport_reply_clear(&reply);
	return st;
}

const char *transport_ohttp_note(const struct transport *t)
{
	const struct ohttp *o = t->state;

	return o->sealing.choice.note;
}

enum veil_status transport_ohttp_create(struct transport *out, const char *url, const char *ca,
	const struct trust *trust, struct veil_error *err)
{
	struct ohttp *o = calloc(1, sizeof *o);
	struct crypto *first = NULL;
	enum veil_status st;

	*out = (struct transport){0};
	if (!o)
		return error_set(err, VEIL_E_NOMEM, "no memory for a relay");
	pthread_mutex_init(&o->lock, NULL);
	o->trust = trust;
	o->policy = KEYCONFIG_PREFER_PQ;
	st = transport_http_create_relay(&o->http, &o->path, url, ca, err);
	if (st == VEIL_OK)
		st = crypto_create(&first, err); /* it can be had, or why not */
	crypto_destroy(first);
	if (st == VEIL_OK && strlen(o->path) > 900)
		st = error_set(err, VEIL_E_INVALID, "the path of the relay is longer than 900 bytes");
	if (st != VEIL_OK) {
		ohttp_destroy(o);
		return st;
	}
	*out = (struct transport){.exchange = ohttp_exchange, .destroy = ohttp_destroy, .state = o};
	return VEIL_OK;
}
