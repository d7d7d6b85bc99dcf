/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/hpke.h"

#include "base/hash.h"
#include "vector.h"

/* Tests are named after the lines of the conformance list for RFC 9180 (docs/ohttp.md). */

static struct hpke_suite suite_of(const json_t *v)
{
	return (struct hpke_suite){.kem = (uint16_t)vector_number(v, "kem_id"),
		.kdf = (uint16_t)vector_number(v, "kdf_id"),
		.aead = (uint16_t)vector_number(v, "aead_id"),
		.mode = (uint8_t)vector_number(v, "mode")};
}

static struct kem_key *key_of(struct crypto *c, const struct hpke_suite *suite, struct bytes private_key)
{
	struct kem_key *key = NULL;
	struct veil_error err = {0};

	cr_assert_eq(kem_key_create(&key, c, kem_find(suite->kem), private_key.data, &err), VEIL_OK, "%s",
		err.text);
	return key;
}

/* Seals and opens messages from number `from` on until that of the vector, and compares that one. */
static void check_message(struct hpke *sender, struct hpke *receiver, struct crypto *c, const json_t *e,
	unsigned *at, unsigned number)
{
	struct bytes pt = vector_bytes(e, "pt"), aad = vector_bytes(e, "aad"), ct = vector_bytes(e, "ct");
	uint8_t out[512], back[512];

	REQUIRE(ct.size <= sizeof out);
	for (; *at <= number; (*at)++) {
		cr_assert_eq(hpke_seal(sender, c, out, aad, pt), VEIL_OK);
		cr_assert_eq(hpke_open(receiver, c, back, aad, (struct bytes){out, ct.size}), VEIL_OK);
	}
	assert_bytes(out, ct, "ct");
	assert_bytes(back, pt, "pt");
}

static void check_suite(struct crypto *c, const json_t *v, struct bytes ephemeral)
{
	struct hpke_suite suite = suite_of(v);
	struct bytes info = vector_bytes(v, "info"), enc = vector_bytes(v, "enc"), want,
		     sk = vector_bytes(v, "skRm");
	struct kem_key *key = key_of(c, &suite, sk);
	struct vector_rng state;
	struct rng rng = vector_rng(&state, ephemeral);
	struct hpke sender, receiver;
	uint8_t got_enc[KEM_MAX_ENC_BYTES], secret[KEM_SECRET_BYTES], out[512],
		derived[KEM_MAX_PRIVATE_BYTES];
	struct veil_error err = {0};
	const json_t *e;
	size_t i;
	unsigned at = 0;

	kem_key_derive(c, kem_find(suite.kem), derived, vector_bytes(v, "ikmR"));
	assert_bytes(derived, sk, "skRm");
	assert_bytes(key->public_key, vector_bytes(v, "pkRm"), "pkRm");
	cr_assert_eq(hpke_setup_sender(&sender, c, &suite, got_enc, key->public_key, info, &rng, &err),
		VEIL_OK, "%s", err.text);
	cr_assert_eq(enc.size, kem_find(suite.kem)->enc_bytes);
	assert_bytes(got_enc, enc, "enc");
	cr_assert_eq(kem_decap(c, key, secret, enc.data), VEIL_OK);
	assert_bytes(secret, vector_bytes(v, "shared_secret"), "shared_secret");
	cr_assert_eq(
		hpke_setup_receiver(&receiver, c, &suite, key, enc, info, &err), VEIL_OK, "%s", err.text);
	cr_assert_arr_eq(&sender, &receiver, sizeof sender);
	assert_bytes(sender.exporter_secret, vector_bytes(v, "exporter_secret"), "exporter_secret");
	if (suite.aead != HPKE_AEAD_EXPORT_ONLY) {
		want = vector_bytes(v, "key");
		cr_assert_eq(want.size, hpke_key_bytes(&suite));
		assert_bytes(sender.key, want, "key");
		assert_bytes(sender.base_nonce, vector_bytes(v, "base_nonce"), "base_nonce");
	}
	json_array_foreach(json_object_get(v, "encryptions"), i, e) check_message(&sender, &receiver, c, e,
		&at, json_object_get(e, "seq") ? vector_number(e, "seq") : (unsigned)i);
	json_array_foreach(json_object_get(v, "exports"), i, e)
	{
		want = vector_bytes(e, "exported_value");
		cr_assert_eq(want.size, vector_number(e, "L"));
		cr_assert_eq(hpke_export(&receiver, c, out, want.size, vector_bytes(e, "exporter_context")),
			VEIL_OK);
		assert_bytes(out, want, "exported_value");
	}
	kem_key_destroy(key);
}

