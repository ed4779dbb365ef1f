/* SPDX-License-Identifier: MIT
 *
 * Making and reading hvc1 tokens: the golden vector of the format, and what each writer promises.
 */
#include "token-helper.h"

static void open_crypto(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(token, .init = open_crypto);

static void hex_of(const void *bytes, size_t size, char *out)
{
	codec_hex(bytes, size, out);
}

Test(token, golden_kid)
{
	uint8_t kid[CAPS_KID];
	char text[2 * CAPS_KID + 1];

	issuer_kid(kid);
	hex_of(kid, sizeof(kid), text);
	cr_assert_str_eq(text, "866eefbd6718c88400000001");
}

Test(token, golden_vector_comes_out_bit_for_bit)
{
	caps_token *token = golden_token();
	uint8_t digest[32];
	char text[65];

	cr_expect_eq(token->links[0].whole.size, 251u, "%zu", token->links[0].whole.size);
	cr_expect_eq(token->links[1].whole.size, 206u, "%zu", token->links[1].whole.size);
	cr_expect_eq(token->size, 499u, "%zu", token->size);
	crypto_sha256(token->bytes, token->size, digest);
	hex_of(digest, 32, text);
	cr_assert_str_eq(text, "2bedeaadf5cc7004545adc3365e084bd2969ea5708b8636583bec994023f434f");
	caps_token_free(token);
}
