/* SPDX-License-Identifier: Apache-2.0 */
#include "he_fixture.h"

#define TINY "insecure_n_8_logq_5x18_logt_5"

static void write_evalkey(struct he_fixture *f, const struct rlwe_evalkey *key)
{
	f->size = wire_evalkey_write(NULL, key, &f->scratch);
	cr_assert_eq(wire_evalkey_write(f->body, key, &f->scratch), f->size);
}

static void expect_same_key(const struct rlwe_switch_key *a, const struct rlwe_switch_key *b)
{
	cr_assert_eq(a->count, b->count);
	for (unsigned i = 0; i < a->count; i++)
		he_expect_same(&a->ct[i], &b->ct[i]);
}

Test(he_keys, evaluation_keys_come_back_whatever_was_asked_for)
{
	static const uint32_t elements[] = {15, 3, 9};
	struct he_fixture f;

	he_start(&f, TINY);
	for (unsigned count = 0; count <= 3; count++) {
		for (int relin = 0; relin <= 1; relin++) {
			struct rlwe_evalkey key = he_evalkey(&f, elements, count, relin, true);
			struct rlwe_evalkey got = he_evalkey(&f, elements, count, relin, false);
			struct veil_error err;

			f.scratch.peak = 0;
			write_evalkey(&f, &key);
			cr_assert_eq(wire_evalkey_read(&got, f.drbg, f.body, f.size, &f.scratch, &err),
				VEIL_OK, "%s", err.text);
			cr_assert_leq(f.scratch.peak, wire_he_room(f.size, 5 * (count + (unsigned)relin)));
			for (unsigned i = 0; i < count; i++) {
				cr_assert_eq(got.galois[i].element, key.galois[i].element);
				expect_same_key(&got.galois[i].key, &key.galois[i].key);
			}
			if (relin)
				expect_same_key(&got.relin, &key.relin);
		}
	}
	he_stop(&f);
}

Test(he_keys, the_map_is_written_in_ascending_order_and_read_in_any)
{
	static const uint32_t up[] = {3, 9}, down[] = {9, 3};
	struct he_fixture f;
	struct rlwe_evalkey key, got;
	struct bytes map, first, second;
	uint8_t *turned, *at;

	he_start(&f, TINY);
	key = he_evalkey(&f, down, 2, false, true);
	got = he_evalkey(&f, up, 2, false, false);
	write_evalkey(&f, &key);
	map = he_field((struct bytes){f.body, f.size}, 1, 0);
	first = he_field(map, 1, 0);
	second = he_field(map, 1, 1);
	cr_assert_eq(first.data[0], 8); /* tag of key */
	cr_assert_eq(first.data[1], 3);
	cr_assert_eq(second.data[1], 9);
	/* both entries have one size */
	cr_assert_eq(first.size, second.size);
	turned = malloc(f.size);
	memcpy(turned, f.body, f.size);
	at = turned + (first.data - f.body);
	memcpy(at, second.data, second.size);
	memcpy(turned + (second.data - f.body), first.data, first.size);
	cr_assert_eq(wire_evalkey_read(&got, f.drbg, turned, f.size, &f.scratch, NULL), VEIL_OK);
	for (unsigned i = 0; i < 2; i++)
		expect_same_key(&got.galois[i].key, &key.galois[i].key);
	free(turned);
	he_stop(&f);
}

static void refuse_key(struct he_fixture *f, struct rlwe_evalkey *key, const char *says)
{
	struct veil_error err = {{0}};

	cr_assert_eq(wire_evalkey_read(key, f->drbg, f->body, f->size, &f->scratch, &err), VEIL_E_MALFORMED,
		"%s", says);
	cr_assert_not_null(strstr(err.text, says), "'%s' lacks '%s'", err.text, says);
}

