/* SPDX-License-Identifier: MIT
 *
 * Changing what is desired: api units, values, tags, forces; reading units, history, what-if.
 */
#include "sim/lab.h"

#define HOUR INT64_C(3600000000000)

static const char catalogue[] =
	"{\"hypernix\":1,\"kinds\":{\"env\":{\"exclusive\":true},\"role\":{}},"
	"\"tags\":{\"production\":{\"kind\":\"env\",\"implies\":[\"monitored\"],\"set\":{\"compute.overcommit\":\"2.0\"}},"
	"\"staging\":{\"kind\":\"env\",\"set\":{\"compute.units\":10}},"
	"\"big\":{\"kind\":\"role\",\"set\":{\"memory.size\":\"1Gi\"}},"
	"\"monitored\":{\"set\":{\"monitor.interval\":\"5s\"}},"
	"\"other-big\":{\"set\":{\"memory.size\":\"2Gi\"}}},"
	"\"policies\":{\"strict\":{\"select\":\"none\",\"set\":{\"network.filter\":\"strict\"}}},"
	"\"units\":{\"web\":{\"tags\":[\"production\"]},\"db\":{\"tags\":[\"production\",\"big\"]}}}";

static void define_api(lab *l, const char *name)
{
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(
		hn_unit_define(l->session, name, &definition, lab_err(l)), 0, "%s", lab_why(l));
}

static int tag(lab *l, const char *unit, const char *add, const char *remove)
{
	return hn_unit_tag(l->session, unit, add ? &add : NULL, add != NULL,
		remove ? &remove : NULL, remove != NULL, lab_err(l));
}

/* --- define and set --- */

Test(define, makes_a_unit_with_values)
{
	LAB l = lab_new();
	const char *keys[] = {"memory.size", "compute.units"}, *values[] = {"256Mi", "40"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.keys = keys;
	definition.values = values;
	definition.value_count = 2;
	cr_assert_eq(
		hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "a", "memory.size"), "256Mi");
	cr_expect_str_eq(lab_desired(&l, "a", "compute.units"), "40");
	cr_expect_str_eq(lab_desired(&l, "a", "compute.limit"), "none");
}

Test(define, with_tags_and_policies_of_the_declaration)
{
	LAB l = lab_new();
	const char *tags[] = {"big"}, *policies[] = {"strict"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	lab_must_apply(&l, catalogue);
	definition.tags = tags;
	definition.tag_count = 1;
	definition.policies = policies;
	definition.policy_count = 1;
	cr_assert_eq(
		hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "a", "memory.size"), "1Gi");
	cr_expect_str_eq(lab_desired(&l, "a", "network.filter"), "strict");
}

Test(define, again_replaces_the_definition)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(lab_define(&l, "a", "memory.size", "256Mi"), 0);
	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_expect_str_eq(lab_desired(&l, "a", "memory.size"), "512Mi");
}

Test(define, takes_no_blueprint_without_an_image)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.blueprint = "web-app";
	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), HN_EMISSING,
		"nobody has built it");
	cr_expect_not_null(strstr(hn_error_hint(l.err), "hv-compose blueprint web-app.json"), "%s",
		hn_error_hint(l.err));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit"), 0u, "nothing is left of it");
	definition.blueprint = NULL;
	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_expect_eq(hn_unit_set(l.session, "a", "image.blueprint", "web-app", lab_err(&l)),
		HN_EMISSING);
	cr_expect_str_eq(lab_desired(&l, "a", "image.blueprint"), "none");
}

Test(define, refuses_names_that_are_none)
{
	static const char *const wrong[] = {"", "A", "a/b", "..", "a b", "1a", "a\n", "-a",
		"a2345678901234567890123456789012345678901234567890123456789012345"};
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_expect_eq(hn_unit_define(l.session, wrong[i], &definition, NULL), HN_EINVAL,
			"%s", wrong[i]);
	cr_expect_eq(hn_unit_define(l.session, NULL, &definition, NULL), HN_EINVAL);
}

Test(define, refuses_an_unknown_key_and_names_the_nearest)
{
	LAB l = lab_new();
	const char *key = "memory.sise", *value = "256Mi";
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.keys = &key;
	definition.values = &value;
	definition.value_count = 1;
	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), HN_ESCHEMA);
	cr_expect_not_null(strstr(hn_error_hint(l.err), "memory.size"));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit"), 0, "nothing is left of it");
}

