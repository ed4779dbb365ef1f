/* SPDX-License-Identifier: MIT
 *
 * Torture of quotas that are held: whichever allocation or disk call fails, and whenever the power
 * goes, a unit in use has grown and its growth is held, or neither.
 */
#include "../sim/fake-checks.c"
#include "../sim/fake-machine.c"
#include "host/rights.h"
#include "torture.h"

#include <stdlib.h>

#define MI INT64_C(1048576)

typedef struct handles {
	hn_host *host;
	hn_session *session;
} handles;

/* The host is open before the faults begin, and the unit runs. */
typedef struct scene {
	handles h;
	hn_session *holder;
} scene;

static void close_handles(handles *h)
{
	hn_session_unref(h->session);
	hn_host_unref(h->host);
	*h = (handles){0};
}
#define AUTO_HANDLES __attribute__((cleanup(close_handles))) handles

static int open_both(torture *t, handles *h, hn_error **err)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_session_options session = HN_SESSION_OPTIONS_INIT;
	int rc;

	options.os = t->os;
	options.state = "/state";
	options.calibration = "reference:8";
	session.reason = "torture";
	rc = hn_host_open(&options, &h->host, err);
	return rc < 0 ? rc : hn_session_open_local(h->host, &session, &h->session, err);
}

/* --- a token --- */

static const uint8_t root[32] = {1}, holder[32] = {2};

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

static int trust(handles *h)
{
	BASE_AUTO_BUF base_buf payload = {0}, bytes = {0};
	int64_t now = os_now(h->host->os) / OS_SECOND;
	crypto_signer *signer = NULL;
	crypto_signer_status status;
	caps_issuer issuer = {.epoch = 1,
		.not_before = now - 60,
		.sign_until = now + 3600,
		.max_ttl = 3600,
		.ceiling_count = 1};
	caps_bundle bundle = {.version = 1,
		.cluster = view_of("lab"),
		.made = now,
		.threshold = 1,
		.root_count = 1,
		.issuers = &issuer,
		.issuer_count = 1};

	TORTURE_CHECK(host_signer(h->host, &signer, NULL) == 0);
	TORTURE_CHECK(signer->ops->status(signer, &status, NULL) == 0);
	memcpy(issuer.key, status.key[CRYPTO_ROLE_ISSUER].public_key, sizeof(issuer.key));
	issuer.ceiling[0].pattern = view_of("**");
	TORTURE_CHECK(caps_mask_add_text(&issuer.ceiling[0].mask, "*", NULL) == 0);
	crypto_ed25519_public(root, bundle.roots[0]);
	TORTURE_CHECK(caps_bundle_write(&bundle, &payload, NULL) == 0);
	TORTURE_CHECK(caps_bundle_sign((const uint8_t *)payload.data, payload.size, root, &bytes,
			      NULL) == 0);
	TORTURE_CHECK(hn_trust_update(h->session, bytes.data, bytes.size, NULL) == 0);
	return 0;
}

static int prove(handles *h, const char *token, char **text)
{
	BASE_AUTO_OF(caps_token) caps_token *read = NULL, *proven = NULL;
	BASE_AUTO_FREE char *nonce = NULL;
	caps_use use = {.verb = 65535, .object = "-", .issued = os_now(h->host->os) / OS_SECOND};

	TORTURE_CHECK(caps_token_read_text(token, strlen(token), &read, NULL, NULL) == 0);
	TORTURE_CHECK(hn_session_challenge(h->host, &nonce, NULL) == 0);
	TORTURE_CHECK(codec_hex_decode(nonce, 32, use.nonce));
	TORTURE_CHECK(caps_token_prove(read, holder, &use, &proven, NULL) == 0);
	TORTURE_CHECK(caps_token_text(proven, text, NULL) == 0);
	return 0;
}

