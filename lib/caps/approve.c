/* SPDX-License-Identifier: MIT
 *
 * Requests for approval and approvals: their bytes, and who has signed.
 */
#include "caps/approve.h"
#include "caps/caveat.h"
#include "caps/terms-private.h"
#include "caps/token-private.h"

#define ASK_PREFIX "hvr1."
#define APPROVAL_PREFIX "hva1."
#define KEY_ID 8

/* { 1 => -8, 4 => 8 bytes, 15 => { 6 => time }, 16 => text of 29 } */
static const uint8_t header_start[] = {0xa4, 0x01, 0x27, 0x04, 0x48};
static const uint8_t header_time[] = {0x0f, 0xa1, 0x06};
static const char header_end[] = "\x10\x78\x1d"
				 "application/vnd.hvc1-approval";

/* --- requests --- */

static void put_view(codec_cbor_out *out, caps_view text)
{
	codec_cbor_put_text(out, (const char *)text.bytes, text.size);
}

static void put_ask(codec_cbor_out *out, const caps_ask *ask)
{
	uint8_t hash[32];

	codec_cbor_put_map(out, 12);
	codec_cbor_put_uint(out, 1);
	codec_cbor_put_uint(out, ask->kind);
	codec_cbor_put_uint(out, 2);
	codec_cbor_put_bytes(out, ask->id, sizeof(ask->id));
	codec_cbor_put_uint(out, 3);
	if (ask->cti.bytes != NULL)
		codec_cbor_put_bytes(out, ask->cti.bytes, ask->cti.size);
	else
		put_view(out, ask->subject);
	codec_cbor_put_uint(out, 4);
	codec_cbor_put_bytes(out, ask->mask.bytes, caps_mask_size(&ask->mask));
	codec_cbor_put_uint(out, 5);
	codec_cbor_put_array(out, ask->pattern_count);
	for (size_t i = 0; i < ask->pattern_count; i++)
		put_view(out, ask->patterns[i]);
	codec_cbor_put_uint(out, 6);
	codec_cbor_put_int(out, ask->ttl);
	codec_cbor_put_uint(out, 7);
	codec_cbor_put_int(out, ask->made);
	codec_cbor_put_uint(out, 8);
	codec_cbor_put_int(out, ask->until);
	codec_cbor_put_uint(out, 9);
	put_view(out, ask->reason);
	codec_cbor_put_uint(out, 10);
	put_view(out, ask->cluster);
	codec_cbor_put_uint(out, 11);
	crypto_sha256(ask->call.bytes, ask->call.size, hash);
	codec_cbor_put_bytes(out, hash, sizeof(hash));
	codec_cbor_put_uint(out, 12);
	codec_cbor_put_bytes(out, ask->call.bytes, ask->call.size);
}

int caps_ask_write(const caps_ask *ask, base_buf *out, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *again = NULL;
	codec_cbor_out made = {0};

	put_ask(&made, ask);
	int rc = made.buf.failed ? base_nomem(err)
				 : caps_ask_read(made.buf.data, made.buf.size, &again, err);
	if (rc == HN_ECBOR)
		rc = base_error_wrap(
			err, HN_EINVAL, CAPS_ROOM, "this request would not be accepted");
	if (rc == 0)
		base_buf_add(out, made.buf.data, made.buf.size);
	base_buf_free(&made.buf);
	return rc == 0 && out->failed ? base_nomem(err) : rc;
}

static bool label_is(codec_cbor *in, uint64_t label)
{
	uint64_t here = 0;

	return codec_cbor_uint(in, &here) && here == label;
}

static bool take_into(codec_cbor *in, uint8_t *bytes, size_t size)
{
	caps_view view;

	if (!caps_take_bytes(in, size, &view))
		return false;
	memcpy(bytes, view.bytes, size);
	return true;
}

static bool take_ref(codec_cbor *in, caps_ask *ask)
{
	if (codec_cbor_peek(in) == CODEC_CBOR_BYTES)
		return caps_take_bytes(in, CAPS_CTI, &ask->cti);
	return caps_take_name(in, CAPS_NAME_BYTES, &ask->subject);
}

