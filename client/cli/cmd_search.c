/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "veil/vectors.h"

static const char usage[] =
	"usage: veil search --relay URL | --direct --server URL | --agent[=PATH] [--now]\n"
	"                   --vector FILE [--row N] | --image FILE\n"
	"                   [--probes P] [--top K] [--engine nn|bfv] [--json] [OPTIONS]\n"
	"Find the records nearest to a vector. The server does not learn the vector, the scores or the "
	"records.\n\n";
static const char help[] =
	"  --vector FILE  .fvecs, .npy, .jsonl, or numbers as text (a JSON array is fine)\n"
	"  --row N        which row of the file, from 0 (default 0)\n"
	"  --image FILE   the vector of a PNG, JPEG or WebP picture, made on this machine (veil embed)\n"
	"  --mode M       sealed: the server sees neither the vector nor the shard (the default where the "
	"index\n"
	"                 has it); fast: the server sees the shard; slow: four shards, which it sees; auto: "
	"the "
	"same\n"
	"                 requests, but if the first answer is clear the others look for nothing (nobody "
	"sees "
	"it)\n"
	"  --probes P     ask the P nearest shards (default 1): finds more, costs P times as much\n"
	"  --engine NAME  refuse an index that is not searched so: nn, or bfv (homomorphic rotations)\n"
	"  --top K        print the K best records (default 10)\n"
	"  --agent[=PATH] ask through the agent of this user (veil agent), hidden in a crowd: in its next "
	"epoch\n"
	"  --now          with --agent: at once; when it was asked is then not hidden\n"
	"  --json         one JSON object on standard output\n"
	"  --help         this text\n";

struct arguments {
	struct cli_server server;
	const char *file;
	const char *image; /* one of the two */
	const char *engine; /* NULL: any */
	const char *mode; /* NULL: the default */
	uint32_t row, probes, top;
	const char *agent; /* its socket; NULL: ask by yourself */
	char socket_room[CLI_PATH_SIZE];
	int now;
	int json;
	int help;
};

static int is_mode(const char *mode)
{
	return strcmp(mode, "fast") == 0 || strcmp(mode, "slow") == 0 || strcmp(mode, "auto") == 0 ||
	       strcmp(mode, "sealed") == 0;
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {CLI_SERVER_OPTIONS, {"vector", required_argument, NULL, 'v'},
		{"image", required_argument, NULL, 'i'}, {"row", required_argument, NULL, 'r'},
		{"probes", required_argument, NULL, 'p'}, {"top", required_argument, NULL, 'k'},
		{"engine", required_argument, NULL, 'e'}, {"mode", required_argument, NULL, 'm'},
		{"agent", optional_argument, NULL, 'a'}, {"now", no_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const struct cli_numbered numbers[] = {{'r', "row", 0, UINT32_MAX, &a->row},
		{'p', "probes", 1, UINT32_MAX, &a->probes}, {'k', "top", 1, UINT32_MAX, &a->top}};
	int option, row = 0;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'v':
			a->file = optarg;
			break;
		case 'i':
			a->image = optarg;
			break;
		case 'e':
			a->engine = optarg;
			break;
		case 'm':
			a->mode = optarg;
			break;
		case 'a':
			a->agent = optarg ? optarg : cli_agent_socket(a->socket_room);
			if (!a->agent)
				return cli_misuse("there is no home folder (HOME): give --agent=PATH");
			break;
		case 'n':
			a->now = 1;
			break;
		case 'j':
			a->json = 1;
			break;
		case 'h':
			a->help = 1;
			return CLI_OK;
		case '?':
			return CLI_USAGE; /* getopt has said why */
		default:
			if (cli_server_take(&a->server, option, optarg) != CLI_OK)
				return CLI_USAGE;
		}
		row = row || option == 'r';
		if (cli_take_number(numbers, sizeof numbers / sizeof *numbers, option, optarg) != CLI_OK)
			return CLI_USAGE;
	}
	if (optind != argc)
		return cli_misuse("search takes no argument \"%s\"", argv[optind]);
	if (a->agent && (a->server.relay || a->server.server || a->server.direct))
		return cli_misuse(
			"search takes --agent, or --relay, or --server with --direct: whom to ask, the agent "
			"knows");
	if (a->now && !a->agent)
		return cli_misuse("search --now is for --agent: any other search is asked at once");
	if (!a->agent && cli_server_check(&a->server, "search") != CLI_OK)
		return CLI_USAGE;
	if (a->agent && (a->engine || a->mode))
		return cli_misuse("search --%s is not for --agent", a->mode ? "mode" : "engine");
	if (a->engine && strcmp(a->engine, "nn") != 0 && strcmp(a->engine, "bfv") != 0)
		return cli_misuse("--engine %s is neither nn nor bfv", a->engine);
	if (a->mode && !is_mode(a->mode))
		return cli_misuse("--mode %s: there are fast, slow, auto and sealed", a->mode);
	if (!a->file && !a->image)
		return cli_misuse("search needs --vector or --image");
	if (a->image && (a->file || row))
		return cli_misuse("search takes --image or --%s, not both", a->file ? "vector" : "row");
	return CLI_OK;
}

