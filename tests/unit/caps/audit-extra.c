/* SPDX-License-Identifier: MIT
 *
 * Field 24 of a record, which has a form for each kind of it: what is of the form is read and shown
 * by its parts, everything else is shown as the bytes that it is.
 */
#include "caps/audit-log.h"
#include "caps/secret.h"
#include <criterion/criterion.h>

static void setup(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}
TestSuite(extra, .init = setup);
TestSuite(shown, .init = setup);

/* What stands in it, item by item. */
typedef enum item_kind { END, MAP, NUMBER, BYTES, TEXT, LIST } item_kind;
typedef struct item {
	item_kind kind;
	uint64_t value; /* members, number, or size */
} item;

static base_buf bytes_of(const item *items)
{
	static char text[CAPS_AUDIT_RECORD];
	codec_cbor_out out = {0};

	memset(text, 't', sizeof(text));
	for (; items->kind != END; items++) {
		if (items->kind == MAP)
			codec_cbor_put_map(&out, items->value);
		else if (items->kind == NUMBER)
			codec_cbor_put_uint(&out, items->value);
		else if (items->kind == BYTES)
			codec_cbor_put_bytes(&out, text, items->value);
		else if (items->kind == TEXT)
			codec_cbor_put_text(&out, text, items->value);
		else
			codec_cbor_put_array(&out, items->value);
	}
	cr_assert_not(out.buf.failed);
	return out.buf;
}

typedef enum extra_form { OPENER, SECRET, KEY, PRUNED, ERASED, FORMS } extra_form;

static audit_record record_of(extra_form form)
{
	static const uint64_t kinds[FORMS] = {[OPENER] = CAPS_AUDIT_SESSION_OPENED,
		[SECRET] = CAPS_AUDIT_ALLOW,
		[KEY] = CAPS_AUDIT_KEY,
		[PRUNED] = CAPS_AUDIT_PRUNE,
		[ERASED] = CAPS_AUDIT_PRUNE};

	return (audit_record){.fields = 1u << 8 | 1u << 24,
		.kind = kinds[form],
		.verb = form == SECRET ? HN_VERB_UNIT_SECRET : HN_VERB_UNIT_START};
}

static bool is_read(extra_form form, const audit_record *record)
{
	uint8_t bytes[CRYPTO_DIGEST];
	uint64_t number = 0;
	audit_secret secret;
	codec_view view;

	switch (form) {
	case OPENER:
		return audit_record_process(record, &view);
	case SECRET:
		return audit_record_secret(record, &secret);
	case KEY:
		return audit_record_key(record, bytes);
	case PRUNED:
		return audit_record_pruned(record, &number);
	default:
		return audit_record_erased(record, &number, bytes);
	}
}

enum { ITEMS_MOST = 10 };

static const item good[FORMS][ITEMS_MOST] = {
	[OPENER] = {{MAP, 4}, {NUMBER, 1}, {NUMBER, 70}, {NUMBER, 2}, {NUMBER, 71}, {NUMBER, 3},
		{NUMBER, 72}, {NUMBER, 4}, {BYTES, AUDIT_REF}},
	[SECRET] = {{MAP, 3}, {NUMBER, 1}, {NUMBER, CAPS_AUDIT_SECRET_ATTACH}, {NUMBER, 2},
		{TEXT, CAPS_SECRET_NAME}, {NUMBER, 3}, {NUMBER, 7}},
	[KEY] = {{MAP, 2}, {NUMBER, 1}, {NUMBER, CRYPTO_ROLE_AUDIT}, {NUMBER, 2},
		{BYTES, CRYPTO_PUBLIC}},
	[PRUNED] = {{MAP, 2}, {NUMBER, 1}, {NUMBER, 256}, {NUMBER, 2}, {NUMBER, 512}},
	[ERASED] = {{MAP, 2}, {NUMBER, 3}, {NUMBER, 5}, {NUMBER, 4}, {BYTES, CRYPTO_DIGEST}},
};

