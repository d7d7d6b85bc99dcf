/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HE_FIXTURE_H
#define WIRE_HE_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/drbg.h"
#include "craft.h"
#include "support/test.h"
#include "wire/he.h"

/* A set, memory for ring elements and messages of it, and random ones: what bytes mean needs no secret. */

struct he_fixture {
	struct bfv_context *ctx;
	const struct ring *ring;
	struct arena arena, scratch;
	struct drbg *drbg;
	struct rng rng;
	uint8_t *body; /* of the message that was written last */
	size_t size;
};

static inline void he_start(struct he_fixture *f, const char *set)
{
	const struct rlwe_params *params = rlwe_params_find(set);
	struct veil_error err;

	*f = (struct he_fixture){.rng = test_rng(), .drbg = drbg_create()};
	cr_assert_not_null(params, "%s", set);
	cr_assert_eq(
		bfv_context_create(&f->ctx, params, true, cpu_features(), &err), VEIL_OK, "%s", err.text);
	f->ring = f->ctx->ring;
	cr_assert_eq(arena_init(&f->arena, 4 << 20), VEIL_OK);
	cr_assert_eq(arena_init(&f->scratch, 2 << 20), VEIL_OK);
	f->body = malloc(2 << 20);
	cr_assert_not_null(f->body);
}

static inline void he_stop(struct he_fixture *f)
{
	cr_assert_eq(f->scratch.used, 0);
	free(f->body);
	drbg_destroy(f->drbg);
	arena_clear(&f->arena);
	arena_clear(&f->scratch);
	bfv_context_destroy(f->ctx);
}

static inline void he_random_poly(struct he_fixture *f, struct ring_poly *a)
{
	for (unsigned i = 0; i < a->level; i++)
		for (size_t j = 0; j < f->ring->n; j++)
			ring_set(&f->ring->primes[i], ring_poly_row(a, i), j,
				test_residue(&f->rng, f->ring->primes[i].p.q));
}

static inline struct rlwe_ciphertext he_room(
	struct he_fixture *f, unsigned count, unsigned level, enum ring_format format)
{
	struct rlwe_ciphertext ct;

	rlwe_ciphertext_init(&ct, f->ring, count, level, format,
		arena_take(&f->arena, rlwe_ciphertext_bytes(f->ring, count, level)));
	return ct;
}

static inline struct rlwe_ciphertext he_full(
	struct he_fixture *f, unsigned count, unsigned level, enum ring_format format)
{
	struct rlwe_ciphertext ct = he_room(f, count, level, format);

	for (unsigned i = 0; i < count; i++)
		he_random_poly(f, &ct.poly[i]);
	return ct;
}

static inline void he_seed(struct he_fixture *f, struct rlwe_ciphertext *ct)
{
	uint8_t seed[RING_SEED_BYTES];

	rng_fill(&f->rng, seed, sizeof seed);
	he_random_poly(f, &ct->poly[0]);
	rlwe_ciphertext_expand(ct, seed, f->drbg);
}

static inline struct rlwe_ciphertext he_seeded(struct he_fixture *f, unsigned level, enum ring_format format)
{
	struct rlwe_ciphertext ct = he_room(f, 2, level, format);

	he_seed(f, &ct);
	return ct;
}

static inline struct rlwe_evalkey he_evalkey(
	struct he_fixture *f, const uint32_t *elements, unsigned count, bool relin, bool fill)
{
	struct rlwe_evalkey key;

	rlwe_evalkey_init(&key, f->ring, elements, count, relin, &f->arena);
	for (unsigned i = 0; fill && i < count + relin; i++) {
		struct rlwe_switch_key *k = i < count ? &key.galois[i].key : &key.relin;

		for (unsigned j = 0; j < k->count; j++)
			he_seed(f, &k->ct[j]);
	}
	return key;
}

static inline void he_expect_same(const struct rlwe_ciphertext *a, const struct rlwe_ciphertext *b)
{
	cr_assert_eq(a->count, b->count);
	cr_assert_eq(a->seeded, b->seeded);
	cr_assert_eq(rlwe_ciphertext_level(a), rlwe_ciphertext_level(b));
	cr_assert_eq(rlwe_ciphertext_format(a), rlwe_ciphertext_format(b));
	for (unsigned i = 0; i < a->count; i++)
		for (unsigned p = 0; p < rlwe_ciphertext_level(a); p++)
			cr_assert_arr_eq(ring_poly_row(&a->poly[i], p), ring_poly_row(&b->poly[i], p),
				ring_prime_bytes(&a->poly[0].ring->primes[p]));
}

/* The content of a field of bytes, or of a message in it; the `skip`-th one of that number. */
static inline struct bytes he_field(struct bytes m, unsigned number, unsigned skip)
{
	struct reader r;

	reader_init(&r, m.data, m.size);
	while (reader_left(&r)) {
		uint64_t v[2] = {0, 0};

		for (int i = 0; i < 2; i++) {
			unsigned shift = 0;
			uint8_t byte;

			do {
				byte = reader_u8(&r);
				v[i] |= (uint64_t)(byte & 127) << shift;
				shift += 7;
			} while (byte & 128);
		}
		if ((v[0] & 7) == 2 && v[0] >> 3 == number && skip-- == 0)
			return (struct bytes){reader_view(&r, v[1]), v[1]};
		if ((v[0] & 7) == 2)
			reader_view(&r, v[1]);
	}
	cr_assert_fail("no field %u", number);
	return (struct bytes){0};
}

#endif
