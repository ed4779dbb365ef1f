/* SPDX-License-Identifier: MIT
 *
 * The resolver: keeps each unit's view, shares bases between units, resolves again only what a
 * change touches.
 */
#include "tags/redact.h"
#include "tags/resolver-private.h"

void tags_unit_state_free(tags_unit_state *entry)
{
	base_free(entry->name);
	tags_input_unref(entry->input);
	tags_input_unref(entry->joined);
	hn_view_unref(entry->view);
	hn_error_unref(entry->error);
}

static void release_base(void *base)
{
	tags_base_unref(base);
}

hn_resolver *hn_resolver_free(hn_resolver *resolver)
{
	if (resolver == NULL)
		return NULL;
	for (size_t i = 0; i < resolver->count; i++)
		tags_unit_state_free(&resolver->entries[i]);
	base_free(resolver->entries);
	base_map_free(resolver->memo);
	tags_index_drop(&resolver->index);
	for (size_t i = 0; i < TAGS_OLD_CATALOGS; i++)
		base_free(resolver->moves[i]);
	tags_scratch_free(&resolver->scratch);
	base_free(resolver->membership);
	base_free(resolver->key);
	hn_catalog_unref(resolver->catalog);
	tags_images_unref(resolver->images);
	base_free(resolver);
	return NULL;
}

static int prepare(hn_resolver *resolver, hn_catalog *catalog, hn_error **err)
{
	resolver->memo = base_map_new(release_base);
	resolver->membership = base_alloc(sizeof(*resolver->membership));
	if (resolver->memo == NULL || resolver->membership == NULL)
		return base_nomem(err);
	if (tags_scratch_init(&resolver->scratch, catalog, err) < 0)
		return HN_ENOMEM;
	resolver->catalog = hn_catalog_ref(catalog);
	return 0;
}

static int add_entry(hn_resolver *resolver, size_t index, const char *name, hn_error **err)
{
	tags_unit_state *entry;
	char *copy;

	if (base_grow(&resolver->entries, &resolver->capacity, resolver->count + 1,
		    sizeof(*resolver->entries)) < 0)
		return base_nomem(err);
	copy = base_strdup(name);
	if (copy == NULL)
		return base_nomem(err);
	entry = &resolver->entries[index];
	memmove(entry + 1, entry, (resolver->count - index) * sizeof(*entry));
	*entry = (tags_unit_state){.name = copy, .unit = TAGS_NONE, .dirty = true};
	resolver->count++;
	tags_index_drop(&resolver->index); /* places have moved */
	return 0;
}

