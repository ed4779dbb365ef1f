/* SPDX-License-Identifier: MIT
 *
 * Group commit: threads that append at the same time share one transaction, and so one wait for the
 * disk. The first of them leads: it takes what all have brought, and the others sleep until it is
 * durable. No thread is made for it.
 */
#include "caps/audit-log.h"

#include <pthread.h>
#include <time.h>

#define MOST 64
#define WAIT_NS 1000000 /* for as many as came last time */

typedef struct waiter {
	const caps_audit_entry *entry;
	uint64_t number;
	hn_error *err;
	int rc;
	bool done;
	struct waiter *next;
} waiter;

struct caps_audit_group {
	caps_audit *audit;
	pthread_mutex_t mutex;
	pthread_cond_t came, done; /* somebody came to a leader that waits; a group is durable */
	waiter *first, **last;
	size_t waiting, expected; /* expected: how many came to the last group */
	bool led;
};

int caps_audit_group_new(caps_audit *audit, caps_audit_group **group, hn_error **err)
{
	caps_audit_group *made = base_calloc(1, sizeof(*made));
	pthread_condattr_t clock;

	if (!made)
		return base_nomem(err);
	made->audit = audit;
	made->last = &made->first;
	pthread_mutex_init(&made->mutex, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&made->came, &clock);
	pthread_cond_init(&made->done, NULL);
	pthread_condattr_destroy(&clock);
	*group = made;
	return 0;
}

void caps_audit_group_free(caps_audit_group *group)
{
	if (!group)
		return;
	pthread_cond_destroy(&group->came);
	pthread_cond_destroy(&group->done);
	pthread_mutex_destroy(&group->mutex);
	base_free(group);
}

/* As many as came last time are likely to come again; who is alone does not wait. */
static void wait_for_others(caps_audit_group *group)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += WAIT_NS;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	while (group->waiting < group->expected && group->waiting < MOST)
		if (pthread_cond_timedwait(&group->came, &group->mutex, &end) != 0)
			return;
}

/* Takes up to MOST off the queue. */
static size_t take_group(caps_audit_group *group, waiter **taken)
{
	size_t count = 0;

	while (group->first && count < MOST) {
		taken[count++] = group->first;
		group->first = group->first->next;
	}
	if (!group->first)
		group->last = &group->first;
	group->waiting -= count;
	return count;
}

static void commit_group(caps_audit_group *group, waiter **taken, size_t count)
{
	caps_audit_entry entries[MOST] = {0};
	uint64_t numbers[MOST];
	hn_error *err = NULL;
	int rc;

	for (size_t i = 0; i < count; i++)
		entries[i] = *taken[i]->entry;
	rc = caps_audit_append_all(group->audit, entries, count, numbers, &err);
	for (size_t i = 0; i < count; i++) {
		taken[i]->rc = rc;
		taken[i]->number = rc >= 0 ? numbers[i] : 0;
		taken[i]->err = rc < 0 ? hn_error_ref(err) : NULL;
	}
	hn_error_unref(err);
}

/* With the mutex held. One group after the other, until our own record was in one. */
static void lead(caps_audit_group *group, const waiter *self)
{
	waiter *taken[MOST];

	group->led = true;
	while (!self->done) {
		size_t count;

		wait_for_others(group);
		count = take_group(group, taken);
		group->expected = count;
		pthread_mutex_unlock(&group->mutex);
		commit_group(group, taken, count);
		pthread_mutex_lock(&group->mutex);
		for (size_t i = 0; i < count; i++)
			taken[i]->done = true;
	}
	group->led = false;
	pthread_cond_broadcast(&group->done);
}

int caps_audit_group_append(
	caps_audit_group *group, const caps_audit_entry *entry, uint64_t *number, hn_error **err)
{
	waiter self = {.entry = entry};

	pthread_mutex_lock(&group->mutex);
	*group->last = &self;
	group->last = &self.next;
	group->waiting++;
	pthread_cond_signal(&group->came);
	while (!self.done && group->led)
		pthread_cond_wait(&group->done, &group->mutex);
	if (!self.done)
		lead(group, &self);
	pthread_mutex_unlock(&group->mutex);
	if (self.rc < 0) {
		base_error_move(err, self.err);
		return self.rc;
	}
	if (number)
		*number = self.number;
	return 0;
}
