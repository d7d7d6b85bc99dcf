/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_LISTEN_H
#define KIT_LISTEN_H

#include "veil/status.h"

#define LISTEN_ADDRESS_SIZE 160

/** A listening socket. */
struct listen_socket {
	int fd;
	char address[LISTEN_ADDRESS_SIZE]; /* as a client may use it: "127.0.0.1:41234", "[::1]:8080",
					      "unix:/path" */
};

/** `address` is "127.0.0.1:8080", "[::1]:8080" (port 0: a free one) or "unix:/path". Only loopback: the HTTP
 * library must not face a network by itself, a front does (docs/operating.md). A socket file that nobody
 * listens on is replaced. VEIL_E_INVALID or VEIL_E_IO. */
enum veil_status listen_open(
	struct listen_socket *out, const char *address, struct veil_error *err) VEIL_MUST_CHECK;

/** Closes, and removes the socket file; connections that were accepted live on. May be called twice. */
void listen_close(struct listen_socket *s);

#endif
