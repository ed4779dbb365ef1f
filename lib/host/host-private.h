/* SPDX-License-Identifier: MIT
 *
 * The inside of the host room: the handle, sessions and permits, unit records, acting on a unit,
 * and what the files of this room ask of each other. Only this room wires the others together.
 */
#ifndef HOST_PRIVATE_H
#define HOST_PRIVATE_H

#include "base/base-private.h"
#include "caps/audit.h"
#include "codec/codec-private.h"
#include "crypto/crypto-private.h"
#include "events/events-private.h"
#include "machine/machine-private.h"
#include "os/os-private.h"
#include "state/state-private.h"
#include <hypernix/host.h>

BASE_AUTO(hn_host, hn_host_unref)
BASE_AUTO(hn_session, hn_session_unref)
BASE_AUTO(hn_unit, hn_unit_unref)
BASE_AUTO(hn_units, hn_units_free)
BASE_AUTO(hn_plan, hn_plan_unref)
BASE_AUTO(hn_view, hn_view_unref)
BASE_AUTO(hn_resolver, hn_resolver_free)
BASE_AUTO(hn_catalog, hn_catalog_unref)
BASE_AUTO(hn_decl, hn_decl_unref)

#define HOST_ROOM "host"
#define HOST_DENIED 16 /* denials of one transaction that are told one by one */

/* --- the handle (host.c) --- */
struct hn_host {
	atomic_uint references;
	hn_os *os;
	state_store *store;
	events_log *events;
	char *state_dir, *root, *uri, *accelerator, *program, *calibration, *path, *signer_path;
	char *cpu; /* model, once a calibration was read; what hn_calibration.cpu points to */
	int64_t lock_wait;
	hn_cancel *cancel; /* of a wait for the lock; NULL: none */
	bool read_only, dry;
	char node[64]; /* the host's own name, for audit records and formulas */

	os_lock *lock;    /* <state>/lock, held from the first host_machine() on */
	machine *machine; /* NULL until host_machine() */

	hn_catalog *catalog;        /* of the current generation; host_catalog() */
	hn_resolver *resolver;      /* catalogue + runtime tags, definitions; host_resolver() */
	crypto_signer *signer;      /* NULL until host_signer (rights.h) */
	struct host_rights *rights; /* NULL until a token or a capability is asked for (rights.h) */
	uint64_t catalog_generation, resolver_revision;
	int64_t resolver_expires; /* wall ns at which a force or tag in it ends */

	/* denials inside the open transaction: recorded when that has ended; the rest is counted */
	struct host_denied {
		const hn_session *session;
		hn_verb verb;
		char object[BASE_OBJECT_SIZE];
		int code;
		unsigned rule[3]; /* link, slot, caveat; link 255: none */
	} denied[HOST_DENIED];
	size_t denied_count;
	uint64_t denied_more;

	caps_audit *audit;
	caps_audit_process process; /* this one, once it was asked for */
	bool audit_compared;        /* with what the signer has sealed */
};
/* The machine of this host, opened and locked on first use (waits options->lock_wait; HN_EBUSY
 * names the owner). Stays open until the host is released. HN_EDENIED on a read-only host. */
int host_machine(hn_host *host, machine **out, hn_error **err);
/* The same, but never waits: 1 there it is, 0 somebody else owns it (or the host is read-only). */
int host_machine_try(hn_host *host, machine **out, hn_error **err);
/* sN and capacity of this host: stored, or "reference" (calibrate.c). `cpu` is owned by the host.
 */
int host_calibration(hn_host *host, hn_calibration *result, hn_error **err);
/* The declaration of the current generation, and the resolver over it with all runtime input.
 * Borrowed. Both follow changes that other processes commit. */
int host_catalog(hn_host *host, hn_catalog **catalog, hn_error **err);
int host_resolver(hn_host *host, hn_resolver **resolver, hn_error **err);