/* The words of a refusal: what is refused, by name. */
static const char *refused_part(const struct hpke_suite *suite)
{
	static const char *const modes[] = {
		"base", "mode 0x0001 (psk)", "mode 0x0002 (auth)", "mode 0x0003 (auth_psk)"};

	if (suite->mode)
		return modes[suite->mode];
	switch (suite->kem) {
	case 0x11:
		return "KEM 0x0011 (DHKEM(P-384, HKDF-SHA384))";
	case 0x12:
		return "KEM 0x0012 (DHKEM(P-521, HKDF-SHA512))";
	case 0x21:
		return "KEM 0x0021 (DHKEM(X448, HKDF-SHA512))";
	case 0x40:
		return "KEM 0x0040 (ML-KEM-512)";
	case 0x41:
		return kem_find(0x41) ? "KDF" : "KEM 0x0041 (ML-KEM-768)";
	case 0x42:
		return "KEM 0x0042 (ML-KEM-1024)";
	case 0x50:
		return "KEM 0x0050 (MLKEM768-P256)";
	case 0x51:
		return "KEM 0x0051 (MLKEM1024-P384)";
	case KEM_XWING:
		return kem_find(KEM_XWING) ? "KDF 0x0011 (SHAKE256)" : "KEM 0x647a (X-Wing)";
	default:
		return suite->kdf == 0x10   ? "KDF 0x0010 (SHAKE128)"
		       : suite->kdf == 0x11 ? "KDF 0x0011 (SHAKE256)"
		       : suite->kdf == 0x12 ? "KDF 0x0012 (TurboSHAKE128)"
					    : "KDF 0x0013 (TurboSHAKE256)";
	}
}

static void check_refusal(struct crypto *c, const struct hpke_suite *suite)
{
	struct hpke h;
	uint8_t enc[KEM_MAX_ENC_BYTES], public_key[KEM_MAX_PUBLIC_BYTES] = {0};
	struct rng rng = rng_system();
	struct veil_error err = {0};

	cr_assert_eq(hpke_setup_sender(&h, c, suite, enc, public_key, (struct bytes){0}, &rng, &err),
		VEIL_E_UNSUPPORTED);
	cr_assert(strstr(err.text, refused_part(suite)), "\"%s\" does not name %s", err.text,
		refused_part(suite));
}

static void check_file(const char *name, const char *ephemeral, unsigned want_checked)
{
	struct crypto *c = vector_crypto();
	json_t *root = vector_load(name), *v;
	unsigned checked = 0;
	size_t i;

	json_array_foreach(root, i, v)
	{
		struct hpke_suite suite = suite_of(v);

		if (hpke_suite_check(&suite, NULL) != VEIL_OK) {
			check_refusal(c, &suite);
			continue;
		}
		check_suite(c, v, vector_bytes(v, ephemeral));
		checked++;
	}
	cr_assert_eq(checked, want_checked, "%u suites of %s", checked, name);
	json_decref(root);
	crypto_destroy(c);
}

Test(rfc9180, line_1_and_2_base_mode_equals_appendix_a_and_other_modes_and_kems_are_refused_by_name)
{
	check_file("hpke-rfc9180.json", "skEm", 6);
}

Test(rfc9180, line_6_ml_kem_and_x_wing_equal_the_draft_where_built_and_are_refused_by_name_elsewhere)
{
	check_file("hpke-pq-draft.json", "ikmE", crypto_has_ml_kem() ? 2 : 0);
}

Test(rfc9180, line_3_low_order_points_and_points_off_the_curve_are_refused)
{
	struct crypto *c = vector_crypto();
	json_t *root = vector_load("x25519-wycheproof.json"), *v;
	static const uint8_t zero[32];
	struct crypto_key *key;
	unsigned zeros = 0;
	uint8_t shared[32], point[65];
	size_t i;

	json_array_foreach(root, i, v)
	{
		struct bytes want = vector_bytes(v, "shared");
		bool refused = memcmp(want.data, zero, 32) == 0;

		cr_assert_eq(
			crypto_key_create(&key, c, CRYPTO_X25519, vector_bytes(v, "private").data), VEIL_OK);
		cr_assert_eq(crypto_dh(c, key, shared, vector_bytes(v, "public").data),
			refused ? VEIL_E_MALFORMED : VEIL_OK, "tcId %u", vector_number(v, "tcId"));
		if (!refused)
			assert_bytes(shared, want, "shared");
		zeros += refused;
		crypto_key_destroy(key);
	}
	cr_assert_eq(zeros, 31);
	cr_assert_eq(crypto_key_create(&key, c, CRYPTO_P256, (const uint8_t[32]){[31] = 5}), VEIL_OK);
	memcpy(point, crypto_key_public(key), sizeof point);
	cr_assert_eq(crypto_dh(c, key, shared, point), VEIL_OK);
	point[64] ^= 1;
	cr_assert_eq(crypto_dh(c, key, shared, point), VEIL_E_MALFORMED, "off the curve");
	point[64] ^= 1;
	for (unsigned form = 0; form < 256; form++) {
		point[0] = (uint8_t)form; /* 0: infinity, 2 and 3: compressed, 6 and 7: hybrid */
		cr_assert_eq(crypto_dh(c, key, shared, point), form == 4 ? VEIL_OK : VEIL_E_MALFORMED,
			"form %u", form);
	}
	point[0] = 4;
	memset(point + 1, 0xff, 32); /* x is not below p */
	cr_assert_eq(crypto_dh(c, key, shared, point), VEIL_E_MALFORMED);
	crypto_key_destroy(key);
	crypto_destroy(c);
}

