/* SPDX-License-Identifier: MIT
 *
 * The trees of keys in a declaration: nested and dotted names, `$value $priority $order $merge`,
 * null.
 */
#include "tags/tags-private.h"
#include <stdio.h>

enum { KEY_TEXT = 256 };

/* Where the walk is: the key so far, and what the wrappers around it said. */
typedef struct walk {
	tags_entity_kind entity;
	const char *const *groups;
	const codec_node *tree;
	char name[KEY_TEXT];
	size_t size;
	int priority, order;
} walk;

static int walk_value(tags_reader *in, walk *at, const codec_node *node);

/* --- which keys there are --- */

/* A dotted name is a group when some row goes on after it. */
static bool is_group(const char *name, size_t size)
{
	const hn_key *key;

	for (size_t i = 0; (key = hn_key_at(i)) != NULL; i++) {
		const char *row = key->name, *at = name, *end = name + size;

		while (at < end && *row != '\0') {
			size_t part = 0;

			if (*row != '*') {
				if (*row++ != *at++)
					break;
				continue;
			}
			while (at + part < end && at[part] != '.')
				part++;
			if (!base_name_valid(at, part))
				break;
			at += part;
			row++;
		}
		if (at == end && *row == '.')
			return true;
	}
	return false;
}

static int unknown_key(tags_reader *in, const walk *at, const codec_node *node)
{
	BASE_AUTO_BUF base_buf hint = {0};
	const char *near = hn_key_nearest(at->name);

	if (near != NULL)
		base_buf_format(&hint, "did you mean %s?", near);
	else
		base_buf_text(&hint, "hv-compute keys lists all keys");
	if (hint.failed)
		return base_nomem(in->err);
	return tags_reader_fail(in, HN_ESCHEMA, node, hint.data, "there is no key '%s'", at->name);
}

/* --- adding a definition --- */

static int seen_before(tags_reader *in, const walk *at, const codec_node *node)
{
	char key[KEY_TEXT + sizeof(uint32_t)];
	const codec_node *first;

	memcpy(key, &in->scope, sizeof(in->scope));
	memcpy(key + sizeof(in->scope), at->name, at->size);
	first = base_map_get(in->seen, key, at->size + sizeof(in->scope));
	if (first != NULL) {
		tags_place place = tags_reader_place(in, first);

		return tags_reader_fail(in, HN_EDUPLICATE, node, "keep one of the two",
			"%s is given twice; the first time at %s:%u:%u", at->name, place.file,
			place.line, place.column);
	}
	/* The map holds what it is given; the node is only read back. */
	if (base_map_put(in->seen, key, at->size + sizeof(in->scope),
		    (void *)(uintptr_t)(const void *)node) < 0)
		return base_nomem(in->err);
	return 0;
}

static int add_def(tags_reader *in, const walk *at, const hn_key *key, const codec_node *node,
	tags_parsed *parsed)
{
	base_arena *arena = in->decl->arena;
	tags_decl_def *def;

	if (base_grow(&in->defs, &in->def_capacity, in->def_count + 1, sizeof(*in->defs)) < 0)
		return base_nomem(in->err);
	def = &in->defs[in->def_count];
	*def = (tags_decl_def){.key = key,
		.name = base_arena_strndup(arena, at->name, at->size),
		.priority = (int16_t)at->priority,
		.order = (int16_t)at->order,
		.place = tags_reader_place(in, node)};
	if (parsed != NULL) {
		def->text = base_arena_strndup(arena, parsed->text.data, parsed->text.size);
		def->items = parsed->items.size == 0 ? ""
						     : base_arena_strndup(arena, parsed->items.data,
							       parsed->items.size);
		def->item_count = parsed->item_count;
		def->number = parsed->number;
		def->word = parsed->word;
	}
	if (def->name == NULL || (parsed != NULL && (def->text == NULL || def->items == NULL)))
		return base_nomem(in->err);
	in->def_count++;
	return 0;
}

