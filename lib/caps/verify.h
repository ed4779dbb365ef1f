/* SPDX-License-Identifier: MIT
 *
 * From bytes to a token that may be believed: caps.md section 6, V1 to V9, with the cache of
 * verified links.
 */
#ifndef CAPS_VERIFY_H
#define CAPS_VERIFY_H

#include "caps/token.h"
#include "caps/trust.h"

/* Links whose signature was checked under one version of the trust bundle: 16,384 of them, keyed
 * digests, four ways. Never holds decisions, never a failure. One a host; thread-safe. */
typedef struct caps_cache caps_cache;
int caps_cache_new(hn_os *os, caps_cache **cache, hn_error **err);
void caps_cache_free(caps_cache *cache);
void caps_cache_drop(caps_cache *cache); /* all of it: another bundle, lost contact */
BASE_AUTO(caps_cache, caps_cache_free)

typedef struct caps_presented {   /* with what, and to whom, a token is shown */
	const char *audience;     /* this cluster */
	int64_t earliest, latest; /* now, seconds since 1970 */
	const caps_use *expected; /* what the proof must be over; NULL: bearer and sealed only */
	bool stored; /* a token from a file of its holder: no proof is asked (inspect, verify) */
} caps_presented;
#define CAPS_BEARER_SECONDS 900 /* what needs no proof of possession lives so long at most */
#define CAPS_PROOF_SECONDS 30   /* so old is a proof of possession at most */
/* HN_ETOKEN with one text whatever was wrong; `reason` is for the audit record. cache may be NULL.
 */
int caps_verify(const caps_token *token, const caps_bundle *bundle, caps_cache *cache,
	const caps_presented *how, const char **reason, hn_error **err);

#endif
