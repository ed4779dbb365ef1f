/* SPDX-License-Identifier: MIT
 *
 * The thread of libvirt's event loop: what it is in the middle of is waited for before a connection
 * goes.
 */
#include "fixture.h"
#include "machine/drv-libvirt.h"

#include <sched.h>
#include <semaphore.h>

static sem_t begun, asked, go;
static atomic_bool ended;

static void work(int timer, void *arg)
{
	(void)arg;
	lv.virEventUpdateTimeout(timer, -1);
	sem_post(&begun);
	sem_wait(&go);
	atomic_store(&ended, true);
}

static void *ask(void *arg)
{
	(void)arg;
	sem_post(&asked);
	virt_loop_settle();
	cr_expect(atomic_load(&ended));
	return NULL;
}

Test(loop, a_callback_that_runs_is_waited_for, .timeout = 60)
{
	hn_error *err = NULL;
	pthread_t asking;
	int timer;

	sem_init(&begun, 0, 0);
	sem_init(&asked, 0, 0);
	sem_init(&go, 0, 0);
	cr_assert_eq(virt_loop_acquire(&err), 0, "%s", err == NULL ? "" : hn_error_message(err));
	timer = lv.virEventAddTimeout(0, work, NULL, NULL);
	cr_assert_geq(timer, 0);
	sem_wait(&begun);
	cr_assert_eq(pthread_create(&asking, NULL, ask, NULL), 0);
	sem_wait(&asked);
	/* Time for one that does not wait to be seen not to have waited. */
	for (int i = 0; i < 100; i++)
		sched_yield();
	sem_post(&go);
	pthread_join(asking, NULL);
	lv.virEventRemoveTimeout(timer);
	virt_loop_release();
}

/* Each waits for its own, none for ever. */
Test(loop, settling_again_is_no_fault, .timeout = 60)
{
	cr_assert_eq(virt_loop_acquire(NULL), 0);
	for (int i = 0; i < 100; i++)
		virt_loop_settle();
	virt_loop_release();
}
