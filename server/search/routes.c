/* SPDX-License-Identifier: Apache-2.0 */
#include "search/service.h"
#include "wire/messages.h"

/* Method, path, limit of the body, its type, answered by a worker, handler. */
const struct http_route front_routes[] = {
	{"GET", "/v1/config", 0, NULL, false, route_config},
	{"GET", "/v1/object/", 0, NULL, false, route_object},
	{"POST", "/v1/query", HTTP_LIMIT_SET, WIRE_CONTENT_TYPE, true, route_query},
};
const size_t front_route_count = sizeof front_routes / sizeof *front_routes;

const struct http_route admin_routes[] = {
	{"GET", "/live", 0, NULL, false, route_live},
	{"GET", "/ready", 0, NULL, false, route_ready},
	{"GET", "/metrics", 0, NULL, false, route_metrics},
};
const size_t admin_route_count = sizeof admin_routes / sizeof *admin_routes;
