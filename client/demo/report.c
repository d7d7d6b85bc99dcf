/* SPDX-License-Identifier: Apache-2.0 */
#include "demo/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN 5

static const char *name_of(const struct label *labels, uint32_t count, const struct veil_hit *hit)
{
	return hit->record < count ? labels[hit->record].name : hit->name;
}

void report_query(const struct label *labels, uint32_t count, uint32_t asked, const struct veil_hits *hits,
	uint32_t rank)
{
	printf("\nAsked with Twitter's drawing of  %s\n", labels[asked].name);
	for (size_t i = 0; i < SHOWN && i < veil_hits_count(hits); i++) {
		const struct veil_hit *hit = veil_hits_at(hits, i);

		printf("  %u.  %.4f  %s%s\n", hit->rank, hit->cosine, name_of(labels, count, hit),
			hit->rank == rank ? "   <-- found" : "");
	}
	if (rank > SHOWN)
		printf("  not among these%s\n", rank == UINT32_MAX ? ", nor in this shard" : "");
}

static bool print_object(json_t *object)
{
	bool done =
		object && json_dumpf(object, stdout, JSON_REAL_PRECISION(6)) == 0 && putchar('\n') == '\n';

	json_decref(object);
	return done;
}

static bool print_image_json(
	const struct label *labels, uint32_t count, const char *image, const struct veil_hits *hits)
{
	const struct veil_cost *cost = veil_hits_cost(hits);
	json_t *results = json_array();

	for (size_t i = 0; i < veil_hits_count(hits); i++) {
		const struct veil_hit *hit = veil_hits_at(hits, i);

		json_array_append_new(results,
			json_pack("{si si ss sf}", "rank", (int)hit->rank, "record", (int)hit->record, "name",
				name_of(labels, count, hit), "cosine", hit->cosine));
	}
	return print_object(json_pack("{so so si sI sI}", "image", json_string_nocheck(image), "results",
		results, "shards_asked", (int)cost->shards_asked, "bytes_up", (json_int_t)cost->bytes_up,
		"bytes_down", (json_int_t)cost->bytes_down));
}

