/* SPDX-License-Identifier: Apache-2.0 */
#include "ohttp/keyconfig.h"

#include <string.h>

#include "base/error.h"
#include "base/require.h"

/* Network order; base/bytes.h is little-endian. */
static uint16_t read_u16(struct reader *r)
{
	uint16_t high = reader_u8(r);

	return (uint16_t)(high << 8 | reader_u8(r));
}

static void write_u16(struct writer *w, size_t v)
{
	writer_u8(w, (uint8_t)(v >> 8));
	writer_u8(w, (uint8_t)v);
}

static void add_algorithm(struct keyconfig *config, struct keyconfig_algorithm a)
{
	const struct hpke_suite suite = {config->kem->id, a.kdf, a.aead, HPKE_BASE};

	if (a.aead == HPKE_AEAD_EXPORT_ONLY || hpke_suite_check(&suite, NULL) != VEIL_OK)
		return;
	for (size_t i = 0; i < config->algorithm_count; i++)
		if (config->algorithms[i].kdf == a.kdf && config->algorithms[i].aead == a.aead)
			return;
	REQUIRE(config->algorithm_count < KEYCONFIG_MAX_ALGORITHMS);
	config->algorithms[config->algorithm_count++] = a;
}

/* One configuration, all of whose bytes must be used. True: it is known and was read. */
static bool read_one(struct keyconfig *config, struct reader *r, const char **wrong)
{
	size_t size;
	uint16_t kem;

	*config = (struct keyconfig){.id = reader_u8(r)};
	kem = read_u16(r);
	if (r->failed) {
		*wrong = "is cut off before its KEM";
		return false;
	}
	config->kem = kem_find(kem);
	if (!config->kem)
		return false; /* its public key's size is unknown: nothing more can be checked */
	config->public_key = reader_view(r, config->kem->public_bytes);
	size = read_u16(r);
	if (r->failed)
		*wrong = "is cut off in its public key";
	else if (size != reader_left(r) || size < 4 || size % 4)
		*wrong = "has a list of algorithms of a wrong length";
	while (!*wrong && reader_left(r)) {
		struct keyconfig_algorithm a = {.kdf = read_u16(r)};

		a.aead = read_u16(r);
		add_algorithm(config, a);
	}
	return !*wrong;
}

enum veil_status keyconfig_read(
	struct keyconfig_list *list, const void *data, size_t size, struct veil_error *err)
{
	struct reader r, one;
	const char *wrong = NULL;
	size_t number = 0;

	*list = (struct keyconfig_list){0};
	reader_init(&r, data, size);
	while (reader_left(&r) && !wrong) {
		struct keyconfig config;
		size_t length = read_u16(&r);
		const uint8_t *view = reader_view(&r, length);

		number++;
		reader_init(&one, view, view ? length : 0);
		if (!view)
			wrong = "is longer than the list";
		else if (!read_one(&config, &one, &wrong))
			list->skipped++;
		else if (list->count == KEYCONFIG_MAX)
			wrong = "is one too many";
		else
			list->configs[list->count++] = config;
	}
	if (wrong || number == 0) {
		*list = (struct keyconfig_list){0};
		if (!wrong)
			return error_set(err, VEIL_E_MALFORMED, "OHTTP keys: the list is empty");
		return error_set(err, VEIL_E_MALFORMED,
			"OHTTP keys: configuration %zu %s; the whole list is refused", number, wrong);
	}
	return VEIL_OK;
}

bool keyconfig_next(struct bytes *body, struct bytes *one)
{
	size_t size;

	if (body->size < 2)
		return false;
	size = 2 + ((size_t)body->data[0] << 8 | body->data[1]);
	if (size > body->size)
		return false;
	*one = (struct bytes){body->data, size};
	body->data += size;
	body->size -= size;
	return true;
}

uint16_t keyconfig_kem(struct bytes one)
{
	/* length, identifier of the key, KEM */
	return one.size < 5 ? 0 : (uint16_t)(one.data[3] << 8 | one.data[4]);
}

static size_t one_bytes(const struct keyconfig *config)
{
	return 1 + 2 + config->kem->public_bytes + 2 + 4 * config->algorithm_count;
}

size_t keyconfig_bytes(const struct keyconfig *configs, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += 2 + one_bytes(&configs[i]);
	return size;
}

void keyconfig_write(uint8_t *out, const struct keyconfig *configs, size_t count)
{
	struct writer w;

	writer_init(&w, out, keyconfig_bytes(configs, count));
	for (size_t i = 0; i < count; i++) {
		const struct keyconfig *config = &configs[i];

		REQUIRE(config->algorithm_count > 0);
		write_u16(&w, one_bytes(config));
		writer_u8(&w, config->id);
		write_u16(&w, config->kem->id);
		writer_bytes(&w, config->public_key, config->kem->public_bytes);
		write_u16(&w, 4 * config->algorithm_count);
		for (size_t a = 0; a < config->algorithm_count; a++) {
			write_u16(&w, config->algorithms[a].kdf);
			write_u16(&w, config->algorithms[a].aead);
		}
	}
}

static const char *const policies[] = {[KEYCONFIG_REQUIRE_PQ] = "require-pq",
	[KEYCONFIG_PREFER_PQ] = "prefer-pq",
	[KEYCONFIG_CLASSIC] = "classic"};

bool keyconfig_policy_from_name(enum keyconfig_policy *policy, const char *name)
{
	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
		if (strcmp(policies[i], name) == 0) {
			*policy = (enum keyconfig_policy)i;
			return true;
		}
	}
	return false;
}

static const struct keyconfig *first(const struct keyconfig_list *list, bool post_quantum)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->configs[i].kem->post_quantum == post_quantum && list->configs[i].algorithm_count)
			return &list->configs[i];
	return NULL;
}

enum veil_status keyconfig_choose(struct keyconfig_choice *choice, const struct keyconfig_list *list,
	enum keyconfig_policy policy, struct veil_error *err)
{
	const struct keyconfig *config = policy == KEYCONFIG_CLASSIC ? NULL : first(list, true);
	const char *why = crypto_has_ml_kem() ? "the gateway offers no post-quantum key"
					      : "this build has no X-Wing: its OpenSSL is older than 3.5";

	*choice = (struct keyconfig_choice){0};
	if (!config && policy == KEYCONFIG_REQUIRE_PQ)
		return error_set(err, VEIL_E_UNSUPPORTED, "OHTTP: the policy is require-pq, and %s", why);
	if (!config) {
		config = first(list, false);
		choice->note = policy == KEYCONFIG_PREFER_PQ ? why : NULL;
	}
	if (!config) {
		choice->note = NULL;
		return error_set(err, VEIL_E_UNSUPPORTED,
			"OHTTP: none of the gateway's %zu keys can be used with the policy %s",
			list->count + list->skipped, policies[policy]);
	}
	choice->config = config;
	choice->suite = (struct hpke_suite){
		config->kem->id, config->algorithms[0].kdf, config->algorithms[0].aead, HPKE_BASE};
	return VEIL_OK;
}
