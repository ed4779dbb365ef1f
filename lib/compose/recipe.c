/* SPDX-License-Identifier: MIT
 *
 * Reading recipes. The manifest of one is read as a manifest is, but for what packages give it.
 */
#include "compose/recipe.h"
#include "compose/manifest-parts.h"

/* --- packages --- */

static int read_package(compose_reader *in, const codec_node *node, void *out)
{
	char quoted[BASE_QUOTE_SIZE];
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (!compose_package_name_valid(node->text, node->text_size))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"a-z, 0-9, '+', '-' and '.', as in libstdc++6",
			"'%s' is not a name of a package",
			base_quote(quoted, node->text, node->text_size));
	memcpy(out, &node->text, sizeof(node->text));
	return 0;
}

static int read_begins(compose_reader *in, const codec_node *node, void *out)
{
	char quoted[BASE_QUOTE_SIZE];
	int rc = compose_read_expect(in, node, CODEC_TEXT, "a string");

	if (rc < 0)
		return rc;
	if (!compose_package_version_valid(node->text, node->text_size))
		return compose_read_fail(in, HN_ESCHEMA, node,
			"say how the version begins, as in \"18.\"",
			"no version of a package begins with '%s'",
			base_quote(quoted, node->text, node->text_size));
	memcpy(out, &node->text, sizeof(node->text));
	return 0;
}

/* Whoever names scripts says why they need not run. */
static int check_decision(
	compose_reader *in, const codec_node *node, const compose_ingredient *made)
{
	const codec_node *decision = codec_member(node, "decision");

	if (made->script_count > 0 && decision == NULL)
		return compose_read_fail(in, HN_ESCHEMA, node,
			"add \"decision\": what they would do, and where that is declared",
			"%s has scripts without a decision: they never run", made->package);
	if (made->script_count == 0 && decision != NULL)
		return compose_read_fail(in, HN_ESCHEMA, decision,
			"add \"scripts\", as in [\"postinst\"], or leave it out",
			"a decision without scripts is about nothing");
	return 0;
}

static int read_ingredient(compose_reader *in, const codec_node *node, void *out)
{
	static const compose_row rows[] = {{.name = "package",
						   .read = read_package,
						   .offset = offsetof(compose_ingredient, package),
						   .flags = COMPOSE_ROW_REQUIRED},
		{.name = "version",
			.read = read_begins,
			.offset = offsetof(compose_ingredient, begins)},
		{.name = "first-dependency",
			.read = compose_read_bool,
			.offset = offsetof(compose_ingredient, dependency)},
		{.name = "exclude",
			.read = compose_read_pattern,
			COMPOSE_LIST(compose_ingredient, exclude, exclude_count),
			.unique = {""},
			.limit = BASE_LIMIT_LIST_ITEMS},
		{.name = "scripts",
			.read = compose_read_name,
			COMPOSE_LIST(compose_ingredient, scripts, script_count),
			.unique = {""}},
		{.name = "decision",
			.read = compose_read_text,
			.offset = offsetof(compose_ingredient, decision)},
		{0}};
	compose_ingredient made = {.begins = "", .place = compose_read_place(in, node)};
	int rc = compose_read_object(in, node, "a package", rows, &made);

	if (rc == 0)
		rc = check_decision(in, node, &made);
	if (rc == 0)
		memcpy(out, &made, sizeof(made));
	return rc;
}

/* --- the manifest --- */

static int read_template(compose_reader *in, const codec_node *node, void *out)
{
	static const char *const made[] = {"version", "upstream"};
	compose_recipe *recipe = out;
	compose_manifest *manifest = base_arena_alloc(in->arena, sizeof(*manifest));
	int rc = manifest != NULL ? 0 : base_nomem(in->err);

	for (size_t i = 0; rc == 0 && node->kind == CODEC_OBJECT && i < BASE_COUNT(made); i++) {
		const codec_node *member = codec_member(node, made[i]);

		if (member != NULL)
			rc = compose_read_fail(in, HN_ESCHEMA, member,
				"leave it out: it comes from the first package; without packages "
				"the recipe itself has 'version'",
				"the manifest of a recipe has no '%s'", made[i]);
	}
	if (rc == 0)
		rc = compose_manifest_read_template(in, node, manifest);
	if (rc < 0)
		return rc;
	recipe->manifest = node;
	recipe->component = manifest->component;
	return 0;
}

