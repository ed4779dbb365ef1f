/* SPDX-License-Identifier: MIT
 *
 * Decisions over time: the negative groups of ends, daylight saving, midnight, zones and clocks,
 * and when a denied request would pass.
 */
#include "decide-helper.h"

#define BERLIN "\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\""

static world w;

static void begin(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	world_begin(&w, T0 + 60);
}

TestSuite(negative, .init = begin);
TestSuite(opening, .init = begin);

static int64_t at(const char *text)
{
	int64_t seconds = 0;

	cr_assert(caps_time_parse(text, strlen(text), &seconds), "%s", text);
	return seconds;
}

static caps_decision decide_at(const caps_token *token, const char *text)
{
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	caps_decision decision;

	world_begin(&w, at(text));
	caps_decide(token, &request, &w.facts, &decision, NULL, NULL);
	return decision;
}

static bool open_at(const caps_token *token, const char *text)
{
	return decide_at(token, text).code == HN_OK;
}

/* Minutes of a day, from this instant on, in which it is open. */
static int minutes_open(const caps_token *token, const char *from, int minutes)
{
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	int open = 0;

	world_begin(&w, at(from));
	for (int i = 0; i < minutes; i++) {
		open += decided(token, &request, &w.facts, NULL) == HN_OK;
		w.facts.earliest = w.facts.latest += 60;
	}
	return open;
}

Test(negative, g61_an_end_to_the_second)
{
	caps_token *token =
		link_of(NULL, "{\"for\":\"alice\",\"notBefore\":\"2026-01-01T01:00:00Z\","
			      "\"expires\":\"2026-01-01T02:00:00Z\",\"grants\":"
			      "[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]}");
	caps_decision decision = decide_at(token, "2026-01-01T02:00:00Z");

	cr_expect_eq(decision.code, HN_EDENIED);
	cr_expect(decision.lost && decision.allow_again == 0);
	cr_expect_not(open_at(token, "2026-01-01T02:00:01Z"));
	cr_expect(open_at(token, "2026-01-01T01:59:59Z"));
	/* It may begin half a minute late by our clock, and not more. */
	cr_expect(open_at(token, "2026-01-01T00:59:30Z"));
	decision = decide_at(token, "2026-01-01T00:59:29Z");
	cr_expect_eq(decision.code, HN_EDENIED);
	cr_expect_not(decision.lost);
	cr_expect_eq(decision.allow_again, at("2026-01-01T00:59:30Z"));
	caps_token_free(token);
}

Test(negative, g61_the_worse_end_of_the_clock_counts)
{
	caps_token *token = with("\"until\":\"2027-01-01T00:00:00Z\"");
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);

	world_begin(&w, token->links[0].expires - 10);
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED, "the window is over");
	caps_token_free(token);
	token = with("");
	world_begin(&w, token->links[0].expires - 10);
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	w.facts.latest += 10;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	world_begin(&w, T0 - 30);
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	w.facts.earliest -= 1;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED, "not issued yet");
	caps_token_free(token);
}

Test(negative, g62_the_hour_that_spring_leaves_out)
{
	caps_token *token = with("\"when\":\"02:00-03:00 Europe/Berlin\"");

	cr_expect_eq(minutes_open(token, "2026-03-28T00:00+01:00", 1440), 60);
	cr_expect_eq(minutes_open(token, "2026-03-29T00:00+01:00", 1380), 0);
	cr_expect_eq(minutes_open(token, "2026-03-30T00:00+02:00", 1440), 60);
	caps_decision decision = decide_at(token, "2026-03-29T01:30:00+01:00");
	cr_expect_eq(decision.allow_again, at("2026-03-30T02:00+02:00"));
	caps_token_free(token);
}

Test(negative, g63_the_hour_that_autumn_has_twice)
{
	caps_token *token = with("\"when\":\"02:00-03:00 Europe/Berlin\"");

	cr_expect_eq(minutes_open(token, "2026-10-25T00:00+02:00", 1500), 120);
	cr_expect(open_at(token, "2026-10-25T02:30+02:00"));
	cr_expect(open_at(token, "2026-10-25T02:30+01:00"));
	cr_expect_not(open_at(token, "2026-10-25T03:00+01:00"));
	/* It is asked again where the clock goes back. */
	cr_expect_eq(decide_at(token, "2026-10-25T02:30+02:00").valid_until,
		at("2026-10-25T03:00+02:00"));
	cr_expect_eq(decide_at(token, "2026-10-25T02:30+01:00").valid_until,
		at("2026-10-25T03:00+01:00"));
	caps_token_free(token);
}

