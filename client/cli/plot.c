/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plot.h"

#include <math.h>

enum { WIDTH = 480, HEIGHT = 360, LEFT = 64, RIGHT = 16, TOP = 40, BOTTOM = 52 };

static const char *const colours[PLOT_MAX_SERIES] = {"#1b6ca8", "#c8442c", "#3a8f3a"};

/* The range of an axis, in decades. */
struct axis {
	double low, high;
};

static struct axis find_axis(const struct plot_panel *panel, int vertical)
{
	struct axis axis = {INFINITY, -INFINITY};

	for (size_t s = 0; s < panel->count; s++) {
		for (size_t i = 0; i < panel->series[s].count; i++) {
			double v = log10(vertical ? panel->series[s].y[i] : panel->series[s].x[i]);

			if (isfinite(v)) {
				axis.low = fmin(axis.low, v);
				axis.high = fmax(axis.high, v);
			}
		}
	}
	if (!(axis.high - axis.low > 0.1))
		axis = (struct axis){axis.low - 0.5, axis.low + 0.5};
	return axis;
}

static double place(const struct axis *axis, double v, double from, double to)
{
	return from + (log10(v) - axis->low) / (axis->high - axis->low) * (to - from);
}

/* 1, 2, 5 times each power of ten within the range. */
static void write_ticks(FILE *out, const struct axis *axis, int vertical)
{
	static const double steps[] = {1, 2, 5};

	for (int power = (int)floor(axis->low); power <= axis->high; power++) {
		for (int i = 0; i < 3; i++) {
			double v = steps[i] * pow(10, power), at;

			if (log10(v) < axis->low - 1e-9 || log10(v) > axis->high + 1e-9)
				continue;
			at = vertical ? place(axis, v, HEIGHT - BOTTOM, TOP)
				      : place(axis, v, LEFT, WIDTH - RIGHT);
			if (vertical)
				fprintf(out,
					"<path class=\"g\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
					"text-anchor=\"end\">%.6g</text>\n",
					LEFT, at, WIDTH - RIGHT, LEFT - 6, at + 4, v);
			else
				fprintf(out,
					"<path class=\"g\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" "
					"text-anchor=\"middle\">%.6g</text>\n",
					at, TOP, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 16, v);
		}
	}
}

static void write_series(
	FILE *out, const struct plot_panel *panel, size_t s, const struct axis *x, const struct axis *y)
{
	const struct plot_series *series = &panel->series[s];
	char command = 'M';

	fprintf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", colours[s]);
	for (size_t i = 0; i < series->count; i++) {
		if (!isfinite(series->y[i]))
			continue;
		fprintf(out, "%c%.1f %.1f", command, place(x, series->x[i], LEFT, WIDTH - RIGHT),
			place(y, series->y[i], HEIGHT - BOTTOM, TOP));
		command = 'L';
	}
	fprintf(out, "\"/>\n<text x=\"%d\" y=\"%zu\" fill=\"%s\">%s</text>\n", LEFT + 10, TOP + 16 + 16 * s,
		colours[s], series->name);
}

static void write_panel(FILE *out, const struct plot_panel *panel, size_t place_no)
{
	struct axis x = find_axis(panel, 0), y = find_axis(panel, 1);

	fprintf(out, "<g transform=\"translate(%zu 0)\">\n", place_no * WIDTH);
	fprintf(out, "<text x=\"%d\" y=\"22\" font-weight=\"bold\" text-anchor=\"middle\">%s</text>\n",
		(LEFT + WIDTH - RIGHT) / 2, panel->title);
	write_ticks(out, &x, 0);
	write_ticks(out, &y, 1);
	fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", (LEFT + WIDTH - RIGHT) / 2,
		HEIGHT - 12, panel->x_label);
	fprintf(out, "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
		(TOP + HEIGHT - BOTTOM) / 2, panel->y_label);
	for (size_t s = 0; s < panel->count; s++)
		write_series(out, panel, s, &x, &y);
	fputs("</g>\n", out);
}

void plot_write(FILE *out, const struct plot_panel *panels, size_t count)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %zu %d\" font-family=\"sans-serif\" "
		"font-size=\"12\">\n<style>.g{stroke:#ddd}</style>\n<rect width=\"100%%\" height=\"100%%\" "
		"fill=\"white\"/>\n",
		count * WIDTH, HEIGHT);
	for (size_t i = 0; i < count; i++)
		write_panel(out, &panels[i], i);
	fputs("</svg>\n", out);
}
