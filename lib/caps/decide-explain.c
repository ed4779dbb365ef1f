/* SPDX-License-Identifier: MIT
 *
 * Why a request is allowed or denied, in words: the rule that decides, until when, from when, and
 * what every grant and caveat says.
 */
#include "caps/caveat.h"
#include "caps/decide-private.h"
#include "caps/terms-private.h"

enum { EDGES = 512 };
#define YEAR INT64_C(31622400) /* 366 days */

typedef struct explaining {
	const caps_program *program;
	const caps_facts *facts;
	hn_json *json;
} explaining;

/* --- a caveat as a line of text --- */

typedef struct line {
	base_buf *text;
	const char *after; /* what goes before the next value */
} line;

static bool is_index(const char *word, size_t size)
{
	return size > 0 && strspn(word, "0123456789") >= size;
}

/* From "/tags/all/0", "web" to "all web"; the name of the caveat stands there already. */
static int add_value(void *arg, const char *place, const char *value)
{
	line *out = arg;
	const char *word = strchr(place + 1, '/');
	bool is_key = false;

	base_buf_text(out->text, out->after);
	while (word != NULL) {
		size_t size = strcspn(word + 1, "/");

		is_key = size == 3 && strncmp(word + 1, "key", 3) == 0;
		if (!is_index(word + 1, size) && !is_key) {
			base_buf_add(out->text, word + 1, size);
			base_buf_text(out->text, " ");
		}
		word = word[1 + size] == '/' ? word + 1 + size : NULL;
	}
	base_buf_text(out->text, value != NULL ? value : "null");
	out->after = is_key ? " " : ", ";
	return 0;
}

static void add_caveat(base_buf *text, const caps_caveat *caveat)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *name = caps_caveat_name(caveat->id), *made = NULL;
	line out = {text, " "};

	base_buf_text(text, name != NULL ? name : "unknown caveat");
	if (hn_json_new(false, &json, NULL) < 0) {
		text->failed = true;
		return;
	}
	caps_caveat_json(json, caveat);
	if (hn_json_finish(json, &made, NULL, NULL) < 0 ||
		hn_json_walk(made, add_value, &out, NULL) < 0)
		text->failed = true;
}

/* --- schedules: when it opens, when it closes --- */

static void add_local(base_buf *text, const codec_zone *zone, int64_t instant)
{
	char at[CAPS_TIME_TEXT];
	int64_t transition = 0;
	int32_t offset = 0;

	codec_tzif_offset(zone, instant, &offset, &transition);
	caps_time_text(instant + offset, at);
	at[10] = ' ';
	at[16] = '\0';
	base_buf_text(text, at);
}

/* The end of what is open now, over windows that follow at once; false: not within a year. */
static bool closes(const caps_op *op, int64_t now, int64_t *instant)
{
	bool open = true;

	*instant = now;
	for (int i = 0; i < EDGES && *instant < now + YEAR; i++) {
		int64_t at = *instant;

		codec_schedule_check(op->schedule, op->zone, at, &open, instant);
		if (!open) {
			*instant = at;
			return true;
		}
	}
	return false;
}

static void add_hours(const explaining *e, base_buf *text, const caps_op *op, bool holds)
{
	int64_t now = e->facts->latest, instant = 0;

	if (op->id != CAPS_SCHEDULE || op->zone == NULL)
		return;
	if (holds && closes(op, now, &instant)) {
		base_buf_text(text, "open until ");
		add_local(text, op->zone, instant);
	} else if (holds) {
		base_buf_text(text, "open");
	} else if (codec_schedule_opens(op->schedule, op->zone, now, &instant) && instant > now &&
		   instant <= now + YEAR) {
		base_buf_text(text, ", opens ");
		add_local(text, op->zone, instant);
	}
}

