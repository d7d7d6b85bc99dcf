/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/encode.h"
#include "he_fixture.h"
#include "kat/sets.h"
#include "ring/packed.h"

#define TINY "insecure_n_8_logq_5x18_logt_5"

static struct bytes whole(const struct he_fixture *f)
{
	return (struct bytes){f->body, f->size};
}

static void write_ciphertext(struct he_fixture *f, const struct rlwe_ciphertext *ct, const unsigned *skip)
{
	f->size = wire_ciphertext_write(NULL, ct, skip, &f->scratch);
	cr_assert_eq(wire_ciphertext_write(f->body, ct, skip, &f->scratch), f->size);
}

static void write_evalkey(struct he_fixture *f, const struct rlwe_evalkey *key)
{
	f->size = wire_evalkey_write(NULL, key, &f->scratch);
	cr_assert_eq(wire_evalkey_write(f->body, key, &f->scratch), f->size);
}

static void check_sizes(const struct kat_set *kat)
{
	static const uint32_t element = 3;
	struct he_fixture f;
	struct rlwe_ciphertext ct;
	struct rlwe_evalkey key;
	struct bytes m;
	uint32_t size = 0;

	he_start(&f, kat->name);
	ct = he_seeded(&f, f.ctx->level, RING_COEFFICIENT);
	write_ciphertext(&f, &ct, NULL);
	m = he_field(whole(&f), 1, 0);
	cr_assert_eq(he_field(m, 1, 0).size + he_field(m, 2, 0).size, kat->seeded, "%s", kat->name);
	ct = he_full(&f, 2, f.ctx->level, RING_COEFFICIENT);
	write_ciphertext(&f, &ct, NULL);
	m = he_field(he_field(whole(&f), 2, 0), 1, 0);
	cr_assert_eq(m.size, 2 * (kat->seeded - 32) + 2, "%s", kat->name);
	cr_assert(kat->full == 0 || m.size == kat->full, "%s", kat->name);
	ct = he_full(&f, 2, 1, RING_COEFFICIENT);
	write_ciphertext(&f, &ct, kat->skip);
	cr_assert_eq(he_field(he_field(whole(&f), 2, 0), 1, 0).size, kat->reply, "%s", kat->name);
	key = he_evalkey(&f, &element, 1, false, true);
	write_evalkey(&f, &key);
	m = he_field(he_field(he_field(whole(&f), 1, 0), 1, 0), 2, 0); /* the value of the map's entry */
	m = he_field(m, 1, 0);
	for (unsigned i = 0; i < f.ctx->level; i++) {
		struct bytes seeded = he_field(he_field(m, 1, i), 1, 0);

		size += (uint32_t)(he_field(seeded, 1, 0).size + he_field(seeded, 2, 0).size);
	}
	cr_assert_eq(size, kat->key, "%s", kat->name);
	ct = he_full(&f, 2, f.ctx->level, RING_EVALUATION);
	f.size = wire_factor_write(f.body, &ct.poly[0], &f.scratch);
	cr_assert_eq(he_field(whole(&f), 1, 0).size, kat->seeded - 32);
	cr_assert(kat->stored == 0 || he_field(whole(&f), 1, 0).size == kat->stored, "%s", kat->name);
	he_stop(&f);
}

Test(he, messages_have_the_published_sizes)
{
	for (size_t i = 0; i < KAT_SETS; i++)
		if (kat_sets[i].seeded)
			check_sizes(&kat_sets[i]);
}

static const char *const sets[] = {TINY, "insecure_n_16_logq_60_logt_15", "insecure_n_512_logq_4x60_logt_20",
	"n_4096_logq_27_28_28_logt_5", "n_4096_logq_16_33_33_logt_4", "n_8192_logq_3x36_logt_22"};
#define SETS (sizeof sets / sizeof *sets)

