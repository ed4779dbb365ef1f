/* SPDX-License-Identifier: MIT
 *
 * The strict CBOR cursor. It never allocates: views point into the caller's bytes, open containers
 * are counted down in a fixed stack, and a declared count is believed only as far as bytes are left
 * for it.
 */
#include "codec/codec-private.h"

#include <inttypes.h>

enum {
	MAJOR_UINT,
	MAJOR_NEGATIVE,
	MAJOR_BYTES,
	MAJOR_TEXT,
	MAJOR_ARRAY,
	MAJOR_MAP,
	MAJOR_TAG,
	MAJOR_SIMPLE
};
enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22 };

typedef struct head {
	unsigned major;
	uint64_t argument;
	size_t start; /* offset of the head */
	size_t next;  /* offset behind it */
} head;

static bool fail(codec_cbor *in, size_t offset, const char *text)
{
	if (in->code == HN_OK) {
		in->code = HN_ECBOR;
		in->error_offset = offset;
		in->error_text = text;
	}
	return false;
}

void codec_cbor_open(codec_cbor *in, const void *bytes, size_t size)
{
	memset(in, 0, sizeof(*in));
	in->bytes = bytes;
	in->size = size;
	in->frame[0].left = 1;
}

/* The argument behind the first byte; false for one that is not the shortest or not definite. */
static bool read_argument(codec_cbor *in, head *h, unsigned low)
{
	if (low < 24) {
		h->argument = low;
		return true;
	}
	if (low == 31)
		return fail(in, h->start, "indefinite length or break");
	if (low > 27)
		return fail(in, h->start, "reserved head");
	size_t width = (size_t)1 << (low - 24);
	if (in->size - h->next < width)
		return fail(in, h->start, "cut off in a head");
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value = value << 8 | in->bytes[h->next + i];
	static const uint64_t smallest[] = {24, 0x100, 0x10000, 0x100000000};
	if (value < smallest[low - 24])
		return fail(in, h->start, "head is not the shortest");
	h->argument = value;
	h->next += width;
	return true;
}

static bool read_head(codec_cbor *in, head *h)
{
	if (in->code != HN_OK)
		return false;
	if (in->frame[in->depth].left == 0)
		return fail(in, in->offset, "no item is left to read");
	if (in->offset >= in->size)
		return fail(in, in->offset, "cut off where an item begins");
	uint8_t first = in->bytes[in->offset];
	h->start = in->offset;
	h->next = in->offset + 1;
	h->major = first >> 5;
	unsigned low = first & 31;
	if (h->major != MAJOR_SIMPLE)
		return read_argument(in, h, low);
	h->argument = low;
	if (low == SIMPLE_FALSE || low == SIMPLE_TRUE || low == SIMPLE_NULL)
		return true;
	if (low >= 25 && low <= 27)
		return fail(in, h->start, "floating-point number");
	return fail(
		in, h->start, low == 31 ? "break without an indefinite length" : "simple value");
}

static bool at_key(const codec_cbor *in)
{
	return in->frame[in->depth].map && !in->frame[in->depth].want_value;
}

/* A key is compared with the one before it by its encoded bytes, which must rise. */
static bool check_key(codec_cbor *in, size_t start, size_t end)
{
	size_t last = in->frame[in->depth].key_offset, last_size = in->frame[in->depth].key_size;
	size_t size = end - start;

	if (last_size > 0) {
		int order = memcmp(
			in->bytes + last, in->bytes + start, last_size < size ? last_size : size);
		if (order == 0 && last_size == size)
			return fail(in, start, "key stands twice in one map");
		/* No encoding of an item is the beginning of another one. */
		if (order >= 0)
			return fail(in, start, "keys of a map do not rise");
	}
	in->frame[in->depth].key_offset = start;
	in->frame[in->depth].key_size = size;
	return true;
}

/* Counts one item that ends at `end` (a container: its head ends there) and moves behind it. */
static void take(codec_cbor *in, size_t end)
{
	in->frame[in->depth].want_value = at_key(in);
	in->frame[in->depth].left--;
	in->offset = end;
}

/* Leaves what was read to its end. An array that is a key is known only now. */
static bool leave_full(codec_cbor *in)
{
	while (in->depth > 0 && in->frame[in->depth].left == 0) {
		bool is_key = in->frame[in->depth].is_key;
		size_t start = in->frame[in->depth].start;

		in->depth--;
		if (is_key && !check_key(in, start, in->offset))
			return false;
	}
	return true;
}

