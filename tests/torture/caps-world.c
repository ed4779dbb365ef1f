/* SPDX-License-Identifier: MIT
 *
 * The tables of capabilities under torture; see caps-world.h.
 */
#include "caps-world.h"
#include "caps/token-private.h"
#include <stdio.h>
#include <stdlib.h>

const uint8_t caps_world_seeds[5][32] = {{1}, {2}, {3}, {4}, {5}};

typedef struct caps_world_look {
	uint8_t hash[CRYPTO_DIGEST];
} caps_world_look;

/* What the run without a fault has shown, which is the first of each scenario; and the file that
 * each begins with. Neither is the memory of a run. */
static struct {
	caps_operation operation;
	caps_world_look before, after;
	char said[sizeof(((caps_world *)0)->said)];
	char *file;
	size_t size;
} known;

caps_view caps_world_view(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

void caps_world_say(caps_world *w, const char *format, ...)
{
	size_t size = strlen(w->said);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(w->said + size, sizeof(w->said) - size, format, arguments);
	va_end(arguments);
}

int caps_world_together(caps_world *w, caps_operation operation, hn_error **err)
{
	int rc = state_begin(w->state, err);

	if (rc < 0)
		return rc;
	rc = operation(w, err);
	if (rc >= 0)
		return state_commit(w->state, err);
	state_rollback(w->state);
	return rc;
}

/* --- a trust bundle --- */

static void fill_keyset(caps_keyset *keyset)
{
	*keyset = (caps_keyset){.count = 2};
	for (size_t i = 0; i < 2; i++) {
		keyset->entries[i].person = caps_world_view(i == 0 ? "alice" : "bo");
		crypto_ed25519_public(caps_world_seeds[i], keyset->entries[i].key);
	}
	(void)caps_keyset_finish(keyset, NULL);
}

static void fill_issuer(caps_issuer *issuer, const uint8_t seed[32])
{
	*issuer = (caps_issuer){.epoch = 1,
		.not_before = WORLD_NOW,
		.sign_until = WORLD_NOW + 60,
		.max_ttl = 60,
		.ceiling_count = 1};
	crypto_ed25519_public(seed, issuer->key);
	caps_kid(issuer->key, 1, issuer->kid);
	issuer->ceiling[0].pattern = caps_world_view("**");
	caps_mask_add(&issuer->ceiling[0].mask, HN_VERB_UNIT_READ);
}

int caps_world_bundle(uint64_t version, base_buf *bytes)
{
	BASE_AUTO_BUF base_buf payload = {0};
	caps_keyset keyset;
	caps_preset preset = {.name = caps_world_view("outage"),
		.threshold = 2,
		.patterns = {caps_world_view("unit/**")},
		.pattern_count = 1,
		.max_ttl = 600};
	caps_issuer issuers[2];
	caps_bundle bundle = {.version = version,
		.cluster = caps_world_view("lab"),
		.made = WORLD_NOW,
		.threshold = 1,
		.root_count = 1,
		.issuers = issuers,
		.issuer_count = version == 1 ? 2 : 1,
		.keysets = &keyset,
		.keyset_count = 1,
		.presets = &preset,
		.preset_count = 1};

	fill_keyset(&keyset);
	fill_issuer(&issuers[0], caps_world_seeds[3]);
	fill_issuer(&issuers[1], caps_world_seeds[4]);
	memcpy(preset.keyset, keyset.hash, 32);
	caps_mask_add(&preset.mask, HN_VERB_UNIT_START);
	crypto_ed25519_public(caps_world_seeds[2], bundle.roots[0]);
	TORTURE_CHECK(caps_bundle_write(&bundle, &payload, NULL) == 0);
	TORTURE_CHECK(caps_bundle_sign((const uint8_t *)payload.data, payload.size,
			      caps_world_seeds[2], bytes, NULL) == 0);
	return 0;
}

int caps_world_trust(caps_world *w, const base_buf *bytes, hn_error **err)
{
	uint8_t hash[CRYPTO_DIGEST];
	caps_audit_entry entry = {
		.kind = CAPS_AUDIT_TRUST, .verb = HN_VERB_TRUST_UPDATE, .request_hash = hash};
	uint64_t number = 0;
	int rc = state_begin(w->state, err);

	if (rc < 0)
		return rc;
	crypto_sha256(bytes->data, bytes->size, hash);
	rc = caps_audit_append(w->audit, &entry, &number, err);
	if (rc >= 0)
		rc = caps_store_bundle_put(
			w->store, (const uint8_t *)bytes->data, bytes->size, number, err);
	if (rc >= 0)
		return state_commit(w->state, err);
	state_rollback(w->state);
	return rc;
}

/* --- what is left --- */

static int add_rows(state_store *state, const char *sql, const char *table, base_buf *out)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc;

	TORTURE_CHECK(state_find(state, sql, &query, NULL) == 0);
	if (table)
		state_bind_text(query, 1, table);
	while ((rc = state_row(query, NULL)) > 0)
		base_buf_format(out, "%s\n", state_text(query, 0));
	TORTURE_CHECK(rc == 0 && !out->failed);
	return 0;
}

