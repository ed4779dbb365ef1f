/* SPDX-License-Identifier: MIT
 *
 * Decisions: the order of evaluation, every caveat, and the negative groups of meaning and time.
 */
#include "decide-helper.h"

static world w;

static void begin(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	world_begin(&w, T0 + 60);
}

TestSuite(decide, .init = begin);
TestSuite(negative, .init = begin);

static caps_request start(void)
{
	return ask_for(HN_VERB_UNIT_START, UNIT);
}

/* --- the order --- */

Test(decide, a_grant_allows_its_verbs_on_its_objects)
{
	caps_token *token = with("");
	caps_request request = start();
	caps_decision decision;

	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_expect_eq(decision.grant, 0u);
	cr_expect_eq(decision.valid_until, token->links[0].expires);
	cr_expect_null(decision.why);
	request.verb = HN_VERB_UNIT_STOP;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect_eq(decision.grant, SIZE_MAX);
	cr_expect_eq(decision.valid_until, 0);
	cr_expect_eq(decision.caveat, 0);
	request = ask_for(HN_VERB_UNIT_START, "volume/5b1c22aa");
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	caps_token_free(token);
}

Test(decide, an_object_that_is_none_and_a_verb_that_is_none)
{
	static const char *const wrong[] = {"", "unit/", "unit/../x", "unit/A", "unit/*", NULL};
	caps_token *token = with("");
	caps_request request = start();

	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		request.object = wrong[i];
		cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED, "%s", wrong[i]);
	}
	request = start();
	request.verb = HN_VERB_COUNT;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.verb = (hn_verb)300;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	caps_token_free(token);
}

Test(decide, what_cannot_be_asked_denies)
{
	caps_request request = start();
	caps_token *token = with("");
	caps_facts facts = w.facts;

	facts.issuer = NULL;
	cr_expect_eq(decided(token, &request, &facts, NULL), HN_EDENIED);
	facts = w.facts;
	facts.revoked = NULL;
	cr_expect_eq(decided(token, &request, &facts, NULL), HN_EDENIED);
	facts = w.facts;
	facts.subject_epoch = NULL;
	cr_expect_eq(decided(token, &request, &facts, NULL), HN_EDENIED);
	caps_token_free(token);
	facts = w.facts;
	facts.tag = NULL;
	cr_expect_eq(code_of("\"tags\":{\"none\":[\"a\"]}", &facts), HN_EDENIED);
	facts = w.facts;
	facts.parameter = NULL;
	cr_expect_eq(code_of("\"bounds\":{\"memory.size\":{\"max\":1}}", &facts), HN_EDENIED);
	facts = w.facts;
	facts.zone = NULL;
	cr_expect_eq(code_of("\"when\":\"00:00-24:00 UTC\"", &facts), HN_EDENIED);
}

Test(decide, revoked_issuer_subject_and_link)
{
	caps_token *token = link_of(with(""), "{}");
	caps_request request = start();
	caps_decision decision;

	w.issuer_gone = true;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect(decision.lost);
	w.issuer_gone = false;
	w.epoch = 1;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect(decision.lost);
	w.epoch = 0;
	w.any_revoked = true;
	for (uint8_t link = 0; link < 2; link++) {
		memcpy(w.revoked, token->links[link].cti.bytes, CAPS_CTI);
		cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
		cr_expect_eq(decision.link, link);
		cr_expect_eq(decision.slot, CAPS_LINK_NONE);
		cr_expect(decision.lost);
	}
	w.any_revoked = false;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_expect_not(decision.lost);
	caps_token_free(token);
}

Test(decide, a_later_subject_epoch_is_enough)
{
	caps_token *token = link_of(NULL, "{\"for\":\"alice\",\"subjectEpoch\":3,\"grants\":"
					  "[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]}");
	caps_request request = start();

	w.epoch = 3;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	w.epoch = 4;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	caps_token_free(token);
}

