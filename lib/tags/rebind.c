/* SPDX-License-Identifier: MIT
 *
 * A resolver takes a new catalogue: what differs from the old one decides which units are resolved
 * again.
 */
#include "tags/resolver-private.h"

typedef struct rebind {
	hn_resolver *resolver;
	hn_catalog *old, *new;
	tags_renumbering *move;
	uint32_t *tag_to, *policy_to; /* of the move: old number to new, TAGS_NONE when gone */
	bool *tag_changed, *policy_changed;
	bool *reselect; /* of each new policy: its selector is new or another */
	bool any_reselect, platform_changed;
	bool same_units;          /* the same documents declare them */
	bool moved;               /* units came or went */
	uint64_t *dirty;          /* places of old entries, as in the index */
	uint64_t **sets;          /* the index by the new numbers */
	tags_unit_state *entries; /* the new fleet, unless same_units */
	size_t count, capacity;
	hn_error **err;
} rebind;

/* --- comparing --- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_def(const hn_catalog *a, uint32_t i, const hn_catalog *b, uint32_t j)
{
	const tags_def *left = &a->defs[i], *right = &b->defs[j];
	const tags_slot *left_slot = &a->slots[left->slot], *right_slot = &b->slots[right->slot];

	return left->priority == right->priority && left->order == right->order &&
	       left->layer == right->layer && left_slot->key == right_slot->key &&
	       (left->value == 0) == (right->value == 0) &&
	       tags_place_compare(&a->places[i], &b->places[j]) == 0 &&
	       same_text(a->values[left->value].text, b->values[right->value].text) &&
	       same_text(left_slot->name, right_slot->name);
}

static bool same_defs(const hn_catalog *a, const uint32_t *left, uint32_t left_count,
	const hn_catalog *b, const uint32_t *right, uint32_t right_count)
{
	if (left_count != right_count)
		return false;
	for (uint32_t i = 0; i < left_count; i++)
		if (!same_def(a, left[i], b, right[i]))
			return false;
	return true;
}

/* Of documents that both catalogues hold. */
static bool same_fragments(const tags_entity *left, const tags_entity *right)
{
	return left->fragment_count == right->fragment_count &&
	       memcmp(left->fragments, right->fragments,
		       left->fragment_count * sizeof(*left->fragments)) == 0;
}

static bool same_kind(
	const hn_catalog *a, const tags_entity *left, const hn_catalog *b, const tags_entity *right)
{
	const tags_entity *i = left->kind != TAGS_NONE ? &a->kinds[left->kind] : NULL;
	const tags_entity *j = right->kind != TAGS_NONE ? &b->kinds[right->kind] : NULL;

	if (i == NULL || j == NULL)
		return i == j;
	return i->exclusive == j->exclusive && strcmp(i->name, j->name) == 0;
}

static bool same_entity(
	const hn_catalog *a, const tags_entity *left, const hn_catalog *b, const tags_entity *right)
{
	if (left->fragment_count > 0 && same_fragments(left, right))
		return true;
	if (left->implies_count != right->implies_count ||
		!same_defs(a, left->defs, left->def_count, b, right->defs, right->def_count))
		return false;
	for (uint32_t i = 0; i < left->implies_count; i++)
		if (strcmp(a->tags[left->implies[i]].name, b->tags[right->implies[i]].name) != 0)
			return false;
	return true;
}

static void compare_tags(rebind *at)
{
	for (uint32_t i = 0; i < at->old->tag_count; i++) {
		const tags_entity *tag = &at->old->tags[i];
		uint32_t to = tags_catalog_tag(at->new, tag->name);

		at->tag_to[i] = to;
		at->tag_changed[i] = to == TAGS_NONE ||
				     !same_entity(at->old, tag, at->new, &at->new->tags[to]) ||
				     !same_kind(at->old, tag, at->new, &at->new->tags[to]);
	}
}

static void compare_policies(rebind *at)
{
	for (uint32_t i = 0; i < at->new->policy_count; i++) {
		const tags_entity *policy = &at->new->policies[i];
		uint32_t from = tags_catalog_policy(at->old, policy->name);

		at->reselect[i] = !same_text(
			policy->select, from != TAGS_NONE ? at->old->policies[from].select : NULL);
		at->any_reselect |= at->reselect[i];
	}
	for (uint32_t i = 0; i < at->old->policy_count; i++) {
		const tags_entity *policy = &at->old->policies[i];
		uint32_t to = tags_catalog_policy(at->new, policy->name);

		at->policy_to[i] = to;
		/* A selected policy's note holds its selector. */
		at->policy_changed[i] =
			to == TAGS_NONE || at->reselect[to] ||
			!same_entity(at->old, policy, at->new, &at->new->policies[to]);
	}
}

