/* SPDX-License-Identifier: MIT
 *
 * What holders of tokens must not reach by other ways: names of units they may not see, waits that
 * outlive their right, room that others need, and the subject of somebody else.
 */
#include "trust-lab.h"

#define WEB_ONLY                                                                                   \
	"{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\","   \
	"\"tags\":{\"all\":[\"web\"]}},{\"verbs\":[\"node.read\",\"event.read\"],\"on\":"          \
	"\"node/*\"}]}"

/* --- names --- */

static void must_look_missing(lab *l, int rc, const char *unit)
{
	char message[80];

	(void)snprintf(message, sizeof(message), "there is no unit \"%s\"", unit);
	cr_expect_eq(rc, HN_ENOENT, "%s: %d %s", unit, rc, lab_why(l));
	cr_expect_str_eq(lab_why(l), message);
	cr_expect_null(hn_error_hint(l->err));
}

Test(hidden, edits_restarts_and_removals_tell_no_names)
{
	static const char *const units[] = {"db-1", "db-9"};
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trusted_fleet(&l);
	session = opened(&l, WEB_ONLY);
	for (size_t i = 0; i < BASE_COUNT(units); i++) {
		const char *unit = units[i];

		must_look_missing(
			&l, hn_unit_set(session, unit, "memory.size", "1Gi", lab_err(&l)), unit);
		must_look_missing(&l, hn_unit_restart(session, unit, NULL, lab_err(&l)), unit);
		must_look_missing(
			&l, hn_unit_remove(session, unit, HN_DISKS_KEEP, lab_err(&l)), unit);
	}
	cr_expect_eq(hn_unit_set(session, "web-1", "memory.size", "1Gi", lab_err(&l)), HN_EDENIED,
		"what is declared is told of what may be seen");
	cr_expect_geq(hn_unit_restart(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

static void denied_plainly(lab *l, int rc, const char *unit)
{
	char message[128];
	hn_fact fact;

	(void)snprintf(message, sizeof(message),
		"unit.create on a unit \"%s\" is not among the rights of this session", unit);
	cr_expect_eq(rc, HN_EDENIED, "%s: %d", unit, rc);
	cr_expect_str_eq(lab_why(l), message);
	cr_expect_lt(hn_error_fact(l->err, 0, &fact), 0, "a uuid that stays the same tells");
}

/* Who may stop a unit that he may not read has its uuid, and is told no name for it. */
Test(hidden, what_cannot_be_done_to_a_unit_tells_no_name)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	const char *uuid;

	trusted_fleet(&l);
	cr_assert_eq(hn_unit_find(l.session, "db-1", false, &unit, lab_err(&l)), 0);
	uuid = hn_unit_uuid(unit);
	session =
		opened(&l, "{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.stop\","
			   "\"unit.start\"],\"on\":\"unit/*\"}]}");
	cr_assert_geq(hn_unit_stop(session, uuid, NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_pause(session, uuid, lab_err(&l)), HN_EBUSY, "%s", lab_why(&l));
	cr_expect_not_null(strstr(lab_why(&l), uuid), "%s", lab_why(&l));
	cr_expect_null(strstr(lab_why(&l), "db-1"), "%s", lab_why(&l));
	cr_expect_eq(hn_unit_pause(l.session, uuid, lab_err(&l)), HN_EBUSY);
	cr_expect_not_null(strstr(lab_why(&l), "db-1"), "%s", lab_why(&l));
	fake_find("db-1")->uuid[0] = 'z'; /* it is gone */
	cr_expect_eq(hn_unit_pause(session, uuid, lab_err(&l)), HN_ENOENT, "%s", lab_why(&l));
	cr_expect_null(strstr(lab_why(&l), "db-1"), "%s", lab_why(&l));
}

/* A declared unit, one made by hand, and a name that nobody has. */
Test(hidden, definitions_tell_no_names)
{
	static const char *const units[] = {"db-1", "mine", "db-9"};
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trusted_fleet(&l);
	cr_assert_eq(lab_define(&l, "mine", "memory.size", "1Gi"), 0, "%s", lab_why(&l));
	session = opened(&l, WEB_ONLY);
	for (size_t i = 0; i < BASE_COUNT(units); i++)
		denied_plainly(&l, hn_unit_define(session, units[i], NULL, lab_err(&l)), units[i]);
	cr_expect_eq(hn_unit_define(session, "web-1", NULL, lab_err(&l)), HN_EEXIST,
		"what may be seen is told of");
	cr_expect_eq(hn_unit_define(l.session, "db-1", NULL, lab_err(&l)), HN_EEXIST);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit"), 4);
}

/* Not even where there is room for no more of them. */
static void tell_no_names_where(const char *sql, int code)
{
	static const char *const units[] = {"db-1", "db-9"};
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL, *maker = NULL;

	trusted_fleet(&l);
	session = opened(&l, WEB_ONLY);
	maker = opened(&l, "{\"for\":\"mo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":"
			   "[\"unit.create\",\"unit.read\"],\"on\":\"unit/*\"}]}");
	cr_assert_eq(state_exec(l.host->store, sql, lab_err(&l)), 0, "%s", lab_why(&l));
	for (size_t i = 0; i < BASE_COUNT(units); i++)
		denied_plainly(&l, hn_unit_define(session, units[i], NULL, lab_err(&l)), units[i]);
	cr_expect_eq(hn_unit_define(maker, "db-9", NULL, lab_err(&l)), code, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_define(l.session, "db-9", NULL, lab_err(&l)), code);
}

Test(hidden, definitions_tell_no_names_where_no_row_can_be_written)
{
	tell_no_names_where("CREATE TRIGGER full BEFORE INSERT ON unit BEGIN"
			    " SELECT RAISE(ABORT, 'full'); END",
		HN_ECONFLICT);
}

Test(hidden, definitions_tell_no_names_at_the_limit_of_units)
{
	tell_no_names_where(
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
		" INSERT INTO unit(uuid, name, owner, undeclared, inconsistent, wanted, status,"
		" ready, vcpus, generation) SELECT 'u' || i, 'n' || i, 1, 0, 0, 0, 0, -1, 0, 0"
		" FROM n",
		HN_ELIMIT);
}

Test(hidden, units_are_in_no_catalogue_for_who_reads_tags_alone)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL, *reader = NULL;
	BASE_AUTO_OF(hn_catalog) hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;

	trusted_fleet(&l);
	session = opened(&l,
		"{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"tag.read\"],\"on\":\"tag/**\"}]}");
	cr_expect_eq(hn_host_get_catalog(session, &catalog, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_host_fork_resolver(session, &resolver, lab_err(&l)), HN_EDENIED);
	reader = opened(&l,
		"{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"tag.read\",\"unit.read\"],\"on\":\"**\"}]}");
	cr_expect_eq(hn_host_get_catalog(reader, &catalog, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_host_fork_resolver(reader, &resolver, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_resolver_free(resolver);
}

/* What waits comes before the tags, in the grant or in an earlier link. */
Test(hidden, what_waits_for_an_approval_tells_no_names)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_FREE char *first = NULL, *second = NULL, *told = NULL;
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	char terms[512], hex[65], object[BASE_OBJECT_SIZE];
	caps_keyset keyset;

	trusted_fleet(&l);
	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"eve\",\"ttl\":\"1h\",\"caveats\":[{\"approval\":"
		"{\"of\":\"%s\",\"count\":2,\"within\":\"15min\"}},{\"tags\":{\"all\":[\"web\"]}}],"
		"\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\"}]}",
		hex);
	session = opened(&l, terms);
	must_look_missing(&l, hn_unit_find(session, "db-1", false, &unit, lab_err(&l)), "db-1");
	must_look_missing(&l, hn_unit_find(session, "db-9", false, &unit, lab_err(&l)), "db-9");
	must_look_missing(&l, hn_unit_start(session, "db-1", NULL, lab_err(&l)), "db-1");
	cr_expect_eq(hn_session_refused(session, &told, lab_err(&l)), HN_ENOENT, "%s", told);
	cr_expect_eq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), HN_EAPPROVAL);
	object_of(&l, "db-1", object);
	cr_expect_eq(
		hn_approval_request(session, "unit.start", object, "x", 3600, &first, lab_err(&l)),
		HN_EDENIED, "%s", lab_why(&l));
	object_of(&l, "web-1", object);
	cr_expect_eq(
		hn_approval_request(session, "unit.start", object, "x", 3600, &second, lab_err(&l)),
		0, "%s", lab_why(&l));
}

static int note_unit(void *arg, const hn_capacity_entry *entry)
{
	base_buf_format(arg, "%s ", entry->unit);
	return 0;
}

Test(hidden, capacity_names_only_what_may_be_seen)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_BUF base_buf all = {0}, seen = {0};
	uint64_t whole = 0, same = 0;

	trusted_fleet(&l);
	session = opened(&l, WEB_ONLY);
	cr_assert_eq(hn_host_capacity(l.session, NULL, NULL, &whole, note_unit, &all, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_assert_eq(hn_host_capacity(session, NULL, NULL, &same, note_unit, &seen, lab_err(&l)), 0,
		"%s", lab_why(&l));
	cr_expect_str_eq(all.data, "db-1 web-1 web-2 ");
	cr_expect_str_eq(seen.data, "web-1 web-2 ");
	cr_expect_eq(whole, same, "the sums are the node's own");
}

Test(hidden, a_domain_that_one_may_not_adopt_is_not_there)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trusted_fleet(&l);
	session = opened(&l, WEB_ONLY);
	(void)fake_add_foreign("guest", "11111111-2222-4333-8444-555555555555");
	cr_expect_eq(hn_unit_adopt(session, "guest", lab_err(&l)), HN_ENOENT);
	cr_expect_eq(hn_unit_adopt(session, "db-1", lab_err(&l)), HN_ENOENT);
	cr_expect_eq(hn_unit_adopt(l.session, "db-1", lab_err(&l)), HN_EEXIST);
}

/* One that he may adopt has the name of a unit that he may know nothing of. */
Test(hidden, a_unit_is_not_told_of_by_the_domain_of_its_name)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trusted_fleet(&l);
	cr_assert_eq(lab_define(&l, "guest", "memory.size", "1Gi"), 0, "%s", lab_why(&l));
	session = opened(&l,
		"{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.create\"],\"on\":"
		"\"unit/11111111-2222-4333-8444-555555555555\"}]}");
	(void)fake_add_foreign("guest", "11111111-2222-4333-8444-555555555555");
	denied_plainly(&l, hn_unit_adopt(session, "guest", lab_err(&l)), "guest");
	cr_expect_eq(hn_unit_adopt(l.session, "guest", lab_err(&l)), HN_EEXIST);
}

/* --- refused on the way --- */

Test(refused, a_quota_that_ends_in_an_apply_is_no_broken_journal)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_session *lead = NULL;

	trusted_fleet(&l);
	session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\",\"tag.*\","
		"\"policy.*\"],\"on\":\"**\"}],\"quota\":{\"uses\":3}}");
	lead = l.session;
	l.session = session;
	cr_expect_eq(lab_plan(&l, "{\"hypernix\":1,\"tags\":{\"web\":{},\"db\":{}},\"units\":{"
				  "\"web-1\":{\"tags\":[\"web\"]},\"web-2\":{\"tags\":[\"web\"]},"
				  "\"db-1\":{\"tags\":[\"db\"]},\"n-1\":{},\"n-2\":{}}}"),
		0, "%s", lab_why(&l));
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EQUOTA, "%s", lab_why(&l));
	l.session = lead;
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM plan WHERE state = 1"), 0,
		"the plan is left as if it went on");
}