/* --- sessions and permits (session.c, service.c, audit.c) --- */
#define HOST_CONSOLES 16      /* open at a time */
#define HOST_SUBJECT_SIZE 160 /* "cap/" or "breakglass/", and a name of CAPS_NAME_BYTES */
typedef struct host_service host_service;
bool host_service_may(const host_service *service, hn_verb verb);
struct hn_session {
	atomic_uint references;
	hn_host *host;
	const host_service *service; /* one that is part of hypernix; NULL: none, or its terms
					were configured and it has a holder */
	bool of_service;
	uint8_t terms[CRYPTO_DIGEST];    /* of what was configured for it; zero: nothing */
	int64_t next_setting;            /* monotonic ns: when it is asked again who may act here */
	bool registered;                 /* in the list of open sessions */
	char subject[HOST_SUBJECT_SIZE]; /* "local/uid/0", "service/activation" */
	char *reason;                    /* NULL when none was given */
	char *program;
	uint8_t id[8];
	uint64_t opened; /* its "opened" record in the audit log; 0 = none yet */
	struct host_holder
		*holder;          /* of a token (host/rights.h); NULL: what the verb asks decides */
	struct caps_glass *glass; /* of break-glass; NULL: none */
	int64_t next_glass;       /* monotonic ns: when the store is asked whether that was ended */
	uint64_t looked;          /* the look of the host's rights after which it was found open */
	int64_t asked;            /* monotonic ns: when it was last looked at whether it is over */
	int64_t found_open;       /* the same, of the last look that could tell that it is not */
	const char *over;         /* why it was lost; NULL while it is open; static */
	bool unwitnessed;         /* the admission that goes on waits for no witness */
	bool quorum;              /* shown for the admission that goes on */
	bool hands_over;          /* a start that gives a guest its secrets is asked about */
	bool proved_later;        /* a fresh proof is asked back for when it is begun */
	uint32_t redacts;         /* classes that some term of its token leaves out */
	uint32_t redacted;        /* of the answer that was given last */
	struct host_call *call;   /* that goes on (host/call.h); NULL: none */
	uint8_t *refused;         /* the canonical request of the one that was refused last; NULL */
	size_t refused_size;
	bool request_only; /* nothing is done: what would be is kept as refused */
	hn_session_fresh_fn on_fresh;
	void *on_fresh_arg;
	bool told; /* who wants to know of the loss was told */
	hn_session_loss_fn on_loss;
	void *on_loss_arg;
	struct hn_console *consoles[HOST_CONSOLES]; /* open ones; each is of whoever opened it */
	size_t console_count;
	int64_t next_console; /* monotonic ns: when its consoles are asked about again */
};
/* Is what it may see and do less than everything on the host? */
static inline bool host_session_limited(const hn_session *session)
{
	return session->holder || session->glass;
}
/* Operators, and the service that puts what is declared in force: the rest needs a right to each
 * thing that a definition or a declaration carries with it. */
static inline bool host_session_declares(const hn_session *session)
{
	return !host_session_limited(session) &&
	       (!session->service || host_service_may(session->service, HN_VERB_TAG_APPLY));
}
typedef enum host_wanted {
	HOST_WANTED_UNSET,
	HOST_WANTED_RUNNING,
	HOST_WANTED_STOPPED
} host_wanted;
typedef struct host_permit {
	base_permit base;    /* what room functions take */
	hn_session *session; /* borrowed */
	bool recorded;       /* there is an allow record that waits for its outcome */
	bool pending;        /* which it does also after a crash: its effect is elsewhere */
	uint32_t redact;     /* classes that an answer under it leaves out */
	bool wished;         /* it has made the unit one that is to run, which it was not: */
	host_wanted wanted_before;
} host_permit;
int host_session_new(hn_host *host, const hn_session_options *options, const char *subject,
	const host_service *service, hn_session **session, hn_error **err);
/* Ends in its name what is over by now: for one that somebody acts by, not one that is asked about.
 */
void host_session_begin(hn_session *session);
/* Decides, and for a verb that changes something writes the allow record: durable before it
 * returns, or part of the transaction that is open. `object` is an object name such as
 * host_object_unit() makes; `second` may be NULL. HN_EDENIED, HN_EREASON, HN_ESESSION, HN_EAUDIT.
 */
int host_admit(hn_session *session, hn_verb verb, const char *object, const char *second,
	host_permit *permit, hn_error **err);
/* The same for a verb with flag Q whose quorum was shown by signatures that the caller has checked.
 */
int host_admit_by_quorum(
	hn_session *session, hn_verb verb, const char *object, host_permit *permit, hn_error **err);
/* unit.secret, for a start that gives the guest what is its own: a service that may start it may do
 * that too, and nothing else with secrets. */
int host_admit_handover(hn_session *session, const char *uuid, host_permit *permit, hn_error **err);
/* The same before a plan begins, or (`look`) is only looked at: a fresh proof that can be asked
 * back for is no obstacle. */
