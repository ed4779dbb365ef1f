/* SPDX-License-Identifier: MIT
 *
 * The scanner that gives each JSON value its place in the file. It reads bytes that
 * codec_json_parse has already checked for size, UTF-8, NUL and depth, so it may recurse and may
 * rely on the NUL behind the last byte.
 */
#include "codec/codec-private.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

/* Objects with more members than this get a sorted index; fewer are searched in file order. */
enum { INDEX_FROM = 17 };

/* An object with its index behind it; every CODEC_OBJECT node is the first field of one of these.
 */
typedef struct object_node {
	codec_node node;
	const codec_node **sorted; /* NULL for a small object */
} object_node;

typedef struct scan {
	const char *file;
	const char *at;
	const char *end;
	const char *line_start;
	uint32_t line;
	char *pool; /* where the next decoded text goes; it never outgrows the document */
	base_arena *arena;
	hn_error **err;
} scan;

static int scan_value(scan *s, codec_node *parent, codec_node **out);

static uint32_t column_of(const scan *s, const char *at)
{
	return (uint32_t)(at - s->line_start) + 1;
}

static BASE_PRINTF(5, 6) int fail(
	const scan *s, hn_code code, const char *at, const char *hint, const char *format, ...)
{
	BASE_AUTO_BUF base_buf buf = {0};
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&buf, format, arguments);
	va_end(arguments);
	if (buf.failed)
		return base_nomem(s->err);
	codec_json_place place = {.file = s->file, .line = s->line, .column = column_of(s, at)};
	return codec_json_fail(s->err, code, &place, hint, buf.data);
}

/* What stands at `at`, for a message: "'x'", "the end of the file". */
static const char *found(const scan *s, const char *at, char out[32])
{
	unsigned char byte = (unsigned char)*at;

	if (at >= s->end)
		return "the end of the file";
	if (byte == '\n' || byte == '\r')
		return "the end of the line";
	if (byte < 0x20 || byte == 0x7f) {
		snprintf(out, 32, "control character 0x%02x", byte);
		return out;
	}
	size_t size = 1;
	while (size < 4 && ((unsigned char)at[size] & 0xc0) == 0x80)
		size++;
	snprintf(out, 32, "'%.*s'", (int)size, at);
	return out;
}

