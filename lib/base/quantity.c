/* SPDX-License-Identifier: MIT
 *
 * Sizes, durations, ratios and rates as text: one strict grammar, exact integers, and hints for
 * what people write instead.
 */
#include "base/base-private.h"
#include <errno.h>
#include <stdio.h>

typedef struct unit {
	const char *text;
	uint64_t factor;
} unit;

/* Each table is sorted by factor, the largest first, since printing takes the first that divides.
 */
static const unit size_units[] = {
	{"Pi", UINT64_C(1) << 50},
	{"P", UINT64_C(1000000000000000)},
	{"Ti", UINT64_C(1) << 40},
	{"T", UINT64_C(1000000000000)},
	{"Gi", UINT64_C(1) << 30},
	{"G", UINT64_C(1000000000)},
	{"Mi", UINT64_C(1) << 20},
	{"M", UINT64_C(1000000)},
	{"Ki", UINT64_C(1) << 10},
	{"K", UINT64_C(1000)},
	{"B", 1},
};

static const unit duration_units[] = {
	{"w", UINT64_C(604800000000000)},
	{"d", UINT64_C(86400000000000)},
	{"h", UINT64_C(3600000000000)},
	{"min", UINT64_C(60000000000)},
	{"s", UINT64_C(1000000000)},
	{"ms", UINT64_C(1000000)},
	{"us", UINT64_C(1000)},
	{"ns", 1},
};

enum { RATIO_DECIMALS = 6, RATIO_ONE = 1000000 };

/* A number as it stands in the text: digits, and perhaps a point and more digits. */
typedef struct number {
	const char *whole;
	size_t whole_size;
	const char *fraction;
	size_t fraction_size;
	const char *rest; /* what follows */
} number;

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool scan_number(const char *text, const char *end, number *found)
{
	const char *at = text;

	*found = (number){.whole = text};
	while (at < end && is_digit(*at))
		at++;
	found->whole_size = (size_t)(at - text);
	if (found->whole_size == 0)
		return false;
	if (at < end && *at == '.') {
		found->fraction = ++at;
		while (at < end && is_digit(*at))
			at++;
		found->fraction_size = (size_t)(at - found->fraction);
		if (found->fraction_size == 0)
			return false;
	}
	found->rest = at;
	return true;
}

/* number * factor as an exact integer: 0, HN_ERANGE when it does not fit 64 bits, HN_ESYNTAX when
 * it is not whole. */
static int scale_number(const number *from, uint64_t factor, uint64_t *value)
{
	uint64_t whole = 0;
	uint64_t carry = 0;
	bool exact = true;

	for (size_t i = 0; i < from->whole_size; i++) {
		if (__builtin_mul_overflow(whole, (uint64_t)10, &whole) ||
			__builtin_add_overflow(whole, (uint64_t)(from->whole[i] - '0'), &whole))
			return HN_ERANGE;
	}
	if (__builtin_mul_overflow(whole, factor, &whole))
		return HN_ERANGE;
	/* Long multiplication of the fraction, from its last digit: each digit of the product must
	 * be 0, and what is carried over the point is the whole part. */
	for (size_t i = from->fraction_size; i > 0; i--) {
		uint64_t product = (uint64_t)(from->fraction[i - 1] - '0') * factor + carry;

		exact = exact && product % 10 == 0;
		carry = product / 10;
	}
	if (__builtin_add_overflow(whole, carry, &whole))
		return HN_ERANGE;
	if (!exact)
		return HN_ESYNTAX;
	*value = whole;
	return 0;
}

static const unit *find_unit(const unit *units, size_t count, const char *text, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(units[i].text) == size && memcmp(units[i].text, text, size) == 0)
			return &units[i];
	}
	return NULL;
}

