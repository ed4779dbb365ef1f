/* SPDX-License-Identifier: MIT
 *
 * Reading a record of the audit log: strict CBOR into fields, and those as JSON.
 */
#include "caps/audit-log.h"

#include "caps/secret.h"
#include "caps/terms-private.h"
#include <stdio.h>

const char *caps_audit_kind_text(uint64_t kind)
{
	static const char *const names[] = {"start", "allow", "deny", "outcome", "denials",
		"session-opened", "session-ended", "issue", "revoke", "epoch", "approval",
		"break-glass", "trust", "key", "clock", "recovery", "prune", "export", "fork"};

	return kind < BASE_COUNT(names) ? names[kind] : NULL;
}

/* --- CBOR to fields --- */

static bool get_view(codec_cbor *in, codec_view *view, size_t size)
{
	const uint8_t *bytes = NULL;
	size_t length = 0;

	if (!codec_cbor_bytes(in, &bytes, &length) || length != size)
		return false;
	*view = (codec_view){bytes, length};
	return true;
}

static bool get_text(codec_cbor *in, codec_view *view, size_t most)
{
	const char *text = NULL;
	size_t size = 0;

	if (!codec_cbor_text(in, &text, &size) || size == 0 || size > most)
		return false;
	*view = (codec_view){(const uint8_t *)text, size};
	return true;
}

static bool get_cti(codec_cbor *in, audit_record *record)
{
	uint64_t count = 0;

	if (!codec_cbor_array(in, &count) || count == 0 || count > BASE_COUNT(record->cti))
		return false;
	for (record->cti_count = 0; record->cti_count < count; record->cti_count++)
		if (!get_view(in, &record->cti[record->cti_count], AUDIT_REF))
			return false;
	return true;
}

static bool get_rule(codec_cbor *in, audit_record *record)
{
	uint64_t count = 0;

	record->has_rule = true;
	return codec_cbor_array(in, &count) && count == 3 &&
	       codec_cbor_uint(in, &record->rule[0]) && codec_cbor_uint(in, &record->rule[1]) &&
	       codec_cbor_uint(in, &record->rule[2]);
}

/* Fields 1 to 9, which say what, when and where. */
static bool get_first(codec_cbor *in, uint64_t field, audit_record *record)
{
	switch (field) {
	case 1:
		return codec_cbor_uint(in, &record->version) && record->version == 1;
	case 2:
		return codec_cbor_uint(in, &record->number);
	case 3:
		return codec_cbor_int(in, &record->wall);
	case 4:
		return codec_cbor_uint(in, &record->bound);
	case 5:
		return codec_cbor_uint(in, &record->boot);
	case 6:
		return get_text(in, &record->node, 128);
	case 7:
		return codec_cbor_uint(in, &record->kind) &&
		       caps_audit_kind_text(record->kind) != NULL;
	case 8:
		return codec_cbor_uint(in, &record->verb);
	default:
		return get_text(in, &record->object, 256);
	}
}

static bool get_right(codec_cbor *in, uint64_t field, audit_record *record)
{
	switch (field) {
	case 10:
		return get_view(in, &record->subject, AUDIT_REF);
	case 11:
		return get_cti(in, record);
	case 12:
		return get_view(in, &record->chain, CRYPTO_DIGEST);
	case 13:
		return get_view(in, &record->kid, CRYPTO_SIGNER_KID);
	case 14:
		return get_rule(in, record);
	case 15:
		return codec_cbor_int(in, &record->valid_until);
	case 16:
		return get_text(in, &record->tzdata, 128);
	default:
		return get_view(in, &record->request, CRYPTO_DIGEST);
	}
}

static bool get_rest(codec_cbor *in, uint64_t field, audit_record *record)
{
	switch (field) {
	case 18:
		return codec_cbor_uint(in, &record->refers);
	case 19:
		return codec_cbor_int(in, &record->code);
	case 20:
		return codec_cbor_uint(in, &record->count);
	case 21:
		return get_view(in, &record->reason, AUDIT_REF);
	case 22:
		return get_view(in, &record->trace, 16);
	case 23:
		return get_view(in, &record->session, 8);
	case 24:
		return codec_cbor_peek(in) == CODEC_CBOR_MAP &&
		       codec_cbor_raw(in, &record->extra.bytes, &record->extra.size);
	default:
		return false;
	}
}

