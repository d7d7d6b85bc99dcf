/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/guard.h"

#include <string.h>
#include <strings.h>

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void refuse(struct guard *g, const char *reason)
{
	if (!g->reason)
		g->reason = reason;
}

void guard_init(struct guard *g, const char *target)
{
	*g = (struct guard){0};
	if (target[0] != '/')
		refuse(g, "the request target is not a path");
	for (const char *p = target; *p; p++)
		if (!is_alnum(*p) && !strchr("/._-", *p))
			refuse(g, "the path has an escape, a query string or another character that no path "
				  "here has");
}

/* RFC 9110 token; a space before the colon fails here, for the library leaves it in the name. */
static bool is_token(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!is_alnum(s[i]) && (s[i] == 0 || !strchr("!#$%&'*+-.^_`|~", s[i])))
			return false;
	return size > 0;
}

static bool is_printable(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((s[i] < ' ' || s[i] > '~') && s[i] != '\t')
			return false;
	return true;
}

static bool is(const char *name, size_t size, const char *want)
{
	return size == strlen(want) && strncasecmp(name, want, size) == 0;
}

static bool begins(const char *name, size_t size, const char *with)
{
	return size >= strlen(with) && strncasecmp(name, with, strlen(with)) == 0;
}

static void take_length(struct guard *g, const char *value, size_t size)
{
	g->content_lengths++;
	g->content_length = 0;
	if (size == 0 || size > 18)
		refuse(g, "Content-Length is not a decimal number");
	for (size_t i = 0; i < size && i < 18; i++) {
		if (value[i] < '0' || value[i] > '9')
			refuse(g, "Content-Length is not a decimal number");
		g->content_length = g->content_length * 10 + (uint64_t)(value[i] - '0');
	}
}

void guard_header(struct guard *g, const char *name, size_t name_size, const char *value, size_t value_size)
{
	if (!is_token(name, name_size))
		refuse(g, "a header name is not a token (a space before the colon?)");
	if (!is_printable(value, value_size))
		refuse(g, "a header value has a character that is not printable ASCII");
	if (is(name, name_size, "Content-Length")) {
		take_length(g, value, value_size);
	} else if (is(name, name_size, "Transfer-Encoding")) {
		g->transfer_encodings++;
		g->chunked = is(value, value_size, "chunked");
		if (!g->chunked)
			refuse(g, "Transfer-Encoding is not exactly 'chunked'");
	} else if (begins(name, name_size, "Content-Length") ||
		   begins(name, name_size, "Transfer-Encoding")) {
		refuse(g, "a header line is folded, or a header name is no known one");
	} else if (is(name, name_size, "Content-Type")) {
		g->content_types++;
	} else if (is(name, name_size, "Host")) {
		g->hosts++;
	} else if (is(name, name_size, "Authorization")) {
		g->authorizations++;
	} else if (is(name, name_size, "Content-Encoding")) {
		g->encoded = true;
	}
}

const char *guard_verdict(struct guard *g, const char *version)
{
	bool http_1_0 = strcmp(version, "HTTP/1.0") == 0;

	if (!http_1_0 && strcmp(version, "HTTP/1.1") != 0)
		refuse(g, "the protocol is neither HTTP/1.1 nor HTTP/1.0");
	if (g->content_lengths > 1)
		refuse(g, "Content-Length occurs twice");
	if (g->transfer_encodings > 1)
		refuse(g, "Transfer-Encoding occurs twice");
	if (g->content_types > 1)
		refuse(g, "Content-Type occurs twice");
	if (g->hosts > 1)
		refuse(g, "Host occurs twice");
	if (g->authorizations > 1)
		refuse(g, "Authorization occurs twice");
	if (g->content_lengths && g->transfer_encodings)
		refuse(g, "Content-Length and Transfer-Encoding are both there");
	if (http_1_0 && g->transfer_encodings)
		refuse(g, "HTTP/1.0 has no Transfer-Encoding");
	if (!http_1_0 && g->hosts == 0)
		refuse(g, "Host is missing");
	return g->reason;
}

bool guard_has_body(const struct guard *g)
{
	return g->chunked || g->content_length > 0;
}
