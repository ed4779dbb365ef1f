/* SPDX-License-Identifier: MIT
 *
 * Files whose names come from somewhere that is not trusted: openat2(2) keeps them in a directory.
 */
#include "os/os-private.h"
#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int os_real_open_beneath(hn_os *os, const char *directory, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		/* O_PATH goes with few others. */
		.flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW | O_CLOEXEC |
					      ((flags & O_PATH) != 0 ? 0 : O_NOCTTY)),
		.mode = (flags & O_CREAT) != 0 ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int at;

	/* Who looks through a directory means what is in it, not what is mounted there. */
	if ((flags & O_PATH) != 0)
		how.resolve |= RESOLVE_NO_XDEV;
	at = os->ops->open(os, directory, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	long fd;

	if (at < 0)
		return at;
	/* EAGAIN: something was renamed meanwhile, so that the kernel could not be sure. */
	do
		fd = syscall(SYS_openat2, at, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	if (fd < 0)
		fd = -errno;
	os->ops->close(os, at);
	return (int)fd;
}

/* Segments of a relative path, none of them empty, "." or "..". */
static bool stays_beneath(const char *path)
{
	for (;;) {
		size_t size = strcspn(path, "/");

		if (size == 0 || (size == 1 && path[0] == '.') ||
			(size == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[size] == '\0')
			return true;
		path += size + 1;
	}
}

int os_open_beneath(
	hn_os *os, const char *directory, const char *path, int flags, mode_t mode, hn_error **err)
{
	char shown[BASE_QUOTE_SIZE];
	struct stat status;
	int fd, code;

	base_quote(shown, path, strlen(path));
	if (!stays_beneath(path))
		return base_error(err, HN_EDENIED, "os", NULL,
			"'%s' is no name below %s: a relative path without '.' and '..' is", shown,
			directory);
	/* Non-blocking, so that a FIFO under this name cannot hold us. */
	fd = os->ops->open_beneath(os, directory, path, flags | O_NONBLOCK, mode);
	if (fd == -ELOOP || fd == -EXDEV)
		return base_error(err, HN_EDENIED, "os", NULL,
			"%s/%s is or goes through a symlink, which is not followed", directory,
			shown);
	if (fd < 0)
		return base_error_errno(err, "os", fd, "cannot open %s/%s", directory, shown);
	code = os->ops->fstat(os, fd, &status);
	if (code < 0)
		code = base_error_errno(err, "os", code, "cannot look at %s/%s", directory, shown);
	else if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		code = base_error(err, HN_EINVAL, "os", NULL,
			"%s/%s is neither a file nor a directory", directory, shown);
	if (code == 0)
		return fd;
	os->ops->close(os, fd);
	return code;
}

int os_look_beneath(hn_os *os, const char *directory, const char *path, struct stat *status)
{
	int fd, code;

	if (!stays_beneath(path))
		return -EXDEV;
	fd = os->ops->open_beneath(os, directory, path, O_PATH, 0);
	if (fd < 0)
		return fd;
	code = os->ops->fstat(os, fd, status);
	os->ops->close(os, fd);
	return code;
}

int os_link_beneath(hn_os *os, const char *directory, const char *path, char *target, size_t room)
{
	struct stat status;
	ssize_t size;
	int fd, code;

	if (!stays_beneath(path))
		return -EXDEV;
	fd = os->ops->open_beneath(os, directory, path, O_PATH, 0);
	if (fd < 0)
		return fd;
	code = os->ops->fstat(os, fd, &status);
	/* Only the real system has links, so only its descriptors come this far. */
	if (code == 0 && !S_ISLNK(status.st_mode))
		code = -EINVAL;
	size = code == 0 ? readlinkat(fd, "", target, room) : 0;
	if (size < 0)
		code = -errno;
	else if (code == 0)
		code = (size_t)size < room ? (int)size : -ENAMETOOLONG;
	os->ops->close(os, fd);
	return code;
}
