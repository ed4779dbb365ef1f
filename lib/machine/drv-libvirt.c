/* SPDX-License-Identifier: MIT
 *
 * The life cycle of domains through libvirt; shared by its drivers.
 */
#include "machine/drv-libvirt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The element that a schema error is about: "Element domain has extra content: memoryy". */
static void schema_element(hn_error **err, const char *message)
{
	static const char *const marks[] = {
		"extra content: ", "not expect element ", "lement ", "attribute "};
	char name[64];

	for (size_t i = 0; i < BASE_COUNT(marks); i++) {
		const char *at = strstr(message, marks[i]);
		size_t size;

		if (at == NULL)
			continue;
		at += strlen(marks[i]);
		at += strspn(at, "'\"<");
		size = strcspn(at, " '\">:\n");
		snprintf(name, sizeof(name), "%.*s", (int)(size < 63 ? size : 63), at);
		base_error_fact(err, "element", name);
		return;
	}
}

int virt_error(hn_error **err, const char *format, ...)
{
	BASE_AUTO_BUF base_buf what = {0};
	virErrorPtr last = lv.virGetLastError();
	hn_code code = HN_EDRIVER;
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&what, format, arguments);
	va_end(arguments);
	if (what.failed)
		return base_nomem(err);
	if (last == NULL)
		return base_error(err, HN_EDRIVER, MACHINE_ROOM, NULL, "%s", what.data);
	if (last->code == VIR_ERR_NO_DOMAIN)
		code = HN_ENOENT;
	else if (last->code == VIR_ERR_XML_INVALID_SCHEMA || last->code == VIR_ERR_XML_ERROR ||
		 last->code == VIR_ERR_XML_DETAIL)
		code = HN_EXML;
	else if (last->code == VIR_ERR_NO_SUPPORT)
		code = HN_ENOSUP;
	else if (last->code == VIR_ERR_OPERATION_TIMEOUT)
		code = HN_ETIMEOUT;
	else if (last->code == VIR_ERR_SYSTEM_ERROR && last->int1 == ENOSPC)
		code = HN_ENOSPC;
	else if (last->code == VIR_ERR_NO_MEMORY)
		return base_nomem(err);
	base_error(err, code, MACHINE_ROOM,
		code == HN_ENOSPC ? "free space on its file system, then try again" : NULL,
		"%s: %s%s", what.data, code == HN_ENOSPC ? "no space left: " : "",
		last->message == NULL ? "no reason given" : last->message);
	base_error_fact_number(err, "libvirt-code", last->code);
	base_error_fact_number(err, "libvirt-domain", last->domain);
	if (code == HN_EXML && last->message != NULL)
		schema_element(err, last->message);
	return code;
}

static bool brief_of(virDomainPtr domain, machine_brief *brief)
{
	const char *name = lv.virDomainGetName(domain);

	if (name == NULL || lv.virDomainGetUUIDString(domain, brief->uuid) < 0)
		return false;
	snprintf(brief->name, sizeof(brief->name), "%.63s", name);
	return true;
}

int virt_facts(machine *m, hn_error **err)
{
	virt *v = m->driver;
	unsigned long version;

	(void)err;
	if (lv.virGetVersion(&version, NULL, NULL) == 0)
		machine_fact_add(m, "libvirt", "%lu.%lu.%lu", version / 1000000,
			version / 1000 % 1000, version % 1000);
	if (lv.virConnectGetVersion(v->connection, &version) != 0)
		version = 0;
	m->hypervisor = version;
	if (version != 0)
		machine_fact_add(m, "hypervisor", "%lu.%lu.%lu", version / 1000000,
			version / 1000 % 1000, version % 1000);
	lv.virResetLastError();
	return 0;
}

/* By the command line that a guest would be started with: what the configuration asks for, and QEMU
 * can. libvirt asks QEMU for that, which takes seconds where it has not yet. */
void virt_slow_facts(machine *m)
{
	static const char guest[] = "<domain type='qemu'><name>hypernix-probe</name>"
				    "<memory unit='KiB'>65536</memory>"
				    "<os><type>hvm</type></os></domain>";
	virt *v = m->driver;
	char *line = NULL;

	if ((m->ops->flags & MACHINE_REAL) == 0)
		return;
	if (virt_usable(m, NULL) == 0)
		line = lv.virConnectDomainXMLToNative(v->connection, "qemu-argv", guest, 0);
	machine_fact_add(m, "seccomp", "%s",
		line == NULL                           ? "unknown"
		: strstr(line, " -sandbox on") != NULL ? "on"
						       : "off");
	free(line); /* libvirt's memory */
	lv.virResetLastError();
}

int virt_lookup(machine *m, const char *uuid, virDomainPtr *domain, hn_error **err)
{
	virt *v = m->driver;
	int result = virt_usable(m, err);

	if (result < 0)
		return result;
	*domain = lv.virDomainLookupByUUIDString(v->connection, uuid);
	return *domain == NULL ? virt_error(err, "no domain %s", uuid) : 0;
}

