/* SPDX-License-Identifier: MIT
 *
 * Part of hypernix/host.h: plans, drift, repair, calibration and capacity. Include that.
 */
#ifndef HYPERNIX_HOST_PLANS_H
#define HYPERNIX_HOST_PLANS_H

#include <hypernix/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- plans ---- */

/** What a step of a plan does. */
typedef enum hn_action {
	HN_ACTION_CHANGE,
	HN_ACTION_CREATE,
	HN_ACTION_START,
	HN_ACTION_STOP,
	HN_ACTION_REMOVE,
	HN_ACTION_RESTORE /* drift */,
	HN_ACTION_ORPHAN /* remove a domain of ours without record */,
	HN_ACTION_FORGET /* leaves the declaration; no domain, or one that stays as it is */,
	HN_ACTION_UNTAG /* a tag put (old_text) or taken away (new_text) at run time is dropped */
} hn_action;

/** How far a step is. */
typedef enum hn_step_status {
	HN_STEP_PLANNED,
	HN_STEP_DOING,
	HN_STEP_DONE,
	HN_STEP_UNDONE,
	HN_STEP_FAILED,
	HN_STEP_PENDING
} hn_step_status;
/**
 * Names an action in one word, as programs print it.
 *
 * @param action  any value
 * @return static text; "unknown" for a value that this library does not know
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_action_name(hn_action action);

/**
 * Names the status of a step in one word, as programs print it.
 *
 * @param status  any value
 * @return static text; "unknown" for a value that this library does not know
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_step_status_name(hn_step_status status);

/** One step of a plan. Texts are owned by the plan. */
typedef struct hn_step {
	uint32_t size;
	hn_action action;
	hn_class class_; /* for CHANGE and RESTORE */
	hn_step_status status;
	const char *unit, *key;          /* key NULL unless CHANGE or RESTORE */
	const char *old_text, *new_text; /* NULL: no value */
	const char *where;               /* file:line:column of the winner, or "" */
	const char *note; /* "above memory.max 32Gi; stays pending (update.restart manual)" or "" */
	const char *problem; /* why it FAILED, and what caused that; else NULL */
	int code;            /* the hn_code of problem; 0 */
} hn_step;

/** Told of a step; its texts are borrowed inside the call. */
typedef void (*hn_step_fn)(void *arg, const hn_step *step);

/** Where a plan is to lead, and what it may touch. */
typedef struct hn_plan_options {
	uint32_t size;
	hn_decl *const *decls; /* the declaration to go to; NULL = keep the present one */
	size_t decl_count;
	hn_owner owner;        /* of the declaration: FILE or NIX */
	uint64_t generation;   /* roll back to this one, which was applied once; 0 = no */
	bool restore;          /* also mend drift */
	bool start;            /* start units with autostart; CLI apply: true */
	const char *on_remove; /* "stop" (NULL), "keep", "destroy": units no longer declared */
	const char *unit;      /* only this unit; NULL = all */
	bool boot;      /* only start what is to run and does not, as declared when last applied; no
			   decls */
	bool drop_tags; /* declared units lose the tags that were put or taken away at run time */
	bool shutdown;  /* only stop what runs, in the reverse order of starts; the next
			   boot starts it again; no decls */
} hn_plan_options;
#define HN_PLAN_OPTIONS_INIT                                                                       \
	{                                                                                          \
		.size = sizeof(hn_plan_options)                                                    \
	}

