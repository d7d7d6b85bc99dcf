/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_BFV_H
#define SUPPORT_BFV_H

#include "base/drbg.h"
#include "bfv/encode.h"
#include "bfv/eval.h"
#include "bfv/rotate.h"
#include "secret/bfv.h"
#include "secret/evalkey.h"

/** A client with a key and what it needs to encrypt and decrypt; bugs and full memory abort. */
struct test_bfv {
	struct bfv_context *ctx;
	struct secret_key key;
	struct secret_stream stream;
	struct drbg *drbg;
	struct rng rng;
	struct rng_seeded state;
	struct arena arena; /* secret: the key, scratch for every operation */
	struct arena keys; /* of test_bfv_keys */
	struct arena memory; /* ciphertexts and plaintexts: `room` fresh ciphertexts of three polynomials */
};

/** Insecure sets too. `seed` repeats the seeds of the ciphertexts, and the key with its errors;
 * `features` are cpu_features() or fewer. */
void test_bfv_init(struct test_bfv *b, const struct rlwe_params *params, unsigned room, uint64_t seed,
	unsigned features);
void test_bfv_clear(struct test_bfv *b);

/** Evaluation keys of the test's secret; once a test. */
void test_bfv_keys(
	struct test_bfv *b, struct rlwe_evalkey *keys, const uint32_t *elements, unsigned count, bool relin);

struct rlwe_ciphertext test_bfv_ciphertext(
	struct test_bfv *b, unsigned count, unsigned level, enum ring_format format);
struct ring_poly test_bfv_poly(struct test_bfv *b, unsigned level, enum ring_format format);
void *test_bfv_plaintext(struct test_bfv *b);
/** A fresh one, of the context's level. */
struct rlwe_ciphertext test_bfv_encrypt(
	struct test_bfv *b, const uint64_t *values, enum bfv_encoding encoding, enum ring_format format);
/** values[N], coefficients or slots. */
void test_bfv_decrypt(
	struct test_bfv *b, uint64_t *values, const struct rlwe_ciphertext *ct, enum bfv_encoding encoding);
struct secret_bfv_noise test_bfv_noise(struct test_bfv *b, const struct rlwe_ciphertext *ct);

#endif
