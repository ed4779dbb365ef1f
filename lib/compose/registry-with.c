/* SPDX-License-Identifier: MIT
 *
 * A registry as it would be: what is to be put into one is tried as a whole before it is.
 */
#include "compose/registry.h"

#include <hypernix/compose.h>

/* What comes, and takes the place of what has its name. */
typedef struct coming {
	compose_manifest *const *manifests;
	compose_contract *const *contracts;
	size_t manifest_count, contract_count;
} coming;

static bool takes_release(const coming *all, const compose_manifest *there)
{
	for (size_t i = 0; i < all->manifest_count; i++)
		if (strcmp(all->manifests[i]->component, there->component) == 0 &&
			strcmp(all->manifests[i]->version.text, there->version.text) == 0)
			return true;
	return false;
}

static bool takes_contract(const coming *all, const compose_contract *there)
{
	for (size_t i = 0; i < all->contract_count; i++)
		if (strcmp(all->contracts[i]->name, there->name) == 0)
			return true;
	return false;
}

static int keep_contracts(
	const compose_registry *now, const coming *all, compose_registry *then, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < compose_registry_contracts(now); i++) {
		hn_contract *there = hn_registry_contract_at(now, i);

		if (!takes_contract(all, there))
			rc = compose_registry_add_contract(then, there, err);
	}
	return rc;
}

static int keep_releases(
	const compose_registry *now, const coming *all, compose_registry *then, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < compose_registry_components(now); i++) {
		const char *name = compose_registry_component(now, i);
		hn_manifest *there;

		for (size_t k = 0;
			rc >= 0 && (there = hn_registry_release_at(now, name, k)) != NULL; k++)
			if (!takes_release(all, there))
				rc = compose_registry_add_manifest(then, there, 0, err);
	}
	return rc;
}

int compose_registry_with(const compose_registry *now, compose_manifest *const *manifests,
	size_t manifest_count, compose_contract *const *contracts, size_t contract_count,
	compose_registry **then, hn_error **err)
{
	const coming all = {manifests, contracts, manifest_count, contract_count};
	BASE_AUTO_OF(compose_registry) compose_registry *made = compose_registry_new();
	int rc = made != NULL ? 0 : base_nomem(err);

	if (rc >= 0 && now != NULL)
		rc = keep_contracts(now, &all, made, err);
	for (size_t i = 0; rc >= 0 && i < contract_count; i++)
		rc = compose_registry_add_contract(made, contracts[i], err);
	if (rc >= 0 && now != NULL)
		rc = keep_releases(now, &all, made, err);
	for (size_t i = 0; rc >= 0 && i < manifest_count; i++)
		rc = compose_registry_add_manifest(made, manifests[i], 0, err);
	if (rc >= 0)
		rc = compose_registry_seal(made, err);
	if (rc < 0)
		return rc;
	*then = BASE_STEAL(made);
	return 0;
}
