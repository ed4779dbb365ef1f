/* SPDX-License-Identifier: MIT
 *
 * What was issued and what of it is void: by its number, its subject, its issuer; which record says
 * so; and what is forgotten. Open sessions too, which are cut.
 */
#include "caps/audit.h"
#include "caps/store.h"
#include "decide-helper.h"
#include "store-helper.h"

#define DAYS (INT64_C(86400))

typedef struct lab {
	hn_os *os;
	state_store *state;
	caps_store *store;
	caps_token *token;
} lab;

/* As if the records of what is put here were pruned: they are no part of this. */
static lab lab_new(void)
{
	lab l = {.os = sim_new(0)};

	OK(crypto_open(err));
	OK(state_open(l.os, PATH, true, false, &l.state, err));
	OK(state_schema_apply(l.state, "audit", caps_audit_schema, caps_audit_schema_count, err));
	OK(state_schema_apply(l.state, "caps", caps_store_schema, caps_store_schema_count, err));
	OK(state_exec(l.state, "UPDATE audit_head SET min_index = 1000", err));
	OK(caps_store_open(l.state, &l.store, err));
	l.token = with("");
	return l;
}

static void lab_free(lab *l)
{
	caps_token_free(l->token);
	caps_store_close(l->store);
	state_close(l->state);
	l->os = hn_os_sim_free(l->os);
}
#define LAB __attribute__((cleanup(lab_free))) lab

static void refresh(lab *l)
{
	OK(caps_store_refresh(l->store, err));
}

static uint64_t raise_epoch(lab *l, caps_epoch_kind kind, const char *name, uint64_t audit)
{
	uint64_t epoch = 0;

	OK(caps_store_epoch_raise(l->store, kind, name, &epoch, err));
	OK(caps_store_epoch_recorded(l->store, kind, name, epoch, audit, err));
	refresh(l);
	return epoch;
}

/* The name by which epochs are kept of the issuer of the token. */
static const char *issuer_of(const lab *l)
{
	static char name[2 * CAPS_KID + 1];

	codec_hex(l->token->kid, CAPS_KID - CAPS_KID_EPOCH, name);
	return name;
}

/* The issuer of the token in these epochs; version 1 and on. */
static void trust(lab *l, uint64_t version, const uint32_t *epochs, size_t count, uint64_t audit)
{
	BASE_AUTO_BUF base_buf payload = {0}, bytes = {0};
	caps_issuer issuers[4];
	caps_bundle bundle = {.version = version,
		.cluster = {(const uint8_t *)"lab", 3},
		.made = T0,
		.threshold = 1,
		.root_count = 1,
		.issuers = issuers,
		.issuer_count = count};

	for (size_t i = 0; i < count; i++) {
		issuers[i] = (caps_issuer){.epoch = epochs[i],
			.not_before = T0,
			.sign_until = T0 + 60,
			.max_ttl = 60,
			.ceiling_count = 1};
		/* an epoch 0 stands for another issuer */
		crypto_ed25519_public(seeds[epochs[i] ? 0 : 1], issuers[i].key);
		issuers[i].epoch += !epochs[i];
		caps_kid(issuers[i].key, issuers[i].epoch, issuers[i].kid);
		issuers[i].ceiling[0].pattern = (caps_view){(const uint8_t *)"**", 2};
		caps_mask_add(&issuers[i].ceiling[0].mask, HN_VERB_UNIT_READ);
	}
	crypto_ed25519_public(seeds[2], bundle.roots[0]);
	OK(caps_bundle_write(&bundle, &payload, err));
	OK(caps_bundle_sign((const uint8_t *)payload.data, payload.size, seeds[2], &bytes, err));
	OK(caps_store_bundle_put(l->store, (const uint8_t *)bytes.data, bytes.size, audit, err));
	refresh(l);
}

typedef struct found {
	const char *by;
	uint64_t audit;
} found;

static found ended_by(lab *l, caps_ending ending)
{
	found f = {.audit = 99};

	OK(caps_store_ended(l->store, l->token, ending, 0, &f.by, &f.audit, err));
	return f;
}

/* --- which record says so --- */

