/* SPDX-License-Identifier: MIT
 *
 * What runs units: what a machine offers, the domain of a unit, and acting on running units.
 */
#ifndef HYPERNIX_MACHINE_H
#define HYPERNIX_MACHINE_H

#include <hypernix/base.h>
#include <hypernix/os.h>
#include <hypernix/tags.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pure: probe and domain XML ---- */

/** What runs a guest's instructions: translation in software, or the processor itself. */
typedef enum hn_accelerator { HN_ACCELERATOR_TCG, HN_ACCELERATOR_KVM } hn_accelerator;

/** What a host offers to machines: a snapshot with every fact and the rule that decided. */
typedef struct hn_probe hn_probe;

/** Where a probe looks, and what it shall come to. */
typedef struct hn_probe_options {
	uint32_t size;
	const char *root;        /* prefix of /proc, /sys, /dev; NULL = "" */
	const char *accelerator; /* "auto" (NULL), "tcg", "kvm" */
	hn_os *os;               /* NULL = hn_os_real() */
} hn_probe_options;
#define HN_PROBE_OPTIONS_INIT                                                                      \
	{                                                                                          \
		.size = sizeof(hn_probe_options)                                                   \
	}

/**
 * Finds out whether the host has hardware KVM that works.
 *
 * /dev/kvm alone proves nothing: software KVM opens, makes virtual machines, and hangs stock
 * guests. It counts only where the processor or a hardware module says so too, and a loop under KVM
 * ends within 200 ms.
 *
 * @param options  where to look; NULL = this host, automatically
 * @param probe    the answer, to be released with hn_probe_free
 * @param err      set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EINVAL when the accelerator is none of auto, tcg and kvm; HN_EACCEL when kvm is asked
 * for and does not pass, with every fact; HN_ENEWER when options are of a newer version; HN_ENOMEM
 * Threads: any
 * Blocks: yes, for up to a second where hardware was seen
 * Allocates: yes
 * Since: 0.1
 * Source: kernel documentation, virt/kvm/api
 */
HN_API int hn_machine_probe(const hn_probe_options *options, hn_probe **probe, hn_error **err);

/**
 * Releases a probe.
 *
 * @param probe  the probe; may be NULL
 * @return NULL
 * Errors: none
 * Threads: any, but one at a time
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_probe *hn_probe_free(hn_probe *probe);

/**
 * Tells the accelerator that a probe decided on.
 *
 * @param probe  the probe
 * @return the accelerator
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_accelerator hn_probe_accelerator(const hn_probe *probe);

/**
 * Tells in words which rule decided a probe.
 *
 * @param probe  the probe
 * @return static text, for example "there is no /dev/kvm"
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_probe_rule(const hn_probe *probe);

/**
 * Gives one of the facts that a probe found.
 *
 * @param probe  the probe
 * @param index  from 0
 * @param fact   the fact; its texts are owned by the probe
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT past the last fact
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_probe_fact_at(const hn_probe *probe, size_t index, hn_fact *fact);

/** Hardware of a unit that is chosen once and then kept: canonical machine type, vCPU count, MACs,
 * PCI addresses. */
typedef struct hn_frozen {
	uint32_t size;
	const char *uuid;
	const char *machine;   /* "pc-q35-7.2"; NULL = not yet known */
	uint32_t vcpus;        /* 0 = from the view */
	const char *addresses; /* JSON object: device -> PCI slot or MAC; NULL = none yet */
} hn_frozen;
#define HN_FROZEN_INIT                                                                             \
	{                                                                                          \
		.size = sizeof(hn_frozen)                                                          \
	}

/**
 * Writes the libvirt domain XML of a resolved unit.
 *
 * The same input gives the same bytes. Every text is escaped; control bytes and invalid UTF-8 are
 * refused.
 *
 * @param view         the unit's resolved values
 * @param frozen       uuid and what was chosen before; what is not yet known is chosen now
 * @param accelerator  the host's accelerator
 * @param unit_dir     absolute directory of the unit's sockets and logs
 * @param xml          the text, to be released with hn_text_free
 * @param err          set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EINVAL when an argument is missing or a name or uuid is malformed; HN_ESCHEMA when
 * values contradict each other; HN_ENOSUP when no driver can do a key, with the facts driver and
 * key; HN_ELIMIT when there are more devices than slots, or the text grows too long; HN_ERANGE when
 * memory is no multiple of 2 MiB; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 * Source: https://libvirt.org/formatdomain.html
 */
