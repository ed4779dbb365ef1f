/* SPDX-License-Identifier: MIT
 *
 * Gates of what is asked of the store: what a component brings, and who has
 * brought what is at a path of an image.
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

/* ---- where a path comes from ---- */

typedef struct question {
	const hn_registry *registry;
	const hn_lock *lock;
	const char *path;
	hn_path_step_fn each;
	void *arg;
} question;

static int begin_why(hn_session *session, const question *what,
	const compose_build_options *options, host_call *call, hn_host **host, host_permit *permit,
	hn_error **err)
{
	char object[BASE_OBJECT_SIZE], digest[COMPOSE_DIGEST_TEXT];

	(void)snprintf(object, sizeof(object), "blueprint/%.200s", what->lock->blueprint);
	compose_digest_print(&what->lock->digest, digest);
	caps_call_text(&call->what, "lock", digest);
	caps_call_text(&call->what, "why", what->path);
	if (options->parser_key[0] != '\0')
		caps_call_text(&call->what, "parser", options->parser_key);
	return host_call_enter(session, HN_VERB_BLUEPRINT_BUILD, object, call, host, permit, err);
}

static int ask_why(
	hn_host *host, const question *what, const compose_build_options *options, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	int rc = host_compose_store(host, true, &store, err);

	return rc < 0 ? rc
		      : compose_path_why(store, what->registry, what->lock, what->path, options,
				what->each, what->arg, err);
}

int hn_path_why(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	const char *path, const hn_build_options *options, hn_path_step_fn each, void *arg,
	hn_error **err)
{
	const question what = {registry, lock, path, each, arg};
	HOST_AUTO_CALL host_call call = {0};
	compose_build_options how;
	host_permit permit;
	hn_host *host = NULL;
	int steps, rc = registry && lock && path && each
				? host_build_options(options, &how, err)
				: base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					  "a registry, a lock, a path and what takes the steps are "
					  "needed");

	if (rc >= 0)
		rc = compose_path_check(path, err);
	if (rc >= 0)
		rc = begin_why(session, &what, &how, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	how.permit = &permit.base;
	rc = host_answers(&permit, 0, err);
	steps = rc < 0 ? rc : ask_why(host, &what, &how, err);
	rc = host_settle(&permit, steps < 0 ? steps : 0, err);
	return rc < 0 ? rc : steps;
}

/* ---- is it whole? ---- */

static int take_verify(const hn_verify_options *given, compose_verify_options *to, hn_error **err)
{
	const hn_verify_options usual = HN_VERIFY_OPTIONS_INIT;
	hn_build_options build = HN_BUILD_OPTIONS_INIT;
	hn_verify_options known;
	int rc = base_options(&known, sizeof(known), given ? given : &usual, HOST_ROOM, err);

	if (rc < 0)
		return rc;
	build.workers = known.workers;
	build.parser = known.parser;
	build.progress = known.progress;
	build.progress_arg = known.progress_arg;
	build.cancel = known.cancel;
	*to = (compose_verify_options){.image = known.image, .rebuild = known.rebuild};
	return host_build_options(&build, &to->build, err);
}

/* Who only reads changes nothing; a scratch store is a build. */
static int begin_verify(hn_session *session, const hn_lock *lock,
	const compose_verify_options *options, host_call *call, hn_host **host, host_permit *permit,
	hn_error **err)
{
	char object[BASE_OBJECT_SIZE], digest[COMPOSE_DIGEST_TEXT];

	(void)snprintf(object, sizeof(object), "blueprint/%.200s", lock->blueprint);
	if (!options->rebuild)
		return host_enter(session, HN_VERB_BLUEPRINT_READ, object, host, permit, err);
	compose_digest_print(&lock->digest, digest);
	caps_call_text(&call->what, "verify", digest);
	if (options->build.parser_key[0] != '\0')
		caps_call_text(&call->what, "parser", options->build.parser_key);
	return host_call_enter(session, HN_VERB_BLUEPRINT_BUILD, object, call, host, permit, err);
}

static int look_at(hn_host *host, const hn_registry *registry, const hn_lock *lock,
	const compose_verify_options *options, hn_verify_fault_fn each, void *arg,
	compose_verified *found, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	int rc = open_store(host, &store, err);

	return rc < 0 ? rc : compose_verify(store, registry, lock, options, each, arg, found, err);
}

static void fill_verified(const compose_verified *found, hn_verified *to)
{
	*to = (hn_verified){
		.size = to->size,
		.components = found->components,
		.payloads = found->payloads,
		.layers = found->layers,
		.files = found->files,
		.images = found->images,
		.rebuilt = found->rebuilt,
		.bytes = found->bytes,
	};
}

int hn_compose_verify(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	const hn_verify_options *options, hn_verify_fault_fn each, void *arg, hn_verified *verified,
	hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	compose_verify_options how;
	compose_verified found = {0};
	hn_verified known;
	host_permit permit;
	hn_host *host = NULL;
	int rc = registry && lock && each
			 ? take_verify(options, &how, err)
			 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
				   "a registry, a lock and what takes the faults are needed");

	if (rc >= 0)
		rc = base_options(&known, sizeof(known), verified, HOST_ROOM, err);
	if (rc >= 0)
		rc = begin_verify(session, lock, &how, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	how.build.permit = &permit.base;
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = look_at(host, registry, lock, &how, each, arg, &found, err);
	rc = host_settle(&permit, rc, err);
	if (rc < 0)
		return rc;
	fill_verified(&found, &known);
	memcpy(verified, &known, known.size < sizeof(known) ? known.size : sizeof(known));
	return (int)found.faults;
}
