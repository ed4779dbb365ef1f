/* SPDX-License-Identifier: MIT
 *
 * Service sessions: what the activation may do, what it may not, and under which name it is on
 * record.
 */
#include "sim/lab.h"

#define WEB "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{\"autostart\":true}}}}"

Test(service, an_unknown_one_is_not_found)
{
	LAB l = lab_new();
	hn_session *session = NULL;

	cr_expect_eq(
		hn_session_open_service(l.host, "mover", NULL, &session, lab_err(&l)), HN_ENOENT);
	cr_expect_not_null(strstr(hn_error_hint(l.err), "services load"));
	cr_expect_eq(hn_session_open_service(l.host, NULL, NULL, &session, NULL), HN_ENOENT);
	cr_expect_eq(hn_session_open_service(l.host, "", NULL, &session, NULL), HN_ENOENT);
	cr_expect_null(session);
}

Test(service, needs_a_host_and_a_place)
{
	LAB l = lab_new();
	hn_session *session = NULL;

	cr_expect_eq(hn_session_open_service(NULL, "activation", NULL, &session, NULL), HN_EINVAL);
	cr_expect_eq(hn_session_open_service(l.host, "activation", NULL, NULL, NULL), HN_EINVAL);
}

Test(service, refuses_options_of_a_newer_library)
{
	LAB l = lab_new();
	struct {
		hn_session_options known;
		uint64_t unknown;
	} options = {.known = HN_SESSION_OPTIONS_INIT, .unknown = 1};
	hn_session *session = NULL;

	options.known.size = sizeof(options);
	cr_expect_eq(hn_session_open_service(l.host, "activation", &options.known, &session, NULL),
		HN_ENEWER);
}

static bool needs(hn_verb verb)
{
	static const hn_verb verbs[] = {HN_VERB_UNIT_READ, HN_VERB_UNIT_CREATE, HN_VERB_UNIT_UPDATE,
		HN_VERB_UNIT_DELETE, HN_VERB_UNIT_START, HN_VERB_UNIT_STOP, HN_VERB_TAG_READ,
		HN_VERB_TAG_APPLY};

	for (size_t i = 0; i < BASE_COUNT(verbs); i++)
		if (verbs[i] == verb)
			return true;
	return false;
}

Test(service, may_what_it_needs_and_nothing_else)
{
	LAB l = lab_new();

	lab_as_service(&l, "test");
	for (int verb = 0; verb < HN_VERB_COUNT; verb++)
		cr_expect_eq(
			hn_session_check(l.session, base_verb_text((hn_verb)verb), "unit/x", NULL),
			needs((hn_verb)verb) ? 0 : HN_EDENIED, "%s", base_verb_text((hn_verb)verb));
}

Test(service, what_it_may_not_is_denied_and_on_record)
{
	LAB l = lab_new();
	uint64_t before;

	lab_must_apply(&l, WEB);
	lab_as_service(&l, "test");
	before = lab_number(&l, "SELECT count(*) FROM audit");
	cr_expect_eq(hn_unit_force(l.session, "web", "compute.units", "50", OS_SECOND, lab_err(&l)),
		HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "unit web"), "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), before + 1);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM definition"), 1); /* the frozen count */
	cr_expect_eq(hn_unit_reset(l.session, "web", NULL), HN_EDENIED);
}

Test(service, reads_no_events)
{
	LAB l = lab_new();
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	int count = 0;

	lab_as_service(&l, NULL);
	cr_expect_eq(
		hn_events_read(l.session, &options, lab_count_event, &count, NULL), HN_EDENIED);
}

Test(service, acts_under_its_own_name)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;
	hn_plan_options options = lab_options();

	lab_as_service(&l, "activation of test.json");
	options.owner = HN_OWNER_NIX;
	cr_assert_eq(lab_plan_with(&l, WEB, options), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_eq(
		lab_number(&l, "SELECT count(*) FROM generation WHERE who = 'service/activation'"
			       " AND why = 'activation of test.json'"),
		1);
	cr_expect_gt(
		lab_number(&l, "SELECT count(*) FROM audit_text WHERE body = 'service/activation'"),
		0);
	cr_expect_eq(
		lab_number(&l, "SELECT count(*) FROM audit_text WHERE body LIKE 'local/uid/%'"), 0);
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, lab_err(&l)), 0);
	cr_expect_eq(hn_unit_owner(unit), HN_OWNER_NIX);
	hn_unit_unref(unit);
}

Test(service, destroys_only_with_a_reason)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();

	lab_must_apply(&l, WEB);
	options.on_remove = "destroy";
	lab_as_service(&l, NULL);
	cr_assert_eq(lab_plan_with(&l, "{\"hypernix\":1}", options), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_plan_check(l.session, l.plan, lab_err(&l)), HN_EREASON);
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), HN_EREASON);
	cr_expect_not(hn_plan_begun(l.plan));
	cr_expect_not_null(fake_find("web"));
	lab_as_service(&l, "leaves");
	cr_assert_eq(lab_plan_with(&l, "{\"hypernix\":1}", options), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect_null(fake_find("web"));
}

/* --- denials inside a transaction --- */

static uint64_t of_kind(lab *l, int kind)
{
	char sql[80];

	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM audit WHERE instr(rec, x'07%02x08')",
		(unsigned)kind);
	return lab_number(l, sql);
}

/* Each that the service may not, in one transaction that is rolled back. */
static void be_denied(lab *l, size_t most)
{
	size_t count = 0;

	cr_assert_eq(state_begin(l->host->store, lab_err(l)), 0);
	for (int verb = 0; verb < HN_VERB_COUNT && count < most; verb++) {
		if ((base_verb_flags((hn_verb)verb) & BASE_VERB_M) == 0 || needs((hn_verb)verb))
			continue;
		cr_expect_eq(host_may(l->session, (hn_verb)verb, "unit/x", NULL), HN_EDENIED);
		count++;
	}
	cr_assert_eq(count, most);
	state_rollback(l->host->store);
	host_denial_settle(l->host);
}

Test(denials, of_one_transaction_are_all_on_record)
{
	LAB l = lab_new();

	lab_as_service(&l, "test");
	be_denied(&l, 5);
	cr_expect_eq(of_kind(&l, CAPS_AUDIT_DENY), 5);
	be_denied(&l, 3);
	cr_expect_eq(of_kind(&l, CAPS_AUDIT_DENY), 8, "the first five are not told again");
}

Test(denials, above_what_is_kept_are_counted)
{
	LAB l = lab_new();

	lab_as_service(&l, "test");
	be_denied(&l, HOST_DENIED + 3);
	cr_expect_eq(of_kind(&l, CAPS_AUDIT_DENY), HOST_DENIED);
	/* {7 => 4, ..., 20 => 3} */
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit WHERE instr(rec, x'0704')"
				    " AND instr(rec, x'1403')"),
		1);
}