static void skip_space(scan *s)
{
	for (;; s->at++) {
		if (*s->at == '\n') {
			s->line++;
			s->line_start = s->at + 1;
		} else if (*s->at != ' ' && *s->at != '\t' && *s->at != '\r') {
			return;
		}
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four digits after "\u" at `at`; -1 when they are not there. */
static int32_t hex4(const char *at)
{
	int32_t value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static char *put_utf8(char *to, uint32_t point)
{
	if (point < 0x80) {
		*to++ = (char)point;
	} else if (point < 0x800) {
		*to++ = (char)(0xc0 | (point >> 6));
		*to++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*to++ = (char)(0xe0 | (point >> 12));
		*to++ = (char)(0x80 | ((point >> 6) & 0x3f));
		*to++ = (char)(0x80 | (point & 0x3f));
	} else {
		*to++ = (char)(0xf0 | (point >> 18));
		*to++ = (char)(0x80 | ((point >> 12) & 0x3f));
		*to++ = (char)(0x80 | ((point >> 6) & 0x3f));
		*to++ = (char)(0x80 | (point & 0x3f));
	}
	return to;
}

/* "\uXXXX", or two of them for a surrogate pair; s->at is at the backslash. */
static int scan_unicode(scan *s, char **to)
{
	const char *start = s->at;
	int32_t unit = hex4(start + 2);

	if (unit < 0)
		return fail(s, HN_ESYNTAX, start, NULL,
			"\"\\u\" must be followed by four hexadecimal digits");
	if (unit == 0)
		return fail(s, HN_ESYNTAX, start, "leave the character out",
			"\"\\u0000\" (NUL) is not allowed in a string");
	s->at += 6;
	if (unit < 0xd800 || unit > 0xdfff) {
		*to = put_utf8(*to, (uint32_t)unit);
		return 0;
	}
	int32_t low = unit < 0xdc00 && s->at[0] == '\\' && s->at[1] == 'u' ? hex4(s->at + 2) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, HN_ESYNTAX, start,
			"a character beyond U+FFFF is a high surrogate and then a low one, or plain UTF-8",
			"\"\\u%04x\" is a lone surrogate", (unsigned)unit);
	s->at += 6;
	*to = put_utf8(*to, 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00));
	return 0;
}

static int scan_escape(scan *s, char **to)
{
	static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	char found_text[32];

	if (s->at[1] == 'u')
		return scan_unicode(s, to);
	for (size_t i = 0; i + 1 < sizeof(escapes); i += 2) {
		if (s->at[1] == escapes[i]) {
			*(*to)++ = escapes[i + 1];
			s->at += 2;
			return 0;
		}
	}
	return fail(s, HN_ESYNTAX, s->at, "write a backslash itself as \"\\\\\"",
		"unknown escape: a backslash before %s", found(s, s->at + 1, found_text));
}

/* A string; s->at is at its opening quote. */
static int scan_string(scan *s, const char **text, uint32_t *text_size)
{
	const char *start = s->at++;
	char *to = s->pool;

	for (;;) {
		unsigned char byte = (unsigned char)*s->at;

		if (byte == '"')
			break;
		if (byte == '\\') {
			int rc = scan_escape(s, &to);
			if (rc < 0)
				return rc;
		} else if (byte >= 0x20) {
			*to++ = *s->at++;
		} else if (s->at >= s->end || byte == '\n' || byte == '\r') {
			return fail(s, HN_ESYNTAX, start, "close it with '\"' on the same line",
				"the string that begins here has no end");
		} else {
			return fail(s, HN_ESYNTAX, s->at,
				"write it as an escape, for example \"\\t\"",
				"control character 0x%02x in a string", byte);
		}
	}
	s->at++;
	*to = '\0';
	*text = s->pool;
	*text_size = (uint32_t)(to - s->pool);
	s->pool = to + 1;
	return 0;
}

static const char *skip_digits(const char *at)
{
	while (*at >= '0' && *at <= '9')
		at++;
	return at;
}

/* The grammar of a number (RFC 8259 section 6); the end of it, or NULL after an error. */
static const char *number_end(const scan *s, bool *real)
{
	const char *at = s->at + (*s->at == '-');
	const char *digits = at;
	char found_text[32];

	at = skip_digits(at);
	if (at == digits) {
		fail(s, HN_ESYNTAX, at, NULL, "expected a digit, found %s",
			found(s, at, found_text));
		return NULL;
	}
	if (*digits == '0' && at > digits + 1) {
		fail(s, HN_ESYNTAX, s->at, "leave the leading zero out, or write a string",
			"a number may not begin with 0");
		return NULL;
	}
	*real = false;
	if (*at == '.') {
		*real = true;
		digits = ++at;
		at = skip_digits(at);
		if (at == digits) {
			fail(s, HN_ESYNTAX, at, NULL, "expected a digit after '.', found %s",
				found(s, at, found_text));
			return NULL;
		}
	}
	if (*at == 'e' || *at == 'E') {
		*real = true;
		at++;
		at += *at == '+' || *at == '-';
		digits = at;
		at = skip_digits(at);
		if (at == digits) {
			fail(s, HN_ESYNTAX, at, NULL, "expected a digit in the exponent, found %s",
				found(s, at, found_text));
			return NULL;
		}
	}
	return at;
}

static bool integer_of(const char *at, const char *end, int64_t *value)
{
	bool negative = *at == '-';
	int64_t total = 0;

	for (at += negative; at < end; at++) {
		int digit = *at - '0';
		if (__builtin_mul_overflow(total, 10, &total) ||
			__builtin_sub_overflow(total, digit, &total))
			return false;
	}
	if (!negative && total == INT64_MIN)
		return false;
	*value = negative ? total : -total;
	return true;
}

/* strtod would read the decimal point of the process's locale. */
static bool real_fits(const char *at)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	if (plain == (locale_t)0)
		return true; /* jansson has judged it already */
	double value = strtod_l(at, NULL, plain);
	freelocale(plain);
	return isfinite(value);
}

