/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/rng.h"

#define HEAD_SIZE 2048
#define EVENTS 64

struct client {
	int fd;
	uint8_t *request; /* head and body, its own, for the shard in it changes */
	size_t sent;
	uint64_t start_ns;
	char head[HEAD_SIZE + 1]; /* of the reply */
	size_t head_size;
	size_t body_left;
	unsigned status;
	bool in_body;
};

struct load {
	const struct load_options *o;
	const struct wire_config *config;
	struct nn_context *ctx;
	struct load_result *result;
	struct client *clients;
	size_t head_size, request_size; /* of requests */
	size_t room; /* of result->ns */
	uint64_t asked;
	uint8_t *waste; /* reply bodies go here */
	size_t waste_size;
	int epoll;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool complain(const char *what)
{
	fprintf(stderr, "veil-load: %s: %s\n", what, strerror(errno));
	return false;
}

int load_connect(const char *address)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET};
	bool is_unix = strncmp(address, "unix:", 5) == 0;
	const char *colon = strrchr(address, ':');
	char host[64];
	int fd, rc, one = 1;

	if (!colon || (!is_unix && (size_t)(colon - address) >= sizeof host)) {
		errno = EINVAL;
		complain(address);
		return -1;
	}
	fd = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (is_unix) {
		snprintf(un.sun_path, sizeof un.sun_path, "%s", address + 5);
		rc = connect(fd, (const struct sockaddr *)&un, sizeof un);
	} else {
		snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
		inet_pton(AF_INET, host, &in.sin_addr);
		in.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
		rc = connect(fd, (const struct sockaddr *)&in, sizeof in);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	if (fd >= 0 && rc == 0)
		return fd;
	complain(address);
	if (fd >= 0)
		close(fd);
	return -1;
}

bool load_get(uint8_t **body, size_t *size, const char *address, const char *path)
{
	char request[256], *end = NULL;
	uint8_t *data = malloc(1 << 20);
	size_t n = 0;
	ssize_t got = 0;
	int fd = load_connect(address);

	*body = NULL;
	if (fd < 0 || !data)
		goto out;
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: load\r\nConnection: close\r\n\r\n", path);
	got = send(fd, request, strlen(request), MSG_NOSIGNAL);
	while (got > 0 && n < (1 << 20) - 1) {
		got = recv(fd, data + n, (1 << 20) - 1 - n, 0);
		n += got > 0 ? (size_t)got : 0;
	}
	data[n] = 0;
	end = strstr((char *)data, "\r\n\r\n");
	if (!end || strncmp((char *)data, "HTTP/1.1 200 ", 13) != 0) {
		fprintf(stderr, "veil-load: %s%s: %.40s\n", address, path, (char *)data);
		goto out;
	}
	*size = n - (size_t)(end + 4 - (char *)data);
	*body = data;
	memmove(data, end + 4, *size);
	data = NULL;
out:
	if (fd >= 0)
		close(fd);
	free(data);
	return *body != NULL;
}

/* The next query of a client: another shard in the bytes it has. */
static void ask(struct load *l, struct client *c)
{
	unsigned shards = l->o->shards && l->o->shards < l->config->shards ? l->o->shards : l->config->shards;
	uint32_t shard = (uint32_t)(l->asked++ / l->o->burst % shards);

	/* version: 5 bytes, index_id: 34, shard: its tag and then this */
	store_le32(c->request + l->head_size + 5 + 34 + 1, shard);
	c->sent = c->head_size = c->body_left = 0;
	c->in_body = false;
	c->start_ns = now_ns();
}

static bool note(struct load *l, const struct client *c)
{
	struct load_result *r = l->result;

	if (c->status == 503) {
		r->busy++;
		return true;
	}
	if (c->status != 200) {
		fprintf(stderr, "veil-load: %.60s\n", c->head);
		r->failed++;
		return true;
	}
	if (r->answered == l->room) {
		uint64_t *more = realloc(r->ns, 2 * l->room * sizeof *more);

		if (!more)
			return complain("latencies");
		r->ns = more;
		l->room *= 2;
	}
	r->ns[r->answered++] = now_ns() - c->start_ns;
	return true;
}

/* The head has come, and with it `extra` bytes of the body. */
static bool take_head(struct load *l, struct client *c, const char *end)
{
	const char *length = strcasestr(c->head, "\r\nContent-Length:");
	size_t extra = c->head_size - (size_t)(end + 4 - c->head), size;

	if (!length || strncmp(c->head, "HTTP/1.1 ", 9) != 0)
		return false;
	c->status = (unsigned)strtoul(c->head + 9, NULL, 10);
	size = strtoul(length + 17, NULL, 10);
	if (extra > size || (c->status == 200 && size != l->config->reply_bytes))
		return false;
	c->body_left = size - extra;
	c->in_body = true;
	return true;
}

