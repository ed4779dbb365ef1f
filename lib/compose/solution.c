/* SPDX-License-Identifier: MIT
 *
 * The lock of what the solver chose: components with why they are there, and who gives what to
 * whom.
 */
#include "compose/problem.h"

typedef struct solution {
	compose_problem *problem;
	const solver_result *result;
	compose_lock *lock;
	compose_locked *components;
	compose_binding *bindings;
	size_t binding_capacity;
} solution;

static char *copy(const solution *of, const char *text, size_t size)
{
	return base_arena_strndup(of->lock->arena, text, size);
}

static char *copy_text(const solution *of, const char *text)
{
	return copy(of, text, strlen(text));
}

static uint32_t chosen(const solution *of, const problem_component *component)
{
	return component->included ? of->result->chosen[component->package] : 0;
}

/* --- bindings --- */

static int put_binding(solution *of, const problem_provider *pair, const char *needed_by)
{
	const compose_version *version = &pair->provision->version;
	compose_binding binding = {.contract = copy_text(of, pair->provision->contract),
		.version = copy(of, version->text, version->text_size),
		.provider = copy_text(of, pair->component->name),
		.needed_by = copy_text(of, needed_by)};

	if (binding.contract == NULL || binding.version == NULL || binding.provider == NULL ||
		binding.needed_by == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < of->lock->binding_count; i++) {
		const compose_binding *before = &of->bindings[i];

		if (strcmp(before->contract, binding.contract) == 0 &&
			strcmp(before->version, binding.version) == 0 &&
			strcmp(before->provider, binding.provider) == 0 &&
			strcmp(before->needed_by, binding.needed_by) == 0)
			return 0;
	}
	if (base_grow(&of->bindings, &of->binding_capacity, of->lock->binding_count + 1,
		    sizeof(*of->bindings)) < 0)
		return HN_ENOMEM;
	of->bindings[of->lock->binding_count++] = binding;
	return 0;
}

static int bind_all(
	solution *of, const compose_requirement *requirements, size_t count, const char *needed_by)
{
	for (size_t i = 0; i < count; i++) {
		const problem_need *need;
		const problem_package *package;
		uint32_t rank;

		if (requirements[i].contract == NULL)
			continue;
		if (problem_need_of(of->problem, &requirements[i], &need, NULL) < 0)
			return HN_ENOMEM;
		package = &of->problem->packages[need->package];
		rank = of->result->chosen[need->package];
		if (put_binding(of, package->pairs[rank - 1], needed_by) < 0)
			return HN_ENOMEM;
	}
	return 0;
}

static int put_bindings(solution *of)
{
	const compose_blueprint *blueprint = of->problem->blueprint;

	for (const problem_component *at = of->problem->included; at != NULL; at = at->next) {
		const compose_manifest *manifest;

		if (chosen(of, at) == 0)
			continue;
		manifest = at->releases[chosen(of, at) - 1].manifest;
		if (bind_all(of, manifest->requires_, manifest->require_count, at->name) < 0)
			return HN_ENOMEM;
	}
	return bind_all(of, blueprint->requires_, blueprint->require_count, blueprint->name);
}

/* --- why --- */

/* The file's name alone: a lock is the same wherever the blueprint lies. */
static void say_place(const compose_place *place, base_buf *why)
{
	const char *slash = strrchr(place->file, '/');

	base_buf_format(why, "%s:%d", slash != NULL ? slash + 1 : place->file, place->line);
}

static bool say_wish(const solution *of, const char *component, base_buf *why)
{
	const compose_blueprint *blueprint = of->problem->blueprint;

	for (size_t i = 0; i < blueprint->component_count; i++)
		if (strcmp(blueprint->components[i].component, component) == 0) {
			say_place(&blueprint->components[i].place, why);
			return true;
		}
	for (size_t i = 0; i < blueprint->require_count; i++)
		if (blueprint->requires_[i].component != NULL &&
			strcmp(blueprint->requires_[i].component, component) == 0) {
			say_place(&blueprint->requires_[i].place, why);
			return true;
		}
	return false;
}

/* Of several the first by name, whatever the order in which they were reached. */
static bool say_component(const solution *of, const char *component, base_buf *why)
{
	const char *first = NULL;

	for (const problem_component *at = of->problem->included; at != NULL; at = at->next) {
		const compose_manifest *manifest;

		if (chosen(of, at) == 0 || (first != NULL && strcmp(at->name, first) >= 0))
			continue;
		manifest = at->releases[chosen(of, at) - 1].manifest;
		for (size_t i = 0; i < manifest->require_count; i++)
			if (manifest->requires_[i].component != NULL &&
				strcmp(manifest->requires_[i].component, component) == 0)
				first = at->name;
	}
	if (first != NULL)
		base_buf_format(why, "%s needs it", first);
	return first != NULL;
}

static void say_binding(const solution *of, const char *component, base_buf *why)
{
	const compose_binding *first = NULL;

	for (size_t i = 0; i < of->lock->binding_count; i++) {
		const compose_binding *one = &of->bindings[i];
		int order = first == NULL ? -1 : strcmp(one->needed_by, first->needed_by);

		if (strcmp(one->provider, component) == 0 &&
			(order < 0 || (order == 0 && strcmp(one->contract, first->contract) < 0)))
			first = one;
	}
	if (first != NULL)
		base_buf_format(why, "%s needs %s", first->needed_by, first->contract);
}

