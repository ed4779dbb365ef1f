/* SPDX-License-Identifier: MIT
 *
 * Changes that change no value: who has which tag, what selects a unit and who said what are stored
 * and told all the same, and rights follow them.
 */
#include "trust-lab.h"

#define CHANGED "org.hypernix.unit.tags.changed.v1"

/* The tag, and the policy that it lets select the unit, say what the override of db-1 says. */
#define CATALOGUE(web, db)                                                                         \
	"{\"hypernix\":1,\"tags\":{\"web\":{\"set\":{\"compute.units\":10}},\"plain\":{},"         \
	"\"wide\":{\"implies\":[\"plain\"]},\"same\":{\"set\":{\"compute.units\":10}}},"           \
	"\"policies\":{\"few\":{\"select\":\"tag:web\",\"set\":{\"compute.units\":10}}},"          \
	"\"units\":{\"web-1\":{\"tags\":[" web "]},\"db-1\":{\"tags\":[" db                        \
	"],\"overrides\":{\"compute.units\":10}}}}"

static const char declared[] = CATALOGUE("\"web\"", "");

static int tag(lab *l, const char *unit, const char *add, const char *remove)
{
	return hn_unit_tag(
		l->session, unit, &add, add != NULL, &remove, remove != NULL, lab_err(l));
}

static void must_tag(lab *l, const char *unit, const char *add, const char *remove)
{
	cr_assert_eq(tag(l, unit, add, remove), 0, "%s", lab_why(l));
}

typedef int (*pair_fn)(const hn_view *view, size_t index, const char **name, const char **how);

/* "web plain": names of a view, as they come. */
static const char *names_of(const hn_view *view, pair_fn at)
{
	static char text[256];
	const char *name, *how;

	text[0] = '\0';
	for (size_t i = 0; view && at(view, i, &name, &how) == 0; i++) {
		size_t size = strlen(text);

		(void)snprintf(text + size, sizeof(text) - size, "%s%s", i > 0 ? " " : "", name);
	}
	return text;
}

static void expect_listed(lab *l, const char *unit, const char *tags)
{
	hn_units *units = NULL;
	bool found = false;

	cr_assert_eq(
		hn_units_list(l->session, NULL, false, &units, lab_err(l)), 0, "%s", lab_why(l));
	for (size_t i = 0; i < hn_units_count(units); i++) {
		hn_unit *listed = hn_units_at(units, i);

		if (strcmp(hn_unit_name(listed), unit) != 0)
			continue;
		found = true;
		cr_expect_str_eq(names_of(hn_unit_desired(listed), hn_view_tag_at), tags);
		cr_expect_str_eq(names_of(hn_unit_applied(listed), hn_view_tag_at), tags);
	}
	cr_expect(found);
	hn_units_free(units);
}

/* The same tags wherever somebody may look: what is stored as desired and as applied, what is
 * listed, and what the unit resolves to. */
static void expect_tags(lab *l, const char *unit, const char *tags)
{
	BASE_AUTO_OF(hn_unit) hn_unit *shown = NULL;
	BASE_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;
	BASE_AUTO_OF(hn_view) hn_view *view = NULL;

	cr_assert_eq(
		hn_unit_find(l->session, unit, false, &shown, lab_err(l)), 0, "%s", lab_why(l));
	cr_expect_str_eq(names_of(hn_unit_desired(shown), hn_view_tag_at), tags);
	cr_expect_str_eq(names_of(hn_unit_applied(shown), hn_view_tag_at), tags);
	expect_listed(l, unit, tags);
	cr_assert_eq(hn_host_fork_resolver(l->session, &resolver, lab_err(l)), 0);
	cr_assert_eq(hn_resolve(resolver, unit, &view, lab_err(l)), 0, "%s", lab_why(l));
	cr_expect_str_eq(names_of(view, hn_view_tag_at), tags);
}

