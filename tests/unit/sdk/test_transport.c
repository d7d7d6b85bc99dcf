/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/transport.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "veil/client.h"

Test(transport, only_http_with_a_host_and_unix_with_an_absolute_path_are_servers)
{
	static const struct {
		const char *url;
		enum veil_status status;
	} cases[] = {
		{"http://127.0.0.1:8080", VEIL_OK},
		{"http://localhost", VEIL_OK},
		{"http://[::1]:80/", VEIL_OK},
		{"HTTP://h:1", VEIL_OK},
		{"unix:/run/veild.sock", VEIL_OK},
		{"https://h", VEIL_E_UNSUPPORTED},
		{"", VEIL_E_INVALID},
		{"h:8080", VEIL_E_INVALID},
		{"ftp://h", VEIL_E_INVALID},
		{"file:///etc/passwd", VEIL_E_INVALID},
		{"http://", VEIL_E_INVALID},
		{"http://h:99999", VEIL_E_INVALID},
		{"http://h/path", VEIL_E_INVALID},
		{"http://user@h", VEIL_E_INVALID},
		{"http://user:word@h", VEIL_E_INVALID},
		{"http://h/?q", VEIL_E_INVALID},
		{"http://h/#f", VEIL_E_INVALID},
		{"unix:relative", VEIL_E_INVALID},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct veil_client *client;
		struct veil_error err = {""};

		cr_assert_eq(veil_client_create(&client, cases[i].url, &err), cases[i].status, "\"%s\": %s",
			cases[i].url, err.text);
		cr_assert_eq(client == NULL, cases[i].status != VEIL_OK);
		if (cases[i].status != VEIL_OK)
			cr_assert(strstr(err.text, cases[i].url), "\"%s\" is not named: %s", cases[i].url,
				err.text);
		veil_client_destroy(client);
	}
}

/* A transport that gives what the test put there. */
struct canned {
	unsigned code;
	const char *type, *body;
	size_t limit_seen;
};

static enum veil_status canned_exchange(void *state, struct transport_reply *reply,
	const struct transport_request *request, struct veil_error *err)
{
	struct canned *c = state;

	(void)err;
	memset(reply, 0, sizeof *reply);
	reply->code = c->code;
	memcpy(reply->type, c->type, strlen(c->type) + 1);
	reply->size = strlen(c->body);
	reply->body = (uint8_t *)strdup(c->body);
	c->limit_seen = request->limit_bytes;
	return VEIL_OK;
}

Test(transport, a_reply_that_is_not_the_one_expected_is_an_error_with_the_servers_reason)
{
	static const struct {
		struct canned canned;
		size_t exact;
		enum veil_status status;
		const char *words;
	} cases[] = {
		{{200, "a/b", "12345", 0}, 5, VEIL_OK, ""},
		{{200, "a/b", "12345", 0}, 0, VEIL_OK, ""},
		{{200, "a/b", "1234", 0}, 5, VEIL_E_MALFORMED, "4 bytes where 5"},
		{{200, "a/b", "123456", 0}, 5, VEIL_E_MALFORMED, "6 bytes where 5"},
		{{200, "a/b", "12345678901", 0}, 0, VEIL_E_MALFORMED, "at most 10"},
		{{200, "text/html", "12345", 0}, 5, VEIL_E_MALFORMED, "media type"},
		{{200, "", "12345", 0}, 5, VEIL_E_MALFORMED, "media type"},
		{{204, "a/b", "12345", 0}, 5, VEIL_E_MALFORMED, "204"},
		{{302, "text/plain", "", 0}, 5, VEIL_E_MALFORMED, "redirects are not followed"},
		{{400, "text/plain", "residue >= q\nmore", 0}, 5, VEIL_E_MALFORMED, "400 (residue >= q);"},
		{{404, "text/plain", "x\x1b[2J", 0}, 5, VEIL_E_NOT_FOUND, "(x?[2J)"},
		{{404, "text/html", "<b>", 0}, 5, VEIL_E_NOT_FOUND, "404;"},
		{{410, "text/plain", "other index", 0}, 5, VEIL_E_VERSION, "other index"},
		{{503, "text/plain", "queue full", 0}, 5, VEIL_E_BUSY, "queue full"},
		{{429, "", "", 0}, 5, VEIL_E_BUSY, "busy"},
		{{504, "", "", 0}, 5, VEIL_E_TIMEOUT, "504"},
		{{500, "", "", 0}, 5, VEIL_E_NETWORK, "log"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct canned canned = cases[i].canned;
		struct transport transport = {canned_exchange, NULL, &canned};
		struct transport_request request = {.path = "/v1/x", .limit_bytes = 10, .timeout_ms = 1};
		struct transport_reply reply = {0};
		struct veil_error err = {""};

		cr_assert_eq(transport_call(&transport, &reply, &request, "a/b", cases[i].exact, &err),
			cases[i].status, "case %zu", i);
		cr_assert(strstr(err.text, cases[i].words), "case %zu: %s", i, err.text);
		cr_assert_eq(reply.body == NULL, cases[i].status != VEIL_OK, "case %zu", i);
		cr_assert_geq(canned.limit_seen, 4096, "room for a reason");
		transport_reply_clear(&reply);
	}
}
