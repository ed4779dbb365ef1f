/* SPDX-License-Identifier: MIT
 *
 * The machine room over a table in memory. Every call that changes something is counted and can be
 * made to fail, or to be the last that the process does.
 */
#include "fake-machine.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct machine {
	os_lock *lock;
};

fake_world fake;

void fake_reset(void)
{
	for (size_t i = 0; i < fake.client_count; i++)
		(void)close(fake.clients[i]);
	memset(&fake, 0, sizeof(fake));
}

/* --- the table --- */

static fake_domain *by_uuid(const char *uuid)
{
	for (size_t i = 0; i < FAKE_DOMAINS; i++)
		if (fake.domains[i].there && strcmp(fake.domains[i].uuid, uuid) == 0)
			return &fake.domains[i];
	return NULL;
}

fake_domain *fake_find(const char *name)
{
	for (size_t i = 0; i < FAKE_DOMAINS; i++)
		if (fake.domains[i].there && strcmp(fake.domains[i].name, name) == 0)
			return &fake.domains[i];
	return NULL;
}

size_t fake_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < FAKE_DOMAINS; i++)
		count += fake.domains[i].there;
	return count;
}

static fake_domain *new_domain(const char *name, const char *uuid)
{
	for (size_t i = 0; i < FAKE_DOMAINS; i++) {
		fake_domain *domain = &fake.domains[i];

		if (domain->there)
			continue;
		memset(domain, 0, sizeof(*domain));
		domain->there = true;
		domain->status = HN_UNIT_DEFINED;
		(void)snprintf(domain->name, sizeof(domain->name), "%s", name);
		(void)snprintf(domain->uuid, sizeof(domain->uuid), "%s", uuid);
		return domain;
	}
	return NULL;
}

fake_domain *fake_add_foreign(const char *name, const char *uuid)
{
	return new_domain(name, uuid);
}

static fake_value *value_of(fake_domain *domain, const char *key, bool add)
{
	for (size_t i = 0; i < domain->count; i++)
		if (strcmp(domain->values[i].key, key) == 0)
			return &domain->values[i];
	if (!add || domain->count == FAKE_VALUES)
		return NULL;
	(void)snprintf(domain->values[domain->count].key, FAKE_TEXT, "%s", key);
	domain->values[domain->count].has_live = false;
	domain->values[domain->count].has_persistent = false;
	return &domain->values[domain->count++];
}

static void put(char to[FAKE_TEXT], bool *has, const char *text)
{
	*has = text != NULL;
	(void)snprintf(to, FAKE_TEXT, "%s", text ? text : "");
}

const char *fake_live(const char *name, const char *key)
{
	fake_domain *domain = fake_find(name);
	fake_value *value = domain ? value_of(domain, key, false) : NULL;

	return value && value->has_live ? value->live : NULL;
}

const char *fake_persistent(const char *name, const char *key)
{
	fake_domain *domain = fake_find(name);
	fake_value *value = domain ? value_of(domain, key, false) : NULL;

	return value && value->has_persistent ? value->persistent : NULL;
}

void fake_set(const char *name, const char *key, const char *live, const char *persistent)
{
	fake_domain *domain = fake_find(name);
	fake_value *value = domain ? value_of(domain, key, true) : NULL;

	if (!value)
		return;
	put(value->live, &value->has_live, live);
	put(value->persistent, &value->has_persistent, persistent);
}

static bool active(const fake_domain *domain)
{
	return domain->status == HN_UNIT_RUNNING || domain->status == HN_UNIT_PAUSED;
}

/* --- faults --- */

static int dead_error(hn_error **err)
{
	return base_error(err, HN_EDRIVER, "fake", NULL, "the process is dead");
}

static void die(void)
{
	fake.dead = true;
	if (fake.died)
		fake.died(fake.arg);
}

