/* SPDX-License-Identifier: MIT
 *
 * What the terms of a token leave out of answers: each call that answers, with values planted in
 * each class. Without the mask an answer shows what its row says, with it nothing of the class.
 */
#include "redact-lab.h"

#define TEXTS BASE_REDACT_TEXTS

static const struct {
	uint32_t class_;
	const char *words[8];
} planted[] = {
	{HN_REDACT_ADDRESSES, {"52:54:00:aa:bb:cc", "192.0.2.77", "plantedhost", LABEL, WHY}},
	{HN_REDACT_PATHS, {"/planted/disk.qcow2", "test.json", "/state", LABEL, WHY}},
	{HN_REDACT_HARDWARE, {"brplanted", LABEL, WHY}},
	{HN_REDACT_PERSONS, {"plantedperson", "local/uid/", "alice", "otherperson", LABEL, WHY}},
	{HN_REDACT_USAGE, {"424242424242"}},
	{HN_REDACT_CONSOLE, {"plantedconsole"}},
	{HN_REDACT_TAGS, {"plantedtag", "plantedpolicy", LABEL, WHY}},
};

/* --- answers as text --- */

typedef struct answer {
	lab *l;
	hn_session *session;
	base_buf *out;
	hn_error **err;
	bool began;
} answer;

static void say(answer *a, const char *text)
{
	base_buf_format(a->out, "%s\n", text ? text : "(null)");
}

static int say_given(answer *a, int rc, char **text)
{
	if (rc >= 0)
		say(a, *text);
	hn_text_free(*text);
	return rc;
}

static void say_key(answer *a, hn_view *view, const char *name)
{
	hn_origin origin = {.size = sizeof(origin)};
	char *answer_text = NULL;
	const char *text = NULL;

	(void)hn_view_get_text(view, name, &text, NULL);
	base_buf_format(a->out, "%s = %s\n", name, text ? text : "(null)");
	for (size_t n = 0; hn_view_explain(view, name, n, &origin) == 0; n++) {
		base_buf_format(a->out, "%s %s:%u %s %s %s\n", origin.source,
			origin.file ? origin.file : "-", origin.line,
			origin.value ? origin.value : "-", origin.note ? origin.note : "-",
			origin.who ? origin.who : "-");
		origin.size = sizeof(origin);
	}
	if (hn_view_why_not(view, name, text ? text : "1", &answer_text, NULL) >= 0)
		say(a, answer_text);
	hn_text_free(answer_text);
	answer_text = NULL;
	if (hn_view_why_not(view, name, "3Gi", &answer_text, NULL) >= 0)
		say(a, answer_text);
	hn_text_free(answer_text);
}

static void say_view(answer *a, hn_view *view)
{
	const char *name, *how;
	const hn_key *key;
	uint8_t *bytes = NULL;
	size_t size = 0;

	if (!view)
		return;
	for (size_t i = 0; hn_view_tag_at(view, i, &name, &how) == 0; i++)
		base_buf_format(a->out, "%s %s\n", name, how);
	for (size_t i = 0; hn_view_policy_at(view, i, &name, &how) == 0; i++)
		base_buf_format(a->out, "%s %s\n", name, how);
	for (size_t i = 0; hn_view_key_at(view, i, &name, &key) == 0; i++)
		say_key(a, view, name);
	for (size_t i = 0; (key = hn_key_at(i)); i++) /* also what the walk passes over */
		if (!strchr(key->name, '*'))
			say_key(a, view, key->name);
	say_key(a, view, "nics.eth0.mac");
	say_key(a, view, "disks.root.source");
	say_key(a, view, "labels.owner");
	cr_assert_eq(hn_view_encode(view, &bytes, &size, NULL), 0);
	base_buf_add(a->out, (const char *)bytes, size);
	hn_bytes_free(bytes);
	bytes = NULL;
	cr_assert_eq(hn_view_encode_chains(view, &bytes, &size, NULL), 0);
	base_buf_add(a->out, (const char *)bytes, size);
	hn_bytes_free(bytes);
}

static int list(answer *a)
{
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;
	int rc = hn_units_list(a->session, NULL, true, &units, a->err);

	for (size_t i = 0; rc >= 0 && i < hn_units_count(units); i++) {
		hn_unit *unit = hn_units_at(units, i);

		say(a, hn_unit_name(unit));
		say_view(a, hn_unit_desired(unit));
		say_view(a, hn_unit_applied(unit));
	}
	return rc;
}

