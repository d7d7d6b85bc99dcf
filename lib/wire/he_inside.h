/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_HE_INSIDE_H
#define WIRE_HE_INSIDE_H

#include <stdbool.h>

#include "he.pb-c.h"
#include "wire/he.h"
#include "wire/unpack.h"

/* What the files of wire/he.h share. Messages that are made lie in `scratch`; with `pack` their bytes too,
 * without it those have a size alone. */

He__SerializedCiphertextVec *wire_he_make_ciphertexts(const struct rlwe_ciphertext *cts, size_t count,
	const unsigned *skip, bool pack, struct arena *scratch);
enum veil_status wire_he_take_seeded(struct rlwe_ciphertext *ct, struct drbg *drbg,
	const He__SerializedSeededCiphertext *m, struct veil_error *err) VEIL_MUST_CHECK;

/** The size of a message, which is written if `out` is not NULL; gives the scratch back. */
size_t wire_he_finish(uint8_t *out, const ProtobufCMessage *m, struct arena *scratch, size_t mark);
/** A message of this type in its canonical form, in `scratch`. */
enum veil_status wire_he_start(ProtobufCMessage **m, const ProtobufCMessageDescriptor *type,
	struct arena *scratch, const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

#endif
