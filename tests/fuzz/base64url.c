/* SPDX-License-Identifier: MIT
 *
 * Fuzzes base64url: a text that is taken is the only one for its bytes.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BASE_AUTO_FREE uint8_t *bytes = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	size_t decoded = 0;
	int rc = codec_base64url_decode((const char *)data, size, &bytes, &decoded, &err);

	if (rc == 0) {
		BASE_AUTO_FREE char *text = codec_base64url(bytes, decoded);
		require(strlen(text) == size && memcmp(text, data, size) == 0);
	} else {
		require(rc == HN_ESYNTAX && bytes == NULL && err != NULL);
	}
	BASE_AUTO_FREE char *encoded = codec_base64url(data, size);
	BASE_AUTO_FREE uint8_t *back = NULL;
	require(codec_base64url_decode(encoded, strlen(encoded), &back, &decoded, NULL) == 0);
	require(decoded == size && memcmp(back, data, size) == 0);
	return 0;
}
