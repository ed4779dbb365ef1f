/* SPDX-License-Identifier: MIT
 *
 * The event loop that libvirt needs: registered before the first connection, run by the one thread
 * of this room for as long as a handle lives. Without it virDomainCreate blocks for ever.
 */
#include "machine/drv-libvirt.h"

#define SETTLE_SECONDS 10

static struct {
	pthread_mutex_t mutex;
	pthread_t thread;
	unsigned users;
	bool registered;
	atomic_bool
		stop; /* read by the thread, which never takes the mutex: it is joined under it */
	int timer;
} loop = {.mutex = PTHREAD_MUTEX_INITIALIZER, .timer = -1};

/* Timers that were removed to see the thread let go of them, which it does in their order. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned asked, seen;
} settling = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void wake(int timer, void *arg)
{
	(void)arg;
	lv.virEventUpdateTimeout(timer, -1);
}

static void silent(void *arg, virErrorPtr error)
{
	(void)arg;
	(void)error;
}

static void *run(void *arg)
{
	(void)arg;
	while (!atomic_load(&loop.stop))
		if (lv.virEventRunDefaultImpl() < 0)
			lv.virResetLastError();
	return NULL;
}

static int prepare(hn_error **err)
{
	int result = libvirt_load(err);

	if (result < 0 || loop.registered)
		return result;
	/* libvirt would print every error to stderr otherwise. */
	lv.virSetErrorFunc(NULL, silent);
	if (lv.virEventRegisterDefaultImpl() < 0)
		return virt_error(err, "cannot register libvirt's event loop");
	loop.timer = lv.virEventAddTimeout(-1, wake, NULL, NULL);
	if (loop.timer < 0)
		return virt_error(err, "cannot add a timer to libvirt's event loop");
	loop.registered = true;
	return 0;
}

int virt_loop_acquire(hn_error **err)
{
	int result;

	pthread_mutex_lock(&loop.mutex);
	result = prepare(err);
	if (result == 0 && loop.users == 0) {
		atomic_store(&loop.stop, false);
		if (pthread_create(&loop.thread, NULL, run, NULL) != 0)
			result = base_error(err, HN_EDRIVER, MACHINE_ROOM, NULL,
				"cannot start the thread of libvirt's event loop");
	}
	if (result == 0)
		loop.users++;
	pthread_mutex_unlock(&loop.mutex);
	return result;
}

/* Whoever opens a handle meanwhile waits: it would call the thread that is ending back. */
void virt_loop_release(void)
{
	pthread_mutex_lock(&loop.mutex);
	if (--loop.users == 0) {
		atomic_store(&loop.stop, true);
		lv.virEventUpdateTimeout(loop.timer, 0);
		pthread_join(loop.thread, NULL);
	}
	pthread_mutex_unlock(&loop.mutex);
}

static void never(int timer, void *arg)
{
	(void)timer;
	(void)arg;
}

static void settled(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&settling.mutex);
	settling.seen++;
	pthread_cond_broadcast(&settling.changed);
	pthread_mutex_unlock(&settling.mutex);
}

void virt_loop_settle(void)
{
	struct timespec until;
	unsigned mine;
	int timer;

	pthread_mutex_lock(&settling.mutex);
	timer = lv.virEventAddTimeout(-1, never, NULL, settled);
	if (timer >= 0) {
		mine = ++settling.asked;
		lv.virEventRemoveTimeout(timer);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += SETTLE_SECONDS;
		while ((int)(settling.seen - mine) < 0)
			if (pthread_cond_clockwait(&settling.changed, &settling.mutex,
				    CLOCK_MONOTONIC, &until) != 0)
				break;
	}
	pthread_mutex_unlock(&settling.mutex);
}
