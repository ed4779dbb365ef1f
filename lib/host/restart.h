/* SPDX-License-Identifier: MIT
 *
 * The restart policy of a unit: a pure step function over (event, clock), and where its state is
 * kept.
 */
#ifndef HOST_RESTART_H
#define HOST_RESTART_H

#include "host/host-private.h"

#define HOST_RESTART_TIMES 64
#define HOST_RESTART_WINDOW INT64_C(600000000000) /* ns; restart.limit counts in it */
#define HOST_RESTART_LONGEST INT64_C(60000000000) /* ns; the back-off doubles up to it */
#define HOST_RESTART_SHORTEST INT64_C(100000000)  /* ns; what a back-off of 0 doubles from */

/* In the order of the key's range. */
typedef enum host_restart_policy {
	HOST_RESTART_NO,
	HOST_RESTART_ON_FAILURE,
	HOST_RESTART_ALWAYS
} host_restart_policy;

typedef struct host_restart_rules {
	host_restart_policy policy;
	int64_t backoff; /* ns */
	uint32_t limit;  /* restarts in the window; 0 = none */
} host_restart_rules;

/* What one unit's past was. All zero: nothing happened yet. */
typedef struct host_restart {
	int64_t due;   /* boot-clock ns of the next restart; 0 = none */
	bool given_up; /* the limit was reached; only a session that starts or stops the unit clears
			  it */
	uint32_t count;
	int64_t times[HOST_RESTART_TIMES]; /* restarts of the last window, oldest first */
} host_restart;

typedef enum host_restart_event {
	HOST_RESTART_TICK,      /* nothing but time */
	HOST_RESTART_SHUT_DOWN, /* the guest powered itself off, or somebody destroyed the domain */
	HOST_RESTART_FAILED, /* guest or hypervisor ended without being asked, or a restart failed
			      */
	HOST_RESTART_ASKED,  /* a session started or stopped the unit: the past is forgotten */
} host_restart_event;

typedef enum host_restart_action {
	HOST_RESTART_NOTHING,
	HOST_RESTART_START,  /* start the unit now; it was counted */
	HOST_RESTART_GIVE_UP /* given once: the unit counts as crashed */
} host_restart_action;

host_restart_action host_restart_step(host_restart *state, const host_restart_rules *rules,
	host_restart_event event, int64_t now);
/* The pause before the restart after so many in the window. */
int64_t host_restart_delay(const host_restart_rules *rules, uint32_t restarts);
/* From the values that the unit runs with. */
int host_restart_read_rules(const hn_view *view, host_restart_rules *rules, hn_error **err);

/* --- kept in the store, valid while the kernel that counted the time runs (restart-store.c) --- */
int host_restart_load(hn_host *host, int64_t unit, host_restart *state, hn_error **err);
int host_restart_save(hn_host *host, int64_t unit, const host_restart *state, hn_error **err);
/* For whoever starts or stops a unit because a session asked for it. */
int host_restart_forget(hn_host *host, int64_t unit, hn_error **err);
/* Earliest due restart; 1 there is one, 0 none. */
int host_restart_next(hn_host *host, int64_t *unit, int64_t *due, hn_error **err);

/* --- acting (supervise.c): what hn_machine_step does with events and time --- */
/* Takes what happened to a unit: records the status, sends events, plans the restart. */
int host_supervise_event(hn_session *session, const machine_event *event, hn_error **err);
/* Waits for events and takes them; number taken. After a call that waited for a guest, with timeout
 * 0: what it made happen is recorded at once, not when somebody steps the machine. */
int host_supervise_drain(hn_session *session, int64_t timeout, hn_error **err);
/* Starts the units that are due; number of restarts tried. */
int host_supervise_due(hn_session *session, int64_t now, hn_error **err);
/* Compares the last known status of each unit with the hypervisor and takes what was missed. */
int host_supervise_all(hn_session *session, hn_error **err);

#endif
