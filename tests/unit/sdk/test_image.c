/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/image.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <webp/encode.h>

#include "sdk/embed.h"
#include "support/test.h"

/* JPEG and WebP files are made here by the libraries' own encoders; PNG files by
 * tests/integration/client_embed.py. */

#define WIDTH 48
#define HEIGHT 32

/* Two colours side by side, a third below the left one: every turn looks different. */
static void paint(uint8_t *rgba, int width, int height)
{
	static const uint8_t colour[3][4] = {{200, 30, 40, 255}, {20, 90, 210, 255}, {30, 160, 60, 255}};

	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			memcpy(rgba + 4 * (y * width + x),
				colour[x >= width / 2	  ? 1
					: y >= height / 2 ? 2
							  : 0],
				4);
}

struct file {
	uint8_t data[1 << 16];
	size_t size;
};

static void encode_jpeg(struct file *file, const uint8_t *pixels, int format, int sampling, int flags)
{
	tjhandle jpeg = tjInitCompress();
	unsigned char *data = NULL;
	unsigned long size = 0;

	cr_assert_eq(
		tjCompress2(jpeg, pixels, WIDTH, 0, HEIGHT, format, &data, &size, sampling, 95, flags), 0);
	cr_assert_lt(size, sizeof file->data);
	memcpy(file->data, data, size);
	file->size = size;
	tjFree(data);
	tjDestroy(jpeg);
}

/* Puts a segment behind the start of a JPEG. */
static void insert_segment(struct file *file, uint8_t marker, const void *body, size_t size)
{
	uint8_t *p = file->data + 2;

	memmove(p + 4 + size, p, file->size - 2);
	memcpy(p, (uint8_t[]){0xff, marker, (uint8_t)((size + 2) >> 8), (uint8_t)(size + 2)}, 4);
	memcpy(p + 4, body, size);
	file->size += 4 + size;
}

static size_t write_exif(uint8_t out[40], unsigned orientation, bool big)
{
	static const uint8_t little_head[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0};
	static const uint8_t big_head[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1};

	memset(out, 0, 40);
	memcpy(out, "Exif\0", 6);
	memcpy(out + 6, big ? big_head : little_head, 18);
	out[24 + big] = (uint8_t)orientation;
	return 32;
}

static struct image decode(const struct file *file)
{
	struct image image;
	struct veil_error err = {""};

	cr_assert_eq(
		image_decode(&image, (struct bytes){file->data, file->size}, &err), VEIL_OK, "%s", err.text);
	cr_assert(image.width == WIDTH && image.height == HEIGHT);
	return image;
}

static void expect_error(const struct file *file, const char *words)
{
	struct image image;
	struct veil_error err = {""};

	cr_assert_eq(image_decode(&image, (struct bytes){file->data, file->size}, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, words), "%s", err.text);
	cr_assert_null(image.rgba);
}

static void expect_pixel(const struct image *image, int x, int y, const uint8_t *wanted, int within)
{
	const uint8_t *p = image->rgba + 4 * (y * WIDTH + x);

	for (int c = 0; c < 4; c++)
		cr_assert_leq(abs(p[c] - wanted[c]), within, "(%d,%d)[%d]: %d, wanted %d", x, y, c, p[c],
			wanted[c]);
}

static void expect_painting(const struct image *image, int within)
{
	uint8_t rgba[4 * WIDTH * HEIGHT];

	paint(rgba, WIDTH, HEIGHT);
	for (int y = 6; y < HEIGHT; y += 20)
		for (int x = 8; x < WIDTH; x += 30)
			expect_pixel(image, x, y, rgba + 4 * (y * WIDTH + x), within);
}

