/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_THREADS_H
#define BUILD_THREADS_H

#include "base/exec.h"

/** Runs pieces on `count` threads, started for each parallel_for; a thread that cannot be started is done
 * without. */
struct exec threads_exec(unsigned *count);

#endif
