/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/transport.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/error.h"
#include "wire/messages.h"

#define CONNECT_TIMEOUT_MS 10000L
#define LIMIT_HEADER_BYTES 16384

struct http {
	char *url; /* as the user wrote it, for messages */
	char *origin; /* "http://host:port" */
	char *socket; /* of "unix:/path"; NULL for TCP */
	char *ca; /* certificates to verify a relay by; NULL: the system's */
	bool relay; /* https, and a path */
};

/* One exchange while it runs. */
struct exchange {
	struct transport_reply *reply;
	size_t capacity;
	size_t limit_bytes;
	size_t header_bytes;
	enum {
		REFUSED_NOT,
		REFUSED_SIZE,
		REFUSED_HEADER,
		REFUSED_MEMORY,
	} refused;
};

static size_t take_body(char *data, size_t one, size_t size, void *arg)
{
	struct exchange *x = arg;
	struct transport_reply *reply = x->reply;

	(void)one;
	if (size > x->limit_bytes - reply->size) {
		x->refused = REFUSED_SIZE;
		return 0;
	}
	if (reply->size + size > x->capacity) {
		size_t grown = x->capacity * 2 > reply->size + size ? x->capacity * 2 : reply->size + size;
		uint8_t *body = realloc(reply->body, grown);

		if (!body) {
			x->refused = REFUSED_MEMORY;
			return 0;
		}
		reply->body = body;
		x->capacity = grown;
	}
	memcpy(reply->body + reply->size, data, size);
	reply->size += size;
	return size;
}

/* The time the query took inside the server. Untrusted: shown, never acted upon. */
static void read_server_us(struct transport_reply *reply, const char *value)
{
	char *end;
	double us = strtod(value, &end);

	if (end != value && isfinite(us) && us >= 0 && us < 1e10)
		reply->server_us = us;
}

static void read_type(struct transport_reply *reply, const char *value)
{
	size_t n = 0;

	while (*value && *value != ';' && !isspace((unsigned char)*value) && n + 1 < sizeof reply->type)
		reply->type[n++] = (char)tolower((unsigned char)*value++);
	reply->type[n] = 0;
}

static size_t take_header(char *data, size_t one, size_t size, void *arg)
{
	static const struct {
		const char *name;
		void (*read)(struct transport_reply *reply, const char *value);
	} known[] = {{"content-type:", read_type}, {"veil-server-us:", read_server_us}};
	struct exchange *x = arg;
	char line[256];
	size_t length = size < sizeof line ? size : sizeof line - 1;

	(void)one;
	x->header_bytes += size;
	if (x->header_bytes > LIMIT_HEADER_BYTES) {
		x->refused = REFUSED_HEADER;
		return 0;
	}
	memcpy(line, data, length);
	line[length] = 0;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t n = strlen(known[i].name);

		if (strncasecmp(line, known[i].name, n) == 0)
			known[i].read(x->reply, line + n + strspn(line + n, " \t"));
	}
	return size;
}

static enum veil_status explain(const struct http *http, const struct exchange *x, CURLcode code,
	const struct transport_request *request, struct veil_error *err)
{
	const char *where = http->relay ? http->origin : http->url; /* the path has that of the relay */

	switch (code == CURLE_FILESIZE_EXCEEDED ? REFUSED_SIZE : x->refused) {
	case REFUSED_SIZE:
		return error_set(err, VEIL_E_MALFORMED,
			"%s%s: the reply is larger than the %zu bytes it may have; is this a Veil server?",
			where, request->path, x->limit_bytes);
	case REFUSED_HEADER:
		return error_set(err, VEIL_E_MALFORMED, "%s%s: the reply has more than %d bytes of headers",
			where, request->path, LIMIT_HEADER_BYTES);
	case REFUSED_MEMORY:
		return error_set(err, VEIL_E_NOMEM, "%s%s: no memory for the reply", where, request->path);
	case REFUSED_NOT:
		break;
	}
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		return error_set(err, VEIL_E_NOMEM, "%s%s: no memory for the request", where, request->path);
	case CURLE_OPERATION_TIMEDOUT:
		return error_set(err, VEIL_E_TIMEOUT,
			"%s: no whole reply within %u ms; the server is slow or not reachable from here",
			http->url, (unsigned)request->timeout_ms);
	case CURLE_COULDNT_RESOLVE_HOST:
		return error_set(err, VEIL_E_NETWORK, "%s: no address is known for this host; check its name",
			http->url);
	case CURLE_COULDNT_CONNECT:
		return error_set(err, VEIL_E_NETWORK, "%s: cannot connect; is %s running there?", http->url,
			http->relay ? "the relay" : "veild");
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return error_set(err, VEIL_E_NETWORK,
			"%s: its certificate cannot be verified (%s); nothing was sent", http->url,
			curl_easy_strerror(code));
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return error_set(err, VEIL_E_NETWORK,
			"%s: the server broke off before the whole reply had come (%s); ask again", http->url,
			curl_easy_strerror(code));
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_HTTP_RETURNED_ERROR:
		return error_set(err, VEIL_E_MALFORMED, "%s: what answers there does not speak HTTP (%s)",
			http->url, curl_easy_strerror(code));
	default:
		return error_set(err, VEIL_E_NETWORK, "%s: %s", http->url, curl_easy_strerror(code));
	}
}