/* Before an effect. */
static int write_begins(hn_error **err)
{
	const fake_fault *fault = &fake.fault;

	if (fake.dead)
		return dead_error(err);
	fake.writes++;
	if (fault->die_at == fake.writes && !fault->die_after) {
		die();
		return dead_error(err);
	}
	if ((fault->fail_at != 0 && fake.writes == fault->fail_at) ||
		(fault->fail_from != 0 && fake.writes >= fault->fail_from &&
			fake.writes <= fault->fail_to))
		return base_error(err, HN_EDRIVER, "fake", NULL, "write %u fails", fake.writes);
	return 0;
}

static int write_ends(hn_error **err)
{
	if (fake.fault.die_at == fake.writes && fake.fault.die_after) {
		die();
		return dead_error(err);
	}
	return 0;
}

/* --- what a hypervisor would show of a view --- */

static bool observed(const char *key)
{
	static const char *const patterns[] = {"compute.units", "compute.limit", "compute.vcpus",
		"memory.size", "memory.max", "memory.balloon", "disks.*", "nics.*", "boot.cmdline",
		"boot.kernel", "console", "watchdog", "rng", "cpu.model", "storage.iops"};

	for (size_t i = 0; i < BASE_COUNT(patterns); i++)
		if (base_glob(patterns[i], key))
			return true;
	return false;
}

static void shown(const machine_unit *unit, const char *key, const char *text, char out[FAKE_TEXT])
{
	const char *size = text;

	if (strcmp(key, "compute.vcpus") == 0 && strcmp(text, "auto") == 0)
		(void)snprintf(out, FAKE_TEXT, "%u", (unsigned)unit->frozen.vcpus);
	else if (strcmp(key, "memory.max") == 0 && strcmp(text, "size") == 0 &&
		 hn_view_get_text(unit->view, "memory.size", &size, NULL) >= 0)
		(void)snprintf(out, FAKE_TEXT, "%s", size);
	else
		(void)snprintf(out, FAKE_TEXT, "%s", text);
}

static void fill_domain(fake_domain *domain, const machine_unit *unit, bool live)
{
	const char *name, *text;
	const hn_key *row;
	char out[FAKE_TEXT];

	for (size_t i = 0; i < domain->count; i++)
		domain->values[i].has_persistent = false;
	for (size_t i = 0; hn_view_key_at(unit->view, i, &name, &row) >= 0; i++) {
		fake_value *value;

		if (!observed(name) || hn_view_get_text(unit->view, name, &text, NULL) < 0)
			continue;
		shown(unit, name, text, out);
		value = value_of(domain, name, true);
		if (!value)
			continue;
		put(value->persistent, &value->has_persistent, out);
		if (live)
			put(value->live, &value->has_live, out);
	}
}

static void take_persistent(fake_domain *domain)
{
	for (size_t i = 0; i < domain->count; i++) {
		fake_value *value = &domain->values[i];

		put(value->live, &value->has_live,
			value->has_persistent ? value->persistent : NULL);
	}
}

static void drop_live(fake_domain *domain)
{
	for (size_t i = 0; i < domain->count; i++)
		domain->values[i].has_live = false;
}

/* --- the room's functions --- */

int machine_open(hn_os *os, const machine_options *options, machine **out, hn_error **err)
{
	machine *made;

	(void)os;
	(void)options;
	if (fake.dead)
		return dead_error(err);
	if (fake.busy) {
		int rc = base_error(err, HN_EBUSY, "fake", NULL, "owned by process 4711 (virsh)");

		base_error_fact_number(err, "pid", 4711);
		base_error_fact(err, "program", "virsh");
		return rc;
	}
	made = base_calloc(1, sizeof(*made));
	if (!made)
		return base_nomem(err);
	fake.opens++;
	*out = made;
	return 0;
}

void machine_close(machine *m)
{
	base_free(m);
}

int machine_fact_at(machine *m, size_t index, hn_fact *fact)
{
	(void)m;
	if (index > 0)
		return HN_ENOENT;
	*fact = (hn_fact){.name = "driver", .text = "fake"};
	return 0;
}

hn_accelerator machine_accelerator(const machine *m)
{
	(void)m;
	return HN_ACCELERATOR_TCG;
}

bool machine_enforces_weight(const machine *m, const char **why_not)
{
	(void)m;
	if (why_not)
		*why_not = "";
	return true;
}