/* What a size with this wrong unit was probably meant to be. `digits` is the number as written. */
static void hint_size_unit(
	hn_error **err, const char *digits, int digits_size, const char *rest, size_t rest_size)
{
	static const char prefixes[] = "KMGTP";
	char first = rest[0] >= 'a' && rest[0] <= 'z' ? (char)(rest[0] - 'a' + 'A') : rest[0];
	bool known_tail =
		rest_size == 1 || (rest_size == 2 && strchr("bBiI", rest[1]) != NULL) ||
		(rest_size == 3 && strchr("iI", rest[1]) != NULL && strchr("bB", rest[2]) != NULL);

	if (rest_size == 1 && rest[0] == 'b')
		base_error_hint(err, "write %.*sB (bytes)", digits_size, digits);
	else if (first != '\0' && strchr(prefixes, first) != NULL && known_tail && rest_size >= 2 &&
		 strchr("iI", rest[1]) != NULL)
		base_error_hint(err, "write %.*s%ci (powers of 1024)", digits_size, digits, first);
	else if (first != '\0' && strchr(prefixes, first) != NULL && known_tail)
		base_error_hint(err, "write %.*s%c (powers of 1000) or %.*s%ci", digits_size,
			digits, first, digits_size, digits, first);
	else
		base_error_hint(err,
			"the units are B, Ki Mi Gi Ti Pi (powers of 1024), K M G T P (powers of 1000)");
}

static void hint_duration_unit(
	hn_error **err, const char *digits, int digits_size, const char *rest, size_t rest_size)
{
	static const struct {
		const char *wrong, *right;
	} words[] = {{"sec", "s"}, {"secs", "s"}, {"second", "s"}, {"seconds", "s"},
		{"mins", "min"}, {"minute", "min"}, {"minutes", "min"}, {"hour", "h"},
		{"hours", "h"}, {"hr", "h"}, {"H", "h"}, {"S", "s"}, {"day", "d"}, {"days", "d"},
		{"D", "d"}, {"week", "w"}, {"weeks", "w"}, {"W", "w"}, {"msec", "ms"},
		{"usec", "us"}, {"nsec", "ns"}, {"\xc2\xb5s", "us"}, {"\xce\xbcs", "us"}};

	if (rest_size == 1 && (rest[0] == 'm' || rest[0] == 'M')) {
		base_error_hint(err, "write %.*smin (minutes) or %.*sms (milliseconds)",
			digits_size, digits, digits_size, digits);
		return;
	}
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (strlen(words[i].wrong) == rest_size &&
			memcmp(words[i].wrong, rest, rest_size) == 0) {
			base_error_hint(err, "write %.*s%s", digits_size, digits, words[i].right);
			return;
		}
	}
	base_error_hint(err, "the units are ns us ms s min h d w");
}

/* One kind of quantity with a unit. */
typedef struct kind {
	const char *noun;
	const char *example;
	const char *whole_of; /* what a fraction must be a whole number of */
	const unit *units;
	size_t unit_count;
	uint64_t most;
	void (*hint_unit)(hn_error **err, const char *digits, int digits_size, const char *rest,
		size_t rest_size);
} kind;

static const kind size_kind = {
	"size", "32Gi", "bytes", size_units, BASE_COUNT(size_units), UINT64_MAX, hint_size_unit};
static const kind duration_kind = {"duration", "30s", "nanoseconds", duration_units,
	BASE_COUNT(duration_units), INT64_MAX, hint_duration_unit};

/* Says why `text` does not begin with a number. */
static int refuse_number(
	const char *noun, const char *example, const char *text, size_t size, hn_error **err)
{
	char quoted[BASE_QUOTE_SIZE];
	const char *why = "does not begin with a number";
	int code;

	if (size == 0)
		why = "is empty";
	else if (text[0] == '-' || text[0] == '+')
		why = "has a sign";
	else if (text[0] == ' ' || text[0] == '\t')
		why = "begins with a space";
	else if (memchr(text, '.', size) != NULL)
		why = "needs digits on both sides of the point";
	code = base_error(err, HN_ESYNTAX, "base", NULL, "the %s \"%s\" %s", noun,
		base_quote(quoted, text, size), why);
	base_error_hint(err, "write a %s such as %s", noun, example);
	return code;
}

