/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/bhttp.h"

#include "ohttp/varint.h"
#include "vector.h"

/* Tests are named after the lines of the conformance list for RFC 9292 (docs/ohttp.md). */

static bool same(struct bytes got, const char *want)
{
	return got.size == strlen(want) && (got.size == 0 || memcmp(got.data, want, got.size) == 0);
}

static struct bytes copy(const void *data, size_t size)
{
	uint8_t *p =
		malloc(size + 1); /* of its exact size where size > 0, so that ASan sees a byte too far */

	REQUIRE(p);
	if (size) {
		p = realloc(p, size);
		REQUIRE(p);
		memcpy(p, data, size);
	}
	return (struct bytes){p, size};
}

/* Reads a copy, which the message points into. */
static enum veil_status read_copy(
	struct bhttp_message *m, enum bhttp_kind kind, struct bytes data, struct veil_error *err)
{
	struct bytes own = copy(data.data, data.size);

	return bhttp_read(m, kind, vector_keep((uint8_t *)(uintptr_t)own.data), own.size, err);
}

static void assert_fields(const struct bhttp_field *got, size_t count, const json_t *want)
{
	const json_t *pair;
	size_t i;

	cr_assert_eq(count, json_array_size(want));
	json_array_foreach(want, i, pair)
	{
		cr_assert(same(got[i].name, json_string_value(json_array_get(pair, 0))));
		cr_assert(same(got[i].value, json_string_value(json_array_get(pair, 1))));
	}
}

static enum bhttp_kind kind_of(const json_t *v)
{
	return strcmp(vector_text(json_object_get(v, "message"), "kind"), "request") ? BHTTP_RESPONSE
										     : BHTTP_REQUEST;
}

static void assert_message(const struct bhttp_message *m, const json_t *v)
{
	const json_t *want = json_object_get(v, "message");

	if (kind_of(v) == BHTTP_REQUEST) {
		cr_assert(same(m->method, vector_text(want, "method")));
		cr_assert(same(m->scheme, vector_text(want, "scheme")));
		cr_assert(same(m->authority, vector_text(want, "authority")));
		cr_assert(same(m->path, vector_text(want, "path")));
	} else {
		cr_assert_eq(m->status, vector_number(want, "status"));
	}
	assert_fields(m->fields, m->header_count, json_object_get(want, "headers"));
	assert_fields(m->fields + m->header_count, m->trailer_count, json_object_get(want, "trailers"));
	cr_assert(same(m->content, vector_text(want, "content")));
}

/* The vector's message, written again with its informational responses, in the vector's framing. */
static size_t write_again(uint8_t *out, size_t room, const struct bhttp_message *m, const json_t *v)
{
	enum bhttp_framing framing = (enum bhttp_framing)vector_number(v, "framing");
	const json_t *list = json_object_get(json_object_get(v, "message"), "informational"), *one, *pair;
	struct writer w;
	size_t i, f;

	writer_init(&w, out, room);
	bhttp_put_framing(&w, framing);
	json_array_foreach(list, i, one)
	{
		struct bhttp_field fields[8];
		const json_t *headers = json_object_get(one, "headers");

		json_array_foreach(headers, f, pair) fields[f] =
			(struct bhttp_field){vector_string(json_string_value(json_array_get(pair, 0))),
				vector_string(json_string_value(json_array_get(pair, 1)))};
		bhttp_put_informational(
			&w, framing, vector_number(one, "status"), fields, json_array_size(headers));
	}
	bhttp_put_head(&w, framing, m);
	bhttp_put_content(&w, framing, m->content);
	bhttp_put_end(&w, framing, m->fields + m->header_count, m->trailer_count);
	return w.at;
}

