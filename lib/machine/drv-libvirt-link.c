/* SPDX-License-Identifier: MIT
 *
 * The connection to libvirt and the events that come over it. A connection to a daemon may break:
 * it is made again, with pauses that grow, and then everything is listed anew.
 */
#include "machine/drv-libvirt.h"

#include <stdlib.h>

#define PAUSE_FIRST MACHINE_SECOND
#define PAUSE_LAST (30 * MACHINE_SECOND)

static const char *const stopped_details[] = {
	"shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from-snapshot"};

/* What the callbacks work on. They run on the thread of the event loop, even while the connection
 * is being given up: so each of them holds a reference, and the queue is taken away under the
 * mutex. */
struct virt_link {
	pthread_mutex_t mutex;
	machine_queue *queue; /* NULL: nobody listens any more */
	atomic_uint references;
	atomic_bool lost;
};

static void link_unref(void *arg)
{
	virt_link *link = arg;

	if (atomic_fetch_sub(&link->references, 1) > 1)
		return;
	pthread_mutex_destroy(&link->mutex);
	base_free(link);
}

static void tell(virt_link *link, const machine_event *event)
{
	pthread_mutex_lock(&link->mutex);
	if (link->queue != NULL)
		machine_queue_put(link->queue, event);
	pthread_mutex_unlock(&link->mutex);
}

static int on_lifecycle(
	virConnectPtr connection, virDomainPtr domain, int event, int detail, void *arg)
{
	machine_event out = {.status = HN_UNIT_RUNNING};

	(void)connection;
	if (lv.virDomainGetUUIDString(domain, out.uuid) < 0)
		return 0;
	switch (event) {
	case VIR_DOMAIN_EVENT_DEFINED:
		out.status = HN_UNIT_DEFINED;
		out.detail = "defined";
		break;
	case VIR_DOMAIN_EVENT_UNDEFINED:
		out.status = HN_UNIT_ABSENT;
		out.detail = "undefined";
		break;
	case VIR_DOMAIN_EVENT_STARTED:
		out.detail = "booted";
		break;
	case VIR_DOMAIN_EVENT_SUSPENDED:
		out.status = HN_UNIT_PAUSED;
		out.detail = detail == VIR_DOMAIN_EVENT_SUSPENDED_IOERROR    ? "io-error"
			     : detail == VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG ? "watchdog"
									     : "paused";
		break;
	case VIR_DOMAIN_EVENT_RESUMED:
		out.detail = "resumed";
		break;
	case VIR_DOMAIN_EVENT_SHUTDOWN:
		out.status = HN_UNIT_STOPPING;
		out.detail = "shutdown";
		break;
	case VIR_DOMAIN_EVENT_STOPPED:
		out.status = detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED ||
					     detail == VIR_DOMAIN_EVENT_STOPPED_FAILED
				     ? HN_UNIT_CRASHED
				     : HN_UNIT_STOPPED;
		out.detail = detail >= 0 && (size_t)detail < BASE_COUNT(stopped_details)
				     ? stopped_details[detail]
				     : "stopped";
		break;
	case VIR_DOMAIN_EVENT_CRASHED:
		out.status = HN_UNIT_CRASHED;
		out.detail = "panicked";
		break;
	default:
		return 0;
	}
	tell(arg, &out);
	return 0;
}

static void on_io_error(virConnectPtr connection, virDomainPtr domain, const char *source,
	const char *alias, int action, void *arg)
{
	machine_event out = {.status = HN_UNIT_RUNNING, .detail = "io-error"};

	(void)connection;
	(void)source;
	(void)alias;
	if (action == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE)
		out.status = HN_UNIT_PAUSED;
	if (lv.virDomainGetUUIDString(domain, out.uuid) == 0)
		tell(arg, &out);
}

static void look_again(virt_link *link, virDomainPtr domain)
{
	machine_event out = {.status = HN_UNIT_RUNNING, .detail = machine_look_again};

	if (lv.virDomainGetUUIDString(domain, out.uuid) == 0)
		tell(link, &out);
}

/* The guest's balloon moved, or it let a device go: nothing for the owner, but it ends a wait of
 * ours. */
static void on_balloon(
	virConnectPtr connection, virDomainPtr domain, unsigned long long actual, void *arg)
{
	(void)connection;
	(void)actual;
	look_again(arg, domain);
}

static void on_removed(virConnectPtr connection, virDomainPtr domain, const char *alias, void *arg)
{
	(void)connection;
	(void)alias;
	look_again(arg, domain);
}

/* No uuid: it is about every domain. */
static void on_closed(virConnectPtr connection, int reason, void *arg)
{
	virt_link *link = arg;
	machine_event out = {.status = HN_UNIT_UNREACHABLE, .detail = "connection-lost"};

	(void)connection;
	(void)reason;
	atomic_store(&link->lost, true);
	tell(link, &out);
}

static int register_event(virt *v, int event, virConnectDomainEventGenericCallback callback)
{
	int id;

	atomic_fetch_add(&v->link->references, 1);
	id = lv.virConnectDomainEventRegisterAny(
		v->connection, NULL, event, callback, v->link, link_unref);
	/* Not every driver has every event; the life cycle is what matters. */
	if (id < 0)
		link_unref(v->link);
	return id;
}

