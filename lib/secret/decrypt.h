/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_DECRYPT_H
#define SECRET_DECRYPT_H

#include "secret/key.h"

/** phase[i] = c0[i] + c1[i] * s mod the prime i: message plus error. All in coefficient order, ring->count
 * arrays of n residues, 64-byte aligned. phase[i] may be c1[i], not c0[i]; it is secret. Constant time. */
void secret_phase(
	const struct secret_key *key, void *const *phase, const void *const *c0, const void *const *c1);

#endif
