/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "wire/he.h"
#include "wire/he_inside.h"

/* --- write */

static He__SerializedKeySwitchKey *make_switch_key(
	const struct rlwe_switch_key *key, bool pack, struct arena *scratch)
{
	He__SerializedKeySwitchKey *m = arena_take(scratch, sizeof *m);

	he__serialized_key_switch_key__init(m);
	m->key_switch_key = wire_he_make_ciphertexts(key->ct, key->count, NULL, pack, scratch);
	return m;
}

/* The entries are in the order of struct rlwe_evalkey, by ascending element: the bytes are canonical. */
static He__SerializedGaloisKey *make_galois(const struct rlwe_evalkey *key, bool pack, struct arena *scratch)
{
	He__SerializedGaloisKey *m = arena_take(scratch, sizeof *m);

	he__serialized_galois_key__init(m);
	m->n_key_switch_keys = key->galois_count;
	m->key_switch_keys = arena_take(scratch, key->galois_count * sizeof *m->key_switch_keys);
	for (unsigned i = 0; i < key->galois_count; i++) {
		He__SerializedGaloisKey__KeySwitchKeysEntry *entry = arena_take(scratch, sizeof *entry);

		he__serialized_galois_key__key_switch_keys_entry__init(entry);
		entry->key = key->galois[i].element;
		entry->value = make_switch_key(&key->galois[i].key, pack, scratch);
		m->key_switch_keys[i] = entry;
	}
	return m;
}

size_t wire_evalkey_write(uint8_t *out, const struct rlwe_evalkey *key, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	He__SerializedEvaluationKey m = HE__SERIALIZED_EVALUATION_KEY__INIT;
	He__SerializedRelinKey relin = HE__SERIALIZED_RELIN_KEY__INIT;

	if (key->galois_count)
		m.galois_key = make_galois(key, out != NULL, scratch);
	if (key->has_relin) {
		relin.relin_key = make_switch_key(&key->relin, out != NULL, scratch);
		m.relin_key = &relin;
	}
	return wire_he_finish(out, &m.base, scratch, mark);
}

/* --- read */

static enum veil_status take_switch_key(struct rlwe_switch_key *key, struct drbg *drbg,
	const He__SerializedKeySwitchKey *m, struct veil_error *err)
{
	const He__SerializedCiphertextVec *vec = m ? m->key_switch_key : NULL;
	const char *name = he__serialized_key_switch_key__descriptor.short_name;
	enum veil_status st = VEIL_OK;

	if (!vec || vec->n_ciphertexts != key->count)
		return error_set(err, VEIL_E_MALFORMED, "%s: %zu ciphertexts instead of %u", name,
			vec ? vec->n_ciphertexts : 0, key->count);
	for (unsigned i = 0; i < key->count && st == VEIL_OK; i++) {
		const He__SerializedCiphertext *ct = vec->ciphertexts[i];

		if (ct->serialized_ciphertext_type_case !=
			HE__SERIALIZED_CIPHERTEXT__SERIALIZED_CIPHERTEXT_TYPE_SEEDED)
			return error_set(err, VEIL_E_MALFORMED, "%s: ciphertext %u is not seeded", name, i);
		st = wire_he_take_seeded(&key->ct[i], drbg, ct->seeded, err);
	}
	return st;
}

/* The map, in any order. */
static enum veil_status take_galois(
	struct rlwe_evalkey *key, struct drbg *drbg, const He__SerializedGaloisKey *m, struct veil_error *err)
{
	const char *name = he__serialized_galois_key__descriptor.short_name;
	const size_t count = m ? m->n_key_switch_keys : 0;
	bool seen[RLWE_MAX_GALOIS_KEYS] = {false};
	enum veil_status st = VEIL_OK;

	for (size_t i = 0; i < count && st == VEIL_OK; i++) {
		const He__SerializedGaloisKey__KeySwitchKeysEntry *entry = m->key_switch_keys[i];
		struct rlwe_galois_key *galois = rlwe_evalkey_find(key, entry->key);

		if (!galois)
			return error_set(err, VEIL_E_MALFORMED,
				"%s: a key for element %" PRIu64 ", which was not asked for", name,
				entry->key);
		if (seen[galois - key->galois])
			return error_set(
				err, VEIL_E_MALFORMED, "%s: two keys for element %" PRIu64, name, entry->key);
		seen[galois - key->galois] = true;
		st = take_switch_key(&galois->key, drbg, entry->value, err);
	}
	for (unsigned i = 0; i < key->galois_count && st == VEIL_OK; i++)
		if (!seen[i])
			st = error_set(err, VEIL_E_MALFORMED, "%s: no key for element %" PRIu64, name,
				key->galois[i].element);
	return st;
}

static enum veil_status take_relin(
	struct rlwe_evalkey *key, struct drbg *drbg, const He__SerializedRelinKey *m, struct veil_error *err)
{
	if (!key->has_relin && m)
		return error_set(err, VEIL_E_MALFORMED,
			"SerializedEvaluationKey: a relin_key, which was not asked for");
	if (!key->has_relin)
		return VEIL_OK;
	if (!m)
		return error_set(err, VEIL_E_MALFORMED, "SerializedEvaluationKey: no relin_key");
	return take_switch_key(&key->relin, drbg, m->relin_key, err);
}

enum veil_status wire_evalkey_read(struct rlwe_evalkey *key, struct drbg *drbg, const void *data, size_t size,
	struct arena *scratch, struct veil_error *err)
{
	const size_t mark = arena_mark(scratch);
	const He__SerializedEvaluationKey *e;
	ProtobufCMessage *m;
	enum veil_status st =
		wire_he_start(&m, &he__serialized_evaluation_key__descriptor, scratch, data, size, err);

	if (st == VEIL_OK) {
		e = (const He__SerializedEvaluationKey *)m;
		if (e->galois_key && !key->galois_count)
			st = error_set(err, VEIL_E_MALFORMED,
				"SerializedEvaluationKey: a galois_key, which was not asked for");
	}
	if (st == VEIL_OK) {
		st = take_galois(key, drbg, e->galois_key, err);
		if (st == VEIL_OK)
			st = take_relin(key, drbg, e->relin_key, err);
	}
	arena_release(scratch, mark);
	return st;
}
