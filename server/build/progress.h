/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_PROGRESS_H
#define BUILD_PROGRESS_H

#include <stdint.h>

/** Tells on stderr how far long work is: nothing in the first second, then twice a second on a terminal (one
 * line that is written over) or every ten seconds (a line each). */
struct progress {
	const char *phase;
	double begun; /* the whole */
	double started; /* this phase */
	double shown;
	int terminal;
	int open; /* a line of the terminal is unfinished */
};

/** Seconds of a clock that never goes back. */
double progress_now(void);

void progress_begin(struct progress *p);
void progress_phase(struct progress *p, const char *phase);
void progress_step(struct progress *p, uint64_t done, uint64_t total);
void progress_end(struct progress *p);

#endif
