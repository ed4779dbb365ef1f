/* SPDX-License-Identifier: MIT
 *
 * Approvals on a host: persons, not keys, sign one use; it is used once, in the transaction of what
 * it was for.
 */
#include "trust-lab.h"

#include <errno.h>

/* Terms whose every right needs two persons of the keyset. */
static char *terms_of(int count, const char *within)
{
	static char terms[512];
	char hex[65];
	caps_keyset keyset;

	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
		"\"on\":\"unit/*\"},{\"verbs\":[\"unit.start\",\"unit.delete\"],\"on\":\"unit/*\","
		"\"approval\":{\"of\":\"%s\",\"count\":%d,\"within\":\"%s\"}}]}",
		hex, count, within);
	return terms;
}

typedef struct scene {
	lab l;
	hn_session *session;
	char *request;
} scene;

static scene new_scene(void)
{
	scene s = {.l = lab_new()};
	char object[BASE_OBJECT_SIZE];

	trusted_fleet(&s.l);
	s.session = opened(&s.l, terms_of(2, "15min"));
	object_of(&s.l, "web-1", object);
	cr_assert_eq(hn_approval_request(
			     s.session, "unit.start", object, NULL, 0, &s.request, lab_err(&s.l)),
		0, "%s", lab_why(&s.l));
	return s;
}

static void end_scene(scene *s)
{
	base_free(s->request);
	hn_session_unref(s->session);
	lab_free(&s->l);
}
#define SCENE __attribute__((cleanup(end_scene))) scene

static int collect(scene *s, int who)
{
	BASE_AUTO_FREE char *approval = approve(&s->l, s->request, who);

	return hn_approval_collect(s->session, approval, lab_err(&s->l));
}

static int start(scene *s, const char *unit)
{
	return hn_unit_start(s->session, unit, NULL, lab_err(&s->l));
}

Test(approval, lets_one_use_through_once)
{
	SCENE s = new_scene();

	cr_expect_eq(start(&s, "web-1"), HN_EAPPROVAL);
	cr_assert_eq(collect(&s, ALICE), 0, "%s", lab_why(&s.l));
	cr_expect_eq(start(&s, "web-1"), HN_EAPPROVAL);
	cr_assert_eq(collect(&s, BO), 0, "%s", lab_why(&s.l));
	cr_expect_eq(start(&s, "web-2"), HN_EAPPROVAL, "it is of web-1");
	cr_expect_geq(start(&s, "web-1"), 0, "%s", lab_why(&s.l));
	cr_assert_geq(hn_unit_stop(s.l.session, "web-1", NULL, NULL, lab_err(&s.l)), 0);
	cr_expect_eq(start(&s, "web-1"), HN_EAPPROVAL, "once is once");
	cr_expect_eq(collect(&s, EVE), HN_EAPPROVAL, "what is used takes no more");
}

/* Waiting asks again and again whether the session still may: what was used up for it when it began
 * goes on holding, and only for it. */
