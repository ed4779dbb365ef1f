/* SPDX-License-Identifier: MIT
 *
 * What wakes the owner's thread: the driver's events, the unit ports, growth of the console logs.
 */
#include "machine/driver.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* epoll's data of what is no unit port. */
enum { WAKE_QUEUE = 1, WAKE_LOG = 2, WAKE_TIMER = 3 };
/* Seconds between two looks at the size of all console logs: guests that run since before this
 * handle print unwatched. */
#define LOGS_EVERY 10

static int epoll_add(machine *m, int fd, uint64_t data, hn_error **err)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = data}};

	if (epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	return base_error_errno(err, MACHINE_ROOM, errno, "cannot watch a descriptor");
}

static int start_timer(machine *m, hn_error **err)
{
	const struct itimerspec every = {
		.it_interval = {.tv_sec = LOGS_EVERY}, .it_value = {.tv_sec = LOGS_EVERY}};

	m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (m->timer < 0 || timerfd_settime(m->timer, 0, &every, NULL) < 0)
		return base_error_errno(err, MACHINE_ROOM, errno, "cannot make a timer");
	return epoll_add(m, m->timer, WAKE_TIMER, err);
}

int machine_pump_init(machine *m, hn_error **err)
{
	int result;

	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	m->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (m->epoll < 0 || m->inotify < 0)
		return base_error_errno(
			err, MACHINE_ROOM, errno, "cannot make an event descriptor");
	result = epoll_add(m, m->queue.fd, WAKE_QUEUE, err);
	if (result == 0)
		result = epoll_add(m, m->inotify, WAKE_LOG, err);
	if (result == 0 && (m->ops->flags & MACHINE_REAL) != 0)
		result = start_timer(m, err);
	return result;
}

static void live_free(machine *m, machine_live *live)
{
	if (live->port >= 0)
		m->os->ops->close(m->os, live->port);
	if (live->watch >= 0)
		inotify_rm_watch(m->inotify, live->watch);
	base_free(live->checks);
	base_free(live);
}

void machine_pump_destroy(machine *m)
{
	void *value;

	for (size_t i = 0; m->live != NULL && i < base_map_slots(m->live); i++)
		if (base_map_at(m->live, i, NULL, NULL, &value))
			live_free(m, value);
	if (m->epoll >= 0)
		close(m->epoll);
	if (m->inotify >= 0)
		close(m->inotify);
	if (m->timer >= 0)
		close(m->timer);
	base_free(m->inbox);
}

machine_live *machine_live_find(const machine *m, const char *uuid)
{
	return base_map_get(m->live, uuid, strlen(uuid));
}

void machine_live_close(machine *m, const char *uuid)
{
	machine_live *live = machine_live_find(m, uuid);

	if (live == NULL)
		return;
	base_map_remove(m->live, uuid, strlen(uuid));
	live_free(m, live);
}

static void connect_port(machine *m, machine_live *live)
{
	char dir[256], path[272];

	machine_unit_dir(m->root, live->uuid, dir);
	snprintf(path, sizeof(path), "%s/unit.sock", dir);
	live->port = m->os->ops->connect_unix(m->os, path);
	/* A unit without the port has its console still. */
	if (live->port >= 0 && epoll_add(m, live->port, (uint64_t)(uintptr_t)live, NULL) < 0) {
		m->os->ops->close(m->os, live->port);
		live->port = -1;
	}
	snprintf(path, sizeof(path), "%s/console.log", dir);
	live->watch = inotify_add_watch(m->inotify, path, IN_MODIFY);
}

int machine_live_open(machine *m, const char *uuid, pid_t pid, machine_live **out, hn_error **err)
{
	machine_live *live = machine_live_find(m, uuid);
	machine_run run;

	if (live != NULL && live->pid == pid) {
		*out = live;
		return 0;
	}
	machine_live_close(m, uuid);
	live = base_calloc(1, sizeof(*live));
	if (live == NULL)
		return base_nomem(err);
	snprintf(live->uuid, sizeof(live->uuid), "%s", uuid);
	live->pid = pid;
	live->port = live->watch = -1;
	if (base_map_put(m->live, uuid, strlen(uuid), live) < 0) {
		base_free(live);
		return base_nomem(err);
	}
	if (machine_run_load(m->os, m->root, uuid, &run) == 0 && run.pid == pid) {
		live->offset = run.console;
		live->ready = run.ready;
		live->composed = run.composed;
	}
	connect_port(m, live);
	*out = live;
	return 0;
}

static void inbox_put(machine *m, const machine_event *event)
{
	size_t most = base_limit(BASE_LIMIT_EVENT_QUEUE);

	if (m->inbox_count == most || base_grow(&m->inbox, &m->inbox_capacity, m->inbox_count + 1,
					      sizeof(*m->inbox)) < 0) {
		m->inbox_overflow = true;
		return;
	}
	m->inbox[m->inbox_count++] = *event;
}

