/* SPDX-License-Identifier: MIT
 *
 * Gates that look at one unit's machine: its definition, its last boot, the log of its console.
 */
#include "host/boot-record.h"
#include "host/host-private.h"

static int find_accelerator(hn_host *host, hn_accelerator *accelerator, hn_error **err)
{
	hn_probe_options options = HN_PROBE_OPTIONS_INIT;
	hn_probe *probe = NULL;
	int rc;

	if (host->machine) {
		*accelerator = machine_accelerator(host->machine);
		return 0;
	}
	options.accelerator = host->accelerator;
	options.os = host->os;
	rc = hn_machine_probe(&options, &probe, err);
	if (rc < 0)
		return rc;
	*accelerator = hn_probe_accelerator(probe);
	(void)hn_probe_free(probe);
	return 0;
}

static int write_xml(hn_host *host, const hn_unit *unit, char **xml, hn_error **err)
{
	BASE_AUTO_FREE char *directory = NULL;
	base_buf path = {0};
	hn_accelerator accelerator;
	machine_unit made;
	char hex[65];
	int rc;

	if (!unit->desired)
		return base_error(err, HN_ENOSUP, HOST_ROOM, "adopt it first",
			"%s is not ours: nothing would be defined", unit->name);
	rc = find_accelerator(host, &accelerator, err);
	if (rc == 0)
		rc = host_machine_unit(host, unit, unit->desired, hex, &made, err);
	if (rc < 0)
		return rc;
	base_buf_format(&path, "%s/unit/%s", host->root, unit->uuid);
	directory = base_buf_take(&path);
	if (!directory)
		return base_nomem(err);
	return hn_domain_xml_write(unit->desired, &made.frozen, accelerator, directory, xml, err);
}

int hn_unit_xml(hn_session *session, const char *unit, char **xml, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	host_permit permit;
	hn_host *host;
	int rc;

	if (!xml)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the XML");
	rc = host_enter_unit(session, unit, HN_VERB_UNIT_READ, &host, &found, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_answers(&permit, HN_REDACT_ADDRESSES | HN_REDACT_PATHS | HN_REDACT_HARDWARE, err);
	if (rc >= 0)
		rc = write_xml(host, found, xml, err);
	return host_settle(&permit, rc, err);
}

/* The time that passed is no use of a processor. */
static void redact_boot(hn_boot *boot, uint32_t redact)
{
	boot->redacted = (redact & HN_REDACT_USAGE) != 0;
	boot->silent = (redact & BASE_REDACT_TEXTS) != 0;
}

static int read_boot(
	hn_host *host, const hn_unit *unit, uint32_t redact, hn_boot **boot, hn_error **err)
{
	hn_boot *made = base_calloc(1, sizeof(*made));
	int rc = made ? host_boots_read(host, unit->id, made, 1, err) : base_nomem(err);

	if (rc == 0)
		rc = base_error(err, HN_ENOENT, HOST_ROOM, "start it, and wait until it is ready",
			"%s was never started", unit->name);
	if (rc < 0) {
		base_free(made);
		return rc;
	}
	redact_boot(made, redact);
	*boot = made;
	return 0;
}

int hn_unit_boot(hn_session *session, const char *unit, hn_boot **boot, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	host_permit permit;
	hn_host *host;
	int rc;

	if (!boot)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the boot");
	rc = host_enter_unit(session, unit, HN_VERB_UNIT_READ, &host, &found, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = read_boot(host, found, permit.redact, boot, err);
	return host_settle(&permit, rc, err);
}

int64_t hn_unit_log_read(hn_session *session, const char *unit, uint64_t offset, void *bytes,
	size_t size, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	host_permit permit;
	int64_t count;
	hn_host *host;
	int rc;

	if (!bytes && size > 0)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the log");
	rc = host_enter_unit(session, unit, HN_VERB_UNIT_READ, &host, &found, &permit, err);
	if (rc < 0)
		return rc;
	count = host_answers(&permit, HN_REDACT_CONSOLE, err);
	if (count >= 0)
		count = machine_log_read(
			host->os, host->root, found->uuid, offset, bytes, size, err);
	if (count == HN_ENOENT)
		(void)base_error(err, HN_ENOENT, HOST_ROOM, "the first start makes it",
			"%s has no console log", found->name);
	rc = host_settle(&permit, count < 0 ? (int)count : 0, err);
	return rc < 0 ? rc : count;
}
