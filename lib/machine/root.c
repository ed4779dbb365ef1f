/* SPDX-License-Identifier: MIT
 *
 * The directory of the embedded driver: its length, its qemu.conf, where a unit's files lie.
 */
#include "machine/driver.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* What makes the driver work without virtlogd, security modules, and cgroups of its own: we set
 * cgroups ourselves. user and group are for root only. */
static const char conf_start[] =
	"# Written by hypernix; changes are overwritten when the root is opened.\n"
	"stdio_handler = \"file\"\n"
	"security_driver = \"none\"\n"
	"security_default_confined = 0\n"
	"dynamic_ownership = 0\n"
	"remember_owner = 0\n"
	"namespaces = []\n"
	"cgroup_controllers = []\n";
static const char conf_root[] = "user = \"root\"\ngroup = \"root\"\n";

int machine_root_check(const char *root, hn_error **err)
{
	size_t size = root == NULL ? 0 : strlen(root);

	if (size == 0 || root[0] != '/' || strstr(root, "/../") != NULL ||
		strstr(root, "//") != NULL || root[size - 1] == '/' ||
		(size >= 3 && strcmp(root + size - 3, "/..") == 0))
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"a machine root is an absolute, plain path, not '%.80s'",
			root == NULL ? "" : root);
	if (size > base_limit(BASE_LIMIT_ROOT_PATH_BYTES)) {
		base_error(err, HN_EPATHLEN, MACHINE_ROOM, "choose a shorter --root",
			"the machine root %s has %zu bytes; the monitor sockets below it leave room "
			"for %llu",
			root, size, (unsigned long long)base_limit(BASE_LIMIT_ROOT_PATH_BYTES));
		base_error_fact_number(err, "bytes", (int64_t)size);
		return HN_EPATHLEN;
	}
	return 0;
}

/* libvirt looks its default account up before it reads our qemu.conf, which names another. */
static int account_check(hn_error **err)
{
	if (geteuid() != 0 || getpwnam("libvirt-qemu") != NULL || getpwnam("qemu") != NULL ||
		getpwnam("qemu-libvirtd") != NULL)
		return 0;
	return base_error(err, HN_EDRIVER, MACHINE_ROOM,
		"make it: adduser --system --group --no-create-home libvirt-qemu",
		"libvirt needs the account libvirt-qemu to exist, even where it is not used");
}

/* QEMU ends at its start where it is to be filtered and the kernel cannot; what QEMU itself can,
 * libvirt knows. A kernel that can looks for the filter, which is not there: prctl(2). */
static bool kernel_filters_calls(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT;
}

static int write_conf(hn_os *os, const char *root, bool *rewritten, hn_error **err)
{
	BASE_AUTO_BUF base_buf conf = {0};
	BASE_AUTO_FREE char *present = NULL;
	char path[256];
	size_t size = 0;

	base_buf_format(
		&conf, "%sseccomp_sandbox = %d\n", conf_start, kernel_filters_calls() ? 1 : 0);
	if (geteuid() == 0)
		base_buf_text(&conf, conf_root);
	if (conf.failed)
		return base_nomem(err);
	snprintf(path, sizeof(path), "%s/etc/qemu.conf", root);
	if (os_read_file(os, path, 65536, &present, &size, NULL) == 0 && size == conf.size &&
		memcmp(present, conf.data, size) == 0)
		return 0;
	*rewritten = os_exists(os, path);
	return os_write_file(os, path, conf.data, conf.size, 0600, err);
}

int machine_root_prepare(hn_os *os, const char *root, bool *rewritten, hn_error **err)
{
	static const char *const parts[] = {"etc", "log", "unit"};
	int result = account_check(err);

	for (size_t i = 0; i < BASE_COUNT(parts) && result == 0; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", root, parts[i]);
		result = os_mkdirs(os, path, 0700, err);
	}
	return result < 0 ? result : write_conf(os, root, rewritten, err);
}

void machine_unit_dir(const char *root, const char *uuid, char out[256])
{
	snprintf(out, 256, "%s/unit/%s", root, uuid);
}
