/* SPDX-License-Identifier: MIT
 *
 * The sandbox from inside: what is given up, and that each profile can still do its work.
 */
#include "sandbox.h"
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

TestSuite(inside, .init = make, .fini = destroy);

/* --- what is given up --- */

static int nothing(void)
{
	return 0;
}

Test(inside, report_has_all_layers)
{
	cr_assert_eq(inside(HN_SANDBOX_PARSER, NULL, nothing), 0);
	cr_expect(shared->report.no_new_privileges);
	cr_expect(shared->report.capabilities);
	cr_expect(shared->report.descriptors);
	cr_expect(shared->report.limits);
	cr_expect(shared->report.not_dumpable);
	cr_expect_eq(shared->report.size, sizeof(hn_sandbox_report));
	cr_expect_eq(shared->report.relaxed[0] != '\0', SANDBOX_ASAN || SANDBOX_TSAN);
#ifdef HN_HAVE_SECCOMP
	cr_expect_gt(shared->report.seccomp, 40);
#endif
}

#if !SANDBOX_ASAN /* LeakSanitizer looks around first, and does not understand the fork of a test  \
		   */
static int apply(void)
{
	return hn_sandbox_apply(HN_SANDBOX_EDGE, NULL, &shared->report, NULL) == 0 ? 0 : 1;
}

Test(inside, what_programs_call)
{
	cr_assert_eq(in_a_process(apply), 0);
	cr_expect(shared->report.not_dumpable);
}
#endif

static int privileges(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &head, sets) < 0)
		return 1;
	for (int i = 0; i < 2; i++) {
		uint32_t kept =
			(uint32_t)(sandbox_profile_of(HN_SANDBOX_CORE)->capabilities >> (32 * i));

		if (((sets[i].permitted | sets[i].effective) & ~kept) != 0 ||
			sets[i].inheritable != 0)
			return 2;
	}
	/* As root, the bounding set is what an exec would take from. */
	if (geteuid() == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 0)
		return 3;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 4;
}

Test(inside, capabilities_and_privileges_are_gone)
{
	cr_assert_eq(inside(HN_SANDBOX_CORE, NULL, privileges), 0);
}

static int dumpable(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}

Test(inside, not_dumpable)
{
	cr_assert_eq(inside(HN_SANDBOX_SIGNER, NULL, dumpable), 0);
}

static int limits(void)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_CORE, &now) < 0 || now.rlim_max != 0)
		return 1;
	if (getrlimit(RLIMIT_CPU, &now) < 0 || now.rlim_max != 10)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &now) < 0 || now.rlim_max != 64)
		return 3;
	if (getrlimit(RLIMIT_NPROC, &now) < 0 || now.rlim_max != 0)
		return 4;
	if (getrlimit(RLIMIT_AS, &now) < 0)
		return 5;
	return SANDBOX_ASAN || SANDBOX_TSAN || now.rlim_max == (rlim_t)256 << 20 ? 0 : 6;
}

Test(inside, limits_of_the_parser)
{
	cr_assert_eq(inside(HN_SANDBOX_PARSER, NULL, limits), 0);
}

#if !SANDBOX_ASAN && !SANDBOX_TSAN
static int much_memory(void)
{
	return mmap(NULL, (size_t)300 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? 0
		       : 1;
}

Test(inside, parser_gets_no_more_than_its_memory)
{
	cr_assert_eq(inside(HN_SANDBOX_PARSER, NULL, much_memory), 0);
}
#endif

static int lower_first(void)
{
	struct rlimit low = {.rlim_cur = 32, .rlim_max = 32};

	if (setrlimit(RLIMIT_NOFILE, &low) < 0 || enter(HN_SANDBOX_EDGE, NULL) < 0)
		return 1;
	return getrlimit(RLIMIT_NOFILE, &low) == 0 && low.rlim_max == 32 ? 0 : 2;
}

Test(inside, limits_are_never_raised)
{
	cr_assert_eq(in_a_process(lower_first), 0);
}

/* --- descriptors --- */

static int kept[4];

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int look_at_descriptors(void)
{
	if (!is_open(0) || !is_open(1) || !is_open(2))
		return 1;
	if (!is_open(kept[0]) || !is_open(kept[2]))
		return 2;
	if (is_open(kept[1]) || is_open(kept[3]))
		return 3;
	for (int fd = 3; fd < 200; fd++) {
		if (is_open(fd) && fd != kept[0] && fd != kept[2])
			return 4;
	}
	return 0;
}

Test(inside, only_listed_descriptors_stay)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	int keep[5];

	for (size_t i = 0; i < 4; i++) {
		kept[i] = fcntl(
			open("/dev/null", O_RDWR | O_CLOEXEC), F_DUPFD_CLOEXEC, (int)(20 + 10 * i));
		cr_assert_geq(kept[i], 20);
	}
	/* In any order, twice, one of the first three, one that is none. */
	keep[0] = kept[2];
	keep[1] = kept[0];
	keep[2] = kept[2];
	keep[3] = 1;
	keep[4] = -1;
	options.keep = keep;
	options.keep_count = 5;
	cr_assert_eq(inside(HN_SANDBOX_PARSER, &options, look_at_descriptors), 0);
}

