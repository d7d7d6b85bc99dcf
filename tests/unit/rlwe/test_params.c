/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/params.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "kat/roots.h"
#include "kat/sets.h"
#include "ring/prime.h"
#include "support/test.h"

/* A released set is never edited: a new one gets a new name and a new line here. */
static const struct {
	const char *file, *hash;
} pinned[] = {
	{"insecure_n_16_logq_60_logt_15.params",
		"dd8c34fd180cf3fe8b290275fe7d8fa80a82d6fae369da7fc52732a7e2cce9b1"},
	{"insecure_n_512_logq_4x60_logt_20.params",
		"e2a9e8e56af3443643cb181b2f3f4953e0ca446a19b364fd489e9c20f018f104"},
	{"insecure_n_8_logq_5x18_logt_5.params",
		"11481a1b02345080e23b0f8b88ec7ab19b11687d867d40ecd36a28a7ed19f9ec"},
	{"insecure_retrieval_n64_q40.params",
		"c3cfdbb6d00691741917d0b0459fd5790dd40f4de1ea616b01edb957cd0543d8"},
	{"insecure_sealed_n64_q40.params",
		"35f51dd0c832465dc5395b2546be682e54f4ba0f05374307d2071b5a60102a00"},
	{"insecure_search_n64_q28.params",
		"d41672646cf374bfc4f722c63de68ede8508f96b128149abda8454f65ac9bc43"},
	{"insecure_search_n64_q38_exact.params",
		"4648aab95ac31d6d7aa1d434338e8c5d752ae9020fbbad75dafc2e8e12a854cd"},
	{"n_4096_logq_16_33_33_logt_4.params",
		"9447707b09b7ee7e533ee0cf26c95cdd423c19eb4bd0190e540e2beafe80c3bc"},
	{"n_4096_logq_27_28_28_logt_13.params",
		"5b94ea2e55d2b4d41d8168cb1b68be714d39325fa3a97463632988e6c6170dd2"},
	{"n_4096_logq_27_28_28_logt_16.params",
		"ae525c3218fd4bd88f6b4966a08377218ee24c238a960d0b15e98552f0c3f846"},
	{"n_4096_logq_27_28_28_logt_17.params",
		"b00e762dd96b1fc358cc44cf596337e783692d45cbc0f39c2e8ca860693d73a7"},
	{"n_4096_logq_27_28_28_logt_4.params",
		"ac2e9a75a7b869cde4f50beb7ca8a7269324e8e2783d2dd20514eb2e3bf01b15"},
	{"n_4096_logq_27_28_28_logt_5.params",
		"12614b76800a9ff47683ea14c055c3e8bb161c3884f45b177f7702e42a95ef48"},
	{"n_4096_logq_27_28_28_logt_6.params",
		"218e5565e5048ca617e481953e4aefc89b155fc0b06072628aa64728477a642f"},
	{"n_8192_logq_28_60_60_logt_20.params",
		"06dd60807db48a755190beca13360ba04a75c3f26c1d73535be0ea4bc9752511"},
	{"n_8192_logq_29_60_60_logt_15.params",
		"49b6cdae93bd503ca46aaef028583a6c9b063aea716602fc6845ff3097920b77"},
	{"n_8192_logq_3x36_logt_22.params",
		"65444dd7f2153ee12551696437c19298a1fd71d71d40d95d7ba651a0b8e7dcee"},
	{"n_8192_logq_3x55_logt_24.params",
		"29c715eff3ae1b004fcc5abd48f63ec860abe141f74d9e46c16067fea5794218"},
	{"n_8192_logq_3x55_logt_29.params",
		"ec60d154619dcec2fd4790959af15305fa0b988074ba32175a4c75cf09ef2374"},
	{"n_8192_logq_3x55_logt_30.params",
		"5a3c991d5db322fc8336e7c9f3d8adb8fa4456a736541bd0d66d693a7c72441f"},
	{"n_8192_logq_3x55_logt_42.params",
		"882b7aca9a43ac9fd17f34ddf783921ff42776882ec9a4d2119c6173ca57e6e4"},
	{"n_8192_logq_40_60_60_logt_26.params",
		"76d25163ae9c7bb47174284a016874fa8a801ba47845132c4133307a11b37e72"},
	{"retrieval_n2048_q40.params", "e83d8a8fe9d8eb435fd0e256d452829b7c3f5c249821768016915344470f770a"},
	{"sealed_n2048_q40.params", "bfeea21b6d7fb954f4d97d0873bfc2b8650b7a58aac83c50a8a93a63f10e3b65"},
	{"search_n2048_q28.params", "cc808ff95bbf66bd01c17ae1fb9f90adff0870d5bb031f6a7deebf08b8483e5a"},
	{"search_n2048_q38_exact.params", "a988d72179107902def8701198d62ab15b6fd13463be48b08c043c5387a8ba67"},
	{"security.tsv", "50df134c9384651df132ba60844264b2c6a4cccf67e514fb96ed6176e0a42616"},
};
#define PINNED (sizeof pinned / sizeof *pinned)

