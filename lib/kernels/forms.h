/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNELS_FORMS_H
#define KERNELS_FORMS_H

#include "kernels/kernels.h"

/* The forms that kernels_select puts on top of each other. The generic ones fill the whole table, a
 * vector form replaces the rows that it has. */

void kernels_generic_w4(struct kernels *k);
void kernels_generic_w8(struct kernels *k);

#endif
