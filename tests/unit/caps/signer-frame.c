/* SPDX-License-Identifier: MIT
 *
 * Frames as the signer takes them: each operation with the arguments it has, and with each of them
 * missing, of another type or out of bounds. Such a frame gets no answer and changes nothing.
 */
#include "signer-helper.h"

static hn_os *os;
static crypto_signer *signer;

static void init(void)
{
	signer_new(&os, &signer);
}

static void fini(void)
{
	crypto_signer_free(signer);
	hn_os_sim_free(os);
}

TestSuite(signer_frame, .init = init, .fini = fini, .timeout = 60);

/* --- arguments --- */

enum { MOST = 6 };

typedef enum kind { UINT, BYTES, TEXT, HASHES, NOTHING } kind;

typedef struct argument {
	kind kind;
	uint64_t value; /* of UINT; how many bytes or hashes of the others, of `fill` each */
	char fill;
} argument;

typedef struct frame {
	uint64_t operation;
	size_t count;
	argument argument[MOST + 1];
} frame;

/* What is right of each operation. */
static const frame right[] = {
	{SIGNER_STATUS, 0, {{0}}},
	{SIGNER_ISSUE, 1, {{BYTES, 20, 'x'}}},
	{SIGNER_SEAL, 2, {{UINT, 0, 0}, {HASHES, 2, 'h'}}},
	{SIGNER_COSIGN, 3, {{UINT, 0, 0}, {HASHES, 1, 'h'}, {BYTES, 9, 'n'}}},
	{SIGNER_NODE, 2, {{TEXT, 4, 'v'}, {BYTES, CRYPTO_DIGEST, 'h'}}},
	{SIGNER_SECRET, 6,
		{{UINT, SIGNER_RECORD_SEAL, 0}, {TEXT, 6, 't'}, {TEXT, 4, 'c'}, {UINT, 7, 0},
			{UINT, 1, 0}, {BYTES, 5, 'p'}}},
	{SIGNER_SECRET, 6,
		{{UINT, SIGNER_RECORD_OPEN, 0}, {TEXT, 6, 't'}, {TEXT, 4, 'c'}, {UINT, 7, 0},
			{UINT, 1, 0}, {BYTES, 80, 'r'}}},
	{SIGNER_SECRET, 2, {{UINT, SIGNER_BOX_OPEN, 0}, {BYTES, 60, 'b'}}},
	{SIGNER_ROTATE, 2, {{UINT, CRYPTO_ROLE_NODE, 0}, {UINT, 60, 0}}},
	{SIGNER_FIRST_MAC, 0, {{0}}},
};

static void put_argument(codec_cbor_out *out, const argument *one)
{
	static char bytes[CRYPTO_SIGNER_NOTE];

	memset(bytes, one->fill, sizeof(bytes));
	switch (one->kind) {
	case UINT:
		codec_cbor_put_uint(out, one->value);
		break;
	case BYTES:
		codec_cbor_put_bytes(out, bytes, one->value);
		break;
	case TEXT:
		codec_cbor_put_text(out, bytes, one->value);
		break;
	case HASHES:
		codec_cbor_put_array(out, one->value);
		for (uint64_t i = 0; i < one->value; i++)
			codec_cbor_put_bytes(out, bytes, CRYPTO_DIGEST);
		break;
	case NOTHING:
		codec_cbor_put_null(out);
	}
}

static void put_frame(codec_cbor_out *out, const frame *asked, uint64_t parts, uint64_t version)
{
	codec_cbor_put_array(out, parts);
	codec_cbor_put_uint(out, version);
	codec_cbor_put_uint(out, 77); /* its id */
	codec_cbor_put_uint(out, asked->operation);
	codec_cbor_put_array(out, asked->count);
	for (size_t i = 0; i < asked->count; i++)
		put_argument(out, &asked->argument[i]);
}

/* --- answers --- */

