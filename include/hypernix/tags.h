/* SPDX-License-Identifier: MIT */
#ifndef HYPERNIX_TAGS_H
#define HYPERNIX_TAGS_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- keys: the rows of keys.def ---- */

typedef enum hn_type {
	HN_TYPE_BOOL, HN_TYPE_UINT, HN_TYPE_INT, HN_TYPE_SIZE, HN_TYPE_DURATION, HN_TYPE_RATIO, HN_TYPE_RATE, HN_TYPE_ENUM,
	HN_TYPE_NAME, HN_TYPE_TEXT, HN_TYPE_PATH, HN_TYPE_MAC, HN_TYPE_SCHEDULE, HN_TYPE_LIST, HN_TYPE_SET
} hn_type;
typedef enum hn_merge { HN_MERGE_SINGLE, HN_MERGE_MIN, HN_MERGE_MAX, HN_MERGE_AND, HN_MERGE_OR, HN_MERGE_SET_UNION, HN_MERGE_ORDERED_LIST } hn_merge;
typedef enum hn_class { HN_CLASS_HOT, HN_CLASS_HOT_IF, HN_CLASS_NEXT, HN_CLASS_RESTART, HN_CLASS_MOVE, HN_CLASS_FIXED } hn_class;

/** One row of keys.def; static, shared by all threads. A name with '*' is a pattern: each name is its own slot. */
typedef struct hn_key {
	uint32_t size;
	uint32_t id;              /* append-only */
	const char *name;         /* "memory.size", "disks.*.size" */
	hn_type type;
	hn_merge merge;
	hn_class class_;
	const char *default_text; /* canonical text; NULL = no default; "" is the empty list, set or text */
	const char *range;        /* "64Mi..8Ti/2Mi", "none<host<rack<site" (ordered enum), "a b c" (enum), or "" */
	const char *special;      /* words allowed beside the type, space separated: "auto", "none", "units"; or "" */
	const char *condition;    /* for hot-if: what must hold, in words; else "" */
	const char *doc;
	const char *since;
} hn_key;
HN_API const hn_key *hn_key_find(const char *name);           /* exact or through a pattern; NULL */
HN_API const hn_key *hn_key_by_id(uint32_t id);
HN_API const hn_key *hn_key_at(size_t index);                 /* NULL ends the walk */
HN_API const char *hn_key_nearest(const char *name);          /* NULL when nothing is near */
HN_API const char *hn_type_name(hn_type type);
HN_API const char *hn_merge_name(hn_merge merge);             /* "single", "set-union" */
HN_API const char *hn_class_name(hn_class change_class);      /* "hot", "hot-if" */
/* Checks a value's text against the row and gives its canonical text (release with hn_text_free). */
HN_API int hn_key_parse(const hn_key *key, const char *text, char **canonical, hn_error **err);

/* ---- declarations ---- */

/** One parsed declaration document: immutable. */
typedef struct hn_decl hn_decl;
HN_API int hn_decl_parse(const char *file, const void *bytes, size_t size, hn_decl **decl, hn_error **err);
HN_API hn_decl *hn_decl_ref(hn_decl *decl);
HN_API hn_decl *hn_decl_unref(hn_decl *decl);
/* Canonical JSON of the document (dotted, flat, sorted, with origins); release with hn_text_free. */
HN_API int hn_decl_print(const hn_decl *decl, char **text, hn_error **err);