static uint64_t rows(lab *l)
{
	return lab_number(l, "SELECT count(*) FROM unit_tag");
}

/* A lab with the two units, applied. */
static lab tagged(void)
{
	lab l = lab_new();

	lab_must_apply(&l, declared);
	return l;
}

/* --- a tag that says what is said already --- */

Test(same_value, a_tag_is_shown_and_can_be_taken_away)
{
	LAB l = tagged();

	must_tag(&l, "db-1", "web", NULL);
	expect_tags(&l, "db-1", "web");
	must_tag(&l, "db-1", NULL, "web");
	expect_tags(&l, "db-1", "");
	cr_expect_eq(rows(&l), 0);
	cr_expect_eq(lab_events(&l, CHANGED), 2);
}

Test(same_value, a_tag_without_settings_too)
{
	LAB l = tagged();

	must_tag(&l, "db-1", "wide", NULL);
	expect_tags(&l, "db-1", "plain wide");
	must_tag(&l, "db-1", NULL, "wide");
	expect_tags(&l, "db-1", "");
}

Test(same_value, a_tag_twice_is_once)
{
	LAB l = tagged();

	must_tag(&l, "db-1", "web", NULL);
	must_tag(&l, "db-1", "web", NULL);
	expect_tags(&l, "db-1", "web");
	must_tag(&l, "db-1", NULL, "web");
	cr_expect_eq(tag(&l, "db-1", NULL, "web"), HN_ENOENT);
}

Test(same_value, a_tag_survives_applies_and_the_process)
{
	LAB l = tagged();

	must_tag(&l, "db-1", "web", NULL);
	lab_must_apply(&l, NULL);
	expect_tags(&l, "db-1", "web");
	lab_must_apply(&l, declared);
	expect_tags(&l, "db-1", "web");
	lab_reopen(&l);
	expect_tags(&l, "db-1", "web");
	lab_must_apply(&l, CATALOGUE("\"web\",\"plain\"", ""));
	expect_tags(&l, "db-1", "web");
	must_tag(&l, "db-1", NULL, "web");
	lab_must_apply(&l, declared);
	expect_tags(&l, "db-1", "");
}

Test(same_value, a_declared_tag_is_taken_away_and_comes_back)
{
	static const char json[] = CATALOGUE("", "\"web\"");
	LAB l = lab_new();

	lab_must_apply(&l, json);
	expect_tags(&l, "db-1", "web");
	must_tag(&l, "db-1", NULL, "web");
	expect_tags(&l, "db-1", "");
	cr_expect_eq(tag(&l, "db-1", NULL, "web"), HN_ENOENT);
	lab_must_apply(&l, json);
	expect_tags(&l, "db-1", "");
	must_tag(&l, "db-1", "web", NULL);
	expect_tags(&l, "db-1", "web");
	cr_expect_eq(rows(&l), 0, "it is declared");
}

Test(same_value, a_policy_that_the_tag_lets_select_is_told)
{
	LAB l = tagged();
	BASE_AUTO_OF(hn_unit) hn_unit *with = NULL;
	BASE_AUTO_OF(hn_unit) hn_unit *without = NULL;

	must_tag(&l, "db-1", "web", NULL);
	cr_assert_eq(hn_unit_find(l.session, "db-1", false, &with, lab_err(&l)), 0);
	cr_expect_str_eq(names_of(hn_unit_desired(with), hn_view_policy_at), "few");
	cr_expect_str_eq(names_of(hn_unit_applied(with), hn_view_policy_at), "few");
	must_tag(&l, "db-1", NULL, "web");
	cr_assert_eq(hn_unit_find(l.session, "db-1", false, &without, lab_err(&l)), 0);
	cr_expect_str_eq(names_of(hn_unit_desired(without), hn_view_policy_at), "");
}

