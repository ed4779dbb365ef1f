/* SPDX-License-Identifier: MIT
 *
 * Each row of keys.def holds together, and the values that rows take.
 */
#include "tags/help.h"

/* Digits, a dot, digits. */
static bool is_version(const char *text)
{
	size_t major = strspn(text, "0123456789");
	size_t minor = text[major] == '.' ? strspn(text + major + 1, "0123456789") : 0;

	return major > 0 && minor > 0 && text[major + 1 + minor] == '\0';
}

Test(keys, versions)
{
	cr_expect(is_version("0.1") && is_version("12.34"));
	cr_expect(!is_version("") && !is_version("1") && !is_version("1.") && !is_version(".1"));
	cr_expect(!is_version("1.2.3") && !is_version("1.2a"));
}

/* One check a row: its default is canonical, its words are taken, what it allows can be said. */
static void check_row(const hn_key *key, size_t index)
{
	BASE_AUTO_BUF base_buf allowed = {0};
	char *text = NULL;

	cr_assert_eq(key->id, index + 1, "%s: ids run from 1 without a gap", key->name);
	cr_assert_eq(key->size, sizeof(*key));
	cr_assert_eq(hn_key_by_id(key->id), key);
	cr_assert_eq(hn_key_find(key->name), key);
	cr_assert_gt(strlen(key->doc), 20u, "%s has no documentation", key->name);
	cr_assert(is_version(key->since), "%s: since '%s'", key->name, key->since);
	cr_assert_eq(key->class_ == HN_CLASS_HOT_IF, key->condition[0] != '\0', "%s", key->name);
	tags_key_allowed(key, &allowed);
	cr_assert_gt(allowed.size, 5u, "%s", key->name);
	if (key->default_text != NULL) {
		cr_assert_eq(hn_key_parse(key, key->default_text, &text, NULL), 0, "%s", key->name);
		cr_assert_str_eq(
			text, key->default_text, "%s: the default is not canonical", key->name);
		hn_text_free(text);
	}
	if (key->merge == HN_MERGE_SET_UNION || key->merge == HN_MERGE_ORDERED_LIST)
		cr_assert(tags_key_is_many(key), "%s", key->name);
}

Test(keys, every_row)
{
	size_t count = 0;

	for (; hn_key_at(count) != NULL; count++)
		check_row(hn_key_at(count), count);
	cr_assert_geq(count, 70u);
	cr_assert_eq(count, tags_key_count());
	cr_assert_null(hn_key_by_id(0));
	cr_assert_null(hn_key_by_id((uint32_t)count + 1));
}

Test(keys, no_key_is_a_group_of_others)
{
	for (size_t i = 0; hn_key_at(i) != NULL; i++)
		for (size_t j = 0; hn_key_at(j) != NULL; j++) {
			const char *a = hn_key_at(i)->name, *b = hn_key_at(j)->name;

			cr_assert(strncmp(a, b, strlen(a)) != 0 || b[strlen(a)] != '.', "%s, %s", a,
				b);
		}
}

Test(keys, patterns_match_one_name)
{
	cr_assert_str_eq(hn_key_find("disks.root.size")->name, "disks.*.size");
	cr_assert_str_eq(hn_key_find("labels.a")->name, "labels.*");
	cr_assert_null(hn_key_find("disks.a.b.size"));
	cr_assert_null(hn_key_find("disks..size"));
	cr_assert_null(hn_key_find("labels.A"));
	cr_assert_null(hn_key_find(NULL));
}

Test(keys, nearest)
{
	cr_assert_str_eq(hn_key_nearest("memory.sizes"), "memory.size");
	cr_assert_null(hn_key_nearest("zzzzzzzzzzzzzzzz"));
	cr_assert_null(hn_key_nearest(NULL));
}

Test(keys, names_of_enumerations)
{
	cr_assert_str_eq(hn_type_name(HN_TYPE_SET), "set");
	cr_assert_str_eq(hn_merge_name(HN_MERGE_ORDERED_LIST), "ordered-list");
	cr_assert_str_eq(hn_class_name(HN_CLASS_FIXED), "fixed");
	cr_assert_str_eq(hn_layer_name(HN_LAYER_SCHEMA), "schema");
	cr_assert_str_eq(hn_mark_name(HN_MARK_IGNORED), "ignored");
	cr_assert_str_eq(hn_mark_name((hn_mark)99), "unknown");
}

static void becomes(const char *key, const char *text, const char *canonical)
{
	char *got = NULL;
	hn_error *err = NULL;
	int rc = hn_key_parse(hn_key_find(key), text, &got, &err);

	if (canonical == NULL) {
		cr_assert_lt(rc, 0, "%s takes '%s'", key, text);
		cr_assert_not_null(strstr(hn_error_message(err), hn_key_find(key)->name), "%s",
			hn_error_message(err));
	} else {
		cr_assert_eq(rc, 0, "%s refuses '%s': %s", key, text,
			err != NULL ? hn_error_message(err) : "-");
		cr_assert_str_eq(got, canonical);
	}
	hn_error_unref(err);
	hn_text_free(got);
}

