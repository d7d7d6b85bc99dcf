/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"

static const char usage[] =
	"usage: veil doctor --relay URL [OPTIONS]\n"
	"Look at each hop of the way to a server, all through the relay, and send one query that looks for\n"
	"nothing to a shard drawn at random; say which hop fails, and what to do. The server sees no "
	"address.\n\n";
static const char help[] = "  --json         one JSON object on standard output\n"
			   "  --help         this text\n";

struct report {
	int json;
	json_t *checks;
};

static void tell(void *arg, const struct veil_check *check)
{
	struct report *r = arg;

	if (r->json)
		output_add_check(&r->checks, check);
	else
		output_check(check);
}

static int run(const struct cli_server *server, int json)
{
	struct report report = {.json = json};
	struct veil_client *client = NULL;
	struct veil_error err = {""};
	enum veil_status st = cli_create(&client, server, &err);
	int code;

	if (st != VEIL_OK)
		return cli_fail(st, &err);
	st = veil_client_check(client, tell, &report, &err);
	veil_client_destroy(client);
	code = json ? output_checks(report.checks, st == VEIL_OK) : cli_finish();
	return st == VEIL_OK ? code : cli_exit_of(st);
}

int cli_doctor(int argc, char **argv)
{
	static const struct option options[] = {CLI_SERVER_OPTIONS, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct cli_server server = {.timeout_ms = CLI_DEFAULT_TIMEOUT_MS};
	int json = 0, option, code;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = 1;
			break;
		case 'h':
			printf("%s%s%s", usage, cli_server_help, help);
			return cli_finish();
		case '?':
			return CLI_USAGE;
		default:
			code = cli_server_take(&server, option, optarg);
			if (code != CLI_OK)
				return code;
		}
	}
	if (optind != argc)
		return cli_misuse("doctor takes no argument \"%s\"", argv[optind]);
	if (server.direct || server.server)
		return cli_misuse(
			"doctor looks at the way through a relay, and never shows the server your "
			"address: give --relay URL alone (veil info --direct asks a server itself)");
	code = cli_server_check(&server, "doctor");
	return code == CLI_OK ? run(&server, json) : code;
}
