/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/collection.h"

#include <stdlib.h>
#include <string.h>

#include "craft.h"

#define FIELDS 10
#define CLASS_BYTES 108

static struct wire_collection sample(void)
{
	struct wire_collection w = {.collection = {.name = "Vendors – ベンダー",
					    .params = rlwe_params_find("retrieval_n2048_q40"),
					    .access = SILENT_BY_KEY,
					    .keys = 3,
					    .records = 41946,
					    .base_epoch = 7,
					    .epoch = 9,
					    .classes = 2}};

	w.collection.class[0].chunks = 1;
	w.collection.class[0].base = (struct silent_table){.rows = 2048,
		.packs = 1,
		.slots = 24,
		.record_bytes = 84,
		.attempt = 2,
		.static_hash = {1, 2}};
	w.collection.class[1].chunks = 3;
	w.collection.class[1].base = (struct silent_table){
		.rows = 4096, .packs = 2, .slots = 8, .record_bytes = 500, .static_hash = {3}};
	w.collection.class[1].delta = (struct silent_table){
		.rows = 2048, .packs = 1, .slots = 4, .record_bytes = 500, .static_hash = {[31] = 4}};
	memset(w.id, 5, sizeof w.id);
	return w;
}

static size_t body_of(uint8_t **body, const struct wire_collection *w)
{
	size_t size;

	cr_assert_eq(wire_collection_write(body, &size, w), VEIL_OK);
	return size;
}

Test(collection, comes_back_as_it_was_written)
{
	const struct wire_collection w = sample();
	struct wire_collection got;
	struct veil_error err = {{0}};
	uint8_t *body;
	size_t size = body_of(&body, &w);

	cr_assert_eq(wire_collection_read(&got, body, size, &err), VEIL_OK, "%s", err.text);
	cr_assert_arr_eq(got.id, w.id, HASH_BYTES);
	cr_assert_str_eq(got.collection.name, w.collection.name);
	cr_assert_eq(got.collection.params, w.collection.params);
	cr_assert_eq(got.collection.keys, 3);
	cr_assert_eq(got.collection.records, 41946);
	cr_assert(got.collection.base_epoch == 7 && got.collection.epoch == 9);
	cr_assert_eq(silent_collection_tables(&got.collection), 3);
	for (unsigned t = 0; t < 3; t++)
		cr_assert_arr_eq(silent_collection_table(&got.collection, t).table,
			silent_collection_table(&w.collection, t).table, sizeof(struct silent_table));
	free(body);
}

Test(collection, cut_anywhere_or_longer_it_is_refused)
{
	const struct wire_collection w = sample();
	struct wire_collection got = {.id = {77}};
	struct veil_error err;
	uint8_t *body, longer[2048] = {0};
	size_t size = body_of(&body, &w);

	for (size_t cut = 0; cut < size; cut++) {
		err.text[0] = 0;
		cr_assert_eq(
			wire_collection_read(&got, body, cut, &err), VEIL_E_MALFORMED, "cut at %zu", cut);
		cr_assert(err.text[0]);
	}
	memcpy(longer, body, size);
	for (size_t more = size + 1; more <= sizeof longer; more += 97)
		cr_assert_eq(wire_collection_read(&got, longer, more, &err), VEIL_E_MALFORMED, "%zu", more);
	cr_assert_eq(got.id[0], 77, "untouched");
	free(body);
}

