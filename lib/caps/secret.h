/* SPDX-License-Identifier: MIT
 *
 * Secrets of units, sealed in the database by the signer's record key (caps.md section 9).
 */
#ifndef CAPS_SECRET_H
#define CAPS_SECRET_H

#include "caps/store.h"
#include "crypto/signer.h"

#define CAPS_SECRET_NAME 63
#define CAPS_SECRET_OWNER 16 /* the unit's uuid */

/* Names as base_name_valid has them: HN_EINVAL. */
int caps_secret_check_name(const char *name, hn_error **err);
/* The body is bound to its row, its version, the unit and the
 * name: it opens nowhere else. */
int caps_secret_put(caps_store *store, crypto_signer *signer,
	const uint8_t owner[CAPS_SECRET_OWNER], const char *name, crypto_bytes plain, int64_t now,
	hn_error **err);
/* Which bytes a call puts there, for who approves it: the same for the same bytes in place of the
 * same version by the same asker, and to be made only with the node's key, so that nobody else can
 * try guesses. Another asker's says nothing about it. */
typedef struct caps_secret_call {
	const uint8_t *owner;
	const char *name;
	int64_t version;
	caps_view asker; /* a link of a token, or a subject */
} caps_secret_call;
int caps_secret_digest(crypto_signer *signer, const caps_secret_call *call, crypto_bytes plain,
	uint8_t digest[CRYPTO_DIGEST], hn_error **err);
typedef struct caps_secret_mark {
	int64_t version, made; /* made: seconds since 1970 */
} caps_secret_mark;
/* mark may be NULL. HN_ENOENT; HN_ECRYPT when the row was changed by another hand. */
int caps_secret_get(caps_store *store, crypto_signer *signer,
	const uint8_t owner[CAPS_SECRET_OWNER], const char *name, crypto_secret **plain,
	caps_secret_mark *mark, hn_error **err);
/* 1, or 0; nothing is opened. */
int caps_secret_there(state_store *state, const uint8_t owner[CAPS_SECRET_OWNER], const char *name,
	hn_error **err);
int caps_secret_remove(caps_store *store, const uint8_t owner[CAPS_SECRET_OWNER], const char *name,
	hn_error **err); /* HN_ENOENT */
/* All of a unit that is no more. */
int caps_secret_forget(state_store *state, const uint8_t owner[CAPS_SECRET_OWNER], hn_error **err);
int caps_secret_each(caps_store *store, const uint8_t owner[CAPS_SECRET_OWNER],
	int (*each)(void *arg, const char *name, int64_t version, int64_t made), void *arg,
	hn_error **err);

#endif
