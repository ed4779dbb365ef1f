/* SPDX-License-Identifier: MIT
 *
 * Readers of single values: texts, names, paths, versions, modes, digests.
 */
#include "compose/read.h"
#include "compose/version.h"
#include "tags/tags-private.h"

#include <inttypes.h>

enum {
	MODE_DIGITS = 4,
	USER_BYTES = 32,
	PLATFORM_BYTES = 64,
	PERMISSIONS = 01777, /* setuid and setgid are for files of payloads that list them */
	ID_MOST = 65534      /* 65535 and 2^32 - 1 mean "no id" to system calls */
};

static void put_text(void *out, const char *text)
{
	memcpy(out, &text, sizeof(text));
}

/* --- texts --- */

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

int compose_read_body(compose_reader *in, const codec_node *node, void *out)
{
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc == 0)
		put_text(out, node->text);
	return rc;
}

int compose_read_line(compose_reader *in, const codec_node *node, void *out)
{
	char what[BASE_QUOTE_SIZE];
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (has_control(node->text))
		return compose_read_fail(in, HN_ESCHEMA, node, "keep it to one line",
			"%s has a control character", compose_read_what(node, what));
	put_text(out, node->text);
	return 0;
}

int compose_read_text(compose_reader *in, const codec_node *node, void *out)
{
	char what[BASE_QUOTE_SIZE];
	const char *text = NULL;
	int rc = compose_read_line(in, node, &text);

	if (rc < 0)
		return rc;
	if (text[0] == '\0')
		return compose_read_fail(in, HN_ESCHEMA, node, "leave it out or say something",
			"%s is empty", compose_read_what(node, what));
	put_text(out, text);
	return 0;
}

int compose_read_word(compose_reader *in, const codec_node *node, void *out)
{
	char what[BASE_QUOTE_SIZE];
	const char *text = NULL;
	int rc = compose_read_text(in, node, &text);

	if (rc < 0)
		return rc;
	if (strchr(text, ' ') != NULL)
		return compose_read_fail(in, HN_ESCHEMA, node, "write each word as an item",
			"%s has a space", compose_read_what(node, what));
	put_text(out, text);
	return 0;
}

int compose_read_argv(compose_reader *in, const codec_node *node, void *out)
{
	const char **items;
	size_t count = 0;
	int rc = compose_read_expect(in, node, CODEC_ARRAY, "an array of strings");

	if (rc < 0)
		return rc;
	if (node->count == 0)
		return compose_read_fail(in, HN_ESCHEMA, node, NULL, "a program is missing");
	rc = compose_read_count(in, node, BASE_LIMIT_MANIFEST_ITEMS);
	if (rc < 0)
		return rc;
	items = base_arena_alloc(in->arena, ((size_t)node->count + 1) * sizeof(*items));
	if (items == NULL)
		return base_nomem(in->err);
	for (const codec_node *item = node->child; rc == 0 && item != NULL; item = item->next)
		rc = count == 0 ? compose_read_path(in, item, &items[count++])
				: compose_read_line(in, item, &items[count++]);
	if (rc == 0)
		memcpy(out, &items, sizeof(items));
	return rc;
}

/* --- names --- */

/* A text for which `valid` holds; else `grammar` is the hint. */
static int read_valid(compose_reader *in, const codec_node *node,
	bool (*valid)(const char *text, size_t size), const char *noun, const char *grammar,
	void *out)
{
	char quoted[BASE_QUOTE_SIZE];
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (!valid(node->text, node->text_size))
		return compose_read_fail(in, HN_ESCHEMA, node, grammar, "'%s' is not a %s",
			base_quote(quoted, node->text, node->text_size), noun);
	put_text(out, node->text);
	return 0;
}

int compose_read_name(compose_reader *in, const codec_node *node, void *out)
{
	return read_valid(in, node, base_name_valid, "name",
		"a name begins with a-z and goes on with a-z, 0-9 and '-', 63 at most", out);
}

static bool user_valid(const char *text, size_t size)
{
	if (size == 0 || size > USER_BYTES || (text[0] >= '0' && text[0] <= '9') || text[0] == '-')
		return false;
	for (size_t i = 0; i < size; i++)
		if ((text[i] < 'a' || text[i] > 'z') && (text[i] < '0' || text[i] > '9') &&
			text[i] != '-' && text[i] != '_')
			return false;
	return true;
}

int compose_read_user(compose_reader *in, const codec_node *node, void *out)
{
	return read_valid(in, node, user_valid, "name of an account",
		"it begins with a-z or '_' and goes on with a-z, 0-9, '-' and '_', 32 at most",
		out);
}

static bool tag_valid(const char *text, size_t size)
{
	return tags_name_valid(TAGS_TAG, text, size);
}

int compose_read_tag(compose_reader *in, const codec_node *node, void *out)
{
	return read_valid(in, node, tag_valid, "tag",
		"a tag begins with a-z and goes on with a-z, 0-9 and '-', 63 at most; it may have "
		"one namespace, as in blue/canary",
		out);
}

