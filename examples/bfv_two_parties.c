/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include <veil/bfv.h>

/* Use: keys and ciphertexts travel as bytes (those of apple/swift-homomorphic-encryption) between who has the
 * secret and who computes, each with a context of its own. Prints 3 x^2 - 2 x for x = 1, 2, 3: 1 8 21. */

#define PARAMS "n_8192_logq_3x55_logt_24"
#define COUNT 3

struct message {
	uint8_t *data;
	size_t size;
	double bits_left; /* of a ciphertext: says how noisy it is, which its bytes do not */
};

static enum veil_status write_ciphertext(
	struct message *m, const struct veil_bfv_ciphertext *ct, struct veil_error *err)
{
	enum veil_status st = veil_bfv_ciphertext_write(ct, NULL, &m->size, err);

	if (st != VEIL_OK)
		return st;
	m->data = (uint8_t *)malloc(m->size);
	m->bits_left = veil_bfv_bits_left(ct);
	return m->data ? veil_bfv_ciphertext_write(ct, m->data, &m->size, err) : VEIL_E_NOMEM;
}

static enum veil_status write_keys(
	struct message *m, const struct veil_bfv_keys *keys, struct veil_error *err)
{
	enum veil_status st = veil_bfv_keys_write(keys, NULL, &m->size, err);

	if (st != VEIL_OK)
		return st;
	m->data = (uint8_t *)malloc(m->size);
	return m->data ? veil_bfv_keys_write(keys, m->data, &m->size, err) : VEIL_E_NOMEM;
}

/* Who has no secret: bytes in, bytes out. */
static enum veil_status compute(
	struct message *reply, const struct message *key, const struct message *query, struct veil_error *err)
{
	const int64_t threes[COUNT] = {3, 3, 3}, twos[COUNT] = {2, 2, 2};
	struct veil_bfv *bfv = NULL;
	struct veil_bfv_keys *keys = NULL;
	struct veil_bfv_ciphertext *x = NULL, *square = NULL;
	enum veil_status st = veil_bfv_create(&bfv, PARAMS, err);

	if (st == VEIL_OK)
		st = veil_bfv_keys_read(&keys, bfv, NULL, 0, key->data, key->size, err);
	if (st == VEIL_OK)
		st = veil_bfv_ciphertext_read(&x, bfv, query->data, query->size, query->bits_left, err);
	if (st == VEIL_OK)
		st = veil_bfv_ciphertext_read(&square, bfv, query->data, query->size, query->bits_left, err);
	if (st == VEIL_OK)
		st = veil_bfv_multiply(square, x, keys, err);
	if (st == VEIL_OK)
		st = veil_bfv_multiply_plain(square, threes, COUNT, err);
	if (st == VEIL_OK)
		st = veil_bfv_multiply_plain(x, twos, COUNT, err);
	if (st == VEIL_OK)
		st = veil_bfv_sub(square, x, err);
	if (st == VEIL_OK)
		st = write_ciphertext(reply, square, err);
	veil_bfv_ciphertext_destroy(x);
	veil_bfv_ciphertext_destroy(square);
	veil_bfv_keys_destroy(keys);
	veil_bfv_destroy(bfv);
	return st;
}

int main(void)
{
	struct veil_bfv *bfv = NULL;
	struct veil_bfv_secret *secret = NULL;
	struct veil_bfv_keys *keys = NULL;
	struct veil_bfv_ciphertext *x = NULL, *result = NULL;
	struct message key = {NULL, 0, 0}, query = {NULL, 0, 0}, reply = {NULL, 0, 0};
	struct veil_error err = {""};
	int64_t values[COUNT] = {1, 2, 3};
	int failed = 1;

	if (veil_bfv_create(&bfv, PARAMS, &err) != VEIL_OK ||
		veil_bfv_secret_create(&secret, bfv, &err) != VEIL_OK ||
		veil_bfv_keys_create(&keys, secret, NULL, 0, &err) != VEIL_OK ||
		veil_bfv_encrypt(&x, secret, values, COUNT, &err) != VEIL_OK ||
		write_keys(&key, keys, &err) != VEIL_OK || write_ciphertext(&query, x, &err) != VEIL_OK ||
		compute(&reply, &key, &query, &err) != VEIL_OK ||
		veil_bfv_ciphertext_read(&result, bfv, reply.data, reply.size, reply.bits_left, &err) !=
			VEIL_OK ||
		veil_bfv_decrypt(secret, values, COUNT, result, &err) != VEIL_OK)
		goto out;
	printf("%lld %lld %lld\n", (long long)values[0], (long long)values[1], (long long)values[2]);
	failed = 0;
out:
	if (failed)
		fprintf(stderr, "bfv_two_parties: %s\n", err.text);
	free(key.data);
	free(query.data);
	free(reply.data);
	veil_bfv_ciphertext_destroy(x);
	veil_bfv_ciphertext_destroy(result);
	veil_bfv_keys_destroy(keys);
	veil_bfv_secret_destroy(secret);
	veil_bfv_destroy(bfv);
	return failed;
}
