/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum veil_status error_set(struct veil_error *err, enum veil_status status, const char *format, ...)
{
	va_list args;

	if (err) {
		va_start(args, format);
		vsnprintf(err->text, sizeof err->text, format, args);
		va_end(args);
	}
	return status;
}

const char *veil_status_name(enum veil_status status)
{
	switch (status) {
	case VEIL_OK:
		return "ok";
	case VEIL_E_NOMEM:
		return "out of memory";
	case VEIL_E_IO:
		return "input/output error";
	case VEIL_E_INVALID:
		return "invalid argument";
	case VEIL_E_MALFORMED:
		return "malformed message";
	case VEIL_E_CORRUPT:
		return "corrupt data";
	case VEIL_E_VERSION:
		return "unknown version";
	case VEIL_E_NOT_FOUND:
		return "not found";
	case VEIL_E_BUSY:
		return "server busy";
	case VEIL_E_TIMEOUT:
		return "timed out";
	case VEIL_E_NETWORK:
		return "network error";
	case VEIL_E_UNSUPPORTED:
		return "unsupported";
	}
	return "unknown status";
}
