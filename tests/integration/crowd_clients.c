/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of a crowd, through the SDK, for crowd.py:
 *
 *     crowd_clients attest KEY PATH USERS EPOCH_SECONDS      an attestation by that key of veil-relay, to
 * stdout crowd_clients run PORT PATH TRUST FOLDER CLIENTS EPOCH_SECONDS QUESTIONS EPS DELTA crowd_clients
 * attack PORT PATH TRUST FOLDER EPOCHS USERS EPS DELTA SEED
 *
 * run: clients that take part at once, each with an address of its own (127.0.1.1, ...), each asking that
 * many questions, one after the other. A line for each epoch, question and shard. attack: one client, epoch
 * after epoch without waiting for the instants, by the code that the crowd's threads run; a line for each
 * request: what the relay sees of it, what the gateway sees of it, and what it really was.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/require.h"
#include "sdk/client.h"
#include "sdk/crowd.h"
#include "sdk/epoch.h"
#include "veil/crowd.h"
#include "veil/privacy.h"

#define MAX_SHARDS 1024

static struct veil_error err;

static void check(enum veil_status st)
{
	if (st == VEIL_OK)
		return;
	fprintf(stderr, "crowd_clients: %s: %s\n", veil_status_name(st), err.text);
	exit(1);
}

static uint32_t number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

static double real(const char *text)
{
	return strtod(text, NULL);
}

/* --- between libcurl and the system */

/* The address that a client connects to becomes the one that it connects from: relays count addresses. */
VEIL_EXPORT int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	int (*next)(int, const struct sockaddr *, socklen_t) =
		(int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
	struct sockaddr_in address;

	if (to->sa_family != AF_INET || size < sizeof address)
		return next(fd, to, size);
	memcpy(&address, to, sizeof address);
	if (ntohl(address.sin_addr.s_addr) >> 8 == 0x7f0001 ||
		ntohl(address.sin_addr.s_addr) >> 8 == 0x7f0002) {
		struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = address.sin_addr};

		if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
			return -1;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	return next(fd, (struct sockaddr *)&address, sizeof address);
}

/* What leaves of a request in the open: all of it. One thread. */
static struct {
	int on;
	size_t size;
	char head[2048];
} outside;

