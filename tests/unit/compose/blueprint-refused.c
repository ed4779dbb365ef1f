/* SPDX-License-Identifier: MIT */
#include "compose/model.h"

#include <criterion/criterion.h>

typedef struct refusal {
	const char *given;
	hn_code code;
	const char *said;
} refusal;

static void expect_refused(const char *text, const refusal *row)
{
	compose_blueprint *untouched = (void *)(uintptr_t)0x7075, *made = untouched;
	hn_error *err = NULL;
	int rc = compose_blueprint_parse("b.json", text, strlen(text), &made, &err);

	cr_expect_eq(rc, row->code, "%s: %s", hn_code_name((hn_code)rc), text);
	if (rc < 0)
		cr_expect_str_eq(hn_error_message(err), row->said);
	cr_expect_eq(made, untouched);
	hn_error_unref(err);
}

static const refusal documents[] = {
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"image\":{\"compression\":\"zstd:1/\"}}",
		HN_ESCHEMA, "b.json:2:24: compression cannot be 'zstd:1/'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"image\":{\"compression\":\"zstd:/\"}}",
		HN_ESCHEMA, "b.json:2:24: compression cannot be 'zstd:/'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"image\":{\"compression\":\"zstd:a\"}}",
		HN_ESCHEMA, "b.json:2:24: compression cannot be 'zstd:a'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"image\":{\"compression\":\"zstd:29\"}}",
		HN_ESCHEMA, "b.json:2:24: compression cannot be 'zstd:29'"},
	{"{\"hypernix\":1}", HN_ESCHEMA, "b.json:1:1: a blueprint needs 'blueprint'"},
	{"{\"hypernix\":9}", HN_ENEWER,
		"b.json:1:13: schema 9 is newer than this library, which reads schema 1"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\"}", HN_ESCHEMA,
		"b.json:1:1: a blueprint needs 'components'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\"components\":[]}", HN_ESCHEMA,
		"b.json:1:62: components must not be empty"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\"components\":[{\"component\":\"a\"},{\"component\":\"a\",\"range\":\"^1\"}]}",
		HN_EDUPLICATE, "b.json:1:94: component a is given twice; the first time in line 1"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\"components\":[\"a\"]}",
		HN_ESCHEMA, "b.json:1:63: a component must be an object, not a string"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\"components\":[{\"component\":\"a\",\"version\":\"1\"}]}",
		HN_ESCHEMA, "b.json:1:90: a component has no field 'version'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\"components\":[{\"range\":\"1\"}]}",
		HN_ESCHEMA, "b.json:1:63: a component needs 'component'"},
	{"{\"hypernix\":1,\"blueprint\":\"B\",\"version\":\"1.0.0\",\"components\":[{\"component\":\"a\"}]}",
		HN_ESCHEMA, "b.json:1:27: 'B' is not a name"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1\",\"components\":[{\"component\":\"a\"}]}",
		HN_ESYNTAX, "b.json:1:41: version \"1\": column 2: \".\" and a number are missing"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"componets\":1}",
		HN_ESCHEMA, "b.json:3:13: a blueprint has no field 'componets'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"platform\":\"linux\"}",
		HN_ESCHEMA, "b.json:3:12: 'linux' is not a platform"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"requires\":[{}]}",
		HN_ESCHEMA,
		"b.json:3:13: a requirement names a contract or a component, one of the two"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"prefer\":[]}",
		HN_ESCHEMA, "b.json:3:10: prefer must be an object, not an array"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"prefer\":{\"init\":\"a\"}}",
		HN_ESCHEMA, "b.json:3:18: 'init' is not a contract"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"prefer\":{\"init/x\":\"A\"}}",
		HN_ESCHEMA, "b.json:3:20: 'A' is not a name"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"prefer\":{\"init/x\":1}}",
		HN_ESCHEMA, "b.json:3:20: init/x must be a string, not an integer"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"exclude\":[\"Openssl\"]}",
		HN_ESCHEMA, "b.json:3:12: 'Openssl' does not begin with the name of a component"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"exclude\":[\"<1\"]}",
		HN_ESCHEMA, "b.json:3:12: '<1' does not begin with the name of a component"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"exclude\":[\"a 1,2\"]}",
		HN_ESYNTAX, "b.json:3:12: range \"1,2\": column 2: \",\" joins nothing"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"exclude\":[1]}",
		HN_ESCHEMA, "b.json:3:12: an item of exclude must be a string, not an integer"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"exclude\":[\"a\",\"a\"]}",
		HN_EDUPLICATE, "b.json:3:16: exclude a is given twice; the first time in line 3"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"exclude\":[\"\"]}",
		HN_ESCHEMA, "b.json:3:12: an item of exclude is empty"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"root\":\"erofs\"}}",
		HN_ESCHEMA, "b.json:3:17: root cannot be 'erofs'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"root\":\"squash\"}}",
		HN_ESCHEMA, "b.json:3:17: root cannot be 'squash'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"compression\":\"zstd\"}}",
		HN_ESCHEMA, "b.json:3:24: compression cannot be 'zstd'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"compression\":\"zstd:0\"}}",
		HN_ESCHEMA, "b.json:3:24: compression cannot be 'zstd:0'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"compression\":\"zstd:20\"}}",
		HN_ESCHEMA, "b.json:3:24: compression cannot be 'zstd:20'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"compression\":\"xz:9\"}}",
		HN_ESCHEMA, "b.json:3:24: compression cannot be 'xz:9'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"compression\":\"zstd:1x\"}}",
		HN_ESCHEMA, "b.json:3:24: compression cannot be 'zstd:1x'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"compression\":\"zstd:111\"}}",
		HN_ESCHEMA, "b.json:3:24: compression cannot be 'zstd:111'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"compression\":15}}",
		HN_ESCHEMA, "b.json:3:24: compression must be a string, not an integer"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":{\"compresion\":\"zstd:1\"}}",
		HN_ESCHEMA, "b.json:3:23: the image has no field 'compresion'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"image\":1}",
		HN_ESCHEMA, "b.json:3:9: the image must be an object, not an integer"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"tags\":[\"A\"]}",
		HN_ESCHEMA, "b.json:3:9: 'A' is not a tag"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"settings\":{\"boot.gaol\":\"4s\"}}",
		HN_ESCHEMA, "b.json:3:25: there is no key 'boot.gaol'"},
	{"{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\",\n\"components\":[{\"component\":\"a\"}],\n\"settings\":{\"cpu.share\":0.5}}",
		HN_ESCHEMA, "b.json:3:25: there is no key 'cpu.share'"},
};

Test(blueprint, refuses_documents)
{
	for (size_t i = 0; i < BASE_COUNT(documents); i++)
		expect_refused(documents[i].given, &documents[i]);
}
