/* SPDX-License-Identifier: MIT
 *
 * The same mistake gets the same answer from the real system and from the simulated one: what is
 * tested against the second holds for the first.
 */
#include "fixture.h"
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

TestSuite(both, .init = make_directory, .fini = remove_directory);

static int skip_name(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return 0;
}

/* Runs a test on both systems, each with the same directory and a file in it. */
static void both(void (*attempt)(hn_os *os))
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	hn_os *simulated = NULL;

	options.seed = 3;
	cr_assert_eq(hn_os_sim_new(&options, &simulated, NULL), 0);
	cr_assert_eq(os_mkdirs(simulated, directory, 0700, NULL), 0);
	cr_assert_eq(os_write_file(simulated, in("file"), "text", 4, 0600, NULL), 0);
	put("file", "text");
	attempt(hn_os_real());
	attempt(simulated);
	hn_os_sim_free(simulated);
}

static void no_such_descriptor(hn_os *os)
{
	enum { NONE = 900 };
	struct stat status;
	char byte = 0;

	cr_expect_eq(os->ops->close(os, NONE), -EBADF);
	cr_expect_eq(os->ops->pread(os, NONE, &byte, 1, 0), -EBADF);
	cr_expect_eq(os->ops->pwrite(os, NONE, &byte, 1, 0), -EBADF);
	cr_expect_eq(os->ops->read(os, NONE, &byte, 1), -EBADF);
	cr_expect_eq(os->ops->write(os, NONE, &byte, 1), -EBADF);
	cr_expect_eq(os->ops->fsync(os, NONE), -EBADF);
	cr_expect_eq(os->ops->truncate(os, NONE, 0), -EBADF);
	cr_expect_eq(os->ops->fstat(os, NONE, &status), -EBADF);
	cr_expect_eq(os->ops->lock(os, NONE, F_WRLCK, 0, 0), -EBADF);
}

Test(both, no_such_descriptor)
{
	both(no_such_descriptor);
}

static void no_such_file(hn_os *os)
{
	struct stat status;

	cr_expect_eq(os->ops->open(os, in("none"), O_RDONLY, 0), -ENOENT);
	cr_expect_eq(os->ops->open(os, in("none/file"), O_RDWR | O_CREAT, 0600), -ENOENT);
	cr_expect_eq(os->ops->open_beneath(os, directory, "none", O_RDONLY, 0), -ENOENT);
	cr_expect_eq(os->ops->open_beneath(os, in("none"), "file", O_RDONLY, 0), -ENOENT);
	cr_expect_eq(os->ops->stat(os, in("none"), &status), -ENOENT);
	cr_expect_eq(os->ops->unlink(os, in("none")), -ENOENT);
	cr_expect_eq(os->ops->rename(os, in("none"), in("other")), -ENOENT);
	cr_expect_eq(os->ops->rename(os, in("file"), in("none/file")), -ENOENT);
	cr_expect_eq(os->ops->mkdir(os, in("none/below"), 0700), -ENOENT);
	cr_expect_eq(os->ops->rmdir(os, in("none")), -ENOENT);
	cr_expect_eq(os->ops->list(os, in("none"), skip_name, NULL), -ENOENT);
	cr_expect_eq(os->ops->sync_directory(os, in("none")), -ENOENT);
	cr_expect_eq(os->ops->connect_unix(os, in("none")), -ENOENT);
}

Test(both, no_such_file)
{
	both(no_such_file);
}

static void a_file_where_a_directory_belongs(hn_os *os)
{
	struct stat status;

	cr_expect_eq(os->ops->open(os, in("file/below"), O_RDONLY, 0), -ENOTDIR);
	cr_expect_eq(os->ops->stat(os, in("file/below"), &status), -ENOTDIR);
	cr_expect_eq(os->ops->mkdir(os, in("file/below"), 0700), -ENOTDIR);
	cr_expect_eq(os->ops->mkdir(os, in("file"), 0700), -EEXIST);
	cr_expect_eq(os->ops->rmdir(os, in("file")), -ENOTDIR);
	cr_expect_eq(os->ops->list(os, in("file"), skip_name, NULL), -ENOTDIR);
	cr_expect_eq(os->ops->connect_unix(os, in("file")), -ECONNREFUSED);
}

Test(both, a_file_where_a_directory_belongs)
{
	both(a_file_where_a_directory_belongs);
}