Test(ended, by_nothing_and_by_time_no_record_tells)
{
	LAB l = lab_new();

	cr_expect_eq(ended_by(&l, CAPS_ENDS_NOT).audit, 0);
	cr_expect_eq(ended_by(&l, CAPS_ENDS_TIME).audit, 0);
	cr_expect_eq(ended_by(&l, CAPS_ENDS_LINK).audit, 0);
	cr_expect_eq(ended_by(&l, CAPS_ENDS_SUBJECT).audit, 0);
}

Test(ended, by_its_number)
{
	LAB l = lab_new();

	OK(caps_store_revoke(l.store, l.token->links[0].cti.bytes, T0, 5, err));
	cr_expect_eq(ended_by(&l, CAPS_ENDS_LINK).audit, 5);
}

Test(ended, by_the_first_epoch_above_its_own)
{
	LAB l = lab_new();

	l.token->subject_epoch = 1;
	cr_expect_eq(raise_epoch(&l, CAPS_EPOCH_SUBJECT, "alice", 11), 1u);
	cr_expect_eq(ended_by(&l, CAPS_ENDS_SUBJECT).audit, 0, "it is of that epoch");
	raise_epoch(&l, CAPS_EPOCH_SUBJECT, "alice", 12);
	raise_epoch(&l, CAPS_EPOCH_SUBJECT, "alice", 13);
	raise_epoch(&l, CAPS_EPOCH_SUBJECT, "bo", 14);
	cr_expect_eq(ended_by(&l, CAPS_ENDS_SUBJECT).audit, 12);
	cr_expect_eq(caps_store_epoch(l.store, CAPS_EPOCH_SUBJECT, "alice", 5), 3u);
	cr_expect_eq(caps_store_epoch(l.store, CAPS_EPOCH_SUBJECT, "carol", 5), 0u);
	cr_expect_eq(caps_store_epoch(l.store, CAPS_EPOCH_ISSUER, "alice", 5), 0u);
}

Test(ended, by_an_epoch_of_its_issuer)
{
	static const uint32_t epochs[] = {1, 2};
	LAB l = lab_new();

	trust(&l, 1, epochs, 2, 21);
	cr_expect_eq(caps_store_issuer_epoch(l.store, l.token->kid), 0u);
	cr_expect_eq(raise_epoch(&l, CAPS_EPOCH_ISSUER, issuer_of(&l), 22), 3u,
		"above those that are in use");
	cr_expect_eq(caps_store_issuer_epoch(l.store, l.token->kid), 3u);
	found f = ended_by(&l, CAPS_ENDS_ISSUER);
	cr_expect_eq(f.audit, 22);
	cr_expect_null(f.by);
}

Test(ended, an_epoch_of_who_is_no_issuer)
{
	static const uint32_t epochs[] = {0};
	LAB l = lab_new();

	cr_expect_eq(raise_epoch(&l, CAPS_EPOCH_ISSUER, issuer_of(&l), 22), 1u, "no bundle");
	trust(&l, 1, epochs, 1, 21);
	cr_expect_eq(raise_epoch(&l, CAPS_EPOCH_ISSUER, issuer_of(&l), 23), 2u, "another's");
}

Test(ended, by_the_first_bundle_without_its_issuer)
{
	static const uint32_t with_it[] = {1}, without[] = {0};
	LAB l = lab_new();
	found f = ended_by(&l, CAPS_ENDS_ISSUER);

	cr_expect_eq(f.audit, 0);
	cr_expect_str_eq(f.by, "trust", "no bundle at all");
	trust(&l, 1, without, 1, 31);
	cr_expect_eq(ended_by(&l, CAPS_ENDS_ISSUER).audit, 0, "it never was in one");
	trust(&l, 2, with_it, 1, 32);
	trust(&l, 3, without, 1, 33);
	trust(&l, 4, without, 1, 34);
	f = ended_by(&l, CAPS_ENDS_ISSUER);
	cr_expect_eq(f.audit, 33);
	cr_expect_str_eq(f.by, "trust");
}

