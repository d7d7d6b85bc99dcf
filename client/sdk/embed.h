/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_EMBED_H
#define SDK_EMBED_H

#include <stddef.h>

#include "veil/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The seam behind which a network runs, in embed_onnxruntime.c or embed_opencv.cpp: one of shape
 * float[1][EMBED_SIDE][EMBED_SIDE][3], red green blue from 0 to 1, to float[1][EMBED_DIM]. */
#define EMBED_SIDE 128
#define EMBED_DIM 128
#define EMBED_PIXELS (EMBED_SIDE * EMBED_SIDE * 3)

/** A network that has been loaded; used by one thread at a time. */
struct encoder;

/** Loads the `size` bytes of an ONNX file, which are not needed afterwards. */
enum veil_status encoder_create(
	struct encoder **out, const void *model, size_t size, struct veil_error *err) VEIL_MUST_CHECK;

/** `vector` gets EMBED_DIM numbers for EMBED_PIXELS numbers; undefined on failure. What the library keeps of
 * its own steps in between is not wiped. */
enum veil_status encoder_run(
	struct encoder *encoder, float *vector, const float *pixels, struct veil_error *err) VEIL_MUST_CHECK;

/** Accepts NULL. */
void encoder_destroy(struct encoder *encoder);

#ifdef __cplusplus
}
#endif
#endif
