/* SPDX-License-Identifier: MIT
 *
 * Component manifests.
 */
#include "compose/manifest-parts.h"

static const char *const kind_words[] = {
	"base-os", "runtime", "service", "security", "config", NULL};

const char *compose_kind_text(compose_kind kind)
{
	return kind >= COMPOSE_BASE_OS && kind <= COMPOSE_CONFIG ? kind_words[kind - 1] : "unknown";
}

static int read_kind(compose_reader *in, const codec_node *node, void *out)
{
	int index = compose_read_enum(in, node, kind_words);
	compose_kind kind = (compose_kind)(index + 1);

	if (index < 0)
		return index;
	memcpy(out, &kind, sizeof(kind));
	return 0;
}

/* --- what it gives, and whom it does not meet --- */

static int read_given(compose_reader *in, const codec_node *node, void *out)
{
	compose_given given = {
		.name = node->key, .node = node, .place = compose_read_place(in, node)};
	char quoted[BASE_QUOTE_SIZE];

	base_quote(quoted, node->key, node->key_size);
	if (!base_name_valid(node->key, node->key_size))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"a name begins with a-z and goes on with a-z, 0-9 and '-', 63 at most",
			"'%s' is not a name of a field", quoted);
	if (node->kind != CODEC_TEXT && node->kind != CODEC_INTEGER && node->kind != CODEC_TRUE &&
		node->kind != CODEC_FALSE)
		return compose_read_fail(in, HN_ESCHEMA, node,
			"a field is a string, a whole number, true or false", "%s cannot be %s",
			quoted, codec_kind_name(node->kind));
	memcpy(out, &given, sizeof(given));
	return 0;
}

static int read_provision(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "contract",
						   .read = compose_read_contract,
						   .offset = offsetof(compose_provision, contract),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "version",
			.read = compose_read_version,
			.offset = offsetof(compose_provision, version),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = "fields",
			.read = read_given,
			COMPOSE_LIST(compose_provision, fields, field_count),
			.flags = COMPOSE_ROW_OBJECT},
		{0}};
	compose_provision made = {.place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a provision", rows, &made);

	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}

static int read_conflict(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "component",
						   .read = compose_read_name,
						   .offset = offsetof(compose_conflict, component),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "range",
			.read = compose_read_range,
			.offset = offsetof(compose_conflict, range)},
		{0}};
	compose_conflict made = {.place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a conflict", rows, &made);

	if (rc == 0 && made.range == NULL)
		rc = compose_range_parse(in->arena, "*", 1, &made.range, in->err);
	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}