Test(define, refuses_a_value_that_does_not_fit)
{
	LAB l = lab_new();

	cr_expect_lt(lab_define(&l, "a", "memory.size", "32GB"), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit"), 0);
}

Test(define, a_declared_unit_is_not_ours_to_define)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	lab_must_apply(&l, catalogue);
	cr_expect_eq(hn_unit_define(l.session, "web", &definition, lab_err(&l)), HN_EEXIST);
}

Test(define, survives_the_process)
{
	LAB l = lab_new();

	define_api(&l, "a");
	cr_assert_eq(hn_unit_set(l.session, "a", "memory.size", "1Gi", lab_err(&l)), 0);
	lab_reopen(&l);
	cr_expect_str_eq(lab_desired(&l, "a", "memory.size"), "1Gi");
}

Test(set, changes_and_unsets)
{
	LAB l = lab_new();

	define_api(&l, "a");
	cr_assert_eq(hn_unit_set(l.session, "a", "memory.size", "1Gi", lab_err(&l)), 0);
	cr_expect_str_eq(lab_desired(&l, "a", "memory.size"), "1Gi");
	cr_assert_eq(hn_unit_set(l.session, "a", "memory.size", NULL, lab_err(&l)), 0);
	cr_expect_str_eq(lab_desired(&l, "a", "memory.size"), "512Mi");
	cr_expect_eq(hn_unit_set(l.session, "a", "memory.size", NULL, lab_err(&l)), HN_ENOENT);
}

Test(set, a_declared_unit_is_refused_with_a_way_out)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_assert_eq(hn_unit_set(l.session, "web", "memory.size", "1Gi", lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(hn_error_hint(l.err), "force"));
	cr_expect_str_eq(lab_desired(&l, "web", "memory.size"), "512Mi");
}

Test(set, an_unknown_unit_is_not_found_and_the_nearest_is_named)
{
	LAB l = lab_new();

	define_api(&l, "webserver");
	cr_assert_eq(
		hn_unit_set(l.session, "webservr", "memory.size", "1Gi", lab_err(&l)), HN_ENOENT);
	cr_expect_not_null(strstr(hn_error_hint(l.err), "webserver"));
}

/* --- tags --- */

Test(tag, a_runtime_tag_brings_its_values_and_survives)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_assert_eq(tag(&l, "web", "big", NULL), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "web", "memory.size"), "1Gi");
	lab_reopen(&l);
	cr_expect_str_eq(lab_desired(&l, "web", "memory.size"), "1Gi");
	lab_must_apply(&l, catalogue);
	cr_expect_str_eq(
		lab_desired(&l, "web", "memory.size"), "1Gi", "an activation keeps runtime tags");
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.tags.changed.v1"), 1);
}

Test(tag, a_runtime_tag_can_be_taken_away)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_assert_eq(tag(&l, "web", "big", NULL), 0);
	cr_assert_eq(tag(&l, "web", NULL, "big"), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "web", "memory.size"), "512Mi");
}

Test(tag, a_declared_tag_can_be_taken_away_and_come_back)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_assert_eq(tag(&l, "db", NULL, "big"), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "db", "memory.size"), "512Mi");
	cr_assert_eq(tag(&l, "db", "big", NULL), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "db", "memory.size"), "1Gi");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_tag"), 0);
}

Test(tag, twice_is_once)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_assert_eq(tag(&l, "web", "big", NULL), 0);
	cr_assert_eq(tag(&l, "web", "big", NULL), 0, "%s", lab_why(&l));
	cr_assert_eq(tag(&l, "web", NULL, "big"), 0);
	cr_expect_eq(tag(&l, "web", NULL, "big"), HN_ENOENT);
}

Test(tag, an_implied_tag_cannot_be_taken_away)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(tag(&l, "web", NULL, "monitored"), HN_EINVAL);
}

Test(tag, an_unknown_one_is_refused_and_nothing_changes)
{
	LAB l = lab_new();
	const char *add[] = {"big", "nowhere"};

	lab_must_apply(&l, catalogue);
	cr_expect_lt(hn_unit_tag(l.session, "web", add, 2, NULL, 0, lab_err(&l)), 0);
	cr_expect_str_eq(lab_desired(&l, "web", "memory.size"), "512Mi");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_tag"), 0);
}