static bool reads(extra_form form, audit_record record, const item *items)
{
	BASE_AUTO_BUF base_buf bytes = bytes_of(items);
	/* of its own size, so that what is read behind it is seen */
	BASE_AUTO_FREE void *copy =
		bytes.size > 0 ? base_memdup(bytes.data, bytes.size) : (void *)base_strdup("");

	record.extra = (codec_view){copy, bytes.size};
	return is_read(form, &record);
}

Test(extra, each_form_is_read)
{
	for (extra_form form = 0; form < FORMS; form++)
		cr_expect(reads(form, record_of(form), good[form]), "%d", (int)form);
}

Test(extra, of_another_kind_it_is_none)
{
	static const uint64_t kinds[] = {CAPS_AUDIT_START, CAPS_AUDIT_DENIALS, CAPS_AUDIT_FORK};

	for (extra_form form = 0; form < FORMS; form++)
		for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
			audit_record record = record_of(form);

			record.kind = kinds[i];
			cr_expect_not(reads(form, record, good[form]), "%d: kind %llu", (int)form,
				(unsigned long long)kinds[i]);
		}
}

/* Every item in turn is missing with all behind it, is of another type, or is one more or less. */
Test(extra, each_item_counts)
{
	static const bool is_value[FORMS][ITEMS_MOST] = {
		[OPENER] = {[2] = true, [4] = true, [6] = true},
		[SECRET] = {[6] = true},
		[PRUNED] = {[2] = true, [4] = true},
		[ERASED] = {[2] = true},
	};

	for (extra_form form = 0; form < FORMS; form++) {
		audit_record record = record_of(form);

		for (size_t i = 0; good[form][i].kind != END; i++) {
			item items[ITEMS_MOST];

			memcpy(items, good[form], sizeof(items));
			items[i].kind = END;
			cr_expect_not(reads(form, record, items), "%d: cut at %zu", (int)form, i);
			items[i] = (item){LIST, 0};
			cr_expect_not(
				reads(form, record, items), "%d: a list at %zu", (int)form, i);
			items[i] = good[form][i];
			items[i].value++;
			cr_expect_eq(reads(form, record, items), is_value[form][i],
				"%d: one more at %zu", (int)form, i);
			if (i == 0) /* field 24 is one item: nothing is behind it */
				continue;
			items[i].value -= 2;
			cr_expect_eq(reads(form, record, items),
				is_value[form][i] || (form == SECRET && (i == 2 || i == 4)),
				"%d: one less at %zu", (int)form, i);
		}
	}
}

Test(extra, a_secret_with_and_without_a_version)
{
	static const item without[] = {{MAP, 2}, {NUMBER, 1}, {NUMBER, CAPS_AUDIT_SECRET_PUT},
		{NUMBER, 2}, {TEXT, 1}, {0}};
	static const item nameless[] = {{MAP, 2}, {NUMBER, 1}, {NUMBER, CAPS_AUDIT_SECRET_PUT},
		{NUMBER, 2}, {TEXT, 0}, {0}};
	static const item more[] = {{MAP, 4}, {NUMBER, 1}, {NUMBER, CAPS_AUDIT_SECRET_PUT},
		{NUMBER, 2}, {TEXT, 1}, {NUMBER, 3}, {NUMBER, 1}, {NUMBER, 4}, {NUMBER, 1}, {0}};
	static const item less[] = {{MAP, 1}, {NUMBER, 1}, {NUMBER, CAPS_AUDIT_SECRET_PUT}, {0}};
	audit_record record = record_of(SECRET);

	cr_expect(reads(SECRET, record, without));
	cr_expect_not(reads(SECRET, record, nameless));
	cr_expect_not(reads(SECRET, record, more));
	cr_expect_not(reads(SECRET, record, less));
	record.kind = CAPS_AUDIT_OUTCOME;
	cr_expect(reads(SECRET, record, without), "allow, deny and outcome have one");
	record.verb = HN_VERB_UNIT_START;
	cr_expect_not(reads(SECRET, record, without), "another verb has none");
	record = record_of(SECRET);
	record.fields = 1u << 24;
	cr_expect_not(reads(SECRET, record, without), "nor a record without a verb");
}

