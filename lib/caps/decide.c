/* SPDX-License-Identifier: MIT
 *
 * The order of evaluation, D2 to D6 of caps.md section 6: the first failure decides.
 */
#include "caps/caveat.h"
#include "caps/decide-private.h"

enum { OPENING_BUDGET = 1024 };

typedef struct run {
	const caps_program *program;
	const caps_token *token;
	const caps_request *request;
	const caps_facts *facts;
	caps_trial trial;
	caps_decision *decision;
	caps_note note;
	void *arg;
	bool decided; /* denied; without a note nothing more is asked */
	bool by_time;
} run;

const char *caps_channel_text(unsigned kind)
{
	static const char *const names[CAPS_CHANNELS] = {"process", "tls", "unix", "vsock", "mesh"};

	return kind < CAPS_CHANNELS ? names[kind] : NULL;
}

static bool enough(const run *r)
{
	return r->decided && r->note == NULL;
}

static void tell(const run *r, const caps_check *check)
{
	if (r->note != NULL)
		r->note(r->arg, check);
}

static void deny(run *r, hn_code code, const caps_check *check)
{
	if (r->decided)
		return;
	r->decided = true;
	r->decision->code = code;
	r->decision->link = check->link;
	r->decision->slot = check->slot;
	r->decision->caveat = check->id;
	r->decision->why = check->why;
}

/* What is asked that is no caveat. */
typedef struct question {
	const char *what, *why;
	hn_code code;
	caps_ending ending; /* for good: no request of this token will ever pass */
} question;

static bool answer(run *r, const question *q, uint8_t link, bool held)
{
	const caps_check check = {.link = link,
		.slot = CAPS_LINK_NONE,
		.grant = -1,
		.holds = held,
		.what = q->what,
		.why = held ? NULL : q->why};

	tell(r, &check);
	if (!held && !r->decided) {
		r->decision->lost = q->ending != CAPS_ENDS_NOT;
		r->decision->ending = q->ending;
		deny(r, q->code, &check);
	}
	return held;
}

/* True when it holds. */
static inline bool ask(run *r, const question *q, uint8_t link, bool held)
{
	return (held && r->note == NULL) || answer(r, q, link, held);
}

/* D2. What follows needs a verb and an object: false ends the run even when it is explained. */
static bool ask_request(run *r)
{
	static const question verb = {"verb", "there is no such verb", HN_EDENIED, CAPS_ENDS_NOT};
	static const question object = {
		"object", "the object is not in its one form", HN_EDENIED, CAPS_ENDS_NOT};
	const char *name = r->request->object;

	r->trial.object_size = name != NULL ? strlen(name) : 0;
	return ask(r, &verb, CAPS_LINK_NONE, (unsigned)r->request->verb < HN_VERB_COUNT) &&
	       ask(r, &object, CAPS_LINK_NONE,
		       name != NULL &&
			       (r->request->whole ? caps_pattern_valid(name, r->trial.object_size)
						  : caps_object_valid(name, r->trial.object_size)));
}

/* D3. */
static void ask_revocation(run *r)
{
	static const question issuer = {"issuer",
		"the issuer, with that epoch, is not trusted any more", HN_EDENIED,
		CAPS_ENDS_ISSUER};
	static const question subject = {"subject",
		"all that the subject was given until then is revoked", HN_EDENIED,
		CAPS_ENDS_SUBJECT};
	static const question revocation = {"revocation", "revoked", HN_EDENIED, CAPS_ENDS_LINK};
	const caps_facts *facts = r->facts;
	const caps_token *token = r->token;

	ask(r, &issuer, CAPS_LINK_NONE,
		facts->issuer != NULL && facts->issuer(facts->arg, token->kid));
	if (enough(r))
		return;
	ask(r, &subject, CAPS_LINK_NONE,
		facts->subject_epoch != NULL &&
			facts->subject_epoch(facts->arg, (const char *)token->subject.bytes,
				token->subject.size) <= token->subject_epoch);
	for (size_t i = 0; i < token->link_count && !enough(r); i++)
		ask(r, &revocation, (uint8_t)i,
			facts->revoked != NULL &&
				!facts->revoked(facts->arg, token->links[i].cti.bytes));
}

