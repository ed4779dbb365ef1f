/* SPDX-License-Identifier: MIT
 *
 * Whole files, trees, time and chance on the real system.
 */
#include "fixture.h"
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(files, .init = make_directory, .fini = remove_directory);

static int read_code(const char *path, uint64_t limit)
{
	char *bytes = (char *)1;
	size_t size = 77;
	int code = os_read_file(hn_os_real(), path, limit, &bytes, &size, NULL);

	if (code < 0) {
		cr_assert_eq(bytes, (char *)1);
		cr_assert_eq(size, 77);
	} else {
		base_free(bytes);
	}
	return code;
}

Test(files, what_is_written_is_read)
{
	char *bytes;
	size_t size;

	cr_assert_eq(os_write_file(hn_os_real(), in("f"), "a\0b", 3, 0600, NULL), 0);
	cr_assert_eq(os_read_file(hn_os_real(), in("f"), 3, &bytes, &size, NULL), 0);
	cr_assert_eq(size, 3);
	cr_assert_eq(memcmp(bytes, "a\0b\0", 4), 0);
	base_free(bytes);
}

Test(files, an_empty_file_is_empty_text)
{
	char *bytes;
	size_t size = 9;

	put("f", "");
	cr_assert_eq(os_read_file(hn_os_real(), in("f"), 0, &bytes, &size, NULL), 0);
	cr_assert_eq(size, 0);
	cr_assert_str_eq(bytes, "");
	base_free(bytes);
}

Test(files, writing_replaces_and_leaves_nothing_else)
{
	char *bytes;

	put("f", "a longer first content");
	put("f", "second");
	cr_assert_eq(os_read_file(hn_os_real(), in("f"), 100, &bytes, NULL, NULL), 0);
	cr_assert_str_eq(bytes, "second");
	base_free(bytes);
	cr_assert_eq(unlink(in("f")), 0);
	cr_assert_eq(rmdir(directory), 0);
	cr_assert_eq(mkdir(directory, 0700), 0);
}

Test(files, the_mode_is_that_asked_for)
{
	struct stat status;

	put("f", "x");
	cr_assert_eq(hn_os_real()->ops->stat(hn_os_real(), in("f"), &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0600);
}

Test(files, writing_replaces_a_symlink_and_not_what_it_points_to)
{
	struct stat status;
	char *bytes;

	put("target", "kept");
	cr_assert_eq(symlink(in("target"), in("link")), 0);
	put("link", "new");
	cr_assert_eq(lstat(in("link"), &status), 0);
	cr_assert(S_ISREG(status.st_mode));
	cr_assert_eq(os_read_file(hn_os_real(), in("target"), 100, &bytes, NULL, NULL), 0);
	cr_assert_str_eq(bytes, "kept");
	base_free(bytes);
}

Test(files, writing_into_no_directory_fails_and_names_the_path)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;

	cr_assert_eq(os_write_file(hn_os_real(), in("no/f"), "x", 1, 0600, &error), HN_ENOENT);
	cr_assert_not_null(strstr(hn_error_message(error), "no/f"));
}

Test(files, reading_refuses_more_than_the_limit)
{
	put("f", "12345");
	cr_assert_eq(read_code(in("f"), 4), HN_ELIMIT);
	cr_assert_eq(read_code(in("f"), 5), 0);
}

