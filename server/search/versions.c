/* SPDX-License-Identifier: Apache-2.0 */
#include "search/versions.h"

#include <string.h>

#include "kit/clock.h"

void versions_init(struct versions *v, struct snapshot *first)
{
	*v = (struct versions){.current = first};
	pthread_mutex_init(&v->lock, NULL);
}

static struct snapshot *reference(struct snapshot *s)
{
	if (s)
		atomic_fetch_add(&s->references, 1);
	return s;
}

/* The lock is held. */
static struct snapshot *previous(const struct versions *v)
{
	return clock_ns() < v->previous_until_ns ? v->previous : NULL;
}

struct snapshot *versions_current(struct versions *v)
{
	struct snapshot *s;

	pthread_mutex_lock(&v->lock);
	s = reference(v->current);
	pthread_mutex_unlock(&v->lock);
	return s;
}

struct snapshot *versions_find(struct versions *v, const uint8_t id[HASH_BYTES])
{
	struct snapshot *s;

	pthread_mutex_lock(&v->lock);
	s = v->current;
	if (memcmp(s->index->id, id, HASH_BYTES) != 0)
		s = previous(v);
	if (s && memcmp(s->index->id, id, HASH_BYTES) != 0)
		s = NULL;
	reference(s);
	pthread_mutex_unlock(&v->lock);
	return s;
}

static bool has_tables(const struct snapshot *s, const uint8_t id[HASH_BYTES])
{
	return s && s->tables && memcmp(s->tables->id, id, HASH_BYTES) == 0;
}

struct snapshot *versions_find_tables(struct versions *v, const uint8_t id[HASH_BYTES])
{
	struct snapshot *s;

	pthread_mutex_lock(&v->lock);
	s = v->current;
	if (!has_tables(s, id))
		s = previous(v);
	s = reference(has_tables(s, id) ? s : NULL);
	pthread_mutex_unlock(&v->lock);
	return s;
}

static bool is_hash(const uint8_t hash[HASH_BYTES], const char *hex)
{
	char have[HASH_HEX_SIZE];

	hash_hex(have, hash);
	return strcmp(have, hex) == 0;
}

static bool find_constants(struct bytes *object, const struct store_kv *kv, const char *hex)
{
	for (unsigned t = 0; t < kv->tables; t++)
		if (is_hash(silent_collection_table(&kv->collection, t).table->static_hash, hex)) {
			*object = kv->table[t].constants;
			return true;
		}
	return false;
}

static bool find_object(struct bytes *object, const struct snapshot *s, const char *hex)
{
	if (is_hash(s->index->codebook_hash, hex))
		*object = (struct bytes){s->index->codebook, s->index->codebook_size};
	else if (is_hash(s->config_hash, hex))
		*object = (struct bytes){s->config, s->config_size};
	else if (s->sealed && is_hash(s->sealed->constants_hash, hex))
		*object = (struct bytes){s->sealed->constants, s->sealed->constants_bytes};
	else if (s->sealed && s->sealed->labels && is_hash(s->sealed->labels_hash, hex))
		*object = (struct bytes){s->sealed->labels, s->sealed->labels_bytes};
	else
		return s->tables && find_constants(object, s->tables, hex);
	return true;
}

struct snapshot *versions_with_object(struct versions *v, struct bytes *object, const char *hex)
{
	struct snapshot *s;

	pthread_mutex_lock(&v->lock);
	s = v->current;
	if (!find_object(object, s, hex))
		s = previous(v);
	if (s && !find_object(object, s, hex))
		s = NULL;
	reference(s);
	pthread_mutex_unlock(&v->lock);
	return s;
}

void versions_replace(struct versions *v, struct snapshot *next, uint64_t keep_ns)
{
	struct snapshot *old;

	pthread_mutex_lock(&v->lock);
	old = v->previous;
	v->previous = v->current;
	v->previous_until_ns = clock_ns() + keep_ns;
	v->current = next;
	pthread_mutex_unlock(&v->lock);
	snapshot_release(old);
}

bool versions_expire(struct versions *v)
{
	struct snapshot *old = NULL;

	pthread_mutex_lock(&v->lock);
	if (v->previous && !previous(v)) {
		old = v->previous;
		v->previous = NULL;
	}
	pthread_mutex_unlock(&v->lock);
	snapshot_release(old);
	return old != NULL;
}

bool versions_has_previous(struct versions *v)
{
	bool has;

	pthread_mutex_lock(&v->lock);
	has = previous(v) != NULL;
	pthread_mutex_unlock(&v->lock);
	return has;
}

void versions_clear(struct versions *v)
{
	if (!v->current)
		return;
	snapshot_release(v->current);
	snapshot_release(v->previous);
	pthread_mutex_destroy(&v->lock);
	*v = (struct versions){0};
}