int machine_check(machine *m, const machine_unit *unit, hn_error **err)
{
	(void)m;
	if (fake.dead)
		return dead_error(err);
	if (fake.no_check || (fake.no_check_of && strcmp(fake.no_check_of, unit->name) == 0))
		return base_error(err, HN_EXML, "fake", NULL, "the schema refuses %s", unit->name);
	return 0;
}

int machine_define(const base_permit *permit, machine *m, const machine_unit *unit,
	char **machine_type, hn_error **err)
{
	fake_domain *domain;
	int rc = permit->audit != 0
			 ? write_begins(err)
			 : base_error(err, HN_EDENIED, "fake", NULL, "there is no permit");

	(void)m;
	if (rc < 0)
		return rc;
	domain = by_uuid(unit->uuid);
	if (!domain && fake_find(unit->name))
		return base_error(err, HN_EEXIST, "fake", NULL, "a domain of this name exists");
	if (!domain)
		domain = new_domain(unit->name, unit->uuid);
	if (!domain)
		return base_error(err, HN_ELIMIT, "fake", NULL, "the world is full");
	domain->ours = true;
	domain->generation = unit->generation;
	(void)snprintf(domain->digest, sizeof(domain->digest), "%s", unit->digest);
	fill_domain(domain, unit, false);
	rc = write_ends(err);
	if (rc < 0)
		return rc;
	*machine_type = base_strdup("pc-fake-1.0");
	return *machine_type ? 0 : base_nomem(err);
}

int machine_undefine(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	fake_domain *domain;
	int rc = write_begins(err);

	(void)permit;
	(void)m;
	if (rc < 0)
		return rc;
	domain = by_uuid(uuid);
	if (domain && active(domain))
		return base_error(err, HN_EBUSY, "fake", NULL, "it runs");
	if (domain)
		domain->there = false;
	return write_ends(err);
}

int machine_disks_remove(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	fake_domain *domain;
	int rc = write_begins(err);

	(void)permit;
	(void)m;
	if (rc < 0)
		return rc;
	domain = by_uuid(uuid);
	if (domain && domain->there)
		return base_error(err, HN_EBUSY, "fake", NULL, "it is defined");
	return write_ends(err);
}

/* As a guest would read its disk. */
static int take_secrets(fake_domain *domain, const machine_unit *unit, hn_error **err)
{
	const char *name;
	ssize_t size;

	domain->secrets_size = 0;
	if (hn_view_get_item(unit->view, "secrets", 0, &name) < 0)
		return 0;
	if (!unit->secrets)
		return base_error(err, HN_EINVAL, "fake", NULL, "it is started without secrets");
	size = pread(*unit->secrets, domain->secrets, sizeof(domain->secrets), 0);
	if (size < 0)
		return base_error(err, HN_EIO, "fake", NULL, "its secrets cannot be read");
	domain->secrets_size = (size_t)size;
	return 0;
}

int machine_start(const base_permit *permit, machine *m, const machine_unit *unit,
	const hn_start_options *options, machine_boot *boot, hn_error **err)
{
	fake_domain *domain = by_uuid(unit->uuid);
	int rc;

	(void)permit;
	(void)m;
	if (domain && active(domain))
		return 1;
	if (options->progress)
		options->progress(options->progress_arg, 0, 3, "phases", "firmware");
	rc = write_begins(err);
	if (rc < 0)
		return rc;
	if (!domain)
		return base_error(err, HN_ENOENT, "fake", NULL, "there is no such domain");
	rc = take_secrets(domain, unit, err);
	if (rc < 0)
		return rc;
	domain->status = HN_UNIT_RUNNING;
	take_persistent(domain);
	boot->ready = !fake.never || options->wait == HN_WAIT_READY;
	rc = write_ends(err);
	return rc < 0 || !fake_says_check(domain->name) ? rc : fake_say_check(boot, err);
}