/* All columns but the bodies of secrets, which are sealed with chance in them. */
static int add_table(state_store *state, const char *table, base_buf *out)
{
	BASE_AUTO_BUF base_buf sql = {0};

	base_buf_format(out, "%s\n", table);
	TORTURE_CHECK(
		add_rows(state,
			"SELECT 'SELECT ' || group_concat('quote(' || name || ')', ' || '' '' || ')"
			" || ' FROM ' || ?1 FROM pragma_table_info(?1)"
			" WHERE ?1 <> 'secret' OR name <> 'body'",
			table, &sql) == 0);
	return add_rows(state, sql.data, NULL, out);
}

/* What is kept in memory of revocations, epochs and cut sessions. */
static void add_memory(const caps_store *store, base_buf *out)
{
	const caps_bundle *bundle = caps_store_bundle(store);

	for (uint8_t i = 0; i < 16; i++) {
		uint8_t id[CAPS_CTI];

		memset(id, i, sizeof(id));
		base_buf_format(out, "%d %d ", caps_store_revoked(store, id),
			caps_store_session_is_cut(store, id));
	}
	base_buf_format(out, "%llu %llu\n",
		(unsigned long long)caps_store_epoch(store, CAPS_EPOCH_SUBJECT, "alice", 5),
		bundle ? (unsigned long long)bundle->version : 0);
}

static int look_at(state_store *state, const caps_store *store, caps_world_look *look)
{
	static const char *const tables[] = {"cap_issued", "cap_revoked", "cap_epoch",
		"cap_counter", "cap_hold", "trust_bundle", "cap_session", "cap_service",
		"cap_setting", "clock_mark", "cap_request", "cap_approval", "cap_breakglass",
		"secret", "audit_pending"};
	/* there is chance in what they say */
	static const char audit[] =
		"SELECT (SELECT count(*) FROM audit) || ' ' || (SELECT count(*) FROM audit_text)"
		" || ' ' || (SELECT count(*) FROM audit_checkpoint) || ' ' ||"
		" (SELECT count(*) FROM audit_cosign) || ' ' || (SELECT count(*) FROM audit_fork)"
		" || ' ' || (SELECT size || ' ' || sealed FROM audit_head)";
	BASE_AUTO_BUF base_buf text = {0};

	add_memory(store, &text);
	for (size_t i = 0; i < BASE_COUNT(tables); i++)
		if (add_table(state, tables[i], &text) < 0)
			return -1;
	if (add_rows(state, audit, NULL, &text) < 0)
		return -1;
	crypto_sha256(text.data, text.size, look->hash);
	return 0;
}

static bool is_same(const caps_world_look *left, const caps_world_look *right)
{
	return memcmp(left->hash, right->hash, CRYPTO_DIGEST) == 0;
}

/* --- the store --- */

static void world_close(caps_world *w)
{
	caps_audit_close(w->audit);
	caps_store_close(w->store);
	state_close(w->state);
	w->audit = NULL;
	w->store = NULL;
	w->state = NULL;
}

static int world_open(caps_world *w)
{
	TORTURE_CHECK(state_open(w->os, WORLD_DATABASE, true, false, &w->state, NULL) == 0);
	TORTURE_CHECK(state_schema_apply(w->state, "audit", caps_audit_schema,
			      caps_audit_schema_count, NULL) == 0);
	TORTURE_CHECK(state_schema_apply(w->state, "caps", caps_store_schema,
			      caps_store_schema_count, NULL) == 0);
	TORTURE_CHECK(caps_store_open(w->state, &w->store, NULL) == 0);
	TORTURE_CHECK(caps_audit_open(w->state, "n1", &w->audit, NULL) == 0);
	return 0;
}