static int list_by_tag(answer *a)
{
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;
	int rc = hn_units_list(a->session, "tag:plantedtag", false, &units, a->err);

	for (size_t i = 0; rc >= 0 && i < hn_units_count(units); i++)
		base_buf_format(a->out, "%s has plantedtag\n", hn_unit_name(hn_units_at(units, i)));
	return rc;
}

static int find(answer *a)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	int rc = hn_unit_find(a->session, "web-1", true, &unit, a->err);

	if (rc < 0)
		return rc;
	say_view(a, hn_unit_desired(unit));
	say_view(a, hn_unit_applied(unit));
	return 0;
}

static int catalog(answer *a)
{
	BASE_AUTO_OF(hn_catalog) hn_catalog *found = NULL;
	char *json = NULL;
	int rc = hn_host_get_catalog(a->session, &found, a->err);

	for (size_t i = 0; rc >= 0 && i < hn_catalog_tag_count(found); i++)
		say(a, hn_catalog_tag_at(found, i));
	if (rc >= 0)
		rc = hn_catalog_describe(found, "tag", "plantedtag", &json, a->err);
	return say_given(a, rc, &json);
}

static int resolve(answer *a)
{
	BASE_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL, *again = NULL;
	BASE_AUTO_OF(hn_view) hn_view *view = NULL;
	int rc = hn_host_fork_resolver(a->session, &resolver, a->err);

	if (rc >= 0)
		rc = hn_resolver_fork(resolver, &again, a->err);
	if (rc >= 0)
		rc = hn_resolve(again, "web-1", &view, a->err);
	if (rc >= 0)
		say_view(a, view);
	return rc;
}

/* What-if by tags tells of tags by what becomes of it, and by what it does not find. */
static int what_if(answer *a)
{
	BASE_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;
	const char *tag = "plantedta";
	int rc = hn_host_fork_resolver(a->session, &resolver, a->err);

	return rc < 0 ? rc : hn_resolver_retag(resolver, "web-1", &tag, 1, NULL, 0, a->err);
}

static int each_history(void *arg, const hn_history_entry *entry)
{
	say(arg, entry->who);
	say(arg, entry->why);
	say(arg, entry->value);
	return 0;
}

static int history(answer *a)
{
	return hn_unit_history(a->session, "web-1", "memory.size", each_history, a, a->err);
}

static int history_of_a_disk(answer *a)
{
	int rc = hn_unit_history(a->session, "web-1", "disks.root.source", each_history, a, a->err);

	return rc;
}

static int xml(answer *a)
{
	char *text = NULL;

	return say_given(a, hn_unit_xml(a->session, "web-1", &text, a->err), &text);
}

static int log_read(answer *a)
{
	char bytes[64];
	int64_t rc = hn_unit_log_read(a->session, "web-1", 0, bytes, sizeof(bytes), a->err);

	say(a, "plantedconsole"); /* the machine in memory has none */
	return rc < 0 ? (int)rc : 0;
}

static int console_of(answer *a)
{
	hn_console *console = NULL;
	int rc = hn_unit_console_open(a->session, "web-1", &console, a->err);

	say(a, "plantedconsole");
	(void)hn_console_free(console);
	return rc;
}

static int each_drift(void *arg, const hn_drift *drift)
{
	base_buf_format(((answer *)arg)->out, "%s %s %s %s %s\n", drift->unit,
		drift->key ? drift->key : "-", drift->applied ? drift->applied : "-",
		drift->real ? drift->real : "-", drift->note ? drift->note : "-");
	return 0;
}

static int drift(answer *a)
{
	int rc = hn_drift_scan(a->session, NULL, each_drift, a, a->err);

	return rc < 0 ? rc : 0;
}

static void say_plan(answer *a, const hn_plan *plan)
{
	hn_step step;

	for (size_t i = 0; hn_plan_step_at(plan, i, &step) == 0; i++)
		base_buf_format(a->out, "%s %s %s %s %s %s %s\n", step.unit,
			step.key ? step.key : "-", step.old_text ? step.old_text : "-",
			step.new_text ? step.new_text : "-", step.where, step.note,
			step.problem ? step.problem : "-");
}

