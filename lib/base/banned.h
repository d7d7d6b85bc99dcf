/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* Forced into every file of the project by the top meson.build (-include), so that nobody can forget it:
 * functions that overflow buffers, ignore errors, share hidden state or give weak randomness do not compile.
 * Their headers come first: a poisoned name may not appear any more, not even in a declaration. */

/* Third-party headers have members and parameters of these names, so it is their call that is refused. */
int rand(void) __attribute__((error("use base/rng.h")));
long random(void) __attribute__((error("use base/rng.h")));

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The C library may define these as macros. */
#undef sprintf
#undef vsprintf
#undef alloca
#undef strdupa
#undef strndupa

#pragma GCC poison strcpy strncpy strcat strncat stpcpy sprintf vsprintf gets
#pragma GCC poison strtok atoi atol atoll atof
#pragma GCC poison srand srandom drand48 tmpnam tempnam mktemp
#pragma GCC poison asctime ctime gmtime localtime
#pragma GCC poison alloca strdupa strndupa

#endif
