/* SPDX-License-Identifier: MIT
 *
 * Settings of components and blueprints: what a unit's overrides take, as plain values. They are
 * checked by the reader of declarations, so that both take the same.
 */
#include "compose/read-model.h"
#include "tags/tags-private.h"

/* A component stands at one place of the layers, so its values carry no priority of their own. */
static int refuse_wrappers(compose_reader *in, const codec_node *node)
{
	char quoted[BASE_QUOTE_SIZE];
	int rc = 0;

	for (const codec_node *child = node->child; rc == 0 && child != NULL; child = child->next) {
		if (child->key != NULL && child->key[0] == '$')
			return compose_read_fail(in, HN_ESCHEMA, child,
				"write the value alone; a unit, tag or policy overrides it",
				"'%s' cannot stand in settings",
				base_quote(quoted, child->key, child->key_size));
		rc = refuse_wrappers(in, child);
	}
	return rc;
}

/* The value that stands at this place; no two begin at the same one. */
static const codec_node *node_at(const codec_node *tree, const tags_place *place)
{
	const codec_node *found = NULL;

	if (tree->line == place->line && tree->column == place->column)
		return tree;
	if (tree->kind != CODEC_OBJECT)
		return NULL;
	for (const codec_node *child = tree->child; found == NULL && child != NULL;
		child = child->next)
		found = node_at(child, place);
	return found;
}

static int value_json(const tags_decl_def *def, const codec_node *node, char **text, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *item = def->items;
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	if (node->kind == CODEC_ARRAY)
		hn_json_array(json, NULL);
	for (uint32_t i = 0; node->kind == CODEC_ARRAY && i < def->item_count; i++) {
		hn_json_text(json, NULL, item);
		item += strlen(item) + 1;
	}
	if (node->kind == CODEC_ARRAY)
		hn_json_end(json);
	else
		hn_json_text(json, NULL, def->text); /* null where there is none */
	return codec_json_take(json, text, err);
}

static int take_setting(compose_reader *in, const codec_node *tree, const tags_decl_def *def,
	compose_setting *setting)
{
	const codec_node *node = node_at(tree, &def->place);
	BASE_AUTO_FREE char *text = NULL;
	int rc;

	if (!HN_BELIEVE(node != NULL))
		return base_error(in->err, HN_EINTERNAL, COMPOSE_ROOM, NULL,
			"%s has no place in %s", def->name, in->file);
	rc = value_json(def, node, &text, in->err);
	if (rc < 0)
		return rc;
	*setting = (compose_setting){.key = def->name,
		.node = node,
		.text = base_arena_strndup(in->arena, text, strlen(text)),
		.place = compose_read_place(in, node)};
	return setting->text != NULL ? 0 : base_nomem(in->err);
}

static int take_settings(compose_reader *in, const codec_node *tree, const tags_reader *reader,
	compose_settings *out)
{
	compose_setting *items;
	hn_error *cause = NULL;
	int rc = 0;

	if (base_limit_check(BASE_LIMIT_MANIFEST_ITEMS, reader->def_count, &cause) < 0)
		return compose_read_refuse(in, tree, cause);
	items = base_arena_alloc(in->arena, (reader->def_count + 1) * sizeof(*items));
	if (items == NULL)
		return base_nomem(in->err);
	for (size_t i = 0; rc == 0 && i < reader->def_count; i++)
		rc = take_setting(in, tree, &reader->defs[i], &items[i]);
	if (rc < 0)
		return rc;
	*out = (compose_settings){.items = items, .count = reader->def_count};
	return 0;
}

int compose_read_settings(compose_reader *in, const codec_node *node, compose_settings *out)
{
	hn_decl decl = {.arena = in->arena, .file = in->file};
	tags_reader reader = {.decl = &decl, .root = node, .err = in->err};
	int rc = compose_read_expect(in, node, CODEC_OBJECT, "an object");

	if (rc == 0)
		rc = refuse_wrappers(in, node);
	if (rc < 0)
		return rc;
	reader.seen = base_map_new(NULL);
	if (reader.seen == NULL)
		return base_nomem(in->err);
	rc = tags_reader_keys(&reader, node, TAGS_DEFAULTS, NULL);
	if (rc == 0)
		rc = take_settings(in, node, &reader, out);
	base_map_free(reader.seen);
	base_free(reader.defs);
	return rc;
}
