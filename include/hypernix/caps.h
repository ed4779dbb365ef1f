/* SPDX-License-Identifier: MIT
 *
 * Capability tokens and trust bundles by themselves: looked at, narrowed, proved and verified
 * without a host. Issuing, revoking and sessions are in host-caps.h and host-session.h.
 */
#ifndef HYPERNIX_CAPS_H
#define HYPERNIX_CAPS_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** With which key, when and for whom a token is narrowed, proved or verified. */
typedef struct hn_cap_options {
	uint32_t size;
	const char *key; /* file of the holder's key; NULL = the secret inside a bearer token */
	const char *passphrase; /* of that file; NULL = it is wrapped by the file kek beside it */
	const char *audience;   /* the cluster that must be meant; NULL = that of the bundle */
	int64_t now;            /* seconds since 1970; 0 = by the clock of this machine */
} hn_cap_options;
#define HN_CAP_OPTIONS_INIT                                                                        \
	{                                                                                          \
		.size = sizeof(hn_cap_options)                                                     \
	}

/** For what a token is to be used: what a proof of possession is over. */
typedef struct hn_cap_use {
	uint32_t size;
	const char *nonce;   /* 32 hexadecimal digits, from hn_session_challenge */
	const char *verb;    /* such as "cap.issue"; NULL = to open a session */
	const char *object;  /* such as "node/a"; NULL = none */
	const char *request; /* SHA-256 of the request, 64 hexadecimal digits; NULL = zeros */
	const char *channel; /* "process" (NULL), "tls", "unix", "vsock", "mesh" */
	const char *binding; /* hexadecimal, at most 64 bytes; NULL = none */
} hn_cap_use;
#define HN_CAP_USE_INIT                                                                            \
	{                                                                                          \
		.size = sizeof(hn_cap_use)                                                         \
	}

/**
 * Gives the name of a verb by its number, which is its bit in a capability.
 *
 * @param index  from 0
 * @return the name, such as "unit.read"; static; NULL past the last
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_verb_name(size_t index);

/**
 * Makes the terms of a capability from a template, such as those of
 * /etc/hypernix/capabilities.json.
 *
 * @param templates  JSON: hypernixCapabilities, cluster, templates, trust, trustBundle; borrowed
 * @param name  of the template; borrowed
 * @param subject  whom it is for; NULL: the one that the template names
 * @param ttl  such as "8h", at most that of the template, or NULL for that
 * @param terms  receives JSON for hn_cap_issue; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT when there is no such template; HN_EWIDEN for a longer ttl or another subject;
 * HN_EINVAL for NULL, or when nobody says whom it is for; HN_ESYNTAX, HN_ESCHEMA, HN_ERANGE with
 * line and column; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_cap_fill(const char *templates, const char *name, const char *subject,
	const char *ttl, char **terms, hn_error **err);

/**
 * Shows what a token says; whether it may be believed is for hn_cap_verify.
 *
 * @param token  "hvc1." and base64url; borrowed
 * @param json  receives a JSON object with the terms of each link, never a secret; release it with
 * hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ETOKEN when it is no token, with the fact "reason"; HN_EINVAL for NULL; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 * Source: hypernix-capability(5)
 */
HN_API int hn_cap_inspect(const char *token, char **json, hn_error **err);

/**
 * Makes a narrower token from one, without any server: a link is added that its holder signs.
 *
 * @param token  "hvc1." and base64url, not sealed; borrowed
 * @param terms  JSON: what the new token may be used for, as in hypernix-capability(5); borrowed
 * @param holder  public key of who may use and narrow the new token, 64 hexadecimal digits; NULL: a
 * bearer token, which lives at most 15 minutes
 * @param options  key, passphrase, now; NULL for none
 * @param narrower  receives the new token; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EWIDEN when the terms name verbs, objects or a time that the token does not give, with
 * the difference; HN_ETOKEN when it is no token; HN_ESYNTAX, HN_ESCHEMA, HN_ERANGE, HN_EEXCLUSIVE
 * with line and column of the terms; HN_EKEY, HN_ECRYPT when the key is not usable; HN_EINVAL when
 * the key is not the token's, the token is sealed, or holder is no public key; HN_ELIMIT for more
 * links or bytes than a token has; HN_ENEWER; HN_EIO; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk when there is a key file
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 9052, RFC 8392, RFC 8747; hypernix-capability(5)
 */
