/* SPDX-License-Identifier: MIT
 *
 * The signer: a process of its own that holds a node's keys and signs only what it understood.
 */
#ifndef HYPERNIX_CAPS_SIGNER_H
#define HYPERNIX_CAPS_SIGNER_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a signer serves, and to whom. */
typedef struct hn_signer_options {
	uint32_t size;
	const char *socket; /* path of its Unix socket, mode 0660; a left-over one is replaced */
	const char *keys;   /* directory of the keys, 0700; made with its keys when missing */
	const char *origin; /* name of the audit log that it seals; NULL: the one it had */
	const char *trust;  /* file of the trust bundle; NULL: none */
	/* From here the 32 bytes of the key that wraps the others are read; -1: they are in the
	 * file kek among the keys, which protects only copies of the key files. */
	int credential;
	int64_t client; /* user id that it serves beside root and its own; -1: none */
	bool confine;   /* shut the process into the sandbox for signers, all of it */
} hn_signer_options;
#define HN_SIGNER_OPTIONS_INIT                                                                     \
	{                                                                                          \
		.size = sizeof(hn_signer_options), .credential = -1, .client = -1                  \
	}

/**
 * Serves a node's keys on a Unix socket until it is cancelled.
 *
 * It signs the claims of tokens within the trust bundle, heads of the audit log that go on from the
 * last one, checkpoints of other logs that do, and the node's votes; it seals and opens records of
 * secrets, which leave in sealed memfds, and makes new keys. What a signature depends on is durable
 * before the answer, so that one that is killed goes on where it was. A peer that is not served and
 * one that sends what is no frame are disconnected. Without a trust bundle it issues tokens of at
 * most 30 days and cosigns nothing; by one that is missing, cannot be read or is older than the one
 * before it does neither, and logs why.
 *
 * @param options  copied; socket and keys must be set
 * @param cancel  ends the service within a second; NULL: it goes on for ever
 * @param err  set on failure; may be NULL
 * @return 0 once it was cancelled, or a negative hn_code
 * Errors: HN_EINVAL when socket or keys is missing; HN_ENEWER when options are set that this
 *     library does not know; HN_EPATHLEN when the socket's path is too long; HN_EBUSY when another
 *     signer listens there or holds the keys; HN_EKEY when the directory or a file in it is open
 *     to others or not whole, or the key that wraps the others is missing or has another size;
 *     HN_ECRYPT when it is not the one; HN_EAUDITFORK when the signer's state is gone or belongs
 *     to another log; HN_ECORRUPT when it cannot be read; HN_ELIMIT for more than 64 key files;
 *     HN_ESANDBOX when the sandbox is not complete; HN_EDENIED, HN_ENOSPC, HN_EIO from the file
 *     system; HN_ENOMEM
 * Threads: any; one service a directory of keys; with confine, the only thread of the process
 * Blocks: yes, until it is cancelled
 * Allocates: yes; keys are in locked memory that is left out of core dumps
 * Since: 0.1
 * Source: RFC 8032; RFC 6962 section 2.1; C2SP tlog-checkpoint, tlog-cosignature
 */
HN_API int hn_signer_serve(const hn_signer_options *options, hn_cancel *cancel, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
