/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_ACCOUNTANT_H
#define PRIVACY_ACCOUNTANT_H

#include "privacy/plan.h"

/** How much of a user's privacy has been spent, in a file that only ever counts up. An epoch with a question
 * is charged, and the charge has reached the disk, before anything of the epoch is sent; epochs without one
 * cost nothing. What a charge stands for: all questions of this user replaced by others in the same epochs.
 * That a question is moved to another epoch, or one is added, is hidden by the constant count of requests,
 * not by eps.
 *
 * Two slots of the file are written in turns, each with a number and a hash: a crash leaves the one or the
 * other. A slot that cannot be read counts as a charge: it may have been one. Clocks may jump: epochs and
 * days only go forward, and going back is refused.
 *
 * The file knows its device, inode and the count of boots, which is kept beside it in `PATH.boots`: a copy,
 * or an older one put back, is refused. Not covered: a whole disk or machine that is put back. */
struct privacy_caps {
	uint32_t epochs_a_day; /* epochs with a question, at least 1 */
	uint64_t epochs_ever; /* at least 1 */
};

struct privacy_account {
	struct privacy_goal goal; /* eps and delta of an epoch, questions of an epoch; no shards, no users */
	uint32_t r64; /* the noise: r = r64 / 64, p = p32 / 2^32 */
	uint32_t p32;
	struct privacy_caps caps;
	uint64_t epoch; /* the last one charged, and */
	uint32_t questions; /* how many were charged in it; 0: none was ever charged */
	uint64_t day; /* the latest day of a charge, since 1970 */
	uint32_t today; /* epochs charged on it */
	uint64_t ever; /* epochs charged */
};

struct privacy_accountant;

#define PRIVACY_BOOT_SIZE 40
/** An id of this run of the system (Linux: /proc/sys/kernel/random/boot_id), NUL-terminated. */
enum veil_status privacy_boot_read(char boot[PRIVACY_BOOT_SIZE], struct veil_error *err) VEIL_MUST_CHECK;

/** A new budget of that plan, nothing spent. VEIL_E_INVALID: there is one, or PATH.boots of one, already. */
enum veil_status privacy_account_create(const char *path, const struct privacy_plan *plan,
	const struct privacy_caps *caps, const char *boot, struct veil_error *err) VEIL_MUST_CHECK;
/** What a budget says, without the lock. VEIL_E_NOT_FOUND, VEIL_E_CORRUPT. */
enum veil_status privacy_account_read(
	struct privacy_account *account, const char *path, struct veil_error *err) VEIL_MUST_CHECK;

/** The one writer. VEIL_E_BUSY: another process has it. VEIL_E_CORRUPT: damaged, a copy, or an old one put
 * back. */
enum veil_status privacy_accountant_open(struct privacy_accountant **out, const char *path, const char *boot,
	struct veil_error *err) VEIL_MUST_CHECK;
/** Accepts NULL. */
void privacy_accountant_close(struct privacy_accountant *accountant);
const struct privacy_account *privacy_accountant_account(const struct privacy_accountant *accountant);

/** Charges `epoch` (a number that grows with time) for `questions` >= 1 at `now_s` since 1970. VEIL_OK: it is
 * on the disk, and they may be sent. More questions of the epoch that was charged last add no charge while
 * they are no more than goal.questions together. Otherwise nothing may be sent: VEIL_E_INVALID: too many
 * questions, an epoch before the last one, or all that was ever allowed is spent. VEIL_E_BUSY: what a day
 * allows is spent. VEIL_E_IO: the file could not be written; nothing more is charged until it is opened
 * again. */
enum veil_status privacy_accountant_charge(struct privacy_accountant *accountant, uint64_t epoch,
	uint32_t questions, uint64_t now_s, struct veil_error *err) VEIL_MUST_CHECK;

#endif
