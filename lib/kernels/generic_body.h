/* SPDX-License-Identifier: Apache-2.0 */

/* Not a header: the body of generic.c, included once a width with WORD, WIDE (twice as wide) and NAME
 * defined. R = 2^BITS. q < R/2, so a value below 2q fits a WORD. */

#define BITS (8 * sizeof(WORD))

/* x < 2q: back to [0, q). */
static inline WORD NAME(reduce)(WORD x, WORD q)
{
	WORD t = (WORD)(x - q);

	return (WORD)(t + (q & (WORD)(0 - (t >> (BITS - 1)))));
}

/* Montgomery: x R^-1 mod q in [0, q), for x < qR. */
static inline WORD NAME(redc)(WIDE x, WORD q, WORD neg_inv)
{
	WORD m = (WORD)((WORD)x * neg_inv);

	return NAME(reduce)((WORD)((x + (WIDE)m * q) >> BITS), q);
}

/* Shoup: y w mod q in [0, q) for any y, where quotient = floor(w R / q). */
static inline WORD NAME(mul_by)(WORD y, WORD w, WORD quotient, WORD q)
{
	WORD high = (WORD)((WIDE)y * quotient >> BITS);

	return NAME(reduce)((WORD)(y * w - high * q), q);
}

/* --- the transform */

struct NAME(constant) {
	WORD w, quotient;
};

struct NAME(table) {
	WORD q;
	unsigned log_n;
	/* the last inverse stage, by enum kernels_scale: the factor of the sums, the factor of the
	 * differences */
	struct NAME(constant) last[2][2];
	WORD twiddles[]; /* [4][N]: root^brv(i) and their quotients, then root^-brv(i) and theirs */
};

static size_t NAME(ntt_table_bytes)(unsigned log_n)
{
	return (sizeof(struct NAME(table)) + (4 * sizeof(WORD) << log_n) + 63) / 64 * 64;
}

void NAME(kernels_twiddles)(
	void *forward, void *inverse, const struct kernels_prime *p, unsigned log_n, uint64_t root)
{
	WORD *to = forward, *back = inverse, q = (WORD)p->q, power = 1;
	size_t n = (size_t)1 << log_n;

	to[0] = back[0] = 1;
	for (size_t i = 1; i < n; i++) {
		power = (WORD)((WIDE)power * (WORD)root % q);
		to[reverse_bits(i, log_n)] = power;
		/* root^N = -1, so root^-(N-i) = -root^i */
		back[reverse_bits(n - i, log_n)] = q - power;
	}
}

static WORD NAME(quotient_of)(WORD w, WORD q)
{
	return (WORD)(((WIDE)w << BITS) / q);
}

static void NAME(ntt_init)(void *table, const struct kernels_prime *p, unsigned log_n, uint64_t root)
{
	struct NAME(table) *t = table;
	size_t n = (size_t)1 << log_n;
	WORD *forward = t->twiddles, *inverse = forward + 2 * n, q = (WORD)p->q;

	t->q = q;
	t->log_n = log_n;
	NAME(kernels_twiddles)(forward, inverse, p, log_n, root);
	for (size_t i = 0; i < n; i++) {
		forward[n + i] = NAME(quotient_of)(forward[i], q);
		inverse[n + i] = NAME(quotient_of)(inverse[i], q);
	}
	for (enum kernels_scale s = KERNELS_PLAIN; s <= KERNELS_MONTGOMERY; s++) {
		WORD sum = (WORD)kernels_ntt_scale(p, log_n, s),
		     difference = (WORD)((WIDE)sum * inverse[1] % q);

		t->last[s][0] = (struct NAME(constant)){sum, NAME(quotient_of)(sum, q)};
		t->last[s][1] = (struct NAME(constant)){difference, NAME(quotient_of)(difference, q)};
	}
}

