/* SPDX-License-Identifier: MIT
 *
 * Time zones by name, each read once from the system's files. A name that is not valid is never
 * made into a path.
 */
#include "caps/zones.h"

#define ZONES_DIRECTORY "/usr/share/zoneinfo"

struct caps_zones {
	hn_os *os;
	base_map *known;
};

static void release(void *zone)
{
	codec_zone_free(zone);
}

int caps_zones_new(hn_os *os, caps_zones **zones, hn_error **err)
{
	BASE_AUTO_OF(caps_zones) caps_zones *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	made->os = os;
	made->known = base_map_new(release);
	if (made->known == NULL)
		return base_nomem(err);
	*zones = BASE_STEAL(made);
	return 0;
}

void caps_zones_free(caps_zones *zones)
{
	if (zones == NULL)
		return;
	base_map_free(zones->known);
	base_free(zones);
}

const codec_zone *caps_zones_get(caps_zones *zones, const char *name, size_t size)
{
	char path[sizeof(ZONES_DIRECTORY) + 1 + CODEC_ZONE_NAME_BYTES];
	BASE_AUTO_FREE char *bytes = NULL;
	codec_zone *zone = base_map_get(zones->known, name, size);
	size_t length = 0;

	if (zone != NULL || !codec_zone_name_valid(name, size) ||
		base_limit_check(BASE_LIMIT_ZONES, base_map_count(zones->known) + 1, NULL) < 0)
		return zone;
	snprintf(path, sizeof(path), "%s/%.*s", ZONES_DIRECTORY, (int)size, name);
	if (os_read_file(zones->os, path, base_limit(BASE_LIMIT_ZONE_BYTES), &bytes, &length,
		    NULL) < 0 ||
		codec_tzif_parse(bytes, length, &zone, NULL) < 0)
		return NULL;
	if (base_map_put(zones->known, name, size, zone) == 0)
		return zone;
	codec_zone_free(zone);
	return NULL;
}
