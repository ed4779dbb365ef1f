/* SPDX-License-Identifier: MIT
 *
 * The simulated system while it runs: files, directories, locks, clock, chance, faults, programs.
 */
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>

static hn_os *os;

static void make(void)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;

	options.seed = 1;
	options.wall = 1000 * OS_SECOND;
	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
}

static void destroy(void)
{
	os = hn_os_sim_free(os);
	cr_assert_null(os);
}

TestSuite(sim, .init = make, .fini = destroy);

static int open_file(const char *path, int flags)
{
	return os->ops->open(os, path, flags, 0600);
}

static void put(const char *path, const char *text)
{
	cr_assert_eq(hn_os_sim_put(os, path, text, strlen(text), NULL), 0);
}

static char *text_of(const char *path)
{
	char *bytes = NULL;

	cr_assert_eq(os_read_file(os, path, 1 << 20, &bytes, NULL, NULL), 0, "%s", path);
	return bytes;
}

Test(sim, open_flags)
{
	cr_assert_eq(open_file("/f", O_RDWR), -ENOENT);
	cr_assert_geq(open_file("/f", O_RDWR | O_CREAT | O_EXCL), 0);
	cr_assert_eq(open_file("/f", O_RDWR | O_CREAT | O_EXCL), -EEXIST);
	cr_assert_geq(open_file("/f", O_RDWR | O_CREAT), 0);
	cr_assert_eq(open_file("/f", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	cr_assert_eq(open_file("/", O_RDWR), -EISDIR);
	cr_assert_geq(open_file("/", O_RDONLY | O_DIRECTORY), 0);
	cr_assert_eq(open_file("/no/f", O_RDWR | O_CREAT), -ENOENT);
	cr_assert_eq(open_file("/f/g", O_RDWR | O_CREAT), -ENOTDIR);
	cr_assert_eq(open_file("relative", O_RDWR | O_CREAT), -EINVAL);
	cr_assert_eq(open_file("/a/../f", O_RDWR), -ENOENT);
}

Test(sim, truncating_open_empties)
{
	struct stat status;

	put("/f", "12345");
	cr_assert_geq(open_file("/f", O_RDWR | O_TRUNC), 0);
	cr_assert_eq(os->ops->stat(os, "/f", &status), 0);
	cr_assert_eq(status.st_size, 0);
}

Test(sim, reads_writes_holes_and_the_end)
{
	int fd = open_file("/f", O_RDWR | O_CREAT);
	char bytes[16];

	cr_assert_eq(os->ops->pwrite(os, fd, "abc", 3, 5), 3);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, 0), 8);
	cr_assert_eq(memcmp(bytes, "\0\0\0\0\0abc", 8), 0);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 2, 5), 2);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, 7), 1);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, 8), 0);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, 4096), 0);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, -1), -EINVAL);
}

Test(sim, truncate_cuts_and_grows_with_zeros)
{
	int fd = open_file("/f", O_RDWR | O_CREAT);
	char bytes[16];

	os->ops->pwrite(os, fd, "abcdef", 6, 0);
	cr_assert_eq(os->ops->truncate(os, fd, 2), 0);
	cr_assert_eq(os->ops->truncate(os, fd, 4), 0);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, 0), 4);
	cr_assert_eq(memcmp(bytes, "ab\0\0", 4), 0);
	cr_assert_eq(os->ops->truncate(os, fd, -1), -EINVAL);
}

Test(sim, what_may_be_done_depends_on_how_it_was_opened)
{
	char byte;
	int reads, writes;

	put("/f", "x");
	reads = open_file("/f", O_RDONLY);
	writes = open_file("/f", O_WRONLY);
	cr_assert_eq(os->ops->pwrite(os, reads, "y", 1, 0), -EBADF);
	cr_assert_eq(os->ops->truncate(os, reads, 0), -EBADF);
	cr_assert_eq(os->ops->pread(os, writes, &byte, 1, 0), -EBADF);
	cr_assert_eq(os->ops->pread(os, 77, &byte, 1, 0), -EBADF);
	cr_assert_eq(os->ops->fsync(os, 77), -EBADF);
	cr_assert_eq(os->ops->close(os, 77), -EBADF);
	cr_assert_eq(os->ops->close(os, reads), 0);
	cr_assert_eq(os->ops->close(os, reads), -EBADF);
}

