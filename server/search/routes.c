/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/message.h"
#include "search/service.h"
#include "wire/messages.h"

/* Method, path, limit of the body, its type, answered by a worker, handler. */
#define OWN_ROUTES                                                                                       \
	{"GET", "/v1/config", 0, NULL, false, route_config, NULL},                                       \
		{"GET", "/v1/object/", 0, NULL, false, route_object, NULL},                              \
		{"POST", "/v1/query", HTTP_LIMIT_SET, WIRE_CONTENT_TYPE, true, route_query, NULL},       \
		{"GET", "/v1/collection", 0, NULL, false, route_collection, NULL},                       \
		{"POST", "/v1/retrieve", HTTP_LIMIT_SET, WIRE_CONTENT_TYPE, true, route_retrieve, NULL}, \
	{                                                                                                \
		"POST", "/v1/sealed", HTTP_LIMIT_SET, WIRE_CONTENT_TYPE, true, route_sealed, NULL        \
	}

const struct http_route front_routes[] = {
	OWN_ROUTES,
	{"POST", "/gateway", HTTP_LIMIT_SET, MESSAGE_REQUEST_TYPE, true, route_gateway, NULL},
	{"GET", WIRE_SIGNED_PATH, 0, NULL, false, route_signed, NULL},
	{"GET", "/.well-known/ohttp-gateway", 0, NULL, false, route_gateway_keys, NULL},
};
const size_t front_route_count = sizeof front_routes / sizeof *front_routes;

const struct http_route inside_routes[] = {OWN_ROUTES};
const size_t inside_route_count = sizeof inside_routes / sizeof *inside_routes;
