/* SPDX-License-Identifier: Apache-2.0 */
#include "privacy/accountant.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privacy/budget.h"
#include "support/test.h"

#define DAY 86400
static const char boot[] = "11111111-2222-3333-4444-555555555555",
		  later[] = "99999999-2222-3333-4444-555555555555";
static char path[256];

/* In the place of the C library's: what the file says at the moment when it is asked to reach the disk. */
static uint64_t ever_on_disk;
static bool disk_fails;
int fsync(int fd)
{
	struct privacy_account account;

	if (disk_fails) {
		errno = EIO;
		return -1;
	}
	if (privacy_account_read(&account, path, NULL) == VEIL_OK)
		ever_on_disk = account.ever;
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

static void create(uint32_t a_day, uint64_t ever)
{
	struct privacy_plan plan = {.goal = {0.8, 1e-6, 3, 0, 0}, .law = {21.5, 0.875}, .p32 = 0xe0000000};

	snprintf(path, sizeof path, "%s/budget", test_tmpdir());
	cr_assert_eq(privacy_account_create(path, &plan, &(struct privacy_caps){a_day, ever}, boot, NULL),
		VEIL_OK);
}

static struct privacy_accountant *reopen(const char *of_boot)
{
	struct privacy_accountant *a;
	struct veil_error err = {""};

	cr_assert_eq(privacy_accountant_open(&a, path, of_boot, &err), VEIL_OK, "%s", err.text);
	return a;
}

static void refuse(const char *of_boot, enum veil_status status, const char *text)
{
	struct privacy_accountant *a;
	struct veil_error err = {""};

	cr_assert_eq(privacy_accountant_open(&a, path, of_boot, &err), status, "%s", err.text);
	cr_assert(strstr(err.text, text), "%s", err.text);
	cr_assert_null(a);
}

static size_t load(char *out, size_t size, const char *ending)
{
	char name[300];
	FILE *file;
	size_t got;

	snprintf(name, sizeof name, "%s%s", path, ending);
	file = fopen(name, "rb");
	cr_assert(file);
	got = fread(out, 1, size, file);
	fclose(file);
	return got;
}

/* In place: the inode stays. */
static void store(const char *data, size_t size, const char *ending)
{
	char name[300];
	FILE *file;

	snprintf(name, sizeof name, "%s%s", path, ending);
	file = fopen(name, "r+b");
	cr_assert(file);
	cr_assert_eq(fwrite(data, 1, size, file), size);
	fclose(file);
}

Test(accountant, a_charge_is_on_the_disk_before_it_is_granted_and_stays_when_it_is_opened_again)
{
	struct privacy_accountant *a;

	create(10, 100);
	for (uint64_t epoch = 1; epoch <= 5; epoch++) {
		a = reopen(boot);
		cr_assert_eq(privacy_accountant_account(a)->ever, epoch - 1);
		cr_assert_eq(privacy_accountant_charge(a, epoch, 1, DAY, NULL), VEIL_OK);
		cr_assert_eq(ever_on_disk, epoch);
		privacy_accountant_close(a);
	}
	a = reopen(boot);
	disk_fails = true;
	cr_assert_eq(privacy_accountant_charge(a, 6, 1, DAY, NULL), VEIL_E_IO);
	disk_fails = false;
	cr_assert_eq(
		privacy_accountant_charge(a, 7, 1, DAY, NULL), VEIL_E_IO, "what the file says is not known");
	privacy_accountant_close(a);
	a = reopen(boot);
	cr_assert_eq(privacy_accountant_account(a)->ever, 6, "it may have reached the disk");
	privacy_accountant_close(a);
}

Test(accountant, the_caps_of_an_epoch_a_day_and_ever_are_kept)
{
	struct privacy_accountant *a;
	struct veil_error err;

	create(3, 7);
	a = reopen(boot);
	cr_assert_eq(privacy_accountant_charge(a, 0, 4, DAY, NULL), VEIL_E_INVALID);
	cr_assert_eq(privacy_accountant_charge(a, 0, 2, DAY, NULL), VEIL_OK, "there is an epoch 0");
	cr_assert_eq(privacy_accountant_charge(a, 0, 2, DAY, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "more than 3 questions"), "%s", err.text);
	cr_assert_eq(privacy_accountant_charge(a, 0, UINT32_MAX, DAY, NULL), VEIL_E_INVALID);
	cr_assert_eq(privacy_accountant_charge(a, 0, 1, DAY, NULL), VEIL_OK, "one charge is for three");
	cr_assert_eq(privacy_accountant_account(a)->ever, 1);
	cr_assert_eq(privacy_accountant_charge(a, 1, 1, DAY, NULL), VEIL_OK);
	cr_assert_eq(privacy_accountant_charge(a, 2, 3, 2 * DAY - 1, NULL), VEIL_OK);
	cr_assert_eq(privacy_accountant_charge(a, 3, 1, 2 * DAY - 1, &err), VEIL_E_BUSY);
	cr_assert(strstr(err.text, "tomorrow"), "%s", err.text);
	for (uint64_t epoch = 3; epoch < 7; epoch++)
		cr_assert_eq(privacy_accountant_charge(a, epoch, 1, epoch * DAY, NULL), VEIL_OK);
	cr_assert_eq(privacy_accountant_charge(a, 9, 1, 9 * DAY, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "all 7 epochs"), "%s", err.text);
	privacy_accountant_close(a);
}

Test(accountant, a_clock_that_goes_back_gives_nothing_back)
{
	struct privacy_accountant *a;
	struct veil_error err;

	create(2, 100);
	a = reopen(boot);
	cr_assert_eq(privacy_accountant_charge(a, 100, 3, 10 * DAY, NULL), VEIL_OK);
	cr_assert_eq(privacy_accountant_charge(a, 99, 1, 9 * DAY, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "clock went back"), "%s", err.text);
	cr_assert_eq(
		privacy_accountant_charge(a, 100, 1, 9 * DAY, NULL), VEIL_E_INVALID, "the same epoch again");
	cr_assert_eq(privacy_accountant_charge(a, 101, 1, 9 * DAY, NULL), VEIL_OK, "on the latest day");
	cr_assert_eq(privacy_accountant_charge(a, 102, 1, 9 * DAY, NULL), VEIL_E_BUSY);
	cr_assert_eq(privacy_accountant_charge(a, 102, 1, 0, NULL), VEIL_E_BUSY);
	cr_assert_eq(privacy_accountant_charge(a, 102, 1, 11 * DAY, NULL), VEIL_OK);
	privacy_accountant_close(a);
}

Test(accountant, there_is_one_writer_and_readers_need_no_lock)
{
	struct privacy_accountant *a;
	struct privacy_account account;

	create(2, 100);
	a = reopen(boot);
	refuse(boot, VEIL_E_BUSY, "another program");
	cr_assert_eq(privacy_account_read(&account, path, NULL), VEIL_OK);
	cr_assert_eq(account.r64, 21.5 * 64);
	cr_assert_eq(account.goal.delta, 1e-6);
	privacy_accountant_close(a);
	privacy_accountant_close(reopen(boot));
}

Test(accountant, a_copy_is_refused_and_an_old_one_put_back_and_a_missing_count_of_boots)
{
	char old[2048], boots[128], other[300], fresh[300];
	size_t size, boots_size;
	struct privacy_accountant *a;

	create(9, 100);
	size = load(old, sizeof old, "");
	boots_size = load(boots, sizeof boots, ".boots");
	a = reopen(later);
	cr_assert_eq(privacy_accountant_charge(a, 1, 1, DAY, NULL), VEIL_OK);
	privacy_accountant_close(a);
	a = reopen(boot); /* the third boot */
	cr_assert_eq(privacy_accountant_account(a)->ever, 1);
	privacy_accountant_close(a);
	store(old, size, "");
	refuse(boot, VEIL_E_CORRUPT, "an old one was put back");
	refuse(later, VEIL_E_CORRUPT, "an old one was put back");
	store(boots, boots_size, ".boots");
	a = reopen(boot); /* both put back: a rollback of the whole, which nobody can see */
	cr_assert_eq(privacy_accountant_account(a)->ever, 0);
	privacy_accountant_close(a);
	snprintf(other, sizeof other, "%s.boots", path);
	snprintf(fresh, sizeof fresh, "%s.away", path);
	cr_assert_eq(rename(other, fresh), 0);
	refuse(boot, VEIL_E_CORRUPT, "missing");
	cr_assert_eq(rename(fresh, other), 0);
	cr_assert_eq(rename(path, fresh), 0);
	refuse(boot, VEIL_E_NOT_FOUND, "no budget");
	size = load(old, sizeof old, ".away");
	fclose(fopen(path, "wb"));
	store(old, size, "");
	refuse(boot, VEIL_E_CORRUPT, "a copy, or restored");
}

Test(accountant, a_crash_between_the_two_writes_of_a_new_boot_is_no_old_budget)
{
	char boots[128];
	size_t size;
	struct privacy_accountant *a;

	create(9, 100);
	size = load(boots, sizeof boots, ".boots");
	privacy_accountant_close(reopen(later));
	store(boots, size, ".boots");
	a = reopen(later);
	cr_assert_eq(privacy_accountant_charge(a, 1, 1, DAY, NULL), VEIL_OK);
	privacy_accountant_close(a);
	privacy_accountant_close(reopen(boot));
	store(boots, size, ".boots");
	refuse(later, VEIL_E_CORRUPT, "put back"); /* two behind */
}

Test(accountant, a_damaged_slot_counts_as_a_charge_and_two_are_refused)
{
	struct rng rng = test_rng();
	struct privacy_accountant *a;
	char data[2 * PRIVACY_SLOT_BYTES];

	create(1000, 1000);
	for (uint64_t round = 0; round < 100; round++) {
		size_t at = test_below(&rng, sizeof data);

		a = reopen(boot);
		cr_assert_eq(privacy_accountant_account(a)->ever, 2 * round);
		cr_assert_eq(privacy_accountant_charge(a, round, 1, DAY, NULL), VEIL_OK);
		privacy_accountant_close(a);
		load(data, sizeof data, "");
		data[at] = (char)(data[at] ^ (1 << test_below(&rng, 8)));
		store(data, sizeof data, "");
		a = reopen(boot);
		cr_assert_geq(privacy_accountant_account(a)->ever, 2 * round + 1, "byte %zu", at);
		if (privacy_accountant_account(a)->ever == 2 * round + 1)
			cr_assert_eq(privacy_accountant_charge(a, round + 1, 1, DAY, NULL), VEIL_OK);
		privacy_accountant_close(a);
	}
	load(data, sizeof data, "");
	data[0] ^= 1;
	data[PRIVACY_SLOT_BYTES] ^= 1;
	store(data, sizeof data, "");
	refuse(boot, VEIL_E_CORRUPT, "damaged");
}

Test(accountant, nothing_is_made_where_something_has_been_counted)
{
	struct privacy_plan plan = {.goal = {0.8, 1e-6, 3, 0, 0}, .law = {21.5, 0.875}, .p32 = 0xe0000000};
	struct privacy_caps caps = {1, 1}, none = {0, 1};
	char read_boot[PRIVACY_BOOT_SIZE];

	create(9, 100);
	cr_assert_eq(privacy_account_create(path, &plan, &caps, boot, NULL), VEIL_E_INVALID);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(privacy_account_create(path, &plan, &caps, boot, NULL), VEIL_E_INVALID,
		"its count of boots is left");
	snprintf(path, sizeof path, "%s/other", test_tmpdir());
	cr_assert_eq(privacy_account_create(path, &plan, &none, boot, NULL), VEIL_E_INVALID);
	cr_assert_eq(privacy_account_create(path, &plan, &caps, boot, NULL), VEIL_OK);
	cr_assert_eq(privacy_boot_read(read_boot, NULL), VEIL_OK);
	cr_assert_eq(strlen(read_boot), 36);
}
