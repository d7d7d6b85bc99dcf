/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/date.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "support/test.h"

#define LAST INT64_C(253402300799) /* of the year 9999 */

static bool read_text(int64_t *seconds, const char *text)
{
	return date_read(seconds, (struct bytes){(const uint8_t *)text, strlen(text)});
}

/* By date -u -d @SECONDS. */
static const struct {
	int64_t seconds;
	const char *text;
} known[] = {
	{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
	{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110 5.6.7 */
	{951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
	{1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"},
	{1709251200, "Fri, 01 Mar 2024 00:00:00 GMT"},
	{INT32_MAX, "Tue, 19 Jan 2038 03:14:07 GMT"},
	{INT64_C(2147483648), "Tue, 19 Jan 2038 03:14:08 GMT"},
	{INT64_C(4107542399), "Sun, 28 Feb 2100 23:59:59 GMT"},
	{INT64_C(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT"},
	{LAST, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

Test(date, known_seconds_are_written_and_read)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char text[DATE_SIZE];
		int64_t seconds = -1;

		date_write(text, known[i].seconds);
		cr_assert_str_eq(text, known[i].text);
		cr_assert(read_text(&seconds, known[i].text), "%s", known[i].text);
		cr_assert_eq(seconds, known[i].seconds);
	}
}

Test(date, any_second_is_read_as_it_was_written)
{
	struct rng rng = test_rng();

	for (int i = 0; i < 20000; i++) {
		int64_t seconds = (int64_t)test_below(&rng, LAST + 1), back = -1;
		char text[DATE_SIZE];

		date_write(text, seconds);
		cr_assert(read_text(&back, text), "%s", text);
		cr_assert_eq(back, seconds, "%s", text);
	}
}

Test(date, another_form_and_a_day_that_there_is_not_are_refused)
{
	static const char *const wrong[] = {
		"",
		"Sunday, 06-Nov-94 08:49:37 GMT", /* RFC 850 */
		"Sun Nov  6 08:49:37 1994", /* asctime */
		"1994-11-06T08:49:37Z",
		"784111777",
		"Mon, 06 Nov 1994 08:49:37 GMT", /* it was a Sunday */
		"sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 NOV 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 gmt",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +00",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun,  6 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun,06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:60 GMT", /* a leap second: no clock here writes one */
		"Sun, 06 Nov 1994 08:49:-1 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Thu, 31 Nov 1994 08:49:37 GMT",
		"Wed, 29 Feb 2023 00:00:00 GMT",
		"Mon, 29 Feb 2100 00:00:00 GMT",
		"Wed, 31 Dec 1969 23:59:59 GMT",
		"Sat, 01 Jan 10000 00:00:00 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMTGMT",
	};
	int64_t seconds;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert(!read_text(&seconds, wrong[i]), "%s", wrong[i]);
}

Test(date, every_cut_and_every_changed_byte_is_refused_or_is_another_second)
{
	static const char good[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	uint8_t text[DATE_SIZE];
	int64_t seconds;

	for (size_t size = 0; size <= DATE_SIZE; size++) {
		memset(text, 0, sizeof text);
		memcpy(text, good, sizeof good);
		cr_assert_eq(date_read(&seconds, (struct bytes){text, size}), size == strlen(good),
			"%zu bytes", size);
	}
	for (size_t i = 0; i < strlen(good); i++)
		for (int c = 0; c < 256; c++) {
			memcpy(text, good, sizeof good);
			text[i] = (uint8_t)c;
			if (c != good[i] && date_read(&seconds, (struct bytes){text, strlen(good)}))
				cr_assert_neq(seconds, 784111777, "byte %d at %zu", c, i);
		}
}
