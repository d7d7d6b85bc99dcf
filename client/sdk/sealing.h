/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_SEALING_H
#define SDK_SEALING_H

#include "ohttp/keyconfig.h"
#include "wire/signed.h"

/** What a request through a relay is sealed for; replaced as a whole, copied by sealing_copy. */
struct sealing {
	unsigned generation; /* 0: none yet */
	struct keyconfig_choice choice;
	struct keyconfig config; /* what choice.config points to, */
	uint8_t public_key[KEM_MAX_PUBLIC_BYTES]; /* and its key */
	struct wire_signed signed_config;
};

void sealing_copy(struct sealing *to, const struct sealing *from);

/** Chooses a key for `next`, whose signed_config is set, out of an application/ohttp-keys body that a relay
 * handed over. A relay can leave keys out and turn their order round, so: none counts that the signed
 * configuration does not name, the order is that of the signed configuration, and after a post-quantum key
 * (`last`, of generation 0 where there was none) a classic one is not taken. VEIL_E_MALFORMED,
 * VEIL_E_UNSUPPORTED: none is left, and why. */
enum veil_status sealing_choose(struct sealing *next, const struct sealing *last, struct bytes body,
	enum keyconfig_policy policy, struct veil_error *err) VEIL_MUST_CHECK;

#endif
