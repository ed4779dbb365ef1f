/* SPDX-License-Identifier: MIT */
#include "compose/model.h"
#include "compose/read.h"

#include <criterion/criterion.h>

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

typedef struct refusal {
	const char *given;
	hn_code code;
	const char *said;
} refusal;

static void expect_refused(const char *text, const refusal *row)
{
	compose_manifest *untouched = (void *)(uintptr_t)0x7075, *made = untouched;
	hn_error *err = NULL;
	int rc = compose_manifest_parse("m.json", text, strlen(text), &made, &err);

	cr_expect_eq(rc, row->code, "%s: %s", hn_code_name((hn_code)rc), text);
	if (rc < 0)
		cr_expect_str_eq(hn_error_message(err), row->said);
	cr_expect_eq(made, untouched);
	hn_error_unref(err);
}

/* Each row is one member of a manifest that has nothing else. */
static void expect_members(const char *kind, const refusal *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		BASE_AUTO_BUF base_buf text = {0};

		base_buf_format(&text,
			"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"%s\",\n%s}",
			kind, rows[i].given);
		expect_refused(text.data, &rows[i]);
	}
}

static const refusal fields[] = {
	{"\"sumary\":\"x\"", HN_ESCHEMA, "m.json:2:10: a manifest has no field 'sumary'"},
	{"\"xyz\":1", HN_ESCHEMA, "m.json:2:7: a manifest has no field 'xyz'"},
	{"\"summary\":\"\"", HN_ESCHEMA, "m.json:2:11: summary is empty"},
	{"\"summary\":\"a\\nb\"", HN_ESCHEMA, "m.json:2:11: summary has a control character"},
	{"\"summary\":1", HN_ESCHEMA, "m.json:2:11: summary must be a string, not an integer"},
	{"\"license\":[\"x\"]", HN_ESCHEMA, "m.json:2:11: license must be a string, not an array"},
	{"\"platforms\":[\"linux\"]", HN_ESCHEMA, "m.json:2:14: 'linux' is not a platform"},
	{"\"platforms\":[\"x86_64-linux\",\"x86_64-linux\"]", HN_EDUPLICATE,
		"m.json:2:29: platforms x86_64-linux is given twice; the first time in line 2"},
	{"\"platforms\":\"x86_64-linux\"", HN_ESCHEMA,
		"m.json:2:13: platforms must be an array, not a string"},
	{"\"platforms\":[\"-linux\"]", HN_ESCHEMA, "m.json:2:14: '-linux' is not a platform"},
	{"\"platforms\":[\"x86-\"]", HN_ESCHEMA, "m.json:2:14: 'x86-' is not a platform"},
	{"\"platforms\":[\"x86_64-lin_ux\"]", HN_ESCHEMA,
		"m.json:2:14: 'x86_64-lin_ux' is not a platform"},
	{"\"platforms\":[\"X86-linux\"]", HN_ESCHEMA, "m.json:2:14: 'X86-linux' is not a platform"},
	{"\"summary\":\"a\",\"summary\":\"b\"", HN_EDUPLICATE,
		"m.json:2:15: member \"summary\" is given twice in one object: at line 2 and here at line 2"},
	{"\"tags\":[\"Web\"]", HN_ESCHEMA, "m.json:2:9: 'Web' is not a tag"},
	{"\"tags\":[\"a\",\"a\"]", HN_EDUPLICATE,
		"m.json:2:13: tags a is given twice; the first time in line 2"},
	{"\"tags\":[1]", HN_ESCHEMA,
		"m.json:2:9: an item of tags must be a string, not an integer"},
	{"\"tags\":[\"a/b/c\"]", HN_ESCHEMA, "m.json:2:9: 'a/b/c' is not a tag"},
};

Test(manifest, refuses_fields)
{
	expect_members("service", fields, BASE_COUNT(fields));
}

