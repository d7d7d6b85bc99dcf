/* SPDX-License-Identifier: Apache-2.0 */
/* accountant_kill ROUNDS: a process that charges and then sends is killed at random points, its clock jumps
 * to and fro: never is more sent than was charged. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/require.h"
#include "privacy/accountant.h"
#include "support/test.h"

#define DAY_S 86400
#define EPOCH_S 60
#define FIRST_S (1000 * (uint64_t)DAY_S)
#define ORIGIN_S (FIRST_S - 10 * DAY_S) /* that far back the clock does not get */
enum { QUESTIONS = 2, A_DAY = 40, MAX_EPOCHS = 4000000 };

struct sent {
	uint64_t epoch, day;
};

static const char *path(void)
{
	static char name[256];

	snprintf(name, sizeof name, "%s/budget", test_tmpdir());
	return name;
}

/* Asks as fast as the disk allows, at a clock that mostly goes forward. */
static void run_child(int out, uint64_t start, const struct rng *rng)
{
	uint64_t now = start;
	struct privacy_accountant *a;
	char boot[PRIVACY_BOOT_SIZE];
	struct veil_error err;

	if (privacy_boot_read(boot, &err) != VEIL_OK ||
		privacy_accountant_open(&a, path(), boot, &err) != VEIL_OK) {
		fprintf(stderr, "%s\n", err.text);
		_exit(1);
	}
	for (;;) {
		struct sent sent = {now / EPOCH_S, now / DAY_S};

		if (privacy_accountant_charge(a, sent.epoch, 1, now, NULL) == VEIL_OK)
			REQUIRE(write(out, &sent, sizeof sent) == sizeof sent); /* here it would be sent */
		if (now > start + DAY_S || (now > FIRST_S && test_below(rng, 20) == 0))
			now -= test_below(rng, 2 * DAY_S);
		else if (now < FIRST_S || test_below(rng, 2))
			now += test_below(rng, test_below(rng, 10) ? EPOCH_S : DAY_S);
	}
}

/* What a killed child had sent, added up by epoch and day; the largest of its clock's. */
static uint64_t take(int in, uint8_t *by_epoch, uint32_t *by_day, uint64_t *epochs, uint64_t latest)
{
	struct sent sent;

	while (read(in, &sent, sizeof sent) == sizeof sent) {
		uint64_t at = sent.epoch - ORIGIN_S / EPOCH_S;

		REQUIRE(at < MAX_EPOCHS);
		if (by_epoch[at]++ == 0) {
			REQUIRE(++by_day[sent.day - ORIGIN_S / DAY_S] <= A_DAY);
			++*epochs;
		}
		REQUIRE(by_epoch[at] <= QUESTIONS);
		if (sent.epoch * EPOCH_S > latest)
			latest = sent.epoch * EPOCH_S;
	}
	return latest;
}

int main(int argc, char **argv)
{
	static uint8_t by_epoch[MAX_EPOCHS];
	static uint32_t by_day[MAX_EPOCHS / (DAY_S / EPOCH_S) + 2];
	struct privacy_plan plan = {
		.goal = {0.8, 1e-6, QUESTIONS, 0, 0}, .law = {32, 0.75}, .p32 = 0xc0000000};
	struct rng rng = test_rng();
	uint64_t now = FIRST_S, epochs = 0;
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 20;
	char boot[PRIVACY_BOOT_SIZE];
	struct privacy_account account;

	REQUIRE(privacy_boot_read(boot, NULL) == VEIL_OK);
	REQUIRE(privacy_account_create(
			path(), &plan, &(struct privacy_caps){A_DAY, UINT64_MAX}, boot, NULL) == VEIL_OK);
	for (long round = 0; round < rounds; round++) {
		int ends[2], status;
		struct rng_seeded state;
		pid_t child;

		REQUIRE(pipe(ends) == 0);
		child = fork();
		REQUIRE(child >= 0);
		if (child == 0) {
			rng = rng_seeded_init_u64(&state, test_seed() + (uint64_t)round);
			run_child(ends[1], now, &rng);
		}
		close(ends[1]);
		usleep((useconds_t)test_below(&rng, 12000));
		kill(child, SIGKILL);
		REQUIRE(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
		now = take(ends[0], by_epoch, by_day, &epochs, now);
		close(ends[0]);
		REQUIRE(privacy_account_read(&account, path(), NULL) == VEIL_OK);
		REQUIRE(account.ever >= epochs);
		REQUIRE(account.ever <= epochs + (uint64_t)round + 1); /* nor wasted: one a crash */
		now += test_below(&rng, 3) ? 0 : test_below(&rng, DAY_S);
	}
	REQUIRE(epochs > (uint64_t)rounds / 4);
	printf("%ld kills: %llu epochs sent, %llu charged\n", rounds, (unsigned long long)epochs,
		(unsigned long long)account.ever);
	return 0;
}
