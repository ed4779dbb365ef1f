/* SPDX-License-Identifier: MIT */
#ifndef HYPERNIX_STATE_H
#define HYPERNIX_STATE_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where the state of a host lies, how large it is, and which schema steps it has. */
typedef struct hn_state_facts {
	uint32_t size;
	const char *path;   /* owned by the host handle */
	uint64_t bytes;
	uint64_t writes;    /* committed write transactions since this handle was opened */
} hn_state_facts;
#define HN_STATE_FACTS_INIT { .size = sizeof(hn_state_facts) }

HN_API int hn_state_get_facts(hn_session *session, hn_state_facts *facts, hn_error **err); /* needs node.read */
HN_API int hn_state_verify(hn_session *session, hn_error **err);                           /* needs node.read; integrity check */

#ifdef __cplusplus
}
#endif
#endif