Test(sim, read_and_write_move_and_append_goes_to_the_end)
{
	int fd = open_file("/f", O_RDWR | O_CREAT), more = open_file("/f", O_WRONLY | O_APPEND);
	char bytes[8] = "";

	cr_assert_eq(os->ops->write(os, fd, "ab", 2), 2);
	cr_assert_eq(os->ops->write(os, fd, "cd", 2), 2);
	cr_assert_eq(os->ops->write(os, more, "ef", 2), 2);
	cr_assert_eq(os->ops->read(os, fd, bytes, 8), 2);
	cr_assert_str_eq(bytes, "ef");
}

Test(sim, an_unlinked_file_lives_while_it_is_open)
{
	int fd;
	char byte;

	put("/f", "x");
	fd = open_file("/f", O_RDONLY);
	cr_assert_eq(os->ops->unlink(os, "/f"), 0);
	cr_assert_not(os_exists(os, "/f"));
	cr_assert_eq(os->ops->pread(os, fd, &byte, 1, 0), 1);
	cr_assert_eq(os->ops->unlink(os, "/f"), -ENOENT);
}

Test(sim, rename_replaces)
{
	char *text;

	put("/a", "new");
	put("/b", "old");
	cr_assert_eq(os->ops->rename(os, "/a", "/b"), 0);
	cr_assert_not(os_exists(os, "/a"));
	text = text_of("/b");
	cr_assert_str_eq(text, "new");
	base_free(text);
	cr_assert_eq(os->ops->rename(os, "/b", "/b"), 0);
	cr_assert_eq(os->ops->rename(os, "/none", "/b"), -ENOENT);
}

Test(sim, rename_of_directories)
{
	put("/d/sub/f", "x");
	put("/file", "x");
	put("/full/f", "x");
	cr_assert_eq(os->ops->rename(os, "/d", "/d/sub/in"), -EINVAL);
	cr_assert_eq(os->ops->rename(os, "/d", "/file"), -ENOTDIR);
	cr_assert_eq(os->ops->rename(os, "/file", "/d"), -EISDIR);
	cr_assert_eq(os->ops->rename(os, "/d", "/full"), -ENOTEMPTY);
	cr_assert_eq(os->ops->rename(os, "/d", "/e"), 0);
	cr_assert(os_exists(os, "/e/sub/f"));
}

Test(sim, directories_are_made_listed_and_removed)
{
	cr_assert_eq(os->ops->mkdir(os, "/d", 0700), 0);
	cr_assert_eq(os->ops->mkdir(os, "/d", 0700), -EEXIST);
	cr_assert_eq(os->ops->mkdir(os, "/", 0700), -EEXIST);
	cr_assert_eq(os->ops->mkdir(os, "/x/y", 0700), -ENOENT);
	put("/d/f", "x");
	cr_assert_eq(os->ops->rmdir(os, "/d"), -ENOTEMPTY);
	cr_assert_eq(os->ops->rmdir(os, "/d/f"), -ENOTDIR);
	cr_assert_eq(os->ops->unlink(os, "/d"), -EISDIR);
	cr_assert_eq(os->ops->unlink(os, "/d/f"), 0);
	cr_assert_eq(os->ops->rmdir(os, "/d"), 0);
	cr_assert_eq(os->ops->rmdir(os, "/d"), -ENOENT);
}

static int join(void *arg, const char *name)
{
	strcat(arg, name);
	strcat(arg, " ");
	return 0;
}

Test(sim, list_is_sorted)
{
	char names[64] = "";

	put("/d/b", "");
	put("/d/c", "");
	put("/d/a", "");
	cr_assert_eq(os->ops->list(os, "/d", join, names), 0);
	cr_assert_str_eq(names, "a b c ");
	cr_assert_eq(os->ops->list(os, "/d/a", join, names), -ENOTDIR);
	cr_assert_eq(os->ops->list(os, "/none", join, names), -ENOENT);
}