Test(negative, g64_over_midnight_and_over_the_week)
{
	caps_token *token = with("\"when\":\"Sun 22:00-06:00 Europe/Berlin\"");

	/* Summer began the night before: this one has all its eight hours. */
	cr_expect_eq(minutes_open(token, "2026-03-29T12:00+02:00", 1440), 480);
	cr_expect(open_at(token, "2026-03-29T23:59+02:00"));
	cr_expect(open_at(token, "2026-03-30T05:59+02:00"), "Monday belongs to Sunday's start");
	cr_expect_not(open_at(token, "2026-03-30T06:00+02:00"));
	cr_expect_not(open_at(token, "2026-03-29T05:00+02:00"), "Saturday does not start one");
	cr_expect_not(open_at(token, "2026-03-30T22:30+02:00"));
	caps_token_free(token);
	token = with("\"when\":\"Sat 22:00-06:00 Europe/Berlin\"");
	/* The nights that go over a change are an hour short, and an hour long. */
	cr_expect_eq(minutes_open(token, "2026-03-28T12:00+01:00", 1380), 420);
	cr_expect_eq(minutes_open(token, "2026-10-24T12:00+02:00", 1500), 540);
	caps_token_free(token);
}

Test(negative, g65_odd_offsets)
{
	caps_token *token = with("\"when\":\"09:00-10:00 Asia/Kathmandu\"");

	cr_expect(open_at(token, "2026-06-01T03:15:00Z"));
	cr_expect(open_at(token, "2026-06-01T04:14:59Z"));
	cr_expect_not(open_at(token, "2026-06-01T03:14:59Z"));
	cr_expect_not(open_at(token, "2026-06-01T04:15:00Z"));
	caps_token_free(token);
	/* Summer time of half an hour: it ends on 2026-04-05 at 02:00, which is 01:30 then. */
	token = with("\"when\":\"01:30-02:00 Australia/Lord_Howe\"");
	cr_expect_eq(minutes_open(token, "2026-04-05T00:00+11:00", 1470), 60);
	cr_expect_eq(minutes_open(token, "2026-04-06T00:00+10:30", 1440), 30);
	caps_token_free(token);
	token = with("\"when\":\"02:00-02:30 Australia/Lord_Howe\"");
	cr_expect_eq(minutes_open(token, "2026-10-04T00:00+10:30", 1410), 0);
	caps_token_free(token);
}

Test(negative, g65_zones_that_are_none)
{
	static const char *const wrong[] = {
		"../../etc/passwd", "/etc/localtime", "Europe/", "a b", "Europe/Berlin/x/y", ""};
	caps_token *token = with("\"when\":\"00:00-24:00 Europe/Nowhere\"");
	caps_decision decision = decide_at(token, "2026-06-01T12:00:00Z");

	cr_expect_eq(decision.code, HN_EDENIED);
	cr_expect_eq(decision.caveat, CAPS_SCHEDULE);
	cr_expect_eq(decision.allow_again, 0);
	caps_token_free(token);
	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		caps_written *written = NULL;
		char text[120];

		snprintf(text, sizeof(text), "{\"when\":\"00:00-24:00 %s\"}", wrong[i]);
		cr_expect_lt(caps_written_read("t", text, strlen(text), false, T0, &written, NULL),
			0, "%s", wrong[i]);
	}
}

/* The same names in a token that somebody else made: they never become a path. */
Test(negative, g65_zones_that_are_none_in_a_token)
{
	static const uint8_t raw[] = {0x83, 0x04, 0x70, '.', '.', '/', '.', '.', '/', 'e', 't', 'c',
		'/', 'p', 'a', 's', 's', 'w', 'd', 0x81, 0x83, 0x18, 0x7f, 0x00, 0x19, 0x05, 0xa0};
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	caps_grant_terms grant;
	base_buf caveats = {0};
	caps_terms terms = golden_first(&grant, &caveats);
	caps_decision decision;

	base_buf_free(&caveats);
	base_buf_add(&caveats, raw, sizeof(raw));
	caps_token *token = issue(&terms, NULL);
	base_buf_free(&caveats);
	caps_decide(token, &request, &w.facts, &decision, NULL, NULL);
	cr_expect_eq(decision.code, HN_EDENIED);
	cr_expect_eq(decision.caveat, CAPS_SCHEDULE);
	caps_token_free(token);
}

Test(negative, g66_after_2038_by_the_footer)
{
	caps_token *token =
		link_of(NULL, "{\"for\":\"alice\",\"expires\":\"2100-01-01T00:00:00Z\",\"grants\":"
			      "[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]," BERLIN "}");

	cr_expect(open_at(token, "2060-07-01T09:00+02:00"));
	cr_expect_not(open_at(token, "2060-07-01T08:59:59+02:00"));
	cr_expect(open_at(token, "2060-12-01T09:00+01:00"));
	cr_expect_not(open_at(token, "2060-12-01T17:30+01:00"));
	caps_token_free(token);
}

