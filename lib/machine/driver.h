/* SPDX-License-Identifier: MIT
 *
 * Inside the machine room: the handle, the unit's record, the driver table, and who offers what to
 * whom.
 */
#ifndef MACHINE_DRIVER_H
#define MACHINE_DRIVER_H

#include "machine/machine-private.h"
#include <pthread.h>

#define MACHINE_ROOM "machine"
#define MACHINE_URN "urn:hypernix:unit:1"
#define MACHINE_PORT "org.hypernix.unit.0"
/* Words of the kernel line after this one are ours, so that reading it back can tell them from the
 * unit's. */
#define MACHINE_TUNED_MARK "hn.tuned"
#define MACHINE_SECOND INT64_C(1000000000)
#define MACHINE_MS INT64_C(1000000)
/* The group by which a definition names the descriptor of its secrets, and the disk's serial, by
 * which the guest finds it. */
#define MACHINE_SECRETS "hn-secrets"

/* --- spec.c: a resolved unit as one plain record; everything lives in its arena --- */

typedef enum machine_bus { MACHINE_BUS_VIRTIO, MACHINE_BUS_SCSI } machine_bus;
typedef enum machine_board {
	MACHINE_BOARD_Q35,
	MACHINE_BOARD_PC,
	MACHINE_BOARD_MICROVM
} machine_board;

/* Slots are for what comes and goes while the unit runs: disks and nics. On q35 slot k is root port
 * k and PCI bus k; each port costs firmware and kernel about 50 ms CPU under TCG, so there are no
 * more than are asked for, and what never goes sits on bus 0. */
enum { MACHINE_SLOTS = 24 };

typedef struct machine_disk {
	const char *name;
	const char *path; /* absolute */
	const char *format, *cache;
	machine_bus bus;
	uint64_t size; /* bytes; 0 = not given */
	uint32_t slot; /* root port, or unit number on the SCSI controller */
	bool owned;    /* lies in the unit's directory: ours to make and to remove */
	bool readonly;
	bool shared; /* other units read it, too */
} machine_disk;

typedef struct machine_nic {
	const char *name, *kind, *bridge; /* bridge NULL unless kind is bridge */
	const char *mac;
	uint32_t mtu, slot;
} machine_nic;

typedef struct machine_spec {
	base_arena *arena;
	const char *name, *uuid, *digest; /* digest may be "" */
	uint64_t generation;
	const char *unit_dir;
	hn_accelerator accelerator;
	machine_board board;
	const char *machine; /* "q35", "pc-q35-7.2" ... */
	bool uefi, balloon, share, console, channel, rng;
	uint64_t memory, memory_max;             /* bytes */
	uint32_t vcpus, vcpus_max, units, limit; /* limit 0: none */
	int64_t sn;
	const char *cpu;                    /* as libvirt names it; NULL = host-model */
	uint32_t sockets, cores, threads;   /* 0: not given */
	const char *kernel, *initrd;        /* NULL: boots from its disk */
	const char *cmdline;                /* the unit's words and ours; NULL without kernel */
	const char *watchdog;               /* NULL: off */
	uint64_t iops, disk_rate, net_rate; /* 0: none; bytes/s */
	uint32_t spare;                     /* machine.hotplug-slots */
	uint32_t ports;                     /* slots there are, taken and spare */
	uint32_t free_slot;                 /* the lowest that nothing has; 0: none */
	uint32_t serial_slot, rng_slot;     /* 0: on bus 0 */
	bool secrets;                       /* a disk with them is given at each start */
	bool composed;                      /* its image is built from a blueprint */
	uint32_t secrets_slot;
	machine_disk *disks;
	size_t disk_count;
	machine_nic *nics;
	size_t nic_count;
	const char **forwards; /* "tcp:127.0.0.1:8080:80" */
	size_t forward_count;
} machine_spec;

/* HN_ENOSUP names driver and key of what no driver can do yet; HN_ESCHEMA what contradicts itself.
 */
int machine_spec_new(const machine_unit *unit, const char *driver, hn_accelerator accelerator,
	const char *unit_dir, machine_spec **out, hn_error **err);