Test(extra, words_of_what_is_done_to_a_secret)
{
	cr_expect_str_eq(caps_audit_secret_text(CAPS_AUDIT_SECRET_PUT), "put");
	cr_expect_str_eq(caps_audit_secret_text(CAPS_AUDIT_SECRET_REMOVE), "remove");
	cr_expect_str_eq(caps_audit_secret_text(CAPS_AUDIT_SECRET_ATTACH), "attach");
	cr_expect_null(caps_audit_secret_text(0));
	cr_expect_null(caps_audit_secret_text(4));
}

/* --- as JSON --- */

static char *find_some(void *arg, const uint8_t ref[AUDIT_REF])
{
	(void)ref;
	return arg ? base_strdup(arg) : NULL;
}

static char *json_of(const audit_record *record, const audit_text_source *texts)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *text = NULL;
	audit_record whole = *record;

	whole.node = (codec_view){(const uint8_t *)"node", 4}; /* which every record has */
	cr_assert_eq(hn_json_new(false, &json, NULL), 0);
	hn_json_object(json, NULL);
	audit_record_json(&whole, texts, json);
	hn_json_end(json);
	cr_assert_eq(hn_json_finish(json, &text, NULL, NULL), 0);
	return base_strdup(text);
}

static void shows(const audit_record *record, const audit_text_source *texts, const char *part)
{
	BASE_AUTO_FREE char *text = json_of(record, texts);

	cr_expect_not_null(strstr(text, part), "%s in %s", part, text);
}

static void leaves_out(const audit_record *record, const audit_text_source *texts, const char *part)
{
	BASE_AUTO_FREE char *text = json_of(record, texts);

	cr_expect_null(strstr(text, part), "%s in %s", part, text);
}

static char found[] = "found";
static const audit_text_source all = {.find = find_some, .arg = found};
static const audit_text_source erased = {.find = find_some};
static const audit_text_source redacted = {
	.find = find_some, .arg = found, .redact = BASE_REDACT_TEXTS};

Test(shown, the_opener_of_a_session)
{
	BASE_AUTO_BUF base_buf bytes = bytes_of(good[OPENER]);
	audit_record record = record_of(OPENER);

	record.extra = (codec_view){(const uint8_t *)bytes.data, bytes.size};
	shows(&record, &all, "\"uid\":70,\"loginUid\":71,\"pid\":72,\"process\":\"found\"");
	shows(&record, &erased, "\"process\":null");
	shows(&record, NULL, "\"process\":\"74747474747474747474747474747474\"");
	shows(&record, &redacted, "\"details\":null");
	leaves_out(&record, &redacted, "loginUid");
	leaves_out(&record, &redacted, "found");
}

Test(shown, a_secret_by_its_name)
{
	static const item items[] = {{MAP, 3}, {NUMBER, 1}, {NUMBER, CAPS_AUDIT_SECRET_REMOVE},
		{NUMBER, 2}, {TEXT, 3}, {NUMBER, 3}, {NUMBER, 9}, {0}};
	BASE_AUTO_BUF base_buf bytes = bytes_of(items);
	audit_record record = record_of(SECRET);

	record.extra = (codec_view){(const uint8_t *)bytes.data, bytes.size};
	shows(&record, &all,
		"\"secret\":{\"operation\":\"remove\",\"name\":\"ttt\",\"version\":9}");
	shows(&record, &redacted, "\"name\":null");
	leaves_out(&record, &redacted, "ttt");
}

