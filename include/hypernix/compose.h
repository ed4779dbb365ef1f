/* SPDX-License-Identifier: MIT
 *
 * Composition: versions and ranges, components and contracts, blueprints, registries. Solving and
 * locks are in compose-lock.h, which this file includes. Nothing here uses the network.
 */
#ifndef HYPERNIX_COMPOSE_H
#define HYPERNIX_COMPOSE_H

#include <hypernix/base.h>
#include <hypernix/os.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HN_DIGEST_TEXT 68 /* "b2:", 64 hexadecimal digits and a NUL */

/* ---- versions and ranges ---- */

/**
 * Compares two versions by precedence; of versions that are equal in it the one with the larger
 * revision, "+rN", is newer.
 *
 * @param a  a version such as "1.22.1+r11"
 * @param b  another
 * @param order  set to -1, 0 or 1 on success: a is older, equal, newer
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX when one is no version, with the column; HN_ELIMIT when it has more than
 *    VERSION_BYTES; HN_EINVAL when an argument is NULL
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 * Source: Semantic Versioning 2.0.0, section 11
 */
HN_API int hn_version_compare(const char *a, const char *b, int *order, hn_error **err);

/** A range of versions such as ">=1.22 <2 || ^3"; immutable. */
typedef struct hn_range hn_range;

/**
 * Reads a range: alternatives between "||", each a list of comparators that all hold, as npm has
 * them, without hyphens, commas and x.
 *
 * @param text  at most RANGE_BYTES; copied
 * @param range  set to the range on success, owned by the caller: release with hn_range_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX when it is malformed, with the column; HN_ELIMIT when it is too long;
 *    HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the range
 * Since: 0.1
 * Source: https://github.com/npm/node-semver, "Ranges"
 */
HN_API int hn_range_parse(const char *text, hn_range **range, hn_error **err);

/**
 * Releases a range.
 *
 * @param range  the range, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_range *hn_range_free(hn_range *range);

/**
 * Gives the canonical text of a range: single spaces.
 *
 * @param range  the range, borrowed
 * @return the text, owned by the range
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_range_text(const hn_range *range);

/**
 * Says whether a version is in a range. A prerelease is only where a comparator of the same
 * alternative names a prerelease of the same major, minor and patch; a revision counts only with
 * "=".
 *
 * @param range  the range, borrowed
 * @param version  a version
 * @param err  set on failure; may be NULL
 * @return 1 when it is, 0 when not, or a negative hn_code
 * Errors: HN_ESYNTAX when it is no version, with the column; HN_ELIMIT when it is too long;
 *    HN_EINVAL when an argument is NULL
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_range_match(const hn_range *range, const char *version, hn_error **err);

/* ---- contracts ---- */

/** What one component gives another, and by which typed fields: immutable. */
typedef struct hn_contract hn_contract;

/**
 * Reads a contract, schema 1.
 *
 * @param file  name of the file, for positions
 * @param bytes  JSON text, strict UTF-8; copied
 * @param size  length in bytes, at most MANIFEST_BYTES
 * @param contract  set to the contract on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; messages begin with file:line:column
 * Errors: HN_ESYNTAX when it is not strict JSON, or a version or range is malformed; HN_ESCHEMA
 *    when a field is not allowed there, with the nearest name, or is missing; HN_ENEWER when its
 *    schema is newer; HN_ELIMIT when something is too large or too deep; HN_EINVAL when an
 *    argument is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the contract
 * Since: 0.1
 */
HN_API int hn_contract_parse(
	const char *file, const void *bytes, size_t size, hn_contract **contract, hn_error **err);

/**
 * Takes one more reference on a contract.
 *
 * @param contract  the contract; NULL is fine
 * @return the same contract
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_contract *hn_contract_ref(hn_contract *contract);

/**
 * Drops one reference on a contract, and releases it with the last one.
 *
 * @param contract  the contract, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_contract *hn_contract_unref(hn_contract *contract);

/**
 * Gives the name of a contract.
 *
 * @param contract  the contract, borrowed
 * @return such as "service/http", owned by the contract
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_contract_name(const hn_contract *contract);

/**
 * Gives the version of a contract.
 *
 * @param contract  the contract, borrowed
 * @return the version, owned by the contract
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_contract_version(const hn_contract *contract);

/**
 * Gives the JSON of a contract as it was read, without its white space.
 *
 * @param contract  the contract, borrowed
 * @param json  set to the text on success, owned by the caller: release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the text
 * Since: 0.1
 */
HN_API int hn_contract_json(const hn_contract *contract, char **json, hn_error **err);

/* ---- components ---- */

/** One version of a component: what it needs, gives and puts into an image. Immutable. */
typedef struct hn_manifest hn_manifest;

