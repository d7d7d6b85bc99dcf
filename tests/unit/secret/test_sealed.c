/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/sealed.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "index/quantize.h"
#include "support/silent.h"
#include "support/test.h"

/* Sealed search against plain arithmetic on the same int8 documents. */

struct library {
	struct silent_sealed *sealed;
	struct silent_shop shop;
	int8_t *rows; /* [clusters][rows][dim] */
	uint8_t *reply;
	double *scores;
};

static int8_t *document(const struct library *l, uint32_t cluster, uint32_t v)
{
	const struct silent_sealed_spec *s = &l->sealed->spec;

	return l->rows + ((size_t)cluster * s->rows + v) * s->dim;
}

static void open_library(struct library *l, const struct silent_sealed_spec *spec)
{
	struct veil_error err;

	memset(l, 0, sizeof *l);
	cr_assert_eq(silent_sealed_create(&l->sealed, spec, cpu_features(), &err), VEIL_OK, "%s", err.text);
	silent_shop_init(&l->shop, spec->params, l->sealed->ctx->spec.rows, l->sealed->ctx->spec.packs,
		cpu_features(), NULL, 0);
	l->rows = calloc((size_t)spec->clusters * spec->rows, spec->dim);
	l->reply = malloc(l->sealed->ctx->reply_bytes);
	l->scores = calloc(spec->rows, sizeof *l->scores);
}

static void prepare(struct library *l)
{
	const struct silent_sealed_spec *s = &l->sealed->spec;

	for (uint32_t pack = 0; pack < l->sealed->ctx->spec.packs; pack++)
		for (uint32_t c = 0; c < s->clusters; c++)
			silent_sealed_fill(l->sealed, l->shop.table + pack * l->sealed->ctx->table_bytes,
				pack, c, document(l, c, 0), s->rows);
	silent_shop_prepare(&l->shop);
}

static void close_library(struct library *l)
{
	silent_shop_clear(&l->shop);
	silent_sealed_destroy(l->sealed);
	free(l->rows), free(l->reply), free(l->scores);
}

static void ask(struct library *l, const float *vector, uint32_t cluster, const struct rng *rng)
{
	struct secret_sealed *q;
	uint8_t *query = malloc(l->sealed->ctx->query_bytes);

	if (vector)
		cr_assert_eq(secret_sealed_create(&q, l->sealed, vector, cluster, rng, NULL), VEIL_OK);
	else
		cr_assert_eq(secret_sealed_create_fake(&q, l->sealed, rng, NULL), VEIL_OK);
	secret_sealed_write(q, query);
	silent_shop_answer(&l->shop, &l->reply, (const uint8_t *const *)&query, 1);
	secret_sealed_decode(q, l->scores, l->shop.constants, l->reply);
	secret_sealed_destroy(q);
	free(query);
}

static void random_unit(float *x, uint32_t dim, const struct rng *rng)
{
	for (uint32_t j = 0; j < dim; j++)
		x[j] = (float)test_normal(rng);
	index_normalise(x, dim);
}

/* Random documents, all but the last `padding` of each cluster. */
static void fill_random(struct library *l, uint32_t padding, const struct rng *rng)
{
	const struct silent_sealed_spec *s = &l->sealed->spec;
	float x[128];

	for (uint32_t c = 0; c < s->clusters; c++)
		for (uint32_t v = 0; v + padding < s->rows; v++) {
			random_unit(x, s->dim, rng);
			index_quantise(document(l, c, v), x, s->dim, s->scale);
		}
}

static double plain(const struct library *l, const float *x, uint32_t cluster, uint32_t v)
{
	const struct silent_sealed_spec *s = &l->sealed->spec;
	double sum = 0;

	for (uint32_t j = 0; j < s->dim; j++)
		sum += (double)x[j] * document(l, cluster, v)[j];
	return sum / (double)s->scale;
}

/* Root mean square of the scores' errors; the largest goes to *worst. */
static double error_of(const struct library *l, const float *x, uint32_t cluster, double *worst)
{
	const uint32_t rows = l->sealed->spec.rows;
	double sum = 0;

	for (uint32_t v = 0; v < rows; v++) {
		double e = l->scores[v] - (x ? plain(l, x, cluster, v) : 0);

		sum += e * e;
		*worst = fmax(*worst, fabs(e));
	}
	return sqrt(sum / rows);
}

static struct silent_sealed_spec small(uint32_t clusters, uint32_t rows, uint32_t dim)
{
	return (struct silent_sealed_spec){.params = rlwe_params_find("insecure_sealed_n64_q40"),
		.clusters = clusters,
		.rows = rows,
		.dim = dim,
		.row_norm = 135,
		.scale = 130,
		.seed = "a table",
		.allow_insecure = true};
}

