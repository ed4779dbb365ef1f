/* SPDX-License-Identifier: MIT
 *
 * The event queue between the driver's thread and the owner's.
 */
#include "fixture.h"
#include "machine/drv-libvirt.h"

#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>

static bool readable(const machine_queue *queue)
{
	struct pollfd wait = {.fd = queue->fd, .events = POLLIN};

	return poll(&wait, 1, 0) == 1;
}

Test(queue, in_order_and_wakes)
{
	machine_queue queue = {.fd = -1};
	machine_event event = {.detail = "a"};

	cr_assert_eq(machine_queue_init(&queue, NULL), 0);
	cr_expect_not(readable(&queue));
	machine_queue_put(&queue, &event);
	event.detail = "b";
	machine_queue_put(&queue, &event);
	cr_expect(readable(&queue));
	cr_assert(machine_queue_take(&queue, &event));
	cr_expect_str_eq(event.detail, "a");
	cr_assert(machine_queue_take(&queue, &event));
	cr_expect_str_eq(event.detail, "b");
	cr_expect_not(machine_queue_take(&queue, &event));
	cr_expect_not(readable(&queue));
	machine_queue_destroy(&queue);
}

Test(queue, overflow_is_told_once)
{
	machine_queue queue = {.fd = -1};
	machine_event event = {.detail = "x"};
	size_t count = 0;

	cr_assert_eq(machine_queue_init(&queue, NULL), 0);
	for (int i = 0; i < 5000; i++)
		machine_queue_put(&queue, &event);
	cr_expect(machine_queue_overflowed(&queue));
	cr_expect_not(machine_queue_overflowed(&queue));
	while (machine_queue_take(&queue, &event))
		count++;
	cr_expect_eq(count, 4096);
	machine_queue_destroy(&queue);
}

static void *put_many(void *arg)
{
	machine_event event = {.detail = "t"};

	for (int i = 0; i < 1000; i++)
		machine_queue_put(arg, &event);
	return NULL;
}

Test(queue, two_threads_lose_nothing)
{
	machine_queue queue = {.fd = -1};
	machine_event event;
	pthread_t threads[2];
	int count = 0;

	cr_assert_eq(machine_queue_init(&queue, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, put_many, &queue);
	while (count < 2000)
		count += machine_queue_take(&queue, &event);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	cr_expect_not(machine_queue_take(&queue, &event));
	machine_queue_destroy(&queue);
}

Test(queue, destroy_of_one_never_made)
{
	machine_queue queue = {.fd = -1};

	machine_queue_destroy(&queue);
	cr_expect_eq(queue.fd, -1);
}

/* --- the loop that libvirt's events come from --- */

static atomic_bool go, over;

static void *another_handle(void *arg)
{
	while (!atomic_load(&over)) {
		if (!atomic_exchange(&go, false)) {
			(void)sched_yield();
			continue;
		}
		for (volatile int i = rand() % 6000; i > 0; i--)
			; /* now earlier, now later than the other's release */
		if (virt_loop_acquire(NULL) < 0)
			continue;
		(void)poll(NULL, 0, 5); /* a handle that is kept for a while */
		virt_loop_release();
	}
	return arg;
}

/* A release once waited for a thread that another's acquire had called back. */
Test(loop, a_handle_that_comes_while_the_last_one_goes, .timeout = 60)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, another_handle, NULL), 0);
	for (int i = 0; i < 200; i++) {
		cr_assert_eq(virt_loop_acquire(NULL), 0);
		(void)poll(NULL, 0, 1); /* its thread waits for events by then */
		atomic_store(&go, true);
		virt_loop_release();
		(void)poll(NULL, 0, 8);
	}
	atomic_store(&over, true);
	cr_assert_eq(pthread_join(thread, NULL), 0);
}

Test(queue, what_is_lost_elsewhere_counts_as_an_overflow)
{
	machine_queue queue = {.fd = -1};

	cr_assert_eq(machine_queue_init(&queue, NULL), 0);
	machine_queue_lose(&queue);
	cr_expect(readable(&queue));
	cr_expect(machine_queue_overflowed(&queue));
	machine_queue_destroy(&queue);
}

Test(loop, libvirt_is_loaded_with_the_first_machine)
{
	const char *preload =
		getenv("LD_PRELOAD"); /* the ASan stage of tests/run.sh loads it itself */

	if (!preload || !strstr(preload, "libvirt"))
		cr_expect_null(dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD));
	cr_expect_null(lv.virConnectOpen);
	cr_assert_eq(virt_loop_acquire(NULL), 0);
	cr_expect_not_null(dlopen("libvirt.so.0", RTLD_NOW | RTLD_NOLOAD));
	cr_expect_not_null(lv.virConnectOpen);
	virt_loop_release();
}

static void expect_not_loaded(const char *library, const char *word)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	libvirt_calls calls = {0};

	cr_expect_eq(libvirt_load_from(library, &calls, &err), HN_EDRIVER);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), word), "%s", hn_error_message(err));
	cr_expect_null(calls.virConnectOpen);
}

Test(loop, a_library_that_is_missing_or_another_is_told)
{
	expect_not_loaded("libhypernix-is-not-there.so", "cannot load libvirt");
	expect_not_loaded("libc.so.6", "has no vir");
}
