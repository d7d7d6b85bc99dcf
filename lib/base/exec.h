/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_EXEC_H
#define BASE_EXEC_H

#include <stddef.h>

/** Seam: how independent pieces of work are run. lib/ starts no thread; whoever has threads passes them in.
 */
struct exec {
	/** Calls body(arg, i) once for each i in [0, count), in any order, perhaps at once; returns when all
	 * are done. */
	void (*parallel_for)(void *state, size_t count, void (*body)(void *arg, size_t i), void *arg);
	void *state;
	unsigned width; /* how many run at once at the most; >= 1 */
};

/** One after another, in the caller's thread. */
struct exec exec_serial(void);

static inline void exec_for(
	const struct exec *exec, size_t count, void (*body)(void *arg, size_t i), void *arg)
{
	exec->parallel_for(exec->state, count, body, arg);
}

#endif
