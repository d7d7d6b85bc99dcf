/* SPDX-License-Identifier: Apache-2.0 */
#include "base/require.h"

#include <stdio.h>
#include <stdlib.h>

void require_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: broken precondition: %s\n", file, line, condition);
	abort();
}
