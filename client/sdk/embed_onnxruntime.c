/* SPDX-License-Identifier: Apache-2.0 */
#include <onnxruntime_c_api.h>
#include <stdlib.h>

#include "base/error.h"
#include "sdk/embed.h"

/* The one file that knows ONNX Runtime. */

#define API_VERSION 1 /* the first: all that is called here is in it, and every later library has it */

struct encoder {
	const OrtApi *ort;
	OrtEnv *env;
	OrtSession *session;
	OrtMemoryInfo *memory;
	OrtAllocator *allocator; /* the library's own: not released */
	char *input, *output; /* names, of the allocator */
};

/* Takes the status. */
static enum veil_status check(
	const struct encoder *e, OrtStatus *status, const char *what, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	if (status)
		st = error_set(err, VEIL_E_CORRUPT, "%s: %s", what, e->ort->GetErrorMessage(status));
	e->ort->ReleaseStatus(status);
	return st;
}

/* In the caller's thread: a picture takes milliseconds. */
static OrtStatus *load(struct encoder *e, const void *model, size_t size)
{
	const OrtApi *ort = e->ort;
	OrtSessionOptions *options = NULL;
	OrtStatus *status = ort->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "veil", &e->env);

	if (!status)
		status = ort->CreateSessionOptions(&options);
	if (!status)
		status = ort->SetIntraOpNumThreads(options, 1);
	if (!status)
		status = ort->CreateSessionFromArray(e->env, model, size, options, &e->session);
	if (!status)
		status = ort->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &e->memory);
	if (!status)
		status = ort->GetAllocatorWithDefaultOptions(&e->allocator);
	if (!status)
		status = ort->SessionGetInputName(e->session, 0, e->allocator, &e->input);
	if (!status)
		status = ort->SessionGetOutputName(e->session, 0, e->allocator, &e->output);
	if (options)
		ort->ReleaseSessionOptions(options);
	return status;
}

enum veil_status encoder_create(struct encoder **out, const void *model, size_t size, struct veil_error *err)
{
	static const char what[] = "the model cannot be loaded";
	struct encoder *e = calloc(1, sizeof *e);
	enum veil_status st = VEIL_OK;

	*out = NULL;
	if (!e)
		return error_set(err, VEIL_E_NOMEM, "%s: no memory", what);
	e->ort = OrtGetApiBase()->GetApi(API_VERSION);
	if (!e->ort)
		st = error_set(err, VEIL_E_UNSUPPORTED, "%s: ONNX Runtime %s has another interface", what,
			OrtGetApiBase()->GetVersionString());
	if (st == VEIL_OK)
		st = check(e, load(e, model, size), what, err);
	if (st != VEIL_OK) {
		encoder_destroy(e);
		return st;
	}
	*out = e;
	return VEIL_OK;
}

/* Both tensors are the caller's memory: a model of another shape is refused by Run. */
static OrtStatus *run(const struct encoder *e, float *vector, const float *pixels)
{
	const int64_t shape_in[] = {1, EMBED_SIDE, EMBED_SIDE, 3}, shape_out[] = {1, EMBED_DIM};
	const OrtApi *ort = e->ort;
	OrtValue *in = NULL, *out = NULL;
	OrtStatus *status = ort->CreateTensorWithDataAsOrtValue(e->memory, (void *)(uintptr_t)pixels,
		EMBED_PIXELS * sizeof *pixels, shape_in, 4, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &in);

	if (!status)
		status = ort->CreateTensorWithDataAsOrtValue(e->memory, vector, EMBED_DIM * sizeof *vector,
			shape_out, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &out);
	if (!status)
		status = ort->Run(e->session, NULL, (const char *const *)&e->input,
			(const OrtValue *const *)&in, 1, (const char *const *)&e->output, 1, &out);
	if (in)
		ort->ReleaseValue(in);
	if (out)
		ort->ReleaseValue(out);
	return status;
}

enum veil_status encoder_run(
	struct encoder *encoder, float *vector, const float *pixels, struct veil_error *err)
{
	return check(encoder, run(encoder, vector, pixels), "the model cannot be run", err);
}

void encoder_destroy(struct encoder *encoder)
{
	const OrtApi *ort;

	if (!encoder)
		return;
	ort = encoder->ort;
	if (encoder->input)
		encoder->allocator->Free(encoder->allocator, encoder->input);
	if (encoder->output)
		encoder->allocator->Free(encoder->allocator, encoder->output);
	if (encoder->memory)
		ort->ReleaseMemoryInfo(encoder->memory);
	if (encoder->session)
		ort->ReleaseSession(encoder->session);
	if (encoder->env)
		ort->ReleaseEnv(encoder->env);
	free(encoder);
}
