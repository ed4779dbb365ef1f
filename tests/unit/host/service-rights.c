/* SPDX-License-Identifier: MIT
 *
 * What the configuration of a host gives to services, and what becomes of sessions when that is
 * changed, or local operators are turned off.
 */
#include "trust-lab.h"

#define STARTER                                                                                    \
	"{\"starter\":{\"grants\":[{\"verbs\":[\"unit.start\",\"unit.stop\",\"unit.read\"],"       \
	"\"on\":\"unit/*\",\"tags\":{\"all\":[\"web\"]},\"quota\":{\"uses\":2}}]}}"

static int open_service(lab *l, const char *name, hn_session **session)
{
	hn_session_options options = HN_SESSION_OPTIONS_INIT;

	options.reason = "night";
	options.program = "keeper";
	return hn_session_open_service(l->host, name, &options, session, lab_err(l));
}

static void tick(lab *l)
{
	hn_os_sim_advance(l->os, OS_SECOND / 2);
}

static uint64_t opened_by(lab *l, const char *subject)
{
	char sql[256];

	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM audit a, audit_text t WHERE t.body = '%s'"
		" AND instr(a.rec, t.ref) AND instr(a.rec, x'0705')",
		subject);
	return lab_number(l, sql);
}

Test(service_rights, a_configured_one_may_what_its_terms_give)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trusted_fleet(&l);
	cr_assert_eq(open_service(&l, "starter", &session), HN_ENOENT);
	cr_assert_eq(hn_services_load(l.session, STARTER, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(open_service(&l, "starter", &session), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "db-1"), HN_EDENIED);
	cr_expect_eq(check(&l, session, "unit.delete", "web-1"), HN_EDENIED);
	cr_expect_eq(opened_by(&l, "service/starter"), 1);
}

Test(service_rights, counts_go_on_from_one_session_to_the_next)
{
	LAB l = lab_new();
	hn_session *session = NULL;

	trusted_fleet(&l);
	cr_assert_eq(hn_services_load(l.session, STARTER, lab_err(&l)), 0, "%s", lab_why(&l));
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(open_service(&l, "starter", &session), 0, "%s", lab_why(&l));
		cr_expect_geq(hn_unit_start(session, i == 0 ? "web-1" : "web-2", NULL, lab_err(&l)),
			0, "%s", lab_why(&l));
		session = hn_session_unref(session);
	}
	cr_assert_eq(open_service(&l, "starter", &session), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_stop(session, "web-1", NULL, NULL, lab_err(&l)), HN_EQUOTA);
	session = hn_session_unref(session);
}

Test(service_rights, loading_the_same_again_writes_nothing)
{
	LAB l = lab_new();
	BASE_AUTO_FREE char *json = NULL;
	uint64_t before;

	cr_assert_eq(hn_services_load(l.session, STARTER, lab_err(&l)), 0, "%s", lab_why(&l));
	before = lab_number(&l, "SELECT count(*) FROM audit");
	cr_assert_eq(hn_services_load(l.session, STARTER, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), before);
	cr_assert_eq(hn_services_list(l.session, &json, lab_err(&l)), 0);
	cr_expect_not_null(strstr(json, "\"for\":\"service/starter\""), "%s", json);
	cr_assert_eq(hn_services_load(l.session, "{\"activation\":false}", lab_err(&l)), 0);
	cr_expect_gt(lab_number(&l, "SELECT count(*) FROM audit"), before);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_service"), 1);
}

Test(service_rights, refuses_what_is_no_service)
{
	static const struct {
		const char *text;
		int code;
	} wrong[] = {
		{"[]", HN_ESCHEMA},
		{"{", HN_ESYNTAX},
		{"{\"Mover\":{}}", HN_EINVAL},
		{"{\"mover\":1}", HN_ESCHEMA},
		{"{\"mover\":{}}", HN_ESCHEMA},
		{"{\"mover\":{\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"**\"}]}}",
			HN_ESCHEMA},
		{"{\"mover\":{\"for\":\"x\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"**\"}]}}",
			HN_ESCHEMA},
		{"{\"mover\":{\"grants\":[{\"verbs\":[\"unit.fly\"],\"on\":\"**\"}]}}", HN_EINVAL},
	};
	LAB l = lab_new();

	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_expect_eq(hn_services_load(l.session, wrong[i].text, lab_err(&l)), wrong[i].code,
			"%s: %s", wrong[i].text, lab_why(&l));
	cr_expect_eq(hn_services_load(l.session, NULL, NULL), HN_EINVAL);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_service"), 0);
}

