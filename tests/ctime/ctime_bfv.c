/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/require.h"
#include "secret/key_message.h"
#include "secret/public.h"
#include "support/bfv.h"

/* For valgrind and MSan: BFV from values to ciphertexts and back, on words of both widths and a mixture. The
 * values, the key and the errors are marked as uninitialised; what is published, and at the end what was
 * decrypted, is unmarked. */

#define MAX_N 4096

static int64_t values[MAX_N], decrypted[MAX_N];

static void decrypt(struct test_bfv *b, const struct rlwe_ciphertext *ct, enum bfv_encoding encoding)
{
	void *plaintext = test_bfv_plaintext(b);

	secret_bfv_decrypt(b->ctx, &b->key, plaintext, ct, &b->arena);
	bfv_decode_signed(b->ctx, decrypted, b->ctx->ring->n, plaintext, encoding, &b->arena);
}

static void life(const char *set, enum bfv_encoding encoding)
{
	struct rlwe_ciphertext ct;
	struct test_bfv b;
	struct rlwe_evalkey keys;
	const uint32_t element = 3;
	void *plaintext;
	size_t n;

	test_bfv_init(&b, rlwe_params_find(set), 4, 1, cpu_features());
	n = b.ctx->ring->n;
	test_bfv_keys(&b, &keys, &element, 1, true);
	plaintext = test_bfv_plaintext(&b);
	for (enum ring_format format = RING_COEFFICIENT; format <= RING_EVALUATION; format++) {
		ct = test_bfv_ciphertext(&b, 2, b.ctx->level, format);
		for (size_t i = 0; i < n; i++)
			values[i] = (int64_t)(i % b.ctx->t.q) - (int64_t)(b.ctx->t.q / 2);
		ct_poison(values, sizeof values);
		REQUIRE(bfv_encode_signed(b.ctx, plaintext, values, n, encoding, NULL) == VEIL_OK);
		secret_bfv_encrypt(b.ctx, &b.key, &ct, plaintext, &b.rng, b.drbg, &b.stream, &b.arena);
		REQUIRE(!rlwe_ciphertext_is_transparent(&ct)); /* a branch: it is public */
		while (rlwe_ciphertext_level(&ct) > 1) {
			decrypt(&b, &ct, encoding);
			rlwe_modswitch_drop(&ct, &b.arena);
		}
		decrypt(&b, &ct, encoding);
		ct_unpoison(values, sizeof values);
		ct_unpoison(decrypted, sizeof decrypted);
		REQUIRE(memcmp(values, decrypted, n * sizeof *values) == 0);
	}
	test_bfv_clear(&b);
}

/* With the public key alone: encrypted, flooded, and decrypted by its owner. */
static void public_life(const char *set)
{
	const size_t n = (size_t)1 << rlwe_params_find(set)->log_n;
	struct rlwe_ciphertext pk, ct;
	struct test_bfv b;
	struct arena secret;
	void *plaintext;

	test_bfv_init(&b, rlwe_params_find(set), 3, 1, cpu_features());
	REQUIRE(arena_init_secret(&secret, secret_public_scratch(b.ctx)) == VEIL_OK);
	plaintext = test_bfv_plaintext(&b);
	pk = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_EVALUATION);
	ct = test_bfv_ciphertext(&b, 2, b.ctx->level, RING_EVALUATION);
	secret_public_key_generate(b.ctx, &b.key, &pk, &b.rng, b.drbg, &b.stream, &secret);
	for (size_t i = 0; i < n; i++)
		values[i] = (int64_t)(i % b.ctx->t.q) - (int64_t)(b.ctx->t.q / 2);
	ct_poison(values, sizeof values);
	REQUIRE(bfv_encode_signed(b.ctx, plaintext, values, n, BFV_SIMD, NULL) == VEIL_OK);
	secret_public_encrypt(b.ctx, &pk, &ct, plaintext, &b.stream, &secret);
	secret_public_flood(b.ctx, &pk, &ct, 30, &b.stream, &secret);
	REQUIRE(!rlwe_ciphertext_is_transparent(&ct)); /* a branch: it is public */
	decrypt(&b, &ct, BFV_SIMD);
	ct_unpoison(values, sizeof values);
	ct_unpoison(decrypted, sizeof decrypted);
	REQUIRE(memcmp(values, decrypted, n * sizeof *values) == 0);
	arena_clear(&secret);
	test_bfv_clear(&b);
}

/* A secret key to its message and back. */
static void message(const char *set)
{
	struct secret_key got;
	struct test_bfv b;
	uint8_t *bytes;
	size_t size;

	test_bfv_init(&b, rlwe_params_find(set), 1, 1, cpu_features());
	size = secret_key_message_bytes(b.ctx->ring);
	bytes = malloc(size);
	REQUIRE(bytes);
	for (unsigned i = 0; i < b.ctx->ring->count; i++)
		ct_poison(b.key.s[i], ring_prime_bytes(&b.ctx->ring->primes[i]));
	secret_key_message_write(bytes, &b.key);
	REQUIRE(secret_key_message_read(&got, b.ctx->ring, bytes, size, &b.arena, NULL) == VEIL_OK);
	for (unsigned i = 0; i < b.ctx->ring->count; i++) {
		const size_t row = ring_prime_bytes(&b.ctx->ring->primes[i]);

		ct_unpoison(b.key.s[i], row);
		ct_unpoison(got.s[i], row);
		REQUIRE(memcmp(b.key.s[i], got.s[i], row) == 0);
	}
	free(bytes);
	test_bfv_clear(&b);
}

static void leak(void)
{
	struct rlwe_ciphertext ct;
	struct test_bfv b;

	test_bfv_init(&b, rlwe_params_find("insecure_n_8_logq_5x18_logt_5"), 4, 1, cpu_features());
	ct = test_bfv_encrypt(&b, (const uint64_t *)values, BFV_COEFFICIENT, RING_COEFFICIENT);
	decrypt(&b, &ct, BFV_COEFFICIENT);
	/* a branch on a message, where the library has none */
	if (decrypted[0] > 0)
		puts("positive");
	else
		fputs("not positive\n", stderr);
	test_bfv_clear(&b);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "leak")) {
		leak();
		return 0;
	}
	life("insecure_n_8_logq_5x18_logt_5", BFV_SIMD);
	life("insecure_n_512_logq_4x60_logt_20", BFV_SIMD);
	life("n_4096_logq_27_28_28_logt_17", BFV_SIMD);
	life("n_4096_logq_16_33_33_logt_4", BFV_COEFFICIENT);
	public_life("insecure_n_512_logq_4x60_logt_20");
	public_life("n_4096_logq_27_28_28_logt_17");
	message("n_4096_logq_27_28_28_logt_17");
	message("n_4096_logq_16_33_33_logt_4");
	return 0;
}