/* --- waits --- */

#define MINUTE_ONLY                                                                                \
	"{\"for\":\"eve\",\"ttl\":\"1min\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\"]," \
	"\"on\":\"unit/*\"},{\"verbs\":[\"event.read\"],\"on\":\"node/*\"}]}"

Test(waits, for_events_end_with_the_session)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	uint64_t last = 0;

	trusted_fleet(&l);
	session = opened(&l, MINUTE_ONLY);
	cr_assert_eq(hn_events_last(session, &last, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_events_wait(session, last + 1000, OS_SECOND, NULL, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_eq(hn_events_wait(session, last + 1000, 7200 * OS_SECOND, NULL, lab_err(&l)),
		HN_ESESSION, "%s", lab_why(&l));
	cr_expect_eq(hn_events_wait(l.session, last + 1000, 60 * OS_SECOND, NULL, lab_err(&l)), 0);
}

Test(waits, for_a_unit_end_with_the_session)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_start_options options = HN_START_OPTIONS_INIT;

	trusted_fleet(&l);
	cr_assert_geq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	session = opened(&l, MINUTE_ONLY);
	fake.never = l.os;
	cr_expect_eq(
		hn_unit_wait(session, "web-1", HN_WAIT_READY, 10 * OS_SECOND, NULL, lab_err(&l)),
		HN_ETIMEOUT, "%s", lab_why(&l));
	options.wait = HN_WAIT_READY;
	options.timeout = 3600 * OS_SECOND;
	cr_expect_eq(hn_unit_start(session, "web-1", &options, lab_err(&l)), HN_ESESSION, "%s",
		lab_why(&l));
	session = hn_session_unref(session);
	session = opened(&l, MINUTE_ONLY);
	cr_expect_eq(
		hn_unit_wait(session, "web-1", HN_WAIT_READY, 3600 * OS_SECOND, NULL, lab_err(&l)),
		HN_ESESSION, "%s", lab_why(&l));
}

/* --- what is kept --- */

static void open_local(lab *l)
{
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	cr_assert_eq(
		hn_session_open_local(l->host, NULL, &session, lab_err(l)), 0, "%s", lab_why(l));
}

#define KEPT "SELECT (SELECT count(*) FROM cap_issued) + (SELECT count(*) FROM cap_revoked)"

Test(kept, old_tokens_are_forgotten)
{
	LAB l = lab_new();
	BASE_AUTO_FREE char *token = NULL;
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	char cti[33];

	trusted_fleet(&l);
	token = issue(&l, WEB_ONLY);
	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	codec_hex(read->links[0].cti.bytes, 16, cti);
	cr_assert_eq(hn_cap_revoke(l.session, "cti", cti, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 29 * 86400 * OS_SECOND);
	open_local(&l);
	cr_expect_eq(lab_number(&l, KEPT), 2);
	hn_os_sim_advance(l.os, 3 * 86400 * OS_SECOND);
	open_local(&l);
	cr_expect_eq(lab_number(&l, KEPT), 0);
}

Test(kept, nothing_is_forgotten_by_a_clock_that_jumped)
{
	LAB l = lab_new();
	BASE_AUTO_FREE char *token = NULL;

	trusted_fleet(&l);
	token = issue(&l, WEB_ONLY);
	hn_os_sim_step(l.os, 400 * 86400 * OS_SECOND);
	hn_os_sim_advance(l.os, OS_SECOND);
	hn_os_sim_step(l.os, -300 * 86400 * OS_SECOND);
	hn_os_sim_advance(l.os, OS_SECOND);
	open_local(&l);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_issued"), 1);
}

/* The burst times the step is more than 64 bits hold. */
Test(counted, a_rate_of_a_large_burst_is_no_overflow)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trusted_fleet(&l);
	session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit."
		"start\"],\"on\":\"unit/*\"}],\"rate\":{\"count\":1,\"per\":\"1d\",\"burst\":"
		"1000000}}");
	cr_expect_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_geq(hn_unit_start(session, "web-2", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(subject, a_long_name_is_not_cut)
{
	static const char letters[] = "xy";
	LAB l = lab_new();

	trusted_fleet(&l);
	for (int i = 0; i < 2; i++) {
		BASE_AUTO_OF(hn_session) hn_session *session = NULL;
		char name[121], terms[256], subject[128];

		memset(name, 'a', 120);
		name[119] = letters[i];
		name[120] = '\0';
		(void)snprintf(terms, sizeof(terms),
			"{\"for\":\"%s\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
			"\"on\":\"unit/*\"}]}",
			name);
		(void)snprintf(subject, sizeof(subject), "cap/%s", name);
		session = opened(&l, terms);
		cr_expect_str_eq(session->subject, subject);
	}
}

/* --- requests for approval --- */

#define READ_ALL                                                                                   \
	"{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}"

static const char *by_approval_for(const char *life)
{
	static char terms[512];
	char hex[65];
	caps_keyset keyset;

	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"eve\",%s,\"grants\":[{\"verbs\":[\"unit.start\"],"
		"\"on\":\"unit/*\",\"approval\":{\"of\":\"%s\",\"count\":2,\"within\":\"15min\"}}]}",
		life, hex);
	return terms;
}

static const char *by_approval(void)
{
	return by_approval_for("\"ttl\":\"1h\"");
}

static int request(lab *l, hn_session *session, const char *verb, const char *object)
{
	BASE_AUTO_FREE char *text = NULL;

	return hn_approval_request(session, verb, object, "x", 3600, &text, lab_err(l));
}

Test(asked, nothing_that_is_allowed_already)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	trusted_fleet(&l);
	session = opened(&l, READ_ALL);
	cr_expect_eq(request(&l, session, "unit.read", "unit/a"), HN_EINVAL);
	cr_expect_not_null(strstr(lab_why(&l), "needs no approval"), "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_request"), 0);
}

