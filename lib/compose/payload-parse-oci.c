/* SPDX-License-Identifier: MIT
 *
 * One image of an image layout (OCI image specification 1.1): index, manifest, config and layers.
 * Each blob is hashed before anything in it is looked at.
 */
#include "compose/payload-parse.h"

enum { INDEX_DEPTH = 2, SCHEMA_VERSION = 2 };

#define WHITEOUT ".wh."
#define OPAQUE ".wh..opq" /* behind it: of all that is in this directory */
#define MEDIA "application/vnd.oci.image."

/* --- fields; what somebody else may add is passed over --- */

static int wrong(parse *run, const char *document, const codec_node *node, const char *what)
{
	return parse_refuse(run, HN_EENTRY, "this image layout is refused: %s:%u:%u: %s", document,
		node->line, node->column, what);
}

static const codec_node *field(const codec_node *object, const char *name, codec_kind kind)
{
	const codec_node *found = object->kind == CODEC_OBJECT ? codec_member(object, name) : NULL;

	return found != NULL && found->kind == kind ? found : NULL;
}

static bool text_is(const codec_node *object, const char *name, const char *text)
{
	const codec_node *found = field(object, name, CODEC_TEXT);

	return found != NULL && strcmp(found->text, text) == 0;
}

static bool take_sha256(const codec_node *node, uint8_t sha256[CRYPTO_DIGEST])
{
	static const char algorithm[] = "sha256:";
	size_t skip = strlen(algorithm);

	if (node == NULL || node->kind != CODEC_TEXT ||
		node->text_size != skip + (size_t)2 * CRYPTO_DIGEST ||
		memcmp(node->text, algorithm, skip) != 0)
		return false;
	/* A blob has one name. */
	for (size_t i = skip; i < node->text_size; i++) {
		if (node->text[i] >= 'A' && node->text[i] <= 'F')
			return false;
	}
	return codec_hex_decode(node->text + skip, node->text_size - skip, sha256);
}

static int take_descriptor(
	parse *run, const char *document, const codec_node *node, parse_blob *blob)
{
	const codec_node *size = field(node, "size", CODEC_INTEGER);

	if (field(node, "mediaType", CODEC_TEXT) == NULL)
		return wrong(run, document, node, "a descriptor has no 'mediaType'");
	if (!take_sha256(field(node, "digest", CODEC_TEXT), blob->sha256))
		return wrong(run, document, node,
			"a descriptor has no 'digest' of sha256: and 64 digits");
	if (size == NULL || size->integer < 0)
		return wrong(run, document, node, "a descriptor has no 'size'");
	blob->size = (uint64_t)size->integer;
	return 0;
}

static int check_schema(parse *run, const char *document, const codec_node *root, const char *media)
{
	const codec_node *version = field(root, "schemaVersion", CODEC_INTEGER);
	const codec_node *type = codec_member(root, "mediaType");

	if (version == NULL || version->integer != SCHEMA_VERSION)
		return wrong(run, document, root, "its 'schemaVersion' is not 2");
	if (type != NULL && (type->kind != CODEC_TEXT || strcmp(type->text, media) != 0))
		return wrong(run, document, type, "its 'mediaType' is of something else");
	return 0;
}

static int open_blob(parse *run, const char *name, const parse_blob *blob, codec_json **json)
{
	int code = parse_blob_json(run, name, blob, json);

	if (code == 0 && codec_json_root(*json)->kind != CODEC_OBJECT)
		return wrong(run, name, codec_json_root(*json), "it is no object");
	return code;
}

/* --- platforms --- */

typedef struct wanted {
	char processor[BASE_QUOTE_SIZE];
	const char *text; /* as in "x86_64-linux"; NULL: whatever there is */
	const char *os, *variant;
} wanted;

