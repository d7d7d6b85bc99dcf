/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <veil/bfv.h>

/* Use: the sum of all slots, in every slot, by rotations within the rows and their exchange. Prints
 * 1 + 2 + ... + 100 = 5050. */

#define COUNT 100
#define LOG_ROW 12 /* rows of 4096 slots */

int main(void)
{
	struct veil_bfv *bfv = NULL;
	struct veil_bfv_secret *secret = NULL;
	struct veil_bfv_keys *keys = NULL;
	struct veil_bfv_ciphertext *sum = NULL, *turned = NULL;
	struct veil_error err = {""};
	int64_t values[COUNT];
	int steps[LOG_ROW + 1], failed = 1;

	for (int i = 0; i < COUNT; i++)
		values[i] = i + 1;
	for (int i = 0; i < LOG_ROW; i++)
		steps[i] = -(1 << i); /* to the left */
	steps[LOG_ROW] = VEIL_BFV_SWAP_ROWS;
	if (veil_bfv_create(&bfv, "n_8192_logq_3x55_logt_24", &err) != VEIL_OK ||
		veil_bfv_secret_create(&secret, bfv, &err) != VEIL_OK ||
		veil_bfv_keys_create(&keys, secret, steps, LOG_ROW + 1, &err) != VEIL_OK ||
		veil_bfv_encrypt(&sum, secret, values, COUNT, &err) != VEIL_OK ||
		veil_bfv_encrypt(&turned, secret, NULL, 0, &err) != VEIL_OK)
		goto out;
	/* who has no secret */
	for (int i = 0; i <= LOG_ROW; i++) {
		if (veil_bfv_copy(turned, sum, &err) != VEIL_OK)
			goto out;
		if ((i < LOG_ROW ? veil_bfv_rotate(turned, steps[i], keys, &err)
				 : veil_bfv_swap_rows(turned, keys, &err)) != VEIL_OK ||
			veil_bfv_add(sum, turned, &err) != VEIL_OK)
			goto out;
	}
	if (veil_bfv_decrypt(secret, values, COUNT, sum, &err) != VEIL_OK)
		goto out;
	printf("%lld %lld\n", (long long)values[0], (long long)values[COUNT - 1]);
	failed = 0;
out:
	if (failed)
		fprintf(stderr, "bfv_sum_of_slots: %s\n", err.text);
	veil_bfv_ciphertext_destroy(sum);
	veil_bfv_ciphertext_destroy(turned);
	veil_bfv_keys_destroy(keys);
	veil_bfv_secret_destroy(secret);
	veil_bfv_destroy(bfv);
	return failed;
}
