/* SPDX-License-Identifier: Apache-2.0 */
#include "base/keyfile.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

#define CAPACITY 16

static void expect_refused(enum veil_status status, const char *name, const char *word)
{
	struct veil_error err = {""};
	char text[CAPACITY];

	cr_assert_eq(keyfile_read(text, sizeof text, test_file(name), &err), status, "%s", word);
	cr_assert(strstr(err.text, name) && strstr(err.text, word), "%s", err.text);
}

static void expect_text(const char *name, const char *expected)
{
	struct veil_error err = {""};
	char text[CAPACITY];

	cr_assert_eq(keyfile_read(text, sizeof text, test_file(name), &err), VEIL_OK, "%s", err.text);
	cr_assert_str_eq(text, expected);
}

static bool is_there(const char *name)
{
	return access(test_file(name), F_OK) == 0;
}

Test(keyfile, a_file_that_anyone_but_its_owner_may_touch_is_refused)
{
	static const unsigned wrong[] = {0644, 0640, 0604, 0620, 0602, 0610, 0601, 0777};

	test_file_write("key", "secret", 6, 0600);
	expect_text("key", "secret");
	test_file_write("key", "secret", 6, 0400);
	expect_text("key", "secret");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cr_assert_eq(chmod(test_file("key"), wrong[i]), 0);
		expect_refused(VEIL_E_INVALID, "key", "chmod 600");
	}
}

Test(keyfile, what_is_longer_than_the_room_is_cut_so_that_its_reader_can_tell)
{
	static const char text[] = "0123456789abcdefg";

	for (size_t size = 0; size < sizeof text; size++) {
		char expected[CAPACITY] = "";

		memcpy(expected, text, size < CAPACITY - 1 ? size : CAPACITY - 1);
		test_file_write("key", text, size, 0600);
		expect_text("key", expected);
	}
}

Test(keyfile, what_is_no_file_is_refused_and_nothing_waits_for_it)
{
	expect_refused(VEIL_E_IO, "missing", "No such file");
	cr_assert_eq(mkfifo(test_file("fifo"), 0600), 0);
	expect_refused(VEIL_E_INVALID, "fifo", "not a file");
	cr_assert_eq(mkdir(test_file("directory"), 0700), 0);
	expect_refused(VEIL_E_INVALID, "directory", "not a file");
	cr_assert_eq(symlink("missing", test_file("to-nothing")), 0);
	expect_refused(VEIL_E_IO, "to-nothing", "No such file");
	cr_assert_eq(symlink("fifo", test_file("to-fifo")), 0);
	expect_refused(VEIL_E_INVALID, "to-fifo", "not a file");
}

/* Secrets of a cluster are mounted behind links. */
Test(keyfile, behind_a_link_it_is_the_mode_of_the_file_that_counts)
{
	test_file_write("key", "secret", 6, 0600);
	cr_assert_eq(symlink("key", test_file("link")), 0);
	expect_text("link", "secret");
	cr_assert_eq(chmod(test_file("key"), 0644), 0);
	expect_refused(VEIL_E_INVALID, "link", "chmod 600");
}

Test(keyfile, what_is_written_has_its_mode_and_replaces_a_link_not_what_it_points_to)
{
	static const unsigned modes[] = {0600, 0644};
	struct veil_error err = {""};
	struct stat info;

	umask(022);
	test_file_write("precious", "precious", 8, 0600);
	cr_assert_eq(symlink("precious", test_file("key")), 0);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(
			keyfile_write(test_file("key"), "new", 3, modes[i], &err), VEIL_OK, "%s", err.text);
		cr_assert_eq(lstat(test_file("key"), &info), 0);
		cr_assert(S_ISREG(info.st_mode));
		cr_assert_eq(info.st_mode & 07777, modes[i]);
		cr_assert_eq(info.st_size, 3);
		cr_assert(!is_there("key.new"));
	}
	expect_text("precious", "precious");
	cr_assert_eq(symlink("precious", test_file("key.new")), 0);
	cr_assert_eq(keyfile_write(test_file("key"), "other", 5, 0600, &err), VEIL_E_IO);
	cr_assert(strstr(err.text, "key.new is there already"), "%s", err.text);
	expect_text("precious", "precious");
}

Test(keyfile, what_cannot_be_written_leaves_what_was_there)
{
	const struct rlimit small = {4, 4};
	struct veil_error err = {""};
	char longest[1300];

	test_file_write("key", "before", 6, 0600);
	cr_assert_eq(keyfile_write(test_file("nowhere/key"), "new", 3, 0600, &err), VEIL_E_IO);
	cr_assert(strstr(err.text, "No such file"), "%s", err.text);
	memset(longest, '/', sizeof longest);
	snprintf(longest + sizeof longest - 8, 8, "tmp/key");
	cr_assert_eq(keyfile_write(longest, "new", 3, 0600, &err), VEIL_E_IO);
	cr_assert(strstr(err.text, "too long"), "%s", err.text);
	cr_assert_eq(mkdir(test_file("directory"), 0700), 0);
	cr_assert_eq(keyfile_write(test_file("directory"), "new", 3, 0600, &err), VEIL_E_IO);
	cr_assert(!is_there("directory.new"));
	signal(SIGXFSZ, SIG_IGN); /* a full disk: four bytes go, the rest does not */
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_assert_eq(keyfile_write(test_file("key"), "after", 5, 0600, &err), VEIL_E_IO);
	cr_assert(strstr(err.text, "key") && strstr(err.text, "No space"), "%s", err.text);
	cr_assert(!is_there("key.new"));
	expect_text("key", "before");
}
