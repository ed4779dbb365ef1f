/* SPDX-License-Identifier: MIT
 *
 * Consoles of the embedded driver: had without the machine, by one client at a time who is named to
 * the next.
 */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char root[48], dir[256];
static int guest = -1;

static void make_root(void)
{
	strcpy(root, "/tmp/hn-console-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	machine_unit_dir(root, UUID, dir);
	cr_assert_eq(os_mkdirs(hn_os_real(), dir, 0700, NULL), 0);
}

static void remove_root(void)
{
	if (guest >= 0)
		(void)close(guest);
	os_remove_tree(hn_os_real(), root, NULL);
}

TestSuite(console, .init = make_root, .fini = remove_root, .timeout = 60);

/* What a hypervisor does. */
static void listen_as_guest(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/console.sock", dir);
	guest = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_geq(guest, 0);
	cr_assert_eq(bind(guest, (const struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(guest, 4), 0);
}

typedef struct caller {
	int fd;
	os_lock *held;
	hn_error *err;
} caller;

static int connect_by(hn_os *os, hn_verb verb, const char *uri, caller *client)
{
	base_permit may = {.verb = verb, .deadline = INT64_MAX};
	machine_options options = {.uri = uri, .root = root, .program = "tester"};

	*client = (caller){.fd = -1};
	(void)snprintf(may.objects[0], sizeof(may.objects[0]), "unit/%s", UUID);
	return machine_console_open(
		&may, os, &options, "web-1", UUID, &client->fd, &client->held, &client->err);
}

static int open_line(caller *client)
{
	return connect_by(hn_os_real(), HN_VERB_UNIT_CONSOLE, NULL, client);
}

static void leave(caller *client)
{
	if (client->fd >= 0)
		(void)close(client->fd);
	os_lock_release(client->held);
	client->err = hn_error_unref(client->err);
}

static void expect_words(const caller *client, const char *words)
{
	cr_expect_not_null(
		strstr(hn_error_message(client->err), words), "%s", hn_error_message(client->err));
	cr_expect_eq(client->fd, -1, "untouched on failure");
	cr_expect_null(client->held);
}

Test(console, is_had_while_another_process_owns_the_machine)
{
	os_lock *owner = NULL;
	char path[64], byte = 0;
	caller one;
	int end;

	listen_as_guest();
	(void)snprintf(path, sizeof(path), "%s/lock", root);
	cr_assert_eq(os_lock_take(hn_os_real(), path, "owner", 0, NULL, &owner, NULL), 0);
	cr_assert_eq(open_line(&one), 0, "%s", hn_error_message(one.err));
	end = accept(guest, NULL, NULL);
	cr_assert_geq(end, 0);
	cr_expect_eq(write(end, "x", 1), 1);
	cr_expect_eq(read(one.fd, &byte, 1), 1);
	cr_expect_eq(byte, 'x');
	(void)close(end);
	leave(&one);
	os_lock_release(owner);
}

/* And takes the lock of nobody who wants to own it. */
Test(console, leaves_the_machine_to_others)
{
	os_lock *owner = NULL;
	char path[64];
	caller one;

	listen_as_guest();
	cr_assert_eq(open_line(&one), 0, "%s", hn_error_message(one.err));
	(void)snprintf(path, sizeof(path), "%s/lock", root);
	cr_expect_eq(os_lock_take(hn_os_real(), path, "owner", 0, NULL, &owner, NULL), 0);
	os_lock_release(owner);
	leave(&one);
}

Test(console, names_who_has_it)
{
	caller one, two;
	hn_fact pid, program;

	listen_as_guest();
	cr_assert_eq(open_line(&one), 0, "%s", hn_error_message(one.err));
	cr_expect_eq(open_line(&two), HN_EBUSY);
	expect_words(&two, "the console of 'web-1' is in use by tester, process ");
	cr_assert_eq(hn_error_fact(two.err, 0, &pid), 0);
	cr_assert_eq(hn_error_fact(two.err, 1, &program), 0);
	cr_expect_str_eq(pid.name, "pid");
	cr_expect_eq(pid.number, getpid());
	cr_expect_str_eq(program.text, "tester");
	leave(&two);
	leave(&one);
	cr_expect_eq(open_line(&two), 0, "%s", hn_error_message(two.err));
	leave(&two);
}

Test(console, of_a_unit_that_is_off)
{
	caller one;

	cr_expect_eq(open_line(&one), HN_EBUSY);
	expect_words(&one, "unit 'web-1' is stopped");
	leave(&one);
	/* a socket that nobody listens at any more; nothing is held by who was refused */
	listen_as_guest();
	(void)close(guest);
	guest = -1;
	cr_expect_eq(open_line(&one), HN_EBUSY);
	expect_words(&one, "unit 'web-1' is stopped");
	leave(&one);
	cr_expect_eq(os_remove_tree(hn_os_real(), dir, NULL), 0);
	cr_expect_eq(open_line(&one), HN_EBUSY);
	expect_words(&one, "unit 'web-1' is stopped");
	leave(&one);
}

Test(console, of_a_driver_without_one)
{
	static const char *const uris[] = {"test:///n.xml", "qemu:///system", "nonsense:"};
	caller one;

	listen_as_guest();
	for (size_t i = 0; i < BASE_COUNT(uris); i++) {
		cr_expect_eq(connect_by(hn_os_real(), HN_VERB_UNIT_CONSOLE, uris[i], &one),
			HN_ENOSUP, "%s", uris[i]);
		expect_words(&one, "has no console");
		leave(&one);
	}
}

Test(console, needs_its_own_right)
{
	caller one;

	listen_as_guest();
	cr_expect_eq(connect_by(hn_os_real(), HN_VERB_UNIT_READ, NULL, &one), HN_EDENIED);
	leave(&one);
}

/* --- waiting for it --- */

typedef struct watch {
	int looks, denied_at; /* the look at which the right is over; 0: never */
	caller *leaving;      /* at the first look; NULL: nobody */
	hn_cancel *cancel;    /* triggered at the first look; NULL: none */
} watch;

static int look(const base_permit *permit, hn_error **err)
{
	watch *w = permit->recheck_arg;

	if (++w->looks == 1 && w->leaving != NULL)
		leave(w->leaving);
	if (w->looks == 1 && w->cancel != NULL)
		hn_cancel_trigger(w->cancel);
	return w->looks == w->denied_at ? base_error(err, HN_EDENIED, "test", NULL, "over") : 0;
}

/* Far longer than it takes when it is told to go. */
static int wait_for_line(watch *w, caller *client)
{
	base_permit may = {.verb = HN_VERB_UNIT_CONSOLE,
		.deadline = INT64_MAX,
		.recheck = look,
		.recheck_arg = w};
	machine_options options = {.root = root,
		.program = "waiter",
		.lock_wait = 30 * OS_SECOND,
		.cancel = w->cancel};

	*client = (caller){.fd = -1};
	(void)snprintf(may.objects[0], sizeof(may.objects[0]), "unit/%s", UUID);
	return machine_console_open(&may, hn_os_real(), &options, "web-1", UUID, &client->fd,
		&client->held, &client->err);
}

Test(console, is_waited_for_until_the_other_leaves)
{
	caller one, two;
	watch w = {.leaving = &one};

	listen_as_guest();
	cr_assert_eq(open_line(&one), 0, "%s", hn_error_message(one.err));
	cr_expect_eq(wait_for_line(&w, &two), 0, "%s", hn_error_message(two.err));
	cr_expect_geq(two.fd, 0);
	cr_expect_geq(w.looks, 2, "while it waits, and before it is open");
	leave(&two);
}

Test(console, is_not_waited_for_by_a_right_that_is_over)
{
	caller one, two;
	watch w = {.denied_at = 2};

	listen_as_guest();
	cr_assert_eq(open_line(&one), 0, "%s", hn_error_message(one.err));
	cr_expect_eq(wait_for_line(&w, &two), HN_EDENIED);
	expect_words(&two, "over");
	leave(&two);
	leave(&one);
}

/* The other left, and with him the right. */
Test(console, is_not_opened_by_a_right_that_ended_meanwhile)
{
	caller one, two, three;
	watch w = {.leaving = &one, .denied_at = 2};

	listen_as_guest();
	cr_assert_eq(open_line(&one), 0, "%s", hn_error_message(one.err));
	cr_expect_eq(wait_for_line(&w, &two), HN_EDENIED);
	expect_words(&two, "over");
	leave(&two);
	cr_expect_eq(open_line(&three), 0, "%s", hn_error_message(three.err));
	leave(&three);
}

Test(console, is_waited_for_until_that_is_cancelled)
{
	caller one, two;
	watch w = {0};

	listen_as_guest();
	cr_assert_eq(hn_cancel_new(&w.cancel, NULL), 0);
	cr_assert_eq(open_line(&one), 0, "%s", hn_error_message(one.err));
	cr_expect_eq(wait_for_line(&w, &two), HN_ECANCELLED);
	expect_words(&two, "web-1");
	cr_expect_eq(w.looks, 1);
	leave(&two);
	leave(&one);
	hn_cancel_unref(w.cancel);
}

/* --- what an error calls the unit --- */

static int no_file(hn_os *os, const char *path, int flags, mode_t mode)
{
	return (flags & O_CREAT) != 0 ? -EACCES : hn_os_real()->ops->open(os, path, flags, mode);
}

static void expect_hidden(const caller *client)
{
	const char *message = hn_error_message(client->err);

	expect_words(client, "web-1");
	cr_expect_null(strstr(message, UUID), "%s", message);
	cr_expect_null(strstr(message, root), "%s", message);
	cr_expect_null(hn_error_cause(client->err));
}

/* Its directory is called by its uuid, which who knows its name may not know. */
Test(console, calls_the_unit_as_the_caller_did)
{
	hn_os_ops ops = *hn_os_real()->ops;
	hn_os os = {.ops = &ops};
	base_permit may = {.verb = HN_VERB_UNIT_CONSOLE, .deadline = INT64_MAX};
	machine_options options = {.root = root, .program = "tester"};
	caller one = {.fd = -1};

	cr_expect_eq(open_line(&one), HN_EBUSY);
	expect_hidden(&one);
	leave(&one);
	listen_as_guest();
	ops.open = no_file;
	cr_expect_eq(connect_by(&os, HN_VERB_UNIT_CONSOLE, NULL, &one), HN_EDENIED);
	expect_hidden(&one);
	leave(&one);
	(void)snprintf(may.objects[0], sizeof(may.objects[0]), "unit/%s", UUID);
	cr_assert_eq(hn_cancel_new(&options.cancel, NULL), 0);
	hn_cancel_trigger(options.cancel);
	cr_expect_eq(machine_console_open(&may, hn_os_real(), &options, "web-1", UUID, &one.fd,
			     &one.held, &one.err),
		HN_ECANCELLED);
	expect_hidden(&one);
	leave(&one);
	hn_cancel_unref(options.cancel);
}

/* No room for another file. */
static int full(hn_os *os, const char *path, int flags, mode_t mode)
{
	return (flags & O_CREAT) != 0 ? -ENOSPC : hn_os_real()->ops->open(os, path, flags, mode);
}

/* It may be what mends that. */
Test(console, is_had_on_a_full_disk)
{
	hn_os_ops ops = *hn_os_real()->ops;
	hn_os os = {.ops = &ops};
	caller one;

	ops.open = full;
	listen_as_guest();
	cr_assert_eq(connect_by(&os, HN_VERB_UNIT_CONSOLE, NULL, &one), 0, "%s",
		hn_error_message(one.err));
	cr_expect_geq(one.fd, 0);
	cr_expect_null(one.held);
	leave(&one);
}
