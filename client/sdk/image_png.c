/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/image.h"

#include <png.h>
#include <string.h>

#include "base/error.h"

/* libpng's simplified interface: no setjmp, any kind of PNG comes out as 8-bit sRGB with alpha. It tells
 * neither animation nor EXIF data, so the chunks are walked once here (PNG 3rd
 * edition, 5.3, 11.3.4.1, 11.3.4.5). */

static uint32_t read_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct extras {
	unsigned orientation;
	uint32_t frames;
};

static struct extras find_extras(struct bytes file)
{
	struct extras extras = {1, 1};
	size_t at = 8;

	while (file.size - at >= 12 && file.size - at - 12 >= read_u32(file.data + at)) {
		size_t size = read_u32(file.data + at);
		const uint8_t *type = file.data + at + 4, *body = type + 4;

		if (memcmp(type, "eXIf", 4) == 0)
			extras.orientation = exif_orientation((struct bytes){body, size});
		else if (memcmp(type, "acTL", 4) == 0 && size >= 4)
			extras.frames = read_u32(body);
		at += size + 12;
	}
	return extras;
}

enum veil_status image_read_png(struct image *image, struct bytes file, struct veil_error *err)
{
	struct extras extras = find_extras(file);
	png_image png = {.version = PNG_IMAGE_VERSION};
	enum veil_status st = VEIL_OK;

	if (extras.frames > 1)
		return error_set(err, VEIL_E_INVALID, "is animated: save one frame of it as a picture");
	if (!png_image_begin_read_from_memory(&png, file.data, file.size))
		return error_set(err, VEIL_E_INVALID, "is a damaged PNG: %s", png.message);
	st = image_reserve(image, png.width, png.height, err);
	if (st == VEIL_OK) {
		png.format = PNG_FORMAT_RGBA;
		png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* 16 bits without a gamma are sRGB, not linear */
		if (!png_image_finish_read(&png, NULL, image->rgba, 0, NULL))
			st = error_set(err, VEIL_E_INVALID, "is a damaged PNG: %s", png.message);
	}
	png_image_free(&png);
	image->orientation = extras.orientation;
	return st;
}
