/* SPDX-License-Identifier: MIT
 *
 * Fuzzes recipes, and control files of packages: what is read makes a manifest, or is refused.
 */
#include "compose/recipe.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void make(const compose_recipe *recipe)
{
	compose_script script = {.name = "postinst"};
	compose_package package = {
		.name = "libc6", .version = "2.36-9+deb12u14", .scripts = &script};
	const compose_package **packages = calloc(recipe->package_count + 1, sizeof(*packages));
	char *json = NULL;

	require(packages != NULL);
	package.script_count = recipe->package_count % 2;
	for (size_t i = 0; i < recipe->package_count; i++)
		packages[i] = &package;
	if (compose_recipe_manifest(
		    recipe, packages, recipe->package_count, NULL, 0, &json, NULL) == 0) {
		compose_manifest *manifest = NULL;

		require(compose_manifest_parse("m.json", json, strlen(json), &manifest, NULL) == 0);
		require(strcmp(manifest->component, recipe->component) == 0);
		require(recipe->package_count == 0 ||
			(manifest->payload_count == recipe->package_count &&
				manifest->version.major == 2 && manifest->version.minor == 36 &&
				manifest->version.revision ==
					(recipe->revision != 0 ? recipe->revision : 91400)));
		compose_manifest_unref(manifest);
	}
	base_free(json);
	free(packages);
}

static void read_control(const uint8_t *data, size_t size)
{
	compose_package *package = compose_package_new();
	compose_package_release release;

	require(package != NULL);
	if (compose_package_control(package, (const char *)data, size, NULL) == 0) {
		require(package->name != NULL && package->version != NULL);
		compose_package_released(package->version, &release, NULL);
	}
	compose_package_unref(package);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	compose_recipe *recipe = NULL;

	if (compose_recipe_parse("fuzz.json", data, size, &recipe, NULL) == 0)
		make(recipe);
	compose_recipe_unref(recipe);
	read_control(data, size);
	return 0;
}
