/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Runs a fuzz target without libFuzzer: the empty input, and each file of a corpus whole and cut off, from a
 * block of exactly its size, so that a sanitizer sees a read past the end. */

#define CUTS 16

static void run_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof data, f);
	fclose(f);
	run_copy(data, size);
	for (size_t cut = 0; cut < CUTS; cut++)
		run_copy(data, size * cut / CUTS);
	return 0;
}

int main(int argc, char **argv)
{
	char path[4096];
	unsigned files = 0;
	int rc = 0;
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;

	if (!dir) {
		fprintf(stderr, "%s CORPUS-DIRECTORY: %s\n", argv[0],
			argc == 2 ? "cannot be opened" : "missing");
		return 1;
	}
	run_copy(NULL, 0);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
		rc |= run_file(path);
		files++;
	}
	closedir(dir);
	printf("%u files\n", files);
	return rc || files == 0; /* a corpus that vanished is a failure */
}