/* --- reading a value --- */

/* Puts the place before what the value's own parser said. */
static int refuse_value(tags_reader *in, const walk *at, const codec_node *node, hn_error *cause)
{
	hn_code code = hn_error_code(cause);

	if (code == HN_ENOMEM)
		return base_nomem(in->err);
	tags_reader_fail(in, code, node, hn_error_hint(cause), "%s", hn_error_message(cause));
	base_error_fact(in->err, "key", at->name);
	return code;
}

static int wrong_kind(tags_reader *in, const walk *at, const hn_key *key, const codec_node *node,
	const char *hint)
{
	BASE_AUTO_BUF base_buf allowed = {0};

	tags_key_allowed(key, &allowed);
	if (allowed.failed)
		return base_nomem(in->err);
	return tags_reader_fail(in, HN_ESCHEMA, node, hint, "%s cannot be %s; allowed: %s",
		at->name, codec_kind_name(node->kind), allowed.data);
}

static int read_array(tags_reader *in, const walk *at, const hn_key *key, const codec_node *node,
	tags_parsed *parsed)
{
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	BASE_AUTO_FREE const char **items = NULL;
	BASE_AUTO_FREE size_t *sizes = NULL;
	size_t count = 0;

	if (base_limit_check(BASE_LIMIT_LIST_ITEMS, node->count, &cause) < 0)
		return refuse_value(in, at, node, cause);
	items = base_calloc((size_t)node->count + 1, sizeof(*items));
	sizes = base_calloc((size_t)node->count + 1, sizeof(*sizes));
	if (items == NULL || sizes == NULL)
		return base_nomem(in->err);
	for (const codec_node *item = node->child; item != NULL; item = item->next) {
		if (item->kind != CODEC_TEXT)
			return wrong_kind(in, at, key, item, "items are strings");
		items[count] = item->text;
		sizes[count++] = item->text_size;
	}
	if (tags_items_parse(key, items, sizes, count, parsed, &cause) < 0)
		return refuse_value(in, at, node, cause);
	return 0;
}

/* What text a JSON value stands for under this row; false when the row does not take its kind. */
static bool value_text(
	const hn_key *key, const codec_node *node, char number[32], const char **text, size_t *size)
{
	bool whole = node->kind == CODEC_INTEGER;

	if (node->kind == CODEC_TEXT) {
		*text = node->text;
		*size = node->text_size;
		return true;
	}
	*text = node->raw;
	*size = node->raw_size;
	if (node->kind == CODEC_TRUE || node->kind == CODEC_FALSE)
		return key->type == HN_TYPE_BOOL;
	if (key->type == HN_TYPE_RATIO)
		return whole || node->kind == CODEC_REAL;
	if (key->type == HN_TYPE_SIZE && whole) {
		/* At most 20 bytes: it is an int64. */
		*size = (size_t)snprintf(number, 32, "%.*sB", (int)node->raw_size, node->raw);
		*text = number;
		return true;
	}
	return whole && (key->type == HN_TYPE_UINT || key->type == HN_TYPE_INT);
}

static int read_value(tags_reader *in, walk *at, const hn_key *key, const codec_node *node)
{
	TAGS_AUTO_PARSED tags_parsed parsed = {0};
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;
	const char *text, *hint = NULL;
	char number[32];
	size_t size;
	int rc = seen_before(in, at, node);

	if (rc < 0)
		return rc;
	if (node->kind == CODEC_NULL)
		return add_def(in, at, key, node, NULL);
	if (node->kind == CODEC_ARRAY && tags_key_is_many(key)) {
		rc = read_array(in, at, key, node, &parsed);
		return rc < 0 ? rc : add_def(in, at, key, node, &parsed);
	}
	if (!value_text(key, node, number, &text, &size)) {
		if (key->type == HN_TYPE_DURATION || key->type == HN_TYPE_RATE)
			hint = "write it as a string with its unit";
		else if (node->kind == CODEC_INTEGER || node->kind == CODEC_REAL)
			hint = "write it as a string";
		else if (node->kind == CODEC_OBJECT)
			hint = "a value that says more of itself is { \"$value\": ..., \"$priority\": ... }";
		return wrong_kind(in, at, key, node, hint);
	}
	if (tags_value_parse(key, text, size, &parsed, &cause) < 0)
		return refuse_value(in, at, node, cause);
	return add_def(in, at, key, node, &parsed);
}