/* As we call processors, as Go does. */
static void take_platform(const char *text, wanted *to)
{
	static const char *const names[][3] = {{"x86_64", "amd64", NULL},
		{"aarch64", "arm64", NULL}, {"i686", "386", NULL}, {"armv6l", "arm", "v6"},
		{"armv7l", "arm", "v7"}, {"powerpc64le", "ppc64le", NULL}};
	const char *dash = text != NULL ? strchr(text, '-') : NULL;

	to->text = text;
	if (text == NULL)
		return;
	to->os = dash != NULL ? dash + 1 : "";
	base_quote(to->processor, text, dash != NULL ? (size_t)(dash - text) : strlen(text));
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		if (strcmp(to->processor, names[i][0]) != 0)
			continue;
		memcpy(to->processor, names[i][1], strlen(names[i][1]) + 1);
		to->variant = names[i][2];
		break;
	}
}

/* Of a platform or a config: both have these members. */
static bool fits(const wanted *platform, const codec_node *node)
{
	/* How builders mark what is no image: attestations. */
	if (text_is(node, "architecture", "unknown"))
		return false;
	if (platform->text == NULL)
		return true;
	return text_is(node, "os", platform->os) &&
	       text_is(node, "architecture", platform->processor) &&
	       (platform->variant == NULL || codec_member(node, "variant") == NULL ||
		       text_is(node, "variant", platform->variant));
}

/* --- which image --- */

typedef struct choice {
	parse *run;
	wanted platform;
	parse_blob manifest;
	bool found;
} choice;

static int open_manifest(parse *run, const parse_blob *blob, codec_json **json)
{
	int code = open_blob(run, "manifest", blob, json);

	return code < 0 ? code
			: check_schema(run, "manifest", codec_json_root(*json),
				  MEDIA "manifest.v1+json");
}

static int open_config(parse *run, const codec_node *manifest, codec_json **json)
{
	const codec_node *node = field(manifest, "config", CODEC_OBJECT);
	parse_blob blob;
	int code;

	if (node == NULL || !text_is(node, "mediaType", MEDIA "config.v1+json"))
		return wrong(run, "manifest", node != NULL ? node : manifest,
			"its 'config' is not that of an image");
	code = take_descriptor(run, "manifest", node, &blob);
	return code < 0 ? code : open_blob(run, "config", &blob, json);
}

/* Whose descriptor has no platform is asked itself. */
static int ask_config(choice *of, const parse_blob *blob, bool *fit)
{
	BASE_AUTO_OF(codec_json) codec_json *manifest = NULL;
	BASE_AUTO_OF(codec_json) codec_json *config = NULL;
	int code = open_manifest(of->run, blob, &manifest);

	if (code == 0)
		code = open_config(of->run, codec_json_root(manifest), &config);
	if (code == 0)
		*fit = fits(&of->platform, codec_json_root(config));
	return code;
}

static int consider(choice *of, const codec_node *node, const parse_blob *blob)
{
	const codec_node *platform = field(node, "platform", CODEC_OBJECT);
	bool fit = true;
	int code = 0;

	if (platform != NULL)
		fit = fits(&of->platform, platform);
	else if (of->platform.text != NULL)
		code = ask_config(of, blob, &fit);
	if (code < 0 || !fit)
		return code;
	if (of->found && memcmp(of->manifest.sha256, blob->sha256, CRYPTO_DIGEST) != 0)
		return of->platform.text != NULL
			       ? parse_refuse(of->run, HN_EENTRY,
					 "this image layout has more than one image for %s",
					 of->platform.text)
			       : parse_refuse(of->run, HN_EENTRY,
					 "this image layout has more than one image, and no "
					 "'platform' says which");
	of->manifest = *blob;
	of->found = true;
	return 0;
}

static int look_through(choice *of, const char *name, const codec_node *index, int depth);

static int look_below(choice *of, const parse_blob *blob, int depth)
{
	BASE_AUTO_OF(codec_json) codec_json *json = NULL;
	int code;

	/* An index that leads to itself would not fit its digest, and is not even looked at. */
	if (depth > INDEX_DEPTH)
		return parse_refuse(of->run, HN_EENTRY,
			"this image layout is refused: its indexes are more than %d deep",
			INDEX_DEPTH);
	code = open_blob(of->run, "index", blob, &json);
	return code < 0 ? code : look_through(of, "index", codec_json_root(json), depth);
}

