/* SPDX-License-Identifier: MIT
 *
 * Caveats whose bytes are not what was checked when the token was read: what cannot be walked never
 * holds, and nothing behind its end is read.
 */
#include "decide-helper.h"

static world w;

static void begin(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	world_begin(&w, T0 + 60);
}

TestSuite(damaged, .init = begin, .timeout = 120);

static const uint8_t address[4] = {10, 1, 2, 3};

static void fill_request(caps_request *request)
{
	*request = ask_for(HN_VERB_UNIT_START, UNIT);
	request->reason = "INC-7 again";
	request->channel = CAPS_CHANNEL_TLS;
	request->listener = "edge";
	request->address = address;
	request->address_size = sizeof(address);
	request->peer = "spiffe://lab/node/a";
}

/* One of each, which holds by what comes last in it. */
static const char *const holding[] = {
	"\"resources\":[\"unit/x\",\"" UNIT "\"]",
	"\"verbs\":[\"unit.start\"]",
	"\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-01-02T00:00:00Z\"",
	"\"when\":\"00:00-24:00 UTC\"",
	"\"net\":[\"192.0.2.7\",\"10.0.0.0/8\"]",
	"\"via\":[\"unix\",\"tls:edge\"]",
	"\"peer\":[\"b\",\"spiffe://lab/node/a\"]",
	"\"tags\":{\"all\":[\"web\"],\"any\":[\"b\",\"db\"],\"none\":[\"env:production\"]}",
	"\"depth\":1",
	"\"staleness\":\"1min\"",
	"\"reason\":4",
	"\"bounds\":{\"memory.size\":{\"max\":\"8Gi\"}}",
	"\"bounds\":{\"memory.size\":{\"in\":[1,-5,\"x\",5]}}",
	"\"bounds\":{\"memory.size\":{\"is\":5},\"unknown.key\":{\"in\":[1,\"x\"]}}",
	"\"quota\":{\"uses\":3}",
	"\"rate\":{\"count\":5,\"per\":\"1min\"}",
	"\"approval\":{\"of\":\"866eefbd6718c884866eefbd6718c884866eefbd6718c884866eefbd6718c884\","
	"\"count\":2,\"within\":\"15min\"}",
	"\"mfa\":{\"of\":\"866eefbd6718c884866eefbd6718c884866eefbd6718c884866eefbd6718c884\","
	"\"within\":\"5min\"}",
	"\"redact\":[\"paths\"]",
};

static void fill_world(void)
{
	w.tags[0] = "web";
	w.tags[1] = "db";
	w.key = "memory.size";
	w.key_kind = 1;
	w.number = 5;
	w.persons = 2;
	w.second_factor = true;
}

static bool allowed(const caps_token *token)
{
	BASE_AUTO_OF(caps_program) caps_program *program = NULL;
	caps_request request;
	caps_decision decision;

	fill_request(&request);
	cr_assert_eq(caps_program_new(token, &w.facts, &program, NULL), 0);
	caps_decide_program(program, &request, &w.facts, &decision, NULL, NULL);
	return decision.code == HN_OK;
}

/* The bytes of its caveat, of which `size` are kept and which end where their memory ends. */
static bool holds_as(caps_token *token, const uint8_t *bytes, size_t size)
{
	caps_view whole = token->caveats[0].raw;
	uint8_t *copy = base_memdup(bytes, size);
	bool held;

	cr_assert_not_null(copy);
	token->caveats[0].raw = (caps_view){copy, size};
	held = allowed(token);
	token->caveats[0].raw = whole;
	base_free(copy);
	return held;
}

Test(damaged, what_is_cut_never_holds)
{
	fill_world();
	for (size_t i = 0; i < BASE_COUNT(holding); i++) {
		caps_token *token = with(holding[i]);
		caps_view whole = token->caveats[0].raw;

		cr_assert(allowed(token), "%s", holding[i]);
		for (size_t size = 1; size < whole.size; size++)
			cr_expect_not(
				holds_as(token, whole.bytes, size), "%s at %zu", holding[i], size);
		caps_token_free(token);
	}
}

/* The head of an array, of a text and of a number, each with nothing behind it, and what is none:
 * in the place of each byte in turn. Nothing is believed, and nothing but the verdict comes of it.
 */
Test(damaged, what_is_of_another_form_is_decided)
{
	static const uint8_t heads[] = {0x9b, 0x98, 0x80, 0x82, 0x5b, 0x40, 0x60, 0x7f, 0x1b, 0x20,
		0x3b, 0xa1, 0xf6, 0xff, 0x1c};
	size_t denied = 0, tried = 0;

	fill_world();
	for (size_t i = 0; i < BASE_COUNT(holding); i++) {
		caps_token *token = with(holding[i]);
		caps_view whole = token->caveats[0].raw;
		uint8_t changed[256];

		cr_assert_leq(whole.size, sizeof(changed));
		for (size_t at = 0; at < whole.size; at++)
			for (size_t k = 0; k < sizeof(heads); k++, tried++) {
				memcpy(changed, whole.bytes, whole.size);
				changed[at] = heads[k];
				denied += !holds_as(token, changed, whole.size);
				if (at == 0 && heads[k] >> 5 != 4)
					cr_expect_not(holds_as(token, changed, whole.size),
						"%s is no array", holding[i]);
			}
		caps_token_free(token);
	}
	cr_expect_gt(denied, tried / 4);
}