static char *read_file(const char *relative, size_t *size)
{
	FILE *f = fopen(test_source_path(relative), "rb");
	char *text = calloc(1, 65536);

	cr_assert(f && text, "%s", relative);
	*size = fread(text, 1, 65535, f);
	fclose(f);
	return text;
}

Test(params, released_sets_are_never_edited)
{
	DIR *dir = opendir(test_source_path("params"));
	size_t sets = 0;

	for (size_t i = 0; i < PINNED; i++) {
		uint8_t hash[HASH_BYTES];
		char hex[HASH_HEX_SIZE], path[256];
		size_t size;
		char *text;

		snprintf(path, sizeof path, "params/%s", pinned[i].file);
		text = read_file(path, &size);
		hash_sha256(hash, text, size);
		hash_hex(hex, hash);
		cr_assert_str_eq(hex, pinned[i].hash, "%s: %s", path, hex);
		free(text);
	}
	cr_assert_not_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		sets += strstr(entry->d_name, ".params") != NULL;
	closedir(dir);
	cr_assert_eq(sets, PINNED - 1, "a file in params/ that is not pinned here");
}

/* The value of `key` in a file, as a number or as a word. */
static const char *value(const char *text, const char *key)
{
	static char word[64];
	char start[64];
	const char *at;

	snprintf(start, sizeof start, "\n%s = ", key);
	at = strstr(text, start);
	cr_assert_not_null(at, "%s", key);
	cr_assert_eq(sscanf(at + strlen(start), "%63s", word), 1);
	return word;
}

static uint64_t number(const char *text, const char *key)
{
	return strtoull(value(text, key), NULL, 10);
}

static void check_gadgets(const struct rlwe_params *p, const char *text)
{
	cr_assert_eq(p->g.digits, number(text, "g.digits"));
	cr_assert_eq(p->g.bits, number(text, "g.bits"));
	cr_assert_eq(p->g.drop, number(text, "g.drop"));
	cr_assert_eq(p->g.key_bits, number(text, "g.key_bits"));
	cr_assert_eq(p->h.digits, number(text, "h.digits"));
	cr_assert_eq(p->h.bits, number(text, "h.bits"));
	cr_assert_eq(p->h.drop, number(text, "h.drop"));
	cr_assert_eq(p->h.key_bits, number(text, "h.key_bits"));
}

static void check_numbers(const struct rlwe_params *p, const char *text)
{
	const char *at = strstr(text, "\nq = ") + 5;

	for (unsigned i = 0; i < p->q_count; i++) {
		char *end;

		cr_assert_eq(p->q[i], strtoull(at, &end, 10), "%s: q[%u]", p->name, i);
		at = end;
	}
	cr_assert_eq(*at, '\n', "%s has more moduli", p->name);
	cr_assert_eq(p->use == RLWE_USE_BFV, strcmp(value(text, "use"), "bfv") == 0);
	cr_assert_eq(p->special, p->use == RLWE_USE_BFV && p->q_count > 1);
	if (p->use == RLWE_USE_BFV) {
		cr_assert_eq(p->t, number(text, "t"));
		return;
	}
	cr_assert_eq(p->t, 0);
	cr_assert_eq(p->upload_bits, number(text, "upload_bits"));
	cr_assert_eq(p->reply_c1_bits, number(text, "reply_c1_bits"));
	cr_assert_eq(p->reply_c0_bits, number(text, "reply_c0_bits"));
	if (p->use == RLWE_USE_RETRIEVAL || p->use == RLWE_USE_SEALED)
		check_gadgets(p, text);
}

Test(params, every_file_is_embedded_as_it_stands_and_passes_its_check)
{
	size_t count = 0;

	for (size_t i = 0; i < PINNED; i++) {
		const struct rlwe_params *p;
		struct veil_error err;
		char name[64], path[256];
		size_t size;
		char *text;

		if (!strstr(pinned[i].file, ".params"))
			continue;
		snprintf(name, sizeof name, "%.*s", (int)strcspn(pinned[i].file, "."), pinned[i].file);
		snprintf(path, sizeof path, "params/%s", pinned[i].file);
		text = read_file(path, &size);
		p = rlwe_params_find(name);
		cr_assert_not_null(p, "%s", name);
		cr_assert_str_eq(p->name, name);
		cr_assert_eq((uint64_t)1 << p->log_n, number(text, "n"));
		check_numbers(p, text);
		cr_assert_eq(p->error == RLWE_CBD21, strcmp(value(text, "error"), "cbd21") == 0);
		cr_assert_eq(
			p->use == RLWE_USE_SEARCH_EXACT, strcmp(value(text, "use"), "search_exact") == 0);
		cr_assert_eq(p->insecure, strcmp(value(text, "level"), "insecure") == 0);
		cr_assert_eq(p->insecure, strncmp(name, "insecure_", 9) == 0);
		cr_assert_eq(rlwe_params_check(p, p->insecure, &err), VEIL_OK, "%s", err.text);
		free(text);
		count++;
	}
	cr_assert_not_null(rlwe_params_at(count - 1));
	cr_assert_null(rlwe_params_at(count));
	cr_assert_null(rlwe_params_find("search_n2048"));
}

