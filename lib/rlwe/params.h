/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RLWE_PARAMS_H
#define RLWE_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/ring.h"
#include "veil/status.h"

/* Parameter sets are data: params/<name>.params, embedded at build time, checked here before any use. */

enum rlwe_error {
	RLWE_CBD21, /* centred binomial with 2 x 21 bits: variance 10.5, sigma 3.24 */
};
#define RLWE_CBD21_VARIANCE 10.5

enum rlwe_use {
	RLWE_USE_SEARCH_APPROXIMATE, /* g-split search, scores as rounded phases */
	RLWE_USE_SEARCH_EXACT, /* g-split search, scores are the integer dot products */
	RLWE_USE_BFV,
	RLWE_USE_RETRIEVAL, /* silent PIR: bytes, exactly */
	RLWE_USE_SEALED, /* sealed search: the same machinery, phases as scores */
};

#define RLWE_MAX_DIGITS 2

/** The gadget of one key of silent PIR: a residue is rounded to multiples of 2^drop and cut into `digits`
 * balanced digits of `bits` bits, drop + digits * bits = bit length of q. */
struct rlwe_gadget {
	unsigned digits, bits, drop;
	unsigned key_bits; /* of a coefficient of the key on the wire */
};

struct rlwe_params {
	const char *name;
	unsigned log_n;
	unsigned q_count;
	const uint64_t *q; /* ALL moduli that are published under one secret */
	bool special; /* BFV: the last modulus is for key switching alone, no ciphertext has it */
	uint64_t t; /* BFV: the plaintext modulus, odd and below every q; 0 elsewhere */
	enum rlwe_error error;
	enum rlwe_use use;
	unsigned upload_bits; /* all but BFV: bits of a residue in the query (b_u) */
	unsigned reply_c1_bits; /* likewise: b_1 */
	unsigned reply_c0_bits; /* likewise: b_0 */
	struct rlwe_gadget g, h; /* retrieval, sealed: of the automorphisms by powers of 5, and by -1 */
	bool insecure; /* tiny ring for fast tests; refused outside them */
};

/** The moduli of a fresh ciphertext: the first ones, all but the special one. */
static inline unsigned rlwe_params_level(const struct rlwe_params *params)
{
	return params->q_count - params->special;
}

/** BFV: the low bits that polynomials 0 and 1 of a reply modulo q[0] leave out: decryption survives them if
 * the error was below q[0] / 4t, but for one message of N = 8192 in 2^36. Eprint 2022/207, 5.2 and appendix
 * F, in the integers of apple/swift-homomorphic-encryption. */
void rlwe_params_skip_lsbs(const struct rlwe_params *params, unsigned skip[2]);
/** BFV: bytes that the coefficients of a plaintext carry, floor(log2 t) bits each. */
size_t rlwe_params_payload_bytes(const struct rlwe_params *params);

/** The embedded set of that name, or NULL. */
const struct rlwe_params *rlwe_params_find(const char *name);
/** The embedded sets in file order; NULL past the last. For tests and `info`. */
const struct rlwe_params *rlwe_params_at(size_t i);

/** The largest bit length of the product of all moduli for N = 2^log_n at 128-bit post-quantum security,
 * ternary secret, sigma 3.2 (params/security.tsv); 0 where the table has no line. */
unsigned rlwe_security_limit_bits(unsigned log_n);

/** Everything that makes a set usable: N in the table, each q prime, distinct, = 1 mod 2N and within kernel
 * width, bit length of the product within the limit (integers, never floating log2), bits of the search
 * within q, t of BFV an odd prime below every q. An `insecure` set passes only where `allow_insecure` is
 * true. */
enum veil_status rlwe_params_check(
	const struct rlwe_params *params, bool allow_insecure, struct veil_error *err) VEIL_MUST_CHECK;

#endif
