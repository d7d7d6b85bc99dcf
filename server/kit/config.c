/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/config.h"

#include <errno.h>
#include <ini.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_SIZE, KIND_FLAG };

static const struct option {
	enum kind kind;
	const char *name;
	const char *meta;
	const char *preset; /* text, or digits */
	const char *help;
	size_t offset; /* in struct config */
	uint32_t low, high;
} options[] = {
#define TEXT(id, name, meta, preset, help) \
	{KIND_TEXT, name, meta, preset, help, offsetof(struct config, id), 0, 0},
#define NUMBER(id, name, meta, preset, low, high, help) \
	{KIND_NUMBER, name, meta, #preset, help, offsetof(struct config, id), low, high},
#define SIZE(id, name, meta, preset, help) \
	{KIND_SIZE, name, meta, #preset, help, offsetof(struct config, id), 0, 0},
#define FLAG(id, name, help) {KIND_FLAG, name, "", "false", help, offsetof(struct config, id), 0, 0},
#include "kit/config.def"
#undef TEXT
#undef NUMBER
#undef SIZE
#undef FLAG
};
#define OPTIONS (sizeof options / sizeof *options)

static const struct option *find(const char *name, size_t size)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (strlen(options[i].name) == size && memcmp(options[i].name, name, size) == 0)
			return options + i;
	return NULL;
}

static bool parse_number(uint32_t *out, const char *text, uint32_t low, uint32_t high)
{
	char *end = NULL;
	unsigned long long v;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end || v < low || v > high)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* Bytes: "1500000", "256M", "1.2G"; the suffixes are powers of 1024. */
static bool parse_size(uint64_t *out, const char *text)
{
	static const char suffixes[] = "KMGT";
	char *end = NULL;
	const char *suffix;
	double v;

	if (text[0] < '0' || text[0] > '9' || text[1] == 'x' || text[1] == 'X')
		return false;
	v = strtod(text, &end);
	suffix = *end ? strchr(suffixes, *end) : NULL;
	if (*end && (!suffix || end[1]))
		return false;
	for (int i = 0; suffix && i <= suffix - suffixes; i++)
		v *= 1024;
	if (!(v < 0x1p62) || (!suffix && v != (double)(uint64_t)v))
		return false;
	*out = (uint64_t)v;
	return true;
}

/* `where` names the file and line or the command line. */
static enum veil_status set(struct config *config, const struct option *o, const char *value,
	const char *where, struct veil_error *err)
{
	char *field = (char *)config + o->offset;
	bool yes = strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;
	uint32_t number;
	uint64_t size;
	size_t n = strlen(value);

	switch (o->kind) {
	case KIND_TEXT:
		if (n >= CONFIG_TEXT_SIZE)
			return error_set(err, VEIL_E_INVALID, "%s: %s is longer than %d bytes", where,
				o->name, CONFIG_TEXT_SIZE - 1);
		memcpy(field, value, n + 1);
		return VEIL_OK;
	case KIND_NUMBER:
		if (!parse_number(&number, value, o->low, o->high))
			return error_set(err, VEIL_E_INVALID,
				"%s: %s is '%.40s', not a whole number from %u to %u", where, o->name, value,
				(unsigned)o->low, (unsigned)o->high);
		memcpy(field, &number, sizeof number);
		return VEIL_OK;
	case KIND_SIZE:
		if (!parse_size(&size, value))
			return error_set(err, VEIL_E_INVALID,
				"%s: %s is '%.40s', not a size such as 256M or 1.2G", where, o->name, value);
		memcpy(field, &size, sizeof size);
		return VEIL_OK;
	case KIND_FLAG:
		if (!yes && strcmp(value, "false") != 0 && strcmp(value, "no") != 0)
			return error_set(err, VEIL_E_INVALID, "%s: %s is '%.40s', neither true nor false",
				where, o->name, value);
		memcpy(field, &yes, sizeof yes);
		return VEIL_OK;
	}
	return VEIL_E_INVALID;
}

struct file_state {
	struct config *config;
	const char *path;
	struct veil_error *err;
	enum veil_status st; /* the first failure */
};

static int on_line(void *user, const char *section, const char *name, const char *value)
{
	struct file_state *f = user;
	const struct option *o = find(name, strlen(name));

	if (f->st != VEIL_OK)
		return 0;
	if (section[0])
		f->st = error_set(f->err, VEIL_E_INVALID, "%s: section [%s]: the file has no sections",
			f->path, section);
	else if (!o)
		f->st = error_set(
			f->err, VEIL_E_INVALID, "%s: unknown option '%s'; --help lists them", f->path, name);
	else
		f->st = set(f->config, o, value, f->path, f->err);
	return f->st == VEIL_OK;
}

static enum veil_status read_file(struct config *config, const char *path, struct veil_error *err)
{
	struct file_state f = {config, path, err, VEIL_OK};
	FILE *file = fopen(path, "re");
	int line, failed;

	if (!file)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(errno));
	line = ini_parse_file(file, on_line, &f);
	failed = ferror(file) ? errno : 0; /* of a directory, say: to the parser that is the end of a file */
	fclose(file);
	if (f.st != VEIL_OK)
		return f.st;
	if (failed)
		return error_set(err, VEIL_E_IO, "%s: %s", path, strerror(failed));
	if (line == -2)
		return error_set(err, VEIL_E_NOMEM, "%s: no memory", path);
	if (line != 0)
		return error_set(err, VEIL_E_INVALID, "%s:%d: not of the form `name = value`", path, line);
	return VEIL_OK;
}

