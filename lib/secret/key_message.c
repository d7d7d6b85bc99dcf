/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/key_message.h"

#include "base/bytes.h"
#include "base/ct.h"
#include "base/error.h"
#include "base/require.h"
#include "ring/packed.h"

#define TAG (1 << 3 | 2) /* field 1, bytes */
#define COUNT_BYTES 2
#define MAX_HEAD (1 + 5 + COUNT_BYTES)

static size_t polys_bytes(const struct ring *ring)
{
	return COUNT_BYTES + ring_packed_bytes(ring, ring->count, 0);
}

/* All that comes before the residues. */
static size_t make_head(uint8_t out[MAX_HEAD], const struct ring *ring)
{
	struct writer w;
	size_t size = polys_bytes(ring);

	writer_init(&w, out, MAX_HEAD);
	writer_u8(&w, TAG);
	for (; size > 127; size >>= 7)
		writer_u8(&w, (uint8_t)(size | 128));
	writer_u8(&w, (uint8_t)size);
	writer_u16(&w, 1);
	return w.at;
}

size_t secret_key_message_bytes(const struct ring *ring)
{
	uint8_t head[MAX_HEAD];

	return make_head(head, ring) + polys_bytes(ring) - COUNT_BYTES;
}

void secret_key_message_write(uint8_t *out, const struct secret_key *key)
{
	out += make_head(out, key->ring);
	for (unsigned i = 0; i < key->ring->count; i++) {
		const struct ring_prime *r = &key->ring->primes[i];

		r->k.pack(out, key->s[i], r->n, r->p.bits);
		out += r->n / 8 * r->p.bits;
	}
}

enum veil_status secret_key_message_read(struct secret_key *key, const struct ring *ring, const uint8_t *data,
	size_t size, struct arena *arena, struct veil_error *err)
{
	const size_t want = secret_key_message_bytes(ring), mark = arena_mark(arena);
	uint8_t head[MAX_HEAD];
	size_t head_size = make_head(head, ring);

	REQUIRE(arena->secret);
	*key = (struct secret_key){0};
	if (size != want)
		return error_set(
			err, VEIL_E_MALFORMED, "SerializedSecretKey: %zu bytes instead of %zu", size, want);
	for (size_t i = 0; i < head_size; i++)
		if (data[i] != head[i])
			return error_set(err, VEIL_E_MALFORMED,
				"SerializedSecretKey: byte %zu is not that of one polynomial of %u primes", i,
				ring->count);
	key->ring = ring;
	data += head_size;
	for (unsigned i = 0; i < ring->count; i++) {
		const struct ring_prime *r = &ring->primes[i];
		bool good;

		key->s[i] = arena_take(arena, ring_prime_bytes(r));
		good = r->k.unpack(key->s[i], data, r->n, r->p.bits, 0, &r->p);
		ct_unpoison(&good, sizeof good);
		if (!good) {
			arena_release(arena, mark);
			*key = (struct secret_key){0};
			return error_set(err, VEIL_E_MALFORMED,
				"SerializedSecretKey: a residue in polys is not below the modulus %u", i);
		}
		data += r->n / 8 * r->p.bits;
	}
	return VEIL_OK;
}
