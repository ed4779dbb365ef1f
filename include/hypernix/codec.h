/* SPDX-License-Identifier: MIT
 *
 * JSON as the library writes it, for programs that print answers.
 */
#ifndef HYPERNIX_CODEC_H
#define HYPERNIX_CODEC_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Writes JSON text piece by piece: compact or indented, strict UTF-8, members in the order given.
 */
typedef struct hn_json hn_json;

/* `key` is the member's name inside an object and NULL inside an array or at the top.
 * A failure sticks: later calls do nothing, hn_json_finish reports it. */

/**
 * Makes a writer.
 *
 * @param indented  true: a line for each value, tabs; false: no white space at all
 * @param json  set to the new writer; release with hn_json_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EINVAL when json is NULL; HN_ENOMEM
 * Threads: any; the writer then belongs to one thread at a time
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_json_new(bool indented, hn_json **json, hn_error **err);

/**
 * Releases a writer and its text.
 *
 * @param json  the writer; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_json *hn_json_free(hn_json *json);

/**
 * Opens an object; hn_json_end closes it.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_object(hn_json *json, const char *key);

/**
 * Opens an array; hn_json_end closes it.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_array(hn_json *json, const char *key);

/**
 * Closes the innermost object or array.
 *
 * @param json  the writer
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_end(hn_json *json);

/**
 * Writes a string.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * @param text  UTF-8 without NUL; NULL writes null
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 8259 section 7
 */
HN_API void hn_json_text(hn_json *json, const char *key, const char *text);

/**
 * Writes an integer with a sign.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * @param number  the value
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_int(hn_json *json, const char *key, int64_t number);

/**
 * Writes an integer without a sign, also above 2^53.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * @param number  the value
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_uint(hn_json *json, const char *key, uint64_t number);

/**
 * Writes true or false.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * @param value  which of them
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_bool(hn_json *json, const char *key, bool value);

/**
 * Writes null.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_null(hn_json *json, const char *key);

/**
 * Writes a value that is JSON text already, in this writer's own layout.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * @param text  one JSON value, for example the data of an hn_event; NULL writes null
 * Errors: kept for hn_json_finish: HN_EINVAL when the text is not strict JSON
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_raw(hn_json *json, const char *key, const char *text);

/**
 * Writes an error as an object: code, room, message, hint, facts and cause, as far as there are.
 *
 * @param json  the writer
 * @param key  name inside an object, else NULL
 * @param error  the error; NULL writes null
 * Errors: kept for hn_json_finish
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API void hn_json_error(hn_json *json, const char *key, const hn_error *error);

/**
 * Gives the finished text, without a new line at its end; the next call on the writer begins
 * another document.
 *
 * @param json  the writer
 * @param text  set to the text, NUL-terminated; borrowed until the next call on json
 * @param size  set to its bytes; may be NULL
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EINVAL when a key was missing or out of place, a text was not UTF-8, or an object or
 * array is still open; HN_ELIMIT when more than 64 levels were opened; HN_ENOMEM
 * Threads: the one that has the writer
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_json_finish(hn_json *json, const char **text, size_t *size, hn_error **err);

/** Takes one scalar of a JSON text: `place` is its RFC 6901 pointer, `value` a string's characters,
 * a number, true or false as text, or NULL for null. Both are borrowed; non-zero ends the walk. */
typedef int (*hn_json_walk_fn)(void *arg, const char *place, const char *value);

/**
 * Gives each scalar of a JSON text, in its order, to a callback: for programs that print what the
 * library gives as JSON, such as the data of an hn_event or a tag of hn_catalog_describe.
 *
 * @param text  one JSON value; an empty object or array has no scalars
 * @param each  called for each scalar
 * @param arg  handed to each
 * @param err  set on failure; may be NULL
 * @return 0, what the callback returned if that was not 0, or a negative hn_code
 * Errors: HN_ESYNTAX, HN_EDUPLICATE, HN_ELIMIT when the text is not strict JSON; HN_EINVAL when
 * text or each is NULL; HN_ENOMEM
 * Threads: any
 * Blocks: no, but for the callback
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 6901
 */
HN_API int hn_json_walk(const char *text, hn_json_walk_fn each, void *arg, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