static bool take_scalar(codec_cbor *in, size_t start, size_t end)
{
	if (at_key(in) && !check_key(in, start, end))
		return false;
	take(in, end);
	return leave_full(in);
}

codec_cbor_type codec_cbor_peek(codec_cbor *in)
{
	static const codec_cbor_type types[] = {CODEC_CBOR_UINT, CODEC_CBOR_NEGATIVE,
		CODEC_CBOR_BYTES, CODEC_CBOR_TEXT, CODEC_CBOR_ARRAY, CODEC_CBOR_MAP,
		CODEC_CBOR_TAG};
	head h;

	if (in->code == HN_OK && in->depth == 0 && in->frame[0].left == 0)
		return CODEC_CBOR_END;
	if (!read_head(in, &h))
		return CODEC_CBOR_ERROR;
	if (h.major < MAJOR_SIMPLE)
		return types[h.major];
	return h.argument == SIMPLE_NULL ? CODEC_CBOR_NULL : CODEC_CBOR_BOOL;
}

/* The head of an item of `major`, or the sticking error `wrong`. */
static bool expect(codec_cbor *in, head *h, unsigned major, const char *wrong)
{
	if (!read_head(in, h))
		return false;
	if (h->major != major)
		return fail(in, h->start, h->major == MAJOR_TAG ? "tag where none belongs" : wrong);
	return true;
}

bool codec_cbor_uint(codec_cbor *in, uint64_t *value)
{
	head h;

	if (!expect(in, &h, MAJOR_UINT, "not an unsigned integer") ||
		!take_scalar(in, h.start, h.next))
		return false;
	*value = h.argument;
	return true;
}

bool codec_cbor_int(codec_cbor *in, int64_t *value)
{
	head h;

	if (!read_head(in, &h))
		return false;
	if (h.major != MAJOR_NEGATIVE && !expect(in, &h, MAJOR_UINT, "not an integer"))
		return false;
	if (h.argument > INT64_MAX)
		return fail(in, h.start, "integer does not fit 64 bits with a sign");
	if (!take_scalar(in, h.start, h.next))
		return false;
	*value = h.major == MAJOR_NEGATIVE ? -1 - (int64_t)h.argument : (int64_t)h.argument;
	return true;
}

/* The content of a byte or text string of h->argument bytes. */
static bool take_string(codec_cbor *in, const head *h, const uint8_t **bytes, size_t *size)
{
	if (h->argument > in->size - h->next)
		return fail(in, h->start, "string is longer than the bytes that are left");
	size_t length = (size_t)h->argument;
	const uint8_t *content = in->bytes + h->next;

	if (h->major == MAJOR_TEXT && memchr(content, 0, length) != NULL)
		return fail(in, h->start, "NUL in a text");
	if (h->major == MAJOR_TEXT && !base_utf8_valid((const char *)content, length))
		return fail(in, h->start, "text is not valid UTF-8");
	if (!take_scalar(in, h->start, h->next + length))
		return false;
	*bytes = content;
	*size = length;
	return true;
}

bool codec_cbor_bytes(codec_cbor *in, const uint8_t **bytes, size_t *size)
{
	head h;

	return expect(in, &h, MAJOR_BYTES, "not a byte string") && take_string(in, &h, bytes, size);
}

bool codec_cbor_text(codec_cbor *in, const char **text, size_t *size)
{
	const uint8_t *bytes;
	head h;

	if (!expect(in, &h, MAJOR_TEXT, "not a text") || !take_string(in, &h, &bytes, size))
		return false;
	*text = (const char *)bytes;
	return true;
}

static bool enter(codec_cbor *in, const head *h, bool map)
{
	uint64_t items = in->size - h->next;
	bool is_key = at_key(in);

	if (is_key && map)
		return fail(in, h->start, "map as a key");
	if (h->argument > (map ? items / 2 : items))
		return fail(in, h->start, "more items than bytes are left");
	/* in->depth containers are open; the frames bound what base_limit could be raised to. */
	if ((uint64_t)in->depth >= base_limit(BASE_LIMIT_CBOR_DEPTH) ||
		(size_t)in->depth + 1 >= BASE_COUNT(in->frame))
		return fail(in, h->start, "nested too deep");
	take(in, h->next);
	in->depth++;
	in->frame[in->depth].is_key = is_key;
	in->frame[in->depth].start = h->start;
	in->frame[in->depth].left = map ? h->argument * 2 : h->argument;
	in->frame[in->depth].map = map;
	in->frame[in->depth].want_value = false;
	in->frame[in->depth].key_offset = 0;
	in->frame[in->depth].key_size = 0;
	return leave_full(in);
}