/* Each failure is before the ones listed after it. */
Test(decide, the_first_failure_gives_the_code)
{
	caps_token *token = link_of(with("\"when\":\"00:00-24:00 UTC\",\"reason\":4"),
		"{\"staleness\":\"1s\",\"verbs\":[\"unit.read\"]}");
	caps_request request = start();
	caps_decision decision;

	request.verb = HN_VERB_UNIT_READ;
	request.reason = "maintenance";
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	w.facts.revocation_age = 2;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_ESTALE);
	cr_expect(decision.link == 1 && decision.slot == 0 && decision.caveat == CAPS_STALENESS);
	request.reason = "abc";
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EREASON);
	cr_expect(decision.link == 0 && decision.slot == 1 && decision.caveat == CAPS_REASON);
	request.verb = HN_VERB_UNIT_STOP;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	w.facts.clock_suspect = true;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_ECLOCK);
	w.any_revoked = true;
	memcpy(w.revoked, token->links[1].cti.bytes, CAPS_CTI);
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	caps_token_free(token);
}

Test(decide, the_second_grant_serves_when_the_first_does_not)
{
	caps_token *token = link_of(NULL,
		"{\"for\":\"alice\",\"grants\":["
		"{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\",\"reason\":1,\"redact\":[\"paths\"]},"
		"{\"verbs\":[\"unit.stop\"],\"on\":\"unit/*\"},"
		"{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\",\"tags\":{\"all\":[\"web\"]},"
		"\"quota\":{\"uses\":3},\"redact\":[\"usage\"]}],"
		"\"redact\":[\"addresses\"]}");
	caps_request request = start();
	caps_decision decision;

	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EREASON);
	cr_expect(decision.link == 0 && decision.slot == 0 && decision.grant == 0);
	w.tags[0] = "web";
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_expect_eq(decision.grant, 2u);
	cr_expect_eq(decision.redact[0], 0x11, "usage of the grant, addresses of the chain: %x",
		decision.redact[0]);
	cr_expect_eq(decision.counted_count, 1u);
	cr_expect_eq(decision.counted[0]->slot, 3);
	cr_expect(decision.uses_tags && !decision.uses_approval);
	request.reason = "x";
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_expect_eq(decision.grant, 0u);
	cr_expect_eq(decision.redact[0], 0x03);
	cr_expect_eq(decision.counted_count, 0u);
	caps_token_free(token);
}

typedef struct heard {
	size_t checks, failed;
	uint8_t last_link, last_slot;
} heard;

static void listen(void *arg, const caps_check *check)
{
	heard *h = arg;

	h->checks++;
	h->failed += !check->holds;
	cr_expect_eq(check->holds, check->why == NULL);
	cr_expect_not_null(check->what);
}

Test(decide, an_explanation_hears_all_and_decides_the_same)
{
	caps_token *token = link_of(with("\"reason\":4,\"depth\":0,\"net\":[\"10.0.0.0/8\"]"),
		"{\"verbs\":[\"unit.read\"]}");
	caps_request request = start();
	caps_decision plain, told;
	heard h = {0};

	decided(token, &request, &w.facts, &plain);
	caps_decide(token, &request, &w.facts, &told, listen, &h);
	cr_expect_eq(h.failed, 4u, "%zu", h.failed);
	/* verb, object, issuer, subject, 2 revocations, clock, 2 times two ends, grant, 4 caveats
	 */
	cr_expect_eq(h.checks, 16u, "%zu", h.checks);
	cr_expect_eq(plain.code, HN_EREASON);
	cr_expect_eq(told.code, plain.code);
	cr_expect(told.link == plain.link && told.slot == plain.slot);
	cr_expect_eq(told.valid_until, plain.valid_until);
	caps_token_free(token);
}

/* --- caveats --- */

Test(decide, resource_is_one_of_its_patterns)
{
	cr_expect_eq(code_of("\"resources\":[\"unit/x\",\"" UNIT "\"]", &w.facts), HN_OK);
	cr_expect_eq(code_of("\"resources\":[\"*/5b1c22aa\"]", &w.facts), HN_OK);
	cr_expect_eq(code_of("\"resources\":[\"unit/x\",\"volume/**\"]", &w.facts), HN_EDENIED);
}

