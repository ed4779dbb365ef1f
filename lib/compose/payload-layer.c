/* SPDX-License-Identifier: MIT
 *
 * The layer of a payload: from the cache, or from its bytes once these are what the manifest says.
 */
#include "compose/payload.h"
#include <stdio.h>

#define FOLDER "layers"
/* What the limits of a payload come to, and more: so much is written, and so much is read. */
#define LAYER_BYTES (UINT64_C(256) << 20)

/* --- the key: everything that decides what is read --- */

static void put_text(codec_cbor_out *out, const char *text)
{
	if (text != NULL)
		codec_cbor_put_text(out, text, strlen(text));
	else
		codec_cbor_put_null(out);
}

static void put_texts(codec_cbor_out *out, const char *const *texts, size_t count)
{
	codec_cbor_put_array(out, count);
	for (size_t i = 0; i < count; i++)
		put_text(out, texts[i]);
}

static void put_payload(codec_cbor_out *out, const compose_payload *payload)
{
	codec_cbor_put_uint(out, payload->kind);
	codec_cbor_put_bytes(out, payload->sha256.bytes, sizeof(payload->sha256.bytes));
	codec_cbor_put_uint(out, payload->size);
	put_text(out, payload->path);
	codec_cbor_put_uint(out, payload->mode);
	put_text(out, payload->platform);
	put_texts(out, payload->exclude, payload->exclude_count);
	put_texts(out, payload->setuid, payload->setuid_count);
	codec_cbor_put_array(out, payload->script_count);
	for (size_t i = 0; i < payload->script_count; i++) {
		const compose_script *script = &payload->scripts[i];

		codec_cbor_put_array(out, 2);
		put_text(out, script->name);
		codec_cbor_put_bytes(out, script->digest.bytes, sizeof(script->digest.bytes));
	}
}

static int make_key(const compose_reading *how, compose_digest *key, hn_error **err)
{
	codec_cbor_out out = {0};
	int code = 0;

	codec_cbor_put_array(&out, 6);
	put_text(&out, how->parser_key != NULL ? how->parser_key : "");
	codec_cbor_put_uint(&out, COMPOSE_READER);
	codec_cbor_put_array(&out, 10);
	put_payload(&out, how->payload);
	codec_cbor_put_bool(&out, how->undecided);
	codec_cbor_put_array(&out, how->alias_count);
	for (size_t i = 0; i < how->alias_count; i++) {
		codec_cbor_put_array(&out, 2);
		put_text(&out, how->aliases[i].path);
		put_text(&out, how->aliases[i].target);
	}
	codec_cbor_put_array(&out, how->user_count);
	for (size_t i = 0; i < how->user_count; i++) {
		codec_cbor_put_array(&out, 2);
		codec_cbor_put_uint(&out, how->users[i].uid);
		codec_cbor_put_uint(&out, how->users[i].gid);
	}
	if (out.buf.failed)
		code = base_nomem(err);
	else
		crypto_blake2b(out.buf.data, out.buf.size, key->bytes);
	base_buf_free(&out.buf);
	return code;
}

/* --- the cache --- */

static int live(const compose_reading *how, hn_error **err)
{
	return hn_cancel_triggered(how->cancel) ? base_error(err, HN_ECANCELLED, COMPOSE_ROOM, NULL,
							  "the reading of a payload was cancelled")
						: 0;
}

/* 0 or 1. */
static int has_bodies(compose_store *store, const compose_reading *how, const compose_layer *layer,
	hn_error **err)
{
	for (size_t i = 0; i < layer->count; i++) {
		int code = live(how, err);

		if (code < 0)
			return code;
		if (layer->entries[i].type == COMPOSE_ENTRY_FILE &&
			!compose_store_has(store, &layer->entries[i].content))
			return 0;
	}
	return 1;
}

static int read_kept(
	compose_store *store, const compose_digest *key, compose_layer **layer, hn_error **err)
{
	BASE_AUTO_FREE char *bytes = NULL;
	size_t size;
	int code = compose_store_recall(store, FOLDER, key, LAYER_BYTES, &bytes, &size, err);

	return code < 0 ? code : compose_layer_read(bytes, size, layer, err);
}

int compose_payload_cached(
	compose_store *store, const compose_reading *how, compose_layer **layer, hn_error **err)
{
	compose_digest key;
	int code = make_key(how, &key, err);

	return code < 0 ? code : read_kept(store, &key, layer, err);
}

/* What is not there, or not whole, is read again. */
static int recall(compose_store *store, const compose_digest *key, const compose_reading *how,
	compose_layer **layer, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *read = NULL;
	int code = read_kept(store, key, &read, err);

	if (code == HN_ENOENT || code == HN_EDIGEST || code == HN_ECORRUPT || code == HN_ECBOR ||
		code == HN_ENEWER || code == HN_ELIMIT)
		return base_error_forgive(err, code, (hn_code)code);
	if (code == 0)
		code = how->only_look ? 1 : has_bodies(store, how, read, err);
	if (code > 0)
		*layer = BASE_STEAL(read);
	return code < 0 ? code : 0;
}