/* Cooley-Tukey; values stay in [0, 2q) between stages. */
static void NAME(ntt_forward)(void *a, const void *table)
{
	const struct NAME(table) *t = table;
	size_t n = (size_t)1 << t->log_n;
	const WORD *w = t->twiddles, *quotient = w + n;
	WORD *x = a, q = t->q;

	for (size_t groups = 1, half = n / 2; groups < n; groups *= 2, half /= 2) {
		for (size_t g = 0; g < groups; g++) {
			WORD *low = x + 2 * g * half, *high = low + half;

			for (size_t j = 0; j < half; j++) {
				WORD u = NAME(reduce)(low[j], q);
				WORD v = NAME(mul_by)(high[j], w[groups + g], quotient[groups + g], q);

				low[j] = (WORD)(u + v);
				high[j] = (WORD)(u + (q - v));
			}
		}
	}
	for (size_t i = 0; i < n; i++)
		x[i] = NAME(reduce)(x[i], q);
}

/* Gentleman-Sande; the last stage carries the scale. Values stay in [0, q). */
static void NAME(ntt_inverse)(void *a, const void *table, enum kernels_scale scale)
{
	const struct NAME(table) *t = table;
	size_t n = (size_t)1 << t->log_n;
	const WORD *w = t->twiddles + 2 * n, *quotient = w + n;
	struct NAME(constant) sum = t->last[scale][0], difference = t->last[scale][1];
	WORD *x = a, q = t->q;

	for (size_t groups = n / 2, half = 1; groups > 1; groups /= 2, half *= 2) {
		for (size_t g = 0; g < groups; g++) {
			WORD *low = x + 2 * g * half, *high = low + half;

			for (size_t j = 0; j < half; j++) {
				WORD u = low[j], v = high[j];

				low[j] = NAME(reduce)((WORD)(u + v), q);
				high[j] = NAME(mul_by)(
					(WORD)(u + (q - v)), w[groups + g], quotient[groups + g], q);
			}
		}
	}
	for (size_t j = 0; j < n / 2; j++) {
		WORD u = x[j], v = x[j + n / 2];

		x[j] = NAME(mul_by)((WORD)(u + v), sum.w, sum.quotient, q);
		x[j + n / 2] = NAME(mul_by)((WORD)(u + (q - v)), difference.w, difference.quotient, q);
	}
}

/* --- pointwise */

static void NAME(add)(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const WORD *x = a, *y = b;
	WORD *z = dst, q = (WORD)p->q;

	for (size_t i = 0; i < n; i++)
		z[i] = NAME(reduce)((WORD)(x[i] + y[i]), q);
}

static void NAME(sub)(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const WORD *x = a, *y = b;
	WORD *z = dst, q = (WORD)p->q;

	for (size_t i = 0; i < n; i++)
		z[i] = NAME(reduce)((WORD)(x[i] + (q - y[i])), q);
}

static void NAME(neg)(void *dst, const void *a, size_t n, const struct kernels_prime *p)
{
	const WORD *x = a;
	WORD *z = dst, q = (WORD)p->q;

	for (size_t i = 0; i < n; i++)
		z[i] = NAME(reduce)((WORD)(q - x[i]), q);
}

static void NAME(mul)(void *dst, const void *a, const void *b, size_t n, const struct kernels_prime *p)
{
	const WORD *x = a, *y = b;
	WORD *z = dst, q = (WORD)p->q, neg_inv = (WORD)p->neg_inv, two = (WORD)p->mont_two;

	for (size_t i = 0; i < n; i++)
		z[i] = NAME(redc)((WIDE)NAME(redc)((WIDE)x[i] * y[i], q, neg_inv) * two, q, neg_inv);
}

/* --- by constants, and from prime to prime */

struct NAME(factor) {
	struct NAME(constant) low, high; /* w, and w R for what a wider word has above a WORD */
};

static struct NAME(factor) NAME(factor_of)(uint64_t w, WORD q)
{
	const WORD low = (WORD)w, high = (WORD)(((WIDE)low << BITS) % q);

