/* SPDX-License-Identifier: MIT
 *
 * Composition: one set of components chosen for a blueprint, locked, compared and listed.
 */
#ifndef HYPERNIX_COMPOSE_LOCK_H
#define HYPERNIX_COMPOSE_LOCK_H

#include <hypernix/compose.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which component, in which version, by whose wish: what was chosen for a blueprint. Immutable. */
typedef struct hn_lock hn_lock;

/* ---- choosing ---- */

/** How a blueprint is solved. */
typedef struct hn_solve_options {
	uint32_t size;             /* of this struct */
	const hn_lock *lock;       /* its versions are tried first; NULL: none */
	const char *const *update; /* components that are freed from the lock */
	size_t update_count;
	bool update_all;    /* all are */
	uint64_t epoch;     /* mtime of all that is made from the lock, in seconds since 1970 */
	uint64_t conflicts; /* met before it gives up; 0: SOLVER_CONFLICTS */
	hn_cancel *cancel;  /* borrowed; may be NULL */
} hn_solve_options;
#define HN_SOLVE_OPTIONS_INIT                                                                      \
	{                                                                                          \
		.size = sizeof(hn_solve_options), .epoch = 1                                       \
	}

/**
 * Chooses one set of components that fits a blueprint and keeps all contracts: the newest, but
 * for what a lock has.
 *
 * @param registry  what there is, borrowed
 * @param blueprint  what is asked for, borrowed
 * @param options  NULL: the defaults
 * @param lock  set to what was chosen on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOSOLUTION when nothing fits: its message is the proof, at most 20 lines, each with
 *    the file and line of what it rests on, and what can be changed; HN_EBUDGET when it is too
 *    hard, naming the hardest three; HN_ENOENT when a component of update is not in the lock;
 *    HN_ECANCELLED; HN_ENEWER when options sets what this library does not know; HN_ELIMIT when
 *    the memory of the solver is used up; HN_EINVAL when an argument is NULL; HN_ENOMEM when
 *    memory runs out
 * Threads: any
 * Blocks: no, but it may compute for seconds
 * Allocates: yes, the lock; up to SOLVER_BYTES while it runs
 * Since: 0.1
 * Source: Natalie Weizenbaum, "PubGrub: Next-Generation Version Solving", 2018
 */
HN_API int hn_solve(const hn_registry *registry, const hn_blueprint *blueprint,
	const hn_solve_options *options, hn_lock **lock, hn_error **err);

/* ---- locks ---- */

/**
 * Reads a lock file, schema 1.
 *
 * @param file  name of the file, for positions
 * @param bytes  JSON text, strict UTF-8; copied
 * @param size  length in bytes, at most LOCK_BYTES
 * @param lock  set to the lock on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code; messages begin with file:line:column
 * Errors: HN_ESYNTAX when it is not strict JSON; HN_ESCHEMA when a field is not allowed there or
 *    is missing; HN_EDIGEST when its own digest does not fit it; HN_ENEWER when its schema is
 *    newer; HN_ELIMIT when it is too large; HN_EINVAL when an argument is NULL; HN_ENOMEM when
 *    memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the lock
 * Since: 0.1
 */
HN_API int hn_lock_parse(
	const char *file, const void *bytes, size_t size, hn_lock **lock, hn_error **err);

/**
 * Takes one more reference on a lock.
 *
 * @param lock  the lock; NULL is fine
 * @return the same lock
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_lock *hn_lock_ref(hn_lock *lock);

/**
 * Drops one reference on a lock, and releases it with the last one.
 *
 * @param lock  the lock, owned by the caller; NULL is fine
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_lock *hn_lock_unref(hn_lock *lock);

/**
 * Writes a lock in canonical form, one item a line: equal locks give equal bytes.
 *
 * @param lock  the lock, borrowed
 * @param text  set to JSON text on success, owned by the caller: release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the text
 * Since: 0.1
 */
HN_API int hn_lock_write(const hn_lock *lock, char **text, hn_error **err);

/**
 * Gives the name of the blueprint that was solved.
 *
 * @param lock  the lock, borrowed
 * @return the name, owned by the lock
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_lock_blueprint(const hn_lock *lock);

/**
 * Gives the platform that it was solved for.
 *
 * @param lock  the lock, borrowed
 * @return such as "x86_64-linux", owned by the lock
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_lock_platform(const hn_lock *lock);

/**
 * Gives the mtime of all that is made from a lock.
 *
 * @param lock  the lock, borrowed
 * @return seconds since 1970
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API uint64_t hn_lock_epoch(const hn_lock *lock);

/**
 * Gives the digest of a lock: what it stands for, whoever made it.
 *
 * @param lock  the lock, borrowed
 * @param out  receives "b2:" and 64 hexadecimal digits
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_lock_digest(const hn_lock *lock, char out[HN_DIGEST_TEXT]);

/** One component of a lock. */
typedef struct hn_locked {
	uint32_t size;         /* of this struct, set by the caller */
	const char *component; /* texts are owned by the lock */
	const char *version;
	const char *registry;          /* where it was found */
	const char *why;               /* who asked for it: "web-app.json:5", or a component */
	char manifest[HN_DIGEST_TEXT]; /* digest of its manifest */
	uint64_t payload_count;
	uint64_t payload_bytes; /* of all its payloads, as they are fetched */
} hn_locked;
#define HN_LOCKED_INIT                                                                             \
	{                                                                                          \
		.size = sizeof(hn_locked)                                                          \
	}

