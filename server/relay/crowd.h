/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_CROWD_H
#define RELAY_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "attest/attest.h"
#include "veil/status.h"

/* The relay's key and what it signs: the crowds of its gateways. One thread writes, any thread reads. */

struct crowd;

/** Reads the key file, which must be its owner's alone (mode 0600). VEIL_E_IO, VEIL_E_CORRUPT. */
enum veil_status crowd_key_read(
	uint8_t seed[SIGN_SEED_BYTES], const char *path, struct veil_error *err) VEIL_MUST_CHECK;
/** Makes a key file; `public_hex` has room for 65 bytes. VEIL_E_IO, also if the file is there. */
enum veil_status crowd_key_make(const char *path, char *public_hex, struct veil_error *err) VEIL_MUST_CHECK;

/** The crowd of one path; `seed` outlives it. VEIL_E_NOMEM. */
enum veil_status crowd_create(struct crowd **out, const char *relay_path, uint32_t epoch_seconds,
	const uint8_t seed[SIGN_SEED_BYTES]) VEIL_MUST_CHECK;
/** Accepts NULL. */
void crowd_destroy(struct crowd *c);
/** An epoch is over, `now` is in seconds since 1970. */
void crowd_add(struct crowd *c, uint32_t clients, uint64_t now);
/** The newest attestation; false while there are too few epochs. */
bool crowd_attestation(struct crowd *c, uint8_t out[ATTEST_BYTES]);

#endif