Test(decide, verbs_is_a_bit)
{
	cr_expect_eq(code_of("\"verbs\":[\"unit.start\"]", &w.facts), HN_OK);
	cr_expect_eq(code_of("\"verbs\":[\"unit.read\",\"audit.prune\"]", &w.facts), HN_EDENIED);
	cr_expect_eq(code_of("\"verbs\":[255]", &w.facts), HN_EDENIED);
}

Test(decide, window_has_two_ends)
{
	static const char window[] =
		"\"from\":\"2026-01-01T00:10:00Z\",\"until\":\"2026-01-01T00:20:00Z\"";
	caps_token *token = with(window);
	caps_request request = start();
	caps_decision decision;

	world_begin(&w, T0 + 599);
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect_eq(decision.caveat, CAPS_WINDOW);
	cr_expect_eq(decision.allow_again, T0 + 600);
	world_begin(&w, T0 + 600);
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_expect_eq(decision.valid_until, T0 + 1200);
	cr_expect_eq(decision.allow_again, 0);
	world_begin(&w, T0 + 1199);
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	w.facts.earliest = T0 + 590; /* not yet, by the earliest that it may be */
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	w.facts.earliest = T0 + 700;
	w.facts.latest = T0 + 1200; /* over, by the latest */
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect_eq(decision.allow_again, 0);
	caps_token_free(token);
}

Test(decide, net_is_the_source)
{
	static const uint8_t four[4] = {10, 1, 2, 3};
	static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	caps_token *token = with("\"net\":[\"192.0.2.7\",\"10.1.2.0/23\",\"2001:db8::/33\"]");
	caps_request request = start();
	uint8_t address[16];

	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED, "no address");
	request.address = four;
	request.address_size = 4;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	memcpy(address, four, 4);
	request.address = address;
	address[2] = 4;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.address = six;
	request.address_size = 16;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	memcpy(address, six, 16);
	request.address = address;
	address[4] = 0x80;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.address_size = 5;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	caps_token_free(token);
}

Test(decide, via_is_channel_and_listener)
{
	caps_token *token = with("\"via\":[\"unix\",\"tls:edge-1\"]");
	caps_request request = start();

	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.channel = CAPS_CHANNEL_UNIX;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	request.channel = CAPS_CHANNEL_TLS;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.listener = "edge-2";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.listener = "edge-1";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	caps_token_free(token);
}

Test(decide, peer_is_an_id_or_a_key)
{
	char caveat[200] = "\"peer\":[\"spiffe://lab/node/a\",\"sha256:";
	caps_request request = start();
	uint8_t key[32] = {7};

	codec_hex(key, 32, caveat + strlen(caveat));
	strcat(caveat, "\"]");
	caps_token *token = with(caveat);
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.peer = "spiffe://lab/node/b";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.peer_key = key;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	key[31] = 1;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.peer = "spiffe://lab/node/a";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	caps_token_free(token);
}

Test(decide, tags_all_any_none)
{
	static const char caveat[] =
		"\"tags\":{\"all\":[\"a\",\"b\"],\"any\":[\"c\",\"d\"],\"none\":[\"env:production\"]}";

	w.tags[0] = "a", w.tags[1] = "b", w.tags[2] = "d";
	cr_expect_eq(code_of(caveat, &w.facts), HN_OK);
	w.tags[3] = "env:production";
	cr_expect_eq(code_of(caveat, &w.facts), HN_EDENIED);
	w.tags[3] = NULL;
	w.tags[2] = "e";
	cr_expect_eq(code_of(caveat, &w.facts), HN_EDENIED);
	w.tags[2] = "c";
	w.tags[1] = "x";
	cr_expect_eq(code_of(caveat, &w.facts), HN_EDENIED);
	cr_expect_eq(code_of("\"tags\":{}", &w.facts), HN_OK, "no condition");
	w.tags_unknown = true;
	cr_expect_eq(code_of("\"tags\":{\"none\":[\"z\"]}", &w.facts), HN_EDENIED);
}

