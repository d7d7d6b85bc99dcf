/* SPDX-License-Identifier: Apache-2.0 */
#include "he_fixture.h"

/* Ciphertexts as no writer makes them. */

struct crafted {
	struct he_fixture f;
	struct rlwe_ciphertext ct;
	uint8_t polys[2000]; /* zeros */
	uint8_t seed[33]; /* one too many, for a test that sends it */
};

/* N = 8: a polynomial of a fresh ciphertext has 4 x 18 bytes. */
#define POLY (4 * 18)

static void start(struct crafted *c)
{
	memset(c, 0, sizeof *c);
	he_start(&c->f, "insecure_n_8_logq_5x18_logt_5");
	c->ct = he_room(&c->f, 3, 4, RING_COEFFICIENT);
	c->polys[0] = 2;
}

static void refuse_body(struct crafted *c, const uint8_t *body, size_t size, const char *says)
{
	struct veil_error err = {{0}};
	struct rlwe_ciphertext ct = c->ct;

	cr_assert_eq(wire_ciphertext_read(&ct, c->f.drbg, body, size, &c->f.scratch, &err), VEIL_E_MALFORMED,
		"%s", says);
	cr_assert_not_null(strstr(err.text, says), "'%s' lacks '%s'", err.text, says);
	cr_assert_eq(c->f.scratch.used, 0);
}

/* A ciphertext whose oneof is this message. */
static size_t wrap(uint8_t *out, unsigned number, const struct craft_field *fields, size_t count)
{
	uint8_t inner[4096];
	struct craft_field outer = {number, CRAFT_BYTES, 0, 0, inner};

	outer.size = craft_message(inner, sizeof inner, fields, count);
	return craft_message(out, 8192, &outer, 1);
}

static void refuse(
	struct crafted *c, unsigned number, const struct craft_field *fields, size_t count, const char *says)
{
	uint8_t body[8192];

	refuse_body(c, body, wrap(body, number, fields, count), says);
}

static void accept(struct crafted *c, unsigned number, const struct craft_field *fields, size_t count)
{
	uint8_t body[8192];
	struct veil_error err = {{0}};
	struct rlwe_ciphertext ct = c->ct;

	cr_assert_eq(wire_ciphertext_read(
			     &ct, c->f.drbg, body, wrap(body, number, fields, count), &c->f.scratch, &err),
		VEIL_OK, "%s", err.text);
}

Test(he_refused, seeded_ciphertexts)
{
	struct crafted c;

	start(&c);
	c.polys[0] = 0;
	{
		struct craft_field m[] = {{1, CRAFT_BYTES, 0, POLY, c.polys}, {2, CRAFT_BYTES, 0, 32, c.seed},
			{3, CRAFT_BYTES, 0, 1, c.seed}};

		accept(&c, 1, m, 2);
		refuse(&c, 1, m, 1, "SerializedSeededCiphertext: seed has 0 bytes instead of 32");
		refuse(&c, 1, m + 1, 1, "SerializedSeededCiphertext: poly0 has 0 bytes instead of 72");
		refuse(&c, 1, m, 3, "SerializedSeededCiphertext: unknown field 3");
		refuse(&c, 3, m, 2, "SerializedCiphertext: unknown field 3");
		m[0].size = POLY - 1;
		refuse(&c, 1, m, 2, "poly0 has 71 bytes instead of 72");
		m[0].size = POLY + 2; /* with the count of a full one */
		refuse(&c, 1, m, 2, "poly0 has 74 bytes instead of 72");
		m[0].size = POLY;
		m[1].size = 33;
		refuse(&c, 1, m, 2, "seed has 33 bytes instead of 32");
		m[1].size = 32;
		m[2] = m[1];
		refuse(&c, 1, m, 3, "occurs twice");
		/* 18 bits of the first residue of each prime: q, and then one below */
		for (unsigned i = 0; i < 4; i++) {
			uint64_t q = c.f.ring->primes[i].p.q;
			char says[100];

			snprintf(says, sizeof says, "a residue in poly0 is not below q[%u] = %lu", i, q);
			for (uint64_t v = q; v + 1 >= q; v--) {
				memset(c.polys, 0, POLY);
				c.polys[18 * i] = (uint8_t)(v >> 10);
				c.polys[18 * i + 1] = (uint8_t)(v >> 2);
				c.polys[18 * i + 2] = (uint8_t)(v << 6);
				if (v == q)
					refuse(&c, 1, m, 2, says);
				else
					accept(&c, 1, m, 2);
			}
		}
	}
	he_stop(&c.f);
}

