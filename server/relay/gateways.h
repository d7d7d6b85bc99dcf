/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_GATEWAYS_H
#define RELAY_GATEWAYS_H

#include <stddef.h>

#include "veil/status.h"

/* The fixed map from the relay's paths to gateways: nothing that a client sends can lead anywhere else. */

#define GATEWAYS_MAX 32
#define GATEWAYS_PATH_SIZE 48
#define GATEWAYS_URL_SIZE 256

struct gateways_entry {
	char path[GATEWAYS_PATH_SIZE]; /* "/veil" */
	char url[GATEWAYS_URL_SIZE]; /* where encapsulated requests go: "https://search.example/gateway" */
	char origin[GATEWAYS_URL_SIZE]; /* "https://search.example" */
	char pin[128]; /* "sha256//<base64>" of the public key in the gateway's certificate; "": none */
};

struct gateways {
	size_t count;
	struct gateways_entry entries[GATEWAYS_MAX];
};

/** Reads lines `PATH URL [PIN]`; empty ones and those that begin with # do not count. The URL is https, or
 * http on a loopback address. VEIL_E_IO; VEIL_E_INVALID names file and line. */
enum veil_status gateways_read(
	struct gateways *out, const char *path, struct veil_error *err) VEIL_MUST_CHECK;

#endif
