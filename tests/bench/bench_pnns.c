/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/require.h"
#include "bench.h"
#include "ring/packed.h"
#include "support/pnns.h"

/* Nearest neighbours on BFV: a whole answer, from ciphertexts in evaluation format to replies. The limit is
 * the reading of the packed database once, or its products, whichever takes longer. */

static void answer(void *arg)
{
	struct test_pnns *p = arg;

	test_pnns_prepare(p);
	for (size_t i = 0; i < p->chunks; i++)
		test_pnns_answer(p, i);
}

static void start(struct test_pnns *p, struct bench *bench, const struct pnns_spec *spec, size_t rows)
{
	int32_t *values;

	test_pnns_init(p, spec, rows, 1, bench_features(bench));
	values = calloc(p->ctx->ring->n * spec->dim, sizeof *values);
	REQUIRE(values);
	for (size_t i = 0; i < p->ctx->ring->n * spec->dim; i++)
		values[i] = (int32_t)(i * 2654435761u % 31) - 15;
	for (size_t i = 0; i < p->chunks; i++)
		test_pnns_pack(p, i, values);
	test_pnns_encrypt(p, values);
	free(values);
}

/* What travels, in kB. */
static void describe(char *note, size_t size, const struct test_pnns *c, double packed)
{
	const struct ring *ring = c->ctx->ring;
	const double seed = RING_SEED_BYTES, ct = (double)ring_packed_bytes(ring, c->ctx->level, 0) + seed,
		     key = c->ctx->level * ((double)ring_packed_bytes(ring, ring->count, 0) + seed);
	unsigned skip[2];

	rlwe_params_skip_lsbs(c->ctx->spec.params, skip);
	snprintf(note, size,
		"%u ciphertexts and %u keys, %.0f kB; reply %.0f kB; memory %.2f of the packed database",
		c->ctx->query_count, c->ctx->key_count,
		(c->ctx->query_count * ct + c->ctx->key_count * key) / 1000,
		(double)c->chunks *
			(double)(ring_packed_bytes(ring, 1, skip[0]) + ring_packed_bytes(ring, 1, skip[1])) /
			1000,
		(packed + (double)(pnns_prepared_bytes(c->ctx) + pnns_answer_scratch(c->ctx) +
				   c->b.keys.used + 2 * rlwe_ciphertext_bytes(ring, 2, c->ctx->level))) /
			packed);
}

static void run(struct bench *b, const char *name, const struct pnns_spec *spec, size_t rows)
{
	struct test_pnns c;
	double packed, products = 0, read, multiply;
	char note[160];

	if (!bench_wanted(b, name))
		return;
	start(&c, b, spec, rows);
	packed = (double)(c.chunks * c.ctx->chunk_bytes);
	for (unsigned i = 0; i < c.ctx->level; i++)
		products += 2.0 * (double)c.chunks * c.ctx->baby * c.ctx->giant * (double)c.ctx->ring->n;
	read = bench_limit_read_us(b, (size_t)packed, (size_t)packed);
	multiply = bench_limit_mul_us(b, products);
	describe(note, sizeof note, &c, packed);
	bench_run(b, name, answer, &c, multiply > read ? multiply : read, packed, note);
	test_pnns_clear(&c);
}

void bench_pnns(struct bench *b)
{
	static const struct {
		const char *name, *params;
		size_t rows;
		uint32_t dim, baby;
		enum pnns_form form;
	} cases[] = {
		{"bfv/pnns/4096x128/t65537", "n_4096_logq_27_28_28_logt_17", 4096, 128, 16, PNNS_SENT},
		{"bfv/pnns/4096x128/t65537_hoisted", "n_4096_logq_27_28_28_logt_17", 4096, 128, 16,
			PNNS_HOISTED},
		{"bfv/pnns/4096x128/t65537_chain", "n_4096_logq_27_28_28_logt_17", 4096, 128, 0, PNNS_CHAIN},
		{"bfv/pnns/100000x128/t65537", "n_4096_logq_27_28_28_logt_17", 100000, 128, 32, PNNS_SENT},
		{"bfv/pnns/100000x128/t65537_hoisted", "n_4096_logq_27_28_28_logt_17", 100000, 128, 32,
			PNNS_HOISTED},
		{"bfv/pnns/4096x768/n8192_3x36", "n_8192_logq_3x36_logt_22", 4096, 768, 0, PNNS_SENT},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct pnns_spec spec = {.params = rlwe_params_find(cases[i].params),
			.moduli = 1,
			.dim = cases[i].dim,
			.baby = cases[i].baby,
			.form = cases[i].form};

		run(b, cases[i].name, &spec, cases[i].rows);
	}
}
