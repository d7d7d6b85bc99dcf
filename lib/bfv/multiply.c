/* SPDX-License-Identifier: Apache-2.0 */
#include "bfv/multiply.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/require.h"
#include "ring/prime.h"

#define MARGIN_BITS 5 /* of P above q */
#define NARROW_BITS 30 /* of P's primes where those of q are narrow */
#define WIDE_BITS 60

/* --- the modulus P */

static bool is_taken(uint64_t p, const struct bfv_context *ctx)
{
	for (unsigned i = 0; i < ctx->ring->count; i++)
		if (ctx->ring->primes[i].p.q == p)
			return true;
	return p == ctx->t.q;
}

/* As few primes as bits allow, the largest below a power of two; returns how many, 0 if there are not enough.
 */
static unsigned choose_primes(uint64_t *p, const struct bfv_context *ctx, unsigned level)
{
	const uint64_t step = (uint64_t)2 << ctx->ring->log_n;
	unsigned bits = MARGIN_BITS, most = NARROW_BITS, count, each;
	uint64_t next;

	for (unsigned i = 0; i < level; i++) {
		bits += ctx->ring->primes[i].p.bits;
		if (ctx->ring->primes[i].p.width == 8)
			most = WIDE_BITS;
	}
	count = (bits + most - 1) / most;
	if (count > RING_MAX_PRIMES)
		return 0;
	each = (bits + count - 1) / count + 1;
	each = each > most ? most : each;
	next = ((uint64_t)1 << each) + 1;
	for (unsigned i = 0; i < count; i++) {
		do
			next -= step;
		while (next > step && (!prime_is_prime(next) || is_taken(next, ctx)));
		if (next <= step)
			return 0;
		p[i] = next;
	}
	return count;
}

static void fill(struct bfv_multiplier *m)
{
	const struct ring *q_ring = m->ctx->ring, *p_ring = m->ring;
	uint64_t scale[RING_MAX_PRIMES];

	for (unsigned i = 0; i < m->level; i++) {
		const uint64_t q = q_ring->primes[i].p.q;
		uint64_t product = 1;

		for (unsigned k = 0; k < p_ring->count; k++)
			product = prime_mul(product, p_ring->primes[k].p.q % q, q);
		scale[i] = q - product; /* -P */
		m->factor[i] = prime_mul(m->ctx->t.q % q, prime_inverse(product, q), q);
	}
	ring_convert_init(&m->lift, q_ring, m->level, p_ring, p_ring->count, NULL, false);
	/* (P x + r) / q with r = -P x mod q: r / q modulo P's primes */
	ring_convert_init(&m->scale, q_ring, m->level, p_ring, p_ring->count, scale, true);
	ring_convert_init(&m->lift_back, p_ring, p_ring->count, q_ring, m->level, NULL, false);
	/* (t x + r) / P with r = -t x mod P */
	for (unsigned k = 0; k < p_ring->count; k++)
		scale[k] = p_ring->primes[k].p.q - m->ctx->t.q % p_ring->primes[k].p.q;
	ring_convert_init(&m->divide, p_ring, p_ring->count, q_ring, m->level, scale, true);
}

enum veil_status bfv_multiplier_create(struct bfv_multiplier **out, const struct bfv_context *ctx,
	unsigned level, unsigned features, struct veil_error *err)
{
	uint64_t p[RING_MAX_PRIMES];
	struct bfv_multiplier *m = NULL;
	enum veil_status st;
	unsigned count;

	*out = NULL;
	REQUIRE(level >= 1 && level <= ctx->level);
	count = choose_primes(p, ctx, level);
	if (!count)
		return error_set(err, VEIL_E_INVALID,
			"%s: no primes to multiply ciphertexts of level %u with", ctx->params->name, level);
	m = calloc(1, sizeof *m);
	if (!m)
		return error_set(err, VEIL_E_NOMEM, "%s: no memory for a multiplier", ctx->params->name);
	m->ctx = ctx;
	m->level = level;
	st = ring_create(&m->ring, ctx->ring->log_n, p, count, features, err);
	if (st != VEIL_OK)
		goto out;
	fill(m);
	*out = m;
	m = NULL;
out:
	bfv_multiplier_destroy(m);
	return st;
}