/* The other disk, mac and tags that are not there yet. */
static int plan(answer *a)
{
	static const char text[] =
		"{\"hypernix\":1,\"tags\":{\"plantedtag\":{},\"web\":{}},\"units\":{\"web-1\":{\"tags\":["
		"\"plantedtag\"],\"overrides\":{\"autostart\":true,\"disks\":{\"root\":{\"source\":"
		"\"/planted/disk.qcow2\",\"size\":\"1Gi\"}},\"labels\":{\"owner\":\"" LABEL "\"},"
		"\"boot\":{\"kernel\":\"/planted/disk.qcow2\"},\"description\":\"" LABEL "\"}},"
		"\"hidden\":{}}}";
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	hn_decl *decl = NULL;
	hn_plan *made = NULL, *found = NULL;
	int rc = hn_decl_parse("test.json", text, sizeof(text) - 1, &decl, a->err);

	options.decls = &decl;
	options.decl_count = 1;
	options.restore = true;
	if (rc >= 0)
		rc = hn_plan_make(a->session, &options, &made, a->err);
	if (rc >= 0)
		say_plan(a, made);
	if (rc >= 0 && hn_plan_number(made) != 0)
		rc = hn_plan_find(a->session, hn_plan_number(made), &found, a->err);
	if (rc >= 0 && found)
		say_plan(a, found);
	(void)hn_plan_unref(made);
	(void)hn_plan_unref(found);
	hn_decl_unref(decl);
	return rc;
}

static int each_generation(void *arg, const hn_generation *generation)
{
	say(arg, generation->who);
	say(arg, generation->why);
	return 0;
}

static int generations(answer *a)
{
	return hn_generations_list(a->session, each_generation, a, a->err);
}

static int each_event(void *arg, const hn_event *event)
{
	base_buf_format(((answer *)arg)->out, "%s %s %s %s %s\n", event->type, event->subject,
		event->name, event->who ? event->who : "-", event->data);
	return 0;
}

static int events(answer *a)
{
	int rc = hn_events_read(a->session, NULL, each_event, a, a->err);

	return rc < 0 ? rc : 0;
}

static int metrics(answer *a)
{
	char *text = NULL;

	return say_given(a, hn_metrics_text(a->session, &text, a->err), &text);
}

static int each_holder(void *arg, const hn_capacity_entry *entry)
{
	say(arg, entry->unit);
	return 0;
}

static int capacity(answer *a)
{
	return hn_host_capacity(a->session, NULL, NULL, NULL, each_holder, a, a->err);
}

static int calibration(answer *a)
{
	hn_calibration found = HN_CALIBRATION_INIT;
	int rc = hn_host_get_calibration(a->session, &found, a->err);

	say(a, found.cpu);
	return rc;
}

static int state(answer *a)
{
	hn_state_facts facts = HN_STATE_FACTS_INIT;
	int rc = hn_state_get_facts(a->session, &facts, a->err);

	say(a, facts.path);
	say(a, facts.bytes != 0 ? "424242424242" : "0");
	return rc;
}

static int sessions(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_session_list(a->session, &json, a->err), &json);
}

static int tail(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_audit_tail(a->session, 0, 4096, &json, a->err), &json);
}

static int checkpoint(answer *a)
{
	char *text = NULL;

	return say_given(a, hn_audit_checkpoint(a->session, &text, a->err), &text);
}

static int audit_key(answer *a)
{
	char *text = NULL;

	return say_given(a, hn_audit_key(a->session, &text, a->err), &text);
}

static int audit_facts(answer *a)
{
	hn_audit_facts facts = HN_AUDIT_FACTS_INIT;
	int rc = hn_audit_get_facts(a->session, &facts, a->err);

	say(a, facts.origin);
	return rc;
}

static int prove(answer *a)
{
	char *text = NULL;
	int rc = hn_audit_prove(a->session, 1, &text, a->err);

	if (rc >= 0) /* what stands in it as base64 */
		say(a, "plantedhost plantedperson plantedtag");
	hn_text_free(text);
	return rc;
}

static int caps(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_cap_list(a->session, &json, a->err), &json);
}

static int approvals(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_approval_list(a->session, &json, a->err), &json);
}

static int glasses(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_breakglass_list(a->session, &json, a->err), &json);
}

static int bundle(answer *a)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	int rc = hn_trust_current(a->session, &bytes, &size, a->err);

	base_buf_add(a->out, (const char *)bytes, size);
	hn_bytes_free(bytes);
	return rc;
}

static int node_keys(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_node_key_list(a->session, &json, a->err), &json);
}

