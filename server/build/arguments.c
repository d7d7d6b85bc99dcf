/* SPDX-License-Identifier: Apache-2.0 */
#include "build/arguments.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "rlwe/params.h"

static bool read_u64(const char *text, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == 0;
}

static bool read_double(const char *text, double *out)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	*out = strtod(text, &end);
	return *end == 0 && isfinite(*out);
}

/* A whole number and K, M, G or T. */
static bool read_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	uint64_t n = 0;

	if (!digits || digits > 15 || (text[digits] && (!unit || text[digits + 1])))
		return false;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	for (ptrdiff_t i = unit ? unit - units : -1; i >= 0; i--) {
		if (n > UINT64_MAX / 1024)
			return false;
		n *= 1024;
	}
	*out = n;
	return n >= (uint64_t)1 << 20 && n <= (uint64_t)1 << 40;
}

static enum veil_status read_number(
	const struct argument *o, void *field, const char *value, struct veil_error *err)
{
	uint64_t n = 0;
	double x = 0;
	bool ok;

	if (o->kind == ARGUMENT_FACTOR)
		ok = read_double(value, &x);
	else
		ok = read_u64(value, &n);
	if (o->kind == ARGUMENT_COUNT)
		x = (double)n;
	if (!ok || (o->kind != ARGUMENT_SEED && (x < o->min || x > o->max))) {
		if (o->kind == ARGUMENT_SEED)
			return error_set(err, VEIL_E_INVALID, "--%s %s: not a whole number below 2^64",
				o->name, value);
		return error_set(err, VEIL_E_INVALID, "--%s %s: not a %snumber in %.9g..%.9g", o->name, value,
			o->kind == ARGUMENT_FACTOR ? "" : "whole ", o->min, o->max);
	}
	if (o->kind == ARGUMENT_COUNT)
		*(uint32_t *)field = (uint32_t)n;
	else if (o->kind == ARGUMENT_SEED)
		*(uint64_t *)field = n;
	else
		*(double *)field = x;
	return VEIL_OK;
}

static enum veil_status read_params(
	const struct rlwe_params **field, const char *value, struct veil_error *err)
{
	char known[1024] = "";
	const struct rlwe_params *p;
	size_t at = 0;

	*field = rlwe_params_find(value);
	if (*field)
		return VEIL_OK;
	for (size_t i = 0; (p = rlwe_params_at(i)); i++)
		if (!p->insecure && p->use <= RLWE_USE_BFV && at < sizeof known)
			at += (size_t)snprintf(known + at, sizeof known - at, " %s", p->name);
	return error_set(err, VEIL_E_INVALID, "--params %s: no such set; there are%s", value, known);
}

static enum veil_status read_option(
	void *out, const struct argument *o, const char *value, struct veil_error *err)
{
	void *field = (char *)out + o->offset;

	switch (o->kind) {
	case ARGUMENT_FLAG:
		*(bool *)field = true;
		return VEIL_OK;
	case ARGUMENT_TEXT:
		*(const char **)field = value;
		return VEIL_OK;
	case ARGUMENT_PARAMS:
		return read_params(field, value, err);
	case ARGUMENT_SIZE:
		if (read_size(value, field))
			return VEIL_OK;
		return error_set(
			err, VEIL_E_INVALID, "--%s %s: not a size in 1M..1T, as 512M or 2G", o->name, value);
	case ARGUMENT_COUNT:
	case ARGUMENT_SEED:
	case ARGUMENT_FACTOR:
		return read_number(o, field, value, err);
	}
	return VEIL_E_INVALID;
}

/* "--name VALUE" or "--name=VALUE"; sets `used` to the number of arguments that went into it. */
static enum veil_status read_argument(void *out, const struct argument *known, const char *command,
	char **argv, int *used, struct veil_error *err)
{
	const char *arg = argv[0], *equals = strchr(arg, '=');
	size_t size = equals ? (size_t)(equals - arg) : strlen(arg);

	if (strncmp(arg, "--", 2) != 0)
		return error_set(
			err, VEIL_E_INVALID, "\"%s\": not an option; the file goes with --input", arg);
	for (const struct argument *o = known; o->name; o++) {
		const char *value = equals ? equals + 1 : argv[1];

		if (strlen(o->name) != size - 2 || strncmp(arg + 2, o->name, size - 2) != 0)
			continue;
		*used = o->kind == ARGUMENT_FLAG || equals ? 1 : 2;
		if (o->kind == ARGUMENT_FLAG && equals)
			return error_set(err, VEIL_E_INVALID, "--%s takes no value", o->name);
		if (o->kind != ARGUMENT_FLAG && !value)
			return error_set(err, VEIL_E_INVALID, "--%s needs a value", o->name);
		return read_option(out, o, value, err);
	}
	return error_set(err, VEIL_E_INVALID, "%.*s: no such option; see veil-index %s --help", (int)size,
		arg, command);
}

enum veil_status arguments_read(
	void *out, const struct argument *known, int argc, char **argv, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;
	int used = 0;

	for (int i = 1; i < argc && st == VEIL_OK; i += used)
		st = read_argument(out, known, argv[0], argv + i, &used, err);
	return st;
}

uint32_t arguments_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 1 ? 1 : cpus > ARGUMENT_MAX_THREADS ? ARGUMENT_MAX_THREADS : (uint32_t)cpus;
}
