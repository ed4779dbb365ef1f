/* SPDX-License-Identifier: MIT
 *
 * What the command groups of hv-compose share: registries, documents and locks by file.
 */
#ifndef HYPERNIX_FRONTEND_COMPOSE_H
#define HYPERNIX_FRONTEND_COMPOSE_H

#include "cli.h"

CLI_AUTO(hn_session, hn_session_unref)
CLI_AUTO(hn_registry, hn_registry_unref)
CLI_AUTO(hn_manifest, hn_manifest_unref)
CLI_AUTO(hn_blueprint, hn_blueprint_unref)
CLI_AUTO(hn_lock, hn_lock_unref)
CLI_AUTO(hn_image, hn_image_unref)

#define COMPOSE_DOCUMENT_BYTES UINT64_C(1048576) /* the library has the same limits */
#define COMPOSE_LOCK_BYTES UINT64_C(16777216)

extern const cli_command compose_commands[];
extern const cli_option compose_options[];

static inline void compose_bytes_auto(cli_bytes *bytes)
{
	free(bytes->data);
}
#define COMPOSE_AUTO_BYTES __attribute__((cleanup(compose_bytes_auto)))

/* All give 0, or the exit status. */

/* ---- what there is (open.c) ---- */
/* Of --registry, which needs neither host nor rights; else the host's own. */
int compose_registry(cli_run *cli, hn_registry **registry);
/* The texts of an option that may be given again, NULL after the last; free the array. */
const char **compose_values(const cli_run *cli, const char *name, size_t *count);
bool compose_is_file(const char *word); /* "./x.json", and not the name of a component */
int compose_manifest_read(cli_run *cli, const char *path, hn_manifest **manifest);
int compose_blueprint_read(cli_run *cli, const char *path, hn_blueprint **blueprint);
int compose_lock_read(cli_run *cli, const char *path, hn_lock **lock);
/* The newest version of a component; borrowed, NULL when there is none. */
const hn_manifest *compose_newest(const hn_registry *registry, const char *component);

/* ---- locks (lock.c) ---- */
char *compose_lock_path(const cli_run *cli); /* of the first operand, or --lock; free it */
/* The lock at `path`; *lock stays NULL where there is none yet. */
int compose_lock_find(cli_run *cli, const char *path, hn_lock **lock);
void compose_json_lock(hn_json *json, const hn_lock *lock); /* members of an object that is open */
void compose_json_digest(hn_json *json, const char *key, const hn_manifest *manifest);
/* What differs, as an array; or a table, or "nothing has changed". */
int compose_json_changes(cli_run *cli, hn_json *json, const hn_lock *before, const hn_lock *after,
	const hn_registry *registry);
int compose_print_changes(
	cli_run *cli, const hn_lock *before, const hn_lock *after, const hn_registry *registry);

/* ---- images (build.c) ---- */
/* As the blueprint asks (NULL: as usual), but for what options say. */
int compose_image_make(cli_run *cli, hn_session *session, const hn_registry *registry,
	const hn_lock *lock, const hn_blueprint *blueprint, hn_image **image);
void compose_json_image(hn_json *json, const hn_image_info *info); /* members of an object */

/* ---- where things come from (trace.c) ---- */
/* What fits the blueprint of the first operand, near to a lock (NULL: none). Opens the registry
 * unless it is open (explain.c). */
int compose_choose(cli_run *cli, hn_registry **registry, const hn_lock *before, hn_lock **chosen);
int compose_why_file(cli_run *cli);
int compose_show_files(cli_run *cli, const hn_manifest *manifest);

/* ---- the commands ---- */
int compose_blueprint(cli_run *cli);
int compose_list(cli_run *cli);
int compose_show(cli_run *cli);
int compose_contracts(cli_run *cli);
int compose_search(cli_run *cli);
int compose_check(cli_run *cli);
int compose_resolve(cli_run *cli);
int compose_lock(cli_run *cli);
int compose_explain(cli_run *cli);
int compose_why(cli_run *cli);
int compose_verify_lock(cli_run *cli);
int compose_diff(cli_run *cli);
int compose_sbom(cli_run *cli);
int compose_put(cli_run *cli);
int compose_build_image(cli_run *cli);
int compose_upgrade(cli_run *cli);
int compose_gc(cli_run *cli);
int compose_add(cli_run *cli);
int compose_remove(cli_run *cli);
int compose_index(cli_run *cli);
int compose_pack(cli_run *cli);
int compose_import(cli_run *cli);
int compose_fetch(cli_run *cli);

#endif
