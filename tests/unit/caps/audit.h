/* SPDX-License-Identifier: MIT
 *
 * What the tests of the audit log share: a store with the tables, a log, and a signer.
 */
#ifndef AUDIT_TEST_H
#define AUDIT_TEST_H

#include "caps/audit.h"
#include "caps/signer.h"
#include "store-helper.h"

#define ORIGIN "hypernix.org/audit/local/node-1"

typedef struct log_lab {
	hn_os *os;
	state_store *store;
	caps_audit *audit;
	crypto_signer *signer;
} log_lab;

static inline void log_open(log_lab *l)
{
	caps_signer_options options = {.os = l->os, .directory = "/state/keys", .origin = ORIGIN};

	OK(state_open(l->os, PATH, true, false, &l->store, err));
	OK(state_schema_apply(l->store, "audit", caps_audit_schema, caps_audit_schema_count, err));
	OK(caps_audit_open(l->store, "node-1", &l->audit, err));
	OK(caps_audit_watch(l->audit, err));
	OK(caps_signer_open(&options, &l->signer, err));
}

static inline log_lab log_new(void)
{
	log_lab l = {.os = sim_new(0)};

	OK(crypto_open(err));
	log_open(&l);
	return l;
}

static inline void log_close(log_lab *l)
{
	crypto_signer_free(l->signer);
	caps_audit_close(l->audit);
	state_close(l->store);
	l->signer = NULL;
	l->audit = NULL;
	l->store = NULL;
}

static inline void log_free(log_lab *l)
{
	log_close(l);
	l->os = hn_os_sim_free(l->os);
}
#define LOG __attribute__((cleanup(log_free))) log_lab

/* n records, besides the first one of every log. */
static inline void log_fill(log_lab *l, int n)
{
	for (int i = 0; i < n; i++) {
		char object[32];
		caps_audit_entry entry = {
			.kind = CAPS_AUDIT_ALLOW,
			.verb = HN_VERB_UNIT_START,
			.subject = "local/uid/0",
			.reason = "test",
			.object = object,
		};

		(void)snprintf(object, sizeof(object), "unit/u%d", i);
		OK(caps_audit_append(l->audit, &entry, NULL, err));
	}
}

static inline int64_t log_number(log_lab *l, const char *sql)
{
	state_query *query = NULL;
	int64_t number = -1;

	OK(state_find(l->store, sql, &query, err));
	OK(state_row(query, err));
	number = state_int(query, 0);
	state_done(query);
	return number;
}

/* As somebody who writes into the file. */
static inline void log_edit(log_lab *l, const char *sql)
{
	static const char *const belts[] = {"audit_no_update", "audit_no_delete",
		"audit_checkpoint_no_update", "audit_checkpoint_no_delete"};

	for (size_t i = 0; i < BASE_COUNT(belts); i++) {
		char drop[80];

		(void)snprintf(drop, sizeof(drop), "DROP TRIGGER IF EXISTS %s", belts[i]);
		OK(state_exec(l->store, drop, err));
	}
	OK(state_exec(l->store, sql, err));
}

#endif