	return (struct NAME(factor)){{low, NAME(quotient_of)(low, q)}, {high, NAME(quotient_of)(high, q)}};
}

static inline __attribute__((always_inline)) uint64_t NAME(get_from)(const void *b, size_t i, unsigned width)
{
	return width == 4 ? ((const uint32_t *)b)[i] : ((const uint64_t *)b)[i];
}

/* w y mod q; a y that no WORD holds is `wide` */
static inline __attribute__((always_inline)) WORD NAME(mul_factor)(
	uint64_t y, const struct NAME(factor) * f, WORD q, bool wide)
{
	WORD low = NAME(mul_by)((WORD)y, f->low.w, f->low.quotient, q), high;

	if (!wide || sizeof(WORD) == 8)
		return low;
	high = NAME(mul_by)((WORD)(y >> 32), f->high.w, f->high.quotient, q);
	return NAME(reduce)((WORD)(low + high), q);
}

static void NAME(affine)(void *dst, const void *b, size_t n, uint64_t w, uint64_t k,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const WORD q = (WORD)p->q;
	const struct NAME(factor) f = NAME(factor_of)(w, q);
	const unsigned width = from->width;
	WORD *z = dst;

	for (size_t i = 0; i < n; i++) {
		WORD y = NAME(mul_factor)(NAME(get_from)(b, i, width), &f, q, width == 8);

		z[i] = NAME(reduce)((WORD)(y + (WORD)k), q);
	}
}

static void NAME(mul_add)(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t k,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const WORD q = (WORD)p->q, *x = a;
	const struct NAME(factor) f = NAME(factor_of)(w, q);
	const unsigned width = from->width;
	WORD *z = dst;

	for (size_t i = 0; i < n; i++) {
		WORD y = NAME(mul_factor)(NAME(get_from)(b, i, width), &f, q, width == 8);

		y = NAME(reduce)((WORD)(y + (WORD)k), q);
		z[i] = NAME(reduce)((WORD)(x[i] + y), q);
	}
}

static void NAME(sub_mul)(void *dst, const void *a, const void *b, size_t n, uint64_t w, uint64_t half,
	const struct kernels_prime *p, const struct kernels_prime *from)
{
	const WORD q = (WORD)p->q, *x = a;
	const struct NAME(factor) f = NAME(factor_of)(w, q);
	const uint64_t above = (from->q / p->q + 1) * p->q; /* no difference is negative, none above 2^64 */
	const unsigned width = from->width;
	WORD *z = dst;

	for (size_t i = 0; i < n; i++) {
		const uint64_t y = NAME(get_from)(b, i, width);
		const WORD up = (WORD)((half - y) >> 63); /* both below 2^63 */

		z[i] = NAME(reduce)((WORD)(NAME(mul_factor)(x[i] + above - y, &f, q, true) + up), q);
	}
}

/* --- of several rows */

/* A sum may reach R^2: see mac_block. */
static void NAME(dot)(void *dst, const void *const *a, const void *const *b, size_t terms, size_t n,
	const struct kernels_prime *p)
{
	const WORD q = (WORD)p->q, neg_inv = (WORD)p->neg_inv;

	for (size_t i = 0; i < n; i++) {
		WIDE sum = 0;

		for (size_t t = 0; t < terms; t++)
			sum += (WIDE)((const WORD *)a[t])[i] * ((const WORD *)b[t])[i];
		sum = (sum >> BITS) * (WORD)p->mont_one + (WORD)sum;
		sum = (WIDE)NAME(redc)(sum, q, neg_inv) * (WORD)p->mont_two;
		((WORD *)dst)[i] = NAME(redc)(sum, q, neg_inv);
	}
}

static void NAME(permute)(void *dst, const void *src, const uint32_t *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((WORD *)dst)[i] = ((const WORD *)src)[map[i] >> 1];
}

/* --- multiply-accumulate */