int machine_stop(const base_permit *permit, machine *m, const char *uuid, int64_t grace, bool force,
	hn_stop_result *result, hn_error **err)
{
	fake_domain *domain = by_uuid(uuid);
	int rc;

	(void)permit;
	(void)m;
	(void)grace;
	if (!domain)
		return base_error(err, HN_ENOENT, "fake", NULL, "there is no such domain");
	result->was_running = active(domain);
	result->forced = force;
	result->detail = force ? "destroyed" : "shutdown";
	if (!active(domain))
		return 0;
	rc = write_begins(err);
	if (rc < 0)
		return rc;
	domain->status = HN_UNIT_STOPPED;
	drop_live(domain);
	return write_ends(err);
}

static int set_status(const char *uuid, hn_unit_status status, hn_error **err)
{
	fake_domain *domain = by_uuid(uuid);
	int rc;

	if (!domain)
		return base_error(err, HN_ENOENT, "fake", NULL, "no domain %s", uuid);
	rc = write_begins(err);
	if (rc < 0)
		return rc;
	domain->status = status;
	return write_ends(err);
}

int machine_pause(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	const fake_domain *domain = by_uuid(uuid);

	(void)permit, (void)m;
	if (domain && !active(domain))
		return base_error(err, HN_EBUSY, "fake", NULL, "unit '%s' is off", domain->name);
	return set_status(uuid, HN_UNIT_PAUSED, err);
}

int machine_resume(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	(void)permit;
	(void)m;
	return set_status(uuid, HN_UNIT_RUNNING, err);
}

int machine_reset(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	(void)permit;
	(void)m;
	return set_status(uuid, HN_UNIT_RUNNING, err);
}

int machine_wait(machine *m, const char *uuid, hn_wait condition, int64_t timeout,
	hn_cancel *cancel, hn_error **err)
{
	(void)m;
	(void)uuid;
	(void)condition;
	(void)cancel;
	if (!fake.never)
		return 0;
	hn_os_sim_advance(fake.never, timeout);
	return base_error(err, HN_ETIMEOUT, "machine", NULL, "it is not so yet");
}

/* Keys of one device come and go together. */
static void change_device(fake_domain *domain, const machine_unit *unit, const char *key, bool come)
{
	size_t size = (size_t)(strchr(strchr(key, '.') + 1, '.') - key) + 1;
	const char *name, *text;
	const hn_key *row;

	for (size_t i = 0; i < domain->count; i++)
		if (strncmp(domain->values[i].key, key, size) == 0)
			domain->values[i].has_live = domain->values[i].has_persistent = false;
	for (size_t i = 0; come && hn_view_key_at(unit->view, i, &name, &row) >= 0; i++)
		if (strncmp(name, key, size) == 0 &&
			hn_view_get_text(unit->view, name, &text, NULL) >= 0)
			fake_set(domain->name, name, text, text);
}

int machine_change(const base_permit *permit, machine *m, const machine_unit *unit, const char *key,
	const char *old_text, const char *new_text, hn_error **err)
{
	fake_domain *domain = by_uuid(unit->uuid);
	int rc;

	(void)permit;
	(void)m;
	if (fake.dead)
		return dead_error(err);
	if (!observed(key)) /* only our own bookkeeping */
		return 0;
	rc = write_begins(err);
	if (rc < 0)
		return rc;
	if (!domain)
		return base_error(err, HN_ENOENT, "fake", NULL, "there is no such domain");
	if ((strncmp(key, "disks.", 6) == 0 || strncmp(key, "nics.", 5) == 0) &&
		(!old_text || !new_text))
		change_device(domain, unit, key, new_text != NULL);
	else
		fake_set(domain->name, key, active(domain) ? new_text : NULL, new_text);
	return write_ends(err);
}

static int no(char **why, const char *text, hn_error **err)
{
	*why = base_strdup(text);
	return *why ? 0 : base_nomem(err);
}

