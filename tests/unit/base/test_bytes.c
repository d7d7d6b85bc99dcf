/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "support/test.h"

Test(bytes, numbers_are_little_endian)
{
	static const uint8_t want[] = {
		0xab, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0x80, 0x3f};
	uint8_t got[sizeof want];
	struct writer w;
	struct reader r;

	writer_init(&w, got, sizeof got);
	writer_u8(&w, 0xab);
	writer_u16(&w, 0x1234);
	writer_u32(&w, 0x12345678);
	writer_u64(&w, 0x0102030405060708);
	writer_f32(&w, 1.0f);
	cr_assert_eq(w.at, sizeof want);
	cr_assert_arr_eq(got, want, sizeof want);

	reader_init(&r, got, sizeof got);
	cr_assert_eq(reader_u8(&r), 0xab);
	cr_assert_eq(reader_u16(&r), 0x1234);
	cr_assert_eq(reader_u32(&r), 0x12345678);
	cr_assert_eq(reader_u64(&r), 0x0102030405060708);
	cr_assert(!reader_done(&r));
	cr_assert_eq(reader_left(&r), 4);
	cr_assert_eq(reader_f32(&r), 1.0f);
	cr_assert(reader_done(&r));
}

Test(bytes, a_short_message_reads_as_zeros_and_fails_for_good)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7};

	for (size_t size = 0; size <= sizeof data; size++) {
		uint8_t rest[4] = {9, 9, 9, 9};
		struct reader r;

		reader_init(&r, data, size);
		cr_assert_eq(reader_u32(&r), size < 4 ? 0 : 0x04030201);
		reader_bytes(&r, rest, sizeof rest);
		cr_assert_arr_eq(rest, ((uint8_t[4]){0}), sizeof rest);
		cr_assert_null(reader_view(&r, 0), "a failed reader stays failed");
		cr_assert_eq(reader_u8(&r), 0);
		cr_assert(!reader_done(&r));
	}
}

Test(bytes, a_view_points_into_the_message)
{
	static const uint8_t data[] = {1, 2, 3};
	struct reader r;

	reader_init(&r, data, sizeof data);
	cr_assert_eq(reader_u8(&r), 1);
	cr_assert_eq(reader_view(&r, 2), data + 1);
	cr_assert(reader_done(&r));
	cr_assert_null(reader_view(&r, 1));
	cr_assert(!reader_done(&r));
}

Test(bytes, no_size_wraps_around)
{
	uint8_t data[4] = {0};
	struct reader r;

	reader_init(&r, data, sizeof data);
	reader_u8(&r);
	cr_assert_null(reader_view(&r, SIZE_MAX));
	cr_assert(r.failed);
}

Test(bytes, loads_undo_stores_at_any_alignment)
{
	struct rng rng = test_rng();

	for (int i = 0; i < 1000; i++) {
		uint8_t room[16];
		size_t at = test_below(&rng, 8);
		uint64_t x;

		rng_fill(&rng, &x, sizeof x);
		store_le64(room + at, x);
		cr_assert_eq(load_le64(room + at), x);
		cr_assert_eq(room[at], (uint8_t)x);
		store_le32(room + at, (uint32_t)x);
		cr_assert_eq(load_le32(room + at), (uint32_t)x);
	}
}

Test(bytes, writing_past_the_end_aborts, .signal = SIGABRT)
{
	uint8_t room[8];
	struct writer w;

	writer_init(&w, room, 7);
	writer_u64(&w, 1);
}

Test(bytes, hexadecimal_digits_are_lower_case_and_all_there)
{
	static const char good[] = "00ff19af";
	uint8_t out[5] = {0, 0, 0, 0, 77};
	char text[sizeof good];

	cr_assert(bytes_from_hex(out, 4, good));
	cr_assert(out[0] == 0 && out[1] == 0xff && out[2] == 0x19 && out[3] == 0xaf && out[4] == 77);
	for (size_t i = 0; i < sizeof good - 1; i++)
		for (int c = 0; c < 256; c++) {
			memcpy(text, good, sizeof good);
			text[i] = (char)c;
			cr_assert_eq(bytes_from_hex(out, 4, text), c && strchr("0123456789abcdef", c) != NULL,
				"character %d at %zu", c, i);
		}
	cr_assert_eq(out[4], 77);
}
