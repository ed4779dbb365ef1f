/* SPDX-License-Identifier: MIT
 *
 * hv-signer's service, one look at its clients after the other: each time that it would wait, the
 * test does the next thing that clients do. So time passes and calls of the kernel fail just when
 * they should.
 */
#include "caps/signer-wire.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <hypernix/caps-signer.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* --- the kernel's calls; all of this is of the test's own thread --- */

typedef bool (*script)(int look); /* false: that was the last one */

static _Thread_local struct faults {
	int poll, accept, recv, read, peer; /* the errno, once; 0: none */
} faults;
static _Thread_local int calls; /* that failed */
static _Thread_local script doing;
static _Thread_local int looks;
static _Thread_local int64_t later; /* ns: so much of the service's time is over */
static _Thread_local int64_t user = -1;
static _Thread_local int64_t us = -1; /* who we are; -1: as it is */
static _Thread_local bool starved;
static hn_cancel *cancelled;

static bool fails(int *fault)
{
	if (*fault == 0)
		return false;
	errno = *fault;
	*fault = 0;
	calls++;
	return true;
}

/* What poll is, by a call that is not ours. */
static int poll_now(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec most = {timeout / 1000, timeout % 1000 * 1000000L};

	return ppoll(fds, count, timeout < 0 ? NULL : &most, NULL);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (count > 1 && doing != NULL) {
		if (!doing(looks++))
			hn_cancel_trigger(cancelled);
		timeout = 0; /* what there is to see is there */
		if (fails(&faults.poll))
			return -1;
	}
	return poll_now(fds, count, timeout);
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
	if (fails(&faults.accept))
		return -1;
	return (int)syscall(SYS_accept4, fd, address.__sockaddr__, size, flags);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	if (flags == 0 && fails(&faults.recv)) /* ours are MSG_DONTWAIT */
		return -1;
	return (ssize_t)syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);
}

ssize_t read(int fd, void *bytes, size_t size)
{
	return fails(&faults.read) ? -1 : (ssize_t)syscall(SYS_read, fd, bytes, size);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	int rc;

	if (name == SO_PEERCRED && fails(&faults.peer))
		return -1;
	rc = (int)syscall(SYS_getsockopt, fd, level, name, value, size);
	if (rc == 0 && name == SO_PEERCRED && user >= 0)
		((struct ucred *)value)->uid = (uid_t)user;
	return rc;
}

uid_t geteuid(void)
{
	return us >= 0 ? (uid_t)us : (uid_t)syscall(SYS_geteuid);
}

/* In the service no time passes but what the test says. */
int clock_gettime(clockid_t which, struct timespec *now)
{
	if (which != CLOCK_MONOTONIC || doing == NULL)
		return (int)syscall(SYS_clock_gettime, which, now);
	*now = (struct timespec){.tv_sec = 1000000 + later / OS_SECOND};
	return 0;
}

static void *allocate(void *arg, size_t size)
{
	(void)arg;
	return starved ? NULL : malloc(size);
}

static void *reallocate(void *arg, void *memory, size_t size)
{
	(void)arg;
	return starved ? NULL : realloc(memory, size);
}

static void release(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

/* --- the service --- */

static char directory[] = "/tmp/hn-service-XXXXXX";
static char keys[64], path[64], trust[64];
static hn_signer_options options = HN_SIGNER_OPTIONS_INIT;

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	snprintf(keys, sizeof(keys), "%s/keys", directory);
	snprintf(path, sizeof(path), "%s/socket", directory);
	snprintf(trust, sizeof(trust), "%s/trust", directory);
	options.socket = path;
	options.keys = keys;
	options.origin = "hypernix.org/audit/lab/n1";
	cr_assert_eq(hn_cancel_new(&cancelled, NULL), 0);
}

static void fini(void)
{
	hn_cancel_unref(cancelled);
	os_remove_tree(hn_os_real(), directory, NULL);
}

TestSuite(signer_service, .init = init, .fini = fini, .timeout = 120);

static int serve(script what, hn_error **err)
{
	int rc;

	doing = what;
	rc = hn_signer_serve(&options, cancelled, err);
	doing = NULL;
	return rc;
}

