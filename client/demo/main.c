/* SPDX-License-Identifier: Apache-2.0 */
/* veil-demo: asks a server that holds Google's emoji drawings for each of Twitter's, encrypted, and compares
 * what comes back with searches in the clear; or for what one picture shows. client/demo/run.sh builds the
 * index and runs the server. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "demo/labels.h"
#include "demo/plain.h"
#include "demo/report.h"
#include "veil/embed.h"

#define SHOWN_QUERIES 5
#define IMAGE_PROBES 3

static const char usage[] = "usage: veil-demo --server URL --database FILE (--queries FILE | --image FILE) "
			    "--labels FILE [--json]\n";

struct arguments {
	const char *server, *database, *queries, *image, *labels;
	bool json;
};

struct demo {
	struct veil_client *client;
	const struct veil_index_info *info;
	struct veil_vectors *database, *queries;
	struct label *labels;
	struct plain *plain;
	struct outcome *outcomes;
	struct demo_costs costs;
};

static bool parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {{"server", required_argument, NULL, 's'},
		{"database", required_argument, NULL, 'd'}, {"queries", required_argument, NULL, 'q'},
		{"image", required_argument, NULL, 'i'}, {"labels", required_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			a->server = optarg;
			break;
		case 'd':
			a->database = optarg;
			break;
		case 'q':
			a->queries = optarg;
			break;
		case 'i':
			a->image = optarg;
			break;
		case 'l':
			a->labels = optarg;
			break;
		case 'j':
			a->json = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && a->server && a->database && !a->queries != !a->image && a->labels;
}

static enum veil_status prepare(struct demo *d, const struct arguments *a, struct veil_error *err)
{
	enum veil_status st = veil_vectors_read(&d->database, a->database, err);

	if (st == VEIL_OK)
		st = labels_read(&d->labels, veil_vectors_count(d->database), a->labels, err);
	if (st == VEIL_OK)
		st = veil_client_create(&d->client, a->server, err);
	if (st == VEIL_OK)
		st = veil_client_refresh(d->client, err);
	if (st == VEIL_OK)
		d->info = veil_client_info(d->client);
	return st;
}

static enum veil_status prepare_queries(struct demo *d, const struct arguments *a, struct veil_error *err)
{
	enum veil_status st = veil_vectors_read(&d->queries, a->queries, err);

	if (st == VEIL_OK)
		st = plain_create(&d->plain, d->database, d->info, err);
	if (st == VEIL_OK && veil_vectors_count(d->queries) != veil_vectors_count(d->database)) {
		snprintf(err->text, sizeof err->text, "%s and %s do not have the same rows", a->queries,
			a->database);
		st = VEIL_E_INVALID;
	}
	if (st == VEIL_OK) {
		d->outcomes = calloc(d->plain->count, sizeof *d->outcomes);
		st = d->outcomes ? VEIL_OK : VEIL_E_NOMEM;
	}
	return st;
}

static void clear(struct demo *d)
{
	free(d->outcomes);
	plain_destroy(d->plain);
	if (d->database)
		labels_free(d->labels, veil_vectors_count(d->database));
	veil_vectors_destroy(d->queries);
	veil_vectors_destroy(d->database);
	veil_client_destroy(d->client);
}

/* All rows of the shard come back, so that the plaintext search can look at the same records. */
static enum veil_status ask(struct demo *d, uint32_t row, bool show, struct veil_error *err)
{
	const float *query = veil_vectors_row(d->queries, row);
	struct outcome *o = &d->outcomes[row];
	struct veil_hits *hits;
	const struct veil_cost *cost;
	enum veil_status st = veil_client_search(
		d->client, &hits, query, veil_vectors_dim(d->queries), 1, VEIL_TOP_ALL, err);

