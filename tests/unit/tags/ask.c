/* SPDX-License-Identifier: MIT
 *
 * What a catalogue and a view answer when they are asked: descriptions, checks, walks, differences.
 */
#include "tags/help.h"

#define FLEET                                                                                       \
	"{\"hypernix\":1,\"kinds\":{\"env\":{\"exclusive\":true},\"role\":{}},\n"                   \
	"\"tags\":{\"a\":{\"kind\":\"env\",\"priority\":300,\"implies\":[\"b\"],"                   \
	"\"set\":{\"tpm\":\"2.0\",\"rng\":null}},\n"                                                \
	"\"b\":{}},\n"                                                                              \
	"\"policies\":{\"p\":{\"select\":\"tag:b\",\"set\":{\"memory.size\":\"2Gi\"}},\"q\":{}},\n" \
	"\"units\":{\"u\":{\"tags\":[\"a\"],\"policies\":[\"q\"],"                                  \
	"\"overrides\":{\"disks.d.size\":\"1Gi\"}},\"v\":{}}}"

static hn_catalog *catalog_of(const char *text)
{
	hn_catalog *catalog = NULL;

	cr_assert_eq(catalogued(&text, 1, &catalog, NULL), 0);
	return catalog;
}

/* --- describe --- */

static void describes(const char *what, const char *name, const char *wanted)
{
	hn_catalog *catalog = catalog_of(FLEET);
	char *json = NULL;
	BASE_AUTO_BUF base_buf packed = {0};

	cr_assert_eq(hn_catalog_describe(catalog, what, name, &json, NULL), 0);
	base_buf_text(&packed, "");
	for (const char *at = json; *at != '\0'; at++)
		if (strchr(" \t\n", *at) == NULL)
			base_buf_add(&packed, at, 1);
	cr_assert_str_eq(packed.data, wanted, "%s", packed.data);
	hn_text_free(json);
	hn_catalog_unref(catalog);
}

#define AT(line, column) "{\"file\":\"a.json\",\"line\":" #line ",\"column\":" #column "}"

Test(describe, kind)
{
	describes("kind", "env",
		"{\"name\":\"env\",\"exclusive\":true,\"declared\":[" AT(1, 30) "]}");
	describes("kind", "role",
		"{\"name\":\"role\",\"exclusive\":false,\"declared\":[" AT(1, 56) "]}");
}

Test(describe, tag)
{
	describes("tag", "a",
		"{\"name\":\"a\",\"kind\":\"env\",\"priority\":300,\"implies\":[\"b\"],\"set\":["
		"{\"key\":\"rng\",\"value\":null,\"priority\":300,\"origin\":" AT(
			2, 83) "},"
			       "{\"key\":\"tpm\",\"value\":\"2.0\",\"priority\":300,\"origin\":" AT(
				       2, 71) "}],"
					      "\"declared\":[" AT(2, 13) "]}");
	describes("tag", "b",
		"{\"name\":\"b\",\"kind\":null,\"priority\":400,\"implies\":[],\"set\":[],"
		"\"declared\":[" AT(3, 5) "]}");
}

Test(describe, policy)
{
	describes("policy", "p",
		"{\"name\":\"p\",\"select\":\"tag:b\",\"priority\":600,\"implies\":[],\"set\":["
		"{\"key\":\"memory.size\",\"value\":\"2Gi\",\"priority\":600,\"origin\":" AT(
			4, 56) "}],"
			       "\"declared\":[" AT(4, 17) "]}");
}

Test(describe, unit)
{
	describes("unit", "u",
		"{\"name\":\"u\",\"tags\":[\"a\"],\"policies\":[\"q\"],\"set\":["
		"{\"key\":\"disks.d.size\",\"value\":\"1Gi\",\"priority\":100,\"origin\":" AT(
			5, 73) "}],"
			       "\"declared\":[" AT(5, 14) "]}");
}

static void refuse_describe(
	const char *what, const char *name, int code, const char *words, const char *hint)
{
	hn_catalog *catalog = catalog_of(FLEET);
	hn_error *err = NULL;
	char *json = NULL;
	int rc = hn_catalog_describe(catalog, what, name, &json, &err);

	cr_assert_null(json);
	expect_error(err, rc, code, words, hint);
	hn_catalog_unref(catalog);
}

