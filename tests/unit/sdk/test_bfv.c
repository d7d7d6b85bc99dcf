/* SPDX-License-Identifier: Apache-2.0 */
#include "veil/bfv.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define COUNT 8

static struct veil_bfv *bfv;
static struct veil_bfv_secret *secret;
static struct veil_bfv_keys *keys;
static struct veil_error err;
static const int steps[] = {-1, -4, VEIL_BFV_SWAP_ROWS};

static void start(void)
{
	cr_assert_eq(veil_bfv_create(&bfv, "n_8192_logq_3x55_logt_24", &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(veil_bfv_secret_create(&secret, bfv, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_keys_create(&keys, secret, steps, 3, &err), VEIL_OK, "%s", err.text);
}

static void end(void)
{
	veil_bfv_keys_destroy(keys);
	veil_bfv_secret_destroy(secret);
	veil_bfv_destroy(bfv);
}

static void expect(const struct veil_bfv_ciphertext *ct, const int64_t *want, const char *what)
{
	int64_t got[COUNT];

	cr_assert_eq(veil_bfv_decrypt(secret, got, COUNT, ct, &err), VEIL_OK);
	for (size_t i = 0; i < COUNT; i++)
		cr_assert_eq(got[i], want[i], "%s, slot %zu: %lld, not %lld", what, i, (long long)got[i],
			(long long)want[i]);
}

Test(bfv, operations_work_slot_by_slot_with_keys_that_travelled)
{
	int64_t a[COUNT] = {1, -2, 3, -4, 5, -6, 7, -8}, b[COUNT] = {10, 20, 30, 40, 50, 60, 70, 80},
		w[COUNT];
	struct veil_bfv_ciphertext *x = NULL, *y = NULL;
	struct veil_bfv_keys *read = NULL;
	uint8_t *bytes;
	size_t size;

	start();
	cr_assert_eq(veil_bfv_slots(bfv), 8192);
	cr_assert_eq(veil_bfv_modulus(bfv), 8404993);
	cr_assert_eq(veil_bfv_keys_write(keys, NULL, &size, &err), VEIL_OK);
	bytes = malloc(size);
	cr_assert_eq(veil_bfv_keys_write(keys, bytes, &size, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_keys_read(&read, bfv, steps, 3, bytes, size, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(veil_bfv_encrypt(&x, secret, a, COUNT, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_encrypt(&y, secret, b, COUNT, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_multiply(x, y, read, &err), VEIL_OK);
	for (size_t i = 0; i < COUNT; i++)
		w[i] = a[i] * b[i];
	expect(x, w, "product");
	cr_assert_eq(veil_bfv_sub(x, y, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_multiply_plain(x, a, COUNT, &err), VEIL_OK);
	for (size_t i = 0; i < COUNT; i++)
		w[i] = (w[i] - b[i]) * a[i];
	expect(x, w, "difference times plaintext");
	cr_assert_eq(veil_bfv_rotate(x, -5, read, &err), VEIL_OK, "%s", err.text);
	for (size_t i = 0; i < COUNT; i++)
		w[i] = i + 5 < COUNT ? w[i + 5] : 0;
	expect(x, w, "rotation by a plan");
	cr_assert_eq(veil_bfv_copy(y, x, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_add(y, x, &err), VEIL_OK);
	for (size_t i = 0; i < COUNT; i++)
		w[i] *= 2;
	expect(y, w, "sum");
	bytes[size / 2] ^= 1;
	veil_bfv_keys_destroy(read);
	cr_assert_eq(veil_bfv_keys_read(&read, bfv, steps, 1, bytes, size, &err), VEIL_E_MALFORMED);
	cr_assert_null(read);
	free(bytes);
	veil_bfv_ciphertext_destroy(x);
	veil_bfv_ciphertext_destroy(y);
	end();
}

Test(bfv, a_circuit_that_would_leave_less_than_a_bit_is_refused_and_changes_nothing)
{
	int64_t a[COUNT] = {1, -1, 1, -1, 1, 1, -1, 1};
	struct veil_bfv_ciphertext *x = NULL, *y = NULL;
	enum veil_status st;
	double left;
	int products = 0;

	start();
	cr_assert_eq(veil_bfv_encrypt(&x, secret, a, COUNT, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_encrypt(&y, secret, a, COUNT, &err), VEIL_OK);
	do {
		left = veil_bfv_bits_left(x);
		cr_assert_geq(left, 1);
		st = veil_bfv_multiply(x, y, keys, &err);
		products += st == VEIL_OK;
	} while (st == VEIL_OK);
	cr_assert_eq(st, VEIL_E_INVALID);
	cr_assert(strstr(err.text, "less than one is refused"), "%s", err.text);
	cr_assert(products >= 1 && products < 10);
	cr_assert_eq(veil_bfv_bits_left(x), left);
	for (size_t i = 0; i < COUNT; i++)
		a[i] = products % 2 ? 1 : a[i];
	expect(x, a, "what was not refused");
	veil_bfv_ciphertext_destroy(x);
	veil_bfv_ciphertext_destroy(y);
	end();
}

Test(bfv, what_makes_no_sense_is_refused_by_name)
{
	struct veil_bfv_ciphertext *x = NULL;
	struct veil_bfv *other = NULL;
	struct veil_bfv_keys *none = NULL;
	const int64_t large = 8404993;
	const int far = 4096;

	cr_assert_eq(veil_bfv_create(&other, "n_1", &err), VEIL_E_NOT_FOUND);
	cr_assert(strstr(err.text, "n_1"));
	cr_assert_eq(veil_bfv_create(&other, "n_4096_logq_27_28_28_logt_13", &err), VEIL_E_INVALID);
	cr_assert_eq(veil_bfv_create(&other, "search_n2048_q28", &err), VEIL_E_INVALID);
	cr_assert_null(other);
	start();
	cr_assert_eq(veil_bfv_encrypt(&x, secret, &large, 1, &err), VEIL_E_INVALID);
	cr_assert_null(x);
	cr_assert_eq(veil_bfv_keys_create(&none, secret, &far, 1, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "4096"));
	cr_assert_eq(veil_bfv_encrypt(&x, secret, &large, 0, &err), VEIL_OK);
	cr_assert_eq(
		veil_bfv_rotate(x, 1, keys, &err), VEIL_E_INVALID); /* 4095 to the left in 1026 switches */
	cr_assert_eq(veil_bfv_rotate(x, -4096, keys, &err), VEIL_E_INVALID);
	cr_assert_eq(veil_bfv_create(&other, "n_8192_logq_3x55_logt_24", &err), VEIL_OK);
	cr_assert_eq(
		veil_bfv_keys_read(&none, other, steps, 2, (const uint8_t *)"", 0, &err), VEIL_E_MALFORMED);
	veil_bfv_ciphertext_destroy(x);
	veil_bfv_ciphertext_destroy(NULL);
	veil_bfv_destroy(other);
	end();
}

Test(bfv, ciphertexts_travel_and_inner_products_and_swaps_are_those_of_the_slots)
{
	int64_t a[COUNT] = {1, -2, 3, -4, 5, -6, 7, -8}, b[COUNT] = {10, 20, 30, 40, 50, 60, 70, 80},
		w[COUNT] = {0}, zero = 0;
	struct veil_bfv_ciphertext *x = NULL, *y = NULL, *far = NULL;
	const struct veil_bfv_ciphertext *left[3], *right[3];
	size_t fresh, size;
	uint8_t *bytes;
	double bits;

	start();
	cr_assert_eq(veil_bfv_encrypt(&x, secret, a, COUNT, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_encrypt(&y, secret, b, COUNT, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_ciphertext_write(x, NULL, &fresh, &err), VEIL_OK);
	bytes = malloc(3 * fresh);
	cr_assert_eq(veil_bfv_ciphertext_write(x, bytes, &fresh, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_ciphertext_read(&far, bfv, bytes, fresh, 0, &err), VEIL_OK, "%s", err.text);
	cr_assert_eq(veil_bfv_bits_left(far), veil_bfv_bits_left(x));
	left[0] = x, left[1] = far, left[2] = y;
	right[0] = y, right[1] = far, right[2] = y;
	cr_assert_eq(veil_bfv_inner(x, left, right, 3, keys, &err), VEIL_OK, "%s", err.text); /* x is one */
	for (size_t i = 0; i < COUNT; i++)
		w[i] = a[i] * b[i] + a[i] * a[i] + b[i] * b[i];
	expect(x, w, "inner product");
	bits = veil_bfv_bits_left(x);
	cr_assert_eq(veil_bfv_ciphertext_write(x, bytes, &size, &err), VEIL_OK);
	cr_assert(size > 2 * fresh - 1000 && size < 3 * fresh);
	veil_bfv_ciphertext_destroy(far);
	cr_assert_eq(veil_bfv_ciphertext_read(&far, bfv, bytes, size, bits, &err), VEIL_OK, "%s", err.text);
	cr_assert_float_eq(veil_bfv_bits_left(far), bits, 1e-9);
	expect(far, w, "what travelled");
	cr_assert_eq(veil_bfv_swap_rows(far, keys, &err), VEIL_OK, "%s", err.text);
	expect(far, (int64_t[COUNT]){0}, "the other row");
	cr_assert_eq(veil_bfv_add(far, x, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_swap_rows(far, keys, &err), VEIL_OK);
	expect(far, w, "both rows");
	veil_bfv_ciphertext_destroy(far);
	for (int i = 0; i < 3; i++) {
		const double claims[] = {0.5, 1000, (double)NAN};

		cr_assert_eq(
			veil_bfv_ciphertext_read(&far, bfv, bytes, size, claims[i], &err), VEIL_E_INVALID);
		cr_assert_null(far);
		cr_assert(strstr(err.text, "bits left"), "%s", err.text);
	}
	cr_assert_eq(veil_bfv_ciphertext_read(&far, bfv, bytes, size - 1, bits, &err), VEIL_E_MALFORMED);
	cr_assert_null(far);
	cr_assert_eq(veil_bfv_inner(x, left, right, 0, keys, &err), VEIL_E_INVALID);
	cr_assert_eq(veil_bfv_multiply_plain(y, &zero, 1, &err), VEIL_OK);
	cr_assert_eq(veil_bfv_ciphertext_write(y, bytes, &size, &err), VEIL_E_INVALID);
	cr_assert(strstr(err.text, "anybody"), "%s", err.text);
	free(bytes);
	veil_bfv_ciphertext_destroy(x);
	veil_bfv_ciphertext_destroy(y);
	end();
}