static const refusal requires[] = {
	{"\"requires\":[1]", HN_ESCHEMA,
		"m.json:2:13: a requirement must be an object, not an integer"},
	{"\"requires\":[{}]", HN_ESCHEMA,
		"m.json:2:13: a requirement names a contract or a component, one of the two"},
	{"\"requires\":[{\"contract\":\"a/b\",\"component\":\"c2\"}]", HN_ESCHEMA,
		"m.json:2:13: a requirement names a contract or a component, one of the two"},
	{"\"requires\":[{\"contract\":\"glibc\"}]", HN_ESCHEMA,
		"m.json:2:25: 'glibc' is not a contract"},
	{"\"requires\":[{\"contract\":\"a/\"}]", HN_ESCHEMA, "m.json:2:25: 'a/' is not a contract"},
	{"\"requires\":[{\"contract\":\"/a\"}]", HN_ESCHEMA, "m.json:2:25: '/a' is not a contract"},
	{"\"requires\":[{\"contract\":\"a/b/c\"}]", HN_ESCHEMA,
		"m.json:2:25: 'a/b/c' is not a contract"},
	{"\"requires\":[{\"contract\":\"a/B\"}]", HN_ESCHEMA,
		"m.json:2:25: 'a/B' is not a contract"},
	{"\"requires\":[{\"contract\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b\"}]",
		HN_ESCHEMA,
		"m.json:2:25: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b' is not a contract"},
	{"\"requires\":[{\"contract\":\"a/b\",\"range\":\">=1 <\"}]", HN_ESYNTAX,
		"m.json:2:39: range \">=1 <\": column 6: a version is missing"},
	{"\"requires\":[{\"contract\":\"a/b\",\"range\":1}]", HN_ESCHEMA,
		"m.json:2:39: range must be a string, not an integer"},
	{"\"requires\":[{\"contract\":\"a/b\",\"rnage\":\"*\"}]", HN_ESCHEMA,
		"m.json:2:39: a requirement has no field 'rnage'"},
	{"\"requires\":[{\"component\":\"c\"}]", HN_ESCHEMA,
		"m.json:2:13: c cannot require itself"},
	{"\"requires\":[{\"component\":\"Glibc\"}]", HN_ESCHEMA,
		"m.json:2:26: 'Glibc' is not a name"},
	{"\"requires\":[{\"contract\":\"a/b\"},{\"contract\":\"a/b\",\"range\":\"^1\"}]",
		HN_EDUPLICATE,
		"m.json:2:44: contract a/b is given twice; the first time in line 2"},
	{"\"requires\":[{\"component\":\"d\"},{\"component\":\"d\"}]", HN_EDUPLICATE,
		"m.json:2:44: component d is given twice; the first time in line 2"},
	{"\"requires\":[{\"component\":\"d\",\"fields\":{\"x\":\"= 1\"}}]", HN_ESCHEMA,
		"m.json:2:39: only a contract has fields, and d is a component"},
	{"\"requires\":[{\"contract\":\"a/b\",\"fields\":{\"x\":\"1\"}}]", HN_ESCHEMA,
		"m.json:2:45: '1' asks nothing of x"},
	{"\"requires\":[{\"contract\":\"a/b\",\"fields\":{\"x\":\">= \"}}]", HN_ESCHEMA,
		"m.json:2:45: '>= ' asks nothing of x"},
	{"\"requires\":[{\"contract\":\"a/b\",\"fields\":{\"x\":80}}]", HN_ESCHEMA,
		"m.json:2:45: x must be a string, not an integer"},
	{"\"requires\":[{\"contract\":\"a/b\",\"fields\":{\"X\":\"= 1\"}}]", HN_ESCHEMA,
		"m.json:2:45: 'X' is not a name of a field"},
	{"\"requires\":[{\"contract\":\"a/b\",\"fields\":{\"x\":\"\"}}]", HN_ESCHEMA,
		"m.json:2:45: x is empty"},
	{"\"requires\":[{\"contract\":\"a/b\",\"fields\":[]}]", HN_ESCHEMA,
		"m.json:2:40: fields must be an object, not an array"},
};

Test(manifest, refuses_requires)
{
	expect_members("service", requires, BASE_COUNT(requires));
}

static const refusal provides[] = {
	{"\"provides\":[{\"contract\":\"a/b\"}]", HN_ESCHEMA,
		"m.json:2:13: a provision needs 'version'"},
	{"\"provides\":[{\"version\":\"1.0.0\"}]", HN_ESCHEMA,
		"m.json:2:13: a provision needs 'contract'"},
	{"\"provides\":[{\"contract\":\"a/b\",\"version\":\"1.0\"}]", HN_ESYNTAX,
		"m.json:2:41: version \"1.0\": column 4: \".\" and a number are missing"},
	{"\"provides\":[{\"contract\":\"a/b\",\"version\":\"1.0.0\"},{\"contract\":\"a/b\",\"version\":\"2.0.0\"}]",
		HN_EDUPLICATE,
		"m.json:2:62: contract a/b is given twice; the first time in line 2"},
	{"\"provides\":[{\"contract\":\"a/b\",\"version\":\"1.0.0\",\"fields\":{\"x\":[1]}}]",
		HN_ESCHEMA, "m.json:2:63: x cannot be an array"},
	{"\"provides\":[{\"contract\":\"a/b\",\"version\":\"1.0.0\",\"fields\":{\"x\":null}}]",
		HN_ESCHEMA, "m.json:2:63: x cannot be null"},
	{"\"provides\":[{\"contract\":\"a/b\",\"version\":\"1.0.0\",\"fields\":{\"x_y\":1}}]",
		HN_ESCHEMA, "m.json:2:65: 'x_y' is not a name of a field"},
	{"\"provides\":[{\"contract\":\"a/b\",\"version\":\"1.0.0\",\"fields\":{\"x\":0.5}}]",
		HN_ESCHEMA, "m.json:2:63: x cannot be a number with a fraction"},
	{"\"provides\":{}", HN_ESCHEMA, "m.json:2:12: provides must be an array, not an object"},
	{"\"provides\":[{\"contract\":\"a/b\",\"version\":\"1.0.0\",\"field\":{}}]", HN_ESCHEMA,
		"m.json:2:57: a provision has no field 'field'"},
	{"\"conflicts\":[{\"component\":\"c\"}]", HN_ESCHEMA,
		"m.json:2:14: c cannot conflict with itself"},
	{"\"conflicts\":[{\"range\":\"*\"}]", HN_ESCHEMA,
		"m.json:2:14: a conflict needs 'component'"},
	{"\"conflicts\":[{\"component\":\"d\"},{\"component\":\"d\"}]", HN_EDUPLICATE,
		"m.json:2:45: component d is given twice; the first time in line 2"},
	{"\"conflicts\":[{\"component\":\"d\",\"range\":\"x\"}]", HN_ESYNTAX,
		"m.json:2:39: range \"x\": column 1: \"x\" is no number"},
	{"\"conflicts\":[\"d\"]", HN_ESCHEMA,
		"m.json:2:14: a conflict must be an object, not a string"},
	{"\"replaces\":[{\"component\":\"c\",\"paths\":[\"/a\"]}]", HN_ESCHEMA,
		"m.json:2:13: c cannot replace files of itself"},
	{"\"replaces\":[{\"component\":\"d\",\"paths\":[]}]", HN_ESCHEMA,
		"m.json:2:38: paths must not be empty"},
	{"\"replaces\":[{\"component\":\"d\"}]", HN_ESCHEMA,
		"m.json:2:13: a replacement needs 'paths'"},
	{"\"replaces\":[{\"component\":\"d\",\"paths\":[\"/a\",\"/a\"]}]", HN_EDUPLICATE,
		"m.json:2:44: paths /a is given twice; the first time in line 2"},
	{"\"replaces\":[{\"component\":\"d\",\"paths\":[\"/a\"]},{\"component\":\"d\",\"paths\":[\"/b\"]}]",
		HN_EDUPLICATE, "m.json:2:59: component d is given twice; the first time in line 2"},
	{"\"replaces\":[{\"component\":\"d\",\"paths\":[\"a\"]}]", HN_ESCHEMA,
		"m.json:2:39: the path 'a' is not absolute"},
	{"\"replaces\":[\"d\"]", HN_ESCHEMA,
		"m.json:2:13: a replacement must be an object, not a string"},
};

