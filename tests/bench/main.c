/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "state.h"

/* The machine's own figures are printed before every group. */
static const struct group {
	const char *name;
	void (*run)(struct bench *b);
} groups[] = {
	{"machine", NULL},
	{"ntt", bench_ntt},
	{"kernels", bench_kernels},
	{"bfv", bench_bfv},
	{"nn", bench_nn},
	{"ohttp", bench_ohttp},
#ifdef HAVE_RELAY
	{"relay", bench_relay},
#endif
	{"pir", bench_pir},
	{"sealed", bench_sealed},
};
#define GROUPS (sizeof groups / sizeof groups[0])

static int usage(FILE *out, int code)
{
	fputs("veil-bench [GROUP] [--json] [--isa generic|avx2|avx512|full] [--filter "
	      "PART-OF-A-NAME]\ngroups:",
		out);
	for (size_t i = 0; i < GROUPS; i++)
		fprintf(out, " %s", groups[i].name);
	fputs("\n", out);
	return code;
}

static int parse(struct bench *b, const struct group **only, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"isa", required_argument, NULL, 'i'},
		{"filter", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	unsigned mask = ~0u;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			b->json = true;
			break;
		case 'i':
			if (!cpu_features_from_name(optarg, &mask)) {
				fprintf(stderr, "veil-bench: no ISA '%s'\n", optarg);
				return usage(stderr, 2);
			}
			if (mask & ~cpu_features())
				fprintf(stderr,
					"veil-bench: this machine lacks a part of %s: it is left out\n",
					optarg);
			break;
		case 'f':
			b->filter = optarg;
			break;
		case 'h':
			exit(usage(stdout, 0));
		default:
			return usage(stderr, 2);
		}
	}
	b->features = cpu_features() & mask;
	if (optind < argc - 1)
		return usage(stderr, 2);
	for (size_t i = 0; i < GROUPS && optind < argc; i++)
		if (!strcmp(argv[optind], groups[i].name))
			*only = &groups[i];
	if (optind < argc && !*only) {
		fprintf(stderr, "veil-bench: no group '%s'\n", argv[optind]);
		return usage(stderr, 2);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	const struct group *only = NULL;
	int rc = parse(&b, &only, argc, argv);

	if (rc)
		return rc;
	machine_init(&b);
	if (!b.json)
		printf("%-36s %-8s %12s %12s %12s %7s %12s\n", "name", "isa", "min us", "median us",
			"limit us", "x limit", "bytes");
	bench_machine(&b);
	for (size_t i = 0; i < GROUPS; i++)
		if (groups[i].run && (!only || only == &groups[i]))
			groups[i].run(&b);
	machine_clear(&b);
	return 0;
}
