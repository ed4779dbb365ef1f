/* SPDX-License-Identifier: MIT
 *
 * The three members of a Debian package (deb(5)), in their order and nothing else. ar is 60 bytes
 * before each member; a reader that also takes its other dialects would take more than a deb.
 */
#include "compose/payload-parse.h"

enum { AR_HEAD = 60, AR_NAME = 16, AR_SIZE = 48, AR_SIZE_DIGITS = 10, AR_END = 58 };

static int take_exactly(parse *run, void *to, size_t size, const char *what)
{
	size_t have = 0;

	while (have < size) {
		const uint8_t *bytes;
		size_t got;
		int code = parse_take(run, size - have, &bytes, &got);

		if (code < 0)
			return code;
		if (got == 0)
			return parse_refuse(
				run, HN_EENTRY, "this deb is cut off: no %s is there", what);
		memcpy((char *)to + have, bytes, got);
		have += got;
	}
	return 0;
}

/* Blanks fill a field up. */
static bool number_of(const char *field, size_t width, uint64_t *number)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < width && field[i] >= '0' && field[i] <= '9'; i++)
		value = value * 10 + (uint64_t)(field[i] - '0');
	if (i == 0)
		return false;
	*number = value;
	while (i < width && field[i] == ' ')
		i++;
	return i == width;
}

static int take_head(parse *run, const char *wanted, char name[AR_NAME + 1], uint64_t *size)
{
	char head[AR_HEAD], quoted[BASE_QUOTE_SIZE];
	size_t length = AR_NAME;
	int code = take_exactly(run, head, sizeof(head), wanted);

	if (code < 0)
		return code;
	while (length > 0 && head[length - 1] == ' ')
		length--;
	if (length > 1 && head[length - 1] == '/')
		length--;
	memcpy(name, head, length);
	name[length] = '\0';
	if (memcmp(head + AR_END, "`\n", 2) != 0 ||
		!number_of(head + AR_SIZE, AR_SIZE_DIGITS, size))
		return parse_refuse(run, HN_EENTRY,
			"this deb is damaged: where %s should begin is no head of ar", wanted);
	if (strncmp(name, wanted, strlen(wanted)) == 0)
		return 0;
	return parse_refuse(run, HN_EENTRY, "this deb has '%s' where %s should be",
		base_quote(quoted, name, length), wanted);
}

/* Members begin at even places. */
static int take_padding(parse *run, uint64_t size)
{
	char byte = '\n';
	int code = size % 2 == 0 ? 0 : take_exactly(run, &byte, 1, "padding");

	if (code == 0 && byte != '\n')
		return parse_refuse(run, HN_EENTRY, "this deb has other padding than a newline");
	return code;
}

static int take_version(parse *run)
{
	char name[AR_NAME + 1], text[4] = "";
	uint64_t size = 0;
	int code = take_head(run, "debian-binary", name, &size);

	if (code == 0 && strcmp(name, "debian-binary") != 0)
		return parse_refuse(run, HN_EENTRY, "this deb does not begin with debian-binary");
	if (code == 0 && size == sizeof(text))
		code = take_exactly(run, text, sizeof(text), "version");
	if (code == 0 && (size != sizeof(text) || memcmp(text, "2.0\n", sizeof(text)) != 0))
		return parse_refuse(run, HN_EENTRY, "this deb is of another version than 2.0");
	return code;
}

static int take_tar(parse *run, const char *wanted, parse_use use)
{
	static const char *const endings[] = {"", ".gz", ".xz", ".zst"};
	char name[AR_NAME + 1], quoted[BASE_QUOTE_SIZE];
	uint64_t size = 0;
	bool known = false;
	int code = take_head(run, wanted, name, &size);

	if (code < 0)
		return code;
	for (size_t i = 0; i < BASE_COUNT(endings); i++)
		known |= strcmp(name + strlen(wanted), endings[i]) == 0;
	if (!known)
		return parse_refuse(run, HN_EENTRY,
			"this deb has '%s': only plain, gz, xz and zst are read",
			base_quote(quoted, name, strlen(name)));
	code = parse_tar(run, wanted, size, use);
	return code < 0 ? code : take_padding(run, size);
}

int parse_deb(parse *run)
{
	static const char magic[] = "!<arch>\n";
	char found[sizeof(magic) - 1];
	const uint8_t *bytes;
	size_t more;
	int code = take_exactly(run, found, sizeof(found), "beginning");

	if (code == 0 && memcmp(found, magic, sizeof(found)) != 0)
		return parse_refuse(run, HN_EENTRY, "this is no deb: it does not begin as one");
	if (code == 0)
		code = take_version(run);
	if (code == 0)
		code = take_tar(run, "control.tar", PARSE_CONTROL);
	if (code == 0)
		code = take_tar(run, "data.tar", PARSE_ENTRIES);
	if (code == 0)
		code = parse_take(run, 1, &bytes, &more);
	if (code == 0 && more > 0)
		return parse_refuse(run, HN_EENTRY, "this deb has something behind data.tar");
	return code;
}
