/* SPDX-License-Identifier: MIT
 *
 * The text of a lock, one item a line, so that version control shows what changed; and its digest,
 * which does not depend on the layout.
 */
#include "compose/lock-private.h"

#include <inttypes.h>

/* --- the digest: members in the order of their encoded names --- */

static void put_name(codec_cbor_out *out, const char *name)
{
	codec_cbor_put_text(out, name, strlen(name));
}

static void put_text(codec_cbor_out *out, const char *name, const char *text)
{
	put_name(out, name);
	put_name(out, text);
}

static void put_uint(codec_cbor_out *out, const char *name, uint64_t number)
{
	put_name(out, name);
	codec_cbor_put_uint(out, number);
}

static void put_digest(codec_cbor_out *out, const char *name, const compose_digest *digest)
{
	char text[COMPOSE_DIGEST_TEXT];

	if (lock_digest_none(digest))
		return;
	compose_digest_print(digest, text);
	put_text(out, name, text);
}

static void put_source(codec_cbor_out *out, const compose_source *source)
{
	codec_cbor_put_map(out, source->serial != 0 ? 3 : 1);
	put_text(out, "name", source->name);
	if (source->serial == 0)
		return;
	put_digest(out, "index", &source->index);
	put_uint(out, "serial", source->serial);
}

static void put_payload(codec_cbor_out *out, const compose_locked_payload *payload)
{
	char hex[2 * CRYPTO_DIGEST + 1];

	codec_hex(payload->sha256.bytes, sizeof(payload->sha256.bytes), hex);
	codec_cbor_put_map(out, lock_digest_none(&payload->b2) ? 2 : 3);
	put_digest(out, "b2", &payload->b2);
	put_uint(out, "size", payload->size);
	put_text(out, "sha256", hex);
}

static void put_component(codec_cbor_out *out, const compose_locked *one)
{
	codec_cbor_put_map(out, 6);
	put_text(out, "why", one->why);
	put_text(out, "name", one->component);
	put_text(out, "version", one->version);
	put_digest(out, "manifest", &one->manifest);
	put_name(out, "payloads");
	codec_cbor_put_array(out, one->payload_count);
	for (size_t i = 0; i < one->payload_count; i++)
		put_payload(out, &one->payloads[i]);
	put_text(out, "registry", one->registry);
}

static void put_binding(codec_cbor_out *out, const compose_binding *one)
{
	codec_cbor_put_map(out, 4);
	put_text(out, "version", one->version);
	put_text(out, "contract", one->contract);
	put_text(out, "provider", one->provider);
	put_text(out, "needed-by", one->needed_by);
}

static void put_lock(codec_cbor_out *out, const compose_lock *lock)
{
	codec_cbor_put_map(out, lock_digest_none(&lock->tree) ? 9 : 10);
	put_text(out, "lock", lock->blueprint);
	put_digest(out, "tree", &lock->tree);
	put_uint(out, "epoch", lock->epoch);
	put_text(out, "solver", lock->solver);
	put_name(out, "bindings");
	codec_cbor_put_array(out, lock->binding_count);
	for (size_t i = 0; i < lock->binding_count; i++)
		put_binding(out, &lock->bindings[i]);
	put_uint(out, "hypernix", LOCK_SCHEMA);
	put_text(out, "platform", lock->platform);
	put_digest(out, "blueprint", &lock->blueprint_digest);
	put_name(out, "components");
	codec_cbor_put_array(out, lock->count);
	for (size_t i = 0; i < lock->count; i++)
		put_component(out, &lock->components[i]);
	put_name(out, "registries");
	codec_cbor_put_array(out, lock->source_count);
	for (size_t i = 0; i < lock->source_count; i++)
		put_source(out, &lock->sources[i]);
}

int lock_digest(const compose_lock *lock, compose_digest *digest, hn_error **err)
{
	codec_cbor_out out = {0};
	int rc = 0;

	put_lock(&out, lock);
	if (out.buf.failed)
		rc = base_nomem(err);
	else
		crypto_blake2b(out.buf.data, out.buf.size, digest->bytes);
	base_buf_free(&out.buf);
	return rc;
}

/* --- the text --- */

typedef struct writer {
	base_buf text;
	hn_json *json; /* of one item */
	hn_error **err;
} writer;

/* Closes what is open as one line of compact JSON. `open`: a list goes on behind it. */
static int put_line(writer *at, const char *indent, bool first, bool open)
{
	const char *item;
	size_t size = 0;
	int rc;

	hn_json_end(at->json);
	rc = hn_json_finish(at->json, &item, &size, at->err);
	if (rc < 0)
		return rc;
	base_buf_text(&at->text, first ? "\n" : ",\n");
	base_buf_text(&at->text, indent);
	base_buf_add(&at->text, item, open ? size - 1 : size);
	return 0;
}

static void json_digest(hn_json *json, const char *key, const compose_digest *digest)
{
	char text[COMPOSE_DIGEST_TEXT];

	if (lock_digest_none(digest))
		return;
	compose_digest_print(digest, text);
	hn_json_text(json, key, text);
}

static int write_source(writer *at, const compose_source *source, bool first)
{
	hn_json_object(at->json, NULL);
	hn_json_text(at->json, "name", source->name);
	if (source->serial != 0)
		hn_json_uint(at->json, "serial", source->serial);
	json_digest(at->json, "index", &source->index);
	return put_line(at, "\t\t", first, false);
}