Test(sim, stat_tells_kind_size_and_identity)
{
	struct stat first, second, opened;
	int fd;

	put("/f", "12345");
	put("/g", "");
	fd = open_file("/f", O_RDONLY);
	cr_assert_eq(os->ops->stat(os, "/f", &first), 0);
	cr_assert_eq(os->ops->stat(os, "/g", &second), 0);
	cr_assert_eq(os->ops->fstat(os, fd, &opened), 0);
	cr_assert(S_ISREG(first.st_mode));
	cr_assert_eq(first.st_size, 5);
	cr_assert_eq(first.st_mtim.tv_sec, 1000);
	cr_assert_eq(first.st_ino, opened.st_ino);
	cr_assert_neq(first.st_ino, second.st_ino);
	cr_assert_eq(os->ops->stat(os, "/", &first), 0);
	cr_assert(S_ISDIR(first.st_mode));
}

Test(sim, put_makes_directories_and_replaces)
{
	char *text;

	put("/sys/fs/cgroup/cpu.max", "max 100000\n");
	put("/sys/fs/cgroup/cpu.max", "1 2\n");
	text = text_of("/sys/fs/cgroup/cpu.max");
	cr_assert_str_eq(text, "1 2\n");
	base_free(text);
}

static int lock(int fd, short type, off_t start, off_t size)
{
	return os->ops->lock(os, fd, type, start, size);
}

Test(sim, locks_are_between_open_files)
{
	int first, second;

	put("/f", "x");
	first = open_file("/f", O_RDWR);
	second = open_file("/f", O_RDWR);
	cr_assert_eq(lock(first, F_RDLCK, 0, 10), 0);
	cr_assert_eq(lock(second, F_RDLCK, 5, 10), 0);
	cr_assert_eq(lock(first, F_WRLCK, 0, 5), 0);
	cr_assert_eq(lock(first, F_WRLCK, 4, 2), -EAGAIN);
	cr_assert_eq(lock(second, F_RDLCK, 4, 1), -EAGAIN);
	cr_assert_eq(lock(second, F_RDLCK, 15, 0), 0);
	cr_assert_eq(lock(first, F_WRLCK, 1000000, 1), -EAGAIN);
	os->ops->close(os, second);
	cr_assert_eq(lock(first, F_WRLCK, 0, 0), 0);
}

Test(sim, unlocking_the_middle_keeps_both_ends)
{
	int first, second;

	put("/f", "x");
	first = open_file("/f", O_RDWR);
	second = open_file("/f", O_RDWR);
	cr_assert_eq(lock(first, F_WRLCK, 0, 30), 0);
	cr_assert_eq(lock(first, F_UNLCK, 10, 10), 0);
	cr_assert_eq(lock(second, F_WRLCK, 10, 10), 0);
	cr_assert_eq(lock(second, F_WRLCK, 9, 1), -EAGAIN);
	cr_assert_eq(lock(second, F_WRLCK, 20, 1), -EAGAIN);
	cr_assert_eq(lock(first, F_UNLCK, 0, 5), 0);
	cr_assert_eq(lock(second, F_WRLCK, 0, 5), 0);
	cr_assert_eq(lock(second, F_WRLCK, 5, 1), -EAGAIN);
	cr_assert_eq(lock(first, F_UNLCK, 25, 0), 0);
	cr_assert_eq(lock(second, F_WRLCK, 25, 0), 0);
	cr_assert_eq(lock(second, F_WRLCK, 24, 1), -EAGAIN);
}

Test(sim, a_lock_can_be_lowered_and_raised)
{
	int first, second;

	put("/f", "x");
	first = open_file("/f", O_RDWR);
	second = open_file("/f", O_RDWR);
	cr_assert_eq(lock(first, F_WRLCK, 0, 1), 0);
	cr_assert_eq(lock(first, F_RDLCK, 0, 1), 0);
	cr_assert_eq(lock(second, F_RDLCK, 0, 1), 0);
	cr_assert_eq(lock(first, F_WRLCK, 0, 1), -EAGAIN);
	/* What failed changed nothing. */
	cr_assert_eq(lock(second, F_WRLCK, 0, 1), -EAGAIN);
	cr_assert_eq(lock(second, F_UNLCK, 0, 1), 0);
	cr_assert_eq(lock(first, F_WRLCK, 0, 1), 0);
}