Test(describe, refused)
{
	refuse_describe("tag", "x", HN_ENOENT, "there is no tag 'x'", "declare the tag");
	refuse_describe("policy", "x", HN_ENOENT, "there is no policy 'x'", "declare the policy");
	refuse_describe("kind", "enw", HN_ENOENT, "there is no kind 'enw'", "did you mean env?");
	refuse_describe("unit", "w", HN_ENOENT, "there is no unit 'w'", NULL);
	refuse_describe("disk", "w", HN_EINVAL, "'disk' cannot be described", "ask for a tag");
	refuse_describe(NULL, "w", HN_EINVAL, "a kind of thing and its name", NULL);
	refuse_describe("tag", NULL, HN_EINVAL, "a kind of thing and its name", NULL);
}

/* --- walks --- */

Test(ask, names_of_a_catalogue)
{
	hn_catalog *catalog = catalog_of(FLEET);

	cr_expect_eq(hn_catalog_unit_count(catalog), 2u);
	cr_expect_str_eq(hn_catalog_unit_at(catalog, 1), "v");
	cr_expect_null(hn_catalog_unit_at(catalog, 2));
	cr_expect_eq(hn_catalog_tag_count(catalog), 2u);
	cr_expect_str_eq(hn_catalog_tag_at(catalog, 0), "a");
	cr_expect_null(hn_catalog_tag_at(catalog, 2));
	cr_expect_eq(hn_catalog_policy_count(catalog), 2u);
	cr_expect_str_eq(hn_catalog_policy_at(catalog, 1), "q");
	cr_expect_null(hn_catalog_policy_at(catalog, 2));
	hn_catalog_unref(catalog);
}

/* Each key with a value once, rows by number, names under a pattern sorted. */
Test(ask, keys_of_a_view)
{
	hn_view *view = resolved(
		"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"disks.zz.size\":\"1Gi\","
		"\"disks.a.size\":\"2Gi\",\"labels.x\":\"y\"}}}}");
	const char *name = NULL, *text = NULL, *names[128];
	const hn_key *key = NULL, *before = NULL;
	size_t count = 0;

	for (; hn_view_key_at(view, count, &name, &key) == 0; count++, before = key) {
		cr_assert_eq(hn_view_get_text(view, name, &text, NULL), 0, "%s", name);
		cr_assert_eq(hn_key_find(name), key);
		cr_assert(before == NULL || before->id <= key->id);
		names[count] = name;
	}
	cr_assert_str_eq(names[count - 1], "labels.x");
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], "disks.a.size") == 0)
			cr_assert_str_eq(names[i + 1], "disks.zz.size");
	cr_expect_eq(hn_view_key_at(view, count, &name, &key), HN_ENOENT);
	hn_view_unref(view);
}

Test(ask, names_under_a_prefix)
{
	hn_view *view = resolved("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{"
				 "\"disks.b.size\":\"1Gi\",\"disks.aaa.size\":\"1Gi\"}}}}");
	const char *name = NULL;

	cr_expect_eq(hn_view_name_at(view, "disks.", 0, &name), 0);
	cr_expect_str_eq(name, "aaa");
	cr_expect_eq(hn_view_name_at(view, "disks.", 1, &name), 0);
	cr_expect_str_eq(name, "b");
	cr_expect_eq(hn_view_name_at(view, "disks.", 2, &name), HN_ENOENT);
	cr_expect_eq(hn_view_name_at(view, "nics.", 0, &name), HN_ENOENT);
	cr_expect_eq(hn_view_name_at(view, "disk", 0, &name), HN_ENOENT);
	cr_expect_eq(hn_view_name_at(view, "memory.", 0, &name), HN_ENOENT);
	cr_expect_eq(hn_view_name_at(view, "diskz.", 0, &name), HN_ENOENT);
	cr_expect_eq(hn_view_name_at(view, NULL, 0, &name), HN_ENOENT);
	hn_view_unref(view);
}

/* --- values --- */

Test(ask, numbers_and_items_are_refused)
{
	hn_view *view = resolved(FLEET);
	const char *text = NULL;
	hn_error *err = NULL;
	int64_t number = 7;
	int rc = hn_view_get_int(view, "compute.limit", &number, &err);

	expect_error(err, rc, HN_ERANGE, "compute.limit is the word 'none'", NULL);
	err = NULL;
	rc = hn_view_get_int(view, "disks.x.size", &number, &err);
	expect_error(err, rc, HN_ENOENT, "unit 'u' has no value for disks.x.size", NULL);
	err = NULL;
	rc = hn_view_get_int(view, "description", &number, &err);
	expect_error(err, rc, HN_EINVAL, "description is a text, which has no number", NULL);
	err = NULL;
	rc = hn_view_get_int(view, "tpn", &number, &err);
	expect_error(err, rc, HN_ESCHEMA, "there is no key 'tpn'", "did you mean tpm?");
	err = NULL;
	rc = hn_view_get_text(view, "zzzzzzzz", &text, &err);
	expect_error(err, rc, HN_ESCHEMA, "there is no key 'zzzzzzzz'", NULL);
	cr_expect_eq(hn_view_get_item(view, "zzzzzzzz", 0, &text), HN_ESCHEMA);
	cr_expect_eq(hn_view_get_item(view, "tpm", 0, &text), HN_EINVAL);
	cr_expect_eq(hn_view_get_item(view, "secrets", 0, &text), HN_ENOENT);
	cr_expect_eq(number, 7);
	cr_expect_null(text);
	hn_view_unref(view);
}

