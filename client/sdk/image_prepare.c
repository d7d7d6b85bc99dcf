/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "base/ct.h"
#include "base/error.h"
#include "sdk/embed.h"
#include "sdk/image.h"

/* All is computed on ink, 255 - what is seen: the white ground, what is transparent and all that lies outside
 * the picture are then nothing. The resize is separable: a number of the result is a weighted sum over rows
 * of weighted sums within a row, and so one pass over the picture is enough. */

#define INK_LIMIT 12

struct box {
	uint32_t left, top, width, height;
};

/* Of a line of pixels, what one number of the result is made from. */
struct taps {
	uint32_t first, count;
	float *weight;
};

struct resize {
	struct taps x[EMBED_SIDE], y[EMBED_SIDE];
	float *weights; /* what the taps point into */
	float *ink; /* [width of the box][3], one row */
};

static bool has_ink(const uint8_t *p)
{
	for (int c = 0; c < 3; c++) {
		if (p[3] * (255 - p[c]) > 255 * INK_LIMIT)
			return true;
	}
	return false;
}

static bool find_box(struct box *box, const struct image *image)
{
	uint32_t left = UINT32_MAX, right = 0, top = UINT32_MAX, bottom = 0;

	for (uint32_t y = 0; y < image->height; y++) {
		const uint8_t *row = image->rgba + 4 * (size_t)y * image->width;
		uint32_t from = 0, to = image->width;

		while (from < to && !has_ink(row + 4 * (size_t)from))
			from++;
		if (from == to)
			continue;
		while (!has_ink(row + 4 * ((size_t)to - 1)))
			to--;
		left = from < left ? from : left;
		right = to > right ? to : right;
		top = y < top ? y : top;
		bottom = y + 1;
	}
	*box = (struct box){left, top, right - left, bottom - top};
	return bottom != 0;
}

/* `length` pixels, in the middle of the `square` that becomes EMBED_SIDE numbers: each is the mean of samples
 * at most a pixel apart, a sample lies between two pixels. `weight` has room for taps_room(square) a number.
 */
static uint32_t taps_room(uint32_t square)
{
	return square / EMBED_SIDE + 4;
}

static void find_taps(struct taps *taps, float *weight, uint32_t length, uint32_t square)
{
	double step = (double)square / EMBED_SIDE, margin = (square - length) / 2.0;
	int samples = step > 1 ? (int)ceil(step) : 1;
	uint32_t room = taps_room(square);

	for (int o = 0; o < EMBED_SIDE; o++, taps++, weight += room) {
		long first = (long)floor((o + 0.5 / samples) * step - 0.5 - margin);

		first = first < 0 ? 0 : first;
		*taps = (struct taps){.first = (uint32_t)first, .weight = weight};
		for (int i = 0; i < samples; i++) {
			double at = (o + (i + 0.5) / samples) * step - 0.5 - margin, pixel = floor(at);

			for (int side = 0; side < 2; side++) {
				long t = (long)pixel + side - first;
				double share = side ? at - pixel : 1 - (at - pixel);

				if (t < 0 || t + first >= (long)length)
					continue;
				weight[t] += (float)(share / samples);
				taps->count = (uint32_t)t + 1 > taps->count ? (uint32_t)t + 1 : taps->count;
			}
		}
		if (taps->count == 0)
			taps->first = 0; /* beside the picture */
	}
}

static bool init_resize(struct resize *r, const struct box *box)
{
	uint32_t square = box->width > box->height ? box->width : box->height;
	size_t room = (size_t)taps_room(square) * EMBED_SIDE;

	r->weights = calloc(2 * room, sizeof *r->weights);
	r->ink = calloc(box->width, 3 * sizeof *r->ink);
	if (!r->weights || !r->ink)
		return false;
	find_taps(r->x, r->weights, box->width, square);
	find_taps(r->y, r->weights + room, box->height, square);
	return true;
}

static void clear_resize(struct resize *r, const struct box *box)
{
	if (r->ink)
		wipe(r->ink, (size_t)box->width * 3 * sizeof *r->ink);
	free(r->weights);
	free(r->ink);
}

/* Row y of the box, resized. */
static void shrink_row(float line[EMBED_SIDE][3], const struct resize *r, const struct image *image,
	const struct box *box, uint32_t y)
{
	const uint8_t *p = image->rgba + 4 * ((size_t)(box->top + y) * image->width + box->left);

	for (size_t x = 0; x < box->width; x++, p += 4)
		for (int c = 0; c < 3; c++)
			r->ink[3 * x + (size_t)c] = (float)(p[3] * (255 - p[c]));
	for (int o = 0; o < EMBED_SIDE; o++) {
		const float *ink = r->ink + 3 * (size_t)r->x[o].first;
		float sum[3] = {0};

		for (uint32_t t = 0; t < r->x[o].count; t++, ink += 3)
			for (int c = 0; c < 3; c++)
				sum[c] += r->x[o].weight[t] * ink[c];
		for (int c = 0; c < 3; c++)
			line[o][c] = sum[c];
	}
}

/* Ink of the whole, 0..255 * 255, as stored. */
static void shrink(float result[EMBED_SIDE][EMBED_SIDE][3], const struct resize *r, const struct image *image,
	const struct box *box)
{
	float line[EMBED_SIDE][3];

	for (uint32_t y = 0; y < box->height; y++) {
		shrink_row(line, r, image, box, y);
		for (int o = 0; o < EMBED_SIDE; o++) {
			uint32_t t = y - r->y[o].first; /* wraps where y comes before the first */

			if (t >= r->y[o].count)
				continue;
			for (int x = 0; x < EMBED_SIDE; x++)
				for (int c = 0; c < 3; c++)
					result[o][x][c] += r->y[o].weight[t] * line[x][c];
		}
	}
	wipe(line, sizeof line);
}

/* Crop, square and resize treat both directions and both ends alike, so that turning the small result is as
 * good as turning the picture. */
static void turn(float *pixels, float ink[EMBED_SIDE][EMBED_SIDE][3], unsigned orientation)
{
	const bool swap = orientation >= 5;
	const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;

	for (int y = 0; y < EMBED_SIDE; y++) {
		for (int x = 0; x < EMBED_SIDE; x++, pixels += 3) {
			int from_x = swap ? y : x, from_y = swap ? x : y;
			const float *from = ink[flip_y ? EMBED_SIDE - 1 - from_y : from_y]
					       [flip_x ? EMBED_SIDE - 1 - from_x : from_x];

			for (int c = 0; c < 3; c++)
				pixels[c] = 1 - from[c] / (255 * 255);
		}
	}
}

enum veil_status image_prepare(float *pixels, const struct image *image, struct veil_error *err)
{
	struct resize r = {.weights = NULL};
	float(*ink)[EMBED_SIDE][3] = calloc(EMBED_SIDE, sizeof *ink);
	struct box box = {0};
	enum veil_status st = VEIL_OK;

	if (!find_box(&box, image)) {
		st = error_set(err, VEIL_E_INVALID, "shows nothing: it is all white or transparent");
	} else if (!ink || !init_resize(&r, &box)) {
		st = error_set(err, VEIL_E_NOMEM, "needs memory to be resized, which is not there");
	} else {
		shrink(ink, &r, image, &box);
		turn(pixels, ink, image->orientation);
	}
	clear_resize(&r, &box);
	if (ink)
		wipe(ink, EMBED_SIDE * sizeof *ink);
	free(ink);
	return st;
}
