/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/drbg.h"
#include "base/require.h"
#include "fuzz.h"
#include "secret/key_message.h"
#include "wire/he.h"

/* Messages of wire/he.h from a peer, and of secret/key_message.h from a file; the first byte says which. Read
 * or refused, with a sentence, within the scratch; what is read is written back to as many bytes, which read
 * the same. */

#define MAX_BYTES 4096

struct state {
	struct bfv_context *ctx;
	struct drbg *drbg;
	struct arena arena, scratch, secret;
	struct rlwe_evalkey key;
	struct secret_key secret_key;
	struct rlwe_ciphertext ct[2];
	uint8_t out[MAX_BYTES], again[MAX_BYTES];
	struct veil_error err;
};

static const uint32_t elements[] = {3, 15};

static void start(struct state *s)
{
	const struct rlwe_params *set = rlwe_params_find("insecure_n_8_logq_5x18_logt_5");

	REQUIRE(bfv_context_create(&s->ctx, set, true, cpu_features(), NULL) == VEIL_OK);
	s->drbg = drbg_create();
	REQUIRE(s->drbg && arena_init(&s->arena, 1 << 16) == VEIL_OK &&
		arena_init(&s->scratch, wire_he_room(MAX_BYTES, 15)) == VEIL_OK &&
		arena_init_secret(&s->secret, secret_key_room(s->ctx->ring)) == VEIL_OK);
	rlwe_evalkey_init(&s->key, s->ctx->ring, elements, 2, true, &s->arena);
}

static void make_room(struct state *s, unsigned level, enum ring_format format)
{
	for (int i = 0; i < 2; i++)
		rlwe_ciphertext_init(&s->ct[i], s->ctx->ring, 3, level, format,
			arena_take(&s->arena, rlwe_ciphertext_bytes(s->ctx->ring, 3, level)));
}

static enum veil_status read_ciphertext(struct state *s, const uint8_t *data, size_t size)
{
	return wire_ciphertext_read(s->ct, s->drbg, data, size, &s->scratch, &s->err);
}

static size_t write_ciphertext(struct state *s, uint8_t *out)
{
	return wire_ciphertext_write(out, s->ct, NULL, &s->scratch);
}

static enum veil_status read_ciphertexts(struct state *s, const uint8_t *data, size_t size)
{
	return wire_ciphertexts_read(s->ct, 2, s->drbg, data, size, &s->scratch, &s->err);
}

static size_t write_ciphertexts(struct state *s, uint8_t *out)
{
	return wire_ciphertexts_write(out, s->ct, 2, NULL, &s->scratch);
}

static enum veil_status read_plaintext(struct state *s, const uint8_t *data, size_t size)
{
	return wire_plaintext_read(s->ctx, s->ct[0].poly[0].data, data, size, &s->scratch, &s->err);
}

static size_t write_plaintext(struct state *s, uint8_t *out)
{
	return wire_plaintext_write(out, s->ctx, s->ct[0].poly[0].data, &s->scratch);
}

static enum veil_status read_factor(struct state *s, const uint8_t *data, size_t size)
{
	return wire_factor_read(&s->ct[0].poly[0], data, size, &s->scratch, &s->err);
}

static size_t write_factor(struct state *s, uint8_t *out)
{
	return wire_factor_write(out, &s->ct[0].poly[0], &s->scratch);
}

static enum veil_status read_evalkey(struct state *s, const uint8_t *data, size_t size)
{
	return wire_evalkey_read(&s->key, s->drbg, data, size, &s->scratch, &s->err);
}

static size_t write_evalkey(struct state *s, uint8_t *out)
{
	return wire_evalkey_write(out, &s->key, &s->scratch);
}

static struct wire_key_config config;

static enum veil_status read_params(struct state *s, const uint8_t *data, size_t size)
{
	return wire_params_read(&config.set, true, data, size, &s->scratch, &s->err);
}

static size_t write_params(struct state *s, uint8_t *out)
{
	return wire_params_write(out, &config.set.params, &s->scratch);
}

static enum veil_status read_key_config(struct state *s, const uint8_t *data, size_t size)
{
	return wire_key_config_read(&config, true, data, size, &s->scratch, &s->err);
}

static size_t write_key_config(struct state *s, uint8_t *out)
{
	return wire_key_config_write(out, &config.set.params, config.galois_elements, config.galois_count,
		config.has_relin, &s->scratch);
}

static enum veil_status read_secret_key(struct state *s, const uint8_t *data, size_t size)
{
	arena_reset(&s->secret);
	return secret_key_message_read(&s->secret_key, s->ctx->ring, data, size, &s->secret, &s->err);
}

static size_t write_secret_key(struct state *s, uint8_t *out)
{
	secret_key_message_write(out, &s->secret_key);
	return secret_key_message_bytes(s->ctx->ring);
}

static const struct {
	enum veil_status (*read)(struct state *s, const uint8_t *data, size_t size);
	size_t (*write)(struct state *s, uint8_t *out);
	bool skips; /* full ciphertexts may come with skipped bits or without their list: other bytes go back
		     */
	unsigned level;
	enum ring_format format;
} kinds[] = {
	{read_ciphertext, write_ciphertext, true, 4, RING_COEFFICIENT},
	{read_ciphertext, write_ciphertext, true, 5, RING_EVALUATION},
	{read_ciphertext, write_ciphertext, true, 1, RING_COEFFICIENT},
	{read_ciphertexts, write_ciphertexts, true, 4, RING_COEFFICIENT},
	{read_plaintext, write_plaintext, false, 4, RING_COEFFICIENT},
	{read_factor, write_factor, false, 4, RING_EVALUATION},
	{read_evalkey, write_evalkey, false, 1, RING_COEFFICIENT},
	{read_params, write_params, false, 1, RING_COEFFICIENT},
	{read_key_config, write_key_config, false, 1, RING_COEFFICIENT},
	{read_secret_key, write_secret_key, false, 1, RING_COEFFICIENT},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct state s;
	unsigned kind;
	size_t mark, n;

	if (size < 1 || size > MAX_BYTES)
		return 0;
	if (!s.ctx)
		start(&s);
	kind = data[0] % (sizeof kinds / sizeof *kinds);
	mark = arena_mark(&s.arena);
	make_room(&s, kinds[kind].level, kinds[kind].format);
	s.err.text[0] = 0;
	if (kinds[kind].read(&s, data + 1, size - 1) == VEIL_OK) {
		n = kinds[kind].write(&s, s.out);
		REQUIRE(n <= MAX_BYTES && (kinds[kind].skips || n == size - 1));
		REQUIRE(kinds[kind].read(&s, s.out, n) == VEIL_OK);
		REQUIRE(kinds[kind].write(&s, s.again) == n && memcmp(s.again, s.out, n) == 0);
	} else {
		REQUIRE(s.err.text[0]);
	}
	REQUIRE(s.scratch.used == 0);
	arena_release(&s.arena, mark);
	return 0;
}