void machine_spec_free(machine_spec *spec);
BASE_AUTO(machine_spec, machine_spec_free)
const machine_disk *machine_spec_disk(const machine_spec *spec, const char *name);
const machine_nic *machine_spec_nic(const machine_spec *spec, const char *name);
/* The kernel line: the unit's words, then the mark and what the profile adds. */
int machine_spec_cmdline(
	machine_spec *spec, const machine_unit *unit, const char *profile, hn_error **err);
/* Which keys no driver has a method for yet. */
int machine_unsupported(const hn_view *view, const char *driver, hn_error **err);

/* --- forward.c: ports of the host that lead to the guest --- */
int machine_spec_forwards(machine_spec *spec, const hn_view *view, hn_error **err);
/* Of a guest that was made, and has not run yet. HN_EBUSY when a port is taken. */
int machine_forward(machine *m, const machine_spec *spec, hn_error **err);

/* --- slots.c: PCI addresses, once given and then kept --- */
/* addresses: {"disk.root":1,"nic.lan":2}, as machine_domain has them; NULL when none were given. */
int machine_slots_assign(machine_spec *spec, const char *addresses, hn_error **err);

/* --- xml.c --- */
int machine_xml_write(const machine_spec *spec, char **xml, hn_error **err);
int machine_xml_disk(
	const machine_spec *spec, const machine_disk *disk, char **xml, hn_error **err);
int machine_xml_nic(const machine_spec *spec, const machine_nic *nic, char **xml, hn_error **err);
int machine_xml_rng(const machine_spec *spec, char **xml, hn_error **err);
/* vda, sdaa: what the guest and the driver call it. */
void machine_target(machine_bus bus, uint32_t slot, char name[8]);
int machine_xml_metadata(const machine_spec *spec, char **xml, hn_error **err);

/* --- readback.c: domain XML of a driver to canonical values --- */

typedef struct machine_domain {
	base_arena *arena;
	const char *name, *uuid;
	bool ours;
	const char *meta_uuid; /* the unit our metadata names; may be another's */
	const char *digest;    /* "" when not ours */
	uint64_t generation;
	uint32_t units, limit; /* recorded weight and limit; 0 = not recorded */
	int64_t sn;            /* and the calibration they were meant for */
	const char *machine;   /* canonical type */
	char *addresses;       /* JSON for machine_slots_assign; in the arena */
	uint32_t ports;        /* root ports there are */
	uint32_t rng_slot;     /* 0: on bus 0, or there is none */
	base_map *values;      /* key -> canonical text in the arena */
} machine_domain;
int machine_domain_parse(const char *xml, size_t size, machine_domain **out, hn_error **err);
void machine_domain_free(machine_domain *domain);
BASE_AUTO(machine_domain, machine_domain_free)
const char *machine_domain_value(const machine_domain *domain, const char *key);
/* The element of a device of ours: kind "disk", "interface" or "rng", the unit's name for it (""
 * for the rng). HN_ENOENT. */
int machine_domain_device(
	const char *xml, const char *kind, const char *name, char **out, hn_error **err);
/* Every element of ours that the definition lost: HN_EXML naming the first. */
int machine_domain_holds(const char *written, const char *read_back, hn_error **err);

/* --- driver table --- */

enum {
	MACHINE_REAL = 1, /* there are processes */
	MACHINE_QMP = 2,
	MACHINE_CONSOLE = 4,
	MACHINE_LIVE_SOURCE = 8,
	MACHINE_LIVE_TARGET = 16,
	MACHINE_CLONE = 32,
	MACHINE_PAUSED_START = 64, /* a domain can be created paused */
	MACHINE_SCHEMA = 128,      /* definitions are validated */
	MACHINE_WEIGHTS = 256,     /* the driver keeps weight and limit itself */
};

typedef enum machine_tuning_kind {
	MACHINE_TUNE_MEMORY, /* number: bytes */
	MACHINE_TUNE_VCPUS,
	MACHINE_TUNE_ATTACH,    /* xml */
	MACHINE_TUNE_DETACH,    /* xml */
	MACHINE_TUNE_RESIZE,    /* target, number: bytes */
	MACHINE_TUNE_DISK_RATE, /* target, number: iops, second: bytes/s; 0 = none */
	MACHINE_TUNE_NET_RATE,  /* target: MAC, number: bytes/s; 0 = none */
	MACHINE_TUNE_METADATA,  /* xml */
	MACHINE_TUNE_WEIGHT,    /* number: units; second: limit */
	MACHINE_TUNE_AUTOSTART,
} machine_tuning_kind;

