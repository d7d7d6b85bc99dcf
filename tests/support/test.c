/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test.h"

#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/require.h"

uint64_t test_seed(void)
{
	static uint64_t seed;
	static int known;

	if (!known) {
		const char *text = getenv("VEIL_TEST_SEED");
		struct rng system = rng_system();

		if (text)
			seed = strtoull(text, NULL, 0);
		else
			rng_fill(&system, &seed, sizeof seed);
		known = 1;
		fprintf(stderr, "# VEIL_TEST_SEED=%llu\n", (unsigned long long)seed);
	}
	return seed;
}

struct rng test_rng(void)
{
	static struct rng_seeded state;

	return rng_seeded_init_u64(&state, test_seed());
}

/* A seeded generator makes a whole block of keystream for each request: ask for many words at once. */
static uint64_t next_word(const struct rng *rng)
{
	static uint64_t pool[512];
	static size_t left;
	static const void *owner;

	if (left == 0 || owner != rng->state) {
		rng_fill(rng, pool, sizeof pool);
		left = sizeof pool / sizeof pool[0];
		owner = rng->state;
	}
	return pool[--left];
}

uint64_t test_below(const struct rng *rng, uint64_t bound)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % bound, x;

	do
		x = next_word(rng);
	while (x >= limit);
	return x % bound;
}

uint64_t test_residue(const struct rng *rng, uint64_t q)
{
	switch (test_below(rng, 12)) {
	case 0:
		return 0;
	case 1:
		return q - 1;
	case 2:
		return 1;
	case 3:
		return q / 2 + test_below(rng, 2);
	case 4:
		return ((uint64_t)1 << test_below(rng, 62)) % q;
	default:
		return test_below(rng, q);
	}
}

double test_normal(const struct rng *rng)
{
	double u = ((double)test_below(rng, 1u << 30) + 0.5) / (1u << 30);
	double v = (double)test_below(rng, 1u << 30) / (1u << 30);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

const char *test_source_path(const char *relative)
{
	static char path[4096];
	const char *root = getenv("VEIL_SOURCE_ROOT");

	REQUIRE(root);
	snprintf(path, sizeof path, "%s/%s", root, relative);
	return path;
}

static char tmpdir[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_tmpdir(void)
{
	nftw(tmpdir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_tmpdir(void)
{
	if (!tmpdir[0]) {
		snprintf(tmpdir, sizeof tmpdir, "/tmp/veil-test-XXXXXX");
		REQUIRE(mkdtemp(tmpdir));
		atexit(remove_tmpdir);
	}
	return tmpdir;
}

const char *test_file(const char *name)
{
	static char paths[4][1024];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof *paths, "%s/%s", test_tmpdir(), name);
	return path;
}

void test_file_write(const char *name, const void *data, size_t size, unsigned mode)
{
	int fd = open(test_file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, data, size) == (ssize_t)size);
	REQUIRE(fchmod(fd, (mode_t)mode) == 0);
	close(fd);
}
