/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "relay/clients.h"
#include "relay/gateways.h"
#include "relay/mix.h"
#include "support/test.h"

#define MS 1000000ull
#define S (1000 * MS)

static struct rng_seeded state;
static struct rng rng;

static struct mix *open_mix(struct mix_options o)
{
	struct mix *m;

	if (!rng.fill)
		rng = rng_seeded_init_u64(&state, 20);
	cr_assert(mix_create(&m, &o, 4096, &rng) == VEIL_OK);
	return m;
}

static void *thing(size_t i)
{
	return (void *)(uintptr_t)(i + 1);
}

/* --- the mix --- */

Test(mix, off_lets_everything_go_at_once_in_its_order)
{
	struct mix *m = open_mix((struct mix_options){.mode = MIX_OFF});
	void *out[8];

	cr_assert_eq(mix_next_ns(m), UINT64_MAX);
	for (size_t i = 0; i < 3; i++)
		cr_assert(mix_add(m, thing(i), 1, 1, S));
	cr_assert_leq(mix_next_ns(m), S);
	cr_assert_eq(mix_release(m, S, out, NULL), 3);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(out[i], thing(i));
	cr_assert_eq(mix_waiting(m), 0);
	mix_destroy(m);
	mix_destroy(NULL);
}

Test(mix, a_batch_waits_for_k_requests_of_d_clients)
{
	struct mix *m = open_mix((struct mix_options){.mode = MIX_BATCH, .k = 6, .d = 3, .wait_ns = 10 * S});
	void *out[64];
	bool few;

	for (size_t i = 0; i < 20; i++) /* two clients, however much they send */
		cr_assert(mix_add(m, thing(i), i % 2, 1, S));
	cr_assert_eq(mix_next_ns(m), 11 * S);
	cr_assert_eq(mix_release(m, 2 * S, out, NULL), 0);
	cr_assert(mix_add(m, thing(20), 2, 1, 3 * S));
	cr_assert_leq(mix_next_ns(m), 3 * S);
	cr_assert_eq(mix_release(m, 3 * S, out, &few), 21);
	cr_assert(!few);
	for (size_t i = 0; i < 5; i++) /* enough clients, too few requests */
		cr_assert(mix_add(m, thing(i), i, 1, 4 * S));
	cr_assert_eq(mix_release(m, 4 * S, out, NULL), 0);
	cr_assert(mix_add(m, thing(5), 0, 1, 5 * S));
	cr_assert_eq(mix_release(m, 5 * S, out, NULL), 6);
	mix_destroy(m);
}

Test(mix, after_its_time_a_batch_leaves_as_it_is_and_says_that_it_was_small)
{
	struct mix *m = open_mix((struct mix_options){.mode = MIX_BATCH, .k = 6, .d = 3, .wait_ns = 10 * S});
	void *out[8];
	bool few = false;

	cr_assert(mix_add(m, thing(0), 0, 1, 2 * S));
	cr_assert(mix_add(m, thing(1), 1, 1, 9 * S));
	cr_assert_eq(mix_next_ns(m), 12 * S);
	cr_assert_eq(mix_release(m, 12 * S - 1, out, NULL), 0);
	cr_assert_eq(mix_release(m, 12 * S, out, &few), 2);
	cr_assert(few);
	cr_assert_eq(mix_next_ns(m), UINT64_MAX);
	mix_destroy(m);
}

Test(mix, clients_of_an_epoch_before_do_not_make_a_crowd)
{
	struct mix *m = open_mix((struct mix_options){.mode = MIX_BATCH, .k = 4, .d = 2, .wait_ns = S});
	void *out[8];

	for (size_t i = 0; i < 3; i++)
		cr_assert(mix_add(m, thing(i), i, 1, 0));
	cr_assert(mix_add(m, thing(3), 7, 2, 0)); /* might be any of them under another name */
	cr_assert_eq(mix_release(m, 0, out, NULL), 0);
	cr_assert(mix_add(m, thing(4), 8, 2, 0));
	cr_assert_eq(mix_release(m, 0, out, NULL), 5);
	mix_destroy(m);
}

Test(mix, what_finds_no_room_is_refused)
{
	struct mix_options o = {.mode = MIX_JITTER, .wait_ns = S};
	struct mix *m;

	rng = rng_seeded_init_u64(&state, 1);
	cr_assert(mix_create(&m, &o, 2, &rng) == VEIL_OK);
	cr_assert(mix_add(m, thing(0), 0, 1, 0) && mix_add(m, thing(1), 0, 1, 0));
	cr_assert(!mix_add(m, thing(2), 0, 1, 0));
	mix_destroy(m);
}