/* null at "disks.data": every row of the entry is unset. */
static int unset_entry(tags_reader *in, walk *at, const codec_node *node)
{
	size_t size = at->size;
	const hn_key *key;
	bool any = false;

	for (size_t i = 0; (key = hn_key_at(i)) != NULL; i++) {
		const char *star = strchr(key->name, '*');
		size_t before = star != NULL ? (size_t)(star - key->name) : 0;
		int rc;

		if (star == NULL || star[1] == '\0' || size <= before ||
			memcmp(at->name, key->name, before) != 0 ||
			memchr(at->name + before, '.', size - before) != NULL ||
			size + strlen(star + 1) >= KEY_TEXT)
			continue;
		memcpy(at->name + size, star + 1, strlen(star + 1) + 1);
		at->size = size + strlen(star + 1);
		rc = read_value(in, at, key, node);
		at->size = size;
		at->name[size] = '\0';
		if (rc < 0)
			return rc;
		any = true;
	}
	if (any)
		return 0;
	return tags_reader_fail(in, HN_ESCHEMA, node, "give null to a key or to a disk or nic",
		"'%s' is a group of keys and cannot be unset as a whole", at->name);
}

/* --- wrappers --- */

/* $priority 50 .. 1500 and so on, by the layer that is being read. */
static int read_priority(tags_reader *in, walk *at, const codec_node *node)
{
	const tags_layer_rule *rule = tags_entity_rule(at->entity);

	if (node->kind != CODEC_INTEGER)
		return tags_reader_fail(in, HN_ESCHEMA, node, NULL,
			"$priority must be a whole number, not %s", codec_kind_name(node->kind));
	if (node->integer < rule->low || node->integer > rule->high) {
		tags_reader_fail(in, HN_ERANGE, node, NULL,
			"$priority %lld is out of range; here it may be %d to %d",
			(long long)node->integer, rule->low, rule->high);
		if (node->integer < rule->low)
			base_error_hint(in->err,
				"only an operator's force or break-glass goes below %d", rule->low);
		return HN_ERANGE;
	}
	at->priority = (int)node->integer;
	return 0;
}

static int read_order(tags_reader *in, walk *at, const codec_node *node)
{
	if (node->kind != CODEC_INTEGER || node->integer < 0 || node->integer > 10000)
		return tags_reader_fail(in, HN_ERANGE, node,
			"500 comes before, 1000 is usual, 1500 comes after",
			"$order must be a whole number from 0 to 10000");
	at->order = (int)node->integer;
	return 0;
}