/**
 * Reads the manifest of a component, schema 1.
 *
 * @param file  name of the file, for positions
 * @param bytes  JSON text, strict UTF-8; copied
 * @param size  length in bytes, at most MANIFEST_BYTES
 * @param manifest  set to the manifest on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; messages begin with file:line:column
 * Errors: HN_ESYNTAX when it is not strict JSON, or a version or range is malformed; HN_ESCHEMA
 *    when a field is not allowed there, with the nearest name, or is missing; HN_EDUPLICATE when
 *    something is there twice; HN_ERANGE when a number is out of range; HN_ENEWER when its schema
 *    is newer; HN_ELIMIT when something is too large or too deep; HN_EINVAL when an argument is
 *    NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the manifest
 * Since: 0.1
 */
HN_API int hn_manifest_parse(
	const char *file, const void *bytes, size_t size, hn_manifest **manifest, hn_error **err);

/**
 * Takes one more reference on a manifest.
 *
 * @param manifest  the manifest; NULL is fine
 * @return the same manifest
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_manifest *hn_manifest_ref(hn_manifest *manifest);

/**
 * Drops one reference on a manifest, and releases it with the last one.
 *
 * @param manifest  the manifest, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_manifest *hn_manifest_unref(hn_manifest *manifest);

/**
 * Gives the name of the component.
 *
 * @param manifest  the manifest, borrowed
 * @return the name, owned by the manifest
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_manifest_component(const hn_manifest *manifest);

/**
 * Gives the version of the component.
 *
 * @param manifest  the manifest, borrowed
 * @return the version, owned by the manifest
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_manifest_version(const hn_manifest *manifest);

/**
 * Gives what kind of component it is.
 *
 * @param manifest  the manifest, borrowed
 * @return static text: "base-os", "runtime", "service", "security" or "config"
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_manifest_kind(const hn_manifest *manifest);

/**
 * Gives the summary of a component.
 *
 * @param manifest  the manifest, borrowed
 * @return the summary, owned by the manifest; NULL when it has none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_manifest_summary(const hn_manifest *manifest);

/**
 * Says in which version a component provides a contract.
 *
 * @param manifest  the manifest, borrowed
 * @param contract  such as "service/http"
 * @return the version, owned by the manifest; NULL when it does not
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_manifest_provides(const hn_manifest *manifest, const char *contract);

/**
 * Gives the digest of a manifest: BLAKE2b-256 over the deterministic CBOR of its value, so that
 * white space and the order of members do not matter.
 *
 * @param manifest  the manifest, borrowed
 * @param out  receives "b2:" and 64 hexadecimal digits
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 * Source: RFC 7693; RFC 8949 section 4.2.1
 */
HN_API void hn_manifest_digest(const hn_manifest *manifest, char out[HN_DIGEST_TEXT]);

/**
 * Gives the JSON of a manifest as it was read, without its white space.
 *
 * @param manifest  the manifest, borrowed
 * @param json  set to the text on success, owned by the caller: release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the text
 * Since: 0.1
 */
HN_API int hn_manifest_json(const hn_manifest *manifest, char **json, hn_error **err);

/* ---- blueprints ---- */

/** What an image is to be made of, as somebody wrote it: immutable. */
typedef struct hn_blueprint hn_blueprint;

/**
 * Reads a blueprint, schema 1.
 *
 * @param file  name of the file, for positions
 * @param bytes  JSON text, strict UTF-8; copied
 * @param size  length in bytes, at most MANIFEST_BYTES
 * @param blueprint  set to the blueprint on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; messages begin with file:line:column
 * Errors: HN_ESYNTAX when it is not strict JSON, or a version or range is malformed; HN_ESCHEMA
 *    when a field is not allowed there, with the nearest name, or is missing; HN_EDUPLICATE when
 *    something is there twice; HN_ENEWER when its schema is newer; HN_ELIMIT when something is
 *    too large or too deep; HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the blueprint
 * Since: 0.1
 */
HN_API int hn_blueprint_parse(
	const char *file, const void *bytes, size_t size, hn_blueprint **blueprint, hn_error **err);

/**
 * Takes one more reference on a blueprint.
 *
 * @param blueprint  the blueprint; NULL is fine
 * @return the same blueprint
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_blueprint *hn_blueprint_ref(hn_blueprint *blueprint);

/**
 * Drops one reference on a blueprint, and releases it with the last one.
 *
 * @param blueprint  the blueprint, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_blueprint *hn_blueprint_unref(hn_blueprint *blueprint);

/**
 * Gives the name of a blueprint.
 *
 * @param blueprint  the blueprint, borrowed
 * @return the name, owned by the blueprint
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_blueprint_name(const hn_blueprint *blueprint);

/**
 * Gives the version of a blueprint.
 *
 * @param blueprint  the blueprint, borrowed
 * @return the version, owned by the blueprint
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_blueprint_version(const hn_blueprint *blueprint);

/**
 * Says what kind of image a blueprint asks for, as hn_build_options takes it.
 *
 * @param blueprint  the blueprint, borrowed
 * @param level  set to the level of the compression, 1 to 19; may be NULL
 * @return "auto", "initramfs", "squashfs" or "ext4", owned by the blueprint
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_blueprint_image(const hn_blueprint *blueprint, int *level);

/* ---- registries ---- */

