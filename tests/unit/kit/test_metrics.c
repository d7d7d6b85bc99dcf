/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/metrics.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A daemon's table: the rows of the kit and three of its own. */
enum { QUERIES = METRICS_OF_KIT, SECONDS, BATCH };

static const struct metrics_row rows[] = {
#define COUNTER(id, name, help) {METRICS_COUNTER, name, help},
#define GAUGE(id, name, help) {METRICS_GAUGE, name, help},
#include "kit/metrics.def"
	{METRICS_COUNTER, "veil_queries_total", "Queries."},
	{METRICS_SECONDS, "veil_compute_seconds", "Time."},
	{METRICS_SIZES, "veil_batch_size", "Sizes."},
};
static const struct metrics_table table = {rows, sizeof rows / sizeof *rows};

static char *text_of(const struct metrics *m)
{
	size_t size = 0;
	char *text = metrics_text(m, &size);

	cr_assert_not_null(text);
	cr_assert_eq(strlen(text), size);
	return text;
}

static void expect(const struct metrics *m, const char *line)
{
	char *text = text_of(m);

	cr_assert_not_null(strstr(text, line), "no '%s' in\n%s", line, text);
	free(text);
}

Test(metrics, counters_and_gauges_appear_with_their_values)
{
	struct metrics *m = NULL;

	cr_assert(metrics_create(&m, &table) == VEIL_OK);
	expect(m, "\nveil_queries_total 0\n");
	metrics_add(m, QUERIES, 3);
	metrics_add(m, QUERIES, 4);
	metrics_add(m, METRICS_connections_open, 1);
	metrics_add(m, METRICS_connections_open, -1);
	metrics_set(m, METRICS_buffer_bytes, 9);
	expect(m, "\n# TYPE veil_queries_total counter\nveil_queries_total 7\n");
	expect(m, "\n# TYPE veil_buffer_bytes gauge\nveil_buffer_bytes 9\n");
	expect(m, "\nveil_connections_open 0\n");
	metrics_destroy(m);
	metrics_destroy(NULL);
}

Test(metrics, a_family_is_introduced_once)
{
	struct metrics *m = NULL;
	char *text, *first;

	cr_assert(metrics_create(&m, &table) == VEIL_OK);
	text = text_of(m);
	first = strstr(text, "# TYPE veil_responses_total counter\n");
	cr_assert_not_null(first);
	cr_assert_null(strstr(first + 1, "# TYPE veil_responses_total"));
	cr_assert_not_null(strstr(first, "\nveil_responses_total{class=\"5xx\"} 0\n"));
	cr_assert_null(strstr(text, "HELP veil_responses_total \n"));
	free(text);
	metrics_destroy(m);
}

Test(metrics, a_histogram_counts_upwards_and_its_bounds_belong_to_their_buckets)
{
	struct metrics *m = NULL;

	cr_assert(metrics_create(&m, &table) == VEIL_OK);
	metrics_observe(m, SECONDS, 50000); /* on the first bound */
	metrics_observe(m, SECONDS, 50001);
	metrics_observe(m, SECONDS, 900000000);
	metrics_observe(m, SECONDS, 31000000000); /* beyond the last */
	expect(m, "\nveil_compute_seconds_bucket{le=\"5e-05\"} 1\n");
	expect(m, "\nveil_compute_seconds_bucket{le=\"6.3e-05\"} 2\n");
	expect(m, "\nveil_compute_seconds_bucket{le=\"0.63\"} 2\n");
	expect(m, "\nveil_compute_seconds_bucket{le=\"1\"} 3\n");
	expect(m, "\nveil_compute_seconds_bucket{le=\"30\"} 3\n");
	expect(m, "\nveil_compute_seconds_bucket{le=\"+Inf\"} 4\n");
	expect(m, "\nveil_compute_seconds_count 4\n");
	expect(m, "\nveil_compute_seconds_sum 31.900100001\n");
	metrics_destroy(m);
}

Test(metrics, a_histogram_of_sizes_has_powers_of_two)
{
	struct metrics *m = NULL;

	cr_assert(metrics_create(&m, &table) == VEIL_OK);
	metrics_observe(m, BATCH, 8);
	metrics_observe(m, BATCH, 9);
	metrics_observe(m, BATCH, 40000);
	expect(m, "\n# TYPE veil_batch_size histogram\nveil_batch_size_bucket{le=\"1\"} 0\n");
	expect(m, "\nveil_batch_size_bucket{le=\"8\"} 1\n");
	expect(m, "\nveil_batch_size_bucket{le=\"16\"} 2\n");
	expect(m, "\nveil_batch_size_bucket{le=\"32768\"} 2\n");
	expect(m, "\nveil_batch_size_bucket{le=\"+Inf\"} 3\n");
	expect(m, "\nveil_batch_size_sum 40017.000000000\n");
	metrics_destroy(m);
}