/* Once ready, always ready in this run: the next owner shall know it too. */
static void became_ready(machine *m, machine_live *live)
{
	machine_event event = {.status = HN_UNIT_RUNNING, .detail = "ready"};
	machine_run run;

	memcpy(event.uuid, live->uuid, sizeof(event.uuid));
	inbox_put(m, &event);
	if (machine_run_load(m->os, m->root, live->uuid, &run) == 0 && run.pid == live->pid) {
		run.ready = true;
		machine_run_save(m, live->uuid, &run, NULL);
	}
}

static int scan_log(machine *m, machine_live *live)
{
	char dir[256], path[272], bytes[16384];
	bool was_ready = live->ready;
	int fd, handled = 0;

	machine_unit_dir(m->root, live->uuid, dir);
	snprintf(path, sizeof(path), "%s/console.log", dir);
	fd = m->os->ops->open(m->os, path, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return 0;
	for (;;) {
		ssize_t got =
			m->os->ops->pread(m->os, fd, bytes, sizeof(bytes), (off_t)live->offset);
		struct stat status;

		if (got == 0 && m->os->ops->fstat(m->os, fd, &status) == 0 &&
			(uint64_t)status.st_size < live->offset) {
			live->offset = 0; /* it was rotated */
			continue;
		}
		if (got <= 0)
			break;
		handled = 1;
		machine_console_scan(live, bytes, (size_t)got, os_monotonic(m->os),
			machine_process_cpu(live->pid));
		live->offset += (uint64_t)got;
	}
	m->os->ops->close(m->os, fd);
	if (handled > 0 && machine_log_rotate(m->os, dir) == 1)
		live->offset = 0;
	if (live->ready && !was_ready)
		became_ready(m, live);
	return handled;
}

static void drop_port(machine *m, machine_live *live)
{
	epoll_ctl(m->epoll, EPOLL_CTL_DEL, live->port, NULL);
	m->os->ops->close(m->os, live->port);
	live->port = -1;
}

typedef struct hearing {
	machine *m;
	machine_live *live;
} hearing;

static void hear(void *arg, const machine_port_line *line)
{
	const hearing *of = arg;
	machine_event event = {.status = HN_UNIT_RUNNING, .detail = MACHINE_CHECKED};

	if (line->kind != MACHINE_PORT_CHECK)
		return;
	if (!machine_check_note(of->live, &line->check)) {
		of->live->reader.ignored++;
		return;
	}
	memcpy(event.uuid, of->live->uuid, sizeof(event.uuid));
	inbox_put(of->m, &event);
}

static int read_port(machine *m, machine_live *live)
{
	hearing of = {m, live};
	char bytes[4096];
	ssize_t got =
		live->port < 0 ? 0 : m->os->ops->read(m->os, live->port, bytes, sizeof(bytes));

	if (got == -EAGAIN || got == -EINTR)
		return 0;
	if (got <= 0) {
		if (live->port >= 0)
			drop_port(m, live);
		return 0;
	}
	machine_port_feed(&live->reader, bytes, (size_t)got, os_monotonic(m->os), hear, &of);
	if (live->reader.ready && !live->ready) {
		live->ready = true;
		live->at_ready = os_monotonic(m->os);
		live->cpu_ready = machine_process_cpu(live->pid);
		became_ready(m, live);
	}
	return 1;
}

bool machine_live_tell(machine *m, machine_live *live, const char *line)
{
	size_t size = strlen(line);

	return live->port >= 0 && m->os->ops->write(m->os, live->port, line, size) == (ssize_t)size;
}

static int listed(void *arg, const machine_brief *brief)
{
	machine *m = arg;
	machine_event event = {.status = brief->status, .detail = "listed"};
	machine_live *live = machine_live_find(m, brief->uuid);

	if (live != NULL && !machine_is_active(brief->status)) {
		live->ended = true;
		live->end_status = brief->status;
		live->end_detail = brief->detail;
	}
	memcpy(event.uuid, brief->uuid, sizeof(event.uuid));
	inbox_put(m, &event);
	return 0;
}

/* Events come late: one of an earlier run of the unit must not be taken for the end of this one. */
static bool is_end(machine *m, const machine_event *event)
{
	machine_brief brief;

	if (event->status != HN_UNIT_STOPPED && event->status != HN_UNIT_CRASHED &&
		event->status != HN_UNIT_ABSENT)
		return false;
	return m->ops->state(m, event->uuid, &brief, NULL) < 0 || !machine_is_active(brief.status);
}

/* Nothing more will be heard of any that runs. */
static void all_unreachable(machine *m, machine_event *event)
{
	void *value;

	for (size_t i = 0; i < base_map_slots(m->live); i++) {
		if (!base_map_at(m->live, i, NULL, NULL, &value) || ((machine_live *)value)->ended)
			continue;
		memcpy(event->uuid, ((machine_live *)value)->uuid, sizeof(event->uuid));
		inbox_put(m, event);
	}
}

static int drain_queue(machine *m, hn_error **err)
{
	machine_event event;
	int handled = 0, result = 0;

	while (machine_queue_take(&m->queue, &event)) {
		machine_live *live = machine_live_find(m, event.uuid);

		handled++;
		if (event.detail == machine_look_again)
			continue;
		if (event.uuid[0] == '\0') {
			all_unreachable(m, &event);
			continue;
		}
		if (live != NULL && is_end(m, &event)) {
			live->ended = true;
			live->end_status = event.status;
			live->end_detail = event.detail;
			scan_log(m, live); /* the last words */
		}
		inbox_put(m, &event);
	}
	/* Lost events: say of every domain what it is now. */
	if (machine_queue_overflowed(&m->queue) || m->inbox_overflow) {
		m->inbox_overflow = false;
		result = m->ops->list(m, listed, m, err);
		if (result < 0)
			m->inbox_overflow = true; /* still not known: at the next event */
		/* It broke again; when it is back this comes again. */
		if (m->ops->mend != NULL)
			result = base_error_forgive(err, result, HN_EDRIVER);
	}
	return result < 0 ? result : handled;
}

/* watch < 0: events were lost, so any log may have grown. */
static void mark_grown(machine *m, int watch)
{
	void *value;

	for (size_t i = 0; i < base_map_slots(m->live); i++) {
		machine_live *live;

		if (!base_map_at(m->live, i, NULL, NULL, &value))
			continue;
		live = value;
		if (watch < 0 || live->watch == watch)
			live->grown = true;
	}
}

/* Only the logs that grew: a host has thousands. */
static int drain_logs(machine *m)
{
	char bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t size;
	int handled = 0;
	void *value;

	while ((size = read(m->inotify, bytes, sizeof(bytes))) > 0) {
		const struct inotify_event *event;

		handled = 1;
		for (ssize_t at = 0; at < size; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const struct inotify_event *)(const void *)(bytes + at);
			mark_grown(m, (event->mask & IN_Q_OVERFLOW) != 0 ? -1 : event->wd);
		}
	}
	for (size_t i = 0; handled > 0 && i < base_map_slots(m->live); i++) {
		machine_live *live;

		if (!base_map_at(m->live, i, NULL, NULL, &value))
			continue;
		live = value;
		if (live->grown)
			handled += scan_log(m, live);
		live->grown = false;
	}
	return handled;
}

