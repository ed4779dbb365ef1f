/* SPDX-License-Identifier: MIT
 *
 * The epoll loop: descriptors, timers, waking.
 */
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

static os_loop *loop;
static int ends[2];
static char order[64];
static int fired;

static void make(void)
{
	cr_assert_eq(os_loop_new(&loop, NULL), 0);
	cr_assert_eq(pipe(ends), 0);
}

static void destroy(void)
{
	os_loop_free(loop);
	close(ends[0]);
	close(ends[1]);
}

TestSuite(loop, .init = make, .fini = destroy);

static void on_ready(void *arg, uint32_t events)
{
	char byte;

	cr_assert_eq(arg, &fired);
	cr_assert(events & EPOLLIN);
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	fired++;
}

static void append(void *arg)
{
	strcat(order, arg);
}

Test(loop, a_ready_descriptor_is_given_to_its_callback)
{
	cr_assert_eq(os_loop_add(loop, ends[0], EPOLLIN, on_ready, &fired, NULL), 0);
	cr_assert_eq(os_loop_step(loop, 0, NULL), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	cr_assert_eq(os_loop_step(loop, -1, NULL), 1);
	cr_assert_eq(fired, 1);
}

Test(loop, a_removed_descriptor_is_silent_and_can_come_back)
{
	cr_assert_eq(os_loop_add(loop, ends[0], EPOLLIN, on_ready, &fired, NULL), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	os_loop_remove(loop, ends[0]);
	os_loop_remove(loop, ends[0]);
	cr_assert_eq(os_loop_step(loop, 0, NULL), 0);
	cr_assert_eq(os_loop_add(loop, ends[0], EPOLLIN, on_ready, &fired, NULL), 0);
	cr_assert_eq(os_loop_step(loop, 0, NULL), 1);
}

static void remove_other(void *arg, uint32_t events)
{
	(void)events;
	fired++;
	os_loop_remove(loop, *(int *)arg);
}

Test(loop, a_callback_may_remove_one_that_is_ready_too)
{
	int other[2];

	cr_assert_eq(pipe(other), 0);
	cr_assert_eq(os_loop_add(loop, ends[0], EPOLLIN, remove_other, &other[0], NULL), 0);
	cr_assert_eq(os_loop_add(loop, other[0], EPOLLIN, remove_other, &ends[0], NULL), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	cr_assert_eq(write(other[1], "x", 1), 1);
	cr_assert_eq(os_loop_step(loop, -1, NULL), 1);
	cr_assert_eq(fired, 1);
	close(other[0]);
	close(other[1]);
}

Test(loop, a_bad_descriptor_is_refused)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;

	cr_assert_lt(os_loop_add(loop, -1, EPOLLIN, on_ready, NULL, &error), 0);
	cr_assert_not_null(error);
}

Test(loop, timers_fire_in_order_of_their_time)
{
	int64_t now = os_monotonic(hn_os_real());

	os_loop_timer(loop, now - 1, append, (void *)(uintptr_t) "c", NULL, NULL);
	os_loop_timer(loop, now - 3, append, (void *)(uintptr_t) "a", NULL, NULL);
	os_loop_timer(loop, now - 2, append, (void *)(uintptr_t) "b", NULL, NULL);
	os_loop_timer(loop, now - 1, append, (void *)(uintptr_t) "d", NULL, NULL);
	os_loop_timer(loop, INT64_MAX, append, (void *)(uintptr_t) "never", NULL, NULL);
	cr_assert_eq(os_loop_step(loop, -1, NULL), 4);
	cr_assert_str_eq(order, "abcd");
}

Test(loop, a_step_waits_for_the_next_timer)
{
	int64_t now = os_monotonic(hn_os_real());

	os_loop_timer(loop, now + 20000000, append, (void *)(uintptr_t) "x", NULL, NULL);
	while (order[0] == '\0')
		cr_assert_geq(os_loop_step(loop, 30 * OS_SECOND, NULL), 0);
	cr_assert_geq(os_monotonic(hn_os_real()) - now, 20000000);
}

Test(loop, a_cancelled_timer_does_not_fire)
{
	int64_t now = os_monotonic(hn_os_real());
	uint64_t first, second, third;

	os_loop_timer(loop, now - 3, append, (void *)(uintptr_t) "a", &first, NULL);
	os_loop_timer(loop, now - 2, append, (void *)(uintptr_t) "b", &second, NULL);
	os_loop_timer(loop, now - 1, append, (void *)(uintptr_t) "c", &third, NULL);
	os_loop_timer_cancel(loop, second);
	os_loop_timer_cancel(loop, second);
	os_loop_timer_cancel(loop, 999);
	cr_assert_eq(os_loop_step(loop, 0, NULL), 2);
	cr_assert_str_eq(order, "ac");
	cr_assert(first < second && second < third);
}

static void again(void *arg)
{
	fired++;
	os_loop_timer(loop, 0, again, arg, NULL, NULL);
}

Test(loop, a_timer_that_makes_another_does_not_hold_the_step)
{
	os_loop_timer(loop, 0, again, NULL, NULL, NULL);
	cr_assert_eq(os_loop_step(loop, 0, NULL), 1);
	cr_assert_eq(os_loop_step(loop, 0, NULL), 1);
	cr_assert_eq(fired, 2);
}

static int64_t last_due;

static void rises(void *arg)
{
	int64_t due = *(const int64_t *)arg;

	cr_assert_geq(due, last_due);
	last_due = due;
}

Test(loop, many_timers_keep_their_order_when_others_are_cancelled)
{
	uint64_t ids[500];
	int64_t dues[500];
	uint64_t state = 5;

	for (int round = 0; round < 20; round++) {
		last_due = 0;
		for (size_t i = 0; i < BASE_COUNT(ids); i++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
			dues[i] = (int64_t)(state >> 40);
			os_loop_timer(loop, dues[i], rises, &dues[i], &ids[i], NULL);
		}
		for (size_t i = 0; i < BASE_COUNT(ids); i += 2)
			os_loop_timer_cancel(loop, ids[i]);
		cr_assert_eq(os_loop_step(loop, 0, NULL), 250);
	}
}

static void *wake(void *arg)
{
	os_loop_wake(arg);
	return NULL;
}

Test(loop, another_thread_can_wake_it)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, wake, loop), 0);
	cr_assert_eq(os_loop_step(loop, -1, NULL), 0);
	pthread_join(thread, NULL);
	/* One wake ends one wait: nothing is left that would end the next. */
	cr_assert_eq(
		hn_os_real()->ops->poll(hn_os_real(), os_loop_fd(loop), EPOLLIN, 0), -ETIMEDOUT);
}

Test(loop, its_descriptor_is_ready_when_something_is)
{
	struct epoll_event event = {.events = EPOLLIN};
	int outer = epoll_create1(0);

	cr_assert_eq(os_loop_add(loop, ends[0], EPOLLIN, on_ready, &fired, NULL), 0);
	cr_assert_eq(epoll_ctl(outer, EPOLL_CTL_ADD, os_loop_fd(loop), &event), 0);
	cr_assert_eq(epoll_wait(outer, &event, 1, 0), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	cr_assert_eq(epoll_wait(outer, &event, 1, 0), 1);
	close(outer);
	os_loop_free(NULL);
}