void bfv_multiplier_destroy(struct bfv_multiplier *m)
{
	if (!m)
		return;
	ring_destroy(m->ring);
	free(m);
}

/* --- products */

/* A polynomial modulo q and P. */
struct pair {
	struct ring_poly q, p;
};

static size_t pair_bytes(const struct bfv_multiplier *m)
{
	return ring_poly_bytes(m->ctx->ring, m->level) + ring_poly_bytes(m->ring, m->ring->count);
}

size_t bfv_multiply_scratch(const struct bfv_multiplier *m)
{
	const struct ring *q = m->ctx->ring, *p = m->ring;
	const size_t convert =
		ring_convert_scratch(q) + ring_poly_bytes(q, m->level) + ring_poly_bytes(p, p->count);
	const size_t multiply = 8 * pair_bytes(m) + convert;
	const size_t relinearize =
		m->level < q->count ? rlwe_switch_room(q, m->level) + 2 * ring_poly_bytes(q, m->level) : 0;

	return multiply > relinearize ? multiply : relinearize;
}

static struct ring_poly take_poly(const struct ring *ring, unsigned level, struct arena *scratch)
{
	struct ring_poly poly;

	ring_poly_init(
		&poly, ring, level, RING_COEFFICIENT, arena_take(scratch, ring_poly_bytes(ring, level)));
	return poly;
}

static struct pair take_pair(const struct bfv_multiplier *m, struct arena *scratch)
{
	return (struct pair){
		take_poly(m->ctx->ring, m->level, scratch), take_poly(m->ring, m->ring->count, scratch)};
}

static void transform(struct pair *x, enum ring_format format)
{
	ring_poly_transform(&x->q, format);
	ring_poly_transform(&x->p, format);
}

/* The number that `a` is modulo q, centred; transform values. */
static void lift(
	const struct bfv_multiplier *m, struct pair *x, const struct ring_poly *a, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	struct ring_poly y = take_poly(m->ctx->ring, m->level, scratch);

	ring_poly_copy(&y, a);
	ring_poly_transform(&y, RING_COEFFICIENT);
	ring_poly_copy(&x->q, a->format == RING_EVALUATION ? a : &y);
	ring_convert(&m->lift, &x->p, false, &y, scratch);
	transform(x, RING_EVALUATION);
	arena_release(scratch, mark);
}

/* round(P a / q) likewise. */
static void scale(
	const struct bfv_multiplier *m, struct pair *x, const struct ring_poly *a, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	struct ring_poly y = take_poly(m->ctx->ring, m->level, scratch),
			 z = take_poly(m->ring, m->ring->count, scratch);

	ring_poly_copy(&y, a);
	ring_poly_transform(&y, RING_COEFFICIENT);
	ring_convert(&m->scale, &x->p, false, &y, scratch);
	ring_poly_copy(&z, &x->p);
	ring_convert(&m->lift_back, &x->q, false, &z, scratch);
	transform(x, RING_EVALUATION);
	arena_release(scratch, mark);
}

/* out = a0 b1 + a1 b0 */
static void cross(struct ring_poly *out, const struct ring_poly *a0, const struct ring_poly *a1,
	const struct ring_poly *b0, const struct ring_poly *b1)
{
	out->format = RING_EVALUATION;
	for (unsigned i = 0; i < out->level; i++) {
		const struct ring_prime *r = &out->ring->primes[i];
		const void *a[2] = {ring_poly_row(a0, i), ring_poly_row(a1, i)},
			   *b[2] = {ring_poly_row(b1, i), ring_poly_row(b0, i)};

		r->k.dot(ring_poly_row(out, i), a, b, 2, r->n, &r->p);
	}
}

/* dst = round(t x / P) mod q. */
static void divide(
	const struct bfv_multiplier *m, struct ring_poly *dst, struct pair *x, struct arena *scratch)
{
	transform(x, RING_COEFFICIENT);
	REQUIRE(dst->ring == m->ctx->ring && dst->room >= m->level);
	dst->level = m->level;
	dst->format = RING_COEFFICIENT;
	for (unsigned i = 0; i < m->level; i++) {
		const struct ring_prime *r = &m->ctx->ring->primes[i];

		r->k.affine(
			ring_poly_row(dst, i), ring_poly_row(&x->q, i), r->n, m->factor[i], 0, &r->p, &r->p);
	}
	ring_convert(&m->divide, dst, true, &x->p, scratch);
}

