/* SPDX-License-Identifier: MIT
 *
 * Time zones by name, read from the system's files. A name that is not valid is never made into a
 * path. Who makes a token names its zones, so only some are kept; those of open sessions live on
 * in their programs.
 */
#include "caps/zones.h"

#define ZONES_DIRECTORY "/usr/share/zoneinfo"

typedef struct kept {
	char name[CODEC_ZONE_NAME_BYTES + 1];
	codec_zone *zone;
	uint64_t used; /* when, in calls */
} kept;

struct caps_zones {
	hn_os *os;
	uint64_t calls;
	bool looked;      /* for the version */
	char version[16]; /* "": not known */
	size_t count, most;
	kept list[];
};

int caps_zones_new(hn_os *os, caps_zones **zones, hn_error **err)
{
	size_t most = (size_t)base_limit(BASE_LIMIT_ZONES);
	caps_zones *made = base_calloc(1, sizeof(*made) + most * sizeof(made->list[0]));

	if (made == NULL)
		return base_nomem(err);
	made->os = os;
	made->most = most;
	*zones = made;
	return 0;
}

void caps_zones_free(caps_zones *zones)
{
	if (zones == NULL)
		return;
	for (size_t i = 0; i < zones->count; i++)
		codec_zone_free(zones->list[i].zone);
	base_free(zones);
}

static kept *find(caps_zones *zones, const char *name, size_t size)
{
	for (size_t i = 0; i < zones->count; i++)
		if (strlen(zones->list[i].name) == size &&
			memcmp(zones->list[i].name, name, size) == 0)
			return &zones->list[i];
	return NULL;
}

/* A free place, or that of the one that was used longest ago. */
static kept *place(caps_zones *zones)
{
	kept *oldest = &zones->list[0];

	if (zones->count < zones->most)
		return &zones->list[zones->count++];
	for (size_t i = 1; i < zones->count; i++)
		if (zones->list[i].used < oldest->used)
			oldest = &zones->list[i];
	codec_zone_free(oldest->zone);
	return oldest;
}

static codec_zone *read_zone(const caps_zones *zones, const char *name, size_t size)
{
	char path[sizeof(ZONES_DIRECTORY) + 1 + CODEC_ZONE_NAME_BYTES];
	BASE_AUTO_FREE char *bytes = NULL;
	codec_zone *zone = NULL;
	size_t length = 0;

	snprintf(path, sizeof(path), "%s/%.*s", ZONES_DIRECTORY, (int)size, name);
	if (os_read_file(zones->os, path, base_limit(BASE_LIMIT_ZONE_BYTES), &bytes, &length,
		    NULL) < 0 ||
		codec_tzif_parse(bytes, length, &zone, NULL) < 0)
		return NULL;
	return zone;
}

codec_zone *caps_zones_get(caps_zones *zones, const char *name, size_t size)
{
	kept *one;

	if (!codec_zone_name_valid(name, size))
		return NULL;
	one = find(zones, name, size);
	if (one == NULL) {
		codec_zone *zone = read_zone(zones, name, size);

		if (zone == NULL || zones->most == 0)
			return zone;
		one = place(zones);
		*one = (kept){.zone = zone};
		memcpy(one->name, name, size);
	}
	one->used = ++zones->calls;
	return codec_zone_ref(one->zone);
}

/* --- the edition of the database --- */

/* Two places where distributions say it: a file with nothing else, and the first line of the
 * source that all zones were made of. */
static const struct {
	const char *path, *before;
	size_t most;
} editions[] = {
	{ZONES_DIRECTORY "/+VERSION", "", 64},
	{ZONES_DIRECTORY "/tzdata.zi", "# version ", 1 << 20},
};

static bool take_version(const char *bytes, size_t size, const char *before, char version[16])
{
	size_t length = strlen(before), end;
	const char *line;

	if (size < length || memcmp(bytes, before, length) != 0)
		return false;
	line = memchr(bytes, '\n', size);
	end = line ? (size_t)(line - bytes) : size;
	if (end - length >= 16 || !codec_zone_name_valid(bytes + length, end - length))
		return false;
	memcpy(version, bytes + length, end - length);
	version[end - length] = '\0';
	return true;
}

const char *caps_zones_version(caps_zones *zones)
{
	for (size_t i = 0; !zones->looked && i < BASE_COUNT(editions); i++) {
		BASE_AUTO_FREE char *bytes = NULL;
		size_t size = 0;

		if (os_read_file(zones->os, editions[i].path, editions[i].most, &bytes, &size,
			    NULL) >= 0 &&
			take_version(bytes, size, editions[i].before, zones->version))
			break;
	}
	zones->looked = true;
	return zones->version[0] != '\0' ? zones->version : NULL;
}
