/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/forward.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/require.h"

#define PIECE_BYTES 131072 /* given to libcurl, or taken from it, at once */
#define IDLE_HANDLES 64

struct forward {
	struct forward_options options;
	CURLM *multi;
	CURL *idle[IDLE_HANDLES];
	unsigned idle_count;
};

/* --- what libcurl calls --- */

static size_t give_body(char *out, size_t one, size_t room, void *arg)
{
	struct forward_job *job = arg;
	size_t n = job->body.size - job->sent;

	(void)one;
	n = n < room ? n : room;
	memcpy(out, job->body.data + job->sent, n);
	job->sent += n;
	return n;
}

/* Reading it anew would mean to send it again. */
static int refuse_seek(void *arg, curl_off_t offset, int origin)
{
	(void)arg;
	(void)offset;
	(void)origin;
	return CURL_SEEKFUNC_FAIL;
}

static size_t take_body(char *data, size_t one, size_t size, void *arg)
{
	struct forward_job *job = arg;
	struct forward *f = job->forward;
	size_t limit = f->options.reply_limit;
	curl_off_t announced = -1;

	(void)one;
	if (!job->reply) {
		curl_easy_getinfo(job->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
		job->room = announced >= 0 && (size_t)announced < limit ? (size_t)announced : limit;
		job->reply = buffers_take(f->options.replies, job->room ? job->room : 1);
		if (!job->reply) {
			job->fault = "proxy_internal_response";
			return 0;
		}
	}
	if (size > job->room - job->reply_size) {
		job->fault = "http_response_body_size";
		return 0;
	}
	memcpy(job->reply + job->reply_size, data, size);
	job->reply_size += size;
	return size;
}

static size_t take_header(char *line, size_t one, size_t size, void *arg)
{
	static const char type[] = "content-type:", retry[] = "retry-after:";
	struct forward_job *job = arg;
	size_t at, n = 0;

	(void)one;
	if (size > sizeof type && strncasecmp(line, type, sizeof type - 1) == 0) {
		for (at = sizeof type - 1; at < size && line[at] == ' '; at++)
			;
		for (; at < size && (unsigned char)line[at] > ' ' && line[at] != ';'; at++)
			if (n + 1 < sizeof job->reply_type)
				job->reply_type[n++] = (char)tolower((unsigned char)line[at]);
		job->reply_type[n] = 0;
	} else if (size > sizeof retry && strncasecmp(line, retry, sizeof retry - 1) == 0) {
		for (at = sizeof retry - 1; at < size && line[at] == ' '; at++)
			;
		for (; at < size && isdigit((unsigned char)line[at]) && n + 1 < sizeof job->retry_after; at++)
			job->retry_after[n++] = line[at];
		job->retry_after[n] = 0;
	}
	return size;
}

/* --- handles: options that never change are set once --- */

static bool set_tls(CURL *easy, const struct forward_options *o)
{
	bool good = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3) == CURLE_OK;

	if (o->ca[0]) /* alone: without the second line the system's folder would go on counting */
		good = good && curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
	if (o->cert[0])
		good = good && curl_easy_setopt(easy, CURLOPT_SSLCERT, o->cert) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_SSLKEY, o->key) == CURLE_OK;
	return good;
}

static CURL *create_handle(struct forward *f)
{
	const struct forward_options *o = &f->options;
	CURL *e = curl_easy_init();

	if (!e)
		return NULL;
	if (curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
		curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK && /* not that of the environment */
		set_tls(e, o) &&
		curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK) {
		curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
		curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, (long)PIECE_BYTES);
		curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)PIECE_BYTES);
		curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
		curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
		curl_easy_setopt(e, CURLOPT_READFUNCTION, give_body);
		curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, refuse_seek);
		curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
		curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
		return e;
	}
	curl_easy_cleanup(e);
	return NULL;
}

/* Exactly Host, Content-Type and Content-Length go out. */
static struct curl_slist *headers(const char *type)
{
	struct curl_slist *list = curl_slist_append(NULL, "Accept:"), *more;
	char line[96];

	snprintf(line, sizeof line, "Content-Type: %s", type ? type : "");
	more = list ? curl_slist_append(list, "Expect:") : NULL;
	if (more && type)
		more = curl_slist_append(list, line);
	if (!more)
		curl_slist_free_all(list);
	return more ? list : NULL;
}