Test(ended, by_bundles_of_which_one_was_damaged)
{
	static const uint32_t without[] = {0};
	LAB l = lab_new();
	const char *by = NULL;
	uint64_t audit = 99;

	trust(&l, 1, without, 1, 31);
	OK(state_exec(l.state, "UPDATE trust_bundle SET body = x'00'", err));
	FAILS(HN_EBUNDLE,
		caps_store_ended(l.store, l.token, CAPS_ENDS_ISSUER, 0, &by, &audit, err));
}

/* --- what was issued --- */

typedef struct list {
	caps_issued rows[4];
	char names[4][16];
	size_t count, stop; /* after so many; 0: never */
} list;

static int take(void *arg, const caps_issued *one)
{
	list *all = arg;

	cr_assert_lt(all->count, BASE_COUNT(all->rows));
	all->rows[all->count] = *one;
	(void)snprintf(all->names[all->count], sizeof(all->names[0]), "%s",
		one->template_name ? one->template_name : "-");
	return ++all->count == all->stop ? 7 : 0;
}

static void issue_as(lab *l, uint8_t number, uint64_t epoch, const char *template)
{
	static uint8_t cti[CAPS_CTI]; /* the token borrows it */

	memset(cti, number, sizeof(cti));
	l->token->links[0].cti = (caps_view){cti, sizeof(cti)};
	l->token->subject_epoch = epoch;
	l->token->template_name =
		(caps_view){(const uint8_t *)template, template ? strlen(template) : 0};
	OK(caps_store_issued(l->store, l->token, number == 1, err));
}

static list listed(lab *l, size_t stop, int rc)
{
	list all = {.stop = stop};

	cr_assert_eq(caps_store_issued_each(l->store, take, &all, NULL), rc);
	return all;
}

Test(issued, newest_first_and_why_it_is_void)
{
	LAB l = lab_new();
	uint8_t cti[CAPS_CTI];
	list all;

	issue_as(&l, 1, 0, NULL);
	issue_as(&l, 2, 1, "web");
	issue_as(&l, 3, 1, NULL);
	all = listed(&l, 0, 0);
	cr_assert_eq(all.count, 3);
	cr_expect_eq(all.rows[0].cti[0], 3);
	cr_expect_str_eq(all.names[0], "-");
	cr_expect_str_eq(all.names[1], "web");
	cr_expect(all.rows[2].administers && !all.rows[0].administers);
	for (size_t i = 0; i < 3; i++)
		cr_expect_null(all.rows[i].revoked_by);
	memset(cti, 3, sizeof(cti));
	OK(caps_store_revoke(l.store, cti, T0, 5, err));
	raise_epoch(&l, CAPS_EPOCH_SUBJECT, "alice", 6);
	all = listed(&l, 0, 0);
	cr_expect_str_eq(all.rows[0].revoked_by, "token");
	cr_expect_null(all.rows[1].revoked_by);
	cr_expect_str_eq(all.rows[2].revoked_by, "subject");
	raise_epoch(&l, CAPS_EPOCH_ISSUER, issuer_of(&l), 7);
	all = listed(&l, 0, 0);
	cr_expect_null(all.rows[1].revoked_by, "of the first epoch");
	raise_epoch(&l, CAPS_EPOCH_ISSUER, issuer_of(&l), 8);
	all = listed(&l, 2, 7);
	cr_expect_eq(all.count, 2);
	cr_expect_str_eq(all.rows[1].revoked_by, "issuer");
}

Test(issued, rows_that_were_damaged)
{
	LAB l = lab_new();
	list all = {.count = 0};

	issue_as(&l, 1, 0, NULL);
	OK(state_exec(l.state, "UPDATE cap_issued SET kid = x'00'", err));
	FAILS(HN_ECORRUPT, caps_store_issued_each(l.store, take, &all, err));
	OK(state_exec(l.state, "UPDATE cap_issued SET kid = zeroblob(12), cti = x'00'", err));
	FAILS(HN_ECORRUPT, caps_store_issued_each(l.store, take, &all, err));
	OK(state_exec(l.state, "DROP TABLE cap_issued", err));
	cr_expect_lt(caps_store_issued_each(l.store, take, &all, NULL), 0);
	cr_expect_lt(caps_store_issued(l.store, l.token, false, NULL), 0);
	cr_expect_eq(all.count, 0);
}