Test(params, the_security_table_is_the_published_one)
{
	static const unsigned bits[] = {21, 41, 83, 165, 330, 660};

	for (unsigned log_n = 0; log_n < 70; log_n++)
		cr_assert_eq(
			rlwe_security_limit_bits(log_n), log_n >= 10 && log_n <= 15 ? bits[log_n - 10] : 0);
}

/* Primes = 1 mod 2^16. */
static const uint64_t q60[] = {1152921504606584833, 1152921504598720513, 1152921504597016577,
	1152921504595968001, 1152921504595640321, 1152921504593412097, 1152921504592822273,
	1152921504592429057, 1152921504589938689, 1152921504586530817, 1152921504585547777};
static const uint64_t small[] = {65537, 786433, 268369921};

static struct rlwe_params bfv(unsigned log_n, const uint64_t *q, unsigned count)
{
	return (struct rlwe_params){.name = "set",
		.log_n = log_n,
		.q_count = count,
		.q = q,
		.t = 17,
		.error = RLWE_CBD21,
		.use = RLWE_USE_BFV};
}

static void accept(struct rlwe_params p)
{
	struct veil_error err;

	cr_assert_eq(rlwe_params_check(&p, false, &err), VEIL_OK, "%s", err.text);
}

static void refuse(struct rlwe_params p, const char *says)
{
	struct veil_error err = {.text = ""};

	cr_assert_eq(rlwe_params_check(&p, false, &err), VEIL_E_INVALID, "%s", says);
	cr_assert_not_null(strstr(err.text, says), "'%s' does not say '%s'", err.text, says);
	cr_assert_eq(strncmp(err.text, "set: ", 5), 0, "%s", err.text);
}

Test(params, apples_sets_that_sit_on_the_limit_pass)
{
	/* products of 83 and of 165 bits exactly: PredefinedRlweParameters of
	 * apple/swift-homomorphic-encryption */
	static const uint64_t n4096[] = {134176769, 268369921, 268361729};
	static const uint64_t n8192[] = {36028797018652673, 36028797017571329, 36028797017456641};

	accept(bfv(12, n4096, 3));
	accept(bfv(13, n8192, 3));
}

Test(params, one_bit_over_the_limit_is_refused)
{
	/* the largest prime of 41 bits, the least of 42, and the least whose product with the two others has
	 * 84: the base-2 logarithm of that is 83.000660 */
	static const uint64_t n2048_41[] = {2199023251457}, n2048_42[] = {2199023288321},
			      n4096_84[] = {134348801, 268369921, 268361729};

	accept(bfv(11, n2048_41, 1));
	refuse(bfv(11, n2048_42, 1), "the moduli have 42 bits, N = 2048 allows 41");
	refuse(bfv(12, n4096_84, 3), "the moduli have 84 bits, N = 4096 allows 83");
	refuse(bfv(10, small + 2, 1), "the moduli have 28 bits, N = 1024 allows 21");
	accept(bfv(10, small + 1, 1));
}

Test(params, products_of_many_words_are_measured_exactly)
{
	/* eleven primes just below 2^60 make 660 bits: just what N = 32768 allows
	 */
	uint64_t q[12];

	memcpy(q, q60, sizeof q60);
	accept(bfv(15, q, 11));
	q[11] = small[0];
	refuse(bfv(15, q, 12), "the moduli have 677 bits, N = 32768 allows 660");
}

