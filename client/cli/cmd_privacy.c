/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/plot.h"
#include "veil/privacy.h"

static const char help[] =
	"usage: veil privacy --budget FILE [--json]\n"
	"       veil privacy --budget FILE --new --eps E --delta D --q Q --a-day N --ever N\n"
	"       veil privacy --plan --eps E --delta D --q Q [--shards K --users U] [--json] [--plot FILE]\n"
	"What of a privacy budget is spent and left and what that means; or what it takes to hide in a "
	"crowd.\n\n"
	"  --budget FILE  the budget of this user and server\n"
	"  --new          make it: nothing spent\n"
	"  --a-day N      epochs with a question that a day may have\n"
	"  --ever N       epochs with a question that there may ever be\n"
	"  --plan         the fewest fake queries that reach a goal\n"
	"  --eps E        0.05 to 4 (default 0.8)\n"
	"  --delta D      1e-12 to 1e-2 (default 1e-6)\n"
	"  --q Q          questions of a user in an epoch, 1 to 8 (default 1)\n"
	"  --shards K --users U  the crowd: for what one client sends\n"
	"  --plot FILE    draw eps against fakes, and eps over many epochs, as SVG\n"
	"  --json         one JSON object on standard output\n"
	"  --help         this text\n";

struct arguments {
	const char *budget, *plot;
	double eps, delta;
	uint32_t questions, shards, users, a_day, ever;
	int plan, fresh, json, help;
};

static int parse_real(const char *text, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return end != text && !*end && !errno && isfinite(*value);
}

static int check(const struct arguments *a)
{
	if (a->help)
		return CLI_OK;
	if (a->plan == !!a->budget)
		return cli_misuse("privacy takes --plan or --budget FILE");
	if (a->plan && (a->fresh || a->a_day || a->ever))
		return cli_misuse("privacy --plan takes no --new, --a-day or --ever");
	if (a->fresh && (!a->a_day || !a->ever))
		return cli_misuse("privacy --new needs --a-day and --ever");
	if (a->plot && !a->plan)
		return cli_misuse("privacy --plot needs --plan");
	if (!a->shards != !a->users)
		return cli_misuse("privacy needs --shards and --users together");
	return CLI_OK;
}

static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {{"budget", required_argument, NULL, 'b'},
		{"plot", required_argument, NULL, 'o'}, {"eps", required_argument, NULL, 'e'},
		{"delta", required_argument, NULL, 'd'}, {"q", required_argument, NULL, 'q'},
		{"shards", required_argument, NULL, 'k'}, {"users", required_argument, NULL, 'u'},
		{"a-day", required_argument, NULL, 'a'}, {"ever", required_argument, NULL, 'v'},
		{"plan", no_argument, NULL, 'p'}, {"new", no_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const struct cli_numbered numbers[] = {{'q', "q", 1, UINT32_MAX, &a->questions},
		{'k', "shards", 1, UINT32_MAX, &a->shards}, {'u', "users", 1, UINT32_MAX, &a->users},
		{'a', "a-day", 1, UINT32_MAX, &a->a_day}, {'v', "ever", 1, UINT32_MAX, &a->ever}};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'b':
			a->budget = optarg;
			break;
		case 'o':
			a->plot = optarg;
			break;
		case 'e':
		case 'd':
			if (!parse_real(optarg, option == 'e' ? &a->eps : &a->delta))
				return cli_misuse(
					"--%s %s: not a number", option == 'e' ? "eps" : "delta", optarg);
			break;
		case 'p':
			a->plan = 1;
			break;
		case 'n':
			a->fresh = 1;
			break;
		case 'j':
			a->json = 1;
			break;
		case 'h':
			a->help = 1;
			return CLI_OK;
		case '?':
			return CLI_USAGE; /* getopt has said why */
		}
		if (cli_take_number(numbers, sizeof numbers / sizeof *numbers, option, optarg) != CLI_OK)
			return CLI_USAGE;
	}
	if (optind != argc)
		return cli_misuse("privacy takes no argument \"%s\"", argv[optind]);
	return check(a);
}

#define POINTS 14

/* The fakes that the bound of Ghazi, Kumar, Manurangsi, Pagh (2020, theorem 13) asks for, eps and delta
 * halved for the two shards: what the exact sum saves. */
static double closed_form(double eps, double delta, uint32_t questions)
{
	double p = exp(-0.1 * eps / questions);

	return 3 * (1 + log(2 / delta)) * p / (1 - p);
}

