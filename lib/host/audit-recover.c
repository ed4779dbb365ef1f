/* SPDX-License-Identifier: MIT
 *
 * What killed processes have left in the audit log: allow records without an outcome. The machine
 * is asked what has become of them where it can know; the others end as unknown. What they had used
 * up of quotas stays used up. Steps of plans have their own recovery (recover.c).
 */
#include "host/rights.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* --- processes --- */

uint64_t host_boot_number(hn_host *host)
{
	os_interval now;

	os_clock_interval(host->os, &now);
	return base_hash(now.boot_id, strlen(now.boot_id), UINT64_C(0x68797065726e6978));
}

/* When a process was started, in ticks since the boot: proc(5), field 22 of stat. With it a number
 * that was given out again is told from the one it was. 0: not known. */
static uint64_t started(int64_t pid)
{
	char path[64], text[1024];
	const char *at;
	size_t size;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	size = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[size] = '\0';
	at = strrchr(text, ')'); /* the name before it may have blanks */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

const caps_audit_process *host_process(hn_host *host)
{
	if (host->process.pid != getpid())
		host->process = (caps_audit_process){.pid = getpid(),
			.started = started(getpid()),
			.boot = host_boot_number(host)};
	return &host->process;
}

static bool lives(hn_host *host, const caps_audit_process *process)
{
	return process->boot == host_process(host)->boot &&
	       (kill((pid_t)process->pid, 0) == 0 || errno == EPERM) &&
	       started(process->pid) == process->started;
}

/* --- what is left --- */

typedef enum truth { UNKNOWN, DONE, NOT_DONE } truth;

typedef struct loose_allow {
	uint64_t number;
	hn_verb verb;
	truth is;
	bool later; /* the machine could not be asked now */
	char object[BASE_OBJECT_SIZE];
} loose_allow;

typedef struct loose_list {
	hn_host *host;
	loose_allow *items;
	size_t count, capacity;
	size_t settled;
} loose_list;

static void free_list(loose_list *list)
{
	base_free(list->items);
}

/* What the machine can be asked about waits until it is there. */
static bool waits(const hn_host *host, int verb)
{
	return !host->machine && (verb == HN_VERB_UNIT_START || verb == HN_VERB_UNIT_STOP ||
					 verb == HN_VERB_UNIT_DELETE);
}

static int take(void *arg, const caps_audit_pending *row)
{
	loose_list *list = arg;
	loose_allow *item;

	if (waits(list->host, row->verb) || lives(list->host, &row->by))
		return 0;
	if (base_grow(&list->items, &list->capacity, list->count + 1, sizeof(*list->items)) < 0)
		return HN_ENOMEM;
	item = &list->items[list->count++];
	*item = (loose_allow){0};
	item->number = row->number;
	item->verb = (hn_verb)row->verb;
	(void)snprintf(item->object, sizeof(item->object), "%s", row->object);
	return 0;
}

static truth ask_machine(hn_host *host, const loose_allow *item, bool *later)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	bool runs;
	int rc;

	if (strncmp(item->object, "unit/", 5) != 0)
		return UNKNOWN;
	rc = machine_observe(host->machine, item->object + 5, &real, NULL);
	*later = rc == HN_EDRIVER;
	if (rc < 0 && rc != HN_ENOENT)
		return UNKNOWN;
	runs = real && host_status_runs(real->status);
	if (item->verb == HN_VERB_UNIT_START)
		return runs ? DONE : NOT_DONE;
	if (item->verb == HN_VERB_UNIT_STOP)
		return runs ? NOT_DONE : DONE;
	return real ? NOT_DONE : DONE;
}

/* Outside of a transaction: the machine may take its time, and nobody waits for it. What it says is
 * of now, so a later call that was allowed may be what it shows; such a record is durable before
 * its effect, and therefore found after the machine was asked. */
static int ask_all(loose_list *list, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < list->count; i++) {
		loose_allow *item = &list->items[i];

		if (item->verb != HN_VERB_UNIT_START && item->verb != HN_VERB_UNIT_STOP &&
			item->verb != HN_VERB_UNIT_DELETE)
			continue;
		item->is = ask_machine(list->host, item, &item->later);
		if (item->is == UNKNOWN)
			continue;
		rc = caps_audit_followed(list->host->store, item->number, item->object, err);
		if (rc > 0)
			item->is = UNKNOWN;
	}
	return rc < 0 ? rc : 0;
}

static int write_truth(hn_host *host, const loose_allow *item, hn_error **err)
{
	static const char *const words[] = {"unknown", "done", "not done"};
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_RECOVERY,
		.verb = (int)item->verb,
		.object = item->object,
		.refers = item->number,
		.code = item->is == DONE ? 0 : HN_ECANCELLED,
		.has_code = item->is != UNKNOWN,
		.note = words[item->is],
		.ends = true,
	};

	return host_audit_append(host, &entry, NULL, err);
}

/* Another process may have settled some of them since they were listed. */
static int settle_all(void *arg, hn_error **err)
{
	loose_list *list = arg;
	int rc = 0;

	list->settled = 0;
	for (size_t i = 0; rc >= 0 && i < list->count; i++) {
		const loose_allow *item = &list->items[i];

		if (item->later)
			continue;
		rc = caps_audit_pending_has(list->host->store, item->number, err);
		if (rc <= 0)
			continue;
		rc = write_truth(list->host, item, err);
		list->settled++;
	}
	return rc;
}

void host_audit_recover(hn_host *host)
{
	__attribute__((cleanup(free_list))) loose_list list = {.host = host};
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc;

	if (host->read_only || state_in_transaction(host->store))
		return;
	rc = caps_audit_pending_each(host->store, take, &list, &why);
	if (rc >= 0)
		rc = ask_all(&list, &why);
	if (rc >= 0 && list.count > 0)
		rc = host_transaction(host, settle_all, &list, &why);
	/* Whoever comes next tries again. */
	if (rc < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM,
			"what a process has left without an outcome is not settled yet: %s",
			hn_error_message(why));
	else if (list.settled > 0)
		base_log(HN_LOG_WARNING, HOST_ROOM,
			"%zu admitted calls had no outcome on record: see hv-cap audit tail",
			list.settled);
}
