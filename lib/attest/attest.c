/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/require.h"

static const char magic[16] = "veil-attest-1";
#define SIGNED_BYTES (ATTEST_BYTES - SIGN_BYTES)

uint32_t attest_lower_bound(const uint32_t *counts, size_t n)
{
	uint32_t sorted[ATTEST_MAX_EPOCHS];
	size_t rank = (n + 1) / 100;

	REQUIRE(n <= ATTEST_MAX_EPOCHS);
	if (rank == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		size_t at = i;

		for (; at > 0 && sorted[at - 1] > counts[i]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = counts[i];
	}
	return sorted[rank - 1];
}

void attest_scope(uint8_t scope[ATTEST_SCOPE_BYTES], const char *relay_path)
{
	hash_sha256(scope, relay_path, strlen(relay_path));
}

void attest_write(uint8_t out[ATTEST_BYTES], const struct attest *a, const uint8_t seed[SIGN_SEED_BYTES])
{
	struct writer w;

	writer_init(&w, out, SIGNED_BYTES);
	writer_bytes(&w, magic, sizeof magic);
	writer_u64(&w, a->issued);
	writer_u64(&w, a->users);
	writer_u32(&w, a->epoch_seconds);
	writer_u32(&w, a->epochs);
	writer_bytes(&w, a->scope, sizeof a->scope);
	REQUIRE(w.at == SIGNED_BYTES);
	sign_make(out + SIGNED_BYTES, out, SIGNED_BYTES, seed);
}

enum veil_status attest_read(struct attest *out, const void *data, size_t size,
	const uint8_t relay_key[SIGN_PUBLIC_BYTES], const char *relay_path, uint64_t now,
	uint64_t max_age_seconds, struct veil_error *err)
{
	const uint8_t *bytes = data;
	uint8_t head[sizeof magic], scope[ATTEST_SCOPE_BYTES];
	struct attest a;
	struct reader r;

	*out = (struct attest){0};
	if (size != ATTEST_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
		return error_set(err, VEIL_E_MALFORMED,
			"the attestation is not one: %zu bytes, not %d of version 1", size, ATTEST_BYTES);
	if (!sign_verify(bytes + SIGNED_BYTES, bytes, SIGNED_BYTES, relay_key))
		return error_set(err, VEIL_E_MALFORMED,
			"the attestation is not signed by the relay whose key was given at install");
	reader_init(&r, bytes, SIGNED_BYTES);
	reader_bytes(&r, head, sizeof head);
	a.issued = reader_u64(&r);
	a.users = reader_u64(&r);
	a.epoch_seconds = reader_u32(&r);
	a.epochs = reader_u32(&r);
	reader_bytes(&r, a.scope, sizeof a.scope);
	REQUIRE(reader_done(&r));
	attest_scope(scope, relay_path);
	if (memcmp(scope, a.scope, sizeof scope) != 0)
		return error_set(err, VEIL_E_MALFORMED, "the attestation is of another crowd than that of %s",
			relay_path);
	if (a.epochs < ATTEST_MIN_EPOCHS || a.epoch_seconds == 0)
		return error_set(err, VEIL_E_MALFORMED,
			"the attestation stands on %u epochs of %u s; %d are needed", (unsigned)a.epochs,
			(unsigned)a.epoch_seconds, ATTEST_MIN_EPOCHS);
	if (a.issued > now && a.issued - now > ATTEST_AHEAD_SECONDS)
		return error_set(err, VEIL_E_VERSION,
			"the attestation is of %llu s in the future; check the clock of this device",
			(unsigned long long)(a.issued - now));
	if (now > a.issued && now - a.issued > max_age_seconds)
		return error_set(err, VEIL_E_VERSION,
			"the attestation is %llu s old, more than %llu; fetch the relay's newest",
			(unsigned long long)(now - a.issued), (unsigned long long)max_age_seconds);
	*out = a;
	return VEIL_OK;
}
