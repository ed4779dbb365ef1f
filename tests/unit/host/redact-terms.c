/* SPDX-License-Identifier: MIT
 *
 * How answers say what they leave out, what explain tells of what is hidden, and what those who may
 * only look cannot change by it.
 */
#include "redact-lab.h"

/* --- how it is said --- */

Test(redact, an_answer_says_what_it_has_not)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *plain = opened_with(&l, "");
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened_with(&l, ",\"redact\":[\"paths\",\"usage\"]");
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	const char *text = NULL;

	cr_assert_eq(hn_unit_find(session, "web-1", false, &unit, lab_err(&l)), 0);
	cr_expect_eq(hn_session_redacted(session), HN_REDACT_PATHS | HN_REDACT_USAGE);
	cr_expect_eq(hn_view_redacted(hn_unit_desired(unit)), HN_REDACT_PATHS | HN_REDACT_USAGE);
	cr_expect_eq(
		hn_view_get_text(hn_unit_desired(unit), "disks.root.source", &text, lab_err(&l)),
		HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "paths"), "%s", lab_why(&l));
	cr_expect_eq(hn_view_get_text(hn_unit_desired(unit), "nics.eth0.mac", &text, NULL), 0);
	unit = hn_unit_unref(unit);
	cr_assert_eq(hn_unit_find(plain, "web-1", false, &unit, lab_err(&l)), 0);
	cr_expect_eq(hn_session_redacted(plain), 0);
	cr_expect_eq(hn_view_redacted(hn_unit_desired(unit)), 0);
	cr_expect_eq(hn_session_redacted(NULL), 0);
	cr_expect_null(hn_redact_word(3));
	cr_expect_null(hn_redact_word(1 << 20));
}

/* Changing something tells nothing, so the mask does not keep from it. */
Test(redact, it_takes_no_right_away)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\"},"
		"{\"verbs\":[\"volume.attach\"],\"on\":\"volume/**\"}],"
		"\"redact\":[\"addresses\",\"paths\",\"hardware\",\"persons\",\"usage\",\"tags\"]}");

	cr_expect_geq(
		hn_unit_stop(session, "web-1", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_define(session, "api-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_set(session, "api-1", "boot.kernel", "/planted/k", lab_err(&l)), 0);
}

/* Each grant has its own terms: the units of one are shown whole. */
Test(redact, by_the_grant_that_is_used)
{
	LAB l = new_lab();
	char object[BASE_OBJECT_SIZE], terms[512];
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;

	object_of(&l, "web-1", object);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"%s\","
		"\"redact\":[\"tags\"]},{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}",
		object);
	session = opened(&l, terms);
	cr_assert_eq(
		hn_units_list(session, NULL, false, &units, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_units_count(units), 2);
	for (size_t i = 0; i < 2; i++) {
		const hn_unit *unit = hn_units_at(units, i);
		bool web = strcmp(hn_unit_name(unit), "web-1") == 0;

		cr_expect_eq(hn_view_tag_count(hn_unit_desired(unit)), web ? 0 : 1);
	}
	cr_expect_eq(hn_session_redacted(session), HN_REDACT_TAGS);
}

/* A class that a later version made: whoever wrote it wants less to be told. */
Test(redact, a_class_that_is_not_known)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened_with(&l, ",\"redact\":[9]");
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;

	cr_expect_eq(check(&l, session, "unit.read", "web-1"), HN_EDENIED);
	cr_assert_eq(hn_units_list(session, NULL, false, &units, lab_err(&l)), 0);
	cr_expect_eq(hn_units_count(units), 0);
}

/* --- what explain says of what is hidden --- */

static char *explained(lab *l, hn_session *session, const char *verb, const char *uuid)
{
	BASE_AUTO_BUF base_buf object = {0};
	char *json = NULL;

	base_buf_format(&object, "unit/%s", uuid);
	cr_assert_eq(hn_session_explain(session, verb, object.data, &json, lab_err(l)), 0, "%s",
		lab_why(l));
	return json;
}

/* The same but for the uuid. */
static bool same_but(const char *left, const char *one, const char *right, const char *other)
{
	BASE_AUTO_BUF base_buf text = {0};
	const char *at;

	while ((at = strstr(left, one))) {
		base_buf_add(&text, left, (size_t)(at - left));
		base_buf_text(&text, other);
		left = at + strlen(one);
	}
	base_buf_text(&text, left);
	return strcmp(text.data, right) == 0;
}

#define NOBODY "12345678-1234-4234-8234-123456789012"

Test(explain, a_hidden_unit_is_explained_as_a_missing_one)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.stop\"],"
		"\"on\":\"unit/*\",\"tags\":{\"all\":[\"plantedtag\"]}}]}");
	BASE_AUTO_FREE char *hidden = NULL, *missing = NULL, *seen = NULL;
	char object[BASE_OBJECT_SIZE];

	object_of(&l, "hidden", object);
	hidden = explained(&l, session, "unit.stop", object + 5);
	missing = explained(&l, session, "unit.stop", NOBODY);
	cr_expect(same_but(hidden, object + 5, missing, NOBODY), "%s\n%s", hidden, missing);
	object_of(&l, "web-1", object);
	seen = explained(&l, session, "unit.stop", object + 5);
	cr_expect_not_null(strstr(seen, "\"allowed\":true"), "%s", seen);
	cr_expect_not_null(strstr(seen, "plantedtag"), "%s", seen);
}

