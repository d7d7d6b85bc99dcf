/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SILENT_OFFLINE_H
#define SILENT_OFFLINE_H

#include "base/exec.h"
#include "silent/context.h"

/* What a server computes once for each version of a pack, of public data alone. */

/** Makes the ctx->material_bytes of one pack: the matrix, the digits of the last switch, the static half of
 * its replies. `material` is 64-byte aligned. Takes about 24 N^2 bytes of memory while it runs. VEIL_E_NOMEM;
 * VEIL_E_UNSUPPORTED if an entry of the matrix reached KERNELS_APPLY_LIMIT (a table in 2^40: take another
 * seed). */
enum veil_status silent_offline_pack(const struct silent_context *ctx, void *material, const int8_t *table,
	struct veil_error *err) VEIL_MUST_CHECK;

/** A whole table, pack by pack, as many at once as `exec` runs. Functions are called from its threads. */
struct silent_offline_job {
	void *state;
	/** The bytes of a pack. */
	const int8_t *(*table)(void *state, uint32_t pack);
	/** Memory for its material; NULL where it is there already: such packs are skipped, so that what was
	 * interrupted goes on. */
	void *(*material)(void *state, uint32_t pack);
	/** It is complete. May be where it is made durable, and where progress is shown. */
	enum veil_status (*done)(void *state, uint32_t pack, struct veil_error *err);
};

/** The error of the first pack that has one; the others are finished all the same, and need not be made
 * again. */
enum veil_status silent_offline_run(const struct silent_context *ctx, const struct silent_offline_job *job,
	const struct exec *exec, struct veil_error *err) VEIL_MUST_CHECK;

/** Of the hint alone: h[u * n + k] = coefficient u of the public polynomial of output k, divided by n, mod q
 * and centred. Output k of the scan has the phase v_k + sum of n h[u][k] s_u. n^2 words. */
enum veil_status silent_hint(
	const struct silent_context *ctx, int64_t *h, const int8_t *table) VEIL_MUST_CHECK;

#endif
