/* SPDX-License-Identifier: MIT
 *
 * The embedded QEMU driver: libvirt inside our process, on a root of its own.
 */
#include "machine/drv-libvirt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define HANDED_OVER (MACHINE_SECOND / 10)

/* libvirt keeps the root it was opened on until the process ends, so our lock stays with it: a
 * later handle of this process takes it over, any other process is told who the owner is. */
static struct {
	pthread_mutex_t mutex;
	char root[64];
	os_lock *lock;
	bool in_use;
} kept = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* 1: the lock of an earlier handle is ours now; 0: there is none to take. */
static int take_over(machine *m, hn_error **err)
{
	bool mine, other;

	pthread_mutex_lock(&kept.mutex);
	other = kept.lock != NULL && strcmp(kept.root, m->root) != 0;
	mine = kept.lock != NULL && !other && !kept.in_use;
	if (mine) {
		kept.in_use = true;
		m->lock = kept.lock;
	}
	pthread_mutex_unlock(&kept.mutex);
	if (other)
		return base_error(err, HN_EBUSY, MACHINE_ROOM,
			"use another process for another root",
			"this process has the embedded root %s already", kept.root);
	return mine ? 1 : 0;
}

/* The owner that is waited for may be another thread: its lock never becomes free, it is handed
 * over. So both are looked at in turn. */
int machine_embed_lock(machine *m, const char *path, const machine_options *options, hn_error **err)
{
	int64_t wait = options->lock_wait, begun = os_monotonic(m->os);

	for (;;) {
		int64_t left = wait < 0 ? HANDED_OVER : wait - (os_monotonic(m->os) - begun);
		hn_error *busy = NULL;
		int result = take_over(m, err);

		if (result != 0)
			return result < 0 ? result : 0;
		if (left < 0)
			left = 0;
		result = os_lock_take(m->os, path, m->program,
			left < HANDED_OVER ? left : HANDED_OVER, options->cancel, &m->lock, &busy);
		if (result != HN_EBUSY || (wait >= 0 && left <= HANDED_OVER)) {
			if (err != NULL)
				*err = busy;
			else
				hn_error_unref(busy);
			return result;
		}
		hn_error_unref(busy);
	}
}

static void keep_lock(machine *m)
{
	pthread_mutex_lock(&kept.mutex);
	snprintf(kept.root, sizeof(kept.root), "%s", m->root);
	kept.lock = m->lock;
	kept.in_use = true;
	pthread_mutex_unlock(&kept.mutex);
}

void machine_embed_unlock(machine *m)
{
	pthread_mutex_lock(&kept.mutex);
	if (m->lock != NULL && m->lock == kept.lock) {
		kept.in_use = false;
		m->lock = NULL;
	}
	pthread_mutex_unlock(&kept.mutex);
}

static pthread_once_t log_once = PTHREAD_ONCE_INIT;
static char log_outputs[128];

/* The only way to keep libvirt's own messages off stderr; before its first call and our threads. */
static void set_log(void)
{
	setenv("LIBVIRT_LOG_OUTPUTS", log_outputs, 0);
}

static int embed_open(machine *m, const char *uri, hn_error **err)
{
	BASE_AUTO_BUF base_buf inner = {0};
	bool rewritten = false;
	int result = machine_root_prepare(m->os, m->root, &rewritten, err);

	(void)uri;
	if (result < 0)
		return result;
	if (rewritten)
		machine_fact_add(m, "qemu.conf", "rewritten: it was edited by somebody else");
	result = machine_forget_unborn(m->os, m->root, err);
	if (result < 0)
		return result;
	if (result > 0)
		machine_fact_add(m, "unborn", "%d starts that were cut short", result);
	snprintf(log_outputs, sizeof(log_outputs), "3:file:%s/log/libvirt.log", m->root);
	pthread_once(&log_once, set_log);
	base_buf_text(&inner, "qemu:///embed?root=");
	for (const char *p = m->root; *p != '\0'; p++) {
		if (isalnum((unsigned char)*p) || strchr("/._-", *p) != NULL)
			base_buf_add(&inner, p, 1);
		else
			base_buf_format(&inner, "%%%02X", (unsigned char)*p);
	}
	if (inner.failed)
		return base_nomem(err);
	result = virt_open(m, inner.data, err);
	if (result == 0)
		keep_lock(m);
	return result;
}

static int embed_pid(machine *m, const machine_brief *brief, pid_t *pid, hn_error **err)
{
	BASE_AUTO_FREE char *text = NULL;
	char path[256];
	size_t size;
	long number;
	int result;

	snprintf(path, sizeof(path), "%s/run/qemu/%s.pid", m->root, brief->name);
	result = os_read_file(m->os, path, 64, &text, &size, err);
	if (result < 0)
		return result;
	number = strtol(text, NULL, 10);
	/* The number may be another process's by now. */
	if (number <= 1 || machine_process_check(m->os, (pid_t)number, brief->uuid) == 0)
		return base_error(err, HN_ENOENT, MACHINE_ROOM, NULL,
			"process %ld of unit '%s' is gone", number, brief->name);
	*pid = (pid_t)number;
	return 0;
}

static int unix_console(hn_os *os, const char *root, const char *uuid)
{
	char path[256 + 16];
	char dir[256];

	machine_unit_dir(root, uuid, dir);
	snprintf(path, sizeof(path), "%s/console.sock", dir);
	return os->ops->connect_unix(os, path);
}

const hn_machine_ops machine_driver_embed = {
	VIRT_METHODS,
	.name = "embed",
	.flags = MACHINE_REAL | MACHINE_QMP | MACHINE_CONSOLE | MACHINE_LIVE_SOURCE |
		 MACHINE_PAUSED_START | MACHINE_SCHEMA,
	.open = embed_open,
	.barrier = virt_barrier,
	.never_ran = virt_never_ran,
	.monitor = virt_monitor,
	.change = virt_change,
	.pid = embed_pid,
	.console = unix_console,
	.give = virt_give,
};
