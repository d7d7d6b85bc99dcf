/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/keyfile.h"

#define LIMIT_FILE_BYTES 4096
#define LIMIT_STATE_PATH 1024 /* with the names in it */
#define HEX 64

/* What was seen: keys that the last configuration named take the place of those of the trust file. */
struct seen {
	uint64_t sequence; /* 0: nothing yet */
	uint8_t object[HASH_BYTES];
	size_t key_count;
	uint8_t keys[WIRE_SIGNED_MAX_KEYS][SIGN_PUBLIC_BYTES];
};

/* --- the trust file */

static bool parse_key(uint8_t key[SIGN_PUBLIC_BYTES], const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && strlen(line) == n + HEX &&
	       bytes_from_hex(key, SIGN_PUBLIC_BYTES, line + n);
}

static enum veil_status parse_trust(struct trust *t, char *text, const char *file, struct veil_error *err)
{
	char *rest = text, *line;
	uint8_t key[SIGN_PUBLIC_BYTES];

	for (unsigned number = 1; (line = strsep(&rest, "\n")); number++) {
		bool relay;

		if (*line == 0 || *line == '#')
			continue;
		relay = parse_key(key, line, "relay ");
		if (!relay && !parse_key(key, line, "operator "))
			return error_set(err, VEIL_E_INVALID,
				"%s:%u: not \"operator\" or \"relay\" and 64 hexadecimal digits; get the "
				"operator's trust file again",
				file, number);
		if ((relay ? t->relay_count : t->key_count) == WIRE_SIGNED_MAX_KEYS)
			return error_set(err, VEIL_E_INVALID, "%s:%u: more than %d keys", file, number,
				WIRE_SIGNED_MAX_KEYS);
		memcpy(relay ? t->relays[t->relay_count++] : t->keys[t->key_count++], key, sizeof key);
	}
	if (t->key_count == 0)
		return error_set(err, VEIL_E_INVALID, "%s holds no key; get the operator's trust file", file);
	return VEIL_OK;
}

static enum veil_status read_text(char text[LIMIT_FILE_BYTES + 1], const char *path, struct veil_error *err)
{
	size_t size;
	enum veil_status st = keyfile_read_public(text, LIMIT_FILE_BYTES + 1, &size, path, err);

	if (st != VEIL_OK)
		return st;
	if (size > LIMIT_FILE_BYTES || memchr(text, 0, size))
		return error_set(
			err, VEIL_E_INVALID, "%s: not a text of at most %d bytes", path, LIMIT_FILE_BYTES);
	text[size] = 0;
	return VEIL_OK;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, SIGN_PUBLIC_BYTES);
}

enum veil_status trust_open(struct trust *t, const char *file, const char *state, struct veil_error *err)
{
	char text[LIMIT_FILE_BYTES + 2], hex[HASH_HEX_SIZE];
	uint8_t hash[HASH_BYTES];
	struct veil_error why = {""};
	enum veil_status st = read_text(text, file, &why);

	*t = (struct trust){0};
	if (!state[0] || strlen(state) > LIMIT_STATE_PATH - 64)
		return error_set(err, VEIL_E_INVALID,
			"the folder of the state (--state) has a name of %zu bytes, not 1 to %d: the name is "
			"%s",
			strlen(state), LIMIT_STATE_PATH - 64, state[0] ? "too long" : "empty");
	if (st != VEIL_OK)
		return error_set(err, st,
			"%.300s: a relay is used only with the operator's key, from a trust file that they "
			"give you "
			"(--trust FILE); nothing is trusted on first use",
			why.text);
	st = parse_trust(t, text, file, err);
	if (st != VEIL_OK)
		return st;
	/* The state goes by the set of keys, in whatever order the file has them. */
	qsort(t->keys, t->key_count, SIGN_PUBLIC_BYTES, compare_keys);
	hash_sha256(hash, t->keys, t->key_count * SIGN_PUBLIC_BYTES);
	hash_hex(hex, hash);
	t->directory = strdup(state);
	if (!t->directory || asprintf(&t->file, "%s/%.32s.state", state, hex) < 0) {
		t->file = NULL;
		trust_clear(t);
		return error_set(err, VEIL_E_NOMEM, "no memory for the trust file");
	}
	return VEIL_OK;
}

void trust_clear(struct trust *t)
{
	free(t->directory);
	free(t->file);
	*t = (struct trust){0};
}

/* --- the state */

static enum veil_status parse_seen(struct seen *s, char *text, const char *path, struct veil_error *err)
{
	int at = 0;
	char *rest;

	if (sscanf(text, "veil state 1\nsequence %" SCNu64 "\nobject %n", &s->sequence, &at) != 1 ||
		at == 0 || s->sequence == 0 || strlen(text + at) < HEX + 1 ||
		!bytes_from_hex(s->object, HASH_BYTES, text + at) || text[at + HEX] != '\n')
		goto corrupt;
	for (rest = text + at + HEX + 1; *rest; rest += HEX + 5) {
		if (s->key_count == WIRE_SIGNED_MAX_KEYS || strncmp(rest, "key ", 4) != 0 ||
			strlen(rest) < HEX + 5 ||
			!bytes_from_hex(s->keys[s->key_count], SIGN_PUBLIC_BYTES, rest + 4) ||
			rest[4 + HEX] != '\n')
			goto corrupt;
		s->key_count++;
	}
	if (s->key_count)
		return VEIL_OK;
corrupt:
	return error_set(err, VEIL_E_CORRUPT,
		"%s is damaged: it says which configurations were seen. If you know that no attacker did it, "
		"remove it",
		path);
}

