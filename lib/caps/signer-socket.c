/* SPDX-License-Identifier: MIT
 *
 * Frames on a Unix socket. A secret travels in a sealed memfd beside the frame (SCM_RIGHTS).
 */
#include "caps/signer-wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 16 };

/* --- listening --- */

static int bind_path(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t before;
	int rc;

	memcpy(address.sun_path, path, strlen(path) + 1);
	/* For us and our group from the first moment on, so not by a chmod afterwards. */
	before = umask(0117);
	rc = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(before);
	return rc < 0 ? -errno : 0;
}

/* A socket that nobody listens on was left by one who died. */
static bool is_left_over(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;
	int fd, rc;

	if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	rc = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return rc == ECONNREFUSED;
}

int signer_listen(const char *path, int *fd, hn_error **err)
{
	struct sockaddr_un address;
	int made, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return base_error(err, HN_EPATHLEN, SIGNER_ROOM, NULL,
			"the path of a socket has at most %zu bytes: %s",
			sizeof(address.sun_path) - 1, path);
	made = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made < 0)
		return base_error_errno(err, SIGNER_ROOM, -errno, "cannot make a socket");
	rc = bind_path(made, path);
	if (rc == -EADDRINUSE && is_left_over(path) && unlink(path) == 0)
		rc = bind_path(made, path);
	if (rc == 0 && listen(made, BACKLOG) < 0)
		rc = -errno;
	if (rc == 0) {
		*fd = made;
		return 0;
	}
	close(made);
	if (rc == -EADDRINUSE)
		return base_error(err, HN_EBUSY, SIGNER_ROOM, NULL,
			"%s is there and in use: does another signer run?", path);
	return base_error_errno(err, SIGNER_ROOM, rc, "cannot listen on %s", path);
}

int signer_accept(int listening, int *fd, hn_error **err)
{
	int made = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (made >= 0) {
		*fd = made;
		return 1;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EMFILE ||
		errno == ENFILE)
		return 0;
	return base_error_errno(err, SIGNER_ROOM, -errno, "cannot accept a client");
}

/* --- sending --- */

static int memfd_of(const crypto_secret *secret, int *fd, hn_error **err)
{
	int made = -1, rc = os_memory_new(&made, err);

	if (rc < 0)
		return rc;
	rc = os_memory_write(made, crypto_secret_view(secret), crypto_secret_size(secret), err);
	if (rc >= 0)
		rc = os_memory_seal(made, err);
	if (rc < 0)
		close(made);
	else
		*fd = made;
	return rc;
}

static int wait_for(int fd, short events, int64_t until, hn_error **err)
{
	for (;;) {
		struct pollfd one = {.fd = fd, .events = events};
		int64_t left = until - os_monotonic(hn_os_real());
		int rc = left <= 0 ? 0 : poll(&one, 1, (int)(left / 1000000) + 1);

		if (rc > 0)
			return 0;
		if (rc == 0)
			return base_error(err, HN_ESIGNER, SIGNER_ROOM, NULL,
				"the other side of the signer's socket keeps us waiting");
		if (errno != EINTR)
			return base_error_errno(
				err, SIGNER_ROOM, -errno, "cannot wait for a socket");
	}
}

static ssize_t send_some(int fd, struct iovec *parts, size_t count, int attached)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
	ssize_t sent;

	if (attached >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), &attached, sizeof(int));
	}
	sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

static void consume(struct iovec parts[2], size_t sent)
{
	for (int i = 0; i < 2; i++) {
		size_t part = sent < parts[i].iov_len ? sent : parts[i].iov_len;

		if (part == 0) /* it may have no address either */
			continue;
		parts[i].iov_base = (char *)parts[i].iov_base + part;
		parts[i].iov_len -= part;
		sent -= part;
	}
}

static struct iovec part_of(crypto_bytes bytes)
{
	struct iovec part = {.iov_len = bytes.size};

	memcpy(&part.iov_base, &bytes.bytes, sizeof(part.iov_base)); /* sendmsg only reads */
	return part;
}