int host_may_hand_over(hn_session *session, const char *object, bool look, hn_error **err);
/* The same before a restart takes the guest down: a proof that is missing is asked for now. */
int host_prove_handover(hn_session *session, const char *object, hn_error **err);
/* Decides without beginning: a denial is on record, an allowance is not. */
int host_may(hn_session *session, hn_verb verb, const char *object, hn_error **err);
/* At the end of a transaction, rolled back or not: the record of a denial inside of it is written.
 */
void host_denial_settle(hn_host *host);
/* Quotas that are held (hold.c), in the transaction that is open: a unit in use is to have the
 * values of `view`, or of it only `key`; what it takes more is held by who asks. HN_EQUOTA. */
int host_hold_values(hn_session *session, hn_verb verb, const hn_unit *unit, const hn_view *view,
	const char *key, hn_error **err);
/* Between true and false a start takes no more than the unit has: resumed, or by its policy. */
void host_has_already(const hn_session *session, bool has);
/* The record of a unit has changed, or is gone: what it does not take any more is given back. */
int host_hold_settle(hn_host *host, const hn_unit *unit, hn_error **err);
/* Writes the outcome of an admitted call; returns rc (or HN_EAUDIT when rc was well and the outcome
 * could not be written). Call it exactly once for each successful host_admit. `err` is the
 * caller's: its error, if any, stays. */
int host_settle(host_permit *permit, int rc, hn_error **err);
/* The same where the outcome belongs into a transaction: only whether it could be written. */
int host_settle_outcome(host_permit *permit, int code, hn_error **err);
/* The same as a question: nothing is recorded, and that the host was opened read-only is no
 * answer. */
int host_would(hn_session *session, hn_verb verb, const char *object, hn_error **err);
/* The same; *redact (not NULL) receives the classes that an answer leaves out. */
int host_would_tell(
	hn_session *session, hn_verb verb, const char *object, uint32_t *redact, hn_error **err);
/* For lists: what a token does not allow looks missing. Operators and services see all. */
bool host_sees(hn_session *session, hn_verb verb, const char *object);
int host_verb_find(const char *text, hn_verb *verb, hn_error **err); /* HN_EINVAL */
/* An error of admission: it says what was asked for and why not, no more. */
void host_denial_plain(const hn_session *session, const char *object, hn_error **err);
/* What people call an object: a unit by its name where the store knows it. */
const char *host_object_called(
	const hn_session *session, const char *object, char name[BASE_OBJECT_SIZE]);
/* "unit/<uuid>" into a buffer of BASE_OBJECT_SIZE; returns it. */
const char *host_object_unit(char object[BASE_OBJECT_SIZE], const char *uuid);
/* caps.md section 5: "tag/<namespace>/<name>"; a tag without namespace is in "default". */
const char *host_object_tag(char object[BASE_OBJECT_SIZE], const char *tag);
/* First line of every public function that takes a session: not NULL, still open; size of an
 * options struct. */
int host_session_use(hn_session *session, hn_host **host, hn_error **err);
/* How a gate begins (gate.c): that line, then the permit for an object, for this node, or for the
 * unit of that name or uuid. */
int host_enter(hn_session *session, hn_verb verb, const char *object, hn_host **host,
	host_permit *permit, hn_error **err);
int host_enter_node(
	hn_session *session, hn_verb verb, hn_host **host, host_permit *permit, hn_error **err);
int host_enter_unit(hn_session *session, const char *name, hn_verb verb, hn_host **host,
	hn_unit **unit, host_permit *permit, hn_error **err);
/* Is it allowed, or does it wait for nothing but persons, a reason or a proof? */
bool host_reaches(hn_session *session, hn_verb verb, const char *object);
/* By name or uuid; what no right of the session reaches is missing, without a hint. */
int host_find_unit(hn_session *session, const char *name, hn_unit **unit, hn_error **err);
/* Whom no right reaches it does not exist for. */
bool host_knows_unit(hn_session *session, const hn_unit *unit);
/* The same answer for a unit that is hidden from the session as for a name that nobody has, when it
 * may not make the unit that `name` would be: HN_EDENIED, on record with the true object. */
int host_may_make(hn_session *session, const hn_unit *unit, const char *name, hn_error **err);
int host_admit_unit(
	hn_session *session, hn_verb verb, const char *uuid, host_permit *permit, hn_error **err);
/* For lists: a token's holder begins without a permit, and host_sees_unit says of each whether it
 * is for him. */
int host_enter_list(
	hn_session *session, hn_verb verb, const char *object, hn_host **host, hn_error **err);
