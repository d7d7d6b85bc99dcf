/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RING_PRIME_H
#define RING_PRIME_H

#include <stdbool.h>
#include <stdint.h>

/* Number theory of word-sized moduli; offline, variable time. */

uint64_t prime_mul(uint64_t a, uint64_t b, uint64_t q);
uint64_t prime_pow(uint64_t a, uint64_t e, uint64_t q);
/** q prime. */
uint64_t prime_inverse(uint64_t a, uint64_t q);
/** Deterministic Miller-Rabin (bases 2..37), right for every 64-bit number. */
bool prime_is_prime(uint64_t q);
/** The smallest primitive 2N-th root of unity mod q (q prime, = 1 mod 2N), 0 if there is none. */
uint64_t prime_min_root(uint64_t q, unsigned log_n);

#endif
