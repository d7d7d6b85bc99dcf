/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/version.h"

const char *veil_version(void)
{
	return VEIL_BUILD_VERSION; /* from the top meson.build */
}
