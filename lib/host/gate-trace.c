/* SPDX-License-Identifier: MIT
 *
 * Gates of what is asked of the store: what a component brings.
 */
#include "host/call.h"
#include "host/compose.h"

#include <hypernix/host-trace.h>

/* Without one *store stays NULL. */
static int open_store(hn_host *host, compose_store **store, hn_error **err)
{
	int rc = host_compose_store(host, false, store, err);

	return rc == HN_ENOENT ? base_error_forgive(err, rc, HN_ENOENT) : rc;
}

/* ---- the files of a component ---- */

static int list_files(hn_host *host, const hn_manifest *manifest,
	const hn_component_files_options *options, hn_component_file_fn each, void *arg,
	hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	int rc = open_store(host, &store, err);

	return rc < 0 ? rc
		      : compose_component_files(store, manifest,
				options->parser ? options->parser : HYPERNIX_IMGPARSE,
				options->parser ? options->parser : "", options->cancel, each, arg,
				err);
}

int hn_component_files(hn_session *session, const hn_manifest *manifest,
	const hn_component_files_options *options, hn_component_file_fn each, void *arg,
	hn_error **err)
{
	const hn_component_files_options usual = HN_COMPONENT_FILES_OPTIONS_INIT;
	hn_component_files_options known;
	host_permit permit;
	hn_host *host = NULL;
	int rc = manifest && each ? base_options(&known, sizeof(known), options ? options : &usual,
					    HOST_ROOM, err)
				  : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					    "a manifest and what takes its files are needed");

	if (rc >= 0)
		rc = host_enter_node(session, HN_VERB_BLUEPRINT_READ, &host, &permit, err);
	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = list_files(host, manifest, &known, each, arg, err);
	return host_conceal(session, rc, err);
}