Test(tag, an_exclusive_one_is_refused)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(tag(&l, "web", "staging", NULL), HN_EEXCLUSIVE);
	cr_expect_str_eq(lab_desired(&l, "web", "compute.units"), "100");
}

Test(tag, exchange_of_exclusive_ones_in_one_call)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(tag(&l, "web", "staging", "production"), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "web", "compute.units"), "10");
}

Test(tag, a_conflict_is_refused)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(tag(&l, "db", "other-big", NULL), HN_ECONFLICT);
	cr_expect_str_eq(lab_desired(&l, "db", "memory.size"), "1Gi");
	/* The cached resolver must not have kept it. */
	cr_expect_eq(tag(&l, "web", "big", NULL), 0, "%s", lab_why(&l));
}

Test(tag, needs_a_permit_for_each_tag_and_the_unit)
{
	LAB l = lab_new();
	uint64_t before;

	lab_must_apply(&l, catalogue);
	before = lab_number(&l, "SELECT count(*) FROM audit");
	cr_assert_eq(tag(&l, "web", "big", NULL), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), before + 4,
		"unit.update and tag.apply, each allowed and settled");
}

/* --- force --- */

Test(force, wins_and_ends)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_assert_eq(hn_unit_force(l.session, "db", "memory.size", "256Mi", HOUR, lab_err(&l)), 0,
		"%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "db", "memory.size"), "256Mi");
	hn_os_sim_advance(l.os, HOUR + 1);
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "db", "memory.size"), "1Gi");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM definition WHERE layer = 1"), 0);
}

Test(force, unforce_takes_it_back)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_assert_eq(hn_unit_force(l.session, "db", "memory.size", "256Mi", HOUR, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_unforce(l.session, "db", "memory.size", lab_err(&l)), 0);
	cr_expect_str_eq(lab_desired(&l, "db", "memory.size"), "1Gi");
	cr_expect_eq(hn_unit_unforce(l.session, "db", "memory.size", lab_err(&l)), HN_ENOENT);
}

Test(force, is_explained_with_reason_and_person)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;
	hn_origin origin = {.size = sizeof(origin)};

	lab_must_apply(&l, catalogue);
	cr_assert_eq(hn_unit_force(l.session, "db", "memory.size", "256Mi", HOUR, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_find(l.session, "db", false, &unit, lab_err(&l)), 0);
	cr_assert_eq(hn_view_explain(hn_unit_desired(unit), "memory.size", 0, &origin), 0);
	cr_expect_eq(origin.layer, HN_LAYER_FORCE);
	cr_expect_str_eq(origin.value, "256Mi");
	cr_expect_str_eq(origin.who, "local/uid/0");
	cr_expect_str_eq(origin.note, "test");
	hn_unit_unref(unit);
}

Test(force, needs_a_duration_of_at_most_seven_days)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(hn_unit_force(l.session, "db", "memory.size", "256Mi", 0, NULL), HN_ERANGE);
	cr_expect_eq(hn_unit_force(l.session, "db", "memory.size", "256Mi", -1, NULL), HN_ERANGE);
	cr_expect_eq(hn_unit_force(l.session, "db", "memory.size", "256Mi", 168 * HOUR + 1, NULL),
		HN_ELIMIT);
	cr_expect_eq(hn_unit_force(l.session, "db", "memory.size", "256Mi", 168 * HOUR, NULL), 0);
}

Test(force, needs_a_value)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(hn_unit_force(l.session, "db", "memory.size", NULL, HOUR, NULL), HN_EINVAL);
}

Test(force, needs_a_reason)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	l.reason = NULL;
	lab_reopen(&l);
	cr_expect_eq(hn_unit_force(l.session, "db", "memory.size", "256Mi", HOUR, lab_err(&l)),
		HN_EREASON);
	cr_expect_str_eq(lab_desired(&l, "db", "memory.size"), "1Gi");
}

Test(force, refuses_unknown_keys_and_bad_values)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(hn_unit_force(l.session, "db", "no.key", "1", HOUR, NULL), HN_ESCHEMA);
	cr_expect_lt(hn_unit_force(l.session, "db", "memory.size", "lots", HOUR, NULL), 0);
}

/* --- reading --- */

