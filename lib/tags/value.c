/* SPDX-License-Identifier: MIT
 *
 * Values: from text to the checked, canonical form of a row of keys.def.
 */
#include "tags/tags-private.h"
#include <assert.h>

/* --- ranges --- */

typedef struct bounds {
	int64_t low, high, step;
} bounds;

static int read_size(const char *text, int64_t *number, hn_error **err)
{
	uint64_t bytes;
	int rc = hn_size_parse(text, &bytes, err);

	if (rc < 0)
		return rc;
	if (bytes > INT64_MAX)
		return base_error(err, HN_ERANGE, TAGS_ROOM, NULL, "'%s' is too large", text);
	*number = (int64_t)bytes;
	return 0;
}

static int read_rate(const char *text, int64_t *number, hn_error **err)
{
	uint64_t rate;
	int rc = hn_rate_parse(text, &rate, err);

	if (rc < 0)
		return rc;
	if (rate > INT64_MAX)
		return base_error(err, HN_ERANGE, TAGS_ROOM, NULL, "'%s' is too large", text);
	*number = (int64_t)rate;
	return 0;
}

/* Digits without sign and leading zeros; for INT a minus may stand before them. */
static int read_integer(bool is_signed, const char *text, int64_t *number, hn_error **err)
{
	bool negative = is_signed && text[0] == '-';
	const char *digits = text + (negative ? 1 : 0);
	int64_t value = 0;

	if (digits[0] == '\0' || (digits[0] == '0' && (digits[1] != '\0' || negative)))
		return base_error(err, HN_ESYNTAX, TAGS_ROOM, "write a plain whole number",
			"'%s' is not a whole number", text);
	for (const char *at = digits; *at != '\0'; at++) {
		if (*at < '0' || *at > '9')
			return base_error(err, HN_ESYNTAX, TAGS_ROOM, "write a plain whole number",
				"'%s' is not a whole number", text);
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *at - '0', &value))
			return base_error(
				err, HN_ERANGE, TAGS_ROOM, NULL, "'%s' is too large", text);
	}
	*number = negative ? -value : value;
	return 0;
}

static int read_number(const hn_key *key, const char *text, int64_t *number, hn_error **err)
{
	switch (key->type) {
	case HN_TYPE_SIZE:
		return read_size(text, number, err);
	case HN_TYPE_DURATION:
		return hn_duration_parse(text, number, err);
	case HN_TYPE_RATIO:
		return hn_ratio_parse(text, number, err);
	case HN_TYPE_RATE:
		return read_rate(text, number, err);
	default:
		return read_integer(key->type == HN_TYPE_INT, text, number, err);
	}
}

void tags_print_number(const hn_key *key, int64_t number, base_buf *out)
{
	char text[HN_QUANTITY_TEXT];

	switch (key->type) {
	case HN_TYPE_SIZE:
		hn_size_print((uint64_t)number, text);
		break;
	case HN_TYPE_DURATION:
		hn_duration_print(number, text);
		break;
	case HN_TYPE_RATIO:
		hn_ratio_print(number, text);
		break;
	case HN_TYPE_RATE:
		hn_rate_print((uint64_t)number, text);
		break;
	default:
		base_buf_format(out, "%lld", (long long)number);
		return;
	}
	base_buf_text(out, text);
}

/* Splits "lo..hi/step" of a row; keys.def is ours, and a unit test reads every row of it. */
static bounds key_bounds(const hn_key *key)
{
	bounds range = {.step = 1};
	char text[128];
	char *high, *step;
	int rc;

	assert(strlen(key->range) < sizeof(text));
	memcpy(text, key->range, strlen(key->range) + 1);
	high = strstr(text, "..");
	assert(high != NULL);
	*high = '\0';
	high += 2;
	/* A rate has a '/' of its own, and no step. */
	step = key->type == HN_TYPE_RATE ? NULL : strchr(high, '/');
	if (step != NULL)
		*step++ = '\0';
	rc = read_number(key, text, &range.low, NULL) | read_number(key, high, &range.high, NULL);
	if (step != NULL)
		rc |= read_number(key, step, &range.step, NULL);
	assert(rc == 0);
	(void)rc;
	return range;
}

