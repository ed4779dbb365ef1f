/* SPDX-License-Identifier: MIT
 *
 * Torture of payloads: a directory that is read into the store (a tree, store paths of Nix, an
 * image layout, packed or not), an archive and an image that are parsed, records that are read,
 * those of an image with whiteouts, a layer from the cache; with each allocation and each I/O call
 * failing.
 */
#include "compose/payload.h"
#include "torture.h"

static const char *const exclude[] = {"/doc/**"};
static const compose_payload a_tar = {.kind = COMPOSE_PAYLOAD_TAR,
	.exclude = exclude,
	.exclude_count = 1,
	.place = {.file = "m.json", .line = 1}};
static const compose_reading tar_reading = {.payload = &a_tar};
static const compose_packing tree_packing = {.kind = COMPOSE_PAYLOAD_TREE, .directory = "/tree"};

/* A failing disk is told as what was read from it, or not. */
static const hn_code io_codes[] = {HN_EIO, HN_OK};

static void clean_layer(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		compose_layer_free(t->output);
}

static int prepare_store(torture *t)
{
	compose_store *store = NULL;

	TORTURE_CHECK(hn_os_sim_put(t->os, "/tree/a/b", "body", 4, NULL) == 0);
	TORTURE_CHECK(hn_os_sim_put(t->os, "/tree/c", "", 0, NULL) == 0);
	TORTURE_CHECK(compose_store_open(t->os, "/store", true, &store, NULL) == 0);
	t->state = store;
	return 0;
}

static void clean_store(torture *t)
{
	clean_layer(t);
	compose_store_free(t->state);
}

static int add_packed(void *arg, const void *bytes, size_t size, hn_error **err)
{
	return compose_blob_add(arg, bytes, size, err);
}