/**
 * Walks the components of a lock, sorted by name.
 *
 * @param lock  the lock, borrowed
 * @param nth  from 0
 * @param component  filled in on success; its size must be set; texts are owned by the lock
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end; HN_EINVAL when an argument is NULL or the size is not set;
 *    HN_ENEWER when it sets what this library does not know; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_lock_get_component(
	const hn_lock *lock, size_t nth, hn_locked *component, hn_error **err);

/** Who gives a contract to whom. */
typedef struct hn_binding {
	uint32_t size;         /* of this struct, set by the caller */
	const char *contract;  /* texts are owned by the lock */
	const char *version;   /* of the contract */
	const char *provider;  /* a component */
	const char *needed_by; /* a component, or the blueprint */
} hn_binding;
#define HN_BINDING_INIT                                                                            \
	{                                                                                          \
		.size = sizeof(hn_binding)                                                         \
	}

/**
 * Walks the bindings of a lock, sorted by contract, then by who needs it.
 *
 * @param lock  the lock, borrowed
 * @param nth  from 0
 * @param binding  filled in on success; its size must be set; texts are owned by the lock
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT past the end; HN_EINVAL when an argument is NULL or the size is not set;
 *    HN_ENEWER when it sets what this library does not know; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_lock_get_binding(
	const hn_lock *lock, size_t nth, hn_binding *binding, hn_error **err);

/**
 * Checks that a lock still holds: it is of this blueprint, and each of its components is there as
 * it was.
 *
 * @param lock  the lock, borrowed
 * @param registry  what there is, borrowed
 * @param blueprint  what is asked for, borrowed
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ELOCK naming the entry that is gone or differs; HN_EINVAL when an argument is NULL;
 *    HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_lock_check(const hn_lock *lock, const hn_registry *registry,
	const hn_blueprint *blueprint, hn_error **err);

/** One difference of two locks. */
typedef struct hn_lock_change {
	const char *what; /* "lock", "component", "binding", "field", "service", "setting", "tag",
			     "cmdline", "setuid", "payload" */
	const char *component; /* whose it is; "" where it is of the whole */
	const char *name;      /* such as "version", "service/http port" */
	const char *before;    /* NULL: it was not there */
	const char *after;     /* NULL: it is gone */
} hn_lock_change;
/** Is given one difference of two locks, which is borrowed until it returns. */
typedef void (*hn_lock_change_fn)(void *arg, const hn_lock_change *change);

/**
 * Compares two locks: components, who provides what, and for each component whose manifests are
 * at hand what it has: fields of contracts, services, settings, tags, words of the command line,
 * setuid paths, payloads.
 *
 * @param before  a lock, borrowed
 * @param after  another, borrowed
 * @param registry  where manifests of both are, borrowed; NULL: none
 * @param each  is given each difference once, by what, component and name
 * @param arg  passed to each
 * @param err  set on failure; may be NULL
 * @return the number of differences, or a negative hn_code
 * Errors: HN_EINVAL when an argument is NULL; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, while it runs
 * Since: 0.1
 */
HN_API int hn_lock_diff(const hn_lock *before, const hn_lock *after, const hn_registry *registry,
	hn_lock_change_fn each, void *arg, hn_error **err);

/**
 * Writes the bill of materials of a lock: its components and payloads, what contains and what
 * needs what. Equal locks give equal bytes.
 *
 * @param lock  the lock, borrowed
 * @param registry  where its manifests are, borrowed
 * @param format  "spdx-2.3" or "cyclonedx-1.5"
 * @param text  set to JSON text on success, owned by the caller: release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when it is another format, or an argument is NULL; HN_ELOCK when a manifest
 *    is gone or differs; HN_ENOMEM when memory runs out
 * Threads: any
 * Blocks: no
 * Allocates: yes, the text
 * Since: 0.1
 * Source: SPDX 2.3; CycloneDX 1.5 (ECMA-424)
 */
HN_API int hn_sbom_write(const hn_lock *lock, const hn_registry *registry, const char *format,
	char **text, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