Test(files, a_huge_file_is_refused_before_it_is_read)
{
	int fd = open(in("huge"), O_CREAT | O_WRONLY, 0600);

	cr_assert_eq(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	cr_assert_eq(read_code(in("huge"), 1 << 20), HN_ELIMIT);
}

Test(files, reading_refuses_what_is_no_file)
{
	cr_assert_eq(read_code(in("none"), 100), HN_ENOENT);
	cr_assert_eq(read_code(directory, 100), HN_EINVAL);
	cr_assert_eq(read_code("/dev/null", 100), HN_EINVAL);
	cr_assert_eq(mkfifo(in("fifo"), 0600), 0);
	cr_assert_eq(read_code(in("fifo"), 100), HN_EINVAL);
}

Test(files, files_of_proc_that_say_they_are_empty_are_read)
{
	char *bytes;
	size_t size;

	cr_assert_eq(
		os_read_file(hn_os_real(), "/proc/self/status", 1 << 20, &bytes, &size, NULL), 0);
	cr_assert_not_null(strstr(bytes, "VmRSS"));
	cr_assert_eq(strlen(bytes), size);
	base_free(bytes);
	cr_assert_eq(read_code("/proc/self/status", 10), HN_ELIMIT);
}

Test(files, mkdirs_makes_all_levels_and_takes_what_is_there)
{
	struct stat status;

	cr_assert_eq(os_mkdirs(hn_os_real(), in("a/b//c/"), 0700, NULL), 0);
	cr_assert_eq(os_mkdirs(hn_os_real(), in("a/b/c/d"), 0700, NULL), 0);
	cr_assert_eq(stat(in("a/b/c/d"), &status), 0);
	cr_assert(S_ISDIR(status.st_mode));
	cr_assert_eq(status.st_mode & 0777, 0700);
}

Test(files, mkdirs_goes_through_a_symlink_to_a_directory)
{
	cr_assert_eq(mkdir(in("real"), 0700), 0);
	cr_assert_eq(symlink(in("real"), in("link")), 0);
	cr_assert_eq(os_mkdirs(hn_os_real(), in("link/sub"), 0700, NULL), 0);
	cr_assert(os_exists(hn_os_real(), in("real/sub")));
}

static int may_not_open(hn_os *os, const char *path, int flags, mode_t mode)
{
	return (flags & O_DIRECTORY) != 0 ? -EACCES
					  : hn_os_real()->ops->open(os, path, flags, mode);
}

/* By a table of its own: the super-user, who may run this, enters everything. */
Test(files, mkdirs_says_who_may_not_enter)
{
	hn_os_ops refusing = *hn_os_real()->ops;
	hn_os os = {&refusing};
	char expected[160];
	hn_error *error = NULL;

	refusing.open = may_not_open;
	snprintf(expected, sizeof(expected), "user %ld may not enter /tmp: Permission denied",
		(long)geteuid());
	cr_assert_eq(os_mkdirs(&os, "/tmp/hn-files/x", 0700, &error), HN_EDENIED);
	cr_assert_str_eq(hn_error_message(error), expected);
	hn_error_unref(error);
}

Test(files, mkdirs_says_what_is_no_directory)
{
	hn_error *error = NULL;

	put("file", "");
	cr_assert_lt(os_mkdirs(hn_os_real(), in("file"), 0700, &error), 0);
	cr_assert_not_null(strstr(hn_error_message(error), "is there and is no directory"));
	hn_error_unref(error);
}

Test(files, mkdirs_refuses_a_file_in_the_way)
{
	put("file", "x");
	cr_assert_lt(os_mkdirs(hn_os_real(), in("file"), 0700, NULL), 0);
	cr_assert_lt(os_mkdirs(hn_os_real(), in("file/sub"), 0700, NULL), 0);
}

Test(files, remove_tree_takes_all_and_is_fine_with_nothing)
{
	cr_assert_eq(os_mkdirs(hn_os_real(), in("top/a/b"), 0700, NULL), 0);
	put("top/a/file", "x");
	put("top/a/b/file", "x");
	cr_assert_eq(os_remove_tree(hn_os_real(), in("top"), NULL), 0);
	cr_assert_not(os_exists(hn_os_real(), in("top")));
	cr_assert_eq(os_remove_tree(hn_os_real(), in("top"), NULL), 0);
}

Test(files, remove_tree_does_not_follow_symlinks)
{
	cr_assert_eq(os_mkdirs(hn_os_real(), in("kept"), 0700, NULL), 0);
	put("kept/file", "x");
	cr_assert_eq(os_mkdirs(hn_os_real(), in("top"), 0700, NULL), 0);
	cr_assert_eq(symlink(in("kept"), in("top/link")), 0);
	cr_assert_eq(symlink(in("kept"), in("link")), 0);
	cr_assert_eq(os_remove_tree(hn_os_real(), in("top"), NULL), 0);
	cr_assert_eq(os_remove_tree(hn_os_real(), in("link"), NULL), 0);
	cr_assert(os_exists(hn_os_real(), in("kept/file")));
	cr_assert_not(os_exists(hn_os_real(), in("link")));
}

Test(files, remove_tree_stops_at_a_depth)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_text(&path, directory);
	for (int i = 0; i < 200; i++) {
		base_buf_text(&path, "/d");
		cr_assert_eq(mkdir(path.data, 0700), 0);
	}
	cr_assert_eq(os_remove_tree(hn_os_real(), directory, NULL), HN_ELIMIT);
	while (strlen(path.data) > strlen(directory)) {
		cr_assert_eq(rmdir(path.data), 0);
		*strrchr(path.data, '/') = '\0';
	}
}

