/* SPDX-License-Identifier: MIT
 *
 * Domains whose start was cut short before the hypervisor had a process. libvirt writes down that a
 * start has begun before it runs QEMU; when its process is killed between the two, the next one
 * takes the record for a running domain, waits for ever for a monitor that nobody opens, and every
 * call on the domain ends in a timeout. So such records go before libvirt reads them. A QEMU that
 * was run after all is still paused and has executed nothing: it goes too. So does, once libvirt
 * is there, a guest whose starter was killed before it let it run: nothing is lost by that, and it
 * would look like one that somebody paused.
 */
#include "machine/driver.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define STATUS_BYTES (1 << 20)
#define ENDS_WITHIN (10 * MACHINE_SECOND)
#define LOOKS_EVERY (MACHINE_SECOND / 50)

typedef struct unborn_list {
	char (*names)[64];
	size_t count, capacity;
	bool failed; /* out of memory */
} unborn_list;

static int add_status(void *arg, const char *file)
{
	unborn_list *list = arg;
	size_t size = strlen(file);

	if (size <= 4 || size - 4 >= sizeof(*list->names) || strcmp(file + size - 4, ".xml") != 0)
		return 0;
	if (base_grow(&list->names, &list->capacity, list->count + 1, sizeof(*list->names)) < 0)
		return list->failed = true;
	(void)snprintf(
		list->names[list->count++], sizeof(*list->names), "%.*s", (int)(size - 4), file);
	return 0;
}

/* Only the head of libvirt's record is looked at: no process yet, and which domain. */
static bool is_unborn(const char *text, char uuid[37])
{
	const char *head = strstr(text, "<domstatus "), *end = head ? strchr(head, '>') : NULL;
	const char *pid = end ? strstr(head, " pid='0'") : NULL;
	const char *id = pid && pid < end ? strstr(end, "<uuid>") : NULL;

	if (id == NULL || strnlen(id + 6, 36) < 36 || strncmp(id + 42, "</uuid>", 7) != 0)
		return false;
	memcpy(uuid, id + 6, 36);
	uuid[36] = '\0';
	return true;
}

static pid_t process_of(hn_os *os, const char *root, const char *name, const char *uuid)
{
	BASE_AUTO_FREE char *text = NULL;
	char path[256];
	size_t size;
	long number;

	(void)snprintf(path, sizeof(path), "%s/run/qemu/%s.pid", root, name);
	if (os_read_file(os, path, 64, &text, &size, NULL) < 0)
		return 0;
	number = strtol(text, NULL, 10);
	/* The number may be another process's by now. */
	return number > 1 && machine_process_check(os, (pid_t)number, uuid) != 0 ? (pid_t)number
										 : 0;
}

static int end_process(hn_os *os, const char *name, pid_t pid, const char *uuid, hn_error **err)
{
	int64_t end = os_monotonic(os) + ENDS_WITHIN;

	(void)os->ops->kill(os, pid, SIGKILL);
	while (machine_process_check(os, pid, uuid) != 0) {
		if (os_monotonic(os) >= end)
			return base_error(err, HN_ETIMEOUT, MACHINE_ROOM, NULL,
				"process %ld, a start of '%s' that was cut short, does not end",
				(long)pid, name);
		os->ops->sleep(os, LOOKS_EVERY);
	}
	return 0;
}

static int forget(hn_os *os, const char *root, const char *name, hn_error **err)
{
	BASE_AUTO_FREE char *text = NULL;
	char path[256], uuid[37];
	size_t size;
	pid_t pid;
	int result;

	(void)snprintf(path, sizeof(path), "%s/run/qemu/%s.xml", root, name);
	if (os_read_file(os, path, STATUS_BYTES, &text, &size, NULL) < 0 || !is_unborn(text, uuid))
		return 0;
	pid = process_of(os, root, name, uuid);
	result = pid != 0 ? end_process(os, name, pid, uuid, err) : 0;
	if (result < 0)
		return result;
	result = os->ops->unlink(os, path);
	if (result < 0 && result != -ENOENT)
		return base_error_errno(err, MACHINE_ROOM, -result, "%s cannot be removed", path);
	(void)snprintf(path, sizeof(path), "%s/run/qemu/%s.pid", root, name);
	(void)os->ops->unlink(os, path);
	return 1;
}

int machine_forget_unborn(hn_os *os, const char *root, hn_error **err)
{
	unborn_list list = {0};
	char path[256];
	int result = 0, count = 0;

	(void)snprintf(path, sizeof(path), "%s/run/qemu", root);
	/* No such directory: nothing has run here yet. */
	(void)os->ops->list(os, path, add_status, &list);
	if (list.failed)
		result = base_nomem(err);
	for (size_t i = 0; result >= 0 && i < list.count; i++) {
		result = forget(os, root, list.names[i], err);
		count += result > 0;
	}
	base_free(list.names);
	return result < 0 ? result : count;
}

static int add_paused(void *arg, const machine_brief *brief)
{
	unborn_list *list = arg;

	if (brief->status != HN_UNIT_PAUSED)
		return 0;
	if (base_grow(&list->names, &list->capacity, list->count + 1, sizeof(*list->names)) < 0)
		return HN_ENOMEM;
	(void)snprintf(list->names[list->count++], sizeof(*list->names), "%s", brief->uuid);
	return 0;
}

static int end_unstarted(machine *m, const char *uuid, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	int result = machine_observe(m, uuid, &real, err);

	if (result < 0 || !real->ours || real->elsewhere)
		return result;
	result = m->ops->never_ran(m, uuid, err);
	return result > 0 ? m->ops->kill(m, uuid, false, err) : result;
}

void machine_end_unstarted(machine *m)
{
	unborn_list list = {0};

	if (m->ops->never_ran != NULL)
		(void)m->ops->list(
			m, add_paused, &list, NULL); /* the next call says what is wrong */
	for (size_t i = 0; i < list.count; i++) {
		hn_error *why = NULL;

		if (end_unstarted(m, list.names[i], &why) < 0)
			base_log(HN_LOG_WARNING, MACHINE_ROOM, "a start that was cut short: %s",
				hn_error_message(why));
		hn_error_unref(why);
	}
	base_free(list.names);
}
