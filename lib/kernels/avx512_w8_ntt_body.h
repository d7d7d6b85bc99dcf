/* SPDX-License-Identifier: Apache-2.0 */

/* Not a header: the passes of a transform of words of 8 bytes, included once a form, after its arithmetic:
 *    struct field, field_of         what is held in registers all the time
 *    struct multiplier, multiplier_one, multiplier_each    a factor for all words, or one for each
 *    begin(x)                       residues to what stages keep
 *    butterfly(&x, &y, multiplier)  X + WY, X - WY
 *    butterfly_of_one(&x, &y)       the same for W = 1 and Y a residue
 *    finish(x)                      what stages keep to [0, q)
 *    scale(x, multiplier)           the same, multiplied
 * and FORM(forward), FORM(inverse), the names of what it defines. */

INLINE const struct factor *outer_factors(const struct table *t)
{
	return (const struct factor *)&t->factors[at_forward_outer(t->log_n)];
}

INLINE void load_rows(__m512i *v, int rows, const uint64_t *from, size_t stride)
{
	UNROLL
	for (int k = 0; k < rows; k++)
		v[k] = _mm512_load_si512(from + (size_t)k * stride);
}

/* --- forward */

/* `stages` outer stages, from group g of `groups` on, on rows that are its parts. */
INLINE void forward_stages(
	__m512i *v, int stages, const struct factor *factors, size_t groups_and_g, struct field f)
{
	const int rows = 1 << stages;

	UNROLL
	for (int s = 0; s < stages; s++) {
		const int half = rows >> (s + 1);

		UNROLL
		for (int k = 0; k < rows / 2; k++) {
			const int i = k / half, x = i * 2 * half + k % half;

			butterfly(&v[x], &v[x + half], multiplier_one(factors + (groups_and_g << s) + i), f);
		}
	}
}

/* One pass of `stages` outer stages over a whole array: `groups` groups of 2^stages rows, `stride` words
 * apart. */
INLINE void forward_pass(
	uint64_t *a, const struct table *t, size_t groups, size_t stride, int stages, bool is_first)
{
	const struct field f = field_of(t);
	const int rows = 1 << stages;

	for (size_t g = 0; g < groups; g++, a += (size_t)rows * stride) {
		const struct factor *factors = outer_factors(t);

		for (size_t j = 0; j < stride; j += WORDS) {
			__m512i v[16];

			KEEP_IN_MEMORY(factors);
			load_rows(v, rows, a + j, stride);
			UNROLL
			for (int k = 0; k < rows; k++)
				v[k] = is_first ? begin(v[k], f) : v[k];
			forward_stages(v, stages, factors, groups + g, f);
			UNROLL
			for (int k = 0; k < rows; k++)
				_mm512_store_si512(a + j + (size_t)k * stride, v[k]);
		}
	}
}

/* The last four outer stages and the inner ones, on blocks of 16 vectors. */
static NOINLINE void forward_blocks(uint64_t *a, const struct table *t)
{
	const struct field f = field_of(t);
	const size_t groups = ((size_t)1 << t->log_n) / WORDS >> MAX_STAGES;
	const struct factors *inner = t->factors;

	for (size_t g = 0; g < groups; g++, a += 16 * WORDS, inner += 8 * INNER_STAGES) {
		const struct factor *factors = outer_factors(t);
		__m512i v[16];

		load_rows(v, 16, a, WORDS);
		forward_stages(v, MAX_STAGES, factors, groups + g, f);
		UNROLL
		for (int s = 0; s < INNER_STAGES; s++) {
			UNROLL
			for (int k = 0; k < 16; k += 2) {
				forward_exchange(&v[k], &v[k + 1], s);
				butterfly(&v[k], &v[k + 1], multiplier_each(inner + k / 2 * INNER_STAGES + s),
					f);
			}
		}
		UNROLL
		for (int k = 0; k < 16; k += 2) {
			v[k] = finish(v[k], f);
			v[k + 1] = finish(v[k + 1], f);
			forward_order(&v[k], &v[k + 1]);
			_mm512_store_si512(a + k * WORDS, v[k]);
			_mm512_store_si512(a + (k + 1) * WORDS, v[k + 1]);
		}
	}
}

#define FORWARD_PASS(name, stages, is_first)                                                        \
	static NOINLINE void name(uint64_t *a, const struct table *t, size_t groups, size_t stride) \
	{                                                                                           \
		forward_pass(a, t, groups, stride, stages, is_first);                               \
	}

FORWARD_PASS(first_1, 1, true)
FORWARD_PASS(first_2, 2, true)
FORWARD_PASS(first_3, 3, true)
FORWARD_PASS(first_4, 4, true)
FORWARD_PASS(second_3, 3, false)
FORWARD_PASS(second_4, 4, false)

void FORM(forward)(void *a, const void *table)
{
	typedef void pass_fn(uint64_t *, const struct table *, size_t, size_t);
	static pass_fn *const first[] = {NULL, first_1, first_2, first_3, first_4};
	static pass_fn *const second[] = {NULL, NULL, NULL, second_3, second_4};
	const struct table *t = table;
	const unsigned stages = t->log_n - INNER_STAGES - MAX_STAGES; /* before the blocks: 1..8 */
	const unsigned before = stages <= MAX_STAGES ? stages : stages / 2, rest = stages - before;
	const size_t stride = (size_t)1 << t->log_n >> before;

	first[before](a, t, 1, stride);
	if (rest)
		second[rest](a, t, (size_t)1 << before, stride >> rest);
	forward_blocks(a, t);
}