static bool declares_units(const hn_decl *decl)
{
	for (size_t i = 0; i < decl->fragment_count; i++)
		if (decl->fragments[i].entity == TAGS_UNIT)
			return true;
	return false;
}

static hn_decl *next_of_units(const hn_catalog *catalog, size_t *index)
{
	while (*index < catalog->decl_count)
		if (declares_units(catalog->decls[(*index)++]))
			return catalog->decls[*index - 1];
	return NULL;
}

/* Whether the very same documents declare the units: then none of them needs a look. */
static bool same_unit_documents(const hn_catalog *a, const hn_catalog *b)
{
	size_t i = 0, j = 0;
	const hn_decl *left, *right;

	do {
		left = next_of_units(a, &i);
		right = next_of_units(b, &j);
	} while (left == right && left != NULL);
	return left == right;
}

static bool same_unit(const rebind *at, uint32_t old, uint32_t new)
{
	const tags_unit *left = &at->old->units[old], *right = &at->new->units[new];

	if (left->tag_count != right->tag_count || left->policy_count != right->policy_count ||
		left->def_count != right->def_count)
		return false;
	for (uint32_t i = 0; i < left->tag_count; i++)
		if (at->tag_to[left->tags[i]] != right->tags[i])
			return false;
	for (uint32_t i = 0; i < left->policy_count; i++)
		if (at->policy_to[left->policies[i]] != right->policies[i])
			return false;
	for (uint32_t i = 0; i < left->def_count; i++)
		if (!same_def(at->old, left->first_def + i, at->new, right->first_def + i))
			return false;
	return true;
}

/* --- whom it touches --- */

/* Whether a new or edited selector holds for a unit that it did not hold for. The other way round,
 * the policy is among those of the view and has changed. */
static bool newly_selected(const rebind *at, const hn_view *view)
{
	const tags_base *base = view->base;
	const char *tags[64], *kinds[64];
	size_t count = 0;
	uint32_t blame;

	for (uint32_t i = 0; i < base->member_count; i++) {
		const tags_entity *tag = &base->catalog->tags[base->members[i].tag];

		if (!base->members[i].visible)
			continue;
		tags[count] = tag->name;
		kinds[count++] =
			tag->kind != TAGS_NONE ? base->catalog->kinds[tag->kind].name : NULL;
	}
	for (uint32_t i = 0; i < at->new->policy_count; i++)
		if (at->reselect[i] && at->new->policies[i].selector != NULL &&
			tags_selector_match(at->new->policies[i].selector, view->unit, tags, kinds,
				count, &blame) == 1)
			return true;
	return false;
}

static bool is_dirty(const rebind *at, size_t place)
{
	return (at->dirty[place / 64] >> (place % 64) & 1) != 0;
}

static void mark(rebind *at, size_t place)
{
	at->dirty[place / 64] |= UINT64_C(1) << (place % 64);
}

static void mark_set(rebind *at, size_t set)
{
	const tags_index *index = &at->resolver->index;

	for (size_t i = 0; index->sets[set] != NULL && i < index->words; i++)
		at->dirty[i] |= index->sets[set][i];
}

/* Those that a changed tag or policy reaches, and those that failed: what is missing may be there
 * now. */
static void mark_changed(rebind *at)
{
	const hn_resolver *resolver = at->resolver;

	if (at->platform_changed) {
		memset(at->dirty, 0xff, resolver->index.words * sizeof(*at->dirty));
		return;
	}
	for (uint32_t i = 0; i < at->old->tag_count; i++)
		if (at->tag_changed[i])
			mark_set(at, i);
	for (uint32_t i = 0; i < at->old->policy_count; i++)
		if (at->policy_changed[i])
			mark_set(at, (size_t)at->old->tag_count + i);
	mark_set(at, tags_index_failed(&resolver->index));
	/* a tag of a component may be declared now */
	for (size_t i = 0; resolver->images != NULL && i < resolver->count; i++)
		if (resolver->entries[i].joined != NULL)
			mark(at, i);
	for (size_t i = 0; at->any_reselect && i < resolver->count; i++)
		if (!is_dirty(at, i) && !resolver->entries[i].dirty &&
			newly_selected(at, resolver->entries[i].view))
			mark(at, i);
}

/* --- the new fleet --- */

