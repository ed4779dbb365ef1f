/* SPDX-License-Identifier: MIT
 *
 * Between the files of locks: what holds for each item, and the digest.
 */
#ifndef COMPOSE_LOCK_PRIVATE_H
#define COMPOSE_LOCK_PRIVATE_H

#include "compose/lock.h"

enum { LOCK_SCHEMA = 1 };

/* NULL, or what is wrong with an item; `before` is the one before it, or NULL. */
const char *lock_head_fault(const compose_lock *lock);
const char *lock_source_fault(const compose_source *source, const compose_source *before);
const char *lock_component_fault(
	const compose_lock *lock, const compose_locked *one, const compose_locked *before);
const char *lock_binding_fault(
	const compose_lock *lock, const compose_binding *one, const compose_binding *before);
const char *lock_fault(const compose_lock *lock); /* all of these */
/* BLAKE2b-256 over the deterministic CBOR of what the file says, but for its own digest. */
int lock_digest(const compose_lock *lock, compose_digest *digest, hn_error **err);
bool lock_digest_none(const compose_digest *digest); /* all zero */

#endif
