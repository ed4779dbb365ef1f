/* SPDX-License-Identifier: MIT
 *
 * The zones that are kept: as many as the limit says, of which the one that was used longest ago
 * goes; what somebody holds stays.
 */
#include "caps/zones.h"

#include <criterion/criterion.h>

#define DIRECTORY "/usr/share/zoneinfo"

/* A host with zones "Z0", "Z1" ... which are all UTC. */
static hn_os *world(int count)
{
	BASE_AUTO_FREE char *bytes = NULL;
	size_t size = 0;
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(
		os_read_file(hn_os_real(), DIRECTORY "/Etc/UTC", 65536, &bytes, &size, NULL), 0);
	cr_assert_eq(os_mkdirs(os, DIRECTORY, 0755, NULL), 0);
	for (int i = 0; i < count; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), DIRECTORY "/Z%d", i);
		cr_assert_eq(os_write_file(os, path, bytes, size, 0644, NULL), 0);
	}
	return os;
}

static codec_zone *get(caps_zones *zones, int number)
{
	char name[16];
	int size = snprintf(name, sizeof(name), "Z%d", number);

	return caps_zones_get(zones, name, (size_t)size);
}

static void use(caps_zones *zones, int number)
{
	codec_zone *zone = get(zones, number);

	cr_expect_not_null(zone, "Z%d", number);
	codec_zone_free(zone);
}

Test(zones, one_more_than_are_kept_is_found_too)
{
	hn_os *os = world(70);
	caps_zones *zones = NULL;

	cr_assert_eq(caps_zones_new(os, &zones, NULL), 0);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 70; i++)
			use(zones, i);
	caps_zones_free(zones);
	hn_os_sim_free(os);
}

Test(zones, what_somebody_holds_outlives_its_place)
{
	hn_os *os = world(70);
	caps_zones *zones = NULL;
	codec_zone *held;
	int32_t offset = -1;
	int64_t next = 0;

	cr_assert_eq(caps_zones_new(os, &zones, NULL), 0);
	held = get(zones, 0);
	for (int i = 1; i < 70; i++)
		use(zones, i);
	caps_zones_free(zones);
	codec_tzif_offset(held, 0, &offset, &next);
	cr_expect_eq(offset, 0);
	cr_expect_eq(next, INT64_MAX);
	codec_zone_free(held);
	hn_os_sim_free(os);
}

Test(zones, the_one_that_was_used_longest_ago_goes)
{
	hn_os *os = world(65);
	caps_zones *zones = NULL;
	codec_zone *first, *again;

	cr_assert_eq(caps_zones_new(os, &zones, NULL), 0);
	first = get(zones, 0);
	for (int i = 1; i < 64; i++)
		use(zones, i);
	use(zones, 0);
	use(zones, 64); /* takes the place of Z1 */
	again = get(zones, 0);
	cr_expect_eq(again, first);
	cr_assert_eq(os->ops->unlink(os, DIRECTORY "/Z1"), 0);
	cr_expect_null(get(zones, 1));
	codec_zone_free(first);
	codec_zone_free(again);
	caps_zones_free(zones);
	hn_os_sim_free(os);
}

Test(zones, names_are_no_paths)
{
	hn_os *os = world(1);
	caps_zones *zones = NULL;

	cr_assert_eq(caps_zones_new(os, &zones, NULL), 0);
	cr_expect_null(caps_zones_get(zones, "../Z0", 5));
	cr_expect_null(caps_zones_get(zones, "Z9", 2));
	use(zones, 0);
	caps_zones_free(zones);
	hn_os_sim_free(os);
}

/* What these two files say, NULL: there is none; in a host of its own. */
static void expect_version(const char *plain, const char *source, const char *expected)
{
	hn_os *os = world(0);
	caps_zones *zones = NULL;
	const char *version;

	if (plain)
		cr_assert_eq(
			os_write_file(os, DIRECTORY "/+VERSION", plain, strlen(plain), 0644, NULL),
			0);
	if (source)
		cr_assert_eq(os_write_file(os, DIRECTORY "/tzdata.zi", source, strlen(source), 0644,
				     NULL),
			0);
	cr_assert_eq(caps_zones_new(os, &zones, NULL), 0);
	for (int i = 0; i < 2; i++) {
		version = caps_zones_version(zones);
		cr_expect_str_eq(version ? version : "none", expected, "%s and %s",
			plain ? plain : "-", source ? source : "-");
		/* not looked up again */
		(void)os_write_file(os, DIRECTORY "/+VERSION", "1999z\n", 6, 0644, NULL);
	}
	caps_zones_free(zones);
	hn_os_sim_free(os);
}

Test(zones, the_edition_is_what_the_files_of_the_system_say)
{
	expect_version("2025b\n", NULL, "2025b");
	expect_version(NULL, "# version 2024a\n# ddeps backzone\nR A\n", "2024a");
	expect_version("2025b", "# version 2024a\n", "2025b");
	expect_version("", "# version 2024a", "2024a");
	expect_version(NULL, NULL, "none");
	expect_version("2025 b\n", NULL, "none");
	expect_version("\n2025b\n", NULL, "none");
	expect_version("0123456789abcdef\n", NULL, "none");
	expect_version(NULL, "# redo posix_only\n# version 2024a\n", "none");
}
