/* SPDX-License-Identifier: MIT
 *
 * Rights at their edges: what needs two of them, and sessions that end by the last of their links.
 */
#include "trust-lab.h"

#include <errno.h>

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

/* Whoever may hang the tag on something may not, for that, hang it on anything. */
Test(rights_edge, a_second_object_is_asked_for_too)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *tags = opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":["
				      "\"tag.apply\"],\"on\":\"tag/**\"}]}");
	BASE_AUTO_OF(hn_session)
	hn_session *both = opened(&l, "{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":["
				      "\"tag.apply\"],\"on\":\"tag/**\"},{\"verbs\":["
				      "\"unit.update\"],\"on\":\"unit/*\"}]}");
	host_permit permit = {0};
	char unit[BASE_OBJECT_SIZE];

	object_of(&l, "db-1", unit);
	cr_expect_eq(
		host_admit(tags, HN_VERB_TAG_APPLY, "tag/default/web", unit, &permit, lab_err(&l)),
		HN_EDENIED);
	cr_expect_eq(permit.base.audit, 0);
	cr_expect_eq(
		host_admit(both, HN_VERB_TAG_APPLY, "tag/default/web", unit, &permit, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_expect_gt(permit.base.audit, 0);
	cr_expect_eq(host_settle(&permit, 0, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* Before a verb with flag S is done, all that went before it is under a checkpoint: whoever takes
 * the host by it cannot take back how. */
Test(rights_edge, the_log_is_sealed_before_a_strong_verb)
{
	LAB l = new_lab();
	uint64_t before;

	cr_assert_eq(lab_define(&l, "late", "memory.size", "1Gi"), 0, "%s", lab_why(&l));
	before = lab_number(&l, "SELECT count(*) FROM audit");
	cr_assert_lt(lab_number(&l, "SELECT max(size) FROM audit_checkpoint"), before);
	cr_assert_eq(hn_cap_revoke(l.session, "subject", "bo", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_geq(lab_number(&l, "SELECT max(size) FROM audit_checkpoint"), before);
}

/* --- what ends a session --- */

#define READ                                                                                       \
	"{\"for\":\"bo\",\"ttl\":\"%s\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}"

static hn_session *for_a_while(lab *l, const char *ttl)
{
	char terms[256];

	(void)snprintf(terms, sizeof(terms), READ, ttl);
	return opened(l, terms);
}

/* The second of its end is not a second of it: exp is not inclusive (RFC 8392 section 3.1.4). */
Test(rights_edge, a_session_ends_with_the_second_of_its_token)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = for_a_while(&l, "10min");
	int64_t end = caps_token_expires(session->holder->token);

	hn_os_sim_advance(l.os, (end - 1) * OS_SECOND - os_now(l.os));
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, end * OS_SECOND - os_now(l.os));
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(&l), "expired"), "%s", lab_why(&l));
}

/* One step of the subject's epoch is enough, and what is issued after it is good. */
Test(rights_edge, one_epoch_of_its_subject_ends_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *before = for_a_while(&l, "1h");
	BASE_AUTO_OF(hn_session) hn_session *after = NULL;

	cr_assert_eq(hn_cap_revoke(l.session, "subject", "bo", lab_err(&l)), 0);
	hn_os_sim_advance(l.os, OS_SECOND);
	after = for_a_while(&l, "1h");
	cr_expect_eq(hn_session_live(before, lab_err(&l)), HN_ESESSION);
	cr_expect_eq(hn_session_live(after, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_cap_revoke(l.session, "subject", "bo", lab_err(&l)), 0);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_live(after, lab_err(&l)), HN_ESESSION);
}

static hn_session *opened_bearer(lab *l, const char *token)
{
	hn_session *session = NULL;

	cr_assert_eq(
		hn_session_open(l->host, token, NULL, &session, lab_err(l)), 0, "%s", lab_why(l));
	return session;
}

static void revoke_link(lab *l, const hn_session *session, size_t link)
{
	char cti[2 * CAPS_CTI + 1];

	codec_hex(session->holder->token->links[link].cti.bytes, CAPS_CTI, cti);
	cr_assert_eq(hn_cap_revoke(l->session, "cti", cti, lab_err(l)), 0, "%s", lab_why(l));
	hn_os_sim_advance(l->os, OS_SECOND / 2);
}

/* A link that is revoked takes all below it along, and nothing above it. */
Test(rights_edge, g69_a_revoked_link_ends_what_was_made_from_it)
{
	static const char terms[] = "{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true,"
				    "\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}";
	static const char less[] = "{\"ttl\":\"5min\",\"bearer\":true}";
	LAB l = new_lab();
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char *token[3] = {NULL};
	hn_session *session[3];

	options.now = os_now(l.os) / OS_SECOND;
	cr_assert_eq(
		hn_cap_issue(l.session, terms, NULL, &token[0], lab_err(&l)), 0, "%s", lab_why(&l));
	for (int i = 0; i < 2; i++)
		cr_assert_eq(hn_cap_attenuate(
				     token[i], less, NULL, &options, &token[i + 1], lab_err(&l)),
			0, "%s", lab_why(&l));
	for (int i = 0; i < 3; i++)
		session[i] = opened_bearer(&l, token[i]);
	for (size_t link = 3; link-- > 0;) {
		revoke_link(&l, session[2], link);
		for (size_t i = 0; i < 3; i++)
			cr_expect_eq(hn_session_live(session[i], lab_err(&l)),
				i >= link ? HN_ESESSION : 0, "link %zu, session %zu: %s", link, i,
				lab_why(&l));
	}
	for (int i = 0; i < 3; i++) {
		hn_session_unref(session[i]);
		hn_text_free(token[i]);
	}
}

/* --- what is counted --- */

#define STARTS "{\"verbs\":[\"unit.read\",\"unit.start\"],\"on\":\"unit/*\"}"

/* Of a bearer token of this life, each time a narrower one with a quota of its own. */
static hn_session *narrower(lab *l, const char *token, const char *terms)
{
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	BASE_AUTO_FREE char *made = NULL;

	options.now = os_now(l->os) / OS_SECOND;
	cr_assert_eq(hn_cap_attenuate(token, terms, NULL, &options, &made, lab_err(l)), 0, "%s",
		lab_why(l));
	return opened_bearer(l, made);
}

static uint64_t counters(lab *l)
{
	return lab_number(l, "SELECT count(*) FROM cap_counter");
}

static void forget_after(lab *l, int64_t days)
{
	int64_t then = os_now(l->os) / OS_SECOND + days * 86400;
	host_rights *rights = NULL;

	cr_assert_eq(host_rights_get(l->host, &rights, lab_err(l)), 0, "%s", lab_why(l));
	cr_expect_eq(caps_store_is_old(l->host->store, then, lab_err(l)), days > 30);
	cr_assert_geq(caps_store_forget(rights->store, then, lab_err(l)), 0, "%s", lab_why(l));
}

/* Nobody else knows of the links that a holder makes: their counts must not stay for ever. */
Test(rights_edge, counts_of_links_that_holders_made_are_forgotten)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = NULL;

	cr_assert_eq(hn_cap_issue(l.session,
			     "{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true,\"grants\":[" STARTS
			     "]}",
			     NULL, &token, lab_err(&l)),
		0, "%s", lab_why(&l));
	for (int i = 0; i < 3; i++) {
		BASE_AUTO_OF(hn_session)
		hn_session *session = narrower(
			&l, token, "{\"ttl\":\"5min\",\"bearer\":true,\"quota\":{\"uses\":1}}");

		cr_expect_geq(
			hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
		cr_expect_eq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), HN_EQUOTA);
	}
	cr_expect_eq(counters(&l), 3);
	forget_after(&l, 29);
	cr_expect_eq(counters(&l), 3);
	forget_after(&l, 31);
	cr_expect_eq(counters(&l), 0);
}

/* The number of a link is its maker's to choose: with that of the link above and an early end he
 * would have its counter forgotten while it is still good for something. */
Test(negative, a_link_of_the_same_number_does_not_end_a_counter)
{
	static const char terms[] =
		"{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true,\"quota\":{\"uses\":9},"
		"\"grants\":[" STARTS "]}";
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = NULL;
	BASE_AUTO_OF(hn_session) hn_session *first = NULL, *second = NULL;
	uint64_t end;

	cr_assert_eq(
		hn_cap_issue(l.session, terms, NULL, &token, lab_err(&l)), 0, "%s", lab_why(&l));
	first = opened_bearer(&l, token);
	cr_assert_geq(hn_unit_start(first, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	end = lab_number(&l, "SELECT exp FROM cap_counter");
	cr_expect_eq((int64_t)end, first->holder->token->links[0].expires);
	second = narrower(&l, token, "{\"ttl\":\"1min\",\"bearer\":true,\"quota\":{\"uses\":9}}");
	second->holder->token->links[1].cti = second->holder->token->links[0].cti;
	cr_assert_geq(hn_unit_start(second, "web-2", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(counters(&l), 1);
	cr_expect_eq(lab_number(&l, "SELECT exp FROM cap_counter"), end);
	/* nor does an old token that has it */
	cr_assert_eq(state_exec(l.host->store, "UPDATE cap_issued SET exp = 1", lab_err(&l)), 0);
	forget_after(&l, 29);
	cr_expect_eq(counters(&l), 1);
}

static int list(lab *l, hn_session *session, size_t *count)
{
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;
	int rc = hn_units_list(session, NULL, false, &units, lab_err(l));

	*count = rc < 0 ? 0 : hn_units_count(units);
	return rc;
}

/* However many units it has, whether the quota is of the token or of what grants it. */
Test(rights_edge, a_list_is_one_use)
{
	static const char *const terms[] = {
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"quota\":{\"uses\":2},\"grants\":["
		"{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}",
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
		"\"on\":\"unit/*\",\"quota\":{\"uses\":2}}]}"};
	LAB l = new_lab();

	for (size_t i = 0; i < BASE_COUNT(terms); i++) {
		BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, terms[i]);
		size_t count = 0;

		for (int times = 0; times < 2; times++) {
			cr_expect_eq(list(&l, session, &count), 0, "%s", lab_why(&l));
			cr_expect_eq(count, 3);
		}
		cr_expect_eq(list(&l, session, &count), HN_EQUOTA, "%s", lab_why(&l));
		cr_expect_eq(counters(&l), i + 1);
	}
}

/* What is counted is written: reads that count nothing go on where nothing can be. */
Test(rights_edge, a_list_that_counts_needs_room_on_the_disk)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *counts =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"quota\":{\"uses\":2},\"grants\":["
			   "{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}");
	BASE_AUTO_OF(hn_session)
	hn_session *reads =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
			   "\"on\":\"unit/*\"}]}");
	size_t count = 0;

	hn_os_sim_fail(l.os, 1, true, ENOSPC);
	cr_expect_eq(list(&l, reads, &count), 0, "%s", lab_why(&l));
	cr_expect_eq(count, 3);
	cr_expect_eq(list(&l, counts, &count), HN_ENOSPC, "%s", lab_why(&l));
	hn_os_sim_fail(l.os, 0, false, 0);
	cr_expect_eq(list(&l, counts, &count), 0, "%s", lab_why(&l));
	cr_expect_eq(list(&l, counts, &count), 0, "what was not listed was not counted: %s",
		lab_why(&l));
	l.host->read_only = true;
	cr_expect_eq(list(&l, counts, &count), HN_EDENIED);
	l.host->read_only = false;
}

Test(rights_edge, lists_come_no_faster_than_the_rate)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"rate\":{\"count\":1,\"per\":\"10s\",\"burst\":0},"
		"\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}");
	size_t count = 0;

	cr_expect_eq(list(&l, session, &count), 0, "%s", lab_why(&l));
	cr_expect_eq(list(&l, session, &count), HN_ERATE, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 11 * OS_SECOND);
	cr_expect_eq(list(&l, session, &count), 0, "%s", lab_why(&l));
	cr_expect_eq(count, 3);
}

