/* SPDX-License-Identifier: MIT
 *
 * Opening a host, sessions, permits, the audit log.
 */
#include "sim/lab.h"

static int open_with(hn_os *os, const char *state, bool read_only, hn_error **err)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_host *host = NULL;
	int rc;

	options.os = os;
	options.state = state;
	options.read_only = read_only;
	options.calibration = "reference:4";
	rc = hn_host_open(&options, &host, err);
	hn_host_unref(host);
	return rc;
}

static hn_os *fresh_os(void)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
	return os;
}

Test(host, opens_and_makes_its_directory_private)
{
	LAB l = lab_new();
	struct stat status;

	cr_assert_eq(l.os->ops->stat(l.os, "/state", &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
	cr_assert_eq(l.os->ops->stat(l.os, "/state/hypernix.db", &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
}

Test(host, refuses_a_directory_that_others_can_read)
{
	hn_os *os = fresh_os();
	hn_error *err = NULL;

	cr_assert_eq(os->ops->mkdir(os, "/open", 0755), 0);
	cr_expect_eq(open_with(os, "/open", false, &err), HN_EDENIED);
	hn_error_unref(err);
	hn_os_sim_free(os);
}

Test(host, refuses_a_relative_directory)
{
	hn_os *os = fresh_os();

	cr_expect_eq(open_with(os, "state", false, NULL), HN_EINVAL);
	hn_os_sim_free(os);
}

Test(host, read_only_without_state_is_not_found_and_makes_nothing)
{
	hn_os *os = fresh_os();
	struct stat status;

	cr_expect_eq(open_with(os, "/nothing", true, NULL), HN_ENOENT);
	cr_expect_lt(os->ops->stat(os, "/nothing", &status), 0);
	hn_os_sim_free(os);
}

Test(host, refuses_options_of_a_newer_library)
{
	struct {
		hn_host_options known;
		uint64_t unknown;
	} options = {.known = HN_HOST_OPTIONS_INIT, .unknown = 1};
	hn_host *host = NULL;

	options.known.size = sizeof(options);
	cr_expect_eq(hn_host_open(&options.known, &host, NULL), HN_ENEWER);
	cr_expect_null(host);
}

Test(host, takes_a_longer_struct_whose_tail_is_zero)
{
	struct {
		hn_session_options known;
		uint64_t unknown;
	} options = {.known = HN_SESSION_OPTIONS_INIT};
	LAB l = lab_new();
	hn_session *session = NULL;

	options.known.size = sizeof(options);
	cr_expect_eq(hn_session_open_local(l.host, &options.known, &session, NULL), 0);
	hn_session_unref(session);
}

Test(host, references_count)
{
	LAB l = lab_new();
	hn_host *again = hn_host_ref(l.host);

	cr_expect_eq(again, l.host);
	cr_expect_null(hn_host_unref(again));
	cr_expect_null(hn_host_unref(NULL));
	cr_expect_null(hn_session_unref(NULL));
	cr_expect_null(hn_unit_unref(NULL));
	cr_expect_null(hn_units_free(NULL));
	cr_expect_null(hn_plan_unref(NULL));
}

Test(host, a_session_outlives_the_callers_host)
{
	LAB l = lab_new();

	l.host = hn_host_unref(l.host);
	cr_expect_eq(hn_session_check(l.session, "unit.start", "unit/x", NULL), 0);
}

/* --- sessions --- */

Test(session, knows_verbs)
{
	LAB l = lab_new();

	cr_expect_eq(hn_session_check(l.session, "unit.start", "unit/x", NULL), 0);
	cr_expect_eq(hn_session_check(l.session, "unit.juggle", "unit/x", NULL), HN_EINVAL);
}

Test(session, refuses_objects_that_are_none)
{
	static const char *const wrong[] = {"", "/", "unit/", "/unit", "unit//x", "unit/../x",
		"unit/./x", "Unit/x", "unit/x y"};
	LAB l = lab_new();

	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_expect_eq(hn_session_check(l.session, "unit.start", wrong[i], NULL), HN_EINVAL,
			"%s", wrong[i]);
}

Test(session, a_reason_is_required_where_the_verb_says_so)
{
	LAB l = lab_new();
	hn_session_options options = HN_SESSION_OPTIONS_INIT;
	hn_session *mute = NULL;

	cr_assert_eq(hn_session_open_local(l.host, &options, &mute, NULL), 0);
	cr_expect_eq(hn_session_check(mute, "unit.delete", "unit/x", NULL), HN_EREASON);
	cr_expect_eq(hn_session_check(mute, "force.set", "unit/x", NULL), HN_EREASON);
	cr_expect_eq(hn_session_check(l.session, "unit.delete", "unit/x", NULL), 0);
	hn_session_unref(mute);
}

Test(session, an_empty_reason_is_none)
{
	LAB l = lab_new();
	hn_session_options options = HN_SESSION_OPTIONS_INIT;
	hn_session *mute = NULL;

	options.reason = "";
	cr_assert_eq(hn_session_open_local(l.host, &options, &mute, NULL), 0);
	cr_expect_eq(hn_session_check(mute, "unit.delete", "unit/x", NULL), HN_EREASON);
	hn_session_unref(mute);
}

Test(session, a_quorum_is_more_than_one_operator)
{
	LAB l = lab_new();

	cr_expect_eq(hn_session_check(l.session, "trust.update", "trust/bundle", NULL), HN_EDENIED);
}

Test(session, a_reason_has_a_limit)
{
	LAB l = lab_new();
	hn_session_options options = HN_SESSION_OPTIONS_INIT;
	hn_session *session = NULL;
	char reason[5000];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	options.reason = reason;
	cr_expect_eq(hn_session_open_local(l.host, &options, &session, NULL), HN_ELIMIT);
}

Test(session, none_is_an_error_everywhere)
{
	hn_units *units = NULL;
	hn_plan *plan = NULL;
	hn_catalog *catalog = NULL;
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_expect_eq(hn_units_list(NULL, NULL, false, &units, NULL), HN_ESESSION);
	cr_expect_eq(hn_plan_make(NULL, NULL, &plan, NULL), HN_ESESSION);
	cr_expect_eq(hn_host_get_catalog(NULL, &catalog, NULL), HN_ESESSION);
	cr_expect_eq(hn_unit_define(NULL, "a", &definition, NULL), HN_ESESSION);
	cr_expect_eq(hn_state_verify(NULL, NULL), HN_ESESSION);
	cr_expect_eq(hn_events_wait(NULL, 0, 0, NULL, NULL), HN_ESESSION);
}

Test(session, a_read_only_host_denies_every_change)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	lab_close(&l);
	l.read_only = true;
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_session_check(l.session, "unit.start", "unit/x", NULL), HN_EDENIED);
	cr_expect_eq(hn_session_check(l.session, "unit.read", "unit/x", NULL), 0);
}

/* --- audit --- */

static uint64_t kinds(lab *l, int kind)
{
	char sql[160];

	/* 07 is the key of the kind, the next byte its value */
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM audit WHERE instr(rec, x'07%02x08') > 0"
		" OR instr(rec, x'07%02x12') > 0",
		kind, kind);
	return lab_number(l, sql);
}

Test(audit, reading_leaves_no_record)
{
	LAB l = lab_new();
	hn_units *units = NULL;

	cr_assert_eq(hn_units_list(l.session, NULL, false, &units, lab_err(&l)), 0);
	hn_units_free(units);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), 0);
}

