/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static atomic_int threshold = LOG_LEVEL_INFO;

int log_level_from_name(const char *name)
{
	for (int i = 0; i <= LOG_LEVEL_DEBUG; i++)
		if (strcmp(name, level_names[i]) == 0)
			return i;
	return -1;
}

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[1024];
	struct timespec now;
	struct tm tm;
	va_list args;
	size_t at;
	int n;

	if ((int)level > atomic_load(&threshold))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	at = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &tm);
	at += (size_t)snprintf(
		line + at, sizeof line - at, ".%03dZ %s ", (int)(now.tv_nsec / 1000000), level_names[level]);
	va_start(args, format);
	n = vsnprintf(line + at, sizeof line - at - 1, format, args);
	va_end(args);
	at += n < 0 ? 0 : (size_t)n;
	if (at > sizeof line - 2)
		at = sizeof line - 2;
	line[at++] = '\n';
	/* A log that cannot be written is no reason to stop serving. */
	if (write(STDERR_FILENO, line, at) < 0)
		return;
}
