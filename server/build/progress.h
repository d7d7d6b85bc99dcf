/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_PROGRESS_H
#define BUILD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_PHASES 8

/** Tells on stderr how far long work is: nothing in the first second, then on a terminal a bar that is drawn
 * over twice a second, else a line every five seconds. The time left is that of the phase. */
struct progress {
	struct {
		const char *name;
		double seconds;
	} phase[PROGRESS_PHASES];
	unsigned phases;
	double begun; /* the whole */
	double started; /* this phase */
	double shown;
	bool terminal;
	bool open; /* a line of the terminal is unfinished */
};

/** Seconds of a clock that never goes back. */
double progress_now(void);

void progress_begin(struct progress *p);
/** Ends the phase before. */
void progress_phase(struct progress *p, const char *name);
void progress_step(struct progress *p, uint64_t done, uint64_t total);
/** One sentence about what the work does, now. */
void progress_say(struct progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Ends the last phase. */
void progress_end(struct progress *p);

#endif
