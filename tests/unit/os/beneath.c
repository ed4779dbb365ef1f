/* SPDX-License-Identifier: MIT
 *
 * Names that are not trusted stay in their directory: no way up, no symlink, nothing but files.
 */
#include "fixture.h"
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>

TestSuite(beneath, .init = make_directory, .fini = remove_directory);

static int open_name(hn_os *os, const char *base, const char *path, int flags)
{
	return os_open_beneath(os, base, path, flags, 0600, NULL);
}

static int opened(const char *path)
{
	int fd = open_name(hn_os_real(), directory, path, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd;
}

Test(beneath, a_file_and_one_in_a_directory)
{
	char bytes[4] = "";
	int fd;

	put("file", "one");
	cr_assert_eq(mkdir(in("below"), 0700), 0);
	put("below/file", "two");
	fd = open_name(hn_os_real(), directory, "below/file", O_RDONLY);
	cr_assert_geq(fd, 0);
	cr_assert_eq(read(fd, bytes, 3), 3);
	cr_assert_str_eq(bytes, "two");
	cr_assert_neq(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	cr_assert_geq(opened("file"), 0);
	cr_assert_geq(opened("below"), 0);
}

Test(beneath, makes_a_file_with_its_mode)
{
	struct stat status;
	int fd = open_name(hn_os_real(), directory, "new", O_WRONLY | O_CREAT | O_EXCL);

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(stat(in("new"), &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	cr_assert_eq(
		open_name(hn_os_real(), directory, "new", O_WRONLY | O_CREAT | O_EXCL), HN_EEXIST);
}

Test(beneath, no_way_out_by_name)
{
	static const char *const names[] = {"..", "../x", "/etc/passwd", "", ".", "./file",
		"below/..", "below/../file", "below//file", "below/", "/", "below/./file"};

	put("file", "one");
	cr_assert_eq(mkdir(in("below"), 0700), 0);
	put("below/file", "two");
	for (size_t i = 0; i < BASE_COUNT(names); i++)
		cr_assert_eq(opened(names[i]), HN_EDENIED, "%s", names[i]);
}

Test(beneath, dots_in_a_name_are_fine)
{
	put("..data", "one");
	put("a..b", "one");
	cr_assert_geq(opened("..data"), 0);
	cr_assert_geq(opened("a..b"), 0);
}

Test(beneath, no_symlink_at_the_end_or_on_the_way)
{
	put("file", "one");
	cr_assert_eq(mkdir(in("below"), 0700), 0);
	put("below/file", "two");
	cr_assert_eq(symlink("/etc/passwd", in("out")), 0);
	cr_assert_eq(symlink("file", in("within")), 0);
	cr_assert_eq(symlink("/", in("root")), 0);
	cr_assert_eq(symlink("below", in("way")), 0);
	cr_assert_eq(opened("out"), HN_EDENIED);
	cr_assert_eq(opened("within"), HN_EDENIED);
	cr_assert_eq(opened("root/etc/passwd"), HN_EDENIED);
	cr_assert_eq(opened("way/file"), HN_EDENIED);
	cr_assert_eq(open_name(hn_os_real(), in("way"), "file", O_RDONLY), HN_EIO,
		"the directory itself is no symlink either");
}

Test(beneath, only_files)
{
	cr_assert_eq(mkfifo(in("fifo"), 0600), 0);
	cr_assert_eq(opened("fifo"), HN_EINVAL);
	cr_assert_eq(opened("none"), HN_ENOENT);
	cr_assert_eq(open_name(hn_os_real(), "/dev", "null", O_RDONLY), HN_EINVAL);
}

Test(beneath, simulated)
{
	hn_os *os = NULL;
	int fd;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/keys/one", "text", 4, NULL), 0);
	fd = open_name(os, "/keys", "one", O_RDONLY);
	cr_assert_geq(fd, 0);
	os->ops->close(os, fd);
	cr_assert_eq(open_name(os, "/keys", "../keys/one", O_RDONLY), HN_EDENIED);
	cr_assert_eq(open_name(os, "/keys", "two", O_RDONLY), HN_ENOENT);
	hn_os_sim_fail(os, 2, false, 5);
	cr_assert_eq(open_name(os, "/keys", "one", O_RDONLY), HN_EIO);
	hn_os_sim_free(os);
}

Test(beneath, looks_at_names_and_reads_links)
{
	hn_os *os = hn_os_real();
	struct stat status;
	char target[16];

	put("file", "one");
	cr_assert_eq(symlink("/etc/passwd", in("link")), 0);
	cr_assert_eq(symlink("/", in("way")), 0);
	cr_assert_eq(os_look_beneath(os, directory, "file", &status), 0);
	cr_assert(S_ISREG(status.st_mode));
	cr_assert_eq(os_look_beneath(os, directory, "link", &status), 0);
	cr_assert(S_ISLNK(status.st_mode));
	cr_assert_eq(os_link_beneath(os, directory, "link", target, sizeof(target)), 11);
	cr_assert_eq(memcmp(target, "/etc/passwd", 11), 0);
	cr_assert_eq(os_link_beneath(os, directory, "link", target, 11), -ENAMETOOLONG);
	cr_assert_eq(os_link_beneath(os, directory, "file", target, sizeof(target)), -EINVAL);
	cr_assert_eq(os_look_beneath(os, directory, "way/etc", &status), -ELOOP);
	cr_assert_eq(os_link_beneath(os, directory, "way/etc", target, 16), -ELOOP);
	cr_assert_eq(os_look_beneath(os, directory, "../x", &status), -EXDEV);
	cr_assert_eq(os_link_beneath(os, directory, "..", target, sizeof(target)), -EXDEV);
	cr_assert_eq(os_look_beneath(os, directory, "nothing", &status), -ENOENT);
}

/* What another file system has there is neither looked at nor taken for a part of this one. */
Test(beneath, nothing_mounted_is_looked_at)
{
	hn_os *os = hn_os_real();
	struct stat root, proc;

	cr_assert_eq(os->ops->stat(os, "/", &root), 0);
	if (os->ops->stat(os, "/proc/self", &proc) < 0 || root.st_dev == proc.st_dev)
		cr_skip("nothing is mounted at /proc");
	cr_assert_eq(os_look_beneath(os, "/", "proc/version", &proc), -EXDEV);
}
