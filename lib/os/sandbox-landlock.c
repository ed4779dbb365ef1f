/* SPDX-License-Identifier: MIT
 *
 * Landlock: which files, whether TCP, whether signals to others. By raw system calls, since headers
 * and C libraries lag behind kernels.
 */
#include "os/sandbox-private.h"
#include <errno.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What newer kernels added to linux/landlock.h: versions 2 to 6. */
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)
/* Version 7 adds only what is logged. */
enum { VERSION_KNOWN = 6 };

typedef struct ruleset {
	uint64_t files, network, scoped;
} ruleset;

#define FS_FIRST ((FS_REFER)-1) /* the thirteen rights of version 1 */
#define FS_OF_A_FILE                                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
		LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_EXECUTE (FS_READ | LANDLOCK_ACCESS_FS_EXECUTE)
/* No device files are made. */
#define FS_WRITE                                                                                   \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                 \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                     \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                       \
		LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | FS_REFER |            \
		FS_TRUNCATE)

static long call_create(const ruleset *rules, size_t size, uint32_t flags)
{
	return syscall(SYS_landlock_create_ruleset, rules, size, flags);
}

static ruleset handled(uint32_t version, bool programs)
{
	ruleset rules = {.files = FS_FIRST};

	if (version >= 2)
		rules.files |= FS_REFER;
	if (version >= 3)
		rules.files |= FS_TRUNCATE;
	if (version >= 5)
		rules.files |= FS_IOCTL_DEV;
	if (programs)
		return rules;
	if (version >= 4)
		rules.network = NET_BIND_TCP | NET_CONNECT_TCP;
	if (version >= 6)
		rules.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return rules;
}

/* An older kernel takes a longer struct if what it does not know is 0. */
static int create(sandbox_plan *plan, ruleset *rules, hn_error **err)
{
	long version = call_create(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	long fd;

	if (version < 1)
		return 0;
	plan->landlock_version = version > VERSION_KNOWN ? VERSION_KNOWN : (uint32_t)version;
	*rules = handled(plan->landlock_version, (plan->profile->flags & SANDBOX_PROGRAMS) != 0);
	fd = call_create(rules, sizeof(*rules), 0);
	if (fd < 0)
		return base_error_errno(
			err, "os", -errno, "cannot make the file rules of the sandbox");
	plan->landlock = (int)fd;
	return 0;
}

static int allow(const sandbox_plan *plan, const char *path, uint64_t rights, hn_error **err)
{
	struct landlock_path_beneath_attr rule;
	struct stat status;
	int fd, code = 0;

	if (path[0] != '/')
		return base_error(err, HN_EINVAL, "os", NULL,
			"'%s' is no path for a sandbox: it must be absolute", path);
	if (plan->landlock < 0)
		return 0;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return base_error_errno(err, "os", -errno, "the sandbox is to leave %s open", path);
	if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rights &= FS_OF_A_FILE;
	rule = (struct landlock_path_beneath_attr){.allowed_access = rights, .parent_fd = fd};
	if (syscall(SYS_landlock_add_rule, plan->landlock, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) <
		0)
		code = base_error_errno(
			err, "os", -errno, "the sandbox cannot leave %s open", path);
	close(fd);
	return code;
}

static int allow_all(const sandbox_plan *plan, const char *const *paths, size_t count,
	uint64_t rights, hn_error **err)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < count; i++)
		code = allow(plan, paths[i], rights, err);
	return code;
}

int sandbox_landlock_plan(sandbox_plan *plan, hn_error **err)
{
	const hn_sandbox_options *options = plan->options;
	uint64_t devices = (plan->profile->flags & SANDBOX_PROGRAMS) != 0 ? FS_IOCTL_DEV : 0;
	ruleset rules = {0};
	int code = create(plan, &rules, err);

	if (code == 0)
		code = allow_all(plan, options->read_only, options->read_only_count,
			FS_READ & rules.files, err);
	if (code == 0)
		code = allow_all(plan, options->read_write, options->read_write_count,
			(FS_WRITE | devices) & rules.files, err);
	if (code == 0)
		code = allow_all(plan, options->execute, options->execute_count,
			FS_EXECUTE & rules.files, err);
	return code;
}

int sandbox_landlock_enter(const sandbox_plan *plan)
{
	return syscall(SYS_landlock_restrict_self, plan->landlock, 0) < 0 ? -errno : 0;
}
