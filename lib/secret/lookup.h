/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SECRET_LOOKUP_H
#define SECRET_LOOKUP_H

#include "base/bytes.h"
#include "base/rng.h"
#include "silent/collection.h"

/* All that one request asks of a collection (silent/collection.h): every table, every chunk, for as many keys
 * as each of its requests has, whatever is asked and whatever is there. Created, serialised once, decoded
 * once, wiped; a retry is a new object. Each retrieval in it has a secret of its own (secret/retrieve.h). */
struct secret_lookup;

/** What is asked: by SILENT_BY_KEY a key of at most SILENT_MAX_KEY bytes, else a number. */
struct secret_lookup_key {
	const void *data;
	size_t size;
	uint64_t number;
};

/** Asks for keys[count], count <= c->keys; the rest of the c->keys are fakes, the same for whoever lacks the
 * secrets. A number that is not below c->records is asked as if it were, and is not there unless a delta has
 * it. `c` has passed silent_collection_check; ctx[silent_collection_tables(c)] are its contexts; both must
 * outlive the lookup. Takes a time that depends on count and the sizes of the keys alone. VEIL_E_INVALID: a
 * key is too long; VEIL_E_NOMEM. */
enum veil_status secret_lookup_create(struct secret_lookup **out, const struct silent_collection *c,
	struct silent_context *const ctx[], const struct secret_lookup_key *keys, unsigned count,
	const struct rng *rng, struct veil_error *err) VEIL_MUST_CHECK;

/** Writes the queries of all tables, table by table, view.lookups of ctx[t]->query_bytes each. May be called
 * once; a second call aborts. */
void secret_lookup_write(struct secret_lookup *lookup, uint8_t *queries);

/** Decodes the replies, in the order of the queries, ctx[t]->reply_bytes each, with the static halves of each
 * table, constants[t] of packs * static_bytes. Wipes the secrets; may be called once, after write; a second
 * call aborts. `replies` are untrusted: what does not come out whole is VEIL_E_CORRUPT, and no value is there
 * then. Takes the same time whatever was found. */
enum veil_status secret_lookup_decode(struct secret_lookup *lookup, const uint8_t *const constants[],
	const uint8_t *replies, struct veil_error *err) VEIL_MUST_CHECK;

/** The value of key k < count, after decode, in memory of the lookup; false: the collection has none. */
bool secret_lookup_value(const struct secret_lookup *lookup, unsigned k, struct bytes *value);

/** Accepts NULL; wipes. */
void secret_lookup_destroy(struct secret_lookup *lookup);

#endif