HN_API int hn_cap_attenuate(const char *token, const char *terms, const char *holder,
	const hn_cap_options *options, char **narrower, hn_error **err);

/**
 * Seals a token: nobody can narrow it any more. As anybody who sees it can use it, it lives at most
 * 15 minutes.
 *
 * @param token  "hvc1." and base64url; borrowed
 * @param options  key and passphrase; NULL for none
 * @param sealed  receives the token; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ETOKEN when it is no token; HN_EKEY, HN_ECRYPT when the key is not usable; HN_EINVAL
 * when the key is not the token's or it is sealed already; HN_ELIMIT; HN_ENEWER; HN_EIO; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk when there is a key file
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_cap_seal(
	const char *token, const hn_cap_options *options, char **sealed, hn_error **err);

/**
 * Proves that one has the key of a token, for one use of it.
 *
 * @param token  "hvc1." and base64url; borrowed
 * @param use  what for; its nonce is that of the host
 * @param options  key, passphrase, now; NULL for none
 * @param proven  receives the token with the proof inside, good for 30 seconds and once; release it
 * with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ETOKEN when it is no token; HN_EINVAL when a field of use is not as it should be, the
 * key is not the token's or it is sealed; HN_EKEY, HN_ECRYPT when the key is not usable; HN_ELIMIT;
 * HN_ENEWER; HN_EIO; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk when there is a key file
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 8747 section 3.4; hypernix-capability(5)
 */
HN_API int hn_cap_prove(const char *token, const hn_cap_use *use, const hn_cap_options *options,
	char **proven, hn_error **err);

/**
 * Says whether a token is good under a trust bundle: every signature, its issuer, its ceiling, its
 * time. Revocation is known to hosts only.
 *
 * @param token  "hvc1." and base64url; borrowed
 * @param bundle  size bytes of a signed trust bundle; borrowed
 * @param size  bytes
 * @param options  audience and now; NULL for none
 * @param json  receives a JSON object: issuer, bundle, expires, and the token as hn_cap_inspect
 * shows it; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ETOKEN when it is not good, with the fact "reason"; HN_EBUNDLE; HN_EINVAL; HN_ENEWER;
 * HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 9052 section 4.4; hypernix-capability(5)
 */
HN_API int hn_cap_verify(const char *token, const void *bundle, size_t size,
	const hn_cap_options *options, char **json, hn_error **err);

/**
 * Makes the key of a holder, an approver or a root: a file of mode 0600, wrapped by a passphrase or
 * by the file kek beside it, which is made when it is missing.
 *
 * @param path  where; nothing must be there
 * @param passphrase  NULL = wrapped by the file kek
 * @param public_key  receives 64 hexadecimal digits; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EEXIST when something is there; HN_EKEY when the file kek is not usable; HN_EINVAL;
 * HN_ENOSPC; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk, and half a second for a passphrase
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 8032, RFC 9106
 */
HN_API int hn_cap_key_new(
	const char *path, const char *passphrase, char **public_key, hn_error **err);

/**
 * Gives the public key of a key file, for which its secret is not needed.
 *
 * @param path  of the key file
 * @param public_key  receives 64 hexadecimal digits; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ENOENT when there is none; HN_EKEY when it holds no Ed25519 key; HN_EINVAL; HN_EIO;
 * HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_cap_key_public(const char *path, char **public_key, hn_error **err);

/**
 * Makes a trust bundle that nobody has signed yet.
 *
 * @param terms  JSON: version, cluster, threshold, roots, issuers, keysets, presets, logs and
 * witnesses, as in hypernix-capability(5); borrowed
 * @param bundle  receives the bytes; release them with hn_bytes_free
 * @param size  receives their number
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ESYNTAX, HN_ESCHEMA, HN_EDUPLICATE, HN_ERANGE with line and column of the terms;
 * HN_EINVAL when the whole would not be accepted; HN_ELIMIT; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 * Source: hypernix-capability(5)
 */
