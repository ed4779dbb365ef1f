/* SPDX-License-Identifier: MIT
 *
 * Views: one unit's resolved values, and where each comes from.
 */
#ifndef HYPERNIX_TAGS_VIEWS_H
#define HYPERNIX_TAGS_VIEWS_H

#include <hypernix/tags-keys.h>

#ifdef __cplusplus
extern "C" {
#endif

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
			       "schema", "force", "frozen"; "tag", "policy" where the name is left
			       out */
	const char *file;   /* NULL when there is none (schema, force) */
	uint32_t line, column;
	const char *value; /* canonical text; "null" when it unsets */
	const char *note;  /* "selected: ...", "selector false at: tag:batch", formula of a frozen
			      value; or NULL */
	const char *who;   /* for runtime definitions; else NULL */
	int64_t when;      /* wall ns; 0 when unknown */
} hn_origin;

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
 * Tells which classes are left out of a view, since the token that it was read with redacts them:
 * keys of these classes are not in it, nor what its explanations say of files, persons, tags.
 *
 * @param view  the view, borrowed
 * @return bits of hn_redact; 0 for a whole view
 * Errors: none
 * Threads: any: a view is an immutable snapshot
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API uint32_t hn_view_redacted(const hn_view *view);

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
 *    numbers; HN_EDENIED when it is left out of the view; HN_ENOMEM when memory runs out
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
 *    HN_EDENIED when it is left out of the view; HN_ENOMEM when memory runs out
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
 *    list or set; HN_EDENIED when it is left out of the view
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
 *    is not set; HN_EDENIED when the key is left out of the view
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
 *    does not take the value; HN_EINVAL when value is NULL; HN_EDENIED when the key is left out
 *    of the view; HN_ENOMEM when memory runs out
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
