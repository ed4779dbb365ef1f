/* SPDX-License-Identifier: MIT
 *
 * What a declaration is refused for: each with its code, its place and what would be right.
 */
#include "tags/help.h"

Test(decl_refuse, no_schema)
{
	refuse_decl("{\"units\":{}}", HN_ESCHEMA, "web.json:1:1: ", "hypernix");
}

Test(decl_refuse, schema_text)
{
	refuse_decl("{\"hypernix\":\"1\"}", HN_ESCHEMA, "web.json:1:13: ", "write");
}

Test(decl_refuse, newer_schema)
{
	refuse_decl("{\"hypernix\":2}", HN_ENEWER, "web.json:1:13: ", "newer");
}

Test(decl_refuse, not_an_object)
{
	refuse_decl("[1]", HN_ESCHEMA, "web.json:1:1: a document", NULL);
}

Test(decl_refuse, broken_json)
{
	refuse_decl("{\"hypernix\":1,", HN_ESYNTAX, "web.json:", NULL);
}

Test(decl_refuse, unknown_section)
{
	refuse_decl("{\"hypernix\":1,\n\"unit\":{}}", HN_ESCHEMA, "web.json:2:8: ", "units");
}

Test(decl_refuse, unknown_field_of_unit)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"tag\":[]}}}", HN_ESCHEMA, "no field 'tag'",
		"tags");
}

Test(decl_refuse, unknown_field_of_tag)
{
	refuse_decl("{\"hypernix\":1,\"tags\":{\"t\":{\"sett\":{}}}}", HN_ESCHEMA,
		"no field 'sett'", "set");
}

Test(decl_refuse, unknown_field_of_policy)
{
	refuse_decl("{\"hypernix\":1,\"policies\":{\"p\":{\"zzzzzz\":{}}}}", HN_ESCHEMA, "no field",
		"select");
}

Test(decl_refuse, unknown_field_of_kind)
{
	refuse_decl("{\"hypernix\":1,\"kinds\":{\"k\":{\"exclusiv\":true}}}", HN_ESCHEMA,
		"no field", "exclusive");
}

Test(decl_refuse, unknown_key)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.sise\":\"1Gi\"}}}}",
		HN_ESCHEMA, "no key 'memory.sise'", "memory.size");
}

Test(decl_refuse, unknown_nested_key)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory\":{\"sise\":\"1Gi\"}}}}}",
		HN_ESCHEMA, "memory.sise", "memory.size");
}

Test(decl_refuse, star_is_no_name)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"disks.*.size\":\"1Gi\"}}}}",
		HN_ESCHEMA, "disks.*.size", NULL);
}

Test(decl_refuse, bad_disk_name)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"disks\":{\"Root\":{\"size\":\"1Gi\"}}}}}}",
		HN_ESCHEMA, "disks.Root", NULL);
}

Test(decl_refuse, key_twice)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":\"1Gi\",\n\"memory\":{\"size\":\"1Gi\"}}}}}",
		HN_EDUPLICATE, "web.json:2:18: memory.size is given twice", "keep one");
}

Test(decl_refuse, member_twice)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{},\"u\":{}}}", HN_EDUPLICATE, "web.json:", NULL);
}

Test(decl_refuse, name_capital)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"Web\":{}}}", HN_ESCHEMA, "'Web' is not a name",
		"a-z");
}

Test(decl_refuse, name_slash)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"a/b\":{}}}", HN_ESCHEMA, "'a/b' is not a name", NULL);
}

Test(decl_refuse, name_dots)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"..\":{}}}", HN_ESCHEMA, "'..' is not a name", NULL);
}

Test(decl_refuse, name_empty)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"\":{}}}", HN_ESCHEMA, "'' is not a name", NULL);
}

Test(decl_refuse, name_control)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"a\\u0001\":{}}}", HN_ESCHEMA, "is not a name", NULL);
}

Test(decl_refuse, tag_two_namespaces)
{
	refuse_decl("{\"hypernix\":1,\"tags\":{\"a/b/c\":{}}}", HN_ESCHEMA, "'a/b/c' is not a name",
		"namespace");
}

Test(decl_refuse, tag_empty_namespace)
{
	refuse_decl("{\"hypernix\":1,\"tags\":{\"/c\":{}}}", HN_ESCHEMA, "is not a name", NULL);
}

