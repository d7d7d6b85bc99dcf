/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/attack.h"
#include "privacy/schedule.h"

static const char help[] =
	"usage: veil-audit [--eps E] [--delta D] [--q Q] [--epochs N] [--clients U] [--present P] [--seed S] "
	"[--json]\n"
	"Attack the counts that the crowd mode shows: N epochs of each of two worlds, which differ in the "
	"shard that one\n"
	"user asks, through the real sampler and schedule into a transport that only counts; then the best "
	"test there is.\n"
	"Prints what is shown at 99% confidence beside what is claimed. Exit 1: more is shown than is "
	"claimed.\n\n"
	"  --eps, --delta, --q  the claim (default 0.8, 1e-6, 1)\n"
	"  --epochs N     of each world (default 1000000)\n"
	"  --clients U    the noise is planned for (default 4)\n"
	"  --present P    of them only P make noise (default all): what happens when users are missing\n"
	"  --seed S       repeat a run (default: the system's generator)\n"
	"  --json         one JSON object on standard output\n";

struct audit {
	double eps, delta;
	uint32_t questions, clients, present;
	uint64_t epochs, seed;
	int seeded, json;
};

#define CONFIDENCE 0.99
#define EPOCH_MS 60000

static int parse_number(const char *text, double low, double high, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end && *value >= low && *value <= high;
}

static int parse(struct audit *a, int argc, char **argv)
{
	static const struct option options[] = {{"eps", required_argument, NULL, 'e'},
		{"delta", required_argument, NULL, 'd'}, {"q", required_argument, NULL, 'q'},
		{"epochs", required_argument, NULL, 'n'}, {"clients", required_argument, NULL, 'u'},
		{"present", required_argument, NULL, 'p'}, {"seed", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	static const struct {
		int option;
		const char *name;
		double low, high;
	} numbers[] = {{'e', "eps", 0.05, 4}, {'d', "delta", 1e-12, 1e-2}, {'q', "q", 1, PRIVACY_MAX_MOVED},
		{'n', "epochs", 1000, 1e11}, {'u', "clients", 1, 1000}, {'p', "present", 1, 1000},
		{'s', "seed", 0, 0x1p53}};
	double values[] = {0.8, 1e-6, 1, 1e6, 4, 0, 0};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return fputs(help, stdout), -1;
		if (option == '?')
			return 2;
		a->json = a->json || option == 'j';
		a->seeded = a->seeded || option == 's';
		for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
			if (option == numbers[i].option &&
				!parse_number(optarg, numbers[i].low, numbers[i].high, &values[i])) {
				fprintf(stderr, "veil-audit: --%s %s: not from %g to %g\n", numbers[i].name,
					optarg, numbers[i].low, numbers[i].high);
				return 2;
			}
		}
	}
	a->eps = values[0];
	a->delta = values[1];
	a->questions = (uint32_t)values[2];
	a->epochs = (uint64_t)values[3];
	a->clients = (uint32_t)values[4];
	a->present = values[5] > 0 ? (uint32_t)values[5] : a->clients;
	a->seed = (uint64_t)values[6];
	if (optind != argc || a->present > a->clients) {
		fprintf(stderr, optind != argc ? "veil-audit: there are no arguments but options\n"
					       : "veil-audit: --present is more than --clients\n");
		return 2;
	}
	return 0;
}

/* The transport that records: how many requests went to each of the two shards. The fill of the constant
 * count is told to the attacker, who takes it off: the claim does not lean on it. */
static void record(uint32_t counts[2], struct privacy_schedule *schedule)
{
	const struct privacy_item *item;

	for (; (item = privacy_schedule_next(schedule)); privacy_schedule_sent(schedule))
		if (item->question != PRIVACY_FILL)
			counts[item->shard]++;
}

/* One epoch: the user whose questions differ is the first; the others ask nothing, or what is known anyway.
 */
static enum veil_status run_epoch(uint32_t counts[2], const struct audit *a, const struct privacy_plan *plan,
	uint32_t world, struct privacy_random *random)
{
	uint32_t shard[PRIVACY_MAX_MOVED];

	counts[0] = counts[1] = 0;
	for (uint32_t i = 0; i < a->questions; i++)
		shard[i] = world;
	for (uint32_t client = 0; client < a->present; client++) {
		struct privacy_schedule schedule;
		enum veil_status st = privacy_schedule_draw(
			&schedule, plan, shard, client ? 0 : a->questions, false, EPOCH_MS, random);

		if (st != VEIL_OK)
			return st;
		record(counts, &schedule);
		privacy_schedule_clear(&schedule);
	}
	return VEIL_OK;
}

