/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apple/engine.h"
#include "base/arena.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/keyfile.h"
#include "build/commands.h"
#include "build/signing_key.h"
#include "ohttp/keyconfig.h"
#include "search/describe.h"
#include "wire/signed.h"

#define DAY_SECONDS 86400
#define EARLIER_SECONDS 3600 /* for clocks that are behind */
#define LIMIT_KEYS_BYTES 16384

struct arguments {
	const char *keys[WIRE_SIGNED_MAX_KEYS]; /* files of signing keys */
	size_t key_count;
	const char *index, *collection, *gateway_keys, *authority, *output;
	uint64_t days, sequence, from; /* 0: not given */
};

static bool read_number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == 0 && errno == 0 && *out > 0 && *out < 1ull << 40;
}

static enum veil_status parse(struct arguments *a, int argc, char **argv, struct veil_error *err)
{
	static const struct option options[] = {{"key", required_argument, NULL, 'k'},
		{"gateway-keys", required_argument, NULL, 'g'}, {"authority", required_argument, NULL, 'a'},
		{"collection", required_argument, NULL, 'c'}, {"output", required_argument, NULL, 'o'},
		{"days", required_argument, NULL, 'd'}, {"sequence", required_argument, NULL, 's'},
		{"from", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
	const char **texts[] = {
		['c'] = &a->collection, ['g'] = &a->gateway_keys, ['a'] = &a->authority, ['o'] = &a->output};
	uint64_t *numbers[] = {['d'] = &a->days, ['s'] = &a->sequence, ['f'] = &a->from};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return error_set(err, VEIL_E_INVALID, "%s: no such option, or its value is missing",
				argv[optind - 1]);
		if (option == 'k' && a->key_count == WIRE_SIGNED_MAX_KEYS)
			return error_set(err, VEIL_E_INVALID, "--key: at most %d", WIRE_SIGNED_MAX_KEYS);
		if (option == 'k')
			a->keys[a->key_count++] = optarg;
		else if (strchr("cgao", option))
			*texts[option] = optarg;
		else if (!read_number(optarg, numbers[option]) || (option == 'd' && a->days > 3650))
			return error_set(err, VEIL_E_INVALID, "%s: not a whole number from 1%s", optarg,
				option == 'd' ? " to 3650" : "");
	}
	a->index = argv[optind];
	if (optind + 1 != argc)
		return error_set(err, VEIL_E_INVALID, "one directory of an index is to be given");
	if (!a->key_count || !a->gateway_keys || !a->authority || !a->output)
		return error_set(err, VEIL_E_INVALID, "--%s is missing",
			!a->key_count	   ? "key"
			: !a->gateway_keys ? "gateway-keys"
			: !a->authority	   ? "authority"
					   : "output");
	return VEIL_OK;
}

static void add(struct wire_signed *s, enum wire_signed_kind kind, const uint8_t hash[HASH_BYTES])
{
	struct wire_signed_object *o = &s->objects[s->object_count++];

	o->kind = (uint8_t)kind;
	memcpy(o->hash, hash, HASH_BYTES);
}

static uint32_t larger(uint32_t a, size_t b)
{
	return b > a ? (uint32_t)b : a;
}

static bool always(void *state)
{
	(void)state;
	return true;
}

static enum veil_status add_index(struct wire_signed *s, const char *dir, struct veil_error *err)
{
	struct store_index *index = NULL;
	struct engine engine = {0};
	const struct exec exec = exec_serial();
	struct store_sealed *sealed = NULL;
	struct wire_config config;
	uint8_t *body = NULL, hash[HASH_BYTES];
	size_t size;
	enum veil_status st = store_index_open(&index, dir, err);

