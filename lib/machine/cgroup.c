/* SPDX-License-Identifier: MIT
 *
 * CPU weight and limit of a unit: the group PARENT/hypernix/UUID, cgroup v1 and v2. Both maps are
 * linear, so the ratio of two units is the same on both.
 */
#include "machine/driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PERIOD_US UINT64_C(100000)

uint64_t machine_cgroup_weight(int version, uint64_t units)
{
	uint64_t low = version == 2 ? 1 : 2, high = version == 2 ? 10000 : 262144;
	uint64_t weight = units;

	if (version != 2)
		weight = units > UINT64_MAX / 1024 - 50 ? high : (units * 1024 + 50) / 100;
	return weight < low ? low : weight > high ? high : weight;
}

/* Q = P x CU / (100 x sN); the kernel takes no quota below 1 ms, so a small one gets a longer
 * period. */
void machine_cgroup_quota(uint64_t limit, int64_t sn, uint64_t *quota, uint64_t *period)
{
	uint64_t ratio = sn > 0 ? (uint64_t)sn : 1000000;

	*period = PERIOD_US;
	*quota = 0;
	if (limit == 0)
		return;
	*quota = PERIOD_US * limit * 10000 / ratio;
	if (*quota < 1000) {
		*period = 10 * PERIOD_US;
		*quota = 10 * PERIOD_US * limit * 10000 / ratio;
	}
	if (*quota < 1000)
		*quota = 1000;
}

uint64_t machine_cgroup_units(int version, uint64_t weight)
{
	if (version == 2)
		return weight;
	return weight > UINT64_MAX / 100 - 6 ? UINT64_MAX : (weight * 100 + 512) / 1024;
}

uint64_t machine_cgroup_limit(int64_t quota, int64_t period, int64_t sn)
{
	uint64_t ratio = sn > 0 ? (uint64_t)sn : 1000000;

	if (quota <= 0 || period <= 0)
		return 0;
	return ((uint64_t)quota * ratio / 10000 + (uint64_t)period / 2) / (uint64_t)period;
}

static int read_text(hn_os *os, const char *path, char **text)
{
	size_t size;

	return os_read_file(os, path, 1 << 20, text, &size, NULL);
}

/* One write, as the kernel wants it; no temporary file. -errno or 0. */
static int put(hn_os *os, const char *path, const char *text)
{
	int fd = os->ops->open(os, path, O_WRONLY, 0);
	ssize_t written;

	if (fd < 0)
		return fd;
	written = os->ops->pwrite(os, fd, text, strlen(text), 0);
	os->ops->close(os, fd);
	return written < 0 ? (int)written : 0;
}

static int put_number(hn_os *os, const char *dir, const char *file, int64_t number)
{
	char path[512], text[32];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	snprintf(text, sizeof(text), "%lld", (long long)number);
	return put(os, path, text);
}

/* The mount point of a v1 controller, or of the v2 hierarchy when controller is NULL. A line of
 * mountinfo: id parent dev root POINT options [tags] - TYPE source SUPER. */
static bool find_mount(const char *mounts, const char *controller, char *out, size_t size)
{
	for (const char *line = mounts; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		char point[128], type[32], super[256];
		const char *dash = memmem(line, length, " - ", 3);

		if (dash != NULL && sscanf(line, "%*s %*s %*s %*s %127s", point) == 1 &&
			sscanf(dash, " - %31s %*s %255s", type, super) == 2) {
			char list[260], wanted[40];

			snprintf(list, sizeof(list), ",%s,", super);
			snprintf(wanted, sizeof(wanted), ",%s,",
				controller == NULL ? "" : controller);
			if (controller == NULL ? strcmp(type, "cgroup2") == 0
					       : strcmp(type, "cgroup") == 0 &&
							 strstr(list, wanted) != NULL) {
				snprintf(out, size, "%s", point);
				return true;
			}
		}
		line += length + (line[length] == '\n' ? 1 : 0);
	}
	return false;
}

static bool has_word(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *p = text; (p = strstr(p, word)) != NULL; p += size)
		if ((p == text || p[-1] == ' ') &&
			(p[size] == ' ' || p[size] == '\n' || p[size] == '\0'))
			return true;
	return false;
}