VEIL_EXPORT ssize_t send(int fd, const void *data, size_t size, int flags)
{
	ssize_t (*next)(int, const void *, size_t, int) =
		(ssize_t(*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
	ssize_t sent = next(fd, data, size, flags);

	if (outside.on && sent > 0) {
		size_t left = sizeof outside.head - 1, n = outside.size < left ? left - outside.size : 0;

		n = n < (size_t)sent ? n : (size_t)sent;
		memcpy(outside.head + outside.size, data, n);
		outside.size += (size_t)sent;
	}
	return sent;
}

/* --- attest */

static int attest(char **argv)
{
	struct attest a = {.issued = (uint64_t)time(NULL),
		.users = strtoull(argv[2], NULL, 10),
		.epoch_seconds = number(argv[3]),
		.epochs = ATTEST_MIN_EPOCHS};
	uint8_t seed[SIGN_SEED_BYTES], out[ATTEST_BYTES];
	FILE *key = fopen(argv[0], "rb");

	REQUIRE(key && fread(seed, sizeof seed, 1, key) == 1);
	fclose(key);
	attest_scope(a.scope, argv[1]);
	attest_write(out, &a, seed);
	return fwrite(out, sizeof out, 1, stdout) != 1;
}

/* --- run */

static struct {
	const char *port, *path, *trust, *folder;
	uint32_t clients, epoch_s, questions;
	struct veil_privacy_plan *plan;
	pthread_mutex_t print;
	atomic_uint seen[MAX_SHARDS], all, hidden, requests, left;
	atomic_ullong end_s;
} world;

struct client {
	unsigned number;
	struct veil_client *client;
	struct veil_crowd *crowd;
	enum veil_status (*exchange)(void *state, struct transport_reply *reply,
		const struct transport_request *request, struct veil_error *err);
	struct transport inside;
	atomic_ullong asked_in; /* the epoch that began last with a question */
};

/* What the gateway will see, on its way. */
static enum veil_status count(void *state, struct transport_reply *reply,
	const struct transport_request *request, struct veil_error *e)
{
	const struct client *c = state;
	uint8_t id[HASH_BYTES];
	uint32_t shard;

	if (request->body.data && wire_query_target(id, &shard, request->body.data, request->body.size)) {
		if (shard == WIRE_ALL_SHARDS)
			world.all++;
		else
			world.seen[shard % MAX_SHARDS]++;
	}
	return c->inside.exchange(c->inside.state, reply, request, e);
}

static void watch(void *arg, const struct veil_crowd_epoch *epoch)
{
	struct client *c = arg;

	if (world.end_s && epoch->begin_s >= world.end_s) { /* nothing of this one is sent */
		veil_crowd_leave(c->crowd);
		world.left++;
		return;
	}
	if (epoch->questions)
		c->asked_in = epoch->begin_s;
	world.hidden += epoch->mode == VEIL_CROWD_HIDDEN;
	world.requests += epoch->requests;
	pthread_mutex_lock(&world.print);
	printf("epoch %u %llu mode %d attested %llu users %u questions %u requests %u %s\n", c->number,
		(unsigned long long)epoch->begin_s, epoch->mode, (unsigned long long)epoch->attested,
		epoch->users, epoch->questions, epoch->requests, epoch->problem);
	fflush(stdout);
	pthread_mutex_unlock(&world.print);
}

static void *join(void *arg)
{
	struct client *c = arg;
	char url[256], state[512], budget[512];

	snprintf(url, sizeof url, "http://127.0.%u.%u:%s%s", 1 + c->number / 250, 1 + c->number % 250,
		world.port, world.path);
	snprintf(state, sizeof state, "%s/state%u", world.folder, c->number);
	snprintf(budget, sizeof budget, "%s/budget%u", world.folder, c->number);
	check(veil_privacy_budget_create(budget, world.plan, 1000, 1000, &err));
	check(veil_client_create_relayed(&c->client, url, NULL, world.trust, state, &err));
	check(veil_client_refresh(c->client, &err));
	c->inside = c->client->transport;
	c->client->transport = (struct transport){.exchange = count, .destroy = NULL, .state = c};
	return NULL;
}

/* The transport is counted, but an attestation is asked of the real one. */
static enum veil_status attestation(
	const struct veil_client *client, struct attest *out, struct veil_error *e)
{
	const struct client *c = client->transport.state;

	return transport_ohttp_attestation(&c->inside, out, CROWD_MAX_AGE_S, client->timeout_ms, e);
}

static void *ask(void *arg)
{
	struct client *c = arg;
	float vector[1024];
	const uint32_t dim = veil_client_info(c->client)->dim;

	for (uint32_t i = 0; i < world.questions; i++) {
		struct veil_hits *hits = NULL;
		struct veil_error e = {""};
		struct timespec now;
		enum veil_status st;

		for (uint32_t j = 0; j < dim; j++)
			vector[j] = sinf((float)(c->number * 7919 + i * 104729 + j * 31 + 1));
		st = veil_crowd_search(c->crowd, &hits, vector, dim, 1, 5, 0, &e);
		clock_gettime(CLOCK_REALTIME, &now);
		pthread_mutex_lock(&world.print);
		printf("question %u shard %d late %.3f %s\n", c->number,
			st == VEIL_OK ? (int)veil_hits_cost(hits)->shards[0] : -1,
			(double)now.tv_sec + now.tv_nsec / 1e9 - (double)(c->asked_in + world.epoch_s),
			st == VEIL_OK ? "" : e.text);
		pthread_mutex_unlock(&world.print);
		veil_hits_destroy(hits);
	}
	return NULL;
}

static int run(char **argv)
{
	const struct crowd_options options = {
		.epoch_ms = number(argv[5]) * 1000, .watch = watch, .attest = attestation};
	struct client *clients;
	pthread_t *threads;

	world.port = argv[0];
	world.path = argv[1];
	world.trust = argv[2];
	world.folder = argv[3];
	world.clients = number(argv[4]);
	world.epoch_s = number(argv[5]);
	world.questions = number(argv[6]);
	pthread_mutex_init(&world.print, NULL);
	check(veil_privacy_plan_create(&world.plan, real(argv[7]), real(argv[8]), 1, 0, 0, &err));
	clients = calloc(world.clients, sizeof *clients);
	threads = calloc(world.clients, sizeof *threads);
	REQUIRE(clients && threads);
	for (uint32_t i = 0; i < world.clients; i++) {
		clients[i].number = i;
		REQUIRE(pthread_create(&threads[i], NULL, join, &clients[i]) == 0);
	}
	for (uint32_t i = 0; i < world.clients; i++) {
		struct crowd_options mine = options;
		char budget[512];

		pthread_join(threads[i], NULL);
		mine.arg = &clients[i];
		snprintf(budget, sizeof budget, "%s/budget%u", world.folder, i);
		check(crowd_create(&clients[i].crowd, clients[i].client, budget, &mine, &err));
		REQUIRE(pthread_create(&threads[i], NULL, ask, &clients[i]) == 0);
	}
	for (uint32_t i = 0; i < world.clients; i++)
		pthread_join(threads[i], NULL);
	world.end_s = (unsigned long long)time(NULL) / world.epoch_s * world.epoch_s + world.epoch_s;
	while (world.left < world.clients)
		usleep(10000);
	for (uint32_t i = 0; i < world.clients; i++) {
		veil_crowd_destroy(clients[i].crowd);
		clients[i].client->transport = clients[i].inside;
		veil_client_destroy(clients[i].client);
	}
	for (uint32_t i = 0; i < MAX_SHARDS; i++)
		if (world.seen[i])
			printf("shard %u %u\n", i, world.seen[i]);
	printf("all %u hidden %u requests %u\n", world.all, world.hidden, world.requests);
	veil_privacy_plan_destroy(world.plan);
	free(clients);
	free(threads);
	return 0;
}

/* --- attack */

enum { REAL, FAKE }; /* what it really was */

static struct {
	struct transport inside;
	int kind;
	uint32_t epoch, place, at_ms;
} attacked;

/* One line: kind, epoch, place, instant, bytes outside, hash of the head outside (without the length, which
 * the bytes say), bytes inside, hash of path and type inside, shard, fingerprint of the seed, then 16 counts
 * of the high bits and 16 of the low bits of all residues of the ciphertexts. */
static enum veil_status record(void *state, struct transport_reply *reply,
	const struct transport_request *request, struct veil_error *e)
{
	const struct session *session = state;
	const struct nn_context *nn = session->nn;
	const unsigned bits = nn->spec.params->upload_bits;
	struct wire_query q;
	struct arena arena;
	unsigned high[16] = {0}, low[16] = {0};
	char name[160], head[HASH_HEX_SIZE], inner[HASH_HEX_SIZE];
	uint8_t hash[HASH_BYTES];
	enum veil_status st;
	size_t n = 0;

	outside.size = 0;
	memset(outside.head, 0, sizeof outside.head);
	outside.on = 1;
	st = attacked.inside.exchange(attacked.inside.state, reply, request, e);
	outside.on = 0;
	REQUIRE(arena_init(&arena, wire_query_room(nn)) == VEIL_OK);
	REQUIRE(wire_query_read(nn, &q, request->body.data, request->body.size, &arena, e) == VEIL_OK);
	for (size_t at = 0; at + bits <= nn->query_bytes * 8; at += bits) {
		uint32_t value = 0;

		for (unsigned i = 0; i < bits; i++)
			value = value << 1 | (q.query.ciphertexts[(at + i) / 8] >> (7 - (at + i) % 8) & 1);
		high[value >> (bits - 4)]++;
		low[value & 15]++;
	}
	n = (size_t)(strstr(outside.head, "\r\n\r\n") - outside.head);
	hash_sha256(hash, outside.head, n);
	hash_hex(head, hash);
	snprintf(name, sizeof name, "%s %s", request->path, request->type ? request->type : "");
	hash_sha256(hash, name, strlen(name));
	hash_hex(inner, hash);
	printf("%d %u %u %u %zu %.16s %zu %.16s %u ", attacked.kind, attacked.epoch, attacked.place,
		attacked.at_ms, outside.size, head, request->body.size, inner, q.shard);
	for (int i = 0; i < 16; i++)
		printf("%02x", q.query.seed[i]);
	for (int i = 0; i < 16; i++)
		printf(" %u", high[i]);
	for (int i = 0; i < 16; i++)
		printf(" %u", low[i]);
	putchar('\n');
	arena_clear(&arena);
	return st;
}

/* Sends all of one epoch, a question among it, in the order of its instants. */
static void attack_epoch(
	struct veil_client *client, const struct crowd_terms *terms, struct privacy_random *random)
{
	const uint32_t dim = client->session->config.spec.dim;
	float vector[NN_MAX_DIM];
	struct search *search;
	struct epoch epoch;
	const struct privacy_item *item;

	for (uint32_t j = 0; j < dim; j++)
		vector[j] = j == 0 ? 1 : 0.01f; /* always the same question */
	check(search_create(&search, client,
		&(struct search_question){.vector = vector, .dim = dim, .probes = 1, .top = 5}, false, &err));
	epoch_init(&epoch, client, terms);
	REQUIRE(epoch_add(&epoch, search));
	check(epoch_draw(&epoch, 60000, random));
	attacked.place = 0;
	while ((item = privacy_schedule_next(&epoch.schedule))) {
		struct epoch_request request;
		struct search *fake;

		check(epoch_request(&epoch, item, &request, &fake, &err));
		attacked.kind = fake ? FAKE : REAL;
		attacked.at_ms = item->at_ms;
		check(search_ask(request.search, request.i, &err));
		search_destroy(fake);
		attacked.place++;
		privacy_schedule_sent(&epoch.schedule);
	}
	epoch_clear(&epoch);
	search_destroy(search);
}

static int attack(char **argv)
{
	const uint32_t epochs = number(argv[4]);
	struct veil_client *client;
	struct privacy_plan plan;
	struct crowd_terms terms = {.mode = VEIL_CROWD_HIDDEN};
	struct privacy_random random;
	struct rng_seeded state;
	char url[256];

	snprintf(url, sizeof url, "http://127.0.0.1:%s%s", argv[0], argv[1]);
	check(veil_client_create_relayed(&client, url, NULL, argv[2], argv[3], &err));
	check(veil_client_refresh(client, &err));
	attacked.inside = client->transport;
	client->transport = (struct transport){.exchange = record, .state = client->session};
	check(privacy_plan_solve(&plan,
		&(struct privacy_goal){
			real(argv[6]), real(argv[7]), 1, client->session->config.shards, number(argv[5])},
		&err));
	terms.plan = plan;
	privacy_random_init(&random, rng_seeded_init_u64(&state, strtoull(argv[8], NULL, 10)));
	for (attacked.epoch = 0; attacked.epoch < epochs; attacked.epoch++)
		attack_epoch(client, &terms, &random);
	privacy_random_clear(&random);
	client->transport = attacked.inside;
	veil_client_destroy(client);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char **argv);
	} modes[] = {{"attest", 4, attest}, {"run", 9, run}, {"attack", 9, attack}};

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (argc == modes[i].arguments + 2 && strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argv + 2);
	fputs("crowd_clients: see the begin of its source\n", stderr);
	return 2;
}