typedef struct machine_tuning {
	machine_tuning_kind kind;
	const char *target, *xml;
	uint64_t number, second;
	int64_t sn; /* of a limit */
} machine_tuning;

/* What a driver says about a domain, without its XML. */
typedef struct machine_brief {
	char uuid[37];
	char name[64];
	hn_unit_status status;
	const char *detail; /* static: why it is in this state */
} machine_brief;

/* Methods are appended; a missing one is HN_ENOSUP naming driver and method. `uuid` is canonical
 * text. */
typedef struct hn_machine_ops {
	uint32_t size;
	const char *name;
	unsigned flags;
	int (*open)(machine *m, const char *uri, hn_error **err);
	void (*close)(machine *m);
	int (*facts)(machine *m, hn_error **err);
	int (*list)(machine *m, int (*each)(void *arg, const machine_brief *brief), void *arg,
		hn_error **err);
	int (*define)(machine *m, const char *xml, hn_error **err);
	int (*undefine)(machine *m, const char *uuid, hn_error **err);
	int (*start)(machine *m, const char *uuid, bool paused, hn_error **err);
	int (*shutdown)(machine *m, const char *uuid, hn_error **err);
	int (*kill)(machine *m, const char *uuid, bool graceful, hn_error **err);
	int (*pause)(machine *m, const char *uuid, hn_error **err);
	int (*resume)(machine *m, const char *uuid, hn_error **err);
	int (*reset)(machine *m, const char *uuid, hn_error **err);
	int (*state)(machine *m, const char *uuid, machine_brief *brief, hn_error **err);
	int (*barrier)(machine *m, const char *uuid, hn_error **err);
	/* 1: it was made, and has not executed one instruction; else 0. */
	int (*never_ran)(machine *m, const char *uuid, hn_error **err);
	/* What QEMU's monitor for people says to a command; "" mostly. The caller frees it. */
	int (*monitor)(
		machine *m, const char *uuid, const char *command, char **answer, hn_error **err);
	int (*xml)(machine *m, const char *uuid, bool live, char **xml, hn_error **err);
	int (*change)(machine *m, const char *uuid, const machine_tuning *tuning, bool live,
		hn_error **err);
	int (*pid)(machine *m, const machine_brief *brief, pid_t *pid, hn_error **err);
	/* A descriptor, or a negative errno. Asks no connection to the driver, which may be another
	 * process's: a console is open for hours. */
	int (*console)(hn_os *os, const char *root, const char *uuid);
	/* The domain of that name, 1 or 0, and how many domains there are, without a walk over all
	 * of them. */
	int (*find)(machine *m, const char *name, char uuid[37], uint64_t *domains, hn_error **err);
	/* Weight and limit in force, of a driver that keeps them itself. */
	int (*weight)(machine *m, const char *uuid, int64_t sn, uint64_t *units, uint64_t *limit,
		hn_error **err);
	/* Looks after a connection that may break: ns until it wants to be called again, -1 when
	 * all is well. */
	int64_t (*mend)(machine *m);
	/* The descriptor that the definition names by this group: duplicated for the next start; -1
	 * takes it back, so that nothing but the started guest has it. */
	int (*give)(machine *m, const char *uuid, const char *group, int fd, hn_error **err);
	/* facts that take the hypervisor's time: when facts are read, once a handle */
	void (*slow_facts)(machine *m);
} hn_machine_ops;

#define X(name) extern const hn_machine_ops machine_driver_##name;
#include "machine/drivers.def"
#undef X
/* The root's lock; one that an earlier handle of this process left with libvirt is taken over. */
int machine_embed_lock(
	machine *m, const char *path, const machine_options *options, hn_error **err);
void machine_embed_unlock(machine *m);
/* The driver of a URI; NULL when there is none. `inner` is what the driver's open gets. */
const hn_machine_ops *machine_driver_find(const char *uri);
/* Domains that ran before this connection are still being re-attached by a thread of libvirt;
 * acting on one now could kill it. Returns when that is over. */
