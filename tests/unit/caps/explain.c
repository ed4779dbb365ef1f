/* SPDX-License-Identifier: MIT
 *
 * Explanations: the rule that decides in words, and every grant and caveat.
 */
#include "decide-helper.h"

#include <hypernix/caps.h>

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
	cr_expect_null(strstr(json, "HN_EZONE"), "%s", json);
	base_free(json);
}

/* Not hours that have not come yet: hours that never come here. */
Test(explain, a_schedule_in_a_zone_that_is_unknown)
{
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);

	at("2026-11-23T12:00:00Z");
	char *json = explain(with("\"when\":\"Mon..Fri 09:00-17:30 Europe/Berln\""), &request);
	has(json, "\"allowed\":false,\"code\":\"HN_EDENIED\"");
	has(json, "\"why\":\"this host does not know the zone\",\"code\":\"HN_EZONE\"}");
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
		  "\"lost\":true,\"ended\":{\"by\":\"expiry\",\"link\":0,\"cti\":\"");
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

/* --- without a host --- */

static char *text_of(caps_token *token)
{
	char *text = NULL;

	cr_assert_eq(caps_token_text(token, &text, NULL), 0);
	caps_token_free(token);
	return text;
}

/* The public call: its code; *json is owned. */
static int offline(
	caps_token *token, const base_buf *bundle, const char *request, char **json, hn_error **err)
{
	char *text = text_of(token);
	int rc = hn_cap_explain(text, bundle != NULL ? bundle->data : NULL,
		bundle != NULL ? bundle->size : 0, request, json, err);

	base_free(text);
	return rc;
}

Test(explain, without_a_host)
{
	static const char request[] =
		"{\"verb\":\"unit.start\",\"object\":\"" UNIT
		"\",\"at\":\"2026-11-23T09:00+01:00\","
		"\"address\":\"10.1.2.3\",\"via\":\"tls:edge\",\"peer\":\"p\",\"tags\":[\"web\"],"
		"\"parameters\":{\"memory.size\":5,\"cpu.model\":\"x\"},\"reason\":\"why not\","
		"\"approvals\":{\"0000000000000000000000000000000000000000000000000000000000000001\":2},"
		"\"mfa\":[\"0000000000000000000000000000000000000000000000000000000000000002\"],"
		"\"revocationAge\":\"5s\",\"revoked\":[],\"subjectEpoch\":0}";
	char *json = NULL;
	hn_error *err = NULL;
	caps_token *token = with(
		"\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\",\"net\":[\"10.0.0.0/8\"],"
		"\"via\":[\"tls:edge\"],\"peer\":[\"p\"],\"tags\":{\"all\":[\"web\"]},"
		"\"bounds\":{\"memory.size\":{\"max\":5},\"cpu.model\":{\"is\":\"x\"},\"z\":{\"is\":1}},"
		"\"reason\":7,\"staleness\":\"5s\",\"approval\":{\"count\":2,\"within\":\"1min\",\"of\":"
		"\"0000000000000000000000000000000000000000000000000000000000000001\"},\"mfa\":{\"of\":"
		"\"0000000000000000000000000000000000000000000000000000000000000002\",\"within\":\"2s\"}");

	cr_assert_eq(offline(token, NULL, request, &json, &err), 0, "%s", hn_error_message(err));
	has(json, "\"verified\": false");
	has(json, "\"allowed\": true");
	/* What was known of revocations may be a second older, and then is too old. */
	has(json, "\"validUntil\": \"2026-11-23T08:00:01Z\"");
	hn_text_free(json);
}

Test(explain, without_a_host_what_is_not_said_is_not_known)
{
	static const char request[] = "{\"verb\":\"unit.start\",\"object\":\"" UNIT "\"}";
	static const char *const caveats[] = {"\"tags\":{\"none\":[\"web\"]}",
		"\"bounds\":{\"a\":{\"max\":5}}", "\"reason\":1", "\"net\":[\"10.0.0.0/8\"]",
		"\"when\":\"00:00-24:00 Europe/Nowhere\"", "\"peer\":[\"p\"]"};

	for (size_t i = 0; i < BASE_COUNT(caveats); i++) {
		char *json = NULL;

		cr_assert_eq(offline(with(caveats[i]), NULL, request, &json, NULL), 0);
		has(json, "\"allowed\": false");
		hn_text_free(json);
	}
}

