/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OHTTP_DATE_H
#define OHTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* The Date field inside of a request (RFC 9458 6.5.2), in the one form that is written: RFC 9110 5.6.7. */

#define DATE_SIZE 32

/** Seconds since 1970 as "Sun, 06 Nov 1994 08:49:37 GMT". */
void date_write(char out[DATE_SIZE], int64_t seconds);
/** False for another form, another case, a day that there is not. */
bool date_read(int64_t *seconds, struct bytes value);

#endif
