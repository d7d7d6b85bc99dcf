/* SPDX-License-Identifier: Apache-2.0 */
#include "index/label.h"

#include <criterion/criterion.h>
#include <string.h>

Test(label, the_name_is_cut_at_a_character_and_padded)
{
	static const char name[] = "a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80z"; /* 1 2 3 4 1 bytes */
	static const size_t want[] = {
		0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11};

	for (uint32_t bytes = 4; bytes <= INDEX_MAX_LABEL_BYTES; bytes++) {
		uint8_t label[INDEX_MAX_LABEL_BYTES + 1];
		char back[INDEX_MAX_LABEL_BYTES + 1];

		memset(label, 0xaa, sizeof label);
		index_label_write(label, bytes, 0x04030201, name);
		cr_assert_eq(memcmp(label, "\1\2\3\4", 4), 0);
		cr_assert_eq(label[bytes], 0xaa);
		cr_assert_eq(index_label_record(label), 0x04030201);
		index_label_name(label, bytes, back);
		cr_assert_eq(strlen(back), want[bytes - 4], "%u", bytes);
		cr_assert_eq(memcmp(back, name, strlen(back)), 0);
		for (size_t i = 4 + strlen(back); i < bytes; i++)
			cr_assert_eq(label[i], 0);
	}
}

Test(label, only_known_sizes_are_allowed)
{
	for (uint32_t n = 0; n < 40; n++)
		cr_assert_eq(index_label_bytes_ok(n), n == 0 || (n >= 4 && n <= 24));
}

Test(label, text_is_valid_only_as_utf8_without_controls)
{
	static const char *const good[] = {"", "plain ~", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x1f", "\x7f", "\t", "\n", "\x80", "\xc0\x80", "\xc1\xbf", "\xc2",
		"\xc2\x41", "\xc2\x80", "\xc2\x9f", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe4\xb8",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x9f\x98", "\xff"};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		cr_assert(index_text_valid(good[i], strlen(good[i])), "%zu", i);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert(!index_text_valid(bad[i], strlen(bad[i])), "%zu", i);
	cr_assert(!index_text_valid("a\0b", 3));
}
