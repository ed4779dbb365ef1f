/* SPDX-License-Identifier: MIT
 *
 * Which beginnings of chains were verified: keyed digests, four ways, striped locks. Between
 * verify.c and cache.c.
 */
#ifndef CAPS_CACHE_H
#define CAPS_CACHE_H

#include "caps/verify.h"

#define CAPS_DIGEST 32
/* The digest of bytes that were, or are to be, verified under a bundle: keyed by this process and
 * by the bundle, so that an entry of another one is never found. */
void caps_cache_digest(const caps_cache *cache, const caps_bundle *bundle, const uint8_t *bytes,
	size_t size, uint8_t digest[CAPS_DIGEST]);
bool caps_cache_has(caps_cache *cache, const uint8_t digest[CAPS_DIGEST]);
void caps_cache_add(caps_cache *cache, const uint8_t digest[CAPS_DIGEST]);

#endif
