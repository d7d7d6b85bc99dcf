/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** What a fuzz target defines: must return 0 and survive any bytes. A wrong result aborts by REQUIRE. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
