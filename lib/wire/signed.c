/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/signed.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* magic, sequence, two times, two sizes; text, keys, objects and signers each after their number; signatures
 */
#define MAGIC "VEILSGN1"
#define MAGIC_BYTES 8
#define MAX_TIME (INT64_C(1) << 40)

static bool authority_valid(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !memchr(".-_:[]", c, 6))
			return false;
	}
	return size > 0 && size <= WIRE_SIGNED_MAX_AUTHORITY;
}

static bool keys_distinct(const uint8_t (*keys)[SIGN_PUBLIC_BYTES], size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (memcmp(keys[i], keys[j], SIGN_PUBLIC_BYTES) == 0)
				return false;
	return true;
}

static bool objects_distinct(const struct wire_signed *s)
{
	for (size_t i = 0; i < s->object_count; i++)
		for (size_t j = 0; j < i; j++)
			if (s->objects[i].kind == s->objects[j].kind &&
				memcmp(s->objects[i].hash, s->objects[j].hash, HASH_BYTES) == 0)
				return false;
	return true;
}

/* NULL, or what is wrong. Both directions use it. */
static const char *find_fault(const struct wire_signed *s)
{
	if (s->sequence == 0)
		return "has the sequence number 0";
	if (s->not_before < 0 || s->not_before >= s->not_after || s->not_after > MAX_TIME)
		return "has times that are none";
	if (!authority_valid(s->authority, strlen(s->authority)))
		return "names a host that is none (lower-case letters, digits, .-_:[], at most 127)";
	if (s->key_count < 1 || s->key_count > WIRE_SIGNED_MAX_KEYS || !keys_distinct(s->keys, s->key_count))
		return "does not name 1 to 4 different signing keys";
	if (s->object_count > WIRE_SIGNED_MAX_OBJECTS || !objects_distinct(s))
		return "names something twice, or more than 64 things";
	for (size_t i = 0; i < s->object_count; i++)
		if (s->objects[i].kind == 0)
			return "names a thing of no kind";
	return NULL;
}

/* --- writing */

static void put_body(struct writer *w, const struct wire_signed *s,
	const uint8_t (*signers)[SIGN_PUBLIC_BYTES], size_t signer_count)
{
	size_t length = strlen(s->authority);

	writer_bytes(w, MAGIC, MAGIC_BYTES);
	writer_u64(w, s->sequence);
	writer_u64(w, (uint64_t)s->not_before);
	writer_u64(w, (uint64_t)s->not_after);
	writer_u32(w, s->request_bytes);
	writer_u32(w, s->reply_bytes);
	writer_u8(w, (uint8_t)length);
	writer_bytes(w, s->authority, length);
	writer_u8(w, (uint8_t)s->key_count);
	writer_bytes(w, s->keys, s->key_count * SIGN_PUBLIC_BYTES);
	writer_u8(w, (uint8_t)s->object_count);
	for (size_t i = 0; i < s->object_count; i++) {
		writer_u8(w, s->objects[i].kind);
		writer_bytes(w, s->objects[i].hash, HASH_BYTES);
	}
	writer_u8(w, (uint8_t)signer_count);
	writer_bytes(w, signers, signer_count * SIGN_PUBLIC_BYTES);
}

enum veil_status wire_signed_write(uint8_t **out, size_t *size, const struct wire_signed *s,
	const uint8_t (*seeds)[SIGN_SEED_BYTES], size_t seed_count, struct veil_error *err)
{
	uint8_t signers[WIRE_SIGNED_MAX_KEYS][SIGN_PUBLIC_BYTES], signature[SIGN_BYTES];
	const char *fault = find_fault(s);
	struct writer w;
	size_t body;

	*out = NULL;
	if (!fault && (seed_count < 1 || seed_count > WIRE_SIGNED_MAX_KEYS))
		fault = "is to be signed by 1 to 4 keys";
	for (size_t i = 0; !fault && i < seed_count; i++)
		sign_public_key(signers[i], seeds[i]);
	if (!fault && !keys_distinct((const uint8_t(*)[SIGN_PUBLIC_BYTES])signers, seed_count))
		fault = "is to be signed twice with one key";
	if (fault)
		return error_set(err, VEIL_E_INVALID, "the configuration to be signed %s", fault);
	*out = malloc(WIRE_SIGNED_MAX_BYTES);
	if (!*out)
		return error_set(err, VEIL_E_NOMEM, "no memory for the signed configuration");
	writer_init(&w, *out, WIRE_SIGNED_MAX_BYTES);
	put_body(&w, s, (const uint8_t(*)[SIGN_PUBLIC_BYTES])signers, seed_count);
	body = w.at;
	for (size_t i = 0; i < seed_count; i++) {
		sign_make(signature, *out, body, seeds[i]);
		writer_bytes(&w, signature, sizeof signature);
	}
	*size = w.at;
	return VEIL_OK;
}

/* --- reading */

struct signers {
	size_t count, body;
	uint8_t keys[WIRE_SIGNED_MAX_KEYS][SIGN_PUBLIC_BYTES];
	const uint8_t *signatures;
};

