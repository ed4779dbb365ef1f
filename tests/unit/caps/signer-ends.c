/* SPDX-License-Identifier: MIT
 *
 * The two ends of the signer's socket, each call of the kernel failing in turn: what is interrupted
 * goes on, what is full or silent is waited for so long and no longer, and what fails leaves no
 * descriptor open.
 */
#include "caps/signer-wire.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the kernel's calls, which fail when they are told to --- */

/* Of this thread alone: Criterion talks over sockets in others. */
static _Thread_local struct faults {
	int accept, listen, poll, sendmsg, recvmsg, socket, memfd; /* the errno, once; 0: none */
	int sockets;                                               /* that are made before */
} faults;
static _Thread_local int calls; /* that failed */

static bool fails(int *fault)
{
	if (*fault == 0)
		return false;
	errno = *fault;
	*fault = 0;
	calls++;
	return true;
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
	return fails(&faults.accept)
		       ? -1
		       : (int)syscall(SYS_accept4, fd, address.__sockaddr__, size, flags);
}

int listen(int fd, int backlog)
{
	return fails(&faults.listen) ? -1 : (int)syscall(SYS_listen, fd, backlog);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec most = {timeout / 1000, timeout % 1000 * 1000000L};

	return fails(&faults.poll) ? -1 : ppoll(fds, count, timeout < 0 ? NULL : &most, NULL);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return fails(&faults.sendmsg) ? -1 : (ssize_t)syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return fails(&faults.recvmsg) ? -1 : (ssize_t)syscall(SYS_recvmsg, fd, message, flags);
}

int socket(int domain, int type, int protocol)
{
	if (faults.socket != 0 && faults.sockets-- == 0 && fails(&faults.socket))
		return -1;
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int memfd_create(const char *name, unsigned flags)
{
	return fails(&faults.memfd) ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

/* --- */

static char directory[] = "/tmp/hn-ends-XXXXXX";
static char path[64];
static int ends[2] = {-1, -1};

/* The lowest number that is free: one that was left open takes it. */
static int lowest_free(void)
{
	int fd = dup(STDERR_FILENO);

	cr_assert_geq(fd, 0);
	close(fd);
	return fd;
}

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
}

static void fini(void)
{
	close(ends[0]);
	close(ends[1]);
	os_remove_tree(hn_os_real(), directory, NULL);
}

TestSuite(signer_ends, .init = init, .fini = fini, .timeout = 120);

/* --- listening --- */

/* Refused with this code, and nothing given. */
static void no_listening(const char *at, int code, const char *words)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int free_before = lowest_free(), fd = 42;

	cr_expect_eq(signer_listen(at, &fd, &err), code, "%s", words);
	cr_expect_eq(lowest_free(), free_before, "a descriptor was left open");
	cr_expect_eq(fd, 42, "untouched");
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
}

static void leave_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

Test(signer_ends, a_socket_of_the_dead_is_replaced)
{
	struct stat before, after;
	int fd = -1;

	leave_socket();
	cr_assert_eq(stat(path, &before), 0);
	cr_assert_eq(signer_listen(path, &fd, NULL), 0);
	cr_assert_eq(stat(path, &after), 0);
	cr_expect(S_ISSOCK(after.st_mode) && (after.st_mode & 07777) == 0660);
	close(fd);
}

Test(signer_ends, what_is_no_socket_is_not_replaced)
{
	char *bytes = NULL;
	size_t size = 0;

	cr_assert_eq(os_write_file(hn_os_real(), path, "mine", 4, 0600, NULL), 0);
	no_listening(path, HN_EBUSY, "is there and in use");
	cr_assert_eq(os_read_file(hn_os_real(), path, 10, &bytes, &size, NULL), 0);
	cr_expect_eq(size, 4);
	base_free(bytes);
}

Test(signer_ends, no_socket_without_its_directory)
{
	char deeper[80];

	snprintf(deeper, sizeof(deeper), "%s/none/socket", directory);
	no_listening(deeper, HN_ENOENT, "cannot listen on");
}

