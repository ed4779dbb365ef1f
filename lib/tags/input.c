/* SPDX-License-Identifier: MIT
 *
 * What a unit has beside its declaration: runtime tags and policies, forces, frozen values.
 */
#include "tags/tags-private.h"
#include <stdlib.h>

static int compare_texts(const void *a, const void *b)
{
	const char *left, *right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return strcmp(left, right);
}

/* Sorted, so that the order in which they were given does not show. */
static int copy_names(base_arena *arena, tags_entity_kind kind, const char *const *from,
	size_t count, const char ***names, uint32_t *copied, hn_error **err)
{
	size_t limit = kind == TAGS_TAG ? base_limit(BASE_LIMIT_UNIT_TAGS)
					: base_limit(BASE_LIMIT_POLICIES);

	if (count > limit || (count > 0 && from == NULL))
		return base_error(err, count > limit ? HN_ELIMIT : HN_EINVAL, TAGS_ROOM, NULL,
			"a unit can be given at most %zu names at run time, not %zu", limit, count);
	*names = base_arena_alloc(arena, (count + 1) * sizeof(**names));
	if (*names == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < count; i++) {
		const char *name = from[i];

		if (name == NULL || !tags_name_valid(kind, name, strlen(name)))
			return base_error(err, HN_ESCHEMA, TAGS_ROOM, NULL, "'%.80s' is not a name",
				name != NULL ? name : "");
		(*names)[i] = base_arena_strndup(arena, name, strlen(name));
		if ((*names)[i] == NULL)
			return base_nomem(err);
	}
	qsort(*names, count, sizeof(**names), compare_texts);
	*copied = (uint32_t)count;
	return 0;
}

static int check_layer(const hn_definition *from, int16_t *priority, hn_error **err)
{
	static const tags_layer_rule rules[] = {[HN_LAYER_EMERGENCY] = {10, 10, 10},
		[HN_LAYER_FORCE] = {50, 50, 50},
		[HN_LAYER_UNIT] = {100, 50, 1500},
		[HN_LAYER_FROZEN] = {1490, 1490, 1490}};
	const tags_layer_rule *rule;

	if ((size_t)from->layer >= BASE_COUNT(rules) || rules[from->layer].usual == 0)
		return base_error(err, HN_EINVAL, TAGS_ROOM,
			"the layers of run time are emergency, force, unit and frozen",
			"definitions of layer %d are declared, not made at run time", from->layer);
	rule = &rules[from->layer];
	if (from->priority != 0 && (from->priority < rule->low || from->priority > rule->high))
		return base_error(err, HN_ERANGE, TAGS_ROOM, NULL,
			"priority %d is out of range; here it may be %d to %d", from->priority,
			rule->low, rule->high);
	*priority = from->priority != 0 ? (int16_t)from->priority : rule->usual;
	return 0;
}

static char *copy_text(base_arena *arena, const char *text, bool *failed)
{
	char *copy = text != NULL ? base_arena_strndup(arena, text, strlen(text)) : NULL;

	*failed |= text != NULL && copy == NULL;
	return copy;
}

static int read_value(
	base_arena *arena, const hn_definition *from, tags_local *local, hn_error **err)
{
	TAGS_AUTO_PARSED tags_parsed parsed = {0};
	int rc;

	local->null = from->value == NULL;
	if (local->null)
		return 0;
	rc = tags_value_parse(local->key, from->value, strlen(from->value), &parsed, err);
	if (rc < 0)
		return rc;
	local->value = (tags_value){
		.text = base_arena_strndup(arena, parsed.text.data, parsed.text.size),
		.items = parsed.items.size == 0
				 ? ""
				 : base_arena_strndup(arena, parsed.items.data, parsed.items.size),
		.item_count = parsed.item_count,
		.number = parsed.number,
		.word = parsed.word};
	return local->value.text != NULL && local->value.items != NULL ? 0 : base_nomem(err);
}

int tags_local_read(base_arena *arena, const hn_definition *from, tags_local *local, hn_error **err)
{
	tags_part part = {0};

	*local = (tags_local){.layer = from->layer, .order = 1000, .when = from->when};
	local->key = from->key != NULL ? tags_key_match(from->key, strlen(from->key), &part) : NULL;
	if (local->key == NULL) {
		const char *near = hn_key_nearest(from->key);

		base_error(err, HN_ESCHEMA, TAGS_ROOM, NULL, "there is no key '%.200s'",
			from->key != NULL ? from->key : "");
		if (near != NULL)
			base_error_hint(err, "did you mean %s?", near);
		return HN_ESCHEMA;
	}
	local->name = base_arena_strndup(arena, from->key, strlen(from->key));
	if (part.text != NULL)
		local->part = base_arena_strndup(arena, part.text, part.size);
	if (local->name == NULL || (part.text != NULL && local->part == NULL))
		return base_nomem(err);
	return read_value(arena, from, local, err);
}