static bool contract_part_valid(const char *text, size_t size)
{
	if (size == 0 || size > 63)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((text[i] < 'a' || text[i] > 'z') && (text[i] < '0' || text[i] > '9') &&
			text[i] != '-')
			return false;
	return true;
}

bool compose_contract_name_valid(const char *text, size_t size)
{
	const char *slash = memchr(text, '/', size);

	return slash != NULL && contract_part_valid(text, (size_t)(slash - text)) &&
	       contract_part_valid(slash + 1, size - (size_t)(slash - text) - 1);
}

int compose_read_contract(compose_reader *in, const codec_node *node, void *out)
{
	return read_valid(in, node, compose_contract_name_valid, "contract",
		"a contract is two words of a-z, 0-9 and '-' with a '/', as in service/http", out);
}

/* "x86_64-linux", as Nix calls it. */
static bool platform_valid(const char *text, size_t size)
{
	const char *dash = memchr(text, '-', size);

	if (dash == NULL || dash == text || size > PLATFORM_BYTES || dash + 1 == text + size)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((text[i] < 'a' || text[i] > 'z') && (text[i] < '0' || text[i] > '9') &&
			(text[i] != '_' || text + i > dash) && text + i != dash)
			return false;
	return true;
}

int compose_read_platform(compose_reader *in, const codec_node *node, void *out)
{
	return read_valid(in, node, platform_valid, "platform",
		"write processor and system, as in x86_64-linux", out);
}

/* --- paths --- */

static const char *part_wrong(const char *part, size_t size)
{
	if (size == 0)
		return "has two '/' together or one at its end";
	if (size == 1 && part[0] == '.')
		return "has a '.'";
	if (size == 2 && part[0] == '.' && part[1] == '.')
		return "has a '..'";
	if (size > base_limit(BASE_LIMIT_ENTRY_NAME_BYTES))
		return "has a name of more than 255 bytes";
	return NULL;
}

bool compose_path_valid(const char *text, size_t size, const char **why)
{
	const char *at = text + 1, *end = text + size;
	uint64_t depth = 0;

	*why = NULL;
	if (size == 0 || text[0] != '/')
		*why = "is not absolute";
	else if (size == 1)
		*why = "is the root itself";
	else if (size > base_limit(BASE_LIMIT_ENTRY_PATH_BYTES))
		*why = "has more than 1,023 bytes";
	else if (has_control(text))
		*why = "has a control character";
	while (*why == NULL && at <= end) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		const char *stop = slash != NULL ? slash : end;

		*why = part_wrong(at, (size_t)(stop - at));
		at = stop + 1;
		if (++depth > base_limit(BASE_LIMIT_ENTRY_DEPTH) + 1)
			*why = "has more than 64 directories";
	}
	return *why == NULL;
}

static int read_path(compose_reader *in, const codec_node *node, const char *noun, void *out)
{
	char quoted[BASE_QUOTE_SIZE];
	const char *why = NULL;
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (!compose_path_valid(node->text, node->text_size, &why))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"write it as in /etc/nginx/nginx.conf", "the %s '%s' %s", noun,
			base_quote(quoted, node->text, node->text_size), why);
	put_text(out, node->text);
	return 0;
}

int compose_read_path(compose_reader *in, const codec_node *node, void *out)
{
	return read_path(in, node, "path", out);
}

/* "**" is one star: each makes the search for a match longer. */
int compose_read_pattern(compose_reader *in, const codec_node *node, void *out)
{
	hn_error *cause = NULL;
	uint64_t stars = 0;
	int rc = read_path(in, node, "pattern", out);

	for (size_t i = 0; rc == 0 && i < node->text_size; i++)
		stars += node->text[i] == '*' && (i == 0 || node->text[i - 1] != '*');
	if (rc == 0 && base_limit_check(BASE_LIMIT_PATTERN_STARS, stars, &cause) < 0)
		return compose_read_refuse(in, node, cause);
	return rc;
}

/* --- versions --- */

int compose_read_version(compose_reader *in, const codec_node *node, void *out)
{
	static const char any[] = "0.0.0";
	hn_error *cause = NULL;
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (in->recipe && strcmp(node->text, COMPOSE_UPSTREAM) == 0)
		return compose_version_parse(any, strlen(any), out, in->err);
	if (compose_version_parse(node->text, node->text_size, out, &cause) < 0)
		return compose_read_refuse(in, node, cause);
	return 0;
}

int compose_read_range(compose_reader *in, const codec_node *node, void *out)
{
	const compose_range *range = NULL;
	hn_error *cause = NULL;
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (compose_range_parse(in->arena, node->text, node->text_size, &range, &cause) < 0)
		return compose_read_refuse(in, node, cause);
	memcpy(out, &range, sizeof(range));
	return 0;
}

/* --- numbers --- */