Test(decl_refuse, name_of_64)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":{}}}",
		HN_ESCHEMA, "is not a name", NULL);
}

Test(decl_refuse, tags_text)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"tags\":\"web\"}}}", HN_ESCHEMA,
		"tags must be an array", NULL);
}

Test(decl_refuse, tags_number)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"tags\":[1]}}}", HN_ESCHEMA,
		"must be a string", NULL);
}

Test(decl_refuse, unit_text)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":\"x\"}}", HN_ESCHEMA,
		"a unit must be an object", NULL);
}

Test(decl_refuse, exclusive_text)
{
	refuse_decl("{\"hypernix\":1,\"kinds\":{\"k\":{\"exclusive\":\"yes\"}}}", HN_ESCHEMA,
		"exclusive must be", NULL);
}

Test(decl_refuse, tag_priority_99)
{
	refuse_decl("{\"hypernix\":1,\"tags\":{\"t\":{\"priority\":99}}}", HN_ERANGE, "100 to 900",
		NULL);
}

Test(decl_refuse, tag_priority_901)
{
	refuse_decl("{\"hypernix\":1,\"tags\":{\"t\":{\"priority\":901}}}", HN_ERANGE, "100 to 900",
		NULL);
}

Test(decl_refuse, policy_priority_499)
{
	refuse_decl("{\"hypernix\":1,\"policies\":{\"p\":{\"priority\":499}}}", HN_ERANGE,
		"500 to 800", NULL);
}

Test(decl_refuse, policy_priority_801)
{
	refuse_decl("{\"hypernix\":1,\"policies\":{\"p\":{\"priority\":801}}}", HN_ERANGE,
		"500 to 800", NULL);
}

Test(decl_refuse, priority_10)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":{\"$value\":\"1Gi\",\"$priority\":10}}}}}",
		HN_ERANGE, "50 to 1500", "break-glass");
}

Test(decl_refuse, priority_1501)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":{\"$value\":\"1Gi\",\"$priority\":1501}}}}}",
		HN_ERANGE, "50 to 1500", NULL);
}

Test(decl_refuse, priority_text)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":{\"$value\":\"1Gi\",\"$priority\":\"50\"}}}}}",
		HN_ESCHEMA, "$priority must be", NULL);
}

Test(decl_refuse, default_priority_100)
{
	refuse_decl(
		"{\"hypernix\":1,\"defaults\":{\"memory.size\":{\"$value\":\"1Gi\",\"$priority\":100}}}",
		HN_ERANGE, "1100 to 1400", NULL);
}

Test(decl_refuse, order_negative)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.cmdline\":{\"$value\":[\"a\"],\"$order\":-1}}}}}",
		HN_ERANGE, "$order must be", "1000 is usual");
}

Test(decl_refuse, unknown_dollar)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":{\"$value\":\"1Gi\",\"$prio\":50}}}}}",
		HN_ESCHEMA, "'$prio' cannot stand here", "$priority");
}

Test(decl_refuse, wrapper_without_value)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":{\"$priority\":50}}}}}",
		HN_ESCHEMA, "exactly one of $value and $merge", NULL);
}

Test(decl_refuse, wrapper_value_and_merge)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":{\"$value\":\"1Gi\",\"$merge\":[]}}}}}",
		HN_ESCHEMA, "exactly one", NULL);
}

Test(decl_refuse, merge_is_no_array)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":{\"$merge\":\"1Gi\"}}}}}",
		HN_ESCHEMA, "$merge must be an array", NULL);
}

Test(decl_refuse, group_unset)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory\":null}}}}",
		HN_ESCHEMA, "cannot be unset as a whole", NULL);
}

Test(decl_refuse, group_text)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory\":\"1Gi\"}}}}",
		HN_ESCHEMA, "'memory' is a group", NULL);
}

Test(decl_refuse, key_object)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":{\"a\":1}}}}}",
		HN_ESCHEMA, "memory.size cannot be an object", "{ \"$value\": ...");
}

Test(decl_refuse, resources_other_group)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"resources\":{\"boot\":{\"goal\":\"4s\"}}}}}",
		HN_ESCHEMA, "cannot stand in resources", "overrides");
}

Test(decl_refuse, size_gb)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":\"32GB\"}}}}",
		HN_ESYNTAX, "32GB", "32G");
}

Test(decl_refuse, size_fraction)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"disks.a.size\":\"0.3Ki\"}}}}",
		HN_ESYNTAX, "0.3Ki", NULL);
}

