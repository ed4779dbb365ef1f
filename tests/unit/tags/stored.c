/* SPDX-License-Identifier: MIT
 *
 * Views read back from a store: what a changed or cut byte is refused for.
 */
#include "tags/help.h"

#define FLEET                                                                                      \
	"{\"hypernix\":1,\"tags\":{\"a\":{\"implies\":[\"b\"],\"set\":{\"secrets\":[\"x\"]}},"     \
	"\"b\":{\"set\":{\"memory.size\":\"2Gi\"}}},"                                              \
	"\"policies\":{\"p\":{\"select\":\"tag:a\",\"set\":{\"tpm\":\"2.0\"}}},"                   \
	"\"units\":{\"u\":{\"tags\":[\"a\"],\"overrides\":{\"memory.size\":\"1Gi\","               \
	"\"disks.root.size\":\"1Gi\",\"disks.root.bus\":null,\"description\":\"\","                \
	"\"start.order\":-5,\"labels.aaa\":\"1\",\"labels.b\":\"2\",\"autostart\":false,\"secrets\":[\"y\"]}}}}"

/* --- what is cut short --- */

static void refuse_cut(const uint8_t *values, size_t values_size, const uint8_t *chains,
	size_t chains_size, const char *what)
{
	hn_view *view = NULL;
	hn_error *err = NULL;
	int rc = hn_view_decode("u", values, values_size, chains, chains_size, &view, &err);

	cr_assert(rc == HN_ECBOR || rc == HN_ECORRUPT, "%s cut at %zu, %zu gave %d", what,
		values_size, chains_size, rc);
	cr_assert_null(view);
	cr_assert_eq((int)hn_error_code(err), rc);
	hn_error_unref(err);
}

Test(stored, no_part_of_a_view_is_one)
{
	hn_view *view = resolved(FLEET), *back = NULL;
	uint8_t *values = NULL, *chains = NULL;
	size_t values_size = 0, chains_size = 0;

	cr_assert_eq(hn_view_encode(view, &values, &values_size, NULL), 0);
	cr_assert_eq(hn_view_encode_chains(view, &chains, &chains_size, NULL), 0);
	for (size_t i = 0; i < values_size; i++)
		refuse_cut(values, i, chains, chains_size, "values");
	for (size_t i = 1; i < chains_size; i++)
		refuse_cut(values, values_size, chains, i, "chains");
	cr_assert_eq(hn_view_decode("u", values, values_size, chains, chains_size, &back, NULL), 0);
	has_value(back, "description", "");
	has_value(back, "start.order", "-5");
	has_value(back, "autostart", "false");
	has_value(back, "secrets", "x y");
	has_value(back, "labels.aaa", "1");
	has_value(back, "labels.b", "2");
	hn_view_unref(back);
	hn_view_unref(view);
	hn_bytes_free(values);
	hn_bytes_free(chains);
}

