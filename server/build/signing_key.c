/* SPDX-License-Identifier: Apache-2.0 */
#include "build/signing_key.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/keyfile.h"
#include "base/rng.h"

#define HEAD "veil signing key 1\nseed "
#define HEAD_BYTES (sizeof HEAD - 1)
#define FILE_BYTES (HEAD_BYTES + 2 * SIGN_SEED_BYTES + 1)

_Static_assert(SIGN_SEED_BYTES == HASH_BYTES && SIGN_PUBLIC_BYTES == HASH_BYTES, "hash_hex writes them");

/* In locked memory. */
struct file {
	char text[FILE_BYTES + 2]; /* one more than there may be, and a zero */
	char hex[HASH_HEX_SIZE];
	uint8_t seed[SIGN_SEED_BYTES];
};

static enum veil_status make(
	struct file *f, const char *path, const char *public_path, struct veil_error *err)
{
	uint8_t public_key[SIGN_PUBLIC_BYTES];
	const struct rng rng = rng_system();
	char hex[HASH_HEX_SIZE], line[128];
	enum veil_status st;

	rng_fill(&rng, f->seed, sizeof f->seed);
	sign_public_key(public_key, f->seed);
	hash_hex(f->hex, f->seed);
	snprintf(f->text, sizeof f->text, HEAD "%s\n", f->hex);
	st = keyfile_create(path, f->text, FILE_BYTES, 0600, err);
	if (st != VEIL_OK)
		return st;
	hash_hex(hex, public_key);
	snprintf(line, sizeof line, "operator %s\n", hex);
	st = keyfile_create(public_path, line, strlen(line), 0644, err);
	if (st != VEIL_OK)
		unlink(path); /* nobody has used it: of no use without the other file */
	return st;
}

enum veil_status signing_key_make(const char *path, struct veil_error *err)
{
	char public_path[1024];
	const char *there = NULL;
	struct arena secret;
	enum veil_status st;

	if (snprintf(public_path, sizeof public_path, "%s.pub", path) >= (int)sizeof public_path)
		return error_set(err, VEIL_E_INVALID, "the name of the key is longer than 1000 bytes");
	there = access(path, F_OK) == 0 ? path : access(public_path, F_OK) == 0 ? public_path : NULL;
	if (there)
		return error_set(err, VEIL_E_INVALID, "%s is there already; a key is never replaced", there);
	if (arena_init_secret(&secret, arena_room(sizeof(struct file))) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory for a key");
	st = make(arena_take(&secret, sizeof(struct file)), path, public_path, err);
	arena_clear(&secret);
	return st;
}

enum veil_status signing_key_read(uint8_t seed[SIGN_SEED_BYTES], const char *path, struct veil_error *err)
{
	struct arena secret;
	struct file *f;
	enum veil_status st;

	if (arena_init_secret(&secret, arena_room(sizeof *f)) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory for a key");
	f = arena_take(&secret, sizeof *f);
	st = keyfile_read(f->text, sizeof f->text, path, err);
	if (st == VEIL_OK && (strlen(f->text) != FILE_BYTES || strncmp(f->text, HEAD, HEAD_BYTES) != 0 ||
				     !bytes_from_hex(seed, SIGN_SEED_BYTES, f->text + HEAD_BYTES) ||
				     f->text[FILE_BYTES - 1] != '\n'))
		st = error_set(
			err, VEIL_E_INVALID, "%s is no signing key of veil-index new-signing-key", path);
	arena_clear(&secret);
	return st;
}
