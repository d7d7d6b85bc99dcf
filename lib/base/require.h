/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_REQUIRE_H
#define BASE_REQUIRE_H

/** A precondition of our own code: kept in release builds, aborts with file and line when broken. */
#define REQUIRE(cond) ((cond) ? (void)0 : require_failed(#cond, __FILE__, __LINE__))

_Noreturn void require_failed(const char *condition, const char *file, int line);

#endif
