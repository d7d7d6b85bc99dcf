/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/require.h"
#include "veil/embed.h"

/* In place of embed.c where the libraries were not found: nobody can get an embedder. */

enum veil_status veil_embedder_create(struct veil_embedder **out, struct veil_error *err)
{
	*out = NULL;
	return error_set(err, VEIL_E_UNSUPPORTED,
		"this build has no image embedding: install libopencv-dnn-dev (or libonnxruntime-dev), "
		"libpng-dev, "
		"libturbojpeg0-dev and libwebp-dev and rebuild, or bring vectors");
}

uint32_t veil_embedder_dim(const struct veil_embedder *embedder)
{
	(void)embedder;
	REQUIRE(!"an embedder");
	return 0;
}

enum veil_status veil_embedder_embed(struct veil_embedder *embedder, float *vector, uint32_t dim,
	const void *data, size_t size, struct veil_error *err)
{
	(void)embedder, (void)vector, (void)dim, (void)data, (void)size, (void)err;
	REQUIRE(!"an embedder");
	return VEIL_E_UNSUPPORTED;
}

enum veil_status veil_embedder_embed_file(
	struct veil_embedder *embedder, float *vector, uint32_t dim, const char *path, struct veil_error *err)
{
	(void)embedder, (void)vector, (void)dim, (void)path, (void)err;
	REQUIRE(!"an embedder");
	return VEIL_E_UNSUPPORTED;
}

void veil_embedder_destroy(struct veil_embedder *embedder)
{
	REQUIRE(!embedder);
}
