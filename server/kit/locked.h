/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_LOCKED_H
#define KIT_LOCKED_H

#include <pthread.h>
#include <stddef.h>

/** A number that `lock` guards, as it is now: for metrics. */
static inline size_t locked_read(pthread_mutex_t *lock, const size_t *number)
{
	size_t now;

	pthread_mutex_lock(lock);
	now = *number;
	pthread_mutex_unlock(lock);
	return now;
}

#endif