/* D4. */
static void ask_clock(run *r)
{
	static const question clock = {
		"clock", "the clock is not to be trusted", HN_ECLOCK, CAPS_ENDS_NOT};
	static const question begins = {"begins", "not valid yet", HN_EDENIED, CAPS_ENDS_NOT};
	static const question expires = {"expires", "expired", HN_EDENIED, CAPS_ENDS_TIME};
	int64_t soon = r->facts->earliest + CAPS_CLOCK_LEEWAY, latest = r->facts->latest;

	ask(r, &clock, CAPS_LINK_NONE, !r->facts->clock_suspect);
	if (r->note == NULL && r->program->begins <= soon && latest < r->program->expires)
		return;
	for (size_t i = 0; i < r->token->link_count && !enough(r); i++) {
		const caps_link *link = &r->token->links[i];
		bool first = !r->decided;

		if (!ask(r, &begins, (uint8_t)i, link->issued <= soon && link->not_before <= soon))
			r->by_time |= first;
		if (!enough(r))
			ask(r, &expires, (uint8_t)i, latest < link->expires);
	}
}

/* What the caveats of one grant, or of one link, come to. */
typedef struct span {
	size_t first, count;
	int grant; /* -1: of the chain */
} span;

static const char *what_of(const caps_op *op)
{
	const char *name = caps_caveat_name(op->caveat->id);

	return name != NULL ? name : "unknown";
}

/* The first caveat that does not hold, or NULL; `until` sinks to the first edge. */
static const caps_op *ask_caveats(run *r, const span *s, int64_t *until, const char **why)
{
	const caps_op *failed = NULL;

	for (size_t i = s->first; i < s->first + s->count; i++) {
		const caps_op *op = &r->program->ops[i];
		caps_outcome outcome = caps_op_try(op, &r->trial);

		if (r->note != NULL) {
			const caps_check check = {.link = op->caveat->link,
				.slot = op->caveat->slot,
				.id = op->caveat->id,
				.grant = (int8_t)s->grant,
				.holds = outcome.why == NULL,
				.caveat = op->caveat,
				.what = what_of(op),
				.why = outcome.why};

			r->note(r->arg, &check);
		}
		if (outcome.why == NULL) {
			*until = outcome.until < *until ? outcome.until : *until;
		} else if (failed == NULL) {
			failed = op;
			*why = outcome.why;
			if (r->note == NULL)
				break;
		}
	}
	return failed;
}

static void deny_by(run *r, const caps_op *op, const char *why)
{
	const caps_check check = {.link = op->caveat->link,
		.slot = op->caveat->slot,
		.id = op->caveat->id,
		.why = why};

	r->by_time |= !r->decided && caps_op_is_time(op);
	deny(r, caps_op_code(op), &check);
}

static span span_of(const caps_grant *grant, size_t index)
{
	return (span){grant->first_caveat, grant->caveat_count, (int)index};
}

static bool has_verb(const run *r, const caps_grant *grant)
{
	return caps_mask_has(&grant->mask, r->request->verb);
}

static bool has_object(const run *r, const caps_grant *grant)
{
	return caps_pattern_match((const char *)grant->pattern.bytes, grant->pattern.size,
		r->request->object, r->trial.object_size);
}

static bool covers(const run *r, size_t index)
{
	const caps_grant *grant = &r->token->grants[index];
	bool verb = has_verb(r, grant), object = verb && has_object(r, grant);

	if (r->note != NULL) {
		const caps_check check = {.link = 0,
			.slot = CAPS_LINK_NONE,
			.grant = (int8_t)index,
			.holds = object,
			.what = "grant",
			.why = object ? NULL
			       : verb ? "its pattern does not match the object"
				      : "it does not have the verb"};

		r->note(r->arg, &check);
	}
	return object;
}

/* What the path that allows takes along: masks of what is left out, caveats that count. */
static void take_along(run *r, const span *s)
{
	caps_decision *decision = r->decision;
	uint64_t left = s->count > 0 ? r->program->taken >> s->first : 0;

	if (s->count < CAPS_CAVEATS)
		left &= (UINT64_C(1) << s->count) - 1;
	for (; left != 0; left &= left - 1) {
		const caps_op *op = &r->program->ops[s->first + (size_t)__builtin_ctzll(left)];

		if (op->id != CAPS_REDACT) {
			decision->counted[decision->counted_count++] = op->caveat;
			continue;
		}
		for (size_t byte = 0; byte < op->count; byte++)
			decision->redact[byte] |= op->list[byte];
	}
}

