/* SPDX-License-Identifier: MIT
 *
 * Gate of the collection of garbage in the host's store of components.
 */
#include "host/call.h"
#include "host/compose.h"

#include <hypernix/host-build.h>

static int take_options(
	const hn_compose_gc_options *given, hn_compose_gc_options *known, hn_error **err)
{
	const hn_compose_gc_options usual = HN_COMPOSE_GC_OPTIONS_INIT;
	int rc = base_options(known, sizeof(*known), given ? given : &usual, HOST_ROOM, err);

	for (size_t i = 0; rc >= 0 && i < known->lock_count; i++)
		if (!known->locks || !known->locks[i])
			rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL,
				"lock %zu of those to keep is missing", i);
	if (rc >= 0 && known->grace < 0)
		rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL, "a grace is not below 0");
	return rc;
}

/* What is asked for, by the digests of the locks. */
static int say(const hn_compose_gc_options *options, host_call *call, hn_error **err)
{
	BASE_AUTO_BUF base_buf digests = {0};

	for (size_t i = 0; i < options->lock_count; i++)
		base_buf_add(&digests, options->locks[i]->digest.bytes,
			sizeof(options->locks[i]->digest.bytes));
	if (digests.failed)
		return base_nomem(err);
	caps_call_text(&call->what, "collect", "store");
	if (options->grace > 0)
		caps_call_int(&call->what, "grace", options->grace);
	if (options->unused)
		caps_call_bool(&call->what, "unused", true);
	if (digests.size > 0)
		caps_call_digest(&call->what, "keep", digests.data, digests.size);
	return 0;
}

/* Who only looks needs no more than a reader of blueprints. */
static int begin(hn_session *session, const hn_compose_gc_options *options, host_call *call,
	hn_host **host, host_permit *permit, hn_error **err)
{
	int rc;

	if (options->dry_run)
		return host_enter_node(session, HN_VERB_BLUEPRINT_READ, host, permit, err);
	rc = say(options, call, err);
	return rc < 0 ? rc
		      : host_call_node(session, HN_VERB_COMPONENT_TRUST, call, host, permit, err);
}

static int collect(hn_host *host, const hn_compose_gc_options *options, compose_gc_counts *counts,
	uint64_t *images, hn_error **err)
{
	const host_compose_wish wish = {
		options->locks, options->lock_count, options->unused, options->grace};
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	COMPOSE_AUTO_ROOTS compose_roots roots = {0};
	int rc = host_compose_store(host, false, &store, err);

	if (rc == HN_ENOENT)
		return base_error_forgive(err, rc, HN_ENOENT);
	if (rc >= 0 && !options->dry_run)
		rc = compose_store_claim(store, err);
	if (rc >= 0)
		rc = host_compose_roots(host, store, &wish, &roots, images, err);
	return rc < 0 ? rc
		      : compose_store_gc(
				store, roots.items, roots.count, options->dry_run, counts, err);
}

int hn_compose_gc(hn_session *session, const hn_compose_gc_options *options,
	hn_compose_garbage *garbage, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	hn_compose_gc_options known;
	hn_compose_garbage found;
	compose_gc_counts counts = {0};
	host_permit permit;
	hn_host *host = NULL;
	uint64_t images = 0;
	int rc = take_options(options, &known, err);

	if (rc >= 0)
		rc = base_options(&found, sizeof(found), garbage, HOST_ROOM, err);
	if (rc >= 0)
		rc = begin(session, &known, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = collect(host, &known, &counts, &images, err);
	rc = host_settle(&permit, rc, err);
	if (rc < 0)
		return rc;
	found = (hn_compose_garbage){
		.size = found.size,
		.blobs = counts.blobs,
		.records = counts.records,
		.payloads = counts.names,
		.bytes = counts.bytes,
		.kept_blobs = counts.kept,
		.kept_images = images,
	};
	memcpy(garbage, &found, found.size < sizeof(found) ? found.size : sizeof(found));
	return 0;
}