Test(rfc9292, line_1_examples_decode_and_encode_again_truncated_and_padded)
{
	json_t *root = vector_load("bhttp-rfc9292.json"), *v;
	struct veil_error err = {0};
	size_t i;

	json_array_foreach(root, i, v)
	{
		struct bytes data = vector_bytes(v, "hex");
		size_t cut = vector_number(v, "truncatable_bytes"),
		       padding = vector_number(v, "padding_bytes"), size;
		struct bhttp_message m;
		uint8_t again[1024] = {0}, padded[1024] = {0};

		cr_assert_eq(read_copy(&m, kind_of(v), data, &err), VEIL_OK, "%s: %s", vector_text(v, "name"),
			err.text);
		assert_message(&m, v);
		size = write_again(again, sizeof again, &m, v);
		/* the two of RFC 9458 come truncated: we write the empty sections */
		cr_assert_geq(size + padding, data.size);
		cr_assert_leq(size + padding, data.size + 3);
		cr_assert_arr_eq(again, data.data, data.size, "%s", vector_text(v, "name"));
		if (json_array_size(json_object_get(json_object_get(v, "message"), "informational")) == 0)
			cr_assert_eq(size, bhttp_bytes(&m, (enum bhttp_framing)vector_number(v, "framing")));
		for (size_t less = 0; less <= cut; less++) {
			cr_assert_eq(
				read_copy(&m, kind_of(v), (struct bytes){data.data, data.size - less}, &err),
				VEIL_OK, "%s less %zu", vector_text(v, "name"), less);
			assert_message(&m, v);
		}
		if (cut)
			cr_assert_eq(read_copy(&m, kind_of(v), (struct bytes){data.data, data.size - cut - 1},
					     &err),
				VEIL_E_MALFORMED);
		memcpy(padded, again, size);
		for (size_t more = 0; more < 300; more += 13) {
			cr_assert_eq(read_copy(&m, kind_of(v), (struct bytes){padded, size + more}, &err),
				VEIL_OK);
			assert_message(&m, v);
		}
		padded[size + 9] = 1;
		cr_assert_eq(
			read_copy(&m, kind_of(v), (struct bytes){padded, size + 10}, &err), VEIL_E_MALFORMED);
	}
}

static enum bhttp_kind kind_of_bytes(struct bytes data)
{
	return data.size && data.data[0] % 2 ? BHTTP_RESPONSE : BHTTP_REQUEST;
}

Test(rfc9292, line_2_every_case_is_accepted_or_rejected_as_listed)
{
	json_t *root = vector_load("bhttp-cases.json"), *v;
	size_t i;

	json_array_foreach(root, i, v)
	{
		struct bytes data = vector_bytes(v, "hex");
		bool accept = strcmp(vector_text(v, "expect"), "accept") == 0;
		struct veil_error err = {0};
		struct bhttp_message m;

		cr_assert_eq(read_copy(&m, kind_of_bytes(data), data, &err),
			accept ? VEIL_OK : VEIL_E_MALFORMED, "%s: %s", vector_text(v, "name"), err.text);
		cr_assert_eq(err.text[0] == 0, accept);
	}
}

Test(rfc9292, line_3_integers_of_every_width_and_the_largest_without_allocation)
{
	static const char *const same_status[] = {"0140c8", "01800000c8", "01c0000000000000c8", "400140c8",
		"8000000140c8", "c00000000000000140c8"};
	static const uint64_t edges[] = {
		0, 63, 64, 16383, 16384, (1u << 30) - 1, 1u << 30, ((uint64_t)1 << 62) - 1};
	struct bhttp_message m;
	struct veil_error err = {0};

	for (size_t i = 0; i < sizeof same_status / sizeof *same_status; i++) {
		cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, vector_unhex(same_status[i]), &err), VEIL_OK, "%s",
			err.text);
		cr_assert_eq(m.status, 200);
	}
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		uint8_t room[8];
		struct writer w;

		writer_init(&w, room, sizeof room);
		varint_write(&w, edges[i]);
		cr_assert_eq(w.at, varint_bytes(edges[i]));
		cr_assert_eq(varint_width(room[0]), w.at);
		cr_assert_eq(varint_load(room), edges[i]);
	}
	/* as a content length, a section length, a name's length and a chunk's length */
	cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, vector_unhex("0140c800ffffffffffffffff"), &err),
		VEIL_E_MALFORMED);
	cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, vector_unhex("0140c8ffffffffffffffff"), &err),
		VEIL_E_MALFORMED);
	cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, vector_unhex("0340c8ffffffffffffffff"), &err),
		VEIL_E_MALFORMED);
	cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, vector_unhex("0340c800ffffffffffffffff"), &err),
		VEIL_E_MALFORMED);
	cr_assert_eq(
		read_copy(&m, BHTTP_REQUEST, vector_unhex("00ffffffffffffffff"), &err), VEIL_E_MALFORMED);
}

