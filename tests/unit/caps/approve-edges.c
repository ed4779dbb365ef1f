/* SPDX-License-Identifier: MIT
 *
 * Approvals and requests whose signature or form holds in every way but one: each is refused.
 */
#include "caps/breakglass.h"
#include "caps/token-private.h"

#include <criterion/criterion.h>
#include <hypernix/caps-approve.h>
#include <stdio.h>
#include <stdlib.h>

#define T0 INT64_C(1767225600)

static const uint8_t seed[32] = {7};

static void setup(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}
TestSuite(approval_edge, .init = setup);
TestSuite(ask_edge, .init = setup);

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

/* A good approval, changed and signed again by the same key. */
typedef struct forged {
	caps_approval good; /* the views of the message point into it */
	codec_cose_sign1 message;
	uint8_t signature[CRYPTO_SIGNATURE];
	base_buf bytes;
} forged;

static void forge(forged *f, const uint8_t hash[32])
{
	BASE_AUTO_BUF base_buf bytes = {0};

	*f = (forged){0};
	cr_assert_eq(caps_approval_sign(hash, seed, T0, &bytes, NULL), 0);
	cr_assert_eq(caps_approval_read(bytes.data, bytes.size, &f->good, NULL), 0);
	f->message = f->good.message;
}

static int read_forged(forged *f, caps_approval *read)
{
	BASE_AUTO_BUF base_buf tbs = {0};
	codec_cbor_out out = {0};
	int rc;

	caps_tbs(&tbs, f->message.protected_header, f->message.payload);
	crypto_ed25519_sign_once(seed, tbs.data, tbs.size, f->signature);
	f->message.signature = (caps_view){f->signature, sizeof(f->signature)};
	codec_cose_sign1_put(&out, &f->message);
	rc = caps_approval_read(out.buf.data, out.buf.size, read, NULL);
	base_buf_free(&out.buf);
	return rc;
}

Test(approval_edge, of_more_or_less_than_a_hash)
{
	static const uint8_t hash[40] = {9};
	caps_approval read;
	forged f;

	forge(&f, hash);
	cr_assert_eq(read_forged(&f, &read), 0, "what is not changed is good");
	for (size_t size = 0; size <= sizeof(hash); size++) {
		f.message.payload = (caps_view){hash, size};
		cr_expect_eq(read_forged(&f, &read), size == 32 ? 0 : HN_ECBOR, "%zu", size);
	}
	f.message.payload = (caps_view){NULL, 0};
	cr_expect_eq(read_forged(&f, &read), HN_ECBOR, "no payload");
}

/* What is not signed says nothing. */
Test(approval_edge, with_something_beside_what_is_signed)
{
	static const uint8_t hash[32] = {9}, key_id[] = {0xa1, 0x04, 0x41, 0x01};
	caps_approval read;
	forged f;

	forge(&f, hash);
	f.message.unprotected = (caps_view){key_id, sizeof(key_id)};
	cr_expect_eq(read_forged(&f, &read), HN_ECBOR);
}

Test(approval_edge, without_its_tag)
{
	static const uint8_t hash[32] = {9};
	caps_approval read;
	forged f;

	forge(&f, hash);
	f.message.tagged = false;
	cr_expect_eq(read_forged(&f, &read), HN_ECBOR);
}

/* A request for approval could be made whose hash begins as an assertion does, were less compared.
 */
Test(approval_edge, is_an_assertion_by_all_of_its_start)
{
	uint8_t hash[32], nonce[CAPS_NONCE] = {1, 2, 3};
	caps_approval read;
	forged f;

	caps_assertion_hash(nonce, hash);
	forge(&f, hash);
	cr_assert_eq(read_forged(&f, &read), 0);
	cr_assert_not_null(caps_assertion_nonce(&read));
	cr_expect_arr_eq(caps_assertion_nonce(&read), nonce, sizeof(nonce));
	for (size_t at = 0; at < 16; at++) {
		uint8_t other[32];

		memcpy(other, hash, sizeof(other));
		other[at] ^= 1;
		forge(&f, other);
		cr_assert_eq(read_forged(&f, &read), 0);
		cr_expect_null(caps_assertion_nonce(&read), "byte %zu", at);
	}
}

