/* SPDX-License-Identifier: Apache-2.0 */
#include "silent/offline.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ring/prime.h"
#include "silent/digits.h"
#include "silent/spread.h"
#include "support/silent.h"
#include "support/test.h"

/* The offline part against the paper's recursion, written down with schoolbook products on a small ring. */

#define N 64
#define WORD_MASK (((uint64_t)1 << KERNELS_APPLY_BITS) - 1)

/* out += X^shift times a under X -> X^g, shift in [0, 2N) */
static void add_image(int64_t *out, const int64_t *a, uint32_t g, uint32_t shift)
{
	for (uint32_t i = 0; i < N; i++) {
		uint32_t e = (i * g + shift) % (2 * N);

		out[e % N] += e < N ? a[i] : -a[i];
	}
}

/* out += a b modulo X^N + 1 and q, all in [0, q) */
static void add_product(uint64_t *out, const uint64_t *a, const uint64_t *b, uint64_t q)
{
	for (uint32_t i = 0; i < N; i++)
		for (uint32_t j = 0; j < N; j++) {
			uint64_t x = prime_mul(a[i], b[j], q), *to = &out[(i + j) % N];

			*to = (*to + (i + j < N ? x : q - x)) % q;
		}
}

static void image(uint64_t *out, const uint64_t *a, uint32_t g, uint64_t q)
{
	for (uint32_t i = 0; i < N; i++) {
		uint32_t e = i * g % (2 * N);

		out[e % N] = e < N ? a[i] : (q - a[i]) % q;
	}
}

struct reference {
	const struct silent_context *ctx;
	uint64_t w[2 * RLWE_MAX_DIGITS][N]; /* keys in coefficients */
	int64_t hint[N][N]; /* [u][k] */
	const uint64_t *y; /* words of the keys of g, [digits][N], mod 2^40 */
	uint64_t short_half[N]; /* sum of z tau(y), mod 2^40 */
	uint64_t ends[2][N];
};

static void coefficients(const struct silent_context *ctx, uint64_t *out, const uint64_t *values)
{
	_Alignas(64) uint64_t poly[N];

	memcpy(poly, values, sizeof poly);
	ctx->prime->k.ntt_inverse(poly, ctx->prime->table, KERNELS_PLAIN);
	memcpy(out, poly, sizeof poly);
}

/* The hint by its definition: sum over rows of table(i, k) A(i, u), over N. */
static void make_hint(struct reference *ref, const struct silent_shop *s)
{
	const struct silent_context *ctx = s->ctx;
	const uint64_t q = ctx->prime->p.q, inverse = prime_inverse(N, q);
	uint64_t a[N];

	memset(ref->hint, 0, sizeof ref->hint);
	for (uint32_t j = 0; j < ctx->blocks; j++) {
		coefficients(ctx, a, ctx->a + (size_t)j * N);
		for (uint32_t k = 0; k < N; k++)
			for (uint32_t u = 0; u < N; u++)
				for (uint32_t i = 0; i < N; i++) {
					uint64_t x = i >= u ? a[i - u] : (q - a[N + i - u]) % q;
					int64_t term =
						(int64_t)x * silent_shop_get(s, j * N + i, k) % (int64_t)q;

					ref->hint[u][k] = (ref->hint[u][k] + term) % (int64_t)q;
				}
	}
	for (uint32_t u = 0; u < N; u++)
		for (uint32_t k = 0; k < N; k++) {
			uint64_t x = prime_mul(silent_residue(ref->hint[u][k], q), inverse, q);

			ref->hint[u][k] = x > q / 2 ? (int64_t)x - (int64_t)q : (int64_t)x;
		}
}

/* One switch, key by key. */
static void switch_down(struct reference *ref, uint64_t *above, const uint64_t *a, uint32_t g)
{
	const struct rlwe_gadget *gadget = &ref->ctx->spec.params->g;
	const uint64_t q = ref->ctx->prime->p.q;
	int32_t z[N][RLWE_MAX_DIGITS];

	memset(above, 0, N * sizeof *above);
	for (uint32_t i = 0; i < N; i++)
		silent_digits(z[i], a[i], q, gadget);
	for (unsigned l = 0; l < gadget->digits; l++) {
		uint64_t w[N], digit[N];

		image(w, ref->w[l], g, q);
		for (uint32_t i = 0; i < N; i++)
			digit[i] = silent_residue(z[i][l], q);
		add_product(above, digit, w, q);
		for (uint32_t u = 0; u < N; u++)
			for (uint32_t i = 0; i < N; i++) {
				uint32_t e = (u * g + i) % (2 * N);
				uint64_t x = ref->y[l * N + u] * (uint64_t)(int64_t)z[i][l];

				ref->short_half[e % N] += e < N ? x : 0 - x;
			}
	}
}

static void run(struct reference *ref)
{
	const uint64_t q = ref->ctx->prime->p.q;

	memset(ref->short_half, 0, sizeof ref->short_half);
	for (int minus = 0; minus < 2; minus++) {
		uint64_t above[N] = {0};
		uint32_t powers[N / 2] = {1};

		for (uint32_t j = 1; j < N / 2; j++)
			powers[j] = powers[j - 1] * 5 % (2 * N);
		for (uint32_t j = N / 2; j-- > 0;) {
			uint32_t g = minus ? 2 * N - powers[j] : powers[j];
			int64_t sum[N] = {0};

			for (uint32_t i = 0; i < N; i++)
				add_image(sum, ref->hint[i], 1, (2 * N - i * g % (2 * N)) % (2 * N));
			for (uint32_t i = 0; i < N; i++)
				ref->ends[minus][i] = (silent_residue(sum[i] % (int64_t)q, q) + above[i]) % q;
			if (j > 0)
				switch_down(ref, above, ref->ends[minus],
					minus ? 2 * N - powers[j - 1] : powers[j - 1]);
		}
	}
}

