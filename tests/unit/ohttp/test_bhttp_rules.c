/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/bhttp.h"
#include "vector.h"

/* What a gateway asks of a request before it serves it; the other lines of RFC 9292 are in test_bhttp.c. */

static bool same(struct bytes got, const char *want)
{
	return got.size == strlen(want) && (got.size == 0 || memcmp(got.data, want, got.size) == 0);
}

/* a request of text fields for bhttp_check_request */
static enum veil_status check(const char *method, const char *scheme, const char *authority, const char *path,
	const char *host, struct bytes *got)
{
	struct bhttp_message m = {.method = vector_string(method),
		.scheme = vector_string(scheme),
		.authority = vector_string(authority),
		.path = vector_string(path)};

	for (; host && *host; host += strlen(host) + 1) /* several, each with its NUL */
		m.fields[m.header_count++] = (struct bhttp_field){vector_string("host"), vector_string(host)};
	return bhttp_check_request(&m, got, NULL);
}

Test(rfc9292, line_6_connection_fields_go_no_further_and_authority_and_host_agree)
{
	static const char *const names[] = {"accept", "connection", "te", "transfer-encoding", "x",
		"keep-alive", "upgrade", "proxy-connection", "proxy-authorization", "y", "trailer", "z"};
	struct bhttp_message m = {.header_count = 10, .trailer_count = 2};
	struct bytes got;

	for (size_t i = 0; i < 12; i++)
		m.fields[i].name = vector_string(names[i]);
	bhttp_drop_connection_fields(&m);
	cr_assert_eq(m.header_count, 3);
	cr_assert_eq(m.trailer_count, 1);
	cr_assert(same(m.fields[0].name, "accept") && same(m.fields[1].name, "x") &&
		  same(m.fields[2].name, "y") && same(m.fields[3].name, "z"));

	cr_assert_eq(check("GET", "https", "a.example", "/", NULL, &got), VEIL_OK);
	cr_assert(same(got, "a.example"));
	cr_assert_eq(check("GET", "https", "", "/", "b.example:8443\0", &got), VEIL_OK);
	cr_assert(same(got, "b.example:8443"));
	cr_assert_eq(check("GET", "https", "a.example", "/", "A.Example\0", &got), VEIL_OK);
	cr_assert_eq(check("GET", "https", "a.example", "/", "b.example\0", &got), VEIL_E_MALFORMED);
	cr_assert_eq(
		check("GET", "https", "a.example", "/", "a.example\0a.example\0", &got), VEIL_E_MALFORMED);
	cr_assert_eq(check("GET", "https", "", "/", NULL, &got), VEIL_E_MALFORMED);
	cr_assert_eq(check("GET", "https", "user@a.example", "/", NULL, &got), VEIL_E_MALFORMED);
}

Test(rfc9292, line_10_nothing_of_a_request_can_be_smuggled_into_http_1)
{
	static const char *const bad_paths[] = {"", "x", "/a b", "/a\r\nx: y", "/a\n", "/a\tb", "/\x7f",
		"/\xc3\xa4", "http://other.example/", "*", "/a#b"};
	static const char *const bad_methods[] = {"", "GET /", "GET\r\n", "G\tT", "GET:"};
	static const char *const bad_schemes[] = {"", "javascript", "HTTPS", "https:", "ftp"};
	static const char *const bad_hosts[] = {"a b", "a\r\nb", "a/b", "a?b", "\x01", "a@b"};
	struct bytes got;

	cr_assert_eq(check("POST", "http", "h", "/v1/query?x=%20&y", NULL, &got), VEIL_OK);
	for (size_t i = 0; i < sizeof bad_paths / sizeof *bad_paths; i++)
		cr_assert_eq(check("GET", "https", "h", bad_paths[i], NULL, &got), VEIL_E_MALFORMED,
			"path %zu", i);
	for (size_t i = 0; i < sizeof bad_methods / sizeof *bad_methods; i++)
		cr_assert_eq(check(bad_methods[i], "https", "h", "/", NULL, &got), VEIL_E_MALFORMED,
			"method %zu", i);
	for (size_t i = 0; i < sizeof bad_schemes / sizeof *bad_schemes; i++)
		cr_assert_eq(check("GET", bad_schemes[i], "h", "/", NULL, &got), VEIL_E_MALFORMED,
			"scheme %zu", i);
	for (size_t i = 0; i < sizeof bad_hosts / sizeof *bad_hosts; i++)
		cr_assert_eq(check("GET", "https", bad_hosts[i], "/", NULL, &got), VEIL_E_MALFORMED,
			"host %zu", i);
}

Test(rfc9292, a_header_is_found_when_it_stands_there_once)
{
	struct bhttp_message m = {.header_count = 3, .trailer_count = 1};
	static const char *const names[] = {"date", "x", "x", "y"};
	size_t count;

	for (size_t i = 0; i < 4; i++)
		m.fields[i].name = vector_string(names[i]);
	cr_assert_eq(bhttp_header(&m, "date", &count), &m.fields[0]);
	cr_assert_eq(count, 1);
	cr_assert_null(bhttp_header(&m, "x", &count));
	cr_assert_eq(count, 2);
	cr_assert_null(bhttp_header(&m, "y", &count), "a trailer is no header");
	cr_assert_eq(count, 0);
}
