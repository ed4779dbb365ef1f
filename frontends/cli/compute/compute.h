/* SPDX-License-Identifier: MIT
 *
 * What the command groups of hv-compute share: opening the host, loading declarations, and printing
 * values, plans and errors in one way.
 */
#ifndef HYPERNIX_COMPUTE_H
#define HYPERNIX_COMPUTE_H

#include "cli.h"

CLI_AUTO(hn_host, hn_host_unref)
CLI_AUTO(hn_session, hn_session_unref)
CLI_AUTO(hn_console, hn_console_free)
CLI_AUTO(hn_catalog, hn_catalog_unref)
CLI_AUTO(hn_resolver, hn_resolver_free)
CLI_AUTO(hn_selector, hn_selector_free)
CLI_AUTO(hn_view, hn_view_unref)
CLI_AUTO(hn_unit, hn_unit_unref)
CLI_AUTO(hn_units, hn_units_free)
CLI_AUTO(hn_plan, hn_plan_unref)
CLI_AUTO(hn_probe, hn_probe_free)
CLI_AUTO(hn_boot, hn_boot_free)

#define COMPUTE_NS INT64_C(1000000000)

extern const cli_command compute_commands[];
extern const cli_option compute_options[];

/* ---- the host (host.c) ---- */
int compute_open(cli_run *cli, cli_access access, hn_session **session); /* 0, or exit status */
/* The same for what runs without a person: as that service, unless --cap says by what right. */
int compute_open_as(cli_run *cli, const char *service, hn_session **session);
/* Calls act for each operand and gives the status of the first failure. */
typedef int (*compute_act)(cli_run *cli, hn_session *session, const char *unit, hn_error **err);
typedef enum compute_after { COMPUTE_GO_ON, COMPUTE_STOP } compute_after; /* after a failure */
int compute_each(cli_run *cli, hn_session *session, compute_act act, const char *done,
	compute_after failure);

/* ---- declarations (load.c) ---- */
typedef struct compute_decls {
	hn_decl **items;
	size_t count;
} compute_decls;
void compute_decls_free(compute_decls *decls);
#define COMPUTE_AUTO_DECLS __attribute__((cleanup(compute_decls_free)))
/* Reads and parses one file; *error is set when the library refused it (exit status 0 then). */
int compute_decl_read(cli_run *cli, const char *path, hn_decl **decl, hn_error **error);
int compute_decls_load(cli_run *cli, const char *const *paths, size_t count, compute_decls *decls);
/* What --file names, or the host's: the pure way needs neither state nor rights. */
int compute_catalog(cli_run *cli, hn_catalog **catalog);
int compute_resolver(cli_run *cli, hn_resolver **resolver);

/* ---- values of a view (values.c) ---- */
bool compute_winner(const hn_view *view, const char *key, hn_origin *origin);
void compute_where(
	const char *file, uint32_t line, uint32_t column, char **where); /* "" without a file */
void compute_json_origin(hn_json *json, const hn_origin *origin);
void compute_json_tags(hn_json *json, const hn_view *view); /* members "tags" and "policies" */
void compute_json_values(hn_json *json, const hn_view *view);
void compute_values_print(const cli_run *cli, const hn_view *view);
/* What changes from one view to the other; prints a table, or writes the member "changes". */
void compute_diff_print(const cli_run *cli, hn_view *before, hn_view *after);
void compute_json_diff(hn_json *json, hn_view *before, hn_view *after);

/* A tag or policy for people, from what hn_catalog_describe says of it. */
int compute_describe(cli_run *cli, const char *what, const char *name, const char *json);
int compute_no_key(cli_run *cli, const char *name); /* refuses a key that does not exist */

/* ---- changes of tags, "+batch" and "-web" (retag.c) ---- */
typedef struct compute_retag {
	const char **add, **remove;
	size_t add_count, remove_count;
} compute_retag;
int compute_retag_read(cli_run *cli, const char *const *words, size_t count, compute_retag *retag);
void compute_retag_free(compute_retag *retag);
#define COMPUTE_AUTO_RETAG __attribute__((cleanup(compute_retag_free)))
/* The unit as it would be with these tags; the resolver stays as it is. */
int compute_what_if(cli_run *cli, hn_resolver *resolver, const char *unit, const char *const *words,
	size_t count, hn_view **view);

hn_wait compute_wait_of(const cli_run *cli); /* what --wait names */
/* ---- plans (plan.c, plan-print.c) ---- */
void compute_plan_print(const cli_run *cli, const hn_plan *plan);
/* Makes the plan, shows it and carries it out without asking. */
int compute_plan_run(cli_run *cli, hn_session *session, const hn_plan_options *options);
/* After a change of what is desired: makes it real for one unit unless --no-apply. */
int compute_settle(cli_run *cli, hn_session *session, const char *unit, bool start);

/* ---- the commands ---- */
int compute_list(cli_run *cli);
int compute_show(cli_run *cli);
int compute_get(cli_run *cli);
int compute_select(cli_run *cli);
int compute_history(cli_run *cli);
int compute_explain(cli_run *cli);
int compute_keys(cli_run *cli);
int compute_tags(cli_run *cli);
int compute_policies(cli_run *cli);
int compute_check(cli_run *cli);
int compute_plan(cli_run *cli);
int compute_apply(cli_run *cli);
int compute_pending(cli_run *cli);
int compute_rollback(cli_run *cli);
int compute_generations(cli_run *cli);
int compute_tag(cli_run *cli);
int compute_set(cli_run *cli);
int compute_unset(cli_run *cli);
int compute_force(cli_run *cli);
int compute_unforce(cli_run *cli);
int compute_create(cli_run *cli);
int compute_remove(cli_run *cli);
int compute_replace(cli_run *cli);
int compute_adopt(cli_run *cli);
int compute_drift(cli_run *cli);
int compute_repair(cli_run *cli);
int compute_start(cli_run *cli);
int compute_stop(cli_run *cli);
int compute_restart(cli_run *cli);
int compute_kill(cli_run *cli);
int compute_pause(cli_run *cli);
int compute_resume(cli_run *cli);
int compute_reset(cli_run *cli);
int compute_wait(cli_run *cli);
int compute_move(cli_run *cli);
int compute_unsupported(cli_run *cli); /* clone, template ... */
int compute_console(cli_run *cli);
int compute_boot(cli_run *cli);
int compute_xml(cli_run *cli);
int compute_watch(cli_run *cli);
int compute_supervise(cli_run *cli);
int compute_calibrate(cli_run *cli);
int compute_capacity(cli_run *cli);
int compute_probe(cli_run *cli);

#endif
