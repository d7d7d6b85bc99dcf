/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/he.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "ring/packed.h"
#include "wire/he_inside.h"

#define COUNT_BYTES 2 /* before the polynomials of a full ciphertext */
#define CORRECTION_FACTOR 1 /* that of BFV */

size_t wire_he_finish(uint8_t *out, const ProtobufCMessage *m, struct arena *scratch, size_t mark)
{
	size_t size = protobuf_c_message_get_packed_size(m);

	if (out)
		REQUIRE(protobuf_c_message_pack(m, out) == size);
	arena_release(scratch, mark);
	return size;
}

enum veil_status wire_he_start(ProtobufCMessage **m, const ProtobufCMessageDescriptor *type,
	struct arena *scratch, const void *data, size_t size, struct veil_error *err)
{
	enum veil_status st = wire_unpack(m, type, scratch, data, size, err);

	return st == VEIL_OK ? wire_check_canonical(*m, data, size, err) : st;
}

static enum veil_status not_below(
	const char *message, const char *field, const struct ring_poly *a, unsigned i, struct veil_error *err)
{
	return error_set(err, VEIL_E_MALFORMED, "%s: a residue in %s is not below q[%u] = %" PRIu64, message,
		field, i, a->ring->primes[i].p.q);
}

/* --- ciphertexts */

struct made_ciphertext {
	He__SerializedCiphertext m;
	He__SerializedSeededCiphertext seeded;
	He__SerializedFullCiphertext full;
	uint32_t skip[RLWE_MAX_POLYS];
};

static void make_seeded(
	struct made_ciphertext *made, const struct rlwe_ciphertext *ct, bool pack, struct arena *scratch)
{
	const struct ring_poly *c0 = &ct->poly[0];
	const size_t size = ring_packed_bytes(c0->ring, c0->level, 0);
	uint8_t *bytes = pack ? arena_take(scratch, size) : NULL;

	if (pack)
		ring_pack(bytes, c0, 0);
	he__serialized_seeded_ciphertext__init(&made->seeded);
	made->seeded.poly0 = wire_view(bytes, size);
	made->seeded.seed = wire_view(ct->seed, sizeof ct->seed);
	made->m.seeded = &made->seeded;
	made->m.serialized_ciphertext_type_case =
		HE__SERIALIZED_CIPHERTEXT__SERIALIZED_CIPHERTEXT_TYPE_SEEDED;
}

static bool may_skip(const struct rlwe_ciphertext *ct)
{
	return rlwe_ciphertext_level(ct) == 1 && rlwe_ciphertext_format(ct) == RING_COEFFICIENT;
}

/* Of the polys field. */
static size_t full_bytes(const struct rlwe_ciphertext *ct, const uint32_t *skip)
{
	size_t size = COUNT_BYTES;

	for (unsigned i = 0; i < ct->count; i++)
		size += ring_packed_bytes(ct->poly[i].ring, rlwe_ciphertext_level(ct), skip[i]);
	return size;
}

static void make_full(struct made_ciphertext *made, const struct rlwe_ciphertext *ct, const unsigned *skip,
	bool pack, struct arena *scratch)
{
	uint8_t *bytes = NULL, *at;
	size_t size;

	for (unsigned i = 0; i < ct->count; i++)
		made->skip[i] = skip ? skip[i] : 0;
	size = full_bytes(ct, made->skip);
	if (pack) {
		bytes = arena_take(scratch, size);
		bytes[0] = (uint8_t)ct->count;
		bytes[1] = 0;
		at = bytes + COUNT_BYTES;
		for (unsigned i = 0; i < ct->count; i++)
			at = ring_pack(at, &ct->poly[i], made->skip[i]);
	}
	he__serialized_full_ciphertext__init(&made->full);
	made->full.polys = wire_view(bytes, size);
	made->full.n_skip_lsbs = ct->count;
	made->full.skip_lsbs = made->skip;
	made->full.correction_factor = CORRECTION_FACTOR;
	made->m.full = &made->full;
	made->m.serialized_ciphertext_type_case = HE__SERIALIZED_CIPHERTEXT__SERIALIZED_CIPHERTEXT_TYPE_FULL;
}

static He__SerializedCiphertext *make_ciphertext(
	const struct rlwe_ciphertext *ct, const unsigned *skip, bool pack, struct arena *scratch)
{
	struct made_ciphertext *made = arena_take(scratch, sizeof *made);

	REQUIRE(!skip || may_skip(ct));
	he__serialized_ciphertext__init(&made->m);
	if (ct->seeded)
		make_seeded(made, ct, pack, scratch);
	else
		make_full(made, ct, skip, pack, scratch);
	return &made->m;
}

He__SerializedCiphertextVec *wire_he_make_ciphertexts(const struct rlwe_ciphertext *cts, size_t count,
	const unsigned *skip, bool pack, struct arena *scratch)
{
	He__SerializedCiphertextVec *vec = arena_take(scratch, sizeof *vec);

	he__serialized_ciphertext_vec__init(vec);
	vec->n_ciphertexts = count;
	vec->ciphertexts = arena_take(scratch, count * sizeof *vec->ciphertexts);
	for (size_t i = 0; i < count; i++)
		vec->ciphertexts[i] = make_ciphertext(&cts[i], skip, pack, scratch);
	return vec;
}

