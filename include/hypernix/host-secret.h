/* SPDX-License-Identifier: MIT
 *
 * Secrets of units: kept sealed in the host's database, and never shown again.
 */
#ifndef HYPERNIX_HOST_SECRET_H
#define HYPERNIX_HOST_SECRET_H

#include <hypernix/host-session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Keeps a secret for a unit, in place of one of that name. It is sealed by the host's signer, and
 * bound to its row, the unit and the name. Approvals and fresh proofs are for these very bytes, by
 * a digest that takes a key of the host.
 *
 * @param session  needs unit.secret on unit/<uuid>
 * @param unit  name or uuid
 * @param name  small letters, digits and hyphens
 * @param bytes  the secret; borrowed, and never logged
 * @param size  at most SECRET_BYTES
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_EINVAL for another name; HN_ELIMIT when
 * it is too long, or the unit has too many; HN_ESIGNER; HN_ESESSION; HN_EDENIED;
 * HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_secret_put(hn_session *session, const char *unit, const char *name, const void *bytes,
	size_t size, hn_error **err);

/**
 * Lists the secrets of a unit: never what they are.
 *
 * @param session  needs unit.read on unit/<uuid>
 * @param unit  name or uuid
 * @param json  receives a JSON array of objects: name, version, made and, while a guest of the unit
 * runs that was given it, given: the version it has; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_secret_list(hn_session *session, const char *unit, char **json, hn_error **err);

/**
 * Removes a secret of a unit.
 *
 * @param session  needs unit.secret on unit/<uuid>
 * @param unit  name or uuid
 * @param name  as it was put there
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit or secret; HN_EINVAL; HN_ESESSION; HN_EDENIED;
 * HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_secret_remove(
	hn_session *session, const char *unit, const char *name, hn_error **err);

/**
 * Hands a secret of a unit over, in a file descriptor of its own: sealed memory that is at no path,
 * for whoever starts the unit to pass on.
 *
 * @param session  needs unit.secret on unit/<uuid>
 * @param unit  name or uuid
 * @param name  as it was put there
 * @param fd  receives the descriptor, at its beginning, read-only and closed on exec; the caller
 * closes it
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such unit or secret; HN_ECRYPT when the database was changed
 * by another hand; HN_EINVAL; HN_ESIGNER; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_secret_attach(
	hn_session *session, const char *unit, const char *name, int *fd, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