/* The first time the tables are filled; then the file is as it was. */
static int world_begin(caps_world *w, const caps_world_filling *filling)
{
	char *bytes = NULL;

	TORTURE_CHECK(os_mkdirs(w->os, "/state", 0700, NULL) == 0);
	if (known.file) {
		TORTURE_CHECK(os_write_file(w->os, WORLD_DATABASE, known.file, known.size, 0600,
				      NULL) == 0);
		return world_open(w);
	}
	if (world_open(w) < 0 || filling->tables(w) < 0)
		return -1;
	world_close(w);
	TORTURE_CHECK(os_read_file(w->os, WORLD_DATABASE, 1 << 24, &bytes, &known.size, NULL) == 0);
	known.file = malloc(known.size);
	if (known.file)
		memcpy(known.file, bytes, known.size);
	base_free(bytes);
	TORTURE_CHECK(known.file);
	return world_open(w);
}

int caps_world_prepare(torture *t, const caps_world_filling *filling)
{
	static const char terms[] =
		"{\"mover\":{\"grants\":["
		"{\"verbs\":[\"unit.*\"],\"on\":\"unit/**\",\"quota\":{\"uses\":20}},"
		"{\"verbs\":[\"unit.*\"],\"on\":\"unit/**\",\"quota\":{\"bytes\":\"1Mi\"}},"
		"{\"verbs\":[\"unit.*\"],\"on\":\"unit/**\",\"quota\":{\"vcpus\":8}},"
		"{\"verbs\":[\"unit.*\"],\"on\":\"unit/**\",\"quota\":{\"memory\":\"4Gi\"}}],"
		"\"rate\":{\"count\":5,\"per\":\"1h\"}}}";
	BASE_AUTO_OF(caps_services) caps_services *services = NULL;
	caps_world *w = t->state = calloc(1, sizeof(*w));

	TORTURE_CHECK(w && crypto_open(NULL) == 0);
	w->os = t->os;
	TORTURE_CHECK(caps_services_read(terms, &services, NULL) == 0);
	TORTURE_CHECK(
		caps_service_token("mover", services->items[0].terms, 0, &w->token, NULL) == 0);
	if (world_begin(w, filling) < 0)
		return -1;
	return filling->more ? filling->more(w) : 0;
}

int caps_world_run(torture *t, caps_operation operation, hn_error **err)
{
	caps_world *w = t->state;
	int rc;

	w->done = operation;
	if (known.operation != operation && look_at(w->state, w->store, &known.before) < 0)
		return HN_EINVAL;
	rc = operation(w, err);
	if (w->touched)
		t->output = NULL; /* the harness says so */
	return rc;
}

static int check_words(const caps_world *w)
{
	if (strcmp(w->said, known.said) != 0)
		return torture_fail("it said \"%s\" instead of \"%s\"", w->said, known.said);
	return 0;
}

static int do_again(caps_world *w)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	w->said[0] = '\0';
	if (w->done(w, &err) < 0)
		return torture_fail("it cannot be done again: %s", hn_error_message(err));
	return check_words(w);
}

/* On the handles that saw the fault. */
static int check_handles(caps_world *w, int code)
{
	caps_world_look look;

	TORTURE_CHECK(!state_in_transaction(w->state));
	TORTURE_CHECK(caps_store_refresh(w->store, NULL) >= 0);
	if (look_at(w->state, w->store, &look) < 0)
		return -1;
	TORTURE_CHECK(code < 0 || is_same(&look, &known.after));
	if (code >= 0)
		return check_words(w);
	TORTURE_CHECK(is_same(&look, &known.before) || is_same(&look, &known.after));
	if (!is_same(&look, &known.before))
		return 0;
	return do_again(w);
}

/* The run without faults. */
static int learn(caps_world *w)
{
	TORTURE_CHECK(caps_store_refresh(w->store, NULL) >= 0);
	if (look_at(w->state, w->store, &known.after) < 0)
		return -1;
	memcpy(known.said, w->said, sizeof(known.said));
	known.operation = w->done;
	return 0;
}

int caps_world_check(torture *t)
{
	caps_world *w = t->state;
	caps_world_look look;

	if (known.operation != w->done && learn(w) < 0)
		return -1;
	if (!t->crashed && check_handles(w, t->code) < 0)
		return -1;
	world_close(w);
	if (world_open(w) < 0)
		return -1;
	TORTURE_CHECK(state_check(w->state, NULL) == 0);
	if (look_at(w->state, w->store, &look) < 0)
		return -1;
	TORTURE_CHECK(is_same(&look, &known.after) ||
		      (t->crashed && t->code < 0 && is_same(&look, &known.before)));
	return 0;
}

void caps_world_clean(torture *t)
{
	caps_world *w = t->state;

	if (!w)
		return;
	crypto_signer_free(w->signer);
	caps_token_free(w->token);
	world_close(w);
	free(w);
}