static uint64_t with_edition(lab *l)
{
	return lab_number(l, "SELECT count(*) FROM audit WHERE instr(rec, '2026q') > 0");
}

/* Hours are those of an edition of the zones: the record says which it was. */
Test(rights_edge, records_of_holders_name_the_edition_of_the_zones)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	uint64_t before;

	cr_assert_eq(
		os_mkdirs(l.os, "/usr/share/zoneinfo", 0755, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(os_write_file(l.os, "/usr/share/zoneinfo/tzdata.zi", "# version 2026q\n", 16,
			     0644, lab_err(&l)),
		0, "%s", lab_why(&l));
	session = opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[" STARTS "]}");
	before = with_edition(&l);
	cr_expect_geq(hn_unit_start(l.session, "db-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(with_edition(&l), before, "an operator has no hours");
	cr_expect_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_gt(with_edition(&l), before);
}

/* --- while it goes on --- */

static struct {
	const hn_os_ops *os;
	lab *l;
	int sleeps;
	int64_t revoked; /* when */
} waker;

/* The fifth time that somebody waits, his token is revoked. */
static void sleep_and_revoke(hn_os *os, int64_t nanoseconds)
{
	waker.os->sleep(os, nanoseconds);
	if (++waker.sleeps != 5)
		return;
	cr_assert_eq(hn_cap_revoke(waker.l->session, "subject", "bo", lab_err(waker.l)), 0, "%s",
		lab_why(waker.l));
	waker.revoked = os_monotonic(os);
}

Test(rights_edge, g69_a_subscription_ends_when_its_token_is_revoked)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l, "{\"for\":\"bo\",\"ttl\":\"4h\",\"grants\":[{\"verbs\":["
					 "\"event.read\"],\"on\":\"node/*\"}]}");
	hn_os_ops ops = *l.os->ops;
	uint64_t last = 0;

	cr_assert_eq(hn_events_last(session, &last, lab_err(&l)), 0, "%s", lab_why(&l));
	waker.os = l.os->ops;
	waker.l = &l;
	ops.sleep = sleep_and_revoke;
	l.os->ops = &ops;
	cr_expect_eq(hn_events_wait(session, last + 1000, 7200 * OS_SECOND, NULL, lab_err(&l)),
		HN_ESESSION, "%s", lab_why(&l));
	l.os->ops = waker.os;
	cr_expect_geq(waker.sleeps, 5);
	cr_expect_leq(os_monotonic(l.os) - waker.revoked, OS_SECOND);
}