static enum veil_status run_world(struct attack_hits *hits, const struct audit *a,
	const struct privacy_plan *plan, const struct attack *attack, uint32_t world)
{
	struct rng_seeded state;
	struct privacy_random random;
	enum veil_status st = VEIL_OK;

	privacy_random_init(
		&random, a->seeded ? rng_seeded_init_u64(&state, 2 * a->seed + world) : rng_system());
	for (uint64_t i = 0; st == VEIL_OK && i < a->epochs; i++) {
		uint32_t counts[2];

		st = run_epoch(counts, a, plan, world, &random);
		attack_look(attack, hits, (int)world, counts[0], counts[1]);
	}
	privacy_random_clear(&random);
	return st;
}

/* A process for the second world, so that both run at once. */
static int run_worlds(struct attack_hits *hits, const struct audit *a, const struct privacy_plan *plan,
	const struct attack *attack)
{
	struct attack_hits other = {{0}, {0}};
	int ends[2], status = 1, good;
	pid_t child;

	if (pipe(ends) != 0)
		return 0;
	child = fork();
	if (child == 0) {
		good = run_world(&other, a, plan, attack, 1) == VEIL_OK &&
		       write(ends[1], &other, sizeof other) == sizeof other;
		_exit(!good);
	}
	good = child > 0 && run_world(hits, a, plan, attack, 0) == VEIL_OK;
	close(ends[1]);
	good = read(ends[0], &other, sizeof other) == sizeof other && good;
	close(ends[0]);
	if (child > 0)
		good = waitpid(child, &status, 0) == child && status == 0 && good;
	for (int i = 0; i < 2; i++) {
		hits->test[i] += other.test[i];
		hits->claim[i] += other.claim[i];
	}
	return good;
}

static void print(const struct audit *a, const struct attack *attack, const struct attack_hits *h,
	const struct attack_result *r)
{
	if (a->json) {
		printf("{\"eps\": %.9g, \"delta\": %.9g, \"q\": %u, \"clients\": %u, \"present\": %u, "
		       "\"epochs\": %llu, "
		       "\"confidence\": %g, \"threshold\": %.9g, \"hits\": [%llu, %llu], \"eps_low\": %.9g, ",
			a->eps, a->delta, a->questions, a->clients, a->present, (unsigned long long)a->epochs,
			CONFIDENCE, attack->test, (unsigned long long)h->test[0],
			(unsigned long long)h->test[1], r->eps);
		printf(isfinite(r->eps_high) ? "\"eps_high\": %.9g, " : "\"eps_high\": null, ", r->eps_high);
		printf("\"delta_at_eps\": %.9g, \"delta_at_eps_low\": %.9g}\n", r->delta_point, r->delta);
		return;
	}
	printf("claimed   eps %g, delta %g, %u question%s; noise of %u of %u clients\n", a->eps, a->delta,
		a->questions, a->questions > 1 ? "s" : "", a->present, a->clients);
	printf("attacked  %llu epochs of each world; a world was named %llu times rightly, %llu wrongly\n"
	       "          (where the likelihood ratio is beyond e^%.2f)\n",
		(unsigned long long)a->epochs, (unsigned long long)h->test[0], (unsigned long long)h->test[1],
		attack->test);
	printf("shown     eps is at least %.3f (99%% confidence; this test shows %.3f, at most %.3f)\n",
		r->eps, r->eps_point, r->eps_high);
	printf("          delta(%g) is at least %.3g (99%% confidence; measured %.3g)\n", a->eps, r->delta,
		r->delta_point);
	puts(r->eps > a->eps || r->delta > a->delta ? "MORE IS SHOWN THAN IS CLAIMED"
						    : "nothing beyond the claim");
}

int main(int argc, char **argv)
{
	struct audit a = {0};
	struct privacy_plan plan;
	struct privacy_law there;
	struct attack attack;
	struct attack_hits hits = {{0}, {0}};
	struct attack_result result;
	struct veil_error err = {""};
	int code = parse(&a, argc, argv);
	enum veil_status st;

	if (code)
		return code < 0 ? 0 : code;
	st = privacy_plan_solve(
		&plan, &(struct privacy_goal){a.eps, a.delta, a.questions, 2, a.clients}, &err);
	if (st == VEIL_OK) {
		there = (struct privacy_law){plan.law.r * a.present / a.clients, plan.law.p};
		st = attack_init(&attack, &there, a.questions, a.eps, a.delta, a.epochs, CONFIDENCE, &err);
	}
	if (st != VEIL_OK) {
		fprintf(stderr, "veil-audit: %s\n", err.text[0] ? err.text : veil_status_name(st));
		return 2;
	}
	if (!run_worlds(&hits, &a, &plan, &attack)) {
		fputs("veil-audit: the epochs could not all be run\n", stderr);
		return 2;
	}
	attack_judge(&result, &attack, &hits);
	print(&a, &attack, &hits, &result);
	if (fflush(stdout) != 0)
		return 2;
	return result.eps > a.eps || result.delta > a.delta;
}
