/* SPDX-License-Identifier: MIT
 *
 * Which tags and policies a unit has: declared, given at run time, implied, named, selected.
 */
#include "tags/tags-private.h"

typedef struct finder {
	const tags_subject *subject;
	size_t name_size;
	const hn_catalog *catalog;
	tags_scratch *scratch;
	tags_membership *found;
	hn_error **err;
} finder;

const tags_entity *tags_member_implier(const hn_catalog *catalog, const tags_member *member)
{
	uint32_t from = member->how - TAGS_IMPLIED;

	if (member->how < TAGS_IMPLIED)
		return NULL;
	return from < catalog->tag_count ? &catalog->tags[from]
					 : &catalog->policies[from - catalog->tag_count];
}

const char *tags_member_how(const hn_catalog *catalog, const tags_member *member)
{
	const tags_entity *implier = tags_member_implier(catalog, member);

	if (implier != NULL)
		return implier->implier;
	return member->how == TAGS_DECLARED  ? "declared"
	       : member->how == TAGS_RUNTIME ? "runtime"
					     : "blueprint";
}

const char *tags_applied_how(const hn_catalog *catalog, const tags_applied *applied)
{
	return applied->named ? "named" : catalog->policies[applied->policy].selected;
}

/* --- tags --- */

static bool has_name(const char *const *names, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int add_member(finder *at, uint32_t tag, bool visible, uint32_t how)
{
	tags_membership *found = at->found;
	tags_scratch *scratch = at->scratch;

	if (scratch->tag_stamps[tag] == scratch->stamp)
		return 0;
	if (found->member_count == BASE_COUNT(found->members)) {
		base_limit_check(BASE_LIMIT_UNIT_TAGS, found->member_count + 1u, at->err);
		return base_error_wrap(at->err, HN_ELIMIT, TAGS_ROOM,
			"unit '%s' has too many tags, implied ones included", at->subject->name);
	}
	scratch->tag_stamps[tag] = scratch->stamp;
	found->members[found->member_count++] = (tags_member){tag, how, visible};
	if (visible)
		scratch->visible[tag / 64] |= UINT64_C(1) << (tag % 64);
	return 0;
}

static int unknown_runtime(
	finder *at, const char *what, const char *name, const tags_entity *entities, uint32_t count)
{
	tags_ref ref = {.name = name};

	tags_unknown_name(at->err, what, &ref, entities, count);
	return base_error_wrap(at->err, HN_ENOENT, TAGS_ROOM, "unit '%s'", at->subject->name);
}

/* Of components of the unit's image: one that nobody declares says nothing here. */
static int add_of_image(finder *at)
{
	const tags_input *input = at->subject->input;
	const tags_input *image = input != NULL ? input->image : NULL;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && image != NULL && i < image->tag_count; i++) {
		uint32_t tag = tags_catalog_tag(at->catalog, image->tags[i]);

		if (tag != TAGS_NONE &&
			!has_name(input->without, input->without_count, image->tags[i]))
			rc = add_member(at, tag, true, TAGS_BLUEPRINT);
	}
	return rc;
}

static int add_direct(finder *at)
{
	const tags_unit *unit = at->subject->unit;
	const tags_input *input = at->subject->input;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && unit != NULL && i < unit->tag_count; i++) {
		const char *name = at->catalog->tags[unit->tags[i]].name;

		if (input == NULL || !has_name(input->without, input->without_count, name))
			rc = add_member(at, unit->tags[i], true, TAGS_DECLARED);
	}
	for (uint32_t i = 0; rc == 0 && input != NULL && i < input->tag_count; i++) {
		uint32_t tag = tags_catalog_tag(at->catalog, input->tags[i]);

		rc = tag == TAGS_NONE ? unknown_runtime(at, "tag", input->tags[i],
						at->catalog->tags, at->catalog->tag_count)
				      : add_member(at, tag, true, TAGS_RUNTIME);
	}
	return rc < 0 ? rc : add_of_image(at);
}

