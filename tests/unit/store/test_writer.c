/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tiny.h"

/* Entries of a directory, and how many of them are versions. */
static unsigned count(const char *dir, unsigned *versions)
{
	DIR *list = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	cr_assert(list, "%s", dir);
	*versions = 0;
	while ((e = readdir(list))) {
		n += e->d_name[0] != '.';
		*versions += e->d_name[0] == 'v';
	}
	closedir(list);
	return n;
}

static void is_kind(const char *dir, int kind)
{
	struct veil_error err = {{0}};
	struct store_index *index;

	cr_assert_eq(store_index_open(&index, dir, &err), VEIL_OK, "%s", err.text);
	cr_assert(tiny_same(index, kind));
	store_index_close(index);
}

Test(writer, as_many_earlier_versions_stay_as_asked)
{
	char version[8][256], dir[64];
	unsigned versions;

	for (unsigned keep = 0; keep < 4; keep++) {
		snprintf(dir, sizeof dir, "%.40s/keep%u", test_tmpdir(), keep);
		for (int kind = 0; kind < 8; kind++) {
			unsigned want = (unsigned)kind < keep ? (unsigned)kind : keep;

			tiny_build(dir, kind, keep, version[kind]);
			is_kind(dir, kind);
			cr_assert_eq(count(dir, &versions), versions + 3); /* and current, previous, lock */
			cr_assert_eq(versions, 1 + want);
			for (unsigned back = 1; back <= want; back++)
				is_kind(version[kind - (int)back], kind - (int)back);
		}
	}
	tiny_build(dir, 0, 1, version[0]); /* fewer from now on */
	count(dir, &versions);
	cr_assert_eq(versions, 2);
	tiny_build(dir, 7, 1, version[1]); /* the last one again */
	is_kind(dir, 7);
	is_kind(version[0], 0);
	count(dir, &versions);
	cr_assert_eq(versions, 2);
}

Test(writer, the_same_content_is_the_same_version_and_mends_a_damaged_one)
{
	char first[256], second[256], path[300];
	const char *dir = tiny_path("index");
	struct veil_error err = {{0}};
	struct store_index *index;
	unsigned versions;

	tiny_build(dir, 3, 1, first);
	tiny_build(dir, 3, 1, second);
	cr_assert_str_eq(first, second);
	count(dir, &versions);
	cr_assert_eq(versions, 1);
	tiny_print(path, sizeof path, "%s/shard-00001.bin", first);
	cr_assert_eq(truncate(path, 70), 0);
	cr_assert_eq(store_index_open(&index, dir, &err), VEIL_E_CORRUPT);
	tiny_build(dir, 3, 1, second);
	is_kind(dir, 3);
}

Test(writer, two_writers_do_not_meet)
{
	char version[256];
	const char *dir = tiny_path("index");
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];
	struct store_writer *w;
	struct stat st;

	tiny_build(dir, 1, 1, version);
	cr_assert_eq(store_writer_create(&w, dir, &err), VEIL_OK, "%s", err.text);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(tiny_try(dir, 2, 1, id, &err), VEIL_E_BUSY);
		cr_assert(strstr(err.text, "another build") && strstr(err.text, dir), "%s", err.text);
		tiny_print(
			version, sizeof version, "%s/building", dir); /* the loser has cleared nothing away */
		cr_assert_eq(stat(version, &st), 0);
	}
	is_kind(dir, 1);
	store_writer_destroy(w);
	cr_assert_neq(stat(version, &st), 0);
	tiny_build(dir, 2, 1, version);
	is_kind(dir, 2);
	store_writer_destroy(NULL);
}

Test(writer, what_a_dead_writer_left_is_removed)
{
	char version[256], path[300];
	const char *dir = tiny_path("index");
	static const char *const litter[] = {"building/shard-00000.bin", "building/x", "current.new",
		"previous.new", "v0123456789abcdef/manifest.json"};
	unsigned versions;

	tiny_build(dir, 1, 1, version);
	for (size_t i = 0; i < sizeof litter / sizeof *litter; i++) {
		int fd;

		tiny_print(path, sizeof path, "%s/%s", dir, litter[i]);
		if (strchr(litter[i], '/')) {
			*strrchr(path, '/') = 0;
			mkdir(path, 0755);
			path[strlen(path)] = '/';
		}
		fd = open(path, O_CREAT | O_WRONLY, 0644);
		cr_assert_geq(fd, 0, "%s", path);
		close(fd);
	}
	is_kind(dir, 1); /* litter does not disturb readers */
	tiny_build(dir, 2, 1, version);
	is_kind(dir, 2);
	cr_assert_eq(count(dir, &versions), versions + 3);
	cr_assert_eq(versions, 2);
}

