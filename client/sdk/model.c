/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk/model.h"

/* The file as it is, in read-only data that costs no memory until it is read. SDK_MODEL_FILE: meson.build. */
__asm__(".pushsection .rodata\n"
	".balign 64\n"
	".hidden sdk_model_start\n"
	".globl sdk_model_start\n"
	"sdk_model_start:\n"
	".incbin \"" SDK_MODEL_FILE "\"\n"
	".hidden sdk_model_end\n"
	".globl sdk_model_end\n"
	"sdk_model_end:\n"
	".byte 0\n"
	".popsection\n");

extern const uint8_t sdk_model_start[], sdk_model_end[];

struct bytes model_get(void)
{
	return (struct bytes){sdk_model_start, (size_t)(sdk_model_end - sdk_model_start)};
}
