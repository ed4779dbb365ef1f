/* SPDX-License-Identifier: MIT
 *
 * Recipes: what is refused, and the manifest that one makes with its packages.
 */
#include "compose/recipe.h"

#include <criterion/criterion.h>

#define MANIFEST                                                                                   \
	"\"manifest\": {\"hypernix\": 1, \"component\": \"c\", \"kind\": \"runtime\", "            \
	"\"provides\": [{\"contract\": \"a/b\", \"version\": \"{upstream}\"}]}"

static compose_recipe *recipe_of(const char *text)
{
	compose_recipe *made = NULL;
	hn_error *err = NULL;
	int rc = compose_recipe_parse("r.json", text, strlen(text), &made, &err);

	cr_assert_eq(rc, 0, "%s", err != NULL ? hn_error_message(err) : "-");
	return made;
}

typedef struct refusal {
	const char *given; /* members behind "hypernix": 1 */
	hn_code code;
	const char *said;
} refusal;

Test(recipe, what_is_no_recipe_is_refused)
{
	static const refusal rows[] = {
		{"\"packages\": []", HN_ESCHEMA, "r.json:1:1: a recipe needs 'manifest'"},
		{"\"package\": [], " MANIFEST, HN_ESCHEMA,
			"r.json:2:12: a recipe has no field 'package'"},
		{MANIFEST, HN_ESCHEMA, "r.json:1:1: a recipe without packages needs 'version'"},
		{"\"version\": \"1.0.0\", " MANIFEST, HN_ESCHEMA,
			"r.json:2:130: c has no package whose version {upstream} could be"},
		{"\"version\": \"1.0\", " MANIFEST, HN_ESYNTAX, "r.json:2:12: "},
		{"\"version\": \"{upstream}\", " MANIFEST, HN_ESYNTAX, "r.json:2:12: "},
		{"\"version\": \"1.0.0\", \"packages\": [{\"package\": \"ab\"}], " MANIFEST,
			HN_ESCHEMA, "r.json:2:12: the version of c is that of its first package"},
		{"\"packages\": [{}], " MANIFEST, HN_ESCHEMA,
			"r.json:2:14: a package needs 'package'"},
		{"\"packages\": [{\"package\": \"--force\"}], " MANIFEST, HN_ESCHEMA,
			"r.json:2:26: '--force' is not a name of a package"},
		{"\"packages\": [{\"package\": \"a=1\"}], " MANIFEST, HN_ESCHEMA,
			"r.json:2:26: 'a=1' is not a name of a package"},
		{"\"packages\": [{\"package\": \"a\"}], " MANIFEST, HN_ESCHEMA,
			"r.json:2:26: 'a' is not a name of a package"},
		{"\"packages\": [{\"package\": \"ab\", \"version\": \"\"}], " MANIFEST, HN_ESCHEMA,
			"r.json:2:43: no version of a package begins with ''"},
		{"\"packages\": [{\"package\": \"ab\", \"version\": \"1 2\"}], " MANIFEST,
			HN_ESCHEMA, "r.json:2:43: no version of a package begins with '1 2'"},
		{"\"packages\": [{\"package\": \"ab\"}, {\"package\": \"ab\"}], " MANIFEST,
			HN_EDUPLICATE, "r.json:2:45: package ab is given twice"},
		{"\"packages\": [{\"package\": \"ab\", \"scripts\": [\"postinst\"]}], " MANIFEST,
			HN_ESCHEMA, "r.json:2:14: ab has scripts without a decision"},
		{"\"packages\": [{\"package\": \"ab\", \"decision\": \"x\"}], " MANIFEST,
			HN_ESCHEMA, "r.json:2:44: a decision without scripts is about nothing"},
		{"\"packages\": [{\"package\": \"ab\", \"exclude\": [\"usr\"]}], " MANIFEST,
			HN_ESCHEMA, "r.json:2:44: the pattern 'usr' is not absolute"},
		{"\"version\": \"1.0.0\", \"manifest\": {\"hypernix\": 1, \"component\": \"c\", "
		 "\"version\": \"1.0.0\", \"kind\": \"config\"}",
			HN_ESCHEMA, "r.json:2:78: the manifest of a recipe has no 'version'"},
		{"\"version\": \"1.0.0\", \"manifest\": {\"hypernix\": 1, \"component\": \"c\", "
		 "\"kind\": \"config\", \"sumary\": \"x\"}",
			HN_ESCHEMA, "r.json:2:95: a manifest has no field 'sumary'"},
		{"\"version\": \"1.0.0\", \"revision\": 2, " MANIFEST, HN_ESCHEMA,
			"only the version of a package has a revision beside it"},
		{"\"revision\": 0, \"packages\": [{\"package\": \"ab\"}], " MANIFEST, HN_ERANGE,
			"r.json:2:13: a revision is a number from 1 on"},
		{"\"packages\": [{\"package\": \"ab\"}], \"manifest\": {\"hypernix\": 1, "
		 "\"component\": \"c\", \"kind\": \"config\", \"payloads\": []}",
			HN_ESCHEMA, "the payloads of c are its packages"},
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		BASE_AUTO_BUF base_buf text = {0};
		compose_recipe *untouched = (void *)(uintptr_t)0x7075, *made = untouched;
		hn_error *err = NULL;
		int rc;

		base_buf_format(&text, "{\"hypernix\": 1,\n%s}", rows[i].given);
		rc = compose_recipe_parse("r.json", text.data, text.size, &made, &err);
		cr_expect_eq(rc, rows[i].code, "%zu: %d", i, rc);
		if (rc < 0)
			cr_expect_not_null(strstr(hn_error_message(err), rows[i].said), "%zu: %s",
				i, hn_error_message(err));
		cr_expect_eq(made, untouched);
		hn_error_unref(err);
	}
}

