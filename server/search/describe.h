/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEARCH_DESCRIBE_H
#define SEARCH_DESCRIBE_H

#include "nn/context.h"
#include "store/index.h"
#include "store/kv.h"
#include "store/sealed.h"
#include "wire/messages.h"
#include "wire/retrieve.h"

/** What clients are told of an index: `config`, and the malloc'd body of GET /v1/config, the same bytes
 * wherever the index is; `sealed` is of an index that has it, else NULL: veild serves them and veil-index
 * signs them. VEIL_E_UNSUPPORTED: a message would be larger than 4 GiB; VEIL_E_CORRUPT: its name;
 * VEIL_E_NOMEM. */
enum veil_status describe_index(uint8_t **body, size_t *size, struct wire_config *config,
	const struct store_index *index, const struct nn_context *ctx, const struct store_sealed *sealed,
	struct veil_error *err) VEIL_MUST_CHECK;

/** What is exchanged in one request to a collection, and the malloc'd body of GET /v1/collection.
 * VEIL_E_NOMEM. */
enum veil_status describe_collection(uint8_t **body, size_t *size, struct wire_retrieval *retrieval,
	const struct store_kv *kv, struct veil_error *err) VEIL_MUST_CHECK;

/** What is exchanged in one sealed search. */
struct wire_retrieval describe_retrieval(const struct store_sealed *sealed);

#endif
