/* SPDX-License-Identifier: Apache-2.0 */
#include "store/kv.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/file.h"
#include "tiny_kv.h"
#include "tiny_kv_ask.h"

static const struct store_kv_options *options(void)
{
	static struct store_kv_options o;

	o = (struct store_kv_options){.features = cpu_features(), .allow_insecure = true};
	return &o;
}

static struct store_kv *open_it(const char *dir)
{
	struct veil_error err = {{0}};
	struct store_kv *kv;

	cr_assert_eq(store_kv_open(&kv, dir, options(), &err), VEIL_OK, "%s", err.text);
	return kv;
}

static void build_it(const char *dir, enum silent_access access, int kind)
{
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];
	uint32_t reused = 0;

	cr_assert_eq(tiny_kv_build(dir, access, kind, NULL, &reused, id, &err), VEIL_OK, "%s", err.text);
}

/* Every entry of `kind` comes back, `step` apart. */
static void check_all(const struct store_kv *kv, int kind, unsigned step, const struct rng *rng)
{
	static struct tiny_kv k;
	uint8_t value[TINY_KV_VALUE + 64];

	tiny_kv_fill(&k, kind);
	for (unsigned i = 0; i < TINY_KV_ENTRIES; i += step) {
		const struct silent_entry *e = &k.entries[i];

		cr_assert_eq(tiny_kv_get(value, kv, e->key, e->key_bytes, i, rng), (long)e->value_bytes,
			"entry %u", i);
		cr_assert_arr_eq(value, e->value, e->value_bytes, "entry %u", i);
	}
}

Test(kv, every_key_comes_back_and_no_other)
{
	struct rng rng = test_rng();
	const char *dir = test_tmpdir();
	uint8_t value[TINY_KV_VALUE + 64];
	struct store_kv *kv;

	build_it(dir, SILENT_BY_KEY, 0);
	cr_assert(store_kv_is(dir));
	kv = open_it(dir);
	cr_assert_eq(kv->tables, 4);
	check_all(kv, 0, 1, &rng);
	for (unsigned i = 0; i < 60; i++) {
		char key[24];
		const int size = snprintf(key, sizeof key, "absent %u", i);

		cr_assert_eq(tiny_kv_get(value, kv, key, (size_t)size, 0, &rng), -1, "%s", key);
	}
	store_kv_close(kv);
}

Test(kv, every_record_comes_back_by_its_number)
{
	struct rng rng = test_rng();
	const char *dir = test_tmpdir();
	struct store_kv *kv;

	build_it(dir, SILENT_BY_NUMBER, 1);
	kv = open_it(dir);
	cr_assert_eq(kv->collection.records, TINY_KV_ENTRIES);
	check_all(kv, 1, 1, &rng);
	store_kv_close(kv);
}

Test(kv, the_version_before_is_whole_beside_the_new_one)
{
	struct rng rng = test_rng();
	const char *dir = test_tmpdir();
	struct veil_error err = {{0}};
	struct store_kv *kv, *before;

	build_it(dir, SILENT_BY_KEY, 0);
	cr_assert_eq(store_kv_open_previous(&before, dir, options(), &err), VEIL_E_NOT_FOUND);
	build_it(dir, SILENT_BY_KEY, 1);
	kv = open_it(dir);
	cr_assert_eq(store_kv_open_previous(&before, dir, options(), &err), VEIL_OK, "%s", err.text);
	check_all(kv, 1, 13, &rng);
	check_all(before, 0, 13, &rng);
	cr_assert_neq(memcmp(kv->id, before->id, HASH_BYTES), 0);
	store_kv_close(kv);
	store_kv_close(before);
}

static const char *const damages[] = {"one bit", "cut off", "longer", "empty", "gone"};

