/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "cli/cli.h"

int output_json(json_t *object)
{
	int failed = !object || json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) != 0;

	json_decref(object);
	if (failed) {
		fputs("veil: no memory for the output\n", stderr);
		return CLI_INPUT;
	}
	putchar('\n');
	return cli_finish();
}

static json_t *pack_info(const struct veil_index_info *i)
{
	return json_pack("{ss ss ss sb sf si sf sI si si si sI sI sb sf sI sI sI}", "id", i->id, "name",
		i->name, "params", i->params, "exact", i->exact, "error", i->error, "dim", (int)i->dim,
		"scale", i->scale, "records", (json_int_t)i->records, "shards", (int)i->shards, "rows",
		(int)i->rows, "label_bytes", (int)i->label_bytes, "query_bytes", (json_int_t)i->query_bytes,
		"reply_bytes", (json_int_t)i->reply_bytes, "sealed", i->sealed, "sealed_error",
		i->sealed_error, "sealed_query_bytes", (json_int_t)i->sealed_query_bytes,
		"sealed_reply_bytes", (json_int_t)i->sealed_reply_bytes, "sealed_static_bytes",
		(json_int_t)i->sealed_static_bytes);
}

int output_info(const struct veil_index_info *info, int json)
{
	if (json)
		return output_json(pack_info(info));
	printf("index       %s\n", info->name);
	printf("id          %s\n", info->id);
	printf("records     %llu of %u numbers\n", (unsigned long long)info->records, info->dim);
	printf("shards      %u of %u rows, labels of %u bytes\n", info->shards, info->rows,
		info->label_bytes);
	printf("encryption  %s\n", info->params);
	if (info->exact)
		puts("scores      exact: integer dot products");
	else
		printf("scores      cosines within %.5f (standard deviation)\n", info->error);
	printf("a query     %.1f KiB up, %.1f KiB down, whatever is asked\n",
		(double)info->query_bytes / 1024, (double)info->reply_bytes / 1024);
	if (info->sealed)
		printf("sealed      %.1f KiB up, %.1f KiB down and %.1f held; cosines within %.5f\n",
			(double)info->sealed_query_bytes / 1024, (double)info->sealed_reply_bytes / 1024,
			(double)info->sealed_static_bytes / 1024, info->sealed_error);
	return cli_finish();
}

/* Nine digits are a float, whole. JSON has no way to say a file name that is not UTF-8. */
int output_vector(const char *image, const float *vector, uint32_t dim, int json)
{
	json_t *numbers, *name;

	if (json) {
		name = json_string(image);
		numbers = json_array();
		for (uint32_t i = 0; i < dim; i++)
			json_array_append_new(numbers, json_real((double)vector[i]));
		return output_json(json_pack("{so si so}", "image", name ? name : json_null(), "dim",
			(int)dim, "vector", numbers));
	}
	for (uint32_t i = 0; i < dim; i++)
		printf("%.9g%c", (double)vector[i], i + 1 < dim ? ' ' : '\n');
	return cli_finish();
}

static json_t *pack_hit(const struct veil_hit *h)
{
	json_t *record = h->record == VEIL_NO_RECORD ? json_null() : json_integer(h->record);

	return json_pack("{si so ss sf sf si si}", "rank", (int)h->rank, "record", record, "name", h->name,
		"cosine", h->cosine, "score", h->score, "shard", (int)h->shard, "row", (int)h->row);
}

static json_t *pack_cost(const struct veil_cost *c)
{
	json_t *shards = json_array();
	json_t *server = c->server_us < 0 ? json_null() : json_real(c->server_us);

	for (uint32_t i = 0; i < c->shards_asked; i++)
		json_array_append_new(shards, json_integer(c->shards[i]));
	return json_pack("{so sI sI so sf sf sf sI}", "shards", shards, "bytes_up", (json_int_t)c->bytes_up,
		"bytes_down", (json_int_t)c->bytes_down, "server_us", server, "encrypt_us", c->encrypt_us,
		"network_us", c->network_us, "decrypt_us", c->decrypt_us, "requests_needed",
		(json_int_t)c->requests_needed);
}

json_t *output_pack_hits(const struct veil_hits *hits, const char *mode)
{
	json_t *results = json_array();

	for (size_t i = 0; i < veil_hits_count(hits); i++)
		json_array_append_new(results, pack_hit(veil_hits_at(hits, i)));
	return json_pack("{ss ss so so}", "mode", mode, "index", veil_hits_index(hits), "results", results,
		"cost", pack_cost(veil_hits_cost(hits)));
}

static void print_hit(json_t *hit)
{
	const char *name = "";
	int rank = 0, shard = 0, row = 0;
	json_t *record = NULL;
	double cosine = 0;

	json_unpack(hit, "{si so ss sF si si}", "rank", &rank, "record", &record, "name", &name, "cosine",
		&cosine, "shard", &shard, "row", &row);
	printf("%4d  ", rank);
	if (json_is_integer(record))
		printf("%10lld", (long long)json_integer_value(record));
	else
		printf("%d/%d", shard, row);
	printf("  %7.4f  %s\n", cosine, name);
}