Test(signer_ends, no_descriptor_is_left_for_a_socket)
{
	faults.socket = EMFILE;
	no_listening(path, HN_EIO, "cannot make a socket");
	cr_expect_eq(calls, 1);
	faults.listen = EADDRINUSE;
	no_listening(path, HN_EBUSY, "in use");
	cr_expect_eq(calls, 2);
	/* Whether the one that is there now lives cannot be told: it stays. */
	faults.socket = EMFILE;
	faults.sockets = 1;
	no_listening(path, HN_EBUSY, "in use");
	cr_expect_eq(calls, 3);
	cr_expect_eq(access(path, F_OK), 0);
}

static int connect_to(void)
{
	int fd = hn_os_real()->ops->connect_unix(hn_os_real(), path);

	cr_assert_geq(fd, 0);
	return fd;
}

Test(signer_ends, who_cannot_be_taken_now_is_taken_later)
{
	static const int passing[] = {EINTR, ECONNABORTED, EMFILE, ENFILE};
	int listening = -1, theirs, ours = 42;

	cr_assert_eq(signer_listen(path, &listening, NULL), 0);
	cr_expect_eq(signer_accept(listening, &ours, NULL), 0, "nobody is there");
	theirs = connect_to();
	for (size_t i = 0; i < BASE_COUNT(passing); i++) {
		faults.accept = passing[i];
		cr_expect_eq(signer_accept(listening, &ours, NULL), 0, "%zu", i);
	}
	cr_expect_eq(calls, BASE_COUNT(passing));
	cr_expect_eq(ours, 42, "untouched");
	cr_assert_eq(signer_accept(listening, &ours, NULL), 1);
	close(ours);
	close(theirs);
	close(listening);
}

Test(signer_ends, what_is_no_listening_socket_takes_nobody)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int fd = 42;

	cr_expect_lt(signer_accept(ends[0], &fd, &err), 0);
	cr_expect_eq(fd, 42);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), "cannot accept"));
}

/* --- sending --- */

static uint8_t large[SIGNER_FRAME];

static int send_to(int fd, const void *bytes, size_t size, const crypto_secret *secret,
	int64_t timeout, hn_error **err)
{
	return signer_send(
		fd, (crypto_bytes){bytes, size}, (crypto_bytes){NULL, 0}, secret, timeout, err);
}

Test(signer_ends, who_reads_nothing_is_not_waited_for_for_ever)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int64_t begun = os_monotonic(hn_os_real());
	int rc = 0;

	for (int i = 0; rc == 0 && i < 10000; i++)
		rc = send_to(ends[0], large, sizeof(large), NULL, OS_SECOND / 10, &err);
	cr_expect_eq(rc, HN_ESIGNER);
	cr_expect_geq(os_monotonic(hn_os_real()) - begun, OS_SECOND / 10);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), "keeps us waiting"));
}

Test(signer_ends, who_is_gone_is_sent_nothing)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	cr_assert_eq(shutdown(ends[1], SHUT_RD), 0);
	cr_expect_eq(send_to(ends[0], "x", 1, NULL, OS_SECOND, &err), HN_ESIGNER);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), "is gone"));
}

Test(signer_ends, sending_goes_on_after_a_signal_and_when_there_is_room)
{
	char bytes[8];

	faults.sendmsg = EINTR;
	cr_expect_eq(send_to(ends[0], "one", 3, NULL, OS_SECOND, NULL), 0);
	cr_expect_eq(recv(ends[1], bytes, sizeof(bytes), 0), 3);
	faults.sendmsg = EAGAIN;
	faults.poll = EINTR;
	cr_expect_eq(send_to(ends[0], "three", 5, NULL, 60 * OS_SECOND, NULL), 0);
	cr_expect_eq(recv(ends[1], bytes, sizeof(bytes), 0), 5);
	cr_expect_arr_eq(bytes, "three", 5);
	cr_expect_eq(calls, 3);
}

Test(signer_ends, what_cannot_be_waited_for_fails)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	faults.sendmsg = EAGAIN;
	faults.poll = EIO;
	cr_expect_eq(send_to(ends[0], "x", 1, NULL, OS_SECOND, &err), HN_EIO);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), "cannot wait"));
	cr_expect_eq(calls, 2);
}

