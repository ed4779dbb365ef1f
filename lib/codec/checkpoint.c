/* SPDX-License-Identifier: MIT
 *
 * The text of a transparency log's checkpoint: origin, size, root hash, extension lines.
 */
#include "codec/codec-private.h"
#include <inttypes.h>

enum { ROOT_TEXT = 44 }; /* base64 of 32 bytes */

static int fail(hn_error **err, int line, const char *what)
{
	int rc = base_error(err, HN_ESYNTAX, "codec", NULL, "checkpoint, line %d: %s", line, what);

	base_error_fact_number(err, "line", line);
	return rc;
}

/* One line without its newline; false when there is none or it is empty. */
static bool take_line(const char **at, const char *end, const char **line, size_t *size)
{
	const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;

	if (newline == NULL || newline == *at)
		return false;
	*line = *at;
	*size = (size_t)(newline - *at);
	*at = newline + 1;
	return true;
}

/* Decimal without leading zeros, at most INT64_MAX. */
static bool read_size(const char *text, size_t size, uint64_t *value)
{
	uint64_t made = 0;

	if (size > 19 || (size > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		made = made * 10 + (uint64_t)(text[i] - '0');
	}
	if (made > INT64_MAX)
		return false;
	*value = made;
	return true;
}

int codec_checkpoint_parse(
	const char *text, size_t size, codec_checkpoint *checkpoint, hn_error **err)
{
	const char *at = size > 0 ? text : "", *end = at + size, *line = NULL;
	codec_checkpoint made = {0};
	size_t length = 0, written = 0;

	if (!take_line(&at, end, &made.origin, &made.origin_size))
		return fail(err, 1, "no origin");
	if (!take_line(&at, end, &line, &length) || !read_size(line, length, &made.size))
		return fail(err, 2, "no size, in decimal without leading zeros");
	if (!take_line(&at, end, &line, &length) || length != ROOT_TEXT ||
		!codec_base64_decode(line, length, made.root, sizeof(made.root), &written) ||
		written != sizeof(made.root))
		return fail(err, 3, "no root hash, in base64 of 32 bytes");
	made.extensions = at;
	made.extensions_size = (size_t)(end - at);
	for (int number = 4; at < end; number++) {
		if (!take_line(&at, end, &line, &length))
			return fail(err, number, "an extension line is empty or has no newline");
	}
	*checkpoint = made;
	return 0;
}

int codec_checkpoint_put(base_buf *buf, const codec_checkpoint *checkpoint, hn_error **err)
{
	BASE_AUTO_BUF base_buf made = {0};
	char root[ROOT_TEXT + 1];
	codec_checkpoint back;

	codec_base64(checkpoint->root, sizeof(checkpoint->root), root);
	base_buf_add(&made, checkpoint->origin, checkpoint->origin_size);
	base_buf_format(&made, "\n%" PRIu64 "\n%s\n", checkpoint->size, root);
	if (checkpoint->extensions != NULL)
		base_buf_add(&made, checkpoint->extensions, checkpoint->extensions_size);
	if (made.failed)
		return base_nomem(err);
	if (codec_checkpoint_parse(made.data, made.size, &back, NULL) < 0 ||
		back.origin_size != checkpoint->origin_size ||
		back.extensions_size != checkpoint->extensions_size)
		return base_error(err, HN_EINVAL, "codec",
			"one line of origin, a size below 2^63, whole lines of extensions",
			"that is no checkpoint");
	base_buf_add(buf, made.data, made.size);
	return 0;
}
