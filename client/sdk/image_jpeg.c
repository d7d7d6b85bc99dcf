/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/image.h"

#include <string.h>
#include <turbojpeg.h>

#include "base/error.h"

/* TurboJPEG: reads from memory, no setjmp. It tells neither EXIF data nor Adobe's marker, so the segments
 * before the picture are walked once here (ITU T.81 B.1.1). */

struct extras {
	unsigned orientation;
	bool adobe;
};

static struct extras find_extras(struct bytes file)
{
	enum { APP1 = 0xe1, APP14 = 0xee, SOS = 0xda };
	struct extras extras = {1, false};
	size_t at = 2;

	while (file.size - at >= 4 && file.data[at] == 0xff && file.data[at + 1] != SOS) {
		const uint8_t *body = file.data + at + 4;
		size_t size = (size_t)file.data[at + 2] << 8 | file.data[at + 3]; /* counts itself */

		if (file.data[at + 1] == 0xff) { /* a fill byte */
			at++;
			continue;
		}
		if (size < 2 || file.size - at - 2 < size)
			break;
		if (file.data[at + 1] == APP1 && size >= 8 && memcmp(body, "Exif\0", 6) == 0)
			extras.orientation = exif_orientation((struct bytes){body, size - 2});
		if (file.data[at + 1] == APP14 && size >= 7 && memcmp(body, "Adobe", 5) == 0)
			extras.adobe = true;
		at += 2 + size;
	}
	return extras;
}

/* In place, without a colour profile, as browsers do it. Adobe's programs store 255 - ink, and say so by
 * their marker. */
static void convert_cmyk(uint8_t *pixels, size_t count, bool adobe)
{
	uint8_t flip = adobe ? 0 : 255;

	for (uint8_t *p = pixels; p < pixels + 4 * count; p += 4) {
		unsigned light = p[3] ^ flip;

		for (int c = 0; c < 3; c++)
			p[c] = (uint8_t)(((p[c] ^ flip) * light + 127) / 255);
		p[3] = 255;
	}
}

static enum veil_status decode(
	tjhandle jpeg, struct image *image, struct bytes file, bool adobe, struct veil_error *err)
{
	const int flags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT;
	int width = 0, height = 0, sampling, colours = 0;
	bool cmyk;
	enum veil_status st;

	if (tjDecompressHeader3(jpeg, file.data, file.size, &width, &height, &sampling, &colours) != 0)
		return error_set(err, VEIL_E_INVALID, "is a damaged JPEG: %s", tjGetErrorStr2(jpeg));
	if (width <= 0 || height <= 0)
		return error_set(err, VEIL_E_INVALID, "is a damaged JPEG: it holds tables and no picture");
	st = image_reserve(image, (unsigned)width, (unsigned)height, err);
	if (st != VEIL_OK)
		return st;
	cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
	if (tjDecompress2(jpeg, file.data, file.size, image->rgba, width, 0, height,
		    cmyk ? TJPF_CMYK : TJPF_RGBA, flags) != 0)
		return error_set(err, VEIL_E_INVALID, "is a damaged JPEG: %s", tjGetErrorStr2(jpeg));
	if (cmyk)
		convert_cmyk(image->rgba, (size_t)image->width * image->height, adobe);
	return VEIL_OK;
}

enum veil_status image_read_jpeg(struct image *image, struct bytes file, struct veil_error *err)
{
	struct extras extras = find_extras(file);
	tjhandle jpeg = tjInitDecompress();
	enum veil_status st;

	if (!jpeg)
		return error_set(err, VEIL_E_NOMEM, "needs memory to be read, which is not there");
	st = decode(jpeg, image, file, extras.adobe, err);
	tjDestroy(jpeg);
	image->orientation = extras.orientation;
	return st;
}