HN_API int hn_domain_xml_write(const hn_view *view, const hn_frozen *frozen,
	hn_accelerator accelerator, const char *unit_dir, char **xml, hn_error **err);

/* ---- acting on units of a host ---- */

/** What a unit is doing, as the hypervisor says. */
typedef enum hn_unit_status {
	HN_UNIT_ABSENT,  /* the hypervisor does not know it */
	HN_UNIT_DEFINED, /* known, and never started since */
	HN_UNIT_STARTING,
	HN_UNIT_RUNNING,
	HN_UNIT_PAUSED,
	HN_UNIT_STOPPING,
	HN_UNIT_STOPPED,
	HN_UNIT_CRASHED,     /* its process ended by itself, or the guest panicked */
	HN_UNIT_UNREACHABLE, /* its process is there and does not answer */
} hn_unit_status;

/**
 * Names a status.
 *
 * @param status  the status
 * @return static text, for example "running"; "unknown" for a number that is none
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_unit_status_name(hn_unit_status status);

/** What a start or a wait waits for. */
typedef enum hn_wait { HN_WAIT_NONE, HN_WAIT_RUNNING, HN_WAIT_READY, HN_WAIT_STOPPED } hn_wait;

/** How a unit is started. */
typedef struct hn_start_options {
	uint32_t size;
	hn_wait wait;
	int64_t timeout;         /* ns; 0 = 120 s */
	hn_progress_fn progress; /* unit "phases", phase = name of the unit and of its boot phase */
	void *progress_arg;
	hn_cancel *cancel;
} hn_start_options;
#define HN_START_OPTIONS_INIT                                                                      \
	{                                                                                          \
		.size = sizeof(hn_start_options)                                                   \
	}

/** How a unit is stopped. */
typedef struct hn_stop_options {
	uint32_t size;
	int64_t grace; /* ns; 0 = the unit's stop.grace */
	bool force;    /* no grace at all */
	hn_cancel *cancel;
} hn_stop_options;
#define HN_STOP_OPTIONS_INIT                                                                       \
	{                                                                                          \
		.size = sizeof(hn_stop_options)                                                    \
	}

/** What a stop did. */
typedef struct hn_stop_result {
	uint32_t size;
	bool was_running;
	bool forced;        /* the guest did not answer in time */
	const char *detail; /* static: "shutdown", "destroyed", "crashed" */
} hn_stop_result;

/**
 * Becomes the owner of the host's machine root and opens its hypervisor driver.
 *
 * Returns when every guest that was running before answers again. Guests outlive the owner: closing
 * the host or ending the process leaves them running, and the next owner finds them. With the
 * embedded driver a process has one root, and keeps it until it ends, also after the host is
 * closed. A second call is success. What happened to units while nobody looked is written down, and
 * restarts are planned, only for a session that may unit.update on all units, as hn_machine_step
 * asks; who may only look owns the root and changes no record.
 *
 * @param session  needs node.read
 * @param err      set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EBUSY when another process owns the root, with the facts pid, program and since;
 * HN_EPATHLEN when the root's path is too long; HN_EACCEL when kvm is configured and does not pass;
 * HN_EDRIVER when the driver cannot be opened; HN_EDENIED; HN_ENOMEM
 * Threads: the session's
 * Blocks: yes, for the lock as long as lock_wait says, and some seconds for the driver
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_machine_open(hn_session *session, hn_error **err);

/**
 * Gives one of the facts about driver, accelerator, cgroups and versions.
 *
 * @param session  needs node.read; the machine must be open
 * @param index    from 0
 * @param fact     the fact; its texts live as long as the host is open; a text that is left out for
 *                 the token is empty
 * @param err      set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT past the last fact; HN_EDENIED; and those of hn_machine_open
 * Threads: the session's
 * Blocks: yes, the first call of an open machine, which asks the hypervisor: seconds; then no
 * Allocates: no, once the machine is open
 * Since: 0.1
 */
HN_API int hn_machine_fact_at(hn_session *session, size_t index, hn_fact *fact, hn_error **err);

