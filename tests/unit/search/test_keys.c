/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "search/keys.h"
#include "support/test.h"

/* The gateway's keys by the calendar, with a clock of our own. */

#define NOW 1000000

static void write_text(const char *name, const char *text, mode_t mode)
{
	test_file_write(name, text, strlen(text), mode);
}

static const char *key_text(unsigned id, unsigned kem, int64_t begins, int64_t ends)
{
	static char text[1024];
	int at = snprintf(text, sizeof text,
		"veil gateway key 1\nid %u\nkem 0x%04x\nnot-before %" PRId64 "\nnot-after %" PRId64
		"\nprivate ",
		id, kem, begins, ends);

	for (unsigned i = 0; i < 32; i++)
		at += snprintf(text + at, sizeof text - (size_t)at, "%02x", (id + i) & 127);
	snprintf(text + at, sizeof text - (size_t)at, "\n");
	return text;
}

static void write_key(unsigned id, unsigned kem, int64_t begins, int64_t ends)
{
	char name[32];

	snprintf(name, sizeof name, "%03u.key", id);
	write_text(name, key_text(id, kem, begins, ends), 0600);
}

static struct crypto *get_crypto(void)
{
	static struct crypto *c;

	if (!c)
		cr_assert_eq(crypto_create(&c, NULL), VEIL_OK);
	return c;
}

static struct keys *load(int64_t grace, int64_t now)
{
	struct veil_error err = {{0}};
	struct keys *k;

	cr_assert_eq(keys_load(&k, get_crypto(), test_tmpdir(), grace, now, &err), VEIL_OK, "%s", err.text);
	return k;
}

static void expect_published(const struct keys *k, int64_t now, const char *expected)
{
	size_t list[KEYCONFIG_MAX], n = keys_published(k, now, list), at = 0;
	char got[64] = "";

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(
			got + at, sizeof got - at, "%s%u", i ? " " : "", k->entry[list[i]].message.config.id);
	cr_assert_str_eq(got, expected, "at %" PRId64, now - NOW);
}

Test(rfc9458, line_16_a_key_is_next_active_retiring_and_over_to_the_second)
{
	static const struct {
		int64_t at;
		enum keys_state state;
	} life[] = {{-1, KEYS_NEXT}, {0, KEYS_ACTIVE}, {99, KEYS_ACTIVE}, {100, KEYS_RETIRING},
		{149, KEYS_RETIRING}, {150, KEYS_OVER}};
	struct keys *k;

	write_key(1, KEM_X25519, NOW, NOW + 100);
	k = load(50, NOW);
	for (size_t i = 0; i < sizeof life / sizeof *life; i++)
		cr_assert_eq(keys_state(k, k->entry, NOW + life[i].at), life[i].state, "%zu", i);
	cr_assert_str_eq(k->entry->name, "001");
	keys_destroy(k);
	k = load(50, NOW + 149);
	cr_assert_eq(k->count, 1u);
	keys_destroy(k);
	k = load(50, NOW + 150); /* what is over is not read any more */
	cr_assert_eq(k->count, 0u);
	keys_destroy(k);
	keys_destroy(NULL);
}

Test(keys, active_ones_are_published_the_newest_first_and_the_soonest_next_one_of_each_kem)
{
	struct keys *k;

	write_key(5, KEM_X25519, NOW - 200, NOW + 10); /* about to retire */
	write_key(4, KEM_X25519, NOW - 100, NOW + 100);
	write_key(3, KEM_X25519, NOW + 100, NOW + 200);
	write_key(2, KEM_X25519, NOW + 50, NOW + 150);
	write_key(1, KEM_P256, NOW + 70, NOW + 150);
	write_key(0, KEM_X25519, NOW - 100, NOW + 100); /* twins stand by identifier */
	k = load(20, NOW);
	cr_assert_eq(k->count, 6u);
	expect_published(k, NOW - 201, "5 1");
	expect_published(k, NOW - 101, "5 0 1");
	expect_published(k, NOW, "0 4 5 2 1");
	expect_published(k, NOW + 9, "0 4 5 2 1");
	expect_published(k, NOW + 10, "0 4 2 1");
	expect_published(k, NOW + 50, "2 0 4 1 3");
	expect_published(k, NOW + 100, "3 1 2");
	expect_published(k, NOW + 150, "3");
	expect_published(k, NOW + 200, "");
	expect_published(k, NOW + 9, "0 4 5 2 1"); /* of the time alone: it may go back */
	keys_destroy(k);
}

Test(keys, more_than_a_list_holds_are_published_by_rank)
{
	struct keys *k;

	for (unsigned id = 0; id < 12; id++)
		write_key(id, KEM_X25519, NOW - 100 + id, NOW + 100);
	k = load(0, NOW);
	expect_published(k, NOW, "11 10 9 8 7 6 5 4");
	keys_destroy(k);
}

