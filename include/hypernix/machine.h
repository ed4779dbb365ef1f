/* SPDX-License-Identifier: MIT */
#ifndef HYPERNIX_MACHINE_H
#define HYPERNIX_MACHINE_H

#include <hypernix/base.h>
#include <hypernix/os.h>
#include <hypernix/tags.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pure: probe and domain XML ---- */

typedef enum hn_accelerator { HN_ACCELERATOR_TCG, HN_ACCELERATOR_KVM } hn_accelerator;

/** What a host offers to machines: a snapshot with every fact and the rule that decided. */
typedef struct hn_probe hn_probe;
typedef struct hn_probe_options {
	uint32_t size;
	const char *root;        /* prefix of /proc, /sys, /dev; NULL = "" */
	const char *accelerator; /* "auto" (NULL), "tcg", "kvm" */
	hn_os *os;               /* NULL = hn_os_real() */
} hn_probe_options;
#define HN_PROBE_OPTIONS_INIT { .size = sizeof(hn_probe_options) }
HN_API int hn_machine_probe(const hn_probe_options *options, hn_probe **probe, hn_error **err); /* HN_EACCEL when kvm is forced and does not pass */
HN_API hn_probe *hn_probe_free(hn_probe *probe);
HN_API hn_accelerator hn_probe_accelerator(const hn_probe *probe);
HN_API const char *hn_probe_rule(const hn_probe *probe);              /* "no vmx or svm in cpuinfo and no kvm_intel or kvm_amd module" */
HN_API int hn_probe_fact_at(const hn_probe *probe, size_t index, hn_fact *fact); /* HN_ENOENT ends the walk */

/** Hardware of a unit that is chosen once and then kept: canonical machine type, vCPU count, MACs, PCI addresses. */
typedef struct hn_frozen {
	uint32_t size;
	const char *uuid;
	const char *machine;     /* "pc-q35-7.2"; NULL = not yet known */
	uint32_t vcpus;          /* 0 = from the view */
	const char *addresses;   /* JSON object: device -> PCI slot or MAC; NULL = none yet */
} hn_frozen;
#define HN_FROZEN_INIT { .size = sizeof(hn_frozen) }

/* The domain XML of a resolved unit: same input, same bytes. unit_dir is where its sockets and logs lie (ROOT/unit/UUID). */
HN_API int hn_domain_xml_write(const hn_view *view, const hn_frozen *frozen, hn_accelerator accelerator, const char *unit_dir, char **xml, hn_error **err);

/* ---- acting on units of a host ---- */

typedef enum hn_unit_status {
	HN_UNIT_ABSENT, HN_UNIT_DEFINED, HN_UNIT_STARTING, HN_UNIT_RUNNING, HN_UNIT_PAUSED, HN_UNIT_STOPPING, HN_UNIT_STOPPED, HN_UNIT_CRASHED,
	HN_UNIT_UNREACHABLE
} hn_unit_status;
HN_API const char *hn_unit_status_name(hn_unit_status status);

typedef enum hn_wait { HN_WAIT_NONE, HN_WAIT_RUNNING, HN_WAIT_READY, HN_WAIT_STOPPED } hn_wait;
typedef struct hn_start_options {
	uint32_t size;
	hn_wait wait;
	int64_t timeout;         /* ns; 0 = 120 s */
	hn_progress_fn progress; /* unit "phases", phase = name of the boot phase */
	void *progress_arg;
	hn_cancel *cancel;
} hn_start_options;
#define HN_START_OPTIONS_INIT { .size = sizeof(hn_start_options) }
typedef struct hn_stop_options {
	uint32_t size;
	int64_t grace;           /* ns; 0 = the unit's stop.grace */
	bool force;              /* no grace at all */
	hn_cancel *cancel;
} hn_stop_options;
#define HN_STOP_OPTIONS_INIT { .size = sizeof(hn_stop_options) }
/** What a stop did. */
typedef struct hn_stop_result {
	uint32_t size;
	bool was_running;
	bool forced;             /* the guest did not answer in time */
	const char *detail;      /* static: "shutdown", "destroyed", "crashed" */
} hn_stop_result;

HN_API int hn_machine_open(hn_session *session, hn_error **err);     /* needs node.read; becomes the owner of the machine root (HN_EBUSY names the owner) */
HN_API int hn_machine_fact_at(hn_session *session, size_t index, hn_fact *fact, hn_error **err); /* needs node.read; versions, cgroup, accelerator, levels reached */
HN_API int hn_machine_step(hn_session *session, int64_t timeout, hn_error **err); /* needs unit.update; handles hypervisor events, restart policies; number handled */
HN_API int hn_unit_start(hn_session *session, const char *unit, const hn_start_options *options, hn_error **err);   /* needs unit.start; 1 when it already ran */
HN_API int hn_unit_stop(hn_session *session, const char *unit, const hn_stop_options *options, hn_stop_result *result, hn_error **err); /* needs unit.stop */
HN_API int hn_unit_restart(hn_session *session, const char *unit, const hn_start_options *options, hn_error **err); /* needs unit.stop, unit.start; takes pending values */
HN_API int hn_unit_kill(hn_session *session, const char *unit, hn_error **err);    /* needs unit.stop */
HN_API int hn_unit_pause(hn_session *session, const char *unit, hn_error **err);   /* needs unit.stop */
HN_API int hn_unit_resume(hn_session *session, const char *unit, hn_error **err);  /* needs unit.start */
HN_API int hn_unit_reset(hn_session *session, const char *unit, hn_error **err);   /* needs unit.reset */
HN_API int hn_unit_wait(hn_session *session, const char *unit, hn_wait condition, int64_t timeout, hn_cancel *cancel, hn_error **err); /* needs unit.read */
HN_API int hn_unit_xml(hn_session *session, const char *unit, char **xml, hn_error **err); /* needs unit.read; what would be defined */

/** One phase of a boot. */
typedef struct hn_boot_phase {
	uint32_t size;
	const char *name;   /* "define", "start", "firmware+kernel", "userspace", "ready" */
	int64_t wall;       /* ns in this phase */
	int64_t cpu;        /* CPU ns of QEMU in this phase */
	bool missed;        /* largest excess over the median, when the goal was missed */
} hn_boot_phase;
typedef struct hn_boot hn_boot;
HN_API int hn_unit_boot(hn_session *session, const char *unit, hn_boot **boot, hn_error **err); /* needs unit.read; the last boot */
HN_API hn_boot *hn_boot_free(hn_boot *boot);
HN_API int hn_boot_phase_at(const hn_boot *boot, size_t index, hn_boot_phase *phase);
HN_API int64_t hn_boot_goal(const hn_boot *boot);   /* ns */
HN_API int64_t hn_boot_total(const hn_boot *boot);  /* ns; -1 = never ready */
HN_API int64_t hn_boot_cpu(const hn_boot *boot);    /* CPU ns to ready */

HN_API int hn_unit_console_open(hn_session *session, const char *unit, int *fd, hn_error **err); /* needs unit.console; a connected socket, close(2) it */
/* needs unit.read; bytes of console.log from offset, at most size; 0 at the end. strip: escape sequences except colour are taken out. */
HN_API int64_t hn_unit_log_read(hn_session *session, const char *unit, uint64_t offset, void *bytes, size_t size, hn_error **err);
HN_API size_t hn_terminal_strip(char *bytes, size_t size, int *state); /* in place; state carries over, start with 0 */

#ifdef __cplusplus
}
#endif
#endif
