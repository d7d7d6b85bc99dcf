/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_BFV_INSIDE_H
#define SDK_BFV_INSIDE_H

#include "base/drbg.h"
#include "bfv/multiply.h"
#include "secret/key.h"
#include "veil/bfv.h"

/* What bfv.c (contexts, secrets, keys) and bfv_circuit.c (ciphertexts) share. */

struct veil_bfv {
	struct bfv_context *ctx;
	struct bfv_multiplier *multiplier;
	struct drbg *drbg;
	struct rng rng;
	struct arena scratch;
};

struct veil_bfv_secret {
	struct veil_bfv *bfv;
	struct secret_key key;
	struct secret_stream stream;
	struct arena arena; /* the key, and scratch of what handles it */
};

struct veil_bfv_keys {
	struct veil_bfv *bfv;
	struct rlwe_evalkey keys;
	struct arena arena;
};

/* Two polynomials in coefficient format. */
struct veil_bfv_ciphertext {
	struct veil_bfv *bfv;
	struct rlwe_ciphertext ct;
	double noise; /* variance, bfv/noise.h */
	struct arena arena;
};

enum veil_status bfv_no_memory(struct veil_error *err);
/** An arena to read or write a message of `size` bytes with so many Galois keys. */
enum veil_status bfv_wire_arena(
	struct arena *arena, const struct veil_bfv *b, unsigned count, size_t size, struct veil_error *err);

#endif
