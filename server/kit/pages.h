/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_PAGES_H
#define KIT_PAGES_H

#include <stddef.h>

/** Zeroed memory straight from the system, aligned to huge pages and made of them where the system has some:
 * a megabyte read in one go then costs one page walk instead of 256. NULL if there is none. */
void *pages_map(size_t bytes);
/** Accepts NULL. */
void pages_unmap(void *memory, size_t bytes);
/** Lets go of the pages of a read-only mapping of a file that lie wholly or partly in these bytes: reading
 * them again brings them back from the file. */
void pages_forget(const void *memory, size_t bytes);

#endif