/* `number` is that of a tag, or of a policy counted on from the tags. */
static int add_implied(finder *at, const tags_entity *from, uint32_t number, bool visible)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < from->closure_count; i++) {
		const tags_implied *implied = &from->closure[i];
		uint32_t via = implied->via == TAGS_NONE ? number : implied->via;

		rc = add_member(at, implied->tag, visible, TAGS_IMPLIED + via);
	}
	return rc;
}

static int add_closure(finder *at)
{
	uint32_t direct = at->found->member_count;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < direct; i++) {
		uint32_t tag = at->found->members[i].tag;

		rc = add_implied(at, &at->catalog->tags[tag], tag, true);
	}
	return rc;
}

/* --- policies --- */

static bool probe_holds(const finder *at, const tags_probe *probe)
{
	const uint64_t *visible = at->scratch->visible;

	if (probe->field == TAGS_FIELD_NAME && !probe->star)
		return probe->size == at->name_size &&
		       memcmp(probe->pattern, at->subject->name, at->name_size) == 0;
	if (probe->field == TAGS_FIELD_NAME)
		return tags_pattern_match(probe->pattern, probe->size, at->subject->name);
	if (probe->bits == NULL)
		return probe->tag != TAGS_NONE &&
		       (visible[probe->tag / 64] >> (probe->tag % 64) & 1) != 0;
	for (uint32_t i = 0; i <= at->catalog->tag_count / 64; i++)
		if ((probe->bits[i] & visible[i]) != 0)
			return true;
	return false;
}

static bool selects(const finder *at, const tags_entity *policy)
{
	return policy->selector != NULL &&
	       tags_selector_run(policy->selector, at->scratch->answers, policy->tests, NULL);
}

static bool is_named(const finder *at, uint32_t policy)
{
	const tags_unit *unit = at->subject->unit;
	const tags_input *input = at->subject->input;

	for (uint32_t i = 0; unit != NULL && i < unit->policy_count; i++)
		if (unit->policies[i] == policy)
			return true;
	return input != NULL && input->policy_count > 0 &&
	       has_name(input->policies, input->policy_count, at->catalog->policies[policy].name);
}

/* One pass: what policies imply brings settings, and is not seen by selectors. */
static int add_policies(finder *at)
{
	const hn_catalog *catalog = at->catalog;
	const tags_input *input = at->subject->input;
	tags_membership *found = at->found;
	int rc = 0;

	for (uint32_t i = 0; input != NULL && i < input->policy_count; i++)
		if (tags_catalog_policy(catalog, input->policies[i]) == TAGS_NONE)
			return unknown_runtime(at, "policy", input->policies[i], catalog->policies,
				catalog->policy_count);
	for (uint32_t i = 0; i < catalog->probe_count; i++)
		at->scratch->answers[i] = probe_holds(at, &catalog->probes[i]);
	for (uint32_t i = 0; i < catalog->policy_count; i++) {
		bool named = is_named(at, i);

		if (named || selects(at, &catalog->policies[i]))
			found->policies[found->policy_count++] = (tags_applied){i, named};
	}
	for (uint32_t i = 0; rc == 0 && i < found->policy_count; i++) {
		uint32_t policy = found->policies[i].policy;

		rc = add_implied(
			at, &catalog->policies[policy], catalog->tag_count + policy, false);
	}
	return rc;
}

/* --- exclusive kinds --- */

static const tags_ref *find_ref(const tags_ref *refs, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(refs[i].name, name) == 0)
			return &refs[i];
	return NULL;
}

/* Where fragments of an entity or unit mention the name. */
static const tags_ref *mention(
	const tags_fragment *const *fragments, uint32_t count, const char *name)
{
	const tags_ref *ref = NULL;

	for (uint32_t i = 0; ref == NULL && i < count; i++)
		ref = find_ref(fragments[i]->tags, fragments[i]->tag_count, name);
	return ref;
}

static void print_place(base_buf *out, const tags_place *place)
{
	base_buf_format(out, "   %s:%u:%u", place->file, place->line, place->column);
}

static const tags_member *member_of(const finder *at, uint32_t tag)
{
	for (uint32_t i = 0; i < at->found->member_count; i++)
		if (at->found->members[i].tag == tag)
			return &at->found->members[i];
	return NULL;
}

