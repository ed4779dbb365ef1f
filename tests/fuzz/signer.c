/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the signer's frames on keys of a simulated disk: whatever comes, the answer is a whole
 * frame or none, and a frame that is none changes nothing.
 */
#include "caps/signer-wire.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

/* One for all inputs: making keys takes longer than a frame. */
static crypto_signer *signer_of_all(void)
{
	static crypto_signer *signer;
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	static hn_os *os;

	if (signer != NULL)
		return signer;
	options.wall = INT64_C(1800000000) * OS_SECOND;
	require(hn_os_sim_new(&options, &os, NULL) == 0);
	require(caps_signer_open(&(caps_signer_options){.os = os,
					 .directory = "/keys",
					 .origin = "hypernix.org/audit/lab/n1"},
			&signer, NULL) == 0);
	return signer;
}

/* [1, id, code, [...]], with its length in front. */
static void check_answer(const base_buf *answer)
{
	const uint8_t *bytes = (const uint8_t *)answer->data;
	uint64_t parts = 0, version = 0, id = 0;
	int64_t code = 1;
	codec_cbor in;
	size_t size;

	require(answer->size > SIGNER_HEAD);
	size = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
	require(size == answer->size - SIGNER_HEAD && size <= SIGNER_FRAME);
	codec_cbor_open(&in, bytes + SIGNER_HEAD, size);
	require(codec_cbor_array(&in, &parts) && parts == 4);
	require(codec_cbor_uint(&in, &version) && version == 1);
	require(codec_cbor_uint(&in, &id));
	require(codec_cbor_int(&in, &code) && code <= 0);
	require(codec_cbor_peek(&in) == CODEC_CBOR_ARRAY && codec_cbor_skip(&in));
	require(codec_cbor_end(&in, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	crypto_signer *signer = signer_of_all();
	crypto_signer_status before, after;
	BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
	base_buf answer = {0};
	int rc;

	if (size > SIGNER_FRAME)
		return 0;
	require(signer->ops->status(signer, &before, NULL) == 0);
	rc = signer_answer(signer, data, size, &answer, &secret, NULL);
	require(signer->ops->status(signer, &after, NULL) == 0);
	if (rc >= 0) {
		check_answer(&answer);
	} else {
		require(rc == HN_ECBOR && answer.data == NULL && secret == NULL);
		require(before.size == after.size && before.keys == after.keys &&
			before.first_mac_here == after.first_mac_here);
	}
	require(after.size >= before.size && after.generation >= before.generation);
	base_buf_free(&answer);
	return 0;
}