#define BECOMES(name, key, text, canonical)                                                        \
	Test(value, name)                                                                          \
	{                                                                                          \
		becomes(key, text, canonical);                                                     \
	}
BECOMES(size_in_other_units, "memory.size", "1024Mi", "1Gi")
BECOMES(size_without_unit, "memory.size", "1024", NULL)
BECOMES(size_word_of_another_key, "memory.size", "size", NULL)
BECOMES(size_word, "memory.max", "size", "size")
BECOMES(uint_leading_zero, "compute.units", "0100", NULL)
BECOMES(uint_sign, "compute.units", "+100", NULL)
BECOMES(uint_zero, "compute.units", "0", NULL)
BECOMES(int_negative, "start.order", "-5", "-5")
BECOMES(int_minus_zero, "start.order", "-0", NULL)
BECOMES(int_too_small, "start.order", "-100001", NULL)
BECOMES(ratio_trailing_zeros, "compute.overcommit", "1.500000", "1.5")
BECOMES(ratio_too_large, "compute.overcommit", "16.1", NULL)
BECOMES(duration_canonical, "boot.goal", "4000ms", "4s")
BECOMES(rate_canonical, "storage.bandwidth", "1024Ki/s", "1Mi/s")
BECOMES(rate_without_second, "storage.bandwidth", "1Mi", NULL)
BECOMES(topology, "cpu.topology", "1x4x2", "1x4x2")
BECOMES(topology_of_nothing, "cpu.topology", "0x4x2", NULL)
BECOMES(topology_too_many, "cpu.topology", "2x64x2", NULL)
BECOMES(cpulist_sorted, "cpu.pinning", "8,0-2,1", "0-2,8")
BECOMES(cpulist_backwards, "cpu.pinning", "3-1", NULL)
BECOMES(cpulist_last, "cpu.pinning", "4095", "4095")
BECOMES(cpulist_beyond, "cpu.pinning", "4096", NULL)
BECOMES(model, "cpu.model", "Skylake-Server", "Skylake-Server")
BECOMES(interface_16, "nics.a.bridge", "abcdefghijklmnop", NULL)
BECOMES(digest, "image.blueprint",
	"b2:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	"b2:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
BECOMES(digest_short, "image.blueprint", "b2:0123", NULL)
BECOMES(path, "boot.kernel", "/boot/vmlinuz..old", "/boot/vmlinuz..old")
BECOMES(path_relative, "boot.kernel", "vmlinuz", NULL)
BECOMES(path_parent_at_end, "boot.kernel", "/a/..", NULL)
BECOMES(volume, "disks.a.source", "vol-1", "vol-1")
BECOMES(mac_lower, "nics.a.mac", "52:54:00:AB:CD:EF", "52:54:00:ab:cd:ef")
BECOMES(mac_zero, "nics.a.mac", "00:00:00:00:00:00", NULL)
BECOMES(mac_dashes, "nics.a.mac", "52-54-00-12-34-56", NULL)
BECOMES(schedule_hourly, "backup.schedule", "hourly", "hourly")
BECOMES(schedule_days, "backup.schedule", "Mon,Tue,Wed,Fri 23:00", "Mon..Wed,Fri 23:00")
BECOMES(schedule_all_days, "backup.schedule", "Mon..Sun 02:00", "daily 02:00")
BECOMES(schedule_window, "backup.schedule", "Mon..Fri 09:00-17:30 Europe/Berlin",
	"Mon..Fri 09:00-17:30 Europe/Berlin")
BECOMES(schedule_until_midnight, "update.window", "Sat 22:00-24:00", "Sat 22:00-24:00")
BECOMES(schedule_from_24, "update.window", "Sat 24:00-01:00", NULL)
BECOMES(schedule_bad_zone, "update.window", "Sat 22:00-23:00 ../etc", NULL)
BECOMES(schedule_backwards, "backup.schedule", "Fri..Mon 02:00", NULL)
BECOMES(set_sorted, "secrets", " b  a b ", "a b")
BECOMES(list_kept, "boot.cmdline", "console=ttyS0,115200 quiet", "console=ttyS0,115200 quiet")
BECOMES(list_empty, "boot.cmdline", "", "")
BECOMES(forward, "network.forward", "tcp:127.0.0.1:8080:80", "tcp:127.0.0.1:8080:80")
BECOMES(forward_six, "network.forward", "udp:[0:0::1]:53:53", "udp:[::1]:53:53")
BECOMES(forward_port_zero, "network.forward", "tcp:127.0.0.1:0:80", NULL)
BECOMES(forward_protocol, "network.forward", "sctp:127.0.0.1:1:1", NULL)
BECOMES(labels, "placement.require", "zone=a gpu", "gpu zone=a")
BECOMES(label_without_value, "placement.require", "zone=", NULL)
BECOMES(selectors, "placement.affinity", "tag:b ; tag:a and not tag:c",
	"tag:a and not tag:c; tag:b")
BECOMES(selector_broken, "placement.affinity", "tag:", NULL)
BECOMES(enum_case, "tpm", "OFF", NULL)
