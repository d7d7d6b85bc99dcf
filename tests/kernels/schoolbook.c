/* SPDX-License-Identifier: Apache-2.0 */
#include "schoolbook.h"

#include <string.h>

#include "base/u128.h"

static uint64_t get(const void *a, size_t i, const struct kernels_prime *p)
{
	return p->width == 4 ? ((const uint32_t *)a)[i] : ((const uint64_t *)a)[i];
}

static void set(void *a, size_t i, uint64_t value, const struct kernels_prime *p)
{
	if (p->width == 4)
		((uint32_t *)a)[i] = (uint32_t)value;
	else
		((uint64_t *)a)[i] = value;
}

static uint64_t power(uint64_t base, uint64_t exponent, uint64_t q)
{
	uint128 result = 1, square = base;

	for (; exponent; exponent >>= 1, square = square * square % q)
		if (exponent & 1)
			result = result * square % q;
	return (uint64_t)result;
}

/* --- the transform: values at root^(2 brv(i) + 1) */

struct table {
	struct kernels_prime p;
	unsigned log_n;
	uint64_t root;
};

static size_t table_bytes(unsigned log_n)
{
	(void)log_n;
	return (sizeof(struct table) + 63) / 64 * 64;
}

static void init(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root)
{
	*(struct table *)table = (struct table){.p = *p, .log_n = log_n, .root = root};
}

static size_t reverse(size_t x, unsigned count)
{
	return count == 0 ? 0 : (x & 1) << (count - 1) | reverse(x >> 1, count - 1);
}

static void forward(void *a, const void *table)
{
	const struct table *t = table;
	const size_t n = (size_t)1 << t->log_n;
	static uint64_t f[1 << 15];

	for (size_t i = 0; i < n; i++)
		f[i] = get(a, i, &t->p);
	for (size_t i = 0; i < n; i++) {
		uint64_t at = power(t->root, 2 * reverse(i, t->log_n) + 1, t->p.q), value = 0;

		for (size_t j = n; j-- > 0;)
			value = (uint64_t)(((uint128)value * at + f[j]) % t->p.q);
		set(a, i, value, &t->p);
	}
}

/* f_j = N^-1 root^-j * sum over i of the value at the i-th odd power times (root^2)^(-ij) */
static void inverse(void *a, const void *table, enum kernels_scale scale)
{
	const struct table *t = table;
	const size_t n = (size_t)1 << t->log_n;
	const uint64_t q = t->p.q, back = power(t->root, 2 * n - 1, q);
	uint128 factor = power((q + 1) / 2, t->log_n, q);
	static uint64_t values[1 << 15];

	if (scale == KERNELS_MONTGOMERY)
		factor = factor * t->p.mont_one % q;
	for (size_t i = 0; i < n; i++)
		values[i] = get(a, reverse(i, t->log_n), &t->p);
	for (size_t j = 0; j < n; j++) {
		uint64_t at = power(back, 2 * j, q), sum = 0;

		for (size_t i = n; i-- > 0;)
			sum = (uint64_t)(((uint128)sum * at + values[i]) % q);
		set(a, j, (uint64_t)((uint128)sum * power(back, j, q) % q * factor % q), &t->p);
	}
}

/* --- arrays */

static void add(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	for (size_t i = 0; i < n; i++)
		set(dst, i, (get(a, i, p) + get(b, i, p)) % p->q, p);
}

static void sub(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	for (size_t i = 0; i < n; i++)
		set(dst, i, (get(a, i, p) + p->q - get(b, i, p)) % p->q, p);
}

static void neg(void *dst, const void *a, size_t n, const struct kernels_prime *p)
{
	for (size_t i = 0; i < n; i++)
		set(dst, i, (p->q - get(a, i, p)) % p->q, p);
}

static void mul(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	for (size_t i = 0; i < n; i++)
		set(dst, i, (uint64_t)((uint128)get(a, i, p) * get(b, i, p) % p->q), p);
}

/* --- by constants */

static void affine(void *dst, const void *b, size_t n, uint64_t w, uint64_t k, const struct kernels_prime *p,
	const struct kernels_prime *from)
{
	for (size_t i = 0; i < n; i++)
		set(dst, i, (uint64_t)(((uint128)w * get(b, i, from) + k) % p->q), p);
}

static void mul_add(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t k,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	for (size_t i = 0; i < n; i++)
		set(dst, i, (uint64_t)(((uint128)w * get(b, i, from) + k + get(a, i, p)) % p->q), p);
}

static void sub_mul(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t half,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	for (size_t i = 0; i < n; i++) {
		const uint64_t x = get(b, i, from), difference = (get(a, i, p) + p->q - x % p->q) % p->q;

		set(dst, i, (uint64_t)(((uint128)w * difference + (x > half)) % p->q), p);
	}
}

static void mac(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
	size_t outputs, size_t terms, const struct kernels_prime *p)
{
	/* 2^-1 = (q+1)/2, so R^-1 is its 32nd or 64th power */
	const uint64_t unscale = power((p->q + 1) / 2, 8 * p->width, p->q);

	for (size_t i = 0; i < n; i++) {
		for (size_t o = 0; o < outputs; o++) {
			for (unsigned v = 0; v < vectors; v++) {
				uint128 sum = 0;

				for (size_t t = 0; t < terms; t++)
					sum = (sum + (uint128)get(w,
							     ((i / 16 * outputs + o) * terms + t) * 16 +
								     i % 16,
							     p) *
							      get(x[v], (i / 16 * terms + t) * 16 + i % 16,
								      p)) %
					      p->q;
				set(out[v], o * n + i, (uint64_t)(sum * unscale % p->q), p);
			}
		}
	}
}

