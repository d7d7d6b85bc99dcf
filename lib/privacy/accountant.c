/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/accountant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/require.h"
#include "privacy/budget.h"

#define DAY_S 86400

struct privacy_accountant {
	int fd; /* locked */
	bool broken; /* a write failed: what the file says is not known */
	char *path;
	struct privacy_budget budget;
};

enum veil_status privacy_boot_read(char boot[PRIVACY_BOOT_SIZE], struct veil_error *err)
{
	static const char file[] = "/proc/sys/kernel/random/boot_id";
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, boot, PRIVACY_BOOT_SIZE - 1);

	if (fd >= 0)
		close(fd);
	if (size <= 1) {
		boot[0] = 0;
		return error_set(err, VEIL_E_UNSUPPORTED, "%s cannot be read: no budget without it", file);
	}
	boot[size] = 0;
	boot[strcspn(boot, "\n")] = 0;
	return VEIL_OK;
}

static enum veil_status open_file(int *fd, const char *path, int flags, struct veil_error *err)
{
	*fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd >= 0)
		return VEIL_OK;
	if (errno == ENOENT && !(flags & O_CREAT))
		return error_set(err, VEIL_E_NOT_FOUND, "%s: there is no budget yet", path);
	if (errno == EEXIST)
		return error_set(
			err, VEIL_E_INVALID, "%s: exists; what it has counted is not to be lost", path);
	return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
}

static void take_plan(struct privacy_account *account, const struct privacy_plan *plan)
{
	account->goal = plan->goal;
	account->goal.shards = account->goal.users = 0;
	account->r64 = (uint32_t)(plan->law.r * 64);
	account->p32 = plan->p32;
}

/* Both slots, so that from now on one that cannot be read means something. */
static enum veil_status fill(int fd, struct privacy_budget *budget, const char *path, struct veil_error *err)
{
	struct stat st;
	enum veil_status status;

	if (fstat(fd, &st) != 0)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	budget->device = st.st_dev;
	budget->inode = st.st_ino;
	status = privacy_budget_write(fd, budget, path, err);
	return status == VEIL_OK ? privacy_budget_write(fd, budget, path, err) : status;
}

enum veil_status privacy_account_create(const char *path, const struct privacy_plan *plan,
	const struct privacy_caps *caps, const char *boot, struct veil_error *err)
{
	struct privacy_budget budget = {.boots = 1, .account = {.caps = *caps}};
	struct privacy_boots boots = {.count = 1}, there;
	enum veil_status st;
	int fd;

	if (caps->epochs_a_day < 1 || caps->epochs_ever < 1)
		return error_set(
			err, VEIL_E_INVALID, "a budget that allows nothing: its caps are at least 1");
	REQUIRE(strlen(boot) < sizeof boots.boot);
	memcpy(boots.boot, boot, strlen(boot));
	take_plan(&budget.account, plan);
	st = privacy_boots_read(&there, path, NULL);
	if (st != VEIL_E_NOT_FOUND)
		return error_set(err, VEIL_E_INVALID,
			"%s.boots is there: the budget beside it was removed, or another is made; what it "
			"has "
			"counted would be lost. To begin anew remove it",
			path);
	st = open_file(&fd, path, O_RDWR | O_CREAT | O_EXCL, err);
	if (st != VEIL_OK)
		return st;
	st = fill(fd, &budget, path, err);
	if (st == VEIL_OK)
		st = privacy_boots_write(&boots, path, err);
	close(fd);
	if (st != VEIL_OK)
		unlink(path); /* nothing has been charged to it */
	return st;
}

enum veil_status privacy_account_read(
	struct privacy_account *account, const char *path, struct veil_error *err)
{
	struct privacy_budget budget;
	bool damaged;
	int fd;
	enum veil_status st = open_file(&fd, path, O_RDONLY, err);

	memset(account, 0, sizeof *account);
	if (st != VEIL_OK)
		return st;
	st = privacy_budget_read(&budget, &damaged, fd, path, err);
	close(fd);
	if (st == VEIL_OK)
		*account = budget.account;
	return st;
}

static enum veil_status lock(const struct privacy_accountant *a, struct veil_error *err)
{
	if (flock(a->fd, LOCK_EX | LOCK_NB) == 0)
		return VEIL_OK;
	if (errno == EWOULDBLOCK)
		return error_set(err, VEIL_E_BUSY, "%s: another program of this user has it", a->path);
	return error_set(err, VEIL_E_IO, "%s: cannot be locked: %s", a->path, strerror(errno));
}

/* In a new boot the count goes up, in the budget first: between the two writes it is one ahead, and never
 * behind. */
static enum veil_status check_boots(struct privacy_accountant *a, const char *boot, struct veil_error *err)
{
	struct privacy_boots boots;
	bool again, ahead;
	enum veil_status st = privacy_boots_read(&boots, a->path, err);