static bool take_scope(codec_cbor *in, caps_ask *ask)
{
	uint64_t count = 0;

	if (!label_is(in, 4) || !caps_take_mask(in, &ask->mask) || !label_is(in, 5) ||
		!caps_take_array(in, 1, CAPS_ASK_PATTERNS, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!caps_take_pattern(in, &ask->patterns[i]))
			return false;
	ask->pattern_count = (size_t)count;
	return true;
}

static bool take_reason(codec_cbor *in, caps_view *reason)
{
	const char *text = NULL;

	if (!codec_cbor_text(in, &text, &reason->size) || reason->size == 0 ||
		reason->size > CAPS_ASK_REASON)
		return false;
	for (size_t i = 0; i < reason->size; i++) /* it is shown to who is to sign */
		if ((uint8_t)text[i] < ' ' || text[i] == 0x7f)
			return false;
	reason->bytes = (const uint8_t *)text;
	return true;
}

static bool same(caps_view left, caps_view right)
{
	return left.size == right.size && memcmp(left.bytes, right.bytes, left.size) == 0;
}

/* What people read is what they sign: the hash is of it, and the scope is that of it. */
static bool take_call(codec_cbor *in, caps_ask *ask)
{
	caps_mask mask = {0};
	uint8_t hash[32];

	if (!label_is(in, 11) || !take_into(in, ask->params, sizeof(ask->params)) ||
		!label_is(in, 12) || !codec_cbor_bytes(in, &ask->call.bytes, &ask->call.size))
		return false;
	crypto_sha256(ask->call.bytes, ask->call.size, hash);
	if (!crypto_equal(hash, ask->params, sizeof(hash)) ||
		!caps_called_read(ask->call, &ask->called))
		return false;
	if (ask->kind != CAPS_ASK_USE)
		return ask->called.verb == HN_VERB_BREAKGLASS_ACTIVATE;
	caps_mask_add(&mask, ask->called.verb);
	return memcmp(&mask, &ask->mask, sizeof(mask)) == 0 && ask->pattern_count == 1 &&
	       same(ask->patterns[0], ask->called.object);
}

static bool take_ask(codec_cbor *in, caps_ask *ask)
{
	uint64_t items = 0, kind = 0, ttl = 0;

	if (!codec_cbor_map(in, &items) || items != 12 || !label_is(in, 1) ||
		!caps_take_uint(in, CAPS_ASK_USE, CAPS_ASK_DRILL, &kind) || !label_is(in, 2) ||
		!take_into(in, ask->id, sizeof(ask->id)) || !label_is(in, 3) ||
		!take_ref(in, ask) || !take_scope(in, ask) || !label_is(in, 6) ||
		!caps_take_uint(in, 1, CAPS_ASK_SECONDS, &ttl) || !label_is(in, 7) ||
		!caps_take_time(in, &ask->made) || !label_is(in, 8) ||
		!caps_take_time(in, &ask->until) || !label_is(in, 9) ||
		!take_reason(in, &ask->reason) || !label_is(in, 10) ||
		!caps_take_name(in, CAPS_NAME_BYTES, &ask->cluster))
		return false;
	ask->kind = (caps_ask_kind)kind;
	ask->ttl = (int64_t)ttl;
	return take_call(in, ask) && ask->made < ask->until &&
	       ask->until - ask->made <= CAPS_ASK_SECONDS &&
	       (ask->kind == CAPS_ASK_USE || ask->cti.bytes == NULL);
}

int caps_ask_read(const void *bytes, size_t size, caps_ask **ask, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *made = base_calloc(1, sizeof(*made));
	codec_cbor in;

	if (made == NULL || size > CAPS_ASK_BYTES)
		return made == NULL ? base_nomem(err)
				    : base_error(err, HN_ECBOR, CAPS_ROOM, NULL,
					      "a request for approval has at most %d bytes",
					      CAPS_ASK_BYTES);
	made->bytes = base_memdup(bytes, size);
	if (made->bytes == NULL)
		return base_nomem(err);
	made->size = size;
	codec_cbor_open(&in, made->bytes, size);
	if (!take_ask(&in, made) || codec_cbor_end(&in, NULL) < 0)
		return base_error(
			err, HN_ECBOR, CAPS_ROOM, NULL, "this is no request for approval");
	crypto_sha256(made->bytes, size, made->hash);
	*ask = BASE_STEAL(made);
	return 0;
}

void caps_ask_free(caps_ask *ask)
{
	if (ask == NULL)
		return;
	base_free(ask->bytes);
	base_free(ask);
}

/* --- as text --- */

/* The bytes behind the prefix; white space around them is that of a file. */
static int decode(const char *text, size_t size, const char *prefix, size_t most, uint8_t *bytes,
	size_t *written, hn_error **err)
{
	size_t start = strlen(prefix);

	while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL)
		size--;
	if (size > start && strncmp(text, prefix, start) == 0 &&
		codec_base64url_decode(text + start, size - start, bytes, most, written))
		return 0;
	return base_error(err, HN_ECBOR, CAPS_ROOM,
		"requests begin with hvr1., approvals with hva1.",
		"this is no text of the form %s...", prefix);
}