Test(decide, depth_counts_the_links_that_follow)
{
	caps_request request = start();
	caps_token *token = link_of(with("\"depth\":1"), "{}");
	caps_decision decision;

	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	token = link_of(token, "{}");
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect_eq(decision.caveat, CAPS_DEPTH);
	caps_token_free(token);
}

Test(decide, approvals_and_second_factors)
{
	static const char hash[] =
		"0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
	char caveat[300];
	caps_request request = start();
	caps_decision decision;

	snprintf(caveat, sizeof(caveat),
		"\"approval\":{\"of\":\"%s\",\"count\":2,\"within\":\"15min\"},"
		"\"mfa\":{\"of\":\"%s\",\"within\":\"5min\"}",
		hash, hash);
	caps_token *token = with(caveat);
	w.persons = 1;
	w.until = T0 + 500;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EAPPROVAL);
	cr_expect(decision.uses_approval);
	w.persons = 2;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EMFA);
	w.second_factor = true;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_expect_eq(decision.valid_until, T0 + 500);
	w.facts.mfa = NULL;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EMFA);
	w.facts.approvals = NULL;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EAPPROVAL);
	caps_token_free(token);
}

Test(decide, staleness_has_an_age)
{
	caps_token *token = with("\"staleness\":\"1min\"");
	caps_request request = start();
	caps_decision decision;

	w.facts.revocation_age = 60;
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_expect_eq(decision.valid_until, w.facts.latest + 1);
	w.facts.revocation_age = 61;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_ESTALE);
	w.facts.revocation_age = -1;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_ESTALE);
	caps_token_free(token);
}

Test(decide, a_reason_is_counted_in_characters)
{
	caps_token *token = with("\"reason\":4");
	caps_request request = start();

	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EREASON);
	request.reason = "\xc3\xa4\xc3\xb6\xc3\xbc"; /* three of two bytes */
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EREASON);
	request.reason = "\xc3\xa4\xc3\xb6\xc3\xbc!";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	caps_token_free(token);
}

Test(decide, counted_caveats_pass_and_are_handed_on)
{
	caps_token *token = link_of(with("\"quota\":{\"bytes\":\"10Gi\"}"),
		"{\"rate\":{\"count\":5,\"per\":\"1min\"}}");
	caps_request request = start();
	caps_decision decision;
	caps_quota quota;
	caps_rate rate;

	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_assert_eq(decision.counted_count, 2u);
	cr_expect(caps_quota_read(decision.counted[0], &quota));
	cr_expect(quota.unit == 1 && quota.amount == UINT64_C(10) << 30);
	cr_expect_not(caps_rate_read(decision.counted[0], &rate));
	cr_expect(caps_rate_read(decision.counted[1], &rate));
	cr_expect(rate.count == 5 && rate.seconds == 60 && rate.burst == 0);
	cr_expect_eq(decision.counted[1]->link, 1);
	caps_token_free(token);
}

static hn_code bound(const char *caveat, int kind, int64_t number, const char *text)
{
	char whole[400];

	w.key = "memory.size";
	w.key_kind = kind;
	w.number = number;
	w.text = text;
	snprintf(whole, sizeof(whole), "\"bounds\":{\"memory.size\":{%s}}", caveat);
	return code_of(whole, &w.facts);
}