static int count_one(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

/* What failed has left no body, and nothing half. */
static int check_put(torture *t)
{
	size_t left = 0, folders = 0;

	if (!t->once)
		return 0;
	TORTURE_CHECK(t->os->ops->list(t->os, "/store/tmp", count_one, &left) == 0 && left == 0);
	TORTURE_CHECK(t->os->ops->list(t->os, "/store/blobs", count_one, &folders) == 0);
	TORTURE_CHECK(folders == 1 || (folders == 0 && t->code < 0));
	return 0;
}

static int put_directory(torture *t, const compose_packing *how, hn_error **err)
{
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	compose_tar tar = {.write = add_packed};
	compose_digest digest;
	int code = compose_blob_begin(t->state, &blob, err);

	tar.arg = blob;
	if (code == 0)
		code = compose_pack(t->os, how, &tar, err);
	return code < 0 ? code : compose_blob_finish(blob, &digest, NULL, err);
}

static int run_directory(torture *t, hn_error **err)
{
	return put_directory(t, &tree_packing, err);
}

/* As hv-compose pack makes it. */
static int run_squeezed(torture *t, hn_error **err)
{
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	BASE_AUTO_OF(compose_squeeze) compose_squeeze *squeeze = NULL;
	compose_tar tar = {.write = compose_squeeze_add};
	compose_digest digest;
	int code = compose_blob_begin(t->state, &blob, err);

	if (code == 0)
		code = compose_squeeze_new(1, add_packed, blob, &squeeze, err);
	tar.arg = squeeze;
	if (code == 0)
		code = compose_pack(t->os, &tree_packing, &tar, err);
	if (code == 0)
		code = compose_squeeze_end(squeeze, err);
	return code < 0 ? code : compose_blob_finish(blob, &digest, NULL, err);
}

/* --- store paths of Nix --- */

#define HASH "0123456789abcdfghijklmnpqrsvwxyz"

static int prepare_nix(torture *t)
{
	TORTURE_CHECK(prepare_store(t) == 0);
	TORTURE_CHECK(hn_os_sim_put(t->os, "/nix/store/" HASH "-a/bin/x", "x", 1, NULL) == 0);
	TORTURE_CHECK(hn_os_sim_put(t->os, "/nix/store/" HASH "-b", "text", 4, NULL) == 0);
	return 0;
}

static int run_nix(torture *t, hn_error **err)
{
	static const char list[] = "/nix/store/" HASH "-b\n/nix/store/" HASH "-a\n";
	static const compose_packing how = {.kind = COMPOSE_PAYLOAD_NIX,
		.directory = "/nix/store",
		.list = list,
		.list_size = sizeof(list) - 1};

	return put_directory(t, &how, err);
}

/* --- image layouts --- */

#define MEDIA "application/vnd.oci.image."

static int keep_bytes(void *arg, const void *bytes, size_t size, hn_error **err)
{
	base_buf_add(arg, bytes, size);
	return ((base_buf *)arg)->failed ? base_nomem(err) : 0;
}

static int put_document(torture *t, const char *directory, const base_buf *text, char hex[65])
{
	uint8_t digest[CRYPTO_DIGEST];
	char path[160];

	crypto_sha256(text->data, text->size, digest);
	codec_hex(digest, sizeof(digest), hex);
	(void)snprintf(path, sizeof(path), "%s/blobs/sha256/%s", directory, hex);
	TORTURE_CHECK(!text->failed);
	return hn_os_sim_put(t->os, path, text->data, text->size, NULL);
}

/* An image of one layer, which is /tree. */
static int make_layout(torture *t, const char *directory)
{
	BASE_AUTO_BUF base_buf layer = {0}, config = {0}, manifest = {0}, index = {0}, path = {0};
	const compose_packing how = {.kind = COMPOSE_PAYLOAD_TREE, .directory = "/tree"};
	compose_tar tar = {.write = keep_bytes, .arg = &layer};
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	char hex[65];

	TORTURE_CHECK(compose_pack(t->os, &how, &tar, NULL) == 0);
	TORTURE_CHECK(put_document(t, directory, &layer, hex) == 0);
	base_buf_format(&config,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"sha256:%s\"]}}",
		hex);
	base_buf_format(&manifest,
		"{\"schemaVersion\":2,\"layers\":[{\"mediaType\":\"" MEDIA
		"layer.v1.tar\",\"digest\":\"sha256:%s\",\"size\":%zu}],\"config\":{\"mediaType\":"
		"\"" MEDIA "config.v1+json\",\"digest\":\"sha256:",
		hex, layer.size);
	TORTURE_CHECK(put_document(t, directory, &config, hex) == 0);
	base_buf_format(&manifest, "%s\",\"size\":%zu}}", hex, config.size);
	TORTURE_CHECK(put_document(t, directory, &manifest, hex) == 0);
	base_buf_format(&index,
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA
		"manifest.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu}]}",
		hex, manifest.size);
	base_buf_format(&path, "%s/index.json", directory);
	TORTURE_CHECK(hn_os_sim_put(t->os, path.data, index.data, index.size, NULL) == 0);
	path.size = 0;
	base_buf_format(&path, "%s/oci-layout", directory);
	TORTURE_CHECK(hn_os_sim_put(t->os, path.data, version, sizeof(version) - 1, NULL) == 0);
	return 0;
}

static const compose_packing oci_packing = {.kind = COMPOSE_PAYLOAD_OCI, .directory = "/layout"};

static int prepare_layout(torture *t)
{
	TORTURE_CHECK(prepare_store(t) == 0);
	return make_layout(t, oci_packing.directory);
}

static int run_layout(torture *t, hn_error **err)
{
	return put_directory(t, &oci_packing, err);
}

/* --- records --- */

typedef struct stream {
	codec_cbor_out out;
	size_t at;
	compose_store *store;
} stream;

static void put(stream *to, compose_record record)
{
	compose_record_put(&record, &to->out);
}

static void put_entry(stream *to, compose_raw_type type, const char *path, const char *target)
{
	static const compose_raw_xattr xattrs[] = {{.name = "security.capability",
							   .name_size = 19,
							   .value = (const uint8_t *)"x",
							   .size = 1},
		{.name = "user.x", .name_size = 6, .value = (const uint8_t *)"y", .size = 1}};
	compose_raw raw = {.type = type,
		.path = path,
		.path_size = strlen(path),
		.target = target,
		.target_size = strlen(target),
		.mode = 0755};

	if (type == COMPOSE_RAW_FILE) {
		raw.size = 4;
		raw.mode = 06755;
		raw.xattrs = xattrs;
		raw.xattr_count = 2;
	}
	put(to, (compose_record){.type = COMPOSE_RECORD_ENTRY, .raw = raw});
	if (type == COMPOSE_RAW_FILE)
		put(to, (compose_record){.type = COMPOSE_RECORD_PIECE,
				.piece = (const uint8_t *)"body",
				.piece_size = 4});
}

static int prepare_stream(torture *t)
{
	stream *made = base_calloc(1, sizeof(*made));

	TORTURE_CHECK(made != NULL);
	t->state = made;
	TORTURE_CHECK(compose_store_open(t->os, "/store", true, &made->store, NULL) == 0);
	put(made, (compose_record){.type = COMPOSE_RECORD_BEGIN,
			  .version = COMPOSE_READER,
			  .kind = COMPOSE_PAYLOAD_TAR});
	put_entry(made, COMPOSE_RAW_DIRECTORY, "./", "");
	put_entry(made, COMPOSE_RAW_FILE, "usr/bin/x", "");
	put_entry(made, COMPOSE_RAW_FILE, "doc/x", "");
	put_entry(made, COMPOSE_RAW_SYMLINK, "usr/y", "bin/x");
	put_entry(made, COMPOSE_RAW_HARDLINK, "usr/z", "usr/bin/x");
	put(made, (compose_record){.type = COMPOSE_RECORD_END, .entries = 5});
	TORTURE_CHECK(!made->out.buf.failed);
	return 0;
}

static void clean_stream(torture *t)
{
	stream *made = t->state;

	clean_layer(t);
	if (made == NULL)
		return;
	compose_store_free(made->store);
	base_buf_free(&made->out.buf);
	base_free(made);
}

static ssize_t take(void *arg, void *bytes, size_t size)
{
	stream *from = arg;
	size_t left = from->out.buf.size - from->at;

	if (size > left)
		size = left;
	memcpy(bytes, from->out.buf.data + from->at, size);
	from->at += size;
	return (ssize_t)size;
}

static int read_stream(torture *t, const compose_reading *how, hn_error **err)
{
	stream *from = t->state;
	compose_record_source source = {.read = take, .arg = from};
	compose_layer *layer = NULL;
	int code = compose_records_read(&source, 100, from->store, how, &layer, err);

	if (code == 0)
		t->output = layer;
	return code;
}

static int run_stream(torture *t, hn_error **err)
{
	return read_stream(t, &tar_reading, err);
}

/* Nothing half is anywhere; but for that one call which takes it away, and what it leaves goes when
 * the store is opened again. */
static int check_stream(torture *t)
{
	size_t left = 0;

	if (!t->once || t->code >= 0)
		return 0;
	TORTURE_CHECK(t->os->ops->list(t->os, "/store/tmp", count_one, &left) == 0 && left == 0);
	return 0;
}

static void put_whiteout(stream *to, const char *path, bool opaque)
{
	put(to, (compose_record){.type = COMPOSE_RECORD_WHITEOUT,
			.raw = {.path = path, .path_size = strlen(path)},
			.opaque = opaque});
}

/* Two layers: what is hidden, what takes another's place, a link that outlives its file. */
static int prepare_layers(torture *t)
{
	stream *made = base_calloc(1, sizeof(*made));

	TORTURE_CHECK(made != NULL);
	t->state = made;
	TORTURE_CHECK(compose_store_open(t->os, "/store", true, &made->store, NULL) == 0);
	put(made, (compose_record){.type = COMPOSE_RECORD_BEGIN,
			  .version = COMPOSE_READER,
			  .kind = COMPOSE_PAYLOAD_OCI});
	put(made, (compose_record){.type = COMPOSE_RECORD_LAYER});
	put_entry(made, COMPOSE_RAW_DIRECTORY, "usr", "");
	put_entry(made, COMPOSE_RAW_FILE, "usr/a", "");
	put_entry(made, COMPOSE_RAW_HARDLINK, "usr/b", "usr/a");
	put_entry(made, COMPOSE_RAW_FILE, "opt/x", "");
	put(made, (compose_record){.type = COMPOSE_RECORD_LAYER});
	put_whiteout(made, "usr/a", false);
	put_whiteout(made, "opt", true);
	put_entry(made, COMPOSE_RAW_SYMLINK, "opt/y", "../usr/b");
	put(made, (compose_record){.type = COMPOSE_RECORD_END, .entries = 7});
	TORTURE_CHECK(!made->out.buf.failed);
	return 0;
}

static int run_layers(torture *t, hn_error **err)
{
	static const compose_payload image = {
		.kind = COMPOSE_PAYLOAD_OCI, .place = {.file = "m.json", .line = 1}};
	static const compose_reading how = {.payload = &image};

	return read_stream(t, &how, err);
}

static int check_layers(torture *t)
{
	const compose_layer *layer = t->output;

	if (t->code == 0) {
		TORTURE_CHECK(layer->count == 3);
		TORTURE_CHECK(strcmp(layer->entries[0].path, "/opt/y") == 0);
		TORTURE_CHECK(strcmp(layer->entries[2].path, "/usr/b") == 0);
		TORTURE_CHECK(layer->entries[2].type == COMPOSE_ENTRY_FILE);
	}
	return check_stream(t);
}

/* --- layers --- */

static int prepare_layer(torture *t)
{
	t->state = base_calloc(1, sizeof(base_buf));
	TORTURE_CHECK(t->state != NULL);
	return 0;
}

static void clean_bytes(torture *t)
{
	clean_layer(t);
	if (t->state != NULL)
		base_buf_free(t->state);
	base_free(t->state);
}

/* An entry of each type, and a remark. */
static int run_layer(torture *t, hn_error **err)
{
	static const compose_xattr xattr = {
		.name = "user.x", .value = (const uint8_t *)"y", .size = 1};
	static const char *const remarks[] = {"a remark"};
	compose_entry entries[] = {{.type = COMPOSE_ENTRY_DIRECTORY, .path = "/", .mode = 0755},
		{.type = COMPOSE_ENTRY_FILE, .path = "/a", .xattrs = &xattr, .xattr_count = 1},
		{.type = COMPOSE_ENTRY_HARDLINK, .path = "/b", .target = "/a"},
		{.type = COMPOSE_ENTRY_SYMLINK, .path = "/c", .target = "a"}};
	const compose_layer whole = {.entries = entries,
		.count = BASE_COUNT(entries),
		.remarks = remarks,
		.remark_count = 1};
	base_buf *bytes = t->state;
	compose_layer *layer = NULL;
	int code = compose_layer_write(&whole, bytes, err);

	if (code == 0)
		code = compose_layer_read(bytes->data, bytes->size, &layer, err);
	if (code == 0)
		t->output = layer;
	return code;
}

/* --- a blob, with its cache --- */

static int run_blob(torture *t, hn_error **err)
{
	compose_payload payload = {.kind = COMPOSE_PAYLOAD_BLOB, .path = "/boot/x", .size = 4};
	const compose_reading how = {.payload = &payload};
	compose_layer *layer = NULL;
	compose_digest digest;
	bool cached;
	int code = compose_store_put(t->state, "body", 4, &digest, err);

	crypto_sha256("body", 4, payload.sha256.bytes);
	if (code == 0)
		code = compose_store_name(t->state, &payload.sha256, &digest, err);
	if (code == 0)
		code = compose_payload_layer(t->state, NULL, &how, &layer, &cached, err);
	if (code < 0)
		return code;
	compose_layer_free(layer);
	layer = NULL;
	code = compose_payload_layer(t->state, NULL, &how, &layer, &cached, err);
	if (code == 0)
		t->output = layer;
	return code;
}

/* --- the child's side --- */

static int prepare_archive(torture *t)
{
	static const char nothing[1024];

	TORTURE_CHECK(hn_os_sim_put(t->os, "/payload", nothing, sizeof(nothing), NULL) == 0);
	return 0;
}

#ifdef HN_HAVE_ARCHIVE
static int prepare_image(torture *t)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	compose_tar tar = {.write = keep_bytes, .arg = &bytes};

	TORTURE_CHECK(hn_os_sim_put(t->os, "/tree/a/b", "body", 4, NULL) == 0);
	TORTURE_CHECK(make_layout(t, oci_packing.directory) == 0);
	TORTURE_CHECK(compose_pack(t->os, &oci_packing, &tar, NULL) == 0);
	return hn_os_sim_put(t->os, "/payload", bytes.data, bytes.size, NULL);
}
#endif

