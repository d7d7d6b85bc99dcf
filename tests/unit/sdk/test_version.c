/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/version.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(version, the_headers_name_the_version_of_the_build)
{
	char text[32];

	snprintf(text, sizeof text, "%d.%d.%d", VEIL_VERSION_MAJOR, VEIL_VERSION_MINOR, VEIL_VERSION_PATCH);
	cr_assert_str_eq(veil_version(), text);
}
