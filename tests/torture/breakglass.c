/* SPDX-License-Identifier: MIT
 *
 * Torture of what takes more than one person, and of secrets: whichever allocation or disk call
 * fails, and whenever the power goes, a break-glass is active and on record or neither, and a
 * secret is the old one or the new one.
 */
#include "../sim/fake-checks.c"
#include "../sim/fake-machine.c"
#include "caps/audit-log.h"
#include "host/rights.h"
#include "torture.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct handles {
	hn_host *host;
	hn_session *session;
} handles;

/* The host is open before the faults begin: that opening it survives them is torture-host's. */
typedef struct scene {
	handles h;
	char *request, *approvals;
} scene;

static void close_handles(handles *h)
{
	hn_session_unref(h->session);
	hn_host_unref(h->host);
	*h = (handles){0};
}
#define AUTO_HANDLES __attribute__((cleanup(close_handles))) handles

static int open_host(torture *t, handles *h, hn_error **err)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;

	options.os = t->os;
	options.state = "/state";
	options.calibration = "reference:8";
	return hn_host_open(&options, &h->host, err);
}

static int open_both(torture *t, handles *h, hn_error **err)
{
	hn_session_options session = HN_SESSION_OPTIONS_INIT;
	int rc = open_host(t, h, err);

	session.reason = "torture";
	return rc < 0 ? rc : hn_session_open_local(h->host, &session, &h->session, err);
}

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

static const uint8_t seeds[3][32] = {{1}, {2}, {3}}; /* alice, bo, the root */

static void fill(caps_keyset *keyset, caps_preset *preset, caps_issuer *issuer, int64_t now)
{
	*keyset = (caps_keyset){.count = 2};
	for (size_t i = 0; i < 2; i++) {
		keyset->entries[i].person = view_of(i == 0 ? "alice" : "bo");
		crypto_ed25519_public(seeds[i], keyset->entries[i].key);
	}
	(void)caps_keyset_finish(keyset, NULL);
	*preset = (caps_preset){.name = view_of("outage"),
		.threshold = 2,
		.patterns = {view_of("unit/**")},
		.pattern_count = 1,
		.max_ttl = 600};
	memcpy(preset->keyset, keyset->hash, 32);
	caps_mask_add(&preset->mask, HN_VERB_UNIT_START);
	*issuer = (caps_issuer){.epoch = 1,
		.not_before = now,
		.sign_until = now + 60,
		.max_ttl = 60,
		.ceiling_count = 1};
	crypto_ed25519_public(seeds[2], issuer->key);
	issuer->ceiling[0].pattern = view_of("**");
	caps_mask_add(&issuer->ceiling[0].mask, HN_VERB_UNIT_READ);
}

static int trust(handles *h)
{
	BASE_AUTO_BUF base_buf payload = {0}, bytes = {0};
	int64_t now = os_now(h->host->os) / OS_SECOND;
	caps_keyset keyset;
	caps_preset preset;
	caps_issuer issuer;
	caps_bundle bundle = {.version = 1,
		.cluster = view_of("lab"),
		.made = now,
		.threshold = 1,
		.root_count = 1,
		.issuers = &issuer,
		.issuer_count = 1,
		.keysets = &keyset,
		.keyset_count = 1,
		.presets = &preset,
		.preset_count = 1};

	fill(&keyset, &preset, &issuer, now);
	crypto_ed25519_public(seeds[2], bundle.roots[0]);
	TORTURE_CHECK(caps_bundle_write(&bundle, &payload, NULL) == 0);
	TORTURE_CHECK(caps_bundle_sign((const uint8_t *)payload.data, payload.size, seeds[2],
			      &bytes, NULL) == 0);
	TORTURE_CHECK(hn_trust_update(h->session, bytes.data, bytes.size, NULL) == 0);
	return 0;
}

/* A little in the place of the 1 MiB that a host holds for a full disk: writing that anew for each
 * fault would be most of the work. */
static int make_reserve(torture *t)
{
	TORTURE_CHECK(os_mkdirs(t->os, "/state", 0700, NULL) == 0);
	TORTURE_CHECK(os_write_file(t->os, "/state/reserve", "held", 4, 0600, NULL) == 0);
	return 0;
}

/* --- break-glass --- */