bool audit_record_read(const void *bytes, size_t size, audit_record *record)
{
	const uint32_t needed = 0xfe; /* fields 1 to 7 */
	codec_cbor in;
	uint64_t count = 0, field = 0;

	*record = (audit_record){0};
	if (size > CAPS_AUDIT_RECORD)
		return false;
	codec_cbor_open(&in, bytes, size);
	if (!codec_cbor_map(&in, &count))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (!codec_cbor_uint(&in, &field) || field < 1 || field > 24)
			return false;
		if (field < 10 ? !get_first(&in, field, record)
			       : (field < 18 ? !get_right(&in, field, record)
					     : !get_rest(&in, field, record)))
			return false;
		record->fields |= 1u << field;
	}
	return codec_cbor_end(&in, NULL) == 0 && (record->fields & needed) == needed;
}

/* --- fields to JSON --- */

static bool has(const audit_record *record, unsigned field)
{
	return (record->fields & 1u << field) != 0;
}

static void put_hex(hn_json *json, const char *key, codec_view bytes)
{
	if (bytes.size > 0)
		caps_print_hex(json, key, bytes.bytes, bytes.size);
}

static bool leaves_out(const audit_text_source *texts, uint32_t classes)
{
	return texts && (texts->redact & classes) != 0;
}

/* A text that lies beside the record; null once it was erased, or when it is left out. */
static void put_beside(hn_json *json, const char *key, codec_view ref, uint32_t classes,
	const audit_text_source *texts)
{
	BASE_AUTO_FREE char *body = NULL;

	if (ref.size == 0)
		return;
	if (leaves_out(texts, classes)) {
		hn_json_null(json, key);
		return;
	}
	if (!texts) {
		put_hex(json, key, ref);
		return;
	}
	body = texts->find(texts->arg, ref.bytes);
	if (body)
		hn_json_text(json, key, body);
	else
		hn_json_null(json, key);
}

/* 2026-01-31T12:00:00.123Z */
static void put_time(hn_json *json, const char *key, int64_t wall)
{
	char text[CAPS_TIME_TEXT + 8];
	int64_t seconds = wall / 1000;

	caps_time_text(seconds, text);
	(void)snprintf(text + strlen(text) - 1, 8, ".%03dZ", (int)(wall - seconds * 1000));
	hn_json_text(json, key, text);
}

static void put_rule(hn_json *json, const audit_record *record)
{
	hn_json_object(json, "rule");
	hn_json_uint(json, "link", record->rule[0]);
	hn_json_uint(json, "slot", record->rule[1]);
	hn_json_uint(json, "caveat", record->rule[2]);
	hn_json_end(json);
}

static void put_view(hn_json *json, const char *key, codec_view text, uint32_t classes,
	const audit_text_source *texts)
{
	if (leaves_out(texts, classes))
		hn_json_null(json, key);
	else
		caps_print_text(json, key, text.bytes, text.size);
}

static void put_what(hn_json *json, const audit_record *record, const audit_text_source *texts)
{
	bool known = has(record, 8) && record->verb < HN_VERB_COUNT;
	const char *verb = known ? base_verb_text((hn_verb)record->verb) : NULL;

	hn_json_uint(json, "number", record->number);
	put_time(json, "time", record->wall);
	hn_json_uint(json, "boundMs", record->bound);
	hn_json_uint(json, "bootMs", record->boot);
	put_view(json, "node", record->node, HN_REDACT_ADDRESSES, texts);
	hn_json_text(json, "kind", caps_audit_kind_text(record->kind));
	if (verb)
		hn_json_text(json, "verb", verb);
	else if (has(record, 8))
		hn_json_uint(json, "verb", record->verb);
	if (has(record, 9))
		put_view(json, "object", record->object,
			caps_object_classes(record->object.bytes, record->object.size), texts);
}

