/* SPDX-License-Identifier: Apache-2.0 */
#include "base/keyed.h"

#include <sodium.h>

#include "base/bytes.h"

_Static_assert(crypto_shorthash_KEYBYTES == KEYED_KEY_BYTES && crypto_shorthash_BYTES == 8, "SipHash-2-4");

uint64_t keyed_hash(const uint8_t key[KEYED_KEY_BYTES], const void *data, size_t size)
{
	uint8_t out[crypto_shorthash_BYTES];

	crypto_shorthash(out, data, size, key);
	return load_le64(out);
}
