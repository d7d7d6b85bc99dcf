/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "ohttp/bhttp.h"

/* What may stand in a message: RFC 9292 section 3.6, RFC 9110 section 5, RFC 9113 section 8.2. */

static bool equals(struct bytes b, const char *text)
{
	return b.size == strlen(text) && memcmp(b.data, text, b.size) == 0;
}

static bool is_one_of(struct bytes b, const char *const *list)
{
	while (*list && !equals(b, *list))
		list++;
	return *list != NULL;
}

static bool is_token(struct bytes b)
{
	for (size_t i = 0; i < b.size; i++) {
		uint8_t c = b.data[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alnum && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return b.size > 0;
}

static bool has_upper_case(struct bytes b)
{
	for (size_t i = 0; i < b.size; i++)
		if (b.data[i] >= 'A' && b.data[i] <= 'Z')
			return true;
	return false;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static const char *name_fault(struct bytes name, bool trailer, bool after_regular)
{
	static const char *const control[] = {":method", ":scheme", ":authority", ":path", ":status", NULL};

	if (name.size == 0)
		return "a field has no name";
	if (has_upper_case(name))
		return "a field name has a capital letter";
	if (name.data[0] != ':')
		return is_token(name) ? NULL : "a field name has a character that is not allowed there";
	if (is_one_of(name, control))
		return "control data stands among the fields";
	if (trailer)
		return "a pseudo-field stands among the trailers";
	if (after_regular)
		return "a pseudo-field stands behind another field";
	return is_token((struct bytes){name.data + 1, name.size - 1}) ? NULL
								      : "a pseudo-field has no proper name";
}

const char *bhttp_field_fault(const struct bhttp_field *field, bool trailer, bool after_regular)
{
	struct bytes v = field->value;

	for (size_t i = 0; i < v.size; i++)
		if (v.data[i] == 0 || v.data[i] == '\r' || v.data[i] == '\n')
			return "a field value has a NUL or a line break";
	if (v.size && (is_blank(v.data[0]) || is_blank(v.data[v.size - 1])))
		return "a field value begins or ends with a blank";
	return name_fault(field->name, trailer, after_regular);
}

const struct bhttp_field *bhttp_header(const struct bhttp_message *m, const char *name, size_t *count)
{
	const struct bhttp_field *found = NULL;

	*count = 0;
	for (size_t i = 0; i < m->header_count; i++) {
		if (equals(m->fields[i].name, name)) {
			found = &m->fields[i];
			(*count)++;
		}
	}
	return *count == 1 ? found : NULL;
}

/* A request target without a host: visible ASCII, no fragment. */
static bool is_path(struct bytes path)
{
	if (path.size == 0 || path.data[0] != '/')
		return false;
	for (size_t i = 0; i < path.size; i++)
		if (path.data[i] <= ' ' || path.data[i] >= 0x7f || path.data[i] == '#')
			return false;
	return true;
}

/* host[:port]: visible ASCII and none of the characters that end an authority; no user information */
static bool is_authority(struct bytes b)
{
	for (size_t i = 0; i < b.size; i++)
		if (b.data[i] <= ' ' || b.data[i] >= 0x7f || strchr("/?#@\\\"<>", b.data[i]))
			return false;
	return b.size > 0;
}

static bool same_host(struct bytes a, struct bytes b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++) {
		uint8_t x = a.data[i], y = b.data[i];

		if ((x >= 'A' && x <= 'Z' ? x | 0x20 : x) != (y >= 'A' && y <= 'Z' ? y | 0x20 : y))
			return false;
	}
	return true;
}

enum veil_status bhttp_check_request(
	const struct bhttp_message *m, struct bytes *authority, struct veil_error *err)
{
	size_t hosts;
	const struct bhttp_field *host = bhttp_header(m, "host", &hosts);
	const char *wrong = NULL;

	*authority = m->authority.size || !host ? m->authority : host->value;
	if (!is_token(m->method))
		wrong = "its method is no token";
	else if (!equals(m->scheme, "https") && !equals(m->scheme, "http"))
		wrong = "its scheme is neither http nor https";
	else if (!is_path(m->path))
		wrong = "its path does not begin with '/' or has a character that is not allowed there";
	else if (hosts > 1 || !is_authority(*authority))
		wrong = "it names no host, or not one";
	else if (host && !same_host(host->value, *authority))
		wrong = "its Host field is not its authority";
	return wrong ? error_set(err, VEIL_E_MALFORMED, "the request cannot be served: %s", wrong) : VEIL_OK;
}

void bhttp_drop_connection_fields(struct bhttp_message *m)
{
	static const char *const hop[] = {"connection", "keep-alive", "proxy-authenticate",
		"proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
		NULL};
	size_t kept = 0, headers = 0;

	for (size_t i = 0; i < m->header_count + m->trailer_count; i++) {
		if (is_one_of(m->fields[i].name, hop))
			continue;
		headers += i < m->header_count;
		m->fields[kept++] = m->fields[i];
	}
	m->header_count = headers;
	m->trailer_count = kept - headers;
}
