/* SPDX-License-Identifier: MIT
 *
 * Versions: Semantic Versioning 2.0.0, of whose build metadata only "+rN" is taken.
 */
#include "compose/version-text.h"

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

int compose_spelling_fail(
	const compose_spelling *in, hn_error **err, const char *hint, const char *format, ...)
{
	BASE_AUTO_BUF base_buf message = {0};
	char quoted[BASE_QUOTE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&message, format, arguments);
	va_end(arguments);
	if (message.failed)
		return base_nomem(err);
	return base_error(err, HN_ESYNTAX, COMPOSE_ROOM, hint, "%s \"%s\": column %zu: %s",
		in->what, base_quote(quoted, in->text, in->size), in->at + 1, message.data);
}

int compose_spelling_number(compose_spelling *in, uint64_t *number, hn_error **err)
{
	compose_spelling start = *in;
	uint64_t value = 0;

	while (in->at < in->size && is_digit(in->text[in->at])) {
		uint64_t digit = (uint64_t)(in->text[in->at++] - '0');

		if (value > ((uint64_t)INT64_MAX - digit) / 10)
			return compose_spelling_fail(
				&start, err, "numbers are below 2^63", "the number is too large");
		value = value * 10 + digit;
	}
	if (in->at == start.at)
		return compose_spelling_fail(&start, err, "a version is three numbers: 1.2.3",
			in->at < in->size ? "a digit is expected" : "a number is missing");
	if (in->text[start.at] == '0' && in->at > start.at + 1)
		return compose_spelling_fail(
			&start, err, "write 1, not 01", "a number begins with 0");
	*number = value;
	return 0;
}

/* One identifier of a prerelease: digits alone must not begin with 0 (SemVer section 9). */
static int read_identifier(compose_spelling *in, hn_error **err)
{
	compose_spelling start = *in;
	bool digits = true;

	for (; in->at < in->size; in->at++) {
		char byte = in->text[in->at];

		if (!is_digit(byte) && !is_letter(byte) && byte != '-')
			break;
		digits = digits && is_digit(byte);
	}
	if (in->at == start.at)
		return compose_spelling_fail(&start, err, "a prerelease is like -rc.1",
			"a part of the prerelease is missing");
	if (digits && in->text[start.at] == '0' && in->at > start.at + 1)
		return compose_spelling_fail(
			&start, err, "write rc.1, not rc.01", "a number begins with 0");
	return 0;
}

int compose_spelling_pre(compose_spelling *in, compose_version *version, hn_error **err)
{
	size_t start = in->at + 1;
	int rc;

	if (!compose_spelling_is(in, '-'))
		return 0;
	do {
		in->at++;
		if ((rc = read_identifier(in, err)) < 0)
			return rc;
	} while (compose_spelling_is(in, '.'));
	version->pre = in->text + start;
	version->pre_size = (uint32_t)(in->at - start);
	return 0;
}

int compose_spelling_revision(compose_spelling *in, uint64_t *revision, hn_error **err)
{
	static const char *const hint = "build metadata is +r and our revision: 1.2.3+r1";
	compose_spelling start = *in;
	uint64_t number;
	int rc;

	if (!compose_spelling_is(in, '+'))
		return 0;
	in->at++;
	if (!compose_spelling_is(in, 'r'))
		return compose_spelling_fail(
			&start, err, hint, "build metadata other than a revision");
	in->at++;
	if ((rc = compose_spelling_number(in, &number, err)) < 0)
		return rc;
	if (number == 0)
		return compose_spelling_fail(&start, err, hint, "revisions begin with 1");
	*revision = number;
	return 0;
}

static int read_numbers(compose_spelling *in, compose_version *version, hn_error **err)
{
	uint64_t *const numbers[] = {&version->major, &version->minor, &version->patch};
	int rc;

	for (size_t i = 0; i < BASE_COUNT(numbers); i++) {
		if (i > 0 && !compose_spelling_is(in, '.'))
			return compose_spelling_fail(in, err, "a version is three numbers: 1.2.3",
				"\".\" and a number are missing");
		in->at += i > 0;
		if ((rc = compose_spelling_number(in, numbers[i], err)) < 0)
			return rc;
	}
	return 0;
}

int compose_version_parse(const char *text, size_t size, compose_version *version, hn_error **err)
{
	compose_spelling in = {.what = "version", .text = text, .size = size};
	compose_version read = {.text = text};
	int rc;

	if ((rc = base_limit_check(BASE_LIMIT_VERSION_BYTES, size, err)) < 0)
		return rc;
	read.text_size = (uint32_t)size;
	if (size > 1 && (text[0] == 'v' || text[0] == 'V'))
		return compose_spelling_fail(
			&in, err, "leave the v away: 1.2.3", "a version has no v");
	if ((rc = read_numbers(&in, &read, err)) < 0 ||
		(rc = compose_spelling_pre(&in, &read, err)) < 0 ||
		(rc = compose_spelling_revision(&in, &read.revision, err)) < 0)
		return rc;
	if (in.at < in.size)
		return compose_spelling_fail(&in, err,
			"a version is like 1.2.3, 1.2.3-rc.1 or 1.2.3+r1",
			"nothing can follow here");
	*version = read;
	return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

typedef struct identifier {
	const char *text;
	size_t size;
	bool digits;
} identifier;

/* The next identifier of *text, which is left after its dot. */
static identifier next_identifier(const char **text, size_t *left)
{
	identifier next = {.text = *text, .digits = true};

	while (next.size < *left && next.text[next.size] != '.')
		next.digits = is_digit(next.text[next.size++]) && next.digits;
	*text += next.size + (next.size < *left);
	*left -= next.size + (next.size < *left);
	return next;
}

/* SemVer section 11.4: numbers by value, however long; they are below words; words by bytes. */
static int compare_identifiers(const identifier *a, const identifier *b)
{
	size_t shorter = a->size < b->size ? a->size : b->size;
	int order;

	if (a->digits != b->digits)
		return a->digits ? -1 : 1;
	if (a->digits && a->size != b->size)
		return a->size < b->size ? -1 : 1;
	order = memcmp(a->text, b->text, shorter);
	return order != 0 ? order : compare_numbers(a->size, b->size);
}

static int compare_pre(const compose_version *a, const compose_version *b)
{
	const char *left = a->pre, *right = b->pre;
	size_t left_size = a->pre_size, right_size = b->pre_size;

	if (left == NULL || right == NULL)
		return (left == NULL) - (right == NULL);
	while (left_size > 0 && right_size > 0) {
		identifier one = next_identifier(&left, &left_size);
		identifier other = next_identifier(&right, &right_size);
		int order = compare_identifiers(&one, &other);

		if (order != 0)
			return order;
	}
	return compare_numbers(left_size, right_size);
}

int compose_version_precedence(const compose_version *a, const compose_version *b)
{
	int order = compare_numbers(a->major, b->major);

	if (order == 0)
		order = compare_numbers(a->minor, b->minor);
	if (order == 0)
		order = compare_numbers(a->patch, b->patch);
	return order != 0 ? order : compare_pre(a, b);
}

int compose_version_compare(const compose_version *a, const compose_version *b)
{
	int order = compose_version_precedence(a, b);

	return order != 0 ? order : compare_numbers(a->revision, b->revision);
}
