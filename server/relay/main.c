/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "kit/lifecycle.h"
#include "kit/log.h"
#include "relay/config.h"
#include "relay/service.h"

#define KEPT_BYTES (16 << 20)
#define HOUSEKEEPING_MS 100 /* how late an epoch may end */

static int finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fputs("veil-relay: the output could not all be written\n", stderr);
	return 1;
}

static int help(void)
{
	printf("veil-relay --gateways FILE [OPTIONS]\nPasses sealed requests on to gateways, mixed, and "
	       "forgets who "
	       "sent them; put it behind a front that\nspeaks TLS.\n\n");
	config_help(stdout, &relay_options);
	return finish();
}

static enum veil_status check(const struct config *c, struct veil_error *err)
{
	if (!c->gateways[0] && !c->new_attestation_key[0])
		return error_set(err, VEIL_E_INVALID, "--gateways FILE is needed; --help lists the options");
	if (log_level_from_name(c->log_level) < 0)
		return error_set(err, VEIL_E_INVALID, "log-level is '%s', not error, warn, info or debug",
			c->log_level);
	if (!c->upstream_cert[0] != !c->upstream_key[0])
		return error_set(err, VEIL_E_INVALID, "--upstream-cert and --upstream-key belong together");
	if (c->request_limit == 0 || c->reply_limit == 0)
		return error_set(err, VEIL_E_INVALID, "--request-limit and --reply-limit are not 0");
	log_set_level((enum log_level)log_level_from_name(c->log_level));
	return VEIL_OK;
}

static int make_key(const char *path)
{
	struct veil_error err = {{0}};
	char public_hex[2 * SIGN_PUBLIC_BYTES + 1];

	if (crowd_key_make(path, public_hex, &err) != VEIL_OK) {
		log_error("%s", err.text);
		return 1;
	}
	printf("%s\n", public_hex);
	return finish();
}

int main(int argc, char **argv)
{
	struct veil_error err = {{0}};
	enum config_action action;
	struct config config = {0};
	static struct service service;
	int signal_number;
	enum veil_status st = config_parse(&config, &action, &relay_options, argc, argv, &err);

	if (st == VEIL_OK && action == CONFIG_HELP)
		return help();
	if (st == VEIL_OK && action == CONFIG_VERSION) {
		printf("veil-relay %s\n", VEIL_VERSION);
		return finish();
	}
	if (st == VEIL_OK)
		st = check(&config, &err);
	if (st != VEIL_OK) {
		fprintf(stderr, "veil-relay: %s\n", err.text);
		return 2;
	}
	lifecycle_start();
	/* Bodies come and go: their pages are not to be asked of the system anew for each. */
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	if (config.new_attestation_key[0])
		return make_key(config.new_attestation_key);
	st = service_start(&service, &config, &err);
	if (st != VEIL_OK && lifecycle_stopping()) {
		log_info("stopped before it served: %s", err.text);
		return 0;
	}
	if (st != VEIL_OK) {
		log_error("%s", err.text);
		return 1;
	}
	while ((signal_number = lifecycle_wait(HOUSEKEEPING_MS)) == 0 || signal_number == SIGHUP)
		service_tick(&service);
	service_stop(&service);
	log_info("stopped");
	return 0;
}
