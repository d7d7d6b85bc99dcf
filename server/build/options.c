/* SPDX-License-Identifier: Apache-2.0 */
#include "build/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apple/engine.h"
#include "base/error.h"
#include "index/codebook.h"
#include "index/label.h"
#include "store/manifest.h"
#include "store/versions.h"

enum kind {
	FLAG, /* bool */
	TEXT, /* const char * */
	COUNT, /* uint32_t in min..max */
	SEED, /* uint64_t */
	SIZE, /* uint64_t bytes, from 1M to 1T; K, M, G, T count 1024 */
	FACTOR, /* double in min..max */
	PARAMS, /* const struct rlwe_params * */
};

struct option {
	const char *name;
	enum kind kind;
	size_t offset;
	double min, max;
};

#define AT(field) offsetof(struct build_options, field)
#define MAX_FACTOR 16 /* beyond, it would be a copy of everything everywhere */
#define MAX_THREADS 256

static const struct option options[] = {
	{"input", TEXT, AT(input), 0, 0},
	{"names", TEXT, AT(names), 0, 0},
	{"output", TEXT, AT(output), 0, 0},
	{"name", TEXT, AT(name), 0, 0},
	{"kind", TEXT, AT(kind), 0, 0},
	{"params", PARAMS, AT(params), 0, 0},
	{"shards", COUNT, AT(shards), 1, INDEX_MAX_SHARDS},
	{"terms", COUNT, AT(terms), 1, NN_MAX_DIM},
	{"label-bytes", COUNT, AT(label_bytes), 0, INDEX_MAX_LABEL_BYTES},
	{"keep", COUNT, AT(keep), 0, STORE_MAX_KEEP},
	{"threads", COUNT, AT(threads), 1, MAX_THREADS},
	{"max-copies", COUNT, AT(closure.max_copies), 1, INDEX_MAX_COPIES},
	{"replication", FACTOR, AT(closure.replication), 1, MAX_FACTOR},
	{"closure", FACTOR, AT(closure.reach), 1, MAX_FACTOR},
	{"seed", SEED, AT(seed), 0, 0},
	{"memory", SIZE, AT(memory), 0, 0},
	{"json", FLAG, AT(json), 0, 0},
};

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
	const struct option *o, void *field, const char *value, struct veil_error *err)
{
	uint64_t n = 0;
	double x = 0;
	bool ok;

	if (o->kind == FACTOR)
		ok = read_double(value, &x);
	else
		ok = read_u64(value, &n);
	if (o->kind == COUNT)
		x = (double)n;
	if (!ok || (o->kind != SEED && (x < o->min || x > o->max))) {
		if (o->kind == SEED)
			return error_set(err, VEIL_E_INVALID, "--%s %s: not a whole number below 2^64",
				o->name, value);
		return error_set(err, VEIL_E_INVALID, "--%s %s: not a %snumber in %.9g..%.9g", o->name, value,
			o->kind == FACTOR ? "" : "whole ", o->min, o->max);
	}
	if (o->kind == COUNT)
		*(uint32_t *)field = (uint32_t)n;
	else if (o->kind == SEED)
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
	struct build_options *out, const struct option *o, const char *value, struct veil_error *err)
{
	void *field = (char *)out + o->offset;

	switch (o->kind) {
	case FLAG:
		*(bool *)field = true;
		return VEIL_OK;
	case TEXT:
		*(const char **)field = value;
		return VEIL_OK;
	case PARAMS:
		return read_params(field, value, err);
	case SIZE:
		if (read_size(value, field))
			return VEIL_OK;
		return error_set(
			err, VEIL_E_INVALID, "--%s %s: not a size in 1M..1T, as 512M or 2G", o->name, value);
	case COUNT:
	case SEED:
	case FACTOR:
		return read_number(o, field, value, err);
	}
	return VEIL_E_INVALID;
}

/* "--name VALUE" or "--name=VALUE"; sets `used` to the number of arguments that went into it. */
static enum veil_status read_argument(
	struct build_options *out, char **argv, int *used, struct veil_error *err)
{
	const char *arg = argv[0], *equals = strchr(arg, '=');
	size_t size = equals ? (size_t)(equals - arg) : strlen(arg);