static int write_payload(writer *at, const compose_locked_payload *payload, bool first)
{
	char hex[2 * CRYPTO_DIGEST + 1];

	codec_hex(payload->sha256.bytes, sizeof(payload->sha256.bytes), hex);
	hn_json_object(at->json, NULL);
	hn_json_text(at->json, "sha256", hex);
	json_digest(at->json, "b2", &payload->b2);
	hn_json_uint(at->json, "size", payload->size);
	return put_line(at, "\t\t\t", first, false);
}

static int write_component(writer *at, const compose_locked *one, bool first)
{
	int rc;

	hn_json_object(at->json, NULL);
	hn_json_text(at->json, "name", one->component);
	hn_json_text(at->json, "version", one->version);
	json_digest(at->json, "manifest", &one->manifest);
	hn_json_text(at->json, "registry", one->registry);
	hn_json_text(at->json, "why", one->why);
	rc = put_line(at, "\t\t", first, true);
	base_buf_text(&at->text, ",\"payloads\":[");
	for (size_t i = 0; rc == 0 && i < one->payload_count; i++)
		rc = write_payload(at, &one->payloads[i], i == 0);
	base_buf_text(&at->text, one->payload_count > 0 ? "\n\t\t]}" : "]}");
	return rc;
}

static int write_binding(writer *at, const compose_binding *one, bool first)
{
	hn_json_object(at->json, NULL);
	hn_json_text(at->json, "contract", one->contract);
	hn_json_text(at->json, "version", one->version);
	hn_json_text(at->json, "provider", one->provider);
	hn_json_text(at->json, "needed-by", one->needed_by);
	return put_line(at, "\t\t", first, false);
}

static void end_list(writer *at, size_t count)
{
	base_buf_text(&at->text, count > 0 ? "\n\t]" : "]");
}

static int write_lists(writer *at, const compose_lock *lock)
{
	int rc = 0;

	base_buf_text(&at->text, ",\n\t\"registries\": [");
	for (size_t i = 0; rc == 0 && i < lock->source_count; i++)
		rc = write_source(at, &lock->sources[i], i == 0);
	end_list(at, lock->source_count);
	base_buf_text(&at->text, ",\n\t\"components\": [");
	for (size_t i = 0; rc == 0 && i < lock->count; i++)
		rc = write_component(at, &lock->components[i], i == 0);
	end_list(at, lock->count);
	base_buf_text(&at->text, ",\n\t\"bindings\": [");
	for (size_t i = 0; rc == 0 && i < lock->binding_count; i++)
		rc = write_binding(at, &lock->bindings[i], i == 0);
	end_list(at, lock->binding_count);
	return rc;
}

static void write_digest(writer *at, const char *name, const compose_digest *digest)
{
	char text[COMPOSE_DIGEST_TEXT];

	if (lock_digest_none(digest))
		return;
	compose_digest_print(digest, text);
	base_buf_format(&at->text, ",\n\t\"%s\": \"%s\"", name, text);
}

/* A name or the like on a line of its own; what it may hold is for JSON to quote. */
static int write_text(writer *at, const char *name, const char *text)
{
	const char *quoted;
	int rc;

	hn_json_text(at->json, NULL, text);
	rc = hn_json_finish(at->json, &quoted, NULL, at->err);
	if (rc == 0)
		base_buf_format(&at->text, ",\n\t\"%s\": %s", name, quoted);
	return rc;
}

static int write_lock(writer *at, const compose_lock *lock)
{
	int rc;

	base_buf_format(&at->text, "{\n\t\"hypernix\": %d", LOCK_SCHEMA);
	rc = write_text(at, "lock", lock->blueprint);
	write_digest(at, "blueprint", &lock->blueprint_digest);
	if (rc == 0)
		rc = write_text(at, "platform", lock->platform);
	base_buf_format(&at->text, ",\n\t\"epoch\": %" PRIu64, lock->epoch);
	if (rc == 0)
		rc = write_text(at, "solver", lock->solver);
	if (rc == 0)
		rc = write_lists(at, lock);
	write_digest(at, "tree", &lock->tree);
	write_digest(at, "digest", &lock->digest);
	base_buf_text(&at->text, "\n}\n");
	return rc;
}

int compose_lock_write(const compose_lock *lock, char **text, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	writer at = {.err = err};
	const char *fault = lock_fault(lock);
	compose_digest digest;
	char *taken;
	int rc = fault != NULL ? base_error(err, HN_ELOCK, COMPOSE_ROOM, NULL,
					 "this makes no lock: %s", fault)
			       : lock_digest(lock, &digest, err);

	if (rc == 0 && !compose_digest_equal(&digest, &lock->digest))
		rc = base_error(err, HN_EDIGEST, COMPOSE_ROOM, NULL,
			"the lock of %s was changed after it was sealed", lock->blueprint);
	if (rc == 0)
		rc = hn_json_new(false, &json, err);
	if (rc < 0)
		return rc;
	at.json = json;
	rc = write_lock(&at, lock);
	if (rc < 0) {
		base_buf_free(&at.text);
		return rc;
	}
	taken = base_buf_take(&at.text);
	if (taken == NULL)
		return base_nomem(err);
	*text = taken;
	return 0;
}
