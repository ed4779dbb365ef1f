/* SPDX-License-Identifier: MIT
 *
 * The host's side of the audit log: who and what a record is about.
 */
#include "host/host-private.h"

#include <unistd.h>

#define LOGIN_UNSET UINT32_MAX

int host_audit_open(hn_host *host, hn_error **err)
{
	return caps_audit_open(host->store, host->node, &host->audit, err);
}

static uint64_t login_uid(hn_host *host)
{
	BASE_AUTO_FREE char *text = NULL;
	size_t size = 0;

	if (os_read_file(host->os, "/proc/self/loginuid", 64, &text, &size, NULL) < 0)
		return LOGIN_UNSET;
	return strtoul(text, NULL, 10);
}

static void read_link(const char *path, char *out, size_t size)
{
	ssize_t length = readlink(path, out, size - 1);

	out[length > 0 ? length : 0] = '\0';
}

static char *describe_process(const hn_session *session)
{
	base_buf text = {0};
	char exe[512], tty[128];

	read_link("/proc/self/exe", exe, sizeof(exe));
	read_link("/proc/self/fd/0", tty, sizeof(tty));
	base_buf_format(&text, "program %s\nexe %s\ntty %s", session->program, exe,
		strncmp(tty, "/dev/", 5) == 0 ? tty : "none");
	return base_buf_take(&text);
}

static int append_opened(hn_host *host, caps_audit_entry *record, const hn_session *session,
	uint64_t *number, hn_error **err)
{
	BASE_AUTO_FREE char *process = describe_process(session);
	caps_audit_opener opener = {
		.uid = (uint64_t)geteuid(),
		.login = login_uid(host),
		.pid = (uint64_t)getpid(),
		.process = process,
	};

	if (!process)
		return base_nomem(err);
	record->opener = &opener;
	return caps_audit_append(host->audit, record, number, err);
}

int host_audit_append(
	hn_host *host, const host_audit_entry *entry, uint64_t *number, hn_error **err)
{
	const hn_session *session = entry->session;
	caps_audit_entry record = {
		.kind = entry->kind,
		.verb = entry->verb,
		.object = entry->object,
		.refers = entry->refers,
		.code = entry->code,
		.has_code = entry->has_code,
	};

	if (!session)
		return caps_audit_append(host->audit, &record, number, err);
	record.session = session->id;
	/* An outcome names the session and the record it belongs to; that record names the rest. */
	if (entry->kind != CAPS_AUDIT_OUTCOME)
		record.subject = session->subject;
	if (entry->kind == CAPS_AUDIT_ALLOW)
		record.reason = session->reason;
	if (entry->kind == CAPS_AUDIT_SESSION_OPENED)
		return append_opened(host, &record, session, number, err);
	return caps_audit_append(host->audit, &record, number, err);
}

int host_audit_verify(hn_host *host, hn_error **err)
{
	return caps_audit_verify(host->audit, err);
}
