/* SPDX-License-Identifier: MIT
 *
 * What `host` may ask of the machine room. Everything that changes something takes the permit
 * first.
 */
#ifndef MACHINE_PRIVATE_H
#define MACHINE_PRIVATE_H

#include "base/base-private.h"
#include "os/os-private.h"
#include <hypernix/machine.h>

/* The disk that the guest of an image finds its root on, by this serial. Never written, and one for
 * all units of the image. */
#define MACHINE_ROOT_DISK "hnroot"

typedef struct machine machine;

typedef struct machine_options {
	const char *uri; /* NULL or "hypernix:": embedded on root */
	const char *root;
	const char *accelerator;
	const char *program;
	int64_t lock_wait;
	hn_cancel *cancel;
} machine_options;
/* Takes the root's lock (HN_EBUSY with facts), opens the driver, waits for re-attached domains
 * (barrier). */
int machine_open(hn_os *os, const machine_options *options, machine **out, hn_error **err);
void machine_close(machine *m);
BASE_AUTO(machine, machine_close)
int machine_fact_at(machine *m, size_t index, hn_fact *fact);
hn_accelerator machine_accelerator(const machine *m);
bool machine_enforces_weight(const machine *m, const char **why_not);

/* Everything a unit is made of, when it is made. `view` holds the values; what was frozen wins over
 * `auto`. */
typedef struct machine_unit {
	const char *name, *uuid;
	const hn_view *view;
	hn_frozen frozen;
	const char *digest; /* hex of the view's digest; goes into the metadata */
	uint64_t generation;
	int64_t sn; /* calibration: millionths of a reference thread, all loaded */
	/* For a start: sealed memory, read-only, that the guest gets as the disk of its secrets;
	 * borrowed. NULL unless the view has secrets. */
	const int *secrets;
} machine_unit;

/* All artefacts there, XML accepted by the driver's schema, slots free: without effect. */
int machine_check(machine *m, const machine_unit *unit, hn_error **err);
/* Defines or redefines (persistent only). machine_type: what the driver made of it ("pc-q35-7.2");
 * owned by the caller. */
int machine_define(const base_permit *permit, machine *m, const machine_unit *unit,
	char **machine_type, hn_error **err);
/* Undefines, removes the cgroup and what each start makes anew in the unit's directory. Disks stay,
 * wherever they lie. Success when absent. Must be stopped. */
int machine_undefine(const base_permit *permit, machine *m, const char *uuid, hn_error **err);
/* Deletes the unit's directory with the disks that were made in it; disks elsewhere stay. Success
 * when absent; HN_EBUSY while the unit is defined. With a permit to create: the creation is undone.
 */
int machine_disks_remove(const base_permit *permit, machine *m, const char *uuid, hn_error **err);

/* What is not yet a disk; no disk's format has this name. */
#define MACHINE_UNFINISHED ".new"

/* Is a file of this name in a unit's directory one that each start, or the making of a disk, makes
 * anew? So is what lies beside it when its replacement was cut short. */
static inline bool machine_unit_dir_makes(const char *name)
{
	static const char *const files[] = {"run", "boot.cbor", "console.log", "console.log.1",
		"console.log.2", "console.log.3", "console.sock", "console.lock", "unit.sock"};
	size_t size = strlen(name), end = strlen(MACHINE_UNFINISHED);

	for (size_t i = 0; i < BASE_COUNT(files); i++) {
		size_t known = strlen(files[i]);

		if (strncmp(name, files[i], known) == 0 &&
			(name[known] == '\0' || strncmp(name + known, ".new-", 5) == 0))
			return true;
	}
	return size > end && strcmp(name + size - end, MACHINE_UNFINISHED) == 0;
}

/* What a guest said of one check of a contract. */
typedef struct machine_checked {
	char contract[128], version[129], detail[256];
	bool ok;
	bool told;    /* host knows of it */
	int64_t took; /* ns */
	/* who promised it, which host finds out; "" where it is not known */
	char component[128], blueprint[64];
} machine_checked;
/* As many as the limit PORT_CHECKS. */
#define MACHINE_CHECKS 32
/* Adds it to the list; full, one that failed takes the place of the last that did not. False: there
 * is no room. */
bool machine_check_keep(machine_checked *checks, size_t *count, const machine_checked *check);

/* What boot phases look like; host stores them. */
#define MACHINE_PHASES 12
typedef struct machine_boot {
	struct {
		char name[32];
		int64_t wall, cpu;
	} phase[MACHINE_PHASES];
	size_t count;
	bool ready;
	machine_checked checks[MACHINE_CHECKS]; /* in the order in which they were told */
	size_t check_count;
} machine_boot;
int machine_start(const base_permit *permit, machine *m, const machine_unit *unit,
	const hn_start_options *options, machine_boot *boot, hn_error **err);
