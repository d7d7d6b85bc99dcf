/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OHTTP_VECTOR_H
#define TESTS_UNIT_OHTTP_VECTOR_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/require.h"
#include "base/rng.h"
#include "ohttp/crypto.h"
#include "support/test.h"

/* Known answers of tests/kat/ohttp: JSON whose binary values are hex. Memory is left to the test's process.
 */

/** What is allocated here can be reached until the test's process ends, so that no sanitizer calls it lost.
 */
static inline void *vector_keep(void *p)
{
	static void **kept;
	static size_t count, room;

	if (count == room) {
		room = 2 * room + 64;
		kept = realloc(kept, room * sizeof *kept);
		REQUIRE(kept);
	}
	REQUIRE(p);
	return kept[count++] = p;
}

static inline json_t *vector_load(const char *name)
{
	char path[128];
	json_error_t error;
	json_t *root;

	snprintf(path, sizeof path, "tests/kat/ohttp/%s", name);
	root = json_load_file(test_source_path(path), 0, &error);
	cr_assert_not_null(root, "%s: %s", path, error.text);
	return vector_keep(root);
}

static inline struct bytes vector_unhex(const char *hex)
{
	size_t size = strlen(hex) / 2;
	uint8_t *data = vector_keep(malloc(size + 1));

	REQUIRE(strlen(hex) % 2 == 0);
	for (size_t i = 0; i < size; i++) {
		char digits[3] = {hex[2 * i], hex[2 * i + 1], 0}, *end;

		data[i] = (uint8_t)strtoul(digits, &end, 16);
		REQUIRE(*end == 0);
	}
	return (struct bytes){data, size};
}

static inline struct bytes vector_bytes(const json_t *object, const char *key)
{
	const char *hex = json_string_value(json_object_get(object, key));

	cr_assert_not_null(hex, "the vector has no %s", key);
	return vector_unhex(hex);
}

static inline const char *vector_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static inline unsigned vector_number(const json_t *object, const char *key)
{
	return (unsigned)json_integer_value(json_object_get(object, key));
}

static inline struct bytes vector_string(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline struct crypto *vector_crypto(void)
{
	struct crypto *c;
	struct veil_error err = {0};

	cr_assert_eq(crypto_create(&c, &err), VEIL_OK, "%s", err.text);
	return vector_keep(c);
}

/** A generator that hands out given bytes, once: the ephemeral keys and nonces of known answers. */
struct vector_rng {
	struct bytes left;
};

static inline void vector_rng_fill(void *state, void *out, size_t size)
{
	struct vector_rng *r = state;

	REQUIRE(size <= r->left.size);
	memcpy(out, r->left.data, size);
	r->left.data += size, r->left.size -= size;
}

static inline struct rng vector_rng(struct vector_rng *state, struct bytes values)
{
	state->left = values;
	return (struct rng){.fill = vector_rng_fill, .state = state};
}

#define assert_bytes(got, want, name) \
	cr_assert((want).size == 0 || memcmp((got), (want).data, (want).size) == 0, "%s differs", (name))

#endif
