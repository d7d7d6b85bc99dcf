/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_U128_H
#define BASE_U128_H

#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;
__extension__ typedef __int128 int128;

static inline uint64_t u128_hi(uint128 x)
{
	return (uint64_t)(x >> 64);
}

#endif
