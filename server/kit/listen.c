/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

#define BACKLOG 1024

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* A socket file left by a process that is gone. */
static bool is_stale(const union address *a, socklen_t size)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(a->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	stale = fd >= 0 && connect(fd, &a->any, size) != 0 && errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return stale;
}

static enum veil_status parse_unix(
	union address *a, socklen_t *size, const char *path, struct veil_error *err)
{
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof a->un.sun_path)
		return error_set(err, VEIL_E_INVALID,
			"listen address unix:%s: the path has %zu bytes, allowed are 1 to %zu", path, n,
			sizeof a->un.sun_path - 1);
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, path, n + 1);
	*size = sizeof a->un;
	if (is_stale(a, *size))
		unlink(path);
	return VEIL_OK;
}

static enum veil_status parse_tcp(union address *a, socklen_t *size, const char *text, struct veil_error *err)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	char host[64] = {0};
	char *end = NULL;
	unsigned long port;
	bool loopback;

	if (n == 0 || n >= sizeof host || colon[1] < '0' || colon[1] > '9')
		goto bad;
	port = strtoul(colon + 1, &end, 10);
	if (*end || port > 65535)
		goto bad;
	memcpy(host, text, n);
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = 0;
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		*size = sizeof a->in6;
		if (inet_pton(AF_INET6, host + 1, &a->in6.sin6_addr) != 1)
			goto bad;
		loopback = IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	} else {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		*size = sizeof a->in;
		if (inet_pton(AF_INET, host, &a->in.sin_addr) != 1)
			goto bad;
		loopback = ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	}
	if (!loopback)
		return error_set(err, VEIL_E_INVALID,
			"listen address %s is not a loopback address; put a front before it "
			"(docs/operating.md)",
			text);
	return VEIL_OK;
bad:
	return error_set(err, VEIL_E_INVALID,
		"listen address '%s': use 127.0.0.1:PORT, [::1]:PORT or unix:/path, numbers only", text);
}

/* What a client types; the port may have been chosen by the system. */
static void describe(struct listen_socket *s, const char *asked)
{
	union address a = {0};
	socklen_t size = sizeof a;
	char host[INET6_ADDRSTRLEN] = "?";

	snprintf(s->address, sizeof s->address, "%s", asked);
	if (getsockname(s->fd, &a.any, &size) != 0)
		return;
	if (a.any.sa_family == AF_INET && inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof host))
		snprintf(s->address, sizeof s->address, "%s:%u", host, ntohs(a.in.sin_port));
	if (a.any.sa_family == AF_INET6 && inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof host))
		snprintf(s->address, sizeof s->address, "[%s]:%u", host, ntohs(a.in6.sin6_port));
}

enum veil_status listen_open(struct listen_socket *out, const char *address, struct veil_error *err)
{
	bool is_unix = strncmp(address, "unix:", 5) == 0;
	union address a = {0};
	socklen_t size = 0;
	enum veil_status st;
	int fd, one = 1;

	*out = (struct listen_socket){.fd = -1};
	st = is_unix ? parse_unix(&a, &size, address + 5, err) : parse_tcp(&a, &size, address, err);
	if (st != VEIL_OK)
		return st;
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, VEIL_E_IO, "%s: %s", address, strerror(errno));
	if (!is_unix)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, &a.any, size) != 0 || listen(fd, BACKLOG) != 0) {
		st = error_set(err, VEIL_E_IO, "cannot listen on %s: %s", address, strerror(errno));
		close(fd);
		return st;
	}
	out->fd = fd;
	out->has_file = is_unix;
	describe(out, address);
	return VEIL_OK;
}

static void remove_file(struct listen_socket *s)
{
	if (s->has_file)
		unlink(s->address + 5);
	s->has_file = false;
}

void listen_refuse(struct listen_socket *s)
{
	/* "Take 0 bytes" of every packet: the system drops what would open a connection, and its client tries
	 * again a second later, when the socket is shut. Closing the socket would reset what waits in it. */
	struct sock_filter drop = {.code = BPF_RET | BPF_K};
	struct sock_fprog program = {1, &drop};

	if (s->fd < 0)
		return;
	if (s->has_file)
		remove_file(s);
	else
		setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

bool listen_waiting(const struct listen_socket *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

void listen_shut(struct listen_socket *s)
{
	if (s->fd >= 0)
		shutdown(s->fd, SHUT_RDWR);
}

void listen_close(struct listen_socket *s)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	remove_file(s);
}
