/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <veil/bfv.h>

/* Use: a weighted sum of vectors of which the server knows neither vectors nor weights, with one
 * relinearisation. Prints 10*1 + 20*2 + 30*3 = 140 for each slot i, times i. */

#define TERMS 3
#define SLOTS 4

int main(void)
{
	struct veil_bfv *bfv = NULL;
	struct veil_bfv_secret *secret = NULL;
	struct veil_bfv_keys *keys = NULL;
	struct veil_bfv_ciphertext *vector[TERMS] = {NULL}, *weight[TERMS] = {NULL};
	const struct veil_bfv_ciphertext *left[TERMS], *right[TERMS];
	struct veil_error err = {""};
	int64_t result[SLOTS];
	int failed = 1;

	if (veil_bfv_create(&bfv, "n_8192_logq_3x55_logt_24", &err) != VEIL_OK ||
		veil_bfv_secret_create(&secret, bfv, &err) != VEIL_OK ||
		veil_bfv_keys_create(&keys, secret, NULL, 0, &err) != VEIL_OK)
		goto out;
	for (int k = 0; k < TERMS; k++) {
		int64_t x[SLOTS], w[SLOTS];

		for (int i = 0; i < SLOTS; i++) {
			x[i] = (int64_t)i * (k + 1);
			w[i] = 10 * (k + 1);
		}
		if (veil_bfv_encrypt(&vector[k], secret, x, SLOTS, &err) != VEIL_OK ||
			veil_bfv_encrypt(&weight[k], secret, w, SLOTS, &err) != VEIL_OK)
			goto out;
		left[k] = vector[k];
		right[k] = weight[k];
	}
	/* who has no secret */
	if (veil_bfv_inner(vector[0], left, right, TERMS, keys, &err) != VEIL_OK)
		goto out;
	if (veil_bfv_decrypt(secret, result, SLOTS, vector[0], &err) != VEIL_OK)
		goto out;
	printf("%lld %lld %lld %lld\n", (long long)result[0], (long long)result[1], (long long)result[2],
		(long long)result[3]);
	failed = 0;
out:
	if (failed)
		fprintf(stderr, "bfv_inner_product: %s\n", err.text);
	for (int k = 0; k < TERMS; k++) {
		veil_bfv_ciphertext_destroy(vector[k]);
		veil_bfv_ciphertext_destroy(weight[k]);
	}
	veil_bfv_keys_destroy(keys);
	veil_bfv_secret_destroy(secret);
	veil_bfv_destroy(bfv);
	return failed;
}