static size_t listed(lab *l, const char *selector)
{
	hn_units *units = NULL;
	size_t count;

	cr_assert_eq(hn_units_list(l->session, selector, false, &units, lab_err(l)), 0, "%s",
		lab_why(l));
	count = hn_units_count(units);
	hn_units_free(units);
	return count;
}

Test(list, all_sorted_by_name)
{
	LAB l = lab_new();
	hn_units *units = NULL;

	lab_must_apply(&l, catalogue);
	define_api(&l, "extra");
	cr_assert_eq(hn_units_list(l.session, NULL, false, &units, lab_err(&l)), 0);
	cr_assert_eq(hn_units_count(units), 3);
	cr_expect_str_eq(hn_unit_name(hn_units_at(units, 0)), "db");
	cr_expect_str_eq(hn_unit_name(hn_units_at(units, 1)), "extra");
	cr_expect_str_eq(hn_unit_name(hn_units_at(units, 2)), "web");
	cr_expect_eq(hn_unit_owner(hn_units_at(units, 0)), HN_OWNER_FILE);
	cr_expect_eq(hn_unit_owner(hn_units_at(units, 1)), HN_OWNER_API);
	cr_expect_null(hn_units_at(units, 3));
	hn_units_free(units);
}

Test(list, selects_by_tag_kind_and_name)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(listed(&l, "tag:big"), 1);
	cr_expect_eq(listed(&l, "kind:env"), 2);
	cr_expect_eq(listed(&l, "kind:role"), 1);
	cr_expect_eq(listed(&l, "name:w*"), 1);
	cr_expect_eq(listed(&l, "tag:monitored and not tag:big"), 1, "implied tags count");
	cr_expect_eq(listed(&l, "none"), 0);
}

Test(list, a_wrong_selector_is_an_error)
{
	LAB l = lab_new();
	hn_units *units = NULL;

	cr_expect_eq(hn_units_list(l.session, "tag:", false, &units, lab_err(&l)), HN_ESYNTAX);
	cr_expect_null(units);
}

Test(list, observing_shows_what_runs)
{
	LAB l = lab_new();
	hn_units *units = NULL;

	lab_must_apply(&l, catalogue);
	fake_find("web")->status = HN_UNIT_STOPPED;
	cr_assert_eq(hn_units_list(l.session, "name:web", false, &units, NULL), 0);
	cr_expect_eq(hn_unit_get_status(hn_units_at(units, 0)), HN_UNIT_RUNNING, "last known");
	hn_units_free(units);
	cr_assert_eq(hn_units_list(l.session, "name:web", true, &units, NULL), 0);
	cr_expect_eq(hn_unit_get_status(hn_units_at(units, 0)), HN_UNIT_STOPPED, "observed");
	hn_units_free(units);
}

Test(list, foreign_domains_are_shown_and_named_so)
{
	LAB l = lab_new();
	hn_units *units = NULL;

	lab_must_apply(&l, catalogue);
	fake_add_foreign("stranger", "11111111-2222-4333-8444-555555555555");
	cr_assert_eq(hn_units_list(l.session, NULL, true, &units, NULL), 0);
	cr_assert_eq(hn_units_count(units), 3);
	cr_expect(hn_unit_foreign(hn_units_at(units, 2)));
	cr_expect_str_eq(hn_unit_name(hn_units_at(units, 2)), "stranger");
	cr_expect_null(hn_unit_desired(hn_units_at(units, 2)));
	hn_units_free(units);
}

