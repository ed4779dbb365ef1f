/* SPDX-License-Identifier: MIT
 *
 * Requests for approval and approvals by themselves: read strictly, signed, counted.
 */
#include "caps/breakglass.h"

#include <criterion/criterion.h>
#include <hypernix/caps-approve.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define T0 INT64_C(1767225600)

static void setup(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}
TestSuite(ask, .init = setup);
TestSuite(approval, .init = setup);
TestSuite(quorum, .init = setup);
TestSuite(breakglass, .init = setup);
TestSuite(public, .init = setup);

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

/* What is asked for, as canonical requests have it. */
static caps_view call_of(hn_verb verb, const char *object, const char *argument)
{
	static caps_call calls[8];
	static size_t next;
	caps_call *call = &calls[next++ % BASE_COUNT(calls)];

	caps_call_free(call);
	caps_call_text(call, "name", argument);
	cr_assert_eq(caps_call_finish(call, verb, object, NULL), 0);
	return caps_call_view(call);
}

static caps_ask terms(void)
{
	caps_ask ask = {.kind = CAPS_ASK_BREAKGLASS,
		.id = {1, 2, 3},
		.subject = view_of("outage"),
		.patterns = {view_of("unit/**")},
		.pattern_count = 1,
		.ttl = 600,
		.made = T0,
		.until = T0 + 900,
		.reason = view_of("all is down"),
		.cluster = view_of("lab"),
		.call = call_of(HN_VERB_BREAKGLASS_ACTIVATE, "node/lab", "outage")};

	caps_mask_add(&ask.mask, HN_VERB_UNIT_START);
	return ask;
}

/* Of one use: of this call. */
static caps_ask use_of(const char *argument)
{
	caps_ask ask = terms();

	ask.kind = CAPS_ASK_USE;
	ask.call = call_of(HN_VERB_UNIT_START, "unit/**", argument);
	return ask;
}

static caps_ask *made(const caps_ask *from)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	caps_ask *ask = NULL;

	cr_assert_eq(caps_ask_write(from, &bytes, NULL), 0);
	cr_assert_eq(caps_ask_read(bytes.data, bytes.size, &ask, NULL), 0);
	return ask;
}

static const uint8_t seeds[4][32] = {{1}, {2}, {3}, {4}};

static void fill(caps_keyset *keyset)
{
	static const char *const persons[] = {"alice", "bo", "bo"};

	*keyset = (caps_keyset){.count = 3};
	for (size_t i = 0; i < 3; i++) {
		keyset->entries[i].person = view_of(persons[i]);
		crypto_ed25519_public(seeds[i], keyset->entries[i].key);
	}
	cr_assert_eq(caps_keyset_finish(keyset, NULL), 0);
}

static char *sign(const caps_ask *ask, int who, int64_t when)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	char *text = NULL;

	cr_assert_eq(caps_approval_sign(ask->hash, seeds[who], when, &bytes, NULL), 0);
	cr_assert_eq(caps_approval_text(&bytes, &text, NULL), 0);
	return text;
}

Test(ask, says_the_same_as_text)
{
	caps_ask from = terms();
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from), *again = NULL;
	BASE_AUTO_FREE char *text = NULL;

	cr_assert_eq(caps_ask_text(ask, &text, NULL), 0);
	cr_expect_eq(strncmp(text, "hvr1.", 5), 0);
	cr_assert_eq(caps_ask_read_text(text, &again, NULL), 0);
	cr_expect_arr_eq(again->hash, ask->hash, 32);
	cr_expect_eq(again->ttl, 600);
	cr_expect_eq(again->reason.size, 11);
	cr_expect_eq(again->pattern_count, 1);
}

