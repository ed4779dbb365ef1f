/* SPDX-License-Identifier: MIT
 *
 * Terms as people write them: what they become, what is refused and where, and that what is printed
 * is read again as the same bytes.
 */
#include "decide-helper.h"
#include <stdlib.h>

static void begin(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(terms, .init = begin);

/* The caveats of terms without grants, as hexadecimal. */
static void becomes(const char *text, const char *hex)
{
	caps_written *written = NULL;
	hn_error *err = NULL;
	char got[2048] = "";

	cr_assert_eq(caps_written_read("t", text, strlen(text), false, T0, &written, &err), 0, "%s",
		hn_error_message(err));
	const caps_terms *terms = caps_written_terms(written);
	if (terms->caveats != NULL)
		codec_hex(terms->caveats->data, terms->caveats->size, got);
	cr_expect_str_eq(got, hex, "%s: %s", text, got);
	caps_written_free(written);
}

Test(terms, each_caveat_in_its_bytes)
{
	becomes("{}", "");
	becomes("{\"resources\":[\"unit/*\"]}", "82018166756e69742f2a");
	becomes("{\"verbs\":[\"unit.read\",\"unit.start\",\"unit.stop\"]}", "82024131");
	becomes("{\"verbs\":[14,0]}", "8202420140");
	becomes("{\"until\":\"1970-01-01T00:00:09Z\",\"from\":\"1970-01-01T01:00:05+01:00\"}",
		"83030509");
	becomes("{\"from\":\"1970-01-01T00:01:00Z\"}", "8303183c1b0000003afff4417f");
	becomes("{\"until\":\"1970-01-01T00:01:00Z\"}", "830301183c");
	becomes("{\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\"}",
		"83046d4575726f70652f4265726c696e8183181f19021c19041a");
	becomes("{\"when\":\"Sun 00:00-24:00 UTC except 1970-01-02..1970-01-03\"}",
		"84046355544381831840001905a0820102");
	becomes("{\"net\":[\"10.0.0.0/8\",\"10.1.2.3\"]}", "82058282440a00000008"
							   "82440a0102031820");
	becomes("{\"via\":[\"process\",\"tls:edge\"]}", "8206828100"
							"82016465646765");
	becomes("{\"peer\":[\"a\",{\"id\":\"sha256:x\"}]}", "8207826161"
							    "687368613235363a78");
	becomes("{\"tags\":{\"none\":[\"x\"]}}", "84088080816178");
	becomes("{\"depth\":2}", "820902");
	becomes("{\"quota\":{\"uses\":5}}", "830a0005");
	becomes("{\"quota\":{\"memory\":\"1Ki\"}}", "830a03190400");
	becomes("{\"rate\":{\"count\":3,\"per\":\"1min\",\"burst\":2}}", "840b03183c02");
	becomes("{\"staleness\":\"1min\"}", "820e183c");
	becomes("{\"redact\":[\"addresses\",\"paths\",9]}", "820f420302");
	becomes("{\"reason\":10}", "82100a");
	becomes("{\"bounds\":{\"a\":{\"max\":\"1Ki\",\"min\":\"1us\",\"is\":\"x\",\"in\":[-1,\"y\"]}}}",
		"82118483616100190400836161011903e88361610261788361610382206179");
	becomes("{\"bounds\":[{\"key\":\"a\",\"max\":\"0.5\"}]}", "821181836161001a0007a120");
}

Test(terms, order_is_as_written)
{
	becomes("{\"reason\":1,\"caveats\":[{\"depth\":1},{\"reason\":2}],\"depth\":0}",
		"821001820901"
		"821002820900");
	becomes("{\"until\":\"1970-01-01T00:00:09Z\",\"depth\":1,\"from\":\"1970-01-01T00:00:05Z\"}",
		"83030509820901");
}

Test(terms, of_a_first_link)
{
	static const char text[] =
		"{\"for\":\"alice\",\"cluster\":\"lab\",\"template\":\"operator\",\"subjectEpoch\":2,"
		"\"notBefore\":\"2026-01-02T00:00:00Z\",\"ttl\":\"2d\",\"bearer\":true,"
		"\"grants\":[{\"on\":\"unit/*\",\"verbs\":[\"unit.*\"],\"reason\":3},"
		"{\"on\":\"volume/**\",\"verbs\":[\"volume.read\"]}],\"depth\":1}";
	caps_written *written = NULL;

	cr_assert_eq(caps_written_read("t", text, strlen(text), true, T0, &written, NULL), 0);
	const caps_terms *terms = caps_written_terms(written);
	cr_expect_str_eq(terms->subject, "alice");
	cr_expect_str_eq(terms->audience, "lab");
	cr_expect_str_eq(terms->template_name, "operator");
	cr_expect_eq(terms->subject_epoch, 2u);
	cr_expect_eq(terms->issued, T0);
	cr_expect_eq(terms->not_before, T0 + 86400);
	cr_expect_eq(terms->expires, T0 + 2 * 86400);
	cr_expect(caps_written_bearer(written));
	cr_assert_eq(terms->grant_count, 2u);
	cr_expect(caps_mask_has(&terms->grants[0].mask, HN_VERB_UNIT_DELETE));
	cr_expect_eq(terms->grants[0].caveat_count, 1u);
	cr_expect_eq(terms->grants[1].caveat_count, 0u);
	cr_expect_str_eq(terms->grants[1].pattern, "volume/**");
	cr_expect_eq(terms->caveat_count, 1u);
	caps_written_free(written);
}

/* What is refused: the code, and the beginning of the message with the place. */
static void refused(const char *text, bool first, hn_code code, const char *message)
{
	caps_written *written = NULL;
	hn_error *err = NULL;

	cr_expect_eq(caps_written_read("t", text, strlen(text), first, T0, &written, &err),
		(int)code, "%s: %s", text, hn_error_message(err));
	cr_expect_null(written);
	if (err != NULL)
		cr_expect_eq(strncmp(hn_error_message(err), message, strlen(message)), 0,
			"%s\n\t%s", text, hn_error_message(err));
	hn_error_unref(err);
}

Test(terms, errors_have_their_place)
{
	refused("{\n\t\"depth\": 9}", false, HN_ERANGE, "t:2:11: 9 is not from 0 to 7");
	refused("{\"depht\":1}", false, HN_ESCHEMA,
		"t:1:2: \"depht\" does not belong in the terms");
	refused("{\"caveats\":[{\"depth\":1,\"reason\":2}]}", false, HN_ESCHEMA,
		"t:1:13: each object of this list is one caveat");
	refused("{\"caveats\":[{\"for\":\"a\"}]}", false, HN_ESCHEMA, "t:1:14: \"for\" does not");
	refused("{\"when\":\"Mon 09:00-25:00 UTC\"}", false, HN_ESYNTAX,
		"t:1:20: schedule, column 11");
	refused("{\"when\":\"Mon 09:00-10:00 no/such/zone/x\"}", false, HN_ESYNTAX, "t:1:26: ");
	refused("{\"when\":5}", false, HN_ESCHEMA, "t:1:9: expected a string, found an integer");
	refused("{\"verbs\":[\"unit.starts\"]}", false, HN_EINVAL,
		"t:1:11: \"unit.starts\" is no verb");
	refused("{\"verbs\":[]}", false, HN_ERANGE, "t:1:10: 0 items where 1 to 256 may stand");
	refused("{\"verbs\":[256]}", false, HN_ERANGE, "t:1:11: 256 is not from 0 to 255");
	refused("{\"redact\":[\"adresses\"]}", false, HN_EINVAL,
		"t:1:12: \"adresses\" is no class");
	refused("{\"resources\":[\"unit/../x\"]}", false, HN_ESYNTAX,
		"t:1:15: \"unit/../x\" is no pattern");
	refused("{\"from\":\"2026-02-29T00:00:00Z\"}", false, HN_ESYNTAX, "t:1:9: \"2026-02-29T00");
	refused("{\"from\":\"2026-02-28\"}", false, HN_ESYNTAX, "t:1:9: ");
	refused("{\"from\":\"2026-02-28T00:00:00\"}", false, HN_ESYNTAX, "t:1:9: ");
	refused("{\"until\":\"2026-01-01T00:00:00Z\",\"from\":\"2026-01-01T00:00:00Z\"}", false,
		HN_ERANGE, "t:1:10: the window ends before");
	refused("{\"net\":[\"10.0.0.1/8\"]}", false, HN_EINVAL, "t:1:9: \"10.0.0.1\" has bits set");
	refused("{\"via\":[\"ssh\"]}", false, HN_EINVAL, "t:1:9: \"ssh\" is no channel");
	refused("{\"via\":[\"tls:\"]}", false, HN_EINVAL, "t:1:9: \"tls:\" is no channel");
	refused("{\"peer\":[\"sha256:00\"]}", false, HN_ESYNTAX, "t:1:10: a hash is 64");
	refused("{\"tags\":{\"both\":[]}}", false, HN_ESCHEMA,
		"t:1:10: \"both\" does not belong in tags");
	refused("{\"quota\":{\"uses\":1,\"bytes\":2}}", false, HN_ESCHEMA,
		"t:1:10: a quota is of one thing");
	refused("{\"quota\":{\"uses\":-1}}", false, HN_ERANGE, "t:1:18: -1 is not from 0");
	refused("{\"rate\":{\"count\":1}}", false, HN_ESCHEMA, "t:1:9: \"per\" is missing");
	refused("{\"rate\":{\"count\":1,\"per\":\"1m\"}}", false, HN_ESYNTAX, "t:1:26: ");
	refused("{\"rate\":{\"count\":1,\"per\":\"2d\"}}", false, HN_ERANGE,
		"t:1:26: \"2d\" is not a whole");
	refused("{\"staleness\":\"100ms\"}", false, HN_ERANGE, "t:1:14: \"100ms\" is not a whole");
	refused("{\"mfa\":{\"of\":\"00\",\"within\":\"1s\"}}", false, HN_ESYNTAX,
		"t:1:14: a hash is 64");
	refused("{\"bounds\":{}}", false, HN_ERANGE, "t:1:11: bounds have 1 to 16 limits");
	refused("{\"bounds\":{\"a\":{\"most\":1}}}", false, HN_ESCHEMA,
		"t:1:17: \"most\" does not belong");
	refused("{\"bounds\":{\"a\":{\"max\":\"big\"}}}", false, HN_ESYNTAX,
		"t:1:23: \"big\" is no quantity");
	refused("{\"bounds\":[{\"max\":1}]}", false, HN_ESCHEMA, "t:1:12: \"key\" is missing");
	refused("{\"reason\":0}", false, HN_ERANGE, "t:1:11: 0 is not from 1 to 512");
	refused("[]", false, HN_ESCHEMA, "t:1:1: expected an object, found an array");
	refused("{\"ttl\":\"1h\",\"expires\":\"2027-01-01T00:00:00Z\"}", false, HN_EEXCLUSIVE,
		"t:1:1: ");
	refused("{\"expires\":\"2025-01-01T00:00:00Z\"}", false, HN_ERANGE, "t:1:1: it would end");
	refused("{\"ttl\":\"1h\",\"notBefore\":\"2026-01-01T01:00:00Z\"}", false, HN_ERANGE,
		"t:1:1: it would end before it begins");
	refused("{\"bearer\":1}", false, HN_ESCHEMA, "t:1:11: expected true, found an integer");
	refused("{\"depth\":1,\"depth\":2}", false, HN_EDUPLICATE, "t:1:");
	refused("{", false, HN_ESYNTAX, "t:1:");
}

Test(terms, errors_of_a_first_link)
{
	refused("{\"grants\":[]}", true, HN_ERANGE, "t:1:11: 0 items");
	refused("{\"for\":\"a\"}", true, HN_ESCHEMA, "t:1:1: \"grants\" is missing");
	refused("{\"grants\":[{\"verbs\":[0],\"on\":\"a\"}]}", true, HN_ESCHEMA,
		"t:1:1: \"for\" is missing");
	refused("{\"for\":\"a b\"}", true, HN_ERANGE, "t:1:8: a name has 1 to 128 visible");
	refused("{\"grants\":[{\"verbs\":[0]}]}", true, HN_ESCHEMA, "t:1:12: a grant needs");
	refused("{\"grants\":[{\"on\":\"a\",\"ttl\":\"1h\",\"verbs\":[0]}]}", true, HN_ESCHEMA,
		"t:1:22: \"ttl\" does not belong in a grant");
}

/* Group 47 in the words of people: nothing that grants can be written for a later link. */
Test(terms, a_holder_cannot_grant)
{
	static const char *const words[] = {"\"for\":\"eve\"", "\"cluster\":\"x\"",
		"\"template\":\"x\"", "\"subjectEpoch\":9",
		"\"grants\":[{\"verbs\":[0],\"on\":\"**\"}]"};

	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		char text[100];

		snprintf(text, sizeof(text), "{%s}", words[i]);
		refused(text, false, HN_ESCHEMA, "t:1:");
	}
}

