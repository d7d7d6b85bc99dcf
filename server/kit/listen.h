/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIT_LISTEN_H
#define KIT_LISTEN_H

#include <stdbool.h>

#include "veil/status.h"

#define LISTEN_ADDRESS_SIZE 160

/** A listening socket. */
struct listen_socket {
	int fd;
	bool has_file; /* a socket file of ours is there */
	char address[LISTEN_ADDRESS_SIZE]; /* as a client may use it: "127.0.0.1:41234", "[::1]:8080",
					      "unix:/path" */
};

/** `address` is "127.0.0.1:8080", "[::1]:8080" (port 0: a free one) or "unix:/path". Only loopback: the HTTP
 * library must not face a network by itself, a front does (docs/operating.md). A socket file that nobody
 * listens on is replaced. VEIL_E_INVALID or VEIL_E_IO. */
enum veil_status listen_open(
	struct listen_socket *out, const char *address, struct veil_error *err) VEIL_MUST_CHECK;

/** No connection comes any more; those that have come can still be accepted: what a client was told is a
 * connection is not thrown away. */
void listen_refuse(struct listen_socket *s);
/** True while there are some. */
bool listen_waiting(const struct listen_socket *s);
/** Clients are told at once that nobody listens. The socket stays: another thread may still look at it. */
void listen_shut(struct listen_socket *s);
/** Closes, and removes the socket file; connections that were accepted live on. May be called twice. */
void listen_close(struct listen_socket *s);

#endif