static int approve(torture *t, scene *s)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	base_buf texts = {0};

	TORTURE_CHECK(caps_ask_read_text(s->request, &ask, NULL) == 0);
	for (int i = 0; i < 2; i++) {
		BASE_AUTO_BUF base_buf bytes = {0};
		BASE_AUTO_FREE char *text = NULL;

		TORTURE_CHECK(caps_approval_sign(ask->hash, seeds[i], os_now(t->os) / OS_SECOND,
				      &bytes, NULL) == 0 &&
			      caps_approval_text(&bytes, &text, NULL) == 0);
		base_buf_format(&texts, "%s ", text);
	}
	s->approvals = base_buf_take(&texts);
	return 0;
}

static int prepare_glass(torture *t)
{
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	scene *s = t->state = calloc(1, sizeof(*s));
	AUTO_HANDLES h = {0};

	fake_reset();
	TORTURE_CHECK(make_reserve(t) == 0);
	TORTURE_CHECK(open_both(t, &h, NULL) == 0 && trust(&h) == 0);
	options.reason = "torture";
	TORTURE_CHECK(hn_breakglass_request(h.host, "outage", &options, &s->request, NULL) == 0);
	TORTURE_CHECK(approve(t, s) == 0);
	close_handles(&h);
	TORTURE_CHECK(open_host(t, &s->h, NULL) == 0);
	return 0;
}

static int activate(const scene *s, handles *h, hn_error **err)
{
	return hn_breakglass_activate(h->host, s->request, s->approvals, NULL, &h->session, err);
}

static int run_glass(torture *t, hn_error **err)
{
	scene *s = t->state;
	int rc = activate(s, &s->h, err);

	if (rc < 0 && s->h.session)
		t->output = NULL; /* the harness says that it was touched */
	close_handles(&s->h);
	return rc;
}

/* The records of an activation name its request. They are decoded: the references and hashes in a
 * record are chance, and any short run of bytes turns up in them. */
static int count_records(hn_host *host, uint64_t *count)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc;

	*count = 0;
	TORTURE_CHECK(
		state_find(host->store, "SELECT rec, (SELECT hash FROM cap_breakglass) FROM audit",
			&query, NULL) == 0);
	while ((rc = state_row(query, NULL)) > 0) {
		size_t size = 0, hash_size = 0;
		const void *bytes = state_blob(query, 0, &size);
		const void *hash = state_blob(query, 1, &hash_size);
		audit_record record;

		TORTURE_CHECK(audit_record_read(bytes, size, &record));
		if (record.kind != CAPS_AUDIT_BREAKGLASS || record.request.size == 0)
			continue;
		TORTURE_CHECK(hash_size == record.request.size &&
			      memcmp(hash, record.request.bytes, hash_size) == 0);
		++*count;
	}
	TORTURE_CHECK(rc == 0);
	return 0;
}

/* Row, used request, event and record: all are there, or none. */
static int check_whole(hn_host *host, uint64_t *rows)
{
	uint64_t used = 0, events = 0, records = 0;

	TORTURE_CHECK(host_number(host, "SELECT count(*) FROM cap_breakglass", rows, NULL) == 0);
	TORTURE_CHECK(host_number(host, "SELECT count(*) FROM cap_request WHERE state = 1", &used,
			      NULL) == 0);
	TORTURE_CHECK(host_number(host,
			      "SELECT count(*) FROM event"
			      " WHERE type = 'org.hypernix.breakglass.activated.v1'",
			      &events, NULL) == 0);
	if (count_records(host, &records) < 0)
		return -1;
	TORTURE_CHECK(*rows <= 1 && used == *rows && events == *rows && records == *rows);
	TORTURE_CHECK(host_audit_verify(host, NULL) == 0);
	return 0;
}

/* What failed has used nothing up: the same request and approvals still open the glass. After a
 * crash they do not, for they hold for one boot. */
static int check_glass(torture *t)
{
	AUTO_HANDLES h = {0};
	uint64_t rows = 0;

	TORTURE_CHECK(open_host(t, &h, NULL) == 0);
	if (check_whole(h.host, &rows) < 0)
		return -1;
	TORTURE_CHECK(t->code < 0 || rows == 1);
	if (rows == 1 || t->crashed)
		return 0;
	TORTURE_CHECK(activate(t->state, &h, NULL) == 0);
	TORTURE_CHECK(check_whole(h.host, &rows) == 0 && rows == 1);
	return 0;
}

static void clean(torture *t)
{
	scene *s = t->state;

	if (!s)
		return;
	close_handles(&s->h);
	base_free(s->request);
	base_free(s->approvals);
	free(s);
}

