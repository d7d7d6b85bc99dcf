/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/lifecycle.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/require.h"
#include "kit/log.h"

#define OTHER_FILES 256 /* admin connections, those on their way out, files, other sockets */

static sigset_t signals(bool hangup)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (hangup)
		sigaddset(&set, SIGHUP);
	return set;
}

void lifecycle_start(void)
{
	sigset_t set = signals(true);
	struct rlimit files;

	REQUIRE(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

unsigned lifecycle_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > UINT_MAX)
		return UINT_MAX;
	return (unsigned)files.rlim_cur;
}

enum veil_status lifecycle_connections(unsigned *out, unsigned asked, struct veil_error *err)
{
	unsigned files = lifecycle_files();

	*out = asked;
	if (files <= OTHER_FILES)
		return error_set(err, VEIL_E_INVALID,
			"only %u files may be open, %u are needed at least; raise the limit (ulimit -n, "
			"LimitNOFILE)",
			files, OTHER_FILES + 1);
	if (asked > files - OTHER_FILES) {
		*out = files - OTHER_FILES;
		log_warn("only %u files may be open: %u connections at once, not %u", files, *out, asked);
	}
	return VEIL_OK;
}

int lifecycle_wait(unsigned ms)
{
	sigset_t set = signals(true);
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	int signal_number = sigtimedwait(&set, NULL, &t);

	return signal_number < 0 ? 0 : signal_number;
}

bool lifecycle_stopping(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

void lifecycle_pause(unsigned ms)
{
	sigset_t set = signals(false);
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (sigtimedwait(&set, NULL, &t) < 0 && errno == EINTR)
		;
}

enum veil_status lifecycle_write_file(const char *path, const char *text, struct veil_error *err)
{
	char aside[1024];
	FILE *f;

	if ((size_t)snprintf(aside, sizeof aside, "%s.tmp", path) >= sizeof aside)
		return error_set(err, VEIL_E_INVALID, "%s: the path is too long", path);
	f = fopen(aside, "we");
	if (!f)
		return error_set(err, VEIL_E_IO, "%s: %s", aside, strerror(errno));
	if (fputs(text, f) < 0 || fclose(f) != 0 || rename(aside, path) != 0)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	return VEIL_OK;
}
