/* SPDX-License-Identifier: MIT */
#ifndef HYPERNIX_HOST_H
#define HYPERNIX_HOST_H

#include <hypernix/base.h>
#include <hypernix/machine.h>
#include <hypernix/os.h>
#include <hypernix/tags.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- host and sessions ---- */

typedef struct hn_host_options {
	uint32_t size;
	const char *state;       /* directory of the state; NULL = /var/lib/hypernix */
	const char *root;        /* machine root, at most 50 bytes; NULL = <state>/m */
	const char *uri;         /* "hypernix:" (NULL: embedded driver on root), "qemu:///system", "test:///ABS.xml" ... */
	const char *accelerator; /* "auto" (NULL), "tcg", "kvm" */
	const char *program;     /* who holds locks; NULL = "libhypernix" */
	hn_os *os;               /* NULL = hn_os_real() */
	int64_t lock_wait;       /* ns to wait for another apply or owner; 0 = do not wait, -1 = for ever */
	bool read_only;          /* HN_ENOENT when there is no state yet; mutating calls are HN_EDENIED */
	const char *calibration; /* NULL = stored or measured; "reference": 100 CU a thread, for tests and dry hosts */
} hn_host_options;
#define HN_HOST_OPTIONS_INIT { .size = sizeof(hn_host_options) }
HN_API int hn_host_open(const hn_host_options *options, hn_host **host, hn_error **err);
HN_API hn_host *hn_host_ref(hn_host *host);
HN_API hn_host *hn_host_unref(hn_host *host);

typedef struct hn_session_options {
	uint32_t size;
	const char *reason;      /* why, for the audit log; needed by verbs with flag R */
	const char *program;     /* name of the frontend */
} hn_session_options;
#define HN_SESSION_OPTIONS_INIT { .size = sizeof(hn_session_options) }
HN_API int hn_session_open_local(hn_host *host, const hn_session_options *options, hn_session **session, hn_error **err); /* HN_EDENIED unless root */
HN_API hn_session *hn_session_ref(hn_session *session);
HN_API hn_session *hn_session_unref(hn_session *session);
HN_API int hn_session_check(hn_session *session, const char *verb, const char *object, hn_error **err); /* dry run: 0 allowed, HN_EDENIED, HN_EREASON */

/* ---- units: reading ---- */

typedef enum hn_owner { HN_OWNER_FILE, HN_OWNER_NIX, HN_OWNER_API } hn_owner;
/** A unit of the host as it is known now: immutable snapshot. */
typedef struct hn_unit hn_unit;
HN_API hn_unit *hn_unit_ref(hn_unit *unit);
HN_API hn_unit *hn_unit_unref(hn_unit *unit);
HN_API const char *hn_unit_name(const hn_unit *unit);
HN_API const char *hn_unit_uuid(const hn_unit *unit);
HN_API hn_owner hn_unit_owner(const hn_unit *unit);
HN_API hn_unit_status hn_unit_get_status(const hn_unit *unit);
HN_API int hn_unit_ready(const hn_unit *unit);             /* 1 ready, 0 not, -1 unknown */
HN_API bool hn_unit_pending(const hn_unit *unit);          /* desired and applied differ */
HN_API bool hn_unit_inconsistent(const hn_unit *unit);
HN_API bool hn_unit_foreign(const hn_unit *unit);          /* a domain that hypernix did not make; uuid and name are the domain's */
HN_API hn_view *hn_unit_desired(const hn_unit *unit);      /* borrowed; NULL for foreign ones */
HN_API hn_view *hn_unit_applied(const hn_unit *unit);      /* borrowed; NULL when nothing was applied yet */

typedef struct hn_units hn_units; /* a list */
/* observe: ask the hypervisor when it can be had without waiting, else the last known status. */
HN_API int hn_units_list(hn_session *session, const char *selector, bool observe, hn_units **units, hn_error **err); /* needs unit.read */
HN_API hn_units *hn_units_free(hn_units *units);
HN_API size_t hn_units_count(const hn_units *units);
HN_API hn_unit *hn_units_at(const hn_units *units, size_t index);  /* borrowed */
HN_API int hn_unit_find(hn_session *session, const char *name, bool observe, hn_unit **unit, hn_error **err); /* needs unit.read */
HN_API int hn_host_get_catalog(hn_session *session, hn_catalog **catalog, hn_error **err);     /* needs tag.read; a reference */
HN_API int hn_host_fork_resolver(hn_session *session, hn_resolver **resolver, hn_error **err); /* needs tag.read; for what-if */

