/* SPDX-License-Identifier: MIT
 *
 * The public face of registries, and of choosing from them.
 */
#include "compose/lock.h"

#include <hypernix/compose.h>
#include <hypernix/os.h>

/* --- registries --- */

static int pin(compose_registry *registry, const char *text, hn_error **err)
{
	const char *sign = text != NULL ? strchr(text, '=') : NULL;
	BASE_AUTO_FREE char *component = NULL;

	if (text == NULL)
		return compose_refuse_null(err);
	if (sign == NULL || sign == text || sign[1] == '\0')
		return base_error(err, HN_EINVAL, COMPOSE_ROOM, "such as nginx=local",
			"\"%.200s\" is no COMPONENT=REGISTRY", text);
	component = base_strndup(text, (size_t)(sign - text));
	if (component == NULL)
		return base_nomem(err);
	return compose_registry_pin(registry, component, sign + 1, err);
}

static int load(compose_registry *registry, const char *const *directories, size_t count,
	const hn_registry_options *options, hn_error **err)
{
	hn_os *os = options->os != NULL ? options->os : hn_os_real();
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < options->pin_count; i++)
		rc = pin(registry, options->pins[i], err);
	for (size_t i = 0; rc >= 0 && i < count; i++)
		rc = directories[i] == NULL
			     ? compose_refuse_null(err)
			     : compose_registry_load(registry, os, directories[i], err);
	return rc < 0 ? rc : compose_registry_seal(registry, err);
}

int hn_registry_open(const char *const *directories, size_t count,
	const hn_registry_options *options, hn_registry **registry, hn_error **err)
{
	hn_registry_options given = HN_REGISTRY_OPTIONS_INIT;
	BASE_AUTO_OF(compose_registry) compose_registry *made = NULL;
	int rc = 0;

	if ((directories == NULL && count > 0) || registry == NULL)
		return compose_refuse_null(err);
	if (options != NULL)
		rc = base_options(&given, sizeof(given), options, COMPOSE_ROOM, err);
	if (rc >= 0 && given.pins == NULL && given.pin_count > 0)
		rc = compose_refuse_null(err);
	if (rc < 0)
		return rc;
	made = compose_registry_new();
	rc = made != NULL ? load(made, directories, count, &given, err) : base_nomem(err);
	if (rc < 0)
		return rc;
	*registry = BASE_STEAL(made);
	return 0;
}

hn_registry *hn_registry_ref(hn_registry *registry)
{
	return compose_registry_ref(registry);
}

hn_registry *hn_registry_unref(hn_registry *registry)
{
	return compose_registry_unref(registry);
}

size_t hn_registry_component_count(const hn_registry *registry)
{
	return compose_registry_components(registry);
}

const char *hn_registry_component_at(const hn_registry *registry, size_t index)
{
	return index < compose_registry_components(registry)
		       ? compose_registry_component(registry, index)
		       : NULL;
}

/* Documents never change; what is handed out is for taking references. */
static hn_manifest *shared(const compose_manifest *manifest)
{
	return (hn_manifest *)(uintptr_t)manifest;
}

hn_manifest *hn_registry_release_at(
	const hn_registry *registry, const char *component, size_t index)
{
	const compose_release *releases;

	if (component == NULL || index >= compose_registry_releases(registry, component, &releases))
		return NULL;
	return shared(releases[index].manifest);
}

static int refuse_unknown(const compose_registry *registry, const char *component,
	const char *version, hn_error **err)
{
	const compose_release *releases;
	size_t count = compose_registry_releases(registry, component, &releases);
	const char *nearest = count == 0 ? compose_registry_nearest(registry, component) : NULL;

	if (count > 0) {
		base_error(err, HN_ENOENT, COMPOSE_ROOM, NULL, "%s has no version \"%.128s\"",
			component, version);
		base_error_hint(
			err, "the newest is %s", releases[count - 1].manifest->version.text);
		return HN_ENOENT;
	}
	base_error(
		err, HN_ENOENT, COMPOSE_ROOM, NULL, "there is no component \"%.80s\"", component);
	if (nearest != NULL)
		base_error_hint(err, "did you mean \"%s\"?", nearest);
	return HN_ENOENT;
}