static void add(struct pair *sum, const struct pair *x)
{
	ring_poly_add(&sum->q, &sum->q, &x->q);
	ring_poly_add(&sum->p, &sum->p, &x->p);
}

static void multiply(struct pair *x, const struct pair *y)
{
	ring_poly_mul(&x->q, &x->q, &y->q);
	ring_poly_mul(&x->p, &x->p, &y->p);
}

/* sum[3] = the tensor product of a and b modulo q and P, or more by it. */
static void add_tensor(const struct bfv_multiplier *m, struct pair sum[3], bool more,
	const struct rlwe_ciphertext *a, const struct rlwe_ciphertext *b, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	struct pair x[2], y[2], z = more ? take_pair(m, scratch) : sum[1];

	REQUIRE(a->count == 2 && b->count == 2);
	REQUIRE(rlwe_ciphertext_level(a) == m->level && rlwe_ciphertext_level(b) == m->level);
	for (unsigned k = 0; k < 2; k++) {
		x[k] = more ? take_pair(m, scratch) : sum[2 * k];
		y[k] = take_pair(m, scratch);
		lift(m, &x[k], &a->poly[k], scratch);
		scale(m, &y[k], &b->poly[k], scratch);
	}
	cross(&z.q, &x[0].q, &x[1].q, &y[0].q, &y[1].q);
	cross(&z.p, &x[0].p, &x[1].p, &y[0].p, &y[1].p);
	multiply(&x[0], &y[0]);
	multiply(&x[1], &y[1]);
	if (more) {
		add(&sum[0], &x[0]);
		add(&sum[1], &z);
		add(&sum[2], &x[1]);
	} else {
		sum[0] = x[0];
		sum[1] = z;
		sum[2] = x[1];
	}
	arena_release(scratch, mark);
}

void bfv_inner(const struct bfv_multiplier *m, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *const *a, const struct rlwe_ciphertext *const *b, size_t count,
	struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	struct pair sum[3];

	REQUIRE(count >= 1 && dst->poly[2].data);
	for (unsigned k = 0; k < 3; k++)
		sum[k] = take_pair(m, scratch);
	for (size_t i = 0; i < count; i++) {
		REQUIRE(dst != a[i] && dst != b[i]);
		add_tensor(m, sum, i > 0, a[i], b[i], scratch);
	}
	dst->count = 3;
	dst->seeded = false;
	for (unsigned k = 0; k < 3; k++)
		divide(m, &dst->poly[k], &sum[k], scratch);
	arena_release(scratch, mark);
}

void bfv_multiply(const struct bfv_multiplier *m, struct rlwe_ciphertext *dst,
	const struct rlwe_ciphertext *a, const struct rlwe_ciphertext *b, struct arena *scratch)
{
	bfv_inner(m, dst, &a, &b, 1, scratch);
}

void bfv_relinearize(struct rlwe_ciphertext *ct, const struct rlwe_evalkey *keys, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	const struct ring *ring = ct->poly[0].ring;
	const unsigned level = rlwe_ciphertext_level(ct);
	struct rlwe_ciphertext switched;
	struct rlwe_digits digits;
	struct rlwe_wide wide;

	REQUIRE(ct->count == 3 && keys->has_relin);
	rlwe_digits_init(&digits, ring, level, arena_take(scratch, rlwe_digits_bytes(ring, level)));
	rlwe_wide_init(&wide, ring, level, arena_take(scratch, rlwe_wide_bytes(ring, level)));
	rlwe_ciphertext_init(&switched, ring, 2, level, rlwe_ciphertext_format(ct),
		arena_take(scratch, rlwe_ciphertext_bytes(ring, 2, level)));
	rlwe_decompose(&digits, &ct->poly[2], scratch);
	rlwe_switch(&wide, &digits, &keys->relin, NULL, scratch);
	rlwe_wide_divide(&switched, &wide, rlwe_ciphertext_format(ct), scratch);
	ct->count = 2;
	ct->seeded = false;
	for (unsigned k = 0; k < 2; k++)
		ring_poly_add(&ct->poly[k], &ct->poly[k], &switched.poly[k]);
	arena_release(scratch, mark);
}