/* --- a secret --- */

static int put_secret(handles *h, const char *text, hn_error **err)
{
	return hn_secret_put(h->session, "mine", "a", text, strlen(text), err);
}

static int prepare_secret(torture *t)
{
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	scene *s = t->state = calloc(1, sizeof(*s));
	AUTO_HANDLES h = {0};

	fake_reset();
	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_unit_define(h.session, "mine", &definition, NULL) == 0);
	TORTURE_CHECK(put_secret(&h, "old", NULL) == 0);
	close_handles(&h);
	return open_both(t, &s->h, NULL);
}

static int run_secret(torture *t, hn_error **err)
{
	scene *s = t->state;
	int rc = put_secret(&s->h, "new", err);

	close_handles(&s->h);
	return rc;
}

static int check_secret(torture *t)
{
	AUTO_HANDLES h = {0};
	char text[4] = "";
	int fd = -1;

	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_secret_attach(h.session, "mine", "a", &fd, NULL) == 0);
	TORTURE_CHECK(read(fd, text, sizeof(text)) == 3 && close(fd) == 0);
	TORTURE_CHECK(memcmp(text, "new", 3) == 0 || memcmp(text, "old", 3) == 0);
	TORTURE_CHECK(t->code < 0 || memcmp(text, "new", 3) == 0);
	return 0;
}

/* --- a start that hands a secret over --- */

static int prepare_start(torture *t)
{
	static const char *const keys[] = {"secrets"}, *const values[] = {"a"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	scene *s = t->state = calloc(1, sizeof(*s));
	AUTO_HANDLES h = {0};

	definition.keys = keys;
	definition.values = values;
	definition.value_count = 1;
	fake_reset();
	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_unit_define(h.session, "mine", &definition, NULL) == 0);
	TORTURE_CHECK(hn_secret_put(h.session, "mine", "a", "kept", 4, NULL) == 0);
	close_handles(&h);
	return open_both(t, &s->h, NULL);
}

static int run_start(torture *t, hn_error **err)
{
	scene *s = t->state;
	int rc = hn_unit_start(s->h.session, "mine", NULL, err);

	close_handles(&s->h);
	return rc;
}

/* How much of a secret is in open memory of this process. */
static int open_memories(void)
{
	DIR *directory = opendir("/proc/self/fd");
	const struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory))) {
		char path[300], to[300] = "";

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		count += readlink(path, to, sizeof(to) - 1) > 0 && strstr(to, "hypernix-secret");
	}
	if (directory)
		closedir(directory);
	return count;
}

static bool is_given(void)
{
	const fake_domain *domain = fake_find("mine");

	return domain && domain->status == HN_UNIT_RUNNING && domain->secrets_size == 4096 &&
	       memcmp(domain->secrets + 512, "kept", 4) == 0;
}

/* No guest runs without its secret, and no memory with it stays open. */
static int check_start(torture *t)
{
	const fake_domain *domain = fake_find("mine");
	AUTO_HANDLES h = {0};
	hn_error *err = NULL;
	int rc;

	TORTURE_CHECK(open_memories() == 0);
	TORTURE_CHECK(t->code < 0 || is_given());
	TORTURE_CHECK(!domain || domain->status != HN_UNIT_RUNNING || is_given());
	TORTURE_CHECK(open_both(t, &h, NULL) == 0);
	rc = hn_unit_start(h.session, "mine", NULL, &err);
	if (rc < 0)
		fprintf(stderr, "start again: %s\n", hn_error_message(err));
	hn_error_unref(err);
	TORTURE_CHECK(rc >= 0 && is_given());
	return 0;
}

static const hn_code also[] = {HN_EAUDIT, HN_OK};

static const torture_scenario scenarios[] = {
	{.name = "activate",
		.prepare = prepare_glass,
		.run = run_glass,
		.check = check_glass,
		.clean = clean,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 5,
		.first = 64},
	{.name = "secret",
		.prepare = prepare_secret,
		.run = run_secret,
		.check = check_secret,
		.clean = clean,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 5,
		.first = 64},
	{.name = "start",
		.prepare = prepare_start,
		.run = run_start,
		.check = check_start,
		.clean = clean,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 5,
		.first = 64},
};

int main(int argc, char **argv)
{
	return torture_main("breakglass", scenarios, BASE_COUNT(scenarios), argc, argv);
}