static void put_right(hn_json *json, const audit_record *record, const audit_text_source *texts)
{
	put_beside(json, "subject", record->subject, HN_REDACT_PERSONS, texts);
	if (record->cti_count > 0) {
		hn_json_array(json, "cti");
		for (size_t i = 0; i < record->cti_count; i++)
			put_hex(json, NULL, record->cti[i]);
		hn_json_end(json);
	}
	put_hex(json, "chain", record->chain);
	put_hex(json, "kid", record->kid);
	if (record->has_rule)
		put_rule(json, record);
	if (has(record, 15))
		put_time(json, "validUntil", record->valid_until * 1000);
	if (has(record, 16))
		caps_print_text(json, "tzdata", record->tzdata.bytes, record->tzdata.size);
	put_hex(json, "request", record->request);
}

/* {1 => uid, 2 => login, 3 => pid, 4 => reference of the process} */
static bool read_opener(const audit_record *record, uint64_t value[3], codec_view *process)
{
	codec_cbor in;
	uint64_t count = 0, key = 0;

	codec_cbor_open(&in, record->extra.bytes, record->extra.size);
	if (record->kind != CAPS_AUDIT_SESSION_OPENED || !codec_cbor_map(&in, &count) || count != 4)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (!codec_cbor_uint(&in, &key) || key != i + 1 || !codec_cbor_uint(&in, &value[i]))
			return false;
	return codec_cbor_uint(&in, &key) && key == 4 && get_view(&in, process, AUDIT_REF);
}

bool audit_record_process(const audit_record *record, codec_view *ref)
{
	uint64_t value[3];

	return read_opener(record, value, ref);
}

const char *caps_audit_secret_text(uint64_t act)
{
	switch (act) {
	case CAPS_AUDIT_SECRET_PUT:
		return "put";
	case CAPS_AUDIT_SECRET_REMOVE:
		return "remove";
	case CAPS_AUDIT_SECRET_ATTACH:
		return "attach";
	default:
		return NULL;
	}
}

/* {1 => act, 2 => name, ? 3 => version} */
bool audit_record_secret(const audit_record *record, audit_secret *secret)
{
	codec_cbor in;
	uint64_t count = 0, key = 0;

	secret->version = 0;
	codec_cbor_open(&in, record->extra.bytes, record->extra.size);
	if ((record->fields & 1u << 8) == 0 || record->verb != HN_VERB_UNIT_SECRET ||
		record->kind < CAPS_AUDIT_ALLOW || record->kind > CAPS_AUDIT_OUTCOME ||
		!codec_cbor_map(&in, &count) || count < 2 || count > 3 ||
		!codec_cbor_uint(&in, &key) || key != 1 || !codec_cbor_uint(&in, &secret->act) ||
		!caps_audit_secret_text(secret->act) || !codec_cbor_uint(&in, &key) || key != 2 ||
		!get_text(&in, &secret->name, CAPS_SECRET_NAME))
		return false;
	return count == 2 ||
	       (codec_cbor_uint(&in, &key) && key == 3 && codec_cbor_uint(&in, &secret->version));
}

static void put_secret(hn_json *json, const audit_secret *secret, const audit_text_source *texts)
{
	hn_json_object(json, "secret");
	hn_json_text(json, "operation", caps_audit_secret_text(secret->act));
	put_view(json, "name", secret->name, BASE_REDACT_TEXTS, texts);
	if (secret->version != 0)
		hn_json_uint(json, "version", secret->version);
	hn_json_end(json);
}

/* {0 => text} */
bool audit_record_note(const audit_record *record, codec_view *note)
{
	codec_cbor in;
	uint64_t count = 0, key = 1;

	codec_cbor_open(&in, record->extra.bytes, record->extra.size);
	return codec_cbor_map(&in, &count) && count == 1 && codec_cbor_uint(&in, &key) &&
	       key == 0 && codec_cbor_peek(&in) == CODEC_CBOR_TEXT &&
	       get_text(&in, note, CAPS_AUDIT_RECORD);
}