Test(asked, one_token_leaves_room_for_others_and_for_break_glass)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *eve = NULL, *other = NULL;
	BASE_AUTO_FREE char *emergency = NULL;
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	char object[32];
	int rc = 0, count = 0;

	trusted_fleet(&l);
	eve = opened(&l, by_approval());
	other = opened(&l, by_approval());
	for (; rc >= 0 && count < 2000; count++) {
		(void)snprintf(object, sizeof(object), "unit/u%d", count);
		rc = request(&l, eve, "unit.start", object);
	}
	cr_expect_eq(rc, HN_ELIMIT, "%s", lab_why(&l));
	cr_expect_eq(count, 65);
	cr_expect_eq(request(&l, other, "unit.start", "unit/u1"), 0, "%s", lab_why(&l));
	options.reason = "all is down";
	cr_expect_eq(hn_breakglass_request(l.host, "outage", &options, &emergency, lab_err(&l)), 0,
		"%s", lab_why(&l));
}

/* Each child that a holder makes has a number of its own, and no room of its own. */
Test(asked, tokens_made_from_one_share_its_room)
{
	LAB l = lab_new();
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	BASE_AUTO_FREE char *first = NULL, *child = NULL;
	BASE_AUTO_OF(hn_session) hn_session *eve = NULL, *narrower = NULL;
	char object[32];
	int rc = 0, count = 0;

	trusted_fleet(&l);
	options.now = os_now(l.os) / OS_SECOND;
	cr_assert_eq(hn_cap_issue(l.session, by_approval_for("\"ttl\":\"9min\",\"bearer\":true"),
			     NULL, &first, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_assert_eq(hn_cap_attenuate(first, "{\"ttl\":\"5min\",\"bearer\":true}", NULL, &options,
			     &child, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_assert_eq(hn_session_open(l.host, first, NULL, &eve, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(
		hn_session_open(l.host, child, NULL, &narrower, lab_err(&l)), 0, "%s", lab_why(&l));
	for (; rc >= 0 && count < 100; count++) {
		(void)snprintf(object, sizeof(object), "unit/u%d", count);
		rc = request(&l, count % 2 == 0 ? eve : narrower, "unit.start", object);
	}
	cr_expect_eq(rc, HN_ELIMIT, "%s", lab_why(&l));
	cr_expect_eq(count, 65);
}

Test(asked, the_same_again_takes_no_more_room)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *eve = NULL;

	trusted_fleet(&l);
	eve = opened(&l, by_approval());
	for (int i = 0; i < 100; i++)
		cr_assert_eq(request(&l, eve, "unit.start", "unit/u1"), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_request"), 2,
		"the open one, and the last that it took the place of");
}