/* Makes DIR/hypernix; on v2 hands the controllers down. -errno or 0. */
static int make_parent(hn_os *os, const char *dir, bool v2)
{
	char path[512];
	int result;

	snprintf(path, sizeof(path), "%s/hypernix", dir);
	result = os->ops->mkdir(os, path, 0755);
	if (result < 0 && result != -EEXIST)
		return result;
	if (!v2)
		return 0;
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	put(os, path, "+cpu +memory +pids"); /* may be so already; the next write shows */
	snprintf(path, sizeof(path), "%s/hypernix/cgroup.subtree_control", dir);
	result = put(os, path, "+cpu");
	put(os, path, "+memory +pids");
	return result;
}

/* DIR/hypernix may be there already, made by somebody with more rights: can we make groups in it?
 */
static int try_parent(hn_os *os, const char *dir, bool v2)
{
	char path[512];
	int result = make_parent(os, dir, v2);

	if (result < 0)
		return result;
	snprintf(path, sizeof(path), "%s/hypernix/probe-%lld", dir, (long long)getpid());
	result = os->ops->mkdir(os, path, 0755);
	os->ops->rmdir(os, path);
	return result == -EEXIST ? 0 : result;
}

/* Our own group of the v2 hierarchy, when it was delegated to us: then it can be handed down. */
static void own_group(hn_os *os, const char *prefix, const char *mount, char *out, size_t size)
{
	BASE_AUTO_FREE char *text = NULL;
	char path[250];
	const char *line;

	snprintf(out, size, "%s", mount);
	snprintf(path, sizeof(path), "%s/proc/self/cgroup", prefix);
	if (read_text(os, path, &text) < 0)
		return;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (line == NULL)
		return;
	line += *line == '\n' ? 4 : 3;
	snprintf(path, sizeof(path), "%s%.*s", mount, (int)strcspn(line, "\n"), line);
	/* Only a group without processes of its own may hand controllers down. */
	if (strcspn(line, "\n") > 1 && try_parent(os, path, true) == 0)
		snprintf(out, size, "%s", path);
}

static bool try_v2(hn_os *os, const char *prefix, const char *mounts, machine_cgroup *cgroup)
{
	BASE_AUTO_FREE char *controllers = NULL;
	char point[128], path[512], mount[192];
	int result;

	if (!find_mount(mounts, NULL, point, sizeof(point)))
		return false;
	snprintf(path, sizeof(path), "%s%s/cgroup.controllers", prefix, point);
	if (read_text(os, path, &controllers) < 0 || !has_word(controllers, "cpu"))
		return false;
	snprintf(mount, sizeof(mount), "%.60s%s", prefix, point);
	own_group(os, prefix, mount, cgroup->cpu, sizeof(cgroup->cpu));
	result = try_parent(os, cgroup->cpu, true);
	if (result < 0)
		snprintf(cgroup->why_not, sizeof(cgroup->why_not), "%.100s is not writable: %s",
			cgroup->cpu, strerror(-result));
	else
		cgroup->version = 2;
	return true;
}

static bool try_v1(hn_os *os, const char *prefix, const char *mounts, machine_cgroup *cgroup)
{
	static const char *const others[] = {"memory", "pids"};
	char *places[] = {cgroup->memory, cgroup->pids};
	char point[128];
	int result;

	if (!find_mount(mounts, "cpu", point, sizeof(point)))
		return false;
	snprintf(cgroup->cpu, sizeof(cgroup->cpu), "%s%s", prefix, point);
	result = try_parent(os, cgroup->cpu, false);
	if (result < 0) {
		snprintf(cgroup->why_not, sizeof(cgroup->why_not), "%.100s is not writable: %s",
			cgroup->cpu, strerror(-result));
		return true;
	}
	cgroup->version = 1;
	for (size_t i = 0; i < BASE_COUNT(others); i++) {
		if (!find_mount(mounts, others[i], point, sizeof(point)))
			continue;
		snprintf(places[i], sizeof(cgroup->memory), "%s%s", prefix, point);
		if (try_parent(os, places[i], false) < 0)
			places[i][0] = '\0';
	}
	return true;
}

int machine_cgroup_version(hn_os *os, const char *prefix)
{
	BASE_AUTO_FREE char *mounts = NULL;
	char path[256], point[128];

	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", prefix);
	if (read_text(os, path, &mounts) < 0)
		return 1;
	return !find_mount(mounts, "cpu", point, sizeof(point)) &&
			       find_mount(mounts, NULL, point, sizeof(point))
		       ? 2
		       : 1;
}

