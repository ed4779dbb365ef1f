/* SPDX-License-Identifier: MIT
 *
 * A host: its state, and units. Sessions are in host-session.h; plans, drift and capacity follow in
 * host-plans.h, which this file includes.
 */
#ifndef HYPERNIX_HOST_H
#define HYPERNIX_HOST_H

#include <hypernix/base.h>
#include <hypernix/host-approve.h>
#include <hypernix/host-audit.h>
#include <hypernix/host-build.h>
#include <hypernix/host-caps.h>
#include <hypernix/host-compose.h>
#include <hypernix/host-keys.h>
#include <hypernix/host-secret.h>
#include <hypernix/host-session.h>
#include <hypernix/machine.h>
#include <hypernix/os.h>
#include <hypernix/tags.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- host ---- */

/** Where the state of a host lies, and how its machine is reached. */
typedef struct hn_host_options {
	uint32_t size;
	const char *state;       /* directory of the state; NULL = /var/lib/hypernix */
	const char *root;        /* machine root, at most 50 bytes; NULL = <state>/m */
	const char *uri;         /* "hypernix:" (NULL: embedded driver on root), "qemu:///system",
				    "test:///ABS.xml" ... */
	const char *accelerator; /* "auto" (NULL), "tcg", "kvm" */
	const char *program;     /* who holds locks; NULL = "libhypernix" */
	hn_os *os;               /* NULL = hn_os_real() */
	int64_t lock_wait; /* ns to wait for another apply or owner; 0 = do not wait, -1 = for ever
			    */
	bool read_only;    /* HN_ENOENT when there is no state yet; mutating calls are HN_EDENIED */
	const char *calibration; /* NULL = stored or measured; "reference": 100 CU a thread, for
				    tests and dry hosts */
	bool dry; /* read_only, but a state that is missing counts as an empty one, and plans look
		     at the machine when it can be had at once: nothing is written but its locks */
	hn_cancel *cancel;  /* ends a wait for the lock, whichever call it is in; held; may be NULL
			     */
	const char *signer; /* socket of hv-signer; NULL = this process signs, with <state>/keys */
} hn_host_options;
#define HN_HOST_OPTIONS_INIT                                                                       \
	{                                                                                          \
		.size = sizeof(hn_host_options)                                                    \
	}
/**
 * Opens the state of a host, and makes it when there is none.
 *
 * @param options  where the state lies and how its machine is reached; NULL for all defaults
 * @param host  receives the handle; release it with hn_host_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when a path is not absolute; HN_ENOENT when read_only and there is no state;
 * HN_EDENIED when others can enter the state directory; HN_ENEWER when the file was made by a
 * newer library, or options sets what this one does not know; HN_ECORRUPT; HN_EIO, HN_ENOSPC,
 * HN_ENOMEM
 * Threads: any; the handle then belongs to one thread at a time
 * Blocks: yes, on the disk; the machine is opened when it is first needed
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_host_open(const hn_host_options *options, hn_host **host, hn_error **err);

/**
 * Takes one more reference of a host.
 *
 * @param host  may be NULL
 * @return host
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_host *hn_host_ref(hn_host *host);

/**
 * Gives a reference of a host back; the last one closes machine and state. Guests go on.
 *
 * @param host  may be NULL
 * @return NULL
 * Errors: none
 * Threads: any, but not while another uses it
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_host *hn_host_unref(hn_host *host);

/* ---- units: reading ---- */

