/* SPDX-License-Identifier: Apache-2.0 */
#include "search/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/require.h"
#include "base/rng.h"

#define MAGIC "veilseen"
#define HEAD_BYTES 4096
#define BOOT_SIZE 40

/* The file: this, at HEAD_BYTES two tables. They take turns: one fills for a span while the other, full of
 * the span before, is only read. Made by and for one machine. */
struct head {
	char magic[8];
	uint32_t limit, window;
	uint32_t front; /* the table that fills */
	uint32_t count; /* in it, at least */
	int64_t turn; /* when it began */
	int64_t floor; /* Dates up to here are refused */
	uint32_t whole; /* all of it is on the disk */
	char boot[BOOT_SIZE]; /* if not: it is whole as long as this machine runs */
	uint8_t key[REPLAY_KEY_BYTES];
};

struct replay {
	pthread_mutex_t lock; /* of threads; the file's own lock is that of processes */
	int fd;
	struct head *head;
	uint64_t *table[2]; /* [mask + 1], open addressing, 0: free */
	uint32_t mask;
	char boot[BOOT_SIZE];
};

static uint32_t slots(uint32_t limit)
{
	uint32_t n = 16;

	while (n < 2 * limit)
		n *= 2;
	return n;
}

size_t replay_bytes(uint32_t limit)
{
	return 2 * sizeof(uint64_t) * slots(limit);
}

static int64_t span(const struct head *h)
{
	return 2 * (int64_t)h->window + 2;
}

/* --- the file */

static void lock_file(int fd)
{
	while (flock(fd, LOCK_EX) != 0)
		REQUIRE(errno == EINTR);
}

/* Empty where it cannot be read: then no file is of this boot. */
static void read_boot(char boot[BOOT_SIZE])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	memset(boot, 0, BOOT_SIZE);
	if (f && !fgets(boot, BOOT_SIZE, f))
		boot[0] = 0;
	if (f)
		fclose(f);
}

/* NULL, or why it does not tell all that was answered. */
static const char *find_fault(
	const struct head *h, size_t size, uint32_t limit, uint32_t window, const char *boot, int64_t now)
{
	if (size != HEAD_BYTES + replay_bytes(limit) || memcmp(h->magic, MAGIC, sizeof h->magic) != 0 ||
		h->limit != limit || h->window != window || h->front > 1)
		return "it was made for other numbers";
	if (!h->whole && (!boot[0] || strncmp(h->boot, boot, BOOT_SIZE) != 0))
		return "the machine stopped before it was written";
	if (h->turn > now + span(h))
		return "the clock has gone back";
	return NULL;
}

/* The file, locked, not yet mapped; with what another process makes meanwhile. */
static int open_locked(const char *path)
{
	for (;;) {
		struct stat info;
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return -1;
		lock_file(fd);
		if (fstat(fd, &info) == 0 && info.st_nlink > 0)
			return fd;
		close(fd);
	}
}

static bool map(struct replay *r, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);

	if (p == MAP_FAILED)
		return false;
	r->head = p;
	for (int i = 0; i < 2; i++)
		r->table[i] = (uint64_t *)((uint8_t *)p + HEAD_BYTES) + (size_t)i * (r->mask + 1);
	return true;
}

static void begin(struct head *h, uint32_t limit, uint32_t window, int64_t now)
{
	const struct rng rng = rng_system();

	*h = (struct head){.limit = limit, .window = window, .turn = now, .whole = 1};
	rng_fill(&rng, h->key, sizeof h->key);
	memcpy(h->magic, MAGIC, sizeof h->magic);
}

/* A file that is of no use gives way to a new one: another process may be using it. */
static bool load(
	struct replay *r, const char *path, uint32_t limit, uint32_t window, int64_t now, const char **lost)
{
	size_t size = HEAD_BYTES + replay_bytes(limit);
	struct head before = {.magic = {0}};
	struct stat info;

	r->fd = open_locked(path);
	if (r->fd < 0 || fstat(r->fd, &info) != 0)
		return false;
	if (info.st_size > 0) {
		if (pread(r->fd, &before, sizeof before, 0) < 0)
			return false;
		*lost = find_fault(&before, (size_t)info.st_size, limit, window, r->boot, now);
		if (!*lost)
			return map(r, size);
		if (unlink(path) != 0)
			return false;
		close(r->fd);
		r->fd = open_locked(path);
		if (r->fd < 0)
			return false;
	}
	errno = posix_fallocate(r->fd, 0, (off_t)size); /* a full disk shows now, not in a mapped page */
	if (errno != 0 || !map(r, size))
		return false;
	begin(r->head, limit, window, now);
	if (*lost)
		r->head->floor = now + window;
	return true;
}