/* Break-glass is of a preset, not of a token. */
Test(ask_edge, break_glass_of_a_token)
{
	static const caps_ask_kind kinds[] = {CAPS_ASK_BREAKGLASS, CAPS_ASK_DRILL};
	static const uint8_t cti[CAPS_CTI] = {1};
	caps_call call = {0};
	caps_ask ask = {.subject = view_of("outage"),
		.patterns = {view_of("unit/**")},
		.pattern_count = 1,
		.ttl = 600,
		.made = T0,
		.until = T0 + 900,
		.reason = view_of("all is down"),
		.cluster = view_of("lab")};

	caps_mask_add(&ask.mask, HN_VERB_UNIT_START);
	caps_call_text(&call, "name", "outage");
	cr_assert_eq(caps_call_finish(&call, HN_VERB_BREAKGLASS_ACTIVATE, "node/lab", NULL), 0);
	ask.call = caps_call_view(&call);
	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		BASE_AUTO_BUF base_buf bytes = {0};

		ask.kind = kinds[i];
		ask.cti = (caps_view){0};
		cr_expect_eq(caps_ask_write(&ask, &bytes, NULL), 0);
		ask.cti = (caps_view){cti, sizeof(cti)};
		cr_expect_eq(caps_ask_write(&ask, &bytes, NULL), HN_EINVAL);
	}
	caps_call_free(&call);
}

/* --- the form of what is signed --- */

/* The header is signed too, but only one form of it is read. */
Test(approval_edge, with_another_header)
{
	static const uint8_t hash[32] = {9};
	uint8_t header[128], kept[128];
	caps_approval read;
	size_t size;
	forged f;

	forge(&f, hash);
	size = f.message.protected_header.size;
	cr_assert_lt(size + 1, sizeof(header));
	memcpy(kept, f.message.protected_header.bytes, size);
	for (size_t at = 0; at < size; at++) {
		bool free_ = (at >= 5 && at < 13) || (at >= 16 && at < size - 32 && at > 16);

		memcpy(header, kept, size);
		header[at] ^= 0x40;
		f.message.protected_header = (caps_view){header, size};
		/* the key id and the digits of the time may be others */
		cr_expect_eq(read_forged(&f, &read), free_ ? 0 : HN_ECBOR, "byte %zu", at);
	}
	for (size_t cut = 0; cut < size; cut++) {
		f.message.protected_header = (caps_view){kept, cut};
		cr_expect_eq(read_forged(&f, &read), HN_ECBOR, "%zu", cut);
	}
	memcpy(header, kept, size - 32); /* one item more behind the time */
	header[size - 32] = 0x01;
	memcpy(header + size - 31, kept + size - 32, 32);
	f.message.protected_header = (caps_view){header, size + 1};
	cr_expect_eq(read_forged(&f, &read), HN_ECBOR);
}

Test(approval_edge, with_a_signature_of_another_size)
{
	static const uint8_t hash[32] = {9}, signature[CRYPTO_SIGNATURE + 1];
	caps_approval read;
	forged f;

	forge(&f, hash);
	for (size_t size = CRYPTO_SIGNATURE - 1; size <= CRYPTO_SIGNATURE + 1; size++) {
		codec_cbor_out out = {0};

		f.message.signature = (caps_view){signature, size};
		codec_cose_sign1_put(&out, &f.message);
		cr_expect_eq(caps_approval_read(out.buf.data, out.buf.size, &read, NULL),
			size == CRYPTO_SIGNATURE ? 0 : HN_ECBOR, "%zu", size);
		base_buf_free(&out.buf);
	}
}

Test(approval_edge, of_more_bytes_than_one_has)
{
	static const uint8_t large[CAPS_APPROVAL_BYTES + 1];
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	caps_approval read;

	cr_expect_eq(caps_approval_read(large, sizeof(large), &read, &err), HN_ECBOR);
	cr_expect_not_null(strstr(hn_error_message(err), "at most 512 bytes"));
	cr_expect_eq(caps_approval_read(large, sizeof(large) - 1, &read, NULL), HN_ECBOR);
}

/* As it comes from a file, and with nothing else around it. */
Test(approval_edge, as_text_with_white_space_behind)
{
	static const uint8_t hash[32] = {9};
	static const char *const spaces[] = {"", "\n", "\r\n", " \t\r\n\n "};
	BASE_AUTO_BUF base_buf bytes = {0};
	BASE_AUTO_FREE char *text = NULL;
	caps_approval read;

	cr_assert_eq(caps_approval_sign(hash, seed, T0, &bytes, NULL), 0);
	cr_assert_eq(caps_approval_text(&bytes, &text, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(spaces); i++) {
		BASE_AUTO_BUF base_buf file = {0};

		base_buf_format(&file, "%s%s", text, spaces[i]);
		cr_expect_eq(
			caps_approval_read_text(file.data, file.size, &read, NULL), 0, "%zu", i);
		cr_expect_arr_eq(read.hash, hash, sizeof(hash));
		cr_expect_eq(caps_approval_read_text(spaces[i], strlen(spaces[i]), &read, NULL),
			HN_ECBOR, "%zu", i);
		base_buf_text(&file, ".");
		cr_expect_eq(caps_approval_read_text(file.data, file.size, &read, NULL), HN_ECBOR);
	}
	cr_expect_eq(caps_approval_read_text("hva1.", 5, &read, NULL), HN_ECBOR);
	text[3] = '2';
	cr_expect_eq(caps_approval_read_text(text, strlen(text), &read, NULL), HN_ECBOR);
}

/* --- votes --- */

Test(approval_edge, of_so_many_persons_and_no_more)
{
	static char names[CAPS_KEYSET_PERSONS + 1][8];
	caps_votes votes = {0};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "p%02zu", i);
		caps_votes_add(&votes, view_of(names[i]), T0 + (int64_t)i);
		caps_votes_add(&votes, view_of(names[i]), T0 + 100);
		cr_expect_eq(
			votes.count, i < CAPS_KEYSET_PERSONS ? i + 1 : (size_t)CAPS_KEYSET_PERSONS);
		cr_expect_eq(votes.oldest, T0);
	}
	caps_votes_add(&votes, view_of("p00"), T0 - 1);
	cr_expect_eq(votes.oldest, T0 - 1);
}

