/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/output.h"

void output_check(const struct veil_check *c)
{
	printf("%-6s %-12s %8.1f ms  %s\n", c->status == VEIL_OK ? "ok" : "FAILED", c->hop, c->ms, c->what);
	if (c->text[0])
		printf("       %s\n", c->text);
	if (c->next[0])
		printf("       next: %s\n", c->next);
	fflush(stdout);
}

void output_add_check(json_t **checks, const struct veil_check *c)
{
	if (!*checks)
		*checks = json_array();
	json_array_append_new(
		*checks, json_pack("{ss ss ss sb sf ss ss}", "check", c->name, "hop", c->hop, "what", c->what,
				 "ok", c->status == VEIL_OK, "ms", c->ms, "text", c->text, "next", c->next));
}

int output_checks(json_t *checks, int good)
{
	return output_json(json_pack("{sb so}", "ok", good, "checks", checks));
}
