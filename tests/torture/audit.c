/* SPDX-License-Identifier: MIT
 *
 * Torture of the audit log: records are appended and sealed, tiles filled, records pruned and
 * erased while memory and disk fail and the power goes at every call. No acknowledged record is
 * ever lost, the log always verifies, and the signer never takes it for a fork.
 */
#include "caps/audit.h"
#include "caps/signer.h"
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>

#define DATABASE "/state/hypernix.db"
#define MS_A_DAY (INT64_C(24) * 3600 * 1000)

/* What the run was told; it survives the power failure, as somebody who was answered would. */
typedef struct audit_state {
	uint64_t acknowledged; /* records that are there, the first one included */
	uint64_t sealed;       /* so many are under a checkpoint that was acknowledged */
} audit_state;

typedef struct audit_world {
	state_store *store;
	caps_audit *audit;
	crypto_signer *signer;
} audit_world;

static void world_close(audit_world *w)
{
	crypto_signer_free(w->signer);
	caps_audit_close(w->audit);
	state_close(w->store);
}

static int world_open(torture *t, audit_world *w, hn_error **err)
{
	caps_signer_options options = {
		.os = t->os, .directory = "/state/keys", .origin = "hypernix.org/audit/lab/n1"};
	int rc = os_mkdirs(t->os, "/state", 0700, err);

	if (rc >= 0)
		rc = state_open(t->os, DATABASE, true, false, &w->store, err);
	if (rc >= 0)
		rc = state_schema_apply(
			w->store, "audit", caps_audit_schema, caps_audit_schema_count, err);
	if (rc >= 0)
		rc = caps_audit_open(w->store, "n1", &w->audit, err);
	if (rc >= 0)
		rc = caps_audit_watch(w->audit, err);
	return rc < 0 ? rc : caps_signer_open(&options, &w->signer, err);
}
#define WORLD __attribute__((cleanup(world_close))) audit_world

/* All in one transaction. */
static int append(audit_world *w, audit_state *state, size_t count, hn_error **err)
{
	static const caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW,
		.verb = HN_VERB_UNIT_START,
		.subject = "alice",
		.reason = "torture"};
	uint64_t last = 0;
	int rc = state_begin(w->store, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc >= 0 && i < count; i++)
		rc = caps_audit_append(w->audit, &entry, &last, err);
	if (rc < 0) {
		state_rollback(w->store);
		return rc;
	}
	rc = state_commit(w->store, err);
	if (rc >= 0)
		state->acknowledged = last + 1;
	return rc;
}

static int seal(audit_world *w, audit_state *state, hn_error **err)
{
	uint64_t size = 0;
	int rc = caps_audit_size(w->audit, &size, err);

	if (rc >= 0)
		rc = caps_audit_seal(w->audit, w->signer, err);
	if (rc >= 0)
		state->sealed = size;
	return rc;
}

/* A log of so many records, sealed and on the disk. */
static int prepare(torture *t, size_t count)
{
	audit_state *state = t->state = calloc(1, sizeof(*state));
	WORLD w = {0};

	TORTURE_CHECK(state && crypto_open(NULL) == 0);
	TORTURE_CHECK(world_open(t, &w, NULL) >= 0);
	TORTURE_CHECK(append(&w, state, count, NULL) >= 0);
	TORTURE_CHECK(seal(&w, state, NULL) >= 0);
	state->acknowledged++; /* the record of the key */
	return 0;
}

static int prepare_few(torture *t)
{
	return prepare(t, 3);
}

/* 255 records: the next one fills a tile. */
static int prepare_tile(torture *t)
{
	return prepare(t, 253);
}

static int prepare_old(torture *t)
{
	int rc = prepare(t, 300);

	hn_os_sim_advance(t->os, 100 * MS_A_DAY * 1000000);
	return rc;
}

static int check(torture *t)
{
	const audit_state *state = t->state;
	caps_audit_check_options options = {0};
	caps_audit_facts facts;
	WORLD w = {0};
	hn_error *err = NULL;
	int rc = world_open(t, &w, &err);

	if (rc < 0)
		return torture_fail("it does not open again: %s", hn_error_message(err));
	options.signer = w.signer;
	rc = caps_audit_verify(w.audit, &options, &err);
	if (rc >= 0)
		rc = caps_audit_look(w.audit, w.signer, &err);
	if (rc < 0)
		return torture_fail("it does not verify: %s", hn_error_message(err));
	rc = caps_audit_check(w.audit, w.signer, &err);
	if (rc < 0)
		return torture_fail("it is a fork to its signer: %s", hn_error_message(err));
	TORTURE_CHECK(caps_audit_facts_read(w.audit, &facts, NULL) >= 0);
	if (facts.records < state->acknowledged)
		return torture_fail("%llu records were acknowledged, %llu are there",
			(unsigned long long)state->acknowledged, (unsigned long long)facts.records);
	/* and it goes on: a checkpoint that got lost is fetched */
	rc = caps_audit_seal(w.audit, w.signer, &err);
	if (rc < 0)
		return torture_fail("it is not sealed again: %s", hn_error_message(err));
	TORTURE_CHECK(caps_audit_facts_read(w.audit, &facts, NULL) >= 0);
	TORTURE_CHECK(facts.sealed == facts.records && facts.sealed >= state->sealed);
	return caps_audit_verify(w.audit, &options, NULL) < 0 ? torture_fail("sealed and wrong")
							      : 0;
}