/** Who says what a unit is. */
typedef enum hn_owner { HN_OWNER_FILE, HN_OWNER_NIX, HN_OWNER_API } hn_owner;
/**
 * Names an owner in one word, as programs print it.
 *
 * @param owner  any value
 * @return static text; "unknown" for a value that this library does not know
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_owner_name(hn_owner owner);

/** A unit of the host as it is known now: immutable snapshot. */
typedef struct hn_unit hn_unit;
/**
 * Takes one more reference of a snapshot of a unit.
 *
 * @param unit  may be NULL
 * @return unit
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_unit *hn_unit_ref(hn_unit *unit);

/**
 * Gives a reference of a snapshot of a unit back.
 *
 * @param unit  may be NULL
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_unit *hn_unit_unref(hn_unit *unit);

/**
 * Tells the name of a unit.
 *
 * @param unit  a snapshot
 * @return the name, owned by the snapshot
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_unit_name(const hn_unit *unit);

/**
 * Tells the uuid of a unit: its identity, which a name that is used again does not inherit.
 *
 * @param unit  a snapshot
 * @return 36 characters in lower case, owned by the snapshot
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_unit_uuid(const hn_unit *unit);

/**
 * Tells who says what the unit is: a file, Nix, or the API.
 *
 * @param unit  a snapshot
 * @return the owner
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_owner hn_unit_owner(const hn_unit *unit);

/**
 * Tells what state the unit was in when the snapshot was made.
 *
 * @param unit  a snapshot
 * @return the status
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_unit_status hn_unit_get_status(const hn_unit *unit);

/**
 * Tells whether the guest has said that it is ready.
 *
 * @param unit  a snapshot
 * @return 1 ready, 0 not, -1 unknown
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_unit_ready(const hn_unit *unit);

/**
 * Tells whether something desired is not applied yet.
 *
 * @param unit  a snapshot
 * @return true when desired and applied values differ, or hn_unit_secrets_changed says so
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API bool hn_unit_pending(const hn_unit *unit);

/**
 * Tells whether the guest of a unit has secrets that were put anew or removed since it started:
 * the unit is pending until it is restarted.
 *
 * @param unit  a snapshot
 * @return true when it has
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API bool hn_unit_secrets_changed(const hn_unit *unit);

/** A contract that a unit's guest does not keep. */
typedef struct hn_broken {
	uint32_t size;
	const char *contract;  /* "service/http" */
	const char *version;   /* "1.2.0" */
	const char *component; /* that promised it; several with commas; NULL: unknown */
	const char *blueprint; /* of the image; NULL: unknown */
} hn_broken;
#define HN_BROKEN_INIT                                                                             \
	{                                                                                          \
		.size = sizeof(hn_broken)                                                          \
	}

/**
 * Tells which contract the guest of the unit's last start said that it does not keep; of several
 * the first.
 *
 * @param unit  a snapshot
 * @param broken  filled in when there is one; its texts are owned by the unit
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT when none is known
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_unit_get_broken(const hn_unit *unit, hn_broken *broken);

/**
 * Tells whether an undo has failed on the unit, so that nothing more is done to it
 * automatically.
 *
 * @param unit  a snapshot
 * @return true until hn_unit_repair has settled it
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API bool hn_unit_inconsistent(const hn_unit *unit);

/**
 * Tells whether the unit has left the declaration. Its domain stays until the unit is declared
 * again or removed; it holds capacity only while it runs.
 *
 * @param unit  a snapshot
 * @return true when it was declared once and is not now; false for one that was made by hand
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API bool hn_unit_undeclared(const hn_unit *unit);

/**
 * Tells whether this is a domain that hypernix did not make. Its uuid and name are those of the
 * domain.
 *
 * @param unit  a snapshot
 * @return true for a foreign one
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API bool hn_unit_foreign(const hn_unit *unit);

/**
 * Gives the values that the unit is to have.
 *
 * @param unit  a snapshot
 * @return borrowed from the snapshot; NULL for foreign ones
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_view *hn_unit_desired(const hn_unit *unit);

/**
 * Gives the values that the unit has. Keys that wait for a restart still have the old value
 * here.
 *
 * @param unit  a snapshot
 * @return borrowed from the snapshot; NULL when nothing was applied yet
 * Errors: none
 * Threads: any; the object is immutable
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_view *hn_unit_applied(const hn_unit *unit);

/** A list of units. */
typedef struct hn_units hn_units; /* a list */
/**
 * Lists the units of the host, by name, then foreign domains where the machine is open.
 *
 * By a token with a quota of uses or a rate it is one use of whatever let any unit pass, also one
 * that the selector leaves out; that is written down, so it waits for whoever else writes.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param selector  such as "tag:production and not name:db-*"; NULL for all
 * @param observe  ask the hypervisor when it can be had without waiting; else the last known
 * status
 * @param units  receives the list; release it with hn_units_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL; HN_EDENIED, also where a use is to be counted and the
 * host was opened read-only; HN_EQUOTA, HN_ERATE, and HN_ENOSPC on a full disk or HN_EBUSY beside
 * another writer, when a use is to be counted; HN_EIO, HN_ENOMEM when the store fails; HN_ESYNTAX
 * when the selector is none; HN_EDRIVER
 * Threads: the one that has the session
 * Blocks: yes, on the disk; with observe on the hypervisor too
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_units_list(
	hn_session *session, const char *selector, bool observe, hn_units **units, hn_error **err);

/**
 * Releases a list of units.
 *
 * @param units  may be NULL
 * @return NULL
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_units *hn_units_free(hn_units *units);

/**
 * Tells how many units a list has.
 *
 * @param units  a list
 * @return the number
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API size_t hn_units_count(const hn_units *units);

/**
 * Gives one unit of a list.
 *
 * @param units  a list
 * @param index  from 0
 * @return borrowed from the list; NULL past the end
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_unit *hn_units_at(const hn_units *units, size_t index);

/**
 * Finds one unit by its name or uuid.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param name  a name or a uuid
 * @param observe  see hn_units_list
 * @param unit  receives a snapshot; release it with hn_unit_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT with the nearest name as hint; HN_ESESSION when session is NULL; HN_EDENIED;
 * HN_EIO, HN_ENOMEM when the store fails; HN_EDRIVER
 * Threads: the one that has the session
 * Blocks: yes, on the disk; with observe on the hypervisor too
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_find(
	hn_session *session, const char *name, bool observe, hn_unit **unit, hn_error **err);

/**
 * Gives everything that is declared now.
 *
 * @param session  needs tag.read on tag/<namespace>/<name>; a token needs unit.read on each unit
 * @param catalog  receives a reference; release it with hn_catalog_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails;
 * HN_ECORRUPT
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_host_get_catalog(hn_session *session, hn_catalog **catalog, hn_error **err);

/**
 * Gives a resolver with all that is declared and set at run time, for what-if: what is done to
 * it changes nothing on the host.
 *
 * @param session  needs tag.read on tag/<namespace>/<name>; a token needs unit.read on each unit
 * @param resolver  receives it; release it with hn_resolver_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails;
 * HN_ECORRUPT
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_host_fork_resolver(hn_session *session, hn_resolver **resolver, hn_error **err);

/** A past winner of a key. */
typedef struct hn_history_entry {
	uint32_t size;
	uint64_t generation;
	int64_t when;
	const char *who, *why, *value; /* value NULL: unset */
} hn_history_entry;