/* Refused with this code and these words, and nobody listens. */
static void no_service(script what, int code, const char *words)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	cr_expect_eq(serve(what, &err), code, "%s", words);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	cr_expect_lt(hn_os_real()->ops->connect_unix(hn_os_real(), path), 0);
}

/* --- clients --- */

static int clients[20];

static void come(int which)
{
	clients[which] = hn_os_real()->ops->connect_unix(hn_os_real(), path);
	cr_assert_geq(clients[which], 0);
}

static const char question[] = "\0\0\0\5\x84\1\7\1\x80"; /* its status */

static void send_part(int which, size_t from, size_t to)
{
	cr_assert_eq(send(clients[which], question + from, to - from, MSG_NOSIGNAL),
		(ssize_t)(to - from));
}

static void ask(int which)
{
	send_part(which, 0, sizeof(question) - 1);
}

typedef enum fate { ANSWERED, SILENT, GONE } fate;

static fate look_at(int which)
{
	uint8_t answer[2048];
	ssize_t got = recv(clients[which], answer, sizeof(answer), MSG_DONTWAIT);

	if (got > SIGNER_HEAD)
		return ANSWERED;
	return got < 0 && errno == EAGAIN ? SILENT : GONE;
}

static void go(int first, int last)
{
	for (int i = first; i <= last; i++)
		close(clients[i]);
}

static bool is_answered(int look)
{
	switch (look) {
	case 0:
		come(0);
		return true;
	case 1:
		ask(0);
		return true;
	default:
		cr_expect_eq(look_at(0), ANSWERED);
		go(0, 0);
		return false;
	}
}

Test(signer_service, a_client_is_answered)
{
	cr_expect_eq(serve(is_answered, NULL), 0);
	cr_expect_eq(looks, 3);
}

/* --- who is served --- */

static fate expected;

static bool one_client(int look)
{
	switch (look) {
	case 0:
		come(0);
		return true;
	case 1:
		if (expected == ANSWERED)
			ask(0);
		return true;
	default:
		cr_expect_eq(look_at(0), expected);
		go(0, 0);
		return false;
	}
}

static void served_as(int64_t theirs, int64_t ours, int64_t given, fate what)
{
	user = theirs;
	us = ours;
	options.client = given;
	expected = what;
	looks = 0;
	cr_assert_eq(hn_cancel_new(&cancelled, NULL), 0);
	cr_expect_eq(serve(one_client, NULL), 0);
	cr_expect_eq(looks, 3);
	cr_expect_eq(look_at(0), GONE); /* closed by us */
	hn_cancel_unref(cancelled);
	user = us = -1;
}

Test(signer_service, root_the_own_user_and_the_one_named_are_served)
{
	int64_t own = geteuid();

	hn_cancel_unref(cancelled);
	served_as(0, -1, -1, ANSWERED);
	served_as(own + 7, -1, own + 7, ANSWERED);
	served_as(own + 8, -1, own + 7, GONE);
	served_as(own + 7, -1, -1, GONE);
	if (own == 0) /* as another one, to whom root's keys belong too */
		for (int64_t them = 65533; them <= 65534; them++)
			served_as(them, 65534, -1, them == 65534 ? ANSWERED : GONE);
	cr_assert_eq(hn_cancel_new(&cancelled, NULL), 0);
}

static bool unknown_client(int look)
{
	if (look == 0) {
		come(0);
		faults.peer = ENOTCONN;
		return true;
	}
	cr_expect_eq(look_at(0), GONE);
	go(0, 0);
	return false;
}

Test(signer_service, who_cannot_be_told_is_not_served)
{
	cr_expect_eq(serve(unknown_client, NULL), 0);
	cr_expect_eq(calls, 1);
}

/* --- time --- */

