/* SPDX-License-Identifier: MIT
 *
 * What every room stands on: memory, errors, text, containers, permits. Names here start with
 * base_.
 */
#ifndef BASE_PRIVATE_H
#define BASE_PRIVATE_H

#include <hypernix/base.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#define BASE_PRINTF(position, first) __attribute__((format(printf, position, first)))
#define BASE_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- memory: everything goes through the hooks of hn_set_allocator(), so that a test can fail the
 * nth --- */
void *base_alloc(size_t bytes); /* NULL when out of memory; 0 bytes gives a valid pointer */
void *base_calloc(size_t count, size_t bytes); /* zeroed; checks the product */
void *base_realloc(void *memory, size_t bytes);
void base_free(void *memory); /* NULL is fine */
/* Whether hn_set_allocator has set hooks. */
bool base_allocator_set(void);
char *base_strdup(const char *text);
char *base_strndup(const char *text, size_t size);
void *base_memdup(const void *bytes, size_t size);
/* Grows *items (elements of item_size) so that it holds `need`; *capacity is updated. 0 or
 * HN_ENOMEM. */
int base_grow(void *items, size_t *capacity, size_t need, size_t item_size);
/* Copies a caller's options struct (uint32_t size first) into `known`, zero where the caller's is
 * shorter. HN_EINVAL when there is none or no size; HN_ENEWER when a byte that this library does
 * not know is set. */
int base_options(
	void *known, size_t known_size, const void *given, const char *room, hn_error **err);

static inline void base_free_pointer(void *pointer)
{
	void *memory;

	memcpy(&memory, pointer, sizeof(memory));
	base_free(memory);
}
#define BASE_AUTO_FREE __attribute__((cleanup(base_free_pointer)))
/* Makes a cleanup function for an owned type: BASE_AUTO(codec_json, codec_json_free) then
 * `BASE_AUTO_OF(codec_json) codec_json *doc = NULL;` */
#define BASE_AUTO(type, destroy)                                                                   \
	static inline void type##_auto(type **pointer)                                             \
	{                                                                                          \
		(void)destroy(*pointer);                                                           \
	}
#define BASE_AUTO_OF(type) __attribute__((cleanup(type##_auto)))
BASE_AUTO(hn_error, hn_error_unref)
BASE_AUTO(hn_cancel, hn_cancel_unref)
#define BASE_STEAL(pointer)                                                                        \
	__extension__({                                                                            \
		__typeof__(pointer) stolen_ = (pointer);                                           \
		(pointer) = NULL;                                                                  \
		stolen_;                                                                           \
	})

/* --- errors: each returns the code, so that `return base_error(...)` reads well; err may be NULL.
 * An error already in *err is released. `hint` may be NULL. --- */
int base_error(hn_error **err, hn_code code, const char *room, const char *hint, const char *format,
	...) BASE_PRINTF(5, 6);
/* Like base_error with a hint that is formatted: call base_error first, then this. */
void base_error_hint(hn_error **err, const char *format, ...) BASE_PRINTF(2, 3);
/* Wraps *err (kept as the cause) in a new error that says what was being done. */
int base_error_wrap(hn_error **err, hn_code code, const char *room, const char *format, ...)
	BASE_PRINTF(4, 5);
/* For a failure that is none here: 0 when rc is `code`, whose error is released; else rc. */
int base_error_forgive(hn_error **err, int rc, hn_code code);
/* *err becomes `error`, of which the caller gives up its reference. */
void base_error_move(hn_error **err, hn_error *error);
void base_error_fact(hn_error **err, const char *name, const char *text);
void base_error_fact_number(hn_error **err, const char *name, int64_t number);
int base_nomem(hn_error **err); /* the static out-of-memory error */
/* From -errno of an os call: ENOSPC, EDQUOT -> HN_ENOSPC, ENOENT -> HN_ENOENT, EACCES, EPERM ->
 * HN_EDENIED, EEXIST -> HN_EEXIST, ENOMEM -> HN_ENOMEM, ETIMEDOUT -> HN_ETIMEOUT, ENAMETOOLONG ->
 * HN_EPATHLEN, ENOSYS, EOPNOTSUPP -> HN_ENOSUP, else HN_EIO. The reason is put after the message;
 * fact "errno". */
