/* SPDX-License-Identifier: Apache-2.0 */
#include "base/drbg.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/ct.h"
#include "base/require.h"

#define BLOCK 16
#define MAX_REQUEST 65536 /* SP 800-90A, table 3 */

struct drbg {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx; /* AES-128-CTR with the key K, its counter at V + 1 */
	size_t used; /* of the stream in refill */
	uint8_t refill[DRBG_REFILL_BYTES + DRBG_SEED_BYTES]; /* and the next state */
};

struct drbg *drbg_create(void)
{
	struct drbg *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->cipher = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL);
	d->ctx = EVP_CIPHER_CTX_new();
	if (!d->cipher || !d->ctx || !EVP_EncryptInit_ex(d->ctx, d->cipher, NULL, NULL, NULL)) {
		drbg_destroy(d);
		return NULL;
	}
	return d;
}

void drbg_destroy(struct drbg *d)
{
	if (!d)
		return;
	EVP_CIPHER_CTX_free(d->ctx);
	EVP_CIPHER_free(d->cipher);
	free(d);
}

/* K and V, one after the other, as the state. */
static void set_state(struct drbg *d, const uint8_t key_v[DRBG_SEED_BYTES])
{
	uint8_t counter[BLOCK];

	memcpy(counter, key_v + BLOCK, BLOCK);
	for (int i = BLOCK; i-- > 0 && ++counter[i] == 0;)
		;
	REQUIRE(EVP_EncryptInit_ex(d->ctx, NULL, NULL, key_v, counter));
}

/* `out` ^= AES(K, V + 1) || AES(K, V + 2) ..., V moves on; size is a multiple of the block, or the last one
 * before the key changes. */
static void add_blocks(struct drbg *d, uint8_t *out, size_t size)
{
	int done = 0;

	REQUIRE(EVP_EncryptUpdate(d->ctx, out, &done, out, (int)size) && done == (int)size);
}

void drbg_update(struct drbg *d, const uint8_t input[DRBG_SEED_BYTES])
{
	uint8_t key_v[DRBG_SEED_BYTES];

	memcpy(key_v, input, sizeof key_v);
	add_blocks(d, key_v, sizeof key_v);
	set_state(d, key_v);
}

void drbg_seed(struct drbg *d, const uint8_t seed[DRBG_SEED_BYTES])
{
	static const uint8_t zeros[DRBG_SEED_BYTES];

	set_state(d, zeros);
	drbg_update(d, seed);
	d->used = DRBG_REFILL_BYTES;
}

void drbg_generate(struct drbg *d, void *out, size_t size, const uint8_t input[DRBG_SEED_BYTES])
{
	static const uint8_t zeros[DRBG_SEED_BYTES];
	uint8_t rest[BLOCK] = {0};

	REQUIRE(size > 0 && size <= MAX_REQUEST);
	if (input)
		drbg_update(d, input);
	memset(out, 0, size);
	add_blocks(d, out, size);
	if (size % BLOCK) /* what is left of a block is not used: V counts blocks */
		add_blocks(d, rest, BLOCK - size % BLOCK);
	drbg_update(d, input ? input : zeros);
	ct_unpoison(out, size); /* MSan does not see OpenSSL write */
}

/* Generate as one run of the counter: after the output come the two blocks that Update makes the state of. */
static void refill(struct drbg *d)
{
	memset(d->refill, 0, sizeof d->refill);
	add_blocks(d, d->refill, sizeof d->refill);
	set_state(d, d->refill + DRBG_REFILL_BYTES);
	ct_unpoison(d->refill, sizeof d->refill);
	d->used = 0;
}

const uint8_t *drbg_next(struct drbg *d, size_t *size)
{
	const uint8_t *at;

	REQUIRE(*size > 0);
	if (d->used == DRBG_REFILL_BYTES)
		refill(d);
	if (*size > DRBG_REFILL_BYTES - d->used)
		*size = DRBG_REFILL_BYTES - d->used;
	at = d->refill + d->used;
	d->used += *size;
	return at;
}