/* Who saw what, at every search. */
static void print_note(const struct veil_cost *cost, int direct)
{
	if (cost->shards_asked == 0) {
		fprintf(stderr,
			"note: sealed search%s: the server sees %sthat a search was made; neither the "
			"vector, the shard, the scores nor the results are seen by anybody\n",
			direct ? "" : " through a relay, which sees your address and the time",
			direct ? "your address, the time, and " : "only ");
		return;
	}
	if (direct)
		fprintf(stderr, "note: direct mode: the server sees your address, the time, and that shard");
	else
		fprintf(stderr, "note: through a relay, which sees your address and the time; the server "
				"sees only that "
				"somebody asked shard");
	for (uint32_t i = 0; i < cost->shards_asked; i++)
		fprintf(stderr, "%s %u", i ? "," : "", cost->shards[i]);
	fprintf(stderr, "%s; neither the vector, the scores nor the results are seen by anybody\n",
		direct ? " was asked" : "");
}

/* The row of the file as a vector that the caller frees. */
static enum veil_status read_vector(
	float **vector, uint32_t *dim, const struct arguments *a, struct veil_error *err)
{
	struct veil_vectors *vectors = NULL;
	enum veil_status st = veil_vectors_read(&vectors, a->file, err);

	*vector = NULL;
	if (st == VEIL_OK && a->row >= veil_vectors_count(vectors)) {
		st = VEIL_E_INVALID;
		snprintf(err->text, sizeof err->text, "%s has %u rows, from 0: there is no row %u", a->file,
			veil_vectors_count(vectors), a->row);
	}
	if (st == VEIL_OK) {
		*dim = veil_vectors_dim(vectors);
		*vector = calloc(*dim, sizeof **vector);
		st = *vector ? VEIL_OK : VEIL_E_NOMEM;
	}
	if (st == VEIL_OK)
		memcpy(*vector, veil_vectors_row(vectors, a->row), *dim * sizeof **vector);
	veil_vectors_destroy(vectors);
	return st;
}

static enum veil_status check_engine(
	const struct veil_index_info *info, const char *engine, struct veil_error *err)
{
	if (!engine || strcmp(engine, info->engine) == 0)
		return VEIL_OK;
	snprintf(err->text, sizeof err->text,
		"the server's index is of kind %s (%s), not %s; leave --engine out to search it so",
		info->engine, info->params, engine);
	return VEIL_E_UNSUPPORTED;
}

static int search(const struct arguments *a)
{
	float *vector = NULL;
	uint32_t dim = 0;
	struct veil_client *client = NULL;
	struct veil_hits *hits = NULL;
	struct veil_error err = {""};
	int code;
	enum veil_status st = a->image ? cli_embed_image(&vector, &dim, a->image, &err)
				       : read_vector(&vector, &dim, a, &err);

	if (st == VEIL_OK && a->agent) {
		code = agent_search(
			a->agent, &(struct agent_question){vector, dim, a->probes, a->top, a->now}, a->json);
		free(vector);
		return code;
	}
	if (st == VEIL_OK)
		st = cli_connect(&client, &a->server, &err);
	if (st == VEIL_OK)
		st = check_engine(veil_client_info(client), a->engine, &err);
	if (st == VEIL_OK)
		st = veil_client_set_mode(client, a->mode, &err);
	if (st == VEIL_OK)
		st = veil_client_search(client, &hits, vector, dim, a->probes, a->top, &err);
	if (st == VEIL_OK) {
		print_note(veil_hits_cost(hits), a->server.direct);
		code = output_answer(output_pack_hits(hits, a->server.direct ? "direct" : "relay"), a->json);
	} else {
		code = cli_fail(st, &err);
	}
	veil_hits_destroy(hits);
	veil_client_destroy(client);
	free(vector);
	return code;
}

int cli_search(int argc, char **argv)
{
	struct arguments a = {.probes = 1, .top = 10, .server = {.timeout_ms = CLI_DEFAULT_TIMEOUT_MS}};
	int code = parse(&a, argc, argv);

	if (code != CLI_OK)
		return code;
	if (a.help) {
		printf("%s%s%s", usage, cli_server_help, help);
		return cli_finish();
	}
	return search(&a);
}