/* One block of 16 coefficients of one output: w and x are [terms][16]. */
static inline void NAME(mac_block)(
	WORD *out, const WORD *w, const WORD *x, size_t terms, const struct kernels_prime *p)
{
	WIDE sum[KERNELS_LANES] = {0};

	for (size_t t = 0; t < terms; t++)
		for (size_t l = 0; l < KERNELS_LANES; l++)
			sum[l] += (WIDE)w[t * KERNELS_LANES + l] * x[t * KERNELS_LANES + l];
	/* A sum may reach R^2. With R = mont_one, high * R + low = high * mont_one + low <= (R-1)(q-1) + R-1
	 * < qR. */
	for (size_t l = 0; l < KERNELS_LANES; l++) {
		WIDE small = (sum[l] >> BITS) * (WORD)p->mont_one + (WORD)sum[l];

		out[l] = NAME(redc)(small, (WORD)p->q, (WORD)p->neg_inv);
	}
}

static void NAME(mac)(void *const *out, const void *w, const void *const *x, unsigned vectors, size_t n,
	size_t outputs, size_t terms, const struct kernels_prime *p)
{
	const size_t block = terms * KERNELS_LANES;
	const WORD *shard = w;

	for (size_t b = 0; b < n / KERNELS_LANES; b++) {
		for (size_t o = 0; o < outputs; o++) {
			for (unsigned v = 0; v < vectors; v++)
				NAME(mac_block)
			((WORD *)out[v] + o * n + b * KERNELS_LANES, shard, (const WORD *)x[v] + b * block,
				terms, p);
			shard += block;
		}
	}
}

static void NAME(interleave)(void *dst, const void *src, size_t n, size_t terms, size_t t)
{
	const WORD *from = src;
	WORD *to = (WORD *)dst + t * KERNELS_LANES;

	for (size_t i = 0; i < n; i += KERNELS_LANES, to += terms * KERNELS_LANES)
		memcpy(to, from + i, KERNELS_LANES * sizeof(WORD));
}

static void NAME(fold)(void *dst, const void *src, size_t n, size_t fold, const struct kernels_prime *p)
{
	const WORD *x = src;
	WORD *z = dst, q = (WORD)p->q;

	for (size_t i = 0; i < n / fold; i++) {
		WORD sum = x[i * fold];

		for (size_t j = 1; j < fold; j++)
			sum = NAME(reduce)((WORD)(sum + x[i * fold + j]), q);
		z[i] = sum;
	}
}

/* --- bytes */

static bool NAME(unpack)(
	void *dst, const uint8_t *src, size_t n, unsigned bits, unsigned shift, const struct kernels_prime *p)
{
	const size_t size = (n * bits + 7) / 8;
	uint8_t tail[2 * TAKE_BYTES] = {0};
	size_t tail_start = size < TAKE_BYTES ? 0 : size - TAKE_BYTES, i = 0;
	uint64_t too_large = 0;
	WORD *z = dst;

	for (; i < n && i * bits / 8 <= tail_start && size >= TAKE_BYTES; i++) {
		uint64_t value = take_bits(src, i * bits, bits) << shift;

		too_large |= p->q - 1 - value;
		z[i] = (WORD)value;
	}
	if (size)
		memcpy(tail, src + tail_start, size - tail_start);
	for (; i < n; i++) {
		uint64_t value = take_bits(tail, i * bits - 8 * tail_start, bits) << shift;

		too_large |= p->q - 1 - value;
		z[i] = (WORD)value;
	}
	return too_large >> 63 == 0;
}

static void NAME(pack)(uint8_t *dst, const void *src, size_t n, unsigned bits)
{
	struct bit_writer writer = {.dst = dst};
	const WORD *x = src;

	for (size_t i = 0; i < n; i++) {
		if (bits > 32)
			put_bits(&writer, (uint32_t)((uint64_t)x[i] >> 32), bits - 32);
		put_bits(&writer, (uint32_t)x[i], bits > 32 ? 32 : bits);
	}
	flush_bits(&writer);
}

