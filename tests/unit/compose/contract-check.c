/* SPDX-License-Identifier: MIT */
#include "compose/model.h"

#include <criterion/criterion.h>

static const char schema[] =
	"{\"hypernix\":1,\"contract\":\"service/http\",\"version\":\"1.2.0\",\"cardinality\":\"many\",\n"
	"\"fields\":{\"port\":{\"type\":\"uint\",\"min\":1,\"max\":70000},\n"
	"\"max-body\":{\"type\":\"size\",\"required\":false,\"max\":\"1Gi\"},\n"
	"\"idle\":{\"type\":\"duration\",\"required\":false},\n"
	"\"tls\":{\"type\":\"bool\",\"required\":false},\n"
	"\"log\":{\"type\":\"text\",\"required\":false,\"max\":4},\n"
	"\"mode\":{\"type\":\"enum\",\"values\":[\"fast\",\"safe\"],\"required\":false},\n"
	"\"pool\":{\"type\":\"name\",\"required\":false},\n"
	"\"socket\":{\"type\":\"text\"}},\n"
	"\"checks\":[{\"tcp\":\"$port\",\"within\":\"10s\"},{\"http\":\"$port/x$y\",\"within\":\"1s\"},\n"
	"{\"unix\":\"$socket\",\"within\":\"1s\"},{\"file\":\"/run/pid\",\"within\":\"1s\"},\n"
	"{\"exec\":[\"/bin/true\",\"-x\"],\"within\":\"1s\"},{\"tcp\":\"443\",\"within\":\"1s\"}]}";

static compose_contract *contract_of(void)
{
	compose_contract *contract = NULL;
	hn_error *err = NULL;
	int rc = compose_contract_parse("c.json", schema, sizeof(schema) - 1, &contract, &err);

	cr_assert_eq(rc, 0, "%s", rc < 0 ? hn_error_message(err) : "");
	return contract;
}

/* A manifest that provides with these fields, and requires with those. */
static compose_manifest *manifest_of(const char *fields, const char *demands)
{
	BASE_AUTO_BUF base_buf text = {0};
	compose_manifest *manifest = NULL;
	hn_error *err = NULL;

	base_buf_format(&text,
		"{\"hypernix\":1,\"component\":\"c\",\"version\":\"1.0.0\",\"kind\":\"service\",\n"
		"\"provides\":[{\"contract\":\"service/http\",\"version\":\"1.2.0\",\"fields\":{\n%s}}],\n"
		"\"requires\":[{\"contract\":\"service/http\",\"fields\":{\n%s}}]}",
		fields, demands);
	int rc = compose_manifest_parse("m.json", text.data, text.size, &manifest, &err);
	cr_assert_eq(rc, 0, "%s", rc < 0 ? hn_error_message(err) : "");
	return manifest;
}

#define GOOD "\"port\":80,\"socket\":\"/s\""

typedef struct refusal {
	const char *given, *said, *hint;
} refusal;

static void expect_said(int rc, const hn_error *err, const refusal *row)
{
	cr_expect_eq(rc, row->said != NULL ? HN_ECONTRACT : 0, "%s", row->given);
	if (rc == HN_ECONTRACT && row->said != NULL)
		cr_expect_str_eq(hn_error_message(err), row->said);
	if (rc == HN_ECONTRACT && row->hint != NULL)
		cr_expect_str_eq(hn_error_hint(err), row->hint);
}