/* D5. */
static void ask_grants(run *r)
{
	static const caps_check none = {
		.link = 0, .slot = CAPS_LINK_NONE, .why = "no grant has this verb on this object"};
	const caps_op *failed = NULL;
	const char *failed_why = NULL;
	bool chosen = false, before = r->decided; /* then it is only listened to */

	for (size_t i = 0; i < r->token->grant_count && !(chosen && r->note == NULL); i++) {
		span own = span_of(&r->token->grants[i], i);
		int64_t until = INT64_MAX;
		const char *why = NULL;

		if (!covers(r, i))
			continue;
		const caps_op *op = ask_caveats(r, &own, &until, &why);
		if (op != NULL && failed == NULL) {
			failed = op;
			failed_why = why;
			if (!chosen && !before)
				r->decision->grant = i;
		}
		if (op != NULL || chosen)
			continue;
		chosen = true;
		if (!before)
			r->decision->grant = i;
		if (until < r->decision->valid_until)
			r->decision->valid_until = until;
		take_along(r, &own);
	}
	if (chosen)
		return;
	if (failed != NULL)
		deny_by(r, failed, failed_why);
	else
		deny(r, HN_EDENIED, &none);
}

/* D6. */
static void ask_links(run *r)
{
	for (size_t i = 0; i < r->token->link_count && !enough(r); i++) {
		const caps_link *link = &r->token->links[i];
		const span own = {link->first_caveat, link->caveat_count, -1};
		const char *why = NULL;
		const caps_op *failed = ask_caveats(r, &own, &r->decision->valid_until, &why);

		if (failed != NULL)
			deny_by(r, failed, why);
		take_along(r, &own);
	}
}

/* Does nothing but the clock stand against these, and not for good? */
static bool wait(const run *r, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		const caps_op *op = &r->program->ops[i];

		if (op->id == CAPS_WINDOW && op->b <= r->facts->latest)
			return false;
		if (!caps_op_is_time(op) && caps_op_try(op, &r->trial).why != NULL)
			return false;
	}
	return true;
}

/* A caveat behind the one that decided may deny for another reason, and go on doing so. */
static bool links_wait(const run *r)
{
	for (size_t i = 0; i < r->token->link_count; i++)
		if (!wait(r, r->token->links[i].first_caveat, r->token->links[i].caveat_count))
			return false;
	return true;
}

/* Does the grant cover the request, and does nothing but the clock stand against it? */
static bool waits(const run *r, size_t index)
{
	const caps_grant *grant = &r->token->grants[index];

	return has_verb(r, grant) && has_object(r, grant) &&
	       wait(r, grant->first_caveat, grant->caveat_count);
}

static void find_opening(const run *r)
{
	caps_decision *decision = r->decision;
	int budget = OPENING_BUDGET;

	if (!links_wait(r))
		return;
	bool opens = caps_opening(r->program, SIZE_MAX, r->facts->latest, &budget) != 0;
	for (size_t i = 0; i < r->token->grant_count; i++) {
		if (!waits(r, i))
			continue;
		int64_t at = opens ? caps_opening(r->program, i, r->facts->latest, &budget) : 0;

		if (at != 0 && (decision->allow_again == 0 || at < decision->allow_again))
			decision->allow_again = at;
	}
}

static void finish_denied(run *r)
{
	caps_decision *decision = r->decision;

	decision->valid_until = 0;
	decision->counted_count = 0;
	memset(decision->redact, 0, sizeof(decision->redact));
	if (r->by_time)
		find_opening(r);
}

void caps_decision_begin(caps_decision *decision)
{
	memset(decision, 0, offsetof(caps_decision, counted));
	decision->counted_count = 0;
	decision->uses_tags = decision->uses_approval = false;
	decision->link = decision->slot = CAPS_LINK_NONE;
	decision->grant = SIZE_MAX;
}

void caps_decide_program(const caps_program *program, const caps_request *request,
	const caps_facts *facts, caps_decision *decision, caps_note note, void *arg)
{
	run r = {.program = program,
		.token = program->token,
		.request = request,
		.facts = facts,
		.trial = {.program = program, .request = request, .facts = facts},
		.decision = decision,
		.note = note,
		.arg = arg};

	caps_decision_begin(decision);
	decision->valid_until = program->expires;
	decision->uses_tags = program->uses_tags;
	decision->uses_approval = program->uses_approval;
	if (ask_request(&r)) {
		ask_revocation(&r);
		if (!enough(&r))
			ask_clock(&r);
		if (!enough(&r))
			ask_grants(&r);
		if (!enough(&r))
			ask_links(&r);
	}
	if (r.decided)
		finish_denied(&r);
}

void caps_decide(const caps_token *token, const caps_request *request, const caps_facts *facts,
	caps_decision *decision, caps_note note, void *arg)
{
	BASE_AUTO_OF(caps_program) caps_program *program = NULL;
	int rc = caps_program_new(token, facts, &program, NULL);

	if (rc == 0) {
		caps_decide_program(program, request, facts, decision, note, arg);
		return;
	}
	caps_decision_begin(decision);
	decision->code = (hn_code)rc;
	decision->why = "out of memory";
}