Test(rfc9180, line_3_private_scalars_of_p256_lie_between_zero_and_the_order)
{
	struct crypto *c = vector_crypto();
	struct bytes order = vector_unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
	struct kem_key *key = NULL;
	struct veil_error err;
	uint8_t below[32];

	cr_assert_eq(
		kem_key_create(&key, c, kem_find(KEM_P256), (const uint8_t[32]){0}, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "P-256"));
	cr_assert_eq(kem_key_create(&key, c, kem_find(KEM_P256), order.data, &err), VEIL_E_INVALID);
	memcpy(below, order.data, 32);
	below[31]--;
	cr_assert_eq(kem_key_create(&key, c, kem_find(KEM_P256), below, &err), VEIL_OK);
	kem_key_destroy(key);
	crypto_destroy(c);
}

/* A sender and a receiver of one suite. */
static void pair(struct hpke *sender, struct hpke *receiver, struct crypto *c, const struct hpke_suite *suite)
{
	const struct kem *kem = kem_find(suite->kem);
	uint8_t private_key[KEM_MAX_PRIVATE_BYTES], enc[KEM_MAX_ENC_BYTES];
	struct rng rng = test_rng();
	struct bytes info = vector_string("info");
	struct kem_key *key;

	kem_key_random(c, kem, private_key, &rng);
	cr_assert_eq(kem_key_create(&key, c, kem, private_key, NULL), VEIL_OK);
	cr_assert_eq(hpke_setup_sender(sender, c, suite, enc, key->public_key, info, &rng, NULL), VEIL_OK);
	cr_assert_eq(hpke_setup_receiver(
			     receiver, c, suite, key, (struct bytes){enc, kem->enc_bytes - 1}, info, NULL),
		VEIL_E_MALFORMED, "line 3: a short enc");
	cr_assert_eq(
		hpke_setup_receiver(receiver, c, suite, key, (struct bytes){enc, kem->enc_bytes}, info, NULL),
		VEIL_OK);
	kem_key_destroy(key);
}

Test(rfc9180, line_4_a_failed_open_does_not_advance_and_the_last_number_is_never_used)
{
	struct crypto *c = vector_crypto();
	struct hpke_suite suite = {KEM_X25519, HPKE_KDF_SHA384, HPKE_AEAD_AES256_GCM, HPKE_BASE};
	struct hpke sender, receiver;
	uint8_t message[3 + CRYPTO_TAG_BYTES], back[3];
	struct bytes view = {message, sizeof message}, none = {0};

	pair(&sender, &receiver, c, &suite);
	for (int i = 0; i < 300; i++) {
		cr_assert_eq(hpke_seal(&sender, c, message, none, vector_string("abc")), VEIL_OK);
		message[i % sizeof message] ^= 1;
		memset(back, 'x', sizeof back);
		cr_assert_eq(hpke_open(&receiver, c, back, none, view), VEIL_E_MALFORMED);
		cr_assert_arr_eq(back, "\0\0\0", 3, "nothing that was not authenticated comes out");
		message[i % sizeof message] ^= 1;
		cr_assert_eq(hpke_open(&receiver, c, back, vector_string("aad"), view), VEIL_E_MALFORMED);
		cr_assert_eq(
			hpke_open(&receiver, c, back, none, (struct bytes){message, CRYPTO_TAG_BYTES - 1}),
			VEIL_E_MALFORMED);
		cr_assert_eq(hpke_open(&receiver, c, back, none, view), VEIL_OK);
		cr_assert_arr_eq(back, "abc", 3);
	}
	memset(sender.sequence, 0xff, sizeof sender.sequence);
	sender.sequence[11] = 0xfe;
	memcpy(receiver.sequence, sender.sequence, sizeof sender.sequence);
	cr_assert_eq(hpke_seal(&sender, c, message, none, vector_string("abc")), VEIL_OK);
	cr_assert_eq(hpke_open(&receiver, c, back, none, view), VEIL_OK);
	cr_assert_eq(hpke_seal(&sender, c, message, none, vector_string("abc")), VEIL_E_INVALID);
	cr_assert_eq(hpke_open(&receiver, c, back, none, view), VEIL_E_INVALID);
	crypto_destroy(c);
}

