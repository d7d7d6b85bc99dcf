/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "build/arguments.h"
#include "build/kv.h"
#include "index/label.h"
#include "store/versions.h"

#define PIECE 32768u /* bytes of a value in one chunk, where nobody says otherwise */

#define AT(field) offsetof(struct kv_options, field)

static const struct argument options[] = {
	{"name", ARGUMENT_TEXT, AT(name), 0, 0},
	{"classes", ARGUMENT_TEXT, AT(classes), 0, 0},
	{"keys", ARGUMENT_COUNT, AT(keys), 1, SILENT_MAX_KEYS},
	{"number", ARGUMENT_FLAG, AT(number), 0, 0},
	{"no-delta", ARGUMENT_FLAG, AT(no_delta), 0, 0},
	{"memory", ARGUMENT_SIZE, AT(memory), 0, 0},
#define UPDATE 6 /* from here on */
	{"input", ARGUMENT_TEXT, AT(input), 0, 0},
	{"output", ARGUMENT_TEXT, AT(output), 0, 0},
	{"keep", ARGUMENT_COUNT, AT(keep), 0, STORE_MAX_KEEP},
	{"threads", ARGUMENT_COUNT, AT(threads), 1, ARGUMENT_MAX_THREADS},
	{"json", ARGUMENT_FLAG, AT(json), 0, 0},
	{0},
};

enum veil_status kv_options_read(
	struct kv_options *o, bool update, int argc, char **argv, struct veil_error *err)
{
	enum veil_status st;

	*o = (struct kv_options){.keys = 1, .keep = 1, .threads = arguments_threads()};
	st = arguments_read(o, update ? options + UPDATE : options, argc, argv, err);
	if (st != VEIL_OK)
		return st;
	if (!o->input)
		return error_set(err, VEIL_E_INVALID, "--input FILE is missing");
	if (!o->output)
		return error_set(err, VEIL_E_INVALID, "--output DIR is missing");
	if (!o->name) {
		const char *slash = strrchr(o->input, '/');

		o->name = slash ? slash + 1 : o->input;
	}
	if (!o->name[0] || strlen(o->name) > SILENT_MAX_NAME || !index_text_valid(o->name, strlen(o->name)))
		return error_set(err, VEIL_E_INVALID,
			"--name: not UTF-8 without control characters of 1 to %d bytes", SILENT_MAX_NAME);
	return VEIL_OK;
}

/* One "BYTES[/CHUNKS]"; *at moves behind it. */
static bool read_class(struct silent_size *size, const char **at)
{
	unsigned long bytes, chunks;
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	bytes = strtoul(*at, &end, 10);
	chunks = (bytes + PIECE - 1) / PIECE;
	if (*end == '/' && end[1] >= '0' && end[1] <= '9')
		chunks = strtoul(end + 1, &end, 10);
	*at = end;
	*size = (struct silent_size){(uint32_t)bytes, (uint32_t)chunks};
	return bytes >= 1 && bytes <= SILENT_KEYWORD_MAX_VALUE && chunks >= 1 && chunks <= bytes &&
	       chunks <= SILENT_MAX_LOOKUPS;
}

enum veil_status kv_options_classes(
	struct silent_plan *plan, const struct kv_options *o, size_t longest, struct veil_error *err)
{
	const char *at = o->classes;
	char one[24];

	if (!at) {
		snprintf(one, sizeof one, "%zu", longest ? longest : 1);
		at = one;
	}
	for (plan->classes = 0; plan->classes < SILENT_MAX_CLASSES; at++) {
		struct silent_size *size = &plan->size[plan->classes++];

		if (!read_class(size, &at) ||
			(plan->classes > 1 && size->value_bytes <= size[-1].value_bytes))
			break;
		if (size->chunks * o->keys > SILENT_MAX_LOOKUPS)
			return error_set(err, VEIL_E_INVALID,
				"--classes: %u chunks for each of %u keys of a request are more than %d",
				size->chunks, o->keys, SILENT_MAX_LOOKUPS);
		if (*at == 0)
			return VEIL_OK;
		if (*at != ',')
			break;
	}
	return error_set(err, VEIL_E_INVALID,
		"--classes %s: not one to four sizes of values, rising, in bytes and perhaps chunks, as "
		"256,4096,1048576/64",
		o->classes ? o->classes : one);
}