/* --- versions --- */

Test(recipe, versions_of_debian_become_ours)
{
	static const struct {
		const char *given, *upstream;
		uint64_t revision;
	} rows[] = {
		{"2.36-9+deb12u14", "2.36.0", 91400},
		{"1:2.36-9+deb12u14", "2.36.0", 91400},
		{"1.22.1-9+deb12u11", "1.22.1", 91100},
		{"18.20.4+dfsg-1~deb12u3", "18.20.4", 10300},
		{"6.1.192-2", "6.1.192", 20000},
		{"1:1.35.0-4+deb12u1+b1", "1.35.0", 40101},
		{"1.35.0-4+b7", "1.35.0", 40007},
		{"1.18.0-0ubuntu1.4", "1.18.0", 100},
		{"007.1.2.3-1", "7.1.2", 30000000010000},
		{"120.0.6099.129-1~deb12u1", "120.0.6099", 1290000000010100},
		{"120.0.6099.224-1~deb12u1", "120.0.6099", 2240000000010100},
		{"12.4+deb12u5", "12.4.0", 500},
		{"12.4+deb12u12", "12.4.0", 1200},
		{"72", "72.0.0", 0},
		{"72.", "72.0.0", 0},
		{"5.1-rc1-2", "5.1.0", 20000},
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		compose_package_release found = {.upstream = ""};

		cr_expect_eq(compose_package_released(rows[i].given, &found, NULL), 0);
		cr_expect_str_eq(found.upstream, rows[i].upstream, "%s", rows[i].given);
		cr_expect_eq(found.revision, rows[i].revision, "%s", rows[i].given);
	}
}

Test(recipe, versions_without_a_number_are_refused)
{
	static const char *const rows[] = {"rc1-1", "-1", "1:", "~1-1", "12345678901.0-1",
		"1.0-12345678901", "1.0-1u99999999999", "1.2.3.900001-1"};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		compose_package_release found = {.upstream = "untouched"};
		hn_error *err = NULL;

		cr_expect_eq(
			compose_package_released(rows[i], &found, &err), HN_ERANGE, "%s", rows[i]);
		cr_expect_str_eq(found.upstream, "untouched");
		hn_error_unref(err);
	}
}

/* --- control files --- */

static int read_control(const char *text, compose_package *package, hn_error **err)
{
	return compose_package_control(package, text, strlen(text), err);
}