/** What is to be done, step by step. */
typedef struct hn_plan hn_plan;
/**
 * Compares what is desired, applied and real, and says which steps lead there. Without effect,
 * but that steps of a killed apply are settled first: what is true of them is written down, which
 * any reader may. Stored with a number when there is something to do, the host is writable, and the
 * session may do some of it; room for plans is short, so a mere reader's plan is not kept.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param options  where to go; NULL keeps the present declaration
 * @param plan  receives it; release it with hn_plan_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ECONFLICT, HN_EEXCLUSIVE and other errors of the declaration; HN_ECAPACITY with the
 * largest holders; HN_EFIXED, HN_ESHRINK when a change is refused; HN_EEXIST when a foreign
 * domain or a unit made by hand has the name; HN_ENOENT when there is no such unit or
 * generation; HN_EINVAL, HN_ENEWER when options contradict themselves; HN_EBUSY naming who owns
 * the machine; HN_EDRIVER; HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when
 * the store fails
 * Threads: the one that has the session
 * Blocks: yes, until the machine is free (at most lock_wait), on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_plan_make(
	hn_session *session, const hn_plan_options *options, hn_plan **plan, hn_error **err);

/**
 * Finds a plan that was stored, also by another process.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param number  of the plan
 * @param plan  receives it; release it with hn_plan_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is none, or it was dropped (the last 64 are kept); HN_ESESSION
 * when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_plan_find(hn_session *session, uint64_t number, hn_plan **plan, hn_error **err);

/**
 * Gives a reference of a plan back.
 *
 * @param plan  may be NULL
 * @return NULL
 * Errors: none
 * Threads: any, but not while another uses it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_plan *hn_plan_unref(hn_plan *plan);

/**
 * Tells the number of a plan.
 *
 * @param plan  a plan
 * @return the number; 0 when it was not stored, so that it cannot be applied
 * Errors: none
 * Threads: any, but not while it is applied
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API uint64_t hn_plan_number(const hn_plan *plan);

/**
 * Gives one step of a plan, in the order in which they are done.
 *
 * @param plan  a plan
 * @param index  from 0
 * @param step  receives it; texts are owned by the plan, until it is applied
 * @return 0, or HN_ENOENT past the end
 * Errors: HN_ENOENT past the end
 * Threads: any, but not while it is applied
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_plan_step_at(const hn_plan *plan, size_t index, hn_step *step);

/** Counts of a plan, and the capacity after it. */
typedef struct hn_plan_summary {
	uint32_t size;
	uint32_t hot, restart, next, move, create, remove, start, stop, drift, pending;
	uint64_t reserved, capacity; /* CU */
} hn_plan_summary;
#define HN_PLAN_SUMMARY_INIT                                                                       \
	{                                                                                          \
		.size = sizeof(hn_plan_summary)                                                    \
	}
/**
 * Counts the steps of a plan by kind, and tells the capacity after it. A unit that leaves the
 * declaration and stays as it is counts as none of them.
 *
 * @param plan  a plan
 * @param summary  receives the counts
 * @return nothing
 * Errors: none
 * Threads: any, but not while it is applied
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API void hn_plan_get_summary(const hn_plan *plan, hn_plan_summary *summary);

/**
 * Tells whether there is nothing to do: no step but those that wait for somebody, and no new
 * declaration.
 *
 * @param plan  a plan
 * @return true when applying it changes nothing
 * Errors: none
 * Threads: any, but not while it is applied
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API bool hn_plan_empty(const hn_plan *plan);

/**
 * Tells whether the plan has been begun: what is declared is stored, and steps may have been done.
 * An apply that failed before that has changed nothing.
 *
 * @param plan  a plan
 * @return true once hn_plan_apply has passed its checks and declared
 * Errors: none
 * Threads: any, but not while it is applied
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API bool hn_plan_begun(const hn_plan *plan);

/**
 * Does what hn_plan_apply does before its first effect: are all rights there, are the artefacts,
 * would the hypervisor take each definition. Changes nothing.
 *
 * @param session  needs unit.create, unit.update, unit.start, unit.stop, unit.delete on
 * unit/<uuid>, as far as its steps do
 * @param plan  just made by hn_plan_make on the same host
 * @param err  set on failure; may be NULL
 * @return 1 when all was checked, 0 when the machine could not be had, so that only rights were;
 * or a negative hn_code
 * Errors: HN_EXML, HN_ENOENT and others that the apply would give; HN_EDRIVER; HN_EREASON;
 * HN_EINVAL when the plan is of another host, or from the store; HN_ESESSION when session is NULL;
 * HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails
 * Threads: the one that has the session
 * Blocks: yes, on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_plan_check(hn_session *session, hn_plan *plan, hn_error **err);

/** What an apply does after a step has failed and its unit was taken back. */
typedef enum hn_on_error { HN_ON_ERROR_STOP, HN_ON_ERROR_CONTINUE, HN_ON_ERROR_UNDO } hn_on_error;