Test(rfc9180, line_5_exports_of_every_length_and_no_message_where_the_aead_only_exports)
{
	struct crypto *c = vector_crypto();

	for (uint16_t kdf = 1; kdf <= 3; kdf++) {
		struct hpke_suite suite = {KEM_X25519, kdf, HPKE_AEAD_EXPORT_ONLY, HPKE_BASE};
		size_t most = 255 * hpke_hash_bytes(&suite);
		uint8_t *one = malloc(most), *other = malloc(most), first[1];
		struct hpke sender, receiver;

		REQUIRE(one && other);
		pair(&sender, &receiver, c, &suite);
		cr_assert_eq(hpke_export(&sender, c, one, 0, vector_string("x")), VEIL_OK);
		cr_assert_eq(hpke_export(&sender, c, one, most, vector_string("x")), VEIL_OK);
		cr_assert_eq(hpke_export(&receiver, c, other, most, vector_string("x")), VEIL_OK);
		cr_assert_arr_eq(one, other, most);
		cr_assert_eq(hpke_export(&receiver, c, first, 1, vector_string("x")), VEIL_OK);
		cr_assert_neq(memcmp(one + most - 32, one, 32), 0);
		cr_assert_eq(hpke_export(&sender, c, one, most + 1, vector_string("x")), VEIL_E_INVALID);
		cr_assert_eq(
			hpke_seal(&sender, c, one, (struct bytes){0}, (struct bytes){0}), VEIL_E_UNSUPPORTED);
		cr_assert_eq(hpke_open(&receiver, c, one, (struct bytes){0}, (struct bytes){one, 16}),
			VEIL_E_UNSUPPORTED);
		free(one), free(other);
	}
	crypto_destroy(c);
}

Test(rfc9180, line_8_a_cleared_context_holds_no_secret)
{
	struct crypto *c = vector_crypto();
	struct hpke_suite suite = {KEM_P256, HPKE_KDF_SHA512, HPKE_AEAD_CHACHA20_POLY1305, HPKE_BASE};
	static const struct hpke zero;
	struct hpke sender, receiver;

	pair(&sender, &receiver, c, &suite);
	cr_assert_arr_neq(&sender, &zero, sizeof zero);
	hpke_clear(&sender);
	hpke_clear(NULL);
	cr_assert_arr_eq(&sender, &zero, sizeof zero);
	crypto_destroy(c);
}