int machine_wait_reattached(machine *m, hn_error **err);
int machine_missing(const hn_machine_ops *ops, const char *method, hn_error **err);
/* HN_ENOSUP when the unit has secrets, and the driver cannot hand them over. */
int machine_secrets_check(const machine *m, const machine_spec *spec, hn_error **err);

/* --- define.c --- */
/* The unit as a record, with the addresses that its present definition has when none are frozen. */
int machine_spec_of(machine *m, const machine_unit *unit, machine_spec **spec, hn_error **err);
int machine_artefacts(machine *m, const machine_spec *spec, hn_error **err);
int machine_define_spec(machine *m, const machine_spec *spec, char **machine_type, hn_error **err);
/* Defines what is not there or is not of this digest. */
int machine_define_if_new(machine *m, const machine_spec *spec, hn_error **err);
int machine_is_ours(machine *m, const char *uuid, hn_error **err);
static inline bool machine_is_active(hn_unit_status status)
{
	return status == HN_UNIT_RUNNING || status == HN_UNIT_PAUSED ||
	       status == HN_UNIT_STARTING || status == HN_UNIT_STOPPING ||
	       status == HN_UNIT_UNREACHABLE;
}

/* --- queue.c: events from the driver's thread to the owner's --- */

typedef struct machine_queue {
	pthread_mutex_t mutex;
	machine_event *ring;
	size_t first, count;
	bool overflow; /* events were lost: list everything again */
	int fd;        /* eventfd; -1 before init */
} machine_queue;
/* The detail of an event that is for the room only: it ends a wait. */
extern const char machine_look_again[];
int machine_queue_init(machine_queue *queue, hn_error **err);
void machine_queue_destroy(machine_queue *queue);
void machine_queue_put(machine_queue *queue, const machine_event *event);
bool machine_queue_take(machine_queue *queue, machine_event *event);
bool machine_queue_overflowed(machine_queue *queue); /* and forgets it */
void machine_queue_lose(machine_queue *queue);       /* events were lost elsewhere */

/* --- cgroup.c --- */

typedef struct machine_cgroup {
	int version;                 /* 1, 2; 0: none */
	char cpu[256];               /* directory that holds the group "hypernix" */
	char memory[256], pids[256]; /* v1 only; "" when not there */
	char why_not[160];           /* when version is 0 */
} machine_cgroup;
uint64_t machine_cgroup_weight(int version, uint64_t units);
/* Quota and period in microseconds; quota 0 = none. */
void machine_cgroup_quota(uint64_t limit, int64_t sn, uint64_t *quota, uint64_t *period);
/* And back: the units of a weight; the limit of a quota, 0 = none. */
uint64_t machine_cgroup_units(int version, uint64_t weight);
uint64_t machine_cgroup_limit(int64_t quota, int64_t period, int64_t sn);
void machine_cgroup_detect(hn_os *os, const char *prefix, machine_cgroup *cgroup);
/* 1 or 2: which numbers a daemon on this host understands, whether or not we may use the groups. */
int machine_cgroup_version(hn_os *os, const char *prefix);
int machine_cgroup_enter(
	hn_os *os, const machine_cgroup *cgroup, const char *uuid, pid_t pid, hn_error **err);
int machine_cgroup_set(hn_os *os, const machine_cgroup *cgroup, const char *uuid, uint64_t units,
	uint64_t limit, int64_t sn, hn_error **err);
int machine_cgroup_bound(
	hn_os *os, const machine_cgroup *cgroup, const char *uuid, uint64_t memory, hn_error **err);
/* The numbers that are in the files: weight as compute units, quota as limit units (0 = none). */
int machine_cgroup_get(hn_os *os, const machine_cgroup *cgroup, const char *uuid, int64_t sn,
	uint64_t *units, uint64_t *limit, hn_error **err);
int machine_cgroup_has(hn_os *os, const machine_cgroup *cgroup, const char *uuid, pid_t pid);
int machine_cgroup_remove(
	hn_os *os, const machine_cgroup *cgroup, const char *uuid, hn_error **err);
bool machine_cgroup_exists(hn_os *os, const machine_cgroup *cgroup, const char *uuid);