/* Damages a file in one of these ways; what it was is in `whole`. */
static void damage(const char *path, unsigned how, const uint8_t *whole, size_t size)
{
	uint8_t *data = calloc(1, size + 1);
	const size_t sizes[] = {size, size - 1, size + 1, 0};
	int fd;

	cr_assert(data);
	memcpy(data, whole, size);
	if (how == 0)
		data[size / 2] ^= 1;
	cr_assert_eq(unlink(path), 0);
	fd = how < 4 ? open(path, O_WRONLY | O_CREAT | O_EXCL, 0644) : -1;
	if (fd >= 0)
		cr_assert_eq(write(fd, data, sizes[how]), (ssize_t)sizes[how]);
	if (fd >= 0)
		close(fd);
	free(data);
}

static void restore(const char *path, const uint8_t *whole, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	cr_assert(fd >= 0 && write(fd, whole, size) == (ssize_t)size);
	close(fd);
}

static unsigned list_files(const char *dir, char names[][64], unsigned room)
{
	DIR *list = opendir(dir);
	struct dirent *e;
	unsigned count = 0;

	cr_assert(list);
	while ((e = readdir(list)) && count < room)
		if (e->d_name[0] != '.')
			snprintf(names[count++], 64, "%.60s", e->d_name);
	closedir(list);
	return count;
}

static void check_damage(const char *dir, const char *version, const char *name)
{
	struct store_dir at;
	struct store_kv *kv;
	uint8_t *whole;
	char path[400];
	size_t size;

	cr_assert_eq(store_dir_open(&at, NULL, version, NULL), VEIL_OK);
	cr_assert_eq(store_file_read(&whole, &size, &at, name, 1 << 24, NULL), VEIL_OK);
	snprintf(path, sizeof path, "%.300s/%.60s", version, name);
	for (unsigned how = 0; how < sizeof damages / sizeof *damages; how++) {
		struct veil_error err = {{0}};

		damage(path, how, whole, size);
		cr_assert_eq(store_kv_open(&kv, dir, options(), &err), VEIL_E_CORRUPT, "%s %s: %s", name,
			damages[how], err.text);
		cr_assert(strstr(err.text, name), "%s %s: %s", name, damages[how], err.text);
		cr_assert_null(kv);
		restore(path, whole, size);
	}
	store_kv_close(open_it(dir));
	free(whole);
	store_dir_close(&at);
}

Test(kv, a_damaged_file_is_refused_by_its_name)
{
	static char names[64][64];
	const char *dir = test_tmpdir();
	char hex[HASH_HEX_SIZE], version[300];
	struct store_kv *kv;
	unsigned count;

	build_it(dir, SILENT_BY_NUMBER, 0);
	kv = open_it(dir);
	hash_hex(hex, kv->id);
	store_kv_close(kv);
	snprintf(version, sizeof version, "%.250s/v%.16s", dir, hex);
	count = list_files(version, names, 64);
	cr_assert_gt(count, 8);
	for (unsigned i = 0; i < count; i++)
		check_damage(dir, version, names[i]);
}

/* The versions of an insecure set are for tests alone. */
Test(kv, an_insecure_set_is_refused)
{
	const struct store_kv_options strict = {.features = cpu_features()};
	const char *dir = test_tmpdir();
	struct veil_error err = {{0}};
	struct store_kv *kv;

	build_it(dir, SILENT_BY_KEY, 0);
	cr_assert_neq(store_kv_open(&kv, dir, &strict, &err), VEIL_OK);
	cr_assert_null(kv);
}

/* Changes `count` entries, every third of which is removed, and adds one that is new. */
static void update_it(const char *dir, struct tiny_kv *k, unsigned count)
{
	struct veil_error err = {{0}};
	uint8_t id[HASH_BYTES];

	for (unsigned i = 0; i < count; i++) {
		k->entries[i].value = i % 3 ? k->values[TINY_KV_ENTRIES - 1 - i] : NULL;
		k->entries[i].value_bytes = i % 3 ? (i * 31) % (TINY_KV_VALUE + 1) : 0;
	}
	snprintf(k->keys[0], sizeof k->keys[0], "new key");
	k->entries[0].key_bytes = strlen(k->keys[0]);
	k->entries[0].value = k->values[0];
	k->entries[0].value_bytes = 50;
	cr_assert_eq(tiny_kv_update(dir, k->entries, count, id, &err), VEIL_OK, "%s", err.text);
}