	if (st != VEIL_OK)
		return st;
	cost = veil_hits_cost(hits);
	*o = (struct outcome){.heldout = d->labels[row].heldout,
		.encrypted = plain_rank_hits(d->plain, hits, row),
		.plain = plain_rank_int8(d->plain, hits, query, row),
		.exact = plain_rank_float(d->plain, query, row),
		.server_us = cost->server_us,
		.client_us = cost->encrypt_us + cost->decrypt_us};
	d->costs = (struct demo_costs){cost->bytes_up, cost->bytes_down};
	if (show)
		report_query(d->labels, d->plain->count, row, hits, o->encrypted);
	veil_hits_destroy(hits);
	return VEIL_OK;
}

static void show_progress(uint32_t done, uint32_t count)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%u of %u queries%s", done, count, done == count ? "\n" : "");
	else if (done % 500 == 0 || done == count)
		fprintf(stderr, "%u of %u queries\n", done, count);
}

static enum veil_status run(struct demo *d, bool json, struct veil_error *err)
{
	enum veil_status st = VEIL_OK;

	if (!json)
		printf("The server holds %u emoji as drawn by Google, in %u shards. Each question is the "
		       "same thing as drawn\n"
		       "by Twitter: it travels encrypted, and so does the answer.\n",
			d->plain->count, d->info->shards);
	for (uint32_t row = 0; row < d->plain->count; row++) {
		st = ask(d, row, !json && row < SHOWN_QUERIES, err);
		if (st != VEIL_OK)
			break;
		if (row + 1 == SHOWN_QUERIES && !json) {
			printf("\nNow all %u:\n", d->plain->count);
			fflush(stdout);
		}
		if (row + 1 >= SHOWN_QUERIES && (row % 20 == 19 || row + 1 == d->plain->count))
			show_progress(row + 1, d->plain->count);
	}
	return st;
}

static enum veil_status embed(float **vector, uint32_t *dim, const char *image, struct veil_error *err)
{
	struct veil_embedder *embedder;
	enum veil_status st = veil_embedder_create(&embedder, err);

	if (st != VEIL_OK)
		return st;
	*dim = veil_embedder_dim(embedder);
	*vector = calloc(*dim, sizeof **vector);
	st = *vector ? veil_embedder_embed_file(embedder, *vector, *dim, image, err) : VEIL_E_NOMEM;
	veil_embedder_destroy(embedder);
	return st;
}

/* What is in the picture? The few nearest shards are asked, as somebody who wants the answer would do it. */
static enum veil_status run_image(struct demo *d, const char *image, bool json, struct veil_error *err)
{
	uint32_t dim = 0, probes = d->info->shards < IMAGE_PROBES ? d->info->shards : IMAGE_PROBES;
	struct veil_hits *hits = NULL;
	float *vector = NULL;
	enum veil_status st = embed(&vector, &dim, image, err);

	if (st == VEIL_OK)
		st = veil_client_search(d->client, &hits, vector, dim, probes, REPORT_IMAGE_HITS, err);
	if (st == VEIL_OK && !report_image(d->labels, veil_vectors_count(d->database), image, hits, json)) {
		snprintf(err->text, sizeof err->text, "the output could not all be written");
		st = VEIL_E_IO;
	}
	veil_hits_destroy(hits);
	free(vector);
	return st;
}

/* Twitter's drawings, all of them. */
static enum veil_status run_queries(struct demo *d, const struct arguments *a, struct veil_error *err)
{
	enum veil_status st = prepare_queries(d, a, err);

	if (st == VEIL_OK)
		st = run(d, a->json, err);
	if (st == VEIL_OK && !report_all(d->info, d->outcomes, d->plain->count, &d->costs, a->json)) {
		snprintf(err->text, sizeof err->text, "the output could not all be written");
		st = VEIL_E_IO;
	}
	return st;
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct demo d = {0};
	struct veil_error err = {""};
	enum veil_status st;

	if (!parse(&a, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	st = prepare(&d, &a, &err);
	if (st == VEIL_OK)
		st = a.image ? run_image(&d, a.image, a.json, &err) : run_queries(&d, &a, &err);
	if (st != VEIL_OK)
		fprintf(stderr, "veil-demo: %s\n", err.text[0] ? err.text : veil_status_name(st));
	clear(&d);
	return st != VEIL_OK;
}
