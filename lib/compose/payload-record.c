/* SPDX-License-Identifier: MIT
 *
 * One record of the stream between the child that parses a payload and who started it: an array
 * that begins with the record's type.
 */
#include "compose/payload.h"

enum { ENTRY_ITEMS = 9 };

/* --- writing --- */

static void put_entry(const compose_raw *raw, codec_cbor_out *out)
{
	codec_cbor_put_uint(out, raw->type);
	codec_cbor_put_bytes(out, raw->path, raw->path_size);
	codec_cbor_put_uint(out, raw->mode);
	codec_cbor_put_uint(out, raw->uid);
	codec_cbor_put_uint(out, raw->gid);
	codec_cbor_put_uint(out, raw->size);
	codec_cbor_put_bytes(out, raw->target, raw->target_size);
	codec_cbor_put_array(out, raw->xattr_count);
	for (size_t i = 0; i < raw->xattr_count; i++) {
		codec_cbor_put_array(out, 2);
		codec_cbor_put_bytes(out, raw->xattrs[i].name, raw->xattrs[i].name_size);
		codec_cbor_put_bytes(out, raw->xattrs[i].value, raw->xattrs[i].size);
	}
}

static void put_items(const compose_record *record, codec_cbor_out *out)
{
	static const uint8_t items[] = {3, ENTRY_ITEMS, 2, 3, 2, 3, 1, 3};

	codec_cbor_put_array(out, items[record->type]);
	codec_cbor_put_uint(out, record->type);
	switch (record->type) {
	case COMPOSE_RECORD_BEGIN:
		codec_cbor_put_uint(out, record->version);
		codec_cbor_put_uint(out, record->kind);
		break;
	case COMPOSE_RECORD_ENTRY:
		put_entry(&record->raw, out);
		break;
	case COMPOSE_RECORD_PIECE:
		codec_cbor_put_bytes(out, record->piece, record->piece_size);
		break;
	case COMPOSE_RECORD_CONTROL:
		codec_cbor_put_bytes(out, record->raw.path, record->raw.path_size);
		codec_cbor_put_uint(out, record->raw.size);
		break;
	case COMPOSE_RECORD_END:
		codec_cbor_put_uint(out, record->entries);
		break;
	case COMPOSE_RECORD_REFUSED:
		codec_cbor_put_int(out, record->code);
		codec_cbor_put_bytes(out, record->text, record->text_size);
		break;
	case COMPOSE_RECORD_LAYER:
		break;
	case COMPOSE_RECORD_WHITEOUT:
		codec_cbor_put_bytes(out, record->raw.path, record->raw.path_size);
		codec_cbor_put_bool(out, record->opaque);
		break;
	}
}

void compose_record_put(const compose_record *record, codec_cbor_out *out)
{
	const uint8_t empty[4] = {0};
	size_t start = out->buf.size, size;

	base_buf_add(&out->buf, empty, sizeof(empty));
	put_items(record, out);
	if (out->buf.failed)
		return;
	size = out->buf.size - start - sizeof(empty);
	for (size_t i = 0; i < sizeof(empty); i++)
		out->buf.data[start + i] = (char)(uint8_t)(size >> (24 - 8 * i));
}

/* --- reading --- */

static bool take_bytes(codec_cbor *in, const char **bytes, size_t *size)
{
	const uint8_t *found;

	if (!codec_cbor_bytes(in, &found, size))
		return false;
	*bytes = (const char *)found;
	return true;
}

static bool take_xattrs(codec_cbor *in, compose_record *record)
{
	compose_raw *raw = &record->raw;
	uint64_t count, items;

	if (!codec_cbor_array(in, &count) || count > COMPOSE_XATTR_COUNT)
		return false;
	for (size_t i = 0; i < count; i++) {
		compose_raw_xattr *xattr = &record->xattrs[i];

		if (!codec_cbor_array(in, &items) || items != 2 ||
			!take_bytes(in, &xattr->name, &xattr->name_size) ||
			!codec_cbor_bytes(in, &xattr->value, &xattr->size))
			return false;
	}
	raw->xattrs = record->xattrs;
	raw->xattr_count = count;
	return true;
}