Test(rfc9180, unknown_numbers_are_refused_by_number)
{
	static const struct {
		struct hpke_suite suite;
		const char *words;
	} cases[] = {
		{{0x0016, 1, 1, 0}, "KEM 0x0016 (DHKEM(secp256k1, HKDF-SHA256))"},
		{{0x0030, 1, 1, 0}, "KEM 0x0030 (X25519Kyber768Draft00)"},
		{{0x1234, 1, 1, 0}, "KEM 0x1234 (unknown)"},
		{{KEM_X25519, 0, 1, 0}, "KDF 0x0000 (unknown)"},
		{{KEM_X25519, 1, 4, 0}, "AEAD 0x0004 (unknown)"},
		{{KEM_X25519, 1, 0, 0}, "AEAD 0x0000 (unknown)"},
		{{KEM_X25519, 1, 1, 4}, "mode 0x0004 (unknown)"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct veil_error err = {0};

		cr_assert_eq(hpke_suite_check(&cases[i].suite, &err), VEIL_E_UNSUPPORTED);
		cr_assert(strstr(err.text, cases[i].words), "%s", err.text);
	}
}

/* --- X-Wing and ML-KEM-768 by themselves */

Test(rfc9180, line_6_x_wing_equals_its_draft)
{
	struct crypto *c = vector_crypto();
	const struct kem *kem = kem_find(KEM_XWING);
	json_t *root = vector_load("xwing-draft.json"), *v;
	size_t i;

	cr_assert_eq(kem != NULL, crypto_has_ml_kem());
	if (!kem)
		cr_skip_test("this OpenSSL has no ML-KEM");
	json_array_foreach(root, i, v)
	{
		struct vector_rng state;
		struct rng rng = vector_rng(&state, vector_bytes(v, "eseed"));
		uint8_t secret[32], enc[KEM_MAX_ENC_BYTES];
		struct kem_key *key;

		cr_assert_eq(kem_key_create(&key, c, kem, vector_bytes(v, "sk").data, NULL), VEIL_OK);
		assert_bytes(key->public_key, vector_bytes(v, "pk"), "pk");
		cr_assert_eq(kem_encap(c, kem, secret, enc, key->public_key, &rng), VEIL_OK);
		assert_bytes(enc, vector_bytes(v, "ct"), "ct");
		assert_bytes(secret, vector_bytes(v, "ss"), "ss");
		memset(secret, 0, sizeof secret);
		cr_assert_eq(kem_decap(c, key, secret, enc), VEIL_OK);
		assert_bytes(secret, vector_bytes(v, "ss"), "ss");
		kem_key_destroy(key);
	}
	crypto_destroy(c);
}

static void assert_sha256(const void *data, size_t size, struct bytes want, const char *name)
{
	uint8_t hash[HASH_BYTES];

	hash_sha256(hash, data, size);
	assert_bytes(hash, want, name);
}

Test(rfc9180, line_6_ml_kem_768_equals_its_known_answers_and_rejects_implicitly)
{
	struct crypto *c = vector_crypto();
	const struct kem *kem = kem_find(KEM_ML_KEM_768);
	json_t *root = vector_load("mlkem768-kat.json"), *v;
	size_t i;

	if (!kem)
		cr_skip_test("this OpenSSL has no ML-KEM");
	json_array_foreach(root, i, v)
	{
		struct vector_rng state;
		struct rng rng = vector_rng(&state, vector_bytes(v, "msg"));
		uint8_t seed[64], secret[32], enc[KEM_MAX_ENC_BYTES];
		struct kem_key *key;

		memcpy(seed, vector_bytes(v, "d").data, 32);
		memcpy(seed + 32, vector_bytes(v, "z").data, 32);
		cr_assert_eq(kem_key_create(&key, c, kem, seed, NULL), VEIL_OK);
		assert_sha256(key->public_key, kem->public_bytes, vector_bytes(v, "pk_sha256"), "pk");
		cr_assert_eq(kem_encap(c, kem, secret, enc, key->public_key, &rng), VEIL_OK);
		assert_sha256(enc, kem->enc_bytes, vector_bytes(v, "ct_sha256"), "ct");
		assert_bytes(secret, vector_bytes(v, "ss"), "ss");
		memset(secret, 0, sizeof secret);
		cr_assert_eq(kem_decap(c, key, secret, enc), VEIL_OK);
		assert_bytes(secret, vector_bytes(v, "ss"), "ss");
		cr_assert_eq(kem_decap(c, key, secret, vector_bytes(v, "ct_n").data), VEIL_OK);
		assert_bytes(secret, vector_bytes(v, "ss_n"), "ss_n");
		kem_key_destroy(key);
	}
	crypto_destroy(c);
}

Test(rfc9180, line_6_a_coefficient_that_is_not_reduced_is_refused)
{
	static const uint16_t ids[] = {KEM_ML_KEM_768, KEM_XWING};
	struct crypto *c = vector_crypto();
	struct rng rng = test_rng();

	if (!crypto_has_ml_kem())
		cr_skip_test("this OpenSSL has no ML-KEM");
	for (size_t i = 0; i < 2; i++) {
		const struct kem *kem = kem_find(ids[i]);
		uint8_t private_key[KEM_MAX_PRIVATE_BYTES], secret[32], enc[KEM_MAX_ENC_BYTES];
		struct kem_key *key;

		kem_key_random(c, kem, private_key, &rng);
		cr_assert_eq(kem_key_create(&key, c, kem, private_key, NULL), VEIL_OK);
		cr_assert_eq(kem_encap(c, kem, secret, enc, key->public_key, &rng), VEIL_OK);
		key->public_key[0] = 0x01; /* the first coefficient becomes q = 3329 = 0xd01 */
		key->public_key[1] = (uint8_t)((key->public_key[1] & 0xf0) | 0x0d);
		cr_assert_eq(kem_encap(c, kem, secret, enc, key->public_key, &rng), VEIL_E_MALFORMED);
		key->public_key[0] = 0x00;
		cr_assert_eq(kem_encap(c, kem, secret, enc, key->public_key, &rng), VEIL_OK);
		kem_key_destroy(key);
	}
	crypto_destroy(c);
}