Test(manifest, refuses_provides)
{
	expect_members("service", provides, BASE_COUNT(provides));
}

static const refusal payloads[] = {
	{"\"payloads\":[{\"kind\":\"rpm\",\"sha256\":\"" SHA "\",\"size\":1}]", HN_ESCHEMA,
		"m.json:2:21: kind cannot be 'rpm'"},
	{"\"payloads\":[{\"kind\":\"tarr\",\"sha256\":\"" SHA "\",\"size\":1}]", HN_ESCHEMA,
		"m.json:2:21: kind cannot be 'tarr'"},
	{"\"payloads\":[{\"sha256\":\"" SHA "\",\"size\":1}]", HN_ESCHEMA,
		"m.json:2:13: a payload needs 'kind'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"size\":1}]", HN_ESCHEMA,
		"m.json:2:13: a payload needs 'sha256'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\"}]", HN_ESCHEMA,
		"m.json:2:13: a payload needs 'size'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"00\",\"size\":1}]", HN_ESCHEMA,
		"m.json:2:36: a SHA-256 is 64 hexadecimal digits"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg\",\"size\":1}]",
		HN_ESCHEMA, "m.json:2:36: a SHA-256 is 64 hexadecimal digits"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":-1}]", HN_ERANGE,
		"m.json:2:110: size is -1; it may be 0 to 9223372036854775807"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":\"1Mi\"}]", HN_ESCHEMA,
		"m.json:2:110: size must be a whole number, not a string"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA
	 "\",\"size\":1},{\"kind\":\"deb\",\"sha256\":\"" SHA "\",\"size\":2}]",
		HN_EDUPLICATE,
		"m.json:2:136: sha256 " SHA " is given twice; the first time in line 2"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":1,\"path\":\"/a\"}]",
		HN_ESCHEMA, "m.json:2:119: only a blob has 'path'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":1,\"role\":\"kernel\"}]",
		HN_ESCHEMA, "m.json:2:119: only a blob has 'role'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":1,\"mode\":\"0644\"}]",
		HN_ESCHEMA, "m.json:2:119: only a blob has 'mode'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":1,\"platform\":\"a-b\"}]",
		HN_ESCHEMA, "m.json:2:123: only an oci payload has 'platform'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":1,\"scripts\":{}}]",
		HN_ESCHEMA, "m.json:2:122: only a deb has 'scripts'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA
	 "\",\"size\":1,\"exclude\":[\"usr/**\"]}]",
		HN_ESCHEMA, "m.json:2:123: the pattern 'usr/**' is not absolute"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA
	 "\",\"size\":1,\"exclude\":[\"/a/../b\"]}]",
		HN_ESCHEMA, "m.json:2:123: the pattern '/a/../b' has a '..'"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA
	 "\",\"size\":1,\"exclude\":[\"/a\",\"/a\"]}]",
		HN_EDUPLICATE, "m.json:2:128: exclude /a is given twice; the first time in line 2"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":1,\"setuid\":[\"/a/\"]}]",
		HN_ESCHEMA, "m.json:2:122: the path '/a/' has two '/' together or one at its end"},
	{"\"payloads\":[{\"kind\":\"tar\",\"sha256\":\"" SHA "\",\"size\":1,\"upstrem\":\"x\"}]",
		HN_ESCHEMA, "m.json:2:122: a payload has no field 'upstrem'"},
	{"\"payloads\":[{\"kind\":\"blob\",\"sha256\":\"" SHA "\",\"size\":1}]", HN_ESCHEMA,
		"m.json:2:13: a blob needs 'path': where it goes in the image"},
	{"\"payloads\":[{\"kind\":\"blob\",\"path\":\"/a\",\"role\":\"initrd\",\"sha256\":\"" SHA
	 "\",\"size\":1}]",
		HN_ESCHEMA, "m.json:2:47: role cannot be 'initrd'"},
	{"\"payloads\":[{\"kind\":\"blob\",\"path\":\"/a\",\"exclude\":[\"/b\"],\"sha256\":\"" SHA
	 "\",\"size\":1}]",
		HN_ESCHEMA, "m.json:2:50: only a payload with files has 'exclude'"},
	{"\"payloads\":[{\"kind\":\"blob\",\"path\":\"/a\",\"setuid\":[\"/b\"],\"sha256\":\"" SHA
	 "\",\"size\":1}]",
		HN_ESCHEMA, "m.json:2:49: only a payload with files has 'setuid'"},
	{"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" SHA
	 "\",\"size\":1,\"scripts\":{\"postinst\":\"b2:" SHA "\"}}]",
		HN_ESCHEMA, "m.json:2:122: the script postinst has no decision: it never runs"},
	{"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" SHA
	 "\",\"size\":1,\"scripts\":{\"postinst\":\"b2:" SHA "\",\"decision\":\"\"}}]",
		HN_ESCHEMA, "m.json:2:215: decision is empty"},
	{"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" SHA
	 "\",\"size\":1,\"scripts\":{\"postinst\":\"b2:0\",\"decision\":\"x\"}}]",
		HN_ESCHEMA, "m.json:2:134: a digest is b2: and 64 hexadecimal digits"},
	{"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" SHA
	 "\",\"size\":1,\"scripts\":{\"post_inst\":\"b2:" SHA "\",\"decision\":\"x\"}}]",
		HN_ESCHEMA, "m.json:2:135: 'post_inst' is not a name of a script"},
	{"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" SHA "\",\"size\":1,\"scripts\":[]}]",
		HN_ESCHEMA, "m.json:2:122: scripts must be an object, not an array"},
	{"\"payloads\":[{\"kind\":\"deb\",\"sha256\":\"" SHA
	 "\",\"size\":1,\"scripts\":{\"postinst\":1,\"decision\":\"x\"}}]",
		HN_ESCHEMA, "m.json:2:134: postinst must be a string, not an integer"},
};