/* 0 began a frame and stops, 1 began one later, 2 never began one. */
static bool late_frames(int look)
{
	switch (look) {
	case 0:
	case 1:
	case 2:
		come(look);
		return true;
	case 3:
		send_part(0, 0, 2);
		return true;
	case 4:
		later += 4 * OS_SECOND;
		send_part(1, 0, 6);
		return true;
	case 5:
		cr_expect_eq(look_at(0), SILENT, "there is time left");
		later += 2 * OS_SECOND;
		return true;
	case 6:
		cr_expect_eq(look_at(0), GONE);
		cr_expect_eq(look_at(1), SILENT);
		send_part(1, 6, sizeof(question) - 1);
		ask(2);
		return true;
	case 7:
		cr_expect_eq(look_at(1), ANSWERED);
		cr_expect_eq(look_at(2), ANSWERED);
		later += 60 * OS_SECOND;
		return true;
	case 8:
		ask(1);
		return true;
	default:
		cr_expect_eq(look_at(1), ANSWERED, "a frame that came in time is no late one");
		go(0, 2);
		return false;
	}
}

Test(signer_service, a_frame_that_was_begun_has_to_come)
{
	cr_expect_eq(serve(late_frames, NULL), 0);
	cr_expect_eq(looks, 10);
}

/* All places are taken; who has been idle the longest loses his, if he was for a second. */
static bool places(int look)
{
	if (look < 16) {
		come(look);
		return true;
	}
	switch (look) {
	case 16:
		later += 2 * OS_SECOND;
		ask(0); /* so it is no longer the one that was idle the longest */
		return true;
	case 17:
		send_part(1, 0, 2); /* nor is this: it began something */
		return true;
	case 18:
		come(16);
		return true;
	case 19:
		cr_expect_eq(look_at(0), ANSWERED);
		cr_expect_eq(look_at(1), SILENT);
		cr_expect_eq(look_at(2), GONE);
		cr_expect_eq(look_at(3), SILENT);
		ask(16);
		return true;
	default:
		cr_expect_eq(look_at(16), ANSWERED);
		go(0, 16);
		return false;
	}
}

Test(signer_service, who_is_idle_the_longest_loses_his_place)
{
	cr_expect_eq(serve(places, NULL), 0);
	cr_expect_eq(looks, 21);
}

static bool busy_places(int look)
{
	if (look < 16) {
		come(look);
		return true;
	}
	switch (look) {
	case 16:
		later += 2 * OS_SECOND;
		for (int i = 0; i < 16; i++)
			send_part(i, 0, 2);
		return true;
	case 17:
		come(16);
		return true;
	default:
		cr_expect_eq(look_at(16), GONE);
		for (int i = 0; i < 16; i++)
			cr_expect_eq(look_at(i), SILENT, "%d", i);
		go(0, 16);
		return false;
	}
}

Test(signer_service, who_is_in_the_middle_of_a_frame_keeps_his_place)
{
	cr_expect_eq(serve(busy_places, NULL), 0);
	cr_expect_eq(looks, 19);
}

/* --- what fails --- */

static bool interrupted(int look)
{
	switch (look) {
	case 0:
		faults.poll = EINTR;
		return true;
	case 1:
		come(0);
		faults.accept = EMFILE;
		return true;
	case 2:
		return true; /* now it is taken */
	case 3:
		ask(0);
		faults.recv = EINTR;
		return true;
	default:
		cr_expect_eq(look_at(0), ANSWERED);
		go(0, 0);
		return false;
	}
}

Test(signer_service, what_is_interrupted_goes_on)
{
	cr_expect_eq(serve(interrupted, NULL), 0);
	cr_expect_eq(calls, 3);
}

static bool broken(int look)
{
	switch (look) {
	case 0:
	case 1:
		come(look);
		return true;
	case 2:
		ask(0);
		faults.recv = EIO;
		return true;
	case 3:
		cr_expect_eq(look_at(0), GONE);
		ask(1);
		close(clients[1]); /* it does not wait for its answer */
		return true;
	case 4:
		come(1);
		return true;
	case 5:
		ask(1);
		return true;
	default:
		cr_expect_eq(look_at(1), ANSWERED, "others are served");
		go(0, 1);
		return false;
	}
}

Test(signer_service, a_connection_that_fails_is_ended_alone)
{
	cr_expect_eq(serve(broken, NULL), 0);
	cr_expect_eq(calls, 1);
	cr_expect_eq(looks, 7);
}

