/* SPDX-License-Identifier: MIT
 *
 * Torture of payloads: a directory that is read into the store, an archive that is parsed, records
 * that are read, a layer from the cache; with each allocation and each I/O call failing.
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

static int run_directory(torture *t, hn_error **err)
{
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	compose_tar tar = {.write = add_packed};
	compose_digest digest;
	int code = compose_blob_begin(t->state, &blob, err);

	tar.arg = blob;
	if (code == 0)
		code = compose_pack(t->os, &tree_packing, &tar, err);
	return code < 0 ? code : compose_blob_finish(blob, &digest, NULL, err);
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

static int run_stream(torture *t, hn_error **err)
{
	stream *from = t->state;
	compose_record_source source = {.read = take, .arg = from};
	compose_layer *layer = NULL;
	int code = compose_records_read(&source, 100, from->store, &tar_reading, &layer, err);

	if (code == 0)
		t->output = layer;
	return code;
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

static int run_archive(torture *t, hn_error **err)
{
	int in = t->os->ops->open(t->os, "/payload", O_RDONLY, 0);
	int out = in < 0 ? in : t->os->ops->open(t->os, "/records", O_RDWR | O_CREAT, 0600);
	int code;

	if (out < 0) {
		if (in >= 0)
			t->os->ops->close(t->os, in);
		return base_error_errno(err, "torture", out, "cannot open");
	}
	code = compose_payload_parse(t->os, COMPOSE_PAYLOAD_TAR, NULL, in, out, false, err);
	t->os->ops->close(t->os, in);
	t->os->ops->close(t->os, out);
	return code;
}

static const torture_scenario scenarios[] = {
	{.name = "directory",
		.prepare = prepare_store,
		.run = run_directory,
		.clean = clean_store,
		.io = true,
		.also = io_codes},
	{.name = "records",
		.prepare = prepare_stream,
		.run = run_stream,
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
};

int main(int argc, char **argv)
{
	return torture_main("compose-payload", scenarios, BASE_COUNT(scenarios), argc, argv);
}
