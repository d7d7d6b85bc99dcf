/* SPDX-License-Identifier: Apache-2.0 */
#include "one_shard.h"

Test(search, every_score_of_the_exact_set_is_the_integer_dot_product)
{
	static const uint32_t shapes[][3] = {{1, 1, 1}, {1, 1, 2049}, {2, 2, 5}, {3, 2, 2000}, {64, 8, 300},
		{100, 7, 515}, {128, 1, 40}, {128, 16, 4096}, {128, 128, 2100}, {129, 16, 130},
		{255, 31, 257}, {768, 32, 200}, {2048, 1, 3}, {2048, 4, 9}, {2049, 2, 2}, {4096, 2, 3}};
	struct rng rng = test_rng();

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		uint32_t dim = shapes[i][0];
		double scale = fmin(120 * sqrt(dim), 320);
		struct nn_spec spec = {.params = rlwe_params_find(EXACT),
			.dim = dim,
			.terms = shapes[i][1],
			.rows = shapes[i][2],
			.scale = (float)scale};
		float x[NN_MAX_DIM];
		struct server s;

		serve(&s, spec, random_rows(spec.rows, dim, scale, &rng));
		for (int round = 0; round < 3; round++) {
			random_vector(x, dim, &rng);
			check_exact(&s, x);
		}
		/* cosine +1 and -1 with the last row */
		for (int sign = -1; sign <= 1; sign += 2) {
			for (uint32_t j = 0; j < dim; j++)
				x[j] = (float)(sign * s.rows[(size_t)(spec.rows - 1) * dim + j]) + 1e-9f;
			check_exact(&s, x);
		}
		leave(&s);
	}
}

/* Rows and query at the very edge of what the norm bound allows: all coordinates -127, 127 or alternating. */
Test(search, the_largest_scores_of_the_exact_set_do_not_wrap)
{
	static const uint32_t dims[] = {1, 2, 9, 16};

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
		uint32_t dim = dims[i];
		struct nn_spec spec = {.params = rlwe_params_find(EXACT),
			.dim = dim,
			.terms = 1,
			.rows = 700,
			.scale = 1e6f};
		int8_t *rows = malloc((size_t)spec.rows * dim);
		float x[16];
		struct server s;

		for (uint32_t v = 0; v < spec.rows; v++)
			for (uint32_t j = 0; j < dim; j++)
				rows[v * dim + j] = (v % 3 == 0 || (v % 3 == 1 && j % 2)) ? 127 : -127;
		serve(&s, spec, rows);
		for (int kind = 0; kind < 3; kind++) {
			for (uint32_t j = 0; j < dim; j++)
				x[j] = kind == 0 || (kind == 1 && j % 2) ? 1 : -1;
			check_exact(&s, x);
		}
		leave(&s);
	}
}

struct error {
	double rms, max, cosine_max;
};

/* Asks `queries` random questions and returns the error of the scores against <x, y> / scale. */
static struct error measure(struct server *s, int queries, const struct rng *rng)
{
	uint32_t dim = s->ctx->spec.dim, rows = s->ctx->spec.rows;
	double *scores = malloc(rows * sizeof *scores), sum = 0;
	struct error e = {0};

	for (int i = 0; i < queries; i++) {
		struct secret_search *search;
		float x[NN_MAX_DIM];
		double norm = 0;

		random_vector(x, dim, rng);
		for (uint32_t j = 0; j < dim; j++)
			norm += (double)x[j] * x[j];
		search = query(s, x);
		ask(s, search, scores);
		secret_search_destroy(search);
		for (uint32_t v = 0; v < rows; v++) {
			double dot = 0, error;

			for (uint32_t j = 0; j < dim; j++)
				dot += x[j] * (double)s->rows[(size_t)v * dim + j];
			dot /= sqrt(norm) * s->ctx->spec.scale;
			error = scores[v] - dot;
			sum += error * error;
			e.max = fmax(e.max, fabs(error));
			e.cosine_max = fmax(e.cosine_max, fabs(dot));
		}
	}
	e.rms = sqrt(sum / queries / rows);
	free(scores);
	return e;
}

static void within_a_fifth_of_a_bit(struct server *s, const char *name, int queries, const struct rng *rng)
{
	double norm2 = 0, predicted;
	struct error e = measure(s, queries, rng);

	for (uint32_t v = 0; v < s->ctx->spec.rows; v++)
		norm2 += pow(norm_of(s->rows + (size_t)v * s->ctx->spec.dim, s->ctx->spec.dim), 2) /
			 s->ctx->spec.rows;
	predicted = nn_noise_std(s->ctx, sqrt(norm2));
	fprintf(stderr, "# %s: rms %.3g, predicted %.3g (%+.3f bit), max %.3g\n", name, e.rms, predicted,
		log2(e.rms / predicted), e.max);
	cr_assert_lt(fabs(log2(e.rms / predicted)), 0.2, "%s: rms %g, predicted %g", name, e.rms, predicted);
	cr_assert_lt(e.max, 7 * predicted);
}

