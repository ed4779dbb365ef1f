/* SPDX-License-Identifier: MIT
 *
 * What can be changed so that something fits: each line of the blueprint among the reasons is left
 * out alone, and what is then left is solved.
 */
#include "compose/explain.h"

enum {
	TRIES = 8,
	CONFLICTS = 20000 /* of one try: an answer that is late is none */
};

typedef struct changes {
	const compose_problem *problem;
	const solver_result *result;
	base_buf *out;
	size_t lines, tries;
	bool some;
} changes;

static void begin_line(changes *in)
{
	base_buf_text(in->out, in->some ? "            or  " : "you can change:  ");
	in->some = true;
	in->lines--;
}

/* "^18" for 18.20.4: the series, where a range says it. */
static void say_series(const compose_version *version, base_buf *out)
{
	if (version->pre != NULL || (version->major == 0 && version->minor == 0))
		base_buf_format(out, "=%.*s", (int)version->text_size, version->text);
	else if (version->major > 0)
		base_buf_format(out, "^%" PRIu64, version->major);
	else
		base_buf_format(out, "^0.%" PRIu64, version->minor);
}

static void say_range_change(
	changes *in, const char *name, const compose_range *range, const compose_version *version)
{
	base_buf_format(in->out, "%s \"%s\" -> \"", name, compose_range_text(range));
	say_series(version, in->out);
	base_buf_text(in->out, "\"");
}

static void say_wish(changes *in, const compose_problem *tried, const solver_result *result,
	const problem_change *change)
{
	const compose_wish *wish = change->wish;
	const problem_component *component =
		base_map_get(tried->components, wish->component, strlen(wish->component));

	if (change->whole)
		base_buf_format(in->out, "leave %s out", wish->component);
	else
		say_range_change(in, wish->component, wish->range,
			&component->releases[result->chosen[component->package] - 1]
				 .manifest->version);
}

static void say_exclude(changes *in, const compose_wish *wish)
{
	base_buf_format(in->out, "do not exclude %s%s%s", wish->component,
		wish->range != NULL ? " " : "",
		wish->range != NULL ? compose_range_text(wish->range) : "");
}

/* Of what was asked the package that answers it is found by its fact. */
static const problem_package *asked_package(const compose_problem *tried,
	const compose_requirement *requirement, const solver_result *result, uint32_t *rank)
{
	for (size_t i = 0; i < tried->fact_count; i++) {
		const problem_fact *fact = &tried->facts[i];

		if (fact->kind == PROBLEM_ASKED && fact->requirement == requirement) {
			*rank = result->chosen[fact->target];
			return &tried->packages[fact->target];
		}
	}
	return NULL;
}

static void say_asked(changes *in, const compose_problem *tried, const solver_result *result,
	const problem_change *change)
{
	const compose_requirement *requirement = change->requirement;
	const char *name =
		requirement->contract != NULL ? requirement->contract : requirement->component;
	uint32_t rank = 0;
	const problem_package *package = asked_package(tried, requirement, result, &rank);
	const compose_version *version;

	if (package == NULL) {
		base_buf_format(in->out, "leave %s out", name);
		return;
	}
	version = package->contract != NULL
			  ? &package->pairs[rank - 1]->provision->version
			  : &package->component->releases[rank - 1].manifest->version;
	if (change->range)
		say_range_change(in, name, requirement->range, version);
	else
		base_buf_text(in->out, name);
	if (change->fields)
		base_buf_text(in->out, " without its fields");
}

static void say_change(changes *in, const problem_fact *fact, const compose_problem *tried,
	const solver_result *result, const problem_change *change)
{
	begin_line(in);
	explain_place(fact->place, in->out);
	base_buf_text(in->out, "  ");
	if (fact->kind == PROBLEM_EXCLUDED)
		say_exclude(in, fact->wish);
	else if (fact->kind == PROBLEM_WISH)
		say_wish(in, tried, result, change);
	else
		say_asked(in, tried, result, change);
	base_buf_text(in->out, "  (checked: fits)\n");
}