/* What may be stopped but not seen: the verdict, and no more. */
Test(explain, the_verdict_of_a_hidden_unit_is_the_true_one)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.stop\"],\"on\":\"unit/*\","
		"\"tags\":{\"all\":[\"web\"]}}]}");
	BASE_AUTO_FREE char *hidden = NULL;
	char object[BASE_OBJECT_SIZE];

	object_of(&l, "hidden", object);
	hidden = explained(&l, session, "unit.stop", object + 5);
	cr_expect_not_null(strstr(hidden, "\"allowed\":true"), "%s", hidden);
	cr_expect_null(strstr(hidden, "checks"), "%s", hidden);
}

/* The uuid of a hidden unit does not tell what it is called. */
Test(explain, a_denial_names_no_hidden_unit)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\","
		"\"tags\":{\"all\":[\"plantedtag\"]}}]}");

	cr_expect_eq(check(&l, session, "unit.stop", "hidden"), HN_EDENIED);
	cr_expect_null(strstr(lab_why(&l), "hidden"), "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.stop", "web-1"), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "unit web-1"), "%s", lab_why(&l));
}

/* --- who may only look --- */

Test(looking, a_plan_of_a_reader_is_not_kept)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *reader = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/**\"}]}");
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	uint64_t before = 0, after = 0;
	hn_plan *plan_made = NULL;

	options.restore = true;
	cr_assert_eq(host_number(l.host, "SELECT count(*) FROM plan", &before, lab_err(&l)), 0);
	cr_assert_eq(hn_plan_make(reader, &options, &plan_made, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not(hn_plan_empty(plan_made));
	cr_expect_eq(hn_plan_number(plan_made), 0);
	cr_assert_eq(host_number(l.host, "SELECT count(*) FROM plan", &after, lab_err(&l)), 0);
	cr_expect_eq(after, before);
	cr_expect_lt(hn_plan_apply(reader, plan_made, NULL, lab_err(&l)), 0);
	cr_expect_eq(hn_plan_apply(l.session, plan_made, NULL, lab_err(&l)), HN_EBUSY, "%s",
		lab_why(&l));
	(void)hn_plan_unref(plan_made);
	cr_assert_eq(hn_plan_make(l.session, &options, &plan_made, lab_err(&l)), 0);
	cr_expect_neq(hn_plan_number(plan_made), 0);
	(void)hn_plan_unref(plan_made);
}

/* The record follows the hypervisor when somebody opens the machine who may step it. */
Test(looking, opening_the_machine_by_node_read_writes_nothing_down)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *reader = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"node.read\"],\"on\":\"node/*\"}]}");
	uint64_t before = 0, after = 0;

	fake_find("web-1")->status = HN_UNIT_STOPPED;
	cr_assert_eq(hn_events_last(l.session, &before, lab_err(&l)), 0);
	cr_assert_geq(hn_machine_open(reader, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_events_last(l.session, &after, lab_err(&l)), 0);
	cr_expect_eq(after, before);
	cr_assert_geq(hn_machine_open(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_events_last(l.session, &after, lab_err(&l)), 0);
	cr_expect_gt(after, before);
}

/* --- numbers, and what only a real host has --- */

Test(redact, the_time_of_a_boot_stays_and_what_it_used_goes)
{
	LAB l = new_lab();
	machine_boot planted = {
		.phase = {{"start", 100, 42}, {"ready", 200, 43}}, .count = 2, .ready = true};
	BASE_AUTO_OF(hn_session) hn_session *plain = opened_with(&l, "");
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened_with(&l, ",\"redact\":[\"usage\"]");
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	hn_boot *whole = NULL, *less = NULL;
	hn_boot_phase phase = {.size = sizeof(phase)};

	cr_assert_eq(hn_unit_find(l.session, "web-1", false, &unit, lab_err(&l)), 0);
	cr_assert_geq(host_boot_store(l.host, unit, &planted, OS_SECOND, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_assert_eq(hn_unit_boot(plain, "web-1", &whole, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_unit_boot(session, "web-1", &less, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_boot_cpu(whole), 85);
	cr_expect_eq(hn_boot_cpu(less), -1);
	cr_expect_eq(hn_boot_total(less), 300);
	cr_assert_eq(hn_boot_phase_at(less, 1, &phase), 0);
	cr_expect_eq(phase.cpu, -1);
	cr_expect_eq(phase.wall, 200);
	(void)hn_boot_free(whole);
	(void)hn_boot_free(less);
}

Test(redact, a_refusal_by_the_store_names_no_file)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *plain = opened_with(&l, "");
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened_with(&l, ",\"redact\":[\"paths\"]");

	cr_expect_eq(hn_unit_remove(plain, "web-1", HN_DISKS_KEEP, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "declared"), "%s", lab_why(&l));
	cr_expect_eq(hn_unit_remove(session, "web-1", HN_DISKS_KEEP, lab_err(&l)), HN_EDENIED);
	cr_expect_null(strstr(lab_why(&l), "declared"), "%s", lab_why(&l));
	cr_expect_not_null(strstr(lab_why(&l), "paths"), "%s", lab_why(&l));
	cr_expect_null(hn_error_hint(l.err));
	cr_expect_null(hn_error_cause(l.err));
	cr_expect_eq(hn_error_fact_count(l.err), 0);
}
