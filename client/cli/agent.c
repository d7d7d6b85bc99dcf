/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/agent.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"

#define LIMIT_QUESTION_BYTES (1u << 20)
#define LIMIT_ANSWER_BYTES (1u << 28)
#define MAX_DIM 65536

/* --- sockets */

static enum veil_status fail(struct veil_error *err, enum veil_status st, const char *path, const char *why)
{
	snprintf(err->text, sizeof err->text, "%.300s: %s", path, why);
	return st;
}

static enum veil_status open_socket(
	int *fd, struct sockaddr_un *address, const char *path, struct veil_error *err)
{
	*fd = -1;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address->sun_path)
		return fail(err, VEIL_E_INVALID, path, "too long a name for a socket");
	snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return *fd >= 0 ? VEIL_OK : fail(err, VEIL_E_IO, path, strerror(errno));
}

enum veil_status agent_listen(int *fd, const char *path, struct veil_error *err)
{
	struct sockaddr_un address;
	struct stat s;
	mode_t mask;
	int failed;
	enum veil_status st = open_socket(fd, &address, path, err);

	if (st != VEIL_OK)
		return st;
	if (connect(*fd, (struct sockaddr *)&address, sizeof address) == 0) {
		close(*fd);
		return fail(err, VEIL_E_BUSY, path, "another agent listens there");
	}
	if (errno == ECONNREFUSED && lstat(path, &s) == 0 && S_ISSOCK(s.st_mode))
		unlink(path);
	mask = umask(0177);
	failed = bind(*fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(*fd, 64) != 0;
	umask(mask);
	if (!failed)
		return VEIL_OK;
	st = fail(err, VEIL_E_IO, path, strerror(errno));
	close(*fd);
	return st;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		data += n;
		size -= (size_t)n;
	}
	return 1;
}

/* To the end, at most `limit`; NULL if there is more, or it broke off. */
static char *read_all(int fd, size_t limit, size_t *size)
{
	size_t room = 65536;
	char *data = malloc(room);

	*size = 0;
	while (data) {
		ssize_t n = recv(fd, data + *size, room - *size, 0);
		char *more;

		if (n == 0)
			return data;
		if (n < 0 && errno == EINTR)
			continue;
		*size += n > 0 ? (size_t)n : 0;
		more = n > 0 && *size <= limit ? data : NULL;
		if (more && *size == room)
			more = realloc(data, room *= 2);
		if (!more)
			break;
		data = more;
	}
	free(data);
	return NULL;
}

static int send_object(int fd, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
	int good = text && write_all(fd, text, strlen(text));

	free(text);
	json_decref(object);
	return good && shutdown(fd, SHUT_WR) == 0;
}

static json_t *receive_object(int fd, size_t limit)
{
	size_t size;
	char *text = read_all(fd, limit, &size);
	json_t *object = text ? json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL) : NULL;

	free(text);
	if (!json_is_object(object)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* --- the agent's side */

static enum veil_status read_question(struct agent_question *q, json_t *object, struct veil_error *err)
{
	json_t *vector = NULL, *number;
	json_int_t probes = 1, top = 10;
	size_t i;
	int bad = !object || json_unpack(object, "{so s?I s?I s?b !}", "vector", &vector, "probes", &probes,
				     "top", &top, "now", &q->now) != 0;

	if (bad || !json_is_array(vector) || json_array_size(vector) > MAX_DIM || probes < 1 ||
		probes > UINT32_MAX || top < 1 || top > UINT32_MAX)
		return fail(err, VEIL_E_INVALID, "the question",
			"not {\"vector\": [numbers], \"probes\": P, \"top\": K, \"now\": false}");
	q->probes = (uint32_t)probes;
	q->top = (uint32_t)top;
	q->dim = (uint32_t)json_array_size(vector);
	q->vector = calloc(q->dim + 1, sizeof *q->vector);
	if (!q->vector)
		return fail(err, VEIL_E_NOMEM, "the question", "no memory for it");
	json_array_foreach(vector, i, number)
	{
		if (!json_is_number(number))
			return fail(err, VEIL_E_INVALID, "the question", "its vector is not all numbers");
		q->vector[i] = (float)json_number_value(number);
	}
	return VEIL_OK;
}

void agent_answer(int connection, struct veil_crowd *crowd)
{
	const struct timeval patience = {.tv_sec = AGENT_PATIENCE_S};
	struct agent_question q = {0};
	struct veil_hits *hits = NULL;
	struct veil_error err = {""};
	json_t *object, *answer;
	enum veil_status st;

	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	object = receive_object(connection, LIMIT_QUESTION_BYTES);
	st = read_question(&q, object, &err);
	json_decref(object);
	if (st == VEIL_OK)
		st = veil_crowd_search(crowd, &hits, q.vector, q.dim, q.probes, q.top, q.now, &err);
	if (st == VEIL_OK)
		answer = output_pack_hits(hits, "crowd");
	else
		answer = json_pack("{ss si}", "error", err.text[0] ? err.text : veil_status_name(st), "exit",
			cli_exit_of(st));
	send_object(connection, answer);
	veil_hits_destroy(hits);
	free(q.vector);
}

/* --- the asker's side */

static json_t *pack_question(const struct agent_question *q)
{
	json_t *vector = json_array();

	for (uint32_t i = 0; i < q->dim; i++)
		json_array_append_new(vector, json_real((double)q->vector[i]));
	return json_pack("{so sI sI sb}", "vector", vector, "probes", (json_int_t)q->probes, "top",
		(json_int_t)q->top, "now", q->now);
}

static int print_answer(const char *path, json_t *answer, int json)
{
	struct veil_error err = {""};
	const char *text;
	int code;

	if (answer && json_unpack(answer, "{ss si}", "error", &text, "exit", &code) == 0) {
		fprintf(stderr, "veil: %s\n", text);
		json_decref(answer);
		return code > CLI_OK && code <= CLI_REPLY ? code : CLI_REPLY;
	}
	if (answer) {
		fprintf(stderr,
			"note: in a crowd: the server sees neither who asks nor, beyond what the budget "
			"allows, which shards are asked; see veil privacy\n");
		return output_answer(answer, json);
	}
	return cli_fail(fail(&err, VEIL_E_NETWORK, path, "the agent broke off; is it running still?"), &err);
}

int agent_search(const char *path, const struct agent_question *question, int json)
{
	struct sockaddr_un address;
	struct veil_error err = {""};
	int fd, code;
	enum veil_status st = open_socket(&fd, &address, path, &err);

	if (st != VEIL_OK)
		return cli_fail(st, &err);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
		code = cli_fail(
			fail(&err, VEIL_E_NETWORK, path, "no agent listens there; start one with veil agent"),
			&err);
	else if (!send_object(fd, pack_question(question)))
		code = print_answer(path, NULL, json);
	else
		code = print_answer(path, receive_object(fd, LIMIT_ANSWER_BYTES), json);
	close(fd);
	return code;
}
