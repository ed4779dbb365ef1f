/* SPDX-License-Identifier: MIT
 *
 * An epoll loop with timers, for one thread; another thread may only wake it.
 */
#include "os/os-private.h"
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64 };

typedef struct watch {
	int fd; /* -1: removed, freed when no event of it can be in hand */
	os_loop_fn fn;
	void *arg;
	struct watch *next;
} watch;

typedef struct timer {
	int64_t due;
	uint64_t id; /* rises; timers that are due together fire in the order they were made */
	void (*fn)(void *arg);
	void *arg;
} timer;

struct os_loop {
	int epoll_fd;
	int wake_fd;
	watch *watches;
	timer *timers; /* a binary heap by (due, id) */
	size_t timer_count, timer_capacity;
	uint64_t last_id;
};

int os_loop_new(os_loop **loop, hn_error **err)
{
	os_loop *made = base_calloc(1, sizeof(*made));
	struct epoll_event event = {.events = EPOLLIN};

	if (made == NULL)
		return base_nomem(err);
	made->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	made->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (made->epoll_fd < 0 || made->wake_fd < 0 ||
		epoll_ctl(made->epoll_fd, EPOLL_CTL_ADD, made->wake_fd, &event) < 0) {
		int code = base_error_errno(err, "os", errno, "cannot make an event loop");

		os_loop_free(made);
		return code;
	}
	*loop = made;
	return 0;
}

void os_loop_free(os_loop *loop)
{
	watch *next;

	if (loop == NULL)
		return;
	for (watch *one = loop->watches; one != NULL; one = next) {
		next = one->next;
		base_free(one);
	}
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	base_free(loop->timers);
	base_free(loop);
}

int os_loop_add(os_loop *loop, int fd, uint32_t events, os_loop_fn fn, void *arg, hn_error **err)
{
	watch *made = base_alloc(sizeof(*made));
	struct epoll_event event = {.events = events, .data.ptr = made};

	if (made == NULL)
		return base_nomem(err);
	*made = (watch){.fd = fd, .fn = fn, .arg = arg, .next = loop->watches};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int code = base_error_errno(err, "os", errno, "cannot watch descriptor %d", fd);

		base_free(made);
		return code;
	}
	loop->watches = made;
	return 0;
}

void os_loop_remove(os_loop *loop, int fd)
{
	for (watch *one = loop->watches; one != NULL; one = one->next) {
		if (one->fd != fd)
			continue;
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		one->fd = -1;
		return;
	}
}

/* Only between steps: while a step hands out events, one of them may point to a removed watch. */
static void free_removed(os_loop *loop)
{
	watch **link = &loop->watches;

	while (*link != NULL) {
		watch *one = *link;

		if (one->fd >= 0) {
			link = &one->next;
			continue;
		}
		*link = one->next;
		base_free(one);
	}
}

static bool earlier(const timer *first, const timer *second)
{
	return first->due != second->due ? first->due < second->due : first->id < second->id;
}

static void heap_up(timer *timers, size_t at)
{
	while (at > 0 && earlier(&timers[at], &timers[(at - 1) / 2])) {
		timer kept = timers[at];

		timers[at] = timers[(at - 1) / 2];
		timers[(at - 1) / 2] = kept;
		at = (at - 1) / 2;
	}
}

static void heap_down(timer *timers, size_t count, size_t at)
{
	for (;;) {
		size_t least = at;
		timer kept = timers[at];

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
			if (earlier(&timers[child], &timers[least]))
				least = child;
		}
		if (least == at)
			return;
		timers[at] = timers[least];
		timers[least] = kept;
		at = least;
	}
}

static void heap_remove(os_loop *loop, size_t at)
{
	loop->timer_count--;
	if (at == loop->timer_count)
		return;
	loop->timers[at] = loop->timers[loop->timer_count];
	heap_up(loop->timers, at);
	heap_down(loop->timers, loop->timer_count, at);
}

int os_loop_timer(os_loop *loop, int64_t due_monotonic, void (*fn)(void *arg), void *arg,
	uint64_t *id, hn_error **err)
{
	if (base_grow(&loop->timers, &loop->timer_capacity, loop->timer_count + 1,
		    sizeof(*loop->timers)) < 0)
		return base_nomem(err);
	loop->timers[loop->timer_count] =
		(timer){.due = due_monotonic, .id = ++loop->last_id, .fn = fn, .arg = arg};
	heap_up(loop->timers, loop->timer_count++);
	if (id != NULL)
		*id = loop->last_id;
	return 0;
}

void os_loop_timer_cancel(os_loop *loop, uint64_t id)
{
	for (size_t i = 0; i < loop->timer_count; i++) {
		if (loop->timers[i].id == id) {
			heap_remove(loop, i);
			return;
		}
	}
}

void os_loop_wake(os_loop *loop)
{
	uint64_t one = 1;

	/* A full counter wakes as well, so the result says nothing. */
	if (write(loop->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* Timers made by a callback that are due already wait for the next step, so that a step always
 * ends. */
static int fire_timers(os_loop *loop)
{
	uint64_t last = loop->last_id;
	int64_t now = os_monotonic(hn_os_real());
	int count = 0;

	while (loop->timer_count > 0 && loop->timers[0].due <= now && loop->timers[0].id <= last) {
		timer due = loop->timers[0];

		heap_remove(loop, 0);
		due.fn(due.arg);
		count++;
	}
	return count;
}

static int64_t until_timer(const os_loop *loop, int64_t timeout)
{
	int64_t left;

	if (loop->timer_count == 0)
		return timeout;
	left = loop->timers[0].due - os_monotonic(hn_os_real());
	if (left < 0)
		left = 0;
	return timeout < 0 || left < timeout ? left : timeout;
}

static int wait_for_events(os_loop *loop, struct epoll_event *events, int64_t timeout)
{
	struct timespec left;
	int ready;

	timeout = until_timer(loop, timeout);
	left = (struct timespec){
		.tv_sec = (time_t)(timeout / OS_SECOND), .tv_nsec = (long)(timeout % OS_SECOND)};
	ready = epoll_pwait2(
		loop->epoll_fd, events, EVENTS_AT_ONCE, timeout < 0 ? NULL : &left, NULL);
	if (ready < 0 && errno == ENOSYS)
		ready = epoll_pwait(loop->epoll_fd, events, EVENTS_AT_ONCE,
			timeout < 0 ? -1
				    : (int)((timeout < 86400 * OS_SECOND ? timeout
									 : 86400 * OS_SECOND) /
					      1000000) +
					      1,
			NULL);
	return ready < 0 ? -errno : ready;
}

int os_loop_step(os_loop *loop, int64_t timeout, hn_error **err)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int ready = wait_for_events(loop, events, timeout);
	int count = 0;

	if (ready < 0 && ready != -EINTR)
		return base_error_errno(err, "os", ready, "cannot wait for events");
	for (int i = 0; i < ready; i++) {
		const watch *one = events[i].data.ptr;
		uint64_t drained;

		if (one == NULL) {
			if (read(loop->wake_fd, &drained, sizeof(drained)) < 0 && errno != EAGAIN)
				return base_error_errno(
					err, "os", errno, "cannot read the wake counter");
			continue;
		}
		if (one->fd < 0)
			continue;
		one->fn(one->arg, events[i].events);
		count++;
	}
	count += fire_timers(loop);
	free_removed(loop);
	return count;
}

int os_loop_fd(const os_loop *loop)
{
	return loop->epoll_fd;
}
