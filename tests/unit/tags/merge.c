/* SPDX-License-Identifier: MIT
 *
 * The merge rules, with none to three definitions, null, equal values and ties.
 */
#include "tags/help.h"

Test(merge, single_none)
{
	hn_view *view =
		resolved("{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": []}}}");

	has_value(view, "memory.size", "512Mi");
	has_marks(view, "memory.size", "w");
	hn_view_unref(view);
}

Test(merge, single_one)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "memory.size", "1Gi");
	has_marks(view, "memory.size", "wl");
	hn_view_unref(view);
}

Test(merge, single_smaller_number_wins)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}, \"priority\": 401}, \"t1\": {\"set\": {\"memory.size\": \"2Gi\"}, \"priority\": 400}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "memory.size", "2Gi");
	has_marks(view, "memory.size", "wll");
	hn_view_unref(view);
}

Test(merge, single_equal_values_agree)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}, \"t1\": {\"set\": {\"memory.size\": \"1024Mi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "memory.size", "1Gi");
	has_marks(view, "memory.size", "wsl");
	hn_view_unref(view);
}

Test(merge, single_three)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}, \"priority\": 500}, \"t1\": {\"set\": {\"memory.size\": \"2Gi\"}, \"priority\": 300}, \"t2\": {\"set\": {\"memory.size\": \"4Gi\"}, \"priority\": 400}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\", \"t2\"]}}}");

	has_value(view, "memory.size", "2Gi");
	has_marks(view, "memory.size", "wlll");
	hn_view_unref(view);
}

Test(merge, single_unit_over_tag)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"memory.size\": \"2Gi\"}}}}");

	has_value(view, "memory.size", "2Gi");
	has_marks(view, "memory.size", "wll");
	hn_view_unref(view);
}

Test(merge, single_tie_below_the_winner)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}, \"t1\": {\"set\": {\"memory.size\": \"2Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"], \"overrides\": {\"memory.size\": \"4Gi\"}}}}");

	has_value(view, "memory.size", "4Gi");
	has_marks(view, "memory.size", "wlll");
	hn_view_unref(view);
}

Test(merge, single_null_wins)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"memory.size\": null}}}}");

	has_value(view, "memory.size", "512Mi");
	has_marks(view, "memory.size", "wlw");
	hn_view_unref(view);
}

Test(merge, single_null_loses)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": null}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"memory.size\": \"2Gi\"}}}}");

	has_value(view, "memory.size", "2Gi");
	has_marks(view, "memory.size", "wll");
	hn_view_unref(view);
}

Test(merge, single_null_without_default)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"description\": \"x\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"description\": null}}}}");

	has_value(view, "description", NULL);
	has_marks(view, "description", "wl");
	hn_view_unref(view);
}

Test(merge, single_null_agrees)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": null}}, \"t1\": {\"set\": {\"memory.size\": null}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "memory.size", "512Mi");
	has_marks(view, "memory.size", "wsw");
	hn_view_unref(view);
}

Test(merge, single_mkdefault_loses_to_tag)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"memory.size\": {\"$value\": \"2Gi\", \"$priority\": 1000}}}}}");

	has_value(view, "memory.size", "1Gi");
	has_marks(view, "memory.size", "wll");
	hn_view_unref(view);
}

Test(merge, single_mkforce_wins)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": {\"$value\": \"1Gi\", \"$priority\": 100}}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"memory.size\": {\"$value\": \"2Gi\", \"$priority\": 50}}}}}");

	has_value(view, "memory.size", "2Gi");
	has_marks(view, "memory.size", "wll");
	hn_view_unref(view);
}

Test(merge, single_option_default_still_before_schema)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": [], \"overrides\": {\"memory.size\": {\"$value\": \"2Gi\", \"$priority\": 1500}}}}}");

	has_value(view, "memory.size", "2Gi");
	has_marks(view, "memory.size", "wl");
	hn_view_unref(view);
}

Test(merge, single_defaults_before_schema)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": []}}, \"defaults\": {\"memory.size\": \"2Gi\"}}");

	has_value(view, "memory.size", "2Gi");
	has_marks(view, "memory.size", "wl");
	hn_view_unref(view);
}

Test(merge, min_none)
{
	hn_view *view =
		resolved("{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": []}}}");

	has_value(view, "compute.limit", "none");
	has_marks(view, "compute.limit", "w");
	hn_view_unref(view);
}

Test(merge, min_one)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"compute.limit\": 400}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "compute.limit", "400");
	has_marks(view, "compute.limit", "wl");
	hn_view_unref(view);
}

Test(merge, min_smallest_whatever_priority)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"compute.limit\": 400}}, \"t1\": {\"set\": {\"compute.limit\": 200}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"], \"overrides\": {\"compute.limit\": {\"$value\": 300, \"$priority\": 50}}}}}");

	has_value(view, "compute.limit", "200");
	has_marks(view, "compute.limit", "llwl");
	hn_view_unref(view);
}