static void state_of(int state, int reason, machine_brief *brief)
{
	static const struct {
		hn_unit_status status;
		const char *detail;
	} off[] = {
		[VIR_DOMAIN_SHUTOFF_UNKNOWN] = {HN_UNIT_DEFINED, "defined"},
		[VIR_DOMAIN_SHUTOFF_SHUTDOWN] = {HN_UNIT_STOPPED, "shutdown"},
		[VIR_DOMAIN_SHUTOFF_DESTROYED] = {HN_UNIT_STOPPED, "destroyed"},
		[VIR_DOMAIN_SHUTOFF_CRASHED] = {HN_UNIT_CRASHED, "crashed"},
		[VIR_DOMAIN_SHUTOFF_MIGRATED] = {HN_UNIT_STOPPED, "migrated"},
		[VIR_DOMAIN_SHUTOFF_SAVED] = {HN_UNIT_STOPPED, "saved"},
		[VIR_DOMAIN_SHUTOFF_FAILED] = {HN_UNIT_CRASHED, "failed"},
	};

	brief->status = HN_UNIT_RUNNING;
	brief->detail = "running";
	if (state == VIR_DOMAIN_PAUSED || state == VIR_DOMAIN_PMSUSPENDED) {
		brief->status =
			reason == VIR_DOMAIN_PAUSED_STARTING_UP ? HN_UNIT_STARTING : HN_UNIT_PAUSED;
		brief->detail = reason == VIR_DOMAIN_PAUSED_IOERROR ? "io-error" : "paused";
	} else if (state == VIR_DOMAIN_SHUTDOWN) {
		brief->status = HN_UNIT_STOPPING;
		brief->detail = "shutdown";
	} else if (state == VIR_DOMAIN_CRASHED) {
		brief->status = HN_UNIT_CRASHED;
		brief->detail = "panicked";
	} else if (state == VIR_DOMAIN_SHUTOFF) {
		bool known = reason >= 0 && (size_t)reason < BASE_COUNT(off);

		brief->status = known ? off[reason].status : HN_UNIT_STOPPED;
		brief->detail = known ? off[reason].detail : "stopped";
	}
}

static int brief_state(virDomainPtr domain, machine_brief *brief, hn_error **err)
{
	virDomainControlInfo control = {0};
	int state, reason;

	memset(brief, 0, sizeof(*brief));
	if (!brief_of(domain, brief) || lv.virDomainGetState(domain, &state, &reason, 0) < 0)
		return virt_error(err, "cannot get the state of a domain");
	state_of(state, reason, brief);
	if (brief->status == HN_UNIT_RUNNING &&
		lv.virDomainGetControlInfo(domain, &control, 0) == 0 &&
		control.state == VIR_DOMAIN_CONTROL_ERROR) {
		brief->status = HN_UNIT_UNREACHABLE;
		brief->detail = "monitor-lost";
	}
	lv.virResetLastError();
	return 0;
}

int virt_state(machine *m, const char *uuid, machine_brief *brief, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	return result < 0 ? result : brief_state(domain, brief, err);
}

/* One that went away between the list and here is no failure. But a list that the connection cut
 * short would tell of all others that they are gone. */
static int list_one(virDomainPtr domain, int (*each)(void *arg, const machine_brief *brief),
	void *arg, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	machine_brief brief;
	int result = brief_state(domain, &brief, &why);

	if (result == 0)
		return each(arg, &brief);
	if (result == HN_ENOENT)
		return 0;
	if (err != NULL)
		*err = BASE_STEAL(why);
	return result;
}

int virt_list(
	machine *m, int (*each)(void *arg, const machine_brief *brief), void *arg, hn_error **err)
{
	virt *v = m->driver;
	virDomainPtr *domains = NULL;
	int count, result = virt_usable(m, err);

	if (result < 0)
		return result;
	count = lv.virConnectListAllDomains(v->connection, &domains, 0);
	if (count < 0)
		return virt_error(err, "cannot list domains");
	for (int i = 0; i < count; i++) {
		if (result == 0)
			result = list_one(domains[i], each, arg, err);
		lv.virDomainFree(domains[i]);
	}
	free(domains); /* libvirt's memory */
	return result;
}

int virt_find(machine *m, const char *name, char uuid[37], uint64_t *domains, hn_error **err)
{
	virt *v = m->driver;
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	virErrorPtr last;
	int active, inactive, result = virt_usable(m, err);

	if (result < 0)
		return result;
	active = lv.virConnectNumOfDomains(v->connection);
	inactive = lv.virConnectNumOfDefinedDomains(v->connection);
	if (active < 0 || inactive < 0)
		return virt_error(err, "cannot count domains");
	*domains = (uint64_t)active + (uint64_t)inactive;
	domain = lv.virDomainLookupByName(v->connection, name);
	if (domain != NULL)
		return lv.virDomainGetUUIDString(domain, uuid) == 0
			       ? 1
			       : virt_error(err, "cannot look at domain '%s'", name);
	last = lv.virGetLastError();
	if (last == NULL || last->code != VIR_ERR_NO_DOMAIN)
		return virt_error(err, "cannot look for domain '%s'", name);
	lv.virResetLastError();
	return 0;
}

