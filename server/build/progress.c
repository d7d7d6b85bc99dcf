/* SPDX-License-Identifier: Apache-2.0 */
#include "build/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/require.h"

#define QUIET_SECONDS 1.0
#define TERMINAL_SECONDS 0.5
#define FILE_SECONDS 5.0
#define BAR "########################################"
#define BAR_WIDTH 40

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
	p->terminal = isatty(STDERR_FILENO) == 1;
}

static void end_line(struct progress *p)
{
	if (p->open)
		fputs("\n", stderr);
	p->open = false;
}

static void end_phase(struct progress *p)
{
	double now = progress_now();

	if (p->phases)
		p->phase[p->phases - 1].seconds = now - p->started;
	p->started = now;
}

void progress_phase(struct progress *p, const char *name)
{
	end_phase(p);
	REQUIRE(p->phases < PROGRESS_PHASES);
	p->phase[p->phases++].name = name;
}

static void write_left(char *out, size_t room, double seconds)
{
	unsigned long s = (unsigned long)(seconds + 0.5);

	if (s < 100)
		snprintf(out, room, "%lu s", s);
	else
		snprintf(out, room, "%lu min %02lu s", s / 60, s % 60);
}

void progress_step(struct progress *p, uint64_t done, uint64_t total)
{
	double now = progress_now(), part = total ? (double)done / (double)total : 1;
	const char *name = p->phase[p->phases - 1].name;
	char left[40];

	if (now - p->begun < QUIET_SECONDS || part <= 0 ||
		now - p->shown < (p->terminal ? TERMINAL_SECONDS : FILE_SECONDS))
		return;
	p->shown = now;
	write_left(left, sizeof left, (now - p->started) * (1 - part) / part);
	if (p->terminal)
		fprintf(stderr, "\r%-10s [%-*.*s] %3.0f%%, about %s left    ", name, BAR_WIDTH,
			(int)(part * BAR_WIDTH), BAR, 100 * part, left);
	else
		fprintf(stderr, "%s: %.0f%%, about %s left\n", name, 100 * part, left);
	p->open = p->terminal;
}

void progress_say(struct progress *p, const char *format, ...)
{
	va_list args;

	end_line(p);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
}

void progress_end(struct progress *p)
{
	end_phase(p);
	end_line(p);
}