static int read_number(compose_reader *in, const codec_node *node, int64_t most, int64_t *number)
{
	char what[BASE_QUOTE_SIZE];
	int rc = compose_read_expect(in, node, CODEC_INTEGER, "a whole number");

	if (rc < 0)
		return rc;
	if (node->integer < 0 || node->integer > most)
		return compose_read_fail(in, HN_ERANGE, node, NULL,
			"%s is %" PRId64 "; it may be 0 to %" PRId64, compose_read_what(node, what),
			node->integer, most);
	*number = node->integer;
	return 0;
}

int compose_read_id(compose_reader *in, const codec_node *node, void *out)
{
	int64_t number = 0;
	int rc = read_number(in, node, ID_MOST, &number);
	uint32_t id = (uint32_t)number;

	if (rc == 0)
		memcpy(out, &id, sizeof(id));
	return rc;
}

int compose_read_bytes(compose_reader *in, const codec_node *node, void *out)
{
	int64_t number = 0;
	int rc = read_number(in, node, INT64_MAX, &number);
	uint64_t bytes = (uint64_t)number;

	if (rc == 0)
		memcpy(out, &bytes, sizeof(bytes));
	return rc;
}

int compose_read_within(compose_reader *in, const codec_node *node, void *out)
{
	hn_error *cause = NULL;
	int64_t within = 0;
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a duration such as \"10s\"");

	if (rc < 0)
		return rc;
	if (hn_duration_parse(node->text, &within, &cause) < 0)
		return compose_read_refuse(in, node, cause);
	if (within == 0)
		return compose_read_fail(in, HN_ERANGE, node, "write a duration such as 10s",
			"nothing is done within 0");
	memcpy(out, &within, sizeof(within));
	return 0;
}

int compose_read_bool(compose_reader *in, const codec_node *node, void *out)
{
	bool value = node->kind == CODEC_TRUE;

	if (!value && node->kind != CODEC_FALSE)
		return compose_read_expect(in, node, CODEC_TRUE, "true or false");
	memcpy(out, &value, sizeof(value));
	return 0;
}

int compose_read_mode(compose_reader *in, const codec_node *node, void *out)
{
	uint32_t mode = 0;
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string such as \"0644\"");

	if (rc < 0)
		return rc;
	for (const char *at = node->text; *at >= '0' && *at <= '7' && mode <= 07777; at++)
		mode = mode * 8 + (uint32_t)(*at - '0');
	if (node->text_size != MODE_DIGITS || strspn(node->text, "01234567") != MODE_DIGITS)
		return compose_read_fail(in, HN_ESCHEMA, node, "write it as in \"0644\"",
			"a mode is four octal digits");
	if ((mode & ~(uint32_t)PERMISSIONS) != 0)
		return compose_read_fail(in, HN_ESCHEMA, node,
			"only a file of a payload that lists it in \"setuid\" keeps these bits",
			"the mode %s has setuid or setgid", node->text);
	memcpy(out, &mode, sizeof(mode));
	return 0;
}

/* --- digests --- */

int compose_read_sha256(compose_reader *in, const codec_node *node, void *out)
{
	compose_sha256 digest;
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (node->text_size != 2 * sizeof(digest.bytes) ||
		!codec_hex_decode(node->text, node->text_size, digest.bytes))
		return compose_read_fail(in, HN_ESCHEMA, node, "sha256sum prints it",
			"a SHA-256 is 64 hexadecimal digits");
	memcpy(out, &digest, sizeof(digest));
	return 0;
}

int compose_read_digest(compose_reader *in, const codec_node *node, void *out)
{
	compose_digest digest;
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (!compose_digest_parse(node->text, node->text_size, &digest))
		return compose_read_fail(in, HN_ESCHEMA, node, "b2sum -l 256 prints it",
			"a digest is b2: and 64 hexadecimal digits");
	memcpy(out, &digest, sizeof(digest));
	return 0;
}

/* --- words of a list --- */

static const char *word_candidate(void *arg, size_t index)
{
	const char *const *words = arg;

	return words[index];
}

int compose_read_enum(compose_reader *in, const codec_node *node, const char *const *words)
{
	char quoted[BASE_QUOTE_SIZE], what[BASE_QUOTE_SIZE];
	BASE_AUTO_BUF base_buf hint = {0};
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string"), near;
	size_t count = 0;

	if (rc < 0)
		return rc;
	for (; words[count] != NULL; count++)
		if (strcmp(words[count], node->text) == 0)
			return (int)count;
	near = base_nearest(
		node->text, count, word_candidate, (void *)(uintptr_t)(const void *)words);
	base_buf_text(&hint, near >= 0 ? "did you mean " : "it is one of");
	if (near >= 0)
		base_buf_format(&hint, "%s?", words[near]);
	for (size_t i = 0; near < 0 && i < count; i++)
		base_buf_format(&hint, "%s %s", i > 0 ? "," : "", words[i]);
	if (hint.failed)
		return base_nomem(in->err);
	return compose_read_fail(in, HN_ESCHEMA, node, hint.data, "%s cannot be '%s'",
		compose_read_what(node, what), base_quote(quoted, node->text, node->text_size));
}