/** How a plan is applied. */
typedef struct hn_apply_options {
	uint32_t size;
	hn_on_error on_error;
	hn_wait wait;            /* for started units */
	int64_t timeout;         /* ns a unit; 0 = 120 s */
	hn_progress_fn progress; /* unit "steps", phase = what is being done */
	void *progress_arg;
	hn_cancel *cancel;
	int64_t limit;   /* ns for all steps, looked at between them; when it is over all is taken
			    back, whatever on_error says; 0 = none */
	hn_step_fn step; /* told of each step when it ends, and of the rest at the end; may be NULL
			  */
	void *step_arg;
} hn_apply_options;
#define HN_APPLY_OPTIONS_INIT                                                                      \
	{                                                                                          \
		.size = sizeof(hn_apply_options)                                                   \
	}
/**
 * Performs a plan: declares in one transaction, then acts step by step, each durable in the
 * journal before and after. Per unit all or nothing. A process that is killed leaves what the
 * next apply completes.
 *
 * @param session  needs unit.create, unit.update, unit.start, unit.stop, unit.delete on
 * unit/<uuid>, as far as its steps do; with files of the host needs volume.attach
 * @param plan  its steps get their status
 * @param options  what to do when a step fails; NULL stops
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EBUSY when the state has changed so that the plan no longer fits ("make it again"),
 * or naming who owns the machine; HN_EUNDO when all was taken back; HN_EINCONSISTENT when that
 * failed: hn_unit_repair; HN_ECANCELLED; HN_EREASON when a unit is to be destroyed and the
 * session has no reason; HN_EXML and others from the check before any effect; HN_EDRIVER,
 * HN_EGUEST, HN_ETIMEOUT from a step; HN_EINVAL; HN_ESESSION when session is NULL; HN_EDENIED;
 * HN_EIO, HN_ENOMEM when the store fails; HN_ENOSPC when the disk is full; HN_EAUDIT when the
 * audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, until the machine is free (at most lock_wait), on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_plan_apply(
	hn_session *session, hn_plan *plan, const hn_apply_options *options, hn_error **err);

/** One generation of what was declared. */
typedef struct hn_generation {
	uint32_t size;
	uint64_t number;
	int64_t when;
	const char *who, *why;
	uint32_t units;
	bool current;
} hn_generation;

/** Given each generation; non-zero ends the walk. */
typedef int (*hn_generation_fn)(void *arg, const hn_generation *generation);
/**
 * Tells the generations of the declaration, oldest first: those that were applied, as far as they
 * are kept (limit GENERATIONS).
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param each  given each generation; texts are borrowed inside the call; non-zero ends the walk
 * and is returned
 * @param arg  handed to each
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_generations_list(
	hn_session *session, hn_generation_fn each, void *arg, hn_error **err);

/* ---- drift, repair, capacity ---- */

/** What became of a comparison. */
typedef enum hn_drift_state {
	HN_DRIFT_SAME,
	HN_DRIFT_DIFFERS,
	HN_DRIFT_UNOBSERVABLE,
	HN_DRIFT_UNENFORCED
} hn_drift_state;

/**
 * Names a state of drift in one word, as programs print it.
 *
 * @param state  any value
 * @return static text; "unknown" for a value that this library does not know
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_drift_state_name(hn_drift_state state);

/** One key of a unit, as it was applied and as it is. */
typedef struct hn_drift {
	uint32_t size;
	hn_drift_state state;
	const char *unit, *key; /* key NULL: the domain itself ("gone", "foreign", "status") */
	const char *applied, *real;
	const char *note;
} hn_drift;

