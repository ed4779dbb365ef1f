/* SPDX-License-Identifier: MIT
 *
 * Fuzzes strict base64: a text that is taken is the only one of its bytes.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

typedef bool decoder(const char *text, size_t size, void *out, size_t capacity, size_t *written);
typedef void encoder(const void *bytes, size_t size, char *out);

static void one_alphabet(
	const char *text, size_t size, decoder *decode, encoder *encode, size_t (*size_of)(size_t))
{
	size_t room = size / 4 * 3 + 2, written = room + 1, checked = 0;
	uint8_t *bytes = base_alloc(room);
	bool took = decode(text, size, bytes, room, &written);

	require(decode(text, size, NULL, 0, &checked) == took);
	if (!took) {
		require(written == room + 1);
	} else {
		char *again = base_alloc(size + 1);

		require(written <= room && checked == written && size_of(written) == size);
		require(written == 0 || !decode(text, size, bytes, written - 1, &checked));
		encode(bytes, written, again);
		require(memcmp(again, text, size) == 0 && again[size] == '\0');
		base_free(again);
	}
	base_free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	if (size > 65536)
		return 0;
	one_alphabet(text, size, codec_base64url_decode, codec_base64url, codec_base64url_size);
	one_alphabet(text, size, codec_base64_decode, codec_base64, codec_base64_size);
	return 0;
}