/* 99.9% of chi-square with f degrees of freedom: Wilson and Hilferty. */
static double chi_square_limit(double f)
{
	return f * pow(1 - 2 / (9 * f) + 3.09 * sqrt(2 / (9 * f)), 3);
}

static double chi_square(const unsigned *seen, size_t n, double expected)
{
	double x = 0;

	for (size_t i = 0; i < n; i++)
		x += (seen[i] - expected) * (seen[i] - expected) / expected;
	return x;
}

Test(mix, the_order_in_which_a_batch_leaves_says_nothing_of_the_order_in_which_it_came)
{
	enum { K = 5, ROUNDS = 60000, ORDERS = 120 };
	struct mix *m = open_mix((struct mix_options){.mode = MIX_BATCH, .k = K, .d = 1, .wait_ns = S});
	unsigned orders[ORDERS] = {0}, places[K * K] = {0};
	void *out[K];

	for (unsigned r = 0; r < ROUNDS; r++) {
		unsigned order = 0;

		for (size_t i = 0; i < K; i++)
			cr_assert(mix_add(m, thing(i), i, 1, r));
		cr_assert_eq(mix_release(m, r, out, NULL), K);
		for (size_t i = 0; i < K; i++) { /* the number of the permutation */
			unsigned smaller = 0;

			for (size_t j = i + 1; j < K; j++)
				smaller += out[j] < out[i];
			order = order * (unsigned)(K - i) + smaller;
			places[i * K + ((uintptr_t)out[i] - 1)]++;
		}
		orders[order]++;
	}
	cr_assert_lt(chi_square(orders, ORDERS, (double)ROUNDS / ORDERS), chi_square_limit(ORDERS - 1));
	cr_assert_lt(chi_square(places, K * K, (double)ROUNDS / K), chi_square_limit((K - 1) * (K - 1)));
	mix_destroy(m);
}

Test(mix, which_requests_stay_is_drawn_uniformly)
{
	enum { K = 8, KEPT = 2, ROUNDS = 20000 };
	unsigned stayed[K] = {0};
	void *out[K];

	for (unsigned r = 0; r < ROUNDS; r++) {
		struct mix *m = open_mix((struct mix_options){
			.mode = MIX_BATCH, .k = K, .d = 1, .wait_ns = S, .keep_percent = 25});
		bool left[K] = {false};

		for (size_t i = 0; i < K; i++)
			cr_assert(mix_add(m, thing(i), i, 1, 0));
		cr_assert_eq(mix_release(m, 0, out, NULL), K - KEPT);
		cr_assert_eq(mix_waiting(m), KEPT);
		for (size_t i = 0; i < K - KEPT; i++)
			left[(uintptr_t)out[i] - 1] = true;
		for (size_t i = 0; i < K; i++)
			stayed[i] += !left[i];
		mix_destroy(m);
	}
	/* Two of a round exclude each other: the sum is smaller than chi-square, by (K - KEPT) / (K - 1). */
	cr_assert_lt(chi_square(stayed, K, (double)ROUNDS * KEPT / K), chi_square_limit(K - 1));
}

Test(mix, jitter_gives_each_request_a_uniform_instant_of_its_own)
{
	enum { N = 40000, CELLS = 50 };
	struct mix *m = open_mix((struct mix_options){.mode = MIX_JITTER, .wait_ns = 10 * S});
	unsigned cells[CELLS] = {0}, swapped = 0;
	uint64_t last = 0;
	void *out[4];

	for (unsigned i = 0; i < N; i++) {
		bool second;

		cr_assert(mix_add(m, thing(0), 0, 1, 0) && mix_add(m, thing(1), 1, 1, 0));
		last = mix_next_ns(m);
		cr_assert_lt(last, 10 * S);
		cells[last / (10 * S / CELLS)]++; /* the earlier of two */
		cr_assert_eq(mix_release(m, last, out, NULL), 1);
		second = out[0] == thing(1);
		swapped += second;
		cr_assert_eq(mix_release(m, 10 * S, out, NULL), 1);
	}
	for (unsigned c = 0; c < CELLS; c++) { /* the earlier of two has density 2 (1 - t) */
		double expected = N * (2.0 * (CELLS - c) - 1) / (CELLS * CELLS);

		cr_assert_lt(fabs(cells[c] - expected), 4.5 * sqrt(expected) + 1, "cell %u: %u", c, cells[c]);
	}
	cr_assert_lt(fabs(swapped - N / 2.0), 4 * sqrt(N / 4.0));
	mix_destroy(m);
}

