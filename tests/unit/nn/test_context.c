/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "nn/context.h"
#include "ring/prime.h"
#include "support/test.h"

static struct nn_spec compact(void)
{
	return (struct nn_spec){.params = rlwe_params_find("search_n2048_q28"),
		.dim = 128,
		.rows = 4096,
		.terms = 16,
		.row_norm = 320,
		.scale = 315};
}

static struct nn_context *context(struct nn_spec spec)
{
	struct veil_error err;
	struct nn_context *ctx;

	cr_assert_eq(nn_context_create(&ctx, &spec, cpu_features(), &err), VEIL_OK, "%s", err.text);
	return ctx;
}

static void refused(struct nn_spec spec, const char *word)
{
	struct veil_error err = {""};
	struct nn_context *ctx = (void *)1;

	cr_assert_eq(nn_context_create(&ctx, &spec, cpu_features(), &err), VEIL_E_INVALID, "%s", word);
	cr_assert_null(ctx);
	cr_assert(strstr(err.text, word), "'%s' does not say '%s'", err.text, word);
	cr_assert_eq(nn_context_create(&ctx, &spec, cpu_features(), NULL), VEIL_E_INVALID);
}

Test(context, compact_messages_have_the_sizes_of_the_protocol)
{
	struct nn_context *ctx = context(compact());

	cr_assert_eq(ctx->chunk, 8);
	cr_assert_eq(ctx->terms, 16);
	cr_assert_eq(ctx->rows_per_poly, 256);
	cr_assert_eq(ctx->replies, 16);
	cr_assert_eq(ctx->query_bytes, 92 * 1024);
	cr_assert_eq(ctx->c1_bytes, 64 * 1024);
	cr_assert_eq(ctx->c0_bytes, 6 * 1024);
	cr_assert_eq(ctx->reply_bytes, 70 * 1024);
	cr_assert_eq(ctx->shard_bytes, (size_t)4096 * 128 * 4);
	cr_assert_eq(ctx->plain_modulus, 0);
	nn_context_destroy(ctx);
	nn_context_destroy(NULL);
}

Test(context, the_chunk_is_the_smallest_power_of_two_that_the_terms_allow)
{
	for (uint32_t dim = 1; dim <= 300; dim += 1 + dim / 7) {
		for (uint32_t terms = 1; terms <= dim && terms <= 256; terms++) {
			struct nn_spec spec = compact();
			struct nn_context *ctx;

			spec.dim = dim;
			spec.terms = terms;
			spec.rows = 5;
			ctx = context(spec);
			cr_assert_eq(ctx->chunk & (ctx->chunk - 1), 0);
			cr_assert_leq((dim + ctx->chunk - 1) / ctx->chunk, terms);
			cr_assert(ctx->chunk == 1 || (dim + ctx->chunk / 2 - 1) / (ctx->chunk / 2) > terms);
			cr_assert_eq(ctx->terms, (dim + ctx->chunk - 1) / ctx->chunk);
			cr_assert_eq(ctx->replies, (5 + ctx->rows_per_poly - 1) / ctx->rows_per_poly);
			nn_context_destroy(ctx);
		}
	}
}

Test(context, what_does_not_fit_is_refused_by_name)
{
	static const uint64_t composite[] = {268369923};
	uint64_t wide = ((uint64_t)1 << 50) + 1;
	struct nn_spec s;
	struct rlwe_params p;

	s = compact(), s.dim = 0, refused(s, "dimension 0");
	s = compact(), s.dim = NN_MAX_DIM + 1, refused(s, "dimension 4097");
	s = compact(), s.rows = 0, refused(s, "0 rows");
	s = compact(), s.rows = NN_MAX_ROWS + 1, refused(s, "rows");
	s = compact(), s.terms = 0, refused(s, "0 terms");
	s = compact(), s.terms = 129, refused(s, "129 terms");
	s = compact(), s.row_norm = 0, refused(s, "norm");
	s = compact(), s.scale = 0, refused(s, "scale");
	s = compact(), s.scale = -1, refused(s, "scale");
	s = compact(), s.scale = NAN, refused(s, "scale");
	s = compact(), s.scale = INFINITY, refused(s, "scale");
	s = compact(), s.scale = 8e15f, refused(s, "scale");
	s = compact(), s.dim = 4096, s.terms = 1, refused(s, "at least 2");
	s = compact(), s.dim = 4096, s.terms = 512, refused(s, "512 terms: more");
	s = compact(), s.rows = NN_MAX_ROWS, s.dim = 2048, s.terms = 1, refused(s, "bytes");
	s = compact(), s.row_norm = UINT32_MAX, refused(s, "too small");

	s = compact(), p = *s.params, s.params = &p;
	p.use = RLWE_USE_BFV, refused(s, "not for search");
	p = *compact().params, p.reply_c0_bits = 17, refused(s, "reply_c0_bits");
	p = *compact().params, p.upload_bits = 15, refused(s, "upload_bits");
	p = *compact().params, p.reply_c1_bits = 25, refused(s, "reply_c1_bits");
	p = *compact().params, p.reply_c1_bits = 18, refused(s, "reply_c1_bits");
	p.reply_c1_bits = 17, nn_context_destroy(context(s));
	p = *compact().params, p.reply_c0_bits = 3, refused(s, "noise");
	p = *compact().params, p.use = RLWE_USE_SEARCH_EXACT, refused(s, "noise");
	p = *compact().params, p.q = composite, refused(s, "prime");

	s = compact(), s.params = rlwe_params_find("insecure_search_n64_q28");
	s.rows = 20, s.dim = 16, s.terms = 4, refused(s, "insecure");
	s.allow_insecure = true;
	nn_context_destroy(context(s));
	p = *s.params, s.params = &p;
	p.log_n = 4, refused(s, "N >= 32");
	p.log_n = 6, p.q = &wide, p.upload_bits = 45;
	while (!prime_is_prime(wide))
		wide += 128;
	refused(s, "q < 2^50");
}

