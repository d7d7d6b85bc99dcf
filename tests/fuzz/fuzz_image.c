/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/require.h"
#include "fuzz.h"
#include "sdk/embed.h"
#include "sdk/image.h"

/* What a small file may claim: large pictures are allowed, but would take all the time. */
#define LIMIT_PIXELS (1 << 20)

/* Any bytes are refused, or become numbers from 0 to 1 within the limits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static float pixels[EMBED_PIXELS];
	struct veil_error err = {""};
	struct image image;
	enum veil_status st = image_decode(&image, (struct bytes){data, size}, &err);

	if (st != VEIL_OK) {
		REQUIRE(err.text[0] && !image.rgba);
		return 0;
	}
	REQUIRE(image.orientation >= 1 && image.orientation <= 8);
	REQUIRE((uint64_t)image.width * image.height <= VEIL_MAX_IMAGE_PIXELS);
	if ((uint64_t)image.width * image.height <= LIMIT_PIXELS &&
		image_prepare(pixels, &image, &err) == VEIL_OK) {
		for (int i = 0; i < EMBED_PIXELS; i++)
			REQUIRE(pixels[i] > -1e-4f && pixels[i] < 1 + 1e-4f);
	}
	image_clear(&image);
	return 0;
}
