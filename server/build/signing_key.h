/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SIGNING_KEY_H
#define BUILD_SIGNING_KEY_H

#include "base/sign.h"
#include "veil/status.h"

/* The operator's key of signed configurations: a file `veil signing key 1`, `seed <64 hex digits>` that its
 * owner alone may read, and beside it FILE.pub, the trust file of clients (client/sdk/trust.h). */

/** Makes both; a file that is there is never replaced. VEIL_E_INVALID, VEIL_E_IO, VEIL_E_NOMEM. */
enum veil_status signing_key_make(const char *path, struct veil_error *err) VEIL_MUST_CHECK;
/** `seed` is in the caller's secret memory. VEIL_E_INVALID: others may read the file, or it is no key. */
enum veil_status signing_key_read(
	uint8_t seed[SIGN_SEED_BYTES], const char *path, struct veil_error *err) VEIL_MUST_CHECK;

#endif
