/* SPDX-License-Identifier: MIT
 *
 * The inside of plans: the units they look at, their steps in the order in which they are done, and
 * who makes, stores, performs and undoes them.
 */
#ifndef HOST_PLAN_H
#define HOST_PLAN_H

#include "host/capacity.h"
#include "host/host-private.h"

/* The order of effects. What frees comes before what takes; steps of one unit in one phase from
 * PHASE_DEFINE on are one act (one definition, one restart). */
typedef enum plan_phase {
	PHASE_STOP, /* what is no longer declared; orphans */
	PHASE_DECREASE,
	PHASE_INCREASE,
	PHASE_ATTACH,
	PHASE_VALUE,
	PHASE_DETACH,
	PHASE_DEFINE, /* persistent only: the unit does not run, or the key waits for the next start
		       */
	PHASE_CREATE,
	PHASE_PENDING, /* persistent only, and a restart is needed that nobody has allowed yet */
	PHASE_START,
	PHASE_RESTART,
	PHASE_REMOVE, /* last, since it cannot be undone */
	PHASE_NOTHING /* only told: moves, drift that is not to be mended, inconsistent units */
} plan_phase;

typedef struct plan_step {
	hn_action action;
	hn_class class_;
	hn_step_status status;
	plan_phase phase;
	bool companion; /* part of another step's attach or detach: no act of its own */
	size_t unit;    /* index into the plan's units; PLAN_NO_UNIT for orphans */
	int64_t order;  /* start.order of the unit */
	uint64_t audit; /* number of the allow record, while it is being done */
	char *name, *uuid;
	char *key, *old_text, *new_text, *where, *note; /* where and note are never NULL */
	char *problem;                                  /* why it failed, with its causes; NULL */
	int code;                                       /* of the problem */
	bool told; /* the caller of the apply knows how it ended */
} plan_step;
#define PLAN_NO_UNIT SIZE_MAX

typedef struct plan_unit {
	char *name;
	char uuid[37];   /* of the record, or given out for a new one */
	hn_unit *record; /* NULL: new */
	hn_unit *before; /* the record as it was when the plan was made, once that has changed; for
			    undo */
	hn_owner owner;
	bool declared;    /* has desired values: in the catalogue, or an api unit */
	hn_view *desired; /* what it is to be; NULL when not declared */
	uint8_t digest[CRYPTO_DIGEST];
	uint32_t vcpus;   /* to freeze with this plan; 0 = nothing to freeze */
	char *vcpus_note; /* its formula; NULL when the value is given and only the count is kept */
	machine_real *real;  /* observed; NULL when there is no domain or nobody looked */
	bool observed, skip; /* skip: not in the scope of this plan */
	bool fresh;          /* its record was made by this apply */
	bool untagged;       /* this apply has dropped its tags of run time, and told so */
	int64_t order;
} plan_unit;

struct hn_plan {
	atomic_uint references;
	hn_host *host;
	uint64_t number;     /* 0: not stored */
	uint64_t revision;   /* of the state it was made from */
	uint64_t generation; /* to make current; 0: keep the present one */
	bool loaded; /* from the store: steps only, must be made again before it is applied */
	bool full;   /* a step was refused by the limit PLAN_STEPS */
	/* what it was asked for; decls are held */
	hn_decl **decls;
	size_t decl_count;
	hn_owner owner;
	uint64_t rollback;
	bool has_decls, restore, start, boot, drop_tags, shutdown;
	bool begun;      /* it was declared; what failed before that changed nothing */
	uint32_t redact; /* classes that are left out of what is told of its steps */
	char on_remove;  /* 's', 'k', 'd' */
	char *only;      /* unit, or NULL */

	hn_catalog *catalog;
	hn_resolver *resolver;
	machine *machine; /* borrowed; NULL when the plan was made without one */
	plan_unit *units;
	size_t unit_count, unit_capacity;
	plan_step *steps;
	size_t step_count, step_capacity;
	hn_plan_summary summary;
};

