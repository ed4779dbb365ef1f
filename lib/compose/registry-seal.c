/* SPDX-License-Identifier: MIT
 *
 * Sealing a registry: what manifests provide and require against the schemas of contracts.
 */
#include "compose/registry-private.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
	const registry_component *const *first = a, *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

static const char *contract_name(void *arg, size_t index)
{
	return compose_registry_contract_at(arg, index)->name;
}

/* No schema at all, or none of that major (`version` not NULL). */
static int no_schema(compose_registry *registry, const compose_place *place, const char *contract,
	const compose_version *version, hn_error **err)
{
	int nearest = base_nearest(contract, registry->contract_count, contract_name, registry);

	if (version != NULL)
		compose_fail(err, HN_ECONTRACT, place, NULL,
			"there is no schema of contract %s for %.*s", contract,
			(int)version->text_size, version->text);
	else
		compose_fail(err, HN_ECONTRACT, place, NULL, "there is no schema of contract %s",
			contract);
	if (nearest >= 0 && strcmp(registry->contracts[nearest]->name, contract) != 0)
		base_error_hint(err, "did you mean %s?", registry->contracts[nearest]->name);
	else
		base_error_hint(err, "a registry needs contracts/%s.json%s", contract,
			version != NULL ? " of the same major version" : "");
	return HN_ECONTRACT;
}

static int check_provision(
	compose_registry *registry, const compose_provision *provision, hn_error **err)
{
	const compose_contract *schema =
		compose_registry_contract(registry, provision->contract, &provision->version);

	if (schema == NULL)
		return no_schema(
			registry, &provision->place, provision->contract, &provision->version, err);
	return compose_contract_check_provision(schema, provision, err);
}

/* A range may reach over several majors: one schema that takes the requirement is enough; when none
 * does, the newest one's complaint is told. */
static int check_requirement(
	compose_registry *registry, const compose_requirement *requirement, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *first = NULL;
	const char *name = requirement->contract;
	size_t begin = registry_contract_place(registry, name, NULL), end = begin;
	int rc = HN_ECONTRACT;

	while (end < registry->contract_count && strcmp(registry->contracts[end]->name, name) == 0)
		end++;
	for (size_t i = end; i > begin; i--) {
		rc = compose_contract_check_requirement(
			registry->contracts[i - 1], requirement, first == NULL ? &first : NULL);
		if (rc == 0)
			return 0;
		if (rc == HN_ENOMEM)
			return base_nomem(err);
	}
	if (begin == end)
		return no_schema(registry, &requirement->place, name, NULL, err);
	rc = (int)hn_error_code(first);
	base_error_move(err, BASE_STEAL(first));
	return rc;
}

static int check_manifest(
	compose_registry *registry, const compose_manifest *manifest, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < manifest->provide_count; i++)
		rc = check_provision(registry, &manifest->provides[i], err);
	for (size_t i = 0; rc == 0 && i < manifest->require_count; i++)
		if (manifest->requires_[i].contract != NULL)
			rc = check_requirement(registry, &manifest->requires_[i], err);
	return rc;
}

/* A pin to nothing would let a component vanish without a word. */
static int check_pins(const compose_registry *registry, hn_error **err)
{
	const char *key;
	void *value;
	size_t size;

	for (size_t i = 0; i < base_map_slots(registry->pins); i++)
		if (base_map_at(registry->pins, i, &key, &size, &value) &&
			!base_map_has(registry->by_name, key, size))
			return base_error(err, HN_EMISSING, COMPOSE_ROOM,
				"change or remove the pin",
				"%.*s is pinned to registry %s, which has no such component",
				(int)size, key, (const char *)value);
	return 0;
}

int compose_registry_seal(compose_registry *registry, hn_error **err)
{
	int rc = check_pins(registry, err);

	if (registry->count > 0)
		qsort(registry->components, registry->count, sizeof(*registry->components),
			by_name);
	for (size_t i = 0; rc == 0 && i < registry->count; i++)
		for (size_t j = 0; rc == 0 && j < registry->components[i]->count; j++)
			rc = check_manifest(
				registry, registry->components[i]->releases[j].manifest, err);
	if (rc == 0)
		registry->sealed = true;
	return rc;
}