static enum veil_status read_seen(struct seen *s, const struct trust *t, struct veil_error *err)
{
	char text[LIMIT_FILE_BYTES + 2];
	enum veil_status st;

	*s = (struct seen){0};
	if (access(t->file, F_OK) != 0 && errno == ENOENT) {
		s->key_count = t->key_count;
		memcpy(s->keys, t->keys, sizeof s->keys);
		return VEIL_OK;
	}
	st = read_text(text, t->file, err);
	return st == VEIL_OK ? parse_seen(s, text, t->file, err) : st;
}

static enum veil_status write_seen(const struct trust *t, const struct wire_signed *accepted,
	const uint8_t object[HASH_BYTES], struct veil_error *err)
{
	char text[1024], hex[HASH_HEX_SIZE], left[LIMIT_STATE_PATH];
	int at;

	hash_hex(hex, object);
	at = snprintf(text, sizeof text, "veil state 1\nsequence %" PRIu64 "\nobject %s\n",
		accepted->sequence, hex);
	for (size_t i = 0; i < accepted->key_count; i++) {
		hash_hex(hex, accepted->keys[i]);
		at += snprintf(text + at, sizeof text - (size_t)at, "key %s\n", hex);
	}
	snprintf(left, sizeof left, "%s.new", t->file);
	unlink(left); /* of one that was killed; the lock is held */
	return keyfile_write(t->file, text, (size_t)at, 0600, err);
}

/* The directory and those above it, for their owner only. */
static enum veil_status make_directory(char *path, struct veil_error *err)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		int failed;

		if (slash)
			*slash = 0;
		failed = mkdir(path, 0700) != 0 && errno != EEXIST;
		if (slash)
			*slash = '/';
		if (failed)
			return error_set(err, VEIL_E_IO, "%s: %s; see --state", path, strerror(errno));
		if (!slash)
			return VEIL_OK;
	}
}

/* Held until it is closed; -1: failed. */
static int lock(const struct trust *t, struct veil_error *err)
{
	char path[LIMIT_STATE_PATH];
	int fd = -1;

	if (make_directory(t->directory, err) != VEIL_OK)
		return -1;
	snprintf(path, sizeof path, "%s/lock", t->directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- accepting */

static enum veil_status compare(const struct seen *seen, const struct wire_signed *s,
	const uint8_t object[HASH_BYTES], struct veil_error *err)
{
	if (s->sequence < seen->sequence)
		return error_set(err, VEIL_E_VERSION,
			"the signed configuration has number %" PRIu64 ", but %" PRIu64
			" was seen before: an old one is being shown; ask again later, or ask the operator",
			s->sequence, seen->sequence);
	if (s->sequence == seen->sequence && memcmp(object, seen->object, HASH_BYTES) != 0)
		return error_set(err, VEIL_E_VERSION,
			"there are two signed configurations with the number %" PRIu64
			": clients are being told apart; do not use this service before the operator has "
			"explained it",
			s->sequence);
	return VEIL_OK;
}

enum veil_status trust_accept(const struct trust *t, struct wire_signed *out, struct bytes object,
	int64_t now, struct veil_error *err)
{
	struct wire_signed s;
	struct seen seen;
	uint8_t hash[HASH_BYTES];
	int fd = lock(t, err);
	enum veil_status st;

	*out = (struct wire_signed){0};
	if (fd < 0)
		return VEIL_E_IO;
	hash_sha256(hash, object.data, object.size);
	st = read_seen(&seen, t, err);
	if (st == VEIL_OK && seen.sequence && memcmp(hash, seen.object, HASH_BYTES) == 0)
		st = wire_signed_read_any(&s, object, err); /* believed before; its keys may differ since */
	else if (st == VEIL_OK)
		st = wire_signed_read(
			&s, object, (const uint8_t(*)[SIGN_PUBLIC_BYTES])seen.keys, seen.key_count, err);
	if (st == VEIL_OK)
		st = wire_signed_check_time(&s, now, err);
	if (st == VEIL_OK)
		st = compare(&seen, &s, hash, err);
	if (st == VEIL_OK && s.sequence > seen.sequence)
		st = write_seen(t, &s, hash, err);
	close(fd);
	if (st == VEIL_OK)
		*out = s;
	return st;
}

enum veil_status trust_fetch(const struct trust *t, struct wire_signed *out,
	const struct transport *transport, const char *path, uint32_t timeout_ms, struct veil_error *err)
{
	const struct transport_request request = {
		.path = path, .limit_bytes = WIRE_SIGNED_MAX_BYTES, .timeout_ms = timeout_ms};
	struct transport_reply reply = {0};
	enum veil_status st = transport_call(transport, &reply, &request, WIRE_SIGNED_TYPE, 0, err);

	*out = (struct wire_signed){0};
	if (st == VEIL_OK)
		st = trust_accept(t, out, (struct bytes){reply.body, reply.size}, time(NULL), err);
	transport_reply_clear(&reply);
	return st;
}
