/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/agent.h"
#include "cli/cli.h"

#define DEFAULT_EPOCH_S 60
#define LONGEST_EPOCH_S 86400
#define MOST_CONNECTIONS 64
#define PAUSE_MS 200 /* where no connection can be accepted */

static const char usage[] =
	"usage: veil agent --relay URL [--budget FILE] [--socket PATH] [--epoch SECONDS] [OPTIONS]\n"
	"Take part in a crowd until SIGTERM: send fakes in every epoch, and among them what veil search "
	"--agent "
	"asks.\n\n";
static const char help[] =
	"  --budget FILE  of veil privacy --budget FILE --new (default ~/.local/state/veil/budget)\n"
	"  --socket PATH  where to be asked (default $XDG_RUNTIME_DIR/veil-agent or "
	"~/.local/state/veil/agent)\n"
	"  --epoch S      seconds of an epoch, the same for all of the crowd (default 60)\n"
	"  --help         this text\n";

struct arguments {
	struct cli_server server;
	const char *budget, *socket;
	uint32_t epoch;
	int help;
};

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {CLI_SERVER_OPTIONS, {"budget", required_argument, NULL, 'b'},
		{"socket", required_argument, NULL, 's'}, {"epoch", required_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const struct cli_numbered numbers[] = {{'e', "epoch", 1, LONGEST_EPOCH_S, &a->epoch}};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			a->budget = optarg;
			break;
		case 's':
			a->socket = optarg;
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
		if (cli_take_number(numbers, 1, option, optarg) != CLI_OK)
			return CLI_USAGE;
	}
	if (optind != argc)
		return cli_misuse("agent takes no argument \"%s\"", argv[optind]);
	if (!a->server.relay || a->server.direct)
		return cli_misuse("agent needs --relay URL: a crowd is behind a relay");
	return cli_server_check(&a->server, "agent");
}

/* What changed since the last epoch is told. */
struct told {
	int any;
	enum veil_crowd_mode mode;
	uint32_t users;
	char problem[sizeof(struct veil_error)];
};

static void tell(void *arg, const struct veil_crowd_epoch *epoch)
{
	struct told *told = arg;

	if (told->any && told->mode == epoch->mode && told->users == epoch->users &&
		strcmp(told->problem, epoch->problem) == 0)
		return;
	told->any = 1;
	told->mode = epoch->mode;
	told->users = epoch->users;
	snprintf(told->problem, sizeof told->problem, "%s", epoch->problem);
	if (epoch->mode == VEIL_CROWD_HIDDEN)
		fprintf(stderr,
			"veil: agent: hidden among %u clients: %u requests in every epoch, to %u shards\n",
			epoch->users, epoch->requests, epoch->shards);
	else
		fprintf(stderr, "veil: agent: %s\n", epoch->problem);
}

/* Those who ask. */
struct desk {
	struct veil_crowd *crowd;
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned connections; /* of these: */
	int connection[MOST_CONNECTIONS]; /* -1: free */
};

struct visit {
	struct desk *desk;
	unsigned place;
};

static void end_visit(struct desk *desk, unsigned place)
{
	pthread_mutex_lock(&desk->lock);
	close(desk->connection[place]); /* within the lock: another file could have the number at once */
	desk->connection[place] = -1;
	desk->connections--;
	pthread_cond_signal(&desk->left);
	pthread_mutex_unlock(&desk->lock);
}

static void *serve(void *arg)
{
	struct visit visit = *(struct visit *)arg;

	free(arg);
	agent_answer(visit.desk->connection[visit.place], visit.desk->crowd);
	end_visit(visit.desk, visit.place);
	return NULL;
}

/* A place for the connection; MOST_CONNECTIONS where there is none. */
static unsigned take_place(struct desk *desk, int connection)
{
	unsigned place = 0;

	pthread_mutex_lock(&desk->lock);
	while (place < MOST_CONNECTIONS && desk->connection[place] >= 0)
		place++;
	if (place < MOST_CONNECTIONS) {
		desk->connection[place] = connection;
		desk->connections++;
	}
	pthread_mutex_unlock(&desk->lock);
	return place;
}

