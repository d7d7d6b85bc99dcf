/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/trust.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

#define BEGIN 1000
#define NOW 1500
#define END 2000

static const uint8_t seeds[3][SIGN_SEED_BYTES] = {{1}, {2}, {3}};

static void write_trust(int key)
{
	uint8_t public_key[SIGN_PUBLIC_BYTES];
	char hex[HASH_HEX_SIZE], text[256];

	sign_public_key(public_key, seeds[key]);
	hash_hex(hex, public_key);
	snprintf(text, sizeof text, "# of the operator\n\noperator %s\n", hex);
	test_file_write("trust", text, strlen(text), 0644);
}

static void open_trust(struct trust *t, int key)
{
	struct veil_error err = {""};

	write_trust(key);
	cr_assert_eq(
		trust_open(t, test_file("trust"), test_file("above/state"), &err), VEIL_OK, "%s", err.text);
}

/* Signed by the seeds from `first` on, it names one key; `extra` makes other bytes of the same number. */
static struct bytes make(uint64_t sequence, int first, size_t count, int named, uint32_t extra)
{
	struct wire_signed s = {.sequence = sequence,
		.not_before = BEGIN,
		.not_after = END,
		.reply_bytes = extra,
		.authority = "search.example",
		.key_count = 1};
	struct veil_error err = {""};
	struct bytes out;
	uint8_t *data;

	sign_public_key(s.keys[0], seeds[named]);
	cr_assert_eq(
		wire_signed_write(&data, &out.size, &s, seeds + first, count, &err), VEIL_OK, "%s", err.text);
	out.data = data;
	return out;
}

static void expect_at(
	const struct trust *t, struct bytes object, int64_t now, enum veil_status status, const char *word)
{
	struct veil_error err = {""};
	struct wire_signed s;

	cr_assert_eq(trust_accept(t, &s, object, now, &err), status, "%s: %s", word, err.text);
	cr_assert_eq(s.sequence > 0, status == VEIL_OK);
	cr_assert(strstr(err.text, word), "%s: %s", word, err.text);
}

static void expect(const struct trust *t, struct bytes object, enum veil_status status, const char *word)
{
	expect_at(t, object, NOW, status, word);
	free((uint8_t *)(uintptr_t)object.data);
}

static void expect_no_trust(const char *text, enum veil_status status, const char *word)
{
	struct veil_error err = {""};
	struct trust t;

	if (text)
		test_file_write("trust", text, strlen(text), 0644);
	cr_assert_eq(trust_open(&t, test_file("trust"), test_file("state"), &err), status, "%s", word);
	cr_assert(strstr(err.text, word) && strstr(err.text, "trust"), "%s", err.text);
	trust_clear(&t);
}

Test(trust, without_the_file_nothing_is_trusted)
{
	expect_no_trust(NULL, VEIL_E_IO, "nothing is trusted on first use");
	cr_assert_eq(mkdir(test_file("trust"), 0700), 0);
	expect_no_trust(NULL, VEIL_E_IO, "nothing is trusted on first use");
	cr_assert_neq(access(test_file("state"), F_OK), 0);
}

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"
#define KEY(end) "operator " DIGITS end "\n"

Test(trust, a_trust_file_that_is_none_is_refused_by_its_line)
{
	static const char *const wrong[] = {"operator\n", KEY("0"), KEY("000"), KEY("0G"), KEY("0A"),
		KEY("00 "), KEY("00\r"), " " KEY("00"), "Operator " DIGITS "00\n", "keys " DIGITS "00\n"};
	char text[5000];

	expect_no_trust("", VEIL_E_INVALID, "holds no key");
	expect_no_trust("# operator\n\n", VEIL_E_INVALID, "holds no key");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(text, sizeof text, "#\n" KEY("00") "%s", wrong[i]);
		expect_no_trust(text, VEIL_E_INVALID, "trust:3:");
	}
	expect_no_trust(
		KEY("00") KEY("01") KEY("02") KEY("03") KEY("04"), VEIL_E_INVALID, "trust:5: more than 4");
	expect_no_trust("relay " DIGITS "00\n", VEIL_E_INVALID, "holds no key");
	expect_no_trust(KEY("00") "relay " DIGITS "0\n", VEIL_E_INVALID, "trust:2:");
	memset(text, '#', sizeof text);
	text[4097] = 0;
	expect_no_trust(text, VEIL_E_INVALID, "at most 4096");
	test_file_write("trust", "a\0b", 3, 0644);
	expect_no_trust(NULL, VEIL_E_INVALID, "not a text");
}

