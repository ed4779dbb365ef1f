/* SPDX-License-Identifier: MIT
 *
 * The public face of recipes and packages.
 */
#include "compose/recipe.h"

int hn_recipe_parse(
	const char *file, const void *bytes, size_t size, hn_recipe **recipe, hn_error **err)
{
	if (file == NULL || bytes == NULL || recipe == NULL)
		return compose_refuse_null(err);
	return compose_recipe_parse(file, bytes, size, recipe, err);
}

hn_recipe *hn_recipe_unref(hn_recipe *recipe)
{
	return compose_recipe_unref(recipe);
}

const char *hn_recipe_component(const hn_recipe *recipe)
{
	return recipe->component;
}

int hn_recipe_get_package(
	const hn_recipe *recipe, size_t nth, hn_recipe_package *package, hn_error **err)
{
	hn_recipe_package found;
	int rc = recipe != NULL ? base_options(&found, sizeof(found), package, COMPOSE_ROOM, err)
				: compose_refuse_null(err);

	if (rc < 0)
		return rc;
	if (nth >= recipe->package_count)
		return base_error(err, HN_ENOENT, COMPOSE_ROOM, NULL, "the recipe has no more");
	found = (hn_recipe_package){
		.size = found.size,
		.package = recipe->packages[nth].package,
		.version = recipe->packages[nth].begins,
		.dependency = recipe->packages[nth].dependency,
	};
	memcpy(package, &found, found.size < sizeof(found) ? found.size : sizeof(found));
	return 0;
}

int hn_recipe_manifest(const hn_recipe *recipe, const hn_package *const *packages, size_t count,
	const hn_recipe_file *files, size_t file_count, char **json, hn_error **err)
{
	if (recipe == NULL || json == NULL || (packages == NULL && count > 0) ||
		(files == NULL && file_count > 0))
		return compose_refuse_null(err);
	return compose_recipe_manifest(recipe, packages, count, files, file_count, json, err);
}

int hn_recipe_check(
	const hn_registry *registry, const hn_manifest *manifest, bool replace, hn_error **err)
{
	if (registry == NULL || manifest == NULL)
		return compose_refuse_null(err);
	return compose_recipe_check(registry, manifest, replace, err);
}

hn_package *hn_package_unref(hn_package *package)
{
	return compose_package_unref(package);
}

int hn_package_get(const hn_package *package, hn_package_info *info, hn_error **err)
{
	hn_package_info found;
	int rc = package != NULL ? base_options(&found, sizeof(found), info, COMPOSE_ROOM, err)
				 : compose_refuse_null(err);

	if (rc < 0)
		return rc;
	found = (hn_package_info){
		.size = found.size,
		.name = package->name,
		.version = package->version,
		.dependency = package->dependency,
		.bytes = package->size,
	};
	codec_hex(package->sha256.bytes, sizeof(package->sha256.bytes), found.sha256);
	memcpy(info, &found, found.size < sizeof(found) ? found.size : sizeof(found));
	return 0;
}
