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
	compose_contract *untouched = (void *)(uintptr_t)0x7075, *made = untouched;
	hn_error *err = NULL;
	int rc = compose_contract_parse("c.json", text, strlen(text), &made, &err);

	cr_expect_eq(rc, row->code, "%s: %s", hn_code_name((hn_code)rc), text);
	if (rc < 0)
		cr_expect_str_eq(hn_error_message(err), row->said);
	cr_expect_eq(made, untouched);
	hn_error_unref(err);
}

static const refusal documents[] = {
	{"{\"hypernix\":1}", HN_ESCHEMA, "c.json:1:1: a contract needs 'contract'"},
	{"{\"hypernix\":2}", HN_ENEWER,
		"c.json:1:13: schema 2 is newer than this library, which reads schema 1"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\"}", HN_ESCHEMA,
		"c.json:1:1: a contract needs 'cardinality'"},
	{"{\"hypernix\":1,\"contract\":\"a\",\"version\":\"1.0.0\",\"cardinality\":\"one\"}",
		HN_ESCHEMA, "c.json:1:26: 'a' is not a contract"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1\",\"cardinality\":\"one\"}",
		HN_ESYNTAX, "c.json:1:42: version \"1\": column 2: \".\" and a number are missing"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"some\"}",
		HN_ESCHEMA, "c.json:1:64: cardinality cannot be 'some'"},
	{"{\"hypernix\":1,\"contract\":\"base/glibc\",\"version\":\"1.0.0\",\"cardinality\":\"many\"}",
		HN_ESCHEMA, "c.json:1:71: of base/glibc there is one in an image"},
	{"{\"hypernix\":1,\"contract\":\"init/x\",\"version\":\"1.0.0\",\"cardinality\":\"many\"}",
		HN_ESCHEMA, "c.json:1:67: of init/x there is one in an image"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":1}",
		HN_ESCHEMA, "c.json:1:64: cardinality must be a string, not an integer"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{}}}",
		HN_ESCHEMA, "c.json:2:15: a field needs 'type'"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":1}}",
		HN_ESCHEMA, "c.json:2:15: a field must be an object, not an integer"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"P\":{\"type\":\"uint\"}}}",
		HN_ESCHEMA, "c.json:2:15: 'P' is not a name of a field"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"unit\"}}}",
		HN_ESCHEMA, "c.json:2:23: type cannot be 'unit'"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"float\"}}}",
		HN_ESCHEMA, "c.json:2:23: type cannot be 'float'"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\",\"min\":2,\"max\":1}}}",
		HN_ESCHEMA, "c.json:2:36: the least value of p is above the greatest"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\",\"min\":-1}}}",
		HN_ESCHEMA, "c.json:2:36: min cannot be negative"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\",\"min\":\"1\"}}}",
		HN_ESCHEMA, "c.json:2:36: min must be a whole number, not a string"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"size\",\"min\":1}}}",
		HN_ESCHEMA,
		"c.json:2:36: min must be a size with its unit, such as \"8Mi\", not an integer"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"size\",\"max\":\"1Mx\"}}}",
		HN_ESCHEMA, "c.json:2:36: max: the size \"1Mx\" has an unknown unit"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"duration\",\"max\":1}}}",
		HN_ESCHEMA,
		"c.json:2:40: max must be a duration with its unit, such as \"10s\", not an integer"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"bool\",\"max\":1}}}",
		HN_ESCHEMA, "c.json:2:36: a bool has no max"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"name\",\"min\":1}}}",
		HN_ESCHEMA, "c.json:2:36: a name has no min"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"text\",\"max\":\"1Mi\"}}}",
		HN_ESCHEMA, "c.json:2:36: max must be a whole number, not a string"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"enum\"}}}",
		HN_ESCHEMA, "c.json:2:15: p is an enum without values"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"enum\",\"values\":[]}}}",
		HN_ESCHEMA, "c.json:2:39: values must not be empty"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"enum\",\"values\":[\"a\",\"a\"]}}}",
		HN_EDUPLICATE, "c.json:2:44: values a is given twice; the first time in line 2"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\",\"values\":[\"a\"]}}}",
		HN_ESCHEMA, "c.json:2:15: only an enum has values, and p is none"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"enum\",\"values\":[\"a b\"]}}}",
		HN_ESCHEMA, "c.json:2:40: an item of values has a space"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\",\"required\":1}}}",
		HN_ESCHEMA, "c.json:2:41: required must be true or false, not an integer"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\",\"requird\":true}}}",
		HN_ESCHEMA, "c.json:2:40: a field has no field 'requird'"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\"}},\"checks\":[{\"tcp\":\"$q\",\"within\":\"1s\"}]}",
		HN_ESCHEMA, "c.json:2:42: a check looks at $q, and a/b has no such field"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\",\"required\":false}},\"checks\":[{\"tcp\":\"$p\",\"within\":\"1s\"}]}",
		HN_ESCHEMA, "c.json:2:59: a check looks at $p, which is optional"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"text\"}},\"checks\":[{\"tcp\":\"$p\",\"within\":\"1s\"}]}",
		HN_ESCHEMA, "c.json:2:42: a check cannot look at $p, which is a text"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\"}},\"checks\":[{\"unix\":\"$p\",\"within\":\"1s\"}]}",
		HN_ESCHEMA, "c.json:2:42: a check cannot look at $p, which is a uint"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"text\"}},\"checks\":[{\"http\":\"$p/\",\"within\":\"1s\"}]}",
		HN_ESCHEMA, "c.json:2:42: a check cannot look at $p, which is a text"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\"}},\"checks\":[{\"tcp\":\"$p\"}]}",
		HN_ESCHEMA, "c.json:2:42: a check needs 'within'"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\"}},\"checks\":{}}",
		HN_ESCHEMA, "c.json:2:41: checks must be an array, not an object"},
	{"{\"hypernix\":1,\"contract\":\"a/b\",\"version\":\"1.0.0\",\"cardinality\":\"many\",\n\"fields\":{\"p\":{\"type\":\"uint\"}},\"check\":[]}",
		HN_ESCHEMA, "c.json:2:40: a contract has no field 'check'"},
};

Test(contract, refuses_documents)
{
	for (size_t i = 0; i < BASE_COUNT(documents); i++)
		expect_refused(documents[i].given, &documents[i]);
}
