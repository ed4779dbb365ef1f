/* SPDX-License-Identifier: MIT
 *
 * Break-glass on a host: two persons open it, for an hour at most, for what the preset gives; and
 * it ends, by whatever clock is first.
 */
#include "trust-lab.h"

#include <errno.h>

#define ACTIVATED "org.hypernix.breakglass.activated.v1"
#define ENDED "org.hypernix.breakglass.ended.v1"
#define UNREVIEWED "org.hypernix.breakglass.unreviewed.v1"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

static int ask(lab *l, const char *preset, hn_breakglass_options options, char **request)
{
	options.reason = options.reason ? options.reason : "all is down";
	return hn_breakglass_request(l->host, preset, &options, request, lab_err(l));
}

static char *asked(lab *l)
{
	char *request = NULL;

	cr_assert_eq(ask(l, "outage", (hn_breakglass_options)HN_BREAKGLASS_OPTIONS_INIT, &request),
		0, "%s", lab_why(l));
	return request;
}

static char *join(char *one, char *other)
{
	base_buf both = {0};

	base_buf_format(&both, "%s\n%s\n", one, other);
	base_free(one);
	base_free(other);
	return base_buf_take(&both);
}

static char *two(lab *l, const char *request, int one, int other)
{
	return join(approve(l, request, one), approve(l, request, other));
}

static int activate(lab *l, const char *request, const char *approvals, hn_session **session)
{
	return hn_breakglass_activate(l->host, request, approvals, NULL, session, lab_err(l));
}

static hn_session *active(lab *l)
{
	BASE_AUTO_FREE char *request = asked(l), *approvals = two(l, request, ALICE, BO);
	hn_session *session = NULL;

	cr_assert_eq(activate(l, request, approvals, &session), 0, "%s", lab_why(l));
	return session;
}

Test(breakglass, opens_by_two_persons_for_what_the_preset_gives)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = active(&l);

	cr_expect_str_eq(session->subject, "breakglass/outage");
	cr_expect_str_eq(session->reason, "all is down");
	cr_expect_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.delete", "web-1"), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "tag.apply", "web-1"), HN_EDENIED);
	cr_expect_eq(lab_events(&l, ACTIVATED), 1);
	/* kind 11 of a record */
	cr_expect_eq(
		lab_number(&l,
			"SELECT count(*) FROM audit WHERE instr(rec, CAST('activated' AS BLOB)) > 0"),
		1);
	cr_expect_geq(lab_number(&l, "SELECT max(size) FROM audit_checkpoint"), 1);
	cr_expect_eq(host_audit_verify(l.host, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* The scope of the preset has units in it and neither tags, policies nor files of the host: what
 * would outlive it is not brought in with them. */
Test(negative, g70_scope_by_a_definition)
{
	static const char *const web[] = {"web"};
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = active(&l);
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_expect_eq(
		hn_unit_define(session, "mine", &definition, lab_err(&l)), 0, "%s", lab_why(&l));
	definition.tags = web;
	definition.tag_count = 1;
	cr_expect_eq(hn_unit_define(session, "more", &definition, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "tag.apply"), "%s", lab_why(&l));
	definition.tag_count = 0;
	definition.policies = web;
	definition.policy_count = 1;
	cr_expect_eq(hn_unit_define(session, "more", &definition, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "policy.define"), "%s", lab_why(&l));
	cr_expect_eq(
		hn_unit_set(session, "mine", "boot.kernel", "/srv/k", lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "volume.attach"), "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit WHERE name = 'more'"), 0);
}

#define RETAGGED                                                                                   \
	"{\"hypernix\":1,\"tags\":{\"web\":{},\"db\":{}},\"units\":{"                              \
	"\"web-1\":{\"tags\":[\"web\",\"db\"]},"                                                   \
	"\"web-2\":{\"tags\":[\"web\"]},\"db-1\":{\"tags\":[\"db\"]}}}"

Test(negative, g70_scope_by_a_declaration)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *operator_session = NULL;

	operator_session = l.session;
	l.session = active(&l);
	cr_expect_eq(lab_apply(&l, RETAGGED), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "tag.define"), "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), 1);
}