	if (st == VEIL_OK)
		st = engine_open(&engine, &index->spec, cpu_features(), err);
	if (st == VEIL_OK)
		st = index->sealed
			     ? store_sealed_create(&sealed, index, cpu_features(), &exec, always, NULL, err)
			     : VEIL_OK;
	if (st == VEIL_OK)
		st = describe_index(&body, &size, &config, index, engine.shape, sealed, err);
	if (st == VEIL_OK) {
		hash_sha256(hash, body, size);
		add(s, WIRE_SIGNED_CONFIG, hash);
		add(s, WIRE_SIGNED_INDEX, index->id);
		add(s, WIRE_SIGNED_CODEBOOK, index->codebook_hash);
		s->request_bytes = config.query_bytes;
		s->reply_bytes = config.reply_bytes;
		if (sealed) { /* whatever is asked has one size in a relay */
			const struct wire_retrieval r = describe_retrieval(sealed);

			s->request_bytes = larger(s->request_bytes, wire_retrieve_bytes(&r));
			s->reply_bytes = larger(s->reply_bytes, wire_retrieved_bytes(&r));
		}
	}
	free(body);
	store_sealed_destroy(sealed);
	engine_close(&engine);
	store_index_close(index);
	return st;
}

static enum veil_status add_collection(struct wire_signed *s, const char *dir, struct veil_error *err)
{
	const struct store_kv_options options = {.features = cpu_features()};
	struct wire_retrieval r = {0};
	struct store_kv *kv = NULL;
	uint8_t *body = NULL, hash[HASH_BYTES];
	size_t size;
	enum veil_status st = store_kv_open(&kv, dir, &options, err);

	if (st == VEIL_OK)
		st = describe_collection(&body, &size, &r, kv, err);
	if (st == VEIL_OK) {
		hash_sha256(hash, body, size);
		add(s, WIRE_SIGNED_COLLECTION, hash);
		s->request_bytes = larger(s->request_bytes, wire_retrieve_bytes(&r));
		s->reply_bytes = larger(s->reply_bytes, wire_retrieved_bytes(&r));
	}
	free(body);
	store_kv_close(kv);
	return st;
}

static enum veil_status read_file(
	uint8_t *data, size_t limit, size_t *size, const char *path, struct veil_error *err)
{
	enum veil_status st = keyfile_read_public(data, limit, size, path, err);

	return st != VEIL_OK || *size < limit ? st : error_set(err, VEIL_E_INVALID, "%s: too large", path);
}

static enum veil_status add_gateway_keys(struct wire_signed *s, const char *path, struct veil_error *err)
{
	static uint8_t body[LIMIT_KEYS_BYTES];
	struct keyconfig_list list;
	struct veil_error why = {{0}};
	struct bytes rest = {body, 0}, one;
	uint8_t hash[HASH_BYTES];
	enum veil_status st = read_file(body, sizeof body, &rest.size, path, err);

	if (st != VEIL_OK)
		return st;
	st = keyconfig_read(&list, rest.data, rest.size, &why);
	if (st == VEIL_OK && list.count + list.skipped > KEYCONFIG_MAX)
		st = error_set(&why, VEIL_E_INVALID, "more than %d keys", KEYCONFIG_MAX);
	if (st != VEIL_OK)
		return error_set(err, VEIL_E_INVALID,
			"%s is not what the gateway publishes at /.well-known/ohttp-gateway: %.300s", path,
			why.text);
	while (keyconfig_next(&rest, &one)) {
		hash_sha256(hash, one.data, one.size);
		add(s,
			kem_is_post_quantum(keyconfig_kem(one)) ? WIRE_SIGNED_GATEWAY_KEY_PQ
								: WIRE_SIGNED_GATEWAY_KEY,
			hash);
	}
	return VEIL_OK;
}

static size_t count_gateway_keys(const struct wire_signed *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->object_count; i++)
		n += s->objects[i].kind == WIRE_SIGNED_GATEWAY_KEY ||
		     s->objects[i].kind == WIRE_SIGNED_GATEWAY_KEY_PQ;
	return n;
}

/* One more than that of the file that is replaced, and not below the time: a file that was lost does not lead
 * back.
 */
