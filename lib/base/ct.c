/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ct.h"

#include <sodium.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define UNDER_MSAN 1
#endif
#endif

#if defined(UNDER_MSAN)
#include <sanitizer/msan_interface.h>
#elif defined(HAVE_VALGRIND)
#include <valgrind/memcheck.h>
#endif

void ct_poison(const void *p, size_t size)
{
#if defined(UNDER_MSAN)
	__msan_poison(p, size);
#elif defined(HAVE_VALGRIND)
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, size);
#else
	(void)p, (void)size;
#endif
}

void ct_unpoison(const void *p, size_t size)
{
#if defined(UNDER_MSAN)
	__msan_unpoison(p, size);
#elif defined(HAVE_VALGRIND)
	(void)VALGRIND_MAKE_MEM_DEFINED(p, size);
#else
	(void)p, (void)size;
#endif
}

void wipe(void *p, size_t size)
{
	if (size)
		sodium_memzero(p, size);
}