/* kind 1 of verb 4: fields 7 and 8 of a record */
#define STARTED "SELECT count(*) FROM audit WHERE instr(rec, x'07010804') > 0"

/* Power goes at the nth I/O call of a start that is counted. */
static void cut_count_at(uint64_t nth, hn_os_sim_crash how)
{
	LAB l = new_lab();
	hn_session *session = opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"quota\":{\"uses\":9},"
					 "\"grants\":[" STARTS "]}");
	uint64_t before = lab_number(&l, STARTED), used; /* the fleet came up */

	cr_assert_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_fail(l.os, nth, true, EIO);
	(void)hn_unit_start(session, "web-2", NULL, lab_err(&l));
	hn_session_unref(session);
	lab_close(&l);
	hn_os_sim_fail(l.os, 0, false, 0);
	cr_assert_eq(hn_os_sim_crash_now(l.os, how, nth, NULL), 0);
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	used = lab_number(&l, "SELECT sum(used) FROM cap_counter");
	cr_expect_eq(used, lab_number(&l, STARTED) - before, "call %llu", (unsigned long long)nth);
	cr_expect_geq(used, 1);
}

/* As many uses are gone as are on record. */
Test(negative, g59_crash_between_effect_and_the_count_of_a_quota)
{
	for (uint64_t nth = 1; nth < 60; nth += 3)
		cut_count_at(nth, nth % 2 == 1 ? HN_OS_SIM_CRASH_DROP : HN_OS_SIM_CRASH_SHUFFLE);
}
