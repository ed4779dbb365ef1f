/* SPDX-License-Identifier: MIT
 *
 * CPU weight and limit: the two maps, the layouts of cgroup v1 and v2, on a simulated machine.
 */
#include "fixture.h"

#define V1_MOUNTS                                                                                  \
	"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"                                        \
	"32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"                     \
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"               \
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
#define V2_MOUNTS "24 23 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

Test(cgroup, v2_weight_is_units_cut_to_the_kernels_range)
{
	cr_expect_eq(machine_cgroup_weight(2, 0), 1);
	cr_expect_eq(machine_cgroup_weight(2, 1), 1);
	cr_expect_eq(machine_cgroup_weight(2, 100), 100);
	cr_expect_eq(machine_cgroup_weight(2, 9999), 9999);
	cr_expect_eq(machine_cgroup_weight(2, 10000), 10000);
	cr_expect_eq(machine_cgroup_weight(2, 10001), 10000);
	cr_expect_eq(machine_cgroup_weight(2, UINT64_MAX), 10000);
}

Test(cgroup, v1_weight_is_1024_for_a_hundred)
{
	cr_expect_eq(machine_cgroup_weight(1, 0), 2);
	cr_expect_eq(machine_cgroup_weight(1, 1), 10);
	cr_expect_eq(machine_cgroup_weight(1, 100), 1024);
	cr_expect_eq(machine_cgroup_weight(1, 400), 4096);
	cr_expect_eq(machine_cgroup_weight(1, 25600), 262144);
	cr_expect_eq(machine_cgroup_weight(1, 25601), 262144);
	cr_expect_eq(machine_cgroup_weight(1, UINT64_MAX), 262144);
}

Test(cgroup, ratios_are_the_same_on_both)
{
	cr_expect_eq(machine_cgroup_weight(1, 800) * 100, machine_cgroup_weight(1, 100) * 800);
	cr_expect_eq(machine_cgroup_weight(2, 800) * 100, machine_cgroup_weight(2, 100) * 800);
}

static void expect_quota(uint64_t limit, int64_t sn, uint64_t quota, uint64_t period)
{
	uint64_t q, p;

	machine_cgroup_quota(limit, sn, &q, &p);
	cr_expect_eq(q, quota, "limit %llu: quota %llu", (unsigned long long)limit,
		(unsigned long long)q);
	cr_expect_eq(p, period);
}

Test(cgroup, quota)
{
	expect_quota(0, 1000000, 0, 100000);
	expect_quota(100, 1000000, 100000, 100000);
	expect_quota(400, 1600000, 250000, 100000); /* the note's example: 250 % */
	expect_quota(50, 2000000, 25000, 100000);
	expect_quota(100, 0, 100000, 100000);
}

Test(cgroup, quota_below_a_millisecond_gets_a_longer_period)
{
	expect_quota(1, 1600000, 6250, 1000000);
	expect_quota(1, 1000000, 1000, 100000);
	expect_quota(1, INT64_C(100000000), 1000, 1000000);
}

static hn_os *machine_with(const char *mounts, const char *own, bool v2)
{
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/proc/self", 0755, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/proc/self/mountinfo", mounts, strlen(mounts), NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/proc/self/cgroup", own, strlen(own), NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/sys/fs/cgroup/cpu", 0755, NULL), 0);
	cr_assert_eq(os_mkdirs(os, "/sys/fs/cgroup/memory", 0755, NULL), 0);
	if (v2) {
		const char *all = "cpuset cpu io memory pids\n";

		cr_assert_eq(hn_os_sim_put(os, "/sys/fs/cgroup/cgroup.controllers", all,
				     strlen(all), NULL),
			0);
		cr_assert_eq(
			hn_os_sim_put(os, "/sys/fs/cgroup/cgroup.subtree_control", "", 0, NULL), 0);
		cr_assert_eq(os_mkdirs(os, "/sys/fs/cgroup/hypernix", 0755, NULL), 0);
		cr_assert_eq(hn_os_sim_put(os, "/sys/fs/cgroup/hypernix/cgroup.subtree_control", "",
				     0, NULL),
			0);
	}
	return os;
}

Test(cgroup, hybrid_machine_is_v1)
{
	hn_os *os = machine_with(V1_MOUNTS, "1:cpu:/\n0::/\n", false);
	machine_cgroup cgroup;

	machine_cgroup_detect(os, "", &cgroup);
	cr_expect_eq(cgroup.version, 1);
	cr_expect_str_eq(cgroup.cpu, "/sys/fs/cgroup/cpu");
	cr_expect_str_eq(cgroup.memory, "/sys/fs/cgroup/memory");
	cr_expect_str_eq(cgroup.pids, "");
	hn_os_sim_free(os);
}