Test(contract_check, provisions)
{
	static const refusal rows[] = {{GOOD, NULL, NULL},
		{GOOD ",\"max-body\":\"8Mi\",\"idle\":\"10s\",\"tls\":true,\"log\":\"abcd\","
		      "\"mode\":\"safe\",\"pool\":\"main\"",
			NULL, NULL},
		{GOOD ",\"tls\":false", NULL, NULL},
		{"\"port\":80", "m.json:2:13: service/http needs the field 'socket', a text", NULL},
		{GOOD ",\"prot\":1", "m.json:3:32: service/http 1.2.0 has no field 'prot'",
			"did you mean port?"},
		{GOOD ",\"zzzzzzzz\":1", "m.json:3:36: service/http 1.2.0 has no field 'zzzzzzzz'",
			"c.json lists its fields"},
		{"\"port\":0", "m.json:3:8: service/http: port is out of range: 0",
			"it may be 1 to 70000"},
		{"\"port\":70001", "m.json:3:8: service/http: port is out of range: 70001", NULL},
		{"\"port\":-1", "m.json:3:8: service/http: port cannot be negative", NULL},
		{"\"port\":\"80\"",
			"m.json:3:8: service/http: port must be a whole number, not a string",
			NULL},
		{GOOD ",\"max-body\":8",
			"m.json:3:36: service/http: max-body must be a size with its unit, such as "
			"\"8Mi\", not an integer",
			NULL},
		{GOOD ",\"max-body\":\"8MiB\"",
			"m.json:3:36: service/http: max-body: the size \"8MiB\" has an unknown unit",
			"write 8Mi (powers of 1024)"},
		{GOOD ",\"max-body\":\"2Gi\"",
			"m.json:3:36: service/http: max-body is out of range: 2Gi",
			"it may be 0B to 1Gi"},
		{GOOD ",\"idle\":10",
			"m.json:3:32: service/http: idle must be a duration with its unit, such as "
			"\"10s\", not an integer",
			NULL},
		{GOOD ",\"idle\":\"10\"",
			"m.json:3:32: service/http: idle: the duration \"10\" has no unit", NULL},
		{GOOD ",\"tls\":\"true\"",
			"m.json:3:31: service/http: tls must be true or false, not a string", NULL},
		{GOOD ",\"log\":\"abcde\"", "m.json:3:31: service/http: log is out of range: abcde",
			"its length may be 0 to 4 bytes"},
		{GOOD ",\"log\":true", "m.json:3:31: service/http: log must be a string, not true",
			NULL},
		{GOOD ",\"mode\":\"slow\"",
			"m.json:3:32: service/http: mode is an enum, not 'slow'",
			"it is one of fast, safe"},
		{GOOD ",\"pool\":\"Main\"", "m.json:3:32: service/http: pool is a name, not 'Main'",
			NULL}};
	compose_contract *contract = contract_of();

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		compose_manifest *manifest = manifest_of(rows[i].given, "");
		hn_error *err = NULL;
		int rc = compose_contract_check_provision(contract, manifest->provides, &err);

		expect_said(rc, err, &rows[i]);
		hn_error_unref(err);
		compose_manifest_unref(manifest);
	}
	compose_contract_unref(contract);
}

Test(contract_check, requirements)
{
	static const refusal rows[] = {{"\"port\":\"<= 80\"", NULL, NULL},
		{"\"port\":\"< 99999\"", NULL, NULL}, {"\"max-body\":\">2Gi\"", NULL, NULL},
		{"\"tls\":\"= false\",\"mode\":\"!=fast\",\"pool\":\"= a\",\"log\":\"= too long\"",
			NULL, NULL},
		{"\"prot\":\"= 1\"", "m.json:5:8: service/http 1.2.0 has no field 'prot'",
			"did you mean port?"},
		{"\"port\":\"= x\"", "m.json:5:8: service/http: port is a whole number, not 'x'",
			"write it in plain digits"},
		{"\"port\":\"= 0\"", NULL, NULL},
		{"\"port\":\"= 8/\"", "m.json:5:8: service/http: port is a whole number, not '8/'",
			NULL},
		{"\"port\":\"= 080\"",
			"m.json:5:8: service/http: port is a whole number, not '080'", NULL},
		{"\"port\":\"= 99999999999999999999\"",
			"m.json:5:8: service/http: port is a whole number, not '99999999999999999999'",
			NULL},
		{"\"port\":\"= 18446744073709551616\"",
			"m.json:5:8: service/http: port is a whole number, not '18446744073709551616'",
			NULL},
		{"\"max-body\":\">= 8\"",
			"m.json:5:12: service/http: max-body: the size \"8\" has no unit", NULL},
		{"\"idle\":\">= 8Mi\"",
			"m.json:5:8: service/http: idle: the duration \"8Mi\" has an unknown unit",
			NULL},
		{"\"tls\":\"= no\"", "m.json:5:7: service/http: tls is true or false, not 'no'",
			NULL},
		{"\"mode\":\"= slow\"", "m.json:5:8: service/http: mode is an enum, not 'slow'",
			NULL},
		{"\"pool\":\"= A\"", "m.json:5:8: service/http: pool is a name, not 'A'", NULL},
		{"\"tls\":\"> false\"",
			"m.json:5:7: service/http: tls is a bool, which is not more or less than another",
			"write = or !="},
		{"\"log\":\"<= a\"",
			"m.json:5:7: service/http: log is a text, which is not more or less than another",
			NULL}};
	compose_contract *contract = contract_of();

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		compose_manifest *manifest = manifest_of(GOOD, rows[i].given);
		hn_error *err = NULL;
		int rc = compose_contract_check_requirement(contract, manifest->requires_, &err);

		expect_said(rc, err, &rows[i]);
		hn_error_unref(err);
		compose_manifest_unref(manifest);
	}
	compose_contract_unref(contract);
}