Test(decl_refuse, size_half_byte)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.floor\":\"1.5B\"}}}}",
		HN_ESYNTAX, "1.5B", NULL);
}

Test(decl_refuse, duration_m)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.goal\":\"0.1m\"}}}}",
		HN_ESYNTAX, "0.1m", "min");
}

Test(decl_refuse, size_step)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":101711873}}}}",
		HN_ERANGE, "in steps of 2Mi", NULL);
}

Test(decl_refuse, size_small)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":\"2Mi\"}}}}",
		HN_ERANGE, "from 64Mi to 8Ti", NULL);
}

Test(decl_refuse, size_overflow)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":\"99999999999999999999Gi\"}}}}",
		HN_ERANGE, "memory.size", NULL);
}

Test(decl_refuse, integer_2_63)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"compute.units\":9223372036854775808}}}}",
		HN_ERANGE, "web.json:", NULL);
}

Test(decl_refuse, ratio_seven_decimals)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"compute.overcommit\":1.1234567}}}}",
		HN_ESYNTAX, "1.1234567", NULL);
}

Test(decl_refuse, ratio_exponent)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"compute.overcommit\":1e0}}}}",
		HN_ESYNTAX, "1e0", NULL);
}

Test(decl_refuse, bool_text)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"autostart\":\"yes\"}}}}",
		HN_ESCHEMA, "true or false", NULL);
}

Test(decl_refuse, bool_for_size)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":true}}}}",
		HN_ESCHEMA, "memory.size cannot be", NULL);
}

Test(decl_refuse, duration_number)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.goal\":5}}}}",
		HN_ESCHEMA, "boot.goal cannot be", "unit");
}

Test(decl_refuse, enum_number)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"tpm\":2.0}}}}", HN_ESCHEMA,
		"tpm cannot be", "string");
}

Test(decl_refuse, enum_unknown)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"tpm\":\"3.0\"}}}}",
		HN_ESCHEMA, "off, 1.2 or 2.0", NULL);
}

Test(decl_refuse, list_of_numbers)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.cmdline\":[1]}}}}",
		HN_ESCHEMA, "boot.cmdline cannot be", "items are strings");
}

Test(decl_refuse, array_for_size)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":[\"1Gi\"]}}}}",
		HN_ESCHEMA, "cannot be an array", NULL);
}

Test(decl_refuse, list_item_with_space)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.cmdline\":[\"a b\"]}}}}",
		HN_ESCHEMA, "a b", NULL);
}

Test(decl_refuse, forward_without_port)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"network.forward\":[\"tcp:127.0.0.1:80\"]}}}}",
		HN_ESCHEMA, "tcp:ADDRESS", NULL);
}

Test(decl_refuse, list_of_257)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.cmdline\":[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]}}}}", HN_ELIMIT,
		"256", NULL);
}

Test(decl_refuse, tags_of_65)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"tags\":[\"t0\",\"t1\",\"t2\",\"t3\",\"t4\",\"t5\",\"t6\",\"t7\",\"t8\",\"t9\",\"t10\",\"t11\",\"t12\",\"t13\",\"t14\",\"t15\",\"t16\",\"t17\",\"t18\",\"t19\",\"t20\",\"t21\",\"t22\",\"t23\",\"t24\",\"t25\",\"t26\",\"t27\",\"t28\",\"t29\",\"t30\",\"t31\",\"t32\",\"t33\",\"t34\",\"t35\",\"t36\",\"t37\",\"t38\",\"t39\",\"t40\",\"t41\",\"t42\",\"t43\",\"t44\",\"t45\",\"t46\",\"t47\",\"t48\",\"t49\",\"t50\",\"t51\",\"t52\",\"t53\",\"t54\",\"t55\",\"t56\",\"t57\",\"t58\",\"t59\",\"t60\",\"t61\",\"t62\",\"t63\",\"t64\"]}}}",
		HN_ELIMIT, "at most 64", NULL);
}

Test(decl_refuse, selector_syntax)
{
	refuse_decl("{\"hypernix\":1,\"policies\":{\"p\":{\"select\":\"tag:a and\"}}}", HN_ESYNTAX,
		"column 10", "not");
}

Test(decl_refuse, selector_65_tests)
{
	refuse_decl(
		"{\"hypernix\":1,\"policies\":{\"p\":{\"select\":\"tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a or tag:a\"}}}",
		HN_ELIMIT, "64 tests", NULL);
}

