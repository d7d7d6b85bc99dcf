/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_vectors(data, size, INDEX_NPY);
	return 0;
}