Test(decide, bounds_are_on_resolved_values)
{
	cr_expect_eq(bound("\"max\":\"8Gi\"", 1, INT64_C(8) << 30, NULL), HN_OK);
	cr_expect_eq(bound("\"max\":\"8Gi\"", 1, (INT64_C(8) << 30) + 1, NULL), HN_EDENIED);
	cr_expect_eq(bound("\"min\":-5", 1, -5, NULL), HN_OK);
	cr_expect_eq(bound("\"min\":-5", 1, -6, NULL), HN_EDENIED);
	cr_expect_eq(bound("\"max\":\"8Gi\"", 2, 0, "big"), HN_EDENIED, "a text has no order");
	cr_expect_eq(bound("\"max\":\"8Gi\"", -1, 0, NULL), HN_EDENIED, "set without a value");
	cr_expect_eq(bound("\"max\":\"8Gi\"", 3, 0, NULL), HN_EDENIED);
	cr_expect_eq(bound("\"max\":\"8Gi\"", 0, 0, NULL), HN_OK, "not set by this verb");
	cr_expect_eq(bound("\"is\":7", 1, 7, NULL), HN_OK);
	cr_expect_eq(bound("\"is\":7", 1, 8, NULL), HN_EDENIED);
	cr_expect_eq(bound("\"is\":7", 2, 7, "7"), HN_EDENIED);
	cr_expect_eq(bound("\"is\":\"off\"", 2, 0, "off"), HN_OK);
	cr_expect_eq(bound("\"is\":\"off\"", 2, 0, "offer"), HN_EDENIED);
	cr_expect_eq(bound("\"in\":[1,\"auto\",-3]", 1, -3, NULL), HN_OK);
	cr_expect_eq(bound("\"in\":[1,\"auto\",-3]", 2, 0, "auto"), HN_OK);
	cr_expect_eq(bound("\"in\":[1,\"auto\",-3]", 1, 3, NULL), HN_EDENIED);
	cr_expect_eq(bound("\"min\":2,\"max\":4", 1, 4, NULL), HN_OK);
	cr_expect_eq(bound("\"min\":2,\"max\":4", 1, 5, NULL), HN_EDENIED, "the second counts too");
}

Test(decide, a_bound_says_what_is_wrong)
{
	caps_token *token = with("\"bounds\":{\"memory.size\":{\"max\":5}}");
	caps_request request = start();
	caps_decision decision;

	w.key = "memory.size";
	w.key_kind = -1;
	decided(token, &request, &w.facts, &decision);
	cr_expect_str_eq(decision.why, "it sets a bounded key without a value");
	w.key_kind = 1;
	w.number = 6;
	decided(token, &request, &w.facts, &decision);
	cr_expect_str_eq(decision.why, "a value is out of its bounds");
	w.facts.parameter = NULL;
	decided(token, &request, &w.facts, &decision);
	cr_expect_str_eq(decision.why, "the values that it would set are not known");
	caps_token_free(token);
}

/* --- negative groups: meaning --- */

Test(negative, g48_a_later_end_than_the_parents_does_not_help)
{
	caps_token *token =
		link_of(link_of(NULL, "{\"for\":\"alice\",\"ttl\":\"15min\",\"grants\":"
				      "[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]}"),
			"{\"ttl\":\"8h\"}");
	caps_request request = start();
	caps_decision decision;

	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_OK);
	cr_expect_eq(decision.valid_until, T0 + 900);
	world_begin(&w, T0 + 900);
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect_eq(decision.link, 0);
	cr_expect(decision.lost);
	caps_token_free(token);
}

/* A caveat as bytes, in a token that was read from bytes like any other. */
static caps_token *with_raw(const void *bytes, size_t size)
{
	caps_grant_terms grant;
	base_buf caveats = {0};
	caps_terms terms = golden_first(&grant, &caveats);

	base_buf_free(&caveats);
	base_buf_add(&caveats, bytes, size);
	caps_token *token = issue(&terms, NULL);
	base_buf_free(&caveats);
	return token;
}

Test(negative, g49_an_unknown_caveat_never_holds)
{
	static const uint8_t alone[] = {0x81, 0x12}, far[] = {0x82, 0x19, 0xff, 0xff, 0xf5};
	caps_token *token = with_raw(alone, sizeof(alone));
	caps_request request = start();
	caps_decision decision;
	char *json = NULL;

	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect_eq(decision.caveat, 18);
	cr_expect_eq(decision.slot, 0);
	cr_expect_eq(decision.allow_again, 0);
	caps_token_free(token);
	token = with_raw(far, sizeof(far));
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect_eq(decision.caveat, 65535);
	cr_expect_eq(caps_token_json(token, &json, NULL), 0, "inspect can show it");
	cr_expect_not_null(strstr(json, "\"cbor\": \"8219fffff5\""), "%s", json);
	base_free(json);
	caps_token_free(token);
}