Test(same_value, a_unit_made_by_hand_has_its_tags_too)
{
	LAB l = tagged();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	const char *plain = "plain";

	cr_assert_eq(hn_unit_define(l.session, "hand", &definition, lab_err(&l)), 0);
	lab_must_apply(&l, NULL);
	must_tag(&l, "hand", "plain", NULL);
	expect_tags(&l, "hand", "plain");
	must_tag(&l, "hand", NULL, "plain");
	expect_tags(&l, "hand", "");
	definition.tags = &plain;
	definition.tag_count = 1;
	cr_assert_eq(hn_unit_define(l.session, "hand", &definition, lab_err(&l)), 0);
	expect_tags(&l, "hand", "plain");
}

/* Values that wait for a restart keep the applied view what the guest has. */
Test(same_value, a_pending_unit_has_the_tag_beside_what_it_waits_for)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	lab_must_apply(&l, CATALOGUE("", ""));
	cr_assert_eq(hn_unit_force(l.session, "db-1", "memory.size", "1Gi", OS_SECOND * 3600,
			     lab_err(&l)),
		0, "%s", lab_why(&l));
	must_tag(&l, "db-1", "web", NULL);
	cr_assert_eq(hn_unit_find(l.session, "db-1", false, &unit, lab_err(&l)), 0);
	cr_expect_str_eq(names_of(hn_unit_desired(unit), hn_view_tag_at), "web");
	cr_expect(hn_unit_pending(unit));
	cr_expect_str_eq(lab_applied(&l, "db-1", "memory.size"), "512Mi");
}

/* --- in one call --- */

Test(one_call, names_that_come_twice_count_once)
{
	LAB l = tagged();
	const char *twice[] = {"web", "web"};

	cr_assert_eq(hn_unit_tag(l.session, "db-1", twice, 2, NULL, 0, lab_err(&l)), 0);
	expect_tags(&l, "db-1", "web");
	cr_assert_eq(hn_unit_tag(l.session, "db-1", NULL, 0, twice, 2, lab_err(&l)), 0);
	expect_tags(&l, "db-1", "");
	cr_expect_eq(rows(&l), 0);
	cr_assert_eq(hn_unit_tag(l.session, "web-1", NULL, 0, twice, 2, lab_err(&l)), 0);
	lab_must_apply(&l, NULL);
	expect_tags(&l, "web-1", "");
}

/* As explain --if tells it: what is taken away first is put back. */
Test(one_call, a_tag_taken_away_and_put_stays)
{
	LAB l = tagged();

	must_tag(&l, "web-1", "web", "web");
	expect_tags(&l, "web-1", "web");
	must_tag(&l, "db-1", "web", NULL);
	must_tag(&l, "db-1", "web", "web");
	expect_tags(&l, "db-1", "web");
}

/* What is in both lists has to be there. */
Test(one_call, a_tag_that_is_not_there_cannot_be_in_both_lists)
{
	LAB l = tagged();

	cr_expect_eq(tag(&l, "db-1", "web", "web"), HN_ENOENT);
	expect_tags(&l, "db-1", "");
	cr_expect_eq(rows(&l), 0);
}

Test(one_call, a_list_has_its_names)
{
	LAB l = tagged();
	const char *none = NULL;

	cr_expect_eq(hn_unit_tag(l.session, "db-1", NULL, 1, NULL, 0, lab_err(&l)), HN_EINVAL);
	cr_expect_eq(hn_unit_tag(l.session, "db-1", NULL, 0, NULL, 2, lab_err(&l)), HN_EINVAL);
	cr_expect_eq(hn_unit_tag(l.session, "db-1", &none, 1, NULL, 0, lab_err(&l)), HN_EINVAL);
	expect_tags(&l, "db-1", "");
}

