/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "store/manifest.h"
#include "store/manifest_kv.h"

static void read_collection(const uint8_t *data, size_t size)
{
	struct veil_error err = {{0}};
	struct store_kv_manifest m, again;
	char *text;
	size_t length;

	if (store_kv_manifest_read(&m, data, size, "fuzz", &err) != VEIL_OK) {
		REQUIRE(!m.pack[0] && strstr(err.text, "fuzz"));
		return;
	}
	REQUIRE(store_kv_manifest_is(data, size));
	REQUIRE(store_kv_manifest_write(&text, &length, &m) == VEIL_OK);
	REQUIRE(store_kv_manifest_read(&again, text, length, "again", &err) == VEIL_OK);
	REQUIRE(memcmp(&m.collection, &again.collection, sizeof m.collection) == 0);
	for (unsigned t = 0; t < silent_collection_tables(&m.collection); t++)
		REQUIRE(memcmp(m.pack[t], again.pack[t],
				silent_collection_table(&m.collection, t).table->packs * sizeof *m.pack[t]) ==
			0);
	free(text);
	store_kv_manifest_clear(&m);
	store_kv_manifest_clear(&again);
}

/* What is taken comes back the same after being written; of both kinds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct veil_error err = {{0}};
	struct store_manifest m, again;
	char *text;
	size_t length;

	read_collection(data, size);
	if (store_manifest_read(&m, data, size, "fuzz", &err) != VEIL_OK) {
		REQUIRE(!m.shard && !m.name && strstr(err.text, "fuzz"));
		return 0;
	}
	REQUIRE(store_manifest_write(&text, &length, &m) == VEIL_OK);
	REQUIRE(store_manifest_read(&again, text, length, "again", &err) == VEIL_OK);
	REQUIRE(strcmp(m.name, again.name) == 0 && memcmp(&m.spec, &again.spec, sizeof m.spec) == 0);
	REQUIRE(m.shards == again.shards && m.label_bytes == again.label_bytes && m.records == again.records);
	REQUIRE(memcmp(m.shard, again.shard, m.shards * sizeof *m.shard) == 0);
	free(text);
	store_manifest_clear(&m);
	store_manifest_clear(&again);
	return 0;
}
