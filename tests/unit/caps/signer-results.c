/* SPDX-License-Identifier: MIT
 *
 * Results and refusals as the signer's client takes them, item by item: what is of another kind, of
 * another size or out of bounds is no answer, and nothing of it is given on. And the client when it
 * has no memory left.
 */
#include "signer-helper.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static hn_os_ops ops; /* of the client: real but for its connections */
static hn_os os = {.ops = &ops};
static int next_end = -1; /* what the client gets when it connects */
static crypto_signer *client;

static int connect_to_us(hn_os *to, const char *path)
{
	int fd = next_end;

	(void)to, (void)path;
	next_end = -ENOENT;
	return fd;
}

/* All that an operation may give. */
static struct outputs {
	crypto_signer_status status;
	crypto_issued issued;
	crypto_sealed sealed;
	char line[CRYPTO_SIGNER_NOTE];
	uint8_t signature[CRYPTO_SIGNATURE], key[CRYPTO_PUBLIC];
	base_buf record;
	crypto_secret *plain;
} outputs, untouched;

static void clear_outputs(void)
{
	memset(&outputs, 42, sizeof(outputs));
	outputs.record = (base_buf){0};
	outputs.plain = NULL;
	memcpy(&untouched, &outputs, sizeof(outputs));
}

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	ops = *hn_os_real()->ops;
	ops.connect_unix = connect_to_us;
	clear_outputs();
}

TestSuite(signer_results, .init = init, .timeout = 120);

/* --- what is asked --- */

static const uint8_t leaf[1][CRYPTO_DIGEST] = {{1}};
static const crypto_place place = {"secret", "body", 7, 1};
static const crypto_bytes bytes = {"plain", 5};

static int ask_status(hn_error **err)
{
	return client->ops->status(client, &outputs.status, err);
}

static int ask_issue(hn_error **err)
{
	return client->ops->issue(client, "x", 1, &outputs.issued, err);
}

static int ask_seal(hn_error **err)
{
	return client->ops->seal(client, 0, leaf, 1, &outputs.sealed, err);
}

static int ask_cosign(hn_error **err)
{
	crypto_merkle_proof proof = {.count = 1};

	return client->ops->cosign(client, 0, &proof, "x", 1, outputs.line, err);
}

static int ask_node(hn_error **err)
{
	return client->ops->node(client, "vote", leaf[0], outputs.signature, err);
}

static int ask_record(hn_error **err)
{
	return client->ops->record_seal(client, &place, bytes, &outputs.record, err);
}

static int ask_open(hn_error **err)
{
	return client->ops->record_open(client, &place, bytes, &outputs.plain, err);
}

static int ask_box(hn_error **err)
{
	return client->ops->box_open(client, bytes, &outputs.plain, err);
}

static int ask_rotate(hn_error **err)
{
	return client->ops->rotate(client, CRYPTO_ROLE_NODE, 60, outputs.key, err);
}

static int ask_first_mac(hn_error **err)
{
	return client->ops->first_mac(client, &outputs.plain, err);
}

/* --- what is answered: items one after the other, an array is its head alone --- */

enum { MOST = 40, STATUS = 0, ISSUE, SEAL, COSIGN, RECORD = 5 };

typedef enum kind { END, ARRAY, UINT, NEGATIVE, FLAG, BYTES, TEXT, NOTHING } kind;

typedef struct item {
	kind kind;
	uint64_t value; /* of a number; how many of the others */
	bool free;      /* bytes of any number */
} item;

#define KEY                                                                                        \
	{ARRAY, 3, 0}, {BYTES, CRYPTO_PUBLIC, 0}, {UINT, 5, 0},                                    \
	{                                                                                          \
		UINT, 6, 0                                                                         \
	}