/* Random arrivals under every kind of mix: nothing waits beyond 20 s, nothing is lost or doubled, and a batch
 * keeps to its share. */
Test(mix, nothing_waits_longer_than_20_seconds_whatever_comes)
{
	enum { N = 3000 };
	struct rng r = test_rng();

	for (int round = 0; round < 40; round++) {
		struct mix_options o = {.mode = round % 2 ? MIX_BATCH : MIX_JITTER,
			.k = 1 + (uint32_t)test_below(&r, 40),
			.d = 1 + (uint32_t)test_below(&r, 10),
			.wait_ns = (1 + test_below(&r, 20000)) * MS,
			.keep_percent = (uint32_t)test_below(&r, 51)};
		struct mix *m = open_mix(o);
		static uint64_t since[N];
		static void *out[N];
		uint64_t now = 0;
		size_t sent = 0, left = 0;

		memset(since, 0xff, sizeof since);
		while (left < N) {
			uint64_t next = mix_next_ns(m), arrival = now + test_below(&r, 3 * S);
			size_t n;

			if (sent < N && arrival < next) {
				now = arrival;
				since[sent] = now;
				cr_assert(mix_add(
					m, thing(sent), test_below(&r, 12), (uint32_t)(now / (60 * S)), now));
				sent++;
			} else {
				cr_assert_neq(next, UINT64_MAX);
				now = next > now ? next : now;
			}
			n = mix_release(m, now, out, NULL);
			for (size_t i = 0; i < n; i++) {
				size_t which = (uintptr_t)out[i] - 1;

				cr_assert(which < sent && since[which] != UINT64_MAX);
				cr_assert_leq(now - since[which], MIX_HOLD_NS);
				since[which] = UINT64_MAX;
			}
			left += n;
			cr_assert_gt(mix_next_ns(m), now, "it would be asked again at once");
		}
		mix_destroy(m);
	}
}

Test(mix, modes_are_read_and_others_refused)
{
	static const char *const bad[] = {"", "on", "off 1", "jitter", "jitter 0", "jitter 20001",
		"jitter 5 5", "batch", "batch 5", "batch 0 5", "batch 5 20001", "batch 5 5 5", "batch 5 5ms",
		"batch -5 5", "shuffle 5 5"};
	struct mix_options o;

	cr_assert(mix_mode_read(&o, "off", NULL) == VEIL_OK && o.mode == MIX_OFF);
	cr_assert(mix_mode_read(&o, "jitter 250", NULL) == VEIL_OK);
	cr_assert(o.mode == MIX_JITTER && o.wait_ns == 250 * MS);
	cr_assert(mix_mode_read(&o, "batch 16 20000", NULL) == VEIL_OK);
	cr_assert(o.mode == MIX_BATCH && o.k == 16 && o.wait_ns == MIX_HOLD_NS);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_eq(mix_mode_read(&o, bad[i], NULL), VEIL_E_INVALID, "%s", bad[i]);
}

/* --- clients --- */

static struct clients *open_clients(uint32_t limit, uint32_t per_minute, uint32_t burst)
{
	struct clients_options o = {limit, per_minute, burst};
	struct clients *c;

	rng = rng_seeded_init_u64(&state, 5);
	cr_assert(clients_create(&c, &o, &rng, 100 * S) == VEIL_OK);
	return c;
}

static bool ask(struct clients *c, uint32_t who, uint64_t now_ns)
{
	uint8_t address[CLIENTS_ADDRESS_BYTES] = {[10] = 0xff, [11] = 0xff};
	struct clients_tag tag;

	store_le32(address + 12, who);
	return clients_admit(c, &tag, address, true, now_ns);
}

Test(clients, a_bucket_holds_its_burst_and_fills_at_its_rate)
{
	struct clients *c = open_clients(16, 60, 5);

	for (int i = 0; i < 5; i++)
		cr_assert(ask(c, 1, 100 * S));
	cr_assert(!ask(c, 1, 100 * S));
	cr_assert(!ask(c, 1, 100 * S + 999 * MS));
	cr_assert(ask(c, 2, 100 * S + 999 * MS), "another client has its own");
	cr_assert(ask(c, 1, 101 * S + 1 * MS));
	cr_assert(!ask(c, 1, 101 * S + 2 * MS));
	for (int i = 0; i < 5; i++) /* never more than the burst */
		cr_assert(ask(c, 1, 160 * S));
	cr_assert(!ask(c, 1, 160 * S));
	for (uint64_t ms = 1; ms < 1000; ms++) /* asking often does not lose time */
		cr_assert(!ask(c, 1, 160 * S + ms * MS));
	cr_assert(ask(c, 1, 161 * S + MS));
	clients_destroy(c);
	clients_destroy(NULL);
}

