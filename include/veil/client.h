/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VEIL_CLIENT_H
#define VEIL_CLIENT_H

/** Ask a Veil server which of its records are nearest to a vector; the server never learns the vector, the
 * scores or the records. A whole program (cc ask.c $(pkg-config --cflags --libs veil)):
 *
 *     #include <stdio.h>
 *     #include <veil/client.h>
 *     #include <veil/vectors.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *             struct veil_client *client = NULL;
 *             struct veil_vectors *vectors = NULL;
 *             struct veil_hits *hits = NULL;
 *             struct veil_error err = {""};
 *             int failed = 1;
 *
 *             if (argc != 3)
 *                     return fprintf(stderr, "usage: ask http://127.0.0.1:8080 photo.npy\n"), 2;
 *             if (veil_vectors_read(&vectors, argv[2], &err) != VEIL_OK ||
 *                 veil_client_create(&client, argv[1], &err) != VEIL_OK ||
 *                 veil_client_refresh(client, &err) != VEIL_OK ||
 *                 veil_client_search(client, &hits, veil_vectors_row(vectors, 0), veil_vectors_dim(vectors),
 *                                    1, 5, &err) != VEIL_OK) {
 *                     fprintf(stderr, "ask: %s\n", err.text);
 *                     goto out;
 *             }
 *             for (size_t i = 0; i < veil_hits_count(hits); i++) {
 *                     const struct veil_hit *hit = veil_hits_at(hits, i);
 *
 *                     printf("%2u. %8u  %-12s %.4f\n", hit->rank, hit->record, hit->name, hit->cosine);
 *             }
 *             failed = 0;
 *     out:
 *             veil_hits_destroy(hits);
 *             veil_client_destroy(client);
 *             veil_vectors_destroy(vectors);
 *             return failed;
 *     }
 *
 * What grows later grows by new functions and by new last members of the structs below. These are only ever
 * read through pointers that the library hands out: never declare, copy or index one yourself, and a program
 * built today runs with tomorrow's library. */

#include <stddef.h>
#include <stdint.h>

#include "veil/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A server, and what it serves once veil_client_refresh has fetched it. */
struct veil_client;
/** The answer to one search. */
struct veil_hits;

/** What a server serves. Nothing in it is particular to one client. */
struct veil_index_info {
	const char *name; /* the index, as its builder called it; printable UTF-8 */
	const char *id; /* 64 hex digits: the version of the index */
	const char *params; /* parameter set of the encryption */
	const char *engine; /* what it is searched with: "nn", the search protocol, or "bfv" */
	int exact; /* 1: scores are the integer dot products; 0: cosines within `error` */
	double error; /* standard deviation of a cosine's error, by encryption and int8 rows; 0 where exact */
	uint32_t dim; /* numbers in a vector */
	double scale; /* a record is kept as int8: round(scale * unit vector) */
	uint64_t records; /* records of the index, each in one or more shards */
	uint32_t shards;
	uint32_t rows; /* rows of a shard: all are padded to the same number */
	uint32_t label_bytes; /* bytes of a row's label; below 4 hits have no record number */
	uint64_t query_bytes; /* one request and one reply, HTTP bodies: */
	uint64_t reply_bytes; /* the same for every shard and every vector */
	int sealed; /* 1: the index has sealed search, and the rest says what it costs */
	double sealed_error; /* as `error` */
	uint64_t sealed_query_bytes, sealed_reply_bytes;
	uint64_t sealed_static_bytes; /* fetched once by veil_client_refresh, and the labels of all rows */
};

/** A record that was found. */
struct veil_hit {
	uint32_t rank; /* 1 is the nearest */
	uint32_t record; /* the record's number; VEIL_NO_RECORD where the index has no labels */
	const char *name; /* printable UTF-8, cut to the index's label size; "" where there is none */
	double cosine; /* of the vector and the record, as decrypted */
	double score; /* what was decrypted: the cosine, or in an exact index the integer dot product */
	uint32_t shard; /* where it was found, */
	uint32_t row; /* and in which row of that shard */
};
#define VEIL_NO_RECORD UINT32_MAX

/** What a search cost, over all shards asked. */
struct veil_cost {
	uint32_t shards_asked; /* 0 in a sealed search */
	const uint32_t *shards; /* nearest first: what the server saw */
	uint64_t bytes_up; /* HTTP bodies as they travelled; headers are not counted */
	uint64_t bytes_down;
	double server_us; /* as the server says; negative where it does not say */
	double encrypt_us; /* choosing shards, drawing secrets, encrypting, writing */
	double network_us; /* from the first byte sent to the last received: the server's time is within it */
	double decrypt_us; /* reading, decrypting, merging */
	uint32_t requests_needed; /* that looked for the vector: all, but in mode auto. Nobody else learns it
				   */
};

/** A client for the server at `url`: "http://host:port" or "unix:/path/of/socket". Nothing is sent yet.
 * The server sees the address that the connection comes from, the time, and the shards asked: this is the
 * direct mode. VEIL_E_INVALID or VEIL_E_UNSUPPORTED for another form of url. */
VEIL_EXPORT enum veil_status veil_client_create(
	struct veil_client **out, const char *url, struct veil_error *err) VEIL_MUST_CHECK;

