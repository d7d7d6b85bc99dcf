/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ct.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/keyfile.h"
#include "base/rng.h"

#define WINDOW 200 /* epochs that the bound is taken from: the second smallest of them */

struct crowd {
	pthread_mutex_t lock; /* guards `signed_bytes` and `there` */
	const uint8_t *seed;
	struct attest attest;
	uint32_t counts[WINDOW]; /* a ring */
	size_t count, next;
	bool there;
	uint8_t signed_bytes[ATTEST_BYTES];
};

enum veil_status crowd_key_read(uint8_t seed[SIGN_SEED_BYTES], const char *path, struct veil_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat s;
	uint8_t more;
	enum veil_status st = VEIL_OK;

	if (fd < 0)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || (s.st_mode & 077) != 0 || s.st_uid != geteuid())
		st = error_set(err, VEIL_E_IO,
			"%s: a key must be a file of mode 0600 that belongs to the user who runs this", path);
	else if (read(fd, seed, SIGN_SEED_BYTES) != SIGN_SEED_BYTES || read(fd, &more, 1) != 0)
		st = error_set(err, VEIL_E_CORRUPT, "%s: not a key of %d bytes", path, SIGN_SEED_BYTES);
	close(fd);
	return st;
}

enum veil_status crowd_key_make(const char *path, char *public_hex, struct veil_error *err)
{
	uint8_t seed[SIGN_SEED_BYTES], public_key[SIGN_PUBLIC_BYTES];
	struct rng rng = rng_system();
	enum veil_status st;

	rng_fill(&rng, seed, sizeof seed);
	sign_public_key(public_key, seed);
	st = keyfile_create(path, seed, sizeof seed, 0600, err);
	wipe(seed, sizeof seed);
	if (st != VEIL_OK)
		return st;
	_Static_assert(SIGN_PUBLIC_BYTES == HASH_BYTES, "so that hash_hex will do");
	hash_hex(public_hex, public_key);
	return VEIL_OK;
}

enum veil_status crowd_create(struct crowd **out, const char *relay_path, uint32_t epoch_seconds,
	const uint8_t seed[SIGN_SEED_BYTES])
{
	struct crowd *c = calloc(1, sizeof *c);

	*out = c;
	if (!c)
		return VEIL_E_NOMEM;
	pthread_mutex_init(&c->lock, NULL);
	c->seed = seed;
	c->attest.epoch_seconds = epoch_seconds;
	attest_scope(c->attest.scope, relay_path);
	return VEIL_OK;
}

void crowd_destroy(struct crowd *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void crowd_add(struct crowd *c, uint32_t clients, uint64_t now)
{
	uint8_t bytes[ATTEST_BYTES];

	c->counts[c->next] = clients;
	c->next = (c->next + 1) % WINDOW;
	c->count += c->count < WINDOW;
	if (c->count < ATTEST_MIN_EPOCHS)
		return;
	c->attest.issued = now;
	c->attest.epochs = (uint32_t)c->count;
	c->attest.users = attest_lower_bound(c->counts, c->count) / 2;
	attest_write(bytes, &c->attest, c->seed);
	pthread_mutex_lock(&c->lock);
	memcpy(c->signed_bytes, bytes, sizeof bytes);
	c->there = true;
	pthread_mutex_unlock(&c->lock);
}

bool crowd_attestation(struct crowd *c, uint8_t out[ATTEST_BYTES])
{
	bool there;

	pthread_mutex_lock(&c->lock);
	there = c->there;
	memcpy(out, c->signed_bytes, ATTEST_BYTES);
	pthread_mutex_unlock(&c->lock);
	return there;
}