Test(rfc9292, line_4_a_request_is_no_response_and_there_are_four_framings)
{
	struct bhttp_message m;
	struct veil_error err;

	for (unsigned framing = 0; framing < 256; framing++) {
		uint8_t data[] = {(uint8_t)framing, 0x40, 0xc8, 0, 0, 0};

		if (framing >= 64)
			continue; /* a wider integer */
		cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, (struct bytes){data, sizeof data}, &err),
			framing == 1 || framing == 3 ? VEIL_OK : VEIL_E_MALFORMED);
		cr_assert_eq(read_copy(&m, BHTTP_REQUEST, (struct bytes){data, sizeof data}, &err),
			VEIL_E_MALFORMED);
	}
	cr_assert_eq(read_copy(&m, BHTTP_REQUEST, vector_unhex("0140c8"), &err), VEIL_E_MALFORMED);
	cr_assert(strstr(err.text, "a response where a request is due"));
	cr_assert_eq(read_copy(&m, BHTTP_RESPONSE,
			     vector_unhex("00034745540568747470730b6578616d706c652e636f6d012f"), &err),
		VEIL_E_MALFORMED);
	cr_assert(strstr(err.text, "a request where a response is due"));
}

static enum veil_status one_field(struct bhttp_message *m, const char *name, struct bytes value)
{
	struct bhttp_message out = {
		.status = 200, .header_count = 1, .fields = {{.name = vector_string(name), .value = value}}};
	uint8_t data[512];
	size_t size = bhttp_bytes(&out, BHTTP_KNOWN_RESPONSE);

	REQUIRE(size <= sizeof data);
	bhttp_write(data, size, &out, BHTTP_KNOWN_RESPONSE);
	return read_copy(m, BHTTP_RESPONSE, (struct bytes){data, size}, NULL);
}

Test(rfc9292, line_5_names_are_lower_case_tokens_and_values_have_no_line_breaks_nor_outer_blanks)
{
	struct bhttp_message m;

	for (unsigned c = 1; c < 256; c++) {
		const char name[] = {'a', (char)c, 'b', 0};
		const uint8_t inside[] = {'a', (uint8_t)c, 'b'};
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			      (c < 128 && strchr("!#$%&'*+-.^_`|~", (int)c));

		cr_assert_eq(one_field(&m, name, vector_string("v")), letter ? VEIL_OK : VEIL_E_MALFORMED,
			"name %u", c);
		cr_assert_eq(one_field(&m, "a", (struct bytes){inside, 3}),
			c == '\r' || c == '\n' ? VEIL_E_MALFORMED : VEIL_OK, "value %u", c);
		if (c != '\r' && c != '\n')
			cr_assert_arr_eq(m.fields[0].value.data, inside, 3, "kept byte for byte");
		cr_assert_eq(one_field(&m, "a", (struct bytes){inside + 1, 1}),
			strchr("\r\n \t", (int)c) ? VEIL_E_MALFORMED : VEIL_OK, "outer %u", c);
	}
	cr_assert_eq(one_field(&m, "a", (struct bytes){(const uint8_t *)"a\0b", 3}), VEIL_E_MALFORMED);
	cr_assert_eq(one_field(&m, ":protocol", vector_string("x")), VEIL_OK);
	cr_assert_eq(one_field(&m, ":", vector_string("x")), VEIL_E_MALFORMED);
}