static void dot(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
	const struct kernels_prime *p)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t sum = 0;

		for (size_t t = 0; t < terms; t++)
			sum = (uint64_t)((sum + (uint128)get(a[t], i, p) * get(b[t], i, p)) % p->q);
		set(dst, i, sum, p);
	}
}

static void permute_w4(void *dst, const void *src, const uint32_t *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint32_t *)dst)[i] = ((const uint32_t *)src)[map[i] / 2];
}

static void permute_w8(void *dst, const void *src, const uint32_t *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint64_t *)dst)[i] = ((const uint64_t *)src)[map[i] / 2];
}

static void interleave_w4(void *dst, const void *src, size_t n, size_t terms, size_t t)
{
	for (size_t i = 0; i < n; i++)
		((uint32_t *)dst)[(i / 16 * terms + t) * 16 + i % 16] = ((const uint32_t *)src)[i];
}

static void interleave_w8(void *dst, const void *src, size_t n, size_t terms, size_t t)
{
	for (size_t i = 0; i < n; i++)
		((uint64_t *)dst)[(i / 16 * terms + t) * 16 + i % 16] = ((const uint64_t *)src)[i];
}

static void fold(void *dst, const void *src, size_t n, size_t count, const struct kernels_prime *p)
{
	for (size_t i = 0; i < n / count; i++) {
		uint128 sum = 0;

		for (size_t j = 0; j < count; j++)
			sum += get(src, i * count + j, p);
		set(dst, i, (uint64_t)(sum % p->q), p);
	}
}

/* --- bytes */

static bool unpack(
	void *dst, const uint8_t *src, size_t n, unsigned bits, unsigned shift, const struct kernels_prime *p)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		uint64_t value = 0;

		for (size_t at = i * bits; at < (i + 1) * bits; at++)
			value = value << 1 | (src[at / 8] >> (7 - at % 8) & 1);
		ok &= value << shift < p->q;
		set(dst, i, value << shift, p);
	}
	return ok;
}

static void put_bit(uint8_t *dst, size_t at, unsigned bit)
{
	if (at % 8 == 0)
		dst[at / 8] = 0;
	dst[at / 8] |= (uint8_t)(bit << (7 - at % 8));
}

static void pack_w4(uint8_t *dst, const void *src, size_t n, unsigned bits)
{
	for (size_t at = 0; at < n * bits; at++)
		put_bit(dst, at, ((const uint32_t *)src)[at / bits] >> (bits - 1 - at % bits) & 1);
}

static void pack_w8(uint8_t *dst, const void *src, size_t n, unsigned bits)
{
	for (size_t at = 0; at < n * bits; at++)
		put_bit(dst, at, ((const uint64_t *)src)[at / bits] >> (bits - 1 - at % bits) & 1);
}

static void round_to_bits(void *dst, const void *a, size_t n, unsigned bits, const struct kernels_prime *p)
{
	const uint128 modulus = (uint128)1 << bits;

	for (size_t i = 0; i < n; i++)
		set(dst, i, (uint64_t)((get(a, i, p) * modulus + (p->q - 1) / 2) / p->q % modulus), p);
}

static void uniform(void *dst, size_t n, size_t *filled, const uint8_t *bytes, size_t words,
	const struct kernels_prime *p)
{
	for (size_t i = 0; i < words && *filled < n; i++) {
		uint64_t candidate = 0;

		for (unsigned j = 0; j < p->width; j++)
			candidate |= (uint64_t)bytes[i * p->width + j] << (8 * j);
		candidate %= (uint64_t)1 << p->bits;
		if (candidate < p->q)
			set(dst, (*filled)++, candidate, p);
	}
}

static void remainders(void *dst, const uint8_t *bytes, size_t n, const struct kernels_prime *p)
{
	for (size_t i = 0; i < n; i++) {
		uint128 x = 0;

		for (unsigned j = 16; j-- > 0;)
			x = x << 8 | bytes[16 * i + j];
		set(dst, i, (uint64_t)(x % p->q), p);
	}
}

void schoolbook_kernels(struct kernels *k, unsigned q_bits)
{
	*k = (struct kernels){
		.ntt_table_bytes = table_bytes,
		.ntt_init = init,
		.ntt_forward = forward,
		.ntt_inverse = inverse,
		.add = add,
		.sub = sub,
		.neg = neg,
		.mul = mul,
		.affine = affine,
		.mul_add = mul_add,
		.sub_mul = sub_mul,
		.dot = dot,
		.permute = q_bits <= 31 ? permute_w4 : permute_w8,
		.mac = mac,
		.interleave = q_bits <= 31 ? interleave_w4 : interleave_w8,
		.fold = fold,
		.unpack = unpack,
		.pack = q_bits <= 31 ? pack_w4 : pack_w8,
		.round = round_to_bits,
		.uniform = uniform,
		.remainder = remainders,
		.name = "schoolbook",
	};
}
