/* SPDX-License-Identifier: MIT
 *
 * The keys of a node, which its signer holds: their public halves, and new ones in their place.
 */
#ifndef HYPERNIX_HOST_KEYS_H
#define HYPERNIX_HOST_KEYS_H

#include <hypernix/host-session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Gives the name of the node that a session acts on, as it stands in objects such as "node/a".
 *
 * @param session  of any right
 * @return the name; borrowed from the session; NULL for NULL, and where addresses are left out for
 * the token
 * Errors: none
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API const char *hn_session_node(const hn_session *session);

/**
 * Lists the keys of this node, never a secret. They are made when there are none yet; on a host
 * that was opened read-only they are null then.
 *
 * @param session  needs cap.read on node/<name>
 * @param json  receives a JSON object: node (its name), inProcess (no hv-signer holds the keys),
 * wrappingKeyBeside (the key that wraps them lies among them), firstMacHere (the first key of the
 * audit log's MACs was not taken off the host yet), log (name of the audit log), and keys, an array
 * of objects: role, public, made and until (seconds since 1970 or null); release it with
 * hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESIGNER when the signer does not answer; HN_EKEY when the keys are not usable;
 * HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_node_key_list(hn_session *session, char **json, hn_error **err);

/**
 * Makes a new key for one role of this node. The old one goes on beside it for a while, so that
 * what it signed is known until a new trust bundle names the new one.
 *
 * @param session  needs key.rotate on node/<name>, with a fresh proof when it is of a token
 * @param role  "issuer", "audit", "witness", "node", "box" or "record"
 * @param overlap  ns that the old key goes on; 0 = not at all
 * @param public_key  receives 64 hexadecimal digits, zeros for "record"; release it with
 * hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL when there is no such role or overlap is negative; HN_ESIGNER; HN_ELIMIT for
 * more than 64 key files; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_node_key_rotate(
	hn_session *session, const char *role, int64_t overlap, char **public_key, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
