/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_NN_H
#define SUPPORT_NN_H

#include "base/cpu.h"
#include "base/require.h"
#include "nn/context.h"

/** A context in an insecure ring, its norm bound 300 in units of scale 300. `params` names a tiny set,
 * `features` the kernels (cpu_features()). Aborts where the shape cannot be. Free with nn_context_destroy. */
static inline struct nn_context *test_nn_context(
	const char *params, uint32_t dim, uint32_t terms, uint32_t rows, unsigned features)
{
	struct nn_spec spec = {.params = rlwe_params_find(params),
		.dim = dim,
		.rows = rows,
		.terms = terms,
		.row_norm = 300,
		.scale = 300,
		.allow_insecure = true};
	struct nn_context *ctx = NULL;

	REQUIRE(nn_context_create(&ctx, &spec, features, NULL) == VEIL_OK);
	return ctx;
}

/** What the tests and fuzz targets of the wire agree on: 19 rows of 40 coordinates. */
static inline struct nn_context *test_nn_context_19x40(void)
{
	return test_nn_context("insecure_search_n64_q28", 40, 5, 19, cpu_features());
}

#endif