/* `fresh`: its desired view is what it resolves to now. */
bool host_sees_unit(hn_session *session, hn_verb verb, hn_unit *unit, bool fresh);
/* The same for what it tells of a unit: *redact receives the classes that are left out. */
bool host_reads_unit(hn_session *session, hn_unit *unit, bool fresh, uint32_t *redact);
/* "node/<name>" into a buffer of BASE_OBJECT_SIZE; returns it. */
const char *host_object_node(char object[BASE_OBJECT_SIZE], const hn_host *host);
/* HN_ESCHEMA with the nearest key as hint. */
int host_key_find(const char *key, const hn_key **row, hn_error **err);
int host_options_check(const void *options, size_t known, const char *what, hn_error **err);
void host_options_copy(void *to, const void *options, size_t known); /* NULL options: all zero */

/* --- what the terms of a token leave out (redact.c; ANSWERS in hypernix-capability(5)) --- */
/* Each gate that answers asks this between its permit and its answer. Of classes in `whole` the
 * answer cannot be parted: HN_EDENIED, by their names. The others it leaves out by permit->redact.
 */
int host_answers(const host_permit *permit, uint32_t whole, hn_error **err);
/* Beside those of the permit, in what is answered now: one unit of a list has its own. */
void host_leaves_out(hn_session *session, uint32_t classes);
/* What an error may say to this session: each gate ends with this, host_settle or host_edit_end.
 * Returns rc. */
int host_conceal(const hn_session *session, int rc, hn_error **err);
/* A text of these classes, or NULL. */
static inline const char *host_told(uint32_t redact, uint32_t classes, const char *text)
{
	return (redact & classes) != 0 ? NULL : text;
}
/* One error for a call and each class that is left out of its answer. */
int host_left_out(const char *what, uint32_t classes, hn_error **err);
/* A unit whose views have not the classes; `unit` is a record that nobody else holds. */
int host_unit_redact(hn_unit *unit, uint32_t classes, hn_error **err);
/* Hands an event on without them. */
int host_event_redact(const hn_event *event, uint32_t redact, hn_event_fn each, void *arg);

/* --- audit log (audit.c): caps.md section 10 --- */
typedef struct host_audit_entry {
	caps_audit_kind kind;
	int verb;           /* -1: none */
	const char *object; /* NULL: none */
	uint64_t refers;    /* 0: none */
	int code;
	bool has_code;
	const hn_session *session;            /* NULL: the host itself */
	int64_t valid_until;                  /* seconds; 0 and INT64_MAX: none */
	const struct caps_decision *decision; /* whose rule it was; NULL: none */
	const char *note;       /* static, not personal: goes into field 24; NULL: none */
	const base_buf *detail; /* else the map that goes there, as CBOR; NULL: none */
	const uint8_t *cti; /* of what it is about: revoked, issued; NULL: the session's token */
	const uint8_t *request; /* 32 bytes hash of what was approved, trusted or voided; NULL */
	uint64_t count;         /* version or epoch of that; 0: none */
	bool pending; /* an allow whose effect is outside of this transaction: an outcome is to come
		       */
	bool ends;    /* that outcome */
} host_audit_entry;
int host_audit_open(hn_host *host, hn_error **err);
int host_audit_append(
	hn_host *host, const host_audit_entry *entry, uint64_t *number, hn_error **err);
/* Before the first change: does the log go on from what the signer sealed? HN_EAUDITFORK. */
int host_audit_ready(hn_host *host, hn_error **err);
/* As far as the signer and counting show it, without a walk: is it the log that was sealed, with
 * all its checkpoints? HN_EAUDITFORK, HN_ECORRUPT. */
int host_audit_look(hn_host *host, hn_error **err);
/* All of it, and against what the signer sealed, which is put into the options. */
int host_audit_verify_sealed(hn_host *host, caps_audit_check_options *options, hn_error **err);
/* Ends what killed processes have left without an outcome (audit-recover.c): at the first open for
 * writing, and when the machine is there to be asked. */
void host_audit_recover(hn_host *host);
const caps_audit_process *host_process(hn_host *host);
uint64_t host_boot_number(hn_host *host); /* what is of another boot is of nobody */
/* Seals all that is there (audit-seal.c); nothing inside a transaction. */
int host_audit_seal(hn_host *host, hn_error **err);
/* Where the host asks for it: waits up to 5 seconds for the witnesses of what is sealed
 * (gate-witness.c). HN_EAUDIT. */
