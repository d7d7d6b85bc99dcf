/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/budget.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"

#define BODY_BYTES (PRIVACY_SLOT_BYTES - HASH_BYTES)
#define BOOTS_HEAD "veil-boots 1\n"
#define PATH_SIZE 4096

static const uint8_t magic[8] = {'V', 'E', 'I', 'L', 'B', 'U', 'D', '1'};

static enum veil_status fail(const char *path, const char *what, struct veil_error *err)
{
	return error_set(err, VEIL_E_IO, "%s: %s: %s", path, what, strerror(errno));
}

static uint64_t bits_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof bits);
	return bits;
}

static double double_of(uint64_t bits)
{
	double x;

	memcpy(&x, &bits, sizeof x);
	return x;
}

static void encode(uint8_t slot[PRIVACY_SLOT_BYTES], const struct privacy_budget *b)
{
	const struct privacy_account *a = &b->account;
	struct writer w;

	memset(slot, 0, PRIVACY_SLOT_BYTES);
	writer_init(&w, slot, BODY_BYTES);
	writer_bytes(&w, magic, sizeof magic);
	writer_u64(&w, b->number);
	writer_u64(&w, b->device);
	writer_u64(&w, b->inode);
	writer_u64(&w, b->boots);
	writer_u32(&w, a->r64);
	writer_u32(&w, a->p32);
	writer_u32(&w, a->goal.questions);
	writer_u64(&w, bits_of(a->goal.eps));
	writer_u64(&w, bits_of(a->goal.delta));
	writer_u32(&w, a->caps.epochs_a_day);
	writer_u64(&w, a->caps.epochs_ever);
	writer_u64(&w, a->epoch);
	writer_u32(&w, a->questions);
	writer_u64(&w, a->day);
	writer_u32(&w, a->today);
	writer_u64(&w, a->ever);
	hash_sha256(slot + BODY_BYTES, slot, BODY_BYTES);
}

/* What has the right hash was written by us. */
static bool decode(struct privacy_budget *b, const uint8_t slot[PRIVACY_SLOT_BYTES], unsigned which)
{
	struct privacy_account *a = &b->account;
	uint8_t hash[HASH_BYTES];
	struct reader r;

	memset(b, 0, sizeof *b);
	hash_sha256(hash, slot, BODY_BYTES);
	if (memcmp(hash, slot + BODY_BYTES, HASH_BYTES) != 0 || memcmp(slot, magic, sizeof magic) != 0)
		return false;
	reader_init(&r, slot + sizeof magic, BODY_BYTES - sizeof magic);
	b->number = reader_u64(&r);
	b->device = reader_u64(&r);
	b->inode = reader_u64(&r);
	b->boots = reader_u64(&r);
	a->r64 = reader_u32(&r);
	a->p32 = reader_u32(&r);
	a->goal.questions = reader_u32(&r);
	a->goal.eps = double_of(reader_u64(&r));
	a->goal.delta = double_of(reader_u64(&r));
	a->caps.epochs_a_day = reader_u32(&r);
	a->caps.epochs_ever = reader_u64(&r);
	a->epoch = reader_u64(&r);
	a->questions = reader_u32(&r);
	a->day = reader_u64(&r);
	a->today = reader_u32(&r);
	a->ever = reader_u64(&r);
	return b->number % 2 == which;
}

enum veil_status privacy_budget_write(
	int fd, struct privacy_budget *budget, const char *path, struct veil_error *err)
{
	uint8_t slot[PRIVACY_SLOT_BYTES];
	ssize_t done;

	budget->number++;
	encode(slot, budget);
	do
		done = pwrite(fd, slot, sizeof slot, (off_t)(budget->number % 2) * PRIVACY_SLOT_BYTES);
	while (done < 0 && errno == EINTR);
	if (done >= 0 && done != (ssize_t)sizeof slot)
		errno = ENOSPC;
	if (done != (ssize_t)sizeof slot)
		return fail(path, "the charge could not be written", err);
	return fsync(fd) == 0 ? VEIL_OK : fail(path, "the charge did not reach the disk", err);
}