/* Also against the right: one use is enough for one tag that is named three times. */
Test(one_call, a_name_that_comes_twice_is_asked_about_once)
{
	static const char terms[] =
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.update\",\"unit.read\"],"
		"\"on\":\"unit/*\"},{\"verbs\":[\"tag.apply\"],\"on\":\"tag/**\",\"quota\":{\"uses\":1}}]}";
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;
	const char *web[] = {"web", "web", "web"};
	uint64_t applied;

	trusted_fleet(&l);
	bo = opened(&l, terms);
	applied = lab_number(&l, "SELECT count(*) FROM audit");
	cr_expect_eq(hn_unit_tag(bo, "db-1", web, 3, NULL, 0, lab_err(&l)), 0, "%s", lab_why(&l));
	expect_tags(&l, "db-1", "db web");
	applied = lab_number(&l, "SELECT count(*) FROM audit") - applied;
	cr_expect_eq(applied, 4, "two rights, each with its outcome, and not %d", (int)applied);
	cr_expect_eq(hn_unit_tag(bo, "db-1", NULL, 0, web, 1, lab_err(&l)), HN_EQUOTA);
}

/* --- what the declaration says of it changes meanwhile --- */

Test(declaration, a_changed_list_of_tags_is_stored)
{
	LAB l = tagged();
	int events = lab_events(&l, CHANGED);

	lab_must_apply(&l, CATALOGUE("\"web\"", "\"web\""));
	expect_tags(&l, "db-1", "web");
	cr_expect_eq(lab_events(&l, CHANGED), events + 1);
	lab_must_apply(&l, CATALOGUE("\"web\"", "\"same\""));
	expect_tags(&l, "db-1", "same");
	lab_must_apply(&l, declared);
	expect_tags(&l, "db-1", "");
	cr_expect_eq(lab_events(&l, CHANGED), events + 3);
}

Test(declaration, a_rollback_brings_the_tags_back)
{
	LAB l = tagged();
	hn_plan_options options = lab_options();

	lab_must_apply(&l, CATALOGUE("\"web\"", "\"web\""));
	options.generation = 1;
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	expect_tags(&l, "db-1", "");
}

/* web-1 cannot be changed, so db-1 is as it was before, also in what explains it. */
Test(declaration, an_apply_that_is_undone_leaves_the_tags)
{
	static const char json[] =
		"{\"hypernix\":1,\"tags\":{\"web\":{}},\"units\":{\"web-1\":{\"overrides\":"
		"{\"autostart\":true,\"compute.units\":7}},\"db-1\":{\"tags\":[\"web\"]}}}";
	static const char before[] =
		"{\"hypernix\":1,\"tags\":{\"web\":{}},\"units\":{\"web-1\":{\"overrides\":"
		"{\"autostart\":true}},\"db-1\":{}}}";
	LAB l = lab_new();
	uint64_t chains;

	lab_must_apply(&l, before);
	chains = lab_number(&l, "SELECT sum(chains) FROM unit_view");
	cr_assert_eq(lab_plan(&l, json), 0, "%s", lab_why(&l));
	fake.fault.fail_at = fake.writes + 1;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EUNDO, "%s", lab_why(&l));
	expect_tags(&l, "db-1", "");
	cr_expect_eq(lab_number(&l, "SELECT sum(chains) FROM unit_view"), chains);
}

Test(declaration, a_tag_of_run_time_that_is_declared_since_is_taken_away)
{
	LAB l = tagged();

	must_tag(&l, "db-1", "web", NULL);
	lab_must_apply(&l, CATALOGUE("\"web\"", "\"web\""));
	must_tag(&l, "db-1", NULL, "web");
	expect_tags(&l, "db-1", "");
}

Test(declaration, a_tag_taken_away_that_is_no_longer_declared_can_be_put)
{
	LAB l = lab_new();

	lab_must_apply(&l, CATALOGUE("", "\"web\""));
	must_tag(&l, "db-1", NULL, "web");
	lab_must_apply(&l, CATALOGUE("", ""));
	must_tag(&l, "db-1", "web", NULL);
	expect_tags(&l, "db-1", "web");
}