static uint64_t next_sequence(const char *output, int64_t now)
{
	uint8_t body[WIRE_SIGNED_MAX_BYTES + 1];
	struct wire_signed before;
	size_t size;

	if (read_file(body, sizeof body, &size, output, NULL) == VEIL_OK &&
		wire_signed_read_any(&before, (struct bytes){body, size}, NULL) == VEIL_OK &&
		before.sequence >= (uint64_t)now)
		return before.sequence + 1;
	return (uint64_t)now;
}

static enum veil_status sign_with(struct wire_signed *s, const struct arguments *a,
	uint8_t seeds[WIRE_SIGNED_MAX_KEYS][SIGN_SEED_BYTES], struct veil_error *err)
{
	uint8_t *object = NULL;
	size_t size;
	enum veil_status st = VEIL_OK;

	for (size_t i = 0; i < a->key_count && st == VEIL_OK; i++) {
		st = signing_key_read(seeds[i], a->keys[i], err);
		if (st == VEIL_OK)
			sign_public_key(s->keys[s->key_count++], seeds[i]);
	}
	if (st == VEIL_OK)
		st = wire_signed_write(
			&object, &size, s, (const uint8_t(*)[SIGN_SEED_BYTES])seeds, a->key_count, err);
	if (st == VEIL_OK)
		st = keyfile_write(a->output, object, size, 0644, err);
	free(object);
	return st;
}

static enum veil_status sign(const struct arguments *a, struct wire_signed *s, struct veil_error *err)
{
	int64_t now = time(NULL);
	struct arena secret;
	enum veil_status st;

	*s = (struct wire_signed){.sequence = a->sequence ? a->sequence : next_sequence(a->output, now)};
	s->not_before = a->from ? (int64_t)a->from : now - EARLIER_SECONDS;
	s->not_after = (a->from ? (int64_t)a->from : now) + (int64_t)a->days * DAY_SECONDS;
	if (strlen(a->authority) > WIRE_SIGNED_MAX_AUTHORITY)
		return error_set(
			err, VEIL_E_INVALID, "--authority: longer than %d bytes", WIRE_SIGNED_MAX_AUTHORITY);
	snprintf(s->authority, sizeof s->authority, "%s", a->authority);
	st = add_index(s, a->index, err);
	if (st == VEIL_OK && a->collection)
		st = add_collection(s, a->collection, err);
	if (st == VEIL_OK)
		st = add_gateway_keys(s, a->gateway_keys, err);
	if (st != VEIL_OK)
		return st;
	if (arena_init_secret(&secret, arena_room(WIRE_SIGNED_MAX_KEYS * SIGN_SEED_BYTES)) != VEIL_OK)
		return error_set(err, VEIL_E_NOMEM, "no memory for a key");
	st = sign_with(s, a, arena_take(&secret, WIRE_SIGNED_MAX_KEYS * SIGN_SEED_BYTES), err);
	arena_clear(&secret);
	return st;
}

int cmd_sign(int argc, char **argv)
{
	struct arguments a = {.days = 30};
	struct wire_signed s;
	struct veil_error err = {{0}};

	if (parse(&a, argc, argv, &err) != VEIL_OK) {
		fprintf(stderr, "veil-index sign: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (sign(&a, &s, &err) != VEIL_OK) {
		fprintf(stderr, "veil-index sign: %s\n", err.text);
		return 1;
	}
	printf("%s: number %" PRIu64 ", for %" PRIu64
	       " days, signed by %zu keys; names %zu keys of the gateway\n",
		a.output, s.sequence, a.days, s.key_count, count_gateway_keys(&s));
	return 0;
}

int cmd_new_signing_key(int argc, char **argv)
{
	struct veil_error err = {{0}};

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "veil-index new-signing-key: one FILE is to be given\n");
		return EXIT_USAGE;
	}
	if (signing_key_make(argv[1], &err) != VEIL_OK) {
		fprintf(stderr, "veil-index new-signing-key: %s\n", err.text);
		return 1;
	}
	printf("%s is secret: keep it where the server is not; %s.pub is the trust file of clients\n",
		argv[1], argv[1]);
	return 0;
}