static const struct operation {
	int (*ask)(hn_error **err);
	item result[MOST];
	bool secret; /* comes beside it */
} operations[] = {
	{ask_status,
		{{ARRAY, 11, 0}, {FLAG, 1, 0}, {FLAG, 0, 0}, {UINT, 6, 0}, {UINT, 1, 0},
			{UINT, 9, 0}, {BYTES, 32, 0}, {UINT, 4, 0}, {BYTES, 32, 0}, {BYTES, 32, 0},
			{TEXT, 9, 0}, {ARRAY, 6, 0}, KEY, KEY, KEY, KEY, KEY, KEY},
		false},
	{ask_issue, {{ARRAY, 2, 0}, {BYTES, CRYPTO_SIGNER_KID, 0}, {BYTES, CRYPTO_SIGNATURE, 0}},
		false},
	{ask_seal, {{ARRAY, 4, 0}, {UINT, 1, 0}, {BYTES, 32, 0}, {BYTES, 32, 0}, {BYTES, 100, 1}},
		false},
	{ask_cosign, {{ARRAY, 1, 0}, {BYTES, 50, 1}}, false},
	{ask_node, {{ARRAY, 1, 0}, {BYTES, CRYPTO_SIGNATURE, 0}}, false},
	{ask_record, {{ARRAY, 1, 0}, {BYTES, 66, 1}}, false},
	{ask_open, {{ARRAY, 0, 0}}, true},
	{ask_box, {{ARRAY, 0, 0}}, true},
	{ask_rotate, {{ARRAY, 1, 0}, {BYTES, CRYPTO_PUBLIC, 0}}, false},
	{ask_first_mac, {{ARRAY, 0, 0}}, true},
};

static void put_item(codec_cbor_out *out, item one)
{
	static char filled[4096];

	memset(filled, 'b', sizeof(filled));
	switch (one.kind) {
	case ARRAY:
		codec_cbor_put_array(out, one.value);
		break;
	case UINT:
		codec_cbor_put_uint(out, one.value);
		break;
	case NEGATIVE:
		codec_cbor_put_int(out, -(int64_t)one.value);
		break;
	case FLAG:
		codec_cbor_put_bool(out, one.value != 0);
		break;
	case BYTES:
		codec_cbor_put_bytes(out, filled, one.value);
		break;
	case TEXT:
		codec_cbor_put_text(out, filled, one.value);
		break;
	case NOTHING:
		codec_cbor_put_null(out);
		break;
	case END:
		break;
	}
}

/* Asks with this answer there already; 1 is the number of a client's first question. */
static int ask_with(const struct operation *one, item code, const item *items, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *secret = NULL;
	codec_cbor_out out = {0};
	int ends[2], rc;

	signer_frame_begin(&out);
	codec_cbor_put_array(&out, 4);
	codec_cbor_put_uint(&out, SIGNER_VERSION);
	codec_cbor_put_uint(&out, 1);
	put_item(&out, code);
	for (; items->kind != END; items++)
		put_item(&out, *items);
	signer_frame_end(&out, 0);
	if (one->secret)
		cr_assert_eq(crypto_secret_random(hn_os_real(), 32, &secret, NULL), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	cr_assert_eq(signer_send(ends[0], (crypto_bytes){out.buf.data, out.buf.size},
			     (crypto_bytes){NULL, 0}, secret, OS_SECOND, NULL),
		0);
	base_buf_free(&out.buf);
	next_end = ends[1];
	cr_assert_eq(caps_signer_connect(&os, "none", &client, NULL), 0);
	rc = one->ask(err);
	crypto_signer_free(client);
	close(ends[0]);
	return rc;
}

/* The code, after it was seen that a failure gives nothing. */
static int answered(const struct operation *one, item code, const item *items)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int rc;

	clear_outputs();
	rc = ask_with(one, code, items, &err);
	cr_expect_eq(rc, rc < 0 ? (int)hn_error_code(err) : 0);
	outputs.record.failed = false; /* a buffer says so itself when it had no memory */
	if (rc < 0)
		cr_expect_eq(memcmp(&outputs, &untouched, sizeof(outputs)), 0, "touched");
	base_buf_free(&outputs.record);
	crypto_secret_free(outputs.plain);
	return rc;
}

