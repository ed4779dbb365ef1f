/* SPDX-License-Identifier: MIT */
#include "manifest-helper.h"

/* What has no end of its own has a limit. */
static void expect_limit(const char *head, const char *unit, size_t count, const char *foot,
	hn_code code, const char *said)
{
	BASE_AUTO_BUF base_buf member = {0};
	refusal row = {.code = code, .said = said};

	base_buf_text(&member, head);
	for (size_t i = 0; i < count; i++)
		base_buf_text(&member, unit);
	base_buf_text(&member, foot);
	row.given = member.data;
	expect_members("service", &row, 1);
}

Test(manifest, has_limits)
{
	expect_limit("\"files\":[{\"link\":\"", "l", 1024, "\",\"path\":\"/a\"}]", HN_ELIMIT,
		"m.json:2:18: the target of a link in an image has a limit of 1023 bytes, 1024 were given");
	expect_limit("\"kernel\":{\"cmdline\":[\"", "c", 2048, "\"]}", HN_ELIMIT,
		"m.json:2:10: a kernel command line has a limit of 2048 bytes, 2049 were given");
	expect_limit("\"payloads\":[1", ",1", 256, "]", HN_ELIMIT,
		"m.json:2:12: payloads of one component has a limit of 256 payloads, 257 were given");
	expect_limit("\"files\":[1", ",1", 4096, "]", HN_ELIMIT,
		"m.json:2:9: one list of a manifest, a contract or a blueprint has a limit of 4096 "
		"items, 4097 were given");
	expect_limit("\"services\":[{\"name\":\"s\",\"exec\":[\"/a\"", ",\"b\"", 4096, "]}]",
		HN_ELIMIT,
		"m.json:2:32: one list of a manifest, a contract or a blueprint has a limit of 4096 "
		"items, 4097 were given");
	expect_limit("\"payloads\":[{\"exclude\":[1", ",1", 256, "]}]", HN_ELIMIT,
		"m.json:2:24: items of one list or set has a limit of 256 items, 257 were given");
	expect_limit("\"payloads\":[{\"exclude\":[\"/", "a**b", 9, "\"]}]", HN_ELIMIT,
		"m.json:2:25: stars of one pattern has a limit of 8 stars, 9 were given");
	expect_limit("\"platforms\":[\"x-", "l", 63, "\"]", HN_ESCHEMA,
		"m.json:2:14: 'x-lllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll' is "
		"not a platform");
	expect_limit("\"summary\":\"", "x", 1048576, "\"", HN_ELIMIT,
		"m.json:1:1: a component manifest, a contract, a blueprint has a limit of 1048576 bytes, "
		"1048655 were given");
}

Test(manifest, bounds_aliases)
{
	BASE_AUTO_BUF base_buf member = {0};
	refusal row = {.code = HN_ELIMIT,
		.said = "m.json:2:11: aliases of one base has a limit of 64 aliases, 65 were given"};

	for (int i = 0; i < 65; i++)
		base_buf_format(&member, "%s\"/%d\":\"x\"", i == 0 ? "\"aliases\":{" : ",", i);
	base_buf_text(&member, "}");
	row.given = member.data;
	expect_members("base-os", &row, 1);
}

Test(manifest, bounds_paths)
{
	BASE_AUTO_BUF base_buf path = {0};
	const char *why = NULL;

	for (size_t i = 0; i < 65; i++)
		base_buf_text(&path, "/a");
	cr_expect(compose_path_valid(path.data, path.size, &why));
	base_buf_text(&path, "/a");
	cr_expect_not(compose_path_valid(path.data, path.size, &why));
	cr_expect_str_eq(why, "has more than 64 directories");
	path.size = 0;
	base_buf_text(&path, "/");
	for (size_t i = 0; i < 255; i++)
		base_buf_text(&path, "n");
	cr_expect(compose_path_valid(path.data, path.size, &why));
	base_buf_text(&path, "n");
	cr_expect_not(compose_path_valid(path.data, path.size, &why));
	cr_expect_str_eq(why, "has a name of more than 255 bytes");
	path.size = 0;
	for (size_t i = 0; i < 341; i++)
		base_buf_text(&path, "/nn");
	cr_expect_not(compose_path_valid(path.data, path.size, &why));
	cr_expect_str_eq(why, "has more than 64 directories");
	base_buf_text(&path, "n");
	cr_expect_not(compose_path_valid(path.data, path.size, &why));
	cr_expect_str_eq(why, "has more than 1,023 bytes");
}

Test(manifest, has_as_many_settings_as_items)
{
	BASE_AUTO_BUF base_buf member = {0};
	refusal row = {.code = HN_ELIMIT,
		.said = "m.json:2:12: one list of a manifest, a contract or a blueprint has a limit "
			"of 4096 items, 4097 were given"};

	base_buf_text(&member, "\"settings\":{\"memory.size\":\"1Gi\"");
	for (int i = 0; i < 4096; i++)
		base_buf_format(&member, ",\"disks.d%d.size\":\"1Gi\"", i);
	base_buf_text(&member, "}");
	row.given = member.data;
	expect_members("service", &row, 1);
}
