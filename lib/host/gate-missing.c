/* SPDX-License-Identifier: MIT
 *
 * Gate of what a lock names and the store of the host does not have.
 */
#include "compose/lock.h"
#include "compose/package.h"
#include "host/call.h"
#include "host/compose.h"

#include <hypernix/host-build.h>

typedef struct search {
	compose_store *store; /* NULL: nothing was ever put there */
	base_map *told;       /* SHA-256: several components may have one */
	hn_payload_missed_fn each;
	void *arg;
	int count;
	hn_error **err;
} search;

/* 1 when it is not there. */
static int is_missing(const search *at, const compose_sha256 *sha256)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	compose_digest digest;
	int rc = at->store ? compose_store_find(at->store, sha256, &digest, &why) : HN_EMISSING;

	if (rc == HN_EMISSING)
		return 1;
	if (rc < 0)
		base_error_move(at->err, BASE_STEAL(why));
	return rc;
}

/* What names no package of an archive is not handed on as one. Both texts are the caller's, NULL
 * when out of memory. */
static bool names_package(const compose_payload *payload, char **name, char **version)
{
	compose_package_name named;

	if (payload->kind != COMPOSE_PAYLOAD_DEB ||
		!compose_package_named(payload->upstream, &named))
		return false;
	*name = base_strndup(named.name, named.name_size);
	*version = base_strndup(named.version, named.version_size);
	return true;
}

static int look_payload(search *at, const char *component, const compose_payload *payload)
{
	static char there[] = "";
	BASE_AUTO_FREE char *name = NULL;
	BASE_AUTO_FREE char *version = NULL;
	hn_payload_missed missed = {.size = sizeof(missed),
		.component = component,
		.kind = compose_payload_kind_name(payload->kind),
		.upstream = payload->upstream,
		.bytes = payload->size};
	const uint8_t *key = payload->sha256.bytes;
	int rc;

	if (base_map_has(at->told, key, sizeof(payload->sha256.bytes)))
		return 0;
	rc = is_missing(at, &payload->sha256);
	if (rc <= 0)
		return rc;
	if (base_map_put(at->told, key, sizeof(payload->sha256.bytes), there) < 0 ||
		(names_package(payload, &name, &version) && (!name || !version)))
		return base_nomem(at->err);
	missed.package = name;
	missed.version = version;
	codec_hex(key, sizeof(payload->sha256.bytes), missed.sha256);
	at->count++;
	at->each(at->arg, &missed);
	return 0;
}

static int look_all(search *at, const hn_lock *lock, const hn_registry *registry)
{
	BASE_AUTO_FREE const compose_manifest **manifests =
		base_calloc(lock->count + 1, sizeof(*manifests));
	int rc = manifests ? compose_lock_manifests(lock, registry, manifests, at->err)
			   : base_nomem(at->err);

	for (size_t i = 0; rc >= 0 && i < lock->count; i++)
		for (size_t k = 0; rc >= 0 && k < manifests[i]->payload_count; k++)
			rc = look_payload(at, manifests[i]->component, &manifests[i]->payloads[k]);
	return rc;
}

int hn_payload_missing(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	hn_payload_missed_fn each, void *arg, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	BASE_AUTO_OF(base_map) base_map *told = base_map_new(NULL);
	search at = {.told = told, .each = each, .arg = arg, .err = err};
	host_permit permit;
	hn_host *host = NULL;
	int rc = registry && lock && each
			 ? host_enter_node(session, HN_VERB_BLUEPRINT_READ, &host, &permit, err)
			 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
				   "a registry, a lock and who is told are needed");

	/* Nothing but what the lock and the registry of the caller say. */
	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc < 0)
		return rc;
	rc = told ? base_error_forgive(err, host_compose_store(host, false, &store, err), HN_ENOENT)
		  : base_nomem(err);
	at.store = store;
	if (rc >= 0)
		rc = look_all(&at, lock, registry);
	return rc < 0 ? host_conceal(session, rc, err) : at.count;
}
