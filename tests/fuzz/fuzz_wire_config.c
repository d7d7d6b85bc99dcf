/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "wire/collection.h"
#include "wire/messages.h"

/* A configuration from a peer, of an index or of a collection: read or refused; one that is read is written
 * back to as many bytes, which read the same. */

static void read_collection(const uint8_t *data, size_t size)
{
	struct wire_collection collection;
	struct veil_error err;
	uint8_t *body = NULL;
	size_t written = 0;

	if (wire_collection_read(&collection, data, size, &err) != VEIL_OK) {
		REQUIRE(err.text[0]);
		return;
	}
	REQUIRE(wire_collection_write(&body, &written, &collection) == VEIL_OK);
	REQUIRE(written == size && memcmp(body, data, size) == 0);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_config config, again;
	struct veil_error err;
	uint8_t *body = NULL;
	size_t written = 0;

	read_collection(data, size);
	if (wire_config_read(&config, data, size, &err) != VEIL_OK) {
		REQUIRE(err.text[0]);
		return 0;
	}
	REQUIRE(wire_config_write(&body, &written, &config) == VEIL_OK);
	REQUIRE(written == size);
	REQUIRE(wire_config_read(&again, body, written, &err) == VEIL_OK);
	REQUIRE(memcmp(again.name, config.name, sizeof config.name) == 0 && again.records == config.records);
	REQUIRE(again.spec.params == config.spec.params && again.spec.scale == config.spec.scale);
	free(body);
	return 0;
}
