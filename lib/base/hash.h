/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES 32
#define HASH_HEX_SIZE 65 /* with the final NUL */

/** SHA-256 (OpenSSL). */
void hash_sha256(uint8_t out[HASH_BYTES], const void *data, size_t size);

struct hash;
struct hash *hash_create(void);
void hash_destroy(struct hash *h);
void hash_reset(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t size);
void hash_end(struct hash *h, uint8_t out[HASH_BYTES]);

/** Lower-case hex. */
void hash_hex(char out[HASH_HEX_SIZE], const uint8_t hash[HASH_BYTES]);

#endif