static int node(answer *a)
{
	say(a, hn_session_node(a->session));
	return 0;
}

static int secrets(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_secret_list(a->session, "web-1", &json, a->err), &json);
}

static int clock_of(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_clock_status(a->session, &json, a->err), &json);
}

static int services(answer *a)
{
	char *json = NULL;

	return say_given(a, hn_services_list(a->session, &json, a->err), &json);
}

static int explain(answer *a)
{
	char object[BASE_OBJECT_SIZE], *json = NULL;

	object_of(a->l, "web-1", object);
	return say_given(
		a, hn_session_explain(a->session, "unit.read", object, &json, a->err), &json);
}

/* --- errors, which are no answers and tell as much --- */

static int no_such_tag(answer *a)
{
	const char *tag = "plantedta";

	return hn_unit_tag(a->session, "web-1", &tag, 1, NULL, 0, a->err);
}

static int no_right_to_a_tag(answer *a)
{
	return hn_session_check(a->session, "tag.define", "tag/default/plantedtag", a->err);
}

static int no_right_to_this_node(answer *a)
{
	char *key = NULL;

	return hn_node_key_rotate(a->session, "audit", 0, &key, a->err);
}

static int a_disk_that_is_away(answer *a)
{
	hn_error **err = a->err;

	(void)base_error(err, HN_EIO, "x", "see /planted/disk.qcow2", "/planted/disk.qcow2");
	base_error_fact(err, "file", "/planted/disk.qcow2");
	(void)base_error_wrap(err, HN_EIO, "x", "plantedperson on brplanted plantedtag 192.0.2.77");
	return host_conceal(a->session, HN_EIO, err);
}

/* tells: classes that the answer shows without a mask; whole: those that it is denied under. */
static const struct {
	const char *name;
	int (*ask)(answer *a);
	uint32_t tells, whole;
} calls[] = {
	{"units_list", list, TEXTS, 0},
	{"units_list by tag", list_by_tag, HN_REDACT_TAGS, HN_REDACT_TAGS},
	{"unit_find", find, TEXTS, 0},
	{"host_get_catalog", catalog, HN_REDACT_TAGS | HN_REDACT_PATHS, TEXTS},
	{"host_fork_resolver", resolve, TEXTS, 0},
	{"resolver_retag", what_if, HN_REDACT_TAGS, HN_REDACT_TAGS},
	{"unit_history", history, TEXTS, 0},
	{"unit_history of a path", history_of_a_disk, TEXTS, HN_REDACT_PATHS},
	{"unit_xml", xml, 0, HN_REDACT_ADDRESSES | HN_REDACT_PATHS | HN_REDACT_HARDWARE},
	{"unit_log_read", log_read, HN_REDACT_CONSOLE, HN_REDACT_CONSOLE},
	{"unit_console_open", console_of, HN_REDACT_CONSOLE, HN_REDACT_CONSOLE},
	{"drift_scan", drift, TEXTS, 0},
	{"plan_make, plan_find", plan, TEXTS, 0},
	{"generations_list", generations, TEXTS, 0},
	{"events_read", events, TEXTS | HN_REDACT_USAGE, 0},
	{"metrics_text", metrics, 0, 0},
	{"host_capacity", capacity, 0, 0},
	{"host_get_calibration", calibration, HN_REDACT_HARDWARE, 0},
	{"state_get_facts", state, HN_REDACT_PATHS | HN_REDACT_USAGE, 0},
	{"session_list", sessions, HN_REDACT_PERSONS, 0},
	{"audit_tail", tail, TEXTS, 0},
	{"audit_get_facts", audit_facts, HN_REDACT_ADDRESSES, 0},
	{"audit_checkpoint", checkpoint, HN_REDACT_ADDRESSES, HN_REDACT_ADDRESSES},
	{"audit_key", audit_key, HN_REDACT_ADDRESSES, HN_REDACT_ADDRESSES},
	{"audit_prove", prove, HN_REDACT_ADDRESSES | HN_REDACT_PERSONS | HN_REDACT_TAGS,
		HN_REDACT_ADDRESSES | HN_REDACT_PERSONS | HN_REDACT_TAGS},
	{"cap_list", caps, HN_REDACT_PERSONS, 0},
	{"approval_list", approvals, TEXTS, 0},
	{"breakglass_list", glasses, TEXTS, 0},
	{"trust_current", bundle, HN_REDACT_PERSONS, HN_REDACT_ADDRESSES | HN_REDACT_PERSONS},
	{"node_key_list", node_keys, HN_REDACT_ADDRESSES, 0},
	{"session_node", node, HN_REDACT_ADDRESSES, 0},
	{"secret_list", secrets, 0, 0},
	{"clock_status", clock_of, 0, 0},
	{"services_list", services, HN_REDACT_ADDRESSES | HN_REDACT_TAGS, TEXTS},
	{"session_explain", explain, 0, 0},
	{"unit_tag", no_such_tag, HN_REDACT_TAGS, 0},
	{"session_check", no_right_to_a_tag, HN_REDACT_TAGS, 0},
	{"node_key_rotate", no_right_to_this_node, HN_REDACT_ADDRESSES, 0},
	{"an error with a cause", a_disk_that_is_away, TEXTS, 0},
};

