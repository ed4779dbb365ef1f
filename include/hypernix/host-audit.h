/* SPDX-License-Identifier: MIT
 *
 * The audit log: who did what by which right, in a tree of hashes that shows every later change.
 * Its formats are in hypernix-audit(5).
 */
#ifndef HYPERNIX_HOST_AUDIT_H
#define HYPERNIX_HOST_AUDIT_H

#include <hypernix/host-session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How far the audit log goes. */
typedef struct hn_audit_facts {
	uint32_t size;
	uint64_t records;     /* in the tree, those that were pruned included */
	uint64_t first;       /* number of the first record that is kept */
	uint64_t checkpoints; /* that were signed */
	uint64_t sealed;      /* records under the last one */
	char origin[256];     /* name of the log, as its checkpoints have it; "" before the first */
	uint64_t witnesses;   /* of the trust bundle that have cosigned the last one */
} hn_audit_facts;
#define HN_AUDIT_FACTS_INIT                                                                        \
	{                                                                                          \
		.size = sizeof(hn_audit_facts)                                                     \
	}

/** What the log is verified against, besides itself. */
typedef struct hn_audit_verify_options {
	uint32_t size;
	const char *key;       /* as hn_audit_key gave it; NULL = the keys that the log names */
	const char *first_mac; /* as hn_audit_first_mac gave it; NULL = MACs are not computed */
} hn_audit_verify_options;
#define HN_AUDIT_VERIFY_OPTIONS_INIT                                                               \
	{                                                                                          \
		.size = sizeof(hn_audit_verify_options)                                            \
	}

/**
 * Tells how far the audit log goes.
 *
 * @param session  needs audit.read on node/<name>
 * @param facts  start from HN_AUDIT_FACTS_INIT; receives them
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL without a place for the facts; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ECORRUPT;
 * HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_audit_get_facts(hn_session *session, hn_audit_facts *facts, hn_error **err);

/**
 * Keeps what a witness has answered: its cosignature of a checkpoint of this log.
 *
 * @param session  needs audit.read on node/<name>
 * @param size  records under that checkpoint
 * @param line  the signature line, with its newline; borrowed
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX; HN_ENOENT when there is no such checkpoint; HN_EDENIED also when it is by no
 * witness of the trust bundle; HN_ECORRUPT when something else was signed; HN_EINVAL; HN_ESESSION;
 * HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: C2SP tlog-cosignature
 */
HN_API int hn_audit_cosign(hn_session *session, uint64_t size, const char *line, hn_error **err);

/**
 * Compares a note of this log that somebody else has with what is here. When they disagree the log
 * is frozen: nothing is changed on this host any more, and org.hypernix.audit.fork.v1 is raised.
 *
 * @param session  needs audit.read on node/<name>
 * @param note  a checkpoint that a key of this log has signed; borrowed
 * @param err  set on failure; may be NULL
 * @return 0 when they agree, or a negative hn_code
 * Errors: HN_EAUDITFORK when they do not; HN_ESYNTAX; HN_EDENIED also when no key of this log has
 * signed it; HN_EINVAL; HN_ESESSION; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 6962 section 2.1; C2SP tlog-checkpoint
 */
HN_API int hn_audit_compare(hn_session *session, const char *note, hn_error **err);