/* False where there is nothing to accept it with: no file, no memory. */
static bool receive(struct desk *desk, int listening)
{
	int connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	struct visit *visit;
	pthread_t thread;
	unsigned place;

	if (connection < 0)
		return errno == EINTR || errno == EAGAIN || errno == ECONNABORTED;
	place = take_place(desk, connection);
	if (place == MOST_CONNECTIONS) {
		close(connection); /* told by the asker's side: broke off */
		return true;
	}
	visit = malloc(sizeof *visit);
	if (visit) {
		*visit = (struct visit){desk, place};
		if (pthread_create(&thread, NULL, serve, visit) == 0) {
			pthread_detach(thread);
			return true;
		}
	}
	free(visit);
	end_visit(desk, place);
	return true;
}

/* Until a signal, which is blocked in every thread and comes over `signals`. */
static void run(struct desk *desk, int listening, int signals)
{
	struct pollfd wait[2] = {{.fd = signals, .events = POLLIN}, {.fd = listening, .events = POLLIN}};

	while (poll(wait, 2, -1) >= 0 || errno == EINTR) {
		if (wait[0].revents)
			break;
		if (wait[1].revents && !receive(desk, listening))
			poll(wait, 1, PAUSE_MS); /* it is still there, and would be found at once */
	}
}

static void shut_all(struct desk *desk, int how)
{
	for (unsigned i = 0; i < MOST_CONNECTIONS; i++)
		if (desk->connection[i] >= 0)
			shutdown(desk->connection[i], how);
}

/* What has been asked is refused by the crowd and told; who has not asked to the end, or does not read, is
 * not waited for. */
static void leave(struct desk *desk)
{
	struct timespec until;

	veil_crowd_leave(desk->crowd);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += AGENT_PATIENCE_S;
	pthread_mutex_lock(&desk->lock);
	shut_all(desk, SHUT_RD);
	while (desk->connections > 0 && pthread_cond_timedwait(&desk->left, &desk->lock, &until) == 0)
		;
	shut_all(desk, SHUT_RDWR);
	while (desk->connections > 0)
		pthread_cond_wait(&desk->left, &desk->lock);
	pthread_mutex_unlock(&desk->lock);
	veil_crowd_destroy(desk->crowd);
}

static enum veil_status work(
	const struct arguments *a, const char *budget, const char *path, struct veil_error *err)
{
	struct desk desk = {.lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};
	struct veil_client *client = NULL;
	struct told told = {0};
	sigset_t signals;
	int listening = -1, on_signal = -1;
	enum veil_status st;

	for (unsigned i = 0; i < MOST_CONNECTIONS; i++)
		desk.connection[i] = -1;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	on_signal = signalfd(-1, &signals, SFD_CLOEXEC);
	if (on_signal < 0) { /* it could not be told to stop */
		snprintf(err->text, sizeof err->text, "signals cannot be waited for: %s", strerror(errno));
		return VEIL_E_IO;
	}
	st = cli_connect(&client, &a->server, err);
	if (st == VEIL_OK)
		st = veil_crowd_create(&desk.crowd, client, budget, a->epoch, tell, &told, err);
	if (st == VEIL_OK)
		st = agent_listen(&listening, path, err);
	if (st == VEIL_OK) {
		run(&desk, listening, on_signal);
		unlink(path);
		close(listening);
	}
	if (desk.crowd)
		leave(&desk);
	veil_client_destroy(client);
	close(on_signal);
	return st;
}

int cli_agent(int argc, char **argv)
{
	struct arguments a = {.epoch = DEFAULT_EPOCH_S, .server = {.timeout_ms = CLI_DEFAULT_TIMEOUT_MS}};
	char budget_room[CLI_PATH_SIZE], socket_room[CLI_PATH_SIZE];
	struct veil_error err = {""};
	const char *budget, *path;
	enum veil_status st;
	int code = parse(&a, argc, argv);

	if (code != CLI_OK)
		return code;
	if (a.help) {
		printf("%s%s%s", usage, cli_server_help, help);
		return cli_finish();
	}
	budget = a.budget ? a.budget : cli_state_file(budget_room, "budget");
	path = a.socket ? a.socket : cli_agent_socket(socket_room);
	if (!budget || !path)
		return cli_misuse(
			"agent: there is no home folder (HOME): give --budget FILE and --socket PATH");
	st = work(&a, budget, path, &err);
	return st == VEIL_OK ? CLI_OK : cli_fail(st, &err);
}