int base_error_errno(hn_error **err, const char *room, int errnum, const char *format, ...)
	BASE_PRINTF(4, 5);

/* What a token's terms leave out (redact.def): answers tell it by class, and texts that may name
 * anything - an error, a reason, what people write into a label - are left out under each class
 * that they may hold something of. */
enum {
	BASE_REDACT_NONE = 0,
#define HN_REDACT(NAME, text, what) BASE_REDACT_##NAME = HN_REDACT_##NAME,
#include "base/redact.def"
#undef HN_REDACT
	BASE_REDACT_TEXTS = HN_REDACT_ADDRESSES | HN_REDACT_PATHS | HN_REDACT_HARDWARE |
			    HN_REDACT_PERSONS | HN_REDACT_TAGS,
	BASE_REDACT_ALL = BASE_REDACT_TEXTS | HN_REDACT_USAGE | HN_REDACT_CONSOLE
};
#define BASE_REDACT_SIZE 80
/* "paths, tags" */
const char *base_redact_text(uint32_t classes, char out[BASE_REDACT_SIZE]);
/* This error says nothing but what its caller asked for, and why he may not have it. */
void base_error_plain(hn_error **err);
/* Of any other that is told under these classes only the code is left. Returns rc. */
int base_error_redact(hn_error **err, int rc, uint32_t classes);

#define HN_BELIEVE(condition) base_believe((condition), #condition, __FILE__, __LINE__)
bool base_believe(bool held, const char *condition, const char *file,
	int line); /* logs when it does not hold */
/* Bad input or disk: one breakpointable place. Returns HN_ECORRUPT. */
int base_corrupt(hn_error **err, const char *room, const char *format, ...) BASE_PRINTF(3, 4);
#define HN_CORRUPT(err, room, ...) base_corrupt((err), (room), __VA_ARGS__)

/* --- text --- */
typedef struct base_buf {
	char *data; /* NUL-terminated once anything was added */
	size_t size;
	size_t capacity;
	bool failed; /* an allocation failed: later adds do nothing, base_buf_take gives NULL */
} base_buf;
void base_buf_add(base_buf *buf, const void *bytes, size_t size);
void base_buf_text(base_buf *buf, const char *text);
void base_buf_format(base_buf *buf, const char *format, ...) BASE_PRINTF(2, 3);
void base_buf_vformat(base_buf *buf, const char *format, va_list arguments) BASE_PRINTF(2, 0);
char *base_buf_take(base_buf *buf); /* owned text (may be ""), or NULL when failed; buf is reset */
void base_buf_free(base_buf *buf);
#define BASE_AUTO_BUF __attribute__((cleanup(base_buf_free)))

bool base_utf8_valid(const char *bytes, size_t size); /* strict RFC 3629; NUL is not valid */
bool base_name_valid(const char *name, size_t size);  /* [a-z][a-z0-9-]{0,62} */
/* Damerau-Levenshtein; the index of the nearest candidate within a third of its length, or -1. */
int base_nearest(const char *name, size_t count, const char *(*candidate)(void *arg, size_t index),
	void *arg);
/* A list of owned names, in the order in which they were added. */
typedef struct base_names {
	char **items;
	size_t count, capacity;
} base_names;
int base_names_add(base_names *names, const char *name); /* 0 or HN_ENOMEM */
void base_names_free(base_names *names);                 /* empty again */
#define BASE_AUTO_NAMES __attribute__((cleanup(base_names_free)))
bool base_glob(const char *pattern, const char *text); /* only '*'; linear */
/* Untrusted text for a message: bounded (then "..."), without control characters. Returns out. */
#define BASE_QUOTE_SIZE 96
const char *base_quote(char out[BASE_QUOTE_SIZE], const char *text, size_t size);