int virt_define(machine *m, const char *xml, hn_error **err)
{
	virt *v = m->driver;
	unsigned flags = (m->ops->flags & MACHINE_SCHEMA) != 0 ? VIR_DOMAIN_DEFINE_VALIDATE : 0;
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_usable(m, err);

	if (result < 0)
		return result;
	domain = lv.virDomainDefineXMLFlags(v->connection, xml, flags);
	return domain == NULL ? virt_error(err, "the driver refused the domain") : 0;
}

int virt_undefine(machine *m, const char *uuid, hn_error **err)
{
	virt *v = m->driver;
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return lv.virDomainUndefineFlags(domain, v->undefine_flags) < 0
		       ? virt_error(err, "cannot undefine domain %s", uuid)
		       : 0;
}

int virt_start(machine *m, const char *uuid, bool paused, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return lv.virDomainCreateWithFlags(domain, paused ? VIR_DOMAIN_START_PAUSED : 0) < 0
		       ? virt_error(err, "cannot start domain %s", uuid)
		       : 0;
}

/* libvirt duplicates the descriptor and keeps it until another takes its place: it cannot be taken
 * back, but it can be put in place of by one that holds nothing. */
int virt_give(machine *m, const char *uuid, const char *group, int fd, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int nothing = -1, result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	if (fd < 0) {
		nothing = m->os->ops->open(m->os, "/dev/null", O_RDONLY, 0);
		if (nothing < 0)
			return base_error_errno(
				err, MACHINE_ROOM, -nothing, "cannot open /dev/null");
		fd = nothing;
	}
	if (lv.virDomainFDAssociate(domain, group, 1, &fd, 0) < 0)
		result = virt_error(err, "cannot hand a descriptor over to domain %s", uuid);
	if (nothing >= 0)
		m->os->ops->close(m->os, nothing);
	return result;
}

int virt_shutdown(machine *m, const char *uuid, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return lv.virDomainShutdown(domain) < 0
		       ? virt_error(err, "cannot shut domain %s down", uuid)
		       : 0;
}

int virt_kill(machine *m, const char *uuid, bool graceful, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return lv.virDomainDestroyFlags(domain, graceful ? VIR_DOMAIN_DESTROY_GRACEFUL : 0) < 0
		       ? virt_error(err, "cannot end domain %s", uuid)
		       : 0;
}

int virt_pause(machine *m, const char *uuid, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return lv.virDomainSuspend(domain) < 0 ? virt_error(err, "cannot pause domain %s", uuid)
					       : 0;
}

int virt_resume(machine *m, const char *uuid, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return lv.virDomainResume(domain) < 0 ? virt_error(err, "cannot resume domain %s", uuid)
					      : 0;
}

int virt_reset(machine *m, const char *uuid, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return lv.virDomainReset(domain, 0) < 0 ? virt_error(err, "cannot reset domain %s", uuid)
						: 0;
}

/* Queues behind the job that reconnects a re-attached domain's monitor; needs no QMP itself. */
int virt_barrier(machine *m, const char *uuid, hn_error **err)
{
	virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	return lv.virDomainMemoryStats(domain, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0) < 0
		       ? virt_error(err, "domain %s does not answer", uuid)
		       : 0;
}

/* QEMU alone tells a guest that waits to be let go for the first time from one that was paused. */
int virt_never_ran(machine *m, const char *uuid, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	char *answer = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	if (lv.virDomainQemuMonitorCommand(domain, "{\"execute\":\"query-status\"}", &answer, 0) <
		0)
		return virt_error(err, "the monitor of domain %s does not answer", uuid);
	result = strstr(answer, "\"prelaunch\"") != NULL;
	free(answer); /* libvirt's memory */
	return result;
}

int virt_monitor(machine *m, const char *uuid, const char *command, char **answer, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	char *text = NULL;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	if (lv.virDomainQemuMonitorCommand(
		    domain, command, &text, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) < 0)
		return virt_error(err, "the monitor of domain %s does not answer", uuid);
	*answer = base_strdup(text);
	free(text); /* libvirt's memory */
	return *answer == NULL ? base_nomem(err) : 0;
}

int virt_xml(machine *m, const char *uuid, bool live, char **xml, hn_error **err)
{
	VIRT_AUTO_DOMAIN virDomainPtr domain = NULL;
	char *text;
	int result = virt_lookup(m, uuid, &domain, err);

	if (result < 0)
		return result;
	text = lv.virDomainGetXMLDesc(domain, live ? 0 : VIR_DOMAIN_XML_INACTIVE);
	if (text == NULL)
		return virt_error(err, "cannot read the definition of domain %s", uuid);
	*xml = base_strdup(text);
	free(text); /* libvirt's memory */
	return *xml == NULL ? base_nomem(err) : 0;
}