Test(sim, a_lock_needs_the_right_access)
{
	int reads;

	put("/f", "x");
	reads = open_file("/f", O_RDONLY);
	cr_assert_eq(lock(reads, F_WRLCK, 0, 1), -EBADF);
	cr_assert_eq(lock(reads, F_RDLCK, 0, 1), 0);
	cr_assert_eq(lock(77, F_RDLCK, 0, 1), -EBADF);
	cr_assert_eq(lock(reads, F_RDLCK, -1, 1), -EINVAL);
	cr_assert_eq(lock(reads, 99, 0, 1), -EINVAL);
}

Test(sim, time_moves_only_when_told)
{
	int64_t wall = os_now(os), monotonic = os_monotonic(os);

	cr_assert_eq(wall, 1000 * OS_SECOND);
	cr_assert_eq(os_now(os), wall);
	os->ops->sleep(os, 5);
	hn_os_sim_advance(os, 10);
	hn_os_sim_advance(os, -10);
	cr_assert_eq(os_now(os), wall + 15);
	cr_assert_eq(os_monotonic(os), monotonic + 15);
	hn_os_sim_advance(os, INT64_MAX);
	cr_assert_eq(os_now(os), INT64_MAX);
}

Test(sim, chance_depends_on_the_seed_alone)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	uint64_t values[3];
	hn_os *other;

	for (uint64_t seed = 0; seed < 2; seed++) {
		options.seed = 1 + seed;
		cr_assert_eq(hn_os_sim_new(&options, &other, NULL), 0);
		cr_assert_eq(os_random(other, &values[seed], 8, NULL), 0);
		hn_os_sim_free(other);
	}
	cr_assert_eq(os_random(os, &values[2], 8, NULL), 0);
	cr_assert_eq(values[0], values[2]);
	cr_assert_neq(values[0], values[1]);
}

Test(sim, the_nth_call_fails_once)
{
	struct stat status;

	put("/f", "x");
	hn_os_sim_fail(os, 2, false, EIO);
	cr_assert_eq(os->ops->stat(os, "/f", &status), 0);
	cr_assert_eq(os->ops->stat(os, "/f", &status), -EIO);
	cr_assert_eq(os->ops->stat(os, "/f", &status), 0);
}

Test(sim, the_nth_call_and_all_after_fail_until_it_is_taken_back)
{
	struct stat status;

	put("/f", "x");
	hn_os_sim_fail(os, 1, true, ENOSPC);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(os->ops->stat(os, "/f", &status), -ENOSPC);
	hn_os_sim_fail(os, 0, false, 0);
	cr_assert_eq(os->ops->stat(os, "/f", &status), 0);
}

Test(sim, every_io_method_counts_and_can_fail)
{
	struct stat status;
	char byte;
	int fd, ends[2];
	uint64_t calls = hn_os_sim_calls(os), rounds = 0;

	put("/f", "x");
	fd = open_file("/f", O_RDWR);
	hn_os_sim_fail(os, 1, true, EIO);
	cr_assert_eq(open_file("/f", O_RDWR), -EIO);
	cr_assert_eq(os->ops->pread(os, fd, &byte, 1, 0), -EIO);
	cr_assert_eq(os->ops->pwrite(os, fd, "y", 1, 0), -EIO);
	cr_assert_eq(os->ops->fsync(os, fd), -EIO);
	cr_assert_eq(os->ops->truncate(os, fd, 0), -EIO);
	cr_assert_eq(os->ops->fstat(os, fd, &status), -EIO);
	cr_assert_eq(os->ops->stat(os, "/f", &status), -EIO);
	cr_assert_eq(os->ops->unlink(os, "/f"), -EIO);
	cr_assert_eq(os->ops->rename(os, "/f", "/g"), -EIO);
	cr_assert_eq(os->ops->mkdir(os, "/d", 0700), -EIO);
	cr_assert_eq(os->ops->rmdir(os, "/d"), -EIO);
	cr_assert_eq(os->ops->list(os, "/", join, NULL), -EIO);
	cr_assert_eq(os->ops->sync_directory(os, "/"), -EIO);
	cr_assert_eq(lock(fd, F_RDLCK, 0, 1), -EIO);
	cr_assert_eq(os->ops->random(os, &byte, 1), -EIO);
	cr_assert_eq(os->ops->pipe(os, ends), -EIO);
	cr_assert_eq(os->ops->poll(os, fd, POLLIN, 0), -EIO);
	rounds = hn_os_sim_calls(os) - calls;
	cr_assert_eq(rounds, 18);
	/* Closing always works: a descriptor is gone whatever close says. */
	cr_assert_eq(os->ops->close(os, fd), 0);
}