Test(manifest, refuses_payloads)
{
	expect_members("service", payloads, BASE_COUNT(payloads));
}

static const refusal paths[] = {
	{"\"files\":[{\"path\":\"a\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path 'a' is not absolute"},
	{"\"files\":[{\"path\":\"\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '' is not absolute"},
	{"\"files\":[{\"path\":\"/\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '/' is the root itself"},
	{"\"files\":[{\"path\":\"/a//b\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '/a//b' has two '/' together or one at its end"},
	{"\"files\":[{\"path\":\"/a/\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '/a/' has two '/' together or one at its end"},
	{"\"files\":[{\"path\":\"/./a\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '/./a' has a '.'"},
	{"\"files\":[{\"path\":\"/a/..\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '/a/..' has a '..'"},
	{"\"files\":[{\"path\":\"/../a\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '/../a' has a '..'"},
	{"\"files\":[{\"path\":\"/a\\u001b\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '/a\\x1b' has a control character"},
	{"\"files\":[{\"path\":\"/a\\u007f\",\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: the path '/a\\x7f' has a control character"},
	{"\"files\":[{\"path\":5,\"text\":\"\"}]", HN_ESCHEMA,
		"m.json:2:18: path must be a string, not an integer"},
};

Test(manifest, refuses_paths)
{
	expect_members("service", paths, BASE_COUNT(paths));
}

static const refusal files[] = {
	{"\"files\":[{\"path\":\"/a\"}]", HN_ESCHEMA,
		"m.json:2:10: /a is one of a file, a link and a directory"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"x\",\"link\":\"y\"}]", HN_ESCHEMA,
		"m.json:2:10: /a is one of a file, a link and a directory"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"x\",\"directory\":true}]", HN_ESCHEMA,
		"m.json:2:10: /a is one of a file, a link and a directory"},
	{"\"files\":[{\"path\":\"/a\",\"directory\":false}]", HN_ESCHEMA,
		"m.json:2:10: /a is one of a file, a link and a directory"},
	{"\"files\":[{\"path\":\"/a\",\"directory\":1}]", HN_ESCHEMA,
		"m.json:2:35: directory must be true or false, not an integer"},
	{"\"files\":[{\"path\":\"/a\",\"link\":\"\"}]", HN_ESCHEMA, "m.json:2:30: link is empty"},
	{"\"files\":[{\"path\":\"/a\",\"link\":\"x\",\"mode\":\"0777\"}]", HN_ESCHEMA,
		"m.json:2:41: /a is a link, which has no mode of its own"},
	{"\"files\":[{\"path\":\"/a\",\"text\":1}]", HN_ESCHEMA,
		"m.json:2:30: text must be a string, not an integer"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"mode\":\"644\"}]", HN_ESCHEMA,
		"m.json:2:40: a mode is four octal digits"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"mode\":\"0888\"}]", HN_ESCHEMA,
		"m.json:2:40: a mode is four octal digits"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"mode\":\"4755\"}]", HN_ESCHEMA,
		"m.json:2:40: the mode 4755 has setuid or setgid"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"mode\":\"2755\"}]", HN_ESCHEMA,
		"m.json:2:40: the mode 2755 has setuid or setgid"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"mode\":420}]", HN_ESCHEMA,
		"m.json:2:40: mode must be a string such as \"0644\", not an integer"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"mode\":\"00644\"}]", HN_ESCHEMA,
		"m.json:2:40: a mode is four octal digits"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"mode\":\"0o64\"}]", HN_ESCHEMA,
		"m.json:2:40: a mode is four octal digits"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"owner\":0}]", HN_ESCHEMA,
		"m.json:2:41: owner must be an array of two ids, not an integer"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"owner\":[0]}]", HN_ESCHEMA,
		"m.json:2:41: owner is two ids: of the user and of the group"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"owner\":[0,0,0]}]", HN_ESCHEMA,
		"m.json:2:41: owner is two ids: of the user and of the group"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"owner\":[0,\"root\"]}]", HN_ESCHEMA,
		"m.json:2:44: an item of owner must be a whole number, not a string"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"owner\":[-1,0]}]", HN_ERANGE,
		"m.json:2:42: an item of owner is -1; it may be 0 to 65534"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\",\"owner\":[0,65535]}]", HN_ERANGE,
		"m.json:2:44: an item of owner is 65535; it may be 0 to 65534"},
	{"\"files\":[{\"path\":\"/a\",\"text\":\"\"},\n{\"path\":\"\\u002fa\",\"directory\":true}]",
		HN_EDUPLICATE, "m.json:3:9: path /a is given twice; the first time in line 2"},
	{"\"files\":[{\"text\":\"\"}]", HN_ESCHEMA, "m.json:2:10: a file needs 'path'"},
	{"\"files\":[{\"path\":\"/a\",\"txt\":\"\"}]", HN_ESCHEMA,
		"m.json:2:29: a file has no field 'txt'"},
	{"\"users\":[{\"uid\":1,\"gid\":1}]", HN_ESCHEMA, "m.json:2:10: an account needs 'name'"},
	{"\"users\":[{\"name\":\"a\",\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:10: an account needs 'uid'"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1}]", HN_ESCHEMA,
		"m.json:2:10: an account needs 'gid'"},
	{"\"users\":[{\"name\":\"A\",\"uid\":1,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:18: 'A' is not a name of an account"},
	{"\"users\":[{\"name\":\"1a\",\"uid\":1,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:18: '1a' is not a name of an account"},
	{"\"users\":[{\"name\":\"-a\",\"uid\":1,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:18: '-a' is not a name of an account"},
	{"\"users\":[{\"name\":\"a~\",\"uid\":1,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:18: 'a~' is not a name of an account"},
	{"\"users\":[{\"name\":\"a:\",\"uid\":1,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:18: 'a:' is not a name of an account"},
	{"\"platforms\":[\"x-l~\"]", HN_ESCHEMA, "m.json:2:14: 'x-l~' is not a platform"},
	{"\"platforms\":[\"x-l:\"]", HN_ESCHEMA, "m.json:2:14: 'x-l:' is not a platform"},
	{"\"users\":[{\"name\":\"\",\"uid\":1,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:18: '' is not a name of an account"},
	{"\"users\":[{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"uid\":1,\"gid\":1}]",
		HN_ESCHEMA,
		"m.json:2:18: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is not a name of an account"},
	{"\"users\":[{\"name\":\"a\",\"uid\":0,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:28: only root has the id 0, not a"},
	{"\"users\":[{\"name\":\"root\",\"uid\":1,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:31: root has the id 0"},
	{"\"users\":[{\"name\":\"a\",\"uid\":65535,\"gid\":1}]", HN_ERANGE,
		"m.json:2:28: uid is 65535; it may be 0 to 65534"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1.5,\"gid\":1}]", HN_ESCHEMA,
		"m.json:2:28: uid must be a whole number, not a number with a fraction"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1,\"gid\":\"a\"}]", HN_ESCHEMA,
		"m.json:2:36: gid must be a whole number, not a string"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1,\"gid\":1,\"home\":\"home\"}]", HN_ESCHEMA,
		"m.json:2:45: the path 'home' is not absolute"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1,\"gid\":1,\"home\":\"/a:b\"}]", HN_ESCHEMA,
		"m.json:2:10: neither home nor shell of a may have a ':'"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1,\"gid\":1,\"shell\":\"/b:c\"}]", HN_ESCHEMA,
		"m.json:2:10: neither home nor shell of a may have a ':'"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1,\"gid\":1,\"shell\":\"nologin\"}]", HN_ESCHEMA,
		"m.json:2:46: the path 'nologin' is not absolute"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1,\"gid\":1},{\"name\":\"a\",\"uid\":2,\"gid\":1}]",
		HN_EDUPLICATE, "m.json:2:47: name a is given twice; the first time in line 2"},
	{"\"users\":[{\"name\":\"a\",\"uid\":1,\"gid\":1},{\"name\":\"b\",\"uid\":1,\"gid\":1}]",
		HN_EDUPLICATE, "m.json:2:57: uid 1 is given twice; the first time in line 2"},
};