/** Given each key that was compared; non-zero ends the walk. */
typedef int (*hn_drift_fn)(void *arg, const hn_drift *drift);
/**
 * Compares what is real with what was applied, key by key and by meaning.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param unit  name or uuid; NULL for all, and foreign domains
 * @param each  given each key, also those that are the same; may be NULL; non-zero ends the walk
 * @param arg  handed to each
 * @param err  set on failure; may be NULL
 * @return the number that differ, or a negative hn_code
 * Errors: HN_ENOENT; HN_EBUSY; HN_EDRIVER; HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO,
 * HN_ENOMEM when the store fails
 * Threads: the one that has the session
 * Blocks: yes, until the machine is free (at most lock_wait), on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_drift_scan(
	hn_session *session, const char *unit, hn_drift_fn each, void *arg, hn_error **err);

/**
 * Takes the real value of a key that has drifted as the desired one: a value of a unit made by
 * hand, a force of FORCE_SECONDS on a declared one.
 *
 * @param session  needs unit.update on unit/<uuid>; with files of the host needs volume.attach
 * @param unit  name
 * @param key  that has drifted
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit, or the key has not drifted; HN_ESCHEMA;
 * HN_EBUSY; HN_EDRIVER; HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the
 * store fails; HN_ENOSPC when the disk is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, until the machine is free (at most lock_wait), on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_drift_adopt(hn_session *session, const char *unit, const char *key, hn_error **err);

/**
 * Settles a unit on which an undo failed: what is real is compared with what is desired, and
 * made so.
 *
 * @param session  needs unit.update on unit/<uuid>
 * @param unit  name or uuid
 * @param err  set on failure; may be NULL
 * @return 0, 1 when there was nothing to do, or a negative hn_code
 * Errors: HN_ENOENT; HN_EINCONSISTENT when it fails again; HN_EBUSY; HN_EDRIVER; HN_ESESSION
 * when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails; HN_ENOSPC when the
 * disk is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, until the machine is free (at most lock_wait), on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_repair(hn_session *session, const char *unit, hn_error **err);

/** How fast a host is, in units of the reference thread. */
typedef struct hn_calibration {
	uint32_t size;
	uint32_t mix;               /* version of the mix, 1 */
	uint32_t threads;           /* usable hardware threads */
	int64_t s1, sn;             /* millionths of a reference thread: alone, all loaded */
	int64_t spread;             /* millionths */
	bool provisional, measured; /* measured false: nothing stored, "reference" values */
	int64_t when;
	const char *cpu; /* model; owned by the host handle */
} hn_calibration;
#define HN_CALIBRATION_INIT                                                                        \
	{                                                                                          \
		.size = sizeof(hn_calibration)                                                     \
	}
/**
 * Measures how fast this host is, in units of the reference thread, and stores the answer.
 *
 * @param session  needs node.role on node/<name>
 * @param quick  the median of 3 rounds instead of 7
 * @param progress  told in "rounds"; may be NULL
 * @param arg  handed to progress
 * @param cancel  ends it early; may be NULL
 * @param result  receives the answer; may be NULL
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ECANCELLED; HN_EINVAL; HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO,
 * HN_ENOMEM when the store fails; HN_ENOSPC when the disk is full; HN_EAUDIT when the audit log
 * cannot be written
 * Threads: the one that has the session
 * Blocks: yes, for seconds to minutes: all threads of the host are loaded
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_host_calibrate(hn_session *session, bool quick, hn_progress_fn progress, void *arg,
	hn_cancel *cancel, hn_calibration *result, hn_error **err);

/**
 * Tells how fast this host is: measured and stored, or reference values.
 *
 * @param session  needs node.read on node/<name>
 * @param result  receives it; cpu is owned by the host handle
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_host_get_calibration(hn_session *session, hn_calibration *result, hn_error **err);

/** Who holds how much of a host. */
typedef struct hn_capacity_entry {
	uint32_t size;
	const char *unit;
	uint64_t reserve;
	int64_t overcommit;
} hn_capacity_entry;

/** Given each holder; non-zero ends the walk. */
typedef int (*hn_capacity_fn)(void *arg, const hn_capacity_entry *entry);
/**
 * Tells how many compute units the host has and who holds them, largest first.
 *
 * @param session  needs node.read on node/<name>
 * @param what_if  units as if they reserved so much, such as "web-2=400 db=100"; NULL for none
 * @param capacity  receives the CU of the host; may be NULL
 * @param reserved  receives the CU that are held; may be NULL
 * @param each  given each holder; texts are borrowed inside the call; may be NULL
 * @param arg  handed to each
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX, HN_ERANGE, HN_EDUPLICATE when what_if is wrong; HN_ESESSION when session
 * is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_host_capacity(hn_session *session, const char *what_if, uint64_t *capacity,
	uint64_t *reserved, hn_capacity_fn each, void *arg, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
