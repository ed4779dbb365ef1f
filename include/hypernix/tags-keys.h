/* SPDX-License-Identifier: MIT
 *
 * Keys: the settings of a unit, one row of keys.def each.
 */
#ifndef HYPERNIX_TAGS_KEYS_H
#define HYPERNIX_TAGS_KEYS_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/** How far the value of a key reaches, which says who may set it. */
typedef enum hn_reach {
	HN_REACH_GUEST, /* the guest: also the components of a unit's image may set it */
	HN_REACH_HOST   /* it opens or takes something of the host: only a declaration says it */
} hn_reach;

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
	uint32_t redact;       /* classes (hn_redact) under which a token sees no value of it */
	hn_reach reach;        /* who may say it */
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

#ifdef __cplusplus
}
#endif
#endif