/* Goes on with a client as far as its socket lets it. False: the connection is of no use any more. */
static bool go_on(struct load *l, struct client *c)
{
	ssize_t n = 1;

	while (c->sent < l->request_size) {
		n = send(c->fd, c->request + c->sent, l->request_size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN;
		c->sent += (size_t)n;
	}
	while (!c->in_body || c->body_left > 0) {
		char *end;

		if (c->in_body)
			n = recv(c->fd, l->waste, c->body_left < l->waste_size ? c->body_left : l->waste_size,
				MSG_DONTWAIT);
		else
			n = recv(c->fd, c->head + c->head_size, HEAD_SIZE - c->head_size, MSG_DONTWAIT);
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		if (c->in_body) {
			c->body_left -= (size_t)n;
			continue;
		}
		c->head_size += (size_t)n;
		c->head[c->head_size] = 0;
		end = strstr(c->head, "\r\n\r\n");
		if ((end && !take_head(l, c, end)) || (!end && c->head_size == HEAD_SIZE))
			return false;
	}
	return true;
}

static bool finished(const struct client *c)
{
	return c->in_body && c->body_left == 0;
}

static bool start(struct load *l, struct client *c)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	struct rng rng = rng_system();
	struct wire_query q = {0};
	uint8_t *ciphertexts = malloc(l->ctx->query_bytes);
	char head[256];

	l->head_size = (size_t)snprintf(head, sizeof head,
		"POST /v1/query HTTP/1.1\r\nHost: load\r\nContent-Type: " WIRE_CONTENT_TYPE
		"\r\nContent-Length: %u\r\n\r\n",
		(unsigned)l->config->query_bytes);
	l->request_size = l->head_size + l->config->query_bytes;
	c->request = malloc(l->request_size);
	if (!c->request || !ciphertexts) {
		free(ciphertexts);
		return complain("query");
	}
	rng_fill(&rng, ciphertexts, l->ctx->query_bytes);
	for (size_t i = 0; i < l->ctx->query_bytes; i++)
		ciphertexts[i] &= 0x7f; /* no residue is q or more */
	memcpy(q.index_id, l->config->index_id, HASH_BYTES);
	rng_fill(&rng, q.query.seed, sizeof q.query.seed);
	q.query.ciphertexts = ciphertexts;
	memcpy(c->request, head, l->head_size);
	wire_query_write(l->ctx, c->request + l->head_size, &q);
	free(ciphertexts);
	c->fd = load_connect(l->o->address);
	ask(l, c);
	return c->fd >= 0 && epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0;
}

static bool loop(struct load *l)
{
	uint64_t begin = now_ns(), end = begin + (uint64_t)(l->o->seconds * 1e9);
	struct epoll_event events[EVENTS];
	uint64_t now = begin;

	while (now < end) {
		int n = epoll_wait(l->epoll, events, EVENTS, 100);

		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;
			bool alive = go_on(l, c);

			while (alive && finished(c)) {
				if (!note(l, c))
					return false;
				ask(l, c);
				alive = go_on(l, c);
			}
			if (!alive) {
				fprintf(stderr, "veil-load: a connection ended: %.60s\n", c->head);
				l->result->failed++;
				epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
			}
		}
		now = now_ns();
	}
	l->result->seconds = (double)(now - begin) * 1e-9;
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

bool load_run(struct load_result *out, const struct load_options *o, const struct wire_config *config)
{
	struct load l = {.o = o, .config = config, .result = out, .room = 1 << 16, .waste_size = 1 << 18};
	struct veil_error err = {{0}};
	bool good;

	*out = (struct load_result){0};
	if (nn_context_create(&l.ctx, &config->spec, cpu_features(), &err) != VEIL_OK) {
		fprintf(stderr, "veil-load: %s\n", err.text);
		return false;
	}
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	l.waste = malloc(l.waste_size);
	l.clients = calloc(o->connections, sizeof *l.clients);
	out->ns = malloc(l.room * sizeof *out->ns);
	good = l.epoll >= 0 && l.waste && l.clients && out->ns;
	for (unsigned i = 0; good && i < o->connections; i++)
		good = start(&l, l.clients + i);
	good = good && loop(&l);
	if (good)
		qsort(out->ns, out->answered, sizeof *out->ns, compare);
	for (unsigned i = 0; l.clients && i < o->connections; i++) {
		if (l.clients[i].fd > 0)
			close(l.clients[i].fd);
		free(l.clients[i].request);
	}
	free(l.clients);
	free(l.waste);
	if (l.epoll >= 0)
		close(l.epoll);
	nn_context_destroy(l.ctx);
	return good;
}

void load_result_clear(struct load_result *r)
{
	free(r->ns);
	r->ns = NULL;
}