Test(terms, no_more_caveats_than_a_token_has)
{
	base_buf text = {0};

	base_buf_text(&text, "{\"caveats\":[{\"depth\":1}");
	for (int i = 1; i < CAPS_CAVEATS; i++)
		base_buf_text(&text, ",{\"depth\":1}");
	base_buf_text(&text, "],\"reason\":5}");
	refused(text.data, false, HN_ELIMIT, "t:1:");
	base_buf_free(&text);
}

Test(terms, instants)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {{"1970-01-01T00:00:01Z", 1}, {"2026-01-01T00:00:00Z", T0},
		{"2026-01-01T01:00+01:00", T0}, {"2025-12-31T18:30:00-05:30", T0},
		{"2024-02-29T12:00Z", 1709208000}, {"9999-12-31T23:59:59Z", CAPS_TIME_MAX}};
	static const char *const wrong[] = {"1970-01-01T00:00:00Z", "2025-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00z",
		"2026-01-01T00:00:00+1:00", "9999-12-31T23:59:59-00:01", "", "2026",
		"2026-01-01T00:00:00Zx", "2026-01-00T00:00:00Z"};

	for (size_t i = 0; i < BASE_COUNT(good); i++) {
		char text[CAPS_TIME_TEXT];
		int64_t seconds = 0, again = 0;

		cr_expect(caps_time_parse(good[i].text, strlen(good[i].text), &seconds));
		cr_expect_eq(seconds, good[i].seconds, "%s", good[i].text);
		caps_time_text(seconds, text);
		cr_expect(caps_time_parse(text, strlen(text), &again));
		cr_expect_eq(again, seconds);
	}
	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		int64_t seconds = 7;

		cr_expect_not(
			caps_time_parse(wrong[i], strlen(wrong[i]), &seconds), "%s", wrong[i]);
		cr_expect_eq(seconds, 7);
	}
}