Test(cgroup, v2_machine)
{
	hn_os *os = machine_with(V2_MOUNTS, "0::/\n", true);
	machine_cgroup cgroup;

	machine_cgroup_detect(os, "", &cgroup);
	cr_expect_eq(cgroup.version, 2, "%s", cgroup.why_not);
	cr_expect_str_eq(cgroup.cpu, "/sys/fs/cgroup");
	hn_os_sim_free(os);
}

Test(cgroup, v2_without_the_cpu_controller)
{
	hn_os *os = machine_with(V2_MOUNTS, "0::/\n", true);
	machine_cgroup cgroup;

	cr_assert_eq(
		hn_os_sim_put(os, "/sys/fs/cgroup/cgroup.controllers", "memory cpuset\n", 14, NULL),
		0);
	machine_cgroup_detect(os, "", &cgroup);
	cr_expect_eq(cgroup.version, 0);
	cr_expect_str_not_empty(cgroup.why_not);
	hn_os_sim_free(os);
}

Test(cgroup, no_cgroups_at_all)
{
	hn_os *os = machine_with("23 1 0:1 / / rw - ext4 /dev/vda rw\n", "", false);
	machine_cgroup cgroup;

	machine_cgroup_detect(os, "", &cgroup);
	cr_expect_eq(cgroup.version, 0);
	cr_expect_str_eq(cgroup.why_not, "no cpu controller is mounted");
	hn_os_sim_free(os);
}

Test(cgroup, not_writable)
{
	hn_os *os = machine_with(V1_MOUNTS, "1:cpu:/\n", false);
	machine_cgroup cgroup;

	/* A file where the group should be: mkdir says so, and nothing can be written below it. */
	cr_assert_eq(hn_os_sim_put(os, "/proc/self/mountinfo",
			     "32 31 0:29 / /nowhere/cpu rw - cgroup cgroup rw,cpu\n", 52, NULL),
		0);
	machine_cgroup_detect(os, "", &cgroup);
	cr_expect_eq(cgroup.version, 0);
	cr_expect_not_null(strstr(cgroup.why_not, "/nowhere/cpu"));
	hn_os_sim_free(os);
}

Test(cgroup, without_one_everything_is_refused)
{
	machine_cgroup none = {.why_not = "a test"};
	hn_error *err = NULL;

	cr_expect_eq(machine_cgroup_enter(hn_os_real(), &none, UUID, 1, &err), HN_ECGROUP);
	cr_expect_not_null(strstr(hn_error_message(err), "a test"));
	hn_error_unref(err);
	cr_expect_eq(
		machine_cgroup_set(hn_os_real(), &none, UUID, 100, 0, 1000000, NULL), HN_ECGROUP);
	cr_expect_eq(machine_cgroup_remove(hn_os_real(), &none, UUID, NULL), 0);
	cr_expect_eq(machine_cgroup_has(hn_os_real(), &none, UUID, 1), 0);
}

/* The kernel makes the files with the group; the simulation does not, so the test does. */
static void group_files(hn_os *os, const char *dir, const char *const *names)
{
	char path[512];

	cr_assert_eq(os_mkdirs(os, dir, 0755, NULL), 0);
	for (size_t i = 0; names[i] != NULL; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		cr_assert_eq(hn_os_sim_put(os, path, "", 0, NULL), 0);
	}
}

static void expect_file(hn_os *os, const char *path, const char *content)
{
	char *text = NULL;
	size_t size;

	cr_assert_eq(os_read_file(os, path, 4096, &text, &size, NULL), 0, "%s", path);
	cr_expect_str_eq(text, content, "%s holds '%s'", path, text);
	base_free(text);
}

Test(cgroup, v1_files)
{
	static const char *const names[] = {
		"cgroup.procs", "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", NULL};
	hn_os *os = machine_with(V1_MOUNTS, "1:cpu:/\n", false);
	const char *dir = "/sys/fs/cgroup/cpu/hypernix/" UUID;
	machine_cgroup cgroup;
	uint64_t units, limit;

	machine_cgroup_detect(os, "", &cgroup);
	group_files(os, dir, names);
	cr_assert_eq(machine_cgroup_enter(os, &cgroup, UUID, 4711, NULL), 0);
	cr_assert_eq(machine_cgroup_set(os, &cgroup, UUID, 400, 400, 1600000, NULL), 0);
	expect_file(os, "/sys/fs/cgroup/cpu/hypernix/" UUID "/cgroup.procs", "4711");
	expect_file(os, "/sys/fs/cgroup/cpu/hypernix/" UUID "/cpu.shares", "4096");
	expect_file(os, "/sys/fs/cgroup/cpu/hypernix/" UUID "/cpu.cfs_quota_us", "250000");
	cr_assert_eq(machine_cgroup_get(os, &cgroup, UUID, 1600000, &units, &limit, NULL), 0);
	cr_expect_eq(units, 400);
	cr_expect_eq(limit, 400);
	hn_os_sim_free(os);
}