static void NAME(round)(void *dst, const void *a, size_t n, unsigned bits, const struct kernels_prime *p)
{
	const uint64_t q = p->q, mask = ((uint64_t)1 << bits) - 1;
	/* below R, because 2^(bits-1) < q; then a * scale / (R/2) is less than 1 below a * 2^bits / q */
	const WORD scale = (WORD)(((WIDE)1 << (bits + BITS - 1)) / p->q);
	const WORD *x = a;
	WORD *z = dst;

	for (size_t i = 0; i < n; i++) {
		uint64_t quotient = (uint64_t)((WIDE)x[i] * scale >> (BITS - 1));
		/* < 2.5 q where the width is 4; < 2 q where it is 8, for a < R/4 there */
		uint64_t rest = ((uint64_t)x[i] << bits) + (q - 1) / 2 - quotient * q;

		quotient += ((q - 1 - rest) >> 63) + ((2 * q - 1 - rest) >> 63);
		z[i] = (WORD)(quotient & mask);
	}
}

static void NAME(uniform)(void *dst, size_t n, size_t *filled, const uint8_t *bytes, size_t words,
	const struct kernels_prime *p)
{
	const WORD mask = (WORD)(((uint64_t)1 << p->bits) - 1);
	size_t count = *filled;
	WORD *z = dst;

	for (size_t i = 0; i < words && count < n; i++) {
		WORD candidate;

		memcpy(&candidate, bytes + i * sizeof candidate, sizeof candidate);
		candidate &= mask;
		if (candidate < p->q)
			z[count++] = candidate;
	}
	*filled = count;
}

/* (high R + low) mod q, for any words */
static inline WORD NAME(reduce_pair)(WORD low, WORD high, const struct kernels_prime *p)
{
	const WORD q = (WORD)p->q;
	WIDE sum = (WIDE)low * (WORD)p->mont_one + (WIDE)high * (WORD)p->mont_two; /* < 2qR */
	WORD top = NAME(reduce)((WORD)(sum >> BITS), q);

	return NAME(redc)((WIDE)top << BITS | (WORD)sum, q, (WORD)p->neg_inv);
}

static void NAME(remainder)(void *dst, const uint8_t *bytes, size_t n, const struct kernels_prime *p)
{
	const WORD q = (WORD)p->q, neg_inv = (WORD)p->neg_inv, two = (WORD)p->mont_two,
		   three = NAME(redc)((WIDE)two * two, q, neg_inv); /* R^3 */
	WORD *z = dst;

	for (size_t i = 0; i < n; i++) {
		WORD words[16 / sizeof(WORD)], rest = 0;

		memcpy(words, bytes + i * sizeof words, sizeof words);
		for (size_t k = sizeof words / sizeof *words; k; k -= 2) {
			rest = NAME(redc)((WIDE)rest * three, q, neg_inv); /* times R^2 */
			rest = NAME(reduce)(
				(WORD)(rest + NAME(reduce_pair)(words[k - 2], words[k - 1], p)), q);
		}
		z[i] = rest;
	}
}

void NAME(kernels_generic)(struct kernels *k)
{
	*k = (struct kernels){
		.ntt_table_bytes = NAME(ntt_table_bytes),
		.ntt_init = NAME(ntt_init),
		.ntt_forward = NAME(ntt_forward),
		.ntt_inverse = NAME(ntt_inverse),
		.add = NAME(add),
		.sub = NAME(sub),
		.neg = NAME(neg),
		.mul = NAME(mul),
		.affine = NAME(affine),
		.mul_add = NAME(mul_add),
		.sub_mul = NAME(sub_mul),
		.dot = NAME(dot),
		.permute = NAME(permute),
		.mac = NAME(mac),
		.interleave = NAME(interleave),
		.fold = NAME(fold),
		.unpack = NAME(unpack),
		.pack = NAME(pack),
		.round = NAME(round),
		.uniform = NAME(uniform),
		.remainder = NAME(remainder),
		.name = "generic",
	};
}

#undef BITS
