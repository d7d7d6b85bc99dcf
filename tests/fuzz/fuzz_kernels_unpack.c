/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/require.h"
#include "fuzz.h"
#include "kernels/kernels.h"

/* Residues from a peer: every ISA says the same as generic.c, nothing is read past the packed bytes (the
 * input is a block of exactly that size), and what is accepted packs back to the same bits. */

#define MAX_VALUES 512

static const uint64_t primes[] = {12289, 268369921, 2147352577, 274877562881, 1152921504606830593};
#define PRIMES (sizeof primes / sizeof primes[0])

struct form {
	struct kernels_prime p;
	unsigned bits, shift;
	size_t n;
	const uint8_t *src;
};

static bool unpack(const struct form *f, unsigned features, void *dst)
{
	struct kernels k;

	kernels_select(&k, features, f->p.bits, 11);
	return k.unpack(dst, f->src, f->n, f->bits, f->shift, &f->p);
}

static void check_pack(const struct form *f, unsigned features, const void *values)
{
	_Alignas(64) uint64_t shifted[MAX_VALUES];
	uint8_t packed[MAX_VALUES * 8];
	size_t bytes = (f->n * f->bits + 7) / 8;
	struct kernels k;

	for (size_t i = 0; i < f->n; i++) {
		if (f->p.width == 4)
			((uint32_t *)shifted)[i] = ((const uint32_t *)values)[i] >> f->shift;
		else
			shifted[i] = ((const uint64_t *)values)[i] >> f->shift;
	}
	kernels_select(&k, features, f->p.bits, 11);
	k.pack(packed, shifted, f->n, f->bits);
	for (size_t i = 0; i + 1 < bytes; i++) /* the last byte may have padding */
		REQUIRE(packed[i] == f->src[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Alignas(64) uint64_t generic[MAX_VALUES] = {0}, vector[MAX_VALUES] = {0};
	struct form f = {0};
	uint8_t *src;
	bool ok;

	if (size < 4)
		return 0;
	kernels_prime_init(&f.p, primes[data[0] % PRIMES]);
	f.bits = 1 + data[1] % f.p.bits;
	f.shift = data[2] % (f.p.bits - f.bits + 1);
	f.n = (size - 3) * 8 / f.bits;
	if (f.n > MAX_VALUES)
		f.n = MAX_VALUES;
	src = malloc((f.n * f.bits + 7) / 8 + 1);
	REQUIRE(src);
	/* At the end of its block: one byte more would be past it. */
	memcpy(src + 1, data + 3, (f.n * f.bits + 7) / 8);
	f.src = src + 1;

	ok = unpack(&f, 0, generic);
	if (ok)
		check_pack(&f, 0, generic);
	REQUIRE(unpack(&f, cpu_features(), vector) == ok);
	if (ok) {
		REQUIRE(!memcmp(generic, vector, f.n * f.p.width));
		check_pack(&f, cpu_features(), vector);
	}
	free(src);
	return 0;
}