static int copy_definition(base_arena *arena, const char *unit, const hn_definition *from,
	tags_local *local, hn_error **err)
{
	static const char *const sources[] = {[HN_LAYER_EMERGENCY] = "emergency",
		[HN_LAYER_FORCE] = "force",
		[HN_LAYER_FROZEN] = "frozen"};
	bool failed = false;
	int16_t priority = 0;
	int rc = check_layer(from, &priority, err);

	if (rc == 0)
		rc = tags_local_read(arena, from, local, err);
	if (rc < 0)
		return rc;
	local->priority = priority;
	local->note = copy_text(arena, from->note, &failed);
	local->who = copy_text(arena, from->who, &failed);
	local->source = from->layer == HN_LAYER_UNIT ? tags_arena_format(arena, "unit:%s", unit)
						     : sources[from->layer];
	return failed || local->source == NULL ? base_nomem(err) : 0;
}

static int compare_optional(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* By slot, then in chain order, so that the order in which they were given does not show. */
static int compare_locals(const void *a, const void *b)
{
	const tags_local *left = a, *right = b;
	int order;

	if (left->key != right->key)
		return left->key->id < right->key->id ? -1 : 1;
	order = strcmp(left->name, right->name);
	if (order == 0)
		order = left->priority - right->priority;
	if (order == 0)
		order = (int)left->layer - (int)right->layer;
	if (order == 0)
		order = compare_optional(left->value.text, right->value.text);
	if (order == 0)
		order = compare_optional(left->who, right->who);
	if (order == 0)
		order = compare_optional(left->note, right->note);
	return order != 0 ? order : (left->when > right->when) - (left->when < right->when);
}

static int fill(tags_input *made, const char *unit, const hn_unit_input *from, hn_error **err)
{
	base_arena *arena = made->arena;
	int rc = copy_names(
		arena, TAGS_TAG, from->tags, from->tag_count, &made->tags, &made->tag_count, err);

	if (rc == 0)
		rc = copy_names(arena, TAGS_TAG, from->without, from->without_count, &made->without,
			&made->without_count, err);
	if (rc == 0)
		rc = copy_names(arena, TAGS_POLICY, from->policies, from->policy_count,
			&made->policies, &made->policy_count, err);
	if (rc < 0)
		return rc;
	if (from->definition_count > 0 && from->definitions == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "definitions are missing");
	rc = base_limit_check(
		BASE_LIMIT_KEY_DEFINITIONS, from->definition_count / tags_key_count(), err);
	if (rc < 0)
		return rc;
	made->locals = base_arena_alloc(arena, (from->definition_count + 1) * sizeof(tags_local));
	if (made->locals == NULL)
		return base_nomem(err);
	for (size_t i = 0; rc == 0 && i < from->definition_count; i++) {
		if (from->definitions[i].size < sizeof(hn_definition))
			return base_error(
				err, HN_EINVAL, TAGS_ROOM, NULL, "a definition's size is not set");
		rc = copy_definition(arena, unit, &from->definitions[i],
			&made->locals[made->local_count++], err);
	}
	if (rc == 0)
		qsort(made->locals, made->local_count, sizeof(tags_local), compare_locals);
	return rc;
}

tags_input *tags_input_empty(hn_error **err)
{
	tags_input *made = base_calloc(1, sizeof(*made));

	if (made != NULL) {
		atomic_init(&made->refs, 1);
		made->arena = base_arena_new();
	}
	if (made == NULL || made->arena == NULL) {
		base_free(made);
		base_nomem(err);
		return NULL;
	}
	return made;
}

int tags_input_new(const char *unit, const hn_unit_input *from, tags_input **input, hn_error **err)
{
	BASE_AUTO_OF(tags_input) tags_input *made = tags_input_empty(err);
	int rc = made == NULL ? HN_ENOMEM : fill(made, unit, from, err);

	if (rc == 0)
		*input = BASE_STEAL(made);
	return rc;
}

tags_input *tags_input_join(tags_input *own, const tags_input *image, hn_error **err)
{
	tags_input *made = tags_input_empty(err);
	uint32_t count = own != NULL ? own->local_count : 0;

	if (made == NULL)
		return NULL;
	made->own = tags_input_ref(own);
	made->image = tags_input_ref((tags_input *)(uintptr_t)(const void *)image);
	if (own != NULL) {
		made->tags = own->tags;
		made->tag_count = own->tag_count;
		made->without = own->without;
		made->without_count = own->without_count;
		made->policies = own->policies;
		made->policy_count = own->policy_count;
	}
	made->local_count = count + image->local_count;
	made->locals = base_arena_alloc(made->arena, (made->local_count + 1) * sizeof(tags_local));
	if (made->locals == NULL) {
		base_nomem(err);
		return tags_input_unref(made);
	}
	if (count > 0)
		memcpy(made->locals, own->locals, count * sizeof(tags_local));
	if (image->local_count > 0)
		memcpy(made->locals + count, image->locals,
			image->local_count * sizeof(tags_local));
	qsort(made->locals, made->local_count, sizeof(tags_local), compare_locals);
	return made;
}

tags_input *tags_input_ref(tags_input *input)
{
	if (input != NULL)
		atomic_fetch_add_explicit(&input->refs, 1, memory_order_relaxed);
	return input;
}

tags_input *tags_input_unref(tags_input *input)
{
	if (input == NULL || atomic_fetch_sub_explicit(&input->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	tags_input_unref(input->own);
	tags_input_unref(input->image);
	base_arena_free(input->arena);
	base_free(input);
	return NULL;
}
