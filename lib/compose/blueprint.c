/* SPDX-License-Identifier: MIT
 *
 * Blueprints: which components an image is made of, and what it must give.
 */
#include "compose/read-model.h"

#define PLATFORM "x86_64-linux"

/* --- components --- */

static int read_wish(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "component",
						   .read = compose_read_name,
						   .offset = offsetof(compose_wish, component),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "range",
			.read = compose_read_range,
			.offset = offsetof(compose_wish, range)},
		{0}};
	compose_wish made = {.place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a component", rows, &made);

	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}

/* "openssl <3.0.22", or the name alone. */
static int read_exclude(compose_reader *in, const codec_node *node, void *out)
{
	compose_wish made = {.place = compose_read_place(in, node)};
	char quoted[BASE_QUOTE_SIZE];
	hn_error *cause = NULL;
	const char *text = NULL, *range;
	size_t size;
	char *name;
	int rc = compose_read_text(in, node, &text);

	if (rc < 0)
		return rc;
	size = strcspn(text, " ");
	range = text + size + strspn(text + size, " ");
	if (!base_name_valid(text, size))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"write a component and a range, as in \"openssl <3.0.22\"",
			"'%s' does not begin with the name of a component",
			base_quote(quoted, text, node->text_size));
	if (range[0] != '\0' &&
		compose_range_parse(in->arena, range, strlen(range), &made.range, &cause) < 0)
		return compose_read_refuse(in, node, cause);
	name = base_arena_strndup(in->arena, text, size);
	if (name == NULL)
		return base_nomem(in->err);
	made.component = name;
	memcpy(out, &made, sizeof(made));
	return 0;
}

static int read_preference(compose_reader *in, const codec_node *node, void *out)
{
	compose_preference made = {.contract = node->key, .place = compose_read_place(in, node)};
	char quoted[BASE_QUOTE_SIZE];
	int rc;

	if (!compose_contract_name_valid(node->key, node->key_size))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"write { \"init/services\": \"busybox-base\" }", "'%s' is not a contract",
			base_quote(quoted, node->key, node->key_size));
	rc = compose_read_name(in, node, &made.component);
	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}

/* --- image --- */

static int read_root(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const words[] = {"auto", "initramfs", "squashfs", "ext4", NULL};
	int index = compose_read_enum(in, node, words);

	if (index < 0)
		return index;
	memcpy(out, &words[index], sizeof(words[index]));
	return 0;
}

/* "zstd:1" .. "zstd:19" */
static int read_compression(compose_reader *in, const codec_node *node, void *out)
{
	char quoted[BASE_QUOTE_SIZE];
	const char *text = NULL, *level;
	int rc = compose_read_text(in, node, &text);

	if (rc < 0)
		return rc;
	level = text + strlen("zstd:");
	if (strncmp(text, "zstd:", strlen("zstd:")) != 0 ||
		!((level[0] >= '1' && level[0] <= '9' && level[1] == '\0') ||
			(level[0] == '1' && level[1] >= '0' && level[1] <= '9' &&
				level[2] == '\0')))
		return compose_read_fail(in, HN_ESCHEMA, node, "write zstd:1 to zstd:19",
			"compression cannot be '%s'", base_quote(quoted, text, node->text_size));
	memcpy(out, &text, sizeof(text));
	return 0;
}

static int read_image(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {
		{.name = "root",
			.read = read_root,
			.offset = offsetof(compose_blueprint, image_root)},
		{.name = "compression",
			.read = read_compression,
			.offset = offsetof(compose_blueprint, image_compression)},
		{0}};

	return compose_read_object(in, node, "the image", rows, out);
}

static int read_settings(compose_reader *in, const codec_node *node, void *out)
{
	compose_blueprint *blueprint = out;
	compose_settings settings = {0};
	int rc = compose_read_settings(in, node, &settings);

	blueprint->settings = settings.items;
	blueprint->setting_count = settings.count;
	return rc;
}

/* --- the blueprint --- */

static const compose_row blueprint_rows[] = {
	{.name = "hypernix", .read = compose_read_schema, .flags = COMPOSE_ROW_REQUIRED},
	{.name = "blueprint",
		.read = compose_read_name,
		.offset = offsetof(compose_blueprint, name),
		.flags = COMPOSE_ROW_REQUIRED},
	{.name = "version",
		.read = compose_read_version,
		.offset = offsetof(compose_blueprint, version),
		.flags = COMPOSE_ROW_REQUIRED},
	{.name = "platform",
		.read = compose_read_platform,
		.offset = offsetof(compose_blueprint, platform)},
	{.name = "components",
		.read = read_wish,
		COMPOSE_LIST(compose_blueprint, components, component_count),
		.flags = COMPOSE_ROW_REQUIRED | COMPOSE_ROW_NOT_EMPTY,
		.unique = {"component"},
		.limit = BASE_LIMIT_BLUEPRINT_COMPONENTS},
	{.name = "requires",
		.read = compose_read_requirement,
		COMPOSE_LIST(compose_blueprint, requires_, require_count),
		COMPOSE_UNIQUE_REQUIREMENTS},
	{.name = "prefer",
		.read = read_preference,
		COMPOSE_LIST(compose_blueprint, prefer, prefer_count),
		.flags = COMPOSE_ROW_OBJECT},
	{.name = "exclude",
		.read = read_exclude,
		COMPOSE_LIST(compose_blueprint, exclude, exclude_count),
		.unique = {""}},
	{.name = "image", .read = read_image},
	{.name = "tags",
		.read = compose_read_tag,
		COMPOSE_LIST(compose_blueprint, tags, tag_count),
		.unique = {""},
		.limit = BASE_LIMIT_UNIT_TAGS},
	{.name = "settings", .read = read_settings}, {0}};

static int read_blueprint(compose_reader *in, compose_blueprint *blueprint)
{
	const codec_node *root = codec_json_root(in->document);
	int rc = compose_read_object(in, root, "a blueprint", blueprint_rows, blueprint);

	if (rc == 0)
		rc = compose_canonical_digest(in->file, root, &blueprint->digest, in->err);
	return rc;
}

int compose_blueprint_parse(const char *file, const void *bytes, size_t size,
	compose_blueprint **blueprint, hn_error **err)
{
	BASE_AUTO_OF(compose_blueprint) compose_blueprint *made = base_calloc(1, sizeof(*made));
	compose_reader in;
	int rc;

	if (made == NULL)
		return base_nomem(err);
	atomic_init(&made->references, 1);
	made->platform = PLATFORM;
	made->image_root = "auto";
	made->image_compression = "zstd:15";
	rc = compose_read_open(&in, file, bytes, size, BASE_LIMIT_MANIFEST_BYTES, err);
	if (rc < 0)
		return rc;
	made->arena = in.arena;
	made->document = in.document;
	made->file = in.file;
	made->place = compose_read_place(&in, codec_json_root(in.document));
	rc = read_blueprint(&in, made);
	if (rc < 0)
		return rc;
	*blueprint = BASE_STEAL(made);
	return 0;
}

compose_blueprint *compose_blueprint_ref(compose_blueprint *blueprint)
{
	if (blueprint != NULL)
		atomic_fetch_add_explicit(&blueprint->references, 1, memory_order_relaxed);
	return blueprint;
}

compose_blueprint *compose_blueprint_unref(compose_blueprint *blueprint)
{
	if (blueprint == NULL ||
		atomic_fetch_sub_explicit(&blueprint->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	codec_json_free(blueprint->document);
	base_arena_free(blueprint->arena);
	base_free(blueprint);
	return NULL;
}