static int keep(
	compose_store *store, const compose_digest *key, const compose_layer *layer, hn_error **err)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	int code = compose_layer_write(layer, &bytes, err);

	if (code < 0 || bytes.size > LAYER_BYTES) /* which nobody would read back */
		return code < 0 ? code : 0;
	return compose_store_record(store, FOLDER, key, bytes.data, bytes.size, err);
}

/* --- the bytes --- */

static int differs(const compose_payload *payload, const char *what, hn_error **err)
{
	char hex[2 * CRYPTO_DIGEST + 1];

	codec_hex(payload->sha256.bytes, sizeof(payload->sha256.bytes), hex);
	return compose_fail(err, HN_EDIGEST, &payload->place, "hv-compose put brings the right one",
		"payload %s is not what the manifest says: %s", hex, what);
}

static int hash_of(hn_os *os, int fd, uint64_t size, const compose_reading *how,
	uint8_t digest[CRYPTO_DIGEST], hn_error **err)
{
	BASE_AUTO_FREE uint8_t *piece = base_alloc(COMPOSE_PIECE);
	crypto_hasher hash;
	uint64_t done = 0;

	if (piece == NULL)
		return base_nomem(err);
	crypto_sha256_begin(&hash);
	while (done < size) {
		ssize_t got = os->ops->pread(os, fd, piece, COMPOSE_PIECE, (off_t)done);
		int code = live(how, err);

		if (code < 0)
			return code;
		if (got < 0)
			return base_error_errno(
				err, COMPOSE_ROOM, (int)got, "cannot read a payload");
		if (got == 0)
			break;
		crypto_sha256_add(&hash, piece, (size_t)got);
		done += (uint64_t)got;
	}
	crypto_sha256_end(&hash, digest);
	return 0;
}

static int check_bytes(hn_os *os, int fd, uint64_t size, const compose_reading *how, hn_error **err)
{
	const compose_payload *payload = how->payload;
	uint8_t digest[CRYPTO_DIGEST];
	char text[96];
	int code;

	if (size != payload->size) {
		snprintf(text, sizeof(text), "it has %llu bytes, not %llu",
			(unsigned long long)size, (unsigned long long)payload->size);
		return differs(payload, text, err);
	}
	code = hash_of(os, fd, size, how, digest, err);
	if (code < 0)
		return code;
	return memcmp(digest, payload->sha256.bytes, sizeof(digest)) == 0
		       ? 0
		       : differs(payload, "its SHA-256 differs", err);
}

static int read_blob(const compose_reading *how, const compose_digest *digest, uint64_t size,
	compose_layer **layer, hn_error **err)
{
	BASE_AUTO_OF(compose_collector) compose_collector *collector = NULL;
	const compose_payload *payload = how->payload;
	compose_raw raw = {.type = COMPOSE_RAW_FILE,
		.mode = payload->mode != 0 ? payload->mode : 0644,
		.size = size};
	bool kept = false;
	int code;

	if (payload->path == NULL)
		return compose_fail(err, HN_ESCHEMA, &payload->place, "add \"path\"",
			"a payload of kind blob does not say where it goes in the image");
	code = compose_path_check(payload->path, err);
	if (code < 0)
		return code;
	raw.path = payload->path + 1;
	raw.path_size = strlen(raw.path);
	code = compose_collector_new(how, 0, &collector, err);
	if (code == 0)
		code = compose_collector_add(collector, &raw, &kept, err);
	if (code == 0 && kept)
		compose_collector_body(collector, digest);
	return code < 0 ? code : compose_collector_finish(collector, layer, err);
}

static int read_bytes(compose_store *store, const char *parser, const compose_reading *how,
	const compose_digest *digest, compose_layer **layer, hn_error **err)
{
	const compose_payload *payload = how->payload;
	hn_os *os = compose_store_os(store);
	uint64_t size;
	int fd, code = compose_store_get(store, digest, &fd, &size, err);

	if (code < 0)
		return code;
	code = check_bytes(os, fd, size, how, err);
	if (code == 0 && payload->kind == COMPOSE_PAYLOAD_BLOB)
		code = read_blob(how, digest, size, layer, err);
	else if (code == 0)
		code = compose_payload_run(
			os, parser, fd, size, how->only_look ? NULL : store, how, layer, err);
	os->ops->close(os, fd);
	return code;
}

static int read_stored(compose_store *store, const char *parser, const compose_reading *how,
	compose_layer **layer, hn_error **err)
{
	compose_digest digest;
	int code = compose_store_find(store, &how->payload->sha256, &digest, err);

	return code < 0 ? code : read_bytes(store, parser, how, &digest, layer, err);
}

int compose_payload_layer(compose_store *store, const char *parser, const compose_reading *how,
	compose_layer **layer, bool *from_cache, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *read = NULL;
	compose_digest key;
	bool cached;
	int code = make_key(how, &key, err);

	if (code == 0)
		code = recall(store, &key, how, &read, err);
	cached = read != NULL;
	if (code == 0 && !cached)
		code = read_stored(store, parser, how, &read, err);
	if (code == 0 && !cached && !how->only_look)
		code = keep(store, &key, read, err);
	if (code < 0)
		return code;
	*layer = BASE_STEAL(read);
	*from_cache = cached;
	return 0;
}