/* "schedule Mon..Fri 09:00-17:30 Europe/Berlin: closed now, opens 2026-11-23 09:00" */
static void put_caveat(
	const explaining *e, const char *key, const caps_caveat *caveat, const char *why)
{
	const caps_op *op = &e->program->ops[caveat - e->program->token->caveats];
	base_buf text = {0}, hours = {0};

	add_caveat(&text, caveat);
	add_hours(e, &hours, op, why == NULL);
	if (why != NULL || hours.size > 0)
		base_buf_text(&text, ": ");
	if (why != NULL)
		base_buf_text(&text, why);
	if (hours.size > 0)
		base_buf_text(&text, hours.data);
	text.failed |= hours.failed;
	base_buf_free(&hours);
	caps_print_buf(e->json, key, &text);
}

static void put_grant(const explaining *e, size_t index)
{
	const caps_grant *grant = &e->program->token->grants[index];
	const char *before = "grant of ";
	base_buf text = {0};

	for (unsigned i = 0; i < HN_VERB_COUNT; i++) {
		if (!caps_mask_has(&grant->mask, (hn_verb)i))
			continue;
		base_buf_text(&text, before);
		base_buf_text(&text, base_verb_text((hn_verb)i));
		before = ", ";
	}
	base_buf_format(
		&text, " on %.*s", (int)grant->pattern.size, (const char *)grant->pattern.bytes);
	caps_print_buf(e->json, "text", &text);
}

/* --- the document --- */

static void put_time(hn_json *json, const char *key, int64_t seconds)
{
	char text[CAPS_TIME_TEXT];

	if (seconds <= 0 || seconds > CAPS_TIME_MAX) {
		hn_json_null(json, key);
		return;
	}
	caps_time_text(seconds, text);
	hn_json_text(json, key, text);
}

/* Whoever makes a token is told apart from hours that only have not come. */
static bool lacks_zone(const explaining *e, const caps_caveat *caveat)
{
	const caps_op *op = &e->program->ops[caveat - e->program->token->caveats];

	return op->id == CAPS_SCHEDULE && op->zone == NULL;
}

static void put_check(void *arg, const caps_check *check)
{
	const explaining *e = arg;
	hn_json *json = e->json;

	hn_json_object(json, NULL);
	if (check->grant >= 0)
		hn_json_int(json, "grant", check->grant);
	if (check->link != CAPS_LINK_NONE)
		hn_json_int(json, "link", check->link);
	if (check->slot != CAPS_LINK_NONE)
		hn_json_int(json, "slot", check->slot);
	hn_json_text(json, check->caveat != NULL ? "caveat" : "check", check->what);
	hn_json_bool(json, "holds", check->holds);
	if (check->caveat != NULL)
		put_caveat(e, "text", check->caveat, check->why);
	else if (check->grant >= 0)
		put_grant(e, (size_t)check->grant);
	if (check->why != NULL)
		hn_json_text(json, "why", check->why);
	if (check->caveat != NULL && lacks_zone(e, check->caveat))
		hn_json_text(json, "code", hn_code_name(HN_EZONE));
	hn_json_end(json);
}

static const caps_caveat *caveat_at(const caps_token *token, uint8_t link, uint8_t slot)
{
	for (size_t i = 0; i < token->caveat_count; i++)
		if (token->caveats[i].link == link && token->caveats[i].slot == slot)
			return &token->caveats[i];
	return NULL;
}

/* "link 1: expired" where no caveat decided. */
static void put_plain(const explaining *e, const caps_decision *decision)
{
	base_buf text = {0};

	if (decision->link != CAPS_LINK_NONE)
		base_buf_format(&text, "link %d: ", decision->link);
	base_buf_text(&text, decision->why);
	caps_print_buf(e->json, "text", &text);
}

static const caps_link *link_that_ended(const caps_token *token, caps_ending ending, uint8_t link)
{
	bool named = ending == CAPS_ENDS_LINK || ending == CAPS_ENDS_TIME;

	return named && link < token->link_count ? &token->links[link] : NULL;
}