	if (st == VEIL_E_NOT_FOUND)
		st = VEIL_E_CORRUPT;
	if (st != VEIL_OK)
		return st;
	again = strcmp(boots.boot, boot) == 0;
	ahead = !again && a->budget.boots == boots.count + 1;
	if (a->budget.boots != boots.count && !ahead)
		return error_set(err, VEIL_E_CORRUPT,
			"%s: of boot %llu, where boot %llu is counted: an old one was put back, so what was "
			"spent "
			"since is not known; to begin anew remove it and %s.boots",
			a->path, (unsigned long long)a->budget.boots, (unsigned long long)boots.count,
			a->path);
	if (again)
		return VEIL_OK;
	if (!ahead) {
		a->budget.boots++;
		st = privacy_budget_write(a->fd, &a->budget, a->path, err);
	}
	boots.count = a->budget.boots;
	REQUIRE(strlen(boot) < sizeof boots.boot);
	memcpy(boots.boot, boot, strlen(boot) + 1);
	return st == VEIL_OK ? privacy_boots_write(&boots, a->path, err) : st;
}

/* A slot that was being written, or has been damaged since: in the second case it was a charge. */
static enum veil_status mend(struct privacy_accountant *a, struct veil_error *err)
{
	a->budget.account.today++;
	a->budget.account.ever++;
	return privacy_budget_write(a->fd, &a->budget, a->path, err);
}

enum veil_status privacy_accountant_open(
	struct privacy_accountant **out, const char *path, const char *boot, struct veil_error *err)
{
	struct privacy_accountant *a = calloc(1, sizeof *a);
	bool damaged = false;
	enum veil_status st;

	*out = NULL;
	if (a)
		a->path = strdup(path);
	if (!a || !a->path) {
		free(a);
		return error_set(err, VEIL_E_NOMEM, "%s: no memory", path);
	}
	st = open_file(&a->fd, path, O_RDWR, err);
	if (st == VEIL_OK)
		st = lock(a, err);
	if (st == VEIL_OK)
		st = privacy_budget_read(&a->budget, &damaged, a->fd, path, err);
	if (st == VEIL_OK && damaged)
		st = mend(a, err);
	if (st == VEIL_OK)
		st = check_boots(a, boot, err);
	if (st == VEIL_OK)
		*out = a;
	else
		privacy_accountant_close(a);
	return st;
}

void privacy_accountant_close(struct privacy_accountant *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd); /* the lock goes with it */
	free(a->path);
	free(a);
}

const struct privacy_account *privacy_accountant_account(const struct privacy_accountant *a)
{
	return &a->budget.account;
}

/* Another epoch with a question, in `next`. */
static enum veil_status charge_epoch(
	struct privacy_account *next, uint64_t epoch, uint64_t day, const char *path, struct veil_error *err)
{
	if (day > next->day) {
		next->day = day;
		next->today = 0;
	}
	if (next->ever >= next->caps.epochs_ever)
		return error_set(err, VEIL_E_INVALID,
			"%s: all %llu epochs that were ever allowed are spent; ask by sealed search instead",
			path, (unsigned long long)next->caps.epochs_ever);
	if (next->today >= next->caps.epochs_a_day)
		return error_set(err, VEIL_E_BUSY,
			"%s: the %u epochs of this day are spent; ask tomorrow, or by sealed search", path,
			next->caps.epochs_a_day);
	next->epoch = epoch;
	next->today++;
	next->ever++;
	return VEIL_OK;
}

enum veil_status privacy_accountant_charge(struct privacy_accountant *a, uint64_t epoch, uint32_t questions,
	uint64_t now_s, struct veil_error *err)
{
	struct privacy_budget next = a->budget;
	struct privacy_account *n = &next.account;
	bool same = n->questions && epoch == n->epoch;
	enum veil_status st = VEIL_OK;

	REQUIRE(questions >= 1);
	if (a->broken)
		return error_set(
			err, VEIL_E_IO, "%s: a charge could not be written before; open it again", a->path);
	if (n->questions && epoch < n->epoch)
		return error_set(err, VEIL_E_INVALID,
			"%s: epoch %llu is before epoch %llu, which has been charged: the clock went back",
			a->path, (unsigned long long)epoch, (unsigned long long)n->epoch);
	if (questions > n->goal.questions || (same && questions > n->goal.questions - n->questions))
		return error_set(err, VEIL_E_INVALID, "%s: more than %u questions in one epoch", a->path,
			n->goal.questions);
	if (!same)
		st = charge_epoch(n, epoch, now_s / DAY_S, a->path, err);
	if (st != VEIL_OK)
		return st;
	n->questions = questions + (same ? n->questions : 0);
	st = privacy_budget_write(a->fd, &next, a->path, err);
	if (st == VEIL_OK)
		a->budget = next;
	else
		a->broken = true;
	return st;
}
