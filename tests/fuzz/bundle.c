/* SPDX-License-Identifier: MIT
 *
 * Fuzzes trust bundles. What is read has a payload that is written again as it was.
 */
#include "caps/trust-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	caps_bundle *bundle = NULL, *believed = NULL;
	codec_cose_sign message;
	base_buf payload = {0};
	size_t signatures = 0;

	require(crypto_open(NULL) == 0);
	int rc = caps_bundle_look(data, size, &bundle, &signatures, NULL);
	require(rc == 0 || rc == HN_EBUNDLE);
	int read = caps_bundle_read(data, size, NULL, &believed, NULL);
	require(read == 0 || read == HN_EBUNDLE);
	require((read == 0) == (rc == 0 && signatures >= bundle->threshold));
	caps_bundle_free(believed);
	if (rc < 0)
		return 0;
	require(bundle->threshold >= 1 && bundle->threshold <= bundle->root_count);
	require(signatures <= bundle->root_count);
	require(caps_bundle_open(data, size, &message, NULL) == 0);
	require(caps_bundle_write(bundle, &payload, NULL) == 0);
	require(payload.size == message.payload.size &&
		memcmp(payload.data, message.payload.bytes, payload.size) == 0);
	base_buf_free(&payload);
	caps_bundle_free(bundle);
	return 0;
}