static void print_cost(json_t *cost)
{
	double encrypt = 0, decrypt = 0, network = 0;
	json_t *shards = NULL, *server = NULL, *shard;
	json_int_t up = 0, down = 0;
	size_t i;

	json_unpack(cost, "{so sI sI so sF sF sF}", "shards", &shards, "bytes_up", &up, "bytes_down", &down,
		"server_us", &server, "encrypt_us", &encrypt, "network_us", &network, "decrypt_us", &decrypt);
	printf("cost: %.1f KiB up, %.1f KiB down; ", (double)up / 1024, (double)down / 1024);
	if (json_is_number(server))
		printf("server %.2f ms, ", json_number_value(server) / 1000);
	else
		printf("server time not told, ");
	printf("client %.2f ms (encrypt %.2f, decrypt %.2f), network %.2f ms; %s", (encrypt + decrypt) / 1000,
		encrypt / 1000, decrypt / 1000, network / 1000,
		json_array_size(shards) ? "shard" : "all shards, sealed");
	json_array_foreach(shards, i, shard)
	{
		printf(" %lld", (long long)json_integer_value(shard));
	}
	putchar('\n');
}

int output_answer(json_t *answer, int json)
{
	json_t *hit;
	size_t i;

	if (json || !answer)
		return output_json(answer);
	puts("rank      record  cosine   name");
	json_array_foreach(json_object_get(answer, "results"), i, hit)
	{
		print_hit(hit);
	}
	print_cost(json_object_get(answer, "cost"));
	json_decref(answer);
	return cli_finish();
}

int output_plan(const struct veil_privacy_figures *f, int json)
{
	json_t *client = f->users ? json_real(f->fakes_per_client) : json_null();

	if (json)
		return output_json(json_pack("{sf so sf sf}", "fakes_per_shard", f->fakes_per_shard,
			"fakes_per_client", client, "r", f->r, "p", f->p));
	json_decref(client);
	printf("goal        eps %g, delta %g, up to %u question%s a user and epoch\n", f->eps, f->delta,
		f->questions, f->questions > 1 ? "s" : "");
	printf("fakes       %.1f a shard and epoch, all clients together\n", f->fakes_per_shard);
	printf("            negative binomial, r = %g, p = %.9f; delta is at most %.4g\n", f->r, f->p,
		f->delta_bound);
	if (f->users) {
		printf("a client    %.3g fakes an epoch on average, of %u shards and %u users\n",
			f->fakes_per_client, f->shards, f->users);
		printf("            %u requests in every epoch, so that the count says nothing\n",
			f->constant);
	}
	printf("in words    Whoever sees the counts of all shards, and knows all but one user's questions,\n"
	       "            finds nothing more than e^%g = %.2f times as likely because of what that user\n"
	       "            asked rather than something else; but for a chance of %g.\n",
		f->eps, exp(f->eps), f->delta);
	return cli_finish();
}

static json_t *pack_real(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static void print_eps(const char *what, double eps)
{
	if (isfinite(eps))
		printf("%s eps %.3g\n", what, eps);
	else
		printf("%s no eps: nothing is promised any more\n", what);
}

int output_spending(const struct veil_privacy_spending *s, int json)
{
	if (json)
		return output_json(json_pack("{sf sf si si sI si sI so so so so}", "eps", s->eps, "delta",
			s->delta, "q", (int)s->questions, "epochs_a_day", (int)s->epochs_a_day, "epochs_ever",
			(json_int_t)s->epochs_ever, "today", (int)s->today, "ever", (json_int_t)s->ever,
			"eps_today", pack_real(s->eps_today), "eps_ever", pack_real(s->eps_ever), "eps_a_day",
			pack_real(s->eps_a_day), "eps_limit", pack_real(s->eps_limit)));
	printf("today       %u of %u epochs spent, %u left\n", s->today, s->epochs_a_day,
		s->epochs_a_day > s->today ? s->epochs_a_day - s->today : 0);
	printf("ever        %llu of %llu epochs spent, %llu left\n", (unsigned long long)s->ever,
		(unsigned long long)s->epochs_ever,
		(unsigned long long)(s->epochs_ever > s->ever ? s->epochs_ever - s->ever : 0));
	printf("an epoch    up to %u question%s: eps %g, delta %g\n", s->questions,
		s->questions > 1 ? "s" : "", s->eps, s->delta);
	print_eps("today it is", s->eps_today);
	print_eps("so far     ", s->eps_ever);
	print_eps("a full day ", s->eps_a_day);
	print_eps("all of it  ", s->eps_limit);
	printf("in words    Had you asked other things in the same epochs, then whatever the server has "
	       "seen\n"
	       "            would have been at most e^eps times as likely or unlikely (now %.3g times), but\n"
	       "            for a chance of %g. Epochs without a question cost nothing.\n",
		exp(s->eps_ever), s->delta);
	return cli_finish();
}
