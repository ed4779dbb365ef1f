/* SPDX-License-Identifier: MIT
 *
 * Files that answers go to. Each is opened, with room on the disk, before the command does
 * anything, under a name beside its own; it takes its own when it is whole.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM 65536 /* bytes; tokens, requests and keys are shorter */

struct cli_output {
	char *path;
	char *beside; /* NULL: no regular file, which is written as it stands */
	int fd;
};

void cli_output_free(cli_output *output)
{
	if (output == NULL)
		return;
	if (output->fd >= 0)
		close(output->fd);
	if (output->beside != NULL)
		unlink(output->beside);
	free(output->beside);
	free(output->path);
	free(output);
}

/* A pipe or a device is opened; a directory is none of these, and says so. */
static int open_special(const cli_run *cli, cli_output *output)
{
	output->fd = open(output->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return output->fd < 0 ? cli_refuse_errno(cli, output->path, errno) : 0;
}

static int open_beside(const cli_run *cli, cli_output *output)
{
	CLI_AUTO_FREE char *beside = cli_format("%s.XXXXXX", output->path);
	int number;

	output->fd = mkostemp(beside, O_CLOEXEC);
	if (output->fd < 0)
		return cli_refuse_errno(cli, output->path, errno);
	output->beside = cli_format("%s", beside);
	number = posix_fallocate(output->fd, 0, ROOM);
	/* where room cannot be set aside, as over a network, the write itself tells */
	return number == 0 || number == EOPNOTSUPP || number == EINVAL || number == ENOSYS
		       ? 0
		       : cli_refuse_errno(cli, output->path, number);
}

int cli_output_open(const cli_run *cli, const char *path, cli_output **output)
{
	cli_output *made = cli_alloc(sizeof(*made));
	struct stat facts;
	int status;

	*made = (cli_output){.path = cli_format("%s", path), .fd = -1};
	status = stat(path, &facts) == 0 && !S_ISREG(facts.st_mode) ? open_special(cli, made)
								    : open_beside(cli, made);
	if (status == 0)
		*output = made;
	else
		cli_output_free(made);
	return status;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t put = write(fd, bytes, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		bytes += put;
		size -= (size_t)put;
	}
	return true;
}

/* The name itself is on the disk with its directory; where that cannot be synced, it is not. */
static void sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	CLI_AUTO_FREE char *directory =
		slash == NULL ? cli_format(".") : cli_strndup(path, (size_t)(slash - path) + 1);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* What cannot be had again is not thrown away with the file that could not take it. */
static int refuse_kept(const cli_run *cli, cli_output *output, bool whole, const char *bytes,
	size_t size, int number)
{
	CLI_AUTO_FREE char *place = whole ? cli_format("it is in %s", output->beside)
					  : cli_format("it is on standard output");

	if (whole) {
		free(output->beside);
		output->beside = NULL;
	} else {
		fwrite(bytes, 1, size, stdout);
	}
	return cli_refuse(cli, HN_EIO, place, "%s: %s; this is not given again", output->path,
		strerror(number));
}

int cli_output_write(const cli_run *cli, cli_output *output, unsigned mode, const void *bytes,
	size_t size, cli_worth worth)
{
	CLI_AUTO_OF(cli_output) cli_output *owned = output;
	bool whole = write_all(output->fd, bytes, size), done;
	int number;

	if (output->beside != NULL)
		whole = whole && ftruncate(output->fd, (off_t)size) == 0 &&
			fchmod(output->fd, (mode_t)mode) == 0 && fsync(output->fd) == 0;
	done = whole && (output->beside == NULL || rename(output->beside, output->path) == 0);
	number = errno;
	if (!done && worth == CLI_ONCE)
		return refuse_kept(cli, owned, whole, bytes, size, number);
	if (!done)
		return cli_refuse_errno(cli, output->path, number);
	if (output->beside != NULL)
		sync_directory(output->path);
	free(output->beside);
	output->beside = NULL;
	return 0;
}

/* ---- those that options name ---- */

int cli_outputs_open(cli_run *cli)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < cli->given_count; i++) {
		cli_given *one = &cli->given[i];

		if (one->option->written && strcmp(one->text, "-") != 0)
			status = cli_output_open(cli, one->text, &one->output);
	}
	return status;
}

void cli_outputs_free(cli_run *cli)
{
	for (size_t i = 0; i < cli->given_count; i++) {
		cli_output_free(cli->given[i].output);
		cli->given[i].output = NULL;
	}
}

int cli_write_output(const cli_run *cli, const char *name, unsigned mode, const void *bytes,
	size_t size, cli_worth worth)
{
	cli_output *output = NULL;

	for (size_t i = 0; i < cli->given_count; i++) {
		if (!cli->given[i].option->written || strcmp(cli->given[i].option->name, name) != 0)
			continue;
		output = cli->given[i].output;
		cli->given[i].output = NULL;
	}
	if (output != NULL)
		return cli_output_write(cli, output, mode, bytes, size, worth);
	fwrite(bytes, 1, size, stdout);
	return 0;
}