Test(audit, a_change_is_allowed_on_record_and_settled)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(
		hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0, "%s", lab_why(&l));
	/* start, session opened, allow, outcome */
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), 4);
	cr_expect_eq(kinds(&l, CAPS_AUDIT_ALLOW), 1);
	cr_expect_eq(kinds(&l, CAPS_AUDIT_OUTCOME), 1);
}

Test(audit, the_session_is_recorded_once)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_define(l.session, "b", &definition, lab_err(&l)), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), 6);
}

Test(audit, a_refused_change_leaves_no_allow_record)
{
	LAB l = lab_new();
	const char *tags[] = {"nowhere"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.tags = tags;
	definition.tag_count = 1;
	cr_assert_lt(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), 0);
}

Test(audit, a_rolled_back_session_record_is_written_again)
{
	LAB l = lab_new();
	const char *tags[] = {"nowhere"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.tags = tags;
	definition.tag_count = 1;
	cr_assert_lt(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	definition.tag_count = 0;
	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), 4);
	cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(audit, a_denial_is_recorded)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	uint64_t before;

	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	l.reason = NULL;
	lab_reopen(&l);
	before = lab_number(&l, "SELECT count(*) FROM audit");
	cr_expect_eq(hn_unit_remove(l.session, "a", HN_DISKS_KEEP, lab_err(&l)), HN_EREASON);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), before + 1);
	cr_expect_eq(kinds(&l, CAPS_AUDIT_DENY), 1);
}

Test(audit, the_tree_holds_over_many_records_and_processes)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	char name[16];

	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		cr_assert_eq(hn_unit_define(l.session, name, &definition, lab_err(&l)), 0);
		if (i % 7 == 0)
			lab_reopen(&l);
		cr_assert_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	}
}

