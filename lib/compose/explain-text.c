/* SPDX-License-Identifier: MIT
 *
 * Facts and conclusions in words that name only what a user can change: components, versions,
 * contracts, lines of files. Pairs of providers are never told as such.
 */
#include "compose/explain.h"

enum { LISTED = 3 }; /* of anything; then "and N more" */

void explain_place(const compose_place *place, base_buf *out)
{
	base_buf_format(out, "%s:%d", place->file, place->line);
}

static void say_place(const compose_place *place, base_buf *out)
{
	if (place == NULL)
		return;
	base_buf_text(out, " (");
	explain_place(place, out);
	base_buf_text(out, ")");
}

/* --- versions --- */

static const compose_version *version_at(const problem_component *component, uint32_t rank)
{
	return &component->releases[rank - 1].manifest->version;
}

static void say_version(const compose_version *version, base_buf *out)
{
	base_buf_add(out, version->text, version->text_size);
}

/* As few numbers of a version as tell it from the one before it. */
static void say_bound(const problem_component *component, uint32_t rank, base_buf *out)
{
	const compose_version *version = version_at(component, rank);
	const compose_version *before = version_at(component, rank - 1);

	if (version->pre != NULL || before->pre != NULL)
		say_version(version, out);
	else if (version->major != before->major)
		base_buf_format(out, "%" PRIu64, version->major);
	else if (version->minor != before->minor)
		base_buf_format(out, "%" PRIu64 ".%" PRIu64, version->major, version->minor);
	else
		say_version(version, out);
}

/* Versions first .. last, which are neighbours. */
static void say_run(
	const problem_component *component, uint32_t first, uint32_t last, base_buf *out)
{
	if (first == last) {
		say_version(version_at(component, first), out);
		return;
	}
	if (first > 1) {
		base_buf_text(out, ">=");
		say_bound(component, first, out);
	}
	if (last < component->count) {
		base_buf_text(out, first > 1 ? " <" : "<");
		say_bound(component, last + 1, out);
	}
}

static uint32_t run_end(const solver_set *set, uint32_t rank, uint32_t count)
{
	while (rank < count && problem_set_has(set, rank + 1))
		rank++;
	return rank;
}

static bool is_whole(const problem_component *component, const solver_set *set)
{
	return component->count > 1 && problem_set_has(set, 1) &&
	       run_end(set, 1, component->count) == component->count;
}

void explain_versions(const problem_component *component, const solver_set *set, base_buf *out)
{
	size_t runs = 0;

	base_buf_text(out, component->name);
	if (is_whole(component, set))
		return;
	for (uint32_t rank = 1; rank <= component->count; rank++) {
		uint32_t last;

		if (!problem_set_has(set, rank))
			continue;
		last = run_end(set, rank, component->count);
		if (++runs <= LISTED) {
			base_buf_text(out, runs > 1 ? " or " : " ");
			say_run(component, rank, last, out);
		}
		rank = last;
	}
	if (runs > LISTED)
		base_buf_format(out, " or %zu more", runs - LISTED);
}

/* --- who provides --- */

typedef struct provider_list {
	const problem_provider *newest[LISTED + 1];
	size_t components; /* different ones */
	size_t releases;
} provider_list;

static void note_provider(provider_list *list, const problem_provider *pair)
{
	size_t last = list->components;

	list->releases++;
	if (last > 0 && last <= LISTED && list->newest[last - 1]->component == pair->component) {
		list->newest[last - 1] = pair;
		return;
	}
	if (last > LISTED && list->newest[LISTED]->component == pair->component)
		return;
	list->newest[last < LISTED ? last : LISTED] = pair;
	list->components++;
}

static void say_pair(const problem_provider *pair, base_buf *out)
{
	base_buf_format(out, "%s ", pair->component->name);
	say_version(version_at(pair->component, pair->rank), out);
}

static void say_more(size_t count, base_buf *out)
{
	if (count > LISTED)
		base_buf_format(out, " and %zu more", count - LISTED);
}

/* "only nginx 1.22.1 and apache 2.4.0 provide it": the newest of each. */
static void say_providers(const provider_list *list, base_buf *out)
{
	for (size_t i = 0; i < list->components && i < LISTED; i++) {
		base_buf_text(out, i == 0 ? "" : i + 1 == list->components ? " and " : ", ");
		if (list->releases == list->components)
			say_pair(list->newest[i], out);
		else
			base_buf_text(out, list->newest[i]->component->name);
	}
	say_more(list->components, out);
	base_buf_text(out, list->components == 1 ? " provides it" : " provide it");
}

static void say_who(const problem_package *package, const solver_set *set, base_buf *out)
{
	provider_list list = {.releases = 0};

	for (uint32_t rank = 1; rank <= package->count; rank++)
		if (set == NULL || problem_set_has(set, rank))
			note_provider(&list, package->pairs[rank - 1]);
	if (list.components == 0)
		return;
	base_buf_text(out, "; only ");
	say_providers(&list, out);
}