/* Field 24: the opener of a session, a secret, a note; else the bytes as they are. */
static void put_extra(hn_json *json, const audit_record *record, const audit_text_source *texts)
{
	uint64_t value[3];
	codec_view view;
	audit_secret secret;

	if (audit_record_secret(record, &secret)) {
		put_secret(json, &secret, texts);
	} else if (leaves_out(texts, BASE_REDACT_TEXTS) && !audit_record_note(record, &view)) {
		hn_json_null(json, "details");
	} else if (read_opener(record, value, &view)) {
		hn_json_uint(json, "uid", value[0]);
		hn_json_uint(json, "loginUid", value[1]);
		hn_json_uint(json, "pid", value[2]);
		put_beside(json, "process", view, BASE_REDACT_TEXTS, texts);
	} else if (audit_record_note(record, &view)) {
		caps_print_text(json, "note", view.bytes, view.size);
	} else {
		put_hex(json, "details", record->extra);
	}
}

void audit_record_json(const audit_record *record, const audit_text_source *texts, hn_json *json)
{
	put_what(json, record, texts);
	put_right(json, record, texts);
	if (has(record, 18))
		hn_json_uint(json, "refers", record->refers);
	if (has(record, 19))
		hn_json_text(json, "code",
			record->code == 0 ? "ok" : hn_code_name((hn_code)record->code));
	if (has(record, 20))
		hn_json_uint(json, "count", record->count);
	put_beside(json, "reason", record->reason, BASE_REDACT_TEXTS, texts);
	put_hex(json, "trace", record->trace);
	put_hex(json, "session", record->session);
	if (has(record, 24))
		put_extra(json, record, texts);
}

bool audit_record_key(const audit_record *record, uint8_t key[CRYPTO_PUBLIC])
{
	codec_cbor in;
	codec_view view;
	uint64_t count = 0, field = 0, role = 0;

	codec_cbor_open(&in, record->extra.bytes, record->extra.size);
	if (record->kind != CAPS_AUDIT_KEY || !codec_cbor_map(&in, &count) || count != 2 ||
		!codec_cbor_uint(&in, &field) || field != 1 || !codec_cbor_uint(&in, &role) ||
		role != CRYPTO_ROLE_AUDIT || !codec_cbor_uint(&in, &field) || field != 2 ||
		!get_view(&in, &view, CRYPTO_PUBLIC))
		return false;
	memcpy(key, view.bytes, CRYPTO_PUBLIC);
	return true;
}

bool audit_record_pruned(const audit_record *record, uint64_t *first)
{
	codec_cbor in;
	uint64_t count = 0, field = 0, before = 0;

	codec_cbor_open(&in, record->extra.bytes, record->extra.size);
	return record->kind == CAPS_AUDIT_PRUNE && codec_cbor_map(&in, &count) && count == 2 &&
	       codec_cbor_uint(&in, &field) && field == 1 && codec_cbor_uint(&in, &before) &&
	       codec_cbor_uint(&in, &field) && field == 2 && codec_cbor_uint(&in, first);
}

bool audit_record_erased(const audit_record *record, uint64_t *count, uint8_t digest[CRYPTO_DIGEST])
{
	codec_cbor in;
	codec_view view;
	uint64_t members = 0, field = 0;

	codec_cbor_open(&in, record->extra.bytes, record->extra.size);
	if (record->kind != CAPS_AUDIT_PRUNE || !codec_cbor_map(&in, &members) || members != 2 ||
		!codec_cbor_uint(&in, &field) || field != 3 || !codec_cbor_uint(&in, count) ||
		!codec_cbor_uint(&in, &field) || field != 4 || !get_view(&in, &view, CRYPTO_DIGEST))
		return false;
	memcpy(digest, view.bytes, CRYPTO_DIGEST);
	return true;
}