Test(service_rights, a_change_needs_a_reason_and_the_right)
{
	LAB l = lab_new();

	lab_as_service(&l, "test");
	cr_expect_eq(hn_services_load(l.session, STARTER, lab_err(&l)), HN_EDENIED);
	l.session = hn_session_unref(l.session);
	cr_assert_eq(hn_session_open_local(l.host, NULL, &l.session, lab_err(&l)), 0);
	cr_expect_eq(hn_services_load(l.session, STARTER, lab_err(&l)), HN_EREASON);
}

Test(service_rights, what_is_part_of_hypernix_can_be_narrowed_and_turned_off)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *before = NULL, *session = NULL;

	trusted_fleet(&l);
	cr_assert_eq(open_service(&l, "activation", &before), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_services_load(l.session,
			     "{\"activation\":{\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":"
			     "\"unit/**\"}]}}",
			     lab_err(&l)),
		0, "%s", lab_why(&l));
	tick(&l);
	cr_expect_eq(hn_session_live(before, lab_err(&l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(&l), "service"), "%s", lab_why(&l));
	cr_assert_eq(open_service(&l, "activation", &session), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.read", "web-1"), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), HN_EDENIED);
	session = hn_session_unref(session);
	cr_assert_eq(hn_services_load(l.session, "{\"activation\":false}", lab_err(&l)), 0);
	cr_expect_eq(open_service(&l, "activation", &session), HN_EDENIED);
	cr_assert_eq(hn_services_load(l.session, "{}", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(open_service(&l, "activation", &session), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), 0, "%s", lab_why(&l));
}

Test(service_rights, supervision_restarts_and_nothing_more)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	cr_assert_eq(open_service(&l, "supervision", &session), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_check(session, "unit.start", "unit/x", NULL), 0);
	cr_expect_eq(hn_session_check(session, "unit.stop", "unit/x", NULL), HN_EDENIED);
	cr_expect_eq(hn_session_check(session, "unit.create", "unit/x", NULL), HN_EDENIED);
	cr_expect_eq(hn_session_check(session, "tag.apply", "tag/x/y", NULL), HN_EDENIED);
}

/* It starts guests with them, but does not see them. */
Test(service_rights, what_is_part_of_hypernix_has_no_hand_in_secrets)
{
	static const char *const names[] = {"activation", "supervision"};
	LAB l = lab_new();

	trusted_fleet(&l);
	cr_assert_eq(hn_secret_put(l.session, "web-1", "a", "x", 1, lab_err(&l)), 0);
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		BASE_AUTO_OF(hn_session) hn_session *session = NULL;
		uint64_t before;
		int fd = -1;

		cr_assert_eq(open_service(&l, names[i], &session), 0, "%s", lab_why(&l));
		before = lab_number(&l, "SELECT count(*) FROM audit");
		cr_expect_eq(hn_secret_attach(session, "web-1", "a", &fd, lab_err(&l)), HN_EDENIED);
		cr_expect_eq(fd, -1);
		cr_expect_eq(hn_secret_put(session, "web-1", "a", "y", 1, lab_err(&l)), HN_EDENIED);
		cr_expect_eq(hn_secret_remove(session, "web-1", "a", lab_err(&l)), HN_EDENIED);
		cr_expect_geq(lab_number(&l, "SELECT count(*) FROM audit"), before + 3);
		cr_expect_eq(check(&l, session, "unit.secret", "web-1"), HN_EDENIED);
	}
}

static void note_loss(void *arg, const char *why)
{
	(void)snprintf(arg, 32, "%s", why);
}

