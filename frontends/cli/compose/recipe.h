/* SPDX-License-Identifier: MIT
 *
 * What importing recipes is made of: packages and where they come from, files beside a recipe,
 * documents that go into a directory.
 */
#ifndef HYPERNIX_COMPOSE_RECIPE_FRONTEND_H
#define HYPERNIX_COMPOSE_RECIPE_FRONTEND_H

#include "compose.h"

CLI_AUTO(hn_recipe, hn_recipe_unref)
CLI_AUTO(hn_package, hn_package_unref)
CLI_AUTO(hn_contract, hn_contract_unref)

/* All give 0, or the exit status. */

/* ---- apt's own client (apt.c) ---- */
#define COMPOSE_APT_TEXT 160
typedef struct compose_offer {
	char version[COMPOSE_APT_TEXT];
	char sha256[65];
} compose_offer;
/* The first version that apt can download and that begins so, or that is this one. */
int compose_apt_offer(
	cli_run *cli, const char *name, const char *begins, bool exact, compose_offer *offer);
/* The file goes to `directory`, which apt may enter; *path is the caller's. */
int compose_apt_download(cli_run *cli, const char *name, const compose_offer *offer,
	const char *directory, char **path);
/* A directory that apt may enter; the caller's. */
int compose_scratch_make(cli_run *cli, char **directory);
void compose_scratch_remove(const char *directory); /* NULL is fine */

/* ---- packages (packages.c) ---- */
typedef struct compose_deb {
	char *name, *begins, *path;
	hn_package *package;
	bool downloaded, wanted; /* it is a payload */
} compose_deb;
typedef struct compose_source {
	cli_run *cli;
	const char *directory; /* where packages are; NULL: nowhere */
	bool fresh;            /* what is there has to be what apt offers now */
	bool keep;             /* what was downloaded goes there, too */
	char *scratch;         /* NULL: nothing was downloaded */
	compose_deb *debs;
	size_t count;
	cli_progress progress;
} compose_source;
void compose_source_end(compose_source *source);
#define COMPOSE_AUTO_SOURCE __attribute__((cleanup(compose_source_end)))
/* The package of this name; *index is its place. `done` of `total` are had. */
int compose_source_get(compose_source *source, const hn_recipe_package *wanted, size_t *index);
/* One of a lock: by its name, version and SHA-256. *path is the caller's. */
int compose_source_fetch(compose_source *source, const char *name, const char *version,
	const char *sha256, char **path);

/* ---- files beside a recipe (recipe-files.c) ---- */
typedef struct compose_files {
	hn_recipe_file *files; /* paths and texts are owned by it */
	size_t count;
} compose_files;
void compose_files_end(compose_files *all);
#define COMPOSE_AUTO_FILES __attribute__((cleanup(compose_files_end)))
/* All below a directory, by directory and name; none when there is no such directory. */
int compose_files_read(cli_run *cli, const char *directory, compose_files *all);

/* ---- a directory that is a registry (directory.c) ---- */
typedef enum compose_placed { COMPOSE_THERE, COMPOSE_NEW, COMPOSE_REPLACED } compose_placed;
typedef struct compose_place_options {
	const char *directory;
	bool replace; /* one that differs goes */
	bool dry_run; /* nothing is written */
} compose_place_options;
/* Held until the program ends. */
int compose_directory_lock(cli_run *cli, const char *directory);
/* *path is the caller's. One of this version that differs is HN_EEXIST. */
int compose_place_manifest(cli_run *cli, const compose_place_options *how,
	const hn_manifest *manifest, const char *text, compose_placed *placed, char **path);
/* *order below 0: an older one is there; 0: the same; above 0: a newer one. *differs: of one
 * version. */
int compose_compare_contract(cli_run *cli, const hn_contract *there, const hn_contract *given,
	int *order, bool *differs);
/* A newer one takes the place of an older one, and stays where an older one is given. */
int compose_place_contract(cli_run *cli, const compose_place_options *how,
	const hn_contract *contract, const char *text, compose_placed *placed);

int compose_import_recipes(cli_run *cli);

#endif
