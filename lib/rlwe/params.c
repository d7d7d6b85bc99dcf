/* SPDX-License-Identifier: Apache-2.0 */
#include "rlwe/params.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/u128.h"
#include "ring/prime.h"
#include "rlwe/table.h"

const struct rlwe_params *rlwe_params_at(size_t i)
{
	return i < rlwe_table_set_count ? &rlwe_table_sets[i] : NULL;
}

const struct rlwe_params *rlwe_params_find(const char *name)
{
	for (size_t i = 0; i < rlwe_table_set_count; i++)
		if (strcmp(rlwe_table_sets[i].name, name) == 0)
			return &rlwe_table_sets[i];
	return NULL;
}

unsigned rlwe_security_limit_bits(unsigned log_n)
{
	for (size_t i = 0; i < rlwe_table_security_count; i++)
		if (rlwe_table_security[i].log_n == log_n)
			return rlwe_table_security[i].bits;
	return 0;
}

static unsigned bit_length(uint64_t x)
{
	return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

/* floor(sqrt(x)) */
static uint64_t square_root(uint64_t x)
{
	uint64_t root = 0;

	while ((root + 1) * (root + 1) <= x)
		root++;
	return root;
}

void rlwe_params_skip_lsbs(const struct rlwe_params *p, unsigned skip[2])
{
	int margin = (int)bit_length(p->q[0] / p->t) - 1 - 3;
	/* 8 standard deviations, 8 sqrt(2N/9), of the product of c1's rounding and a ternary secret */
	uint64_t spread = square_root((128u << p->log_n) / 9);
	int left = margin - (int)bit_length(spread - 1);

	if (left <= 1)
		margin++;
	skip[0] = margin > 0 ? (unsigned)margin : 0;
	skip[1] = left > 1 ? (unsigned)left : 0;
}

size_t rlwe_params_payload_bytes(const struct rlwe_params *p)
{
	return ((size_t)1 << p->log_n) * (bit_length(p->t) - 1) / 8;
}

/* Bit length of the product, by schoolbook multiplication: a floating logarithm would be wrong at the limit
 * itself. */
static unsigned product_bits(const uint64_t *q, unsigned count)
{
	uint64_t product[RING_MAX_PRIMES] = {1};
	unsigned words = 1;

	for (unsigned i = 0; i < count; i++) {
		uint64_t carry = 0;

		for (unsigned j = 0; j < words; j++) {
			uint128 x = (uint128)product[j] * q[i] + carry;

			product[j] = (uint64_t)x;
			carry = u128_hi(x);
		}
		if (carry)
			product[words++] = carry;
	}
	return 64 * (words - 1) + bit_length(product[words - 1]);
}

static enum veil_status check_security(
	const struct rlwe_params *p, bool allow_insecure, struct veil_error *err)
{
	unsigned limit = rlwe_security_limit_bits(p->log_n), bits = product_bits(p->q, p->q_count);

	if (p->insecure && !allow_insecure)
		return error_set(err, VEIL_E_INVALID, "%s: an insecure set, for tests only", p->name);
	if (p->insecure)
		return VEIL_OK;
	if (!limit)
		return error_set(err, VEIL_E_INVALID, "%s: the security table has no line for N = %u",
			p->name, 1u << p->log_n);
	if (bits > limit)
		return error_set(err, VEIL_E_INVALID, "%s: the moduli have %u bits, N = %u allows %u",
			p->name, bits, 1u << p->log_n, limit);
	return VEIL_OK;
}

static enum veil_status check_search(const struct rlwe_params *p, struct veil_error *err)
{
	const struct {
		const char *name;
		unsigned bits;
	} fields[] = {
		{"upload_bits", p->upload_bits},
		{"reply_c1_bits", p->reply_c1_bits},
		{"reply_c0_bits", p->reply_c0_bits},
	};

	if (p->q_count != 1)
		return error_set(
			err, VEIL_E_INVALID, "%s: a search set has one modulus, not %u", p->name, p->q_count);
	if (p->t)
		return error_set(err, VEIL_E_INVALID, "%s: a search set fixes no t: the index does", p->name);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (fields[i].bits < 1 || fields[i].bits > bit_length(p->q[0]))
			return error_set(err, VEIL_E_INVALID, "%s: %s = %u is not in 1..%u, the bits of q",
				p->name, fields[i].name, fields[i].bits, bit_length(p->q[0]));
	return VEIL_OK;
}

static enum veil_status check_gadgets(const struct rlwe_params *p, struct veil_error *err)
{
	const unsigned bits = bit_length(p->q[0]);

	for (unsigned i = 0; i < 2; i++) {
		const struct rlwe_gadget *g = i ? &p->h : &p->g;

		if (g->digits < 1 || g->digits > RLWE_MAX_DIGITS || g->bits < 2 || g->bits > 20 ||
			g->drop + g->digits * g->bits != bits)
			return error_set(err, VEIL_E_INVALID,
				"%s: gadget %c, %u digits of %u bits and %u dropped, does not make the %u "
				"bits of q",
				p->name, "gh"[i], g -> digits, g -> bits, g -> drop, bits);
		if (g->key_bits < 32 || g->key_bits > bits)
			return error_set(err, VEIL_E_INVALID, "%s: %c.key_bits = %u is not in 32..%u",
				p->name, "gh"[i], g -> key_bits, bits);
	}
	if (bits > 40 || p->upload_bits > 32)
		return error_set(err, VEIL_E_INVALID,
			"%s: silent PIR takes q < 2^40 and upload_bits of at most 32", p->name);
	return VEIL_OK;
}

static enum veil_status check_bfv(const struct rlwe_params *p, struct veil_error *err)
{
	if (p->t < 3)
		return error_set(err, VEIL_E_INVALID,
			"%s: BFV needs a plaintext modulus t >= 3, not %" PRIu64, p->name, p->t);
	for (unsigned i = 0; i < p->q_count; i++) {
		if (p->t % p->q[i] == 0)
			return error_set(err, VEIL_E_INVALID, "%s: q[%u] = %" PRIu64 " divides t = %" PRIu64,
				p->name, i, p->q[i], p->t);
		if (p->t > p->q[i])
			return error_set(err, VEIL_E_INVALID,
				"%s: t = %" PRIu64 " is not below q[%u] = %" PRIu64, p->name, p->t, i,
				p->q[i]);
	}
	if (!prime_is_prime(p->t))
		return error_set(err, VEIL_E_INVALID, "%s: t = %" PRIu64 " is not prime", p->name, p->t);
	if (p->special && p->q_count < 2)
		return error_set(err, VEIL_E_INVALID, "%s: the one modulus cannot be for key switching alone",
			p->name);
	return VEIL_OK;
}

enum veil_status rlwe_params_check(
	const struct rlwe_params *params, bool allow_insecure, struct veil_error *err)
{
	struct veil_error why;
	enum veil_status st = ring_check(params->log_n, params->q, params->q_count, &why);

	if (st != VEIL_OK)
		return error_set(err, st, "%s: %.400s", params->name, why.text);
	if (params->error != RLWE_CBD21)
		return error_set(err, VEIL_E_INVALID, "%s: unknown error distribution", params->name);
	st = check_security(params, allow_insecure, err);
	if (st != VEIL_OK)
		return st;
	switch (params->use) {
	case RLWE_USE_SEARCH_APPROXIMATE:
	case RLWE_USE_SEARCH_EXACT:
		return check_search(params, err);
	case RLWE_USE_BFV:
		return check_bfv(params, err);
	case RLWE_USE_RETRIEVAL:
	case RLWE_USE_SEALED:
		st = check_search(params, err);
		return st == VEIL_OK ? check_gadgets(params, err) : st;
	}
	return error_set(err, VEIL_E_INVALID, "%s: unknown use", params->name);
}
