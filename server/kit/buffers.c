/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/buffers.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/require.h"
#include "kit/locked.h"

/* In front of every buffer; 64 bytes, so that the buffer behind it is aligned. */
struct header {
	struct buffers *owner;
	struct header *next;
	size_t size; /* of header and buffer */
} __attribute__((aligned(64)));

struct buffers {
	pthread_mutex_t lock; /* guards all below but limit */
	struct header *idle;
	size_t held; /* bytes, idle or taken */
	size_t taken; /* buffers */
	size_t limit; /* bytes */
};

enum veil_status buffers_create(struct buffers **out, size_t limit_bytes)
{
	struct buffers *b = calloc(1, sizeof *b);

	*out = b;
	if (!b)
		return VEIL_E_NOMEM;
	pthread_mutex_init(&b->lock, NULL);
	b->limit = limit_bytes;
	return VEIL_OK;
}

/* The lock is held. */
static void free_first(struct buffers *b)
{
	struct header *h = b->idle;

	b->idle = h->next;
	b->held -= h->size;
	free(h);
}

void buffers_destroy(struct buffers *b)
{
	if (!b)
		return;
	REQUIRE(b->taken == 0);
	while (b->idle)
		free_first(b);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* The lock is held. All idle buffers are of one size but for the moments after a change. */
static struct header *take(struct buffers *b, size_t size)
{
	struct header *h;

	while (b->idle && b->idle->size != size)
		free_first(b);
	h = b->idle;
	if (h) {
		b->idle = h->next;
		return h;
	}
	if (b->held > 0 && (size > b->limit || b->held > b->limit - size))
		return NULL;
	h = aligned_alloc(64, size);
	if (!h)
		return NULL;
	b->held += size;
	h->owner = b;
	h->size = size;
	return h;
}

void *buffers_take(struct buffers *b, size_t bytes)
{
	struct header *h;

	pthread_mutex_lock(&b->lock);
	h = take(b, sizeof *h + ((bytes + 63) & ~(size_t)63));
	b->taken += h != NULL;
	pthread_mutex_unlock(&b->lock);
	return h ? h + 1 : NULL;
}

void buffers_give(void *buffer)
{
	struct header *h = buffer;
	struct buffers *b;

	if (!buffer)
		return;
	h--;
	b = h->owner;
	pthread_mutex_lock(&b->lock);
	h->next = b->idle;
	b->idle = h;
	b->taken--;
	pthread_mutex_unlock(&b->lock);
}

size_t buffers_held_bytes(struct buffers *b)
{
	return locked_read(&b->lock, &b->held);
}
