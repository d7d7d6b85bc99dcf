/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/output.h"

/* UTF-8 as text under `name`, all else as hexadecimal digits under `hex_name`. */
static void set_bytes(json_t *object, const char *name, const char *hex_name, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	json_t *text = json_stringn(data, size);
	char *hex;

	if (text) {
		json_object_set_new(object, name, text);
		return;
	}
	hex = calloc(2 * size + 1, 1);
	for (size_t i = 0; hex && i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	json_object_set_new(object, hex_name, json_string(hex ? hex : ""));
	free(hex);
}

static json_t *pack_value(const struct veil_key *key, const struct veil_value *value)
{
	json_t *one = json_object();

	set_bytes(one, "key", "key_hex", key->data, key->size);
	json_object_set_new(one, "found", json_boolean(value->found));
	if (value->found)
		set_bytes(one, "value", "hex", value->data, value->size);
	return one;
}

static json_t *pack(const struct veil_collection_info *info, const struct veil_key *keys, uint32_t first,
	uint32_t count, const struct veil_values *values)
{
	const struct veil_lookup_cost *c = veil_values_cost(values);
	json_t *list = json_array();

	for (uint32_t i = first; i < first + count; i++)
		json_array_append_new(list, pack_value(&keys[i], veil_values_at(values, i)));
	return json_pack("{ss ss si so s{sI sI sI sf sf sf sf}}", "collection", info->name, "id", info->id,
		"keys", (int)info->keys, "values", list, "cost", "bytes_up", (json_int_t)c->bytes_up,
		"bytes_down", (json_int_t)c->bytes_down, "static_bytes", (json_int_t)info->static_bytes,
		"encrypt_ms", c->encrypt_us / 1e3, "decrypt_ms", c->decrypt_us / 1e3, "network_ms",
		c->network_us / 1e3, "server_ms", c->server_us < 0 ? -1 : c->server_us / 1e3);
}

/* What a terminal would act on is not written to it: control characters, those of U+0080 to U+009F too. */
static void print_text(const json_t *text)
{
	const char *p = json_string_value(text), *end = p + json_string_length(text);

	for (; p < end; p++) {
		const unsigned char c = (unsigned char)*p;
		const bool c1 = c == 0xc2 && p + 1 < end && (unsigned char)p[1] < 0xa0;

		p += c1;
		putchar(c < 0x20 || c == 0x7f || c1 ? '?' : c);
	}
}

/* Of somebody else's bytes: as text, or their digits. */
static bool print_bytes(const json_t *object, const char *name, const char *hex_name)
{
	const json_t *text = json_object_get(object, name), *hex = json_object_get(object, hex_name);

	if (text)
		print_text(text);
	else if (hex)
		printf("0x%s", json_string_value(hex));
	return text || hex;
}

int output_values(const struct veil_collection_info *info, const struct veil_key *keys, uint32_t first,
	uint32_t count, const struct veil_values *values, int as_json)
{
	json_t *answer = pack(info, keys, first, count, values);
	json_t *cost, *one;
	size_t i;

	if (!answer) {
		fputs("veil: no memory for the answer\n", stderr);
		return CLI_INPUT;
	}
	if (as_json) {
		json_dumpf(answer, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
		putchar('\n');
	}
	json_array_foreach(json_object_get(answer, "values"), i, one)
	{
		if (as_json)
			break;
		print_bytes(one, "key", "key_hex");
		printf("  ");
		if (!print_bytes(one, "value", "hex"))
			printf("is not there");
		putchar('\n');
	}
	cost = json_object_get(answer, "cost");
	if (!as_json)
		printf("\n%lld bytes up, %lld down; encrypt %.1f ms, server %.1f ms, decrypt %.1f ms\n",
			(long long)json_integer_value(json_object_get(cost, "bytes_up")),
			(long long)json_integer_value(json_object_get(cost, "bytes_down")),
			json_real_value(json_object_get(cost, "encrypt_ms")),
			json_real_value(json_object_get(cost, "server_ms")),
			json_real_value(json_object_get(cost, "decrypt_ms")));
	json_decref(answer);
	return cli_finish();
}