Test(merge, min_word_is_no_bound)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"compute.limit\": \"none\"}}, \"t1\": {\"set\": {\"compute.limit\": 200}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "compute.limit", "200");
	hn_view_unref(view);
}

Test(merge, min_words_only)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"compute.limit\": \"none\"}}, \"t1\": {\"set\": {\"compute.limit\": \"none\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "compute.limit", "none");
	has_marks(view, "compute.limit", "wsl");
	hn_view_unref(view);
}

Test(merge, min_null_takes_nothing_away)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"compute.limit\": 200}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"compute.limit\": null}}}}");

	has_value(view, "compute.limit", "200");
	has_marks(view, "compute.limit", "iwl");
	hn_view_unref(view);
}

Test(merge, min_nulls_only)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"compute.limit\": null}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "compute.limit", "none");
	has_marks(view, "compute.limit", "iw");
	hn_view_unref(view);
}

Test(merge, min_looser_than_default)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"boot.goal\": \"1min\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "boot.goal", "1min");
	has_marks(view, "boot.goal", "wl");
	hn_view_unref(view);
}

Test(merge, max_none)
{
	hn_view *view =
		resolved("{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": []}}}");

	has_value(view, "memory.floor", "0B");
	has_marks(view, "memory.floor", "w");
	hn_view_unref(view);
}

Test(merge, max_largest_whatever_priority)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.floor\": \"256Mi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"memory.floor\": {\"$value\": \"64Mi\", \"$priority\": 50}}}}}");

	has_value(view, "memory.floor", "256Mi");
	has_marks(view, "memory.floor", "lwl");
	hn_view_unref(view);
}

Test(merge, max_ordered_enum)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"placement.spread\": \"site\"}}, \"t1\": {\"set\": {\"placement.spread\": \"host\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "placement.spread", "site");
	has_marks(view, "placement.spread", "wll");
	hn_view_unref(view);
}

Test(merge, max_equal)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"tpm\": \"2.0\"}}, \"t1\": {\"set\": {\"tpm\": \"2.0\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "tpm", "2.0");
	has_marks(view, "tpm", "wsl");
	hn_view_unref(view);
}

Test(merge, max_tier_of_levels)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"storage.tier.minimum\": \"standard\"}}, \"t1\": {\"set\": {\"storage.tier.minimum\": \"fast\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "storage.tier.minimum", "fast");
	hn_view_unref(view);
}

Test(merge, and_none)
{
	hn_view *view =
		resolved("{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": []}}}");

	has_value(view, "memory.share", "true");
	has_marks(view, "memory.share", "w");
	hn_view_unref(view);
}

Test(merge, and_all_true)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.share\": true}}, \"t1\": {\"set\": {\"memory.share\": true}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"]}}}");

	has_value(view, "memory.share", "true");
	has_marks(view, "memory.share", "wsl");
	hn_view_unref(view);
}

Test(merge, and_one_false)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.share\": true}}, \"t1\": {\"set\": {\"memory.share\": false}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"], \"overrides\": {\"memory.share\": true}}}}");

	has_value(view, "memory.share", "false");
	hn_view_unref(view);
}

Test(merge, and_lone_true_over_default_false)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"cpu.nested\": true}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "cpu.nested", "true");
	has_marks(view, "cpu.nested", "wl");
	hn_view_unref(view);
}

Test(merge, or_none)
{
	hn_view *view =
		resolved("{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": []}}}");

	has_value(view, "security.secure-boot", "false");
	has_marks(view, "security.secure-boot", "w");
	hn_view_unref(view);
}

Test(merge, or_one_true)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"security.secure-boot\": true}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"security.secure-boot\": false}}}}");

	has_value(view, "security.secure-boot", "true");
	has_marks(view, "security.secure-boot", "lwl");
	hn_view_unref(view);
}

Test(merge, or_lone_false_over_default_true)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"security.seccomp\": false}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "security.seccomp", "false");
	has_marks(view, "security.seccomp", "wl");
	hn_view_unref(view);
}

Test(merge, set_none)
{
	hn_view *view =
		resolved("{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": []}}}");

	has_value(view, "secrets", "");
	has_marks(view, "secrets", "w");
	hn_view_unref(view);
}

Test(merge, set_one)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"secrets\": [\"b\", \"a\", \"b\"]}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "secrets", "a b");
	has_marks(view, "secrets", "wl");
	hn_view_unref(view);
}

Test(merge, set_union)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"secrets\": [\"b\"]}}, \"t1\": {\"set\": {\"secrets\": [\"a\", \"b\"]}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"], \"overrides\": {\"secrets\": [\"c\"]}}}}");

	has_value(view, "secrets", "a b c");
	has_marks(view, "secrets", "mmml");
	hn_view_unref(view);
}

