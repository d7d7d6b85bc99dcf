/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "index/pairs_inside.h"
#include "vectors.h"

/* The same bytes as one line of keys and values, in both forms. */
static void fuzz_pairs(const uint8_t *data, size_t size, bool numbered)
{
	const struct index_pairs_form form = {.numbered = numbered, .changes = true};
	struct index_pairs p = {.label = "fuzz"};
	struct veil_error err = {{0}};
	uint8_t *scratch = malloc(size + 1);

	REQUIRE(scratch);
	if (pairs_tsv_line(&p, &form, (const char *)data, size, 1, scratch, &err) != VEIL_OK)
		REQUIRE(p.count == 0 && strstr(err.text, "fuzz: line 1: "));
	err.text[0] = 0;
	if (pairs_json_line(&p, &form, (const char *)data, size, 2, scratch, &err) != VEIL_OK)
		REQUIRE(strstr(err.text, "fuzz: line 2: "));
	for (size_t i = 0; i < p.count; i++)
		REQUIRE(p.pair[i].value + p.pair[i].value_bytes <= p.used);
	index_pairs_clear(&p);
	free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_vectors(data, size, INDEX_JSONL);
	fuzz_pairs(data, size, false);
	fuzz_pairs(data, size, true);
	return 0;
}
