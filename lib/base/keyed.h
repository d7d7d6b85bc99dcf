/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_KEYED_H
#define BASE_KEYED_H

#include <stddef.h>
#include <stdint.h>

#define KEYED_KEY_BYTES 16

/** SipHash-2-4 (libsodium): without the key nobody can make two inputs collide or tell what was hashed. */
uint64_t keyed_hash(const uint8_t key[KEYED_KEY_BYTES], const void *data, size_t size);

#endif
