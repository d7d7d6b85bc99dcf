/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "secret/search.h"
#include "unit/sdk/inside.h"

/* For ThreadSanitizer: one client is used by several threads at once, as veil/client.h promises; each hit is
 * right, too. */

#define THREADS 4
#define SEARCHES 60

static void check(const struct inside *server, const float *vector, const struct veil_hits *hits)
{
	const struct veil_hit *hit = veil_hits_at(hits, 0);
	int8_t query[INSIDE_DIM];
	int sum = 0;

	REQUIRE(secret_search_quantise(server->nn, query, vector, NULL) == VEIL_OK);
	for (int j = 0; j < INSIDE_DIM; j++)
		sum += query[j] * server->rows[hit->shard][hit->row][j];
	REQUIRE(veil_hits_count(hits) == 1 && hit->score == sum);
}

static void *work(void *arg)
{
	const struct veil_client *client = arg;
	const struct inside *server = client->transport.state;

	for (uint32_t i = 0; i < SEARCHES; i++) {
		struct veil_hits *hits;
		float vector[INSIDE_DIM];
		uint32_t row = i % (INSIDE_ROWS - 1);

		for (int j = 0; j < INSIDE_DIM; j++)
			vector[j] = server->rows[i % INSIDE_SHARDS][row][j];
		REQUIRE(veil_client_search(client, &hits, vector, INSIDE_DIM, INSIDE_SHARDS, 1, NULL) ==
			VEIL_OK);
		check(server, vector, hits);
		veil_hits_destroy(hits);
	}
	return NULL;
}

int main(void)
{
	struct rng_seeded state;
	struct rng rng = rng_seeded_init_u64(&state, 5);
	struct inside *server = inside_create(&rng, 16);
	struct veil_client *client = inside_client(server);
	pthread_t threads[THREADS];

	REQUIRE(veil_client_refresh(client, NULL) == VEIL_OK);
	for (int i = 0; i < THREADS; i++)
		REQUIRE(pthread_create(&threads[i], NULL, work, client) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	veil_client_destroy(client);
	inside_destroy(server);
	printf("%d threads, %d searches each\n", THREADS, SEARCHES);
	return 0;
}
