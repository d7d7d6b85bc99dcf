/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SDK_PRINTABLE_H
#define SDK_PRINTABLE_H

/** Makes text that a server sent fit for a terminal, in place: each byte that is no part of a well-formed
 * UTF-8 character, or is a control character, becomes '?'. Same length. */
void printable_make(char *text);

#endif
