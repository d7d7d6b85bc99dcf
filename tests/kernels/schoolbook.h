/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_KERNELS_SCHOOLBOOK_H
#define TESTS_KERNELS_SCHOOLBOOK_H

#include "kernels/kernels.h"

/** The contract of kernels.h read literally: 128-bit integers, the % operator, polynomials evaluated point by
 * point, bits moved one at a time. */
void schoolbook_kernels(struct kernels *k, unsigned q_bits);

#endif
