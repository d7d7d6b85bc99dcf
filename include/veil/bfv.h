/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_BFV_H
#define VEIL_BFV_H

/** Arithmetic on encrypted vectors of integers: sums, products slot by slot, rotations. STABILITY:
 * experimental. Names and meanings may change until version 1; the bytes are those of
 * apple/swift-homomorphic-encryption and will not. A whole program (cc sum.c $(pkg-config --cflags --libs
 * veil)):
 *
 *     #include <stdio.h>
 *     #include <veil/bfv.h>
 *
 *     int main(void)
 *     {
 *             const int64_t values[] = {1, 2, 3, 4}, weights[] = {10, 20, 30, 40};
 *             int64_t result[4];
 *             const int steps[] = {-1, -2};
 *             struct veil_bfv *bfv = NULL;
 *             struct veil_bfv_secret *secret = NULL;
 *             struct veil_bfv_keys *keys = NULL;
 *             struct veil_bfv_ciphertext *x = NULL, *y = NULL;
 *             struct veil_error err = {""};
 *             int failed = 1;
 *
 *             if (veil_bfv_create(&bfv, "n_8192_logq_3x55_logt_24", &err) != VEIL_OK ||
 *                 veil_bfv_secret_create(&secret, bfv, &err) != VEIL_OK ||
 *                 veil_bfv_keys_create(&keys, secret, steps, 2, &err) != VEIL_OK ||
 *                 veil_bfv_encrypt(&x, secret, values, 4, &err) != VEIL_OK ||
 *                 veil_bfv_encrypt(&y, secret, weights, 4, &err) != VEIL_OK)
 *                     goto out;
 *             // who has no secret: the products, then the sum of two and of four neighbours
 *             if (veil_bfv_multiply(x, y, keys, &err) != VEIL_OK)
 *                     goto out;
 *             for (int i = 0; i < 2; i++) {
 *                     if (veil_bfv_copy(y, x, &err) != VEIL_OK ||
 *                         veil_bfv_rotate(y, steps[i], keys, &err) != VEIL_OK ||
 *                         veil_bfv_add(x, y, &err) != VEIL_OK)
 *                             goto out;
 *             }
 *             if (veil_bfv_decrypt(secret, result, 4, x, &err) != VEIL_OK)
 *                     goto out;
 *             printf("%lld\n", (long long)result[0]);
 *             failed = 0;
 *     out:
 *             if (failed)
 *                     fprintf(stderr, "sum: %s\n", err.text);
 *             veil_bfv_ciphertext_destroy(x);
 *             veil_bfv_ciphertext_destroy(y);
 *             veil_bfv_keys_destroy(keys);
 *             veil_bfv_secret_destroy(secret);
 *             veil_bfv_destroy(bfv);
 *             return failed;
 *     }
 *
 * A context, and all that was made from it, is for one thread at a time, and outlives what was made from it.
 * Ciphertexts know how noisy they are: an operation that would leave less than one bit for noise is refused
 * with VEIL_E_INVALID, and changes nothing. */

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct veil_bfv;
struct veil_bfv_secret;
struct veil_bfv_keys;
struct veil_bfv_ciphertext;

/** A context for a parameter set with slots, by its name in params/; VEIL_E_NOT_FOUND if there is none. */
VEIL_EXPORT enum veil_status veil_bfv_create(
	struct veil_bfv **out, const char *params, struct veil_error *err);
VEIL_EXPORT void veil_bfv_destroy(struct veil_bfv *bfv);
/** Slots of a ciphertext: two rows of half as many. Values are modulo an odd t, from -(t-1)/2 to (t-1)/2. */
VEIL_EXPORT size_t veil_bfv_slots(const struct veil_bfv *bfv);
VEIL_EXPORT uint64_t veil_bfv_modulus(const struct veil_bfv *bfv);

/** A fresh secret, in locked memory. */
VEIL_EXPORT enum veil_status veil_bfv_secret_create(
	struct veil_bfv_secret **out, struct veil_bfv *bfv, struct veil_error *err);
VEIL_EXPORT void veil_bfv_secret_destroy(struct veil_bfv_secret *secret);

/** A step that is no rotation: the exchange of the two rows. */
#define VEIL_BFV_SWAP_ROWS INT_MAX
/** What lets others multiply, rotate by these steps (negative: to the left) and by sums of them, and, if it
 * is among them, swap rows: public. */
