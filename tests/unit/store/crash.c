/* SPDX-License-Identifier: Apache-2.0 */

/* crash ROUNDS [kv]: kills a builder (of a collection: builds and updates in turn) at ROUNDS random instants
 * of its work. After each, the index must open and be one whole version, the one before or the one being
 * written; the next builder must clear away all that was left over. */

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/require.h"
#include "store/index.h"
#include "support/test.h"
#include "tiny.h"
#include "tiny_kv.h"

static char dir[256];

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void build(int kind)
{
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];

	if (tiny_try(dir, kind, 1, id, &err) == VEIL_OK)
		return;
	fprintf(stderr, "build of %d: %s\n", kind, err.text);
	abort();
}

/* Which of the two kinds is in force? Anything but a whole one of them ends the test. */
static int kind_in_force(int a, int b)
{
	struct veil_error err = {{0}};
	struct store_index *index;
	int kind = -1;

	if (store_index_open(&index, dir, &err) != VEIL_OK) {
		fprintf(stderr, "after a kill: %s\n", err.text);
		abort();
	}
	if (tiny_same(index, a))
		kind = a;
	else if (tiny_same(index, b))
		kind = b;
	REQUIRE(kind >= 0);
	store_index_close(index);
	return kind;
}

/* current, previous, lock and two versions: nothing else. */
static void is_tidy(void)
{
	DIR *list = opendir(dir);
	struct dirent *e;
	int versions = 0, others = 0;

	REQUIRE(list);
	while ((e = readdir(list))) {
		if (e->d_name[0] == 'v')
			versions++;
		else
			others += e->d_name[0] != '.';
	}
	closedir(list);
	REQUIRE(versions == 2 && others == 3);
}

/* Of collections: kind k has epoch k + 1; the even ones are built, the odd ones are updates of the one
 * before. */

static int kv_in_force(int a, int b)
{
	const struct store_kv_options options = {.features = cpu_features(), .allow_insecure = true};
	struct veil_error err = {{0}};
	struct store_kv *kv;
	int kind;

	if (store_kv_open(&kv, dir, &options, &err) != VEIL_OK) {
		fprintf(stderr, "after a kill: %s\n", err.text);
		abort();
	}
	kind = (int)kv->collection.epoch - 1;
	REQUIRE((kind == a || kind == b) && kv->collection.base_epoch == (uint64_t)(kind & ~1) + 1);
	store_kv_close(kv);
	return kind;
}

static void kv_write(int kind)
{
	static struct tiny_kv k;
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];
	uint32_t reused = 0;
	enum veil_status st;

	tiny_kv_fill(&k, kind);
	if (kind % 2 == 0) {
		st = tiny_kv_build(dir, SILENT_BY_KEY, kind, NULL, &reused, id, &err);
	} else if (kv_in_force(kind - 1, kind) == kind) { /* what it left is cleared away all the same */
		struct store_kv_writer *w;

		st = store_kv_writer_create(&w, dir, &err);
		store_kv_writer_destroy(w);
	} else {
		st = tiny_kv_update(dir, k.entries, 10, id, &err);
	}
	if (st == VEIL_OK)
		return;
	fprintf(stderr, "build of %d: %s\n", kind, err.text);
	abort();
}

/* What is built, and which of two kinds is in force. */
static const struct subject {
	void (*write)(int kind);
	int (*in_force)(int a, int b);
} subjects[] = {{build, kind_in_force}, {kv_write, kv_in_force}};

static void kill_after(pid_t child, double delay)
{
	struct timespec t = {(time_t)delay, (long)((delay - (double)(time_t)delay) * 1e9)};
	int status;

	nanosleep(&t, NULL);
	kill(child, SIGKILL);
	REQUIRE(waitpid(child, &status, 0) == child);
	REQUIRE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20, last = 1, replaced = 0;
	struct rng rng = test_rng();
	const struct subject *it = &subjects[argc > 2];
	double start, duration;

	snprintf(dir, sizeof dir, "%.100s/index", test_tmpdir());
	it->write(0);
	start = seconds();
	it->write(1);
	duration = seconds() - start;
	for (int i = 0; i < rounds; i++) {
		int kind = 2 + i % 40;
		pid_t child = fork();

		REQUIRE(child >= 0);
		if (child == 0) {
			it->write(kind);
			_exit(0);
		}
		kill_after(child, 1.2 * duration * (double)test_below(&rng, 1u << 20) / (1u << 20));
		replaced += it->in_force(last, kind) == kind;
		start = seconds();
		it->write(kind);
		duration = 0.7 * duration + 0.3 * (seconds() - start); /* the machine may be busy */
		REQUIRE(it->in_force(kind, kind) == kind);
		is_tidy();
		last = kind;
	}
	printf("%d kills: the old version %d times, the new one %d times, whole each time\n", rounds,
		rounds - replaced, replaced);
	return 0;
}