static bool take_entry(codec_cbor *in, compose_record *record)
{
	compose_raw *raw = &record->raw;
	uint64_t type;

	if (!codec_cbor_uint(in, &type) || type < COMPOSE_RAW_FILE || type > COMPOSE_RAW_OTHER)
		return false;
	raw->type = (compose_raw_type)type;
	return take_bytes(in, &raw->path, &raw->path_size) && codec_cbor_uint(in, &raw->mode) &&
	       codec_cbor_uint(in, &raw->uid) && codec_cbor_uint(in, &raw->gid) &&
	       codec_cbor_uint(in, &raw->size) && take_bytes(in, &raw->target, &raw->target_size) &&
	       take_xattrs(in, record);
}

static bool take_begin(codec_cbor *in, compose_record *record)
{
	uint64_t kind;

	if (!codec_cbor_uint(in, &record->version) || !codec_cbor_uint(in, &kind) ||
		kind > COMPOSE_PAYLOAD_BLOB)
		return false;
	record->kind = (compose_payload_kind)kind;
	return true;
}

/* Only what is wrong with a payload: a child cannot say anything else in our name. */
static bool take_refused(codec_cbor *in, compose_record *record)
{
	int64_t code;

	if (!codec_cbor_int(in, &code) || !take_bytes(in, &record->text, &record->text_size) ||
		record->text_size > COMPOSE_TEXT_MOST)
		return false;
	record->code = (hn_code)code;
	return code == HN_EENTRY || code == HN_EDIGEST || code == HN_ELIMIT || code == HN_ENOSUP ||
	       code == HN_ENOMEM || code == HN_EIO || code == HN_ESANDBOX;
}

static bool take_items(codec_cbor *in, uint64_t items, compose_record *record)
{
	switch (record->type) {
	case COMPOSE_RECORD_BEGIN:
		return items == 3 && take_begin(in, record);
	case COMPOSE_RECORD_ENTRY:
		return items == ENTRY_ITEMS && take_entry(in, record);
	case COMPOSE_RECORD_PIECE:
		return items == 2 && codec_cbor_bytes(in, &record->piece, &record->piece_size) &&
		       record->piece_size > 0 && record->piece_size <= COMPOSE_PIECE;
	case COMPOSE_RECORD_CONTROL:
		return items == 3 && take_bytes(in, &record->raw.path, &record->raw.path_size) &&
		       codec_cbor_uint(in, &record->raw.size);
	case COMPOSE_RECORD_END:
		return items == 2 && codec_cbor_uint(in, &record->entries);
	case COMPOSE_RECORD_REFUSED:
		return items == 3 && take_refused(in, record);
	case COMPOSE_RECORD_LAYER:
		return items == 1;
	case COMPOSE_RECORD_WHITEOUT:
		return items == 3 && take_bytes(in, &record->raw.path, &record->raw.path_size) &&
		       codec_cbor_bool(in, &record->opaque);
	}
	return false;
}

int compose_record_read(const uint8_t *bytes, size_t size, compose_record *record, hn_error **err)
{
	codec_cbor in;
	uint64_t items, type;

	codec_cbor_open(&in, bytes, size);
	if (codec_cbor_array(&in, &items) && codec_cbor_uint(&in, &type) &&
		type <= COMPOSE_RECORD_WHITEOUT) {
		memset(record, 0, offsetof(compose_record, xattrs));
		record->type = (compose_record_type)type;
		if (take_items(&in, items, record) && codec_cbor_end(&in, NULL) == 0)
			return 0;
	}
	return base_error(
		err, HN_ECBOR, COMPOSE_ROOM, NULL, "the parser of payloads sent what is no record");
}