Test(declaration, tags_dropped_by_an_activation_are_gone_everywhere)
{
	LAB l = tagged();
	hn_plan_options options = lab_options();

	must_tag(&l, "db-1", "web", NULL);
	must_tag(&l, "web-1", NULL, "web");
	must_tag(&l, "web-1", "same", NULL);
	options.drop_tags = true;
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	expect_tags(&l, "db-1", "");
	expect_tags(&l, "web-1", "web");
}

/* --- tags that end by themselves --- */

static void end_in_an_hour(lab *l)
{
	char sql[96];

	(void)snprintf(sql, sizeof(sql), "UPDATE unit_tag SET expires = %lld",
		(long long)(os_now(l->os) + OS_SECOND * 3600));
	cr_assert_eq(state_exec(l->host->store, sql, lab_err(l)), 0, "%s", lab_why(l));
	host_resolver_forget(l->host);
}

Test(expiry, a_tag_that_ends_is_gone_everywhere)
{
	LAB l = tagged();

	must_tag(&l, "db-1", "web", NULL);
	end_in_an_hour(&l);
	expect_tags(&l, "db-1", "web");
	hn_os_sim_advance(l.os, OS_SECOND * 3601);
	lab_must_apply(&l, NULL);
	expect_tags(&l, "db-1", "");
	cr_expect_eq(rows(&l), 0);
}

Test(expiry, a_tag_that_is_put_again_stays)
{
	LAB l = tagged();

	must_tag(&l, "db-1", "web", NULL);
	end_in_an_hour(&l);
	must_tag(&l, "db-1", "web", NULL);
	hn_os_sim_advance(l.os, OS_SECOND * 3601);
	lab_must_apply(&l, NULL);
	expect_tags(&l, "db-1", "web");
}

Test(expiry, a_tag_that_has_ended_can_be_put)
{
	LAB l = tagged();

	must_tag(&l, "db-1", "web", NULL);
	end_in_an_hour(&l);
	hn_os_sim_advance(l.os, OS_SECOND * 3601);
	must_tag(&l, "db-1", "web", NULL);
	expect_tags(&l, "db-1", "web");
}

/* --- values that are set to what they are --- */

/* Layer of the definition that won, in the stored view. */
static int layer_of(lab *l, const char *unit, const char *key, bool applied)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	hn_origin origin = {.size = sizeof(origin)};
	const hn_view *view;

	cr_assert_eq(hn_unit_find(l->session, unit, false, &found, lab_err(l)), 0);
	view = applied ? hn_unit_applied(found) : hn_unit_desired(found);
	for (size_t i = 0; hn_view_explain(view, key, i, &origin) >= 0; i++)
		if (origin.mark == HN_MARK_WON)
			return (int)origin.layer;
	return -1;
}

Test(same_value, set_says_who_says_it_now)
{
	LAB l = lab_new();

	cr_assert_eq(lab_define(&l, "hand", "memory.size", "1Gi"), 0);
	lab_must_apply(&l, NULL);
	cr_expect_eq(layer_of(&l, "hand", "compute.units", false), HN_LAYER_SCHEMA);
	cr_assert_eq(hn_unit_set(l.session, "hand", "compute.units", "100", lab_err(&l)), 0);
	cr_expect_eq(layer_of(&l, "hand", "compute.units", false), HN_LAYER_UNIT);
	cr_expect_eq(layer_of(&l, "hand", "compute.units", true), HN_LAYER_UNIT);
	cr_assert_eq(hn_unit_set(l.session, "hand", "compute.units", NULL, lab_err(&l)), 0);
	cr_expect_eq(layer_of(&l, "hand", "compute.units", false), HN_LAYER_SCHEMA);
}

