/* SPDX-License-Identifier: MIT
 *
 * The state of the simulated operating system, shared by the sim-*.c files alone. It comes from
 * malloc and not from base_alloc: the simulation is the ground that allocation faults are injected
 * on, so it must neither fail by them nor count as what a scenario left behind.
 */
#ifndef OS_SIM_PRIVATE_H
#define OS_SIM_PRIVATE_H

#include "os/os-private.h"

enum { SIM_SECTOR = 512, SIM_FIRST_FD = 1000, SIM_NAME_MAX = 255 };

typedef struct sim sim;
typedef struct sim_node sim_node;
typedef struct sim_handle sim_handle;

typedef struct sim_content {
	unsigned char *bytes;
	size_t size, capacity;
} sim_content;

/* A write or a truncation that was not synced. */
typedef struct sim_write {
	struct sim_write *next;
	bool truncate; /* to `offset` bytes */
	size_t offset, size;
	unsigned char bytes[];
} sim_write;

typedef struct sim_entry {
	char *name;
	sim_node *node; /* a reference */
} sim_entry;

/* Entries of a directory, sorted by name. */
typedef struct sim_entries {
	sim_entry *items;
	size_t count, capacity;
} sim_entries;

typedef struct sim_lock {
	struct sim_lock *next;
	const sim_handle *owner;
	short type;
	off_t start,
		end; /* end is not included; INT64_MAX = to the end of the file, however it grows */
} sim_lock;

/* A file or directory, as programs see it (live) and as it is on the disk (durable). */
struct sim_node {
	sim_node *next, *previous; /* all nodes of the system */
	unsigned references;
	unsigned visible; /* of them, those that programs can reach: live entries and handles */
	uint64_t number;
	mode_t mode;
	int64_t changed; /* wall ns */
	sim_content live, durable;
	sim_write *writes, **last_write;
	size_t unsynced;
	sim_entries live_entries, durable_entries;
	sim_lock *locks;
	bool marked; /* while a directory is synced: its changes are to be made durable */
};

typedef enum sim_change_kind { SIM_LINK, SIM_UNLINK, SIM_RENAME } sim_change_kind;

/* A change of directory entries that was not synced. A rename is one change, also between two
 * directories. */
typedef struct sim_change {
	struct sim_change *next, *previous;
	sim_change_kind kind;
	sim_node *directory, *to_directory; /* references; the second only for a rename */
	sim_node *target;                   /* a reference */
	char *name, *to_name;
	bool marked;
} sim_change;

typedef struct sim_pipe {
	unsigned readers, writers;
	sim_content content;
	size_t taken;
} sim_pipe;

struct sim_handle {
	sim_node *node; /* NULL: an end of a pipe */
	sim_pipe *pipe;
	int flags;
	off_t position; /* for read and write */
};

typedef struct sim_program {
	struct sim_program *next;
	char *name;
	char *output;
	int exit_status;
} sim_program;

typedef struct sim_process {
	struct sim_process *next;
	pid_t pid;
	int status;
} sim_process;

struct sim {
	hn_os os; /* first: the method table finds the rest behind it */
	uint64_t chance;
	int64_t wall, monotonic;
	int64_t clock_error;
	bool synchronised;
	uint32_t boots;
	uint64_t capacity, used;
	uint64_t calls, fail_at;
	bool fail_for_ever;
	int fail_error;
	sim_node *nodes, *root;
	uint64_t last_number;
	sim_change *changes, *last_change;
	sim_handle **handles; /* by fd - SIM_FIRST_FD */
	size_t handle_capacity;
	sim_program *programs;
	sim_process *processes;
	pid_t last_pid;
};

static inline sim *sim_of(hn_os *os)
{
	return (sim *)(void *)os;
}

uint64_t sim_chance(uint64_t *state);
/* Counts an I/O call: 0, or -errno when it is the one that is to fail. */
int sim_enter(sim *system);

/* sim-node.c */
int sim_content_write(sim_content *content, size_t offset, const void *bytes, size_t size);
int sim_content_resize(sim_content *content, size_t size);
sim_node *sim_node_new(sim *system, mode_t mode);
void sim_node_unref(sim *system, sim_node *node);
void sim_node_hide(sim *system,
	sim_node *node); /* one who could reach it no longer can; drops that reference too */
void sim_node_show(sim_node *node); /* takes a reference and counts it as visible */
sim_node *sim_entries_find(const sim_entries *entries, const char *name);
int sim_entries_set(
	sim *system, sim_entries *entries, const char *name, sim_node *node, bool visible);
void sim_entries_remove(sim *system, sim_entries *entries, const char *name, bool visible);
void sim_entries_clear(sim *system, sim_entries *entries, bool visible);
void sim_writes_apply(sim_node *node,
	size_t keep); /* the oldest become durable until `keep` bytes are unsynced */
void sim_writes_drop(sim_node *node);

/* sim-tree.c */
int sim_find(sim *system, const char *path, sim_node **found);
int sim_find_parent(sim *system, const char *path, sim_node **parent, char name[SIM_NAME_MAX + 1]);
int sim_create(sim *system, sim_node *parent, const char *name, mode_t mode, sim_node **made);
void sim_change_apply(sim *system, const sim_change *change);
void sim_changes_clear(sim *system);
int sim_stat(hn_os *os, const char *path, struct stat *status);
int sim_unlink(hn_os *os, const char *path);
int sim_rename(hn_os *os, const char *from, const char *to);
int sim_mkdir(hn_os *os, const char *path, mode_t mode);
int sim_rmdir(hn_os *os, const char *path);
int sim_list(hn_os *os, const char *path, int (*each)(void *arg, const char *name), void *arg);
int sim_sync_directory(hn_os *os, const char *path);
void sim_fill_status(const sim_node *node, struct stat *status);

/* sim-file.c */
sim_handle *sim_handle_of(sim *system, int fd);
int sim_handle_add(sim *system, sim_node *node, sim_pipe *pipe, int flags);
void sim_handles_close(sim *system);
int sim_open(hn_os *os, const char *path, int flags, mode_t mode);
int sim_open_beneath(hn_os *os, const char *directory, const char *path, int flags, mode_t mode);
int sim_close(hn_os *os, int fd);
ssize_t sim_pread(hn_os *os, int fd, void *bytes, size_t size, off_t offset);
ssize_t sim_pwrite(hn_os *os, int fd, const void *bytes, size_t size, off_t offset);
ssize_t sim_node_write(sim *system, sim_node *node, const void *bytes, size_t size, off_t offset);
int sim_fsync(hn_os *os, int fd);
int sim_truncate(hn_os *os, int fd, off_t size);
int sim_fstat(hn_os *os, int fd, struct stat *status);
int sim_set_lock(hn_os *os, int fd, short type, off_t start, off_t size);

/* sim-process.c */
int sim_spawn(hn_os *os, const hn_os_spawn *what, pid_t *pid);
int sim_wait(hn_os *os, pid_t pid, int64_t timeout, int *status);
int sim_kill(hn_os *os, pid_t pid, int signal);
int sim_connect_unix(hn_os *os, const char *path);
int sim_poll(hn_os *os, int fd, short events, int64_t timeout);
ssize_t sim_read(hn_os *os, int fd, void *bytes, size_t size);
ssize_t sim_write_stream(hn_os *os, int fd, const void *bytes, size_t size);
int sim_make_pipe(hn_os *os, int ends[2]);
void sim_pipe_close(sim_pipe *pipe, int flags);
void sim_processes_clear(sim *system);

#endif
