/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

/* Whom a command asks, and how it gets there. */

const char cli_server_help[] =
	"  --relay URL    ask through a relay, https://host[:port][/path]: the server does not see your "
	"address, the "
	"relay\n"
	"                 does not see the question\n"
	"  --trust FILE   with the operator's keys (default ~/.config/veil/trust); a relay is never used "
	"without\n"
	"  --state DIR    what was seen of the operator's configurations (default ~/.local/state/veil)\n"
	"  --kem-policy P require-pq, prefer-pq (default) or classic keys of the gateway\n"
	"  --ca FILE      certificates to verify the relay by (default: the system's)\n"
	"  --direct       ask the server itself, which sees your address:\n"
	"  --server URL   http://host:port or unix:/path/of/socket\n"
	"  --timeout MS   for one request (default 30000)\n";

int cli_server_take(struct cli_server *server, int option, const char *argument)
{
	const char **texts[] = {&server->server, NULL, &server->relay, &server->ca, &server->trust,
		&server->state, &server->policy};

	if (option == 263 && !cli_number(argument, 1, CLI_MAX_TIMEOUT_MS, &server->timeout_ms))
		return cli_misuse("--timeout %s: not a number from 1 to %d", argument, CLI_MAX_TIMEOUT_MS);
	if (option == 257)
		server->direct = 1;
	else if (option >= 256 && option < 263)
		*texts[option - 256] = argument;
	return CLI_OK;
}

int cli_server_check(const struct cli_server *s, const char *command)
{
	if (!s->relay && !s->server)
		return cli_misuse("%s needs --relay URL, or --server URL with --direct", command);
	if (s->relay && (s->server || s->direct))
		return cli_misuse(
			"%s takes --relay, or --server with --direct: through a relay no server is contacted",
			command);
	if (!s->relay && !s->direct)
		return cli_misuse("%s: the server would see your address; add --direct if it may, or ask "
				  "through a relay with "
				  "--relay URL in place of --server",
			command);
	if (s->direct && (s->policy || s->ca))
		return cli_misuse("%s: --%s is for --relay", command, s->policy ? "kem-policy" : "ca");
	if (s->direct && s->state && !s->trust)
		return cli_misuse("%s: --state is of use only with --trust", command);
	return CLI_OK;
}

/* A path below the folder that the environment names, or else below the home folder (XDG Base Directory);
 * NULL if there is neither: the working folder may be anybody's. */
static const char *place(
	char out[CLI_PATH_SIZE], const char *variable, const char *below_home, const char *name)
{
	const char *folder = getenv(variable), *home = getenv("HOME");

	if (folder && folder[0] == '/')
		snprintf(out, CLI_PATH_SIZE, "%s/%s", folder, name);
	else if (home && home[0] == '/')
		snprintf(out, CLI_PATH_SIZE, "%s/%s/%s", home, below_home, name);
	else
		return NULL;
	return out;
}

const char *cli_state_file(char out[CLI_PATH_SIZE], const char *name)
{
	char below[64];

	snprintf(below, sizeof below, "veil/%s", name);
	return place(out, "XDG_STATE_HOME", ".local/state", below);
}

const char *cli_agent_socket(char out[CLI_PATH_SIZE])
{
	return getenv("XDG_RUNTIME_DIR") ? place(out, "XDG_RUNTIME_DIR", ".local/state", "veil-agent")
					 : cli_state_file(out, "agent");
}

static enum veil_status create(struct veil_client **out, const struct cli_server *s, struct veil_error *err)
{
	char trust_room[CLI_PATH_SIZE], state_room[CLI_PATH_SIZE];
	const char *trust =
		s->trust ? s->trust : place(trust_room, "XDG_CONFIG_HOME", ".config", "veil/trust");
	const char *state = s->state ? s->state : place(state_room, "XDG_STATE_HOME", ".local/state", "veil");
	enum veil_status st;

	if ((s->trust || !s->direct) && (!trust || !state)) {
		snprintf(err->text, sizeof err->text,
			"there is no home folder (HOME) to find the operator's keys and the state in: give "
			"--trust FILE and --state DIR");
		return VEIL_E_INVALID;
	}
	if (s->direct) {
		st = veil_client_create(out, s->server, err);
		return st == VEIL_OK && s->trust ? veil_client_set_trust(*out, trust, state, err) : st;
	}
	st = veil_client_create_relayed(out, s->relay, s->ca, trust, state, err);
	return st == VEIL_OK && s->policy ? veil_client_set_kem_policy(*out, s->policy, err) : st;
}

enum veil_status cli_create(struct veil_client **out, const struct cli_server *server, struct veil_error *err)
{
	struct veil_client *client = NULL;
	enum veil_status st = create(&client, server, err);

	if (st == VEIL_OK)
		st = veil_client_set_timeout(client, server->timeout_ms, err);
	if (st != VEIL_OK) {
		veil_client_destroy(client);
		client = NULL;
	}
	*out = client;
	return st;
}

enum veil_status cli_connect(
	struct veil_client **out, const struct cli_server *server, struct veil_error *err)
{
	struct veil_client *client = NULL;
	enum veil_status st = cli_create(&client, server, err);

	if (st == VEIL_OK)
		st = veil_client_refresh(client, err);
	if (st == VEIL_OK && veil_client_kem_note(client))
		fprintf(stderr, "note: requests are sealed with classic keys: %s\n",
			veil_client_kem_note(client));
	if (st != VEIL_OK) {
		veil_client_destroy(client);
		client = NULL;
	}
	*out = client;
	return st;
}