Test(rfc9292, line_7_statuses_of_100_to_199_repeat_and_200_to_599_are_final)
{
	struct bhttp_message m;

	for (unsigned status = 0; status < 1100; status++) {
		uint8_t data[32];
		struct writer w;
		bool informational = status >= 100 && status < 200, final = status >= 200 && status < 600;

		writer_init(&w, data, sizeof data);
		bhttp_put_framing(&w, BHTTP_KNOWN_RESPONSE);
		varint_write(&w, status);
		varint_write(&w, 0);
		if (informational) {
			varint_write(&w, status);
			varint_write(&w, 0);
			varint_write(
				&w, 204); /* with content: 204, 304 and HEAD carry what the message says */
			varint_write(&w, 0);
		}
		varint_write(&w, 1);
		writer_u8(&w, 'c');
		cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, (struct bytes){data, w.at}, NULL),
			informational || final ? VEIL_OK : VEIL_E_MALFORMED, "%u", status);
		if (informational || final) {
			cr_assert_eq(m.status, final ? status : 204);
			cr_assert(same(m.content, "c"));
		}
	}
}

/* Everything that a parser tells, as text: two feeds of one message must tell the same. */
static size_t tell(
	char *out, size_t room, enum bhttp_kind kind, struct bytes data, size_t piece, enum veil_status *st)
{
	static uint8_t buffer[BHTTP_MAX_SECTION_BYTES];
	struct bhttp_parser p;
	struct bhttp_event e;
	size_t at = 0;
	bool in_content = false;

	bhttp_parser_init(&p, kind, buffer, 1 << 20);
	*st = VEIL_OK;
	for (size_t start = 0; start < data.size && *st == VEIL_OK; start += piece) {
		size_t left = data.size - start;
		struct bytes own = copy(data.data + start, left < piece ? left : piece), in = own;

		while (in.size && *st == VEIL_OK) {
			*st = bhttp_next(&p, &in, &e, NULL);
			if (*st != VEIL_OK || e.kind == BHTTP_MORE)
				continue;
			if (e.kind != BHTTP_CONTENT || !in_content)
				at += (size_t)snprintf(out + at, room - at, "\n%d %u", e.kind, e.status);
			in_content = e.kind == BHTTP_CONTENT;
			for (int i = 0; i < 4; i++) {
				REQUIRE(at + 2 + e.text[i].size < room);
				if (e.kind != BHTTP_CONTENT)
					out[at++] = '|';
				if (e.text[i].size)
					memcpy(out + at, e.text[i].data, e.text[i].size);
				at += e.text[i].size;
			}
		}
		free((uint8_t *)(uintptr_t)own.data);
	}
	if (*st == VEIL_OK)
		*st = bhttp_end(&p, NULL);
	return at;
}

static void assert_same_in_pieces(struct bytes data, enum bhttp_kind kind)
{
	static char whole[1 << 16], pieces[1 << 16];
	enum veil_status want, got;
	size_t size = tell(whole, sizeof whole, kind, data, data.size ? data.size : 1, &want), n;

	for (size_t piece = 1; piece < data.size; piece += 1 + piece / 4) {
		n = tell(pieces, sizeof pieces, kind, data, piece, &got);
		cr_assert_eq(got, want, "pieces of %zu", piece);
		if (want == VEIL_OK) {
			cr_assert_eq(n, size);
			cr_assert_arr_eq(pieces, whole, n);
		}
	}
}

Test(rfc9292, line_8_trailers_and_messages_in_pieces_of_every_size)
{
	static const char *const files[] = {"bhttp-rfc9292.json", "bhttp-cases.json"};
	struct bhttp_message m;
	json_t *v;
	size_t i;

	for (size_t f = 0; f < 2; f++) {
		json_t *root = vector_load(files[f]);

		json_array_foreach(root, i, v)
		{
			struct bytes data = vector_bytes(v, "hex");

			assert_same_in_pieces(data, kind_of_bytes(data));
		}
	}
	/* content in chunks of 1, 2, 3... bytes comes back in one piece, with the trailer behind it */
	for (size_t chunk = 1; chunk < 400; chunk = chunk * 2 + 1) {
		struct bhttp_message out = {
			.status = 200, .fields = {{vector_string("t"), vector_string("1")}}};
		uint8_t data[2048], content[800];
		struct writer w;

		for (size_t b = 0; b < sizeof content; b++)
			content[b] = (uint8_t)(b * 7);
		writer_init(&w, data, sizeof data);
		bhttp_put_framing(&w, BHTTP_INDETERMINATE_RESPONSE);
		bhttp_put_head(&w, BHTTP_INDETERMINATE_RESPONSE, &out);
		for (size_t b = 0; b < sizeof content; b += chunk)
			bhttp_put_content(&w, BHTTP_INDETERMINATE_RESPONSE,
				(struct bytes){content + b,
					sizeof content - b < chunk ? sizeof content - b : chunk});
		bhttp_put_end(&w, BHTTP_INDETERMINATE_RESPONSE, out.fields, 1);
		assert_same_in_pieces((struct bytes){data, w.at}, BHTTP_RESPONSE);
		cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, (struct bytes){data, w.at}, NULL), VEIL_OK);
		cr_assert_eq(m.content.size, sizeof content);
		cr_assert_arr_eq(m.content.data, content, sizeof content);
		cr_assert_eq(m.trailer_count, 1);
		cr_assert(same(m.fields[0].name, "t") && same(m.fields[0].value, "1"));
	}
}

