/* SPDX-License-Identifier: MIT
 *
 * Tags, policies and units: what a declaration says, which value each unit gets for each key,
 * and why.
 */
#ifndef HYPERNIX_TAGS_H
#define HYPERNIX_TAGS_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- keys: the rows of keys.def ---- */

/** What kind of value a key takes. */
typedef enum hn_type {
	HN_TYPE_BOOL,
	HN_TYPE_UINT,
	HN_TYPE_INT,
	HN_TYPE_SIZE,
	HN_TYPE_DURATION,
	HN_TYPE_RATIO,
	HN_TYPE_RATE,
	HN_TYPE_ENUM,
	HN_TYPE_NAME,
	HN_TYPE_TEXT,
	HN_TYPE_PATH,
	HN_TYPE_MAC,
	HN_TYPE_SCHEDULE,
	HN_TYPE_LIST,
	HN_TYPE_SET
} hn_type;

/** How several definitions of a key become one value: by priority for single, from all of them for
 * the others. */
typedef enum hn_merge {
	HN_MERGE_SINGLE,
	HN_MERGE_MIN,
	HN_MERGE_MAX,
	HN_MERGE_AND,
	HN_MERGE_OR,
	HN_MERGE_SET_UNION,
	HN_MERGE_ORDERED_LIST
} hn_merge;

/** What it takes to change a key of a unit that runs. */
typedef enum hn_class {
	HN_CLASS_HOT,     /* at once */
	HN_CLASS_HOT_IF,  /* at once when the row's condition holds, else with a restart */
	HN_CLASS_NEXT,    /* at the next start, which it never asks for */
	HN_CLASS_RESTART, /* with a restart */
	HN_CLASS_MOVE,    /* by moving to another host */
	HN_CLASS_FIXED    /* never: the unit must be replaced */
} hn_class;

/** One row of keys.def; static, shared by all threads. A name with '*' is a pattern: each name is
 * its own slot. */
typedef struct hn_key {
	uint32_t size;    /* of this struct */
	uint32_t id;      /* append-only, from 1 without a gap */
	const char *name; /* "memory.size", "disks.*.size" */
	hn_type type;
	hn_merge merge;
	hn_class class_;
	const char *default_text; /* canonical text; NULL = no default; "" is the empty list, set or
				     text */
	const char *range; /* "64Mi..8Ti/2Mi", "none<host<rack<site" (ordered), "a b c", a grammar's
			      name, or "" */
	const char *special;   /* words allowed beside the type, space separated: "auto", "none",
				  "units"; or "" */
	const char *condition; /* for hot-if: what must hold, in words; else "" */
	const char *doc;       /* one or two sentences */
	const char *since;     /* release */
} hn_key;

/**
 * Finds the row of a key by its name.
 *
 * @param name  "memory.size", "disks.*.size", or a concrete name such as "disks.root.size"; NULL
 *    is fine
 * @return the row, static; NULL when there is none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const hn_key *hn_key_find(const char *name);

/**
 * Finds the row of a key by its number.
 *
 * @param id  number of the row, from 1
 * @return the row, static; NULL when there is none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const hn_key *hn_key_by_id(uint32_t id);

/**
 * Walks all rows in the order of their numbers.
 *
 * @param index  from 0
 * @return the row, static; NULL past the end
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const hn_key *hn_key_at(size_t index);

/**
 * Gives the name of a key that is written nearly like this one, for a hint.
 *
 * @param name  the name that was not found; NULL is fine
 * @return a name of keys.def, static; NULL when nothing is near
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_key_nearest(const char *name);

/**
 * Gives the word for a type.
 *
 * @param type  the type
 * @return "size" and so on, static; "unknown" for a number that is none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_type_name(hn_type type);

/**
 * Gives the word for a merge rule.
 *
 * @param merge  the merge rule
 * @return "set-union" and so on, static; "unknown" for a number that is none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_merge_name(hn_merge merge);

/**
 * Gives the word for a change class.
 *
 * @param change_class  the change class
 * @return "hot-if" and so on, static; "unknown" for a number that is none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_class_name(hn_class change_class);

/**
 * Checks the text of a value against a row and gives its canonical form.
 *
 * @param key  the row, borrowed
 * @param text  the value; items of a list or set are divided by spaces, selectors by semicolons
 * @param canonical  set to the canonical text on success, owned by the caller: release with
 *    hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX, HN_ESCHEMA or HN_ERANGE when the row does not take the text, with what it
 *    takes; HN_ELIMIT when it is too long or has too many items; HN_EINVAL when an argument is
 *    NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the canonical text
 * Since: 0.1
 */
HN_API int hn_key_parse(const hn_key *key, const char *text, char **canonical, hn_error **err);

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

/** One unit's resolved values with all losers: an immutable snapshot for all threads. */
typedef struct hn_view hn_view;

