/* SPDX-License-Identifier: MIT
 *
 * Tags, policies and units: declarations, catalogues, selectors, and the resolver that makes views.
 */
#ifndef HYPERNIX_TAGS_H
#define HYPERNIX_TAGS_H

#include <hypernix/tags-views.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- declarations ---- */

/** One parsed declaration document: immutable. */
typedef struct hn_decl hn_decl;

/**
 * Reads a declaration document, schema 1.
 *
 * @param file  name of the file, for positions
 * @param bytes  JSON text, strict UTF-8; copied
 * @param size  length in bytes, at most 16 MiB
 * @param decl  set to the declaration on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; messages begin with file:line:column
 * Errors: HN_ESYNTAX when it is not strict JSON or a selector is malformed; HN_ESCHEMA when a
 *    field, key, name or type is not allowed there, with the nearest name; HN_ERANGE when a
 *    value or priority is out of range; HN_EDUPLICATE when a key is given twice; HN_ENOENT when
 *    origins names a value that is not there; HN_ENEWER when its schema is newer; HN_ELIMIT when
 *    something is too large or too deep; HN_EINVAL when an argument is NULL; HN_ENOMEM when
 *    memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the declaration
 * Since: 0.1
 */
HN_API int hn_decl_parse(
	const char *file, const void *bytes, size_t size, hn_decl **decl, hn_error **err);

/**
 * Takes one more reference on a declaration.
 *
 * @param decl  the declaration; NULL is fine
 * @return the same declaration
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_decl *hn_decl_ref(hn_decl *decl);

/**
 * Drops one reference on a declaration, and releases it with the last one.
 *
 * @param decl  the declaration, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_decl *hn_decl_unref(hn_decl *decl);

/**
 * Writes a declaration in canonical form: dotted, flat, sorted, with its origins; it reads back
 * as the same declaration.
 *
 * @param decl  the declaration, borrowed
 * @param text  set to JSON text on success, owned by the caller: release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the text
 * Since: 0.1
 */
HN_API int hn_decl_print(const hn_decl *decl, char **text, hn_error **err);

/** Everything declared, merged and checked: kinds, tags, policies, defaults, units. Immutable; any
 * thread may read it. */
typedef struct hn_catalog hn_catalog;

/**
 * Merges declarations by name and checks that they hold together; their order does not matter.
 *
 * @param decls  array of declarations, borrowed; the catalogue takes references
 * @param count  number of declarations
 * @param catalog  set to the catalogue on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; messages begin with file:line:column
 * Errors: HN_ENOENT when a kind, tag or policy is not declared; HN_ECONFLICT when declarations
 *    contradict each other; HN_ECYCLE when a tag implies itself; HN_ELIMIT when there is too
 *    much of something; HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the catalogue
 * Since: 0.1
 */
HN_API int hn_catalog_new(
	hn_decl *const *decls, size_t count, hn_catalog **catalog, hn_error **err);

/**
 * Takes one more reference on a catalogue.
 *
 * @param catalog  the catalogue; NULL is fine
 * @return the same catalogue
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_catalog *hn_catalog_ref(hn_catalog *catalog);

/**
 * Drops one reference on a catalogue, and releases it with the last one.
 *
 * @param catalog  the catalogue, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_catalog *hn_catalog_unref(hn_catalog *catalog);

/** Is given one problem, which is borrowed until it returns. */
typedef void (*hn_problem_fn)(void *arg, const hn_error *problem);

/**
 * Finds all problems of declarations taken together, not only the first; units are resolved when
 * the rest is well.
 *
 * @param decls  array of declarations, borrowed
 * @param count  number of declarations
 * @param each  is given each problem once
 * @param arg  passed to each
 * @param err  set on failure; may be NULL
 * @return the number of problems, 0 when all is well, or a negative hn_code
 * Errors: HN_EINVAL when an argument is NULL; HN_ELIMIT when there are too many tags, policies
 *    or units; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, a catalogue while it runs
 * Since: 0.1
 */
HN_API int hn_decl_check(
	hn_decl *const *decls, size_t count, hn_problem_fn each, void *arg, hn_error **err);

/**
 * Finds what is allowed and yet most likely a mistake: tests of selectors, without a star, that
 * name a tag, kind or unit that nothing declares.
 *
 * @param catalog  the catalogue
 * @param each  is given each remark once: an error that says where, and the nearest name as hint
 * @param arg  passed to each
 * @param err  set on failure; may be NULL
 * @return the number of remarks, or a negative hn_code
 * Errors: HN_EINVAL when catalog or each is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, each remark while it is given
 * Since: 0.1
 */
HN_API int hn_catalog_remarks(
	const hn_catalog *catalog, hn_problem_fn each, void *arg, hn_error **err);