Test(shown, a_secret_without_a_version)
{
	static const item items[] = {{MAP, 2}, {NUMBER, 1}, {NUMBER, CAPS_AUDIT_SECRET_PUT},
		{NUMBER, 2}, {TEXT, 3}, {0}};
	BASE_AUTO_BUF base_buf bytes = bytes_of(items);
	audit_record record = record_of(SECRET);

	record.extra = (codec_view){(const uint8_t *)bytes.data, bytes.size};
	shows(&record, NULL, "\"secret\":{\"operation\":\"put\",\"name\":\"ttt\"}");
}

Test(shown, a_note)
{
	static const item items[] = {{MAP, 1}, {NUMBER, 0}, {TEXT, 4}, {0}};
	BASE_AUTO_BUF base_buf bytes = bytes_of(items);
	audit_record record = record_of(KEY);

	record.extra = (codec_view){(const uint8_t *)bytes.data, bytes.size};
	shows(&record, &all, "\"note\":\"tttt\"");
	shows(&record, &redacted, "\"note\":\"tttt\"");
}

/* Bytes of no known form are shown as they are, but not to those who may not see texts. */
Test(shown, everything_else)
{
	static const item others[][ITEMS_MOST] = {
		{{MAP, 0}},
		{{MAP, 1}, {NUMBER, 1}, {TEXT, 4}},
		{{MAP, 1}, {TEXT, 1}, {TEXT, 4}},
		{{MAP, 1}, {NUMBER, 0}, {NUMBER, 4}},
		{{MAP, 1}, {NUMBER, 0}, {BYTES, 4}},
		{{MAP, 1}, {NUMBER, 0}, {TEXT, 0}},
		{{MAP, 2}, {NUMBER, 0}, {TEXT, 1}, {NUMBER, 1}, {TEXT, 1}},
		{{LIST, 0}},
	};

	for (size_t i = 0; i < BASE_COUNT(others); i++) {
		BASE_AUTO_BUF base_buf bytes = bytes_of(others[i]);
		audit_record record = record_of(KEY);

		record.extra = (codec_view){(const uint8_t *)bytes.data, bytes.size};
		shows(&record, &all, "\"details\":\"");
		leaves_out(&record, &all, "\"note\"");
		shows(&record, &redacted, "\"details\":null");
	}
}

Test(shown, who_and_why_are_texts_beside_it)
{
	static const uint8_t ref[AUDIT_REF] = {0xab};
	const codec_view view = {ref, sizeof(ref)};
	audit_text_source persons = all;
	audit_record record = {.kind = CAPS_AUDIT_ALLOW, .subject = view, .reason = view};

	persons.redact = HN_REDACT_PERSONS;
	shows(&record, &all, "\"subject\":\"found\"");
	shows(&record, &persons, "\"subject\":null");
	shows(&record, &persons, "\"reason\":null");
	persons.redact = HN_REDACT_USAGE;
	shows(&record, &persons, "\"subject\":\"found\"");
	shows(&record, &persons, "\"reason\":\"found\"");
	shows(&record, &redacted, "\"reason\":null");
	shows(&record, NULL, "\"reason\":\"ab0000");
}

Test(shown, a_verb_that_is_not_known_and_a_code)
{
	audit_record record = {.fields = 1u << 8 | 1u << 19 | 1u << 20 | 1u << 18,
		.kind = CAPS_AUDIT_OUTCOME,
		.verb = 9999,
		.refers = 3,
		.count = 4};

	shows(&record, &all, "\"verb\":9999");
	shows(&record, &all, "\"code\":\"ok\"");
	shows(&record, &all, "\"refers\":3");
	shows(&record, &all, "\"count\":4");
	record.code = HN_EDENIED;
	shows(&record, &all, "\"code\":\"HN_EDENIED\"");
	record.fields = 0;
	leaves_out(&record, &all, "\"verb\"");
	leaves_out(&record, &all, "\"code\"");
}