Test(decl_refuse, selector_9_stars)
{
	refuse_decl("{\"hypernix\":1,\"policies\":{\"p\":{\"select\":\"tag:a*a*a*a*a*a*a*a*a*\"}}}",
		HN_ELIMIT, "8 stars", NULL);
}

Test(decl_refuse, selector_depth_17)
{
	refuse_decl(
		"{\"hypernix\":1,\"policies\":{\"p\":{\"select\":\"(((((((((((((((((all)))))))))))))))))\"}}}",
		HN_ELIMIT, "deeper than 16", NULL);
}

Test(decl_refuse, selector_1025_bytes)
{
	refuse_decl(
		"{\"hypernix\":1,\"policies\":{\"p\":{\"select\":\"all                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              \"}}}",
		HN_ELIMIT, "selector", NULL);
}

Test(decl_refuse, origins_missing_pointer)
{
	refuse_decl("{\"hypernix\":1,\"files\":[\"a\"],\"origins\":{\"/units/x\":[0,1,1]}}",
		HN_ENOENT, "'/units/x'", "RFC 6901");
}

Test(decl_refuse, origins_without_file)
{
	refuse_decl("{\"hypernix\":1,\"origins\":{\"/hypernix\":[0,1,1]}}", HN_ERANGE, "no file 0",
		"files");
}

Test(decl_refuse, origins_two_numbers)
{
	refuse_decl("{\"hypernix\":1,\"files\":[\"a\"],\"origins\":{\"/hypernix\":[0,1]}}",
		HN_ESCHEMA, "an origin is an array", NULL);
}

Test(decl_refuse, origins_negative)
{
	refuse_decl("{\"hypernix\":1,\"files\":[\"a\"],\"origins\":{\"/hypernix\":[0,-1,1]}}",
		HN_ESCHEMA, "not negative", NULL);
}

Test(decl_refuse, files_number)
{
	refuse_decl("{\"hypernix\":1,\"files\":[1]}", HN_ESCHEMA, "files holds strings", NULL);
}

Test(decl_refuse, documents_text)
{
	refuse_decl("{\"hypernix\":1,\"documents\":\"x\"}", HN_ESCHEMA,
		"documents must be an array", NULL);
}

Test(decl_refuse, documents_with_units)
{
	refuse_decl("{\"hypernix\":1,\"documents\":[],\"units\":{}}", HN_ESCHEMA,
		"no field 'units'", NULL);
}

Test(decl_refuse, newer_inner_document)
{
	refuse_decl(
		"{\"hypernix\":1,\"documents\":[{\"hypernix\":3}]}", HN_ENEWER, "schema 3", NULL);
}

Test(decl_refuse, depth_33)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
		HN_ELIMIT, "web.json:", NULL);
}

Test(decl_refuse, lone_surrogate)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"description\":\"\\ud800\"}}}}",
		HN_ESYNTAX, "web.json:", NULL);
}

Test(decl_refuse, nul_escape)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"description\":\"a\\u0000b\"}}}}",
		HN_ESYNTAX, "web.json:", NULL);
}

Test(decl_refuse, text_two_lines)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"description\":\"a\\nb\"}}}}",
		HN_ESCHEMA, "256 bytes", NULL);
}

Test(decl_refuse, text_257_bytes)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"description\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}}}",
		HN_ESCHEMA, "256 bytes", NULL);
}

Test(decl_refuse, path_parent)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.kernel\":\"/a/../b\"}}}}",
		HN_ESCHEMA, "without '..'", NULL);
}

Test(decl_refuse, mac_multicast)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"nics.lan.mac\":\"01:00:00:00:00:01\"}}}}",
		HN_ESCHEMA, "unicast", NULL);
}

Test(decl_refuse, schedule_25_hours)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"backup.schedule\":\"daily 25:00\"}}}}",
		HN_ESCHEMA, "hourly, daily", NULL);
}

Test(decl_refuse, window_without_end)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"update.window\":\"Sun 02:00\"}}}}",
		HN_ESCHEMA, "weekly window", NULL);
}

Test(decl_refuse, window_of_no_length)
{
	refuse_decl(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"update.window\":\"Sun 02:00-02:00\"}}}}",
		HN_ESCHEMA, "weekly window", NULL);
}
