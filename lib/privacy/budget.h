/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PRIVACY_BUDGET_H
#define PRIVACY_BUDGET_H

#include <stdbool.h>

#include "privacy/accountant.h"

/** The file of a budget: two slots of PRIVACY_SLOT_BYTES, little-endian:
 *     "VEILBUD1"; le64 number, device, inode, boots; le32 r64, p32, questions an epoch; le64 eps, delta (IEEE
 * 754 double bits); le32 epochs a day; le64 epochs ever; le64 epoch; le32 questions; le64 day; le32 today;
 *     le64 ever; zeros up to the SHA-256 of all before it, which are the last 32 bytes of the slot.
 * The slot of a number is number mod 2. */
#define PRIVACY_SLOT_BYTES 512

struct privacy_budget {
	uint64_t number;
	uint64_t device, inode, boots;
	struct privacy_account account;
};

/** Writes budget->number + 1 into its slot, and waits for the disk. On failure what the file says is not
 * known. */
enum veil_status privacy_budget_write(
	int fd, struct privacy_budget *budget, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
/** The newest slot; *damaged: the other one cannot be read. Checks device and inode. */
enum veil_status privacy_budget_read(struct privacy_budget *budget, bool *damaged, int fd, const char *path,
	struct veil_error *err) VEIL_MUST_CHECK;

/** PATH.boots: how many boots the budget has seen, and the id of the last one. Replaced in one instant. */
struct privacy_boots {
	uint64_t count;
	char boot[PRIVACY_BOOT_SIZE];
};
enum veil_status privacy_boots_write(
	const struct privacy_boots *boots, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
/** VEIL_E_NOT_FOUND where there is none. */
enum veil_status privacy_boots_read(
	struct privacy_boots *boots, const char *path, struct veil_error *err) VEIL_MUST_CHECK;

#endif
