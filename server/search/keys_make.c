/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/keyfile.h"
#include "search/keys.h"

#define TEXT_BYTES 512
#define DAY_SECONDS 86400

static const struct {
	const char *name;
	uint16_t id;
} kems[] = {{"x25519", KEM_X25519}, {"p256", KEM_P256}, {"xwing", KEM_XWING}};

static const struct kem *kem_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof kems / sizeof *kems; i++)
		if (strcasecmp(name, kems[i].name) == 0)
			return kem_find(kems[i].id);
	return NULL;
}

/* The one after the newest that no other key has; there are more identifiers than keys. */
static unsigned free_id(const struct keys *k)
{
	const struct keys_entry *newest = NULL;
	unsigned id = 0;
	bool taken = true;

	for (size_t i = 0; i < k->count; i++)
		if (!newest || k->entry[i].not_before >= newest->not_before)
			newest = k->entry + i;
	if (newest)
		id = newest->message.config.id;
	while (taken) {
		id = (id + 1) % 256;
		taken = false;
		for (size_t i = 0; i < k->count; i++)
			taken |= k->entry[i].message.config.id == id;
	}
	return id;
}

static enum veil_status write_key(struct crypto *c, const struct kem *kem, unsigned id, int64_t from,
	int64_t until, const char *path, struct veil_error *err)
{
	const struct rng rng = rng_system();
	struct arena secret;
	enum veil_status st =
		arena_init_secret(&secret, arena_room(KEM_MAX_PRIVATE_BYTES) + arena_room(TEXT_BYTES));
	uint8_t *private_key;
	char *text;
	int at;

	if (st != VEIL_OK)
		return error_set(err, st, "no memory for a key");
	private_key = arena_take(&secret, KEM_MAX_PRIVATE_BYTES);
	text = arena_take(&secret, TEXT_BYTES);
	kem_key_random(c, kem, private_key, &rng);
	at = snprintf(text, TEXT_BYTES,
		"veil gateway key 1\nid %u\nkem 0x%04x\nnot-before %" PRId64 "\nnot-after %" PRId64
		"\nprivate ",
		id, kem->id, from, until);
	for (size_t i = 0; i < kem->private_bytes; i++)
		at += snprintf(text + at, TEXT_BYTES - (size_t)at, "%02x", private_key[i]);
	snprintf(text + at, TEXT_BYTES - (size_t)at, "\n");
	st = keyfile_create(path, text, strlen(text), 0600, err);
	arena_clear(&secret);
	return st;
}

enum veil_status keys_make(struct crypto *c, const char *dir, const char *kem_name, unsigned days,
	int64_t grace, int64_t now, char *path, size_t path_size, struct veil_error *err)
{
	const struct kem *kem = kem_of_name(kem_name);
	int64_t from = now;
	struct keys *k;
	enum veil_status st;

	if (!kem)
		return error_set(
			err, VEIL_E_UNSUPPORTED, "gateway-kem '%s' is none that this build has", kem_name);
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return error_set(err, VEIL_E_IO, "%s: %s", dir, strerror(errno));
	st = keys_load(&k, c, dir, grace, now, err);
	if (st != VEIL_OK)
		return st;
	for (size_t i = 0; i < k->count; i++)
		if (k->entry[i].key->kem == kem && k->entry[i].not_after > from)
			from = k->entry[i].not_after;
	if (k->count == KEYS_MAX) {
		st = error_set(err, VEIL_E_INVALID, "%s: there are %d keys already", dir, KEYS_MAX);
	} else {
		unsigned id = free_id(k);

		snprintf(path, path_size, "%s/%" PRId64 "-%03u.key", dir, from, id);
		st = write_key(c, kem, id, from, from + (int64_t)days * DAY_SECONDS, path, err);
	}
	keys_destroy(k);
	return st;
}
