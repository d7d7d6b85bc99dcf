/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/buffers.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(buffers, never_hold_more_than_their_limit_and_use_what_was_given_back)
{
	struct buffers *b = NULL;
	void *taken[4];

	cr_assert(buffers_create(&b, 3 * (1000 + 24 + 64)) == VEIL_OK);
	for (int i = 0; i < 3; i++) {
		taken[i] = buffers_take(b, 1000);
		cr_assert(taken[i] && (uintptr_t)taken[i] % 64 == 0);
		memset(taken[i], i, 1000);
	}
	cr_assert_null(buffers_take(b, 1000));
	cr_assert_eq(buffers_held_bytes(b), 3u * (1024 + 64));
	buffers_give(taken[1]);
	cr_assert_eq(buffers_take(b, 1000), taken[1]);
	for (int i = 0; i < 3; i++)
		buffers_give(taken[i]);
	cr_assert_eq(buffers_held_bytes(b), 3u * (1024 + 64));
	buffers_give(NULL);
	buffers_destroy(b);
	buffers_destroy(NULL);
}

Test(buffers, change_their_size_within_the_limit)
{
	struct buffers *b = NULL;
	void *large, *small[8];
	int n = 0;

	cr_assert(buffers_create(&b, 8 * 128) == VEIL_OK);
	while (n < 8 && (small[n] = buffers_take(b, 64)))
		n++;
	cr_assert_eq(n, 8);
	cr_assert_null(buffers_take(b, 448));
	for (int i = 0; i < 8; i++)
		buffers_give(small[i]);
	large = buffers_take(b, 448); /* in place of the small ones */
	cr_assert_not_null(large);
	memset(large, 1, 448);
	cr_assert_eq(buffers_held_bytes(b), 512u);
	cr_assert_not_null(small[0] = buffers_take(b, 64));
	cr_assert_eq(buffers_held_bytes(b), 640u);
	buffers_give(large);
	cr_assert_not_null(small[1] = buffers_take(b, 64));
	cr_assert_eq(buffers_held_bytes(b), 256u);
	buffers_give(small[0]);
	buffers_give(small[1]);
	buffers_destroy(b);
}

Test(buffers, give_one_buffer_however_small_the_limit)
{
	struct buffers *b = NULL;
	void *one;

	cr_assert(buffers_create(&b, 1) == VEIL_OK);
	one = buffers_take(b, 100000);
	cr_assert_not_null(one);
	cr_assert_null(buffers_take(b, 1));
	buffers_give(one);
	one = buffers_take(b, 1);
	cr_assert_not_null(one);
	buffers_give(one);
	buffers_destroy(b);
}