/* What restarts units puts nothing in force that somebody declares. */
Test(negative, g70_scope_of_supervision)
{
	LAB l = new_lab();
	hn_session_options options = HN_SESSION_OPTIONS_INIT;

	l.session = hn_session_unref(l.session);
	cr_assert_eq(
		hn_session_open_service(l.host, "supervision", &options, &l.session, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_expect_eq(lab_apply(&l, RETAGGED), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "tag.define"), "%s", lab_why(&l));
}

Test(negative, g70_one_person_less_than_needed)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked(&l), *one = approve(&l, request, ALICE);
	hn_session *session = NULL;

	cr_expect_eq(activate(&l, request, one, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "1 of the 2 persons"), "%s", lab_why(&l));
	cr_expect_eq(activate(&l, request, "", &session), HN_EAPPROVAL);
	cr_expect_null(session);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_breakglass"), 0);
}

Test(negative, g70_one_person_twice)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked(&l), *same = two(&l, request, BO, BO);
	BASE_AUTO_FREE char *keys = two(&l, request, BO, BO_TOO);
	hn_session *session = NULL;

	cr_expect_eq(activate(&l, request, same, &session), HN_EAPPROVAL);
	cr_expect_eq(activate(&l, request, keys, &session), HN_EAPPROVAL, "keys are not persons");
	cr_expect_not_null(strstr(lab_why(&l), "twice"), "%s", lab_why(&l));
}

Test(negative, g70_approval_of_another_hash)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *drill = NULL, *mixed = NULL, *request = NULL;
	hn_session *session = NULL;

	cr_assert_eq(ask(&l, "outage",
			     (hn_breakglass_options){
				     .size = sizeof(hn_breakglass_options), .drill = true},
			     &drill),
		0, "%s", lab_why(&l));
	request = asked(&l);
	mixed = join(approve(&l, drill, ALICE), approve(&l, request, BO));
	cr_expect_eq(activate(&l, request, mixed, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "another request"), "%s", lab_why(&l));
}

Test(negative, g70_a_stranger)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked(&l), *texts = two(&l, request, ALICE, STRANGER);
	hn_session *session = NULL;

	cr_expect_eq(activate(&l, request, texts, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "keyset"), "%s", lab_why(&l));
}

Test(negative, g70_expired_approval_and_request)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked(&l);
	BASE_AUTO_FREE char *old =
		join(approve_at(request, ALICE, T0 - 86400), approve(&l, request, BO));
	BASE_AUTO_FREE char *texts = two(&l, request, ALICE, BO);
	hn_session *session = NULL;

	cr_expect_eq(activate(&l, request, old, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "too old"), "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 901 * OS_SECOND);
	cr_expect_eq(activate(&l, request, texts, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "over"), "%s", lab_why(&l));
}

Test(negative, g70_approval_of_the_future)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked(&l);
	BASE_AUTO_FREE char *texts =
		join(approve_at(request, ALICE, T0 + 86400), approve(&l, request, BO));
	hn_session *session = NULL;

	cr_expect_eq(activate(&l, request, texts, &session), HN_EAPPROVAL);
}

