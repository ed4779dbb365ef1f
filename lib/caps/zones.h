/* SPDX-License-Identifier: MIT
 *
 * Time zones by name, read from the system's files; those that were used last are kept.
 */
#ifndef CAPS_ZONES_H
#define CAPS_ZONES_H

#include "caps/caps-private.h"
#include "codec/tzif.h"

typedef struct caps_zones caps_zones; /* of one thread at a time */
int caps_zones_new(hn_os *os, caps_zones **zones, hn_error **err);
void caps_zones_free(caps_zones *zones);
BASE_AUTO(caps_zones, caps_zones_free)
/* A reference of the caller's, which outlives `zones` and what it keeps. NULL when there is no such
 * zone, its file cannot be read, or out of memory. */
codec_zone *caps_zones_get(caps_zones *zones, const char *name, size_t size);
/* Which edition of the time zone database this host has, like "2026a"; NULL: its files do not say.
 * Looked up once. */
const char *caps_zones_version(caps_zones *zones);

#endif
