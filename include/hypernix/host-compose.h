/* SPDX-License-Identifier: MIT
 *
 * Composition on a host: its own registry, and who may put components into it.
 */
#ifndef HYPERNIX_HOST_COMPOSE_H
#define HYPERNIX_HOST_COMPOSE_H

#include <hypernix/compose.h>
#include <hypernix/host-session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Reads the host's registry: what is in compose/registry of its state. One that nobody has put
 * anything into is empty.
 *
 * @param session  needs blueprint.read on node/<name>
 * @param registry  set to the registry on success, one reference owned by the caller
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX, HN_ESCHEMA, HN_ECONTRACT, HN_EDUPLICATE of what another hand has put there;
 *    HN_EDENIED, also when the terms of a token leave paths out, which cannot be parted from it;
 *    HN_ESESSION; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes, all that is in it
 * Since: 0.1
 */
HN_API int hn_compose_registry(hn_session *session, hn_registry **registry, hn_error **err);

/**
 * Puts a manifest or a contract into the host's registry, checked against all that is there. What
 * is there already, the same, is no fault; of a contract a newer version takes the place of an
 * older one.
 *
 * @param session  needs component.trust on component/<name>; of a contract the name is such as
 *    service/http
 * @param file  name of the file, for positions
 * @param bytes  JSON text; copied
 * @param size  length in bytes, at most MANIFEST_BYTES
 * @param called  set to its name and version on success, owned by the caller: release with
 *    hn_text_free
 * @param err  set on failure; may be NULL
 * @return 1 when it was added, 0 when it was there, or a negative hn_code; messages begin with
 *    file:line:column
 * Errors: HN_ESYNTAX, HN_ESCHEMA, HN_ERANGE, HN_ENEWER when it is malformed; HN_ECONTRACT when a
 *    component does not keep to a contract, or one that is there would not keep to this one;
 *    HN_EDUPLICATE when another one of this name and version is there; HN_EEXIST when a newer
 *    contract is there; HN_ELIMIT; HN_EBUSY when another process changes the registry;
 *    HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOSPC; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_compose_add(hn_session *session, const char *file, const void *bytes, size_t size,
	char **called, hn_error **err);

/**
 * Puts a manifest or a contract into the host's registry as hn_compose_add does, but a manifest
 * takes the place of another one of its name and version. One of the two is there at any time,
 * whatever becomes of the call. Locks that name the one that was there do not hold any more.
 *
 * @param session  needs component.trust on component/<name>
 * @param file  name of the file, for positions
 * @param bytes  JSON text; copied
 * @param size  length in bytes, at most MANIFEST_BYTES
 * @param called  set to its name and version on success, owned by the caller: release with
 *    hn_text_free
 * @param err  set on failure; may be NULL
 * @return 1 when it was put there, 0 when the same was there, or a negative hn_code
 * Errors: those of hn_compose_add; HN_EDUPLICATE only of a contract
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_compose_replace(hn_session *session, const char *file, const void *bytes, size_t size,
	char **called, hn_error **err);

/**
 * Takes a version of a component, or a contract, out of the host's registry. What was built from it
 * stays.
 *
 * @param session  needs component.trust on component/<name>
 * @param name  of the component; or of the contract, such as service/http
 * @param version  as it is written there; of a contract NULL is whichever is there
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when it is not there; HN_ECONFLICT while components there provide or require
 * the contract, with the first of them as the fact component; HN_EINVAL; HN_EBUSY when another
 *    process changes the registry; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_compose_remove(
	hn_session *session, const char *name, const char *version, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