/** Where a definition comes from; the first is the strongest. */
typedef enum hn_layer {
	HN_LAYER_EMERGENCY, /* break-glass: priority 10 */
	HN_LAYER_FORCE,     /* an operator: 50 */
	HN_LAYER_UNIT,      /* the unit: 100, 50 to 1500 where it says so */
	HN_LAYER_TAG,       /* 400, or 100 to 900 */
	HN_LAYER_POLICY,    /* 600, or 500 to 800 */
	HN_LAYER_COMPONENT, /* 1000 */
	HN_LAYER_PLATFORM,  /* the declaration's defaults: 1200, or 1100 to 1400 */
	HN_LAYER_FROZEN,    /* a value kept since the first start: 1490 */
	HN_LAYER_SCHEMA     /* keys.def: 1500 */
} hn_layer;

/** What became of a definition. */
typedef enum hn_mark {
	HN_MARK_WON,  /* it is the value */
	HN_MARK_SAME, /* it agrees with the one that won */
	HN_MARK_LOST,
	HN_MARK_MERGED, /* it is a part of the value */
	HN_MARK_IGNORED /* it does not take part: its policy does not apply, or a null has nothing
			   to take away */
} hn_mark;

/** One definition of a key for a unit, and what became of it. Texts are owned by the view. */
typedef struct hn_origin {
	uint32_t size; /* of this struct, set by the caller */
	hn_layer layer;
	hn_mark mark;
	int32_t priority;
	const char *source; /* "tag:database", "unit:webserver", "policy:web-tier", "defaults",
			       "schema", "force", "frozen" */
	const char *file;   /* NULL when there is none (schema, force) */
	uint32_t line, column;
	const char *value; /* canonical text; "null" when it unsets */
	const char *note;  /* "selected: ...", "selector false at: tag:batch", formula of a frozen
			      value; or NULL */
	const char *who;   /* for runtime definitions; else NULL */
	int64_t when;      /* wall ns; 0 when unknown */
} hn_origin;

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
 * Gives the word for a layer.
 *
 * @param layer  the layer
 * @return "unit" and so on, static; "unknown" for a number that is none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_layer_name(hn_layer layer);

/**
 * Gives the word for a mark.
 *
 * @param mark  the mark
 * @return "won" and so on, static; "unknown" for a number that is none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_mark_name(hn_mark mark);

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
 * Says whether a selector holds for a unit, by its declared and runtime tags and all that these
 * imply.
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
 * Allocates: no
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

/* ---- views ---- */

/**
 * Takes one more reference on a view.
 *
 * @param view  the view; NULL is fine
 * @return the same view
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_view *hn_view_ref(hn_view *view);

/**
 * Drops one reference on a view, and releases it with the last one.
 *
 * @param view  the view, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_view *hn_view_unref(hn_view *view);

/**
 * Gives the name of the unit.
 *
 * @param view  the view, borrowed
 * @return the name, owned by the view
 * Errors: none
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_view_unit(const hn_view *view);

/**
 * Gives the value of a key as a number: a bool as 0 or 1, a size in bytes, a duration in ns, a
 * ratio in millionths, a rate in bytes a second, an enumeration as the place of the word in its
 * range.
 *
 * @param view  the view, borrowed
 * @param key  concrete name, such as "disks.root.size"
 * @param value  set on success
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when the unit has no value for it; HN_ERANGE when the value is a word such
 *    as auto or none; HN_ESCHEMA when there is no such key; HN_EINVAL when its type has no
 *    numbers; HN_ENOMEM when memory runs out
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_view_get_int(const hn_view *view, const char *key, int64_t *value, hn_error **err);

/**
 * Gives the value of a key as canonical text.
 *
 * @param view  the view, borrowed
 * @param key  concrete name
 * @param text  set on success, owned by the view
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when the unit has no value for it; HN_ESCHEMA when there is no such key;
 *    HN_ENOMEM when memory runs out
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: the text of a merged list or set, once
 * Since: 0.1
 */
HN_API int hn_view_get_text(
	const hn_view *view, const char *key, const char **text, hn_error **err);

/**
 * Gives one item of a list or set.
 *
 * @param view  the view, borrowed
 * @param key  concrete name
 * @param index  from 0; a set is sorted
 * @param text  set on success, owned by the view
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end; HN_ESCHEMA when there is no such key; HN_EINVAL when it is no
 *    list or set
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_view_get_item(const hn_view *view, const char *key, size_t index, const char **text);

/**
 * Walks the keys that have a value, patterns as concrete names, sorted by number of the row,
 * then name.
 *
 * @param view  the view, borrowed
 * @param index  from 0
 * @param name  set to the concrete name on success, owned by the view
 * @param key  set to the row on success
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end; HN_ENOMEM when memory runs out
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: a list of the keys, once
 * Since: 0.1
 */
HN_API int hn_view_key_at(const hn_view *view, size_t index, const char **name, const hn_key **key);

