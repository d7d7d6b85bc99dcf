/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CT_H
#define BASE_CT_H

#include <stddef.h>
#include <stdint.h>

/* Constant-time pieces: no branch and no address depends on an argument. */

/** All ones if x != 0, else 0. */
static inline uint64_t ct_mask_nonzero(uint64_t x)
{
	return (uint64_t)0 - ((x | (0 - x)) >> 63);
}
/** All ones if a < b (both < 2^63), else 0. */
static inline uint64_t ct_mask_less(uint64_t a, uint64_t b)
{
	return (uint64_t)0 - ((a - b) >> 63);
}
/** mask ? a : b, mask all ones or zero. */
static inline uint64_t ct_select(uint64_t mask, uint64_t a, uint64_t b)
{
	return b ^ (mask & (a ^ b));
}

/** Marks memory as secret or public for the constant-time checkers (valgrind memcheck, MSan); nothing
 * otherwise. */
void ct_poison(const void *p, size_t size);
void ct_unpoison(const void *p, size_t size);

/** Overwrites memory in a way that no compiler removes (sodium_memzero). */
void wipe(void *p, size_t size);

#endif