/** A client that asks through a relay of Oblivious HTTP (RFC 9458): the server does not see who asks, the
 * relay does not see what. No other address than the relay's is contacted. `relay` is
 * https://host[:port][/path], verified by the certificates of the file `ca` or, where that is NULL, by the
 * system's; http:// and unix: only on this machine. `trust` is the file with the operator's keys, which they
 * give you in another way than through this relay; `state` a directory where it is kept which of the
 * operator's configurations were seen. Both must be the same at every start. Nothing is sent yet.
 * VEIL_E_INVALID, VEIL_E_UNSUPPORTED: another form of url; VEIL_E_IO: no trust file. */
VEIL_EXPORT enum veil_status veil_client_create_relayed(struct veil_client **out, const char *relay,
	const char *ca, const char *trust, const char *state, struct veil_error *err) VEIL_MUST_CHECK;

/** For a client of the direct mode: as above, only what the operator has signed is used. Before the first
 * refresh. */
VEIL_EXPORT enum veil_status veil_client_set_trust(struct veil_client *client, const char *trust,
	const char *state, struct veil_error *err) VEIL_MUST_CHECK;

/** For a client of a relay: `require-pq`, `prefer-pq` (the default) or `classic` keys of the gateway. All
 * clients of one release should do the same: who differs stands out. Before the first refresh, which fails
 * with VEIL_E_UNSUPPORTED where no key is as required. */
VEIL_EXPORT enum veil_status veil_client_set_kem_policy(
	struct veil_client *client, const char *policy, struct veil_error *err) VEIL_MUST_CHECK;

/** After a refresh: why the requests are not sealed with post-quantum keys although that is preferred; NULL
 * where they are, or where it is not asked for. Valid as long as the client. */
VEIL_EXPORT const char *veil_client_kem_note(const struct veil_client *client);

/** How long one request may take from connecting to the last byte, 1..3600000 ms (default 30000). */
VEIL_EXPORT enum veil_status veil_client_set_timeout(
	struct veil_client *client, uint32_t timeout_ms, struct veil_error *err) VEIL_MUST_CHECK;

/** How searches are made: `sealed`: of all shards at once, so that the server sees neither the vector nor the
 * shard; `fast`: of as many shards as are asked for, which the server sees; `slow`: of at least four (all, if
 * there are fewer); `auto`: to the same shards in the same requests as `slow`, but where the first answer is
 * clear, by the margin of its best record, the others carry encrypted zeros and the first is the answer.
 * NULL, the default: sealed where the index has it, else fast. VEIL_E_INVALID: another word. */
VEIL_EXPORT enum veil_status veil_client_set_mode(
	struct veil_client *client, const char *mode, struct veil_error *err) VEIL_MUST_CHECK;

/** Fetches the configuration and the codebook and checks both: nothing the server says is trusted. On failure
 * the client is as it was before. Call it once before searching, and again after VEIL_E_VERSION or
 * VEIL_E_NOT_FOUND from a search: the server then serves another version of its index. Not while another
 * thread uses the client. */
VEIL_EXPORT enum veil_status veil_client_refresh(
	struct veil_client *client, struct veil_error *err) VEIL_MUST_CHECK;

/** What the server serves; NULL before the first refresh. Valid until the next refresh or destroy. */
VEIL_EXPORT const struct veil_index_info *veil_client_info(const struct veil_client *client);

/** The `top` records nearest to `vector` (`dim` numbers, any norm but zero) among the rows of the `probes`
 * nearest shards (a sealed search takes as many requests); VEIL_TOP_ALL gives every row of these. A record
 * that several shards hold is given once. Ties go to the lower record. Each shard is asked with a fresh
 * secret, one request each, and nothing is ever sent twice (what a gateway of a relay could not read is made
 * anew once, with new secrets): on failure the search is over, and calling again is a new search with new
 * secrets. May be called by several threads at once. VEIL_E_INVALID: dim, a NaN, a zero vector, probes not
 * in 1..shards, top 0, no refresh yet. VEIL_E_UNSUPPORTED: sealed where the index has it not. VEIL_E_NETWORK,
 * VEIL_E_TIMEOUT, VEIL_E_BUSY: the server. VEIL_E_MALFORMED: a reply that is not one. VEIL_E_VERSION,
 * VEIL_E_NOT_FOUND: refresh; also when what the operator has signed is out of date by now. */
VEIL_EXPORT enum veil_status veil_client_search(const struct veil_client *client, struct veil_hits **out,
	const float *vector, uint32_t dim, uint32_t probes, uint32_t top,
	struct veil_error *err) VEIL_MUST_CHECK;
#define VEIL_TOP_ALL UINT32_MAX

/** Hits, best first; `i` < count. The hit and its name live as long as `hits`. */
VEIL_EXPORT size_t veil_hits_count(const struct veil_hits *hits);
VEIL_EXPORT const struct veil_hit *veil_hits_at(const struct veil_hits *hits, size_t i);
VEIL_EXPORT const struct veil_cost *veil_hits_cost(const struct veil_hits *hits);
/** The version of the index that answered: the id of struct veil_index_info. */
VEIL_EXPORT const char *veil_hits_index(const struct veil_hits *hits);

/** Accept NULL. Hits may outlive their client; what they say is wiped. */
VEIL_EXPORT void veil_hits_destroy(struct veil_hits *hits);
VEIL_EXPORT void veil_client_destroy(struct veil_client *client);

#ifdef __cplusplus
}
#endif
#endif