Test(signer_ends, a_secret_without_its_memfd_is_not_sent)
{
	crypto_secret *secret = NULL;
	int free_before = lowest_free();
	char byte;

	cr_assert_eq(crypto_secret_random(hn_os_real(), 32, &secret, NULL), 0);
	faults.memfd = EMFILE;
	cr_expect_lt(send_to(ends[0], "x", 1, secret, OS_SECOND, NULL), 0);
	cr_expect_eq(calls, 1);
	cr_expect_eq(recv(ends[1], &byte, 1, 0), -1, "not even the frame");
	faults.sendmsg = EPIPE;
	cr_expect_eq(send_to(ends[0], "x", 1, secret, OS_SECOND, NULL), HN_ESIGNER);
	cr_expect_eq(calls, 2);
	cr_expect_eq(lowest_free(), free_before, "its memfd was left open");
	crypto_secret_free(secret);
}

/* --- receiving --- */

static hn_os_ops ops;
static hn_os short_os = {.ops = &ops};

/* The code, and nothing given when it fails. */
static int receive(hn_os *os, int64_t timeout, const char *words)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	BASE_AUTO_BUF base_buf frame = {0};
	int free_before = lowest_free();
	int rc = signer_receive(os, ends[1], timeout, &frame, &secret, &err);

	cr_expect_eq(lowest_free(), free_before, "a descriptor was left open");
	cr_expect_eq(rc < 0, frame.data == NULL);
	if (rc < 0) {
		cr_expect_null(secret);
		cr_expect_eq(rc, (int)hn_error_code(err));
		cr_expect_not_null(
			strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	}
	return rc;
}

Test(signer_ends, who_is_silent_is_not_waited_for_for_ever)
{
	int64_t begun = os_monotonic(hn_os_real());

	cr_expect_eq(receive(hn_os_real(), OS_SECOND / 10, "keeps us waiting"), HN_ESIGNER);
	cr_expect_geq(os_monotonic(hn_os_real()) - begun, OS_SECOND / 10);
	cr_expect_eq(receive(hn_os_real(), 0, "keeps us waiting"), HN_ESIGNER);
	cr_assert_eq(send(ends[0], "\0\0\0\2x", 5, 0), 5);
	cr_expect_eq(receive(hn_os_real(), OS_SECOND / 10, "keeps us waiting"), HN_ESIGNER,
		"half a frame");
}

Test(signer_ends, receiving_goes_on_after_a_signal)
{
	cr_assert_eq(send(ends[0], "\0\0\0\1x", 5, 0), 5);
	faults.recvmsg = EINTR;
	cr_expect_eq(receive(hn_os_real(), OS_SECOND, ""), 0);
	cr_assert_eq(send(ends[0], "\0\0\0\1x", 5, 0), 5);
	faults.recvmsg = EAGAIN;
	faults.poll = EINTR;
	cr_expect_eq(receive(hn_os_real(), 60 * OS_SECOND, ""), 0);
	cr_assert_eq(send(ends[0], "\0\0\0\1x", 5, 0), 5);
	faults.recvmsg = ECONNRESET;
	cr_expect_eq(receive(hn_os_real(), OS_SECOND, "closed the connection"), HN_ESIGNER);
	cr_expect_eq(calls, 4);
}

static ssize_t pread_less(hn_os *os, int fd, void *bytes, size_t size, off_t offset)
{
	return hn_os_real()->ops->pread(os, fd, bytes, size - 1, offset);
}

Test(signer_ends, a_memfd_that_cannot_be_read_is_no_secret)
{
	crypto_secret *secret = NULL;

	cr_assert_eq(crypto_secret_random(hn_os_real(), 32, &secret, NULL), 0);
	ops = *hn_os_real()->ops;
	ops.pread = pread_less;
	cr_assert_eq(send_to(ends[0], "\0\0\0\1x", 5, secret, OS_SECOND, NULL), 0);
	cr_expect_eq(receive(&short_os, OS_SECOND, "cannot be read"), HN_ESIGNER);
	cr_assert_eq(send_to(ends[0], "\0\0\0\1x", 5, secret, OS_SECOND, NULL), 0);
	cr_expect_eq(receive(hn_os_real(), OS_SECOND, ""), 0);
	crypto_secret_free(secret);
}

/* What the kernel says of the sender is no descriptor. */
Test(signer_ends, other_words_beside_a_frame_are_no_secret)
{
	int on = 1;

	cr_assert_eq(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	cr_assert_eq(send(ends[0], "\0\0\0\1x", 5, 0), 5);
	cr_expect_eq(receive(hn_os_real(), OS_SECOND, ""), 0);
}