/* The widest rows that an exact set takes leave six sigma, and hardly more. */
Test(context, noise_is_refused_from_six_sigma_on)
{
	struct nn_spec s = compact();
	struct nn_context *ctx;
	double sigmas = 0;

	s.params = rlwe_params_find("search_n2048_q38_exact");
	for (s.row_norm = 400; s.row_norm < 1000; s.row_norm += 2) {
		s.scale = (float)s.row_norm;
		if (nn_context_create(&ctx, &s, cpu_features(), NULL) != VEIL_OK)
			break;
		sigmas = 0.5 / nn_noise_std(ctx, s.row_norm);
		nn_context_destroy(ctx);
	}
	refused(s, "sigma");
	cr_assert(sigmas >= 6 && sigmas < 6.1, "%g", sigmas);
}

/* Terms that fit the spec's limits but not the 64-bit sum of 30-bit residues. */
Test(context, the_accumulator_bounds_the_terms)
{
	static const uint64_t q[] = {1073479681}; /* 30 bits, = 1 mod 4096 */
	struct nn_spec s = compact();
	struct rlwe_params p = *s.params;

	p.q = q;
	p.upload_bits = 25;
	s.params = &p;
	s.terms = 16;
	nn_context_destroy(context(s));
	s.terms = 32;
	refused(s, "accumulator");
}

Test(context, exact_sets_leave_room_for_every_score_and_for_six_sigma)
{
	for (uint32_t dim = 1; dim <= 2048; dim *= 2) {
		struct nn_spec s = compact();
		struct nn_context *ctx;

		s.params = rlwe_params_find("search_n2048_q38_exact");
		s.dim = dim;
		s.terms = (dim + 7) / 8;
		s.rows = 64;
		s.row_norm = (uint32_t)ceil(127 * sqrt(dim)) < 400 ? (uint32_t)ceil(127 * sqrt(dim)) : 400;
		s.scale = (float)s.row_norm;
		ctx = context(s);
		cr_assert_eq(ctx->plain_modulus & 1, 1);
		cr_assert_gt((double)ctx->plain_modulus, 2 * s.row_norm * fmin(s.row_norm, 127 * sqrt(dim)));
		cr_assert_leq(ctx->amplitude * (double)ctx->plain_modulus, (double)ctx->prime->p.q);
		cr_assert_leq(6 * nn_noise_std(ctx, s.row_norm), 0.5);
		nn_context_destroy(ctx);
	}
}

/* The figures of docs/protocol.md, Noise. */
Test(context, the_noise_formula_gives_the_documented_figures)
{
	struct nn_spec s = compact();
	struct nn_context *ctx;

	s.row_norm = 320, s.scale = 320;
	ctx = context(s);
	cr_assert_float_eq(nn_noise_std(ctx, 320), 5.5e-4, 0.1e-4);
	nn_context_destroy(ctx);
	s.params = rlwe_params_find("search_n2048_q38_exact");
	ctx = context(s);
	cr_assert_float_eq(0.5 / nn_noise_std(ctx, 320), 18, 1.5, "%g", 0.5 / nn_noise_std(ctx, 320));
	nn_context_destroy(ctx);
}

Test(context, every_field_of_the_spec_separates_the_domain)
{
	struct nn_spec base = compact(), s[6];
	uint8_t domain[7][HASH_BYTES];

	for (int i = 0; i < 6; i++)
		s[i] = base;
	s[0].dim = 127, s[1].rows = 4095, s[2].terms = 32, s[3].row_norm = 321, s[4].scale = 314;
	s[5].params = rlwe_params_find("search_n2048_q38_exact");
	for (int i = 0; i < 7; i++) {
		struct nn_context *ctx = context(i < 6 ? s[i] : base);

		memcpy(domain[i], ctx->domain, HASH_BYTES);
		nn_context_destroy(ctx);
		for (int j = 0; j < i; j++)
			cr_assert(memcmp(domain[i], domain[j], HASH_BYTES), "%d and %d", i, j);
	}
}