static int open_holder(handles *h, hn_session **session)
{
	static const char terms[] =
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],"
		"\"on\":\"unit/*\"}],\"quota\":{\"memory\":\"1Gi\"}}";
	BASE_AUTO_FREE char *token = NULL, *proven = NULL;
	uint8_t key[32];
	char hex[65];

	crypto_ed25519_public(holder, key);
	codec_hex(key, sizeof(key), hex);
	TORTURE_CHECK(hn_cap_issue(h->session, terms, hex, &token, NULL) == 0);
	TORTURE_CHECK(prove(h, token, &proven) == 0);
	TORTURE_CHECK(hn_session_open(h->host, proven, NULL, session, NULL) == 0);
	return 0;
}

/* --- what is tortured --- */

static int prepare(torture *t)
{
	static const char *const key = "memory.size", *const value = "512Mi";
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	scene *s = t->state = calloc(1, sizeof(*s));

	fake_reset();
	definition.keys = &key;
	definition.values = &value;
	definition.value_count = 1;
	TORTURE_CHECK(open_both(t, &s->h, NULL) == 0 && trust(&s->h) == 0);
	TORTURE_CHECK(hn_unit_define(s->h.session, "a", &definition, NULL) == 0);
	TORTURE_CHECK(open_holder(&s->h, &s->holder) == 0);
	TORTURE_CHECK(hn_unit_start(s->holder, "a", NULL, NULL) == 0);
	return 0;
}

static int close_after(scene *s, int rc)
{
	s->holder = hn_session_unref(s->holder);
	close_handles(&s->h);
	return rc;
}

static int run_grow(torture *t, hn_error **err)
{
	scene *s = t->state;

	return close_after(s, hn_unit_set(s->holder, "a", "memory.size", "1Gi", err));
}

static int run_restart(torture *t, hn_error **err)
{
	scene *s = t->state;

	return close_after(s, hn_unit_restart(s->holder, "a", NULL, err));
}

static int sums(hn_host *host, int64_t *held)
{
	uint64_t used = 0, sum = 0;

	TORTURE_CHECK(host_number(host, "SELECT coalesce(sum(amount), 0) FROM cap_hold", &sum,
			      NULL) == 0);
	TORTURE_CHECK(host_number(host, "SELECT coalesce(sum(used), 0) FROM cap_counter", &used,
			      NULL) == 0);
	TORTURE_CHECK(used == sum);
	*held = (int64_t)sum;
	return 0;
}

/* Grown and held, or neither; and all of it can be given back. */
static int check(torture *t, int64_t grown)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	AUTO_HANDLES h = {0};
	int64_t held = 0, size = 0;

	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_state_verify(h.session, NULL) == 0);
	TORTURE_CHECK(hn_unit_find(h.session, "a", false, &unit, NULL) == 0);
	TORTURE_CHECK(hn_view_get_int(hn_unit_desired(unit), "memory.size", &size, NULL) >= 0);
	TORTURE_CHECK(sums(h.host, &held) == 0);
	TORTURE_CHECK(held == size);
	TORTURE_CHECK(t->code < 0 || held == grown);
	TORTURE_CHECK(hn_unit_stop(h.session, "a", NULL, NULL, NULL) == 0);
	TORTURE_CHECK(sums(h.host, &held) == 0 && held == 0);
	return 0;
}

static int check_grow(torture *t)
{
	return check(t, 1024 * MI);
}

static int check_restart(torture *t)
{
	return check(t, 512 * MI);
}

static void clean(torture *t)
{
	if (t->state)
		(void)close_after(t->state, 0);
	free(t->state);
}

static const hn_code also[] = {HN_EAUDIT, HN_OK};

static const torture_scenario scenarios[] = {
	{.name = "grow",
		.prepare = prepare,
		.run = run_grow,
		.check = check_grow,
		.clean = clean,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 43,
		.first = 24},
	{.name = "restart",
		.prepare = prepare,
		.run = run_restart,
		.check = check_restart,
		.clean = clean,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 131,
		.first = 24},
};

int main(int argc, char **argv)
{
	return torture_main("quota", scenarios, BASE_COUNT(scenarios), argc, argv);
}
