/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/require.h"
#include "index/codebook.h"
#include "index/vectors.h"
#include "nn/context.h"
#include "secret/search.h"
#include "store/index.h"
#include "store/writer.h"
#include "support/test.h"
#include "wire/messages.h"

/* What happens when memory runs out: the first, the second, ... allocation of an operation fails, until one
 * run needs no more. Each failure must come back as VEIL_E_NOMEM, with nothing left behind. This program is
 * the process's malloc, so that protobuf-c and jansson are refused as well; libcrypto and libsodium are not
 * (they keep what they take, and running out inside a hash aborts by intent). Not built with a sanitizer:
 * those have a malloc of their own. */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static long until_failure = -1; /* allocations that still succeed; -1: all */
static long live; /* blocks taken and not given back, while counting */
static int counting;
static int ours; /* the refused allocation was made by our code, not in a library */

static int is_refused(const void *caller)
{
	Dl_info from = {0}, here = {0};

	if (!counting || !dladdr(caller, &from) || strstr(from.dli_fname, "libcrypto") ||
		strstr(from.dli_fname, "libsodium"))
		return 0;
	if (until_failure < 0 || until_failure-- > 0)
		return 0;
	dladdr((const void *)(uintptr_t)is_refused, &here);
	ours = from.dli_fbase == here.dli_fbase;
	return 1;
}

#define TAKE(call)                                           \
	do {                                                 \
		void *p;                                     \
		if (is_refused(__builtin_return_address(0))) \
			return NULL;                         \
		p = (call);                                  \
		live += counting && p;                       \
		return p;                                    \
	} while (0)

/* The libraries must see these too. */
#pragma GCC visibility push(default)