/**
 * Handles what the hypervisor and the guests reported: statuses, ready signals, restart policies.
 *
 * Restart policies act only while some process calls this; guests go on without.
 *
 * @param session  needs unit.update
 * @param timeout  ns to wait for something to report; 0 = do not wait, negative = for ever
 * @param err      set on failure; may be NULL
 * @return the number of events handled, or a negative hn_code
 * Errors: HN_EDRIVER when the driver is lost; HN_EDENIED; and those of hn_machine_open
 * Threads: the session's
 * Blocks: yes, up to timeout
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_machine_step(hn_session *session, int64_t timeout, hn_error **err);

/**
 * Starts a unit, defining it first when what is defined is not what was applied.
 *
 * Weight and limit are in force before the guest's first instruction. Stopped at any point, the
 * next start finishes or undoes what this one began.
 *
 * @param session  needs unit.start on unit/<uuid>, and unit.secret where its values name secrets
 * @param unit     name of the unit
 * @param options  what to wait for; NULL = nothing
 * @param err      set on failure; may be NULL
 * @return 0, 1 when it ran already, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit, or a kernel, initrd, disk or secret of it is not
 * there; HN_EINVAL when a file is empty or none; HN_EXML when the driver refuses the definition;
 * HN_ECGROUP when compute.enforce is set and the weight cannot be enforced; HN_EGUEST when the
 * guest ended before it was ready, with the facts detail and console; HN_ECONTRACT when it says
 * that it does not keep a contract, with the facts contract, version, ms, detail and console (it
 * goes on running); HN_ETIMEOUT when it was not ready in time, with the facts condition, phase and
 * console (either is the cause of one with the facts contract, version, component and blueprint
 * where the image says who promised what was not kept, or not heard of); HN_ECANCELLED; HN_EDRIVER;
 * HN_ENOSUP when the driver has no ready signal, or cannot hand secrets over; HN_ESIGNER and
 *    HN_ECRYPT when those cannot be opened; HN_ECAPACITY; HN_EDENIED
 * Threads: the session's
 * Blocks: yes, up to the timeout
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_start(
	hn_session *session, const char *unit, const hn_start_options *options, hn_error **err);

/**
 * Stops a unit: asks it on the unit port, then by the power button, then ends it by force.
 *
 * @param session  needs unit.stop on unit/<uuid>
 * @param unit     name of the unit
 * @param options  grace and force; NULL = the unit's stop.grace; the grace counts four times under
 * TCG
 * @param result   what happened; may be NULL
 * @param err      set on failure; may be NULL
 * @return 0, also when it was not running, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_ETIMEOUT when not even force ends it;
 * HN_ECANCELLED; HN_EDRIVER; HN_EDENIED
 * Threads: the session's
 * Blocks: yes, up to the grace and
 * twenty seconds
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_stop(hn_session *session, const char *unit, const hn_stop_options *options,
	hn_stop_result *result, hn_error **err);

/**
 * Stops a unit and starts it again with the values that were pending.
 *
 * @param session  needs unit.stop and unit.start on unit/<uuid>, and unit.secret as a start does
 * @param unit     name of the unit
 * @param options  what to wait for; NULL = nothing
 * @param err      set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: those of hn_unit_stop and hn_unit_start
 * Threads: the session's
 * Blocks: yes, up to the unit's stop.grace and the timeout
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_restart(
	hn_session *session, const char *unit, const hn_start_options *options, hn_error **err);

/**
 * Ends a unit at once, without asking the guest.
 *
 * @param session  needs unit.stop on unit/<uuid>
 * @param unit     name of the unit
 * @param err      set on failure; may be NULL
 * @return 0, also when it was not running, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_ETIMEOUT when it does not end; HN_EDRIVER;
 * HN_EDENIED
 * Threads: the session's
 * Blocks: yes, up to twenty seconds
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_kill(hn_session *session, const char *unit, hn_error **err);

/**
 * Holds a running unit: its processors stand still, its memory stays.
 *
 * @param session  needs unit.stop on unit/<uuid>
 * @param unit     name of the unit
 * @param err      set on failure; may be NULL
 * @return 0, 1 when it was paused already, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_EBUSY when it is not running; HN_EDRIVER;
 * HN_EDENIED
 * Threads: the session's
 * Blocks: yes, some milliseconds
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_pause(hn_session *session, const char *unit, hn_error **err);

/**
 * Lets a paused unit go on.
 *
 * @param session  needs unit.start on unit/<uuid>
 * @param unit     name of the unit
 * @param err      set on failure; may be NULL
 * @return 0, 1 when it was running already, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_EBUSY when it is not paused; HN_EDRIVER;
 * HN_EDENIED
 * Threads: the session's
 * Blocks: yes, some milliseconds
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_resume(hn_session *session, const char *unit, hn_error **err);

/**
 * Pushes a unit's reset button: the guest begins anew, without being asked.
 *
 * @param session  needs unit.reset on unit/<uuid>
 * @param unit     name of the unit
 * @param err      set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_EBUSY when it is not running; HN_EDRIVER;
 * HN_EDENIED
 * Threads: the session's
 * Blocks: yes, some milliseconds
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_reset(hn_session *session, const char *unit, hn_error **err);

/**
 * Waits until a unit is running, ready or stopped.
 *
 * @param session    needs unit.read on unit/<uuid>
 * @param unit       name of the unit
 * @param condition  what to wait for
 * @param timeout    ns; 0 = 120 s
 * @param cancel     ends the wait early; may be NULL
 * @param err        set on failure; may be NULL
 * @return 0 when it is so, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_ETIMEOUT when it was not so in time; HN_EGUEST
 * when the guest ended before it was ready; HN_ECONTRACT when it says that it does not keep a
 * contract, as in hn_unit_start; HN_EBUSY when the unit is off and running or ready is
 * waited for, or naming who owns the machine; HN_ENOSUP when the driver has no ready signal;
 * HN_ECANCELLED; HN_EDRIVER; HN_EDENIED
 * Threads: the session's
 * Blocks: yes, up to timeout
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_wait(hn_session *session, const char *unit, hn_wait condition, int64_t timeout,
	hn_cancel *cancel, hn_error **err);

/**
 * Gives the domain XML that a start would define.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param unit     name of the unit
 * @param xml      the text, to be released with hn_text_free
 * @param err      set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_EDENIED; and those of hn_domain_xml_write
 * Threads: the session's
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_xml(hn_session *session, const char *unit, char **xml, hn_error **err);

/** One phase of a boot. */
typedef struct hn_boot_phase {
	uint32_t size;
	const char *name; /* "define", "start", "firmware+kernel", "userspace", "ready" */
	int64_t wall;     /* ns in this phase */
	int64_t cpu;      /* CPU ns of QEMU in this phase; -1 when usage is left out */
	bool missed;      /* largest excess over the median, when the goal was missed */
} hn_boot_phase;
/** What the guest said of one check of a contract. */
typedef struct hn_boot_check {
	uint32_t size;
	const char *contract;  /* "service/http" */
	const char *version;   /* "1.2.0" */
	const char *detail;    /* the guest's words, maybe ""; NULL when they are left out */
	int64_t took;          /* ns until the guest knew */
	bool ok;               /* it is kept */
	const char *component; /* that promised it; several with commas; "": unknown */
	const char *blueprint; /* of the image; "": unknown */
} hn_boot_check;
/** How a unit's last boot went: an immutable snapshot. */
typedef struct hn_boot hn_boot;

