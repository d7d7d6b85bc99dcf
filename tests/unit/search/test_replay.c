/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "search/replay.h"
#include "support/test.h"

/* The gateway's memory of what it has answered, and its keys by the calendar; both with a clock of our own.
 */

#define NOW 1000000
#define WINDOW 300
#define SPAN (2 * WINDOW + 2)

static struct replay *open_set(uint32_t limit, uint32_t window, int64_t now, bool expect_loss)
{
	struct veil_error err = {{0}};
	const char *lost;
	struct replay *r;

	cr_assert_eq(replay_open(&r, test_file("a.seen"), limit, window, now, &lost, &err), VEIL_OK, "%s",
		err.text);
	cr_assert_eq(lost != NULL, expect_loss, "%s", lost ? lost : "nothing was lost");
	return r;
}

/* Dated when it comes. */
static enum replay_verdict ask(struct replay *r, uint64_t tag, int64_t now)
{
	return replay_check(r, tag, now, now);
}

Test(rfc9458, line_14_a_date_is_good_to_the_second_at_both_edges_of_its_window)
{
	struct replay *r = open_set(100, WINDOW, NOW, false);

	cr_assert_eq(replay_check(r, 1, NOW - WINDOW - 1, NOW), REPLAY_DATE);
	cr_assert_eq(replay_check(r, 1, NOW + WINDOW + 1, NOW), REPLAY_DATE);
	cr_assert_eq(replay_check(r, 1, INT64_MIN / 2, NOW), REPLAY_DATE);
	cr_assert_eq(replay_check(r, 1, INT64_MAX / 2, NOW), REPLAY_DATE);
	cr_assert_eq(replay_check(r, 1, NOW - WINDOW, NOW), REPLAY_NEW); /* a wrong Date was not remembered */
	cr_assert_eq(replay_check(r, 2, NOW + WINDOW, NOW), REPLAY_NEW);
	cr_assert_eq(replay_check(r, 1, NOW - WINDOW, NOW), REPLAY_SEEN);
	cr_assert_eq(replay_check(r, 1, NOW - WINDOW, NOW + 1), REPLAY_DATE);
	replay_close(r);
}

/* Whatever the clock does: ahead in steps, back in steps of up to the window, through restarts. */
Test(rfc9458, line_15_what_was_answered_once_is_never_answered_again)
{
	struct rng rng = test_rng();
	unsigned answered = 0;

	for (int round = 0; round < 100; round++) {
		uint32_t window = 5 + (uint32_t)test_below(&rng, 40);
		int64_t date[500], now = NOW, latest = NOW;
		bool seen[500];
		struct replay *r;

		unlink(test_file("a.seen"));
		r = open_set(500, window, now, false);
		for (uint64_t tag = 0; tag < 500; tag++) {
			uint64_t older = test_below(&rng, tag + 1);

			now += (int64_t)test_below(&rng, 4);
			if (test_below(&rng, 50) == 0)
				now += (int64_t)test_below(&rng, 6 * window);
			latest = now > latest ? now : latest;
			if (test_below(&rng, 50) == 0)
				now = latest - (int64_t)test_below(&rng, 2 * window);
			if (test_below(&rng, 50) == 0) {
				replay_close(r);
				r = open_set(500, window, now, false);
			}
			date[tag] = now - window + (int64_t)test_below(&rng, 2 * window + 1);
			seen[tag] = replay_check(r, tag, date[tag], now) == REPLAY_NEW;
			cr_assert(seen[tag] || now < latest);
			answered += seen[tag];
			if (seen[older])
				cr_assert_neq(replay_check(r, older, date[older], now), REPLAY_NEW);
		}
		replay_close(r);
	}
	cr_assert_gt(answered, 25000u);
}

Test(replay, a_full_set_is_full_until_its_span_is_over_and_forgets_nothing_before)
{
	struct replay *r = open_set(16, WINDOW, NOW, false);

	for (uint64_t tag = 0; tag < 16; tag++)
		cr_assert_eq(ask(r, tag, NOW), REPLAY_NEW);
	cr_assert_eq(ask(r, 16, NOW), REPLAY_FULL);
	cr_assert_eq(ask(r, 0, NOW), REPLAY_SEEN);
	cr_assert_eq(ask(r, 16, NOW + SPAN - 1), REPLAY_FULL);
	for (uint64_t tag = 16; tag < 32; tag++) /* the other table, which leaves the first one as it is */
		cr_assert_eq(ask(r, tag, NOW + SPAN), REPLAY_NEW);
	cr_assert_eq(ask(r, 32, NOW + SPAN), REPLAY_FULL);
	for (uint64_t tag = 0; tag < 32; tag++)
		cr_assert_eq(ask(r, tag, NOW + 2 * SPAN - 1), REPLAY_SEEN);
	for (uint64_t tag = 0; tag < 16; tag++)
		cr_assert_eq(ask(r, tag, NOW + 2 * SPAN), REPLAY_NEW);
	for (uint64_t tag = 16; tag < 32; tag++)
		cr_assert_eq(ask(r, tag, NOW + 3 * SPAN - 1), REPLAY_SEEN);
	cr_assert_eq(ask(r, 0, NOW + 9 * SPAN), REPLAY_NEW); /* nobody came for long: both are empty */
	cr_assert_eq(ask(r, 17, NOW + 9 * SPAN), REPLAY_NEW);
	replay_close(r);
}

