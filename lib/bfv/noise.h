/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BFV_NOISE_H
#define BFV_NOISE_H

#include "bfv/context.h"

/* The noise that a circuit will have, from the formulas of docs/protocol.md: variances of a coefficient of v
 * = phase - q m / t, for operands that are independent. */

double bfv_noise_fresh(const struct bfv_context *ctx);
double bfv_noise_fresh_public(const struct bfv_context *ctx);
/** R: what every division by a prime adds. */
double bfv_noise_rounding(const struct bfv_context *ctx);
/** K: what a key adds before the division. */
double bfv_noise_key(const struct bfv_context *ctx, unsigned level);
/** After a rotation or a relinearisation. */
double bfv_noise_switched(const struct bfv_context *ctx, unsigned level, double variance);
/** After a product by a uniform plaintext, or by one of slots. */
double bfv_noise_times_plain(const struct bfv_context *ctx, double variance);
/** After a product of ciphertexts, before relinearisation. */
double bfv_noise_times(const struct bfv_context *ctx, unsigned level, double a, double b);
/** After the last prime of that level is dropped. */
double bfv_noise_dropped(const struct bfv_context *ctx, unsigned level, double variance);

/** log2(q / 2t) less that of 8 standard deviations, which a coefficient exceeds once in 2^49. */
double bfv_noise_bits_left(const struct bfv_context *ctx, unsigned level, double variance);
/** May a circuit end so? VEIL_E_INVALID if less than one bit is left; `what` names the circuit. */
enum veil_status bfv_noise_check(const struct bfv_context *ctx, unsigned level, double variance,
	const char *what, struct veil_error *err) VEIL_MUST_CHECK;

#endif
