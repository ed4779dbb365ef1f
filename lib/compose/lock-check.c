/* SPDX-License-Identifier: MIT
 *
 * Does a lock still hold? Every entry that is gone or differs has an error of its own: nothing is
 * replaced in silence.
 */
#include "compose/lock-private.h"

#define HINT_RESOLVE "hv-compose resolve makes a new lock"

typedef struct checker {
	const compose_lock *lock;
	const compose_registry *registry;
	hn_error **err;
} checker;

static const char *file_of(const checker *at)
{
	return at->lock->file[0] != '\0' ? at->lock->file : at->lock->blueprint;
}

static int gone(checker *at, const compose_locked *one)
{
	const compose_release *releases = NULL;
	size_t count = compose_registry_releases(at->registry, one->component, &releases);
	const char *nearest = compose_registry_nearest(at->registry, one->component);

	base_error(at->err, HN_ELOCK, COMPOSE_ROOM, HINT_RESOLVE,
		"%s: %s %s is in no registry any more", file_of(at), one->component, one->version);
	if (count > 0)
		base_error_hint(at->err, "the newest there is %.*s; " HINT_RESOLVE,
			(int)releases[count - 1].manifest->version.text_size,
			releases[count - 1].manifest->version.text);
	else if (nearest != NULL)
		base_error_hint(at->err, "there is %s; " HINT_RESOLVE, nearest);
	return HN_ELOCK;
}

static int differs(checker *at, const compose_locked *one, const compose_manifest *manifest)
{
	char is[COMPOSE_DIGEST_TEXT], should[COMPOSE_DIGEST_TEXT];

	compose_digest_print(&manifest->digest, is);
	compose_digest_print(&one->manifest, should);
	return base_error(at->err, HN_ELOCK, COMPOSE_ROOM,
		"a version never changes: put the old manifest back, or resolve again",
		"%s: %s %s differs: locked as %s, %s is %s", file_of(at), one->component,
		one->version, should, manifest->file, is);
}

static bool same_payloads(const compose_locked *one, const compose_manifest *manifest)
{
	if (one->payload_count != manifest->payload_count)
		return false;
	for (size_t i = 0; i < one->payload_count; i++)
		if (one->payloads[i].size != manifest->payloads[i].size ||
			memcmp(&one->payloads[i].sha256, &manifest->payloads[i].sha256,
				sizeof(compose_sha256)) != 0)
			return false;
	return true;
}

static int check_component(
	checker *at, const compose_locked *one, const compose_manifest **manifest)
{
	const compose_release *release =
		compose_registry_find(at->registry, one->component, one->version);
	const compose_source *source;

	if (release == NULL)
		return gone(at, one);
	if (!compose_digest_equal(&release->manifest->digest, &one->manifest))
		return differs(at, one, release->manifest);
	source = compose_registry_source(at->registry, release->registry);
	if (strcmp(source->name, one->registry) != 0)
		return base_error(at->err, HN_ELOCK, COMPOSE_ROOM, "pin it, or resolve again",
			"%s: %s %s was locked from registry %s, now it comes from %s", file_of(at),
			one->component, one->version, one->registry, source->name);
	if (!same_payloads(one, release->manifest))
		return base_error(at->err, HN_ELOCK, COMPOSE_ROOM, HINT_RESOLVE,
			"%s: the payloads of %s %s are not those of its manifest", file_of(at),
			one->component, one->version);
	*manifest = release->manifest;
	return 0;
}

int compose_lock_manifest(const compose_lock *lock, const compose_registry *registry,
	const compose_locked *one, const compose_manifest **manifest, hn_error **err)
{
	checker at = {lock, registry, err};

	return check_component(&at, one, manifest);
}

int compose_lock_manifests(const compose_lock *lock, const compose_registry *registry,
	const compose_manifest **manifests, hn_error **err)
{
	checker at = {lock, registry, err};
	const compose_manifest *found;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < lock->count; i++)
		rc = check_component(&at, &lock->components[i], &found);
	/* A second time, so that on failure the caller's array is as it was. */
	for (size_t i = 0; rc == 0 && i < lock->count; i++)
		rc = check_component(&at, &lock->components[i], &manifests[i]);
	return rc;
}

