/* SPDX-License-Identifier: MIT
 *
 * Names of objects, patterns over them, and sets of verbs.
 */
#include "caps/caps-private.h"

/* The next segment at *at: its size; *at goes behind it and its slash. */
static size_t segment(const char *text, size_t size, size_t *at, const char **start)
{
	const char *slash = memchr(text + *at, '/', size - *at);
	size_t length = slash ? (size_t)(slash - text) - *at : size - *at;

	*start = text + *at;
	*at += length + (slash ? 1 : 0);
	return length;
}

static bool is(const char *start, size_t length, const char *word)
{
	return length == strlen(word) && memcmp(start, word, length) == 0;
}

/* a to z, 0 to 9, ".", "_" and "-". By a table, since each decision looks at every character of its
 * object. */
static bool plain_character(unsigned char c)
{
	static const char good[257] =
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\1\1\0\1\1\1\1\1\1\1\1\1\1\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
		"\0\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\0\0\0\0\0";

	return good[c] != 0;
}

static bool star(const char *start, size_t length, bool last)
{
	return is(start, length, "*") || (is(start, length, "**") && last);
}

static bool valid(const char *text, size_t size, bool stars)
{
	size_t at = 0;

	if (size == 0 || size >= BASE_OBJECT_SIZE || text[size - 1] == '/')
		return false;
	while (at < size) {
		const char *start = text + at;
		size_t length;

		while (at < size && plain_character((unsigned char)text[at]))
			at++;
		while (stars && at < size && text[at] == '*')
			at++;
		length = (size_t)(text + at - start);
		if ((at < size && text[at] != '/') || length == 0 || is(start, length, ".") ||
			is(start, length, "..") ||
			(text[at - 1] == '*' && !star(start, length, at == size)))
			return false;
		at++; /* behind the slash */
	}
	return true;
}

bool caps_object_valid(const char *text, size_t size)
{
	return valid(text, size, false);
}

bool caps_pattern_valid(const char *text, size_t size)
{
	return valid(text, size, true);
}

/* One walk serves both: a star of the wide side takes a star of the narrow one too, so matching an
 * object is the case without stars. Only "**" of the wide side may take "**" or nothing. */
bool caps_pattern_within(const char *narrow, size_t narrow_size, const char *wide, size_t wide_size)
{
	size_t n = 0, w = 0;

	while (w < wide_size) {
		const char *want, *have;
		size_t want_size = segment(wide, wide_size, &w, &want), have_size;

		if (is(want, want_size, "**"))
			return true;
		if (n >= narrow_size)
			return false;
		have_size = segment(narrow, narrow_size, &n, &have);
		if (is(have, have_size, "**"))
			return false;
		if (is(want, want_size, "*"))
			continue;
		if (want_size != have_size || memcmp(want, have, want_size) != 0)
			return false;
	}
	return n >= narrow_size;
}

bool caps_pattern_match(
	const char *pattern, size_t pattern_size, const char *object, size_t object_size)
{
	return caps_pattern_within(object, object_size, pattern, pattern_size);
}

bool caps_mask_has(const caps_mask *mask, hn_verb verb)
{
	return (unsigned)verb < CAPS_MASK_BYTES * 8 &&
	       (mask->bytes[(unsigned)verb / 8] >> ((unsigned)verb % 8) & 1) != 0;
}

void caps_mask_add(caps_mask *mask, hn_verb verb)
{
	mask->bytes[(unsigned)verb / 8] |= (uint8_t)(1u << ((unsigned)verb % 8));
}

bool caps_mask_within(const caps_mask *narrow, const caps_mask *wide)
{
	for (size_t i = 0; i < CAPS_MASK_BYTES; i++)
		if ((narrow->bytes[i] & ~wide->bytes[i]) != 0)
			return false;
	return true;
}

size_t caps_mask_size(const caps_mask *mask)
{
	size_t size = CAPS_MASK_BYTES;

	while (size > 0 && mask->bytes[size - 1] == 0)
		size--;
	return size;
}

/* "unit.*": all verbs of one kind of object; "*": all. */
static bool covers(const char *text, const char *verb)
{
	size_t length = strlen(text);

	if (length > 0 && text[length - 1] == '*' && (length == 1 || text[length - 2] == '.'))
		return strncmp(text, verb, length - 1) == 0;
	return strcmp(text, verb) == 0;
}

static const char *verb_at(void *arg, size_t index)
{
	(void)arg;
	return base_verb_text((hn_verb)index);
}

int caps_verb_unknown(const char *text, hn_error **err)
{
	char hint[64] = "verbs are like unit.start, unit.* or *";
	int near = base_nearest(text, HN_VERB_COUNT, verb_at, NULL);

	if (near >= 0)
		(void)snprintf(
			hint, sizeof(hint), "did you mean %s?", base_verb_text((hn_verb)near));
	return base_error(err, HN_EINVAL, CAPS_ROOM, hint, "\"%.80s\" is no verb", text);
}

int caps_mask_add_text(caps_mask *mask, const char *text, hn_error **err)
{
	bool any = false;

	for (int i = 0; i < HN_VERB_COUNT; i++) {
		if (!covers(text, base_verb_text((hn_verb)i)))
			continue;
		caps_mask_add(mask, (hn_verb)i);
		any = true;
	}
	if (any)
		return 0;
	return caps_verb_unknown(text, err);
}

static bool begins_with(const void *text, size_t size, const char *start)
{
	size_t needed = strlen(start);

	return size >= needed && memcmp(text, start, needed) == 0;
}

uint32_t caps_object_classes(const void *object, size_t size)
{
	if (begins_with(object, size, "node/"))
		return HN_REDACT_ADDRESSES;
	return begins_with(object, size, "tag/") || begins_with(object, size, "policy/")
		       ? HN_REDACT_TAGS
		       : 0;
}
