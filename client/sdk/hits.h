/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_HITS_H
#define SDK_HITS_H

#include "base/hash.h"
#include "index/label.h"
#include "veil/client.h"

struct veil_hits {
	struct veil_hit *hits; /* [count] */
	size_t count;
	char (*names)[INDEX_MAX_LABEL_BYTES + 1]; /* [count]: what hits[i].name points to */
	struct veil_cost cost;
	uint32_t *shards; /* what cost.shards points to */
	char index[HASH_HEX_SIZE]; /* the version that it is from */
};

/** Room for the answer of `probes` shards of that version; the hits are made by hits_reserve. NULL: no
 * memory. */
struct veil_hits *hits_create(uint32_t probes, const char *index);
/** Room for `count` zeroed hits, each pointing to its empty name. */
enum veil_status hits_reserve(struct veil_hits *hits, size_t count) VEIL_MUST_CHECK;

#endif
