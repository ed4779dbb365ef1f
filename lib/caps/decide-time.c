/* SPDX-License-Identifier: MIT
 *
 * When the clock will let a denied request pass: one instant at which every window is open at once.
 */
#include "caps/decide-private.h"

#define HORIZON INT64_C(31622400) /* 366 days */

typedef struct search {
	const caps_program *program;
	int64_t at;
	int *budget; /* schedules that may still be asked: a holder can add many */
	bool never;
} search;

/* Moves on to where the caveat holds. */
static void move_to(search *s, const caps_op *op)
{
	int64_t opens = s->at;

	if (op->id == 0) {
		s->never = true; /* no hour makes it hold */
	} else if (op->id == CAPS_WINDOW) {
		s->never |= s->at >= op->b;
		s->at = s->at < op->a ? op->a : s->at;
	} else if (op->id == CAPS_SCHEDULE) {
		if (op->zone == NULL || (*s->budget)-- <= 0 ||
			!codec_schedule_opens(op->schedule, op->zone, s->at, &opens))
			s->never = true;
		else
			s->at = opens;
	}
}

static void move_over(search *s, size_t first, size_t count, int64_t end)
{
	for (size_t i = first; i < first + count && !s->never; i++) {
		move_to(s, &s->program->ops[i]);
		s->never |= s->at >= end;
	}
}

int64_t caps_opening(const caps_program *program, size_t grant, int64_t now, int *budget)
{
	const caps_token *token = program->token;
	search s = {.program = program, .at = now + 1, .budget = budget};
	int64_t end = now + HORIZON < program->expires ? now + HORIZON : program->expires;

	if (s.at < program->begins - CAPS_CLOCK_LEEWAY)
		s.at = program->begins - CAPS_CLOCK_LEEWAY;
	s.never = s.at >= end;
	while (!s.never) {
		int64_t before = s.at;

		if (grant < token->grant_count)
			move_over(&s, token->grants[grant].first_caveat,
				token->grants[grant].caveat_count, end);
		for (size_t link = 0; link < token->link_count; link++)
			move_over(&s, token->links[link].first_caveat,
				token->links[link].caveat_count, end);
		if (s.at == before && !s.never)
			return s.at;
	}
	return 0;
}
