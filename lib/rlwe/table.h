/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RLWE_TABLE_H
#define RLWE_TABLE_H

#include "rlwe/params.h"

/* What params/embed.py makes of params/. Private to params.c. */

struct rlwe_security {
	unsigned log_n, bits;
};

extern const struct rlwe_params rlwe_table_sets[];
extern const size_t rlwe_table_set_count;
extern const struct rlwe_security rlwe_table_security[];
extern const size_t rlwe_table_security_count;

#endif
