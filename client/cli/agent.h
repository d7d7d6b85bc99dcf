/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include "veil/crowd.h"

/* How `veil search --agent` and `veil agent` speak: over a Unix socket, whoever asks sends one JSON object
 * and shuts down writing, the agent answers with one and closes (docs/man/veil.1). */

/** A question as it goes to the agent. */
struct agent_question {
	float *vector; /* [dim] */
	uint32_t dim, probes, top;
	int now;
};

/** Opens the agent's socket, for its owner only; one that a dead agent has left is replaced. VEIL_E_BUSY:
 * another agent listens there; VEIL_E_IO, VEIL_E_INVALID. */
enum veil_status agent_listen(int *fd, const char *path, struct veil_error *err) VEIL_MUST_CHECK;
#define AGENT_PATIENCE_S 10 /* with a peer that neither sends nor reads */
/** Answers the question that comes over the connection, which takes as long as the crowd takes. The
 * connection stays the caller's, who may shut it down meanwhile. */
void agent_answer(int connection, struct veil_crowd *crowd);
/** Asks the agent and prints what it answers; an exit status (cli.h). */
int agent_search(const char *path, const struct agent_question *question, int json);

#endif
