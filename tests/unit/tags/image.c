/* SPDX-License-Identifier: MIT
 *
 * Units that boot from an image get settings and tags of its components, below all that people say
 * of the unit and above the defaults.
 */
#include "tags/help.h"
#include "tags/tags-image.h"

#define FLEET                                                                                      \
	"{\"hypernix\":1,\"tags\":{\"web\":{\"set\":{\"stop.grace\":\"9s\"}},"                     \
	"\"other\":{\"set\":{\"image.blueprint\":\"second\"}},"                                    \
	"\"site\":{\"set\":{\"image.blueprint\":\"first\"}}},"                                     \
	"\"defaults\":{\"boot.goal\":\"1s\"},\"units\":{\"u\":{\"tags\":[\"site\"]},"              \
	"\"plain\":{},\"own\":{\"blueprint\":\"first\",\"overrides\":{\"memory.size\":\"128Mi\","  \
	"\"boot.cmdline\":[\"own\"]}}}}"

static tags_image_value value(const char *key, const char *text, int priority)
{
	return (tags_image_value){.key = key,
		.value = text,
		.priority = priority,
		.order = 500,
		.source = "component:nginx",
		.file = "nginx.json",
		.line = 7,
		.column = 3};
}

static void add(tags_images *images, const char *name, const tags_image_value *values, size_t count,
	const char *tag)
{
	hn_error *err = NULL;

	cr_assert_eq(tags_images_add(images, name, values, count, &tag, tag != NULL, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
}

static hn_resolver *fleet(const char *tag)
{
	const tags_image_value values[] = {value("memory.size", "256Mi", 1000),
		value("boot.goal", "7s", 1000), value("boot.cmdline", "quiet", 1000)};
	hn_resolver *resolver = resolver_of(FLEET);
	tags_images *images = NULL;

	cr_assert_eq(tags_images_new(&images, NULL), 0);
	add(images, "first", values, BASE_COUNT(values), tag);
	cr_assert(tags_images_has(images, "first") && !tags_images_has(images, "second"));
	tags_resolver_images(resolver, images);
	tags_images_unref(images); /* the resolver has its own */
	return resolver;
}

static void expect(hn_resolver *resolver, const char *unit, const char *key, const char *text)
{
	hn_view *view = view_of(resolver, unit);
	const char *is = NULL;

	cr_assert_eq(hn_view_get_text(view, key, &is, NULL), 0);
	cr_assert_str_eq(is, text);
	hn_view_unref(view);
}

/* Also of a unit that nobody has resolved yet. */
Test(image, brings_tags_that_selectors_see)
{
	hn_resolver *resolver = fleet("web");
	hn_selector *selector = NULL;

	cr_assert_eq(hn_selector_compile("tag:web", &selector, NULL), 0);
	cr_expect_eq(hn_resolver_select(resolver, selector, "u", NULL), 1);
	cr_expect_eq(hn_resolver_select(resolver, selector, "plain", NULL), 0);
	hn_selector_free(selector);
	hn_resolver_free(resolver);
}

Test(image, brings_settings)
{
	hn_resolver *resolver = fleet(NULL);

	expect(resolver, "u", "memory.size", "256Mi");
	expect(resolver, "u", "boot.goal", "1s"); /* the smallest counts */
	expect(resolver, "own", "memory.size", "128Mi");
	expect(resolver, "own", "boot.cmdline", "quiet own");
	expect(resolver, "plain", "memory.size", "512Mi");
	hn_resolver_free(resolver);
}

Test(image, says_whence)
{
	hn_resolver *resolver = fleet(NULL);
	hn_view *view = view_of(resolver, "u");
	hn_origin origin = {.size = sizeof(origin)};

	cr_assert_geq(hn_view_explain(view, "memory.size", 0, &origin), 0);
	cr_assert_eq(origin.layer, HN_LAYER_COMPONENT);
	cr_assert_eq(origin.priority, 1000);
	cr_assert_str_eq(origin.source, "component:nginx");
	cr_assert_str_eq(origin.file, "nginx.json");
	cr_assert_eq(origin.line, 7u);
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

Test(image, brings_tags_that_are_declared)
{
	hn_resolver *resolver = fleet("web"), *strange = fleet("nobody-declares-it");
	hn_view *view = view_of(resolver, "u");

	cr_assert(tags_view_has(view, "web", 3));
	hn_view_unref(view);
	expect(resolver, "u", "stop.grace", "9s");
	expect(resolver, "plain", "stop.grace", "30s");
	expect(strange, "u", "memory.size", "256Mi");
	hn_resolver_free(resolver);
	hn_resolver_free(strange);
}

Test(image, cannot_choose_another)
{
	const tags_image_value own = value("image.blueprint", "second", 1000);
	hn_resolver *resolver = fleet("other");
	tags_images *images = NULL;
	hn_view *view = NULL;
	hn_error *err = NULL;
	int rc = hn_resolve(resolver, "u", &view, &err);

	/* both tags have priority 400, and disagree */
	cr_assert_null(view);
	expect_error(err, rc, HN_ECONFLICT, "image.blueprint has two values", NULL);
	hn_resolver_free(resolver);
	err = NULL;
	cr_assert_eq(tags_images_new(&images, NULL), 0);
	rc = tags_images_add(images, "x", &own, 1, NULL, 0, &err);
	expect_error(
		err, rc, HN_ESCHEMA, "nginx.json:7:3: component:nginx cannot set", "on the unit");
	tags_images_unref(images);
}

Test(image, refuses_what_no_key_takes)
{
	const tags_image_value unknown = value("memory.sise", "1Gi", 1000),
			       bad = value("memory.size", "32GB", 1000);
	tags_images *images = NULL;
	hn_error *err = NULL;
	int rc;

	cr_assert_eq(tags_images_new(&images, NULL), 0);
	rc = tags_images_add(images, "x", &unknown, 1, NULL, 0, &err);
	expect_error(err, rc, HN_ESCHEMA, "nginx.json:7:3: setting memory.sise of component:nginx",
		NULL);
	err = NULL;
	rc = tags_images_add(images, "x", &bad, 1, NULL, 0, &err);
	cr_assert_lt(rc, 0);
	cr_assert_not_null(strstr(hn_error_message(err), "nginx.json:7:3"));
	hn_error_unref(err);
	cr_assert(!tags_images_has(images, "x"));
	tags_images_unref(images);
}

Test(image, follows_the_unit)
{
	const char *const off[] = {"site"};
	hn_resolver *resolver = fleet("web"), *fork = NULL;
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	expect(resolver, "u", "memory.size", "256Mi");
	cr_assert_eq(hn_resolver_fork(resolver, &fork, NULL), 0);
	input.without = off;
	input.without_count = 1;
	cr_assert_eq(hn_resolver_set_unit(fork, "u", &input, NULL), 0);
	expect(fork, "u", "memory.size", "512Mi");
	expect(fork, "u", "stop.grace", "30s");
	expect(resolver, "u", "memory.size", "256Mi");
	tags_resolver_images(resolver, NULL);
	expect(resolver, "u", "memory.size", "512Mi");
	hn_resolver_free(fork);
	hn_resolver_free(resolver);
}
