/* SPDX-License-Identifier: MIT
 *
 * The signer's socket: a frame is its length in four bytes, big-endian, and so much CBOR.
 *
 *	request = [1, id, op, [argument...]]      answer = [1, id, 0, [result...]]
 *	                                          refusal = [1, id, code, [message, hint, size]]
 *
 *	1 status  []                                  7 rotate     [role, seconds] -> [public key]
 *	2 issue   [claims] -> [kid, signature]        8 first MAC  [] -> [] with a memfd
 *	3 seal    [from, [leaf...]] -> [size, root, mac, note]
 *	4 cosign  [old size, [node...], note] -> [line]
 *	5 node    [context, hash] -> [signature]
 *	6 secret  [0, table, column, row, version, plain] -> [record]
 *	          [1, table, column, row, version, record], [2, box] -> [] with a memfd
 *
 * Secrets that leave are in a sealed memfd, never in a frame.
 */
#ifndef CAPS_SIGNER_WIRE_H
#define CAPS_SIGNER_WIRE_H

#include "caps/signer-private.h"
#include "caps/token.h"

enum { SIGNER_FRAME = 65536, SIGNER_HEAD = 4, SIGNER_VERSION = 1, SIGNER_TEXT = 255 };

typedef enum signer_operation {
	SIGNER_STATUS = 1,
	SIGNER_ISSUE = 2,
	SIGNER_SEAL = 3,
	SIGNER_COSIGN = 4,
	SIGNER_NODE = 5,
	SIGNER_SECRET = 6,
	SIGNER_ROTATE = 7,
	SIGNER_FIRST_MAC = 8
} signer_operation;
typedef enum signer_secret_kind {
	SIGNER_RECORD_SEAL = 0,
	SIGNER_RECORD_OPEN = 1,
	SIGNER_BOX_OPEN = 2
} signer_secret_kind;

/* Asks the signer what a frame (without its length) asks, and writes the answer frame, with its
 * length. `secret` goes beside it when it is set. HN_ECBOR: a hostile frame; there is no answer and
 * the connection is to be closed. */
int signer_answer(crypto_signer *signer, const uint8_t *frame, size_t size, base_buf *answer,
	crypto_secret **secret, hn_error **err);

/* Room for the length in front of what follows, and the length put there. */
void signer_frame_begin(codec_cbor_out *out);
void signer_frame_end(codec_cbor_out *out, size_t more); /* bytes that come behind */

/* Sockets (signer-socket.c). Everything waits at most `timeout` ns. */
int signer_listen(const char *path, int *fd, hn_error **err);
int signer_accept(int listening, int *fd, hn_error **err); /* 1; 0 when nobody is there */
int signer_send(int fd, crypto_bytes frame, crypto_bytes rest, const crypto_secret *secret,
	int64_t timeout, hn_error **err);
/* The frame without its length; the memfd that came with it, or none. */
int signer_receive(hn_os *os, int fd, int64_t timeout, base_buf *frame, crypto_secret **secret,
	hn_error **err);

/* What a trust bundle in a file says of this signer (signer-trust.c); the file may be replaced by a
 * later version at any time. It is read when it is first followed. */
typedef struct signer_trust signer_trust;
int signer_trust_open(hn_os *os, const char *path, signer_trust **trust, hn_error **err);
void signer_trust_close(signer_trust *trust);
/* Looks at the file; the two below are by the bundle that this names, and are asked only after it
 * gave one. HN_EBUNDLE when there has been none yet that can be taken. */
int signer_trust_follow(
	void *trust, uint64_t *version, uint8_t digest[CRYPTO_DIGEST], hn_error **err);
/* Of what that gave nothing is kept: the next one need not be vouched for by it. */
void signer_trust_forget(void *trust);
BASE_AUTO(signer_trust, signer_trust_close)
int signer_trust_check(void *trust, const uint8_t issuer[CRYPTO_PUBLIC], const void *claims,
	size_t size, int64_t now, uint32_t *epoch, hn_error **err);
int signer_trust_log_key(
	void *trust, const char *origin, size_t size, uint8_t key[CRYPTO_PUBLIC], hn_error **err);
/* Strict claims, issued within a minute of now: what both checks begin with. */
int signer_claims_read(
	const void *bytes, size_t size, int64_t now, caps_token *claims, hn_error **err);

#endif