Test(manifest, refuses_files)
{
	expect_members("service", files, BASE_COUNT(files));
}

static const refusal services[] = {
	{"\"services\":[{\"exec\":[\"/a\"]}]", HN_ESCHEMA, "m.json:2:13: a service needs 'name'"},
	{"\"services\":[{\"name\":\"s\"}]", HN_ESCHEMA, "m.json:2:13: a service needs 'exec'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[]}]", HN_ESCHEMA,
		"m.json:2:32: a program is missing"},
	{"\"services\":[{\"name\":\"s\",\"exec\":\"/a\"}]", HN_ESCHEMA,
		"m.json:2:32: exec must be an array of strings, not a string"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"a\"]}]", HN_ESCHEMA,
		"m.json:2:33: the path 'a' is not absolute"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/a\",\"b\\n\"]}]", HN_ESCHEMA,
		"m.json:2:38: an item of exec has a control character"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/a\",1]}]", HN_ESCHEMA,
		"m.json:2:38: an item of exec must be a string, not an integer"},
	{"\"services\":[{\"name\":\"S\",\"exec\":[\"/a\"]}]", HN_ESCHEMA,
		"m.json:2:21: 'S' is not a name"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/a\"]},{\"name\":\"s\",\"exec\":[\"/b\"]}]",
		HN_EDUPLICATE, "m.json:2:48: name s is given twice; the first time in line 2"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"after\":[\"s\"]}]", HN_ESCHEMA,
		"m.json:2:51: s cannot come after itself"},
	{"\"services\":[{\"name\":\"net\",\"exec\":[\"/bin/s\"]}]", HN_ESCHEMA,
		"m.json:2:21: net is the network, which other services come after"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"after\":[\"a\",\"a\"]}]",
		HN_EDUPLICATE, "m.json:2:56: after a is given twice; the first time in line 2"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"after\":\"net\"}]", HN_ESCHEMA,
		"m.json:2:51: after must be an array, not a string"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"restart\":\"alway\"}]", HN_ESCHEMA,
		"m.json:2:53: restart cannot be 'alway'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"restart\":true}]", HN_ESCHEMA,
		"m.json:2:53: restart must be a string, not true"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"stop\":\"SIGTERM\"}]", HN_ESCHEMA,
		"m.json:2:50: stop cannot be 'SIGTERM'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"user\":\"www data\"}]", HN_ESCHEMA,
		"m.json:2:50: 'www data' is not a name of an account"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"directory\":\"var\"}]", HN_ESCHEMA,
		"m.json:2:55: the path 'var' is not absolute"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"environment\":{\"A\":\"b\"}}]",
		HN_ESCHEMA, "m.json:2:57: environment must be an array, not an object"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"environment\":[\"A\"]}]",
		HN_ESCHEMA, "m.json:2:58: 'A' is no variable of an environment"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"environment\":[\"=b\"]}]",
		HN_ESCHEMA, "m.json:2:58: '=b' is no variable of an environment"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"environment\":[\"1A=b\"]}]",
		HN_ESCHEMA, "m.json:2:58: '1A=b' is no variable of an environment"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"environment\":[\"A-B=c\"]}]",
		HN_ESCHEMA, "m.json:2:58: 'A-B=c' is no variable of an environment"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"environment\":[\"A=1\",\"AB=2\",\"A=2\"]}]",
		HN_EDUPLICATE,
		"m.json:2:71: the variable A is given twice; the first time in line 2"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"environment\":[\"A=1\\n\"]}]",
		HN_ESCHEMA, "m.json:2:58: an item of environment has a control character"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"file\":1,\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:59: file must be a string, not an integer"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"environment\":[\"A\",\"~\"]}]",
		HN_ESCHEMA, "m.json:2:58: 'A' is no variable of an environment"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":80}}]", HN_ESCHEMA,
		"m.json:2:51: a check needs 'within'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"within\":\"1s\"}}]",
		HN_ESCHEMA,
		"m.json:2:51: a check looks at one thing: tcp, http, unix, file or exec"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":80,\"unix\":\"/a\",\"within\":\"1s\"}}]",
		HN_ESCHEMA,
		"m.json:2:51: a check looks at one thing: tcp, http, unix, file or exec"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":0,\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: tcp cannot look at '0'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":65536,\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: tcp cannot look at '65536'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":\"x\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: tcp cannot look at 'x'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":\"080\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: tcp cannot look at '080'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":\"80x\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: tcp cannot look at '80x'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":\"99999\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: tcp cannot look at '99999'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":true,\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: tcp must be a string, not true"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":\"$port\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:51: a service has no fields, as a contract has"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":\"$\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: tcp cannot look at '$'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"http\":\"80\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:59: http cannot look at '80'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"http\":\"/x\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:59: http cannot look at '/x'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"http\":80,\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:59: http must be a string, not an integer"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"http\":\"80/a b\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:59: http has a space"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"unix\":\"run\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:59: the path 'run' is not absolute"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"file\":\"$\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:59: file cannot look at '$'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"file\":\"$x\",\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:51: a service has no fields, as a contract has"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"exec\":[],\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:59: a program is missing"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tpc\":80,\"within\":\"1s\"}}]",
		HN_ESCHEMA, "m.json:2:58: a check has no field 'tpc'"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":80,\"within\":10}}]",
		HN_ESCHEMA,
		"m.json:2:70: within must be a duration such as \"10s\", not an integer"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":80,\"within\":\"10\"}}]",
		HN_ESYNTAX, "m.json:2:70: the duration \"10\" has no unit"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":80,\"within\":\"0s\"}}]",
		HN_ERANGE, "m.json:2:70: nothing is done within 0"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"ready\":{\"tcp\":80,\"within\":\"10sec\"}}]",
		HN_ESYNTAX, "m.json:2:70: the duration \"10sec\" has an unknown unit"},
	{"\"services\":[{\"name\":\"s\",\"exec\":[\"/bin/s\"],\"readdy\":{}}]", HN_ESCHEMA,
		"m.json:2:52: a service has no field 'readdy'"},
};