/* How many follow; more than there may be is a failure. */
static size_t take_count(struct reader *r, size_t most)
{
	size_t n = reader_u8(r);

	r->failed = r->failed || n > most;
	return r->failed ? 0 : n;
}

static bool parse(struct wire_signed *s, struct signers *by, struct bytes data)
{
	char magic[MAGIC_BYTES];
	struct reader r;
	size_t length;

	reader_init(&r, data.data, data.size);
	reader_bytes(&r, magic, sizeof magic);
	s->sequence = reader_u64(&r);
	s->not_before = (int64_t)reader_u64(&r);
	s->not_after = (int64_t)reader_u64(&r);
	s->request_bytes = reader_u32(&r);
	s->reply_bytes = reader_u32(&r);
	length = take_count(&r, WIRE_SIGNED_MAX_AUTHORITY);
	reader_bytes(&r, s->authority, length);
	s->key_count = take_count(&r, WIRE_SIGNED_MAX_KEYS);
	reader_bytes(&r, s->keys, s->key_count * SIGN_PUBLIC_BYTES);
	s->object_count = take_count(&r, WIRE_SIGNED_MAX_OBJECTS);
	for (size_t i = 0; i < s->object_count; i++) {
		s->objects[i].kind = reader_u8(&r);
		reader_bytes(&r, s->objects[i].hash, HASH_BYTES);
	}
	by->count = take_count(&r, WIRE_SIGNED_MAX_KEYS);
	reader_bytes(&r, by->keys, by->count * SIGN_PUBLIC_BYTES);
	by->body = r.at;
	by->signatures = reader_view(&r, by->count * SIGN_BYTES);
	return reader_done(&r) && memcmp(magic, MAGIC, MAGIC_BYTES) == 0 && strlen(s->authority) == length &&
	       by->count > 0 && keys_distinct((const uint8_t(*)[SIGN_PUBLIC_BYTES])by->keys, by->count);
}

static enum veil_status read_all(
	struct wire_signed *out, struct signers *by, struct bytes data, struct veil_error *err)
{
	const char *fault = NULL;

	*out = (struct wire_signed){0};
	*by = (struct signers){0};
	if (data.size > WIRE_SIGNED_MAX_BYTES || !parse(out, by, data))
		fault = "is not one, or is cut off";
	if (!fault)
		fault = find_fault(out);
	for (size_t i = 0; !fault && i < by->count; i++)
		if (!sign_verify(by->signatures + i * SIGN_BYTES, data.data, by->body, by->keys[i]))
			fault = "has a wrong signature";
	if (!fault)
		return VEIL_OK;
	*out = (struct wire_signed){0};
	return error_set(err, VEIL_E_MALFORMED, "the signed configuration %s; it is not used", fault);
}

enum veil_status wire_signed_read_any(struct wire_signed *s, struct bytes data, struct veil_error *err)
{
	struct signers by;

	return read_all(s, &by, data, err);
}

enum veil_status wire_signed_read(struct wire_signed *s, struct bytes data,
	const uint8_t (*keys)[SIGN_PUBLIC_BYTES], size_t key_count, struct veil_error *err)
{
	struct signers by;
	enum veil_status st = read_all(s, &by, data, err);

	if (st != VEIL_OK)
		return st;
	for (size_t i = 0; i < by.count; i++)
		for (size_t j = 0; j < key_count; j++)
			if (memcmp(by.keys[i], keys[j], SIGN_PUBLIC_BYTES) == 0)
				return VEIL_OK;
	*s = (struct wire_signed){0};
	return error_set(err, VEIL_E_INVALID,
		"the signed configuration is signed by none of the keys that are trusted here; if the "
		"operator has "
		"changed keys, get the new trust file from them, not from this server");
}

/* --- use */

enum veil_status wire_signed_check_time(const struct wire_signed *s, int64_t now, struct veil_error *err)
{
	if (now < s->not_before)
		return error_set(err, VEIL_E_VERSION,
			"the signed configuration is not valid before %lld s from now; is this clock right?",
			(long long)(s->not_before - now));
	if (now >= s->not_after)
		return error_set(err, VEIL_E_VERSION,
			"the signed configuration has been out of date for %lld s; the operator must sign a "
			"new one "
			"(or this clock is wrong)",
			(long long)(now - s->not_after));
	return VEIL_OK;
}

bool wire_signed_has(const struct wire_signed *s, enum wire_signed_kind kind, const uint8_t hash[HASH_BYTES])
{
	for (size_t i = 0; i < s->object_count; i++)
		if (s->objects[i].kind == kind && memcmp(s->objects[i].hash, hash, HASH_BYTES) == 0)
			return true;
	return false;
}

const uint8_t *wire_signed_first(const struct wire_signed *s, enum wire_signed_kind kind)
{
	for (size_t i = 0; i < s->object_count; i++)
		if (s->objects[i].kind == kind)
			return s->objects[i].hash;
	return NULL;
}