/* --- arena: many small things that die together --- */
typedef struct base_arena base_arena;
base_arena *base_arena_new(void);
void base_arena_free(base_arena *arena);
void *base_arena_alloc(
	base_arena *arena, size_t bytes); /* zeroed, aligned to 16; NULL when out of memory */
char *base_arena_strndup(base_arena *arena, const char *text, size_t size);
size_t base_arena_used(const base_arena *arena);
/* From now on each piece of an arena is an allocation of its own: for tests, which make it fail.
 * While there is one thread. */
void base_arena_split(bool on);
BASE_AUTO(base_arena, base_arena_free)

uint64_t base_hash(
	const void *bytes, size_t size, uint64_t key); /* keyed; not stable between versions */

/* --- map: text or bytes to pointer, insertion order kept for walking --- */
typedef struct base_map base_map;
base_map *base_map_new(void (*release)(void *value)); /* release may be NULL */
void base_map_free(base_map *map);
void *base_map_get(const base_map *map, const void *key, size_t size);
bool base_map_has(const base_map *map, const void *key, size_t size);
int base_map_put(base_map *map, const void *key, size_t size,
	void *value); /* copies the key; replaces; 0 or HN_ENOMEM */
bool base_map_remove(base_map *map, const void *key, size_t size);
size_t base_map_count(const base_map *map);
/* index 0 .. base_map_slots()-1; false for a removed slot. Removing while walking is fine; a put
 * may move the slots. */
size_t base_map_slots(const base_map *map);
bool base_map_at(const base_map *map, size_t slot, const char **key, size_t *size, void **value);
BASE_AUTO(base_map, base_map_free)

/* --- limits: all that a user can make grow has a row in limits.def --- */
enum {
#define HN_LIMIT(name, value, unit, what) BASE_LIMIT_##name,
#include "base/limits.def"
#undef HN_LIMIT
	BASE_LIMIT_COUNT
};
uint64_t base_limit(int limit);
/* 0, or HN_ELIMIT saying what has the limit, its value and what was given. */
int base_limit_check(int limit, uint64_t given, hn_error **err);

void base_log(hn_log_level level, const char *room, const char *format, ...) BASE_PRINTF(3, 4);

/* --- permits: proof that a session was allowed to do this, now. Only `host` (later `caps`) makes
 * one. --- */
typedef enum hn_verb {
#define HN_VERB(name, text, flags) HN_VERB_##name,
#include "base/verbs.def"
#undef HN_VERB
	HN_VERB_COUNT
} hn_verb;
enum { BASE_VERB_M = 1, BASE_VERB_F = 2, BASE_VERB_R = 4, BASE_VERB_S = 8, BASE_VERB_Q = 16 };
const char *base_verb_text(hn_verb verb);
unsigned base_verb_flags(hn_verb verb);

#define BASE_OBJECT_SIZE 256
typedef struct base_permit {
	hn_verb verb;
	char objects[2][BASE_OBJECT_SIZE]; /* "unit/<uuid>"; the second may be "" */
	uint64_t audit;                    /* number of the durable allow record */
	int64_t deadline;                  /* boot-time ns; INT64_MAX = none */
	hn_cancel *cancel;                 /* borrowed; NULL = none */
	const char *subject;               /* borrowed: "local/uid/0" */
	/* slow path of base_permit_live; may be NULL */
	int (*recheck)(const struct base_permit *permit, hn_error **err);
	void *recheck_arg; /* borrowed */
} base_permit;
/* First line of every room function that changes something. 0 or HN_EDENIED. `uuid` may be NULL (no
 * object). */
int base_permit_require(const base_permit *permit, hn_verb verb, const char *uuid, hn_error **err);
/* At safe points at most 250 ms apart. 0, HN_ECANCELLED or HN_EDENIED. */
int base_permit_live(const base_permit *permit, hn_error **err);

#endif
