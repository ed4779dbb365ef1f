/* SPDX-License-Identifier: MIT
 *
 * Torture of codec: reading and writing with failing memory.
 */
#include "codec/codec-private.h"
#include "torture.h"

/* More than 16 members, so that the index is made too; escapes, numbers, nesting. */
static const char document[] =
	"{\"a\":[1,-2.5,\"\\u00e9\"],\"b\":{},\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,"
	"\"j\":0,\"k\":0,\"l\":0,\"m\":0,\"n\":0,\"o\":0,\"p\":0,\"q\":0,\"r\":{\"s\":[true,null]}}";

static int parse_run(torture *t, hn_error **err)
{
	codec_json *doc = t->output;
	int code = codec_json_parse("web.json", document, strlen(document), &doc, err);

	t->output = doc;
	return code;
}

static int parse_check(torture *t)
{
	if (t->code < 0)
		return 0;
	const codec_node *root = codec_json_root(t->output);
	TORTURE_CHECK(root->count == 18);
	TORTURE_CHECK(codec_member(codec_member(root, "r"), "s")->count == 2);
	return 0;
}

static void parse_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		codec_json_free(t->output);
}

/* A document that is refused stays refused, or memory is what was missing. */
static int refuse_run(torture *t, hn_error **err)
{
	static const char twice[] = "{\"a\": 1, \"a\": 2}";
	codec_json *doc = NULL;

	(void)t;
	return codec_json_parse("web.json", twice, strlen(twice), &doc, err);
}

static int write_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *text;
	int code = hn_json_new(true, &json, err);

	if (code < 0)
		return code;
	hn_json_object(json, NULL);
	hn_json_text(json, "text",
		"a longer text with \"quotes\" and a tab\t, so that the buffer grows");
	hn_json_raw(json, "raw", document);
	hn_json_end(json);
	code = hn_json_finish(json, &text, NULL, err);
	if (code < 0)
		return code;
	char *copy = base_strdup(text);
	if (copy == NULL)
		return base_nomem(err);
	t->output = copy;
	return 0;
}

static int write_check(torture *t)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;

	if (t->code < 0)
		return 0;
	TORTURE_CHECK(codec_json_parse("again", t->output, strlen(t->output), &doc, NULL) == 0);
	TORTURE_CHECK(codec_member(codec_member(codec_json_root(doc), "raw"), "r") != NULL);
	return 0;
}

static void memory_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		base_free(t->output);
}

/* Without a fault it fails too, which the harness does not expect of a scenario: turn it round. */
static int refused_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int code = refuse_run(t, &why);

	if (code == HN_EDUPLICATE)
		return 0;
	*err = BASE_STEAL(why);
	return code;
}

static const torture_scenario scenarios[] = {
	{.name = "parse", .run = parse_run, .check = parse_check, .clean = parse_clean},
	{.name = "refuse", .run = refused_run},
	{.name = "write", .run = write_run, .check = write_check, .clean = memory_clean},
};

int main(int argc, char **argv)
{
	return torture_main("codec", scenarios, BASE_COUNT(scenarios), argc, argv);
}