/* --- differences --- */

static int collect_difference(
	void *arg, const char *name, const hn_key *key, const char *before, const char *after)
{
	base_buf *all = arg;

	cr_assert_eq(hn_key_find(name), key);
	base_buf_format(all, "%s: %s -> %s\n", name, before != NULL ? before : "-",
		after != NULL ? after : "-");
	return strcmp(name, "tpm") == 0 ? HN_ECANCELLED : 0;
}

#define DOCUMENT(settings) "{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{" settings "}}}}"

static void differ(const char *before, const char *after, int wanted, const char *lines)
{
	hn_view *old_view = resolved(before), *new_view = resolved(after);
	BASE_AUTO_BUF base_buf all = {0};

	base_buf_text(&all, "");
	cr_assert_eq(hn_view_diff(old_view, new_view, collect_difference, &all, NULL), wanted);
	cr_assert_str_eq(all.data, lines, "%s", all.data);
	if (wanted >= 0)
		cr_assert_eq(hn_view_diff(old_view, new_view, NULL, NULL, NULL), wanted);
	hn_view_unref(old_view);
	hn_view_unref(new_view);
}

Test(difference, of_values)
{
	differ(DOCUMENT("\"memory.size\":\"1Gi\",\"rng\":\"off\""),
		DOCUMENT("\"memory.size\":\"2Gi\""), 2,
		"memory.size: 1Gi -> 2Gi\nrng: off -> urandom\n");
}

Test(difference, of_names)
{
	differ(DOCUMENT("\"labels.a\":\"1\",\"labels.c\":\"1\""),
		DOCUMENT("\"labels.b\":\"2\",\"labels.c\":\"1\",\"description\":\"x\""), 3,
		"labels.a: 1 -> -\nlabels.b: - -> 2\ndescription: - -> x\n");
	differ(DOCUMENT("\"description\":\"x\""), DOCUMENT("\"labels.a\":\"1\""), 2,
		"labels.a: - -> 1\ndescription: x -> -\n");
	differ(DOCUMENT("\"description\":\"x\""), DOCUMENT(""), 1, "description: x -> -\n");
	differ(DOCUMENT("\"disks.a.size\":\"1Gi\""), DOCUMENT(""), 4,
		"disks.a.size: 1Gi -> -\ndisks.a.bus: virtio -> -\ndisks.a.cache: none -> -\n"
		"disks.a.format: qcow2 -> -\n");
}

Test(difference, ends_when_told_to)
{
	differ(DOCUMENT("\"rng\":\"off\",\"tpm\":\"1.2\",\"autostart\":false"), DOCUMENT(""),
		HN_ECANCELLED, "rng: off -> urandom\ntpm: 1.2 -> off\n");
}

/* --- checks --- */

static void collect_problem(void *arg, const hn_error *problem)
{
	base_buf_format(arg, "%s\n", hn_error_message(problem));
}

static void check_says(const char *text, int wanted, const char *lines)
{
	hn_decl *decl = parsed("a.json", text);
	BASE_AUTO_BUF base_buf all = {0};

	base_buf_text(&all, "");
	cr_assert_eq(hn_decl_check(&decl, 1, collect_problem, &all, NULL), wanted, "%s", all.data);
	cr_assert_str_eq(all.data, lines, "%s", all.data);
	hn_decl_unref(decl);
}

Test(check, nothing_wrong)
{
	check_says(FLEET, 0, "");
}

/* Each scalar on which documents differ is told, and the first one said stands. */
Test(check, documents_disagree)
{
	check_says("{\"hypernix\":1,\"documents\":["
		   "{\"kinds\":{\"k\":{\"exclusive\":true},\"l\":{}},"
		   "\"tags\":{\"t\":{\"priority\":300,\"kind\":\"k\"}},"
		   "\"policies\":{\"p\":{\"select\":\"tag:t\"}}},\n"
		   "{\"kinds\":{\"k\":{\"exclusive\":false}},"
		   "\"tags\":{\"t\":{\"priority\":301,\"kind\":\"l\"}},"
		   "\"policies\":{\"p\":{\"select\":\"all\"}}}]}",
		4,
		"a.json:2:15: kind 'k' has another value of exclusive than at a.json:1:42\n"
		"a.json:2:60: tag 't' has another priority than at a.json:1:93\n"
		"a.json:2:71: tag 't' has another kind than at a.json:1:104\n"
		"a.json:2:103: policy 'p' has another selector than at a.json:1:136\n");
}

