/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_UNPACK_H
#define WIRE_UNPACK_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "rlwe/params.h"
#include "veil/status.h"

/* Between protobuf-c and the conversions of this folder. */

/** What protobuf-c may use beyond the fields of a message: enough to describe a few unknown fields, so that
 * the error can name them. A body made of thousands of tiny fields runs out of it and is refused. */
#define WIRE_SLACK_BYTES 4096

/** Unpacks into the arena, in nothing but what it has left; VEIL_E_MALFORMED. What was taken is for the
 * caller to release. */
enum veil_status wire_unpack(ProtobufCMessage **out, const ProtobufCMessageDescriptor *type,
	struct arena *arena, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

/** Refuses unknown fields, in the message and in those inside it, and bytes that are not those that
 * protobuf-c writes for the message: a field twice or out of order, a zero that could be left out, a number
 * that is not in its shortest form, numbers that are not packed. `data` is what m was unpacked from. */
enum veil_status wire_check_canonical(
	const ProtobufCMessage *m, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

/** A message whose fields are all there but those of number `optional` and more, in nothing but the bytes it
 * needs: VEIL_E_MALFORMED. Field 1 is the version of the protocol and judged before all others:
 * VEIL_E_VERSION. `out` is the type's struct. */
#define WIRE_ALL_FIELDS UINT32_MAX
enum veil_status wire_unpack_whole(const ProtobufCMessageDescriptor *type, unsigned optional, void *out,
	struct arena *arena, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

/** Printable UTF-8, without control characters: names are shown on terminals. */
bool wire_is_text(const uint8_t *p, size_t size) VEIL_MUST_CHECK;

/** The parameter set of that name: VEIL_E_MALFORMED, VEIL_E_UNSUPPORTED name message and field. */
enum veil_status wire_find_params(const struct rlwe_params **params, const ProtobufCBinaryData *name,
	const char *message, const char *field, struct veil_error *err) VEIL_MUST_CHECK;

/** Refuses a field of bytes that has not the size it must have. */
enum veil_status wire_want_size(const char *message, const char *field, size_t have, size_t want,
	struct veil_error *err) VEIL_MUST_CHECK;

/** A field of bytes of somebody else's. protobuf-c does not write through the pointer. */
ProtobufCBinaryData wire_view(const void *data, size_t size);

#endif