Test(approval, lets_what_goes_on_go_on)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_FREE char *request = NULL;
	char terms[512], hex[65], object[BASE_OBJECT_SIZE];
	caps_keyset keyset;

	trusted_fleet(&l);
	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"audit.read\"],"
		"\"on\":\"node/*\",\"approval\":{\"of\":\"%s\",\"count\":1,"
		"\"within\":\"15min\"}}]}",
		hex);
	session = opened(&l, terms);
	(void)host_object_node(object, l.host);
	cr_assert_eq(
		hn_approval_request(session, "audit.read", object, NULL, 0, &request, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_expect_eq(hn_audit_wait(session, 1000000, OS_SECOND, NULL, lab_err(&l)), HN_EAPPROVAL);
	{
		BASE_AUTO_FREE char *approval = approve(&l, request, ALICE);

		cr_assert_eq(
			hn_approval_collect(session, approval, lab_err(&l)), 0, "%s", lab_why(&l));
	}
	cr_expect_eq(hn_audit_wait(session, 1000000, 2 * OS_SECOND, NULL, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_eq(hn_audit_wait(session, 1000000, OS_SECOND, NULL, lab_err(&l)), HN_EAPPROVAL,
		"the next wait is another use");
}

Test(negative, g70_persons_are_counted_not_keys)
{
	SCENE s = new_scene();

	cr_assert_eq(collect(&s, BO), 0);
	cr_assert_eq(collect(&s, BO_TOO), 0);
	cr_expect_eq(start(&s, "web-1"), HN_EAPPROVAL);
	cr_assert_eq(collect(&s, EVE), 0);
	cr_expect_geq(start(&s, "web-1"), 0, "%s", lab_why(&s.l));
}

Test(negative, g70_a_stranger_does_not_count)
{
	SCENE s = new_scene();

	cr_expect_eq(collect(&s, STRANGER), HN_EAPPROVAL);
	cr_assert_eq(collect(&s, ALICE), 0);
	cr_expect_eq(start(&s, "web-1"), HN_EAPPROVAL);
}

Test(negative, g70_an_approval_that_was_changed)
{
	SCENE s = new_scene();
	BASE_AUTO_FREE char *approval = approve(&s.l, s.request, ALICE);
	size_t size = strlen(approval);

	for (size_t i = 5; i < size; i++) {
		char kept = approval[i];

		approval[i] = kept == 'A' ? 'B' : 'A';
		cr_expect_lt(hn_approval_collect(s.session, approval, lab_err(&s.l)), 0,
			"changed at %zu", i);
		approval[i] = kept;
	}
	cr_expect_eq(hn_approval_collect(s.session, approval, lab_err(&s.l)), 0);
}

Test(negative, g70_an_approval_that_is_too_old)
{
	SCENE s = new_scene();

	cr_assert_eq(collect(&s, ALICE), 0);
	hn_os_sim_advance(s.l.os, 890 * OS_SECOND);
	cr_assert_eq(collect(&s, BO), 0);
	cr_expect_eq(check(&s.l, s.session, "unit.start", "web-1"), 0, "%s", lab_why(&s.l));
	hn_os_sim_advance(s.l.os, 11 * OS_SECOND);
	cr_expect_eq(start(&s, "web-1"), HN_EAPPROVAL);
	cr_assert_eq(collect(&s, ALICE), 0, "she may sign anew");
	cr_expect_geq(start(&s, "web-1"), 0, "%s", lab_why(&s.l));
}

Test(negative, g70_an_approval_of_the_future)
{
	SCENE s = new_scene();
	BASE_AUTO_FREE char *early = approve_at(s.request, ALICE, T0 + 3600);

	cr_assert_eq(collect(&s, BO), 0);
	cr_assert_eq(hn_approval_collect(s.session, early, lab_err(&s.l)), 0);
	cr_expect_eq(start(&s, "web-1"), HN_EAPPROVAL);
}

Test(negative, an_approval_is_of_one_token)
{
	SCENE s = new_scene();
	BASE_AUTO_OF(hn_session) hn_session *other = opened(&s.l, terms_of(2, "15min"));

	cr_assert_eq(collect(&s, ALICE), 0);
	cr_assert_eq(collect(&s, BO), 0);
	cr_expect_eq(hn_unit_start(other, "web-1", NULL, lab_err(&s.l)), HN_EAPPROVAL);
	cr_expect_geq(start(&s, "web-1"), 0, "%s", lab_why(&s.l));
}

Test(negative, an_approval_of_a_request_that_was_replaced)
{
	SCENE s = new_scene();
	BASE_AUTO_FREE char *later = NULL, *approval = approve(&s.l, s.request, ALICE);
	char object[BASE_OBJECT_SIZE];

	object_of(&s.l, "web-1", object);
	cr_assert_eq(hn_approval_request(
			     s.session, "unit.start", object, "again", 60, &later, lab_err(&s.l)),
		0);
	cr_expect_eq(hn_approval_collect(s.session, approval, lab_err(&s.l)), HN_EAPPROVAL);
}

Test(negative, a_request_that_is_over)
{
	SCENE s = new_scene();

	hn_os_sim_advance(s.l.os, 3601 * OS_SECOND);
	cr_expect_eq(collect(&s, ALICE), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&s.l), "over"), "%s", lab_why(&s.l));
}

Test(negative, who_may_not_do_it_may_not_ask_for_it)
{
	SCENE s = new_scene();
	char *request = NULL;
	char object[BASE_OBJECT_SIZE];

	object_of(&s.l, "web-1", object);
	cr_expect_eq(hn_approval_request(
			     s.session, "unit.reset", object, NULL, 0, &request, lab_err(&s.l)),
		HN_EDENIED);
	cr_expect_eq(hn_approval_request(
			     s.session, "unit.start", object, NULL, 86401, &request, lab_err(&s.l)),
		HN_ERANGE);
	cr_expect_eq(hn_approval_request(
			     s.session, "unit.juggle", object, NULL, 0, &request, lab_err(&s.l)),
		HN_EINVAL);
	cr_expect_eq(hn_approval_request(
			     s.session, "unit.start", "unit/..", NULL, 0, &request, lab_err(&s.l)),
		HN_EINVAL);
	cr_expect_null(request);
}

Test(approval, is_known_after_a_restart)
{
	SCENE s = new_scene();
	BASE_AUTO_FREE char *token = issue(&s.l, terms_of(1, "15min")), *request = NULL;
	BASE_AUTO_FREE char *approval = NULL;
	hn_session *session = NULL;
	char object[BASE_OBJECT_SIZE];

	object_of(&s.l, "web-2", object);
	cr_assert_eq(open_as(&s.l, token, "INC-8", &session), 0);
	cr_assert_eq(hn_approval_request(
			     session, "unit.start", object, NULL, 0, &request, lab_err(&s.l)),
		0);
	approval = approve(&s.l, request, EVE);
	cr_assert_eq(hn_approval_collect(session, approval, lab_err(&s.l)), 0);
	hn_session_unref(session);
	s.session = hn_session_unref(s.session);
	lab_reopen(&s.l);
	cr_assert_eq(open_as(&s.l, token, "INC-8", &session), 0, "%s", lab_why(&s.l));
	cr_expect_geq(hn_unit_start(session, "web-2", NULL, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	hn_session_unref(session);
}

Test(approval, is_listed_and_on_record)
{
	SCENE s = new_scene();
	BASE_AUTO_FREE char *list = NULL;

	cr_assert_eq(collect(&s, ALICE), 0);
	cr_assert_eq(hn_approval_list(s.l.session, &list, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(list, "\"approvals\":1"), "%s", list);
	cr_expect_not_null(strstr(list, "\"unit.start\""), "%s", list);
	cr_expect_not_null(strstr(list, "\"reason\":\"INC-7\""), "%s", list);
	/* kind 10 is field 7 of a record: one was asked, one collected */
	cr_expect_eq(
		lab_number(&s.l, "SELECT count(*) FROM audit WHERE instr(rec, x'070a') > 0"), 2);
	cr_expect_eq(host_audit_verify(s.l.host, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
}

/* --- a second factor --- */

static char *assertion_of(lab *l, int who)
{
	BASE_AUTO_FREE char *nonce = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	uint8_t raw[CAPS_NONCE], hash[32];
	char *text = NULL;

	cr_assert_eq(hn_session_challenge(l->host, &nonce, lab_err(l)), 0);
	cr_assert(codec_hex_decode(nonce, 32, raw));
	caps_assertion_hash(raw, hash);
	cr_assert_eq(
		caps_approval_sign(hash, seed_of(who), os_now(l->os) / OS_SECOND, &bytes, NULL), 0);
	cr_assert_eq(caps_approval_text(&bytes, &text, NULL), 0);
	return text;
}

static const char *factor_terms(void)
{
	static char terms[512];
	char hex[65];
	caps_keyset keyset;

	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.start\"],"
		"\"on\":\"unit/*\"}],\"mfa\":{\"of\":\"%s\",\"within\":\"5min\"}}",
		hex);
	return terms;
}

Test(factor, is_asked_for_and_ages)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_FREE char *assertion = NULL;

	trusted_fleet(&l);
	session = opened(&l, factor_terms());
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), HN_EMFA);
	assertion = assertion_of(&l, ALICE);
	cr_assert_eq(hn_session_prove(session, assertion, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_prove(session, assertion, lab_err(&l)), HN_ETOKEN, "once");
	hn_os_sim_advance(l.os, 301 * OS_SECOND);
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), HN_EMFA);
}

Test(negative, a_factor_of_a_stranger_or_of_no_challenge)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_FREE char *stranger = NULL, *late = NULL;

	trusted_fleet(&l);
	session = opened(&l, factor_terms());
	stranger = assertion_of(&l, STRANGER);
	cr_expect_eq(hn_session_prove(session, stranger, lab_err(&l)), HN_ETOKEN);
	late = assertion_of(&l, ALICE);
	hn_os_sim_advance(l.os, 31 * OS_SECOND);
	cr_expect_eq(hn_session_prove(session, late, lab_err(&l)), HN_ETOKEN);
	cr_expect_eq(hn_session_prove(session, "hva1.", lab_err(&l)), HN_ETOKEN);
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), HN_EMFA);
}

