/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/evalkey.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/require.h"
#include "ring/galois.h"

static size_t key_room(const struct ring *ring)
{
	const unsigned count = ring->count - 1;

	return arena_room(count * sizeof(struct rlwe_ciphertext)) +
	       count * rlwe_ciphertext_bytes(ring, 2, ring->count);
}

size_t rlwe_evalkey_room(const struct ring *ring, unsigned galois_count, bool relin)
{
	return arena_room(galois_count * sizeof(struct rlwe_galois_key)) +
	       galois_count * arena_room(ring->n * sizeof(uint32_t)) +
	       (galois_count + relin) * key_room(ring);
}

static void init_key(struct rlwe_switch_key *key, const struct ring *ring, struct arena *arena)
{
	key->count = ring->count - 1;
	key->ct = arena_take(arena, key->count * sizeof *key->ct);
	for (unsigned i = 0; i < key->count; i++)
		rlwe_ciphertext_init(&key->ct[i], ring, 2, ring->count, RING_EVALUATION,
			arena_take(arena, rlwe_ciphertext_bytes(ring, 2, ring->count)));
}

enum veil_status rlwe_evalkey_check(const struct rlwe_params *params, const uint32_t *elements,
	unsigned galois_count, bool relin, struct veil_error *err)
{
	const uint32_t order = (uint32_t)2 << params->log_n;

	if (!params->special && (galois_count || relin))
		return error_set(err, VEIL_E_INVALID,
			"%s: no modulus for key switching, so no evaluation keys", params->name);
	if (galois_count > RLWE_MAX_GALOIS_KEYS)
		return error_set(err, VEIL_E_INVALID, "%u Galois elements are more than %d", galois_count,
			RLWE_MAX_GALOIS_KEYS);
	for (unsigned i = 0; i < galois_count; i++) {
		if (elements[i] % 2 == 0 || elements[i] == 1 || elements[i] >= order)
			return error_set(err, VEIL_E_INVALID,
				"Galois element %" PRIu32 " is not odd in 3..%" PRIu32, elements[i],
				order - 1);
		for (unsigned j = 0; j < i; j++)
			if (elements[j] == elements[i])
				return error_set(err, VEIL_E_INVALID,
					"Galois element %" PRIu32 " occurs twice", elements[i]);
	}
	return VEIL_OK;
}

void rlwe_evalkey_init(struct rlwe_evalkey *key, const struct ring *ring, const uint32_t *elements,
	unsigned galois_count, bool relin, struct arena *arena)
{
	REQUIRE(ring->count >= 2 && galois_count <= RLWE_MAX_GALOIS_KEYS);
	*key = (struct rlwe_evalkey){.galois_count = galois_count, .has_relin = relin};
	key->galois = arena_take(arena, galois_count * sizeof *key->galois);
	for (unsigned i = 0; i < galois_count; i++) {
		unsigned at = i;

		for (; at > 0 && key->galois[at - 1].element > elements[i]; at--)
			key->galois[at].element = key->galois[at - 1].element;
		key->galois[at].element = elements[i];
	}
	for (unsigned i = 0; i < galois_count; i++) {
		struct rlwe_galois_key *galois = &key->galois[i];

		init_key(&galois->key, ring, arena);
		galois->map = arena_take(arena, ring->n * sizeof *galois->map);
		ring_galois_map(galois->map, ring->log_n, (uint32_t)galois->element, RING_EVALUATION);
	}
	if (relin)
		init_key(&key->relin, ring, arena);
}

struct rlwe_galois_key *rlwe_evalkey_find(const struct rlwe_evalkey *key, uint64_t element)
{
	for (unsigned i = 0; i < key->galois_count; i++)
		if (key->galois[i].element == element)
			return &key->galois[i];
	return NULL;
}
