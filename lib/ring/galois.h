/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RING_GALOIS_H
#define RING_GALOIS_H

#include "ring/poly.h"

/* The automorphisms X -> X^element of Z[X]/(X^N+1), element odd, 1 <= element < 2N. Slots of a plaintext
 * (bfv/encode.h) lie in two rows of N/2: powers of 3 rotate both, 2N-1 swaps them. The conventions of
 * apple/swift-homomorphic-encryption and SEAL. */

/** Rotates both rows by |step| slots, to the left where step < 0 and to the right where step > 0; |step| <
 * N/2, N >= 4. */
uint32_t ring_galois_element_rotate(unsigned log_n, int step);
/** Swaps the rows. */
uint32_t ring_galois_element_swap(unsigned log_n);

/** How many rotations by each of steps[count] make one by `step`, with the fewest rotations in all: times[i]
 * rotations by steps[i]. False, and times are 0, if they cannot make it. For setting up: it searches all N/2
 * rotations. `scratch` has ring_galois_plan_words words. */
bool ring_galois_plan(unsigned *times, unsigned log_n, const int *steps, unsigned count, int step,
	uint32_t *scratch) VEIL_MUST_CHECK;
size_t ring_galois_plan_words(unsigned log_n);

/** Where the residues of the image come from: residue i is residue map[i] >> 1, negated where map[i] is odd,
 * which in evaluation format none is. N entries. */
void ring_galois_map(uint32_t *map, unsigned log_n, uint32_t element, enum ring_format format);
/** dst = the image of `a` under the map of an element for a's format. dst, which takes a's level and format,
 * is not a. Constant time in the residues. */
void ring_galois_apply(struct ring_poly *dst, const struct ring_poly *a, const uint32_t *map);

#endif