/* --- what a row allows, in words --- */

static void allowed_number(const hn_key *key, base_buf *out)
{
	static const char *const nouns[] = {[HN_TYPE_UINT] = "a whole number",
		[HN_TYPE_INT] = "a whole number",
		[HN_TYPE_SIZE] = "a size",
		[HN_TYPE_DURATION] = "a duration",
		[HN_TYPE_RATIO] = "a ratio",
		[HN_TYPE_RATE] = "a rate"};
	bounds range = key_bounds(key);

	base_buf_text(out, nouns[key->type]);
	base_buf_text(out, " from ");
	tags_print_number(key, range.low, out);
	base_buf_text(out, " to ");
	tags_print_number(key, range.high, out);
	if (range.step != 1) {
		base_buf_text(out, " in steps of ");
		tags_print_number(key, range.step, out);
	}
}

static void allowed_words(const char *words, const char *last, base_buf *out)
{
	for (const char *at = words; *at != '\0'; at++) {
		if (*at != ' ' && *at != '<')
			base_buf_add(out, at, 1);
		else
			base_buf_text(out, strpbrk(at + 1, " <") != NULL ? ", " : last);
	}
}

static const char *allowed_grammar(const char *grammar)
{
	static const struct {
		const char *grammar, *words;
	} rows[] = {{"topology", "sockets x cores x threads such as 1x4x2, at most 255 together"},
		{"cpulist", "a processor list such as 0-3,8"},
		{"digest", "a name (a-z, 0-9 and '-', at most 63) or a digest b2:<64 hex digits>"},
		{"model", "a processor model such as EPYC or Skylake-Server"},
		{"interface", "an interface name of the host, at most 15 characters"},
		{"volume", "an absolute path without '..', or a volume's name"},
		{"window", "a weekly window such as Sun 02:00-04:00 Europe/Berlin"},
		{"word", "words without spaces"}, {"name", "names (a-z, 0-9 and '-', at most 63)"},
		{"forward", "items tcp:ADDRESS:HOST-PORT:GUEST-PORT, or udp"},
		{"label", "labels, each as key or key=value"}, {"selector", "selectors"}};

	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		if (strcmp(rows[i].grammar, grammar) == 0)
			return rows[i].words;
	return NULL;
}

static const char *allowed_plain(hn_type type)
{
	switch (type) {
	case HN_TYPE_BOOL:
		return "true or false";
	case HN_TYPE_NAME:
		return "a name (a-z, 0-9 and '-', at most 63)";
	case HN_TYPE_PATH:
		return "an absolute path without '..'";
	case HN_TYPE_MAC:
		return "a unicast address such as 52:54:00:12:34:56";
	case HN_TYPE_SCHEDULE:
		return "hourly, daily 02:00, Mon..Fri 23:00 or a window such as "
		       "Mon..Fri 09:00-17:30 Europe/Berlin";
	default:
		return "one line of UTF-8 text";
	}
}

void tags_key_allowed(const hn_key *key, base_buf *out)
{
	const char *grammar = allowed_grammar(key->range);

	if (key->type == HN_TYPE_UINT || (key->type >= HN_TYPE_INT && key->type <= HN_TYPE_RATE))
		allowed_number(key, out);
	else if (key->type == HN_TYPE_ENUM)
		allowed_words(key->range, key->special[0] == '\0' ? " or " : ", ", out);
	else if (grammar != NULL)
		base_buf_text(out, grammar);
	else
		base_buf_text(out, allowed_plain(key->type));
	if (key->type == HN_TYPE_TEXT && grammar == NULL)
		base_buf_format(out, " of at most %s bytes", strstr(key->range, "..") + 2);
	if (key->special[0] != '\0') {
		base_buf_text(out, strchr(key->special, ' ') != NULL ? ", " : ", or ");
		allowed_words(key->special, " or ", out);
	}
}