/**
 * Counts the declared units.
 *
 * @param catalog  the catalogue, borrowed
 * @return how many there are
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_catalog_unit_count(const hn_catalog *catalog);

/**
 * Walks the names of the declared units, sorted.
 *
 * @param catalog  the catalogue, borrowed
 * @param index  from 0
 * @return the name, owned by the catalogue; NULL past the end
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_catalog_unit_at(const hn_catalog *catalog, size_t index);

/**
 * Counts the declared tags.
 *
 * @param catalog  the catalogue, borrowed
 * @return how many there are
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_catalog_tag_count(const hn_catalog *catalog);

/**
 * Walks the names of the declared tags, sorted.
 *
 * @param catalog  the catalogue, borrowed
 * @param index  from 0
 * @return the name, owned by the catalogue; NULL past the end
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_catalog_tag_at(const hn_catalog *catalog, size_t index);

/**
 * Counts the declared policies.
 *
 * @param catalog  the catalogue, borrowed
 * @return how many there are
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_catalog_policy_count(const hn_catalog *catalog);

/**
 * Walks the names of the declared policies, sorted.
 *
 * @param catalog  the catalogue, borrowed
 * @param index  from 0
 * @return the name, owned by the catalogue; NULL past the end
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_catalog_policy_at(const hn_catalog *catalog, size_t index);

/**
 * Describes one tag, policy, kind or unit as declared, with the origin of each value.
 *
 * @param catalog  the catalogue, borrowed
 * @param what  "tag", "policy", "kind" or "unit"
 * @param name  its name
 * @param json  set to a JSON object on success, owned by the caller: release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is none of that name; HN_EINVAL when `what` is none of the four
 *    or an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the text
 * Since: 0.1
 */
HN_API int hn_catalog_describe(
	const hn_catalog *catalog, const char *what, const char *name, char **json, hn_error **err);

/* ---- selectors ---- */

/** A compiled selector such as `tag:public-facing and not tag:batch`; immutable. */
typedef struct hn_selector hn_selector;

/**
 * Compiles a selector.
 *
 * @param text  at most 1,024 bytes, 64 tests, 16 levels of brackets, 8 stars a pattern; copied
 * @param selector  set to the selector on success, owned by the caller: release with
 *    hn_selector_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX when it is malformed, with the column; HN_ELIMIT when a limit is passed;
 *    HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the selector
 * Since: 0.1
 */
HN_API int hn_selector_compile(const char *text, hn_selector **selector, hn_error **err);

/**
 * Releases a selector.
 *
 * @param selector  the selector, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_selector *hn_selector_free(hn_selector *selector);

/**
 * Says whether a selector holds for a unit with these tags.
 *
 * @param selector  the selector, borrowed
 * @param unit  name of the unit
 * @param tags  full names of its tags, such as "production" or "blue/canary"
 * @param kinds  kinds[i] is the kind of tags[i], or NULL; NULL when no tag has one
 * @param count  number of tags
 * @return 1 when it holds, else 0
 * Errors: none
 * Threads: any: a selector is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_selector_match(const hn_selector *selector, const char *unit, const char *const *tags,
	const char *const *kinds, size_t count);

/* ---- resolution ---- */

/** Resolves units of a catalogue, keeps what it resolved, recomputes only what a change touches.
 * One thread at a time. */
typedef struct hn_resolver hn_resolver;

/** A definition made at run time: a force, a frozen value, an API unit's value. */
typedef struct hn_definition {
	uint32_t size;     /* of this struct */
	hn_layer layer;    /* EMERGENCY, FORCE, UNIT or FROZEN */
	int32_t priority;  /* 0 = the layer's default */
	const char *key;   /* concrete name */
	const char *value; /* text as hn_key_parse takes it; NULL unsets */
	const char *note;
	const char *who;
	int64_t when;
} hn_definition;

/** What a unit has beside its declaration. For a unit that is not declared, this is all it has. */
typedef struct hn_unit_input {
	uint32_t size;           /* of this struct */
	const char *const *tags; /* runtime tags added */
	size_t tag_count;
	const char *const *without; /* declared tags taken away at run time */
	size_t without_count;
	const char *const *policies;
	size_t policy_count;
	const hn_definition *definitions;
	size_t definition_count;
} hn_unit_input;
#define HN_UNIT_INPUT_INIT                                                                         \
	{                                                                                          \
		.size = sizeof(hn_unit_input)                                                      \
	}

/** What the last hn_resolve or hn_resolve_all did, and what the resolver holds. */
typedef struct hn_resolve_stats {
	uint32_t size;       /* of this struct, set by the caller */
	uint64_t recomputed; /* units recomputed by the last hn_resolve or hn_resolve_all */
	uint64_t shared;     /* of them, those whose base view came from a memo */
	uint64_t cells;      /* resolved key slots held, counted for each unit */
} hn_resolve_stats;
#define HN_RESOLVE_STATS_INIT                                                                      \
	{                                                                                          \
		.size = sizeof(hn_resolve_stats)                                                   \
	}

/**
 * Makes a resolver for the units of a catalogue; nothing is resolved yet.
 *
 * @param catalog  the catalogue; the resolver takes a reference
 * @param resolver  set to the resolver on success, owned by the caller: release with
 *    hn_resolver_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: yes, the resolver
 * Since: 0.1
 */