static int look_through(choice *of, const char *name, const codec_node *index, int depth)
{
	const codec_node *list = field(index, "manifests", CODEC_ARRAY);
	int code = check_schema(of->run, name, index, MEDIA "index.v1+json");

	if (code == 0 && list == NULL)
		return wrong(of->run, name, index, "it has no list of 'manifests'");
	for (const codec_node *node = code == 0 ? list->child : NULL; code == 0 && node != NULL;
		node = node->next) {
		parse_blob blob;

		code = take_descriptor(of->run, name, node, &blob);
		if (code == 0 && text_is(node, "mediaType", MEDIA "index.v1+json"))
			code = look_below(of, &blob, depth + 1);
		else if (code == 0 && text_is(node, "mediaType", MEDIA "manifest.v1+json"))
			code = consider(of, node, &blob);
	}
	return code;
}

static int choose(choice *of)
{
	BASE_AUTO_OF(codec_json) codec_json *layout = NULL;
	BASE_AUTO_OF(codec_json) codec_json *index = NULL;
	int code = parse_layout_json(of->run, "oci-layout", &layout);

	if (code == 0 && !text_is(codec_json_root(layout), "imageLayoutVersion", "1.0.0"))
		return wrong(of->run, "oci-layout", codec_json_root(layout),
			"its 'imageLayoutVersion' is not 1.0.0");
	if (code == 0)
		code = parse_layout_json(of->run, "index.json", &index);
	if (code == 0)
		code = look_through(of, "index.json", codec_json_root(index), 1);
	if (code < 0 || of->found)
		return code;
	return parse_refuse(of->run, HN_EENTRY, "this image layout has no image%s%s",
		of->platform.text != NULL ? " for " : "",
		of->platform.text != NULL ? of->platform.text : "");
}

/* --- layers --- */

/* What a whiteout hides; false: no whiteout has this name. `path` has room for all of it. */
static bool take_hidden(
	const compose_raw *raw, size_t directory, char *path, compose_record *record)
{
	const char *name = raw->path + directory + strlen(WHITEOUT);
	size_t size = raw->path_size - directory - strlen(WHITEOUT);

	memcpy(path, raw->path, directory);
	record->raw.path = path;
	record->raw.path_size = directory;
	record->opaque = size == strlen(OPAQUE) && memcmp(name, OPAQUE, size) == 0;
	if (record->opaque) {
		if (directory == 0)
			path[record->raw.path_size++] = '.';
		return true;
	}
	memcpy(path + directory, name, size);
	record->raw.path_size += size;
	return size > 0 && (size != 1 || name[0] != '.') &&
	       (size < strlen(WHITEOUT) || memcmp(name, WHITEOUT, strlen(WHITEOUT)) != 0);
}

static int refuse_whiteout(parse *run, const compose_raw *raw, const char *why)
{
	char quoted[BASE_QUOTE_SIZE];

	return parse_refuse(run, HN_EENTRY, "entry '%s' is refused: %s",
		base_quote(quoted, raw->path, raw->path_size), why);
}

int parse_whiteout(parse *run, const compose_raw *raw, bool *is)
{
	char path[COMPOSE_PATH_ROOM], canonical[COMPOSE_PATH_ROOM];
	compose_record record = {.type = COMPOSE_RECORD_WHITEOUT};
	size_t directory = raw->path_size;
	int code;

	while (directory > 0 && raw->path[directory - 1] != '/')
		directory--;
	*is = raw->path_size < sizeof(path) && raw->path_size - directory >= strlen(WHITEOUT) &&
	      memcmp(raw->path + directory, WHITEOUT, strlen(WHITEOUT)) == 0;
	if (!*is)
		return 0;
	if (raw->type != COMPOSE_RAW_FILE || raw->size != 0)
		return refuse_whiteout(run, raw, "a whiteout is an empty file");
	if (!take_hidden(raw, directory, path, &record))
		return refuse_whiteout(run, raw, "no whiteout has this name");
	code = compose_whiteout_check(path, record.raw.path_size, canonical, run->err);
	if (code == 0)
		code = compose_tally_entry(&run->entries, "this payload", 0, run->err);
	if (code < 0)
		return parse_fail(run, code);
	run->count++;
	return parse_send(run, &record);
}