bool report_image(const struct label *labels, uint32_t count, const char *image, const struct veil_hits *hits,
	bool json)
{
	const struct veil_cost *cost = veil_hits_cost(hits);

	if (json)
		return print_image_json(labels, count, image, hits) && fflush(stdout) == 0 && !ferror(stdout);
	printf("Asked with %s, among %u emoji as drawn by Google. The picture became a vector on this "
	       "machine; "
	       "the vector\n"
	       "travelled encrypted, and so did the answer.\n\n",
		image, count);
	for (size_t i = 0; i < veil_hits_count(hits); i++) {
		const struct veil_hit *hit = veil_hits_at(hits, i);

		printf("  %u.  %.4f  %s\n", hit->rank, hit->cosine, name_of(labels, count, hit));
	}
	printf("\n%.1f KiB up, %.1f KiB down; the server saw ciphertexts and, in this direct mode, the "
	       "address and "
	       "which %u shards were asked.\n",
		(double)cost->bytes_up / 1024, (double)cost->bytes_down / 1024, cost->shards_asked);
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* Recall of one group of queries: how many were found at the first place, and among ten. */
struct recall {
	size_t queries;
	double r1, r10, plain_r1, plain_r10, exact_r1, exact_r10;
};

static struct recall measure(const struct outcome *o, size_t count, bool heldout_only)
{
	struct recall r = {0};

	for (size_t i = 0; i < count; i++) {
		if (heldout_only && !o[i].heldout)
			continue;
		r.queries++;
		r.r1 += o[i].encrypted <= 1;
		r.r10 += o[i].encrypted <= 10;
		r.plain_r1 += o[i].plain <= 1;
		r.plain_r10 += o[i].plain <= 10;
		r.exact_r1 += o[i].exact <= 1;
		r.exact_r10 += o[i].exact <= 10;
	}
	for (double *x = &r.r1; x <= &r.exact_r10 && r.queries; x++)
		*x /= (double)r.queries;
	return r;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* In ms; negative where a time is missing, or there is no memory. */
static double median_ms(const struct outcome *o, size_t count, size_t field)
{
	double *us = calloc(count, sizeof *us), ms = -1;

	if (!us)
		return -1;
	for (size_t i = 0; i < count; i++)
		us[i] = *(const double *)((const char *)&o[i] + field);
	qsort(us, count, sizeof *us, by_size);
	if (us[0] >= 0)
		ms = (us[(count - 1) / 2] + us[count / 2]) / 2000;
	free(us);
	return ms;
}

static json_t *pack_recall(const struct recall *r)
{
	return json_pack("{sf sf sf sf sf sf}", "r1", r->r1, "r10", r->r10, "plain_r1", r->plain_r1,
		"plain_r10", r->plain_r10, "exact_r1", r->exact_r1, "exact_r10", r->exact_r10);
}

static json_t *pack_ms(double ms)
{
	return ms < 0 ? json_null() : json_real(ms);
}

static bool print_json(const struct recall *heldout, const struct recall *all, const struct demo_costs *costs,
	double server_ms, double client_ms)
{
	json_t *object = json_pack("{sI so so sI sI so so}", "queries", (json_int_t)all->queries, "heldout",
		pack_recall(heldout), "all", pack_recall(all), "bytes_up", (json_int_t)costs->bytes_up,
		"bytes_down", (json_int_t)costs->bytes_down, "server_ms_median", pack_ms(server_ms),
		"client_ms_median", pack_ms(client_ms));

	return print_object(object);
}

static void print_text(const struct veil_index_info *info, const struct recall *heldout,
	const struct recall *all, const struct demo_costs *costs, double server_ms, double client_ms)
{
	const struct {
		const char *name;
		double value[4];
	} lines[] = {
		{"encrypted, one shard", {heldout->r1, heldout->r10, all->r1, all->r10}},
		{"plaintext int8, the same shard",
			{heldout->plain_r1, heldout->plain_r10, all->plain_r1, all->plain_r10}},
		{"exact, all records",
			{heldout->exact_r1, heldout->exact_r10, all->exact_r1, all->exact_r10}},
	};

	printf("\nHow often is the right drawing first (R@1), or among ten (R@10)? Classes held out from the "
	       "training\n"
	       "of the embedding are the fair measure.\n\n");
	printf("%-32s  held out (%zu)      all (%zu)\n", "", heldout->queries, all->queries);
	printf("%-32s    R@1     R@10      R@1     R@10\n", "");
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		printf("%-32s   %.3f   %.3f     %.3f   %.3f\n", lines[i].name, lines[i].value[0],
			lines[i].value[1], lines[i].value[2], lines[i].value[3]);
	printf("\nA query, whatever is asked (HTTP bodies; headers are not counted):\n");
	printf("  %.1f KiB up, %.1f KiB down\n", (double)costs->bytes_up / 1024,
		(double)costs->bytes_down / 1024);
	if (server_ms >= 0)
		printf("  server %.3f ms (median, one core)\n", server_ms);
	printf("  client %.3f ms (median: encrypt, decrypt, rank all %u rows of the shard)\n", client_ms,
		info->rows);
	printf("\nThe server saw ciphertexts and, in this direct mode, the address and which of %u shards "
	       "was asked.\n",
		info->shards);
}

bool report_all(const struct veil_index_info *info, const struct outcome *outcomes, size_t count,
	const struct demo_costs *costs, bool json)
{
	const struct recall heldout = measure(outcomes, count, true), all = measure(outcomes, count, false);
	double server_ms = median_ms(outcomes, count, offsetof(struct outcome, server_us));
	double client_ms = median_ms(outcomes, count, offsetof(struct outcome, client_us));

	if (json) {
		if (!print_json(&heldout, &all, costs, server_ms, client_ms))
			return false;
	} else {
		print_text(info, &heldout, &all, costs, server_ms, client_ms);
	}
	return fflush(stdout) == 0 && !ferror(stdout);
}
