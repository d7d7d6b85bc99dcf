/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include <stddef.h>
#include <stdio.h>

#define PLOT_MAX_SERIES 3

/** A line through points, both > 0; what is infinite is left out. */
struct plot_series {
	const char *name;
	const double *x;
	const double *y;
	size_t count;
};

/** A diagram with logarithmic axes. Texts are ASCII without <, > and &. */
struct plot_panel {
	const char *title;
	const char *x_label;
	const char *y_label;
	struct plot_series series[PLOT_MAX_SERIES];
	size_t count;
};

/** The panels side by side as one SVG drawing; errors are those of the stream. */
void plot_write(FILE *out, const struct plot_panel *panels, size_t count);

#endif
