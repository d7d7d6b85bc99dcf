/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apple/engine.h"
#include "base/hash.h"
#include "ring/packed.h"
#include "secret/pnns_search.h"
#include "secret/search.h"
#include "support/pnns.h"
#include "support/test.h"

static struct rng rng;

static struct pnns_context *context(const struct pnns_spec *spec)
{
	struct pnns_context *ctx;
	struct veil_error err;

	cr_assert_eq(pnns_context_create(&ctx, spec, cpu_features(), &err), VEIL_OK, "%s", err.text);
	return ctx;
}

/* --- packing */

/* Made with apple/swift-homomorphic-encryption's PNNSProcessDatabase (main 6867588): vector[i][j] = float(((i
 * * 131 + j * 71 + (i * j) mod 97) mod 255) - 127), default scale. SHA-256 of all SerializedPlaintext.poly,
 * one after another, and the first 16 bytes of that of the first. */
static const struct {
	const char *params;
	uint32_t rows, dim;
	uint64_t scale;
	size_t bytes;
	const char *all, *first;
} golden[] = {
	{"n_4096_logq_27_28_28_logt_17", 100, 128, 175, 28160,
		"cf74854c57ceae42c02d2c7c96157eba6207941d607f9a446c4c979959de5c51",
		"1541fce68038f82a398e84536c4973d2"},
	{"n_4096_logq_27_28_28_logt_16", 5000, 96, 138, 28160,
		"814c5a1e3b0ae83a1c30865c0daea17141f63d4882bd9d22b189f2141de08515",
		"9c240da8778fe49bbf3b5395626f84e8"},
	{"n_8192_logq_3x55_logt_24", 100, 768, 2036, 112640,
		"7705ec1baba9d7619a85c5f5ce2e6575988dbf4993db6e9c972a9da226a442bf",
		"5e1a19942570f7d149c25e74b8f4ce7c"},
};

static int32_t *golden_rows(const struct pnns_context *ctx, uint32_t rows, uint64_t scale)
{
	const uint32_t dim = ctx->spec.dim;
	int32_t *quantised = calloc((size_t)rows * dim, sizeof *quantised);
	float vector[1024];

	cr_assert(quantised);
	for (uint32_t i = 0; i < rows; i++) {
		for (uint32_t j = 0; j < dim; j++)
			vector[j] = (float)((int)((i * 131 + j * 71 + i * j % 97) % 255) - 127);
		pnns_quantise(quantised + (size_t)i * dim, vector, dim, scale);
	}
	return quantised;
}

static void expect_digest(const char *want, const uint8_t digest[HASH_BYTES])
{
	char hex[HASH_HEX_SIZE];

	hash_hex(hex, digest);
	hex[strlen(want)] = '\0';
	cr_assert_str_eq(hex, want);
}

Test(pnns, processed_databases_are_those_of_apples_tool_byte_for_byte)
{
	for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
		const struct pnns_spec spec = {.params = rlwe_params_find(golden[g].params),
			.moduli = 1,
			.dim = golden[g].dim,
			.form = PNNS_SENT};
		struct pnns_context *ctx = context(&spec);
		const size_t n = ctx->ring->n, chunks = pnns_chunks(ctx, golden[g].rows);
		int32_t *rows = golden_rows(ctx, golden[g].rows, golden[g].scale);
		uint8_t *poly = malloc(golden[g].bytes), digest[HASH_BYTES];
		struct ring_poly factor;
		struct arena arena;
		struct hash *hash = hash_create();

		cr_assert_eq(pnns_max_scale(ctx), golden[g].scale);
		cr_assert_eq(ring_packed_bytes(ctx->ring, ctx->level, 0), golden[g].bytes);
		cr_assert_eq(
			arena_init(&arena, pnns_pack_scratch(ctx) + ring_poly_bytes(ctx->ring, ctx->level)),
			VEIL_OK);
		ring_poly_init(&factor, ctx->ring, ctx->level, RING_EVALUATION,
			arena_take(&arena, ring_poly_bytes(ctx->ring, ctx->level)));
		for (uint32_t r = 0; r < ctx->period; r++)
			for (size_t chunk = 0; chunk < chunks; chunk++) {
				const size_t from = chunk * n, left = golden[g].rows - from;

				pnns_pack_diagonal(ctx, 0, &factor, rows + from * golden[g].dim,
					left < n ? left : n, r, &arena);
				ring_pack(poly, &factor, 0);
				hash_add(hash, poly, golden[g].bytes);
				if (r == 0 && chunk == 0) {
					hash_sha256(digest, poly, golden[g].bytes);
					expect_digest(golden[g].first, digest);
				}
			}
		hash_end(hash, digest);
		expect_digest(golden[g].all, digest);
		hash_destroy(hash);
		arena_clear(&arena);
		free(poly);
		free(rows);
		pnns_context_destroy(ctx);
	}
}

