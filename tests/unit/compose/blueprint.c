/* SPDX-License-Identifier: MIT */
#include "compose/model.h"

#include <criterion/criterion.h>

static const char web[] =
	"{ \"hypernix\": 1, \"blueprint\": \"web-app\", \"version\": \"1.0.0\",\n"
	"  \"components\": [ { \"component\": \"busybox-base\" },\n"
	"    { \"component\": \"linux-cloud\", \"range\": \"^6.1\" } ],\n"
	"  \"requires\": [ { \"contract\": \"service/http\", \"range\": \"^1\" } ],\n"
	"  \"prefer\": { \"init/services\": \"busybox-base\" },\n"
	"  \"exclude\": [ \"openssl <3.0.22\", \"apache\" ],\n"
	"  \"image\": { \"root\": \"squashfs\", \"compression\": \"zstd:19\" },\n"
	"  \"tags\": [\"web\"], \"settings\": { \"boot.goal\": \"4s\" } }\n";

static compose_blueprint *parse(const char *text)
{
	compose_blueprint *blueprint = NULL;
	hn_error *err = NULL;
	int rc = compose_blueprint_parse("b.json", text, strlen(text), &blueprint, &err);

	cr_assert_eq(rc, 0, "%s", rc < 0 ? hn_error_message(err) : "");
	return blueprint;
}

Test(blueprint, is_read)
{
	compose_blueprint *b = parse(web);

	cr_expect_str_eq(b->name, "web-app");
	cr_expect_str_eq(b->platform, "x86_64-linux");
	cr_assert_eq(b->component_count, 2);
	cr_expect_null(b->components[0].range);
	cr_expect_str_eq(compose_range_text(b->components[1].range), "^6.1");
	cr_expect_eq(b->components[1].place.line, 3);
	cr_expect_eq(b->require_count, 1);
	cr_assert_eq(b->prefer_count, 1);
	cr_expect_str_eq(b->prefer[0].contract, "init/services");
	cr_expect_str_eq(b->prefer[0].component, "busybox-base");
	cr_assert_eq(b->exclude_count, 2);
	cr_expect_str_eq(b->exclude[0].component, "openssl");
	cr_expect_str_eq(compose_range_text(b->exclude[0].range), "<3.0.22");
	cr_expect_str_eq(b->exclude[1].component, "apache");
	cr_expect_null(b->exclude[1].range);
	cr_expect_str_eq(b->image_root, "squashfs");
	cr_expect_str_eq(b->image_compression, "zstd:19");
	cr_expect_eq(b->tag_count, 1);
	cr_expect_eq(b->setting_count, 1);
	compose_blueprint_unref(b);
}

Test(blueprint, has_defaults)
{
	compose_blueprint *b = parse("{\"hypernix\":1,\"blueprint\":\"b\",\"version\":\"1.0.0\","
				     "\"platform\":\"aarch64-linux\","
				     "\"components\":[{\"component\":\"a\"}]}");

	cr_expect_str_eq(b->platform, "aarch64-linux");
	cr_expect_str_eq(b->image_root, "auto");
	cr_expect_str_eq(b->image_compression, "zstd:15");
	cr_assert_eq(compose_blueprint_ref(b), b);
	cr_expect_null(compose_blueprint_unref(b));
	cr_expect_null(compose_blueprint_unref(b));
	cr_expect_null(compose_blueprint_unref(NULL));
	cr_expect_null(compose_blueprint_ref(NULL));
}
