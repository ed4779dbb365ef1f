/* SPDX-License-Identifier: MIT
 *
 * What every other header stands on: result codes, errors, memory, log, cancellation, and
 * quantities as text.
 */
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

/**
 * Takes one more reference on an error.
 *
 * @param error  the error; NULL is fine
 * @return error itself, now also owned by the caller
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_error *hn_error_ref(hn_error *error);

/**
 * Drops one reference on an error, and releases it and its causes with the last one.
 *
 * @param error  the error, owned by the caller; NULL is fine
 * @return NULL, so that a variable can be cleared in the same line
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_error *hn_error_unref(hn_error *error);

/**
 * Gives the code of an error, the same that the failed call returned.
 *
 * @param error  the error, borrowed; NULL is fine
 * @return the code; HN_OK for NULL
 * Errors: none
 * Threads: any; an error is immutable once a call has returned it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_code hn_error_code(const hn_error *error);

/**
 * Gives the name of the part of the library that failed.
 *
 * @param error  the error, borrowed; NULL is fine
 * @return "tags", "state" and so on, static; "" for NULL
 * Errors: none
 * Threads: any; an error is immutable once a call has returned it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_error_room(const hn_error *error);

/**
 * Gives the sentence that says what was wrong, and where.
 *
 * @param error  the error, borrowed; NULL is fine
 * @return text owned by the error; "" for NULL
 * Errors: none
 * Threads: any; an error is immutable once a call has returned it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_error_message(const hn_error *error);

/**
 * Gives what would be right, or what to try.
 *
 * @param error  the error, borrowed; NULL is fine
 * @return text owned by the error; NULL when there is none
 * Errors: none
 * Threads: any; an error is immutable once a call has returned it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_error_hint(const hn_error *error);

/**
 * Gives the error that led to this one.
 *
 * @param error  the error, borrowed; NULL is fine
 * @return the cause, owned by the error; NULL when there is none
 * Errors: none
 * Threads: any; an error is immutable once a call has returned it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const hn_error *hn_error_cause(const hn_error *error);

/**
 * Counts the typed facts of an error, such as the process that holds a lock.
 *
 * @param error  the error, borrowed; NULL is fine
 * @return their number; 0 for NULL
 * Errors: none
 * Threads: any; an error is immutable once a call has returned it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_error_fact_count(const hn_error *error);

/**
 * Gives one typed fact of an error.
 *
 * @param error  the error, borrowed; NULL is fine
 * @param index  its place, from 0
 * @param fact  set on success; its texts are owned by the error
 * @return 0, or HN_ENOENT
 * Errors: HN_ENOENT when index is past the last fact
 * Threads: any; an error is immutable once a call has returned it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_error_fact(const hn_error *error, size_t index, hn_fact *fact);

/**
 * Gives the name of a code as it is written in a program.
 *
 * @param code  a code of errors.def, or HN_OK
 * @return static text such as "HN_ENOENT"; "HN_EINTERNAL" for a number that is no code
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_code_name(hn_code code);

/**
 * Gives a few words for a code.
 *
 * @param code  a code of errors.def, or HN_OK
 * @return static text such as "not found"
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_code_text(hn_code code);

/** Classes of what the terms of a token leave out of answers (redact): one bit each. */
typedef enum hn_redact {
	HN_REDACT_ADDRESSES = 1,
	HN_REDACT_PATHS = 2,
	HN_REDACT_HARDWARE = 4,
	HN_REDACT_PERSONS = 8,
	HN_REDACT_USAGE = 16,
	HN_REDACT_CONSOLE = 32,
	HN_REDACT_TAGS = 64
} hn_redact;

/**
 * Gives the word for a class of what is left out of answers.
 *
 * @param class_  one bit of hn_redact
 * @return "addresses", "paths" and so on, static; NULL when that is no class
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_redact_word(hn_redact class_);

/**
 * Gives the exit status with which an hv-* program ends on this code.
 *
 * @param code  a code of errors.def, or HN_OK
 * @return 0 for HN_OK, else 1 to 64
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_code_exit_status(hn_code code);

/**
 * Gives the error code of the GraphQL API for a code.
 *
 * @param code  a code of errors.def, or HN_OK
 * @return static text such as "NOT_FOUND"
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_code_graphql(hn_code code);

/**
 * Walks all codes that a call can fail with.
 *
 * @param index  its place, from 0
 * @return the code; HN_OK past the last one
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_code hn_code_at(size_t index);

/**
 * Releases a text that a call gave to its caller.
 *
 * @param text  the text, owned by the caller; NULL is fine
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_text_free(char *text);

/**
 * Releases bytes that a call gave to its caller.
 *
 * @param bytes  the bytes, owned by the caller; NULL is fine
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_bytes_free(uint8_t *bytes);

/**
 * Gives the version of the library that is running, which may be newer than these headers.
 *
 * @return static text such as "0.1.0"
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_version(void);

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

/**
 * Sets the functions through which the library takes and releases memory.
 *
 * The three are called from any thread that calls the library. Their sizes are never 0, and release
 * never gets NULL.
 *
 * @param allocator  copied; NULL, or all three functions NULL, brings back malloc, realloc and free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EINVAL when some but not all functions are set, or the size field is 0;
 *     HN_ENEWER when fields are set that this library does not know
 * Threads: call it once, before anything else of the library is used by any thread
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_set_allocator(const hn_allocator *allocator, hn_error **err);

/** How much a log message matters. */
typedef enum hn_log_level { HN_LOG_DEBUG, HN_LOG_INFO, HN_LOG_WARNING, HN_LOG_ERROR } hn_log_level;
/** Takes one log message; room and message are borrowed for the call. */
typedef void (*hn_log_fn)(void *arg, hn_log_level level, const char *room, const char *message);

