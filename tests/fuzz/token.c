/* SPDX-License-Identifier: MIT
 *
 * Fuzzes capability tokens, as text when they begin so and as CBOR else. What is read says the same
 * when it is written and read again, has a JSON form, and is refused by a bundle that trusts
 * nobody.
 */
#include "caps/terms.h"
#include "caps/verify.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void check_views(const caps_token *token)
{
	require(token->link_count >= 1 && token->link_count <= CAPS_LINKS);
	require(token->grant_count >= 1 && token->grant_count <= CAPS_GRANTS);
	require(token->caveat_count <= CAPS_CAVEATS);
	for (size_t i = 0; i < token->caveat_count; i++) {
		const caps_caveat *caveat = &token->caveats[i];

		require(caveat->link < token->link_count && caveat->raw.size > 0);
		require(caveat->raw.bytes >= token->bytes &&
			caveat->raw.bytes + caveat->raw.size <= token->bytes + token->size);
	}
	for (size_t i = 0; i < token->link_count; i++) {
		const caps_link *link = &token->links[i];

		require(link->expires > link->issued && link->expires >= caps_token_expires(token));
		require(link->signature.size == CRYPTO_SIGNATURE && link->cti.size == CAPS_CTI);
	}
}

static void check_again(const caps_token *token)
{
	caps_token *again = NULL;
	char *text = NULL, *json = NULL;

	require(caps_token_text(token, &text, NULL) == 0);
	require(caps_token_read_text(text, strlen(text), &again, NULL, NULL) == 0);
	require(again->size == token->size && memcmp(again->bytes, token->bytes, token->size) == 0);
	require(caps_token_json(token, &json, NULL) == 0);
	caps_token_free(again);
	base_free(text);
	base_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const caps_presented how = {.audience = "lab", .earliest = 1, .latest = 1};
	const caps_bundle nobody = {0};
	const char *reason = NULL;
	caps_token *token = NULL;
	bool text = size > 5 && memcmp(data, "hvc1.", 5) == 0;
	int rc = crypto_open(NULL);

	require(rc == 0);
	if (text)
		rc = caps_token_read_text((const char *)data, size, &token, &reason, NULL);
	else
		rc = caps_token_read(data, size, &token, &reason, NULL);
	require(rc == 0 || (rc == HN_ETOKEN && reason != NULL && token == NULL));
	if (rc < 0)
		return 0;
	require(text || (token->size == size && memcmp(token->bytes, data, size) == 0));
	check_views(token);
	check_again(token);
	require(caps_verify(token, &nobody, NULL, &how, &reason, NULL) == HN_ETOKEN);
	caps_token_free(token);
	return 0;
}