/* "tag:staging, implied by tag:preview a.json:3:4, declared web.json:5:6": the whole chain to the
 * unit. */
static void print_chain(const finder *at, base_buf *out, const tags_member *member)
{
	const tags_unit *unit = at->subject->unit;

	base_buf_format(out, "\n  %s", at->catalog->tags[member->tag].source);
	while (member != NULL) {
		const char *name = at->catalog->tags[member->tag].name;
		const tags_entity *from = tags_member_implier(at->catalog, member);
		const tags_ref *ref = NULL;

		base_buf_format(out, "   %s", tags_member_how(at->catalog, member));
		if (from != NULL)
			ref = mention(from->fragments, from->fragment_count, name);
		else if (unit != NULL)
			ref = mention(unit->fragments, unit->fragment_count, name);
		/* A tag has its own chain; a policy ends it. */
		member = from != NULL ? member_of(at, member->how - TAGS_IMPLIED) : NULL;
		if (ref != NULL)
			print_place(out, &ref->place);
	}
}

static int report_exclusive(const finder *at, const tags_member *a, const tags_member *b)
{
	const hn_catalog *catalog = at->catalog;
	const tags_entity *kind = &catalog->kinds[catalog->tags[a->tag].kind];
	BASE_AUTO_BUF base_buf chains = {0};

	print_chain(at, &chains, a);
	print_chain(at, &chains, b);
	if (chains.failed)
		return base_nomem(at->err);
	base_error(at->err, HN_EEXCLUSIVE, TAGS_ROOM, NULL,
		"unit '%s' has two tags of the exclusive kind '%s'%s", at->subject->name,
		kind->name, chains.data);
	base_error_hint(at->err, "keep tag:%s or tag:%s", catalog->tags[a->tag].name,
		catalog->tags[b->tag].name);
	base_error_fact(at->err, "unit", at->subject->name);
	base_error_fact(at->err, "kind", kind->name);
	return HN_EEXCLUSIVE;
}

static int check_exclusive(const finder *at)
{
	tags_scratch *scratch = at->scratch;

	for (uint32_t i = 0; i < at->found->member_count; i++) {
		const tags_member *member = &at->found->members[i];
		uint32_t kind = at->catalog->tags[member->tag].kind;

		if (kind == TAGS_NONE || !at->catalog->kinds[kind].exclusive)
			continue;
		if (scratch->kind_stamps[kind] == scratch->stamp)
			return report_exclusive(
				at, &at->found->members[scratch->kind_tags[kind]], member);
		scratch->kind_stamps[kind] = scratch->stamp;
		scratch->kind_tags[kind] = i;
	}
	return 0;
}

/* --- all of it --- */

static void sort_members(tags_membership *found)
{
	for (uint32_t i = 1; i < found->member_count; i++) {
		tags_member member = found->members[i];
		uint32_t j = i;

		for (; j > 0 && found->members[j - 1].tag > member.tag; j--)
			found->members[j] = found->members[j - 1];
		found->members[j] = member;
	}
}

int tags_membership_find(const tags_subject *subject, tags_scratch *scratch,
	tags_membership *membership, hn_error **err)
{
	finder at = {subject, strlen(subject->name), subject->catalog, scratch, membership, err};
	int rc;

	membership->member_count = membership->policy_count = 0;
	if (++scratch->stamp == 0) {
		/* The stamps have been around once: begin anew. */
		memset(scratch->tag_stamps, 0, subject->catalog->tag_count * sizeof(uint32_t));
		memset(scratch->kind_stamps, 0, subject->catalog->kind_count * sizeof(uint32_t));
		scratch->stamp = 1;
	}
	memset(scratch->visible, 0, (subject->catalog->tag_count / 64 + 1) * sizeof(uint64_t));
	rc = add_direct(&at);
	if (rc == 0)
		rc = add_closure(&at);
	if (rc == 0)
		rc = add_policies(&at);
	sort_members(membership);
	return rc < 0 ? rc : check_exclusive(&at);
}