Test(recipe, control_files_say_what_a_package_is)
{
	compose_package *package = compose_package_new();

	cr_assert_eq(
		read_control("Package: libstdc++6\nSource: x\nVersion:  12.2-1 \n"
			     "Description: words\n Version: 9\nDepends: gcc-12-base (= 12.2-1), "
			     "libc6\n\nPackage: another\n",
			package, NULL),
		0);
	cr_assert_str_eq(package->name, "libstdc++6");
	cr_assert_str_eq(package->version, "12.2-1");
	cr_assert_str_eq(package->dependency, "gcc-12-base");
	compose_package_unref(package);
	package = compose_package_new();
	cr_assert_eq(read_control("Package: ab\nVersion: 1\nDepends: --force", package, NULL), 0);
	cr_assert_null(package->dependency);
	compose_package_unref(package);
}

Test(recipe, control_files_that_say_nothing_are_refused)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"", "has no Package"},
		{"Package: ab\n", "has no Version"},
		{"Package:\nVersion: 1\n", "has no Package"},
		{"\nPackage: ab\nVersion: 1\n", "has no Package"},
		{"Package: ../ab\nVersion: 1\n", "'../ab' as Package"},
		{"Package: ab\nVersion: 1 2\n", "'1 2' as Version"},
		{"Package: ab\nVersion: -o\n", "'-o' as Version"},
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		compose_package *package = compose_package_new();
		hn_error *err = NULL;

		cr_assert_eq(read_control(rows[i].text, package, &err), HN_EENTRY, "%zu", i);
		cr_expect_not_null(strstr(hn_error_message(err), rows[i].said), "%zu: %s", i,
			hn_error_message(err));
		hn_error_unref(err);
		compose_package_unref(package);
	}
}

/* --- manifests --- */

static compose_script scripts[] = {{.name = "postinst"}, {.name = "triggers"}};

static compose_package package_of(const char *name, const char *version, size_t script_count)
{
	compose_package made = {.name = name,
		.version = version,
		.size = 42,
		.scripts = scripts,
		.script_count = script_count};

	memset(made.sha256.bytes, name[0] == 'r' ? 0xcd : 0xab, sizeof(made.sha256.bytes));
	return made;
}

#define AB64 "abababababababababababababababababababababababababababababababab"
#define CD64 "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
#define ZERO64 "0000000000000000000000000000000000000000000000000000000000000000"

static const char whole[] =
	"{\"hypernix\": 1, \"packages\": [{\"package\": \"ab\", \"version\": \"1.\", \"exclude\": "
	"[\"/usr/**\"], \"scripts\": [\"postinst\", \"preinst\", \"triggers\"], \"decision\": "
	"\"no\"}, {\"package\": \"meta\", \"first-dependency\": true}],\n\"manifest\": "
	"{\"hypernix\": 1, \"component\": \"c\", \"kind\": \"runtime\", \"provides\": "
	"[{\"contract\": \"a/b\", \"version\": \"{upstream}\"}, {\"contract\": \"a/c\", "
	"\"version\": \"3.0.0\"}], \"files\": [{\"path\": \"/a\", \"text\": \"{upstream}\"}]}}";

static const char expected[] =
	"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.2.0+r30400\",\"kind\":\"runtime\","
	"\"provides\":[{\"contract\":\"a/b\",\"version\":\"1.2.0\"},{\"contract\":\"a/c\","
	"\"version\":\"3.0.0\"}],\"files\":[{\"path\":\"/a\",\"text\":\"{upstream}\"},"
	"{\"path\":\"/init\",\"mode\":\"0755\",\"text\":\"#!\\n\"},"
	"{\"path\":\"/x\",\"mode\":\"0644\",\"text\":\"\"}],\"upstream\":\"ab 1.2-3u4\","
	"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" AB64
	"\",\"size\":42,\"upstream\":\"ab 1.2-3u4\",\"exclude\":[\"/usr/**\"],"
	"\"scripts\":{\"postinst\":\"b2:" ZERO64 "\",\"triggers\":\"b2:" ZERO64
	"\",\"decision\":\"no\"}},{\"kind\":\"deb\",\"sha256\":\"" CD64
	"\",\"size\":42,\"upstream\":\"real 7-1\",\"exclude\":[]}]}";

