/* SPDX-License-Identifier: MIT
 *
 * `implies`: no cycles, no chain deeper than the limit, and for each tag and policy all that it
 * implies.
 */
#include "tags/tags-private.h"

enum { UNSEEN, OPEN, DONE };

typedef struct walk {
	hn_catalog *catalog;
	uint8_t *state;  /* of each tag */
	uint8_t *height; /* of each tag that is DONE: the longest chain below it */
	uint32_t *path;  /* from the first tag to the one being looked at */
	uint32_t depth;
	tags_sink *sink;
} walk;

/* Where `from` says that it implies `to`. */
static const tags_ref *implies_ref(const tags_entity *from, const char *to)
{
	for (uint32_t i = 0; i < from->fragment_count; i++) {
		const tags_fragment *fragment = from->fragments[i];

		for (uint32_t j = 0; j < fragment->tag_count; j++)
			if (strcmp(fragment->tags[j].name, to) == 0)
				return &fragment->tags[j];
	}
	return NULL;
}

static void print_step(const walk *at, base_buf *out, uint32_t from, uint32_t to)
{
	const tags_entity *tags = at->catalog->tags;
	const tags_ref *ref = implies_ref(&tags[from], tags[to].name);

	base_buf_format(out, "\n  tag:%s implies %s   %s:%u:%u", tags[from].name, tags[to].name,
		ref->place.file, ref->place.line, ref->place.column);
}

/* The cycle is the end of the path, from where `tag` first stood. */
static int report_cycle(walk *at, uint32_t tag)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
	BASE_AUTO_BUF base_buf steps = {0};
	const tags_entity *tags = at->catalog->tags;
	uint32_t first = at->depth;
	const tags_ref *ref;

	while (at->path[first - 1] != tag)
		first--;
	for (uint32_t i = first - 1; i + 1 < at->depth; i++)
		print_step(at, &steps, at->path[i], at->path[i + 1]);
	print_step(at, &steps, at->path[at->depth - 1], tag);
	if (steps.failed)
		return base_nomem(at->sink->err);
	ref = implies_ref(&tags[at->path[at->depth - 1]], tags[tag].name);
	base_error(&problem, HN_ECYCLE, TAGS_ROOM, "take one of these lines away",
		"%s:%u:%u: tag '%s' implies itself%s", ref->place.file, ref->place.line,
		ref->place.column, tags[tag].name, steps.data);
	return tags_sink_take(at->sink, &problem);
}

static int report_depth(walk *at, const tags_entity *entity)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
	const tags_place *place = &entity->fragments[0]->place;

	base_error(&problem, HN_ELIMIT, TAGS_ROOM, "imply the tags directly",
		"%s:%u:%u: %s starts a chain of implied tags deeper than %u", place->file,
		place->line, place->column, entity->source,
		(unsigned)base_limit(BASE_LIMIT_IMPLIES_DEPTH));
	return tags_sink_take(at->sink, &problem);
}

/* Depth first. A chain over the limit is reported at the tag where it becomes too deep, and no
 * further up. */
static int visit(walk *at, uint32_t tag)
{
	tags_entity *entity = &at->catalog->tags[tag];
	uint32_t limit = (uint32_t)base_limit(BASE_LIMIT_IMPLIES_DEPTH);

	at->state[tag] = OPEN;
	at->path[at->depth++] = tag;
	for (uint32_t i = 0; i < entity->implies_count; i++) {
		uint32_t next = entity->implies[i];
		int rc = 0;

		if (at->state[next] == OPEN)
			rc = report_cycle(at, next);
		else if (at->state[next] == UNSEEN)
			rc = visit(at, next);
		if (rc < 0)
			return rc;
		if (at->state[next] == DONE && at->height[next] + 1u > at->height[tag])
			at->height[tag] = (uint8_t)(at->height[next] + 1u);
	}
	at->state[tag] = DONE;
	at->depth--;
	if (at->height[tag] == limit + 1)
		return report_depth(at, entity);
	if (at->height[tag] > limit)
		at->height[tag] = (uint8_t)(limit + 2);
	return 0;
}