/* --- probe.c, kvm-loop.c --- */
/* ns that the loop under KVM took; negative: it failed or hung. */
typedef int64_t (*machine_kvm_loop)(const char *root);
int64_t machine_kvm_loop_run(const char *root);
int machine_probe_with(hn_os *os, const char *root, const char *accelerator, machine_kvm_loop loop,
	hn_probe **out, hn_error **err);

/* --- root.c --- */
/* Absolute, plain, short enough for the sockets that lie below it (HN_EPATHLEN). */
int machine_root_check(const char *root, hn_error **err);
/* Directories and qemu.conf of the embedded driver; rewritten: somebody had edited qemu.conf. */
int machine_root_prepare(hn_os *os, const char *root, bool *rewritten, hn_error **err);
void machine_unit_dir(const char *root, const char *uuid, char out[256]);

/* --- emulator.c --- */
/* HN_EDRIVER when QEMU is missing, cannot be run or is too old. */
int machine_emulator_check(machine *m, hn_error **err);

/* --- unitdir.c --- */
/* The directory, and the disks of its own that are not there yet. */
int machine_make_disks(machine *m, const machine_spec *spec, hn_error **err);
/* Removes what each start makes anew, and the directory when nothing else is in it. 1: it is gone;
 * 0: there was none, or disks stay in it. */
int machine_unit_dir_clear(machine *m, const char *uuid, hn_error **err);
int machine_unit_dir_holds_disks(machine *m, const char *uuid, hn_error **err); /* 1 or 0 */

/* --- image.c --- */
/* HN_ENOSUP when the disk's image says that part of it lies in another file. */
int machine_image_check(machine *m, const machine_disk *disk, hn_error **err);
int machine_images_check(machine *m, const machine_spec *spec, hn_error **err); /* of all disks */

/* --- port.c: lines of a hostile guest --- */

typedef enum machine_port_kind {
	MACHINE_PORT_READY,
	MACHINE_PORT_SEEDED,
	MACHINE_PORT_STATUS,
	MACHINE_PORT_PHASE,
	MACHINE_PORT_CHECK,
	MACHINE_PORT_BEAT,
} machine_port_kind;
typedef struct machine_port_line {
	machine_port_kind kind;
	const char *text; /* after the '='; valid until the next feed */
	uint64_t number;  /* BEAT */
	machine_checked check;
} machine_port_line;
typedef struct machine_port {
	char line[260];
	size_t size;
	bool skipping;  /* inside a line that was too long */
	int64_t window; /* start of the second being counted */
	uint64_t in_window;
	uint64_t ignored; /* lines refused so far */
	bool ready;
} machine_port;
typedef void (*machine_port_fn)(void *arg, const machine_port_line *line);
void machine_port_feed(machine_port *port, const char *bytes, size_t size, int64_t now,
	machine_port_fn each, void *arg);

/* Digits alone, 18 at most. */
bool machine_port_number(const char *text, size_t size, uint64_t *number);

/* --- check.c: what the guest says of its contracts --- */

typedef struct machine_live machine_live;
/* "<contract> <version> ok|fail <ms> <detail>"; false when it is not exactly that. */
bool machine_check_parse(const char *text, machine_checked *check);
/* What the guest said, kept with it; false when there is no room for it. */
bool machine_check_note(machine_live *live, const machine_checked *check);
/* The first that failed; NULL: none did. */
const machine_checked *machine_check_failed(const machine_live *live);
void machine_checks_copy(const machine_live *live, machine_boot *boot);

/* --- boot.c: what a starting guest shows, until READY and after --- */

struct machine_live {
	char uuid[37];
	pid_t pid;
	int port, watch; /* fd of the unit port, inotify descriptor of the log; -1 */
	machine_port reader;
	machine_checked *checks;
	size_t check_count, check_capacity;
	uint64_t offset; /* of the console log, next byte to look at */
	char line[128];  /* start of the console line being read */
	size_t line_size;
	bool grown;     /* the log got longer since it was looked at */
	char last[128]; /* last whole console line that said something */
	bool first, init, ready;
	bool composed;   /* as of machine_run */
	bool init_first; /* HN-INIT was the first line: nothing told firmware and kernel apart */
	bool fresh;      /* this process started it, so the phases are whole */
	int64_t begun, defined, started, at_first, at_init, at_ready; /* monotonic ns */
	int64_t cpu_started, cpu_first, cpu_init, cpu_ready;
	bool ended;
	hn_unit_status end_status;
	const char *end_detail; /* static */
};
int64_t machine_process_cpu(pid_t pid); /* ns; -1 when gone */
void machine_console_scan(
	machine_live *live, const char *bytes, size_t size, int64_t now, int64_t cpu);