static void expect_refused(enum veil_status status, const char *name, const char *word)
{
	struct veil_error err = {{0}};
	struct keys *k;

	cr_assert_eq(
		keys_load(&k, get_crypto(), test_tmpdir(), 0, NOW, &err), status, "%s: %s", word, err.text);
	cr_assert_null(k);
	cr_assert(strstr(err.text, name) && strstr(err.text, word), "%s, not %s", err.text, word);
	unlink(test_file(name));
}

Test(keys, a_file_that_others_may_read_or_that_is_no_key_is_refused_by_name)
{
	static const mode_t open_to_others[] = {0644, 0640, 0604, 0620, 0602, 0610, 0601};
	static const struct {
		const char *from, *to, *word;
	} wrong[] = {
		{"veil", "evil", "not a gateway key"},
		{"key 1", "key 2", "not a gateway key"},
		{"id 7", "id 256", "not a gateway key"},
		{"id 7", "id -1", "not a gateway key"},
		{"id 7", "", "not a gateway key"},
		{"0x0020", "0x10020", "not a gateway key"},
		{"0x0020", "0x0030", "KEM 0x0030"},
		{"not-before 999999", "not-before 1000001", "not a gateway key"},
		{"not-before 999999", "not-before -5", "not a gateway key"},
		{"not-after 1000001", "not-after 9223372036854775807", "not a gateway key"},
		{"private ", "", "not a gateway key"},
		{"private 07", "private 0", "private key has not 32"},
		{"private 07", "private 0707", "private key has not 32"},
		{"private 07", "private 0G", "private key has not 32"},
		{"private 0708090a0b0c0d", "private 0708090A0B0C0D", "private key has not 32"},
		{"26\n", "26\nmore", "goes on"},
	};
	const char *good = key_text(7, KEM_X25519, NOW - 1, NOW + 1);
	char text[2048];

	for (size_t i = 0; i < sizeof open_to_others / sizeof *open_to_others; i++) {
		write_text("x.key", good, open_to_others[i]);
		expect_refused(VEIL_E_INVALID, "x.key", "chmod 600");
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		const char *at = strstr(good, wrong[i].from);

		cr_assert_not_null(at, "%s", wrong[i].from);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, wrong[i].to,
			at + strlen(wrong[i].from));
		write_text("x.key", text, 0600);
		expect_refused(strstr(wrong[i].word, "KEM") ? VEIL_E_UNSUPPORTED : VEIL_E_INVALID, "x.key",
			wrong[i].word);
	}
	for (size_t size = 0; size + 1 < strlen(good);
		size++) { /* cut anywhere; the last line break may miss */
		snprintf(text, sizeof text, "%.*s", (int)size, good);
		write_text("x.key", text, 0600);
		expect_refused(VEIL_E_INVALID, "x.key", "");
	}
	cr_assert_eq(mkdir(test_file("x.key"), 0700), 0);
	expect_refused(VEIL_E_INVALID, "x.key", "not a file");
	rmdir(test_file("x.key"));
	cr_assert_eq(mkfifo(test_file("x.key"), 0600), 0); /* does not hang */
	expect_refused(VEIL_E_INVALID, "x.key", "not a file");
	cr_assert_eq(symlink("nowhere", test_file("x.key")), 0);
	expect_refused(VEIL_E_IO, "x.key", "No such file");
	write_key(7, KEM_X25519, NOW - 1, NOW + 1);
	write_text("x.key", good, 0600);
	expect_refused(VEIL_E_INVALID, "x.key", "identifier 7");
	write_text(".x.key", "hidden", 0644), write_text("x.key.new", "unfinished", 0644),
		write_text(".key", "", 0644);
	keys_destroy(load(0, NOW));
}

Test(keys, a_new_key_follows_the_last_of_its_kem_under_an_identifier_that_is_free)
{
	struct veil_error err = {{0}};
	char path[1024], dir[1024];
	struct keys *k;

	snprintf(dir, sizeof dir, "%s/keys", test_tmpdir());
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(keys_make(get_crypto(), dir, i < 2 ? "x25519" : "P256", 1, 50, NOW, path,
				     sizeof path, &err),
			VEIL_OK, "%s", err.text);
	}
	cr_assert_eq(keys_load(&k, get_crypto(), dir, 50, NOW, &err), VEIL_OK);
	cr_assert_eq(k->count, 3u);
	for (size_t i = 0; i < 3; i++) {
		const struct keys_entry *e = k->entry + i;
		bool second = e->message.config.id == 2;

		cr_assert_eq(e->not_before, NOW + (second ? 86400 : 0));
		cr_assert_eq(e->not_after, e->not_before + 86400);
		cr_assert_eq(e->key->kem->id, e->message.config.id == 3 ? KEM_P256 : KEM_X25519);
	}
	keys_destroy(k);
	cr_assert_eq(keys_make(get_crypto(), dir, "x448", 1, 50, NOW, path, sizeof path, &err),
		VEIL_E_UNSUPPORTED);
	cr_assert(strstr(err.text, "x448"));
	cr_assert_eq(keys_make(get_crypto(), "/proc/none/x", "p256", 1, 50, NOW, path, sizeof path, &err),
		VEIL_E_IO);
}