Test(issued, is_forgotten_thirty_days_after_its_end)
{
	LAB l = lab_new();
	int64_t end = l.token->links[0].expires;

	cr_expect_eq(caps_store_is_old(l.state, end + 31 * DAYS, NULL), 0);
	issue_as(&l, 1, 0, NULL);
	OK(caps_store_revoke(l.store, l.token->links[0].cti.bytes, end, 5, err));
	cr_expect_eq(caps_store_is_old(l.state, end + 30 * DAYS, NULL), 0);
	cr_expect_eq(caps_store_forget(l.store, end + 30 * DAYS, NULL), 0);
	cr_expect_eq(caps_store_is_old(l.state, end + 30 * DAYS + 1, NULL), 1);
	cr_expect_eq(caps_store_forget(l.store, end + 30 * DAYS + 1, NULL), 2);
	cr_expect_eq(listed(&l, 0, 0).count, 0);
	OK(state_exec(l.state, "DROP TABLE cap_counter", err));
	cr_expect_lt(caps_store_forget(l.store, T0, NULL), 0);
	cr_expect_lt(caps_store_is_old(l.state, T0, NULL), 0);
}

Test(issued, a_longer_life_of_what_was_revoked_counts)
{
	LAB l = lab_new();
	const uint8_t *cti = l.token->links[0].cti.bytes;

	cr_expect_not(caps_store_revoked(l.store, cti));
	OK(caps_store_revoke(l.store, cti, T0 + 100, 5, err));
	OK(caps_store_revoke(l.store, cti, T0 + 50, 6, err));
	refresh(&l);
	cr_expect(caps_store_revoked(l.store, cti));
	cr_expect_eq(caps_store_is_old(l.state, T0 + 30 * DAYS + 100, NULL), 0);
	cr_expect_eq(caps_store_is_old(l.state, T0 + 30 * DAYS + 101, NULL), 1);
	cr_expect_eq(ended_by(&l, CAPS_ENDS_LINK).audit, 5, "the first record of it");
}

Test(ended, without_the_tables)
{
	LAB l = lab_new();
	uint64_t epoch = 77;

	OK(state_exec(l.state,
		"DROP TABLE cap_epoch; DROP TABLE cap_revoked; DROP TABLE trust_bundle", err));
	for (caps_ending ending = CAPS_ENDS_ISSUER; ending <= CAPS_ENDS_LINK; ending++) {
		const char *by = NULL;
		uint64_t audit = 0;

		cr_expect_lt(caps_store_ended(l.store, l.token, ending, 0, &by, &audit, NULL), 0);
	}
	cr_expect_lt(caps_store_epoch_raise(l.store, CAPS_EPOCH_SUBJECT, "a", &epoch, NULL), 0);
	cr_expect_lt(caps_store_epoch_recorded(l.store, CAPS_EPOCH_SUBJECT, "a", 1, 1, NULL), 0);
	cr_expect_lt(caps_store_revoke(l.store, l.token->links[0].cti.bytes, 1, 1, NULL), 0);
	cr_expect_eq(epoch, 77);
}

/* --- sessions --- */

static int look(void *arg, const caps_session_row *row)
{
	int *seen = arg;

	cr_expect_str_eq(row->subject, "cap/alice");
	return ++*seen == 1 ? 7 : 0;
}

Test(session_row, the_walk_ends_when_told)
{
	const caps_session_row row = {.id = {7}, .subject = "cap/alice", .program = "test"};
	const caps_session_row other = {.id = {8}, .subject = "cap/alice", .program = "test"};
	LAB l = lab_new();
	int seen = 0;

	OK(caps_store_session_put(l.store, &row, err));
	OK(caps_store_session_put(l.store, &other, err));
	cr_expect_eq(caps_store_session_each(l.store, look, &seen, NULL), 7);
	cr_expect_eq(seen, 1);
	OK(state_exec(
		l.state, "UPDATE cap_session SET id = x'00' WHERE id = x'0700000000000000'", err));
	FAILS(HN_ECORRUPT, caps_store_session_each(l.store, look, &seen, err));
	cr_expect_eq(seen, 1);
}
