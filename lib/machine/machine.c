/* SPDX-License-Identifier: MIT
 *
 * The handle: which driver a URI means, opening with the root's lock, facts, permits.
 */
#include "machine/driver.h"

#include <stdio.h>
#include <unistd.h>

const hn_machine_ops *machine_driver_find(const char *uri)
{
	if (uri == NULL || strcmp(uri, "hypernix:") == 0)
		return &machine_driver_embed;
	if (strncmp(uri, "test:", 5) == 0)
		return &machine_driver_test;
	if (strncmp(uri, "qemu:", 5) == 0 || strncmp(uri, "qemu+", 5) == 0)
		/* The embedded driver is only opened through its own root, never by a foreign URI.
		 */
		return strstr(uri, "/embed") == NULL ? &machine_driver_libvirtd : NULL;
	return NULL;
}

int machine_missing(const hn_machine_ops *ops, const char *method, hn_error **err)
{
	const char *name = ops == NULL ? "unknown" : ops->name;

	base_error(err, HN_ENOSUP, MACHINE_ROOM, NULL, "driver %s has no %s", name, method);
	base_error_fact(err, "driver", name);
	base_error_fact(err, "method", method);
	return HN_ENOSUP;
}

void machine_fact_add(machine *m, const char *name, const char *format, ...)
{
	BASE_AUTO_BUF base_buf text = {0};
	va_list arguments;

	if (m->fact_count == MACHINE_FACTS)
		return;
	va_start(arguments, format);
	base_buf_vformat(&text, format, arguments);
	va_end(arguments);
	m->facts[m->fact_count].name = base_strdup(name);
	m->facts[m->fact_count].text = base_buf_take(&text);
	m->fact_count++;
}

int machine_fact_at(machine *m, size_t index, hn_fact *fact)
{
	if (!m->facts_whole && m->ops->slow_facts != NULL)
		m->ops->slow_facts(m);
	m->facts_whole = true;
	if (index >= m->fact_count)
		return HN_ENOENT;
	fact->name = m->facts[index].name == NULL ? "" : m->facts[index].name;
	fact->text = m->facts[index].text;
	fact->number = 0;
	return 0;
}

static void add_facts(machine *m)
{
	hn_fact fact;

	machine_fact_add(m, "driver", "%s", m->ops->name);
	machine_fact_add(m, "root", "%s", m->root);
	if (m->probe != NULL) {
		machine_fact_add(m, "accelerator", "%s",
			m->accelerator == HN_ACCELERATOR_KVM ? "kvm" : "tcg");
		machine_fact_add(m, "accelerator.rule", "%s", hn_probe_rule(m->probe));
		for (size_t i = 0; hn_probe_fact_at(m->probe, i, &fact) == 0; i++) {
			if (fact.text != NULL)
				machine_fact_add(m, fact.name, "%s", fact.text);
			else
				machine_fact_add(m, fact.name, "%lld", (long long)fact.number);
		}
	}
	if ((m->ops->flags & MACHINE_REAL) == 0)
		machine_fact_add(m, "cgroup", "none (driver %s runs nothing)", m->ops->name);
	else if (m->cgroup.version == 0)
		machine_fact_add(m, "cgroup", "none (%s)", m->cgroup.why_not);
	else
		machine_fact_add(m, "cgroup", "v%d at %s", m->cgroup.version, m->cgroup.cpu);
	if (m->ops == &machine_driver_embed) /* our own account, and no label: root.c */
		machine_fact_add(m, "confinement", "none");
}

typedef struct uuid_list {
	char (*items)[37];
	size_t count, capacity;
} uuid_list;

static int collect_active(void *arg, const machine_brief *brief)
{
	uuid_list *list = arg;

	if (brief->status != HN_UNIT_RUNNING && brief->status != HN_UNIT_PAUSED &&
		brief->status != HN_UNIT_UNREACHABLE && brief->status != HN_UNIT_STARTING)
		return 0;
	if (base_grow(&list->items, &list->capacity, list->count + 1, sizeof(*list->items)) < 0)
		return HN_ENOMEM;
	memcpy(list->items[list->count++], brief->uuid, 37);
	return 0;
}

/* A call that queues behind the job that re-attaches ends when it is done. */
int machine_wait_reattached(machine *m, hn_error **err)
{
	uuid_list list = {0};
	int64_t begun = os_monotonic(m->os);
	int result;

	if (m->ops->barrier == NULL)
		return 0;
	result = m->ops->list(m, collect_active, &list, err);
	if (result == HN_ENOMEM)
		base_nomem(err);
	for (size_t i = 0; i < list.count && result == 0; i++) {
		hn_error *problem = NULL;

		if (m->ops->barrier(m, list.items[i], &problem) < 0)
			machine_fact_add(m, "unreachable", "%s: %s", list.items[i],
				hn_error_message(problem));
		hn_error_unref(problem);
	}
	if (list.count > 0)
		machine_fact_add(m, "reattached", "%zu in %lld ms", list.count,
			(long long)((os_monotonic(m->os) - begun) / 1000000));
	base_free(list.items);
	return result;
}

