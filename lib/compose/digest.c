/* SPDX-License-Identifier: MIT
 *
 * Digests as text, and errors with a place.
 */
#include "compose/compose-private.h"

#define PREFIX "b2:"

void compose_digest_print(const compose_digest *digest, char out[COMPOSE_DIGEST_TEXT])
{
	memcpy(out, PREFIX, strlen(PREFIX));
	codec_hex(digest->bytes, sizeof(digest->bytes), out + strlen(PREFIX));
}

bool compose_digest_parse(const char *text, size_t size, compose_digest *digest)
{
	if (size != COMPOSE_DIGEST_TEXT - 1 || memcmp(text, PREFIX, strlen(PREFIX)) != 0)
		return false;
	return codec_hex_decode(text + strlen(PREFIX), size - strlen(PREFIX), digest->bytes);
}

int compose_fail(hn_error **err, hn_code code, const compose_place *place, const char *hint,
	const char *format, ...)
{
	BASE_AUTO_BUF base_buf message = {0};
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&message, format, arguments);
	va_end(arguments);
	if (message.failed)
		return base_nomem(err);
	return codec_json_fail(err, code, place, hint, message.data);
}
