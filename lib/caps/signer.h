/* SPDX-License-Identifier: MIT
 *
 * The signer: the keys of a node and what they sign, in this process or behind a Unix socket
 * (caps.md section 9). The table of what it does is crypto/signer.h.
 */
#ifndef CAPS_SIGNER_H
#define CAPS_SIGNER_H

#include "caps/caps-private.h"

/* What the signer asks about claims before it signs them: read strictly, within the ceiling of
 * this issuer key, at `now` (seconds). Gives the issuer's epoch. HN_ENOENT when the key is not
 * (yet) trusted: then an older key that goes on beside it is asked for. */
typedef int (*caps_signer_check)(void *arg, const uint8_t issuer[CRYPTO_PUBLIC], const void *claims,
	size_t size, int64_t now, uint32_t *epoch, hn_error **err);
/* The key of another log, whose checkpoints may be cosigned. HN_ENOENT when unknown. */
typedef int (*caps_signer_log_key)(
	void *arg, const char *origin, size_t size, uint8_t key[CRYPTO_PUBLIC], hn_error **err);
/* The trust bundle by which the two above decide until this is asked again: its version and the
 * digest of its payload. HN_EBUNDLE when there is none: then they are not asked. */
typedef int (*caps_signer_bundle)(
	void *arg, uint64_t *version, uint8_t digest[CRYPTO_DIGEST], hn_error **err);

typedef struct caps_signer_options {
	hn_os *os;
	const char *directory;       /* of the keys, made when missing (0700) */
	const crypto_secret *kek;    /* wraps the keys; NULL: the file `kek` in the directory */
	const char *origin;          /* of our log; NULL: as it was */
	caps_signer_check check;     /* NULL: claims are strict, live at most 30 days, epoch 1 */
	caps_signer_log_key log_key; /* NULL: nothing is cosigned */
	caps_signer_bundle
		bundle; /* NULL: none; by one older than the state knows nothing is signed */
	void (*bundle_refused)(void *arg); /* it is not to be gone on from; NULL with bundle NULL */
	void *arg;
} caps_signer_options;

/* The chain of checkpoints goes on by one: BLAKE2b-256 of the chain so far, size (8 bytes,
 * big-endian), root and MAC. It begins with zeros. */
void caps_signer_chain(uint8_t chain[CRYPTO_DIGEST], uint64_t size,
	const uint8_t root[CRYPTO_DIGEST], const uint8_t mac[CRYPTO_DIGEST]);

/* In this process. Makes what keys are missing at the first time. HN_EBUSY when another process
 * holds the directory for seconds. */
int caps_signer_open(const caps_signer_options *options, crypto_signer **signer, hn_error **err);

/* hv-signer behind its socket; it connects when it is first asked, and again after a loss. */
int caps_signer_connect(hn_os *os, const char *socket, crypto_signer **signer, hn_error **err);

#endif
