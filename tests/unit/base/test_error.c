/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/require.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(error, a_failure_is_one_line)
{
	struct veil_error err;

	cr_assert_eq(error_set(&err, VEIL_E_IO, "%s: row %d", "file", 7), VEIL_E_IO);
	cr_assert_str_eq(err.text, "file: row 7");
	cr_assert_eq(error_set(NULL, VEIL_E_INVALID, "nobody reads this"), VEIL_E_INVALID);
}

Test(error, a_long_sentence_is_cut_and_ends)
{
	struct veil_error err;
	char text[2 * sizeof err.text];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	error_set(&err, VEIL_E_IO, "%s", text);
	cr_assert_eq(strlen(err.text), sizeof err.text - 1);
}

Test(error, every_status_has_its_own_name)
{
	const char *unknown = veil_status_name((enum veil_status)1000);

	for (int a = VEIL_OK; a <= VEIL_E_UNSUPPORTED; a++) {
		cr_assert_str_neq(veil_status_name((enum veil_status)a), unknown);
		for (int b = VEIL_OK; b < a; b++)
			cr_assert_str_neq(
				veil_status_name((enum veil_status)a), veil_status_name((enum veil_status)b));
	}
	cr_assert_str_eq(veil_status_name((enum veil_status)(VEIL_E_UNSUPPORTED + 1)), unknown);
}

Test(error, a_precondition_that_holds_does_nothing)
{
	int calls = 0;

	REQUIRE(++calls == 1);
	cr_assert_eq(calls, 1);
}

Test(error, a_broken_precondition_aborts, .signal = SIGABRT)
{
	REQUIRE(1 + 1 == 3);
}