static const item success = {UINT, 0, 0};

static int answered_changed(const struct operation *one, size_t at, item instead)
{
	item items[MOST];

	memcpy(items, one->result, sizeof(items));
	items[at] = instead;
	return answered(one, success, items);
}

Test(signer_results, what_is_right_is_given_on)
{
	for (size_t i = 0; i < BASE_COUNT(operations); i++)
		cr_expect_eq(answered(&operations[i], success, operations[i].result), 0, "%zu", i);
	clear_outputs();
	cr_assert_eq(ask_with(&operations[ISSUE], success, operations[ISSUE].result, NULL), 0);
	cr_expect_eq(outputs.issued.kid[CRYPTO_SIGNER_KID - 1], 'b');
	cr_expect_eq(outputs.issued.signature[CRYPTO_SIGNATURE - 1], 'b');
	cr_assert_eq(ask_with(&operations[COSIGN], success, operations[COSIGN].result, NULL), 0);
	cr_expect_eq(strlen(outputs.line), 50);
	cr_assert_eq(ask_with(&operations[STATUS], success, operations[STATUS].result, NULL), 0);
	cr_expect_not(outputs.status.in_process);
	cr_expect_eq(outputs.status.size, 9);
	cr_expect_str_eq(outputs.status.origin, "bbbbbbbbb");
	cr_expect_eq(outputs.status.key[CRYPTO_ROLES - 1].not_after, 6);
}

Test(signer_results, an_item_of_another_kind)
{
	static const item others[] = {{NOTHING, 0, 0}, {UINT, 1, 0}, {FLAG, 1, 0}, {BYTES, 3, 0},
		{TEXT, 3, 0}, {ARRAY, 2, 0}};

	for (size_t i = 0; i < BASE_COUNT(operations); i++)
		for (size_t at = 0; operations[i].result[at].kind != END; at++)
			for (size_t k = 0; k < BASE_COUNT(others); k++) {
				kind was = operations[i].result[at].kind;

				if (others[k].kind == was ||
					(was == TEXT && others[k].kind == NOTHING))
					continue;
				cr_expect_eq(answered_changed(&operations[i], at, others[k]),
					HN_ESIGNER, "%zu, item %zu, %zu", i, at, k);
			}
}

Test(signer_results, an_item_of_another_size)
{
	for (size_t i = 0; i < BASE_COUNT(operations); i++)
		for (size_t at = 0; operations[i].result[at].kind != END; at++) {
			item more = operations[i].result[at], less = more;

			if ((more.kind != BYTES && more.kind != ARRAY) || more.free)
				continue;
			more.value++;
			cr_expect_eq(answered_changed(&operations[i], at, more), HN_ESIGNER,
				"%zu, item %zu", i, at);
			if (less.value-- > 0)
				cr_expect_eq(answered_changed(&operations[i], at, less), HN_ESIGNER,
					"%zu, item %zu", i, at);
		}
}

Test(signer_results, an_item_out_of_bounds)
{
	const struct operation *status = &operations[STATUS];

	cr_expect_eq(answered_changed(status, 3, (item){UINT, UINT32_MAX, 0}), 0);
	cr_expect_eq(answered_changed(status, 3, (item){UINT, UINT64_C(1) << 32, 0}), HN_ESIGNER);
	cr_expect_eq(answered_changed(status, 4, (item){UINT, UINT64_C(1) << 32, 0}), HN_ESIGNER);
	cr_expect_eq(answered_changed(status, 4, (item){NEGATIVE, 1, 0}), HN_ESIGNER);
	for (int bound = 0; bound < 2; bound++) {
		item line = {BYTES, CRYPTO_SIGNER_NOTE - 1u + (unsigned)bound, 1};
		int code = bound == 0 ? 0 : HN_ESIGNER; /* its NUL has no room then */

		cr_expect_eq(answered_changed(&operations[COSIGN], 1, line), code);
		cr_expect_eq(answered_changed(&operations[SEAL], 4, line), code);
	}
}

