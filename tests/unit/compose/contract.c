/* SPDX-License-Identifier: MIT */
#include "compose/model.h"

#include <criterion/criterion.h>

static const char http[] =
	"{ \"hypernix\": 1, \"contract\": \"service/http\", \"version\": \"1.2.0\",\n"
	"  \"cardinality\": \"many\", \"fields\": {\n"
	"  \"port\": { \"type\": \"uint\", \"min\": 1, \"max\": 65535 },\n"
	"  \"max-body\": { \"type\": \"size\" },\n"
	"  \"tls\": { \"type\": \"bool\" } },\n"
	"  \"checks\": [ { \"tcp\": \"$port\", \"within\": \"10s\" } ] }\n";

static compose_contract *parse(const char *text)
{
	compose_contract *contract = NULL;
	hn_error *err = NULL;
	int rc = compose_contract_parse("c.json", text, strlen(text), &contract, &err);

	cr_assert_eq(rc, 0, "%s", rc < 0 ? hn_error_message(err) : "");
	return contract;
}

Test(contract, is_read)
{
	compose_contract *c = parse(http);

	cr_expect_str_eq(c->name, "service/http");
	cr_expect_eq(c->version.minor, 2);
	cr_expect_not(c->one);
	cr_assert_eq(c->field_count, 3);
	cr_expect_eq(c->fields[0].type, COMPOSE_UINT);
	cr_expect_eq(c->fields[0].minimum, 1);
	cr_expect_eq(c->fields[0].maximum, 65535);
	cr_expect(c->fields[0].required);
	cr_assert_eq(c->check_count, 1);
	cr_expect_str_eq(c->checks[0].target, "$port");
	compose_contract_unref(c);
}

Test(contract, reads_every_type)
{
	compose_contract *c = parse(
		"{\"hypernix\":1,\"contract\":\"base/x\",\"version\":\"1.0.0\",\"cardinality\":\"one\","
		"\"fields\":{\"a\":{\"type\":\"size\",\"min\":\"1Ki\",\"max\":\"1Mi\"},"
		"\"b\":{\"type\":\"duration\",\"max\":\"1s\"},\"c\":{\"type\":\"text\",\"max\":9},"
		"\"d\":{\"type\":\"enum\",\"values\":[\"x\",\"y\"],\"required\":false},"
		"\"e\":{\"type\":\"name\"},\"f\":{\"type\":\"duration\"}}}");

	cr_expect(c->one);
	cr_assert_eq(c->field_count, 6);
	cr_expect_eq(c->fields[0].minimum, 1024);
	cr_expect_eq(c->fields[0].maximum, 1048576);
	cr_expect_eq(c->fields[1].maximum, 1000000000);
	cr_expect_eq(c->fields[2].maximum, 9);
	cr_expect_eq(c->fields[3].word_count, 2);
	cr_expect_str_eq(c->fields[3].words[1], "y");
	cr_expect_not(c->fields[3].required);
	cr_expect_eq(c->fields[4].type, COMPOSE_NAME);
	cr_expect_eq(c->fields[5].maximum, INT64_MAX);
	cr_expect_eq(c->check_count, 0);
	cr_assert_eq(compose_contract_ref(c), c);
	cr_expect_null(compose_contract_unref(c));
	cr_expect_null(compose_contract_unref(c));
	cr_expect_null(compose_contract_unref(NULL));
	cr_expect_null(compose_contract_ref(NULL));
}