static bool without_memory(int look)
{
	switch (look) {
	case 0:
		come(0);
		starved = true;
		return true;
	case 1:
		starved = false;
		cr_expect_eq(look_at(0), GONE);
		close(clients[0]);
		come(0);
		return true;
	case 2:
		ask(0);
		starved = true;
		return true;
	case 3:
		starved = false;
		cr_expect_eq(look_at(0), GONE, "no answer is no half one");
		close(clients[0]);
		come(0);
		return true;
	case 4:
		ask(0);
		return true;
	default:
		cr_expect_eq(look_at(0), ANSWERED);
		go(0, 0);
		return false;
	}
}

Test(signer_service, without_memory_a_client_goes_and_the_service_stays)
{
	hn_allocator mine = HN_ALLOCATOR_INIT;

	mine.allocate = allocate;
	mine.reallocate = reallocate;
	mine.release = release;
	cr_assert_eq(hn_set_allocator(&mine, NULL), 0);
	cr_expect_eq(serve(without_memory, NULL), 0);
	cr_expect_eq(looks, 6);
}

static bool no_more_polls(int look)
{
	(void)look;
	faults.poll = EIO;
	return true;
}

static bool no_more_accepts(int look)
{
	(void)look;
	come(0);
	faults.accept = EIO;
	return true;
}

Test(signer_service, what_cannot_go_on_ends)
{
	no_service(no_more_polls, HN_EIO, "cannot wait for clients");
	no_service(no_more_accepts, HN_EIO, "cannot accept a client");
	go(0, 0);
	cr_expect_eq(calls, 2);
}

/* --- how it begins --- */

Test(signer_service, options_of_a_later_library_are_refused)
{
	struct {
		hn_signer_options known;
		uint64_t unknown;
	} newer = {.known = options, .unknown = 1};

	newer.known.size = sizeof(newer);
	cr_expect_eq(hn_signer_serve(&newer.known, cancelled, NULL), HN_ENEWER);
	cr_expect_neq(access(keys, F_OK), 0, "nothing was made");
}

static int credential(const char *text)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	close(ends[1]);
	return ends[0];
}

static bool at_once(int look)
{
	(void)look;
	return false;
}

Test(signer_service, the_key_of_its_keys_comes_by_a_descriptor)
{
	static const char key[] = "0123456789abcdef0123456789abcdef";
	char beside[80];

	options.credential = credential(key);
	faults.read = EIO;
	no_service(at_once, HN_EIO, "cannot read the credential");
	faults.read = EINTR;
	cr_expect_eq(serve(at_once, NULL), 0);
	cr_expect_eq(calls, 2);
	close(options.credential);
	snprintf(beside, sizeof(beside), "%s/kek", keys);
	cr_expect_neq(access(beside, F_OK), 0, "it is not written down");
	options.credential = credential("0123456789abcdef0123456789abcdeF");
	no_service(at_once, HN_ECRYPT, "encrypted with another key");
	close(options.credential);
}

/* A bundle that is not there is waited for: all else is served. */
Test(signer_service, without_its_bundle_it_serves)
{
	options.trust = trust;
	cr_expect_eq(serve(is_answered, NULL), 0);
	cr_expect_eq(looks, 3);
}

static void *wait_for_end(void *arg)
{
	pthread_mutex_t *end = arg;

	pthread_mutex_lock(end);
	pthread_mutex_unlock(end);
	return NULL;
}

/* A sandbox holds one thread only: with two there is none, and so no service. */
Test(signer_service, a_signer_that_cannot_be_confined_does_not_serve)
{
	const char *const bundles[] = {NULL, trust, "/trust-that-is-not-there", "trust"};
	pthread_mutex_t end = PTHREAD_MUTEX_INITIALIZER;
	pthread_t other;

	pthread_mutex_lock(&end);
	cr_assert_eq(pthread_create(&other, NULL, wait_for_end, &end), 0);
	options.confine = true;
	for (size_t i = 0; i < BASE_COUNT(bundles); i++) {
		options.trust = bundles[i];
		no_service(at_once, HN_EINVAL, "threads");
	}
	cr_expect_eq(looks, 0, "it did not look at clients");
	pthread_mutex_unlock(&end);
	pthread_join(other, NULL);
}