/* --- one value --- */

/* The place of `text` among words divided by spaces or '<', or -1. */
static int word_index(const char *words, const char *text, size_t size)
{
	int index = 0;

	while (*words != '\0') {
		size_t length = strcspn(words, " <");

		if (length == size && memcmp(words, text, size) == 0)
			return index;
		words += length;
		words += *words != '\0' ? 1 : 0;
		index++;
	}
	return -1;
}

/* Adds the cause's words to the key, and what the row allows as the hint where the cause has none.
 */
static int refuse(const hn_key *key, hn_code code, hn_error *cause, const char *text, size_t size,
	hn_error **err)
{
	BASE_AUTO_BUF base_buf allowed = {0};
	int shown = size > 80 ? 80 : (int)size;

	tags_key_allowed(key, &allowed);
	if (allowed.failed)
		return base_nomem(err);
	if (cause != NULL && hn_error_code(cause) == HN_ENOMEM)
		return base_nomem(err);
	if (cause != NULL)
		base_error(err, code, TAGS_ROOM, NULL, "%s: %s; allowed: %s", key->name,
			hn_error_message(cause), allowed.data);
	else
		base_error(err, code, TAGS_ROOM, NULL, "%s: '%.*s' is not allowed; allowed: %s",
			key->name, shown, text, allowed.data);
	if (cause != NULL && hn_error_hint(cause) != NULL)
		base_error_hint(err, "%s", hn_error_hint(cause));
	base_error_fact(err, "key", key->name);
	return code;
}

static int parse_number(const hn_key *key, const char *text, size_t size, int64_t *number,
	base_buf *out, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	char copy[64];
	bounds range;
	int rc;

	if (size >= sizeof(copy))
		return refuse(key, HN_ESYNTAX, NULL, text, size, err);
	memcpy(copy, text, size);
	copy[size] = '\0';
	rc = read_number(key, copy, number, &cause);
	if (rc < 0)
		return refuse(key, (hn_code)rc, cause, text, size, err);
	range = key_bounds(key);
	if (*number < range.low || *number > range.high || *number % range.step != 0)
		return refuse(key, HN_ERANGE, NULL, text, size, err);
	tags_print_number(key, *number, out);
	return 0;
}

static bool one_line(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return base_utf8_valid(text, size);
}

static bool has_parent_component(const char *text, size_t size)
{
	for (size_t i = 0; i + 2 < size; i++)
		if (memcmp(text + i, "/..", 3) == 0 && (i + 3 == size || text[i + 3] == '/'))
			return true;
	return false;
}

static bool parse_path(const hn_key *key, const char *text, size_t size)
{
	if (strcmp(key->range, "volume") == 0 && base_name_valid(text, size))
		return true;
	return size > 1 && text[0] == '/' && one_line(text, size) &&
	       !has_parent_component(text, size);
}

