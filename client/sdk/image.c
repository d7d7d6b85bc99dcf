/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/error.h"

/* By the first bytes of a file; '?' is any. */
static const struct format {
	const char *name;
	const char *magic;
	size_t size;
	enum veil_status (*read)(struct image *image, struct bytes file, struct veil_error *err);
} formats[] = {
	{"PNG", "\x89PNG\r\n\x1a\n", 8, image_read_png},
	{"JPEG", "\xff\xd8\xff", 3, image_read_jpeg},
	{"WebP", "RIFF????WEBP", 12, image_read_webp},
	{"a GIF", "GIF8", 4, NULL},
	{"a BMP", "BM", 2, NULL},
	{"a TIFF", "II*\0", 4, NULL},
	{"a TIFF", "MM\0*", 4, NULL},
	{"HEIC, AVIF or a film", "????ftyp", 8, NULL},
	{"SVG or XML", "<svg", 4, NULL},
	{"SVG or XML", "<?xml", 5, NULL},
};

static bool has_magic(struct bytes file, const struct format *format)
{
	if (file.size < format->size)
		return false;
	for (size_t i = 0; i < format->size; i++) {
		if (format->magic[i] != '?' && file.data[i] != (uint8_t)format->magic[i])
			return false;
	}
	return true;
}

enum veil_status image_decode(struct image *out, struct bytes file, struct veil_error *err)
{
	struct image image = {.orientation = 1};
	enum veil_status st;

	*out = (struct image){0};
	if (file.size == 0)
		return error_set(err, VEIL_E_INVALID, "is empty");
	if (file.size > VEIL_MAX_IMAGE_BYTES)
		return error_set(err, VEIL_E_INVALID, "is larger than %zu MiB, the limit for a picture",
			VEIL_MAX_IMAGE_BYTES >> 20);
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (!has_magic(file, &formats[i]))
			continue;
		if (!formats[i].read)
			return error_set(err, VEIL_E_INVALID, "is %s: only PNG, JPEG and WebP are read",
				formats[i].name);
		st = formats[i].read(&image, file, err);
		if (st == VEIL_OK)
			*out = image;
		else
			image_clear(&image);
		return st;
	}
	return error_set(err, VEIL_E_INVALID, "is no PNG, JPEG or WebP picture");
}

enum veil_status image_reserve(struct image *image, uint64_t width, uint64_t height, struct veil_error *err)
{
	if (width == 0 || height == 0 || width > UINT32_MAX || height > UINT32_MAX ||
		width > VEIL_MAX_IMAGE_PIXELS / height)
		return error_set(err, VEIL_E_INVALID,
			"is %llu x %llu pixels; pictures have 1 to %llu million in all",
			(unsigned long long)width, (unsigned long long)height,
			(unsigned long long)(VEIL_MAX_IMAGE_PIXELS / 1000000));
	image->width = (uint32_t)width;
	image->height = (uint32_t)height;
	image->rgba = malloc(4 * (size_t)(width * height));
	if (!image->rgba)
		return error_set(err, VEIL_E_NOMEM, "needs memory for %u x %u pixels, which is not there",
			image->width, image->height);
	return VEIL_OK;
}

void image_clear(struct image *image)
{
	if (image->rgba)
		wipe(image->rgba, 4 * (size_t)image->width * image->height);
	free(image->rgba);
	*image = (struct image){0};
}