/* --- inverse */

/* The inner stages and four outer ones on blocks of 16 vectors. */
static NOINLINE void inverse_blocks(uint64_t *a, const struct table *t)
{
	const struct field f = field_of(t);
	const size_t groups = ((size_t)1 << t->log_n) / WORDS >> MAX_STAGES;

	for (size_t g = 0; g < groups; g++, a += 16 * WORDS) {
		const struct factors *inner = t->factors + at_inverse_inner(t->log_n),
				     *factors = t->factors + at_inverse_outer(t->log_n);
		__m512i v[16];

		KEEP_IN_MEMORY(inner);
		KEEP_IN_MEMORY(factors);
		load_rows(v, 16, a, WORDS);
		UNROLL
		for (int k = 0; k < 16; k += 2) {
			inverse_order(&v[k], &v[k + 1]);
			butterfly_of_one(&v[k], &v[k + 1], f);
			inverse_exchange(&v[k], &v[k + 1], 0);
		}
		UNROLL
		for (int s = 1; s < INNER_STAGES; s++) {
			UNROLL
			for (int k = 0; k < 16; k += 2) {
				butterfly(&v[k], &v[k + 1], multiplier_each(inner + s), f);
				inverse_exchange(&v[k], &v[k + 1], s);
			}
		}
		UNROLL
		for (int s = 0; s < MAX_STAGES; s++) {
			const int half = 1 << s;

			UNROLL
			for (int k = 0; k < 8; k++) {
				const int i = k % half, x = k / half * 2 * half + i;

				butterfly(&v[x], &v[x + half], multiplier_each(factors + half + i), f);
			}
		}
		UNROLL
		for (int k = 0; k < 16; k++)
			_mm512_store_si512(a + k * WORDS, v[k]);
	}
}

/* One pass of `stages` outer stages, on groups of 2^stages rows, `stride` words apart. If `is_last` there is
 * one group, and the last factors follow. */
INLINE void inverse_pass(uint64_t *a, const struct table *t, const struct factors *last, bool is_last,
	size_t stride, int stages)
{
	const struct field f = field_of(t);
	const int rows = 1 << stages;
	const size_t groups = is_last ? 1 : ((size_t)1 << t->log_n) / stride >> stages;

	for (size_t g = 0; g < groups; g++, a += (size_t)rows * stride) {
		for (size_t j = 0; j < stride; j += WORDS) {
			const struct factors *factors = t->factors + at_inverse_outer(t->log_n);
			__m512i v[16];

			load_rows(v, rows, a + j, stride);
			UNROLL
			for (int s = 0; s < stages; s++) {
				const int half = 1 << s;

				UNROLL
				for (int k = 0; k < rows / 2; k++) {
					const int i = k % half, x = k / half * 2 * half + i;
					const size_t at = ((size_t)(half + i) * stride + j) / WORDS;

					butterfly(&v[x], &v[x + half], multiplier_each(factors + at), f);
				}
			}
			UNROLL
			for (int k = 0; k < rows; k++) {
				const size_t at = (size_t)k * stride + j;

				if (is_last)
					v[k] = scale(v[k], multiplier_each(last + at / WORDS), f);
				_mm512_store_si512(a + at, v[k]);
			}
		}
	}
}

#define INVERSE_PASS(name, stages)                                                   \
	static NOINLINE void name(uint64_t *a, const struct table *t, size_t stride) \
	{                                                                            \
		inverse_pass(a, t, NULL, false, stride, stages);                     \
	}
#define LAST_PASS(name, stages)                                                                   \
	static NOINLINE void name(                                                                \
		uint64_t *a, const struct table *t, const struct factors *factors, size_t stride) \
	{                                                                                         \
		inverse_pass(a, t, factors, true, stride, stages);                                \
	}

INVERSE_PASS(inverse_2, 2)
INVERSE_PASS(inverse_3, 3)
INVERSE_PASS(inverse_4, 4)
LAST_PASS(last_1, 1)
LAST_PASS(last_2, 2)
LAST_PASS(last_3, 3)
LAST_PASS(last_4, 4)

void FORM(inverse)(void *a, const void *table, enum kernels_scale scale)
{
	typedef void pass_fn(uint64_t *, const struct table *, size_t);
	typedef void last_fn(uint64_t *, const struct table *, const struct factors *, size_t);
	static pass_fn *const pass[] = {NULL, NULL, inverse_2, inverse_3, inverse_4};
	static last_fn *const last[] = {NULL, last_1, last_2, last_3, last_4};
	const struct table *t = table;
	const unsigned stages = t->log_n - INNER_STAGES - MAX_STAGES; /* behind the blocks: 1..8 */
	const unsigned before = stages <= MAX_STAGES ? 0 : stages / 2;
	const size_t stride = (size_t)WORDS << MAX_STAGES;

	inverse_blocks(a, t);
	if (before)
		pass[before](a, t, stride);
	last[stages - before](a, t, t->factors + at_last(t->log_n, scale), stride << before);
}
