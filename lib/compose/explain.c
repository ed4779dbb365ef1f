/* SPDX-License-Identifier: MIT
 *
 * A derivation as numbered lines. Steps that are used once are told with what they lead to, as long
 * as a line stays readable; those that are used twice get a line of their own and are named by its
 * number (after dart-lang/pub, doc/solver.md, "error reporting").
 */
#include "compose/explain.h"

enum {
	FACTS_SHOWN = 6,      /* of one line */
	DERIVATION_LINES = 13 /* the rest of the twenty is for the head and what can be changed */
};

typedef struct teller {
	const compose_problem *problem;
	const solver_result *result;
	uint32_t *uses;   /* of each step, by steps that lead to the contradiction */
	uint32_t *weight; /* how much a step brings into a line that tells it */
	uint32_t *line;   /* its line; 0 = told with another */
	uint32_t *seen;   /* the last line that told it */
	bool *told;       /* it gets a line */
	uint32_t number;  /* of the line that is being written */
} teller;

static bool is_fact(const solver_step *step)
{
	return step->cause[0] == UINT32_MAX;
}

static const problem_fact *fact_of(const teller *by, const solver_step *step)
{
	return &by->problem->facts[step->fact];
}

/* Contracts are chosen by pairs, which nobody can change: no line ends with them. */
static bool can_be_told(const teller *by, const solver_step *step)
{
	for (size_t i = 0; i < step->term_count; i++)
		if (by->problem->packages[step->terms[i].package].component == NULL &&
			!explain_is_idle(by->problem, &step->terms[i]))
			return false;
	if (is_fact(step))
		return fact_of(by, step)->kind == PROBLEM_NEED && fact_of(by, step)->empty;
	return true;
}

/* --- which steps get a line --- */

static void count_uses(teller *by)
{
	by->uses[by->result->step_count - 1] = 1;
	for (size_t i = by->result->step_count; i > 0; i--) {
		const solver_step *step = &by->result->steps[i - 1];

		if (by->uses[i - 1] == 0 || is_fact(step))
			continue;
		by->uses[step->cause[0]]++;
		by->uses[step->cause[1]]++;
	}
}

static void weigh(teller *by, size_t index, uint32_t most)
{
	const solver_step *step = &by->result->steps[index];
	const uint32_t *cause = step->cause;

	if (is_fact(step)) {
		by->told[index] = can_be_told(by, step) && most < UINT32_MAX;
		by->weight[index] = fact_of(by, step)->kind != PROBLEM_PROVIDER;
		return;
	}
	by->told[index] = by->uses[index] > 1 && most < UINT32_MAX && can_be_told(by, step);
	by->weight[index] = by->told[index] ? 1 : 0;
	while (!by->told[index]) {
		uint32_t first = by->weight[cause[0]], second = by->weight[cause[1]];
		uint32_t larger = cause[first < second];

		by->weight[index] = first + second;
		if (first + second <= most || by->told[larger] ||
			is_fact(&by->result->steps[larger]) ||
			!can_be_told(by, &by->result->steps[larger]))
			return;
		by->told[larger] = true;
		by->weight[larger] = 1;
	}
}

static size_t choose_lines(teller *by, uint32_t most)
{
	size_t count = 0, last = by->result->step_count - 1;

	for (size_t i = 0; i <= last; i++)
		if (by->uses[i] > 0)
			weigh(by, i, most);
	by->told[last] = true;
	for (size_t i = 0; i <= last; i++)
		count += by->uses[i] > 0 && by->told[i];
	return count;
}

/* --- writing --- */

typedef struct told_line {
	base_buf facts;
	size_t fact_count;
	uint32_t references[DERIVATION_LINES]; /* numbers of lines, rising */
	size_t reference_count;
} told_line;

/* The same words may come from several facts, as each pair of a contract has its own. */
static bool is_said(const base_buf *facts, const base_buf *fact)
{
	const char *found = facts->data != NULL ? strstr(facts->data, fact->data) : NULL;

	return found != NULL && (found == facts->data || found[-1] == ' ') &&
	       (found[fact->size] == '\0' || found[fact->size] == ';');
}

static void tell_fact(const teller *by, const solver_step *step, told_line *line)
{
	BASE_AUTO_BUF base_buf fact = {0};

	explain_fact(by->problem, step, &fact);
	if (fact.failed)
		line->facts.failed = true;
	if (fact.size == 0 || fact.failed || is_said(&line->facts, &fact))
		return;
	if (++line->fact_count > FACTS_SHOWN)
		return;
	base_buf_text(&line->facts, line->fact_count > 1 ? "; " : "");
	base_buf_add(&line->facts, fact.data, fact.size);
}

static void note_reference(uint32_t number, told_line *line)
{
	size_t at = line->reference_count++;

	for (; at > 0 && line->references[at - 1] > number; at--)
		line->references[at] = line->references[at - 1];
	line->references[at] = number;
}