/* The code in the answer, past its head; INT64_MAX when there was none. */
static int64_t read_answer(const base_buf *answer, codec_cbor *in)
{
	uint64_t parts = 0, version = 0, id = 0;
	int64_t code = INT64_MAX;

	if (answer->size <= SIGNER_HEAD)
		return INT64_MAX;
	codec_cbor_open(
		in, (const uint8_t *)answer->data + SIGNER_HEAD, answer->size - SIGNER_HEAD);
	cr_assert(codec_cbor_array(in, &parts) && codec_cbor_uint(in, &version) &&
		  codec_cbor_uint(in, &id) && codec_cbor_int(in, &code));
	cr_assert_eq(parts, 4);
	cr_assert_eq(version, SIGNER_VERSION);
	cr_assert_eq(id, 77);
	return code;
}

/* HN_ECBOR: refused without an answer, and nothing is kept of it. */
static int64_t ask_bytes(const void *bytes, size_t size)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	BASE_AUTO_BUF base_buf answer = {0};
	codec_cbor in;
	int rc = signer_answer(signer, bytes, size, &answer, &secret, &error);

	if (rc == 0)
		return read_answer(&answer, &in);
	cr_assert_eq(rc, HN_ECBOR);
	cr_assert_eq((int)hn_error_code(error), HN_ECBOR);
	cr_assert_null(answer.data);
	cr_assert_null(secret);
	return rc;
}

static int64_t ask_as(const frame *asked, uint64_t parts, uint64_t version)
{
	codec_cbor_out out = {0};
	int64_t code;

	put_frame(&out, asked, parts, version);
	cr_assert_not(out.buf.failed);
	code = ask_bytes(out.buf.data, out.buf.size);
	base_buf_free(&out.buf);
	return code;
}

static int64_t ask(const frame *asked)
{
	return ask_as(asked, 4, SIGNER_VERSION);
}

static int64_t ask_changed(const frame *from, size_t at, argument instead)
{
	frame changed = *from;

	changed.argument[at] = instead;
	return ask(&changed);
}

/* --- what is right is answered, with a result or a refusal --- */

Test(signer_frame, what_is_right_is_answered)
{
	static const int64_t codes[BASE_COUNT(right)] = {
		0, HN_ETOKEN, 0, HN_ESYNTAX, 0, 0, HN_ECRYPT, HN_ECRYPT, 0, 0};

	for (size_t i = 0; i < BASE_COUNT(right); i++)
		cr_expect_eq(ask(&right[i]), codes[i], "frame %zu", i);
}

Test(signer_frame, a_refusal_names_the_size_of_the_log)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
	BASE_AUTO_BUF base_buf answer = {0};
	frame seal = right[2];
	codec_cbor_out out = {0};
	codec_cbor in;
	uint64_t parts = 0, size = 0;
	const char *text = NULL;
	size_t length = 0;

	cr_assert_eq(ask(&seal), 0);
	put_frame(&out, &seal, 4, SIGNER_VERSION); /* at 0 again */
	cr_assert_eq(signer_answer(signer, (const uint8_t *)out.buf.data, out.buf.size, &answer,
			     &secret, NULL),
		0);
	base_buf_free(&out.buf);
	cr_assert_eq(read_answer(&answer, &in), HN_EAUDITFORK);
	cr_assert(codec_cbor_array(&in, &parts) && codec_cbor_text(&in, &text, &length) &&
		  codec_cbor_null(&in) && codec_cbor_uint(&in, &size) &&
		  codec_cbor_end(&in, NULL) == 0);
	cr_expect_eq(parts, 3);
	cr_expect_gt(length, 10);
	cr_expect_eq(size, 2);
}

/* --- what is not is none of ours --- */

Test(signer_frame, one_argument_more_or_less)
{
	for (size_t i = 0; i < BASE_COUNT(right); i++) {
		frame more = right[i], less = right[i];

		more.argument[more.count++] = (argument){UINT, 1, 0};
		cr_expect_eq(ask(&more), HN_ECBOR, "frame %zu", i);
		if (less.count > 0) {
			less.count--;
			cr_expect_eq(ask(&less), HN_ECBOR, "frame %zu", i);
		}
	}
}

