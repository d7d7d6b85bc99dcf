/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_ADMIT_H
#define KIT_ADMIT_H

#include "kit/guard.h"
#include "kit/http.h"

/* What becomes of a request, judged from its head alone, before a byte of its body is read. */

struct admission {
	const struct http_route *route; /* NULL: refused, with what follows */
	size_t limit; /* of the body */
	unsigned status;
	const char *allow; /* the method that would do; NULL if that was not the matter */
	char reason[160];
};

/** `body_limit` stands for HTTP_LIMIT_SET; `g` has seen the whole head; `type` is the Content-Type or NULL.
 * 400 for what guard.h lists, 404, 405, 411, 413, 415. */
void admit(struct admission *out, const struct http_route *routes, size_t count, size_t body_limit,
	struct guard *g, const char *path, const char *method, const char *version, const char *type);

#endif