static int bound_logs(machine *m)
{
	uint64_t times;

	if (read(m->timer, &times, sizeof(times)) == sizeof(times))
		machine_logs_rotate(m->os, m->root);
	return 0;
}

/* A broken connection is tried again while the owner waits. */
static int64_t until_mended(machine *m, int64_t timeout)
{
	int64_t due = m->ops->mend == NULL ? -1 : m->ops->mend(m);

	return due < 0 || (timeout >= 0 && timeout < due) ? timeout : due;
}

int machine_pump(machine *m, int64_t timeout, hn_error **err)
{
	struct epoll_event events[32];
	int count, handled = 0;
	int64_t ms;

	timeout = until_mended(m, timeout);
	ms = timeout < 0 ? -1 : (timeout + 999999) / 1000000;
	count = epoll_wait(m->epoll, events, BASE_COUNT(events), ms > INT_MAX ? INT_MAX : (int)ms);
	if (count < 0 && errno != EINTR)
		return base_error_errno(err, MACHINE_ROOM, errno, "cannot wait for events");
	for (int i = 0; i < count; i++) {
		int result;

		if (events[i].data.u64 == WAKE_QUEUE)
			result = drain_queue(m, err);
		else if (events[i].data.u64 == WAKE_LOG)
			result = drain_logs(m);
		else if (events[i].data.u64 == WAKE_TIMER)
			result = bound_logs(m);
		else
			result = read_port(m, (machine_live *)(uintptr_t)events[i].data.u64);
		if (result < 0)
			return result;
		handled += result;
	}
	return handled;
}

int machine_step(machine *m, int64_t timeout, void (*each)(void *arg, const machine_event *event),
	void *arg, hn_error **err)
{
	int result = machine_pump(m, m->inbox_count > 0 ? 0 : timeout, err), given = 0;

	if (result < 0)
		return result;
	/* `each` may act on units and so add to the inbox: what it adds is for the next step. */
	for (size_t left = m->inbox_count; left > 0 && m->inbox_count > 0; left--) {
		machine_event event = m->inbox[0];

		m->inbox_count--;
		memmove(m->inbox, m->inbox + 1, m->inbox_count * sizeof(*m->inbox));
		if (each != NULL)
			each(arg, &event);
		given++;
	}
	return given;
}