Test(image, a_jpeg_in_colour_grey_or_cmyk_and_progressive_gives_its_colours)
{
	static struct file file;
	uint8_t rgba[4 * WIDTH * HEIGHT], cmyk[4 * WIDTH * HEIGHT];
	struct image image;

	paint(rgba, WIDTH, HEIGHT);
	for (int flags = 0; flags <= TJFLAG_PROGRESSIVE; flags += TJFLAG_PROGRESSIVE) {
		encode_jpeg(&file, rgba, TJPF_RGBA, TJSAMP_420, flags);
		image = decode(&file);
		expect_painting(&image, 6);
		image_clear(&image);
	}
	encode_jpeg(&file, rgba, TJPF_RGBA, TJSAMP_GRAY, 0);
	image = decode(&file);
	expect_pixel(&image, 8, 6, (uint8_t[]){82, 82, 82, 255}, 4); /* .299 200 + .587 30 + .114 40 */
	image_clear(&image);

	/* As Adobe stores it: 255 - ink; the marker comes from the encoder. All colour at half light. */
	for (int i = 0; i < WIDTH * HEIGHT; i++) {
		memcpy(cmyk + 4 * i, rgba + 4 * i, 3);
		cmyk[4 * i + 3] = 128;
	}
	encode_jpeg(&file, cmyk, TJPF_CMYK, TJSAMP_444, 0);
	image = decode(&file);
	expect_pixel(&image, 8, 6, (uint8_t[]){100, 15, 20, 255}, 4);
	image_clear(&image);
}

Test(image, cmyk_without_adobes_marker_counts_ink)
{
	static struct file file;
	uint8_t cmyk[4 * WIDTH * HEIGHT];
	struct image image;
	uint8_t *adobe;

	/* The encoder writes YCCK, 55 128 128 and 55 here; that these are not C M Y K only the marker says.
	 */
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		memcpy(cmyk + 4 * i, (uint8_t[]){200, 200, 200, 55}, 4);
	encode_jpeg(&file, cmyk, TJPF_CMYK, TJSAMP_444, 0);
	adobe = memmem(file.data, file.size, "Adobe", 5);
	cr_assert_not_null(adobe);
	adobe[0] = 'a';
	image = decode(&file);
	expect_pixel(&image, 8, 6, (uint8_t[]){157, 100, 100, 255}, 3); /* (255 - c) (255 - k) / 255 */
	image_clear(&image);
}

Test(image, exif_orientation_is_read_in_both_byte_orders_and_nonsense_is_upright)
{
	static struct file file;
	uint8_t rgba[4 * WIDTH * HEIGHT], exif[40];
	struct image image;

	paint(rgba, WIDTH, HEIGHT);
	for (unsigned o = 0; o <= 9; o++) {
		for (int big = 0; big < 2; big++) {
			encode_jpeg(&file, rgba, TJPF_RGBA, TJSAMP_444, 0);
			insert_segment(&file, 0xe1, exif, write_exif(exif, o, big));
			image = decode(&file);
			cr_assert_eq(image.orientation, o == 0 || o == 9 ? 1 : o);
			image_clear(&image);
		}
	}
	for (size_t size = 0; size < 32; size++) {
		write_exif(exif, 6, false);
		cr_assert_eq(exif_orientation((struct bytes){exif, size}), size < 28 ? 1 : 6, "%zu", size);
	}
	write_exif(exif, 6, false);
	memset(exif + 10, 0xff, 4); /* where the directory is */
	cr_assert_eq(exif_orientation((struct bytes){exif, 32}), 1);
}

/* What a viewer does with a picture of the given orientation, as EXIF tells it: where row 0 and column 0 are.
 */
static void show(uint8_t *out, const struct image *image)
{
	int w = (int)image->width, h = (int)image->height;

	for (int y = 0; y < h; y++) {
		for (int x = 0; x < w; x++) {
			int to[9][3] = {{0}, {x, y, w}, {w - 1 - x, y, w}, {w - 1 - x, h - 1 - y, w},
				{x, h - 1 - y, w}, {y, x, h}, {h - 1 - y, x, h}, {h - 1 - y, w - 1 - x, h},
				{y, w - 1 - x, h}};
			const int *t = to[image->orientation];

			memcpy(out + 4 * (t[1] * t[2] + t[0]), image->rgba + 4 * (y * w + x), 4);
		}
	}
}