int host_audit_witnessed(hn_host *host, hn_error **err);
/* Of the trust bundle's witnesses, those that have cosigned so many records. */
int host_audit_count(hn_host *host, uint64_t size, size_t *number, hn_error **err);
void host_audit_tick(hn_host *host); /* when it is time to; between transactions */
void host_audit_end(hn_host *host);  /* before the signer and the store are closed */
/* 1 MiB that is given up so that break-glass can be put on record on a full disk. Held from when
 * the trust bundle has a preset; a host that cannot hold it says so in its log, and goes on. */
void host_audit_reserve(hn_host *host);
bool host_audit_release(hn_host *host); /* there was one */
/* Recomputes every leaf and the tree; HN_ECORRUPT naming the first record that does not fit. */
int host_audit_verify(hn_host *host, hn_error **err);

/* --- unit records (units-record.c). An hn_unit is one immutable snapshot of a row. --- */
/* The first contract that its guest does not keep; component and blueprint may be "". */
typedef struct host_broken {
	char contract[128], version[129], component[128], blueprint[64];
} host_broken;
struct hn_unit {
	atomic_uint references;
	int64_t id;
	char uuid[37];
	char name[64];
	hn_owner owner;
	bool undeclared; /* was declared once; what to do with it: on_remove */
	bool inconsistent, foreign;
	bool stale_secrets; /* one that its guest was given has changed since */
	host_wanted wanted; /* what start, stop and plans asked for last: a stopped unit that should
			       run has drifted */
	hn_unit_status status; /* last known, or observed */
	int ready;
	char *machine;              /* frozen machine type; NULL before the first define */
	char *addresses;            /* frozen addresses, JSON; NULL */
	host_broken *broken;        /* NULL: none is known */
	uint32_t vcpus;             /* frozen count; 0 = none */
	uint64_t generation;        /* of the desired view */
	hn_view *desired, *applied; /* NULL when there is none */
	uint8_t desired_digest[CRYPTO_DIGEST]; /* of the values */
	uint8_t desired_chains[CRYPTO_DIGEST]; /* of what explains them, tags and policies too */
	uint8_t applied_digest[CRYPTO_DIGEST];
	uint8_t defined_digest[CRYPTO_DIGEST]; /* of the values that the persistent definition was
						  made from */
};
/* By name, else by uuid. HN_ENOENT with the nearest name as hint. */
int host_unit_load(hn_host *host, const char *name, hn_unit **unit, hn_error **err);
/* By uuid alone: a unit whose name is the uuid of another does not stand in for it. */
int host_unit_load_uuid(hn_host *host, const char *uuid, hn_unit **unit, hn_error **err);
int host_unit_load_id(hn_host *host, int64_t id, hn_unit **unit, hn_error **err);
/* All, by name; a unit's views are decoded. The callback owns the unit it is given. Non-zero ends
 * the walk. */
int host_units_each(
	hn_host *host, int (*each)(void *arg, hn_unit *unit), void *arg, hn_error **err);
/* The same without views, which cost most of it: digests only. */
int host_units_each_light(
	hn_host *host, int (*each)(void *arg, hn_unit *unit), void *arg, hn_error **err);
/* Gives a record of that walk its views from the store. */
int host_unit_views(hn_host *host, hn_unit *unit, hn_error **err);
/* The same where `view` has just been resolved: a unit of which all is applied shares it. */
int host_unit_share(hn_host *host, hn_unit *unit, hn_view *view, hn_error **err);
/* A new record; the uuid is given out here unless there is one. */
int host_unit_insert(hn_host *host, const char *name, const char *uuid, hn_owner owner,
	hn_unit **unit, hn_error **err);
int host_unit_delete(hn_host *host, const hn_unit *unit, hn_error **err);
int host_secrets_forget(hn_host *host, const char *uuid, hn_error **err); /* unit-secrets.c */
/* What may change outside a plan. Inside the caller's transaction when there is one. */
int host_unit_set_status(
	hn_host *host, const hn_unit *unit, hn_unit_status status, int ready, hn_error **err);
int host_unit_set_wanted(hn_host *host, const hn_unit *unit, host_wanted wanted, hn_error **err);
int host_unit_set_undeclared(
	hn_host *host, const hn_unit *unit, bool undeclared, hn_owner owner, hn_error **err);
int host_unit_set_inconsistent(
	hn_host *host, const hn_unit *unit, bool inconsistent, hn_error **err);
/* What a define made: machine type (NULL: keep) and the digest of the values it was made from. */
int host_unit_set_defined(hn_host *host, const hn_unit *unit, const char *machine_type,
	const uint8_t digest[CRYPTO_DIGEST], hn_error **err);
int host_unit_set_vcpus(hn_host *host, const hn_unit *unit, uint32_t vcpus, hn_error **err);
/* Views of a unit in the store. `view` NULL removes. digest (may be NULL) receives that of the
 * values. */