static int run_parser(torture *t, compose_payload_kind kind, const char *platform, hn_error **err)
{
	int in = t->os->ops->open(t->os, "/payload", O_RDONLY, 0);
	int out = in < 0 ? in : t->os->ops->open(t->os, "/records", O_RDWR | O_CREAT, 0600);
	int code;

	if (out < 0) {
		if (in >= 0)
			t->os->ops->close(t->os, in);
		return base_error_errno(err, "torture", out, "cannot open");
	}
	code = compose_payload_parse(t->os, kind, platform, in, out, false, err);
	t->os->ops->close(t->os, in);
	t->os->ops->close(t->os, out);
	return code;
}

static int run_archive(torture *t, hn_error **err)
{
	return run_parser(t, COMPOSE_PAYLOAD_TAR, NULL, err);
}

#ifdef HN_HAVE_ARCHIVE
static int run_image(torture *t, hn_error **err)
{
	return run_parser(t, COMPOSE_PAYLOAD_OCI, "x86_64-linux", err);
}
#endif

static const torture_scenario scenarios[] = {
	{.name = "directory",
		.prepare = prepare_store,
		.run = run_directory,
		.check = check_put,
		.clean = clean_store,
		.io = true,
		.also = io_codes},
	{.name = "squeezed",
		.prepare = prepare_store,
		.run = run_squeezed,
		.check = check_put,
		.clean = clean_store,
		.io = true,
		.also = io_codes},
	{.name = "nix",
		.prepare = prepare_nix,
		.run = run_nix,
		.check = check_put,
		.clean = clean_store,
		.io = true,
		.also = io_codes},
	{.name = "layout",
		.prepare = prepare_layout,
		.run = run_layout,
		.check = check_put,
		.clean = clean_store,
		.io = true,
		.also = io_codes},
	{.name = "layers",
		.prepare = prepare_layers,
		.run = run_layers,
		.check = check_layers,
		.clean = clean_stream,
		.io = true,
		.also = io_codes},
	{.name = "records",
		.prepare = prepare_stream,
		.run = run_stream,
		.check = check_stream,
		.clean = clean_stream,
		.io = true,
		.also = io_codes},
	{.name = "layer", .prepare = prepare_layer, .run = run_layer, .clean = clean_bytes},
	{.name = "blob",
		.prepare = prepare_store,
		.run = run_blob,
		.clean = clean_store,
		.io = true,
		.also = io_codes},
	{.name = "archive",
		.prepare = prepare_archive,
		.run = run_archive,
		.io = true,
		.also = io_codes},
#ifdef HN_HAVE_ARCHIVE
	{.name = "image", .prepare = prepare_image, .run = run_image, .io = true, .also = io_codes},
#endif
};

int main(int argc, char **argv)
{
	return torture_main("compose-payload", scenarios, BASE_COUNT(scenarios), argc, argv);
}