Test(ask, each_truncation_and_each_longer_one_is_refused)
{
	caps_ask from = terms();
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from);
	uint8_t bytes[CAPS_ASK_BYTES] = {0};
	caps_ask *read = NULL;

	memcpy(bytes, ask->bytes, ask->size);
	for (size_t size = 0; size < ask->size; size++)
		cr_expect_eq(caps_ask_read(bytes, size, &read, NULL), HN_ECBOR, "%zu", size);
	cr_expect_eq(caps_ask_read(bytes, ask->size + 1, &read, NULL), HN_ECBOR);
	cr_expect_eq(caps_ask_read(bytes, CAPS_ASK_BYTES + 1, &read, NULL), HN_ECBOR);
	cr_expect_null(read);
}

Test(ask, each_bit_is_in_the_hash)
{
	caps_ask from = terms();
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from);

	for (size_t bit = 0; bit < 8 * ask->size; bit++) {
		BASE_AUTO_OF(caps_ask) caps_ask *other = NULL;
		uint8_t *bytes = base_memdup(ask->bytes, ask->size);

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (caps_ask_read(bytes, ask->size, &other, NULL) == 0)
			cr_expect_neq(memcmp(other->hash, ask->hash, 32), 0, "bit %zu", bit);
		base_free(bytes);
	}
}

static void refused(caps_ask ask, const char *what)
{
	BASE_AUTO_BUF base_buf bytes = {0};

	cr_expect_eq(caps_ask_write(&ask, &bytes, NULL), HN_EINVAL, "%s", what);
	cr_expect_eq(bytes.size, 0, "%s", what);
}

Test(ask, what_would_not_be_read_is_not_written)
{
	caps_ask ask = terms();

	ask.until = ask.made;
	refused(ask, "it ends when it begins");
	ask = terms();
	ask.until = ask.made + 86401;
	refused(ask, "more than a day");
	ask = terms();
	ask.pattern_count = 0;
	refused(ask, "no pattern");
	ask = terms();
	ask.patterns[0] = view_of("unit/../x");
	refused(ask, "a pattern that climbs");
	ask = terms();
	ask.reason = view_of("");
	refused(ask, "no reason");
	ask.reason = view_of("two\nlines");
	refused(ask, "a reason of two lines");
	ask.reason = view_of("\x1b[2Jgone");
	refused(ask, "a reason that moves the cursor");
	ask = terms();
	ask.ttl = 0;
	refused(ask, "no time");
	ask = terms();
	memset(&ask.mask, 0, sizeof(ask.mask));
	refused(ask, "no verb");
	ask = terms();
	ask.subject = view_of("two words");
	refused(ask, "a name with a space");
}

/* --- what is read is what is signed --- */

/* The bytes of a request, with its call in the place of another. */
static int read_with(const caps_ask *ask, size_t at, const void *bytes, size_t size)
{
	BASE_AUTO_OF(caps_ask) caps_ask *read = NULL;
	BASE_AUTO_FREE uint8_t *copy = base_memdup(ask->bytes, ask->size);

	cr_assert_leq(at + size, ask->size);
	memcpy(copy + at, bytes, size);
	return caps_ask_read(copy, ask->size, &read, NULL);
}

static size_t place_of(const caps_ask *ask, caps_view part)
{
	return (size_t)(part.bytes - ask->bytes);
}

Test(ask, text_and_hash_must_agree)
{
	caps_ask from = use_of("2Gi"), other = use_of("9Gi");
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from), *second = made(&other);
	uint8_t wrong[32];

	cr_assert_eq(ask->call.size, second->call.size);
	cr_expect_eq(read_with(ask, place_of(ask, ask->call), ask->call.bytes, ask->call.size), 0);
	cr_expect_eq(read_with(ask, place_of(ask, ask->call), second->call.bytes, ask->call.size),
		HN_ECBOR, "other words");
	memcpy(wrong, second->params, 32);
	for (size_t at = 0; at + 32 <= ask->size; at++)
		if (memcmp(ask->bytes + at, ask->params, 32) == 0)
			cr_expect_eq(read_with(ask, at, wrong, 32), HN_ECBOR, "another hash");
}