typedef enum host_role { HOST_DESIRED, HOST_APPLIED } host_role;
int host_view_store(hn_host *host, const hn_unit *unit, host_role role, const hn_view *view,
	uint8_t digest[CRYPTO_DIGEST], hn_error **err);
int host_view_digest(const hn_view *view, uint8_t digest[CRYPTO_DIGEST], hn_error **err);
/* The view of `base`, but with the values that `other` has for keys[]: what is true of a guest that
 * waits for a restart. */
int host_view_mix(const hn_view *base, const hn_view *other, const char *const *keys, size_t count,
	hn_view **mixed, hn_error **err);
/* Stores a view as desired when it differs, with a line of history that says who and why when its
 * values do. What only explains them is stored too, also of an applied view with the same values:
 * tags, policies, where each value is from. Then `unit`, a record that nobody else holds, has the
 * views that were stored before. */
typedef enum host_desired {
	HOST_DESIRED_BEFORE, /* the same values, by the same tags and policies */
	HOST_DESIRED_TAGS,   /* only those are others */
	HOST_DESIRED_VALUES
} host_desired;
int host_desire(hn_host *host, const hn_session *session, hn_unit *unit, const hn_view *view,
	hn_error **err);
/* The oldest lines of a unit's history go when there are more than UNIT_HISTORY. */
int host_history_trim(hn_host *host, int64_t unit, hn_error **err);
/* After generations were deleted: documents that none of those left holds go too. */
int host_documents_collect(hn_host *host, hn_error **err);
/* What the machine room is given: the record with `view` (desired or applied) in it. Borrows from
 * unit and view; `hex` is a buffer that the digest text is written to. */
int host_machine_unit(hn_host *host, const hn_unit *unit, const hn_view *view, char hex[65],
	machine_unit *out, hn_error **err);

/* --- files of the host that units name (paths.c) --- */
typedef enum host_place {
	HOST_PLACE_ELSEWHERE,
	HOST_PLACE_OWN,        /* the unit's own directory, or the one for disks in the state */
	HOST_PLACE_OTHER_UNIT, /* the directory of another unit */
	HOST_PLACE_STATE,      /* what hypernix itself keeps: database, keys, sockets, logs */
	HOST_PLACE_SIGNER      /* where the signer's keys are, or its socket beside them */
} host_place;
const char *host_place_text(host_place place); /* "in the directory of another unit" */
/* Where a unit's paths may lead, and what is there: a mount gives one directory several names. */
typedef struct host_known {
	char *path; /* NULL: there is none such */
	dev_t device;
	ino_t inode;
	bool there;
} host_known;
enum {
	HOST_KNOWN_OWN,
	HOST_KNOWN_DISKS,
	HOST_KNOWN_UNITS,
	HOST_KNOWN_STATE,
	HOST_KNOWN_ROOT,
	HOST_KNOWN_SOCKET, /* the directory of the signer's */
	HOST_KNOWN_SIGNER, /* the usual places of its keys, */
	HOST_KNOWN_KEK,    /* and of what they are sealed with */
	HOST_KNOWN_COUNT
};
/* Those of one unit: found at the first path that is looked at, and kept for those after it. Zeros
 * to begin with. */
typedef struct host_places {
	host_known at[HOST_KNOWN_COUNT];
	bool found;
} host_places;
void host_places_free(host_places *all);
#define HOST_AUTO_PLACES __attribute__((cleanup(host_places_free)))
int host_path_place(hn_host *host, host_places *all, const char *uuid, const char *path,
	host_place *place, hn_error **err);
/* May the unit have the files that `view` names? Those that `before` (NULL: nothing) names for the
 * same key are not asked about. HN_EDENIED says which key names which, and where it lies. */
int host_paths_check(hn_host *host, const hn_unit *unit, const hn_view *before, const hn_view *view,
	hn_error **err);
/* The same of all that a unit that is to run names, and is there an image to boot from where it
 * wants one? HN_EMISSING. */
int host_files_check(hn_host *host, const hn_unit *unit, const hn_view *view, hn_error **err);
/* Is there an image for what is desired of it now? One that had none before (NULL: it is new) may
 * still be changed. HN_EMISSING. */
int host_image_check_edit(
	const hn_unit *unit, const hn_view *before, const hn_view *view, hn_error **err);
