/* SPDX-License-Identifier: MIT
 *
 * hn_json_walk: every scalar once, in order, with its pointer.
 */
#include "base/base-private.h"

#include <criterion/criterion.h>
#include <hypernix/codec.h>
#include <stdio.h>

typedef struct heard {
	char text[512];
	int stop_at, count;
} heard;

static int hear(void *arg, const char *place, const char *value)
{
	heard *h = arg;
	size_t used = strlen(h->text);

	(void)snprintf(h->text + used, sizeof(h->text) - used, "%s=%s;", place,
		value == NULL ? "(null)" : value);
	return ++h->count == h->stop_at ? 42 : 0;
}

static void expect_walk(const char *json, const char *expected)
{
	heard h = {.stop_at = -1};
	hn_error *err = NULL;

	cr_assert_eq(hn_json_walk(json, hear, &h, &err), 0);
	cr_expect_str_eq(h.text, expected);
}

Test(json_walk, names_every_scalar)
{
	expect_walk("{\"a\":{\"b\":[1,\"two\",true]},\"c\":null,\"d\":-2.5}",
		"/a/b/0=1;/a/b/1=two;/a/b/2=true;/c=(null);/d=-2.5;");
}

Test(json_walk, escapes_pointers_and_decodes_strings)
{
	expect_walk("{\"a/b~c\":\"x\\ny\"}", "/a~1b~0c=x\ny;");
}

Test(json_walk, a_scalar_alone_has_the_empty_pointer)
{
	expect_walk("false", "=false;");
}

Test(json_walk, empty_containers_have_nothing)
{
	expect_walk("{\"a\":[],\"b\":{}}", "");
}

Test(json_walk, the_callback_ends_it)
{
	heard h = {.stop_at = 2};

	cr_expect_eq(hn_json_walk("[1,2,3]", hear, &h, NULL), 42);
	cr_expect_eq(h.count, 2);
}

Test(json_walk, refuses_what_is_not_json)
{
	heard h = {.stop_at = -1};
	hn_error *err = NULL;

	cr_expect_eq(hn_json_walk("{\"a\":1,}", hear, &h, &err), HN_ESYNTAX);
	cr_expect_eq(h.count, 0);
	err = hn_error_unref(err);
	cr_expect_eq(hn_json_walk("{\"a\":1,\"a\":2}", hear, &h, &err), HN_EDUPLICATE);
	err = hn_error_unref(err);
	cr_expect_eq(hn_json_walk(NULL, hear, &h, &err), HN_EINVAL);
	err = hn_error_unref(err);
}
