/* SPDX-License-Identifier: MIT
 *
 * Registries: directories of manifests and contracts, with or without a signed index.
 */
#ifndef COMPOSE_REGISTRY_H
#define COMPOSE_REGISTRY_H

#include "compose/model.h"

typedef struct compose_release { /* one version of a component */
	const compose_manifest *manifest;
	uint32_t registry; /* index of where it came from */
} compose_release;
typedef struct compose_source {
	const char *name;      /* of the index, or of the directory */
	const char *directory; /* as it was given */
	uint64_t serial;       /* of a signed index; 0 = none */
	compose_digest index;  /* of the index; zero = none */
} compose_source;

struct compose_trust; /* compose/index.h */
struct compose_trusted;

/* All registries of a host together. */
typedef struct hn_registry compose_registry;  /* the public handle */
compose_registry *compose_registry_new(void); /* NULL when out of memory */
compose_registry *compose_registry_ref(compose_registry *registry);
compose_registry *compose_registry_unref(compose_registry *registry);
BASE_AUTO(compose_registry, compose_registry_unref)
/* Before the first add: of `component` only the releases of this registry count. A component that
 * several registries have is HN_EAMBIGUOUS without it. */
int compose_registry_pin(
	compose_registry *registry, const char *component, const char *source, hn_error **err);
/* A registry that manifests are said to come from; texts are copied. Two of one name are
 * HN_EAMBIGUOUS. */
int compose_registry_add_source(
	compose_registry *registry, const compose_source *source, uint32_t *index, hn_error **err);
/* What is in memory already; the registry takes references. HN_EDUPLICATE when a release of this
 * version is there with another digest; HN_EAMBIGUOUS when another source has the component;
 * HN_ELIMIT. Source 0 is there without compose_registry_add_source too, as "memory". */
int compose_registry_add_manifest(
	compose_registry *registry, compose_manifest *manifest, uint32_t source, hn_error **err);
int compose_registry_add_contract(
	compose_registry *registry, compose_contract *contract, hn_error **err);
/* manifests/<name>/<version>.json and contracts/<a>/<b>.json below `directory`. */
int compose_registry_load(
	compose_registry *registry, hn_os *os, const char *directory, hn_error **err);
/* A file of a registry, whose names are not trusted: no link is followed. Added to `content`. */
int compose_registry_read(hn_os *os, const char *directory, const char *name, uint64_t limit,
	base_buf *content, hn_error **err);
/* The same as compose_registry_load with index.cbor and index.cose (compose/index.h), which must
 * name all that is there and nothing else. `trust` and `found` as compose_index_load has them. */
int compose_registry_load_signed(compose_registry *registry, hn_os *os, const char *directory,
	const struct compose_trust *trust, struct compose_trusted *found, hn_error **err);
/* One of what `now` (NULL: nothing) has, with these: a manifest in the place of the one of its name
 * and version, a contract of the one of its name. All of it is checked, and the result is sealed.
 */
int compose_registry_with(const compose_registry *now, compose_manifest *const *manifests,
	size_t manifest_count, compose_contract *const *contracts, size_t contract_count,
	compose_registry **then, hn_error **err);
/* After the last add: checks manifests against contracts (HN_ECONTRACT), sorts. Nothing can be
 * added after it. */
int compose_registry_seal(compose_registry *registry, hn_error **err);

size_t compose_registry_components(const compose_registry *registry);
const char *compose_registry_component(const compose_registry *registry, size_t index);
/* Releases of a component from the oldest to the newest: rank r is releases[r - 1]. */
size_t compose_registry_releases(
	const compose_registry *registry, const char *component, const compose_release **releases);
const compose_release *compose_registry_find(
	const compose_registry *registry, const char *component, const char *version);
size_t compose_registry_contracts(const compose_registry *registry);
const compose_contract *compose_registry_contract_at(
	const compose_registry *registry, size_t index);
/* The schema that holds for a version of a contract: the newest of the same major. */
const compose_contract *compose_registry_contract(
	const compose_registry *registry, const char *name, const compose_version *version);
size_t compose_registry_sources(const compose_registry *registry);
const compose_source *compose_registry_source(const compose_registry *registry, size_t index);
/* The nearest component name, or NULL. */
const char *compose_registry_nearest(const compose_registry *registry, const char *component);

#endif