bool codec_cbor_array(codec_cbor *in, uint64_t *count)
{
	head h;

	if (!expect(in, &h, MAJOR_ARRAY, "not an array") || !enter(in, &h, false))
		return false;
	*count = h.argument;
	return true;
}

bool codec_cbor_map(codec_cbor *in, uint64_t *count)
{
	head h;

	if (!expect(in, &h, MAJOR_MAP, "not a map") || !enter(in, &h, true))
		return false;
	*count = h.argument;
	return true;
}

bool codec_cbor_tag(codec_cbor *in, uint64_t *tag)
{
	head h;

	if (!expect(in, &h, MAJOR_TAG, "not a tag"))
		return false;
	if (at_key(in))
		return fail(in, h.start, "tag on a key");
	/* The item that it marks is still to be read, and is the one that counts. */
	in->offset = h.next;
	*tag = h.argument;
	return true;
}

static bool simple(codec_cbor *in, head *h, bool null, const char *wrong)
{
	if (!expect(in, h, MAJOR_SIMPLE, wrong))
		return false;
	if ((h->argument == SIMPLE_NULL) != null)
		return fail(in, h->start, wrong);
	return take_scalar(in, h->start, h->next);
}

bool codec_cbor_bool(codec_cbor *in, bool *value)
{
	head h;

	if (!simple(in, &h, false, "not true or false"))
		return false;
	*value = h.argument == SIMPLE_TRUE;
	return true;
}

bool codec_cbor_null(codec_cbor *in)
{
	head h;

	return simple(in, &h, true, "not null");
}

/* Reads one item, of a container only the head. */
static bool skip_one(codec_cbor *in)
{
	const uint8_t *bytes;
	const char *text;
	uint64_t number;
	int64_t integer;
	size_t size;
	bool truth;

	switch (codec_cbor_peek(in)) {
	case CODEC_CBOR_UINT:
		return codec_cbor_uint(in, &number);
	case CODEC_CBOR_NEGATIVE:
		return codec_cbor_int(in, &integer);
	case CODEC_CBOR_BYTES:
		return codec_cbor_bytes(in, &bytes, &size);
	case CODEC_CBOR_TEXT:
		return codec_cbor_text(in, &text, &size);
	case CODEC_CBOR_ARRAY:
		return codec_cbor_array(in, &number);
	case CODEC_CBOR_MAP:
		return codec_cbor_map(in, &number);
	case CODEC_CBOR_BOOL:
		return codec_cbor_bool(in, &truth);
	case CODEC_CBOR_NULL:
		return codec_cbor_null(in);
	case CODEC_CBOR_TAG:
		return fail(in, in->offset, "tag where none belongs");
	case CODEC_CBOR_END:
		return fail(in, in->offset, "no item is left to read");
	case CODEC_CBOR_ERROR:
		break;
	}
	return false;
}

bool codec_cbor_skip(codec_cbor *in)
{
	/* The item is over when as many frames are open as before and one of them has one item
	 * less, or when that was its last item and the frame itself is gone. */
	int depth = in->depth;
	uint64_t left = in->frame[depth].left;

	do {
		if (!skip_one(in))
			return false;
	} while (in->depth > depth || (in->depth == depth && in->frame[depth].left == left));
	return true;
}

bool codec_cbor_raw(codec_cbor *in, const uint8_t **bytes, size_t *size)
{
	size_t start = in->offset;

	if (!codec_cbor_skip(in))
		return false;
	*bytes = in->bytes + start;
	*size = in->offset - start;
	return true;
}

int codec_cbor_end(codec_cbor *in, hn_error **err)
{
	if (in->code == HN_OK && (in->depth > 0 || in->frame[0].left > 0))
		fail(in, in->offset, "item was not read to its end");
	if (in->code == HN_OK && in->offset != in->size)
		fail(in, in->offset, "bytes follow the item");
	if (in->code == HN_OK)
		return 0;
	base_error(err, in->code, "codec", NULL, "not strict CBOR at byte %zu: %s",
		in->error_offset, in->error_text);
	base_error_fact_number(err, "offset", (int64_t)in->error_offset);
	return (int)in->code;
}