Test(recipe, makes_a_manifest)
{
	static const hn_recipe_file files[] = {
		{.path = "/init", .text = "#!\n", .executable = true}, {.path = "/x", .text = ""}};
	compose_package first = package_of("ab", "1.2-3u4", 2),
			second = package_of("real", "7-1", 0);
	const compose_package *packages[] = {&first, &second};
	compose_recipe *recipe = recipe_of(whole);
	hn_json *compact = NULL;
	const char *text = NULL;
	char *json = NULL;
	hn_error *err = NULL;

	cr_assert_str_eq(hn_recipe_component(recipe), "c");
	cr_assert_eq(hn_recipe_manifest(recipe, packages, 2, files, 2, &json, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	cr_assert_eq(hn_json_new(false, &compact, NULL), 0);
	hn_json_raw(compact, NULL, json);
	cr_assert_eq(hn_json_finish(compact, &text, NULL, NULL), 0);
	cr_assert_str_eq(text, expected);
	hn_json_free(compact);
	hn_text_free(json);
	compose_recipe_unref(recipe);
}

static void refused(
	compose_package first, compose_package second, size_t count, hn_code code, const char *said)
{
	const compose_package *packages[] = {&first, &second};
	compose_recipe *recipe = recipe_of(whole);
	char *json = NULL;
	hn_error *err = NULL;

	cr_expect_eq(hn_recipe_manifest(recipe, packages, count, NULL, 0, &json, &err), code);
	cr_assert_not_null(err);
	cr_expect_not_null(strstr(hn_error_message(err), said), "%s", hn_error_message(err));
	cr_expect_null(json);
	hn_error_unref(err);
	compose_recipe_unref(recipe);
}

Test(recipe, packages_that_do_not_fit_are_refused)
{
	compose_package ab = package_of("ab", "1.2-3", 2), real = package_of("real", "7-1", 0);

	refused(ab, package_of("real", "7-1", 1), 2, HN_ESCHEMA,
		"r.json:1:156: real 7-1 has postinst, about which its recipe decides nothing");
	refused(ab, package_of("real", "7-1", 2), 2, HN_ESCHEMA, "has postinst, triggers, about");
	refused(package_of("ba", "1.2-3", 2), real, 2, HN_EINVAL, "ab is wanted here, and ba");
	refused(package_of("ab", "2.1-3", 2), real, 2, HN_EMISSING, "is to begin with 1.");
	refused(ab, real, 1, HN_EINVAL, "c is made of 2 packages, and 1 are given");
	ab.version = "1.x-99999999999";
	refused(ab, real, 2, HN_ERANGE, "no semantic version can be made of 1.x-99999999999");
}

Test(recipe, a_revision_takes_the_place_of_that_of_the_package)
{
	static const char text[] =
		"{\"hypernix\":1,\"revision\":600,\"packages\":[{\"package\":\"ab\"}],"
		"\"manifest\":{\"hypernix\":1,\"component\":\"c\",\"kind\":\"config\"}}";
	compose_package ab = package_of("ab", "1.1.1w-0+deb11u1", 0);
	const compose_package *packages[] = {&ab}, *none[] = {NULL};
	compose_recipe *recipe = recipe_of(text);
	char *json = NULL;

	cr_assert_eq(hn_recipe_manifest(recipe, packages, 1, NULL, 0, &json, NULL), 0);
	cr_expect_not_null(strstr(json, "\"1.1.1+r600\""), "%s", json);
	cr_expect_eq(hn_recipe_manifest(recipe, none, 1, NULL, 0, &json, NULL), HN_EINVAL);
	hn_text_free(json);
	compose_recipe_unref(recipe);
}

#define MADE                                                                                       \
	"{\"hypernix\":1,\"component\":\"c\",\"version\":\"%s\",\"kind\":\"config\","              \
	"\"upstream\":\"%s\"}"

static compose_manifest *made_of(const char *version, const char *upstream)
{
	compose_manifest *manifest = NULL;
	char text[512];

	snprintf(text, sizeof(text), MADE, version, upstream);
	cr_assert_eq(compose_manifest_parse("m.json", text, strlen(text), &manifest, NULL), 0);
	return manifest;
}

/* What is there, what comes: with ours as the map makes it, or as given. */
static int held(const char *is_there, const char *ours_there, const char *comes, const char *ours,
	bool replace, hn_error **err)
{
	compose_registry *registry = compose_registry_new();
	compose_manifest *there = made_of(ours_there, is_there), *new = made_of(ours, comes);
	int rc;

	cr_assert_eq(compose_registry_add_manifest(registry, there, 0, NULL), 0);
	cr_assert_eq(compose_registry_seal(registry, NULL), 0);
	rc = hn_recipe_check(registry, new, replace, err);
	compose_manifest_unref(there);
	compose_manifest_unref(new);
	compose_registry_unref(registry);
	return rc;
}

static int held_as_made(const char *is_there, const char *comes, bool replace, hn_error **err)
{
	compose_package_release releases[2];
	const char *const texts[] = {is_there, comes};
	char upstream[2][128], ours[2][192];

	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(compose_package_released(texts[i], &releases[i], NULL), 0);
		snprintf(upstream[i], sizeof(upstream[i]), "ab %s", texts[i]);
		snprintf(ours[i], sizeof(ours[i]), "%s+r%llu", releases[i].upstream,
			(unsigned long long)releases[i].revision);
	}
	return held(upstream[0], ours[0], upstream[1], ours[1], replace, err);
}

Test(recipe, the_order_of_ours_is_that_of_debian)
{
	static const struct {
		const char *older, *newer;
		int code; /* of the newer beside the older, and the other way round */
	} rows[] = {
		{"2.36-9+deb12u7", "2.36-9+deb12u14", 0},
		{"12.4+deb12u5", "12.4+deb12u12", 0},
		{"120.0.6099.129-1~deb12u1", "120.0.6099.224-1~deb12u1", 0},
		{"6.1.99-1", "6.1.140-1", 0},
		{"1.1.1n-0+deb11u5", "1.1.1w-0+deb11u1", HN_ECONFLICT},
		{"1:9.9-1", "2:1.0-1", HN_ECONFLICT},
		{"3.0.2-0ubuntu1.18", "3.0.2-0ubuntu1.19", HN_ECONFLICT},
		{"1.0~rc1-1", "1.0-1", HN_ECONFLICT},
		{"1.2-1~bpo12+1", "1.2-1", HN_ECONFLICT},
	};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		cr_expect_eq(held_as_made(rows[i].older, rows[i].newer, false, NULL), rows[i].code,
			"%s", rows[i].newer);
		cr_expect_eq(held_as_made(rows[i].newer, rows[i].older, false, NULL), rows[i].code,
			"%s", rows[i].older);
		cr_expect_eq(held_as_made(rows[i].newer, rows[i].newer, false, NULL), 0);
	}
	/* the same version of ours: only where one takes the place of the other */
	cr_expect_eq(held_as_made("1.2-1~bpo12+1", "1.2-1", true, NULL), 0);
	cr_expect_eq(held_as_made("1:9.9-1", "2:1.0-1", true, NULL), HN_ECONFLICT);
}