Test(sim, a_full_disk_takes_what_fits)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	struct stat status;
	hn_os *small;
	int fd;

	options.capacity = 1000;
	cr_assert_eq(hn_os_sim_new(&options, &small, NULL), 0);
	fd = small->ops->open(small, "/f", O_RDWR | O_CREAT, 0600);
	cr_assert_eq(small->ops->truncate(small, fd, 900), 0);
	cr_assert_eq(small->ops->pwrite(small, fd, options.size ? "0123456789" : "", 10, 895), 10);
	cr_assert_eq(small->ops->truncate(small, fd, 2000), -ENOSPC);
	{
		static char block[200];

		cr_assert_eq(small->ops->pwrite(small, fd, block, sizeof(block), 905), -ENOSPC);
	}
	cr_assert_eq(small->ops->fstat(small, fd, &status), 0);
	cr_assert_eq(status.st_size, 1000);
	cr_assert_eq(small->ops->pwrite(small, fd, "x", 1, 500), 1);
	cr_assert_eq(os_write_file(small, "/g", "x", 1, 0600, NULL), HN_ENOSPC);
	/* Space comes back when nobody can reach the file any more. */
	cr_assert_eq(small->ops->unlink(small, "/f"), 0);
	cr_assert_eq(os_write_file(small, "/g", "x", 1, 0600, NULL), HN_ENOSPC);
	cr_assert_eq(small->ops->close(small, fd), 0);
	cr_assert_eq(os_write_file(small, "/g", "x", 1, 0600, NULL), 0);
	hn_os_sim_free(small);
}

Test(sim, programs_are_those_that_were_scripted)
{
	const char *argv[] = {"/usr/bin/qemu-img", "info", NULL}, *other[] = {"/bin/true", NULL};
	char *output = NULL;
	int exit_status = 0;

	cr_assert_eq(os_run(os, argv, -1, &exit_status, &output, NULL), HN_ENOSUP);
	cr_assert_eq(hn_os_sim_program(os, "/usr/bin/qemu-img", 1, "old\n", NULL), 0);
	cr_assert_eq(hn_os_sim_program(os, "/usr/bin/qemu-img", 2, "new\n", NULL), 0);
	cr_assert_eq(os_run(os, argv, -1, &exit_status, &output, NULL), 0);
	cr_assert_eq(exit_status, 2);
	cr_assert_str_eq(output, "new\n");
	cr_assert_eq(os_run(os, other, -1, &exit_status, NULL, NULL), HN_ENOENT);
	base_free(output);
}

Test(sim, a_program_is_waited_for_once)
{
	const char *argv[] = {"/bin/p", NULL};
	hn_os_spawn what = {.size = sizeof(what), .argv = argv, .in = -1, .out = -1, .err = -1};
	int status = 0;
	pid_t pid;

	cr_assert_eq(hn_os_sim_program(os, "/bin/p", 7, NULL, NULL), 0);
	cr_assert_eq(os->ops->spawn(os, &what, &pid), 0);
	cr_assert_eq(os->ops->kill(os, pid, 15), 0);
	cr_assert_eq(os->ops->wait(os, pid, -1, &status), 0);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	cr_assert_eq(os->ops->wait(os, pid, -1, &status), -ECHILD);
	cr_assert_eq(os->ops->kill(os, pid, 15), -ESRCH);
}

