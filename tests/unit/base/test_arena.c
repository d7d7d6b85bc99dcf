/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "support/test.h"

static struct arena make(size_t size, int secret)
{
	struct arena arena;

	cr_assert_eq(secret ? arena_init_secret(&arena, size) : arena_init(&arena, size), VEIL_OK);
	return arena;
}

static int all_zero(const uint8_t *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i])
			return 0;
	return 1;
}

Test(arena, pieces_are_aligned_apart_and_inside)
{
	struct rng rng = test_rng();

	for (int secret = 0; secret < 2; secret++) {
		for (int round = 0; round < 50; round++) {
			struct arena arena = make(1 + test_below(&rng, 100000), secret);
			uint8_t *end = arena.base;

			for (;;) {
				size_t size = test_below(&rng, 3000);
				uint8_t *p;

				if (arena_room(size) > arena.size - arena.used)
					break;
				p = arena_take(&arena, size);
				cr_assert_eq((uintptr_t)p % 64, 0);
				cr_assert_geq(p, end);
				end = p + size;
				cr_assert_leq(end, arena.base + arena.size);
				memset(p, 0xff, size);
			}
			cr_assert_eq(arena.peak, arena.used);
			arena_clear(&arena);
			cr_assert_null(arena.base);
		}
	}
}

Test(arena, room_is_what_a_piece_uses)
{
	struct arena arena = make(1000, 0);

	for (size_t size = 0; size < 130; size++) {
		size_t mark = arena_mark(&arena);

		arena_take(&arena, size);
		cr_assert_eq(arena_mark(&arena) - mark, arena_room(size));
		arena_release(&arena, mark);
	}
	cr_assert_eq(arena.used, 0);
	cr_assert_eq(arena.peak, arena_room(129));
	arena_clear(&arena);
}

Test(arena, secrets_are_wiped_when_given_back)
{
	struct arena arena = make(4096, 1);
	uint8_t *kept = arena_take(&arena, 100), *gone;
	size_t mark = arena_mark(&arena);

	memset(kept, 0xaa, 100);
	gone = arena_take(&arena, 1000);
	memset(gone, 0xbb, 1000);
	arena_release(&arena, mark);
	cr_assert(all_zero(gone, 1000));
	cr_assert_eq(kept[99], 0xaa);
	arena_reset(&arena);
	cr_assert(all_zero(kept, 100));
	arena_clear(&arena);
}

/* Is `flag` among the VmFlags of the mapping around p? */
static int has_flag(const void *p, const char *flag)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	uintptr_t from, to, at = (uintptr_t)p;
	int inside = 0, found = 0;
	char line[1024];

	cr_assert_not_null(maps);
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			inside = from <= at && at < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(maps);
	return found;
}

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#define ASAN __has_feature(address_sanitizer)
#else
#define ASAN 0
#endif

Test(arena, secrets_stay_out_of_core_dumps_and_swap)
{
	struct arena open = make(100000, 0), secret = make(16384, 1);
	struct rlimit locked;

	cr_assert(has_flag(secret.base, " dd"));
	cr_assert(!has_flag(open.base, " dd"));
	getrlimit(RLIMIT_MEMLOCK, &locked);
	if (locked.rlim_cur >= 65536 && !ASAN) /* which makes mlock do nothing */
		cr_assert(has_flag(secret.base, " lo"));
	arena_clear(&secret);
	arena_clear(&open);
}

Test(arena, clearing_nothing_is_fine)
{
	struct arena zero = {0};

	arena_clear(NULL);
	arena_clear(&zero);
}

Test(arena, an_absurd_size_is_refused)
{
	struct arena arena;

	cr_assert_eq(arena_init(&arena, SIZE_MAX - 5), VEIL_E_NOMEM);
	cr_assert_eq(arena_init_secret(&arena, SIZE_MAX / 2), VEIL_E_NOMEM);
	cr_assert_null(arena.base);
}

Test(arena, running_out_aborts, .signal = SIGABRT)
{
	struct arena arena = make(128, 0);

	arena_take(&arena, 64);
	arena_take(&arena, 65);
}

Test(arena, a_size_that_wraps_aborts, .signal = SIGABRT)
{
	struct arena arena = make(128, 0);

	arena_take(&arena, SIZE_MAX);
}

Test(arena, a_secret_has_a_guard_behind_it, .signal = SIGSEGV)
{
	struct arena arena = make(4096, 1);
	volatile uint8_t *p = arena_take(&arena, 4096);

	p[4096] = 1;
}