/* Why those who provide a contract are not what is asked for. */
static void say_misfit(const compose_problem *problem, const compose_requirement *requirement,
	const problem_provider *pair, base_buf *out)
{
	BASE_AUTO_BUF base_buf why = {0};

	problem_provides(problem, requirement, pair->provision, &why);
	say_pair(pair, out);
	if (why.size > 0) {
		base_buf_format(out, " provides it, but %s", why.data);
		return;
	}
	base_buf_text(out, " provides it, as ");
	say_version(&pair->provision->version, out);
}

static void say_no_provider(
	const compose_problem *problem, const compose_requirement *requirement, base_buf *out)
{
	const problem_contract *contract = base_map_get(
		problem->contracts, requirement->contract, strlen(requirement->contract));
	provider_list list = {.releases = 0};

	for (const problem_provider *at = contract->first; at != NULL; at = at->next)
		note_provider(&list, at);
	if (list.components == 0) {
		base_buf_text(out, "; nothing in the registries provides it");
		return;
	}
	base_buf_text(out, list.releases == 1 ? "; only " : "; ");
	for (size_t i = 0; i < list.components && i < LISTED; i++) {
		base_buf_text(out, i > 0 ? ", " : "");
		say_misfit(problem, requirement, list.newest[i], out);
	}
	say_more(list.components, out);
}

static void say_no_release(const compose_problem *problem, const char *name, base_buf *out)
{
	const problem_component *component = base_map_get(problem->components, name, strlen(name));

	if (component->count == 0) {
		base_buf_format(out, "; no registry has %s", name);
		return;
	}
	base_buf_text(out, "; there is only ");
	for (uint32_t i = 0; i < component->count && i < LISTED; i++) {
		base_buf_text(out, i == 0 ? "" : i + 1 == component->count ? " and " : ", ");
		say_version(version_at(component, component->count - i), out);
	}
	say_more(component->count, out);
}

/* --- facts --- */

void explain_target(const compose_requirement *requirement, base_buf *out)
{
	static const char *const relations[] = {"=", "!=", "<", "<=", ">", ">="};

	base_buf_format(out, "%s %s",
		requirement->contract != NULL ? requirement->contract : requirement->component,
		compose_range_text(requirement->range));
	for (size_t i = 0; i < requirement->demand_count; i++)
		base_buf_format(out, "%s%s %s %s", i > 0 ? ", " : " with ",
			requirement->demands[i].field, relations[requirement->demands[i].relation],
			requirement->demands[i].value);
}

static void say_wish(const compose_problem *problem, const problem_fact *fact, base_buf *out)
{
	base_buf_format(out, "%s needs %s", problem->blueprint->name, fact->wish->component);
	if (fact->wish->range != NULL)
		base_buf_format(out, " %s", compose_range_text(fact->wish->range));
	say_place(fact->place, out);
	if (fact->empty)
		say_no_release(problem, fact->wish->component, out);
}

/* The set of the target that would do: the last term of a dependency, turned around. */
static void say_need(const compose_problem *problem, const problem_fact *fact, base_buf *out)
{
	const problem_package *target = &problem->packages[fact->target];

	base_buf_text(out, " needs ");
	explain_target(fact->requirement, out);
	say_place(fact->place, out);
	if (fact->empty && fact->requirement->contract != NULL)
		say_no_provider(problem, fact->requirement, out);
	else if (fact->empty)
		say_no_release(problem, fact->requirement->component, out);
	else if (fact->requirement->contract != NULL && target->requirement != NULL)
		say_who(target, NULL, out);
}

/* Of a contract of which there is one the package holds all: who would do is in the term. */
static void say_one(const compose_problem *problem, const problem_fact *fact,
	const solver_step *step, base_buf *out)
{
	const problem_package *target = &problem->packages[fact->target];

	for (size_t i = 0; i < step->term_count; i++) {
		provider_list list = {.releases = 0};

		if (step->terms[i].package != fact->target || target->contract == NULL ||
			target->requirement != NULL || fact->empty)
			continue;
		for (uint32_t rank = 1; rank <= target->count; rank++)
			if (!problem_set_has(&step->terms[i].set, rank))
				note_provider(&list, target->pairs[rank - 1]);
		base_buf_text(out, "; only ");
		say_providers(&list, out);
	}
}

static void say_subject(const compose_problem *problem, const problem_fact *fact, base_buf *out)
{
	const problem_component *component = problem->packages[fact->package].component;

	base_buf_text(out, component->name);
	if (component->count > 1 && fact->first == 1 && fact->last == component->count)
		return;
	base_buf_text(out, " ");
	say_run(component, fact->first, fact->last, out);
}