Test(sim, pipes)
{
	char bytes[8];
	int ends[2];

	cr_assert_eq(os->ops->pipe(os, ends), 0);
	cr_assert_eq(os->ops->read(os, ends[0], bytes, 8), -EAGAIN);
	cr_assert_eq(os->ops->poll(os, ends[0], POLLIN, OS_SECOND), -ETIMEDOUT);
	cr_assert_eq(os_now(os), 1001 * OS_SECOND);
	cr_assert_eq(os->ops->write(os, ends[1], "abc", 3), 3);
	cr_assert_eq(os->ops->poll(os, ends[0], POLLIN, 0), POLLIN);
	cr_assert_eq(os->ops->read(os, ends[0], bytes, 2), 2);
	cr_assert_eq(os->ops->close(os, ends[1]), 0);
	cr_assert_eq(os->ops->poll(os, ends[0], POLLIN, 0), POLLIN | POLLHUP);
	cr_assert_eq(os->ops->read(os, ends[0], bytes, 8), 1);
	cr_assert_eq(os->ops->read(os, ends[0], bytes, 8), 0);
	cr_assert_eq(os->ops->pread(os, ends[0], bytes, 8, 0), -ESPIPE);
}

Test(sim, locks_of_the_helper_work_here_too)
{
	BASE_AUTO_OF(os_lock) os_lock *first = NULL;
	os_lock *second = NULL;
	int64_t before = os_monotonic(os);

	cr_assert_eq(os_lock_take(os, "/lock", "a", 0, NULL, &first, NULL), 0);
	cr_assert_eq(os_lock_take(os, "/lock", "b", 3 * OS_SECOND, NULL, &second, NULL), HN_EBUSY);
	cr_assert_eq(os_monotonic(os) - before, 3 * OS_SECOND);
}

Test(sim, a_lock_file_with_any_text_is_still_a_lock)
{
	static const char *const texts[] = {"", "\n", "12", "12 boot", "12 boot program", "x y z 1",
		"99999999999999999999999 boot program 5\n", "12 boot \x1b[2J\x1b[31m 5\n",
		"12 boot a b c x\n"};

	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		BASE_AUTO_OF(hn_error) hn_error *error = NULL;
		os_lock *taken = NULL;
		int fd;

		put("/lock", texts[i]);
		fd = open_file("/lock", O_RDWR);
		cr_assert_eq(lock(fd, F_WRLCK, 0, 0), 0);
		cr_assert_eq(os_lock_take(os, "/lock", "b", 0, NULL, &taken, &error), HN_EBUSY);
		cr_assert_null(taken);
		cr_assert_null(strchr(hn_error_message(error), '\x1b'));
		os->ops->close(os, fd);
	}
}

Test(sim, writing_a_file_never_uses_a_temporary_that_is_there)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	uint64_t chance;
	char path[64], *text;
	hn_os *same;

	/* The name is chance, and chance is known here. */
	options.seed = 1;
	cr_assert_eq(hn_os_sim_new(&options, &same, NULL), 0);
	cr_assert_eq(os_random(same, &chance, sizeof(chance), NULL), 0);
	hn_os_sim_free(same);
	snprintf(path, sizeof(path), "/f.new-%016llx", (unsigned long long)chance);
	put(path, "somebody's");
	cr_assert_eq(os_write_file(os, "/f", "x", 1, 0600, NULL), HN_EEXIST);
	text = text_of(path);
	cr_assert_str_eq(text, "somebody's");
	base_free(text);
}

Test(sim, options_of_a_newer_library_are_refused)
{
	struct {
		hn_os_sim_options options;
		uint64_t more;
	} given = {.options = {.size = sizeof(given)}, .more = 1};
	hn_os *made = NULL;

	cr_assert_eq(hn_os_sim_new(&given.options, &made, NULL), HN_ENEWER);
	cr_assert_null(made);
	cr_assert_eq(hn_os_sim_new(NULL, NULL, NULL), HN_EINVAL);
	cr_assert_eq(hn_os_sim_new(NULL, &made, NULL), 0);
	hn_os_sim_free(made);
}