void machine_cgroup_detect(hn_os *os, const char *prefix, machine_cgroup *cgroup)
{
	BASE_AUTO_FREE char *mounts = NULL;
	char path[256];

	memset(cgroup, 0, sizeof(*cgroup));
	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", prefix);
	if (read_text(os, path, &mounts) < 0) {
		snprintf(cgroup->why_not, sizeof(cgroup->why_not), "cannot read mountinfo");
		return;
	}
	/* A hybrid machine mounts v2 without the cpu controller: it counts as v1. */
	if (!try_v2(os, prefix, mounts, cgroup) && !try_v1(os, prefix, mounts, cgroup))
		snprintf(cgroup->why_not, sizeof(cgroup->why_not), "no cpu controller is mounted");
}

static void group(const char *parent, const char *uuid, char out[400])
{
	snprintf(out, 400, "%s/hypernix/%s", parent, uuid);
}

static int fail(hn_error **err, int problem, const char *what, const char *uuid)
{
	base_error(err, HN_ECGROUP, MACHINE_ROOM, NULL, "cannot %s of unit %s: %s", what, uuid,
		strerror(-problem));
	return HN_ECGROUP;
}

static int unusable(const machine_cgroup *cgroup, hn_error **err)
{
	return base_error(err, HN_ECGROUP, MACHINE_ROOM, NULL, "no cgroup to put a unit into: %s",
		cgroup->why_not);
}

int machine_cgroup_enter(
	hn_os *os, const machine_cgroup *cgroup, const char *uuid, pid_t pid, hn_error **err)
{
	const char *parents[] = {cgroup->cpu, cgroup->memory, cgroup->pids};

	if (cgroup->version == 0)
		return unusable(cgroup, err);
	for (size_t i = 0; i < BASE_COUNT(parents); i++) {
		char dir[400];
		int result;

		if (parents[i][0] == '\0')
			continue;
		make_parent(os, parents[i], cgroup->version == 2);
		group(parents[i], uuid, dir);
		result = os->ops->mkdir(os, dir, 0755);
		if (result == 0 || result == -EEXIST)
			result = put_number(os, dir, "cgroup.procs", pid);
		if (result < 0 && i == 0)
			return fail(err, result, "enter the cgroup", uuid);
	}
	return 0;
}

int machine_cgroup_set(hn_os *os, const machine_cgroup *cgroup, const char *uuid, uint64_t units,
	uint64_t limit, int64_t sn, hn_error **err)
{
	uint64_t quota, period, weight = machine_cgroup_weight(cgroup->version, units);
	char dir[400], path[512], text[64];
	int result;

	if (cgroup->version == 0)
		return unusable(cgroup, err);
	machine_cgroup_quota(limit, sn, &quota, &period);
	group(cgroup->cpu, uuid, dir);
	result = put_number(
		os, dir, cgroup->version == 2 ? "cpu.weight" : "cpu.shares", (int64_t)weight);
	if (result < 0)
		return fail(err, result, "set the CPU weight", uuid);
	if (cgroup->version == 2) {
		if (quota == 0)
			snprintf(text, sizeof(text), "max %llu", (unsigned long long)period);
		else
			snprintf(text, sizeof(text), "%llu %llu", (unsigned long long)quota,
				(unsigned long long)period);
		snprintf(path, sizeof(path), "%s/cpu.max", dir);
		result = put(os, path, text);
	} else {
		result = put_number(os, dir, "cpu.cfs_period_us", (int64_t)period);
		if (result == 0)
			result = put_number(
				os, dir, "cpu.cfs_quota_us", quota == 0 ? -1 : (int64_t)quota);
	}
	/* A kernel without CFS bandwidth has no such file; nothing is lost when there is no limit.
	 */
	if (result < 0 && (limit != 0 || result != -ENOENT))
		return fail(err, result, "set the CPU limit", uuid);
	return 0;
}

/* A wide fence, so that one unit's emulator cannot take the host with it. */
int machine_cgroup_bound(
	hn_os *os, const machine_cgroup *cgroup, const char *uuid, uint64_t memory, hn_error **err)
{
	bool v2 = cgroup->version == 2;
	const char *memory_parent = v2 ? cgroup->cpu : cgroup->memory;
	const char *pids_parent = v2 ? cgroup->cpu : cgroup->pids;
	char dir[400];
	int result;

	if (cgroup->version == 0)
		return unusable(cgroup, err);
	if (memory_parent[0] != '\0') {
		group(memory_parent, uuid, dir);
		result = put_number(
			os, dir, v2 ? "memory.max" : "memory.limit_in_bytes", (int64_t)memory);
		if (result < 0 && result != -ENOENT)
			return fail(err, result, "bound the memory", uuid);
	}
	if (pids_parent[0] != '\0') {
		group(pids_parent, uuid, dir);
		result = put_number(os, dir, "pids.max", 1024);
		if (result < 0 && result != -ENOENT)
			return fail(err, result, "bound the tasks", uuid);
	}
	return 0;
}

