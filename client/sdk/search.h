/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_SEARCH_H
#define SDK_SEARCH_H

#include "sdk/client.h"

/** A search while it runs: requests, which may be under way at once in a thread each, and what is kept of
 * their replies. A fake is one too: it takes the same way through the same code, to the end. */
struct search;

/** What is looked for; checked by search_create, which takes a copy. */
struct search_question {
	const float *vector; /* [dim] */
	uint32_t dim, probes, top;
	bool sealed; /* every request is a sealed search: of all shards, for what is in one of the nearest */
	bool adaptive; /* requests that follow a first answer of large margin look for nothing, in their
			  shards */
};
#define SEARCH_SLOW_PROBES 4 /* of the modes slow and auto, at least */

/** What search_create checks: there is a configuration, it is not out of date, the question fits it. */
enum veil_status question_check_session(
	const struct veil_client *client, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status question_check(const struct session *session, const struct search_question *question,
	struct veil_error *err) VEIL_MUST_CHECK;

#define SEARCH_LIMIT_ALL ((4u << 20) - 4096) /* of the reply of all shards: what relays pass on */
/** Can this server's shards all be asked at once? */
bool search_can_ask_all(const struct session *session);

/** With `all`, one request, evaluated on every shard, so that none stands out; else one to each of the
 * `probes` nearest. Errors as veil_client_search. */
enum veil_status search_create(struct search **out, const struct veil_client *client,
	const struct search_question *question, bool all, struct veil_error *err) VEIL_MUST_CHECK;
/** Nothing is looked for in `shard`, or in WIRE_ALL_SHARDS; or by a sealed search, of an index that has it.
 */
enum veil_status search_create_fake(struct search **out, const struct veil_client *client, uint32_t shard,
	bool sealed, struct veil_error *err) VEIL_MUST_CHECK;

/** How many requests it takes. */
uint32_t search_requests(const struct search *search);
/** Where request i goes. */
uint32_t search_shard(const struct search *search, uint32_t i);
/** Makes request i, sends it and keeps the best of its reply: once for each i, from any thread. */
enum veil_status search_ask(struct search *search, uint32_t i, struct veil_error *err) VEIL_MUST_CHECK;
/** The answer, after all requests. */
enum veil_status search_finish(
	struct search *search, struct veil_hits **out, struct veil_error *err) VEIL_MUST_CHECK;
/** Wipes. Accepts NULL. */
void search_destroy(struct search *search);

#endif