enum veil_status wire_he_take_seeded(struct rlwe_ciphertext *ct, struct drbg *drbg,
	const He__SerializedSeededCiphertext *m, struct veil_error *err)
{
	struct ring_poly *c0 = &ct->poly[0];
	const char *name = m->base.descriptor->short_name;
	enum veil_status st =
		wire_want_size(name, "poly0", m->poly0.len, ring_packed_bytes(c0->ring, c0->level, 0), err);
	unsigned bad;

	if (st == VEIL_OK)
		st = wire_want_size(name, "seed", m->seed.len, RING_SEED_BYTES, err);
	if (st != VEIL_OK)
		return st;
	if (!ring_unpack(c0, m->poly0.data, 0, &bad))
		return not_below(name, "poly0", c0, bad, err);
	ct->count = 2;
	rlwe_ciphertext_expand(ct, m->seed.data, drbg);
	return VEIL_OK;
}

/* The bits that each polynomial leaves out. */
static enum veil_status take_skip(uint32_t skip[RLWE_MAX_POLYS], const struct rlwe_ciphertext *ct,
	const He__SerializedFullCiphertext *m, struct veil_error *err)
{
	const char *name = m->base.descriptor->short_name;
	const unsigned bits = may_skip(ct) ? ct->poly[0].ring->primes[0].p.bits : 1;

	if (m->n_skip_lsbs != 0 && m->n_skip_lsbs != ct->count)
		return error_set(err, VEIL_E_MALFORMED, "%s: skip_lsbs has %zu entries for %u polynomials",
			name, m->n_skip_lsbs, ct->count);
	for (unsigned i = 0; i < ct->count; i++) {
		skip[i] = m->n_skip_lsbs ? m->skip_lsbs[i] : 0;
		if (skip[i] >= bits)
			return error_set(err, VEIL_E_MALFORMED,
				"%s: skip_lsbs[%u] = %" PRIu32
				" is not below %u, what this level and format allow",
				name, i, skip[i], bits);
	}
	return VEIL_OK;
}

static enum veil_status take_full(
	struct rlwe_ciphertext *ct, const He__SerializedFullCiphertext *m, struct veil_error *err)
{
	const char *name = m->base.descriptor->short_name;
	uint32_t skip[RLWE_MAX_POLYS];
	const uint8_t *at = m->polys.data;
	unsigned count, bad;
	enum veil_status st;

	if (m->correction_factor != CORRECTION_FACTOR)
		return error_set(err, VEIL_E_MALFORMED, "%s: correction_factor is %" PRIu64 " instead of %d",
			name, m->correction_factor, CORRECTION_FACTOR);
	if (m->polys.len < COUNT_BYTES)
		return error_set(
			err, VEIL_E_MALFORMED, "%s: polys has %zu bytes, no count", name, m->polys.len);
	count = at[0] | (unsigned)at[1] << 8;
	if (count < 2 || count > ct->count)
		return error_set(err, VEIL_E_MALFORMED, "%s: polys has %u polynomials instead of 2 to %u",
			name, count, ct->count);
	ct->count = count;
	st = take_skip(skip, ct, m, err);
	if (st == VEIL_OK)
		st = wire_want_size(name, "polys", m->polys.len, full_bytes(ct, skip), err);
	if (st != VEIL_OK)
		return st;
	at += COUNT_BYTES;
	for (unsigned i = 0; i < count; i++) {
		struct ring_poly *c = &ct->poly[i];

		if (!ring_unpack(c, at, skip[i], &bad))
			return not_below(name, "polys", c, bad, err);
		at += ring_packed_bytes(c->ring, c->level, skip[i]);
	}
	ct->seeded = false;
	return VEIL_OK;
}

static enum veil_status take_ciphertext(struct rlwe_ciphertext *ct, struct drbg *drbg,
	const He__SerializedCiphertext *m, struct veil_error *err)
{
	switch (m->serialized_ciphertext_type_case) {
	case HE__SERIALIZED_CIPHERTEXT__SERIALIZED_CIPHERTEXT_TYPE_SEEDED:
		return wire_he_take_seeded(ct, drbg, m->seeded, err);
	case HE__SERIALIZED_CIPHERTEXT__SERIALIZED_CIPHERTEXT_TYPE_FULL:
		return take_full(ct, m->full, err);
	default:
		return error_set(
			err, VEIL_E_MALFORMED, "%s: neither seeded nor full", m->base.descriptor->short_name);
	}
}

size_t wire_ciphertext_write(uint8_t *out, const struct rlwe_ciphertext *ct,
	const unsigned skip[RLWE_MAX_POLYS], struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);

	return wire_he_finish(out, &make_ciphertext(ct, skip, out != NULL, scratch)->base, scratch, mark);
}

