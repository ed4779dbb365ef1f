/* SPDX-License-Identifier: MIT
 *
 * What really is: the live and the persistent definition, the cgroup's numbers and the process, as
 * canonical values of our keys.
 */
#include "machine/driver.h"

#include <stdio.h>

/* The record and its values are one block of owned texts. */
static machine_real *real_new(void)
{
	return base_calloc(1, sizeof(machine_real));
}

void machine_real_free(machine_real *real)
{
	if (real == NULL)
		return;
	for (size_t i = 0; i < real->count; i++) {
		base_free(real->values[i].key);
		base_free(real->values[i].live);
		base_free(real->values[i].persistent);
	}
	base_free(real->values);
	base_free(real);
}

/* `capacity` is not kept: there is one entry a key, and the number of keys is known before. */
static int add(machine_real *real, const char *key, const char *live, const char *persistent)
{
	char *texts[3] = {base_strdup(key), live == NULL ? NULL : base_strdup(live),
		persistent == NULL ? NULL : base_strdup(persistent)};

	if (texts[0] == NULL || (live != NULL && texts[1] == NULL) ||
		(persistent != NULL && texts[2] == NULL)) {
		for (size_t i = 0; i < BASE_COUNT(texts); i++)
			base_free(texts[i]);
		return HN_ENOMEM;
	}
	real->values[real->count].key = texts[0];
	real->values[real->count].live = texts[1];
	real->values[real->count].persistent = texts[2];
	real->count++;
	return 0;
}

static int merge(machine_real *real, const machine_domain *live, const machine_domain *persistent)
{
	const machine_domain *domains[] = {persistent, live};
	size_t count = 0;

	for (size_t d = 0; d < BASE_COUNT(domains); d++)
		count += domains[d] == NULL ? 0 : base_map_count(domains[d]->values);
	real->values = base_calloc(count + 1, sizeof(*real->values));
	if (real->values == NULL)
		return HN_ENOMEM;
	for (size_t d = 0; d < BASE_COUNT(domains); d++) {
		const char *key;
		size_t size;
		void *value;

		for (size_t i = 0; domains[d] != NULL && i < base_map_slots(domains[d]->values);
			i++) {
			const char *mine, *others;

			if (!base_map_at(domains[d]->values, i, &key, &size, &value))
				continue;
			mine = value;
			if (d == 1) { /* live: what the persistent one lacks */
				if (persistent != NULL &&
					machine_domain_value(persistent, key) != NULL)
					continue;
				if (add(real, key, mine, NULL) < 0)
					return HN_ENOMEM;
				continue;
			}
			others = live == NULL ? NULL : machine_domain_value(live, key);
			if (add(real, key, others, mine) < 0)
				return HN_ENOMEM;
		}
	}
	return 0;
}

/* text NULL: cannot be observed now. */
static int set_live(machine_real *real, const char *key, const char *text)
{
	for (size_t i = 0; i < real->count; i++) {
		char *copy;

		if (strcmp(real->values[i].key, key) != 0)
			continue;
		copy = text == NULL ? NULL : base_strdup(text);
		if (text != NULL && copy == NULL)
			return HN_ENOMEM;
		base_free(real->values[i].live);
		real->values[i].live = copy;
		return 0;
	}
	return 0;
}

/* 1: these are in force; 0: the unit has no group. version: what the numbers were cut by. */
static int weight_of(machine *m, const machine_real *real, int64_t sn, int *version,
	uint64_t *units, uint64_t *limit)
{
	if ((m->ops->flags & MACHINE_WEIGHTS) != 0) {
		*version = m->weights;
		return m->ops->weight(m, real->uuid, sn, units, limit, NULL) == 0;
	}
	*version = m->cgroup.version;
	return *version != 0 && real->pid != 0 &&
	       machine_cgroup_has(m->os, &m->cgroup, real->uuid, real->pid) &&
	       machine_cgroup_get(m->os, &m->cgroup, real->uuid, sn, units, limit, NULL) == 0;
}

/* The weight in force is the cgroup's. A number that the kernel's range cut counts as what was
 * asked. */
static int observe_weight(machine *m, const machine_domain *domain, machine_real *real)
{
	uint64_t units = 0, limit = 0, cut, quota, period;
	int64_t sn = domain->sn > 0 ? domain->sn : 1000000;
	char text[32];
	int version;

	if (weight_of(m, real, sn, &version, &units, &limit) == 0) {
		real->unenforced = m->cgroup.version == 0 || real->pid == 0;
		/* A running unit outside its group has the weight of anybody else. */
		if (real->pid != 0 && m->cgroup.version != 0)
			return set_live(real, "compute.units", "outside its cgroup");
		return 0;
	}
	cut = machine_cgroup_units(version, machine_cgroup_weight(version, domain->units));
	if ((m->ops->flags & MACHINE_WEIGHTS) != 0 && cut < 2)
		cut = 2; /* the least that libvirt takes */
	if (domain->units != 0 && units == cut)
		units = domain->units;
	machine_cgroup_quota(domain->limit, sn, &quota, &period);
	if (domain->limit != 0 &&
		limit == machine_cgroup_limit((int64_t)quota, (int64_t)period, sn))
		limit = domain->limit;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)units);
	if (set_live(real, "compute.units", text) < 0)
		return HN_ENOMEM;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)limit);
	return set_live(real, "compute.limit", limit == 0 ? "none" : text);
}

static int ready_of(machine *m, const machine_real *real)
{
	const machine_live *live = machine_live_find(m, real->uuid);
	machine_run run;

	if (real->pid == 0)
		return real->status == HN_UNIT_RUNNING ? -1 : 0;
	if (live != NULL && live->pid == real->pid && live->ready)
		return 1;
	if (machine_run_load(m->os, m->root, real->uuid, &run) == 0 && run.pid == real->pid)
		return run.ready ? 1 : 0;
	return -1;
}