int machine_hot_possible(machine *m, const machine_unit *unit, const char *key,
	const char *old_text, const char *new_text, char **why, hn_error **err)
{
	int64_t now = 0, most = 0;
	const char *balloon = "off";

	(void)m;
	if (strcmp(key, "memory.size") == 0) {
		(void)hn_view_get_text(unit->view, "memory.balloon", &balloon, NULL);
		(void)hn_view_get_int(unit->view, "memory.size", &now, NULL);
		if (hn_view_get_int(unit->view, "memory.max", &most, NULL) < 0)
			most = 0;
		if (strcmp(balloon, "off") == 0)
			return no(why, "the balloon is off", err);
		return now <= most ? 1 : no(why, "above memory.max", err);
	}
	if (!old_text || !new_text)
		return fake.no_slots ? no(why, "no slot is free", err) : 1;
	return no(why, "this driver has no way to", err);
}

/* --- observing --- */

static int add_value(machine_real *real, const char *key, const char *live, const char *persistent)
{
	char *texts[3] = {base_strdup(key), live ? base_strdup(live) : NULL,
		persistent ? base_strdup(persistent) : NULL};

	if (!texts[0] || (live && !texts[1]) || (persistent && !texts[2])) {
		for (size_t i = 0; i < 3; i++)
			base_free(texts[i]);
		return HN_ENOMEM;
	}
	real->values[real->count].key = texts[0];
	real->values[real->count].live = texts[1];
	real->values[real->count].persistent = texts[2];
	real->count++;
	return 0;
}

static void fill_head(const fake_domain *domain, machine_real *real)
{
	memcpy(real->uuid, domain->uuid, sizeof(real->uuid));
	memcpy(real->name, domain->name, sizeof(real->name));
	real->status = domain->status;
	real->ready = active(domain) ? 1 : -1;
	real->ours = domain->ours;
	real->elsewhere = domain->elsewhere;
	memcpy(real->digest, domain->digest, sizeof(real->digest));
	real->generation = domain->generation;
	real->pid = active(domain) ? 4711 : 0;
	real->unenforced = domain->unenforced;
}

static machine_real *new_real(void)
{
	machine_real *real = base_calloc(1, sizeof(*real));

	if (!real)
		return NULL;
	real->values = base_calloc(FAKE_VALUES, sizeof(*real->values));
	if (!real->values) {
		base_free(real);
		return NULL;
	}
	return real;
}

int machine_observe(machine *m, const char *uuid, machine_real **out, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	fake_domain *domain = by_uuid(uuid);

	if (fake.asked)
		fake.asked(fake.arg);
	(void)m;
	if (fake.dead)
		return dead_error(err);
	if (!domain)
		return base_error(err, HN_ENOENT, "fake", NULL, "there is no domain %s", uuid);
	real = new_real();
	if (!real)
		return base_nomem(err);
	fill_head(domain, real);
	for (size_t i = 0; i < domain->count; i++) {
		const fake_value *value = &domain->values[i];

		if (!value->has_live && !value->has_persistent)
			continue;
		if (add_value(real, value->key, value->has_live ? value->live : NULL,
			    value->has_persistent ? value->persistent : NULL) < 0)
			return base_nomem(err);
	}
	*out = BASE_STEAL(real);
	return 0;
}

int machine_expect(machine *m, const machine_unit *unit, machine_real **expected, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = new_real();
	const char *name, *text;
	const hn_key *row;
	char out[FAKE_TEXT];
	int rc;

	(void)m;
	if (!real)
		return base_nomem(err);
	for (size_t i = 0; (rc = hn_view_key_at(unit->view, i, &name, &row)) >= 0; i++) {
		rc = observed(name) ? hn_view_get_text(unit->view, name, &text, NULL) : HN_ENOENT;
		if (rc >= 0) {
			shown(unit, name, text, out);
			rc = add_value(real, name, out, out);
		}
		if (rc == HN_ENOMEM)
			break;
	}
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	*expected = BASE_STEAL(real);
	return 0;
}

void machine_real_free(machine_real *real)
{
	if (!real)
		return;
	for (size_t i = 0; i < real->count; i++) {
		base_free(real->values[i].key);
		base_free(real->values[i].live);
		base_free(real->values[i].persistent);
	}
	base_free(real->values);
	base_free(real);
}

