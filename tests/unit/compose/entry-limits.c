/* SPDX-License-Identifier: MIT
 *
 * What a payload may make the library remember and unpack.
 */
#include "entry-helper.h"

static hn_code tally_of(uint64_t packed, uint64_t unpacked, const char *why)
{
	compose_tally tally = {.packed = packed};
	hn_error *err = NULL;
	int code = compose_tally_entry(&tally, "this payload", unpacked, &err);

	if (code < 0)
		cr_assert_not_null(strstr(hn_error_message(err), why), "%s", hn_error_message(err));
	hn_error_unref(err);
	return (hn_code)code;
}

Test(entry, size_and_ratio)
{
	const uint64_t mib = 1 << 20;

	cr_assert_eq(tally_of(1, 16 * mib, ""), 0);
	cr_assert_eq(tally_of(1, 16 * mib + 1, "200 to 1"), HN_ELIMIT);
	cr_assert_eq(tally_of(mib, 200 * mib, ""), 0);
	cr_assert_eq(tally_of(mib, 200 * mib + 1, "201 were given"), HN_ELIMIT);
	cr_assert_eq(tally_of(0, 8192 * mib, ""), 0);
	cr_assert_eq(tally_of(0, 8192 * mib + 1, "when it is unpacked"), HN_ELIMIT);
	cr_assert_eq(tally_of(8192 * mib, UINT64_MAX, "when it is unpacked"), HN_ELIMIT);
}

Test(entry, sizes_do_not_overflow)
{
	compose_tally tally = {0};

	cr_assert_eq(compose_tally_bytes(&tally, "x", 1, NULL), 0);
	cr_assert_eq(compose_tally_bytes(&tally, "x", UINT64_MAX, NULL), HN_ELIMIT);
	cr_assert_eq(compose_tally_bytes(&tally, "x", 1, NULL), HN_ELIMIT);
}

/* Each by itself: not a counter that was set. */
Test(entry, one_entry_too_many)
{
	compose_collector *collector = NULL;
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	char name[16];
	int code = 0;

	cr_assert_eq(compose_collector_new(&plain_reading, 0, &collector, NULL), 0);
	for (int i = 0; i < 200001 && code == 0; i++) {
		snprintf(name, sizeof(name), "%d", i);
		code = add_to(collector, raw_of(COMPOSE_RAW_DIRECTORY, name, NULL), &err);
		cr_assert(code == 0 || i == 200000, "entry %d gave %d", i, code);
	}
	cr_assert_eq(code, HN_ELIMIT);
	cr_assert_not_null(strstr(hn_error_message(err), "this payload is refused: "));
	cr_assert_not_null(strstr(hn_error_message(err), "200001 were given"));
	hn_error_unref(err);
	cr_assert_eq(compose_collector_finish(collector, &layer, NULL), 0);
	cr_assert_eq(layer->count, 200000);
	compose_layer_free(layer);
	compose_collector_free(collector);
}

/* 64 directories for each file of a short archive: those count too. */
Test(entry, directories_that_no_entry_is)
{
	compose_collector *collector = NULL;
	hn_error *err = NULL;
	char name[256], *at;
	int code = 0, files = 0;

	cr_assert_eq(compose_collector_new(&plain_reading, 0, &collector, NULL), 0);
	for (; files < 5000 && code == 0; files++) {
		at = name + snprintf(name, sizeof(name), "%d", files);
		for (int i = 0; i < 60; i++)
			at += sprintf(at, "/d");
		code = add_to(collector, raw_of(COMPOSE_RAW_FILE, name, NULL), &err);
	}
	cr_assert_eq(code, HN_ELIMIT);
	cr_expect_eq(files, 200000 / 61 + 1);
	cr_assert_not_null(
		strstr(hn_error_message(err), "200001 were given"), "%s", hn_error_message(err));
	hn_error_unref(err);
	compose_collector_free(collector);
}