static int check_policies(walk *at)
{
	const hn_catalog *catalog = at->catalog;

	for (uint32_t i = 0; i < catalog->policy_count; i++) {
		const tags_entity *policy = &catalog->policies[i];
		uint32_t height = 0;
		int rc = 0;

		for (uint32_t j = 0; j < policy->implies_count; j++)
			if (at->height[policy->implies[j]] + 1u > height)
				height = at->height[policy->implies[j]] + 1u;
		if (height == base_limit(BASE_LIMIT_IMPLIES_DEPTH) + 1)
			rc = report_depth(at, policy);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int report_width(walk *at, const tags_entity *entity)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
	const tags_place *place = &entity->fragments[0]->place;

	base_error(&problem, HN_ELIMIT, TAGS_ROOM, "a unit can have no more tags than that",
		"%s:%u:%u: %s implies more than %u tags", place->file, place->line, place->column,
		entity->source, (unsigned)base_limit(BASE_LIMIT_UNIT_TAGS));
	return tags_sink_take(at->sink, &problem);
}

/* Breadth first, so that a tag is said to be implied by what is nearest. */
static int close_over(walk *at, tags_entity *entity, uint32_t *stamps, uint32_t stamp)
{
	uint32_t limit = (uint32_t)base_limit(BASE_LIMIT_UNIT_TAGS), via = TAGS_NONE, next = 0;
	const tags_entity *from = entity;
	tags_implied found[65];

	for (;;) {
		for (uint32_t i = 0; i < from->implies_count; i++) {
			uint32_t tag = from->implies[i];

			if (stamps[tag] == stamp)
				continue;
			if (entity->closure_count == limit)
				return report_width(at, entity);
			stamps[tag] = stamp;
			found[entity->closure_count++] = (tags_implied){.tag = tag, .via = via};
		}
		if (next == entity->closure_count)
			break;
		via = found[next++].tag;
		from = &at->catalog->tags[via];
	}
	if (entity->closure_count == 0)
		return 0;
	entity->closure =
		base_arena_alloc(at->catalog->arena, entity->closure_count * sizeof(tags_implied));
	if (entity->closure == NULL)
		return base_nomem(at->sink->err);
	memcpy(entity->closure, found, entity->closure_count * sizeof(tags_implied));
	return 0;
}

static int close_all(walk *at, uint32_t *stamps)
{
	hn_catalog *catalog = at->catalog;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < catalog->tag_count; i++) {
		stamps[i] = i + 1; /* a tag does not imply itself */
		rc = close_over(at, &catalog->tags[i], stamps, i + 1);
	}
	for (uint32_t i = 0; rc == 0 && i < catalog->policy_count; i++)
		rc = close_over(at, &catalog->policies[i], stamps, catalog->tag_count + i + 1);
	return rc;
}

int tags_catalog_imply(hn_catalog *catalog, tags_sink *sink)
{
	size_t count = catalog->tag_count + 1u;
	BASE_AUTO_FREE uint8_t *state = base_calloc(count, sizeof(*state));
	BASE_AUTO_FREE uint8_t *height = base_calloc(count, sizeof(*height));
	BASE_AUTO_FREE uint32_t *path = base_calloc(count, sizeof(*path));
	BASE_AUTO_FREE uint32_t *stamps = base_calloc(count, sizeof(*stamps));
	walk at = {
		.catalog = catalog, .state = state, .height = height, .path = path, .sink = sink};
	int problems = sink->count, rc = 0;

	if (state == NULL || height == NULL || path == NULL || stamps == NULL)
		return base_nomem(sink->err);
	for (uint32_t i = 0; rc == 0 && i < catalog->tag_count; i++)
		if (state[i] == UNSEEN)
			rc = visit(&at, i);
	if (rc == 0)
		rc = check_policies(&at);
	/* Closures are only wanted of a catalogue that is well so far. */
	return rc < 0 || sink->count > problems ? rc : close_all(&at, stamps);
}
