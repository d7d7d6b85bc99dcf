/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/embed.h"

#include <algorithm>
#include <cstdio>
#include <opencv2/dnn.hpp>

/* The one file that knows OpenCV. No exception leaves it. */

struct encoder {
	cv::dnn::Net net;
};

static enum veil_status fail(struct veil_error *err, enum veil_status st, const char *what, const char *why)
{
	if (err)
		std::snprintf(err->text, sizeof err->text, "%s: %s", what, why);
	return st;
}

/* What `step` throws as a status. */
template <typename Step>
static enum veil_status guard(struct veil_error *err, const char *what, Step step) noexcept
{
	try {
		return step();
	} catch (const std::bad_alloc &) {
		return fail(err, VEIL_E_NOMEM, what, "no memory");
	} catch (const cv::Exception &e) {
		return fail(err, e.code == cv::Error::StsNoMem ? VEIL_E_NOMEM : VEIL_E_CORRUPT, what,
			e.err.c_str());
	} catch (const std::exception &e) {
		return fail(err, VEIL_E_CORRUPT, what, e.what());
	} catch (...) {
		return fail(err, VEIL_E_CORRUPT, what, "OpenCV failed");
	}
}

enum veil_status encoder_create(struct encoder **out, const void *model, size_t size, struct veil_error *err)
{
	static const char what[] = "the model cannot be loaded";
	struct encoder *encoder = nullptr;
	enum veil_status st = guard(err, what, [&] {
		encoder = new struct encoder;
		encoder->net = cv::dnn::readNetFromONNX(static_cast<const char *>(model), size);
		return encoder->net.empty() ? fail(err, VEIL_E_CORRUPT, what, "it is empty") : VEIL_OK;
	});

	if (st != VEIL_OK) {
		encoder_destroy(encoder);
		encoder = nullptr;
	}
	*out = encoder;
	return st;
}

enum veil_status encoder_run(
	struct encoder *encoder, float *vector, const float *pixels, struct veil_error *err)
{
	static const char what[] = "the model cannot be run";

	return guard(err, what, [&] {
		const int shape[] = {1, EMBED_SIDE, EMBED_SIDE, 3};
		cv::Mat answer;

		encoder->net.setInput(cv::Mat(4, shape, CV_32F, const_cast<float *>(pixels)));
		answer = encoder->net.forward();
		encoder->net.setInput(cv::Mat(4, shape, CV_32F, cv::Scalar(0))); /* over its copy */
		if (answer.type() != CV_32F || answer.total() != EMBED_DIM || !answer.isContinuous())
			return fail(err, VEIL_E_CORRUPT, what, "its output has another shape");
		std::copy_n(answer.ptr<float>(), EMBED_DIM, vector);
		return VEIL_OK;
	});
}

void encoder_destroy(struct encoder *encoder)
{
	delete encoder;
}