static void say_exclude(const compose_problem *problem, const problem_fact *fact, base_buf *out)
{
	base_buf_format(out, "%s excludes %s", problem->blueprint->name, fact->wish->component);
	if (fact->wish->range != NULL)
		base_buf_format(out, " %s", compose_range_text(fact->wish->range));
	say_place(fact->place, out);
}

static void say_unavailable(const compose_problem *problem, const problem_fact *fact,
	const solver_step *step, base_buf *out)
{
	explain_versions(problem->packages[fact->package].component, &step->terms[0].set, out);
	if (fact->kind == PROBLEM_PLATFORM)
		base_buf_format(out, " is not for %s", problem->blueprint->platform);
	else
		base_buf_text(out, " is a prerelease that no range names");
	say_place(fact->place, out);
}

static void say_alone(const problem_package *target, base_buf *out)
{
	provider_list list = {.releases = 0};

	for (uint32_t rank = 1; rank <= target->count; rank++)
		note_provider(&list, target->pairs[rank - 1]);
	base_buf_format(out, "an image has one %s, and ", target->contract->name);
	say_providers(&list, out);
}

static void say_conflict(const compose_problem *problem, const problem_fact *fact, base_buf *out)
{
	say_subject(problem, fact, out);
	base_buf_format(out, " conflicts with %s", fact->conflict->component);
	if (fact->conflict->range != NULL)
		base_buf_format(out, " %s", compose_range_text(fact->conflict->range));
	say_place(fact->place, out);
}

void explain_fact(const compose_problem *problem, const solver_step *step, base_buf *out)
{
	const problem_fact *fact = &problem->facts[step->fact];

	switch (fact->kind) {
	case PROBLEM_WISH:
		say_wish(problem, fact, out);
		return;
	case PROBLEM_ASKED:
		base_buf_text(out, problem->blueprint->name);
		say_need(problem, fact, out);
		say_one(problem, fact, step, out);
		return;
	case PROBLEM_NEED:
		say_subject(problem, fact, out);
		say_need(problem, fact, out);
		say_one(problem, fact, step, out);
		return;
	case PROBLEM_ALONE:
		say_alone(&problem->packages[fact->target], out);
		return;
	case PROBLEM_EXCLUDED:
		say_exclude(problem, fact, out);
		return;
	case PROBLEM_CONFLICT:
		say_conflict(problem, fact, out);
		return;
	case PROBLEM_PROVIDER:
		return;
	default:
		say_unavailable(problem, fact, step, out);
	}
}

/* --- conclusions --- */

static void say_term(
	const compose_problem *problem, const solver_term *term, bool turned, base_buf *out)
{
	const problem_package *package = &problem->packages[term->package];
	uint64_t words[1024 / 64 + 1];
	solver_set set = {.words = term->set.words, .word = words};

	if (package->component == NULL) {
		base_buf_text(out, package->contract->name);
		return;
	}
	for (uint32_t i = 0; i < set.words; i++)
		words[i] = turned ? ~term->set.word[i] : term->set.word[i];
	explain_versions(package->component, &set, out);
}

/* The term of a package that must not be absent: what is told of it is what would do. */
static bool is_wanted(const solver_term *term)
{
	return problem_set_has(&term->set, 0);
}

bool explain_is_idle(const compose_problem *problem, const solver_term *term)
{
	uint32_t count = problem->packages[term->package].count;

	return problem_set_has(&term->set, 0) &&
	       (count == 0 ||
		       (problem_set_has(&term->set, 1) && run_end(&term->set, 1, count) == count));
}

static bool is_told(const compose_problem *problem, const solver_term *term, bool wanted)
{
	return is_wanted(term) == wanted && !explain_is_idle(problem, term);
}

static void say_terms(const compose_problem *problem, const solver_step *step, bool wanted,
	const char *joint, base_buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < step->term_count; i++) {
		if (!is_told(problem, &step->terms[i], wanted))
			continue;
		base_buf_text(out, count++ > 0 ? joint : "");
		say_term(problem, &step->terms[i], wanted, out);
	}
}

void explain_conclusion(const compose_problem *problem, const solver_step *step, base_buf *out)
{
	size_t wanted = 0, held = 0;

	for (size_t i = 0; i < step->term_count; i++) {
		wanted += is_told(problem, &step->terms[i], true);
		held += is_told(problem, &step->terms[i], false);
	}
	if (held == 0)
		base_buf_format(out, "%s needs ", problem->blueprint->name);
	say_terms(problem, step, false, " and ", out);
	if (held > 0 && wanted > 0)
		base_buf_text(out, held > 1 ? " together need " : " needs ");
	say_terms(problem, step, true, " or ", out);
	if (wanted == 0)
		base_buf_text(out, held > 1 ? " cannot be used together" : " cannot be used");
}