/** A past winner of a key. */
typedef struct hn_history_entry {
	uint32_t size;
	uint64_t generation;
	int64_t when;
	const char *who, *why, *value; /* value NULL: unset */
} hn_history_entry;
typedef int (*hn_history_fn)(void *arg, const hn_history_entry *entry);
HN_API int hn_unit_history(hn_session *session, const char *unit, const char *key, hn_history_fn each, void *arg, hn_error **err);

/* ---- units: changing what is desired (a plan makes it real) ---- */

typedef struct hn_unit_definition {
	uint32_t size;
	const char *const *tags;     size_t tag_count;
	const char *const *policies; size_t policy_count;
	const char *blueprint;
	const char *const *keys;     /* keys[i] = values[i] */
	const char *const *values;   size_t value_count;
} hn_unit_definition;
#define HN_UNIT_DEFINITION_INIT { .size = sizeof(hn_unit_definition) }
HN_API int hn_unit_define(hn_session *session, const char *unit, const hn_unit_definition *definition, hn_error **err); /* needs unit.create; an api unit */
HN_API int hn_unit_set(hn_session *session, const char *unit, const char *key, const char *value, hn_error **err);      /* needs unit.update; NULL value unsets; api units only */
/* needs tag.apply on each tag and unit.update; both lists at once. Desired changes; apply or the plan makes it real. */
HN_API int hn_unit_tag(hn_session *session, const char *unit, const char *const *add, size_t add_count, const char *const *remove, size_t remove_count, hn_error **err);
HN_API int hn_unit_force(hn_session *session, const char *unit, const char *key, const char *value, int64_t duration, hn_error **err); /* needs force.set; the session's reason is stored */
HN_API int hn_unit_unforce(hn_session *session, const char *unit, const char *key, hn_error **err); /* needs force.set */
typedef enum hn_disks { HN_DISKS_KEEP, HN_DISKS_DELETE } hn_disks;
HN_API int hn_unit_remove(hn_session *session, const char *unit, hn_disks disks, hn_error **err);   /* needs unit.delete; stops, undefines, forgets */
HN_API int hn_unit_replace(hn_session *session, const char *unit, hn_error **err);                  /* needs unit.delete, unit.create; for fixed keys */
HN_API int hn_unit_adopt(hn_session *session, const char *domain, hn_error **err);                  /* needs unit.create; a foreign domain becomes an api unit */
HN_API int hn_unit_move(hn_session *session, const char *unit, const char *to, hn_error **err);     /* needs migrate.out */

/* ---- plans ---- */

typedef enum hn_action {
	HN_ACTION_CHANGE, HN_ACTION_CREATE, HN_ACTION_START, HN_ACTION_STOP, HN_ACTION_REMOVE, HN_ACTION_RESTORE /* drift */,
	HN_ACTION_ORPHAN /* remove a domain of ours without record */, HN_ACTION_FORGET
} hn_action;
typedef enum hn_step_status { HN_STEP_PLANNED, HN_STEP_DOING, HN_STEP_DONE, HN_STEP_UNDONE, HN_STEP_FAILED, HN_STEP_PENDING } hn_step_status;
/** One step of a plan. Texts are owned by the plan. */
typedef struct hn_step {
	uint32_t size;
	hn_action action;
	hn_class class_;          /* for CHANGE and RESTORE */
	hn_step_status status;
	const char *unit, *key;   /* key NULL unless CHANGE or RESTORE */
	const char *old_text, *new_text; /* NULL: no value */
	const char *where;        /* file:line:column of the winner, or "" */
	const char *note;         /* "above memory.max 32Gi; stays pending (update.restart manual)" or "" */
} hn_step;
typedef struct hn_plan_options {
	uint32_t size;
	hn_decl *const *decls;    /* the declaration to go to; NULL = keep the present one */
	size_t decl_count;
	hn_owner owner;           /* of the declaration: FILE or NIX */
	uint64_t generation;      /* roll back to this one; 0 = no */
	bool restore;             /* also mend drift */
	bool start;               /* start units with autostart; CLI apply: true */
	const char *on_remove;    /* "stop" (NULL), "keep", "destroy": units no longer declared */
	const char *unit;         /* only this unit; NULL = all */
} hn_plan_options;
#define HN_PLAN_OPTIONS_INIT { .size = sizeof(hn_plan_options) }
typedef struct hn_plan hn_plan;
HN_API int hn_plan_make(hn_session *session, const hn_plan_options *options, hn_plan **plan, hn_error **err); /* needs unit.read; stored with a number when not empty and the host is writable */
HN_API int hn_plan_find(hn_session *session, uint64_t number, hn_plan **plan, hn_error **err); /* needs unit.read */
HN_API hn_plan *hn_plan_unref(hn_plan *plan);
HN_API uint64_t hn_plan_number(const hn_plan *plan);
HN_API int hn_plan_step_at(const hn_plan *plan, size_t index, hn_step *step); /* HN_ENOENT ends the walk */
/** Counts of a plan, and the capacity after it. */
typedef struct hn_plan_summary {
	uint32_t size;
	uint32_t hot, restart, next, move, create, remove, start, stop, drift, pending;
	uint64_t reserved, capacity; /* CU */
} hn_plan_summary;
#define HN_PLAN_SUMMARY_INIT { .size = sizeof(hn_plan_summary) }
HN_API void hn_plan_get_summary(const hn_plan *plan, hn_plan_summary *summary);
HN_API bool hn_plan_empty(const hn_plan *plan);