/* 1 when what is left fits, and was said; 0 when not. */
static int try_change(
	changes *in, const problem_fact *fact, const problem_change *change, hn_error **err)
{
	BASE_AUTO_OF(compose_problem) compose_problem *tried = NULL;
	solver_result result = {0};
	int rc;

	if (in->tries == 0 || in->lines == 0)
		return 0;
	in->tries--;
	rc = compose_problem_new(in->problem->registry, in->problem->blueprint,
		in->problem->options, change, &tried, err);
	if (rc == 0)
		rc = compose_problem_run(tried, CONFLICTS, &result, err);
	if (rc == HN_ENOSOLUTION || rc == HN_EBUDGET)
		return 0;
	if (rc < 0)
		return rc;
	say_change(in, fact, tried, &result, change);
	return 1;
}

/* The least first: the range alone, the fields alone, both, then all of it. */
static int try_fact(changes *in, const problem_fact *fact, hn_error **err)
{
	bool asked = fact->kind == PROBLEM_ASKED;
	bool fields = asked && fact->requirement->demand_count > 0;
	bool range = asked || (fact->kind == PROBLEM_WISH && fact->wish->range != NULL);
	const struct {
		bool tried;
		problem_change change;
	} parts[] = {{range, {.range = true}}, {fields, {.fields = true}},
		{fields, {.range = true, .fields = true}}, {true, {.whole = true}}};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < BASE_COUNT(parts); i++) {
		problem_change change = parts[i].change;

		change.wish = fact->wish;
		change.requirement = fact->requirement;
		if (parts[i].tried)
			rc = try_change(in, fact, &change, err);
	}
	return rc;
}

/* --- which facts the contradiction rests on --- */

static bool is_reason(const changes *in, uint32_t fact)
{
	for (size_t i = 0; i < in->result->step_count; i++)
		if (in->result->steps[i].cause[0] == UINT32_MAX &&
			in->result->steps[i].fact == fact)
			return true;
	return false;
}

static int try_all(changes *in, hn_error **err)
{
	for (uint32_t i = 0; i < in->problem->fact_count; i++) {
		const problem_fact *fact = &in->problem->facts[i];
		int rc;

		if ((fact->kind != PROBLEM_WISH && fact->kind != PROBLEM_ASKED &&
			    fact->kind != PROBLEM_EXCLUDED) ||
			!is_reason(in, i))
			continue;
		rc = try_fact(in, fact, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What nothing in the registries answers, each once. */
static void say_missing(changes *in)
{
	for (uint32_t i = 0; i < in->problem->fact_count && in->lines > 0; i++) {
		const problem_fact *fact = &in->problem->facts[i];
		bool before = false;

		if (!fact->empty || fact->requirement == NULL || !is_reason(in, i))
			continue;
		for (uint32_t j = 0; j < i; j++)
			before = before ||
				 (in->problem->facts[j].target == fact->target &&
					 in->problem->facts[j].requirement == fact->requirement &&
					 is_reason(in, j));
		if (before)
			continue;
		begin_line(in);
		base_buf_text(in->out, fact->requirement->contract != NULL ? "add a provider of "
									   : "add a release of ");
		explain_target(fact->requirement, in->out);
		base_buf_text(in->out, " (none in the registries)\n");
	}
}

int explain_changes(const compose_problem *problem, const solver_result *result, size_t lines,
	base_buf *out, hn_error **err)
{
	changes in = {.problem = problem,
		.result = result,
		.out = out,
		.lines = lines > 1 ? lines - 1 : 0,
		.tries = TRIES};
	int rc = try_all(&in, err);

	if (rc < 0)
		return rc;
	in.lines++; /* kept for this */
	say_missing(&in);
	if (!in.some)
		base_buf_text(out, "no single change of the blueprint helps\n");
	return out->failed ? base_nomem(err) : 0;
}
