/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAT_SETS_H
#define KAT_SETS_H

#include <stdint.h>

/* The BFV sets of params/ and the sizes of what they send, in bytes. All but the last:
 * PredefinedRlweParameters of apple/swift-homomorphic-encryption (main 6867588), skip_lsbs from its
 * EncryptionParametersTests, sizes as it publishes them. 0: not published. */

struct kat_set {
	const char *name;
	unsigned log_n, q_count;
	uint64_t t, q[5];
	unsigned skip[2]; /* low bits that a reply leaves out */
	uint32_t seeded; /* poly0 of a query, and its seed */
	uint32_t full; /* polys of a ciphertext */
	uint32_t reply; /* polys of a ciphertext of one modulus, without its skipped bits */
	uint32_t key; /* a key-switch key: poly0s and seeds */
	uint32_t payload; /* that a plaintext carries */
	uint32_t stored; /* a plaintext in evaluation form */
};

#define KAT_27_28_28 134176769, 268369921, 268361729
#define KAT_3X55 36028797018652673, 36028797017571329, 36028797017456641
#define KAT_2X60 1152921504606830593, 1152921504606748673

static const struct kat_set kat_sets[] = {
	{"insecure_n_8_logq_5x18_logt_5", 3, 5, 17, {131249, 131297, 131441, 131489, 131617}, {9, 5}, 0, 0, 0,
		0, 0, 0},
	{"insecure_n_16_logq_60_logt_15", 4, 1, 16417, {1152921504606830593}, {42, 38}, 0, 0, 0, 0, 0, 0},
	{"insecure_n_512_logq_4x60_logt_20", 9, 4, 525313,
		{576460752303436801, 576460752303439873, 576460752303447041, 576460752303471617}, {36, 29}, 0,
		0, 0, 0, 0, 0},
	{"n_4096_logq_27_28_28_logt_4", 12, 3, 11, {KAT_27_28_28}, {20, 12}, 28192, 56322, 11266, 85056, 1536,
		28160},
	{"n_4096_logq_27_28_28_logt_5", 12, 3, 17, {KAT_27_28_28}, {19, 11}, 28192, 56322, 12290, 85056, 2048,
		28160},
	{"n_4096_logq_27_28_28_logt_6", 12, 3, 37, {KAT_27_28_28}, {18, 10}, 28192, 56322, 13314, 85056, 2560,
		28160},
	{"n_4096_logq_27_28_28_logt_13", 12, 3, 4099, {KAT_27_28_28}, {11, 3}, 28192, 56322, 20482, 85056,
		6144, 28160},
	{"n_4096_logq_27_28_28_logt_16", 12, 3, 40961, {KAT_27_28_28}, {9, 0}, 28192, 56322, 23042, 85056,
		7680, 28160},
	{"n_4096_logq_27_28_28_logt_17", 12, 3, 65537, {KAT_27_28_28}, {8, 0}, 28192, 56322, 23554, 85056,
		8192, 28160},
	{"n_4096_logq_16_33_33_logt_4", 12, 3, 11, {40961, 8589852673, 8589844481}, {9, 0}, 25120, 50178,
		11778, 84032, 1536, 25088},
	{"n_8192_logq_3x55_logt_24", 13, 3, 8404993, {KAT_3X55}, {28, 19}, 112672, 225282, 64514, 337984,
		23552, 112640},
	{"n_8192_logq_3x55_logt_29", 13, 3, 268582913, {KAT_3X55}, {23, 14}, 112672, 225282, 74754, 337984,
		28672, 112640},
	{"n_8192_logq_3x55_logt_30", 13, 3, 536903681, {KAT_3X55}, {22, 13}, 112672, 225282, 76802, 337984,
		29696, 112640},
	{"n_8192_logq_3x55_logt_42", 13, 3, 2199023288321, {KAT_3X55}, {11, 0}, 112672, 225282, 101378,
		337984, 41984, 112640},
	{"n_8192_logq_28_60_60_logt_20", 13, 3, 557057, {268369921, KAT_2X60}, {6, 0}, 90144, 180226, 51202,
		303168, 19456, 90112},
	{"n_8192_logq_29_60_60_logt_15", 13, 3, 16411, {536690689, KAT_2X60}, {11, 2}, 91168, 0, 46082,
		305216, 14336, 0},
	{"n_8192_logq_40_60_60_logt_26", 13, 3, 33832961, {1099511480321, KAT_2X60}, {11, 2}, 102432, 0,
		68610, 327744, 25600, 0},
	/* Veil's own: 2 x 8192 x 36 bits and a seed; 2 x that; 8192 x (2 x 36 - 13) bits; 2 x (3 x 8192 x
	 * 36 bits and a seed); 8192 x 21 bits; the first without the seed */
	{"n_8192_logq_3x36_logt_22", 13, 3, 3194881, {68719230977, 68718428161, 68718346241}, {11, 2}, 73760,
		147458, 60418, 221248, 21504, 73728},
};
#define KAT_SETS (sizeof kat_sets / sizeof *kat_sets)

#endif
