/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_IMAGE_H
#define SDK_IMAGE_H

#include <stdint.h>

#include "base/bytes.h"
#include "veil/embed.h"

/** A picture as it is stored in its file. */
struct image {
	uint32_t width, height; /* 1.., their product at most VEIL_MAX_IMAGE_PIXELS */
	uint8_t *rgba; /* [height][width][4], sRGB, alpha not multiplied in */
	unsigned orientation; /* 1..8 as EXIF counts: what image_prepare still has to undo */
};

/** Decodes a PNG, JPEG or WebP file, told by its first bytes. VEIL_E_INVALID (another format, damaged, cut
 * off, animated, beyond a limit of veil/embed.h) or VEIL_E_NOMEM. Its sentence and that of image_prepare
 * begin with a verb: the caller puts the name of the picture before it. */
enum veil_status image_decode(struct image *out, struct bytes file, struct veil_error *err) VEIL_MUST_CHECK;
/** Wipes the picture; accepts a zeroed image. */
void image_clear(struct image *image);

/** The numbers the model was trained on: the picture on white, cropped to the box of pixels that differ from
 * white by more than 12 in a channel, centred in a white square, that resized to EMBED_SIDE with a box of
 * bilinear samples, upright, scaled to 0..1. `pixels` has EMBED_PIXELS numbers (embed.h). VEIL_E_INVALID
 * where all is white. Source: tests/data/emoji/ATTRIBUTION.md; anything else costs accuracy (0.997 cosine
 * without the crop). */
enum veil_status image_prepare(
	float *pixels, const struct image *image, struct veil_error *err) VEIL_MUST_CHECK;

/* What image_decode is made of; one file a format, each the owner of its library's header. */

/** Sets the size and allocates rgba, if it is within the limit. */
enum veil_status image_reserve(
	struct image *image, uint64_t width, uint64_t height, struct veil_error *err) VEIL_MUST_CHECK;
/** These fill a zeroed image; on failure image_clear is the caller's. */
enum veil_status image_read_png(
	struct image *image, struct bytes file, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status image_read_jpeg(
	struct image *image, struct bytes file, struct veil_error *err) VEIL_MUST_CHECK;
enum veil_status image_read_webp(
	struct image *image, struct bytes file, struct veil_error *err) VEIL_MUST_CHECK;

/** The orientation in EXIF data (a TIFF file, perhaps after "Exif\0\0"), 1 where there is none that makes
 * sense: a picture is not refused for its metadata. Source: CIPA DC-008 (Exif 2.32) 4.6.4 A, tag 274. */
unsigned exif_orientation(struct bytes exif);

#endif
