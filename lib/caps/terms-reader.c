/* SPDX-License-Identifier: MIT
 *
 * Values of terms: each refused with its place and what would be right.
 */
#include "caps/terms-private.h"

#include <inttypes.h>

int caps_reader_fail(const caps_reader *in, hn_code code, const codec_node *node, const char *hint,
	const char *format, ...)
{
	BASE_AUTO_BUF base_buf message = {0};
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&message, format, arguments);
	va_end(arguments);
	if (message.failed)
		return base_nomem(in->err);
	base_error(in->err, code, CAPS_ROOM, hint, "%s:%" PRIu32 ":%" PRIu32 ": %s", in->file,
		node->line, node->column, message.data);
	base_error_fact(in->err, "file", in->file);
	base_error_fact_number(in->err, "line", node->line);
	base_error_fact_number(in->err, "column", node->column);
	return (int)code;
}

/* The column that a parser named, when each of the text's bytes is one of the file's. */
static uint32_t column_within(const codec_node *node, const hn_error *why)
{
	hn_fact fact;

	for (size_t i = 0; node->raw_size == node->text_size + 2; i++) {
		if (hn_error_fact(why, i, &fact) < 0)
			break;
		if (fact.text == NULL && strcmp(fact.name, "column") == 0)
			return node->column + (uint32_t)fact.number;
	}
	return node->column;
}

int caps_reader_fail_text(const caps_reader *in, const codec_node *node, hn_error **why)
{
	codec_node place = *node;

	if (hn_error_code(*why) == HN_ENOMEM) {
		base_error_move(in->err, BASE_STEAL(*why));
		return HN_ENOMEM;
	}
	place.column = column_within(node, *why);
	int rc = caps_reader_fail(
		in, hn_error_code(*why), &place, hn_error_hint(*why), "%s", hn_error_message(*why));
	*why = hn_error_unref(*why);
	return rc;
}

typedef struct word_list {
	const char *const *words;
} word_list;

static const char *word_at(void *arg, size_t index)
{
	const word_list *list = arg;

	return list->words[index];
}

int caps_reader_fail_word(const caps_reader *in, const codec_node *member, const char *const *words,
	size_t count, const char *where)
{
	codec_node place = *member;
	char quoted[BASE_QUOTE_SIZE], hint[64];
	word_list list = {words};
	int near = base_nearest(member->key, count, word_at, &list);

	place.line = member->key_line;
	place.column = member->key_column;
	if (near >= 0)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", words[near]);
	return caps_reader_fail(in, HN_ESCHEMA, &place, near >= 0 ? hint : NULL,
		"\"%s\" does not belong in %s", base_quote(quoted, member->key, member->key_size),
		where);
}

int caps_reader_kind(
	const caps_reader *in, const codec_node *node, codec_kind kind, const char *hint)
{
	if (node->kind == kind)
		return 0;
	return caps_reader_fail(in, HN_ESCHEMA, node, hint, "expected %s, found %s",
		codec_kind_name(kind), codec_kind_name(node->kind));
}

int caps_reader_array(const caps_reader *in, const codec_node *node, uint32_t least, uint32_t most)
{
	int rc = caps_reader_kind(in, node, CODEC_ARRAY, NULL);

	if (rc == 0 && (node->count < least || node->count > most))
		rc = caps_reader_fail(in, HN_ERANGE, node, NULL,
			"%" PRIu32 " items where %" PRIu32 " to %" PRIu32 " may stand", node->count,
			least, most);
	return rc;
}

int caps_reader_integer(
	const caps_reader *in, const codec_node *node, int64_t least, int64_t most, int64_t *value)
{
	int rc = caps_reader_kind(in, node, CODEC_INTEGER, NULL);

	if (rc < 0)
		return rc;
	if (node->integer < least || node->integer > most)
		return caps_reader_fail(in, HN_ERANGE, node, NULL,
			"%" PRId64 " is not from %" PRId64 " to %" PRId64, node->integer, least,
			most);
	*value = node->integer;
	return 0;
}

int caps_reader_name(const caps_reader *in, const codec_node *node)
{
	int rc = caps_reader_kind(in, node, CODEC_TEXT, NULL);

	if (rc < 0)
		return rc;
	bool fits = node->text_size >= 1 && node->text_size <= 128;
	for (size_t i = 0; i < node->text_size && fits; i++)
		fits = node->text[i] > ' ' && node->text[i] <= '~';
	if (!fits)
		return caps_reader_fail(in, HN_ERANGE, node, NULL,
			"a name has 1 to 128 visible ASCII characters and no space");
	return 0;
}