Test(signer_results, the_name_of_a_log_may_be_missing_and_is_bounded)
{
	item items[MOST];

	memcpy(items, operations[STATUS].result, sizeof(items));
	items[10] = (item){NOTHING, 0, 0};
	cr_assert_eq(ask_with(&operations[STATUS], success, items, NULL), 0);
	cr_expect_str_eq(outputs.status.origin, "");
	items[10] = (item){TEXT, 300, 0};
	cr_assert_eq(ask_with(&operations[STATUS], success, items, NULL), 0);
	cr_expect_eq(strlen(outputs.status.origin), CRYPTO_SIGNER_ORIGIN - 1);
}

/* --- refusals --- */

static const item reasons[MOST] = {{ARRAY, 3, 0}, {TEXT, 20, 0}, {TEXT, 10, 0}, {UINT, 7, 0}};
static const item denied = {NEGATIVE, -HN_EDENIED, 0};

Test(signer_results, a_refusal_is_given_on)
{
	static const item bare[] = {
		{ARRAY, 3, 0}, {TEXT, 2000, 0}, {NOTHING, 0, 0}, {NOTHING, 0, 0}, {END, 0, 0}};

	for (size_t i = 0; i < BASE_COUNT(operations); i++) {
		BASE_AUTO_OF(hn_error) hn_error *err = NULL;
		hn_fact fact;

		cr_expect_eq(answered(&operations[i], denied, reasons), HN_EDENIED, "%zu", i);
		cr_expect_eq(ask_with(&operations[i], denied, reasons, &err), HN_EDENIED);
		cr_expect_eq(strlen(hn_error_message(err)), 20);
		cr_expect_str_eq(hn_error_hint(err), "bbbbbbbbbb");
		cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
		cr_expect_eq(fact.number, 7);
	}
	for (size_t i = 0; i < BASE_COUNT(operations); i++) {
		BASE_AUTO_OF(hn_error) hn_error *err = NULL;

		cr_expect_eq(ask_with(&operations[i], denied, bare, &err), HN_EDENIED);
		cr_expect_lt(strlen(hn_error_message(err)), 1024, "cut");
		cr_expect_null(hn_error_hint(err));
		cr_expect_eq(hn_error_fact_count(err), 0);
	}
}

Test(signer_results, a_refusal_of_other_items_is_none)
{
	static const struct {
		size_t at;
		item instead;
	} cases[] = {{0, {ARRAY, 2, 0}}, {0, {ARRAY, 4, 0}}, {0, {UINT, 3, 0}}, {1, {UINT, 3, 0}},
		{1, {BYTES, 3, 0}}, {2, {BYTES, 3, 0}}, {3, {TEXT, 3, 0}}, {3, {ARRAY, 0, 0}},
		{4, {UINT, 1, 0}}};

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		item items[MOST];

		memcpy(items, reasons, sizeof(items));
		items[cases[i].at] = cases[i].instead;
		cr_expect_eq(answered(&operations[STATUS], denied, items), HN_ESIGNER, "%zu", i);
	}
}

Test(signer_results, a_code_is_one_of_a_refusal)
{
	static const item codes[] = {{UINT, 1, 0}, {NEGATIVE, 32768, 0}, {NEGATIVE, 100000, 0},
		{NEGATIVE, UINT64_C(1) << 40, 0}, {TEXT, 2, 0}};

	for (size_t i = 0; i < BASE_COUNT(codes); i++)
		cr_expect_eq(
			answered(&operations[STATUS], codes[i], reasons), HN_ESIGNER, "%zu", i);
}

