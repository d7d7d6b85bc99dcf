/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/hits.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/ct.h"
#include "base/require.h"

struct veil_hits *hits_create(uint32_t probes, const char *index)
{
	struct veil_hits *hits = calloc(1, sizeof *hits);

	if (!hits)
		return NULL;
	hits->shards = calloc(probes, sizeof *hits->shards);
	hits->cost.shards = hits->shards;
	if (!hits->shards) {
		free(hits);
		return NULL;
	}
	snprintf(hits->index, sizeof hits->index, "%s", index);
	return hits;
}

const char *veil_hits_index(const struct veil_hits *hits)
{
	return hits->index;
}

enum veil_status hits_reserve(struct veil_hits *hits, size_t count)
{
	hits->hits = calloc(count + 1, sizeof *hits->hits);
	hits->names = calloc(count + 1, sizeof *hits->names);
	if (!hits->hits || !hits->names)
		return VEIL_E_NOMEM;
	for (size_t i = 0; i < count; i++)
		hits->hits[i].name = hits->names[i];
	hits->count = count;
	return VEIL_OK;
}

size_t veil_hits_count(const struct veil_hits *hits)
{
	return hits->count;
}

const struct veil_hit *veil_hits_at(const struct veil_hits *hits, size_t i)
{
	REQUIRE(i < hits->count);
	return &hits->hits[i];
}

const struct veil_cost *veil_hits_cost(const struct veil_hits *hits)
{
	return &hits->cost;
}

void veil_hits_destroy(struct veil_hits *hits)
{
	if (!hits)
		return;
	if (hits->hits)
		wipe(hits->hits, hits->count * sizeof *hits->hits);
	if (hits->names)
		wipe(hits->names, hits->count * sizeof *hits->names);
	free(hits->hits);
	free(hits->names);
	free(hits->shards);
	free(hits);
}