enum veil_status wire_ciphertext_read(struct rlwe_ciphertext *ct, struct drbg *drbg, const void *data,
	size_t size, struct arena *scratch, struct veil_error *err)
{
	const size_t mark = arena_mark(scratch);
	ProtobufCMessage *m;
	enum veil_status st =
		wire_he_start(&m, &he__serialized_ciphertext__descriptor, scratch, data, size, err);

	if (st == VEIL_OK)
		st = take_ciphertext(ct, drbg, (const He__SerializedCiphertext *)m, err);
	arena_release(scratch, mark);
	return st;
}

size_t wire_ciphertexts_write(uint8_t *out, const struct rlwe_ciphertext *cts, size_t count,
	const unsigned skip[RLWE_MAX_POLYS], struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);

	return wire_he_finish(
		out, &wire_he_make_ciphertexts(cts, count, skip, out != NULL, scratch)->base, scratch, mark);
}

enum veil_status wire_ciphertexts_read(struct rlwe_ciphertext *cts, size_t count, struct drbg *drbg,
	const void *data, size_t size, struct arena *scratch, struct veil_error *err)
{
	const size_t mark = arena_mark(scratch);
	const He__SerializedCiphertextVec *vec = NULL;
	ProtobufCMessage *m;
	enum veil_status st =
		wire_he_start(&m, &he__serialized_ciphertext_vec__descriptor, scratch, data, size, err);

	if (st == VEIL_OK) {
		vec = (const He__SerializedCiphertextVec *)m;
		if (vec->n_ciphertexts != count)
			st = error_set(err, VEIL_E_MALFORMED, "%s: %zu ciphertexts instead of %zu",
				m->descriptor->short_name, vec->n_ciphertexts, count);
	}
	for (size_t i = 0; i < count && st == VEIL_OK; i++)
		st = take_ciphertext(&cts[i], drbg, vec->ciphertexts[i], err);
	arena_release(scratch, mark);
	return st;
}

/* --- plaintexts */

static size_t write_plaintext(
	uint8_t *out, const uint8_t *bytes, size_t size, struct arena *scratch, size_t mark)
{
	He__SerializedPlaintext m = HE__SERIALIZED_PLAINTEXT__INIT;

	m.poly = wire_view(bytes, size);
	return wire_he_finish(out, &m.base, scratch, mark);
}

static enum veil_status read_plaintext(const He__SerializedPlaintext **out, const void *data, size_t size,
	size_t want, struct arena *scratch, struct veil_error *err)
{
	ProtobufCMessage *m;
	enum veil_status st =
		wire_he_start(&m, &he__serialized_plaintext__descriptor, scratch, data, size, err);

	if (st != VEIL_OK)
		return st;
	*out = (const He__SerializedPlaintext *)m;
	return wire_want_size(m->descriptor->short_name, "poly", (*out)->poly.len, want, err);
}

size_t wire_plaintext_write(
	uint8_t *out, const struct bfv_context *ctx, const void *plaintext, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), size = ctx->ring->n / 8 * ctx->t.bits;
	uint8_t *bytes = out ? arena_take(scratch, size) : NULL;

	if (out)
		ctx->t_kernels.pack(bytes, plaintext, ctx->ring->n, ctx->t.bits);
	return write_plaintext(out, bytes, size, scratch, mark);
}

enum veil_status wire_plaintext_read(const struct bfv_context *ctx, void *plaintext, const void *data,
	size_t size, struct arena *scratch, struct veil_error *err)
{
	const size_t mark = arena_mark(scratch), n = ctx->ring->n;
	const He__SerializedPlaintext *m;
	enum veil_status st = read_plaintext(&m, data, size, n / 8 * ctx->t.bits, scratch, err);

	if (st == VEIL_OK && !ctx->t_kernels.unpack(plaintext, m->poly.data, n, ctx->t.bits, 0, &ctx->t))
		st = error_set(err, VEIL_E_MALFORMED,
			"SerializedPlaintext: a coefficient in poly is not below t = %" PRIu64, ctx->t.q);
	arena_release(scratch, mark);
	return st;
}

size_t wire_factor_write(uint8_t *out, const struct ring_poly *factor, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch), size = ring_packed_bytes(factor->ring, factor->level, 0);
	uint8_t *bytes = out ? arena_take(scratch, size) : NULL;

	if (out)
		ring_pack(bytes, factor, 0);
	return write_plaintext(out, bytes, size, scratch, mark);
}

enum veil_status wire_factor_read(struct ring_poly *factor, const void *data, size_t size,
	struct arena *scratch, struct veil_error *err)
{
	const size_t mark = arena_mark(scratch);
	const He__SerializedPlaintext *m;
	enum veil_status st = read_plaintext(
		&m, data, size, ring_packed_bytes(factor->ring, factor->level, 0), scratch, err);
	unsigned bad;

	if (st == VEIL_OK && !ring_unpack(factor, m->poly.data, 0, &bad))
		st = not_below("SerializedPlaintext", "poly", factor, bad, err);
	factor->format = RING_EVALUATION;
	arena_release(scratch, mark);
	return st;
}