static int scan_number(scan *s, codec_node *node)
{
	bool real = false;
	const char *end = number_end(s, &real);

	if (end == NULL)
		return HN_ESYNTAX;
	if (!real) {
		node->kind = CODEC_INTEGER;
		if (!integer_of(s->at, end, &node->integer))
			return fail(s, HN_ERANGE, s->at, NULL,
				"%.*s does not fit a 64-bit integer (-2^63 .. 2^63-1)",
				(int)(end - s->at < 64 ? end - s->at : 64), s->at);
	} else {
		node->kind = CODEC_REAL;
		if (!real_fits(s->at))
			return fail(s, HN_ERANGE, s->at, NULL, "%.*s is too large for a number",
				(int)(end - s->at < 64 ? end - s->at : 64), s->at);
	}
	s->at = end;
	return 0;
}

static const char *word_hint(const char *word, size_t size)
{
	static const struct {
		const char *wrong, *hint;
	} known[] = {
		{"True", "write true"},
		{"False", "write false"},
		{"TRUE", "write true"},
		{"FALSE", "write false"},
		{"yes", "write true"},
		{"no", "write false"},
		{"None", "write null"},
		{"nil", "write null"},
		{"NULL", "write null"},
		{"undefined", "write null"},
		{"NaN", "JSON has no such number"},
		{"Infinity", "JSON has no such number"},
	};

	for (size_t i = 0; i < BASE_COUNT(known); i++) {
		if (strlen(known[i].wrong) == size && memcmp(known[i].wrong, word, size) == 0)
			return known[i].hint;
	}
	return "a text value stands in double quotes";
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static int scan_word(scan *s, codec_node *node)
{
	static const struct {
		const char *text;
		codec_kind kind;
	} words[] = {{"true", CODEC_TRUE}, {"false", CODEC_FALSE}, {"null", CODEC_NULL}};
	size_t size = 0;

	while (is_word(s->at[size]))
		size++;
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (size == strlen(words[i].text) && memcmp(s->at, words[i].text, size) == 0) {
			node->kind = words[i].kind;
			s->at += size;
			return 0;
		}
	}
	return fail(s, HN_ESYNTAX, s->at, word_hint(s->at, size), "expected a value, found '%.*s'",
		(int)(size < 64 ? size : 64), s->at);
}

static const char *stray_hint(char c)
{
	switch (c) {
	case '\'':
		return "strings stand in double quotes";
	case '/':
	case '#':
		return "JSON has no comments";
	case '+':
	case '.':
		return "a number begins with a digit or '-'";
	default:
		return NULL;
	}
}

static void append(codec_node *parent, codec_node **last, codec_node *child)
{
	if (*last == NULL)
		parent->child = child;
	else
		(*last)->next = child;
	*last = child;
	parent->count++;
}

/* After an element or member: goes past ',' (1) or the closing bracket (0). */
static int scan_separator(scan *s, const codec_node *container, char close, const char *what)
{
	char found_text[32];

	skip_space(s);
	if (*s->at == ',') {
		s->at++;
		skip_space(s);
		if (*s->at == close)
			return fail(s, HN_ESYNTAX, s->at, "remove the comma before it",
				"expected another %s after ',', found '%c'", what, close);
		return 1;
	}
	if (*s->at == close) {
		s->at++;
		return 0;
	}
	return fail(s, HN_ESYNTAX, s->at, stray_hint(*s->at),
		"expected ',' or '%c' in the %s that begins at line %" PRIu32 ", found %s", close,
		container->kind == CODEC_OBJECT ? "object" : "array", container->line,
		found(s, s->at, found_text));
}