static int get_number(hn_os *os, const char *dir, const char *file, int64_t *number)
{
	BASE_AUTO_FREE char *text = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (read_text(os, path, &text) < 0)
		return HN_ENOENT;
	*number = strtoll(text, NULL, 10);
	return 0;
}

static int get_quota(
	hn_os *os, const machine_cgroup *cgroup, const char *dir, int64_t *quota, int64_t *period)
{
	BASE_AUTO_FREE char *text = NULL;
	char path[512];

	if (cgroup->version == 1) {
		if (get_number(os, dir, "cpu.cfs_quota_us", quota) < 0)
			return HN_ENOENT;
		return get_number(os, dir, "cpu.cfs_period_us", period);
	}
	snprintf(path, sizeof(path), "%s/cpu.max", dir);
	if (read_text(os, path, &text) < 0)
		return HN_ENOENT;
	*quota = strncmp(text, "max", 3) == 0 ? -1 : strtoll(text, NULL, 10);
	*period = strchr(text, ' ') == NULL ? 0 : strtoll(strchr(text, ' '), NULL, 10);
	return 0;
}

int machine_cgroup_get(hn_os *os, const machine_cgroup *cgroup, const char *uuid, int64_t sn,
	uint64_t *units, uint64_t *limit, hn_error **err)
{
	int64_t weight, quota = -1, period = 0;
	char dir[400];

	if (cgroup->version == 0)
		return unusable(cgroup, err);
	group(cgroup->cpu, uuid, dir);
	if (get_number(os, dir, cgroup->version == 2 ? "cpu.weight" : "cpu.shares", &weight) < 0 ||
		weight < 0)
		return base_error(
			err, HN_ENOENT, MACHINE_ROOM, NULL, "unit %s has no cgroup", uuid);
	if (get_quota(os, cgroup, dir, &quota, &period) < 0)
		quota = -1;
	*units = machine_cgroup_units(cgroup->version, (uint64_t)weight);
	*limit = machine_cgroup_limit(quota, period, sn);
	return 0;
}

int machine_cgroup_has(hn_os *os, const machine_cgroup *cgroup, const char *uuid, pid_t pid)
{
	BASE_AUTO_FREE char *text = NULL;
	char dir[400], path[512], wanted[32];

	if (cgroup->version == 0)
		return 0;
	group(cgroup->cpu, uuid, dir);
	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	if (read_text(os, path, &text) < 0)
		return 0;
	snprintf(wanted, sizeof(wanted), "%lld", (long long)pid);
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
		if (strncmp(line, wanted, strlen(wanted)) == 0 && line[strlen(wanted)] == '\n')
			return 1;
		if (line[strcspn(line, "\n")] == '\0')
			break;
	}
	return 0;
}

int machine_cgroup_remove(hn_os *os, const machine_cgroup *cgroup, const char *uuid, hn_error **err)
{
	const char *parents[] = {cgroup->cpu, cgroup->memory, cgroup->pids};

	if (cgroup->version == 0)
		return 0;
	for (size_t i = 0; i < BASE_COUNT(parents); i++) {
		char dir[400];
		int result = 0;

		if (parents[i][0] == '\0')
			continue;
		group(parents[i], uuid, dir);
		/* The last task may still be leaving: the kernel tells nobody when it is gone. */
		for (int try = 0; try < 20; try++) {
			result = os->ops->rmdir(os, dir);
			if (result != -EBUSY)
				break;
			os->ops->sleep(os, 50000000);
		}
		if (result < 0 && result != -ENOENT)
			return fail(err, result, "remove the cgroup", uuid);
	}
	return 0;
}

bool machine_cgroup_exists(hn_os *os, const machine_cgroup *cgroup, const char *uuid)
{
	char dir[400];

	if (cgroup->version == 0)
		return false;
	group(cgroup->cpu, uuid, dir);
	return os_exists(os, dir);
}
