/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/params.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "support/test.h"

/* A released set is never edited: a new one gets a new name and a new line here. */
static const struct {
	const char *file, *hash;
} pinned[] = {
	{"insecure_search_n64_q28.params",
		"d41672646cf374bfc4f722c63de68ede8508f96b128149abda8454f65ac9bc43"},
	{"insecure_search_n64_q38_exact.params",
		"4648aab95ac31d6d7aa1d434338e8c5d752ae9020fbbad75dafc2e8e12a854cd"},
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
		cr_assert_eq(p->q_count, 1);
		cr_assert_eq(p->q[0], number(text, "q"));
		cr_assert_eq(p->upload_bits, number(text, "upload_bits"));
		cr_assert_eq(p->reply_c1_bits, number(text, "reply_c1_bits"));
		cr_assert_eq(p->reply_c0_bits, number(text, "reply_c0_bits"));
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