void caps_explain_ended(hn_json *json, const caps_token *token, caps_ending ending, uint8_t link,
	const caps_facts *facts)
{
	static const char *const words[] = {
		[CAPS_ENDS_ISSUER] = "issuer",
		[CAPS_ENDS_SUBJECT] = "subject",
		[CAPS_ENDS_LINK] = "token",
		[CAPS_ENDS_TIME] = "expiry",
	};
	const caps_link *ended = link_that_ended(token, ending, link);
	caps_ended on_record = {0};

	if (ending == CAPS_ENDS_NOT)
		return;
	if (ending == CAPS_ENDS_TIME && ended != NULL)
		on_record.since = ended->expires;
	if (facts->ended != NULL)
		facts->ended(facts->arg, token, ending, link, &on_record);
	hn_json_object(json, "ended");
	hn_json_text(json, "by", on_record.by != NULL ? on_record.by : words[ending]);
	if (ended != NULL) {
		hn_json_int(json, "link", link);
		caps_print_hex(json, "cti", ended->cti.bytes, ended->cti.size);
	}
	put_time(json, "since", on_record.since);
	if (on_record.record != 0)
		hn_json_uint(json, "record", on_record.record);
	if (on_record.tells_reason)
		hn_json_text(json, "reason", on_record.reason);
	hn_json_end(json);
	base_free(on_record.reason);
}

static void put_rule(const explaining *e, const caps_decision *decision)
{
	const caps_caveat *caveat = caveat_at(e->program->token, decision->link, decision->slot);
	const char *name = caveat != NULL ? caps_caveat_name(caveat->id) : NULL;
	hn_json *json = e->json;

	hn_json_text(json, "code", hn_code_name(decision->code));
	hn_json_text(json, "why", decision->why);
	hn_json_object(json, "rule");
	if (decision->link != CAPS_LINK_NONE)
		hn_json_int(json, "link", decision->link);
	if (caveat != NULL) {
		hn_json_int(json, "slot", decision->slot);
		hn_json_text(json, "caveat", name != NULL ? name : "unknown");
		put_caveat(e, "text", caveat, decision->why);
	} else {
		put_plain(e, decision);
	}
	hn_json_end(json);
	put_time(json, "allowAgain", decision->allow_again);
	hn_json_bool(json, "lost", decision->lost);
	caps_explain_ended(json, e->program->token, decision->ending, decision->link, e->facts);
}

static void put_allowed(const explaining *e, const caps_decision *decision)
{
	hn_json *json = e->json;

	hn_json_int(json, "grant", (int64_t)decision->grant);
	put_time(json, "validUntil", decision->valid_until);
	hn_json_array(json, "redact");
	for (unsigned i = 0; i < CAPS_MASK_BYTES * 8; i++) {
		if ((decision->redact[i / 8] >> i % 8 & 1) == 0)
			continue;
		const char *word = caps_redact_text(i);

		if (word != NULL)
			hn_json_text(json, NULL, word);
		else
			hn_json_int(json, NULL, (int64_t)i);
	}
	hn_json_end(json);
	hn_json_array(json, "counted");
	for (size_t i = 0; i < decision->counted_count; i++) {
		hn_json_object(json, NULL);
		hn_json_int(json, "link", decision->counted[i]->link);
		hn_json_int(json, "slot", decision->counted[i]->slot);
		put_caveat(e, "text", decision->counted[i], NULL);
		hn_json_end(json);
	}
	hn_json_end(json);
}

void caps_explain(const caps_program *program, const caps_request *request, const caps_facts *facts,
	hn_json *json)
{
	explaining e = {program, facts, json};
	bool known = (unsigned)request->verb < HN_VERB_COUNT;
	caps_decision decision;

	caps_decide_program(program, request, facts, &decision, NULL, NULL);
	hn_json_text(json, "verb", known ? base_verb_text(request->verb) : NULL);
	hn_json_text(json, "object", request->object);
	hn_json_bool(json, "allowed", decision.code == HN_OK);
	if (decision.code == HN_OK)
		put_allowed(&e, &decision);
	else
		put_rule(&e, &decision);
	hn_json_array(json, "checks");
	caps_decide_program(program, request, facts, &decision, put_check, &e);
	hn_json_end(json);
}
