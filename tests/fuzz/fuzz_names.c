/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

/* A side file of names for four rows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t rows[] = {1, 0, 0, 0, 0, 0, 0x80, 0x3f, 1, 0, 0, 0, 0, 0, 0x80, 0x3f, 1, 0, 0, 0,
		0, 0, 0x80, 0x3f, 1, 0, 0, 0, 0, 0, 0x80, 0x3f}; /* 1.0 four times */
	struct veil_error err = {{0}};
	struct index_vectors *v;
	enum veil_status st;

	REQUIRE(index_vectors_open_fd(&v, fuzz_file(rows, sizeof rows), "rows", INDEX_FVECS, &err) ==
		VEIL_OK);
	st = index_vectors_read_names_fd(v, fuzz_file(data, size), "fuzz", &err);
	REQUIRE(st == VEIL_OK || strstr(err.text, "fuzz"));
	for (uint32_t i = 0; i < 4; i++) {
		const char *name = index_vectors_name(v, i);

		REQUIRE(index_text_valid(name, strlen(name)));
		REQUIRE(strlen(name) <= INDEX_MAX_NAME_BYTES);
		REQUIRE(st == VEIL_OK || name[0] == 0);
	}
	index_vectors_close(v);
	return 0;
}
