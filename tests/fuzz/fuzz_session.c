/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/require.h"
#include "fuzz.h"
#include "sdk/session.h"

/* What a server says it serves: taken only where it agrees with itself, and then nothing that follows from it
 * is beyond the client's limits. The same bytes are no codebook for it: their hash is another. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session *session = calloc(1, sizeof *session);
	struct veil_error err = {""};

	REQUIRE(session);
	if (session_read_config(session, (struct bytes){data, size}, &err) != VEIL_OK) {
		REQUIRE(err.text[0]);
	} else {
		const struct wire_config *c = &session->config;

		REQUIRE(c->shards >= 1 && c->spec.dim >= 1 && c->spec.rows >= 1);
		REQUIRE(c->query_bytes == wire_query_bytes(session->nn));
		REQUIRE(c->reply_bytes == wire_reply_bytes(session->nn, c->label_bytes));
		REQUIRE(c->codebook_bytes == index_codebook_bytes(c->shards, c->spec.dim));
		REQUIRE(session->info.exact || session->info.error > 0);
		REQUIRE(session_read_codebook(session, (struct bytes){data, size}, &err) == VEIL_E_MALFORMED);
	}
	session_destroy(session);
	return 0;
}
