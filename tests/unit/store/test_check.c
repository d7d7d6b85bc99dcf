/* SPDX-License-Identifier: Apache-2.0 */
#include "store/check.h"

#include <criterion/criterion.h>
#include <string.h>

#include "index/label.h"

enum { SHARDS = 2, ROWS = 3, DIM = 2, WIDTH = 8 };

/* An index in memory: records 0 1 | padding, 1 2 0. */
static int8_t rows[SHARDS][ROWS * DIM];
static uint8_t labels[SHARDS][ROWS * WIDTH];
static struct store_shard shard[SHARDS];
static struct store_index built;

static void make(void)
{
	static const uint32_t record[SHARDS][ROWS] = {{0, 1, INDEX_NO_RECORD}, {1, 2, 0}};

	for (int s = 0; s < SHARDS; s++) {
		shard[s] = (struct store_shard){rows[s], labels[s], s == 0 ? 2 : 3};
		for (int i = 0; i < ROWS; i++) {
			bool used = record[s][i] != INDEX_NO_RECORD;

			rows[s][i * DIM] = used ? 3 : 0;
			rows[s][i * DIM + 1] = used ? -4 : 0;
			index_label_write(
				labels[s] + (size_t)i * WIDTH, WIDTH, record[s][i], used ? "ab" : "");
		}
	}
	built = (struct store_index){.spec = {.dim = DIM, .rows = ROWS, .row_norm = 5},
		.shards = SHARDS,
		.label_bytes = WIDTH,
		.records = 3,
		.shard = shard};
}

static void refused(const char *why)
{
	struct veil_error err = {{0}};

	cr_assert_eq(store_index_check(&built, &err), VEIL_E_CORRUPT, "%s", why);
	cr_assert(strstr(err.text, why), "want \"%s\" in: %s", why, err.text);
	make();
	cr_assert_eq(store_index_check(&built, &err), VEIL_OK, "%s", err.text);
}

Test(check, what_a_builder_must_not_write_is_named)
{
	make();
	built.spec.row_norm = 4;
	refused("shard-00000.bin: row 0: longer than row_norm 4");
	rows[1][2 * DIM] = 4;
	refused("shard-00001.bin: row 2: longer");
	rows[0][2 * DIM + 1] = 1;
	refused("shard-00000.bin: row 2: padding that is not zero");
	labels[0][2 * WIDTH] = 1;
	refused("labels-00000.bin: row 2: padding that names");
	labels[0][2 * WIDTH + 4] = 'a';
	refused("labels-00000.bin: row 2: padding that names");
	labels[0][2 * WIDTH + 5] = 'a';
	refused("labels-00000.bin: row 2: bytes behind the name");
	labels[1][WIDTH] = 3;
	refused("labels-00001.bin: row 1: a record beyond the last");
	labels[1][WIDTH] = 1;
	refused("labels-00001.bin: row 1: a record that the shard holds already");
	labels[1][2 * WIDTH + 7] = 'x';
	refused("labels-00001.bin: row 2: bytes behind the name");
	labels[0][5] = 0xff;
	refused("labels-00000.bin: row 0: a name that is not UTF-8");
	built.records = 4;
	refused("record 3 is in no shard");
	built.label_bytes = 0; /* then only the rows can be judged */
	rows[0][2 * DIM + 1] = 1;
	refused("shard-00000.bin: row 2: padding that is not zero");
}
