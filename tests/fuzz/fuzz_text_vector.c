/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "sdk/printable.h"
#include "vectors.h"
#include "veil/vectors.h"

/* A vector as text, and the same bytes as text from a server. */

static void check_vector(const uint8_t *data, size_t size)
{
	int fd = fuzz_file(data, size);
	struct veil_vectors *v;
	struct veil_error err = {""};
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (veil_vectors_read(&v, path, &err) != VEIL_OK) {
		REQUIRE(!v && strstr(err.text, path));
	} else {
		float largest = 0;

		REQUIRE(veil_vectors_count(v) == 1 && veil_vectors_dim(v) >= 1);
		for (uint32_t j = 0; j < veil_vectors_dim(v); j++) {
			REQUIRE(isfinite(veil_vectors_row(v, 0)[j]));
			largest = fmaxf(largest, fabsf(veil_vectors_row(v, 0)[j]));
		}
		REQUIRE(largest > 0);
		veil_vectors_destroy(v);
	}
	close(fd);
}

static void check_printable(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	size_t length;

	REQUIRE(text);
	length = strlen(text);
	printable_make(text);
	REQUIRE(strlen(text) == length && index_text_valid(text, length));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_vector(data, size);
	check_printable(data, size);
	return 0;
}