/** Everything declared, merged and checked: kinds, tags, policies, defaults, units. Immutable; any thread may read it. */
typedef struct hn_catalog hn_catalog;
HN_API int hn_catalog_new(hn_decl *const *decls, size_t count, hn_catalog **catalog, hn_error **err);
HN_API hn_catalog *hn_catalog_ref(hn_catalog *catalog);
HN_API hn_catalog *hn_catalog_unref(hn_catalog *catalog);
/* All problems, not only the first: each is given once, then the number of problems is returned (0 = well). */
typedef void (*hn_problem_fn)(void *arg, const hn_error *problem);
HN_API int hn_decl_check(hn_decl *const *decls, size_t count, hn_problem_fn each, void *arg, hn_error **err);
HN_API size_t hn_catalog_unit_count(const hn_catalog *catalog);
HN_API const char *hn_catalog_unit_at(const hn_catalog *catalog, size_t index);      /* sorted by name */
HN_API size_t hn_catalog_tag_count(const hn_catalog *catalog);
HN_API const char *hn_catalog_tag_at(const hn_catalog *catalog, size_t index);
HN_API size_t hn_catalog_policy_count(const hn_catalog *catalog);
HN_API const char *hn_catalog_policy_at(const hn_catalog *catalog, size_t index);
/* JSON object describing one tag, policy, kind or unit as declared, with origins; release with hn_text_free. */
HN_API int hn_catalog_describe(const hn_catalog *catalog, const char *what, const char *name, char **json, hn_error **err);

/* ---- selectors ---- */

typedef struct hn_selector hn_selector;
HN_API int hn_selector_compile(const char *text, hn_selector **selector, hn_error **err);
HN_API hn_selector *hn_selector_free(hn_selector *selector);
/* `tags` are full names ("blue/canary" or "production"), kinds[i] the kind of tags[i] or NULL. 1 matches, 0 not. */
HN_API int hn_selector_match(const hn_selector *selector, const char *unit, const char *const *tags, const char *const *kinds, size_t count);

/* ---- resolution ---- */

/** Resolves units of a catalogue, keeps what it resolved, recomputes only what a change touches. One thread at a time. */
typedef struct hn_resolver hn_resolver;
/** One unit's resolved values with all losers: an immutable snapshot for all threads. */
typedef struct hn_view hn_view;

typedef enum hn_layer {
	HN_LAYER_EMERGENCY, HN_LAYER_FORCE, HN_LAYER_UNIT, HN_LAYER_TAG, HN_LAYER_POLICY, HN_LAYER_COMPONENT, HN_LAYER_PLATFORM,
	HN_LAYER_FROZEN, HN_LAYER_SCHEMA
} hn_layer;
typedef enum hn_mark { HN_MARK_WON, HN_MARK_SAME, HN_MARK_LOST, HN_MARK_MERGED, HN_MARK_IGNORED } hn_mark;

/** One definition of a key for a unit, and what became of it. Texts are owned by the view. */
typedef struct hn_origin {
	uint32_t size;
	hn_layer layer;
	hn_mark mark;
	int32_t priority;
	const char *source; /* "tag:database", "unit:webserver", "policy:web-tier", "schema", "force", "frozen" */
	const char *file;   /* NULL when there is none (schema, force) */
	uint32_t line, column;
	const char *value;  /* canonical text; "null" when it unsets */
	const char *note;   /* "selected: ...", "selector false at: tag:batch", formula of a frozen value; or NULL */
	const char *who;    /* for runtime definitions; else NULL */
	int64_t when;       /* wall ns; 0 when unknown */
} hn_origin;

/** A definition made at run time: a force, a frozen value, an API unit's value. */
typedef struct hn_definition {
	uint32_t size;
	hn_layer layer;      /* EMERGENCY, FORCE, UNIT or FROZEN */
	int32_t priority;    /* 0 = the layer's default */
	const char *key;
	const char *value;   /* text as hn_key_parse takes it; NULL unsets */
	const char *note;
	const char *who;
	int64_t when;
} hn_definition;

/** What a unit has beside its declaration. For a unit that is not declared, this is all it has. */
typedef struct hn_unit_input {
	uint32_t size;
	const char *const *tags;   /* runtime tags added */
	size_t tag_count;
	const char *const *without; /* declared tags taken away at run time */
	size_t without_count;
	const char *const *policies;
	size_t policy_count;
	const hn_definition *definitions;
	size_t definition_count;
} hn_unit_input;
#define HN_UNIT_INPUT_INIT { .size = sizeof(hn_unit_input) }

typedef struct hn_resolve_stats {
	uint32_t size;
	uint64_t recomputed;  /* units recomputed by the last hn_resolve or hn_resolve_all */
	uint64_t shared;      /* of them, those whose base view came from a memo */
	uint64_t cells;       /* resolved key slots held */
} hn_resolve_stats;
#define HN_RESOLVE_STATS_INIT { .size = sizeof(hn_resolve_stats) }

