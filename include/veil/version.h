/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_VERSION_H
#define VEIL_VERSION_H

#include "veil/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The version of these headers, as the build file has it (a test compares). Before 1.0.0 a new minor version
 * may change the interface; from then on only a new major version may. */
#define VEIL_VERSION_MAJOR 0
#define VEIL_VERSION_MINOR 1
#define VEIL_VERSION_PATCH 0

/** The version of the library that is running, "0.1.0". */
VEIL_EXPORT const char *veil_version(void);

#ifdef __cplusplus
}
#endif
#endif