/**
 * Gives the phases of a unit's last boot.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param unit     name of the unit
 * @param boot     the answer, to be released with hn_boot_free
 * @param err      set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit or it never was started; HN_EDENIED; HN_ENOMEM
 * Threads: the session's
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_boot(hn_session *session, const char *unit, hn_boot **boot, hn_error **err);

/**
 * Releases a boot.
 *
 * @param boot  the boot; may be NULL
 * @return NULL
 * Errors: none
 * Threads: any, but one at a time
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_boot *hn_boot_free(hn_boot *boot);

/**
 * Gives one phase of a boot, in the order in which they happened.
 *
 * A border that nothing showed joins its two phases: "firmware+kernel".
 *
 * @param boot   the boot
 * @param index  from 0
 * @param phase  the phase; its name is owned by the boot
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT past the last phase
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_boot_phase_at(const hn_boot *boot, size_t index, hn_boot_phase *phase);

/**
 * Gives one check of a contract of a boot, in the order in which the guest reported them.
 *
 * At most PORT_CHECKS of them are kept; one that failed is kept rather than one that did not.
 *
 * @param boot   the boot
 * @param index  from 0
 * @param check  the check; its texts are owned by the boot
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT past the last check
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_boot_check_at(const hn_boot *boot, size_t index, hn_boot_check *check);

/**
 * Tells the boot.goal that counted for a boot.
 *
 * @param boot  the boot
 * @return ns
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int64_t hn_boot_goal(const hn_boot *boot);

/**
 * Tells how long a boot took until the guest was ready.
 *
 * @param boot  the boot
 * @return ns, or -1 when it never became ready
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int64_t hn_boot_total(const hn_boot *boot);

/**
 * Tells the CPU time that the hypervisor's process used until the guest was ready.
 *
 * @param boot  the boot
 * @return CPU ns, or -1 when usage is left out for the token that asked
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int64_t hn_boot_cpu(const hn_boot *boot);

/** An open connection to a unit's serial console. */
typedef struct hn_console hn_console;