static int open_driver(machine *m, const machine_options *options, hn_error **err)
{
	hn_probe_options probe = HN_PROBE_OPTIONS_INIT;
	int result = 0;

	probe.accelerator = options->accelerator;
	probe.os = m->os;
	if ((m->ops->flags & MACHINE_REAL) != 0)
		result = hn_machine_probe(&probe, &m->probe, err);
	if (result < 0)
		return result;
	if (m->probe != NULL)
		m->accelerator = hn_probe_accelerator(m->probe);
	if (m->ops == &machine_driver_embed)
		machine_cgroup_detect(m->os, "", &m->cgroup);
	else
		snprintf(m->cgroup.why_not, sizeof(m->cgroup.why_not), "driver %s keeps its own",
			m->ops->name);
	result = m->ops->open(m, m->uri, err);
	if (result == 0)
		result = machine_wait_reattached(m, err);
	if (result < 0)
		return result;
	machine_end_unstarted(m);
	machine_logs_rotate(m->os, m->root); /* guests printed while nobody was here */
	add_facts(m);
	return m->ops->facts == NULL ? 0 : m->ops->facts(m, err);
}

static int prepare(machine *m, const machine_options *options, hn_error **err)
{
	char path[128];
	int result = machine_root_check(options->root, err);

	if (result < 0)
		return result;
	m->root = base_strdup(options->root);
	m->uri = base_strdup(options->uri == NULL ? "hypernix:" : options->uri);
	m->program = base_strdup(options->program == NULL ? "libhypernix" : options->program);
	m->live = base_map_new(NULL);
	if (m->root == NULL || m->uri == NULL || m->program == NULL || m->live == NULL)
		return base_nomem(err);
	result = os_mkdirs(m->os, m->root, 0700, err);
	if (result < 0)
		return result;
	snprintf(path, sizeof(path), "%s/lock", m->root);
	result = m->ops == &machine_driver_embed
			 ? machine_embed_lock(m, path, options, err)
			 : os_lock_take(m->os, path, m->program, options->lock_wait,
				   options->cancel, &m->lock, err);
	if (result == 0)
		result = machine_queue_init(&m->queue, err);
	if (result == 0)
		result = machine_pump_init(m, err);
	return result;
}

int machine_open(hn_os *os, const machine_options *options, machine **out, hn_error **err)
{
	BASE_AUTO_OF(machine) machine *m = base_calloc(1, sizeof(*m));
	int result;

	if (m == NULL)
		return base_nomem(err);
	m->os = os;
	m->epoll = m->inotify = m->timer = -1;
	m->ops = machine_driver_find(options->uri);
	if (m->ops == NULL)
		return base_error(err, HN_EINVAL, MACHINE_ROOM,
			"hypernix: | qemu:///system | qemu+unix:///system?socket=PATH | test:///FILE.xml",
			"no driver for the URI '%.200s'", options->uri);
	result = prepare(m, options, err);
	if (result == 0)
		result = open_driver(m, options, err);
	if (result < 0)
		return result;
	*out = BASE_STEAL(m);
	return 0;
}

void machine_close(machine *m)
{
	if (m == NULL)
		return;
	machine_pump_destroy(m);
	if (m->ops != NULL && m->driver != NULL)
		m->ops->close(m);
	machine_queue_destroy(&m->queue);
	machine_embed_unlock(m);
	os_lock_release(m->lock);
	hn_probe_free(m->probe);
	for (size_t i = 0; i < m->fact_count; i++) {
		base_free(m->facts[i].name);
		base_free(m->facts[i].text);
	}
	base_map_free(m->live);
	base_free(m->root);
	base_free(m->uri);
	base_free(m->program);
	base_free(m);
}

hn_accelerator machine_accelerator(const machine *m)
{
	return m->accelerator;
}

bool machine_enforces_weight(const machine *m, const char **why_not)
{
	bool enforced = m->cgroup.version != 0 || (m->ops->flags & MACHINE_WEIGHTS) != 0;

	if (!enforced && why_not != NULL)
		*why_not = m->cgroup.why_not;
	return enforced;
}

int machine_permit(const base_permit *permit, const char *uuid, hn_error **err, size_t count, ...)
{
	va_list verbs;
	int first = 0, wanted = -1;

	va_start(verbs, count);
	for (size_t i = 0; i < count; i++) {
		int verb = va_arg(verbs, int);

		if (i == 0)
			first = verb;
		if (permit != NULL && (int)permit->verb == verb)
			wanted = verb;
	}
	va_end(verbs);
	return base_permit_require(permit, (hn_verb)(wanted < 0 ? first : wanted), uuid, err);
}

int machine_permit_active(
	machine *m, const base_permit *permit, hn_verb verb, const char *uuid, hn_error **err)
{
	machine_brief brief;
	int result = machine_permit(permit, uuid, err, 1, verb);

	if (result == 0)
		result = machine_uuid_check(uuid, err);
	if (result == 0)
		result = m->ops->state(m, uuid, &brief, err);
	if (result < 0)
		return result;
	if (!machine_is_active(brief.status))
		return base_error(err, HN_EBUSY, MACHINE_ROOM, "start it", "unit '%s' is %s",
			brief.name, hn_unit_status_name(brief.status));
	return 0;
}

const char *hn_unit_status_name(hn_unit_status status)
{
	static const char *const names[] = {"absent", "defined", "starting", "running", "paused",
		"stopping", "stopped", "crashed", "unreachable"};

	return (size_t)status < BASE_COUNT(names) ? names[status] : "unknown";
}
