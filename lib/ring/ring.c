/* SPDX-License-Identifier: Apache-2.0 */
#include "ring/ring.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/require.h"
#include "ring/prime.h"

static enum veil_status check_prime(unsigned log_n, const uint64_t *q, unsigned i, struct veil_error *err)
{
	if (q[i] >> 62)
		return error_set(err, VEIL_E_INVALID, "q[%u] = %" PRIu64 " is not below 2^62", i, q[i]);
	if (!prime_is_prime(q[i]))
		return error_set(err, VEIL_E_INVALID, "q[%u] = %" PRIu64 " is not prime", i, q[i]);
	if ((q[i] - 1) & (((uint64_t)2 << log_n) - 1))
		return error_set(err, VEIL_E_INVALID, "q[%u] = %" PRIu64 " is not 1 mod 2N = %u", i, q[i],
			2u << log_n);
	for (unsigned j = 0; j < i; j++)
		if (q[j] == q[i])
			return error_set(
				err, VEIL_E_INVALID, "q[%u] = %" PRIu64 " repeats q[%u]", i, q[i], j);
	return VEIL_OK;
}

static enum veil_status init_prime(
	struct ring_prime *r, uint64_t q, uint64_t root, unsigned log_n, unsigned features)
{
	kernels_prime_init(&r->p, q);
	kernels_select(&r->k, features, r->p.bits, log_n);
	r->root = root;
	r->log_n = log_n;
	r->n = (size_t)1 << log_n;
	r->table = aligned_alloc(64, arena_room(r->k.ntt_table_bytes(log_n)));
	if (!r->table)
		return VEIL_E_NOMEM;
	r->k.ntt_init(r->table, &r->p, log_n, root);
	return VEIL_OK;
}

/* The ring of the primes q[i] with the roots root[i]; both are checked. */
static enum veil_status make(struct ring **out, unsigned log_n, const uint64_t *q, const uint64_t *root,
	unsigned count, unsigned features, struct veil_error *err)
{
	struct ring *ring = calloc(1, sizeof *ring);
	enum veil_status st = VEIL_E_NOMEM;
	size_t offset = 0;

	if (!ring)
		goto out;
	ring->log_n = log_n;
	ring->n = (size_t)1 << log_n;
	ring->primes = calloc(count, sizeof *ring->primes);
	ring->inverses = calloc((size_t)count * count, sizeof *ring->inverses);
	if (!ring->primes || !ring->inverses)
		goto out;
	for (unsigned j = 0; j < count; j++)
		for (unsigned i = 0; i < count; i++)
			if (i != j)
				ring->inverses[j * count + i] = prime_inverse(q[j] % q[i], q[i]);
	for (; ring->count < count; ring->count++) {
		unsigned i = ring->count;

		st = init_prime(&ring->primes[i], q[i], root[i], log_n, features);
		if (st != VEIL_OK)
			goto out;
		ring->primes[i].offset = offset;
		offset += arena_room(ring_prime_bytes(&ring->primes[i]));
	}
	*out = ring;
	return VEIL_OK;
out:
	ring_destroy(ring);
	return error_set(err, st, "no memory for the tables of a ring of degree %u", 1u << log_n);
}

enum veil_status ring_check(unsigned log_n, const uint64_t *q, unsigned count, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	if (log_n < 1 || log_n > RING_MAX_LOG_N)
		return error_set(err, VEIL_E_INVALID, "log2 N = %u is not in 1..%d", log_n, RING_MAX_LOG_N);
	if (count < 1 || count > RING_MAX_PRIMES)
		return error_set(err, VEIL_E_INVALID, "%u primes are not 1..%d", count, RING_MAX_PRIMES);
	for (unsigned i = 0; i < count && st == VEIL_OK; i++)
		st = check_prime(log_n, q, i, err);
	return st;
}

enum veil_status ring_create(struct ring **out, unsigned log_n, const uint64_t *q, unsigned count,
	unsigned features, struct veil_error *err)
{
	uint64_t root[RING_MAX_PRIMES];
	enum veil_status st = ring_check(log_n, q, count, err);

	*out = NULL;
	if (st != VEIL_OK)
		return st;
	for (unsigned i = 0; i < count; i++)
		root[i] = prime_min_root(q[i], log_n);
	return make(out, log_n, q, root, count, features, err);
}

/* Why k.fold does what ring.h says. Let F = fold, M = N/F, and index m F + j with j < F. Then brv_N(m F + j)
 * = brv_M(m) + M brv_F(j), so the transform value there is f(x_m w^brv_F(j)) with x_m = root^(2 brv_M(m) + 1)
 * and w = root^(2M), whose order is F. Summing over j keeps F times the terms f_i x_m^i with F | i, and for i
 * = F k these are (root^F)^((2 brv_M(m) + 1) k): the value at m of the transform of degree M with root^F. */
enum veil_status ring_create_subring(
	struct ring **out, const struct ring *parent, size_t fold, unsigned features, struct veil_error *err)
{
	uint64_t q[RING_MAX_PRIMES], root[RING_MAX_PRIMES];

	*out = NULL;
	if (fold == 0 || (fold & (fold - 1)) || fold > parent->n / 2)
		return error_set(err, VEIL_E_INVALID, "fold = %zu is not a power of two in 1..N/2 = %zu",
			fold, parent->n / 2);
	for (unsigned i = 0; i < parent->count; i++) {
		q[i] = parent->primes[i].p.q;
		root[i] = prime_pow(parent->primes[i].root, fold, q[i]);
	}
	return make(
		out, parent->log_n - (unsigned)__builtin_ctzll(fold), q, root, parent->count, features, err);
}

void ring_destroy(struct ring *ring)
{
	if (!ring)
		return;
	for (unsigned i = 0; i < ring->count; i++)
		free(ring->primes[i].table);
	free(ring->primes);
	free(ring->inverses);
	free(ring);
}

size_t ring_row_room(const struct ring *ring)
{
	size_t room = 0;

	for (unsigned i = 0; i < ring->count; i++)
		if (arena_room(ring_prime_bytes(&ring->primes[i])) > room)
			room = arena_room(ring_prime_bytes(&ring->primes[i]));
	return room;
}

/* X^shift moves coefficient i to i + shift; what passes N comes back negated, what passes 2N as it was. */
void ring_shift(const struct ring_prime *r, void *dst, const void *src, int shift)
{
	size_t n = r->n, by = (size_t)(shift < 0 ? shift + 2 * (int)n : shift), word = r->p.width;
	bool negated = by >= n;
	const uint8_t *s = src;
	uint8_t *d = dst;

	REQUIRE(dst != src && shift > -2 * (int)n && shift < 2 * (int)n);
	by -= negated ? n : 0;
	memcpy(d + by * word, s, (n - by) * word);
	memcpy(d, s + (n - by) * word, by * word);
	r->k.neg(negated ? d + by * word : d, negated ? d + by * word : d, negated ? n - by : by, &r->p);
}
