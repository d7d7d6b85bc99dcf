/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/admit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct http_route *find(struct admission *out, const struct http_route *routes, size_t count,
	const char *path, const char *method)
{
	for (size_t i = 0; i < count; i++) {
		const struct http_route *r = routes + i;
		size_t n = strlen(r->path);
		bool tree = r->path[n - 1] == '/';

		if (tree ? strncmp(path, r->path, n) != 0 : strcmp(path, r->path) != 0)
			continue;
		if (strcmp(method, r->method) == 0)
			return r;
		out->allow = r->method;
	}
	return NULL;
}

__attribute__((format(printf, 3, 4))) static void refuse(
	struct admission *out, unsigned status, const char *format, ...)
{
	va_list args;

	out->status = status;
	va_start(args, format);
	vsnprintf(out->reason, sizeof out->reason, format, args);
	va_end(args);
}

void admit(struct admission *out, const struct http_route *routes, size_t count, size_t body_limit,
	struct guard *g, const char *path, const char *method, const char *version, const char *type)
{
	const char *reason = guard_verdict(g, version);
	const struct http_route *r;

	*out = (struct admission){0};
	r = reason ? NULL : find(out, routes, count, path, method);
	if (r)
		out->limit = r->body_limit == HTTP_LIMIT_SET ? body_limit : r->body_limit;
	if (reason)
		refuse(out, 400, "%s", reason);
	else if (!r && out->allow)
		refuse(out, 405, "the method needed here is %s", out->allow);
	else if (!r)
		refuse(out, 404, "there is nothing at this path");
	else if (out->limit == 0 && guard_has_body(g))
		refuse(out, 400, "a body is not expected here");
	else if (out->limit > 0 && !g->content_lengths && !g->chunked)
		refuse(out, 411, "a body with Content-Length is expected here");
	else if (g->encoded)
		refuse(out, 415, "the body has a Content-Encoding; send it as it is");
	else if (r->content_type && (!type || strcasecmp(type, r->content_type) != 0))
		refuse(out, 415, "the Content-Type is not %s", r->content_type);
	else if (g->content_length > out->limit)
		refuse(out, 413, "the body has %llu bytes, more than %zu",
			(unsigned long long)g->content_length, out->limit);
	else
		out->route = r;
}