Test(image, a_turned_picture_is_prepared_as_the_upright_one)
{
	uint8_t rgba[4 * WIDTH * HEIGHT], upright[4 * WIDTH * HEIGHT];
	static float turned[EMBED_PIXELS], wanted[EMBED_PIXELS];
	struct rng rng = test_rng();

	for (unsigned o = 1; o <= 8; o++) {
		struct image image = {WIDTH, HEIGHT, rgba, o};
		struct image shown = {o < 5 ? WIDTH : HEIGHT, o < 5 ? HEIGHT : WIDTH, upright, 1};

		rng_fill(&rng, rgba, sizeof rgba);
		show(upright, &image);
		cr_assert_eq(image_prepare(turned, &image, NULL), VEIL_OK);
		cr_assert_eq(image_prepare(wanted, &shown, NULL), VEIL_OK);
		for (int i = 0; i < EMBED_PIXELS; i++)
			cr_assert_float_eq(turned[i], wanted[i], 1e-5, "orientation %u, number %d", o, i);
	}
}

/* The definition, word by word: each number is the mean of samples, each sample is between four pixels. */
static float sample(const struct image *box, double x, double y, int c)
{
	double sum = 0;

	for (int side = 0; side < 4; side++) {
		double px = floor(x) + (side & 1), py = floor(y) + (side >> 1);
		double weight = (1 - fabs(x - px)) * (1 - fabs(y - py)), light = 255;

		if (px >= 0 && py >= 0 && px < box->width && py < box->height) {
			const uint8_t *p = box->rgba + 4 * ((size_t)py * box->width + (size_t)px);

			light = p[3] / 255.0 * p[c] + (1 - p[3] / 255.0) * 255;
		}
		sum += weight * light / 255;
	}
	return (float)sum;
}

Test(image, prepared_numbers_are_those_of_the_definition)
{
	static const struct {
		uint32_t width, height;
	} sizes[] = {{1, 1}, {2, 3}, {64, 64}, {128, 128}, {127, 129}, {130, 7}, {9, 400}, {300, 257}};
	static float got[EMBED_PIXELS];
	struct rng rng = test_rng();

	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		uint32_t w = sizes[s].width, h = sizes[s].height, side = w > h ? w : h;
		double step = side / 128.0;
		int k = step > 1 ? (int)ceil(step) : 1;
		struct image image = {w, h, malloc(4 * (size_t)w * h), 1};

		rng_fill(&rng, image.rgba, 4 * (size_t)w * h);
		for (size_t i = 0; i < (size_t)w * h; i++) /* ink everywhere: the box is all */
			image.rgba[4 * i] = 0, image.rgba[4 * i + 3] |= 0x80;
		cr_assert_eq(image_prepare(got, &image, NULL), VEIL_OK);
		for (int n = 0; n < 400; n++) {
			int x = (int)test_below(&rng, 128), y = (int)test_below(&rng, 128),
			    c = (int)test_below(&rng, 3);
			double sum = 0;

			for (int j = 0; j < k; j++)
				for (int i = 0; i < k; i++)
					sum += sample(&image,
						(x + (i + 0.5) / k) * step - 0.5 - (side - w) / 2.0,
						(y + (j + 0.5) / k) * step - 0.5 - (side - h) / 2.0, c);
			cr_assert_float_eq(got[(y * 128 + x) * 3 + c], sum / (k * k), 1e-5,
				"%u x %u: %d %d %d", w, h, x, y, c);
		}
		image_clear(&image);
	}
}

