/* SPDX-License-Identifier: MIT
 *
 * What an activation has come to, and how it is told: a line a step, or one JSON report.
 */
#ifndef HYPERNIX_ACTIVATE_H
#define HYPERNIX_ACTIVATE_H

#include "cli.h"

CLI_AUTO(hn_host, hn_host_unref)
CLI_AUTO(hn_session, hn_session_unref)
CLI_AUTO(hn_plan, hn_plan_unref)
CLI_AUTO(hn_units, hn_units_free)

/* The exit statuses are part of the interface with the unit that runs the hook. */
typedef enum activate_status {
	ACTIVATE_APPLIED = 0,
	ACTIVATE_REFUSED = 1,
	ACTIVATE_FAILED = 2,
	ACTIVATE_INCONSISTENT = 3,
	ACTIVATE_PENDING = 10
} activate_status;

typedef enum activate_mode { ACTIVATE, ACTIVATE_DRY, ACTIVATE_CHECK } activate_mode;

typedef struct activation {
	cli_run *cli;
	activate_mode mode;
	bool stop;     /* the host goes down: all guests are stopped, and nothing is declared */
	hn_decl *decl; /* what to go to; NULL when it could not be read */
	int64_t driver_wait; /* ns that are left to wait for a hypervisor */
	hn_session *session;
	hn_plan *plan, *boot; /* NULL until it is made; boot only with --boot */
	hn_error *error;      /* the first that ended the activation */
	hn_error *boot_error; /* what ended the boot, which the activation follows all the same */
	bool machine;         /* of a check: was the hypervisor asked too? */
	const char *outcome;  /* "applied", "pending", "stopped", "failed" ... */
	activate_status status;
} activation;

void activate_step(void *arg, const hn_step *step); /* hn_step_fn; arg is the activation */
void activate_note(const activation *run, int priority, const char *format, ...) CLI_PRINTF(3, 4);
/* How many restarts and moves wait. */
size_t activate_pending(const hn_plan *plan);
/* The last word: the summary, or with --json everything. Gives the exit status. */
int activate_report(activation *run);

#endif
