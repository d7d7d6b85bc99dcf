/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/printable.h"

#include <criterion/criterion.h>
#include <string.h>

Test(printable, what_is_printable_stays_and_each_other_byte_becomes_a_question_mark)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"plain", "plain"},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\x1b[31mred\n", "?[31mred?"},
		{"a\xc2\x9b"
		 "b",
			"a??b"}, /* C1: a control sequence introducer */
		{"cut \xe2\x82", "cut ??"},
		{"\xff\xc0\xaf\xed\xa0\x80", "??????"},
		{"\x7f", "?"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[64];

		memcpy(text, cases[i][0], strlen(cases[i][0]) + 1);
		printable_make(text);
		cr_assert_str_eq(text, cases[i][1], "case %zu", i);
	}
}