Test(cgroup, v2_files)
{
	static const char *const names[] = {
		"cgroup.procs", "cpu.weight", "cpu.max", "memory.max", "pids.max", NULL};
	hn_os *os = machine_with(V2_MOUNTS, "0::/\n", true);
	machine_cgroup cgroup;
	uint64_t units, limit;

	machine_cgroup_detect(os, "", &cgroup);
	group_files(os, "/sys/fs/cgroup/hypernix/" UUID, names);
	cr_assert_eq(machine_cgroup_set(os, &cgroup, UUID, 250, 0, 1000000, NULL), 0);
	expect_file(os, "/sys/fs/cgroup/hypernix/" UUID "/cpu.weight", "250");
	expect_file(os, "/sys/fs/cgroup/hypernix/" UUID "/cpu.max", "max 100000");
	cr_assert_eq(machine_cgroup_bound(os, &cgroup, UUID, 1 << 30, NULL), 0);
	expect_file(os, "/sys/fs/cgroup/hypernix/" UUID "/memory.max", "1073741824");
	expect_file(os, "/sys/fs/cgroup/hypernix/" UUID "/pids.max", "1024");
	cr_assert_eq(machine_cgroup_get(os, &cgroup, UUID, 1000000, &units, &limit, NULL), 0);
	cr_expect_eq(units, 250);
	cr_expect_eq(limit, 0);
	hn_os_sim_free(os);
}

Test(cgroup, a_group_that_is_gone)
{
	hn_os *os = machine_with(V1_MOUNTS, "1:cpu:/\n", false);
	machine_cgroup cgroup;
	uint64_t units = 7, limit = 7;

	machine_cgroup_detect(os, "", &cgroup);
	cr_expect_eq(
		machine_cgroup_get(os, &cgroup, UUID, 1000000, &units, &limit, NULL), HN_ENOENT);
	cr_expect_eq(units, 7, "untouched on failure");
	cr_expect_eq(machine_cgroup_remove(os, &cgroup, UUID, NULL), 0);
	hn_os_sim_free(os);
}

Test(cgroup, membership_is_the_whole_number)
{
	static const char *const names[] = {NULL};
	hn_os *os = machine_with(V1_MOUNTS, "1:cpu:/\n", false);
	machine_cgroup cgroup;

	machine_cgroup_detect(os, "", &cgroup);
	group_files(os, "/sys/fs/cgroup/cpu/hypernix/" UUID, names);
	cr_assert_eq(hn_os_sim_put(os, "/sys/fs/cgroup/cpu/hypernix/" UUID "/cgroup.procs",
			     "12\n345\n", 7, NULL),
		0);
	cr_expect_eq(machine_cgroup_has(os, &cgroup, UUID, 345), 1);
	cr_expect_eq(machine_cgroup_has(os, &cgroup, UUID, 12), 1);
	cr_expect_eq(machine_cgroup_has(os, &cgroup, UUID, 34), 0);
	cr_expect_eq(machine_cgroup_has(os, &cgroup, UUID, 5), 0);
	hn_os_sim_free(os);
}

Test(cgroup, units_and_limit_are_read_back)
{
	uint64_t quota, period;

	cr_expect_eq(machine_cgroup_units(1, machine_cgroup_weight(1, 60)), 60);
	cr_expect_eq(machine_cgroup_units(1, UINT64_MAX), UINT64_MAX);
	cr_expect_eq(machine_cgroup_units(2, 60), 60);
	machine_cgroup_quota(150, 1300000, &quota, &period);
	cr_expect_eq(machine_cgroup_limit((int64_t)quota, (int64_t)period, 1300000), 150);
	cr_expect_eq(machine_cgroup_limit(-1, 100000, 1000000), 0);
}

Test(cgroup, numbers_of_a_daemon_on_this_host)
{
	hn_os *hybrid = machine_with(V1_MOUNTS, "", false);
	hn_os *unified = machine_with(V2_MOUNTS, "", true);

	cr_expect_eq(machine_cgroup_version(hybrid, ""), 1);
	cr_expect_eq(machine_cgroup_version(unified, ""), 2);
	hn_os_sim_free(hybrid);
	hn_os_sim_free(unified);
}