Test(explain, without_a_host_a_request_is_read_strictly)
{
	static const struct {
		const char *request;
		hn_code code;
		const char *message;
	} wrong[] = {
		{"{\"verb\":\"unit.start\"}", HN_ESCHEMA, "request:1:1: a request needs"},
		{"{\"verb\":\"unit.jump\",\"object\":\"a\"}", HN_EINVAL,
			"request:1:9: \"unit.jump\""},
		{"{\"verb\":\"unit.start\",\"object\":\"a\",\"when\":1}", HN_ESCHEMA,
			"request:1:35: \"when\" does not belong in a request"},
		{"{\"address\":\"x\"}", HN_ESYNTAX, "request:1:12: \"x\" is no address"},
		{"{\"via\":\"tl\"}", HN_EINVAL, "request:1:8: \"tl\" is no channel"},
		{"{\"tags\":[1]}", HN_ESCHEMA, "request:1:10: expected a string"},
		{"{\"peerKey\":\"00\"}", HN_ESYNTAX, "request:1:12: a hash is 64"},
		{"{\"parameters\":{\"a\":[]}}", HN_ESCHEMA, "request:1:20: expected an integer"},
		{"{\"approvals\":{\"a\":17}}", HN_ERANGE, "request:1:19: 17 is not from 0"},
		{"[]", HN_ESCHEMA, "request:1:1: expected an object"},
		{"{", HN_ESYNTAX, "request:1:"},
	};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		hn_error *err = NULL;
		char *json = NULL;

		cr_expect_eq(offline(with(""), NULL, wrong[i].request, &json, &err),
			(int)wrong[i].code, "%s", wrong[i].request);
		cr_expect_null(json);
		cr_expect_eq(
			strncmp(hn_error_message(err), wrong[i].message, strlen(wrong[i].message)),
			0, "%s", hn_error_message(err));
		hn_error_unref(err);
	}
	cr_expect_eq(hn_cap_explain(NULL, NULL, 0, "{}", NULL, NULL), HN_EINVAL);
	char *json = NULL;
	cr_expect_eq(hn_cap_explain("hvc1.", NULL, 0, "{}", &json, NULL), HN_ETOKEN);
}

/* A trust bundle with the issuer of these tests. */
static base_buf bundle_of(const uint8_t issuer_seed[32])
{
	caps_issuer issuer = {.epoch = 1,
		.not_before = T0 - 86400,
		.sign_until = T0 + 86400,
		.max_ttl = 86400,
		.ceiling_count = 1};
	caps_bundle bundle = {.version = 1,
		.cluster = {(const uint8_t *)"lab", 3},
		.made = T0,
		.threshold = 1,
		.root_count = 1,
		.issuers = &issuer,
		.issuer_count = 1};
	base_buf payload = {0}, made = {0};
	hn_error *err = NULL;

	caps_mask_add(&issuer.ceiling[0].mask, HN_VERB_UNIT_START);
	issuer.ceiling[0].pattern = (caps_view){(const uint8_t *)"unit/**", 7};
	crypto_ed25519_public(issuer_seed, issuer.key);
	crypto_ed25519_public(seed_at(10), bundle.roots[0]);
	cr_assert_eq(caps_bundle_write(&bundle, &payload, &err), 0, "%s", hn_error_message(err));
	cr_assert_eq(caps_bundle_sign(
			     (const uint8_t *)payload.data, payload.size, seed_at(10), &made, &err),
		0, "%s", hn_error_message(err));
	base_buf_free(&payload);
	return made;
}

Test(explain, without_a_host_by_a_trust_bundle)
{
	static const char terms[] = "{\"for\":\"alice\",\"ttl\":\"8h\",\"grants\":"
				    "[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]}";
	static const char request[] =
		"{\"verb\":\"unit.start\",\"object\":\"" UNIT "\",\"at\":\"2026-01-01T01:00:00Z\"}";
	base_buf good = bundle_of(seeds[0]), other = bundle_of(seed_at(11));
	hn_error *err = NULL;
	char *json = NULL;

	cr_assert_eq(offline(link_of(NULL, terms), &good, request, &json, &err), 0, "%s",
		hn_error_message(err));
	has(json, "\"verified\": true");
	has(json, "\"allowed\": true");
	has(json, "\"validUntil\": \"2026-01-01T08:00:00Z\"");
	hn_text_free(json);
	json = NULL;
	cr_expect_eq(offline(link_of(NULL, terms), &other, request, &json, &err), HN_ETOKEN);
	cr_expect_null(json);
	hn_error_unref(err);
	good.data[good.size - 1] ^= 1;
	cr_expect_eq(offline(link_of(NULL, terms), &good, request, &json, NULL), HN_EBUNDLE);
	base_buf_free(&good);
	base_buf_free(&other);
}