/* One flag; *at moves past it and its value. With `config` NULL only its form is checked. */
static enum veil_status take_flag(
	struct config *config, const char **file, int argc, char **argv, int *at, struct veil_error *err)
{
	const char *arg = argv[*at], *equals = strchr(arg, '='), *value;
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
	const struct option *o = n > 2 && strncmp(arg, "--", 2) == 0 ? find(arg + 2, n - 2) : NULL;
	bool is_file = n == 8 && strncmp(arg, "--config", 8) == 0;

	if (!o && !is_file)
		return error_set(err, VEIL_E_INVALID, "unknown option '%s'; --help lists them", arg);
	if (equals)
		value = equals + 1;
	else if (o && o->kind == KIND_FLAG)
		value = "true";
	else if (*at + 1 < argc)
		value = argv[++*at];
	else
		return error_set(err, VEIL_E_INVALID, "%s needs a value", arg);
	++*at;
	if (is_file)
		*file = value;
	return o && config ? set(config, o, value, "command line", err) : VEIL_OK;
}

static enum veil_status take_flags(
	struct config *config, const char **file, int argc, char **argv, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	for (int i = 1; i < argc && st == VEIL_OK;)
		st = take_flag(config, file, argc, argv, &i, err);
	return st;
}

enum veil_status config_parse(
	struct config *config, enum config_action *action, int argc, char **argv, struct veil_error *err)
{
	const char *file = NULL;
	enum veil_status st = VEIL_OK;

	*action = CONFIG_RUN;
	*config = (struct config){0};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			*action = CONFIG_HELP;
		if (strcmp(argv[i], "--version") == 0)
			*action = CONFIG_VERSION;
	}
	for (size_t i = 0; i < OPTIONS && st == VEIL_OK; i++)
		st = set(config, options + i, options[i].preset, "default", err);
	if (st != VEIL_OK || *action != CONFIG_RUN)
		return st;
	st = take_flags(NULL, &file, argc, argv, err);
	if (st == VEIL_OK && file)
		st = read_file(config, file, err);
	if (st == VEIL_OK)
		st = take_flags(config, &file, argc, argv, err);
	return st;
}

void config_help(FILE *out)
{
	fprintf(out, "  --config FILE\n        read `name = value` lines first; flags override them\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = options + i;

		fprintf(out, "  --%s%s%s\n        %s", o->name, o->meta[0] ? " " : "", o->meta, o->help);
		if (o->kind != KIND_FLAG && o->preset[0])
			fprintf(out, " [%s]", o->preset);
		fputc('\n', out);
	}
	fprintf(out, "  --help, --version\n");
}