Test(check, documents_agree)
{
	check_says("{\"hypernix\":1,\"documents\":["
		   "{\"kinds\":{\"k\":{\"exclusive\":true}},"
		   "\"tags\":{\"t\":{\"priority\":300,\"kind\":\"k\"}},"
		   "\"policies\":{\"p\":{\"select\":\"tag:t\"}},"
		   "\"units\":{\"u\":{\"tags\":[\"t\",\"t\"],\"policies\":[\"p\",\"p\"]}}},"
		   "{\"kinds\":{\"k\":{\"exclusive\":true}},"
		   "\"tags\":{\"t\":{\"priority\":300,\"kind\":\"k\"}},"
		   "\"policies\":{\"p\":{\"select\":\"tag:t\"}},"
		   "\"units\":{\"u\":{\"tags\":[\"t\"],\"policies\":[\"p\"]}}}]}",
		0, "");
}

Test(check, unknown_names)
{
	check_says("{\"hypernix\":1,\"tags\":{\"t\":{\"kind\":\"k\",\"implies\":[\"x\"]}},\n"
		   "\"policies\":{\"p\":{\"implies\":[\"y\"]}},\n"
		   "\"units\":{\"u\":{\"tags\":[\"z\"],\"policies\":[\"q\"]}}}",
		5,
		"a.json:1:35: there is no kind 'k'\na.json:1:50: there is no tag 'x'\n"
		"a.json:2:29: there is no tag 'y'\na.json:3:23: there is no tag 'z'\n"
		"a.json:3:40: there is no policy 'q'\n");
}

/* Contradictions inside one owner are told one by one. */
Test(check, contradictions)
{
	check_says(
		"{\"hypernix\":1,\"tags\":{\"a\":{\"set\":{\"tpm\":\"2.0\","
		"\"rng\":{\"$merge\":[\"off\",null]}}}},\n"
		"\"units\":{\"u\":{\"overrides\":{\"rng\":{\"$merge\":[\"off\",\"urandom\"]}}}}}",
		2,
		"a.json:1:70: tag:a gives rng the value 'null' at priority 400, and 'off' at "
		"a.json:1:64\n"
		"a.json:2:51: unit:u gives rng the value 'urandom' at priority 100, and 'off' at "
		"a.json:2:45\n");
}

Test(check, arguments)
{
	hn_decl *decl = parsed("a.json", FLEET);
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;
	int rc = hn_decl_check(&decl, 1, NULL, NULL, &err);

	expect_error(err, rc, HN_EINVAL, "a check needs declarations", NULL);
	cr_expect_eq(hn_decl_check(NULL, 1, collect_problem, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_decl_check(NULL, 0, collect_problem, NULL, NULL), 0);
	err = NULL;
	rc = hn_catalog_new(&decl, 1, NULL, &err);
	expect_error(err, rc, HN_EINVAL, "a catalogue needs declarations", NULL);
	cr_expect_eq(hn_catalog_new(NULL, 1, &catalog, NULL), HN_EINVAL);
	cr_expect_null(catalog);
	cr_expect_eq(hn_catalog_new(NULL, 0, &catalog, NULL), 0);
	err = NULL;
	rc = hn_catalog_remarks(catalog, NULL, NULL, &err);
	expect_error(err, rc, HN_EINVAL, "remarks need a catalogue", NULL);
	hn_catalog_unref(catalog);
	hn_decl_unref(decl);
}

/* The selector may stand in a later fragment than the first. */
Test(check, remark_of_a_later_document)
{
	hn_catalog *catalog =
		catalog_of("{\"hypernix\":1,\"documents\":[{\"policies\":{\"p\":{}}},\n"
			   "{\"policies\":{\"p\":{\"select\":\"tag:x\"}}}]}");
	BASE_AUTO_BUF base_buf all = {0};

	cr_assert_eq(hn_catalog_remarks(catalog, collect_problem, &all, NULL), 1);
	cr_assert_str_eq(all.data,
		"a.json:2:28: the selector of policy 'p' asks for the tag 'x', which nothing "
		"declares\n");
	hn_catalog_unref(catalog);
}
