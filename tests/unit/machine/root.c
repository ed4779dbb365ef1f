/* SPDX-License-Identifier: MIT
 *
 * The machine root: its path, qemu.conf, run files, logs.
 */
#include "fixture.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static hn_os *sim(void)
{
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	return os;
}

Test(root, fifty_bytes_are_the_longest)
{
	cr_expect_eq(
		machine_root_check("/12345678901234567890123456789012345678901234567890", NULL),
		HN_EPATHLEN);
	cr_expect_eq(
		machine_root_check("/1234567890123456789012345678901234567890123456789", NULL), 0);
}

Test(root, plain_absolute_paths_only)
{
	static const char *const paths[] = {"", "m", "./m", "/a/../b", "/a/..", "/a/", "/a//b"};

	for (size_t i = 0; i < BASE_COUNT(paths); i++)
		cr_expect_eq(machine_root_check(paths[i], NULL), HN_EINVAL, "%s", paths[i]);
	cr_expect_eq(machine_root_check(NULL, NULL), HN_EINVAL);
	cr_expect_eq(machine_root_check("/var/lib/hypernix/m", NULL), 0);
}

Test(root, qemu_conf_is_written_and_mended)
{
	hn_os *os = sim();
	bool rewritten = false;
	char *text = NULL;
	struct stat status;
	size_t size;

	cr_assert_eq(machine_root_prepare(os, "/r", &rewritten, NULL), 0);
	cr_expect_not(rewritten, "the first one is not mended");
	cr_assert_eq(os_read_file(os, "/r/etc/qemu.conf", 4096, &text, &size, NULL), 0);
	cr_expect_not_null(strstr(text, "stdio_handler = \"file\""));
	cr_expect_not_null(strstr(text, "cgroup_controllers = []"));
	errno = 0;
	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0);
	cr_expect_not_null(
		strstr(text, errno == EFAULT ? "seccomp_sandbox = 1\n" : "seccomp_sandbox = 0\n"));
	cr_expect_eq(geteuid() == 0, strstr(text, "user = \"root\"") != NULL);
	base_free(text);
	cr_assert_eq(machine_root_prepare(os, "/r", &rewritten, NULL), 0);
	cr_expect_not(rewritten, "nothing to do the second time");
	cr_assert_eq(hn_os_sim_put(os, "/r/etc/qemu.conf", "user = \"me\"\n", 12, NULL), 0);
	cr_assert_eq(machine_root_prepare(os, "/r", &rewritten, NULL), 0);
	cr_expect(rewritten);
	cr_assert_eq(os->ops->stat(os, "/r/etc/qemu.conf", &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	hn_os_sim_free(os);
}

Test(root, run_file_round_trip)
{
	hn_os *os = sim();
	char root[] = "/r";
	machine m = {.os = os, .root = root};
	machine_run run = {.pid = 4711,
			    .started = 99,
			    .console = 12,
			    .ready = true,
			    .composed = true},
		    back;

	cr_assert_eq(os_mkdirs(os, "/r/unit/" UUID, 0700, NULL), 0);
	cr_expect_eq(machine_run_load(os, "/r", UUID, &back), HN_ENOENT);
	cr_assert_eq(machine_run_save(&m, UUID, &run, NULL), 0);
	cr_assert_eq(machine_run_load(os, "/r", UUID, &back), 0);
	cr_expect_eq(back.pid, 4711);
	cr_expect_eq(back.started, 99);
	cr_expect_eq(back.console, 12);
	cr_expect(back.ready);
	cr_expect(back.composed);
	machine_run_forget(&m, UUID);
	cr_expect_eq(machine_run_load(os, "/r", UUID, &back), HN_ENOENT);
	hn_os_sim_free(os);
}

Test(root, run_file_that_is_none)
{
	hn_os *os = sim();
	machine_run back;

	cr_assert_eq(os_mkdirs(os, "/r/unit/" UUID, 0700, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/r/unit/" UUID "/run", "hello", 5, NULL), 0);
	cr_expect_eq(machine_run_load(os, "/r", UUID, &back), HN_ECORRUPT);
	cr_assert_eq(hn_os_sim_put(os, "/r/unit/" UUID "/run", "-1 2 3 0 0\n", 11, NULL), 0);
	cr_expect_eq(machine_run_load(os, "/r", UUID, &back), HN_ECORRUPT);
	hn_os_sim_free(os);
}

/* Field 22 is the start time; the command may hold spaces and brackets. */
#define STAT "4711 (qemu ) x) S 1 1 1 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 4 0 123456 1 1"

static hn_os *with_process(const char *cmdline, size_t size)
{
	hn_os *os = sim();

	cr_assert_eq(os_mkdirs(os, "/proc/4711", 0755, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/proc/4711/cmdline", cmdline, size, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/proc/4711/stat", STAT, sizeof(STAT) - 1, NULL), 0);
	return os;
}

Test(root, process_of_this_unit)
{
	static const char cmdline[] = "/usr/bin/qemu\0-uuid\0" UUID "\0-m\0"
				      "256";
	hn_os *os = with_process(cmdline, sizeof(cmdline));

	cr_expect_eq(machine_process_check(os, 4711, UUID), 123456);
	cr_expect_eq(machine_process_check(os, 4712, UUID), 0);
	cr_expect_eq(machine_process_check(os, 4711, "99999999-2222-4333-8444-555555555555"), 0);
	hn_os_sim_free(os);
}

Test(root, process_of_something_else)
{
	static const char cmdline[] = "/bin/echo\0" UUID "\0-uuid";
	hn_os *os = with_process(cmdline, sizeof(cmdline));

	cr_expect_eq(machine_process_check(os, 4711, UUID), 0);
	hn_os_sim_free(os);
}

Test(root, peek)
{
	static const char cmdline[] = "/usr/bin/qemu\0-uuid\0" UUID;
	hn_os *os = with_process(cmdline, sizeof(cmdline));
	char root[] = "/r";
	machine m = {.os = os, .root = root};
	machine_run run = {.pid = 4711, .started = 123456};
	hn_unit_status status = HN_UNIT_ABSENT;

	cr_assert_eq(os_mkdirs(os, "/r/unit/" UUID, 0700, NULL), 0);
	cr_assert_eq(machine_peek(os, "/r", "web-1", UUID, &status, NULL), 0);
	cr_expect_eq(status, HN_UNIT_STOPPED);
	cr_assert_eq(machine_run_save(&m, UUID, &run, NULL), 0);
	cr_assert_eq(machine_peek(os, "/r", "web-1", UUID, &status, NULL), 0);
	cr_expect_eq(status, HN_UNIT_RUNNING);
	run.started = 5; /* the number is another process's by now */
	cr_assert_eq(machine_run_save(&m, UUID, &run, NULL), 0);
	cr_assert_eq(machine_peek(os, "/r", "web-1", UUID, &status, NULL), 0);
	cr_expect_eq(status, HN_UNIT_STOPPED);
	hn_os_sim_free(os);
}

Test(root, log_read)
{
	hn_os *os = sim();
	char bytes[16];

	cr_assert_eq(os_mkdirs(os, "/r/unit/" UUID, 0700, NULL), 0);
	cr_expect_eq(machine_log_read(os, "/r", UUID, 0, bytes, 16, NULL), HN_ENOENT);
	cr_assert_eq(hn_os_sim_put(os, "/r/unit/" UUID "/console.log", "0123456789", 10, NULL), 0);
	cr_expect_eq(machine_log_read(os, "/r", UUID, 4, bytes, 3, NULL), 3);
	cr_expect_eq(memcmp(bytes, "456", 3), 0);
	cr_expect_eq(machine_log_read(os, "/r", UUID, 10, bytes, 16, NULL), 0);
	cr_expect_eq(machine_log_read(os, "/r", UUID, UINT64_MAX, bytes, 16, NULL), HN_ERANGE);
	cr_expect_eq(machine_log_read(os, "/r", "../../etc", 0, bytes, 16, NULL), HN_EINVAL);
	hn_os_sim_free(os);
}

static uint64_t size_of(hn_os *os, const char *path)
{
	struct stat status;

	return os->ops->stat(os, path, &status) == 0 ? (uint64_t)status.st_size : UINT64_MAX;
}

Test(root, log_is_rotated_in_four_pieces)
{
	hn_os *os = sim();
	size_t piece = 16u << 20;
	char *bytes = calloc(1, piece + 16);

	cr_assert_eq(os_mkdirs(os, "/u", 0700, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/u/console.log", bytes, piece - 1, NULL), 0);
	cr_expect_eq(machine_log_rotate(os, "/u"), 0);
	for (int i = 0; i < 6; i++) {
		cr_assert_eq(
			hn_os_sim_put(os, "/u/console.log", bytes, piece + (size_t)i, NULL), 0);
		cr_expect_eq(machine_log_rotate(os, "/u"), 1);
		cr_expect_eq(size_of(os, "/u/console.log"), 0);
		cr_expect_eq(size_of(os, "/u/console.log.1"), piece);
	}
	cr_expect_eq(size_of(os, "/u/console.log.3"), piece);
	cr_expect_eq(size_of(os, "/u/console.log.4"), UINT64_MAX);
	free(bytes);
	hn_os_sim_free(os);
}

Test(root, log_that_grew_unwatched_keeps_its_end)
{
	hn_os *os = sim();
	size_t piece = base_limit(BASE_LIMIT_CONSOLE_LOG_BYTES) / 4, size = piece * 5;
	char *bytes = calloc(1, size), tail[4] = "";
	int fd;

	cr_assert_eq(os_mkdirs(os, "/r/unit/" UUID, 0700, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/r/unit/not-a-unit", 0700, NULL), 0);
	memcpy(bytes + size - 4, "END\n", 4);
	cr_assert_eq(hn_os_sim_put(os, "/r/unit/" UUID "/console.log", bytes, size, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/r/unit/not-a-unit/console.log", bytes, size, NULL), 0);
	cr_expect_eq(machine_logs_rotate(os, "/r"), 1);
	cr_expect_eq(machine_logs_rotate(os, "/r"), 0);
	cr_expect_eq(size_of(os, "/r/unit/" UUID "/console.log"), 0);
	cr_expect_eq(size_of(os, "/r/unit/" UUID "/console.log.1"), piece);
	cr_expect_eq(size_of(os, "/r/unit/not-a-unit/console.log"), size);
	fd = os->ops->open(os, "/r/unit/" UUID "/console.log.1", O_RDONLY, 0);
	cr_assert_geq(fd, 0);
	cr_expect_eq(os->ops->pread(os, fd, tail, 4, (off_t)piece - 4), 4);
	cr_expect_eq(memcmp(tail, "END\n", 4), 0, "the end is kept");
	os->ops->close(os, fd);
	free(bytes);
	hn_os_sim_free(os);
}

Test(root, log_is_bounded_on_a_full_disk)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	size_t piece = 16u << 20;
	char *bytes = calloc(1, piece);
	hn_os *os = NULL;

	options.capacity = piece + (1u << 20);
	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/u", 0700, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/u/console.log", bytes, piece, NULL), 0);
	cr_expect_lt(machine_log_rotate(os, "/u"), 0);
	cr_expect_eq(size_of(os, "/u/console.log"), 0);
	free(bytes);
	hn_os_sim_free(os);
}