void *malloc(size_t size)
{
	TAKE(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	TAKE(__libc_calloc(count, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	TAKE(__libc_memalign(alignment, size));
}

void *realloc(void *old, size_t size)
{
	if (!old)
		TAKE(__libc_malloc(size));
	return is_refused(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

void free(void *p)
{
	live -= counting && p;
	__libc_free(p);
}

/* Hundreds of indexes are written here that need not survive. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

#pragma GCC visibility pop

static struct nn_context *context; /* what the wire and secret cases share */
static char index_dir[256], npy[256], jsonl[256], names[256];
static uint8_t *config_bytes, *codebook_bytes, *reply_bytes;
static size_t config_size, codebook_size;

static struct nn_spec spec_of(void)
{
	return (struct nn_spec){.params = rlwe_params_find("insecure_search_n64_q28"),
		.dim = 8,
		.rows = 6,
		.terms = 2,
		.row_norm = 130,
		.scale = 127,
		.allow_insecure = true};
}

static enum veil_status open_context(struct veil_error *err)
{
	struct nn_spec spec = spec_of();
	struct nn_context *ctx;
	enum veil_status st = nn_context_create(&ctx, &spec, cpu_features(), err);

	if (st == VEIL_OK)
		nn_context_destroy(ctx);
	return st;
}

static enum veil_status make_query(struct veil_error *err)
{
	const float vector[8] = {1, 2, 3};
	struct rng rng = rng_system();
	struct secret_search *search;
	enum veil_status st = secret_search_create(&search, context, vector, &rng, err);

	if (st == VEIL_OK)
		secret_search_destroy(search);
	return st;
}

static enum veil_status read_config(struct veil_error *err)
{
	struct wire_config config;

	return wire_config_read(&config, config_bytes, config_size, err);
}

static enum veil_status read_reply(struct veil_error *err)
{
	struct wire_reply reply;
	enum veil_status st =
		wire_reply_read(context, 8, &reply, reply_bytes, wire_reply_bytes(context, 8), err);

	if (st == VEIL_OK)
		wire_reply_clear(&reply);
	return st;
}

static enum veil_status read_codebook(struct veil_error *err)
{
	struct index_codebook cb;
	enum veil_status st = index_codebook_read(&cb, codebook_bytes, codebook_size, err);

	if (st == VEIL_OK)
		index_codebook_clear(&cb);
	return st;
}

static enum veil_status read_vectors(const char *path, const char *names_path, struct veil_error *err)
{
	struct index_vectors *v;
	enum veil_status st = index_vectors_open(&v, path, err);

	if (st != VEIL_OK)
		return st;
	if (names_path)
		st = index_vectors_read_names(v, names_path, err);
	index_vectors_close(v);
	return st;
}

static enum veil_status read_npy(struct veil_error *err)
{
	return read_vectors(npy, names, err);
}

static enum veil_status read_jsonl(struct veil_error *err)
{
	return read_vectors(jsonl, NULL, err);
}

static enum veil_status open_index(struct veil_error *err)
{
	struct store_index *index;
	enum veil_status st = store_index_open(&index, index_dir, err);

	if (st == VEIL_OK)
		store_index_close(index);
	return st;
}

static enum veil_status write_index(struct veil_error *err)
{
	float centroids[16] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	struct index_codebook cb = {.shards = 2, .dim = 8, .centroids = centroids};
	struct store_plan plan = {
		.name = "tiny", .spec = spec_of(), .shards = 2, .label_bytes = 8, .records = 12};
	int8_t rows[6 * 8] = {1, 2, 3};
	uint8_t labels[6 * 8] = {0};
	struct store_writer *w = NULL;
	enum veil_status st = store_writer_create(&w, index_dir, err);

	if (st == VEIL_OK)
		st = store_writer_begin(w, &plan, &cb, err);
	for (uint32_t i = 0; st == VEIL_OK && i < 2; i++)
		st = store_writer_shard(w, i, rows, labels, 6, err);
	if (st == VEIL_OK)
		st = store_writer_commit(w, 0, (uint8_t[HASH_BYTES]){0}, err);
	store_writer_destroy(w);
	return st;
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	REQUIRE(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
}

static void write_inputs(void)
{
	static const char header[] = "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 8), }";
	static const char lines[] = "{\"id\": \"a\", \"vector\": [1, 2.5, 3], \"name\": \"one\"}\n"
				    "{\"id\": 7, \"vector\": [0, 1, 0]}\n";
	uint8_t file[128 + 16] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};

	memset(file + 10, ' ', 118);
	memcpy(file + 10, header, sizeof header - 1);
	file[127] = '\n';
	memset(file + 128, 5, 16);
	write_file(npy, file, sizeof file);
	write_file(jsonl, lines, sizeof lines - 1);
	write_file(names, "1\ttwo\n0\tone\n", 12);
}

static void set_up(void)
{
	const char *dir = test_tmpdir();
	struct nn_spec spec = spec_of();
	float centroids[16] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	struct index_codebook cb = {.shards = 2, .dim = 8, .centroids = centroids};
	struct wire_config config = {
		.name = "tiny", .spec = spec, .shards = 2, .label_bytes = 8, .records = 12};
	struct wire_reply reply = {0};
	uint8_t *zeros;

	snprintf(index_dir, sizeof index_dir, "%s/index", dir);
	snprintf(npy, sizeof npy, "%s/a.npy", dir);
	snprintf(jsonl, sizeof jsonl, "%s/a.jsonl", dir);
	snprintf(names, sizeof names, "%s/names.tsv", dir);
	write_inputs();
	REQUIRE(nn_context_create(&context, &spec, cpu_features(), NULL) == VEIL_OK);
	codebook_size = index_codebook_bytes(2, 8);
	config.codebook_bytes = (uint32_t)codebook_size;
	config.query_bytes = (uint32_t)wire_query_bytes(context);
	config.reply_bytes = (uint32_t)wire_reply_bytes(context, 8);
	REQUIRE(wire_config_write(&config_bytes, &config_size, &config) == VEIL_OK);
	codebook_bytes = malloc(codebook_size);
	index_codebook_write(&cb, codebook_bytes);
	zeros = calloc(1, context->reply_bytes + 6 * 8);
	reply_bytes = malloc(config.reply_bytes);
	REQUIRE(codebook_bytes && zeros && reply_bytes);
	reply.ciphertexts = (struct bytes){zeros, context->reply_bytes};
	reply.labels = (struct bytes){zeros, 6 * 8};
	wire_reply_write(context, 8, reply_bytes, &reply);
	free(zeros);
}

static const struct operation {
	const char *name;
	enum veil_status (*run)(struct veil_error *err);
	enum veil_status (*read_back)(
		struct veil_error *err); /* after a run that reported success; may be NULL */
} operations[] = {
	{"nn_context_create", open_context, NULL},
	{"secret_search_create", make_query, NULL},
	{"wire_config_read", read_config, NULL},
	{"wire_reply_read", read_reply, NULL},
	{"index_codebook_read", read_codebook, NULL},
	{"index_vectors_open .npy with names", read_npy, NULL},
	{"index_vectors_open .jsonl", read_jsonl, NULL},
	{"store_writer", write_index, open_index},
	{"store_index_open", open_index, NULL},
};

static int is_right(const struct operation *op, enum veil_status st, long refused_at, const char *text)
{
	struct veil_error err = {""};

	if (live == 0 && (st == VEIL_E_NOMEM || !ours || (st == VEIL_OK && op->read_back)) &&
		(st != VEIL_OK || !op->read_back || op->read_back(&err) == VEIL_OK))
		return 1;
	printf("%s, allocation %ld: %s, %s, %ld blocks left; %s\n", op->name, refused_at,
		veil_status_name(st), st == VEIL_OK ? "" : text, live, err.text);
	return 0;
}

/* Returns the number of allocations that were made to fail. */
static long exhaust(const struct operation *op, int *failures)
{
	REQUIRE(op->run(NULL) == VEIL_OK); /* lazy set-up of libraries, and what the next operation reads */
	for (long n = 0;; n++) {
		struct veil_error err = {"(no sentence)"};
		enum veil_status st;

		live = 0;
		until_failure = n;
		counting = 1;
		st = op->run(&err);
		counting = 0;
		if (until_failure >= 0) { /* never reached: nothing was refused */
			REQUIRE(st == VEIL_OK && live == 0);
			return n;
		}
		*failures += !is_right(op, st, n, err.text);
	}
}

int main(void)
{
	int failures = 0;

	set_up();
	for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
		long count = exhaust(&operations[i], &failures);

		printf("%-36s %3ld allocations failed in turn\n", operations[i].name, count);
	}
	return failures != 0;
}