Test(sealed, every_cluster_answers_with_the_cosines_of_its_own_documents)
{
	static const struct {
		uint32_t clusters, rows, dim;
	} shapes[] = {{1, 1, 1}, {5, 100, 24}, {7, 64, 100}, {64, 65, 2}};
	struct rng rng = test_rng();

	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		const struct silent_sealed_spec spec =
			small(shapes[i].clusters, shapes[i].rows, shapes[i].dim);
		struct library l;

		open_library(&l, &spec);
		fill_random(&l, spec.rows / 4, &rng);
		prepare(&l);
		for (uint32_t c = 0; c < spec.clusters; c++) {
			double worst = 0;
			float x[128];

			random_unit(x, spec.dim, &rng);
			ask(&l, x, c, &rng);
			error_of(&l, x, c, &worst);
			cr_assert_lt(worst,
				7 * silent_sealed_error(l.sealed, spec.scale / sqrt(spec.dim)) + 1e-4,
				"cluster %u of %u: %g", c, spec.clusters, worst);
		}
		close_library(&l);
	}
}

/* The shape of a million documents of dimension 128 in 128 clusters, one pack of four of it. */
Test(sealed, error_at_full_size_is_that_of_the_formula_and_below_35_in_100000)
{
	struct silent_sealed_spec spec = {.params = rlwe_params_find("sealed_n2048_q40"),
		.clusters = 128,
		.rows = 2048,
		.dim = 128,
		.row_norm = 330,
		.scale = 320,
		.seed = "a table"};
	struct rng rng = test_rng();
	double worst = 0, squares = 0, formula;
	struct library l;

	open_library(&l, &spec);
	/* numbers of the right size: a normal for each coordinate of 33 million takes too long */
	for (size_t i = 0; i < (size_t)spec.clusters * spec.rows * spec.dim; i += 8) {
		uint64_t bits;

		rng_fill(&rng, &bits, sizeof bits);
		for (unsigned k = 0; k < 8; k++, bits >>= 8)
			l.rows[i + k] = (int8_t)((bits & 127) - 63); /* rms 37, norms 418 */
	}
	for (size_t i = 0; i < (size_t)spec.clusters * spec.rows * spec.dim; i++)
		l.rows[i] = (int8_t)(l.rows[i] * 49 / 64); /* rms 28.3, norms 320 */
	prepare(&l);
	for (uint32_t k = 0; k < 8; k++) {
		const uint32_t c = (uint32_t)test_below(&rng, spec.clusters);
		double e;
		float x[128];

		random_unit(x, spec.dim, &rng);
		ask(&l, x, c, &rng);
		e = error_of(&l, x, c, &worst);
		squares += e * e / 8;
	}
	formula = silent_sealed_error(l.sealed, spec.scale / sqrt(spec.dim));
	cr_log_info("error %.3g rms, %.3g at most; by the formula %.3g", sqrt(squares), worst, formula);
	cr_assert_lt(fabs(log2(sqrt(squares) / formula)), 0.2, "%g, not %g", sqrt(squares), formula);
	cr_assert_lt(sqrt(squares), 3.5e-4);
	close_library(&l);
}

/* Cosines of +1 and -1 with a document of the largest norm that is allowed: neither wraps around. */
Test(sealed, the_largest_document_keeps_its_sign_and_a_larger_one_is_refused)
{
	struct silent_sealed_spec spec = small(2, 64, 25);
	const float up[25] = {[0] = 3, [1] = 4}, down[25] = {[0] = -3, [1] = -4};
	struct rng rng = test_rng();
	struct veil_error err = {.text = ""};
	struct silent_sealed *refused;
	struct library l;

	spec.row_norm = 105; /* 63, 84, 0 ... */
	spec.scale = 100;
	open_library(&l, &spec);
	for (uint32_t v = 0; v < spec.rows; v++) {
		document(&l, 1, v)[0] = v & 1 ? -63 : 63;
		document(&l, 1, v)[1] = v & 1 ? -84 : 84;
	}
	prepare(&l);
	for (int round = 0; round < 20; round++) {
		ask(&l, round & 1 ? down : up, 1, &rng);
		for (uint32_t v = 0; v < spec.rows; v++)
			cr_assert_float_eq(l.scores[v], (v ^ (uint32_t)round) & 1 ? -1.05 : 1.05, 0.005);
	}
	close_library(&l);
	spec.row_norm++;
	cr_assert_eq(silent_sealed_create(&refused, &spec, 0, &err), VEIL_E_INVALID);
	cr_assert_null(refused);
	cr_assert_not_null(strstr(err.text, "wrap around"), "%s", err.text);
}

