/* SPDX-License-Identifier: Apache-2.0 */
/* veil-load ADDRESS [OPTIONS]: how many queries a second a veild answers, and how soon. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static double percentile_ms(const struct load_result *r, double p)
{
	return r->answered ? (double)r->ns[(size_t)(p * (double)(r->answered - 1))] * 1e-6 : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: veil-load ADDRESS [--connections N] [--seconds S] [--burst N] [--shards N]\n"
			"  --connections N  open at once, each with one query under way [8]\n"
			"  --seconds S      how long [5]\n"
			"  --burst N        successive queries for one shard [1]\n"
			"  --shards N       how many shards are asked for, in turn; 0: all [0]\n");
	return 2;
}

static bool take(struct load_options *o, int argc, char **argv)
{
	static const struct option options[] = {{"connections", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 's'}, {"burst", required_argument, NULL, 'b'},
		{"shards", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		char *end = optarg;
		double v = optarg ? strtod(optarg, &end) : 0;

		if (end == optarg || *end || v < 0 || v > 1e6)
			return false;
		if (c == 'c')
			o->connections = (unsigned)v;
		if (c == 's')
			o->seconds = v;
		if (c == 'b')
			o->burst = (unsigned)v;
		if (c == 'n')
			o->shards = (unsigned)v;
	}
	if (optind + 1 != argc)
		return false;
	o->address = argv[optind];
	return o->connections > 0 && o->burst > 0 && o->seconds > 0;
}

int main(int argc, char **argv)
{
	struct load_options o = {.connections = 8, .seconds = 5, .burst = 1};
	struct load_result r;
	struct wire_config config;
	struct veil_error err;
	uint8_t *body;
	size_t size;

	if (!take(&o, argc, argv))
		return usage();
	if (!load_get(&body, &size, o.address, "/v1/config"))
		return 1;
	if (wire_config_read(&config, body, size, &err) != VEIL_OK) {
		fprintf(stderr, "veil-load: %s\n", err.text);
		return 1;
	}
	free(body);
	if (!load_run(&r, &o, &config))
		return 1;
	printf("%u shards of %u x %u, %u connections: %.0f queries/s, p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, "
	       "max %.2f ms; %llu answered, %llu busy, %llu failed\n",
		(unsigned)config.shards, (unsigned)config.spec.rows, (unsigned)config.spec.dim, o.connections,
		(double)r.answered / r.seconds, percentile_ms(&r, 0.5), percentile_ms(&r, 0.95),
		percentile_ms(&r, 0.99), percentile_ms(&r, 1), (unsigned long long)r.answered,
		(unsigned long long)r.busy, (unsigned long long)r.failed);
	load_result_clear(&r);
	return r.failed > 0;
}
