/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/embed.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sdk/embed.h"
#include "sdk/model.h"
#include "support/test.h"
#include "veil/vectors.h"

static struct veil_embedder *create(void)
{
	struct veil_embedder *e;
	struct veil_error err = {""};

	cr_assert_eq(veil_embedder_create(&e, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(veil_embedder_dim(e), EMBED_DIM);
	return e;
}

static double cosine(const float *a, const float *b)
{
	double ab = 0, aa = 0, bb = 0;

	for (int i = 0; i < EMBED_DIM; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return ab / sqrt(aa * bb);
}

Test(embed, each_drawing_becomes_the_vector_that_is_on_record_for_it)
{
	struct veil_embedder *e = create();
	struct veil_vectors *known;
	struct veil_error err = {""};
	char name[64], path[512];
	unsigned row, drawings = 0;
	FILE *list = fopen(test_source_path("tests/data/images/rows.tsv"), "r");

	cr_assert_not_null(list);
	cr_assert_eq(
		veil_vectors_read(&known, test_source_path("tests/data/emoji/twitter.npy"), &err), VEIL_OK);
	cr_assert_not_null(fgets(name, sizeof name, list)); /* headings */
	while (fscanf(list, "%63s %u", name, &row) == 2) {
		float x[EMBED_DIM];
		double c;

		snprintf(path, sizeof path, "%s/%s", test_source_path("tests/data/images"), name);
		cr_assert_eq(veil_embedder_embed_file(e, x, EMBED_DIM, path, &err), VEIL_OK, "%s", err.text);
		c = cosine(x, veil_vectors_row(known, row));
		cr_assert_geq(c, 0.9999, "%s: %.6f", name, c);
		cr_assert_float_eq(cosine(x, x), 1, 1e-6);
		drawings++;
	}
	cr_assert_eq(drawings, 10);
	fclose(list);
	veil_vectors_destroy(known);
	veil_embedder_destroy(e);
}

Test(embed, a_vector_is_untouched_by_what_fails)
{
	struct veil_embedder *e = create();
	struct veil_error err = {""};
	float x[EMBED_DIM + 1];

	for (int i = 0; i <= EMBED_DIM; i++)
		x[i] = 7;
	cr_assert_eq(veil_embedder_embed(e, x, EMBED_DIM, "nothing", 7, &err), VEIL_E_INVALID);
	cr_assert_str_eq(err.text, "the picture is no PNG, JPEG or WebP picture");
	cr_assert_eq(veil_embedder_embed_file(e, x, EMBED_DIM + 1, "/dev/null", &err), VEIL_E_INVALID);
	cr_assert_str_eq(err.text, "the model gives 128 numbers, not 129");
	cr_assert_eq(veil_embedder_embed_file(e, x, EMBED_DIM, "/dev/null", &err), VEIL_E_INVALID);
	cr_assert_str_eq(err.text, "/dev/null is empty");
	cr_assert_eq(veil_embedder_embed_file(e, x, EMBED_DIM, "/dev/zero", &err), VEIL_E_INVALID);
	cr_assert_str_eq(err.text, "/dev/zero is larger than 32 MiB, the limit for a picture");
	cr_assert_eq(veil_embedder_embed_file(e, x, EMBED_DIM, "/", &err), VEIL_E_IO);
	cr_assert_eq(veil_embedder_embed_file(e, x, EMBED_DIM, "/nowhere.png", &err), VEIL_E_IO);
	for (int i = 0; i <= EMBED_DIM; i++)
		cr_assert_eq(x[i], 7);
	veil_embedder_destroy(e);
}

Test(embed, a_model_that_is_damaged_is_refused_with_a_status)
{
	static const char junk[] = "no model at all, only words";
	struct encoder *encoder;
	struct veil_error err = {""};
	struct bytes model = model_get();

	cr_assert_eq(model.size, 11325432);
	cr_assert_eq(encoder_create(&encoder, junk, sizeof junk, &err), VEIL_E_CORRUPT);
	cr_assert_null(encoder);
	cr_assert(strstr(err.text, "the model cannot be loaded"), "%s", err.text);
	cr_assert_eq(encoder_create(&encoder, model.data, model.size / 2, &err), VEIL_E_CORRUPT);
	cr_assert_null(encoder);
}
