/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/unpack.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

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