/* --- what is printed is read again --- */

static uint64_t seed = 1;

static unsigned pick(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % below;
}

static const char *const snippets[] = {"{\"resources\":[\"unit/*\",\"volume/**\"]}",
	"{\"verbs\":[\"unit.read\",70,\"audit.read\"]}",
	"{\"window\":{\"from\":\"2026-03-01T00:00:00Z\"}}",
	"{\"window\":{\"until\":\"2026-03-01T00:00:00Z\"}}", "{\"window\":{}}",
	"{\"window\":{\"from\":\"1970-01-01T00:00:02Z\",\"until\":\"9999-12-31T23:59:58Z\"}}",
	"{\"when\":\"Mon..Fri 09:00-17:30, Sat 10:00-12:00 Europe/Berlin except 2026-12-24\"}",
	"{\"when\":\"22:00-06:00 UTC\"}",
	"{\"net\":[\"10.0.0.0/8\",\"2001:db8::/32\",\"::1/128\"]}",
	"{\"via\":[\"mesh\",\"vsock:3\",\"unix:/run/x:y\"]}",
	"{\"peer\":[\"spiffe://lab/node/a\",{\"id\":\"sha256:no\"},\"sha256:"
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"]}",
	"{\"tags\":{\"all\":[\"a\"],\"none\":[\"env:production\",\"b\"]}}", "{\"tags\":{}}",
	"{\"depth\":3}", "{\"quota\":{\"bytes\":\"10Gi\"}}", "{\"quota\":{\"vcpus\":4}}",
	"{\"quota\":{\"memory\":1000000001}}",
	"{\"rate\":{\"count\":100,\"per\":\"90s\",\"burst\":10}}",
	"{\"approval\":{\"count\":2,\"within\":\"15min\",\"of\":"
	"\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}}",
	"{\"mfa\":{\"within\":\"1d\",\"of\":"
	"\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff\"}}",
	"{\"staleness\":\"61s\"}", "{\"redact\":[\"usage\",200]}", "{\"reason\":12}",
	"{\"bounds\":[{\"key\":\"memory.size\",\"max\":-8},{\"key\":\"b\",\"in\":[\"x\",5,-5]},"
	"{\"key\":\"memory.size\",\"min\":\"1Gi\"},{\"key\":\"b\",\"is\":\"y\"}]}"};

