/* SPDX-License-Identifier: MIT
 *
 * Values of contract fields: from JSON, from text, and as people write them.
 */
#include "compose/read-model.h"

#include <inttypes.h>
#include <stdio.h>

const char *const compose_type_words[] = {[COMPOSE_UINT] = "uint",
	[COMPOSE_SIZE] = "size",
	[COMPOSE_DURATION] = "duration",
	[COMPOSE_BOOL] = "bool",
	[COMPOSE_TEXT] = "text",
	[COMPOSE_ENUM] = "enum",
	[COMPOSE_NAME] = "name",
	NULL};

static int refuse(hn_error **err, const char *hint, const compose_field *field, const char *text,
	const char *what)
{
	char quoted[BASE_QUOTE_SIZE];

	return base_error(err, HN_ECONTRACT, COMPOSE_ROOM, hint, "%s is %s, not '%s'", field->name,
		what, base_quote(quoted, text, strlen(text)));
}

/* Keeps the hint of who has read the number: it says what would be right. */
static int refuse_quantity(hn_error **err, const compose_field *field, hn_error *cause)
{
	BASE_AUTO_OF(hn_error) hn_error *owned = cause;

	if (hn_error_code(owned) == HN_ENOMEM)
		return base_nomem(err);
	return base_error(err, HN_ECONTRACT, COMPOSE_ROOM, hn_error_hint(owned), "%s: %s",
		field->name, hn_error_message(owned));
}

static int parse_uint(
	const compose_field *field, const char *text, uint64_t *number, hn_error **err)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			break;
	if (*at != '\0' || text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return refuse(err, "write it in plain digits", field, text, "a whole number");
	*number = value;
	return 0;
}

static int parse_bool(
	const compose_field *field, const char *text, uint64_t *number, hn_error **err)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return refuse(err, NULL, field, text, "true or false");
	*number = text[0] == 't';
	return 0;
}

static int parse_enum(const compose_field *field, const char *text, hn_error **err)
{
	BASE_AUTO_BUF base_buf hint = {0};

	base_buf_text(&hint, "it is one of");
	for (size_t i = 0; i < field->word_count; i++) {
		if (strcmp(field->words[i], text) == 0)
			return 0;
		base_buf_format(&hint, "%s %s", i > 0 ? "," : "", field->words[i]);
	}
	if (hint.failed)
		return base_nomem(err);
	return refuse(err, hint.data, field, text, "an enum");
}

static int parse_number(
	const compose_field *field, const char *text, compose_value *value, hn_error **err)
{
	hn_error *cause = NULL;
	int64_t duration = 0;

	switch (field->type) {
	case COMPOSE_UINT:
		return parse_uint(field, text, &value->number, err);
	case COMPOSE_SIZE:
		if (hn_size_parse(text, &value->number, &cause) < 0)
			return refuse_quantity(err, field, cause);
		return 0;
	case COMPOSE_DURATION:
		if (hn_duration_parse(text, &duration, &cause) < 0)
			return refuse_quantity(err, field, cause);
		value->number = (uint64_t)duration;
		return 0;
	case COMPOSE_BOOL:
		return parse_bool(field, text, &value->number, err);
	case COMPOSE_ENUM:
		return parse_enum(field, text, err);
	case COMPOSE_NAME:
		if (!base_name_valid(text, strlen(text)))
			return refuse(err,
				"a name begins with a-z and goes on with a-z, 0-9 and '-'", field,
				text, "a name");
		return 0;
	case COMPOSE_TEXT:
		break;
	}
	return 0;
}

void compose_value_print(compose_type type, uint64_t number, base_buf *out)
{
	char text[HN_QUANTITY_TEXT];

	if (type == COMPOSE_SIZE) {
		hn_size_print(number, text);
		base_buf_text(out, text);
	} else if (type == COMPOSE_DURATION) {
		hn_duration_print((int64_t)number, text);
		base_buf_text(out, text);
	} else {
		base_buf_format(out, "%" PRIu64, number);
	}
}

static int check_bounds(
	const compose_field *field, const char *text, uint64_t number, hn_error **err)
{
	BASE_AUTO_BUF base_buf hint = {0};
	char quoted[BASE_QUOTE_SIZE];
	bool bytes = field->type == COMPOSE_TEXT;

	if (number >= field->minimum && number <= field->maximum)
		return 0;
	base_buf_text(&hint, bytes ? "its length may be " : "it may be ");
	compose_value_print(field->type, field->minimum, &hint);
	base_buf_text(&hint, " to ");
	compose_value_print(field->type, field->maximum, &hint);
	base_buf_text(&hint, bytes ? " bytes" : "");
	if (hint.failed)
		return base_nomem(err);
	return base_error(err, HN_ECONTRACT, COMPOSE_ROOM, hint.data, "%s is out of range: %s",
		field->name, base_quote(quoted, text, strlen(text)));
}

int compose_value_text(
	const compose_field *field, const char *text, compose_value *value, hn_error **err)
{
	compose_value made = {.type = field->type, .text = text};
	int rc = parse_number(field, text, &made, err);

	if (rc == 0 && field->type <= COMPOSE_DURATION)
		rc = check_bounds(field, text, made.number, err);
	if (rc == 0 && field->type == COMPOSE_TEXT)
		rc = check_bounds(field, text, strlen(text), err);
	if (rc == 0)
		*value = made;
	return rc;
}

static int wrong_kind(
	const compose_field *field, const codec_node *node, const char *wanted, hn_error **err)
{
	return base_error(err, HN_ECONTRACT, COMPOSE_ROOM, NULL, "%s must be %s, not %s",
		field->name, wanted, codec_kind_name(node->kind));
}

static int value_of_integer(
	const compose_field *field, const codec_node *node, compose_value *value, hn_error **err)
{
	char digits[HN_QUANTITY_TEXT];
	int rc;

	if (node->kind != CODEC_INTEGER)
		return wrong_kind(field, node, "a whole number", err);
	if (node->integer < 0)
		return base_error(err, HN_ECONTRACT, COMPOSE_ROOM, NULL, "%s cannot be negative",
			field->name);
	snprintf(digits, sizeof(digits), "%" PRId64, node->integer);
	rc = check_bounds(field, digits, (uint64_t)node->integer, err);
	if (rc == 0)
		*value = (compose_value){
			.type = field->type, .number = (uint64_t)node->integer, .text = ""};
	return rc;
}

int compose_value_node(
	const compose_field *field, const codec_node *node, compose_value *value, hn_error **err)
{
	if (field->type == COMPOSE_UINT)
		return value_of_integer(field, node, value, err);
	if (field->type == COMPOSE_BOOL) {
		if (node->kind != CODEC_TRUE && node->kind != CODEC_FALSE)
			return wrong_kind(field, node, "true or false", err);
		return compose_value_text(
			field, node->kind == CODEC_TRUE ? "true" : "false", value, err);
	}
	if (node->kind != CODEC_TEXT && field->type == COMPOSE_SIZE)
		return wrong_kind(field, node, "a size with its unit, such as \"8Mi\"", err);
	if (node->kind != CODEC_TEXT && field->type == COMPOSE_DURATION)
		return wrong_kind(field, node, "a duration with its unit, such as \"10s\"", err);
	if (node->kind != CODEC_TEXT)
		return wrong_kind(field, node, "a string", err);
	return compose_value_text(field, node->text, value, err);
}