/**
 * Says whether calls that are sealed first (verbs with flag S) wait for witnesses: at most 5
 * seconds for as many as the trust bundle asks for, at least one. They do not, until it is turned
 * on.
 *
 * @param session  needs node.role on node/<name>, and a reason
 * @param required  true: without witnesses such calls are refused with HN_EAUDIT
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EREASON; HN_EINVAL when the trust bundle names no witness; HN_ESESSION; HN_EDENIED;
 * HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_audit_require_witness(hn_session *session, bool required, hn_error **err);

/**
 * Reads records of the audit log.
 *
 * @param session  needs audit.read on node/<name>
 * @param from  number of the first record; one that was pruned: from the first that is kept on
 * @param limit  records at most, 1 to 4096
 * @param json  receives a JSON array of objects: number, time, boundMs (how far the clock may have
 * been off), bootMs, node, kind, and as far as there are verb, object, subject, cti, chain, kid,
 * rule, validUntil, tzdata, request, refers, code, count, reason, trace, session, uid, loginUid,
 * pid, process, secret (an object: operation, name, version), note, details; a text that was erased
 * is null; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL; HN_ERANGE for a limit outside of its range; HN_ECORRUPT when a record cannot
 * be read; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_audit_tail(
	hn_session *session, uint64_t from, uint32_t limit, char **json, hn_error **err);

/**
 * Waits until there is a record of this number.
 *
 * @param session  needs audit.read on node/<name>
 * @param from  number of the record
 * @param timeout  ns; negative = no end
 * @param cancel  ends the waiting; may be NULL
 * @param err  set on failure; may be NULL
 * @return 1 when it is there, 0 when the time is over, or a negative hn_code
 * Errors: HN_ECANCELLED; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session; cancel from any
 * Blocks: yes, up to the timeout
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_audit_wait(
	hn_session *session, uint64_t from, int64_t timeout, hn_cancel *cancel, hn_error **err);

/**
 * Compares the audit log with what its signer sealed, without reading all of it: that it is as long
 * at least, has the same root there, and as many checkpoints. hn_audit_verify reads all of it.
 *
 * @param session  needs audit.read on node/<name>
 * @param err  set on failure; may be NULL
 * @return 0 when it fits, or nothing was sealed yet; or a negative hn_code
 * Errors: HN_EAUDITFORK when this is not the log that was sealed, or what the signer knows of it is
 * gone or older; HN_ECORRUPT when checkpoints are missing; HN_ESIGNER when the signer does not
 * answer; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 6962 section 2.1
 */
HN_API int hn_audit_compare_signer(hn_session *session, hn_error **err);

/**
 * Verifies the audit log as it is at one moment: every record, tile, checkpoint and text, the tree,
 * its head, that it goes on from what the signer sealed last, and that its checkpoints are those,
 * all and no others, that the signer made. A text may be missing only where a record says that it
 * was erased, a record only where one says that it was pruned. What was revoked on record and has
 * not ended must be kept as revoked.
 *
 * @param session  needs audit.read on node/<name>
 * @param options  what to verify it against; NULL for none
 * @param facts  start from HN_AUDIT_FACTS_INIT; receives how far the log goes; may be NULL
 * @param err  set on failure, with the fact "record" where a record can be named; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ECORRUPT when something was changed or is missing; HN_EAUDITFORK when this is not the
 * log that was sealed, or what the signer knows of it is gone; HN_EKEY when a key of the options is
 * not one; HN_ESIGNER; HN_ENEWER; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, as long as the log is; about 10 us a record
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 6962 section 2.1
 */
HN_API int hn_audit_verify(hn_session *session, const hn_audit_verify_options *options,
	hn_audit_facts *facts, hn_error **err);

/**
 * Seals the audit log and gives its last checkpoint. That is no change of what is recorded: any
 * reader may have it signed, and the signer signs only what goes on from what it signed before.
 *
 * @param session  needs audit.read on node/<name>
 * @param note  receives a signed note: name of the log, number of records, root; release it with
 * hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when the log is empty; HN_ESIGNER when the signer does not answer;
 * HN_EAUDITFORK, also when the signer knows of less than was sealed; HN_EAUDIT; HN_ESESSION;
 * HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 * Source: C2SP tlog-checkpoint
 */
HN_API int hn_audit_checkpoint(hn_session *session, char **note, hn_error **err);

/**
 * Proves that a record is in the audit log; one that is under no checkpoint yet is sealed first.
 *
 * @param session  needs audit.read on node/<name>
 * @param number  of the record
 * @param proof  receives a text that hn_audit_check_proof and others can check without this host;
 * release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such record, or it was pruned; HN_ESIGNER when it is not under
 * a checkpoint yet and the signer does not answer; HN_EAUDITFORK; HN_EAUDIT; HN_ESESSION;
 * HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 * Source: C2SP tlog-proof; RFC 6962 section 2.1.1
 */
