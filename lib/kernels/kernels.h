/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/* Arithmetic on arrays of residues modulo one prime. The table of kernels is filled once, when a ring is
 * built; hot code has no branch on ISA or width. generic.c is the definition: a vector kernel gives the same
 * bits for every input that the contract allows.
 *
 * A residue array holds `uint32_t` words where q < 2^31 (width 4) and `uint64_t` words elsewhere (width 8, q
 * < 2^62); that is what `void *` means below. Unless a line says otherwise values are in [0, q) on entry and
 * on return, arrays are 64-byte aligned, do not overlap unless they are the same array, and no branch depends
 * on a value. */

/** The lanes of one block of the multiply-accumulate layout. */
#define KERNELS_LANES 16

/** What kernels know about a prime; filled by kernels_prime_init. */
struct kernels_prime {
	uint64_t q;
	unsigned bits; /* bit length of q */
	unsigned width; /* bytes of a word: 4 or 8 */
	uint64_t neg_inv; /* -q^-1 mod R, where R = 2^32 (width 4) or 2^64 (width 8) */
	uint64_t mont_one; /* R mod q */
	uint64_t mont_two; /* R^2 mod q */
};

/** How ntt_inverse scales its output. */
enum kernels_scale {
	KERNELS_PLAIN, /* the inverse transform */
	KERNELS_MONTGOMERY, /* the inverse transform times R: undoes the R^-1 of mac */
};

#define KERNELS_MAC_VECTORS 8 /* the most vectors that one pass of mac serves */

struct kernels {
	/* --- negacyclic transform, natural order in, bit-reversed order out: Cooley-Tukey with twiddles
	 * root^brv(i) (and Gentleman-Sande back); root is a primitive 2N-th root of unity. apple-bfv.md 6.3.
	 */

	/** Bytes of the table that ntt_init fills (64-byte aligned). */
	size_t (*ntt_table_bytes)(unsigned log_n);
	void (*ntt_init)(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root);
	/** In place. */
	void (*ntt_forward)(void *a, const void *table);
	void (*ntt_inverse)(void *a, const void *table, enum kernels_scale scale);

	/* --- pointwise; any alignment to the word, any n; dst may be a or b */

	void (*add)(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p);
	void (*sub)(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p);
	void (*neg)(void *dst, const void *a, size_t n, const struct kernels_prime *p);
	/** dst = a * b mod q. */
	void (*mul)(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p);

	/* --- by constants, and from prime to prime: w and k are in [0, q); b holds residues of any modulus
	 * `from`, in words of its width, larger than q or not. Any alignment to the word, any n; dst may be
	 * a, and b where both have words of one width. */

	/** dst = k + w b mod q. */
	void (*affine)(void *dst, const void *b, size_t n, uint64_t w, uint64_t k,
		const struct kernels_prime *p, const struct kernels_prime *from);
	/** dst = a + k + w b mod q. */
	void (*mul_add)(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t k,
		const struct kernels_prime *p, const struct kernels_prime *from);
	/** dst = w (a - b) mod q, and one more where b > half. Where w is the inverse of from->q and half its
	 * half, that is the rounded quotient of what is a mod q and b mod from->q. */
	void (*sub_mul)(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t half,
		const struct kernels_prime *p, const struct kernels_prime *from);

	/* --- of several rows; any alignment to the word, any n */

	/** dst[i] = sum over t < terms of a[t][i] b[t][i] mod q; 1 <= terms <= kernels_mac_limit(p). dst may
	 * be one of the rows. */
	void (*dot)(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
		const struct kernels_prime *p);
	/** dst[i] = src[map[i] >> 1], where each aligned group of eight comes from one such group, as an
	 * automorphism has them in bit-reversed order. dst is not src. */
	void (*permute)(void *dst, const void *src, const uint32_t *map, size_t n);

	/* --- multiply-accumulate, the search engine's inner loop */

	/** Shards and vectors are laid out in blocks of 16 coefficients, each block contiguous:
	 *    w[n/16][outputs][terms][16]    x_v[n/16][terms][16]    out_v[outputs][n]
	 *    out_v[o][i] = R^-1 * sum over t < terms of w[i/16][o][t][i%16] * x_v[i/16][t][i%16]   mod q
	 * for the vectors v < `vectors` (1..KERNELS_MAC_VECTORS); w is read once. n is a multiple of 16.
	 * Requires terms <= kernels_mac_limit(p). */
	void (*mac)(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
		size_t outputs, size_t terms, const struct kernels_prime *p);
	/** Writes a polynomial of n words as term t of the layout of a vector: dst[i/16][t][i%16] = src[i].
	 */
	void (*interleave)(void *dst, const void *src, size_t n, size_t terms, size_t t);

	/** dst[i] = sum over j < fold of src[i * fold + j] mod q, i < n / fold; fold a power of two. dst may
	 * be src. */
	void (*fold)(void *dst, const void *src, size_t n, size_t fold, const struct kernels_prime *p);

	/* --- residues to and from bytes: fixed width, MSB first, one continuous bit stream
	 * (apple-bfv.md 6.2) */

	/** dst[i] = value_i << shift, n values of `bits` bits (bits + shift <= p->bits); reads ceil(n * bits
	 * / 8) bytes of src and not one more; src has any alignment. Returns false if any dst[i] >= q (dst is
	 * then unspecified): the input is public, its rejection may take another time. */
	bool (*unpack)(void *dst, const uint8_t *src, size_t n, unsigned bits, unsigned shift,
		const struct kernels_prime *p);
	/** Writes ceil(n * bits / 8) bytes, zero padded at the end; values must be < 2^bits. */
	void (*pack)(uint8_t *dst, const void *src, size_t n, unsigned bits);
	/** dst[i] = floor((a[i] * 2^bits + (q-1)/2) / q) mod 2^bits: modulus switch to 2^bits, rounded to
	 * nearest. bits <= p->bits. dst may be a. */
	void (*round)(void *dst, const void *a, size_t n, unsigned bits, const struct kernels_prime *p);

	/** Rejection sampling: candidates are little-endian words of p->width bytes, masked to p->bits bits,
	 * kept in order where < q. Appends to dst from *filled on until it holds n, adds to *filled; `bytes`
	 * must hold `words` words. For public keystreams only: time depends on the bytes. */
	void (*uniform)(void *dst, size_t n, size_t *filled, const uint8_t *bytes, size_t words,
		const struct kernels_prime *p);

	/** dst[i] = the little-endian number of 16 bytes at bytes + 16 i, mod q: as good as uniform, without
	 * rejection (the convention of
	 * apple/swift-homomorphic-encryption). dst has any alignment to the word. */
	void (*remainder)(void *dst, const uint8_t *bytes, size_t n, const struct kernels_prime *p);

	const char *name; /* the ISA of the transform: "generic", "avx2", "avx512" */
};

/** q odd, 2 < q < 2^62. */
void kernels_prime_init(struct kernels_prime *p, uint64_t q);

/** The largest number of terms that mac may add for this prime: terms * (q-1)^2 fits 64 bits (width 4), or
 * 126 bits (width 8), on every machine: forms whose sums hold less reduce them in between. Checked when a
 * search context is built. */
uint64_t kernels_mac_limit(const struct kernels_prime *p);

/** Fill the table from generic upward: `features` is a mask of cpu_feature that this processor has, q_bits
 * picks the width, log_n the transform (vector forms exist for a range of N). */
void kernels_select(struct kernels *k, unsigned features, unsigned q_bits, unsigned log_n);

#endif
