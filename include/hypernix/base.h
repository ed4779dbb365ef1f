/* SPDX-License-Identifier: MIT */
#ifndef HYPERNIX_BASE_H
#define HYPERNIX_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HN_API __attribute__((visibility("default")))

#define HN_VERSION_MAJOR 0
#define HN_VERSION_MINOR 1
#define HN_VERSION_PATCH 0

/** Result of a call: 0 or positive is success, negative is one of these. */
typedef enum hn_code {
	HN_OK = 0,
#define HN_ERROR(name, number, text, exit_status, graphql) HN_##name = (number),
#include <hypernix/errors.def>
#undef HN_ERROR
} hn_code;

/** Why a call failed: code, room, message, hint, cause chain and typed facts; refcounted. */
typedef struct hn_error hn_error;
/** The context: one opened host. */
typedef struct hn_host hn_host;
/** Who asks, and with what right. */
typedef struct hn_session hn_session;
/** A flag that ends long work early. */
typedef struct hn_cancel hn_cancel;

/** One typed fact of an error. */
typedef struct hn_fact {
	const char *name; /* owned by the error */
	const char *text; /* NULL when the fact is a number */
	int64_t number;
} hn_fact;

HN_API hn_error *hn_error_ref(hn_error *error);
HN_API hn_error *hn_error_unref(hn_error *error);
HN_API hn_code hn_error_code(const hn_error *error);
HN_API const char *hn_error_room(const hn_error *error);
HN_API const char *hn_error_message(const hn_error *error);
HN_API const char *hn_error_hint(const hn_error *error); /* NULL when there is none */
HN_API const hn_error *hn_error_cause(const hn_error *error);
HN_API size_t hn_error_fact_count(const hn_error *error);
HN_API int hn_error_fact(const hn_error *error, size_t index, hn_fact *fact);

HN_API const char *hn_code_name(hn_code code); /* "HN_ENOENT" */
HN_API const char *hn_code_text(hn_code code); /* "not found" */
HN_API int hn_code_exit_status(hn_code code);
HN_API const char *hn_code_graphql(hn_code code);
HN_API hn_code hn_code_at(size_t index); /* walks errors.def; HN_OK past the end */

HN_API void hn_text_free(char *text);
HN_API void hn_bytes_free(uint8_t *bytes);

HN_API const char *hn_version(void); /* "0.1.0" */

/** Replacement for malloc, realloc and free; all three are set or none. */
typedef struct hn_allocator {
	uint32_t size;
	void *(*allocate)(void *arg, size_t bytes);
	void *(*reallocate)(void *arg, void *memory, size_t bytes);
	void (*release)(void *arg, void *memory);
	void *arg;
} hn_allocator;
#define HN_ALLOCATOR_INIT                                                                          \
	{                                                                                          \
		.size = sizeof(hn_allocator)                                                       \
	}
HN_API int hn_set_allocator(const hn_allocator *allocator, hn_error **err);

typedef enum hn_log_level { HN_LOG_DEBUG, HN_LOG_INFO, HN_LOG_WARNING, HN_LOG_ERROR } hn_log_level;
typedef void (*hn_log_fn)(void *arg, hn_log_level level, const char *room, const char *message);
HN_API void hn_set_log(hn_log_fn fn, void *arg);

typedef void (*hn_progress_fn)(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase);

HN_API int hn_cancel_new(hn_cancel **cancel, hn_error **err);
HN_API hn_cancel *hn_cancel_ref(hn_cancel *cancel);
HN_API hn_cancel *hn_cancel_unref(hn_cancel *cancel);
HN_API void hn_cancel_trigger(hn_cancel *cancel);         /* any thread, async-signal-safe */
HN_API bool hn_cancel_triggered(const hn_cancel *cancel); /* NULL: false */

#define HN_QUANTITY_TEXT 32 /* bytes, enough for every printed size, duration, ratio and rate */
HN_API int hn_size_parse(const char *text, uint64_t *bytes, hn_error **err);
HN_API size_t hn_size_print(uint64_t bytes, char out[HN_QUANTITY_TEXT]);
HN_API int hn_duration_parse(const char *text, int64_t *nanoseconds, hn_error **err);
HN_API size_t hn_duration_print(int64_t nanoseconds, char out[HN_QUANTITY_TEXT]);
HN_API int hn_ratio_parse(const char *text, int64_t *millionths, hn_error **err);
HN_API size_t hn_ratio_print(int64_t millionths, char out[HN_QUANTITY_TEXT]);
HN_API int hn_rate_parse(
	const char *text, uint64_t *bytes_per_second, hn_error **err); /* "100Mi/s" */
HN_API size_t hn_rate_print(uint64_t bytes_per_second, char out[HN_QUANTITY_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