Test(he_keys, keys_that_were_not_asked_for_are_refused_by_name)
{
	static const uint32_t three[] = {3}, nine[] = {9}, both[] = {3, 9};
	struct he_fixture f;
	struct rlwe_evalkey none, some, more, got;
	struct bytes entry;

	he_start(&f, TINY);
	none = he_evalkey(&f, NULL, 0, false, false);
	some = he_evalkey(&f, three, 1, false, true);
	more = he_evalkey(&f, both, 2, true, true);

	write_evalkey(&f, &some);
	refuse_key(&f, &none, "SerializedEvaluationKey: a galois_key, which was not asked for");
	memcpy(f.body, "\x0a", 2); /* an empty one */
	f.size = 2;
	refuse_key(&f, &none, "SerializedEvaluationKey: a galois_key, which was not asked for");
	refuse_key(&f, &some, "SerializedGaloisKey: no key for element 3");
	write_evalkey(&f, &some);
	got = he_evalkey(&f, nine, 1, false, false);
	refuse_key(&f, &got, "a key for element 3, which was not asked for");
	got = he_evalkey(&f, both, 2, false, false);
	refuse_key(&f, &got, "SerializedGaloisKey: no key for element 9");
	got = he_evalkey(&f, three, 1, true, false);
	refuse_key(&f, &got, "SerializedEvaluationKey: no relin_key");
	write_evalkey(&f, &more);
	got = he_evalkey(&f, both, 2, false, false);
	refuse_key(&f, &got, "SerializedEvaluationKey: a relin_key, which was not asked for");
	/* the second entry becomes another one of the first element */
	entry = he_field(he_field((struct bytes){f.body, f.size}, 1, 0), 1, 1);
	f.body[entry.data + 1 - f.body] = 3;
	got = he_evalkey(&f, both, 2, true, false);
	refuse_key(&f, &got, "SerializedGaloisKey: two keys for element 3");
	/* keys of other primes than all: one ciphertext less, one level less */
	some.galois[0].key.count--;
	write_evalkey(&f, &some);
	got = he_evalkey(&f, three, 1, false, false);
	refuse_key(&f, &got, "SerializedKeySwitchKey: 3 ciphertexts instead of 4");
	some.galois[0].key.count++;
	some.galois[0].key.ct[2].poly[0].level--;
	write_evalkey(&f, &some);
	refuse_key(&f, &got, "SerializedSeededCiphertext: poly0 has 72 bytes instead of 90");
	some.galois[0].key.ct[2].poly[0].level++;
	some.galois[0].key.ct[1].seeded = false;
	write_evalkey(&f, &some);
	refuse_key(&f, &got, "SerializedKeySwitchKey: ciphertext 1 is not seeded");
	he_stop(&f);
}

Test(he_keys, every_set_comes_back_from_its_parameters)
{
	struct he_fixture f;

	he_start(&f, TINY);
	for (size_t i = 0; rlwe_params_at(i); i++) {
		const struct rlwe_params *p = rlwe_params_at(i);
		const uint32_t elements[] = {2u * (1u << p->log_n) - 1, 3};
		const unsigned count = p->special ? 2 : 0;
		struct wire_params got;
		struct wire_key_config config;
		struct veil_error err;

		if (p->use != RLWE_USE_BFV)
			continue;
		f.size = wire_params_write(f.body, p, &f.scratch);
		cr_assert_eq(wire_params_read(&got, false, f.body, f.size, &f.scratch, &err),
			p->insecure ? VEIL_E_INVALID : VEIL_OK, "%s", err.text);
		cr_assert_eq(wire_params_read(&got, true, f.body, f.size, &f.scratch, &err), VEIL_OK, "%s",
			err.text);
		cr_assert_eq(got.params.log_n, p->log_n);
		cr_assert_eq(got.params.t, p->t);
		cr_assert_eq(got.params.q, got.q);
		cr_assert_eq(got.params.q_count, p->q_count);
		cr_assert_arr_eq(got.q, p->q, p->q_count * sizeof *p->q);
		cr_assert_eq(got.params.special, p->special);
		cr_assert_eq(got.params.insecure, p->insecure);

		f.size = wire_key_config_write(f.body, p, elements, count, p->special, &f.scratch);
		cr_assert_eq(wire_key_config_read(&config, true, f.body, f.size, &f.scratch, &err), VEIL_OK,
			"%s", err.text);
		cr_assert_eq(config.galois_count, count);
		cr_assert_arr_eq(config.galois_elements, elements, count * sizeof *elements);
		cr_assert_eq(config.has_relin, p->special);
		cr_assert_arr_eq(config.set.q, p->q, p->q_count * sizeof *p->q);
	}
	he_stop(&f);
}

Test(he_keys, parameters_are_the_bytes_of_the_schema)
{
	/* n = 8, t = 17, five moduli of three bytes, unspecified security, BFV; elements 3 and 15, and relin
	 */
	static const uint8_t want[] = {0x0a, 0x17, 0x08, 8, 0x10, 17, 0x1a, 15, 0xb1, 0x81, 0x08, 0xe1, 0x81,
		0x08, 0xf1, 0x82, 0x08, 0xa1, 0x83, 0x08, 0xa1, 0x84, 0x08, 0x30, 1, 0x12, 2, 3, 15, 0x18, 1};
	static const uint32_t elements[] = {3, 15};
	struct he_fixture f;

	he_start(&f, TINY);
	f.size = wire_key_config_write(f.body, f.ctx->params, elements, 2, true, &f.scratch);
	cr_assert_eq(f.size, sizeof want);
	cr_assert_arr_eq(f.body, want, sizeof want);
	he_stop(&f);
}

static void refuse_config(
	struct he_fixture *f, const char *bytes, size_t size, enum veil_status want, const char *says)
{
	struct wire_key_config config;
	struct veil_error err = {{0}};

