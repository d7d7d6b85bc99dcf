/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const struct config_option *find(const struct config_table *t, const char *name, size_t size)
{
	for (size_t i = 0; i < t->count; i++)
		if (strlen(t->options[i].name) == size && memcmp(t->options[i].name, name, size) == 0)
			return t->options + i;
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
static enum veil_status set(void *config, const struct config_option *o, const char *value, const char *where,
	struct veil_error *err)
{
	char *field = (char *)config + o->offset;
	bool yes = strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;
	uint32_t number;
	uint64_t size;
	size_t n = strlen(value);

	switch (o->kind) {
	case CONFIG_TEXT:
		if (n >= CONFIG_TEXT_SIZE)
			return error_set(err, VEIL_E_INVALID, "%s: %s is longer than %d bytes", where,
				o->name, CONFIG_TEXT_SIZE - 1);
		memcpy(field, value, n + 1);
		return VEIL_OK;
	case CONFIG_NUMBER:
		if (!parse_number(&number, value, o->low, o->high))
			return error_set(err, VEIL_E_INVALID,
				"%s: %s is '%.40s', not a whole number from %u to %u", where, o->name, value,
				(unsigned)o->low, (unsigned)o->high);
		memcpy(field, &number, sizeof number);
		return VEIL_OK;
	case CONFIG_SIZE:
		if (!parse_size(&size, value))
			return error_set(err, VEIL_E_INVALID,
				"%s: %s is '%.40s', not a size such as 256M or 1.2G", where, o->name, value);
		memcpy(field, &size, sizeof size);
		return VEIL_OK;
	case CONFIG_FLAG:
		if (!yes && strcmp(value, "false") != 0 && strcmp(value, "no") != 0)
			return error_set(err, VEIL_E_INVALID, "%s: %s is '%.40s', neither true nor false",
				where, o->name, value);
		memcpy(field, &yes, sizeof yes);
		return VEIL_OK;
	}
	return VEIL_E_INVALID;
}

/* What is being filled, by which table. */
struct filling {
	void *config; /* NULL: only the form of the flags is checked */
	const struct config_table *table;
	const char *file; /* of --config; NULL: none */
};

struct file_state {
	struct filling *to;
	struct veil_error *err;
	enum veil_status st; /* the first failure */
};

static int on_line(void *user, const char *section, const char *name, const char *value)
{
	struct file_state *f = user;
	const struct config_option *o = find(f->to->table, name, strlen(name));

	if (f->st != VEIL_OK)
		return 0;
	if (section[0])
		f->st = error_set(f->err, VEIL_E_INVALID, "%s: section [%s]: the file has no sections",
			f->to->file, section);
	else if (!o)
		f->st = error_set(f->err, VEIL_E_INVALID, "%s: unknown option '%s'; --help lists them",
			f->to->file, name);
	else
		f->st = set(f->to->config, o, value, f->to->file, f->err);
	return f->st == VEIL_OK;
}

static enum veil_status read_file(struct filling *to, struct veil_error *err)
{
	struct file_state f = {to, err, VEIL_OK};
	const char *path = to->file;
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

/* One flag; *at moves past it and its value. */
static enum veil_status take_flag(struct filling *to, int argc, char **argv, int *at, struct veil_error *err)
{
	const char *arg = argv[*at], *equals = strchr(arg, '='), *value;
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
	bool is_flag = n > 2 && strncmp(arg, "--", 2) == 0;
	const struct config_option *o = is_flag ? find(to->table, arg + 2, n - 2) : NULL;
	bool is_file = n == 8 && strncmp(arg, "--config", 8) == 0;

	if (!o && !is_file)
		return error_set(err, VEIL_E_INVALID, "unknown option '%s'; --help lists them", arg);
	if (equals)
		value = equals + 1;
	else if (o && o->kind == CONFIG_FLAG)
		value = "true";
	else if (*at + 1 < argc)
		value = argv[++*at];
	else
		return error_set(err, VEIL_E_INVALID, "%s needs a value", arg);
	++*at;
	if (is_file)
		to->file = value;
	return o && to->config ? set(to->config, o, value, "command line", err) : VEIL_OK;
}

static enum veil_status take_flags(struct filling *to, int argc, char **argv, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	for (int i = 1; i < argc && st == VEIL_OK;)
		st = take_flag(to, argc, argv, &i, err);
	return st;
}

enum veil_status config_parse(void *config, enum config_action *action, const struct config_table *table,
	int argc, char **argv, struct veil_error *err)
{
	struct filling to = {.table = table};
	enum veil_status st = VEIL_OK;

	*action = CONFIG_RUN;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			*action = CONFIG_HELP;
		if (strcmp(argv[i], "--version") == 0)
			*action = CONFIG_VERSION;
	}
	for (size_t i = 0; i < table->count && st == VEIL_OK; i++)
		st = set(config, table->options + i, table->options[i].preset, "default", err);
	if (st != VEIL_OK || *action != CONFIG_RUN)
		return st;
	st = take_flags(&to, argc, argv, err);
	to.config = config;
	if (st == VEIL_OK && to.file)
		st = read_file(&to, err);
	if (st == VEIL_OK)
		st = take_flags(&to, argc, argv, err);
	return st;
}

void config_help(FILE *out, const struct config_table *table)
{
	fprintf(out, "  --config FILE\n        read `name = value` lines first; flags override them\n");
	for (size_t i = 0; i < table->count; i++) {
		const struct config_option *o = table->options + i;

		fprintf(out, "  --%s%s%s\n        %s", o->name, o->meta[0] ? " " : "", o->meta, o->help);
		if (o->kind != CONFIG_FLAG && o->preset[0])
			fprintf(out, " [%s]", o->preset);
		fputc('\n', out);
	}
	fprintf(out, "  --help, --version\n");
}
