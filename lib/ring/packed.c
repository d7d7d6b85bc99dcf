/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/packed.h"

#include "base/require.h"

#define PIECE 512 /* residues that lose their low bits at a time; a multiple of 8 */

static size_t row_bytes(const struct ring_prime *r, unsigned skip)
{
	REQUIRE(r->n % 8 == 0 && skip < r->p.bits);
	return r->n / 8 * (r->p.bits - skip);
}

size_t ring_packed_bytes(const struct ring *ring, unsigned level, unsigned skip)
{
	size_t size = 0;

	REQUIRE(level >= 1 && level <= ring->count);
	for (unsigned i = 0; i < level; i++)
		size += row_bytes(&ring->primes[i], skip);
	return size;
}

static void pack_row(uint8_t *out, const struct ring_prime *r, const void *row, unsigned skip)
{
	_Alignas(64) uint64_t high[PIECE];
	const unsigned bits = r->p.bits - skip;

	if (!skip) {
		r->k.pack(out, row, r->n, bits);
		return;
	}
	for (size_t i = 0; i < r->n; i += PIECE, out += PIECE / 8 * bits) {
		const size_t n = r->n - i < PIECE ? r->n - i : PIECE;

		for (size_t j = 0; j < n; j++)
			ring_set(r, high, j, ring_get(r, row, i + j) >> skip);
		r->k.pack(out, high, n, bits);
	}
}

uint8_t *ring_pack(uint8_t *out, const struct ring_poly *a, unsigned skip)
{
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		pack_row(out, r, ring_poly_row(a, i), skip);
		out += row_bytes(r, skip);
	}
	return out;
}

bool ring_unpack(struct ring_poly *a, const uint8_t *bytes, unsigned skip, unsigned *bad)
{
	for (unsigned i = 0; i < a->level; i++) {
		const struct ring_prime *r = &a->ring->primes[i];

		if (!r->k.unpack(ring_poly_row(a, i), bytes, r->n, r->p.bits - skip, skip, &r->p)) {
			*bad = i;
			return false;
		}
		bytes += row_bytes(r, skip);
	}
	return true;
}
