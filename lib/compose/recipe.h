/* SPDX-License-Identifier: MIT
 *
 * Recipes: which packages a component is made of, what is decided about their scripts, and the rest
 * of its manifest.
 */
#ifndef COMPOSE_RECIPE_H
#define COMPOSE_RECIPE_H

#include "compose/package.h"
#include "compose/registry.h"

#include <hypernix/compose-recipe.h>

typedef struct compose_ingredient {
	const char *package;
	const char *begins; /* how its version does; "" is any */
	bool dependency;    /* not it is meant, but the first package that it depends on */
	const char *const *exclude;
	size_t exclude_count;
	const char *const *scripts; /* that were decided about */
	size_t script_count;
	const char *decision; /* NULL: no script */
	compose_place place;
} compose_ingredient;
typedef struct hn_recipe compose_recipe;
struct hn_recipe {
	base_arena *arena;
	atomic_int references;
	const char *file;
	compose_version version; /* .text NULL: that of the first package */
	uint64_t revision;       /* in the place of what its version makes; 0: that */
	const compose_ingredient *packages;
	size_t package_count;
	const codec_node *manifest; /* all but what comes from packages */
	const char *component;
	compose_place place;
	codec_json *document;
};
int compose_recipe_parse(
	const char *file, const void *bytes, size_t size, compose_recipe **recipe, hn_error **err);
compose_recipe *compose_recipe_unref(compose_recipe *recipe);
BASE_AUTO(compose_recipe, compose_recipe_unref)
/* *json is owned (base_free). */
int compose_recipe_manifest(const compose_recipe *recipe, const compose_package *const *packages,
	size_t count, const hn_recipe_file *files, size_t file_count, char **json, hn_error **err);
/* Has ours the order of Debian's versions, among what the registry has of the component? Those of
 * the same version of ours count unless one is to take the place of the other. HN_ECONFLICT. */
int compose_recipe_check(const compose_registry *registry, const compose_manifest *manifest,
	bool replace, hn_error **err);

#endif
