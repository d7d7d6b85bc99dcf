/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_STATUS_H
#define VEIL_STATUS_H

#if defined(__GNUC__) || defined(__clang__)
#define VEIL_MUST_CHECK __attribute__((warn_unused_result))
#define VEIL_EXPORT __attribute__((visibility("default")))
#else
#define VEIL_MUST_CHECK
#define VEIL_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** What a function that touches the world (peer bytes, files, memory, time, parameters) returns.
 * Bugs inside Veil abort instead. */
enum veil_status {
	VEIL_OK = 0,
	VEIL_E_NOMEM, /* memory could not be had */
	VEIL_E_IO, /* a file could not be read or written */
	VEIL_E_INVALID, /* an argument, option or input row is out of range or makes no sense */
	VEIL_E_MALFORMED, /* bytes from a peer do not parse */
	VEIL_E_CORRUPT, /* stored bytes fail their check */
	VEIL_E_VERSION, /* another protocol or index version than ours */
	VEIL_E_NOT_FOUND, /* no such shard, object or file */
	VEIL_E_BUSY, /* the peer is overloaded; try later with a new query */
	VEIL_E_TIMEOUT, /* a deadline passed */
	VEIL_E_NETWORK, /* the peer could not be reached or broke off */
	VEIL_E_UNSUPPORTED, /* recognised, but not offered by this build or index */
};

/** One human sentence about an error: what was wrong, by name, and the next step where there is one. Filled
 * only when a function returns something else than VEIL_OK; may be NULL wherever it is a parameter. */
struct veil_error {
	char text[512];
};

/** A short English name for a status ("malformed message"); never NULL. */
VEIL_EXPORT const char *veil_status_name(enum veil_status status);

#ifdef __cplusplus
}
#endif
#endif
