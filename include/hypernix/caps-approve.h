/* SPDX-License-Identifier: MIT
 *
 * Approvals by themselves: what a person looks at and signs, on any machine. Asking, collecting and
 * break-glass are in host-approve.h.
 */
#ifndef HYPERNIX_CAPS_APPROVE_H
#define HYPERNIX_CAPS_APPROVE_H

#include <hypernix/caps.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Approves a request: signs it with the key of a person. Look at it before, with
 * hn_approval_inspect.
 *
 * @param request  "hvr1." and base64url; borrowed
 * @param options  key, passphrase and now; key must be given
 * @param approval  receives "hva1." and base64url; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ECBOR when it is no request; HN_EAPPROVAL when its time is over; HN_EKEY, HN_ECRYPT
 * when the key is not usable; HN_EINVAL for NULL or no key; HN_ENEWER; HN_EIO; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 9052, RFC 9597; hypernix-capability(5)
 */
HN_API int hn_approval_sign(
	const char *request, const hn_cap_options *options, char **approval, hn_error **err);

/**
 * Signs a challenge of a host, as a second factor of a session: that a person is there now. Show it
 * with hn_session_prove.
 *
 * @param nonce  32 hexadecimal digits, from hn_session_challenge
 * @param options  key, passphrase and now; key must be given
 * @param assertion  receives "hva1." and base64url; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EKEY, HN_ECRYPT when the key is not usable; HN_EINVAL for NULL, no key or another
 * nonce; HN_ENEWER; HN_EIO; HN_ENOMEM
 * Threads: any
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_approval_assert(
	const char *nonce, const hn_cap_options *options, char **assertion, hn_error **err);

/**
 * Shows what a request asks for, or which request an approval is of. Who signed is for the host to
 * say, which has the keysets.
 *
 * @param text  "hvr1." or "hva1." and base64url; borrowed
 * @param json  receives a JSON object: of a request kind, hash, cti, subject or preset, verbs, on,
 * arguments, request, ttl, made, until, reason, cluster; of an approval kind, hash, key, made;
 * release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ECBOR when it is neither; HN_EINVAL for NULL; HN_ENOMEM
 * Threads: any
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_approval_inspect(const char *text, char **json, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