Test(clients, each_is_counted_once_an_epoch_and_forgotten_with_it)
{
	struct clients *c = open_clients(10000, 60, 2);

	for (int again = 0; again < 2; again++)
		for (uint32_t i = 0; i < 5000; i++)
			cr_assert(ask(c, i * 2654435761u, 100 * S));
	cr_assert(!ask(c, 0, 100 * S));
	cr_assert_eq(clients_next_epoch(c, 160 * S), 5000);
	cr_assert(ask(c, 0, 160 * S), "a full bucket");
	cr_assert_eq(clients_next_epoch(c, 220 * S), 1);
	cr_assert_eq(clients_next_epoch(c, 280 * S), 0);
	clients_destroy(c);
}

Test(clients, names_change_with_the_epoch_and_a_v6_network_is_one_client)
{
	struct clients *c = open_clients(100, 60, 50);
	uint8_t v6[CLIENTS_ADDRESS_BYTES] = {0x20, 1, 0xd, 0xb8};
	struct clients_tag first, second;

	cr_assert(clients_admit(c, &first, v6, true, 100 * S));
	v6[15] = 9;
	cr_assert(clients_admit(c, &second, v6, true, 100 * S));
	cr_assert_eq(first.hash, second.hash);
	v6[7] = 1;
	cr_assert(clients_admit(c, &second, v6, false, 100 * S));
	cr_assert_neq(first.hash, second.hash);
	cr_assert_eq(clients_next_epoch(c, 160 * S), 1, "who fetched keys only is not of the crowd");
	v6[7] = 0;
	cr_assert(clients_admit(c, &second, v6, true, 160 * S));
	cr_assert(second.hash != first.hash && second.epoch != first.epoch);
	clients_destroy(c);
}

Test(clients, those_beyond_the_limit_share_a_bucket_and_are_not_counted)
{
	struct clients *c = open_clients(16, 60, 3);
	unsigned admitted = 0;

	for (uint32_t i = 0; i < 1000; i++)
		admitted += ask(c, i, 100 * S);
	cr_assert_eq(admitted, 16 + 3);
	cr_assert_eq(clients_next_epoch(c, 160 * S), 16);
	clients_destroy(c);
}

/* --- gateways --- */

static enum veil_status read_map(struct gateways *g, const char *text, struct veil_error *err)
{
	char path[] = "/tmp/veil-map-XXXXXX";
	int fd = mkstemp(path);
	enum veil_status st;

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	st = gateways_read(g, path, err);
	unlink(path);
	return st;
}

Test(gateways, a_map_is_read)
{
	struct gateways g;

	cr_assert(read_map(&g,
			  "# a comment\n\n/veil https://search.example/gateway sha256//abc=\n"
			  "/a/b-2 http://127.0.0.1:8080/gateway\n/c http://[::1]:1/g\n",
			  NULL) == VEIL_OK);
	cr_assert_eq(g.count, 3);
	cr_assert_str_eq(g.entries[0].path, "/veil");
	cr_assert_str_eq(g.entries[0].origin, "https://search.example");
	cr_assert_str_eq(g.entries[0].pin, "sha256//abc=");
	cr_assert_str_eq(g.entries[1].url, "http://127.0.0.1:8080/gateway");
	cr_assert_str_eq(g.entries[1].origin, "http://127.0.0.1:8080");
}

Test(gateways, what_could_lead_elsewhere_is_refused_with_its_line)
{
	static const char *const bad[] = {"/v http://search.example/g", "/v http://127.0.0.1.evil.example/g",
		"/v http://127.evil.example/g", "/v http://[::1].evil.example:x@y/g", "/v ftp://a/g",
		"/v https:///g", "/v https://a", "/v https://u@a/g", "/v https://a/g?x", "/v https://a/g#x",
		"/v https://a/%2e", "v https://a/g", "/v/ https://a/g", "/ https://a/g", "//v https://a/g",
		"/v.x https://a/g", "/v", "/v https://a/g md5//x", "/v https://a/g sha256//x y",
		"/w https://a/g\n/w https://b/g", ""};
	struct gateways g;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct veil_error err = {{0}};

		cr_assert_eq(read_map(&g, bad[i], &err), VEIL_E_INVALID, "%s", bad[i]);
		cr_assert(strstr(err.text, strchr(bad[i], '\n') ? ":2: " : "/tmp/veil-map-"), "%s", err.text);
	}
	cr_assert_eq(gateways_read(&g, "/nonexistent", NULL), VEIL_E_IO);
}