/* Says why what follows the number is no unit. */
static int refuse_unit(
	const kind *of, const char *text, size_t size, const number *found, hn_error **err)
{
	char quoted[BASE_QUOTE_SIZE];
	size_t rest_size = size - (size_t)(found->rest - text);
	const char *unit_at = found->rest;
	int digits_size = found->rest - text < 24 ? (int)(found->rest - text) : 24;
	const char *why = "has an unknown unit";
	int code;

	if (rest_size == 0)
		why = "has no unit";
	else if ((*unit_at == 'e' || *unit_at == 'E') && rest_size > 1 &&
		 (is_digit(unit_at[1]) || unit_at[1] == '-' || unit_at[1] == '+'))
		why = "has an exponent";
	else if (*unit_at == ' ' || *unit_at == '\t')
		why = "has a space before the unit";
	else if (*unit_at == '.' || *unit_at == ',' || *unit_at == '_')
		why = "has more than digits and one point in its number";
	code = base_error(err, HN_ESYNTAX, "base", NULL, "the %s \"%s\" %s", of->noun,
		base_quote(quoted, text, size), why);
	while (rest_size > 0 && (*unit_at == ' ' || *unit_at == '\t')) {
		unit_at++;
		rest_size--;
	}
	if (rest_size > 0 && find_unit(of->units, of->unit_count, unit_at, rest_size) != NULL)
		base_error_hint(err, "write %.*s%.*s", digits_size, text, (int)rest_size, unit_at);
	else if (rest_size > 0)
		of->hint_unit(err, text, digits_size, unit_at, rest_size);
	else
		base_error_hint(err, "write a %s such as %s", of->noun, of->example);
	return code;
}

static int parse_with_unit(
	const kind *of, const char *text, size_t size, uint64_t *value, hn_error **err)
{
	char quoted[BASE_QUOTE_SIZE];
	const unit *unit_found;
	uint64_t scaled = 0;
	number found;
	int code;

	if (!scan_number(text, text + size, &found))
		return refuse_number(of->noun, of->example, text, size, err);
	unit_found = find_unit(
		of->units, of->unit_count, found.rest, size - (size_t)(found.rest - text));
	if (unit_found == NULL)
		return refuse_unit(of, text, size, &found, err);
	code = scale_number(&found, unit_found->factor, &scaled);
	if (code == HN_ESYNTAX)
		return base_error(err, HN_ESYNTAX, "base", "use a smaller unit",
			"the %s \"%s\" is not whole %s", of->noun, base_quote(quoted, text, size),
			of->whole_of);
	if (code < 0 || scaled > of->most)
		return base_error(err, HN_ERANGE, "base", NULL,
			"the %s \"%s\" does not fit into %s bits", of->noun,
			base_quote(quoted, text, size), of->most == UINT64_MAX ? "64" : "63");
	*value = scaled;
	return 0;
}

static size_t print_with_unit(const kind *of, uint64_t value, char out[HN_QUANTITY_TEXT])
{
	const unit *best = &of->units[of->unit_count - 1];

	for (size_t i = 0; i < of->unit_count; i++) {
		if (value % of->units[i].factor == 0) {
			best = &of->units[i];
			break;
		}
	}
	return (size_t)snprintf(out, HN_QUANTITY_TEXT, "%llu%s",
		(unsigned long long)(value / best->factor), best->text);
}

static int refuse_null(const char *noun, hn_error **err)
{
	return base_error(err, HN_EINVAL, "base", NULL, "no %s was given", noun);
}

int hn_size_parse(const char *text, uint64_t *bytes, hn_error **err)
{
	if (text == NULL || bytes == NULL)
		return refuse_null("size", err);
	return parse_with_unit(&size_kind, text, strlen(text), bytes, err);
}

size_t hn_size_print(uint64_t bytes, char out[HN_QUANTITY_TEXT])
{
	if (bytes == 0)
		return (size_t)snprintf(out, HN_QUANTITY_TEXT, "0B");
	return print_with_unit(&size_kind, bytes, out);
}

