/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATTEST_ATTEST_H
#define ATTEST_ATTEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/sign.h"
#include "veil/status.h"

/* How many clients take part, said by the relay and signed with its key: the U that the crowd's noise is
 * divided by. The operator of the search, who would gain from a U too large, cannot make it.
 *
 * 136 bytes, little endian: "veil-attest-1" and three zeros; issued u64, users u64, epoch_seconds u32, epochs
 * u32, scope 32 bytes; the Ed25519 signature of all that. */

#define ATTEST_BYTES 136
#define ATTEST_SCOPE_BYTES 32
#define ATTEST_MAX_EPOCHS 1000
#define ATTEST_MIN_EPOCHS 99
#define ATTEST_MEDIA_TYPE "application/vnd.veil.attestation"
#define ATTEST_AHEAD_SECONDS 300 /* that the relay's clock may be before the reader's */

struct attest {
	uint64_t issued; /* seconds since 1970 */
	uint64_t users; /* half of the lower bound of the clients in an epoch */
	uint32_t epoch_seconds;
	uint32_t epochs; /* that the bound was taken from */
	uint8_t scope[ATTEST_SCOPE_BYTES]; /* SHA-256 of the relay's path: a crowd belongs to one gateway */
};

/** The lower 99% bound of the next epoch's count from those of `n` <= ATTEST_MAX_EPOCHS past ones, whatever
 * their distribution, if only their order tells nothing: of n + 1 exchangeable counts the last is below the
 * r-th smallest of the others with probability at most r / (n + 1), r = (n + 1) / 100 rounded down. 0 if
 * there are fewer than ATTEST_MIN_EPOCHS: nothing can be said at 99%. */
uint32_t attest_lower_bound(const uint32_t *counts, size_t n);

void attest_scope(uint8_t scope[ATTEST_SCOPE_BYTES], const char *relay_path);
void attest_write(uint8_t out[ATTEST_BYTES], const struct attest *a, const uint8_t seed[SIGN_SEED_BYTES]);
/** Checks form, signature, scope and age: issued at most max_age_seconds before `now`, and not after it by
 * more than ATTEST_AHEAD_SECONDS. VEIL_E_MALFORMED for what is no attestation of that relay;
 * VEIL_E_VERSION for one that is too old or from the future. */
enum veil_status attest_read(struct attest *out, const void *data, size_t size,
	const uint8_t relay_key[SIGN_PUBLIC_BYTES], const char *relay_path, uint64_t now,
	uint64_t max_age_seconds, struct veil_error *err) VEIL_MUST_CHECK;

#endif