HN_API int hn_resolver_new(hn_catalog *catalog, hn_resolver **resolver, hn_error **err);

/**
 * Releases a resolver; views that were taken from it stay.
 *
 * @param resolver  the resolver, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_resolver *hn_resolver_free(hn_resolver *resolver);

/**
 * Gives a resolver a new catalogue; the next call resolves again only the units that the
 * difference touches.
 *
 * @param resolver  the resolver, borrowed
 * @param catalog  the new catalogue; the resolver takes a reference
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; on failure the old catalogue stays
 * Errors: HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_resolver_set_catalog(hn_resolver *resolver, hn_catalog *catalog, hn_error **err);

/**
 * Sets what a unit has beside its declaration, in place of what it had.
 *
 * @param resolver  the resolver, borrowed
 * @param unit  name of the unit; one that is not declared is made
 * @param input  copied; NULL: only as declared, and a unit that is not declared is gone
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; on failure what the unit had stays
 * Errors: HN_ENOENT when a tag or policy is not declared; HN_ESCHEMA when a key or name is none;
 *    HN_ESYNTAX, HN_ESCHEMA or HN_ERANGE when a value or priority is not allowed; HN_ELIMIT when
 *    there are too many units, tags or definitions; HN_EINVAL when an argument is malformed;
 *    HN_ENOMEM when memory runs out
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_resolver_set_unit(
	hn_resolver *resolver, const char *unit, const hn_unit_input *input, hn_error **err);

/**
 * Adds tags to a unit and takes tags from it, leaving the rest of what it has at run time as it is.
 *
 * @param resolver  the resolver, borrowed
 * @param unit  name of the unit
 * @param add  names of tags to add; one that was taken away comes back
 * @param add_count  number of names
 * @param remove  names of tags to take away, declared ones or runtime ones
 * @param remove_count  number of names
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; on failure the unit stays as it was
 * Errors: HN_ENOENT when the unit or a tag does not exist; HN_ESCHEMA when a name is malformed;
 *    HN_ELIMIT when there are too many tags; HN_EINVAL when an argument is NULL; HN_ENOMEM when
 *    memory runs out
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_resolver_retag(hn_resolver *resolver, const char *unit, const char *const *add,
	size_t add_count, const char *const *remove, size_t remove_count, hn_error **err);

/**
 * Says whether a selector holds for a unit, by its declared and runtime tags, those that its image
 * brings, and all that these imply.
 *
 * @param resolver  the resolver, borrowed
 * @param selector  the selector, borrowed
 * @param unit  name of the unit
 * @param err  set on failure; may be NULL
 * @return 1 when it holds, 0 when not, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit or its tags are not declared; HN_ELIMIT when it
 *    has too many tags; HN_EEXCLUSIVE when two of its tags exclude each other; HN_EINVAL when an
 *    argument is NULL; HN_ENOMEM when memory runs out
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_resolver_select(
	hn_resolver *resolver, const hn_selector *selector, const char *unit, hn_error **err);

/**
 * Makes a copy of a resolver for what-if questions; what happens to the one is not seen by the
 * other.
 *
 * @param resolver  the resolver, borrowed
 * @param fork  set to the copy on success, owned by the caller: release with hn_resolver_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: yes; views are shared
 * Since: 0.1
 */
HN_API int hn_resolver_fork(const hn_resolver *resolver, hn_resolver **fork, hn_error **err);

/**
 * Resolves one unit, or gives what is known when nothing has changed.
 *
 * @param resolver  the resolver, borrowed
 * @param unit  name of the unit
 * @param view  set to a reference on success, owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit, or a tag of it is not declared any more;
 *    HN_EEXCLUSIVE when two of its tags exclude each other; HN_ECONFLICT when two values remain,
 *    with both places and the ways out; HN_ELIMIT when something is too many; HN_EINVAL when an
 *    argument is NULL; HN_ENOMEM when memory runs out
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: yes, when it resolves
 * Since: 0.1
 */
HN_API int hn_resolve(hn_resolver *resolver, const char *unit, hn_view **view, hn_error **err);

/**
 * Resolves every unit that is not up to date.
 *
 * @param resolver  the resolver, borrowed
 * @param failed  is given the problem of each unit that fails; NULL: stop at the first
 * @param arg  passed to failed
 * @param err  set on failure; may be NULL
 * @return the number of units that failed, or a negative hn_code
 * Errors: those of hn_resolve when failed is NULL; HN_EINVAL when resolver is NULL; HN_ENOMEM
 *    when memory runs out
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_resolve_all(hn_resolver *resolver, hn_problem_fn failed, void *arg, hn_error **err);

/**
 * Tells what the last hn_resolve or hn_resolve_all did.
 *
 * @param resolver  the resolver, borrowed
 * @param stats  filled in; its size must be set, else nothing is
 * Errors: none
 * Threads: one thread at a time for a resolver
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_resolver_get_stats(const hn_resolver *resolver, hn_resolve_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
