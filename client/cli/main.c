/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "veil/version.h"

static const struct cli_command commands[] = {
	{"search", "the records nearest to a vector, found without showing the vector", cli_search},
	{"agent", "take part in a crowd, so that nobody sees what kind of thing is asked", cli_agent},
	{"doctor", "what is wrong on the way to a server, and what to do", cli_doctor},
	{"embed", "a picture as a vector, made on this machine", cli_embed},
	{"info", "what a server serves", cli_info},
	{"lookup", "values by key, without showing the keys", cli_lookup},
	{"privacy", "what of a privacy budget is spent; what it takes to hide in a crowd", cli_privacy},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static int print_help(void)
{
	puts("usage: veil COMMAND OPTIONS\n\ncommands:");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	puts("\nveil COMMAND --help tells the options; veil --version the version; man veil everything.");
	return cli_finish();
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
		return print_help();
	if (strcmp(name, "--version") == 0) {
		printf("veil %s\n", veil_version());
		return cli_finish();
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	if (*name)
		return cli_misuse("there is no command \"%s\"", name);
	return cli_misuse("a command is missing");
}