/* --- asking --- */

static void say_error(base_buf *out, const hn_error *error)
{
	hn_fact fact;

	for (; error; error = hn_error_cause(error)) {
		base_buf_format(out, "%s %s\n", hn_error_message(error),
			hn_error_hint(error) ? hn_error_hint(error) : "-");
		for (size_t i = 0; hn_error_fact(error, i, &fact) == 0; i++)
			base_buf_format(out, "%s %s\n", fact.name, fact.text ? fact.text : "-");
	}
}

static int ask(lab *l, hn_session *session, size_t call, base_buf *out, hn_error **err)
{
	answer a = {.l = l, .session = session, .out = out, .err = err};
	int rc = calls[call].ask(&a);

	say_error(out, *err);
	base_buf_text(out, "");
	return rc;
}

/* Bytes, not text: what views encode to has NULs. */
static const char *shows(const base_buf *out, size_t class_)
{
	for (size_t i = 0; i < BASE_COUNT(planted[class_].words); i++) {
		const char *word = planted[class_].words[i];

		if (word && memmem(out->data, out->size, word, strlen(word)))
			return word;
	}
	return NULL;
}

static void expect_whole(size_t call, size_t class_, int rc, const hn_error *error)
{
	const char *name = hn_redact_word(planted[class_].class_);

	cr_expect_eq(rc, HN_EDENIED, "%s under %s: %d %s", calls[call].name, name, rc,
		hn_error_message(error));
	cr_expect_not_null(strstr(hn_error_message(error), name), "%s under %s: %s",
		calls[call].name, name, hn_error_message(error));
}

static void expect_left_out(size_t class_)
{
	uint32_t mask = planted[class_].class_;
	LAB l = new_lab();
	BASE_AUTO_BUF base_buf terms = {0};
	BASE_AUTO_OF(hn_session) hn_session *plain = opened_with(&l, ""), *masked = NULL;

	base_buf_format(&terms, ",\"redact\":[\"%s\"]", hn_redact_word(mask));
	masked = opened_with(&l, terms.data);
	for (size_t i = 0; i < BASE_COUNT(calls); i++) {
		BASE_AUTO_BUF base_buf whole = {0}, less = {0};
		BASE_AUTO_OF(hn_error) hn_error *first = NULL, *second = NULL;
		bool tells = (calls[i].tells & mask) != 0;
		const char *word;
		int rc, before = ask(&l, plain, i, &whole, &first);

		rc = ask(&l, masked, i, &less, &second);
		word = shows(&whole, class_);
		cr_expect_eq(word != NULL, tells, "%s shows %s without a mask: %s", calls[i].name,
			word ? word : "nothing", hn_error_message(first));
		if ((calls[i].whole & mask) != 0) {
			expect_whole(i, class_, rc, second);
			continue;
		}
		word = shows(&less, class_);
		cr_expect_null(word, "%s shows %s under %s", calls[i].name, word ? word : "",
			hn_redact_word(mask));
		cr_expect_eq(rc, before, "%s under %s: %d, not %d: %s", calls[i].name,
			hn_redact_word(mask), rc, before, hn_error_message(second));
	}
}

Test(redact, addresses)
{
	expect_left_out(0);
}

Test(redact, paths)
{
	expect_left_out(1);
}

Test(redact, hardware)
{
	expect_left_out(2);
}

Test(redact, persons)
{
	expect_left_out(3);
}

Test(redact, usage)
{
	expect_left_out(4);
}

Test(redact, console)
{
	expect_left_out(5);
}

Test(redact, tags)
{
	expect_left_out(6);
}
