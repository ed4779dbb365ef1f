/* SPDX-License-Identifier: MIT
 *
 * Small random registries: what is solved is checked from the manifests alone, and what is not is
 * searched through. A seed that fails is printed.
 */
#include "solve-lab.h"

#include <stdlib.h>

enum { NAMES = 6, VERSIONS = 3, ROUNDS = 400 };

static uint64_t state;

/* splitmix64. */
static uint32_t below(uint32_t limit)
{
	uint64_t mixed = state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((mixed ^ (mixed >> 31)) % limit);
}

/* --- registries --- */

static const char *range(void)
{
	static const char *const ranges[] = {
		"*", "^1", "^2", "^3", ">=2", "<3", "<=2", "=1.0.0", "1 || 3"};

	return ranges[below(BASE_COUNT(ranges))];
}

/* Of c<name>, which cannot need itself; the blueprint asks as c0. */
static void put_requirement(base_buf *line, uint32_t name)
{
	static const char *const contracts[] = {"x/one", "x/many"};

	if (below(3) == 0) {
		base_buf_format(
			line, "; needs c%u %s", (name + 1 + below(NAMES - 1)) % NAMES, range());
		return;
	}
	base_buf_format(line, "; needs %s %s", contracts[below(2)], range());
	if (below(3) == 0)
		base_buf_format(line, " max-body=>= %uMi", 1 + below(3));
}

static void put_provision(base_buf *line)
{
	if (below(4) == 0)
		base_buf_format(
			line, "; gives x/one %u.0.0 max-body=%uMi", 1 + below(3), 1 + below(3));
	if (below(3) == 0)
		base_buf_format(
			line, "; gives x/many %u.0.0 max-body=%uMi", 1 + below(3), 1 + below(3));
}

static void add_release(solve_lab *lab, uint32_t name, uint32_t version)
{
	BASE_AUTO_BUF base_buf line = {0};
	uint32_t rest = below(6);

	base_buf_format(&line, "c%u %u.0.0%s", name, version, below(6) == 0 ? " base-os" : "");
	if (below(5) < 2)
		put_requirement(&line, name);
	put_provision(&line);
	if (rest == 0)
		base_buf_format(&line, "; hates c%u %s", (name + 1) % NAMES, range());
	if (rest == 1)
		base_buf_text(&line, "; only aarch64-linux");
	lab_add(lab, line.data);
}

static solve_lab make(void)
{
	static const char *const contracts[] = {"x/one", "x/many"};
	solve_lab lab = {.registry = compose_registry_new()};
	BASE_AUTO_BUF base_buf line = {0};

	for (size_t i = 0; i < BASE_COUNT(contracts); i++)
		for (int major = 1; major <= 3; major++) {
			BASE_AUTO_BUF base_buf contract = {0};

			base_buf_format(&contract, "contract %s %d.0.0 %s", contracts[i], major,
				i == 0 ? "one" : "many");
			lab_add(&lab, contract.data);
		}
	for (uint32_t name = 0; name < NAMES; name++)
		for (uint32_t version = 1; version <= 1 + below(VERSIONS); version++)
			add_release(&lab, name, version);
	base_buf_format(&line, "blueprint web; wants c0 %s", range());
	if (below(2) == 0)
		base_buf_format(&line, "; wants c%u %s", 1 + below(NAMES - 1), range());
	if (below(2) == 0)
		put_requirement(&line, 0);
	if (below(3) == 0)
		base_buf_format(&line, "; without c%u %s", below(NAMES), range());
	cr_assert_eq(compose_registry_seal(lab.registry, NULL), 0);
	lab_add(&lab, line.data);
	return lab;
}

/* --- the checker: manifests, and nothing of the builder --- */

typedef struct image {
	const compose_manifest *chosen[NAMES];
	size_t count;
} image;

static const compose_manifest *has(const image *set, const char *component)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->chosen[i]->component, component) == 0)
			return set->chosen[i];
	return NULL;
}

static bool gives(const solve_lab *lab, const compose_manifest *manifest,
	const compose_requirement *requirement)
{
	BASE_AUTO_BUF base_buf why = {0};

	for (size_t i = 0; i < manifest->provide_count; i++) {
		const compose_provision *provision = &manifest->provides[i];

		if (strcmp(provision->contract, requirement->contract) == 0 &&
			compose_range_match(requirement->range, &provision->version) &&
			compose_contract_fits(compose_registry_contract(lab->registry,
						      provision->contract, &provision->version),
				provision, requirement, &why))
			return true;
	}
	return false;
}

static bool answers(
	const solve_lab *lab, const image *set, const compose_requirement *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const compose_manifest *target =
			all[i].component != NULL ? has(set, all[i].component) : NULL;
		bool found = target != NULL && compose_range_match(all[i].range, &target->version);

		for (size_t j = 0; all[i].contract != NULL && j < set->count; j++)
			found = found || gives(lab, set->chosen[j], &all[i]);
		if (!found)
			return false;
	}
	return true;
}

