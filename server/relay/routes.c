/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "kit/clock.h"
#include "relay/service.h"

#define REQUEST_TYPE "message/ohttp-req"
/* The same below the gateway's origin and below our path. */
#define GATEWAY_KEYS "/.well-known/ohttp-gateway"
#define SIGNED_CONFIGURATION "/v1/signed"
#define RATE_TEXT "too many requests; this relay allows %u a minute"

/* Media types that a gateway's answer may have; anything else is a row of bytes to us. */
static const char *type_of(const char *type)
{
	static const char *const known[] = {"message/ohttp-res", "application/ohttp-keys",
		"application/problem+json", "text/plain", "application/x-protobuf"};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(type, known[i]) == 0)
			return known[i];
	return "application/octet-stream";
}

/* --- from the gateway --- */

static void answer_fault(struct http_request *req, const struct forward_job *job)
{
	struct http_reply r = {
		.status = job->status, .content_type = "text/plain; charset=utf-8", .header = "Proxy-Status"};

	snprintf(r.header_value, sizeof r.header_value, "veil-relay; error=%s", job->fault);
	r.body = job->status == 504 ? "the gateway did not answer in time; the request was sent once\n"
				    : "the gateway could not be asked; nothing was sent twice\n";
	r.size = strlen(r.body);
	http_answer(req, &r);
}

void routes_answer(struct forward_job *job)
{
	struct parcel *p = (struct parcel *)(void *)job;
	struct metrics *m = p->lane->service->metrics;
	struct http_reply r = {.status = job->status,
		.content_type = type_of(job->reply_type),
		.body = job->reply,
		.size = job->reply_size,
		.done = job->reply ? buffers_give : NULL,
		.arg = job->reply};
	uint8_t hash[HASH_BYTES];

	if (!job->fault && p->is_object && job->status == 200) {
		hash_sha256(hash, job->reply, job->reply_size);
		if (memcmp(hash, p->object, sizeof hash) != 0) {
			job->status = 502;
			job->fault = "http_response_incomplete";
		}
	}
	metrics_add(m, job->fault ? METRICS_forward_failed : METRICS_forwarded, 1);
	if (job->fault) {
		buffers_give(job->reply);
		answer_fault(p->req, job);
	} else {
		if (job->retry_after[0]) {
			r.header = "Retry-After";
			snprintf(r.header_value, sizeof r.header_value, "%s", job->retry_after);
		}
		if (!r.body)
			r.body = "";
		http_answer(p->req, &r);
	}
	free(p);
}

/* --- from the client --- */

/* The front's word, or the connection's other end. False if the front said nothing that is an address. */
static bool client_address(const struct service *s, struct http_request *req, uint8_t address[16])
{
	const char *text;

	if (!s->config->client_header[0]) {
		http_peer(req, address);
		return true;
	}
	text = http_header(req, s->config->client_header);
	memset(address, 0, 16);
	if (text && inet_pton(AF_INET6, text, address) == 1)
		return true;
	address[10] = address[11] = 0xff;
	return text && inet_pton(AF_INET, text, address + 12) == 1;
}

/* A parcel for a client that may send one; else it has its answer. */
static struct parcel *admit_client(struct http_request *req, bool count)
{
	struct lane *lane = http_route_arg(req);
	struct service *s = lane->service;
	uint8_t address[16];
	struct parcel *p;
	struct clients_tag tag;
	bool good = client_address(s, req, address);

	if (!good) {
		http_answer_text(req, 500, "the front does not say in %s who asks: see docs/operating.md",
			s->config->client_header);
		return NULL;
	}
	good = clients_admit(lane->clients, &tag, address, count, clock_ns());
	memset(address, 0, sizeof address);
	if (!good) {
		metrics_add(s->metrics, METRICS_refused_rate, 1);
		http_answer_text(req, 429, RATE_TEXT, s->config->rate);
		return NULL;
	}
	p = calloc(1, sizeof *p);
	if (!p) {
		http_answer_busy(req);
		return NULL;
	}
	p->lane = lane;
	p->req = req;
	p->client = tag;
	p->since_ns = clock_ns();
	p->job.pin = lane->gateway->pin;
	p->job.done = routes_answer;
	return p;
}

