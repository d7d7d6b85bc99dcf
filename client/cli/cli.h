/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <getopt.h>
#include <stdint.h>

#include "veil/client.h"

/** Exit status of the program (docs/man/veil.1). */
enum cli_exit {
	CLI_OK = 0,
	CLI_INPUT = 1, /* a file, a row, a number: what the user gave */
	CLI_USAGE = 2,
	CLI_SERVER = 3, /* not reachable, too slow, busy: asking again may help */
	CLI_REPLY = 4, /* the server answered, but not as it should, or with another version */
};

/** A subcommand: argv[0] is its name. */
struct cli_command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

#define CLI_DEFAULT_TIMEOUT_MS 30000
#define CLI_MAX_TIMEOUT_MS 3600000

int cli_agent(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_embed(int argc, char **argv);
int cli_info(int argc, char **argv);
int cli_lookup(int argc, char **argv);
int cli_privacy(int argc, char **argv);
int cli_search(int argc, char **argv);

/** The exit status that fits. */
int cli_exit_of(enum veil_status status);
/** Prints "veil: TEXT" to stderr, and returns the exit status that fits. */
int cli_fail(enum veil_status status, const struct veil_error *err);
/** Prints what is wrong with the arguments, and where to read about them; returns CLI_USAGE. */
int cli_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** A whole decimal number in [low, high]; false otherwise. */
int cli_number(const char *text, uint32_t low, uint32_t high, uint32_t *value);
/** An option whose value is such a number. */
struct cli_numbered {
	int option; /* of getopt_long */
	const char *name;
	uint32_t low, high, *value;
};
/** Takes an option if it is one of these; CLI_OK, or CLI_USAGE after saying why. */
int cli_take_number(const struct cli_numbered *list, size_t count, int option, const char *argument);
/** Whom to ask, and how: options that all commands have that ask a server. */
struct cli_server {
	const char *server; /* --server with --direct, */
	const char *relay; /* or --relay */
	const char *ca, *trust, *state, *policy; /* NULL: not given */
	uint32_t timeout_ms;
	int direct;
};
/** Rows of struct option for these, and their values. */
#define CLI_SERVER_OPTIONS                                                                        \
	{"server", required_argument, NULL, 256}, {"direct", no_argument, NULL, 257},             \
		{"relay", required_argument, NULL, 258}, {"ca", required_argument, NULL, 259},    \
		{"trust", required_argument, NULL, 260}, {"state", required_argument, NULL, 261}, \
		{"kem-policy", required_argument, NULL, 262},                                     \
	{                                                                                         \
		"timeout", required_argument, NULL, 263                                           \
	}
/** Their lines of a --help. */
extern const char cli_server_help[];
/** Takes an option of getopt_long if it is one of these; CLI_OK, or CLI_USAGE after saying why. */
int cli_server_take(struct cli_server *server, int option, const char *argument);
/** Do they go together? Never the address shown by accident: CLI_USAGE after saying what to add. */
int cli_server_check(const struct cli_server *server, const char *command);
/** A client that has fetched nothing yet; NULL on failure. */
enum veil_status cli_create(
	struct veil_client **out, const struct cli_server *server, struct veil_error *err) VEIL_MUST_CHECK;
/** A client that has fetched what the server serves; NULL on failure. */
enum veil_status cli_connect(
	struct veil_client **out, const struct cli_server *server, struct veil_error *err) VEIL_MUST_CHECK;
/** The vector of a picture; *vector is freed by the caller, NULL on failure. */
enum veil_status cli_embed_image(
	float **vector, uint32_t *dim, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
/** Where things are kept unless somebody says otherwise (XDG Base Directory): a file beside the state, and
 * the agent's socket. NULL: there is no home folder. */
#define CLI_PATH_SIZE 4096
const char *cli_state_file(char out[CLI_PATH_SIZE], const char *name);
const char *cli_agent_socket(char out[CLI_PATH_SIZE]);
/** Flushes stdout: CLI_OK, or CLI_INPUT with a sentence when it could not all be written. */
int cli_finish(void);

#endif