/* What only a recipe with packages has, or only one without. */
static int check_versions(compose_reader *in, const codec_node *root, const compose_recipe *recipe)
{
	const codec_node *version = codec_member(root, "version");
	const codec_node *payloads = codec_member(recipe->manifest, "payloads");
	const codec_node *provides = codec_member(recipe->manifest, "provides");

	if (recipe->package_count > 0 && version != NULL)
		return compose_read_fail(in, HN_ESCHEMA, version, "leave it out",
			"the version of %s is that of its first package", recipe->component);
	if (recipe->package_count > 0 && payloads != NULL)
		return compose_read_fail(in, HN_ESCHEMA, payloads, "leave it out",
			"the payloads of %s are its packages", recipe->component);
	if (recipe->package_count > 0)
		return 0;
	if (recipe->revision != 0)
		return compose_read_fail(in, HN_ESCHEMA, codec_member(root, "revision"),
			"write it into \"version\", such as 1.0.0+r2",
			"only the version of a package has a revision beside it");
	if (version == NULL)
		return compose_read_fail(in, HN_ESCHEMA, root, "add \"version\": \"1.0.0\"",
			"a recipe without packages needs 'version'");
	for (const codec_node *one = provides != NULL ? provides->child : NULL; one != NULL;
		one = one->next) {
		const codec_node *of = codec_member(one, "version");

		if (strcmp(of->text, COMPOSE_UPSTREAM) == 0)
			return compose_read_fail(in, HN_ESCHEMA, of, "write a version",
				"%s has no package whose version " COMPOSE_UPSTREAM " could be",
				recipe->component);
	}
	return 0;
}

static int read_revision(compose_reader *in, const codec_node *node, void *out)
{
	uint64_t *revision = out;
	int rc = compose_read_bytes(in, node, revision);

	if (rc == 0 && *revision == 0)
		rc = compose_read_fail(
			in, HN_ERANGE, node, "such as 91500", "a revision is a number from 1 on");
	return rc;
}

static int read_recipe(compose_reader *in, compose_recipe *recipe)
{
	static const compose_row rows[] = {
		{.name = "hypernix", .read = compose_read_schema, .flags = COMPOSE_ROW_REQUIRED},
		{.name = "version",
			.read = compose_read_version,
			.offset = offsetof(compose_recipe, version)},
		{.name = "revision",
			.read = read_revision,
			.offset = offsetof(compose_recipe, revision)},
		{.name = "packages",
			.read = read_ingredient,
			COMPOSE_LIST(compose_recipe, packages, package_count),
			.unique = {"package"},
			.limit = BASE_LIMIT_PAYLOADS},
		{.name = "manifest", .read = read_template, .flags = COMPOSE_ROW_REQUIRED}, {0}};
	const codec_node *root = codec_json_root(in->document);
	int rc = compose_read_object(in, root, "a recipe", rows, recipe);

	return rc < 0 ? rc : check_versions(in, root, recipe);
}

int compose_recipe_parse(
	const char *file, const void *bytes, size_t size, compose_recipe **recipe, hn_error **err)
{
	BASE_AUTO_OF(compose_recipe) compose_recipe *made = base_calloc(1, sizeof(*made));
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
	rc = read_recipe(&in, made);
	if (rc < 0)
		return rc;
	*recipe = BASE_STEAL(made);
	return 0;
}

compose_recipe *compose_recipe_unref(compose_recipe *recipe)
{
	if (recipe == NULL ||
		atomic_fetch_sub_explicit(&recipe->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	codec_json_free(recipe->document);
	base_arena_free(recipe->arena);
	base_free(recipe);
	return NULL;
}
