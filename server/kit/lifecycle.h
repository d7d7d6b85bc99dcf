/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_LIFECYCLE_H
#define KIT_LIFECYCLE_H

#include <stdbool.h>

#include "veil/status.h"

/* A daemon's signals and limits. Signals are waited for, never handled: there is no code that runs inside
 * another. */

/** Before any thread starts: blocks SIGTERM, SIGINT, SIGHUP in all of them, ignores SIGPIPE, raises the limit
 * of open files to the most that is allowed, and keeps memory out of core dumps. */
void lifecycle_start(void);

/** How many files may be open. */
unsigned lifecycle_files(void);

/** How many connections there may be, of those asked for: fewer, with a warning, if too few files may be
 * open. A connection that found no file left would wait until another ends; those that the HTTP server knows
 * make way. VEIL_E_INVALID if none may be. */
enum veil_status lifecycle_connections(unsigned *out, unsigned asked, struct veil_error *err) VEIL_MUST_CHECK;

/** Waits for one of the three signals and returns it; 0 if none came in time. */
int lifecycle_wait(unsigned ms);

/** SIGTERM or SIGINT has come and nobody has waited for it yet: what takes long is to be broken off. Any
 * thread. */
bool lifecycle_stopping(void);

/** Sleeps, but not on when SIGTERM or SIGINT comes. */
void lifecycle_pause(unsigned ms);

/** Writes text to a file that appears whole or not at all. VEIL_E_IO names it. */
enum veil_status lifecycle_write_file(
	const char *path, const char *text, struct veil_error *err) VEIL_MUST_CHECK;

#endif