Test(image, the_white_around_a_thing_does_not_matter_and_faint_ink_is_white)
{
	static uint8_t small[4 * 20 * 20], large[4 * 90 * 70];
	static float a[EMBED_PIXELS], b[EMBED_PIXELS];
	struct image thing = {20, 20, small, 1}, framed = {90, 70, large, 1};
	struct veil_error err = {""};

	paint(small, 20, 20);
	memset(large, 255 - 12, sizeof large); /* differs from white by 12: not yet ink */
	for (int y = 0; y < 20; y++)
		memcpy(large + 4 * ((y + 41) * 90 + 13), small + 4 * y * 20, 80);
	cr_assert_eq(image_prepare(a, &thing, NULL), VEIL_OK);
	cr_assert_eq(image_prepare(b, &framed, NULL), VEIL_OK);
	cr_assert_arr_eq(a, b, sizeof a);
	memset(large, 255, sizeof large);
	cr_assert_eq(image_prepare(b, &framed, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "all white"), "%s", err.text);
	memset(large, 0, sizeof large); /* black, and not there at all */
	cr_assert_eq(image_prepare(b, &framed, &err), VEIL_E_INVALID);
}

Test(image, a_webp_keeps_its_alpha_and_an_animated_one_is_refused)
{
	static struct file file;
	uint8_t rgba[4 * WIDTH * HEIGHT], *data;
	struct image image;

	paint(rgba, WIDTH, HEIGHT);
	rgba[3] = 77;
	file.size = WebPEncodeLosslessRGBA(rgba, WIDTH, HEIGHT, 4 * WIDTH, &data);
	cr_assert(file.size && file.size < sizeof file.data);
	memcpy(file.data, data, file.size);
	WebPFree(data);
	image = decode(&file);
	expect_painting(&image, 0);
	cr_assert_eq(image.rgba[3], 77);
	image_clear(&image);
	for (size_t size = 0; size < file.size; size++) {
		struct file cut = file;

		cut.size = size;
		expect_error(&cut, size < 12 ? "is " : "damaged WebP");
	}
	/* An extended head that says "animation" (bit 1). */
	memmove(file.data + 30, file.data + 12, file.size - 12);
	memcpy(file.data + 12,
		(uint8_t[]){'V', 'P', '8', 'X', 10, 0, 0, 0, 2, 0, 0, 0, WIDTH - 1, 0, 0, HEIGHT - 1, 0, 0},
		18);
	file.size += 18;
	file.data[4] = (uint8_t)(file.size - 8);
	file.data[5] = (uint8_t)((file.size - 8) >> 8);
	expect_error(&file, "animated");
}

Test(image, a_jpeg_cut_off_anywhere_or_with_a_huge_head_is_refused)
{
	static struct file file, cut;
	uint8_t rgba[4 * WIDTH * HEIGHT], *frame;

	paint(rgba, WIDTH, HEIGHT);
	encode_jpeg(&file, rgba, TJPF_RGBA, TJSAMP_420, 0);
	for (size_t size = 0; size < file.size - 2; size++) {
		cut = file;
		cut.size = size;
		expect_error(&cut, size < 3 ? "is " : "damaged JPEG");
	}
	frame = memmem(file.data, file.size, "\xff\xc0", 2);
	cr_assert_not_null(frame);
	memcpy(frame + 5, "\xff\0\xff\0", 4);
	expect_error(&file, "65280 x 65280 pixels");
}

Test(image, other_formats_are_called_by_their_names)
{
	static const struct {
		const char *bytes, *word;
	} cases[] = {{"GIF89a..........", "GIF"}, {"BM..............", "BMP"}, {"....ftypheic....", "HEIC"},
		{"<?xml version=1>", "SVG"}, {"<svg>...........", "SVG"}, {"II*\0............", "TIFF"},
		{"hello, world....", "no PNG, JPEG or WebP"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct file file = {.size = 16};

		memcpy(file.data, cases[i].bytes, 16);
		expect_error(&file, cases[i].word);
	}
}
