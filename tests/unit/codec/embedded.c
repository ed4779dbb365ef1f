/* SPDX-License-Identifier: MIT
 *
 * What a program that embeds us and uses jansson itself must not notice.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static int alive;

static void *counted_alloc(size_t bytes)
{
	alive++;
	return malloc(bytes);
}

static void counted_free(void *memory)
{
	alive -= memory != NULL;
	free(memory);
}

static void parse(const char *text, int code)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;

	cr_assert_eq(codec_json_parse("web.json", text, strlen(text), &doc, NULL), code);
}

Test(embedded, jansson_keeps_the_allocator_it_has)
{
	json_malloc_t allocate = NULL;
	json_free_t release = NULL;

	json_set_alloc_funcs(counted_alloc, counted_free);
	json_t *value = json_pack("{s:[i,s]}", "units", 1, "web");
	cr_assert_not_null(value);
	int before = alive;
	parse("{\"hypernix\": 1, \"units\": [1, 2.5, \"x\", {}]}", 0);
	parse("{\"hypernix\": 1, \"units\": [1, }", HN_ESYNTAX);
	parse("{\"a\": 1, \"a\": 2}", HN_EDUPLICATE);
	json_get_alloc_funcs(&allocate, &release);
	cr_assert(allocate == counted_alloc);
	cr_assert(release == counted_free);
	cr_assert_eq(alive, before, "%d pieces of jansson are left", alive - before);
	json_decref(value);
	cr_assert_eq(alive, 0);
}
