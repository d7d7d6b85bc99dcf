/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/buffers.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/require.h"

/* In front of every buffer; 64 bytes, so that the buffer behind it is aligned. */
struct header {
	struct buffers *owner;
	struct header *next;
} __attribute__((aligned(64)));

struct buffers {
	pthread_mutex_t lock; /* guards idle, made, taken */
	struct header *idle;
	size_t made;
	size_t taken;
	size_t limit; /* buffers */
	size_t size; /* of one, without its header */
};

enum veil_status buffers_create(struct buffers **out, size_t buffer_bytes, size_t limit_bytes)
{
	struct buffers *b = calloc(1, sizeof *b);

	*out = b;
	if (!b)
		return VEIL_E_NOMEM;
	pthread_mutex_init(&b->lock, NULL);
	b->size = (buffer_bytes + 63) & ~(size_t)63;
	b->limit = limit_bytes / (b->size + sizeof(struct header));
	if (b->limit == 0)
		b->limit = 1;
	return VEIL_OK;
}

void buffers_destroy(struct buffers *b)
{
	if (!b)
		return;
	REQUIRE(b->taken == 0);
	while (b->idle) {
		struct header *h = b->idle;

		b->idle = h->next;
		free(h);
	}
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void *buffers_take(struct buffers *b)
{
	struct header *h;

	pthread_mutex_lock(&b->lock);
	h = b->idle;
	if (h) {
		b->idle = h->next;
	} else if (b->made < b->limit) {
		h = aligned_alloc(64, sizeof *h + b->size);
		b->made += h != NULL;
	}
	b->taken += h != NULL;
	pthread_mutex_unlock(&b->lock);
	if (!h)
		return NULL;
	h->owner = b;
	return h + 1;
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

size_t buffers_size(const struct buffers *b)
{
	return b->size;
}

size_t buffers_held_bytes(struct buffers *b)
{
	size_t made;

	pthread_mutex_lock(&b->lock);
	made = b->made;
	pthread_mutex_unlock(&b->lock);
	return made * (b->size + sizeof(struct header));
}
