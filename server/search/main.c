/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"
#include "kit/lifecycle.h"
#include "kit/log.h"
#include "search/config.h"
#include "search/keys.h"
#include "search/service.h"

#define HOUSEKEEPING_MS 1000 /* how late the memory of an outdated version may be given back */

static int finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fputs("veild: the output could not all be written\n", stderr);
	return 1;
}

static int help(void)
{
	printf("veild --index DIR [OPTIONS]\nAnswers encrypted searches; put it behind a front that speaks "
	       "TLS.\n\n");
	config_help(stdout, &veild_options);
	return finish();
}

static enum veil_status check(const struct config *c, struct veil_error *err)
{
	if (!c->index[0] && !c->new_gateway_key[0])
		return error_set(err, VEIL_E_INVALID, "--index DIR is needed; --help lists the options");
	if (log_level_from_name(c->log_level) < 0)
		return error_set(err, VEIL_E_INVALID, "log-level is '%s', not error, warn, info or debug",
			c->log_level);
	if (c->reply_deadline_ms >= c->total_timeout_ms)
		return error_set(err, VEIL_E_INVALID,
			"reply-deadline-ms %u is not below total-timeout-ms %u: no reply would arrive",
			c->reply_deadline_ms, c->total_timeout_ms);
	log_set_level((enum log_level)log_level_from_name(c->log_level));
	return VEIL_OK;
}

static int make_key(const struct config *c)
{
	struct veil_error err = {{0}};
	struct crypto *crypto;
	char path[1024];
	enum veil_status st = crypto_create(&crypto, &err);

	if (st == VEIL_OK)
		st = keys_make(crypto, c->new_gateway_key, c->gateway_kem, c->gateway_key_days,
			c->gateway_grace_seconds, time(NULL), path, sizeof path, &err);
	crypto_destroy(crypto);
	if (st != VEIL_OK) {
		log_error("%s", err.text);
		return 1;
	}
	printf("%s\n", path);
	return finish();
}

int main(int argc, char **argv)
{
	struct veil_error err = {{0}};
	enum config_action action;
	struct config config = {0};
	struct service service;
	int signal_number;
	enum veil_status st = config_parse(&config, &action, &veild_options, argc, argv, &err);

	if (st == VEIL_OK && action == CONFIG_HELP)
		return help();
	if (st == VEIL_OK && action == CONFIG_VERSION) {
		printf("veild %s\n", VEIL_VERSION);
		return finish();
	}
	if (st == VEIL_OK)
		st = check(&config, &err);
	if (st != VEIL_OK) {
		fprintf(stderr, "veild: %s\n", err.text);
		return 2;
	}
	lifecycle_start();
	if (config.new_gateway_key[0])
		return make_key(&config);
	st = service_start(&service, &config, &err);
	if (st != VEIL_OK && lifecycle_stopping()) {
		log_info("stopped before it served: %s", err.text);
		return 0;
	}
	if (st != VEIL_OK) {
		log_error("%s", err.text);
		return 1;
	}
	while ((signal_number = lifecycle_wait(HOUSEKEEPING_MS)) == 0 || signal_number == SIGHUP) {
		if (signal_number == SIGHUP)
			service_reload(&service);
		service_expire(&service);
	}
	service_stop(&service);
	log_info("stopped");
	return 0;
}