Test(audit, records_cannot_be_changed)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_expect_lt(
		state_exec(l.host->store, "UPDATE audit SET rec = x'00' WHERE seq = 1", NULL), 0);
	cr_expect_lt(state_exec(l.host->store, "DELETE FROM audit WHERE seq = 1", NULL), 0);
	cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), 0);
}

static void tamper(const char *sql)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_assert_eq(state_exec(l.host->store, "DROP TRIGGER audit_no_update", lab_err(&l)), 0,
		"%s", lab_why(&l));
	cr_assert_eq(state_exec(l.host->store, "DROP TRIGGER audit_no_delete", lab_err(&l)), 0);
	cr_assert_eq(state_exec(l.host->store, sql, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), HN_ECORRUPT);
}

Test(audit, an_edited_record_is_found)
{
	tamper("UPDATE audit SET rec = CAST(rec || x'00' AS BLOB) WHERE seq = 2");
}

Test(audit, an_edited_record_with_its_leaf_is_found)
{
	tamper("UPDATE audit SET leaf = zeroblob(32) WHERE seq = 2");
}

Test(audit, a_deleted_record_is_found)
{
	tamper("DELETE FROM audit WHERE seq = 2");
}

Test(audit, a_cut_tail_is_found)
{
	tamper("DELETE FROM audit WHERE seq = 3");
}

Test(audit, another_head_is_found)
{
	tamper("UPDATE audit_head SET frontier = zeroblob(32) WHERE one = 1");
}

Test(audit, the_reason_lies_beside_the_record)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit_text WHERE body = 'test'"), 1);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit WHERE instr(rec, 'test') > 0"), 0);
	/* That it was erased would be on record. */
	cr_assert_eq(state_exec(l.host->store, "DELETE FROM audit_text", lab_err(&l)), 0);
	cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), HN_ECORRUPT);
}

Test(audit, records_are_strict_cbor_with_rising_keys)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	state_query *query = NULL;

	cr_assert_eq(hn_unit_define(l.session, "a", &definition, lab_err(&l)), 0);
	cr_assert_eq(state_find(l.host->store, "SELECT rec FROM audit", &query, NULL), 0);
	while (state_row(query, NULL) > 0) {
		codec_cbor in;
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);

		codec_cbor_open(&in, bytes, size);
		cr_expect(codec_cbor_skip(&in));
		cr_expect_eq(codec_cbor_end(&in, lab_err(&l)), 0, "%s", lab_why(&l));
	}
}

/* --- state gate --- */

Test(state_gate, tells_where_the_state_lies)
{
	LAB l = lab_new();
	hn_state_facts facts = HN_STATE_FACTS_INIT;

	cr_assert_eq(hn_state_get_facts(l.session, &facts, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(facts.path, "/state/hypernix.db");
	cr_expect_gt(facts.bytes, 0);
}

Test(state_gate, counts_writes)
{
	LAB l = lab_new();
	hn_state_facts before = HN_STATE_FACTS_INIT, after = HN_STATE_FACTS_INIT;
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(hn_state_get_facts(l.session, &before, NULL), 0);
	cr_assert_eq(hn_unit_define(l.session, "a", &definition, NULL), 0);
	cr_assert_eq(hn_state_get_facts(l.session, &after, NULL), 0);
	cr_expect_eq(after.writes, before.writes + 1, "one change is one transaction");
}

Test(events_gate, reads_waits_and_prunes)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	uint64_t last = 0;

	cr_assert_eq(hn_unit_define(l.session, "a", &definition, NULL), 0);
	cr_assert_eq(hn_events_last(l.session, &last, lab_err(&l)), 0);
	cr_expect_geq(last, 1);
	cr_expect_eq(hn_events_wait(l.session, 0, 0, NULL, lab_err(&l)), 1);
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.created.v1"), 1);
	cr_expect_geq(hn_events_prune(l.session, last + 1, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* --- words --- */

Test(names, every_value_has_one_and_others_are_unknown)
{
	cr_expect_str_eq(hn_action_name(HN_ACTION_CHANGE), "change");
	cr_expect_str_eq(hn_action_name(HN_ACTION_FORGET), "forget");
	cr_expect_str_eq(hn_action_name((hn_action)99), "unknown");
	cr_expect_str_eq(hn_step_status_name(HN_STEP_PENDING), "pending");
	cr_expect_str_eq(hn_step_status_name((hn_step_status)99), "unknown");
	cr_expect_str_eq(hn_owner_name(HN_OWNER_NIX), "nix");
	cr_expect_str_eq(hn_owner_name((hn_owner)99), "unknown");
	cr_expect_str_eq(hn_drift_state_name(HN_DRIFT_UNENFORCED), "unenforced");
	cr_expect_str_eq(hn_drift_state_name((hn_drift_state)99), "unknown");
}