/* Phases of the boot that this handle started, as far as they are known; HN_ENOENT when it started
 * none. */
int machine_boot_of(machine *m, const char *uuid, machine_boot *boot);
/* How many checks of contracts the guest told this handle of that are not recorded. All that it
 * told go into `boot` (nothing else of it is touched), unless that is NULL. */
size_t machine_checks_of(machine *m, const char *uuid, machine_boot *boot);
/* Those that were read up to now are recorded. */
void machine_checks_told(machine *m, const char *uuid);
int machine_stop(const base_permit *permit, machine *m, const char *uuid, int64_t grace, bool force,
	hn_stop_result *result, hn_error **err);
int machine_pause(const base_permit *permit, machine *m, const char *uuid, hn_error **err);
int machine_resume(const base_permit *permit, machine *m, const char *uuid, hn_error **err);
int machine_reset(const base_permit *permit, machine *m, const char *uuid, hn_error **err);
int machine_wait(machine *m, const char *uuid, hn_wait condition, int64_t timeout,
	hn_cancel *cancel, hn_error **err);

/* One hot change, live and persistent together, read back afterwards. `unit` carries the NEW view;
 * key is the one that changes. HN_ENOSUP: this driver cannot (names driver and key). A failure
 * leaves the old value. */
int machine_change(const base_permit *permit, machine *m, const machine_unit *unit, const char *key,
	const char *old_text, const char *new_text, hn_error **err);
/* Does the condition of a hot-if key hold now (balloon on, slot free, below max)? 1 yes; 0 no, with
 * *why owned by the caller. */
int machine_hot_possible(machine *m, const machine_unit *unit, const char *key,
	const char *old_text, const char *new_text, char **why, hn_error **err);

/* What really is: status and, per key, the real value as canonical text, or unobservable. */
typedef struct machine_real {
	char uuid[37];
	char name[64];
	hn_unit_status status;
	int ready;       /* 1, 0, -1 unknown */
	bool ours;       /* carries our metadata */
	bool elsewhere;  /* ours, but of another root: its files are there */
	char digest[65]; /* of the metadata; "" when not ours */
	uint64_t generation;
	pid_t pid;       /* 0 when not running */
	bool unenforced; /* no cgroup: weight recorded only */
	size_t count;    /* observed keys */
	struct {
		char *key, *live, *persistent;
	} * values; /* canonical text; NULL live: not running; owned by the record */
} machine_real;
int machine_observe(machine *m, const char *uuid, machine_real **real,
	hn_error **err); /* HN_ENOENT: no such domain */
void machine_real_free(machine_real *real);
BASE_AUTO(machine_real, machine_real_free)
/* What machine_observe would show if everything were as the unit says: the same keys and canonical
 * texts, words such as auto and size resolved. Drift is where the two differ. live and persistent
 * are the same text. */
int machine_expect(machine *m, const machine_unit *unit, machine_real **expected, hn_error **err);
/* Every domain of the driver, ours and foreign, without key values. */
int machine_list(
	machine *m, int (*each)(void *arg, const machine_real *real), void *arg, hn_error **err);
/* Removes what units with a directory in this root left behind: the cgroup of one that is down, the
 * directory of one that has no domain, is not in keep[] and holds no disk. dry: only counts. Number
 * removed. */
int machine_sweep(machine *m, const char *const *keep, size_t count, bool dry, hn_error **err);

/* Events: handled on step by the owner's thread. */
#define MACHINE_CHECKED "checked" /* there is more for machine_checks_of */
typedef struct machine_event {
	char uuid[37];
	hn_unit_status status;
	/* Static: "shutdown", "crashed", "destroyed", "booted", "ready", MACHINE_CHECKED ... */
	const char *detail;
} machine_event;
int machine_step(machine *m, int64_t timeout, void (*each)(void *arg, const machine_event *event),
	void *arg, hn_error **err);

/* Without a machine handle: uri and root of the options give the socket, so that whoever has a
 * console keeps nobody from the machine. *held says to others who is served (HN_EBUSY with facts
 * pid, program), and is released when that is over; NULL where a full disk leaves no room for it.
 * Errors call the unit `called`, and nothing else of it. */
int machine_console_open(const base_permit *permit, hn_os *os, const machine_options *options,
	const char *called, const char *uuid, int *fd, os_lock **held, hn_error **err);
/* Without a machine handle, so that no lock is needed: root and uuid give the file. */
int64_t machine_log_read(hn_os *os, const char *root, const char *uuid, uint64_t offset,
	void *bytes, size_t size, hn_error **err);

/* Last observation without owning the root: pid file and console socket. For list and show while
 * another process owns it. */
int machine_peek(hn_os *os, const char *root, const char *name, const char *uuid,
	hn_unit_status *status, hn_error **err);

#endif