Test(he_refused, full_ciphertexts)
{
	struct crafted c;
	uint8_t skip[] = {0, 0, 0, 0};
	struct craft_field m[] = {{1, CRAFT_BYTES, 0, 2 + 2 * POLY, NULL}, {2, CRAFT_BYTES, 0, 2, skip},
		{3, CRAFT_VARINT, 1, 0, NULL}};

	start(&c);
	m[0].data = c.polys;
	accept(&c, 2, m, 3);
	m[1].size = 0;
	refuse(&c, 2, m, 3, "minimal form"); /* an empty list is left out */
	m[1] = m[2];
	accept(&c, 2, m, 2);
	/* two skips, not packed: as many bytes as packed ones with their length */
	{
		struct craft_field loose[] = {m[0], {2, CRAFT_VARINT, 0, 0, NULL},
			{2, CRAFT_VARINT, 0, 0, NULL}, {3, CRAFT_VARINT, 1, 0, NULL}};
		struct craft_field disordered[] = {loose[3], m[0]};

		refuse(&c, 2, loose, 4, "minimal form");
		refuse(&c, 2, disordered, 2, "out of order");
	}
	m[1] = (struct craft_field){2, CRAFT_BYTES, 0, 2, skip};
	m[2].value = 2;
	refuse(&c, 2, m, 3, "SerializedFullCiphertext: correction_factor is 2 instead of 1");
	refuse(&c, 2, m, 2, "SerializedFullCiphertext: correction_factor is 0 instead of 1");
	m[2].value = 1;
	m[1].size = 1;
	refuse(&c, 2, m, 3, "skip_lsbs has 1 entries for 2 polynomials");
	m[1].size = 3;
	refuse(&c, 2, m, 3, "skip_lsbs has 3 entries for 2 polynomials");
	m[1].size = 2;
	skip[1] = 1;
	refuse(&c, 2, m, 3, "skip_lsbs[1] = 1 is not below 1, what this level and format allow");
	skip[1] = 0;
	for (unsigned count = 0; count < 300; count++) {
		char says[100];

		c.polys[0] = (uint8_t)count;
		c.polys[1] = (uint8_t)(count >> 8);
		snprintf(says, sizeof says, "polys has %u polynomials instead of 2 to 3", count);
		m[0].size = 2 + (count < 9 ? count : 9) * POLY;
		m[1].size = count == 3 ? 3 : 2;
		if (count == 2 || count == 3)
			accept(&c, 2, m, 3);
		else
			refuse(&c, 2, m, 3, says);
	}
	c.polys[0] = 2;
	c.polys[1] = 0;
	for (size_t size = 0; size < 2; size++) {
		m[0].size = size;
		refuse(&c, 2, size ? m : m + 1, size ? 3 : 2, "bytes, no count");
	}
	m[0].size = 2 + 2 * POLY + 1;
	refuse(&c, 2, m, 3, "polys has 147 bytes instead of 146");
	m[0].size = 2 + 2 * POLY;
	memset(c.polys + 2 + POLY + 3 * 18, 0xff, 3);
	refuse(&c, 2, m, 3, "SerializedFullCiphertext: a residue in polys is not below q[3] = 131489");
	he_stop(&c.f);
}

Test(he_refused, replies)
{
	struct crafted c;
	uint8_t skip[] = {9, 5};
	struct craft_field m[] = {{1, CRAFT_BYTES, 0, 2 + 9 + 13, NULL}, {2, CRAFT_BYTES, 0, 2, skip},
		{3, CRAFT_VARINT, 1, 0, NULL}};

	start(&c);
	m[0].data = c.polys;
	c.ct = he_room(&c.f, 2, 1, RING_COEFFICIENT);
	accept(&c, 2, m, 3);
	skip[0] = 17;
	m[0].size = 2 + 1 + 13;
	accept(&c, 2, m, 3);
	skip[0] = 18;
	refuse(&c, 2, m, 3, "skip_lsbs[0] = 18 is not below 18");
	skip[0] = 10;
	refuse(&c, 2, m, 3, "polys has 16 bytes instead of 23");
	skip[0] = 9;
	m[0].size = 2 + 9 + 13;
	c.ct = he_room(&c.f, 2, 1, RING_EVALUATION);
	refuse(&c, 2, m, 3, "skip_lsbs[0] = 9 is not below 1, what this level and format allow");
	/* 9 bits of ones are 511 << 9, beyond 131249 */
	c.ct = he_room(&c.f, 2, 1, RING_COEFFICIENT);
	memset(c.polys + 2, 0xff, 9);
	refuse(&c, 2, m, 3, "a residue in polys is not below q[0] = 131249");
	he_stop(&c.f);
}