Test(params, violations_are_refused_by_name)
{
	static const uint64_t composite[] = {268369923}, other[] = {12289}, twice[] = {65537, 65537};
	static const uint64_t wide[] = {4611686018427387905u};
	struct rlwe_params p = *rlwe_params_find("search_n2048_q28"), bad;

	p.name = "set";
	accept(p);
	refuse(bfv(12, composite, 1), "q[0] = 268369923 is not prime");
	refuse(bfv(12, other, 1), "q[0] = 12289 is not 1 mod 2N = 8192");
	refuse(bfv(12, twice, 2), "q[1] = 65537 repeats q[0]");
	refuse(bfv(12, wide, 1), "is not below 2^62");
	refuse(bfv(16, small, 1), "log2 N = 16");
	refuse(bfv(9, small, 1), "no line for N = 512");
	refuse(bfv(12, small, 0), "0 primes");
	bad = bfv(12, small, 1);
	bad.t = 0;
	refuse(bad, "plaintext modulus");
	bad.t = 2;
	refuse(bad, "plaintext modulus");
	bad.t = 16;
	refuse(bad, "t = 16 is not prime");
	bad.t = 561;
	refuse(bad, "t = 561 is not prime");
	bad.t = small[0];
	refuse(bad, "q[0] = 65537 divides t = 65537");
	bad.t = (uint64_t)65537 * 65537;
	refuse(bad, "q[0] = 65537 divides t");
	bad.t = 65539;
	refuse(bad, "t = 65539 is not below q[0] = 65537");
	bad.t = 65521;
	accept(bad);
	bad.special = true;
	refuse(bad, "key switching alone");
	bad = bfv(13, small, 2), bad.t = 786431;
	refuse(bad, "t = 786431 is not below q[0]");
	bad.q = (const uint64_t[]){786433, 65537};
	refuse(bad, "t = 786431 is not below q[1]");

	bad = p, bad.upload_bits = 0;
	refuse(bad, "upload_bits = 0");
	bad = p, bad.upload_bits = 29;
	refuse(bad, "upload_bits = 29 is not in 1..28");
	bad = p, bad.reply_c1_bits = 29;
	refuse(bad, "reply_c1_bits = 29");
	bad = p, bad.reply_c0_bits = 0;
	refuse(bad, "reply_c0_bits = 0");
	bad = p, bad.t = 5;
	refuse(bad, "fixes no t");
	bad = p, bad.error = (enum rlwe_error)7;
	refuse(bad, "error distribution");
	bad = p, bad.use = (enum rlwe_use)7;
	refuse(bad, "unknown use");
	bad = p, bad.q = small + 1, bad.q_count = 2, bad.log_n = 12;
	refuse(bad, "one modulus, not 2");
}

Test(params, an_insecure_set_needs_permission)
{
	struct rlwe_params p = *rlwe_params_find("insecure_search_n64_q28");

	p.name = "set";
	refuse(p, "insecure");
	p.insecure = false; /* the label alone does not make it safe */
	refuse(p, "no line for N = 64");
	cr_assert_eq(rlwe_params_check(rlwe_params_find("insecure_search_n64_q28"), true, NULL), VEIL_OK);
}

Test(params, the_sets_of_bfv_are_the_published_ones)
{
	size_t count = 0;

	for (size_t i = 0; rlwe_params_at(i); i++)
		count += rlwe_params_at(i)->use == RLWE_USE_BFV;
	cr_assert_eq(count, KAT_SETS);
	for (size_t i = 0; i < KAT_SETS; i++) {
		const struct kat_set *kat = &kat_sets[i];
		const struct rlwe_params *p = rlwe_params_find(kat->name);
		unsigned skip[2];

		cr_assert_not_null(p, "%s", kat->name);
		cr_assert_eq(p->use, RLWE_USE_BFV);
		cr_assert_eq(p->log_n, kat->log_n);
		cr_assert_eq(p->t, kat->t);
		cr_assert_eq(p->q_count, kat->q_count);
		cr_assert_arr_eq(p->q, kat->q, p->q_count * sizeof *p->q);
		cr_assert_eq(rlwe_params_level(p), p->q_count > 1 ? p->q_count - 1 : 1);
		rlwe_params_skip_lsbs(p, skip);
		cr_assert_arr_eq(skip, kat->skip, sizeof skip, "%s: %u %u", p->name, skip[0], skip[1]);
		if (kat->payload)
			cr_assert_eq(rlwe_params_payload_bytes(p), kat->payload, "%s", p->name);
	}
}

static bool root_is_known(uint64_t q, unsigned log_n)
{
	for (size_t i = 0; i < KAT_ROOTS; i++)
		if (kat_roots[i].q == q && kat_roots[i].log_n == log_n)
			return true;
	return false;
}

Test(params, the_root_of_every_prime_is_a_known_answer)
{
	for (size_t i = 0; i < KAT_SETS; i++) {
		const struct rlwe_params *p = rlwe_params_find(kat_sets[i].name);

		for (unsigned j = 0; j < p->q_count; j++)
			cr_assert(root_is_known(p->q[j], p->log_n), "%lu", p->q[j]);
		cr_assert_eq(root_is_known(p->t, p->log_n), prime_min_root(p->t, p->log_n) != 0);
	}
}
