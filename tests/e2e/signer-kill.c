/* SPDX-License-Identifier: MIT
 *
 * Preloaded into hv-signer: the nth answer, HN_KILL_AT, is not sent, the process dies in its place
 * (in its sandbox already of the attempt). What the answer says is durable by then.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static long answers_left = -1;

__attribute__((constructor)) static void read_number(void)
{
	const char *text = getenv("HN_KILL_AT");

	answers_left = text != NULL ? strtol(text, NULL, 10) : 0;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (answers_left > 0 && --answers_left == 0)
		kill(getpid(), SIGKILL);
	return syscall(SYS_sendmsg, fd, message, flags);
}