/* --- requests --- */

/* Of the use of one verb, by a token or by a subject. */
static caps_ask use_by(caps_view cti, caps_call *call, const char *object)
{
	caps_ask ask = {.kind = CAPS_ASK_USE,
		.cti = cti,
		.subject = view_of("alice"),
		.patterns = {view_of(object)},
		.pattern_count = 1,
		.ttl = 900,
		.made = T0,
		.until = T0 + 900,
		.reason = view_of("all is down"),
		.cluster = view_of("lab")};

	caps_mask_add(&ask.mask, HN_VERB_UNIT_START);
	caps_call_text(call, "name", "web");
	cr_assert_eq(caps_call_finish(call, HN_VERB_UNIT_START, "unit/a", NULL), 0);
	ask.call = caps_call_view(call);
	return ask;
}

static int write_ask(const caps_ask *ask)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	int rc = caps_ask_write(ask, &bytes, NULL);

	cr_expect_eq(rc < 0, bytes.size == 0);
	return rc;
}

Test(ask_edge, of_another_object_than_its_call)
{
	static caps_call calls[4];
	caps_ask right = use_by((caps_view){0}, &calls[0], "unit/a");
	caps_ask other = use_by((caps_view){0}, &calls[1], "unit/b");
	caps_ask longer = use_by((caps_view){0}, &calls[2], "unit/a2");
	caps_ask two = use_by((caps_view){0}, &calls[3], "unit/a");

	cr_expect_eq(write_ask(&right), 0);
	cr_expect_eq(write_ask(&other), HN_EINVAL);
	cr_expect_eq(write_ask(&longer), HN_EINVAL);
	two.patterns[two.pattern_count++] = view_of("unit/b");
	cr_expect_eq(write_ask(&two), HN_EINVAL);
	for (size_t i = 0; i < BASE_COUNT(calls); i++)
		caps_call_free(&calls[i]);
}

Test(ask_edge, the_reason_has_its_bounds)
{
	static uint8_t text[CAPS_ASK_REASON + 1];
	caps_call call = {0};
	caps_ask ask = use_by((caps_view){0}, &call, "unit/a");

	memset(text, 'r', sizeof(text));
	for (size_t size = 0; size <= sizeof(text); size += size == 1 ? CAPS_ASK_REASON - 1 : 1) {
		ask.reason = (caps_view){text, size};
		cr_expect_eq(write_ask(&ask), size == 0 || size > CAPS_ASK_REASON ? HN_EINVAL : 0,
			"%zu", size);
	}
	ask.reason = (caps_view){text, 9};
	text[4] = 0x7f;
	cr_expect_eq(write_ask(&ask), HN_EINVAL);
	text[4] = 0x1b;
	cr_expect_eq(write_ask(&ask), HN_EINVAL);
	caps_call_free(&call);
}

static char *json_of(const caps_ask *from, uint32_t redact)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	char *text = NULL;

	cr_assert_eq(caps_ask_write(from, &bytes, NULL), 0);
	cr_assert_eq(caps_ask_read(bytes.data, bytes.size, &ask, NULL), 0);
	cr_assert_eq(hn_json_new(false, &json, NULL), 0);
	hn_json_object(json, NULL);
	caps_ask_json(ask, redact, json);
	hn_json_end(json);
	cr_assert_eq(codec_json_take(json, &text, NULL), 0);
	return text;
}