VEIL_EXPORT enum veil_status veil_bfv_keys_create(struct veil_bfv_keys **out, struct veil_bfv_secret *secret,
	const int *steps, unsigned count, struct veil_error *err);
/** The bytes of keys: their number; written if `out` is not NULL. */
VEIL_EXPORT enum veil_status veil_bfv_keys_write(
	const struct veil_bfv_keys *keys, uint8_t *out, size_t *size, struct veil_error *err);
/** Keys of those steps, from untrusted bytes. */
VEIL_EXPORT enum veil_status veil_bfv_keys_read(struct veil_bfv_keys **out, struct veil_bfv *bfv,
	const int *steps, unsigned count, const uint8_t *data, size_t size, struct veil_error *err);
VEIL_EXPORT void veil_bfv_keys_destroy(struct veil_bfv_keys *keys);

/** values[count] in the first slots, zeros in the others. */
VEIL_EXPORT enum veil_status veil_bfv_encrypt(struct veil_bfv_ciphertext **out,
	struct veil_bfv_secret *secret, const int64_t *values, size_t count, struct veil_error *err);
VEIL_EXPORT enum veil_status veil_bfv_decrypt(struct veil_bfv_secret *secret, int64_t *values, size_t count,
	const struct veil_bfv_ciphertext *ct, struct veil_error *err);
VEIL_EXPORT void veil_bfv_ciphertext_destroy(struct veil_bfv_ciphertext *ct);
/** The bytes of a ciphertext, as of keys: a fresh one is half as long as others. VEIL_E_INVALID for one that
 * anybody could read, as a product by zeros. */
VEIL_EXPORT enum veil_status veil_bfv_ciphertext_write(
	const struct veil_bfv_ciphertext *ct, uint8_t *out, size_t *size, struct veil_error *err);
/** From untrusted bytes. How noisy it is does not travel: `bits_left` is what veil_bfv_bits_left said of it;
 * of a fresh ciphertext it follows from the parameters, and is not looked at. */
VEIL_EXPORT enum veil_status veil_bfv_ciphertext_read(struct veil_bfv_ciphertext **out, struct veil_bfv *bfv,
	const uint8_t *data, size_t size, double bits_left, struct veil_error *err);
/** dst = a, of one context. */
VEIL_EXPORT enum veil_status veil_bfv_copy(
	struct veil_bfv_ciphertext *dst, const struct veil_bfv_ciphertext *a, struct veil_error *err);
/** The bits that are left for noise, as estimated. */
VEIL_EXPORT double veil_bfv_bits_left(const struct veil_bfv_ciphertext *ct);

/** ct += a, ct -= a, ct *= a, slot by slot. */
VEIL_EXPORT enum veil_status veil_bfv_add(
	struct veil_bfv_ciphertext *ct, const struct veil_bfv_ciphertext *a, struct veil_error *err);
VEIL_EXPORT enum veil_status veil_bfv_sub(
	struct veil_bfv_ciphertext *ct, const struct veil_bfv_ciphertext *a, struct veil_error *err);
VEIL_EXPORT enum veil_status veil_bfv_multiply(struct veil_bfv_ciphertext *ct,
	const struct veil_bfv_ciphertext *a, const struct veil_bfv_keys *keys, struct veil_error *err);
/** ct = the sum of a[i] * b[i] for i < count, of products slot by slot: at the price of one relinearisation.
 * ct may be one of them. */
VEIL_EXPORT enum veil_status veil_bfv_inner(struct veil_bfv_ciphertext *ct,
	const struct veil_bfv_ciphertext *const *a, const struct veil_bfv_ciphertext *const *b, size_t count,
	const struct veil_bfv_keys *keys, struct veil_error *err);
/** ct *= values[count], zeros after them. */
VEIL_EXPORT enum veil_status veil_bfv_multiply_plain(
	struct veil_bfv_ciphertext *ct, const int64_t *values, size_t count, struct veil_error *err);
/** Both rows by `step` slots, |step| < slots / 2; to the left where step < 0. */
VEIL_EXPORT enum veil_status veil_bfv_rotate(
	struct veil_bfv_ciphertext *ct, int step, const struct veil_bfv_keys *keys, struct veil_error *err);
/** Exchanges the rows: slots 0 .. slots/2 - 1 and the others. */
VEIL_EXPORT enum veil_status veil_bfv_swap_rows(
	struct veil_bfv_ciphertext *ct, const struct veil_bfv_keys *keys, struct veil_error *err);

#ifdef __cplusplus
}
#endif
#endif