int caps_ask_read_text(const char *text, caps_ask **ask, hn_error **err)
{
	BASE_AUTO_FREE uint8_t *bytes = base_alloc(CAPS_ASK_BYTES);
	size_t size = 0;

	if (bytes == NULL)
		return base_nomem(err);
	int rc = decode(text, strnlen(text, 2 * CAPS_ASK_BYTES), ASK_PREFIX, CAPS_ASK_BYTES, bytes,
		&size, err);
	return rc < 0 ? rc : caps_ask_read(bytes, size, ask, err);
}

static int encode(const char *prefix, const void *bytes, size_t size, char **text, hn_error **err)
{
	size_t start = strlen(prefix);
	char *made = base_alloc(start + codec_base64url_size(size) + 1);

	if (made == NULL)
		return base_nomem(err);
	memcpy(made, prefix, start);
	codec_base64url(bytes, size, made + start);
	*text = made;
	return 0;
}

int caps_ask_text(const caps_ask *ask, char **text, hn_error **err)
{
	return encode(ASK_PREFIX, ask->bytes, ask->size, text, err);
}

int caps_approval_text(const base_buf *bytes, char **text, hn_error **err)
{
	return encode(APPROVAL_PREFIX, bytes->data, bytes->size, text, err);
}

/* It may be longer than a pattern. */
static void print_reason(hn_json *json, caps_view reason)
{
	base_buf text = {0};

	base_buf_add(&text, reason.bytes, reason.size);
	caps_print_buf(json, "reason", &text);
}

static void put_told(
	hn_json *json, const char *key, const caps_view *text, uint32_t classes, uint32_t redact)
{
	if ((classes & redact) != 0)
		hn_json_null(json, key);
	else
		caps_print_text(json, key, text->bytes, text->size);
}

void caps_ask_json(const caps_ask *ask, uint32_t redact, hn_json *json)
{
	static const char *const kinds[] = {"use", "break-glass", "drill"};
	bool use = ask->kind == CAPS_ASK_USE;

	hn_json_text(json, "kind", kinds[ask->kind]);
	caps_print_hex(json, "hash", ask->hash, sizeof(ask->hash));
	if (ask->cti.bytes != NULL)
		caps_print_hex(json, "cti", ask->cti.bytes, ask->cti.size);
	else
		put_told(json, use ? "subject" : "preset", &ask->subject,
			use ? HN_REDACT_PERSONS : 0, redact);
	caps_print_mask(json, "verbs", ask->mask.bytes, caps_mask_size(&ask->mask), false);
	hn_json_array(json, "on");
	for (size_t i = 0; i < ask->pattern_count; i++)
		put_told(json, NULL, &ask->patterns[i],
			caps_object_classes(ask->patterns[i].bytes, ask->patterns[i].size), redact);
	hn_json_end(json);
	caps_print_seconds(json, "ttl", (uint64_t)ask->ttl);
	caps_print_time(json, "made", ask->made);
	caps_print_time(json, "until", ask->until);
	if ((BASE_REDACT_TEXTS & redact) != 0)
		hn_json_null(json, "reason");
	else
		print_reason(json, ask->reason);
	caps_print_text(json, "cluster", ask->cluster.bytes, ask->cluster.size);
	caps_print_hex(json, "request", ask->params, sizeof(ask->params));
	/* values, tags, names: of any class */
	if (redact != 0)
		hn_json_null(json, "arguments");
	else
		caps_called_json(&ask->called, json);
}

/* --- approvals --- */

static void key_id_of(const uint8_t key[32], uint8_t id[KEY_ID])
{
	uint8_t kid[CAPS_KID];

	caps_kid(key, 0, kid);
	memcpy(id, kid, KEY_ID);
}

int caps_approval_sign(
	const uint8_t hash[32], const uint8_t seed[32], int64_t made, base_buf *out, hn_error **err)
{
	uint8_t key[32], id[KEY_ID], signature[CRYPTO_SIGNATURE];
	codec_cbor_out header = {0}, whole = {0};
	BASE_AUTO_BUF base_buf tbs = {0};

	crypto_ed25519_public(seed, key);
	key_id_of(key, id);
	base_buf_add(&header.buf, header_start, sizeof(header_start));
	base_buf_add(&header.buf, id, sizeof(id));
	base_buf_add(&header.buf, header_time, sizeof(header_time));
	codec_cbor_put_int(&header, made);
	base_buf_add(&header.buf, header_end, sizeof(header_end) - 1);
	codec_cose_sign1 message = {
		.protected_header = {(const uint8_t *)header.buf.data, header.buf.size},
		.payload = {hash, 32},
		.signature = {signature, sizeof(signature)},
		.tagged = true,
	};
	if (!header.buf.failed)
		caps_tbs(&tbs, message.protected_header, message.payload);
	if (!header.buf.failed && !tbs.failed) {
		crypto_ed25519_sign_once(seed, tbs.data, tbs.size, signature);
		codec_cose_sign1_put(&whole, &message);
		base_buf_add(out, whole.buf.data, whole.buf.size);
	}
	bool failed = header.buf.failed || tbs.failed || whole.buf.failed || out->failed;
	base_buf_free(&header.buf);
	base_buf_free(&whole.buf);
	return failed ? base_nomem(err) : 0;
}

