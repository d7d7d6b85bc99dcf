/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/messages.h"

/* A load generator for veild. Ciphertexts are random numbers: a server cannot tell them from queries, and
 * making real ones would cost more than answering them. Connections stay open, which clients must not do. */

struct load_options {
	const char *address; /* 127.0.0.1:8080 or unix:/path */
	unsigned connections;
	double seconds;
	unsigned burst; /* successive queries for one shard */
	unsigned shards; /* of the index that are asked for; 0: all */
};

struct load_result {
	uint64_t answered; /* 200 with a reply of the right size */
	uint64_t busy; /* 503 */
	uint64_t failed; /* anything else, connections cut included */
	double seconds;
	uint64_t *ns; /* [answered], ascending: from the first byte sent to the last received */
};

/** A blocking GET; the body is malloc'd. False after a message on standard error. */
bool load_get(uint8_t **body, size_t *size, const char *address, const char *path);
/** Connects; -1 after a message. */
int load_connect(const char *address);
/** Sends queries for a while. False after a message. */
bool load_run(struct load_result *out, const struct load_options *o, const struct wire_config *config);
void load_result_clear(struct load_result *r);

#endif
