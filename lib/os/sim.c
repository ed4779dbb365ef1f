/* SPDX-License-Identifier: MIT
 *
 * The simulated operating system: files in memory with the writes that were not synced, a clock
 * that moves only when told, seeded chance, faults at the nth call, and power failures.
 */
#include "os/sim-private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
uint64_t sim_chance(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

int sim_enter(sim *system)
{
	system->calls++;
	if (system->fail_at == 0 || system->calls < system->fail_at)
		return 0;
	return system->calls == system->fail_at || system->fail_for_ever ? -system->fail_error : 0;
}

static int64_t sim_clock(hn_os *os, hn_os_clock which)
{
	return which == HN_OS_CLOCK_WALL ? sim_of(os)->wall : sim_of(os)->monotonic;
}

static int sim_clock_state(hn_os *os, hn_os_clock_state *state)
{
	const sim *system = sim_of(os);

	state->synchronised = system->synchronised;
	state->wall = system->wall;
	state->boot = system->monotonic;
	state->error = system->clock_error;
	snprintf(state->boot_id, sizeof(state->boot_id), "00000000-0000-4000-8000-%012x",
		system->boots);
	return 0;
}

static void sim_sleep(hn_os *os, int64_t nanoseconds)
{
	hn_os_sim_advance(os, nanoseconds);
}

static int sim_random(hn_os *os, void *bytes, size_t size)
{
	unsigned char *at = bytes;
	int code = sim_enter(sim_of(os));

	if (code < 0)
		return code;
	for (size_t i = 0; i < size; i++)
		at[i] = (unsigned char)(sim_chance(&sim_of(os)->chance) >> 56);
	return 0;
}

static const hn_os_ops sim_ops = {
	.size = sizeof(hn_os_ops),
	.open = sim_open,
	.close = sim_close,
	.pread = sim_pread,
	.pwrite = sim_pwrite,
	.fsync = sim_fsync,
	.truncate = sim_truncate,
	.fstat = sim_fstat,
	.stat = sim_stat,
	.unlink = sim_unlink,
	.rename = sim_rename,
	.mkdir = sim_mkdir,
	.rmdir = sim_rmdir,
	.list = sim_list,
	.sync_directory = sim_sync_directory,
	.lock = sim_set_lock,
	.clock = sim_clock,
	.sleep = sim_sleep,
	.random = sim_random,
	.spawn = sim_spawn,
	.wait = sim_wait,
	.kill = sim_kill,
	.connect_unix = sim_connect_unix,
	.poll = sim_poll,
	.read = sim_read,
	.write = sim_write_stream,
	.pipe = sim_make_pipe,
	.clock_state = sim_clock_state,
	.open_beneath = sim_open_beneath,
};

int hn_os_sim_new(const hn_os_sim_options *options, hn_os **os, hn_error **err)
{
	hn_os_sim_options given = HN_OS_SIM_OPTIONS_INIT;
	sim *system;
	int code;

	if (os == NULL)
		return base_error(
			err, HN_EINVAL, "os", NULL, "no place for the simulated system was given");
	if (options != NULL) {
		code = base_options(&given, sizeof(given), options, "os", err);
		if (code < 0)
			return code;
	}
	system = base_calloc(1, sizeof(*system));
	if (system == NULL)
		return base_nomem(err);
	system->os.ops = &sim_ops;
	system->chance = given.seed;
	system->wall = given.wall;
	system->monotonic = OS_SECOND;
	system->synchronised = true;
	system->capacity = given.capacity;
	system->last_pid = 1000;
	system->root = sim_node_new(system, S_IFDIR | 0755);
	if (system->root == NULL) {
		base_free(system);
		return base_nomem(err);
	}
	*os = &system->os;
	return 0;
}

hn_os *hn_os_sim_free(hn_os *os)
{
	sim *system = sim_of(os);
	sim_program *next;

	if (os == NULL)
		return NULL;
	sim_handles_close(system);
	free(system->handles);
	sim_changes_clear(system);
	sim_processes_clear(system);
	for (sim_program *one = system->programs; one != NULL; one = next) {
		next = one->next;
		free(one->name);
		free(one->output);
		free(one);
	}
	sim_node_unref(system, system->root);
	base_free(system);
	return NULL;
}

void hn_os_sim_advance(hn_os *os, int64_t nanoseconds)
{
	sim *system = sim_of(os);

	if (nanoseconds <= 0)
		return;
	if (__builtin_add_overflow(system->wall, nanoseconds, &system->wall))
		system->wall = INT64_MAX;
	if (__builtin_add_overflow(system->monotonic, nanoseconds, &system->monotonic))
		system->monotonic = INT64_MAX;
}

void hn_os_sim_step(hn_os *os, int64_t nanoseconds)
{
	sim *system = sim_of(os);

	if (__builtin_add_overflow(system->wall, nanoseconds, &system->wall))
		system->wall = nanoseconds < 0 ? INT64_MIN : INT64_MAX;
}

void hn_os_sim_clock(hn_os *os, int64_t error, bool synchronised)
{
	sim_of(os)->clock_error = error < 0 ? 0 : error;
	sim_of(os)->synchronised = synchronised;
}

uint64_t hn_os_sim_calls(const hn_os *os)
{
	return ((const sim *)(const void *)os)->calls;
}

void hn_os_sim_fail(hn_os *os, uint64_t nth, bool for_ever, int error_number)
{
	sim *system = sim_of(os);

	system->fail_at = nth == 0 ? 0 : system->calls + nth;
	system->fail_for_ever = for_ever;
	system->fail_error = error_number < 0 ? -error_number : error_number;
}

/* The directories of `path`, made where they are missing, durable at once. */
static int put_parents(sim *system, const char *path)
{
	char *prefix = strdup(path);
	int code = prefix == NULL ? -ENOMEM : 0;

	for (char *slash = prefix; code == 0 && (slash = strchr(slash + 1, '/')) != NULL;) {
		char name[SIM_NAME_MAX + 1];
		sim_node *parent, *made;

		*slash = '\0';
		code = sim_find(system, prefix, &made);
		if (code == -ENOENT) {
			code = sim_find_parent(system, prefix, &parent, name);
			if (code == 0)
				code = sim_create(system, parent, name, S_IFDIR | 0755, &made);
			if (code == 0)
				code = sim_entries_set(
					system, &parent->durable_entries, name, made, false);
		}
		*slash = '/';
	}
	free(prefix);
	return code;
}

static int put_file(sim *system, const char *path, const void *bytes, size_t size)
{
	char name[SIM_NAME_MAX + 1];
	sim_node *parent, *made;
	ssize_t put;
	int code = put_parents(system, path);

	if (code == 0)
		code = sim_find_parent(system, path, &parent, name);
	if (code == 0)
		code = sim_create(system, parent, name, S_IFREG | 0644, &made);
	if (code == 0)
		code = sim_entries_set(system, &parent->durable_entries, name, made, false);
	if (code < 0)
		return code;
	put = sim_node_write(system, made, bytes, size, 0);
	sim_writes_apply(made, 0);
	return put < 0 ? (int)put : 0;
}

int hn_os_sim_put(hn_os *os, const char *path, const void *bytes, size_t size, hn_error **err)
{
	int code = put_file(sim_of(os), path, bytes, size);

	return code < 0 ? base_error_errno(err, "os", code, "cannot put %s", path) : 0;
}

static bool toss(uint64_t *seed)
{
	return (sim_chance(seed) >> 63) != 0;
}

/* Each sector of each write is there or not. A file may so end up with a later write and without an
 * earlier one. */
static int shuffle_writes(sim_node *node, uint64_t *seed)
{
	for (const sim_write *one = node->writes; one != NULL; one = one->next) {
		size_t end = one->offset + one->size;
		int code = 0;

		if (one->truncate) {
			if (toss(seed))
				code = sim_content_resize(&node->durable, one->offset);
			if (code < 0)
				return code;
			continue;
		}
		for (size_t at = one->offset; at < end;) {
			size_t sector_end = (at / SIM_SECTOR + 1) * SIM_SECTOR;
			size_t stop = sector_end < end ? sector_end : end;

			if (toss(seed))
				code = sim_content_write(&node->durable, at,
					one->bytes + (at - one->offset), stop - at);
			if (code < 0)
				return code;
			at = stop;
		}
	}
	return 0;
}

/* What of the unsynced writes is on the disk; then programs see the disk. */
static int crash_node(sim *system, sim_node *node, hn_os_sim_crash how, uint64_t *seed)
{
	int code = 0;

	if (how == HN_OS_SIM_CRASH_KEEP)
		sim_writes_apply(node, 0);
	else if (how == HN_OS_SIM_CRASH_SHUFFLE)
		code = shuffle_writes(node, seed);
	sim_writes_drop(node);
	sim_entries_clear(system, &node->live_entries, true);
	node->live.size = 0;
	if (code == 0)
		code = sim_content_write(&node->live, 0, node->durable.bytes, node->durable.size);
	for (size_t i = 0; code == 0 && i < node->durable_entries.count; i++)
		code = sim_entries_set(system, &node->live_entries,
			node->durable_entries.items[i].name, node->durable_entries.items[i].node,
			true);
	return code;
}

/* Holds every node while entries come and go, so that none is freed under the walk. */
static int crash_nodes(sim *system, hn_os_sim_crash how, uint64_t seed)
{
	sim_node *oldest = NULL;
	int code = 0;

	for (sim_node *node = system->nodes; node != NULL; node = node->next) {
		sim_node_show(node);
		oldest = node;
	}
	/* From the oldest node on, so that what a seed does depends on nothing but the calls
	 * before. */
	for (sim_node *node = oldest; code == 0 && node != NULL; node = node->previous)
		code = crash_node(system, node, how, &seed);
	system->used = 0;
	for (const sim_node *node = system->nodes; node != NULL; node = node->next)
		system->used += node->live.size;
	return code;
}

static void release_nodes(sim *system)
{
	sim_node *next;

	/* What this drops can be freed only with its own last reference, which this walk holds
	 * until it gets there. */
	for (sim_node *node = system->nodes; node != NULL; node = next) {
		next = node->next;
		sim_node_hide(system, node);
	}
}

int hn_os_sim_crash_now(hn_os *os, hn_os_sim_crash how, uint64_t seed, hn_error **err)
{
	sim *system = sim_of(os);
	int code;

	for (const sim_change *change = system->changes; change != NULL; change = change->next) {
		if (how == HN_OS_SIM_CRASH_KEEP || (how == HN_OS_SIM_CRASH_SHUFFLE && toss(&seed)))
			sim_change_apply(system, change);
	}
	sim_changes_clear(system);
	sim_handles_close(system);
	sim_processes_clear(system);
	system->boots++;
	code = crash_nodes(system, how, seed);
	release_nodes(system);
	return code < 0 ? base_error_errno(err, "os", code, "cannot simulate a crash") : 0;
}