typedef enum hn_on_error { HN_ON_ERROR_STOP, HN_ON_ERROR_CONTINUE, HN_ON_ERROR_UNDO } hn_on_error;
typedef struct hn_apply_options {
	uint32_t size;
	hn_on_error on_error;
	hn_wait wait;             /* for started units */
	int64_t timeout;          /* ns a unit; 0 = 120 s */
	hn_progress_fn progress;  /* unit "steps", phase = what is being done */
	void *progress_arg;
	hn_cancel *cancel;
} hn_apply_options;
#define HN_APPLY_OPTIONS_INIT { .size = sizeof(hn_apply_options) }
/* needs what each step needs (unit.create, unit.update, unit.start ...). A plan that no longer fits the state is HN_EBUSY ("make it again"). */
HN_API int hn_plan_apply(hn_session *session, hn_plan *plan, const hn_apply_options *options, hn_error **err);

/** One generation of what was declared. */
typedef struct hn_generation {
	uint32_t size;
	uint64_t number;
	int64_t when;
	const char *who, *why;
	uint32_t units;
	bool current;
} hn_generation;
typedef int (*hn_generation_fn)(void *arg, const hn_generation *generation);
HN_API int hn_generations_list(hn_session *session, hn_generation_fn each, void *arg, hn_error **err);

/* ---- drift, repair, capacity ---- */

typedef enum hn_drift_state { HN_DRIFT_SAME, HN_DRIFT_DIFFERS, HN_DRIFT_UNOBSERVABLE, HN_DRIFT_UNENFORCED } hn_drift_state;
typedef struct hn_drift {
	uint32_t size;
	hn_drift_state state;
	const char *unit, *key;        /* key NULL: the domain itself ("gone", "foreign", "status") */
	const char *applied, *real;
	const char *note;
} hn_drift;
typedef int (*hn_drift_fn)(void *arg, const hn_drift *drift);
HN_API int hn_drift_scan(hn_session *session, const char *unit, hn_drift_fn each, void *arg, hn_error **err); /* needs unit.read; number that differ */
HN_API int hn_drift_adopt(hn_session *session, const char *unit, const char *key, hn_error **err);            /* needs unit.update */
HN_API int hn_unit_repair(hn_session *session, const char *unit, hn_error **err);                             /* needs unit.update; settles an inconsistent unit */

typedef struct hn_calibration {
	uint32_t size;
	uint32_t mix;               /* version of the mix, 1 */
	uint32_t threads;           /* usable hardware threads */
	int64_t s1, sn;             /* millionths of a reference thread: alone, all loaded */
	int64_t spread;             /* millionths */
	bool provisional, measured; /* measured false: nothing stored, "reference" values */
	int64_t when;
	const char *cpu;            /* model; owned by the host handle */
} hn_calibration;
#define HN_CALIBRATION_INIT { .size = sizeof(hn_calibration) }
HN_API int hn_host_calibrate(hn_session *session, bool quick, hn_progress_fn progress, void *arg, hn_cancel *cancel, hn_calibration *result, hn_error **err); /* needs node.role */
HN_API int hn_host_get_calibration(hn_session *session, hn_calibration *result, hn_error **err); /* needs node.read */
typedef struct hn_capacity_entry { uint32_t size; const char *unit; uint64_t reserve; int64_t overcommit; } hn_capacity_entry;
typedef int (*hn_capacity_fn)(void *arg, const hn_capacity_entry *entry);
/* needs node.read; walks holders by size, largest first. what_if: "web-2=400 db=100" (CU) or NULL. */
HN_API int hn_host_capacity(hn_session *session, const char *what_if, uint64_t *capacity, uint64_t *reserved, hn_capacity_fn each, void *arg, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