/* Moves an old entry over. Names, inputs and views change hands only at commit. */
static int keep_entry(rebind *at, size_t place, uint32_t unit)
{
	const tags_unit_state *old = &at->resolver->entries[place];

	if (base_grow(&at->entries, &at->capacity, at->count + 1, sizeof(*at->entries)) < 0)
		return base_nomem(at->err);
	if (!is_dirty(at, place) && ((old->unit == TAGS_NONE) != (unit == TAGS_NONE) ||
					    (unit != TAGS_NONE && !same_unit(at, old->unit, unit))))
		mark(at, place);
	at->moved |= place != at->count;
	at->entries[at->count] = *old;
	at->entries[at->count].unit = unit;
	at->entries[at->count++].dirty |= is_dirty(at, place);
	return 0;
}

static int new_entry(rebind *at, uint32_t unit)
{
	char *name;

	if (base_grow(&at->entries, &at->capacity, at->count + 1, sizeof(*at->entries)) < 0)
		return base_nomem(at->err);
	name = base_strdup(at->new->units[unit].name);
	if (name == NULL)
		return base_nomem(at->err);
	at->moved = true;
	at->entries[at->count++] =
		(tags_unit_state){.name = name, .unit = unit, .dirty = true, .fresh = true};
	return 0;
}

/* Old entries and new units are both sorted by name. */
static int make_entries(rebind *at)
{
	const hn_resolver *resolver = at->resolver;
	size_t i = 0;
	uint32_t j = 0;
	int rc = 0;

	while (rc == 0 && (i < resolver->count || j < at->new->unit_count)) {
		const tags_unit_state *old = i < resolver->count ? &resolver->entries[i] : NULL;
		const char *name = j < at->new->unit_count ? at->new->units[j].name : NULL;
		int order = old == NULL ? 1 : name == NULL ? -1 : strcmp(old->name, name);

		if (order > 0)
			rc = new_entry(at, j);
		else if (order == 0)
			rc = keep_entry(at, i, j);
		else if (old->input != NULL)
			rc = keep_entry(at, i, TAGS_NONE);
		i += order <= 0;
		j += order >= 0;
	}
	at->moved |= at->count != resolver->count;
	return rc;
}

static void release_base(void *base)
{
	tags_base_unref(base);
}

static void commit_entries(rebind *at)
{
	hn_resolver *resolver = at->resolver;
	size_t i = 0;

	/* Entries that did not move over are those of units that are gone. */
	for (size_t j = 0; j < at->count; j++) {
		if (at->entries[j].fresh) {
			at->entries[j].fresh = false;
			continue;
		}
		while (resolver->entries[i].name != at->entries[j].name)
			tags_unit_state_free(&resolver->entries[i++]);
		i++;
	}
	while (i < resolver->count)
		tags_unit_state_free(&resolver->entries[i++]);
	base_free(resolver->entries);
	resolver->entries = BASE_STEAL(at->entries);
	resolver->count = at->count;
	resolver->capacity = at->capacity;
}

static void mark_entries(const rebind *at)
{
	hn_resolver *resolver = at->resolver;

	for (size_t i = 0; i < resolver->index.words; i++)
		for (uint64_t word = at->dirty[i]; word != 0; word &= word - 1) {
			size_t place = i * 64 + (size_t)__builtin_ctzll(word);

			if (place < resolver->count)
				resolver->entries[place].dirty = true;
		}
}

/* The index by the new numbers, without those that will be resolved again. */
static void commit_index(rebind *at)
{
	tags_index *index = &at->resolver->index;
	uint32_t tags = at->old->tag_count, policies = at->old->policy_count;

	for (size_t i = 0; i < tags_index_size(index); i++) {
		size_t to = i < tags ? at->tag_to[i]
			    : i < (size_t)tags + policies
				    ? (size_t)at->policy_to[i - tags] + at->new->tag_count
				    : (size_t)at->new->tag_count + at->new->policy_count;
		uint64_t *set = index->sets[i];
		bool gone = (i < tags && at->tag_to[i] == TAGS_NONE) ||
			    (i >= tags && i < (size_t)tags + policies &&
				    at->policy_to[i - tags] == TAGS_NONE);

		for (size_t j = 0; set != NULL && j < index->words; j++)
			set[j] &= ~at->dirty[j];
		if (gone)
			base_free(set);
		else
			at->sets[to] = set;
	}
	base_free(index->sets);
	index->sets = BASE_STEAL(at->sets);
	index->tag_count = at->new->tag_count;
	index->policy_count = at->new->policy_count;
}

