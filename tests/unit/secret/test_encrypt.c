/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/encrypt.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "ring/uniform.h"
#include "rlwe/params.h"
#include "secret/decrypt.h"
#include "secret/noise.h"
#include "support/test.h"

static const uint64_t moduli[] = {268369921, 274876334081, 1152921504606830593};
#define MODULI (sizeof moduli / sizeof *moduli)

struct fixture {
	struct ring *ring;
	struct arena arena;
	struct secret_stream stream;
	struct secret_key key;
	struct keystream *ks;
	struct rlwe_ciphertext ct; /* b + m, a */
	struct ring_poly b, m, phase;
};

static struct fixture make(unsigned log_n, const uint64_t *q, unsigned count)
{
	struct rng rng = rng_system();
	struct veil_error err;
	struct fixture f;
	size_t room;

	cr_assert_eq(ring_create(&f.ring, log_n, q, count, cpu_features(), &err), VEIL_OK, "%s", err.text);
	room = secret_key_room(f.ring) + secret_encrypt_scratch(f.ring) + secret_phase_scratch(f.ring) +
	       5 * ring_poly_bytes(f.ring, count);
	cr_assert_eq(arena_init_secret(&f.arena, room), VEIL_OK);
	cr_assert_eq(secret_stream_init(&f.stream, &rng), VEIL_OK);
	secret_key_generate(&f.key, f.ring, &f.stream, &f.arena);
	f.ks = keystream_create();
	rlwe_ciphertext_init(&f.ct, f.ring, 2, count, RING_COEFFICIENT,
		arena_take(&f.arena, rlwe_ciphertext_bytes(f.ring, 2, count)));
	f.b = f.m = f.phase = f.ct.poly[0];
	f.b.data = arena_take(&f.arena, ring_poly_bytes(f.ring, count));
	f.m.data = arena_take(&f.arena, ring_poly_bytes(f.ring, count));
	f.phase.data = arena_take(&f.arena, ring_poly_bytes(f.ring, count));
	memset(f.m.data, 0, ring_poly_bytes(f.ring, count));
	return f;
}

static void end(struct fixture *f)
{
	keystream_destroy(f->ks);
	secret_stream_clear(&f->stream);
	arena_clear(&f->arena);
	ring_destroy(f->ring);
}

/* Encrypts f->m into f->ct, in coefficient format, and takes the phase. */
static void round_trip(struct fixture *f, uint32_t k)
{
	static const uint8_t domain[HASH_BYTES], seed[RING_SEED_BYTES];
	struct ring_poly *a = &f->ct.poly[1];

	for (unsigned i = 0; i < f->ring->count; i++)
		ring_uniform(&f->ring->primes[i], ring_poly_row(a, i), f->ring->n, f->ks, domain, seed,
			k * f->ring->count + i);
	a->format = RING_EVALUATION;
	secret_encrypt_zero(&f->key, &f->b, a, &f->stream, &f->arena);
	ring_poly_add(&f->ct.poly[0], &f->b, &f->m);
	ring_poly_transform(a, RING_COEFFICIENT);
	secret_phase(&f->key, &f->phase, &f->ct, &f->arena);
}

Test(encrypt, phases_are_messages_with_fresh_noise_of_the_formula)
{
	struct rng rng = test_rng();

	for (unsigned log_n = 6; log_n <= 13; log_n++) {
		for (size_t q = 0; q < MODULI; q++) {
			struct fixture f = make(log_n, &moduli[q], 1);
			const struct ring_prime *r = f.ring->primes;
			unsigned rounds = 40 * 8192 / (unsigned)r->n;
			double squares = 0;

			for (unsigned k = 0; k < rounds; k++) {
				struct secret_noise noise;

				for (size_t i = 0; i < r->n; i++)
					ring_set(r, f.m.data, i, test_residue(&rng, r->p.q));
				round_trip(&f, k);
				noise = secret_noise_measure_vartime(r, f.phase.data, f.m.data);
				cr_assert_leq(noise.max, 21);
				cr_assert_leq(noise.rms, (double)noise.max);
				squares += noise.rms * noise.rms / rounds;
			}
			/* within 0.2 bit is what is promised; 327680 errors say much more: 5 sigma of the
			 * variance */
			cr_assert_lt(fabs(log2(sqrt(squares) / sqrt(RLWE_CBD21_VARIANCE))), 0.2);
			cr_assert_lt(fabs(squares - RLWE_CBD21_VARIANCE),
				5 * RLWE_CBD21_VARIANCE * sqrt(2.0 / 327680), "N = %zu, q = %lu: %f", r->n,
				r->p.q, squares);
			end(&f);
		}
	}
}

Test(encrypt, residues_of_several_primes_carry_one_error)
{
	struct fixture f = make(11, moduli, MODULI);

	round_trip(&f, 0);
	for (size_t j = 0; j < f.ring->n; j++) {
		int64_t error[MODULI];

		for (unsigned i = 0; i < MODULI; i++) {
			uint64_t e = ring_get(&f.ring->primes[i], ring_poly_row(&f.phase, i), j);

			error[i] = e > moduli[i] / 2 ? -(int64_t)(moduli[i] - e) : (int64_t)e;
			cr_assert(error[i] >= -21 && error[i] <= 21);
			cr_assert_eq(error[i], error[0]);
		}
	}
	end(&f);
}

Test(encrypt, phases_are_the_same_in_both_formats)
{
	struct fixture f = make(11, moduli, MODULI);
	struct ring_poly copy = f.b;

	round_trip(&f, 3);
	ring_poly_copy(&copy, &f.phase);
	rlwe_ciphertext_transform(&f.ct, RING_EVALUATION);
	secret_phase(&f.key, &f.phase, &f.ct, &f.arena);
	cr_assert_eq(f.phase.format, RING_COEFFICIENT);
	cr_assert_arr_eq(f.phase.data, copy.data, ring_poly_bytes(f.ring, MODULI));
	end(&f);
}

Test(encrypt, another_key_sees_only_noise)
{
	struct fixture f = make(11, moduli, 1), g = make(11, moduli, 1);
	const struct ring_prime *r = f.ring->primes;
	struct secret_noise noise;

	cr_assert_arr_neq(f.key.s[0], g.key.s[0], ring_prime_bytes(r));
	round_trip(&f, 0);
	g.key.ring = f.ring; /* an equal one */
	secret_phase(&g.key, &f.phase, &f.ct, &f.arena);
	noise = secret_noise_measure_vartime(r, f.phase.data, f.m.data);
	/* uniform: q / sqrt(12) */
	cr_assert_gt(noise.rms, 0.25 * (double)r->p.q);
	end(&f);
	end(&g);
}

Test(encrypt, two_encryptions_of_zero_under_one_a_differ)
{
	struct fixture f = make(11, moduli, 1);
	uint32_t first[2048];

	round_trip(&f, 0);
	memcpy(first, f.b.data, sizeof first);
	round_trip(&f, 0);
	cr_assert_arr_neq(f.b.data, first, sizeof first);
	end(&f);
}

Test(encrypt, scratch_is_given_back_and_wiped)
{
	struct fixture f = make(11, moduli, MODULI);
	size_t used = f.arena.used;

	round_trip(&f, 0);
	cr_assert_eq(f.arena.used, used);
	cr_assert_gt(f.arena.peak, used);
	for (size_t i = used; i < f.arena.peak; i++)
		cr_assert_eq(f.arena.base[i], 0);
	arena_reset(&f.arena);
	for (size_t i = 0; i < f.arena.peak; i++)
		cr_assert_eq(f.arena.base[i], 0);
	end(&f);
}