static int read_and_report(void)
{
	char bytes[8] = "";

	if (lseek(kept[0], 0, SEEK_SET) != 0 || read(kept[0], bytes, 7) != 4)
		return 1;
	return strcmp(bytes, "text") == 0 && write(kept[1], bytes, 4) == 4 ? 0 : 2;
}

Test(inside, parser_reads_its_image_and_writes_its_report)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;

	put("image", "text");
	kept[0] = open(in("image"), O_RDONLY | O_CLOEXEC);
	kept[1] = open(in("report"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	options.keep = kept;
	options.keep_count = 2;
	cr_assert_eq(inside(HN_SANDBOX_PARSER, &options, read_and_report), 0);
}

/* --- files --- */

static int use_key_directory(void)
{
	int fd = open(in("keys/new"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "key", 3) != 3 || fsync(fd) < 0 || close(fd) < 0)
		return 1;
	if (rename(in("keys/new"), in("keys/one")) < 0 || unlink(in("keys/old")) < 0)
		return 2;
	fd = open(in("keys"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return 3;
	if (open(in("read/file"), O_RDONLY | O_CLOEXEC) < 0)
		return 4;
	if (open(in("read/file"), O_WRONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 5;
	if (open(in("other"), O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 6;
	if (unlink(in("read/file")) >= 0 || rename(in("keys/one"), in("one")) >= 0)
		return 7;
	return mkdir(in("more"), 0700) >= 0 ? 8 : 0;
}

static void directories(hn_sandbox_options *options)
{
	static const char *read_only[1], *read_write[1];

	cr_assert_eq(mkdir(in("keys"), 0700), 0);
	cr_assert_eq(mkdir(in("read"), 0700), 0);
	put("keys/old", "key");
	put("read/file", "text");
	put("other", "text");
	read_only[0] = base_strdup(in("read"));
	read_write[0] = base_strdup(in("keys"));
	options->read_only = read_only;
	options->read_only_count = 1;
	options->read_write = read_write;
	options->read_write_count = 1;
}

static void directories_end(const hn_sandbox_options *options)
{
	base_free((void *)(uintptr_t)options->read_only[0]);
	base_free((void *)(uintptr_t)options->read_write[0]);
}

static void writes_in_its_directory(hn_sandbox_profile profile)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;

	directories(&options);
	cr_assert_eq(inside(profile, &options, use_key_directory), 0);
	directories_end(&options);
}

Test(inside, signer_writes_keys_and_nothing_else)
{
	writes_in_its_directory(HN_SANDBOX_SIGNER);
}

Test(inside, backup_writes_its_repository_and_nothing_else)
{
	writes_in_its_directory(HN_SANDBOX_BACKUP);
}

Test(inside, nbd_writes_its_files_and_nothing_else)
{
	writes_in_its_directory(HN_SANDBOX_NBD);
}

Test(inside, core_writes_its_files_and_nothing_else)
{
	writes_in_its_directory(HN_SANDBOX_CORE);
}

static int through_symlink(void)
{
	return open(in("keys/out"), O_RDONLY | O_CLOEXEC) >= 0 ? 1 : 0;
}

Test(inside, a_symlink_leads_nowhere)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;

	directories(&options);
	cr_assert_eq(symlink(in("other"), in("keys/out")), 0);
	cr_assert_eq(inside(HN_SANDBOX_SIGNER, &options, through_symlink), 0);
	directories_end(&options);
}

static int beneath(void)
{
	int fd = os_open_beneath(hn_os_real(), in("keys"), "old", O_RDONLY, 0, NULL);
	os_interval now;

	os_clock_interval(hn_os_real(), &now);
	return fd >= 0 && now.boot_id[0] != '\0' ? 0 : 1;
}

Test(inside, our_own_helpers_work_inside)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;

	directories(&options);
	cr_assert_eq(inside(HN_SANDBOX_SIGNER, &options, beneath), 0);
	directories_end(&options);
}

/* --- what profiles need --- */

static int secret_memory(void)
{
	int fd = memfd_create("secret", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || write(fd, "x", 1) != 1 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0)
		return 1;
	if (page == MAP_FAILED || mlock(page, 4096) < 0)
		return 2;
	return madvise(page, 4096, MADV_DONTDUMP) < 0 || mprotect(page, 4096, PROT_NONE) < 0 ? 3
											     : 0;
}

Test(inside, signer_has_memory_for_secrets)
{
	cr_assert_eq(inside(HN_SANDBOX_SIGNER, NULL, secret_memory), 0);
}

static int serve_once(void)
{
	int fd = accept4(kept[0], NULL, NULL, SOCK_CLOEXEC);
	os_peer_ids peer;
	char byte;

	if (fd < 0 || os_peer(fd, &peer, NULL) < 0 || peer.uid != geteuid())
		return 1;
	return recv(fd, &byte, 1, 0) == 1 && send(fd, &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : 2;
}

Test(inside, signer_serves_the_socket_that_it_bound)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	char byte = 'x';
	int client;
	pid_t child;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", in("socket"));
	kept[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(kept[0], (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(kept[0], 1), 0);
	options.keep = kept;
	options.keep_count = 1;
	child = fork();
	if (child == 0)
		_exit(enter(HN_SANDBOX_SIGNER, &options) < 0 ? REFUSED : serve_once());
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(send(client, &byte, 1, MSG_NOSIGNAL), 1);
	cr_assert_eq(recv(client, &byte, 1, 0), 1);
	cr_assert_eq(ended(child), 0);
}

static void *answer(void *arg)
{
	return arg;
}

static int start_thread(void)
{
	pthread_t thread;
	void *result = NULL;

	if (pthread_create(&thread, NULL, answer, &shared) != 0)
		return 1;
	return pthread_join(thread, &result) == 0 && result == &shared ? 0 : 2;
}

#if !SANDBOX_TSAN
Test(inside, edge_starts_threads)
{
	cr_assert_eq(inside(HN_SANDBOX_EDGE, NULL, start_thread), 0);
}
#endif

#ifdef HN_HAVE_SECCOMP
Test(inside, parser_starts_no_threads)
{
	cr_assert_eq(inside(HN_SANDBOX_PARSER, NULL, start_thread), -SIGSYS);
}
#endif

static int run_program(const char *path)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execl(path, path, (char *)NULL);
		_exit(errno == EACCES ? 77 : 78);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 79;
}

static int run_listed(void)
{
	return run_program("/bin/true");
}

static int run_unlisted(void)
{
	return run_program("/bin/sleep");
}

/* A program, the loader and the libraries that it needs. */
static const char *const programs[] = {
	"/bin/true", "/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"};

static int core_runs(int (*act)(void))
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;

	options.execute = programs;
	options.execute_count = BASE_COUNT(programs);
	return inside(HN_SANDBOX_CORE, &options, act);
}

static bool has_programs(void)
{
	for (size_t i = 0; i < BASE_COUNT(programs); i++) {
		if (access(programs[i], F_OK) < 0)
			return false;
	}
	return access("/bin/sleep", X_OK) == 0;
}

Test(inside, core_starts_listed_programs_only)
{
	if (!has_programs())
		cr_skip_test("the programs of this machine are elsewhere");
	cr_assert_eq(core_runs(run_listed), 0);
	cr_assert_eq(core_runs(run_unlisted), 77);
}