	cr_assert_eq(wire_key_config_read(&config, true, bytes, size, &f->scratch, &err), want, "%s: %s",
		says, err.text);
	cr_assert_not_null(strstr(err.text, says), "'%s' lacks '%s'", err.text, says);
}

#define REFUSE(bytes, want, says) refuse_config(&f, bytes, sizeof bytes - 1, want, says)
/* n = 8, t = 17, q = 131249, BFV; and the parts of it */
#define Q "\x1a\x03\xb1\x81\x08"
#define Q2 "\x1a\x06\xb1\x81\x08\xe1\x81\x08"
#define SET "\x08\x08\x10\x11" Q "\x30\x01"
#define SET2 "\x08\x08\x10\x11" Q2 "\x30\x01"

Test(he_keys, configurations_that_are_none_are_refused_by_name)
{
	struct he_fixture f;

	he_start(&f, TINY);
	REFUSE("", VEIL_E_MALFORMED, "EvaluationKeyConfig: no encryption_parameters");
	REFUSE("\x0a", VEIL_E_MALFORMED, "not a protobuf message EvaluationKeyConfig");
	REFUSE("\x0a\x0b" SET "\x20\x01", VEIL_E_MALFORMED, "EvaluationKeyConfig: unknown field 4");
	REFUSE("\x0a\x0d" SET "\x38\x01", VEIL_E_MALFORMED, "EncryptionParameters: unknown field 7");
	REFUSE("\x0a\x0b" SET "\x0a\x0b" SET, VEIL_E_MALFORMED, "occurs twice");
	REFUSE("\x0a\x0c\x08\x88\x00\x10\x11" Q "\x30\x01", VEIL_E_MALFORMED, "minimal form");
	REFUSE("\x0a\x09\x08\x08\x10\x11" Q, VEIL_E_UNSUPPORTED, "he_scheme = 0");
	REFUSE("\x0a\x0b\x08\x08\x10\x11" Q "\x30\x02", VEIL_E_UNSUPPORTED, "he_scheme = 2");
	REFUSE("\x0a\x0d\x08\x08\x10\x11" Q "\x20\x01\x30\x01", VEIL_E_UNSUPPORTED, "error_std_dev = 1");
	REFUSE("\x0a\x0d\x08\x08\x10\x11" Q "\x28\x02\x30\x01", VEIL_E_UNSUPPORTED, "security_level = 2");
	REFUSE("\x0a\x0b\x08\x07\x10\x11" Q "\x30\x01", VEIL_E_INVALID, "polynomial_degree = 7");
	REFUSE("\x0a\x0b\x08\x04\x10\x11" Q "\x30\x01", VEIL_E_INVALID, "polynomial_degree = 4");
	REFUSE("\x0a\x09\x10\x11" Q "\x30\x01", VEIL_E_INVALID, "polynomial_degree = 0");
	REFUSE("\x0a\x06\x08\x08\x10\x11\x30\x01", VEIL_E_INVALID, "0 coefficient_moduli");
	REFUSE("\x0a\x29\x08\x08\x10\x11\x1a\x21"
	       "\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03"
	       "\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x30\x01",
		VEIL_E_INVALID, "33 coefficient_moduli are not 1 to 32");
	REFUSE("\x0a\x09\x08\x08" Q "\x30\x01", VEIL_E_INVALID, "plaintext modulus");
	REFUSE("\x0a\x0b\x08\x08\x10\x12" Q "\x30\x01", VEIL_E_INVALID, "t = 18 is not prime");
	REFUSE("\x0a\x0d\x08\x08\x10\x11" Q "\x28\x01\x30\x01", VEIL_E_INVALID, "no line for N = 8");
	REFUSE("\x0a\x0b" SET "\x12\x01\x03", VEIL_E_INVALID, "no modulus for key switching");
	REFUSE("\x0a\x0b" SET "\x18\x01", VEIL_E_INVALID, "no modulus for key switching");
	REFUSE("\x0a\x0e" SET2 "\x12\x01\x04", VEIL_E_INVALID, "Galois element 4 is not odd in 3..15");
	REFUSE("\x0a\x0e" SET2 "\x12\x01\x01", VEIL_E_INVALID, "Galois element 1 is not odd in 3..15");
	REFUSE("\x0a\x0e" SET2 "\x12\x01\x11", VEIL_E_INVALID, "Galois element 17 is not odd in 3..15");
	REFUSE("\x0a\x0e" SET2 "\x12\x03\x03\x05\x03", VEIL_E_INVALID, "Galois element 3 occurs twice");
	REFUSE("\x0a\x0e" SET2 "\x12\x41"
	       "\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05"
	       "\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05"
	       "\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03\x05\x03",
		VEIL_E_MALFORMED, "65 galois_elements");
	he_stop(&f);
}
