/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_COMMANDS_H
#define BUILD_COMMANDS_H

#define EXIT_USAGE 2

/* One file each, cmd_<name>.c. argv[0] is the name of the command. They return the exit status: 0, 1 or
 * EXIT_USAGE. */

int cmd_build(int argc, char **argv);
int cmd_build_kv(int argc, char **argv); /* in cmd_kv.c */
int cmd_info(int argc, char **argv);
int cmd_new_signing_key(int argc, char **argv); /* in cmd_sign.c */
int cmd_sign(int argc, char **argv);
int cmd_update_kv(int argc, char **argv); /* in cmd_kv.c */
int cmd_verify(int argc, char **argv);

#endif