Test(replay, a_clock_that_goes_back_makes_it_remember_longer)
{
	struct replay *r = open_set(64, WINDOW, NOW, false);

	cr_assert_eq(ask(r, 1, NOW), REPLAY_NEW);
	cr_assert_eq(ask(r, 2, NOW - SPAN + 1), REPLAY_NEW);
	cr_assert_eq(ask(r, 1, NOW + 2), REPLAY_SEEN);
	cr_assert_eq(ask(r, 3, NOW + SPAN), REPLAY_NEW); /* a turn */
	cr_assert_eq(ask(r, 4, NOW + SPAN - WINDOW - 1), REPLAY_DATE); /* what was as old is forgotten */
	cr_assert_eq(ask(r, 4, NOW + SPAN - WINDOW), REPLAY_NEW);
	for (uint64_t tag = 1; tag < 5; tag++)
		cr_assert_eq(ask(r, tag, NOW + SPAN), REPLAY_SEEN);
	replay_close(r);
	r = open_set(64, WINDOW, NOW + 1, false);
	cr_assert_eq(ask(r, 4, NOW + SPAN - WINDOW), REPLAY_SEEN);
	replay_close(r);
	r = open_set(64, WINDOW, NOW - SPAN, true); /* so far back that it would never turn again */
	cr_assert_eq(ask(r, 5, NOW - SPAN + WINDOW), REPLAY_DATE);
	cr_assert_eq(ask(r, 5, NOW - SPAN + WINDOW + 1), REPLAY_NEW);
	replay_close(r);
}

Test(replay, tags_that_collide_in_the_table_are_told_apart_and_none_is_the_free_slot)
{
	struct replay *r = open_set(64, WINDOW, NOW, false);

	for (uint64_t i = 1; i <= 40; i++)
		cr_assert_eq(ask(r, i << 32 | 127, NOW), REPLAY_NEW); /* all begin at the last slot */
	for (uint64_t i = 1; i <= 40; i++)
		cr_assert_eq(ask(r, i << 32 | 127, NOW), REPLAY_SEEN);
	cr_assert_eq(ask(r, 0, NOW), REPLAY_NEW);
	cr_assert_eq(ask(r, 0, NOW), REPLAY_SEEN);
	replay_close(r);
	cr_assert_eq(replay_bytes(64), 2u * 8 * 128);
	cr_assert_eq(replay_bytes(262144), 2u * 8 * 524288);
}

static struct replay *raced[2];
static atomic_int winners;

static void *race(void *arg)
{
	struct replay *r = raced[arg != NULL];

	for (uint64_t tag = 0; tag < 20000; tag++)
		atomic_fetch_add(&winners, ask(r, tag, NOW) == REPLAY_NEW);
	return NULL;
}

/* A set of two openings is that of two processes. */
Test(replay, of_threads_and_processes_with_the_same_request_one_wins)
{
	for (int processes = 1; processes <= 2; processes++) {
		pthread_t thread[4];

		unlink(test_file("a.seen"));
		raced[0] = raced[1] = open_set(20000, WINDOW, NOW, false);
		if (processes == 2)
			raced[1] = open_set(20000, WINDOW, NOW, false);
		atomic_store(&winners, 0);
		for (size_t i = 0; i < 4; i++)
			cr_assert_eq(pthread_create(&thread[i], NULL, race, i % 2 ? &winners : NULL), 0);
		for (size_t i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
		cr_assert_eq(atomic_load(&winners), 20000);
		cr_assert_eq(ask(raced[1], 1u << 30, NOW), REPLAY_FULL);
		if (processes == 2)
			replay_close(raced[1]);
		replay_close(raced[0]);
	}
}

/* The child is not Criterion's: it must not assert. */
static void ask_and_die(uint64_t from)
{
	const char *path = test_file("a.seen"), *lost;
	unsigned seen = 0;
	int status = 0;
	pid_t child;

	cr_assert((child = fork()) >= 0);
	if (child == 0) {
		struct replay *r;

		if (replay_open(&r, path, 1000, WINDOW, NOW, &lost, NULL) != VEIL_OK || lost)
			_exit(1);
		for (uint64_t tag = from; tag < from + 100; tag++)
			seen += replay_check(r, tag, NOW + WINDOW, NOW) == REPLAY_NEW;
		if (seen == 100)
			kill(getpid(), SIGKILL);
		_exit(2);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status), "it ended with %d", WEXITSTATUS(status));
}