Test(stored, needs_a_name_and_values)
{
	hn_view *view = NULL;
	uint8_t empty = 0xa0;
	hn_error *err = NULL;
	int rc = hn_view_decode(NULL, &empty, 1, NULL, 0, &view, &err);

	expect_error(err, rc, HN_EINVAL, "needs its unit's name", NULL);
	cr_expect_eq(hn_view_decode("u", NULL, 0, NULL, 0, &view, NULL), HN_EINVAL);
	cr_expect_eq(hn_view_decode("u", &empty, 1, NULL, 0, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_view_decode("u", &empty, 1, NULL, 1, &view, NULL), HN_EINVAL);
	cr_expect_null(view);
	cr_expect_eq(hn_view_decode("u", &empty, 1, NULL, 0, &view, NULL), 0);
	hn_view_unref(view);
}

/* --- keys and values --- */

static uint32_t id_of(const char *key)
{
	return hn_key_find(key)->id;
}

static void put_text(codec_cbor_out *out, const char *text)
{
	if (text == NULL)
		codec_cbor_put_null(out);
	else
		codec_cbor_put_text(out, text, strlen(text));
}

static void pad(codec_cbor_out *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		codec_cbor_put_uint(out, 0);
}

/* Decodes and frees both; `words` of the message, NULL when it is taken. */
static void decodes_to(codec_cbor_out *values, codec_cbor_out *chains, int code, const char *words,
	const char *hint)
{
	hn_view *view = NULL;
	hn_error *err = NULL;
	int rc = hn_view_decode("u", values->buf.data, values->buf.size,
		chains != NULL ? chains->buf.data : NULL, chains != NULL ? chains->buf.size : 0,
		&view, &err);

	cr_assert_eq(
		view != NULL, code == 0, "%s", err != NULL ? hn_error_message(err) : "was taken");
	if (code != 0)
		expect_error(err, rc, code, words, hint);
	hn_view_unref(view);
	base_buf_free(&values->buf);
	if (chains != NULL)
		base_buf_free(&chains->buf);
}

Test(stored, keys)
{
	codec_cbor_out out = {0};

	codec_cbor_put_uint(&out, 1);
	decodes_to(&out, NULL, HN_ECBOR, "", NULL);
	codec_cbor_put_map(&out, 1);
	put_text(&out, "memory.size");
	put_text(&out, "x");
	decodes_to(&out, NULL, HN_ECBOR, "", NULL);
	codec_cbor_put_map(&out, 1);
	codec_cbor_put_uint(&out, 0);
	codec_cbor_put_uint(&out, 1);
	decodes_to(&out, NULL, HN_ECORRUPT, "stored view of unit 'u': a key is not one of", NULL);
	codec_cbor_put_map(&out, 1);
	codec_cbor_put_uint(&out, tags_key_count() + 1);
	codec_cbor_put_uint(&out, 1);
	decodes_to(&out, NULL, HN_ENEWER, "does not know", "newer hypernix");
	codec_cbor_put_map(&out, 1);
	codec_cbor_put_uint(&out, id_of("disks.a.size"));
	codec_cbor_put_uint(&out, 1 << 20);
	decodes_to(&out, NULL, HN_ECORRUPT, "a key is not one of", NULL);
	codec_cbor_put_map(&out, 4097);
	pad(&out, 2 * 4097);
	decodes_to(&out, NULL, HN_ECORRUPT, "the values are no map", NULL);
}

static void pattern_key(uint64_t fields, const char *key, const char *part, int code)
{
	codec_cbor_out out = {0};

	codec_cbor_put_map(&out, 1);
	codec_cbor_put_array(&out, fields);
	codec_cbor_put_uint(&out, id_of(key));
	if (part != NULL)
		put_text(&out, part);
	else
		codec_cbor_put_uint(&out, 7);
	pad(&out, fields - 2);
	codec_cbor_put_uint(&out, 1 << 20);
	decodes_to(&out, NULL, code, code == HN_ECORRUPT ? "a key is " : "", NULL);
}

Test(stored, keys_of_patterns)
{
	pattern_key(2, "disks.a.size", "root", 0);
	pattern_key(2, "disks.a.size", "Root", HN_ECORRUPT);
	pattern_key(2, "disks.a.size", "", HN_ECORRUPT);
	pattern_key(2, "disks.a.size", NULL, HN_ECBOR);
	pattern_key(3, "disks.a.size", "root", HN_ECORRUPT);
	pattern_key(2, "memory.floor", "root", HN_ECORRUPT);
}

static codec_cbor_out value_of(const char *key)
{
	codec_cbor_out out = {0};

	codec_cbor_put_map(&out, 1);
	codec_cbor_put_uint(&out, id_of(key));
	return out;
}

static void number_as(const char *key, int64_t number, int code, const char *words)
{
	codec_cbor_out out = value_of(key);

	codec_cbor_put_int(&out, number);
	decodes_to(&out, NULL, code, words, NULL);
}

Test(stored, numbers)
{
	number_as("start.order", -5, 0, NULL);
	number_as("compute.units", 5, 0, NULL);
	number_as("compute.units", -5, HN_ECORRUPT, "a value is of the wrong type");
	number_as("compute.units", 0, HN_ECORRUPT, "compute.units: '0' is not allowed");
	number_as("autostart", 1, HN_ECORRUPT, "a value is of the wrong type");
	number_as("tpm", 1, HN_ECORRUPT, "a value is of the wrong type");
	number_as("memory.size", (64 << 20) + 1, HN_ECORRUPT, "memory.size: ");
}

static void truth_as(const char *key, int code)
{
	codec_cbor_out out = value_of(key);

	codec_cbor_put_bool(&out, true);
	decodes_to(&out, NULL, code, "", NULL);
}

Test(stored, truths)
{
	truth_as("autostart", 0);
	truth_as("compute.units", HN_ECBOR);
}

static void text_as(const char *key, const char *text, int code, const char *words)
{
	codec_cbor_out out = value_of(key);

	put_text(&out, text);
	decodes_to(&out, NULL, code, words, NULL);
}

Test(stored, texts)
{
	text_as("description", "", 0, NULL);
	text_as("tpm", "2.0", 0, NULL);
	text_as("tpm", "3.0", HN_ECORRUPT, "tpm: '3.0' is not allowed");
	text_as("backup.schedule", "Mon..Sun 02:00", HN_ECORRUPT, "a value is not canonical");
	text_as("cpu.pinning", "3,1", HN_ECORRUPT, "a value is not canonical");
}

Test(stored, items)
{
	codec_cbor_out out = value_of("memory.size");

	codec_cbor_put_array(&out, 1);
	put_text(&out, "a");
	decodes_to(&out, NULL, HN_ECORRUPT, "a value is of the wrong type", NULL);
	out = value_of("secrets");
	codec_cbor_put_array(&out, 1);
	codec_cbor_put_uint(&out, 1);
	decodes_to(&out, NULL, HN_ECBOR, "", NULL);
}

/* --- chains --- */

typedef struct line {
	uint64_t fields, layer, mark;
	int64_t priority, order;
	const char *source, *file;
	uint64_t line, column;
	const char *value, *note, *who;
	int wrong; /* the number of the field that is an array */
} line;

#define LINE                                                                                       \
	{                                                                                          \
		.fields = 12, .layer = HN_LAYER_UNIT, .mark = HN_MARK_WON, .priority = 100,        \
		.order = 1000, .source = "unit:u", .file = "a.json", .line = 1, .column = 1,       \
		.value = "1Gi", .note = NULL, .who = NULL                                          \
	}

static void put_line(codec_cbor_out *out, const line *from)
{
	codec_cbor_out fields[13] = {{{0}}};
	const char *const texts[] = {from->value, from->note, from->who};

	codec_cbor_put_uint(&fields[1], from->layer);
	codec_cbor_put_uint(&fields[2], from->mark);
	codec_cbor_put_int(&fields[3], from->priority);
	codec_cbor_put_int(&fields[4], from->order);
	put_text(&fields[5], from->source);
	put_text(&fields[6], from->file);
	codec_cbor_put_uint(&fields[7], from->line);
	codec_cbor_put_uint(&fields[8], from->column);
	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		put_text(&fields[9 + i], texts[i]);
	codec_cbor_put_int(&fields[12], 0);
	codec_cbor_put_array(out, from->fields);
	for (int i = 1; i < 13; i++) {
		if (i == from->wrong)
			codec_cbor_put_array(out, 0);
		else
			base_buf_add(&out->buf, fields[i].buf.data, fields[i].buf.size);
		base_buf_free(&fields[i].buf);
	}
	pad(out, from->fields - 12);
}

static codec_cbor_out one_gi(void)
{
	codec_cbor_out out = value_of("memory.size");

	codec_cbor_put_uint(&out, UINT64_C(1) << 30);
	return out;
}

/* The head of the chains up to the map. */
static codec_cbor_out chains_head(uint64_t version)
{
	codec_cbor_out out = {0};

	codec_cbor_put_array(&out, 4);
	codec_cbor_put_uint(&out, version);
	codec_cbor_put_array(&out, 0);
	codec_cbor_put_array(&out, 0);
	return out;
}

static void line_gives(const line *from, int code, const char *words)
{
	codec_cbor_out values = one_gi(), chains = chains_head(1);

	codec_cbor_put_map(&chains, 1);
	codec_cbor_put_uint(&chains, id_of("memory.size"));
	codec_cbor_put_array(&chains, 1);
	put_line(&chains, from);
	decodes_to(&values, &chains, code, words, NULL);
}

#define LINE_GIVES(name, change, code, words)                                                      \
	Test(stored_line, name)                                                                    \
	{                                                                                          \
		line from = LINE;                                                                  \
                                                                                                   \
		change;                                                                            \
		line_gives(&from, code, words);                                                    \
	}
#define NOT_FORMED "a line of a chain is not well formed"
LINE_GIVES(as_written, (void)from, 0, NULL)
LINE_GIVES(null, from.value = NULL, 0, NULL)
LINE_GIVES(with_texts, from.note = from.who = "x", 0, NULL)
LINE_GIVES(without_file, from.file = NULL, 0, NULL)
LINE_GIVES(thirteen_fields, from.fields = 13, HN_ECORRUPT, NOT_FORMED)
LINE_GIVES(without_source, from.source = NULL, HN_ECORRUPT, NOT_FORMED)
LINE_GIVES(priority_10001, from.priority = 10001, HN_ECORRUPT, NOT_FORMED)
LINE_GIVES(order_negative, from.order = -1, HN_ECORRUPT, NOT_FORMED)
LINE_GIVES(order_10001, from.order = 10001, HN_ECORRUPT, NOT_FORMED)
LINE_GIVES(line_2_32, from.line = UINT64_C(1) << 32, HN_ECORRUPT, NOT_FORMED)
LINE_GIVES(column_2_32, from.column = UINT64_C(1) << 32, HN_ECORRUPT, NOT_FORMED)
LINE_GIVES(value_of_another_form, from.value = "1024Mi", HN_ECORRUPT, "not canonical")
LINE_GIVES(value_that_is_none, from.value = "1GB", HN_ECORRUPT, "memory.size: ")

Test(stored_line, each_field_has_its_type)
{
	for (int i = 1; i < 13; i++) {
		line from = LINE;

		from.wrong = i;
		line_gives(&from, HN_ECBOR, "");
	}
}

Test(stored, nothing_at_all)
{
	codec_cbor_out values = {0}, chains = chains_head(1);

	codec_cbor_put_map(&values, 0);
	codec_cbor_put_map(&chains, 0);
	decodes_to(&values, &chains, 0, NULL, NULL);
}

/* A key that has no value may have a chain: what a null took away. */
Test(stored_chain, of_a_key_without_value)
{
	codec_cbor_out values = {0}, chains = chains_head(1);
	line from = LINE;
	hn_view *view = NULL;

	codec_cbor_put_map(&values, 0);
	codec_cbor_put_map(&chains, 1);
	codec_cbor_put_uint(&chains, id_of("description"));
	codec_cbor_put_array(&chains, 1);
	from.value = NULL;
	put_line(&chains, &from);
	cr_assert_eq(hn_view_decode("u", values.buf.data, values.buf.size, chains.buf.data,
			     chains.buf.size, &view, NULL),
		0);
	has_value(view, "description", NULL);
	has_marks(view, "description", "w");
	hn_view_unref(view);
	base_buf_free(&values.buf);
	base_buf_free(&chains.buf);
}

Test(stored_chain, heads)
{
	codec_cbor_out values = one_gi(), chains = chains_head(0);

	codec_cbor_put_map(&chains, 0);
	decodes_to(&values, &chains, HN_ECORRUPT, "the chains are no list", NULL);
	values = one_gi(), chains = chains_head(2);
	codec_cbor_put_map(&chains, 0);
	decodes_to(&values, &chains, HN_ENEWER, "stored chains of unit 'u' have version 2",
		"newer hypernix");
	values = one_gi(), chains = (codec_cbor_out){0};
	codec_cbor_put_array(&chains, 5);
	pad(&chains, 5);
	decodes_to(&values, &chains, HN_ECORRUPT, "the chains are no list", NULL);
	values = one_gi(), chains = chains_head(1);
	codec_cbor_put_map(&chains, 4097);
	pad(&chains, 2 * 4097);
	decodes_to(&values, &chains, HN_ECORRUPT, "the chains are no map", NULL);
	values = one_gi(), chains = chains_head(1);
	codec_cbor_put_map(&chains, 0);
	pad(&chains, 1);
	decodes_to(&values, &chains, HN_ECBOR, "", NULL);
}

static void lines_of(const char *key, uint64_t count, int code, const char *words)
{
	codec_cbor_out values = one_gi(), chains = chains_head(1);

	codec_cbor_put_map(&chains, 1);
	codec_cbor_put_uint(&chains, key != NULL ? id_of(key) : 0);
	codec_cbor_put_array(&chains, count);
	pad(&chains, count);
	decodes_to(&values, &chains, code, words, NULL);
}

Test(stored_chain, lines)
{
	lines_of("memory.size", 0, HN_ECORRUPT, "a chain has no lines or too many");
	lines_of("memory.size", 4097, HN_ECORRUPT, "a chain has no lines or too many");
	lines_of(NULL, 1, HN_ECORRUPT, "a key is not one of");
}

/* Tags of `count` pairs, each of `fields` and these texts. */
static void pairs_give(uint64_t count, uint64_t fields, const char *name, const char *how, int code)
{
	codec_cbor_out values = one_gi(), chains = {0};

	codec_cbor_put_array(&chains, 4);
	codec_cbor_put_uint(&chains, 1);
	codec_cbor_put_array(&chains, count);
	for (uint64_t i = 0; i < count; i++) {
		codec_cbor_put_array(&chains, fields);
		put_text(&chains, name);
		put_text(&chains, how);
		pad(&chains, fields - 2);
	}
	codec_cbor_put_array(&chains, 0);
	codec_cbor_put_map(&chains, 0);
	decodes_to(&values, &chains, code, "tag", NULL);
}

Test(stored_chain, pairs)
{
	pairs_give(1, 2, "a", "declared", 0);
	pairs_give(64, 2, "a", "declared", 0);
	pairs_give(65, 2, "a", "declared", HN_ECORRUPT);
	pairs_give(1, 3, "a", "declared", HN_ECORRUPT);
	pairs_give(1, 2, NULL, "declared", HN_ECORRUPT);
	pairs_give(1, 2, "a", NULL, HN_ECORRUPT);
}
