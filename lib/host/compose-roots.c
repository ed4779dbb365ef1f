/* SPDX-License-Identifier: MIT
 *
 * What of the host's store somebody needs. When in doubt it is needed: what is kept too long costs
 * room, what is gone too early costs a guest its next boot.
 */
#include "host/compose.h"

typedef struct search {
	hn_host *host;
	compose_roots *roots;
	hn_error **err;
} search;

/* --- units --- */

/* As it is written, and where that leads. */
static int add_path(search *at, const char *path)
{
	BASE_AUTO_FREE char *resolved = NULL;
	int rc = compose_roots_path(at->roots, path, at->err);

	if (rc == 0)
		rc = os_resolve(at->host->os, path, &resolved, at->err);
	return rc < 0 ? rc : compose_roots_path(at->roots, resolved, at->err);
}

static int add_view(search *at, const hn_view *view)
{
	const char *key = NULL, *path = NULL;
	const hn_key *row = NULL;
	int rc = 0, found;

	for (size_t i = 0; view && rc >= 0; i++) {
		found = hn_view_key_at(view, i, &key, &row);
		if (found == HN_ENOENT)
			break;
		if (found < 0)
			return base_nomem(at->err);
		if (row->type == HN_TYPE_PATH && hn_view_get_text(view, key, &path, NULL) >= 0 &&
			*path == '/')
			rc = add_path(at, path);
	}
	return rc < 0 ? rc : 0;
}

static int add_unit(void *arg, hn_unit *given)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = given;
	int rc = add_view(arg, unit->desired);

	return rc < 0 ? rc : add_view(arg, unit->applied);
}

/* --- images that were taken into use: the present ones, and those to go back to --- */

static int add_in_use(search *at)
{
	state_query *query = NULL;
	int rc = state_find(at->host->store, "SELECT image FROM image", &query, at->err);

	while (rc >= 0 && (rc = state_row(query, at->err)) > 0) {
		const char *text = state_text(query, 0);
		compose_digest digest;

		rc = compose_digest_parse(text, strlen(text), &digest)
			     ? compose_roots_add(at->roots, &digest, at->err)
			     : HN_CORRUPT(at->err, HOST_ROOM,
				       "the database calls an image in use '%.80s'", text);
	}
	if (query)
		state_done(query);
	return rc;
}

/* --- payloads --- */

static int add_manifest(search *at, compose_store *store, const compose_manifest *manifest)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < manifest->payload_count; i++)
		rc = compose_roots_payload(
			store, &manifest->payloads[i].sha256, at->roots, at->err);
	return rc;
}

static int add_registry(search *at, compose_store *store)
{
	BASE_AUTO_OF(compose_registry) compose_registry *registry = NULL;
	const compose_release *releases = NULL;
	int rc = host_compose_registry(at->host, &registry, at->err);

	for (size_t i = 0; rc == 0 && i < compose_registry_components(registry); i++) {
		size_t count = compose_registry_releases(
			registry, compose_registry_component(registry, i), &releases);

		for (size_t k = 0; rc == 0 && k < count; k++)
			rc = add_manifest(at, store, releases[k].manifest);
	}
	return rc;
}

/* The tree stands for the images that were made of it. */
static int add_lock(search *at, compose_store *store, const compose_lock *lock)
{
	int rc = compose_roots_add(at->roots, &lock->tree, at->err);

	for (size_t i = 0; i < lock->count; i++)
		for (size_t k = 0; rc == 0 && k < lock->components[i].payload_count; k++)
			rc = compose_roots_payload(
				store, &lock->components[i].payloads[k].sha256, at->roots, at->err);
	return rc;
}

int host_compose_roots(hn_host *host, compose_store *store, const host_compose_wish *wish,
	compose_roots *roots, uint64_t *images, hn_error **err)
{
	search at = {host, roots, err};
	int rc = host_units_each(host, add_unit, &at, err);

	if (rc == 0)
		rc = add_in_use(&at);
	if (rc == 0)
		rc = add_registry(&at, store);
	if (rc == 0 && wish->grace > 0)
		rc = compose_roots_young(store, os_now(host->os) - wish->grace, roots, err);
	for (size_t i = 0; rc == 0 && i < wish->lock_count; i++)
		rc = add_lock(&at, store, wish->locks[i]);
	return rc < 0 ? rc : compose_roots_images(store, !wish->unused, roots, images, err);
}
