/* SPDX-License-Identifier: MIT
 *
 * Records of the audit log as they are read back: all that may stand in one, and the same with each
 * field missing, cut, of another type or out of bounds.
 */
#include "caps/audit-log.h"
#include <criterion/criterion.h>

enum { FIELDS = 24 };

/* A field that is not as it should be: which, and what stands there. */
typedef enum wrong { RIGHT, MISSING, ANOTHER_TYPE, TOO_SMALL, TOO_LARGE } wrong;

static void put_bytes(codec_cbor_out *out, size_t size)
{
	static const uint8_t bytes[512] = {7, 7, 7};

	codec_cbor_put_bytes(out, bytes, size);
}

static void put_text(codec_cbor_out *out, size_t size)
{
	static char text[512];

	memset(text, 't', sizeof(text));
	codec_cbor_put_text(out, text, size);
}

static size_t sized(size_t size, wrong how)
{
	return how == TOO_SMALL ? size - 1 : how == TOO_LARGE ? size + 1 : size;
}

static void put_list(codec_cbor_out *out, size_t count, bool bytes)
{
	codec_cbor_put_array(out, count);
	for (size_t i = 0; i < count; i++) {
		if (bytes)
			put_bytes(out, AUDIT_REF);
		else
			codec_cbor_put_uint(out, i);
	}
}

/* {1 => uid, 2 => login, 3 => pid, 4 => reference} of a session that was opened. */
static void put_opener(codec_cbor_out *out)
{
	codec_cbor_put_map(out, 4);
	for (uint64_t i = 1; i < 4; i++) {
		codec_cbor_put_uint(out, i);
		codec_cbor_put_uint(out, 100 + i);
	}
	codec_cbor_put_uint(out, 4);
	put_bytes(out, AUDIT_REF);
}

static void put_value(codec_cbor_out *out, int field, wrong how)
{
	static const size_t sizes[FIELDS + 1] = {[10] = AUDIT_REF,
		[12] = CRYPTO_DIGEST,
		[13] = CRYPTO_SIGNER_KID,
		[17] = CRYPTO_DIGEST,
		[21] = AUDIT_REF,
		[22] = 16,
		[23] = 8};

	if (how == ANOTHER_TYPE)
		codec_cbor_put_null(out);
	else if (sizes[field] > 0)
		put_bytes(out, sized(sizes[field], how));
	else if (field == 6 || field == 9 || field == 16)
		put_text(out, how == TOO_SMALL ? 0 : how == TOO_LARGE ? 257 : 5);
	else if (field == 11)
		put_list(out, how == TOO_SMALL ? 0 : how == TOO_LARGE ? 9 : 2, true);
	else if (field == 14)
		put_list(out, sized(3, how), false);
	else if (field == 24)
		put_opener(out);
	else if (field == 7)
		codec_cbor_put_uint(
			out, how == TOO_LARGE ? CAPS_AUDIT_FORK + 1 : CAPS_AUDIT_SESSION_OPENED);
	else
		codec_cbor_put_uint(out, how == TOO_LARGE ? 2 : how == TOO_SMALL ? 0 : 1);
}

/* All fields, of which one may be wrong. */
static base_buf record_with(int field, wrong how)
{
	codec_cbor_out out = {0};

	codec_cbor_put_map(&out, how == MISSING ? FIELDS - 1 : FIELDS);
	for (int i = 1; i <= FIELDS; i++) {
		if (i == field && how == MISSING)
			continue;
		codec_cbor_put_uint(&out, (uint64_t)i);
		put_value(&out, i, i == field ? how : RIGHT);
	}
	cr_assert_not(out.buf.failed);
	return out.buf;
}

static bool reads(const base_buf *bytes, size_t size)
{
	audit_record record;

	return audit_record_read(bytes->data, size, &record);
}

static bool reads_with(int field, wrong how)
{
	base_buf bytes = record_with(field, how);
	bool read = reads(&bytes, bytes.size);

	base_buf_free(&bytes);
	return read;
}

