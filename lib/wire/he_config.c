/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/require.h"
#include "wire/he.h"
#include "wire/he_inside.h"

static void make_params(He__EncryptionParameters *m, const struct rlwe_params *params, struct arena *scratch)
{
	he__encryption_parameters__init(m);
	m->polynomial_degree = (uint64_t)1 << params->log_n;
	m->plaintext_modulus = params->t;
	m->n_coefficient_moduli = params->q_count;
	m->coefficient_moduli = arena_take(scratch, params->q_count * sizeof *params->q);
	memcpy(m->coefficient_moduli, params->q, params->q_count * sizeof *params->q);
	m->error_std_dev = HE__ERROR_STD_DEV__ERROR_STD_DEV_STDDEV_32;
	m->security_level = params->insecure ? HE__SECURITY_LEVEL__SECURITY_LEVEL_UNSPECIFIED
					     : HE__SECURITY_LEVEL__SECURITY_LEVEL_QUANTUM128;
	m->he_scheme = HE__HE_SCHEME__HE_SCHEME_BFV;
}

size_t wire_params_write(uint8_t *out, const struct rlwe_params *params, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	He__EncryptionParameters m;

	make_params(&m, params, scratch);
	return wire_he_finish(out, &m.base, scratch, mark);
}

static enum veil_status unsupported(const char *field, int value, struct veil_error *err)
{
	return error_set(
		err, VEIL_E_UNSUPPORTED, "EncryptionParameters: %s = %d is not supported", field, value);
}

static enum veil_status take_params(struct wire_params *out, const He__EncryptionParameters *m,
	bool allow_insecure, struct veil_error *err)
{
	const uint64_t n = m->polynomial_degree;

	if (m->he_scheme != HE__HE_SCHEME__HE_SCHEME_BFV)
		return unsupported("he_scheme", (int)m->he_scheme, err);
	if (m->error_std_dev != HE__ERROR_STD_DEV__ERROR_STD_DEV_STDDEV_32)
		return unsupported("error_std_dev", (int)m->error_std_dev, err);
	if (m->security_level != HE__SECURITY_LEVEL__SECURITY_LEVEL_QUANTUM128 &&
		m->security_level != HE__SECURITY_LEVEL__SECURITY_LEVEL_UNSPECIFIED)
		return unsupported("security_level", (int)m->security_level, err);
	if (n < 8 || n > (uint64_t)1 << RING_MAX_LOG_N || (n & (n - 1)))
		return error_set(err, VEIL_E_INVALID,
			"EncryptionParameters: polynomial_degree = %" PRIu64
			" is not a power of two from 8 to %d",
			n, 1 << RING_MAX_LOG_N);
	if (m->n_coefficient_moduli < 1 || m->n_coefficient_moduli > RING_MAX_PRIMES)
		return error_set(err, VEIL_E_INVALID,
			"EncryptionParameters: %zu coefficient_moduli are not 1 to %d",
			m->n_coefficient_moduli, RING_MAX_PRIMES);
	memcpy(out->q, m->coefficient_moduli, m->n_coefficient_moduli * sizeof *out->q);
	out->params = (struct rlwe_params){
		.name = "EncryptionParameters",
		.log_n = (unsigned)__builtin_ctzll(n),
		.q_count = (unsigned)m->n_coefficient_moduli,
		.q = out->q,
		.special = m->n_coefficient_moduli > 1,
		.t = m->plaintext_modulus,
		.error = RLWE_CBD21,
		.use = RLWE_USE_BFV,
		.insecure = m->security_level == HE__SECURITY_LEVEL__SECURITY_LEVEL_UNSPECIFIED,
	};
	return rlwe_params_check(&out->params, allow_insecure, err);
}

enum veil_status wire_params_read(struct wire_params *params, bool allow_insecure, const void *data,
	size_t size, struct arena *scratch, struct veil_error *err)
{
	const size_t mark = arena_mark(scratch);
	ProtobufCMessage *m;
	enum veil_status st =
		wire_he_start(&m, &he__encryption_parameters__descriptor, scratch, data, size, err);

	if (st == VEIL_OK)
		st = take_params(params, (const He__EncryptionParameters *)m, allow_insecure, err);
	arena_release(scratch, mark);
	return st;
}

size_t wire_key_config_write(uint8_t *out, const struct rlwe_params *params, const uint32_t *galois_elements,
	unsigned galois_count, bool has_relin, struct arena *scratch)
{
	const size_t mark = arena_mark(scratch);
	He__EvaluationKeyConfig m = HE__EVALUATION_KEY_CONFIG__INIT;
	He__EncryptionParameters set;

	make_params(&set, params, scratch);
	m.encryption_parameters = &set;
	m.n_galois_elements = galois_count;
	m.galois_elements = arena_take(scratch, galois_count * sizeof *galois_elements);
	for (unsigned i = 0; i < galois_count; i++)
		m.galois_elements[i] = galois_elements[i];
	m.has_relin_key = has_relin;
	return wire_he_finish(out, &m.base, scratch, mark);
}

static enum veil_status take_key_config(struct wire_key_config *out, const He__EvaluationKeyConfig *m,
	bool allow_insecure, struct veil_error *err)
{
	const char *name = m->base.descriptor->short_name;
	enum veil_status st;

	if (!m->encryption_parameters)
		return error_set(err, VEIL_E_MALFORMED, "%s: no encryption_parameters", name);
	if (m->n_galois_elements > RLWE_MAX_GALOIS_KEYS)
		return error_set(err, VEIL_E_MALFORMED, "%s: %zu galois_elements are more than %d", name,
			m->n_galois_elements, RLWE_MAX_GALOIS_KEYS);
	st = take_params(&out->set, m->encryption_parameters, allow_insecure, err);
	if (st != VEIL_OK)
		return st;
	out->galois_count = (unsigned)m->n_galois_elements;
	out->has_relin = m->has_relin_key;
	for (unsigned i = 0; i < out->galois_count; i++)
		out->galois_elements[i] = m->galois_elements[i];
	return rlwe_evalkey_check(
		&out->set.params, out->galois_elements, out->galois_count, out->has_relin, err);
}

enum veil_status wire_key_config_read(struct wire_key_config *config, bool allow_insecure, const void *data,
	size_t size, struct arena *scratch, struct veil_error *err)
{
	const size_t mark = arena_mark(scratch);
	ProtobufCMessage *m;
	enum veil_status st =
		wire_he_start(&m, &he__evaluation_key_config__descriptor, scratch, data, size, err);

	if (st == VEIL_OK)
		st = take_key_config(config, (const He__EvaluationKeyConfig *)m, allow_insecure, err);
	arena_release(scratch, mark);
	return st;
}
