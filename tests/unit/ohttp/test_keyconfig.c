/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/keyconfig.h"

#include "gateway.h"

/* Tests are named after the lines of the conformance list for RFC 9458 (docs/ohttp.md). */

Test(rfc9458, line_1_every_list_of_keys_is_accepted_or_rejected_as_listed)
{
	json_t *root = vector_load("keyconfig-cases.json"), *v;
	size_t i;

	json_array_foreach(root, i, v)
	{
		struct bytes data = vector_bytes(v, "hex");
		bool accept = strcmp(vector_text(v, "expect"), "accept") == 0;
		struct keyconfig_list list;
		struct veil_error err = {0};

		cr_assert_eq(keyconfig_read(&list, data.data, data.size, &err),
			accept ? VEIL_OK : VEIL_E_MALFORMED, "%s: %s", vector_text(v, "name"), err.text);
		cr_assert_eq(list.count, accept ? 1 : 0, "%s", vector_text(v, "name"));
	}
}

Test(rfc9458, line_1_a_list_is_written_as_appendix_a_has_it_and_reads_back)
{
	json_t *v = vector_load("ohttp-rfc9458-appendix-a.json");
	struct bytes want = vector_bytes(v, "application_ohttp_keys"), only = vector_bytes(v, "key_config");
	struct keyconfig_list list;
	uint8_t out[256];

	cr_assert_eq(keyconfig_read(&list, want.data, want.size, NULL), VEIL_OK);
	cr_assert_eq(list.count, 1);
	cr_assert_eq(list.configs[0].id, 1);
	cr_assert_eq(list.configs[0].kem->id, KEM_X25519);
	assert_bytes(list.configs[0].public_key, ((struct bytes){only.data + 3, 32}), "public key");
	cr_assert_eq(list.configs[0].algorithm_count, 2);
	cr_assert_eq(list.configs[0].algorithms[1].aead, HPKE_AEAD_CHACHA20_POLY1305);
	cr_assert_eq(keyconfig_bytes(list.configs, 1), want.size);
	keyconfig_write(out, list.configs, 1);
	assert_bytes(out, want, "the list");
}

/* A list of one configuration with so many bytes of algorithms (announced, and there). */
static enum veil_status read_algorithms(struct keyconfig_list *list, size_t announced, size_t there)
{
	static uint8_t data[65540];
	struct writer w;
	size_t size = 1 + 2 + 32 + 2 + there;

	writer_init(&w, data, sizeof data);
	writer_u8(&w, (uint8_t)(size >> 8)), writer_u8(&w, (uint8_t)size);
	writer_bytes(&w, (const uint8_t[]){7, 0, 0x20}, 3);
	writer_bytes(&w, (const uint8_t[32]){9}, 32);
	writer_u8(&w, (uint8_t)(announced >> 8)), writer_u8(&w, (uint8_t)announced);
	for (size_t i = 0; i < there; i++)
		writer_u8(&w, i % 2); /* KDF 1, AEAD 1 */
	return keyconfig_read(list, data, w.at, NULL);
}

Test(rfc9458, line_1_algorithms_have_a_length_of_4_to_65532_in_steps_of_4_and_all_bytes_are_used)
{
	struct keyconfig_list list;

	for (size_t size = 0; size < 64; size++)
		cr_assert_eq(read_algorithms(&list, size, size),
			size && size % 4 == 0 ? VEIL_OK : VEIL_E_MALFORMED);
	cr_assert_eq(read_algorithms(&list, 65496, 65496), VEIL_OK, "the longest that its prefix can hold");
	cr_assert_eq(list.configs[0].algorithm_count, 1, "repetitions are dropped");
	cr_assert_eq(read_algorithms(&list, 65532, 65496), VEIL_E_MALFORMED);
	cr_assert_eq(read_algorithms(&list, 4, 8), VEIL_E_MALFORMED);
	cr_assert_eq(read_algorithms(&list, 8, 4), VEIL_E_MALFORMED);
}