/** Given each entry of a history; non-zero ends the walk. */
typedef int (*hn_history_fn)(void *arg, const hn_history_entry *entry);
/**
 * Tells past winners of a key, oldest first, one entry each time that the value changed, as far as
 * they are kept (limit UNIT_HISTORY).
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param unit  name or uuid
 * @param key  such as "memory.size"
 * @param each  given each entry; texts are borrowed inside the call; non-zero ends the walk and
 * is returned
 * @param arg  handed to each
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_ESCHEMA when there is no such key;
 * HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_history(hn_session *session, const char *unit, const char *key,
	hn_history_fn each, void *arg, hn_error **err);

/* ---- units: changing what is desired (a plan makes it real) ---- */

/** What a unit that is made by hand consists of. */
typedef struct hn_unit_definition {
	uint32_t size;
	const char *const *tags;
	size_t tag_count;
	const char *const *policies;
	size_t policy_count;
	const char *blueprint;
	const char *const *keys; /* keys[i] = values[i] */
	const char *const *values;
	size_t value_count;
} hn_unit_definition;
#define HN_UNIT_DEFINITION_INIT                                                                    \
	{                                                                                          \
		.size = sizeof(hn_unit_definition)                                                 \
	}
/**
 * Makes a unit by hand, or replaces the whole definition of one that was made so. A plan makes
 * it real.
 *
 * @param session  needs unit.create on unit/<uuid>; with files of the host needs volume.attach
 * @param unit  its name
 * @param definition  tags, policies and values; NULL for none
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when that is no name; HN_EEXIST when a declared unit has it; HN_ESCHEMA,
 * HN_ERANGE when a key or value is wrong; HN_ENOENT when a tag or policy is not declared;
 * HN_ECONFLICT, HN_EEXCLUSIVE when the values contradict each other; HN_ELIMIT; HN_ENEWER;
 * HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails;
 * HN_ENOSPC when the disk is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_define(hn_session *session, const char *unit,
	const hn_unit_definition *definition, hn_error **err);

/**
 * Sets or unsets one value of a unit that was made by hand.
 *
 * @param session  needs unit.update on unit/<uuid>; with files of the host needs volume.attach
 * @param unit  name
 * @param key  such as "memory.size"
 * @param value  as hn_key_parse takes it; NULL unsets
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit, or no value to unset; HN_EDENIED when the unit
 * is declared; HN_ESCHEMA, HN_ERANGE when key or value is wrong; HN_ECONFLICT; HN_ESESSION when
 * session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails; HN_ENOSPC when the disk
 * is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_set(
	hn_session *session, const char *unit, const char *key, const char *value, hn_error **err);

/**
 * Adds and takes away tags, both at once: all of it, or on failure nothing. A name that comes twice
 * in a list counts once, also against the rates and quotas of tag.apply. What is in both lists is
 * taken away first and then added: a tag that is there stays, one that is not there is HN_ENOENT.
 * Tags of run time survive a new declaration; a declared tag that was taken away comes back when it
 * is added.
 *
 * @param session  needs tag.apply on tag/<namespace>/<name>, unit.update on unit/<uuid>
 * @param unit  name
 * @param add  add_count tags
 * @param add_count  may be 0
 * @param remove  remove_count tags
 * @param remove_count  may be 0
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit or tag, or the unit does not have the one to take
 * away; HN_EINVAL when that is implied by another, or a list or a name in it is missing or too
 * long; HN_EEXCLUSIVE, HN_ECONFLICT; HN_ELIMIT;
 * HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails;
 * HN_ENOSPC when the disk is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_tag(hn_session *session, const char *unit, const char *const *add,
	size_t add_count, const char *const *remove, size_t remove_count, hn_error **err);

/**
 * Sets a value over all but break-glass, for a while. The reason of the session is kept with it.
 *
 * @param session  needs force.set on unit/<uuid>; with files of the host needs volume.attach
 * @param unit  name
 * @param key  such as "compute.units"
 * @param value  as hn_key_parse takes it
 * @param duration  ns, at most FORCE_SECONDS; then the force is gone at the next session, plan
 * or apply
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EREASON when the session has none; HN_EINVAL when there is no value; HN_ERANGE when
 * the duration is not positive, or the value is wrong; HN_ELIMIT when it is too long; HN_ENOENT;
 * HN_ESCHEMA; HN_ECONFLICT; HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when
 * the store fails; HN_ENOSPC when the disk is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_force(hn_session *session, const char *unit, const char *key, const char *value,
	int64_t duration, hn_error **err);

/**
 * Takes a force away before its time.
 *
 * @param session  needs force.set on unit/<uuid>
 * @param unit  name
 * @param key  the key that is forced
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit or force; HN_ESCHEMA; HN_EREASON; HN_ESESSION
 * when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails; HN_ENOSPC when the
 * disk is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_unforce(hn_session *session, const char *unit, const char *key, hn_error **err);

/** What becomes of the disks of a unit that is removed. */
typedef enum hn_disks { HN_DISKS_KEEP, HN_DISKS_DELETE } hn_disks;
/**
 * Stops a unit at once, undefines and forgets it. A unit that is declared must leave the
 * declaration instead.
 *
 * @param session  needs unit.delete on unit/<uuid>
 * @param unit  name or uuid
 * @param disks  delete: also the files of its disks that lie below state or root
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT; HN_EDENIED when it is declared, or a disk lies elsewhere; HN_EREASON when
 * the session has none; HN_EBUSY when another process owns the machine; HN_EDRIVER; HN_ESESSION
 * when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails; HN_ENOSPC when the
 * disk is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, until the machine is free (at most lock_wait), on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_remove(hn_session *session, const char *unit, hn_disks disks, hn_error **err);

/**
 * Removes the domain of a unit and what was frozen for it; the next apply makes it anew, fixed
 * keys and all. Disks in its own directory are deleted with it, since what is fixed of them
 * (format, encryption) can only come with new ones; disks outside stay.
 *
 * @param session  needs unit.delete, unit.create on unit/<uuid>
 * @param unit  name or uuid
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT; HN_EREASON when the session has none; HN_EBUSY; HN_EDRIVER; HN_ESESSION
 * when session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails; HN_ENOSPC when the
 * disk is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, until the machine is free (at most lock_wait), on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_replace(hn_session *session, const char *unit, hn_error **err);

/**
 * Makes a unit of a domain that hypernix did not make, with the values that it has. The next
 * apply writes our definition.
 *
 * @param session  needs unit.create on unit/<uuid>; with files of the host needs volume.attach
 * @param domain  name or uuid of the domain
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such domain; HN_EEXIST when it is ours, or a unit has its
 * name; HN_EINVAL when its name cannot be that of a unit; HN_EBUSY; HN_EDRIVER; HN_ESESSION when
 * session is NULL; HN_EDENIED; HN_EIO, HN_ENOMEM when the store fails; HN_ENOSPC when the disk
 * is full; HN_EAUDIT when the audit log cannot be written
 * Threads: the one that has the session
 * Blocks: yes, until the machine is free (at most lock_wait), on the disk and on the hypervisor
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_adopt(hn_session *session, const char *domain, hn_error **err);

/**
 * Moves a unit to another host. This version cannot.
 *
 * @param session  needs migrate.out on unit/<uuid>
 * @param unit  name or uuid
 * @param to  name of the host
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOSUP always; HN_ENOENT; HN_ESESSION when session is NULL; HN_EDENIED; HN_EIO,
 * HN_ENOMEM when the store fails; HN_ENOSPC when the disk is full; HN_EAUDIT when the audit log
 * cannot be written
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_unit_move(hn_session *session, const char *unit, const char *to, hn_error **err);

#ifdef __cplusplus
}
#endif

#include <hypernix/host-plans.h>

#endif