/* --- answers */

static int32_t coordinate(int32_t limit)
{
	return (int32_t)test_below(&rng, 2 * (uint64_t)limit + 1) - limit;
}

/* A database of random rows whose dot products fit. */
struct fixture {
	struct test_pnns p;
	int32_t *rows, *vector;
};

/* `limit`: of a coordinate */
static void start(struct fixture *f, const struct pnns_spec *spec, size_t count, int32_t limit)
{
	test_pnns_init(&f->p, spec, count, test_below(&rng, UINT64_MAX), cpu_features());
	f->rows = calloc(count * spec->dim, sizeof *f->rows);
	f->vector = calloc(spec->dim, sizeof *f->vector);
	cr_assert(f->rows && f->vector);
	for (size_t i = 0; i < count * spec->dim; i++)
		f->rows[i] = coordinate(limit);
	for (size_t j = 0; j < spec->dim; j++)
		f->vector[j] = coordinate(limit);
	for (size_t c = 0; c < f->p.chunks; c++)
		test_pnns_pack(&f->p, c, f->rows + c * f->p.ctx->ring->n * spec->dim);
}

static void end(struct fixture *f)
{
	free(f->rows);
	free(f->vector);
	test_pnns_clear(&f->p);
}

static void ask(struct fixture *f)
{
	test_pnns_encrypt(&f->p, f->vector);
	test_pnns_prepare(&f->p);
}

/* The least budget of all replies; their root mean square noise, log2, to *rms. */
static double answer(struct fixture *f, double *rms)
{
	const struct pnns_context *ctx = f->p.ctx;
	const size_t n = ctx->ring->n, dim = ctx->spec.dim;
	int64_t *scores = calloc(n, sizeof *scores);
	double least = INFINITY;

	cr_assert(scores);
	for (size_t c = 0; c < f->p.chunks; c++) {
		const size_t count = test_pnns_count(&f->p, c);

		test_pnns_answer(&f->p, c);
		secret_pnns_decrypt(ctx, &f->p.b.key, scores, count, f->p.reply, &f->p.secret);
		for (size_t i = 0; i < count; i++) {
			int64_t want = 0;

			for (size_t j = 0; j < dim; j++)
				want += (int64_t)f->rows[(c * n + i) * dim + j] * f->vector[j];
			cr_assert_eq(scores[i], want, "%s, form %d: row %zu: %ld, not %ld",
				ctx->spec.params->name, ctx->spec.form, c * n + i, (long)scores[i],
				(long)want);
		}
		for (unsigned m = 0; m < ctx->spec.moduli; m++) {
			const struct secret_bfv_noise noise = secret_bfv_noise_vartime(
				ctx->bfv[m], &f->p.b.key, &f->p.reply[m], &f->p.b.arena);

			least = noise.budget < least ? noise.budget : least;
			*rms = noise.rms;
		}
	}
	free(scores);
	return least;
}