Test(recipe, what_is_in_another_order_says_the_way_out)
{
	hn_error *err = NULL;

	cr_expect_eq(held("ab 1.1.1n-0+deb11u5", "1.1.1+r500", "ab 1.1.1w-0+deb11u1", "1.1.1+r100",
			     false, &err),
		HN_ECONFLICT);
	cr_expect_str_eq(hn_error_message(err),
		"c 1.1.1+r100 is made of ab 1.1.1w-0+deb11u1, which is newer than ab "
		"1.1.1n-0+deb11u5 of 1.1.1+r500 that is there, and it is older");
	cr_expect_not_null(strstr(hn_error_hint(err), "\"revision\" that is above 500"), "%s",
		hn_error_hint(err));
	err = hn_error_unref(err);
	cr_expect_eq(held("ab 1:9.9-1", "9.9.0+r1", "ab 2:1.0-1", "1.0.0+r1", false, &err),
		HN_ECONFLICT);
	cr_expect_not_null(
		strstr(hn_error_hint(err), "take c 9.9.0+r1 away"), "%s", hn_error_hint(err));
	hn_error_unref(err);
	cr_expect_eq(held("ab 1.1.1n-0+deb11u5", "1.1.1+r500", "ab 1.1.1w-0+deb11u1", "1.1.1+r501",
			     false, NULL),
		0);
	/* another package, or none, is in no order with it */
	cr_expect_eq(held("ab 1.1.1n-0", "1.1.1+r500", "ba 1.1.1w-0", "1.1.1+r1", false, NULL), 0);
	cr_expect_eq(held("by hand", "1.1.1+r500", "ab 1.1.1w-0", "1.1.1+r1", false, NULL), 0);
	cr_expect_eq(hn_recipe_check(NULL, NULL, false, NULL), HN_EINVAL);
}