/* A daemon serves every root of a host: whose a domain is, its paths tell. */
static bool is_elsewhere(const machine *m, const char *xml, const char *uuid)
{
	size_t size = strlen(m->root);
	bool named = false;
	char mark[64];

	snprintf(mark, sizeof(mark), "/unit/%s/", uuid);
	for (const char *at = strstr(xml, mark); at != NULL; at = strstr(at + 1, mark)) {
		named = true;
		if ((size_t)(at - xml) > size && memcmp(at - size, m->root, size) == 0 &&
			strchr("'\">", at[-(ptrdiff_t)size - 1]) != NULL)
			return false;
	}
	return named;
}

static void identify(machine_real *real, const char *uuid, const char *name)
{
	snprintf(real->uuid, sizeof(real->uuid), "%s", uuid);
	snprintf(real->name, sizeof(real->name), "%s", name);
}

/* What a definition of ours was made from. */
static void take_mark(machine_real *real, const char *digest, uint64_t generation)
{
	snprintf(real->digest, sizeof(real->digest), "%.64s", digest);
	real->generation = generation;
}

static int fill(machine *m, const machine_brief *brief, machine_domain **inactive,
	machine_real *real, hn_error **err)
{
	BASE_AUTO_FREE char *xml = NULL;
	int result = m->ops->xml(m, brief->uuid, false, &xml, err);

	if (result == 0)
		result = machine_domain_parse(xml, strlen(xml), inactive, err);
	if (result < 0)
		return result;
	identify(real, brief->uuid, brief->name);
	real->status = brief->status;
	real->ours = (*inactive)->ours && strcmp((*inactive)->meta_uuid, brief->uuid) == 0;
	real->elsewhere = real->ours && is_elsewhere(m, xml, brief->uuid);
	if (real->ours)
		take_mark(real, (*inactive)->digest, (*inactive)->generation);
	real->unenforced = !machine_enforces_weight(m, NULL);
	if (machine_is_active(brief->status) && m->ops->pid != NULL)
		m->ops->pid(m, brief, &real->pid, NULL);
	real->ready = ready_of(m, real);
	return 0;
}

int machine_observe(machine *m, const char *uuid, machine_real **out, hn_error **err)
{
	BASE_AUTO_OF(machine_domain) machine_domain *inactive = NULL;
	BASE_AUTO_OF(machine_domain) machine_domain *live = NULL;
	BASE_AUTO_OF(machine_real) machine_real *real = real_new();
	BASE_AUTO_FREE char *xml = NULL;
	machine_brief brief;
	int result = machine_uuid_check(uuid, err);

	if (real == NULL)
		return base_nomem(err);
	/* What happened meanwhile belongs into the picture. */
	if (result == 0)
		result = machine_pump(m, 0, err);
	if (result >= 0)
		result = m->ops->state(m, uuid, &brief, err);
	if (result == 0)
		result = fill(m, &brief, &inactive, real, err);
	if (result == 0 && machine_is_active(brief.status)) {
		result = m->ops->xml(m, uuid, true, &xml, err);
		if (result == 0)
			result = machine_domain_parse(xml, strlen(xml), &live, err);
	}
	if (result < 0)
		return result;
	/* Before the guest is up nobody moves its balloon. */
	if (merge(real, live, inactive) < 0 ||
		(live != NULL && real->ready == 0 && set_live(real, "memory.size", NULL) < 0) ||
		(live != NULL && observe_weight(m, inactive, real) < 0))
		return base_nomem(err);
	*out = BASE_STEAL(real);
	return 0;
}

int machine_expect(machine *m, const machine_unit *unit, machine_real **out, hn_error **err)
{
	BASE_AUTO_OF(machine_spec) machine_spec *spec = NULL;
	BASE_AUTO_OF(machine_domain) machine_domain *domain = NULL;
	BASE_AUTO_OF(machine_real) machine_real *real = real_new();
	BASE_AUTO_FREE char *xml = NULL;
	int result;

	if (real == NULL)
		return base_nomem(err);
	result = machine_spec_of(m, unit, &spec, err);
	if (result == 0)
		result = machine_xml_write(spec, &xml, err);
	if (result == 0)
		result = machine_domain_parse(xml, strlen(xml), &domain, err);
	if (result < 0)
		return result;
	identify(real, spec->uuid, spec->name);
	take_mark(real, spec->digest, spec->generation);
	real->ours = true;
	if (merge(real, domain, domain) < 0)
		return base_nomem(err);
	*out = BASE_STEAL(real);
	return 0;
}

typedef struct list_call {
	machine *m;
	int (*each)(void *arg, const machine_real *real);
	void *arg;
	hn_error **err;
} list_call;

static int list_one(void *arg, const machine_brief *brief)
{
	list_call *call = arg;
	BASE_AUTO_OF(machine_domain) machine_domain *inactive = NULL;
	machine_real real = {0};
	hn_error *problem = NULL;
	int result = fill(call->m, brief, &inactive, &real, &problem);

	/* One that went away meanwhile is none to list. */
	if (result == HN_ENOMEM) {
		hn_error_unref(problem);
		return base_nomem(call->err);
	}
	hn_error_unref(problem);
	return result < 0 ? 0 : call->each(call->arg, &real);
}

int machine_list(
	machine *m, int (*each)(void *arg, const machine_real *real), void *arg, hn_error **err)
{
	list_call call = {m, each, arg, err};

	return m->ops->list(m, list_one, &call, err);
}