Test(kv, changes_stand_before_what_was_there_and_the_rest_stays)
{
	static struct tiny_kv k;
	struct rng rng = test_rng();
	const char *dir = test_tmpdir();
	uint8_t value[TINY_KV_VALUE + 64];
	struct store_kv *kv, *before;
	const unsigned changed = 24;

	build_it(dir, SILENT_BY_KEY, 0);
	tiny_kv_fill(&k, 0);
	update_it(dir, &k, changed);
	kv = open_it(dir);
	cr_assert_eq(kv->collection.epoch, kv->collection.base_epoch + 1);
	for (unsigned i = 0; i < TINY_KV_ENTRIES; i += i < changed ? 1 : 17) {
		const struct silent_entry *e = &k.entries[i];
		const long got = tiny_kv_get(value, kv, e->key, e->key_bytes, 0, &rng);

		cr_assert_eq(got, e->value ? (long)e->value_bytes : -1, "entry %u", i);
		if (e->value)
			cr_assert_arr_eq(value, e->value, e->value_bytes, "entry %u", i);
	}
	cr_assert_eq(store_kv_open_previous(&before, dir, options(), NULL), VEIL_OK);
	check_all(before, 0, 17, &rng);
	/* the bases are the same files, and the same public polynomials */
	cr_assert_arr_eq(kv->table[0].ctx->spec.seed, before->table[0].ctx->spec.seed, RING_SEED_BYTES);
	cr_assert_neq(
		memcmp(kv->table[1].ctx->spec.seed, before->table[1].ctx->spec.seed, RING_SEED_BYTES), 0);
	store_kv_close(kv);
	store_kv_close(before);
}

static void leave(void *state, uint32_t pack)
{
	(void)pack;
	if (--*(unsigned *)state == 0)
		_exit(0);
}

/* A builder that dies when so many packs are on the disk. */
static void abandon(const char *dir, unsigned packs)
{
	const struct store_kv_step step = {leave, &packs};
	struct veil_error err;
	uint8_t id[HASH_BYTES];
	uint32_t reused = 0;
	pid_t child = fork();
	int status;

	cr_assert_geq(child, 0);
	if (child == 0)
		_exit(1 + (int)tiny_kv_build(dir, SILENT_BY_KEY, 0, &step, &reused, id, &err));
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What a build left that was cut off after some packs is taken over where it is whole, and not believed where
 * it is not. */
Test(kv, a_build_goes_on_and_ends_in_the_same_bytes)
{
	static const char *const names[] = {"", "packs", "table-00-00000.bin", "material-01-00000.bin"};
	struct veil_error err = {{0}};
	uint8_t want[HASH_BYTES], id[HASH_BYTES];
	char dir[64];

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		uint32_t reused = 0;

		snprintf(dir, sizeof dir, "%.40s/%u", test_tmpdir(), i);
		abandon(dir, 5);
		if (names[i][0]) {
			char path[128];
			int fd;

			snprintf(path, sizeof path, "%.60s/building/%s", dir, names[i]);
			fd = open(path, O_RDWR);
			cr_assert(fd >= 0, "%s", path);
			cr_assert_eq(pwrite(fd, "damaged", 7, 40), 7);
			close(fd);
		}
		cr_assert_eq(tiny_kv_build(dir, SILENT_BY_KEY, 0, NULL, &reused, i ? id : want, &err),
			VEIL_OK, "%s", err.text);
		if (i)
			cr_assert_arr_eq(id, want, HASH_BYTES, "%s", names[i]);
		cr_assert_eq(reused, i ? 4 : 5, "%s", names[i]);
	}
}