Test(same_value, a_force_is_told_and_ends)
{
	LAB l = tagged();

	cr_assert_eq(hn_unit_force(l.session, "db-1", "compute.units", "10", OS_SECOND * 3600,
			     lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_expect_eq(layer_of(&l, "db-1", "compute.units", false), HN_LAYER_FORCE);
	cr_expect_eq(layer_of(&l, "db-1", "compute.units", true), HN_LAYER_FORCE);
	cr_assert_eq(hn_unit_unforce(l.session, "db-1", "compute.units", lab_err(&l)), 0);
	cr_expect_eq(layer_of(&l, "db-1", "compute.units", false), HN_LAYER_UNIT);
	cr_assert_eq(hn_unit_force(l.session, "db-1", "compute.units", "10", OS_SECOND * 3600,
			     lab_err(&l)),
		0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND * 3601);
	lab_must_apply(&l, NULL);
	cr_expect_eq(layer_of(&l, "db-1", "compute.units", false), HN_LAYER_UNIT);
	cr_expect_eq(layer_of(&l, "db-1", "compute.units", true), HN_LAYER_UNIT);
}

/* One line of history a change of values, and none without. */
Test(same_value, history_is_of_values)
{
	LAB l = tagged();
	uint64_t lines = lab_number(&l, "SELECT count(*) FROM history");

	must_tag(&l, "db-1", "web", NULL);
	must_tag(&l, "db-1", NULL, "web");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM history"), lines);
}

/* --- rights --- */

#define READ_WEB                                                                                   \
	"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\"],"    \
	"\"on\":\"unit/*\"}],\"tags\":{\"all\":[\"web\"]}}"

static size_t seen_by(lab *l, hn_session *session)
{
	hn_units *units = NULL;
	size_t count;

	cr_assert_eq(hn_units_list(session, NULL, false, &units, lab_err(l)), 0, "%s", lab_why(l));
	count = hn_units_count(units);
	hn_units_free(units);
	return count;
}

static void expect_rights(lab *l, hn_session *session, bool any)
{
	hn_unit *unit = NULL;

	cr_expect_eq(seen_by(l, session), any ? 2u : 1u);
	cr_expect_eq(hn_unit_find(session, "db-1", false, &unit, lab_err(l)), any ? 0 : HN_ENOENT);
	if (unit)
		cr_expect_str_eq(names_of(hn_unit_desired(unit), hn_view_tag_at), "web");
	hn_unit_unref(unit);
	cr_expect_eq(check(l, session, "unit.start", "db-1"), any ? 0 : HN_EDENIED);
}

Test(rights, follow_a_tag_that_changes_no_value)
{
	LAB l = tagged();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trust(&l);
	session = opened(&l, READ_WEB);
	expect_rights(&l, session, false);
	must_tag(&l, "db-1", "web", NULL);
	expect_rights(&l, session, true);
	lab_must_apply(&l, declared);
	expect_rights(&l, session, true);
	must_tag(&l, "db-1", NULL, "web");
	expect_rights(&l, session, false);
}

Test(rights, follow_a_declared_tag_that_changes_no_value)
{
	LAB l = tagged();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trust(&l);
	session = opened(&l, READ_WEB);
	lab_must_apply(&l, CATALOGUE("\"web\"", "\"web\""));
	expect_rights(&l, session, true);
	must_tag(&l, "db-1", NULL, "web");
	expect_rights(&l, session, false);
}

/* A unit that is no longer declared has the tags that are stored of it: those of its last day. */
Test(rights, of_what_is_no_longer_declared_are_by_its_last_tags)
{
	static const char without[] =
		"{\"hypernix\":1,\"tags\":{\"web\":{}},\"units\":{\"web-1\":{\"tags\":[\"web\"]}}}";
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	lab_must_apply(&l, CATALOGUE("\"web\"", "\"web\""));
	trust(&l);
	session = opened(&l, READ_WEB);
	must_tag(&l, "db-1", NULL, "web");
	lab_must_apply(&l, without);
	cr_expect_eq(seen_by(&l, session), 1u);
}