static bool is_layer(const codec_node *node)
{
	return text_is(node, "mediaType", MEDIA "layer.v1.tar") ||
	       text_is(node, "mediaType", MEDIA "layer.v1.tar+gzip") ||
	       text_is(node, "mediaType", MEDIA "layer.v1.tar+zstd");
}

static int send_layer(
	parse *run, size_t number, const parse_blob *blob, const uint8_t diff_id[CRYPTO_DIGEST])
{
	const compose_record begin = {.type = COMPOSE_RECORD_LAYER};
	uint8_t digest[CRYPTO_DIGEST];
	crypto_hasher hash;
	char name[32];
	int code = parse_blob_seek(run, blob);

	if (code == 0)
		code = parse_send(run, &begin);
	if (code < 0)
		return code;
	(void)snprintf(name, sizeof(name), "layer %zu", number);
	crypto_sha256_begin(&hash);
	run->plain_hash = &hash;
	code = parse_tar(run, name, blob->size, PARSE_LAYER);
	run->plain_hash = NULL;
	crypto_sha256_end(&hash, digest);
	if (code == 0 && memcmp(digest, diff_id, sizeof(digest)) != 0)
		return parse_refuse(run, HN_EDIGEST,
			"%s of this image is not the one that its config names: its diff_id differs",
			name);
	return code;
}

static int send_layers(parse *run, const codec_node *manifest, const codec_node *config)
{
	const codec_node *layers = field(manifest, "layers", CODEC_ARRAY), *layer, *id;
	const codec_node *rootfs = field(config, "rootfs", CODEC_OBJECT);
	const codec_node *ids = rootfs != NULL ? field(rootfs, "diff_ids", CODEC_ARRAY) : NULL;
	uint8_t diff_id[CRYPTO_DIGEST];
	size_t number = 1;
	int code;

	if (layers == NULL || layers->count == 0)
		return wrong(run, "manifest", manifest, "it has no 'layers'");
	if (ids == NULL || !text_is(rootfs, "type", "layers") || ids->count != layers->count)
		return wrong(run, "config", config,
			"its 'rootfs' does not name as many layers as the manifest");
	code = base_limit_check(BASE_LIMIT_OCI_LAYERS, layers->count, run->err);
	if (code < 0)
		return parse_fail(run, code);
	for (layer = layers->child, id = ids->child; code == 0 && layer != NULL;
		layer = layer->next, id = id->next) {
		parse_blob blob;

		code = take_descriptor(run, "manifest", layer, &blob);
		if (code == 0 && !is_layer(layer))
			return wrong(run, "manifest", layer,
				"it is no layer of tar, tar+gzip or tar+zstd");
		if (code == 0 && !take_sha256(id, diff_id))
			return wrong(run, "config", id, "a diff_id is sha256: and 64 digits");
		if (code == 0)
			code = send_layer(run, number++, &blob, diff_id);
	}
	return code;
}

static int send_image(choice *of)
{
	BASE_AUTO_OF(codec_json) codec_json *manifest = NULL;
	BASE_AUTO_OF(codec_json) codec_json *config = NULL;
	parse *run = of->run;
	int code = open_manifest(run, &of->manifest, &manifest);

	if (code == 0)
		code = open_config(run, codec_json_root(manifest), &config);
	if (code < 0)
		return code;
	if (!fits(&of->platform, codec_json_root(config)))
		return wrong(run, "config", codec_json_root(config),
			"it is of another platform than its descriptor");
	return send_layers(run, codec_json_root(manifest), codec_json_root(config));
}

int parse_oci(parse *run, const char *platform)
{
	parse_layout layout = {0};
	choice of = {.run = run};
	int code = parse_layout_open(run, &layout);

	take_platform(platform, &of.platform);
	run->placed = true;
	if (code == 0)
		code = parse_tar(run, "image layout", UINT64_MAX, PARSE_LAYOUT);
	/* That were the files of the layout; what they hold has these limits to itself. */
	run->entries = (compose_tally){.packed = run->entries.packed};
	run->plain = (compose_tally){.packed = run->plain.packed};
	if (code == 0)
		code = choose(&of);
	if (code == 0)
		code = send_image(&of);
	run->layout = NULL;
	parse_layout_close(&layout);
	return code;
}