int machine_list(
	machine *m, int (*each)(void *arg, const machine_real *real), void *arg, hn_error **err)
{
	(void)m;
	if (fake.dead)
		return dead_error(err);
	for (size_t i = 0; i < FAKE_DOMAINS; i++) {
		machine_real real = {0};
		int rc;

		if (!fake.domains[i].there)
			continue;
		fill_head(&fake.domains[i], &real);
		rc = each(arg, &real);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int machine_sweep(machine *m, const char *const *keep, size_t count, bool dry, hn_error **err)
{
	size_t used = 0;

	(void)m;
	if (fake.dead)
		return dead_error(err);
	if (fake.no_sweep)
		return base_error(err, HN_EIO, "fake", NULL, "a directory cannot be read");
	if (dry)
		return 0;
	fake.sweeps++;
	fake.kept[0] = '\0';
	for (size_t i = 0; i < count && used < sizeof(fake.kept); i++)
		used += (size_t)snprintf(
			fake.kept + used, sizeof(fake.kept) - used, "%s ", keep[i]);
	return 0;
}

/* --- what plans do not use --- */

int machine_step(machine *m, int64_t timeout, void (*each)(void *arg, const machine_event *event),
	void *arg, hn_error **err)
{
	(void)m;
	(void)timeout;
	(void)each;
	(void)arg;
	(void)err;
	fake.steps++;
	return 0;
}

int machine_boot_of(machine *m, const char *uuid, machine_boot *boot)
{
	(void)m;
	(void)uuid;
	(void)boot;
	return HN_ENOENT;
}

int machine_console_open(const base_permit *permit, hn_os *os, const machine_options *options,
	const char *called, const char *uuid, int *fd, os_lock **held, hn_error **err)
{
	int ends[2], rc;

	(void)os, (void)options, (void)uuid;
	if (fake.waited)
		fake.waited(fake.arg);
	rc = base_permit_live(permit, err);
	if (rc < 0)
		return rc;
	if (!fake.console || fake.client_count == FAKE_CONSOLES)
		return base_error(err, HN_ENOSUP, "fake", NULL, "%s has no console", called);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return base_error_errno(err, "fake", errno, "no pair of sockets");
	fake.clients[fake.client_count++] = ends[1];
	*fd = ends[0];
	*held = NULL;
	return 0;
}

int64_t machine_log_read(hn_os *os, const char *root, const char *uuid, uint64_t offset,
	void *bytes, size_t size, hn_error **err)
{
	(void)os, (void)root, (void)uuid, (void)offset;
	(void)bytes, (void)size, (void)err;
	return 0;
}

int machine_peek(hn_os *os, const char *root, const char *name, const char *uuid,
	hn_unit_status *status, hn_error **err)
{
	const fake_domain *domain = by_uuid(uuid);

	(void)os;
	(void)root;
	(void)name;
	if (!domain)
		return base_error(err, HN_ENOENT, "fake", NULL, "nothing is known");
	*status = domain->status;
	return 0;
}

const char *hn_unit_status_name(hn_unit_status status)
{
	static const char *const names[] = {"absent", "defined", "starting", "running", "paused",
		"stopping", "stopped", "crashed", "unreachable"};

	return (size_t)status < BASE_COUNT(names) ? names[status] : "unknown";
}

int hn_domain_xml_write(const hn_view *view, const hn_frozen *frozen, hn_accelerator accelerator,
	const char *unit_dir, char **xml, hn_error **err)
{
	(void)view;
	(void)frozen;
	(void)accelerator;
	(void)unit_dir;
	(void)xml;
	return base_error(err, HN_ENOSUP, "fake", NULL, "there is no XML");
}

int hn_machine_probe(const hn_probe_options *options, hn_probe **probe, hn_error **err)
{
	(void)options;
	(void)probe;
	return base_error(err, HN_ENOSUP, "fake", NULL, "there is nothing to probe");
}

hn_probe *hn_probe_free(hn_probe *probe)
{
	(void)probe;
	return NULL;
}

hn_accelerator hn_probe_accelerator(const hn_probe *probe)
{
	(void)probe;
	return HN_ACCELERATOR_TCG;
}
