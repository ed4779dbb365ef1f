/* SPDX-License-Identifier: MIT
 *
 * All releases and contracts that a host knows: adding them, and looking them up.
 */
#include "compose/registry-private.h"

static void free_component(void *value)
{
	registry_component *component = value;

	for (size_t i = 0; i < component->count; i++)
		compose_manifest_unref(
			(compose_manifest *)(uintptr_t)component->releases[i].manifest);
	base_free(component->releases);
	base_free(component);
}

static void registry_free(compose_registry *registry)
{
	for (size_t i = 0; i < registry->contract_count; i++)
		compose_contract_unref(registry->contracts[i]);
	base_free(registry->contracts);
	base_free(registry->sources);
	base_free(registry->components);
	base_map_free(registry->by_name);
	base_map_free(registry->pins);
	base_arena_free(registry->arena);
	base_free(registry);
}

compose_registry *compose_registry_new(void)
{
	compose_registry *registry = base_calloc(1, sizeof(*registry));

	if (registry == NULL)
		return NULL;
	registry->references = 1;
	registry->arena = base_arena_new();
	registry->by_name = base_map_new(free_component);
	registry->pins = base_map_new(NULL);
	if (registry->arena != NULL && registry->by_name != NULL && registry->pins != NULL)
		return registry;
	registry_free(registry);
	return NULL;
}

compose_registry *compose_registry_ref(compose_registry *registry)
{
	if (registry != NULL)
		atomic_fetch_add(&registry->references, 1);
	return registry;
}

compose_registry *compose_registry_unref(compose_registry *registry)
{
	if (registry != NULL && atomic_fetch_sub(&registry->references, 1) == 1)
		registry_free(registry);
	return NULL;
}

/* --- sources and pins --- */

static int sealed(const compose_registry *registry, hn_error **err)
{
	return registry->sealed ? base_error(err, HN_EINVAL, COMPOSE_ROOM, NULL,
					  "the registry is sealed: nothing can be added")
				: 0;
}

int compose_registry_pin(
	compose_registry *registry, const char *component, const char *source, hn_error **err)
{
	int rc = sealed(registry, err);

	if (rc < 0)
		return rc;
	if (registry->count > 0)
		return base_error(err, HN_EINVAL, COMPOSE_ROOM, NULL,
			"%s cannot be pinned after components were added", component);
	char *name = base_arena_strndup(registry->arena, source, strlen(source));
	if (name == NULL || base_map_put(registry->pins, component, strlen(component), name) < 0)
		return base_nomem(err);
	return 0;
}

int compose_registry_add_source(
	compose_registry *registry, const compose_source *source, uint32_t *index, hn_error **err)
{
	compose_source copy = *source;
	int rc = sealed(registry, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < registry->source_count; i++)
		if (strcmp(registry->sources[i].name, source->name) == 0)
			return base_error(err, HN_EAMBIGUOUS, COMPOSE_ROOM,
				"leave one out, or rename its directory or index",
				"two registries have the name %s: %s and %s", source->name,
				registry->sources[i].directory, source->directory);
	copy.name = base_arena_strndup(registry->arena, source->name, strlen(source->name));
	copy.directory =
		base_arena_strndup(registry->arena, source->directory, strlen(source->directory));
	if (copy.name == NULL || copy.directory == NULL ||
		base_grow(&registry->sources, &registry->source_capacity,
			registry->source_count + 1, sizeof(*registry->sources)) < 0)
		return base_nomem(err);
	*index = (uint32_t)registry->source_count;
	registry->sources[registry->source_count++] = copy;
	return 0;
}

static int check_source(compose_registry *registry, uint32_t source, hn_error **err)
{
	static const compose_source memory = {.name = "memory", .directory = ""};
	uint32_t index;

	if (source < registry->source_count)
		return 0;
	if (source == 0)
		return compose_registry_add_source(registry, &memory, &index, err);
	return base_error(err, HN_EINVAL, COMPOSE_ROOM, NULL, "there is no source %u", source);
}

