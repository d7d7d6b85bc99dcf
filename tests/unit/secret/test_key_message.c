/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/key_message.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ring/packed.h"
#include "rlwe/params.h"
#include "support/test.h"

struct fixture {
	struct ring *ring;
	struct secret_key key;
	struct arena arena;
	uint8_t *message;
	size_t size;
};

static void start(struct fixture *f, const char *set)
{
	const struct rlwe_params *p = rlwe_params_find(set);
	struct rng rng = test_rng();
	struct secret_stream stream;

	cr_assert_eq(secret_stream_init(&stream, &rng), VEIL_OK);
	cr_assert_eq(ring_create(&f->ring, p->log_n, p->q, p->q_count, cpu_features(), NULL), VEIL_OK);
	cr_assert_eq(arena_init_secret(&f->arena, 3 * secret_key_room(f->ring)), VEIL_OK);
	secret_key_generate(&f->key, f->ring, &stream, &f->arena);
	secret_stream_clear(&stream);
	f->size = secret_key_message_bytes(f->ring);
	f->message = malloc(f->size + 1);
	f->message[f->size] = 0xa5;
	secret_key_message_write(f->message, &f->key);
	cr_assert_eq(f->message[f->size], 0xa5);
}

static void stop(struct fixture *f)
{
	free(f->message);
	arena_clear(&f->arena);
	ring_destroy(f->ring);
}

Test(key_message, a_key_comes_back)
{
	static const char *const sets[] = {"insecure_n_8_logq_5x18_logt_5", "n_4096_logq_27_28_28_logt_5",
		"n_8192_logq_28_60_60_logt_20"};

	for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
		struct fixture f;
		struct secret_key got;

		start(&f, sets[s]);
		cr_assert_eq(
			secret_key_message_read(&got, f.ring, f.message, f.size, &f.arena, NULL), VEIL_OK);
		for (unsigned i = 0; i < f.ring->count; i++)
			cr_assert_arr_eq(got.s[i], f.key.s[i], ring_prime_bytes(&f.ring->primes[i]));
		stop(&f);
	}
}

Test(key_message, it_is_one_field_with_a_count_and_packed_rows)
{
	struct fixture f;
	struct ring_poly s;

	start(&f, "insecure_n_8_logq_5x18_logt_5");
	cr_assert_eq(f.size, 2 + 2 + 5 * 18);
	cr_assert_arr_eq(f.message, ((const uint8_t[]){0x0a, 92, 1, 0}), 4);
	ring_poly_init(&s, f.ring, 5, RING_EVALUATION, arena_take(&f.arena, ring_poly_bytes(f.ring, 5)));
	cr_assert(ring_unpack(&s, f.message + 4, 0, &(unsigned){0}));
	for (unsigned i = 0; i < 5; i++)
		cr_assert_arr_eq(ring_poly_row(&s, i), f.key.s[i], ring_prime_bytes(&f.ring->primes[i]));
	stop(&f);
}

Test(key_message, bytes_that_are_no_key_are_refused_and_nothing_is_kept)
{
	struct fixture f;
	struct secret_key got;
	struct veil_error err;
	size_t used;

	start(&f, "insecure_n_8_logq_5x18_logt_5");
	used = f.arena.used;
	for (size_t size = 0; size <= f.size + 1; size++) {
		if (size == f.size)
			continue;
		cr_assert_eq(secret_key_message_read(&got, f.ring, f.message, size, &f.arena, &err),
			VEIL_E_MALFORMED);
		cr_assert_not_null(strstr(err.text, "bytes instead of 94"));
	}
	for (size_t i = 0; i < 4; i++) {
		f.message[i] ^= 1;
		cr_assert_eq(secret_key_message_read(&got, f.ring, f.message, f.size, &f.arena, &err),
			VEIL_E_MALFORMED);
		cr_assert_not_null(strstr(err.text, "of one polynomial of 5 primes"));
		f.message[i] ^= 1;
	}
	memset(f.message + 4 + 3 * 18, 0xff, 3);
	cr_assert_eq(
		secret_key_message_read(&got, f.ring, f.message, f.size, &f.arena, &err), VEIL_E_MALFORMED);
	cr_assert_not_null(strstr(err.text, "not below the modulus 3"));
	cr_assert_eq(f.arena.used, used);
	cr_assert_null(got.s[0]);
	stop(&f);
}
