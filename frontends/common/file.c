/* SPDX-License-Identifier: MIT
 *
 * Reads a file that a user named: bounded before a byte is read, "-" is standard input.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse_errno(const cli_run *cli, const char *path, int number)
{
	hn_code code = number == ENOENT || number == ENOTDIR ? HN_ENOENT
		       : number == EACCES || number == EPERM ? HN_EDENIED
							     : HN_EIO;

	return cli_refuse(cli, code, NULL, "%s: %s", path, strerror(number));
}

static int refuse_size(const cli_run *cli, const char *path, uint64_t most)
{
	char limit[HN_QUANTITY_TEXT];

	hn_size_print(most, limit);
	return cli_refuse(cli, HN_ELIMIT, "split it into several files: they are merged by name",
		"%s: larger than the %s (%" PRIu64 " bytes) that a declaration may have", path,
		limit, most);
}

static int read_all(const cli_run *cli, int fd, const char *path, uint64_t most, cli_bytes *bytes)
{
	size_t capacity = 0;

	for (;;) {
		if (bytes->size == capacity) {
			capacity = capacity == 0 ? 65536 : capacity * 2;
			bytes->data = cli_realloc(bytes->data, capacity, 1);
		}
		ssize_t got = read(fd, bytes->data + bytes->size, capacity - bytes->size);

		if (got < 0 && errno == EINTR && !hn_cancel_triggered(cli->cancel))
			continue;
		if (got < 0)
			return refuse_errno(cli, path, errno);
		if (got == 0)
			return 0;
		bytes->size += (size_t)got;
		if (bytes->size > most)
			return refuse_size(cli, path, most);
	}
}

int cli_read_file(const cli_run *cli, const char *path, uint64_t most, cli_bytes *bytes)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat facts;
	int status;

	*bytes = (cli_bytes){0};
	if (fd < 0)
		return refuse_errno(cli, path, errno);
	if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && (uint64_t)facts.st_size > most)
		status = refuse_size(cli, path, most);
	else
		status = read_all(cli, fd, path, most, bytes);
	if (!standard)
		close(fd);
	if (status != 0) {
		free(bytes->data);
		*bytes = (cli_bytes){0};
	}
	return status;
}
