/* SPDX-License-Identifier: MIT
 *
 * Signed notes: text, a blank line, signature lines.
 */
#include "codec/codec-private.h"

static const char dash[] = "\xe2\x80\x94 "; /* U+2014 and a space */
enum { DASH = 4 };

/* A place in the note that is being read. */
typedef struct reader {
	const char *begin, *at, *end;
	hn_error **err;
} reader;

static reader reader_of(const char *bytes, size_t size, hn_error **err)
{
	const char *begin = size > 0 ? bytes : "";

	return (reader){begin, begin, begin + size, err};
}

static int fail(const reader *in, const char *hint, const char *what)
{
	size_t line = 1;

	for (const char *c = in->begin; c < in->at; c++)
		line += *c == '\n';
	int rc = base_error(
		in->err, HN_ESYNTAX, "codec", hint, "signed note, line %zu: %s", line, what);
	base_error_fact_number(in->err, "line", (int64_t)line);
	return rc;
}

/* The first byte that a note may not have, or NULL. */
static const char *forbidden(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((uint8_t)text[i] < 0x20 && text[i] != '\n')
			return text + i;
	}
	return base_utf8_valid(text, size) ? NULL : text;
}

/* Bytes of the Unicode space that begins here, else 0. */
static size_t space_at(const char *text, size_t left)
{
	static const char spaces[][4] = {" ", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80",
		"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

	for (size_t i = 0; i < BASE_COUNT(spaces); i++) {
		size_t length = strlen(spaces[i]);

		if (left >= length && memcmp(text, spaces[i], length) == 0)
			return length;
	}
	/* U+2000 .. U+200A */
	bool wide = left >= 3 && memcmp(text, "\xe2\x80", 2) == 0;
	return wide && (uint8_t)text[2] >= 0x80 && (uint8_t)text[2] <= 0x8a ? 3 : 0;
}

static bool name_valid(const char *name, size_t size)
{
	if (size == 0 || size > CODEC_NOTE_NAME_BYTES || forbidden(name, size) != NULL)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (name[i] == '+' || name[i] == '\n' || space_at(name + i, size - i) > 0)
			return false;
	}
	return true;
}

static bool base64_valid(const char *text, size_t size, codec_note_signature *made)
{
	uint8_t first[6];
	size_t written = 0;

	/* More than a key id: of the first 8 characters 4 bytes are it. */
	if (size < 8 || !codec_base64_decode(text, size, NULL, 0, &written) ||
		written <= CODEC_NOTE_KEY_ID)
		return false;
	made->size = written - CODEC_NOTE_KEY_ID;
	made->base64 = text;
	made->base64_size = size;
	if (!codec_base64_decode(text, 8, first, sizeof(first), &written))
		return false;
	memcpy(made->key_id, first, CODEC_NOTE_KEY_ID);
	return true;
}

/* "— name base64\n" */
static int read_line(reader *in, codec_note_signature *signature)
{
	static const char form[] = "write: em dash, space, key name, space, base64";
	const char *end = memchr(in->at, '\n', (size_t)(in->end - in->at));

	if (in->at == in->end)
		return fail(in, form, "no signature line");
	if (end == NULL)
		return fail(in, form, "a signature line has no newline");
	if (end - in->at < DASH || memcmp(in->at, dash, DASH) != 0)
		return fail(in, form, "no signature line");
	const char *name = in->at + DASH;
	const char *space = memchr(name, ' ', (size_t)(end - name));
	if (space == NULL || !name_valid(name, (size_t)(space - name)))
		return fail(in, "a key name has 1 to 256 bytes, no spaces and no plus",
			"no name of a key");
	if (!base64_valid(space + 1, (size_t)(end - space - 1), signature))
		return fail(in, form, "the signature is not strict base64 of more than four bytes");
	signature->name = name;
	signature->name_size = (size_t)(space - name);
	in->at = end + 1;
	return 0;
}

static bool is_known(const codec_note *note, const codec_note_signature *signature)
{
	for (size_t i = 0; i < note->count; i++) {
		const codec_note_signature *other = &note->signatures[i];

		if (other->name_size == signature->name_size &&
			memcmp(other->name, signature->name, signature->name_size) == 0 &&
			memcmp(other->key_id, signature->key_id, CODEC_NOTE_KEY_ID) == 0)
			return true;
	}
	return false;
}

