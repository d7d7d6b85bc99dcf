/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/guard.h"

#include <criterion/criterion.h>
#include <string.h>

/* A head as the library gives it: lines "name: value", cut at the first ": ". */
static const char *judge(struct guard *g, const char *target, const char *version, const char *const *lines)
{
	guard_init(g, target);
	for (; *lines; lines++) {
		const char *colon = strstr(*lines, ": ");

		cr_assert_not_null(colon);
		guard_header(g, *lines, (size_t)(colon - *lines), colon + 2, strlen(colon + 2));
	}
	return guard_verdict(g, version);
}

Test(guard, an_ordinary_head_passes)
{
	static const char *const lines[] = {"Host: a", "Content-Type: x/y", "Content-Length: 123",
		"Accept: */*", "X_y-z.1: tab\tand space", NULL};
	struct guard g;

	cr_assert_null(judge(&g, "/v1/query", "HTTP/1.1", lines));
	cr_assert_eq(g.content_length, 123u);
	cr_assert(guard_has_body(&g));
	cr_assert_not(g.chunked);
	cr_assert_null(judge(&g, "/a.b_c-D/9", "HTTP/1.0", lines));
}

Test(guard, http_1_0_needs_no_host_and_1_1_does)
{
	static const char *const none[] = {"Accept: a", NULL};
	struct guard g;

	cr_assert_null(judge(&g, "/", "HTTP/1.0", none));
	cr_assert_not_null(judge(&g, "/", "HTTP/1.1", none));
	cr_assert_not(guard_has_body(&g));
}

Test(guard, targets_other_than_plain_paths_are_refused)
{
	static const char *const lines[] = {"Host: a", NULL};
	static const char *const bad[] = {"", "*", "a", "http://a/", "/%41", "/a?b", "/a#b", "/a b", "/a;b",
		"/\xc3\xa9", "/a\\b", "/a\x01", "/a:b", "/~a"};
	struct guard g;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_not_null(judge(&g, bad[i], "HTTP/1.1", lines), "%s", bad[i]);
}

Test(guard, other_versions_are_refused)
{
	static const char *const lines[] = {"Host: a", NULL};
	static const char *const bad[] = {"", "HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "http/1.1"};
	struct guard g;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_not_null(judge(&g, "/", bad[i], lines), "%s", bad[i]);
}

Test(guard, ambiguous_heads_are_refused)
{
	static const char *const bad[][4] = {
		{"Host: a", "Content-Length: 1", "content-length: 1", NULL},
		{"Host: a", "Content-Length: 1", "Transfer-Encoding: chunked", NULL},
		{"Host: a", "transfer-encoding: CHUNKED", "Content-Length: 0", NULL},
		{"Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", NULL},
		{"Host: a", "HOST: a", NULL},
		{"Host: a", "Content-Type: a", "Content-Type: a", NULL},
		{"Host: a", "Authorization: a", "Authorization: b", NULL},
		{"Host: a", "Transfer-Encoding: gzip, chunked", NULL},
		{"Host: a", "Transfer-Encoding: chunke", NULL},
		{"Host: a", "Transfer-Encoding: ", NULL},
		{"Host: a", "Content-Length: ", NULL},
		{"Host: a", "Content-Length: +1", NULL},
		{"Host: a", "Content-Length: 1 ", NULL},
		{"Host: a", "Content-Length: 0x1", NULL},
		{"Host: a", "Content-Length: 1234567890123456789", NULL},
		{"Host: a", "Content-Length : 1", NULL},
		{"Host: a", "Content-Length1: 1", NULL},
		{"Host: a", "Transfer-Encodingchunked: ", NULL},
		{"Host: a", " X: 1", NULL},
		{"Host: a", "X\x7f: 1", NULL},
		{"Host: a", "X: \x01", NULL},
		{"Host: a", "X: \x80", NULL},
		{"Host: a\r", NULL},
	};
	struct guard g;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert_not_null(judge(&g, "/", "HTTP/1.1", bad[i]), "case %zu", i);
}

Test(guard, names_and_values_may_hold_a_nul_only_to_be_refused)
{
	struct guard g;

	guard_init(&g, "/");
	guard_header(&g, "Host", 4, "a\0b", 3);
	cr_assert_not_null(guard_verdict(&g, "HTTP/1.1"));
	guard_init(&g, "/");
	guard_header(&g, "Ho\0st", 5, "a", 1);
	cr_assert_not_null(guard_verdict(&g, "HTTP/1.1"));
	guard_init(&g, "/");
	guard_header(&g, "", 0, "a", 1);
	cr_assert_not_null(guard_verdict(&g, "HTTP/1.1"));
}

Test(guard, chunked_is_for_1_1_alone)
{
	static const char *const lines[] = {"Host: a", "Transfer-Encoding: chunked", NULL};
	struct guard g;

	cr_assert_null(judge(&g, "/", "HTTP/1.1", lines));
	cr_assert(g.chunked && guard_has_body(&g));
	cr_assert_not_null(judge(&g, "/", "HTTP/1.0", lines));
}