Test(find, by_name_and_by_uuid)
{
	LAB l = lab_new();
	hn_unit *unit = NULL, *same = NULL;

	define_api(&l, "a");
	cr_assert_eq(hn_unit_find(l.session, "a", false, &unit, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_find(l.session, hn_unit_uuid(unit), false, &same, lab_err(&l)), 0);
	cr_expect_str_eq(hn_unit_name(same), "a");
	cr_expect_eq(strlen(hn_unit_uuid(unit)), 36);
	hn_unit_unref(unit);
	hn_unit_unref(same);
}

Test(find, a_snapshot_does_not_change)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;
	const char *text = NULL;

	define_api(&l, "a");
	cr_assert_eq(hn_unit_find(l.session, "a", false, &unit, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_set(l.session, "a", "memory.size", "1Gi", lab_err(&l)), 0);
	cr_assert_eq(hn_view_get_text(hn_unit_desired(unit), "memory.size", &text, NULL), 0);
	cr_expect_str_eq(text, "512Mi");
	hn_unit_unref(unit);
}

typedef struct told {
	char text[512];
} told;

static int tell(void *arg, const hn_history_entry *entry)
{
	told *to = arg;
	size_t used = strlen(to->text);

	(void)snprintf(to->text + used, sizeof(to->text) - used, "%s,",
		entry->value ? entry->value : "unset");
	return 0;
}

Test(history, tells_past_winners_once_each)
{
	LAB l = lab_new();
	told to = {""};

	define_api(&l, "a");
	cr_assert_eq(hn_unit_set(l.session, "a", "memory.size", "1Gi", NULL), 0);
	cr_assert_eq(hn_unit_set(l.session, "a", "compute.units", "7", NULL), 0);
	cr_assert_eq(hn_unit_set(l.session, "a", "memory.size", "2Gi", NULL), 0);
	cr_assert_eq(hn_unit_history(l.session, "a", "memory.size", tell, &to, lab_err(&l)), 0,
		"%s", lab_why(&l));
	cr_expect_str_eq(to.text, "512Mi,1Gi,2Gi,");
}

Test(history, tells_when_a_key_was_unset)
{
	LAB l = lab_new();
	told to = {""};

	define_api(&l, "a");
	cr_assert_eq(hn_unit_set(l.session, "a", "labels.team", "x", NULL), 0);
	cr_assert_eq(hn_unit_set(l.session, "a", "labels.team", NULL, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_assert_eq(hn_unit_history(l.session, "a", "labels.team", tell, &to, lab_err(&l)), 0);
	cr_expect_str_eq(to.text, "x,unset,");
}

Test(history, an_unknown_key_is_an_error)
{
	LAB l = lab_new();
	told to = {""};

	define_api(&l, "a");
	cr_expect_eq(hn_unit_history(l.session, "a", "no.key", tell, &to, NULL), HN_ESCHEMA);
}

Test(what_if, a_fork_leaves_the_host_alone)
{
	LAB l = lab_new();
	hn_resolver *fork = NULL;
	hn_view *view = NULL;
	const char *tags[] = {"big"}, *text = NULL;
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	lab_must_apply(&l, catalogue);
	input.tags = tags;
	input.tag_count = 1;
	cr_assert_eq(hn_host_fork_resolver(l.session, &fork, lab_err(&l)), 0);
	cr_assert_eq(hn_resolver_set_unit(fork, "web", &input, lab_err(&l)), 0);
	cr_assert_eq(hn_resolve(fork, "web", &view, lab_err(&l)), 0);
	cr_assert_eq(hn_view_get_text(view, "memory.size", &text, NULL), 0);
	cr_expect_str_eq(text, "1Gi");
	hn_view_unref(view);
	hn_resolver_free(fork);
	cr_expect_str_eq(lab_desired(&l, "web", "memory.size"), "512Mi");
}

Test(catalog, is_that_of_the_current_generation)
{
	LAB l = lab_new();
	hn_catalog *catalog = NULL;

	cr_assert_eq(hn_host_get_catalog(l.session, &catalog, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_catalog_unit_count(catalog), 0, "an empty host has an empty catalogue");
	hn_catalog_unref(catalog);
	lab_must_apply(&l, catalogue);
	cr_assert_eq(hn_host_get_catalog(l.session, &catalog, lab_err(&l)), 0);
	cr_expect_eq(hn_catalog_unit_count(catalog), 2);
	hn_catalog_unref(catalog);
}

Test(catalog, origins_survive_the_store)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;
	hn_origin origin = {.size = sizeof(origin)};
	uint32_t line;

	lab_must_apply(&l, catalogue);
	cr_assert_eq(hn_unit_find(l.session, "db", false, &unit, lab_err(&l)), 0);
	cr_assert_eq(hn_view_explain(hn_unit_desired(unit), "memory.size", 0, &origin), 0);
	cr_expect_str_eq(origin.file, "test.json");
	line = origin.line;
	hn_unit_unref(unit);
	lab_reopen(&l);
	/* Resolved anew from the stored declaration. */
	cr_assert_eq(tag(&l, "db", NULL, "production"), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_unit_find(l.session, "db", false, &unit, lab_err(&l)), 0);
	cr_assert_eq(hn_view_explain(hn_unit_desired(unit), "memory.size", 0, &origin), 0);
	cr_expect_str_eq(origin.file, "test.json");
	cr_expect_eq(origin.line, line);
	hn_unit_unref(unit);
}

Test(remove, an_api_unit_goes_with_its_domain)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	define_api(&l, "a");
	lab_must_apply(&l, NULL);
	cr_assert_not_null(fake_find("a"));
	cr_assert_eq(
		hn_unit_remove(l.session, "a", HN_DISKS_KEEP, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_null(fake_find("a"));
	cr_expect_eq(hn_unit_find(l.session, "a", false, &unit, NULL), HN_ENOENT);
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.removed.v1"), 1);
}

Test(remove, a_declared_unit_is_refused)
{
	LAB l = lab_new();

	lab_must_apply(&l, catalogue);
	cr_expect_eq(hn_unit_remove(l.session, "web", HN_DISKS_KEEP, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(fake_find("web"));
}

Test(remove, a_name_can_be_used_again_and_is_another_unit)
{
	LAB l = lab_new();
	hn_unit *first = NULL, *second = NULL;

	define_api(&l, "a");
	cr_assert_eq(hn_unit_find(l.session, "a", false, &first, NULL), 0);
	cr_assert_eq(
		hn_unit_remove(l.session, "a", HN_DISKS_KEEP, lab_err(&l)), 0, "%s", lab_why(&l));
	define_api(&l, "a");
	cr_assert_eq(hn_unit_find(l.session, "a", false, &second, NULL), 0);
	cr_expect_str_neq(hn_unit_uuid(first), hn_unit_uuid(second));
	hn_unit_unref(first);
	hn_unit_unref(second);
}

Test(remove, a_failing_hypervisor_keeps_the_unit)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	define_api(&l, "a");
	lab_must_apply(&l, NULL);
	fake.fault.fail_from = 1;
	fake.fault.fail_to = 1000;
	cr_expect_eq(hn_unit_remove(l.session, "a", HN_DISKS_KEEP, lab_err(&l)), HN_EDRIVER);
	cr_expect_eq(hn_unit_find(l.session, "a", false, &unit, NULL), 0);
	hn_unit_unref(unit);
}

Test(replace, makes_the_unit_anew)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, catalogue);
	cr_assert_eq(hn_unit_replace(l.session, "web", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_null(fake_find("web"));
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect(lab_step(&l, "web", HN_ACTION_CREATE, NULL, &step));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_not_null(fake_find("web"));
}

Test(move, is_not_supported_and_says_so)
{
	LAB l = lab_new();

	define_api(&l, "a");
	cr_expect_eq(hn_unit_move(l.session, "a", "host-b", lab_err(&l)), HN_ENOSUP);
	cr_expect_not_null(strstr(lab_why(&l), "host-b"));
}

Test(adopt, a_foreign_domain_becomes_a_unit_with_its_values)
{
	LAB l = lab_new();

	define_api(&l, "a");
	fake_add_foreign("stranger", "11111111-2222-4333-8444-555555555555");
	fake_set("stranger", "memory.size", NULL, "768Mi");
	cr_assert_eq(hn_unit_adopt(l.session, "stranger", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "stranger", "memory.size"), "768Mi");
	lab_must_apply(&l, NULL);
	cr_expect(fake_find("stranger")->ours);
	cr_expect_eq(hn_unit_adopt(l.session, "stranger", lab_err(&l)), HN_EEXIST);
	cr_expect_eq(hn_unit_adopt(l.session, "nobody", lab_err(&l)), HN_ENOENT);
}

Test(list, a_paused_unit_stays_paused_while_its_process_lives)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(
		&l, "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{\"autostart\":true}}}}");
	cr_assert_eq(hn_unit_pause(l.session, "web", lab_err(&l)), 0, "%s", lab_why(&l));
	fake_find("web")->status = HN_UNIT_RUNNING; /* what the process table can tell */
	lab_reopen(&l);
	cr_assert_eq(hn_unit_find(l.session, "web", true, &unit, lab_err(&l)), 0);
	cr_expect_eq(hn_unit_get_status(unit), HN_UNIT_PAUSED);
	hn_unit_unref(unit);
}
