/* SPDX-License-Identifier: Apache-2.0 */
#include "search/keys.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/keyfile.h"

#define ENDING ".key"
#define FILE_BYTES 512

/* Offered with every key. Replies have one size whatever the AEAD. */
static const struct keyconfig_algorithm algorithms[] = {
	{HPKE_KDF_SHA256, HPKE_AEAD_AES128_GCM},
	{HPKE_KDF_SHA256, HPKE_AEAD_CHACHA20_POLY1305},
};

/* What a file says; in locked memory. */
struct file {
	char text[FILE_BYTES + 1];
	uint8_t private_key[KEM_MAX_PRIVATE_BYTES];
	unsigned id, kem;
	int64_t not_before, not_after;
};

static bool is_key_name(const char *name)
{
	size_t n = strlen(name), end = strlen(ENDING);

	return n > end && name[0] != '.' && strcmp(name + n - end, ENDING) == 0;
}

/* --- reading */

static enum veil_status parse(struct file *f, const char *path, struct veil_error *err)
{
	const struct kem *kem;
	int at = 0, end = 0;
	const char *rest;

	if (sscanf(f->text,
		    "veil gateway key 1 id %u kem %x not-before %" SCNd64 " not-after %" SCNd64 " private %n",
		    &f->id, &f->kem, &f->not_before, &f->not_after, &at) != 4 ||
		at == 0 || f->id > 255 || f->kem > 0xffff || f->not_before >= f->not_after ||
		f->not_before < 0 || f->not_after > INT64_MAX / 4)
		return error_set(err, VEIL_E_INVALID, "%s is not a gateway key", path);
	kem = kem_find((uint16_t)f->kem);
	if (!kem)
		return error_set(err, VEIL_E_UNSUPPORTED, "%s: this build has no KEM 0x%04x", path, f->kem);
	rest = f->text + at;
	if (strspn(rest, "0123456789abcdef") != 2 * kem->private_bytes ||
		!bytes_from_hex(f->private_key, kem->private_bytes, rest))
		return error_set(err, VEIL_E_INVALID, "%s: the private key has not %zu bytes in hexadecimal",
			path, kem->private_bytes);
	sscanf(rest + 2 * kem->private_bytes, " %n", &end);
	if (rest[2 * kem->private_bytes + (size_t)end])
		return error_set(err, VEIL_E_INVALID, "%s goes on behind its private key", path);
	return VEIL_OK;
}

static enum veil_status add(struct keys *k, struct crypto *c, const struct file *f, const char *path,
	const char *name, struct veil_error *err)
{
	struct keys_entry *e = k->entry + k->count;
	enum veil_status st;

	for (size_t i = 0; i < k->count; i++)
		if (k->entry[i].message.config.id == f->id)
			return error_set(err, VEIL_E_INVALID, "%s: another key has the identifier %u, too",
				path, f->id);
	if (k->count == KEYS_MAX)
		return error_set(err, VEIL_E_INVALID, "%s: more than %d keys", path, KEYS_MAX);
	*e = (struct keys_entry){.not_before = f->not_before, .not_after = f->not_after};
	snprintf(e->name, sizeof e->name, "%.*s", (int)(strlen(name) - strlen(ENDING)), name);
	st = kem_key_create(&e->key, c, kem_find((uint16_t)f->kem), f->private_key, err);
	if (st != VEIL_OK)
		return st;
	k->count++;
	return message_key_init(
		&e->message, (uint8_t)f->id, e->key, algorithms, sizeof algorithms / sizeof *algorithms, err);
}

static bool is_over(int64_t not_after, int64_t grace, int64_t now)
{
	return now >= not_after + grace;
}

enum veil_status keys_load(struct keys **out, struct crypto *c, const char *dir, int64_t grace, int64_t now,
	struct veil_error *err)
{
	struct keys *k = calloc(1, sizeof *k);
	struct arena secret = {0};
	struct dirent **names = NULL;
	struct file *f;
	char path[1024];
	enum veil_status st = VEIL_OK;
	int count;

	*out = NULL;
	if (!k || arena_init_secret(&secret, arena_room(sizeof *f)) != VEIL_OK) {
		free(k);
		return error_set(err, VEIL_E_NOMEM, "no memory for the gateway's keys");
	}
	k->grace = grace;
	f = arena_take(&secret, sizeof *f);
	count = scandir(dir, &names, NULL, alphasort);
	if (count < 0)
		st = error_set(err, VEIL_E_IO, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (st == VEIL_OK && is_key_name(names[i]->d_name)) {
			snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
			st = keyfile_read(f->text, sizeof f->text, path, err);
			if (st == VEIL_OK)
				st = parse(f, path, err);
			if (st == VEIL_OK && !is_over(f->not_after, grace, now))
				st = add(k, c, f, path, names[i]->d_name, err);
		}
		free(names[i]);
	}
	free(names);
	arena_clear(&secret);
	if (st == VEIL_OK)
		*out = k;
	else
		keys_destroy(k);
	return st;
}

void keys_clear(struct keys *k)
{
	for (size_t i = 0; i < k->count; i++) {
		kem_key_destroy(k->entry[i].key);
		replay_close(k->entry[i].replay);
	}
	k->count = 0;
}

void keys_destroy(struct keys *k)
{
	if (k)
		keys_clear(k);
	free(k);
}

/* --- time */

enum keys_state keys_state(const struct keys *k, const struct keys_entry *e, int64_t now)
{
	if (is_over(e->not_after, k->grace, now))
		return KEYS_OVER;
	if (now >= e->not_after)
		return KEYS_RETIRING;
	return now >= e->not_before ? KEYS_ACTIVE : KEYS_NEXT;
}

/* Active keys before next ones, the newest active and the soonest next one first; then by identifier. */
static bool stands_before(const struct keys_entry *a, const struct keys_entry *b, int64_t now)
{
	bool a_active = a->not_before <= now, b_active = b->not_before <= now;

	if (a_active != b_active)
		return a_active;
	if (a->not_before != b->not_before)
		return (a->not_before < b->not_before) != a_active;
	return a->message.config.id < b->message.config.id;
}

size_t keys_published(const struct keys *k, int64_t now, size_t out[KEYCONFIG_MAX])
{
	size_t order[KEYS_MAX], n = 0, published = 0;
	const struct kem *seen[KEYS_MAX];
	size_t seen_count = 0;

	for (size_t i = 0; i < k->count; i++) {
		size_t at = n;

		if (keys_state(k, k->entry + i, now) > KEYS_ACTIVE)
			continue;
		for (; at > 0 && stands_before(k->entry + i, k->entry + order[at - 1], now); at--)
			order[at] = order[at - 1];
		order[at] = i;
		n++;
	}
	for (size_t i = 0; i < n && published < KEYCONFIG_MAX; i++) {
		const struct keys_entry *e = k->entry + order[i];
		bool later = false;

		for (size_t j = 0; j < seen_count; j++)
			later |= seen[j] == e->key->kem;
		if (keys_state(k, e, now) == KEYS_NEXT && later)
			continue;
		if (keys_state(k, e, now) == KEYS_NEXT)
			seen[seen_count++] = e->key->kem;
		out[published++] = order[i];
	}
	return published;
}