/* POST PATH: to the gateway, mixed. */
static void post(void *state, struct http_request *req)
{
	struct parcel *p;

	if (http_body(req).size == 0) {
		http_answer_text(req, 400, "the body is empty");
		return;
	}
	p = admit_client(req, true);
	if (!p)
		return;
	p->job.url = p->lane->gateway->url;
	p->job.type = REQUEST_TYPE;
	p->job.body = http_body(req);
	service_hand_over(state, p);
}

/* What the gateway publishes for all under that path. */
static void get_published(void *state, struct http_request *req, const char *path)
{
	struct parcel *p = admit_client(req, false);

	if (!p)
		return;
	snprintf(p->url, sizeof p->url, "%s%s", p->lane->gateway->origin, path);
	p->job.url = p->url;
	service_hand_over(state, p);
}

/* GET PATH/.well-known/ohttp-gateway */
static void get_keys(void *state, struct http_request *req)
{
	get_published(state, req, GATEWAY_KEYS);
}

/* GET PATH/v1/signed: the signed configuration. */
static void get_signed(void *state, struct http_request *req)
{
	get_published(state, req, SIGNED_CONFIGURATION);
}

/* GET PATH/v1/object/<64 hex digits>: what has that SHA-256, or nothing. */
static void get_object(void *state, struct http_request *req)
{
	const char *hex = http_tail(req);
	uint8_t hash[HASH_BYTES];
	struct parcel *p;

	if (strlen(hex) != (size_t)2 * HASH_BYTES || !bytes_from_hex(hash, sizeof hash, hex)) {
		http_answer_text(req, 404, "an object is named by 64 hexadecimal digits");
		return;
	}
	p = admit_client(req, false);
	if (!p)
		return;
	snprintf(p->url, sizeof p->url, "%s/v1/object/%.64s", p->lane->gateway->origin, hex);
	memcpy(p->object, hash, sizeof hash);
	p->is_object = true;
	p->job.url = p->url;
	service_hand_over(state, p);
}

/* GET PATH/attestation. */
static void get_attestation(void *state, struct http_request *req)
{
	struct lane *lane = http_route_arg(req);
	uint8_t *bytes = lane->crowd ? malloc(ATTEST_BYTES) : NULL;
	struct http_reply r = {.status = 200,
		.content_type = ATTEST_MEDIA_TYPE,
		.body = bytes,
		.size = ATTEST_BYTES,
		.done = free,
		.arg = bytes};

	(void)state;
	if (bytes && crowd_attestation(lane->crowd, bytes)) {
		http_answer(req, &r);
		return;
	}
	free(bytes);
	http_answer_text(req, 404,
		lane->crowd ? "not enough epochs have been counted yet; 99 are needed"
			    : "this relay signs no attestation");
}

/* GET PATH/limits. */
static void get_limits(void *state, struct http_request *req)
{
	struct service *s = state;

	http_answer_text(req, 200, "%s", s->limits);
}

void routes_init(struct lane *lane, struct http_route out[SERVICE_ROUTES])
{
	static const struct {
		const char *below;
		struct http_route route;
	} list[SERVICE_ROUTES] = {
		{"", {"POST", NULL, HTTP_LIMIT_SET, REQUEST_TYPE, true, post, NULL}},
		{GATEWAY_KEYS, {"GET", NULL, 0, NULL, true, get_keys, NULL}},
		{SIGNED_CONFIGURATION, {"GET", NULL, 0, NULL, true, get_signed, NULL}},
		{"/v1/object/", {"GET", NULL, 0, NULL, true, get_object, NULL}},
		{"/attestation", {"GET", NULL, 0, NULL, false, get_attestation, NULL}},
		{"/limits", {"GET", NULL, 0, NULL, false, get_limits, NULL}},
	};

	for (size_t i = 0; i < SERVICE_ROUTES; i++) {
		snprintf(lane->paths[i], sizeof lane->paths[i], "%s%s", lane->gateway->path, list[i].below);
		out[i] = list[i].route;
		out[i].path = lane->paths[i];
		out[i].arg = lane;
	}
}