Test(writer, versions_are_not_removed_because_current_is_lost)
{
	char first[256], second[256], third[256], path[300];
	const char *dir = tiny_path("index");
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];
	unsigned versions;

	tiny_build(dir, 1, 1, first);
	tiny_print(path, sizeof path, "%s/current", dir);
	cr_assert_eq(unlink(path), 0);
	tiny_build(dir, 2, 1, second); /* the one that was alone is the earlier one now */
	is_kind(first, 1);
	is_kind(dir, 2);
	cr_assert_eq(unlink(path), 0);
	tiny_build(dir, 3, 2, third); /* `previous` names the first: the second was in force */
	is_kind(first, 1);
	is_kind(second, 2);
	is_kind(dir, 3);
	cr_assert_eq(unlink(path), 0);
	tiny_print(path, sizeof path, "%s/previous", dir);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(tiny_try(dir, 4, 1, id, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "holds 3 versions") && strstr(err.text, "\"current\""), "%s", err.text);
	count(dir, &versions);
	cr_assert_eq(versions, 3);
	is_kind(first, 1);
	is_kind(second, 2);
	is_kind(third, 3);
}

Test(writer, a_directory_of_other_things_is_left_alone)
{
	char path[300];
	const char *dir = tiny_path("home");
	struct veil_error err = {{0}};
	struct store_writer *w;
	struct stat st;
	unsigned versions;
	int fd;

	cr_assert_eq(mkdir(dir, 0755), 0);
	tiny_print(path, sizeof path, "%s/letter.txt", dir);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	close(fd);
	cr_assert_eq(store_writer_create(&w, dir, &err), VEIL_E_INVALID);
	cr_assert_null(w);
	cr_assert(strstr(err.text, "letter.txt"), "%s", err.text);
	cr_assert_eq(count(dir, &versions), 1);
	cr_assert_eq(store_writer_create(&w, path, &err), VEIL_E_CORRUPT);
	cr_assert(strstr(err.text, "not a directory"), "%s", err.text);
	tiny_print(path, sizeof path, "%s/no/where", dir);
	cr_assert_eq(store_writer_create(&w, path, &err), VEIL_E_IO);
	cr_assert_neq(stat(path, &st), 0);
}

Test(writer, a_link_in_the_place_of_a_version_is_not_followed)
{
	char version[256], path[300], precious[300];
	const char *dir = tiny_path("index");
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];
	struct stat st;
	int fd;

	tiny_print(precious, sizeof precious, "%s/precious", test_tmpdir());
	cr_assert_eq(mkdir(precious, 0755), 0);
	tiny_print(path, sizeof path, "%s/file", precious);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	close(fd);
	tiny_build(dir, 1, 1, version);
	tiny_print(path, sizeof path, "%s/v0123456789abcdef", dir);
	cr_assert_eq(symlink(precious, path), 0);
	cr_assert_neq(tiny_try(dir, 2, 1, id, &err), VEIL_OK);
	cr_assert(strstr(err.text, "v0123456789abcdef"), "%s", err.text);
	tiny_print(path, sizeof path, "%s/file", precious);
	cr_assert_eq(stat(path, &st), 0);
	is_kind(dir, 1);
}

Test(writer, a_version_that_is_open_outlives_its_removal)
{
	char version[256];
	const char *dir = tiny_path("index");
	struct veil_error err = {{0}};
	struct store_index *index;
	struct stat st;

	tiny_build(dir, 1, 0, version);
	cr_assert_eq(store_index_open(&index, dir, &err), VEIL_OK, "%s", err.text);
	for (int kind = 2; kind < 5; kind++) {
		char next[256];

		tiny_build(dir, kind, 0, next);
	}
	cr_assert_neq(stat(version, &st), 0);
	cr_assert(tiny_same(index, 1));
	store_index_close(index);
}