Test(search, the_noise_of_the_compact_set_is_that_of_the_formula)
{
	static const uint32_t shapes[][3] = {{128, 16, 4096}, {128, 64, 4096}, {128, 4, 512}, {768, 32, 680},
		{64, 64, 2048}, {2048, 1, 40}};
	struct rng rng = test_rng();

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct nn_spec spec = {.params = rlwe_params_find(COMPACT),
			.dim = shapes[i][0],
			.terms = shapes[i][1],
			.rows = shapes[i][2],
			.scale = 320};
		char name[64];
		struct server s;

		snprintf(name, sizeof name, "dim %u terms %u", spec.dim, spec.terms);
		serve(&s, spec, random_rows(spec.rows, spec.dim, 320, &rng));
		within_a_fifth_of_a_bit(&s, name, 1 + (int)(8192 / spec.rows), &rng);
		leave(&s);
	}
}

/* A bias in the rounding of the query would be summed up by such rows. Their errors go together, so that it
 * takes many queries to measure them. */
Test(search, rows_of_one_sign_add_no_noise)
{
	struct nn_spec spec = {
		.params = rlwe_params_find(COMPACT), .dim = 128, .terms = 16, .rows = 4096, .scale = 320};
	struct rng rng = test_rng();
	int8_t *rows = random_rows(spec.rows, spec.dim, 320, &rng);
	struct server s;

	for (size_t i = 0; i < (size_t)spec.rows * spec.dim; i++)
		rows[i] = (int8_t)abs(rows[i]);
	serve(&s, spec, rows);
	within_a_fifth_of_a_bit(&s, "rows of one sign", 60, &rng);
	leave(&s);
}

/* The exact set rounds its noise away, so it is measured with the same modulus and bits, decoded
 * approximately. */
Test(search, the_noise_of_the_exact_set_is_that_of_the_formula)
{
	struct rlwe_params params = *rlwe_params_find(EXACT);
	struct nn_spec spec = {.params = &params, .dim = 128, .terms = 16, .rows = 4096, .scale = 320};
	struct rng rng = test_rng();
	struct server s;

	params.use = RLWE_USE_SEARCH_APPROXIMATE;
	serve(&s, spec, random_rows(spec.rows, spec.dim, 320, &rng));
	within_a_fifth_of_a_bit(&s, "exact set", 3, &rng);
	leave(&s);
}

Test(search, cosines_of_one_and_minus_one_decode)
{
	struct nn_spec spec = {
		.params = rlwe_params_find(COMPACT), .dim = 96, .terms = 12, .rows = 300, .scale = 310};
	struct rng rng = test_rng();
	double scores[300];
	struct server s;

	serve(&s, spec, random_rows(spec.rows, spec.dim, spec.scale, &rng));
	for (uint32_t v = 0; v < spec.rows; v += 37) {
		for (int sign = -1; sign <= 1; sign += 2) {
			const int8_t *row = s.rows + v * spec.dim;
			struct secret_search *search;
			float x[96];

			for (uint32_t j = 0; j < spec.dim; j++)
				x[j] = (float)sign * row[j] * 1e-20f;
			search = query(&s, x);
			ask(&s, search, scores);
			secret_search_destroy(search);
			cr_assert_float_eq(scores[v], sign * norm_of(row, spec.dim) / 310, 4e-3);
			for (uint32_t u = 0; u < spec.rows; u++)
				cr_assert(u == v || sign * scores[u] < sign * scores[v]);
		}
	}
	leave(&s);
}

/* The rank of the best few by the compact set against plain int8 arithmetic: near copies of a row, so that
 * the truth is not a matter of noise only. */
Test(search, the_nearest_rows_are_found)
{
	struct nn_spec spec = {
		.params = rlwe_params_find(COMPACT), .dim = 128, .terms = 16, .rows = 4096, .scale = 320};
	struct rng rng = test_rng();
	double *scores = malloc(spec.rows * sizeof *scores);
	struct server s;
	int found = 0;

	serve(&s, spec, random_rows(spec.rows, spec.dim, spec.scale, &rng));
	for (int i = 0; i < 20; i++) {
		uint32_t target = (uint32_t)test_below(&rng, spec.rows), above = 0;
		struct secret_search *search;
		float x[128];

		for (uint32_t j = 0; j < 128; j++)
			x[j] = (float)(s.rows[target * 128 + j] + 30 * test_normal(&rng));
		search = query(&s, x);
		ask(&s, search, scores);
		secret_search_destroy(search);
		for (uint32_t v = 0; v < spec.rows; v++)
			above += scores[v] > scores[target];
		found += above == 0;
	}
	cr_assert_eq(found, 20);
	free(scores);
	leave(&s);
}