/* --- plan.c --- */
int plan_new(hn_host *host, const hn_plan_options *options, hn_plan **plan, hn_error **err);
/* The same question again, for a plan that no longer fits. */
int plan_copy_options(const hn_plan *from, hn_plan **plan, hn_error **err);
/* Adds a step; texts are copied. Returns NULL when out of memory, or when there are too many;
 * plan_refuse says which. */
plan_step *plan_add(hn_plan *plan, hn_action action, plan_phase phase, size_t unit);
int plan_refuse(const hn_plan *plan, hn_error **err);
bool plan_makes_definition(const plan_step *step);
/* May it have the files that its desired values name? Else HN_EDENIED. */
int plan_check_files(const hn_plan *plan, const plan_unit *unit, hn_error **err);
/* Sets where or note, which are owned. False when out of memory. */
bool plan_text(char **text, const char *format, ...) BASE_PRINTF(2, 3);
void plan_count(hn_plan *plan);              /* fills the summary */
bool plan_actionable(const plan_step *step); /* will something be done? */
/* Tells of a unit that leaves the declaration and stays as it is: done when what is declared
 * changes. */
bool plan_leaves(const plan_step *step);
bool plan_same_steps(const hn_plan *left, const hn_plan *right);

/* --- activate.c: starts at boot, stops at shutdown, tags of run time --- */
bool plan_keeps_declared(const hn_plan *plan); /* it is about guests, not about what is declared */
int plan_fill_guests(hn_plan *plan, hn_error **err);
int plan_untag(hn_plan *plan, hn_error **err);
bool plan_keeps_tags(const hn_plan *plan, const plan_unit *unit);

/* --- plan-make.c, plan-steps.c, plan-drift.c, plan-admit.c --- */
int plan_fill(hn_session *session, hn_plan *plan, hn_error **err);
plan_unit *plan_add_unit(hn_plan *plan, const char *name); /* NULL: out of memory */
int plan_observe(hn_plan *plan, plan_unit *unit, hn_error **err);
int plan_unit_steps(hn_plan *plan, size_t index, hn_error **err);
bool plan_unit_runs(const plan_unit *unit); /* as observed, else as it is on record */
/* Phase, class and note of changing a key of a unit that has a domain. */
int plan_classify(
	hn_plan *plan, const plan_unit *unit, plan_step *step, const hn_key *row, hn_error **err);
int plan_drift_steps(hn_plan *plan, size_t index, hn_error **err);
int plan_admit(hn_plan *plan, hn_error **err);
void plan_sort(hn_plan *plan);

/* Drift of one observed unit, by meaning (drift.c): every key that was observed, then the domain
 * itself. */
typedef int (*host_drift_fn)(void *arg, const hn_drift *drift, const hn_key *row);
int host_drift_compare(hn_host *host, machine *m, const hn_unit *unit, const machine_real *real,
	host_drift_fn each, void *arg, hn_error **err); /* non-zero from each ends the walk */

/* --- plan-store.c --- */
int plan_store(hn_session *session, hn_plan *plan, hn_error **err);
/* Only the generation that the plan goes to, for one that is made again. */
int plan_generation(hn_session *session, hn_plan *plan, hn_error **err);
int plan_load(hn_host *host, uint64_t number, hn_plan **plan, hn_error **err);
int plan_step_store(
	hn_host *host, const hn_plan *plan, size_t index, hn_error **err); /* its status */
typedef enum plan_state {
	PLAN_MADE,
	PLAN_APPLYING,
	PLAN_APPLIED,
	PLAN_FAILED,
	PLAN_STALE
} plan_state;
int plan_state_store(hn_host *host, uint64_t number, plan_state state, hn_error **err);

/* --- collect.c: inside the caller's transaction --- */
/* After a plan that was applied: generations and bodies that nothing needs any more. */
int host_collect(hn_host *host, const hn_plan *plan, hn_error **err);

