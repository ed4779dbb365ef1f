/* SPDX-License-Identifier: MIT
 *
 * Who is connected, and who logged in.
 */
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

Test(peer, of_a_socket_pair_is_oneself)
{
	os_peer_ids peer;
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	cr_assert_eq(os_peer(ends[0], &peer, NULL), 0);
	cr_assert_eq(peer.pid, getpid());
	cr_assert_eq(peer.uid, geteuid());
	cr_assert_eq(peer.gid, getegid());
}

Test(peer, is_who_connected_and_not_who_writes)
{
	os_peer_ids peer;
	int ends[2];
	pid_t child;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (child == 0)
		_exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_eq(os_peer(ends[0], &peer, NULL), 0);
	cr_assert_eq(peer.pid, getpid());
}

static void refused(int fd)
{
	os_peer_ids peer = {.pid = 7};
	hn_error *err = NULL;

	cr_assert_lt(os_peer(fd, &peer, &err), 0);
	cr_assert_not_null(err);
	cr_assert_eq(peer.pid, 7, "out parameters stay untouched");
	hn_error_unref(err);
}

Test(peer, none_is_refused)
{
	int ends[2];

	refused(900);
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	refused(ends[0]);
	refused(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	refused(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static hn_os *simulated(const char *text)
{
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	if (text != NULL) {
		cr_assert_eq(hn_os_sim_put(os, "/proc/self/loginuid", text, strlen(text), NULL), 0);
		cr_assert_eq(hn_os_sim_put(os, "/proc/42/loginuid", "77", 2, NULL), 0);
	}
	return os;
}

static uint32_t login(const char *text)
{
	hn_os *os = simulated(text);
	uint32_t uid = os_login_uid(os, 0);

	hn_os_sim_free(os);
	return uid;
}

Test(peer, login_uid)
{
	hn_os *os = simulated("1000");

	cr_assert_eq(os_login_uid(os, 42), 77);
	cr_assert_eq(os_login_uid(os, 43), OS_LOGIN_UNSET);
	hn_os_sim_free(os);
	cr_assert_eq(login("1000"), 1000);
	cr_assert_eq(login("0\n"), 0);
	cr_assert_eq(login("4294967295"), OS_LOGIN_UNSET);
	cr_assert_eq(login(NULL), OS_LOGIN_UNSET);
}

Test(peer, login_uid_that_is_none)
{
	cr_assert_eq(login(""), OS_LOGIN_UNSET);
	cr_assert_eq(login("root"), OS_LOGIN_UNSET);
	cr_assert_eq(login("4294967296"), OS_LOGIN_UNSET);
	cr_assert_eq(login("99999999999999999999999"), OS_LOGIN_UNSET);
	cr_assert_eq(login("1000x"), OS_LOGIN_UNSET);
}
