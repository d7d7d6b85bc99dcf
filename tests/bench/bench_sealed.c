/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/require.h"
#include "silent/sealed.h"
#include "state.h"
#include "support/silent.h"

/* Sealed search, one core: what a server computes for one search of all documents, and all that travels for
 * it. Times do not depend on what the documents are. */

static const struct {
	const char *name;
	uint32_t clusters, rows;
} shapes[] = {
	{"sealed/answer/100000x128", 32, 4096},
	{"sealed/answer/1000000x128", 128, 8192},
	{"sealed/answer/10000000x128", 256, 40960},
};

void bench_sealed(struct bench *b)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct silent_sealed_spec spec = {.params = rlwe_params_find("sealed_n2048_q40"),
			.clusters = shapes[i].clusters,
			.rows = shapes[i].rows,
			.dim = 128,
			.row_norm = 320,
			.scale = 320};
		struct rng_seeded state;
		struct rng rng = rng_seeded_init_u64(&state, 1);
		struct silent_sealed *sealed;
		struct silent_shop shop;
		struct veil_error err;

		if (!bench_wanted(b, shapes[i].name))
			continue;
		REQUIRE(silent_sealed_create(&sealed, &spec, bench_features(b), &err) == VEIL_OK);
		silent_shop_init(&shop, spec.params, sealed->ctx->spec.rows, sealed->ctx->spec.packs,
			bench_features(b), &rng, 0);
		silent_shop_pretend(&shop);
		bench_silent_answer(b, &shop, shapes[i].name);
		silent_shop_clear(&shop);
		silent_sealed_destroy(sealed);
	}
}