static void add_some(base_buf *text, unsigned most)
{
	unsigned count = pick(most + 1);

	base_buf_text(text, ",\"caveats\":[");
	for (unsigned i = 0; i < count; i++) {
		base_buf_text(text, i > 0 ? "," : "");
		base_buf_text(text, snippets[pick(BASE_COUNT(snippets))]);
	}
	base_buf_text(text, "]");
}

static caps_token *random_token(void)
{
	base_buf text = {0};
	caps_token *token = NULL;
	unsigned grants = 1 + pick(3), links = pick(3);

	base_buf_text(&text, "{\"for\":\"alice\",\"grants\":[");
	for (unsigned i = 0; i < grants; i++) {
		base_buf_format(&text, "%s{\"verbs\":[%u,%u],\"on\":\"unit/**\"", i > 0 ? "," : "",
			pick(100), pick(50));
		add_some(&text, 3);
		base_buf_text(&text, "}");
	}
	base_buf_text(&text, "]");
	add_some(&text, 5);
	base_buf_text(&text, pick(2) ? ",\"template\":\"op\",\"subjectEpoch\":7}" : "}");
	token = link_of(NULL, text.data);
	while (links-- > 0) {
		text.size = 0;
		base_buf_text(&text, "{\"notBefore\":\"2026-01-01T00:00:09Z\"");
		add_some(&text, 4);
		base_buf_text(&text, "}");
		token = link_of(token, text.data);
	}
	base_buf_free(&text);
	return token;
}

