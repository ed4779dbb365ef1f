/* SPDX-License-Identifier: MIT
 *
 * Who is on the other side of a socket, and who logged in.
 */
#include "os/os-private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int os_peer(int fd, os_peer_ids *peer, hn_error **err)
{
	struct ucred found;
	socklen_t size = sizeof(found);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &found, &size) < 0)
		return base_error_errno(err, "os", -errno, "cannot tell who is connected");
	/* What the kernel answers for a socket that has no peer, or one of another kind. */
	if (size != sizeof(found) || found.uid == (uid_t)-1)
		return base_error(err, HN_EDENIED, "os", NULL,
			"cannot tell who is connected: this is no connected Unix socket");
	*peer = (os_peer_ids){.pid = found.pid, .uid = found.uid, .gid = found.gid};
	return 0;
}

uint32_t os_login_uid(hn_os *os, pid_t pid)
{
	char *text BASE_AUTO_FREE = NULL;
	char path[40] = "/proc/self/loginuid";
	unsigned long uid;
	char *end;

	if (pid > 0)
		snprintf(path, sizeof(path), "/proc/%ld/loginuid", (long)pid);
	if (os_read_file(os, path, 64, &text, NULL, NULL) < 0)
		return OS_LOGIN_UNSET;
	errno = 0;
	uid = strtoul(text, &end, 10);
	if (end == text || (*end != '\0' && *end != '\n') || errno != 0 || uid > UINT32_MAX)
		return OS_LOGIN_UNSET;
	return (uint32_t)uid;
}
