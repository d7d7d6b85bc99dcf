/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/gateways.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

static const char *path_fault(const struct gateways *g, const char *path)
{
	size_t n = strlen(path);

	if (path[0] != '/' || n < 2 || path[n - 1] == '/' || strstr(path, "//"))
		return "the path is not of the form /name";
	for (const char *p = path; *p;) {
		p++; /* the slash */
		p += strspn(p, plain);
		if (*p && *p != '/')
			return "the path has other characters than letters, digits, - and _";
	}
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->entries[i].path, path) == 0)
			return "the path occurs twice";
	return NULL;
}

/* Where the host begins; NULL if the scheme is not one that may be used: in clear only on this machine. */
static const char *after_scheme(const char *url)
{
	const char *host = url + 7;

	if (strncmp(url, "https://", 8) == 0)
		return url + 8;
	if (strncmp(url, "http://", 7) != 0)
		return NULL;
	if (strncmp(host, "127.", 4) == 0 && strchr(":/", host[strspn(host, "0123456789.")]))
		return host;
	return strncmp(host, "[::1]", 5) == 0 ? host : NULL;
}

static const char *url_fault(struct gateways_entry *e)
{
	const char *host = after_scheme(e->url), *path = host ? strchr(host, '/') : NULL;

	if (!host)
		return "the gateway is not https://, nor http:// on a loopback address";
	if (!path || path == host)
		return "the gateway's URL has no host or no path";
	if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]/") !=
		strlen(host))
		return "the gateway's URL has a user, query, fragment, escape or another odd character";
	memcpy(e->origin, e->url, (size_t)(path - e->url));
	if (e->pin[0] && strncmp(e->pin, "sha256//", 8) != 0)
		return "the pin is not of the form sha256//BASE64";
	return NULL;
}

static const char *take_line(struct gateways *g, const char *line)
{
	struct gateways_entry e = {0};
	char rest[2];
	const char *fault;
	int n = sscanf(line, " %47s %255s %127s %1s", e.path, e.url, e.pin, rest);

	if (n <= 0 || e.path[0] == '#')
		return NULL;
	if (g->count == GATEWAYS_MAX)
		return "there are too many gateways";
	fault = n == 2 || n == 3 ? path_fault(g, e.path) : "not of the form PATH URL [PIN]";
	if (!fault)
		fault = url_fault(&e);
	if (!fault)
		g->entries[g->count++] = e;
	return fault;
}

enum veil_status gateways_read(struct gateways *out, const char *path, struct veil_error *err)
{
	FILE *file = fopen(path, "re");
	enum veil_status st = VEIL_OK;
	const char *fault;
	char line[1024];

	*out = (struct gateways){0};
	if (!file)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	for (unsigned number = 1; st == VEIL_OK && fgets(line, sizeof line, file); number++) {
		fault = strlen(line) == sizeof line - 1 ? "the line is too long" : take_line(out, line);
		if (fault)
			st = error_set(err, VEIL_E_INVALID, "%s:%u: %s", path, number, fault);
	}
	if (st == VEIL_OK && ferror(file))
		st = error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	fclose(file);
	if (st == VEIL_OK && out->count == 0)
		st = error_set(
			err, VEIL_E_INVALID, "%s: no gateway is named; a line is PATH URL [PIN]", path);
	return st;
}
