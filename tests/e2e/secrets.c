/* SPDX-License-Identifier: MIT
 *
 * e2e-secrets STATE PLANTS OUT [SOCKET]: handles every kind of secret once, wipes what it was given
 * itself, and waits. PLANTS/secret is put into a unit; what is made under way is written to PLANTS;
 * answers of the API go to OUT. What is found of PLANTS anywhere else leaked.
 */
#include "caps/trust.h"
#include "host/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void must(int rc, hn_error *err, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, err ? hn_error_message(err) : "failed");
	exit(1);
}
#define MUST(call)                                                                                 \
	do {                                                                                       \
		int rc_ = (call);                                                                  \
		must(rc_, err, #call);                                                             \
	} while (0)

static void give(const char *directory, const char *name, const void *bytes, size_t size)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
		perror(path);
		exit(1);
	}
	(void)close(fd);
}

static size_t take(const char *directory, const char *name, void *bytes, size_t most)
{
	char path[256];
	ssize_t size;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, bytes, most);
	if (size < 0) {
		perror(path);
		exit(1);
	}
	(void)close(fd);
	return (size_t)size;
}

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

/* A bundle that trusts the host's issuer key, by a root that is not kept. */
static void trust(hn_host *host, hn_session *session)
{
	BASE_AUTO_BUF base_buf payload = {0}, bytes = {0};
	BASE_AUTO_OF(crypto_secret) crypto_secret *root = NULL;
	int64_t now = os_now(hn_os_real()) / OS_SECOND;
	caps_issuer issuer = {.epoch = 1,
		.not_before = now - 60,
		.sign_until = now + 86400,
		.max_ttl = 86400,
		.ceiling_count = 1};
	caps_bundle bundle = {.version = 1,
		.cluster = view_of("lab"),
		.made = now,
		.threshold = 1,
		.root_count = 1,
		.issuers = &issuer,
		.issuer_count = 1};
	crypto_signer *signer = NULL;
	crypto_signer_status status;
	hn_error *err = NULL;

	MUST(host_signer(host, &signer, &err));
	MUST(signer->ops->status(signer, &status, &err));
	memcpy(issuer.key, status.key[CRYPTO_ROLE_ISSUER].public_key, sizeof(issuer.key));
	issuer.ceiling[0].pattern = view_of("**");
	MUST(caps_mask_add_text(&issuer.ceiling[0].mask, "*", &err));
	MUST(crypto_secret_random(hn_os_real(), 32, &root, &err));
	crypto_ed25519_public(crypto_secret_view(root), bundle.roots[0]);
	MUST(caps_bundle_write(&bundle, &payload, &err));
	MUST(caps_bundle_sign((const uint8_t *)payload.data, payload.size, crypto_secret_view(root),
		&bytes, &err));
	MUST(hn_trust_update(session, bytes.data, bytes.size, &err));
}

static void use_secret(hn_session *session, const char *plants)
{
	uint8_t bytes[256];
	size_t size = take(plants, "secret", bytes, sizeof(bytes));
	hn_error *err = NULL;
	int fd = -1;

	MUST(hn_secret_put(session, "mine", "password", bytes, size, &err));
	explicit_bzero(bytes, sizeof(bytes));
	MUST(hn_secret_attach(session, "mine", "password", &fd, &err));
	if (read(fd, bytes, sizeof(bytes)) != (ssize_t)size)
		exit(1);
	explicit_bzero(bytes, sizeof(bytes));
	(void)close(fd);
}

/* The seed of a bearer token is at its end. */
static void give_seed(const char *plants, const char *token)
{
	uint8_t bytes[CAPS_TOKEN_BYTES];
	size_t size = 0;

	if (!codec_base64url_decode(token + 5, strlen(token) - 5, bytes, sizeof(bytes), &size))
		exit(1);
	give(plants, "seed", bytes + size - CRYPTO_SEED, CRYPTO_SEED);
	explicit_bzero(bytes, sizeof(bytes));
}

static void use_token(hn_host *host, hn_session *session, const char *plants)
{
	static const char terms[] = "{\"for\":\"carol\",\"ttl\":\"10min\",\"bearer\":true,"
				    "\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}";
	hn_session *holder = NULL;
	hn_units *units = NULL;
	char *token = NULL;
	hn_error *err = NULL;

	MUST(hn_cap_issue(session, terms, NULL, &token, &err));
	give(plants, "token", token + strlen(token) - 40, 40);
	give_seed(plants, token);
	MUST(hn_session_open(host, token, NULL, &holder, &err));
	MUST(hn_units_list(holder, NULL, false, &units, &err));
	hn_units_free(units);
	hn_session_unref(holder);
	explicit_bzero(token, strlen(token));
	hn_text_free(token);
}

static void answers(hn_session *session, const char *out)
{
	hn_error *err = NULL;
	char *json = NULL;

#define ANSWER(call, name)                                                                         \
	do {                                                                                       \
		MUST(call);                                                                        \
		give(out, name, json, strlen(json));                                               \
		hn_text_free(json);                                                                \
	} while (0)
	ANSWER(hn_secret_list(session, "mine", &json, &err), "secrets.json");
	ANSWER(hn_cap_list(session, &json, &err), "tokens.json");
	ANSWER(hn_session_list(session, &json, &err), "sessions.json");
	ANSWER(hn_audit_tail(session, 0, 1000, &json, &err), "audit.json");
	ANSWER(hn_clock_status(session, &json, &err), "clock.json");
	ANSWER(hn_metrics_text(session, &json, &err), "metrics.txt");
}

int main(int count, char **words)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	const char *key = "memory.size", *value = "1Gi";
	hn_session *session = NULL;
	hn_host *host = NULL;
	hn_error *err = NULL;

	if (count < 4)
		return 64;
	options.state = words[1];
	options.calibration = "reference:64";
	options.program = "secrets";
	options.signer = count > 4 ? words[4] : NULL;
	who.reason = "looking for leaks";
	MUST(hn_host_open(&options, &host, &err));
	MUST(hn_session_open_local(host, &who, &session, &err));
	definition.keys = &key;
	definition.values = &value;
	definition.value_count = 1;
	MUST(hn_unit_define(session, "mine", &definition, &err));
	trust(host, session);
	use_secret(session, words[2]);
	use_token(host, session, words[2]);
	answers(session, words[3]);
	puts("ready");
	(void)fflush(stdout);
	(void)pause();
	return 0;
}