static int read_replacement(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {
		{.name = "component",
			.read = compose_read_name,
			.offset = offsetof(compose_replacement, component),
			.flags = COMPOSE_ROW_REQUIRED},
		{.name = "paths",
			.read = compose_read_path,
			COMPOSE_LIST(compose_replacement, paths, path_count),
			.flags = COMPOSE_ROW_REQUIRED | COMPOSE_ROW_NOT_EMPTY,
			.unique = {""}},
		{0}};
	compose_replacement made = {.place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a replacement", rows, &made);

	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}

/* --- the kernel, the base --- */

/* As a module's file is called, without ".ko". */
static int read_module(compose_reader *in, const codec_node *node, void *out)
{
	char quoted[BASE_QUOTE_SIZE];
	const char *text = NULL;
	int rc = compose_read_text(in, node, &text);

	if (rc < 0)
		return rc;
	if (text[strspn(text,
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0' ||
		node->text_size > 63)
		return compose_read_fail(in, HN_ESCHEMA, node, "as in virtio_blk",
			"'%s' is not a name of a module",
			base_quote(quoted, text, node->text_size));
	memcpy(out, &text, sizeof(text));
	return 0;
}

static int check_cmdline(
	compose_reader *in, const codec_node *node, const compose_manifest *manifest)
{
	hn_error *cause = NULL;
	uint64_t size = 0;

	for (size_t i = 0; i < manifest->cmdline_count; i++)
		size += strlen(manifest->cmdline[i]) + 1;
	if (base_limit_check(BASE_LIMIT_CMDLINE_BYTES, size, &cause) < 0)
		return compose_read_refuse(in, node, cause);
	return 0;
}

static int read_kernel(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {
		{.name = "cmdline",
			.read = compose_read_word,
			COMPOSE_LIST(compose_manifest, cmdline, cmdline_count)},
		{.name = "modules",
			.read = read_module,
			COMPOSE_LIST(compose_manifest, modules, module_count),
			.unique = {""}},
		{0}};
	int rc = compose_read_object(in, node, "the kernel", rows, out);

	return rc < 0 ? rc : check_cmdline(in, node, out);
}

/* "/lib": "usr/lib", as a link would say it. */
static int read_alias(compose_reader *in, const codec_node *node, void *out)
{
	static const char hint[] = "write \"/lib\": \"usr/lib\"";
	compose_alias alias = {.path = node->key};
	BASE_AUTO_BUF base_buf whole = {0};
	char path[BASE_QUOTE_SIZE], target[BASE_QUOTE_SIZE];
	const char *why = NULL;
	int rc = compose_read_text(in, node, &alias.target);

	if (rc < 0)
		return rc;
	base_quote(path, node->key, node->key_size);
	if (!compose_path_valid(node->key, node->key_size, &why))
		return compose_read_fail(
			in, HN_ESCHEMA, node, hint, "the alias '%s' %s", path, why);
	base_buf_format(&whole, "%s%s", alias.target[0] == '/' ? "" : "/", alias.target);
	if (whole.failed)
		return base_nomem(in->err);
	if (!compose_path_valid(whole.data, whole.size, &why))
		return compose_read_fail(in, HN_ESCHEMA, node, hint,
			"the target '%s' of the alias %s %s",
			base_quote(target, node->text, node->text_size), path, why);
	memcpy(out, &alias, sizeof(alias));
	return 0;
}

static int read_init(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const words[] = {"busybox", "systemd", NULL};
	int index = compose_read_enum(in, node, words);

	if (index < 0)
		return index;
	memcpy(out, &words[index], sizeof(words[index]));
	return 0;
}

static int read_settings(compose_reader *in, const codec_node *node, void *out)
{
	compose_manifest *manifest = out;
	compose_settings settings = {0};
	int rc = compose_read_settings(in, node, &settings);

	manifest->settings = settings.items;
	manifest->setting_count = settings.count;
	return rc;
}

/* --- the manifest --- */

static const compose_row manifest_rows[] = {
	{.name = "hypernix", .read = compose_read_schema, .flags = COMPOSE_ROW_REQUIRED},
	{.name = "component",
		.read = compose_read_name,
		.offset = offsetof(compose_manifest, component),
		.flags = COMPOSE_ROW_REQUIRED},
	{.name = "version",
		.read = compose_read_version,
		.offset = offsetof(compose_manifest, version),
		.flags = COMPOSE_ROW_REQUIRED},
	{.name = "kind",
		.read = read_kind,
		.offset = offsetof(compose_manifest, kind),
		.flags = COMPOSE_ROW_REQUIRED},
	{.name = "platforms",
		.read = compose_read_platform,
		COMPOSE_LIST(compose_manifest, platforms, platform_count),
		.unique = {""}},
	{.name = "summary",
		.read = compose_read_text,
		.offset = offsetof(compose_manifest, summary)},
	{.name = "license",
		.read = compose_read_text,
		.offset = offsetof(compose_manifest, license)},
	{.name = "upstream",
		.read = compose_read_text,
		.offset = offsetof(compose_manifest, upstream)},
	{.name = "requires",
		.read = compose_read_requirement,
		COMPOSE_LIST(compose_manifest, requires_, require_count),
		COMPOSE_UNIQUE_REQUIREMENTS},
	{.name = "provides",
		.read = read_provision,
		COMPOSE_LIST(compose_manifest, provides, provide_count),
		.unique = {"contract"}},
	{.name = "conflicts",
		.read = read_conflict,
		COMPOSE_LIST(compose_manifest, conflicts, conflict_count),
		.unique = {"component"}},
	{.name = "replaces",
		.read = read_replacement,
		COMPOSE_LIST(compose_manifest, replaces, replace_count),
		.unique = {"component"}},
	{.name = "payloads",
		.read = compose_read_payload,
		COMPOSE_LIST(compose_manifest, payloads, payload_count),
		.unique = {"sha256"},
		.limit = BASE_LIMIT_PAYLOADS},
	{.name = "users",
		.read = compose_read_account,
		COMPOSE_LIST(compose_manifest, users, user_count),
		.unique = {"name", "uid"}},
	{.name = "files",
		.read = compose_read_file,
		COMPOSE_LIST(compose_manifest, files, file_count),
		.unique = {"path"}},
	{.name = "services",
		.read = compose_read_service,
		COMPOSE_LIST(compose_manifest, services, service_count),
		.unique = {"name"}},
	{.name = "kernel", .read = read_kernel},
	{.name = "hardening",
		.read = compose_read_hardening,
		COMPOSE_LIST(compose_manifest, hardening, hardening_count)},
	{.name = "aliases",
		.read = read_alias,
		COMPOSE_LIST(compose_manifest, aliases, alias_count),
		.flags = COMPOSE_ROW_OBJECT,
		.limit = BASE_LIMIT_ALIASES},
	{.name = "init", .read = read_init, .offset = offsetof(compose_manifest, init)},
	{.name = "tags",
		.read = compose_read_tag,
		COMPOSE_LIST(compose_manifest, tags, tag_count),
		.unique = {""},
		.limit = BASE_LIMIT_UNIT_TAGS},
	{.name = "settings", .read = read_settings}, {0}};

static int check_stranger(compose_reader *in, const compose_manifest *manifest,
	const char *component, const compose_place *place, const char *what)
{
	if (component == NULL || strcmp(component, manifest->component) != 0)
		return 0;
	return compose_fail(in->err, HN_ESCHEMA, place, "name another component",
		"%s cannot %s itself", component, what);
}

/* Nothing that it says of others is about itself. */
static int check_strangers(compose_reader *in, const compose_manifest *manifest)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < manifest->require_count; i++)
		rc = check_stranger(in, manifest, manifest->requires_[i].component,
			&manifest->requires_[i].place, "require");
	for (size_t i = 0; rc == 0 && i < manifest->conflict_count; i++)
		rc = check_stranger(in, manifest, manifest->conflicts[i].component,
			&manifest->conflicts[i].place, "conflict with");
	for (size_t i = 0; rc == 0 && i < manifest->replace_count; i++)
		rc = check_stranger(in, manifest, manifest->replaces[i].component,
			&manifest->replaces[i].place, "replace files of");
	return rc;
}

static int check_base(compose_reader *in, const codec_node *root, const compose_manifest *manifest)
{
	static const char *const names[] = {"aliases", "init"};

	for (size_t i = 0; manifest->kind != COMPOSE_BASE_OS && i < BASE_COUNT(names); i++) {
		const codec_node *member = codec_member(root, names[i]);

		if (member != NULL)
			return compose_read_fail(in, HN_ESCHEMA, member, NULL,
				"only a base-os has '%s', and %s is a %s", names[i],
				manifest->component, compose_kind_text(manifest->kind));
	}
	return 0;
}

static int read_manifest(compose_reader *in, compose_manifest *manifest)
{
	const codec_node *root = codec_json_root(in->document);
	int rc = compose_read_object(in, root, "a manifest", manifest_rows, manifest);

	if (rc == 0)
		rc = check_strangers(in, manifest);
	if (rc == 0)
		rc = check_base(in, root, manifest);
	if (rc == 0)
		rc = compose_canonical_digest(in->file, root, &manifest->digest, in->err);
	return rc;
}

int compose_manifest_read_template(
	compose_reader *in, const codec_node *node, compose_manifest *manifest)
{
	compose_row rows[BASE_COUNT(manifest_rows)];
	int rc;

	memcpy(rows, manifest_rows, sizeof(rows));
	for (size_t i = 0; rows[i].name != NULL; i++)
		if (strcmp(rows[i].name, "version") == 0)
			rows[i].flags &= ~(unsigned)COMPOSE_ROW_REQUIRED;
	in->recipe = true;
	rc = compose_read_object(in, node, "a manifest", rows, manifest);
	in->recipe = false;
	if (rc == 0)
		rc = check_strangers(in, manifest);
	return rc < 0 ? rc : check_base(in, node, manifest);
}

int compose_manifest_parse(const char *file, const void *bytes, size_t size,
	compose_manifest **manifest, hn_error **err)
{
	BASE_AUTO_OF(compose_manifest) compose_manifest *made = base_calloc(1, sizeof(*made));
	compose_reader in;
	int rc;

	if (made == NULL)
		return base_nomem(err);
	atomic_init(&made->references, 1);
	rc = compose_read_open(&in, file, bytes, size, BASE_LIMIT_MANIFEST_BYTES, err);
	if (rc < 0)
		return rc;
	made->arena = in.arena;
	made->document = in.document;
	made->file = in.file;
	made->place = compose_read_place(&in, codec_json_root(in.document));
	rc = read_manifest(&in, made);
	if (rc < 0)
		return rc;
	*manifest = BASE_STEAL(made);
	return 0;
}

compose_manifest *compose_manifest_ref(compose_manifest *manifest)
{
	if (manifest != NULL)
		atomic_fetch_add_explicit(&manifest->references, 1, memory_order_relaxed);
	return manifest;
}

compose_manifest *compose_manifest_unref(compose_manifest *manifest)
{
	if (manifest == NULL ||
		atomic_fetch_sub_explicit(&manifest->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	codec_json_free(manifest->document);
	base_arena_free(manifest->arena);
	base_free(manifest);
	return NULL;
}