void machine_phases(const machine_live *live, machine_boot *boot);
/* The unit's live record; made, and connected to port and log, when there is none. */
int machine_live_open(machine *m, const char *uuid, pid_t pid, machine_live **live, hn_error **err);
machine_live *machine_live_find(const machine *m, const char *uuid);
void machine_live_close(machine *m, const char *uuid);
/* Sends one line to the guest; false when nobody listens. */
bool machine_live_tell(machine *m, machine_live *live, const char *line);
/* Handles what is there, waiting at most `timeout` ns for it; events go to the inbox. Number
 * handled. */
int machine_pump(machine *m, int64_t timeout, hn_error **err);
/* Until the balloon is where the record wants it, or the time is over: 1 reached, 0 not. */
int machine_await_balloon(
	machine *m, const char *uuid, uint64_t bytes, int64_t timeout, hn_error **err);
int machine_await_ready(machine *m, machine_live *live, const base_permit *permit,
	const hn_start_options *options, hn_error **err);
/* console.log is cut into at most four pieces of CONSOLE_LOG_BYTES together: 1 rotated, 0 no need,
 * -errno. */
int machine_log_rotate(hn_os *os, const char *unit_dir);
/* The same for every unit that has a directory in this root; the number of logs rotated. */
int machine_logs_rotate(hn_os *os, const char *root);
int machine_pump_init(machine *m, hn_error **err);
void machine_pump_destroy(machine *m);

/* --- unit.c: what is known of a running unit, kept in unit/UUID/run so that the next owner finds
 * it --- */

typedef struct machine_run {
	pid_t pid;
	uint64_t started; /* start time of the process, clock ticks since boot */
	uint64_t console; /* where this run's output begins in console.log */
	bool ready;
	bool composed; /* its init was built by us: only the unit port says that it is ready */
} machine_run;
int machine_run_save(machine *m, const char *uuid, const machine_run *run, hn_error **err);
int machine_run_load(hn_os *os, const char *root, const char *uuid, machine_run *run);
void machine_run_forget(machine *m, const char *uuid);
/* Start time of a live process whose command line holds `-uuid UUID`; 0 when it is not that. */
uint64_t machine_process_check(hn_os *os, pid_t pid, const char *uuid);
/* Removes what a killed start has left for libvirt to trip over (unborn.c); how many. */
int machine_forget_unborn(hn_os *os, const char *root, hn_error **err);
/* Ends our guests whose starter was killed before it let them run. */
void machine_end_unstarted(machine *m);

/* --- the handle --- */

#define MACHINE_FACTS 64
struct machine {
	hn_os *os;
	const hn_machine_ops *ops;
	void *driver; /* of the driver */
	char *root, *uri, *program;
	os_lock *lock;
	hn_probe *probe;
	hn_accelerator accelerator;
	machine_cgroup cgroup;
	int weights; /* cgroup version of a driver that keeps weights itself */
	machine_queue queue;
	base_map *live; /* uuid -> machine_live */
	int epoll, inotify, timer;
	machine_event *inbox; /* seen, not yet given to machine_step */
	size_t inbox_count, inbox_capacity;
	bool inbox_overflow;
	struct {
		char *name, *text;
		int64_t number;
	} facts[MACHINE_FACTS];
	size_t fact_count;
	bool facts_whole;         /* the slow ones are there too */
	unsigned long hypervisor; /* version, as libvirt counts; 0: it found none */
};
void machine_fact_add(machine *m, const char *name, const char *format, ...) BASE_PRINTF(3, 4);
/* verbs: any of these; the permit must name the unit. */
int machine_permit(const base_permit *permit, const char *uuid, hn_error **err, size_t count, ...);
/* For what is done to a guest that is there: the permit, and HN_EBUSY when it does not run. */
int machine_permit_active(
	machine *m, const base_permit *permit, hn_verb verb, const char *uuid, hn_error **err);
int machine_uuid_check(const char *uuid, hn_error **err);

#endif