Test(pnns, scores_are_the_dot_products_in_every_form_with_one_modulus_and_with_several)
{
	static const struct {
		const char *params;
		unsigned moduli;
		uint64_t t[2];
		uint32_t dim, baby;
		size_t rows;
		int32_t limit;
	} cases[] = {
		{"insecure_n_512_logq_4x60_logt_20", 1, {0}, 7, 0, 1000, 100},
		{"n_4096_logq_27_28_28_logt_17", 1, {0}, 1, 0, 3, 100},
		{"n_4096_logq_27_28_28_logt_17", 1, {0}, 5, 8, 5000, 70},
		{"n_4096_logq_27_28_28_logt_17", 2, {40961}, 100, 16, 300, 2000},
		{"n_4096_logq_27_28_28_logt_16", 3, {65537, 114689}, 12, 3, 4096, 1000000},
		{"n_8192_logq_3x55_logt_24", 1, {0}, 60, 0, 8193, 200},
	};

	rng = test_rng();
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
		for (int form = PNNS_CHAIN; form <= PNNS_SENT; form++) {
			const struct pnns_spec spec = {.params = rlwe_params_find(cases[c].params),
				.t = {cases[c].t[0], cases[c].t[1]},
				.moduli = cases[c].moduli,
				.dim = cases[c].dim,
				.baby = cases[c].baby,
				.form = (enum pnns_form)form,
				.allow_insecure = true};
			struct fixture f;
			double rms;

			start(&f, &spec, cases[c].rows, cases[c].limit);
			ask(&f);
			cr_assert_geq(answer(&f, &rms), 0.5);
			end(&f);
		}
}

/* As large as Apple's, 4096 x 128 with t = 65537: its log says 4.1 bits after the circuit that PNNS_CHAIN is.
 */
Test(pnns, noise_is_that_of_the_formula_and_no_form_leaves_less_than_apples)
{
	const struct {
		const char *params;
		uint32_t dim;
		int32_t limit;
	} cases[] = {
		{"n_4096_logq_27_28_28_logt_17", 128, 15},
		{"n_8192_logq_3x36_logt_22", 64, 127},
	};

	rng = test_rng();
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		double chain = 0;

		for (int form = PNNS_CHAIN; form <= PNNS_SENT; form++) {
			const struct pnns_spec spec = {.params = rlwe_params_find(cases[c].params),
				.moduli = 1,
				.dim = cases[c].dim,
				.form = (enum pnns_form)form};
			struct fixture f;
			double rms, budget, want, q;

			start(&f, &spec, (size_t)1 << spec.params->log_n, cases[c].limit);
			q = (double)f.p.ctx->ring->primes[0].p.q;
			ask(&f);
			budget = answer(&f, &rms);
			want = log2((double)f.p.ctx->t) + log2(pnns_noise_of(f.p.ctx, 0).after) / 2 - log2(q);
			cr_assert_float_eq(rms, want, 0.2, "%s, form %d: 2^%.2f, not 2^%.2f", cases[c].params,
				form, rms, want);
			chain = form == PNNS_CHAIN ? budget : chain;
			/* the largest of N coefficients is itself a matter of luck */
			cr_assert_geq(budget, chain - 0.4);
			cr_assert(c || budget > 3.5);
			end(&f);
		}
	}
}

Test(pnns, int8_scores_of_768_coordinates_are_exact)
{
	const struct pnns_spec spec = {.params = rlwe_params_find("n_8192_logq_3x36_logt_22"),
		.moduli = 1,
		.dim = 768,
		.form = PNNS_SENT};
	struct fixture f;
	double rms;

	rng = test_rng();
	start(&f, &spec, 100, 77); /* norms of about 1232, whose product is below (t - 1) / 2 */
	for (size_t j = 0; j < 768; j++) /* one row is as large as it gets, and the query too */
		f.rows[j] = f.vector[j] = j < 98 ? 127 : 0;
	test_pnns_pack(&f.p, 0, f.rows);
	ask(&f);
	cr_assert_geq(answer(&f, &rms), 4);
	end(&f);
}

