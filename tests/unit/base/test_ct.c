/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ct.h"

#include <criterion/criterion.h>

#include "base/exec.h"

static const uint64_t edges[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX - 1,
	INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX};
#define EDGES (sizeof edges / sizeof *edges)

Test(ct, masks_say_what_comparisons_say)
{
	for (size_t i = 0; i < EDGES; i++) {
		cr_assert_eq(ct_mask_nonzero(edges[i]), edges[i] ? UINT64_MAX : 0);
		for (size_t j = 0; j < EDGES; j++) {
			if (edges[i] >> 63 || edges[j] >> 63)
				continue;
			cr_assert_eq(ct_mask_less(edges[i], edges[j]), edges[i] < edges[j] ? UINT64_MAX : 0);
			cr_assert_eq(ct_select(UINT64_MAX, edges[i], edges[j]), edges[i]);
			cr_assert_eq(ct_select(0, edges[i], edges[j]), edges[j]);
		}
	}
}

Test(ct, wipe_wipes_just_what_it_is_told)
{
	uint8_t p[5] = {1, 2, 3, 4, 5};

	wipe(p + 1, 3);
	cr_assert_arr_eq(p, ((uint8_t[]){1, 0, 0, 0, 5}), 5);
	wipe(NULL, 0);
}

static void note(void *arg, size_t i)
{
	size_t *next = arg;

	cr_assert_eq(i, *next);
	++*next;
}

Test(exec, serial_runs_each_piece_once_in_order)
{
	struct exec exec = exec_serial();
	size_t next = 0;

	cr_assert_eq(exec.width, 1);
	exec_for(&exec, 100, note, &next);
	cr_assert_eq(next, 100);
	exec_for(&exec, 0, note, &next);
	cr_assert_eq(next, 100);
}
