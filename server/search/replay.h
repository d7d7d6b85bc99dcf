/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_REPLAY_H
#define SEARCH_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

/* Requests that were answered, RFC 9458 6.5.1: each has a Date, which is good for `window` seconds each way,
 * and is remembered by 64 bits of a keyed hash until its Date is not good any more. Memory is bounded from
 * the start. It is a file, mapped: what one process has answered another one on this machine does not answer
 * again, at the same time or after it. Times are seconds since 1970, as the gateway counts them. */

#define REPLAY_KEY_BYTES 32

struct replay;

/** REPLAY_DATE: the Date is not in the window, or may be that of a request that was forgotten. */
enum replay_verdict { REPLAY_NEW, REPLAY_SEEN, REPLAY_FULL, REPLAY_DATE };

/** At most `limit` requests in 2 * window + 2 seconds. Opens the file or makes it. Where it is there but does
 * not hold all that was answered (made for other numbers, or not wholly written when the machine stopped) it
 * begins anew: *lost says why, and Dates up to now + window are refused from then on. *lost is NULL
 * otherwise. VEIL_E_IO, VEIL_E_NOMEM. */
enum veil_status replay_open(struct replay **out, const char *path, uint32_t limit, uint32_t window,
	int64_t now, const char **lost, struct veil_error *err) VEIL_MUST_CHECK;
/** Writes it to the disk. Accepts NULL. */
void replay_close(struct replay *r);
/** What the tables of such a file take. */
size_t replay_bytes(uint32_t limit);
/** The key of the hash that tags are taken from, REPLAY_KEY_BYTES. */
const uint8_t *replay_key(const struct replay *r);

/** Remembers what is new, in one step: of two threads or processes with the same tag one gets REPLAY_SEEN. */
enum replay_verdict replay_check(struct replay *r, uint64_t tag, int64_t date, int64_t now);

#endif