Test(audit_record, all_fields_are_read)
{
	base_buf bytes = record_with(0, RIGHT);
	audit_record record;
	codec_view process;
	uint8_t key[CRYPTO_PUBLIC];

	cr_assert(audit_record_read(bytes.data, bytes.size, &record));
	cr_expect_eq(record.fields, 0x1fffffe);
	cr_expect_eq(record.kind, CAPS_AUDIT_SESSION_OPENED);
	cr_expect_eq(record.cti_count, 2);
	cr_expect(record.has_rule);
	cr_expect_eq(record.rule[2], 2);
	cr_expect_eq(record.object.size, 5);
	cr_expect_eq(record.trace.size, 16);
	cr_assert(audit_record_process(&record, &process));
	cr_expect_eq(process.size, AUDIT_REF);
	cr_expect_eq(process.bytes[0], 7);
	cr_expect_not(audit_record_key(&record, key), "it is of another kind");
	base_buf_free(&bytes);
}

Test(audit_record, what_is_cut_or_goes_on_is_none)
{
	base_buf bytes = record_with(0, RIGHT);

	for (size_t size = 0; size < bytes.size; size++)
		cr_expect_not(reads(&bytes, size), "cut at %zu", size);
	base_buf_add(&bytes, "", 1);
	cr_expect_not(reads(&bytes, bytes.size));
	cr_expect_not(reads(&bytes, CAPS_AUDIT_RECORD + 1));
	base_buf_free(&bytes);
}

Test(audit_record, only_the_first_seven_must_be_there)
{
	for (int field = 1; field <= FIELDS; field++)
		cr_expect_eq(reads_with(field, MISSING), field > 7, "without %d", field);
}

Test(audit_record, a_field_of_another_type)
{
	for (int field = 1; field <= FIELDS; field++)
		cr_expect_not(reads_with(field, ANOTHER_TYPE), "field %d", field);
}

Test(audit_record, a_field_out_of_bounds)
{
	static const int both[] = {1, 6, 9, 10, 11, 12, 13, 14, 16, 17, 21, 22, 23};

	for (size_t i = 0; i < BASE_COUNT(both); i++) {
		cr_expect_not(reads_with(both[i], TOO_SMALL), "field %d", both[i]);
		cr_expect_not(reads_with(both[i], TOO_LARGE), "field %d", both[i]);
	}
	cr_expect_not(reads_with(7, TOO_LARGE), "there is no such kind");
}

Test(audit_record, a_field_that_is_unknown)
{
	static const uint64_t unknown[] = {0, FIELDS + 1, UINT64_MAX};

	for (size_t i = 0; i < BASE_COUNT(unknown); i++) {
		codec_cbor_out out = {0};

		codec_cbor_put_map(&out, 8);
		if (unknown[i] == 0) {
			codec_cbor_put_uint(&out, 0);
			codec_cbor_put_uint(&out, 1);
		}
		for (int field = 1; field <= 7; field++) {
			codec_cbor_put_uint(&out, (uint64_t)field);
			put_value(&out, field, RIGHT);
		}
		if (unknown[i] != 0) {
			codec_cbor_put_uint(&out, unknown[i]);
			codec_cbor_put_uint(&out, 1);
		}
		cr_expect_not(reads(&out.buf, out.buf.size), "field %llu",
			(unsigned long long)unknown[i]);
		base_buf_free(&out.buf);
	}
}

/* --- what field 24 holds of each kind --- */

/* {1 => role, 2 => key} */
static void put_key(codec_cbor_out *out, uint64_t role)
{
	codec_cbor_put_map(out, 2);
	codec_cbor_put_uint(out, 1);
	codec_cbor_put_uint(out, role);
	codec_cbor_put_uint(out, 2);
	put_bytes(out, CRYPTO_PUBLIC);
}

/* Every cut of the map, and each byte in turn another head: the same answer, no. */
static void refuse_changed(const base_buf *right, uint64_t kind, bool (*reads_it)(audit_record *))
{
	uint8_t changed[128];
	audit_record record = {.kind = kind, .extra = {(const uint8_t *)right->data, right->size}};

	cr_assert_leq(right->size, sizeof(changed));
	cr_expect(reads_it(&record));
	record.kind = CAPS_AUDIT_START;
	cr_expect_not(reads_it(&record), "of another kind");
	record.kind = kind;
	record.extra.bytes = changed;
	memcpy(changed, right->data, right->size);
	for (record.extra.size = 0; record.extra.size < right->size; record.extra.size++)
		cr_expect_not(reads_it(&record), "cut at %zu", record.extra.size);
	record.extra.size = right->size;
	changed[0] = 0xa3; /* of three */
	cr_expect_not(reads_it(&record));
	changed[0] = (uint8_t)right->data[0];
	changed[1] = 0x05; /* the first key is another */
	cr_expect_not(reads_it(&record));
	changed[1] = 0x01;
	changed[2] = 0xf6; /* and its value no number */
	cr_expect_not(reads_it(&record));
}

