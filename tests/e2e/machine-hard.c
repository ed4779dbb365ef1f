/* SPDX-License-Identifier: MIT
 *
 * Scenarios of e2e-machine in which things are taken away: by another thread, while starting, or
 * QEMU itself.
 */
#include "machine-world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void *start_in_thread(void *arg)
{
	machine_options options = {.root = root, .program = "e2e", .lock_wait = -1};
	const hn_view *view = arg;
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_START);
	hn_start_options start = HN_START_OPTIONS_INIT;
	machine *own = NULL;
	intptr_t result;

	start.wait = HN_WAIT_NONE;
	result = machine_open(hn_os_real(), &options, &own, NULL);
	if (result == 0)
		result = machine_start(&may, own, &unit, &start, NULL, NULL);
	machine_close(own);
	return (void *)result; /* NOLINT: a number */
}

/* Two threads, each with a handle of its own: one starts it, the other finds it running. */
void world_threads(void)
{
	hn_view *view = view_of("", "");
	pthread_t threads[2];
	void *results[2];
	hn_error *err = NULL;
	intptr_t sum;

	for (size_t i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, start_in_thread, view) != 0)
			die("thread", NULL);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], &results[i]);
	sum = (intptr_t)results[0] + (intptr_t)results[1];
	report(sum == 1 && (results[0] == NULL || results[1] == NULL),
		"two-threads-start-one-unit-once", "");
	if (open_machine(&err) < 0)
		die("open", err);
	away();
	hn_view_unref(view);
	close_machine();
}

static int undefined = 1;

/* The guest is in its firmware or kernel. */
static void take_away(void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	(void)arg;
	(void)done;
	(void)total;
	(void)unit;
	if (undefined != 1 || strcmp(phase, "firmware") == 0)
		return;
	undefined = undefine_unit(NULL);
	m->ops->kill(m, UUID, false, NULL);
	m->ops->undefine(m, UUID, NULL);
}

/* Deleting a unit that is starting is refused; one that goes anyhow ends the start at once. */
void world_vanish(void)
{
	hn_view *view = view_of("", "");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_START);
	hn_start_options options = HN_START_OPTIONS_INIT;
	machine_real *real = NULL;
	hn_error *err = NULL;
	int64_t begun;

	must_open();
	options.wait = HN_WAIT_READY;
	options.timeout = 100 * MACHINE_SECOND;
	options.progress = take_away;
	begun = os_monotonic(hn_os_real());
	report(machine_start(&may, m, &unit, &options, NULL, &err) == HN_EGUEST,
		"start-of-a-unit-that-is-deleted", err == NULL ? "" : hn_error_message(err));
	hn_error_unref(err);
	report(undefined == HN_EBUSY, "deleting-it-was-refused", "");
	report(os_monotonic(hn_os_real()) - begun < 60 * MACHINE_SECOND, "and-it-ended-at-once",
		"");
	report(machine_observe(m, UUID, &real, NULL) == HN_ENOENT, "and-nothing-is-left", "");
	must_start(view);
	report(true, "and-it-can-be-made-anew", "");
	away();
	hn_view_unref(view);
	close_machine();
}

/* Run with QEMU missing from PATH, or not executable there: $HYPERNIX_WANTED is in the message. */
void world_no_qemu(void)
{
	hn_view *view = view_of("", "");
	const char *wanted = getenv("HYPERNIX_WANTED");
	machine_unit unit = unit_of(view);
	hn_error *err = NULL;
	int result;

	must_open();
	result = machine_check(m, &unit, &err);
	report(result == HN_EDRIVER && wanted != NULL &&
			strstr(hn_error_message(err), wanted) != NULL,
		"check-says-why", err == NULL ? "" : hn_error_message(err));
	hn_error_unref(err);
	report(start_unit(view, HN_WAIT_NONE, 0, NULL, NULL) == HN_EDRIVER, "start-is-refused", "");
	hn_view_unref(view);
	close_machine();
}
