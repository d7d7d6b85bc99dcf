/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)

static size_t whole_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

void *pages_map(size_t bytes)
{
	size_t size = whole_pages(bytes), before, after;
	uint8_t *block;

	if (size < bytes || size > SIZE_MAX - HUGE_PAGE)
		return NULL;
	block = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return NULL;
	before = (HUGE_PAGE - (uintptr_t)block % HUGE_PAGE) % HUGE_PAGE;
	after = HUGE_PAGE - before;
	if (before > 0)
		munmap(block, before);
	munmap(block + before + size, after);
	madvise(block + before, size, MADV_HUGEPAGE); /* fine if refused */
	return block + before;
}

void pages_unmap(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, whole_pages(bytes));
}

void pages_forget(const void *memory, size_t bytes)
{
	size_t offset = (uintptr_t)memory % (size_t)sysconf(_SC_PAGESIZE);

	if (bytes > 0)
		madvise((void *)((uintptr_t)memory - offset), bytes + offset, MADV_DONTNEED);
}
