/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Not strftime, which writes the language of the program that uses the library. */
static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void date_write(char out[DATE_SIZE], int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
		months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Written back, to be sure. */
bool date_read(int64_t *seconds, struct bytes value)
{
	char given[DATE_SIZE] = {0}, again[DATE_SIZE], month[4] = "";
	struct tm tm = {.tm_mon = -1};

	if (value.size == 0 || value.size >= sizeof given)
		return false;
	memcpy(given, value.data, value.size);
	if (sscanf(given, "%*3[A-Za-z], %2d %3s %4d %2d:%2d:%2d GMT", &tm.tm_mday, month, &tm.tm_year,
		    &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return false;
	for (int i = 0; i < 12; i++)
		if (strcmp(month, months[i]) == 0)
			tm.tm_mon = i;
	if (tm.tm_mon < 0 || tm.tm_year < 1970)
		return false;
	tm.tm_year -= 1900;
	*seconds = timegm(&tm);
	date_write(again, *seconds);
	return strlen(again) == value.size && memcmp(given, again, value.size) == 0;
}