/* --- all of a lock --- */

static int check_blueprint(checker *at, const compose_blueprint *blueprint)
{
	if (strcmp(at->lock->blueprint, blueprint->name) != 0)
		return base_error(at->err, HN_ELOCK, COMPOSE_ROOM, NULL,
			"%s is the lock of blueprint %s, not of %s", file_of(at),
			at->lock->blueprint, blueprint->name);
	if (!compose_digest_equal(&at->lock->blueprint_digest, &blueprint->digest))
		return base_error(at->err, HN_ELOCK, COMPOSE_ROOM, HINT_RESOLVE,
			"%s: blueprint %s (%s) was changed after it was locked", file_of(at),
			blueprint->name, blueprint->file);
	return 0;
}

static const compose_source *find_source(const compose_registry *registry, const char *name)
{
	for (size_t i = 0; i < compose_registry_sources(registry); i++)
		if (strcmp(compose_registry_source(registry, i)->name, name) == 0)
			return compose_registry_source(registry, i);
	return NULL;
}

/* A registry may have gone on; it may not have gone back, nor have lost its signature. */
static int check_source(checker *at, const compose_source *locked)
{
	const compose_source *now = find_source(at->registry, locked->name);

	if (now == NULL)
		return base_error(at->err, HN_ELOCK, COMPOSE_ROOM, "give its directory",
			"%s: registry %s is not there", file_of(at), locked->name);
	if (now->serial < locked->serial)
		return base_error(at->err, HN_ELOCK, COMPOSE_ROOM, "fetch the registry again",
			"%s: registry %s was locked at serial %llu, now it is at %llu", file_of(at),
			locked->name, (unsigned long long)locked->serial,
			(unsigned long long)now->serial);
	if (now->serial == locked->serial && !compose_digest_equal(&now->index, &locked->index))
		return base_error(at->err, HN_ELOCK, COMPOSE_ROOM,
			"ask who signs it: a serial is given once",
			"%s: registry %s has another index with the same serial %llu", file_of(at),
			locked->name, (unsigned long long)locked->serial);
	return 0;
}

static bool provides(const compose_manifest *manifest, const compose_binding *binding)
{
	for (size_t i = 0; i < manifest->provide_count; i++) {
		const compose_provision *one = &manifest->provides[i];

		if (strcmp(one->contract, binding->contract) == 0 &&
			strlen(binding->version) == one->version.text_size &&
			memcmp(binding->version, one->version.text, one->version.text_size) == 0)
			return true;
	}
	return false;
}

static int check_binding(checker *at, const compose_binding *binding)
{
	const compose_locked *provider = compose_lock_find(at->lock, binding->provider);
	const compose_release *release =
		compose_registry_find(at->registry, provider->component, provider->version);

	if (provides(release->manifest, binding))
		return 0;
	return base_error(at->err, HN_ELOCK, COMPOSE_ROOM, HINT_RESOLVE,
		"%s: %s %s does not provide %s %s, which %s is bound to", file_of(at),
		provider->component, provider->version, binding->contract, binding->version,
		binding->needed_by);
}

int compose_lock_check(const compose_lock *lock, const compose_registry *registry,
	const compose_blueprint *blueprint, hn_error **err)
{
	checker at = {lock, registry, err};
	const compose_manifest *manifest;
	int rc = blueprint != NULL ? check_blueprint(&at, blueprint) : 0;

	for (size_t i = 0; rc == 0 && i < lock->source_count; i++)
		rc = check_source(&at, &lock->sources[i]);
	for (size_t i = 0; rc == 0 && i < lock->count; i++)
		rc = check_component(&at, &lock->components[i], &manifest);
	for (size_t i = 0; rc == 0 && i < lock->binding_count; i++)
		rc = check_binding(&at, &lock->bindings[i]);
	return rc;
}