/** Components and contracts that can be had, of one or more directories together: immutable. */
typedef struct hn_registry hn_registry;

/** How registries are read. */
typedef struct hn_registry_options {
	uint32_t size;           /* of this struct */
	hn_os *os;               /* where files are; NULL: this machine */
	const char *const *pins; /* "component=registry": where a component of that name is from,
				    when several registries have it */
	size_t pin_count;
} hn_registry_options;
#define HN_REGISTRY_OPTIONS_INIT                                                                   \
	{                                                                                          \
		.size = sizeof(hn_registry_options)                                                \
	}

/**
 * Reads registries: directories with manifests/<name>/<version>.json and contracts/<a>/<b>.json.
 *
 * @param directories  paths
 * @param count  number of paths
 * @param options  NULL: the defaults
 * @param registry  set to the registry on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; what is wrong with a file begins with file:line:column
 * Errors: HN_ENOENT when a directory is not there; HN_ESYNTAX, HN_ESCHEMA, HN_ENEWER of a file;
 *    HN_ECONTRACT when a component does not keep to a contract that it names; HN_EDUPLICATE when
 *    a version is there twice with another digest; HN_EAMBIGUOUS when two registries have a
 *    component of one name that is not pinned, or have one name themselves; HN_ELIMIT when there
 *    is too much of something; HN_EINVAL when an argument is NULL or a pin is malformed;
 *    HN_ENEWER when options sets what this library does not know; HN_EDENIED; HN_EIO; HN_ENOMEM
 *    when memory runs out
 * Threads: any
 * Blocks: yes, on the disk
 * Allocates: yes, all that is in them
 * Since: 0.1
 */
HN_API int hn_registry_open(const char *const *directories, size_t count,
	const hn_registry_options *options, hn_registry **registry, hn_error **err);

/**
 * Takes one more reference on a registry.
 *
 * @param registry  the registry; NULL is fine
 * @return the same registry
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_registry *hn_registry_ref(hn_registry *registry);

/**
 * Drops one reference on a registry, and releases it with the last one.
 *
 * @param registry  the registry, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_registry *hn_registry_unref(hn_registry *registry);

/**
 * Counts the components.
 *
 * @param registry  the registry, borrowed
 * @return how many names there are
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_registry_component_count(const hn_registry *registry);

/**
 * Walks the names of the components, sorted.
 *
 * @param registry  the registry, borrowed
 * @param index  from 0
 * @return the name, owned by the registry; NULL past the end
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_registry_component_at(const hn_registry *registry, size_t index);

/**
 * Walks the versions of a component, from the oldest to the newest.
 *
 * @param registry  the registry, borrowed
 * @param component  its name
 * @param index  from 0
 * @return borrowed from the registry; NULL past the end, or when there is no such component
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_manifest *hn_registry_release_at(
	const hn_registry *registry, const char *component, size_t index);

/**
 * Finds a version of a component.
 *
 * @param registry  the registry, borrowed
 * @param component  its name
 * @param version  as it is written there; NULL: the newest
 * @param manifest  set on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such component, with the nearest name, or no such version;
 *    HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_registry_find(const hn_registry *registry, const char *component, const char *version,
	hn_manifest **manifest, hn_error **err);

/**
 * Walks the contracts, sorted by name and version.
 *
 * @param registry  the registry, borrowed
 * @param index  from 0
 * @return borrowed from the registry; NULL past the end
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_contract *hn_registry_contract_at(const hn_registry *registry, size_t index);

/**
 * Makes a registry as it would be with more: a manifest takes the place of the one of its name and
 * version, a contract that of the one of its name. All of it is checked as hn_registry_open does.
 *
 * @param registry  what is there, borrowed; NULL: nothing
 * @param manifests  that come, borrowed; may be NULL when there are none
 * @param manifest_count  how many they are
 * @param contracts  that come, borrowed; may be NULL when there are none
 * @param contract_count  how many they are
 * @param result  set to the registry on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ECONTRACT when a component does not keep to a contract, or has none of its major
 *    version; HN_EDUPLICATE when two that come are one; HN_ELIMIT; HN_EINVAL; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_registry_with(const hn_registry *registry, hn_manifest *const *manifests,
	size_t manifest_count, hn_contract *const *contracts, size_t contract_count,
	hn_registry **result, hn_error **err);

#ifdef __cplusplus
}
#endif

#include <hypernix/compose-lock.h>

#endif