HN_API int hn_audit_prove(hn_session *session, uint64_t number, char **proof, hn_error **err);

/**
 * Checks a proof, without a host.
 *
 * @param proof  its text
 * @param key  of the log, as hn_audit_key gave it
 * @param json  receives the record as hn_audit_tail has it, but the references of texts in place of
 * these; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 when it holds, or a negative hn_code
 * Errors: HN_EINVAL; HN_ESYNTAX when it is not a proof; HN_ELIMIT when it is too long; HN_EKEY when
 * the key is not one; HN_ECORRUPT when it does not hold; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 * Source: C2SP tlog-proof; RFC 6962 section 2.1.1
 */
HN_API int hn_audit_check_proof(const char *proof, const char *key, char **json, hn_error **err);

/**
 * Gives the key with which checkpoints are verified.
 *
 * @param session  needs audit.read on node/<name>
 * @param key  receives "<log>+<key id>+<base64>"; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESIGNER when the signer does not answer; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 * Source: C2SP signed-note
 */
HN_API int hn_audit_key(hn_session *session, char **key, hn_error **err);

/**
 * Takes the first MAC key off this host: who has it can tell every checkpoint from one that was
 * made later by whoever took the host over. It is given once.
 *
 * @param session  needs audit.export on node/<name>
 * @param key  receives 64 hexadecimal digits; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when it was taken before; HN_ESIGNER; HN_ESESSION; HN_EDENIED; HN_EAUDIT;
 * HN_EAUDITFORK; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_audit_first_mac(hn_session *session, char **key, hn_error **err);

/**
 * Writes the audit log up to its last checkpoint as files that others can check.
 *
 * The file `checkpoint` is written last: a directory without it is not whole.
 *
 * @param session  needs audit.export on node/<name>
 * @param directory  absolute; made when missing; what an earlier export wrote is overwritten
 * @param progress  told in "records"; may be NULL
 * @param arg  handed to progress
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when the directory is not absolute; HN_ENOENT when the log is empty;
 * HN_ECORRUPT when records are missing; HN_ENOSPC; HN_ESIGNER; HN_ESESSION, also when it ends while
 * files are written; HN_EBUSY when whether it has ended cannot be told for seconds; HN_EDENIED;
 * HN_EAUDIT; HN_EAUDITFORK; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 * Source: C2SP tlog-tiles
 */
HN_API int hn_audit_export(hn_session *session, const char *directory, hn_progress_fn progress,
	void *arg, hn_error **err);

/**
 * Removes old records of the audit log, in steps of 256. Their hashes stay, so the tree and every
 * proof still hold; that it was done is on record.
 *
 * @param session  needs audit.prune on node/<name>, which takes a quorum
 * @param before  records older than this go; seconds since 1970, at least 90 days ago
 * @param first  receives the number of the first record that is kept
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ERANGE within 90 days; HN_EINVAL; HN_ESIGNER; HN_ESESSION; HN_EDENIED; HN_EAPPROVAL;
 * HN_EAUDIT; HN_EAUDITFORK; HN_EIO; HN_ENOSPC; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_audit_prune(hn_session *session, int64_t before, uint64_t *first, hn_error **err);

/**
 * Erases what the audit log says in words about one subject: its name, reasons and processes. The
 * records stay, and every proof still holds; that it was done is on record.
 *
 * @param session  needs audit.prune on node/<name>, which takes a quorum
 * @param subject  as hn_audit_tail shows it
 * @param count  receives how many texts went
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL; HN_ESIGNER; HN_ESESSION; HN_EDENIED; HN_EAPPROVAL; HN_EAUDIT; HN_EAUDITFORK;
 * HN_EIO; HN_ENOSPC; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_audit_erase(
	hn_session *session, const char *subject, uint64_t *count, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
