/* SPDX-License-Identifier: Apache-2.0 */
#include "search/service.h"

/* POST /v1/query: a worker answers (worker.c); only the queue is looked at here, in the thread that reads
 * sockets. */
void route_query(void *state, struct http_request *req)
{
	struct service *s = state;

	struct pool_job job = worker_job(req);

	if (pool_submit(s->pool, &job))
		return;
	metrics_add(s->metrics, METRICS_queue_full, 1);
	http_answer_busy(req);
}
