/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "base/exec.h"
#include "build/options.h"
#include "build/progress.h"
#include "build/report.h"
#include "veil/status.h"

/** Vectors to a version that is in force. Passes over the input, each in bounded pieces: check and measure;
 * train on a sample; find the nearest shards; write. Goes on where the same build was cut off; stays within
 * options->memory. Fills what `report` says of rows, sample, memory planned and what was taken over. */
enum veil_status build_index(const struct build_options *options, const struct exec *exec,
	struct progress *progress, struct report_build *report, struct veil_error *err) VEIL_MUST_CHECK;

#endif
