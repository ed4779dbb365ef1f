/* SPDX-License-Identifier: MIT
 *
 * Starting a unit: define when its digest differs, create paused, cgroup, resume, then phases until
 * the condition that was asked for. Killed at any step, the next start finishes or undoes it.
 */
#include "machine/driver.h"

#include <errno.h>
#include <stdio.h>

#define TIMEOUT_DEFAULT (120 * MACHINE_SECOND)
#define BALLOON_WAIT (10 * MACHINE_SECOND)
#define LOOK (250 * INT64_C(1000000)) /* between two looks at the permit */

static void touch_log(machine *m, const char *dir)
{
	char path[280];
	int fd;

	snprintf(path, sizeof(path), "%s/console.log", dir);
	fd = m->os->ops->open(m->os, path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
	if (fd >= 0)
		m->os->ops->close(m->os, fd);
}

static uint64_t log_size(machine *m, const char *dir)
{
	struct stat status;
	char path[280];

	snprintf(path, sizeof(path), "%s/console.log", dir);
	return m->os->ops->stat(m->os, path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* Stale sockets away (bind would fail), the log there (so that it can be watched). */
static int prepare_dir(machine *m, const machine_spec *spec, machine_run *run, hn_error **err)
{
	static const char *const sockets[] = {"console.sock", "unit.sock"};
	int result = machine_make_disks(m, spec, err);

	if (result == 0)
		result = machine_images_check(m, spec, err);
	if (result < 0)
		return result;
	for (size_t i = 0; i < BASE_COUNT(sockets); i++) {
		char path[280];

		snprintf(path, sizeof(path), "%s/%s", spec->unit_dir, sockets[i]);
		m->os->ops->unlink(m->os, path);
	}
	machine_log_rotate(m->os, spec->unit_dir);
	touch_log(m, spec->unit_dir);
	run->console = log_size(m, spec->unit_dir);
	return 0;
}

/* RAM, what QEMU needs beside it, and the translated code of TCG. */
static uint64_t memory_bound(const machine_spec *spec)
{
	uint64_t extra = (UINT64_C(256) << 20) + spec->memory_max / 50;

	if (spec->accelerator == HN_ACCELERATOR_TCG)
		extra += UINT64_C(1) << 30;
	return spec->memory_max + extra;
}

static int enter_cgroup(
	machine *m, const machine_unit *unit, const machine_spec *spec, pid_t pid, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
	machine_tuning weight = {.kind = MACHINE_TUNE_WEIGHT,
		.number = spec->units,
		.second = spec->limit,
		.sn = spec->sn};
	int64_t enforce = 0;
	int result;

	if ((m->ops->flags & MACHINE_WEIGHTS) != 0) {
		result = m->ops->change(m, spec->uuid, &weight, true, &problem);
	} else {
		result = machine_cgroup_enter(m->os, &m->cgroup, spec->uuid, pid, &problem);
		if (result == 0)
			result = machine_cgroup_set(m->os, &m->cgroup, spec->uuid, spec->units,
				spec->limit, spec->sn, &problem);
		if (result == 0)
			result = machine_cgroup_bound(
				m->os, &m->cgroup, spec->uuid, memory_bound(spec), &problem);
	}
	if (result == 0)
		return 0;
	hn_view_get_int(unit->view, "compute.enforce", &enforce, NULL);
	if (enforce == 0) {
		base_log(HN_LOG_WARNING, MACHINE_ROOM,
			"unit '%s': weight recorded, not enforced: %s", unit->name,
			hn_error_message(problem));
		return 0;
	}
	return base_error(err, HN_ECGROUP, MACHINE_ROOM, "set compute.enforce to false",
		"unit '%s': %s", unit->name, hn_error_message(problem));
}

static void close_sockets(machine *m, const char *dir)
{
	static const char *const names[] = {"console.sock", "unit.sock"};

	(void)m;
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		char path[280];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		/* The directory is 0700 already; this is the second fence. */
		if (chmod(path, 0600) < 0 && errno != ENOENT)
			base_log(HN_LOG_WARNING, MACHINE_ROOM, "cannot chmod %s", path);
	}
}

/* Between create and resume: everything that must be true before the guest's first instruction. */
static int arm(machine *m, const machine_unit *unit, const machine_spec *spec, machine_run *run,
	machine_live **live, hn_error **err)
{
	machine_brief brief;
	int result = m->ops->state(m, spec->uuid, &brief, err);

	if (result == 0 && m->ops->pid != NULL)
		result = m->ops->pid(m, &brief, &run->pid, err);
	if (result == 0)
		result = enter_cgroup(m, unit, spec, run->pid, err);
	if (result < 0)
		return result;
	close_sockets(m, spec->unit_dir);
	run->started = machine_process_check(m->os, run->pid, spec->uuid);
	run->composed = spec->composed;
	if (run->pid != 0)
		result = machine_run_save(m, spec->uuid, run, err);
	if (result == 0)
		result = machine_live_open(m, spec->uuid, run->pid, live, err);
	if (result == 0)
		result = machine_forward(m, spec, err);
	return result == 0 ? m->ops->resume(m, spec->uuid, err) : result;
}

/* The driver has the secrets for as long as it takes to make the guest, which keeps its own
 * descriptor of them. */
static int start_with_secrets(
	machine *m, const machine_unit *unit, const machine_spec *spec, bool paused, hn_error **err)
{
	int taken, result;

	if (!spec->secrets)
		return m->ops->start(m, spec->uuid, paused, err);
	if (unit->secrets == NULL)
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"unit '%s' is started without its secrets", spec->name);
	result = m->ops->give(m, spec->uuid, MACHINE_SECRETS, *unit->secrets, err);
	if (result < 0)
		return result;
	result = m->ops->start(m, spec->uuid, paused, err);
	taken = m->ops->give(m, spec->uuid, MACHINE_SECRETS, -1, result < 0 ? NULL : err);
	if (result < 0 || taken >= 0)
		return result;
	m->ops->kill(m, spec->uuid, false, NULL);
	return taken;
}

static int create(machine *m, const machine_unit *unit, const machine_spec *spec,
	machine_live **live, hn_error **err)
{
	bool real = (m->ops->flags & MACHINE_REAL) != 0;
	int64_t begun = os_monotonic(m->os), defined;
	machine_run run = {0};
	int result = machine_emulator_check(m, err);

	if (result == 0)
		result = machine_secrets_check(m, spec, err);
	if (result == 0)
		result = machine_define_if_new(m, spec, err);
	if (result == 0 && real)
		result = machine_artefacts(m, spec, err);
	if (result == 0 && real)
		result = prepare_dir(m, spec, &run, err);
	if (result < 0)
		return result;
	defined = os_monotonic(m->os);
	result =
		start_with_secrets(m, unit, spec, (m->ops->flags & MACHINE_PAUSED_START) != 0, err);
	if (result < 0)
		return result;
	if (real)
		result = arm(m, unit, spec, &run, live, err);
	else
		result = machine_live_open(m, spec->uuid, 0, live, err);
	if (result < 0) { /* nothing half-started stays */
		m->ops->kill(m, spec->uuid, false, NULL);
		machine_live_close(m, spec->uuid);
		machine_cgroup_remove(m->os, &m->cgroup, spec->uuid, NULL);
		return result;
	}
	(*live)->fresh = true;
	(*live)->begun = begun;
	(*live)->defined = defined;
	(*live)->started = os_monotonic(m->os);
	(*live)->cpu_started = machine_process_cpu(run.pid);
	return 0;
}

static const char *phase_now(const machine_live *live)
{
	if (live->ready)
		return "ready";
	return live->init ? "userspace" : live->first ? "kernel" : "firmware";
}

static int guest_ended(const machine_live *live, const char *what, hn_error **err)
{
	base_error(err, HN_EGUEST, MACHINE_ROOM, "see its console log",
		"the guest ended (%s) before it was %s; its last words: %s", live->end_detail, what,
		live->last[0] == '\0' ? "none" : live->last);
	base_error_fact(err, "detail", live->end_detail);
	base_error_fact(err, "console", live->last);
	return HN_EGUEST;
}

/* The guest tries until the deadline of the check is over and reports once; it does not become
 * ready after a report of failure, so there is nothing left to wait for. */
static int not_kept(const machine_live *live, const machine_checked *check, hn_error **err)
{
	int64_t ms = check->took / MACHINE_MS;

	base_error(err, HN_ECONTRACT, MACHINE_ROOM,
		"see its console log for the service that provides the contract; what the contract's"
		" checks ask for must answer in time",
		"the guest does not keep contract %s %s: %s (after %lld ms)", check->contract,
		check->version, check->detail[0] == '\0' ? "no detail" : check->detail,
		(long long)ms);
	base_error_fact(err, "contract", check->contract);
	base_error_fact(err, "version", check->version);
	base_error_fact_number(err, "ms", ms);
	base_error_fact(err, "detail", check->detail);
	base_error_fact(err, "console", live->last);
	return HN_ECONTRACT;
}

static int timed_out(const machine_live *live, const char *what, hn_error **err)
{
	base_error(err, HN_ETIMEOUT, MACHINE_ROOM, "see its console log",
		"the guest was not %s in time: it is in phase %s; its last words: %s", what,
		live == NULL ? "unknown" : phase_now(live),
		live == NULL || live->last[0] == '\0' ? "none" : live->last);
	base_error_fact(err, "condition", what);
	if (live != NULL) {
		base_error_fact(err, "phase", phase_now(live));
		base_error_fact(err, "console", live->last);
	}
	return HN_ETIMEOUT;
}

static void report(const machine_live *live, hn_progress_fn progress, void *arg, const char **said)
{
	const char *now = phase_now(live);

	if (progress == NULL || now == *said)
		return;
	*said = now;
	progress(arg, live->ready ? 3 : live->init ? 2 : live->first ? 1 : 0, 3, "phases", now);
}

int machine_await_ready(machine *m, machine_live *live, const base_permit *permit,
	const hn_start_options *options, hn_error **err)
{
	int64_t deadline =
		os_monotonic(m->os) + (options->timeout > 0 ? options->timeout : TIMEOUT_DEFAULT);
	const char *said = NULL;

	if ((m->ops->flags & MACHINE_REAL) == 0)
		return machine_missing(m->ops, "ready signal", err);
	for (;;) {
		int64_t left = deadline - os_monotonic(m->os);
		int result;

		report(live, options->progress, options->progress_arg, &said);
		if (live->ready)
			return 0;
		if (machine_check_failed(live) != NULL)
			return not_kept(live, machine_check_failed(live), err);
		if (live->ended)
			return guest_ended(live, "ready", err);
		if (left <= 0)
			return timed_out(live, "ready", err);
		if (hn_cancel_triggered(options->cancel))
			return base_error(err, HN_ECANCELLED, MACHINE_ROOM, NULL,
				"waiting for the guest was cancelled");
		result = permit == NULL ? 0 : base_permit_live(permit, err);
		if (result == 0)
			result = machine_pump(m, left < LOOK ? left : LOOK, err);
		if (result < 0)
			return result;
	}
}

/* Bytes the balloon leaves the guest now; 0 when it cannot be told. */
static uint64_t balloon_now(machine *m, const char *uuid)
{
	BASE_AUTO_OF(machine_domain) machine_domain *domain = NULL;
	BASE_AUTO_FREE char *xml = NULL;
	const char *text;
	uint64_t bytes = 0;

	if (m->ops->xml(m, uuid, true, &xml, NULL) < 0 ||
		machine_domain_parse(xml, strlen(xml), &domain, NULL) < 0)
		return 0;
	text = machine_domain_value(domain, "memory.size");
	return text != NULL && hn_size_parse(text, &bytes, NULL) == 0 ? bytes : 0;
}

int machine_await_balloon(
	machine *m, const char *uuid, uint64_t bytes, int64_t timeout, hn_error **err)
{
	int64_t deadline = os_monotonic(m->os) + timeout;

	for (;;) {
		int64_t left = deadline - os_monotonic(m->os);
		machine_live *live = machine_live_find(m, uuid);
		int result;

		if (balloon_now(m, uuid) == bytes)
			return 1;
		if (left <= 0 || (live != NULL && live->ended))
			return 0;
		result = machine_pump(m, left < LOOK ? left : LOOK, err);
		if (result < 0)
			return result;
	}
}

/* Whoever created it may have been killed before it was armed: then it has never run. */
static int let_go(machine *m, const machine_unit *unit, const machine_brief *brief, hn_error **err)
{
	BASE_AUTO_OF(machine_spec) machine_spec *spec = NULL;
	machine_run run = {0};
	machine_live *live;
	pid_t pid = 0;
	int result = 0;

	if (m->ops->pid != NULL)
		result = m->ops->pid(m, brief, &pid, err);
	if (result < 0)
		return result;
	if (pid == 0 ||
		(machine_run_load(m->os, m->root, brief->uuid, &run) == 0 && run.pid == pid))
		return m->ops->resume(m, brief->uuid, err);
	run = (machine_run){0};
	result = machine_spec_of(m, unit, &spec, err);
	return result < 0 ? result : arm(m, unit, spec, &run, &live, err);
}

static int already_runs(machine *m, const base_permit *permit, const machine_unit *unit,
	const machine_brief *brief, const hn_start_options *options, machine_boot *boot,
	hn_error **err)
{
	int result = 0;

	if (brief->status == HN_UNIT_STOPPING || brief->status == HN_UNIT_UNREACHABLE)
		return base_error(err, HN_EBUSY, MACHINE_ROOM, "try again when it has stopped",
			"unit '%s' is %s", brief->name, hn_unit_status_name(brief->status));
	if (brief->status == HN_UNIT_PAUSED || brief->status == HN_UNIT_STARTING)
		result = let_go(m, unit, brief, err);
	if (result == 0 && options->wait == HN_WAIT_READY) {
		machine_live *live = NULL;
		pid_t pid = 0;

		if (m->ops->pid != NULL)
			result = m->ops->pid(m, brief, &pid, err);
		if (result == 0)
			result = machine_live_open(m, brief->uuid, pid, &live, err);
		if (result == 0)
			result = machine_await_ready(m, live, permit, options, err);
		if (result == 0 && live->fresh)
			machine_phases(live, boot);
	}
	return result < 0 ? result : 1;
}

int machine_start(const base_permit *permit, machine *m, const machine_unit *unit,
	const hn_start_options *options, machine_boot *boot, hn_error **err)
{
	static const hn_start_options defaults = HN_START_OPTIONS_INIT;
	BASE_AUTO_OF(machine_spec) machine_spec *spec = NULL;
	machine_boot unused;
	machine_live *live = NULL;
	machine_brief brief;
	int result = machine_permit(permit, unit->uuid, err, 1, HN_VERB_UNIT_START);

	if (options == NULL)
		options = &defaults;
	if (boot == NULL)
		boot = &unused;
	memset(boot, 0, sizeof(*boot));
	if (result == 0)
		result = machine_uuid_check(unit->uuid, err);
	/* What ended earlier must not be taken for the end of this run. */
	if (result == 0)
		result = machine_pump(m, 0, err);
	if (result < 0)
		return result;
	if (m->ops->state(m, unit->uuid, &brief, NULL) == 0 && machine_is_active(brief.status))
		return already_runs(m, permit, unit, &brief, options, boot, err);
	machine_live_close(m, unit->uuid);
	result = machine_spec_of(m, unit, &spec, err);
	if (result == 0)
		result = create(m, unit, spec, &live, err);
	if (result == 0 && options->wait == HN_WAIT_READY)
		result = machine_await_ready(m, live, permit, options, err);
	if (live != NULL)
		machine_phases(live, boot);
	/* A guest without the driver for it never gets there; that is for machine_observe to show.
	 */
	if (result == 0 && options->wait == HN_WAIT_READY && spec->balloon &&
		spec->memory != spec->memory_max)
		result = machine_await_balloon(m, unit->uuid, spec->memory, BALLOON_WAIT, err);
	return result < 0 ? result : 0;
}

int machine_boot_of(machine *m, const char *uuid, machine_boot *boot)
{
	const machine_live *live = machine_live_find(m, uuid);

	if (live == NULL || !live->fresh)
		return HN_ENOENT;
	machine_phases(live, boot);
	return 0;
}

/* The condition holds: 1; not yet: 0. */
static int holds(
	machine *m, const char *uuid, hn_wait condition, machine_live **live, hn_error **err)
{
	machine_brief brief;
	const machine_checked *failed;
	pid_t pid = 0;
	int result = m->ops->state(m, uuid, &brief, err);

	if (result < 0)
		return result;
	switch (condition) {
	case HN_WAIT_RUNNING:
		return brief.status == HN_UNIT_RUNNING;
	case HN_WAIT_STOPPED:
		return !machine_is_active(brief.status);
	case HN_WAIT_READY:
		break;
	case HN_WAIT_NONE:
	default:
		return 1;
	}
	if (m->ops->pid == NULL)
		return machine_missing(m->ops, "ready signal", err);
	/* A unit that is down may be started meanwhile by somebody else. */
	if (!machine_is_active(brief.status) || m->ops->pid(m, &brief, &pid, NULL) < 0)
		return *live != NULL && (*live)->ended ? guest_ended(*live, "ready", err) : 0;
	result = machine_live_open(m, uuid, pid, live, err);
	if (result < 0 || (*live)->ready)
		return result < 0 ? result : 1;
	failed = machine_check_failed(*live);
	return failed == NULL ? 0 : not_kept(*live, failed, err);
}

int machine_wait(machine *m, const char *uuid, hn_wait condition, int64_t timeout,
	hn_cancel *cancel, hn_error **err)
{
	static const char *const names[] = {"there", "running", "ready", "stopped"};
	int64_t deadline = os_monotonic(m->os) + (timeout > 0 ? timeout : TIMEOUT_DEFAULT);
	machine_live *live = machine_live_find(m, uuid);
	int result = machine_uuid_check(uuid, err);

	while (result >= 0) {
		int64_t left = deadline - os_monotonic(m->os);

		result = holds(m, uuid, condition, &live, err);
		if (result != 0)
			return result < 0 ? result : 0;
		if (left <= 0)
			return timed_out(live, names[condition], err);
		if (hn_cancel_triggered(cancel))
			return base_error(err, HN_ECANCELLED, MACHINE_ROOM, NULL,
				"waiting for the guest was cancelled");
		result = machine_pump(m, left < LOOK ? left : LOOK, err);
	}
	return result;
}