/* A POST body must never leave twice, and nothing may link two exchanges: one handle and one connection each
 * (libcurl sends again only on a connection that it reuses), no redirect, and no header that is not needed.
 */
static CURLcode set_options(CURL *curl, const struct http *http, const char *url, struct curl_slist *headers,
	const struct transport_request *request, struct exchange *x)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_FRESH_CONNECT, 1},
		{CURLOPT_FORBID_REUSE, 1},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3},
		{CURLOPT_HTTP09_ALLOWED, 0},
		{CURLOPT_NETRC, CURL_NETRC_IGNORED},
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS},
		{CURLOPT_TIMEOUT_MS, (long)request->timeout_ms},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers && code == CURLE_OK; i++)
		code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
#define SET(option, value)                                            \
	do {                                                          \
		if (code == CURLE_OK)                                 \
			code = curl_easy_setopt(curl, option, value); \
	} while (0)
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROXY, ""); /* not even one that the environment names */
	SET(CURLOPT_PROTOCOLS_STR, http->relay ? "http,https" : "http");
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L); /* a session that is resumed says who was there before */
	if (http->ca) {
		SET(CURLOPT_CAINFO, http->ca);
		SET(CURLOPT_CAPATH, NULL); /* the system's folder would go on counting */
	}
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, x);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, x);
	if (http->socket)
		SET(CURLOPT_UNIX_SOCKET_PATH, http->socket);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->limit_bytes);
	if (request->body.data) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
		SET(CURLOPT_POSTFIELDS, (const char *)request->body.data);
	}
#undef SET
	return code;
}

/* What libcurl would add is taken away; a body is named by its type. */
static struct curl_slist *make_headers(const struct transport_request *request)
{
	char type[128];
	const char *lines[] = {"Accept:", "Expect:", type};
	struct curl_slist *list = NULL;

	snprintf(type, sizeof type, "Content-Type: %s", request->type ? request->type : WIRE_CONTENT_TYPE);
	for (size_t i = 0; i < (request->body.data ? 3 : 2); i++) {
		struct curl_slist *longer = curl_slist_append(list, lines[i]);

		if (!longer) {
			curl_slist_free_all(list);
			return NULL;
		}
		list = longer;
	}
	return list;
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double read_connected_us(CURL *curl, const struct http *http)
{
	const bool tls = strncmp(http->origin, "https:", 6) == 0;
	curl_off_t us = 0;

	if (curl_easy_getinfo(curl, tls ? CURLINFO_APPCONNECT_TIME_T : CURLINFO_CONNECT_TIME_T, &us) !=
		CURLE_OK)
		return 0;
	return (double)us;
}

static enum veil_status http_exchange(void *state, struct transport_reply *reply,
	const struct transport_request *request, struct veil_error *err)
{
	const struct http *http = state;
	struct exchange x = {.reply = reply, .limit_bytes = request->limit_bytes};
	struct curl_slist *headers = make_headers(request);
	CURL *curl = curl_easy_init();
	char *url = NULL;
	long response = 0;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	enum veil_status st = VEIL_OK;

	memset(reply, 0, sizeof *reply);
	reply->server_us = -1;
	if (headers && curl && asprintf(&url, "%s%s", http->origin, request->path) > 0)
		code = set_options(curl, http, url, headers, request, &x);
	if (code == CURLE_OK) {
		double start = now_us();

		code = curl_easy_perform(curl);
		reply->elapsed_us = now_us() - start;
	}
	if (curl)
		reply->connected_us = read_connected_us(curl, http);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response);
	reply->code = (unsigned)response;
	reply->bytes_up = request->body.size;
	reply->bytes_down = reply->size;
	if (code != CURLE_OK) {
		st = explain(http, &x, code, request, err);
		transport_reply_fail(reply);
	}
	free(url);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return st;
}

static void http_destroy(void *state)
{
	struct http *http = state;

	if (!http)
		return;
	free(http->url);
	free(http->origin);
	free(http->socket);
	free(http->ca);
	free(http);
	curl_global_cleanup();
}