/* 1: another unit's desired or applied values name this file too, by whatever path; or 0. */
int host_path_is_shared(hn_host *host, const hn_unit *unit, const char *path, hn_error **err);
/* May the session give a unit the files of the host that are named? For what `before` (NULL: there
 * was nothing) names already nobody is asked. */
int host_may_attach(hn_session *session, const hn_view *before, const char *key, const char *value,
	hn_error **err);
int host_may_attach_all(
	hn_session *session, const hn_view *before, const hn_view *view, hn_error **err);

/* Appends an event about a unit; data is a JSON object or NULL. In the transaction that is open, if
 * one is. */
#define HOST_CONTRACT_FAILED "org.hypernix.compose.contract.failed.v1"
int host_event(hn_host *host, const hn_session *session, const char *type, const char *uuid,
	const char *name, const char *data, hn_error **err);

/* The same about the host itself. */
int host_event_node(hn_host *host, const hn_session *session, const char *type, const char *data,
	hn_error **err);
/* The same with texts: names and values by turns, then NULL. */
int host_event_pairs(hn_host *host, const hn_session *session, const char *type,
	const char *const *pairs, hn_error **err);
/* An admission by a token, in the metrics. */
void host_count_check(const hn_session *session, int code, int64_t took); /* ns */

/* --- runtime input of units: tags, policies, definitions that are not in the declaration
 * (inputs.c) --- */
typedef struct host_inputs host_inputs;
/* Of all units, or of one (unit != 0). What has expired is left out; *expires (may be NULL) is when
 * the next will. */
int host_inputs_load(
	hn_host *host, int64_t unit, host_inputs **inputs, int64_t *expires, hn_error **err);
void host_inputs_free(host_inputs *inputs);
BASE_AUTO(host_inputs, host_inputs_free)
/* The input of one unit; NULL when it has none. Owned by `inputs`. */
const hn_unit_input *host_inputs_get(const host_inputs *inputs, int64_t unit);
int host_define(hn_host *host, const hn_session *session, const hn_unit *unit,
	const hn_definition *definition, int64_t expires, hn_error **err);
int host_undefine(hn_host *host, const hn_unit *unit, hn_layer layer, const char *key,
	hn_error **err); /* HN_ENOENT */
/* Gives a resolver what all units (api ones too) have at run time. */
int host_resolver_fill(hn_host *host, const hn_catalog *catalog, hn_resolver *resolver,
	int64_t *expires, hn_error **err);
/* And what the images bring that these boot from, as they are on record now. */
int host_resolver_images(hn_host *host, hn_resolver *resolver, hn_error **err);
/* After rows of one unit changed inside a transaction: the cached resolver follows. Call
 * host_resolver_forget when it rolls back. */
int host_resolver_refresh(hn_host *host, const hn_unit *unit, hn_error **err);
void host_resolver_forget(hn_host *host);

/* --- one change of what is desired of a unit (edit.c): begin, admit and change rows, end --- */
typedef struct host_edit {
	hn_session *session;
	hn_host *host;
	hn_unit *unit; /* NULL until it is known */
	bool inserted; /* made by this edit */
	hn_verb verb;  /* whose bounds the values that come out must keep; UNIT_READ: unit.update;
			  COUNT: of none */
} host_edit;
/* Opens the transaction and loads the unit; `missing_ok`: a unit that does not exist leaves
 * edit->unit NULL. */
int host_edit_begin(
	hn_session *session, const char *name, bool missing_ok, host_edit *edit, hn_error **err);
/* rc >= 0: resolves the unit anew (a conflict refuses the edit), stores what is desired, sends the
 * event, commits. Else rolls back. Returns the result. */
int host_edit_end(host_edit *edit, int rc, const char *event, hn_error **err);
/* Forces and runtime tags whose time is over are removed, and what they changed is resolved anew.
 */
int host_expire(hn_session *session, hn_error **err);

/* --- generations (generation.c) --- */
/* Stores a declaration as a generation that is only planned; documents of the other owner are
 * carried over. */
int host_generation_put(hn_host *host, const hn_session *session, hn_decl *const *decls,
	size_t count, hn_owner owner, uint64_t *number, hn_error **err);
int host_generation_current(hn_host *host, uint64_t *number, hn_error **err);
/* HN_ENOENT when there is none of that number, or none that was ever applied. */
int host_generation_find(hn_host *host, uint64_t number, bool applied, hn_error **err);
int host_generation_load(hn_host *host, uint64_t number, hn_catalog **catalog, hn_error **err);
/* The catalogue that `decls` give together with what the other owner has declared. */
int host_catalog_with(hn_host *host, hn_decl *const *decls, size_t count, hn_owner owner,
	hn_catalog **catalog, hn_error **err);
