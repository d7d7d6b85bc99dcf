/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TEST_H
#define SUPPORT_TEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/** The seed of a random test: VEIL_TEST_SEED (decimal or 0x...) or fresh; printed to stderr, so that a
 * failure can be repeated. */
uint64_t test_seed(void);

/** A generator from test_seed(). The state is static: one per test process. */
struct rng test_rng(void);

/** Uniform below `bound` (> 0). */
uint64_t test_below(const struct rng *rng, uint64_t bound);
/** A residue that loves edges: 0, 1, q-1, q/2 and powers of two often, else uniform. */
uint64_t test_residue(const struct rng *rng, uint64_t q);
/** Standard normal. */
double test_normal(const struct rng *rng);

/** An absolute path below the source tree, in a static buffer. */
const char *test_source_path(const char *relative);
/** A fresh empty directory that is removed when the process ends. */
const char *test_tmpdir(void);
/** The path of a file in it, in one of four static buffers that take turns. */
const char *test_file(const char *name);
/** Writes that file and gives it the mode. */
void test_file_write(const char *name, const void *data, size_t size, unsigned mode);

#endif