Test(events, of_capabilities_and_their_metrics)
{
	SCENE s = new_scene();
	BASE_AUTO_FREE char *metrics = NULL;
	char cti[33], id[17];

	cr_expect_eq(lab_events(&s.l, "org.hypernix.cap.issued.v1"), 1);
	codec_hex(s.session->id, 8, id);
	cr_assert_eq(hn_session_cut(s.l.session, id, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	cr_expect_eq(lab_events(&s.l, "org.hypernix.session.cut.v1"), 1);
	codec_hex(s.session->holder->token->links[0].cti.bytes, 16, cti);
	cr_assert_eq(hn_cap_revoke(s.l.session, "cti", cti, lab_err(&s.l)), 0);
	cr_expect_eq(lab_events(&s.l, "org.hypernix.cap.revoked.v1"), 1);
	hn_os_sim_advance(s.l.os, OS_SECOND);
	cr_expect_eq(start(&s, "web-1"), HN_ESESSION);
	cr_assert_eq(hn_metrics_text(s.l.session, &metrics, lab_err(&s.l)), 0);
	cr_expect_not_null(strstr(metrics, "hypernix_cap_sessions 0"), "%s", metrics);
	cr_expect_not_null(strstr(metrics, "hypernix_clock_suspect 0"), "%s", metrics);
}

Test(events, checks_of_tokens_are_counted)
{
	SCENE s = new_scene();
	BASE_AUTO_FREE char *metrics = NULL;

	cr_expect_eq(start(&s, "web-1"), HN_EAPPROVAL);
	cr_assert_eq(collect(&s, ALICE), 0);
	cr_assert_eq(collect(&s, BO), 0);
	cr_expect_geq(start(&s, "web-1"), 0, "%s", lab_why(&s.l));
	cr_assert_eq(hn_metrics_text(s.l.session, &metrics, lab_err(&s.l)), 0);
	cr_expect_not_null(
		strstr(metrics, "hypernix_cap_checks_total{allowed=\"true\"} 1"), "%s", metrics);
	cr_expect_not_null(
		strstr(metrics, "hypernix_cap_checks_total{allowed=\"false\"} 1"), "%s", metrics);
	cr_expect_not_null(strstr(metrics, "\nhypernix_cap_check_seconds_total 0."), "%s", metrics);
}

/* Power goes at the nth I/O call of a start that was approved once. Count and allow record are of
 * one transaction: whatever came through, as many uses are counted as are on record. */
static void cut_at(uint64_t nth, hn_os_sim_crash how)
{
	SCENE s = new_scene();
	uint64_t before, allowed, used;

	cr_assert_eq(collect(&s, ALICE), 0);
	cr_assert_eq(collect(&s, BO), 0);
	/* kind 1 of verb 4: fields 7 and 8 of a record */
	before = lab_number(&s.l, "SELECT count(*) FROM audit WHERE instr(rec, x'07010804') > 0");
	hn_os_sim_fail(s.l.os, nth, true, EIO);
	(void)start(&s, "web-1");
	s.session = hn_session_unref(s.session);
	lab_close(&s.l);
	hn_os_sim_fail(s.l.os, 0, false, 0);
	cr_assert_eq(hn_os_sim_crash_now(s.l.os, how, nth, NULL), 0);
	cr_assert_eq(lab_open(&s.l), 0, "%s", lab_why(&s.l));
	used = lab_number(&s.l, "SELECT count(*) FROM cap_request WHERE state = 1");
	allowed = lab_number(&s.l, "SELECT count(*) FROM audit WHERE instr(rec, x'07010804') > 0");
	cr_expect_eq(used, allowed - before, "call %llu", (unsigned long long)nth);
	cr_expect_eq(host_audit_verify(s.l.host, lab_err(&s.l)), 0, "call %llu: %s",
		(unsigned long long)nth, lab_why(&s.l));
}

Test(negative, g59_crash_between_effect_and_count)
{
	for (uint64_t nth = 1; nth < 80; nth++)
		cut_at(nth, nth % 2 == 0 ? HN_OS_SIM_CRASH_DROP : HN_OS_SIM_CRASH_SHUFFLE);
}
