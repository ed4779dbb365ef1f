/* SPDX-License-Identifier: MIT
 *
 * Capabilities of a host: issued, listed, revoked, and the trust bundle that says who may issue.
 * What needs no host is in caps.h.
 */
#ifndef HYPERNIX_HOST_CAPS_H
#define HYPERNIX_HOST_CAPS_H

#include <hypernix/host-session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Issues a token, signed by this host's signer, within the ceiling that the trust bundle gives it.
 *
 * @param session  needs cap.issue on node/<name>
 * @param terms  JSON, as in hypernix-capability(5); borrowed
 * @param holder  public key of who may use and narrow it, 64 hexadecimal digits; NULL: a bearer
 * token, at most 15 minutes
 * @param token  receives "hvc1." and base64url; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX, HN_ESCHEMA, HN_ERANGE with line and column of the terms; HN_ERANGE for a
 * bearer token that lives longer, and for one that lives no longer than the clock of this host may
 * be off, which would be over at its first use; HN_EZONE for a zone that this host does not have;
 * HN_EKEY when holder is no public key; HN_EBUNDLE when there is no trust bundle or this host is no
 * issuer of it; HN_EWIDEN when it is above the ceiling; HN_ESIGNER; HN_ERATE; HN_ESESSION;
 * HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 * Source: hypernix-capability(5)
 */
HN_API int hn_cap_issue(
	hn_session *session, const char *terms, const char *holder, char **token, hn_error **err);

/**
 * Lists what was issued here: numbers and subjects, never tokens.
 *
 * @param session  needs cap.read on node/<name>
 * @param json  receives a JSON array, newest first, of objects: cti, subject, template, issuer (16
 * digits, as hn_cap_revoke takes them), issued, expires, revoked, revokedBy (null, "token",
 * "subject" or "issuer"), administers (with it others can be let in: it gives cap.issue or
 * node.role on this node); release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_cap_list(hn_session *session, char **json, hn_error **err);

/**
 * Revokes: one link of a token with all that was made from it, all tokens of a subject, or all of
 * an issuer's key. Open sessions end within a second.
 *
 * @param session  needs cap.revoke on node/<name>
 * @param what  "cti", "subject" or "issuer"
 * @param value  32 hexadecimal digits; a name; the first 16 hexadecimal digits of a key's kid
 * @param err  set on failure; may be NULL
 * @return 0 also when it was revoked before, or a negative hn_code
 * Errors: HN_EINVAL for another word or value; HN_ESESSION; HN_EDENIED; HN_ESIGNER; HN_EAUDIT;
 * HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_cap_revoke(hn_session *session, const char *what, const char *value, hn_error **err);

/**
 * Loads a trust bundle. The first one is pinned by whoever loads it; each later one must be signed
 * by a threshold of the roots of the one before and have a higher version.
 *
 * @param session  needs trust.update on node/<name>; the signatures of the roots are the quorum
 * @param bundle  size bytes, as hn_trust_sign gives them; borrowed
 * @param size  bytes
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EBUNDLE with what is wrong; HN_EINVAL when it names no witness and witnesses are
 * waited for; HN_ESESSION; HN_EDENIED; HN_ESIGNER; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_trust_update(hn_session *session, const void *bundle, size_t size, hn_error **err);

/**
 * Gives the trust bundle of a host.
 *
 * @param session  needs cap.read on node/<name>
 * @param bundle  receives the bytes; release them with hn_bytes_free
 * @param size  receives their number
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is none yet; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_trust_current(hn_session *session, uint8_t **bundle, size_t *size, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