Test(negative, g70_used_again_and_renewed_by_itself)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked(&l), *texts = two(&l, request, ALICE, BO);
	BASE_AUTO_FREE char *later = NULL, *fresh = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_session *second = NULL;
	char node[BASE_OBJECT_SIZE];

	cr_assert_eq(activate(&l, request, texts, &session), 0, "%s", lab_why(&l));
	(void)host_object_node(node, l.host);
	cr_expect_eq(
		hn_session_check(session, "breakglass.activate", node, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_session_check(session, "cap.issue", node, lab_err(&l)), HN_EDENIED);
	later = asked(&l);
	fresh = two(&l, later, ALICE, BO);
	cr_expect_eq(activate(&l, later, fresh, &second), HN_EBUSY, "%s", lab_why(&l));
	cr_assert_eq(hn_breakglass_end(session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(activate(&l, request, texts, &second), HN_EEXIST, "%s", lab_why(&l));
	cr_expect_null(second);
}

Test(negative, g70_a_scope_that_touches_the_audit_log_trust_or_keys)
{
	static const char *const verbs[] = {"audit.prune", "audit.export", "audit.read",
		"trust.update", "key.rotate", "cap.issue", "node.role", "breakglass.review",
		"breakglass.activate"};
	LAB l = new_lab();
	char *request = NULL;

	for (size_t i = 0; i < BASE_COUNT(verbs); i++) {
		hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;

		options.verbs = verbs[i];
		cr_expect_eq(ask(&l, "wide", options, &request), HN_EWIDEN, "%s", verbs[i]);
	}
	cr_expect_null(request);
}

/* Even where the preset gives everything. */
Test(negative, g70_a_careless_preset_reaches_no_audit_log)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = NULL, *one = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	char node[BASE_OBJECT_SIZE];

	cr_assert_eq(ask(&l, "wide", (hn_breakglass_options)HN_BREAKGLASS_OPTIONS_INIT, &request),
		0, "%s", lab_why(&l));
	one = two(&l, request, EVE, ALICE);
	cr_assert_eq(activate(&l, request, one, &session), 0, "%s", lab_why(&l));
	(void)host_object_node(node, l.host);
	cr_expect_eq(hn_session_check(session, "audit.read", node, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_session_check(session, "audit.prune", node, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_session_check(session, "trust.update", node, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_session_check(session, "cap.revoke", node, lab_err(&l)), 0);
}

Test(negative, g70_wider_than_the_preset)
{
	LAB l = new_lab();
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	char *request = NULL;

	options.verbs = "tag.apply";
	cr_expect_eq(ask(&l, "outage", options, &request), HN_EWIDEN);
	options.verbs = NULL;
	options.on = "unit/* volume/*";
	cr_expect_eq(ask(&l, "outage", options, &request), HN_EWIDEN);
	options.on = NULL;
	options.ttl = 3601;
	cr_expect_eq(ask(&l, "outage", options, &request), HN_EWIDEN);
	options.ttl = 0;
	cr_expect_eq(ask(&l, "nothing", options, &request), HN_ENOENT);
	cr_expect_eq(hn_breakglass_request(l.host, "outage", &options, &request, lab_err(&l)),
		HN_EREASON);
	cr_expect_null(request);
}

Test(negative, a_request_of_another_host)
{
	LAB l = new_lab();
	BASE_AUTO_OF(caps_ask) caps_ask *read = NULL, *forged = NULL;
	BASE_AUTO_FREE char *request = asked(&l), *text = NULL, *texts = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	hn_session *session = NULL;

	cr_assert_eq(caps_ask_read_text(request, &read, NULL), 0);
	read->id[0] ^= 1;
	cr_assert_eq(caps_ask_write(read, &bytes, NULL), 0);
	cr_assert_eq(caps_ask_read(bytes.data, bytes.size, &forged, NULL), 0);
	cr_assert_eq(caps_ask_text(forged, &text, NULL), 0);
	texts = two(&l, text, ALICE, BO);
	cr_expect_eq(activate(&l, text, texts, &session), HN_ENOENT);
	cr_expect_eq(activate(&l, "hvr1.oA", texts, &session), HN_ECBOR);
	cr_expect_eq(activate(&l, request, "hva1.oA", &session), HN_ECBOR);
}

static void note_loss(void *arg, const char *why)
{
	(void)snprintf(arg, 32, "%s", why);
}

Test(breakglass, ends_with_its_hour)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = active(&l);
	char why[32] = "";

	cr_assert_eq(hn_session_on_loss(session, note_loss, why, NULL), 0);
	hn_os_sim_advance(l.os, 3599 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 2 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_str_eq(why, "expired");
	cr_expect_eq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), HN_ESESSION);
}

Test(breakglass, a_clock_that_is_set_back_does_not_prolong_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = active(&l);

	hn_os_sim_step(l.os, -86400 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 3601 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
}

Test(breakglass, a_clock_that_is_set_forward_ends_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = active(&l);

	hn_os_sim_step(l.os, 3601 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
}

Test(breakglass, works_while_the_clock_is_suspect)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = NULL, *texts = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	hn_os_sim_step(l.os, -86400 * OS_SECOND);
	request = asked(&l);
	/* those who approve have good clocks: a day ahead of this one */
	texts = join(approve_at(request, ALICE, T0), approve_at(request, BO, T0));
	cr_assert_eq(activate(&l, request, texts, &session), 0, "%s", lab_why(&l));
	cr_expect_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 3601 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
}

Test(negative, g70_an_old_request_while_the_clock_is_suspect)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = NULL, *texts = NULL;
	hn_session *session = NULL;

	hn_os_sim_step(l.os, -86400 * OS_SECOND);
	request = asked(&l);
	texts = join(approve_at(request, ALICE, T0), approve_at(request, BO, T0));
	hn_os_sim_advance(l.os, 901 * OS_SECOND);
	cr_expect_eq(activate(&l, request, texts, &session), HN_EAPPROVAL, "%s", lab_why(&l));
}

Test(breakglass, works_while_local_operators_are_off)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_session *local = NULL;

	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_open_local(l.host, NULL, &local, lab_err(&l)), HN_EDENIED);
	session = active(&l);
	cr_expect_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(breakglass, goes_on_in_another_process_but_not_after_a_boot)
{
	LAB l = new_lab();
	hn_session *session = active(&l);

	session = hn_session_unref(session);
	lab_reopen(&l);
	cr_assert_eq(hn_session_open_breakglass(l.host, NULL, &session, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	session = hn_session_unref(session);
	lab_close(&l);
	cr_assert_eq(hn_os_sim_crash_now(l.os, HN_OS_SIM_CRASH_DROP, 1, NULL), 0);
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_open_breakglass(l.host, NULL, &session, lab_err(&l)), HN_ENOENT);
	cr_expect_null(session);
}

Test(breakglass, is_ended_for_all_its_sessions)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = active(&l), *other = NULL;

	cr_assert_eq(hn_session_open_breakglass(l.host, NULL, &other, lab_err(&l)), 0);
	cr_assert_eq(hn_breakglass_end(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND / 2);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_eq(hn_session_live(other, lab_err(&l)), HN_ESESSION);
	cr_expect_eq(lab_events(&l, ENDED), 1);
	cr_expect_eq(hn_breakglass_end(l.session, lab_err(&l)), HN_ENOENT);
}

Test(breakglass, sees_only_what_it_is_for)
{
	LAB l = new_lab();
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	BASE_AUTO_FREE char *request = NULL, *texts = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;
	char object[BASE_OBJECT_SIZE];
	hn_unit *unit = NULL;

	object_of(&l, "web-1", object);
	options.on = object;
	cr_assert_eq(ask(&l, "outage", options, &request), 0, "%s", lab_why(&l));
	texts = two(&l, request, BO, EVE);
	cr_assert_eq(activate(&l, request, texts, &session), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_units_list(session, NULL, false, &units, lab_err(&l)), 0);
	cr_expect_eq(hn_units_count(units), 1);
	cr_expect_eq(hn_unit_find(session, "db-1", false, &unit, lab_err(&l)), HN_ENOENT);
}

Test(breakglass, a_drill_changes_nothing_and_lasts_a_minute)
{
	LAB l = new_lab();
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	BASE_AUTO_FREE char *request = NULL, *texts = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	options.drill = true;
	cr_assert_eq(ask(&l, "outage", options, &request), 0, "%s", lab_why(&l));
	texts = two(&l, request, ALICE, EVE);
	cr_assert_eq(activate(&l, request, texts, &session), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.read", "web-1"), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), HN_EDENIED);
	hn_os_sim_advance(l.os, 61 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
}

Test(breakglass, is_alarmed_about_each_hour_until_it_is_reviewed)
{
	LAB l = new_lab();
	hn_session *session = active(&l);
	BASE_AUTO_FREE char *list = NULL;

	cr_expect_eq(hn_breakglass_review(l.session, 1, lab_err(&l)), HN_EBUSY);
	session = hn_session_unref(session);
	hn_os_sim_advance(l.os, 3601 * OS_SECOND);
	lab_reopen(&l);
	cr_expect_eq(lab_events(&l, ENDED), 1, "it ended by time, which somebody noticed");
	cr_expect_eq(lab_events(&l, UNREVIEWED), 1);
	lab_reopen(&l);
	cr_expect_eq(lab_events(&l, UNREVIEWED), 1, "once an hour");
	hn_os_sim_advance(l.os, 3600 * OS_SECOND);
	lab_reopen(&l);
	cr_expect_eq(lab_events(&l, UNREVIEWED), 2);
	cr_expect_eq(hn_breakglass_review(l.session, 2, lab_err(&l)), HN_ENOENT);
	cr_assert_eq(hn_breakglass_review(l.session, 1, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_breakglass_review(l.session, 1, lab_err(&l)), HN_ECONFLICT);
	hn_os_sim_advance(l.os, 7200 * OS_SECOND);
	lab_reopen(&l);
	cr_expect_eq(lab_events(&l, UNREVIEWED), 2);
	cr_assert_eq(hn_breakglass_list(l.session, &list, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(strstr(list, "\"approvedBy\":\"alice bo\""), "%s", list);
	cr_expect_not_null(strstr(list, "\"why\":\"expired\""), "%s", list);
	cr_expect_not_null(strstr(list, "\"reviewer\":\"local/uid/0\""), "%s", list);
}

Test(negative, its_holder_does_not_review_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = active(&l);

	cr_expect_eq(hn_breakglass_review(session, 1, lab_err(&l)), HN_EDENIED);
}

/* Whichever write fails: it is active and on record, or neither. */
Test(negative, g70_a_disk_that_is_full)
{
	int opened = 0;

	for (uint64_t nth = 1; nth < 400 && opened < 3; nth++) {
		LAB l = new_lab();
		BASE_AUTO_FREE char *request = asked(&l), *texts = two(&l, request, ALICE, BO);
		hn_session *session = NULL;
		uint64_t rows, records;
		int rc;

		hn_os_sim_fail(l.os, nth, true, ENOSPC);
		rc = activate(&l, request, texts, &session);
		hn_os_sim_fail(l.os, 0, false, 0);
		cr_expect_eq(rc >= 0, session != NULL);
		session = hn_session_unref(session);
		opened += rc >= 0;
		lab_reopen(&l);
		rows = lab_number(&l, "SELECT count(*) FROM cap_breakglass");
		records = lab_number(&l,
			"SELECT count(*) FROM audit WHERE instr(rec, CAST('activated' AS BLOB)) > 0");
		cr_expect_eq(rows, records, "call %llu", (unsigned long long)nth);
		cr_expect(rc < 0 || rows == 1, "call %llu", (unsigned long long)nth);
		cr_expect_eq(host_audit_verify(l.host, lab_err(&l)), 0, "call %llu: %s",
			(unsigned long long)nth, lab_why(&l));
	}
	cr_expect_eq(opened, 3, "it never opened");
}

/* A disk that is full but for what is held for this. */
Test(breakglass, has_room_on_a_full_disk)
{
	int saved = 0;

	for (uint64_t nth = 1; nth < 60; nth++) {
		LAB l = new_lab();
		BASE_AUTO_FREE char *request = asked(&l), *texts = two(&l, request, ALICE, BO);
		BASE_AUTO_OF(hn_session) hn_session *session = NULL;
		int rc;

		cr_assert(os_exists(l.os, "/state/reserve"), "trust with a preset holds room");
		hn_os_sim_fail(l.os, nth, false, ENOSPC);
		rc = activate(&l, request, texts, &session);
		hn_os_sim_fail(l.os, 0, false, 0);
		if (os_exists(l.os, "/state/reserve"))
			continue;
		saved++;
		cr_expect_eq(rc, 0, "call %llu: %s", (unsigned long long)nth, lab_why(&l));
		cr_expect_null(l.err, "call %llu: opened, and an error", (unsigned long long)nth);
	}
	cr_expect_gt(saved, 0);
}

/* --- one person, after a delay --- */

#define REQUESTED "org.hypernix.breakglass.requested.v1"
#define CANCELLED "org.hypernix.breakglass.cancelled.v1"

static char *asked_alone(lab *l)
{
	char *request = NULL;

	cr_assert_eq(ask(l, "alone", (hn_breakglass_options)HN_BREAKGLASS_OPTIONS_INIT, &request),
		0, "%s", lab_why(l));
	return request;
}

static uint64_t noted(lab *l, const char *note)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM audit WHERE instr(rec, CAST('%s' AS BLOB)) > 0", note);
	return lab_number(l, sql);
}

Test(delay, one_person_opens_it_a_quarter_of_an_hour_later)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked_alone(&l), *one = approve(&l, request, EVE);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	cr_expect_eq(lab_events(&l, REQUESTED), 1, "the alarm comes with the request");
	cr_expect_eq(noted(&l, "requested"), 1);
	cr_expect_eq(activate(&l, request, one, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "in 900 seconds"), "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 899 * OS_SECOND);
	cr_expect_eq(activate(&l, request, one, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "in 1 seconds"), "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_assert_eq(activate(&l, request, one, &session), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), 0, "%s", lab_why(&l));
}

Test(delay, a_wall_clock_that_is_set_on_does_not_shorten_it)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked_alone(&l), *one = approve(&l, request, EVE);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	hn_os_sim_step(l.os, 901 * OS_SECOND);
	cr_expect_eq(activate(&l, request, one, &session), HN_EAPPROVAL);
	hn_os_sim_advance(l.os, 890 * OS_SECOND);
	cr_expect_eq(activate(&l, request, one, &session), HN_EAPPROVAL);
	cr_expect_null(session);
}

Test(delay, nor_one_that_is_set_back_while_it_is_not_noticed)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked_alone(&l), *one = approve(&l, request, EVE);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	hn_os_sim_step(l.os, -4 * OS_SECOND);
	hn_os_sim_advance(l.os, 900 * OS_SECOND);
	cr_expect_eq(activate(&l, request, one, &session), HN_EAPPROVAL, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 4 * OS_SECOND);
	cr_expect_eq(activate(&l, request, one, &session), 0, "%s", lab_why(&l));
}

Test(delay, whoever_may_read_it_cancels_it)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked_alone(&l), *one = approve(&l, request, EVE);
	BASE_AUTO_OF(hn_session)
	hn_session *reader =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"cap.read\"],"
			   "\"on\":\"node/*\"}]}");
	BASE_AUTO_OF(hn_session)
	hn_session *other = opened(&l,
		"{\"for\":\"carl\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
		"\"on\":\"unit/*\"}]}");
	BASE_AUTO_OF(caps_ask) caps_ask *read = NULL;
	hn_session *session = NULL;
	char hash[65];

	cr_assert_eq(caps_ask_read_text(request, &read, NULL), 0);
	codec_hex(read->hash, 32, hash);
	cr_expect_eq(hn_breakglass_cancel(other, hash, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_breakglass_cancel(reader, "00", lab_err(&l)), HN_EINVAL);
	cr_assert_eq(hn_breakglass_cancel(reader, hash, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_breakglass_cancel(reader, hash, lab_err(&l)), HN_ENOENT);
	cr_expect_eq(lab_events(&l, CANCELLED), 1);
	cr_expect_eq(noted(&l, "cancelled"), 1);
	hn_os_sim_advance(l.os, 900 * OS_SECOND);
	cr_expect_eq(activate(&l, request, one, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "cancelled"), "%s", lab_why(&l));
	cr_expect_null(session);
}

Test(delay, it_is_over_when_nobody_opens_it)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked_alone(&l), *one = approve(&l, request, EVE);
	hn_session *session = NULL;

	hn_os_sim_advance(l.os, 1800 * OS_SECOND);
	cr_expect_eq(activate(&l, request, one, &session), HN_EAPPROVAL);
	cr_expect_not_null(strstr(lab_why(&l), "is over"), "%s", lab_why(&l));
}

Test(delay, a_preset_of_one_person_without_one_waits_all_the_same)
{
	caps_preset preset = {.threshold = 1};

	cr_expect_eq(caps_breakglass_delay(&preset), 900);
	preset.delay = 60;
	cr_expect_eq(caps_breakglass_delay(&preset), 900);
	preset.delay = 3600;
	cr_expect_eq(caps_breakglass_delay(&preset), 3600);
	preset.threshold = 2;
	cr_expect_eq(caps_breakglass_delay(&preset), 3600);
	preset.delay = 0;
	cr_expect_eq(caps_breakglass_delay(&preset), 0);
}

static int cancelled(lab *l, hn_session *session, const char *request)
{
	BASE_AUTO_OF(caps_ask) caps_ask *read = NULL;
	char hash[65];

	cr_assert_eq(caps_ask_read_text(request, &read, NULL), 0);
	codec_hex(read->hash, 32, hash);
	return hn_breakglass_cancel(session, hash, lab_err(l));
}

/* A disk that is full but for what is held: as it opens there, it is cancelled there. */
Test(delay, is_cancelled_on_a_full_disk)
{
	int saved = 0;

	for (uint64_t nth = 1; nth < 30; nth++) {
		LAB l = new_lab();
		BASE_AUTO_FREE char *request = asked_alone(&l);
		int rc;

		cr_assert(os_exists(l.os, "/state/reserve"));
		hn_os_sim_fail(l.os, nth, false, ENOSPC);
		rc = cancelled(&l, l.session, request);
		hn_os_sim_fail(l.os, 0, false, 0);
		cr_expect_neq(rc, HN_ENOSPC, "call %llu: %s", (unsigned long long)nth, lab_why(&l));
		saved += rc == 0;
	}
	cr_expect_gt(saved, 0);
}

Test(negative, a_reader_does_not_cancel_what_a_quorum_opens)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = asked(&l), *alone = asked_alone(&l);
	BASE_AUTO_OF(hn_session)
	hn_session *reader =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"cap.read\"],"
			   "\"on\":\"node/*\"}]}");
	BASE_AUTO_OF(hn_session)
	hn_session *reviewer = opened(&l,
		"{\"for\":\"ann\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"breakglass.review\"],"
		"\"on\":\"node/*\"}]}");

	cr_expect_eq(cancelled(&l, reader, request), HN_EDENIED, "%s", lab_why(&l));
	cr_expect_eq(cancelled(&l, reviewer, request), 0, "%s", lab_why(&l));
	reader->request_only = true;
	cr_expect_eq(cancelled(&l, reader, alone), HN_EDENIED, "%s", lab_why(&l));
	reader->request_only = false;
	cr_expect_eq(cancelled(&l, reader, alone), 0, "%s", lab_why(&l));
}
