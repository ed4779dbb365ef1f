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

static size_t signed_size;

/* A checkpoint, signed as a note and as a COSE message that holds the note. */
static int sign_run(torture *t, hn_error **err)
{
	const codec_checkpoint checkpoint = {.origin = "example.org/log", .origin_size = 15};
	codec_cose_sign1 message = {.tagged = true, .signature = {(const uint8_t *)"s", 1}};
	BASE_AUTO_BUF base_buf text = {0}, note = {0}, tbs = {0};
	codec_cbor_out out = {0};

	int rc = codec_checkpoint_put(&text, &checkpoint, err);
	if (rc == 0 && text.failed)
		rc = base_nomem(err);
	if (rc == 0)
		rc = codec_note_put_text(&note, text.data, text.size, err);
	if (rc == 0)
		rc = codec_note_put_line(
			&note, "example.org/log", 15, (const uint8_t *)"\1\2\3\4", "sig", 3, err);
	if (rc < 0)
		return rc;
	message.payload = (codec_view){(const uint8_t *)note.data, note.size};
	codec_cose_tbs(
		&tbs, message.protected_header, NULL, (codec_view){NULL, 0}, message.payload);
	codec_cose_sign1_put(&out, &message);
	signed_size = out.buf.size;
	char *bytes = note.failed || tbs.failed ? NULL : base_buf_take(&out.buf);
	base_buf_free(&out.buf);
	if (bytes == NULL)
		return base_nomem(err);
	t->output = bytes;
	return 0;
}

static int sign_check(torture *t)
{
	codec_cose_sign1 message;
	codec_note note;

	if (t->code < 0)
		return 0;
	TORTURE_CHECK(codec_cose_sign1_parse(t->output, signed_size, false, &message, NULL) == 0);
	TORTURE_CHECK(codec_note_parse((const char *)message.payload.bytes, message.payload.size,
			      &note, NULL) == 0);
	TORTURE_CHECK(note.count == 1 && note.signatures[0].size == 3);
	return 0;
}

/* One type, no transitions, the footer. */
static const char zone_file[] =
	"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1"
	"\0\0\0\0\0\0\0"
	"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1"
	"\0\0\0\0\0\0\0\nCET-1CEST,M3.5.0,M10.5.0/3\n";

static int zone_run(torture *t, hn_error **err)
{
	codec_zone *zone = t->output;
	int rc = codec_tzif_parse(zone_file, sizeof(zone_file) - 1, &zone, err);

	t->output = zone;
	return rc;
}

static int zone_check(torture *t)
{
	int32_t offset = 0;
	int64_t next = 0;

	if (t->code < 0)
		return 0;
	codec_tzif_offset(t->output, INT64_C(4118400000), &offset, &next); /* 2100-07-04 */
	TORTURE_CHECK(offset == 7200);
	return 0;
}

static void zone_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		codec_zone_free(t->output);
}

static int schedule_run(torture *t, hn_error **err)
{
	static const char text[] = "Mon..Fri 09:00-17:30; Sat 10:00-12:00 Europe/Berlin except "
				   "2026-12-24..2026-12-26,2027-01-01";
	codec_schedule_store store;
	codec_schedule schedule;
	base_buf buf = {0};

	int rc = codec_schedule_parse(text, strlen(text), &store, &schedule, err);
	if (rc < 0)
		return rc;
	codec_schedule_print(&schedule, &buf);
	char *printed = base_buf_take(&buf);
	if (printed == NULL)
		return base_nomem(err);
	bool same = strcmp(printed, text) == 0;
	t->output = printed;
	return same ? 0 : base_error(err, HN_EINTERNAL, "codec", NULL, "%s", printed);
}

static const torture_scenario scenarios[] = {
	{.name = "parse", .run = parse_run, .check = parse_check, .clean = parse_clean},
	{.name = "refuse", .run = refused_run},
	{.name = "schedule", .run = schedule_run, .clean = memory_clean},
	{.name = "sign", .run = sign_run, .check = sign_check, .clean = memory_clean},
	{.name = "write", .run = write_run, .check = write_check, .clean = memory_clean},
	{.name = "zone", .run = zone_run, .check = zone_check, .clean = zone_clean},
};

int main(int argc, char **argv)
{
	return torture_main("codec", scenarios, BASE_COUNT(scenarios), argc, argv);
}