Test(merge, set_null_adds_nothing)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"secrets\": [\"b\"]}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"secrets\": null}}}}");

	has_value(view, "secrets", "b");
	has_marks(view, "secrets", "iwl");
	hn_view_unref(view);
}

Test(merge, set_empty)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"secrets\": []}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "secrets", "");
	has_marks(view, "secrets", "wl");
	hn_view_unref(view);
}

Test(merge, list_in_order)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"boot.cmdline\": {\"$value\": [\"c\"], \"$order\": 1500}}}, \"t1\": {\"set\": {\"boot.cmdline\": {\"$value\": [\"a\"], \"$order\": 500}}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"], \"overrides\": {\"boot.cmdline\": [\"b\"]}}}}");

	has_value(view, "boot.cmdline", "a b c");
	has_marks(view, "boot.cmdline", "mmml");
	hn_view_unref(view);
}

Test(merge, list_by_layer_then_place)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"boot.cmdline\": [\"b\"]}}, \"t1\": {\"set\": {\"boot.cmdline\": [\"c\"]}}}, \"units\": {\"u\": {\"tags\": [\"t0\", \"t1\"], \"overrides\": {\"boot.cmdline\": [\"a\"]}}}}");

	has_value(view, "boot.cmdline", "a b c");
	has_marks(view, "boot.cmdline", "mmml");
	hn_view_unref(view);
}

Test(merge, list_keeps_repeats)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"boot.cmdline\": [\"a\", \"a\"]}}}, \"units\": {\"u\": {\"tags\": [\"t0\"]}}}");

	has_value(view, "boot.cmdline", "a a");
	hn_view_unref(view);
}

Test(merge, pattern_names_unite)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"disks.a.size\": \"1Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"disks.b.size\": \"2Gi\"}}}}");

	has_value(view, "disks.a.size", "1Gi");
	hn_view_unref(view);
}

Test(merge, pattern_default_where_used)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": [], \"overrides\": {\"disks.a.size\": \"1Gi\"}}}}");

	has_value(view, "disks.a.bus", "virtio");
	hn_view_unref(view);
}

Test(merge, pattern_no_default_elsewhere)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": [], \"overrides\": {\"disks.a.size\": \"1Gi\"}}}}");

	has_value(view, "disks.b.bus", NULL);
	hn_view_unref(view);
}

Test(merge, entry_taken_away)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"disks\": {\"a\": {\"size\": \"1Gi\", \"bus\": \"scsi\"}}}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"disks\": {\"a\": null}}}}}");

	has_value(view, "disks.a.bus", NULL);
	hn_view_unref(view);
}

Test(merge, entry_taken_away_with_its_bounds)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"nics\": {\"lan\": {\"mtu\": 1400}}}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"nics\": {\"lan\": null}}}}}");

	has_value(view, "nics.lan.mtu", NULL);
	hn_view_unref(view);
}

Test(merge, label_taken_away)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"labels.a\": \"x\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"labels.a\": null}}}}");

	has_value(view, "labels.a", NULL);
	has_marks(view, "labels.a", "wl");
	hn_view_unref(view);
}

Test(merge, merge_wrapper_gives_several)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": [], \"overrides\": {\"secrets\": {\"$merge\": [[\"a\"], [\"b\"]]}}}}}");

	has_value(view, "secrets", "a b");
	has_marks(view, "secrets", "mml");
	hn_view_unref(view);
}

Test(merge, priority_of_a_group)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {\"t0\": {\"set\": {\"memory.size\": \"1Gi\"}}}, \"units\": {\"u\": {\"tags\": [\"t0\"], \"overrides\": {\"memory\": {\"$value\": {\"size\": \"2Gi\"}, \"$priority\": 1000}}}}}");

	has_value(view, "memory.size", "1Gi");
	has_marks(view, "memory.size", "wll");
	hn_view_unref(view);
}

Test(merge, size_as_bytes)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": [], \"overrides\": {\"memory.size\": 2147483648}}}}");

	has_value(view, "memory.size", "2Gi");
	hn_view_unref(view);
}

Test(merge, ratio_from_raw_text)
{
	hn_view *view = resolved(
		"{\"hypernix\": 1, \"tags\": {}, \"units\": {\"u\": {\"tags\": [], \"overrides\": {\"remedy.confidence\": 0.123457}}}}");

	has_value(view, "remedy.confidence", "0.123457");
	hn_view_unref(view);
}

Test(merge, blueprint_sets_the_image)
{
	hn_view *view =
		resolved("{\"hypernix\": 1, \"units\": {\"u\": {\"blueprint\": \"web-app\"}}}");

	has_value(view, "image.blueprint", "web-app");
	has_marks(view, "image.blueprint", "wl");
	hn_view_unref(view);
}