Test(manifest, refuses_services)
{
	expect_members("service", services, BASE_COUNT(services));
}

static const refusal kernel[] = {
	{"\"kernel\":{\"cmdline\":\"quiet\"}", HN_ESCHEMA,
		"m.json:2:21: cmdline must be an array, not a string"},
	{"\"kernel\":{\"cmdline\":[\"a b\"]}", HN_ESCHEMA,
		"m.json:2:22: an item of cmdline has a space"},
	{"\"kernel\":{\"cmdline\":[\"\"]}", HN_ESCHEMA, "m.json:2:22: an item of cmdline is empty"},
	{"\"kernel\":{\"cmdlin\":[]}", HN_ESCHEMA, "m.json:2:20: the kernel has no field 'cmdlin'"},
	{"\"kernel\":[]", HN_ESCHEMA, "m.json:2:10: the kernel must be an object, not an array"},
	{"\"kernel\":{\"modules\":[\"virtio blk\"]}", HN_ESCHEMA,
		"m.json:2:22: 'virtio blk' is not a name of a module"},
	{"\"kernel\":{\"modules\":[\"a.ko\"]}", HN_ESCHEMA,
		"m.json:2:22: 'a.ko' is not a name of a module"},
	{"\"kernel\":{\"modules\":[\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm\"]}",
		HN_ESCHEMA,
		"m.json:2:22: 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm' is not a name of a module"},
	{"\"kernel\":{\"modules\":[\"a\",\"a\"]}", HN_EDUPLICATE,
		"m.json:2:26: modules a is given twice; the first time in line 2"},
};

Test(manifest, refuses_kernel)
{
	expect_members("service", kernel, BASE_COUNT(kernel));
}

