/* SPDX-License-Identifier: MIT
 *
 * The policies' selectors, made ready: for each test the tags that hold it, for each part what to
 * say when it is false.
 */
#include "tags/tags-private.h"

/* The tags that a test of tags or kinds holds for; the unit's name is matched when it is known. */
static int fill_test(hn_catalog *catalog, const hn_selector *selector, const tags_test *test,
	uint64_t **bits, hn_error **err)
{
	const char *pattern = selector->text + test->start;
	size_t words = (catalog->tag_count + 63u) / 64u + 1;

	*bits = base_arena_alloc(catalog->arena, words * sizeof(**bits));
	if (*bits == NULL)
		return base_nomem(err);
	for (uint32_t i = 0; i < catalog->tag_count; i++) {
		const tags_entity *tag = &catalog->tags[i];
		const char *text = test->field == TAGS_FIELD_TAG ? tag->name
				   : tag->kind != TAGS_NONE      ? catalog->kinds[tag->kind].name
								 : NULL;

		if (text != NULL && tags_pattern_match(pattern, test->size, text))
			(*bits)[i / 64] |= UINT64_C(1) << (i % 64);
	}
	return 0;
}

static int fill_texts(hn_catalog *catalog, tags_entity *policy, hn_error **err)
{
	const hn_selector *selector = policy->selector;

	policy->selected = tags_arena_format(catalog->arena, "selected: %s", policy->select);
	policy->blames =
		base_arena_alloc(catalog->arena, selector->node_count * sizeof(*policy->blames));
	if (policy->selected == NULL || policy->blames == NULL)
		return base_nomem(err);
	for (uint32_t i = 0; i < selector->node_count; i++) {
		const tags_node *node = &selector->nodes[i];

		policy->blames[i] = tags_arena_format(catalog->arena, "selector false at: %.*s",
			node->end - node->start, selector->text + node->start);
		if (policy->blames[i] == NULL)
			return base_nomem(err);
	}
	return 0;
}

int tags_catalog_select(hn_catalog *catalog, hn_error **err)
{
	for (uint32_t i = 0; i < catalog->policy_count; i++) {
		tags_entity *policy = &catalog->policies[i];
		int rc;

		if (policy->select == NULL)
			continue;
		rc = hn_selector_compile(policy->select, &policy->selector, err);
		if (rc < 0)
			return rc;
		policy->tests = base_arena_alloc(catalog->arena,
			(policy->selector->test_count + 1) * sizeof(*policy->tests));
		if (policy->tests == NULL)
			return base_nomem(err);
		for (uint32_t j = 0; rc == 0 && j < policy->selector->test_count; j++)
			rc = fill_test(catalog, policy->selector, &policy->selector->tests[j],
				&policy->tests[j], err);
		if (rc == 0)
			rc = fill_texts(catalog, policy, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