static bool is_model_name(const char *text, size_t size, size_t most)
{
	if (size == 0 || size > most || text[0] == '-' || text[0] == '.')
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

static bool parse_name(const hn_key *key, const char *text, size_t size)
{
	uint8_t digest[32];

	if (strcmp(key->range, "model") == 0)
		return is_model_name(text, size, 63);
	if (strcmp(key->range, "interface") == 0)
		return is_model_name(text, size, 15);
	if (strcmp(key->range, "digest") == 0 && size == 67 && memcmp(text, "b2:", 3) == 0)
		return codec_hex_decode(text + 3, 64, digest);
	return base_name_valid(text, size);
}

/* Texts whose canonical form is what was written, and those with a grammar. */
static bool parse_text(const hn_key *key, const char *text, size_t size, base_buf *out)
{
	if (key->type == HN_TYPE_MAC)
		return tags_grammar_mac(text, size, out);
	if (key->type == HN_TYPE_SCHEDULE)
		return tags_grammar_schedule(text, size, strcmp(key->range, "window") == 0, out);
	if (key->type == HN_TYPE_NAME ? !parse_name(key, text, size)
				      : key->type == HN_TYPE_PATH && !parse_path(key, text, size))
		return false;
	if (key->type == HN_TYPE_TEXT) {
		if (strcmp(key->range, "topology") == 0)
			return tags_grammar_topology(text, size, out);
		if (strcmp(key->range, "cpulist") == 0)
			return tags_grammar_cpulist(text, size, out);
		if (size > base_limit(BASE_LIMIT_LABEL_BYTES) || !one_line(text, size))
			return false;
	}
	base_buf_add(out, text, size);
	base_buf_text(out, "");
	return true;
}

static int parse_scalar(
	const hn_key *key, const char *text, size_t size, tags_parsed *out, hn_error **err)
{
	int index;

	if (size > 0 && word_index(key->special, text, size) >= 0) {
		out->word = true;
		base_buf_add(&out->text, text, size);
		return 0;
	}
	switch (key->type) {
	case HN_TYPE_BOOL:
	case HN_TYPE_ENUM:
		index = word_index(
			key->type == HN_TYPE_BOOL ? "false true" : key->range, text, size);
		if (index < 0)
			return refuse(key, HN_ESCHEMA, NULL, text, size, err);
		out->number = index;
		base_buf_add(&out->text, text, size);
		return 0;
	case HN_TYPE_UINT:
	case HN_TYPE_INT:
	case HN_TYPE_SIZE:
	case HN_TYPE_DURATION:
	case HN_TYPE_RATIO:
	case HN_TYPE_RATE:
		return parse_number(key, text, size, &out->number, &out->text, err);
	default:
		if (!parse_text(key, text, size, &out->text))
			return refuse(key, HN_ESCHEMA, NULL, text, size, err);
		return 0;
	}
}

/* --- lists and sets --- */

static bool is_word(const char *text, size_t size)
{
	if (size == 0 || size > base_limit(BASE_LIMIT_LABEL_BYTES))
		return false;
	for (size_t i = 0; i < size; i++)
		if (text[i] <= 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

/* A selector is kept as written: its canonical form is the text that compiles. */
static int parse_selector_item(
	const hn_key *key, const char *text, size_t size, base_buf *out, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	BASE_AUTO_FREE char *copy = base_strndup(text, size);
	hn_selector *selector = NULL;
	int rc;

	if (copy == NULL)
		return base_nomem(err);
	rc = hn_selector_compile(copy, &selector, &cause);
	hn_selector_free(selector);
	if (rc < 0)
		return refuse(key, (hn_code)rc, cause, text, size, err);
	base_buf_add(out, text, size);
	return 0;
}

static int parse_item(
	const hn_key *key, const char *text, size_t size, base_buf *out, hn_error **err)
{
	bool good;

	if (strcmp(key->range, "selector") == 0)
		return parse_selector_item(key, text, size, out, err);
	if (strcmp(key->range, "forward") == 0) {
		good = tags_grammar_forward(text, size, out);
	} else if (strcmp(key->range, "label") == 0) {
		good = tags_grammar_label(text, size, out);
	} else {
		good = strcmp(key->range, "name") == 0 ? base_name_valid(text, size)
						       : is_word(text, size);
		if (good)
			base_buf_add(out, text, size);
	}
	return good ? 0 : refuse(key, HN_ESCHEMA, NULL, text, size, err);
}

static int compare_items(const void *a, const void *b)
{
	const char *left, *right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return strcmp(left, right);
}

const char *tags_items_divider(const hn_key *key)
{
	return strcmp(key->range, "selector") == 0 ? "; " : " ";
}

int tags_items_finish(const hn_key *key, base_buf *packed, uint32_t count, tags_parsed *out)
{
	BASE_AUTO_FREE const char **items = base_calloc((size_t)count + 1, sizeof(*items));
	const char *at = packed->data;

	if (items == NULL || packed->failed)
		return HN_ENOMEM;
	for (uint32_t i = 0; i < count; i++, at += strlen(at) + 1)
		items[i] = at;
	if (key->type == HN_TYPE_SET)
		qsort(items, count, sizeof(*items), compare_items);
	base_buf_text(&out->text, "");
	for (uint32_t i = 0; i < count; i++) {
		if (key->type == HN_TYPE_SET && i > 0 && strcmp(items[i], items[i - 1]) == 0)
			continue;
		if (out->item_count++ > 0)
			base_buf_text(&out->text, tags_items_divider(key));
		base_buf_text(&out->text, items[i]);
		base_buf_add(&out->items, items[i], strlen(items[i]) + 1);
	}
	return out->text.failed || out->items.failed ? HN_ENOMEM : 0;
}

int tags_items_parse(const hn_key *key, const char *const *items, const size_t *sizes, size_t count,
	tags_parsed *out, hn_error **err)
{
	BASE_AUTO_BUF base_buf packed = {0};
	int rc = base_limit_check(BASE_LIMIT_LIST_ITEMS, count, err);

	*out = (tags_parsed){0};
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = parse_item(key, items[i], sizes[i], &packed, err);
		base_buf_add(&packed, "", 1);
	}
	if (rc == 0 && tags_items_finish(key, &packed, (uint32_t)count, out) < 0)
		rc = base_nomem(err);
	if (rc < 0)
		tags_parsed_free(out);
	return rc;
}

/* Items in one text: divided by white space; selectors, which hold spaces, by semicolons. */
static int parse_many(
	const hn_key *key, const char *text, size_t size, tags_parsed *out, hn_error **err)
{
	bool selectors = strcmp(key->range, "selector") == 0;
	size_t most = (size_t)base_limit(BASE_LIMIT_LIST_ITEMS), count = 0, at = 0;
	BASE_AUTO_FREE const char **items = base_calloc(most, sizeof(*items));
	BASE_AUTO_FREE size_t *sizes = base_calloc(most, sizeof(*sizes));

	if (items == NULL || sizes == NULL)
		return base_nomem(err);
	while (at < size) {
		size_t end = at;

		while (end < size &&
			(selectors ? text[end] != ';' : !memchr(" \t\n", text[end], 3)))
			end++;
		while (at < end && text[at] == ' ')
			at++;
		if (count == most && end > at)
			return base_limit_check(BASE_LIMIT_LIST_ITEMS, most + 1, err);
		if (end > at) {
			items[count] = text + at;
			sizes[count] = end - at;
			while (text[at + sizes[count] - 1] == ' ')
				sizes[count]--;
			count++;
		}
		at = end + 1;
	}
	return tags_items_parse(key, items, sizes, count, out, err);
}

int tags_value_parse(
	const hn_key *key, const char *text, size_t size, tags_parsed *out, hn_error **err)
{
	int rc;

	*out = (tags_parsed){0};
	if (tags_key_is_many(key))
		return parse_many(key, text, size, out, err);
	rc = base_limit_check(BASE_LIMIT_TEXT_BYTES, size, err);
	if (rc == 0)
		rc = parse_scalar(key, text, size, out, err);
	if (rc == 0 && out->text.failed)
		rc = base_nomem(err);
	if (rc < 0)
		tags_parsed_free(out);
	return rc;
}

void tags_parsed_free(tags_parsed *parsed)
{
	base_buf_free(&parsed->text);
	base_buf_free(&parsed->items);
	*parsed = (tags_parsed){0};
}

int hn_key_parse(const hn_key *key, const char *text, char **canonical, hn_error **err)
{
	TAGS_AUTO_PARSED tags_parsed parsed = {0};
	char *taken;
	int rc;

	if (key == NULL || text == NULL || canonical == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL,
			"a key, a text and a place for the result are needed");
	rc = tags_value_parse(key, text, strlen(text), &parsed, err);
	if (rc < 0)
		return rc;
	taken = base_buf_take(&parsed.text);
	if (taken == NULL)
		return base_nomem(err);
	*canonical = taken;
	return 0;
}
