/* SPDX-License-Identifier: MIT
 *
 * Time zones by name, each read once from the system's files.
 */
#ifndef CAPS_ZONES_H
#define CAPS_ZONES_H

#include "caps/caps-private.h"
#include "codec/tzif.h"

typedef struct caps_zones caps_zones; /* of one thread at a time */
int caps_zones_new(hn_os *os, caps_zones **zones, hn_error **err);
void caps_zones_free(caps_zones *zones);
BASE_AUTO(caps_zones, caps_zones_free)
/* NULL when there is no such zone, its file cannot be read, or ZONES are there already. What it
 * gives lives as long as `zones`. */
const codec_zone *caps_zones_get(caps_zones *zones, const char *name, size_t size);

#endif