static void register_events(virt *v)
{
	v->callbacks[0] = register_event(
		v, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle));
	v->callbacks[1] = register_event(
		v, VIR_DOMAIN_EVENT_ID_IO_ERROR, VIR_DOMAIN_EVENT_CALLBACK(on_io_error));
	v->callbacks[2] = register_event(
		v, VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_balloon));
	v->callbacks[3] = register_event(
		v, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_removed));
	/* A driver inside our process says yes, keeps nothing, and never lets go of it either. */
	if (v->remote) {
		atomic_fetch_add(&v->link->references, 1);
		if (lv.virConnectRegisterCloseCallback(
			    v->connection, on_closed, v->link, link_unref) < 0)
			link_unref(v->link);
	}
	lv.virResetLastError();
}

static int link_up(machine *m, virt *v, hn_error **err)
{
	virt_link *link = base_calloc(1, sizeof(*link));
	bool owned;
	int result;

	if (link == NULL)
		return base_nomem(err);
	v->connection = lv.virConnectOpen(v->uri);
	if (v->connection != NULL) {
		pthread_mutex_init(&link->mutex, NULL);
		link->queue = &m->queue;
		atomic_init(&link->references, 1);
		v->link = link;
		register_events(v);
		/* A peer that is silent for fifteen seconds is gone. */
		if (v->remote && lv.virConnectSetKeepAlive(v->connection, 5, 3) < 0)
			lv.virResetLastError();
		return 0;
	}
	base_free(link);
	owned = lv.virGetLastError() != NULL && lv.virGetLastError()->message != NULL &&
		strstr(lv.virGetLastError()->message, "driver.pid") != NULL;
	result = virt_error(err, "cannot open %s", v->uri);
	if (owned && result == HN_EDRIVER) /* by a program that does not know our lock */
		result = base_error_wrap(
			err, HN_EBUSY, MACHINE_ROOM, "another process has the driver's root open");
	return result;
}

static void link_down(virt *v)
{
	if (v->connection == NULL)
		return;
	pthread_mutex_lock(&v->link->mutex);
	v->link->queue = NULL;
	pthread_mutex_unlock(&v->link->mutex);
	for (size_t i = 0; i < BASE_COUNT(v->callbacks); i++)
		if (v->callbacks[i] >= 0)
			lv.virConnectDomainEventDeregisterAny(v->connection, v->callbacks[i]);
	if (v->remote)
		lv.virConnectUnregisterCloseCallback(v->connection, on_closed);
	/* The thread may just be telling of an event: the connection must not go from under it. */
	virt_loop_settle();
	lv.virConnectClose(v->connection);
	lv.virResetLastError();
	v->connection = NULL;
	link_unref(BASE_STEAL(v->link));
}

static void virt_free(virt *v)
{
	if (v == NULL)
		return;
	base_free(v->uri);
	base_free(v);
}

int virt_open(machine *m, const char *uri, hn_error **err)
{
	virt *v = base_calloc(1, sizeof(*v));
	int result;

	if (v != NULL)
		v->uri = base_strdup(uri);
	if (v == NULL || v->uri == NULL) {
		virt_free(v);
		return base_nomem(err);
	}
	v->remote = m->ops->mend != NULL;
	v->pause = PAUSE_FIRST;
	v->undefine_flags =
		VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
	if ((m->ops->flags & MACHINE_REAL) != 0)
		v->undefine_flags |=
			VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM;
	result = virt_loop_acquire(err);
	if (result == 0) {
		result = link_up(m, v, err);
		if (result < 0)
			virt_loop_release();
	}
	if (result < 0) {
		virt_free(v);
		return result;
	}
	m->driver = v;
	return 0;
}

void virt_close(machine *m)
{
	virt *v = m->driver;

	link_down(v);
	virt_loop_release();
	virt_free(v);
	m->driver = NULL;
}

int64_t virt_mend(machine *m)
{
	virt *v = m->driver;
	int64_t now = os_monotonic(m->os);

	if (v->connection != NULL && !atomic_load(&v->link->lost))
		return -1;
	if (now < v->due)
		return v->due - now;
	link_down(v);
	if (link_up(m, v, NULL) == 0) {
		v->pause = PAUSE_FIRST;
		v->due = 0;
		machine_wait_reattached(m, NULL);
		machine_queue_lose(&m->queue);
		return -1;
	}
	lv.virResetLastError();
	v->due = os_monotonic(m->os) + v->pause;
	v->pause = v->pause < PAUSE_LAST / 2 ? v->pause * 2 : PAUSE_LAST;
	return v->due - os_monotonic(m->os);
}

int virt_usable(machine *m, hn_error **err)
{
	virt *v = m->driver;
	int64_t left = v->remote ? virt_mend(m) : -1;

	if (left < 0)
		return 0;
	return base_error(err, HN_EDRIVER, MACHINE_ROOM, "is libvirtd running?",
		"the connection to %s is lost; the next try is in %lld s", v->uri,
		(long long)((left + MACHINE_SECOND - 1) / MACHINE_SECOND));
}