/* Limits and characters of all of it. */
static int check(reader *in)
{
	size_t size = (size_t)(in->end - in->begin);

	int rc = base_limit_check(BASE_LIMIT_NOTE_BYTES, size, in->err);
	if (rc < 0)
		return rc;
	const char *wrong = forbidden(in->begin, size);
	if (wrong == NULL)
		return 0;
	in->at = wrong;
	return fail(in, NULL, "control character or invalid UTF-8");
}

int codec_note_parse(const char *bytes, size_t size, codec_note *note, hn_error **err)
{
	reader in = reader_of(bytes, size, err);
	codec_note made = {.text = bytes};

	int rc = check(&in);
	if (rc < 0)
		return rc;
	/* The last empty line separates; only signature lines come after it. */
	for (size_t i = size; i >= 2 && made.text_size == 0; i--) {
		if (bytes[i - 2] == '\n' && bytes[i - 1] == '\n')
			made.text_size = i - 1;
	}
	if (made.text_size == 0)
		return fail(&in, "put an empty line between text and signatures",
			"no empty line in it");
	in.at = bytes + made.text_size + 1;
	do {
		codec_note_signature signature = {0};
		reader line = in;

		if (made.count == CODEC_NOTE_SIGNATURES)
			return fail(&in, NULL, "more than 16 signatures");
		rc = read_line(&in, &signature);
		if (rc < 0)
			return rc;
		if (is_known(&made, &signature))
			return fail(&line, NULL, "a key signs twice");
		made.signatures[made.count++] = signature;
	} while (in.at < in.end);
	*note = made;
	return 0;
}

int codec_note_line_parse(
	const char *bytes, size_t size, codec_note_signature *signature, hn_error **err)
{
	reader in = reader_of(bytes, size, err);
	codec_note_signature made = {0};

	int rc = check(&in);
	if (rc == 0)
		rc = read_line(&in, &made);
	if (rc == 0 && in.at < in.end)
		rc = fail(&in, NULL, "more than one signature line");
	if (rc < 0)
		return rc;
	*signature = made;
	return 0;
}

bool codec_note_signature_bytes(
	const codec_note_signature *signature, void *out, size_t capacity, size_t *written)
{
	return codec_base64_decode(
		signature->base64, signature->base64_size, out, capacity, written);
}

int codec_note_put_text(base_buf *buf, const char *text, size_t size, hn_error **err)
{
	if (size == 0 || text[size - 1] != '\n' || forbidden(text, size) != NULL)
		return base_error(err, HN_EINVAL, "codec",
			"end it with a newline and leave other control characters out",
			"that text cannot be signed as a note");
	base_buf_add(buf, text, size);
	base_buf_text(buf, "\n");
	return 0;
}

/* Base64 of two parts, by threes. */
static void put_base64(base_buf *buf, const uint8_t *head, const uint8_t *rest, size_t size)
{
	uint8_t three[3] = {head[0], head[1], head[2]};
	size_t held = 3, next = 3, total = CODEC_NOTE_KEY_ID + size;
	char text[5];

	while (held > 0) {
		codec_base64(three, held, text);
		base_buf_text(buf, text);
		for (held = 0; held < 3 && next < total; held++, next++)
			three[held] = next < CODEC_NOTE_KEY_ID ? head[next]
							       : rest[next - CODEC_NOTE_KEY_ID];
	}
}

int codec_note_put_line(base_buf *buf, const char *name, size_t name_size,
	const uint8_t key_id[CODEC_NOTE_KEY_ID], const void *signature, size_t size, hn_error **err)
{
	if (!name_valid(name, name_size))
		return base_error(err, HN_EINVAL, "codec",
			"a key name has 1 to 256 bytes, no spaces and no plus",
			"that is no name of a key");
	if (size == 0)
		return base_error(err, HN_EINVAL, "codec", NULL, "an empty signature");
	base_buf_add(buf, dash, DASH);
	base_buf_add(buf, name, name_size);
	base_buf_text(buf, " ");
	put_base64(buf, key_id, signature, size);
	base_buf_text(buf, "\n");
	return 0;
}
