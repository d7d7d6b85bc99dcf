/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"

static const char usage[] = "usage: veil info --relay URL | --direct --server URL [OPTIONS]\n"
			    "Print what a server serves and what a query costs.\n\n";
static const char help[] = "  --json         one JSON object on standard output\n"
			   "  --help         this text\n";

int cli_info(int argc, char **argv)
{
	static const struct option options[] = {CLI_SERVER_OPTIONS, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct cli_server server = {.timeout_ms = CLI_DEFAULT_TIMEOUT_MS};
	int json = 0, option, code;
	struct veil_client *client = NULL;
	struct veil_error err = {""};
	enum veil_status st;

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
		return cli_misuse("info takes no argument \"%s\"", argv[optind]);
	code = cli_server_check(&server, "info");
	if (code != CLI_OK)
		return code;
	st = cli_connect(&client, &server, &err);
	code = st == VEIL_OK ? output_info(veil_client_info(client), json) : cli_fail(st, &err);
	veil_client_destroy(client);
	return code;
}