static int read_merge(tags_reader *in, walk *at, const codec_node *node)
{
	if (node->kind != CODEC_ARRAY)
		return tags_reader_fail(in, HN_ESCHEMA, node, NULL,
			"$merge must be an array of definitions, not %s",
			codec_kind_name(node->kind));
	for (const codec_node *item = node->child; item != NULL; item = item->next) {
		uint32_t scope = in->scope;
		int rc;

		in->scope = ++in->last_scope;
		rc = walk_value(in, at, item);
		in->scope = scope;
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int walk_wrapper(tags_reader *in, walk *at, const codec_node *node)
{
	const codec_node *value = codec_member(node, "$value"),
			 *merge = codec_member(node, "$merge");
	int priority = at->priority, order = at->order, rc = 0;

	for (const codec_node *member = node->child; rc == 0 && member != NULL;
		member = member->next) {
		if (strcmp(member->key, "$priority") == 0)
			rc = read_priority(in, at, member);
		else if (strcmp(member->key, "$order") == 0)
			rc = read_order(in, at, member);
		else if (member != value && member != merge)
			rc = tags_reader_fail(in, HN_ESCHEMA, member,
				"beside $value only $priority, $order and $merge may stand",
				"'%.80s' cannot stand here", member->key);
	}
	if (rc == 0 && (value == NULL) == (merge == NULL))
		rc = tags_reader_fail(in, HN_ESCHEMA, node,
			"write { \"$value\": ..., \"$priority\": 50 }",
			"exactly one of $value and $merge is needed");
	if (rc == 0)
		rc = value != NULL ? walk_value(in, at, value) : read_merge(in, at, merge);
	at->priority = priority;
	at->order = order;
	return rc;
}

/* --- the tree --- */

static bool is_wrapper(const codec_node *node)
{
	for (const codec_node *member = node->child; member != NULL; member = member->next)
		if (member->key[0] == '$')
			return true;
	return false;
}

static int check_group(tags_reader *in, const walk *at, const codec_node *member)
{
	size_t first = strcspn(at->name, ".");

	if (at->groups == NULL)
		return 0;
	for (const char *const *group = at->groups; *group != NULL; group++)
		if (strlen(*group) == first && memcmp(*group, at->name, first) == 0)
			return 0;
	return tags_reader_fail(in, HN_ESCHEMA, member,
		"resources takes compute, cpu, memory, numa, disks, nics, storage, network and machine; "
		"overrides takes every key",
		"'%s' cannot stand in resources", at->name);
}

static int walk_member(tags_reader *in, walk *at, const codec_node *member)
{
	size_t size = at->size;
	int rc;

	if (size + 1 + member->key_size + 1 > KEY_TEXT)
		return tags_reader_fail(in, HN_ESCHEMA, member, NULL, "a key's name is too long");
	if (size > 0)
		at->name[at->size++] = '.';
	memcpy(at->name + at->size, member->key, member->key_size);
	at->size += member->key_size;
	at->name[at->size] = '\0';
	rc = check_group(in, at, member);
	if (rc == 0)
		rc = walk_value(in, at, member);
	at->size = size;
	at->name[size] = '\0';
	return rc;
}

static int walk_value(tags_reader *in, walk *at, const codec_node *node)
{
	tags_part part;
	const hn_key *key = tags_key_match(at->name, at->size, &part);

	if (node->kind == CODEC_OBJECT && is_wrapper(node))
		return walk_wrapper(in, at, node);
	if (key != NULL)
		return read_value(in, at, key, node);
	if (at->size > 0 && !is_group(at->name, at->size))
		return unknown_key(in, at, node);
	if (node->kind == CODEC_NULL && at->size > 0)
		return unset_entry(in, at, node);
	if (node->kind != CODEC_OBJECT)
		return tags_reader_fail(in, HN_ESCHEMA, node, NULL,
			"'%s' is a group of keys and must be an object, not %s",
			at->size > 0 ? at->name : "the top", codec_kind_name(node->kind));
	for (const codec_node *member = node->child; member != NULL; member = member->next) {
		int rc = walk_member(in, at, member);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int tags_reader_keys(
	tags_reader *in, const codec_node *tree, tags_entity_kind entity, const char *const *groups)
{
	walk at = {.entity = entity, .groups = groups, .order = 1000};

	in->scope = ++in->last_scope;
	return walk_value(in, &at, tree);
}

int tags_reader_set(
	tags_reader *in, const char *name, const codec_node *value, tags_entity_kind entity)
{
	walk at = {.entity = entity, .order = 1000, .size = strlen(name)};

	in->scope = ++in->last_scope;
	memcpy(at.name, name, at.size + 1);
	return walk_value(in, &at, value);
}