Test(ask, the_hash_is_that_of_the_call)
{
	caps_ask from = use_of("2Gi"), other = use_of("9Gi");
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from), *second = made(&other);
	uint8_t hash[32];

	crypto_sha256(from.call.bytes, from.call.size, hash);
	cr_expect_arr_eq(ask->params, hash, 32);
	cr_expect_neq(memcmp(ask->params, second->params, 32), 0);
	cr_expect_neq(memcmp(ask->hash, second->hash, 32), 0);
}

Test(ask, of_one_use_has_the_scope_of_its_call)
{
	caps_ask ask = use_of("x");

	caps_mask_add(&ask.mask, HN_VERB_UNIT_STOP);
	refused(ask, "one verb more");
	ask = use_of("x");
	ask.call = call_of(HN_VERB_UNIT_STOP, "unit/**", "x");
	refused(ask, "another verb");
	ask.call = call_of(HN_VERB_UNIT_START, "unit/*", "x");
	refused(ask, "another object");
	ask = use_of("x");
	ask.patterns[1] = view_of("node/**");
	ask.pattern_count = 2;
	refused(ask, "one object more");
	ask = terms();
	ask.call = call_of(HN_VERB_UNIT_START, "unit/**", "x");
	refused(ask, "a break-glass that is one use");
}

Test(ask, without_its_call_is_none)
{
	caps_ask from = use_of("x");
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from);
	BASE_AUTO_FREE uint8_t *old = base_memdup(ask->bytes, ask->size);
	caps_ask *read = NULL;
	size_t end = place_of(ask, ask->call) - 3; /* 0c 58 nn */

	cr_assert_eq(old[end], 12);
	old[0] = 0xab; /* a map of eleven */
	cr_expect_eq(caps_ask_read(old, end, &read, NULL), HN_ECBOR);
	from.call = (caps_view){(const uint8_t *)"", 0};
	refused(from, "nothing in it");
	from.call = view_of("unit.start unit/**");
	refused(from, "what is no canonical request");
}

Test(approval, is_by_its_key_alone)
{
	caps_ask from = terms();
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from);
	BASE_AUTO_FREE char *good = sign(ask, 1, T0), *strange = sign(ask, 3, T0);
	caps_approval approval;
	caps_keyset keyset;

	fill(&keyset);
	cr_assert_eq(caps_approval_read_text(good, strlen(good), &approval, NULL), 0);
	cr_expect_eq(approval.made, T0);
	size_t by = caps_approval_by(&approval, &keyset);
	cr_assert_neq(by, SIZE_MAX);
	cr_expect_eq(memcmp(keyset.entries[by].person.bytes, "bo", 2), 0);
	cr_assert_eq(caps_approval_read_text(strange, strlen(strange), &approval, NULL), 0);
	cr_expect_eq(caps_approval_by(&approval, &keyset), SIZE_MAX);
}

Test(approval, each_bit_counts)
{
	caps_ask from = terms();
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from);
	BASE_AUTO_BUF base_buf bytes = {0};
	caps_approval approval;
	caps_keyset keyset;
	int read = 0;

	fill(&keyset);
	cr_assert_eq(caps_approval_sign(ask->hash, seeds[0], T0, &bytes, NULL), 0);
	for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
		bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
		if (caps_approval_read(bytes.data, bytes.size, &approval, NULL) == 0) {
			read++;
			cr_expect_eq(
				caps_approval_by(&approval, &keyset), SIZE_MAX, "bit %zu", bit);
		}
		bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
	}
	cr_expect_gt(read, 8 * 64, "signature and hash are read whatever they are");
	for (size_t size = 0; size < bytes.size; size++)
		cr_expect_eq(caps_approval_read(bytes.data, size, &approval, NULL), HN_ECBOR);
}

