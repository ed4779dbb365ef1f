/* SPDX-License-Identifier: MIT
 *
 * How many hardware threads this process may use: affinity, and the CPU quota of its cgroup and of
 * every parent.
 */
#include "host/capacity.h"
#include "os/os-private.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOM "host"
#define PROC_LIMIT 65536
#define CPU_MAX 8192

typedef struct cpu_set {
	uint8_t bit[CPU_MAX / 8];
} cpu_set;

/* "0-3,8,10-11" as the kernel writes it; false for anything else. */
static bool parse_cpu_list(const char *text, cpu_set *set)
{
	*set = (cpu_set){0};
	for (;;) {
		char *end;
		unsigned long first, last;

		if (*text < '0' || *text > '9')
			return false;
		first = last = strtoul(text, &end, 10);
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			last = strtoul(end + 1, &end, 10);
		if (first > last || last >= CPU_MAX)
			return false;
		for (unsigned long cpu = first; cpu <= last; cpu++)
			set->bit[cpu / 8] |= (uint8_t)(1u << cpu % 8);
		if (*end != ',')
			return *end == '\n' || *end == '\0';
		text = end + 1;
	}
}

static uint32_t count_both(const cpu_set *allowed, const cpu_set *online)
{
	uint32_t count = 0;

	for (size_t i = 0; i < sizeof(allowed->bit); i++)
		count += (uint32_t)__builtin_popcount(allowed->bit[i] & online->bit[i]);
	return count;
}

/* NULL when it cannot be read: a kernel without this file simply sets no such limit. */
static char *read_small(hn_os *os, const char *path)
{
	char *bytes = NULL;
	size_t size;

	return os_read_file(os, path, PROC_LIMIT, &bytes, &size, NULL) < 0 ? NULL : bytes;
}

static int read_affinity(hn_os *os, uint32_t *threads, hn_error **err)
{
	static const char field[] = "\nCpus_allowed_list:";
	BASE_AUTO_FREE char *status = read_small(os, "/proc/self/status");
	BASE_AUTO_FREE char *present = read_small(os, "/sys/devices/system/cpu/online");
	const char *list = status ? strstr(status, field) : NULL;
	cpu_set allowed, online;

	if (list)
		list += sizeof(field) - 1 + strspn(list + sizeof(field) - 1, " \t");
	if (!list || !parse_cpu_list(list, &allowed))
		return base_error(err, HN_EIO, ROOM, "is /proc mounted?",
			"/proc/self/status does not tell which CPUs this process may use");
	if (!present || !parse_cpu_list(present, &online))
		memset(&online, 0xff, sizeof(online));
	*threads = count_both(&allowed, &online);
	return 0;
}

/* Whole threads of a quota over a period, at least 1; UINT32_MAX when there is no quota. */
static uint32_t quota_threads(const char *quota, const char *period)
{
	long long used, window;

	if (!quota || !period || *quota < '0' || *quota > '9')
		return UINT32_MAX; /* "max", "-1" */
	used = strtoll(quota, NULL, 10);
	window = strtoll(period, NULL, 10);
	if (used <= 0 || window <= 0 || used / window > CPU_MAX)
		return UINT32_MAX;
	return used < window ? 1 : (uint32_t)(used / window);
}

static uint32_t group_quota_v2(hn_os *os, const char *group)
{
	char path[4096 + 64];
	BASE_AUTO_FREE char *text = NULL;
	char *period;

	(void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", group);
	text = read_small(os, path);
	period = text ? strchr(text, ' ') : NULL;
	return quota_threads(text, period ? period + 1 : NULL);
}

static uint32_t group_quota_v1(hn_os *os, const char *group)
{
	static const char *const mounts[] = {"cpu", "cpu,cpuacct"};
	char path[4096 + 64];

	for (size_t i = 0; i < BASE_COUNT(mounts); i++) {
		BASE_AUTO_FREE char *quota = NULL, *period = NULL;

		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/cpu.cfs_quota_us",
			mounts[i], group);
		quota = read_small(os, path);
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/cpu.cfs_period_us",
			mounts[i], group);
		period = read_small(os, path);
		if (quota)
			return quota_threads(quota, period);
	}
	return UINT32_MAX;
}

/* The smallest quota of a group and its parents. `group` is cut as the walk goes up. */
static uint32_t walk_up(hn_os *os, char *group, uint32_t (*quota)(hn_os *, const char *))
{
	uint32_t least = UINT32_MAX;

	for (;;) {
		uint32_t here;
		char *slash;

		if (strcmp(group, "/") == 0)
			*group = '\0';
		here = quota(os, group);
		if (here < least)
			least = here;
		slash = strrchr(group, '/');
		if (!slash)
			return least;
		*slash = '\0';
	}
}

static bool lists_cpu(const char *controllers, size_t size)
{
	for (size_t start = 0; start < size;) {
		const char *comma = memchr(controllers + start, ',', size - start);
		size_t length = comma ? (size_t)(comma - controllers) - start : size - start;

		if (length == 3 && memcmp(controllers + start, "cpu", 3) == 0)
			return true;
		start += length + 1;
	}
	return false;
}

/* One line "4:cpu,cpuacct:/a/b" (v1) or "0::/a/b" (v2) of /proc/self/cgroup. */
static uint32_t line_quota(hn_os *os, char *line)
{
	char *controllers = strchr(line, ':');
	char *group = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!group || group[1] != '/' || strlen(group) > 4096)
		return UINT32_MAX;
	controllers++;
	if (group == controllers)
		return walk_up(os, group + 1, group_quota_v2);
	if (lists_cpu(controllers, (size_t)(group - controllers)))
		return walk_up(os, group + 1, group_quota_v1);
	return UINT32_MAX;
}

static uint32_t read_quota(hn_os *os)
{
	BASE_AUTO_FREE char *groups = read_small(os, "/proc/self/cgroup");
	uint32_t least = UINT32_MAX;
	char *next = NULL;

	if (!groups)
		return least;
	for (char *line = strtok_r(groups, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		uint32_t threads = line_quota(os, line);

		if (threads < least)
			least = threads;
	}
	return least;
}

int host_usable_threads(hn_os *os, uint32_t *threads, hn_error **err)
{
	uint32_t affinity = 0, quota;
	int rc = read_affinity(os, &affinity, err);

	if (rc < 0)
		return rc;
	quota = read_quota(os);
	if (quota < affinity)
		affinity = quota;
	*threads = affinity > 0 ? affinity : 1;
	return 0;
}
