/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz.h"
#include "wire/signed.h"

/* A signed configuration: refused with a sentence, or what was read is signed again and reads the same.
 * Nobody makes a signature by chance, so the bytes are also taken for what is to be signed. */

static const uint8_t seed[1][SIGN_SEED_BYTES] = {{1, 2, 3}};

static void sign_again(const struct wire_signed *s)
{
	struct wire_signed back;
	uint8_t *out, key[1][SIGN_PUBLIC_BYTES];
	size_t size;

	if (wire_signed_write(&out, &size, s, seed, 1, NULL) != VEIL_OK)
		return;
	sign_public_key(key[0], seed[0]);
	REQUIRE(size <= WIRE_SIGNED_MAX_BYTES);
	REQUIRE(wire_signed_read(&back, (struct bytes){out, size}, (const uint8_t(*)[SIGN_PUBLIC_BYTES])key,
			1, NULL) == VEIL_OK);
	REQUIRE(back.sequence == s->sequence && back.object_count == s->object_count &&
		strcmp(back.authority, s->authority) == 0);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_signed s = {0};
	struct veil_error err = {{0}};

	if (wire_signed_read_any(&s, (struct bytes){data, size}, &err) == VEIL_OK)
		sign_again(&s);
	else
		REQUIRE(err.text[0] && s.sequence == 0);
	memset(&s, 0, sizeof s);
	memcpy(&s, data, size < sizeof s ? size : sizeof s);
	s.authority[WIRE_SIGNED_MAX_AUTHORITY] = 0;
	sign_again(&s);
	return 0;
}