Test(quorum, counts_persons_once)
{
	caps_ask from = terms();
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from);
	BASE_AUTO_FREE char *bo = sign(ask, 1, T0), *too = sign(ask, 2, T0 + 5);
	BASE_AUTO_FREE char *alice = sign(ask, 0, T0 + 9);
	BASE_AUTO_BUF base_buf texts = {0};
	caps_keyset keyset;
	caps_quorum quorum;

	fill(&keyset);
	base_buf_format(&texts, " %s\n\n%s\t%s\r\n", bo, too, bo);
	cr_assert_eq(caps_quorum_count(ask, &keyset, texts.data, T0, T0 + 9, &quorum, NULL), 0);
	cr_expect_eq(quorum.votes.count, 1);
	cr_expect_eq(quorum.shown, 3);
	base_buf_text(&texts, alice);
	cr_assert_eq(caps_quorum_count(ask, &keyset, texts.data, T0, T0 + 9, &quorum, NULL), 0);
	cr_expect_eq(quorum.votes.count, 2);
	cr_expect_eq(quorum.votes.oldest, T0);
	cr_assert_eq(caps_quorum_count(ask, &keyset, texts.data, T0 + 1, T0 + 8, &quorum, NULL), 0);
	cr_expect_eq(quorum.votes.count, 1, "one too old, one of the future");
	cr_assert_eq(caps_quorum_count(ask, &keyset, " \n", T0, T0 + 9, &quorum, NULL), 0);
	cr_expect_eq(quorum.votes.count, 0);
	cr_expect_eq(
		caps_quorum_count(ask, &keyset, "hva1.x", T0, T0 + 9, &quorum, NULL), HN_ECBOR);
}

Test(quorum, looks_at_so_many_only)
{
	caps_ask from = terms();
	BASE_AUTO_OF(caps_ask) caps_ask *ask = made(&from);
	BASE_AUTO_FREE char *one = sign(ask, 0, T0);
	BASE_AUTO_BUF base_buf texts = {0};
	caps_keyset keyset;
	caps_quorum quorum;

	fill(&keyset);
	for (int i = 0; i < CAPS_APPROVALS; i++)
		base_buf_format(&texts, "%s\n", one);
	cr_expect_eq(caps_quorum_count(ask, &keyset, texts.data, T0, T0, &quorum, NULL), 0);
	base_buf_text(&texts, one);
	cr_expect_eq(caps_quorum_count(ask, &keyset, texts.data, T0, T0, &quorum, NULL), HN_ELIMIT);
}

Test(breakglass, stays_within_its_preset)
{
	caps_ask ask = terms();
	caps_preset preset = {.patterns = {view_of("unit/*")}, .pattern_count = 1, .max_ttl = 600};

	caps_mask_add(&preset.mask, HN_VERB_UNIT_START);
	cr_expect_str_eq(caps_breakglass_refuses(&ask, &preset),
		"it asks for an object that the preset does not give");
	ask.patterns[0] = view_of("unit/*");
	cr_expect_null(caps_breakglass_refuses(&ask, &preset));
	ask.ttl = 601;
	cr_expect_not_null(caps_breakglass_refuses(&ask, &preset));
	ask.ttl = 600;
	caps_mask_add(&ask.mask, HN_VERB_UNIT_STOP);
	cr_expect_not_null(caps_breakglass_refuses(&ask, &preset));
	ask.kind = CAPS_ASK_USE;
	cr_expect_not_null(caps_breakglass_refuses(&ask, &preset));
}

Test(breakglass, never_reaches_what_needs_a_quorum_of_its_own)
{
	for (int verb = 0; verb < HN_VERB_COUNT; verb++) {
		const char *text = base_verb_text((hn_verb)verb);

		if ((base_verb_flags((hn_verb)verb) & BASE_VERB_Q) != 0 ||
			strncmp(text, "audit.", 6) == 0 || strncmp(text, "trust.", 6) == 0 ||
			strncmp(text, "key.", 4) == 0 || strncmp(text, "breakglass.", 11) == 0)
			cr_expect(caps_breakglass_forbids((hn_verb)verb), "%s", text);
	}
	cr_expect_not(caps_breakglass_forbids(HN_VERB_UNIT_START));
	cr_expect_not(caps_breakglass_forbids(HN_VERB_CLOCK_ACCEPT));
}