/* What is as it was has other numbers now. */
static void pair_unchanged(rebind *at)
{
	for (uint32_t i = 0; i < at->old->tag_count; i++) {
		const tags_entity *from = &at->old->tags[i];

		if (!at->tag_changed[i])
			tags_renumbering_pair(at->move, at->old, from->defs, at->new,
				at->new->tags[at->tag_to[i]].defs, from->def_count);
	}
	for (uint32_t i = 0; i < at->old->policy_count; i++) {
		const tags_entity *from = &at->old->policies[i];

		if (!at->policy_changed[i])
			tags_renumbering_pair(at->move, at->old, from->defs, at->new,
				at->new->policies[at->policy_to[i]].defs, from->def_count);
	}
	if (!at->platform_changed)
		tags_renumbering_pair(at->move, at->old, at->old->platform, at->new,
			at->new->platform, at->old->platform_count);
}

static void commit_move(rebind *at)
{
	tags_renumbering **moves = at->resolver->moves;

	pair_unchanged(at);
	base_free(moves[TAGS_OLD_CATALOGS - 1]);
	memmove(moves + 1, moves, (TAGS_OLD_CATALOGS - 1) * sizeof(*moves));
	moves[0] = BASE_STEAL(at->move);
	for (size_t i = 1; i < TAGS_OLD_CATALOGS && moves[i] != NULL; i++)
		tags_renumbering_follow(moves[i], moves[0]);
}

/* From here on nothing can fail. */
static void commit(rebind *at, base_map *memo, tags_scratch *scratch)
{
	hn_resolver *resolver = at->resolver;

	if (at->same_units)
		mark_entries(at);
	else
		commit_entries(at);
	if (at->moved)
		tags_index_drop(&resolver->index);
	else
		commit_index(at);
	commit_move(at);
	base_map_free(resolver->memo);
	resolver->memo = memo;
	tags_scratch_free(&resolver->scratch);
	resolver->scratch = *scratch;
	hn_catalog_ref(at->new);
	hn_catalog_unref(resolver->catalog);
	resolver->catalog = at->new;
	resolver->epoch++;
}

static int run(rebind *at)
{
	tags_scratch scratch = {0};
	base_map *memo;
	int rc = 0;

	at->platform_changed = !same_defs(at->old, at->old->platform, at->old->platform_count,
		at->new, at->new->platform, at->new->platform_count);
	at->same_units = same_unit_documents(at->old, at->new);
	mark_changed(at);
	if (!at->same_units)
		rc = make_entries(at);
	if (rc < 0)
		return rc;
	memo = base_map_new(release_base);
	if (memo == NULL)
		return base_nomem(at->err);
	rc = tags_scratch_init(&scratch, at->new, at->err);
	if (rc < 0) {
		base_map_free(memo);
		return rc;
	}
	commit(at, memo, &scratch);
	return 0;
}

static int prepare(rebind *at)
{
	size_t sets = (size_t)at->new->tag_count + at->new->policy_count + 1;

	if (tags_index_build(at->resolver) < 0)
		return base_nomem(at->err);
	at->move = tags_renumbering_new(at->old);
	at->tag_changed = base_calloc(at->old->tag_count + 1u, sizeof(bool));
	at->policy_changed = base_calloc(at->old->policy_count + 1u, sizeof(bool));
	at->reselect = base_calloc(at->new->policy_count + 1u, sizeof(bool));
	at->dirty = base_calloc(at->resolver->index.words, sizeof(*at->dirty));
	at->sets = base_calloc(sets, sizeof(*at->sets));
	if (at->move == NULL || at->tag_changed == NULL || at->policy_changed == NULL ||
		at->reselect == NULL || at->dirty == NULL || at->sets == NULL)
		return base_nomem(at->err);
	at->tag_to = at->move->to[TAGS_TABLE_TAGS];
	at->policy_to = at->move->to[TAGS_TABLE_POLICIES];
	compare_tags(at);
	compare_policies(at);
	return 0;
}

static void clean_up(rebind *at)
{
	for (size_t i = 0; at->entries != NULL && i < at->count; i++)
		if (at->entries[i].fresh)
			base_free(at->entries[i].name);
	base_free(at->entries);
	base_free(at->move);
	base_free(at->tag_changed);
	base_free(at->policy_changed);
	base_free(at->reselect);
	base_free(at->dirty);
	base_free(at->sets);
}

int hn_resolver_set_catalog(hn_resolver *resolver, hn_catalog *catalog, hn_error **err)
{
	rebind at = {.resolver = resolver, .new = catalog, .err = err};
	int rc;

	if (resolver == NULL || catalog == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a resolver needs a catalogue");
	at.old = resolver->catalog;
	rc = tags_resolver_renew(resolver, err);
	if (rc == 0)
		rc = prepare(&at);
	if (rc == 0)
		rc = run(&at);
	clean_up(&at);
	return rc;
}
