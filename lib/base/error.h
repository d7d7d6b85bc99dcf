/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "veil/status.h"

/** Format one sentence into `err` (NULL is fine) and return `status`, so that a failure is one line:
 * `return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));` */
enum veil_status error_set(struct veil_error *err, enum veil_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
