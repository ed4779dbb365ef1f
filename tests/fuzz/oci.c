/* SPDX-License-Identifier: MIT
 *
 * Fuzzes image layouts. The first byte says which document, or the layer, the others stand for; all
 * else is made around it with the right digests, so that it is read. What passes is a layer that
 * can be written and read.
 */
#include "compose/payload.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEDIA "application/vnd.oci.image."
#define HEX (2 * CRYPTO_DIGEST + 1)

enum { LAYOUT, INDEX, MANIFEST, CONFIG, LAYER, WHOLE, PARTS };

typedef struct input {
	const uint8_t *at;
	size_t left;
} input;

static void require(bool held)
{
	if (!held)
		abort();
}

/* --- a layout around it --- */

static int add(void *arg, const void *bytes, size_t size, hn_error **err)
{
	(void)err;
	base_buf_add(arg, bytes, size);
	return 0;
}

static void put_file(compose_tar *tar, const char *path, const void *bytes, size_t size)
{
	compose_raw raw = {.type = COMPOSE_RAW_FILE,
		.path = path,
		.path_size = strlen(path),
		.mode = 0644,
		.size = size};

	require(compose_tar_entry(tar, &raw, NULL) == 0);
	require(compose_tar_body(tar, bytes, size, NULL) == 0);
	require(compose_tar_fill(tar, NULL) == 0);
}

static void digest_of(const void *bytes, size_t size, char hex[HEX])
{
	uint8_t digest[CRYPTO_DIGEST];

	crypto_sha256(bytes, size, digest);
	codec_hex(digest, sizeof(digest), hex);
}

/* The descriptor of a blob that is put into the layout. */
static void put_blob(
	compose_tar *tar, const char *media, const base_buf *blob, base_buf *descriptor)
{
	char hex[HEX], path[128];

	digest_of(blob->data, blob->size, hex);
	(void)snprintf(path, sizeof(path), "blobs/sha256/%s", hex);
	put_file(tar, path, blob->data, blob->size);
	base_buf_format(descriptor,
		"{\"mediaType\":\"" MEDIA "%s\",\"digest\":\"sha256:%s\",\"size\":%zu}", media, hex,
		blob->size);
}

static void put_part(base_buf *to, int part, int given, const input *from, const char *usual)
{
	if (part == given)
		base_buf_add(to, from->at, from->left);
	else
		base_buf_text(to, usual);
}

static void put_layer(base_buf *to)
{
	compose_tar tar = {.write = add, .arg = to};

	put_file(&tar, "etc/motd", "hello\n", 6);
	require(compose_tar_end(&tar, NULL) == 0);
}

static void make_layout(base_buf *to, int given, const input *from)
{
	compose_tar tar = {.write = add, .arg = to};
	base_buf layer = {0}, layers = {0}, config = {0}, configured = {0}, manifest = {0};
	base_buf listed = {0}, version = {0}, index = {0}, text = {0};
	char hex[HEX];

	if (given == LAYER)
		base_buf_add(&layer, from->at, from->left);
	else
		put_layer(&layer);
	put_blob(&tar, "layer.v1.tar", &layer, &layers);
	digest_of(layer.data, layer.size, hex);
	base_buf_format(&text,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"sha256:%s\"]}}",
		hex);
	put_part(&config, CONFIG, given, from, text.data);
	put_blob(&tar, "config.v1+json", &config, &configured);
	text.size = 0;
	base_buf_format(&text, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}",
		configured.data, layers.data);
	put_part(&manifest, MANIFEST, given, from, text.data);
	put_blob(&tar, "manifest.v1+json", &manifest, &listed);
	text.size = 0;
	base_buf_format(&text, "{\"schemaVersion\":2,\"manifests\":[%s]}", listed.data);
	put_part(&index, INDEX, given, from, text.data);
	put_part(&version, LAYOUT, given, from, "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_file(&tar, "oci-layout", version.data, version.size);
	put_file(&tar, "index.json", index.data, index.size);
	require(compose_tar_end(&tar, NULL) == 0);
	base_buf *const all[] = {
		&layer, &layers, &config, &configured, &manifest, &listed, &version, &index, &text};
	for (size_t i = 0; i < BASE_COUNT(all); i++)
		base_buf_free(all[i]);
}

/* --- both sides --- */

static ssize_t take(void *arg, void *bytes, size_t size)
{
	input *from = arg;

	if (size > from->left)
		size = from->left;
	if (size > 0)
		memcpy(bytes, from->at, size);
	from->at += size;
	from->left -= size;
	return (ssize_t)size;
}

static int read_records(const char *records, size_t count, size_t packed)
{
	const compose_payload payload = {.kind = COMPOSE_PAYLOAD_OCI};
	const compose_reading how = {.payload = &payload};
	input from = {.at = (const uint8_t *)records, .left = count};
	compose_record_source source = {.read = take, .arg = &from};
	compose_layer *layer = NULL, *again = NULL;
	base_buf bytes = {0};
	int code = compose_records_read(&source, packed, NULL, &how, &layer, NULL);

	require((code == 0) == (layer != NULL));
	if (code < 0)
		return code;
	require(compose_layer_write(layer, &bytes, NULL) == 0);
	require(compose_layer_read(bytes.data, bytes.size, &again, NULL) == 0);
	compose_layer_free(again);
	compose_layer_free(layer);
	base_buf_free(&bytes);
	return 0;
}

static void parse(const base_buf *layout)
{
	hn_os *os = NULL;
	char *records = NULL;
	size_t count = 0;
	int in, out, code;

	require(hn_os_sim_new(NULL, &os, NULL) == 0);
	require(hn_os_sim_put(os, "/payload", layout->data, layout->size, NULL) == 0);
	in = os->ops->open(os, "/payload", O_RDONLY, 0);
	out = os->ops->open(os, "/records", O_RDWR | O_CREAT, 0600);
	require(in >= 0 && out >= 0);
	code = compose_payload_parse(os, COMPOSE_PAYLOAD_OCI, NULL, in, out, false, NULL);
	require(os_read_file(os, "/records", UINT32_MAX, &records, &count, NULL) == 0);
	/* What the child refuses is refused. */
	require(code == 0 || read_records(records, count, layout->size) < 0);
	if (code == 0)
		(void)read_records(records, count, layout->size);
	base_free(records);
	hn_os_sim_free(os);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	base_buf layout = {0};
	input from = {.at = data + 1, .left = size - 1};

	if (size == 0 || size > 65536)
		return 0;
	if (data[0] % PARTS == WHOLE)
		base_buf_add(&layout, from.at, from.left);
	else
		make_layout(&layout, data[0] % PARTS, &from);
	require(!layout.failed);
	if (layout.data != NULL)
		parse(&layout);
	base_buf_free(&layout);
	return 0;
}