/**
 * Sets the function that takes log messages; the library itself never prints.
 *
 * @param fn  called from any thread that calls the library, with at most 1023 bytes of text; NULL:
 * nobody
 * @param arg  given to fn; owned by the caller
 * Errors: none
 * Threads: call it before another thread uses the library
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_set_log(hn_log_fn fn, void *arg);

/** Takes the progress of long work: `done` of `total` (0 = unknown) in `unit`, now in `phase`;
 * texts are borrowed until it returns. */
typedef void (*hn_progress_fn)(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase);

/**
 * Makes a flag with which another thread or a signal handler ends long work.
 *
 * @param cancel  set on success; the caller owns one reference
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOMEM; HN_EINVAL when cancel is NULL
 * Threads: any
 * Blocks: no
 * Allocates: yes, the flag
 * Since: 0.1
 */
HN_API int hn_cancel_new(hn_cancel **cancel, hn_error **err);

/**
 * Takes one more reference on a cancel flag.
 *
 * @param cancel  the flag; NULL is fine
 * @return cancel itself, now also owned by the caller
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_cancel *hn_cancel_ref(hn_cancel *cancel);

/**
 * Drops one reference on a cancel flag, and releases it with the last one.
 *
 * @param cancel  the flag; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_cancel *hn_cancel_unref(hn_cancel *cancel);

/**
 * Raises the flag: work that was given it ends soon with HN_ECANCELLED.
 *
 * @param cancel  the flag; NULL is fine
 * Errors: none
 * Threads: any, also a signal handler
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_cancel_trigger(hn_cancel *cancel);

/**
 * Says whether the flag was raised.
 *
 * @param cancel  the flag; NULL is fine
 * @return true once it was raised; false for NULL
 * Errors: none
 * Threads: any, also a signal handler
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API bool hn_cancel_triggered(const hn_cancel *cancel);

#define HN_QUANTITY_TEXT 32 /* bytes, enough for every printed size, duration, ratio and rate */

/**
 * Reads a size in bytes.
 *
 * @param text  digits, perhaps a point and more digits, then one unit without a space: B,
 *     Ki Mi Gi Ti Pi (powers of 1024) or K M G T P (powers of 1000), as in "32Gi"; borrowed
 * @param bytes  bytes; set on success
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ESYNTAX when it is not of that form or no whole number of bytes, with a hint
 *     at what was meant; HN_ERANGE when it does not fit 64 bits; HN_EINVAL for NULL
 * Threads: any
 * Blocks: no
 * Allocates: only for an error
 * Since: 0.1
 */
HN_API int hn_size_parse(const char *text, uint64_t *bytes, hn_error **err);

/**
 * Prints a size in the largest unit that is exact; hn_size_parse gives the same number back.
 *
 * @param bytes  bytes
 * @param out  gets the text and its NUL
 * @return bytes of the text, without the NUL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_size_print(uint64_t bytes, char out[HN_QUANTITY_TEXT]);

/**
 * Reads a duration.
 *
 * @param text  digits, perhaps a point and more digits, then one unit without a space:
 *     ns us ms s min h d w, as in "1.5h"; borrowed. There is no "m": it is min or ms
 * @param nanoseconds  ns, 0 or more; set on success
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ESYNTAX when it is not of that form or no whole number of nanoseconds, with a
 *     hint at what was meant; HN_ERANGE when it does not fit 63 bits; HN_EINVAL for NULL
 * Threads: any
 * Blocks: no
 * Allocates: only for an error
 * Since: 0.1
 */
HN_API int hn_duration_parse(const char *text, int64_t *nanoseconds, hn_error **err);

/**
 * Prints a duration in the largest unit that is exact; hn_duration_parse gives the same number
 * back.
 *
 * @param nanoseconds  ns, 0 or more; a negative one is printed too, but is not parsed
 * @param out  gets the text and its NUL
 * @return bytes of the text, without the NUL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_duration_print(int64_t nanoseconds, char out[HN_QUANTITY_TEXT]);

/**
 * Reads a ratio.
 *
 * @param text  digits, perhaps a point and at most 6 digits, as in "0.9"; borrowed
 * @param millionths  millionths, 0 or more; set on success
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ESYNTAX when it is not of that form; HN_ERANGE when it does not fit 63 bits;
 *     HN_EINVAL for NULL
 * Threads: any
 * Blocks: no
 * Allocates: only for an error
 * Since: 0.1
 */
HN_API int hn_ratio_parse(const char *text, int64_t *millionths, hn_error **err);

/**
 * Prints a ratio without useless zeros; hn_ratio_parse gives the same number back.
 *
 * @param millionths  millionths, 0 or more; a negative one is printed too, but is not parsed
 * @param out  gets the text and its NUL
 * @return bytes of the text, without the NUL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_ratio_print(int64_t millionths, char out[HN_QUANTITY_TEXT]);

/**
 * Reads a rate in bytes per second.
 *
 * @param text  a size as for hn_size_parse and "/s", as in "100Mi/s"; borrowed
 * @param bytes_per_second  bytes per second; set on success
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ESYNTAX, HN_ERANGE, HN_EINVAL as for hn_size_parse
 * Threads: any
 * Blocks: no
 * Allocates: only for an error
 * Since: 0.1
 */
HN_API int hn_rate_parse(const char *text, uint64_t *bytes_per_second, hn_error **err);

/**
 * Prints a rate as a size and "/s"; hn_rate_parse gives the same number back.
 *
 * @param bytes_per_second  bytes per second
 * @param out  gets the text and its NUL
 * @return bytes of the text, without the NUL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_rate_print(uint64_t bytes_per_second, char out[HN_QUANTITY_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