static enum veil_status fill_fakes(double *eps, double *exact, double *closed,
	const struct veil_privacy_figures *f, struct veil_error *err)
{
	for (int i = 0; i < POINTS; i++) {
		struct veil_privacy_plan *plan;
		enum veil_status st;

		eps[i] = 0.1 * pow(20, i / (POINTS - 1.0));
		st = veil_privacy_plan_create(&plan, eps[i], f->delta, f->questions, 0, 0, err);
		if (st != VEIL_OK)
			return st;
		exact[i] = veil_privacy_plan_figures(plan)->fakes_per_shard;
		closed[i] = closed_form(eps[i], f->delta, f->questions);
		veil_privacy_plan_destroy(plan);
	}
	return VEIL_OK;
}

static enum veil_status fill_epochs(double *epochs, double *composed, double *sum,
	const struct veil_privacy_plan *plan, struct veil_error *err)
{
	const struct veil_privacy_figures *f = veil_privacy_plan_figures(plan);
	enum veil_status st = VEIL_OK;

	for (int i = 0; st == VEIL_OK && i < POINTS; i++) {
		epochs[i] = (double)(1u << i);
		sum[i] = epochs[i] * f->eps;
		st = veil_privacy_plan_epochs(plan, &composed[i], 1u << i, f->delta, err);
	}
	return st;
}

static int draw(const char *path, const struct veil_privacy_plan *plan)
{
	double eps[POINTS], exact[POINTS], closed[POINTS], epochs[POINTS], composed[POINTS], sum[POINTS];
	const struct veil_privacy_figures *f = veil_privacy_plan_figures(plan);
	struct plot_panel panels[2] = {
		{.x_label = "eps",
			.y_label = "fakes a shard, all clients together",
			.count = 2,
			.series = {{"exact", eps, exact, POINTS}, {"closed form", eps, closed, POINTS}}},
		{.x_label = "epochs with a question",
			.y_label = "eps",
			.count = 2,
			.series = {{"composed", epochs, composed, POINTS},
				{"sum of eps (at delta times epochs)", epochs, sum, POINTS}}}};
	char titles[2][96];
	struct veil_error err = {""};
	enum veil_status st = fill_fakes(eps, exact, closed, f, &err);
	FILE *file;
	int written;

	if (st == VEIL_OK)
		st = fill_epochs(epochs, composed, sum, plan, &err);
	if (st != VEIL_OK)
		return cli_fail(st, &err);
	snprintf(titles[0], sizeof titles[0], "delta %.3g, %u questions an epoch", f->delta, f->questions);
	snprintf(titles[1], sizeof titles[1], "eps %.3g an epoch, delta %.3g in all", f->eps, f->delta);
	panels[0].title = titles[0];
	panels[1].title = titles[1];
	file = fopen(path, "wb");
	if (!file) {
		fprintf(stderr, "veil: %s: %s\n", path, strerror(errno));
		return CLI_INPUT;
	}
	plot_write(file, panels, 2);
	written = !ferror(file);
	if (fclose(file) != 0 || !written) {
		fprintf(stderr, "veil: %s: could not all be written\n", path);
		return CLI_INPUT;
	}
	return CLI_OK;
}

static int show_budget(const struct arguments *a)
{
	struct veil_privacy_budget *budget = NULL;
	struct veil_error err = {""};
	enum veil_status st = veil_privacy_budget_read(&budget, a->budget, &err);
	int code = st == VEIL_OK ? output_spending(veil_privacy_budget_spending(budget), a->json)
				 : cli_fail(st, &err);

	veil_privacy_budget_destroy(budget);
	return code;
}

static int make(const struct arguments *a)
{
	struct veil_privacy_plan *plan = NULL;
	struct veil_error err = {""};
	enum veil_status st =
		veil_privacy_plan_create(&plan, a->eps, a->delta, a->questions, a->shards, a->users, &err);
	int code = CLI_OK;

	if (st == VEIL_OK && a->fresh)
		st = veil_privacy_budget_create(a->budget, plan, a->a_day, a->ever, &err);
	if (st != VEIL_OK)
		code = cli_fail(st, &err);
	if (code == CLI_OK && a->plot)
		code = draw(a->plot, plan);
	if (code == CLI_OK)
		code = a->fresh ? show_budget(a) : output_plan(veil_privacy_plan_figures(plan), a->json);
	veil_privacy_plan_destroy(plan);
	return code;
}

int cli_privacy(int argc, char **argv)
{
	struct arguments a = {.eps = 0.8, .delta = 1e-6, .questions = 1};
	int code = parse(&a, argc, argv);

	if (code != CLI_OK)
		return code;
	if (a.help) {
		fputs(help, stdout);
		return cli_finish();
	}
	return a.plan || a.fresh ? make(&a) : show_budget(&a);
}