/* The one encoding that the writer gives. */
static bool read_header(caps_view header, caps_approval *approval)
{
	size_t start = sizeof(header_start) + KEY_ID, end = sizeof(header_end) - 1;
	codec_cbor in;

	if (header.size < start + sizeof(header_time) + 1 + end ||
		memcmp(header.bytes, header_start, sizeof(header_start)) != 0 ||
		memcmp(header.bytes + start, header_time, sizeof(header_time)) != 0 ||
		memcmp(header.bytes + header.size - end, header_end, end) != 0)
		return false;
	memcpy(approval->key_id, header.bytes + sizeof(header_start), KEY_ID);
	start += sizeof(header_time);
	codec_cbor_open(&in, header.bytes + start, header.size - end - start);
	return caps_take_time(&in, &approval->made) && codec_cbor_end(&in, NULL) == 0;
}

/* Made while a want of memory can be told from a signature that does not hold. */
static int keep_tbs(caps_approval *approval, hn_error **err)
{
	BASE_AUTO_BUF base_buf tbs = {0};

	caps_tbs(&tbs, approval->message.protected_header, approval->message.payload);
	if (tbs.failed || tbs.size > sizeof(approval->tbs))
		return base_nomem(err);
	memcpy(approval->tbs, tbs.data, tbs.size);
	approval->tbs_size = tbs.size;
	return 0;
}

int caps_approval_read(const void *bytes, size_t size, caps_approval *approval, hn_error **err)
{
	static const uint8_t empty_map = 0xa0;
	codec_cose_sign1 *message = &approval->message;

	if (size > sizeof(approval->bytes))
		return base_error(err, HN_ECBOR, CAPS_ROOM, NULL,
			"an approval has at most %zu bytes", sizeof(approval->bytes));
	memcpy(approval->bytes, bytes, size);
	approval->size = size;
	int rc = codec_cose_sign1_parse(approval->bytes, size, false, message, err);
	if (rc < 0)
		return rc;
	if (!message->tagged || message->unprotected.size != 1 ||
		message->unprotected.bytes[0] != empty_map || message->payload.bytes == NULL ||
		message->payload.size != sizeof(approval->hash) ||
		message->signature.size != CRYPTO_SIGNATURE ||
		!read_header(message->protected_header, approval))
		return base_error(err, HN_ECBOR, CAPS_ROOM, NULL, "this is no approval");
	memcpy(approval->hash, message->payload.bytes, sizeof(approval->hash));
	return keep_tbs(approval, err);
}

int caps_approval_read_text(const char *text, size_t size, caps_approval *approval, hn_error **err)
{
	uint8_t bytes[CAPS_APPROVAL_BYTES];
	size_t written = 0;
	int rc = decode(text, size, APPROVAL_PREFIX, sizeof(bytes), bytes, &written, err);

	return rc < 0 ? rc : caps_approval_read(bytes, written, approval, err);
}

size_t caps_approval_by(const caps_approval *approval, const caps_keyset *keyset)
{
	for (size_t i = 0; i < keyset->count; i++) {
		uint8_t id[KEY_ID];

		key_id_of(keyset->entries[i].key, id);
		if (memcmp(id, approval->key_id, KEY_ID) == 0 &&
			crypto_ed25519_verify(keyset->entries[i].key, approval->tbs,
				approval->tbs_size, approval->message.signature.bytes))
			return i;
	}
	return SIZE_MAX;
}

static const char assertion_start[CAPS_NONCE] = "hypernix-mfa.1";

void caps_assertion_hash(const uint8_t nonce[CAPS_NONCE], uint8_t hash[32])
{
	memcpy(hash, assertion_start, sizeof(assertion_start));
	memcpy(hash + sizeof(assertion_start), nonce, CAPS_NONCE);
}

const uint8_t *caps_assertion_nonce(const caps_approval *approval)
{
	return memcmp(approval->hash, assertion_start, sizeof(assertion_start)) == 0
		       ? approval->hash + sizeof(assertion_start)
		       : NULL;
}

void caps_votes_add(caps_votes *votes, caps_view person, int64_t made)
{
	if (votes->count == 0 || made < votes->oldest)
		votes->oldest = made;
	for (size_t i = 0; i < votes->count; i++)
		if (votes->persons[i].size == person.size &&
			memcmp(votes->persons[i].bytes, person.bytes, person.size) == 0)
			return;
	if (votes->count < CAPS_KEYSET_PERSONS)
		votes->persons[votes->count++] = person;
}