static void a_directory_where_a_file_belongs(hn_os *os)
{
	cr_expect_eq(os->ops->open(os, directory, O_RDWR, 0), -EISDIR);
	cr_expect_eq(os->ops->unlink(os, directory), -EISDIR);
	cr_expect_eq(os->ops->rmdir(os, directory), -ENOTEMPTY);
	cr_assert_eq(os->ops->mkdir(os, in("below"), 0700), 0);
	cr_expect_eq(os->ops->rename(os, in("file"), in("below")), -EISDIR);
	cr_expect_eq(os->ops->rename(os, in("below"), in("file")), -ENOTDIR);
	cr_expect_eq(os->ops->rename(os, in("below"), in("below/deeper")), -EINVAL);
	cr_expect_eq(os->ops->rmdir(os, in("below")), 0);
	cr_expect_eq(os->ops->rename(os, directory, in("file/below")), -ENOTDIR);
}

Test(both, a_directory_where_a_file_belongs)
{
	both(a_directory_where_a_file_belongs);
}

static void a_file_opened_another_way(hn_os *os)
{
	int reader = os->ops->open(os, in("file"), O_RDONLY, 0);
	int writer = os->ops->open(os, in("file"), O_WRONLY, 0);
	char byte = 'x';

	cr_assert_geq(reader, 0);
	cr_assert_geq(writer, 0);
	cr_expect_eq(os->ops->open(os, in("file"), O_RDWR | O_CREAT | O_EXCL, 0600), -EEXIST);
	cr_expect_eq(os->ops->pwrite(os, reader, &byte, 1, 0), -EBADF);
	cr_expect_eq(os->ops->write(os, reader, &byte, 1), -EBADF);
	cr_expect_eq(os->ops->pread(os, writer, &byte, 1, 0), -EBADF);
	cr_expect_eq(os->ops->read(os, writer, &byte, 1), -EBADF);
	cr_expect_eq(os->ops->truncate(os, writer, -1), -EINVAL);
	cr_expect_eq(os->ops->poll(os, reader, POLLIN, 0), POLLIN);
	cr_expect_eq(os->ops->close(os, reader), 0);
	cr_expect_eq(os->ops->close(os, writer), 0);
}

Test(both, a_file_opened_another_way)
{
	both(a_file_opened_another_way);
}

static void pipes(hn_os *os)
{
	int ends[2];
	char byte = 'x';

	cr_assert_eq(os->ops->pipe(os, ends), 0);
	cr_expect_eq(os->ops->poll(os, ends[0], POLLIN, 1000000), -ETIMEDOUT);
	cr_expect_eq(os->ops->poll(os, ends[1], POLLOUT, 0), POLLOUT);
	cr_expect_eq(os->ops->pread(os, ends[0], &byte, 1, 0), -ESPIPE);
	cr_expect_eq(os->ops->pwrite(os, ends[1], &byte, 1, 0), -ESPIPE);
	cr_expect_eq(os->ops->fsync(os, ends[1]), -EINVAL);
	cr_expect_eq(os->ops->truncate(os, ends[1], 0), -EINVAL);
	cr_expect_eq(os->ops->write(os, ends[1], &byte, 1), 1);
	cr_expect_eq(os->ops->poll(os, ends[0], POLLIN, 0), POLLIN);
	cr_expect_eq(os->ops->close(os, ends[1]), 0);
	cr_expect_eq(os->ops->read(os, ends[0], &byte, 1), 1);
	cr_expect_eq(os->ops->read(os, ends[0], &byte, 1), 0, "the end");
	cr_expect_eq(os->ops->poll(os, ends[0], POLLIN, 0), POLLHUP);
	cr_expect_eq(os->ops->close(os, ends[0]), 0);
	cr_assert_eq(os->ops->pipe(os, ends), 0);
	cr_expect_eq(os->ops->close(os, ends[0]), 0);
	cr_expect_eq(os->ops->poll(os, ends[1], POLLOUT, 0) & POLLERR, POLLERR);
	cr_expect_eq(os->ops->write(os, ends[1], &byte, 1), -EPIPE);
	cr_expect_eq(os->ops->close(os, ends[1]), 0);
}

Test(both, pipes)
{
	both(pipes);
}

static void processes_of_nobody(hn_os *os)
{
	enum { NOBODY = 0x3fffffff }; /* above every pid_max */
	int status = 77;

	cr_expect_eq(os->ops->wait(os, NOBODY, 0, &status), -ECHILD);
	cr_expect_eq(os->ops->kill(os, NOBODY, 0), -ESRCH);
	cr_expect_eq(os->ops->kill(os, -NOBODY, SIGTERM), -ESRCH);
	cr_expect_eq(status, 77);
}

Test(both, processes_of_nobody)
{
	both(processes_of_nobody);
}