static void check_round_trip(struct he_fixture *f, const struct rlwe_ciphertext *ct)
{
	struct rlwe_ciphertext got = he_room(f, 3, rlwe_ciphertext_level(ct), rlwe_ciphertext_format(ct));
	struct veil_error err;
	uint8_t *again = malloc(2 << 20);

	f->scratch.peak = 0;
	write_ciphertext(f, ct, NULL);
	cr_assert_leq(f->scratch.peak, wire_he_room(f->size, 1));
	cr_assert_eq(wire_ciphertext_read(&got, f->drbg, f->body, f->size, &f->scratch, &err), VEIL_OK, "%s",
		err.text);
	cr_assert_leq(f->scratch.peak, wire_he_room(f->size, 1));
	he_expect_same(&got, ct);
	cr_assert_eq(wire_ciphertext_write(again, &got, NULL, &f->scratch), f->size);
	cr_assert(memcmp(again, f->body, f->size) == 0);
	free(again);
}

Test(he, ciphertexts_of_every_level_and_format_come_back)
{
	for (size_t s = 0; s < SETS; s++) {
		struct he_fixture f;

		he_start(&f, sets[s]);
		for (unsigned level = 1; level <= f.ring->count; level++) {
			for (int format = RING_COEFFICIENT; format <= RING_EVALUATION; format++) {
				struct rlwe_ciphertext ct = he_seeded(&f, level, (enum ring_format)format);

				check_round_trip(&f, &ct);
				for (unsigned count = 2; count <= 3; count++) {
					ct = he_full(&f, count, level, (enum ring_format)format);
					check_round_trip(&f, &ct);
				}
				arena_reset(&f.arena);
			}
		}
		he_stop(&f);
	}
}

Test(he, a_reply_comes_back_without_its_skipped_bits)
{
	for (size_t s = 0; s < SETS; s++) {
		struct he_fixture f;
		struct rlwe_ciphertext ct, got;
		struct veil_error err;
		unsigned skip[3];

		he_start(&f, sets[s]);
		for (int round = 0; round < 20; round++) {
			const struct ring_prime *r = &f.ring->primes[0];

			for (int i = 0; i < 2; i++)
				skip[i] = (unsigned)test_below(&f.rng, r->p.bits);
			if (round == 0)
				rlwe_params_skip_lsbs(f.ctx->params, skip);
			ct = he_full(&f, 2, 1, RING_COEFFICIENT);
			got = he_room(&f, 2, 1, RING_COEFFICIENT);
			write_ciphertext(&f, &ct, skip);
			cr_assert_eq(wire_ciphertext_read(&got, f.drbg, f.body, f.size, &f.scratch, &err),
				VEIL_OK, "%s", err.text);
			for (unsigned i = 0; i < 2; i++)
				for (size_t j = 0; j < f.ring->n; j++)
					cr_assert_eq(ring_get(r, ring_poly_row(&got.poly[i], 0), j),
						ring_get(r, ring_poly_row(&ct.poly[i], 0), j) >>
							skip[i] << skip[i]);
			arena_reset(&f.arena);
		}
		he_stop(&f);
	}
}

Test(he, a_seed_in_a_message_becomes_the_polynomial_of_apple)
{
	/* apple/swift-homomorphic-encryption, as in ring/test_uniform.c */
	static const char *const hashes[] = {
		"ae5a6a999966080382759061b53e712b", "1c257e459ca92593fc089ed3a3a6abf7"};
	struct he_fixture f;

	he_start(&f, "n_4096_logq_27_28_28_logt_5");
	for (int format = RING_COEFFICIENT; format <= RING_EVALUATION; format++) {
		static uint8_t body[28300], packed[28160];
		const struct craft_field seeded[] = {
			{1, CRAFT_BYTES, 0, 28160, NULL}, {2, CRAFT_BYTES, 0, 32, NULL}};
		struct rlwe_ciphertext ct = he_room(&f, 2, 2, (enum ring_format)format);
		uint8_t hash[HASH_BYTES];
		char hex[HASH_HEX_SIZE];
		struct craft_field outer = {1, CRAFT_BYTES, 0, 0, f.body};

		outer.size = craft_message(f.body, sizeof body, seeded, 2);
		f.size = craft_message(body, sizeof body, &outer, 1);
		cr_assert_eq(wire_ciphertext_read(&ct, f.drbg, body, f.size, &f.scratch, NULL), VEIL_OK);
		ring_pack(packed, &ct.poly[1], 0);
		hash_sha256(hash, packed, sizeof packed);
		hash_hex(hex, hash);
		cr_assert_eq(strncmp(hex, hashes[format], 32), 0, "%s", hex);
		write_ciphertext(&f, &ct, NULL);
		cr_assert_eq(f.size, 28192 + 10); /* tags and lengths */
		cr_assert(memcmp(f.body, body, f.size) == 0);
	}
	he_stop(&f);
}

