/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/require.h"
#include "kit/log.h"
#include "relay/service.h"
#include "state.h"

/* A request of 100 KB from a client through the relay to a gateway that answers in a few bytes, and back, one
 * after another in this process. What is told is the processor time of all threads but the client's and the
 * gateway's: the relay's, its side of the sockets included. */

#define BODY_BYTES 100000
#define HEAD_SIZE 256
#define SAMPLES 40
#define CALLS 50 /* a sample */

struct course {
	int listener, client;
	char head[HEAD_SIZE];
	size_t head_size;
	uint8_t *body;
	pthread_t gateway;
};

static int open_socket(uint16_t port, bool listening, uint16_t *out)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (listening)
		REQUIRE(bind(fd, (const struct sockaddr *)&a, size) == 0 && listen(fd, 8) == 0 &&
			getsockname(fd, (struct sockaddr *)&a, &size) == 0);
	else
		REQUIRE(connect(fd, (const struct sockaddr *)&a, size) == 0);
	*out = ntohs(a.sin_port);
	return fd;
}

/* Reads one message with its body; false at the end of the connection. */
static bool read_message(int fd, char *room, size_t size)
{
	size_t have = 0, want = SIZE_MAX;

	while (have < want) {
		ssize_t n = recv(fd, room + have, size - 1 - have, 0);
		const char *end, *length;

		if (n <= 0)
			return false;
		have += (size_t)n;
		room[have] = 0;
		end = want == SIZE_MAX ? strstr(room, "\r\n\r\n") : NULL;
		length = end ? strstr(room, "Content-Length: ") : NULL;
		if (length)
			want = (size_t)(end + 4 - room) + strtoul(length + 16, NULL, 10);
	}
	return true;
}

static void *gateway(void *arg)
{
	static const char reply[] =
		"HTTP/1.1 200 OK\r\nContent-Type: message/ohttp-res\r\nContent-Length: 4\r\n\r\ngood";
	struct course *c = arg;
	char *room = malloc(2 * BODY_BYTES);
	int fd;

	REQUIRE(room);
	while ((fd = accept(c->listener, NULL, NULL)) >= 0) {
		while (read_message(fd, room, 2 * BODY_BYTES))
			REQUIRE(send(fd, reply, sizeof reply - 1, MSG_NOSIGNAL) == sizeof reply - 1);
		close(fd);
	}
	free(room);
	return NULL;
}

static void send_one(struct course *c)
{
	char room[1024];
	size_t sent = 0;

	REQUIRE(send(c->client, c->head, c->head_size, MSG_NOSIGNAL | MSG_MORE) == (ssize_t)c->head_size);
	while (sent < BODY_BYTES) {
		ssize_t n = send(c->client, c->body + sent, BODY_BYTES - sent, MSG_NOSIGNAL);

		REQUIRE(n > 0);
		sent += (size_t)n;
	}
	REQUIRE(read_message(c->client, room, sizeof room) && strncmp(room, "HTTP/1.1 200 ", 13) == 0);
}

static double cpu_us(clockid_t clock)
{
	struct timespec ts;

	REQUIRE(clock_gettime(clock, &ts) == 0);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec * 1e-3;
}

static double relay_us(const struct course *c)
{
	clockid_t gateway_clock;

	REQUIRE(pthread_getcpuclockid(c->gateway, &gateway_clock) == 0);
	return cpu_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us(CLOCK_THREAD_CPUTIME_ID) - cpu_us(gateway_clock);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct bench_time measure(struct course *c)
{
	double samples[SAMPLES];

	for (int i = -1; i < SAMPLES; i++) { /* the first one warms up */
		double start = relay_us(c);

		for (int j = 0; j < CALLS; j++)
			send_one(c);
		samples[i < 0 ? 0 : i] = (relay_us(c) - start) / CALLS;
	}
	qsort(samples, SAMPLES, sizeof *samples, compare);
	return (struct bench_time){.min_us = samples[0], .median_us = samples[SAMPLES / 2]};
}

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void start_relay(struct service *s, struct config *config, uint16_t port)
{
	char map[] = "/tmp/veil-bench-XXXXXX", options[] = "/tmp/veil-bench-XXXXXX", text[256];
	char program[] = "veil-relay", flag[] = "--config", *args[] = {program, flag, options};
	enum config_action action;

	snprintf(text, sizeof text, "/veil http://127.0.0.1:%u/g\n", port);
	write_file(map, text);
	snprintf(text, sizeof text,
		"gateways = %s\nmix = off\nrate = 1000000\nburst = 1000000\nlisten = 127.0.0.1:0\nadmin = "
		"off\n"
		"lame-duck-ms = 0\n",
		map);
	write_file(options, text);
	log_set_level(LOG_LEVEL_ERROR);
	REQUIRE(config_parse(config, &action, &relay_options, 3, args, NULL) == VEIL_OK);
	REQUIRE(service_start(s, config, NULL) == VEIL_OK);
	unlink(map);
	unlink(options);
}

void bench_relay(struct bench *b)
{
	static const char name[] = "relay/forward/100KB";
	static struct service service;
	static struct config config;
	struct course c = {0};
	uint16_t port;

	if (!bench_wanted(b, name))
		return;
	c.listener = open_socket(0, true, &port);
	c.body = calloc(1, BODY_BYTES);
	REQUIRE(c.body && pthread_create(&c.gateway, NULL, gateway, &c) == 0);
	start_relay(&service, &config, port);
	c.client = open_socket(
		(uint16_t)strtoul(strrchr(http_address(service.front), ':') + 1, NULL, 10), false, &port);
	c.head_size = (size_t)snprintf(c.head, sizeof c.head,
		"POST /veil HTTP/1.1\r\nHost: r\r\nContent-Type: message/ohttp-req\r\nContent-Length: "
		"%d\r\n\r\n",
		BODY_BYTES);
	bench_print(b, name, measure(&c), 0, BODY_BYTES,
		"processor time of the relay alone; bytes: of the request");
	close(c.client);
	service_stop(&service);
	shutdown(c.listener, SHUT_RDWR);
	pthread_join(c.gateway, NULL);
	close(c.listener);
	free(c.body);
}