/* A name like 127.example is none of ours: it is somebody's. libcurl writes addresses out in full. */
static bool is_loopback(CURLU *parsed)
{
	char *host = NULL;
	struct in_addr address;
	bool local = curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		     (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
			     (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127));

	curl_free(host);
	return local;
}

/* "http://host[:port][/]" and nothing else, for what is left of a URL would go unused, or say who we are; the
 * path of a relay's, without a final slash, goes to `path`. */
static enum veil_status parse_tcp(struct http *http, char **path, struct veil_error *err)
{
	static const CURLUPart unwanted[] = {
		CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT};
	CURLU *parsed = curl_url();
	char *own = NULL, *part = NULL;
	size_t n;
	enum veil_status st = VEIL_E_INVALID;

	if (!parsed)
		return error_set(err, VEIL_E_NOMEM, "no memory for a url");
	if (curl_url_set(parsed, CURLUPART_URL, http->url, 0) != CURLUE_OK ||
		curl_url_get(parsed, CURLUPART_PATH, &own, 0) != CURLUE_OK ||
		(!path && strcmp(own, "/") != 0))
		goto out;
	for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
		if (curl_url_get(parsed, unwanted[i], &part, 0) == CURLUE_OK)
			goto out;
	}
	if (http->relay && strncasecmp(http->url, "https:", 6) != 0 && !is_loopback(parsed)) {
		st = error_set(err, VEIL_E_INVALID,
			"\"%s\": a relay elsewhere is spoken to by https://, or all on the way see who asks",
			http->url);
		goto out_said;
	}
	n = strlen(own);
	n -= own[n - 1] == '/';
	if (curl_url_set(parsed, CURLUPART_PATH, "/", 0) != CURLUE_OK ||
		curl_url_get(parsed, CURLUPART_URL, &part, 0) != CURLUE_OK)
		goto out;
	part[strlen(part) - 1] = 0; /* the final slash */
	http->origin = strdup(part);
	if (path)
		*path = strndup(own, n);
	st = http->origin && (!path || *path) ? VEIL_OK : VEIL_E_NOMEM;
out:
	if (st != VEIL_OK)
		error_set(err, st, "\"%s\": a %s is written %s or unix:/path/of/socket", http->url,
			http->relay ? "relay" : "server",
			http->relay ? "https://host[:port][/path]" : "http://host:port");
out_said:
	curl_free(part);
	curl_free(own);
	curl_url_cleanup(parsed);
	return st;
}

static enum veil_status parse_url(struct http *http, char **path, struct veil_error *err)
{
	if (strncmp(http->url, "unix:/", 6) == 0) {
		http->socket = strdup(http->url + 5);
		http->origin = strdup("http://localhost");
		if (path)
			*path = strdup("");
		return http->socket && http->origin && (!path || *path)
			       ? VEIL_OK
			       : error_set(err, VEIL_E_NOMEM, "no memory for a url");
	}
	if (strncasecmp(http->url, "https://", 8) == 0 && !http->relay)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"\"%s\": the direct mode has no TLS; use http:// over a tunnel that you trust, or a "
			"relay",
			http->url);
	if (strncasecmp(http->url, "http://", 7) != 0 && strncasecmp(http->url, "https://", 8) != 0)
		return error_set(err, VEIL_E_INVALID, "\"%s\": a %s is written %s or unix:/path/of/socket",
			http->url, http->relay ? "relay" : "server",
			http->relay ? "https://host[:port][/path]" : "http://host:port");
	return parse_tcp(http, path, err);
}

static enum veil_status create(
	struct transport *out, char **path, const char *url, const char *ca, struct veil_error *err)
{
	struct http *http = calloc(1, sizeof *http);
	enum veil_status st;

	memset(out, 0, sizeof *out);
	if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(http);
		return error_set(err, VEIL_E_NOMEM, "no memory for a connection");
	}
	http->relay = path != NULL;
	http->url = strdup(url);
	http->ca = ca ? strdup(ca) : NULL;
	st = http->url && (!ca || http->ca) ? parse_url(http, path, err)
					    : error_set(err, VEIL_E_NOMEM, "no memory for a url");
	if (st != VEIL_OK) {
		http_destroy(http);
		return st;
	}
	*out = (struct transport){.exchange = http_exchange, .destroy = http_destroy, .state = http};
	return VEIL_OK;
}

enum veil_status transport_http_create(struct transport *out, const char *url, struct veil_error *err)
{
	return create(out, NULL, url, NULL, err);
}

enum veil_status transport_http_create_relay(
	struct transport *out, char **path, const char *url, const char *ca, struct veil_error *err)
{
	*path = NULL;
	return create(out, path, url, ca, err);
}