static void clean(torture *t)
{
	free(t->state);
}

static int run_append(torture *t, hn_error **err)
{
	WORLD w = {0};
	int rc = world_open(t, &w, err);

	for (int i = 0; rc >= 0 && i < 3; i++)
		rc = append(&w, t->state, 1, err);
	return rc;
}

static int run_seal(torture *t, hn_error **err)
{
	WORLD w = {0};
	int rc = world_open(t, &w, err);

	for (int i = 0; rc >= 0 && i < 2; i++) {
		rc = append(&w, t->state, 2, err);
		if (rc >= 0)
			rc = seal(&w, t->state, err);
	}
	return rc;
}

static int run_prune(torture *t, hn_error **err)
{
	caps_audit_entry by = {.verb = HN_VERB_AUDIT_PRUNE, .subject = "root"};
	uint64_t first = 0;
	WORLD w = {0};
	int rc = world_open(t, &w, err);

	if (rc >= 0)
		rc = caps_audit_prune(
			w.audit, &by, os_now(t->os) / 1000000 - 95 * MS_A_DAY, &first, err);
	if (rc >= 0 && first != 256)
		return torture_fail("%llu is the first record", (unsigned long long)first);
	return rc;
}

static int run_erase(torture *t, hn_error **err)
{
	caps_audit_entry by = {.verb = HN_VERB_AUDIT_PRUNE, .subject = "root"};
	uint64_t count = 0;
	WORLD w = {0};
	int rc = world_open(t, &w, err);

	return rc < 0 ? rc : caps_audit_erase(w.audit, &by, "alice", &count, err);
}

static int run_export(torture *t, hn_error **err)
{
	WORLD w = {0};
	int rc = world_open(t, &w, err);

	return rc < 0 ? rc : caps_audit_export(w.audit, NULL, "/out", NULL, NULL, err);
}

/* What cannot be written is held, and is there once it can be: unless memory fails too. */
static int run_tell(torture *t, hn_error **err)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_SESSION_OPENED, .verb = -1, .subject = "bo"};
	WORLD w = {0};
	int rc = world_open(t, &w, err);

	for (int i = 0; rc >= 0 && i < 3; i++)
		rc = caps_audit_tell(w.audit, &entry, err);
	return rc;
}

/* Of ten denials eight are written, and how many there were besides: at once or when it can be. */
static int run_deny(torture *t, hn_error **err)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_DENY,
		.verb = HN_VERB_UNIT_START,
		.subject = "bo",
		.object = "unit/a",
		.reason = "torture",
		.session = (const uint8_t *)"12345678",
		.has_code = true,
		.code = HN_EDENIED};
	WORLD w = {0};
	int rc = world_open(t, &w, err);

	for (int i = 0; rc >= 0 && i < 10; i++)
		rc = caps_audit_deny(w.audit, &entry, err);
	if (rc >= 0)
		rc = caps_audit_deny_flush(w.audit, true, err);
	return rc < 0 ? rc : caps_audit_usable(w.audit, false, err);
}

static const hn_code lost[] = {HN_EAUDIT, HN_EIO, HN_ENOMEM, HN_ESIGNER, HN_OK};

#define OF_THE_LOG .check = check, .clean = clean, .io = true, .also = lost, .stride = 7

static const torture_scenario scenarios[] = {
	{.name = "append", .prepare = prepare_few, .run = run_append, OF_THE_LOG, .crash = true},
	{.name = "tile", .prepare = prepare_tile, .run = run_append, OF_THE_LOG, .crash = true},
	{.name = "seal", .prepare = prepare_few, .run = run_seal, OF_THE_LOG, .crash = true},
	{.name = "prune", .prepare = prepare_old, .run = run_prune, OF_THE_LOG, .crash = true},
	{.name = "erase", .prepare = prepare_few, .run = run_erase, OF_THE_LOG, .crash = true},
	{.name = "export", .prepare = prepare_few, .run = run_export, OF_THE_LOG},
	{.name = "deny",
		.prepare = prepare_few,
		.run = run_deny,
		OF_THE_LOG,
		.crash = true,
		.first = 48},
	{.name = "tell", .prepare = prepare_few, .run = run_tell, OF_THE_LOG, .crash = true},
};

int main(int argc, char **argv)
{
	return torture_main("audit", scenarios, BASE_COUNT(scenarios), argc, argv);
}