int hn_resolver_new(hn_catalog *catalog, hn_resolver **resolver, hn_error **err)
{
	BASE_AUTO_OF(hn_resolver) hn_resolver *made = NULL;
	int rc;

	if (catalog == NULL || resolver == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a resolver needs a catalogue");
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	rc = prepare(made, catalog, err);
	for (uint32_t i = 0; rc == 0 && i < catalog->unit_count; i++) {
		rc = add_entry(made, i, catalog->units[i].name, err);
		if (rc == 0)
			made->entries[i].unit = i;
	}
	if (rc == 0 && tags_index_begin(&made->index, catalog, made->count) < 0)
		rc = base_nomem(err);
	if (rc == 0)
		*resolver = BASE_STEAL(made);
	return rc;
}

/* Takes references on what `from` holds; the memo is made anew. */
static int copy_entries(const hn_resolver *from, hn_resolver *made, hn_error **err)
{
	if (base_grow(&made->entries, &made->capacity, from->count + 1, sizeof(*made->entries)) < 0)
		return base_nomem(err);
	for (; made->count < from->count; made->count++) {
		const tags_unit_state *entry = &from->entries[made->count];
		char *name = base_strdup(entry->name);

		if (name == NULL)
			return base_nomem(err);
		made->entries[made->count] = (tags_unit_state){.name = name,
			.unit = entry->unit,
			.dirty = entry->dirty,
			.epoch = entry->epoch,
			.input = tags_input_ref(entry->input),
			.joined = tags_input_ref(entry->joined),
			.view = hn_view_ref(entry->view),
			.error = hn_error_ref(entry->error)};
	}
	return 0;
}

static int copy_moves(const hn_resolver *from, hn_resolver *made, hn_error **err)
{
	for (size_t i = 0; i < TAGS_OLD_CATALOGS && from->moves[i] != NULL; i++) {
		made->moves[i] = tags_renumbering_copy(from->moves[i]);
		if (made->moves[i] == NULL)
			return base_nomem(err);
	}
	return 0;
}

int hn_resolver_fork(const hn_resolver *resolver, hn_resolver **fork, hn_error **err)
{
	BASE_AUTO_OF(hn_resolver) hn_resolver *made = NULL;
	int rc;

	if (resolver == NULL || fork == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "there is nothing to fork");
	made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	made->epoch = resolver->epoch;
	made->redact = resolver->redact;
	made->images = tags_images_ref(resolver->images);
	rc = prepare(made, resolver->catalog, err);
	if (rc == 0)
		rc = copy_entries(resolver, made, err);
	if (rc == 0)
		rc = copy_moves(resolver, made, err);
	if (rc == 0)
		*fork = BASE_STEAL(made);
	return rc;
}

/* The entry of a unit; false, and where it would stand, when there is none. */
bool tags_resolver_find(const hn_resolver *resolver, const char *name, size_t *index)
{
	size_t low = 0, high = resolver->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(resolver->entries[middle].name, name);

		if (order == 0) {
			*index = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low;
	return false;
}

/* --- run-time input --- */

static void drop_entry(hn_resolver *resolver, size_t index)
{
	tags_unit_state *entry = &resolver->entries[index];

	tags_unit_state_free(entry);
	resolver->count--;
	memmove(entry, entry + 1, (resolver->count - index) * sizeof(*entry));
	tags_index_drop(&resolver->index);
}

/* Names that the catalogue does not know are refused before anything changes. */
static int check_input(const hn_catalog *catalog, const tags_input *input, hn_error **err)
{
	for (uint32_t i = 0; i < input->tag_count; i++) {
		tags_ref ref = {.name = input->tags[i]};

		if (tags_catalog_tag(catalog, ref.name) == TAGS_NONE)
			return tags_unknown_name(
				err, "tag", &ref, catalog->tags, catalog->tag_count);
	}
	for (uint32_t i = 0; i < input->policy_count; i++) {
		tags_ref ref = {.name = input->policies[i]};

		if (tags_catalog_policy(catalog, ref.name) == TAGS_NONE)
			return tags_unknown_name(
				err, "policy", &ref, catalog->policies, catalog->policy_count);
	}
	return 0;
}

/* What becomes of a unit with a tag tells what there is of tags. */
int tags_resolver_keeps_tags(hn_error **err)
{
	int rc = base_error(err, HN_EDENIED, TAGS_ROOM, NULL,
		"tags and policies are left out for the token (tags)");

	base_error_plain(err);
	return rc;
}

int hn_resolver_set_unit(
	hn_resolver *resolver, const char *unit, const hn_unit_input *input, hn_error **err)
{
	BASE_AUTO_OF(tags_input) tags_input *made = NULL;
	size_t index = 0;
	int rc = 0;

	if (resolver == NULL || unit == NULL || !base_name_valid(unit, strlen(unit)))
		return base_error(err, HN_EINVAL, TAGS_ROOM,
			"a name begins with a-z and goes on with a-z, 0-9 and '-', 63 at most",
			"'%.80s' is not the name of a unit", unit != NULL ? unit : "");
	if (input != NULL && input->size < sizeof(*input))
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "the input's size is not set");
	if (input != NULL && input->tag_count + input->without_count + input->policy_count > 0 &&
		(resolver->redact & HN_REDACT_TAGS) != 0)
		return tags_resolver_keeps_tags(err);
	if (input != NULL)
		rc = tags_input_new(unit, input, &made, err);
	if (rc == 0 && made != NULL)
		rc = check_input(resolver->catalog, made, err);
	if (rc == 0 && !tags_resolver_find(resolver, unit, &index)) {
		if (made == NULL)
			return 0;
		rc = base_limit_check(BASE_LIMIT_UNITS, resolver->count + 1, err);
		if (rc == 0)
			rc = add_entry(resolver, index, unit, err);
	}
	if (rc < 0)
		return rc;
	if (made == NULL && resolver->entries[index].unit == TAGS_NONE) {
		drop_entry(resolver, index);
		return 0;
	}
	if (!resolver->entries[index].dirty)
		tags_index_remove(&resolver->index, index);
	tags_input_unref(resolver->entries[index].input);
	resolver->entries[index].joined = tags_input_unref(resolver->entries[index].joined);
	resolver->entries[index].input = BASE_STEAL(made);
	resolver->entries[index].dirty = true;
	return 0;
}

/* --- resolving --- */

/* Tags and policies as numbers, and how they came: what two units must have alike to share a base.
 * Returns the bytes in use. */
static size_t memo_key(const tags_membership *found, uint32_t *key)
{
	uint32_t *at = key;

	for (uint32_t i = 0; i < found->member_count; i++) {
		*at++ = found->members[i].tag << 1 | found->members[i].visible;
		*at++ = found->members[i].how;
	}
	*at++ = TAGS_NONE;
	for (uint32_t i = 0; i < found->policy_count; i++)
		*at++ = found->policies[i].policy << 1 | found->policies[i].named;
	return (size_t)(at - key) * sizeof(*key);
}

/* Old bases that no unit uses any more are let go when the memo has grown past the fleet. */
static int trim_memo(hn_resolver *resolver, hn_error **err)
{
	base_map *fresh;

	if (base_map_count(resolver->memo) < 2 * resolver->count + 64)
		return 0;
	fresh = base_map_new(release_base);
	if (fresh == NULL)
		return base_nomem(err);
	base_map_free(resolver->memo);
	resolver->memo = fresh;
	return 0;
}

/* A base that is not known yet: merged, or moved here from `old` when there is one. */
static int make_base(hn_resolver *resolver, const tags_base *old, const tags_renumbering *move,
	tags_base **base, hn_error **err)
{
	if (old == NULL)
		return tags_base_build(
			resolver->catalog, &resolver->scratch, resolver->membership, base, err);
	*base = tags_base_copy(old, old->catalog);
	if (*base == NULL)
		return base_nomem(err);
	tags_base_renumber(*base, move, resolver->catalog, resolver->membership);
	return 0;
}

/* A reference on the base of these tags and policies. */
static int find_base(hn_resolver *resolver, const tags_base *old, const tags_renumbering *move,
	tags_base **base, hn_error **err)
{
	const tags_membership *found = resolver->membership;
	size_t size = 2 * (size_t)found->member_count + found->policy_count + 1;
	tags_base *known;
	int rc;

	if (base_grow(&resolver->key, &resolver->key_capacity, size, sizeof(*resolver->key)) < 0)
		return base_nomem(err);
	size = memo_key(found, resolver->key);
	known = base_map_get(resolver->memo, resolver->key, size);
	if (known != NULL) {
		resolver->stats.shared += old == NULL;
		*base = tags_base_ref(known);
		return 0;
	}
	rc = trim_memo(resolver, err);
	if (rc == 0)
		rc = make_base(resolver, old, move, &known, err);
	if (rc < 0)
		return rc;
	if (base_map_put(resolver->memo, resolver->key, size, known) < 0) {
		tags_base_unref(known);
		return base_nomem(err);
	}
	*base = tags_base_ref(known);
	return 0;
}

tags_subject tags_resolver_subject(const hn_resolver *resolver, const tags_unit_state *entry)
{
	hn_catalog *catalog = resolver->catalog;

	return (tags_subject){.catalog = catalog,
		.name = entry->name,
		.unit = entry->unit != TAGS_NONE ? &catalog->units[entry->unit] : NULL,
		.input = entry->joined != NULL ? entry->joined : entry->input};
}

static int resolve_once(
	hn_resolver *resolver, const tags_unit_state *entry, hn_view **view, hn_error **err)
{
	tags_subject subject = tags_resolver_subject(resolver, entry);
	tags_base *base = NULL;
	int rc = tags_membership_find(&subject, &resolver->scratch, resolver->membership, err);

	if (rc == 0)
		rc = find_base(resolver, NULL, NULL, &base, err);
	if (rc == 0)
		rc = tags_view_new(&subject, base, view, err);
	tags_base_unref(base);
	return rc;
}

/* Which image a unit boots from is known only when the unit is resolved; what that one brings has a
 * lower priority than all that can have named it, but for the declaration's defaults. */
static int resolve_entry(
	hn_resolver *resolver, tags_unit_state *entry, hn_view **view, hn_error **err)
{
	BASE_AUTO_OF(hn_view) hn_view *bare = NULL;
	int rc;

	entry->joined = tags_input_unref(entry->joined);
	rc = resolve_once(resolver, entry, &bare, err);
	if (rc == 0)
		rc = tags_image_join(resolver->images, bare, entry, err);
	if (rc == 0)
		*view = BASE_STEAL(bare);
	if (rc <= 0)
		return rc;
	rc = resolve_once(resolver, entry, view, err);
	if (rc == 0)
		rc = tags_image_same(bare, *view, err);
	if (rc < 0)
		*view = hn_view_unref(*view);
	return rc;
}

/* Whether only the resolver holds a view, and only that its base. Definitions of the view's own
 * would have to be written anew, too. */
static bool is_alone(const hn_view *view)
{
	return view->cell_count == 0 &&
	       atomic_load_explicit(&view->refs, memory_order_acquire) == 1 &&
	       atomic_load_explicit(&view->base->refs, memory_order_acquire) == 1;
}

/* Moves a view that is up to date to the resolver's catalogue: the same values and chains, by its
 * numbers. */
static int move_entry(hn_resolver *resolver, tags_unit_state *entry, hn_error **err)
{
	const tags_renumbering *move = tags_resolver_move(resolver, entry);
	tags_subject subject = tags_resolver_subject(resolver, entry);
	tags_base *base = NULL;
	hn_view *view = NULL;
	int rc = 0;

	if (entry->view == NULL || entry->epoch == resolver->epoch)
		return 0;
	if (!HN_BELIEVE(move != NULL && tags_membership_renumber(entry->view->base, move,
						resolver->catalog, resolver->membership)))
		rc = resolve_entry(resolver, entry, &view, err);
	else if (is_alone(entry->view))
		tags_base_renumber(
			entry->view->base, move, resolver->catalog, resolver->membership);
	else
		rc = find_base(resolver, entry->view->base, move, &base, err);
	if (rc == 0 && base != NULL)
		rc = tags_view_new(&subject, base, &view, err);
	tags_base_unref(base);
	if (rc < 0)
		return rc;
	if (view != NULL) {
		hn_view_unref(entry->view);
		entry->view = view;
	}
	entry->epoch = resolver->epoch;
	return 0;
}

int tags_resolver_renew(hn_resolver *resolver, hn_error **err)
{
	for (size_t i = 0; i < resolver->count; i++) {
		tags_unit_state *entry = &resolver->entries[i];
		uint32_t age = resolver->epoch - entry->epoch;
		int rc = 0;

		if (entry->view == NULL || age + 1 < TAGS_OLD_CATALOGS)
			continue;
		if (entry->dirty)
			entry->view = hn_view_unref(entry->view);
		else
			rc = move_entry(resolver, entry, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Brings an entry up to date. What the catalogue or the input say wrong is kept as its error; being
 * out of memory is not: the next call tries again. */
static int refresh(hn_resolver *resolver, tags_unit_state *entry, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	hn_view *view = NULL;
	int rc;

	if (!entry->dirty)
		return 0;
	rc = resolve_entry(resolver, entry, &view, &error);
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	resolver->stats.recomputed++;
	hn_view_unref(entry->view);
	entry->view = view;
	entry->epoch = resolver->epoch;
	hn_error_unref(entry->error);
	entry->error = BASE_STEAL(error);
	entry->dirty = false;
	tags_index_add(resolver, entry);
	return 0;
}

int tags_resolver_join(hn_resolver *resolver, tags_unit_state *entry, hn_error **err)
{
	return resolver->images == NULL ? 0 : refresh(resolver, entry, err);
}

static void begin_stats(hn_resolver *resolver)
{
	resolver->stats = (hn_resolve_stats){.size = sizeof(hn_resolve_stats)};
}

static const char *unit_candidate(void *arg, size_t index)
{
	const hn_resolver *resolver = arg;

	return resolver->entries[index].name;
}

int tags_resolver_unknown(const hn_resolver *resolver, const char *unit, hn_error **err)
{
	int near = base_nearest(
		unit, resolver->count, unit_candidate, (void *)(uintptr_t)(const void *)resolver);

	base_error(err, HN_ENOENT, TAGS_ROOM, NULL, "there is no unit '%.80s'", unit);
	if (near >= 0)
		base_error_hint(err, "did you mean %s?", resolver->entries[near].name);
	return HN_ENOENT;
}

static int resolve(hn_resolver *resolver, const char *unit, hn_view **view, hn_error **err)
{
	tags_unit_state *entry;
	size_t index;
	int rc;

	if (!tags_resolver_find(resolver, unit, &index))
		return tags_resolver_unknown(resolver, unit, err);
	begin_stats(resolver);
	entry = &resolver->entries[index];
	rc = refresh(resolver, entry, err);
	if (rc == 0)
		rc = move_entry(resolver, entry, err);
	if (rc < 0)
		return rc;
	if (entry->error != NULL) {
		base_error_move(err, hn_error_ref(entry->error));
		return hn_error_code(entry->error);
	}
	return tags_view_redact(entry->view, resolver->redact, view, err);
}

int hn_resolve(hn_resolver *resolver, const char *unit, hn_view **view, hn_error **err)
{
	if (resolver == NULL || unit == NULL || view == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a unit's name is needed");
	return base_error_redact(err, resolve(resolver, unit, view, err), resolver->redact);
}

void tags_resolver_redact(hn_resolver *resolver, uint32_t classes)
{
	resolver->redact |= classes;
}

/* The error of a unit, as it may be told. */
static hn_error *problem_of(const hn_resolver *resolver, const tags_unit_state *entry)
{
	hn_error *problem = hn_error_ref(entry->error);

	(void)base_error_redact(&problem, hn_error_code(entry->error), resolver->redact);
	return problem;
}

int hn_resolve_all(hn_resolver *resolver, hn_problem_fn failed, void *arg, hn_error **err)
{
	int count = 0;

	if (resolver == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a resolver is needed");
	begin_stats(resolver);
	for (size_t i = 0; i < resolver->count; i++) {
		tags_unit_state *entry = &resolver->entries[i];
		int rc = refresh(resolver, entry, err);

		if (rc < 0)
			return rc;
		if (entry->error == NULL)
			continue;
		count++;
		if (failed != NULL) {
			BASE_AUTO_OF(hn_error) hn_error *problem = problem_of(resolver, entry);

			failed(arg, problem);
			continue;
		}
		base_error_move(err, problem_of(resolver, entry));
		return hn_error_code(entry->error);
	}
	return count;
}

void hn_resolver_get_stats(const hn_resolver *resolver, hn_resolve_stats *stats)
{
	uint64_t cells = 0;

	if (stats->size < sizeof(*stats))
		return;
	for (size_t i = 0; i < resolver->count; i++) {
		const hn_view *view = resolver->entries[i].view;

		if (view == NULL)
			continue;
		cells += view->cell_count;
		/* A base counts once for each unit: a cell is a slot of a unit. */
		cells += view->base != NULL ? view->base->cell_count : 0;
	}
	*stats = resolver->stats;
	stats->size = sizeof(*stats);
	stats->cells = cells;
}