Test(contract_check, what_fits)
{
	static const struct {
		const char *fields, *demands, *why;
	} rows[] = {{GOOD, "", NULL}, {GOOD, "\"port\":\"= 80\"", NULL},
		{GOOD, "\"port\":\"!= 81\"", NULL}, {GOOD, "\"port\":\"< 81\"", NULL},
		{GOOD, "\"port\":\"<= 80\"", NULL}, {GOOD, "\"port\":\"> 79\"", NULL},
		{GOOD, "\"port\":\">= 80\"", NULL},
		{GOOD, "\"port\":\"= 81\"", "port is 80, = 81 is asked"},
		{GOOD, "\"port\":\"!= 80\"", "port is 80, != 80 is asked"},
		{GOOD, "\"port\":\"< 80\"", "port is 80, < 80 is asked"},
		{GOOD, "\"port\":\"<= 79\"", "port is 80, <= 79 is asked"},
		{GOOD, "\"port\":\"> 80\"", "port is 80, > 80 is asked"},
		{GOOD, "\"port\":\">= 81\"", "port is 80, >= 81 is asked"},
		{GOOD ",\"max-body\":\"4096Ki\"", "\"max-body\":\">= 8Mi\"",
			"max-body is 4Mi, >= 8Mi is asked"},
		{GOOD ",\"max-body\":\"8192Ki\"", "\"max-body\":\"= 8Mi\"", NULL},
		{GOOD ",\"idle\":\"60s\"", "\"idle\":\"> 1min\"", "idle is 1min, > 1min is asked"},
		{GOOD ",\"tls\":true", "\"tls\":\"= true\"", NULL},
		{GOOD ",\"tls\":true", "\"tls\":\"= false\"", "tls is true, = false is asked"},
		{GOOD ",\"mode\":\"fast\"", "\"mode\":\"= safe\"", "mode is fast, = safe is asked"},
		{GOOD ",\"log\":\"a\"", "\"log\":\"!= b\"", NULL},
		{GOOD, "\"max-body\":\">= 8Mi\"", "max-body is not given, >= 8Mi is asked"},
		{GOOD, "\"other\":\">= 8Mi\"", "there is no field other, >= 8Mi is asked"},
		{GOOD ",\"tls\":1", "\"tls\":\"= true\"",
			"tls is not what service/http allows, = true is asked"},
		{GOOD ",\"tls\":true", "\"tls\":\"= maybe\"", "tls is true, = maybe is asked"}};
	compose_contract *contract = contract_of();

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		compose_manifest *manifest = manifest_of(rows[i].fields, rows[i].demands);
		BASE_AUTO_BUF base_buf why = {0};
		bool fits = compose_contract_fits(
			contract, manifest->provides, manifest->requires_, &why);

		cr_expect_eq(fits, rows[i].why == NULL, "%s", rows[i].demands);
		if (!fits && rows[i].why != NULL)
			cr_expect_str_eq(why.data, rows[i].why);
		compose_manifest_unref(manifest);
	}
	compose_contract_unref(contract);
}

static void expect_target(const char *fields, size_t check, const char *wanted, const char *said)
{
	compose_contract *contract = contract_of();
	compose_manifest *manifest = manifest_of(fields, "");
	base_arena *arena = base_arena_new();
	const char *target = "untouched";
	hn_error *err = NULL;
	int rc = compose_contract_check_target(
		contract, manifest->provides, &contract->checks[check], arena, &target, &err);

	cr_expect_eq(rc, said != NULL ? HN_ECONTRACT : 0);
	cr_expect_str_eq(target, wanted);
	if (rc < 0 && said != NULL)
		cr_expect_str_eq(hn_error_message(err), said);
	hn_error_unref(err);
	base_arena_free(arena);
	compose_manifest_unref(manifest);
	compose_contract_unref(contract);
}

Test(contract_check, targets)
{
	expect_target(GOOD, 0, "80", NULL);
	expect_target(GOOD, 1, "80/x$y", NULL);
	expect_target(GOOD, 2, "/s", NULL);
	expect_target(GOOD, 3, "/run/pid", NULL);
	expect_target(GOOD, 4, "/bin/true", NULL);
	expect_target(GOOD, 5, "443", NULL);
	expect_target("\"socket\":\"/s\"", 0, "untouched",
		"m.json:2:13: service/http needs the field 'port', which its checks look at");
	expect_target("\"port\":65536", 0, "untouched",
		"m.json:3:8: service/http: port is looked at as a port and is 65536");
	expect_target("\"port\":true", 0, "untouched",
		"m.json:3:8: service/http: port must be a whole number, not true");
	expect_target("\"socket\":\"run/x\"", 2, "untouched",
		"m.json:3:10: service/http: socket is looked at as a path and is not absolute");
}