int caps_reader_seconds(const caps_reader *in, const codec_node *node, int64_t least, int64_t most,
	int64_t *seconds)
{
	const int64_t second = 1000000000;
	hn_error *why = NULL;
	int64_t given = 0;

	int rc = caps_reader_kind(in, node, CODEC_TEXT, "a duration is like \"15min\" or \"8h\"");
	if (rc < 0)
		return rc;
	if (hn_duration_parse(node->text, &given, &why) < 0)
		return caps_reader_fail_text(in, node, &why);
	if (given % second != 0 || given / second < least || given / second > most) {
		char from[HN_QUANTITY_TEXT], to[HN_QUANTITY_TEXT];
		int64_t longest = INT64_MAX / second;

		hn_duration_print(least * second, from);
		hn_duration_print((most < longest ? most : longest) * second, to);
		return caps_reader_fail(in, HN_ERANGE, node, NULL,
			"\"%.40s\" is not a whole number of seconds from %s to %s", node->text,
			from, to);
	}
	*seconds = given / second;
	return 0;
}

int caps_reader_time(const caps_reader *in, const codec_node *node, int64_t *seconds)
{
	static const char hint[] = "write 2026-11-22T09:00:00Z or 2026-11-22T09:00+01:00";
	char quoted[BASE_QUOTE_SIZE];

	int rc = caps_reader_kind(in, node, CODEC_TEXT, hint);
	if (rc == 0 && !caps_time_parse(node->text, node->text_size, seconds))
		rc = caps_reader_fail(in, HN_ESYNTAX, node, hint,
			"\"%s\" is no instant from 1970 to 9999",
			base_quote(quoted, node->text, node->text_size));
	return rc;
}

static const char *const classes[] = {
#define HN_REDACT(NAME, text, what) text,
#include "base/redact.def"
#undef HN_REDACT
};

const char *caps_redact_text(unsigned index)
{
	return index < BASE_COUNT(classes) ? classes[index] : NULL;
}

static const char classes_hint[] = "classes are"
#define HN_REDACT(NAME, text, what) " " text
#include "base/redact.def"
#undef HN_REDACT
	;

static int add_class(const caps_reader *in, const codec_node *node, caps_mask *mask)
{
	char quoted[BASE_QUOTE_SIZE];

	for (unsigned i = 0; i < BASE_COUNT(classes); i++) {
		if (strcmp(node->text, classes[i]) != 0)
			continue;
		mask->bytes[i / 8] |= (uint8_t)(1u << i % 8);
		return 0;
	}
	word_list list = {classes};
	int near = base_nearest(node->text, BASE_COUNT(classes), word_at, &list);
	char hint[64];

	if (near >= 0)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", classes[near]);
	return caps_reader_fail(in, HN_EINVAL, node, near >= 0 ? hint : classes_hint,
		"\"%s\" is no class of what is left out",
		base_quote(quoted, node->text, node->text_size));
}

static int add_verb(const caps_reader *in, const codec_node *node, caps_mask *mask)
{
	hn_error *why = NULL;

	if (caps_mask_add_text(mask, node->text, &why) < 0)
		return caps_reader_fail_text(in, node, &why);
	return 0;
}

int caps_reader_mask(
	const caps_reader *in, const codec_node *node, bool of_classes, caps_mask *mask)
{
	int rc = caps_reader_array(in, node, 1, CAPS_MASK_BYTES * 8);

	memset(mask, 0, sizeof(*mask));
	for (const codec_node *item = node->child; rc == 0 && item != NULL; item = item->next) {
		int64_t bit = 0;

		if (item->kind == CODEC_INTEGER) {
			rc = caps_reader_integer(in, item, 0, CAPS_MASK_BYTES * 8 - 1, &bit);
			if (rc == 0)
				mask->bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
			continue;
		}
		rc = caps_reader_kind(in, item, CODEC_TEXT, NULL);
		if (rc == 0)
			rc = of_classes ? add_class(in, item, mask) : add_verb(in, item, mask);
	}
	return rc;
}