HN_API int hn_resolver_new(hn_catalog *catalog, hn_resolver **resolver, hn_error **err);
HN_API hn_resolver *hn_resolver_free(hn_resolver *resolver);
HN_API int hn_resolver_set_catalog(hn_resolver *resolver, hn_catalog *catalog, hn_error **err);
HN_API int hn_resolver_set_unit(hn_resolver *resolver, const char *unit, const hn_unit_input *input, hn_error **err); /* NULL input: only as declared */
HN_API int hn_resolver_fork(const hn_resolver *resolver, hn_resolver **fork, hn_error **err); /* for what-if; the base is untouched */
HN_API int hn_resolve(hn_resolver *resolver, const char *unit, hn_view **view, hn_error **err); /* a reference */
/* Resolves every unit. A unit that fails is given to `failed` (may be NULL: stop at the first); returns the number that failed. */
HN_API int hn_resolve_all(hn_resolver *resolver, hn_problem_fn failed, void *arg, hn_error **err);
HN_API void hn_resolver_get_stats(const hn_resolver *resolver, hn_resolve_stats *stats);

HN_API hn_view *hn_view_ref(hn_view *view);
HN_API hn_view *hn_view_unref(hn_view *view);
HN_API const char *hn_view_unit(const hn_view *view);
/* The winning value. Integers: bool 0/1, size bytes, duration ns, ratio millionths, rate bytes/s, enum its place in the range.
 * HN_ENOENT: the key has no value for this unit; HN_ERANGE from _int: the value is a word such as auto or none. */
HN_API int hn_view_get_int(const hn_view *view, const char *key, int64_t *value, hn_error **err);
HN_API int hn_view_get_text(const hn_view *view, const char *key, const char **text, hn_error **err); /* canonical; owned by the view */
HN_API int hn_view_get_item(const hn_view *view, const char *key, size_t index, const char **text);   /* list or set; HN_ENOENT past the end */
/* Walks the keys that have a value, patterns as concrete names, sorted by key id then name. HN_ENOENT ends the walk. */
HN_API int hn_view_key_at(const hn_view *view, size_t index, const char **name, const hn_key **key);
/* The names used under a pattern prefix: "disks." gives "root", "data". HN_ENOENT ends the walk. */
HN_API int hn_view_name_at(const hn_view *view, const char *prefix, size_t index, const char **name);
HN_API int hn_view_explain(const hn_view *view, const char *key, size_t nth, hn_origin *origin);      /* HN_ENOENT ends the walk */
HN_API int hn_view_why_not(const hn_view *view, const char *key, const char *value, char **answer, hn_error **err); /* what would have to change; hn_text_free */
HN_API size_t hn_view_tag_count(const hn_view *view);
/* A tag of the unit: its name and how it came ("declared", "runtime", "implied by tag:x"); owned by the view. */
HN_API int hn_view_tag_at(const hn_view *view, size_t index, const char **name, const char **how);
HN_API int hn_view_policy_at(const hn_view *view, size_t index, const char **name, const char **how); /* "named", "selected: ..." */
/* Canonical CBOR of the values (same bytes = same view), and of values with chains for the store; release with hn_bytes_free. */
HN_API int hn_view_encode(const hn_view *view, uint8_t **bytes, size_t *size, hn_error **err);
HN_API int hn_view_encode_chains(const hn_view *view, uint8_t **bytes, size_t *size, hn_error **err);
HN_API int hn_view_decode(const char *unit, const void *values, size_t values_size, const void *chains, size_t chains_size, hn_view **view, hn_error **err);
typedef int (*hn_diff_fn)(void *arg, const char *key, const hn_key *row, const char *old_text, const char *new_text); /* NULL: no value */
HN_API int hn_view_diff(const hn_view *old_view, const hn_view *new_view, hn_diff_fn each, void *arg, hn_error **err); /* number of differences */

#ifdef __cplusplus
}
#endif
#endif