/* --- releases --- */

static registry_component *find_component(const compose_registry *registry, const char *name)
{
	return base_map_get(registry->by_name, name, strlen(name));
}

/* Where a version is, or would be. */
static size_t place_of(
	const registry_component *component, const compose_version *version, bool *there)
{
	size_t low = 0, high = component->count;

	*there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compose_version_compare(
			&component->releases[middle].manifest->version, version);

		if (order == 0) {
			*there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int registry_may_add(compose_registry *registry, const char *component, uint32_t source,
	const char *file, hn_error **err)
{
	const registry_component *there = find_component(registry, component);
	const char *pinned = base_map_get(registry->pins, component, strlen(component));
	const char *name = registry->sources[source].name;

	if (pinned != NULL)
		return strcmp(pinned, name) == 0;
	if (there == NULL || there->count == 0 || there->releases[0].registry == source)
		return 1;
	base_error(err, HN_EAMBIGUOUS, COMPOSE_ROOM, NULL,
		"%s: registry %s has %s too, as registry %s does (%s)", file, name, component,
		registry->sources[there->releases[0].registry].name,
		there->releases[0].manifest->file);
	base_error_hint(err, "pin %s to one of them", component);
	return HN_EAMBIGUOUS;
}

static registry_component *new_component(compose_registry *registry, const char *name)
{
	registry_component *made;

	if (base_grow(&registry->components, &registry->capacity, registry->count + 1,
		    sizeof(*registry->components)) < 0)
		return NULL;
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return NULL;
	made->name = base_arena_strndup(registry->arena, name, strlen(name));
	if (made->name == NULL || base_map_put(registry->by_name, name, strlen(name), made) < 0) {
		base_free(made);
		return NULL;
	}
	registry->components[registry->count++] = made;
	return made;
}

static int twice(const char *file, const compose_version *version, const char *name,
	const char *other, hn_error **err)
{
	return base_error(err, HN_EDUPLICATE, COMPOSE_ROOM,
		"a version never changes: give one of them a new \"+rN\"",
		"%s and %s both are %s %.*s, and differ", other, file, name,
		(int)version->text_size, version->text);
}

static int insert_release(
	registry_component *component, compose_manifest *manifest, uint32_t source, hn_error **err)
{
	bool there;
	size_t at = place_of(component, &manifest->version, &there);
	compose_release *releases;

	if (there) {
		const compose_manifest *other = component->releases[at].manifest;

		return compose_digest_equal(&other->digest, &manifest->digest)
			       ? 0
			       : twice(manifest->file, &manifest->version, component->name,
					 other->file, err);
	}
	int rc = base_limit_check(BASE_LIMIT_REGISTRY_VERSIONS, component->count + 1, err);
	if (rc < 0)
		return base_error_wrap(err, (hn_code)rc, COMPOSE_ROOM,
			"%s: too many versions of %s", manifest->file, component->name);
	if (base_grow(&component->releases, &component->capacity, component->count + 1,
		    sizeof(*component->releases)) < 0)
		return base_nomem(err);
	releases = component->releases;
	memmove(releases + at + 1, releases + at, (component->count - at) * sizeof(*releases));
	component->count++;
	releases[at] = (compose_release){compose_manifest_ref(manifest), source};
	return 0;
}

int compose_registry_add_manifest(
	compose_registry *registry, compose_manifest *manifest, uint32_t source, hn_error **err)
{
	registry_component *component;
	int rc = sealed(registry, err);

	if (rc == 0)
		rc = check_source(registry, source, err);
	if (rc == 0)
		rc = registry_may_add(registry, manifest->component, source, manifest->file, err);
	if (rc <= 0)
		return rc;
	component = find_component(registry, manifest->component);
	if (component == NULL) {
		rc = base_limit_check(BASE_LIMIT_REGISTRY_NAMES, registry->count + 1, err);
		if (rc < 0)
			return rc;
		component = new_component(registry, manifest->component);
	}
	return component != NULL ? insert_release(component, manifest, source, err)
				 : base_nomem(err);
}

/* --- contracts --- */

size_t registry_contract_place(
	const compose_registry *registry, const char *name, const compose_version *version)
{
	size_t low = 0, high = registry->contract_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const compose_contract *one = registry->contracts[middle];
		int order = strcmp(one->name, name);

		if (order == 0)
			order = version != NULL ? compose_version_compare(&one->version, version)
						: 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int compose_registry_add_contract(
	compose_registry *registry, compose_contract *contract, hn_error **err)
{
	size_t at = registry_contract_place(registry, contract->name, &contract->version);
	compose_contract **all = registry->contracts;
	int rc = sealed(registry, err);

	if (rc < 0)
		return rc;
	if (at < registry->contract_count && strcmp(all[at]->name, contract->name) == 0 &&
		compose_version_compare(&all[at]->version, &contract->version) == 0)
		return compose_digest_equal(&all[at]->digest, &contract->digest)
			       ? 0
			       : twice(contract->file, &contract->version, contract->name,
					 all[at]->file, err);
	rc = base_limit_check(BASE_LIMIT_REGISTRY_NAMES, registry->contract_count + 1, err);
	if (rc < 0)
		return rc;
	if (base_grow(&registry->contracts, &registry->contract_capacity,
		    registry->contract_count + 1, sizeof(*all)) < 0)
		return base_nomem(err);
	all = registry->contracts;
	memmove(all + at + 1, all + at, (registry->contract_count - at) * sizeof(*all));
	all[at] = compose_contract_ref(contract);
	registry->contract_count++;
	return 0;
}

/* --- looking up --- */

size_t compose_registry_components(const compose_registry *registry)
{
	return registry->count;
}

const char *compose_registry_component(const compose_registry *registry, size_t index)
{
	return index < registry->count ? registry->components[index]->name : NULL;
}

size_t compose_registry_releases(
	const compose_registry *registry, const char *component, const compose_release **releases)
{
	const registry_component *found = find_component(registry, component);

	*releases = found != NULL ? found->releases : NULL;
	return found != NULL ? found->count : 0;
}

const compose_release *compose_registry_find(
	const compose_registry *registry, const char *component, const char *version)
{
	const registry_component *found = find_component(registry, component);
	compose_version want;
	bool there = false;
	size_t at = 0;

	if (found != NULL && compose_version_parse(version, strlen(version), &want, NULL) == 0)
		at = place_of(found, &want, &there);
	return there ? &found->releases[at] : NULL;
}

size_t compose_registry_contracts(const compose_registry *registry)
{
	return registry->contract_count;
}

const compose_contract *compose_registry_contract_at(const compose_registry *registry, size_t index)
{
	return index < registry->contract_count ? registry->contracts[index] : NULL;
}

const compose_contract *compose_registry_contract(
	const compose_registry *registry, const char *name, const compose_version *version)
{
	const compose_contract *newest = NULL;

	for (size_t i = registry_contract_place(registry, name, NULL); i < registry->contract_count;
		i++) {
		const compose_contract *one = registry->contracts[i];

		if (strcmp(one->name, name) != 0 || one->version.major > version->major)
			break;
		if (one->version.major == version->major)
			newest = one;
	}
	return newest;
}

size_t compose_registry_sources(const compose_registry *registry)
{
	return registry->source_count;
}

const compose_source *compose_registry_source(const compose_registry *registry, size_t index)
{
	return index < registry->source_count ? &registry->sources[index] : NULL;
}

static const char *component_name(void *arg, size_t index)
{
	return compose_registry_component(arg, index);
}

const char *compose_registry_nearest(const compose_registry *registry, const char *component)
{
	int nearest = base_nearest(component, registry->count, component_name,
		(compose_registry *)(uintptr_t)registry);

	return nearest >= 0 ? registry->components[nearest]->name : NULL;
}