Test(negative, g67_a_clock_that_is_not_to_be_trusted)
{
	caps_token *token = with("");
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	caps_decision decision;

	w.facts.clock_suspect = true;
	caps_decide(token, &request, &w.facts, &decision, NULL, NULL);
	cr_expect_eq(decision.code, HN_ECLOCK);
	cr_expect_not(decision.lost, "it comes back when the clock does");
	/* Set back a day and trusted: not issued yet. Set forward over its end: over. */
	world_begin(&w, T0 - 86400);
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	world_begin(&w, token->links[0].expires + 1);
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED);
	caps_token_free(token);
}

/* A clock that may be 16 seconds off both ways opens late and closes early. */
Test(negative, g68_an_unsynchronised_clock)
{
	caps_token *token = with(BERLIN);
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	static const struct {
		const char *text;
		hn_code code;
	} cases[] = {{"2026-06-01T09:00:15+02:00", HN_EDENIED},
		{"2026-06-01T09:00:16+02:00", HN_OK}, {"2026-06-01T17:29:43+02:00", HN_OK},
		{"2026-06-01T17:29:44+02:00", HN_EDENIED}};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		world_begin(&w, at(cases[i].text));
		w.facts.earliest -= 16;
		w.facts.latest += 16;
		cr_expect_eq(decided(token, &request, &w.facts, NULL), cases[i].code, "%s",
			cases[i].text);
	}
	caps_token_free(token);
	/* From one window into the next there is no gap to fall into. */
	token = with("\"when\":\"08:00-12:00, 12:00-18:00 Europe/Berlin\"");
	world_begin(&w, at("2026-06-01T12:00+02:00"));
	w.facts.earliest -= 16;
	w.facts.latest += 16;
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
	caps_token_free(token);
	token = with("\"when\":\"08:00-12:00, 12:01-18:00 Europe/Berlin\"");
	w.facts.latest = at("2026-06-01T12:01:30+02:00");
	cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_EDENIED, "shut in between");
	caps_token_free(token);
}

/* --- when it would pass --- */

Test(opening, a_schedule_says_when)
{
	caps_token *token = with(BERLIN);
	caps_decision decision = decide_at(token, "2026-11-21T12:00+01:00");

	cr_expect_eq(decision.code, HN_EDENIED);
	cr_expect_eq(decision.allow_again, at("2026-11-23T09:00+01:00"));
	decision = decide_at(token, "2026-11-23T09:00+01:00");
	cr_expect_eq(decision.code, HN_OK);
	cr_expect_eq(decision.valid_until, at("2026-11-23T17:30+01:00"));
	caps_token_free(token);
}

Test(opening, two_schedules_must_be_open_at_once)
{
	caps_token *token = link_of(with("\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\""),
		"{\"when\":\"Wed,Sun 16:00-23:00 UTC\"}");

	/* Wednesday 16:00 UTC is 17:00 in Berlin. */
	cr_expect_eq(
		decide_at(token, "2026-11-22T18:00:00Z").allow_again, at("2026-11-25T16:00:00Z"));
	caps_token_free(token);
	token = link_of(
		with("\"when\":\"Mon 09:00-10:00 UTC\""), "{\"when\":\"Tue 09:00-10:00 UTC\"}");
	cr_expect_eq(decide_at(token, "2026-11-22T18:00:00Z").allow_again, 0);
	caps_token_free(token);
}

/* A caveat that denies behind the one that decided goes on denying when the hours begin. */
Test(opening, nothing_else_may_stand_against_it)
{
	static const char hours_and_tag[] =
		"{\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\",\"tags\":{\"all\":[\"nowhere\"]}}";
	caps_token *token = with(BERLIN);
	caps_decision decision = decide_at(token, "2026-11-21T12:00+01:00");

	cr_expect_eq(decision.allow_again, at("2026-11-23T09:00+01:00"));
	caps_token_free(token);
	token = link_of(with(BERLIN), hours_and_tag);
	decision = decide_at(token, "2026-11-21T12:00+01:00");
	cr_expect_eq(decision.caveat, 4);
	cr_expect_eq(decision.allow_again, 0);
	caps_token_free(token);
	token = link_of(with(BERLIN), "{\"until\":\"2026-11-22T11:00:00Z\"}");
	decision = decide_at(token, "2026-11-22T12:00:00Z");
	cr_expect_eq(decision.allow_again, 0);
	caps_token_free(token);
}

