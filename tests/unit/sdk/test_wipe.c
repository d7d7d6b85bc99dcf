/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <malloc.h>
#include <math.h>

#include "inside.h"
#include "sdk/embed.h"
#include "sdk/image.h"
#include "support/test.h"

/* What a search knows must not stay behind in memory that it gives back: every block that is freed while
 * `watched` is set is searched for its words. Sanitizers have an allocator of their own; without glibc's
 * there is nothing to test with. */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_FREE 0
#elif defined(__has_feature)
#define HAVE_FREE                                                                 \
	(!__has_feature(address_sanitizer) && !__has_feature(memory_sanitizer) && \
		!__has_feature(thread_sanitizer))
#else
#define HAVE_FREE 1
#endif

#if HAVE_FREE && defined(__GLIBC__)

static uint64_t watched[INSIDE_DIM / 2 + INSIDE_RECORDS];
static volatile size_t watched_count, seen;

void __libc_free(void *p);

__attribute__((visibility("default"))) void free(void *p) /* of the libraries too */
{
	size_t words = p && watched_count ? malloc_usable_size(p) / sizeof(uint64_t) : 0;

	for (size_t i = 0; i < words; i++)
		for (size_t w = 0; w < watched_count; w++)
			seen += ((const uint64_t *)p)[i] == watched[w];
	__libc_free(p);
}

Test(wipe, neither_the_vector_nor_the_scores_stay_in_memory_that_is_freed)
{
	struct rng rng = test_rng();
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = inside_client(server);
	struct veil_hits *hits;
	float vector[INSIDE_DIM], unit[INSIDE_DIM];
	double norm = 0;
	size_t count = INSIDE_DIM / 2;
	uint64_t *block = calloc(8, sizeof *block);

	cr_assert_eq(veil_client_refresh(client, NULL), VEIL_OK);
	for (int j = 0; j < INSIDE_DIM; j++) {
		vector[j] = (float)test_normal(&rng);
		norm += (double)vector[j] * vector[j];
	}
	for (int j = 0; j < INSIDE_DIM; j++)
		unit[j] = (float)(vector[j] / sqrt(norm));
	memcpy(watched, unit, sizeof unit);
	/* the scores, which another search tells */
	cr_assert_eq(veil_client_search(client, &hits, vector, INSIDE_DIM, INSIDE_SHARDS, VEIL_TOP_ALL, NULL),
		VEIL_OK);
	for (size_t i = 0; i < veil_hits_count(hits); i++)
		if (fabs(veil_hits_at(hits, i)->score) > 100)
			memcpy(&watched[count++], &veil_hits_at(hits, i)->score, sizeof(double));
	veil_hits_destroy(hits);
	cr_assert_gt(count, INSIDE_DIM / 2 + 3);

	watched_count = count;
	cr_assert_eq(veil_client_search(client, &hits, vector, INSIDE_DIM, INSIDE_SHARDS, VEIL_TOP_ALL, NULL),
		VEIL_OK);
	veil_hits_destroy(hits);
	watched_count = 0;
	cr_assert_eq(seen, 0);

	*(volatile uint64_t *)&block[3] = watched[0]; /* the test sees */
	watched_count = count;
	free(block);
	watched_count = 0;
	cr_assert_eq(seen, 1);
	veil_client_destroy(client);
	inside_destroy(server);
}

#ifdef HAVE_EMBEDDING

/* Words of a picture that are found nowhere by chance. */
static size_t watch_words(const void *data, size_t size)
{
	const uint64_t *words = data;
	size_t count = 0;

	for (size_t i = 0; i < size / sizeof *words && count < sizeof watched / sizeof *watched; i++)
		if (words[i] >> 32 != (words[i] & UINT32_MAX))
			watched[count++] = words[i];
	return count;
}

Test(wipe, the_pixels_of_a_picture_do_not_stay_in_memory_that_is_freed)
{
	static float tensor[EMBED_PIXELS];
	struct rng rng = test_rng();
	struct image image = {.orientation = 1};
	size_t count;

	cr_assert_eq(image_reserve(&image, 300, 100, NULL), VEIL_OK);
	rng_fill(&rng, image.rgba, (size_t)4 * 300 * 100);
	cr_assert_gt(count = watch_words(image.rgba, (size_t)4 * 300 * 100), 40);
	watched_count = count;
	cr_assert_eq(image_prepare(tensor, &image, NULL), VEIL_OK);
	image_clear(&image);
	watched_count = 0;
	cr_assert_eq(seen, 0);
}

/* Not what libpng keeps of the file, nor the network's later layers: those are the libraries'. */
Test(wipe, nor_do_the_numbers_that_it_becomes)
{
	static float tensor[EMBED_PIXELS];
	static uint8_t data[1 << 16];
	FILE *file = fopen(test_source_path("tests/data/images/rainbow.png"), "rb");
	struct veil_embedder *e;
	float vector[EMBED_DIM];
	struct veil_error err = {""};
	struct image image;
	size_t size, count;

	cr_assert_not_null(file);
	size = fread(data, 1, sizeof data, file);
	fclose(file);
	cr_assert_eq(image_decode(&image, (struct bytes){data, size}, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(image_prepare(tensor, &image, &err), VEIL_OK, "%s", err.text);
	image_clear(&image);
	cr_assert_gt(count = watch_words(tensor + EMBED_PIXELS / 2, sizeof tensor / 2), 40);
	cr_assert_eq(veil_embedder_create(&e, &err), VEIL_OK, "%s", err.text);
	watched_count = count;
	cr_assert_eq(veil_embedder_embed(e, vector, EMBED_DIM, data, size, &err), VEIL_OK, "%s", err.text);
	veil_embedder_destroy(e);
	watched_count = 0;
	cr_assert_eq(seen, 0);
}

#endif

#else

Test(wipe, is_tested_without_sanitizers)
{
}

#endif
