/* SPDX-License-Identifier: MIT
 *
 * Consoles of guests: a connection that ends with the right it was opened by. Its one descriptor is
 * in a handle that the session knows: whoever gives the handle back leaves the hypervisor, which
 * serves one client at a time, with no copy of ours that keeps it waiting; and a session that ends
 * shuts the connection but leaves the number to its holder, who may be in a read of it.
 */
#include "host/call.h"
#include "host/rights.h"

#include <sys/socket.h>
#include <unistd.h>

void host_console_shut(hn_console *console, hn_error *why)
{
	hn_session *session = console->session;

	if (!session) {
		hn_error_unref(why);
		return;
	}
	(void)shutdown(console->fd, SHUT_RDWR);
	os_lock_release(console->held);
	console->held = NULL;
	console->session = NULL;
	console->why = why;
	for (size_t i = 0; i < session->console_count; i++)
		if (session->consoles[i] == console)
			session->consoles[i] = session->consoles[--session->console_count];
}

hn_console *hn_console_free(hn_console *console)
{
	if (!console)
		return NULL;
	host_console_shut(console, NULL);
	if (console->fd >= 0)
		(void)close(console->fd);
	os_lock_release(console->held);
	hn_error_unref(console->why);
	base_free(console);
	return NULL;
}
BASE_AUTO(hn_console, hn_console_free)

int hn_console_fd(const hn_console *console)
{
	return console->fd;
}

int hn_console_ended(const hn_console *console, hn_error **err)
{
	if (!console->why)
		return 0;
	if (err)
		*err = hn_error_ref(console->why);
	return hn_error_code(console->why);
}

/* The machine stays closed: its one owner at a time would be whoever looks at a console. */
static int connect_to(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const char *called, hn_console *made, hn_error **err)
{
	machine_options options = {
		.uri = host->uri,
		.root = host->root,
		.program = host->program,
		.lock_wait = host->lock_wait,
		.cancel = host->cancel,
	};

	return machine_console_open(
		&permit->base, host->os, &options, called, unit->uuid, &made->fd, &made->held, err);
}

/* A console lasts longer than a call: an operator's session that has one can be seen and cut. */
static int open_console(hn_session *session, const host_permit *permit, const hn_unit *unit,
	const char *called, hn_console **console, hn_error **err)
{
	BASE_AUTO_OF(hn_console) hn_console *made = NULL;
	int rc;

	if (session->console_count == HOST_CONSOLES)
		return base_error(err, HN_ELIMIT, HOST_ROOM, "close one, or open another session",
			"a session holds at most %d consoles", HOST_CONSOLES);
	made = base_calloc(1, sizeof(*made));
	if (!made)
		return base_nomem(err);
	made->fd = -1;
	(void)snprintf(made->object, sizeof(made->object), "%s", permit->base.objects[0]);
	rc = connect_to(session->host, permit, unit, called, made, err);
	if (rc >= 0 && !session->registered)
		rc = host_session_register(session, err);
	if (rc < 0)
		return rc;
	made->session = session;
	session->consoles[session->console_count++] = made;
	*console = BASE_STEAL(made);
	return 0;
}

int hn_unit_console_open(
	hn_session *session, const char *unit, hn_console **console, hn_error **err)
{
	BASE_AUTO_OF(hn_console) hn_console *made = NULL;
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_host *host;
	int rc;

	if (!console)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the console");
	rc = host_call_unit(
		session, unit, HN_VERB_UNIT_CONSOLE, &call, &host, &found, &permit, err);
	if (rc < 0)
		return rc;
	permit.base.cancel = host->cancel;
	rc = host_answers(&permit, HN_REDACT_CONSOLE, err);
	if (rc >= 0)
		rc = open_console(session, &permit, found, unit, &made, err);
	rc = host_settle(&permit, rc, err);
	if (rc >= 0)
		*console = BASE_STEAL(made);
	return rc;
}