Test(trust, who_counts_a_crowd_is_a_line_of_its_own_and_the_state_stays_that_of_the_operator)
{
	static const char text[] = "relay " DIGITS "01\n" KEY("00") "relay " DIGITS "02\n";
	struct trust with, without;

	test_file_write("trust", text, sizeof text - 1, 0644);
	cr_assert_eq(trust_open(&with, test_file("trust"), test_file("state"), NULL), VEIL_OK);
	test_file_write("trust", KEY("00"), strlen(KEY("00")), 0644);
	cr_assert_eq(trust_open(&without, test_file("trust"), test_file("state"), NULL), VEIL_OK);
	cr_assert(with.key_count == 1 && with.relay_count == 2 && without.relay_count == 0);
	cr_assert(with.relays[0][31] == 1 && with.relays[1][31] == 2);
	cr_assert_str_eq(with.file, without.file);
	trust_clear(&with);
	trust_clear(&without);
}

Test(trust, the_order_of_the_keys_does_not_matter)
{
	static const char *const texts[] = {KEY("00") KEY("01") KEY("02"), KEY("02") KEY("00") KEY("01")};
	struct trust t[2];

	for (int i = 0; i < 2; i++) {
		test_file_write("trust", texts[i], strlen(texts[i]), 0644);
		cr_assert_eq(trust_open(&t[i], test_file("trust"), test_file("state"), NULL), VEIL_OK);
	}
	cr_assert_str_eq(t[0].file, t[1].file);
	for (int i = 0; i < 2; i++)
		trust_clear(&t[i]);
}

Test(trust, an_older_one_and_another_of_the_same_number_are_refused_in_the_next_process_too)
{
	struct stat info;
	struct trust t;

	for (int process = 0; process < 2; process++) {
		open_trust(&t, 0);
		if (process == 0) {
			expect(&t, make(4, 0, 1, 0, 0), VEIL_OK, "");
			expect(&t, make(7, 0, 1, 0, 0), VEIL_OK, "");
		}
		expect(&t, make(7, 0, 1, 0, 0), VEIL_OK, "");
		expect(&t, make(6, 0, 1, 0, 0), VEIL_E_VERSION, "an old one is being shown");
		expect(&t, make(4, 0, 1, 0, 0), VEIL_E_VERSION, "number 4, but 7 was seen");
		expect(&t, make(7, 0, 1, 0, 1), VEIL_E_VERSION,
			"two signed configurations with the number 7");
		cr_assert_eq(stat(t.file, &info), 0);
		cr_assert_eq(info.st_mode & 07777, 0600);
		cr_assert_eq(stat(t.directory, &info), 0);
		cr_assert_eq(info.st_mode & 07777, 0700);
		trust_clear(&t);
	}
	open_trust(&t, 1); /* another operator: a new beginning */
	expect(&t, make(1, 1, 1, 1, 0), VEIL_OK, "");
	trust_clear(&t);
}

Test(trust, what_is_refused_is_not_remembered)
{
	struct bytes object = make(9, 0, 1, 0, 0);
	struct trust t;

	open_trust(&t, 0);
	expect_at(&t, object, BEGIN - 1, VEIL_E_VERSION, "not valid before 1 s");
	expect_at(&t, object, END, VEIL_E_VERSION, "out of date");
	expect_at(&t, object, INT64_MAX, VEIL_E_VERSION, "out of date");
	((uint8_t *)(uintptr_t)object.data)[object.size - 1] ^= 1;
	expect(&t, object, VEIL_E_MALFORMED, "wrong signature");
	expect(&t, make(8, 1, 1, 0, 0), VEIL_E_INVALID, "none of the keys");
	expect_at(&t, (struct bytes){NULL, 0}, NOW, VEIL_E_MALFORMED, "cut off");
	cr_assert_neq(access(t.file, F_OK), 0);
	expect(&t, make(1, 0, 1, 0, 0), VEIL_OK, "");

	object = make(1, 0, 1, 0, 0); /* what was seen is out of date one day as well */
	expect_at(&t, object, END, VEIL_E_VERSION, "out of date");
	free((uint8_t *)(uintptr_t)object.data);
	trust_clear(&t);
}

Test(trust, keys_are_changed_by_an_object_that_the_old_one_signed)
{
	struct trust t;

	open_trust(&t, 0);
	expect(&t, make(1, 1, 1, 1, 0), VEIL_E_INVALID, "none of the keys");
	expect(&t, make(2, 0, 1, 1, 0), VEIL_OK, "");
	expect(&t, make(2, 0, 1, 1, 0), VEIL_OK, ""); /* shown until there is another */
	expect(&t, make(3, 0, 1, 0, 0), VEIL_E_INVALID, "none of the keys");
	expect(&t, make(2, 1, 1, 1, 0), VEIL_E_VERSION, "two signed configurations");
	expect(&t, make(3, 1, 2, 2, 0), VEIL_OK, "");
	expect(&t, make(4, 1, 1, 1, 0), VEIL_E_INVALID, "none of the keys");
	trust_clear(&t);
	open_trust(&t, 0); /* the trust file does not bring the old key back */
	expect(&t, make(4, 0, 1, 0, 0), VEIL_E_INVALID, "none of the keys");
	expect(&t, make(4, 2, 1, 2, 0), VEIL_OK, "");
	trust_clear(&t);
}

