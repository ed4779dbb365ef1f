/* SPDX-License-Identifier: MIT
 *
 * A resolver takes a new catalogue: what differs from the old one decides which units are resolved
 * again.
 */
#include "tags/resolver-private.h"

/* Views may rest on that many older catalogues before they are made anew, so that edits do not pile
 * up memory. */
enum { OLD_CATALOGS = 16 };

/* Which tags and policies of one catalogue differ in the new one, by number. */
typedef struct tags_changes {
	const hn_catalog *catalog;
	bool *tags, *policies;
} tags_changes;

typedef struct rebind {
	hn_resolver *resolver;
	hn_catalog *old, *new;
	uint32_t *tag_to, *policy_to; /* old number to new, TAGS_NONE when gone */
	bool *tag_changed, *policy_changed;
	bool *reselect; /* of each new policy: its selector is new or another */
	bool any_reselect, platform_changed;
	tags_changes known[OLD_CATALOGS + 2];
	size_t known_count;
	tags_unit_state *entries; /* the new fleet */
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

/* --- what an entry rests on --- */

/* Changes by the numbers of the catalogue that a view was made from, which may be older than the
 * last one. */
static tags_changes *changes_of(rebind *at, const hn_catalog *catalog)
{
	tags_changes *known = at->known;
	size_t tags = catalog->tag_count, policies = catalog->policy_count;

	for (; known < at->known + at->known_count; known++)
		if (known->catalog == catalog)
			return known;
	if (at->known_count == BASE_COUNT(at->known))
		return NULL;
	known->tags = base_calloc(tags + policies + 1, sizeof(bool));
	if (known->tags == NULL)
		return NULL;
	known->policies = known->tags + tags;
	known->catalog = catalog;
	at->known_count++;
	for (uint32_t i = 0; i < tags; i++) {
		uint32_t old = tags_catalog_tag(at->old, catalog->tags[i].name);

		known->tags[i] = old == TAGS_NONE || at->tag_changed[old];
	}
	for (uint32_t i = 0; i < policies; i++) {
		uint32_t old = tags_catalog_policy(at->old, catalog->policies[i].name);

		known->policies[i] = old == TAGS_NONE || at->policy_changed[old];
	}
	return known;
}

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

static bool view_changed(rebind *at, const hn_view *view, const tags_changes *changes)
{
	const tags_base *base = view->base;

	for (uint32_t i = 0; i < base->member_count; i++)
		if (changes->tags[base->members[i].tag])
			return true;
	for (uint32_t i = 0; i < base->policy_count; i++)
		if (changes->policies[base->policies[i].policy])
			return true;
	return at->any_reselect && newly_selected(at, view);
}

/* --- the new fleet --- */

/* Moves the old entry over (NULL: a new unit). Names, inputs and views change hands only at commit.
 */
static int add_entry(rebind *at, const tags_unit_state *old, uint32_t unit, const char *name)
{
	tags_unit_state *entry;
	const tags_changes *changes;

	if (base_grow(&at->entries, &at->capacity, at->count + 1, sizeof(*at->entries)) < 0)
		return base_nomem(at->err);
	entry = &at->entries[at->count];
	if (old == NULL) {
		*entry = (tags_unit_state){.name = base_strdup(name), .dirty = true, .fresh = true};
		entry->unit = unit;
		at->count += entry->name != NULL;
		return entry->name != NULL ? 0 : base_nomem(at->err);
	}
	*entry = *old;
	entry->unit = unit;
	at->count++;
	if (entry->dirty || entry->view == NULL || at->platform_changed ||
		(old->unit == TAGS_NONE) != (unit == TAGS_NONE) ||
		(unit != TAGS_NONE && !same_unit(at, old->unit, unit))) {
		entry->dirty = true;
		return 0;
	}
	changes = changes_of(at, entry->view->base->catalog);
	if (changes == NULL)
		return base_nomem(at->err);
	entry->dirty = view_changed(at, entry->view, changes);
	entry->stale = at->resolver->epoch + 1 - entry->epoch >= OLD_CATALOGS;
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
			rc = add_entry(at, NULL, j, name);
		else if (order == 0)
			rc = add_entry(at, old, j, NULL);
		else if (old->input != NULL)
			rc = add_entry(at, old, TAGS_NONE, NULL);
		i += order <= 0;
		j += order >= 0;
	}
	return rc;
}

static void release_base(void *base)
{
	tags_base_unref(base);
}

/* From here on nothing can fail. */
static void commit(rebind *at, base_map *memo, tags_scratch *scratch)
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
	base_map_free(resolver->memo);
	resolver->memo = memo;
	tags_scratch_free(&resolver->scratch);
	resolver->scratch = *scratch;
	hn_catalog_ref(at->new);
	hn_catalog_unref(resolver->catalog);
	resolver->catalog = at->new;
	resolver->epoch++;
}

static void give_up(rebind *at)
{
	for (size_t i = 0; at->entries != NULL && i < at->count; i++)
		if (at->entries[i].fresh)
			base_free(at->entries[i].name);
	base_free(at->entries);
	for (size_t i = 0; i < at->known_count; i++)
		base_free(at->known[i].tags);
}

static int run(rebind *at)
{
	tags_scratch scratch = {0};
	base_map *memo;
	int rc;

	compare_tags(at);
	compare_policies(at);
	at->platform_changed = !same_defs(at->old, at->old->platform, at->old->platform_count,
		at->new, at->new->platform, at->new->platform_count);
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

int hn_resolver_set_catalog(hn_resolver *resolver, hn_catalog *catalog, hn_error **err)
{
	rebind at = {.resolver = resolver, .new = catalog, .err = err};
	int rc = HN_ENOMEM;

	if (resolver == NULL || catalog == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a resolver needs a catalogue");
	at.old = resolver->catalog;
	at.tag_to = base_calloc(at.old->tag_count + 1u, sizeof(uint32_t));
	at.policy_to = base_calloc(at.old->policy_count + 1u, sizeof(uint32_t));
	at.tag_changed = base_calloc(at.old->tag_count + 1u, sizeof(bool));
	at.policy_changed = base_calloc(at.old->policy_count + 1u, sizeof(bool));
	at.reselect = base_calloc(at.new->policy_count + 1u, sizeof(bool));
	if (at.tag_to == NULL || at.policy_to == NULL || at.tag_changed == NULL ||
		at.policy_changed == NULL || at.reselect == NULL)
		base_nomem(err);
	else
		rc = run(&at);
	give_up(&at);
	base_free(at.tag_to);
	base_free(at.policy_to);
	base_free(at.tag_changed);
	base_free(at.policy_changed);
	base_free(at.reselect);
	return rc;
}