Test(breakglass, a_drill_only_reads)
{
	caps_ask ask = terms();

	caps_mask_add(&ask.mask, HN_VERB_UNIT_READ);
	cr_expect(caps_breakglass_allows(&ask, HN_VERB_UNIT_START, "unit/a"));
	ask.kind = CAPS_ASK_DRILL;
	cr_expect_not(caps_breakglass_allows(&ask, HN_VERB_UNIT_START, "unit/a"));
	cr_expect(caps_breakglass_allows(&ask, HN_VERB_UNIT_READ, "unit/a"));
	cr_expect_not(caps_breakglass_allows(&ask, HN_VERB_UNIT_READ, "node/a"));
}

/* --- what needs no host, with files --- */

Test(public, signs_with_a_key_file_and_shows_what_it_signed)
{
	char directory[] = "/tmp/hypernix-approve-XXXXXX", path[64], kek[64];
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	BASE_AUTO_FREE char *public_key = NULL, *request = NULL, *approval = NULL, *json = NULL;
	BASE_AUTO_FREE char *shown = NULL, *assertion = NULL;
	caps_ask from = terms();
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	caps_keyset keyset = {.count = 1};
	caps_approval read;

	cr_assert_not_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/me.key", directory);
	(void)snprintf(kek, sizeof(kek), "%s/kek", directory);
	cr_assert_eq(hn_cap_key_new(path, NULL, &public_key, NULL), 0);
	from = use_of("shown \\o/");
	ask = made(&from);
	cr_assert_eq(caps_ask_text(ask, &request, NULL), 0);
	options.key = path;
	options.now = T0 + 60;
	cr_assert_eq(hn_approval_sign(request, &options, &approval, NULL), 0);
	cr_assert_eq(caps_approval_read_text(approval, strlen(approval), &read, NULL), 0);
	cr_assert(codec_hex_decode(public_key, 64, keyset.entries[0].key));
	cr_expect_eq(caps_approval_by(&read, &keyset), 0);
	cr_assert_eq(hn_approval_inspect(request, &json, NULL), 0);
	cr_expect_not_null(strstr(json, "\"all is down\""), "%s", json);
	cr_expect_not_null(strstr(json, "\"unit.start\""), "%s", json);
	cr_assert_eq(hn_approval_inspect(approval, &shown, NULL), 0);
	cr_expect_not_null(strstr(shown, "\"approval\""), "%s", shown);
	cr_assert_eq(
		hn_approval_assert("000102030405060708090a0b0c0d0e0f", &options, &assertion, NULL),
		0);
	cr_expect_eq(caps_approval_read_text(assertion, strlen(assertion), &read, NULL), 0);
	cr_expect_not_null(caps_assertion_nonce(&read));
	cr_expect_eq(hn_approval_assert("00", &options, &assertion, NULL), HN_EINVAL);
	options.now = T0 + 901;
	cr_expect_eq(hn_approval_sign(request, &options, &approval, NULL), HN_EAPPROVAL);
	options.key = NULL;
	cr_expect_eq(hn_approval_sign(request, &options, &approval, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_sign("hvr1.", &options, &approval, NULL), HN_EINVAL);
	options.key = path;
	cr_expect_eq(hn_approval_sign("hvr1.", &options, &approval, NULL), HN_ECBOR);
	cr_expect_eq(hn_approval_inspect("hello", &json, NULL), HN_ECBOR);
	(void)unlink(path);
	(void)unlink(kek);
	(void)rmdir(directory);
}