Test(files, open_files_are_closed_on_exec)
{
	hn_os *os = hn_os_real();
	int fd;

	put("f", "x");
	fd = os->ops->open(os, in("f"), O_RDONLY, 0);
	cr_assert_geq(fd, 0);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(os->ops->close(os, fd), 0);
	cr_assert_eq(os->ops->close(os, fd), -EBADF);
}

Test(files, reads_are_short_only_at_the_end)
{
	hn_os *os = hn_os_real();
	char bytes[16];
	int fd;

	put("f", "12345");
	fd = os->ops->open(os, in("f"), O_RDONLY, 0);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 3, 0), 3);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, 3), 2);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, 5), 0);
	cr_assert_eq(os->ops->pread(os, fd, bytes, 16, 500), 0);
	cr_assert_eq(os->ops->pwrite(os, fd, bytes, 1, 0), -EBADF);
	os->ops->close(os, fd);
}

static int stop_at_second(void *arg, const char *name)
{
	(void)name;
	return ++*(int *)arg == 2 ? 42 : 0;
}

Test(files, list_stops_when_told_and_does_not_follow_a_symlink)
{
	hn_os *os = hn_os_real();
	int count = 0;

	put("a", "");
	put("b", "");
	put("c", "");
	cr_assert_eq(os->ops->list(os, directory, stop_at_second, &count), 42);
	cr_assert_eq(count, 2);
	cr_assert_eq(symlink(directory, in("link")), 0);
	cr_assert_lt(os->ops->list(os, in("link"), stop_at_second, &count), 0);
}

Test(files, locks_belong_to_the_open_file)
{
	hn_os *os = hn_os_real();
	int first, second;

	put("f", "0123456789");
	first = os->ops->open(os, in("f"), O_RDWR, 0);
	second = os->ops->open(os, in("f"), O_RDWR, 0);
	cr_assert_eq(os->ops->lock(os, first, F_WRLCK, 0, 4), 0);
	cr_assert_eq(os->ops->lock(os, second, F_WRLCK, 3, 1), -EAGAIN);
	cr_assert_eq(os->ops->lock(os, second, F_RDLCK, 3, 1), -EAGAIN);
	cr_assert_eq(os->ops->lock(os, second, F_WRLCK, 4, 1), 0);
	cr_assert_eq(os->ops->lock(os, first, F_UNLCK, 0, 0), 0);
	cr_assert_eq(os->ops->lock(os, second, F_WRLCK, 0, 0), 0);
	os->ops->close(os, second);
	cr_assert_eq(os->ops->lock(os, first, F_WRLCK, 0, 0), 0);
	os->ops->close(os, first);
}

Test(files, exists_sees_a_dangling_symlink)
{
	cr_assert_eq(symlink("nowhere", in("link")), 0);
	cr_assert(os_exists(hn_os_real(), in("link")));
	cr_assert_not(os_exists(hn_os_real(), in("other")));
}

Test(clock, runs_and_sleeps)
{
	hn_os *os = hn_os_real();
	int64_t before = os_monotonic(os);

	os->ops->sleep(os, 2000000);
	cr_assert_geq(os_monotonic(os) - before, 2000000);
	cr_assert_gt(os_now(os), INT64_C(1600000000) * OS_SECOND);
	cr_assert_geq(os->ops->clock(os, HN_OS_CLOCK_BOOT), before);
	cr_assert_gt(os->ops->clock(os, HN_OS_CLOCK_CPU), 0);
	os->ops->sleep(os, -1);
}

Test(uuid, is_version_4_and_different_each_time)
{
	char first[37], second[37];

	cr_assert_eq(os_uuid(hn_os_real(), first, NULL), 0);
	cr_assert_eq(os_uuid(hn_os_real(), second, NULL), 0);
	cr_assert_eq(strlen(first), 36);
	cr_assert_str_neq(first, second);
	cr_assert_eq(first[14], '4');
	cr_assert_not_null(strchr("89ab", first[19]));
	for (size_t i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			cr_assert_eq(first[i], '-');
		else
			cr_assert_not_null(strchr("0123456789abcdef", first[i]));
	}
}
