/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTIME_LEAK_H
#define CTIME_LEAK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/ct.h"

/** With the argument "leak" a branch on a secret, which the checker must find; true then. */
static inline bool leak_planted(int argc, char **argv)
{
	int secret = argc;

	if (argc < 2 || strcmp(argv[1], "leak") != 0)
		return false;
	ct_poison(&secret, sizeof secret);
	if (secret == 2)
		puts("two");
	else
		fputs("other\n", stderr);
	return true;
}

#endif
