/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_SPREAD_H
#define SILENT_SPREAD_H

#include <stddef.h>
#include <stdint.h>

/* The transforms of the packing. N polynomials of Z[X]/(X^N+1) are the coefficients of one polynomial in Y
 * over that ring, where X is a 2N-th root of unity: its values at Y = X^-g for all odd g are a negacyclic
 * transform of N points whose every twiddle is a shift. That takes N log N sums of polynomials, where InsPIRe
 * (eprint 2025/1352) and the papers before it add N^2 shifted ones. */

/** Where the value for the odd exponent g in (0, 2N) stands. */
size_t silent_spread_index(unsigned log_n, uint32_t g);

/** p[i * n + k], coefficient k of polynomial i, becomes: polynomial silent_spread_index(g) is the sum over i
 * of X^(-i g) p_i. `scratch` is one polynomial. Sums grow by up to n. */
void silent_spread(int64_t *p, unsigned log_n, int64_t *scratch);

/** The other way: polynomial u becomes the sum over odd g of X^(u g) z_g, where z_g is polynomial
 * silent_spread_index(g). */
void silent_gather(int32_t *z, unsigned log_n, int32_t *scratch);

#endif
