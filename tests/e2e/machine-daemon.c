/* SPDX-License-Identifier: MIT
 *
 * A unit of a libvirtd, and the connection to it: killed, frozen, started again by
 * tests/lib/libvirtd (HYPERNIX_DAEMON, on HYPERNIX_DAEMON_DIR) while the guest runs.
 */
#include "machine-world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static bool daemon_is(const char *what)
{
	char command[600];

	snprintf(command, sizeof(command), "%s %s %s >/dev/null", getenv("HYPERNIX_DAEMON"), what,
		getenv("HYPERNIX_DAEMON_DIR"));
	return system(command) == 0;
}

static pid_t daemon_pid(void)
{
	char path[300];
	long number = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/libvirtd.pid", getenv("HYPERNIX_DAEMON_DIR"));
	file = fopen(path, "r");
	if (file == NULL || fscanf(file, "%ld", &number) != 1)
		number = 0;
	if (file != NULL)
		fclose(file);
	return (pid_t)number;
}

typedef struct awaited {
	const char *detail;
	hn_unit_status status;
	bool seen;
} awaited;

static void watch(void *arg, const machine_event *event)
{
	awaited *a = arg;

	if (strcmp(event->uuid, UUID) == 0 && strcmp(event->detail, a->detail) == 0) {
		a->seen = true;
		a->status = event->status;
	}
}

/* The status that the event of our unit gives; ABSENT when it does not come. */
static hn_unit_status await(const char *detail)
{
	awaited a = {.detail = detail};
	int64_t end = os_monotonic(hn_os_real()) + PATIENCE;

	while (!a.seen && os_monotonic(hn_os_real()) < end)
		if (machine_step(m, MACHINE_SECOND, watch, &a, NULL) < 0)
			break;
	return a.seen ? a.status : HN_UNIT_ABSENT;
}

static void expect_weight(const char *name, uint64_t units, uint64_t limit)
{
	uint64_t real_units = 0, real_limit = 0;
	hn_error *err = NULL;

	if (gave(name, m->ops->weight(m, UUID, 1000000, &real_units, &real_limit, &err), 0, err))
		report(real_units == units && real_limit == limit, "and-it-is-in-force", name);
}

static void check_weight(void)
{
	hn_view *view = view_of("", ", \"compute.units\": 400, \"compute.limit\": 150");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_UPDATE);
	hn_error *err = NULL;

	expect_weight("weight-of-a-new-unit", 60, 0);
	gave("units-hot", machine_change(&may, m, &unit, "compute.units", "60", "400", &err), 0,
		err);
	expect_weight("weight-after-a-change", 400, 150);
	see_weight("400", "150");
	hn_view_unref(view);
}

static void check_unreachable(void)
{
	machine_brief brief;
	hn_error *err = NULL;
	int result = m->ops->state(m, UUID, &brief, &err);

	report(result == HN_EDRIVER && strstr(hn_error_message(err), "is lost") != NULL,
		"a-call-says-that-the-daemon-is-away",
		err == NULL ? "it worked" : hn_error_message(err));
	hn_error_unref(err);
}

static void check_same(pid_t pid)
{
	machine_real *real = look();

	report(real->status == HN_UNIT_RUNNING && real->pid == pid && real->ready == 1,
		"the-same-guest-is-found-ready", hn_unit_status_name(real->status));
	machine_real_free(real);
}

static void check_killed(pid_t pid)
{
	report(daemon_is("stop"), "daemon-killed", "");
	report(await("connection-lost") == HN_UNIT_UNREACHABLE, "the-loss-is-told", "");
	check_unreachable();
	report(kill(pid, 0) == 0, "guest-outlives-the-daemon", "");
	report(daemon_is("start"), "daemon-started-again", "");
	report(await("listed") == HN_UNIT_RUNNING, "reconnected-and-listed-again", "");
	check_same(pid);
}

/* It says nothing, and its socket stays open: only the keep-alive tells. */
static void check_frozen(pid_t pid)
{
	pid_t daemon = daemon_pid();

	kill(daemon, SIGSTOP);
	report(await("connection-lost") == HN_UNIT_UNREACHABLE, "a-frozen-daemon-counts-as-lost",
		"");
	kill(daemon, SIGCONT);
	report(await("listed") == HN_UNIT_RUNNING, "reconnected-after-the-frost", "");
	check_same(pid);
}

static void check_lost_guest(pid_t pid)
{
	report(daemon_is("stop"), "daemon-killed-again", "");
	report(await("connection-lost") == HN_UNIT_UNREACHABLE, "the-loss-is-told-again", "");
	kill(pid, SIGKILL);
	report(daemon_is("start"), "daemon-started-once-more", "");
	report(await("listed") == HN_UNIT_CRASHED, "a-guest-that-ended-meanwhile-is-told", "");
}

void world_daemon(void)
{
	hn_view *view = view_of("", ", \"compute.units\": 60");
	hn_stop_result stopped = {.size = sizeof(stopped)};
	machine_real *real;
	hn_error *err = NULL;
	pid_t pid;

	must_open();
	must_start(view);
	check_weight();
	real = look();
	pid = real->pid;
	machine_real_free(real);
	report(pid > 1, "process-is-found", "");
	check_killed(pid);
	check_frozen(pid);
	gave("stop-after-all-that", stop_unit(PATIENCE, false, &stopped, &err), 0, err);
	report(!stopped.forced, "stopped-by-itself", stopped.detail);
	must_start(view);
	real = look();
	pid = real->pid;
	machine_real_free(real);
	check_lost_guest(pid);
	err = NULL;
	gave("undefine", undefine_unit(&err), 0, err);
	hn_view_unref(view);
	close_machine();
}