static const char *say_why(const solution *of, const char *component)
{
	BASE_AUTO_BUF base_buf why = {0};

	if (!say_wish(of, component, &why) && !say_component(of, component, &why))
		say_binding(of, component, &why);
	return why.failed || why.data == NULL ? NULL : copy(of, why.data, why.size);
}

/* --- components --- */

static const compose_locked_payload *copy_payloads(
	const solution *of, const compose_manifest *manifest)
{
	compose_locked_payload *payloads =
		base_arena_alloc(of->lock->arena, manifest->payload_count * sizeof(*payloads));

	for (size_t i = 0; payloads != NULL && i < manifest->payload_count; i++) {
		payloads[i].sha256 = manifest->payloads[i].sha256;
		payloads[i].size = manifest->payloads[i].size;
	}
	return payloads;
}

static int put_component(solution *of, const problem_component *component)
{
	const compose_release *release = &component->releases[chosen(of, component) - 1];
	const compose_version *version = &release->manifest->version;
	const compose_source *source =
		compose_registry_source(of->problem->registry, release->registry);
	compose_locked *entry = &of->components[of->lock->count];

	entry->component = copy_text(of, component->name);
	entry->version = copy(of, version->text, version->text_size);
	entry->manifest = release->manifest->digest;
	entry->payloads = copy_payloads(of, release->manifest);
	entry->payload_count = release->manifest->payload_count;
	entry->registry = copy_text(of, source->name);
	entry->why = say_why(of, component->name);
	if (entry->component == NULL || entry->version == NULL || entry->payloads == NULL ||
		entry->registry == NULL || entry->why == NULL)
		return HN_ENOMEM;
	of->lock->count++;
	return 0;
}

static int put_components(solution *of)
{
	of->components = base_arena_alloc(
		of->lock->arena, of->problem->included_count * sizeof(*of->components));
	if (of->components == NULL)
		return HN_ENOMEM;
	for (const problem_component *at = of->problem->included; at != NULL; at = at->next)
		if (chosen(of, at) != 0 && put_component(of, at) < 0)
			return HN_ENOMEM;
	of->lock->components = of->components;
	return 0;
}

/* Only registries that something comes from: another one more changes no lock. */
static int put_sources(solution *of)
{
	size_t count = compose_registry_sources(of->problem->registry);
	compose_source *sources = base_arena_alloc(of->lock->arena, count * sizeof(*sources));

	if (sources == NULL)
		return HN_ENOMEM;
	of->lock->sources = sources;
	for (size_t i = 0; i < count; i++) {
		const compose_source *source = compose_registry_source(of->problem->registry, i);
		bool used = false;

		for (size_t j = 0; j < of->lock->count; j++)
			used = used || strcmp(of->components[j].registry, source->name) == 0;
		if (!used)
			continue;
		sources[of->lock->source_count] = *source;
		sources[of->lock->source_count].name = copy_text(of, source->name);
		sources[of->lock->source_count].directory =
			copy_text(of, source->directory != NULL ? source->directory : "");
		if (sources[of->lock->source_count].name == NULL ||
			sources[of->lock->source_count].directory == NULL)
			return HN_ENOMEM;
		of->lock->source_count++;
	}
	return 0;
}

static int put_head(solution *of)
{
	const compose_blueprint *blueprint = of->problem->blueprint;
	BASE_AUTO_BUF base_buf solver = {0};

	base_buf_format(
		&solver, "hypernix %d.%d.%d", HN_VERSION_MAJOR, HN_VERSION_MINOR, HN_VERSION_PATCH);
	if (solver.failed)
		return HN_ENOMEM;
	of->lock->file = "";
	of->lock->blueprint = copy_text(of, blueprint->name);
	of->lock->blueprint_digest = blueprint->digest;
	of->lock->platform = copy_text(of, blueprint->platform);
	of->lock->epoch = of->problem->options->epoch;
	of->lock->solver = copy(of, solver.data, solver.size);
	return of->lock->blueprint == NULL || of->lock->platform == NULL || of->lock->solver == NULL
		       ? HN_ENOMEM
		       : 0;
}

static int keep_bindings(solution *of)
{
	compose_binding *kept =
		base_arena_alloc(of->lock->arena, of->lock->binding_count * sizeof(*kept));

	if (kept == NULL)
		return HN_ENOMEM;
	if (of->lock->binding_count > 0)
		memcpy(kept, of->bindings, of->lock->binding_count * sizeof(*kept));
	of->lock->bindings = kept;
	return 0;
}

static int fill(solution *of)
{
	int rc = put_head(of);

	if (rc == 0)
		rc = put_bindings(of);
	if (rc == 0)
		rc = put_components(of);
	if (rc == 0)
		rc = put_sources(of);
	return rc == 0 ? keep_bindings(of) : rc;
}

int compose_solution_lock(
	compose_problem *problem, const solver_result *result, compose_lock **lock, hn_error **err)
{
	BASE_AUTO_OF(compose_lock) compose_lock *made = compose_lock_new();
	solution of = {.problem = problem, .result = result, .lock = made};
	int rc = made != NULL ? fill(&of) : HN_ENOMEM;

	base_free(of.bindings);
	if (rc < 0)
		return base_nomem(err);
	rc = compose_lock_seal(made, err);
	if (rc == 0)
		*lock = BASE_STEAL(made);
	return rc;
}
