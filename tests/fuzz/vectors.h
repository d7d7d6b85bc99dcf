/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_VECTORS_H
#define FUZZ_VECTORS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/require.h"
#include "fuzz.h"
#include "index/label.h"
#include "index/vectors.h"

/* A file that lives in memory. */
static inline int fuzz_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, data, size) == (ssize_t)size);
	REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Opens, reads every row; what is taken must be finite, not all zero, and nameable; what is refused must say
 * so. */
static inline void fuzz_vectors(const uint8_t *data, size_t size, enum index_format format)
{
	static float row[INDEX_MAX_DIM];
	struct veil_error err = {{0}};
	struct index_vectors *v;
	enum veil_status st = index_vectors_open_fd(&v, fuzz_file(data, size), "fuzz", format, &err);

	REQUIRE((st == VEIL_OK) == (v != NULL));
	for (uint32_t i = 0; st == VEIL_OK && i < index_vectors_rows(v); i++) {
		const char *name = index_vectors_name(v, i);
		float sum = 0;

		REQUIRE(index_text_valid(name, strlen(name)));
		st = index_vectors_read(v, i, 1, row, &err);
		for (uint32_t j = 0; st == VEIL_OK && j < index_vectors_dim(v); j++) {
			REQUIRE(isfinite(row[j]));
			sum = fmaxf(sum, fabsf(row[j]));
		}
		REQUIRE(st != VEIL_OK || sum > 0);
	}
	REQUIRE(st == VEIL_OK || strstr(err.text, "fuzz"));
	index_vectors_close(v);
}

#endif
