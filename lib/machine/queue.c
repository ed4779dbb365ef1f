/* SPDX-License-Identifier: MIT
 *
 * Events from the driver's thread to the owner's: a bounded ring and an eventfd. The callback only
 * copies; the hypervisor is never called from it.
 */
#include "machine/driver.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char machine_look_again[] = "look-again";

int machine_queue_init(machine_queue *queue, hn_error **err)
{
	queue->ring = base_calloc(base_limit(BASE_LIMIT_EVENT_QUEUE), sizeof(*queue->ring));
	if (queue->ring == NULL)
		return base_nomem(err);
	queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->fd < 0) {
		int problem = errno;

		base_free(BASE_STEAL(queue->ring));
		return base_error_errno(err, MACHINE_ROOM, problem, "cannot make an eventfd");
	}
	pthread_mutex_init(&queue->mutex, NULL);
	return 0;
}

void machine_queue_destroy(machine_queue *queue)
{
	if (queue->ring == NULL)
		return;
	close(queue->fd);
	pthread_mutex_destroy(&queue->mutex);
	base_free(BASE_STEAL(queue->ring));
}

void machine_queue_put(machine_queue *queue, const machine_event *event)
{
	size_t capacity = base_limit(BASE_LIMIT_EVENT_QUEUE);
	uint64_t one = 1;

	pthread_mutex_lock(&queue->mutex);
	if (queue->count == capacity)
		queue->overflow = true;
	else
		queue->ring[(queue->first + queue->count++) % capacity] = *event;
	pthread_mutex_unlock(&queue->mutex);
	/* A full counter already wakes the reader. */
	if (write(queue->fd, &one, sizeof(one)) < 0)
		return;
}

bool machine_queue_take(machine_queue *queue, machine_event *event)
{
	uint64_t counter;
	bool found;

	pthread_mutex_lock(&queue->mutex);
	found = queue->count > 0;
	if (found) {
		*event = queue->ring[queue->first];
		queue->first = (queue->first + 1) % base_limit(BASE_LIMIT_EVENT_QUEUE);
		queue->count--;
	}
	if (queue->count == 0 && read(queue->fd, &counter, sizeof(counter)) < 0)
		counter = 0; /* it was not set */
	pthread_mutex_unlock(&queue->mutex);
	return found;
}

void machine_queue_lose(machine_queue *queue)
{
	uint64_t one = 1;

	pthread_mutex_lock(&queue->mutex);
	queue->overflow = true;
	pthread_mutex_unlock(&queue->mutex);
	if (write(queue->fd, &one, sizeof(one)) < 0)
		return; /* a full counter already wakes the reader */
}

bool machine_queue_overflowed(machine_queue *queue)
{
	bool overflow;

	pthread_mutex_lock(&queue->mutex);
	overflow = queue->overflow;
	queue->overflow = false;
	pthread_mutex_unlock(&queue->mutex);
	return overflow;
}