/* --- what is not even asked --- */

Test(signer_results, a_question_has_its_bounds)
{
	static const uint8_t large[SIGNER_FRAME];

	cr_assert_eq(caps_signer_connect(&os, "none", &client, NULL), 0);
	next_end = 42; /* would be taken */
	cr_expect_eq(client->ops->record_open(client, &place, (crypto_bytes){large, sizeof(large)},
			     &outputs.plain, NULL),
		HN_ELIMIT);
	cr_expect_eq(client->ops->record_seal(client, &place, (crypto_bytes){large, sizeof(large)},
			     &outputs.record, NULL),
		HN_ELIMIT);
	cr_expect_eq(
		client->ops->rotate(client, CRYPTO_ROLE_NODE, -1, outputs.key, NULL), HN_EINVAL);
	cr_expect_eq(client->ops->rotate(client, CRYPTO_ROLES, 1, outputs.key, NULL), HN_EINVAL);
	cr_expect_eq(memcmp(&outputs, &untouched, sizeof(outputs)), 0);
	cr_expect_eq(next_end, 42, "it did not connect");
	crypto_signer_free(client);
}

Test(signer_results, who_cannot_be_reached_is_named)
{
	static const int errors[] = {-ENOENT, -4095}; /* the second one has no words */

	cr_assert_eq(caps_signer_connect(&os, "/run/none", &client, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(errors); i++) {
		BASE_AUTO_OF(hn_error) hn_error *err = NULL;

		next_end = errors[i];
		cr_expect_eq(ask_node(&err), HN_ESIGNER);
		cr_expect_not_null(strstr(hn_error_message(err), "/run/none"));
		cr_expect_not_null(
			strstr(hn_error_message(err), i == 0 ? "No such file" : "unknown"));
		cr_expect_not_null(strstr(hn_error_hint(err), "running"));
	}
	cr_expect_eq(memcmp(&outputs, &untouched, sizeof(outputs)), 0);
	crypto_signer_free(client);
}

/* --- without memory --- */

static long left = -1; /* allocations that succeed; -1: all */
static bool failed;

static bool no_memory(void)
{
	if (left < 0)
		return false;
	failed = failed || left == 0;
	return left == 0 || left-- == 0;
}

static void *allocate(void *arg, size_t size)
{
	(void)arg;
	return no_memory() ? NULL : malloc(size);
}

static void *reallocate(void *arg, void *memory, size_t size)
{
	(void)arg;
	return no_memory() ? NULL : realloc(memory, size);
}

static void release(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

static const struct operation *starved;
static long starved_at;

/* Asks it with so much memory, from the first question on. */
static int ask_starved(hn_error **err)
{
	int rc;

	failed = false;
	left = starved_at;
	rc = starved->ask(err);
	left = -1;
	return rc;
}

Test(signer_results, without_memory_nothing_is_given_on)
{
	hn_allocator mine = HN_ALLOCATOR_INIT;

	mine.allocate = allocate;
	mine.reallocate = reallocate;
	mine.release = release;
	cr_assert_eq(hn_set_allocator(&mine, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(operations); i++) {
		struct operation one = operations[i];

		starved = &operations[i];
		one.ask = ask_starved;
		for (starved_at = 0; starved_at == 0 || failed; starved_at++) {
			int rc = answered(&one, success, one.result);

			cr_assert_eq(rc, failed ? HN_ENOMEM : 0, "%zu, %ld", i, starved_at);
			cr_assert_lt(starved_at, 100);
		}
		cr_expect_gt(starved_at, 2, "%zu: nothing failed", i);
	}
	for (left = 0; left < 2;) {
		long given = left;

		client = NULL;
		cr_expect_eq(caps_signer_connect(&os, "none", &client, NULL), HN_ENOMEM);
		cr_expect_null(client);
		left = given + 1;
	}
	left = -1;
}
