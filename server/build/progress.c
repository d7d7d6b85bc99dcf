/* SPDX-License-Identifier: Apache-2.0 */
#include "build/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_SECONDS 1.0
#define TERMINAL_SECONDS 0.5
#define FILE_SECONDS 10.0

double progress_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_begin(struct progress *p)
{
	memset(p, 0, sizeof *p);
	p->begun = p->shown = progress_now();
	p->terminal = isatty(STDERR_FILENO);
	progress_phase(p, "starting");
}

void progress_phase(struct progress *p, const char *phase)
{
	p->phase = phase;
	p->started = progress_now();
}

void progress_step(struct progress *p, uint64_t done, uint64_t total)
{
	double now = progress_now(), spent = now - p->started;

	if (now - p->begun < QUIET_SECONDS ||
		now - p->shown < (p->terminal ? TERMINAL_SECONDS : FILE_SECONDS))
		return;
	p->shown = now;
	fprintf(stderr, "%s%s: %.0f%%, about %.0f s left%s", p->terminal ? "\r" : "", p->phase,
		100.0 * (double)done / (double)total,
		done ? spent * (double)(total - done) / (double)done : 0, p->terminal ? "   " : "\n");
	p->open = p->terminal;
}

void progress_end(struct progress *p)
{
	if (p->open)
		fputs("\n", stderr);
	p->open = 0;
}
