/* SPDX-License-Identifier: MIT
 *
 * The header parameters that every COSE message may have (RFC 9052 section 3.1). Labels are
 * compared by their encoded bytes: in deterministic CBOR each label has one encoding.
 */
#include "codec/codec-private.h"

/* Goes through an encoded map in order. */
typedef struct walk {
	codec_cbor in;
	uint64_t left;
	codec_view label, value;
} walk;

static bool walk_open(walk *at, codec_view map)
{
	codec_cbor_open(&at->in, map.bytes, map.size);
	at->left = 0;
	return map.size == 0 || codec_cbor_map(&at->in, &at->left);
}

/* False behind the last one and at an error, which at->in tells. */
static bool walk_next(walk *at)
{
	if (at->left == 0)
		return false;
	at->left--;
	return codec_cbor_raw(&at->in, &at->label.bytes, &at->label.size) &&
	       codec_cbor_raw(&at->in, &at->value.bytes, &at->value.size);
}

static int walk_end(walk *at, codec_view map, const char *which, hn_error **err)
{
	if (map.size == 0 || codec_cbor_end(&at->in, err) == 0)
		return 0;
	return base_error_wrap(err, HN_ECBOR, "codec", "in the %s header", which);
}

/* -1, 0, 1; labels are ordered by their bytes, and none is the beginning of another. */
static int compare(codec_view a, codec_view b)
{
	int order = memcmp(a.bytes, b.bytes, a.size < b.size ? a.size : b.size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static codec_cbor_type type_of(codec_view item)
{
	codec_cbor in;

	codec_cbor_open(&in, item.bytes, item.size);
	return codec_cbor_peek(&in);
}

static bool is_number_or_text(codec_view item)
{
	codec_cbor_type type = type_of(item);

	return type == CODEC_CBOR_UINT || type == CODEC_CBOR_NEGATIVE || type == CODEC_CBOR_TEXT;
}

static int wrong(hn_error **err, const char *text)
{
	return base_error(err, HN_ECBOR, "codec", NULL, "COSE header: %s", text);
}

static int read_alg(codec_view value, codec_cose_headers *headers, hn_error **err)
{
	codec_cbor in;

	codec_cbor_open(&in, value.bytes, value.size);
	if (codec_cbor_peek(&in) != CODEC_CBOR_TEXT)
		return codec_cbor_int(&in, &headers->alg) ? 0 : wrong(err, "alg is no number");
	const char *text = NULL;
	codec_cbor_text(&in, &text, &headers->alg_text.size);
	headers->alg_text.bytes = (const uint8_t *)text;
	return 0;
}

static int read_critical(codec_view value, codec_cose_headers *headers, hn_error **err)
{
	uint64_t count = 0;
	codec_cbor in;

	codec_cbor_open(&in, value.bytes, value.size);
	if (!codec_cbor_array(&in, &count) || count == 0 || count > CODEC_COSE_CRITICAL)
		return wrong(err, "crit is no array of 1 to 16 labels");
	for (size_t i = 0; i < count; i++) {
		codec_view *label = &headers->critical[i];

		if (!codec_cbor_raw(&in, &label->bytes, &label->size) || !is_number_or_text(*label))
			return wrong(err, "crit holds what is no label");
	}
	headers->critical_count = (size_t)count;
	return 0;
}

static int read_parameter(
	const walk *at, codec_cose_place place, codec_cose_headers *headers, hn_error **err)
{
	codec_view value = at->value;
	codec_cbor in;

	if (!is_number_or_text(at->label))
		return wrong(err, "a label is neither integer nor text");
	headers->count++;
	if (at->label.size != 1)
		return 0;
	switch (at->label.bytes[0]) {
	case CODEC_COSE_ALG:
		headers->alg_place = place;
		return read_alg(value, headers, err);
	case CODEC_COSE_CRIT:
		if (place != CODEC_COSE_PROTECTED)
			return wrong(err, "crit is not protected");
		return read_critical(value, headers, err);
	case CODEC_COSE_CONTENT:
		headers->content_place = place;
		headers->content = value;
		if (!is_number_or_text(value) || type_of(value) == CODEC_CBOR_NEGATIVE)
			return wrong(err, "content type is neither unsigned integer nor text");
		return 0;
	case CODEC_COSE_KID:
		headers->kid_place = place;
		codec_cbor_open(&in, value.bytes, value.size);
		if (!codec_cbor_bytes(&in, &headers->kid.bytes, &headers->kid.size))
			return wrong(err, "kid is no byte string");
		return 0;
	default:
		return 0;
	}
}

static int read_map(
	codec_view map, codec_cose_place place, codec_cose_headers *headers, hn_error **err)
{
	int rc = 0;
	walk at;

	walk_open(&at, map);
	while (rc == 0 && walk_next(&at))
		rc = read_parameter(&at, place, headers, err);
	if (rc < 0)
		return rc;
	return walk_end(&at, map, place == CODEC_COSE_PROTECTED ? "protected" : "unprotected", err);
}

/* Both maps are in order, so that one walk over both finds a label that stands in each. */
static bool share_label(codec_view one, codec_view other)
{
	walk a, b;

	walk_open(&a, one);
	walk_open(&b, other);
	bool more = walk_next(&a) && walk_next(&b);
	while (more) {
		int order = compare(a.label, b.label);

		if (order == 0)
			return true;
		more = walk_next(order < 0 ? &a : &b);
	}
	return false;
}

static bool find(codec_view map, codec_view label, codec_view *value)
{
	walk at;

	walk_open(&at, map);
	while (walk_next(&at)) {
		if (compare(at.label, label) == 0) {
			*value = at.value;
			return true;
		}
	}
	return false;
}

int codec_cose_headers_read(codec_view protected_header, codec_view unprotected,
	codec_cose_headers *headers, hn_error **err)
{
	codec_cose_headers made = {0};
	codec_view value;

	int rc = read_map(protected_header, CODEC_COSE_PROTECTED, &made, err);
	if (rc == 0)
		rc = read_map(unprotected, CODEC_COSE_UNPROTECTED, &made, err);
	if (rc < 0)
		return rc;
	if (share_label(protected_header, unprotected))
		return wrong(err, "a label stands in both maps");
	for (size_t i = 0; i < made.critical_count; i++) {
		if (!find(protected_header, made.critical[i], &value))
			return wrong(err, "crit names a label that is not in the protected header");
	}
	*headers = made;
	return 0;
}

static bool is_number(codec_view label, int64_t number)
{
	int64_t here = 0;
	codec_cbor in;

	codec_cbor_open(&in, label.bytes, label.size);
	return codec_cbor_int(&in, &here) && here == number;
}

int codec_cose_critical_known(
	const codec_cose_headers *headers, const int64_t *known, size_t count, hn_error **err)
{
	for (size_t i = 0; i < headers->critical_count; i++) {
		bool found = false;

		for (size_t j = 0; j < count && !found; j++)
			found = is_number(headers->critical[i], known[j]);
		if (!found)
			return base_error(err, HN_ENOSUP, "codec", NULL,
				"COSE header: a critical parameter is not understood");
	}
	return 0;
}

bool codec_cose_find(codec_view map, int64_t label, codec_view *value)
{
	walk at;

	walk_open(&at, map);
	while (walk_next(&at)) {
		if (is_number(at.label, label)) {
			*value = at.value;
			return true;
		}
	}
	return false;
}
