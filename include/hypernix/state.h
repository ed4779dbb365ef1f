/* SPDX-License-Identifier: MIT
 *
 * The store of a host: where it lies, how large it is, whether it is whole.
 */
#ifndef HYPERNIX_STATE_H
#define HYPERNIX_STATE_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where the state of a host lies, how large it is, and how often it was written. */
typedef struct hn_state_facts {
	uint32_t size;
	const char *path; /* owned by the host handle */
	uint64_t bytes;   /* of the database file */
	uint64_t writes;  /* committed write transactions since this handle was opened */
} hn_state_facts;
#define HN_STATE_FACTS_INIT                                                                        \
	{                                                                                          \
		.size = sizeof(hn_state_facts)                                                     \
	}

/**
 * Tells where the state lies and how large it is.
 *
 * @param session  needs node.read on node
 * @param facts  HN_STATE_FACTS_INIT; filled; its texts live as long as the host
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_EINVAL when facts is NULL or its size is not set; HN_ESESSION, HN_EDENIED; HN_EIO when
 * the file cannot be looked at
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_state_get_facts(hn_session *session, hn_state_facts *facts, hn_error **err);

/**
 * Checks the whole database file: structure, indexes and references between rows.
 *
 * @param session  needs node.read on node
 * @param err  set on failure; may be NULL
 * @return 0 when it is whole, or a negative hn_code
 * Errors: HN_ECORRUPT with the first thing that is wrong; HN_ESESSION, HN_EDENIED; HN_EIO;
 * HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk, for the time it takes
 * to read the file
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_state_verify(hn_session *session, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