/* By a clock that is a minute wide: the last second of the hours, and the end right behind it. */
Test(opening, is_no_second_behind_the_end)
{
	caps_token *token = with("\"when\":\"10:00-10:01 UTC\"");
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	caps_decision decision;

	world_begin(&w, at("2026-06-01T10:00:59Z"));
	w.facts.earliest -= 60;
	caps_decide(token, &request, &w.facts, &decision, NULL, NULL);
	cr_expect_eq(decision.code, HN_EDENIED);
	cr_expect_eq(decision.allow_again, at("2026-06-02T10:00:00Z"));
	caps_token_free(token);
	token = link_of(
		with("\"when\":\"10:00-10:01 UTC\""), "{\"expires\":\"2026-06-01T10:01:00Z\"}");
	caps_decide(token, &request, &w.facts, &decision, NULL, NULL);
	cr_expect_eq(decision.allow_again, 0);
	caps_token_free(token);
}

Test(opening, it_must_be_before_the_end)
{
	caps_token *token = link_of(with(BERLIN), "{\"expires\":\"2026-11-23T07:59:00Z\"}");

	cr_expect_eq(decide_at(token, "2026-11-22T12:00:00Z").allow_again, 0);
	caps_token_free(token);
	token = link_of(with(BERLIN), "{\"until\":\"2026-11-23T08:00:00Z\"}");
	cr_expect_eq(decide_at(token, "2026-11-22T12:00:00Z").allow_again, 0);
	caps_token_free(token);
	token = link_of(NULL, "{\"for\":\"alice\",\"notBefore\":\"2027-11-24T00:00:00Z\","
			      "\"grants\":[{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"}]}");
	cr_expect_eq(decide_at(token, "2026-11-22T00:00:00Z").allow_again, 0);
	caps_token_free(token);
	token = with("\"from\":\"2027-11-24T00:00:00Z\"");
	cr_expect_eq(decide_at(token, "2026-11-22T00:00:00Z").allow_again, 0, "367 days");
	cr_expect_eq(
		decide_at(token, "2026-11-24T00:00:00Z").allow_again, at("2027-11-24T00:00:00Z"));
	caps_token_free(token);
}

Test(opening, the_grant_that_opens_first)
{
	caps_token *token = link_of(NULL,
		"{\"for\":\"alice\",\"grants\":["
		"{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\",\"when\":\"Fri 10:00-11:00 UTC\"},"
		"{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\",\"when\":\"Mon 10:00-11:00 UTC\","
		"\"reason\":3},"
		"{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\",\"when\":\"Wed 10:00-11:00 UTC\"},"
		"{\"verbs\":[\"unit.stop\"],\"on\":\"unit/*\"}],"
		"\"when\":\"10:30-12:00 UTC\"}");
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	caps_decision decision = decide_at(token, "2026-11-22T12:00:00Z"); /* a Sunday */

	cr_expect_eq(decision.code, HN_EDENIED);
	cr_expect(decision.slot == 0 && decision.caveat == CAPS_SCHEDULE);
	cr_expect_eq(decision.allow_again, at("2026-11-25T10:30:00Z"));
	request.reason = "why";
	caps_decide(token, &request, &w.facts, &decision, NULL, NULL);
	cr_expect_eq(decision.allow_again, at("2026-11-23T10:30:00Z"), "with a reason, Monday");
	request.verb = HN_VERB_UNIT_STOP;
	caps_decide(token, &request, &w.facts, &decision, NULL, NULL);
	cr_expect_eq(decision.allow_again, at("2026-11-23T10:30:00Z"));
	caps_token_free(token);
}

/* Waiting for what it says is enough, and nothing less is. */
Test(opening, is_exact)
{
	static const char *const schedules[] = {"Mon..Fri 09:00-17:30 Europe/Berlin",
		"02:15-02:45 Europe/Berlin", "Sun 23:00-01:00 Australia/Lord_Howe",
		"Sat,Sun 00:00-24:00 America/New_York except 2026-11-28..2026-11-29"};

	for (size_t i = 0; i < BASE_COUNT(schedules); i++) {
		char caveat[120];

		snprintf(caveat, sizeof(caveat), "\"when\":\"%s\"", schedules[i]);
		caps_token *token = with(caveat);
		caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
		for (int64_t now = at("2026-03-27T00:07:00Z"); now < at("2026-12-05T00:00:00Z");
			now += 39 * 3600 + 61) {
			caps_decision decision;

			world_begin(&w, now);
			caps_decide(token, &request, &w.facts, &decision, NULL, NULL);
			if (decision.code == HN_OK)
				continue;
			cr_assert_gt(decision.allow_again, now);
			world_begin(&w, decision.allow_again);
			cr_expect_eq(decided(token, &request, &w.facts, NULL), HN_OK);
			world_begin(&w, decision.allow_again - 1);
			cr_expect_neq(decided(token, &request, &w.facts, NULL), HN_OK);
		}
		caps_token_free(token);
	}
}