Test(entry, names_and_attributes_of_a_payload)
{
	static uint8_t value[60000];
	const compose_raw_xattr xattr = {
		.name = "user.a", .name_size = 6, .value = value, .size = sizeof(value)};
	compose_collector *collector = NULL;
	hn_error *err = NULL;
	char name[16];
	int code = 0, files = 0;

	cr_assert_eq(compose_collector_new(&plain_reading, 0, &collector, NULL), 0);
	for (; files < 2000 && code == 0; files++) {
		compose_raw raw;

		snprintf(name, sizeof(name), "%d", files);
		raw = raw_of(COMPOSE_RAW_FILE, name, NULL);
		raw.xattrs = &xattr;
		raw.xattr_count = 1;
		code = add_to(collector, raw, &err);
	}
	cr_assert_eq(code, HN_ELIMIT);
	cr_expect_eq(files, (64 << 20) / (60010 + sizeof(compose_xattr)) + 1);
	cr_assert_not_null(strstr(hn_error_message(err), "extended attributes of one payload"),
		"%s", hn_error_message(err));
	hn_error_unref(err);
	compose_collector_free(collector);
}

/* A thousand bytes make two lines of a thousand. */
Test(entry, remarks_of_a_payload)
{
	compose_collector *collector = NULL;
	hn_error *err = NULL;
	char name[1001];
	int code = 0, files = 0;

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 200 == 199 ? '/' : 'n';
	name[sizeof(name) - 1] = '\0';
	cr_assert_eq(compose_collector_new(&plain_reading, 0, &collector, NULL), 0);
	for (; files < 100000 && code == 0; files++) {
		compose_raw raw;

		snprintf(name + 990, 11, "%010d", files);
		raw = raw_of(COMPOSE_RAW_FILE, name, NULL);
		raw.mode = 06755;
		code = add_to(collector, raw, &err);
	}
	cr_assert_eq(code, HN_ELIMIT);
	cr_expect_lt(files, (64 << 20) / 3000);
	cr_expect_gt(files, (64 << 20) / 3100);
	hn_error_unref(err);
	compose_collector_free(collector);
}

/* Each has room of its own, whatever it is worth. */
Test(entry, short_attributes_of_a_payload)
{
	static char names[COMPOSE_XATTR_COUNT][9];
	compose_raw_xattr xattrs[COMPOSE_XATTR_COUNT];
	compose_collector *collector = NULL;
	char name[16];
	int code = 0, files = 0;

	for (int i = 0; i < COMPOSE_XATTR_COUNT; i++) {
		snprintf(names[i], sizeof(names[i]), "user.%03d", i);
		xattrs[i] = (compose_raw_xattr){.name = names[i], .name_size = 8};
	}
	cr_assert_eq(compose_collector_new(&plain_reading, 0, &collector, NULL), 0);
	for (; files < 40000 && code == 0; files++) {
		compose_raw raw;

		snprintf(name, sizeof(name), "%d", files);
		raw = raw_of(COMPOSE_RAW_FILE, name, NULL);
		raw.xattrs = xattrs;
		raw.xattr_count = COMPOSE_XATTR_COUNT;
		code = add_to(collector, raw, NULL);
	}
	cr_assert_eq(code, HN_ELIMIT);
	cr_expect_leq(files, (64 << 20) / COMPOSE_XATTR_COUNT / (8 + (int)sizeof(compose_xattr)));
	compose_collector_free(collector);
}

Test(entry, whiteouts_of_an_image)
{
	static const compose_payload image = {.kind = COMPOSE_PAYLOAD_OCI};
	static const compose_reading how = {.payload = &image};
	compose_stack *stack = NULL;
	compose_collector *top = NULL;
	hn_error *err = NULL;
	char name[1001];
	int code = 0, files = 0;

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 200 == 199 ? '/' : 'n';
	name[sizeof(name) - 1] = '\0';
	cr_assert_eq(compose_stack_new(&how, 0, &stack, NULL), 0);
	cr_assert_eq(compose_stack_next(stack, &top, NULL), 0);
	for (; files < 100000 && code == 0; files++) {
		snprintf(name + 990, 11, "%010d", files);
		code = compose_stack_hide(stack, name, 1000, false, &err);
	}
	cr_assert_eq(code, HN_ELIMIT);
	cr_expect_eq(files, (64 << 20) / 1001 + 1);
	hn_error_unref(err);
	compose_stack_free(stack);
}

Test(entry, entries_of_a_payload)
{
	compose_tally tally = {.entries = 199999};
	hn_error *err = NULL;

	cr_assert_eq(compose_tally_entry(&tally, "x", 0, NULL), 0);
	cr_assert_eq(compose_tally_entry(&tally, "x", 0, &err), HN_ELIMIT);
	cr_assert_not_null(strstr(hn_error_message(err), "200001 were given"));
	hn_error_unref(err);
}
