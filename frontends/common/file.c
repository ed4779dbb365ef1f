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

int cli_refuse_errno(const cli_run *cli, const char *path, int number)
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
	if (most != CLI_DOCUMENT_BYTES)
		return cli_refuse(cli, HN_ELIMIT, NULL,
			"%s: larger than the %s (%" PRIu64 " bytes) that it may have", path, limit,
			most);
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
			return cli_refuse_errno(cli, path, errno);
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
		return cli_refuse_errno(cli, path, errno);
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

/* ---- what must not stand in argv ---- */

bool cli_others_read(const char *path)
{
	struct stat facts;

	return stat(path, &facts) == 0 && S_ISREG(facts.st_mode) &&
	       (facts.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

void cli_secret_free(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

bool cli_descriptor(const char *path, int *fd)
{
	char *end;

	if (strncmp(path, "fd:", 3) != 0 || path[3] < '0' || path[3] > '9')
		return false;
	*fd = (int)strtol(path + 3, &end, 10);
	return *end == '\0';
}

/* One line: its end is not part of it. */
static int take_line(const cli_run *cli, const char *path, cli_bytes *bytes, char **text)
{
	size_t size = bytes->size;

	while (size > 0 && (bytes->data[size - 1] == '\n' || bytes->data[size - 1] == '\r'))
		size--;
	if (size == 0)
		return cli_refuse(cli, HN_EINVAL, NULL, "%s: there is nothing in it", path);
	if (memchr(bytes->data, '\0', size) != NULL || memchr(bytes->data, '\n', size) != NULL)
		return cli_refuse(
			cli, HN_EINVAL, NULL, "%s: expected one line of text in it", path);
	*text = cli_strndup(bytes->data, size);
	return 0;
}

void cli_bytes_wipe(cli_bytes *bytes)
{
	if (bytes->data != NULL)
		explicit_bzero(bytes->data, bytes->size);
	free(bytes->data);
	*bytes = (cli_bytes){0};
}

int cli_read_private(const cli_run *cli, const char *path, uint64_t most, cli_bytes *bytes)
{
	int fd, status;

	if (!cli_descriptor(path, &fd) && strncmp(path, "fd:", 3) == 0)
		return cli_refuse(cli, HN_EINVAL, "such as fd:3; a file of that name is ./fd:...",
			"%s: behind fd: stands the number of an open descriptor", path);
	if (!cli_descriptor(path, &fd))
		return cli_read_file(cli, path, most, bytes);
	*bytes = (cli_bytes){0};
	status = read_all(cli, fd, path, most, bytes);
	close(fd);
	if (status != 0)
		cli_bytes_wipe(bytes);
	return status;
}

int cli_read_secret(const cli_run *cli, const char *path, char **text)
{
	cli_bytes bytes = {0};
	int status = cli_read_private(cli, path, CLI_SECRET_BYTES, &bytes);

	if (status == 0)
		status = take_line(cli, path, &bytes, text);
	cli_bytes_wipe(&bytes);
	return status;
}