Test(negative, g55_a_star_takes_one_segment)
{
	caps_token *token = link_of(NULL, "{\"for\":\"alice\",\"grants\":"
					  "[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]}");
	caps_request request = start();

	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	request.object = UNIT "/disk/vda";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.object = "unit";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	caps_token_free(token);
	cr_expect_eq(code_of("\"resources\":[\"*\"]", &w.facts), HN_EDENIED);
	cr_expect_eq(code_of("\"resources\":[\"**\"]", &w.facts), HN_OK);
}

/* Names are resolved when a token is issued: it holds the unit's id, which a unit that was made
 * again under the name does not have. */
Test(negative, g56_a_unit_made_again_under_its_name)
{
	caps_token *token = with("\"resources\":[\"" UNIT "\"]");
	caps_request request = start();

	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	request.object = OTHER;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	caps_token_free(token);
}

/* The tags are asked of the world at each decision, and unit.start does not set them. */
Test(negative, g57_a_tag_set_to_reach_a_unit)
{
	caps_token *token = with("\"tags\":{\"none\":[\"env:production\"],\"all\":[\"mine\"]}");
	caps_request request = start();
	caps_decision decision;

	w.tags[0] = "env:production";
	cr_expect_eq(decided(token, &request, &w.facts, &decision), HN_EDENIED);
	cr_expect(decision.uses_tags, "re-tagging wakes its sessions");
	w.tags[1] = "mine";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	request.verb = HN_VERB_TAG_APPLY;
	request.object = "tag/mine";
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	caps_token_free(token);
}

static hn_code from_net(const uint8_t *caveat, size_t size, const uint8_t *address, size_t length)
{
	caps_token *token = with_raw(caveat, size);
	caps_request request = start();

	request.verb = HN_VERB_UNIT_START;
	request.address = address;
	request.address_size = length;
	hn_code code = decided(token, &request, &w.facts, NULL);
	caps_token_free(token);
	return code;
}

Test(negative, g60_mapped_addresses_are_ipv4)
{
	static const uint8_t ten[] = {0x82, 0x05, 0x81, 0x82, 0x44, 10, 0, 0, 0, 0x08};
	static const uint8_t six[] = {0x82, 0x05, 0x81, 0x82, 0x50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0x18, 64};
	static const uint8_t mapped[] = {0x82, 0x05, 0x81, 0x82, 0x50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff, 10, 0, 0, 0, 0x18, 104};
	static const uint8_t all_mapped[] = {0x82, 0x05, 0x81, 0x82, 0x50, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x18, 96};
	static const uint8_t inside[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
	static const uint8_t outside[16] = {[10] = 0xff, [11] = 0xff, [12] = 11, [15] = 1};

	cr_expect_eq(from_net(ten, sizeof(ten), inside, 16), HN_OK);
	cr_expect_eq(from_net(ten, sizeof(ten), inside + 12, 4), HN_OK);
	cr_expect_eq(from_net(ten, sizeof(ten), outside, 16), HN_EDENIED);
	cr_expect_eq(from_net(six, sizeof(six), inside, 16), HN_EDENIED, "it is not IPv6");
	cr_expect_eq(from_net(mapped, sizeof(mapped), inside, 16), HN_OK);
	cr_expect_eq(from_net(mapped, sizeof(mapped), outside + 12, 4), HN_EDENIED);
	cr_expect_eq(from_net(all_mapped, sizeof(all_mapped), inside, 16), HN_EDENIED,
		"all of IPv4 in another dress");
}

Test(negative, g60_host_bits_and_everything_are_refused_when_read)
{
	static const char *const wrong[] = {"10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.0/33",
		"2001:db8::1/64", "::ffff:10.0.0.0/104", "10.0.0.0/08", "10.0.0.0/", "10.0.0/8",
		"10.0.0.0/8 ", "300.0.0.0/8", "", "/8", "10.0.0.0/-1"};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		caps_written *written = NULL;
		char text[100];

		snprintf(text, sizeof(text), "{\"net\":[\"%s\"]}", wrong[i]);
		cr_expect_lt(caps_written_read("t", text, strlen(text), false, T0, &written, NULL),
			0, "%s", wrong[i]);
	}
}
