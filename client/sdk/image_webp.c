/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/image.h"

#include <string.h>
#include <webp/decode.h>

#include "base/error.h"

/* Chunks of a RIFF file: a name of four letters, a size, as many bytes, one more where that is odd. */
static unsigned find_orientation(struct bytes file)
{
	size_t at = 12;

	while (file.size - at >= 8) {
		const uint8_t *p = file.data + at;
		size_t size = load_le32(p + 4);

		if (file.size - at - 8 < size)
			break;
		if (memcmp(p, "EXIF", 4) == 0)
			return exif_orientation((struct bytes){p + 8, size});
		at += 8 + size;
		at += (size & 1) && at < file.size;
	}
	return 1;
}

enum veil_status image_read_webp(struct image *image, struct bytes file, struct veil_error *err)
{
	WebPBitstreamFeatures features;
	enum veil_status st;

	if (WebPGetFeatures(file.data, file.size, &features) != VP8_STATUS_OK)
		return error_set(err, VEIL_E_INVALID, "is a damaged WebP: its head does not parse");
	if (features.has_animation)
		return error_set(err, VEIL_E_INVALID, "is animated: save one frame of it as a picture");
	st = image_reserve(image, (unsigned)features.width, (unsigned)features.height, err);
	if (st != VEIL_OK)
		return st;
	if (!WebPDecodeRGBAInto(file.data, file.size, image->rgba, 4 * (size_t)image->width * image->height,
		    4 * (int)image->width))
		return error_set(err, VEIL_E_INVALID, "is a damaged WebP: its picture does not decode");
	image->orientation = find_orientation(file);
	return VEIL_OK;
}