int hn_duration_parse(const char *text, int64_t *nanoseconds, hn_error **err)
{
	uint64_t value = 0;
	int code;

	if (text == NULL || nanoseconds == NULL)
		return refuse_null("duration", err);
	code = parse_with_unit(&duration_kind, text, strlen(text), &value, err);
	if (code == 0)
		*nanoseconds = (int64_t)value;
	return code;
}

size_t hn_duration_print(int64_t nanoseconds, char out[HN_QUANTITY_TEXT])
{
	char magnitude[HN_QUANTITY_TEXT];

	if (nanoseconds == 0)
		return (size_t)snprintf(out, HN_QUANTITY_TEXT, "0s");
	if (nanoseconds > 0)
		return print_with_unit(&duration_kind, (uint64_t)nanoseconds, out);
	print_with_unit(&duration_kind, -(uint64_t)nanoseconds, magnitude);
	return (size_t)snprintf(out, HN_QUANTITY_TEXT, "-%.30s", magnitude);
}

int hn_ratio_parse(const char *text, int64_t *millionths, hn_error **err)
{
	char quoted[BASE_QUOTE_SIZE];
	uint64_t value = 0;
	size_t size;
	number found;

	if (text == NULL || millionths == NULL)
		return refuse_null("ratio", err);
	size = strlen(text);
	if (!scan_number(text, text + size, &found))
		return refuse_number("ratio", "0.9", text, size, err);
	if (found.rest != text + size)
		return base_error(err, HN_ESYNTAX, "base",
			*found.rest == '%' ? "write the part of one: 0.9 for 90 %"
					   : "write a ratio such as 0.9",
			"the ratio \"%s\" is more than a decimal number",
			base_quote(quoted, text, size));
	if (found.fraction_size > RATIO_DECIMALS)
		return base_error(err, HN_ESYNTAX, "base", NULL,
			"the ratio \"%s\" has more than %d decimals",
			base_quote(quoted, text, size), RATIO_DECIMALS);
	if (scale_number(&found, RATIO_ONE, &value) < 0 || value > INT64_MAX)
		return base_error(err, HN_ERANGE, "base", NULL,
			"the ratio \"%s\" does not fit into 63 bits of millionths",
			base_quote(quoted, text, size));
	*millionths = (int64_t)value;
	return 0;
}

size_t hn_ratio_print(int64_t millionths, char out[HN_QUANTITY_TEXT])
{
	uint64_t magnitude = millionths < 0 ? -(uint64_t)millionths : (uint64_t)millionths;
	size_t size = (size_t)snprintf(out, HN_QUANTITY_TEXT, "%s%llu.%06llu",
		millionths < 0 ? "-" : "", (unsigned long long)(magnitude / RATIO_ONE),
		(unsigned long long)(magnitude % RATIO_ONE));

	while (out[size - 1] == '0')
		size--;
	if (out[size - 1] == '.')
		size--;
	out[size] = '\0';
	return size;
}

int hn_rate_parse(const char *text, uint64_t *bytes_per_second, hn_error **err)
{
	static const kind rate_kind = {"rate", "100Mi/s", "bytes", size_units,
		BASE_COUNT(size_units), UINT64_MAX, hint_size_unit};
	char quoted[BASE_QUOTE_SIZE];
	size_t size;

	if (text == NULL || bytes_per_second == NULL)
		return refuse_null("rate", err);
	size = strlen(text);
	if (size < 2 || memcmp(text + size - 2, "/s", 2) != 0)
		return base_error(err, HN_ESYNTAX, "base",
			"write a size and /s, such as 100Mi/s (bytes, not bits)",
			"the rate \"%s\" does not end with /s", base_quote(quoted, text, size));
	return parse_with_unit(&rate_kind, text, size - 2, bytes_per_second, err);
}

size_t hn_rate_print(uint64_t bytes_per_second, char out[HN_QUANTITY_TEXT])
{
	size_t size = hn_size_print(bytes_per_second, out);

	memcpy(out + size, "/s", 3);
	return size + 2;
}