static bool meets(
	const compose_manifest *manifest, const char *component, const compose_range *wanted)
{
	return strcmp(manifest->component, component) == 0 &&
	       (wanted == NULL || compose_range_match(wanted, &manifest->version));
}

static bool is_alone(const image *set)
{
	size_t bases = 0, ones = 0;

	for (size_t i = 0; i < set->count; i++) {
		bases += set->chosen[i]->kind == COMPOSE_BASE_OS;
		for (size_t j = 0; j < set->chosen[i]->provide_count; j++)
			ones += strcmp(set->chosen[i]->provides[j].contract, "x/one") == 0;
	}
	return bases <= 1 && ones <= 1;
}

static bool may_stay(const solve_lab *lab, const image *set, const compose_manifest *one)
{
	for (size_t i = 0; i < lab->blueprint->exclude_count; i++)
		if (meets(one, lab->blueprint->exclude[i].component,
			    lab->blueprint->exclude[i].range))
			return false;
	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < one->conflict_count; j++)
			if (meets(set->chosen[i], one->conflicts[j].component,
				    one->conflicts[j].range))
				return false;
	return one->platform_count == 0; /* the only one there is, is another */
}

static bool is_right(const solve_lab *lab, const image *set)
{
	const compose_blueprint *blueprint = lab->blueprint;

	for (size_t i = 0; i < blueprint->component_count; i++) {
		const compose_manifest *found = has(set, blueprint->components[i].component);

		if (found == NULL || !meets(found, blueprint->components[i].component,
					     blueprint->components[i].range))
			return false;
	}
	for (size_t i = 0; i < set->count; i++)
		if (!may_stay(lab, set, set->chosen[i]) ||
			!answers(
				lab, set, set->chosen[i]->requires_, set->chosen[i]->require_count))
			return false;
	return is_alone(set) && answers(lab, set, blueprint->requires_, blueprint->require_count);
}

/* Whether any set of releases at all is right. */
static bool search(const solve_lab *lab, image *set, size_t name)
{
	const compose_release *releases;
	size_t count;

	if (name == compose_registry_components(lab->registry))
		return is_right(lab, set);
	if (search(lab, set, name + 1))
		return true;
	count = compose_registry_releases(
		lab->registry, compose_registry_component(lab->registry, name), &releases);
	for (size_t i = 0; i < count; i++) {
		bool found;

		set->chosen[set->count++] = releases[i].manifest;
		found = search(lab, set, name + 1);
		set->count--;
		if (found)
			return true;
	}
	return false;
}

/* Each component of a lock, and that no binding is made up. */
static void check_lock(const solve_lab *lab, const compose_lock *lock, unsigned seed)
{
	image set = {.count = 0};

	for (size_t i = 0; i < lock->count; i++)
		set.chosen[set.count++] = compose_registry_find(
			lab->registry, lock->components[i].component, lock->components[i].version)
						  ->manifest;
	cr_assert(is_right(lab, &set), "seed %u", seed);
	for (size_t i = 0; i < lock->binding_count; i++) {
		const compose_binding *binding = &lock->bindings[i];
		const compose_manifest *provider = has(&set, binding->provider);
		bool found = false;

		for (size_t j = 0; j < provider->provide_count; j++)
			found = found ||
				strcmp(provider->provides[j].contract, binding->contract) == 0;
		cr_assert(found, "seed %u: %s", seed, binding->contract);
	}
}

static void check_failure(const solve_lab *lab, const char *failure, unsigned seed)
{
	image set = {.count = 0};
	size_t lines = 0;

	cr_assert_not(search(lab, &set, 0), "seed %u\n%s", seed, failure);
	for (const char *at = failure; *at != '\0'; at++)
		lines += *at == '\n';
	cr_assert(lines >= 3 && lines <= 20, "seed %u\n%s", seed, failure);
	cr_assert_not_null(strstr(failure, "so nothing fits\n"), "seed %u\n%s", seed, failure);
}

Test(solve_random, agrees_with_a_search_through_all)
{
	unsigned rounds = getenv("HYPERNIX_LONG") != NULL ? 10 * ROUNDS : ROUNDS, failed = 0;

	for (unsigned seed = 1; seed <= rounds; seed++) {
		static const compose_solve_options options = {.epoch = 1};
		BASE_AUTO_OF(compose_lock) compose_lock *lock = NULL;
		BASE_AUTO_FREE char *failure = NULL;
		int rc;

		state = seed;
		LAB_AUTO lab = make();
		rc = compose_solve(lab.registry, lab.blueprint, &options, &lock, &failure, NULL);
		if (rc == 0) {
			check_lock(&lab, lock, seed);
			continue;
		}
		cr_assert_eq(rc, HN_ENOSOLUTION, "seed %u: %d", seed, rc);
		check_failure(&lab, failure, seed);
		failed++;
	}
	cr_assert(
		failed > rounds / 10 && failed < rounds - rounds / 10, "%u of %u", failed, rounds);
}