enum veil_status replay_open(struct replay **out, const char *path, uint32_t limit, uint32_t window,
	int64_t now, const char **lost, struct veil_error *err)
{
	struct replay *r = calloc(1, sizeof *r);
	bool ok;

	*out = NULL;
	*lost = NULL;
	if (!r)
		return error_set(err, VEIL_E_NOMEM, "no memory to remember requests");
	pthread_mutex_init(&r->lock, NULL);
	r->mask = slots(limit) - 1;
	read_boot(r->boot);
	ok = load(r, path, limit, window, now, lost);
	if (!ok) {
		error_set(err, VEIL_E_IO, "%s, where veild keeps what it has answered: %s", path,
			strerror(errno));
		replay_close(r);
		return VEIL_E_IO;
	}
	flock(r->fd, LOCK_UN);
	*out = r;
	return VEIL_OK;
}

void replay_close(struct replay *r)
{
	size_t size;

	if (!r)
		return;
	if (r->head) {
		size = HEAD_BYTES + 2 * sizeof(uint64_t) * ((size_t)r->mask + 1);
		lock_file(r->fd);
		if (!r->head->whole && msync(r->head, size, MS_SYNC) == 0) {
			r->head->whole = 1;
			(void)msync(r->head, HEAD_BYTES, MS_SYNC);
		}
		munmap(r->head, size);
	}
	if (r->fd >= 0)
		close(r->fd);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

const uint8_t *replay_key(const struct replay *r)
{
	return r->head->key;
}

/* --- the tables */

/* Where the tag is, or would go; NULL: there is no room, which only a file that was tampered with has not. */
static uint64_t *find(const struct replay *r, uint64_t *table, uint64_t tag)
{
	uint32_t i = (uint32_t)tag & r->mask;

	for (uint32_t n = 0; n <= r->mask; n++, i = (i + 1) & r->mask)
		if (!table[i] || table[i] == tag)
			return table + i;
	return NULL;
}

/* In an order in which the process may be killed anywhere: at worst something is remembered for longer. */
static void turn(struct replay *r, int64_t now)
{
	struct head *h = r->head;

	if (h->floor < now - h->window - 1)
		h->floor = now - h->window - 1; /* what is forgotten stays refused when the clock goes back */
	memset(r->table[!h->front], 0, sizeof(uint64_t) * ((size_t)r->mask + 1));
	atomic_signal_fence(memory_order_seq_cst);
	h->turn = now;
	atomic_signal_fence(memory_order_seq_cst);
	h->front = !h->front;
	atomic_signal_fence(memory_order_seq_cst);
	h->count = 0;
}

/* A clock that goes back makes a span longer, never shorter. */
static void take_turns(struct replay *r, int64_t now)
{
	int64_t passed = now - r->head->turn;

	if (passed >= 2 * span(r->head))
		turn(r, now);
	if (passed >= span(r->head))
		turn(r, now);
}

/* Before anything is added to a file that is whole on the disk, the disk must know. */
static bool begin_writing(struct replay *r)
{
	if (!r->head->whole)
		return true;
	memcpy(r->head->boot, r->boot, BOOT_SIZE);
	r->head->whole = 0;
	if (msync(r->head, HEAD_BYTES, MS_SYNC) == 0)
		return true;
	r->head->whole = 1;
	return false;
}

static enum replay_verdict judge(struct replay *r, uint64_t tag, int64_t date, int64_t now)
{
	struct head *h = r->head;
	uint64_t *slot, *before;

	if (date < now - h->window || date > now + h->window || date <= h->floor)
		return REPLAY_DATE;
	if (!begin_writing(r))
		return REPLAY_FULL;
	take_turns(r, now);
	slot = find(r, r->table[h->front], tag);
	before = find(r, r->table[!h->front], tag);
	if ((slot && *slot) || (before && *before))
		return REPLAY_SEEN;
	if (!slot || h->count >= h->limit)
		return REPLAY_FULL;
	*slot = tag;
	h->count++;
	return REPLAY_NEW;
}

/* A slot of 0 is free. */
enum replay_verdict replay_check(struct replay *r, uint64_t tag, int64_t date, int64_t now)
{
	enum replay_verdict verdict;

	pthread_mutex_lock(&r->lock);
	lock_file(r->fd);
	verdict = judge(r, tag ? tag : UINT64_MAX, date, now);
	flock(r->fd, LOCK_UN);
	pthread_mutex_unlock(&r->lock);
	return verdict;
}
