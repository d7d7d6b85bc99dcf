/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "veil/lookup.h"

static const char usage[] = "usage: veil lookup --relay URL | --direct --server URL [OPTIONS] KEY...\n"
			    "The values of keys, without showing the keys, nor whether they are there.\n\n";
static const char help[] =
	"  --prefix LENGTHS  the longest of the prefixes of KEY that is there, as 2-9 or 6,7,9: all\n"
	"                    in one request\n"
	"  --json            one JSON object on standard output\n"
	"  --help            this text\n"
	"Of a collection that is asked by number KEY is a number.\n";

#define MAX_KEYS 64
#define MAX_LENGTH 1024

struct arguments {
	struct cli_server server;
	uint32_t lengths[MAX_KEYS], count; /* of prefixes; ascending */
	char **keys;
	int key_count, json, done;
};

/* "2-9" or "6,7,9": ascending lengths. */
static int read_lengths(struct arguments *a, const char *text)
{
	const char *p = text;

	do {
		char *end;
		unsigned long low = strtoul(p, &end, 10), high = low;

		if (end == p || *p < '0' || *p > '9')
			break;
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			high = strtoul(end + 1, &end, 10);
		if (low < 1 || high > MAX_LENGTH || high < low ||
			(a->count && low <= a->lengths[a->count - 1]) || high - low >= MAX_KEYS - a->count)
			break;
		while (low <= high)
			a->lengths[a->count++] = (uint32_t)low++;
		if (*end == 0)
			return CLI_OK;
		p = end + (*end == ',');
		if (*end != ',')
			break;
	} while (1);
	return cli_misuse("--prefix %s: not lengths in ascending order, as 2-9 or 6,7,9", text);
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {CLI_SERVER_OPTIONS, {"json", no_argument, NULL, 'j'},
		{"prefix", required_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	int option, code = CLI_OK;

	while (code == CLI_OK && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			a->json = 1;
			break;
		case 'p':
			a->count = 0;
			code = read_lengths(a, optarg);
			break;
		case 'h':
			printf("%s%s%s", usage, cli_server_help, help);
			a->done = 1;
			return cli_finish();
		case '?':
			return CLI_USAGE;
		default:
			code = cli_server_take(&a->server, option, optarg);
		}
	}
	if (code != CLI_OK)
		return code;
	a->keys = argv + optind;
	a->key_count = argc - optind;
	if (a->key_count < 1)
		return cli_misuse("lookup needs a KEY");
	if (a->count && a->key_count > 1)
		return cli_misuse("lookup --prefix takes one KEY");
	return cli_server_check(&a->server, "lookup");
}

/* The keys of the request; 0 after saying what is wrong. */
static uint32_t make_keys(
	struct veil_key keys[MAX_KEYS], const struct arguments *a, const struct veil_collection_info *info)
{
	uint32_t count = 0;

	if (a->count > info->keys || (uint32_t)a->key_count > info->keys) {
		fprintf(stderr, "veil: a request to \"%s\" has %u keys at most, not %u\n", info->name,
			info->keys, a->count ? a->count : (uint32_t)a->key_count);
		return 0;
	}
	if (a->count && info->by_number) {
		fprintf(stderr, "veil: \"%s\" is asked by number: no --prefix\n", info->name);
		return 0;
	}
	if (a->count) {
		for (uint32_t i = 0; i < a->count && a->lengths[i] <= strlen(a->keys[0]); i++)
			keys[count++] = (struct veil_key){.data = a->keys[0], .size = a->lengths[i]};
		if (count == 0)
			fprintf(stderr, "veil: \"%s\" is shorter than %u characters\n", a->keys[0],
				a->lengths[0]);
		return count;
	}
	for (int i = 0; i < a->key_count; i++) {
		char *end;

		keys[i] = (struct veil_key){.data = a->keys[i], .size = strlen(a->keys[i])};
		if (!info->by_number)
			continue;
		errno = 0;
		keys[i].number = strtoull(a->keys[i], &end, 10);
		if (a->keys[i][0] < '0' || a->keys[i][0] > '9' || *end || errno) {
			fprintf(stderr, "veil: \"%s\" is asked by number, and \"%s\" is none below 2^64\n",
				info->name, a->keys[i]);
			return 0;
		}
	}
	return (uint32_t)a->key_count;
}

static int run(const struct veil_client *client, const struct arguments *a)
{
	struct veil_collection *collection = NULL;
	struct veil_values *values = NULL;
	struct veil_key keys[MAX_KEYS] = {{0}};
	struct veil_error err = {""};
	uint32_t count = 0, first = 0, shown;
	int code = CLI_INPUT;
	enum veil_status st = veil_collection_fetch(&collection, client, &err);

	if (st == VEIL_OK) {
		count = make_keys(keys, a, veil_collection_info(collection));
		if (count == 0)
			goto out;
		st = veil_lookup(collection, &values, keys, count, &err);
	}
	if (st != VEIL_OK) {
		code = cli_fail(st, &err);
		goto out;
	}
	shown = count;
	if (a->count) { /* the longest that is there; if none is, the longest */
		for (first = count - 1, shown = 1; first > 0 && !veil_values_at(values, first)->found;)
			first--;
		if (!veil_values_at(values, first)->found)
			first = count - 1;
	}
	code = output_values(veil_collection_info(collection), keys, first, shown, values, a->json);
out:
	veil_values_destroy(values);
	veil_collection_destroy(collection);
	return code;
}

int cli_lookup(int argc, char **argv)
{
	struct arguments a = {.server = {.timeout_ms = CLI_DEFAULT_TIMEOUT_MS}};
	struct veil_client *client = NULL;
	struct veil_error err = {""};
	int code = parse(&a, argc, argv);
	enum veil_status st;

	if (code != CLI_OK || a.done)
		return code;
	st = cli_connect(&client, &a.server, &err);
	code = st == VEIL_OK ? run(client, &a) : cli_fail(st, &err);
	veil_client_destroy(client);
	return code;
}
