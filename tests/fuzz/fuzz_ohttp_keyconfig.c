/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "ohttp/keyconfig.h"

/* A list of key configurations: read or refused whole; what is read and usable is written back to the same
 * list. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keyconfig_list list, again;
	struct keyconfig usable[KEYCONFIG_MAX];
	struct keyconfig_choice choice;
	static uint8_t out[1 << 16];
	struct veil_error err = {0};
	size_t count = 0, bytes;

	if (keyconfig_read(&list, data, size, &err) != VEIL_OK) {
		REQUIRE(list.count == 0 && err.text[0]);
		return 0;
	}
	for (size_t i = 0; i < list.count; i++)
		if (list.configs[i].algorithm_count)
			usable[count++] = list.configs[i];
	if (keyconfig_choose(&choice, &list, KEYCONFIG_PREFER_PQ, &err) != VEIL_OK) {
		REQUIRE(count == 0);
		return 0;
	}
	REQUIRE(hpke_suite_check(&choice.suite, NULL) == VEIL_OK);
	bytes = keyconfig_bytes(usable, count);
	REQUIRE(bytes <= sizeof out);
	keyconfig_write(out, usable, count);
	REQUIRE(keyconfig_read(&again, out, bytes, NULL) == VEIL_OK && again.count == count &&
		again.skipped == 0);
	for (size_t i = 0; i < count; i++) {
		REQUIRE(again.configs[i].id == usable[i].id && again.configs[i].kem == usable[i].kem);
		REQUIRE(memcmp(again.configs[i].public_key, usable[i].public_key,
				usable[i].kem->public_bytes) == 0);
		REQUIRE(again.configs[i].algorithm_count == usable[i].algorithm_count);
		REQUIRE(memcmp(again.configs[i].algorithms, usable[i].algorithms,
				usable[i].algorithm_count * sizeof usable[i].algorithms[0]) == 0);
	}
	return 0;
}