	if (strncmp(arg, "--", 2) != 0)
		return error_set(
			err, VEIL_E_INVALID, "\"%s\": not an option; the file goes with --input", arg);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const struct option *o = options + i;
		const char *value = equals ? equals + 1 : argv[1];

		if (strlen(o->name) != size - 2 || strncmp(arg + 2, o->name, size - 2) != 0)
			continue;
		*used = o->kind == FLAG || equals ? 1 : 2;
		if (o->kind == FLAG && equals)
			return error_set(err, VEIL_E_INVALID, "--%s takes no value", o->name);
		if (o->kind != FLAG && !value)
			return error_set(err, VEIL_E_INVALID, "--%s needs a value", o->name);
		return read_option(out, o, value, err);
	}
	return error_set(
		err, VEIL_E_INVALID, "%.*s: no such option; see veil-index build --help", (int)size, arg);
}

static enum veil_status check(const struct build_options *o, struct veil_error *err)
{
	if (!o->input)
		return error_set(err, VEIL_E_INVALID, "--input FILE is missing");
	if (!o->output)
		return error_set(err, VEIL_E_INVALID, "--output DIR is missing");
	if (!index_label_bytes_ok(o->label_bytes))
		return error_set(err, VEIL_E_INVALID, "--label-bytes %u: neither 0 nor 4..%d", o->label_bytes,
			INDEX_MAX_LABEL_BYTES);
	if (o->names && o->label_bytes <= 4)
		return error_set(err, VEIL_E_INVALID,
			"--names: labels of %u bytes have no room for a name; see --label-bytes",
			o->label_bytes);
	if (o->name &&
		(strlen(o->name) > STORE_MAX_NAME_BYTES || !index_text_valid(o->name, strlen(o->name))))
		return error_set(err, VEIL_E_INVALID,
			"--name: not UTF-8 without control characters of at most %d bytes",
			STORE_MAX_NAME_BYTES);
	return VEIL_OK;
}

/* The kind and the set name each other. */
static enum veil_status choose_params(struct build_options *o, struct veil_error *err)
{
	const bool bfv = o->kind && strcmp(o->kind, "bfv") == 0;

	if (o->kind && !bfv && strcmp(o->kind, "nn") != 0)
		return error_set(err, VEIL_E_INVALID, "--kind %s: neither nn nor bfv", o->kind);
	if (!o->params)
		o->params = rlwe_params_find(bfv ? "n_8192_logq_3x36_logt_22" : "search_n2048_q28");
	if (o->kind && strcmp(o->kind, engine_name(o->params)) != 0)
		return error_set(err, VEIL_E_INVALID, "--kind %s: the set %s is for kind %s", o->kind,
			o->params->name, engine_name(o->params));
	return VEIL_OK;
}

enum veil_status build_options_read(struct build_options *o, int argc, char **argv, struct veil_error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	enum veil_status st;
	int used = 0;

	*o = (struct build_options){
		.label_bytes = 16,
		.keep = 1,
		.threads = cpus < 1		? 1
			   : cpus > MAX_THREADS ? MAX_THREADS
						: (uint32_t)cpus,
		.seed = 1,
		.closure = {.reach = 1.1, .replication = 2, .max_copies = INDEX_MAX_COPIES},
	};
	for (int i = 1; i < argc; i += used) {
		st = read_argument(o, argv + i, &used, err);
		if (st != VEIL_OK)
			return st;
	}
	st = choose_params(o, err);
	return st == VEIL_OK ? check(o, err) : st;
}

enum veil_status build_options_read_dir(
	const char **dir, bool *json, int argc, char **argv, struct veil_error *err)
{
	*dir = NULL;
	for (int i = 1; i < argc; i++) {
		if (json && strcmp(argv[i], "--json") == 0)
			*json = true;
		else if (argv[i][0] == '-')
			return error_set(err, VEIL_E_INVALID, "%s: no such option; see veil-index %s --help",
				argv[i], argv[0]);
		else if (*dir)
			return error_set(err, VEIL_E_INVALID, "%s: one directory at a time", argv[i]);
		else
			*dir = argv[i];
	}
	return *dir ? VEIL_OK : error_set(err, VEIL_E_INVALID, "the directory of the index is missing");
}