static int scan_array(scan *s, codec_node *node)
{
	codec_node *last = NULL;
	int rc = 1;

	s->at++;
	skip_space(s);
	if (*s->at == ']') {
		s->at++;
		return 0;
	}
	while (rc > 0) {
		codec_node *child = NULL;

		rc = scan_value(s, node, &child);
		if (rc < 0)
			return rc;
		append(node, &last, child);
		rc = scan_separator(s, node, ']', "element");
	}
	return rc;
}

static int key_order(const codec_node *a, const codec_node *b)
{
	uint32_t shorter = a->key_size < b->key_size ? a->key_size : b->key_size;
	int order = memcmp(a->key, b->key, shorter);

	return order != 0 ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

/* Bottom-up merge sort: stable, so that of two equal names the first in the file comes first, and
 * without the hidden malloc of qsort. The result is in `items` or in `spare`. */
static const codec_node **sort_members(
	const codec_node **items, const codec_node **spare, size_t count)
{
	for (size_t width = 1; width < count; width *= 2) {
		for (size_t low = 0; low < count; low += 2 * width) {
			size_t middle = low + width < count ? low + width : count;
			size_t high = low + 2 * width < count ? low + 2 * width : count;
			size_t a = low, b = middle;

			for (size_t to = low; to < high; to++) {
				bool left = a < middle &&
					    (b >= high || key_order(items[a], items[b]) <= 0);
				spare[to] = left ? items[a++] : items[b++];
			}
		}
		const codec_node **swap = items;
		items = spare;
		spare = swap;
	}
	return items;
}

static int fail_duplicate(const scan *s, const codec_node *first, const codec_node *second)
{
	codec_json_place place = {s->file, second->key_line, second->key_column};
	BASE_AUTO_BUF base_buf buf = {0};

	base_buf_format(&buf,
		"member \"%.80s\" is given twice in one object: at line %" PRIu32
		" and here at line %" PRIu32,
		second->key, first->key_line, second->key_line);
	if (buf.failed)
		return base_nomem(s->err);
	int rc = codec_json_fail(s->err, HN_EDUPLICATE, &place, "keep one of the two", buf.data);
	base_error_fact_number(s->err, "first_line", first->key_line);
	return rc;
}

/* Finds members with one name, and makes the index of a large object. */
static int index_members(scan *s, object_node *object)
{
	const codec_node *first = object->node.child;
	size_t count = object->node.count;

	if (count < INDEX_FROM) {
		for (const codec_node *a = first; a != NULL; a = a->next) {
			for (const codec_node *b = first; b != a; b = b->next) {
				if (key_order(a, b) == 0)
					return fail_duplicate(s, b, a);
			}
		}
		return 0;
	}
	const codec_node **items = base_arena_alloc(s->arena, count * sizeof(*items));
	BASE_AUTO_FREE const codec_node **spare = base_alloc(count * sizeof(*spare));
	if (items == NULL || spare == NULL)
		return base_nomem(s->err);
	size_t at = 0;
	for (const codec_node *member = first; member != NULL; member = member->next)
		items[at++] = member;
	const codec_node **sorted = sort_members(items, spare, count);
	for (size_t i = 1; i < count; i++) {
		if (key_order(sorted[i - 1], sorted[i]) == 0)
			return fail_duplicate(s, sorted[i - 1], sorted[i]);
	}
	if (sorted != items)
		memcpy(items, sorted, count * sizeof(*items));
	object->sorted = items;
	return 0;
}

/* One member: name, colon, value. */
static int scan_member(scan *s, codec_node *object, codec_node **out)
{
	uint32_t line = s->line, column = column_of(s, s->at), key_size = 0;
	const char *key = NULL;
	char found_text[32];

	if (*s->at != '"')
		return fail(s, HN_ESYNTAX, s->at,
			is_word(*s->at) || *s->at == '\'' ? "names stand in double quotes"
							  : stray_hint(*s->at),
			"expected a member name in double quotes, found %s",
			found(s, s->at, found_text));
	int rc = scan_string(s, &key, &key_size);
	if (rc < 0)
		return rc;
	skip_space(s);
	if (*s->at != ':')
		return fail(s, HN_ESYNTAX, s->at, NULL,
			"expected ':' after the name \"%.80s\", found %s", key,
			found(s, s->at, found_text));
	s->at++;
	skip_space(s);
	rc = scan_value(s, object, out);
	if (rc < 0)
		return rc;
	(*out)->key = key;
	(*out)->key_size = key_size;
	(*out)->key_line = line;
	(*out)->key_column = column;
	return 0;
}

static int scan_object(scan *s, object_node *object)
{
	codec_node *last = NULL;
	int rc = 1;

	s->at++;
	skip_space(s);
	if (*s->at == '}') {
		s->at++;
		return 0;
	}
	while (rc > 0) {
		codec_node *member = NULL;

		rc = scan_member(s, &object->node, &member);
		if (rc < 0)
			return rc;
		append(&object->node, &last, member);
		rc = scan_separator(s, &object->node, '}', "member");
	}
	return rc < 0 ? rc : index_members(s, object);
}

static int scan_content(scan *s, codec_node *node)
{
	char found_text[32];

	switch (*s->at) {
	case '{':
		node->kind = CODEC_OBJECT;
		return scan_object(s, (object_node *)(void *)node);
	case '[':
		node->kind = CODEC_ARRAY;
		return scan_array(s, node);
	case '"':
		node->kind = CODEC_TEXT;
		return scan_string(s, &node->text, &node->text_size);
	default:
		if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
			return scan_number(s, node);
		if (is_word(*s->at))
			return scan_word(s, node);
		return fail(s, HN_ESYNTAX, s->at, stray_hint(*s->at), "expected a value, found %s",
			found(s, s->at, found_text));
	}
}

static int scan_value(scan *s, codec_node *parent, codec_node **out)
{
	const char *start = s->at;
	codec_node *node = base_arena_alloc(
		s->arena, *start == '{' ? sizeof(object_node) : sizeof(codec_node));

	if (node == NULL)
		return base_nomem(s->err);
	node->parent = parent;
	node->line = s->line;
	node->column = column_of(s, start);
	int rc = scan_content(s, node);
	if (rc < 0)
		return rc;
	node->raw = start;
	node->raw_size = (uint32_t)(s->at - start);
	*out = node;
	return 0;
}

int codec_json_scan(const char *file, const char *bytes, size_t size, char *pool, base_arena *arena,
	codec_node **root, hn_error **err)
{
	scan s = {.file = file,
		.at = bytes,
		.end = bytes + size,
		.line_start = bytes,
		.line = 1,
		.pool = pool,
		.arena = arena,
		.err = err};
	codec_node *node = NULL;
	char found_text[32];

	skip_space(&s);
	int rc = scan_value(&s, NULL, &node);
	if (rc < 0)
		return rc;
	skip_space(&s);
	if (s.at != s.end)
		return fail(&s, HN_ESYNTAX, s.at, "a file is one JSON value",
			"nothing may follow the value that ends before, found %s",
			found(&s, s.at, found_text));
	*root = node;
	return 0;
}

const codec_node *codec_member(const codec_node *object, const char *key)
{
	if (object == NULL || object->kind != CODEC_OBJECT)
		return NULL;
	const codec_node **sorted = ((const object_node *)(const void *)object)->sorted;
	const codec_node wanted = {.key = key, .key_size = (uint32_t)strlen(key)};

	if (sorted == NULL) {
		for (const codec_node *member = object->child; member != NULL;
			member = member->next) {
			if (key_order(member, &wanted) == 0)
				return member;
		}
		return NULL;
	}
	size_t low = 0, high = object->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = key_order(sorted[middle], &wanted);

		if (order == 0)
			return sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
