/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "veil/embed.h"

static const char help[] =
	"usage: veil embed IMAGE [--json | --output FILE]\n"
	"Turn a PNG, JPEG or WebP picture into a vector, on this machine: nothing is sent.\n\n"
	"  --json         one JSON object on standard output\n"
	"  --output FILE  write FILE.npy or FILE.fvecs; without it numbers as text\n"
	"  --help         this text\n";

enum veil_status cli_embed_image(float **vector, uint32_t *dim, const char *path, struct veil_error *err)
{
	struct veil_embedder *embedder;
	float *x = NULL;
	enum veil_status st = veil_embedder_create(&embedder, err);

	*vector = NULL;
	if (st != VEIL_OK)
		return st;
	*dim = veil_embedder_dim(embedder);
	x = calloc(*dim, sizeof *x);
	st = x ? veil_embedder_embed_file(embedder, x, *dim, path, err) : VEIL_E_NOMEM;
	veil_embedder_destroy(embedder);
	if (st != VEIL_OK) {
		free(x);
		return st;
	}
	*vector = x;
	return VEIL_OK;
}

static int has_ending(const char *path, const char *ending)
{
	size_t n = strlen(path), m = strlen(ending);

	return n > m && strcmp(path + n - m, ending) == 0;
}

/* One row, as veil_vectors_read takes it. NumPy wants a head of a multiple of 64 bytes. */
static int write_row(FILE *file, const char *path, const float *vector, uint32_t dim)
{
	char head[128], dict[118];
	int32_t size = (int32_t)dim;

	if (has_ending(path, ".fvecs")) {
		fwrite(&size, sizeof size, 1, file);
	} else {
		snprintf(dict, sizeof dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, %u), }",
			dim);
		memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
		snprintf(head + 10, sizeof head - 10, "%-117s", dict);
		head[sizeof head - 1] = '\n';
		fwrite(head, sizeof head, 1, file);
	}
	fwrite(vector, sizeof *vector, dim, file);
	return !ferror(file);
}

static int save(const char *path, const float *vector, uint32_t dim)
{
	FILE *file = fopen(path, "wb");
	int written;

	if (!file) {
		fprintf(stderr, "veil: %s: %s\n", path, strerror(errno));
		return CLI_INPUT;
	}
	written = write_row(file, path, vector, dim);
	if (fclose(file) != 0 || !written) {
		fprintf(stderr, "veil: %s: could not all be written\n", path);
		return CLI_INPUT;
	}
	return CLI_OK;
}

static int embed(const char *image, const char *output, int json)
{
	struct veil_error err = {""};
	float *vector;
	uint32_t dim;
	int code;
	enum veil_status st = cli_embed_image(&vector, &dim, image, &err);

	if (st != VEIL_OK)
		return cli_fail(st, &err);
	code = output ? save(output, vector, dim) : output_vector(image, vector, dim, json);
	free(vector);
	return code;
}

int cli_embed(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"output", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	const char *output = NULL;
	int json = 0, option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = 1;
			break;
		case 'o':
			output = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return cli_finish();
		default:
			return CLI_USAGE;
		}
	}
	if (argc - optind != 1)
		return cli_misuse("embed takes one IMAGE, not %d", argc - optind);
	if (output && json)
		return cli_misuse("embed takes --json or --output, not both");
	if (output && !has_ending(output, ".npy") && !has_ending(output, ".fvecs"))
		return cli_misuse("--output %s: its name must end in .npy or .fvecs", output);
	return embed(argv[optind], output, json);
}
