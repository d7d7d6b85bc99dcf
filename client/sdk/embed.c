/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/embed.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ct.h"
#include "base/error.h"
#include "sdk/image.h"
#include "sdk/model.h"
#include "veil/embed.h"

#define READ_BYTES (VEIL_MAX_IMAGE_BYTES + 1)

struct veil_embedder {
	struct encoder *encoder;
	float pixels[EMBED_PIXELS]; /* zeros between pictures */
};

enum veil_status veil_embedder_create(struct veil_embedder **out, struct veil_error *err)
{
	struct veil_embedder *e = calloc(1, sizeof *e);
	struct bytes model = model_get();
	enum veil_status st = VEIL_E_NOMEM;

	*out = NULL;
	if (!e)
		return error_set(err, st, "no memory for a model");
	st = encoder_create(&e->encoder, model.data, model.size, err);
	if (st != VEIL_OK) {
		veil_embedder_destroy(e);
		return st;
	}
	*out = e;
	return VEIL_OK;
}

uint32_t veil_embedder_dim(const struct veil_embedder *embedder)
{
	(void)embedder;
	return EMBED_DIM;
}

/* The model's last step is this division; it is made good for what its arithmetic lost. Anything that is not
 * finite has no such norm. */
static enum veil_status normalise(float vector[EMBED_DIM], struct veil_error *err)
{
	double sum = 0;

	for (int i = 0; i < EMBED_DIM; i++)
		sum += (double)vector[i] * vector[i];
	if (!(sum >= 0.5 && sum <= 2))
		return error_set(err, VEIL_E_CORRUPT, "the model's output has norm %g, not 1", sqrt(sum));
	for (int i = 0; i < EMBED_DIM; i++)
		vector[i] = (float)(vector[i] / sqrt(sum));
	return VEIL_OK;
}

static enum veil_status prepare(float *pixels, struct bytes file, const char *name, struct veil_error *err)
{
	struct veil_error why = {""};
	struct image image;
	enum veil_status st = image_decode(&image, file, &why);

	if (st == VEIL_OK)
		st = image_prepare(pixels, &image, &why);
	image_clear(&image);
	return st == VEIL_OK ? VEIL_OK : error_set(err, st, "%s %s", name, why.text);
}

static enum veil_status embed(struct veil_embedder *e, float *vector, uint32_t dim, struct bytes file,
	const char *name, struct veil_error *err)
{
	float result[EMBED_DIM];
	enum veil_status st;

	if (dim != EMBED_DIM)
		return error_set(err, VEIL_E_INVALID, "the model gives %d numbers, not %u", EMBED_DIM, dim);
	st = prepare(e->pixels, file, name, err);
	if (st == VEIL_OK)
		st = encoder_run(e->encoder, result, e->pixels, err);
	if (st == VEIL_OK)
		st = normalise(result, err);
	if (st == VEIL_OK)
		memcpy(vector, result, sizeof result);
	wipe(e->pixels, sizeof e->pixels);
	wipe(result, sizeof result);
	return st;
}

enum veil_status veil_embedder_embed(struct veil_embedder *embedder, float *vector, uint32_t dim,
	const void *data, size_t size, struct veil_error *err)
{
	return embed(embedder, vector, dim, (struct bytes){data, size}, "the picture", err);
}

/* Whole, but never more than one byte above the limit: what image_decode needs to refuse it. The room is
 * taken at once, and costs what is written to: growing would leave copies behind. */
static enum veil_status read_file(uint8_t *data, size_t *size, const char *path, struct veil_error *err)
{
	/* A pipe is read to its end, but one that nobody writes to is not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t got = 0;

	if (fd < 0 || fcntl(fd, F_SETFL, 0) != 0)
		got = -1;
	while (got >= 0 && *size < READ_BYTES) {
		got = read(fd, data + *size, READ_BYTES - *size);
		if (got == 0)
			break;
		if (got > 0)
			*size += (size_t)got;
		else if (errno == EINTR)
			got = 0;
	}
	if (got < 0)
		error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return got < 0 ? VEIL_E_IO : VEIL_OK;
}

enum veil_status veil_embedder_embed_file(
	struct veil_embedder *embedder, float *vector, uint32_t dim, const char *path, struct veil_error *err)
{
	uint8_t *data = malloc(READ_BYTES);
	size_t size = 0;
	enum veil_status st;

	if (!data)
		return error_set(err, VEIL_E_NOMEM, "%s: no memory for it", path);
	st = read_file(data, &size, path, err);
	if (st == VEIL_OK)
		st = embed(embedder, vector, dim, (struct bytes){data, size}, path, err);
	wipe(data, size);
	free(data);
	return st;
}

void veil_embedder_destroy(struct veil_embedder *embedder)
{
	if (!embedder)
		return;
	encoder_destroy(embedder->encoder);
	free(embedder);
}