/**
 * Walks the names used under the prefix of a pattern, sorted: "disks." gives "data", "root".
 *
 * @param view  the view, borrowed
 * @param prefix  what stands before the star, with its dot
 * @param index  from 0
 * @param name  set on success, owned by the view
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end, or when no pattern has this prefix
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_view_name_at(
	const hn_view *view, const char *prefix, size_t index, const char **name);

/**
 * Walks the definitions of a key: the chain from the strongest, the schema default, and what
 * policies that do not apply would give.
 *
 * @param view  the view, borrowed
 * @param key  concrete name
 * @param nth  from 0
 * @param origin  filled in on success; its size must be set; texts are owned by the view
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end; HN_ESCHEMA when there is no such key; HN_EINVAL when the size
 *    is not set
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_view_explain(const hn_view *view, const char *key, size_t nth, hn_origin *origin);

/**
 * Says in words what would have to change for a key to have another value.
 *
 * @param view  the view, borrowed
 * @param key  concrete name
 * @param value  the value wanted, as hn_key_parse takes it
 * @param answer  set to text on success, owned by the caller: release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESCHEMA when there is no such key; HN_ESYNTAX, HN_ESCHEMA or HN_ERANGE when the row
 *    does not take the value; HN_EINVAL when value is NULL; HN_ENOMEM when memory runs out
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: yes, the answer
 * Since: 0.1
 */
HN_API int hn_view_why_not(
	const hn_view *view, const char *key, const char *value, char **answer, hn_error **err);

/**
 * Counts the tags of the unit, implied ones included.
 *
 * @param view  the view, borrowed
 * @return how many there are
 * Errors: none
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_view_tag_count(const hn_view *view);

/**
 * Walks the tags of the unit, sorted by name, and says how each came.
 *
 * @param view  the view, borrowed
 * @param index  from 0
 * @param name  set on success, owned by the view
 * @param how  set to "declared", "runtime", "implied by tag:x" or "implied by policy:x" on
 *    success, owned by the view
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_view_tag_at(const hn_view *view, size_t index, const char **name, const char **how);

/**
 * Walks the policies that apply to the unit, sorted by name, and says why each does.
 *
 * @param view  the view, borrowed
 * @param index  from 0
 * @param name  set on success, owned by the view
 * @param how  set to "named" or "selected: ..." on success, owned by the view
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_view_policy_at(
	const hn_view *view, size_t index, const char **name, const char **how);

/**
 * Writes the values as deterministic CBOR: equal bytes mean equal views.
 *
 * @param view  the view, borrowed
 * @param bytes  set on success, owned by the caller: release with hn_bytes_free
 * @param size  set to the length in bytes on success
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOMEM when memory runs out
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: yes, the bytes
 * Since: 0.1
 * Source: RFC 8949 section 4.2.1
 */
HN_API int hn_view_encode(const hn_view *view, uint8_t **bytes, size_t *size, hn_error **err);

/**
 * Writes the tags, the policies and the chains that explain the values, for a store.
 *
 * @param view  the view, borrowed
 * @param bytes  set on success, owned by the caller: release with hn_bytes_free
 * @param size  set to the length in bytes on success
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOMEM when memory runs out
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: yes, the bytes
 * Since: 0.1
 * Source: RFC 8949 section 4.2.1
 */
HN_API int hn_view_encode_chains(
	const hn_view *view, uint8_t **bytes, size_t *size, hn_error **err);

/**
 * Reads a view back from what hn_view_encode and hn_view_encode_chains wrote; the bytes need not
 * be trusted.
 *
 * @param unit  name of the unit
 * @param values  the values
 * @param values_size  their length in bytes
 * @param chains  the chains; NULL: a view that cannot explain
 * @param chains_size  their length in bytes; 0 when chains is NULL
 * @param view  set to a reference on success, owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ECBOR when the bytes are not strict CBOR; HN_ECORRUPT when they are no view;
 *    HN_ENEWER when a newer library wrote them; HN_EINVAL when an argument is NULL; HN_ENOMEM
 *    when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the view
 * Since: 0.1
 */
HN_API int hn_view_decode(const char *unit, const void *values, size_t values_size,
	const void *chains, size_t chains_size, hn_view **view, hn_error **err);

/** Is told one difference; a text is NULL where there is no value. A negative result ends the
 * comparison. */
typedef int (*hn_diff_fn)(
	void *arg, const char *key, const hn_key *row, const char *old_text, const char *new_text);

/**
 * Compares two views key by key.
 *
 * @param old_view  the view before, borrowed
 * @param new_view  the view after, borrowed
 * @param each  is told each difference, in the order of hn_view_key_at; may be NULL
 * @param arg  passed to each
 * @param err  set on failure; may be NULL
 * @return the number of differences, or a negative hn_code, or what each returned when it ended
 *    the comparison
 * Errors: HN_ENOMEM when memory runs out
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_view_diff(const hn_view *old_view, const hn_view *new_view, hn_diff_fn each,
	void *arg, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
