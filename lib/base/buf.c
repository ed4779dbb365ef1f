/* SPDX-License-Identifier: MIT
 *
 * A text buffer that grows and remembers a failed allocation, so that a writer checks once, at the
 * end.
 */
#include "base/base-private.h"
#include <stdio.h>

static bool buf_reserve(base_buf *buf, size_t more)
{
	size_t need;

	if (buf->failed)
		return false;
	if (__builtin_add_overflow(buf->size, more, &need) ||
		__builtin_add_overflow(need, (size_t)1, &need) ||
		(need > buf->capacity &&
			base_grow(&buf->data, &buf->capacity, need < 32 ? 32 : need, 1) < 0)) {
		buf->failed = true;
		return false;
	}
	return true;
}

void base_buf_add(base_buf *buf, const void *bytes, size_t size)
{
	if (!buf_reserve(buf, size))
		return;
	if (size > 0)
		memcpy(buf->data + buf->size, bytes, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void base_buf_text(base_buf *buf, const char *text)
{
	base_buf_add(buf, text, strlen(text));
}

void base_buf_vformat(base_buf *buf, const char *format, va_list arguments)
{
	va_list again;
	int length;

	if (!buf_reserve(buf, 64))
		return;
	va_copy(again, arguments);
	length = vsnprintf(buf->data + buf->size, buf->capacity - buf->size, format, again);
	va_end(again);
	if (length < 0) {
		buf->data[buf->size] = '\0';
		buf->failed = true;
		return;
	}
	if ((size_t)length >= buf->capacity - buf->size) {
		buf->data[buf->size] = '\0';
		if (!buf_reserve(buf, (size_t)length))
			return;
		vsnprintf(buf->data + buf->size, (size_t)length + 1, format, arguments);
	}
	buf->size += (size_t)length;
}

void base_buf_format(base_buf *buf, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(buf, format, arguments);
	va_end(arguments);
}

char *base_buf_take(base_buf *buf)
{
	char *text;

	if (!buf_reserve(buf, 0)) {
		base_buf_free(buf);
		return NULL;
	}
	buf->data[buf->size] = '\0';
	text = buf->data;
	*buf = (base_buf){0};
	return text;
}

void base_buf_free(base_buf *buf)
{
	base_free(buf->data);
	*buf = (base_buf){0};
}
