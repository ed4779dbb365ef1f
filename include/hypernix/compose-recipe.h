/* SPDX-License-Identifier: MIT
 *
 * Recipes: a component made of packages of a distribution. Nothing here downloads, and nothing of a
 * package is ever run.
 */
#ifndef HYPERNIX_COMPOSE_RECIPE_H
#define HYPERNIX_COMPOSE_RECIPE_H

#include <hypernix/compose.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A package of Debian, as hn_package_read read it: immutable. */
typedef struct hn_package hn_package;

/** What a package says of itself. */
typedef struct hn_package_info {
	uint32_t size;    /* of this struct, set by the caller */
	const char *name; /* texts are owned by the package */
	const char *version;
	const char *dependency; /* the first package that it depends on; NULL: none */
	char sha256[65];        /* of the file, as a manifest names it */
	uint64_t bytes;         /* of the file */
} hn_package_info;
#define HN_PACKAGE_INFO_INIT                                                                       \
	{                                                                                          \
		.size = sizeof(hn_package_info)                                                    \
	}

/**
 * Tells what a package is.
 *
 * @param package  the package, borrowed
 * @param info  filled in on success; its size must be set; texts are owned by the package
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when an argument is NULL or the size is not set; HN_ENEWER when it sets what
 *    this library does not know; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_package_get(const hn_package *package, hn_package_info *info, hn_error **err);

/**
 * Releases a package.
 *
 * @param package  the package, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_package *hn_package_unref(hn_package *package);

/** How a component is made of packages, files and what is decided about scripts: immutable. */
typedef struct hn_recipe hn_recipe;

/**
 * Reads a recipe, schema 1: its packages, and a manifest without what comes from them.
 *
 * @param file  name of the file, for positions
 * @param bytes  JSON text, strict UTF-8; copied
 * @param size  length in bytes, at most MANIFEST_BYTES
 * @param recipe  set to the recipe on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; messages begin with file:line:column
 * Errors: HN_ESYNTAX, HN_ESCHEMA, HN_ERANGE, HN_EDUPLICATE, HN_ENEWER and HN_ELIMIT as
 *    hn_manifest_parse has them; HN_EINVAL when an argument is NULL; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes, the recipe
 * Since: 0.1
 */
HN_API int hn_recipe_parse(
	const char *file, const void *bytes, size_t size, hn_recipe **recipe, hn_error **err);

/**
 * Releases a recipe.
 *
 * @param recipe  the recipe, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_recipe *hn_recipe_unref(hn_recipe *recipe);

/**
 * Names the component that a recipe makes.
 *
 * @param recipe  the recipe, borrowed
 * @return the name, owned by the recipe
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_recipe_component(const hn_recipe *recipe);

/** A package that a recipe wants. */
typedef struct hn_recipe_package {
	uint32_t size;       /* of this struct, set by the caller */
	const char *package; /* texts are owned by the recipe */
	const char *version; /* how its version begins; "" is any */
	bool dependency;     /* not it is meant, but the first package that it depends on */
} hn_recipe_package;
#define HN_RECIPE_PACKAGE_INIT                                                                     \
	{                                                                                          \
		.size = sizeof(hn_recipe_package)                                                  \
	}

/**
 * Walks the packages of a recipe, in its order.
 *
 * @param recipe  the recipe, borrowed
 * @param nth  from 0
 * @param package  filled in on success; its size must be set; texts are owned by the recipe
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end; HN_EINVAL when an argument is NULL or the size is not set;
 *    HN_ENEWER when it sets what this library does not know; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_recipe_get_package(
	const hn_recipe *recipe, size_t nth, hn_recipe_package *package, hn_error **err);

/** A file that a recipe brings itself, from the directory root beside it. */
typedef struct hn_recipe_file {
	const char *path; /* in the image */
	const char *text;
	bool executable;
} hn_recipe_file;

/**
 * Makes the manifest of a recipe and its packages: equal ones give equal text. The version is that
 * of the first package: of 1:2.36-9+deb12u14 it is 2.36.0+r91400, unless the recipe has a revision.
 *
 * @param recipe  the recipe, borrowed
 * @param packages  one for each that the recipe names, in its order; borrowed
 * @param count  how many they are
 * @param files  that the recipe brings itself, behind those of its manifest; borrowed
 * @param file_count  how many they are
 * @param json  set to the manifest on success, owned by the caller: release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESCHEMA naming the scripts of a package that the recipe does not decide about, and for
 *    a file that is no text; HN_EMISSING when the version of a package does not begin as the recipe
 *    wants; HN_ERANGE when no semantic version can be made of it; HN_EDUPLICATE, HN_ELIMIT and
 *    others that hn_manifest_parse has; HN_EINVAL when other packages are given; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes, the text
 * Since: 0.1
 */
HN_API int hn_recipe_manifest(const hn_recipe *recipe, const hn_package *const *packages,
	size_t count, const hn_recipe_file *files, size_t file_count, char **json, hn_error **err);

/**
 * Holds a manifest that a recipe made against what a registry has of its component: of two that are
 * made of one package the newer by Debian's order has to be the newer of ours.
 *
 * @param registry  the registry, borrowed
 * @param manifest  that is to be put there, borrowed
 * @param replace  it may take the place of the one of its version
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ECONFLICT naming both packages and versions, with a revision for the recipe as the way
 *    out; HN_EINVAL when an argument is NULL; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: no, but for an error
 * Since: 0.1
 * Source: deb-version(7)
 */
HN_API int hn_recipe_check(
	const hn_registry *registry, const hn_manifest *manifest, bool replace, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
