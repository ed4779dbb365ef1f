/* SPDX-License-Identifier: MIT
 *
 * Memory at no path, in which a secret goes to another process as a descriptor.
 */
#include "os/os-private.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int failed(int code, hn_error **err)
{
	return base_error_errno(err, "os", code, "cannot keep a secret in sealed memory");
}

int os_memory_new(int *fd, hn_error **err)
{
	int made = memfd_create("hypernix-secret", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (made < 0)
		return failed(-errno, err);
	*fd = made;
	return 0;
}

int os_memory_write(int fd, const void *bytes, size_t size, hn_error **err)
{
	const uint8_t *from = bytes;

	while (size > 0) {
		ssize_t written = write(fd, from, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return failed(written < 0 ? -errno : -EIO, err);
		from += written;
		size -= (size_t)written;
	}
	return 0;
}

int os_memory_seal(int fd, hn_error **err)
{
	return fcntl(fd, F_ADD_SEALS, OS_MEMORY_SEALS) < 0 ? failed(-errno, err) : 0;
}