Test(pnns, what_cannot_be_is_refused_by_name)
{
	const struct rlwe_params *params = rlwe_params_find("n_4096_logq_27_28_28_logt_17");
	const struct {
		struct pnns_spec spec;
		const char *why;
	} cases[] = {
		{{.params = params, .moduli = 0, .dim = 8}, "moduli"},
		{{.params = params, .moduli = 4, .dim = 8}, "moduli"},
		{{.params = params, .moduli = 1, .dim = 0}, "coordinates"},
		{{.params = params, .moduli = 1, .dim = 2049}, "coordinates"},
		{{.params = params, .moduli = 1, .dim = 8, .baby = 9}, "baby steps"},
		{{.params = params, .moduli = 1, .dim = 128, .baby = 100, .form = PNNS_HOISTED}, "keys"},
		{{.params = params, .moduli = 1, .dim = 2048, .baby = 1000, .form = PNNS_SENT},
			"1000 baby steps"},
		{{.params = params, .moduli = 2, .t = {65537}, .dim = 8}, "twice"},
		{{.params = params, .moduli = 2, .t = {65521}, .dim = 8}, "no slots"},
		{{.params = params, .moduli = 2, .t = {163841}, .dim = 2048}, "bits for noise"},
		{{.params = rlwe_params_find("n_4096_logq_27_28_28_logt_13"), .moduli = 1, .dim = 8},
			"no slots"},
		{{.params = rlwe_params_find("n_8192_logq_3x55_logt_42"),
			 .moduli = 2,
			 .t = {2199023304703},
			 .dim = 8},
			"2^62"},
		{{.params = rlwe_params_find("insecure_n_8_logq_5x18_logt_5"),
			 .moduli = 1,
			 .dim = 3,
			 .allow_insecure = true},
			"at least 16"},
		{{.params = rlwe_params_find("insecure_n_512_logq_4x60_logt_20"), .moduli = 1, .dim = 3},
			"insecure"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pnns_context *ctx;
		struct veil_error err = {""};

		cr_assert_eq(pnns_context_create(&ctx, &cases[i].spec, cpu_features(), &err), VEIL_E_INVALID,
			"case %zu", i);
		cr_assert_null(ctx);
		cr_assert(strstr(err.text, cases[i].why), "case %zu: %s", i, err.text);
	}
}

/* --- an index of kind bfv */

#define INDEX_ROWS 600
#define INDEX_DIM 20

static struct engine tiny_engine(uint32_t rows)
{
	const struct nn_spec spec = {.params = rlwe_params_find("insecure_n_512_logq_4x60_logt_20"),
		.dim = INDEX_DIM,
		.rows = rows,
		.terms = 3,
		.row_norm = 500,
		.scale = 480,
		.allow_insecure = true};
	struct engine e;
	struct veil_error err;

	cr_assert_eq(engine_open(&e, &spec, cpu_features(), &err), VEIL_OK, "%s", err.text);
	cr_assert_not_null(e.bfv);
	return e;
}

Test(pnns, an_index_answers_bytes_with_bytes_and_refuses_residues_that_are_none)
{
	struct engine e = tiny_engine(INDEX_ROWS);
	const struct nn_context *shape = e.shape;
	struct arena arena;
	struct drbg *drbg = drbg_create();
	int8_t *rows = malloc(INDEX_ROWS * INDEX_DIM), rounded[INDEX_DIM];
	uint8_t *shard = aligned_alloc(64, shape->shard_bytes), *query = malloc(shape->query_bytes),
		*reply = malloc(shape->reply_bytes);
	double scores[INDEX_ROWS];
	float vector[INDEX_DIM];
	struct secret_pnns_search *search;
	const uint8_t *answered = reply;
	struct nn_query q = {.ciphertexts = query};
	enum veil_status status;

	rng = test_rng();
	cr_assert_eq(arena_init(&arena, shape->shard_scratch + engine_answer_scratch(&e, 1)), VEIL_OK);
	for (size_t i = 0; i < INDEX_ROWS * INDEX_DIM; i++)
		rows[i] = (int8_t)coordinate(100);
	for (size_t j = 0; j < INDEX_DIM; j++)
		vector[j] = (float)test_normal(&rng);
	engine_shard(&e, shard, rows, INDEX_ROWS - 1, &arena);
	cr_assert_eq(secret_pnns_search_create(&search, e.bfv, vector, &rng, NULL), VEIL_OK);
	secret_pnns_search_write(search, q.seed, query);
	cr_assert_eq(engine_answer(&e, &reply, &status, &q, 1, shard, NULL, drbg, &arena), VEIL_OK);
	cr_assert_eq(secret_pnns_search_decode(search, scores, &answered, 1, NULL), VEIL_OK);
	cr_assert_eq(secret_search_quantise(shape, rounded, vector, NULL), VEIL_OK);
	for (size_t i = 0; i < INDEX_ROWS; i++) {
		int want = 0;

		for (size_t j = 0; j < INDEX_DIM; j++)
			want += i < INDEX_ROWS - 1 ? rows[i * INDEX_DIM + j] * rounded[j] : 0;
		cr_assert_eq(scores[i], want, "row %zu: %.0f, not %d", i, scores[i], want);
	}
	/* the first residue of the key, the last one of the last ciphertext: all ones are not below a prime
	 */
	for (int last = 0; last < 2; last++) {
		uint8_t *at = last ? query + shape->query_bytes - 8 : query, kept[8];

		memcpy(kept, at, 8);
		memset(at, 0xff, 8);
		cr_assert_eq(engine_answer(&e, &reply, &status, &q, 1, shard, NULL, drbg, &arena),
			VEIL_E_MALFORMED);
		cr_assert_eq(status, VEIL_E_MALFORMED);
		for (size_t i = 0; i < shape->reply_bytes; i++)
			cr_assert_eq(reply[i], 0);
		memcpy(at, kept, 8);
	}
	cr_assert_eq(arena.used, 0);
	secret_pnns_search_destroy(search);
	cr_assert_eq(secret_pnns_search_create(&search, e.bfv, NULL, &rng, NULL), VEIL_OK); /* fake */
	secret_pnns_search_write(search, q.seed, query);
	memset(reply, 0xff, shape->reply_bytes);
	cr_assert_eq(secret_pnns_search_decode(search, scores, &answered, 1, NULL), VEIL_E_MALFORMED);
	for (size_t i = 0; i < INDEX_ROWS; i++)
		cr_assert_eq(scores[i], 0);
	secret_pnns_search_destroy(search);
	vector[0] = NAN;
	cr_assert_eq(secret_pnns_search_create(&search, e.bfv, vector, &rng, NULL), VEIL_E_INVALID);
	cr_assert_null(search);
	drbg_destroy(drbg);
	arena_clear(&arena);
	free(rows);
	free(shard);
	free(query);
	free(reply);
	engine_close(&e);
}

Test(pnns, an_index_whose_scores_pass_t_is_refused)
{
	struct nn_spec spec = {.params = rlwe_params_find("n_8192_logq_3x36_logt_22"),
		.dim = 768,
		.rows = 100,
		.terms = 23,
		.row_norm = 1250,
		.scale = 1250};
	struct engine e;
	struct veil_error err;

	cr_assert_eq(engine_open(&e, &spec, cpu_features(), &err), VEIL_OK, "%s", err.text);
	cr_assert_str_eq(engine_name(spec.params), "bfv");
	engine_close(&e);
	spec.row_norm = 1300;
	cr_assert_eq(engine_open(&e, &spec, cpu_features(), &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "1300"), "%s", err.text);
	spec.scale = NAN;
	cr_assert_eq(engine_open(&e, &spec, cpu_features(), &err), VEIL_E_INVALID);
	engine_close(&e);
}
