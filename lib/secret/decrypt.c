/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/decrypt.h"

#include <string.h>

void secret_phase(
	const struct secret_key *key, void *const *phase, const void *const *c0, const void *const *c1)
{
	for (unsigned i = 0; i < key->ring->count; i++) {
		const struct ring_prime *r = &key->ring->primes[i];

		if (phase[i] != c1[i])
			memcpy(phase[i], c1[i], ring_prime_bytes(r));
		r->k.ntt_forward(phase[i], r->table);
		r->k.mul(phase[i], phase[i], key->s[i], r->n, &r->p);
		r->k.ntt_inverse(phase[i], r->table, KERNELS_PLAIN);
		r->k.add(phase[i], phase[i], c0[i], r->n, &r->p);
	}
}
