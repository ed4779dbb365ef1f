/* SPDX-License-Identifier: MIT
 *
 * The event queue between the driver's thread and the owner's.
 */
#include "fixture.h"

#include <poll.h>

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