Test(rfc9458, line_1_a_list_cut_anywhere_is_refused_whole_and_one_of_unknown_kems_is_empty)
{
	struct bytes two = vector_unhex("0029"
					"010020"
					"0909090909090909090909090909090909090909090909090909090909090909"
					"0004"
					"00010001"
					"000d"
					"02"
					"0021"
					"00000000000000000000"
					"0029"
					"030020"
					"0909090909090909090909090909090909090909090909090909090909090909"
					"0004"
					"00010003");
	struct keyconfig_list list;
	struct veil_error err = {0};

	cr_assert_eq(keyconfig_read(&list, two.data, two.size, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(list.count, 2);
	cr_assert_eq(list.skipped, 1);
	cr_assert_eq(list.configs[1].id, 3);
	for (size_t size = 0; size < two.size; size++) {
		bool between = size == 43 || size == 58;

		cr_assert_eq(keyconfig_read(&list, two.data, size, &err),
			between ? VEIL_OK : VEIL_E_MALFORMED, "%zu", size);
		cr_assert_eq(list.count, between ? 1 : 0);
	}
	cr_assert_eq(keyconfig_read(&list, two.data + 43, 15, &err), VEIL_OK);
	cr_assert_eq(list.count, 0);
	cr_assert_eq(list.skipped, 1);
}

Test(rfc9458, line_1_more_keys_than_a_gateway_needs_are_refused)
{
	struct bytes one = vector_unhex("0029"
					"010020"
					"0909090909090909090909090909090909090909090909090909090909090909"
					"0004"
					"00010001");
	uint8_t many[43 * (KEYCONFIG_MAX + 1)];
	struct keyconfig_list list;

	for (size_t i = 0; i <= KEYCONFIG_MAX; i++)
		memcpy(many + 43 * i, one.data, 43);
	cr_assert_eq(keyconfig_read(&list, many, 43 * KEYCONFIG_MAX, NULL), VEIL_OK);
	cr_assert_eq(keyconfig_read(&list, many, 43 * (KEYCONFIG_MAX + 1), NULL), VEIL_E_MALFORMED);
}

/* What a policy makes of the gateway's list of KEMs. */
static enum veil_status choose(struct keyconfig_choice *choice, struct keyconfig_list *list,
	const char *policy, const uint16_t *kems, struct veil_error *err)
{
	static const uint8_t no_key[KEM_MAX_PUBLIC_BYTES];
	enum keyconfig_policy number;

	*list = (struct keyconfig_list){0};
	for (; *kems; kems++) {
		if (kem_find(*kems))
			list->configs[list->count++] = (struct keyconfig){.id = (uint8_t)list->count,
				.kem = kem_find(*kems),
				.public_key = no_key,
				.algorithm_count = 2,
				.algorithms = {{1, 3}, {1, 1}}};
		else
			list->skipped++;
	}
	cr_assert(keyconfig_policy_from_name(&number, policy));
	return keyconfig_choose(choice, list, number, err);
}

Test(keyconfig, the_kem_of_a_configuration_is_read_and_judged_though_this_build_lacks_it)
{
	static const uint16_t strong[] = {0x0030, 0x0040, 0x0041, 0x0042, 0x0050, 0x0051, 0x647a};
	unsigned found = 0;

	for (uint32_t id = 0; id <= UINT16_MAX; id++) {
		const uint8_t one[] = {0, 3, 7, (uint8_t)(id >> 8), (uint8_t)id};
		bool wanted = false;

		for (size_t i = 0; i < sizeof strong / sizeof *strong; i++)
			wanted = wanted || strong[i] == id;
		cr_assert_eq(keyconfig_kem((struct bytes){one, sizeof one}), id);
		cr_assert_eq(kem_is_post_quantum((uint16_t)id), wanted, "0x%04x", (unsigned)id);
		if (kem_find((uint16_t)id)) {
			cr_assert_eq(kem_find((uint16_t)id)->post_quantum, wanted);
			found++;
		}
	}
	cr_assert_geq(found, 2);
	cr_assert_eq(keyconfig_kem((struct bytes){(const uint8_t[]){0, 2, 7, 1}, 4}), 0);
}

Test(keyconfig, a_policy_never_falls_back_in_silence)
{
	static const uint16_t both[] = {KEM_XWING, KEM_X25519, 0}, classic[] = {KEM_P256, KEM_X25519, 0},
			      foreign[] = {0x12, 0x30, 0};
	bool pq = crypto_has_ml_kem();
	struct keyconfig_choice choice;
	struct keyconfig_list list;
	struct veil_error err = {0};
	enum keyconfig_policy none;

	cr_assert_eq(choose(&choice, &list, "require-pq", both, &err), pq ? VEIL_OK : VEIL_E_UNSUPPORTED);
	if (!pq)
		cr_assert(strstr(err.text, "require-pq") && strstr(err.text, "OpenSSL is older than 3.5"),
			"%s", err.text);
	cr_assert_eq(choose(&choice, &list, "prefer-pq", both, &err), VEIL_OK);
	cr_assert_eq(choice.suite.kem, pq ? KEM_XWING : KEM_X25519);
	cr_assert_eq(choice.note == NULL, pq);
	cr_assert_eq(choose(&choice, &list, "classic", both, &err), VEIL_OK);
	cr_assert_eq(choice.suite.kem, KEM_X25519);
	cr_assert_eq(choice.suite.aead, HPKE_AEAD_CHACHA20_POLY1305, "the gateway's first algorithm");
	cr_assert_null(choice.note);

	cr_assert_eq(choose(&choice, &list, "require-pq", classic, &err), VEIL_E_UNSUPPORTED);
	cr_assert_null(choice.config);
	cr_assert_eq(choose(&choice, &list, "prefer-pq", classic, &err), VEIL_OK);
	cr_assert_eq(choice.suite.kem, KEM_P256, "the gateway's first key");
	cr_assert_not_null(choice.note);
	cr_assert_eq(choose(&choice, &list, "classic", foreign, &err), VEIL_E_UNSUPPORTED);
	cr_assert(strstr(err.text, "none of the gateway's 2 keys"), "%s", err.text);
	cr_assert(!keyconfig_policy_from_name(&none, "prefer-classic"));
}