/* a response with `count` fields of `value` bytes */
static enum veil_status many_fields(enum bhttp_framing framing, size_t count, size_t value, bool pieces)
{
	static uint8_t data[1 << 20], text[1 << 16];
	static char told[1 << 20];
	struct bhttp_message out = {.status = 200, .header_count = count}, m;
	enum veil_status st;
	size_t size;

	memset(text, 'v', sizeof text);
	for (size_t i = 0; i < count; i++)
		out.fields[i] = (struct bhttp_field){vector_string("n"), {text, value}};
	size = bhttp_bytes(&out, framing);
	bhttp_write(data, size, &out, framing);
	if (!pieces)
		return read_copy(&m, BHTTP_RESPONSE, (struct bytes){data, size}, NULL);
	tell(told, sizeof told, BHTTP_RESPONSE, (struct bytes){data, size}, 1000, &st);
	return st;
}

Test(rfc9292, line_9_fields_sections_and_content_have_limits)
{
	static uint8_t buffer[BHTTP_MAX_SECTION_BYTES];
	uint8_t one_too_many[5 + 3 * (BHTTP_MAX_FIELDS + 1)] = {3, 0x40, 0xc8};
	struct bhttp_message m;
	struct bhttp_parser p;
	struct bhttp_event e;
	struct bytes in;

	for (int framing = BHTTP_KNOWN_RESPONSE; framing <= BHTTP_INDETERMINATE_RESPONSE; framing += 2) {
		for (int pieces = 0; pieces < 2; pieces++) {
			/* a line of a 1-byte name has 2 bytes, the value's length 4 (2 below 16384), the end
			 * 1 */
			cr_assert_eq(many_fields(framing, BHTTP_MAX_FIELDS, 100, pieces), VEIL_OK);
			cr_assert_eq(many_fields(framing, 1, BHTTP_MAX_SECTION_BYTES - 5, pieces), VEIL_OK);
			cr_assert_eq(many_fields(framing, 1, BHTTP_MAX_SECTION_BYTES - 3, pieces),
				VEIL_E_MALFORMED);
			cr_assert_eq(many_fields(framing, BHTTP_MAX_FIELDS, 256, pieces), VEIL_E_MALFORMED);
		}
	}
	for (size_t i = 0; i <= BHTTP_MAX_FIELDS; i++)
		memcpy(one_too_many + 3 + 3 * i, "\1a\0", 3);
	cr_assert_eq(read_copy(&m, BHTTP_RESPONSE, (struct bytes){one_too_many, sizeof one_too_many}, NULL),
		VEIL_E_MALFORMED);
	for (size_t limit = 0; limit < 10; limit++) {
		enum veil_status st = VEIL_OK;

		in = vector_unhex("0340c80003616263036465660000"); /* six bytes of content */
		bhttp_parser_init(&p, BHTTP_RESPONSE, buffer, limit);
		while (st == VEIL_OK && in.size)
			st = bhttp_next(&p, &in, &e, NULL);
		cr_assert_eq(st, limit >= 6 ? VEIL_OK : VEIL_E_MALFORMED, "limit %zu", limit);
	}
}