Test(offline, the_matrix_times_the_keys_is_the_chain_of_key_switches_exactly)
{
	static struct reference ref;
	struct rng rng = test_rng();
	struct silent_shop s;
	struct silent_pack pack;
	_Alignas(64) uint64_t words[2 * N], prepared[2 * N], sums[N], constant[N];
	uint64_t *out = sums;
	const void *in = prepared;

	silent_shop_init(
		&s, rlwe_params_find("insecure_retrieval_n64_q40"), 3 * N, 1, cpu_features(), &rng, 0);
	silent_shop_prepare(&s);
	pack = silent_pack_view(s.ctx, s.table, s.material);
	for (uint32_t t = 0; t < s.ctx->terms; t++)
		words[t] = test_residue(&rng, WORD_MASK + 1);
	ref.ctx = s.ctx;
	ref.y = words;
	for (unsigned l = 0; l < 4; l++)
		coefficients(s.ctx, ref.w[l], s.ctx->w + (size_t)l * N);
	make_hint(&ref, &s);
	run(&ref);
	s.ctx->scan.apply_prepare(prepared, words, s.ctx->terms);
	s.ctx->scan.apply(&out, pack.matrix, N, s.ctx->terms, &in, 1);
	for (uint32_t i = 0; i < N; i++)
		cr_assert_eq(sums[i], ref.short_half[i] & WORD_MASK, "output %u", i);
	/* and the static half is the end of the same chain */
	for (uint32_t i = 0; i < N; i++) {
		int32_t z[RLWE_MAX_DIGITS];

		silent_digits(z, ref.ends[1][i], s.ctx->prime->p.q, &s.ctx->spec.params->h);
		words[i] = silent_residue(z[0], s.ctx->prime->p.q);
		words[N + i] = silent_residue(z[1], s.ctx->prime->p.q);
	}
	for (unsigned l = 0; l < 2; l++)
		add_product(ref.ends[0], words + l * N, ref.w[2 + l], s.ctx->prime->p.q);
	s.ctx->prime->k.round(constant, ref.ends[0], N, 17, &s.ctx->prime->p);
	s.ctx->prime->k.pack((uint8_t *)prepared, constant, N, 17);
	cr_assert_arr_eq(prepared, s.constants, s.ctx->static_bytes);
	silent_shop_clear(&s);
}

Test(offline, the_transforms_of_the_packing_are_their_sums)
{
	static int64_t p[N][N], sums[N], scratch[N];
	static int64_t before[N][N];
	static int32_t z[N][N], z_before[N][N], z_scratch[N];
	struct rng rng = test_rng();

	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++) {
			p[i][k] = before[i][k] = (int64_t)test_below(&rng, 1 << 30) - (1 << 29);
			z[i][k] = z_before[i][k] = (int32_t)test_below(&rng, 4096) - 2048;
		}
	silent_spread(p[0], 6, scratch);
	silent_gather(z[0], 6, z_scratch);
	for (uint32_t g = 1; g < 2 * N; g += 2) {
		memset(sums, 0, sizeof sums);
		for (uint32_t i = 0; i < N; i++)
			add_image(sums, before[i], 1, (2 * N - i * g % (2 * N)) % (2 * N));
		cr_assert_arr_eq(sums, p[silent_spread_index(6, g)], sizeof sums);
	}
	for (uint32_t u = 0; u < N; u++) {
		memset(sums, 0, sizeof sums);
		for (uint32_t g = 1; g < 2 * N; g += 2) {
			int64_t wide[N];

			for (int i = 0; i < N; i++)
				wide[i] = z_before[silent_spread_index(6, g)][i];
			add_image(sums, wide, 1, u * g % (2 * N));
		}
		for (int i = 0; i < N; i++)
			cr_assert_eq(sums[i], z[u][i]);
	}
}

struct interrupted {
	struct silent_shop *shop;
	unsigned made, fail_at;
	bool have[4];
};

static const int8_t *table_of(void *state, uint32_t pack)
{
	struct interrupted *t = state;

	return t->shop->table + pack * t->shop->ctx->table_bytes;
}

static void *material_of(void *state, uint32_t pack)
{
	struct interrupted *t = state;

	return t->have[pack] ? NULL : t->shop->material + pack * t->shop->ctx->material_bytes;
}

static enum veil_status done(void *state, uint32_t pack, struct veil_error *err)
{
	struct interrupted *t = state;

	if (pack == t->fail_at)
		return error_set(err, VEIL_E_IO, "the disk is full");
	t->made++;
	t->have[pack] = true;
	return VEIL_OK;
}

Test(offline, what_is_there_is_not_made_again_and_an_error_names_its_pack)
{
	struct rng rng = test_rng();
	struct exec exec = exec_serial();
	struct silent_shop s;
	struct interrupted t = {.shop = &s, .fail_at = 2};
	const struct silent_offline_job job = {
		.state = &t, .table = table_of, .material = material_of, .done = done};
	struct veil_error err;

	silent_shop_init(&s, rlwe_params_find("insecure_retrieval_n64_q40"), N, 4, 0, &rng, 0);
	cr_assert_eq(silent_offline_run(s.ctx, &job, &exec, &err), VEIL_E_IO);
	cr_assert_str_eq(err.text, "pack 2: the disk is full");
	cr_assert_eq(t.made, 3);
	t.fail_at = 4;
	cr_assert_eq(silent_offline_run(s.ctx, &job, &exec, &err), VEIL_OK);
	cr_assert_eq(t.made, 4);
	silent_shop_clear(&s);
}