Test(service_rights, operators_that_are_turned_off_lose_what_they_have_open)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *other = NULL, *activation = NULL;
	char why[32] = "";
	uint64_t before;

	trusted_fleet(&l);
	cr_assert_eq(hn_session_open_local(l.host, NULL, &other, lab_err(&l)), 0);
	cr_assert_eq(hn_session_on_loss(other, note_loss, why, lab_err(&l)), 0);
	cr_assert_eq(open_service(&l, "activation", &activation), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	tick(&l);
	before = lab_number(&l, "SELECT count(*) FROM audit");
	cr_expect_eq(hn_unit_start(other, "web-1", NULL, lab_err(&l)), HN_ESESSION);
	cr_expect_str_eq(why, "local");
	cr_expect_eq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), HN_ESESSION);
	/* the one that has changed something is on record, and so is its end */
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), before + 1);
	cr_expect_eq(hn_session_live(activation, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(service_rights, a_wait_of_an_operator_ends_with_his_right)
{
	LAB l = lab_new();

	trusted_fleet(&l);
	cr_assert_eq(hn_session_wait(l.session, OS_SECOND, NULL, lab_err(&l)), 0);
	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_wait(l.session, 10 * OS_SECOND, NULL, lab_err(&l)), HN_ESESSION);
}

/* A permit that was given before is good no more at the next safe point of long work. */
Test(service_rights, work_that_goes_on_notices_it)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *other = NULL;
	char object[BASE_OBJECT_SIZE];
	host_permit permit;

	trusted_fleet(&l);
	cr_assert_eq(hn_session_open_local(l.host, NULL, &other, lab_err(&l)), 0);
	object_of(&l, "web-1", object);
	cr_assert_eq(host_admit(other, HN_VERB_UNIT_START, object, NULL, &permit, lab_err(&l)), 0);
	cr_expect_eq(base_permit_live(&permit.base, lab_err(&l)), 0);
	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	tick(&l);
	cr_expect_eq(base_permit_live(&permit.base, lab_err(&l)), HN_ESESSION);
	(void)host_settle(&permit, HN_ESESSION, NULL);
}

Test(service_rights, while_operators_are_off_a_service_is_on_record_at_once)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trusted_fleet(&l);
	cr_assert_eq(open_service(&l, "activation", &session), 0, "%s", lab_why(&l));
	cr_expect_eq(opened_by(&l, "service/activation"), 0);
	session = hn_session_unref(session);
	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(open_service(&l, "activation", &session), 0, "%s", lab_why(&l));
	cr_expect_eq(opened_by(&l, "service/activation"), 1);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_session"), 1);
	/* process and program of who opened it: texts that can be erased */
	cr_expect_gt(lab_number(&l, "SELECT count(*) FROM audit_text WHERE body LIKE"
				    " 'program keeper%exe /%'"),
		0);
	cr_expect_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(opened_by(&l, "service/activation"), 1);
	session = hn_session_unref(session);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_session"), 0);
}

Test(service_rights, a_session_of_a_service_can_be_cut)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	char id[17];

	trusted_fleet(&l);
	cr_assert_eq(hn_services_load(l.session, STARTER, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(open_service(&l, "starter", &session), 0, "%s", lab_why(&l));
	codec_hex(session->id, sizeof(session->id), id);
	cr_assert_eq(hn_session_cut(l.session, id, lab_err(&l)), 0, "%s", lab_why(&l));
	tick(&l);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(&l), "cut"), "%s", lab_why(&l));
}

/* A clock in doubt: tokens are not taken, but what hangs on no time goes on. */
Test(service_rights, without_a_schedule_the_clock_decides_nothing)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *starter = NULL, *night = NULL, *often = NULL;

	trusted_fleet(&l);
	cr_assert_eq(
		hn_services_load(l.session,
			"{\"starter\":{\"grants\":[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]},"
			"\"often\":{\"grants\":[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\","
			"\"rate\":{\"count\":100,\"per\":\"1s\"}}]},"
			"\"night\":{\"grants\":[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\","
			"\"until\":\"2030-01-01T00:00:00Z\"}]}}",
			lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_assert_eq(open_service(&l, "starter", &starter), 0, "%s", lab_why(&l));
	cr_assert_eq(open_service(&l, "night", &night), 0, "%s", lab_why(&l));
	cr_assert_eq(open_service(&l, "often", &often), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, night, "unit.start", "web-1"), 0, "%s", lab_why(&l));
	hn_os_sim_step(l.os, -3600 * OS_SECOND);
	tick(&l);
	cr_expect_eq(check(&l, starter, "unit.start", "web-1"), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, night, "unit.start", "web-1"), HN_ESESSION, "%s", lab_why(&l));
	cr_expect_eq(check(&l, often, "unit.start", "web-1"), HN_ESESSION, "%s", lab_why(&l));
}
