/* SPDX-License-Identifier: MIT
 *
 * Stopping: asked on the unit port, then by the power button, then by force. And pause, resume,
 * reset.
 */
#include "machine/driver.h"

#include <stdio.h>

#define LOOK (250 * INT64_C(1000000))
#define PRESS_AGAIN (5 * MACHINE_SECOND)
#define FORCE_WAIT (10 * MACHINE_SECOND)

static int is_down(machine *m, const char *uuid, machine_brief *brief, hn_error **err)
{
	int result = m->ops->state(m, uuid, brief, err);

	return result < 0 ? result : !machine_is_active(brief->status);
}

/* 1 when it is down before `deadline`, 0 when not. */
static int wait_down(machine *m, const base_permit *permit, const char *uuid, int64_t deadline,
	machine_brief *brief, hn_error **err)
{
	for (;;) {
		int64_t left = deadline - os_monotonic(m->os);
		int result = is_down(m, uuid, brief, err);

		if (result != 0)
			return result;
		if (left <= 0)
			return 0;
		result = permit == NULL ? 0 : base_permit_live(permit, err);
		if (result == 0)
			result = machine_pump(m, left < LOOK ? left : LOOK, err);
		if (result < 0)
			return result;
	}
}

static machine_live *listening(machine *m, const machine_brief *brief)
{
	machine_live *live = NULL;
	pid_t pid;

	if (m->ops->pid == NULL || m->ops->pid(m, brief, &pid, NULL) < 0 ||
		machine_live_open(m, brief->uuid, pid, &live, NULL) < 0)
		return NULL;
	return live->ready && live->port >= 0 ? live : NULL;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A guest that said READY is asked on the port first; the power button comes when it does not
 * answer, at once for one that is not ready. One that is still booting hears neither: so the button
 * is pressed again and again, and the port is used as soon as somebody listens there. */
static int ask(
	machine *m, const base_permit *permit, machine_brief *brief, int64_t grace, hn_error **err)
{
	int64_t now = os_monotonic(m->os), deadline = now + grace, press = now;
	bool told = false;
	int result = 0;

	if (brief->status == HN_UNIT_PAUSED && m->ops->resume(m, brief->uuid, NULL) < 0)
		return 0; /* a guest that does not run hears nothing */
	for (; result == 0 && now < deadline; now = os_monotonic(m->os)) {
		machine_live *live = told ? NULL : listening(m, brief);

		if (live != NULL && machine_live_tell(m, live, "STOP=1\n")) {
			told = true;
			press = now + (deadline - now) / 3;
		}
		if (now >= press) {
			m->ops->shutdown(m, brief->uuid, NULL); /* force follows when this fails */
			press = now + PRESS_AGAIN;
		}
		result = wait_down(m, permit, brief->uuid,
			sooner(now + LOOK, sooner(press, deadline)), brief, err);
	}
	return result;
}

static int force(machine *m, const base_permit *permit, machine_brief *brief, hn_error **err)
{
	int64_t now = os_monotonic(m->os);
	int result;

	/* Graceful: SIGTERM only, so that QEMU can flush; it may refuse. */
	if (m->ops->kill(m, brief->uuid, true, NULL) == 0) {
		result = wait_down(m, permit, brief->uuid, now + FORCE_WAIT, brief, err);
		if (result != 0)
			return result;
	}
	result = m->ops->kill(m, brief->uuid, false, err);
	if (result < 0 && is_down(m, brief->uuid, brief, NULL) != 1)
		return result;
	base_error_move(err, NULL);
	result = wait_down(m, permit, brief->uuid, os_monotonic(m->os) + FORCE_WAIT, brief, err);
	if (result != 0)
		return result;
	return base_error(
		err, HN_ETIMEOUT, MACHINE_ROOM, NULL, "unit '%s' cannot be ended", brief->name);
}

static void clean_up(machine *m, const char *uuid)
{
	machine_live_close(m, uuid);
	machine_run_forget(m, uuid);
	machine_cgroup_remove(m->os, &m->cgroup, uuid, NULL);
}

int machine_stop(const base_permit *permit, machine *m, const char *uuid, int64_t grace,
	bool forced, hn_stop_result *out, hn_error **err)
{
	hn_stop_result answer = {.size = sizeof(answer), .detail = "shutdown"};
	machine_brief brief;
	int result = machine_permit(permit, uuid, err, 2, HN_VERB_UNIT_STOP, HN_VERB_UNIT_DELETE);

	if (result == 0)
		result = machine_uuid_check(uuid, err);
	if (result == 0)
		result = is_down(m, uuid, &brief, err);
	if (result < 0)
		return result;
	if (result == 0) {
		answer.was_running = true;
		if (m->accelerator == HN_ACCELERATOR_TCG && (m->ops->flags & MACHINE_REAL) != 0)
			grace = grace > INT64_MAX / 4 ? INT64_MAX / 4 : grace * 4; /* slow guests */
		result = forced || grace <= 0 ? 0 : ask(m, permit, &brief, grace, err);
		if (result == 0) {
			answer.forced = true;
			result = force(m, permit, &brief, err);
		}
		if (result < 0)
			return result;
	}
	if (answer.was_running)
		answer.detail = brief.detail;
	machine_pump(m, 0, NULL);
	clean_up(m, uuid);
	if (out != NULL)
		*out = answer;
	return 0;
}

/* Idempotent: 1 when it is so already. */
static int turn(machine *m, const char *uuid, hn_unit_status wanted, hn_unit_status from,
	int (*act)(machine *m, const char *uuid, hn_error **err), hn_error **err)
{
	machine_brief brief;
	int result = machine_uuid_check(uuid, err);

	if (result == 0)
		result = m->ops->state(m, uuid, &brief, err);
	if (result < 0)
		return result;
	if (brief.status == wanted)
		return 1;
	if (brief.status != from)
		return base_error(err, HN_EBUSY, MACHINE_ROOM, NULL, "unit '%s' is %s, not %s",
			brief.name, hn_unit_status_name(brief.status), hn_unit_status_name(from));
	return act(m, uuid, err);
}

int machine_pause(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	int result = machine_permit(permit, uuid, err, 1, HN_VERB_UNIT_STOP);

	return result < 0 ? result
			  : turn(m, uuid, HN_UNIT_PAUSED, HN_UNIT_RUNNING, m->ops->pause, err);
}

int machine_resume(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	int result = machine_permit(permit, uuid, err, 1, HN_VERB_UNIT_START);

	return result < 0 ? result
			  : turn(m, uuid, HN_UNIT_RUNNING, HN_UNIT_PAUSED, m->ops->resume, err);
}

int machine_reset(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	int result = machine_permit_active(m, permit, HN_VERB_UNIT_RESET, uuid, err);

	return result < 0 ? result : m->ops->reset(m, uuid, err);
}
