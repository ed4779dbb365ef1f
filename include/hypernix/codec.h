/* SPDX-License-Identifier: MIT */
#ifndef HYPERNIX_CODEC_H
#define HYPERNIX_CODEC_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Writes JSON text piece by piece: compact or indented, strict UTF-8, members in the order given. */
typedef struct hn_json hn_json;

/* `key` is the member's name inside an object and NULL inside an array or at the top.
 * A failure sticks: later calls do nothing, hn_json_finish reports it. */
HN_API int hn_json_new(bool indented, hn_json **json, hn_error **err);
HN_API hn_json *hn_json_free(hn_json *json);
HN_API void hn_json_object(hn_json *json, const char *key);
HN_API void hn_json_array(hn_json *json, const char *key);
HN_API void hn_json_end(hn_json *json);
HN_API void hn_json_text(hn_json *json, const char *key, const char *text); /* NULL text: null */
HN_API void hn_json_int(hn_json *json, const char *key, int64_t number);
HN_API void hn_json_uint(hn_json *json, const char *key, uint64_t number);
HN_API void hn_json_bool(hn_json *json, const char *key, bool value);
HN_API void hn_json_null(hn_json *json, const char *key);
HN_API void hn_json_error(hn_json *json, const char *key, const hn_error *error); /* code, room, message, hint, facts, cause */
HN_API int hn_json_finish(hn_json *json, const char **text, size_t *size, hn_error **err); /* text is borrowed until the next call on json */

#ifdef __cplusplus
}
#endif
#endif
