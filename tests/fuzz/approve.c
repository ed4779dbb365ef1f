/* SPDX-License-Identifier: MIT
 *
 * Fuzzes requests for approval, the calls in them and approvals, as text when they begin so and as
 * CBOR else. What is read is written again byte by byte, has the hash that it says, and nobody's
 * approval is anybody's.
 */
#include "caps/approve.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

/* Behind its hash nothing would find the way to the call by itself. */
static void try_call(const uint8_t *data, size_t size)
{
	caps_called called;
	hn_json *json = NULL;

	if (!caps_called_read((caps_view){data, size}, &called))
		return;
	require(called.object.size >= 1 && called.arguments.size >= 1);
	require(called.arguments.bytes + called.arguments.size == data + size);
	require(hn_json_new(false, &json, NULL) == 0);
	hn_json_object(json, NULL);
	caps_called_json(&called, json);
	hn_json_end(json);
	require(hn_json_finish(json, &(const char *){NULL}, NULL, NULL) == 0);
	hn_json_free(json);
}

static void check_ask(const caps_ask *ask)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	hn_json *json = NULL;
	uint8_t hash[32];

	crypto_sha256(ask->call.bytes, ask->call.size, hash);
	require(memcmp(hash, ask->params, sizeof(hash)) == 0);
	require(ask->kind != CAPS_ASK_USE || caps_mask_has(&ask->mask, ask->called.verb));

	require(ask->pattern_count >= 1 && ask->pattern_count <= CAPS_ASK_PATTERNS);
	require(ask->until > ask->made && ask->ttl >= 1 && ask->reason.size >= 1);
	require(caps_ask_write(ask, &bytes, NULL) == 0);
	require(bytes.size == ask->size && memcmp(bytes.data, ask->bytes, bytes.size) == 0);
	require(hn_json_new(false, &json, NULL) == 0);
	hn_json_object(json, NULL);
	caps_ask_json(ask, 0, json);
	hn_json_end(json);
	require(hn_json_finish(json, &(const char *){NULL}, NULL, NULL) == 0);
	hn_json_free(json);
}

static void check_approval(const caps_approval *approval)
{
	static const uint8_t base_point[32] = {0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
		0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
	caps_keyset keyset = {.count = 1};

	require(approval->made > 0 && approval->message.signature.size == CRYPTO_SIGNATURE);
	memcpy(keyset.entries[0].key, base_point, sizeof(base_point));
	require(caps_approval_by(approval, &keyset) == SIZE_MAX);
}

static void try_text(const char *text)
{
	caps_ask *ask = NULL;
	caps_approval approval;

	if (caps_ask_read_text(text, &ask, NULL) == 0)
		check_ask(ask);
	caps_ask_free(ask);
	if (caps_approval_read_text(text, strlen(text), &approval, NULL) == 0)
		check_approval(&approval);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	caps_ask *ask = NULL;
	caps_approval approval;
	char *text;

	require(crypto_open(NULL) == 0);
	if (size > 3 && memcmp(data, "hv", 2) == 0) {
		text = base_strndup((const char *)data, size);
		require(text != NULL);
		try_text(text);
		base_free(text);
		return 0;
	}
	try_call(data, size);
	if (caps_ask_read(data, size, &ask, NULL) == 0)
		check_ask(ask);
	caps_ask_free(ask);
	if (caps_approval_read(data, size, &approval, NULL) == 0)
		check_approval(&approval);
	return 0;
}
