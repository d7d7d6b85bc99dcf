/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_exit_of(enum veil_status status)
{
	switch (status) {
	case VEIL_E_NETWORK:
	case VEIL_E_TIMEOUT:
	case VEIL_E_BUSY:
		return CLI_SERVER;
	case VEIL_E_MALFORMED:
	case VEIL_E_NOT_FOUND: /* only a server's 404 is that: a missing file is VEIL_E_IO */
	case VEIL_E_VERSION:
	case VEIL_E_CORRUPT:
		return CLI_REPLY;
	default:
		return CLI_INPUT;
	}
}

int cli_fail(enum veil_status status, const struct veil_error *err)
{
	fprintf(stderr, "veil: %s\n", err->text[0] ? err->text : veil_status_name(status));
	return cli_exit_of(status);
}

int cli_misuse(const char *format, ...)
{
	va_list args;

	fputs("veil: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("; see veil --help\n", stderr);
	return CLI_USAGE;
}

int cli_number(const char *text, uint32_t low, uint32_t high, uint32_t *value)
{
	unsigned long long x;

	if (*text == 0 || strspn(text, "0123456789") != strlen(text))
		return 0;
	errno = 0;
	x = strtoull(text, NULL, 10);
	if (errno || x < low || x > high)
		return 0;
	*value = (uint32_t)x;
	return 1;
}

int cli_take_number(const struct cli_numbered *list, size_t count, int option, const char *argument)
{
	for (const struct cli_numbered *n = list; n < list + count; n++)
		if (option == n->option && !cli_number(argument, n->low, n->high, n->value))
			return cli_misuse(
				"--%s %s: not a number from %u to %u", n->name, argument, n->low, n->high);
	return CLI_OK;
}

int cli_finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CLI_OK;
	fprintf(stderr, "veil: the output could not all be written: %s\n", strerror(errno));
	return CLI_INPUT;
}