static void set_request(CURL *e, struct forward_job *job, struct curl_slist *list)
{
	curl_easy_setopt(e, CURLOPT_PRIVATE, job);
	curl_easy_setopt(e, CURLOPT_URL, job->url);
	/* In clear there is no HTTP/2, and the next request would wait for the first one's reply. */
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, strncmp(job->url, "https:", 6) == 0 ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_PINNEDPUBLICKEY, job->pin[0] ? job->pin : NULL);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(e, CURLOPT_READDATA, job);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, job);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, job);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, job);
	if (job->type) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, NULL);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body.size);
	} else {
		curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	}
}

/* --- the life of a job --- */

static void fail(struct forward_job *job, unsigned status, const char *fault)
{
	job->status = status;
	job->fault = fault;
	job->reply_size = 0;
}

void forward_start(struct forward *f, struct forward_job *job)
{
	CURL *e = f->idle_count ? f->idle[--f->idle_count] : create_handle(f);
	struct curl_slist *list = NULL;

	job->easy = e;
	job->forward = f;
	job->sent = job->reply_size = job->room = 0;
	job->reply = NULL;
	job->fault = NULL;
	job->reply_type[0] = job->retry_after[0] = 0;
	job->list = NULL;
	if (e)
		list = headers(job->type);
	if (list) {
		job->list = list;
		set_request(e, job, list);
		if (curl_multi_add_handle(f->multi, e) == CURLM_OK)
			return;
	}
	curl_slist_free_all(list);
	curl_easy_cleanup(e);
	fail(job, 503, "proxy_internal_error");
	job->done(job);
}

static void judge(struct forward_job *job, CURLcode code)
{
	long status = 0;

	curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
	job->status = (unsigned)status;
	if (code == CURLE_OK && (status < 200 || (status >= 300 && status < 400) || status > 599))
		fail(job, 502, "http_protocol_error");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		fail(job, 504, "connection_timeout");
	else if (code == CURLE_WRITE_ERROR && job->fault)
		fail(job, strcmp(job->fault, "proxy_internal_response") == 0 ? 503 : 502, job->fault);
	else if (code == CURLE_COULDNT_CONNECT)
		fail(job, 502, "connection_refused");
	else if (code == CURLE_COULDNT_RESOLVE_HOST)
		fail(job, 502, "dns_error");
	else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		fail(job, 502, "tls_certificate_error");
	else if (code == CURLE_SSL_CONNECT_ERROR)
		fail(job, 502, "tls_protocol_error");
	else if (code != CURLE_OK)
		fail(job, 502, "connection_terminated"); /* a try to send it again ends here, too */
}

static void finish(struct forward *f, CURL *e, CURLcode code)
{
	struct forward_job *job = NULL;
	char *private = NULL;

	curl_easy_getinfo(e, CURLINFO_PRIVATE, &private);
	job = (struct forward_job *)(void *)private;
	judge(job, code);
	curl_multi_remove_handle(f->multi, e);
	curl_slist_free_all(job->list);
	job->list = NULL;
	if (f->idle_count < IDLE_HANDLES)
		f->idle[f->idle_count++] = e;
	else
		curl_easy_cleanup(e);
	job->done(job);
}

void forward_poll(struct forward *f, unsigned wait_ms)
{
	CURLMsg *m;
	int left;

	REQUIRE(curl_multi_perform(f->multi, &left) == CURLM_OK);
	while ((m = curl_multi_info_read(f->multi, &left)))
		if (m->msg == CURLMSG_DONE)
			finish(f, m->easy_handle, m->data.result);
	curl_multi_poll(f->multi, NULL, 0, (int)wait_ms, NULL);
}

void forward_wake(struct forward *f)
{
	curl_multi_wakeup(f->multi);
}

enum veil_status forward_create(
	struct forward **out, const struct forward_options *options, struct veil_error *err)
{
	struct forward *f;
	CURL *first;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(f = calloc(1, sizeof *f)))
		return error_set(err, VEIL_E_NOMEM, "no memory to forward requests");
	f->options = *options;
	f->multi = curl_multi_init();
	first = f->multi ? create_handle(f) : NULL;
	if (!first) {
		forward_destroy(f);
		return error_set(err, VEIL_E_INVALID,
			"libcurl refuses TLS 1.3, HTTP/2 or the files of --upstream-ca, -cert, -key");
	}
	f->idle[f->idle_count++] = first;
	curl_multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)options->connections);
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)options->connections * 2);
	*out = f;
	return VEIL_OK;
}

void forward_destroy(struct forward *f)
{
	if (!f)
		return;
	while (f->idle_count)
		curl_easy_cleanup(f->idle[--f->idle_count]);
	curl_multi_cleanup(f->multi);
	free(f);
}
