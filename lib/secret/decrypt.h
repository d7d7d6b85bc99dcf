/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_DECRYPT_H
#define SECRET_DECRYPT_H

#include "rlwe/ciphertext.h"
#include "secret/key.h"

/** Arena room of secret_phase. */
size_t secret_phase_scratch(const struct ring *ring);

/** phase = poly[0] + poly[1] s + poly[2] s^2, message plus error, in coefficient format; the ciphertext has
 * any count, level and format. The phase has memory of its own; it is
 * secret, `scratch` a secret arena. Constant time. */
void secret_phase(const struct secret_key *key, struct ring_poly *phase, const struct rlwe_ciphertext *ct,
	struct arena *scratch);

#endif
