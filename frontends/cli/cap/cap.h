/* SPDX-License-Identifier: MIT
 *
 * What the command groups of hv-cap share: sessions, objects by name, and terms from options.
 */
#ifndef HYPERNIX_CAP_H
#define HYPERNIX_CAP_H

#include "cli.h"

CLI_AUTO(hn_host, hn_host_unref)
CLI_AUTO(hn_session, hn_session_unref)
CLI_AUTO(hn_unit, hn_unit_unref)

#define CAP_NS INT64_C(1000000000)
#define CAP_TOKEN_MODE 0600
#define CAP_PUBLIC_MODE 0644
#define CAP_BUNDLE_BYTES 1048576

extern const cli_command cap_commands[];
extern const cli_option cap_options[];

/* All give 0, or the exit status. */

/* ---- the host (open.c) ---- */
int cap_open(cli_run *cli, cli_access access, hn_session **session);
/* "unit:web-1" and "unit:web-1/disk/vda" with the unit's uuid, "node:a" with slashes; other words
 * are objects or patterns already. Opens the host when it is needed; *session is kept. */
int cap_object(cli_run *cli, const char *word, hn_session **session, char **object);

/* ---- words and files (file.c) ---- */
int cap_read_token(cli_run *cli, const char *path, char **token);       /* cli_secret_free */
int cap_read_bundle(cli_run *cli, const char *path, cli_bytes *bundle); /* free bundle->data */
/* 64 hexadecimal digits, or a file with them, or a key file; free it. */
int cap_public_key(cli_run *cli, const char *word, char **key);
int cap_key_options(cli_run *cli, hn_cap_options *options); /* --key and --passphrase-file */
/* Prints a text of the library, or puts it into --out, one line. */
int cap_give(cli_run *cli, const char *text, unsigned mode, const char *what);
/* The same for what the library has given for the last time. */
int cap_give_once(cli_run *cli, const char *text, unsigned mode, const char *what);
int cap_say(const cli_run *cli, const char *format, ...) CLI_PRINTF(2, 3); /* unless --quiet */
/* With --json {"done": ...}; else the same in words. */
int cap_done(cli_run *cli, const char *format, ...) CLI_PRINTF(2, 3);
/* Prints a document of the library: with --json as it is, else its members, or as a table. */
int cap_print_document(const cli_run *cli, const char *json);
/* A command that lists what the host has: one call of the library, and its answer as a table. */
typedef int (*cap_lister)(hn_session *session, char **json, hn_error **err);
int cap_list_of(cli_run *cli, cap_lister list, const cli_column *columns, const cli_member *members,
	size_t count);
int cap_print_list(const cli_run *cli, const char *json, const cli_column *columns,
	const cli_member *members, size_t count);
bool cap_is_true(const cli_document *document, const char *place);
char *cap_absolute(const char *path); /* free it */
/* "2026-06-30", "2026-06-30T12:00:00Z", or with parts of a second; NULL is none. */
bool cap_time_of(const char *text, int64_t *seconds);
int64_t cap_seconds(const cli_run *cli, const char *name, int64_t otherwise);
static inline void cap_bytes_auto(cli_bytes *bytes)
{
	free(bytes->data);
}
#define CAP_AUTO_BYTES __attribute__((cleanup(cap_bytes_auto)))
#define CAP_AUTO_WIPED __attribute__((cleanup(cli_bytes_wipe)))
static inline void cap_secret_auto(char **text)
{
	cli_secret_free(*text);
}
#define CAP_AUTO_SECRET __attribute__((cleanup(cap_secret_auto)))

/* ---- terms (terms.c) ---- */
/* JSON of hypernix-capability(5) from --terms or the single options; `issuer`: with grants. */
int cap_terms(cli_run *cli, bool issuer, hn_session **session, char **terms);
/* What the library finds wrong at a place of JSON that options made, by the name of the option. */
int cap_fail_option(cli_run *cli, const char *json, hn_error *error);
/* "start" as a verb of the object's kind, or of the only kind that has it; free it. */
int cap_verb(const cli_run *cli, const char *word, const char *object, char **verb);

