/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "store/manifest.h"

/* What is taken comes back the same after being written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct veil_error err = {{0}};
	struct store_manifest m, again;
	char *text;
	size_t length;

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