/* --- apply.c, apply-act.c, undo.c, recover.c --- */
/* One run of hn_plan_apply. */
typedef struct apply_run {
	hn_session *session;
	hn_host *host;
	machine *machine;
	hn_plan *plan;
	hn_apply_options options;
	size_t done;         /* steps finished, for progress */
	bool *failed;        /* by unit: no further step of this unit */
	hn_error *aside;     /* of the first unit that was left out before the first step */
	bool inconsistent;   /* an undo failed */
	bool journal_failed; /* what happened could not be written down: stop, undo nothing */
	uint64_t before;     /* generation that was current */
	int64_t deadline;    /* monotonic ns for all steps; 0 = none */
	bool check;          /* without effect: a denial is not put on record */
} apply_run;
/* `call` is begun when the plan fits; NULL: this is a part of one that has begun. */
int apply_plan(hn_session *session, hn_plan *plan, const hn_apply_options *options,
	struct host_call *call, hn_error **err);
/* Begins the call that this apply is (apply-call.c). */
int apply_call(hn_session *session, const hn_plan *plan, const hn_apply_options *options,
	struct host_call *call, hn_error **err);
/* One act: steps[first..last) of one unit in one phase, which is not PHASE_NOTHING. */
int apply_act(apply_run *run, size_t first, size_t last, hn_error **err);
/* What apply_plan does before its first effect. 1; 0 when there is no machine to ask. */
int apply_check(hn_session *session, hn_plan *plan, hn_error **err);
/* How steps[first..last) ended. */
void apply_tell(apply_run *run, size_t first, size_t last);
/* For one start: what the caller gives each, or what is left for all. */
int64_t apply_timeout(const apply_run *run);
/* Starts a unit at boot (activate.c). */
int apply_boot_start(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_start_options *options, hn_error **err);
/* Inside the transaction of the declaration: tags of run time go, or come back. */
int apply_untag(apply_run *run, hn_error **err);
int apply_retag(apply_run *run, hn_error **err);
/* Stop, then start with these values; permits: of stop, of start. */
int apply_restart(apply_run *run, plan_unit *unit, const hn_view *view, host_permit permits[2],
	hn_error **err);
/* A restart that failed halfway: the guest comes back with the values it had. */
void apply_undo_restart(apply_run *run, size_t first, size_t last);
/* The generation, units, desired views and frozen values of a plan, in one transaction. */
int apply_declare(apply_run *run, hn_error **err);
/* Makes the present declaration what it was before apply_declare. */
int apply_revoke(apply_run *run, hn_error **err);
/* The end of steps[first..last): those that share one act, the acting one last. */
size_t apply_group(const hn_plan *plan, size_t first);
bool plan_same_entry(const plan_step *left, const plan_step *right); /* keys of one disk or nic */
/* Takes back the live changes that this plan has made to one unit, last first. A failed undo marks
 * the unit. */
void apply_undo_unit(apply_run *run, size_t unit);
/* Takes back all that this plan has done, last first. */
void apply_undo_all(apply_run *run);
/* The record of a unit as it is in the store now. */
int apply_reload(apply_run *run, plan_unit *unit, hn_error **err);
/* Refused is not failed: what was done can still be taken back. */
bool apply_is_refusal(int rc);
/* Writes down that steps[first..last) have begun, with one permit a verb: durable before the
 * effect. `view`: what a live change or a start gives the unit; NULL: a start what is desired, a
 * change nothing that is held. */
int apply_begin(apply_run *run, size_t first, size_t last, const hn_verb *verbs, size_t count,
	const hn_view *view, host_permit *permits, hn_error **err);
/* Writes down how they ended. The applied view takes the values that `view` has for the keys of
 * these steps. */
typedef struct apply_end_of {
	hn_step_status status;
	int code;
	const hn_view *view;      /* NULL: the applied view stays */
	bool whole;               /* the applied view becomes `view` as it is */
	bool unapply;             /* there is no applied view any more */
	bool forget;              /* the record goes */
	const char *event, *data; /* NULL: none */
} apply_end_of;
int apply_end(apply_run *run, size_t first, size_t last, host_permit *permits, size_t count,
	const apply_end_of *how, hn_error **err);
/* Looks at steps that a killed apply left in flight and writes down what is true of them. */
int host_recover(hn_session *session, hn_error **err);

#endif
