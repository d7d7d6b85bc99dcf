/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/unpack.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "wire/messages.h"

static void *take(void *state, size_t size)
{
	struct arena *arena = state;

	return arena_room(size) >= size && arena_room(size) <= arena->size - arena->used
		       ? arena_take(arena, size)
		       : NULL;
}

static void give(void *state, void *p)
{
	(void)state; /* the arena is released as a whole */
	(void)p;
}

enum veil_status wire_unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *type,
	struct arena *arena, const void *data, size_t size, struct veil_error *err)
{
	ProtobufCAllocator allocator = {.alloc = take, .free = give, .allocator_data = arena};

	*out = protobuf_c_message_unpack(type, &allocator, size, data);
	if (!*out)
		return error_set(err, VEIL_E_MALFORMED, "the %zu bytes are not a protobuf message %s", size,
			type->short_name);
	return VEIL_OK;
}

static enum veil_status check_known(const ProtobufCMessage *m, struct veil_error *err);

/* The messages in a field. */
static enum veil_status check_field(
	const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, struct veil_error *err)
{
	const uint8_t *at = (const uint8_t *)m;
	const ProtobufCMessage *const *inside = (const void *)(at + f->offset);
	enum veil_status st = VEIL_OK;
	size_t count = 1;

	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return VEIL_OK;
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		memcpy(&count, at + f->quantifier_offset, sizeof count);
		memcpy(&inside, at + f->offset, sizeof inside);
	} else if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t which;

		memcpy(&which, at + f->quantifier_offset, sizeof which);
		count = which == f->id;
	}
	for (size_t i = 0; i < count && st == VEIL_OK; i++)
		if (inside[i])
			st = check_known(inside[i], err);
	return st;
}

static enum veil_status check_known(const ProtobufCMessage *m, struct veil_error *err)
{
	const ProtobufCMessageDescriptor *type = m->descriptor;
	enum veil_status st = VEIL_OK;

	if (m->n_unknown_fields)
		return error_set(err, VEIL_E_MALFORMED, "%s: unknown field %u", type->short_name,
			(unsigned)m->unknown_fields->tag);
	for (unsigned i = 0; i < type->n_fields && st == VEIL_OK; i++)
		st = check_field(m, type->fields + i, err);
	return st;
}

/* What is written is compared, and kept nowhere. */
struct comparison {
	ProtobufCBuffer buffer;
	const uint8_t *at;
	size_t left;
	bool same;
};

static void compare(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
	struct comparison *c = (struct comparison *)buffer;

	c->same = c->same && size <= c->left && (size == 0 || memcmp(c->at, data, size) == 0);
	if (!c->same)
		return;
	c->at += size;
	c->left -= size;
}

enum veil_status wire_check_canonical(
	const ProtobufCMessage *m, const void *data, size_t size, struct veil_error *err)
{
	struct comparison c = {.buffer = {compare}, .at = data, .left = size, .same = true};
	enum veil_status st = check_known(m, err);

	if (st != VEIL_OK)
		return st;
	protobuf_c_message_pack_to_buffer(m, &c.buffer);
	if (!c.same || c.left)
		st = error_set(err, VEIL_E_MALFORMED,
			"%s: a field occurs twice, out of order, or not in its minimal form",
			m->descriptor->short_name);
	return st;
}

enum veil_status wire_want_size(
	const char *message, const char *field, size_t have, size_t want, struct veil_error *err)
{
	if (have == want)
		return VEIL_OK;
	return error_set(
		err, VEIL_E_MALFORMED, "%s: %s has %zu bytes instead of %zu", message, field, have, want);
}

ProtobufCBinaryData wire_view(const void *data, size_t size)
{
	ProtobufCBinaryData v = {.len = size};

	memcpy(&v.data, &data, sizeof v.data);
	return v;
}

enum veil_status wire_unpack_whole(const ProtobufCMessageDescriptor *type, unsigned optional, void *out,
	struct arena *arena, const void *data, size_t size, struct veil_error *err)
{
	ProtobufCMessage *m;
	const char *name = type->short_name;
	enum veil_status st = wire_unpack(&m, type, arena, data, size, err);

	if (st != VEIL_OK)
		return st;
	/* Field 1 of every message; first, since another version may differ in all the rest. */
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = type->fields + i;
		const uint8_t *at = (const uint8_t *)m;
		protobuf_c_boolean has;
		uint32_t version;

		memcpy(&has, at + f->quantifier_offset, sizeof has);
		if (!has && f->id < optional)
			return error_set(err, VEIL_E_MALFORMED, "%s: field %s is missing", name, f->name);
		if (i > 0)
			continue;
		memcpy(&version, at + f->offset, sizeof version);
		if (version != WIRE_VERSION)
			return error_set(err, VEIL_E_VERSION, "%s: protocol version %u; this side speaks %u",
				name, (unsigned)version, WIRE_VERSION);
	}
	st = wire_check_canonical(m, data, size, err);
	if (st != VEIL_OK)
		return st;
	memcpy(out, m, type->sizeof_message);
	return VEIL_OK;
}

/* Length of the UTF-8 sequence at p, 0 if it is none or a control character: names are printed on terminals.
 */
static size_t utf8_length(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = {0, 0x20, 0xa0, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c >= least[n] && c != 0x7f && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

bool wire_is_text(const uint8_t *p, size_t size)
{
	for (size_t at = 0, n; at < size; at += n) {
		n = utf8_length(p + at, size - at);
		if (n == 0)
			return false;
	}
	return true;
}

enum veil_status wire_find_params(const struct rlwe_params **params, const ProtobufCBinaryData *name,
	const char *message, const char *field, struct veil_error *err)
{
	char text[WIRE_MAX_NAME_BYTES + 1] = {0};

	if (name->len > WIRE_MAX_NAME_BYTES || !wire_is_text(name->data, name->len))
		return error_set(
			err, VEIL_E_MALFORMED, "%s: %s is not the name of a parameter set", message, field);
	if (name->len)
		memcpy(text, name->data, name->len);
	*params = rlwe_params_find(text);
	if (!*params)
		return error_set(err, VEIL_E_UNSUPPORTED,
			"%s: parameter set '%s' is unknown to this build; a newer client may know it",
			message, text);
	return VEIL_OK;
}