Test(recipe, a_control_file_may_go_on_and_have_any_case)
{
	static const char text[] =
		"package: ab\nVERSION:\t1.2-3 \nDepends:\n libc6 (>= 2.34),\n x\n";
	compose_package *package = compose_package_new();

	cr_assert_eq(compose_package_control(package, text, strlen(text), NULL), 0);
	cr_expect_str_eq(package->name, "ab");
	cr_expect_str_eq(package->version, "1.2-3");
	cr_expect_str_eq(package->dependency, "libc6");
	compose_package_unref(package);
}

Test(recipe, files_that_are_no_text_are_refused)
{
	static const hn_recipe_file rows[][1] = {{{.path = "/x", .text = "\xff"}},
		{{.path = "/a", .text = ""}}, {{.path = "x", .text = ""}}};
	static const hn_code codes[] = {HN_ESCHEMA, HN_EDUPLICATE, HN_ESCHEMA};
	compose_package ab = package_of("ab", "1.2-3", 0), real = package_of("real", "7-1", 0);
	const compose_package *packages[] = {&ab, &real};
	compose_recipe *recipe = recipe_of(whole);

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		char *json = NULL;
		hn_error *err = NULL;

		cr_expect_eq(hn_recipe_manifest(recipe, packages, 2, rows[i], 1, &json, &err),
			codes[i], "%zu", i);
		hn_error_unref(err);
	}
	compose_recipe_unref(recipe);
}

Test(recipe, public_functions_check_their_arguments)
{
	hn_recipe_package found = HN_RECIPE_PACKAGE_INIT;
	hn_package_info info = HN_PACKAGE_INFO_INIT;
	compose_package ab = package_of("ab", "1.2-3", 0);
	compose_recipe *recipe = NULL;
	char *json = NULL;

	cr_assert_eq(hn_recipe_parse(NULL, "", 0, &recipe, NULL), HN_EINVAL);
	cr_assert_eq(hn_recipe_parse("r.json", whole, strlen(whole), NULL, NULL), HN_EINVAL);
	cr_assert_eq(hn_recipe_parse("r.json", whole, strlen(whole), &recipe, NULL), 0);
	cr_assert_eq(hn_recipe_get_package(NULL, 0, &found, NULL), HN_EINVAL);
	cr_assert_eq(hn_recipe_get_package(recipe, 2, &found, NULL), HN_ENOENT);
	cr_assert_eq(hn_recipe_get_package(recipe, 1, &found, NULL), 0);
	cr_assert_str_eq(found.package, "meta");
	cr_assert_str_eq(found.version, "");
	cr_assert(found.dependency);
	cr_assert_eq(hn_recipe_manifest(recipe, NULL, 2, NULL, 0, &json, NULL), HN_EINVAL);
	cr_assert_eq(hn_recipe_manifest(NULL, NULL, 0, NULL, 0, &json, NULL), HN_EINVAL);
	cr_assert_eq(hn_package_get(NULL, &info, NULL), HN_EINVAL);
	cr_assert_eq(hn_package_get(&ab, &info, NULL), 0);
	cr_assert_str_eq(info.sha256, AB64);
	cr_assert_eq(info.bytes, 42);
	cr_assert_null(hn_package_unref(NULL));
	cr_assert_null(hn_recipe_unref(recipe));
}