Test(sealed, a_fake_query_scores_nothing)
{
	const struct silent_sealed_spec spec = small(3, 64, 20);
	struct rng rng = test_rng();
	struct library l;
	double worst = 0;

	open_library(&l, &spec);
	fill_random(&l, 0, &rng);
	prepare(&l);
	ask(&l, NULL, 0, &rng);
	error_of(&l, NULL, 0, &worst);
	cr_assert_lt(worst, 0.005);
	close_library(&l);
}

Test(sealed, shapes_that_make_no_sense_are_refused_by_name)
{
	static const struct {
		struct silent_sealed_spec spec;
		const char *says;
	} cases[] = {
		{{.clusters = 0, .rows = 1, .dim = 1, .row_norm = 1, .scale = 1}, "clusters"},
		{{.clusters = 1, .rows = 0, .dim = 1, .row_norm = 1, .scale = 1}, "documents"},
		{{.clusters = 1, .rows = 1, .dim = 0, .row_norm = 1, .scale = 1}, "dimension"},
		{{.clusters = 513, .rows = 1, .dim = 128, .row_norm = 1, .scale = 1}, "take fewer clusters"},
		{{.clusters = 1u << 31, .rows = 1, .dim = 2, .row_norm = 1, .scale = 1}, "clusters"},
		{{.clusters = 1, .rows = UINT32_MAX, .dim = 1, .row_norm = 1, .scale = 1}, "documents"},
		{{.clusters = 1, .rows = 1, .dim = 1, .row_norm = 0, .scale = 1}, "positive"},
		{{.clusters = 1, .rows = 1, .dim = 1, .row_norm = 1, .scale = 0}, "positive"},
		{{.clusters = 1, .rows = 1, .dim = 1, .row_norm = 1, .scale = NAN}, "positive"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct silent_sealed_spec spec = cases[i].spec;
		struct veil_error err = {.text = ""};
		struct silent_sealed *out;

		spec.params = rlwe_params_find("sealed_n2048_q40");
		cr_assert_eq(silent_sealed_create(&out, &spec, 0, &err), VEIL_E_INVALID, "case %zu", i);
		cr_assert_not_null(strstr(err.text, cases[i].says), "%s", err.text);
		spec = small(1, 1, 1);
		spec.params = rlwe_params_find("retrieval_n2048_q40");
		cr_assert_eq(silent_sealed_create(&out, &spec, 0, &err), VEIL_E_INVALID);
	}
}

static struct secret_sealed *fresh(struct library *l)
{
	static struct rng rng;
	const struct silent_sealed_spec spec = small(2, 64, 4);
	const float x[4] = {1, 2, 3, 4};
	struct secret_sealed *q;

	rng = test_rng();
	open_library(l, &spec);
	cr_assert_eq(secret_sealed_create(&q, l->sealed, x, 1, &rng, NULL), VEIL_OK);
	return q;
}

Test(sealed, a_second_serialisation_aborts, .signal = SIGABRT)
{
	struct library l;
	struct secret_sealed *q = fresh(&l);
	uint8_t *query = malloc(l.sealed->ctx->query_bytes);

	secret_sealed_write(q, query);
	secret_sealed_write(q, query);
}

Test(sealed, a_second_decoding_aborts, .signal = SIGABRT)
{
	struct library l;
	struct secret_sealed *q = fresh(&l);
	uint8_t *query = malloc(l.sealed->ctx->query_bytes);

	memset(l.shop.constants, 0, l.sealed->ctx->static_bytes);
	memset(l.reply, 0, l.sealed->ctx->reply_bytes);
	secret_sealed_write(q, query);
	secret_sealed_decode(q, l.scores, l.shop.constants, l.reply);
	secret_sealed_decode(q, l.scores, l.shop.constants, l.reply);
}

Test(sealed, a_vector_without_direction_is_refused)
{
	const float bad[][2] = {{0, 0}, {NAN, 1}, {1, INFINITY}};
	const struct silent_sealed_spec spec = small(2, 64, 2);
	struct rng rng = test_rng();
	struct library l;

	open_library(&l, &spec);
	for (size_t i = 0; i < 3; i++) {
		struct secret_sealed *q;

		cr_assert_eq(secret_sealed_create(&q, l.sealed, bad[i], 0, &rng, NULL), VEIL_E_INVALID);
		cr_assert_null(q);
	}
	close_library(&l);
}