HN_API int hn_trust_make(const char *terms, uint8_t **bundle, size_t *size, hn_error **err);

/**
 * Adds the signature of one root to a trust bundle.
 *
 * @param bundle  size bytes, signed or not; borrowed
 * @param size  bytes
 * @param options  key and passphrase of the root
 * @param signed_bundle  receives the bytes; release them with hn_bytes_free
 * @param signed_size  receives their number
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EBUNDLE; HN_EKEY, HN_ECRYPT when the key is not usable; HN_ELIMIT for more than 16
 * signatures; HN_EINVAL; HN_ENEWER; HN_EIO; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 9052 section 4.1
 */
HN_API int hn_trust_sign(const void *bundle, size_t size, const hn_cap_options *options,
	uint8_t **signed_bundle, size_t *signed_size, hn_error **err);

/** Which issuer of a trust bundle is renewed, and for how long. */
typedef struct hn_trust_renewal {
	uint32_t size;
	const char
		*issuer;   /* its public key, 64 hexadecimal digits; NULL = the only one there is */
	const char *after; /* key that a new one takes over from; NULL = the only one there is */
	int64_t now;       /* seconds since 1970; 0 = by the clock of this machine */
	int64_t seconds;   /* so long it may issue from now on; 0 = 30 days, which is the most */
} hn_trust_renewal;
#define HN_TRUST_RENEWAL_INIT                                                                      \
	{                                                                                          \
		.size = sizeof(hn_trust_renewal)                                                   \
	}

/**
 * Makes the next trust bundle of one, in which an issuer may sign for another while; the roots have
 * to sign it. What the issuer has signed until then stays good.
 *
 * @param bundle  size bytes, signed or not; borrowed
 * @param size  bytes
 * @param options  which issuer, how long; NULL for the only one, 30 days
 * @param next  receives the bytes, which nobody has signed yet; release them with hn_bytes_free
 * @param next_size  receives their number
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EBUNDLE; HN_EINVAL when a key is none, or there are several issuers and none is named;
 * HN_ENOENT when the key is no issuer and takes over from none; HN_ERANGE for more than 30 days;
 * HN_ELIMIT for more rows of issuers than a bundle has; HN_ENEWER; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 * Source: hypernix-capability(5)
 */
HN_API int hn_trust_renew(const void *bundle, size_t size, const hn_trust_renewal *options,
	uint8_t **next, size_t *next_size, hn_error **err);

/**
 * Shows a trust bundle, and how many of its roots have signed it.
 *
 * @param bundle  size bytes, signed or not; borrowed
 * @param size  bytes
 * @param json  receives a JSON object in the words of hn_trust_make, and signatures, signed (there
 * are enough) and the ids that the file gives; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EBUNDLE; HN_EINVAL; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_trust_show(const void *bundle, size_t size, char **json, hn_error **err);

/**
 * Explains without a host what a token allows: the verdict, the rule that decides, until when it
 * holds and when it would be allowed again, and every grant and caveat with its own answer.
 *
 * @param token  "hvc1." and base64url; borrowed
 * @param bundle  bytes of a trust bundle by which the token is verified; NULL: it is believed
 * @param size  bytes of bundle
 * @param request  JSON: verb, object, and what is known: at, reason, via, address, peer, peerKey,
 * tags, parameters, approvals, mfa, revoked, revocationAge, subjectEpoch, as in
 * hypernix-capability(5); borrowed
 * @param json  receives a JSON object: verified, verb, object, allowed, code, why, rule,
 * validUntil, allowAgain, lost, redact, counted, checks; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 also when the verdict is no, or a negative hn_code
 * Errors: HN_ETOKEN when it is no token or not verified, with the fact "reason"; HN_EBUNDLE;
 * HN_ESYNTAX, HN_ESCHEMA, HN_ERANGE, HN_EINVAL with line and column of the request; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the files of time zones
 * Allocates: yes
 * Since: 0.1
 * Source: hypernix-capability(5)
 */
HN_API int hn_cap_explain(const char *token, const void *bundle, size_t size, const char *request,
	char **json, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
