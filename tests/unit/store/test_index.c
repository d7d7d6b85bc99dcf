/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/format.h"
#include "tiny.h"

static const char *const files[] = {"manifest.json", "codebook.bin", "shard-00000.bin", "shard-00001.bin",
	"labels-00000.bin", "labels-00001.bin"};
#define FILES (sizeof files / sizeof *files)

static char dir[200], version[256];

static void build(void)
{
	tiny_print(dir, sizeof dir, "%s", tiny_path("index"));
	tiny_build(dir, 1, 1, version);
}

static size_t slurp(const char *path, uint8_t *data, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t size;

	cr_assert(f, "%s", path);
	size = fread(data, 1, room, f);
	cr_assert_lt(size, room);
	fclose(f);
	return size;
}

static void spill(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	cr_assert(f, "%s", path);
	cr_assert_eq(fwrite(data, 1, size, f), size);
	fclose(f);
}

/* Changes a file where it stands, which is much faster than writing it again. */
static void patch(const char *path, size_t at, uint8_t byte)
{
	int fd = open(path, O_WRONLY);

	cr_assert_eq(pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

/* Refused, by a sentence that holds both words; gives the status. */
static enum veil_status refused(const char *word, const char *reason)
{
	struct veil_error err = {{0}};
	struct store_index *index;
	enum veil_status st = store_index_open(&index, dir, &err);

	cr_assert_neq(st, VEIL_OK, "%s %s: opened", word, reason);
	cr_assert_null(index);
	cr_assert(strstr(err.text, word) && strstr(err.text, reason), "want \"%s\" \"%s\" in: %s", word,
		reason, err.text);
	return st;
}

static void opens(void)
{
	struct veil_error err = {{0}};
	struct store_index *index;

	cr_assert_eq(store_index_open(&index, dir, &err), VEIL_OK, "%s", err.text);
	store_index_close(index);
}

Test(index, what_was_written_is_read)
{
	struct veil_error err = {{0}};
	struct store_index *index;
	struct index_codebook cb;
	uint8_t hash[HASH_BYTES];

	build();
	for (int i = 0; i < 2; i++) { /* the index directory, the version directory itself */
		cr_assert_eq(store_index_open(&index, i ? version : dir, &err), VEIL_OK, "%s", err.text);
		cr_assert(tiny_same(index, 1));
		cr_assert(!tiny_same(index, 2));
		cr_assert_str_eq(index->name, "tiny");
		cr_assert_str_eq(index->spec.params->name, "search_n2048_q28");
		cr_assert_eq(index->spec.dim, TINY_DIM);
		cr_assert_eq(index->spec.rows, TINY_ROWS);
		cr_assert_eq(index->spec.terms, 2);
		cr_assert_eq(index->spec.row_norm, 254);
		cr_assert_eq(index->spec.scale, 127.0f);
		cr_assert_eq(index->shards, TINY_SHARDS);
		cr_assert_eq(index->label_bytes, TINY_LABEL_BYTES);
		cr_assert_eq(index->records, TINY_RECORDS);
		for (uint32_t s = 0; s < TINY_SHARDS; s++)
			cr_assert_eq((uintptr_t)index->shard[s].rows % 64, 0);
		hash_sha256(hash, index->codebook, index->codebook_size);
		cr_assert_arr_eq(hash, index->codebook_hash, HASH_BYTES);
		cr_assert_eq(index_codebook_read(&cb, index->codebook, index->codebook_size, &err), VEIL_OK);
		cr_assert_eq(cb.centroids[0], 1.0f);
		index_codebook_clear(&cb);
		store_index_close(index);
	}
	store_index_close(NULL);
}

Test(index, a_changed_byte_anywhere_is_refused_by_file_name)
{
	struct rng rng = test_rng();
	static uint8_t data[65536];
	char path[512];

	build();
	for (size_t f = 0; f < FILES; f++) {
		size_t size;

		tiny_print(path, sizeof path, "%s/%s", version, files[f]);
		size = slurp(path, data, sizeof data);
		for (size_t at = 0; at < size; at++) {
			uint8_t bit = (uint8_t)(1 << test_below(&rng, 8));

			patch(path, at, data[at] ^ bit);
			refused(files[f], "");
			patch(path, at, data[at]);
		}
		opens();
	}
}

Test(index, a_file_of_any_other_length_is_refused_by_name)
{
	static uint8_t data[65536];
	char path[512];

	build();
	for (size_t f = 0; f < FILES; f++) {
		size_t size;

		tiny_print(path, sizeof path, "%s/%s", version, files[f]);
		size = slurp(path, data, sizeof data);
		for (size_t length = size; length-- > 0;) {
			cr_assert_eq(truncate(path, (off_t)length), 0);
			refused(files[f], length == 0 ? "empty" : f == 0 ? "" : "truncated");
		}
		data[size] = ' ';
		spill(path, data, size + 1);
		refused(files[f], f == 0 ? "corrupt" : "too long");
		spill(path, data, size);
		opens();
	}
}

Test(index, what_is_not_a_plain_file_is_refused_by_name)
{
	char path[512], aside[512];

	build();
	for (size_t f = 0; f < FILES; f++) {
		tiny_print(path, sizeof path, "%s/%s", version, files[f]);
		tiny_print(aside, sizeof aside, "%s/../../aside", version);
		cr_assert_eq(rename(path, aside), 0);
		if (f == 0) {
			cr_assert_eq(refused("manifest.json", "missing"), VEIL_E_CORRUPT);
		} else {
			cr_assert_eq(refused(files[f], "missing"), VEIL_E_CORRUPT);
		}
		cr_assert_eq(symlink("../../aside", path), 0); /* whole, but behind a link */
		refused(files[f], "symbolic link");
		unlink(path);
		cr_assert_eq(mkfifo(path, 0600), 0);
		refused(files[f], "not a regular file");
		unlink(path);
		cr_assert_eq(mkdir(path, 0700), 0);
		refused(files[f], "not a regular file");
		rmdir(path);
		cr_assert_eq(rename(aside, path), 0);
		opens();
	}
}

Test(index, current_must_name_a_version)
{
	static const char *const bad[] = {"", "\n", "v", "../v0123456789abcdef\n", "v0123456789abcdeF\n",
		"v0123456789abcdef", "v0123456789abcdef0\n", "v0123456789abcde\n", "x0123456789abcdef\n",
		"v0123456789abcdef\nv0123456789abcdef\n", "v../../../../etc/p\n"};
	char path[512], where[512];

	build();
	tiny_print(path, sizeof path, "%s/current", dir);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		spill(path, bad[i], strlen(bad[i]));
		cr_assert_eq(refused("/current", ""), VEIL_E_CORRUPT);
	}
	spill(path, "v0123456789abcdef\n", 18);
	refused("v0123456789abcdef", "missing");
	unlink(path);
	cr_assert_eq(refused(dir, "no index"), VEIL_E_NOT_FOUND);
	cr_assert_eq(symlink(version, path), 0);
	refused("/current", "symbolic link");
	unlink(path);
	tiny_print(where, sizeof where, "%s\n", strrchr(version, '/') + 1);
	spill(path, where, strlen(where));
	opens();
	tiny_print(where, sizeof where, "%s/moved", test_tmpdir());
	cr_assert_eq(rename(version, where), 0);
	cr_assert_eq(symlink(where, version), 0);
	refused(strrchr(version, '/') + 1, "not a directory");
	tiny_print(dir, sizeof dir, "%s", where); /* a version directory under another name */
	refused("manifest.json", "corrupt");
	tiny_print(dir, sizeof dir, "%s/nowhere", test_tmpdir());
	cr_assert_eq(refused("nowhere", "No such file"), VEIL_E_NOT_FOUND);
}

/* A whole index whose manifest was edited, hashes and directory name and all. */
static void edit_manifest(const char *from, const char *to)
{
	static uint8_t data[65536], edited[65536];
	char path[512], fresh[512], name[STORE_NAME_SIZE];
	uint8_t hash[HASH_BYTES];
	size_t size, before;
	char *at;

	tiny_print(path, sizeof path, "%s/manifest.json", version);
	size = slurp(path, data, sizeof data - 1);
	data[size] = 0;
	at = strstr((char *)data, from);
	cr_assert(at, "%s", from);
	before = (size_t)(at - (char *)data);
	size = (size_t)snprintf(
		(char *)edited, sizeof edited, "%.*s%s%s", (int)before, data, to, at + strlen(from));
	spill(path, edited, size);
	hash_sha256(hash, edited, size);
	store_version_name(name, hash);
	tiny_print(fresh, sizeof fresh, "%s/%s", dir, name);
	cr_assert_eq(rename(version, fresh), 0);
	tiny_print(version, sizeof version, "%s", fresh);
	tiny_print(path, sizeof path, "%s/current", dir);
	name[17] = '\n';
	spill(path, name, 18);
}

Test(index, another_version_of_the_format_is_told_as_such)
{
	build();
	edit_manifest("\"version\": 1", "\"version\": 2");
	cr_assert_eq(refused("manifest.json", "newer program"), VEIL_E_VERSION);
}

Test(index, a_manifest_that_was_edited_with_care_does_not_fit_its_files)
{
	build();
	edit_manifest("\"name\": \"tiny\"", "\"name\": \"other\"");
	opens(); /* the editing itself is sound */
	edit_manifest("\"used\": 3", "\"used\": 4");
	refused("shard-00000.bin", "rows in use");
	edit_manifest("\"used\": 4", "\"used\": 3");
	edit_manifest("\"records\": 6", "\"records\": 8");
	refused("manifest.json", "\"records\"");
}