static int send_all(int fd, struct iovec parts[2], int attached, int64_t until, hn_error **err)
{
	while (parts[0].iov_len + parts[1].iov_len > 0) {
		ssize_t sent = send_some(fd, parts, 2, attached);
		int rc = 0;

		if (sent > 0) {
			consume(parts, (size_t)sent);
			attached = -1; /* it went with the first byte */
		} else if (sent == -EAGAIN) {
			rc = wait_for(fd, POLLOUT, until, err);
		} else if (sent != -EINTR) {
			rc = base_error(err, HN_ESIGNER, SIGNER_ROOM, NULL,
				"the other side of the signer's socket is gone");
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

int signer_send(int fd, crypto_bytes frame, crypto_bytes rest, const crypto_secret *secret,
	int64_t timeout, hn_error **err)
{
	struct iovec parts[2] = {part_of(frame), part_of(rest)};
	int64_t until = os_monotonic(hn_os_real()) + timeout;
	int attached = -1, rc = 0;

	if (secret != NULL)
		rc = memfd_of(secret, &attached, err);
	if (rc >= 0)
		rc = send_all(fd, parts, attached, until, err);
	if (attached >= 0)
		close(attached);
	return rc;
}

/* --- receiving --- */

/* Takes the descriptors that came; more than one is not what a signer sends. */
static void take_descriptor(struct msghdr *message, int *attached)
{
	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
		head = CMSG_NXTHDR(message, head)) {
		size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
			if (*attached < 0)
				*attached = fd;
			else
				close(fd);
		}
	}
}

static ssize_t receive_some(int fd, void *bytes, size_t size, int *attached)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = {bytes, size};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	if (got < 0)
		return -errno;
	take_descriptor(&message, attached);
	return got;
}

static int receive_all(
	int fd, uint8_t *bytes, size_t size, int64_t until, int *attached, hn_error **err)
{
	while (size > 0) {
		ssize_t got = receive_some(fd, bytes, size, attached);
		int rc = 0;

		if (got > 0) {
			bytes += got;
			size -= (size_t)got;
		} else if (got == -EAGAIN) {
			rc = wait_for(fd, POLLIN, until, err);
		} else if (got != -EINTR) {
			rc = base_error(err, HN_ESIGNER, SIGNER_ROOM,
				"is this user one whom it serves?",
				"the signer closed the connection");
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int receive_frame(int fd, int64_t until, base_buf *frame, int *attached, hn_error **err)
{
	uint8_t head[SIGNER_HEAD];
	size_t size;
	char *room;
	int rc = receive_all(fd, head, sizeof(head), until, attached, err);

	if (rc < 0)
		return rc;
	size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	if (size == 0 || size > SIGNER_FRAME)
		return base_error(err, HN_ESIGNER, SIGNER_ROOM, NULL,
			"a frame of %zu bytes, at most %d are taken", size, SIGNER_FRAME);
	room = base_alloc(size);
	if (room == NULL)
		return base_nomem(err);
	rc = receive_all(fd, (uint8_t *)room, size, until, attached, err);
	if (rc >= 0)
		*frame = (base_buf){.data = room, .size = size, .capacity = size};
	else
		base_free(room);
	return rc;
}

/* Only a memfd that nobody can change any more. */
static int read_memfd(hn_os *os, int fd, crypto_secret **secret, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat status;
	int rc;

	if (seals < 0 || (seals & OS_MEMORY_SEALS) != OS_MEMORY_SEALS || fstat(fd, &status) < 0 ||
		status.st_size > CRYPTO_SIGNER_RECORD)
		return base_error(err, HN_ESIGNER, SIGNER_ROOM, NULL,
			"the signer sent a descriptor that is no sealed memfd");
	rc = crypto_secret_new((size_t)status.st_size, &made, err);
	if (rc < 0)
		return rc;
	if (os->ops->pread(os, fd, crypto_secret_bytes(made), (size_t)status.st_size, 0) !=
		(ssize_t)status.st_size)
		return base_error(err, HN_ESIGNER, SIGNER_ROOM, NULL,
			"the memfd of the signer cannot be read");
	*secret = BASE_STEAL(made);
	return 0;
}

int signer_receive(
	hn_os *os, int fd, int64_t timeout, base_buf *frame, crypto_secret **secret, hn_error **err)
{
	int64_t until = os_monotonic(os) + timeout;
	base_buf received = {0};
	int attached = -1;
	int rc = receive_frame(fd, until, &received, &attached, err);

	if (rc >= 0 && attached >= 0)
		rc = read_memfd(os, attached, secret, err);
	if (attached >= 0)
		close(attached);
	if (rc >= 0)
		*frame = received;
	else
		base_buf_free(&received);
	return rc;
}
