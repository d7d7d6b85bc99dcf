/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_EMBED_H
#define VEIL_EMBED_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Turns pictures into vectors, on this machine alone: nothing is sent. The model, made for drawings of
 * single things on a light ground, is part of the library. An embedder is used by one thread at a
 * time. The picture's bytes and pixels are wiped before memory is given back; what the libraries that decode
 * it and run the model keep of their own steps is not. */
struct veil_embedder;

/** Loads the model. VEIL_E_UNSUPPORTED where the library was built without what it needs to run one: the
 * sentence tells what to install. */
VEIL_EXPORT enum veil_status veil_embedder_create(
	struct veil_embedder **out, struct veil_error *err) VEIL_MUST_CHECK;

/** Numbers in a vector. */
VEIL_EXPORT uint32_t veil_embedder_dim(const struct veil_embedder *embedder);

/** The vector of a picture, `dim` = veil_embedder_dim numbers, norm 1. `data` is a whole PNG, JPEG or WebP
 * file of at most VEIL_MAX_IMAGE_BYTES, its picture at most VEIL_MAX_IMAGE_PIXELS: both are known before
 * anything is allocated for them. Any colours (grey, palette, 16 bits, CMYK) will do; what is transparent is
 * taken as white; the orientation in its EXIF data is applied. VEIL_E_INVALID says why it cannot be: another
 * format, damaged, too large, animated, all white. `vector` is then untouched. */
VEIL_EXPORT enum veil_status veil_embedder_embed(struct veil_embedder *embedder, float *vector, uint32_t dim,
	const void *data, size_t size, struct veil_error *err) VEIL_MUST_CHECK;
#define VEIL_MAX_IMAGE_BYTES ((size_t)32 << 20)
#define VEIL_MAX_IMAGE_PIXELS ((uint64_t)40000000)

/** The same of a file; sentences begin with its name. VEIL_E_IO too. */
VEIL_EXPORT enum veil_status veil_embedder_embed_file(struct veil_embedder *embedder, float *vector,
	uint32_t dim, const char *path, struct veil_error *err) VEIL_MUST_CHECK;

/** Accepts NULL. */
VEIL_EXPORT void veil_embedder_destroy(struct veil_embedder *embedder);

#ifdef __cplusplus
}
#endif
#endif
