/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"

static const char help[] = "usage: veil info --server URL [--json] [--timeout MS]\n"
			   "Print what a server serves and what a query costs.\n\n"
			   "  --server URL   http://host:port or unix:/path/of/socket\n"
			   "  --json         one JSON object on standard output\n"
			   "  --timeout MS   for one request (default 30000)\n"
			   "  --help         this text\n";

int cli_info(int argc, char **argv)
{
	static const struct option options[] = {{"server", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'}, {"timeout", required_argument, NULL, 'w'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *server = NULL;
	uint32_t timeout_ms = CLI_DEFAULT_TIMEOUT_MS;
	int json = 0, option, code;
	struct veil_client *client = NULL;
	struct veil_error err = {""};
	enum veil_status st;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			server = optarg;
			break;
		case 'j':
			json = 1;
			break;
		case 'w':
			if (!cli_number(optarg, 1, CLI_MAX_TIMEOUT_MS, &timeout_ms))
				return cli_misuse("--timeout %s: not a number from 1 to %d", optarg,
					CLI_MAX_TIMEOUT_MS);
			break;
		case 'h':
			fputs(help, stdout);
			return cli_finish();
		default:
			return CLI_USAGE;
		}
	}
	if (optind != argc)
		return cli_misuse("info takes no argument \"%s\"", argv[optind]);
	if (!server)
		return cli_misuse("info needs --server");
	st = cli_connect(&client, server, timeout_ms, &err);
	code = st == VEIL_OK ? output_info(veil_client_info(client), json) : cli_fail(st, &err);
	veil_client_destroy(client);
	return code;
}
