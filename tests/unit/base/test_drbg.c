/* SPDX-License-Identifier: Apache-2.0 */
#include "base/drbg.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

static void from_hex(uint8_t *out, const char *hex)
{
	for (; *hex; hex += 2)
		cr_assert_eq(sscanf(hex, "%2hhx", out++), 1);
}

/* NIST CAVP, drbgvectors_no_reseed, CTR_DRBG.rsp: [AES-128 no df], without personalisation and additional
 * input; also in NistCtrDrbgTests of apple/swift-homomorphic-encryption. The second of two Generates. */
static const struct {
	const char *entropy, *returned;
} nist[] = {
	{"69a09f6bf5dda15cd4af29e14cf5e0cddd7d07ac39bba587f8bc331104f9c448",
		"f78a4919a6ec899f7b6c69381febbbe083315f3d289e70346db0e4ec4360473a"
		"e0b3d916e9b6b964309f753ed66ae59de48da316cc1944bc8dfd0e2575d0ff6d"},
	{"80bfbd340d79888f34f043ed6807a9f28b72b6644d9d9e9d777109482b80788a",
		"80db048d2f130d864b19bfc547c92503e580cb1a8e1f74f3d97fdda6501fb1aa"
		"81fcedac0dd18b6ccfdc183ca28a44fc9f3a08834ba8751a2f4495367c54a185"},
	{"a559ac9872791d79197e54da70a8d858fbe39e8514d2c86a7bcffadc68782edf",
		"d14b72e17c2f6f77b46d0717b788420e503bb18de542135f586a90c5c73fceee"
		"e50fd1633b5b09ab061b9367ca785ecb400e1f3681583661aaf8352184454ae6"},
	{"300fe148dd39de1edb993ca5260373b3f5f09a5cf7a32b0c41fe6224f981d3b1",
		"deea89b5128fb992696d7b97ebc2c0793614b172f4c75bb83c12a1b389bac3bf"
		"ecb773cd7717583c2b61b3b243ac9683dba4fbc07182bad8271a7f16d833e4d9"},
	{"0c6ee2a5d46325baa8e9a3f6b598fc790c513d387d47001116d19a614d2038c4",
		"f1ee11be189263fed9932c1192219d00378e36ce81a431318545da9f81f50c29"
		"13d1f7be499ce9e1e39f93ee2360668f127340691c17711707cf5f1f8a4d93ee"},
	{"bdbba1ad4803fdc783ef5d6e2aa66dc948e960bc11cca89a60cff5c60e984302",
		"260a32c3973750e0c10f7f7495d46e7c3691c27a58e828cdef48ef660716f771"
		"d61c3c76db407d816066f5afbf16993485cdb653d418dd65ffa5d3825732b8cb"},
	{"22587bfdce62f4afc1dd2673f5308364f27db9912ad01b045e74db4518435959",
		"c904d03089b7dd1f17564a7ef70b17bb1b29c0c1793cc8d92b8c158c04ca5366"
		"919f8caf544d5d07c28abe6d14baaa0c56602df1c373e9acc419e3c932e577e6"},
	{"8abefbb23dfd58d82b88a4c4fcfcee183ce01db975edeeb404bd216e6177ea0d",
		"8a708e8a99035389a4d66d57d12f488ecba57a3b2ca78015bedae06aaa414d79"
		"1196e262b28fbd745dff94f8fe600687c9ce2f50cf6d79d39b8c5ea36533755d"},
	{"c45c9fec6bb83fb08008877c70b632d792119a35c4c5988c4026cf3f8612b800",
		"84430e49a9b4d395d055ca0efdf285a7551c5f7119dbea5c10daaa9e8be041e2"
		"3e9bc893c90a35b77b19dc202ec834172e6c8cea97c9d7c68df1374aeea94537"},
	{"58cbccd7f86e5f0472dcb377f598f2d42ed96afdf0c8e45f12c4ff4a969c5b6b",
		"41ff55d058beaa04308bd0b39d4801f70f23d829037e4cc9b2ea0eacf5aef9b8"
		"e33fc59c528b53bce08d2b536d37bf194c797f03290494dd00ef244ac223e350"},
	{"d50558dfb7a8966c63b3a1d0a837970ad0bff5adbd8adacae5d3accfde64cd4d",
		"e91361511d926be4d997fc970b1a5dcdb33a711f215cbdbffabfcdaa62485968"
		"91d55a9e64f4e9f5185ed7056f7cbb42f474a23542fe9e9c2495182cefb38a6a"},
	{"f70ce283efd5ba36c284cb267d22e23dc41671b2aaae98e638c6e451bc9c3cbb",
		"fd9b3b53e12b6702e4c6e4acac33aeae5ceb34cebfffa7007cb1ab1c3b4be1a3"
		"8e5c86dea0775ab0c89ae135e0b36da087921d3ff275ffc8e5dcee6e3d66ee43"},
	{"58eb544f44dfe1048a8113d4b6909050abf9010036233be7f8fcc41f39baff9c",
		"5c6aedc020e764f4d3bb8abc2907c9c604dd98e1cfc2882ea72d554e39fe8646"
		"3a51886d980ac8cdda0f4e584226d45344e43dd84e8430f58c3880a0ce930863"},
	{"b694ce5f4d9af4ce93626636c9ecb341f3f5152fd580745202cd0c83f4d5b4c5",
		"78b32d396f5a919f5ccb9be2afaf5f6212d75bf084e99357e28ccc98d4336964"
		"55b10a85ecaf61686a96606ff3e8962321358a56fa53cabbf16c65c1c32debcd"},
	{"42cb183d2a04c89c69efbcec08bee2003b9a1cd56878a774f0162bf70f2c708f",
		"cb4afdec033b42949ebbb27245fd33c1503c1278027e11a1f050e04080abe485"
		"0821b71ed5a6bd83da6bde8e56c5faed49da26887028bab807d1ad055e2a8a27"},
};