static const refusal hardening[] = {
	{"\"hardening\":[1]", HN_ESCHEMA,
		"m.json:2:14: hardening is acts, each an object with 'act'"},
	{"\"hardening\":[{}]", HN_ESCHEMA,
		"m.json:2:14: hardening is acts, each an object with 'act'"},
	{"\"hardening\":[{\"act\":\"harden\"}]", HN_ESCHEMA, "m.json:2:21: act cannot be 'harden'"},
	{"\"hardening\":[{\"act\":\"mont\",\"path\":\"/a\"}]", HN_ESCHEMA,
		"m.json:2:21: act cannot be 'mont'"},
	{"\"hardening\":[{\"act\":\"remove\"}]", HN_ESCHEMA, "m.json:2:14: remove needs 'path'"},
	{"\"hardening\":[{\"act\":\"remove\",\"path\":\"a\"}]", HN_ESCHEMA,
		"m.json:2:37: the path 'a' is not absolute"},
	{"\"hardening\":[{\"act\":\"remove\",\"path\":\"/a\",\"mode\":\"0600\"}]", HN_ESCHEMA,
		"m.json:2:49: remove has no field 'mode'"},
	{"\"hardening\":[{\"act\":\"mode\",\"path\":\"/a\"}]", HN_ESCHEMA,
		"m.json:2:14: mode needs 'mode'"},
	{"\"hardening\":[{\"act\":\"mode\",\"path\":\"/a\",\"mode\":\"6755\"}]", HN_ESCHEMA,
		"m.json:2:47: the mode 6755 has setuid or setgid"},
	{"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"kernel\",\"value\":1}]", HN_ESCHEMA,
		"m.json:2:37: 'kernel' is not a name of a sysctl"},
	{"\"hardening\":[{\"act\":\"sysctl\",\"name\":\".a\",\"value\":1}]", HN_ESCHEMA,
		"m.json:2:37: '.a' is not a name of a sysctl"},
	{"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"a..b\",\"value\":1}]", HN_ESCHEMA,
		"m.json:2:37: 'a..b' is not a name of a sysctl"},
	{"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"a.\",\"value\":1}]", HN_ESCHEMA,
		"m.json:2:37: 'a.' is not a name of a sysctl"},
	{"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"a.b c\",\"value\":1}]", HN_ESCHEMA,
		"m.json:2:37: name has a space"},
	{"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"a/b.c\",\"value\":1}]", HN_ESCHEMA,
		"m.json:2:37: 'a/b.c' is not a name of a sysctl"},
	{"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"a.b\"}]", HN_ESCHEMA,
		"m.json:2:14: sysctl needs 'value'"},
	{"\"hardening\":[{\"act\":\"sysctl\",\"name\":\"a.b\",\"value\":true}]", HN_ESCHEMA,
		"m.json:2:51: value must be a string, not true"},
	{"\"hardening\":[{\"act\":\"cmdline\",\"value\":\"a b\"}]", HN_ESCHEMA,
		"m.json:2:39: value has a space"},
	{"\"hardening\":[{\"act\":\"cmdline\"}]", HN_ESCHEMA, "m.json:2:14: cmdline needs 'value'"},
	{"\"hardening\":[{\"act\":\"mount\",\"path\":\"/a\"}]", HN_ESCHEMA,
		"m.json:2:14: mount needs 'options'"},
	{"\"hardening\":[{\"act\":\"mount\",\"path\":\"/a\",\"options\":[]}]", HN_ESCHEMA,
		"m.json:2:51: options must not be empty"},
	{"\"hardening\":[{\"act\":\"mount\",\"path\":\"/a\",\"options\":[\"nodevs\"]}]", HN_ESCHEMA,
		"m.json:2:52: an item of options cannot be 'nodevs'"},
	{"\"hardening\":[{\"act\":\"mount\",\"path\":\"/a\",\"options\":[\"nodev\",\"nodev\"]}]",
		HN_EDUPLICATE,
		"m.json:2:60: options nodev is given twice; the first time in line 2"},
	{"\"hardening\":[{\"act\":\"mount\",\"path\":\"/a\",\"options\":[\"suid\"]}]", HN_ESCHEMA,
		"m.json:2:52: an item of options cannot be 'suid'"},
	{"\"hardening\":[{\"act\":\"lock-account\"}]", HN_ESCHEMA,
		"m.json:2:14: lock-account needs 'name'"},
	{"\"hardening\":[{\"act\":\"lock-account\",\"name\":\"A\"}]", HN_ESCHEMA,
		"m.json:2:43: 'A' is not a name of an account"},
	{"\"hardening\":[{\"act\":\"drop-caps\",\"service\":\"s\"}]", HN_ESCHEMA,
		"m.json:2:14: drop-caps needs 'capabilities'"},
	{"\"hardening\":[{\"act\":\"drop-caps\",\"service\":\"s\",\"capabilities\":[\"CAP_NET_RAW\"]}]",
		HN_ESCHEMA, "m.json:2:63: an item of capabilities cannot be 'CAP_NET_RAW'"},
	{"\"hardening\":[{\"act\":\"drop-caps\",\"service\":\"s\",\"capabilities\":[\"net_rav\"]}]",
		HN_ESCHEMA, "m.json:2:63: an item of capabilities cannot be 'net_rav'"},
	{"\"hardening\":[{\"act\":\"readonly-root\",\"path\":\"/a\"}]", HN_ESCHEMA,
		"m.json:2:44: readonly-root has no field 'path'"},
	{"\"hardening\":[{\"act\":\"strip-setuid\",\"path\":\"a\"}]", HN_ESCHEMA,
		"m.json:2:43: the path 'a' is not absolute"},
};

Test(manifest, refuses_hardening)
{
	expect_members("service", hardening, BASE_COUNT(hardening));
}

static const refusal settings[] = {
	{"\"settings\":[]", HN_ESCHEMA, "m.json:2:12: settings must be an object, not an array"},
	{"\"settings\":{\"memory.sise\":\"1Gi\"}", HN_ESCHEMA,
		"m.json:2:27: there is no key 'memory.sise'"},
	{"\"settings\":{\"memory\":{\"size\":\"1\"}}", HN_ESYNTAX,
		"m.json:2:30: memory.size: the size \"1\" has no unit; allowed: a size from 64Mi to 8Ti in steps of 2Mi"},
	{"\"settings\":{\"memory.size\":{\"$value\":\"1Gi\",\"$priority\":50}}", HN_ESCHEMA,
		"m.json:2:37: '$value' cannot stand in settings"},
	{"\"settings\":{\"memory.size\":\"1Gi\",\"memory\":{\"size\":\"2Gi\"}}", HN_EDUPLICATE,
		"m.json:2:50: memory.size is given twice; the first time at m.json:2:27"},
	{"\"settings\":{\"memory\":1}", HN_ESCHEMA,
		"m.json:2:22: 'memory' is a group of keys and must be an object, not an integer"},
	{"\"settings\":{\"memory.size\":true}", HN_ESCHEMA,
		"m.json:2:27: memory.size cannot be true; allowed: a size from 64Mi to 8Ti in steps of 2Mi"},
};