static const codec_node *element(const codec_node *array, size_t index)
{
	const codec_node *at = array->child;

	while (index-- > 0)
		at = at->next;
	return at;
}

/* The token again, from what caps_token_json says of it. */
static caps_token *again_from(const char *json)
{
	codec_json *doc = NULL;
	caps_token *token = NULL;
	hn_error *err = NULL;

	cr_assert_eq(codec_json_parse("json", json, strlen(json), &doc, &err), 0, "%s",
		hn_error_message(err));
	const codec_node *links = codec_member(codec_json_root(doc), "links");
	for (size_t i = 0; i < links->count; i++) {
		const codec_node *terms = codec_member(element(links, i), "terms");
		char *text = base_strndup(terms->raw, terms->raw_size);

		token = link_of(token, text);
		base_free(text);
	}
	codec_json_free(doc);
	return token;
}

Test(terms, printed_and_read_again_is_the_same_token)
{
	for (int i = 0; i < 400; i++) {
		caps_token *token = random_token();
		hn_error *err = NULL;
		char *json = NULL, *second = NULL;

		cr_assert_eq(caps_token_json(token, &json, &err), 0, "%s", hn_error_message(err));
		caps_token *again = again_from(json);
		cr_assert_eq(again->size, token->size, "%d: %s", i, json);
		cr_assert_eq(memcmp(again->bytes, token->bytes, token->size), 0, "%d: %s", i, json);
		cr_assert_eq(caps_token_json(again, &second, NULL), 0);
		cr_assert_str_eq(second, json);
		base_free(json);
		base_free(second);
		caps_token_free(token);
		caps_token_free(again);
	}
}

Test(terms, inspect_shows_no_seed)
{
	char hex[65], *json = NULL;
	caps_token *token = chain_of(2, true);

	cr_assert_eq(caps_token_json(token, &json, NULL), 0);
	cr_expect_not_null(strstr(json, "\"proof\": \"bearer\""));
	cr_expect_not_null(strstr(json, "\"cti\": \"101112131415161718191a1b1c1d1e1f\""));
	codec_hex(seed_at(2), 32, hex);
	cr_expect_null(strstr(json, hex));
	base_free(json);
	caps_token_free(token);
}

/* The golden vector in words. */
Test(terms, the_golden_vector_in_words)
{
	char *json = NULL;
	caps_token *token = golden_token();

	cr_assert_eq(caps_token_json(token, &json, NULL), 0);
	cr_expect_not_null(
		strstr(json, "\"when\": \"Mon..Fri 09:00-17:30 Europe/Berlin\""), "%s", json);
	cr_expect_not_null(strstr(json, "\"for\": \"alice\""));
	cr_expect_not_null(strstr(json, "\"expires\": \"2026-01-01T00:15:00Z\""), "%s", json);
	cr_expect_not_null(strstr(json, "\"kid\": \"866eefbd6718c88400000001\""));
	base_free(json);
	caps_token_free(token);
}