Test(rfc9458, line_15_what_was_answered_before_a_restart_or_a_crash_is_not_answered_after_it)
{
	struct replay *r;

	ask_and_die(0);
	ask_and_die(100);
	r = open_set(1000, WINDOW, NOW + 10, false);
	for (uint64_t tag = 0; tag < 200; tag++)
		cr_assert_eq(replay_check(r, tag, NOW + WINDOW, NOW + 10), REPLAY_SEEN);
	cr_assert_eq(replay_check(r, 200, NOW + 10, NOW + 10), REPLAY_NEW); /* and no time is lost */
	replay_close(r);
	r = open_set(1000, WINDOW, NOW + 20, false);
	cr_assert_eq(replay_check(r, 200, NOW + 10, NOW + 20), REPLAY_SEEN);
	replay_close(r);
}

/* As after the power failed: the boot that the file names is another one. */
static void change_boot(void)
{
	char data[4096], *boot;
	int fd = open(test_file("a.seen"), O_RDWR);
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
	char id[40] = {0};

	cr_assert(f && fgets(id, sizeof id, f));
	fclose(f);
	cr_assert_eq(pread(fd, data, sizeof data, 0), (ssize_t)sizeof data);
	boot = memmem(data, sizeof data, id, 30);
	cr_assert_not_null(boot);
	boot[3] ^= 1;
	cr_assert_eq(pwrite(fd, data, sizeof data, 0), (ssize_t)sizeof data);
	close(fd);
}

Test(rfc9458, line_15_where_the_machine_stopped_every_date_that_may_have_been_answered_is_refused)
{
	struct replay *r;

	ask_and_die(0);
	change_boot();
	r = open_set(1000, WINDOW, NOW + 50, true);
	for (int64_t ahead = 0; ahead <= WINDOW; ahead += WINDOW)
		cr_assert_eq(replay_check(r, 0, NOW + 50 + ahead, NOW + 50), REPLAY_DATE);
	cr_assert_eq(replay_check(r, 0, NOW + 50 + WINDOW, NOW + 50 + WINDOW), REPLAY_DATE);
	replay_close(r);
	r = open_set(1000, WINDOW, NOW + 60, false); /* the next start knows, too */
	cr_assert_eq(replay_check(r, 0, NOW + 50 + WINDOW, NOW + 60), REPLAY_DATE);
	cr_assert_eq(replay_check(r, 0, NOW + 51 + WINDOW, NOW + 60), REPLAY_NEW);
	replay_close(r); /* in order: all is on the disk */
	change_boot();
	r = open_set(1000, WINDOW, NOW + 70, false);
	cr_assert_eq(replay_check(r, 0, NOW + 51 + WINDOW, NOW + 70), REPLAY_SEEN);
	replay_close(r);
}

Test(replay, a_file_of_other_numbers_or_no_set_at_all_is_begun_anew_with_later_dates)
{
	static const struct {
		uint32_t limit, window;
	} other[] = {{1001, WINDOW}, {1000, WINDOW - 1}, {5000, WINDOW}};
	struct replay *r, *old;
	int fd;

	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		unlink(test_file("a.seen"));
		old = open_set(1000, WINDOW, NOW, false);
		cr_assert_eq(ask(old, 1, NOW), REPLAY_NEW);
		r = open_set(other[i].limit, other[i].window, NOW, true);
		cr_assert_eq(ask(r, 1, NOW), REPLAY_DATE);
		cr_assert_eq(ask(r, 1, NOW + WINDOW + 1), REPLAY_NEW);
		cr_assert_eq(ask(old, 1, NOW), REPLAY_SEEN); /* who has it open goes on with it */
		replay_close(r);
		replay_close(old);
	}
	for (size_t size = 1; size < 20000; size += 4999) {
		char junk[20000];

		memset(junk, 'x', sizeof junk);
		unlink(test_file("a.seen"));
		fd = open(test_file("a.seen"), O_RDWR | O_CREAT, 0600);
		cr_assert_eq(write(fd, junk, size), (ssize_t)size);
		close(fd);
		r = open_set(1000, WINDOW, NOW, true);
		cr_assert_eq(ask(r, 1, NOW), REPLAY_DATE);
		replay_close(r);
	}
}

Test(replay, a_file_that_cannot_be_made_is_named)
{
	struct veil_error err = {{0}};
	struct stat info;
	const char *lost;
	struct replay *r;

	cr_assert_eq(replay_open(&r, test_file("no/a.seen"), 16, 5, NOW, &lost, &err), VEIL_E_IO);
	cr_assert_null(r);
	cr_assert(strstr(err.text, "no/a.seen"), "%s", err.text);
	cr_assert_eq(symlink("/dev/null", test_file("b.seen")), 0);
	cr_assert_eq(replay_open(&r, test_file("b.seen"), 16, 5, NOW, &lost, &err), VEIL_E_IO);
	replay_close(open_set(16, 5, NOW, false));
	cr_assert_eq(stat(test_file("a.seen"), &info), 0);
	cr_assert_eq(info.st_mode & 0777, 0600u);
	replay_close(NULL);
}
