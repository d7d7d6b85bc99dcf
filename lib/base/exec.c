/* SPDX-License-Identifier: Apache-2.0 */
#include "base/exec.h"

static void run_serial(void *state, size_t count, void (*body)(void *arg, size_t i), void *arg)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		body(arg, i);
}

struct exec exec_serial(void)
{
	return (struct exec){.parallel_for = run_serial, .width = 1};
}