Test(manifest, refuses_settings)
{
	expect_members("service", settings, BASE_COUNT(settings));
}

static const refusal base[] = {
	{"\"aliases\":{\"/lib\":\"usr/lib\"}", HN_ESCHEMA,
		"m.json:2:11: only a base-os has 'aliases', and c is a service"},
	{"\"init\":\"busybox\"", HN_ESCHEMA,
		"m.json:2:8: only a base-os has 'init', and c is a service"},
};

Test(manifest, refuses_base)
{
	expect_members("service", base, BASE_COUNT(base));
}

static const refusal bases[] = {
	{"\"aliases\":{\"lib\":\"usr/lib\"}", HN_ESCHEMA,
		"m.json:2:18: the alias 'lib' is not absolute"},
	{"\"aliases\":{\"/lib\":\"/usr/../lib\"}", HN_ESCHEMA,
		"m.json:2:19: the target '/usr/../lib' of the alias /lib has a '..'"},
	{"\"aliases\":{\"/lib\":\"/\"}", HN_ESCHEMA,
		"m.json:2:19: the target '/' of the alias /lib is the root itself"},
	{"\"aliases\":{\"/lib\":\"../lib\"}", HN_ESCHEMA,
		"m.json:2:19: the target '../lib' of the alias /lib has a '..'"},
	{"\"aliases\":{\"/lib\":\"\"}", HN_ESCHEMA, "m.json:2:19: /lib is empty"},
	{"\"aliases\":{\"/lib\":1}", HN_ESCHEMA,
		"m.json:2:19: /lib must be a string, not an integer"},
	{"\"aliases\":[]", HN_ESCHEMA, "m.json:2:11: aliases must be an object, not an array"},
	{"\"init\":\"runit\"", HN_ESCHEMA, "m.json:2:8: init cannot be 'runit'"},
	{"\"init\":\"bussybox\"", HN_ESCHEMA, "m.json:2:8: init cannot be 'bussybox'"},
};

Test(manifest, refuses_bases)
{
	expect_members("base-os", bases, BASE_COUNT(bases));
}

static const refusal documents[] = {
	{"", HN_ESYNTAX, "m.json:1:1: expected a value, found the end of the file"},
	{"[]", HN_ESCHEMA, "m.json:1:1: a document is an object, not an array"},
	{"1", HN_ESCHEMA, "m.json:1:1: a document is an object, not an integer"},
	{"{", HN_ESYNTAX,
		"m.json:1:2: expected a member name in double quotes, found the end of the file"},
	{"{\"hypernix\":1}", HN_ESCHEMA, "m.json:1:1: a manifest needs 'component'"},
	{"{\"hypernix\":2,\"x\":1}", HN_ENEWER,
		"m.json:1:13: schema 2 is newer than this library, which reads schema 1"},
	{"{\"hypernix\":0}", HN_ESCHEMA, "m.json:1:13: the schema must be the number 1"},
	{"{\"hypernix\":\"1\"}", HN_ESCHEMA, "m.json:1:13: the schema must be the number 1"},
	{"{}", HN_ESCHEMA, "m.json:1:1: a manifest needs 'hypernix'"},
	{"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\"}", HN_ESCHEMA,
		"m.json:1:1: a manifest needs 'kind'"},
	{"{\"hypernix\":1,\"component\":\"c\",\"kind\":\"service\"}", HN_ESCHEMA,
		"m.json:1:1: a manifest needs 'version'"},
	{"{\"hypernix\":1,\"version\":\"1.0.0\",\"kind\":\"service\"}", HN_ESCHEMA,
		"m.json:1:1: a manifest needs 'component'"},
	{"{\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"service\"}", HN_ESCHEMA,
		"m.json:1:1: a manifest needs 'hypernix'"},
	{"{\"hypernix\":1,\"component\":\"C\",\"version\":\"1.0.0\",\"kind\":\"service\"}",
		HN_ESCHEMA, "m.json:1:27: 'C' is not a name"},
	{"{\"hypernix\":1,\"component\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"version\":\"1.0.0\",\"kind\":\"service\"}",
		HN_ESCHEMA,
		"m.json:1:27: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' is not a name"},
	{"{\"hypernix\":1,\"component\":\"c\",\"version\":\"v1.0.0\",\"kind\":\"service\"}",
		HN_ESYNTAX, "m.json:1:41: version \"v1.0.0\": column 1: a version has no v"},
	{"{\"hypernix\":1,\"component\":\"c\",\"version\":1,\"kind\":\"service\"}", HN_ESCHEMA,
		"m.json:1:41: version must be a string, not an integer"},
	{"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"servce\"}",
		HN_ESCHEMA, "m.json:1:56: kind cannot be 'servce'"},
	{"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"x\"}", HN_ESCHEMA,
		"m.json:1:56: kind cannot be 'x'"},
	{"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"service\"} x",
		HN_ESYNTAX,
		"m.json:1:67: nothing may follow the value that ends before, found 'x'"},
};

Test(manifest, refuses_documents)
{
	for (size_t i = 0; i < BASE_COUNT(documents); i++)
		expect_refused(documents[i].given, &documents[i]);
}

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

Test(manifest, knows_what_no_name_has)
{
	static const char *const contracts[] = {"a~/b", "a./b", "a/b_", "a/", "", "/", "a:/b"};

	for (size_t i = 0; i < BASE_COUNT(contracts); i++)
		cr_expect_not(compose_contract_name_valid(contracts[i], strlen(contracts[i])));
	cr_expect(compose_contract_name_valid("0-a/9-z", 7));
}
