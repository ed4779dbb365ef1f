/* SPDX-License-Identifier: MIT
 *
 * What was built, as bytes: deterministic CBOR [schema, key, tree, writer, builder, [word...],
 * [image, size], [initrd, size], [kernel, size] or null]. Schema 1 had no initrd: images that are
 * one themselves were all that units could boot from.
 */
#include "compose/build.h"

#define FOLDER "images"

enum { SCHEMA = 2, ITEMS = 9, WORDS = 4096, ARTIFACT_BYTES = 1 << 20 };

void compose_artifact_free(compose_artifact *artifact)
{
	if (artifact == NULL)
		return;
	base_arena_free(artifact->arena);
	base_free(artifact);
}

/* --- writing --- */

static void put_text(codec_cbor_out *out, const char *text)
{
	codec_cbor_put_text(out, text, strlen(text));
}

static void put_digest(codec_cbor_out *out, const compose_digest *digest)
{
	codec_cbor_put_bytes(out, digest->bytes, sizeof(digest->bytes));
}

static void put_body(codec_cbor_out *out, const compose_digest *digest, uint64_t size)
{
	codec_cbor_put_array(out, 2);
	put_digest(out, digest);
	codec_cbor_put_uint(out, size);
}

int compose_artifact_write(const compose_artifact *artifact, base_buf *buf, hn_error **err)
{
	codec_cbor_out out = {.buf = *buf};

	codec_cbor_put_array(&out, ITEMS);
	codec_cbor_put_uint(&out, SCHEMA);
	put_digest(&out, &artifact->key);
	put_digest(&out, &artifact->tree);
	put_text(&out, artifact->writer);
	put_text(&out, artifact->builder);
	codec_cbor_put_array(&out, artifact->cmdline_count);
	for (size_t i = 0; i < artifact->cmdline_count; i++)
		put_text(&out, artifact->cmdline[i]);
	put_body(&out, &artifact->image, artifact->image_size);
	put_body(&out, &artifact->initrd, artifact->initrd_size);
	if (artifact->has_kernel)
		put_body(&out, &artifact->kernel, artifact->kernel_size);
	else
		codec_cbor_put_null(&out);
	*buf = out.buf;
	return buf->failed ? base_nomem(err) : 0;
}

/* --- reading --- */

typedef struct reader {
	codec_cbor in;
	compose_artifact *to;
	hn_error **err;
} reader;

static int corrupt(const reader *from, const char *what)
{
	return HN_CORRUPT(from->err, COMPOSE_ROOM, "the record of an image has %s, at byte %zu",
		what, from->in.offset);
}

static int take_text(reader *from, const char **text)
{
	const char *found;
	size_t size;

	if (!codec_cbor_text(&from->in, &found, &size))
		return corrupt(from, "no text");
	*text = base_arena_strndup(from->to->arena, found, size);
	return *text == NULL ? base_nomem(from->err) : 0;
}

static int take_digest(reader *from, compose_digest *digest)
{
	const uint8_t *bytes;
	size_t size;

	if (!codec_cbor_bytes(&from->in, &bytes, &size) || size != sizeof(digest->bytes))
		return corrupt(from, "no digest");
	memcpy(digest->bytes, bytes, sizeof(digest->bytes));
	return 0;
}

static int take_body(reader *from, compose_digest *digest, uint64_t *size)
{
	uint64_t items;
	int rc;

	if (!codec_cbor_array(&from->in, &items) || items != 2)
		return corrupt(from, "no body");
	rc = take_digest(from, digest);
	if (rc == 0 && !codec_cbor_uint(&from->in, size))
		rc = corrupt(from, "no size");
	return rc;
}

static int take_words(reader *from)
{
	const char **words;
	uint64_t count;
	int rc = 0;

	if (!codec_cbor_array(&from->in, &count) || count > WORDS)
		return corrupt(from, "no words of a command line");
	words = base_arena_alloc(from->to->arena, (count + 1) * sizeof(*words));
	if (words == NULL)
		return base_nomem(from->err);
	for (uint64_t i = 0; rc == 0 && i < count; i++)
		rc = take_text(from, &words[i]);
	from->to->cmdline = words;
	from->to->cmdline_count = count;
	return rc;
}

static int take_kernel(reader *from)
{
	from->to->has_kernel = codec_cbor_peek(&from->in) != CODEC_CBOR_NULL;
	if (from->to->has_kernel)
		return take_body(from, &from->to->kernel, &from->to->kernel_size);
	return codec_cbor_null(&from->in) ? 0 : corrupt(from, "no end");
}

static int take_initrd(reader *from, uint64_t schema)
{
	compose_artifact *to = from->to;

	if (schema == SCHEMA)
		return take_body(from, &to->initrd, &to->initrd_size);
	to->initrd = to->image;
	to->initrd_size = to->image_size;
	return 0;
}

static int take_schema(reader *from, uint64_t *schema)
{
	uint64_t items;

	if (!codec_cbor_array(&from->in, &items) || !codec_cbor_uint(&from->in, schema))
		return corrupt(from, "another form");
	if (*schema > SCHEMA)
		return base_error(from->err, HN_ENEWER, COMPOSE_ROOM, "build it again",
			"the record of an image has schema %llu", (unsigned long long)*schema);
	return *schema != 0 && items == ITEMS - (SCHEMA - *schema) ? 0
								   : corrupt(from, "another form");
}

static int take_all(reader *from)
{
	compose_artifact *to = from->to;
	uint64_t schema;
	int rc = take_schema(from, &schema);

	if (rc < 0)
		return rc;
	rc = take_digest(from, &to->key);
	if (rc == 0)
		rc = take_digest(from, &to->tree);
	if (rc == 0)
		rc = take_text(from, &to->writer);
	if (rc == 0)
		rc = take_text(from, &to->builder);
	if (rc == 0)
		rc = take_words(from);
	if (rc == 0)
		rc = take_body(from, &to->image, &to->image_size);
	if (rc == 0)
		rc = take_initrd(from, schema);
	if (rc == 0)
		rc = take_kernel(from);
	return rc < 0 ? rc : codec_cbor_end(&from->in, from->err);
}

int compose_artifact_read(
	const void *bytes, size_t size, compose_artifact **artifact, hn_error **err)
{
	BASE_AUTO_OF(compose_artifact) compose_artifact *read = base_calloc(1, sizeof(*read));
	reader from = {.to = read, .err = err};
	int rc;

	if (read == NULL)
		return base_nomem(err);
	read->arena = base_arena_new();
	if (read->arena == NULL)
		return base_nomem(err);
	codec_cbor_open(&from.in, bytes, size);
	rc = take_all(&from);
	if (rc == 0)
		*artifact = BASE_STEAL(read);
	return rc;
}

/* --- in the store --- */

int compose_artifact_keep(compose_store *store, const compose_artifact *artifact, hn_error **err)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	int rc = compose_artifact_write(artifact, &bytes, err);

	return rc < 0 ? rc
		      : compose_store_record(
				store, FOLDER, &artifact->key, bytes.data, bytes.size, err);
}

int compose_artifact_recall(compose_store *store, const compose_digest *key,
	compose_artifact **artifact, hn_error **err)
{
	BASE_AUTO_FREE char *bytes = NULL;
	size_t size = 0;
	int rc = compose_store_recall(store, FOLDER, key, ARTIFACT_BYTES, &bytes, &size, err);

	return rc < 0 ? rc : compose_artifact_read(bytes, size, artifact, err);
}