int host_generation_flip(hn_host *host, uint64_t number, uint32_t units,
	hn_error **err); /* makes it the current one */
/* Do two generations say the same? 1 yes. */
int host_generation_same(hn_host *host, uint64_t left, uint64_t right, hn_error **err);
/* Who declares which unit of a generation. */
typedef struct host_owners {
	hn_owner common;
	base_map *nix; /* names, when both owners declare; else NULL and `common` holds for all */
} host_owners;
int host_owners_load(hn_host *host, uint64_t number, host_owners *owners, hn_error **err);
void host_owners_free(host_owners *owners);
hn_owner host_owner_of(const host_owners *owners, const char *unit);

/* --- acting on one unit (act.c): what plans and hn_unit_start/stop/restart share. The permit is
 * for UNIT_START, UNIT_STOP ... on that unit. Each records what became true (status, wanted,
 * applied view) and sends the event. --- */
/* Redefines when the desired values are not what the definition was made from, starts, records the
 * boot, and makes desired the applied view: pending values are taken. 1 when it already ran. */
int host_act_start(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_start_options *options, hn_error **err);
bool host_window_open(
	const char *window, int64_t now); /* window.c: is update.window open at wall ns `now`? */
bool host_window_has_zone(const char *window); /* one that is not UTC: it never opens */
/* The same with other values than the desired ones: for going back. */
int host_act_start_with(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_view *view, const hn_start_options *options, hn_error **err);
/* Could a guest come up with these values, as far as can be told without one? */
int host_act_check(
	hn_host *host, machine *m, const hn_unit *unit, const hn_view *view, hn_error **err);
/* Defines or redefines from a view, and remembers what the definition was made from. */
int host_act_define(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_view *view, hn_error **err);
bool host_status_runs(
	hn_unit_status status); /* running, paused, starting, stopping: there is a guest */
/* What to call a unit that was seen like this: of one that is off the record knows more. */
hn_unit_status host_status_known(const hn_unit *unit, hn_unit_status seen);
/* grace 0: the unit's stop.grace. */
int host_act_stop(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_stop_options *options, hn_stop_result *result, hn_error **err);
/* The same for a stop that is no wish: RUNNING on the way of a restart, UNSET when the unit is no
 * longer declared and may come back. */
int host_act_stop_to(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_stop_options *options, host_wanted wanted, hn_error **err);
/* Ends a guest, if there is one, and takes its domain away; the permits may be one. */
int host_act_undefine(hn_host *host, const host_permit *stop, const host_permit *undefine,
	const char *uuid, hn_error **err);

/* --- written beside: boot-record.c; admission and auto vCPUs are in host/capacity.h --- */
/* Stores the phases of one boot (the last 16 of a unit are kept) and sends boot.missed when the
 * goal was missed. */
int host_boot_store(
	hn_host *host, const hn_unit *unit, const machine_boot *boot, int64_t goal, hn_error **err);

/* --- the store (store.c) --- */
int host_store_open(hn_host *host, hn_error **err);
extern const state_schema host_schema[]; /* schema.c: everything else */
extern const size_t host_schema_count;
extern const state_schema
	host_runtime_schema[]; /* schema-runtime.c: tables of calibration, boots and restarts */
extern const size_t host_runtime_schema_count;
/* A number that every change of what is desired, applied or declared raises; to notice other
 * processes' changes. */
int host_revision(hn_host *host, uint64_t *revision, hn_error **err);
int host_touch(hn_host *host, hn_error **err); /* raises it; inside a transaction */
int host_number(hn_host *host, const char *sql, uint64_t *number,
	hn_error **err); /* first column of the first row, else 0 */
/* Keeps a body once by its BLAKE2b-256; gives the row. */
typedef enum host_bodies { HOST_VIEWS, HOST_DOCUMENTS } host_bodies;
int host_body_put(hn_host *host, host_bodies table, const void *bytes, size_t size,
	uint8_t digest[CRYPTO_DIGEST], int64_t *id, hn_error **err);
void host_bind_digest(
	state_query *query, int position, const uint8_t digest[CRYPTO_DIGEST]); /* all zero: null */
void host_read_digest(
	state_query *query, int column, uint8_t digest[CRYPTO_DIGEST]); /* null: all zero */
/* One transaction around `body`: begin, body, commit; rolled back when body fails. */
int host_transaction(
	hn_host *host, int (*body)(void *arg, hn_error **err), void *arg, hn_error **err);

#endif
