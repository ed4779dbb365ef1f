/* SPDX-License-Identifier: MIT
 *
 * The table of keys.def, and how a name finds its row.
 */
#include "tags/tags-private.h"

static const hn_key tags_keys[] = {
#define HN_KEY(id_, name_, type_, merge_, class__, redact_, reach_, default_, range_, special_,    \
	condition_, doc_, since_)                                                                  \
	{.size = sizeof(hn_key),                                                                   \
		.id = (id_),                                                                       \
		.name = (name_),                                                                   \
		.type = HN_TYPE_##type_,                                                           \
		.merge = HN_MERGE_##merge_,                                                        \
		.class_ = HN_CLASS_##class__,                                                      \
		.default_text = (default_),                                                        \
		.range = (range_),                                                                 \
		.special = (special_),                                                             \
		.condition = (condition_),                                                         \
		.doc = (doc_),                                                                     \
		.since = (since_),                                                                 \
		.redact = BASE_REDACT_##redact_,                                                   \
		.reach = HN_REACH_##reach_},
#include "tags/keys.def"
#undef HN_KEY
};

/* Lengths beside the table: most rows are ruled out without touching their text. */
static const uint8_t tags_key_sizes[] = {
#define HN_KEY(id_, name_, ...) sizeof(name_) - 1,
#include "tags/keys.def"
#undef HN_KEY
};

/* Whether the row is a pattern; folded by the compiler. */
static const bool tags_key_patterns[] = {
#define HN_KEY(id_, name_, ...) __builtin_strchr(name_, '*') != NULL,
#include "tags/keys.def"
#undef HN_KEY
};

size_t tags_key_count(void)
{
	return BASE_COUNT(tags_keys);
}

bool tags_key_is_pattern(const hn_key *key)
{
	return tags_key_patterns[key->id - 1];
}

static const hn_key *tags_key_exact(const char *name, size_t size)
{
	for (size_t i = 0; i < BASE_COUNT(tags_keys); i++)
		if (tags_key_sizes[i] == size && memcmp(tags_keys[i].name, name, size) == 0)
			return &tags_keys[i];
	return NULL;
}

static bool tags_pattern_holds(
	const hn_key *key, size_t key_size, const char *name, size_t size, tags_part *part)
{
	const char *star;
	size_t before, after;

	if (!tags_key_is_pattern(key))
		return false;
	star = strchr(key->name, '*');
	before = (size_t)(star - key->name);
	after = key_size - before - 1;
	if (size <= before + after || memcmp(key->name, name, before) != 0 ||
		memcmp(star + 1, name + size - after, after) != 0)
		return false;
	part->text = name + before;
	part->size = size - before - after;
	return base_name_valid(part->text, part->size);
}

const hn_key *tags_key_match(const char *name, size_t size, tags_part *part)
{
	const hn_key *exact = tags_key_exact(name, size);

	*part = (tags_part){0};
	if (exact != NULL)
		return tags_key_is_pattern(exact) ? NULL : exact;
	for (size_t i = 0; i < BASE_COUNT(tags_keys); i++)
		if (tags_pattern_holds(&tags_keys[i], tags_key_sizes[i], name, size, part))
			return &tags_keys[i];
	*part = (tags_part){0};
	return NULL;
}

const hn_key *hn_key_find(const char *name)
{
	tags_part part;
	const hn_key *exact;

	if (name == NULL)
		return NULL;
	exact = tags_key_exact(name, strlen(name));
	return exact != NULL ? exact : tags_key_match(name, strlen(name), &part);
}

const hn_key *hn_key_by_id(uint32_t id)
{
	/* Ids run from 1 without a gap; a unit test holds keys.def to it. */
	return id >= 1 && id <= BASE_COUNT(tags_keys) ? &tags_keys[id - 1] : NULL;
}

const hn_key *hn_key_at(size_t index)
{
	return index < BASE_COUNT(tags_keys) ? &tags_keys[index] : NULL;
}

static const char *tags_key_candidate(void *arg, size_t index)
{
	(void)arg;
	return tags_keys[index].name;
}

const char *hn_key_nearest(const char *name)
{
	int nearest;

	if (name == NULL)
		return NULL;
	nearest = base_nearest(name, BASE_COUNT(tags_keys), tags_key_candidate, NULL);
	return nearest >= 0 ? tags_keys[nearest].name : NULL;
}

const char *hn_type_name(hn_type type)
{
	static const char *const names[] = {"bool", "uint", "int", "size", "duration", "ratio",
		"rate", "enum", "name", "text", "path", "mac", "schedule", "list", "set"};

	return (size_t)type < BASE_COUNT(names) ? names[type] : "unknown";
}

const char *hn_merge_name(hn_merge merge)
{
	static const char *const names[] = {
		"single", "min", "max", "and", "or", "set-union", "ordered-list"};

	return (size_t)merge < BASE_COUNT(names) ? names[merge] : "unknown";
}

const char *hn_class_name(hn_class change_class)
{
	static const char *const names[] = {"hot", "hot-if", "next", "restart", "move", "fixed"};

	return (size_t)change_class < BASE_COUNT(names) ? names[change_class] : "unknown";
}

const char *hn_layer_name(hn_layer layer)
{
	static const char *const names[] = {"emergency", "force", "unit", "tag", "policy",
		"component", "platform", "frozen", "schema"};

	return (size_t)layer < BASE_COUNT(names) ? names[layer] : "unknown";
}

const char *hn_mark_name(hn_mark mark)
{
	static const char *const names[] = {"won", "same", "lost", "merged", "ignored"};

	return (size_t)mark < BASE_COUNT(names) ? names[mark] : "unknown";
}