/* Who may not see persons or texts sees that there is something, and not what. */
Test(ask_edge, is_shown_to_each_as_he_may_see_it)
{
	static const uint8_t cti[CAPS_CTI] = {0xab};
	static caps_call calls[2];
	caps_ask by_name = use_by((caps_view){0}, &calls[0], "unit/a");
	caps_ask by_token = use_by((caps_view){cti, sizeof(cti)}, &calls[1], "unit/a");
	BASE_AUTO_FREE char *all = json_of(&by_name, 0);
	BASE_AUTO_FREE char *usage = json_of(&by_name, HN_REDACT_USAGE);
	BASE_AUTO_FREE char *persons = json_of(&by_name, HN_REDACT_PERSONS);
	BASE_AUTO_FREE char *token = json_of(&by_token, HN_REDACT_PERSONS);

	cr_expect_not_null(strstr(all, "alice"), "%s", all);
	cr_expect_not_null(strstr(all, "all is down"));
	cr_expect_not_null(strstr(all, "web"));
	cr_expect_not_null(strstr(usage, "alice"));
	cr_expect_not_null(strstr(usage, "all is down"));
	cr_expect_null(strstr(usage, "\"web\""), "what was called has arguments of any class");
	cr_expect_null(strstr(persons, "alice"), "%s", persons);
	cr_expect_null(strstr(persons, "all is down"));
	cr_expect_null(strstr(persons, "\"web\""));
	cr_expect_not_null(strstr(persons, "\"subject\""));
	cr_expect_not_null(strstr(persons, "\"reason\""));
	cr_expect_not_null(strstr(persons, "lab"));
	cr_expect_null(strstr(token, "\"subject\""), "%s", token);
	cr_expect_not_null(strstr(token, "\"cti\""));
	cr_expect_not_null(strstr(token, "ab00"));
	for (size_t i = 0; i < BASE_COUNT(calls); i++)
		caps_call_free(&calls[i]);
}

/* --- without a host, with files --- */

/* With a key of a person in a directory of its own. */
static void with_key(void (*test)(hn_cap_options *options, const char *request))
{
	char directory[] = "/tmp/hypernix-edges-XXXXXX", path[64];
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	BASE_AUTO_FREE char *public_key = NULL, *request = NULL;
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	BASE_AUTO_BUF base_buf bytes = {0};
	caps_call call = {0};
	caps_ask from = use_by((caps_view){0}, &call, "unit/a");

	cr_assert_not_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/me.key", directory);
	cr_assert_eq(hn_cap_key_new(path, NULL, &public_key, NULL), 0);
	cr_assert_eq(caps_ask_write(&from, &bytes, NULL), 0);
	cr_assert_eq(caps_ask_read(bytes.data, bytes.size, &ask, NULL), 0);
	cr_assert_eq(caps_ask_text(ask, &request, NULL), 0);
	caps_call_free(&call);
	options.key = path;
	options.now = T0;
	test(&options, request);
	os_remove_tree(hn_os_real(), directory, NULL);
}

static const char nonce[] = "000102030405060708090a0b0c0d0e0f";

static void refuse(hn_cap_options *options, const char *request)
{
	static const char *const nonces[] = {NULL, "", "000102030405060708090a0b0c0d0e0",
		"000102030405060708090a0b0c0d0e0f0", "000102030405060708090a0b0c0d0e0x"};
	const char *key = options->key;
	char *text = NULL;

	for (size_t i = 0; i < BASE_COUNT(nonces); i++)
		cr_expect_eq(
			hn_approval_assert(nonces[i], options, &text, NULL), HN_EINVAL, "%zu", i);
	cr_expect_eq(hn_approval_assert(nonce, options, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_sign(NULL, options, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_sign(request, options, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_inspect(NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_inspect(request, NULL, NULL), HN_EINVAL);
	options->key = NULL;
	cr_expect_eq(hn_approval_assert(nonce, options, &text, NULL), HN_EINVAL);
	options->key = "/none/me.key";
	cr_expect_eq(hn_approval_assert(nonce, options, &text, NULL), HN_ENOENT);
	cr_expect_eq(hn_approval_sign(request, options, &text, NULL), HN_ENOENT);
	options->key = key;
	options->now = T0 + 900;
	cr_expect_eq(hn_approval_sign(request, options, &text, NULL), HN_EAPPROVAL);
	cr_expect_null(text, "untouched");
}

Test(approval_edge, without_what_it_needs)
{
	with_key(refuse);
}

static void inspect(hn_cap_options *options, const char *request)
{
	BASE_AUTO_FREE char *assertion = NULL, *approval = NULL, *first = NULL, *second = NULL;

	options->now = T0 + 899;
	cr_assert_eq(hn_approval_assert(nonce, options, &assertion, NULL), 0);
	cr_assert_eq(hn_approval_sign(request, options, &approval, NULL), 0);
	cr_assert_eq(hn_approval_inspect(assertion, &first, NULL), 0);
	cr_expect_not_null(strstr(first, "\"assertion\""), "%s", first);
	cr_assert_eq(hn_approval_inspect(approval, &second, NULL), 0);
	cr_expect_not_null(strstr(second, "\"approval\""), "%s", second);
	cr_expect_null(strstr(second, "assertion"));
}

Test(approval_edge, is_told_from_an_assertion)
{
	with_key(inspect);
}