Test(he_refused, nothing_and_too_much)
{
	struct crafted c;
	uint8_t body[60000];

	start(&c);
	refuse_body(&c, body, 0, "SerializedCiphertext: neither seeded nor full");
	body[0] = 0x0a, body[1] = 0;
	refuse_body(&c, body, 2, "poly0 has 0 bytes");
	body[0] = 0x12;
	refuse_body(&c, body, 2, "correction_factor is 0");
	/* thousands of unknown fields do not fit in what wire_he_room gives */
	for (size_t i = 0; i < sizeof body; i += 2)
		body[i] = 0x78, body[i + 1] = 1;
	arena_clear(&c.f.scratch);
	cr_assert_eq(arena_init(&c.f.scratch, wire_he_room(sizeof body, 1)), VEIL_OK);
	refuse_body(&c, body, sizeof body, "not a protobuf message SerializedCiphertext");
	he_stop(&c.f);
}

/* One message of every kind, read with what it was written for. */
static enum veil_status read_kind(struct crafted *c, int kind, struct rlwe_evalkey *key, const uint8_t *body,
	size_t size, struct veil_error *err)
{
	struct he_fixture *f = &c->f;
	struct rlwe_ciphertext ct = c->ct;
	struct wire_key_config config;

	switch (kind) {
	case 0:
	case 1:
		return wire_ciphertext_read(&ct, f->drbg, body, size, &f->scratch, err);
	case 2:
		return wire_plaintext_read(f->ctx, ct.poly[0].data, body, size, &f->scratch, err);
	case 3:
		return wire_factor_read(&ct.poly[0], body, size, &f->scratch, err);
	case 4:
		return wire_evalkey_read(key, f->drbg, body, size, &f->scratch, err);
	case 5:
		return wire_params_read(&config.set, true, body, size, &f->scratch, err);
	default:
		return wire_key_config_read(&config, true, body, size, &f->scratch, err);
	}
}

static size_t write_kind(struct crafted *c, int kind, const struct rlwe_evalkey *key)
{
	static const uint32_t elements[] = {3, 15};
	struct he_fixture *f = &c->f;
	struct rlwe_ciphertext ct =
		kind ? he_full(f, 3, 4, RING_COEFFICIENT) : he_seeded(f, 4, RING_COEFFICIENT);

	switch (kind) {
	case 0:
	case 1:
		return wire_ciphertext_write(f->body, &ct, NULL, &f->scratch);
	case 2:
		memset(ct.poly[0].data, 0, bfv_plaintext_bytes(f->ctx));
		return wire_plaintext_write(f->body, f->ctx, ct.poly[0].data, &f->scratch);
	case 3:
		return wire_factor_write(f->body, &ct.poly[0], &f->scratch);
	case 4:
		return wire_evalkey_write(f->body, key, &f->scratch);
	case 5:
		return wire_params_write(f->body, f->ctx->params, &f->scratch);
	default:
		return wire_key_config_write(f->body, f->ctx->params, elements, 2, true, &f->scratch);
	}
}

Test(he_refused, every_message_that_is_cut_off_or_goes_on)
{
	static const uint32_t elements[] = {3, 15};
	struct crafted c;
	struct rlwe_evalkey key;

	start(&c);
	key = he_evalkey(&c.f, elements, 2, true, true);
	for (int kind = 0; kind < 7; kind++) {
		const size_t size = write_kind(&c, kind, &key);
		uint8_t *cut;
		struct veil_error err;

		cr_assert_eq(
			read_kind(&c, kind, &key, c.f.body, size, &err), VEIL_OK, "%d: %s", kind, err.text);
		for (size_t n = 0; n < size; n++) {
			/* at the end of its block: a sanitizer sees what is read past it. Whole fields left
			 * out at the end of EvaluationKeyConfig leave another one. */
			bool shorter = kind == 6 && (n == size - 2 || n == size - 6);

			cut = malloc(n + 1);
			memcpy(cut + 1, c.f.body, n);
			err.text[0] = 0;
			cr_assert_eq(read_kind(&c, kind, &key, cut + 1, n, &err) == VEIL_OK, shorter,
				"kind %d cut at %zu of %zu", kind, n, size);
			cr_assert(shorter || err.text[0]);
			free(cut);
		}
		c.f.body[size] = 0;
		cr_assert_neq(read_kind(&c, kind, &key, c.f.body, size + 1, &err), VEIL_OK);
	}
	he_stop(&c.f);
}