/* ---- who may act (manage.c, trust.c) ---- */
typedef struct cap_token {
	bool found;
	char subject[129];
	int64_t ends; /* seconds since 1970 */
} cap_token;
/* The token issued here that can let others in, and lasts longest. */
int cap_way_back(cli_run *cli, hn_session *session, cap_token *back);
/* The public half of the node's key of this role; free it. */
int cap_node_key(cli_run *cli, hn_session *session, const char *role, char **key);
/* The same, and *key is left alone when there is none. */
int cap_node_key_find(cli_run *cli, hn_session *session, const char *role, char **key);
/* The same, in the document of hn_node_key_list. */
char *cap_node_key_in(const cli_document *keys, const char *role);
#define CAP_SOON                                                                                   \
	(7 * 86400)        /* seconds before the end of an issuer's time that there is a warning */
typedef struct cap_trust { /* what the trust bundle says of this host */
	bool found;        /* there is a bundle */
	bool issues;       /* and this node's key is an issuer of it */
	char *issuer;      /* that key; NULL: it has none yet */
	char *cluster;     /* free both */
	uint64_t version;
	int64_t until; /* seconds since 1970 */
} cap_trust;
int cap_trust_look(cli_run *cli, hn_session *session, cap_trust *trust);
/* The same, where the issuer's key is there already, or cannot be had. */
int cap_trust_find(cli_run *cli, hn_session *session, cap_trust *trust);
void cap_trust_auto(cap_trust *trust);
#define CAP_AUTO_TRUST __attribute__((cleanup(cap_trust_auto)))
bool cap_has_bundle(hn_session *session);
/* A remark on standard error when this host can issue for a few days only. */
void cap_warn_issuer(cli_run *cli, hn_session *session);

/* ---- the commands ---- */
int cap_act(cli_run *cli); /* those with a row in act.c */
int cap_init(cli_run *cli);
int cap_status(cli_run *cli);
int cap_issue(cli_run *cli);
int cap_attenuate(cli_run *cli);
int cap_seal(cli_run *cli);
int cap_inspect(cli_run *cli);
int cap_verify(cli_run *cli);
int cap_explain(cli_run *cli);
int cap_revoke(cli_run *cli);
int cap_list(cli_run *cli);
int cap_sessions_list(cli_run *cli);
int cap_services_load(cli_run *cli);
int cap_local_off(cli_run *cli);
int cap_trust_show(cli_run *cli);
int cap_trust_make(cli_run *cli);
int cap_trust_sign(cli_run *cli);
int cap_trust_update(cli_run *cli);
int cap_trust_renew(cli_run *cli);
int cap_keys_list(cli_run *cli);
int cap_keys_new(cli_run *cli);
int cap_keys_public(cli_run *cli);
int cap_keys_rotate(cli_run *cli);
int cap_request(cli_run *cli);
int cap_approve(cli_run *cli);
int cap_collect(cli_run *cli);
int cap_requests(cli_run *cli);
int cap_breakglass_request(cli_run *cli);
int cap_breakglass_activate(cli_run *cli);
int cap_breakglass_list(cli_run *cli);
int cap_audit_tail(cli_run *cli);
int cap_audit_status(cli_run *cli);
int cap_audit_verify(cli_run *cli);
int cap_audit_prove(cli_run *cli);
int cap_audit_check(cli_run *cli);
int cap_audit_export(cli_run *cli);
int cap_audit_prune(cli_run *cli);
int cap_audit_erase(cli_run *cli);
int cap_secret_put(cli_run *cli);
int cap_secret_list(cli_run *cli);
int cap_secret_remove(cli_run *cli);
int cap_secret_attach(cli_run *cli);
int cap_sandbox_selftest(cli_run *cli);

#endif