/* The same as sample() with one field changed. */
static void refused(uint32_t number, struct craft_field to, enum veil_status status, const char *why)
{
	const struct wire_collection w = sample();
	uint8_t *body, crafted[2048];
	const size_t size = body_of(&body, &w);
	struct craft_field f[FIELDS] = {
		{1, CRAFT_FIXED32, WIRE_VERSION, 0, NULL},
		{2, CRAFT_BYTES, 5, HASH_BYTES, NULL},
		{3, CRAFT_BYTES, 0, strlen(w.collection.name), w.collection.name},
		{4, CRAFT_BYTES, 0, strlen(w.collection.params->name), w.collection.params->name},
		{5, CRAFT_FIXED32, SILENT_BY_KEY, 0, NULL},
		{6, CRAFT_FIXED32, 3, 0, NULL},
		{7, CRAFT_FIXED64, 41946, 0, NULL},
		{8, CRAFT_FIXED64, 7, 0, NULL},
		{9, CRAFT_FIXED64, 9, 0, NULL},
		{10, CRAFT_BYTES, 0, 2 * CLASS_BYTES, body + size - 2 * CLASS_BYTES},
	};
	struct wire_collection got;
	struct veil_error err = {{0}};

	cr_assert_eq(
		wire_collection_read(&got, crafted, craft_message(crafted, sizeof crafted, f, FIELDS), &err),
		VEIL_OK, "%s", err.text);
	to.number = number;
	f[number - 1] = to;
	cr_assert_eq(
		wire_collection_read(&got, crafted, craft_message(crafted, sizeof crafted, f, FIELDS), &err),
		status, "field %u: %s", (unsigned)number, err.text);
	cr_assert(strstr(err.text, why), "%s", err.text);
	free(body);
}

Test(collection, each_field_is_refused_by_name)
{
	const struct wire_collection w = sample();
	uint8_t *body, classes[2 * CLASS_BYTES];
	const size_t size = body_of(&body, &w);
	const struct craft_field text = {.kind = CRAFT_BYTES, .size = sizeof classes, .data = classes};

	refused(1, (struct craft_field){.kind = CRAFT_FIXED32, .value = 2}, VEIL_E_VERSION, "version 2");
	refused(2, (struct craft_field){.kind = CRAFT_BYTES, .size = 31}, VEIL_E_MALFORMED, "id");
	refused(3, (struct craft_field){.kind = CRAFT_BYTES, .size = 0}, VEIL_E_MALFORMED, "name");
	refused(3, (struct craft_field){.kind = CRAFT_BYTES, .size = 1, .data = "\n"}, VEIL_E_MALFORMED,
		"name");
	refused(4, (struct craft_field){.kind = CRAFT_BYTES, .size = 4, .data = "none"}, VEIL_E_UNSUPPORTED,
		"'none'");
	refused(4, (struct craft_field){.kind = CRAFT_BYTES, .size = 16, .data = "search_n2048_q28"},
		VEIL_E_MALFORMED, "not for retrieval");
	refused(5, (struct craft_field){.kind = CRAFT_FIXED32, .value = 2}, VEIL_E_MALFORMED, "access is 2");
	refused(6, (struct craft_field){.kind = CRAFT_FIXED32, .value = 65}, VEIL_E_MALFORMED, "65 keys");
	refused(8, (struct craft_field){.kind = CRAFT_FIXED64, .value = 10}, VEIL_E_MALFORMED, "epochs");
	refused(9, (struct craft_field){.kind = CRAFT_FIXED64, .value = 6}, VEIL_E_MALFORMED, "epochs");
	refused(10, (struct craft_field){.kind = CRAFT_BYTES, .size = CLASS_BYTES - 1}, VEIL_E_MALFORMED,
		"classes has 107 bytes");
	refused(10, (struct craft_field){.kind = CRAFT_BYTES, .size = 5 * CLASS_BYTES}, VEIL_E_MALFORMED,
		"classes has 540 bytes");
	memcpy(classes, body + size - sizeof classes, sizeof classes);
	store_le32(classes + 4, 2047);
	refused(10, text, VEIL_E_MALFORMED, "class 0, base: \"rows\"");
	store_le32(classes + 4, 2048);
	classes[56 + 51] = 1; /* the hash of a delta that is not there */
	refused(10, text, VEIL_E_MALFORMED, "class 0 describes a table without rows");
	free(body);
}
