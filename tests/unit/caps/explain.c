/* SPDX-License-Identifier: MIT
 *
 * Explanations: the rule that decides in words, and every grant and caveat.
 */
#include "decide-helper.h"

static world w;

static void begin(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	world_begin(&w, T0 + 60);
}

TestSuite(explain, .init = begin);

/* The explanation as compact JSON, owned; the token is released. */
static char *explain(caps_token *token, const caps_request *request)
{
	caps_program *program = NULL;
	hn_json *json = NULL;
	const char *text = NULL;
	hn_error *err = NULL;

	cr_assert_eq(caps_program_new(token, &w.facts, &program, NULL), 0);
	cr_assert_eq(hn_json_new(false, &json, NULL), 0);
	hn_json_object(json, NULL);
	caps_explain(program, request, &w.facts, json);
	hn_json_end(json);
	cr_assert_eq(hn_json_finish(json, &text, NULL, &err), 0, "%s", hn_error_message(err));
	char *copy = base_strdup(text);
	hn_json_free(json);
	caps_program_free(program);
	caps_token_free(token);
	return copy;
}

static void at(const char *text)
{
	int64_t now = 0;

	cr_assert(caps_time_parse(text, strlen(text), &now));
	world_begin(&w, now);
}

static void has(const char *json, const char *part)
{
	cr_expect_not_null(strstr(json, part), "not there: %s\nin: %s", part, json);
}

Test(explain, a_schedule_that_is_shut)
{
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);

	at("2026-11-21T12:00:00Z");
	char *json = explain(with("\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\""), &request);
	has(json, "\"allowed\":false,\"code\":\"HN_EDENIED\",\"why\":\"closed now\"");
	has(json, "\"rule\":{\"link\":0,\"slot\":0,\"caveat\":\"schedule\",\"text\":\"schedule "
		  "Mon..Fri 09:00-17:30 Europe/Berlin: closed now, opens 2026-11-23 09:00\"}");
	has(json, "\"allowAgain\":\"2026-11-23T08:00:00Z\",\"lost\":false");
	base_free(json);
	at("2026-11-23T12:00:00Z");
	json = explain(
		with("\"when\":\"Mon..Fri 09:00-12:00, 12:00-17:30 Europe/Berlin\""), &request);
	has(json, "\"allowed\":true,\"grant\":0,\"validUntil\":\"2026-11-23T16:30:00Z\"");
	has(json, "\"holds\":true,\"text\":\"schedule Mon..Fri 09:00-12:00");
	has(json, "Europe/Berlin: open until 2026-11-23 17:30\"");
	base_free(json);
	json = explain(with("\"when\":\"00:00-24:00 UTC\""), &request);
	has(json, "00:00-24:00 UTC: open\"");
	base_free(json);
}

Test(explain, what_decides_without_a_caveat)
{
	caps_request request = ask_for(HN_VERB_UNIT_STOP, UNIT);
	char *json = explain(with(""), &request);

	has(json,
		"\"rule\":{\"link\":0,\"text\":\"link 0: no grant has this verb on this object\"}");
	has(json, "{\"grant\":0,\"link\":0,\"check\":\"grant\",\"holds\":false,\"text\":\"grant of "
		  "unit.read, unit.start on unit/**\",\"why\":\"it does not have the verb\"}");
	base_free(json);
	at("2040-01-01T00:00:00Z");
	json = explain(with(""), &request);
	has(json, "\"rule\":{\"link\":0,\"text\":\"link 0: expired\"},\"allowAgain\":null,"
		  "\"lost\":true");
	base_free(json);
	request.object = "unit//";
	json = explain(with(""), &request);
	has(json, "\"rule\":{\"text\":\"the object is not in its one form\"}");
	base_free(json);
	request.verb = HN_VERB_COUNT;
	json = explain(with(""), &request);
	has(json, "\"verb\":null");
	base_free(json);
}

Test(explain, every_caveat_as_a_line)
{
	static const char caveats[] =
		"\"caveats\":[{\"resources\":[\"unit/*\",\"unit/a\"]},{\"verbs\":[\"unit.start\",60]},"
		"{\"window\":{\"until\":\"2026-03-01T00:00:00Z\"}},{\"net\":[\"10.0.0.0/8\"]},"
		"{\"via\":[\"tls:edge\"]},{\"tags\":{\"all\":[\"a\",\"b\"],\"none\":[\"c\"]}},"
		"{\"depth\":0},{\"quota\":{\"bytes\":\"10Gi\"}},"
		"{\"rate\":{\"count\":5,\"per\":\"1min\"}},{\"staleness\":\"1min\"},"
		"{\"redact\":[\"paths\"]},{\"reason\":3},"
		"{\"bounds\":[{\"key\":\"memory.size\",\"max\":8},{\"key\":\"key\",\"in\":[1,\"x\"]}]}]";
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	char *json = explain(with(caveats), &request);

	has(json, "\"text\":\"resource unit/*, unit/a\"");
	has(json, "\"text\":\"verbs unit.start, 60\"");
	has(json, "\"text\":\"window until 2026-03-01T00:00:00Z\"");
	has(json, "\"text\":\"net 10.0.0.0/8: it does not come over a network\"");
	has(json, "\"text\":\"via tls:edge: it comes over another channel\"");
	has(json, "\"text\":\"tags all a, all b, none c: the unit does not have all of the tags\"");
	has(json, "\"text\":\"depth 0\"");
	has(json, "\"text\":\"quota bytes 10Gi\"");
	has(json, "\"text\":\"rate count 5, per 1min, burst 0\"");
	has(json, "\"text\":\"staleness 1min\"");
	has(json, "\"text\":\"redact paths\"");
	has(json, "\"text\":\"reason 3: no reason, or too short a one\"");
	has(json, "\"text\":\"bounds memory.size max 8, key in 1, in x\"");
	has(json, "\"link\":0,\"slot\":3,\"caveat\":\"net\",\"holds\":false");
	base_free(json);
}

Test(explain, what_is_left_out_and_what_counts)
{
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	char *json = explain(link_of(with("\"redact\":[\"paths\",\"usage\"]"),
				     "{\"quota\":{\"uses\":5},\"redact\":[99]}"),
		&request);

	has(json, "\"redact\":[\"paths\",\"usage\",99]");
	has(json, "\"counted\":[{\"link\":1,\"slot\":0,\"text\":\"quota uses 5\"}]");
	base_free(json);
}