Test(he, a_vector_has_as_many_ciphertexts_as_were_asked_for)
{
	struct he_fixture f;
	struct rlwe_ciphertext cts[4], got[4];
	struct veil_error err;

	he_start(&f, TINY);
	for (unsigned i = 0; i < 4; i++) {
		cts[i] = i % 2 ? he_seeded(&f, 4, RING_COEFFICIENT) : he_full(&f, 2, 4, RING_COEFFICIENT);
		got[i] = he_room(&f, 2, 4, RING_COEFFICIENT);
	}
	for (size_t count = 0; count < 4; count++) {
		f.size = wire_ciphertexts_write(f.body, cts, count, NULL, &f.scratch);
		for (size_t want = 0; want <= 4; want++) {
			enum veil_status st =
				wire_ciphertexts_read(got, want, f.drbg, f.body, f.size, &f.scratch, &err);

			cr_assert_eq(st, want == count ? VEIL_OK : VEIL_E_MALFORMED);
			cr_assert(st == VEIL_OK || strstr(err.text, "ciphertexts instead of"));
			for (size_t i = 0; st == VEIL_OK && i < count; i++)
				he_expect_same(&got[i], &cts[i]);
		}
	}
	he_stop(&f);
}

Test(he, plaintexts_come_back_in_both_forms)
{
	for (size_t s = 0; s < SETS; s++) {
		struct he_fixture f;
		struct veil_error err;
		struct rlwe_ciphertext ct, got;
		void *m, *back;

		he_start(&f, sets[s]);
		m = arena_take(&f.arena, bfv_plaintext_bytes(f.ctx));
		back = arena_take(&f.arena, bfv_plaintext_bytes(f.ctx));
		for (size_t i = 0; i < f.ring->n; i++) {
			uint64_t v = test_residue(&f.rng, f.ctx->t.q);

			if (f.ctx->t.width == 4)
				((uint32_t *)m)[i] = (uint32_t)v;
			else
				((uint64_t *)m)[i] = v;
		}
		f.size = wire_plaintext_write(NULL, f.ctx, m, &f.scratch);
		cr_assert_eq(wire_plaintext_write(f.body, f.ctx, m, &f.scratch), f.size);
		cr_assert_eq(he_field(whole(&f), 1, 0).size, f.ring->n * f.ctx->t.bits / 8);
		cr_assert_eq(wire_plaintext_read(f.ctx, back, f.body, f.size, &f.scratch, &err), VEIL_OK);
		cr_assert(memcmp(m, back, bfv_plaintext_bytes(f.ctx)) == 0);
		memset(f.body + f.size - f.ring->n * f.ctx->t.bits / 8, 0xff, f.ctx->t.bits);
		cr_assert_eq(
			wire_plaintext_read(f.ctx, back, f.body, f.size, &f.scratch, &err), VEIL_E_MALFORMED);
		cr_assert_not_null(strstr(err.text, "SerializedPlaintext: a coefficient in poly"));

		ct = he_full(&f, 2, f.ctx->level, RING_EVALUATION);
		got = he_room(&f, 2, f.ctx->level, RING_EVALUATION);
		f.size = wire_factor_write(f.body, &ct.poly[0], &f.scratch);
		cr_assert_eq(wire_factor_read(&got.poly[1], f.body, f.size, &f.scratch, &err), VEIL_OK);
		cr_assert_arr_eq(ct.poly[0].data, got.poly[1].data, ring_prime_bytes(&f.ring->primes[0]));
		f.size = wire_factor_write(f.body, &ct.poly[0], &f.scratch);
		memset(f.body + f.size - 32, 0xff, 32);
		cr_assert_eq(
			wire_factor_read(&got.poly[1], f.body, f.size, &f.scratch, &err), VEIL_E_MALFORMED);
		cr_assert_not_null(strstr(err.text, "SerializedPlaintext: a residue in poly"));
		he_stop(&f);
	}
}