/* Not when it is just the line before, which is still in mind. */
static void tell_references(const teller *by, const told_line *line, base_buf *out)
{
	size_t count = line->reference_count;

	if (count == 0 ||
		(count == 1 && line->fact_count > 0 && line->references[0] + 1 == by->number))
		return;
	for (size_t i = 0; i < count; i++)
		base_buf_format(out, "%s%" PRIu32,
			i == 0           ? "by "
			: i + 1 == count ? " and "
					 : ", ",
			line->references[i]);
	base_buf_text(out, line->fact_count > 0 ? ", " : "");
}

/* What a line tells: facts, and lines, in the order of the derivation. A stack of its own, as
 * derivations may be deep. */
static int tell_causes(teller *by, uint32_t index, told_line *line)
{
	const solver_step *steps = by->result->steps;
	uint32_t *stack = NULL;
	size_t count = 0, capacity = 0;
	int rc = base_grow(&stack, &capacity, 1, sizeof(*stack));

	if (rc == 0)
		stack[count++] = index;
	while (rc == 0 && count > 0) {
		uint32_t at = stack[--count];

		if (by->seen[at] == by->number)
			continue;
		by->seen[at] = by->number;
		if (at != index && by->line[at] > 0) {
			note_reference(by->line[at], line);
		} else if (is_fact(&steps[at])) {
			tell_fact(by, &steps[at], line);
		} else {
			bool turn = is_fact(&steps[steps[at].cause[0]]);

			rc = base_grow(&stack, &capacity, count + 2, sizeof(*stack));
			if (rc == 0) {
				stack[count++] = steps[at].cause[!turn];
				stack[count++] = steps[at].cause[turn];
			}
		}
	}
	base_free(stack);
	return rc;
}

static int tell_line(teller *by, uint32_t index, bool last, base_buf *out)
{
	told_line line = {.fact_count = 0};
	int rc = tell_causes(by, index, &line);

	if (rc < 0 || line.facts.failed) {
		base_buf_free(&line.facts);
		return HN_ENOMEM;
	}
	base_buf_format(out, "%" PRIu32 ". ", by->number);
	tell_references(by, &line, out);
	if (line.fact_count > 0)
		base_buf_text(out, line.facts.data);
	if (line.fact_count > FACTS_SHOWN)
		base_buf_format(out, "; and %zu more like these", line.fact_count - FACTS_SHOWN);
	base_buf_text(out, last ? ", so nothing fits" : ": ");
	if (!last)
		explain_conclusion(by->problem, &by->result->steps[index], out);
	base_buf_text(out, "\n");
	base_buf_free(&line.facts);
	return 0;
}

static int tell(teller *by, base_buf *out)
{
	size_t last = by->result->step_count - 1;

	count_uses(by);
	if (choose_lines(by, 3) > DERIVATION_LINES && choose_lines(by, 6) > DERIVATION_LINES)
		choose_lines(by, UINT32_MAX);
	for (size_t i = 0; i <= last; i++) {
		if (by->uses[i] == 0 || !by->told[i])
			continue;
		by->number++;
		if (tell_line(by, (uint32_t)i, i == last, out) < 0)
			return HN_ENOMEM;
		by->line[i] = by->number;
	}
	return 0;
}

static int tell_derivation(
	const compose_problem *problem, const solver_result *result, base_buf *out)
{
	teller by = {.problem = problem, .result = result};
	size_t count = result->step_count;
	int rc = HN_ENOMEM;

	by.uses = base_calloc(count, sizeof(*by.uses));
	by.weight = base_calloc(count, sizeof(*by.weight));
	by.line = base_calloc(count, sizeof(*by.line));
	by.seen = base_calloc(count, sizeof(*by.seen));
	by.told = base_calloc(count, sizeof(*by.told));
	if (by.uses != NULL && by.weight != NULL && by.line != NULL && by.seen != NULL &&
		by.told != NULL)
		rc = tell(&by, out);
	base_free(by.uses);
	base_free(by.weight);
	base_free(by.line);
	base_free(by.seen);
	base_free(by.told);
	return rc;
}

void explain_head(const compose_problem *problem, base_buf *out)
{
	base_buf_format(out, "no set of components fits blueprint %s (", problem->blueprint->name);
	explain_place(&problem->blueprint->place, out);
	base_buf_text(out, ")");
}

static size_t count_lines(const base_buf *out)
{
	size_t lines = 0;

	for (size_t i = 0; i < out->size; i++)
		lines += out->data[i] == '\n';
	return lines;
}

int compose_explain(
	const compose_problem *problem, const solver_result *result, base_buf *out, hn_error **err)
{
	explain_head(problem, out);
	base_buf_text(out, "\n");
	if (result->step_count == 0)
		base_buf_text(out, "why is longer than the limit of memory allows to tell\n");
	else if (tell_derivation(problem, result, out) < 0)
		return base_nomem(err);
	if (out->failed)
		return base_nomem(err);
	return explain_changes(problem, result, EXPLAIN_LINES - count_lines(out), out, err);
}