int hn_registry_find(const hn_registry *registry, const char *component, const char *version,
	hn_manifest **manifest, hn_error **err)
{
	const compose_release *found = NULL, *releases;
	size_t count;

	if (registry == NULL || component == NULL || manifest == NULL)
		return compose_refuse_null(err);
	count = compose_registry_releases(registry, component, &releases);
	if (version != NULL)
		found = compose_registry_find(registry, component, version);
	else if (count > 0)
		found = &releases[count - 1];
	if (found == NULL)
		return refuse_unknown(registry, component, version, err);
	*manifest = hn_manifest_ref(shared(found->manifest));
	return 0;
}

hn_contract *hn_registry_contract_at(const hn_registry *registry, size_t index)
{
	return index < compose_registry_contracts(registry)
		       ? (hn_contract *)(uintptr_t)compose_registry_contract_at(registry, index)
		       : NULL;
}

/* --- choosing --- */

/* The proof is the message: whoever only prints errors prints all of it. */
static int tell_failure(int rc, const char *failure, hn_error **err)
{
	size_t size = failure != NULL ? strlen(failure) : 0;

	while (size > 0 && failure[size - 1] == '\n')
		size--;
	if (rc != HN_ENOSOLUTION || size == 0)
		return rc;
	return base_error(err, HN_ENOSOLUTION, COMPOSE_ROOM, NULL, "%.*s", (int)size, failure);
}

/* A slip in a name would free nothing, silently. */
static int check_updates(const hn_solve_options *given, hn_error **err)
{
	int rc = given->update != NULL || given->update_count == 0 ? 0 : compose_refuse_null(err);

	for (size_t i = 0; rc >= 0 && i < given->update_count; i++) {
		if (given->update[i] == NULL)
			rc = compose_refuse_null(err);
		else if (given->lock != NULL && !compose_lock_find(given->lock, given->update[i]))
			rc = base_error(err, HN_ENOENT, COMPOSE_ROOM, NULL,
				"the lock of %s has no component \"%.80s\"", given->lock->blueprint,
				given->update[i]);
	}
	return rc;
}

int hn_solve(const hn_registry *registry, const hn_blueprint *blueprint,
	const hn_solve_options *options, hn_lock **lock, hn_error **err)
{
	hn_solve_options given = HN_SOLVE_OPTIONS_INIT;
	BASE_AUTO_FREE char *failure = NULL;
	compose_solve_options asked;
	int rc = registry != NULL && blueprint != NULL && lock != NULL ? 0
								       : compose_refuse_null(err);

	if (rc >= 0 && options != NULL)
		rc = base_options(&given, sizeof(given), options, COMPOSE_ROOM, err);
	if (rc >= 0)
		rc = check_updates(&given, err);
	if (rc < 0)
		return rc;
	asked = (compose_solve_options){
		.lock = given.lock,
		.update = given.update,
		.update_count = given.update_count,
		.update_all = given.update_all,
		.epoch = given.epoch,
		.conflicts = given.conflicts,
		.cancel = given.cancel,
	};
	rc = compose_solve(registry, blueprint, &asked, lock, &failure, err);
	return tell_failure(rc, failure, err);
}

int hn_registry_with(const hn_registry *registry, hn_manifest *const *manifests,
	size_t manifest_count, hn_contract *const *contracts, size_t contract_count,
	hn_registry **result, hn_error **err)
{
	bool whole = result != NULL && (manifests != NULL || manifest_count == 0) &&
		     (contracts != NULL || contract_count == 0);

	for (size_t i = 0; whole && i < manifest_count; i++)
		whole = manifests[i] != NULL;
	for (size_t i = 0; whole && i < contract_count; i++)
		whole = contracts[i] != NULL;
	if (!whole)
		return compose_refuse_null(err);
	return compose_registry_with(
		registry, manifests, manifest_count, contracts, contract_count, result, err);
}