Test(signer_frame, an_argument_of_another_type)
{
	static const argument other[] = {
		{NOTHING, 0, 0}, {UINT, 1, 0}, {BYTES, 3, 'b'}, {TEXT, 3, 't'}, {HASHES, 1, 'h'}};

	for (size_t i = 0; i < BASE_COUNT(right); i++)
		for (size_t at = 0; at < right[i].count; at++)
			for (size_t k = 0; k < BASE_COUNT(other); k++)
				if (other[k].kind != right[i].argument[at].kind)
					cr_expect_eq(ask_changed(&right[i], at, other[k]), HN_ECBOR,
						"frame %zu, argument %zu, %zu", i, at, k);
}

Test(signer_frame, an_argument_out_of_bounds)
{
	static const struct {
		size_t frame, at;
		argument instead;
	} cases[] = {
		{2, 1, {HASHES, CRYPTO_SIGNER_LEAVES + 1, 'h'}},
		{3, 1, {HASHES, 65, 'h'}},
		{4, 0, {TEXT, SIGNER_TEXT + 1, 'v'}},
		{4, 1, {BYTES, CRYPTO_DIGEST - 1, 'h'}},
		{4, 1, {BYTES, CRYPTO_DIGEST + 1, 'h'}},
		{5, 0, {UINT, SIGNER_BOX_OPEN + 1, 0}},
		{5, 1, {TEXT, SIGNER_TEXT + 1, 't'}},
		{5, 2, {TEXT, SIGNER_TEXT + 1, 'c'}},
		{8, 0, {UINT, CRYPTO_ROLES, 0}},
		{8, 1, {UINT, (uint64_t)INT32_MAX + 1, 0}},
		{8, 1, {UINT, UINT64_MAX, 0}},
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++)
		cr_expect_eq(ask_changed(&right[cases[i].frame], cases[i].at, cases[i].instead),
			HN_ECBOR, "case %zu", i);
	cr_expect_eq(ask_changed(&right[4], 0, (argument){TEXT, SIGNER_TEXT, 'v'}), 0);
	cr_expect_eq(ask_changed(&right[2], 1, (argument){HASHES, CRYPTO_SIGNER_LEAVES, 'h'}), 0);
}

Test(signer_frame, a_head_that_is_none)
{
	frame status = right[0];

	cr_expect_eq(ask_as(&status, 3, SIGNER_VERSION), HN_ECBOR);
	cr_expect_eq(ask_as(&status, 5, SIGNER_VERSION), HN_ECBOR);
	cr_expect_eq(ask_as(&status, 4, SIGNER_VERSION + 1), HN_ECBOR);
	cr_expect_eq(ask_as(&status, 4, 0), HN_ECBOR);
	status.operation = 0;
	cr_expect_eq(ask(&status), HN_ECBOR);
	status.operation = SIGNER_FIRST_MAC + 1;
	cr_expect_eq(ask(&status), HN_ECBOR);
	status.operation = UINT64_MAX;
	cr_expect_eq(ask(&status), HN_ECBOR);
}

/* Every beginning of every frame, and a byte behind each. */
Test(signer_frame, one_that_is_cut_or_goes_on)
{
	crypto_signer_status before, after;

	cr_assert_eq(signer->ops->status(signer, &before, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(right); i++) {
		codec_cbor_out out = {0};

		put_frame(&out, &right[i], 4, SIGNER_VERSION);
		for (size_t size = 0; size < out.buf.size; size++)
			cr_expect_eq(
				ask_bytes(out.buf.data, size), HN_ECBOR, "frame %zu, %zu", i, size);
		base_buf_add(&out.buf, "", 1);
		cr_expect_eq(ask_bytes(out.buf.data, out.buf.size), HN_ECBOR, "frame %zu", i);
		base_buf_free(&out.buf);
	}
	cr_assert_eq(signer->ops->status(signer, &after, NULL), 0);
	cr_expect_eq(memcmp(&before, &after, sizeof(before)), 0);
}