enum veil_status privacy_budget_read(
	struct privacy_budget *budget, bool *damaged, int fd, const char *path, struct veil_error *err)
{
	uint8_t slots[2 * PRIVACY_SLOT_BYTES];
	struct privacy_budget other;
	struct stat st;
	bool first, second;

	*damaged = false;
	memset(slots, 0, sizeof slots);
	if (fstat(fd, &st) != 0 || pread(fd, slots, sizeof slots, 0) < 0)
		return fail(path, "the budget cannot be read", err);
	first = decode(budget, slots, 0);
	second = decode(&other, slots + PRIVACY_SLOT_BYTES, 1);
	if (!S_ISREG(st.st_mode) || (!first && !second))
		return error_set(err, VEIL_E_CORRUPT, "%s: damaged, or not a budget of veil", path);
	*damaged = !first || !second;
	if (!first || (second && other.number > budget->number))
		*budget = other;
	if (budget->device != (uint64_t)st.st_dev || budget->inode != (uint64_t)st.st_ino)
		return error_set(err, VEIL_E_CORRUPT,
			"%s: a copy, or restored: device or inode is not the one it was made with, so what "
			"was "
			"spent since is not known; to begin anew remove it and %s.boots",
			path, path);
	return VEIL_OK;
}

static bool boots_path(char out[PATH_SIZE], const char *path, const char *ending)
{
	int n = snprintf(out, PATH_SIZE, "%s.boots%s", path, ending);

	return n > 0 && n < PATH_SIZE;
}

static enum veil_status sync_folder(char *path, struct veil_error *err)
{
	int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum veil_status st = VEIL_OK;

	if (fd < 0 || fsync(fd) != 0)
		st = fail(path, "the folder did not reach the disk", err);
	if (fd >= 0)
		close(fd);
	return st;
}

enum veil_status privacy_boots_write(
	const struct privacy_boots *boots, const char *path, struct veil_error *err)
{
	char name[PATH_SIZE], fresh[PATH_SIZE], text[128];
	int size = snprintf(
		    text, sizeof text, BOOTS_HEAD "%llu %s\n", (unsigned long long)boots->count, boots->boot),
	    fd;
	enum veil_status st = VEIL_OK;

	if (!boots_path(name, path, "") || !boots_path(fresh, path, ".new"))
		return error_set(err, VEIL_E_INVALID, "%s: too long a name", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(fresh, "cannot be written", err);
	if (write(fd, text, (size_t)size) != size || fsync(fd) != 0)
		st = fail(fresh, "cannot be written", err);
	close(fd);
	if (st == VEIL_OK && rename(fresh, name) != 0)
		st = fail(name, "cannot be replaced", err);
	return st == VEIL_OK ? sync_folder(name, err) : st;
}

enum veil_status privacy_boots_read(struct privacy_boots *boots, const char *path, struct veil_error *err)
{
	char name[PATH_SIZE], text[128] = "", *at = text + strlen(BOOTS_HEAD), *end;
	ssize_t size;
	int fd;

	memset(boots, 0, sizeof *boots);
	if (!boots_path(name, path, ""))
		return error_set(err, VEIL_E_INVALID, "%s: too long a name", path);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? error_set(err, VEIL_E_NOT_FOUND, "%s: missing", name)
				       : fail(name, "cannot be read", err);
	size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size < 0)
		return fail(name, "cannot be read", err);
	end = memchr(text, 0, sizeof text);
	if (strncmp(text, BOOTS_HEAD, strlen(BOOTS_HEAD)) != 0 || end[-1] != '\n')
		return error_set(err, VEIL_E_CORRUPT, "%s: damaged", name);
	end[-1] = 0;
	boots->count = strtoull(at, &end, 10);
	if (end == at || *end != ' ' || strlen(end + 1) >= sizeof boots->boot || !end[1])
		return error_set(err, VEIL_E_CORRUPT, "%s: damaged", name);
	memcpy(boots->boot, end + 1, strlen(end + 1) + 1);
	return VEIL_OK;
}