Test(trust, a_state_that_is_cut_or_damaged_is_refused_and_left_as_it_is)
{
	char text[512] = "", name[128];
	struct trust t;
	size_t size;
	FILE *f;

	open_trust(&t, 0);
	expect(&t, make(5, 0, 1, 0, 0), VEIL_OK, "");
	f = fopen(t.file, "r");
	size = fread(text, 1, sizeof text - 2, f);
	fclose(f);
	snprintf(name, sizeof name, "above/state/%s", strrchr(t.file, '/') + 1);
	for (size_t n = 0; n < size; n++) {
		test_file_write(name, text, n, 0600);
		expect(&t, make(6, 0, 1, 0, 0), VEIL_E_CORRUPT, "is damaged");
	}
	for (size_t i = 0; i < size; i++) {
		char was = text[i];

		text[i] = was == '\n' ? '_' : was == ' ' ? '_' : 'Z';
		test_file_write(name, text, size, 0600);
		expect(&t, make(6, 0, 1, 0, 0), VEIL_E_CORRUPT, "remove it");
		text[i] = was;
	}
	text[size] = '\n';
	test_file_write(name, text, size + 1, 0600);
	expect(&t, make(6, 0, 1, 0, 0), VEIL_E_CORRUPT, t.file);
	text[size] = 0;
	test_file_write(name, text, size + 1, 0600);
	expect(&t, make(6, 0, 1, 0, 0), VEIL_E_INVALID, t.file);
	test_file_write(name, text, size, 0600);
	expect(&t, make(4, 0, 1, 0, 0), VEIL_E_VERSION, "5 was seen");
	trust_clear(&t);
}

Test(trust, one_that_was_killed_while_it_wrote_stops_nobody)
{
	char left[1200];
	struct trust t;
	FILE *f;

	open_trust(&t, 0);
	expect(&t, make(1, 0, 1, 0, 0), VEIL_OK, "");
	snprintf(left, sizeof left, "%s.new", t.file);
	f = fopen(left, "w");
	cr_assert(f);
	fputs("veil state", f);
	fclose(f);
	expect(&t, make(2, 0, 1, 0, 0), VEIL_OK, "");
	cr_assert_neq(access(left, F_OK), 0);
	trust_clear(&t);
}

Test(trust, where_no_state_can_be_kept_nothing_is_used)
{
	char deep[1300];
	struct veil_error err = {""};
	struct trust t;

	test_file_write("above", "", 0, 0600); /* a file where the directory should be */
	open_trust(&t, 0);
	expect(&t, make(1, 0, 1, 0, 0), VEIL_E_IO, "--state");
	trust_clear(&t);
	memset(deep, '/', sizeof deep);
	snprintf(deep + sizeof deep - 4, 4, "tmp");
	cr_assert_eq(trust_open(&t, test_file("trust"), deep, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "too long"), "%s", err.text);
}

/* --- two processes */

#define ROUNDS 20

/* Takes its own object of each number; notes which were believed. */
static void accept_all(const struct trust *t, uint8_t *believed, struct bytes object[ROUNDS])
{
	for (int i = 0; i < ROUNDS; i++) {
		struct wire_signed s;
		enum veil_status st = trust_accept(t, &s, object[i], NOW, NULL);

		believed[i] = st == VEIL_OK ? 1 : st == VEIL_E_VERSION ? 0 : 99;
	}
}

Test(trust, two_processes_never_believe_two_objects_of_one_number)
{
	uint8_t(*believed)[ROUNDS] =
		mmap(NULL, 2 * ROUNDS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct bytes objects[2][ROUNDS];
	pid_t pid[2];
	struct trust t;
	int status;

	cr_assert_neq(believed, MAP_FAILED);
	open_trust(&t, 0);
	for (int p = 0; p < 2; p++)
		for (int i = 0; i < ROUNDS; i++)
			objects[p][i] = make((uint64_t)i + 1, 0, 1, 0, (uint32_t)p);
	for (int p = 0; p < 2; p++) {
		pid[p] = fork();
		cr_assert(pid[p] >= 0);
		if (pid[p] == 0) {
			accept_all(&t, believed[p], objects[p]);
			_exit(0);
		}
	}
	for (int p = 0; p < 2; p++) {
		cr_assert_eq(waitpid(pid[p], &status, 0), pid[p]);
		cr_assert_eq(status, 0);
	}
	for (int i = 0; i < ROUNDS; i++)
		cr_assert_eq(believed[0][i] + believed[1][i], 1, "number %d: %d and %d", i + 1,
			believed[0][i], believed[1][i]);
	for (int p = 0; p < 2; p++)
		for (int i = 0; i < ROUNDS; i++)
			free((uint8_t *)(uintptr_t)objects[p][i].data);
	munmap(believed, 2 * ROUNDS);
	trust_clear(&t);
}