/**
 * Connects to a running unit's serial console.
 *
 * One client at a time. What the guest prints is logged with nobody attached too. The machine root
 * is not owned for it: while it is open, this and other processes start, stop and change units as
 * they do without it.
 *
 * The connection ends with what allows it: when the session is lost or given back, or a token's
 * hours are over or the unit leaves its reach. Then the socket reads as ended, and nothing more can
 * be written; the handle stays, to be given back, and hn_console_ended tells why. It reads as ended
 * as well when the unit has stopped. Whoever holds a console asks hn_session_wait,
 * with a timeout of 0, at least four times a second. Its session is in the list of open sessions,
 * where it can be cut.
 *
 * @param session  needs unit.console on unit/<uuid>
 * @param unit     name or uuid of the unit; errors call it so
 * @param console  the connection, to be given back with hn_console_free; a session has at most 16
 * @param err      set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit or it has no console; HN_EBUSY when it is not
 * running, and with the facts pid and program when its console is still in use after the lock_wait
 * of the host, and when whether the right goes on cannot be told for seconds; HN_ECANCELLED when
 * the cancel of the host was triggered meanwhile; HN_ENOSUP when the driver has none; HN_ELIMIT;
 * HN_EDENIED, HN_ESESSION and what else a denial gives, also when the right ends while it waits
 * Threads: the session's
 * Blocks: yes, while another has the console, up to the lock_wait of the host; a right that ends or
 * a cancel ends the wait within 250 ms
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_console_open(
	hn_session *session, const char *unit, hn_console **console, hn_error **err);

/**
 * Ends a console for every process that has its socket, and gives it back: the next client is
 * served at once.
 *
 * @param console  the connection; may be NULL
 * @return NULL
 * Errors: none
 * Threads: the session's, also when that is gone
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_console *hn_console_free(hn_console *console);

/**
 * Gives the socket of a console, to read, write and poll.
 *
 * @param console  the connection
 * @return a connected, non-blocking socket, as long as the console; not to be closed
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_console_fd(const hn_console *console);

/**
 * Tells why the library has ended a console before it was given back.
 *
 * @param console  the connection
 * @param err      set when the library has ended it; may be NULL
 * @return 0 when it goes on or the guest has ended it; else a negative hn_code
 * Errors: HN_ESESSION when the session is over; what a denial of unit.console gives, as HN_EDENIED,
 * when the right to this unit is
 * Threads: the session's, also when that is gone
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_console_ended(const hn_console *console, hn_error **err);

/**
 * Reads from a unit's console log, as the guest wrote it.
 *
 * Works while another process owns the machine root. The log is cut at 16 MiB and begins anew: an
 * offset past its end gives 0.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param unit     name of the unit
 * @param offset   of the first byte
 * @param bytes    where they go
 * @param size     at most so many
 * @param err      set on failure; may be NULL
 * @return the number of bytes, 0 at the end, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit or it has no log; HN_ERANGE when the offset is past
 * every log; HN_EIO; HN_EDENIED
 * Threads: the session's
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int64_t hn_unit_log_read(hn_session *session, const char *unit, uint64_t offset, void *bytes,
	size_t size, hn_error **err);

/**
 * Takes control bytes and escape sequences except colour out of what a guest printed, in place.
 *
 * A colour that is cut between two pieces is lost, never half printed.
 *
 * @param bytes  what to clean
 * @param size   how many bytes
 * @param state  kept from piece to piece; 0 before the first
 * @return the number of bytes left
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 * Source: ECMA-48, section 5
 */
HN_API size_t hn_terminal_strip(char *bytes, size_t size, int *state);

#ifdef __cplusplus
}
#endif
#endif