Test(drbg, the_vectors_of_nist)
{
	struct drbg *d = drbg_create();

	for (size_t i = 0; i < sizeof nist / sizeof *nist; i++) {
		uint8_t seed[DRBG_SEED_BYTES], want[64], got[64];

		from_hex(seed, nist[i].entropy);
		from_hex(want, nist[i].returned);
		drbg_seed(d, seed);
		drbg_generate(d, got, sizeof got, NULL);
		drbg_generate(d, got, sizeof got, NULL);
		cr_assert_arr_eq(got, want, sizeof want, "vector %zu", i);
	}
	drbg_destroy(d);
	drbg_destroy(NULL);
}

/* OpenSSL's own CTR_DRBG, whose entropy is what its parent, a TEST-RAND, is told to say. */
struct oracle {
	EVP_RAND *type, *parent_type;
	EVP_RAND_CTX *ctx, *parent;
};

static void feed(struct oracle *o, uint8_t entropy[DRBG_SEED_BYTES])
{
	unsigned strength = 128;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_uint(OSSL_RAND_PARAM_STRENGTH, &strength),
		OSSL_PARAM_construct_octet_string(OSSL_RAND_PARAM_TEST_ENTROPY, entropy, DRBG_SEED_BYTES),
		OSSL_PARAM_construct_end(),
	};

	cr_assert_eq(EVP_RAND_instantiate(o->parent, 128, 0, NULL, 0, params), 1);
}

static void start(struct oracle *o)
{
	char cipher[] = "AES-128-CTR";
	int df = 0;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_DRBG_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_int(OSSL_DRBG_PARAM_USE_DF, &df),
		OSSL_PARAM_construct_end(),
	};

	o->parent_type = EVP_RAND_fetch(NULL, "TEST-RAND", NULL);
	o->type = EVP_RAND_fetch(NULL, "CTR-DRBG", NULL);
	o->parent = EVP_RAND_CTX_new(o->parent_type, NULL);
	o->ctx = EVP_RAND_CTX_new(o->type, o->parent);
	cr_assert(o->parent && o->ctx && EVP_RAND_CTX_set_params(o->ctx, params));
}

static void stop(struct oracle *o)
{
	EVP_RAND_CTX_free(o->ctx);
	EVP_RAND_CTX_free(o->parent);
	EVP_RAND_free(o->type);
	EVP_RAND_free(o->parent_type);
}

Test(drbg, agrees_with_openssl_with_every_kind_of_input_and_length)
{
	static uint8_t want[65536], got[65536];
	struct rng rng = test_rng();
	struct drbg *d = drbg_create();

	for (int round = 0; round < 20; round++) {
		uint8_t entropy[DRBG_SEED_BYTES], personal[DRBG_SEED_BYTES], seed[DRBG_SEED_BYTES];
		struct oracle o;

		start(&o);
		rng_fill(&rng, entropy, sizeof entropy);
		rng_fill(&rng, personal, sizeof personal);
		feed(&o, entropy);
		cr_assert_eq(
			EVP_RAND_instantiate(o.ctx, 128, 0, personal, round % 2 ? sizeof personal : 0, NULL),
			1);
		for (size_t i = 0; i < sizeof seed; i++)
			seed[i] = entropy[i] ^ (round % 2 ? personal[i] : 0);
		drbg_seed(d, seed);
		for (int call = 0; call < 20; call++) {
			size_t size = call ? 1 + test_below(&rng, call % 4 ? 200 : 65536) : 65536;
			bool more = test_below(&rng, 2);

			if (test_below(&rng, 4) == 0) {
				rng_fill(&rng, entropy, sizeof entropy);
				feed(&o, entropy);
				cr_assert_eq(EVP_RAND_reseed(o.ctx, 0, NULL, 0, NULL, 0), 1);
				drbg_update(d, entropy);
			}
			rng_fill(&rng, personal, sizeof personal);
			cr_assert_eq(EVP_RAND_generate(o.ctx, want, size, 128, 0, more ? personal : NULL,
					     more ? sizeof personal : 0),
				1);
			drbg_generate(d, got, size, more ? personal : NULL);
			cr_assert(memcmp(got, want, size) == 0, "%zu bytes", size);
		}
		stop(&o);
	}
	drbg_destroy(d);
}

Test(drbg, the_stream_is_its_generates_one_after_the_other)
{
	static uint8_t want[5 * DRBG_REFILL_BYTES];
	struct rng rng = test_rng();
	struct drbg *d = drbg_create(), *e = drbg_create();

	for (int round = 0; round < 20; round++) {
		uint8_t seed[DRBG_SEED_BYTES];

		rng_fill(&rng, seed, sizeof seed);
		drbg_seed(d, seed);
		for (size_t at = 0; at < sizeof want; at += DRBG_REFILL_BYTES)
			drbg_generate(d, want + at, DRBG_REFILL_BYTES, NULL);
		drbg_seed(e, seed); /* drops what the last round left */
		for (size_t at = 0, size; at < sizeof want - 7; at += size) {
			size_t ask = 1 + test_below(&rng, round % 2 ? 10000 : 100);
			const uint8_t *bytes;

			ask = ask < sizeof want - 7 - at ? ask : sizeof want - 7 - at;
			size = ask;
			bytes = drbg_next(e, &size);
			cr_assert(size > 0 && size <= ask);
			cr_assert(size == ask || (at + size) % DRBG_REFILL_BYTES == 0);
			cr_assert(memcmp(bytes, want + at, size) == 0);
		}
	}
	drbg_destroy(d);
	drbg_destroy(e);
}