static bool reads_process(audit_record *record)
{
	codec_view process;

	return audit_record_process(record, &process);
}

static bool reads_key(audit_record *record)
{
	uint8_t key[CRYPTO_PUBLIC];

	return audit_record_key(record, key);
}

Test(audit_record, an_opener_and_a_key_are_strict)
{
	codec_cbor_out opener = {0}, key = {0}, witness = {0};
	audit_record record = {.kind = CAPS_AUDIT_KEY};

	put_opener(&opener);
	refuse_changed(&opener.buf, CAPS_AUDIT_SESSION_OPENED, reads_process);
	put_key(&key, CRYPTO_ROLE_AUDIT);
	refuse_changed(&key.buf, CAPS_AUDIT_KEY, reads_key);
	put_key(&witness, CRYPTO_ROLE_WITNESS);
	record.extra = (codec_view){(const uint8_t *)witness.buf.data, witness.buf.size};
	cr_expect_not(reads_key(&record), "a key that signs no checkpoints of ours");
	base_buf_free(&opener.buf);
	base_buf_free(&key.buf);
	base_buf_free(&witness.buf);
}

/* --- secrets --- */

static base_buf secret_of(uint64_t act, const char *name, uint64_t version)
{
	const caps_audit_secret secret = {
		.act = (caps_audit_secret_act)act, .name = name, .version = version};
	base_buf map = {0};

	caps_audit_secret_write(&secret, &map);
	cr_assert_not(map.failed);
	return map;
}

static bool reads_secret(audit_record *record)
{
	audit_secret secret;

	record->fields = 1u << 8;
	record->verb = HN_VERB_UNIT_SECRET;
	return audit_record_secret(record, &secret);
}

Test(audit_record, a_secret_is_read_as_it_was_written)
{
	static const audit_secret right[] = {{CAPS_AUDIT_SECRET_PUT, 0, {(const uint8_t *)"a", 1}},
		{CAPS_AUDIT_SECRET_REMOVE, 7, {(const uint8_t *)"db-password", 11}},
		{CAPS_AUDIT_SECRET_ATTACH, UINT64_MAX, {(const uint8_t *)"a", 1}}};

	for (size_t i = 0; i < BASE_COUNT(right); i++) {
		base_buf map = secret_of(
			right[i].act, (const char *)right[i].name.bytes, right[i].version);
		audit_record record = {.kind = CAPS_AUDIT_OUTCOME,
			.fields = 1u << 8,
			.verb = HN_VERB_UNIT_SECRET,
			.extra = {(const uint8_t *)map.data, map.size}};
		audit_secret secret;

		cr_assert(audit_record_secret(&record, &secret));
		cr_expect_eq(secret.act, right[i].act);
		cr_expect_eq(secret.version, right[i].version);
		cr_assert_eq(secret.name.size, right[i].name.size);
		cr_expect_eq(memcmp(secret.name.bytes, right[i].name.bytes, secret.name.size), 0);
		record.verb = HN_VERB_UNIT_START;
		cr_expect_not(audit_record_secret(&record, &secret), "of another verb");
		record.verb = HN_VERB_UNIT_SECRET;
		record.fields = 0;
		cr_expect_not(audit_record_secret(&record, &secret), "of none");
		base_buf_free(&map);
	}
}

Test(audit_record, a_secret_is_strict)
{
	static const struct {
		uint64_t act;
		const char *name;
	} bad[] = {{0, "a"}, {CAPS_AUDIT_SECRET_ATTACH + 1, "a"}, {CAPS_AUDIT_SECRET_PUT, ""},
		{CAPS_AUDIT_SECRET_PUT,
			"a123456789012345678901234567890123456789012345678901234567890123"}};
	base_buf map = secret_of(CAPS_AUDIT_SECRET_PUT, "db-password", 0);

	for (uint64_t kind = CAPS_AUDIT_ALLOW; kind <= CAPS_AUDIT_OUTCOME; kind++)
		refuse_changed(&map, kind, reads_secret);
	base_buf_free(&map);
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		audit_record record = {.kind = CAPS_AUDIT_ALLOW};

		map = secret_of(bad[i].act, bad[i].name, 1);
		record.extra = (codec_view){(const uint8_t *)map.data, map.size};
		cr_expect_not(reads_secret(&record), "%zu", i);
		base_buf_free(&map);
	}
}
