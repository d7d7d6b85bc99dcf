/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_KERNELS_PRIMES_H
#define TESTS_KERNELS_PRIMES_H

#include <stdint.h>

/* Primes on both sides of every bound that a form of a kernel has, of either width; = 1 mod 2^16 but for two
 * small ones. */
static const uint64_t primes[] = {
	12289, 40961, 134176769, 268369921, /* the largest below 2^28 with N = 2^15 */
	269221889, /* the least above */
	536608769, /* the largest below 2^29 */
	1073479681, /* below 2^30 */
	1073872897, /* above */
	2147352577, /* below 2^31 */
	2148728833, /* above: words of 8 bytes from here on */
	4293918721, /* below 2^32 */
	274876334081, /* below 2^38 */
	1099510054913, /* below 2^40 */
	1099512938497, /* above */
	70368743587841, /* below 2^46 */
	70368744570881, /* above */
	140737487306753, /* below 2^47 */
	140737488486401, /* above */
	281474976317441, /* below 2^48 */
	281474978414593, /* above */
	1125899904679937, /* below 2^50 */
	1125899908022273, /* above */
	4503599626321921, /* below 2^52 */
	36028797017456641, /* below 2^55 */
	72057594037338113, /* below 2^56 */
	72057594038321153, /* above */
	1152921504606584833, /* below 2^60 */
	1152921504608747521, /* above */
	2305843009211662337, /* below 2^61 */
	2305843009214414849, /* above */
	4611686018427322369, /* below 2^62 */
};
#define PRIMES (sizeof primes / sizeof primes[0])

#endif
